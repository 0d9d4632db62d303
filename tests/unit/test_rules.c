/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as they are read, each mistake with its place; and as they judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/fold.h"
#include "lib/yaml.h"
#include "tests/support/world.h"

#define SCORE "version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8}\n"
#define RULE(when, then) SCORE "rules:\n  - id: r\n    title: {zh: 则, en: rule}\n    when: " when "\n    then: " then "\n"

/* The first mistake in a rules file, as "line:column sentence"; "" when there is none. */
static const char *mistake(struct arena *a, const char *yaml)
{
    struct mistakes m = {.arena = a, .file = "rules.yaml"};
    struct tree *rules;
    struct settings *s = NULL;
    assert_int_equal(yaml_parse(a, slice_of(yaml), &m, &rules), 0);
    struct tree *t = (struct tree *)(uintptr_t)world_settings(a, NULL);
    tree_set(a, t, SLICE("rules"), rules);
    int rc = settings_compile(t, &m, &s);
    assert_int_equal(rc == 0, m.n == 0);
    settings_destroy(s);
    if (!m.n)
        return "";
    return arena_printf(a, "%u:%u %s", m.list[0].line, m.list[0].column, m.list[0].sentence);
}

static void mistakes_have_their_place(void **unused)
{
    (void)unused;
    static const struct {
        const char *yaml, *told; /* told: what the mistake must contain */
    } cases[] = {
        {RULE("{score: follow}", "{raise: by_score}"), ""},
        {RULE("{regions: {of: any, digits: 5, at_least: 2, within: 3d}}", "{raise: major}"), "digits: 2 (provinces)"},
        {RULE("{regions: {of: any, at_last: 2, within: 3d}}", "{raise: major}"), "unknown key \"at_last\""},
        {RULE("{regions: any}", "{raise: major}"), "digits: 6, at_least: 2"},
        {RULE("{al: []}", "{raise: major}"), "6:12 unknown operator \"al\""},
        {RULE("{signal: tax.arears, within: 30d}", "{raise: major}"), "6:20 unknown kind \"tax.arears\""},
        {RULE("{signal: {agency: taxx}, within: 30d}", "{raise: major}"), "unknown agency \"taxx\""},
        {RULE("{signal: {clue: nothing}, within: 30d}", "{raise: major}"), "unknown clue \"nothing\""},
        {RULE("{signal: {kind: tax.arrears, cleared: yes}, within: 30d}", "{raise: major}"), "\"too\""},
        {RULE("{signal: tax.arrears, within: 30}", "{raise: major}"), "within"},
        {RULE("{signal: tax.arrears}", "{raise: major}"), "within"},
        {RULE("{count: {of: any, at_least: 0, within: 3d}}", "{raise: major}"), "at_least"},
        {RULE("{agencies: {at_least: 3, within: 3d}}", "{raise: major}"), "'of'"},
        {RULE("{agencies: {of: any, at_least: 3, within: 3d, where: x}}", "{raise: major}"), "unknown key \"where\""},
        {RULE("{signal: {kind: tax.arrears, where: {people: {at_least: x}}}, within: 3d}", "{raise: major}"), "whole number"},
        {RULE("{signal: {kind: tax.arrears, where: {amount: {at_least: 5}}}, within: 3d}", "{raise: major}"), "yuan"},
        {RULE("{signal: {kind: tax.arrears, where: {people: {at_least: 5, at_most: 4}}}, within: 3d}", "{raise: major}"),
         "no signal can be so"},
        {RULE("{signal: {kind: tax.arrears, where: {regoin: \"33\"}}, within: 3d}", "{raise: major}"), "unknown key \"regoin\""},
        {RULE("{sum: {of: any, field: amuont, at_least: 5 yuan, within: 3d}}", "{raise: major}"), "amount or people"},
        {RULE("{sum: {of: any, field: people, at_least: 5 yuan, within: 3d}}", "{raise: major}"), "people is needed"},
        {RULE("{sequence: {steps: [tax.arrears], within: 3d}}", "{raise: major}"), "2 to 64"},
        {RULE("{absent: {expected: housing.paid_out, within: 3d}}", "{raise: major}"), "'after'"},
        {RULE("{enterprise: {credit: [D]}}", "{raise: major}"), "grades are A, B and C"},
        {RULE("{season: {festival: easter, before: 3d}}", "{raise: major}"), "calendar knows none"},
        {RULE("{finding: {is: unfound, within: 3d}}", "{raise: major}"), "unfounded or false_claim"},
        {RULE("{not: {signal: tax.arrears, within: 3d}}", "{raise: major}"), ""},
        {RULE("{all: []}", "{raise: major}"), "1 to 64"},
        {RULE("{score: critical}", "{raise: major}"), ""},
        {RULE("{score: none}", "{raise: major}"), "\"follow\" or a level"},
        {RULE("{score: folow}", "{raise: major}"), "\"follow\" or a level"},
        {RULE("{score: [major]}", "{raise: major}"), "\"follow\" or a level"},
        {RULE("{score: follow}", "{raise: majr}"), "\"majr\" is no level"},
        {RULE("{score: follow}", "{}"), "what the rule does"},
        {RULE("{score: follow}", "{raise: none}"), "no level"},
        {RULE("{score: follow}", "{suppress: [q]}"), "no other rule"},
        {RULE("{score: follow}", "{escalat: true}"), "unknown key"},
        {"version: 2\n", "version: 1"},
        {SCORE "rules: []\n", "a list of rules"},
        {SCORE "rulez: []\n", "unknown key \"rulez\""},
        {"version: 1\nscore: {levels: {general: 70, major: 65, critical: 85}, hysteresis: 8}\nrules: []\n", "must rise"},
        {SCORE "rules:\n  - {title: {zh: a, en: b}}\n", "needs an id"},
        {SCORE "rules:\n  - {id: a, when: {score: follow}, then: {raise: major}}\n", "needs a title"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a = {0};
        const char *got = mistake(&a, cases[i].yaml);
        if (!strstr(got, cases[i].told) || (!cases[i].told[0] && got[0]))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, got, cases[i].told);
        arena_finish(&a);
    }
}

