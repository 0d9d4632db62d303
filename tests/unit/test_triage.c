/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that wait to be sorted before they count: by the clock, by a person, by their sender; as if they had come at
 * their number; across a restart. And who listens. */
#include "engine/triage.h"

#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"
#include "test.h"

#define HOUR INT64_C(3600000)

#define WORKED                                                                                                          \
    "version: 1\n"                                                                                                      \
    "accept: {general: 0wd, major: 0wd, critical: 2h}\n"                                                                \
    "verify: {general: 10d, major: 7d, critical: 1d}\n"                                                                 \
    "close: {general: 60wd, major: 60wd, critical: 60wd}\n"                                                             \
    "unattended: {general: 1wd, major: 4h, critical: 30m}\n"

static const char deadlines[] =
    WORKED
    "triage: {kinds: [hotline.complaint], within: 2d}\n";

static const struct world_work waiting = {.deadlines = deadlines};

/* 2026-04-15, 09:00 at +08:00. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static void begin(struct world *w)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &waiting, morning() - DAY_MS);
}

static uint64_t complain(struct world *w, int64_t at)
{
    world_say(w, &(struct say){.kind = "hotline.complaint", .at = at, .uscc = CODE_A, .name = "甲公司", .region = "330482001",
                               .id = arena_printf(&w->arena, "c%u", ++w->ids)});
    return w->number;
}

static void say_other(struct world *w, const char *kind, int64_t at)
{
    world_say(w, &(struct say){.kind = kind, .at = at, .uscc = CODE_A, .region = "330482"});
}

static enum wire_error sort(struct world *w, uint64_t signal, const char *as, const char *who, int64_t at)
{
    struct entry_action x = world_action(0, "sort");
    x.signal = signal;
    x.as = slice_of(as);
    x.actor = slice_of(who);
    return world_act(w, &x, at);
}

static const struct record *firm(struct world *w)
{
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    return world_record(w, &key);
}

static uint32_t complaints(struct world *w)
{
    const struct record *c = firm(w);
    int64_t kind = dict_find(engine_dict(w->engine), DICT_KIND, SLICE("hotline.complaint"));
    for (uint32_t i = 0; c && i < c->n_series; i++)
        if (c->series[i].kind == kind)
            return c->series[i].n;
    return 0;
}

static struct slice row_of(struct world *w, enum table table, uint64_t number)
{
    uint8_t key[TRIAGE_KEY_LEN];
    triage_key(key, number);
    return state_get(w->engine->state, table, key, sizeof key);
}

static struct triage_row sorted(struct world *w, uint64_t number)
{
    struct triage_row row;
    struct err err;
    assert_int_equal(triage_row_get(row_of(w, T_SORTED, number), &row, &err), 0);
    assert_null(row_of(w, T_TRIAGE, number).p);
    return row;
}

/* ---- waiting ---- */

static void waits_then_counts(void **unused)
{
    (void)unused;
    struct world w;
    struct source_stats stats;
    begin(&w);
    uint64_t number = complain(&w, morning());
    assert_non_null(row_of(&w, T_TRIAGE, number).p);
    assert_null(firm(&w)); /* no record knows of it */
    assert_int_equal(w.out.n, 0);
    int64_t source = dict_find(engine_dict(w.engine), DICT_SOURCE, SLICE("hotline"));
    assert_true(engine_source_stats(w.engine, (uint32_t)source, &stats) && stats.accepted == 1); /* but its feed does */
    assert_int_equal(engine_next_due(w.engine), morning() + 2 * DAY_MS);
    world_tick(&w, morning() + 2 * DAY_MS - 1);
    assert_null(firm(&w));
    world_tick(&w, morning() + 2 * DAY_MS);
    const struct record *c = firm(&w);
    assert_non_null(c);
    assert_int_equal(c->n_series, 1);
    assert_int_equal(c->series[0].sigs[0].seq, number); /* its own number, its own time */
    assert_int_equal(c->series[0].sigs[0].at, morning());
    assert_int_equal(c->judged_at, morning() + 2 * DAY_MS);
    assert_int_equal(sorted(&w, number).as, TRIAGE_TIME_UP);
    world_finish(&w);
}

static void a_person_decides(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    uint64_t a = complain(&w, morning()), b = complain(&w, morning()), c = complain(&w, morning());
    assert_int_equal(sort(&w, b, "duplicate", "王", morning() + HOUR), 0);
    assert_int_equal(sort(&w, c, "not_ours", "王", morning() + HOUR), 0);
    assert_null(firm(&w));
    assert_int_equal(sort(&w, a, "relevant", "李", morning() + HOUR), 0);
    assert_int_equal(firm(&w)->series[0].n, 1);
    assert_int_equal(firm(&w)->last_seq, w.number); /* news of now */
    assert_true(slice_is(sorted(&w, a).who, "李"));
    world_tick(&w, morning() + 30 * DAY_MS);
    assert_int_equal(firm(&w)->series[0].n, 1); /* the others never count */
    assert_int_equal(sorted(&w, b).as, TRIAGE_DUPLICATE);
    assert_int_equal(sorted(&w, c).as, TRIAGE_NOT_OURS);
    world_finish(&w);
}

