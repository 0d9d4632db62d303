/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations: what they say of a known case, and, over random histories, that what they foretell is what the engine then
 * does: the next changes by the clock, a clearing, one more agency. Explaining changes nothing; a reader over the stored
 * rows says the same, byte for byte. WAGEWARN_SEED repeats a failure. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "engine/fold.h"
#include "engine/whatif.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"

static const char rules[] =
    "version: 1\n"
    "score:\n"
    "  levels: {general: 40, major: 65, critical: 85}\n"
    "  hysteresis: 8\n"
    "  one_agency_at_most: major\n"
    "  others_at_least: 5\n"
    "  factors:\n"
    "    industry: {E: 1.3, C18: 1.2}\n"
    "    season: {spring_festival: {before: 60d, factor: 1.25}}\n"
    "rules:\n"
    "  - id: three-agencies\n"
    "    title: {zh: 三个部门, en: Three agencies}\n"
    "    when: {agencies: {of: any, at_least: 3, within: 45d}}\n"
    "    then: {raise: major}\n"
    "  - id: seized-and-late\n"
    "    title: {zh: 查封且欠薪, en: Seized and late}\n"
    "    when:\n"
    "      all:\n"
    "        - {signal: court.seizure, within: 30d}\n"
    "        - any:\n"
    "            - {signal: tax.arrears, within: 45d}\n"
    "            - {count: {of: hotline.complaint, at_least: 3, within: 20d}}\n"
    "        - not: {signal: labour.transferred, within: 365d}\n"
    "    then: {raise: critical}\n"
    "  - id: not-topped-up\n"
    "    title: {zh: 专户未补足, en: Not topped up}\n"
    "    when: {absent: {expected: housing.paid_out, after: housing.account_short, within: 10d}}\n"
    "    then: {raise: general}\n"
    "  - id: guaranteed\n"
    "    title: {zh: 已担保, en: Guaranteed}\n"
    "    when: {signal: market.legal_rep_changed, within: 50d}\n"
    "    then: {at_most: general}\n"
    "  - id: quiet\n"
    "    title: {zh: 静默, en: Quiet}\n"
    "    when: {signal: market.abnormal_list, within: 25d}\n"
    "    then: {suppress: [three-agencies]}\n"
    "  - id: score\n"
    "    title: {zh: 评分, en: Score}\n"
    "    when: {score: follow}\n"
    "    then: {raise: by_score}\n";

static uint64_t seed;

static uint32_t below(uint32_t n)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((sig_mix(seed) >> 32) * n >> 32);
}

static struct ekey key_a(void)
{
    return ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
}

static struct explanation ask(struct world *w, int64_t at, const char *without)
{
    struct explanation x;
    struct err err = {0};
    struct ekey key = key_a();
    const struct whatif_ask a = {at, slice_of(without)};
    if (whatif(w->engine, &key, &a, &w->arena, &x, &err) != 1)
        fail_msg("whatif: %s", err.msg);
    return x;
}

static void say(struct world *w, const char *kind, int64_t at)
{
    const struct say s = {.kind = kind, .at = at, .uscc = CODE_A, .name = "甲", .industry = "E4710"};
    assert_int_equal(world_say(w, &s), SCREEN_NEW);
}

static const struct told_rule *rule_named(const struct explanation *x, const char *id)
{
    for (uint32_t i = 0; i < x->n_rules; i++)
        if (slice_is(x->rules[i].id, id))
            return &x->rules[i];
    return NULL;
}

static void take(struct world *w, struct rows *rows)
{
    struct checkpoint *cp = engine_checkpoint(w->engine);
    if (!cp)
        return;
    rows_take(rows, cp);
    engine_committed(w->engine, cp);
    engine_trim(w->engine);
}

/* ---- a known case ---- */

