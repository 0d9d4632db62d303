/* SPDX-License-Identifier: Apache-2.0 */
/* Two enterprises turned out to be one: what becomes of their alerts. Of two that are open the older one stays and takes
 * over the work that was done in the younger, which is withdrawn; one that was closed goes along with its number, so
 * that news opens it again and raises no other. */
#include "engine/fold.h"

/* A record's alert. */
struct side {
    struct record *c;
    struct alert *a;
};

static void first_of(int64_t *when, int64_t other)
{
    if (other != NO_INT && (*when == NO_INT || other < *when))
        *when = other;
}

/* ---- measures ---- */

/* Those that still run first of all; of the rest the newest. */
static void drop_oldest(struct taken *list, uint32_t *n)
{
    while (*n > MEASURES_TAKEN_MAX) {
        uint32_t i = 0;
        while (i < *n && (list[i].state == TAKEN_OPEN || taken_goes_on(&list[i])))
            i++;
        i = i == *n ? 0 : i;
        memmove(&list[i], &list[i + 1], (--*n - i) * sizeof *list);
    }
}

/* All of them go along, in the order in which they were taken: those that run, so that their silence is told; those that
 * were silent, so that an answer that is reported late takes it back. */
static void carry_measures(struct engine *e, struct alert *from, struct alert *to)
{
    uint32_t n = 0, i = 0, k = 0;
    const struct handling *a = &to->h, *b = &from->h;
    struct taken *list = arena_zalloc(&e->scratch, (a->n_taken + b->n_taken + 1) * sizeof *list);
    while (i < a->n_taken || k < b->n_taken) {
        bool ours = k == b->n_taken || (i < a->n_taken && a->taken[i].entry < b->taken[k].entry);
        list[n++] = ours ? a->taken[i++] : b->taken[k++];
    }
    drop_oldest(list, &n);
    for (k = 0; k < from->h.n_taken; k++) {
        struct taken *t = &from->h.taken[k];
        if (t->state == TAKEN_OPEN || taken_goes_on(t))
            t->state = TAKEN_ENDED;
        t->recover = false; /* counted where it is now */
    }
    to->h.taken = list;
    to->h.n_taken = n;
}

/* ---- who has it ---- */

static void join(struct engine *e, struct alert *a, struct slice team)
{
    struct slice *list = arena_alloc(&e->scratch, (a->n_joined + 1) * sizeof *list);
    for (uint32_t i = 0; i < a->n_joined; i++) {
        if (slice_eq(a->joined[i], team))
            return;
        list[i] = a->joined[i];
    }
    if (!team.n)
        return;
    list[a->n_joined++] = team;
    a->joined = list;
}

/* Whoever answered and had looked still hears of it, and whoever was called in. */
static void carry_people(struct engine *e, const struct alert *from, struct alert *to)
{
    struct slice answers = from->team.n ? from->team : from->h.routed;
    for (uint32_t i = 0; i < from->n_joined; i++)
        join(e, to, from->joined[i]);
    if (from->h.seen_at != NO_INT && !slice_eq(answers, to->team.n ? to->team : to->h.routed))
        join(e, to, answers);
}

/* Rules that took either up a tier have had their turn. */
static void carry_climbs(struct engine *e, const struct alert *from, struct alert *to)
{
    uint32_t *words = arena_alloc(&e->scratch, (to->n_escalated + from->n_escalated + 1) * sizeof *words);
    for (uint32_t i = 0; i < to->n_escalated; i++)
        words[i] = to->escalated[i];
    for (uint32_t i = 0; i < from->n_escalated; i++)
        words[to->n_escalated + i] = from->escalated[i];
    to->n_escalated += from->n_escalated;
    to->escalated = words;
}

/* ---- the work ---- */

/* How far it is: by its state, then by what was granted, then by who found something last. */
static bool further(const struct side *x, const struct side *than)
{
    const struct handling *a = &x->a->h, *b = &than->a->h;
    if (x->a->state != than->a->state)
        return x->a->state > than->a->state;
    if (a->extended != b->extended)
        return a->extended > b->extended;
    if ((a->held_until != NO_INT) != (b->held_until != NO_INT))
        return a->held_until != NO_INT;
    return x->a->finding && x->c->finding_entry > than->c->finding_entry;
}

static void carry_finding(const struct record *from, struct record *into)
{
    if (!from->finding_entry)
        return;
    into->finding = from->finding;
    into->finding_at = from->finding_at;
    into->finding_entry = from->finding_entry;
    into->finding_kinds = from->finding_kinds;
    into->n_finding_kinds = from->n_finding_kinds;
}

/* The state that the younger one reached, and by when it goes on. */
static void carry_state(struct alert *from, struct alert *to)
{
    struct handling *h = &to->h;
    struct slice routed = h->routed;
    const struct handling was = *h;
    struct pace p = pace_of(from);
    pace_set(to, &p);
    to->state = from->state;
    to->finding = from->finding;
    h->extended = was.extended > from->h.extended ? was.extended : from->h.extended;
    h->found_who = from->h.found_who;
    h->found_at = from->h.found_at;
    h->found_people = from->h.found_people;
    h->found_amount = from->h.found_amount;
    h->snoozed_ms = was.snoozed_ms > h->snoozed_ms ? was.snoozed_ms : h->snoozed_ms;
    h->routed = from->h.routed.n ? from->h.routed : routed;
    if (from->team.n)
        to->team = from->team;
}

