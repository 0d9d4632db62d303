/* SPDX-License-Identifier: Apache-2.0 */
/* The fold by example: what signals make of an enterprise, event by event. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/fold.h"
#include "tests/support/world.h"

#define SAY(w, ...) world_say((w), &(struct say){__VA_ARGS__})

static int begin(void **state)
{
    *state = calloc(1, sizeof(struct world));
    world_init(*state, NULL);
    return 0;
}

static int end(void **state)
{
    world_finish(*state);
    free(*state);
    return 0;
}

static void three_agencies_raise_two_do_not(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .uscc = CODE_A);
    SAY(w, .kind = "market.chattel_mortgage", .at = DAY(9), .uscc = CODE_A);
    assert_int_equal(w->out.n, 0);
    SAY(w, .kind = "utility.bill_overdue", .at = DAY(45), .uscc = CODE_A);
    assert_int_equal(w->out.n, 1);
    const struct event *ev = world_last(w);
    assert_int_equal(ev->type, EVENT_RAISED);
    assert_int_equal(ev->level, LEVEL_MAJOR);
    assert_int_equal(ev->n_reasons, 1);
    assert_int_equal(ev->reasons[0].signals_total, 3);
    assert_int_equal(ev->n_evidence, 3);
    assert_true(slice_is(ev->uscc, CODE_A));
    uint64_t shares = 0;
    for (uint32_t i = 0; i < ev->n_evidence; i++)
        shares += ev->evidence[i].share_ppm;
    assert_int_equal(shares, 1000000);
}

static void the_third_agency_a_day_late(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .uscc = CODE_A);
    SAY(w, .kind = "market.chattel_mortgage", .at = DAY(9), .uscc = CODE_A);
    SAY(w, .kind = "utility.bill_overdue", .at = DAY(45) + 1, .uscc = CODE_A);
    assert_int_equal(w->out.n, 0);
}

static void score_is_the_formula(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "police.owner_missing", .at = DAY(0), .uscc = CODE_A);
    assert_string_equal(world_story(w, 0), "raised major 75.00 score");
    SAY(w, .kind = "subdistrict.wage_delay", .at = DAY(4), .uscc = CODE_A, .people = 60);
    double h = -log(0.25) * exp2(-4.0 / 180) - log(0.5);
    const struct event *ev = world_last(w);
    assert_int_equal(ev->type, EVENT_UPGRADED);
    assert_int_equal(ev->level, LEVEL_CRITICAL);
    assert_in_range(ev->score, (int)(1e4 * (1 - exp(-h))) - 1, (int)(1e4 * (1 - exp(-h))) + 1);
}

static void one_agency_alone_stays_at_major(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "police.owner_missing", .at = DAY(0), .uscc = CODE_A);
    SAY(w, .kind = "police.owner_detained", .at = DAY(1), .uscc = CODE_A);
    SAY(w, .kind = "police.fraud_case", .at = DAY(1), .uscc = CODE_A);
    assert_int_equal(world_last(w)->level, LEVEL_MAJOR);
    assert_true(world_last(w)->score > 8500);
    SAY(w, .kind = "tax.filing_missed", .at = DAY(1), .uscc = CODE_A);
    assert_int_equal(world_last(w)->type, EVENT_UPGRADED);
}

static void repeats_count_half(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "subdistrict.shutdown", .at = DAY(0), .uscc = CODE_A);
    SAY(w, .kind = "subdistrict.shutdown", .at = DAY(7), .uscc = CODE_A);
    double h = -log(0.6) * (exp2(-7.0 / 60) + 0.5);
    assert_in_range(world_last(w)->score, (int)(1e4 * (1 - exp(-h))) - 1, (int)(1e4 * (1 - exp(-h))) + 1);
    SAY(w, .kind = "subdistrict.shutdown", .at = DAY(6), .uscc = CODE_A); /* late: re-ranks the second */
    h = -log(0.6) * (exp2(-7.0 / 60) + 0.5 * exp2(-1.0 / 60) + 0.25);
    assert_in_range(world_last(w)->score, (int)(1e4 * (1 - exp(-h))) - 1, (int)(1e4 * (1 - exp(-h))) + 1);
}

