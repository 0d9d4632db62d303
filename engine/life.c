/* SPDX-License-Identifier: Apache-2.0 */
/* An alert's life: what a judgement or an action does to it, the event that says so, and how both are stored. */
#include "engine/fold.h"

static void be64(uint8_t out[8], uint64_t v)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static bool load_alert(struct engine *e, uint64_t number, struct alert *a)
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

static void store_alert(struct engine *e, const struct alert *a)
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

static void publish(struct engine *e, struct event *ev)
{
    uint8_t key[16];
    be64(key, ev->alert);
    be64(key + 8, ev->seq);
    buf_reset(&e->buf);
    event_put(&e->buf, ev);
    state_put_cold(e->state, T_EVENT, key + 8, 8, e->buf.p, e->buf.n);
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

/* One change: numbers it, stores alert and event. `ev` has what is particular to it. */
static void emit(struct engine *e, const struct record *c, struct alert *a, int64_t at, struct event *ev)
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
    store_alert(e, a);
    list_open(e, a, (enum event_type)ev->type);
    publish(e, ev);
}

static struct event new_event(enum event_type type, uint8_t level_before)
{
    return (struct event){.type = (uint8_t)type, .level_before = level_before, .people = NO_INT, .amount = NO_INT};
}

/* ---- what a judgement does ---- */

static enum event_type change_of(const struct alert *a, const struct judgement *j)
{
    if (j->level > a->level)
        return EVENT_UPGRADED;
    if (j->level < a->level)
        return j->level == LEVEL_NONE && a->state == ALERT_STATE_OPEN ? EVENT_WITHDRAWN : EVENT_DOWNGRADED;
    return EVENT_EVIDENCE;
}

/* An open alert under a new judgement. */
static void change(struct engine *e, struct record *c, struct alert *a, const struct judgement *j, enum cause cause)
{
    bool same_evidence = a->evidence_sum == j->evidence_sum || cause == CAUSE_CLOCK;
    if (j->level == a->level && same_evidence)
        return;
    struct event ev = new_event(change_of(a, j), a->level);
    ev.rules_changed = cause == CAUSE_SETTINGS;
    a->level = j->level;
    a->score = c->score;
    a->evidence_sum = j->evidence_sum;
    if (ev.type == EVENT_WITHDRAWN) {
        a->state = ALERT_STATE_CLOSED;
        a->withdrawn = true;
        a->closed_entry = e->number;
        a->closed_at = j->at;
        c->alert_open = false;
    }
    explain(e, c, j, &ev);
    emit(e, c, a, j->at, &ev);
}

/* No alert is open and a level is reached: the old one again, or a new one. */
static void open_alert(struct engine *e, struct record *c, struct alert *a, bool had, const struct judgement *j,
                       enum cause cause)
{
    bool recent = had && j->at - a->closed_at <= REOPEN_DAYS * DAY_MS;
    if (had && c->last_seq <= a->closed_entry)
        return; /* PROTOCOL: after a close only a signal journalled later acts */
    struct event ev = new_event(recent ? EVENT_REOPENED : EVENT_RAISED, LEVEL_NONE);
    ev.rules_changed = cause == CAUSE_SETTINGS;
    if (!recent)
        *a = (struct alert){.due = NO_INT, .closed_at = NO_INT, .rule = UINT32_MAX};
    a->state = ALERT_STATE_OPEN;
    a->withdrawn = false;
    a->finding = FINDING_NONE;
    a->level = j->level;
    a->score = c->score;
    a->evidence_sum = j->evidence_sum;
    explain(e, c, j, &ev);
    emit(e, c, a, j->at, &ev);
    c->alert = a->number;
    c->alert_open = true;
}

/* A name that several codes bear: its signals wait for a person. */
static void list_unresolved(struct engine *e, const struct record *c)
{
    if (c->unresolved && !state_get(e->state, T_UNRESOLVED, c->key.b, EKEY_LEN).p)
        state_put(e->state, T_UNRESOLVED, c->key.b, EKEY_LEN, "", 0);
}

static void judge_record(struct engine *e, struct record *c, int64_t at, struct judgement *j)
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

void life_judge(struct engine *e, struct record *c, int64_t at, enum cause cause)
{
    struct judgement j;
    struct alert a;
    series_prepare(e, c);
    share_gather(e, c);
    if (engine_failed(e))
        return;
    judge_record(e, c, at, &j);
    int64_t shadow = shadow_judge(e, c, at);
    j.next = shadow < j.next ? shadow : j.next;
    bool had = load_alert(e, c->alert, &a);
    if (had && c->alert_open)
        change(e, c, &a, &j, cause);
    else if (j.level > LEVEL_NONE)
        open_alert(e, c, &a, had, &j, cause);
    series_spill(e, c);
    list_unresolved(e, c);
    int64_t due = j.next == INT64_MAX ? NO_INT : j.next > at ? j.next : at + 1;
    if (due != NO_INT && c->due > at && c->due < due)
        due = c->due; /* a look too early changes nothing; a row moved at each signal costs */
    due_set(e->due, &c->key, c->due, due);
    c->due = due;
    link_publish(e, c, &j);
    record_store(e, c);
}

