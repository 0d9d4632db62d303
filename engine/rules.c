/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates conditions over the signals of a record. A condition says whether it holds, and until when it surely keeps
 * saying so if nothing new comes; that is all the clock needs to know. Cost: the series of the record, and of a series
 * no more signals than the condition asks for. */
#include "engine/fold.h"

#include <stdlib.h>

static bool within(const struct cond *c, int64_t sig_at, int64_t at)
{
    return sig_at >= at || at - sig_at <= c->within;
}

/* First time at which a signal of `sig_at` no longer lies within. */
static int64_t leaves(const struct cond *c, int64_t sig_at)
{
    return sig_at + c->within + 1;
}

static bool selected(const struct engine *e, const struct cond *c, const struct series *s)
{
    uint32_t kind = settings_kind_at(e->settings, s->kind);
    return kind != UINT32_MAX && kind_in(&c->of.kinds, kind);
}

static bool counts(const struct cond *c, const struct sig *sig)
{
    return sig->active || (c->of.cleared_too && !(sig->flags & SIG_CANCELLED));
}

/* at of the latest signal of a series that counts; NO_INT: none. */
static int64_t latest(struct engine *e, const struct record *r, const struct cond *c, const struct series *s)
{
    if (!c->of.cleared_too)
        return s->latest;
    struct series_walk w;
    const struct sig *sig;
    series_walk_start(&w, s);
    while ((sig = series_walk_next(e, r, &w)))
        if (counts(c, sig))
            return sig->at;
    return NO_INT;
}

static struct verdict never(void)
{
    return (struct verdict){false, INT64_MAX};
}

static struct verdict holds_signal(struct engine *e, const struct record *r, const struct cond *c, int64_t at)
{
    int64_t best = NO_INT;
    for (uint32_t i = 0; i < r->n_series; i++) {
        int64_t t = selected(e, c, &r->series[i]) ? latest(e, r, c, &r->series[i]) : NO_INT;
        if (t > best)
            best = t;
    }
    return best != NO_INT && within(c, best, at) ? (struct verdict){true, leaves(c, best)} : never();
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* The n-th newest of times decides. */
static struct verdict nth(const struct cond *c, int64_t *times, size_t n, int64_t at)
{
    if (n < c->at_least)
        return never();
    qsort(times, n, sizeof *times, newest_first);
    int64_t t = times[c->at_least - 1];
    return within(c, t, at) ? (struct verdict){true, leaves(c, t)} : never();
}

static struct verdict holds_count(struct engine *e, const struct record *r, const struct cond *c, int64_t at)
{
    int64_t *times = NULL;
    size_t n = 0, cap = 0;
    for (uint32_t i = 0; i < r->n_series; i++) {
        struct series_walk w;
        const struct sig *sig;
        uint32_t here = 0;
        if (!selected(e, c, &r->series[i]))
            continue;
        series_walk_start(&w, &r->series[i]);
        while (here < c->at_least && (sig = series_walk_next(e, r, &w)) && within(c, sig->at, at)) {
            if (!counts(c, sig))
                continue;
            if (n == cap) {
                int64_t *more = arena_alloc(&e->scratch, (cap * 2 + 16) * sizeof *more);
                if (n)
                    memcpy(more, times, n * sizeof *more);
                times = more;
                cap = cap * 2 + 16;
            }
            times[n++] = sig->at;
            here++;
        }
    }
    return nth(c, times, n, at);
}

static struct verdict holds_agencies(struct engine *e, const struct record *r, const struct cond *c, int64_t at)
{
    int64_t by_agency[AGENCIES_MAX], times[AGENCIES_MAX];
    uint64_t touched = 0;
    size_t n = 0;
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct series *s = &r->series[i];
        int64_t t = selected(e, c, s) ? latest(e, r, c, s) : NO_INT;
        if (t == NO_INT)
            continue;
        uint32_t agency = settings_kind(e->settings, s->kind)->agency;
        if (!(touched >> agency & 1) || t > by_agency[agency])
            by_agency[agency] = t;
        touched |= UINT64_C(1) << agency;
    }
    for (uint32_t a = 0; a < AGENCIES_MAX; a++)
        if (touched >> a & 1)
            times[n++] = by_agency[a];
    return nth(c, times, n, at);
}

static struct verdict holds(struct engine *, const struct record *, const struct cond *, int64_t, uint8_t);

/* all: true as long as each part is; false at least until the last of those that fail may change. any: the mirror. */
static struct verdict holds_parts(struct engine *e, const struct record *r, const struct cond *c, int64_t at,
                                  uint8_t score_level)
{
    bool all = c->op == COND_ALL;
    struct verdict v = {all, all ? INT64_MAX : 0};
    int64_t strongest = 0, weakest = INT64_MAX;
    for (uint32_t i = 0; i < c->n; i++) {
        struct verdict p = holds(e, r, &c->parts[i], at, score_level);
        if (p.holds != all) { /* this part decides */
            v.holds = !all;
            strongest = p.until > strongest ? p.until : strongest;
        }
        weakest = p.until < weakest ? p.until : weakest;
    }
    v.until = v.holds == all ? weakest : strongest;
    return v;
}

static struct verdict holds(struct engine *e, const struct record *r, const struct cond *c, int64_t at, uint8_t level)
{
    switch (c->op) {
    case COND_ALL:
    case COND_ANY:
        return holds_parts(e, r, c, at, level);
    case COND_SIGNAL:
        return holds_signal(e, r, c, at);
    case COND_COUNT:
        return holds_count(e, r, c, at);
    case COND_AGENCIES:
        return holds_agencies(e, r, c, at);
    case COND_SCORE: /* when the score changes is score_next's business */
        return (struct verdict){level != LEVEL_NONE, INT64_MAX};
    }
    assert(!"a condition without an operator");
    return never();
}