/* Deadlines of the one stood still, before the same step: they do so on, from now. */
static void carry_hold(const struct alert *from, struct alert *to, int64_t at)
{
    struct pace p = pace_of(to);
    if (from->state != to->state || from->h.held_until == NO_INT || p.held_until != NO_INT || from->h.held_until <= at)
        return;
    pace_wake(&p, at);
    p.held_since = at;
    p.held_until = from->h.held_until;
    pace_set(to, &p);
}

static void carry_steps(const struct alert *from, struct alert *to)
{
    struct handling *h = &to->h;
    const struct handling *b = &from->h;
    first_of(&h->opened_at, b->opened_at);
    first_of(&h->seen_at, b->seen_at);
    first_of(&h->accepted_at, b->accepted_at);
    first_of(&h->forwarded_at, b->forwarded_at);
    first_of(&h->verified_at, b->verified_at);
    first_of(&h->unattended_at, b->unattended_at);
    first_of(&h->follow_up_at, b->follow_up_at);
    h->unattended = (h->unattended || b->unattended) && h->seen_at == NO_INT;
}

static void climb_to(struct engine *e, struct alert *a, uint8_t tier)
{
    while (a->h.tier < tier && timers_climb(e, a))
        continue;
}

/* One alert now: the older, as far as the two had come. */
static void carry_work(struct engine *e, const struct side *goes, const struct side *stays, int64_t at)
{
    const struct alert before = *stays->a;
    stays->a->h.undo_entry = 0; /* a step is undone on the alert on which it was done */
    stays->a->h.undo = (struct slice){0};
    if (further(goes, stays))
        carry_state(goes->a, stays->a);
    carry_hold(&before, stays->a, at);
    carry_hold(goes->a, stays->a, at);
    climb_to(e, stays->a, before.h.tier);
    climb_to(e, stays->a, goes->a->h.tier);
    carry_people(e, &before, stays->a);
    carry_people(e, goes->a, stays->a);
    carry_climbs(e, goes->a, stays->a);
    carry_measures(e, goes->a, stays->a);
    carry_steps(goes->a, stays->a);
    stays->a->evidence_sum = ~stays->a->evidence_sum; /* the judgement that follows tells how it stands */
}

static void withdraw(struct engine *e, struct side *goes, uint64_t merged_into, int64_t at)
{
    struct alert *a = goes->a;
    struct event ev = alert_event(EVENT_WITHDRAWN, a->level);
    ev.merged_into = merged_into;
    a->level = LEVEL_NONE;
    a->state = ALERT_STATE_CLOSED;
    a->withdrawn = true;
    a->closed_entry = e->number;
    a->closed_at = at;
    a->h.follow_up_at = NO_INT;
    timers_set(e, a);
    alert_emit(e, goes->c, a, at, &ev);
}

/* ---- the two together ---- */

static void unite(struct engine *e, struct side *from, struct side *into, int64_t at)
{
    struct side *goes = from->a->number < into->a->number ? into : from, *stays = goes == into ? from : into;
    bool theirs = further(from, into);
    carry_work(e, goes, stays, at);
    withdraw(e, goes, stays->a->number, at);
    if (theirs || !into->c->finding_entry)
        carry_finding(from->c, into->c);
    into->a = stays->a;
}

/* One of the two at most is open: that one, else the one that was closed later. A call that is due after the close of the
 * other is still due. */
static void keep_one(struct engine *e, const struct side *from, struct side *into)
{
    struct alert *theirs = from->a, *ours = into->a;
    bool open = from->c->alert_open || into->c->alert_open;
    bool they_stay = !ours || (open ? from->c->alert_open : theirs->closed_entry > ours->closed_entry);
    into->a = they_stay ? theirs : ours;
    if (ours) {
        struct alert *other = they_stay ? ours : theirs;
        first_of(&into->a->h.follow_up_at, other->h.follow_up_at);
        if (terms_carry(e, other, into->a))
            alert_keep(e, other);
    }
    bool later = from->c->finding_entry > into->c->finding_entry; /* but what was found in the one that stays goes first */
    if (into->a->finding ? they_stay : later)
        carry_finding(from->c, into->c);
}

void life_merge(struct engine *e, struct record *from, struct record *into, int64_t at)
{
    struct alert theirs, ours;
    struct side f = {from, alert_load(e, from->alert, &theirs) ? &theirs : NULL};
    struct side t = {into, alert_load(e, into->alert, &ours) ? &ours : NULL};
    if (from->last_seq > into->last_seq)
        into->last_seq = from->last_seq;
    news_merged(from, into);
    if (!f.a)
        return;
    if (t.a && from->alert_open && into->alert_open)
        unite(e, &f, &t, at);
    else
        keep_one(e, &f, &t);
    into->alert = t.a->number;
    into->alert_open |= from->alert_open;
    from->alert_open = false;
    alert_refresh(e, into, t.a);
}
