/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-up: the firms of one project, owner or zone make one parent alert; what its record says of them. */
#include "tests/unit/test.h"

#include "engine/fold.h"
#include "engine/rollup.h"
#include "engine/settings_tree.h"
#include "lib/yaml.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"

#include <stdlib.h>

#define OWNER "00112233445566778899aabbccddeeff"
#define SITE "330482202607150101"

#define SCORE "version: 1\nscore:\n  levels: {general: 20, major: 50, critical: 85}\n  hysteresis: 5\n"                  \
              "  one_agency_at_most: critical\n  others_at_least: 5\n"
#define RULE_SCORE "  - {id: score, title: {zh: 分, en: Score}, when: {score: follow}, then: {raise: by_score}}\n"
#define ROLL(id, by, n)                                                                                                \
    "  - {id: " id ", title: {zh: " id ", en: " id "}, when: {area: {by: " by ", level: general, at_least: " #n         \
    ", within: 30d}}, then: {raise: major}}\n"

static const char rules[] = SCORE "rules:\n" ROLL("site", "project", 2) ROLL("one-owner", "owner", 2) RULE_SCORE;
static const char zone_rules[] = SCORE "rules:\n" ROLL("park", "zone", 2) RULE_SCORE;

/* Nothing that hysteresis holds. */
static const char plain_rules_of_order[] = SCORE "rules:\n" ROLL("site", "project", 2) ROLL("one-owner", "owner", 2)
    "  - {id: s, title: {zh: s, en: s}, when: {signal: court.seizure, within: 30d}, then: {raise: general}}\n";

static const char *firm(struct world *w, unsigned i)
{
    return arena_printf(&w->arena, "91330482MA%08u", i);
}

static const struct record *record_of(struct world *w, const char *code)
{
    struct ekey k = ekey_of_code(STATUS_ACTUAL, slice_of(code));
    return world_record(w, &k);
}

static void pass(struct world *w, int64_t until)
{
    for (int64_t next; (next = engine_next_due(w->engine)) <= until;)
        world_tick(w, next);
    world_tick(w, until);
    w->now = until;
}

static void goes_bad(struct world *w, const char *code, const char *project, const char *region, double day)
{
    assert_int_equal(world_say(w, &(struct say){.kind = "court.seizure", .uscc = code, .project = project, .region = region,
                                                .industry = "E4710", .role = ROLE_SUB, .at = DAY(day)}),
                     SCREEN_NEW);
}

/* The last event of a parent; *n: how many there were. */
static const struct event *parent(struct world *w, size_t *n)
{
    const struct event *found = NULL;
    *n = 0;
    for (size_t i = 0; i < w->out.n; i++)
        if (ekey_kind(&w->out.events[i].ev.key) == EKEY_AREA) {
            found = &w->out.events[i].ev;
            ++*n;
        }
    return found;
}

static bool has_place(const region_t *list, uint32_t n, const char *code)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == region_of(slice_of(code)))
            return true;
    return false;
}

static void firms_of_one_project_make_one_alert(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    goes_bad(&w, CODE_A, SITE, "330482001", 0);
    goes_bad(&w, CODE_B, NULL, "330482001", 0);
    goes_bad(&w, CODE_B, "another", "330482001", 0);
    assert_null(parent(&w, &n));
    goes_bad(&w, CODE_C, SITE, "330482002", 1);
    const struct event *ev = parent(&w, &n);
    assert_int_equal(n, 1);
    assert_int_equal(ev->type, EVENT_RAISED);
    assert_int_equal(ev->level, LEVEL_MAJOR);
    assert_true(slice_is(ev->name, SITE));
    assert_true(slice_is(ev->industry, "E4710"));
    assert_int_equal(ev->region, region_of(SLICE("330482")));
    assert_int_equal(ev->members_total, 2);
    assert_int_equal(ev->n_members, 2);
    assert_true(has_place(ev->places, ev->n_places, "330482001") && has_place(ev->places, ev->n_places, "330482002"));
    assert_true(has_place(ev->members[0].places, ev->members[0].n_places, "330482001"));
    uint64_t alert = ev->alert;
    pass(&w, DAY(900)); /* they recover, and the window ends by the clock alone */
    ev = parent(&w, &n);
    assert_int_equal(n, 2);
    assert_int_equal(ev->type, EVENT_WITHDRAWN);
    assert_int_equal(ev->alert, alert);
    assert_int_equal(record_of(&w, CODE_A)->n_areas, 0);
    world_finish(&w);
}

