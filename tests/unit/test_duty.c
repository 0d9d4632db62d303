/* SPDX-License-Identifier: Apache-2.0 */
/* Duties: when one begins and ends, what is told when nobody does it, how it is done, early, late, by hand, taken back; who
 * may say so; across stops, merges and new settings. And random histories against a slow account that asks each hour of
 * each enterprise what it owes. */
#include "engine/duty.h"

#include "engine/fold.h"
#include "lib/calendar.h"
#include "lib/workday.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"
#include "test.h"

#include <stdlib.h>

#define HOUR INT64_C(3600000)

static const char teams[] =
    "version: 1\ncovers: [\"330482\"]\n"
    "tiers:\n  - {id: town, zh: 镇, en: town}\n  - {id: county, zh: 县, en: county}\n  - {id: city, zh: 市, en: city}\n"
    "teams:\n"
    "  - {id: danghu, name: {zh: 当湖, en: danghu}, tier: town, regions: \"330482\"}\n"
    "  - {id: pinghu, name: {zh: 平湖, en: pinghu}, tier: county, regions: \"330482\"}\n"
    "  - {id: jiaxing, name: {zh: 嘉兴, en: jiaxing}, tier: city, regions: \"3304\"}\n";

static const char duties[] =
    "version: 1\n"
    "duties:\n"
    "  - {id: review, name: {zh: 书面审查, en: review}, for: {credit: C}, every: 183d, remind: 10d, tier: county,\n"
    "     done_by: labour.review_failed, escalate_after: 5wd}\n"
    "  - {id: site, name: {zh: 走访, en: visit}, for: {industry: [E], region: [\"330482\"]}, every: 30d, remind: 5d, tier: town,\n"
    "     done_by: [subdistrict.resumed, housing.paid_out], escalate_after: 3d}\n"
    "  - {id: watch, name: {zh: 关注, en: watch}, for: {tag: watched}, every: 3wd, tier: city}\n";

static const struct world_work all_work = {.teams = teams, .duties = duties};

/* 2026-04-15, 09:00 at +08:00, a Wednesday. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static void begin(struct world *w)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &all_work, morning() - DAY_MS);
}

static void profile(struct world *w, const char *uscc, const char *credit, const char *industry, const char *attrs, int64_t at)
{
    world_say(w, &(struct say){.kind = "registry.profile", .at = at, .uscc = uscc, .name = "甲公司", .region = "330482001",
                               .credit = credit, .industry = industry, .attrs = attrs});
}

/* "site:remind@25 danghu" of each event of a duty from `from` on; the number: days since the morning, rounded down. */
static const char *told(struct world *w, size_t from)
{
    char *s = arena_printf(&w->arena, "%s", "");
    for (size_t i = from; i < w->out.n; i++) {
        const struct event *ev = &w->out.events[i].ev;
        if (ev->type != EVENT_DUTY)
            continue;
        s = arena_printf(&w->arena, "%s%s%.*s:%s@%lld", s, *s ? "|" : "", SLICE_ARG(ev->duty), duty_step_wire(ev->step),
                         (long long)((ev->at - morning()) / DAY_MS));
        for (uint32_t k = 0; k < ev->n_teams; k++)
            s = arena_printf(&w->arena, "%s%c%.*s", s, k ? '+' : ' ', SLICE_ARG(ev->teams[k]));
    }
    return s;
}

static struct duty_row row_of(struct world *w, const char *uscc)
{
    struct ekey key = ekey_of_code(STATUS_ACTUAL, slice_of(uscc));
    struct slice v = state_get(w->engine->state, T_DUTY, key.b, EKEY_LEN);
    struct duty_row row = {.n = 0};
    struct err err;
    if (v.p)
        assert_int_equal(duty_row_get(arena_slice(&w->arena, v), &w->arena, &row, &err), 0);
    return row;
}

static enum wire_error done(struct world *w, const char *uscc, const char *duty, const char *ref, const char *team, int64_t at)
{
    struct entry_action x = world_action(0, "duty_done");
    x.key = ekey_of_code(STATUS_ACTUAL, slice_of(uscc));
    x.duty = slice_of(duty);
    x.ref = slice_of(ref);
    x.actor = SLICE("王");
    x.own_team = slice_of(team);
    x.role = team ? SLICE("inspector") : SLICE("operator");
    return world_act(w, &x, at);
}

/* ---- begins, told, ends ---- */

