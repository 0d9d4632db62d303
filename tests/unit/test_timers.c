/* SPDX-License-Identifier: Apache-2.0 */
/* Where the clock and a team's steps meet: what was promised stands, each tier has its own time, nothing is
 * told twice. */
#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/world.h"
#include "test.h"

#define HOUR INT64_C(3600000)

static const char deadlines[] =
    "version: 1\n"
    "accept: {general: 0wd, major: 0wd, critical: 2h}\n"
    "verify: {general: 10d, major: 7d, critical: 1d}\n"
    "close: {general: 10wd, major: 10wd, critical: 10wd}\n"
    "unattended: {general: 12h, major: 4h, critical: 30m}\n"
    "extend: 5wd\nhold_most: 20d\nsnooze_most: 30d\n"
    "settles: {paid: [subdistrict.wages_paid], false_claim: [hotline.resolved]}\n";

static const char measures[] =
    "version: 1\nmeasures:\n"
    "  - id: order\n    name: {zh: 指令书, en: order}\n    due: 3wd\n"
    "    silence: labour.order_disobeyed\n    answered_by: [labour.order_obeyed]\n";

static const char teams[] =
    "version: 1\ncovers: [\"330482\"]\n"
    "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n  - {id: county, zh: 县, en: county, "
    "escalate_after: 2wd}\n"
    "  - {id: city, zh: 市, en: city}\n"
    "joins: {general: town, major: county, critical: city}\n"
    "teams:\n"
    "  - {id: danghu, name: {zh: 当湖, en: danghu}, tier: town, regions: \"330482001\"}\n"
    "  - {id: towns, name: {zh: 其他, en: others}, tier: town, regions: \"330482\"}\n"
    "  - {id: pinghu, name: {zh: 平湖, en: pinghu}, tier: county, regions: \"330482\"}\n"
    "  - {id: jiaxing, name: {zh: 嘉兴, en: jiaxing}, tier: city, regions: \"3304\"}\n";

static const struct world_work all_work = {.teams = teams, .measures = measures, .deadlines = deadlines};

/* Wednesday 2026-04-15, 09:00 at +08:00. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static int64_t day_end(int month, int day)
{
    return civil_to_ms(2026, month, day, OFFSET_CHINA_MS) + DAY_MS;
}

static void say(struct world *w, const char *kind, int64_t at)
{
    world_say(w, &(struct say){.kind = kind, .at = at, .uscc = CODE_A, .region = "330482001"});
}

/* A world with one general alert, number 1, raised in the morning. */
static void begin(struct world *w)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &all_work, morning() - DAY_MS);
    say(w, "subdistrict.wage_delay", morning());
}

static struct alert alert_of(struct world *w, uint64_t number)
{
    struct alert a;
    assert_true(alert_load(w->engine, number, &a));
    return a;
}

static uint64_t done(struct world *w, struct entry_action x, int64_t at)
{
    enum wire_error refused = world_act(w, &x, at);
    if (refused)
        fail_msg("%.*s: %s", SLICE_ARG(x.what), w->out.sentence);
    return w->number;
}

static uint64_t act(struct world *w, const char *what, int64_t at)
{
    struct entry_action x = world_action(1, what);
    x.finding = SLICE("confirmed");
    x.measure = SLICE("order");
    x.team = SLICE("towns");
    x.has_note = true;
    x.people = (int64_t)w->number; /* found anew each time */
    x.until = at + 2 * DAY_MS;
    return done(w, x, at);
}

static void undo(struct world *w, uint64_t entry, int64_t at)
{
    struct entry_action x = world_action(1, "correct");
    x.undo = entry;
    done(w, x, at);
}

static void verified(struct world *w)
{
    begin(w);
    act(w, "accept", morning());
    act(w, "verify", morning());
}

static unsigned told(const struct world *w, enum event_type type)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->out.n; i++)
        n += w->out.events[i].ev.type == type;
    return n;
}

static const struct event *last_of(const struct world *w, enum event_type type)
{
    const struct event *ev = NULL;
    for (size_t i = 0; i < w->out.n; i++)
        if (w->out.events[i].ev.type == type)
            ev = &w->out.events[i].ev;
    assert_non_null(ev);
    return ev;
}

static bool is_for(const struct event *ev, const char *team)
{
    for (uint32_t i = 0; i < ev->n_teams; i++)
        if (slice_is(ev->teams[i], team))
            return true;
    return false;
}