static void clearing_ends_what_came_before(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "court.seizure", .at = DAY(0), .uscc = CODE_A);
    SAY(w, .kind = "subdistrict.wage_delay", .at = DAY(1), .uscc = CODE_A);
    assert_string_equal(event_wire(world_last(w)->type), "raised");
    SAY(w, .kind = "subdistrict.wages_paid", .at = DAY(3), .uscc = CODE_A);
    SAY(w, .kind = "court.released", .at = DAY(3), .uscc = CODE_A);
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    SAY(w, .kind = "subdistrict.wage_delay", .at = DAY(3), .uscc = CODE_A); /* not after it: cleared on arrival */
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    SAY(w, .kind = "subdistrict.wage_delay", .at = DAY(3) + 1, .uscc = CODE_A);
    assert_int_equal(world_last(w)->type, EVENT_REOPENED);
    assert_int_equal(world_last(w)->alert, 1);
}

static void a_cancelled_signal_never_came(void **state)
{
    struct world *w = *state;
    SAY(w, .id = "x", .kind = "police.owner_missing", .at = DAY(0), .uscc = CODE_A);
    assert_int_equal(SAY(w, .kind = "police.fraud_case", .at = DAY(1), .uscc = CODE_A, .cancels = "x"),
                     SCREEN_UNKNOWN_CANCEL);
    assert_int_equal(SAY(w, .kind = "police.owner_missing", .at = DAY(1), .uscc = CODE_B, .cancels = "x"),
                     SCREEN_UNKNOWN_CANCEL);
    assert_int_equal(SAY(w, .kind = "police.owner_missing", .at = DAY(1), .uscc = CODE_A, .cancels = "y"),
                     SCREEN_UNKNOWN_CANCEL);
    assert_int_equal(SAY(w, .id = "c", .kind = "police.owner_missing", .at = DAY(1), .uscc = CODE_A, .cancels = "x"),
                     SCREEN_NEW);
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    assert_int_equal(SAY(w, .kind = "police.owner_missing", .at = DAY(1), .uscc = CODE_A, .cancels = "c"),
                     SCREEN_UNKNOWN_CANCEL);
    assert_int_equal(SAY(w, .kind = "police.owner_missing", .at = DAY(1), .uscc = CODE_A, .cancels = "x"), SCREEN_NEW);
    assert_int_equal(w->out.n, 2);
}

static void the_same_id_is_a_duplicate(void **state)
{
    struct world *w = *state;
    assert_int_equal(SAY(w, .id = "x", .kind = "court.seizure", .at = DAY(0), .uscc = CODE_A), SCREEN_NEW);
    assert_int_equal(SAY(w, .id = "x", .kind = "court.seizure", .at = DAY(0), .uscc = CODE_B), SCREEN_DUPLICATE);
    assert_int_equal(SAY(w, .id = "x", .source = "other", .kind = "court.seizure", .at = DAY(0), .uscc = CODE_A),
                     SCREEN_NEW);
}

static void decay_is_noticed_to_the_millisecond(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "subdistrict.gathering", .at = DAY(0), .uscc = CODE_A); /* 50 points, half-life 45 days */
    assert_string_equal(world_story(w, 0), "raised general 50.00 score");
    world_tick(w, DAY(400));
    assert_int_equal(w->out.n, 2);
    const struct event *ev = world_last(w);
    assert_int_equal(ev->type, EVENT_WITHDRAWN);
    /* 32 points left: -ln 0.68 = ln 2 * 2^(-t/45) */
    double days = 45 * log2(log(2) / -log(0.68));
    assert_true(fabs((double)(ev->at - DAY(0)) / 86400000 - days) < 0.001);
}

static void season_raises_and_lets_go(void **state)
{
    struct world *w = *state;
    /* 35 points; the season before 2027-02-06 (from 2026-12-08 on) multiplies the hazard by 1.25: over 40 */
    int64_t begins = INT64_C(1796659200000), ends = begins + 60 * DAY_MS;
    SAY(w, .kind = "court.seizure", .at = begins - 3 * DAY_MS, .uscc = CODE_A);
    assert_int_equal(w->out.n, 0);
    world_tick(w, ends + DAY_MS);
    assert_int_equal(w->out.n, 2);
    assert_int_equal(w->out.events[0].ev.type, EVENT_RAISED);
    assert_true(w->out.events[0].ev.at == begins);
    assert_int_equal(w->out.events[1].ev.type, EVENT_WITHDRAWN);
    assert_true(w->out.events[1].ev.at <= ends);
}

