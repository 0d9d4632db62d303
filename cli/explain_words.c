/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain_words.h"

#include "cli/output.h"
#include "cli/text.h"
#include "lib/val.h"
#include "lib/words.h"

#include <inttypes.h>
#include <stdio.h>

enum { SIGNALS_SHOWN = 5, KINDS_SHOWN = 4 };

static const struct column title = {.path = "title", .en_path = "title_en", .kind = COLUMN_TEXT};

static const char *str(struct cli *cli, const struct ww_value *v, const char *key)
{
    return text_safe(&cli->arena, ww_str(ww_get(v, key), ""));
}

static bool is_true(const struct ww_value *v, const char *key)
{
    const struct ww_value *flag = ww_get(v, key);
    return flag && flag->type == WW_BOOL && flag->b;
}

static int64_t num(const struct ww_value *v, const char *key)
{
    return ww_int(ww_get(v, key), NO_INT);
}

static const char *level(struct cli *cli, const char *wire)
{
    const char *word = strcmp(wire, "none") == 0 ? tr("none", "无") : text_level(wire);
    return arena_printf(&cli->arena, "%s%s%s", out_level_color(cli, wire), text_safe(&cli->arena, word), out_plain(cli));
}

static void head(struct cli *cli, const char *words)
{
    printf("\n%s%s%s\n", out_bold(cli), words, out_plain(cli));
}

/* "court.seizure, tax.arrears" of a list of texts. */
static const char *joined(struct cli *cli, const struct ww_value *list, size_t most, uint64_t total)
{
    struct arena *a = &cli->arena;
    const char *all = "";
    size_t n = ww_length(list);
    for (size_t i = 0; i < n && i < most; i++)
        all = arena_printf(a, "%s%s%s", all, i ? ", " : "", text_safe(a, ww_str(ww_at(list, i), "")));
    total = total > n ? total : n;
    return total > most ? arena_printf(a, tr("%s and %" PRIu64 " more", "%s 等（另 %" PRIu64 " 个）"), all, total - most) : all;
}

/* ---- why ---- */

static const char *kinds_words(struct cli *cli, const struct ww_value *c)
{
    const struct ww_value *kinds = ww_get(c, "kinds");
    if (ww_type(kinds) == WW_STR)
        return tr("any kind", "任何种类");
    const struct ww_value *titles = ww_get(c, "titles");
    if (tr("", "zh")[0] && ww_length(titles) == ww_length(kinds))
        kinds = titles;
    const char *all = joined(cli, kinds, KINDS_SHOWN, ww_uint(ww_get(c, "kinds_total"), 0)), *name = str(cli, c, "selector");
    return *name ? arena_printf(&cli->arena, tr("%s (%s)", "%s（%s）"), name, all) : all;
}

static const char *const op_words[][3] = {
    {"all", "all of", "全部满足"},          {"any", "any of", "任一满足"},
    {"not", "not", "非"},                   {"signal", "a signal of", "有信息"},
    {"count", "count of", "条数"},          {"agencies", "agencies that report", "报告部门数"},
    {"regions", "places that it concerns", "涉及地区数"},
    {"sum", "sum of", "合计"},              {"sequence", "one after the other:", "先后发生"},
    {"absent", "awaited and not come:", "应到未到"}, {"enterprise", "the enterprise is of", "企业属于"},
    {"season", "season", "时节"},           {"finding", "finding", "核实结果"},
    {"score", "the score", "综合评分"},     {"related", "a related enterprise:", "关联企业"},
    {"step", "step:", "步骤"},            {"threshold", "line of the law:", "法定标准"}, {"area", "several in one area:", "同一区域或行业多家"},
};

static const char *op_word(struct cli *cli, const char *op)
{
    for (size_t i = 0; i < ARRAY_LEN(op_words); i++)
        if (strcmp(op_words[i][0], op) == 0)
            return tr(op_words[i][1], op_words[i][2]);
    return text_safe(&cli->arena, op);
}

