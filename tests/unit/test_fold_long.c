/* SPDX-License-Identifier: Apache-2.0 */
/* An enterprise with very many signals, most in order, some late, some very late, some cancelled or cleared:
 * judged as exactly as one with three, and at a cost, in blocks read, that does not grow with its history. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/fold.h"
#include "tests/support/plain.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"

/* 100,000; under sanitizers, where each costs twenty times as much, fewer. */
#if defined(__SANITIZE_ADDRESS__)
enum { MANY = 12000 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { MANY = 12000 };
#else
enum { MANY = 100000 };
#endif
#else
enum { MANY = 100000 };
#endif

enum { CHECKPOINT_EVERY = 1000, VERY_LATE = 2000, NEAR = 40 };

static const struct {
    const char *kind, *source;
} kinds[] = {
    {"hotline.complaint", NULL},      {"tax.arrears", NULL},       {"tax.arrears", "other"},
    {"hotline.complaint", NULL},      {"court.seizure", NULL},     {"court.released", NULL},
    {"utility.bill_overdue", NULL},   {"hotline.complaint", NULL}, {"tax.filing_missed", NULL},
    {"subdistrict.wage_delay", NULL},
};

static const char *const rules =
    "version: 1\n"
    "score:\n"
    "  levels: {general: 40, major: 65, critical: 85}\n"
    "  hysteresis: 8\n"
    "rules:\n"
    "  - id: often\n"
    "    title: {zh: 多, en: Often}\n"
    "    when: {count: {of: {kind: hotline.complaint, cleared: too}, at_least: 200, within: 60d}}\n"
    "    then: {raise: major}\n"
    "  - id: much\n"
    "    title: {zh: 大, en: Much}\n"
    "    when: {sum: {of: tax.arrears, field: people, at_least: 90, within: 30d}}\n"
    "    then: {raise: general}\n"
    "  - id: chain\n"
    "    title: {zh: 链, en: Chain}\n"
    "    when: {sequence: {steps: [court.seizure, tax.arrears, subdistrict.wage_delay], within: 20d}}\n"
    "    then: {raise: general}\n";

static uint64_t seed = 20260401;

static uint32_t below(uint32_t n)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((sig_mix(seed) >> 32) * n >> 32);
}

/* ---- a store that counts what is read of it ---- */

struct counted {
    struct rows rows;
    struct state_loader loader;
    uint64_t blocks;
};

static int get(void *ctx, enum table t, const void *key, size_t n, struct slice *value, struct err *err)
{
    struct counted *c = ctx;
    c->blocks += t == T_BLOCK;
    return c->rows.loader.get(&c->rows, t, key, n, value, err);
}

static int scan(void *ctx, enum table t, struct slice from, bool (*each)(void *, struct slice, struct slice),
                void *arg, struct err *err)
{
    struct counted *c = ctx;
    return c->rows.loader.scan(&c->rows, t, from, each, arg, err);
}

/* Events and their history are never read again: they need not be kept here. */
static void checkpoint(struct world *w, struct counted *c)
{
    struct checkpoint *cp = engine_checkpoint(w->engine), kept = *cp;
    kept.rows = malloc((cp->n + 1) * sizeof *kept.rows);
    kept.n = 0;
    for (size_t i = 0; i < cp->n; i++)
        if (cp->rows[i].table != T_EVENT && cp->rows[i].table != T_HISTORY)
            kept.rows[kept.n++] = cp->rows[i];
    rows_take(&c->rows, &kept);
    free(kept.rows);
    engine_committed(w->engine, cp);
}

/* ---- a history ---- */

struct fact {
    struct say say;
    char id[12];
    bool cancelled;
};

static int arrival[MANY]; /* a place in the queue, by position in time */

static int by_arrival(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return arrival[x] != arrival[y] ? arrival[x] - arrival[y] : x - y;
}

/* In order of time, most of them a little late, some very. */
static void invent(struct fact *list, int *order)
{
    for (int i = 0; i < MANY; i++) {
        struct fact *f = &list[i];
        unsigned what = below(400) == 0 ? 5 : below(ARRAY_LEN(kinds));
        what = what == 5 && below(40) ? 0 : what; /* what clears is rare, else nothing grows long */
        snprintf(f->id, sizeof f->id, "s%d", i);
        f->say = (struct say){.id = f->id, .kind = kinds[what].kind, .source = kinds[what].source, .uscc = CODE_A,
                              .at = DAY(0) + (int64_t)(i * (400.0 * 86400000.0 / MANY)), .people = 1 + below(3)};
        order[i] = i;
        arrival[i] = i + (int)below(below(VERY_LATE) == 0 ? (uint32_t)(MANY - i) : NEAR);
    }
    qsort(order, MANY, sizeof *order, by_arrival);
}

