/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn backtest: the words of its command line, and what it found as tables or one document. Folding and figures are
 * backtest's rooms. */
#include "cli/backtest.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_MOST = 20, LISTED_MOST = 1000, BAND_POINTS = 10, BANDS = 10 };

static const int64_t MILLION = 1000000;

static const char *const change_words[CHANGE_COUNT] = {"lost", "gained", "later", "earlier"};

/* ---- documents ---- */

/* ms to days, in millionths. */
static int64_t days(int64_t ms)
{
    return ms == NO_INT ? NO_INT : (int64_t)((__int128)ms * MILLION / DAY_MS);
}

static struct document *new_document(struct arena *a)
{
    return arena_zalloc(a, sizeof(struct document));
}

static void add(struct arena *a, struct document_list *list, const struct document *d)
{
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 16;
        struct ww_value *items = arena_alloc(a, cap * sizeof *items);
        if (list->n)
            memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->cap = cap;
    }
    list->items[list->n++] = document_value(d);
}

static struct document *lead_document(struct arena *a, const struct figures *f)
{
    struct document *d = new_document(a);
    struct document_list q = {.items = arena_alloc(a, 2 * sizeof *q.items), .n = 2};
    q.items[0] = document_of_decimal(days(figures_quartile(f, 1)));
    q.items[1] = document_of_decimal(days(figures_quartile(f, 3)));
    document_decimal(d, "median", days(figures_quartile(f, 2)));
    document_list(d, "quartiles", &q);
    return d;
}

/* Maps by level: alerts, confirmed, precision, recall, warned, late, lead_days. */
static void put_levels(struct document *to, const struct backtest *b, const struct figures_all *all)
{
    static const char *const keys[] = {"alerts", "precision", "recall", "lead_days", "confirmed", "warned", "late"};
    struct arena *a = &b->cli->arena;
    struct document *d[ARRAY_LEN(keys)];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        d[i] = new_document(a);
    for (unsigned level = LEVEL_GENERAL; level < LEVEL_COUNT; level++) {
        const struct figures *f = &all->level[level];
        const char *word = level_wire(level);
        document_int(d[0], word, (int64_t)f->alerts);
        document_decimal(d[1], word, figures_precision(f));
        document_decimal(d[2], word, figures_recall(f, b));
        document_map(d[3], word, lead_document(a, f));
        document_int(d[4], word, (int64_t)f->confirmed);
        document_int(d[5], word, (int64_t)f->warned);
        document_int(d[6], word, (int64_t)f->late);
    }
    for (size_t i = 0; i < (b->from == OUTCOMES_NONE ? 1 : ARRAY_LEN(keys)); i++)
        if (i != 3 || b->from == OUTCOMES_FILE)
            document_map(to, keys[i], d[i]);
}

static struct document *signals_document(const struct backtest *b)
{
    struct arena *a = &b->cli->arena;
    struct document *d = new_document(a), *rejected = new_document(a);
    document_int(d, "folded", (int64_t)b->signals);
    if (b->entries) {
        document_int(d, "entries", (int64_t)b->entries);
        document_int(d, "actions", (int64_t)b->actions);
        return d;
    }
    for (unsigned code = 1; code < TRACE_CODES; code++)
        if (b->trace.by_code[code])
            document_int(rejected, reject_wire(code), (int64_t)b->trace.by_code[code]);
    document_int(d, "lines", (int64_t)b->trace.lines);
    document_int(d, "accepted", (int64_t)b->trace.accepted);
    document_int(d, "duplicates", (int64_t)b->trace.duplicates);
    document_int(d, "not_json", (int64_t)b->trace.not_json);
    document_map(d, "rejected", rejected);
    return d;
}

static const char *title_of(const struct arena *a, const struct rule *rule)
{
    struct slice title = text_zh() ? rule->zh : rule->en;
    return arena_slice((struct arena *)(uintptr_t)a, title.n ? title : rule->id).p;
}

