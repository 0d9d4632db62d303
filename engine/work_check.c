/* SPDX-License-Identifier: Apache-2.0 */
/* What compiles and cannot be meant: places without a team or with two, tiers that nobody is in, measures whose terms
 * contradict each other. Told when a configuration is checked, never when a journal is folded. Pure. */
#include "engine/work.h"

#include "lib/mem.h"

#include <stdlib.h>

/* ---- routes ---- */

struct check {
    const struct work *w;
    struct arena words;
    size_t found, most;
    void (*told)(void *, const char *);
    void *arg;
};

static void tell(struct check *c, const char *sentence)
{
    if (c->found++ < c->most)
        c->told(c->arg, sentence);
}

/* False: it was told that nobody answers there. */
static bool check_place(struct check *c, region_t place, struct slice industry, unsigned tier)
{
    char code[16];
    if (work_team(c->w, place, industry, tier))
        return true;
    region_text(place, code);
    tell(c, arena_printf(&c->words, "no team answers for %s at the tier \"%s\"%s%.*s; name its region or a prefix of it%s", code,
                         c->w->tiers[tier].id.p, industry.n ? " for industry " : "", SLICE_ARG(industry),
                         c->w->n_covers ? "" : ", or say under 'covers' which places need one"));
    return false;
}

/* One prefix of one industry that a team answers for. Two that are the same are both the best wherever the one is. */
struct claim {
    unsigned tier;
    region_t region;
    struct slice industry;
    const struct team *team;
};

static int by_claim(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    if (x->tier != y->tier)
        return x->tier < y->tier ? -1 : 1;
    if (x->region != y->region)
        return x->region < y->region ? -1 : 1;
    if (x->industry.n != y->industry.n)
        return x->industry.n < y->industry.n ? -1 : 1;
    int order = x->industry.n ? memcmp(x->industry.p, y->industry.p, x->industry.n) : 0;
    return order ? order : (x->team > y->team) - (x->team < y->team);
}

static size_t claims_of(const struct team *t, struct claim *out)
{
    size_t n = 0;
    for (uint32_t i = 0; i < t->n_regions; i++)
        for (uint32_t k = 0; k < (t->n_industries ? t->n_industries : 1); k++, n++)
            if (out)
                out[n] = (struct claim){t->tier, t->regions[i], t->n_industries ? t->industries[k] : (struct slice){0}, t};
    return n;
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
    return a->tier == b->tier && a->region == b->region && slice_eq(a->industry, b->industry) && a->team != b->team;
}

static void check_overlaps(struct check *c)
{
    size_t n = 0, at = 0;
    for (uint32_t i = 0; i < c->w->n_teams; i++)
        n += claims_of(&c->w->teams[i], NULL);
    struct claim *claims = mem_alloc((n + 1) * sizeof *claims);
    for (uint32_t i = 0; i < c->w->n_teams; i++)
        at += claims_of(&c->w->teams[i], claims + at);
    qsort(claims, n, sizeof *claims, by_claim);
    for (size_t i = 1; i < n; i++) {
        const struct claim *x = &claims[i - 1], *y = &claims[i];
        char code[16];
        if (!same_claim(x, y))
            continue;
        region_text(x->region, code);
        tell(c, arena_printf(&c->words, "both \"%.*s\" and \"%.*s\" answer for %s at the tier \"%s\"%s%.*s; take it from one of them",
                             SLICE_ARG(x->team->id), SLICE_ARG(y->team->id), code, c->w->tiers[x->tier].id.p,
                             x->industry.n ? " for industry " : "", SLICE_ARG(x->industry)));
    }
    free(claims);
}

/* Without `covers`: wherever any team answers. */
static bool covered(const struct work *w, region_t place)
{
    for (uint32_t i = 0; i < w->n_covers; i++)
        if (region_within(place, w->covers[i]))
            return true;
    for (uint32_t i = 0; !w->n_covers && i < w->n_teams; i++)
        for (uint32_t k = 0; k < w->teams[i].n_regions; k++)
            if (region_within(place, w->teams[i].regions[k]))
                return true;
    return false;
}

