/* SPDX-License-Identifier: Apache-2.0 */
/* Measures that outlive their case: terms of civil months and years, a listing that goes on after the close,
 * ends by itself or early by a step, and money paid in advance until it is recovered. */
#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/world.h"
#include "test.h"

#include <stdlib.h>

#define HOUR INT64_C(3600000)

static const char deadlines[] =
    "version: 1\naccept: {general: 0wd}\nverify: {general: 10d}\nclose: {general: 60wd}\n"
    "follow_up: {after: 30d, share: 0}\n";

static const char measures[] =
    "version: 1\nmeasures:\n"
    "  - {id: talk, name: {zh: 约谈, en: talk}, due: 3wd}\n"
    "  - {id: listing, name: {zh: 列入名单, en: listed}, wants: [ref], lasts: 3y, may_end_after: 6mo}\n"
    "  - {id: pledge, name: {zh: 承诺, en: pledge}, lasts: 10d, roles: [operator]}\n"
    "  - {id: fund, name: {zh: 垫付, en: fund}, wants: [ref, amount], recover: true}\n";

static const struct world_work all_work = {.measures = measures, .deadlines = deadlines};

static int64_t day(int year, int month, int d)
{
    return civil_to_ms(year, month, d, OFFSET_CHINA_MS);
}

/* 2026-04-15, 10:00: an alert that was verified. */
static const int64_t ten = 10 * HOUR;

static enum wire_error act(struct world *w, uint64_t alert, const char *what, const char *measure,
                           const char *ref, int64_t amount, int64_t at)
{
    struct entry_action x = world_action(alert, what);
    x.finding = slice_of(strcmp(what, "verify") == 0 ? "confirmed" : "");
    x.outcome = slice_of(strcmp(what, "close") == 0 ? "other" : "");
    x.measure = slice_of(measure);
    x.ref = slice_of(ref);
    x.amount = amount;
    x.people = 3;
    return world_act(w, &x, at);
}

static void say(struct world *w, const char *code, const char *name, int64_t at)
{
    world_say(
        w,
        &(struct say){
            .kind = "subdistrict.wage_delay", .at = at, .uscc = code, .name = name, .region = "330482001"});
    world_say(
        w, &(struct say){
               .kind = "police.owner_missing", .at = at, .uscc = code, .name = name, .region = "330482001"});
}

static void begin_at(struct world *w, int64_t at)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &all_work, at - DAY_MS);
    say(w, CODE_A, NULL, at);
    assert_int_equal(act(w, 1, "accept", "", "", NO_INT, at), 0);
    assert_int_equal(act(w, 1, "verify", "", "", NO_INT, at), 0);
}

static void begin(struct world *w)
{
    begin_at(w, day(2026, 4, 15) + ten);
}

static void pass(struct world *w, int64_t until)
{
    for (int64_t next; (next = engine_next_due(w->engine)) <= until;)
        world_tick(w, next);
    world_tick(w, until);
}

static struct alert alert_of(struct world *w, uint64_t number)
{
    struct alert a;
    assert_true(alert_load(w->engine, number, &a));
    return a;
}

/* The last event of a type; NULL: none. *n: how many there were. */
static const struct event *last(struct world *w, enum event_type type, size_t *n)
{
    const struct event *found = NULL;
    *n = 0;
    for (size_t i = 0; i < w->out.n; i++)
        if (w->out.events[i].ev.type == type) {
            found = &w->out.events[i].ev;
            ++*n;
        }
    return found;
}

#define AT(w, when) assert_true(last(w, EVENT_MEASURE_ENDED, &n)->at == (when))

/* ---- terms ---- */

static void civil_months_end_with_their_day(void **unused)
{
    (void)unused;
    static const struct {
        const char *term;
        int y, m, d, end_y, end_m, end_d; /* the last day that it has */
    } rows[] = {
        {"3y", 2026, 11, 25, 2029, 11, 25},   {"3y", 2028, 2, 29, 2031, 2, 28},
        {"4y", 2024, 2, 29, 2028, 2, 29},     {"1mo", 2026, 1, 31, 2026, 2, 28},
        {"6mo", 2026, 8, 31, 2027, 2, 28},    {"6mo", 2026, 7, 1, 2027, 1, 1},
        {"12mo", 2026, 12, 31, 2027, 12, 31}, {"1y", 2026, 1, 1, 2027, 1, 1},
    };
    struct work w = {.timezone = OFFSET_CHINA_MS};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int64_t hour = 0; hour < 24; hour += 23) {
            struct term t;
            assert_true(term_parse(slice_of(rows[i].term), &t));
            int64_t end = term_end(&w, &t, day(rows[i].y, rows[i].m, rows[i].d) + hour * HOUR);
            assert_true(end == day(rows[i].end_y, rows[i].end_m, rows[i].end_d) + DAY_MS);
        }
    static const char *const bad[] = {"0y", "y", "11y", "mo", "0mo", "121mo", "1.5y", "-1y", "3 y", "3Y"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct term t;
        if (term_parse(slice_of(bad[i]), &t))
            fail_msg("%s was taken", bad[i]);
    }
    struct term minutes;
    assert_true(term_parse(SLICE("6m"), &minutes) && minutes.ms == 6 * 60000); /* minutes, as ever */
}