static void names_bind_whatever_the_order(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "court.wage_suit", .at = DAY(0), .name = "甲公司");
    assert_string_equal(world_story(w, 0), "raised general 40.00 score");
    assert_true(world_last(w)->uscc.n == 0);
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .name = "甲公司");
    struct ekey code = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A)), name = ekey_of_name(STATUS_ACTUAL, SLICE("甲公司"));
    assert_null(world_record(w, &name));
    const struct record *c = world_record(w, &code);
    assert_non_null(c);
    assert_int_equal(c->n_series, 2);
    assert_int_equal(world_last(w)->alert, 1); /* the provisional one's alert goes with it */
    assert_true(slice_is(world_last(w)->uscc, CODE_A));
    /* a second code bears the name: what came by name alone is nobody's until a person says whose */
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_B, .name = "甲公司");
    const struct record *n = world_record(w, &name);
    assert_non_null(n);
    assert_true(n->unresolved);
    c = world_record(w, &code);
    assert_int_equal(c->n_series, 1);
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    SAY(w, .kind = "police.owner_missing", .at = DAY(2), .name = "甲公司");
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
}

static void exercises_have_a_space_of_their_own(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "police.owner_missing", .at = DAY(0), .uscc = CODE_A, .status = STATUS_EXERCISE);
    assert_int_equal(ekey_status(&world_last(w)->key), STATUS_EXERCISE);
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .uscc = CODE_A);
    assert_int_equal(w->out.n, 1);
    struct ekey code = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    assert_int_equal(world_record(w, &code)->score, 1000);
}

static void a_level_is_held_by_hysteresis(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "court.wage_suit", .at = DAY(0), .uscc = CODE_A);    /* 40 */
    world_tick(w, DAY(30));                                             /* about 35: above 32 */
    assert_int_equal(w->out.n, 1);
    world_tick(w, DAY(200));
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
}

static void an_accepted_alert_waits_for_its_team(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "court.seizure", .at = DAY(0), .uscc = CODE_A);
    SAY(w, .kind = "subdistrict.relocation", .at = DAY(0), .uscc = CODE_A);
    struct entry_action x = {.principal = SLICE("team"), .what = SLICE("accept"), .alert = 1, .may = 1,
        .people = NO_INT, .amount = NO_INT, .due = NO_INT, .until = NO_INT, .paid_people = NO_INT, .paid_amount = NO_INT};
    buf_reset(&w->buf);
    entry_put_action(&w->buf, &x);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, DAY(1));
    assert_int_equal(w->out.refused, 0);
    assert_int_equal(world_last(w)->type, EVENT_ACCEPTED);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, DAY(1));
    assert_int_equal(w->out.refused, WIRE_ERROR_WRONG_STATE);
    SAY(w, .kind = "court.released", .at = DAY(2), .uscc = CODE_A);
    world_tick(w, DAY(300));
    assert_int_equal(world_last(w)->type, EVENT_DOWNGRADED);
    assert_int_equal(world_last(w)->level, LEVEL_NONE);
}

static void new_rules_are_told_as_such(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "court.seizure", .at = DAY(0), .uscc = CODE_A);
    assert_int_equal(w->out.n, 0);
    world_config(w, "version: 1\nscore: {levels: {general: 30, major: 65, critical: 85}, hysteresis: 8}\n"
                    "rules: [{id: score, title: {zh: 分, en: score}, when: {score: follow}, then: {raise: by_score}}]\n",
                 DAY(1));
    assert_true(engine_sweep_pending(w->engine));
    struct ekey code = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    buf_reset(&w->buf);
    entry_put_sweep(&w->buf, &code, 1);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, DAY(1));
    assert_int_equal(world_last(w)->type, EVENT_RAISED);
    assert_true(world_last(w)->rules_changed);
    buf_reset(&w->buf);
    entry_put_sweep(&w->buf, NULL, 0);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, DAY(1));
    assert_false(engine_sweep_pending(w->engine));
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(three_agencies_raise_two_do_not), T(the_third_agency_a_day_late), T(score_is_the_formula),
        T(one_agency_alone_stays_at_major), T(repeats_count_half), T(clearing_ends_what_came_before),
        T(a_cancelled_signal_never_came), T(the_same_id_is_a_duplicate), T(decay_is_noticed_to_the_millisecond),
        T(season_raises_and_lets_go), T(names_bind_whatever_the_order), T(exercises_have_a_space_of_their_own),
        T(a_level_is_held_by_hysteresis), T(an_accepted_alert_waits_for_its_team), T(new_rules_are_told_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