static void a_firm_of_two_projects_counts_for_both(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    goes_bad(&w, CODE_A, "P1", "330482001", 0);
    goes_bad(&w, CODE_A, "P2", "330482001", 0);
    goes_bad(&w, CODE_B, "P1", "330482001", 0);
    goes_bad(&w, CODE_C, "P2", "330482001", 0);
    assert_non_null(parent(&w, &n));
    assert_int_equal(n, 2);
    assert_int_equal(record_of(&w, CODE_A)->n_areas, 2);
    assert_int_equal(record_of(&w, CODE_B)->n_areas, 1);
    world_finish(&w);
}

static void a_new_place_is_told_and_one_more_firm_of_a_known_one_is_not(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    for (unsigned i = 0; i < 10; i++)
        goes_bad(&w, firm(&w, i), SITE, "330482001", 0);
    const struct event *ev = parent(&w, &n);
    assert_int_equal(n, 6); /* of 2, 3, 4, 5, 7, 9 */
    assert_int_equal(ev->members_total, 9);
    assert_int_equal(ev->region, region_of(SLICE("330482001")));
    goes_bad(&w, firm(&w, 10), SITE, "330102004", 0);
    ev = parent(&w, &n);
    assert_int_equal(n, 7);
    assert_int_equal(ev->type, EVENT_EVIDENCE);
    assert_int_equal(ev->members_total, 11);
    assert_true(has_place(ev->places, ev->n_places, "330102004"));
    assert_int_equal(ev->region, region_of(SLICE("330482001"))); /* most work here */
    world_finish(&w);
}

static void places_of_many_members_are_bounded(void **state)
{
    enum { MANY = 200, QUARTERS = 19 }; /* of 2, 3, 4, 5, 7, 9 ... 167 */
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    for (unsigned i = 0; i < MANY; i++)
        goes_bad(&w, firm(&w, i), SITE, arena_printf(&w.arena, "33%02u%02u%03u", i % 10, i / 10 % 10, i), 0);
    const struct event *ev = parent(&w, &n);
    assert_int_equal(ev->n_places, ROLLUP_PLACES_MAX);
    assert_true(n <= ROLLUP_PLACES_MAX + QUARTERS);
    assert_int_equal(ev->n_members, EVENT_SIGNALS_MAX);
    struct arena a = {0};
    struct event back;
    struct err err;
    assert_int_equal(event_get(w.out.events[w.out.n - 1].bytes, &a, &back, &err), 0);
    arena_finish(&a);
    world_finish(&w);
}

static void one_owner_binds_too_and_his_hash_is_not_shown(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    for (unsigned i = 0; i < 2; i++)
        world_say(&w, &(struct say){.kind = "court.seizure", .uscc = firm(&w, i), .owner = OWNER, .region = "330482001",
                                    .at = DAY(0)});
    const struct event *ev = parent(&w, &n);
    assert_int_equal(n, 1);
    assert_true(ev->name.n == 14 && memcmp(ev->name.p, "owner ", 6) == 0);
    assert_true(memcmp(ev->name.p + 6, OWNER, 8) != 0);
    world_finish(&w);
}

static void an_exercise_has_a_parent_of_its_own(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    goes_bad(&w, CODE_A, SITE, "330482001", 0);
    world_say(&w, &(struct say){.kind = "court.seizure", .uscc = CODE_B, .project = SITE, .at = DAY(0),
                                .status = STATUS_EXERCISE});
    assert_null(parent(&w, &n));
    world_say(&w, &(struct say){.kind = "court.seizure", .uscc = CODE_C, .project = SITE, .at = DAY(0),
                                .status = STATUS_EXERCISE});
    const struct event *ev = parent(&w, &n);
    assert_int_equal(n, 1);
    assert_int_equal(ekey_status(&ev->key), STATUS_EXERCISE);
    world_finish(&w);
}

/* ---- whose they are, and what a close means ---- */

static struct alert alert_at(struct world *w, const char *code)
{
    struct alert a;
    const struct record *c = record_of(w, code);
    assert_non_null(c);
    assert_true(alert_load(w->engine, c->alert, &a));
    return a;
}

static enum wire_error act(struct world *w, uint64_t alert, const char *what, double at)
{
    struct entry_action x = world_action(alert, what);
    x.finding = slice_of(strcmp(what, "verify") == 0 ? "unfounded" : "");
    x.outcome = slice_of(strcmp(what, "close") == 0 ? "unfounded" : "");
    return world_act(w, &x, DAY(at));
}