static void two_of_one_name_are_told(void **unused)
{
    (void)unused;
    struct arena a = {0};
    const char *one = "  - {id: a, title: {zh: a, en: b}, when: {score: follow}, then: {raise: major}}\n";
    assert_non_null(strstr(mistake(&a, arena_printf(&a, "%srules:\n%s%s", SCORE, one, one)), "two rules"));
    arena_finish(&a);
}

#define MORE "{raise: major}"

static void check_all(const char *const (*cases)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a = {0};
        const char *got = mistake(&a, cases[i][0]);
        if (!strstr(got, cases[i][1]) || (!cases[i][1][0] && got[0]))
            fail_msg("case %zu: \"%s\" does not say \"%s\"\n%s", i, got, cases[i][1], cases[i][0]);
        arena_finish(&a);
    }
}

static void what_can_never_hold_is_told(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {RULE("{agencies: {of: {agency: tax}, at_least: 2, within: 3d}}", MORE), "6:52 this can never hold: the signals are those of 1 agency, and 2"},
        {RULE("{all: [{regions: {of: {agency: tax}, at_least: 2, within: 3d}}, {not: {signal: {agency: tax}, within: 9d}}]}", MORE),
         "never hold"},
        {RULE("{all: [{signal: tax.arrears, within: 3d}, {not: {signal: tax.arrears, within: 3d}}]}", MORE), "6:53 this can never hold together with the part in line 6"},
        {RULE("{all: [{not: {signal: {agency: tax}, within: 9d}}, {count: {of: tax.arrears, at_least: 2, within: 3d}}]}", MORE), "never hold"},
        {RULE("{all: [{signal: tax.arrears, within: 3d}, {not: {signal: tax.arrears, within: 2d}}]}", MORE), ""},
        {RULE("{all: [{signal: tax.arrears, within: 3d}, {not: {signal: court.seizure, within: 3d}}]}", MORE), ""},
        {RULE("{all: [{all: [{signal: tax.arrears, within: 3d}]}, {not: {any: [{signal: any, within: 3d}, {score: follow}]}}]}", MORE), "never hold"},
        {RULE("{all: [{sequence: {steps: [tax.arrears, court.seizure], within: 9d}}, {not: {signal: court.seizure, within: 9d}}]}", MORE), "never hold"},
        {RULE("{all: [{enterprise: {credit: [A]}}, {enterprise: {credit: [C]}}]}", MORE), "never hold"},
        {RULE("{all: [{enterprise: {industry: [C18]}}, {enterprise: {industry: [E, C17]}}]}", MORE), "never hold"},
        {RULE("{all: [{enterprise: {industry: [C18]}}, {enterprise: {industry: [C]}}]}", MORE), ""},
        {RULE("{all: [{finding: {is: unfounded, within: 9d}}, {finding: {is: confirmed, within: 9d}}]}", MORE), "never hold"},
        {RULE("{any: [{signal: tax.arrears, within: 9d}, {not: {signal: tax.arrears, within: 3d}}]}", MORE), "always holds"},
        {RULE("{absent: {expected: {agency: housing}, after: housing.account_short, within: 3d}}", MORE), "never hold"},
        {RULE("{signal: {kind: tax.arrears, where: {amount: {at_least: 9 yuan, at_most: 8 yuan}}}, within: 3d}", MORE), "no signal can be so"},
        {RULE("{season: {festival: spring_festival, before: 400d}}", MORE), "6:56 before: a season is not longer than a year"},
        {RULE("{enterprise: {region: [\"99\"]}}", MORE), "no province"},
        {RULE("{enterprise: {region: [\"33048\"]}}", MORE), "2, 4, 6, 9 or 12 digits"},
        {RULE("{signal: {kind: tax.arrears, where: {region: \"x\"}}, within: 3d}", MORE), "no prefix of a region code"},
        {RULE("{sum: {of: any, field: people, at_least: 0, within: 3d}}", MORE), "more than nothing"},
        {RULE("{count: {of: any, at_least: 20000, within: 3d}}", MORE), "1 to 10000"},
        {RULE("{score: follow}", "{raise: critical, at_most: general}"), "cannot raise above"},
        {RULE("{score: follow}", "{at_most: critical}"), "limits nothing"},
        {RULE("{score: follow}", "{escalate: false}"), "does nothing"},
        {RULE("{score: follow}", "{suppress: []}"), "1 to 64 rules"},
        {RULE("{score: follow}", "{suppress: [r]}"), "cannot suppress itself"},
        {"version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 40}\nrules: []\n", "2:69 hysteresis must be below general"},
    };
    check_all(cases, ARRAY_LEN(cases));
}

