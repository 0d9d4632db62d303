/* SPDX-License-Identifier: Apache-2.0 */
/* Areas: a place, an industry, or an industry in a place, of which several enterprises turn bad together. An area of a rule
 * is a hub whose members are the enterprises that were at the rule's level within its window; when they become enough, or
 * too few, the area is judged: it has a record of its own (EKEY_AREA), with no signals, and an alert like any other.
 * Areas of one project, owner or zone are made the same way; what their records say is rollup.c's. Writer thread. */
#include "engine/rollup.h"

#include "engine/fold.h"
#include "lib/hash.h"

enum {
    AREAS_OF_RULE = 16, /* by place, in which one enterprise counts */
    GROWTH_PARTS = 4    /* grown by one in so many, members are told of again */
};

/* ---- which area ---- */

struct place {
    region_t region;       /* 0: not told apart by region */
    struct slice industry; /* empty: not by industry */
    const uint8_t *bond;   /* HUB_LEN bytes: what binds its enterprises instead; NULL: nothing */
};

static void area_hub(uint8_t out[HUB_LEN], enum status status, const struct rule *rule, const struct place *p)
{
    uint8_t h[CHAIN_LEN], region[8];
    for (int i = 0; i < 8; i++)
        region[i] = p->bond ? 0xff : (uint8_t)(p->region >> (56 - 8 * i)); /* no region has such a code */
    if (p->bond)
        hash_blake2b(h, region, sizeof region, rule->id.p, rule->id.n, p->bond, HUB_LEN);
    else
        hash_blake2b(h, region, sizeof region, rule->id.p, rule->id.n, p->industry.p, p->industry.n);
    out[0] = (uint8_t)((unsigned)status << 4);
    memcpy(out + 1, h, HUB_LEN - 1);
}

static bool wanted_industry(const struct area *a, struct slice industry)
{
    bool this = a->n_industries == 0;
    for (uint32_t i = 0; i < a->n_industries && !this; i++)
        this = a->industries[i].n <= industry.n && memcmp(a->industries[i].p, industry.p, a->industries[i].n) == 0;
    return this;
}

static bool wanted_region(const struct area *a, region_t region)
{
    bool here = a->n_regions == 0;
    for (uint32_t i = 0; i < a->n_regions && !here; i++)
        here = region && region_within(region, a->regions[i]);
    return here;
}

static bool wanted(const struct area *a, const struct record *c)
{
    bool here = wanted_region(a, record_region(c));
    for (uint32_t i = 0; i < c->n_places && !here; i++)
        here = wanted_region(a, c->places[i]);
    return here && wanted_industry(a, record_industry(c));
}

/* A zone's code that stands among the places only because one of them lies in the zone: no other place than that. */
static bool is_beside(const struct settings *s, const struct record *c, region_t code)
{
    bool zone = false;
    for (uint32_t i = 0; i < s->n_zones && !zone; i++)
        zone = s->zones[i].code == code;
    for (uint32_t i = 0; i < c->n_places && zone; i++) {
        uint32_t in = c->places[i] == code ? UINT32_MAX : settings_zone(s, c->places[i]);
        if (in != UINT32_MAX && s->zones[in].code == code)
            return true;
    }
    return false;
}

/* The area of a rule that this place lies in is one more, if it is one. */
static void add_area(const struct area *a, region_t region, struct slice industry, struct place *list, uint32_t *n)
{
    region_t cut = a->region_digits ? region_cut(region, a->region_digits) : 0;
    if (*n == AREAS_OF_RULE || (region & 15) < a->region_digits || !wanted_region(a, region))
        return;
    for (uint32_t i = 0; i < *n; i++)
        if (list[i].region == cut)
            return;
    list[(*n)++] = (struct place){.region = cut, .industry = {industry.p, a->industry_length}};
}

/* Where people work, the authority there is concerned, and so is the one where the enterprise is registered: it lies in
 * the areas of all its places. Of too many: the registered one, the latest, then in the order of the codes. */
