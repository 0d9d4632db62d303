/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take which step when: every state, step and role by a table of its own; how a case may end; and what is taken
 * back by a correct, over random histories. */
#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/world.h"
#include "test.h"

#define HOUR INT64_C(3600000)

static const char deadlines[] =
    "version: 1\naccept: {general: 0wd, major: 0wd, critical: 2h}\nverify: {general: 10d, major: 7d, critical: 1d}\n"
    "close: {general: 60wd, major: 60wd, critical: 60wd}\nunattended: {general: 1wd, major: 4h, critical: 30m}\n"
    "extend: 5wd\nhold_most: 20d\nsnooze_most: 30d\nfollow_up: {after: 30d, share: 0}\n"
    "settles: {paid: [subdistrict.wages_paid], false_claim: [hotline.resolved]}\n";

static const char reserved[] =
    "version: 1\naccept: {general: 0wd}\nverify: {general: 10d}\nclose: {general: 60wd}\nextend: 5wd\nhold_most: 20d\n"
    "snooze_most: 30d\nsteps: {extend: {roles: [operator], note: true}, snooze: {roles: [inspector]}, escalate: {note: true}}\n";

static const char measures[] =
    "version: 1\nmeasures:\n"
    "  - {id: talk, name: {zh: 约谈, en: talk}, due: 3wd}\n"
    "  - {id: order, name: {zh: 指令书, en: order}, due: 5wd, silence: labour.order_disobeyed, answered_by: "
    "[labour.order_obeyed]}\n"
    "  - {id: police, name: {zh: 移送, en: police}, outcome: transferred}\n"
    "  - {id: lasting, name: {zh: 垫付, en: lasting}, lasts: 3y, may_end_after: 1s, recover: true}\n";

static const char teams[] =
    "version: 1\ncovers: [\"330482\"]\n"
    "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n  - {id: county, zh: 县, en: county, escalate_after: 2wd}\n"
    "  - {id: city, zh: 市, en: city}\njoins: {general: town, major: county, critical: city}\nteams:\n"
    "  - {id: towns, name: {zh: 镇, en: towns}, tier: town, regions: \"330482\"}\n"
    "  - {id: pinghu, name: {zh: 平湖, en: pinghu}, tier: county, regions: \"330482\"}\n"
    "  - {id: jiaxing, name: {zh: 嘉兴, en: jiaxing}, tier: city, regions: \"3304\"}\n";

static const struct world_work all_work = {.teams = teams, .measures = measures, .deadlines = deadlines};

/* Wednesday 2026-04-15, 09:00 at +08:00. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static void say(struct world *w, const char *kind, int64_t at)
{
    world_say(w, &(struct say){.kind = kind, .at = at, .uscc = CODE_A, .region = "330482001"});
}

static void begin(struct world *w, const struct world_work *work)
{
    world_init(w, NULL);
    world_config_work(w, NULL, work, morning() - DAY_MS);
    say(w, "subdistrict.wage_delay", morning());
}

static struct alert alert_of(struct world *w)
{
    struct alert a;
    assert_true(alert_load(w->engine, 1, &a));
    return a;
}

/* Is it a step of measures that outlive the case? */
static bool of_lasting(const char *what)
{
    return !strcmp(what, "end") || !strcmp(what, "recovered");
}

/* A step with all that any may want. */
static struct entry_action full(struct world *w, const char *what, int64_t at)
{
    struct entry_action x = world_action(1, what);
    x.finding = SLICE("confirmed");
    x.measure = slice_of(of_lasting(what) ? "lasting" : "talk");
    x.amount = strcmp(what, "recovered") ? NO_INT : 1;
    x.outcome = SLICE("other");
    x.team = SLICE("pinghu");
    x.people = (int64_t)w->number; /* other than was found */
    x.until = at + DAY_MS;
    x.has_note = true;
    x.undo = alert_of(w).h.undo_entry ? alert_of(w).h.undo_entry : 1;
    return x;
}

