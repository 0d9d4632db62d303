/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn enterprise show: all that is known of one enterprise. */
#include "cli/output.h"
#include "cli/text.h"
#include "lib/uscc.h"
#include "lib/val.h"

#include <inttypes.h>
#include <stdio.h>

static const struct column signal_columns[] = {
    {"seq", NULL, "SEQ", "序号", COLUMN_NUMBER},
    {"at", NULL, "AT", "时间", COLUMN_TIME},
    {"kind", NULL, "KIND", "种类", COLUMN_TEXT},
    {"source", NULL, "SOURCE", "来源", COLUMN_TEXT},
    {"share", NULL, "SHARE", "占比", COLUMN_SHARE},
    {"amount", NULL, "YUAN", "金额(元)", COLUMN_MONEY},
    {"people", NULL, "PEOPLE", "人数", COLUMN_NUMBER},
    {"region", NULL, "REGION", "区划", COLUMN_TEXT},
    {"id", NULL, "ID", "编号", COLUMN_TEXT},
    {"cleared", NULL, "cleared", "已解除", COLUMN_FLAG},
    {"cancelled", NULL, "cancelled", "已撤销", COLUMN_FLAG},
};

/* A code, if it has the form of one: then a wrong check character is said, not taken for a name. */
static bool looks_like_code(const char *s)
{
    return strlen(s) == USCC_LEN &&
           strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == USCC_LEN;
}

static void print_pair(const char *name, const char *value)
{
    if (*value && strcmp(value, "-") != 0)
        printf("  %s%s  %s\n", name, tr(":", "："), value);
}

static void print_tags(struct cli *cli, const struct ww_value *tags)
{
    struct arena *a = &cli->arena;
    const char *text = "";
    for (size_t i = 0; i < ww_length(tags); i++) {
        const struct ww_value *tag = ww_at(tags, i);
        int64_t until = ww_int(ww_get(tag, "until"), NO_INT);
        text = arena_printf(a, "%s%s%s%s%s", text, i ? ", " : "", text_safe(a, ww_str(ww_get(tag, "name"), "?")),
                            until == NO_INT ? "" : tr(" until ", " 至 "), until == NO_INT ? "" : text_time(a, until));
    }
    print_pair(tr("tags", "标签"), text);
}