static void wrong_types_are_told(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {RULE("[1]", MORE), "a condition is a map"},
        {RULE("{signal: [[tax.arrears]], within: 3d}", MORE), "words only"},
        {RULE("{signal: {kind: [[tax.arrears]]}, within: 3d}", MORE), "a word is needed, not a list"},
        {RULE("{signal: {kind: {a: b}}, within: 3d}", MORE), "a word or a list of words"},
        {RULE("{signal: [], within: 3d}", MORE), "at least one kind"},
        {RULE("{signal: {where: {people: {at_least: 3}}}, within: 3d}", MORE), "names its signals"},
        {RULE("{signal: {kind: tax.arrears, cleared: [too]}, within: 3d}", MORE), "\"too\""},
        {RULE("{signal: tax.arrears, within: [3d]}", MORE), "within"},
        {RULE("{signal: tax.arrears, within: 5000d}", MORE), "at most 3660d"},
        {RULE("{signal: tax.arrears, within: 3d, count: {of: any}}", MORE), "unknown key \"count\""},
        {RULE("{count: {of: any, at_least: 1, within: 3d}, sum: {of: any}}", MORE), "one operator"},
        {RULE("{all: [{score: follow}], any: [{score: follow}]}", MORE), "one operator"},
        {RULE("{count: [any]}", MORE), "a map"},
        {RULE("{score: [follow]}", MORE), "\"follow\""},
        {RULE("{enterprise: {}}", MORE), "one of industry"},
        {RULE("{enterprise: {industry: {E: 1}}}", MORE), "a word or a list"},
        {RULE("{enterprise: {credit: [A, [B]]}}", MORE), "a word or a list"},
        {RULE("{finding: {is: [unfounded], within: 3d}}", MORE), "is: confirmed"},
        {RULE("{season: {festival: [a], before: 3d}}", MORE), "festival"},
        {RULE("{score: follow}", "[raise]"), "what the rule does"},
        {RULE("{score: follow}", "{raise: [major]}"), "a level is needed"},
        {RULE("{score: follow}", "{escalate: yes}"), "true or false"},
        {RULE("{score: follow}", "{tag: [a]}"), "tag: a word"},
        {RULE("{score: follow}", "{suppress: r}"), "1 to 64 rules"},
        {RULE("{score: follow}", "{suppress: [[r]]}"), "no other rule"},
        {SCORE "rules: {a: b}\n", "a list of rules"},
        {SCORE "rules: [a]\n", "a rule is a map"},
        {SCORE "rules:\n  - {id: [a], title: {zh: a, en: b}, when: {score: follow}, then: {raise: major}}\n", "4:10 a rule needs an id"},
        {SCORE "rules:\n  - {id: a, title: [a], when: {score: follow}, then: {raise: major}}\n", "needs a title"},
        {SCORE "rules:\n  - {id: a, title: {zh: a, en: b, fr: c}, when: {score: follow}, then: {raise: major}}\n", "unknown key \"fr\""},
        {SCORE "rules:\n  - {id: a, title: {zh: a, en: [b]}, when: {score: follow}, then: {raise: major}}\n", "a title is a text"},
        {SCORE "rules:\n  - {id: a, title: {zh: a, en: b, then what}, when: {score: follow}, then: {raise: major}}\n", ""},
        {SCORE "rules:\n  - {id: a, titel: {zh: a, en: b}, when: {score: follow}, then: {raise: major}}\n", "unknown key \"titel\""},
        {SCORE "selectors: [a]\nrules: []\n", "a map of at most"},
        {"version: 1\nscore: [a]\nrules: []\n", "'score' is missing, or no map"},
        {"version: 1\nscore: {levels: [40], hysteresis: 8}\nrules: []\n", "2:17 levels: a map"},
        {"version: 1\nscore: {levels: {general: 40, major: 65, critical: 85, mild: 3}, hysteresis: 8}\nrules: []\n", "unknown key \"mild\""},
        {"version: 1\nscore: {levels: {general: 40, major: 65}, hysteresis: 8}\nrules: []\n", "critical must be"},
        {"version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8, factors: {industry: [E]}}\nrules: []\n", "industry: a map"},
        {"version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8, factors: {season: {spring_festival: {befor: 3d, factor: 1}}}}\nrules: []\n", "unknown key \"befor\""},
        {"version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8, one_agency_at_most: [major]}\nrules: []\n", "a level is needed"},
        {"version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8, shares: {sub: 1.5}}\nrules: []\n", "from 0 to 1"},
        {"version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8, shares: {general: 0.5}}\nrules: []\n", "unknown key \"general\""},
        {SCORE "assessment: {owe: any}\nrules: []\n", "unknown key \"owe\""},
        {SCORE "assessment: [a]\nrules: []\n", "assessment: a map"},
    };
    check_all(cases, ARRAY_LEN(cases));
}

#define NAMED(selectors, used) SCORE "selectors:\n" selectors \
    "rules:\n  - {id: a, title: {zh: a, en: b}, when: {signal: " used ", within: 3d}, then: {raise: major}}\n"

static void selectors_are_told_precisely(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {NAMED("  x: [x, tax.arrears]\n", "x"), "4:7 selector \"x\" refers to itself"},
        {NAMED("  x: {kind: [y]}\n  y: tax.arrears\n", "x"), "4:14 selector \"y\" stands further down, in line 5"},
        {NAMED("  x: tax.arrears\n  y: [x, court.seizure]\n", "y"), ""},
        {NAMED("  tax.arrears: court.seizure\n", "tax.arrears"), "4:3 a selector cannot be called"},
        {NAMED("  any: court.seizure\n", "any"), "cannot be called"},
        {NAMED("  x: {kind: tax.arrears, where: {people: {at_least: 2}}}\n  y: [x, court.seizure]\n", "y"), "stands alone"},
        {NAMED("  x: {kind: tax.arrears, cleared: too}\n  y: [x, court.seizure]\n", "y"), "stands alone"},
        {NAMED("  x: {kind: tax.arrears, where: {people: {at_least: 2}}}\n", "x"), ""},
        {NAMED("  wages: tax.arrears\n", "wage"), "unknown kind \"wage\""},
    };
    check_all(cases, ARRAY_LEN(cases));
}

static void what_asks_of_others_is_checked(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {RULE("{related: {by: [owner, project], level: critical, within: 60d}}", "{raise: general, escalate: true, tag: 关联}"), ""},
        {RULE("{related: {by: successor, signal: {agency: court}, within: 60d}}", MORE), ""},
        {RULE("{related: {by: [ownr], level: critical, within: 60d}}", MORE), "6:27 by: \"ownr\" binds no enterprises"},
        {RULE("{related: {level: critical, within: 60d}}", MORE), "by: what binds"},
        {RULE("{related: {by: owner, within: 60d}}", MORE), "either 'level' or 'signal'"},
        {RULE("{related: {by: owner, level: major, signal: any, within: 60d}}", MORE), "either 'level' or 'signal'"},
        {RULE("{related: {by: owner, level: none, within: 60d}}", MORE), "no level"},
        {RULE("{related: {by: owner, level: major}}", MORE), "within"},
        {RULE("{related: {by: owner, level: major, within: 3d}}", "{at_most: general}"), "may not \"at_most\""},
        {RULE("{all: [{score: follow}, {related: {by: owner, level: major, within: 3d}}]}", "{suppress: [q]}"), "may not \"suppress\""},
        {RULE("{area: {region: 9, level: major, at_least: 3, within: 30d}}", "{raise: major}"), ""},
        {RULE("{area: {region: 6, industry: 3, level: major, at_least: 3, within: 30d, in_regions: [\"33\"], in_industries: [E]}}", MORE), ""},
        {RULE("{area: {by: project, level: major, at_least: 3, within: 30d}}", "{raise: major}"), ""},
        {RULE("{area: {by: zone, level: major, at_least: 3, within: 30d, in_industries: [E]}}", "{raise: major}"), ""},
        {RULE("{area: {by: onwer, level: major, at_least: 3, within: 30d}}", MORE), "owner, project or zone makes one area"},
        {RULE("{area: {by: project, region: 9, level: major, at_least: 3, within: 30d}}", MORE), "either 'by', or region"},
        {RULE("{area: {level: major, at_least: 3, within: 30d}}", MORE), "region or industry is needed"},
        {RULE("{area: {region: 5, level: major, at_least: 3, within: 30d}}", MORE), "digits of the region"},
        {RULE("{area: {industry: 6, level: major, at_least: 3, within: 30d}}", MORE), "characters of the industry"},
        {RULE("{area: {region: 9, at_least: 3, within: 30d}}", MORE), "level: at which"},
        {RULE("{area: {region: 9, level: major, at_least: 3, within: 30d, in_region: [\"33\"]}}", MORE), "unknown key \"in_region\""},
        {RULE("{all: [{area: {region: 9, level: major, at_least: 3, within: 30d}}]}", MORE), "stands alone in a rule"},
        {RULE("{area: {region: 9, level: major, at_least: 3, within: 30d}}", "{raise: by_score}"), "an area has no score"},
        {RULE("{area: {region: 9, level: major, at_least: 3, within: 30d}}", "{raise: major, tag: x}"), "may only raise, not \"tag\""},
        {RULE("{threshold: crime}", MORE), ""},
        {RULE("{threshold: crimes}", MORE), "no line of the law is called \"crimes\""},
        {RULE("{threshold: [crime]}", MORE), "no line of the law"},
    };
    check_all(cases, ARRAY_LEN(cases));
}

