/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn check-config, rules check: what is wrong with a configuration, before it is used. The whole is the
 * daemon's to check, so its program does; rules are compiled here, as the daemon does at a start. */
#include "cli/output.h"
#include "cli/rules_file.h"
#include "cli/text.h"
#include "lib/textfile.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* ---- check-config ---- */

/* Beside this program, in a build tree or installed; else where PATH says. Comes back only when there is
 * none. */
static void become_daemon(struct cli *cli, char **argv)
{
    static const char *const beside[] = {"../daemon/wagewarnd", "../sbin/wagewarnd", "wagewarnd"};
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    for (size_t i = 0; n > 0 && i < ARRAY_LEN(beside); i++) {
        const char *dir = textfile_dir(&cli->arena, self);
        execv(arena_printf(&cli->arena, "%s/%s", dir, beside[i]), argv);
    }
    execvp("wagewarnd", argv);
    execv("/usr/sbin/wagewarnd", argv);
}

int cmd_check_config(struct cli *cli)
{
    char name[] = "wagewarnd", check[] = "--check-config", config[] = "--config";
    char *argv[] = {name, check, config, cli->args[0], NULL};
    fflush(stdout);
    become_daemon(cli, argv);
    cli_say(tr("cannot start wagewarnd, which checks its configuration: %s; install it, or put it into PATH",
               "无法启动负责检查配置的 wagewarnd：%s；请安装或加入 PATH"),
            strerror(errno));
    return err_exit_status(WW_ENOTFOUND);
}

/* ---- rules check ---- */

static void tell_document(struct cli *cli, const struct rules_file *f)
{
    struct document d = {0};
    struct document_list list = mistakes_list(&cli->arena, &f->m);
    document_text(&d, "file", f->path);
    document_bool(&d, "good", f->m.total == 0);
    document_int(&d, "rules", f->settings ? f->settings->n_rules : 0);
    document_int(&d, "mistakes_total", (int64_t)f->m.total);
    document_list(&d, "mistakes", &list);
    struct ww_value v = document_value(&d);
    out_document(cli, &v);
}

static void tell_words(struct cli *cli, const struct rules_file *f)
{
    if (f->m.total)
        mistakes_tell(&f->m, f->text);
    else
        printf(tr("%s: good, %u rules\n", "%s：正确，%u 条规则\n"), text_safe(&cli->arena, f->path),
               f->settings->n_rules);
}

int cmd_rules_check(struct cli *cli)
{
    struct err err = {0};
    struct rules_file f;
    int code = rules_file_load(cli, cli->args[0], &f, &err);
    if (code != 0 && f.m.total == 0)
        cli_say("%s", text_safe(&cli->arena, err.msg));
    else if (cli->format != FORMAT_TABLE)
        tell_document(cli, &f);
    else
        tell_words(cli, &f);
    rules_file_finish(&f);
    return err_exit_status(code);
}
