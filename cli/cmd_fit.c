/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn fit: proposes weights and half-lives for the kinds out of what happened and what came of it, as a kinds.csv that
 * a person may adopt. docs/backtest.md says how and what it cannot know. Whole numbers only, so that the same files give
 * the same proposal everywhere. */
#include "cli/backtest.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/textfile.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    HORIZON_DAYS = 180,  /* arrears later than this are not put down to the signal */
    LEAST_SPELLS = 20,   /* fewer: the kind keeps its weight */
    LEAST_CASES = 10,    /* fewer arrears after it: and its half-life */
    PRIOR_SPELLS = 50,   /* the shipped weight counts as much as so many spells */
    PRIOR_CASES = 20,    /* the shipped half-life as so many delays */
    WEIGHT_FACTOR = 3,   /* at most so many times more or less than shipped */
    LIFE_FACTOR = 2,
    WEIGHT_STEP = 10000, /* ppm: two decimals */
    WEIGHT_LEAST = 10000,
    WEIGHT_MOST = 900000,
    LIFE_LEAST = 7,
    LIFE_MOST = 730
};

struct noted {
    uint32_t row;        /* of the enterprise in the tally */
    uint16_t kind;
    bool cancels;        /* withdraws the signal of this id */
    bool gone;
    uint64_t id;
    int64_t at;
};

struct kind_fit {
    uint64_t spells, cases;          /* first signals of a spell; followed by arrears within the horizon */
    uint64_t with, with_cases;       /* enterprises that had it before any arrears; that fell into them */
    int64_t *delays;                 /* ms, of the cases */
    size_t cap;
    int64_t rate_with, rate_without; /* ppm */
    uint32_t weight, life;           /* proposed */
};

struct fit {
    struct backtest b;
    const struct kinds *kinds;
    struct noted *list;
    size_t n, cap;
    int64_t first, last;             /* the history */
    uint64_t enterprises, failed;
    struct kind_fit *of;             /* by position in the table */
};

/* ---- gathering ---- */

static void note_signal(void *arg, const struct ekey *key, const struct signal *sig)
{
    struct fit *f = arg;
    struct tally *t = &f->b.folds[0].tally;
    const struct kind *kind = kinds_find(f->kinds, sig->kind);
    if (!kind)
        return;
    struct slice id = sig->cancels.n ? sig->cancels : sig->id;
    f->list = mem_grow(f->list, &f->cap, f->n + 1, sizeof *f->list);
    f->list[f->n++] = (struct noted){.row = (uint32_t)(tally_row(t, key) - t->rows),
                                     .kind = (uint16_t)(kind - kinds_at(f->kinds, 0)),
                                     .cancels = sig->cancels.n > 0,
                                     .id = hash_fnv1a(id.p, id.n),
                                     .at = sig->at};
    f->first = f->first == NO_INT || sig->at < f->first ? sig->at : f->first;
    f->last = sig->at > f->last ? sig->at : f->last;
}

