/* SPDX-License-Identifier: Apache-2.0 */
/* What evidence, settings and a merge do to an alert: what opens it again, what becomes of its measures, of the work of two
 * that are one, who comes to hear of it, and how often rules take it up a tier. */
#include "engine/fold.h"
#include "lib/calendar.h"
#include "tests/support/rows.h"
#include "tests/support/world.h"
#include "test.h"

#include <stdio.h>

#define HOUR        INT64_C(3600000)
#define SAY(w, ...) world_say((w), &(struct say){.region = "330482001", __VA_ARGS__})
#define BY_NAME     "某厂"

static const char deadlines[] = "version: 1\n"
                                "accept: {general: 0wd, major: 0wd, critical: 2h}\n"
                                "verify: {general: 10d, major: 7d, critical: 1d}\n"
                                "close: {general: 60wd, major: 60wd, critical: 60wd}\n"
                                "unattended: {general: 3wd, major: 3wd, critical: 3wd}\n"
                                "extend: 5wd\nhold_most: 20d\nsnooze_most: 30d\n"
                                "follow_up: {after: 30d, share: 0}\n"
                                "settles: {paid: [subdistrict.wages_paid]}\n";

static const char measures[] = "version: 1\nmeasures:\n"
                               "  - id: order\n    name: {zh: 指令书, en: order}\n    due: 3wd\n"
                               "    silence: labour.order_disobeyed\n    answered_by: [labour.order_obeyed]\n";

static const char teams[] =
    "version: 1\ncovers: [\"330482\"]\n"
    "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n"
    "  - {id: county, zh: 县, en: county, escalate_after: 2wd}\n  - {id: city, zh: 市, en: city}\n"
    "joins: {general: town, major: town, critical: town}\n"
    "teams:\n"
    "  - {id: danghu, name: {zh: 当湖, en: danghu}, tier: town, regions: \"330482001\"}\n"
    "  - {id: towns, name: {zh: 其他, en: others}, tier: town, regions: \"330482\"}\n"
    "  - {id: pinghu, name: {zh: 平湖, en: pinghu}, tier: county, regions: \"330482\"}\n"
    "  - {id: jiaxing, name: {zh: 嘉兴, en: jiaxing}, tier: city, regions: \"3304\"}\n"
    "  - {id: beilun, name: {zh: 北仑, en: beilun}, tier: town, regions: \"330206\"}\n";

static const struct world_work all_work = {.teams = teams, .measures = measures, .deadlines = deadlines};

/* Wednesday 2026-04-15, 09:00 at +08:00. */
static int64_t morning(void)
{
    return civil_to_ms(2026, 4, 15, OFFSET_CHINA_MS) + 9 * HOUR;
}

static int64_t day_end(int month, int day)
{
    return civil_to_ms(2026, month, day, OFFSET_CHINA_MS) + DAY_MS;
}

static void begin(struct world *w, const char *rules)
{
    world_init(w, rules);
    world_config_work(w, rules, &all_work, morning() - DAY_MS);
    w->now = morning();
}

/* A major alert, number 1: three agencies. */
static void begin_major(struct world *w)
{
    begin(w, NULL);
    SAY(w, .kind = "subdistrict.wage_delay", .at = morning(), .uscc = CODE_A);
    SAY(w, .kind = "hotline.complaint", .at = morning(), .uscc = CODE_A);
    SAY(w, .kind = "tax.arrears", .at = morning(), .uscc = CODE_A);
}

static struct alert alert_of(struct world *w, uint64_t number)
{
    struct alert a;
    assert_true(alert_load(w->engine, number, &a));
    return a;
}

static uint64_t done(struct world *w, struct entry_action x, int64_t at)
{
    enum wire_error refused = world_act(w, &x, at);
    if (refused)
        fail_msg("%.*s: %s", SLICE_ARG(x.what), w->out.sentence);
    return w->number;
}

/* With whatever a step may want. */
static uint64_t act(struct world *w, uint64_t alert, const char *what, const char *word, int64_t at)
{
    struct entry_action x = world_action(alert, what);
    x.finding = x.outcome = x.team = slice_of(word);
    x.measure = SLICE("order");
    x.has_note = true;
    x.until = at + 2 * DAY_MS;
    x.paid_people = 3;
    x.paid_amount = 100000;
    w->now = at;
    return done(w, x, at);
}

