/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn duties: the visits and reviews that are expected of the teams, those due first; and duties done: one was made. */
#include "cli/document.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/uscc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 500, PARAMS_MAX = 5 };

static const struct column columns[] = {
    {"due", NULL, "DUE", "到期", COLUMN_DUE},
    {"duty", NULL, "DUTY", "任务编号", COLUMN_TEXT},
    {"title", "title_en", "WHAT", "任务", COLUMN_NAME},
    {"enterprise.name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
    {"enterprise.uscc", NULL, "CODE", "统一社会信用代码", COLUMN_TEXT},
    {"enterprise.region", NULL, "REGION", "区划", COLUMN_TEXT},
    {"teams", NULL, "TEAMS", "承办", COLUMN_LIST},
    {"state", NULL, "STATE", "状态", COLUMN_TEXT},
    {"done_at", NULL, "LAST DONE", "上次完成", COLUMN_TIME},
};

static int by_due(const void *a, const void *b)
{
    const struct ww_value *x = *(const struct ww_value *const *)a, *y = *(const struct ww_value *const *)b;
    int64_t d = ww_int(ww_get(x, "due"), 0), e = ww_int(ww_get(y, "due"), 0);
    if (d != e)
        return d < e ? -1 : 1;
    int order = strcmp(ww_str(value_at(x, "enterprise.uscc"), ""), ww_str(value_at(y, "enterprise.uscc"), ""));
    return order ? order : strcmp(ww_str(ww_get(x, "duty"), ""), ww_str(ww_get(y, "duty"), ""));
}

/* The pages come by enterprise. */
static int get_pages(struct cli *cli, struct items *items, const struct ww_value **document)
{
    struct ww_param params[PARAMS_MAX] = {{.key = "limit", .number = PAGE}};
    struct items first = {0};
    const struct ww_value *page;
    size_t n = 1;
    if (cli->n_regions)
        params[n++] = (struct ww_param){.key = "region", .text = cli->regions[0]};
    if (cli->values[O_TEAM])
        params[n++] = (struct ww_param){.key = "team", .text = cli->values[O_TEAM]};
    if (cli->values[O_OVERDUE])
        params[n++] = (struct ww_param){.key = "overdue", .number = 1, .boolean = 1};
    for (size_t all = n;; all = n + 1) {
        int rc = ww_query(cli->client, "duties", params, all, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        if (!first.n) {
            items_add_copy(&cli->arena, &first, page);
            *document = first.list[0];
        }
        items_add_list(&cli->arena, items, ww_get(page, "duties"));
        if (ww_type(ww_get(page, "next")) != WW_STR)
            return 0;
        params[n] = (struct ww_param){.key = "after",
                                      .text = arena_slice(&cli->arena, slice_of(ww_str(ww_get(page, "next"), ""))).p};
    }
}

int cmd_duties(struct cli *cli)
{
    struct items items = {0};
    const struct ww_value *document = NULL;
    int status = cli_connect(cli);
    if (status == 0)
        status = get_pages(cli, &items, &document);
    if (status != 0)
        return status;
    if (items.n)
        qsort(items.list, items.n, sizeof *items.list, by_due);
    if (!items.n && cli->format == FORMAT_TABLE)
        printf("%s\n", cli->values[O_OVERDUE] ? tr("no duty is overdue", "没有逾期的例行任务")
                                              : tr("no duties: none is configured, or nobody fits", "没有例行任务：未配置，或无企业适用"));
    else
        out_list(cli, document, "duties", &items, columns, ARRAY_LEN(columns));
    return 0;
}

/* ---- done ---- */

/* False after saying what is wrong. */
static bool read_enterprise(struct cli *cli, struct ww_action *a)
{
    char tidy[128];
    a->name = cli->values[O_NAME];
    if (!cli->values[O_USCC]) {
        if (!a->name)
            cli_say(tr("which enterprise? --uscc CODE, or --name NAME where no code is known",
                       "请指明企业：--uscc 统一社会信用代码，或 --name 名称"));
        return a->name != NULL;
    }
    uscc_tidy(slice_of(cli->values[O_USCC]), tidy, sizeof tidy);
    const char *wrong = uscc_fault(slice_of(tidy));
    a->uscc = arena_slice(&cli->arena, slice_of(tidy)).p;
    if (wrong)
        cli_say(tr("\"%s\" is no code of an enterprise: %s", "“%s”不是统一社会信用代码：%s"),
                text_safe(&cli->arena, cli->values[O_USCC]), wrong);
    return !wrong;
}

int cmd_duties_done(struct cli *cli)
{
    struct ww_action a = WW_ACTION_INIT;
    uint64_t seq = 0;
    a.what = "duty_done";
    a.duty = cli->args[0];
    a.ref = cli->values[O_REF];
    a.note = cli->values[O_NOTE];
    a.actor = cli->values[O_ACTOR];
    if (!read_enterprise(cli, &a))
        return err_exit_status(WW_EUSAGE);
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_act(cli->client, &a, &seq);
    if (rc != 0)
        return cli_failed(cli, rc);
    struct document d = {.n = 0};
    document_text(&d, "duty", a.duty);
    document_text(&d, "uscc", a.uscc);
    document_text(&d, "name", a.name);
    document_int(&d, "seq", (int64_t)seq);
    struct ww_value v = document_value(&d);
    if (!out_document(cli, &v))
        printf(tr("%s of %s reported done (seq %" PRIu64 ")\n", "%s（%s）已登记完成（编号 %" PRIu64 "）\n"),
               text_safe(&cli->arena, a.duty), text_safe(&cli->arena, a.uscc ? a.uscc : a.name), seq);
    return 0;
}
