/* SPDX-License-Identifier: Apache-2.0 */
/* Measures that outlive the case: a listing has a term of years, money paid in advance waits until it is
 * recovered. Both go on when the alert is closed, and go along when another alert of the enterprise takes its
 * place. Writer thread. */
#include "engine/rollup.h"
#include "engine/steps.h"
#include "lib/calendar.h"

/* ---- when it is taken, and when the alert is closed ---- */

void terms_begin(const struct engine *e, const struct measure *m, struct taken *now)
{
    int64_t end = m ? term_end(e->settings->work, &m->lasts, now->at) : INT64_MAX;
    now->ends = end == INT64_MAX ? NO_INT : end;
    now->recover = m && m->recover;
}

/* What goes on has no day any more by which somebody must answer: there is no case that the silence could
 * tell of. */
void terms_close(struct alert *a)
{
    for (uint32_t i = 0; i < a->h.n_taken; i++) {
        struct taken *t = &a->h.taken[i];
        if (taken_goes_on(t))
            t->due = NO_INT;
        else if (t->state == TAKEN_OPEN)
            t->state = TAKEN_ENDED;
    }
}

/* A parent stands for its members on a list; it does not answer for them. Each was found on its own, and is
 * closed on its own: money that one firm paid closes no other's case. So none of them is closed with it, and
 * who closes it is told. */
void terms_close_parent(struct deed *d)
{
    uint32_t n = rollup_is_parent(d->c) ? rollup_open(d->e, d->c) : 0;
    d->ev.members_open = n;
    if (n)
        step_say(d, arena_printf(
                        step_arena(d),
                        "closed; %u of its enterprises %s an alert that is open and stays so: close each by "
                        "what was found there",
                        n, n == 1 ? "has" : "have"));
}

bool terms_carry(struct engine *e, struct alert *from, struct alert *to)
{
    struct taken *list = arena_zalloc(&e->scratch, (to->h.n_taken + from->h.n_taken + 1) * sizeof *list);
    uint32_t n = 0;
    for (uint32_t i = 0; i < from->h.n_taken; i++) {
        struct taken *t = &from->h.taken[i];
        if (!taken_goes_on(t))
            continue;
        list[n++] = *t;
        t->state = TAKEN_ENDED;
        t->recover = false; /* counted where it is now */
    }
    if (!n)
        return false;
    for (uint32_t i = 0; i < to->h.n_taken; i++)
        list[n++] = to->h.taken[i];
    to->h.taken = list;
    to->h.n_taken = n;
    return true;
}

/* ---- what a step names ---- */

/* The newest that goes on under that name and document. Without a document: the only one of that name. */
static struct taken *find(const struct deed *d)
{
    struct handling *h = &d->a->h;
    struct taken *found = NULL;
    uint32_t n = 0;
    for (uint32_t i = h->n_taken; i-- > 0;) {
        struct taken *t = &h->taken[i];
        if (!taken_goes_on(t) || !slice_eq(t->measure, d->x->measure))
            continue;
        if (slice_eq(t->ref, d->x->ref))
            return t;
        found = t;
        n++;
    }
    return d->x->ref.n == 0 && n == 1 ? found : NULL;
}

/* "listing (no. 7), fund (no. 8)". */
static const char *going_on(struct deed *d)
{
    const char *words = "";
    for (uint32_t i = 0; i < d->a->h.n_taken; i++) {
        const struct taken *t = &d->a->h.taken[i];
        if (taken_goes_on(t))
            words = arena_printf(step_arena(d), "%s%s%.*s (%.*s)", words, *words ? ", " : "",
                                 SLICE_ARG(t->measure), SLICE_ARG(t->ref));
    }
    return *words ? words : "none";
}

/* NULL with the refusal in *wrong: it names nothing that goes on, or the role may not. */
static struct taken *named(struct deed *d, const char **wrong)
{
    const struct work *w = step_work(d);
    const struct measure *m = w ? work_measure(w, d->x->measure) : NULL;
    struct taken *t = d->x->measure.n ? find(d) : NULL;
    if (!d->x->measure.n)
        *wrong = step_missing(
            d, arena_printf(step_arena(d), "%.*s needs a measure, and its ref", SLICE_ARG(d->x->what)));
    else if (!t)
        *wrong = step_conflict(
            d, arena_printf(step_arena(d),
                            "no measure \"%.*s\" with the ref \"%.*s\" runs on; those that do: %s",
                            SLICE_ARG(d->x->measure), SLICE_ARG(d->x->ref), going_on(d)));
    else
        *wrong = m ? step_check_role(d, m) : NULL;
    return *wrong ? NULL : t;
}

/* ---- its term ---- */