static uint64_t undo(struct world *w, uint64_t entry, int64_t at)
{
    struct entry_action x = world_action(1, "correct");
    x.undo = entry;
    w->now = at;
    return done(w, x, at);
}

static void close_it(struct world *w, uint64_t alert, const char *outcome, int64_t at)
{
    act(w, alert, "accept", "", at);
    act(w, alert, "verify", "confirmed", at);
    act(w, alert, "close", outcome, at);
}

static unsigned told(const struct world *w, enum event_type type)
{
    unsigned n = 0;
    for (size_t i = 0; i < w->out.n; i++)
        n += w->out.events[i].ev.type == type;
    return n;
}

static bool is_for(const struct event *ev, const char *team)
{
    for (uint32_t i = 0; i < ev->n_teams; i++)
        if (slice_is(ev->teams[i], team))
            return true;
    return false;
}

static void sweep(struct world *w, const char *code)
{
    struct ekey key = ekey_of_code(STATUS_ACTUAL, slice_of(code));
    buf_reset(&w->buf);
    entry_put_sweep(&w->buf, &key, 1);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, w->now);
}

/* ---- what opens it again ---- */

/* A register load, good news and what is taken back open nothing; evidence does. */
static void only_evidence_opens_it_again(void **unused)
{
    (void)unused;
    struct world w;
    begin_major(&w);
    SAY(&w, .id = "one", .kind = "court.wage_suit", .at = morning(), .uscc = CODE_A);
    close_it(&w, 1, "other", morning() + HOUR);
    size_t had = w.out.n;
    w.now = morning() + 2 * HOUR;
    SAY(&w, .kind = "registry.profile", .at = w.now, .uscc = CODE_A, .credit = "C");
    SAY(&w, .kind = "bank.wage_account_funded", .at = w.now, .uscc = CODE_A);
    SAY(&w, .kind = "court.wage_suit", .at = w.now, .uscc = CODE_A, .cancels = "one");
    world_tick(&w, morning() + 2 * DAY_MS);
    assert_int_equal(w.out.n, had);
    assert_int_equal(alert_of(&w, 1).state, ALERT_STATE_CLOSED);
    SAY(&w, .kind = "utility.bill_overdue", .at = w.now, .uscc = CODE_A);
    assert_int_equal(world_last(&w)->type, EVENT_REOPENED);
    assert_int_equal(world_last(&w)->alert, 1);
    world_finish(&w);
}

/* A mistaken clearing closed it; that it is withdrawn is news. */
static void a_clearing_that_is_withdrawn_opens_it(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, NULL);
    SAY(&w, .kind = "subdistrict.wage_delay", .at = morning(), .uscc = CODE_A);
    SAY(&w, .id = "paid", .kind = "subdistrict.wages_paid", .at = morning() + HOUR, .uscc = CODE_A);
    assert_int_equal(world_last(&w)->type, EVENT_WITHDRAWN);
    SAY(&w, .kind = "subdistrict.wages_paid", .at = morning() + HOUR, .uscc = CODE_A, .cancels = "paid");
    assert_int_equal(world_last(&w)->type, EVENT_REOPENED);
    world_finish(&w);
}

static const char low_rules[] = "version: 1\n"
                                "score:\n  levels: {general: 2, major: 65, critical: 85}\n  hysteresis: 1\n"
                                "rules:\n"
                                "  - {id: score, title: {zh: 评分, en: score}, when: {score: follow}, then: {raise: by_score}}\n";

/* What came after the close and was withdrawn never came: other settings open by what is left of it. */
static void withdrawn_evidence_is_no_news(void **unused)
{
    (void)unused;
    for (int withdrawn = 0; withdrawn < 2; withdrawn++) {
        struct world w;
        begin_major(&w);
        close_it(&w, 1, "paid", morning() + HOUR);
        SAY(&w, .id = "late", .kind = "utility.bill_overdue", .at = morning() - DAY_MS, .uscc = CODE_A);
        if (withdrawn)
            SAY(&w, .kind = "utility.bill_overdue", .at = morning(), .uscc = CODE_A, .cancels = "late");
        SAY(&w, .kind = "registry.profile", .at = morning(), .uscc = CODE_A);
        assert_int_equal(alert_of(&w, 1).state, ALERT_STATE_CLOSED);
        world_config_work(&w, low_rules, &all_work, w.now);
        sweep(&w, CODE_A);
        assert_int_equal(alert_of(&w, 1).state, withdrawn ? ALERT_STATE_CLOSED : ALERT_STATE_OPEN);
        world_finish(&w);
    }
}