static void nobody_does_it(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    profile(&w, CODE_A, NULL, "E4710", NULL, morning());
    struct duty_row row = row_of(&w, CODE_A);
    assert_int_equal(row.n, 1);
    assert_int_equal(row.list[0].due, morning() + 30 * DAY_MS);
    assert_int_equal(row.list[0].since, morning());
    assert_string_equal(told(&w, 0), "");
    assert_int_equal(engine_next_due(w.engine), morning() + 25 * DAY_MS);
    world_tick(&w, morning() + 400 * DAY_MS);
    assert_string_equal(told(&w, 0), "site:remind@25 danghu|site:overdue@30 danghu|site:escalated@33 danghu+pinghu|"
                                     "site:escalated@36 danghu+pinghu+jiaxing");
    const struct event *ev = world_last(&w);
    assert_true(ev->type == EVENT_DUTY && ev->alert == 0 && slice_is(ev->uscc, CODE_A) && ev->n_places == 1);
    assert_int_equal(ev->due, morning() + 30 * DAY_MS);
    assert_int_equal(ev->tier, 2);
    assert_int_equal(ev->seq, engine_events(w.engine)); /* one numbering */
    world_finish(&w);
}

static void working_days(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    profile(&w, CODE_A, "C", NULL, "tag:watched=0", morning());
    /* three working days after a Wednesday: 24:00 of Monday 20 April */
    assert_int_equal(row_of(&w, CODE_A).list[1].due, civil_to_ms(2026, 4, 21, OFFSET_CHINA_MS));
    world_tick(&w, civil_to_ms(2026, 4, 21, OFFSET_CHINA_MS) - 1);
    assert_string_equal(told(&w, 0), "");
    world_tick(&w, morning() + 200 * DAY_MS);
    assert_string_equal(told(&w, 0), "watch:overdue@5 jiaxing|review:remind@173 pinghu|review:overdue@183 pinghu|"
                                     "review:escalated@190 pinghu+jiaxing");
    world_finish(&w);
}

static void ends_with_its_reason(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    profile(&w, CODE_A, "C", "E4710", NULL, morning());
    assert_int_equal(row_of(&w, CODE_A).n, 2);
    profile(&w, CODE_A, "B", NULL, NULL, morning() + 20 * DAY_MS); /* the grade is better */
    assert_int_equal(row_of(&w, CODE_A).n, 1);
    assert_true(slice_is(row_of(&w, CODE_A).list[0].duty, "site"));
    profile(&w, CODE_A, NULL, "C1810", NULL, morning() + 26 * DAY_MS); /* another trade, after the reminder */
    assert_int_equal(row_of(&w, CODE_A).n, 0);
    profile(&w, CODE_A, "C", NULL, NULL, morning() + 40 * DAY_MS); /* worse again: a new beginning */
    assert_int_equal(row_of(&w, CODE_A).list[0].since, morning() + 40 * DAY_MS);
    world_tick(&w, morning() + 215 * DAY_MS);
    assert_string_equal(told(&w, 0), "site:remind@25 danghu|review:remind@213 pinghu");
    world_finish(&w);
}

/* A tag that ends takes the duty with it at that moment, by the clock alone. */
static void ends_by_the_clock(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    profile(&w, CODE_A, NULL, NULL, arena_printf(&w.arena, "tag:watched=%lld", (long long)(morning() + 2 * DAY_MS)), morning());
    assert_int_equal(row_of(&w, CODE_A).n, 1);
    assert_int_equal(engine_next_due(w.engine), morning() + 2 * DAY_MS);
    world_tick(&w, morning() + 10 * DAY_MS);
    assert_int_equal(row_of(&w, CODE_A).n, 0);
    assert_string_equal(told(&w, 0), "");
    profile(&w, CODE_A, NULL, NULL, "tag:watched=0", morning() + 11 * DAY_MS);
    assert_int_equal(row_of(&w, CODE_A).n, 1);
    world_finish(&w);
}

static void not_for_exercises(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    world_say(&w, &(struct say){.kind = "registry.profile", .at = morning(), .uscc = CODE_A, .region = "330482", .industry = "E",
                                .credit = "C", .status = STATUS_EXERCISE});
    world_tick(&w, morning() + 200 * DAY_MS);
    assert_string_equal(told(&w, 0), "");
    world_finish(&w);
}

/* ---- done ---- */

static void visit(struct world *w, const char *uscc, const char *id, int64_t at, int64_t now)
{
    w->now = now;
    world_say(w, &(struct say){.kind = "subdistrict.resumed", .at = at, .uscc = uscc, .region = "330482001", .id = id});
    w->now = 0;
}

