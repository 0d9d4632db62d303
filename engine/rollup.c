/* SPDX-License-Identifier: Apache-2.0 */
/* What a parent's record says: see rollup.h. Its place is the county where most of its members work, or more exactly where
 * they share more; its industry what the industries of all begin with. Both are worked out when the members become enough
 * and stay; its places only grow meanwhile, so that who heard of it hears how it ends. Writer thread. */
#include "engine/rollup.h"

#include "engine/fold.h"

enum { COUNTY_DIGITS = 6, GATHER_PAGES = 4 }; /* so many pages of members are asked */

/* ---- what binds ---- */

static void zone_bond(uint8_t out[HUB_LEN], const struct record *c, region_t code)
{
    memset(out, 0, HUB_LEN);
    out[0] = (uint8_t)((unsigned)ekey_status(&c->key) << 4 | AREA_BY_ZONE);
    for (int i = 0; i < 8; i++)
        out[1 + i] = (uint8_t)(code >> (56 - 8 * i));
}

static const struct zone *zone_of(const struct settings *s, const uint8_t bond[HUB_LEN])
{
    region_t code = 0;
    for (int i = 0; i < 8; i++)
        code = code << 8 | bond[1 + i];
    for (uint32_t i = 0; i < s->n_zones; i++)
        if (s->zones[i].code == code)
            return &s->zones[i];
    return NULL;
}

static bool is_zone(const struct settings *s, region_t code)
{
    for (uint32_t i = 0; i < s->n_zones; i++)
        if (s->zones[i].code == code)
            return true;
    return false;
}

uint32_t rollup_bonds(const struct engine *e, const struct record *c, enum area_by by, uint8_t (*out)[HUB_LEN])
{
    uint32_t n = 0;
    for (uint32_t i = 0; by != AREA_BY_ZONE && i < c->n_links; i++)
        if ((c->links[i].hub[0] & 15) == by)
            memcpy(out[n++], c->links[i].hub, HUB_LEN);
    for (uint32_t i = 0; by == AREA_BY_ZONE && i < c->n_places; i++)
        if (is_zone(e->settings, c->places[i])) /* identity.c puts the zone's code beside the place in it */
            zone_bond(out[n++], c, c->places[i]);
    return n;
}

/* ---- its name ---- */

static struct slice project_among(const struct record *c, const struct sig *list, size_t n, const uint8_t bond[HUB_LEN])
{
    uint8_t hub[HUB_LEN];
    for (size_t i = 0; i < n; i++) {
        if (!list[i].project.n)
            continue;
        link_hub(hub, c, LINK_PROJECT, list[i].project);
        if (memcmp(hub, bond, HUB_LEN) == 0)
            return list[i].project;
    }
    return (struct slice){0};
}

/* The project as a signal of this member writes it: of those at hand, else of those that left for blocks. */
static struct slice project_text(struct engine *e, const struct record *c, const uint8_t bond[HUB_LEN])
{
    struct slice found = {0};
    size_t n;
    for (uint32_t i = 0; i < c->n_series && !found.n; i++)
        found = project_among(c, c->series[i].sigs, c->series[i].n, bond);
    for (uint32_t i = 0; i < c->n_series && !found.n; i++) {
        const struct sig *all = c->series[i].n_blocks ? series_all(e, c, &c->series[i], &n) : NULL;
        found = all ? project_among(c, all, n, bond) : found;
    }
    return found;
}

static struct slice name_of(struct engine *e, const struct record *c, const uint8_t bond[HUB_LEN])
{
    struct slice text = {0};
    switch (bond[0] & 15) {
    case AREA_BY_ZONE:
        return zone_of(e->settings, bond) ? zone_of(e->settings, bond)->name : text;
    case AREA_BY_PROJECT:
        text = project_text(e, c, bond);
        return text.n ? text : SLICE("project");
    default: /* nobody's name, nor the hash that feeders send */
        return slice_of(arena_printf(&e->scratch, "owner %02x%02x%02x%02x", bond[1], bond[2], bond[3], bond[4]));
    }
}

/* ---- its places ---- */

static bool put_place(struct engine *e, struct record *area, region_t place)
{
    uint32_t at = 0;
    while (at < area->n_places && area->places[at] < place)
        at++;
    if (!place || (at < area->n_places && area->places[at] == place) || area->n_places >= ROLLUP_PLACES_MAX)
        return false;
    region_t *list = arena_alloc(&e->scratch, (area->n_places + 1) * sizeof *list);
    if (at)
        memcpy(list, area->places, at * sizeof *list);
    if (area->n_places > at)
        memcpy(list + at + 1, area->places + at, (area->n_places - at) * sizeof *list);
    list[at] = place;
    area->places = list;
    area->n_places++;
    return true;
}

static bool add_place(struct engine *e, struct record *area, region_t place)
{
    bool crowded = area->n_places >= ROLLUP_PLACES_MAX / 2;
    return put_place(e, area, crowded ? region_cut(place, COUNTY_DIGITS) : place);
}

bool rollup_widen(struct engine *e, struct record *area, const struct record *member)
{
    bool more = false;
    if (rollup_by(area) == AREA_BY_ZONE)
        return false; /* the zone says where it is */
    for (uint32_t i = 0; i < member->n_places; i++)
        more |= add_place(e, area, member->places[i]);
    return more;
}

uint64_t rollup_sum(const struct record *area)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < area->n_places; i++)
        sum += sig_mix(area->places[i]);
    return sum;
}

/* ---- its members' alerts ---- */