static void conditions_name_the_signals_that_satisfy_them(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, rules);
    say(&w, "court.seizure", DAY(0));
    say(&w, "tax.arrears", DAY(1));
    for (int i = 0; i < 2; i++)
        say(&w, "hotline.complaint", DAY(2 + i));
    struct explanation x = ask(&w, DAY(4), NULL);
    const struct told_rule *r = rule_named(&x, "seized-and-late");
    assert_int_equal(x.level, LEVEL_CRITICAL);
    assert_non_null(r);
    assert_int_equal(r->n_conds, 7);
    static const struct {
        const char *op;
        int depth, holds;
        unsigned signals;
    } want[] = {{"all", 0, 1, 0},   {"signal", 1, 1, 1}, {"any", 1, 1, 0},   {"signal", 2, 1, 1},
                {"count", 2, 0, 0}, {"not", 1, 1, 0},    {"signal", 2, 0, 0}};
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_string_equal(r->conds[i].op, want[i].op);
        assert_int_equal(r->conds[i].depth, want[i].depth);
        assert_int_equal(r->conds[i].holds, want[i].holds);
        assert_int_equal(r->conds[i].n_signals, want[i].signals);
    }
    assert_true(slice_is(r->conds[1].signals[0].kind, "court.seizure"));
    assert_true(slice_is(r->conds[3].signals[0].kind, "tax.arrears"));
    assert_int_equal(r->conds[1].until, DAY(30) + 1);
    world_finish(&w);
}

static void steps_and_amounts_are_told(void **state)
{
    (void)state;
    static const char own[] =
        "version: 1\nscore:\n  levels: {general: 40, major: 65, critical: 85}\n  hysteresis: 8\n"
        "selectors:\n  late: [tax.arrears, bank.loan_overdue]\n"
        "rules:\n"
        "  - id: chain\n    title: {zh: 链, en: Chain}\n    then: {raise: major}\n"
        "    when: {any: [{signal: court.seizure, within: 30d}, {sequence: {steps: [hotline.complaint, late], within: 30d}},\n"
        "                 {count: {of: hotline.complaint, at_least: 9, within: 30d}}, {agencies: {of: any, at_least: 4, within: 30d}}]}\n";
    struct world w;
    world_init(&w, own);
    say(&w, "court.seizure", DAY(0));
    say(&w, "tax.arrears", DAY(1));
    for (int i = 0; i < 2; i++)
        say(&w, "hotline.complaint", DAY(2 + i));
    struct explanation x = ask(&w, DAY(4), NULL);
    const struct told_rule *r = rule_named(&x, "chain");
    assert_non_null(r);
    static const struct {
        const char *op, *selector;
        int depth, holds;
        int64_t found;
        unsigned signals;
    } want[] = {{"any", "", 0, 1, NO_INT, 0},      {"signal", "", 1, 1, NO_INT, 1}, {"sequence", "", 1, 0, NO_INT, 0},
                {"step", "", 2, 1, NO_INT, 2},     {"step", "late", 2, 1, NO_INT, 1}, {"count", "", 1, 0, 2, 0},
                {"agencies", "", 1, 0, 3, 0}};
    assert_int_equal(r->n_conds, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_string_equal(r->conds[i].op, want[i].op);
        assert_true(slice_is(r->conds[i].selector, want[i].selector));
        assert_int_equal(r->conds[i].depth, want[i].depth);
        assert_int_equal(r->conds[i].holds, want[i].holds);
        assert_int_equal(r->conds[i].found, want[i].found);
        assert_int_equal(r->conds[i].n_signals, want[i].signals);
    }
    assert_true(r->conds[1].signals[0].zh.n > 0);
    world_finish(&w);
}

static void shares_factors_and_silence_are_told(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, rules);
    say(&w, "utility.bill_overdue", DAY(-9));
    say(&w, "hotline.complaint", DAY(0));
    say(&w, "tax.arrears", DAY(0));
    say(&w, "tax.arrears", DAY(1));
    struct explanation x = ask(&w, DAY(2), NULL);
    uint32_t sum = 0, repeats = 0;
    for (uint32_t i = 0; i < x.n_shares; i++) {
        sum += x.shares[i].share_ppm;
        repeats += x.shares[i].rank;
        assert_int_equal(x.shares[i].counted_ppm, PPM);
    }
    assert_int_equal(x.n_shares, 4);
    assert_int_equal(sum, PPM);
    assert_int_equal(repeats, 1); /* the second of tax */
    assert_int_equal(x.n_factors, 1);
    assert_string_equal(x.factors[0].what, "industry");
    assert_true(slice_is(x.factors[0].key, "E"));
    assert_int_equal(x.factor_ppm, 1300000);
    int utility = 0, court = 0;
    for (uint32_t i = 0; i < x.n_silences; i++) {
        assert_false(slice_is(x.silences[i].agency, "tax"));
        assert_false(slice_is(x.silences[i].agency, "hotline"));
        if (slice_is(x.silences[i].agency, "utility") && x.silences[i].since == DAY(-9))
            utility++;
        court += slice_is(x.silences[i].agency, "court") && x.silences[i].since == NO_INT;
    }
    assert_int_equal(utility, 1);
    assert_int_equal(court, 1);
    world_finish(&w);
}

