/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's life: what a judgement or an action does to it, the event that says so, and how both are stored. */
#include "engine/rollup.h"

#include "engine/fold.h"

static void be64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

bool alert_load(struct engine *e, uint64_t number, struct alert *a)
{
    uint8_t key[8];
    be64(key, number);
    struct slice v = number ? state_get(e->state, T_ALERT, key, sizeof key) : (struct slice){0};
    if (!v.p)
        return false;
    if (alert_get(arena_slice(&e->scratch, v), &e->scratch, a, e->err) == 0)
        return true;
    e->failed = true;
    return false;
}

void alert_keep(struct engine *e, const struct alert *a)
{
    uint8_t key[8];
    be64(key, a->number);
    buf_reset(&e->buf);
    alert_put(&e->buf, a);
    state_put(e->state, T_ALERT, key, sizeof key, e->buf.p, e->buf.n);
}

/* T_OPEN lists the alerts that are not closed. */
static void list_open(struct engine *e, const struct alert *a, enum event_type type)
{
    uint8_t key[8];
    be64(key, a->number);
    if (type == EVENT_RAISED || type == EVENT_REOPENED)
        state_put(e->state, T_OPEN, key, sizeof key, NULL, 0);
    else if (type == EVENT_CLOSED || type == EVENT_WITHDRAWN)
        state_del(e->state, T_OPEN, key, sizeof key);
}

/* ---- events ---- */

void event_publish(struct engine *e, const struct event *ev)
{
    uint8_t key[16];
    be64(key, ev->alert);
    be64(key + 8, ev->seq);
    buf_reset(&e->buf);
    event_put(&e->buf, ev);
    state_put_cold(e->state, T_EVENT, key + 8, 8, e->buf.p, e->buf.n);
    if (ev->alert)
        state_put_cold(e->state, T_HISTORY, key, sizeof key, NULL, 0);
    if (!e->out)
        return;
    struct engine_out *o = e->out;
    if (o->n == o->cap) {
        size_t cap = o->cap ? o->cap * 2 : 16;
        struct engine_event *more = arena_alloc(o->arena, cap * sizeof *more);
        if (o->n)
            memcpy(more, o->events, o->n * sizeof *more);
        o->events = more;
        o->cap = cap;
    }
    struct engine_event *x = &o->events[o->n++];
    x->bytes = arena_slice(o->arena, (struct slice){(const char *)e->buf.p, e->buf.n});
    int rc = event_get(x->bytes, o->arena, &x->ev, e->err);
    assert(rc == 0);
}

/* What an event says of the enterprise, and an alert keeps for lists. */
static void describe(const struct record *c, struct alert *a)
{
    a->key = c->key;
    a->uscc = record_uscc(c);
    a->name = c->name;
    a->industry = record_industry(c);
    a->region = record_region(c);
    a->n_places = c->n_places;
    a->places = c->places;
}

void alert_refresh(struct engine *e, const struct record *c, struct alert *a)
{
    describe(c, a);
    alert_keep(e, a);
}

/* One change: numbers it, stores alert and event. `ev` has what is particular to it. */
void alert_emit(struct engine *e, const struct record *c, struct alert *a, int64_t at, struct event *ev)
{
    describe(c, a);
    ev->seq = ++e->events;
    if (ev->type == EVENT_RAISED) {
        a->number = ev->seq;
        a->raised_at = at;
    }
    a->version++;
    a->last_event = ev->seq;
    a->changed_at = at;
    a->h.last_type = ev->type;
    a->h.last_who = ev->actor.n ? ev->actor : ev->principal;
    route_alert(e, c, a);
    ev->tier = a->h.tier;
    ev->n_teams = a->n_teams;
    ev->teams = a->teams;
    ev->alert = a->number;
    ev->version = a->version;
    ev->entry = e->number;
    ev->at = at;
    ev->level = a->level;
    ev->state = a->state;
    ev->score = a->score;
    ev->key = c->key;
    ev->uscc = a->uscc;
    ev->name = a->name;
    ev->region = a->region;
    ev->industry = a->industry;
    ev->n_places = a->n_places;
    ev->places = a->places;
    ev->due = a->due;
    if (ev->n_reasons)
        a->rule = ev->reasons[0].rule;
    alert_keep(e, a);
    waiting_leave(e, a);
    list_open(e, a, (enum event_type)ev->type);
    waiting_join(e, a);
    event_publish(e, ev);
}