static int by_place(const struct noted *x, const struct noted *y)
{
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

static int by_id(const void *a, const void *b)
{
    const struct noted *x = a, *y = b;
    int place = by_place(x, y);
    return place ? place : x->id < y->id ? -1 : x->id > y->id;
}

static int by_time(const void *a, const void *b)
{
    const struct noted *x = a, *y = b;
    int place = by_place(x, y);
    return place ? place : x->at < y->at ? -1 : x->at > y->at;
}

/* What was withdrawn had never come, and what withdraws it is none. */
static void drop_cancelled(struct fit *f)
{
    size_t kept = 0;
    qsort(f->list, f->n, sizeof *f->list, by_id);
    for (size_t i = 0, end; i < f->n; i = end) {
        bool gone = false;
        for (end = i; end < f->n && by_id(&f->list[i], &f->list[end]) == 0; end++)
            gone = gone || f->list[end].cancels;
        for (size_t k = i; k < end; k++)
            f->list[k].gone = gone;
    }
    for (size_t i = 0; i < f->n; i++)
        if (!f->list[i].gone)
            f->list[kept++] = f->list[i];
    f->n = kept;
}

/* What came under a name that is one code's belongs to the code. */
static void follow_names(struct fit *f)
{
    struct fold *fold = &f->b.folds[0];
    uint32_t *to = mem_alloc(fold->tally.n * sizeof *to);
    for (size_t i = 0; i < fold->tally.n; i++) {
        to[i] = (uint32_t)i;
        if (!fold->tally.rows[i].merged)
            continue;
        struct ekey key = engine_resolve(fold->engine, &fold->tally.rows[i].key);
        const struct tally_row *row = tally_find(&fold->tally, &key);
        to[i] = row ? (uint32_t)(row - fold->tally.rows) : to[i];
    }
    for (size_t i = 0; i < f->n; i++)
        f->list[i].row = to[f->list[i].row];
    free(to);
}

/* ---- counting ---- */

/* Of one kind at one enterprise, in the order of time. A spell begins with a signal before which there was none for as long
 * as the horizon; one whose horizon lies beyond the end of the history counts only if arrears did follow. */
static void count_spells(struct fit *f, const struct noted *list, size_t n, int64_t outcome)
{
    struct kind_fit *k = &f->of[list[0].kind];
    const int64_t horizon = HORIZON_DAYS * DAY_MS;
    bool before = outcome == NO_INT || list[0].at < outcome;
    k->with += before;
    k->with_cases += before && outcome != NO_INT;
    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || list[i].at - list[i - 1].at > horizon;
        if (!first || (outcome != NO_INT && list[i].at >= outcome))
            continue;
        bool follows = outcome != NO_INT && outcome - list[i].at <= horizon;
        if (!follows && f->last - list[i].at < horizon)
            continue;
        k->spells++;
        if (!follows)
            continue;
        k->delays = mem_grow(k->delays, &k->cap, k->cases + 1, sizeof *k->delays);
        k->delays[k->cases++] = outcome - list[i].at;
    }
}

static void count(struct fit *f)
{
    const struct tally *t = &f->b.folds[0].tally;
    for (size_t i = 0, end; i < f->n; i = end) {
        for (end = i; end < f->n && by_place(&f->list[i], &f->list[end]) == 0; end++)
            ;
        count_spells(f, &f->list[i], end - i, t->rows[f->list[i].row].outcome);
    }
    for (size_t i = 0; i < t->n; i++) {
        f->enterprises += !t->rows[i].merged;
        f->failed += !t->rows[i].merged && t->rows[i].outcome != NO_INT;
    }
}

/* ---- proposing ---- */

static int64_t ppm_of(uint64_t part, uint64_t whole)
{
    return whole ? (int64_t)((unsigned __int128)part * PPM / whole) : 0;
}

static int64_t within(int64_t v, int64_t least, int64_t most)
{
    return v < least ? least : v > most ? most : v;
}

/* What it adds to those without it: 1 - (1 - with) / (1 - without); the shipped weight weighs as PRIOR_SPELLS do. */
static uint32_t propose_weight(const struct fit *f, struct kind_fit *k, uint32_t old)
{
    int64_t span = f->last - f->first, horizon = HORIZON_DAYS * DAY_MS;
    k->rate_with = ppm_of(k->cases, k->spells);
    k->rate_without = ppm_of(f->failed - k->with_cases, f->enterprises - k->with);
    if (span > horizon) /* of the whole history: as much of it as a horizon is */
        k->rate_without = (int64_t)((__int128)k->rate_without * horizon / span);
    int64_t left = PPM - k->rate_without;
    int64_t adds = left > 0 && k->rate_with > k->rate_without ? (k->rate_with - k->rate_without) * PPM / left : 0;
    int64_t w = (int64_t)(((__int128)old * PRIOR_SPELLS + (__int128)adds * (int64_t)k->spells) /
                          (PRIOR_SPELLS + (int64_t)k->spells));
    w = within(w, old / WEIGHT_FACTOR, (int64_t)old * WEIGHT_FACTOR);
    w = (w + WEIGHT_STEP / 2) / WEIGHT_STEP * WEIGHT_STEP;
    return (uint32_t)within(w, WEIGHT_LEAST, WEIGHT_MOST);
}

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Half of the arrears that follow a signal come within the median delay; the shipped one weighs as PRIOR_CASES do. */
static uint32_t propose_life(struct kind_fit *k, uint32_t old)
{
    qsort(k->delays, k->cases, sizeof *k->delays, by_length);
    int64_t middle = (k->delays[(k->cases - 1) / 2] + k->delays[k->cases / 2]) / 2;
    int64_t cases = (int64_t)k->cases;
    int64_t ms = ((int64_t)old * DAY_MS * PRIOR_CASES + middle * cases) / (PRIOR_CASES + cases);
    int64_t life = (ms + DAY_MS / 2) / DAY_MS;
    life = within(life, (old + 1) / LIFE_FACTOR, (int64_t)old * LIFE_FACTOR);
    return (uint32_t)within(life, LIFE_LEAST, LIFE_MOST);
}

