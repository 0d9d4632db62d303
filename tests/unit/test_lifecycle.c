/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's life: each step in each state, by whom; what the clock does to it; measures, rest, undoing, teams. */
#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"
#include "test.h"

#define HOUR INT64_C(3600000)

static const char deadlines[] =
    "version: 1\n"
    "accept: {general: 0wd, major: 0wd, critical: 2h}\n"
    "verify: {general: 10d, major: 7d, critical: 1d}\n"
    "close: {general: 60wd, major: 60wd, critical: 60wd}\n"
    "unattended: {general: 1wd, major: 4h, critical: 30m}\n"
    "extend: 5wd\nhold_most: 20d\nsnooze_most: 30d\n"
    "follow_up: {after: 30d, share: 0}\n"
    "settles: {paid: [subdistrict.wages_paid, labour.order_obeyed], false_claim: [hotline.resolved]}\n";

static const char measures[] =
    "version: 1\nmeasures:\n"
    "  - {id: talk, name: {zh: 约谈, en: talk}, due: 3wd}\n"
    "  - id: order\n    name: {zh: 指令书, en: order}\n    wants: [ref]\n    due: 5wd\n    due_most: 30d\n"
    "    silence: labour.order_disobeyed\n    answered_by: [labour.order_obeyed]\n"
    "  - {id: fund, name: {zh: 垫付, en: fund}, levels: [critical], roles: [operator]}\n";

static const char teams[] =
    "version: 1\ncovers: [\"330482\"]\n"
    "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n  - {id: county, zh: 县, en: county, escalate_after: 2wd}\n"
    "  - {id: city, zh: 市, en: city}\n"
    "joins: {general: town, major: county, critical: city}\n"
    "teams:\n"
    "  - {id: danghu, name: {zh: 当湖, en: danghu}, tier: town, regions: \"330482001\"}\n"
    "  - {id: towns, name: {zh: 其他, en: others}, tier: town, regions: \"330482\"}\n"
    "  - {id: pinghu, name: {zh: 平湖, en: pinghu}, tier: county, regions: \"330482\"}\n"
    "  - {id: jiaxing, name: {zh: 嘉兴, en: jiaxing}, tier: city, regions: \"3304\"}\n";

static const struct world_work all_work = {teams, measures, deadlines};

/* Wednesday 2026-04-15, 09:00 at +08:00. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static int64_t day_end(int month, int day)
{
    return civil_to_ms(2026, month, day, OFFSET_CHINA_MS) + DAY_MS;
}

/* A world with one major alert, number 1, raised in the morning. */
static void begin(struct world *w)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &all_work, morning() - DAY_MS);
    world_say(w, &(struct say){.kind = "subdistrict.wage_delay", .at = morning(), .uscc = CODE_A, .region = "330482001"});
    world_say(w, &(struct say){.kind = "hotline.complaint", .at = morning(), .uscc = CODE_A, .region = "330482001"});
    world_say(w, &(struct say){.kind = "tax.arrears", .at = morning(), .uscc = CODE_A, .region = "330482001"});
}

static enum wire_error act(struct world *w, const char *what, int64_t at)
{
    struct entry_action x = world_action(1, what);
    return world_act(w, &x, at);
}

static enum wire_error verify(struct world *w, const char *finding, int64_t at)
{
    struct entry_action x = world_action(1, "verify");
    x.finding = slice_of(finding);
    return world_act(w, &x, at);
}

static enum wire_error dispose(struct world *w, const char *measure, int64_t at)
{
    struct entry_action x = world_action(1, "dispose");
    x.measure = slice_of(measure);
    x.ref = SLICE("no. 7");
    return world_act(w, &x, at);
}

/* The types of the events from the first on, "raised accepted ...". */
static const char *types(struct world *w, size_t from)
{
    const char *all = "";
    for (size_t i = from; i < w->out.n; i++)
        all = arena_printf(&w->arena, "%s%s%s", all, *all ? " " : "", event_wire(w->out.events[i].ev.type));
    return all;
}

static struct alert alert_of(struct world *w, uint64_t number)
{
    struct alert a;
    assert_true(alert_load(w->engine, number, &a));
    return a;
}

/* ---- steps ---- */

/* Brings the alert into a state by the shortest way. */
static void bring(struct world *w, enum alert_state state, int64_t at)
{
    if (state >= ALERT_STATE_ACCEPTED)
        assert_int_equal(act(w, "accept", at), 0);
    if (state >= ALERT_STATE_VERIFIED)
        assert_int_equal(verify(w, "confirmed", at), 0);
    if (state >= ALERT_STATE_DISPOSED)
        assert_int_equal(dispose(w, "talk", at), 0);
    if (state >= ALERT_STATE_CLOSED) {
        struct entry_action x = world_action(1, "close");
        x.outcome = SLICE("other");
        assert_int_equal(world_act(w, &x, at), 0);
    }
}

