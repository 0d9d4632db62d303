/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the words for how an alert is worked. */
#include "cli/handling_words.h"

#include "cli/output.h"
#include "cli/text.h"
#include "lib/val.h"

#include <stdio.h>

static const struct {
    const char *wire, *en, *zh;
} words[] = {
    {"accept", "to be accepted", "受理"},   {"verify", "to be verified", "核实"}, {"close", "to be struck off", "销号"},
    {"seen", "seen", "第一时间查看"},       {"registered", "registered", "第一时间登记"},
    {"forwarded", "forwarded", "第一时间转办"}, {"verified", "verified", "第一时间核实"},
    {"open", "open", "执行中"},             {"answered", "answered", "已落实"},   {"silent", "ran out unanswered", "到期未落实"},
    {"ended", "ended", "已终结"},
};

static const char *word(const char *wire)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].wire, wire) == 0)
            return tr(words[i].en, words[i].zh);
    return wire;
}

static const struct column measure_columns[] = {
    {"zh", "en", "MEASURE", "措施", COLUMN_NAME},
    {"ref", NULL, "REF", "文号", COLUMN_TEXT},
    {"at", NULL, "TAKEN", "采取", COLUMN_TIME},
    {"due", NULL, "DUE", "期限", COLUMN_WHEN},
    {"people", NULL, "PEOPLE", "人数", COLUMN_NUMBER},
    {"amount", NULL, "YUAN", "金额(元)", COLUMN_MONEY},
    {"lasts_until", NULL, "LASTS UNTIL", "有效至", COLUMN_TIME},
    {"may_end_from", NULL, "MAY END FROM", "可提前终结", COLUMN_TIME},
    {"recovered", NULL, "RECOVERED", "已追回(元)", COLUMN_MONEY},
    {"to_recover", NULL, "TO RECOVER", "待追偿(元)", COLUMN_MONEY},
};

static void line(struct cli *cli, const char *name, const char *value)
{
    if (*value && strcmp(value, "-") != 0)
        printf("  %s%s  %s\n", name, tr(":", "："), text_safe(&cli->arena, value));
}

static int64_t at(const struct ww_value *h, const char *key)
{
    return ww_int(ww_get(h, key), NO_INT);
}

/* "to be verified: tomorrow 24:00", "to be accepted: overdue since today 10:20 (3h)". */
static void print_due(struct cli *cli, const struct ww_value *v, const struct ww_value *h)
{
    struct arena *a = &cli->arena;
    const char *step = ww_str(ww_get(h, "due_step"), "");
    const struct ww_value *late = ww_get(v, "overdue");
    int64_t due = at(h, "due");
    const char *what = *step ? word(step) : tr("due", "期限");
    if (due == NO_INT)
        return;
    if (ww_type(late) == WW_BOOL && late->b)
        line(cli, what, arena_printf(a, tr("overdue since %s (%s)", "自 %s 起逾期（%s）"), text_when(a, due),
                                     text_span(a, text_now() - due)));
    else
        line(cli, what, text_when(a, due));
}

static void print_first_steps(struct cli *cli, const struct ww_value *list)
{
    struct arena *a = &cli->arena;
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *s = ww_at(list, i), *in_time = ww_get(s, "in_time");
        int64_t done = at(s, "at"), due = at(s, "due");
        const char *verdict = ww_type(in_time) != WW_BOOL ? "" : in_time->b ? tr("  in time", "  按时") : tr("  late", "  超时");
        if (done != NO_INT)
            line(cli, word(ww_str(ww_get(s, "step"), "")), arena_printf(a, "%s%s", text_time(a, done), verdict));
        else if (due != NO_INT)
            line(cli, word(ww_str(ww_get(s, "step"), "")),
                 arena_printf(a, tr("not yet, by %s%s", "尚未，应于 %s 前%s"), text_when(a, due), verdict));
    }
}

static void print_measures(struct cli *cli, const struct ww_value *list)
{
    struct items items = {0};
    for (size_t i = 0; i < ww_length(list); i++)
        items_add(&cli->arena, &items, ww_at(list, i));
    if (!items.n)
        return;
    printf("\n%s%s%s\n", out_bold(cli), tr("Measures", "处置措施"), out_plain(cli));
    out_table(cli, &items, measure_columns, ARRAY_LEN(measure_columns), 2);
    for (size_t i = 0; i < items.n; i++) {
        const char *state = ww_str(ww_get(items.list[i], "state"), "");
        if (strcmp(state, "open") != 0)
            printf("  %s%s  %s\n", value_text(&cli->arena, items.list[i], &measure_columns[0]), tr(":", "："), word(state));
    }
}

void handling_print(struct cli *cli, const struct ww_value *v)
{
    struct arena *a = &cli->arena;
    const struct ww_value *h = ww_get(v, "handling"), *flag = ww_get(h, "unattended");
    if (ww_type(h) != WW_MAP)
        return;
    printf("\n%s%s%s\n", out_bold(cli), tr("Handling", "办理"), out_plain(cli));
    print_due(cli, v, h);
    line(cli, tr("tier", "层级"), value_text(a, h, &(struct column){.path = "tier.zh", .en_path = "tier.en", .kind = COLUMN_TEXT}));
    if (ww_type(flag) == WW_BOOL && flag->b)
        line(cli, tr("unattended", "无人受理"), tr("nobody has looked at it in time", "无人按时查看"));
    if (ww_uint(ww_get(h, "extended"), 0))
        line(cli, tr("extended", "延期"), tr("once", "已延期一次"));
    line(cli, tr("held until", "中止计时至"), text_when(a, at(h, "held_until")));
    line(cli, tr("put off until", "暂缓至"), text_when(a, at(h, "snoozed_until")));
    line(cli, tr("to be called back", "回访"), text_when(a, at(h, "follow_up_at")));
    print_first_steps(cli, ww_get(h, "first_steps"));
    line(cli, tr("possible now", "现在可以"), value_text(a, v, &(struct column){.path = "possible", .kind = COLUMN_LIST}));
    print_measures(cli, ww_get(h, "measures"));
}