static enum wire_error act(struct world *w, const char *what, int64_t at)
{
    struct entry_action x = full(w, what, at);
    return world_act(w, &x, at);
}

static void bring_with(struct world *w, enum alert_state state, const char *measure, int64_t at)
{
    static const char *const way[] = {"accept", "verify", "dispose", "close"};
    for (int i = 0; i < (int)state - ALERT_STATE_OPEN; i++) {
        struct entry_action x = full(w, way[i], at);
        x.measure = slice_of(measure);
        x.amount = 100;
        assert_int_equal(world_act(w, &x, at), 0);
    }
}

static void bring(struct world *w, enum alert_state state, int64_t at)
{
    bring_with(w, state, "talk", at);
}

/* ---- who may, when ---- */

static const char *const roles[] = {"inspector", "operator", "feeder", "auditor"};

static void every_state_step_and_role(void **unused)
{
    (void)unused;
    static const struct {
        const char *what;
        const char *by[4]; /* of each role: open accepted verified disposed closed; + may, - not in that state, 0 never */
    } table[] = {
        {"accept", {"+----", "+----", "00000", "00000"}},    {"verify", {"-+++-", "-+++-", "00000", "00000"}},
        {"dispose", {"--++-", "--++-", "00000", "00000"}},   {"close", {"--++-", "--++-", "00000", "00000"}},
        {"reopen", {"----+", "----+", "00000", "00000"}},    {"seen", {"++++-", "++++-", "00000", "00000"}},
        {"assign", {"++++-", "++++-", "00000", "00000"}},    {"join", {"++++-", "++++-", "00000", "00000"}},
        {"escalate", {"++++-", "++++-", "00000", "00000"}},  {"extend", {"-+++-", "-+++-", "00000", "00000"}},
        {"hold", {"++++-", "++++-", "00000", "00000"}},      {"snooze", {"++++-", "++++-", "00000", "00000"}},
        {"correct", {"-+++-", "-+++-", "00000", "00000"}},   {"follow_up", {"----+", "----+", "00000", "00000"}},
        {"end", {"---++", "---++", "00000", "00000"}},       {"recovered", {"---++", "---++", "00000", "00000"}},
        {"comment", {"+++++", "+++++", "00000", "00000"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        for (size_t r = 0; r < ARRAY_LEN(roles); r++)
            for (enum alert_state state = ALERT_STATE_OPEN; state <= ALERT_STATE_CLOSED; state++) {
                struct world w;
                begin(&w, &all_work);
                bring_with(&w, state, of_lasting(table[i].what) ? "lasting" : "talk", morning() + HOUR);
                size_t had = w.out.n;
                struct entry_action x = full(&w, table[i].what, morning() + 2 * HOUR);
                x.role = slice_of(roles[r]);
                enum wire_error got = world_act(&w, &x, morning() + 2 * HOUR);
                char want = table[i].by[r][state - ALERT_STATE_OPEN];
                if (got != (want == '+' ? WIRE_ERROR_NONE : want == '0' ? WIRE_ERROR_DENIED : WIRE_ERROR_WRONG_STATE))
                    fail_msg("%s by %s in state %s: %s", table[i].what, roles[r], alert_state_wire(state),
                             got ? w.out.sentence : "was done");
                assert_int_equal(w.out.n - had, want == '+');
                world_finish(&w);
            }
}

/* A place reserves steps; the rest is as everywhere. */
static void a_place_reserves_steps(void **unused)
{
    (void)unused;
    static const struct {
        const char *what, *role;
        bool note;
        enum wire_error want;
        const char *words;
    } cases[] = {
        {"extend", "inspector", true, WIRE_ERROR_DENIED, "for: operator"},
        {"extend", "operator", false, WIRE_ERROR_MISSING_FIELD, "extend needs a note"},
        {"extend", "operator", true, WIRE_ERROR_NONE, ""},
        {"snooze", "operator", true, WIRE_ERROR_DENIED, "for: inspector"},
        {"snooze", "inspector", false, WIRE_ERROR_NONE, ""},
        {"escalate", "inspector", false, WIRE_ERROR_MISSING_FIELD, "escalate needs a note"},
        {"escalate", "inspector", true, WIRE_ERROR_NONE, ""},
        {"join", "inspector", false, WIRE_ERROR_NONE, ""},
    };
    const struct world_work work = {.teams = teams, .measures = measures, .deadlines = reserved};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        begin(&w, &work);
        bring(&w, ALERT_STATE_ACCEPTED, morning());
        struct entry_action x = full(&w, cases[i].what, morning());
        x.role = slice_of(cases[i].role);
        x.has_note = cases[i].note;
        enum wire_error got = world_act(&w, &x, morning());
        if (got != cases[i].want || (got && !strstr(w.out.sentence, cases[i].words)))
            fail_msg("case %zu: %d %s", i, got, w.out.sentence ? w.out.sentence : "");
        world_finish(&w);
    }
}

/* ---- what stands already, and how a case may end ---- */

static void who_did_it_is_told(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, &all_work);
    struct entry_action x = world_action(1, "accept");
    x.actor = SLICE("王");
    assert_int_equal(world_act(&w, &x, morning()), 0);
    assert_int_equal(world_act(&w, &x, morning()), WIRE_ERROR_WRONG_STATE); /* no version */
    assert_non_null(strstr(w.out.sentence, "\"accepted\" by 王"));
    x.what = SLICE("verify");
    x.finding = SLICE("confirmed");
    x.people = 31;
    assert_int_equal(world_act(&w, &x, morning()), 0);
    x.actor = SLICE("李");
    assert_int_equal(world_act(&w, &x, morning() + HOUR), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "王 found it confirmed at 2026-04-15T09:00"));
    x.people = 45;
    assert_int_equal(world_act(&w, &x, morning() + HOUR), 0);
    x.finding = SLICE("unfounded");
    assert_int_equal(world_act(&w, &x, morning() + HOUR), 0);
    world_finish(&w);
}