#define TWO(when_a, then_a, when_b, then_b) SCORE "rules:\n" \
    "  - {id: a, title: {zh: a, en: a}, when: " when_a ", then: " then_a "}\n" \
    "  - {id: b, title: {zh: b, en: b}, when: " when_b ", then: " then_b "}\n"

static void rules_are_held_against_each_other(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {TWO("{score: follow}", "{suppress: [b]}", "{signal: any, within: 3d}", "{suppress: [a]}"), "in a round: \"a\" and \"b\""},
        {TWO("{signal: any, within: 9d}", "{suppress: [b]}", "{signal: tax.arrears, within: 3d}", "{raise: major}"), "4:87 rule \"b\" could never act"},
        {TWO("{signal: any, within: 2d}", "{suppress: [b]}", "{signal: tax.arrears, within: 3d}", "{raise: major}"), ""},
        {TWO("{score: follow}", "{suppress: [b, b]}", "{signal: any, within: 3d}", "{raise: major}"), "named twice"},
        {TWO("{score: follow}", "{suppress: [bb]}", "{signal: any, within: 3d}", "{raise: major}"), "no other rule is called \"bb\""},
        {TWO("{score: follow}", "{suppress: [b]}", "{area: {region: 6, level: major, at_least: 3, within: 3d}}", "{raise: major}"), "is for areas"},
    };
    check_all(cases, ARRAY_LEN(cases));
}

/* The whole list, as it is printed. */
static void all_mistakes_come_at_once_with_line_and_hint(void **unused)
{
    (void)unused;
    struct arena a = {0};
    const char *yaml = SCORE
        "selectors:\n"
        "  x: [tax.arears, court.seizur]\n"
        "rules:\n"
        "  - id: a\n"
        "    title: {zh: a, en: a}\n"
        "    when: {al: []}\n"
        "    then: {raise: majr, tga: x}\n";
    struct mistakes m = {.arena = &a, .file = "rules.yaml"};
    struct tree *rules;
    struct settings *s;
    struct buf out = {0};
    assert_int_equal(yaml_parse(&a, slice_of(yaml), &m, &rules), 0);
    struct tree *t = (struct tree *)(uintptr_t)world_settings(&a, NULL);
    tree_set(&a, t, SLICE("rules"), rules);
    assert_int_equal(settings_compile(t, &m, &s), WW_ECONFIG);
    mistakes_print(&m, slice_of(yaml), &out);
    buf_put(&out, "", 1);
    assert_int_equal(m.total, 5);
    static const char *const told[] = {
        "rules.yaml:4:7: error: unknown kind \"tax.arears\"\n      x: [tax.arears, court.seizur]\n          ^\n  hint: tax.arrears\n",
        "rules.yaml:4:19: error: unknown kind \"court.seizur\"", "hint: court.seizure",
        "rules.yaml:8:12: error: unknown operator \"al\"", "hint: all",
        "rules.yaml:9:19: error: \"majr\" is no level", "hint: major",
        "rules.yaml:9:25: error: unknown key \"tga\"", "hint: tag",
    };
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        if (!strstr((char *)out.p, told[i]))
            fail_msg("\"%s\" is not in:\n%s", told[i], (char *)out.p);
    buf_finish(&out);
    arena_finish(&a);
}

/* ---- what settings hold of it ---- */

static struct settings *compiled(struct arena *a, struct tree *t, const char *yaml)
{
    struct mistakes m = {.arena = a, .file = "rules.yaml"};
    struct tree *rules;
    struct settings *s;
    assert_int_equal(yaml_parse(a, slice_of(yaml), &m, &rules), 0);
    tree_set(a, t, SLICE("rules"), rules);
    if (settings_compile(t, &m, &s) != 0)
        fail_msg("%s", m.list[0].sentence);
    return s;
}

