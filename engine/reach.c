/* SPDX-License-Identifier: Apache-2.0 */
/* The signals that satisfy a rule: which of them its reason names, and how many there are in all. */
#include "engine/fold.h"

#include <stdlib.h>

/* What the parts of a rule that hold select of one series: all windows end now, so their union is two windows. */
struct reach {
    int64_t active_from;  /* active ones from here on; INT64_MAX: none */
    int64_t cleared_from; /* and those that were cleared, from here on */
    const struct selector *of; /* what else it asks of them; NULL: nothing */
};

static void widen(int64_t *from, int64_t to)
{
    *from = to < *from ? to : *from;
}

static void reach_leaf(struct engine *e, const struct record *r, const struct selector *of, int64_t from,
                       struct reach *reach)
{
    for (uint32_t i = 0; i < r->n_series; i++)
        if (selector_takes(e, of, &r->series[i])) {
            widen(of->cleared_too ? &reach[i].cleared_from : &reach[i].active_from, from);
            if (of->where.given)
                reach[i].of = of;
        }
}

static void reach_weighing(struct engine *e, const struct record *r, struct reach *reach)
{
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct settings_kind *k = settings_kind(e->settings, r->series[i].kind);
        if (k && k->hazard)
            reach[i].active_from = INT64_MIN;
    }
}

/* A condition that holds. Each part of an `all` does too; of an `any` those that do. */
static void reach_cond(struct engine *e, const struct record *r, const struct cond *c, int64_t at, struct scene *scene,
                       struct reach *reach)
{
    for (uint32_t i = 0; i < c->n && c->op == COND_SEQUENCE; i++)
        reach_leaf(e, r, &c->parts[i].of, at - c->within, reach);
    for (uint32_t i = 0; i < c->n && (c->op == COND_ALL || c->op == COND_ANY); i++)
        if (c->op == COND_ALL || scene_holds(scene, &c->parts[i]).holds)
            reach_cond(e, r, &c->parts[i], at, scene, reach);
    if (c->op == COND_SCORE)
        reach_weighing(e, r, reach);
    else if (c->op == COND_ABSENT)
        reach_leaf(e, r, &c->of, INT64_MIN, reach);
    else if (c->op == COND_SIGNAL || c->op == COND_COUNT || c->op == COND_AGENCIES || c->op == COND_REGIONS ||
             c->op == COND_SUM)
        reach_leaf(e, r, &c->of, at - c->within, reach);
}

static bool reached(const struct engine *e, const struct reach *reach, const struct series *s, const struct sig *sig)
{
    bool in_time = (sig->active && sig->at >= reach->active_from) ||
                   (!(sig->flags & SIG_CANCELLED) && sig->at >= reach->cleared_from);
    return in_time && (!reach->of || selector_counts(e, reach->of, s, sig));
}

/* One by one, where more is asked of a signal than its time. */
static uint64_t count_each(struct engine *e, const struct record *r, const struct series *s, const struct reach *reach)
{
    struct series_walk w;
    const struct sig *sig;
    uint64_t n = 0;
    series_walk_start(&w, s);
    while ((sig = series_walk_next(e, r, &w)) && (sig->at >= reach->active_from || sig->at >= reach->cleared_from))
        n += reached(e, reach, s, sig);
    return n;
}

static uint64_t count_reached(struct engine *e, const struct record *r, const struct series *s, const struct reach *reach)
{
    if (reach->of)
        return count_each(e, r, s, reach);
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
    if (from == INT64_MAX)
        return 0;
    series_walk_start(&w, s);
    while (n < most && (w.inline_left || (s->n_blocks && s->blocks[s->n_blocks - 1].last_at >= from)) &&
           (sig = series_walk_next(e, r, &w)) && sig->at >= from)
        if (reached(e, reach, s, sig))
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
    bool blocks = false; /* of a series that is reached */
    for (uint32_t i = 0; i < r->n_series; i++)
        blocks |= r->series[i].n_blocks && reach_from(&reach[i]) != INT64_MAX;
    for (uint32_t i = 0; i < r->n_series; i++)
        n += newest_reached(e, r, &r->series[i], &reach[i], r->series[i].n, reach_from(&reach[i]), list + n);
    if (n > 1)
        qsort(list, n, sizeof *list, order_newest);
    if (!blocks)
        return n < EVENT_SIGNALS_MAX ? n : EVENT_SIGNALS_MAX;
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
                                struct scene *scene, size_t *n, uint64_t *total)
{
    struct reach *reach = arena_alloc(&e->scratch, r->n_series * sizeof *reach);
    size_t room = 0;
    for (uint32_t i = 0; i < r->n_series; i++) {
        reach[i] = (struct reach){INT64_MAX, INT64_MAX, NULL};
        room += r->series[i].n + EVENT_SIGNALS_MAX;
    }
    reach_cond(e, r, &rule->when, at, scene, reach);
    *total = 0;
    for (uint32_t i = 0; i < r->n_series; i++)
        *total += count_reached(e, r, &r->series[i], &reach[i]);
    const struct sig **list = arena_alloc(&e->scratch, room * sizeof *list);
    *n = newest(e, r, reach, list);
    return list;
}
