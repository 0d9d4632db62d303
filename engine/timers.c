/* SPDX-License-Identifier: Apache-2.0 */
/* What the clock does to an alert: its deadlines, what happens when they pass, and the measures that run out unanswered.
 * Every moment is in the record's due, so that it comes by itself, survives a stop, and comes in its order. */
#include "engine/fold.h"

static bool closed(const struct alert *a)
{
    return a->state == ALERT_STATE_CLOSED;
}

static bool resting(const struct handling *h)
{
    return h->held_until != NO_INT || h->snoozed_until != NO_INT;
}

/* ---- deadlines ---- */

/* A level that an alert has lost to `none` is worked as the lowest. */
static uint8_t worked_level(const struct alert *a)
{
    return a->level > LEVEL_GENERAL ? a->level : LEVEL_GENERAL;
}

/* Which step an alert waits for, and since when. */
static enum due_step waits_for(const struct alert *a, int64_t *since)
{
    switch (a->state) {
    case ALERT_STATE_OPEN:
        *since = a->h.opened_at;
        return DUE_ACCEPT;
    case ALERT_STATE_ACCEPTED:
        *since = a->h.accepted_at;
        return DUE_VERIFY;
    case ALERT_STATE_VERIFIED:
    case ALERT_STATE_DISPOSED:
        *since = a->h.verified_at;
        return DUE_CLOSE;
    default:
        return DUE_NONE;
    }
}

/* A step was done. Another one is waited for now: its deadline. The same one still: what was promised for it, put off or
 * told overdue stands, since a second measure gives no more time. */
void timers_set(struct engine *e, struct alert *a)
{
    const struct work *w = e->settings->work;
    struct handling *h = &a->h;
    int64_t since = NO_INT;
    enum due_step step = waits_for(a, &since);
    if (closed(a)) {
        struct pace p = pace_of(a);
        pace_no_rest(&p);
        pace_set(a, &p);
    }
    if (step == h->step && step != DUE_NONE)
        return;
    h->step = (uint8_t)step;
    h->overdue = false;
    h->escalate_at = NO_INT;
    a->due = w ? pace_deadline(w, step, worked_level(a), since) : NO_INT;
}

void timers_open(struct engine *e, struct alert *a, int64_t at)
{
    const struct work *w = e->settings->work;
    struct taken *taken = a->h.taken;
    uint32_t n_taken = a->h.n_taken;
    a->h = handling_none();
    a->h.taken = taken; /* what was done before it came back is still on its file */
    a->h.n_taken = n_taken;
    a->h.opened_at = at;
    if (w) {
        int64_t end = term_end(w, &w->unattended[worked_level(a)], at);
        a->h.unattended_at = end == INT64_MAX ? NO_INT : end;
    }
    timers_set(e, a);
}

int64_t timers_rested(const struct handling *h, int64_t at)
{
    return !resting(h) ? 0 : at - (h->held_until != NO_INT ? h->held_since : h->snoozed_since);
}

/* What happens by itself happens as well to the alert as it would be without the step that can be undone. NULL: there is no
 * such step. A rest of that one whose date has passed is over. */
static struct pace *without(struct alert *a, int64_t at)
{
    if (!a->h.undo_entry)
        return NULL;
    pace_settle(&a->h.without, at);
    return &a->h.without;
}

/* A higher level has less time, counted from now: nobody is late for what he could not know. A lower one keeps the time
 * that was promised. */
void timers_level(struct engine *e, struct alert *a, uint8_t before, int64_t at)
{
    const struct work *w = e->settings->work;
    if (!w || a->level <= before)
        return;
    if (a->h.unattended_at != NO_INT) {
        int64_t end = term_end(w, &w->unattended[worked_level(a)], at);
        a->h.unattended_at = end < a->h.unattended_at ? end : a->h.unattended_at;
    }
    struct pace now = pace_of(a), *other = without(a, at);
    pace_level(w, &now, worked_level(a), at);
    pace_set(a, &now);
    if (other)
        pace_level(w, other, worked_level(a), at);
}

/* ---- rest: held or put off ---- */

void timers_wake(struct alert *a, int64_t at)
{
    struct pace now = pace_of(a);
    pace_wake(&now, at);
    pace_set(a, &now);
}

void timers_disturb(const struct engine *e, const struct record *c, struct alert *a, int64_t at)
{
    struct pace now = pace_of(a), *other = without(a, at);
    if (pace_broken(e, c, a->level, &now))
        timers_wake(a, at);
    if (other && pace_broken(e, c, a->level, other))
        pace_wake(other, at);
}

/* ---- measures that run out ---- */

/* The first moment of the civil day in which `at` lies. */
static int64_t day_of(const struct work *w, int64_t at)
{
    int64_t local = at + w->timezone;
    return at - (local % DAY_MS + DAY_MS) % DAY_MS;
}

/* Dated after the measure. Many agencies know only the day, so that one of the same day will do, if it came afterwards. */
static bool is_after(const struct taken *t, const struct sig *sig)
{
    return sig->at >= t->at || sig_entry(sig) > t->entry;
}