/* Calls each() with every member but those on later pages. */
static void each_member(struct engine *e, const struct record *area,
                        void (*each)(struct engine *, const struct record *area, const struct record *member, void *), void *arg)
{
    struct hub_member members[PAGE_MEMBERS];
    uint8_t id[HUB_LEN];
    struct hub h;
    rollup_hub(id, &area->key);
    uint32_t pages = hub_load(e, id, &h) ? hub_pages(&h) : 0;
    for (uint32_t p = 0; p < pages && p < GATHER_PAGES; p++) {
        uint32_t n = hub_page(e, id, p, members);
        for (uint32_t i = 0; i < n; i++)
            if (members[i].key.b[0])
                each(e, area, identity_record(e, &members[i].key, (struct slice){0}), arg);
    }
}

void rollup_adopt(struct engine *e, const struct record *area, const struct record *member)
{
    struct alert a;
    if (!area->alert_open || !member->alert_open || !alert_load(e, member->alert, &a) || a.parent)
        return;
    a.parent = area->alert;
    alert_keep(e, &a);
}

static void adopt_one(struct engine *e, const struct record *area, const struct record *member, void *arg)
{
    (void)arg;
    rollup_adopt(e, area, member);
}

void rollup_adopt_all(struct engine *e, const struct record *area)
{
    each_member(e, area, adopt_one, NULL);
}

uint64_t rollup_parent_of(struct engine *e, const struct record *member)
{
    for (uint32_t i = 0; i < member->n_areas; i++) {
        struct ekey k = rollup_area(member->areas[i].hub);
        if (!state_get(e->state, T_ENTERPRISE, k.b, EKEY_LEN).p)
            continue;
        const struct record *area = identity_record(e, &k, (struct slice){0});
        if (rollup_is_parent(area) && area->alert_open)
            return area->alert;
    }
    return 0;
}

static void count_open(struct engine *e, const struct record *area, const struct record *member, void *arg)
{
    (void)e;
    (void)area;
    *(uint32_t *)arg += member->alert_open;
}

uint32_t rollup_open(struct engine *e, const struct record *area)
{
    uint32_t n = 0;
    each_member(e, area, count_open, &n);
    return n;
}

/* ---- what its members share ---- */

/* Where the two agree, in whole steps of the code; 0: nowhere. */
static region_t common(region_t a, region_t b)
{
    static const unsigned steps[] = {15, 12, 9, 6, 4, 2};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if ((a & 15) >= steps[i] && (b & 15) >= steps[i] && region_cut(a, steps[i]) == region_cut(b, steps[i]))
            return region_cut(a, steps[i]);
    return 0;
}

struct gathered {
    region_t at[GATHER_PAGES * PAGE_MEMBERS + 1]; /* where each works */
    uint32_t n;
    struct slice industry;
    bool any;
};

static void note_member(struct engine *e, struct record *area, struct gathered *g, const struct record *m)
{
    struct slice industry = m->industry; /* as stored: what a profile told is not worked out for all of them */
    if (m->place)
        g->at[g->n++] = m->place;
    if (industry.n && !g->any)
        g->industry = industry;
    g->any |= industry.n > 0;
    size_t same = 0;
    while (industry.n && same < industry.n && same < g->industry.n && industry.p[same] == g->industry.p[same])
        same++;
    if (industry.n)
        g->industry.n = same;
    rollup_widen(e, area, m);
}

/* The county of most, of several the first; then as far as those in it agree. */
static region_t place_of_most(const struct gathered *g)
{
    region_t best = 0, place = 0;
    uint32_t most = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        region_t county = region_cut(g->at[i], COUNTY_DIGITS);
        uint32_t n = 0;
        for (uint32_t k = 0; k < g->n; k++)
            n += region_cut(g->at[k], COUNTY_DIGITS) == county;
        if (n > most || (n == most && county < best)) {
            most = n;
            best = county;
        }
    }
    for (uint32_t i = 0; i < g->n; i++)
        if (region_cut(g->at[i], COUNTY_DIGITS) == best)
            place = place ? common(place, g->at[i]) : g->at[i];
    return place;
}

static void place_in_zone(struct engine *e, struct record *area, const struct zone *z)
{
    put_place(e, area, z->code);
    area->place = z->n ? z->prefixes[0] : z->code;
    for (uint32_t i = 0; i < z->n; i++) {
        put_place(e, area, z->prefixes[i]);
        area->place = common(area->place, z->prefixes[i]);
    }
}

void rollup_describe(struct engine *e, struct record *area, const uint8_t bond[HUB_LEN], const uint8_t hub[HUB_LEN],
                     const struct record *last)
{
    struct hub_member members[PAGE_MEMBERS];
    struct gathered *g = arena_zalloc(&e->scratch, sizeof *g);
    struct hub h;
    const struct zone *z = (bond[0] & 15) == AREA_BY_ZONE ? zone_of(e->settings, bond) : NULL;
    area->areas = arena_zalloc(&e->scratch, sizeof *area->areas);
    area->n_areas = 1;
    memcpy(area->areas[0].hub, bond, HUB_LEN);
    area->name = name_of(e, last, bond);
    area->n_places = 0;
    uint32_t pages = hub_load(e, hub, &h) ? hub_pages(&h) : 0;
    for (uint32_t p = 0; p < pages && p < GATHER_PAGES; p++) {
        uint32_t n = hub_page(e, hub, p, members);
        for (uint32_t i = 0; i < n; i++)
            if (members[i].key.b[0] && ekey_cmp(&members[i].key, &last->key) != 0)
                note_member(e, area, g, identity_record(e, &members[i].key, (struct slice){0}));
    }
    note_member(e, area, g, last);
    area->industry = g->industry;
    area->place = place_of_most(g);
    if (z)
        place_in_zone(e, area, z);
}
