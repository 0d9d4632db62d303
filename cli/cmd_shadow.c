/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn shadow diff: where the shadow rules would warn otherwise than the rules in force. */
#include "cli/output.h"
#include "cli/text.h"
#include "lib/val.h"

#include <stdio.h>

enum { PAGE = 500 };

static const struct column columns[] = {
    {"change", NULL, "CHANGE", "变化", COLUMN_TEXT},
    {"level", NULL, "LEVEL", "现行等级", COLUMN_LEVEL},
    {"shadow_level", NULL, "SHADOW", "试行等级", COLUMN_LEVEL},
    {"score", NULL, "SCORE", "试行评分", COLUMN_SCORE},
    {"enterprise.name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
    {"enterprise.uscc", NULL, "CODE", "统一社会信用代码", COLUMN_TEXT},
    {"enterprise.region", NULL, "REGION", "区划", COLUMN_TEXT},
    {"alert", NULL, "ALERT", "预警", COLUMN_NUMBER},
    {"raised_at", NULL, "SINCE", "试行发出", COLUMN_TIME},
    {"rules", NULL, "SHADOW RULES", "试行规则", COLUMN_LIST},
};

static bool is_set(const struct ww_value *map, const char *key)
{
    bool set = false;
    val_bool(map, key, &set);
    return set;
}

static int get_pages(struct cli *cli, struct items *items, const struct ww_value **document)
{
    struct ww_param params[] = {{.key = "limit", .number = PAGE}, {.key = "after"}};
    struct items first = {0};
    const struct ww_value *page;
    for (size_t n = 1;; n = 2) {
        int rc = ww_query(cli->client, "shadow", params, n, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        if (!first.n) {
            items_add_copy(&cli->arena, &first, page);
            *document = first.list[0];
        }
        items_add_list(&cli->arena, items, ww_get(page, "differences"));
        const char *next = ww_str(ww_get(page, "next"), NULL);
        if (!next)
            return 0;
        params[1].text = arena_slice(&cli->arena, slice_of(next)).p;
    }
}

int cmd_shadow_diff(struct cli *cli)
{
    struct items items = {0};
    const struct ww_value *document = NULL;
    int status = cli_connect(cli);
    if (status == 0)
        status = get_pages(cli, &items, &document);
    if (status != 0)
        return status;
    if (items.n || cli->format != FORMAT_TABLE)
        out_list(cli, document, "differences", &items, columns, ARRAY_LEN(columns));
    else if (is_set(document, "on"))
        printf("%s\n", tr("no difference", "没有差异"));
    else
        printf("%s\n", tr("no shadow rules are configured (key 'shadow')", "未配置试行规则（配置项 shadow）"));
    return 0;
}