static const char *least_words(struct cli *cli, const struct ww_value *c)
{
    struct arena *a = &cli->arena;
    int64_t least = num(c, "at_least");
    if (least == NO_INT)
        return "";
    bool money = strcmp(str(cli, c, "op"), "sum") == 0 && strcmp(str(cli, c, "text"), "amount") == 0;
    const char *figure = money ? arena_printf(a, tr("%s yuan", "%s 元"), text_money(a, least))
                               : arena_printf(a, "%" PRId64, least);
    int64_t found = num(c, "found");
    if (found == NO_INT)
        return arena_printf(a, tr(", at least %s", "，不少于 %s"), figure);
    return arena_printf(a, tr(", %s of at least %s", "，现有 %s，不少于 %s"),
                        money ? text_money(a, found) : arena_printf(a, "%" PRId64, found), figure);
}

static void print_signals(struct cli *cli, const struct ww_value *c, int indent)
{
    struct arena *a = &cli->arena;
    const struct ww_value *list = ww_get(c, "signals");
    for (size_t i = 0; i < ww_length(list) && i < SIGNALS_SHOWN; i++) {
        const struct ww_value *s = ww_at(list, i);
        printf("%*s%s  %s  %s  %s\n", indent, "", text_time(a, num(s, "at")), str(cli, s, tr("kind", "title")), str(cli, s, "source"),
               str(cli, s, "id"));
    }
    uint64_t total = ww_uint(ww_get(c, "signals_total"), 0);
    if (total > SIGNALS_SHOWN && ww_length(list))
        printf(tr("%*s... %" PRIu64 " in all\n", "%*s…… 共 %" PRIu64 " 条\n"), indent, "", total);
}

/* What a condition asks beside kinds: findings and fields in the reader's words. */
static const char *text_word(struct cli *cli, const char *op, const char *text)
{
    static const char *const words[][3] = {
        {"finding", "confirmed", "属实"}, {"finding", "unfounded", "不属实"}, {"finding", "false_claim", "虚假讨薪"},
        {"sum", "people", "人数"},        {"sum", "amount", "金额"},          {"threshold", "crime", "移送公安标准"},
        {"threshold", "listing", "列入失信名单标准"},
    };
    (void)cli;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i][0], op) == 0 && strcmp(words[i][1], text) == 0)
            return tr(words[i][1], words[i][2]);
    return text;
}

static void print_condition(struct cli *cli, const struct ww_value *c)
{
    struct arena *a = &cli->arena;
    int indent = 4 + 2 * (int)num(c, "depth");
    const char *kinds = kinds_words(cli, c), *text = str(cli, c, "text"), *other = str(cli, c, "other");
    int64_t within = num(c, "within");
    printf("%*s%s %s", indent, "", is_true(c, "holds") ? "✓" : "✗", op_word(cli, str(cli, c, "op")));
    if (*kinds)
        printf(" %s", kinds);
    if (*text)
        printf(" %s", text_word(cli, str(cli, c, "op"), text));
    printf("%s", least_words(cli, c));
    if (within != NO_INT)
        printf(tr(", within %s", "，%s内"), text_span(a, within));
    if (*other)
        printf(" (%s: %s)", str(cli, c, "link"), other);
    else if (is_true(c, "hidden"))
        printf(" (%s: %s)", str(cli, c, "link"), tr("one outside your regions", "辖区外企业"));
    printf("\n");
    if (strcmp(str(cli, c, "op"), "sequence") != 0) /* its steps show theirs */
        print_signals(cli, c, indent + 4);
}

static void print_rule(struct cli *cli, const struct ww_value *r)
{
    const char *silencer = str(cli, r, "suppressed_by"), *wire = ww_str(ww_get(r, "level"), "none");
    printf("  %s  %s  [%s]", level(cli, wire), value_text(&cli->arena, r, &title), str(cli, r, "rule"));
    if (*silencer)
        printf(tr("  silenced by %s", "  被 %s 静默"), silencer);
    if (ww_get(r, "at_most"))
        printf(tr("  at most %s%s", "  最高 %s%s"), level(cli, str(cli, r, "at_most")),
               is_true(r, "binds") ? tr(": this keeps the level down", "：等级因此受限") : "");
    printf("\n");
    const struct ww_value *conditions = ww_get(r, "conditions");
    for (size_t i = 0; i < ww_length(conditions); i++)
        print_condition(cli, ww_at(conditions, i));
}

