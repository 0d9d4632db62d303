/* SPDX-License-Identifier: Apache-2.0 */
/* `correct`: the last step is undone. What signals, settings and the clock did since stays. */
#include "engine/steps.h"

const char *correct_check(struct deed *d)
{
    const struct handling *h = &d->a->h;
    if (!d->x->undo)
        return step_missing(d, "undo is missing: the seq that the mistaken step's done gave");
    if (d->x->undo == h->undo_entry)
        return NULL;
    return step_conflict(d, h->undo_entry ? arena_printf(step_arena(d), "only the last step can be undone, which is %llu",
                                                    (unsigned long long)h->undo_entry)
                                     : "there is no step that could be undone");
}

/* Measures as before the step, but what has come of them since: what was told is not told again. */
static void uncorrected_measures(const struct handling *now, struct handling *before)
{
    for (uint32_t i = 0; i < before->n_taken; i++)
        for (uint32_t k = 0; k < now->n_taken; k++)
            if (now->taken[k].entry == before->taken[i].entry && now->taken[k].state != TAKEN_ENDED)
                before->taken[i].state = now->taken[k].state;
}

/* What the clock, the rules and new settings did since the step, and that somebody has looked. */
static void keep_since(struct deed *d, const struct handling *now, uint8_t level_before)
{
    struct handling *h = &d->a->h;
    uint8_t tier = (uint8_t)(now->tier - now->undo_climbed);
    uncorrected_measures(now, h);
    h->seen_at = now->seen_at;
    h->unattended_at = now->unattended_at;
    h->unattended = now->unattended;
    h->routed = now->routed;
    if (tier != h->tier) {
        h->tier = tier;
        if (h->overdue)
            timers_turn(d->e, d->a);
    }
    timers_level(d->e, d->a, level_before, d->e->time);
}

/* As it was before the step: what teams did, not what signals or the clock brought since. */
void correct_take(struct deed *d)
{
    struct alert before, *a = d->a;
    struct handling *h = &a->h, now = a->h;
    if (alert_get(arena_slice(&d->e->scratch, h->undo), &d->e->scratch, &before, d->e->err) < 0) {
        d->e->failed = true;
        return;
    }
    if (d->c->finding_entry == h->undo_entry) {
        d->c->finding = h->undo_finding;
        d->c->finding_at = h->undo_finding_at;
        d->c->finding_entry = h->undo_finding_entry;
    }
    for (uint32_t i = 0; i < d->c->n_series; i++)
        for (uint32_t k = d->c->series[i].n; k-- > 0;)
            if (d->c->series[i].sigs[k].seq != h->undo_entry && sig_entry(&d->c->series[i].sigs[k]) == h->undo_entry)
                series_cancel(d->e, d->c, &d->c->series[i], d->c->series[i].sigs[k].seq);
    series_prepare(d->e, d->c);
    a->state = before.state;
    a->finding = before.finding;
    a->due = before.due;
    a->team = before.team;
    a->n_joined = before.n_joined;
    a->joined = before.joined;
    a->h = before.h;
    keep_since(d, &now, before.level);
    a->h.undo_entry = 0;
    a->h.undo = (struct slice){0};
}

/* Before a step that can be taken back: the alert as it is. */
void correct_remember(struct deed *d)
{
    struct handling *h = &d->a->h;
    struct buf b = {0};
    h->undo_entry = 0;
    h->undo = (struct slice){0};
    h->undo_climbed = false;
    alert_put(&b, d->a);
    h->undo = (struct slice){arena_copy(&d->e->scratch, b.p, b.n), b.n};
    buf_finish(&b);
    h->undo_entry = d->e->number;
    h->undo_finding = d->c->finding;
    h->undo_finding_at = d->c->finding_at;
    h->undo_finding_entry = d->c->finding_entry;
}