/* Whoever was paid is called back although it came back meanwhile, but not when the close itself was none. */
static void a_call_that_is_due_stays_due(void **unused)
{
    (void)unused;
    for (int by_hand = 0; by_hand < 2; by_hand++) {
        struct world w;
        begin_major(&w);
        close_it(&w, 1, "paid", morning());
        w.now = morning() + 10 * DAY_MS;
        if (by_hand)
            act(&w, 1, "reopen", "", w.now);
        else
            SAY(&w, .kind = "labour.order_disobeyed", .at = w.now, .uscc = CODE_A);
        assert_int_equal(told(&w, EVENT_REOPENED), 1);
        world_tick(&w, morning() + 29 * DAY_MS);
        assert_int_equal(told(&w, EVENT_FOLLOW_UP), 0);
        world_tick(&w, morning() + 31 * DAY_MS);
        assert_int_equal(told(&w, EVENT_FOLLOW_UP), !by_hand);
        world_finish(&w);
    }
}

/* Of a random history: what was sent, and what of it is still as it was. */
struct sent {
    char id[12];
    const char *kind;
    int what; /* 0 evidence, 1 good news, 2 the register */
    uint64_t entry;
    bool withdrawn;
};

struct history {
    struct world w;
    struct rows rows;
    struct sent sent[400];
    int n;
    uint64_t unclearing, chance;
};

static unsigned roll(struct history *h, unsigned n)
{
    h->chance = sig_mix(h->chance + UINT64_C(0x9e3779b97f4a7c15));
    return (unsigned)(h->chance % n);
}

/* By what was journalled after an entry. */
static bool is_news(const struct history *h, uint64_t closed)
{
    bool any = h->unclearing > closed;
    for (int i = 0; i < h->n; i++)
        any |= h->sent[i].what == 0 && !h->sent[i].withdrawn && h->sent[i].entry > closed;
    return any;
}

static void send_one(struct history *h)
{
    static const char *const kinds[] = {"subdistrict.wage_delay", "hotline.complaint",      "tax.arrears",
                                        "court.wage_suit",        "utility.bill_overdue",   "labour.arbitration_filed",
                                        "subdistrict.wages_paid", "labour.order_obeyed",    "tax.settled",
                                        "registry.profile",       "registry.profile"};
    unsigned k = roll(h, ARRAY_LEN(kinds));
    struct sent *s = &h->sent[h->n];
    *s = (struct sent){.kind = kinds[k], .what = k < 6 ? 0 : k < 9 ? 1 : 2};
    snprintf(s->id, sizeof s->id, "s%d", h->n++);
    SAY(&h->w, .id = s->id, .kind = s->kind, .at = h->w.now - roll(h, 20) * DAY_MS, .uscc = CODE_A);
    s->entry = h->w.number;
}

static void withdraw_one(struct history *h)
{
    struct sent *s = &h->sent[roll(h, (unsigned)h->n)];
    bool was = s->withdrawn;
    if (SAY(&h->w, .kind = s->kind, .at = h->w.now, .uscc = CODE_A, .cancels = s->id) != SCREEN_NEW || was)
        return;
    s->withdrawn = true;
    h->unclearing = s->what == 1 ? h->w.number : h->unclearing;
}

static void restart(struct history *h)
{
    struct err err;
    struct checkpoint *cp = engine_checkpoint(h->w.engine);
    if (cp) {
        rows_take(&h->rows, cp);
        engine_committed(h->w.engine, cp);
    }
    engine_destroy(h->w.engine);
    assert_int_equal(engine_create(&h->w.engine, &h->rows.loader, 0, &err), 0);
}