static void radiations_are_merged_and_keep_their_words(void **unused)
{
    (void)unused;
    struct arena a = {0};
    struct tree *t = (struct tree *)(uintptr_t)world_settings(&a, NULL);
#define ONE "  - {id: a, title: {zh: a, en: a}, when: {related: {by: owner, level: major, within: 60d}}, then: {raise: general}}\n"
#define TWICE "  - {id: b, title: {zh: a, en: a}, when: {related: {by: project, level: major, within: 60d}}, then: {raise: general}}\n"
#define OTHER "  - {id: c, title: {zh: a, en: a}, when: {related: {by: owner, signal: {kind: [tax.arrears, court.seizure]}, within: 60d}}, then: {raise: general}}\n"
#define SAME "  - {id: d, title: {zh: a, en: a}, when: {related: {by: owner, signal: [court.seizure, tax.arrears], within: 60d}}, then: {raise: general}}\n"
#define AREA "  - {id: e, title: {zh: a, en: a}, when: {area: {region: 6, level: major, at_least: 3, within: 90d}}, then: {raise: general}}\n"
    struct settings *s = compiled(&a, t, SCORE "rules:\n" ONE TWICE OTHER SAME AREA);
    assert_int_equal(s->n_radiations, 3);
    assert_int_equal(s->radiations[0].classes, 1 << LINK_OWNER | 1 << LINK_PROJECT);
    assert_int_equal(s->radiations[2].classes, 0);
    assert_true(s->rules[0].across && !s->rules[0].area && s->rules[4].across && s->rules[4].area);
    assert_int_equal(s->n_area_rules, 1);
    assert_int_equal(s->area_rules[0], 4);
    assert_true(s->longest_window == 90 * DAY_MS);
    uint32_t level = s->radiations[0].word, signal = s->radiations[1].word;
    assert_true(level && signal && level != signal);
    settings_destroy(s);
    s = compiled(&a, t, SCORE "rules:\n" SAME ONE); /* in another order and place: the same words */
    assert_int_equal(s->radiations[0].word, signal);
    assert_int_equal(s->radiations[1].word, level);
    settings_destroy(s);
    arena_finish(&a);
}

static void shares_thresholds_and_assessment(void **unused)
{
    (void)unused;
    struct arena a = {0};
    struct tree *t = (struct tree *)(uintptr_t)world_settings(&a, NULL), *list;
    struct mistakes m = {.arena = &a, .file = "x"};
    const char *rows = "- {region: \"33\", line: crime, people: 10, months: 3, amount: 5000000, order: yes, source: a, date: 2020}\n"
                       "- {region: \"\", line: other, people: \"\", months: \"\", amount: 1, incident: yes}\n";
    assert_int_equal(yaml_parse(&a, slice_of(rows), &m, &list), 0);
    tree_set(&a, t, SLICE("thresholds"), list);
    struct settings *s = compiled(&a, t,
        "version: 1\nscore: {levels: {general: 40, major: 65, critical: 85}, hysteresis: 8, shares: {sub: 0.3, predecessor: 1.0}}\n"
        "assessment: {owed: {kind: hotline.complaint, cleared: too}, within: 365d}\n"
        "rules:\n  - {id: a, title: {zh: a, en: a}, when: {threshold: other}, then: {raise: general}}\n");
    assert_int_equal(s->share_ppm[ROLE_SUB], 300000);
    assert_int_equal(s->share_ppm[ROLE_LABOUR], 0);
    assert_int_equal(s->succession_ppm, PPM);
    assert_int_equal(s->n_thresholds, 2);
    assert_true(s->thresholds[0].region == region_of(SLICE("33")) && s->thresholds[0].order && !s->thresholds[0].incident);
    assert_true(s->thresholds[0].people == 10 && s->thresholds[0].months == 3 && s->thresholds[0].amount == 5000000);
    assert_true(s->thresholds[1].region == 0 && s->thresholds[1].people == 0 && s->thresholds[1].incident);
    assert_true(s->assessment.owed.cleared_too && s->assessment.within == 365 * DAY_MS);
    assert_true(s->assessment.incident.where.people_least == 50); /* the default stays */
    settings_destroy(s);
    assert_null(strstr(mistake(&a, RULE("{threshold: crime}", "{raise: major}")), "line"));
    arena_finish(&a);
}

static void a_second_rules_file_has_its_own_mistakes(void **unused)
{
    (void)unused;
    struct arena a = {0};
    struct tree *t = (struct tree *)(uintptr_t)world_settings(&a, NULL), *shadow;
    const char *good = RULE("{score: follow}", "{raise: by_score}"), *bad = RULE("{al: []}", "{raise: major}");
    struct mistakes m = {.arena = &a, .file = "rules.yaml", .parts = {{"shadow", "shadow.yaml", slice_of(bad)}}};
    assert_int_equal(yaml_parse(&a, slice_of(good), &m, &shadow), 0);
    tree_set(&a, t, SLICE("shadow"), shadow);
    struct settings *s = compiled(&a, t, good);
    assert_non_null(s->shadow);
    assert_null(s->shadow->shadow);
    settings_destroy(s);
    t = (struct tree *)(uintptr_t)world_settings(&a, NULL);
    assert_int_equal(yaml_parse(&a, slice_of(bad), &m, &shadow), 0);
    tree_set(&a, t, SLICE("shadow"), shadow);
    assert_int_equal(settings_compile(t, &m, &s), WW_ECONFIG);
    struct buf out = {0};
    mistakes_print(&m, slice_of(good), &out);
    buf_put(&out, "", 1);
    assert_ptr_equal(strstr((char *)out.p, "shadow.yaml:6:12: error: unknown operator \"al\""), out.p);
    assert_non_null(strstr((char *)out.p, "    when: {al: []}"));
    buf_finish(&out);
    arena_finish(&a);
}

/* However many there are: told, not read. */
static void bounds_are_held(void **unused)
{
    (void)unused;
    struct arena a = {0};
    struct buf b = {0};
    buf_put(&b, SCORE "rules:\n", strlen(SCORE "rules:\n"));
    for (int i = 0; i < 5001; i++)
        buf_put(&b, "  - {id: a}\n", 12);
    buf_put(&b, "", 1);
    assert_non_null(strstr(mistake(&a, (char *)b.p), "1 to 5000"));
    const char *deep = "{score: follow}";
    for (int i = 0; i < 14; i++)
        deep = arena_printf(&a, "{not: %s}", deep);
    const char *form = SCORE "rules:\n  - {id: a, title: {zh: a, en: a}, when: %s, then: {raise: major}}\n";
    assert_string_equal(mistake(&a, arena_printf(&a, form, deep)), "");
    for (int i = 0; i < 4; i++)
        deep = arena_printf(&a, "{not: %s}", deep);
    assert_non_null(strstr(mistake(&a, arena_printf(&a, form, deep)), "at most 16 deep"));
    buf_finish(&b);
    arena_finish(&a);
}

/* ---- judging ---- */

static struct world *world_with(const char *yaml)
{
    struct world *w = calloc(1, sizeof *w);
    world_init(w, yaml);
    return w;
}

static void done(struct world *w)
{
    world_finish(w);
    free(w);
}

#define SAY(w, ...) world_say((w), &(struct say){.uscc = CODE_A, __VA_ARGS__})

