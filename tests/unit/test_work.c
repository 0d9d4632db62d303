/* SPDX-License-Identifier: Apache-2.0 */
/* engine/work: teams, measures and deadlines read, mistakes told with their places, terms, routes with gaps and overlaps. */
#include "engine/work.h"

#include "lib/calendar.h"
#include "lib/textfile.h"
#include "lib/yaml.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

static struct tree *parsed(struct slice text)
{
    struct mistakes m = {.arena = &arena, .file = "x.yaml"};
    struct tree *t = NULL;
    if (yaml_parse(&arena, text, &m, &t))
        fail_msg("line %u: %s", m.list[0].line, m.list[0].sentence);
    return t;
}

static struct tree *shipped(const char *name)
{
    char path[4096];
    struct slice text;
    struct err err;
    snprintf(path, sizeof path, "%s/config/%s", getenv("WAGEWARN_SOURCE"), name);
    assert_int_equal(textfile_read(path, &arena, &text, &err), 0);
    return parsed(text);
}

/* NULL: there were mistakes; the first of them, as "line:column sentence". */
static struct work *loaded(const char *part, struct tree *t, const char **first)
{
    struct mistakes m = {.arena = &arena, .file = "x.yaml"};
    struct tree *parts = tree_new(&arena, TREE_MAP);
    struct work *w;
    tree_set(&arena, parts, slice_of(part), t);
    work_load(parts, OFFSET_CHINA_MS, &m, &w);
    *first = m.n ? arena_printf(&arena, "%u:%u %s", m.list[0].line, m.list[0].column, m.list[0].sentence) : NULL;
    return w;
}

static struct work *good(const char *part, const char *file)
{
    const char *first;
    struct work *w = loaded(part, shipped(file), &first);
    if (!w)
        fail_msg("%s: %s", file, first ? first : "nothing came of it");
    return w;
}

static region_t region(const char *digits)
{
    return region_of(slice_of(digits));
}

static void shipped_files(void **state)
{
    (void)state;
    struct work *w = good("measures", "measures.yaml");
    const struct measure *order = work_measure(w, SLICE("order_to_correct"));
    assert_non_null(order);
    assert_int_equal(order->wants, WANT_REF | WANT_DUE | WANT_PEOPLE | WANT_AMOUNT);
    assert_true(slice_is(order->silence, "labour.order_disobeyed"));
    assert_int_equal(order->n_answered_by, 3);
    assert_null(work_measure(w, SLICE("order")));
    assert_int_equal(work_measure(w, SLICE("listing"))->levels, 1u << LEVEL_MAJOR | 1u << LEVEL_CRITICAL);
    work_destroy(w);
    w = good("deadlines", "deadlines.yaml");
    assert_true(w->accept[LEVEL_GENERAL].working && w->accept[LEVEL_GENERAL].days == 0);
    assert_true(w->verify[LEVEL_MAJOR].ms == 7 * DAY_MS && !w->verify[LEVEL_MAJOR].working);
    assert_int_equal(w->follow_up_ppm, 100000);
    work_destroy(w);
}

static void ends_of_terms(void **state)
{
    (void)state;
    struct work *w = good("deadlines", "deadlines.yaml");
    int64_t friday = civil_to_ms(2026, 11, 27, OFFSET_CHINA_MS) + 10 * 3600 * 1000;
    assert_true(term_end(w, &w->accept[LEVEL_CRITICAL], friday) == friday + 2 * 3600 * 1000);
    assert_true(term_end(w, &w->accept[LEVEL_GENERAL], friday) == civil_to_ms(2026, 11, 28, OFFSET_CHINA_MS));
    assert_true(term_end(w, &w->unattended[LEVEL_GENERAL], friday) == civil_to_ms(2026, 12, 1, OFFSET_CHINA_MS));
    assert_true(term_end(w, &(struct term){0}, friday) == INT64_MAX);
    work_destroy(w);
}