static struct entry_action full_action(struct world *w, const char *what, int64_t at)
{
    struct entry_action x = world_action(1, what);
    x.finding = SLICE("confirmed");
    x.measure = SLICE("talk");
    x.outcome = SLICE("other");
    x.team = SLICE("pinghu");
    x.people = 7; /* more than was found */
    x.until = at + DAY_MS;
    x.has_note = true;
    x.undo = alert_of(w, 1).h.undo_entry;
    return x;
}

/* Every pair of state and step: allowed where PROTOCOL says so, one event then; refused elsewhere, and nothing changes. */
static void each_step_in_each_state(void **unused)
{
    (void)unused;
    static const struct {
        const char *what;
        const char *states; /* open accepted verified disposed closed: + may, - may not */
        const char *event;
    } table[] = {
        {"accept", "+----", "accepted"},   {"verify", "-+++-", "verified"},   {"dispose", "--++-", "disposed"},
        {"close", "--++-", "closed"},      {"reopen", "----+", "reopened"},   {"seen", "++++-", "seen"},
        {"assign", "++++-", "assigned"},   {"join", "++++-", "joined"},       {"escalate", "++++-", "escalated"},
        {"snooze", "++++-", "snoozed"},    {"extend", "-+++-", "extended"},   {"hold", "++++-", "held"},
        {"comment", "+++++", "commented"}, {"correct", "-+++-", "corrected"}, {"dance", "-----", ""},
        {"follow_up", "----+", "follow_up"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        for (enum alert_state state = ALERT_STATE_OPEN; state <= ALERT_STATE_CLOSED; state++) {
            struct world w;
            int64_t at = morning() + HOUR;
            begin(&w);
            bring(&w, state, at);
            size_t had = w.out.n;
            uint64_t version = alert_of(&w, 1).version;
            struct entry_action x = full_action(&w, table[i].what, at);
            enum wire_error refused = world_act(&w, &x, at);
            bool may = table[i].states[state - ALERT_STATE_OPEN] == '+';
            if (may != (refused == WIRE_ERROR_NONE))
                fail_msg("%s in state %s: %s", table[i].what, alert_state_wire(state),
                         refused ? w.out.sentence : "was allowed");
            assert_int_equal(w.out.n - had, may);
            if (may)
                assert_string_equal(types(&w, had), table[i].event);
            else
                assert_true(alert_of(&w, 1).version == version && w.out.sentence);
            world_finish(&w);
        }
}

static void nobody_acts_where_he_may_not(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    struct entry_action x = full_action(&w, "accept", morning());
    x.may = 0;
    assert_int_equal(world_act(&w, &x, morning()), WIRE_ERROR_DENIED);
    x = full_action(&w, "accept", morning());
    x.alert = 99;
    assert_int_equal(world_act(&w, &x, morning()), WIRE_ERROR_NO_SUCH_ALERT);
    world_finish(&w);
}

static void what_is_missing_is_named(void **unused)
{
    (void)unused;
    static const struct {
        enum alert_state in;
        const char *what, *finding, *measure, *outcome, *team;
        enum wire_error code;
        const char *words;
    } cases[] = {
        {ALERT_STATE_ACCEPTED, "verify", "", "", "", "", WIRE_ERROR_MISSING_FIELD, "needs a finding"},
        {ALERT_STATE_ACCEPTED, "verify", "maybe", "", "", "", WIRE_ERROR_BAD_FIELD, "confirmed, unfounded, false_claim"},
        {ALERT_STATE_VERIFIED, "dispose", "", "", "", "", WIRE_ERROR_MISSING_FIELD, "needs a measure"},
        {ALERT_STATE_VERIFIED, "dispose", "", "dance", "", "", WIRE_ERROR_BAD_FIELD, "no measure is called \"dance\""},
        {ALERT_STATE_VERIFIED, "dispose", "", "fund", "", "", WIRE_ERROR_WRONG_STATE, "may not be taken at the level major"},
        {ALERT_STATE_VERIFIED, "dispose", "", "order", "", "", WIRE_ERROR_MISSING_FIELD, "wants ref"},
        {ALERT_STATE_VERIFIED, "close", "", "", "", "", WIRE_ERROR_MISSING_FIELD, "needs an outcome"},
        {ALERT_STATE_VERIFIED, "close", "", "", "gone", "", WIRE_ERROR_BAD_FIELD, "outcome is one of"},
        {ALERT_STATE_VERIFIED, "close", "", "", "paid", "", WIRE_ERROR_MISSING_FIELD, "paid_people and paid_amount"},
        {ALERT_STATE_OPEN, "assign", "", "", "", "nobody", WIRE_ERROR_BAD_FIELD, "no team is called \"nobody\""},
        {ALERT_STATE_OPEN, "assign", "", "", "", "", WIRE_ERROR_MISSING_FIELD, "a team is needed"},
        {ALERT_STATE_OPEN, "snooze", "", "", "", "", WIRE_ERROR_MISSING_FIELD, "until is missing"},
        {ALERT_STATE_OPEN, "hold", "", "", "", "", WIRE_ERROR_MISSING_FIELD, "hold needs a note"},
        {ALERT_STATE_OPEN, "correct", "", "", "", "", WIRE_ERROR_MISSING_FIELD, "undo is missing"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        begin(&w);
        bring(&w, cases[i].in, morning());
        struct entry_action x = world_action(1, cases[i].what);
        x.finding = slice_of(cases[i].finding);
        x.measure = slice_of(cases[i].measure);
        x.outcome = slice_of(cases[i].outcome);
        x.team = slice_of(cases[i].team);
        enum wire_error code = world_act(&w, &x, morning());
        if (code != cases[i].code || !w.out.sentence || !strstr(w.out.sentence, cases[i].words))
            fail_msg("case %zu: %d %s", i, code, w.out.sentence ? w.out.sentence : "");
        world_finish(&w);
    }
}

/* Two officers at once: one is told what the other did. */
static void the_second_officer(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    struct entry_action x = world_action(1, "accept"), y = world_action(1, "accept");
    x.version = y.version = alert_of(&w, 1).version;
    x.actor = SLICE("王");
    assert_int_equal(world_act(&w, &x, morning()), 0);
    assert_int_equal(world_act(&w, &y, morning()), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "\"accepted\" by 王"));
    world_finish(&w);
}

static void the_last_step_is_undone(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    bring(&w, ALERT_STATE_ACCEPTED, morning());
    uint64_t accepted = w.number;
    struct alert before = alert_of(&w, 1);
    assert_int_equal(verify(&w, "false_claim", morning() + HOUR), 0);
    uint64_t verified = w.number;
    assert_int_equal(alert_of(&w, 1).finding, FINDING_FALSE_CLAIM);
    struct entry_action x = world_action(1, "correct");
    x.undo = accepted;
    assert_int_equal(world_act(&w, &x, morning() + HOUR), WIRE_ERROR_WRONG_STATE);
    x.undo = verified;
    assert_int_equal(world_act(&w, &x, morning() + HOUR), 0);
    struct alert after = alert_of(&w, 1);
    assert_int_equal(after.state, ALERT_STATE_ACCEPTED);
    assert_int_equal(after.finding, FINDING_NONE);
    assert_true(after.due == before.due && after.h.verified_at == NO_INT);
    assert_int_equal(after.level, before.level); /* what the finding had settled counts again */
    assert_int_equal(world_act(&w, &x, morning() + HOUR), WIRE_ERROR_WRONG_STATE);
    world_finish(&w);
}

/* ---- the clock ---- */

/* Nobody does anything: unattended, overdue, up the tiers, each at its time and once. */
static void nobody_comes(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    assert_true(alert_of(&w, 1).due == day_end(4, 15));
    size_t from = 1;
    world_tick(&w, civil_to_ms(2026, 6, 1, OFFSET_CHINA_MS));
    static const struct {
        uint8_t type, tier;
        int month, day, hour;
    } told[] = {
        {EVENT_UNATTENDED, 0, 4, 15, 13}, /* four hours */
        {EVENT_OVERDUE, 0, 4, 15, 24},    /* the same day */
        {EVENT_ESCALATED, 1, 4, 16, 24},  /* a working day after */
        {EVENT_ESCALATED, 2, 4, 20, 24},  /* two more, over a weekend */
    };
    size_t k = 0;
    for (size_t i = from; i < w.out.n; i++) {
        const struct event *ev = &w.out.events[i].ev;
        if (ev->type != EVENT_UNATTENDED && ev->type != EVENT_OVERDUE && ev->type != EVENT_ESCALATED)
            continue;
        assert_true(k < ARRAY_LEN(told));
        int64_t at = civil_to_ms(2026, told[k].month, told[k].day, OFFSET_CHINA_MS) + told[k].hour * HOUR;
        char when[26];
        time_format(ev->at, OFFSET_CHINA_MS, when);
        if (ev->type != told[k].type || ev->tier != told[k].tier || ev->at != at)
            fail_msg("event %zu is %s at tier %u, %s", k, event_wire(ev->type), ev->tier, when);
        k++;
    }
    assert_int_equal(k, ARRAY_LEN(told));
    world_finish(&w);
}

static void steps_move_the_deadline(void **unused)
{
    (void)unused;
    struct world w;
    int64_t noon = morning() + 3 * HOUR;
    begin(&w);
    bring(&w, ALERT_STATE_ACCEPTED, noon);
    assert_true(alert_of(&w, 1).due == noon + 7 * DAY_MS);
    assert_int_equal(verify(&w, "confirmed", noon + DAY_MS), 0);
    assert_true(alert_of(&w, 1).due == day_end(7, 14)); /* 60 working days after 16 April */
    assert_int_equal(act(&w, "extend", noon + DAY_MS), 0);
    assert_true(alert_of(&w, 1).due > day_end(7, 14));
    assert_int_equal(act(&w, "extend", noon + DAY_MS), WIRE_ERROR_WRONG_STATE);
    world_finish(&w);
}

/* Held for two days, the deadline lies two days later; nothing is told meanwhile. */
static void held(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    bring(&w, ALERT_STATE_ACCEPTED, morning());
    int64_t due = alert_of(&w, 1).due;
    struct entry_action x = world_action(1, "hold");
    x.has_note = true;
    x.until = morning() + 2 * DAY_MS;
    assert_int_equal(world_act(&w, &x, morning()), 0);
    size_t had = w.out.n;
    world_tick(&w, morning() + 2 * DAY_MS);
    assert_string_equal(types(&w, had), "snoozed");
    assert_true(w.out.events[had].ev.until == NO_INT);
    assert_true(alert_of(&w, 1).due == due + 2 * DAY_MS);
    world_tick(&w, due + 2 * DAY_MS);
    assert_string_equal(types(&w, had + 1), "overdue");
    world_finish(&w);
}

static void snooze(struct world *w)
{
    struct entry_action x = world_action(1, "snooze");
    begin(w);
    bring(w, ALERT_STATE_ACCEPTED, morning());
    x.until = morning() + 20 * DAY_MS;
    assert_int_equal(world_act(w, &x, morning()), 0);
    assert_true(alert_of(w, 1).h.snoozed_until != NO_INT);
}

/* News of the same kind leaves it put off; another kind, or a higher level, ends that. */
static void what_breaks_a_snooze(void **unused)
{
    (void)unused;
    struct world w;
    snooze(&w);
    world_say(&w, &(struct say){.kind = "tax.arrears", .at = morning() + HOUR, .uscc = CODE_A});
    assert_true(alert_of(&w, 1).h.snoozed_until != NO_INT);
    world_say(&w, &(struct say){.kind = "utility.bill_overdue", .at = morning() + 2 * HOUR, .uscc = CODE_A});
    assert_true(alert_of(&w, 1).h.snoozed_until == NO_INT);
    world_finish(&w);
    snooze(&w);
    for (int i = 0; i < 4; i++)
        world_say(&w, &(struct say){.kind = "hotline.complaint", .at = morning() + i * HOUR, .uscc = CODE_A});
    assert_int_equal(alert_of(&w, 1).level, LEVEL_CRITICAL);
    assert_true(alert_of(&w, 1).h.snoozed_until == NO_INT);
    world_finish(&w);
}

/* ---- measures ---- */

static void an_order_runs_out(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    bring(&w, ALERT_STATE_VERIFIED, morning());
    assert_int_equal(dispose(&w, "order", morning()), 0);
    size_t had = w.out.n;
    world_tick(&w, day_end(4, 22));
    assert_non_null(strstr(types(&w, had), "overdue"));
    const struct event *ev = world_last(&w);
    bool fed = false;
    for (uint32_t i = 0; i < ev->n_evidence; i++)
        fed |= slice_is(dict_text(engine_dict(w.engine), DICT_KIND, ev->evidence[i].kind), "labour.order_disobeyed");
    assert_true(fed);
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_SILENT);
    had = w.out.n;
    world_tick(&w, day_end(4, 28));
    assert_null(strstr(types(&w, had), "overdue")); /* once */
    world_finish(&w);
}

static void an_order_is_obeyed(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    bring(&w, ALERT_STATE_VERIFIED, morning());
    assert_int_equal(dispose(&w, "order", morning()), 0);
    world_say(&w, &(struct say){.kind = "labour.order_obeyed", .at = morning() + DAY_MS, .uscc = CODE_A});
    size_t had = w.out.n;
    world_tick(&w, day_end(4, 22));
    assert_null(strstr(types(&w, had), "overdue"));
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_ANSWERED);
    world_finish(&w);
}