static void done_by_signals(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    visit(&w, CODE_A, "v0", morning() - DAY_MS, morning()); /* before it applied */
    profile(&w, CODE_A, NULL, "E4710", NULL, morning());
    assert_int_equal(row_of(&w, CODE_A).list[0].due, morning() + 30 * DAY_MS);
    visit(&w, CODE_A, "v1", morning() + 10 * DAY_MS, morning() + 12 * DAY_MS); /* early, heard of later */
    assert_int_equal(row_of(&w, CODE_A).list[0].due, morning() + 40 * DAY_MS);
    visit(&w, CODE_A, "v2", morning() + 5 * DAY_MS, morning() + 13 * DAY_MS); /* an older one: nothing new */
    visit(&w, CODE_A, "v3", morning() + 42 * DAY_MS, morning() + 42 * DAY_MS); /* late */
    assert_int_equal(row_of(&w, CODE_A).list[0].due, morning() + 72 * DAY_MS);
    assert_string_equal(told(&w, 0), "site:done@12 danghu|site:remind@35 danghu|site:overdue@40 danghu|"
                                     "site:done@42 danghu");
    world_finish(&w);
}

/* A visit that is withdrawn was none; what had passed by then is told at once. */
static void taken_back(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    profile(&w, CODE_A, NULL, "E4710", NULL, morning());
    visit(&w, CODE_A, "v1", morning() + 10 * DAY_MS, morning() + 10 * DAY_MS);
    world_tick(&w, morning() + 32 * DAY_MS);
    size_t from = w.out.n;
    w.now = morning() + 32 * DAY_MS;
    world_say(&w, &(struct say){.kind = "subdistrict.resumed", .at = w.now, .uscc = CODE_A, .cancels = "v1"});
    assert_string_equal(told(&w, from), "site:overdue@32 danghu");
    world_tick(&w, morning() + 36 * DAY_MS);
    assert_string_equal(told(&w, from), "site:overdue@32 danghu|site:escalated@35 danghu+pinghu");
    world_finish(&w);
}

static void reported_by_hand(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    profile(&w, CODE_A, "C", "E4710", NULL, morning());
    world_tick(&w, morning() + 34 * DAY_MS);
    size_t from = w.out.n;
    assert_int_equal(done(&w, CODE_A, "site", "R-1", "danghu", morning() + 34 * DAY_MS + HOUR), 0);
    assert_string_equal(told(&w, from), "site:done@34 danghu");
    const struct event *ev = world_last(&w);
    assert_true(slice_is(ev->principal, "pinghu") && slice_is(ev->actor, "王") && slice_is(ev->ref, "R-1"));
    assert_int_equal(ev->due, morning() + 64 * DAY_MS + HOUR);
    /* the same again, by whoever */
    assert_int_equal(done(&w, CODE_A, "site", "R-2", NULL, morning() + 34 * DAY_MS + 3 * HOUR), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "done already, on 2026-05-19, by 王"));
    assert_int_equal(done(&w, CODE_A, "site", "R-1", NULL, morning() + 50 * DAY_MS), WIRE_ERROR_WRONG_STATE);
    assert_non_null(strstr(w.out.sentence, "with ref R-1 already"));
    assert_int_equal(done(&w, CODE_A, "site", NULL, NULL, morning() + 50 * DAY_MS), 0);
    assert_int_equal(row_of(&w, CODE_A).list[1].due, morning() + 80 * DAY_MS);
    world_finish(&w);
}

static void who_may(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    profile(&w, CODE_A, NULL, "E4710", NULL, morning());
    assert_int_equal(done(&w, CODE_A, "site", NULL, "pinghu", morning() + HOUR), WIRE_ERROR_DENIED);
    assert_non_null(strstr(w.out.sentence, "by danghu or an operator; this principal is of team pinghu"));
    assert_int_equal(done(&w, CODE_A, "site", NULL, "", morning() + HOUR), WIRE_ERROR_DENIED);
    assert_int_equal(done(&w, CODE_A, "review", NULL, NULL, morning() + HOUR), WIRE_ERROR_BAD_FIELD);
    assert_non_null(strstr(w.out.sentence, "these do: site"));
    assert_int_equal(done(&w, CODE_B, "site", NULL, NULL, morning() + HOUR), WIRE_ERROR_BAD_FIELD);
    assert_non_null(strstr(w.out.sentence, "none applies"));
    world_tick(&w, morning() + 34 * DAY_MS); /* the county was called in: it may do it as well */
    assert_int_equal(done(&w, CODE_A, "site", NULL, "pinghu", morning() + 34 * DAY_MS), 0);
    struct entry_action no = world_action(0, "duty_done");
    no.may = 0;
    assert_int_equal(world_act(&w, &no, morning() + 34 * DAY_MS), WIRE_ERROR_DENIED);
    world_finish(&w);
}