static void a_decay_of_one_half_life_is_a_half(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, rules);
    say(&w, "tax.arrears", DAY(0));
    struct explanation x = ask(&w, DAY(0), NULL);
    int64_t half = (int64_t)x.shares[0].half_life_days;
    assert_int_equal(x.shares[0].decay_ppm, PPM);
    x = ask(&w, DAY(half), NULL);
    assert_in_range(x.shares[0].decay_ppm, PPM / 2 - 2, PPM / 2 + 2);
    world_finish(&w);
}

static void caps_and_silenced_rules_are_told(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, rules);
    say(&w, "court.seizure", DAY(0));
    say(&w, "tax.arrears", DAY(0));
    say(&w, "market.abnormal_list", DAY(1));
    say(&w, "market.legal_rep_changed", DAY(1));
    struct explanation x = ask(&w, DAY(2), NULL);
    const struct told_rule *cap = rule_named(&x, "guaranteed"), *three = rule_named(&x, "three-agencies");
    assert_int_equal(x.level, LEVEL_GENERAL);
    assert_int_equal(x.uncapped_level, LEVEL_CRITICAL);
    assert_non_null(cap);
    assert_true(cap->binds);
    assert_non_null(three);
    assert_true(slice_is(three->suppressed_by, "quiet"));
    world_finish(&w);
}

/* One agency alone, however much it says, is major at most; the explanation says that, and whose word it is. */
static void the_cap_on_one_agency_is_told(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, rules);
    for (int i = 0; i < 12; i++)
        say(&w, "hotline.complaint", DAY(0) + i);
    struct explanation x = ask(&w, DAY(0) + 100, NULL);
    assert_true(x.score >= 8500);
    assert_int_equal(x.level, LEVEL_MAJOR);
    assert_int_equal(x.capped_from, LEVEL_CRITICAL);
    assert_true(slice_is(x.largest, "hotline"));
    assert_int_equal(x.score_others, 0);
    assert_int_equal(x.one_more_most, LEVEL_CRITICAL);
    say(&w, "tax.arrears", DAY(0) + 50);
    x = ask(&w, DAY(0) + 100, NULL);
    assert_int_equal(x.level, LEVEL_CRITICAL);
    assert_int_equal(x.capped_from, LEVEL_NONE);
    world_finish(&w);
}

static void hysteresis_is_told_where_it_holds_a_level(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, rules);
    for (int i = 0; i < 3; i++)
        say(&w, "hotline.complaint", DAY(0) + i);
    struct explanation x = ask(&w, DAY(0) + 10, NULL);
    assert_int_equal(x.score_level, x.fresh_level);
    assert_true(x.n_steps > 0);
    int held = 0;
    for (int64_t at = DAY(0) + 10; at < x.steps[0].at; at += DAY_MS) {
        struct explanation y = ask(&w, at, NULL);
        assert_int_equal(y.score_level, x.score_level);
        held += y.fresh_level < y.score_level;
        y = ask(&w, at, "tax"); /* nothing to take out, yet from scratch */
        assert_int_equal(y.without.level, y.fresh_level);
    }
    assert_true(held > 0);
    world_finish(&w);
}

static void without_an_agency_it_is_judged_from_scratch(void **state)
{
    (void)state;
    struct world w, other;
    world_init(&w, rules);
    world_init(&other, rules);
    for (int i = 0; i < 40; i++) /* long enough to leave the record */
        say(&w, "hotline.complaint", DAY(i / 10.0));
    say(&w, "court.seizure", DAY(1));
    say(&w, "tax.arrears", DAY(2));
    say(&other, "court.seizure", DAY(1));
    say(&other, "tax.arrears", DAY(2));
    struct explanation x = ask(&w, DAY(5), "hotline"), y = ask(&other, DAY(5), NULL);
    assert_int_equal(x.without.level, y.level);
    assert_int_equal(x.without.score, y.score);
    assert_int_equal(x.without.signals, 40);
    assert_int_equal(x.without.n_gained, 0);
    int lost = 0;
    for (uint32_t i = 0; i < x.without.n_lost; i++)
        lost += slice_is(x.without.lost[i], "three-agencies");
    assert_int_equal(lost, 1);
    world_finish(&w);
    world_finish(&other);
}

