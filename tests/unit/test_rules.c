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

static void a_rule_escalates_once_while_it_holds(void **unused)
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
    assert_int_equal(count_type(w, EVENT_ESCALATED), 2); /* and once more when it begins again */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_have_their_place), cmocka_unit_test(two_of_one_name_are_told),
        cmocka_unit_test(all_needs_each_any_needs_one), cmocka_unit_test(settled_complaints_are_repeated_all_the_same),
        cmocka_unit_test(a_cap_and_a_hush),
        cmocka_unit_test(not_turns_with_its_part), cmocka_unit_test(sums_of_money_and_people),
        cmocka_unit_test(steps_in_order_only), cmocka_unit_test(what_did_not_come_is_noticed_on_time),
        cmocka_unit_test(where_asks_of_the_signal), cmocka_unit_test(who_it_is_and_when),
        cmocka_unit_test(tags_are_on_the_alert_while_their_rules_hold),
        cmocka_unit_test(a_rule_escalates_once_while_it_holds),
        cmocka_unit_test(nothing_escalates_without_an_alert),
        cmocka_unit_test(an_event_lists_the_weightiest_reasons_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