static void all_needs_each_any_needs_one(void **unused)
{
    (void)unused;
    struct world *w = world_with(RULE("{all: [{signal: tax.arrears, within: 10d}, "
                                      "{any: [{signal: court.seizure, within: 5d}, {signal: bank.loan_overdue, within: 5d}]}]}",
                                      "{raise: general}"));
    SAY(w, .kind = "court.seizure", .at = DAY(0));
    assert_int_equal(w->out.n, 0);
    SAY(w, .kind = "tax.arrears", .at = DAY(3));
    assert_string_equal(world_story(w, 0), "raised general 41.21 r");
    world_tick(w, DAY(30));
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    assert_true(world_last(w)->at == DAY(5) + 1); /* windows are closed at both ends */
    SAY(w, .kind = "bank.loan_overdue", .at = DAY(31));
    assert_int_equal(w->out.n, 2);
    done(w);
}

static void settled_complaints_are_repeated_all_the_same(void **unused)
{
    (void)unused;
    struct world *w = world_with(
        RULE("{count: {of: {kind: hotline.complaint, cleared: too}, at_least: 3, within: 30d}}", "{raise: major}"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(w->out.n, 0);
        SAY(w, .kind = "hotline.complaint", .at = DAY(2 * i));
        SAY(w, .kind = "hotline.resolved", .at = DAY(2 * i) + 1);
    }
    assert_int_equal(w->out.events[0].ev.type, EVENT_RAISED);
    assert_int_equal(w->out.events[0].ev.reasons[0].signals_total, 3);
    world_tick(w, DAY(60));
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    assert_true(world_last(w)->at == DAY(30) + 1); /* the third newest leaves */
    done(w);
}

static void not_turns_with_its_part(void **unused)
{
    (void)unused;
    struct world *w = world_with(RULE("{all: [{signal: tax.arrears, within: 60d}, {not: {signal: labour.notice, within: 10d}}]}",
                                      "{raise: general}"));
    SAY(w, .kind = "labour.notice", .at = DAY(0));
    SAY(w, .kind = "tax.arrears", .at = DAY(1));
    assert_int_equal(w->out.n, 0);
    world_tick(w, DAY(20));
    assert_int_equal(world_last(w)->type, EVENT_RAISED); /* the clock alone made it so */
    assert_true(world_last(w)->at == DAY(10) + 1);
    done(w);
}

static void sums_of_money_and_people(void **unused)
{
    (void)unused;
    struct world *w = world_with(SCORE
        "rules:\n"
        "  - {id: money, title: {zh: a, en: a}, when: {sum: {of: {agency: court}, field: amount, at_least: 500 yuan, within: 20d}}, then: {raise: general}}\n"
        "  - {id: heads, title: {zh: b, en: b}, when: {sum: {of: any, field: people, at_least: 50, within: 20d}}, then: {raise: critical}}\n");
    SAY(w, .kind = "court.enforcement", .at = DAY(0), .amount = 30000);
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .amount = 90000);
    assert_int_equal(w->out.n, 0);
    SAY(w, .kind = "court.seizure", .at = DAY(5), .amount = 20000, .people = 49);
    assert_int_equal(world_last(w)->level, LEVEL_GENERAL);
    assert_int_equal(world_last(w)->reasons[0].signals_total, 2);
    SAY(w, .kind = "hotline.complaint", .at = DAY(6), .people = 1);
    assert_int_equal(world_last(w)->level, LEVEL_CRITICAL);
    world_tick(w, DAY(60));
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    done(w);
}

static void steps_in_order_only(void **unused)
{
    (void)unused;
    const char *rules = RULE("{sequence: {steps: [tax.sales_plunge, social.contribution_arrears, subdistrict.rent_overdue], within: 120d}}",
                             "{raise: general}");
    struct world *w = world_with(rules);
    SAY(w, .kind = "social.contribution_arrears", .at = DAY(0));
    SAY(w, .kind = "tax.sales_plunge", .at = DAY(10));
    SAY(w, .kind = "subdistrict.rent_overdue", .at = DAY(20));
    assert_int_equal(w->out.n, 0);
    SAY(w, .kind = "social.contribution_arrears", .at = DAY(15)); /* late, and in its place */
    assert_int_equal(world_last(w)->type, EVENT_RAISED);
    assert_int_equal(world_last(w)->reasons[0].signals_total, 4);
    world_tick(w, DAY(200));
    assert_true(world_last(w)->at == DAY(130) + 1);
    done(w);
}

