/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn status, feeds, kinds: how the daemon is, who feeds it, and what it understands. */
#include "cli/output.h"
#include "cli/text.h"

#include <stdio.h>

static const struct column level_columns[] = {
    {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},
    {"open", NULL, "OPEN", "在办", COLUMN_THOUSANDS},
    {"overdue", NULL, "OVERDUE", "逾期", COLUMN_THOUSANDS},
    {"oldest_at", NULL, "OLDEST", "最早", COLUMN_AGO},
};

static const struct column feed_columns[] = {
    {"source", NULL, "FEED", "数据源", COLUMN_TEXT},
    {"last_at", NULL, "LAST", "最近", COLUMN_AGO},
    {"today", NULL, "TODAY", "今日", COLUMN_THOUSANDS},
    {"accepted", NULL, "ACCEPTED", "接收", COLUMN_THOUSANDS},
    {"duplicates", NULL, "DUPLICATES", "重复", COLUMN_THOUSANDS},
    {"rejected", NULL, "REJECTED", "拒收", COLUMN_THOUSANDS},
};

static const struct column subscriber_columns[] = {
    {"principal", NULL, "SUBSCRIBER", "订阅方", COLUMN_TEXT},
    {"session", NULL, "SESSION", "会话", COLUMN_NUMBER},
    {"sent", NULL, "SENT", "已送", COLUMN_THOUSANDS},
    {"lag", NULL, "LAG", "滞后", COLUMN_THOUSANDS},
};

static const struct column kind_columns[] = {
    {"kind", NULL, "KIND", "种类", COLUMN_TEXT},
    {"zh", "en", "MEANS", "含义", COLUMN_NAME},
    {"weight", NULL, "WEIGHT", "权重", COLUMN_WEIGHT},
    {"half_life_days", NULL, "HALF-LIFE", "半衰期(天)", COLUMN_DAYS},
    {"repeat_window_days", NULL, "REPEAT", "重复窗口(天)", COLUMN_DAYS},
    {"clears", NULL, "CLEARS", "解除", COLUMN_LIST},
};

/* One query without parameters, or the exit status to end with. */
static int ask(struct cli *cli, const char *what, const struct ww_value **result)
{
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_query(cli->client, what, NULL, 0, result);
    return rc == 0 ? 0 : cli_failed(cli, rc);
}

static void print_section(struct cli *cli, const struct ww_value *list, const struct column *columns,
                          size_t n)
{
    struct items items = {0};
    items_add_list(&cli->arena, &items, list);
    if (items.n)
        out_table(cli, &items, columns, n, 0);
}

static void print_head(struct cli *cli, const struct ww_value *s)
{
    struct arena *a = &cli->arena;
    const struct ww_value *ready = ww_get(s, "ready"), *free_ppm = value_at(s, "disk.free_ppm");
    bool is_ready =
        ww_type(ready) == WW_BOOL && strcmp(value_text(a, s, &(struct column){.path = "ready"}), "true") == 0;
    printf("wagewarnd %s  %s  %s %s", text_safe(a, ww_str(ww_get(s, "version"), "?")),
           is_ready ? tr("ready", "就绪") : tr("not ready", "未就绪"), tr("up", "已运行"),
           text_span(a, ww_int(ww_get(s, "uptime_ms"), 0)));
    printf("   %s %s", tr("journal", "日志"), text_count(a, ww_uint(value_at(s, "journal.last"), 0)));
    if (ww_get(s, "enterprises"))
        printf("   %s %s", tr("enterprises", "企业"), text_count(a, ww_uint(ww_get(s, "enterprises"), 0)));
    if (free_ppm)
        printf(tr("   disk %d %% free", "   磁盘剩余 %d %%"), (int)(ww_int(free_ppm, 0) / 10000));
    printf("\n");
}

static void print_sentences(struct cli *cli, const char *head, const struct ww_value *list)
{
    if (ww_length(list) == 0)
        return;
    printf("%s\n", head);
    for (size_t i = 0; i < ww_length(list); i++)
        printf("  %s\n", text_safe(&cli->arena, ww_str(ww_at(list, i), "")));
}

/* Where some alerts have a parent: how many are left when each parent counts once. */
static void print_rolled_up(struct cli *cli, const struct ww_value *s)
{
    const struct ww_value *levels = ww_get(s, "alerts");
    uint64_t open = 0, rolled_up = ww_uint(ww_get(s, "open_alerts_rolled_up"), UINT64_MAX);
    for (size_t i = 0; i < ww_length(levels); i++)
        open += ww_uint(ww_get(ww_at(levels, i), "open"), 0);
    if (rolled_up < open)
        printf(tr("  rolled up: %s (wagewarn alerts --rollup)\n", "  归并后：%s（wagewarn alerts --rollup）\n"),
               text_count(&cli->arena, rolled_up));
}

int cmd_status(struct cli *cli)
{
    const struct ww_value *s;
    int status = ask(cli, "status", &s);
    if (status != 0 || out_document(cli, s))
        return status;
    print_head(cli, s);
    print_section(cli, ww_get(s, "alerts"), level_columns, ARRAY_LEN(level_columns));
    print_rolled_up(cli, s);
    print_section(cli, ww_get(s, "feeds"), feed_columns, ARRAY_LEN(feed_columns));
    print_section(cli, ww_get(s, "subscribers"), subscriber_columns, ARRAY_LEN(subscriber_columns));
    print_sentences(cli, tr("problems:", "问题："), ww_get(s, "problems"));
    print_sentences(cli, tr("advice:", "提示："), ww_get(s, "advice"));
    return 0;
}

static int ask_list(struct cli *cli, const char *what, const struct column *columns, size_t n)
{
    const struct ww_value *result;
    struct items items = {0};
    int status = ask(cli, what, &result);
    if (status != 0)
        return status;
    items_add_list(&cli->arena, &items, ww_get(result, what));
    out_list(cli, result, what, &items, columns, n);
    return 0;
}

int cmd_kinds(struct cli *cli)
{
    return ask_list(cli, "kinds", kind_columns, ARRAY_LEN(kind_columns));
}

int cmd_feeds(struct cli *cli)
{
    return ask_list(cli, "feeds", feed_columns, ARRAY_LEN(feed_columns));
}
