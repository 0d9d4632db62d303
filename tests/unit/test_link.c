/* SPDX-License-Identifier: Apache-2.0 */
/* Enterprises bound to each other: what passes along links, at which share signals of others count, areas. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/fold.h"
#include "engine/hub.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"

#define OWNER "00112233445566778899aabbccddeeff"
#define OTHER_OWNER "ffeeddccbbaa99887766554433221100"

#define SCORE "version: 1\nscore:\n  levels: {general: 20, major: 50, critical: 85}\n  hysteresis: 5\n"                  \
              "  one_agency_at_most: critical\n  others_at_least: 5\n"
#define SHARES "  shares: {sub: 0.3, labour: 0.5, predecessor: 1.0}\n"
#define RULE_SCORE "  - id: score\n    title: {zh: 分, en: Score}\n    when: {score: follow}\n    then: {raise: by_score}\n"
#define RULE_FLED "  - id: fled\n    title: {zh: 逃, en: Owner of another firm fled}\n"                                     \
                  "    when: {related: {by: owner, signal: police.owner_missing, within: 60d}}\n"                           \
                  "    then: {raise: general}\n"
#define RULE_KIN "  - id: kin\n    title: {zh: 亲, en: Kin is critical}\n"                                                   \
                 "    when: {related: {by: [project, parent, successor], level: critical, within: 30d}}\n"                  \
                 "    then: {raise: major}\n"
#define RULE_AREA "  - id: town\n    title: {zh: 镇, en: Town}\n"                                                            \
                  "    when: {area: {region: 9, level: critical, at_least: 3, within: 30d}}\n    then: {raise: critical}\n"  \
                  "  - id: trade\n    title: {zh: 业, en: Trade of a county}\n"                                             \
                  "    when: {area: {region: 6, industry: 3, level: critical, at_least: 2, within: 30d}}\n"                  \
                  "    then: {raise: major}\n"

#define RULE_SITE "  - id: site\n    title: {zh: 工, en: Complaints at the same site}\n"                                        \
                  "    when: {related: {by: [project, parent, successor], signal: hotline.complaint, within: 30d}}\n"      \
                  "    then: {raise: major}\n"

static const char related_rules[] = SCORE "rules:\n" RULE_FLED RULE_KIN RULE_SCORE;
static const char share_rules[] = SCORE SHARES "rules:\n" RULE_SCORE;
static const char area_rules[] = SCORE "rules:\n" RULE_AREA RULE_SCORE;
static const char plain_order_rules[] = SCORE SHARES "rules:\n" RULE_FLED RULE_SITE; /* nothing that hysteresis holds */
static const char all_rules[] = SCORE SHARES "rules:\n" RULE_AREA RULE_FLED RULE_KIN RULE_SCORE;

static const char *firm(struct world *w, unsigned i)
{
    return arena_printf(&w->arena, "91330482MA%08u", i);
}

static struct ekey key_of(const char *code)
{
    return ekey_of_code(STATUS_ACTUAL, slice_of(code));
}

static uint8_t level_at_last(struct world *w, const char *code)
{
    struct ekey k = key_of(code);
    const struct record *r = world_record(w, &k);
    return r ? r->level : LEVEL_NONE;
}

static double score_of(struct world *w, const char *code)
{
    struct ekey k = key_of(code);
    const struct record *r = world_record(w, &k);
    return r ? r->score / 100.0 : -1;
}

/* Lets time pass in steps that the daemon would take. */
static void pass(struct world *w, int64_t until)
{
    for (int64_t next; (next = engine_next_due(w->engine)) <= until;)
        world_tick(w, next);
    world_tick(w, until);
    w->now = until;
}

static void say_owned(struct world *w, const char *kind, const char *code, const char *owner, int64_t at)
{
    assert_int_equal(world_say(w, &(struct say){.kind = kind, .uscc = code, .owner = owner, .at = at}), SCREEN_NEW);
}

/* ---- owner ---- */