static void close_alert(struct world *w, uint64_t alert, double at)
{
    static const char *const steps[] = {"accept", "verify", "close"};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        assert_int_equal(act(w, alert, steps[i], at), 0);
}

/* As long as it is open; who comes later; and what is told once stays. */
static void a_members_alert_keeps_whose_it_was(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    goes_bad(&w, firm(&w, 9), "another", "330482001", 0);
    goes_bad(&w, CODE_A, SITE, "330482001", 0);
    assert_true(alert_at(&w, CODE_A).parent == 0);
    goes_bad(&w, CODE_B, SITE, "330482001", 1);
    uint64_t first = parent(&w, &n)->alert;
    goes_bad(&w, CODE_C, SITE, "330482001", 2);
    assert_true(alert_at(&w, CODE_A).parent == first && alert_at(&w, CODE_B).parent == first && alert_at(&w, CODE_C).parent == first);
    assert_true(alert_at(&w, firm(&w, 9)).parent == 0);
    struct alert own;
    assert_true(alert_load(w.engine, first, &own) && own.parent == 0);
    close_alert(&w, alert_at(&w, CODE_A).number, 3);
    close_alert(&w, first, 4);
    assert_true(alert_at(&w, CODE_A).parent == first && alert_at(&w, CODE_B).parent == first);
    goes_bad(&w, CODE_A, SITE, "330482001", 5); /* comes back while there is none */
    assert_int_equal(alert_at(&w, CODE_A).state, ALERT_STATE_OPEN);
    assert_true(alert_at(&w, CODE_A).parent == 0);
    world_finish(&w);
}

static void closing_the_parent_closes_no_member_and_says_so(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, rules);
    goes_bad(&w, CODE_A, SITE, "330482001", 0);
    goes_bad(&w, CODE_B, SITE, "330482001", 1);
    goes_bad(&w, CODE_C, SITE, "330482001", 2);
    uint64_t first = parent(&w, &n)->alert;
    close_alert(&w, alert_at(&w, CODE_C).number, 3);
    assert_null(w.out.sentence);
    close_alert(&w, first, 4);
    const struct event *ev = parent(&w, &n);
    assert_int_equal(ev->type, EVENT_CLOSED);
    assert_int_equal(ev->members_open, 2);
    assert_non_null(strstr(w.out.sentence, "2 of its enterprises have an alert that is open"));
    assert_int_equal(alert_at(&w, CODE_A).state, ALERT_STATE_OPEN);
    assert_int_equal(alert_at(&w, CODE_B).state, ALERT_STATE_OPEN);
    world_finish(&w);
}

/* ---- zones ---- */

static void configure_zone(struct world *w)
{
    static const char areas[] = "zones: [{code: '330491', name: 高新区, prefixes: ['330482001', '330482002']}]\n";
    struct arena a = {0};
    struct mistakes m = {.arena = &a, .file = "areas.yaml"};
    struct buf b = {0};
    struct tree *t, *whole = arena_copy(&a, world_settings(&a, zone_rules), sizeof *whole);
    uint8_t hash[CHAIN_LEN];
    assert_int_equal(yaml_parse(&a, slice_of(areas), &m, &t), 0);
    tree_set(&a, whole, SLICE("areas"), t);
    settings_tree_hash(whole, hash);
    entry_put_config(&b, (struct slice){(char *)hash, sizeof hash}, whole);
    world_apply(w, (struct slice){(char *)b.p, b.n}, DAY(0));
    buf_finish(&b);
    arena_finish(&a);
}

static void a_zone_is_its_own_area_across_towns(void **state)
{
    struct world w;
    size_t n;
    (void)state;
    world_init(&w, NULL);
    configure_zone(&w);
    goes_bad(&w, CODE_A, NULL, "330482001", 0);
    goes_bad(&w, CODE_B, NULL, "330482003", 0); /* beside it */
    assert_null(parent(&w, &n));
    goes_bad(&w, CODE_C, NULL, "330482002007", 0);
    const struct event *ev = parent(&w, &n);
    assert_int_equal(n, 1);
    assert_true(slice_is(ev->name, "高新区"));
    assert_int_equal(ev->members_total, 2);
    assert_true(has_place(ev->places, ev->n_places, "330491"));
    assert_int_equal(ev->region, region_of(SLICE("330482")));
    world_finish(&w);
}

/* ---- by property ---- */

static uint64_t seed = 20260715;

static uint32_t below(uint32_t n)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((sig_mix(seed) >> 32) * n >> 32);
}