static uint32_t by_place(const struct engine *e, const struct record *c, const struct area *a, struct place *list)
{
    struct slice industry = record_industry(c);
    uint32_t n = 0;
    if (industry.n < a->industry_length)
        return 0;
    add_area(a, c->registered, industry, list, &n);
    add_area(a, c->place, industry, list, &n);
    for (uint32_t i = 0; i < c->n_places && n < AREAS_OF_RULE; i++)
        if (!is_beside(e->settings, c, c->places[i]))
            add_area(a, c->places[i], industry, list, &n);
    return n;
}

/* By what binds, in as many as it is bound by. */
static uint32_t by_bonds(struct engine *e, const struct record *c, const struct area *a, struct place *list)
{
    uint8_t (*bonds)[HUB_LEN] = arena_alloc(&e->scratch, ((size_t)c->n_links + c->n_places + 1) * sizeof *bonds);
    uint32_t n = rollup_bonds(e, c, (enum area_by)a->by, bonds);
    for (uint32_t i = 0; i < n; i++)
        list[i] = (struct place){.bond = bonds[i]};
    return n;
}

/* In how many areas of a rule it can lie. */
static size_t areas_most(const struct area *a, const struct record *c)
{
    size_t places = (size_t)c->n_places + 2;
    if (a->by)
        return (size_t)c->n_links + c->n_places;
    return places < AREAS_OF_RULE ? places : AREAS_OF_RULE;
}

/* The areas of a rule that an enterprise lies in. */
static uint32_t areas_of(struct engine *e, const struct record *c, const struct area *a, struct place **out)
{
    size_t room = areas_most(a, c);
    if (!room || !wanted(a, c))
        return 0;
    *out = arena_zalloc(&e->scratch, room * sizeof **out);
    return a->by ? by_bonds(e, c, a, *out) : by_place(e, c, a, *out);
}

/* The rule and place of an area's record; NULL: no such rule in force. */
static const struct rule *rule_of(const struct engine *e, const struct record *area, uint8_t hub[HUB_LEN])
{
    const struct settings *s = e->settings;
    for (uint32_t i = 0; i < s->n_area_rules; i++) {
        const struct rule *rule = &s->rules[s->area_rules[i]];
        const struct area *a = rule->when.area;
        struct place p = {a->region_digits ? area->place : 0, a->industry_length ? area->industry : (struct slice){0},
                          rollup_is_parent(area) ? area->areas[0].hub : NULL};
        if ((a->by != AREA_BY_PLACE) != rollup_is_parent(area))
            continue;
        area_hub(hub, ekey_status(&area->key), rule, &p);
        struct ekey k = rollup_area(hub);
        if (ekey_cmp(&k, &area->key) == 0)
            return rule;
    }
    return NULL;
}

/* ---- its record ---- */

static void describe(struct engine *e, struct record *area, const struct place *p)
{
    char text[16] = "";
    size_t n = p->region ? region_text(p->region, text) : 0;
    bool both = n && p->industry.n;
    char *name = arena_printf(&e->scratch, "%s%s%.*s", text, both ? " " : "", SLICE_ARG(p->industry));
    area->name = slice_of(name);
    area->industry = p->industry;
    area->place = p->region;
    if (!p->region)
        return;
    area->n_places = 1;
    area->places = arena_copy(&e->scratch, &p->region, sizeof p->region);
}

/* `c`: the member in hand. */
static void touch(struct engine *e, const uint8_t hub[HUB_LEN], const struct place *p, const struct record *c, bool news)
{
    struct ekey k = rollup_area(hub);
    struct record *area = identity_record(e, &k, (struct slice){0});
    if (engine_failed(e))
        return;
    if (!p->bond)
        describe(e, area, p);
    else if (news || !rollup_is_parent(area))
        rollup_describe(e, area, p->bond, hub, c);
    else
        rollup_widen(e, area, c);
    if (news && !e->working_off)
        area->last_seq = area->news = e->number;
    record_store(e, area);
    link_concerned(e, &k);
}

/* One more than enough: news, by which an alert that was closed comes back. Where it works may be new to a parent, and
 * whoever is there is told. */