static struct document_list rules_list(const struct backtest *b, const struct figures_all *all)
{
    struct arena *a = &b->cli->arena;
    const struct fold *fold = &b->folds[0];
    struct document_list list = {0};
    for (uint32_t i = 0; i < all->n_rules; i++) {
        const struct rule *rule = &fold->tally.settings->rules[i];
        const struct figures *f = &all->rule[i];
        struct document *d = new_document(a);
        document_text(d, "id", arena_slice(a, rule->id).p);
        document_text(d, "title", title_of(a, rule));
        document_int(d, "alerts", (int64_t)(rule->area ? fold->tally.rule_areas[i] : f->alerts));
        if (b->from != OUTCOMES_NONE && !rule->area) {
            document_int(d, "confirmed", (int64_t)f->confirmed);
            document_decimal(d, "precision", figures_precision(f));
            document_decimal(d, "recall", figures_recall(f, b));
        }
        if (b->from == OUTCOMES_FILE && !rule->area)
            document_map(d, "lead_days", lead_document(a, f));
        document_bool(d, "of_areas", rule->area);
        document_bool(d, "never_fired", !fold->tally.fired[i]);
        add(a, &list, d);
    }
    return list;
}

static struct document_list calibration_list(const struct backtest *b, const struct figures_all *all)
{
    struct document_list list = {0};
    for (int i = 0; i < BANDS; i++) {
        const struct figures *f = &all->band[i];
        struct document *d = new_document(&b->cli->arena);
        document_int(d, "from", i * BAND_POINTS);
        document_int(d, "to", (i + 1) * BAND_POINTS);
        document_int(d, "alerts", (int64_t)f->alerts);
        if (b->from != OUTCOMES_NONE) {
            document_int(d, "confirmed", (int64_t)f->confirmed);
            document_decimal(d, "share", figures_precision(f));
        }
        add(&b->cli->arena, &list, d);
    }
    return list;
}

/* ---- the comparison as a document ---- */

static struct document *difference_document(struct arena *a, const struct difference *x)
{
    struct document *d = new_document(a), *who = new_document(a);
    document_text(who, "uscc", x->row->uscc);
    document_text(who, "name", x->row->name);
    document_map(d, "enterprise", who);
    document_text(d, "level", level_wire(x->level));
    document_text(d, "change", change_words[x->change]);
    if (x->old_at != NO_INT)
        document_int(d, "old_at", x->old_at);
    if (x->new_at != NO_INT)
        document_int(d, "new_at", x->new_at);
    if (x->old_at != NO_INT && x->new_at != NO_INT)
        document_decimal(d, "days_earlier", days(x->old_at - x->new_at));
    document_bool(d, "confirmed", x->row->outcome != NO_INT);
    return d;
}

static struct document *comparison_document(const struct backtest *b, const struct figures_all *old,
                                            const struct comparison *c)
{
    struct arena *a = &b->cli->arena;
    struct document *d = new_document(a), *was = new_document(a);
    struct document_list list = {0};
    document_text(was, "rules_file", b->folds[1].rules.path);
    put_levels(was, b, old);
    for (int level = LEVEL_GENERAL; level < LEVEL_COUNT; level++) {
        struct document *counts = new_document(a);
        for (int i = 0; i < CHANGE_COUNT; i++)
            document_int(counts, change_words[i], (int64_t)c->count[level][i]);
        document_int(counts, "same", (int64_t)c->same[level]);
        document_map(d, level_wire((unsigned)level), counts);
    }
    for (size_t i = 0; i < c->n && i < LISTED_MOST; i++)
        add(a, &list, difference_document(a, &c->list[i]));
    document_map(d, "old", was);
    document_int(d, "changes_total", (int64_t)c->n);
    document_list(d, "changes", &list);
    return d;
}

static void tell_document(struct backtest *b, const struct figures_all *all, const struct figures_all *old,
                          const struct comparison *c)
{
    struct document d = {0};
    struct document_list rules = rules_list(b, all), calibration = calibration_list(b, all);
    document_text(&d, "rules_file", b->folds[0].rules.path);
    put_levels(&d, b, all);
    if (b->from != OUTCOMES_NONE) {
        document_text(&d, "outcomes_from", b->from == OUTCOMES_FILE ? "file" : "actions");
        document_int(&d, "outcomes", (int64_t)b->outcomes);
    }
    if (b->from == OUTCOMES_FILE) {
        document_int(&d, "outcomes_unknown", (int64_t)b->unknown);
        document_int(&d, "outcomes_repeated", (int64_t)b->repeated);
        document_int(&d, "outcomes_unreadable", (int64_t)b->unreadable);
    }
    document_map(&d, "signals", signals_document(b));
    document_int(&d, "events", (int64_t)b->folds[0].tally.events);
    document_int(&d, "areas", (int64_t)b->folds[0].tally.areas);
    document_list(&d, "rules", &rules);
    document_list(&d, "calibration", &calibration);
    if (b->n_folds > 1)
        document_map(&d, "compare", comparison_document(b, old, c));
    struct ww_value v = document_value(&d);
    out_document(b->cli, &v);
}