/* By a signal dated on its day or later, and not after `by`. */
static bool answered(struct engine *e, const struct record *c, const struct taken *t, const struct measure *m, int64_t by)
{
    int64_t from = day_of(e->settings->work, t->at);
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct series *s = &c->series[i];
        struct slice kind = dict_text(e->dict, DICT_KIND, s->kind);
        struct series_walk w;
        const struct sig *sig;
        bool answers = false;
        for (uint32_t k = 0; k < m->n_answered_by && !answers; k++)
            answers = slice_eq(kind, m->answered_by[k]);
        series_walk_start(&w, s);
        while (answers && (sig = series_walk_next(e, c, &w)) && sig->at >= from)
            if (!(sig->flags & SIG_CANCELLED) && sig->at <= by && is_after(t, sig))
                return true;
    }
    return false;
}

/* Named by the entry in hand and an ordinal, so that no entry's own signal has its number. */
void timers_feed(struct engine *e, struct record *c, struct slice kind, int64_t at, int64_t people, int64_t amount)
{
    int64_t word = dict_find(e->dict, DICT_KIND, kind);
    if (word < 0 || settings_kind_at(e->settings, (uint32_t)word) == UINT32_MAX)
        return;
    uint64_t ordinal = ++e->derived;
    uint32_t source = dict_add(e->dict, DICT_SOURCE, SLICE("wagewarn"));
    bool by_name = ekey_kind(&c->key) == EKEY_NAME; /* it follows the name, as the signals do from which it came */
    struct sig sig = {.seq = e->number | ordinal << DERIVED_SHIFT, .at = at, .flags = by_name ? SIG_BY_NAME : 0,
                      .amount = amount, .people = people, .since = NO_INT, .name = by_name ? c->key.b + 1 : NULL};
    sig.id = slice_of(arena_printf(&e->scratch, "%llu.%llu", (unsigned long long)e->number, (unsigned long long)ordinal));
    struct series *s = series_find(c, (uint32_t)word, source);
    series_insert(e, c, s ? s : series_add(e, c, (uint32_t)word, source), &sig);
    c->last_seq = e->number > c->last_seq ? e->number : c->last_seq;
    news_came(e, c, (uint32_t)word, e->number);
}

/* The measures whose day has come: answered, or silent and fed back. They are told by timers_tell. */
bool timers_derive(struct engine *e, struct record *c, struct alert *a, int64_t at)
{
    const struct work *w = e->settings->work;
    bool any = false;
    for (uint32_t i = 0; w && i < a->h.n_taken; i++) {
        struct taken *t = &a->h.taken[i];
        const struct measure *m = work_measure(w, t->measure);
        if (t->state != TAKEN_OPEN || t->due == NO_INT || t->due > at)
            continue;
        t->state = m && answered(e, c, t, m, INT64_MAX) ? TAKEN_ANSWERED : TAKEN_RAN_OUT;
        if (t->state == TAKEN_RAN_OUT && m && m->silence.n)
            timers_feed(e, c, m->silence, t->due, t->people, t->amount);
        any = true;
    }
    return any;
}

/* Takes back what the fold fed itself. */
static void unfeed(struct engine *e, struct record *c, struct slice kind, const struct taken *t)
{
    int64_t word = dict_find(e->dict, DICT_KIND, kind), source = dict_find(e->dict, DICT_SOURCE, SLICE("wagewarn"));
    struct series *s = word < 0 || source < 0 ? NULL : series_find(c, (uint32_t)word, (uint32_t)source);
    const struct sig *sig;
    struct series_walk w;
    if (!s)
        return;
    series_walk_start(&w, s);
    while ((sig = series_walk_next(e, c, &w)) && sig->at >= t->due)
        if (sig->at == t->due && sig->people == t->people && sig->amount == t->amount && sig->seq != sig_entry(sig) &&
            !(sig->flags & SIG_CANCELLED)) {
            series_cancel(e, c, s, sig->seq);
            return;
        }
}

bool timers_heard(struct engine *e, struct record *c, struct alert *a)
{
    const struct work *w = e->settings->work;
    bool any = false;
    for (uint32_t i = 0; w && i < a->h.n_taken; i++) {
        struct taken *t = &a->h.taken[i];
        const struct measure *m = t->state == TAKEN_SILENT ? work_measure(w, t->measure) : NULL;
        if (!m || !m->silence.n || !answered(e, c, t, m, t->due))
            continue;
        t->state = TAKEN_ANSWERED;
        unfeed(e, c, m->silence, t);
        any = true;
    }
    return any;
}

void timers_unsaid(struct engine *e, struct record *c, const struct taken *t)
{
    const struct work *w = e->settings->work;
    const struct measure *m = w && t->state == TAKEN_SILENT ? work_measure(w, t->measure) : NULL;
    if (m && m->silence.n)
        unfeed(e, c, m->silence, t);
}

/* ---- telling ---- */

