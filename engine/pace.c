/* SPDX-License-Identifier: Apache-2.0 */
/* By when an alert's next step must be done, whose turn it is if it is not, and the rest in which neither runs. An alert
 * has this twice: as it is, and as it would be without the step that `correct` can undo; signals and the clock move both
 * alike, so that undoing takes back nothing of theirs. */
#include "engine/fold.h"

struct pace pace_of(const struct alert *a)
{
    const struct handling *h = &a->h;
    return (struct pace){.due = a->due,
                         .escalate_at = h->escalate_at,
                         .held_since = h->held_since,
                         .held_until = h->held_until,
                         .snoozed_since = h->snoozed_since,
                         .snoozed_until = h->snoozed_until,
                         .snoozed_ms = h->snoozed_ms,
                         .step = h->step,
                         .tier = h->tier,
                         .snoozed_level = h->snoozed_level,
                         .overdue = h->overdue,
                         .n_snoozed_kinds = h->n_snoozed_kinds,
                         .snoozed_kinds = h->snoozed_kinds};
}

void pace_set(struct alert *a, const struct pace *p)
{
    struct handling *h = &a->h;
    a->due = p->due;
    h->escalate_at = p->escalate_at;
    h->held_since = p->held_since;
    h->held_until = p->held_until;
    h->snoozed_since = p->snoozed_since;
    h->snoozed_until = p->snoozed_until;
    h->snoozed_ms = p->snoozed_ms;
    h->step = p->step;
    h->tier = p->tier;
    h->snoozed_level = p->snoozed_level;
    h->overdue = p->overdue;
    h->n_snoozed_kinds = p->n_snoozed_kinds;
    h->snoozed_kinds = p->snoozed_kinds;
}

int64_t pace_deadline(const struct work *w, enum due_step step, uint8_t level, int64_t since)
{
    const struct term *terms = step == DUE_ACCEPT ? w->accept : step == DUE_VERIFY ? w->verify : w->close;
    int64_t end = step == DUE_NONE || since == NO_INT ? INT64_MAX : term_end(w, &terms[level], since);
    return end == INT64_MAX ? NO_INT : end;
}

int64_t pace_rested(const struct pace *p, int64_t at)
{
    return p->held_until != NO_INT ? at - p->held_since : p->snoozed_until != NO_INT ? at - p->snoozed_since : 0;
}

void pace_no_rest(struct pace *p)
{
    p->held_since = p->held_until = p->snoozed_since = p->snoozed_until = NO_INT;
    p->n_snoozed_kinds = 0;
}

void pace_wake(struct pace *p, int64_t at)
{
    int64_t rested = pace_rested(p, at);
    if (p->snoozed_until != NO_INT)
        p->snoozed_ms += rested;
    if (p->due != NO_INT && !p->overdue)
        p->due += rested;
    if (p->escalate_at != NO_INT)
        p->escalate_at += rested;
    pace_no_rest(p);
}

void pace_settle(struct pace *p, int64_t at)
{
    int64_t until = p->held_until != NO_INT ? p->held_until : p->snoozed_until;
    if (until != NO_INT && until <= at)
        pace_wake(p, until);
}

void pace_level(const struct work *w, struct pace *p, uint8_t level, int64_t at)
{
    int64_t due, rested = pace_rested(p, at);
    if (p->due == NO_INT || p->overdue)
        return;
    due = pace_deadline(w, (enum due_step)p->step, level, at);
    if (due != NO_INT && due - rested < p->due)
        p->due = due - rested;
}

/* Good news, and what the register says, are no evidence. */
static bool no_evidence(const struct engine *e, const struct series *s)
{
    uint32_t kind = settings_kind_at(e->settings, s->kind);
    return s->latest == NO_INT || kind == UINT32_MAX || !e->settings->kinds[kind].weight_ppm;
}

bool pace_broken(const struct engine *e, const struct record *c, uint8_t level, const struct pace *p)
{
    if (p->snoozed_until == NO_INT)
        return false;
    if (level > p->snoozed_level)
        return true;
    for (uint32_t i = 0; i < c->n_series; i++) {
        bool known = no_evidence(e, &c->series[i]);
        for (uint32_t k = 0; k < p->n_snoozed_kinds && !known; k++)
            known = p->snoozed_kinds[k] == c->series[i].kind;
        if (!known)
            return true;
    }
    return false;
}

void pace_turn(const struct work *w, struct pace *p, int64_t at)
{
    p->escalate_at = NO_INT;
    if (p->tier + 1u < w->n_tiers) {
        const struct term *t = &w->tiers[p->tier].escalate_after;
        int64_t end = term_end(w, t, t->working ? at - 1 : at); /* 24:00 is the last moment of its day */
        p->escalate_at = end == INT64_MAX ? NO_INT : end - pace_rested(p, at);
    }
}

bool pace_climb(const struct work *w, struct pace *p, int64_t at)
{
    if (!w || p->tier + 1u >= w->n_tiers)
        return false;
    p->tier++;
    if (p->overdue)
        pace_turn(w, p, at);
    return true;
}