/* ---- tables: documents of texts ---- */

static const char *share_text(struct arena *a, int64_t ppm)
{
    return ppm == NO_INT ? "-" : text_percent(a, ppm);
}

static const char *days_text(struct arena *a, int64_t ms)
{
    return ms == NO_INT ? "-" : arena_printf(a, "%.1f", (double)ms / (double)DAY_MS);
}

/* Of a rule about areas: how many alerts of areas; whether arrears follow is told of enterprises. */
static void put_area_figures(struct arena *a, struct document *d, uint64_t alerts)
{
    static const char *const unknown[] = {"confirmed", "precision", "recall", "late", "q1", "median", "q3"};
    document_text(d, "alerts", text_count(a, alerts));
    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        document_text(d, unknown[i], "-");
}

static void put_figures(struct arena *a, struct document *d, const struct backtest *b, const struct figures *f)
{
    document_text(d, "alerts", text_count(a, f->alerts));
    document_text(d, "confirmed", text_count(a, f->confirmed));
    document_text(d, "precision", share_text(a, figures_precision(f)));
    document_text(d, "recall", share_text(a, figures_recall(f, b)));
    document_text(d, "late", text_count(a, f->late));
    document_text(d, "q1", days_text(a, figures_quartile(f, 1)));
    document_text(d, "median", days_text(a, figures_quartile(f, 2)));
    document_text(d, "q3", days_text(a, figures_quartile(f, 3)));
}

/* How many of the columns mean something: alerts alone; what was found; leads too. */
static size_t columns_told(const struct backtest *b, size_t before)
{
    static const size_t told[] = {[OUTCOMES_NONE] = 1, [OUTCOMES_ACTIONS] = 4, [OUTCOMES_FILE] = 8};
    return before + told[b->from];
}

#define FIGURE_COLUMNS                                                                                       \
    {"alerts", NULL, "ALERTS", "预警", COLUMN_NUMBER}, {"confirmed", NULL, "CONFIRMED", "属实", COLUMN_NUMBER}, \
        {"precision", NULL, "PRECISION", "准确率", COLUMN_NUMBER},                                           \
        {"recall", NULL, "RECALL", "召回率", COLUMN_NUMBER}, {"late", NULL, "LATE", "滞后", COLUMN_NUMBER},  \
        {"q1", NULL, "DAYS Q1", "提前天数Q1", COLUMN_NUMBER}, {"median", NULL, "MEDIAN", "中位数", COLUMN_NUMBER}, \
        {"q3", NULL, "Q3", "Q3", COLUMN_NUMBER}

static void print_levels(struct backtest *b, const struct figures_all *all)
{
    static const struct column columns[] = {{"level", NULL, "LEVEL", "等级", COLUMN_LEVEL}, FIGURE_COLUMNS};
    struct arena *a = &b->cli->arena;
    struct items items = {0};
    for (unsigned level = LEVEL_GENERAL; level < LEVEL_COUNT; level++) {
        struct document *d = new_document(a);
        document_text(d, "level", level_wire(level));
        put_figures(a, d, b, &all->level[level]);
        struct ww_value v = document_value(d);
        items_add_copy(a, &items, &v);
    }
    out_table(b->cli, &items, columns, columns_told(b, 1), 0);
}

