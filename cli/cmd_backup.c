/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn backup, restore: a copy of a store and back, on the daemon's files; see store/backup.h. */
#include "cli/document.h"
#include "cli/output.h"
#include "cli/text.h"
#include "store/backup.h"
#include "store/view.h"

#include <stdio.h>
#include <stdlib.h>

static bool tell_document(struct cli *cli, const char *dir, const struct backup_report *r,
                          const char *replaced)
{
    struct document d = {0};
    document_text(&d, "dir", cli->args[0]);
    document_text(&d, "state_dir", dir);
    document_int(&d, "first", (int64_t)r->first);
    document_int(&d, "last", (int64_t)r->last);
    document_int(&d, "last_at", r->last_time);
    document_int(&d, "view_last", (int64_t)r->view_number);
    document_int(&d, "segments", (int64_t)r->segments);
    document_int(&d, "bytes", (int64_t)r->bytes);
    document_text(&d, "replaced", replaced);
    struct ww_value v = document_value(&d);
    return out_document(cli, &v);
}

static const char *entries(struct cli *cli, const struct backup_report *r)
{
    struct arena *a = &cli->arena;
    return arena_printf(a, tr("entries %s to %s, the last of %s", "第 %s 至 %s 条，最后一条 %s"),
                        text_count(a, r->first), text_count(a, r->last), text_time(a, r->last_time));
}

static int said(struct cli *cli, int code, const struct err *err)
{
    cli_say("%s", text_safe(&cli->arena, err->msg));
    return err_exit_status(code);
}

int cmd_backup(struct cli *cli)
{
    struct backup_report report;
    struct err err;
    const char *dir = cli_state_dir(cli);
    view_catch_damage(arena_printf(&cli->arena, "%s/view", dir));
    int code = backup_make(dir, cli->args[0], &report, &err);
    if (code != 0)
        return said(cli, code, &err);
    if (!tell_document(cli, dir, &report, NULL))
        printf(tr("%s: complete and checked; %s\n", "%s：备份完整并已校验；%s\n"),
               text_safe(&cli->arena, cli->args[0]), entries(cli, &report));
    return 0;
}

int cmd_restore(struct cli *cli)
{
    struct arena *a = &cli->arena;
    struct backup_report report;
    struct err err;
    const char *dir = cli_state_dir(cli), *replaced = NULL;
    int code = backup_restore(cli->args[0], dir, cli->values[O_FORCE] != NULL, &report, &err);
    if (report.replaced)
        replaced = arena_printf(a, "%s/replaced-%u", dir, report.replaced);
    if (code != 0 && replaced)
        cli_say(tr("what was in %s is in %s", "%s 中原有内容在 %s"), text_safe(a, dir),
                text_safe(a, replaced));
    if (code != 0)
        return said(cli, code, &err);
    if (tell_document(cli, dir, &report, replaced))
        return 0;
    printf(tr("%s: restored; %s\n", "%s：已恢复；%s\n"), text_safe(a, dir), entries(cli, &report));
    if (replaced)
        printf(tr("what was there is in %s; remove it once it is not wanted\n",
                  "原有内容在 %s，不需要时可删除\n"),
               text_safe(a, replaced));
    printf("%s\n", tr("the store has a new id: subscribers begin anew, feeders send again what it lacks",
                      "存储编号已更新：订阅方重新开始，数据源补发所缺"));
    return 0;
}