static void grow(struct engine *e, const uint8_t hub[HUB_LEN], const struct record *c)
{
    struct ekey k = rollup_area(hub);
    if (!state_get(e->state, T_ENTERPRISE, k.b, EKEY_LEN).p)
        return;
    struct record *area = identity_record(e, &k, (struct slice){0});
    if (engine_failed(e))
        return;
    if (rollup_is_parent(area)) {
        rollup_widen(e, area, c);
        rollup_adopt(e, area, c);
    }
    if (!e->working_off && !e->sweeping)
        area->last_seq = area->news = e->number;
    record_store(e, area);
    link_concerned(e, &k);
}

/* ---- its members ---- */

static uint32_t position(const struct record *c, const uint8_t hub[HUB_LEN])
{
    uint32_t i = 0;
    while (i < c->n_areas && memcmp(c->areas[i].hub, hub, HUB_LEN) < 0)
        i++;
    return i;
}

static bool is_member(const struct record *c, uint32_t at, const uint8_t hub[HUB_LEN])
{
    return at < c->n_areas && memcmp(c->areas[at].hub, hub, HUB_LEN) == 0;
}

static void join(struct engine *e, struct record *c, uint32_t at, const uint8_t hub[HUB_LEN], const struct rule *rule,
                 const struct place *p)
{
    struct hub h;
    struct link *list = arena_zalloc(&e->scratch, (c->n_areas + 1) * sizeof *list);
    if (at)
        memcpy(list, c->areas, at * sizeof *list);
    if (c->n_areas > at)
        memcpy(list + at + 1, c->areas + at, (c->n_areas - at) * sizeof *list);
    memcpy(list[at].hub, hub, HUB_LEN);
    hub_load(e, hub, &h);
    list[at].slot = hub_join(e, hub, &h, &c->key, 0);
    c->areas = list;
    c->n_areas++;
    if (h.members == rule->when.at_least)
        touch(e, hub, p, c, true);
    else if (h.members > rule->when.at_least)
        grow(e, hub, c);
}

static void leave(struct engine *e, struct record *c, uint32_t at)
{
    struct link l = c->areas[at];
    struct ekey k = rollup_area(l.hub);
    struct hub h;
    if (hub_load(e, l.hub, &h))
        hub_leave(e, l.hub, &h, l.slot);
    memmove(&c->areas[at], &c->areas[at + 1], (c->n_areas - at - 1) * sizeof l);
    c->n_areas--;
    if (state_get(e->state, T_ENTERPRISE, k.b, EKEY_LEN).p)
        link_concerned(e, &k);
}

void area_leave_all(struct engine *e, struct record *c)
{
    while (c->n_areas)
        leave(e, c, c->n_areas - 1);
}

/* Under new settings, how many are enough may be another number. */
static void look_again(struct engine *e, const uint8_t hub[HUB_LEN], const struct rule *rule, const struct place *p,
                       const struct record *c)
{
    struct ekey k = rollup_area(hub);
    struct hub h;
    bool enough = hub_load(e, hub, &h) && h.members >= rule->when.at_least;
    if (enough || state_get(e->state, T_ENTERPRISE, k.b, EKEY_LEN).p)
        touch(e, hub, p, c, false);
}

struct hubs {
    uint8_t (*list)[HUB_LEN];
    uint32_t n;
};

static void enter(struct engine *e, struct record *c, const struct rule *rule, const struct place *p, struct hubs *l)
{
    uint8_t *hub = l->list[l->n++];
    area_hub(hub, ekey_status(&c->key), rule, p);
    uint32_t pos = position(c, hub);
    if (!is_member(c, pos, hub))
        join(e, c, pos, hub, rule, p);
    else if (e->sweeping)
        look_again(e, hub, rule, p, c);
}