/* A measure more gives no more time, and takes none that was given; overdue comes once. */
static void a_measure_moves_no_deadline(void **unused)
{
    (void)unused;
    struct world w;
    verified(&w);
    assert_true(alert_of(&w, 1).due == day_end(4, 29));
    act(&w, "extend", morning() + HOUR);
    assert_true(alert_of(&w, 1).due ==
                day_end(5, 9)); /* five working days more, over the holiday; the ninth is made up */
    act(&w, "hold", morning() + 2 * HOUR);
    act(&w, "dispose", morning() + 3 * HOUR); /* ends the hold */
    assert_true(alert_of(&w, 1).due == day_end(5, 9) + HOUR);
    world_tick(&w, day_end(5, 10));
    assert_int_equal(told(&w, EVENT_OVERDUE), 2); /* the order's, and this */
    act(&w, "verify", day_end(5, 10));
    world_tick(&w, day_end(5, 20));
    assert_int_equal(told(&w, EVENT_OVERDUE), 2);
    world_finish(&w);
}

static void no_extension_into_the_past(void **unused)
{
    (void)unused;
    struct world w;
    verified(&w);
    struct entry_action x = world_action(1, "extend");
    assert_int_equal(world_act(&w, &x, day_end(5, 12)), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "longer than it could be extended"));
    world_finish(&w);
}

/* A higher level has its shorter time from when it is higher; a lower one keeps what was promised. */
static void a_higher_level_counts_from_now(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    assert_true(alert_of(&w, 1).due == day_end(4, 15));
    for (int i = 0; i < 3; i++)
        say(&w, "hotline.group_complaint", morning() + 8 * HOUR);
    struct alert a = alert_of(&w, 1);
    assert_int_equal(a.level, LEVEL_CRITICAL);
    assert_true(a.due == morning() + 10 * HOUR && a.h.unattended_at == morning() + 8 * HOUR + HOUR / 2);
    say(&w, "hotline.resolved", morning() + 9 * HOUR);
    assert_true(alert_of(&w, 1).level < LEVEL_CRITICAL && alert_of(&w, 1).due == morning() + 10 * HOUR);
    world_finish(&w);
}

/* Called in by hand while it is overdue, the county has its own two days; a hold lets all of that stand
 * still. */
static void each_tier_has_its_own_time(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    int64_t noon = day_end(4, 15) + 12 * HOUR; /* Thursday; the county's turn by itself would be at 24:00 */
    act(&w, "escalate", noon);
    assert_true(alert_of(&w, 1).h.escalate_at == day_end(4, 20));
    act(&w, "hold", noon);
    world_tick(&w, day_end(4, 21));
    assert_int_equal(told(&w, EVENT_ESCALATED), 1);
    world_tick(&w, day_end(4, 22));
    assert_int_equal(told(&w, EVENT_ESCALATED), 2);
    assert_true(last_of(&w, EVENT_ESCALATED)->at == day_end(4, 22));
    world_finish(&w);
}

/* What is taken back takes back nothing that the clock has done since. */
static void correct_leaves_what_came_since(void **unused)
{
    (void)unused;
    struct world w;
    verified(&w);
    act(&w, "dispose", morning());
    uint64_t assigned = act(&w, "assign", morning() + HOUR);
    world_tick(&w, day_end(4, 20));
    assert_int_equal(told(&w, EVENT_OVERDUE), 1);
    undo(&w, assigned, day_end(4, 20));
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_SILENT);
    world_tick(&w, day_end(4, 21));
    assert_int_equal(told(&w, EVENT_OVERDUE), 1);
    uint64_t disposed = act(&w, "dispose", day_end(4, 21));
    world_tick(&w, day_end(5, 6)); /* overdue, and the county has it */
    assert_int_equal(alert_of(&w, 1).h.tier, 1);
    undo(&w, disposed, day_end(5, 6));
    assert_int_equal(alert_of(&w, 1).h.tier, 1);
    uint64_t up = act(&w, "escalate", day_end(5, 6));
    assert_int_equal(alert_of(&w, 1).h.tier, 2);
    undo(&w, up, day_end(5, 6));
    assert_int_equal(alert_of(&w, 1).h.tier, 1);
    world_finish(&w);
}

/* Accepted by mistake, and meanwhile nothing is left of it: it closes as if nobody had. */
static void an_acceptance_taken_back(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    uint64_t accepted = act(&w, "accept", morning());
    say(&w, "subdistrict.wages_paid", morning() + HOUR);
    assert_int_equal(alert_of(&w, 1).state, ALERT_STATE_ACCEPTED);
    undo(&w, accepted, morning() + 2 * HOUR);
    assert_int_equal(alert_of(&w, 1).state, ALERT_STATE_CLOSED);
    assert_int_equal(told(&w, EVENT_WITHDRAWN), 1);
    world_finish(&w);
}

static void good_news_breaks_no_snooze(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    say(&w, "tax.arrears", morning());
    act(&w, "accept", morning());
    act(&w, "snooze", morning());
    say(&w, "tax.settled", morning() + HOUR);
    assert_true(alert_of(&w, 1).h.snoozed_until != NO_INT);
    say(&w, "bank.loan_overdue", morning() + 2 * HOUR);
    assert_true(alert_of(&w, 1).h.snoozed_until == NO_INT);
    world_finish(&w);
}