static void routes(void **state)
{
    (void)state;
    struct work *w = good("teams", "teams.yaml");
    assert_true(slice_is(work_team(w, region("330482001"), SLICE("C18"), 0)->id, "towns"));
    assert_true(slice_is(work_team(w, region("330482001"), SLICE("C18"), 1)->id, "county"));
    assert_true(slice_is(work_team(w, region("330482001"), SLICE("E47"), 1)->id, "county-sites"));
    assert_true(slice_is(work_team(w, region("330482001005"), SLICE(""), 2)->id, "prefecture"));
    assert_null(work_team(w, region("330481"), SLICE("C18"), 0));
    assert_null(work_team(w, 0, SLICE("C18"), 2));
    assert_true(slice_is(work_lead(w, SLICE("H6210"))->department, "commerce"));
    assert_true(slice_is(work_lead(w, SLICE("A01"))->department, "labour"));
    assert_int_equal(w->joins[LEVEL_MAJOR], 1);
    work_destroy(w);
}

struct heard {
    size_t n;
    char last[256];
};

static void hear(void *arg, const char *sentence)
{
    struct heard *h = arg;
    h->n++;
    snprintf(h->last, sizeof h->last, "%s", sentence);
}

static const char two_teams[] = "version: 1\ncovers: \"3304\"\ntiers: [{id: a, zh: 一, en: a}]\nteams:\n"
                                "  - {id: x, name: {zh: 一, en: x}, tier: a, regions: \"330482001\"}\n"
                                "  - {id: y, name: {zh: 二, en: y}, tier: a, regions: [\"330482002\", \"330483\"]}\n";

static void gaps(void **state)
{
    (void)state;
    const char *first;
    struct work *w = loaded("teams", parsed(slice_of(two_teams)), &first);
    assert_non_null(w);
    const region_t fine[] = {region("330482001"), region("330483"), region("330483001"), region("330501")};
    const region_t gap[] = {region("330482"), region("330482001"), region("330482101")};
    struct heard h = {0};
    assert_int_equal(work_check_routes(w, fine, ARRAY_LEN(fine), 10, hear, &h), 0);
    assert_int_equal(work_check_routes(w, gap, ARRAY_LEN(gap), 10, hear, &h), 1);
    assert_non_null(strstr(h.last, "no team answers for 330482101 at the tier \"a\""));
    assert_null(strstr(h.last, "covers"));
    assert_int_equal(h.n, 1);
    work_destroy(w);
    w = good("teams", "teams.yaml");
    const region_t county[] = {region("330482"), region("330482001"), region("330482101")};
    assert_int_equal(work_check_routes(w, county, ARRAY_LEN(county), 10, hear, &h), 0);
    work_destroy(w);
}

/* The key `covers` is missing: wherever one of the teams answers, each tier must. */
static void gaps_without_covers(void **state)
{
    (void)state;
    static const char text[] = "version: 1\ntiers: [{id: a, zh: 一, en: a}, {id: b, zh: 二, en: b}]\nteams:\n"
                               "  - {id: x, name: {zh: 一, en: x}, tier: a, regions: \"330482001\"}\n"
                               "  - {id: y, name: {zh: 二, en: y}, tier: b, regions: \"330482\"}\n";
    const char *first;
    struct heard h = {0};
    struct work *w = loaded("teams", parsed(slice_of(text)), &first);
    const region_t places[] = {region("330482"), region("330482001"), region("330482101"), region("330501001")};
    assert_int_equal(work_check_routes(w, places, ARRAY_LEN(places), 10, hear, &h), 1);
    assert_non_null(strstr(h.last, "no team answers for 330482101 at the tier \"a\""));
    assert_non_null(strstr(h.last, "say under 'covers' which places need one"));
    work_destroy(w);
}