static void tell(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j, struct event ev)
{
    explain(e, c, j, &ev);
    alert_emit(e, c, a, at, &ev);
}

/* Overdue, and the tier that has it is another than before: its own time runs from now on. */
void timers_turn(struct engine *e, struct alert *a)
{
    struct pace now = pace_of(a), *other = without(a, e->time);
    pace_turn(e->settings->work, &now, e->time);
    pace_set(a, &now);
    if (other && other->overdue)
        pace_turn(e->settings->work, other, e->time);
}

/* One tier up, if there is one. Whoever called it in, it has its own time from now on. */
bool timers_climb(struct engine *e, struct alert *a)
{
    const struct work *w = e->settings->work;
    struct pace now = pace_of(a), *other = without(a, e->time);
    bool climbed = pace_climb(w, &now, e->time);
    pace_set(a, &now);
    if (climbed && other)
        pace_climb(w, other, e->time);
    return climbed;
}

/* It is told once, also where the deadline is the same without the step that can be undone. */
static void tell_overdue(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    struct event ev = alert_event(EVENT_OVERDUE, a->level);
    struct pace now = pace_of(a), *other = without(a, at);
    now.overdue = true;
    pace_turn(e->settings->work, &now, at);
    pace_set(a, &now);
    if (other && other->step == now.step && !other->overdue) {
        other->overdue = true;
        pace_turn(e->settings->work, other, at);
    }
    ev.step = a->h.step;
    tell(e, c, a, at, j, ev);
}

static void tell_escalated(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    timers_climb(e, a);
    tell(e, c, a, at, j, alert_event(EVENT_ESCALATED, a->level));
}

static void tell_unattended(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    a->h.unattended_at = NO_INT;
    a->h.unattended = true;
    tell(e, c, a, at, j, alert_event(EVENT_UNATTENDED, a->level));
}

static void tell_follow_up(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    a->h.follow_up_at = NO_INT;
    tell(e, c, a, at, j, alert_event(EVENT_FOLLOW_UP, a->level));
}

static void tell_awake(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    timers_wake(a, at);
    tell(e, c, a, at, j, alert_event(EVENT_SNOOZED, a->level)); /* without `until`: it is over */
}

static int64_t when(bool running, int64_t at)
{
    return running && at != NO_INT ? at : INT64_MAX;
}

static int64_t rest_ends(const struct alert *a)
{
    return a->h.held_until != NO_INT ? when(!closed(a), a->h.held_until) : when(!closed(a), a->h.snoozed_until);
}

static int64_t due_ends(const struct alert *a)
{
    return when(!closed(a) && !resting(&a->h) && !a->h.overdue, a->due);
}

static int64_t escalates(const struct alert *a)
{
    return when(!closed(a) && !resting(&a->h) && a->h.overdue, a->h.escalate_at);
}

static int64_t unattended(const struct alert *a)
{
    return when(!closed(a) && !resting(&a->h) && a->h.seen_at == NO_INT, a->h.unattended_at);
}

/* Also where it was opened again meanwhile. */
static int64_t follow_up(const struct alert *a)
{
    return when(true, a->h.follow_up_at);
}

/* Each timer of an alert: when it goes off, and what then. In the order in which they are told at one moment. */
static const struct {
    int64_t (*at)(const struct alert *);
    void (*tell)(struct engine *, struct record *, struct alert *, int64_t at, const struct judgement *);
} timers[] = {
    {rest_ends, tell_awake},          {due_ends, tell_overdue},    {escalates, tell_escalated},
    {unattended, tell_unattended},    {follow_up, tell_follow_up},
};

static void tell_silent(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    for (uint32_t i = 0; i < a->h.n_taken; i++) {
        struct taken *t = &a->h.taken[i];
        if (t->state != TAKEN_RAN_OUT)
            continue;
        t->state = TAKEN_SILENT;
        struct event ev = alert_event(EVENT_OVERDUE, a->level);
        ev.measure = t->measure;
        ev.ref = t->ref;
        ev.people = t->people;
        ev.amount = t->amount;
        tell(e, c, a, at, j, ev);
    }
}

/* All that is due at `at`. A timer may set another for a later moment, never for this one. */
void timers_tell(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    if (!e->settings->work)
        return;
    tell_silent(e, c, a, at, j);
    for (size_t i = 0; i < ARRAY_LEN(timers); i++)
        if (timers[i].at(a) <= at)
            timers[i].tell(e, c, a, at, j);
    terms_tell(e, c, a, at, j);
}

int64_t timers_next(const struct engine *e, const struct alert *a)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; e->settings->work && i < ARRAY_LEN(timers); i++) {
        int64_t at = timers[i].at(a);
        next = at < next ? at : next;
    }
    for (uint32_t i = 0; e->settings->work && i < a->h.n_taken; i++)
        if (a->h.taken[i].state == TAKEN_OPEN && a->h.taken[i].due != NO_INT && a->h.taken[i].due < next)
            next = a->h.taken[i].due;
    int64_t over = e->settings->work ? terms_next(a) : INT64_MAX;
    return over < next ? over : next;
}