static void live_on(struct history *h, const struct alert *a)
{
    switch (roll(h, 10)) {
    case 0:
        world_tick(&h->w, h->w.now += roll(h, 40) * DAY_MS);
        return;
    case 1:
        restart(h);
        return;
    case 2:
        if (a && a->state == ALERT_STATE_OPEN)
            close_it(&h->w, a->number, "other", h->w.now);
        return;
    case 3:
    case 4:
        withdraw_one(h);
        return;
    default:
        send_one(h);
    }
}

/* It is open again exactly where a level is reached and there is news, however late, doubled or withdrawn that is, and
 * whatever stops there were. */
static void news_alone_opens_it_again(void **unused)
{
    (void)unused;
    static struct history h;
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    unsigned again = 0, shut = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        h = (struct history){.chance = seed};
        rows_init(&h.rows);
        begin(&h.w, NULL);
        send_one(&h);
        while (h.n < (int)ARRAY_LEN(h.sent) - 1) {
            const struct record *c = world_record(&h.w, &key);
            struct alert before = {0};
            bool had = c->alert && alert_load(h.w.engine, c->alert, &before), was_closed = had && !c->alert_open;
            live_on(&h, had ? &before : NULL);
            c = world_record(&h.w, &key);
            if (was_closed && c->alert_open && !is_news(&h, before.closed_entry))
                fail_msg("seed %d, %d sent: opened again by no news", (int)seed, h.n);
            again += was_closed && c->alert_open;
            if (!c->alert || c->alert_open || !c->level)
                continue;
            shut++;
            assert_true(alert_load(h.w.engine, c->alert, &before));
            if (is_news(&h, before.closed_entry))
                fail_msg("seed %d, %d sent: news did not open it again", (int)seed, h.n);
        }
        world_finish(&h.w);
        rows_finish(&h.rows);
    }
    assert_true(again > 30 && shut > 30);
}

/* ---- measures ---- */

static void begin_order(struct world *w, uint64_t *disposed)
{
    begin_major(w);
    act(w, 1, "accept", "", morning());
    act(w, 1, "verify", "confirmed", morning());
    *disposed = act(w, 1, "dispose", "", morning()); /* to the end of Monday the 20th */
}

/* Nobody is silent about what is not owed; that finding taken back, the order runs again. */
static void silence_ends_with_the_case(void **unused)
{
    (void)unused;
    struct world w;
    uint64_t disposed;
    begin_order(&w, &disposed);
    uint64_t verified = act(&w, 1, "verify", "unfounded", morning() + HOUR);
    world_tick(&w, day_end(4, 21));
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_ENDED);
    undo(&w, verified, day_end(4, 21));
    world_tick(&w, day_end(4, 22));
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_SILENT);
    world_finish(&w);
}

/* An order to the wrong firm ran out: with the order its silence is taken back, and the level that came of it. */
static void a_mistaken_order_was_never_silent(void **unused)
{
    (void)unused;
    struct world w;
    uint64_t disposed;
    begin_order(&w, &disposed);
    uint32_t before = alert_of(&w, 1).score;
    world_tick(&w, day_end(4, 20));
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_SILENT);
    assert_true(alert_of(&w, 1).score > before);
    undo(&w, disposed, day_end(4, 20) + HOUR);
    assert_int_equal(alert_of(&w, 1).h.n_taken, 0);
    assert_true(alert_of(&w, 1).score <= before);
    world_finish(&w);
}

/* Many agencies date by the day: what came after the order and bears its day answers it, what came before does not. */
static void an_answer_of_the_same_day(void **unused)
{
    (void)unused;
    for (int after = 0; after < 2; after++) {
        struct world w;
        uint64_t disposed;
        if (after) {
            begin_order(&w, &disposed);
            SAY(&w, .kind = "labour.order_obeyed", .at = morning() - 9 * HOUR, .uscc = CODE_A);
        } else {
            begin_major(&w);
            SAY(&w, .kind = "labour.order_obeyed", .at = morning() - 9 * HOUR, .uscc = CODE_A);
            act(&w, 1, "accept", "", morning());
            act(&w, 1, "verify", "confirmed", morning());
            act(&w, 1, "dispose", "", morning());
        }
        world_tick(&w, day_end(4, 20));
        assert_int_equal(alert_of(&w, 1).h.taken[0].state, after ? TAKEN_ANSWERED : TAKEN_SILENT);
        world_finish(&w);
    }
}