/* ---- two that turn out to be one ---- */

static void merged(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    world_say(&w, &(struct say){.kind = "registry.profile", .at = morning(), .name = "乙公司", .region = "330482001", .industry = "E"});
    struct entry_action x = world_action(0, "duty_done");
    x.key = ekey_of_name(STATUS_ACTUAL, SLICE("乙公司"));
    x.duty = SLICE("site");
    x.role = SLICE("operator");
    x.ref = SLICE("R-9");
    assert_int_equal(world_act(&w, &x, morning() + 6 * DAY_MS), 0);
    size_t from = w.out.n;
    world_say(&w, &(struct say){.kind = "tax.arrears", .at = morning() + 7 * DAY_MS, .uscc = CODE_B, .name = "乙公司"});
    struct duty_row row = row_of(&w, CODE_B);
    assert_int_equal(row.n, 1);
    assert_int_equal(row.list[0].since, morning());
    assert_int_equal(row.list[0].due, morning() + 36 * DAY_MS);
    assert_true(slice_is(row.list[0].hand_ref, "R-9"));
    assert_null(state_get(w.engine->state, T_DUTY, x.key.b, EKEY_LEN).p);
    world_tick(&w, morning() + 37 * DAY_MS);
    assert_string_equal(told(&w, from), "site:remind@31 danghu|site:overdue@36 danghu"); /* once, and no news of old */
    world_finish(&w);
}

/* Both have it: the earlier beginning, the later doing. */
static void merged_both(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w);
    world_say(&w, &(struct say){.kind = "registry.profile", .at = morning(), .name = "乙公司", .region = "330482001", .industry = "E"});
    profile(&w, CODE_B, NULL, "E4710", NULL, morning() + DAY_MS);
    w.now = morning() + 6 * DAY_MS;
    world_say(&w, &(struct say){.kind = "housing.paid_out", .at = w.now, .name = "乙公司"});
    w.now = 0;
    size_t from = w.out.n;
    world_say(&w, &(struct say){.kind = "tax.arrears", .at = morning() + 7 * DAY_MS, .uscc = CODE_B, .name = "乙公司"});
    struct duty_row row = row_of(&w, CODE_B);
    assert_int_equal(row.n, 1);
    assert_int_equal(row.list[0].since, morning());
    assert_int_equal(row.list[0].due, morning() + 36 * DAY_MS);
    assert_string_equal(told(&w, from), ""); /* that it was done was told when it was */
    world_finish(&w);
}

/* ---- other settings ---- */

static void sweep(struct world *w, const char *const *codes, size_t n, int64_t at)
{
    struct ekey keys[4];
    for (size_t i = 0; i < n; i++)
        keys[i] = ekey_of_code(STATUS_ACTUAL, slice_of(codes[i]));
    for (size_t m = n;; m = 0) {
        buf_reset(&w->buf);
        entry_put_sweep(&w->buf, keys, m);
        world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, at);
        if (!m)
            return;
    }
}

static void new_settings(void **unused)
{
    (void)unused;
    static const char *const code[] = {CODE_A};
    struct world w;
    world_init(&w, NULL);
    profile(&w, CODE_A, NULL, "E4710", NULL, morning());
    assert_int_equal(row_of(&w, CODE_A).n, 0); /* none is configured */
    world_config_work(&w, NULL, &all_work, morning() + DAY_MS);
    sweep(&w, code, 1, morning() + DAY_MS);
    assert_int_equal(row_of(&w, CODE_A).list[0].since, morning() + DAY_MS);
    world_tick(&w, morning() + 32 * DAY_MS);
    static const char longer[] =
        "version: 1\nduties:\n  - {id: site, name: {zh: 走访, en: visit}, for: {industry: E}, every: 60d, remind: 5d, tier: county}\n";
    world_config_work(&w, NULL, &(struct world_work){.teams = teams, .duties = longer}, morning() + 33 * DAY_MS);
    sweep(&w, code, 1, morning() + 33 * DAY_MS);
    assert_int_equal(row_of(&w, CODE_A).list[0].due, morning() + 61 * DAY_MS);
    assert_false(row_of(&w, CODE_A).list[0].overdue);
    world_tick(&w, morning() + 62 * DAY_MS);
    assert_string_equal(told(&w, 0), "site:remind@26 danghu|site:overdue@31 danghu|site:remind@56 pinghu|site:overdue@61 pinghu");
    world_config_work(&w, NULL, &(struct world_work){.teams = teams}, morning() + 63 * DAY_MS);
    assert_int_equal(done(&w, CODE_A, "site", NULL, NULL, morning() + 63 * DAY_MS), WIRE_ERROR_BAD_FIELD); /* not swept yet */
    sweep(&w, code, 1, morning() + 63 * DAY_MS);
    assert_int_equal(row_of(&w, CODE_A).n, 0);
    assert_int_equal(engine_next_due(w.engine), INT64_MAX);
    world_finish(&w);
}

