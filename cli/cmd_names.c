/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn enterprise resolve, unmerge, unresolved: whose a name is; and export: the whole file of one enterprise. */
#include "cli/document.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/uscc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 500, PARAMS_MAX = 6 };

/* A code in full width or lower case is mended. False after saying what is wrong with it. */
static bool read_code(struct cli *cli, const char *text, const char **code)
{
    char tidy[128];
    uscc_tidy(slice_of(text), tidy, sizeof tidy);
    const char *wrong = uscc_fault(slice_of(tidy));
    *code = arena_slice(&cli->arena, slice_of(tidy)).p;
    if (wrong)
        cli_say(tr("\"%s\" is no code of an enterprise: %s", "“%s”不是统一社会信用代码：%s"),
                text_safe(&cli->arena, text), wrong);
    return !wrong;
}

/* ---- resolve, unmerge ---- */

static void print_done(struct cli *cli, const struct ww_action *a, uint64_t seq)
{
    struct document d = {.n = 0};
    document_text(&d, "do", a->what);
    document_text(&d, "name", a->name);
    document_text(&d, "uscc", a->uscc);
    document_int(&d, "seq", (int64_t)seq);
    struct ww_value v = document_value(&d);
    if (!out_document(cli, &v))
        printf(tr("%s %s: %s done (seq %" PRIu64 ")\n", "%s %s：%s 已记录（编号 %" PRIu64 "）\n"),
               text_safe(&cli->arena, a->name), a->uscc, a->what, seq);
}

int cmd_enterprise_settle(struct cli *cli)
{
    struct ww_action a = WW_ACTION_INIT;
    uint64_t seq = 0;
    a.what = cli->command->name + strlen("enterprise ");
    a.name = cli->args[0];
    a.note = cli->values[O_NOTE];
    a.actor = cli->values[O_ACTOR];
    a.status = cli->values[O_STATUS];
    if (!read_code(cli, cli->args[1], &a.uscc))
        return err_exit_status(WW_EUSAGE);
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_act(cli->client, &a, &seq);
    if (rc != 0)
        return cli_failed(cli, rc);
    print_done(cli, &a, seq);
    return 0;
}

/* ---- pages ---- */