static void print_why(struct cli *cli, const struct ww_value *x)
{
    const struct ww_value *rules = ww_get(x, "rules");
    head(cli, tr("Why", "原因"));
    if (is_true(x, "unresolved"))
        printf("  %s\n", tr("several codes bear this name: its signals wait for a person to say whose they are",
                            "多家企业同名：其信息待人工认定归属"));
    else if (!ww_length(rules))
        printf("  %s\n", tr("no rule holds", "没有规则成立"));
    for (size_t i = 0; i < ww_length(rules); i++)
        print_rule(cli, ww_at(rules, i));
}

/* ---- shares, factors ---- */

static const struct column share_columns[] = {
    {"share", NULL, "SHARE", "占比", COLUMN_SHARE},
    {"title", "kind", "KIND", "种类", COLUMN_TEXT},
    {"source", NULL, "SOURCE", "来源", COLUMN_TEXT},
    {"at", NULL, "AT", "时间", COLUMN_TIME},
    {"weight", NULL, "WEIGHT", "权重", COLUMN_WEIGHT},
    {"age", NULL, "AGE", "距今", COLUMN_SPAN},
    {"half_life_days", NULL, "HALF-LIFE (d)", "半衰期(天)", COLUMN_DAYS},
    {"decay", NULL, "LEFT", "剩余", COLUMN_SHARE},
    {"rank", NULL, "REPEAT", "重复", COLUMN_NUMBER},
    {"counted", NULL, "COUNTED", "计入", COLUMN_SHARE},
    {"from", NULL, "FROM", "来自", COLUMN_NAME},
    {"id", NULL, "ID", "编号", COLUMN_NAME},
};

static const struct column member_columns[] = {
    {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},
    {"uscc", NULL, "CODE", "代码", COLUMN_TEXT},
    {"name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
};

static void print_table(struct cli *cli, const char *words, const struct ww_value *list, const struct column *c, size_t n)
{
    struct items items = {0};
    items_add_list(&cli->arena, &items, list);
    if (!items.n)
        return;
    head(cli, words);
    out_table(cli, &items, c, n, 2);
}

static void print_factors(struct cli *cli, const struct ww_value *p)
{
    static const char *const names[][3] = {
        {"industry", "industry", "行业"}, {"credit", "credit grade", "信用等级"}, {"season", "season", "时节"}};
    const struct ww_value *list = ww_get(p, "factors");
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *f = ww_at(list, i);
        for (size_t k = 0; k < ARRAY_LEN(names); k++)
            if (strcmp(names[k][0], str(cli, f, "what")) == 0)
                printf("  %s %s  x %.2f\n", tr(names[k][1], names[k][2]), str(cli, f, "key"),
                       (double)num(f, "factor") / 1e6);
    }
    if (!ww_length(list))
        printf("  %s\n", tr("no factor is in force", "没有系数生效"));
}

static void print_score(struct cli *cli, const struct ww_value *x)
{
    struct arena *a = &cli->arena;
    const struct ww_value *p = ww_get(x, "score_parts");
    const char *largest = str(cli, p, "largest_agency");
    head(cli, tr("Factors and caps", "系数与上限"));
    print_factors(cli, p);
    if (*largest)
        printf(tr("  the agencies other than %s come to %s\n", "  %s 以外各部门合计 %s 分\n"), largest,
               text_score(a, num(p, "others")));
    if (is_true(p, "one_agency_cap_binds"))
        printf(tr("  one agency alone is at most %s: without that the score would be %s\n",
                  "  单一部门最高 %s：否则按评分应为 %s\n"),
               level(cli, str(cli, p, "level")), level(cli, str(cli, p, "level_without_cap")));
    if (is_true(p, "held_by_hysteresis"))
        printf(tr("  %s is held by hysteresis: reached anew it would be %s\n",
                  "  %s 因回差而保持：若重新评定为 %s\n"),
               level(cli, str(cli, p, "level")), level(cli, str(cli, p, "fresh_level")));
}

/* ---- what would change it ---- */