/* ---- mistakes ---- */

static const char *mistakes_of(struct arena *a, const char *work_teams, const char *text)
{
    struct world w;
    struct mistakes m = {.arena = a, .file = "rules.yaml"};
    struct settings *s;
    world_init(&w, NULL);
    const struct world_work work = {.teams = work_teams};
    const struct tree *t = world_settings_work(a, NULL, &work);
    struct tree *with = arena_copy(a, t, sizeof *t), *yaml = world_tree(a, text);
    tree_set(a, with, SLICE("duties"), yaml);
    int rc = settings_compile(with, &m, &s);
    const char *all = "";
    for (size_t i = 0; i < m.n; i++)
        all = arena_printf(a, "%s%s%s:%u:%u %s", all, i ? "\n" : "", m.list[i].part, m.list[i].line, m.list[i].column, m.list[i].sentence);
    assert_true((rc < 0) == (m.total > 0));
    settings_destroy(s);
    world_finish(&w);
    return all;
}

static void mistakes(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"version: 2\nduties: []\n", "duties:1:10 'version: 1' is needed"},
        {"version: 1\nduties: 3\n", "duties:2:9 duties: a list of at most 64"},
        {"version: 1\nduties:\n  - {id: a}\n", "duties:3:5 the key \"every\" is missing"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a}, for: {credit: C}, every: 1d, tier: town}\n", "duties:3:19 name: {zh: ..., en: ...}"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: D}, every: 1d, tier: town}\n", "the grades are A, B and C"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {}, every: 1d, tier: town}\n", "one of industry, credit, region, tag"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: C, every: 1d, tier: town}\n", "for: a map"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 0d, tier: town}\n", "every: how long"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 1d, tier: twon}\n", "no tier of the teams is called \"twon\""},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 9d, remind: 3wd, tier: town}\n", "remind: how long before"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 9d, remind: 9d, tier: town}\n", "due again before"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 9d, escalate_after: 1d, tier: city}\n", "no tier is above"},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 9d, done_by: [tax.arears], tier: town}\n",
         "duties:3:74 unknown kind \"tax.arears\""},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 9d, tier: town, evry: 1d}\n", "unknown key \"evry\""},
        {"version: 1\nduties:\n  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 9d, tier: town}\n"
         "  - {id: a, name: {zh: a, en: a}, for: {credit: C}, every: 9d, tier: town}\n", "two duties are called \"a\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena a = {0};
        const char *said = mistakes_of(&a, teams, cases[i].text);
        if (!strstr(said, cases[i].says))
            fail_msg("case %zu: \"%s\" is not in: %s", i, cases[i].says, said);
        arena_finish(&a);
    }
    struct arena a = {0};
    assert_non_null(strstr(mistakes_of(&a, NULL, "version: 1\nduties: []\n"), "configure 'teams' too"));
    assert_string_equal(mistakes_of(&a, teams, duties), "");
    arena_finish(&a);
}

/* ---- random histories against a slow account ---- */

enum { FIRMS = 3, DUTIES = 3, NEWS_MAX = 400, STEPS = 220 };

static const char *const codes[FIRMS] = {CODE_B, CODE_A, CODE_C}; /* in the order of their keys */

static uint64_t dice;

static unsigned below(unsigned n)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return (unsigned)(dice >> 11) % n;
}

/* What was said of a firm, whole. */
struct news {
    int64_t at;
    enum { SAID_PROFILE, SAID_VISIT, SAID_REVIEW } what;
    char credit, industry;     /* of a profile: 0: not said */
    int64_t tag_until;         /* 0: not said */
    bool gone;                 /* withdrawn */
    const char *id, *kind;
};

struct account {
    struct news news[NEWS_MAX];
    unsigned n;
    struct owed {
        bool applies, reminded, overdue;
        int64_t since, due, done, hand, overdue_at;
        unsigned called;
    } owed[DUTIES];
};

struct line {
    unsigned firm, duty, step, called;
    int64_t at, due;
};

struct slow {
    struct account firm[FIRMS];
    int64_t every_site;        /* days, as configured now */
    struct line lines[4000];
    unsigned n;
};

