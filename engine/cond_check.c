/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions say of each other; see cond_check.h. The steps of one check are bounded: beyond them nothing is
 * claimed. */
#include "engine/cond_check.h"

enum { STEPS_MAX = 20000 };

struct check {
    int steps;
};

static bool implies(struct check *, const struct cond *p, const struct cond *q);

bool cond_kinds_within(const struct kind_set *some, const struct kind_set *all)
{
    for (int i = 0; i < KIND_WORDS; i++)
        if (some->bits[i] & ~all->bits[i])
            return false;
    return true;
}

static bool same_where(const struct where *a, const struct where *b)
{
    bool same = a->given == b->given && a->amount_least == b->amount_least && a->amount_most == b->amount_most &&
                a->people_least == b->people_least && a->people_most == b->people_most &&
                a->n_regions == b->n_regions && a->n_sources == b->n_sources;
    for (uint32_t i = 0; same && i < a->n_regions; i++)
        same = a->regions[i] == b->regions[i];
    for (uint32_t i = 0; same && i < a->n_sources; i++)
        same = slice_eq(a->sources[i], b->sources[i]);
    return same;
}

/* Each signal that p takes, q takes. */
static bool selector_within(const struct selector *p, const struct selector *q)
{
    return cond_kinds_within(&p->kinds, &q->kinds) && (!p->cleared_too || q->cleared_too) &&
           (!q->where.given || same_where(&p->where, &q->where));
}

static bool of_signals(const struct cond *c)
{
    return c->op == COND_SIGNAL || c->op == COND_COUNT || c->op == COND_AGENCIES || c->op == COND_REGIONS ||
           c->op == COND_SUM;
}

static bool words_within(const struct slice *p, uint32_t n, const struct slice *q, uint32_t m, bool prefix)
{
    for (uint32_t i = 0; i < n; i++) {
        bool in = false;
        for (uint32_t k = 0; k < m && !in; k++)
            in = prefix ? q[k].n <= p[i].n && memcmp(q[k].p, p[i].p, q[k].n) == 0 : slice_eq(p[i], q[k]);
        if (!in)
            return false;
    }
    return n > 0;
}

static bool regions_within(const struct attributes *p, const struct attributes *q)
{
    for (uint32_t i = 0; i < p->n_regions; i++) {
        bool in = false;
        for (uint32_t k = 0; k < q->n_regions && !in; k++)
            in = region_within(p->regions[i], q->regions[k]);
        if (!in)
            return false;
    }
    return p->n_regions > 0;
}

static bool enterprise_within(const struct attributes *p, const struct attributes *q)
{
    if (q->n_industries && !words_within(p->industries, p->n_industries, q->industries, q->n_industries, true))
        return false;
    if (q->n_tags && !words_within(p->tags, p->n_tags, q->tags, q->n_tags, false))
        return false;
    if (q->n_regions && !regions_within(p, q))
        return false;
    return !q->credits[0] || (p->credits[0] && strspn(p->credits, q->credits) == strlen(p->credits));
}

/* The same operator on both sides, or q asks for a signal that p cannot do without. */
static bool leaf_implies(const struct cond *p, const struct cond *q)
{
    if (p->op == COND_SEQUENCE && q->op == COND_SIGNAL) {
        for (uint32_t i = 0; i < p->n; i++)
            if (selector_within(&p->parts[i].of, &q->of) && p->within <= q->within)
                return true;
        return false;
    }
    if (of_signals(p) && of_signals(q)) {
        bool same = p->op == q->op && p->field == q->field && p->digits == q->digits && p->at_least >= q->at_least;
        bool one = q->op == COND_SIGNAL || ((q->op == COND_COUNT || q->op == COND_AGENCIES) && q->at_least == 1);
        bool apart = p->op == COND_AGENCIES || p->op == COND_REGIONS;
        bool counted = q->op == COND_COUNT && apart && p->at_least >= q->at_least;
        return (same || one || counted) && p->within <= q->within && selector_within(&p->of, &q->of);
    }
    if (p->op != q->op)
        return false;
    switch (p->op) {
    case COND_ENTERPRISE: return enterprise_within(p->enterprise, q->enterprise);
    case COND_SEASON: return slice_eq(p->festival, q->festival) && p->within <= q->within;
    case COND_FINDING: return p->finding == q->finding && p->within <= q->within;
    case COND_RELATED: return p->radiation == q->radiation && !(p->classes & ~q->classes);
    case COND_THRESHOLD: return slice_eq(p->line, q->line);
    case COND_SCORE: return p->at_least >= q->at_least;
    default: return false;
    }
}