/* Another agency's clearing lies within what has left the record: without it all of that counts again, as if it had never
 * come, and the stored blocks stay as they are. */
static void without_what_had_cleared_it_counts_again(void **state)
{
    (void)state;
    struct world w, other;
    struct rows rows;
    rows_init(&rows);
    world_init_loader(&w, rules, &rows.loader, 0);
    world_init(&other, rules);
    for (int i = 0; i < 60; i++) {
        say(&w, "hotline.complaint", DAY(i * 5));
        say(&other, "hotline.complaint", DAY(i * 5));
    }
    say(&w, "subdistrict.wages_paid", DAY(100));
    take(&w, &rows);
    struct explanation x = ask(&w, DAY(300), NULL), y = ask(&w, DAY(300), "subdistrict"), z = ask(&other, DAY(300), NULL);
    assert_true(x.score < z.score);
    assert_int_equal(y.without.score, z.score);
    assert_int_equal(engine_dirty(w.engine), 0);
    x = ask(&w, DAY(300), NULL);
    assert_int_equal(x.score, y.score);
    world_finish(&w);
    world_finish(&other);
    rows_finish(&rows);
}

static void who_is_not_there_has_no_explanation(void **state)
{
    (void)state;
    struct world w;
    struct explanation x;
    struct alert al;
    struct err err = {0};
    struct ekey key = key_a();
    world_init(&w, rules);
    assert_int_equal(whatif(w.engine, &key, &(struct whatif_ask){DAY(0), {0}}, &w.arena, &x, &err), 0);
    assert_int_equal(whatif_alert(w.engine, 7, &w.arena, &al, &err), 0);
    assert_int_equal(engine_dirty(w.engine) > 0, 1); /* the configuration */
    world_finish(&w);
}

/* ---- random histories ---- */

static const char *const kinds[] = {
    "hotline.complaint", "tax.filing_missed", "tax.arrears",     "tax.settled",          "court.seizure",
    "court.released",    "hotline.resolved",  "utility.bill_overdue", "housing.account_short", "housing.paid_out",
    "market.abnormal_list", "market.legal_rep_changed", "subdistrict.wage_delay",
};

enum { MANY = 90 };

struct history {
    struct say list[MANY];
    char ids[MANY][12];
    int n;
};

static void invent(struct history *h, int span_days)
{
    h->n = 3 + (int)below(MANY - 3);
    for (int i = 0; i < h->n; i++) {
        snprintf(h->ids[i], sizeof h->ids[i], "s%d", i);
        h->list[i] = (struct say){.id = h->ids[i],
                                  .kind = kinds[below(below(2) ? 3 : ARRAY_LEN(kinds))],
                                  .at = DAY(400) - (int64_t)below((uint32_t)span_days * 24) * 3600000,
                                  .uscc = CODE_A,
                                  .industry = below(2) ? "E4710" : NULL,
                                  .source = below(6) ? NULL : "other"};
    }
}

static void tell(struct world *w, const struct history *h)
{
    w->now = DAY(400);
    for (int i = 0; i < h->n; i++)
        assert_int_equal(world_say(w, &h->list[i]), SCREEN_NEW);
}

static const struct record *record_a(struct world *w)
{
    struct ekey key = key_a();
    return world_record(w, &key);
}

static void is_at(struct world *w, int64_t at, uint8_t level, const char *what)
{
    world_tick(w, at);
    if (record_a(w)->level != level)
        fail_msg("%s: level %u at %lld, foretold %u", what, record_a(w)->level, (long long)at, level);
}

static unsigned changed, turns;

/* Just before each change nothing has changed; at it, it has. */
static void check_clock(struct world *w, const struct explanation *x)
{
    uint8_t level = x->level;
    for (uint32_t i = 0; i < x->n_steps; i++) {
        is_at(w, x->steps[i].at - 1, level, "before");
        is_at(w, x->steps[i].at, x->steps[i].level, "then");
        level = x->steps[i].level;
        turns += x->steps[i].n_ends + x->steps[i].n_begins;
    }
    if (!x->steps_cut && level != LEVEL_NONE)
        is_at(w, DAY(400 + WHATIF_AHEAD_DAYS), level, "at the end");
}