static bool works(int64_t day) /* from April 2026 on */
{
    static const char *const off[] = {"2026-05-01", "2026-05-04", "2026-05-05", "2026-06-19", "2026-09-25",
                                      "2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"};
    static const char *const on[] = {"2026-05-09", "2026-09-20", "2026-10-10"};
    int64_t ms;
    for (size_t i = 0; i < ARRAY_LEN(off); i++)
        if (time_parse(slice_of(off[i]), 0, &ms) && ms / DAY_MS == day)
            return false;
    for (size_t i = 0; i < ARRAY_LEN(on); i++)
        if (time_parse(slice_of(on[i]), 0, &ms) && ms / DAY_MS == day)
            return true;
    return (day + 3) % 7 < 5; /* day 0 was a Thursday */
}

static int64_t after_working_days(int64_t at, unsigned n)
{
    int64_t day = (at + OFFSET_CHINA_MS) / DAY_MS;
    while (n)
        n -= works(++day);
    return (day + 1) * DAY_MS - OFFSET_CHINA_MS;
}

static const char *const duty_ids[DUTIES] = {"review", "site", "watch"};
static bool fits(const struct account *a, unsigned duty, int64_t now)
{
    char credit = 0, industry = 0;
    int64_t until = 0;
    for (unsigned i = 0; i < a->n; i++) { /* profiles come in the order of their dates */
        const struct news *n = &a->news[i];
        credit = n->what == SAID_PROFILE && n->credit ? n->credit : credit;
        industry = n->what == SAID_PROFILE && n->industry ? n->industry : industry;
        until = n->what == SAID_PROFILE && n->tag_until ? n->tag_until : until;
    }
    return duty == 0 ? credit == 'C' : duty == 1 ? industry == 'E' : now < until;
}

static int64_t due_of(const struct slow *s, unsigned duty, int64_t from)
{
    return duty == 0 ? from + 183 * DAY_MS : duty == 1 ? from + s->every_site * DAY_MS : after_working_days(from, 3);
}

static void say(struct slow *s, unsigned firm, unsigned duty, unsigned step, int64_t now)
{
    const struct owed *o = &s->firm[firm].owed[duty];
    assert_true(s->n < ARRAY_LEN(s->lines));
    s->lines[s->n++] = (struct line){firm, duty, step, o->called, now, o->due};
}

/* The latest that it was done since it applies, from all that was said; 0: never. */
static int64_t done_at(const struct account *a, unsigned duty)
{
    const struct owed *o = &a->owed[duty];
    int64_t latest = o->hand;
    for (unsigned i = 0; i < a->n; i++) {
        const struct news *n = &a->news[i];
        bool counts = (duty == 0 && n->what == SAID_REVIEW) || (duty == 1 && n->what == SAID_VISIT);
        if (counts && !n->gone && n->at >= o->since && n->at > latest)
            latest = n->at;
    }
    return latest;
}

static void ask(struct slow *s, unsigned firm, unsigned duty, int64_t now)
{
    static const int64_t remind[DUTIES] = {10 * DAY_MS, 5 * DAY_MS, 0};
    struct account *a = &s->firm[firm];
    struct owed *o = &a->owed[duty];
    if (!fits(a, duty, now)) {
        *o = (struct owed){.applies = false};
        return;
    }
    if (!o->applies)
        *o = (struct owed){.applies = true, .since = now};
    int64_t done = done_at(a, duty), due = due_of(s, duty, done ? done : o->since);
    bool newly = done > o->done;
    if (due != o->due)
        *o = (struct owed){.applies = true, .since = o->since, .due = due, .hand = o->hand};
    o->done = done;
    if (newly)
        say(s, firm, duty, DUTY_DONE, now);
    if (remind[duty] && !o->reminded && now >= due - remind[duty] && now < due) {
        o->reminded = true;
        say(s, firm, duty, DUTY_REMIND, now);
    }
    if (!o->overdue && now >= due) {
        o->overdue = o->reminded = true;
        o->overdue_at = now;
        say(s, firm, duty, DUTY_OVERDUE, now);
    }
    /* county after 5 working days, city never (review: from the county up, so once); site: 3 days each */
    int64_t next = !o->overdue ? INT64_MAX : duty == 0 && o->called < 1 ? after_working_days(o->overdue_at, 5)
                   : duty == 1 && o->called < 2 ? o->overdue_at + 3 * DAY_MS : INT64_MAX;
    if (now >= next) {
        o->called++;
        o->overdue_at = now; /* each tier's own time */
        say(s, firm, duty, DUTY_ESCALATED, now);
    }
}

/* Hour by hour. */
static void pass(struct slow *s, int64_t from, int64_t to)
{
    for (int64_t t = from + HOUR; t <= to; t += HOUR)
        for (unsigned f = 0; f < FIRMS; f++)
            for (unsigned d = 0; d < DUTIES; d++)
                ask(s, f, d, t);
}

