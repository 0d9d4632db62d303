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

/* Those that the step took were never taken: nobody was silent. */
static void unsaid_measures(struct deed *d, const struct handling *now, const struct handling *before)
{
    for (uint32_t i = 0; i < now->n_taken; i++) {
        bool stays = false;
        for (uint32_t k = 0; k < before->n_taken && !stays; k++)
            stays = before->taken[k].entry == now->taken[i].entry;
        if (!stays)
            timers_unsaid(d->e, d->c, &now->taken[i]);
    }
}

/* What was found before that step: a finding stands until evidence of other kinds comes than it knew. */
static void uncorrected_finding(struct deed *d)
{
    const struct handling *h = &d->a->h;
    if (d->c->finding_entry != h->undo_entry)
        return;
    d->c->finding = h->undo_finding;
    d->c->finding_at = h->undo_finding_at;
    d->c->finding_entry = h->undo_finding_entry;
    d->c->finding_kinds = h->undo_kinds;
    d->c->n_finding_kinds = h->n_undo_kinds;
}

/* What the fold fed itself because of that step. */
static void unfeed(struct deed *d)
{
    for (uint32_t i = 0; i < d->c->n_series; i++)
        for (uint32_t k = d->c->series[i].n; k-- > 0;) {
            const struct sig *s = &d->c->series[i].sigs[k];
            if (s->seq != d->a->h.undo_entry && sig_entry(s) == d->a->h.undo_entry)
                series_cancel(d->e, d->c, &d->c->series[i], s->seq);
        }
    series_prepare(d->e, d->c);
}

/* What is a step's own, and goes back to what it was. By when the next step is due, whose turn it is, and rest are steps'
 * and the clock's: `without` has them. All else in struct handling is the clock's, the signals' or the settings': it stays. */
static const struct {
    size_t at, n;
} of_step[] = {
#define OF(field) {offsetof(struct handling, field), sizeof((struct handling){0}.field)}
    OF(accepted_at), OF(forwarded_at), OF(verified_at), OF(extended), OF(n_taken),
    OF(taken),       OF(found_who),    OF(found_at),    OF(found_people), OF(found_amount),
#undef OF
};

void correct_take(struct deed *d)
{
    struct alert before, *a = d->a;
    struct handling *h = &a->h;
    const struct work *w = step_work(d);
    if (alert_get(arena_slice(&d->e->scratch, h->undo), &d->e->scratch, &before, d->e->err) < 0) {
        d->e->failed = true;
        return;
    }
    uncorrected_finding(d);
    unsaid_measures(d, h, &before.h);
    unfeed(d);
    uncorrected_measures(h, &before.h);
    terms_since(&before.h, d->e->time);
    a->state = before.state;
    a->finding = before.finding;
    a->team = before.team;
    a->n_joined = before.n_joined;
    a->joined = before.joined;
    for (size_t i = 0; i < ARRAY_LEN(of_step); i++)
        memcpy((char *)h + of_step[i].at, (const char *)&before.h + of_step[i].at, of_step[i].n);
    pace_settle(&h->without, d->e->time);
    pace_set(a, &h->without);
    if (w && w->n_tiers && h->tier >= w->n_tiers)
        h->tier = (uint8_t)(w->n_tiers - 1);
    h->undo_entry = 0;
    h->undo = (struct slice){0};
}

/* Before a step that can be taken back: the alert as it is. */
void correct_remember(struct deed *d)
{
    struct handling *h = &d->a->h;
    struct buf b = {0};
    h->undo_entry = 0;
    h->undo = (struct slice){0};
    alert_put(&b, d->a);
    h->undo = (struct slice){arena_copy(&d->e->scratch, b.p, b.n), b.n};
    buf_finish(&b);
    h->undo_entry = d->e->number;
    h->undo_finding = d->c->finding;
    h->undo_finding_at = d->c->finding_at;
    h->undo_finding_entry = d->c->finding_entry;
    h->n_undo_kinds = d->c->n_finding_kinds;
    h->undo_kinds = d->c->finding_kinds;
    h->without = pace_of(d->a);
}