static bool any_part_implies(struct check *k, const struct cond *p, const struct cond *q)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (implies(k, &p->parts[i], q))
            return true;
    return false;
}

static bool implies(struct check *k, const struct cond *p, const struct cond *q)
{
    if (++k->steps > STEPS_MAX)
        return false;
    if (p->op == COND_ANY || q->op == COND_ALL) { /* each part of it must */
        const struct cond *each = p->op == COND_ANY ? p : q;
        for (uint32_t i = 0; i < each->n; i++)
            if (!(each == p ? implies(k, &p->parts[i], q) : implies(k, p, &q->parts[i])))
                return false;
        return true;
    }
    if (q->op == COND_ANY)
        for (uint32_t i = 0; i < q->n; i++)
            if (implies(k, p, &q->parts[i]))
                return true;
    if (p->op == COND_ALL)
        return any_part_implies(k, p, q);
    if (p->op == COND_NOT && q->op == COND_NOT)
        return implies(k, q->parts, p->parts);
    return leaf_implies(p, q);
}

bool cond_implies(const struct cond *p, const struct cond *q)
{
    return implies(&(struct check){0}, p, q);
}

static bool industries_meet(const struct attributes *a, const struct attributes *b)
{
    for (uint32_t i = 0; i < a->n_industries; i++)
        for (uint32_t k = 0; k < b->n_industries; k++) {
            size_t n = a->industries[i].n < b->industries[k].n ? a->industries[i].n : b->industries[k].n;
            if (memcmp(a->industries[i].p, b->industries[k].p, n) == 0)
                return true;
        }
    return !a->n_industries || !b->n_industries;
}

static bool excludes(struct check *k, const struct cond *p, const struct cond *q)
{
    const struct cond *all = p->op == COND_ALL ? p : q->op == COND_ALL ? q : NULL, *other = all == p ? q : p;
    if (++k->steps > STEPS_MAX)
        return false;
    for (uint32_t i = 0; all && i < all->n; i++)
        if (excludes(k, &all->parts[i], other))
            return true;
    if (q->op == COND_NOT && implies(k, p, q->parts))
        return true;
    if (p->op == COND_NOT && implies(k, q, p->parts))
        return true;
    if (p->op == COND_FINDING && q->op == COND_FINDING)
        return p->finding != q->finding;
    if (p->op != COND_ENTERPRISE || q->op != COND_ENTERPRISE)
        return false;
    const struct attributes *a = p->enterprise, *b = q->enterprise;
    return !industries_meet(a, b) || (a->credits[0] && b->credits[0] && !strpbrk(a->credits, b->credits));
}

/* One of the two holds whatever happens. */
static bool exhausts(struct check *k, const struct cond *p, const struct cond *q)
{
    return (p->op == COND_NOT && implies(k, p->parts, q)) || (q->op == COND_NOT && implies(k, q->parts, p));
}

void cond_check_parts(struct mistakes *m, const struct tree *list, const struct cond *c)
{
    struct check k = {0};
    for (uint32_t i = 0; i < c->n; i++)
        for (uint32_t j = i + 1; j < c->n; j++) {
            if (c->op == COND_ALL && excludes(&k, &c->parts[i], &c->parts[j]))
                mistake_at(m, list->items[j], NULL,
                           "this can never hold together with the part in line %u, which excludes it",
                           list->items[i]->line);
            else if (c->op == COND_ANY && exhausts(&k, &c->parts[i], &c->parts[j]))
                mistake_at(m, list->items[j], NULL, "this or the part in line %u always holds, so that 'any' asks nothing",
                           list->items[i]->line);
        }
}
