/* SPDX-License-Identifier: Apache-2.0 */
/* Why: the rules that hold with their signals, and each signal's share of the hazard. */
#include "engine/fold.h"

#include <stdlib.h>

/* ---- reasons ---- */

/* Of a rule that holds because of another enterprise: the first condition of it that does; NULL: none. */
static const struct cond *across(struct engine *e, const struct record *r, const struct cond *c, const struct judgement *j)
{
    const struct cond *found = NULL;
    if (c->op == COND_RELATED && cond_holds(e, r, c, j->at, j->score_level).holds)
        return c;
    for (uint32_t i = 0; (c->op == COND_ALL || c->op == COND_ANY) && i < c->n && !found; i++)
        found = across(e, r, &c->parts[i], j);
    return found;
}

static uint8_t raises_to(const struct judgement *j, const struct rule *rule)
{
    return rule->by_score ? j->score_level : rule->raise;
}

static void make_reason(struct engine *e, const struct record *r, const struct judgement *j, const struct rule *rule,
                        struct scene *scene, struct reason *out)
{
    size_t n;
    uint64_t total;
    *out = (struct reason){.rule = rule->word, .level = raises_to(j, rule)};
    if (e->brief)
        return;
    const struct sig **sigs = rule_signals(e, r, rule, j->at, scene, &n, &total);
    uint64_t *numbers = arena_alloc(&e->scratch, n * sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = sigs[i]->seq;
    *out = (struct reason){rule->word, raises_to(j, rule), (uint32_t)total, (uint32_t)n, numbers, {0}, 0, {0}, false};
    const struct cond *other = rule->across ? across(e, r, &rule->when, j) : NULL;
    if (other)
        out->other = link_other(e, r, other, j->at, &out->link, &out->other_lies);
}

/* Weightiest first; of equal weight in the order of the file. No more than EVENT_REASONS_MAX, so that an event stays
 * small however many rules hold. */
static void add_reasons(struct engine *e, const struct record *r, const struct judgement *j, struct event *ev)
{
    const struct settings *s = e->settings;
    struct reason *list = arena_alloc(&e->scratch, EVENT_REASONS_MAX * sizeof *list);
    struct scene *scene = e->brief ? NULL : scene_of(e, r, j->at, j->score_level);
    for (uint8_t level = LEVEL_CRITICAL; level < LEVEL_COUNT; level--)
        for (uint32_t i = 0; (i = judged_next(s, j, i)) != UINT32_MAX && ev->n_reasons < EVENT_REASONS_MAX; i++)
            if (raises_to(j, &s->rules[i]) == level)
                make_reason(e, r, j, &s->rules[i], scene, &list[ev->n_reasons++]);
    ev->reasons = list;
}

/* Each once, in the order of the file. */
static void add_tags(struct engine *e, const struct judgement *j, struct event *ev)
{
    const struct settings *s = e->settings;
    struct slice *list = arena_alloc(&e->scratch, EVENT_TAGS_MAX * sizeof *list);
    for (uint32_t i = 0; (i = judged_next(s, j, i)) != UINT32_MAX && ev->n_tags < EVENT_TAGS_MAX; i++) {
        bool there = !s->rules[i].tag.n;
        for (uint32_t k = 0; k < ev->n_tags && !there; k++)
            there = slice_eq(list[k], s->rules[i].tag);
        if (!there)
            list[ev->n_tags++] = s->rules[i].tag;
    }
    ev->tags = list;
}

/* ---- evidence ---- */

struct weighed {
    const struct sig *sig;
    const struct series *series; /* NULL: of another enterprise */
    const struct shared *shared;
    hazard_t hazard;
};

static bool weighs(const struct engine *e, const struct series *s)
{
    const struct settings_kind *k = settings_kind(e->settings, s->kind);
    return k && k->hazard;
}

/* Places enough for both rounds of weigh(). */
static size_t room(const struct record *r)
{
    size_t n = r->n_shared;
    for (uint32_t i = 0; i < r->n_series; i++)
        n += r->series[i].n + EVENT_SIGNALS_MAX;
    return n;
}

static int largest_first(const void *a, const void *b)
{
    const struct weighed *x = a, *y = b;
    if (x->hazard != y->hazard)
        return x->hazard < y->hazard ? 1 : -1;
    return -sig_order(x->sig, y->sig);
}

/* The newest of a series that count, up to `most`, of those that weigh more than `least`. Blocks are read only while
 * the last one looked at was heavy enough: where repeats have halved the newest to nothing, older ones are not looked
 * for. */
static size_t weigh_series(struct engine *e, const struct record *r, const struct series *s, int64_t at, size_t most,
                           hazard_t least, struct weighed *out)
{
    const struct settings_kind *k = settings_kind(e->settings, s->kind);
    struct series_walk w;
    const struct sig *sig;
    size_t n = 0;
    bool heavy = true; /* the last one that counts weighed enough */
    series_walk_start(&w, s);
    while (n < most && (w.inline_left || heavy) && (sig = series_walk_next(e, r, &w)) &&
           (s->cleared == NO_INT || sig->at > s->cleared)) {
        hazard_t h = sig->active ? sig_hazard(k, sig, at) : 0;
        if (sig->active)
            heavy = h > least;
        if (h > least)
            out[n++] = (struct weighed){sig, s, NULL, h};
    }
    return n;
}

/* Those of others that count at a share. */
static size_t weigh_shared(const struct engine *e, const struct record *r, int64_t at, struct weighed *out)
{
    size_t n = 0;
    for (uint32_t i = 0; i < r->n_shared; i++) {
        const struct shared *s = &r->shared[i];
        hazard_t h = shared_hazard(settings_kind(e->settings, s->kind), s, at);
        if (h)
            out[n++] = (struct weighed){&s->sig, NULL, s, h};
    }
    return n;
}

/* The heaviest first. What lies in a record is weighed first; the blocks of a series are read only where it is so heavy
 * that an older signal of it may still be among those shown. */
static size_t weigh(struct engine *e, const struct record *r, int64_t at, struct weighed *all)
{
    size_t n = 0;
    for (uint32_t i = 0; i < r->n_series; i++)
        if (weighs(e, &r->series[i]))
            n += weigh_series(e, r, &r->series[i], at, r->series[i].n, 0, all + n);
    if (n)
        qsort(all, n, sizeof *all, largest_first);
    hazard_t least = n >= EVENT_SIGNALS_MAX ? all[EVENT_SIGNALS_MAX - 1].hazard : 0;
    size_t m = 0;
    for (uint32_t i = 0; i < r->n_series; i++)
        if (weighs(e, &r->series[i]))
            m += weigh_series(e, r, &r->series[i], at, EVENT_SIGNALS_MAX, least ? least - 1 : 0, all + n + m);
    memmove(all, all + n, m * sizeof *all);
    m += weigh_shared(e, r, at, all + m);
    if (m)
        qsort(all, m, sizeof *all, largest_first);
    return m < EVENT_SIGNALS_MAX ? m : EVENT_SIGNALS_MAX;
}

static struct evidence make_evidence(const struct weighed *w, uint32_t share)
{
    const struct sig *sig = w->sig;
    struct evidence x = {.seq = sig->seq, .id = sig->id, .at = sig->at, .share_ppm = share, .amount = sig->amount,
                         .people = sig->people, .counted_ppm = PPM};
    if (!w->shared) {
        x.source = w->series->source;
        x.kind = w->series->kind;
        return x;
    }
    x.source = w->shared->source;
    x.kind = w->shared->kind;
    x.from = w->shared->from_uscc.n ? w->shared->from_uscc : w->shared->from_name;
    x.project = w->shared->project;
    x.from_lies = w->shared->from_lies;
    x.counted_ppm = w->shared->share_ppm;
    return x;
}

/* All that counts: how much, and how many. */
static hazard_t sum_evidence(const struct engine *e, const struct record *r, int64_t at, uint32_t *count)
{
    hazard_t total = 0;
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct series *s = &r->series[i];
        if (!weighs(e, s))
            continue;
        total += series_hazard(settings_kind(e->settings, s->kind), s, at);
        *count += s->spilled_active;
        for (uint32_t m = 0; m < s->n; m++)
            *count += s->sigs[m].active;
    }
    for (uint32_t i = 0; i < r->n_shared; i++)
        total += shared_hazard(settings_kind(e->settings, r->shared[i].kind), &r->shared[i], at);
    *count += r->n_shared;
    return total;
}