static void an_end_that_contradicts(void **unused)
{
    (void)unused;
    static const struct {
        const char *finding, *measure, *outcome;
        int64_t people, amount;
        enum wire_error want;
    } cases[] = {
        {"confirmed", NULL, "unfounded", 0, 0, WIRE_ERROR_WRONG_STATE},
        {"confirmed", NULL, "false_claim", 0, 0, WIRE_ERROR_WRONG_STATE},
        {"unfounded", NULL, "paid", 3, 100, WIRE_ERROR_WRONG_STATE},
        {"false_claim", NULL, "paid", 3, 100, WIRE_ERROR_WRONG_STATE},
        {"confirmed", NULL, "paid", 0, 100, WIRE_ERROR_BAD_FIELD},
        {"confirmed", NULL, "paid", 3, 0, WIRE_ERROR_BAD_FIELD},
        {"confirmed", NULL, "paid", 3, 100, WIRE_ERROR_NONE},
        {"confirmed", "talk", "transferred", 0, 0, WIRE_ERROR_WRONG_STATE},
        {"confirmed", "police", "transferred", 0, 0, WIRE_ERROR_NONE},
        {"confirmed", "talk", "listed", 0, 0, WIRE_ERROR_NONE}, /* no measure names it */
        {"unfounded", NULL, "unfounded", 0, 0, WIRE_ERROR_NONE},
        {"unfounded", NULL, "", 0, 0, WIRE_ERROR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        begin(&w, &all_work);
        bring(&w, ALERT_STATE_ACCEPTED, morning());
        struct entry_action x = world_action(1, "verify");
        x.finding = slice_of(cases[i].finding);
        assert_int_equal(world_act(&w, &x, morning()), 0);
        x = world_action(1, "dispose");
        x.measure = slice_of(cases[i].measure ? cases[i].measure : "");
        if (cases[i].measure)
            assert_int_equal(world_act(&w, &x, morning()), 0);
        x = world_action(1, "close");
        x.outcome = slice_of(cases[i].outcome);
        x.paid_people = cases[i].people;
        x.paid_amount = cases[i].amount;
        enum wire_error got = world_act(&w, &x, morning());
        if (got != cases[i].want)
            fail_msg("case %zu: %d %s", i, got, w.out.sentence ? w.out.sentence : "");
        world_finish(&w);
    }
}

static void called_back(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, &all_work);
    bring(&w, ALERT_STATE_DISPOSED, morning());
    struct entry_action x = world_action(1, "close");
    x.outcome = SLICE("paid");
    x.paid_people = x.paid_amount = 3;
    assert_int_equal(world_act(&w, &x, morning()), 0);
    assert_true(alert_of(&w).h.follow_up_at != NO_INT);
    x = world_action(1, "follow_up");
    x.finding = SLICE("false_claim");
    assert_int_equal(world_act(&w, &x, morning() + DAY_MS), WIRE_ERROR_BAD_FIELD);
    x.finding = SLICE("unfounded");
    assert_int_equal(world_act(&w, &x, morning() + DAY_MS), 0);
    assert_non_null(strstr(w.out.sentence, "reopen"));
    assert_true(world_last(&w)->type == EVENT_FOLLOW_UP && slice_is(world_last(&w)->finding, "unfounded"));
    size_t had = w.out.n;
    world_tick(&w, morning() + 40 * DAY_MS);
    assert_int_equal(w.out.n, had); /* it is not due any more */
    world_finish(&w);
}