/* ---- two that are one ---- */

static void bind(struct world *w)
{
    world_say(w, &(struct say){.kind = "registry.profile", .at = w->now, .uscc = CODE_A, .name = BY_NAME});
}

/* The older one, number 1, nobody looked at; the younger one is worked. */
static uint64_t begin_two(struct world *w)
{
    begin(w, NULL);
    SAY(w, .kind = "subdistrict.wage_delay", .at = morning(), .uscc = CODE_A);
    world_say(w, &(struct say){.kind = "subdistrict.wage_delay", .at = morning(), .name = BY_NAME, .region = "330482002"});
    assert_int_equal(world_last(w)->type, EVENT_RAISED);
    return world_last(w)->alert;
}

static void a_merge_keeps_the_work(void **unused)
{
    (void)unused;
    struct world w;
    uint64_t younger = begin_two(&w);
    act(&w, younger, "accept", "", morning());
    act(&w, younger, "assign", "towns", morning());
    act(&w, younger, "join", "jiaxing", morning());
    act(&w, younger, "escalate", "", morning());
    act(&w, younger, "verify", "confirmed", morning());
    act(&w, younger, "extend", "", morning());
    act(&w, younger, "hold", "", morning());
    struct alert was = alert_of(&w, younger);
    size_t had = w.out.n;
    bind(&w);
    assert_int_equal(w.out.n, had + 2);
    const struct event *gone = &w.out.events[had].ev, *stays = world_last(&w);
    assert_true(gone->type == EVENT_WITHDRAWN && gone->alert == younger && gone->merged_into == 1);
    assert_true(stays->alert == 1 && stays->type == EVENT_EVIDENCE && stays->state == ALERT_STATE_VERIFIED && stays->tier == 1);
    assert_true(is_for(stays, "towns") && is_for(stays, "jiaxing") && is_for(stays, "pinghu"));
    struct alert now = alert_of(&w, 1);
    assert_true(now.finding == FINDING_CONFIRMED && slice_is(now.team, "towns"));
    assert_true(now.due == was.due && now.h.extended == 1 && now.h.held_until == was.h.held_until);
    assert_true(now.h.verified_at == was.h.verified_at && now.h.accepted_at == was.h.accepted_at);
    struct ekey key = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    const struct record *c = world_record(&w, &key);
    assert_true(c->finding == FINDING_CONFIRMED && c->n_finding_kinds == 1);
    act(&w, 1, "dispose", "", morning() + HOUR); /* it goes on */
    world_finish(&w);
}

/* The older one had come further: nothing of it is lost to the younger. */
static void a_merge_goes_by_the_further_one(void **unused)
{
    (void)unused;
    struct world w;
    uint64_t younger = begin_two(&w);
    act(&w, 1, "accept", "", morning());
    act(&w, 1, "verify", "unfounded", morning());
    act(&w, younger, "accept", "", morning());
    act(&w, younger, "escalate", "", morning());
    struct alert was = alert_of(&w, 1);
    bind(&w);
    struct alert now = alert_of(&w, 1);
    assert_true(now.state == ALERT_STATE_VERIFIED && now.finding == FINDING_UNFOUNDED && now.due == was.due);
    assert_int_equal(now.h.tier, 1);
    struct entry_action x = world_action(1, "correct");
    x.undo = was.h.undo_entry;
    assert_int_equal(world_act(&w, &x, w.now), WIRE_ERROR_WRONG_STATE); /* a step is undone where it was done */
    world_finish(&w);
}

/* A measure that ran out under the name, and an answer that comes late under the code. */
static void a_silence_goes_along(void **unused)
{
    (void)unused;
    struct world w;
    uint64_t younger = begin_two(&w);
    act(&w, younger, "accept", "", morning());
    act(&w, younger, "verify", "confirmed", morning());
    act(&w, younger, "dispose", "", morning());
    world_tick(&w, day_end(4, 20));
    assert_int_equal(alert_of(&w, younger).h.taken[0].state, TAKEN_SILENT);
    w.now = day_end(4, 21);
    bind(&w);
    struct ekey name = ekey_of_name(STATUS_ACTUAL, SLICE(BY_NAME));
    assert_null(world_record(&w, &name)); /* the fold's own signal follows the name */
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_SILENT);
    uint32_t before = alert_of(&w, 1).score;
    SAY(&w, .kind = "labour.order_obeyed", .at = day_end(4, 17), .uscc = CODE_A);
    assert_int_equal(alert_of(&w, 1).h.taken[0].state, TAKEN_ANSWERED);
    assert_true(alert_of(&w, 1).score < before);
    world_finish(&w);
}