struct event alert_event(enum event_type type, uint8_t level_before)
{
    return (struct event){.type = (uint8_t)type, .level_before = level_before, .people = NO_INT, .amount = NO_INT,
                          .until = NO_INT};
}

/* ---- what a judgement does ---- */

static enum event_type change_of(const struct alert *a, const struct judgement *j)
{
    if (j->level > a->level)
        return EVENT_UPGRADED;
    if (j->level == LEVEL_NONE && a->state == ALERT_STATE_OPEN)
        return EVENT_WITHDRAWN;
    return j->level < a->level ? EVENT_DOWNGRADED : EVENT_EVIDENCE;
}

/* Which rules hold, by what they are called. */
static uint64_t rules_sum(const struct engine *e, const struct judgement *j)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; (i = judged_next(e->settings, j, i)) != UINT32_MAX; i++)
        sum += sig_mix(e->settings->rules[i].word + UINT64_C(1));
    return sum;
}

/* An open alert under a new judgement. New settings are told also where they change nothing but which rules hold. */
static void change(struct engine *e, struct record *c, struct alert *a, const struct judgement *j, enum cause cause)
{
    bool same_evidence = a->evidence_sum == j->evidence_sum || cause == CAUSE_CLOCK;
    bool moot = j->level == LEVEL_NONE && a->state == ALERT_STATE_OPEN; /* who had accepted it took that back */
    uint64_t rules = rules_sum(e, j);
    bool same_rules = rules == a->rules_sum || cause != CAUSE_SETTINGS;
    if (j->level == a->level && same_evidence && same_rules && !moot)
        return;
    struct event ev = alert_event(change_of(a, j), a->level);
    ev.rules_changed = cause == CAUSE_SETTINGS;
    uint8_t before = a->level;
    a->level = j->level;
    a->score = c->score;
    a->evidence_sum = j->evidence_sum;
    a->rules_sum = rules;
    timers_disturb(e, c, a, j->at);
    timers_level(e, a, before, j->at);
    if (ev.type == EVENT_WITHDRAWN) {
        a->state = ALERT_STATE_CLOSED;
        a->withdrawn = true;
        /* what the clock does comes before the entry in hand, whose own signal is later */
        a->closed_entry = e->working_off ? e->number - 1 : e->number;
        a->closed_at = j->at;
        c->alert_open = false;
        timers_set(e, a);
    }
    explain(e, c, j, &ev);
    alert_emit(e, c, a, j->at, &ev);
}

/* Nobody whom it is for listens: the next tier hears of it. The time to look at it runs on all the same. */
static void tell_absent(struct engine *e, struct record *c, struct alert *a, const struct judgement *j)
{
    struct event ev = alert_event(EVENT_UNATTENDED, a->level);
    a->h.unattended = true;
    explain(e, c, j, &ev);
    alert_emit(e, c, a, j->at, &ev);
}