static void print_rules(struct backtest *b, const struct figures_all *all)
{
    static const struct column columns[] = {{"rule", NULL, "RULE", "规则", COLUMN_TEXT},
                                            {"title", NULL, "TITLE", "名称", COLUMN_NAME},
                                            {"never", NULL, "never fired", "从未触发", COLUMN_FLAG},
                                            {"areas", NULL, "of areas", "区域", COLUMN_FLAG},
                                            FIGURE_COLUMNS};
    struct arena *a = &b->cli->arena;
    struct items items = {0};
    for (uint32_t i = 0; i < all->n_rules; i++) {
        const struct rule *rule = &b->folds[0].tally.settings->rules[i];
        struct document *d = new_document(a);
        document_text(d, "rule", arena_slice(a, rule->id).p);
        document_text(d, "title", title_of(a, rule));
        document_bool(d, "never", !b->folds[0].tally.fired[i]);
        document_bool(d, "areas", rule->area);
        if (rule->area)
            put_area_figures(a, d, b->folds[0].tally.rule_areas[i]);
        else
            put_figures(a, d, b, &all->rule[i]);
        struct ww_value v = document_value(d);
        items_add_copy(a, &items, &v);
    }
    printf("\n");
    out_table(b->cli, &items, columns, columns_told(b, 4), 0);
}

static void print_calibration(struct backtest *b, const struct figures_all *all)
{
    static const struct column columns[] = {{"band", NULL, "HIGHEST SCORE", "最高评分", COLUMN_NUMBER},
                                            {"alerts", NULL, "ALERTS", "预警", COLUMN_NUMBER},
                                            {"confirmed", NULL, "CONFIRMED", "属实", COLUMN_NUMBER},
                                            {"share", NULL, "SHARE", "占比", COLUMN_NUMBER}};
    struct arena *a = &b->cli->arena;
    struct items items = {0};
    for (int i = 0; i < BANDS; i++) {
        struct document *d = new_document(a);
        document_text(d, "band", arena_printf(a, "%d-%d", i * BAND_POINTS, (i + 1) * BAND_POINTS));
        document_text(d, "alerts", text_count(a, all->band[i].alerts));
        document_text(d, "confirmed", text_count(a, all->band[i].confirmed));
        document_text(d, "share", share_text(a, figures_precision(&all->band[i])));
        struct ww_value v = document_value(d);
        items_add_copy(a, &items, &v);
    }
    printf("\n");
    out_table(b->cli, &items, columns, b->from == OUTCOMES_NONE ? 2 : 4, 0);
}

/* ---- the comparison as tables ---- */

static const char *change_text(unsigned change)
{
    static const char *const zh[CHANGE_COUNT] = {"减少", "新增", "推迟", "提前"};
    return tr(change_words[change], zh[change]);
}

static void print_counts(struct backtest *b, const struct comparison *c)
{
    static const struct column columns[] = {
        {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},          {"lost", NULL, "LOST", "减少", COLUMN_NUMBER},
        {"gained", NULL, "GAINED", "新增", COLUMN_NUMBER},       {"later", NULL, "LATER", "推迟", COLUMN_NUMBER},
        {"earlier", NULL, "EARLIER", "提前", COLUMN_NUMBER},     {"same", NULL, "SAME", "不变", COLUMN_NUMBER},
    };
    struct arena *a = &b->cli->arena;
    struct items items = {0};
    for (unsigned level = LEVEL_GENERAL; level < LEVEL_COUNT; level++) {
        struct document *d = new_document(a);
        document_text(d, "level", level_wire(level));
        for (int i = 0; i < CHANGE_COUNT; i++)
            document_text(d, change_words[i], text_count(a, c->count[level][i]));
        document_text(d, "same", text_count(a, c->same[level]));
        struct ww_value v = document_value(d);
        items_add_copy(a, &items, &v);
    }
    out_table(b->cli, &items, columns, ARRAY_LEN(columns), 0);
}