/* Closed under the name: when its code comes it is the same case still, and news opens it again. */
static void a_closed_one_goes_along(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, NULL);
    world_say(&w, &(struct say){.kind = "subdistrict.wage_delay", .at = morning(), .name = BY_NAME, .region = "330482001"});
    close_it(&w, 1, "paid", morning());
    w.now = morning() + 10 * DAY_MS;
    size_t had = w.out.n;
    bind(&w);
    assert_int_equal(w.out.n, had);
    assert_true(slice_is(alert_of(&w, 1).uscc, CODE_A));
    world_tick(&w, morning() + 31 * DAY_MS);
    assert_int_equal(told(&w, EVENT_FOLLOW_UP), 1);
    SAY(&w, .kind = "subdistrict.gathering", .at = w.now, .uscc = CODE_A, .people = 5);
    SAY(&w, .kind = "hotline.group_complaint", .at = w.now, .uscc = CODE_A);
    assert_int_equal(told(&w, EVENT_RAISED), 1);
    assert_int_equal(told(&w, EVENT_REOPENED), 1);
    world_finish(&w);
}

/* ---- who hears of it ---- */

static void a_registered_place_learnt_late(void **unused)
{
    (void)unused;
    struct world w;
    begin_major(&w);
    size_t had = w.out.n;
    world_say(&w, &(struct say){.kind = "registry.profile", .at = w.now, .uscc = CODE_A, .region = "330206"});
    assert_int_equal(w.out.n, had + 1);
    const struct event *ev = world_last(&w);
    assert_true(ev->type == EVENT_JOINED && ev->principal.n == 0 && slice_is(ev->team, "beilun") && is_for(ev, "beilun"));
    assert_int_equal(alert_of(&w, 1).region, region_of(SLICE("330206")));
    world_say(&w, &(struct say){.kind = "registry.profile", .at = w.now, .uscc = CODE_A, .region = "330206"});
    assert_int_equal(w.out.n, had + 1); /* said again each month */
    world_finish(&w);
}

/* Without teams nobody is told, but whoever is there may look at once. */
static void a_place_learnt_where_there_are_no_teams(void **unused)
{
    (void)unused;
    struct world w;
    world_init(&w, NULL);
    SAY(&w, .kind = "subdistrict.wage_delay", .at = DAY(1), .uscc = CODE_A);
    size_t had = w.out.n;
    world_say(&w, &(struct say){.kind = "registry.profile", .at = DAY(1), .uscc = CODE_A, .region = "330206"});
    assert_int_equal(w.out.n, had);
    struct alert a = alert_of(&w, 1);
    assert_true(a.region == region_of(SLICE("330206")) && a.n_places == 2);
    world_finish(&w);
}

/* ---- rules that take it up a tier ---- */

static const char climbing_rules[] =
    "version: 1\n"
    "score:\n  levels: {general: 40, major: 65, critical: 85}\n  hysteresis: 8\n"
    "rules:\n"
    "  - {id: small, title: {zh: a, en: a}, when: {signal: tax.arrears, within: 60d}, then: {escalate: true}}\n"
    "  - {id: big, title: {zh: b, en: b}, when: {signal: tax.arrears, within: 60d}, then: {raise: major, escalate: true}}\n"
    "  - {id: third, title: {zh: c, en: c}, when: {signal: tax.arrears, within: 60d}, then: {raise: general, escalate: true}}\n"
    "  - {id: other, title: {zh: d, en: d}, when: {signal: court.seizure, within: 60d}, then: {raise: general, escalate: true}}\n"
    "  - {id: last, title: {zh: e, en: e}, when: {signal: bank.loan_overdue, within: 60d}, then: {raise: general, escalate: "
    "true}}\n"
    "  - {id: base, title: {zh: f, en: f}, when: {signal: hotline.complaint, within: 60d}, then: {raise: general}}\n"
    "  - {id: two, title: {zh: g, en: g}, when: {all: [{signal: hotline.complaint, within: 60d}, {signal: "
    "utility.bill_overdue, within: 60d}]}, then: {escalate: true}}\n";