/* All pages of a query; the first one's other keys are kept in *document. */
static int get_all(struct cli *cli, const char *what, const char *key, const struct ww_param *params, size_t n,
                   struct items *items, const struct ww_value **document)
{
    struct ww_param all[PARAMS_MAX];
    const struct ww_value *page;
    struct items first = {0};
    memcpy(all, params, n * sizeof *params);
    all[n] = (struct ww_param){.key = "limit", .number = PAGE};
    for (size_t n_all = n + 1;; n_all = n + 2) {
        int rc = ww_query(cli->client, what, all, n_all, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        if (!first.n)
            items_add_copy(&cli->arena, &first, page);
        if (document)
            *document = first.list[0];
        items_add_list(&cli->arena, items, ww_get(page, key));
        const struct ww_value *next = ww_get(page, "next");
        if (ww_type(next) == WW_NIL || !ww_length(ww_get(page, key)))
            return 0;
        all[n + 1] = (struct ww_param){.key = "after", .number = (int64_t)ww_uint(next, 0)};
        if (ww_type(next) == WW_STR)
            all[n + 1].text = arena_slice(&cli->arena, slice_of(ww_str(next, ""))).p;
    }
}

/* ---- unresolved ---- */

static const char *codes_of(struct cli *cli, const struct ww_value *item)
{
    const struct ww_value *codes = ww_get(item, "codes");
    const char *text = "";
    for (size_t i = 0; i < ww_length(codes); i++) {
        const struct ww_value *one = ww_at(codes, i);
        text = arena_printf(&cli->arena, "%s%s%s %s", text, i ? ", " : "", ww_str(ww_get(one, "uscc"), "?"),
                            ww_str(ww_get(one, "name"), ""));
    }
    return text;
}

int cmd_enterprise_unresolved(struct cli *cli)
{
    struct ww_param status_of = {.key = "status", .text = cli->values[O_STATUS]};
    const struct ww_value *document = NULL;
    struct items items = {0};
    int status = cli_connect(cli);
    if (status == 0)
        status = get_all(cli, "unresolved", "unresolved", &status_of, status_of.text ? 1 : 0, &items, &document);
    if (status != 0)
        return status;
    static const struct column columns[] = {
        {"name", NULL, "NAME", "名称", COLUMN_NAME},
        {"signals", NULL, "SIGNALS", "信号", COLUMN_NUMBER},
        {"region", NULL, "REGION", "区划", COLUMN_TEXT},
    };
    if (cli->format != FORMAT_TABLE) {
        out_list(cli, document, "unresolved", &items, columns, ARRAY_LEN(columns));
        return 0;
    }
    if (!items.n)
        printf("%s\n", tr("no name waits", "没有待核定的名称"));
    for (size_t i = 0; i < items.n; i++) {
        const struct ww_value *item = items.list[i];
        printf(tr("%s%s%s  %" PRIu64 " signals  %s\n", "%s%s%s  %" PRIu64 " 条信号  %s\n"), out_bold(cli),
               text_safe(&cli->arena, ww_str(ww_get(item, "name"), "?")), out_plain(cli),
               ww_uint(ww_get(item, "signals"), 0), text_safe(&cli->arena, ww_str(ww_get(item, "region"), "")));
        printf("  %s\n", text_safe(&cli->arena, codes_of(cli, item)));
    }
    if (items.n)
        printf("%s\n", tr("settle one with: wagewarn enterprise resolve NAME CODE",
                          "核定：wagewarn enterprise resolve 名称 代码"));
    return 0;
}

/* ---- export ---- */

static struct document_list list_of(const struct items *items)
{
    struct document_list list = {.items = NULL};
    for (size_t i = 0; i < items->n; i++)
        document_list_add(&list, *items->list[i]);
    return list;
}

/* Each alert as `alert` tells it, its history with it. */
static int get_alerts(struct cli *cli, const struct ww_param *who, size_t n, struct items *out)
{
    struct ww_param params[PARAMS_MAX];
    struct items found = {0};
    memcpy(params, who, n * sizeof *who);
    params[n] = (struct ww_param){.key = "state", .text = "any"};
    int status = get_all(cli, "alerts", "alerts", params, n + 1, &found, NULL);
    for (size_t i = 0; status == 0 && i < found.n; i++) {
        struct ww_param one = {.key = "alert", .number = (int64_t)ww_uint(ww_get(found.list[i], "alert"), 0)};
        const struct ww_value *result;
        int rc = ww_query(cli->client, "alert", &one, 1, &result);
        if (rc != 0)
            return cli_failed(cli, rc);
        items_add_copy(&cli->arena, out, ww_get(result, "alert"));
    }
    return status;
}

int cmd_enterprise_export(struct cli *cli)
{
    struct ww_param who[] = {{.key = "uscc"}, {.key = "status", .text = cli->values[O_STATUS]}};
    size_t n = who[1].text ? 2 : 1;
    struct items first = {0}, signals = {0}, alerts = {0};
    const struct ww_value *result;
    if (!read_code(cli, cli->args[0], &who[0].text))
        return err_exit_status(WW_EUSAGE);
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_query(cli->client, "enterprise", who, n, &result);
    if (rc != 0)
        return cli_failed(cli, rc);
    items_add_copy(&cli->arena, &first, result);
    status = get_all(cli, "signals", "signals", who, n, &signals, NULL);
    if (status == 0)
        status = get_alerts(cli, who, n, &alerts);
    if (status != 0)
        return status;
    const struct ww_value *e = ww_get(first.list[0], "enterprise");
    struct document d = {.n = 0}, *body = arena_zalloc(&cli->arena, sizeof *body);
    struct document_list all_signals = list_of(&signals), all_alerts = list_of(&alerts);
    document_int(&d, "as_of", ww_int(ww_get(first.list[0], "as_of"), 0));
    for (size_t i = 0; i < ww_length(e) && body->n < DOCUMENT_KEYS; i++) {
        if (strcmp(ww_key(e, i), "signals") == 0) /* only the newest: all of them follow */
            continue;
        body->keys[body->n] = slice_of(ww_key(e, i));
        body->values[body->n++] = *ww_at(e, i);
    }
    document_map(&d, "enterprise", body);
    document_list(&d, "signals", &all_signals);
    document_list(&d, "alerts", &all_alerts);
    struct ww_value v = document_value(&d);
    if (cli->format == FORMAT_TABLE)
        cli->format = FORMAT_JSON;
    out_document(cli, &v);
    document_list_finish(&all_signals);
    document_list_finish(&all_alerts);
    return 0;
}