static int64_t publish(struct engine *e, struct record *c, const struct rule *rule, int64_t at, struct hubs *l)
{
    struct place *places = NULL;
    struct verdict v = radiation_holds(e, c, &e->settings->radiations[rule->when.radiation], at);
    if (!v.holds && v.until == INT64_MAX) /* most: which areas those would be need not be known */
        return INT64_MAX;
    uint32_t n = areas_of(e, c, rule->when.area, &places);
    if (!n)
        return INT64_MAX;
    for (uint32_t i = 0; i < n && v.holds; i++)
        enter(e, c, rule, &places[i], l);
    return v.until;
}

static bool listed(const struct hubs *l, const uint8_t hub[HUB_LEN])
{
    for (uint32_t i = 0; i < l->n; i++)
        if (memcmp(l->list[i], hub, HUB_LEN) == 0)
            return true;
    return false;
}

/* In how many areas it can lie. */
static size_t areas_room(const struct settings *s, const struct record *c)
{
    size_t room = 1;
    for (uint32_t i = 0; i < s->n_area_rules; i++)
        room += areas_most(s->rules[s->area_rules[i]].when.area, c);
    return room;
}

int64_t area_publish(struct engine *e, struct record *c, const struct judgement *j)
{
    const struct settings *s = e->settings;
    struct hubs l = {arena_alloc(&e->scratch, areas_room(s, c) * sizeof *l.list), 0};
    uint32_t n = c->unresolved ? 0 : s->n_area_rules;
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < n; i++) {
        int64_t until = publish(e, c, &s->rules[s->area_rules[i]], j->at, &l);
        next = until < next ? until : next;
    }
    for (uint32_t i = c->n_areas; i-- > 0;)
        if (!listed(&l, c->areas[i].hub))
            leave(e, c, i);
    return next;
}

/* ---- the area's own judgement ---- */

/* How many members the alert's events have told of: as many as there are when it rises, and again when a quarter more
 * have come. Who goes and comes back is not told of each time. */
static uint64_t told(struct record *area, uint32_t members)
{
    uint64_t most = area->name_seq + (area->name_seq + GROWTH_PARTS - 1) / GROWTH_PARTS;
    if (!area->alert_open || area->level == LEVEL_NONE || members >= most)
        area->name_seq = members;
    return area->name_seq;
}

void area_judge(struct engine *e, struct record *area, int64_t at, struct judgement *j)
{
    const struct settings *s = e->settings;
    uint8_t id[HUB_LEN];
    struct hub h;
    *j = (struct judgement){.at = at, .next = INT64_MAX};
    j->fired = arena_zalloc(&e->scratch, (s->n_rules + 63) / 64 * sizeof *j->fired);
    const struct rule *rule = rule_of(e, area, id);
    if (!rule || !hub_load(e, id, &h) || h.members < rule->when.at_least)
        return;
    uint32_t i = (uint32_t)(rule - s->rules);
    j->fired[i / 64] |= UINT64_C(1) << i % 64;
    j->level = rule->raise;
    j->evidence_sum = sig_mix(told(area, h.members));
    j->evidence_sum += rollup_is_parent(area) ? rollup_sum(area) : 0; /* who hears of it: more is worth an event */
}

uint32_t area_members(struct engine *e, const struct record *area, struct member *list, uint32_t room, uint32_t *total)
{
    struct hub_member members[PAGE_MEMBERS];
    uint8_t id[HUB_LEN];
    struct hub h;
    uint32_t n = 0;
    *total = 0;
    if (!rule_of(e, area, id) || !hub_load(e, id, &h))
        return 0;
    *total = h.members;
    for (uint32_t p = 0; p < hub_pages(&h) && n < room; p++) {
        uint32_t here = hub_page(e, id, p, members);
        for (uint32_t i = 0; i < here && n < room; i++) {
            if (!members[i].key.b[0])
                continue;
            const struct record *m = identity_record(e, &members[i].key, (struct slice){0});
            uint32_t places = m->n_places < EVENT_MEMBER_PLACES_MAX ? m->n_places : EVENT_MEMBER_PLACES_MAX;
            list[n++] = (struct member){record_uscc(m), m->name, m->own_level, places, m->places};
        }
    }
    return n;
}