static void an_owner_who_fled_puts_his_other_firms_on_watch(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, related_rules);
    say_owned(&w, "utility.bill_overdue", CODE_A, OWNER, DAY(0));
    say_owned(&w, "utility.bill_overdue", CODE_C, OTHER_OWNER, DAY(0));
    assert_int_equal(w.out.n, 0);
    say_owned(&w, "police.owner_missing", CODE_B, OWNER, DAY(1));
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_GENERAL);
    assert_int_equal(level_at_last(&w, CODE_C), LEVEL_NONE);
    assert_int_equal(level_at_last(&w, CODE_B), LEVEL_MAJOR); /* by its score alone: its own flight is not another's */
    const struct event *ev = world_last(&w);
    assert_string_equal(world_story(&w, w.out.n - 1), "raised general 14.79 fled");
    assert_true(slice_is(ev->reasons[0].other, CODE_B));
    assert_int_equal(ev->reasons[0].link, LINK_OWNER);
    assert_int_equal(ev->at, DAY(1));
    pass(&w, DAY(61));
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_GENERAL); /* closed at both ends */
    pass(&w, DAY(61) + 1);
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_NONE);
    assert_int_equal(world_last(&w)->type, EVENT_WITHDRAWN);
    say_owned(&w, "police.owner_missing", CODE_B, OWNER, DAY(70)); /* news, though not of its own */
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_GENERAL);
    assert_int_equal(world_last(&w)->type, EVENT_REOPENED);
    world_finish(&w);
}

static void what_is_withdrawn_binds_and_tells_nothing(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, related_rules);
    say_owned(&w, "utility.bill_overdue", CODE_A, OWNER, DAY(0));
    world_say(&w, &(struct say){.id = "m", .kind = "police.owner_missing", .uscc = CODE_B, .owner = OWNER, .at = DAY(1)});
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_GENERAL);
    world_say(&w, &(struct say){.kind = "police.owner_missing", .uscc = CODE_B, .cancels = "m", .at = DAY(2)});
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_NONE);
    struct ekey k = key_of(CODE_B);
    assert_int_equal(world_record(&w, &k)->n_links, 0);
    say_owned(&w, "police.owner_missing", CODE_B, NULL, DAY(3)); /* nobody's firm any more */
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_NONE);
    say_owned(&w, "utility.bill_overdue", CODE_B, OWNER, DAY(4)); /* and his again */
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_GENERAL);
    world_finish(&w);
}

static void a_name_takes_its_links_to_its_code(void **state)
{
    struct world w;
    struct hub h;
    uint8_t id[HUB_LEN];
    (void)state;
    world_init(&w, related_rules);
    world_say(&w, &(struct say){.kind = "utility.bill_overdue", .name = "甲", .owner = OWNER, .at = DAY(0)});
    say_owned(&w, "police.owner_missing", CODE_B, OWNER, DAY(1));
    assert_string_equal(world_story(&w, w.out.n - 1), "raised general 14.79 fled");
    world_say(&w, &(struct say){.kind = "tax.arrears", .name = "甲", .uscc = CODE_A, .at = DAY(2)});
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_GENERAL);
    struct ekey k = key_of(CODE_A), name = ekey_of_name(STATUS_ACTUAL, slice_of("甲"));
    assert_null(world_record(&w, &name));
    assert_int_equal(world_record(&w, &k)->n_links, 1);
    memcpy(id, world_record(&w, &k)->links[0].hub, HUB_LEN);
    w.engine->err = &(struct err){0};
    assert_true(hub_load(w.engine, id, &h));
    assert_int_equal(h.members, 2); /* the name has left */
    world_finish(&w);
}

static void an_exercise_concerns_no_actual_enterprise(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, related_rules);
    say_owned(&w, "utility.bill_overdue", CODE_A, OWNER, DAY(0));
    world_say(&w, &(struct say){.kind = "police.owner_missing", .uscc = CODE_B, .owner = OWNER, .at = DAY(1),
                                .status = STATUS_EXERCISE});
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_NONE);
    world_finish(&w);
}

static void new_rules_reach_those_who_are_bound(void **state)
{
    struct world w;
    struct ekey keys[2] = {key_of(CODE_A), key_of(CODE_B)};
    struct buf b = {0};
    (void)state;
    world_init(&w, SCORE "rules:\n" RULE_SCORE);
    say_owned(&w, "utility.bill_overdue", CODE_A, OWNER, DAY(0));
    say_owned(&w, "police.owner_missing", CODE_B, OWNER, DAY(1));
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_NONE);
    for (int on = 1; on >= 0; on--) {
        world_config(&w, on ? related_rules : SCORE "rules:\n" RULE_SCORE, DAY(on ? 2 : 3));
        buf_reset(&b);
        entry_put_sweep(&b, keys, 2);
        world_apply(&w, (struct slice){(char *)b.p, b.n}, DAY(on ? 2 : 3));
        pass(&w, DAY(on ? 2 : 3) + 1000);
        assert_int_equal(level_at_last(&w, CODE_A), on ? LEVEL_GENERAL : LEVEL_NONE);
        assert_int_equal(world_record(&w, &keys[1])->n_radiated, on);
    }
    buf_finish(&b);
    world_finish(&w);
}