/* Days are reported, not hours: at one moment the order of arrival says nothing. */
static void steps_of_one_moment(void **unused)
{
    (void)unused;
    static const struct {
        const char *steps;
        const char *kinds[4];
        bool holds;
    } cases[] = {
        {"[tax.sales_plunge, subdistrict.rent_overdue]", {"tax.sales_plunge", "subdistrict.rent_overdue"}, true},
        {"[tax.sales_plunge, subdistrict.rent_overdue]", {"subdistrict.rent_overdue", "tax.sales_plunge"}, true},
        {"[tax.arrears, tax.arrears]", {"tax.arrears"}, false}, /* one signal makes one step */
        {"[tax.arrears, tax.arrears]", {"tax.arrears", "tax.arrears"}, true},
        {"[tax.arrears, any]", {"tax.arrears", "court.seizure"}, true}, /* whichever `any` would like best */
        {"[tax.arrears, any]", {"court.seizure", "tax.arrears"}, true},
        {"[tax.arrears, any, [tax.arrears, court.seizure]]", {"court.seizure", "tax.arrears"}, false},
        {"[tax.arrears, any, [tax.arrears, court.seizure]]", {"court.seizure", "police.owner_missing", "tax.arrears"}, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char rules[1024];
        snprintf(rules, sizeof rules, RULE("{sequence: {steps: %s, within: 120d}}", "{raise: general}"), cases[i].steps);
        struct world *w = world_with(rules);
        for (size_t k = 0; k < ARRAY_LEN(cases[i].kinds) && cases[i].kinds[k]; k++)
            SAY(w, .kind = cases[i].kinds[k], .at = DAY(0));
        assert_int_equal(w->out.n > 0, cases[i].holds);
        done(w);
    }
}

static void what_did_not_come_is_noticed_on_time(void **unused)
{
    (void)unused;
    const char *rules = RULE("{absent: {expected: housing.paid_out, after: housing.account_short, within: 10d}}", "{raise: general}");
    struct world *w = world_with(rules);
    SAY(w, .kind = "housing.account_short", .at = DAY(0));
    world_tick(w, DAY(40));
    assert_int_equal(w->out.n, 1);
    assert_true(world_last(w)->at == DAY(10));
    assert_int_equal(world_last(w)->reasons[0].signals_total, 1);
    SAY(w, .kind = "housing.paid_out", .at = DAY(41));
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    SAY(w, .kind = "housing.account_short", .at = DAY(50));
    SAY(w, .kind = "housing.paid_out", .at = DAY(58));
    world_tick(w, DAY(90));
    assert_int_equal(w->out.n, 2);
    done(w);
}

static void where_asks_of_the_signal(void **unused)
{
    (void)unused;
    struct world *w = world_with(
        RULE("{count: {of: {kind: hotline.complaint, where: {people: {at_least: 10}, region: [\"3304\"]}}, at_least: 2, within: 30d}}",
             "{raise: major}"));
    SAY(w, .kind = "hotline.complaint", .at = DAY(0), .people = 10, .region = "330482001");
    SAY(w, .kind = "hotline.complaint", .at = DAY(1), .people = 9, .region = "330482001");
    SAY(w, .kind = "hotline.complaint", .at = DAY(2), .people = 30, .region = "330105001");
    SAY(w, .kind = "hotline.complaint", .at = DAY(3), .people = 30);
    assert_int_equal(w->out.n, 0);
    SAY(w, .kind = "hotline.complaint", .at = DAY(4), .people = 11, .region = "330402");
    assert_int_equal(world_last(w)->level, LEVEL_MAJOR);
    assert_int_equal(world_last(w)->reasons[0].signals_total, 2);
    done(w);
}

static void who_it_is_and_when(void **unused)
{
    (void)unused;
    struct world *w = world_with(
        RULE("{all: [{enterprise: {industry: [E], credit: [C]}}, {season: {festival: spring_festival, before: 60d}}, "
             "{signal: tax.arrears, within: 300d}]}", "{raise: major}"));
    int64_t begins = INT64_C(1796659200000); /* 2026-12-08, 60 days ahead of 2027-02-06 */
    SAY(w, .kind = "tax.arrears", .at = begins - 30 * DAY_MS, .industry = "E4710");
    SAY(w, .kind = "registry.profile", .at = begins - 20 * DAY_MS, .credit = "C");
    assert_int_equal(w->out.n, 0);
    world_tick(w, begins + 90 * DAY_MS);
    assert_int_equal(w->out.n, 2);
    assert_true(w->out.events[0].ev.at == begins);
    assert_true(w->out.events[1].ev.at == begins + 60 * DAY_MS);
    done(w);
}

static void a_cap_and_a_hush(void **unused)
{
    (void)unused;
    struct world *w = world_with(SCORE
        "rules:\n"
        "  - {id: high, title: {zh: a, en: a}, when: {signal: police.owner_missing, within: 30d}, then: {raise: critical}}\n"
        "  - {id: cap, title: {zh: b, en: b}, when: {signal: labour.notice, within: 30d}, then: {at_most: general}}\n"
        "  - {id: hush, title: {zh: c, en: c}, when: {signal: police.owner_found, within: 30d}, then: {suppress: [high]}}\n");
    SAY(w, .kind = "labour.notice", .at = DAY(0));
    SAY(w, .kind = "police.owner_missing", .at = DAY(1));
    assert_int_equal(world_last(w)->level, LEVEL_GENERAL);
    SAY(w, .kind = "police.owner_found", .at = DAY(1) - 1); /* clears nothing of later, but hushes the rule */
    assert_int_equal(world_last(w)->type, EVENT_WITHDRAWN);
    done(w);
}

/* ---- what a rule does beside the level ---- */

static bool has_tag(const struct event *ev, const char *tag)
{
    for (uint32_t i = 0; i < ev->n_tags; i++)
        if (slice_is(ev->tags[i], tag))
            return true;
    return false;
}

static void tags_are_on_the_alert_while_their_rules_hold(void **unused)
{
    (void)unused;
    struct world *w = world_with(SCORE
        "rules:\n"
        "  - {id: a, title: {zh: a, en: a}, when: {signal: tax.arrears, within: 60d}, then: {raise: general, tag: 一}}\n"
        "  - {id: b, title: {zh: b, en: b}, when: {signal: court.seizure, within: 10d}, then: {tag: 二}}\n"
        "  - {id: c, title: {zh: c, en: c}, when: {signal: court.seizure, within: 60d}, then: {tag: 二}}\n");
    SAY(w, .kind = "tax.arrears", .at = DAY(0));
    assert_int_equal(world_last(w)->n_tags, 1);
    assert_true(has_tag(world_last(w), "一"));
    SAY(w, .kind = "court.seizure", .at = DAY(1));
    assert_int_equal(world_last(w)->type, EVENT_EVIDENCE);
    assert_int_equal(world_last(w)->n_tags, 2); /* each once */
    assert_true(slice_is(world_last(w)->tags[1], "二"));
    SAY(w, .kind = "court.released", .at = DAY(2));
    SAY(w, .kind = "bank.loan_overdue", .at = DAY(3));
    assert_int_equal(world_last(w)->n_tags, 1);
    assert_false(has_tag(world_last(w), "二"));
    done(w);
}

static size_t count_type(const struct world *w, enum event_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < w->out.n; i++)
        n += w->out.events[i].ev.type == type;
    return n;
}

