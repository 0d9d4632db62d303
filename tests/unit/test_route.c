/* SPDX-License-Identifier: Apache-2.0 */
/* Who an alert is for when the teams change: each open one whose list of teams is another by then hears of it once. */
#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/world.h"
#include "test.h"

#define HOUR INT64_C(3600000)

static const char deadlines[] = "version: 1\n"
                                "accept: {general: 0wd, major: 0wd, critical: 2h}\n"
                                "verify: {general: 10d, major: 7d, critical: 1d}\n";

static const char head[] = "version: 1\ncovers: [\"330482\"]\n";
static const char low_tiers[] = "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n"
                                "  - {id: county, zh: 县, en: county, escalate_after: 2wd}\n";
static const char city_tier[] = "  - {id: city, zh: 市, en: city}\n";
static const char low_teams[] = "joins: {general: town, major: town, critical: county}\nteams:\n"
                                "  - {id: towns, name: {zh: 镇, en: towns}, tier: town, regions: \"330482\"}\n"
                                "  - {id: pinghu, name: {zh: 县, en: pinghu}, tier: county, regions: \"330482\"}\n";
static const char city_team[] = "  - {id: jiaxing, name: {zh: 市, en: jiaxing}, tier: city, regions: \"3304\"}\n";

/* Wednesday 2026-04-15, 09:00 at +08:00. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static const char *three_tiers(struct world *w)
{
    return arena_printf(&w->arena, "%s%s%s%s%s", head, low_tiers, city_tier, low_teams, city_team);
}

static const char *two_tiers(struct world *w)
{
    return arena_printf(&w->arena, "%s%s%s", head, low_tiers, low_teams);
}

/* The same with one word in place of another. */
static const char *renamed(struct world *w, const char *text, const char *old, const char *new)
{
    const char *p = strstr(text, old);
    assert_non_null(p);
    return arena_printf(&w->arena, "%.*s%s%s", (int)(p - text), text, new, p + strlen(old));
}

/* One major alert, number 1, raised in the morning. */
static void begin(struct world *w)
{
    static const char *const kinds[] = {"subdistrict.wage_delay", "hotline.complaint", "tax.arrears"};
    world_init(w, NULL);
    world_config_work(w, NULL, &(struct world_work){.teams = three_tiers(w), .deadlines = deadlines}, morning() - DAY_MS);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        world_say(w, &(struct say){.kind = kinds[i], .at = morning(), .uscc = CODE_A, .region = "330482001"});
    assert_int_equal(world_last(w)->alert, 1);
}

static const char *events_since(struct world *w, size_t from)
{
    const char *all = "";
    for (; from < w->out.n; from++) {
        const struct event *ev = &w->out.events[from].ev;
        all = arena_printf(&w->arena, "%s%s%s:", all, *all ? "; " : "", event_wire(ev->type));
        for (uint32_t i = 0; i < ev->n_teams; i++)
            all = arena_printf(&w->arena, "%s %.*s", all, SLICE_ARG(ev->teams[i]));
    }
    return all;
}

/* Other teams, and the enterprise judged under them: what was told. */
static const char *reload(struct world *w, const char *teams, int64_t at)
{
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    size_t had = w->out.n;
    world_config_work(w, NULL, &(struct world_work){.teams = teams, .deadlines = deadlines}, at);
    buf_reset(&w->buf);
    entry_put_sweep(&w->buf, &key, 1);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, at);
    return events_since(w, had);
}

static enum wire_error act(struct world *w, const char *what, const char *team, int64_t at)
{
    struct entry_action x = world_action(1, what);
    x.team = slice_of(team);
    return world_act(w, &x, at);
}

static void an_upper_team_is_another(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    const char *teams = three_tiers(&w);
    assert_string_equal(reload(&w, renamed(&w, teams, "id: pinghu", "id: desk"), morning()), ""); /* not in it yet */
    assert_string_equal(reload(&w, teams, morning()), "");
    world_tick(&w, morning() + 2 * DAY_MS); /* overdue, then the county's */
    assert_string_equal(events_since(&w, w.out.n - 1), "escalated: towns pinghu");
    const char *told = reload(&w, renamed(&w, teams, "id: pinghu", "id: desk"), morning() + 2 * DAY_MS);
    assert_string_equal(told, "assigned: towns desk");
    assert_true(slice_is(world_last(&w)->team, "towns")); /* who answers is the same */
    assert_int_equal(world_last(&w)->principal.n, 0);
    assert_string_equal(reload(&w, renamed(&w, teams, "id: pinghu", "id: desk"), morning() + 2 * DAY_MS), "");
    world_finish(&w);
}

/* Given by name, it stays there; whoever else hears of it changes all the same. */
static void given_by_name(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    const char *teams = three_tiers(&w);
    assert_int_equal(act(&w, "assign", "jiaxing", morning()), 0);
    assert_int_equal(act(&w, "join", "pinghu", morning()), 0);
    assert_string_equal(events_since(&w, w.out.n - 1), "joined: jiaxing pinghu");
    assert_string_equal(reload(&w, renamed(&w, teams, "id: towns", "id: streets"), morning()), "");
    assert_string_equal(reload(&w, renamed(&w, teams, "id: pinghu", "id: desk"), morning()), "assigned: jiaxing");
    assert_true(slice_is(world_last(&w)->team, "jiaxing"));
    assert_string_equal(reload(&w, renamed(&w, teams, "id: jiaxing", "id: city-desk"), morning()), "assigned: towns pinghu");
    world_finish(&w);
}

static void a_tier_goes_and_comes_back(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    world_tick(&w, morning() + 6 * DAY_MS); /* overdue, the county's, the city's */
    assert_string_equal(events_since(&w, w.out.n - 1), "escalated: towns pinghu jiaxing");
    assert_int_equal(world_last(&w)->tier, 2);
    assert_string_equal(reload(&w, two_tiers(&w), morning() + 6 * DAY_MS), "assigned: towns pinghu");
    assert_int_equal(world_last(&w)->tier, 1); /* the highest that is */
    size_t had = w.out.n;
    world_tick(&w, morning() + 30 * DAY_MS);
    assert_int_equal(w.out.n, had);
    /* it comes back: the county has its time in full, then it is the city's turn */
    assert_string_equal(reload(&w, three_tiers(&w), morning() + 30 * DAY_MS), "");
    world_tick(&w, morning() + 31 * DAY_MS);
    assert_int_equal(w.out.n, had);
    world_tick(&w, morning() + 36 * DAY_MS);
    assert_string_equal(events_since(&w, had), "escalated: towns pinghu jiaxing");
    world_finish(&w);
}

/* The county has it, and its turn to hand it on was set when a tier lay above. */
static void no_turn_above_the_highest(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    world_tick(&w, morning() + 2 * DAY_MS);
    assert_int_equal(world_last(&w)->tier, 1);
    assert_string_equal(reload(&w, two_tiers(&w), morning() + 2 * DAY_MS), "");
    size_t had = w.out.n;
    world_tick(&w, morning() + 30 * DAY_MS);
    assert_string_equal(events_since(&w, had), "");
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upper_team_is_another), cmocka_unit_test(given_by_name),
        cmocka_unit_test(a_tier_goes_and_comes_back), cmocka_unit_test(no_turn_above_the_highest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
