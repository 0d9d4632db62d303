/* SPDX-License-Identifier: Apache-2.0 */
/* Zones and codes that were replaced: what areas.yaml may say, and what it does to signals. */
#include "tests/unit/test.h"

#include "engine/fold.h"
#include "engine/settings_tree.h"
#include "lib/yaml.h"
#include "tests/support/world.h"

#include <stdlib.h>

#define SAY(w, ...) world_say((w), &(struct say){__VA_ARGS__})

static const char areas[] = "zones:\n"
                            "  - {code: '321171', name: 镇江新区, prefixes: ['321112001', '321112002']}\n"
                            "replaced:\n"
                            "  - {old: '330103', new: '330105', since: 2021-04-09}\n"
                            "  - {old: '330105', new: '330199', since: 2025-01-01}\n"
                            "  - {old: '330103007', new: '330102004'}\n";

static const char rules[] = "version: 1\n"
                            "score:\n"
                            "  levels: {general: 40, major: 65, critical: 85}\n"
                            "  hysteresis: 8\n"
                            "rules:\n"
                            "  - id: zone\n"
                            "    title: {zh: 新区, en: Zone}\n"
                            "    when: {all: [{enterprise: {region: ['321171']}}, {signal: tax.arrears, within: 30d}]}\n"
                            "    then: {raise: general}\n";

static struct tree *parse(struct arena *a, const char *text)
{
    struct mistakes m = {.arena = a, .file = "areas.yaml"};
    struct tree *t;
    assert_int_equal(yaml_parse(a, slice_of(text), &m, &t), 0);
    return t;
}

static struct tree *whole(struct arena *a, const char *rules_yaml, const char *areas_yaml)
{
    struct tree *t = arena_copy(a, world_settings(a, rules_yaml), sizeof *t);
    tree_set(a, t, SLICE("areas"), parse(a, areas_yaml));
    return t;
}

static void configure(struct world *w, const char *rules_yaml, const char *areas_yaml)
{
    struct arena a = {0};
    struct buf b = {0};
    uint8_t hash[CHAIN_LEN];
    const struct tree *t = whole(&a, rules_yaml, areas_yaml);
    settings_tree_hash(t, hash);
    entry_put_config(&b, (struct slice){(char *)hash, sizeof hash}, t);
    world_apply(w, (struct slice){(char *)b.p, b.n}, DAY(0));
    buf_finish(&b);
    arena_finish(&a);
}

static int begin(void **state)
{
    *state = calloc(1, sizeof(struct world));
    world_init(*state, NULL);
    configure(*state, rules, areas);
    return 0;
}

static int end(void **state)
{
    world_finish(*state);
    free(*state);
    return 0;
}

static const struct record *record_of(struct world *w)
{
    struct ekey k = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    return world_record(w, &k);
}

static bool has_place(const struct record *c, const char *code)
{
    for (uint32_t i = 0; i < c->n_places; i++)
        if (c->places[i] == region_of(slice_of(code)))
            return true;
    return false;
}

static void who_listens_to_a_zone_hears_what_happens_in_it(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .region = "321112002005");
    const struct event *ev = world_last(w);
    assert_non_null(ev); /* the rule names the zone by its code */
    assert_int_equal(ev->n_places, 2);
    assert_int_equal(ev->region, region_of(SLICE("321112002005")));
    assert_true(has_place(record_of(w), "321171"));
}

/* Beside the place in it a zone's code makes no area of its own; alone it does. */
static void a_zone_is_no_second_place_of_an_area_rule(void **state)
{
    static const char county[] = "version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8}\nrules:\n"
        "  - {id: c, title: {zh: c, en: c}, when: {area: {region: 6, level: general, at_least: 2, within: 30d}}, then: {raise: major}}\n"
        "  - {id: s, title: {zh: s, en: s}, when: {signal: tax.arrears, within: 30d}, then: {raise: general}}\n";
    struct world *w = *state;
    configure(w, county, areas);
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .region = "321112002005");
    assert_int_equal(record_of(w)->n_places, 2);
    assert_int_equal(record_of(w)->n_areas, 1);
    struct ekey b = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_B));
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_B, .region = "321171");
    assert_int_equal(world_record(w, &b)->n_areas, 1);
    assert_memory_not_equal(world_record(w, &b)->areas[0].hub, record_of(w)->areas[0].hub, HUB_LEN);
    SAY(w, .kind = "hotline.complaint", .at = DAY(1), .uscc = CODE_A, .region = "321171");
    assert_int_equal(record_of(w)->n_areas, 2); /* the latest place of all */
}