static void a_rule_escalates_once_in_a_life(void **unused)
{
    (void)unused;
    struct world *w = world_with(SCORE
        "rules:\n"
        "  - {id: up, title: {zh: a, en: a}, when: {signal: tax.arrears, within: 60d}, then: {raise: general}}\n"
        "  - {id: boss, title: {zh: b, en: b}, when: {count: {of: {kind: hotline.complaint, cleared: too}, at_least: 2, within: 10d}}, "
        "then: {raise: major, escalate: true}}\n");
    SAY(w, .kind = "hotline.complaint", .at = DAY(-20));
    SAY(w, .kind = "tax.arrears", .at = DAY(0));
    assert_int_equal(count_type(w, EVENT_ESCALATED), 0);
    SAY(w, .kind = "hotline.complaint", .at = DAY(1));
    SAY(w, .kind = "hotline.complaint", .at = DAY(2));
    size_t n = w->out.n;
    assert_int_equal(w->out.events[n - 2].ev.type, EVENT_UPGRADED); /* the level first */
    assert_int_equal(w->out.events[n - 1].ev.type, EVENT_ESCALATED);
    assert_true(slice_is(world_last(w)->rule, "boss"));
    assert_int_equal(world_last(w)->principal.n, 0);
    assert_int_equal(world_last(w)->level, LEVEL_MAJOR);
    assert_true(world_last(w)->n_reasons > 0);
    SAY(w, .kind = "hotline.complaint", .at = DAY(3));
    assert_int_equal(count_type(w, EVENT_ESCALATED), 1); /* it holds still */
    world_tick(w, DAY(30));
    assert_int_equal(world_last(w)->type, EVENT_DOWNGRADED);
    SAY(w, .kind = "hotline.complaint", .at = DAY(31));
    assert_int_equal(count_type(w, EVENT_ESCALATED), 1);
    SAY(w, .kind = "hotline.complaint", .at = DAY(32));
    assert_int_equal(count_type(w, EVENT_ESCALATED), 1); /* it has had its turn in this life */
    done(w);
}

/* A rule that raises nothing needs an open alert to escalate. */
static void nothing_escalates_without_an_alert(void **unused)
{
    (void)unused;
    struct world *w = world_with(SCORE
        "rules:\n"
        "  - {id: up, title: {zh: a, en: a}, when: {signal: tax.arrears, within: 60d}, then: {raise: general}}\n"
        "  - {id: boss, title: {zh: b, en: b}, when: {signal: court.seizure, within: 60d}, then: {escalate: true}}\n");
    SAY(w, .kind = "court.seizure", .at = DAY(0));
    assert_int_equal(w->out.n, 0);
    SAY(w, .kind = "tax.arrears", .at = DAY(1));
    assert_int_equal(w->out.n, 2);
    assert_int_equal(world_last(w)->type, EVENT_ESCALATED);
    done(w);
}

static void an_event_lists_the_weightiest_reasons_only(void **unused)
{
    (void)unused;
    struct arena a = {0};
    const char *rules = SCORE "rules:\n";
    for (int i = 0; i < 200; i++)
        rules = arena_printf(&a, "%s  - {id: r%d, title: {zh: a, en: a}, when: {signal: tax.arrears, within: %dd}, then: {raise: %s, tag: t%d}}\n",
                             rules, i, i + 1, i == 150 ? "critical" : i == 120 ? "major" : "general", i);
    struct world *w = world_with(rules);
    SAY(w, .kind = "tax.arrears", .at = DAY(0));
    const struct event *ev = world_last(w);
    assert_int_equal(ev->n_reasons, EVENT_REASONS_MAX);
    assert_int_equal(ev->n_tags, EVENT_TAGS_MAX);
    assert_int_equal(ev->reasons[0].level, LEVEL_CRITICAL);
    assert_int_equal(ev->reasons[1].level, LEVEL_MAJOR);
    assert_int_equal(ev->reasons[2].level, LEVEL_GENERAL);
    done(w);
    arena_finish(&a);
}

/* The same town twice is one place, a county's code none, a village its town's; the latest of each keeps it. */
static void places_are_told_apart(void **unused)
{
    (void)unused;
    static const struct {
        int day;
        const char *region;
        size_t events;
    } steps[] = {{0, "330482001", 0}, {1, "330482001", 0}, {2, "330482", 0}, {2, NULL, 0}, {3, "330482002", 1}, {4, "330482001012", 1}};
    struct world w;
    world_init(&w, RULE("{regions: {of: any, digits: 9, at_least: 2, within: 10d}}", "{raise: major}"));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        world_say(&w, &(struct say){.kind = "tax.arrears", .at = DAY(steps[i].day), .uscc = CODE_A, .region = steps[i].region});
        size_t n = 0; /* evidence is not of interest */
        for (size_t k = 0; k < w.out.n; k++)
            n += w.out.events[k].ev.type == EVENT_RAISED;
        assert_int_equal(n, steps[i].events);
    }
    size_t had = w.out.n;
    world_tick(&w, DAY(13));
    assert_int_equal(w.out.n, had);
    world_tick(&w, DAY(13) + 1); /* the second town leaves the window, by itself */
    assert_int_equal(world_last(&w)->type, EVENT_WITHDRAWN);
    assert_true(world_last(&w)->at == DAY(13) + 1);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_told_apart),
        cmocka_unit_test(mistakes_have_their_place), cmocka_unit_test(two_of_one_name_are_told),
        cmocka_unit_test(what_can_never_hold_is_told), cmocka_unit_test(wrong_types_are_told),
        cmocka_unit_test(selectors_are_told_precisely), cmocka_unit_test(what_asks_of_others_is_checked),
        cmocka_unit_test(rules_are_held_against_each_other),
        cmocka_unit_test(all_mistakes_come_at_once_with_line_and_hint),
        cmocka_unit_test(radiations_are_merged_and_keep_their_words), cmocka_unit_test(shares_thresholds_and_assessment),
        cmocka_unit_test(a_second_rules_file_has_its_own_mistakes), cmocka_unit_test(bounds_are_held),
        cmocka_unit_test(all_needs_each_any_needs_one), cmocka_unit_test(settled_complaints_are_repeated_all_the_same),
        cmocka_unit_test(a_cap_and_a_hush),
        cmocka_unit_test(not_turns_with_its_part), cmocka_unit_test(sums_of_money_and_people),
        cmocka_unit_test(steps_in_order_only),
        cmocka_unit_test(steps_of_one_moment), cmocka_unit_test(what_did_not_come_is_noticed_on_time),
        cmocka_unit_test(where_asks_of_the_signal), cmocka_unit_test(who_it_is_and_when),
        cmocka_unit_test(tags_are_on_the_alert_while_their_rules_hold),
        cmocka_unit_test(a_rule_escalates_once_in_a_life),
        cmocka_unit_test(nothing_escalates_without_an_alert),
        cmocka_unit_test(an_event_lists_the_weightiest_reasons_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