static void ask_firm(struct slow *s, unsigned firm, int64_t now)
{
    for (unsigned d = 0; d < DUTIES; d++)
        ask(s, firm, d, now);
}

static struct news *note(struct account *a)
{
    assert_true(a->n < NEWS_MAX);
    return &a->news[a->n++];
}

static void tell_profile(struct world *w, struct slow *s, unsigned firm, int64_t now)
{
    struct news *n = note(&s->firm[firm]);
    *n = (struct news){.at = now, .what = SAID_PROFILE, .credit = "\0ABC"[below(4)], .industry = "\0CEE"[below(4)]};
    if (below(3) == 0)
        n->tag_until = now + (int64_t)(1 + below(20 * 24)) * HOUR;
    char credit[] = {n->credit, 0}, industry[] = {n->industry, 0};
    profile(w, codes[firm], n->credit ? credit : NULL, n->industry ? industry : NULL,
            n->tag_until ? arena_printf(&w->arena, "tag:watched=%lld", (long long)n->tag_until) : NULL, now);
}

static void tell_done(struct world *w, struct slow *s, unsigned firm, int64_t now)
{
    struct news *n = note(&s->firm[firm]);
    bool review = below(3) == 0;
    int64_t back = below(3) ? 0 : (int64_t)below(40 * 24) * HOUR;
    *n = (struct news){.at = now - back, .what = review ? SAID_REVIEW : SAID_VISIT,
                       .kind = review ? "labour.review_failed" : below(2) ? "subdistrict.resumed" : "housing.paid_out",
                       .id = arena_printf(&w->arena, "d%u", ++w->ids)};
    w->now = now;
    world_say(w, &(struct say){.kind = n->kind, .at = n->at, .uscc = codes[firm], .region = "330482001", .id = n->id});
    w->now = 0;
}

static void take_back(struct world *w, struct slow *s, unsigned firm, int64_t now)
{
    struct account *a = &s->firm[firm];
    struct news *n = a->n ? &a->news[below(a->n)] : NULL;
    if (!n || n->what == SAID_PROFILE || n->gone)
        return;
    n->gone = true;
    w->now = now;
    world_say(w, &(struct say){.kind = n->kind, .at = now, .uscc = codes[firm], .cancels = n->id});
    w->now = 0;
}

static void report(struct world *w, struct slow *s, unsigned firm, int64_t now)
{
    unsigned duty = below(DUTIES);
    struct owed *o = &s->firm[firm].owed[duty];
    int64_t day = (now + OFFSET_CHINA_MS) / DAY_MS;
    bool right = o->applies && (!o->done || (o->done + OFFSET_CHINA_MS) / DAY_MS < day);
    enum wire_error said = done(w, codes[firm], duty_ids[duty], NULL, NULL, now);
    assert_int_equal(said, right ? 0 : o->applies ? WIRE_ERROR_WRONG_STATE : WIRE_ERROR_BAD_FIELD);
    if (right)
        o->hand = now;
}

static void configure(struct world *w, struct slow *s, int64_t now)
{
    s->every_site = s->every_site == 30 ? 45 : 30;
    char *text = arena_printf(&w->arena, "%s", duties), *at = strstr(text, "every: 30d");
    memcpy(at + 7, s->every_site == 30 ? "30" : "45", 2);
    world_config_work(w, NULL, &(struct world_work){.teams = teams, .duties = text}, now);
    sweep(w, codes, FIRMS, now);
    for (unsigned f = 0; f < FIRMS; f++)
        if (s->firm[f].n) /* nobody knows the others yet */
            ask_firm(s, f, now);
}

/* What both say, line by line. */
static void compare(const struct world *w, const struct slow *s, uint64_t seed)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->out.n; i++) {
        const struct event *ev = &w->out.events[i].ev;
        if (ev->type != EVENT_DUTY)
            continue;
        const struct line *l = &s->lines[n];
        bool same = n < s->n && slice_is(ev->uscc, codes[l->firm]) && slice_is(ev->duty, duty_ids[l->duty]) && ev->step == l->step &&
                    ev->at == l->at && ev->due == l->due && ev->n_teams == l->called + 1;
        if (!same)
            fail_msg("seed %llu, line %u: the fold says %.*s %.*s %s at %lld due %lld (%u teams), the account %s %s %s at %lld due %lld (%u)",
                     (unsigned long long)seed, n, SLICE_ARG(ev->uscc), SLICE_ARG(ev->duty), duty_step_wire(ev->step), (long long)ev->at,
                     (long long)ev->due, ev->n_teams, n < s->n ? codes[l->firm] : "-", n < s->n ? duty_ids[l->duty] : "-",
                     n < s->n ? duty_step_wire(l->step) : "-", n < s->n ? (long long)l->at : 0, n < s->n ? (long long)l->due : 0,
                     n < s->n ? l->called + 1 : 0);
        n++;
    }
    if (n != s->n)
        fail_msg("seed %llu: the fold says %u lines, the account %u", (unsigned long long)seed, n, s->n);
}