static void print_differences(struct backtest *b, const struct comparison *c)
{
    static const struct column columns[] = {
        {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},         {"change", NULL, "CHANGE", "变化", COLUMN_TEXT},
        {"who", NULL, "ENTERPRISE", "企业", COLUMN_NAME},       {"old", NULL, "OLD", "原规则", COLUMN_TEXT},
        {"new", NULL, "NEW", "新规则", COLUMN_TEXT},            {"days", NULL, "DAYS EARLIER", "提前天数", COLUMN_NUMBER},
        {"yes", NULL, "confirmed", "属实", COLUMN_FLAG},
    };
    struct arena *a = &b->cli->arena;
    struct items items = {0};
    for (size_t i = 0; i < c->n && i < SHOWN_MOST; i++) {
        const struct difference *x = &c->list[i];
        struct document *d = new_document(a);
        bool both = x->old_at != NO_INT && x->new_at != NO_INT;
        document_text(d, "level", level_wire(x->level));
        document_text(d, "change", change_text(x->change));
        document_text(d, "who", x->row->name ? x->row->name : x->row->uscc);
        document_text(d, "old", text_time(a, x->old_at));
        document_text(d, "new", text_time(a, x->new_at));
        document_text(d, "days", both ? days_text(a, x->old_at - x->new_at) : "-");
        document_bool(d, "yes", x->row->outcome != NO_INT);
        struct ww_value v = document_value(d);
        items_add_copy(a, &items, &v);
    }
    printf("\n");
    out_table(b->cli, &items, columns, ARRAY_LEN(columns), 0);
    if (c->n > SHOWN_MOST)
        printf(tr("and %s more; -o json lists a thousand\n", "另有 %s 项；-o json 列出一千项\n"),
               text_count(a, c->n - SHOWN_MOST));
}

static void print_comparison(struct backtest *b, const struct figures_all *old, const struct comparison *c)
{
    printf(tr("\nWith the rules of %s:\n", "\n按 %s 的规则：\n"), text_safe(&b->cli->arena, b->folds[1].rules.path));
    print_levels(b, old);
    printf(tr("\nAgainst them:\n", "\n与之相比：\n"));
    print_counts(b, c);
    if (c->n)
        print_differences(b, c);
}

/* ---- the whole ---- */

static void print_sums(struct backtest *b)
{
    struct arena *a = &b->cli->arena;
    if (b->entries)
        printf(tr("%s entries of the journal, %s of them signals\n", "日志 %s 条，其中信号 %s 条\n"),
               text_count(a, b->entries), text_count(a, b->signals));
    else
        printf(tr("%s lines: %s accepted, %s duplicates, %s rejected, %s no JSON\n",
                  "%s 行：接收 %s，重复 %s，拒收 %s，非 JSON %s\n"),
               text_count(a, b->trace.lines), text_count(a, b->trace.accepted), text_count(a, b->trace.duplicates),
               text_count(a, b->trace.rejected), text_count(a, b->trace.not_json));
    if (b->from == OUTCOMES_FILE)
        printf(tr("%s enterprises fell into arrears, %s of them never signalled\n", "欠薪企业 %s 家，其中 %s 家没有任何信号\n"),
               text_count(a, b->outcomes), text_count(a, b->unknown));
    if (b->from == OUTCOMES_ACTIONS)
        printf(tr("%s enterprises were found in arrears by their teams\n", "经核实属实的企业 %s 家\n"),
               text_count(a, b->outcomes));
    printf("\n");
}

void backtest_tell(struct backtest *b)
{
    struct figures_all all, old = {0};
    struct comparison c = {0};
    figures_make(&all, b, &b->folds[0]);
    if (b->n_folds > 1) {
        figures_make(&old, b, &b->folds[1]);
        comparison_make(&c, b);
    }
    if (b->cli->format == FORMAT_TABLE) {
        print_sums(b);
        print_levels(b, &all);
        if (b->folds[0].tally.areas)
            printf(tr("and %s alerts of areas\n", "另有区域预警 %s 条\n"), text_count(&b->cli->arena, b->folds[0].tally.areas));
        print_rules(b, &all);
        print_calibration(b, &all);
        if (b->n_folds > 1)
            print_comparison(b, &old, &c);
    } else {
        tell_document(b, &all, &old, &c);
    }
    figures_finish(&all);
    figures_finish(&old);
    comparison_finish(&c);
}

int cmd_backtest(struct cli *cli)
{
    struct backtest *b = mem_zalloc(sizeof *b);
    int status = backtest_asked(cli);
    if (status == 0)
        status = backtest_load(b, cli, cli->values[O_RULES], cli->values[O_COMPARE]);
    if (status == 0)
        status = backtest_run(b);
    if (status == 0)
        backtest_tell(b);
    backtest_finish(b);
    free(b);
    return status;
}