/* Nobody looked in time: the next tier hears of it, until somebody does. */
static void the_next_tier_hears_that_nobody_looks(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    world_tick(&w, day_end(4, 15));
    const struct event *ev = last_of(&w, EVENT_UNATTENDED);
    assert_true(is_for(ev, "danghu") && is_for(ev, "pinghu") && ev->tier == 0 &&
                ev->at == morning() + 12 * HOUR);
    act(&w, "seen", day_end(4, 15));
    assert_false(is_for(world_last(&w), "pinghu"));
    world_finish(&w);
    begin(&w);
    act(&w, "seen", morning());
    world_tick(&w, day_end(4, 15));
    assert_int_equal(told(&w, EVENT_UNATTENDED), 0);
    assert_false(is_for(last_of(&w, EVENT_OVERDUE), "pinghu"));
    world_finish(&w);
}

/* Two enterprises turn out to be one: the order that runs in the younger alert runs on in the older one. */
static void an_order_survives_a_merge(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    world_say(&w,
              &(struct say){
                  .kind = "subdistrict.wage_delay", .at = morning(), .name = "某厂", .region = "330482001"});
    uint64_t younger = world_last(&w)->alert;
    assert_true(younger != 1);
    struct entry_action x = world_action(younger, "accept");
    x.finding = SLICE("confirmed");
    x.measure = SLICE("order");
    done(&w, x, morning());
    x.what = SLICE("verify");
    done(&w, x, morning());
    x.what = SLICE("dispose");
    done(&w, x, morning());
    world_say(&w, &(struct say){
                      .kind = "registry.profile", .at = morning() + HOUR, .name = "某厂", .uscc = CODE_A});
    assert_true(last_of(&w, EVENT_WITHDRAWN)->merged_into == 1);
    assert_int_equal(alert_of(&w, 1).state, ALERT_STATE_DISPOSED);
    world_tick(&w, day_end(4, 20));
    const struct event *ev = last_of(&w, EVENT_OVERDUE);
    assert_true(ev->alert == 1 && slice_is(ev->measure, "order") && ev->at == day_end(4, 20));
    world_finish(&w);
}

/* Obeyed in time, reported late: the silence had never been. Obeyed late: it had, and is settled. */
static void an_answer_reported_late(void **unused)
{
    (void)unused;
    for (int late = 0; late < 2; late++) {
        struct world w;
        verified(&w);
        act(&w, "dispose", morning());
        uint8_t before = alert_of(&w, 1).level;
        world_tick(&w, day_end(4, 20));
        assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_SILENT);
        assert_true(alert_of(&w, 1).level > before);
        w.now = day_end(4, 22);
        say(&w, "labour.order_obeyed", late ? day_end(4, 20) + HOUR : day_end(4, 17));
        assert_int_equal(alert_of(&w, 1).h.taken[0].state, late ? TAKEN_SILENT : TAKEN_ANSWERED);
        assert_int_equal(alert_of(&w, 1).level, before);
        world_finish(&w);
    }
}

/* Given by name to a team that is no more: back to the one whose place it is. */
static void a_team_that_is_no_more(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    act(&w, "assign", morning());
    assert_true(is_for(world_last(&w), "towns"));
    char *fewer = arena_copy(&w.arena, teams, sizeof teams), *line = strstr(fewer, "  - {id: towns");
    memmove(line, strchr(line, '\n') + 1, strlen(strchr(line, '\n') + 1) + 1);
    const struct world_work now = {.teams = fewer, .measures = measures, .deadlines = deadlines};
    world_config_work(&w, NULL, &now, morning() + HOUR);
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    buf_reset(&w.buf);
    entry_put_sweep(&w.buf, &key, 1);
    world_apply(&w, (struct slice){(char *)w.buf.p, w.buf.n}, morning() + HOUR);
    assert_int_equal(world_last(&w)->type, EVENT_ASSIGNED);
    assert_true(slice_is(world_last(&w)->team, "danghu") && !is_for(world_last(&w), "towns"));
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_measure_moves_no_deadline),
        cmocka_unit_test(no_extension_into_the_past),
        cmocka_unit_test(a_higher_level_counts_from_now),
        cmocka_unit_test(each_tier_has_its_own_time),
        cmocka_unit_test(correct_leaves_what_came_since),
        cmocka_unit_test(an_acceptance_taken_back),
        cmocka_unit_test(good_news_breaks_no_snooze),
        cmocka_unit_test(the_next_tier_hears_that_nobody_looks),
        cmocka_unit_test(an_order_survives_a_merge),
        cmocka_unit_test(an_answer_reported_late),
        cmocka_unit_test(a_team_that_is_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