/* ---- a listing ---- */

static void a_listing_runs_three_years_whatever_becomes_of_the_case(void **unused)
{
    (void)unused;
    struct world w;
    size_t n;
    int64_t at = day(2026, 4, 15) + ten;
    begin(&w);
    assert_int_equal(act(&w, 1, "dispose", "talk", "", NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "dispose", "listing", "7", NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "close", "", "", NO_INT, at + HOUR), 0);
    struct alert a = alert_of(&w, 1);
    assert_int_equal(a.h.taken[0].state, TAKEN_ENDED);
    assert_true(!taken_goes_on(&a.h.taken[0]) && taken_goes_on(&a.h.taken[1]));
    pass(&w, day(2029, 4, 16) - 1);
    assert_null(last(&w, EVENT_MEASURE_ENDED, &n));
    pass(&w, day(2029, 4, 16));
    const struct event *ev = last(&w, EVENT_MEASURE_ENDED, &n);
    assert_int_equal(n, 1);
    assert_true(ev->at == day(2029, 4, 16) && ev->alert == 1 && slice_is(ev->measure, "listing") &&
                slice_is(ev->ref, "7"));
    assert_true(ev->principal.n == 0 && ev->state == ALERT_STATE_CLOSED && ev->people == 3);
    a = alert_of(&w, 1);
    assert_true(!taken_goes_on(&a.h.taken[1]));
    pass(&w, day(2032, 1, 1));
    last(&w, EVENT_MEASURE_ENDED, &n);
    assert_int_equal(n, 1);
    last(&w, EVENT_OVERDUE, &n);
    assert_int_equal(n, 0);
    world_finish(&w);
}

static void it_may_end_early_from_a_day_on(void **unused)
{
    (void)unused;
    struct world w;
    size_t n;
    begin(&w);
    assert_int_equal(act(&w, 1, "dispose", "listing", "7", NO_INT, day(2026, 4, 15) + ten), 0);
    assert_int_equal(act(&w, 1, "close", "", "", NO_INT, day(2026, 4, 16)), 0);
    assert_int_equal(act(&w, 1, "end", "listing", "7", NO_INT, day(2026, 10, 16) - 1),
                     WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "from 2026-10-16 on"));
    assert_int_equal(act(&w, 1, "end", "", "", NO_INT, day(2026, 10, 16)), WIRE_ERROR_MISSING_FIELD);
    assert_int_equal(act(&w, 1, "end", "talk", "", NO_INT, day(2026, 10, 16)), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "listing (7)"));
    assert_int_equal(act(&w, 1, "end", "listing", "8", NO_INT, day(2026, 10, 16)), WIRE_ERROR_WRONG_STATE);
    assert_int_equal(act(&w, 1, "end", "listing", "", NO_INT, day(2026, 10, 16)), 0); /* there is but one */
    const struct event *ev = last(&w, EVENT_MEASURE_ENDED, &n);
    assert_true(n == 1 && slice_is(ev->ref, "7") && ev->principal.n > 0);
    assert_int_equal(act(&w, 1, "end", "listing", "7", NO_INT, day(2026, 10, 17)), WIRE_ERROR_WRONG_STATE);
    pass(&w, day(2030, 1, 1));
    last(&w, EVENT_MEASURE_ENDED, &n);
    assert_int_equal(n, 1);
    world_finish(&w);
}

static void one_that_may_not_end_early_runs_to_its_day(void **unused)
{
    (void)unused;
    struct world w;
    size_t n;
    int64_t at = day(2026, 4, 15) + ten;
    begin(&w);
    struct entry_action x = world_action(1, "dispose");
    x.measure = SLICE("pledge");
    x.role = SLICE("operator");
    assert_int_equal(world_act(&w, &x, at), 0);
    x.what = SLICE("end");
    x.role = SLICE("inspector");
    assert_int_equal(world_act(&w, &x, at + DAY_MS), WIRE_ERROR_DENIED);
    x.role = SLICE("operator");
    assert_int_equal(world_act(&w, &x, at + DAY_MS), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "by itself on 2026-04-25 10:00"));
    assert_non_null(strstr(w.out.sentence, "correct"));
    pass(&w, at + 10 * DAY_MS);
    AT(&w, at + 10 * DAY_MS);
    assert_int_equal(n, 1);
    world_finish(&w);
}