/* ---- both folds ---- */

static struct plain second;

static void apply(struct world *w, const struct say *s)
{
    struct entry_signal e;
    struct slice bytes = world_entry(w, s, &e);
    assert_int_equal(engine_screen(w->engine, &e, w->number + 1), SCREEN_NEW);
    world_apply(w, bytes, w->now);
    plain_apply(&second, w->number, w->now, &(struct entry){.type = ENTRY_SIGNAL, .signal = e});
}

static void take_back(struct world *w, struct fact *f)
{
    struct say s = f->say;
    if (f->cancelled)
        return;
    f->cancelled = true;
    s.cancels = f->id;
    s.id = NULL;
    apply(w, &s);
}

static void check(struct world *w)
{
    struct ekey k = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    const struct record *r = world_record(w, &k);
    struct plain_view v;
    plain_look(&second, plain_find(&second, STATUS_ACTUAL, SLICE(CODE_A), (struct slice){0}), r->judged_at,
               r->score_level, &v);
    assert_true(fabs(r->score / 100.0 - plain_score(v.hazard)) < 0.02);
    assert_int_equal(r->level, v.level);
}

/* What is known of the blocks without reading them, worked out here from all that lies in them: the same to the bit. */
static void check_series(struct engine *e, const struct record *r, const struct series *s)
{
    const struct settings_kind *k = settings_kind(e->settings, s->kind);
    size_t n, buckets = 0;
    const struct sig *all = series_all(e, r, s, &n), *last = NULL;
    struct bucket *list = arena_zalloc(&e->scratch, (n + 1) * sizeof *list);
    uint64_t active = 0, sum = 0;
    uint8_t rank = 0;
    for (size_t i = 0; i + s->n < n; i++) {
        const struct sig *sig = &all[i];
        assert_true(i == 0 || sig_order(&all[i - 1], sig) < 0);
        if (sig->flags & SIG_CANCELLED || (s->spilled_cleared != NO_INT && sig->at <= s->spilled_cleared))
            continue;
        bool repeat = last && k->window && sig->at - last->at <= k->window;
        rank = !repeat ? 0 : rank < 63 ? rank + 1 : 63;
        assert_int_equal(sig->rank, rank);
        hazard_t h = k->hazard >> rank;
        int64_t index = h ? bucket_of(k, sig->at) : 0;
        h = h ? fixed_grow(h, (uint64_t)(sig->at - index * k->half_life), (uint64_t)k->half_life) : 0;
        if (h && (!buckets || list[buckets - 1].index != index))
            list[buckets++] = (struct bucket){index, 0};
        if (h)
            list[buckets - 1].sum += h;
        last = sig;
        active++;
        sum += sig_mix(sig->seq);
    }
    assert_int_equal(s->spilled_active, active);
    assert_int_equal(s->spilled_sum, sum);
    assert_int_equal(s->spilled_latest, last ? last->at : NO_INT);
    assert_int_equal(s->spilled_rank, rank * (last != NULL));
    assert_int_equal(s->n_buckets, buckets);
    for (size_t i = 0; i < buckets; i++) {
        assert_int_equal(s->buckets[i].index, list[i].index);
        assert_int_equal(s->buckets[i].sum, list[i].sum);
    }
}

static void check_known(struct world *w)
{
    struct ekey k = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    const struct record *r = world_record(w, &k);
    for (uint32_t i = 0; i < r->n_series; i++)
        if (r->series[i].n_blocks)
            check_series(w->engine, r, &r->series[i]);
    arena_reset(&w->engine->scratch);
}

static void clean(struct world *w)
{
    engine_trim(w->engine);
    arena_reset(&w->arena);
    arena_reset(&w->out_arena);
    w->out = (struct engine_out){.arena = &w->out_arena};
}

static void start(struct world *w, struct counted *c, const char *with)
{
    struct arena a = {0};
    rows_init(&c->rows);
    c->loader = (struct state_loader){c, get, scan};
    world_init_loader(w, with, &c->loader, 0);
    plain_init(&second);
    plain_apply(&second, 1, DAY(-400),
                &(struct entry){.type = ENTRY_CONFIG, .config = {.tree = world_settings(&a, with)}});
    second.quiet = true;
    arena_finish(&a);
}

