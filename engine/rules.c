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

struct found {
    const struct sig **list;
    size_t n, cap;
};

static void add_found(struct engine *e, struct found *f, const struct sig *sig)
{
    if (f->n == f->cap) {
        const struct sig **more = arena_alloc(&e->scratch, (f->cap * 2 + 16) * sizeof *more);
        if (f->n)
            memcpy(more, f->list, f->n * sizeof *more);
        f->list = more;
        f->cap = f->cap * 2 + 16;
    }
    f->list[f->n++] = sig;
}

static void find_leaf(struct engine *e, const struct record *r, const struct cond *c, int64_t at, struct found *f)
{
    for (uint32_t i = 0; i < r->n_series; i++) {
        struct series_walk w;
        const struct sig *sig;
        if (!selected(e, c, &r->series[i]))
            continue;
        series_walk_start(&w, &r->series[i]);
        while ((sig = series_walk_next(e, r, &w)) && within(c, sig->at, at))
            if (counts(c, sig))
                add_found(e, f, sig);
    }
}

static void find_weighing(struct engine *e, const struct record *r, struct found *f)
{
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct settings_kind *k = settings_kind(e->settings, r->series[i].kind);
        struct series_walk w;
        const struct sig *sig;
        if (!k || !k->hazard)
            continue;
        series_walk_start(&w, &r->series[i]);
        while ((sig = series_walk_next(e, r, &w)) && (r->series[i].cleared == NO_INT || sig->at > r->series[i].cleared))
            if (sig->active)
                add_found(e, f, sig);
    }
}

static void find(struct engine *e, const struct record *r, const struct cond *c, int64_t at, uint8_t level,
                 struct found *f)
{
    if (!holds(e, r, c, at, level).holds)
        return;
    if (c->op == COND_ALL || c->op == COND_ANY)
        for (uint32_t i = 0; i < c->n; i++)
            find(e, r, &c->parts[i], at, level, f);
    else if (c->op == COND_SCORE)
        find_weighing(e, r, f);
    else
        find_leaf(e, r, c, at, f);
}

static int order_newest(const void *a, const void *b)
{
    return -sig_order(*(const struct sig *const *)a, *(const struct sig *const *)b);
}

const struct sig **rule_signals(struct engine *e, const struct record *r, const struct rule *rule, int64_t at,
                                uint8_t score_level, size_t *n)
{
    struct found f = {0};
    size_t kept = 0;
    find(e, r, &rule->when, at, score_level, &f);
    if (f.n)
        qsort(f.list, f.n, sizeof *f.list, order_newest);
    for (size_t i = 0; i < f.n; i++)
        if (kept == 0 || f.list[kept - 1]->seq != f.list[i]->seq)
            f.list[kept++] = f.list[i];
    *n = kept;
    return f.list;
}