static struct say invent(struct world *w, unsigned i, uint32_t n_kinds)
{
    static const char *const kinds[] = {"court.seizure", "police.owner_missing", "tax.arrears", "court.released"};
    static const char *const projects[] = {NULL, "P1", "P2"}, *const towns[] = {"330482001", "330482002", "330102004"};
    return (struct say){.id = arena_printf(&w->arena, "i%u", i), .source = "x", .kind = kinds[below(n_kinds)],
                        .at = DAY(below(40)) + below(86400000), .uscc = firm(w, below(6)), .project = projects[below(3)],
                        .owner = below(4) ? NULL : OWNER, .region = towns[below(3)], .role = ROLE_SUB};
}

/* Who counts where, and how the parents stand. */
static const char *picture(struct world *w)
{
    char *all = arena_printf(&w->arena, "%s", "");
    for (unsigned i = 0; i < 6; i++) {
        const struct record *r = record_of(w, firm(w, i));
        for (uint32_t k = 0; r && k < r->n_areas; k++) {
            struct ekey key = rollup_area(r->areas[k].hub);
            const struct record *area = world_record(w, &key);
            all = arena_printf(&w->arena, "%s%u: %02x%02x%02x level %d\n", all, i, r->areas[k].hub[1], r->areas[k].hub[2],
                               r->areas[k].hub[3], area ? area->level : -1);
        }
    }
    return all;
}

static void order_of_arrival_does_not_matter(void **state)
{
    enum { MANY = 16 };
    unsigned parents = 0;
    (void)state;
    for (int round = 0; round < 30; round++) {
        struct world a, b;
        struct say list[MANY];
        world_init(&a, plain_rules_of_order);
        world_init(&b, plain_rules_of_order);
        for (unsigned i = 0; i < MANY; i++)
            list[i] = invent(&a, i, 3); /* none that clears: who was at a level for a moment was at it */
        a.now = b.now = DAY(41);
        for (unsigned i = 0; i < MANY; i++)
            world_say(&a, &list[i]);
        for (unsigned i = MANY; i-- > 0;)
            world_say(&b, &list[i]);
        pass(&a, DAY(42));
        pass(&b, DAY(42));
        const char *one = picture(&a), *two = picture(&b);
        parents += strstr(one, "level 2") != NULL;
        assert_string_equal(one, two);
        world_finish(&a);
        world_finish(&b);
    }
    assert_true(parents > 5);
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

static void a_stop_and_a_start_change_nothing(void **state)
{
    enum { MANY = 80 };
    (void)state;
    for (int round = 0; round < 6; round++) {
        struct rows one, two;
        struct world plain, paged, maker = {0};
        rows_init(&one);
        rows_init(&two);
        world_init_loader(&plain, rules, &one.loader, SIZE_MAX);
        world_init_loader(&paged, rules, &two.loader, 0);
        for (unsigned i = 0; i < MANY; i++) {
            struct say s = invent(&maker, i, 4);
            plain.now = paged.now = DAY(i);
            enum screened said = world_say(&plain, &s);
            assert_int_equal(world_say(&paged, &s), said);
            if (below(4) == 0)
                take(&paged, &two);
            if (below(12) == 0) {
                take(&paged, &two);
                world_finish(&paged);
                world_init_loader(&paged, rules, &two.loader, 0);
            }
        }
        take(&plain, &one);
        take(&paged, &two);
        const char *differ = rows_differ(&one, &two);
        if (differ)
            fail_msg("round %d: %s", round, differ);
        world_finish(&plain);
        world_finish(&paged);
        arena_finish(&maker.arena);
        rows_finish(&one);
        rows_finish(&two);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(firms_of_one_project_make_one_alert),
        cmocka_unit_test(a_firm_of_two_projects_counts_for_both),
        cmocka_unit_test(a_new_place_is_told_and_one_more_firm_of_a_known_one_is_not),
        cmocka_unit_test(places_of_many_members_are_bounded),
        cmocka_unit_test(one_owner_binds_too_and_his_hash_is_not_shown),
        cmocka_unit_test(an_exercise_has_a_parent_of_its_own),
        cmocka_unit_test(a_members_alert_keeps_whose_it_was),
        cmocka_unit_test(closing_the_parent_closes_no_member_and_says_so),
        cmocka_unit_test(a_zone_is_its_own_area_across_towns),
        cmocka_unit_test(order_of_arrival_does_not_matter),
        cmocka_unit_test(a_stop_and_a_start_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