/* Places that only group others need no team of their own where all of those have one: only the lowest are looked at. */
static bool has_parts(const region_t *places, size_t n, size_t i)
{
    return i + 1 < n && places[i + 1] != places[i] && region_within(places[i + 1], places[i]);
}

static int by_text(const void *a, const void *b)
{
    char x[16], y[16];
    region_text(*(const region_t *)a, x);
    region_text(*(const region_t *)b, y);
    return strcmp(x, y);
}

size_t work_check_routes(const struct work *w, const region_t *places, size_t n, size_t most,
                         void (*told)(void *, const char *sentence), void *arg)
{
    struct check c = {.w = w, .most = most, .told = told, .arg = arg};
    region_t *sorted = mem_alloc((n + 1) * sizeof *sorted);
    if (n)
        memcpy(sorted, places, n * sizeof *sorted);
    if (n)
        qsort(sorted, n, sizeof *sorted, by_text); /* a place comes before its parts */
    check_overlaps(&c);
    for (size_t i = 0; i < n; i++)
        for (unsigned tier = 0; covered(w, sorted[i]) && !has_parts(sorted, n, i) && tier < w->n_tiers; tier++) {
            bool good = check_place(&c, sorted[i], (struct slice){0}, tier);
            for (uint32_t k = 0; good && k < w->n_leads; k++)
                if (w->leads[k].industry.n)
                    good = check_place(&c, sorted[i], w->leads[k].industry, tier);
        }
    free(sorted);
    arena_finish(&c.words);
    return c.found;
}

/* ---- teams and measures, each with its line ---- */

static void check_tiers(const struct work *w, const struct tree *teams, struct mistakes *m)
{
    const struct tree *tiers = tree_get(teams, "tiers");
    for (uint32_t i = 0; i < w->n_tiers && tiers && i < tiers->n; i++) {
        uint32_t k = 0;
        while (k < w->n_teams && w->teams[k].tier != i)
            k++;
        if (k == w->n_teams)
            mistake_at(m, tiers->items[i], "give it a team, or leave it out", "the tier \"%.*s\" has no team",
                       SLICE_ARG(w->tiers[i].id));
    }
}

/* Is a term longer than another, on whichever day of a plain week it begins? */
static bool longer(const struct work *w, const struct term *a, const struct term *b)
{
    const int64_t monday = INT64_C(1780243200000); /* 2026-06-01 00:00 at +08:00; no holiday for weeks */
    bool always = a->given && b->given;
    for (int day = 0; day < 7 && always; day++)
        always = term_end(w, a, monday + day * DAY_MS) > term_end(w, b, monday + day * DAY_MS);
    return always;
}

static void check_measure(const struct work *w, const struct measure *x, const struct tree *t, struct mistakes *m)
{
    if (longer(w, &x->due, &x->due_most))
        mistake_at(m, tree_get(t, "due"), NULL, "due is longer than due_most allows");
    if (longer(w, &x->may_end_after, &x->lasts))
        mistake_at(m, tree_get(t, "may_end_after"), NULL, "may_end_after lies beyond the end, which `lasts` sets");
    if (x->recover && !(x->wants & WANT_AMOUNT))
        mistake_at(m, tree_get(t, "recover"), NULL, "recover: of how much? let the measure want an amount");
    if (x->may_end_after.given && !x->lasts.given)
        mistake_at(m, tree_get(t, "may_end_after"), NULL, "may_end_after: the measure has no end; say how long it `lasts`");
    for (uint32_t i = 0; t->type == TREE_MAP && i < t->n; i++)
        if (slice_is(t->keys[i]->text, "ends"))
            mistake_at(m, t->keys[i], NULL, "the key \"ends\" does nothing; leave it out");
}

void work_check(const struct work *w, const struct tree *parts, struct mistakes *m)
{
    const struct tree *list = tree_get(tree_get(parts, "measures"), "measures");
    const char *part = m->part;
    if (!w)
        return;
    m->part = "teams";
    check_tiers(w, tree_get(parts, "teams"), m);
    m->part = "measures";
    for (uint32_t i = 0; list && i < w->n_measures && i < list->n; i++)
        check_measure(w, &w->measures[i], list->items[i], m);
    m->part = part;
}