/* Two enterprises turned out to be one: the older alert stays, the younger is withdrawn. */
void life_merge(struct engine *e, struct record *from, struct record *into, int64_t at)
{
    struct alert theirs, ours;
    if (from->last_seq > into->last_seq)
        into->last_seq = from->last_seq;
    if (!from->alert_open || !load_alert(e, from->alert, &theirs))
        return;
    bool both = into->alert_open && load_alert(e, into->alert, &ours);
    struct alert *stays = both && ours.number < theirs.number ? &ours : &theirs;
    if (both) {
        struct alert *goes = stays == &ours ? &theirs : &ours;
        struct event ev = new_event(EVENT_WITHDRAWN, goes->level);
        ev.merged_into = stays->number;
        goes->level = LEVEL_NONE;
        goes->state = ALERT_STATE_CLOSED;
        goes->withdrawn = true;
        goes->closed_entry = e->number;
        goes->closed_at = at;
        emit(e, goes == &theirs ? from : into, goes, at, &ev);
    }
    describe(into, stays);
    store_alert(e, stays);
    into->alert = stays->number;
    into->alert_open = true;
    from->alert_open = false;
}

/* ---- actions: the table of steps ---- */

#define IN(state)  (1u << ALERT_STATE_##state)
#define NOT_CLOSED (IN(OPEN) | IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED))

static const char *check_verify(const struct entry_action *, const struct alert *);
static const char *check_dispose(const struct entry_action *, const struct alert *);
static const char *check_close(const struct entry_action *, const struct alert *);
static const char *check_team(const struct entry_action *, const struct alert *);

static const struct step {
    const char *what;
    unsigned from;                       /* states in which it may be done */
    enum alert_state to;                 /* ALERT_STATE_NONE: as it was */
    enum event_type event;
    /* NULL: all is there; else what is missing or wrong */
    const char *(*check)(const struct entry_action *, const struct alert *);
} steps[] = {
    {"accept", IN(OPEN), ALERT_STATE_ACCEPTED, EVENT_ACCEPTED, NULL},
    {"verify", IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_VERIFIED, EVENT_VERIFIED, check_verify},
    {"dispose", IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_DISPOSED, EVENT_DISPOSED, check_dispose},
    {"close", IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_CLOSED, EVENT_CLOSED, check_close},
    {"reopen", IN(CLOSED), ALERT_STATE_ACCEPTED, EVENT_REOPENED, NULL},
    {"seen", NOT_CLOSED, ALERT_STATE_NONE, EVENT_SEEN, NULL},
    {"assign", NOT_CLOSED, ALERT_STATE_NONE, EVENT_ASSIGNED, check_team},
    {"join", NOT_CLOSED, ALERT_STATE_NONE, EVENT_JOINED, check_team},
    {"escalate", NOT_CLOSED, ALERT_STATE_NONE, EVENT_ESCALATED, NULL},
    {"comment", NOT_CLOSED | IN(CLOSED), ALERT_STATE_NONE, EVENT_COMMENTED, NULL},
};

static const char *const findings[] = {NULL, "confirmed", "unfounded", "false_claim"};
static const char *const outcomes[] = {"paid", "unfounded", "false_claim", "mediated", "transferred", "listed", "other"};

static int word_at(const char *const *words, size_t n, struct slice s)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] && slice_is(s, words[i]))
            return (int)i;
    return -1;
}

static const char *check_verify(const struct entry_action *x, const struct alert *a)
{
    (void)a;
    return word_at(findings, ARRAY_LEN(findings), x->finding) > 0
               ? NULL
               : "verify needs a finding: confirmed, unfounded or false_claim";
}

static const char *check_dispose(const struct entry_action *x, const struct alert *a)
{
    if (a->finding != FINDING_CONFIRMED)
        return "dispose follows a finding of confirmed; verify it so, or close it";
    return x->measure.n ? NULL : "dispose needs a measure";
}

static const char *check_close(const struct entry_action *x, const struct alert *a)
{
    if (x->outcome.n == 0)
        return a->finding == FINDING_CONFIRMED ? "close needs an outcome once arrears are confirmed" : NULL;
    return word_at(outcomes, ARRAY_LEN(outcomes), x->outcome) >= 0
               ? NULL
               : "outcome is one of paid, unfounded, false_claim, mediated, transferred, listed, other";
}

static const char *check_team(const struct entry_action *x, const struct alert *a)
{
    (void)a;
    return x->team.n ? NULL : "a team is needed";
}

const char *alert_possible(enum alert_state state)
{
    static const char *const possible[] = {
        [ALERT_STATE_OPEN] = "accept, seen, assign, join, escalate, comment",
        [ALERT_STATE_ACCEPTED] = "verify, seen, assign, join, escalate, comment",
        [ALERT_STATE_VERIFIED] = "verify, dispose, close, seen, assign, join, escalate, comment",
        [ALERT_STATE_DISPOSED] = "verify, dispose, close, seen, assign, join, escalate, comment",
        [ALERT_STATE_CLOSED] = "reopen, comment",
    };
    return state < ARRAY_LEN(possible) ? possible[state] : "";
}