/* ---- project, parent, succession ---- */

static void make_critical(struct world *w, const char *code, const char *project, int64_t at)
{
    static const char *const kinds[] = {"police.owner_missing", "court.seizure", "hotline.complaint"};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        world_say(w, &(struct say){.kind = kinds[i], .uscc = code, .project = project, .role = ROLE_SUB, .at = at});
    assert_int_equal(level_at_last(w, code), LEVEL_CRITICAL);
}

static void projects_and_parents_bind(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, related_rules);
    world_say(&w, &(struct say){.kind = "utility.bill_overdue", .uscc = CODE_A, .project = "P1", .at = DAY(0)});
    make_critical(&w, CODE_B, "P1", DAY(1));
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_MAJOR);
    assert_int_equal(world_last(&w)->reasons[0].link, LINK_PROJECT);
    world_say(&w, &(struct say){.kind = "registry.profile", .uscc = CODE_B, .attrs = "parent=" CODE_C, .at = DAY(2)});
    assert_int_equal(level_at_last(&w, CODE_C), LEVEL_MAJOR); /* not one signal of its own */
    assert_int_equal(world_last(&w)->reasons[0].link, LINK_PARENT);
    world_say(&w, &(struct say){.kind = "registry.profile", .uscc = CODE_B, .attrs = "parent=" CODE_A, .at = DAY(3)});
    assert_int_equal(level_at_last(&w, CODE_C), LEVEL_NONE);
    world_finish(&w);
}

static void a_successor_takes_over_what_counts(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, share_rules);
    world_say(&w, &(struct say){.kind = "court.seizure", .uscc = CODE_A, .at = DAY(0)});
    world_say(&w, &(struct say){.id = "s", .kind = "registry.succession", .uscc = CODE_A, .attrs = "successor=" CODE_B,
                                .at = DAY(0)});
    assert_true(fabs(score_of(&w, CODE_B) - 35.0) < 0.01);
    assert_true(slice_is(world_last(&w)->evidence[0].from, CODE_A));
    assert_int_equal(world_last(&w)->evidence[0].counted_ppm, PPM);
    world_say(&w, &(struct say){.kind = "registry.succession", .uscc = CODE_A, .cancels = "s", .at = DAY(0)});
    assert_int_equal(level_at_last(&w, CODE_B), LEVEL_NONE);
    struct ekey k = key_of(CODE_B);
    assert_int_equal(world_record(&w, &k)->n_links, 0);
    world_finish(&w);
}

/* ---- shares ---- */

static double points(double hazard)
{
    return 100 * (1 - exp(-hazard));
}

static void say_site(struct world *w, const char *kind, const char *code, const char *project, enum role role, double day)
{
    world_say(w, &(struct say){.kind = kind, .uscc = code, .project = project, .role = role, .at = DAY(day)});
}

static void a_subcontractor_counts_at_its_share(void **state)
{
    struct world w;
    const double own = -log(1 - 0.30), theirs = -log(1 - 0.35);
    (void)state;
    world_init(&w, share_rules);
    say_site(&w, "hotline.complaint", CODE_A, "P1", ROLE_GENERAL, 0);
    say_site(&w, "court.seizure", CODE_B, "P1", ROLE_SUB, 0);
    assert_true(fabs(score_of(&w, CODE_A) - points(own + 0.3 * theirs)) < 0.01);
    assert_true(fabs(score_of(&w, CODE_B) - points(theirs)) < 0.01); /* and nothing comes back */
    const struct event *ev = world_last(&w);
    assert_int_equal(ev->type, EVENT_EVIDENCE);
    assert_int_equal(ev->n_evidence, 2);
    assert_true(slice_is(ev->evidence[1].from, CODE_B));
    assert_true(slice_is(ev->evidence[1].project, "P1"));
    assert_int_equal(ev->evidence[1].counted_ppm, 300000);
    assert_int_equal(ev->evidence[0].from.n, 0);
    assert_int_equal(ev->evidence[0].share_ppm + ev->evidence[1].share_ppm, PPM);
    say_site(&w, "court.seizure", CODE_C, "P2", ROLE_SUB, 0);
    say_site(&w, "court.seizure", CODE_B, "P2", ROLE_SUB, 0); /* of another site */
    say_site(&w, "court.seizure", CODE_B, NULL, ROLE_NONE, 0);
    assert_true(fabs(score_of(&w, CODE_A) - points(own + 0.3 * theirs)) < 0.01);
    say_site(&w, "court.released", CODE_B, NULL, ROLE_NONE, 1);
    assert_true(fabs(score_of(&w, CODE_A) - points(own * pow(2, -1 / 60.0))) < 0.01);
    world_finish(&w);
}