/* ---- the end ---- */

static void paid(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    bring(&w, ALERT_STATE_DISPOSED, morning());
    struct entry_action x = world_action(1, "close");
    x.outcome = SLICE("paid");
    x.paid_people = 12;
    x.paid_amount = 9000000;
    assert_int_equal(world_act(&w, &x, morning() + DAY_MS), 0);
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    const struct record *c = world_record(&w, &key);
    assert_true(c->score < 1500); /* the tax alone is left */
    size_t had = w.out.n;
    world_tick(&w, morning() + 40 * DAY_MS);
    assert_string_equal(types(&w, had), "follow_up");
    assert_true(w.out.events[had].ev.at == morning() + 31 * DAY_MS);
    world_finish(&w);
}

/* A claim that was made up is not held against the firm. */
static void a_false_claim(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    bring(&w, ALERT_STATE_ACCEPTED, morning());
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    uint32_t before = world_record(&w, &key)->score;
    assert_int_equal(verify(&w, "false_claim", morning()), 0);
    assert_true(world_record(&w, &key)->score < before);
    world_finish(&w);
}

/* ---- teams ---- */

static const char *team_words(struct world *w, const struct event *ev)
{
    const char *all = "";
    for (uint32_t i = 0; i < ev->n_teams; i++)
        all = arena_printf(&w->arena, "%s%s%.*s", all, *all ? " " : "", SLICE_ARG(ev->teams[i]));
    return all;
}