static void refuse(struct engine *e, enum wire_error code, const char *sentence)
{
    if (e->out) {
        e->out->refused = code;
        e->out->sentence = sentence;
    }
}

static const struct step *find_step(struct slice what)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (slice_is(what, steps[i].what))
            return &steps[i];
    return NULL;
}

/* The verdict on an action: the step, or NULL with the refusal told. */
static const struct step *allowed(struct engine *e, const struct entry_action *x, const struct alert *a)
{
    const struct step *s = find_step(x->what);
    struct arena *arena = e->out ? e->out->arena : &e->scratch;
    const char *wrong;
    if (!x->may)
        refuse(e, WIRE_ERROR_DENIED, "this principal may not act on alerts of that place");
    else if (!s)
        refuse(e, WIRE_ERROR_BAD_FIELD,
               "do: one of accept, verify, dispose, close, reopen, seen, assign, join, escalate, comment");
    else if (x->version && x->version != a->version)
        refuse(e, WIRE_ERROR_WRONG_STATE,
               arena_printf(arena, "the alert has changed: it is at version %llu by now and %s; look at it again",
                            (unsigned long long)a->version, alert_state_wire(a->state)));
    else if (!(s->from >> a->state & 1))
        refuse(e, WIRE_ERROR_WRONG_STATE,
               arena_printf(arena, "an alert that is %s cannot be given %s; possible now: %s",
                            alert_state_wire(a->state), s->what, alert_possible(a->state)));
    else if (s->check && (wrong = s->check(x, a)))
        refuse(e, WIRE_ERROR_BAD_FIELD, wrong);
    else
        return s;
    return NULL;
}

/* What a team found stands until evidence of a kind comes that did not count when it looked. */
static void note_finding(struct engine *e, struct record *c, uint8_t finding)
{
    c->finding = finding;
    c->finding_at = e->time;
    c->finding_entry = e->number;
    c->finding_kinds = arena_alloc(&e->scratch, c->n_series * sizeof *c->finding_kinds);
    c->n_finding_kinds = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].latest != NO_INT)
            c->finding_kinds[c->n_finding_kinds++] = c->series[i].kind;
}

static void take_step(struct engine *e, struct record *c, struct alert *a, const struct step *s,
                      const struct entry_action *x)
{
    if (s->event == EVENT_VERIFIED) {
        a->finding = (uint8_t)word_at(findings, ARRAY_LEN(findings), x->finding);
        note_finding(e, c, a->finding);
    }
    if (s->event == EVENT_ASSIGNED)
        a->team = x->team;
    if (s->event == EVENT_JOINED) {
        struct slice *joined = arena_alloc(&e->scratch, (a->n_joined + 1) * sizeof *joined);
        for (uint32_t i = 0; i < a->n_joined; i++)
            joined[i] = a->joined[i];
        joined[a->n_joined++] = x->team;
        a->joined = joined;
    }
    if (s->to == ALERT_STATE_CLOSED) {
        a->closed_entry = e->number;
        a->closed_at = e->time;
    }
    if (s->to != ALERT_STATE_NONE)
        a->state = (uint8_t)s->to;
    c->alert_open = a->state != ALERT_STATE_CLOSED;
}

void life_act(struct engine *e, const struct entry_action *x)
{
    struct alert a;
    if (!load_alert(e, x->alert, &a)) {
        refuse(e, WIRE_ERROR_NO_SUCH_ALERT, "no alert has that number; 'wagewarn alerts' lists them");
        return;
    }
    const struct step *s = allowed(e, x, &a);
    if (!s)
        return;
    struct record *c = identity_record(e, &a.key, a.name);
    if (s->event == EVENT_REOPENED && c->alert != a.number) {
        refuse(e, WIRE_ERROR_WRONG_STATE, "a later alert of this enterprise stands in its place; work that one");
        return;
    }
    struct event ev = new_event(s->event, a.level);
    struct judgement j;
    series_prepare(e, c);
    share_gather(e, c);
    if (c->alert == a.number)
        take_step(e, c, &a, s, x);
    struct record judged = *c; /* shown with the reasons of now; the level changes by judgement only */
    judge_record(e, &judged, e->time, &j);
    explain(e, c, &j, &ev);
    ev.principal = x->principal;
    ev.actor = x->actor;
    ev.finding = x->finding;
    ev.outcome = x->outcome;
    ev.measure = x->measure;
    ev.ref = x->ref;
    ev.team = x->team;
    ev.people = x->paid_people != NO_INT ? x->paid_people : x->people;
    ev.amount = x->paid_amount != NO_INT ? x->paid_amount : x->amount;
    emit(e, c, &a, e->time, &ev);
    record_store(e, c);
}
