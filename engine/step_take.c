/* SPDX-License-Identifier: Apache-2.0 */
/* What each step changes, once it is allowed. */
#include "engine/steps.h"

static void first_time(int64_t *when, int64_t now)
{
    if (*when == NO_INT)
        *when = now;
}

void step_take_seen(struct deed *d)
{
    d->a->h.unattended = false;
    first_time(&d->a->h.seen_at, d->e->time);
}

void step_take_accept(struct deed *d)
{
    d->a->h.accepted_at = d->e->time;
}

/* What a team found stands until evidence of a kind comes that did not count when it looked. */
static void note_finding(struct engine *e, struct record *c, uint8_t finding)
{
    c->finding = finding;
    c->finding_at = e->time;
    c->finding_entry = e->number;
    c->finding_kinds = arena_alloc(&e->scratch, (c->n_series + 1) * sizeof *c->finding_kinds);
    c->n_finding_kinds = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].latest != NO_INT)
            c->finding_kinds[c->n_finding_kinds++] = c->series[i].kind;
}

/* Signals by the fold itself that settle others, as configured: the money is there, or the claims were made up. */
static void settle(struct deed *d, const struct settles *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        timers_feed(d->e, d->c, s->kinds[i], d->e->time, NO_INT, NO_INT);
    if (s->n)
        series_prepare(d->e, d->c);
}

void step_take_verify(struct deed *d)
{
    d->a->finding = (uint8_t)step_finding(d->x->finding);
    note_finding(d->e, d->c, d->a->finding);
    d->a->h.found_who = step_who(d);
    d->a->h.found_at = d->e->time;
    d->a->h.found_people = d->x->people;
    d->a->h.found_amount = d->x->amount;
    first_time(&d->a->h.verified_at, d->e->time);
    if (d->a->finding != FINDING_CONFIRMED)
        terms_close(d->a); /* nobody is silent about what is not owed */
    if (d->a->finding == FINDING_FALSE_CLAIM && step_work(d))
        settle(d, &step_work(d)->settled_by_false_claim);
}

/* The same measure with the same document again ends the one before it; what came back of that money came back of this. */
static void end_same(struct handling *h, struct taken *now)
{
    for (uint32_t i = 0; i < h->n_taken; i++) {
        struct taken *t = &h->taken[i];
        bool stands = t->state == TAKEN_OPEN || taken_goes_on(t) || t->recover;
        if (!stands || !slice_eq(t->measure, now->measure) || !slice_eq(t->ref, now->ref))
            continue;
        t->state = TAKEN_ENDED;
        if (now->recover && t->recover && t->recovered > now->recovered)
            now->recovered = t->recovered;
        t->recover = false;
    }
}

/* Of a full list, which makes room: the oldest that is over, else the oldest that does not go on. */
static uint32_t drops(const struct handling *h)
{
    for (uint32_t i = 0; i < h->n_taken; i++)
        if (h->taken[i].state == TAKEN_ENDED && !h->taken[i].recover)
            return i;
    for (uint32_t i = 0; i < h->n_taken; i++)
        if (!taken_goes_on(&h->taken[i]))
            return i;
    return 0;
}

void step_take_dispose(struct deed *d)
{
    struct handling *h = &d->a->h;
    const struct work *w = step_work(d);
    const struct measure *m = w ? work_measure(w, d->x->measure) : NULL;
    int64_t due = d->x->due != NO_INT || !m ? d->x->due : term_end(w, &m->due, d->e->time);
    struct taken now = {.measure = d->x->measure, .ref = d->x->ref, .entry = d->e->number, .at = d->e->time,
                        .due = due == INT64_MAX ? NO_INT : due, .people = d->x->people, .amount = d->x->amount};
    first_time(&h->forwarded_at, d->e->time);
    terms_begin(d->e, m, &now);
    end_same(h, &now);
    uint32_t drop = h->n_taken >= MEASURES_TAKEN_MAX ? drops(h) : UINT32_MAX, n = 0; /* the journal has them all */
    struct taken *list = arena_zalloc(&d->e->scratch, (h->n_taken + 1) * sizeof *list);
    for (uint32_t i = 0; i < h->n_taken; i++)
        if (i != drop)
            list[n++] = h->taken[i];
    list[n++] = now;
    h->n_taken = n;
    h->taken = list;
}