static void what_is_undone_comes_back_but_what_is_over_stays_over(void **unused)
{
    (void)unused;
    struct world w;
    size_t n;
    int64_t at = day(2026, 4, 15) + ten;
    begin(&w);
    assert_int_equal(act(&w, 1, "dispose", "listing", "7", NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "end", "listing", "7", NO_INT, day(2026, 12, 1)), 0);
    struct entry_action x = world_action(1, "correct");
    x.undo = alert_of(&w, 1).h.undo_entry;
    assert_int_equal(world_act(&w, &x, day(2026, 12, 2)), 0);
    struct alert a = alert_of(&w, 1);
    assert_true(taken_goes_on(&a.h.taken[0]) && a.h.taken[0].ends == day(2029, 4, 16));
    assert_int_equal(act(&w, 1, "dispose", "fund", "9", 500, day(2026, 12, 3)), 0);
    pass(&w, day(2029, 5, 1));
    last(&w, EVENT_MEASURE_ENDED, &n);
    assert_int_equal(n, 2);
    x.undo = alert_of(&w, 1).h.undo_entry;
    assert_int_equal(world_act(&w, &x, day(2029, 5, 2)), 0);
    a = alert_of(&w, 1);
    assert_true(a.h.n_taken == 1 && !taken_goes_on(&a.h.taken[0]));
    pass(&w, day(2031, 1, 1));
    last(&w, EVENT_MEASURE_ENDED, &n);
    assert_int_equal(n, 2);
    world_finish(&w);
}

/* ---- money ---- */

static void money_waits_until_all_of_it_is_back(void **unused)
{
    (void)unused;
    struct world w;
    size_t n;
    int64_t at = day(2026, 4, 15) + ten;
    begin(&w);
    assert_int_equal(act(&w, 1, "dispose", "fund", "9", 100000, at), 0);
    assert_int_equal(act(&w, 1, "recovered", "fund", "9", 30000, at), 0);
    assert_int_equal(act(&w, 1, "close", "", "", NO_INT, at), 0);
    struct alert a = alert_of(&w, 1);
    assert_true(taken_goes_on(&a.h.taken[0]) && taken_owed(&a.h.taken[0]) == 70000);
    assert_int_equal(act(&w, 1, "recovered", "fund", "9", NO_INT, at + DAY_MS), WIRE_ERROR_MISSING_FIELD);
    assert_int_equal(act(&w, 1, "recovered", "fund", "9", 0, at + DAY_MS), WIRE_ERROR_BAD_FIELD);
    assert_int_equal(act(&w, 1, "recovered", "fund", "9", 70001, at + DAY_MS), WIRE_ERROR_BAD_FIELD);
    assert_non_null(strstr(w.out.sentence, "700.00 yuan"));
    assert_int_equal(act(&w, 1, "end", "fund", "9", NO_INT, at + DAY_MS), WIRE_ERROR_WRONG_STATE);
    assert_int_equal(act(&w, 1, "recovered", "fund", "9", 70000, at + DAY_MS), 0);
    const struct event *ev = last(&w, EVENT_RECOVERED, &n);
    assert_true(n == 2 && ev->amount == 70000 && slice_is(ev->ref, "9"));
    assert_int_equal(act(&w, 1, "recovered", "fund", "9", 1, at + DAY_MS), WIRE_ERROR_WRONG_STATE);
    a = alert_of(&w, 1);
    assert_true(!taken_goes_on(&a.h.taken[0]) && a.h.taken[0].recovered == 100000);
    world_finish(&w);
}

static void taken_anew_it_is_the_same_money(void **unused)
{
    (void)unused;
    struct world w;
    int64_t at = day(2026, 4, 15) + ten;
    begin(&w);
    assert_int_equal(act(&w, 1, "dispose", "fund", "9", 1000, at), 0);
    assert_int_equal(act(&w, 1, "recovered", "fund", "9", 400, at), 0);
    assert_int_equal(act(&w, 1, "dispose", "fund", "9", 1500, at), 0); /* it was more */
    struct alert a = alert_of(&w, 1);
    assert_int_equal(a.h.n_taken, 2);
    assert_true(!taken_goes_on(&a.h.taken[0]) && !a.h.taken[0].recover && taken_owed(&a.h.taken[1]) == 1100);
    world_finish(&w);
}

/* ---- another alert in its place ---- */