static void rules_climb_once_and_one_at_a_time(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, climbing_rules);
    SAY(&w, .id = "tax", .kind = "tax.arrears", .at = morning(), .uscc = CODE_A);
    assert_int_equal(told(&w, EVENT_ESCALATED), 1); /* three that one signal makes hold */
    assert_true(slice_is(world_last(&w)->rule, "big") && world_last(&w)->tier == 1);
    act(&w, 1, "accept", "", morning());
    SAY(&w, .kind = "tax.arrears", .at = morning(), .uscc = CODE_A, .cancels = "tax");
    SAY(&w, .kind = "tax.arrears", .at = morning(), .uscc = CODE_A);
    assert_int_equal(told(&w, EVENT_ESCALATED), 1); /* the same, sent anew */
    SAY(&w, .kind = "court.seizure", .at = morning(), .uscc = CODE_A);
    assert_int_equal(told(&w, EVENT_ESCALATED), 2);
    assert_true(slice_is(world_last(&w)->rule, "other") && world_last(&w)->tier == 2);
    SAY(&w, .kind = "bank.loan_overdue", .at = morning(), .uscc = CODE_A);
    assert_int_equal(told(&w, EVENT_ESCALATED), 2); /* nobody is above */
    act(&w, 1, "verify", "confirmed", morning());
    act(&w, 1, "close", "other", morning());
    SAY(&w, .kind = "tax.arrears", .at = morning() + HOUR, .uscc = CODE_A);
    assert_int_equal(told(&w, EVENT_REOPENED), 1);
    assert_int_equal(told(&w, EVENT_ESCALATED), 3); /* another life: all of them hold, they take it up one */
    assert_int_equal(alert_of(&w, 1).h.tier, 1);
    world_finish(&w);
}

/* One signal moves what was known by name, and is judged itself: two rules, one after the other, in one entry. */
static void one_entry_climbs_once(void **unused)
{
    (void)unused;
    struct world w;
    begin(&w, climbing_rules);
    SAY(&w, .kind = "hotline.complaint", .at = morning(), .uscc = CODE_A);
    SAY(&w, .kind = "utility.bill_overdue", .at = morning(), .name = BY_NAME);
    assert_int_equal(told(&w, EVENT_ESCALATED), 0);
    SAY(&w, .kind = "bank.loan_overdue", .at = morning(), .uscc = CODE_A, .name = BY_NAME);
    assert_int_equal(told(&w, EVENT_ESCALATED), 1);
    assert_int_equal(alert_of(&w, 1).h.tier, 1);
    SAY(&w, .kind = "court.seizure", .at = morning(), .uscc = CODE_A);
    assert_int_equal(told(&w, EVENT_ESCALATED), 2); /* at the same moment, but of another entry */
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_evidence_opens_it_again),
        cmocka_unit_test(a_clearing_that_is_withdrawn_opens_it),
        cmocka_unit_test(withdrawn_evidence_is_no_news),
        cmocka_unit_test(news_alone_opens_it_again),
        cmocka_unit_test(a_call_that_is_due_stays_due),
        cmocka_unit_test(silence_ends_with_the_case),
        cmocka_unit_test(a_mistaken_order_was_never_silent),
        cmocka_unit_test(an_answer_of_the_same_day),
        cmocka_unit_test(a_merge_keeps_the_work),
        cmocka_unit_test(a_merge_goes_by_the_further_one),
        cmocka_unit_test(a_silence_goes_along),
        cmocka_unit_test(a_closed_one_goes_along),
        cmocka_unit_test(a_registered_place_learnt_late),
        cmocka_unit_test(a_place_learnt_where_there_are_no_teams),
        cmocka_unit_test(rules_climb_once_and_one_at_a_time),
        cmocka_unit_test(one_entry_climbs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