/* ---- putting off ---- */

static void snoozes_of_a_life_add_up(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, &all_work);
    bring(&w, ALERT_STATE_ACCEPTED, morning());
    struct entry_action x = world_action(1, "snooze");
    for (int i = 0; i < 2; i++) {
        x.until = morning() + (i * 20 + 14) * DAY_MS;
        assert_int_equal(world_act(&w, &x, morning() + i * 20 * DAY_MS), 0);
        world_tick(&w, x.until);
    }
    x.until = morning() + 43 * DAY_MS; /* 28 days are used up, two are left */
    assert_int_equal(world_act(&w, &x, morning() + 40 * DAY_MS), WIRE_ERROR_BAD_FIELD);
    assert_non_null(strstr(w.out.sentence, "672 hours"));
    x.until = morning() + 42 * DAY_MS;
    assert_int_equal(world_act(&w, &x, morning() + 40 * DAY_MS), 0);
    world_finish(&w);
}

static void a_critical_one_is_put_off_with_a_note(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, &all_work);
    for (int i = 0; i < 3; i++)
        say(&w, "hotline.group_complaint", morning());
    assert_int_equal(alert_of(&w).level, LEVEL_CRITICAL);
    struct entry_action x = full(&w, "snooze", morning());
    x.has_note = false;
    assert_int_equal(world_act(&w, &x, morning()), WIRE_ERROR_MISSING_FIELD);
    x.has_note = true;
    assert_int_equal(world_act(&w, &x, morning()), 0);
    world_finish(&w);
}

/* Nobody is above where no teams are: once, and then it is said what to configure. A comment is a look. */
static void without_teams(void **unused)
{
    (void)unused;
    struct world w;
    world_init(&w, NULL);
    say(&w, "subdistrict.wage_delay", morning());
    assert_int_equal(act(&w, "comment", morning()), 0);
    assert_true(alert_of(&w).h.seen_at == morning());
    assert_int_equal(act(&w, "escalate", morning()), 0);
    uint64_t step = w.number;
    assert_int_equal(act(&w, "escalate", morning()), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "teams.yaml"));
    struct entry_action x = world_action(1, "correct");
    x.undo = step;
    assert_int_equal(world_act(&w, &x, morning()), 0);
    assert_int_equal(act(&w, "escalate", morning()), 0);
    world_finish(&w);
}

/* ---- taking back ---- */

static uint64_t chance_state;

static int64_t chance(int64_t n)
{
    uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (int64_t)((z ^ z >> 31) % (uint64_t)n);
}

