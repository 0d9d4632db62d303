/* SPDX-License-Identifier: Apache-2.0 */
/* Which alert events a subscription gets. Pure. */
#include "daemon/subscriber.h"

static bool in_regions(const struct filter *f, region_t place)
{
    for (uint32_t i = 0; i < f->n_regions; i++)
        if (place && region_within(place, f->regions[i]))
            return true;
    return f->n_regions == 0;
}

static bool place_matches(const struct filter *f, const struct event *ev)
{
    if (in_regions(f, ev->region))
        return true;
    for (uint32_t i = 0; i < ev->n_places; i++)
        if (in_regions(f, ev->places[i]))
            return true;
    return false;
}

static bool industry_matches(const struct filter *f, const struct event *ev)
{
    for (uint32_t i = 0; i < f->n_industries; i++) {
        struct slice want = f->industries[i];
        if (ev->industry.n >= want.n && memcmp(ev->industry.p, want.p, want.n) == 0)
            return true;
    }
    return f->n_industries == 0;
}

bool filter_matches(const struct filter *f, const struct event *ev)
{
    bool wanted = ev->type == EVENT_DUTY ? f->duties : ev->level >= f->min_level || ev->level_before >= f->min_level;
    return wanted && place_matches(f, ev) && industry_matches(f, ev);
}

static void add_once(region_t *list, uint32_t *n, region_t r)
{
    for (uint32_t i = 0; i < *n; i++)
        if (list[i] == r)
            return;
    list[(*n)++] = r;
}

bool filter_cut(const region_t *asked, uint32_t n_asked, const region_t *seen, uint32_t n_seen,
                struct arena *a, region_t **out, uint32_t *n_out)
{
    const region_t everywhere = 0;
    bool all = !n_asked && !n_seen;
    if (!n_asked)
        asked = &everywhere;
    if (!n_seen)
        seen = &everywhere;
    n_asked += n_asked == 0;
    n_seen += n_seen == 0;
    *n_out = 0;
    *out = arena_alloc(a, ((size_t)n_asked + n_seen) * sizeof **out);
    if (all)
        return true;
    /* of two prefixes that meet, one lies in the other: that one is what both allow */
    for (uint32_t i = 0; i < n_asked; i++)
        for (uint32_t k = 0; k < n_seen; k++) {
            if (region_within(asked[i], seen[k]))
                add_once(*out, n_out, asked[i]);
            else if (region_within(seen[k], asked[i]))
                add_once(*out, n_out, seen[k]);
        }
    return *n_out > 0;
}