static void a_long_history_is_judged_exactly(void **state)
{
    static struct fact list[MANY];
    static int order[MANY];
    struct world w;
    struct counted c = {.blocks = 0};
    uint64_t most = 0, ordinary = 0, entries = 0;
    (void)state;
    invent(list, order);
    start(&w, &c, rules);
    for (int i = 0; i < MANY; i++) {
        struct fact *f = &list[order[i]];
        uint64_t before = c.blocks;
        bool late = order[i] + 2 * NEAR < i;
        w.now = f->say.at > w.now ? f->say.at : w.now;
        apply(&w, &f->say);
        if (!late) {
            most = c.blocks - before > most ? c.blocks - before : most;
            ordinary += c.blocks - before;
            entries++;
        }
        if (below(60) == 0) /* as if it had never come: one of late, or of long ago */
            take_back(&w, &list[order[below(10) ? (uint32_t)i : below((uint32_t)i + 1)]]);
        if (i % (MANY / 6) == 50) {
            check(&w);
            check_known(&w);
        }
        if (i % CHECKPOINT_EVERY == 0)
            checkpoint(&w, &c);
        clean(&w);
    }
    check(&w);
    if (getenv("WAGEWARN_TRACE"))
        fprintf(stderr, "blocks read: %.3f an ordinary entry, %llu at most; %llu in all\n",
                (double)ordinary / (double)entries, (unsigned long long)most, (unsigned long long)c.blocks);
    assert_true(most <= 24); /* a window of the rules, never the history */
    assert_true(ordinary <= entries / 4);
    world_finish(&w);
    plain_finish(&second);
    rows_finish(&c.rows);
}

/* ---- a history that comes in no order at all ---- */

enum { SOME = MANY / 3, COLD_EVERY = 16 };

/* Nothing is raised, so that no event reads what it tells of. */
static const char *const quiet_rules = "version: 1\n"
                                       "score:\n"
                                       "  levels: {general: 40, major: 65, critical: 85}\n"
                                       "  hysteresis: 8\n"
                                       "rules:\n"
                                       "  - id: never\n"
                                       "    title: {zh: 无, en: Never}\n"
                                       "    when: {count: {of: labour.notice, at_least: 9, within: 1d}}\n"
                                       "    then: {raise: general}\n";

/* Nothing of the store is in memory any more. */
static void forget(struct world *w, struct counted *c)
{
    checkpoint(w, c);
    for (int i = 0; i < 200; i++)
        engine_trim(w->engine);
}

static void backwards(int *order, int n)
{
    for (int i = 0; i < n; i++)
        order[i] = n - 1 - i;
}

static void shuffled(int *order, int n)
{
    backwards(order, n);
    for (int i = n; i-- > 1;) {
        int k = (int)below((uint32_t)i + 1), was = order[i];
        order[i] = order[k];
        order[k] = was;
    }
}

/* A late signal reads the block that it goes to, what its rank follows from, and what follows from it: never the rest. */
static void come_in(void (*in_order)(int *, int))
{
    static struct fact list[MANY];
    static int order[MANY];
    struct world w;
    struct counted c = {.blocks = 0};
    uint64_t most = 0, all = 0, entries = 0;
    invent(list, order);
    in_order(order, SOME);
    start(&w, &c, quiet_rules);
    for (int i = 0; i < SOME; i++) {
        struct fact *f = &list[order[i] * (MANY / SOME)];
        uint64_t before = c.blocks;
        if (strcmp(f->say.kind, "hotline.complaint") == 0)
            f->say.kind = "tax.arrears"; /* where a repeated one weighs less: each may move the ranks of others */
        w.now = DAY(401);
        apply(&w, &f->say);
        if (i % COLD_EVERY == 0 && strcmp(f->say.kind, "court.released") != 0) {
            most = c.blocks - before > most ? c.blocks - before : most;
            all += c.blocks - before;
            entries++;
        }
        if (below(20) == 0)
            take_back(&w, &list[order[below((uint32_t)i + 1)] * (MANY / SOME)]);
        if (i % (SOME / 12) == 50) {
            check(&w);
            check_known(&w);
        }
        if (i % COLD_EVERY == COLD_EVERY - 1)
            forget(&w, &c);
        clean(&w);
    }
    check(&w);
    check_known(&w);
    if (getenv("WAGEWARN_TRACE"))
        fprintf(stderr, "blocks read: %.3f an entry, %llu at most\n", (double)all / (double)entries, (unsigned long long)most);
    assert_true(most <= 6);
    assert_true(all <= entries + entries / 2);
    world_finish(&w);
    plain_finish(&second);
    rows_finish(&c.rows);
}

static void a_history_told_backwards(void **state)
{
    (void)state;
    come_in(backwards);
}

static void a_history_in_no_order(void **state)
{
    (void)state;
    come_in(shuffled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_long_history_is_judged_exactly),
                                       cmocka_unit_test(a_history_told_backwards),
                                       cmocka_unit_test(a_history_in_no_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