static void refused(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    uint64_t a = complain(&w, morning()), b = complain(&w, morning());
    struct entry_action no = world_action(0, "sort");
    no.signal = a;
    no.as = SLICE("relevant");
    no.may = 0;
    assert_int_equal(world_act(&w, &no, morning()), WIRE_ERROR_DENIED);
    assert_int_equal(sort(&w, a, "nonsense", "王", morning()), WIRE_ERROR_BAD_FIELD);
    assert_int_equal(sort(&w, 999, "relevant", "王", morning()), WIRE_ERROR_NO_SUCH_SIGNAL);
    assert_null(firm(&w));
    assert_int_equal(sort(&w, a, "duplicate", "王", morning()), 0);
    assert_int_equal(sort(&w, a, "relevant", "李", morning()), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "duplicate already, by 王"));
    world_tick(&w, morning() + 3 * DAY_MS);
    assert_int_equal(sort(&w, b, "not_ours", "李", morning() + 3 * DAY_MS), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "time was up"));
    world_finish(&w);
}

/* ---- taken back by its sender ---- */

static enum screened cancel(struct world *w, const char *id, const char *uscc, int64_t at)
{
    return world_say(w, &(struct say){.kind = "hotline.complaint", .at = at, .uscc = uscc, .cancels = id});
}

/* Whether what was seen is still in memory or in a store: the same answer. */
static void cancelled_while_it_waits(void **unused)
{
    (void)unused;
    for (int stored = 0; stored < 2; stored++) {
        struct world first, again, *w = &first;
        struct rows rows;
        begin(w);
        uint64_t number = complain(w, morning()), kept = complain(w, morning());
        rows_init(&rows);
        if (stored) {
            struct checkpoint *c = engine_checkpoint(w->engine);
            rows_take(&rows, c);
            engine_committed(w->engine, c);
            world_init_loader(&again, NULL, &rows.loader, 0);
            w = &again;
            w->ids = 100;
        }
        assert_int_equal(cancel(w, "c1", CODE_B, morning()), SCREEN_UNKNOWN_CANCEL);
        assert_int_equal(cancel(w, "c1", CODE_A, morning()), SCREEN_NEW);
        assert_int_equal(sorted(w, number).as, TRIAGE_CANCELLED);
        world_tick(w, morning() + 2 * DAY_MS);
        assert_int_equal(firm(w)->series[0].n, 1);
        assert_int_equal(firm(w)->series[0].sigs[0].seq, kept);
        assert_int_equal(cancel(w, "c2", CODE_A, morning() + 2 * DAY_MS), SCREEN_NEW); /* once in, like any other */
        assert_true(firm(w)->series[0].n == 0 || firm(w)->series[0].sigs[0].flags & SIG_CANCELLED);
        if (stored)
            world_finish(w);
        world_finish(&first);
        rows_finish(&rows);
    }
}

/* ---- as if it had come at its number ---- */

static void order_does_not_matter(void **unused)
{
    (void)unused;
    struct world w, plain;
    struct slice row, other;
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    begin(&w);
    world_init(&plain, NULL);
    world_config_work(&plain, NULL, &(struct world_work){.deadlines = WORKED}, morning() - DAY_MS);
    uint64_t number = complain(&w, morning());
    complain(&plain, morning());
    say_other(&w, "tax.filing_missed", morning() + HOUR);
    say_other(&plain, "tax.filing_missed", morning() + HOUR);
    assert_int_equal(sort(&w, number, "relevant", "王", morning() + 2 * HOUR), 0);
    world_tick(&plain, morning() + 2 * HOUR);
    say_other(&w, "tax.filing_missed", morning() + 3 * HOUR);
    say_other(&plain, "tax.filing_missed", morning() + 3 * HOUR);
    assert_int_equal(plain.out.n, 0);
    row = state_get(w.engine->state, T_ENTERPRISE, key.b, EKEY_LEN);
    other = state_get(plain.engine->state, T_ENTERPRISE, key.b, EKEY_LEN);
    assert_true(row.n && slice_eq(row, other));
    world_finish(&plain);
    world_finish(&w);
}

/* What is no longer marked waits no longer than it was told; what comes from now on counts at once. */
static void new_settings(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    uint64_t number = complain(&w, morning());
    world_config(&w, NULL, morning() + HOUR); /* no deadlines at all */
    assert_null(firm(&w));
    complain(&w, morning() + 2 * HOUR);
    assert_int_equal(firm(&w)->series[0].n, 1);
    world_tick(&w, morning() + 2 * DAY_MS);
    assert_int_equal(firm(&w)->series[0].n, 2);
    assert_int_equal(firm(&w)->series[0].sigs[0].seq, number);
    world_finish(&w);
}