static void propose(struct fit *f)
{
    for (size_t i = 0; i < kinds_count(f->kinds); i++) {
        const struct kind *kind = kinds_at(f->kinds, i);
        struct kind_fit *k = &f->of[i];
        k->weight = kind->weight_ppm;
        k->life = kind->half_life_days;
        if (!kind->weight_ppm || k->spells < LEAST_SPELLS)
            continue;
        k->weight = propose_weight(f, k, kind->weight_ppm);
        if (k->cases >= LEAST_CASES)
            k->life = propose_life(k, kind->half_life_days);
    }
}

/* ---- telling ---- */

static void print_cell(const char *s, const char *end)
{
    bool plain = !s[strcspn(s, ",\"\r\n")];
    if (!plain)
        putchar('"');
    for (; *s; s++) {
        if (*s == '"')
            putchar('"');
        putchar(*s);
    }
    printf("%s%s", plain ? "" : "\"", end);
}

static const char *weight_text(struct arena *a, uint32_t ppm)
{
    char *s = arena_printf(a, "0.%06u", ppm);
    for (size_t n = strlen(s); ppm && n > 4 && s[n - 1] == '0'; n--)
        s[n - 1] = 0;
    return ppm ? s : "0";
}

static void print_csv(struct fit *f)
{
    struct arena *a = &f->b.cli->arena;
    puts("kind,agency,zh,en,weight,half_life_days,repeat_window_days,clears,clue_of");
    for (size_t i = 0; i < kinds_count(f->kinds); i++) {
        const struct kind *k = kinds_at(f->kinds, i);
        print_cell(k->name, ",");
        print_cell(k->agency, ",");
        print_cell(k->zh, ",");
        print_cell(k->en, ",");
        printf("%s,%u,%u,", weight_text(a, f->of[i].weight), f->of[i].life, k->repeat_window_days);
        print_cell(k->clears, ",");
        print_cell(k->clue, "\n");
    }
}

static bool changed(const struct fit *f, size_t i)
{
    const struct kind *k = kinds_at(f->kinds, i);
    return f->of[i].weight != k->weight_ppm || f->of[i].life != k->half_life_days;
}

/* Beside the table on stdout, for whoever decides. Names of kinds are ASCII, so spaces line up. */
static void print_changes(struct fit *f)
{
    struct arena *a = &f->b.cli->arena;
    size_t n = 0;
    fflush(stdout);
    fprintf(stderr, "%-34s %8s %8s  %-16s %s\n", tr("KIND", "种类"), tr("SPELLS", "次数"), tr("ARREARS", "欠薪"),
            tr("WEIGHT", "权重"), tr("HALF-LIFE, DAYS", "半衰期（天）"));
    for (size_t i = 0; i < kinds_count(f->kinds); i++) {
        const struct kind *k = kinds_at(f->kinds, i);
        const struct kind_fit *x = &f->of[i];
        if (!changed(f, i))
            continue;
        fprintf(stderr, "%-34s %8s %8s  %-4s -> %-8s %u -> %u\n", k->name, text_count(a, x->spells),
                text_count(a, x->cases), weight_text(a, k->weight_ppm), weight_text(a, x->weight), k->half_life_days,
                x->life);
        n++;
    }
    fprintf(stderr, tr("%zu of %zu kinds changed, from %s enterprises, %s of them in arrears\n",
                       "%zu/%zu 个种类有变化；企业 %s 家，其中欠薪 %s 家\n"),
            n, kinds_count(f->kinds), text_count(a, f->enterprises), text_count(a, f->failed));
}