static bool rises(const char *from, const char *to)
{
    return level_of(slice_of(to)) > level_of(slice_of(from));
}

static void print_clock(struct cli *cli, const struct ww_value *x)
{
    struct arena *a = &cli->arena;
    const struct ww_value *list = ww_get(x, "clock");
    const char *now = ww_str(ww_get(x, "level"), "none");
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *s = ww_at(list, i), *ends = ww_get(s, "ends"), *begins = ww_get(s, "begins");
        const char *to = ww_str(ww_get(s, "level"), "none");
        if (strcmp(to, "none") == 0)
            printf(tr("  ends on %s if nothing new comes", "  若无新信息，%s 解除"), text_time(a, num(s, "at")));
        else if (rises(now, to))
            printf(tr("  rises to %s on %s if nothing new comes", "  若无新信息，升为 %s：%s"), level(cli, to),
                   text_time(a, num(s, "at")));
        else
            printf(tr("  falls to %s on %s if nothing new comes", "  若无新信息，降为 %s：%s"), level(cli, to),
                   text_time(a, num(s, "at")));
        if (ww_length(ends))
            printf(tr(" (no longer holds: %s)", "（不再成立：%s）"), joined(cli, ends, KINDS_SHOWN, 0));
        if (ww_length(begins))
            printf(tr(" (then holds: %s)", "（开始成立：%s）"), joined(cli, begins, KINDS_SHOWN, 0));
        printf("\n");
        now = to;
    }
    if (!ww_length(list))
        printf("  %s\n", is_true(x, "clock_cut") ? tr("the clock alone changes nothing for a long time", "仅随时间推移，长期内不变")
                                                  : tr("the clock alone changes nothing", "仅随时间推移不会改变"));
}

static void print_clearings(struct cli *cli, const struct ww_value *x)
{
    const struct ww_value *list = ww_get(x, "clearings");
    const char *now = ww_str(ww_get(x, "level"), "none");
    size_t same = 0;
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *c = ww_at(list, i);
        const char *to = ww_str(ww_get(c, "level"), "none");
        if (strcmp(to, now) == 0) {
            same++;
            continue;
        }
        if (strcmp(to, "none") == 0)
            printf(tr("  would clear if %s came: %s\n", "  若收到 %s（%s）即解除\n"), str(cli, c, "kind"),
                   value_text(&cli->arena, c, &title));
        else
            printf(tr("  would be %s if %s came: %s\n", "  变为 %s，若收到 %s（%s）\n"), level(cli, to), str(cli, c, "kind"),
                   value_text(&cli->arena, c, &title));
    }
    if (same && same == ww_length(list))
        printf("  %s\n", tr("no single release or settlement changes the level", "任何单项解除或结清都不改变等级"));
}

/* The first few agencies whose lightest (or heaviest) kind alone would make it `to`. */
static const char *who_makes(struct cli *cli, const struct ww_value *agencies, const char *which, const char *to)
{
    struct arena *a = &cli->arena;
    const char *all = "";
    size_t n = 0;
    for (size_t i = 0; i < ww_length(agencies); i++) {
        const struct ww_value *t = ww_get(ww_at(agencies, i), which);
        if (strcmp(ww_str(ww_get(t, "level"), ""), to) == 0 && n++ < KINDS_SHOWN)
            all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", str(cli, t, "kind"));
    }
    return n > KINDS_SHOWN ? arena_printf(a, tr("%s and %zu more", "%s 等（另 %zu 个）"), all, n - KINDS_SHOWN) : all;
}

static void print_one_more(struct cli *cli, const struct ww_value *x)
{
    const struct ww_value *o = ww_get(x, "one_more_agency"), *agencies = ww_get(o, "agencies");
    const char *now = ww_str(ww_get(x, "level"), "none"), *least = ww_str(ww_get(o, "at_least"), "none"),
               *most = ww_str(ww_get(o, "at_most"), "none");
    if (!ww_length(agencies))
        return;
    if (level_of(slice_of(least)) > level_of(slice_of(now)))
        printf(tr("  one more agency, whichever, makes it %s\n", "  再有任一部门预警即为 %s\n"), level(cli, least));
    if (level_of(slice_of(most)) > level_of(slice_of(least)) || strcmp(most, now) == 0)
        printf(strcmp(most, now) == 0 ? tr("  no one signal of one more agency raises it\n", "  再有一个部门的任何一条信息都不会升级\n")
                                      : tr("  one more agency can make it %s: %s\n", "  再有一个部门可使之为 %s：%s\n"),
               level(cli, most), who_makes(cli, agencies, "heaviest", most));
}