/* No alert is open and a level is reached: the old one again, or a new one. */
static void open_alert(struct engine *e, struct record *c, struct alert *a, bool had, const struct judgement *j,
                       enum cause cause)
{
    bool recent = had && j->at - a->closed_at <= REOPEN_DAYS * DAY_MS;
    if (had && news_latest(e, c) <= a->closed_entry)
        return; /* PROTOCOL: after a close only a signal journalled later acts */
    struct event ev = alert_event(recent ? EVENT_REOPENED : EVENT_RAISED, LEVEL_NONE);
    ev.rules_changed = cause == CAUSE_SETTINGS;
    struct alert old = had ? *a : (struct alert){0};
    if (!recent)
        *a = (struct alert){.due = NO_INT, .closed_at = NO_INT, .rule = UINT32_MAX, .h = handling_none()};
    a->state = ALERT_STATE_OPEN;
    a->withdrawn = false;
    a->finding = FINDING_NONE;
    a->level = j->level;
    a->score = c->score;
    a->evidence_sum = j->evidence_sum;
    a->rules_sum = rules_sum(e, j);
    a->n_escalated = 0;
    a->parent = rollup_parent_of(e, c);
    int64_t follow_up_at = a->h.follow_up_at; /* a call that is due after the close is due still */
    timers_open(e, a, j->at);
    a->h.follow_up_at = follow_up_at;
    if (had && !recent && terms_carry(e, &old, a))
        alert_keep(e, &old);
    a->h.routed = route_team(e, c);
    explain(e, c, j, &ev);
    alert_emit(e, c, a, j->at, &ev);
    if (presence_none(e, a))
        tell_absent(e, c, a, j);
    c->alert = a->number;
    c->alert_open = true;
    if (rollup_is_parent(c))
        rollup_adopt_all(e, c);
}

static bool has_word(const uint32_t *words, uint32_t n, uint32_t word)
{
    while (n && words[n - 1] != word)
        n--;
    return n > 0;
}

static void tell_escalated(struct engine *e, struct record *c, struct alert *a, const struct judgement *j,
                           const struct rule *rule)
{
    struct event ev = alert_event(EVENT_ESCALATED, a->level);
    ev.rule = rule->id;
    timers_climb(e, a);
    explain(e, c, j, &ev);
    alert_emit(e, c, a, j->at, &ev);
}

/* Rules that take it up a tier and hold now, and have not had their turn in this life: they are noted in it. The weightiest;
 * NULL: none. */
static const struct rule *note_climbing(struct engine *e, struct alert *a, const struct judgement *j)
{
    const struct settings *s = e->settings;
    const struct rule *best = NULL;
    uint8_t most = 0;
    for (uint32_t i = 0; (i = judged_next(s, j, i)) != UINT32_MAX; i++) {
        const struct rule *rule = &s->rules[i];
        uint8_t level = rule->by_score ? j->score_level : rule->raise;
        if (!rule->escalate || has_word(a->escalated, a->n_escalated, rule->word))
            continue;
        uint32_t *words = arena_alloc(&e->scratch, (a->n_escalated + 1) * sizeof *words);
        if (a->n_escalated)
            memcpy(words, a->escalated, a->n_escalated * sizeof *words);
        words[a->n_escalated++] = rule->word;
        a->escalated = words;
        best = best && level <= most ? best : rule;
        most = level > most ? level : most;
    }
    return best;
}

/* Each rule takes an open alert up a tier once in its life; however many begin to hold in one entry, they take it up one. */
static void escalate(struct engine *e, struct record *c, struct alert *a, const struct judgement *j)
{
    const struct work *w = e->settings->work;
    const struct rule *rule = c->alert_open ? note_climbing(e, a, j) : NULL;
    uint64_t entry = e->working_off ? e->number - 1 : e->number; /* what the clock does comes before the entry in hand */
    if (!rule)
        return;
    if ((a->climbed_entry == entry && a->climbed_at == j->at) || (w && w->n_tiers && a->h.tier + 1u >= w->n_tiers)) {
        alert_keep(e, a);
        return;
    }
    a->climbed_entry = entry;
    a->climbed_at = j->at;
    tell_escalated(e, c, a, j, rule);
}

/* A name that several codes bear: its signals wait for a person. */
static void list_unresolved(struct engine *e, const struct record *c)
{
    if (c->unresolved && !state_get(e->state, T_UNRESOLVED, c->key.b, EKEY_LEN).p)
        state_put(e->state, T_UNRESOLVED, c->key.b, EKEY_LEN, "", 0);
}