static void a_general_contractor_alone_falls_with_the_clock(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, share_rules);
    say_site(&w, "utility.bill_overdue", CODE_A, "P1", ROLE_GENERAL, 0);
    say_site(&w, "police.owner_missing", CODE_B, "P1", ROLE_LABOUR, 0);
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_MAJOR);
    pass(&w, DAY(900));
    assert_int_equal(level_at_last(&w, CODE_A), LEVEL_NONE);
    world_finish(&w);
}

/* ---- areas ---- */

static void say_town(struct world *w, const char *code, const char *region, const char *industry, double day)
{
    world_say(w, &(struct say){.kind = "registry.profile", .uscc = code, .region = region, .industry = industry,
                               .at = DAY(day)});
    make_critical(w, code, NULL, DAY(day));
}

static const struct event *area_event(struct world *w, const char *rule)
{
    const struct event *found = NULL;
    for (size_t i = 0; i < w->out.n; i++) {
        const struct event *ev = &w->out.events[i].ev;
        struct slice id = {0}, zh, en;
        if (ekey_kind(&ev->key) == EKEY_AREA && ev->n_reasons)
            rule_words(dict_text(engine_dict(w->engine), DICT_RULE, ev->reasons[0].rule), &id, &zh, &en);
        if (ekey_kind(&ev->key) == EKEY_AREA && (slice_is(id, rule) || (found && ev->alert == found->alert)))
            found = ev;
    }
    return found;
}

static void several_of_a_town_raise_its_alert(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, area_rules);
    say_town(&w, CODE_A, "330482001", "C1810", 0);
    say_town(&w, CODE_B, "330482001005", "H62", 1);
    assert_null(area_event(&w, "town"));
    say_town(&w, CODE_C, "330482002", "C1819", 1); /* another town; but of one trade with the first */
    const struct event *trade = area_event(&w, "trade");
    assert_non_null(trade);
    assert_true(slice_is(trade->name, "330482 C18") || slice_is(trade->name, "330482 C181"));
    assert_int_equal(trade->level, LEVEL_MAJOR);
    assert_int_equal(trade->n_members, 2);
    assert_null(area_event(&w, "town"));
    say_town(&w, firm(&w, 1), "330482001", "E4710", 2);
    const struct event *town = area_event(&w, "town");
    assert_non_null(town);
    assert_int_equal(town->type, EVENT_RAISED);
    assert_int_equal(town->level, LEVEL_CRITICAL);
    assert_int_equal(town->n_members, 3);
    assert_int_equal(town->members_total, 3);
    assert_int_equal(town->members[0].level, LEVEL_CRITICAL);
    assert_true(slice_is(town->name, "330482001"));
    assert_int_equal(town->uscc.n, 0);
    assert_int_equal(town->region, region_of(SLICE("330482001")));
    assert_int_equal(town->n_places, 1);
    uint64_t alert = town->alert;
    pass(&w, DAY(900)); /* they recover: the window ends by the clock alone */
    town = area_event(&w, "town");
    assert_int_equal(town->type, EVENT_WITHDRAWN);
    assert_int_equal(town->alert, alert);
    world_finish(&w);
}

/* Last level of the alert of an area by its name; LEVEL_NONE: none, or it was withdrawn. */
static uint8_t area_level(struct world *w, const char *name)
{
    uint8_t level = LEVEL_NONE;
    for (size_t i = 0; i < w->out.n; i++)
        if (ekey_kind(&w->out.events[i].ev.key) == EKEY_AREA && slice_is(w->out.events[i].ev.name, name))
            level = w->out.events[i].ev.level;
    return level;
}

static void bad_in(struct world *w, const char *code, const char *region, int64_t at)
{
    world_say(w, &(struct say){.kind = "court.seizure", .uscc = code, .region = region, .at = at});
    make_critical(w, code, NULL, at);
}