static void print_no_without(struct cli *cli, bool of_area)
{
    head(cli, arena_printf(&cli->arena, tr("Without %s", "去掉 %s"), text_safe(&cli->arena, cli->values[O_WITHOUT])));
    printf("  %s\n", of_area ? tr("an area has no signals of its own; 'wagewarn explain' of its members says what each would be",
                                 "区域没有自己的信息；对其成员企业使用 'wagewarn explain' 查看")
                            : tr("a name that several codes bear is not judged", "对应多个代码的名称不作研判"));
}

static void print_without(struct cli *cli, const struct ww_value *w, bool of_area)
{
    struct arena *a = &cli->arena;
    if (ww_type(w) != WW_MAP) {
        if (cli->values[O_WITHOUT])
            print_no_without(cli, of_area);
        return;
    }
    head(cli, arena_printf(a, tr("Without %s", "去掉 %s"), str(cli, w, "agency")));
    printf(tr("  %s, score %s; %" PRIu64 " signals taken out\n", "  %s，评分 %s；去掉 %" PRIu64 " 条\n"),
           level(cli, ww_str(ww_get(w, "level"), "none")), text_score(a, num(w, "score")),
           ww_uint(ww_get(w, "signals"), 0));
    if (ww_length(ww_get(w, "lost")))
        printf(tr("  no longer holds: %s\n", "  不再成立：%s\n"), joined(cli, ww_get(w, "lost"), KINDS_SHOWN, 0));
    if (ww_length(ww_get(w, "gained")))
        printf(tr("  holds then: %s\n", "  转而成立：%s\n"), joined(cli, ww_get(w, "gained"), KINDS_SHOWN, 0));
}

static void print_silent(struct cli *cli, const struct ww_value *list)
{
    struct arena *a = &cli->arena;
    if (!ww_length(list))
        return;
    head(cli, tr("What silence may hide", "未报部门"));
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *s = ww_at(list, i);
        int64_t since = num(s, "since");
        if (since == NO_INT)
            printf(tr("  %s has never reported\n", "  %s 从未报送\n"), str(cli, s, "agency"));
        else
            printf(tr("  %s has not reported since %s\n", "  %s 自 %s 起未再报送\n"), str(cli, s, "agency"),
                   text_time(a, since));
    }
}

/* ---- all ---- */

static void print_head(struct cli *cli, const struct ww_value *x)
{
    struct arena *a = &cli->arena;
    const struct ww_value *who = ww_get(x, "enterprise");
    uint64_t alert = ww_uint(ww_get(x, "alert"), 0);
    printf("%s%s%s %s  %s  %s", out_bold(cli), str(cli, who, "name"), out_plain(cli), str(cli, who, "uscc"),
           level(cli, ww_str(ww_get(x, "level"), "none")), text_score(a, num(x, "score")));
    if (alert)
        printf("  #%" PRIu64, alert);
    printf(tr("\n  as of %s\n", "\n  截至 %s\n"), text_clock(a, num(x, "at")));
}

void explain_words(struct cli *cli, const struct ww_value *x)
{
    print_head(cli, x);
    print_why(cli, x);
    print_table(cli, tr("Members", "成员"), ww_get(x, "members"), member_columns, ARRAY_LEN(member_columns));
    print_table(cli, tr("Shares", "占比"), ww_get(x, "shares"), share_columns, ARRAY_LEN(share_columns));
    print_score(cli, x);
    head(cli, tr("What would change it", "何种变化会改变等级"));
    print_clock(cli, x);
    print_clearings(cli, x);
    print_one_more(cli, x);
    print_without(cli, ww_get(x, "without"), ww_type(ww_get(x, "members")) == WW_LIST);
    print_silent(cli, ww_get(x, "silent"));
}