static void check_if(const struct history *h, const struct explanation *x, const struct told_if *t)
{
    struct world w;
    world_init(&w, rules);
    tell(&w, h);
    char kind[64];
    snprintf(kind, sizeof kind, "%.*s", SLICE_ARG(t->kind));
    const struct say s = {.id = "new", .kind = kind, .at = DAY(400), .uscc = CODE_A};
    assert_int_equal(world_say(&w, &s), SCREEN_NEW);
    const struct record *r = record_a(&w);
    if (r->level != t->level || r->score != t->score)
        fail_msg("%s: level %u score %u, foretold %u %u", kind, r->level, r->score, t->level, t->score);
    changed += r->level != x->level;
    world_finish(&w);
}

static void what_is_foretold_comes(void **state)
{
    (void)state;
    static struct history h;
    unsigned steps = 0;
    changed = turns = 0;
    for (int round = 0; round < 40; round++) {
        struct world w;
        uint64_t began = seed;
        world_init(&w, rules);
        invent(&h, round % 3 == 0 ? 20 : round % 3 == 1 ? 60 : 300);
        tell(&w, &h);
        struct explanation x = ask(&w, DAY(400), NULL);
        print_message("seed %llu: %d signals, level %u, %u steps\n", (unsigned long long)began, h.n, x.level, x.n_steps);
        assert_int_equal(x.level, record_a(&w)->level);
        assert_int_equal(x.score, record_a(&w)->score);
        for (uint32_t i = 0; i < x.n_clearings; i++)
            check_if(&h, &x, &x.clearings[i]);
        for (uint32_t i = 0; i < x.n_agencies && i < 4; i++) {
            check_if(&h, &x, &x.agencies[i].light);
            check_if(&h, &x, &x.agencies[i].heavy);
        }
        check_clock(&w, &x);
        steps += x.n_steps;
        world_finish(&w);
    }
    assert_true(steps > 40 && changed > 40 && turns > 20); /* the histories are of a kind that shows it */
}

/* ---- others ---- */

static const char shared_rules[] =
    "version: 1\n"
    "score:\n"
    "  levels: {general: 40, major: 65, critical: 85}\n"
    "  hysteresis: 8\n"
    "  one_agency_at_most: major\n"
    "  others_at_least: 5\n"
    "  shares: {sub: 0.5, labour: 0.3}\n"
    "rules:\n"
    "  - id: related\n"
    "    title: {zh: 关联, en: Related}\n"
    "    when: {related: {by: project, level: major, within: 30d}}\n"
    "    then: {raise: general}\n"
    "  - id: score\n"
    "    title: {zh: 评分, en: Score}\n"
    "    when: {score: follow}\n"
    "    then: {raise: by_score}\n";

static void on_site(struct world *w, const char *uscc, const char *kind, int64_t at, enum role role)
{
    const struct say s = {.kind = kind, .at = at, .uscc = uscc, .project = "P1", .role = role};
    assert_int_equal(world_say(w, &s), SCREEN_NEW);
}

/* The subcontractor's signals count for the general contractor, and say whose they are; a rule that looks across names the
 * other. What is foretold of the clock comes, for what is shared decays like one's own. */
static void signals_of_others_are_told_as_theirs(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, shared_rules);
    on_site(&w, CODE_A, "tax.arrears", DAY(0), ROLE_GENERAL);
    for (int i = 0; i < 3; i++)
        on_site(&w, CODE_B, i ? "hotline.complaint" : "police.owner_missing", DAY(1) + i, ROLE_SUB);
    struct explanation x = ask(&w, DAY(2), NULL), y = ask(&w, DAY(2), "hotline");
    const struct told_rule *r = rule_named(&x, "related");
    unsigned theirs = 0;
    for (uint32_t i = 0; i < x.n_shares; i++) {
        theirs += x.shares[i].from.n > 0;
        if (x.shares[i].from.n) {
            assert_true(slice_is(x.shares[i].from, CODE_B));
            assert_int_equal(x.shares[i].counted_ppm, PPM / 2);
            assert_int_not_equal(x.shares[i].decay_ppm, 0);
        }
    }
    assert_int_equal(theirs, 3);
    assert_int_equal(y.without.signals, 2);
    assert_true(y.without.score < x.score);
    assert_non_null(r);
    assert_true(slice_is(r->conds[0].other, CODE_B));
    assert_string_equal(r->conds[0].link, "project");
    assert_true(x.score_level > LEVEL_NONE);
    world_finish(&w);
}