/* The town where people work is concerned, and the town where it is registered, whichever is told first. */
static void an_enterprise_counts_where_it_works_and_where_it_is_registered(void **state)
{
    (void)state;
    for (int profile_first = 0; profile_first < 2; profile_first++) {
        struct world w;
        world_init(&w, area_rules);
        w.now = DAY(1);
        for (int step = 0; step < 2; step++)
            for (unsigned i = 0; i < 3; i++)
                if (step != profile_first)
                    world_say(&w, &(struct say){.kind = "registry.profile", .uscc = firm(&w, i),
                                                .region = i ? "330424001" : "330424", .at = DAY(0)});
                else
                    bad_in(&w, firm(&w, i), "330482001", DAY(1));
        assert_int_equal(area_level(&w, "330482001"), LEVEL_CRITICAL);
        assert_int_equal(area_level(&w, "330424001"), LEVEL_NONE); /* of two the town is known */
        world_say(&w, &(struct say){.kind = "registry.profile", .uscc = firm(&w, 0), .region = "330424001", .at = DAY(1)});
        assert_int_equal(area_level(&w, "330424001"), LEVEL_CRITICAL);
        assert_int_equal(area_level(&w, "330482001"), LEVEL_CRITICAL);
        world_finish(&w);
    }
}

/* "raised 3 evidence 4" of one area. */
static const char *area_story(struct world *w, const char *name)
{
    const char *all = "";
    for (size_t i = 0; i < w->out.n; i++) {
        const struct event *ev = &w->out.events[i].ev;
        if (ekey_kind(&ev->key) == EKEY_AREA && slice_is(ev->name, name))
            all = arena_printf(&w->arena, "%s%s%s %u", all, *all ? " " : "", event_wire(ev->type), ev->members_total);
    }
    return all;
}

static void an_area_tells_that_it_grows_by_quarters(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, area_rules);
    for (unsigned i = 0; i < 13; i++)
        bad_in(&w, firm(&w, i), "330482001", DAY(1));
    assert_string_equal(area_story(&w, "330482001"), "raised 3 evidence 4 evidence 5 evidence 7 evidence 9 evidence 12");
    world_finish(&w);
}

static void close_alert(struct world *w, uint64_t alert, int64_t at)
{
    struct entry_action accept = world_action(alert, "accept"), verify = world_action(alert, "verify"),
                        close = world_action(alert, "close");
    verify.finding = SLICE("unfounded");
    close.outcome = SLICE("unfounded");
    assert_int_equal(world_act(w, &accept, at), 0);
    assert_int_equal(world_act(w, &verify, at), 0);
    assert_int_equal(world_act(w, &close, at), 0);
}

static void a_closed_area_comes_back_with_its_next_member(void **state)
{
    struct world w;
    (void)state;
    world_init(&w, area_rules);
    for (unsigned i = 0; i < 3; i++)
        bad_in(&w, firm(&w, i), "330482001", DAY(1));
    uint64_t alert = area_event(&w, "town")->alert;
    close_alert(&w, alert, DAY(2));
    bad_in(&w, firm(&w, 0), "330482001", DAY(3)); /* was counted when it was closed */
    assert_string_equal(area_story(&w, "330482001"), "raised 3 accepted 3 verified 3 closed 3");
    bad_in(&w, firm(&w, 3), "330482001", DAY(3));
    assert_string_equal(area_story(&w, "330482001"), "raised 3 accepted 3 verified 3 closed 3 reopened 4");
    close_alert(&w, alert, DAY(4));
    w.now = DAY(100);
    for (unsigned i = 0; i < 4; i++) /* still as bad, and long known */
        make_critical(&w, firm(&w, i), NULL, DAY(100));
    bad_in(&w, firm(&w, 4), "330482001", DAY(100));
    const struct event *town = world_last(&w);
    for (size_t i = w.out.n; ekey_kind(&town->key) != EKEY_AREA; i--)
        town = &w.out.events[i - 1].ev;
    assert_int_equal(town->type, EVENT_RAISED);
    assert_int_not_equal(town->alert, alert);
    assert_int_equal(town->members_total, 5);
    world_finish(&w);
}

