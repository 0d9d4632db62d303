/* SPDX-License-Identifier: Apache-2.0 */
/* Who listens for an alert: by what its teams' subscriptions ask for; and what is told when those go who did. */
#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"
#include "test.h"

#define HOUR   INT64_C(3600000)
#define MINUTE INT64_C(60000)

static const char deadlines[] = "version: 1\n"
                                "accept: {general: 5wd, major: 5wd, critical: 5wd}\n"
                                "verify: {general: 10d, major: 7d, critical: 7d}\n"
                                "unattended: {general: 3d, major: 3d, critical: 3d}\n"
                                "absent: 10m\n";

static const char teams[] =
    "version: 1\ncovers: [\"330482\"]\n"
    "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n  - {id: county, zh: 县, en: county, escalate_after: 2wd}\n"
    "joins: {general: town, major: town, critical: county}\n"
    "teams:\n"
    "  - {id: danghu, name: {zh: 当湖, en: danghu}, tier: town, regions: \"330482\"}\n"
    "  - {id: pinghu, name: {zh: 平湖, en: pinghu}, tier: county, regions: \"330482\"}\n";

/* Wednesday 2026-04-15, 09:00 at +08:00. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static void begin(struct world *w)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &(struct world_work){.teams = teams, .deadlines = deadlines}, morning() - DAY_MS);
}

static void tell(struct world *w, const struct entry_presence *p, int64_t at)
{
    buf_reset(&w->buf);
    entry_put_presence(&w->buf, p);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, at);
}

static void present(struct world *w, const char *team, bool listening, int64_t at)
{
    tell(w, &(struct entry_presence){.team = slice_of(team), .listening = listening}, at);
}

static void asks(struct world *w, const char *team, const struct entry_wish *wish, int64_t at)
{
    tell(w, &(struct entry_presence){slice_of(team), true, 1, wish}, at);
}

/* A major alert of a clothing maker in a town. */
static void alarm(struct world *w, const char *uscc, int64_t at)
{
    static const char *const kinds[] = {"tax.arrears", "subdistrict.wage_delay", "court.wage_suit"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        world_say(w, &(struct say){.kind = kinds[i], .at = at, .uscc = uscc, .region = "330482001", .industry = "C181"});
}

static size_t events_of(const struct world *w, enum event_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < w->out.n; i++)
        n += w->out.events[i].ev.type == type;
    return n;
}

#define UNATTENDED(w) events_of((w), EVENT_UNATTENDED)

/* The alert rises, and one of the teams has one subscription: is it sent it? */
static bool heard(const struct entry_wish *wish)
{
    struct world w;
    begin(&w);
    present(&w, "", false, morning());
    asks(&w, "danghu", wish, morning());
    alarm(&w, CODE_A, morning());
    size_t n = UNATTENDED(&w);
    world_finish(&w);
    return n == 0;
}

static void only_what_it_asks_for(void **unused)
{
    (void)unused;
    const region_t here[] = {region_of(SLICE("330501")), region_of(SLICE("330482"))}, there = region_of(SLICE("330482099"));
    const struct slice clothing[] = {SLICE("E"), SLICE("C18")}, building = SLICE("E");
    assert_true(heard(&(struct entry_wish){0}));
    assert_true(heard(&(struct entry_wish){.n_regions = 2, .regions = here}));
    assert_false(heard(&(struct entry_wish){.n_regions = 1, .regions = &there}));
    assert_false(heard(&(struct entry_wish){.min_level = LEVEL_CRITICAL}));
    assert_true(heard(&(struct entry_wish){.n_industries = 2, .industries = clothing}));
    assert_false(heard(&(struct entry_wish){.n_industries = 1, .industries = &building}));
    assert_false(heard(&(struct entry_wish){.n_regions = 2, .regions = here, .n_industries = 1, .industries = &building}));
}

/* At the rise its level is general: who asks for major ones is not there yet. */
static void the_level_of_the_rise(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    present(&w, "", false, morning());
    asks(&w, "danghu", &(struct entry_wish){.min_level = LEVEL_MAJOR}, morning());
    alarm(&w, CODE_A, morning());
    assert_true(w.out.events[0].ev.level == LEVEL_GENERAL && w.out.events[1].ev.type == EVENT_UNATTENDED);
    world_finish(&w);
}

static void the_last_one_goes(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    present(&w, "", false, morning());
    present(&w, "danghu", true, morning());
    alarm(&w, CODE_A, morning());
    alarm(&w, CODE_B, morning());
    struct entry_action seen = world_action(world_last(&w)->alert, "seen");
    assert_int_equal(world_act(&w, &seen, morning()), 0);
    present(&w, "danghu", false, morning() + HOUR);
    world_tick(&w, morning() + HOUR + 10 * MINUTE - 1);
    assert_int_equal(UNATTENDED(&w), 0);
    world_tick(&w, morning() + HOUR + 10 * MINUTE);
    assert_int_equal(UNATTENDED(&w), 1); /* somebody has looked at the other one */
    const struct event *ev = world_last(&w);
    assert_true(ev->type == EVENT_UNATTENDED && slice_is(ev->uscc, CODE_A) && ev->at == morning() + HOUR + 10 * MINUTE);
    assert_true(ev->n_teams == 2 && slice_is(ev->teams[1], "pinghu")); /* the next tier hears of it */
    world_tick(&w, morning() + 2 * DAY_MS);
    assert_int_equal(UNATTENDED(&w), 1); /* once */
    world_finish(&w);
}