/* "2027-05-26", with the time of day where that is not its beginning. */
static const char *day(struct deed *d, int64_t at)
{
    int64_t zone = step_work(d)->timezone;
    char text[26];
    time_format(at, zone, text);
    bool within = civil_day(at, zone) == civil_day(at - 1, zone);
    return arena_printf(step_arena(d), "%.10s%s%.*s", text, within ? " " : "", within ? 5 : 0, text + 11);
}

const char *terms_check_end(struct deed *d)
{
    const char *wrong;
    struct taken *t = named(d, &wrong);
    const struct work *w = step_work(d);
    if (!t)
        return wrong;
    if (t->ends == NO_INT)
        return step_conflict(
            d, "that measure has no term that could end; money that came back is told by recovered");
    const struct measure *m = w ? work_measure(w, t->measure) : NULL;
    if (!w || !m || !m->may_end_after.given)
        return step_conflict(
            d, arena_printf(
                   step_arena(d),
                   "the measure \"%.*s\" may not end early%s%s; one that was taken by mistake is taken "
                   "back by correct while the alert is open",
                   SLICE_ARG(t->measure), w ? ": it ends by itself on " : "", w ? day(d, t->ends) : ""));
    int64_t from = term_end(w, &m->may_end_after, t->at);
    if (d->e->time < from)
        return step_conflict(d, arena_printf(step_arena(d),
                                             "the measure \"%.*s\" may end early from %s on, not before",
                                             SLICE_ARG(t->measure), day(d, from)));
    return NULL;
}

/* Over is over; what is still to be recovered, or answered, goes on. */
static void over(struct taken *t)
{
    t->ends = NO_INT;
    if (!taken_owed(t) && t->due == NO_INT)
        t->state = TAKEN_ENDED;
}

void terms_take_end(struct deed *d)
{
    struct taken *t = find(d);
    d->ev.ref = t->ref;
    d->ev.people = t->people;
    d->ev.amount = t->amount;
    over(t);
}

int64_t terms_next(const struct alert *a)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < a->h.n_taken; i++) {
        const struct taken *t = &a->h.taken[i];
        if (t->state != TAKEN_ENDED && t->ends != NO_INT && t->ends < next)
            next = t->ends;
    }
    return next;
}

void terms_tell(struct engine *e, struct record *c, struct alert *a, int64_t at, const struct judgement *j)
{
    for (uint32_t i = 0; i < a->h.n_taken; i++) {
        struct taken *t = &a->h.taken[i];
        if (t->state == TAKEN_ENDED || t->ends == NO_INT || t->ends > at)
            continue;
        struct event ev = alert_event(EVENT_MEASURE_ENDED, a->level);
        ev.measure = t->measure;
        ev.ref = t->ref;
        ev.people = t->people;
        ev.amount = t->amount;
        over(t);
        explain(e, c, j, &ev);
        alert_emit(e, c, a, at, &ev);
    }
}

void terms_since(struct handling *before, int64_t now)
{
    for (uint32_t i = 0; i < before->n_taken; i++)
        if (before->taken[i].state != TAKEN_ENDED && before->taken[i].ends <= now &&
            before->taken[i].ends != NO_INT)
            over(&before->taken[i]);
}

/* ---- money that comes back ---- */

bool terms_owed(const struct alert *a)
{
    for (uint32_t i = 0; i < a->h.n_taken; i++)
        if (taken_goes_on(&a->h.taken[i]) && taken_owed(&a->h.taken[i]))
            return true;
    return false;
}

const char *terms_check_recovered(struct deed *d)
{
    enum { FEN = 100 };
    const char *wrong;
    const struct taken *t = named(d, &wrong);
    int64_t owed = t ? taken_owed(t) : 0;
    if (!t)
        return wrong;
    if (!owed)
        return step_conflict(d, "nothing of that measure is to be recovered");
    if (d->x->amount == NO_INT)
        return step_missing(d, "recovered needs an amount: how much came back");
    if (d->x->amount == 0 || d->x->amount > owed)
        return arena_printf(
            step_arena(d),
            "amount: %lld.%02lld yuan of that measure are still to be recovered; give what came back, "
            "that much at most",
            (long long)(owed / FEN), (long long)(owed % FEN));
    return NULL;
}

void terms_take_recovered(struct deed *d)
{
    struct taken *t = find(d);
    d->ev.ref = t->ref;
    t->recovered += d->x->amount;
    if (!taken_owed(t) && t->ends == NO_INT && t->due == NO_INT)
        t->state = TAKEN_ENDED;
}

/* ---- room for another ---- */

const char *terms_check_room(struct deed *d)
{
    const struct handling *h = &d->a->h;
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->n_taken; i++)
        n += taken_goes_on(&h->taken[i]);
    return n < MEASURES_TAKEN_MAX
               ? NULL
               : step_conflict(
                     d, "too many measures of this alert have a term or money to recover; end one first");
}
