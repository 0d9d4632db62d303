/* SPDX-License-Identifier: Apache-2.0 */
/* Areas: a place, an industry, or an industry in a place, of which several enterprises turn bad together. An area of a rule
 * is a hub whose members are the enterprises that were at the rule's level within its window; when they become enough, or
 * too few, the area is judged: it has a record of its own (EKEY_AREA), with no signals, and an alert like any other.
 * Writer thread. */
#include "engine/hub.h"

#include "engine/fold.h"
#include "lib/hash.h"

/* ---- which area ---- */

struct place {
    region_t region;       /* 0: not told apart by region */
    struct slice industry; /* empty: not by industry */
};

static void area_hub(uint8_t out[HUB_LEN], enum status status, const struct rule *rule, const struct place *p)
{
    uint8_t h[CHAIN_LEN], region[8];
    for (int i = 0; i < 8; i++)
        region[i] = (uint8_t)(p->region >> (56 - 8 * i));
    hash_blake2b(h, region, sizeof region, rule->id.p, rule->id.n, p->industry.p, p->industry.n);
    out[0] = (uint8_t)((unsigned)status << 4);
    memcpy(out + 1, h, HUB_LEN - 1);
}

static struct ekey area_key(const uint8_t hub[HUB_LEN])
{
    struct ekey k = {{(uint8_t)((hub[0] & 0xf0) | EKEY_AREA)}};
    memcpy(k.b + 1, hub + 1, HUB_LEN - 1);
    return k;
}

static bool wanted(const struct area *a, region_t region, struct slice industry)
{
    bool here = a->n_regions == 0, this = a->n_industries == 0;
    for (uint32_t i = 0; i < a->n_regions && !here; i++)
        here = region && region_within(region, a->regions[i]);
    for (uint32_t i = 0; i < a->n_industries && !this; i++)
        this = a->industries[i].n <= industry.n && memcmp(a->industries[i].p, industry.p, a->industries[i].n) == 0;
    return here && this;
}

/* The area of a rule that an enterprise lies in; false: none. */
static bool area_of(const struct record *c, const struct area *a, struct place *p)
{
    region_t region = record_region(c);
    struct slice industry = record_industry(c);
    *p = (struct place){0};
    if (!wanted(a, region, industry) || (region & 15) < a->region_digits || industry.n < a->industry_length)
        return false;
    if (a->region_digits)
        p->region = region_cut(region, a->region_digits);
    if (a->industry_length)
        p->industry = (struct slice){industry.p, a->industry_length};
    return true;
}

/* The rule and place of an area's record; NULL: no such rule in force. */
static const struct rule *rule_of(const struct engine *e, const struct record *area, uint8_t hub[HUB_LEN])
{
    const struct settings *s = e->settings;
    for (uint32_t i = 0; i < s->n_area_rules; i++) {
        const struct rule *rule = &s->rules[s->area_rules[i]];
        const struct area *a = rule->when.area;
        struct place p = {a->region_digits ? area->place : 0, a->industry_length ? area->industry : (struct slice){0}};
        area_hub(hub, ekey_status(&area->key), rule, &p);
        struct ekey k = area_key(hub);
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

static void touch(struct engine *e, const uint8_t hub[HUB_LEN], const struct place *p, bool news)
{
    struct ekey k = area_key(hub);
    struct record *area = identity_record(e, &k, (struct slice){0});
    if (engine_failed(e))
        return;
    describe(e, area, p);
    if (news && !e->working_off)
        area->last_seq = e->number;
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
        touch(e, hub, p, true);
}

static void leave(struct engine *e, struct record *c, uint32_t at)
{
    struct link l = c->areas[at];
    struct ekey k = area_key(l.hub);
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
static void look_again(struct engine *e, const uint8_t hub[HUB_LEN], const struct rule *rule, const struct place *p)
{
    struct ekey k = area_key(hub);
    struct hub h;
    bool enough = hub_load(e, hub, &h) && h.members >= rule->when.at_least;
    if (enough || state_get(e->state, T_ENTERPRISE, k.b, EKEY_LEN).p)
        touch(e, hub, p, false);
}

static int64_t publish(struct engine *e, struct record *c, const struct rule *rule, int64_t at,
                       uint8_t hub[HUB_LEN])
{
    struct place p;
    memset(hub, 0, HUB_LEN);
    if (!area_of(c, rule->when.area, &p))
        return INT64_MAX;
    struct verdict v = radiation_holds(e, c, &e->settings->radiations[rule->when.radiation], at);
    if (!v.holds)
        return v.until;
    area_hub(hub, ekey_status(&c->key), rule, &p);
    uint32_t pos = position(c, hub);
    if (!is_member(c, pos, hub))
        join(e, c, pos, hub, rule, &p);
    else if (e->sweeping)
        look_again(e, hub, rule, &p);
    return v.until;
}

static bool listed(const uint8_t (*hubs)[HUB_LEN], uint32_t n, const uint8_t hub[HUB_LEN])
{
    for (uint32_t i = 0; i < n; i++)
        if (memcmp(hubs[i], hub, HUB_LEN) == 0)
            return true;
    return false;
}

int64_t area_publish(struct engine *e, struct record *c, const struct judgement *j)
{
    const struct settings *s = e->settings;
    uint8_t (*hubs)[HUB_LEN] = arena_alloc(&e->scratch, (s->n_area_rules + 1) * sizeof *hubs);
    uint32_t n = c->unresolved ? 0 : s->n_area_rules;
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < n; i++) {
        int64_t until = publish(e, c, &s->rules[s->area_rules[i]], j->at, hubs[i]);
        next = until < next ? until : next;
    }
    for (uint32_t i = c->n_areas; i-- > 0;)
        if (!listed((const uint8_t (*)[HUB_LEN])hubs, n, c->areas[i].hub))
            leave(e, c, i);
    return next;
}

/* ---- the area's own judgement ---- */

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
            list[n++] = (struct member){record_uscc(m), m->name, m->own_level};
        }
    }
    return n;
}