/* Two teams for the same place and industry are told by name, whatever the table of regions holds. */
static void overlaps(void **state)
{
    (void)state;
    static const struct {
        const char *x, *y, *told;
    } cases[] = {
        {"regions: \"330482001\"", "regions: \"330482002\"", NULL},
        {"regions: [\"330482001\", \"330482002\"]", "regions: \"330482002\"", "both \"x\" and \"y\" answer for 330482002 at the tier \"a\";"},
        {"regions: \"330482001001\"", "regions: \"330482001001\"", "both \"x\" and \"y\" answer for 330482001001 at"},
        {"regions: \"330482001\"", "regions: \"330482001001\"", NULL},
        {"regions: \"330482\", industries: [C18]", "regions: \"330482\", industries: [E, C18]",
         "both \"x\" and \"y\" answer for 330482 at the tier \"a\" for industry C18;"},
        {"regions: \"330482\", industries: [C18]", "regions: \"330482\", industries: [C]", NULL},
        {"regions: \"330482\", industries: [C18]", "regions: \"330482\"", NULL},
    };
    const region_t places[] = {region("330482")};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *first;
        struct heard h = {0};
        const char *text = arena_printf(&arena,
                                        "version: 1\ncovers: \"330482\"\ntiers: [{id: a, zh: 一, en: a}]\nteams:\n"
                                        "  - {id: x, name: {zh: 一, en: x}, tier: a, %s}\n"
                                        "  - {id: all, name: {zh: 三, en: z}, tier: a, regions: \"33\"}\n"
                                        "  - {id: y, name: {zh: 二, en: y}, tier: a, %s}\n",
                                        cases[i].x, cases[i].y);
        struct work *w = loaded("teams", parsed(slice_of(text)), &first);
        assert_int_equal(work_check_routes(w, places, ARRAY_LEN(places), 10, hear, &h), cases[i].told != NULL);
        if (cases[i].told && !strstr(h.last, cases[i].told))
            fail_msg("case %zu: %s", i, h.last);
        work_destroy(w);
    }
}

static void mistakes_have_places(void **state)
{
    (void)state;
    static const struct {
        const char *part, *text, *first;
    } cases[] = {
        {"measures", "version: 1\nmeasures:\n  - {id: a, nam: {zh: 一, en: a}}\n", "3:13 unknown key \"nam\""},
        {"measures", "version: 1\nmeasures:\n  - {id: a, name: {zh: 一, en: a}, roles: []}\n",
         "3:42 roles: nobody could ever take this measure"},
        {"measures", "version: 1\nmeasures:\n  - {id: a, name: {zh: 一, en: a}, silence: tax.arrears}\n", "3:5 silence: the"},
        {"measures", "version: 1\nmeasures: [{id: a, name: {zh: 一, en: a}}, {id: a, name: {zh: 二, en: b}}]\n",
         "2:43 two measures are called \"a\""},
        {"measures", "version: 1\nmeasures: [{id: a, name: {zh: 一, en: a}, due: 3}]\n", "2:47 a term is needed"},
        {"measures", "[]", "1:1 measures: a map is needed"},
        {"deadlines", "version: 2\naccept: {}\nverify: {}\n", "1:10 version: only 1 is known"},
        {"deadlines", "version: 1\naccept: {general: 3 days}\nverify: {}\n", "2:19 a term is needed"},
        {"deadlines", "version: 1\naccept: {}\n", "1:1 the key \"verify\" is missing"},
        {"teams", "version: 1\nteams: [{id: a, name: {zh: 一, en: a}, tier: county, regions: \"33\"}]\n"
                  "tiers: [{id: town, zh: 一, en: a}]\n", "2:45 no tier is called \"county\""},
        {"teams", "version: 1\nteams: [{id: a, name: {zh: 一, en: a}, tier: town, regions: 33x}]\n"
                  "tiers: [{id: town, zh: 一, en: a}]\n", "2:60 \"33x\" is no region code"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *first;
        assert_null(loaded(cases[i].part, parsed(slice_of(cases[i].text)), &first));
        if (!first || strncmp(first, cases[i].first, strlen(cases[i].first)) != 0)
            fail_msg("case %zu: %s", i, first ? first : "no mistake");
    }
}

/* What compiles, and is told when a configuration is checked; a journal that holds it is folded all the same. */
static void what_cannot_be_meant(void **state)
{
    (void)state;
    static const struct {
        const char *part, *text, *first;
    } cases[] = {
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, due: 40wd, due_most: 30wd}]", "2:47 due is longer than due_most"},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, due: 30wd, due_most: 30wd}]", NULL},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, due: 31d, due_most: 20wd}]", "2:47 due is longer than due_most"},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, due: 27d, due_most: 20wd}]", NULL},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, lasts: 10d, may_end_after: 20d}]", "2:69 may_end_after lies beyond"},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, may_end_after: 20d}]", "2:57 may_end_after: the measure has no end"},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, lasts: 20d, may_end_after: 10d}]", NULL},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, lasts: 3y, may_end_after: 6mo}]", NULL},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, lasts: 6mo, may_end_after: 1y}]", "2:69 may_end_after lies beyond"},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, lasts: 1mo, may_end_after: 32d}]", "2:69 may_end_after lies beyond"},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, recover: true}]", "2:51 recover: of how much"},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, wants: [amount], recover: true}]", NULL},
        {"measures", "measures: [{id: a, name: {zh: 一, en: a}, due: 3wd, ends: true}]", "2:52 the key \"ends\" does nothing"},
        {"teams", "tiers: [{id: town, zh: 一, en: a}, {id: county, zh: 二, en: b}]\n"
                  "teams: [{id: a, name: {zh: 一, en: a}, tier: town, regions: \"33\"}]", "2:35 the tier \"county\" has no team"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mistakes m = {.arena = &arena, .file = "x.yaml"};
        struct tree *parts = tree_new(&arena, TREE_MAP);
        const char *text = arena_printf(&arena, "version: 1\n%s\n", cases[i].text), *told = NULL;
        struct work *w;
        tree_set(&arena, parts, slice_of(cases[i].part), parsed(slice_of(text)));
        work_load(parts, OFFSET_CHINA_MS, &m, &w);
        assert_non_null(w);
        work_check(w, parts, &m);
        if (m.n)
            told = arena_printf(&arena, "%u:%u %s", m.list[0].line, m.list[0].column, m.list[0].sentence);
        if (!told != !cases[i].first || (told && strncmp(told, cases[i].first, strlen(cases[i].first)) != 0))
            fail_msg("case %zu: %s", i, told ? told : "no mistake");
        assert_true(!m.n || slice_is(slice_of(m.list[0].part), cases[i].part));
        work_destroy(w);
    }
}

