/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the law: what is met and what is short, by region, by the clock, after cancelling and clearing, out of order,
 * and of an enterprise with thousands of signals; and the table that they are read from. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "engine/fold.h"
#include "engine/settings_tree.h"
#include "tests/support/world.h"

static const char rules[] =
    "version: 1\n"
    "score:\n"
    "  levels: {general: 40, major: 65, critical: 85}\n"
    "  hysteresis: 8\n"
    "  one_agency_at_most: major\n"
    "  others_at_least: 5\n"
    "rules:\n"
    "  - id: crime\n"
    "    title: {zh: 移送, en: Crime}\n"
    "    when: {threshold: crime}\n"
    "    then: {raise: critical}\n"
    "  - id: any\n"
    "    title: {zh: 任何, en: Any}\n"
    "    when: {signal: any, within: 3000d}\n"
    "    then: {raise: general}\n";

static const char table[] =
    "region,line,people,months,amount_yuan,order,incident,source,date\n"
    "*,crime,1,3,5000,yes,no,interpretation,2013-01-23\n"
    "*,crime,10,,30000,yes,no,interpretation,2013-01-23\n"
    "*,listing,1,3,5000,yes,yes,order 45,2022-01-01\n"
    "32,crime,1,3,10000,yes,no,province,\n"
    "32,crime,10,,60000,yes,no,province,\n"
    "3204,crime,1,3,20000,yes,no,city,\n";

static const struct world_work work = {.thresholds = table};

static void begin(struct world *w)
{
    world_init(w, rules);
    world_config_work(w, rules, &work, DAY(-399));
}

static void say(struct world *w, const struct say *x)
{
    struct say s = *x;
    s.uscc = CODE_A;
    assert_int_equal(world_say(w, &s), SCREEN_NEW);
}

static const struct assessed *line(struct world *w, const char *name)
{
    const struct event *ev = world_last(w);
    for (uint32_t i = 0; ev && i < ev->n_assessed; i++)
        if (slice_is(ev->assessed[i].line, name))
            return &ev->assessed[i];
    return NULL;
}

/* People, months, fen and order that are short. */
static void assert_short(const struct assessed *x, int64_t people, int64_t months, int64_t amount, bool order)
{
    assert_non_null(x);
    assert_int_equal(x->short_people, people);
    assert_int_equal(x->short_months, months);
    assert_int_equal(x->short_amount, amount);
    assert_int_equal(x->short_order, order);
    assert_int_equal(x->met, !people && !months && !amount && !order);
}

/* ---- what is met and what is short ---- */

static void test_short_of_it(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    say(&w, &(struct say){.kind = "hotline.complaint", .at = DAY(0), .people = 3, .amount = 400000, .since = DAY(-40)});
    const struct assessed *x = line(&w, "crime");
    assert_short(x, 0, 2, 100000, true);
    assert_int_equal(x->people, 3);
    assert_int_equal(x->months, 1);
    assert_int_equal(x->amount, 400000);
    assert_true(slice_is(x->source, "interpretation"));
    assert_int_equal(x->region, 0);
    assert_short(line(&w, "listing"), 0, 2, 100000, true);
    world_finish(&w);
}

/* Agencies report the same arrears: the largest, not the sum. The nearest alternative is told. */
static void test_largest_not_sum(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    say(&w, &(struct say){.kind = "hotline.complaint", .at = DAY(0), .people = 9, .amount = 2000000});
    say(&w, &(struct say){.kind = "petition.visit", .at = DAY(1), .people = 8, .amount = 2900000});
    say(&w, &(struct say){.kind = "labour.order_disobeyed", .at = DAY(2)});
    assert_short(line(&w, "crime"), 0, 3, 0, false);
    assert_int_equal(line(&w, "crime")->amount, 2900000);
    assert_int_equal(world_last(&w)->level, LEVEL_GENERAL);
    say(&w, &(struct say){.kind = "petition.visit", .at = DAY(3), .people = 10, .amount = 3000000});
    assert_short(line(&w, "crime"), 0, 0, 0, false);
    assert_int_equal(world_last(&w)->level, LEVEL_CRITICAL);
    world_finish(&w);
}