static void add_evidence(struct engine *e, const struct record *r, const struct judgement *j, struct event *ev)
{
    struct weighed *all = arena_alloc(&e->scratch, room(r) * sizeof *all);
    hazard_t total = sum_evidence(e, r, j->at, &ev->evidence_total);
    size_t n = weigh(e, r, j->at, all);
    bool whole = n == ev->evidence_total; /* then the parts are the sum, and no rounding is left over */
    hazard_t parts = 0;
    for (size_t i = 0; i < n; i++)
        parts += all[i].hazard;
    if (whole || parts > total)
        total = parts;
    uint32_t left = whole && total ? PPM : 0;
    struct evidence *list = arena_alloc(&e->scratch, n * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        uint32_t share = total ? (uint32_t)((unsigned __int128)all[i].hazard * PPM / total) : 0;
        left -= whole ? share : 0;
        list[i] = make_evidence(&all[i], share);
    }
    if (n && whole && total)
        list[0].share_ppm += left;
    ev->evidence = list;
    ev->n_evidence = (uint32_t)n;
}

/* ---- an area ---- */

static void add_members(struct engine *e, const struct record *r, struct event *ev)
{
    struct member *list = arena_alloc(&e->scratch, EVENT_SIGNALS_MAX * sizeof *list);
    ev->n_members = area_members(e, r, list, EVENT_SIGNALS_MAX, &ev->members_total);
    ev->members = list;
}

void explain(struct engine *e, const struct record *r, const struct judgement *j, struct event *ev)
{
    add_reasons(e, r, j, ev);
    add_tags(e, j, ev);
    if (e->brief)
        return;
    add_evidence(e, r, j, ev);
    if (ekey_kind(&r->key) == EKEY_AREA)
        add_members(e, r, ev);
    else
        assess(e, r, j->at, ev);
}