/* Back within the time; another one listens; it asks for something else from now on. */
static void who_comes_back(void **unused)
{
    (void)unused;
    const struct entry_wish grave = {.min_level = LEVEL_CRITICAL};
    struct world w;
    begin(&w);
    present(&w, "", false, morning());
    present(&w, "danghu", true, morning());
    alarm(&w, CODE_A, morning());
    present(&w, "danghu", false, morning() + HOUR);
    present(&w, "danghu", true, morning() + HOUR + 9 * MINUTE);
    world_tick(&w, morning() + 2 * HOUR);
    assert_int_equal(UNATTENDED(&w), 0);
    /* it goes again, just before the look that the first time had brought about */
    present(&w, "danghu", false, morning() + 3 * HOUR);
    present(&w, "danghu", true, morning() + 3 * HOUR + 5 * MINUTE);
    asks(&w, "danghu", &grave, morning() + 3 * HOUR + 8 * MINUTE);
    world_tick(&w, morning() + 3 * HOUR + 18 * MINUTE - 1);
    assert_int_equal(UNATTENDED(&w), 0);
    world_tick(&w, morning() + 3 * HOUR + 18 * MINUTE);
    assert_int_equal(UNATTENDED(&w), 1);
    world_finish(&w);
}

/* A start ends all presence; a desk that connects again within the time makes it none the worse. */
static void a_start(void **unused)
{
    (void)unused;
    for (int back = 0; back < 2; back++) {
        struct world w;
        begin(&w);
        present(&w, "", false, morning());
        present(&w, "danghu", true, morning());
        alarm(&w, CODE_A, morning());
        present(&w, "", false, morning() + HOUR);
        if (back)
            present(&w, "danghu", true, morning() + HOUR + MINUTE);
        world_tick(&w, morning() + 2 * HOUR);
        assert_int_equal(UNATTENDED(&w), !back);
        world_finish(&w);
    }
}

/* More of them than one page: all are told, a page at a time. Those that are closed meanwhile are not. */
static void many(void **unused)
{
    (void)unused;
    enum { FIRMS = 150 };
    struct world w;
    begin(&w);
    present(&w, "", false, morning());
    present(&w, "danghu", true, morning());
    for (int i = 0; i < FIRMS; i++)
        alarm(&w, arena_printf(&w.arena, "91330400MA%08d", i), morning());
    present(&w, "danghu", false, morning() + HOUR);
    world_tick(&w, morning() + HOUR + 10 * MINUTE);
    assert_true(UNATTENDED(&w) > 0 && UNATTENDED(&w) < FIRMS);
    world_tick(&w, morning() + HOUR + 11 * MINUTE);
    assert_int_equal(UNATTENDED(&w), FIRMS);
    world_finish(&w);
}

static void store(struct world *w, struct rows *rows)
{
    struct checkpoint *c = engine_checkpoint(w->engine);
    rows_take(rows, c);
    engine_committed(w->engine, c);
}

/* A stop between the going and the look: the same events and the same rows. */
static void survives_a_stop(void **unused)
{
    (void)unused;
    const region_t here = region_of(SLICE("330482"));
    struct world w, again;
    struct rows whole, half;
    begin(&w);
    present(&w, "", false, morning());
    asks(&w, "danghu", &(struct entry_wish){.n_regions = 1, .regions = &here}, morning());
    alarm(&w, CODE_A, morning());
    alarm(&w, CODE_B, morning());
    present(&w, "danghu", false, morning() + HOUR);
    rows_init(&half);
    rows_init(&whole);
    struct checkpoint *c = engine_checkpoint(w.engine);
    rows_take(&half, c);
    rows_take(&whole, c);
    engine_committed(w.engine, c);
    world_init_loader(&again, NULL, &half.loader, 0);
    size_t had = w.out.n;
    world_tick(&w, morning() + 2 * HOUR);
    world_tick(&again, morning() + 2 * HOUR);
    assert_int_equal(UNATTENDED(&w), 2);
    assert_string_equal(world_story(&w, had), world_story(&again, 0));
    store(&again, &half);
    store(&w, &whole);
    const char *differ = rows_differ(&whole, &half);
    if (differ)
        fail_msg("%s", differ);
    world_finish(&again);
    world_finish(&w);
    rows_finish(&whole);
    rows_finish(&half);
}

/* Without the term nothing is told but at the rise. */
static void not_configured(void **unused)
{
    (void)unused;
    struct world w;
    const struct world_work work = {.teams = teams, .deadlines = "version: 1\naccept: {major: 5wd}\nverify: {major: 7d}\n"};
    world_init(&w, NULL);
    world_config_work(&w, NULL, &work, morning() - DAY_MS);
    present(&w, "", false, morning());
    present(&w, "danghu", true, morning());
    alarm(&w, CODE_A, morning());
    present(&w, "danghu", false, morning() + HOUR);
    world_tick(&w, morning() + DAY_MS);
    assert_int_equal(UNATTENDED(&w), 0);
    alarm(&w, CODE_B, morning() + DAY_MS);
    assert_int_equal(UNATTENDED(&w), 1);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_it_asks_for), cmocka_unit_test(the_level_of_the_rise), cmocka_unit_test(the_last_one_goes),
        cmocka_unit_test(who_comes_back),        cmocka_unit_test(a_start),               cmocka_unit_test(many),
        cmocka_unit_test(survives_a_stop),       cmocka_unit_test(not_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