static void what_lies_beside_a_zone_is_not_in_it(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .region = "321112003");
    assert_null(world_last(w));
    assert_int_equal(record_of(w)->n_places, 1);
}

static void a_replaced_code_is_kept_as_the_one_in_force(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .region = "330103001"); /* replaced, and that again */
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .region = "330103007"); /* has a row of its own */
    const struct record *c = record_of(w);
    assert_int_equal(c->n_places, 2);
    assert_true(has_place(c, "330199"));
    assert_true(has_place(c, "330102004"));
    assert_int_equal(c->series[0].sigs[0].region, region_of(SLICE("330199")));
}

static void new_zones_reach_old_enterprises_by_a_sweep(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .region = "330102004");
    assert_false(has_place(record_of(w), "330191"));
    configure(w, rules, "zones: [{code: '330191', name: z, prefixes: ['330102']}]\n");
    struct ekey k = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    struct buf b = {0};
    entry_put_sweep(&b, &k, 1);
    world_apply(w, (struct slice){(char *)b.p, b.n}, DAY(2));
    buf_finish(&b);
    assert_true(has_place(record_of(w), "330191"));
}

static void all_mistakes_are_told_with_their_places(void **unused)
{
    static const char bad[] = "zones:\n"
                              "  - {code: '3', name: a, prefixes: ['330102']}\n"         /* 2: no code */
                              "  - {code: '330191', prefixes: ['330102001']}\n"         /* 3: no name; overlaps */
                              "  - {code: '330191', name: c, prefixs: ['330109']}\n"    /* 4: code twice; unknown; none */
                              "replaced:\n"
                              "  - {old: '330103', new: '330105', since: soon}\n"       /* 6: no day */
                              "  - {old: '330105', new: '330103'}\n"                    /* a circle, told at the list */
                              "  - {old: '330103', new: '330109'}\n"                    /* 8: twice */
                              "  - {old: '330107', new: '330107001'}\n";                /* 9: under itself */
    static const uint32_t lines[] = {2, 3, 3, 4, 4, 4, 6, 6, 8, 9};
    (void)unused;
    struct arena a = {0};
    struct mistakes m = {.arena = &a, .file = "rules.yaml"};
    struct settings *s;
    assert_int_equal(settings_compile(whole(&a, NULL, bad), &m, &s), WW_ECONFIG);
    assert_int_equal(m.total, ARRAY_LEN(lines));
    uint32_t found[ARRAY_LEN(lines)];
    for (size_t i = 0; i < m.n; i++) {
        found[i] = m.list[i].line;
        assert_string_equal(m.list[i].part, "areas");
    }
    for (size_t i = 0; i < m.n; i++)
        for (size_t k = i + 1; k < m.n; k++)
            if (found[k] < found[i]) {
                uint32_t x = found[i];
                found[i] = found[k];
                found[k] = x;
            }
    assert_memory_equal(found, lines, sizeof lines);
    arena_finish(&a);
}

static void replaced_and_zone_codes_are_taken_at_the_door(void **unused)
{
    (void)unused;
    struct arena a = {0};
    struct mistakes m = {.arena = &a, .file = "rules.yaml"};
    struct err err;
    struct settings *s;
    struct regions *r;
    assert_int_equal(settings_compile(whole(&a, NULL, areas), &m, &s), 0);
    assert_int_equal(regions_parse(&r, "regions.csv", SLICE("code,name\n330102,上城区\n"), &err), 0);
    assert_false(regions_takes(r, region_of(SLICE("321171"))));
    settings_accept_regions(s, r);
    assert_true(regions_takes(r, region_of(SLICE("321171"))));
    assert_true(regions_takes(r, region_of(SLICE("330103009"))));
    assert_true(regions_takes(r, region_of(SLICE("330102009"))));
    assert_false(regions_takes(r, region_of(SLICE("330109"))));
    assert_string_equal(regions_name(r, region_of(SLICE("321171"))), "镇江新区");
    assert_null(regions_name(r, region_of(SLICE("330103"))));
    regions_destroy(r);
    settings_destroy(s);
    arena_finish(&a);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(who_listens_to_a_zone_hears_what_happens_in_it),
        TEST(a_zone_is_no_second_place_of_an_area_rule),
        TEST(what_lies_beside_a_zone_is_not_in_it),
        TEST(a_replaced_code_is_kept_as_the_one_in_force),
        TEST(new_zones_reach_old_enterprises_by_a_sweep),
        cmocka_unit_test(all_mistakes_are_told_with_their_places),
        cmocka_unit_test(replaced_and_zone_codes_are_taken_at_the_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