static void step(struct world *w, struct slow *s, int64_t now)
{
    unsigned firm = below(FIRMS), what = below(20);
    if (what < 5)
        tell_profile(w, s, firm, now);
    else if (what < 11)
        tell_done(w, s, firm, now);
    else if (what < 13)
        take_back(w, s, firm, now);
    else if (what < 17)
        report(w, s, firm, now);
    else if (what == 17)
        configure(w, s, now);
    else
        world_tick(w, now);
    ask_firm(s, firm, now);
}

static void take(struct rows *rows, struct rows *also, struct world *w)
{
    struct checkpoint *c = engine_checkpoint(w->engine);
    rows_take(rows, c);
    if (also)
        rows_take(also, c);
    engine_committed(w->engine, c);
}

/* The rest of a history on both worlds; w has it whole. */
static void live(struct world *w, struct world *again, struct slow *s, unsigned steps, int64_t *now)
{
    for (unsigned i = 0; i < steps; i++) {
        int64_t then = *now + (int64_t)(1 + below(below(8) ? 60 : 24 * 60)) * HOUR;
        pass(s, *now, then);
        uint64_t before = dice;
        if (again) {
            static struct slow other; /* its account is not looked at */
            other = *s;
            step(again, &other, then);
            dice = before;
        }
        step(w, s, then);
        *now = then;
    }
}

static void random_histories(void **unused)
{
    (void)unused;
    const char *given = getenv("WAGEWARN_SEED");
    unsigned steps_told[DUTY_STEP_COUNT] = {0};
    for (uint64_t seed = given ? strtoull(given, NULL, 10) : 1; seed <= (given ? strtoull(given, NULL, 10) : 30); seed++) {
        struct world w, again;
        struct rows half, whole;
        struct slow *s = calloc(1, sizeof *s);
        int64_t now = morning();
        dice = seed * UINT64_C(0x9e3779b97f4a7c15);
        s->every_site = 30;
        rows_init(&half);
        rows_init(&whole);
        world_init_loader(&w, NULL, &whole.loader, 1 << 24);
        world_config_work(&w, NULL, &all_work, morning() - DAY_MS);
        live(&w, NULL, s, STEPS / 2, &now);
        take(&whole, &half, &w); /* a stop and a start: what follows is the same */
        world_init_loader(&again, NULL, &half.loader, 0);
        again.ids = w.ids;
        size_t had = w.out.n;
        live(&w, &again, s, STEPS / 2, &now);
        compare(&w, s, seed);
        assert_int_equal(w.out.n - had, again.out.n);
        for (size_t i = 0; i < again.out.n; i++)
            if (!slice_eq(w.out.events[had + i].bytes, again.out.events[i].bytes))
                fail_msg("seed %llu: after a stop, event %zu is %s, not %s", (unsigned long long)seed, i,
                         event_wire(again.out.events[i].ev.type), event_wire(w.out.events[had + i].ev.type));
        take(&half, NULL, &again);
        take(&whole, NULL, &w);
        if (rows_differ(&whole, &half))
            fail_msg("seed %llu: %s", (unsigned long long)seed, rows_differ(&whole, &half));
        for (unsigned i = 0; i < s->n; i++)
            steps_told[s->lines[i].step]++;
        world_finish(&again);
        world_finish(&w);
        rows_finish(&half);
        rows_finish(&whole);
        free(s);
    }
    for (unsigned i = DUTY_REMIND; i < DUTY_STEP_COUNT; i++)
        assert_true(given || steps_told[i] > 20); /* the histories come to all of them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_does_it),    cmocka_unit_test(working_days),   cmocka_unit_test(ends_with_its_reason),
        cmocka_unit_test(ends_by_the_clock), cmocka_unit_test(not_for_exercises), cmocka_unit_test(done_by_signals),
        cmocka_unit_test(taken_back),        cmocka_unit_test(reported_by_hand), cmocka_unit_test(who_may),
        cmocka_unit_test(merged),            cmocka_unit_test(merged_both), cmocka_unit_test(new_settings),   cmocka_unit_test(mistakes),
        cmocka_unit_test(random_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