static void they_go_along_with_the_enterprise(void **unused)
{
    (void)unused;
    struct world w;
    size_t n;
    int64_t at = day(2026, 4, 15) + ten;
    begin(&w);
    assert_int_equal(act(&w, 1, "dispose", "listing", "7", NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "dispose", "fund", "9", 1000, at), 0);
    assert_int_equal(act(&w, 1, "close", "", "", NO_INT, at), 0);
    pass(&w, day(2027, 4, 15));
    say(&w, CODE_A, NULL, day(2027, 4, 15)); /* longer than what reopens: a new alert */
    const struct event *ev = last(&w, EVENT_RAISED, &n);
    assert_int_equal(n, 2);
    uint64_t second = ev->alert;
    struct alert old = alert_of(&w, 1), now = alert_of(&w, second);
    assert_int_equal(now.h.n_taken, 2);
    assert_true(taken_goes_on(&now.h.taken[0]) && taken_goes_on(&now.h.taken[1]));
    for (uint32_t i = 0; i < old.h.n_taken; i++)
        assert_true(!taken_goes_on(&old.h.taken[i]) && !old.h.taken[i].recover);
    assert_int_equal(act(&w, 1, "end", "listing", "7", NO_INT, day(2027, 4, 16)), WIRE_ERROR_WRONG_STATE);
    assert_int_equal(act(&w, second, "recovered", "fund", "9", 1000, day(2027, 4, 16)), 0);
    pass(&w, day(2029, 4, 16));
    ev = last(&w, EVENT_MEASURE_ENDED, &n);
    assert_true(n == 1 && ev->alert == second && ev->at == day(2029, 4, 16));
    world_finish(&w);
}

/* By name first, closed and listed; then the code comes, which has an open alert of its own. */
static void they_go_along_when_two_become_one(void **unused)
{
    (void)unused;
    static const char name[] = "平湖某制衣厂";
    struct world w;
    size_t n;
    int64_t at = day(2026, 4, 15) + ten;
    world_init(&w, NULL);
    world_config_work(&w, NULL, &all_work, at - DAY_MS);
    say(&w, NULL, name, at);
    assert_int_equal(act(&w, 1, "accept", "", "", NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "verify", "", "", NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "dispose", "listing", "7", NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "close", "", "", NO_INT, at), 0);
    say(&w, CODE_B, NULL, at + DAY_MS);
    world_say(&w, &(struct say){.kind = "tax.arrears",
                                .at = at + 2 * DAY_MS,
                                .uscc = CODE_B,
                                .name = name,
                                .region = "330482001"});
    pass(&w, day(2029, 4, 17));
    const struct event *ev = last(&w, EVENT_MEASURE_ENDED, &n);
    assert_int_equal(n, 1);
    assert_true(ev->at == day(2029, 4, 16) && slice_is(ev->uscc, CODE_B));
    world_finish(&w);
}

static void there_is_room_for_so_many(void **unused)
{
    (void)unused;
    struct world w;
    int64_t at = day(2026, 4, 15) + ten;
    begin(&w);
    for (int i = 0; i < MEASURES_TAKEN_MAX; i++)
        assert_int_equal(act(&w, 1, "dispose", "listing", arena_printf(&w.arena, "%d", i), NO_INT, at), 0);
    assert_int_equal(act(&w, 1, "dispose", "talk", "", NO_INT, at), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "end one first"));
    assert_int_equal(act(&w, 1, "end", "listing", "31", NO_INT, day(2027, 1, 1)), 0);
    assert_int_equal(act(&w, 1, "dispose", "talk", "", NO_INT, day(2027, 1, 1)), 0);
    struct alert a = alert_of(&w, 1);
    assert_int_equal(a.h.n_taken, MEASURES_TAKEN_MAX);
    assert_true(slice_is(a.h.taken[MEASURES_TAKEN_MAX - 2].ref, "30") &&
                slice_is(a.h.taken[MEASURES_TAKEN_MAX - 1].measure, "talk"));
    world_finish(&w);
}

int main(void)
{
#define TEST(f) cmocka_unit_test(f)
    static const struct CMUnitTest tests[] = {
        TEST(civil_months_end_with_their_day),
        TEST(a_listing_runs_three_years_whatever_becomes_of_the_case),
        TEST(it_may_end_early_from_a_day_on),
        TEST(one_that_may_not_end_early_runs_to_its_day),
        TEST(what_is_undone_comes_back_but_what_is_over_stays_over),
        TEST(money_waits_until_all_of_it_is_back),
        TEST(taken_anew_it_is_the_same_money),
        TEST(they_go_along_with_the_enterprise),
        TEST(they_go_along_when_two_become_one),
        TEST(there_is_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