static void who_is_told(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    assert_string_equal(team_words(&w, &w.out.events[0].ev), "danghu");
    assert_string_equal(team_words(&w, world_last(&w)), "danghu pinghu"); /* a major one: the county joins */
    /* the street goes to another team */
    char *moved = arena_copy(&w.arena, teams, sizeof teams);
    memcpy(strstr(moved, "330482001"), "330482002", 9);
    size_t had = w.out.n;
    struct world_work now = {moved, measures, deadlines};
    world_config_work(&w, NULL, &now, morning() + HOUR);
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    buf_reset(&w.buf);
    entry_put_sweep(&w.buf, &key, 1);
    world_apply(&w, (struct slice){(char *)w.buf.p, w.buf.n}, morning() + HOUR);
    assert_string_equal(types(&w, had), "assigned");
    assert_true(slice_is(world_last(&w)->team, "towns"));
    assert_string_equal(team_words(&w, world_last(&w)), "towns pinghu");
    world_finish(&w);
}

/* A stop in the middle of all that, and a start from the checkpoint: the same events and the same rows. */
static void survives_a_stop(void **unused)
{
    (void)unused;
    struct world w, again;
    struct rows whole, half;
    begin(&w);
    bring(&w, ALERT_STATE_VERIFIED, morning());
    assert_int_equal(dispose(&w, "order", morning()), 0);
    rows_init(&half);
    rows_init(&whole);
    struct checkpoint *c = engine_checkpoint(w.engine);
    rows_take(&half, c);
    rows_take(&whole, c);
    engine_committed(w.engine, c);
    world_init_loader(&again, NULL, &half.loader, 0);
    world_tick(&w, day_end(9, 1));
    world_tick(&again, day_end(9, 1));
    assert_true(again.out.n > 2);
    assert_string_equal(types(&w, w.out.n - again.out.n), types(&again, 0));
    c = engine_checkpoint(again.engine);
    rows_take(&half, c);
    engine_committed(again.engine, c);
    c = engine_checkpoint(w.engine);
    rows_take(&whole, c);
    engine_committed(w.engine, c);
    const char *differ = rows_differ(&whole, &half);
    if (differ)
        fail_msg("%s", differ);
    world_finish(&again);
    world_finish(&w);
    rows_finish(&whole);
    rows_finish(&half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_in_each_state), cmocka_unit_test(nobody_acts_where_he_may_not),
        cmocka_unit_test(what_is_missing_is_named), cmocka_unit_test(the_second_officer),
        cmocka_unit_test(the_last_step_is_undone), cmocka_unit_test(nobody_comes),
        cmocka_unit_test(steps_move_the_deadline), cmocka_unit_test(held),
        cmocka_unit_test(what_breaks_a_snooze), cmocka_unit_test(an_order_runs_out),
        cmocka_unit_test(an_order_is_obeyed), cmocka_unit_test(paid),
        cmocka_unit_test(a_false_claim), cmocka_unit_test(who_is_told),
        cmocka_unit_test(survives_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