/* An alert's bytes without what a step and its correct leave behind: who was last, numbers, the look. */
static struct slice bytes_of(struct world *w)
{
    struct alert a = alert_of(w);
    struct buf b = {0};
    a.version = a.last_event = 0;
    a.changed_at = 0;
    a.evidence_sum = a.rule = 0; /* what counts, and the weightiest reason, are of the moment */
    a.h.undo_entry = 0;
    a.h.undo = a.h.last_who = (struct slice){0};
    a.h.undo_finding = a.h.last_type = 0;
    a.h.undo_finding_at = NO_INT;
    a.h.undo_finding_entry = 0;
    a.h.seen_at = NO_INT;
    a.h.unattended = false;
    a.n_teams = 0; /* whom an alert is for goes by who looked */
    alert_put(&b, &a);
    struct slice s = {arena_copy(&w->arena, b.p, b.n), b.n};
    buf_finish(&b);
    return s;
}

static const char *const undoable[] = {"accept", "verify",   "dispose", "assign", "join",
                                       "escalate", "extend", "hold",    "snooze"};
static const char *const news[] = {"hotline.complaint", "tax.arrears", "court.seizure", "hotline.resolved",
                                   "utility.bill_overdue", "labour.order_obeyed"};

static void some_step(struct world *w, int64_t at)
{
    struct entry_action x = full(w, undoable[chance(ARRAY_LEN(undoable))], at);
    x.measure = chance(2) ? SLICE("order") : SLICE("talk");
    x.finding = chance(6) ? SLICE("confirmed") : SLICE("unfounded");
    x.until = at + (1 + chance(9)) * DAY_MS;
    (void)world_act(w, &x, at);
}

/* The same step and due moment is not told overdue twice. */
static void overdue_once(struct world *w, uint64_t seed)
{
    for (size_t i = 0; i < w->out.n; i++)
        for (size_t k = i + 1; k < w->out.n; k++) {
            const struct event *a = &w->out.events[i].ev, *b = &w->out.events[k].ev;
            if (a->type == EVENT_OVERDUE && b->type == EVENT_OVERDUE && !a->measure.n && !b->measure.n &&
                a->alert == b->alert && a->step == b->step && a->due == b->due)
                fail_msg("history %llu: overdue is told twice", (unsigned long long)seed);
        }
}

static void one_history(uint64_t seed)
{
    struct world w;
    int64_t at = morning();
    chance_state = seed;
    begin(&w, &all_work);
    for (int i = 0; i < 40; i++) {
        at += chance(3) ? chance(30) * HOUR : 0;
        world_tick(&w, at);
        if (!chance(4))
            say(&w, news[chance(ARRAY_LEN(news))], at);
        struct slice was = bytes_of(&w);
        size_t had = w.out.n;
        uint64_t undo = alert_of(&w).h.undo_entry;
        some_step(&w, at);
        if (alert_of(&w).h.undo_entry == undo || chance(2))
            continue;
        bool at_once = chance(2);
        if (!at_once)
            world_tick(&w, at += chance(200) * HOUR);
        struct entry_action x = world_action(1, "correct");
        x.undo = alert_of(&w).h.undo_entry;
        if (world_act(&w, &x, at) || !at_once)
            continue;
        if (w.out.n - had == 2 && !slice_eq(was, bytes_of(&w))) /* more: it was news as well */
            fail_msg("history %llu, step %d: not as before", (unsigned long long)seed, i);
    }
    world_tick(&w, at + 100 * DAY_MS);
    overdue_once(&w, seed);
    world_finish(&w);
}

static void a_correct_undoes_its_step_alone(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 150; seed++)
        one_history(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_step_and_role),
        cmocka_unit_test(a_place_reserves_steps),
        cmocka_unit_test(who_did_it_is_told),
        cmocka_unit_test(an_end_that_contradicts),
        cmocka_unit_test(called_back),
        cmocka_unit_test(snoozes_of_a_life_add_up),
        cmocka_unit_test(a_critical_one_is_put_off_with_a_note),
        cmocka_unit_test(without_teams),
        cmocka_unit_test(a_correct_undoes_its_step_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