static void the_areas_of_one_enterprise_are_bounded(void **state)
{
    struct world w;
    struct ekey k = key_of(CODE_A);
    (void)state;
    world_init(&w, area_rules);
    w.now = DAY(1);
    for (unsigned i = 0; i < 40; i++)
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .at = DAY(0),
                                    .region = arena_printf(&w.arena, "330482%03u", 100 + i)});
    world_say(&w, &(struct say){.kind = "registry.profile", .uscc = CODE_A, .region = "330482999", .at = DAY(0)});
    bad_in(&w, CODE_A, "330482888", DAY(1));
    assert_int_equal(world_record(&w, &k)->n_areas, 16);
    for (unsigned i = 0; i < 2; i++) {
        bad_in(&w, firm(&w, i), "330482888", DAY(1));
        bad_in(&w, firm(&w, i), "330482999", DAY(1));
    }
    assert_int_equal(area_level(&w, "330482888"), LEVEL_CRITICAL); /* the latest place is among the sixteen, */
    assert_int_equal(area_level(&w, "330482999"), LEVEL_CRITICAL); /* and the registered one */
    world_finish(&w);
}

static void fewer_are_enough_under_new_rules(void **state)
{
    static const char two[] = SCORE "rules:\n"
        "  - id: town\n    title: {zh: 镇, en: Town}\n"
        "    when: {area: {region: 9, level: critical, at_least: 2, within: 30d}}\n    then: {raise: critical}\n" RULE_SCORE;
    struct world w;
    struct ekey keys[2] = {key_of(CODE_A), key_of(CODE_B)};
    struct buf b = {0};
    (void)state;
    world_init(&w, area_rules);
    say_town(&w, CODE_A, "330482001", "C1810", 0);
    say_town(&w, CODE_B, "330482001005", "H62", 1);
    world_config(&w, two, DAY(2));
    entry_put_sweep(&b, keys, 2);
    world_apply(&w, (struct slice){(char *)b.p, b.n}, DAY(2));
    const struct event *town = area_event(&w, "town");
    assert_non_null(town);
    assert_int_equal(town->n_members, 2);
    buf_finish(&b);
    world_finish(&w);
}

/* ---- many ---- */

static void ten_thousand_members_stall_no_entry(void **state)
{
    enum { MEMBERS = 10000, STEP = PAGE_MEMBERS };
    struct world w;
    size_t before, most = 0;
    (void)state;
    world_init(&w, related_rules);
    w.now = DAY(0);
    for (unsigned i = 0; i < MEMBERS; i++)
        say_owned(&w, "utility.bill_overdue", firm(&w, i), OWNER, DAY(0));
    assert_int_equal(w.out.n, 0);
    say_owned(&w, "police.owner_missing", CODE_A, OWNER, DAY(0));
    assert_true(w.out.n <= STEP);
    for (int i = 0; i < 400 && engine_next_due(w.engine) < DAY(1); i++) {
        before = w.out.n;
        world_tick(&w, engine_next_due(w.engine));
        most = w.out.n - before > most ? w.out.n - before : most;
    }
    assert_true(most > 0 && most <= STEP);
    for (unsigned i = 0; i < MEMBERS; i++)
        assert_int_equal(level_at_last(&w, firm(&w, i)), LEVEL_GENERAL);
    world_finish(&w);
}

static void many_links_of_one_enterprise_are_bounded(void **state)
{
    struct world w;
    struct ekey k = key_of(CODE_A);
    (void)state;
    world_init(&w, related_rules);
    w.now = DAY(0);
    for (unsigned i = 0; i < LINKS_MAX + 40; i++) {
        const char *project = arena_printf(&w.arena, "P%u", i);
        world_say(&w, &(struct say){.kind = "utility.bill_overdue", .uscc = CODE_A, .project = project, .at = DAY(0)});
        world_say(&w, &(struct say){.kind = "utility.bill_overdue", .uscc = firm(&w, i), .project = project, .at = DAY(0)});
    }
    assert_int_equal(world_record(&w, &k)->n_links, LINKS_MAX);
    size_t before = w.out.n;
    make_critical(&w, CODE_A, NULL, DAY(0));
    assert_true(w.out.n - before <= PAGE_MEMBERS + 3);
    pass(&w, DAY(0) + 60000);
    unsigned reached = 0;
    for (unsigned i = 0; i < LINKS_MAX + 40; i++)
        reached += level_at_last(&w, firm(&w, i)) == LEVEL_MAJOR;
    assert_int_equal(reached, LINKS_MAX);
    world_finish(&w);
}

/* The roles in a project, each a bit; 0: it is not bound. */
static unsigned bound(struct world *w, const char *code, const char *project)
{
    uint8_t hub[HUB_LEN];
    struct ekey k = key_of(code);
    const struct record *r = world_record(w, &k);
    link_hub(hub, r, LINK_PROJECT, slice_of(project));
    for (uint32_t i = 0; i < r->n_links; i++)
        if (memcmp(r->links[i].hub, hub, HUB_LEN) == 0)
            return r->links[i].roles;
    return 0;
}