/* A kind that the file of kinds lacks is told where it stands. */
static void unknown_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *part, *text, *first;
    } cases[] = {
        {"measures", "measures:\n  - {id: a, name: {zh: 一, en: a}, due: 3wd, silence: labour.nope}", "measures 3:54 unknown kind \"labour.nope\""},
        {"measures", "measures:\n  - {id: a, name: {zh: 一, en: a}, answered_by: [tax.arrears, tax.nope]}",
         "measures 3:62 unknown kind \"tax.nope\""},
        {"deadlines", "accept: {}\nverify: {}\ntriage: {kinds: [media.nope], within: 1wd}", "deadlines 4:9 unknown kind \"media.nope\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct mistakes m = {.arena = &arena, .file = "x.yaml"};
        struct tree *parts = parsed(SLICE("kinds: [{kind: tax.arrears}]\n"));
        struct work *w;
        tree_set(&arena, parts, slice_of(cases[i].part), parsed(slice_of(arena_printf(&arena, "version: 1\n%s\n", cases[i].text))));
        work_load(parts, OFFSET_CHINA_MS, &m, &w);
        assert_null(w);
        const char *told = arena_printf(&arena, "%s %u:%u %s", m.list[0].part, m.list[0].line, m.list[0].column, m.list[0].sentence);
        if (strncmp(told, cases[i].first, strlen(cases[i].first)) != 0)
            fail_msg("case %zu: %s", i, told);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shipped_files),     cmocka_unit_test(ends_of_terms),
                                       cmocka_unit_test(routes),            cmocka_unit_test(gaps),
                                       cmocka_unit_test(gaps_without_covers), cmocka_unit_test(overlaps),
                                       cmocka_unit_test(what_cannot_be_meant), cmocka_unit_test(unknown_kinds),
                                       cmocka_unit_test(mistakes_have_places)};
    return cmocka_run_group_tests(tests, begin, end);
}