void life_look(struct engine *e, struct record *c, int64_t at, struct judgement *j)
{
    if (ekey_kind(&c->key) == EKEY_AREA) {
        area_judge(e, c, at, j);
    } else if (!c->unresolved) {
        judge(e, c, at, j);
    } else {
        *j = (struct judgement){.at = at, .next = INT64_MAX};
        j->fired = arena_zalloc(&e->scratch, (e->settings->n_rules + 63) / 64 * sizeof *j->fired);
    }
    c->score_level = j->score_level;
    c->level = j->level;
    c->score = fixed_score(j->hazards.total);
    c->judged_at = at;
}

/* Other settings: it went to another team, or others hear of it than before. */
static void tell_moved(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    struct event ev = alert_event(EVENT_ASSIGNED, a->level);
    ev.team = a->team.n ? a->team : a->h.routed;
    ev.rules_changed = true;
    explain(e, c, j, &ev);
    alert_emit(e, c, a, at, &ev);
}

static bool same_place(const struct record *c, const struct alert *a)
{
    return record_region(c) == a->region && c->n_places == a->n_places &&
           (c->n_places == 0 || memcmp(c->places, a->places, c->n_places * sizeof *c->places) == 0);
}

/* Without any other event, more teams than before are concerned, since it is known now where else it lies: they hear of it.
 * Whoever is there may look and act at once. */
static void tell_joined(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    struct event ev = alert_event(EVENT_JOINED, a->level);
    ev.team = c->alert_open ? route_joined(e, c, a) : (struct slice){0};
    if (ev.team.n) {
        explain(e, c, j, &ev);
        alert_emit(e, c, a, at, &ev);
    } else if (!same_place(c, a)) {
        alert_refresh(e, c, a);
    }
}

static void set_due(struct engine *e, struct record *c, int64_t at, int64_t next)
{
    int64_t due = next == INT64_MAX ? NO_INT : next > at ? next : at + 1;
    if (due != NO_INT && c->due > at && c->due < due)
        due = c->due; /* a look too early changes nothing; a row moved at each signal costs */
    due_set(e->due, &c->key, c->due, due);
    c->due = due;
}

void life_judge(struct engine *e, struct record *c, int64_t at, enum cause cause)
{
    struct judgement j;
    struct alert a = {0};
    bool had = alert_load(e, c->alert, &a);
    uint64_t version = had ? a.version : 0;
    bool ran_out = had && ((cause == CAUSE_CLOCK && timers_derive(e, c, &a, at)) ||
                           (cause == CAUSE_SIGNALS && timers_heard(e, c, &a)));
    series_prepare(e, c);
    link_parent(e, c);
    share_gather(e, c);
    if (engine_failed(e))
        return;
    bool moved = had && cause == CAUSE_SETTINGS && c->alert_open && route_again(e, c, &a);
    life_look(e, c, at, &j);
    int64_t shadow = shadow_judge(e, c, at);
    j.next = shadow < j.next ? shadow : j.next;
    if (had && c->alert_open)
        change(e, c, &a, &j, cause);
    else if (j.level > LEVEL_NONE)
        open_alert(e, c, &a, had, &j, cause);
    escalate(e, c, &a, &j);
    if (had && cause == CAUSE_CLOCK)
        timers_tell(e, c, &a, at, &j);
    if (moved && c->alert_open)
        tell_moved(e, c, &a, at, &j);
    if (had && c->alert_open && waiting_alone(e, &a, at))
        tell_absent(e, c, &a, &j);
    if (had && cause == CAUSE_SIGNALS && a.version == version && ekey_kind(&c->key) != EKEY_AREA)
        tell_joined(e, c, &a, at, &j);
    if (ran_out || (had && cause == CAUSE_SETTINGS && c->alert_open))
        alert_keep(e, &a); /* a measure that was answered makes no event, nor does a turn that comes otherwise */
    if (c->alert) {
        int64_t timer = timers_next(e, &a);
        j.next = timer < j.next ? timer : j.next;
    }
    int64_t others = link_publish(e, c, &j);
    j.next = others < j.next ? others : j.next;
    duty_judge(e, c, at);
    series_spill(e, c);
    list_unresolved(e, c);
    set_due(e, c, at, j.next);
    record_store(e, c);
}