/* One that was closed by itself comes back by what is let in, though it came before the close. */
static void let_in_is_news(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    uint64_t number = complain(&w, morning());
    say_other(&w, "tax.arrears", morning());
    say_other(&w, "subdistrict.wage_delay", morning());
    size_t had = w.out.n;
    assert_int_equal(sort(&w, number, "relevant", "王", morning() + HOUR), 0);
    assert_int_equal(w.out.n, had + 1);
    assert_int_equal(world_last(&w)->level, LEVEL_MAJOR); /* the third agency */
    assert_int_equal(world_last(&w)->entry, w.number);
    world_finish(&w);
}

/* ---- who listens ---- */

static const char teams[] =
    "version: 1\ncovers: [\"330482\"]\n"
    "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n  - {id: county, zh: 县, en: county, escalate_after: 2wd}\n"
    "joins: {general: town, major: town, critical: county}\n"
    "teams:\n"
    "  - {id: danghu, name: {zh: 当湖, en: danghu}, tier: town, regions: \"330482\"}\n"
    "  - {id: pinghu, name: {zh: 平湖, en: pinghu}, tier: county, regions: \"330482\"}\n";

static void present(struct world *w, const char *team, bool listening, int64_t at)
{
    struct entry_presence p = {slice_of(team), listening};
    buf_reset(&w->buf);
    entry_put_presence(&w->buf, &p);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, at);
}

static void alarm(struct world *w, const char *uscc)
{
    static const char *const kinds[] = {"tax.arrears", "subdistrict.wage_delay", "court.wage_suit"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        world_say(w, &(struct say){.kind = kinds[i], .at = morning(), .uscc = uscc, .region = "330482001"});
}

static size_t events_of(const struct world *w, enum event_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < w->out.n; i++)
        n += w->out.events[i].ev.type == type;
    return n;
}

static void begin_teams(struct world *w)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &(struct world_work){.teams = teams, .deadlines = deadlines}, morning() - DAY_MS);
}

static void nobody_listens(void **unused)
{
    (void)unused;
    struct world w;
    begin_teams(&w);
    alarm(&w, CODE_C);
    assert_int_equal(events_of(&w, EVENT_RAISED), 1);
    assert_int_equal(events_of(&w, EVENT_UNATTENDED), 0); /* nothing is known of who listens */
    present(&w, "", false, morning());
    present(&w, "pinghu", true, morning()); /* another tier's */
    alarm(&w, CODE_A);
    assert_int_equal(events_of(&w, EVENT_RAISED), 2);
    assert_int_equal(events_of(&w, EVENT_UNATTENDED), 1);
    size_t i = 0;
    while (w.out.events[i].ev.type != EVENT_UNATTENDED)
        i++;
    assert_int_equal(w.out.events[i - 1].ev.type, EVENT_RAISED); /* right after it, and for the next tier as well */
    assert_int_equal(w.out.events[i].ev.n_teams, 2);
    assert_true(slice_is(w.out.events[i].ev.teams[1], "pinghu"));
    present(&w, "danghu", true, morning());
    alarm(&w, CODE_B);
    assert_int_equal(events_of(&w, EVENT_RAISED), 3);
    assert_int_equal(events_of(&w, EVENT_UNATTENDED), 1); /* somebody does */
    world_finish(&w);
}

static void who_listens_ends(void **unused)
{
    (void)unused;
    static const char *const ends[] = {"danghu", ""};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct world w;
        begin_teams(&w);
        present(&w, "danghu", true, morning());
        present(&w, ends[i], false, morning());
        alarm(&w, CODE_A);
        assert_int_equal(events_of(&w, EVENT_UNATTENDED), 1);
        world_finish(&w);
    }
}

/* ---- a stop in the middle ---- */

static void survives_a_stop(void **unused)
{
    (void)unused;
    struct world w, again;
    struct rows whole, half;
    begin_teams(&w);
    present(&w, "danghu", true, morning());
    uint64_t a = complain(&w, morning()), b = complain(&w, morning());
    rows_init(&half);
    rows_init(&whole);
    struct checkpoint *c = engine_checkpoint(w.engine);
    rows_take(&half, c);
    rows_take(&whole, c);
    engine_committed(w.engine, c);
    world_init_loader(&again, NULL, &half.loader, 0);
    struct world *both[] = {&w, &again};
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        both[i]->ids = 100;
        assert_int_equal(sort(both[i], a, "relevant", "王", morning() + HOUR), 0);
        alarm(both[i], CODE_A);
        world_tick(both[i], morning() + 2 * DAY_MS);
        assert_int_equal(sorted(both[i], b).as, TRIAGE_TIME_UP);
        assert_int_equal(complaints(both[i]), 2);
    }
    assert_string_equal(world_story(&w, w.out.n - again.out.n), world_story(&again, 0));
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
        cmocka_unit_test(waits_then_counts),     cmocka_unit_test(a_person_decides),
        cmocka_unit_test(refused),               cmocka_unit_test(cancelled_while_it_waits),
        cmocka_unit_test(order_does_not_matter), cmocka_unit_test(new_settings),
        cmocka_unit_test(let_in_is_news),        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(who_listens_ends),      cmocka_unit_test(survives_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