static void tell_document(struct fit *f)
{
    struct arena *a = &f->b.cli->arena;
    struct document d = {0};
    struct document_list list = {.items = arena_alloc(a, kinds_count(f->kinds) * sizeof *list.items)};
    for (size_t i = 0; i < kinds_count(f->kinds); i++) {
        const struct kind *k = kinds_at(f->kinds, i);
        const struct kind_fit *x = &f->of[i];
        struct document *row = arena_zalloc(a, sizeof *row);
        document_text(row, "kind", k->name);
        document_int(row, "spells", (int64_t)x->spells);
        document_int(row, "cases", (int64_t)x->cases);
        document_decimal(row, "rate_with", x->spells >= LEAST_SPELLS && k->weight_ppm ? x->rate_with : NO_INT);
        document_decimal(row, "rate_without", x->spells >= LEAST_SPELLS && k->weight_ppm ? x->rate_without : NO_INT);
        document_decimal(row, "weight_old", k->weight_ppm);
        document_decimal(row, "weight", x->weight);
        document_int(row, "half_life_days_old", k->half_life_days);
        document_int(row, "half_life_days", x->life);
        document_bool(row, "changed", changed(f, i));
        list.items[list.n++] = document_value(row);
    }
    document_int(&d, "enterprises", (int64_t)f->enterprises);
    document_int(&d, "outcomes", (int64_t)f->b.outcomes);
    document_int(&d, "horizon_days", HORIZON_DAYS);
    document_list(&d, "kinds", &list);
    struct ww_value v = document_value(&d);
    out_document(f->b.cli, &v);
}

/* ---- the whole ---- */

static int fit(struct fit *f)
{
    int status = backtest_run(&f->b);
    if (status != 0)
        return status;
    if (!f->b.outcomes) {
        cli_say(tr("no enterprise is known to have fallen into arrears, so nothing can be learnt; give --outcomes FILE",
                   "没有任何欠薪结果，无从拟合；请用 --outcomes 给出"));
        return err_exit_status(WW_ENO);
    }
    follow_names(f);
    if (f->n)
        drop_cancelled(f);
    if (f->n)
        qsort(f->list, f->n, sizeof *f->list, by_time);
    count(f);
    propose(f);
    if (f->b.cli->format != FORMAT_TABLE) {
        tell_document(f);
    } else {
        print_csv(f);
        print_changes(f);
    }
    return 0;
}

int cmd_fit(struct cli *cli)
{
    struct fit *f = mem_zalloc(sizeof *f);
    if (!cli->values[O_RULES])
        cli->values[O_RULES] = textfile_shipped(&cli->arena, NULL, "rules.yaml");
    int status = backtest_asked(cli);
    if (status == 0)
        status = backtest_load(&f->b, cli, cli->values[O_RULES], NULL);
    if (status == 0) {
        f->kinds = f->b.folds[0].rules.kinds;
        f->of = mem_zalloc((kinds_count(f->kinds) + 1) * sizeof *f->of);
        f->first = f->last = NO_INT;
        f->b.signal = note_signal;
        f->b.arg = f;
        status = fit(f);
    }
    for (size_t i = 0; f->of && i < kinds_count(f->kinds); i++)
        free(f->of[i].delays);
    free(f->of);
    free(f->list);
    backtest_finish(&f->b);
    free(f);
    return status;
}