struct verdict rule_holds(struct engine *e, const struct record *r, const struct rule *rule, int64_t at,
                          uint8_t level)
{
    return holds(e, r, &rule->when, at, level);
}

/* ---- the signals that satisfy it ---- */

/* What the parts of a rule that hold select of one series: all windows end now, so their union is two windows. */
struct reach {
    int64_t active_from;  /* active ones from here on; INT64_MAX: none */
    int64_t cleared_from; /* and those that were cleared, from here on */
};

static void widen(int64_t *from, int64_t to)
{
    *from = to < *from ? to : *from;
}

static void reach_leaf(struct engine *e, const struct record *r, const struct cond *c, int64_t at, struct reach *reach)
{
    for (uint32_t i = 0; i < r->n_series; i++)
        if (selected(e, c, &r->series[i]))
            widen(c->of.cleared_too ? &reach[i].cleared_from : &reach[i].active_from, at - c->within);
}

static void reach_weighing(struct engine *e, const struct record *r, struct reach *reach)
{
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct settings_kind *k = settings_kind(e->settings, r->series[i].kind);
        if (k && k->hazard)
            reach[i].active_from = INT64_MIN;
    }
}

static void reach_cond(struct engine *e, const struct record *r, const struct cond *c, int64_t at, uint8_t level,
                       struct reach *reach)
{
    if (!holds(e, r, c, at, level).holds)
        return;
    if (c->op == COND_ALL || c->op == COND_ANY)
        for (uint32_t i = 0; i < c->n; i++)
            reach_cond(e, r, &c->parts[i], at, level, reach);
    else if (c->op == COND_SCORE)
        reach_weighing(e, r, reach);
    else
        reach_leaf(e, r, c, at, reach);
}

static bool reached(const struct reach *reach, const struct sig *sig)
{
    return (sig->active && sig->at >= reach->active_from) ||
           (!(sig->flags & SIG_CANCELLED) && sig->at >= reach->cleared_from);
}

static uint64_t count_reached(struct engine *e, const struct record *r, const struct series *s, const struct reach *reach)
{
    uint64_t n = reach->active_from == INT64_MAX ? 0 : series_count(e, r, s, reach->active_from, false);
    if (reach->cleared_from == INT64_MAX)
        return n;
    int64_t both = reach->cleared_from > reach->active_from ? reach->cleared_from : reach->active_from;
    uint64_t twice = reach->active_from == INT64_MAX ? 0 : series_count(e, r, s, both, false);
    return n + series_count(e, r, s, reach->cleared_from, true) - twice;
}

/* The newest of one series, up to `most`, not older than `from`. */
static size_t newest_reached(struct engine *e, const struct record *r, const struct series *s, const struct reach *reach,
                             size_t most, int64_t from, const struct sig **out)
{
    struct series_walk w;
    const struct sig *sig;
    size_t n = 0;
    series_walk_start(&w, s);
    while (n < most && (w.inline_left || (s->n_blocks && s->blocks[s->n_blocks - 1].last_at >= from)) &&
           (sig = series_walk_next(e, r, &w)) && sig->at >= from)
        if (reached(reach, sig))
            out[n++] = sig;
        else if (sig->at <= s->cleared && reach->cleared_from == INT64_MAX)
            break;
    return n;
}

static int order_newest(const void *a, const void *b)
{
    return -sig_order(*(const struct sig *const *)a, *(const struct sig *const *)b);
}

static int64_t reach_from(const struct reach *reach)
{
    return reach->active_from < reach->cleared_from ? reach->active_from : reach->cleared_from;
}

/* The newest over all series. Those in the record come first; blocks are read only of a series of which an older signal
 * may still be among the newest. */
static size_t newest(struct engine *e, const struct record *r, const struct reach *reach, const struct sig **list)
{
    size_t n = 0, m = 0;
    for (uint32_t i = 0; i < r->n_series; i++)
        n += newest_reached(e, r, &r->series[i], &reach[i], r->series[i].n, reach_from(&reach[i]), list + n);
    if (n)
        qsort(list, n, sizeof *list, order_newest);
    int64_t least = n >= EVENT_SIGNALS_MAX ? list[EVENT_SIGNALS_MAX - 1]->at : INT64_MIN;
    for (uint32_t i = 0; i < r->n_series; i++) {
        int64_t from = reach_from(&reach[i]);
        m += newest_reached(e, r, &r->series[i], &reach[i], EVENT_SIGNALS_MAX, from > least ? from : least, list + n + m);
    }
    memmove(list, list + n, m * sizeof *list);
    if (m)
        qsort(list, m, sizeof *list, order_newest);
    return m < EVENT_SIGNALS_MAX ? m : EVENT_SIGNALS_MAX;
}

const struct sig **rule_signals(struct engine *e, const struct record *r, const struct rule *rule, int64_t at,
                                uint8_t score_level, size_t *n, uint64_t *total)
{
    struct reach *reach = arena_alloc(&e->scratch, r->n_series * sizeof *reach);
    size_t room = 0;
    for (uint32_t i = 0; i < r->n_series; i++) {
        reach[i] = (struct reach){INT64_MAX, INT64_MAX};
        room += r->series[i].n + EVENT_SIGNALS_MAX;
    }
    reach_cond(e, r, &rule->when, at, score_level, reach);
    *total = 0;
    for (uint32_t i = 0; i < r->n_series; i++)
        *total += count_reached(e, r, &r->series[i], &reach[i]);
    const struct sig **list = arena_alloc(&e->scratch, room * sizeof *list);
    *n = newest(e, r, reach, list);
    return list;
}
