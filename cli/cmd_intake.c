/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn intake, intake sort: signals that wait to be sorted before they count. */
#include "cli/document.h"
#include "cli/output.h"
#include "cli/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { PAGE = 500 };

static const struct column columns[] = {
    {"number", NULL, "NUMBER", "编号", COLUMN_NUMBER},
    {"kind", NULL, "KIND", "种类", COLUMN_TEXT},
    {"at", NULL, "AT", "发生", COLUMN_TIME},
    {"due", NULL, "COUNTS FROM", "到期自动计入", COLUMN_TIME},
    {"enterprise.name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
    {"enterprise.uscc", NULL, "CODE", "统一社会信用代码", COLUMN_TEXT},
    {"region", NULL, "REGION", "区划", COLUMN_TEXT},
    {"people", NULL, "PEOPLE", "人数", COLUMN_NUMBER},
    {"amount", NULL, "AMOUNT", "金额", COLUMN_MONEY},
    {"ref", NULL, "REF", "文号", COLUMN_TEXT},
};

static const struct column sorted_columns[] = {
    {"number", NULL, "NUMBER", "编号", COLUMN_NUMBER},
    {"kind", NULL, "KIND", "种类", COLUMN_TEXT},
    {"at", NULL, "AT", "发生", COLUMN_TIME},
    {"enterprise.name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
    {"enterprise.uscc", NULL, "CODE", "统一社会信用代码", COLUMN_TEXT},
    {"region", NULL, "REGION", "区划", COLUMN_TEXT},
    {"as", NULL, "AS", "结果", COLUMN_TEXT},
    {"by", NULL, "BY", "分拣人", COLUMN_TEXT},
    {"sorted_at", NULL, "SORTED", "分拣时间", COLUMN_TIME},
};

static int get_pages(struct cli *cli, bool sorted, struct items *items, const struct ww_value **document)
{
    struct ww_param params[] = {{.key = "limit", .number = PAGE}, {.key = "sorted", .number = sorted, .boolean = 1}, {.key = "after"}};
    struct items first = {0};
    const struct ww_value *page;
    for (size_t n = 2;; n = 3) {
        int rc = ww_query(cli->client, "intake", params, n, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        if (!first.n) {
            items_add_copy(&cli->arena, &first, page);
            *document = first.list[0];
        }
        items_add_list(&cli->arena, items, ww_get(page, "intake"));
        if (ww_type(ww_get(page, "next")) == WW_NIL)
            return 0;
        params[2].number = (int64_t)ww_uint(ww_get(page, "next"), 0);
    }
}

int cmd_intake(struct cli *cli)
{
    struct items items = {0};
    const struct ww_value *document = NULL;
    bool sorted = cli->values[O_SORTED] != NULL;
    int status = cli_connect(cli);
    if (status == 0)
        status = get_pages(cli, sorted, &items, &document);
    if (status != 0)
        return status;
    if (!items.n && cli->format == FORMAT_TABLE)
        printf("%s\n", sorted ? tr("nothing was sorted yet", "尚无已分拣的信息") : tr("nothing waits", "没有待分拣的信息"));
    else if (sorted)
        out_list(cli, document, "intake", &items, sorted_columns, ARRAY_LEN(sorted_columns));
    else
        out_list(cli, document, "intake", &items, columns, ARRAY_LEN(columns));
    return 0;
}

int cmd_intake_sort(struct cli *cli)
{
    struct ww_action a = WW_ACTION_INIT;
    uint64_t seq = 0;
    int64_t number;
    if (!text_parse_int(cli->args[0], &number) || number <= 0) {
        cli_say(tr("\"%s\" is no signal's number; 'wagewarn intake' lists them", "“%s”不是信息编号；wagewarn intake 可列出"),
                text_safe(&cli->arena, cli->args[0]));
        return err_exit_status(WW_EUSAGE);
    }
    a.what = "sort";
    a.signal = (uint64_t)number;
    a.as = cli->args[1];
    a.note = cli->values[O_NOTE];
    a.actor = cli->values[O_ACTOR];
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_act(cli->client, &a, &seq);
    if (rc != 0)
        return cli_failed(cli, rc);
    struct document d = {.n = 0};
    document_int(&d, "signal", number);
    document_text(&d, "as", a.as);
    document_int(&d, "seq", (int64_t)seq);
    struct ww_value v = document_value(&d);
    if (!out_document(cli, &v))
        printf(tr("%" PRId64 " sorted as %s (seq %" PRIu64 ")\n", "%" PRId64 " 已分拣为 %s（编号 %" PRIu64 "）\n"), number,
               text_safe(&cli->arena, a.as), seq);
    return 0;
}
