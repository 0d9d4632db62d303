/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn check-config, rules check: what is wrong with a configuration, before it is used. The whole is the
 * daemon's to check, so its program does; rules are compiled here, as the daemon does at a start. */
#include "cli/document.h"
#include "cli/output.h"
#include "cli/text.h"
#include "engine/settings.h"
#include "engine/settings_tree.h"
#include "lib/calendar.h"
#include "lib/textfile.h"
#include "lib/yaml.h"

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

struct checked {
    struct slice text;
    struct mistakes m;
    uint32_t n_rules;
};

/* The tables beside which rules mean something. WW_ECONFIG, WW_EIO. */
static int read_tables(struct cli *cli, struct kinds **kinds, struct tree **festivals, struct err *err)
{
    struct arena *a = &cli->arena;
    const char *dir = textfile_dir(a, cli->args[0]), *kinds_file = cli->values[O_KINDS];
    const char *calendar = textfile_shipped(a, dir, "spring_festival.csv");
    struct slice text;
    *kinds = NULL;
    if (!kinds_file)
        kinds_file = textfile_shipped(a, dir, "kinds.csv");
    int code = textfile_read(kinds_file, a, &text, err);
    if (code == 0)
        code = kinds_parse(kinds, kinds_file, text, err);
    if (code == 0)
        code = textfile_read(calendar, a, &text, err);
    if (code == 0)
        code = settings_tree_festivals(a, calendar, text, festivals, err);
    return code;
}

/* Mistakes go to c->m, with WW_ECONFIG; what is no mistake in the rules goes to err. */
static int check_rules(struct cli *cli, struct checked *c, struct err *err)
{
    struct arena *a = &cli->arena;
    struct kinds *kinds;
    struct tree *festivals, *rules;
    struct settings *settings = NULL;
    int code = read_tables(cli, &kinds, &festivals, err);
    if (code == 0)
        code = textfile_read(cli->args[0], a, &c->text, err);
    if (code == 0)
        code = yaml_parse(a, c->text, &c->m, &rules);
    if (code == 0)
        code = settings_compile(settings_tree_make(a, kinds, festivals, rules, OFFSET_CHINA_MS), &c->m,
                                &settings);
    if (code == 0)
        c->n_rules = settings->n_rules;
    settings_destroy(settings);
    kinds_destroy(kinds);
    return code;
}

static void tell_document(struct cli *cli, const struct checked *c)
{
    struct document d = {0}, each[ARRAY_LEN(c->m.list)] = {0};
    struct document_list list = {0};
    for (size_t i = 0; i < c->m.n; i++) {
        document_int(&each[i], "line", c->m.list[i].line);
        document_int(&each[i], "column", c->m.list[i].column);
        document_text(&each[i], "message", c->m.list[i].sentence);
        document_text(&each[i], "hint", c->m.list[i].hint);
        document_list_add(&list, document_value(&each[i]));
    }
    document_text(&d, "file", cli->args[0]);
    document_bool(&d, "good", c->m.total == 0);
    document_int(&d, "rules", c->n_rules);
    document_int(&d, "mistakes_total", (int64_t)c->m.total);
    document_list(&d, "mistakes", &list);
    struct ww_value v = document_value(&d);
    out_document(cli, &v);
    document_list_finish(&list);
}

static void tell_words(struct cli *cli, const struct checked *c)
{
    struct buf said = {0};
    if (c->m.total == 0) {
        printf(tr("%s: good, %u rules\n", "%s：正确，%u 条规则\n"), text_safe(&cli->arena, cli->args[0]),
               c->n_rules);
        return;
    }
    mistakes_print(&c->m, c->text, &said);
    fwrite(said.p, 1, said.n, stderr);
    buf_finish(&said);
    fprintf(stderr, tr("%zu error%s\n", "%zu 处错误%.0s\n"), c->m.total, c->m.total == 1 ? "" : "s");
}

int cmd_rules_check(struct cli *cli)
{
    struct err err = {0};
    struct checked c = {.m = {.arena = &cli->arena, .file = cli->args[0]}};
    int code = check_rules(cli, &c, &err);
    if (code != 0 && c.m.total == 0) {
        cli_say("%s", text_safe(&cli->arena, err.msg));
        return err_exit_status(code);
    }
    if (cli->format != FORMAT_TABLE)
        tell_document(cli, &c);
    else
        tell_words(cli, &c);
    return err_exit_status(code);
}