/* Called back later: what was paid always, of the rest a share, drawn by the alert's number so that anybody can check. */
static void set_follow_up(struct deed *d, bool paid)
{
    enum { PPM_ONE = 1000000 };
    const struct work *w = step_work(d);
    bool drawn = w && sig_mix(d->a->number) % PPM_ONE < w->follow_up_ppm;
    int64_t at = w && (paid || drawn) ? term_end(w, &w->follow_up, d->e->time) : INT64_MAX;
    if (at != INT64_MAX)
        d->a->h.follow_up_at = at; /* else one that an earlier close still wants stays */
}

void step_take_close(struct deed *d)
{
    bool paid = work_outcome(d->x->outcome) == OUTCOME_PAID;
    d->a->closed_entry = d->e->number;
    d->a->closed_at = d->e->time;
    if (paid && step_work(d))
        settle(d, &step_work(d)->settled_by_paid);
    terms_close(d->a);
    terms_close_parent(d);
    set_follow_up(d, paid);
}

/* Called back, or looked at again: what was closed is so, or it is not. */
void step_take_follow_up(struct deed *d)
{
    d->a->h.follow_up_at = NO_INT;
    if (step_finding(d->x->finding) == FINDING_UNFOUNDED)
        step_say(d, d->c->alert == d->a->number ? "it is not as it was closed; `reopen` takes the case up again"
                                                : "it is not as it was closed; a later alert of this enterprise has the case now");
}

/* The same case goes on: who was called in still has it. */
void step_take_reopen(struct deed *d)
{
    uint8_t tier = d->a->h.tier;
    timers_open(d->e, d->a, d->e->time);
    d->a->h.tier = tier;
    d->a->withdrawn = false;
    d->a->h.routed = route_team(d->e, d->c);
    d->a->h.seen_at = d->a->h.accepted_at = d->e->time;
}

void step_take_assign(struct deed *d)
{
    d->a->team = d->x->team;
    first_time(&d->a->h.forwarded_at, d->e->time);
}

void step_take_join(struct deed *d)
{
    struct alert *a = d->a;
    struct slice *joined = arena_alloc(&d->e->scratch, (a->n_joined + 1) * sizeof *joined);
    first_time(&a->h.forwarded_at, d->e->time);
    for (uint32_t i = 0; i < a->n_joined; i++) {
        joined[i] = a->joined[i];
        if (slice_eq(joined[i], d->x->team))
            return;
    }
    joined[a->n_joined++] = d->x->team;
    a->joined = joined;
}

void step_take_escalate(struct deed *d)
{
    struct pace now = pace_of(d->a);
    const struct work *w = step_work(d);
    if (w && w->has_teams)
        pace_climb(w, &now, d->e->time);
    else
        now.tier++; /* once: to whom it goes is not configured */
    pace_set(d->a, &now);
    first_time(&d->a->h.forwarded_at, d->e->time);
}

void step_take_extend(struct deed *d)
{
    d->a->h.extended++;
    d->a->h.overdue = false;
    d->a->h.escalate_at = NO_INT;
    d->a->due = step_extended(step_work(d), d->a);
}

void step_take_hold(struct deed *d)
{
    timers_wake(d->a, d->e->time);
    d->a->h.held_since = d->e->time;
    d->a->h.held_until = d->ev.until = d->x->until;
}

void step_take_snooze(struct deed *d)
{
    struct handling *h = &d->a->h;
    timers_wake(d->a, d->e->time);
    h->snoozed_since = d->e->time;
    h->snoozed_until = d->ev.until = d->x->until;
    h->snoozed_level = d->a->level;
    h->snoozed_kinds = arena_alloc(&d->e->scratch, (d->c->n_series + 1) * sizeof *h->snoozed_kinds);
    h->n_snoozed_kinds = 0;
    for (uint32_t i = 0; i < d->c->n_series; i++)
        if (d->c->series[i].latest != NO_INT)
            h->snoozed_kinds[h->n_snoozed_kinds++] = d->c->series[i].kind;
}