/* Those of the latest signals, in whatever order they come; one that is told of again is late again; a parent stays. */
static void of_too_many_links_the_latest_stay(void **state)
{
    enum { MANY = LINKS_MAX + 40 };
    (void)state;
    for (unsigned step = 1; step < 8; step += 6) { /* in order, and mixed */
        struct world w;
        world_init(&w, related_rules);
        w.now = DAY(2);
        world_say(&w, &(struct say){.kind = "registry.profile", .uscc = CODE_A, .attrs = "parent=" CODE_B, .at = DAY(0)});
        for (unsigned i = 0; i < MANY; i++) {
            unsigned n = i * step % MANY;
            world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .id = arena_printf(&w.arena, "p%u", n),
                                        .project = arena_printf(&w.arena, "P%u", n), .at = DAY(0) + n});
        }
        for (unsigned n = 0; n < MANY; n++)
            assert_int_equal(bound(&w, CODE_A, arena_printf(&w.arena, "P%u", n)) != 0, n > MANY - LINKS_MAX);
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .project = "P0", .at = DAY(1)});
        assert_true(bound(&w, CODE_A, "P0"));
        assert_false(bound(&w, CODE_A, "P41"));
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .project = "late", .at = DAY(-1)});
        assert_false(bound(&w, CODE_A, "late"));
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .cancels = "p100", .at = DAY(1)});
        assert_false(bound(&w, CODE_A, "P100"));
        assert_true(bound(&w, CODE_A, "P41")); /* there is room again */
        assert_true(bound(&w, CODE_A, "P295"));
        assert_false(bound(&w, CODE_A, "P40") || bound(&w, CODE_A, "late"));
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .project = "P41", .at = DAY(1)});
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .project = "new", .at = DAY(1)});
        assert_true(bound(&w, CODE_A, "P41") && bound(&w, CODE_A, "new"));
        assert_false(bound(&w, CODE_A, "P42"));
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .project = "P290", .role = ROLE_GENERAL,
                                    .at = DAY(-1)});
        world_say(&w, &(struct say){.kind = "hotline.complaint", .uscc = CODE_A, .cancels = "p101", .at = DAY(1)});
        assert_true(bound(&w, CODE_A, "P290") & 1U << ROLE_GENERAL); /* worked out from all of its signals */
        struct ekey k = key_of(CODE_B);
        assert_int_equal(world_record(&w, &k)->n_links, 1);
        world_finish(&w);
    }
}

/* ---- by property ---- */

static uint64_t seed = 20260303;

static uint32_t below(uint32_t n)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((sig_mix(seed) >> 32) * n >> 32);
}

static struct say invent(struct world *w, unsigned i)
{
    static const char *const kinds[] = {"police.owner_missing", "court.seizure", "hotline.complaint", "court.released",
                                        "utility.bill_overdue", "registry.profile", "registry.succession"};
    static const char *const names[] = {"甲", "乙", "丙"}, *const codes[] = {CODE_A, CODE_B, CODE_C};
    static const char *const projects[] = {NULL, "P1", "P2"}, *const owners[] = {NULL, OWNER, OTHER_OWNER};
    static const char *const towns[] = {NULL, "330482001", "330482002"};
    struct say s = {.id = arena_printf(&w->arena, "i%u", i), .source = "x", .kind = kinds[below(ARRAY_LEN(kinds))]};
    s.at = DAY(below(40)) + below(86400000);
    if (below(8))
        s.uscc = below(2) ? codes[below(3)] : firm(w, below(4));
    if (!s.uscc || !below(4))
        s.name = names[below(3)];
    s.project = projects[below(3)];
    s.owner = owners[below(3)];
    s.region = towns[below(3)];
    s.industry = below(2) ? "C1810" : NULL;
    s.role = (enum role)below(ROLE_COUNT);
    if (strstr(s.kind, "registry.profile") && below(2))
        s.attrs = below(2) ? "parent=" CODE_B : "parent=" CODE_C;
    if (strstr(s.kind, "registry.succession"))
        s.attrs = below(2) ? "successor=" CODE_A : "successor=" CODE_C;
    return s;
}