/* What its register says. */
static void print_profile(struct cli *cli, const struct ww_value *p)
{
    static const struct column texts[] = {
        {"headcount", NULL, "headcount", "职工人数", COLUMN_THOUSANDS},
        {"payroll", NULL, "payroll a month (yuan)", "月工资总额(元)", COLUMN_MONEY},
        {"parent.name", NULL, "parent", "上级单位", COLUMN_TEXT},
        {"parent.uscc", NULL, "code of the parent", "上级单位代码", COLUMN_TEXT},
        {"former_name", NULL, "former name", "曾用名", COLUMN_TEXT},
        {"status", NULL, "status", "经营状态", COLUMN_TEXT},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        print_pair(tr(texts[i].en, texts[i].zh), value_text(&cli->arena, p, &texts[i]));
    print_tags(cli, ww_get(p, "tags"));
}

static void print_profile_history(struct cli *cli, const struct ww_value *list)
{
    static const struct column columns[] = {
        {"at", NULL, "AT", "时间", COLUMN_TIME},
        {"attrs.credit", NULL, "CREDIT", "诚信等级", COLUMN_TEXT},
        {"attrs.headcount", NULL, "HEADCOUNT", "职工人数", COLUMN_THOUSANDS},
        {"attrs.payroll", NULL, "PAYROLL", "月工资总额(元)", COLUMN_MONEY},
        {"region", NULL, "REGION", "区划", COLUMN_TEXT},
        {"attrs.status", NULL, "STATUS", "经营状态", COLUMN_TEXT},
        {"cancelled", NULL, "cancelled", "已撤销", COLUMN_FLAG},
    };
    struct items items = {0};
    items_add_list(&cli->arena, &items, list);
    if (items.n < 2) /* one is what the profile says already */
        return;
    printf("\n%s%s%s\n", out_bold(cli), tr("Profile, as it was told", "信息变更"), out_plain(cli));
    out_table(cli, &items, columns, ARRAY_LEN(columns), 2);
}

static void print_enterprise(struct cli *cli, const struct ww_value *e)
{
    static const struct column places = {.path = "places", .kind = COLUMN_LIST};
    static const struct column texts[] = {
        {"uscc", NULL, "code", "代码", COLUMN_TEXT},
        {"region", NULL, "region", "区划", COLUMN_TEXT},
        {"industry", NULL, "industry", "行业", COLUMN_TEXT},
        {"credit", NULL, "credit grade", "诚信等级", COLUMN_TEXT},
    };
    struct arena *a = &cli->arena;
    const char *level = ww_str(ww_get(e, "level"), "none");
    uint64_t alert = ww_uint(ww_get(e, "alert"), 0);
    printf("%s%s%s  %s%s%s  %s", out_bold(cli), text_safe(a, ww_str(ww_get(e, "name"), "-")), out_plain(cli),
           out_level_color(cli, level), text_safe(a, text_level(level)), out_plain(cli),
           text_score(a, ww_int(ww_get(e, "score"), -1)));
    if (alert)
        printf(tr("  alert #%" PRIu64, "  预警 #%" PRIu64), alert);
    printf("\n");
    const struct ww_value *unresolved = ww_get(e, "unresolved");
    if (ww_type(unresolved) == WW_BOOL && unresolved->b)
        printf("  %s\n",
               tr("Known by its name alone: several codes bear this name, and what is gathered here "
                  "belongs to none of them yet; ask by code for one of them.",
                  "仅有名称：多个统一社会信用代码使用该名称，以下信号尚未归入其中任何一个；"
                  "请按代码查询。"));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        print_pair(tr(texts[i].en, texts[i].zh), value_text(a, e, &texts[i]));
    print_pair(tr("places", "涉及地"), value_text(a, e, &places));
    print_profile(cli, ww_get(e, "profile"));
}

static void print_signals(struct cli *cli, const struct ww_value *e)
{
    struct items items = {0};
    const struct ww_value *list = ww_get(e, "signals");
    uint64_t total = ww_uint(ww_get(e, "signals_total"), ww_length(list));
    items_add_list(&cli->arena, &items, list);
    if (!items.n)
        return;
    printf("\n%s%s%s\n", out_bold(cli), tr("Signals", "信号"), out_plain(cli));
    out_table(cli, &items, signal_columns, ARRAY_LEN(signal_columns), 2);
    if (total > items.n)
        printf(tr("  %zu of %" PRIu64 "\n", "  显示 %zu / %" PRIu64 " 条\n"), items.n, total);
}

int cmd_enterprise_show(struct cli *cli)
{
    struct ww_param params[2] = {{.text = cli->args[0]}, {.key = "status", .text = cli->values[O_STATUS]}};
    const struct ww_value *result;
    char code[128]; /* a code in full width has 54 bytes */
    params[0].key = "name";
    uscc_tidy(slice_of(cli->args[0]), code, sizeof code);
    if (looks_like_code(code)) {
        const char *wrong = uscc_fault(slice_of(code));
        if (wrong) {
            cli_say(tr("\"%s\" is no code of an enterprise: %s", "“%s”不是统一社会信用代码：%s"), code,
                    wrong);
            return err_exit_status(WW_EUSAGE);
        }
        params[0] = (struct ww_param){.key = "uscc", .text = code};
    }
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_query(cli->client, "enterprise", params, cli->values[O_STATUS] ? 2 : 1, &result);
    if (rc != 0)
        return cli_failed(cli, rc);
    if (out_document(cli, result))
        return 0;
    const struct ww_value *e = ww_get(result, "enterprise");
    print_enterprise(cli, e);
    print_profile_history(cli, ww_get(e, "profile_history"));
    print_signals(cli, e);
    return 0;
}