/* Of alternatives that lack one thing each, the one that lacks the least of it. */
static void test_nearest_by_share(void **state)
{
    (void)state;
    static const struct {
        int64_t people, amount, since, short_people, short_months, short_amount;
    } cases[] = {
        {10, 2999999, NO_INT, 0, 0, 1},
        {9, 3000000, NO_INT, 1, 0, 0},
        {1, 500000, -50, 0, 2, 0},
        {2, 3000000, -89, 0, 1, 0}, /* a third of the months against eight tenths of the people */
        {9, 3000000, -89, 1, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        begin(&w);
        say(&w, &(struct say){.kind = "labour.order_disobeyed", .at = DAY(0), .people = cases[i].people,
                              .amount = cases[i].amount, .since = cases[i].since == NO_INT ? NO_INT : DAY(cases[i].since)});
        assert_short(line(&w, "crime"), cases[i].short_people, cases[i].short_months, cases[i].short_amount, false);
        world_finish(&w);
    }
}

static void test_region_decides(void **state)
{
    (void)state;
    static const struct {
        const char *place;
        int64_t lacks;
        const char *whose;
    } cases[] = {{"110105", 0, ""}, {"320505", 400000, "32"}, {"320402", 1400000, "3204"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        begin(&w);
        say(&w, &(struct say){.kind = "labour.order_disobeyed", .at = DAY(0), .people = 2, .amount = 600000,
                              .since = DAY(-100), .region = cases[i].place});
        const struct assessed *x = line(&w, "crime");
        assert_short(x, 0, 0, cases[i].lacks, false);
        assert_int_equal(x->region, *cases[i].whose ? region_of(slice_of(cases[i].whose)) : 0);
        world_finish(&w);
    }
}

static void test_incident_instead(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    say(&w, &(struct say){.kind = "labour.order_disobeyed", .at = DAY(0)});
    say(&w, &(struct say){.kind = "subdistrict.gathering", .at = DAY(1), .people = 49});
    assert_false(line(&w, "listing")->met);
    say(&w, &(struct say){.kind = "subdistrict.gathering", .at = DAY(2), .people = 50});
    assert_true(line(&w, "listing")->met);
    assert_short(line(&w, "crime"), 0, 0, 3000000, false); /* ten people or more: only the sum is short */
    world_finish(&w);
}

/* ---- the clock ---- */

static void test_months_come_by_the_clock(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    /* owed since 2025-11-30, 00:00: three months are full on the last of February, told on 2026-02-10 */
    int64_t since = INT64_C(1764432000000), told = DAY(-19);
    say(&w, &(struct say){.kind = "labour.order_disobeyed", .at = told, .people = 1, .amount = 500000, .since = since});
    assert_int_equal(world_last(&w)->level, LEVEL_GENERAL);
    assert_short(line(&w, "crime"), 0, 1, 0, false);
    int64_t full = INT64_C(1772208000000); /* 2026-02-28 00:00, UTC+8 */
    int64_t due;
    while ((due = engine_next_due(w.engine)) < full)
        world_tick(&w, due);
    assert_int_equal(world_last(&w)->level, LEVEL_GENERAL);
    assert_int_equal(due, full);
    world_tick(&w, due);
    assert_int_equal(world_last(&w)->level, LEVEL_CRITICAL);
    assert_true(line(&w, "crime")->met);
    world_finish(&w);
}

static void test_leaves_the_window(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    say(&w, &(struct say){.kind = "labour.order_disobeyed", .at = DAY(0), .people = 10, .amount = 3000000});
    assert_int_equal(world_last(&w)->level, LEVEL_CRITICAL);
    int64_t due;
    while ((due = engine_next_due(w.engine)) <= DAY(730))
        world_tick(&w, due);
    assert_int_equal(world_last(&w)->level, LEVEL_CRITICAL);
    assert_int_equal(due, DAY(730) + 1);
    world_tick(&w, due);
    assert_int_equal(world_last(&w)->level, LEVEL_GENERAL);
    world_finish(&w);
}

/* ---- what no longer counts ---- */

static void test_cancelled_and_cleared(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    say(&w, &(struct say){.id = "big", .kind = "petition.visit", .at = DAY(0), .people = 30, .amount = 9000000});
    say(&w, &(struct say){.kind = "labour.order_disobeyed", .at = DAY(1), .people = 4});
    assert_true(line(&w, "crime")->met);
    say(&w, &(struct say){.id = "not", .cancels = "big", .kind = "petition.visit", .at = DAY(2)});
    assert_false(line(&w, "crime")->met);
    assert_int_equal(line(&w, "crime")->people, 4);
    say(&w, &(struct say){.kind = "labour.order_obeyed", .at = DAY(3)});
    say(&w, &(struct say){.kind = "tax.arrears", .at = DAY(4)});
    assert_int_equal(line(&w, "crime")->people, NO_INT);
    assert_true(line(&w, "crime")->short_order);
    world_finish(&w);
}

/* ---- thousands of signals, in any order ---- */

enum { MANY = 3000 };

static struct say nth(uint32_t i)
{
    struct say s = {.kind = "hotline.complaint", .at = DAY(-900) + (int64_t)i * DAY_MS / 4, .people = 1 + i * 7919 % 2999};
    s.amount = 100 * (1 + (int64_t)i * 104729 % 9973);
    s.since = s.at - (int64_t)(i * 1231 % 2999) * DAY_MS;
    return s;
}

/* The plain way, over all of them. */
static void plain(int64_t at, const bool *gone, int64_t *people, int64_t *amount, int64_t *since)
{
    *people = *amount = NO_INT;
    *since = INT64_MAX;
    for (uint32_t i = 0; i < MANY; i++) {
        struct say s = nth(i);
        if (gone[i] || s.at < at - 730 * DAY_MS)
            continue;
        *people = s.people > *people ? s.people : *people;
        *amount = s.amount > *amount ? s.amount : *amount;
        *since = s.since < *since ? s.since : *since;
    }
}

static void assert_plain(struct world *w, const bool *gone)
{
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    int64_t people, amount, since;
    const struct assessed *x = line(w, "crime");
    assert_non_null(world_record(w, &key));
    plain(world_last(w)->at, gone, &people, &amount, &since);
    assert_int_equal(x->people, people);
    assert_int_equal(x->amount, amount);
    int64_t days = (world_last(w)->at - since) / DAY_MS; /* 146,097 days are 4,800 months */
    int64_t about = days * 4800 / 146097;
    assert_true(x->months >= about - 1 && x->months <= about + 1);
}

/* Of people, of the sum, of the time owed. */
static uint32_t largest(uint32_t of, const bool *gone, int64_t from)
{
    uint32_t which = 0;
    int64_t most = INT64_MIN;
    for (uint32_t i = 0; i < MANY; i++) {
        struct say s = nth(i);
        int64_t v = of == 0 ? s.people : of == 1 ? s.amount : -s.since;
        if (!gone[i] && s.at >= from && v > most) {
            most = v;
            which = i;
        }
    }
    return which;
}

/* A block that was cleared in part. */
static void test_cleared_in_the_middle(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    w.now = DAY(200);
    for (uint32_t i = 0; i < 150; i++)
        say(&w, &(struct say){.kind = "hotline.complaint", .at = DAY(0) + i * DAY_MS / 2, .people = 500 - i});
    say(&w, &(struct say){.kind = "subdistrict.wages_paid", .at = DAY(30)});
    assert_int_equal(line(&w, "crime")->people, 500 - 61);
    world_finish(&w);
}

static void test_many_in_any_order(void **state)
{
    (void)state;
    static bool gone[MANY];
    struct world w;
    begin(&w);
    memset(gone, 0, sizeof gone);
    w.now = DAY(1);
    for (uint32_t k = 0; k < MANY; k++) {
        uint32_t i = k * 1009 % MANY;
        struct say s = nth(i);
        s.id = arena_printf(&w.arena, "m%u", i);
        say(&w, &s);
    }
    assert_plain(&w, gone);
    for (uint32_t k = 0; k < 60; k++) { /* the largest go */
        uint32_t which = largest(k % 3, gone, world_last(&w)->at - 730 * DAY_MS);
        gone[which] = true;
        say(&w, &(struct say){.kind = "hotline.complaint", .cancels = arena_printf(&w.arena, "m%u", which), .at = DAY(1)});
        assert_plain(&w, gone);
    }
    world_finish(&w);
}

/* ---- the table ---- */

static size_t read_table(struct arena *a, const char *text, struct mistakes *m, struct tree **out)
{
    *m = (struct mistakes){.arena = a, .file = "thresholds.csv"};
    *out = settings_tree_thresholds(a, m->file, slice_of(text), m);
    return m->total;
}

static void test_all_mistakes_with_lines(void **state)
{
    (void)state;
    struct arena a = {0};
    struct mistakes m;
    struct tree *t;
    assert_int_equal(read_table(&a, "region,line\n", &m, &t), 1);
    assert_int_equal(m.list[0].line, 1);
    size_t n = read_table(&a,
                          "region,line,people,months,amount_yuan,order,incident,source,date\n"
                          "3x,crime,1,3,5000,yes,no,a,\n"
                          "*,,1,3,5000,yes,no,a,\n"
                          "*,crime,one,3,5000.5,perhaps,no,a,\n"
                          "*,crime,,,,,,a,\n"
                          "*,crime,1,3\n"
                          "*,crime,1,3,5000,yes,no,a,2013-02-30\n"
                          "*,crime,1,3,5000,yes,no,a,2013-01-23\n",
                          &m, &t);
    static const uint32_t lines[] = {2, 3, 4, 4, 4, 5, 6, 7};
    assert_int_equal(n, ARRAY_LEN(lines));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(m.list[i].line, lines[i]);
    arena_finish(&a);
}

static void test_yuan_become_fen(void **state)
{
    (void)state;
    struct arena a = {0};
    struct mistakes m;
    struct tree *t;
    assert_int_equal(read_table(&a, table, &m, &t), 0);
    assert_int_equal(t->n, 6);
    int64_t v;
    assert_true(tree_int(tree_get(t->items[0], "amount"), &v));
    assert_int_equal(v, 500000);
    assert_null(tree_get(t->items[0], "region"));
    arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_of_it),       cmocka_unit_test(test_largest_not_sum),
        cmocka_unit_test(test_nearest_by_share),
        cmocka_unit_test(test_region_decides),    cmocka_unit_test(test_incident_instead),
        cmocka_unit_test(test_months_come_by_the_clock), cmocka_unit_test(test_leaves_the_window),
        cmocka_unit_test(test_cancelled_and_cleared),    cmocka_unit_test(test_many_in_any_order), cmocka_unit_test(test_cleared_in_the_middle),
        cmocka_unit_test(test_all_mistakes_with_lines),  cmocka_unit_test(test_yuan_become_fen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