/* Two engines fold the same; one is asked all the time. */
static void explaining_changes_nothing(void **state)
{
    (void)state;
    static struct history h;
    for (int round = 0; round < 6; round++) {
        struct world asked, plain;
        struct rows one, two;
        rows_init(&one);
        rows_init(&two);
        world_init_loader(&asked, rules, &one.loader, 0);
        world_init_loader(&plain, rules, &two.loader, 0);
        invent(&h, 300);
        asked.now = plain.now = DAY(400);
        for (int i = 0; i < h.n; i++) {
            if (i == h.n / 2) { /* other settings: what is known of blocks must be worked out again */
                world_config(&asked, plain_rules, DAY(400));
                world_config(&plain, plain_rules, DAY(400));
            }
            if (i) {
                size_t dirty = engine_dirty(asked.engine);
                ask(&asked, DAY(400 + i), "hotline");
                assert_int_equal(engine_dirty(asked.engine), dirty);
            }
            world_say(&asked, &h.list[i]);
            world_say(&plain, &h.list[i]);
            if (below(3) == 0) {
                take(&asked, &one);
                take(&plain, &two);
            }
        }
        take(&asked, &one);
        take(&plain, &two);
        const char *differ = rows_differ(&one, &two);
        if (differ)
            fail_msg("round %d: %s", round, differ);
        world_finish(&asked);
        world_finish(&plain);
        rows_finish(&one);
        rows_finish(&two);
    }
}

static void pack(struct engine *e, int64_t at, struct arena *a, struct buf *b)
{
    struct explanation x;
    struct err err = {0};
    struct ekey key = key_a();
    assert_int_equal(whatif(e, &key, &(struct whatif_ask){at, SLICE("tax")}, a, &x, &err), 1);
    buf_reset(b);
    whatif_pack(b, &x);
}

static void a_reader_says_the_same(void **state)
{
    (void)state;
    static struct history h;
    struct world w;
    struct rows rows;
    struct engine *reader;
    struct arena a = {0};
    struct buf one = {0}, two = {0};
    struct err err = {0};
    rows_init(&rows);
    world_init_loader(&w, rules, &rows.loader, SIZE_MAX);
    invent(&h, 60);
    w.now = DAY(400);
    world_say(&w, &h.list[0]);
    take(&w, &rows);
    assert_int_equal(engine_create_reader(&reader, &rows.loader, &err), 0);
    for (int i = 1; i < h.n; i++) {
        world_say(&w, &h.list[i]);
        if (i == h.n / 2)
            world_config(&w, plain_rules, DAY(400));
        take(&w, &rows);
        assert_int_equal(engine_reader_renew(reader, &err), 0);
        assert_int_equal(engine_number(reader), engine_number(w.engine));
        pack(w.engine, DAY(401), &a, &one);
        pack(reader, DAY(401), &a, &two);
        assert_int_equal(one.n, two.n);
        assert_memory_equal(one.p, two.p, one.n);
    }
    engine_destroy(reader);
    world_finish(&w);
    rows_finish(&rows);
    arena_finish(&a);
    buf_finish(&one);
    buf_finish(&two);
}

int main(void)
{
    const char *s = getenv("WAGEWARN_SEED");
    seed = s ? strtoull(s, NULL, 10) : 20260512;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_name_the_signals_that_satisfy_them),
        cmocka_unit_test(steps_and_amounts_are_told),
        cmocka_unit_test(shares_factors_and_silence_are_told),
        cmocka_unit_test(a_decay_of_one_half_life_is_a_half),
        cmocka_unit_test(caps_and_silenced_rules_are_told),
        cmocka_unit_test(the_cap_on_one_agency_is_told),
        cmocka_unit_test(hysteresis_is_told_where_it_holds_a_level),
        cmocka_unit_test(without_an_agency_it_is_judged_from_scratch),
        cmocka_unit_test(without_what_had_cleared_it_counts_again),
        cmocka_unit_test(who_is_not_there_has_no_explanation),
        cmocka_unit_test(what_is_foretold_comes),
        cmocka_unit_test(signals_of_others_are_told_as_theirs),
        cmocka_unit_test(explaining_changes_nothing),
        cmocka_unit_test(a_reader_says_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