/* Level, score, links and what it gives, of all, judged at one moment. */
static const char *picture(struct world *w)
{
    const char *codes[] = {CODE_A, CODE_B, CODE_C, firm(w, 0), firm(w, 1), firm(w, 2), firm(w, 3)};
    char *all = arena_printf(&w->arena, "%s", "");
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct ekey k = key_of(codes[i]);
        const struct record *before = world_record(w, &k); /* whoever was concerned has been judged by now */
        if (!before)
            continue;
        world_say(w, &(struct say){.kind = "registry.profile", .source = "judge", .uscc = codes[i], .at = w->now});
        const struct record *r = world_record(w, &k);
        uint32_t hubs = 0;
        for (uint32_t n = 0; r && n < r->n_links; n++)
            hubs = hubs * 31 + r->links[n].hub[3] + r->links[n].roles;
        if (r)
            all = arena_printf(&w->arena, "%s%zu: level %u, %u own %u score %u links %u/%u gives %u areas %u\n", all, i,
                               before->level, r->level, r->own_level, r->score, r->n_links, hubs, r->n_radiated, r->n_areas);
    }
    return all;
}

static void order_of_arrival_does_not_matter(void **state)
{
    enum { MANY = 24 };
    int raised = 0;
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct world a, b;
        struct say list[MANY];
        world_init(&a, plain_order_rules);
        world_init(&b, plain_order_rules);
        for (unsigned i = 0; i < MANY; i++)
            list[i] = invent(&a, i);
        a.now = b.now = DAY(50);
        for (unsigned i = 0; i < MANY; i++)
            world_say(&a, &list[i]);
        for (unsigned i = MANY; i-- > 1;) {
            struct say s = list[i];
            uint32_t k = below(i + 1);
            list[i] = list[k];
            list[k] = s;
        }
        for (unsigned i = 0; i < MANY; i++)
            world_say(&b, &list[i]);
        for (int day = 50; day < 130; day += 20) {
            pass(&a, DAY(day) + 1000);
            pass(&b, DAY(day) + 1000);
            const char *one = picture(&a), *two = picture(&b);
            assert_string_equal(one, two);
            raised += strstr(one, "level 2, 2") != NULL;
        }
        world_finish(&a);
        world_finish(&b);
    }
    assert_true(raised > 20);
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
    enum { MANY = 120 };
    (void)state;
    for (int round = 0; round < 8; round++) {
        struct rows one, two;
        struct world plain, paged, maker = {0};
        rows_init(&one);
        rows_init(&two);
        world_init_loader(&plain, all_rules, &one.loader, SIZE_MAX);
        world_init_loader(&paged, all_rules, &two.loader, 0);
        for (unsigned i = 0; i < MANY; i++) {
            struct say s = invent(&maker, i);
            plain.now = paged.now = DAY(i);
            if (i > 10 && below(8) == 0)
                s.cancels = arena_printf(&maker.arena, "i%u", below(i));
            enum screened said = world_say(&plain, &s);
            assert_int_equal(world_say(&paged, &s), said);
            if (below(4) == 0)
                take(&paged, &two);
            if (below(12) == 0) {
                take(&paged, &two);
                world_finish(&paged);
                world_init_loader(&paged, all_rules, &two.loader, 0);
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
        cmocka_unit_test(an_owner_who_fled_puts_his_other_firms_on_watch),
        cmocka_unit_test(what_is_withdrawn_binds_and_tells_nothing),
        cmocka_unit_test(a_name_takes_its_links_to_its_code),
        cmocka_unit_test(an_exercise_concerns_no_actual_enterprise),
        cmocka_unit_test(new_rules_reach_those_who_are_bound),
        cmocka_unit_test(projects_and_parents_bind),
        cmocka_unit_test(a_successor_takes_over_what_counts),
        cmocka_unit_test(a_subcontractor_counts_at_its_share),
        cmocka_unit_test(a_general_contractor_alone_falls_with_the_clock),
        cmocka_unit_test(several_of_a_town_raise_its_alert),
        cmocka_unit_test(an_enterprise_counts_where_it_works_and_where_it_is_registered),
        cmocka_unit_test(an_area_tells_that_it_grows_by_quarters),
        cmocka_unit_test(a_closed_area_comes_back_with_its_next_member),
        cmocka_unit_test(the_areas_of_one_enterprise_are_bounded),
        cmocka_unit_test(fewer_are_enough_under_new_rules),
        cmocka_unit_test(ten_thousand_members_stall_no_entry),
        cmocka_unit_test(of_too_many_links_the_latest_stay),
        cmocka_unit_test(many_links_of_one_enterprise_are_bounded),
        cmocka_unit_test(order_of_arrival_does_not_matter),
        cmocka_unit_test(a_stop_and_a_start_change_nothing),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
