/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers for what, and what may be done, told as maps. */
#include "engine/work_pack.h"

enum { ROOM = 256 };

static void put_text(struct enc_open *m, const char *key, struct slice s)
{
    enc_key(m, key);
    if (s.n)
        enc_slice(m->b, s);
    else
        enc_nil(m->b);
}

static void put_region(struct buf *b, region_t r)
{
    char text[16];
    size_t n = region_text(r, text);
    enc_slice(b, (struct slice){text, n});
}

static void put_texts(struct enc_open *m, const char *key, const struct slice *list, uint32_t n)
{
    enc_key(m, key);
    enc_list(m->b, n);
    for (uint32_t i = 0; i < n; i++)
        enc_slice(m->b, list[i]);
}

/* As it was written: "3wd"; what is not working days, in ms. */
static void put_term(struct enc_open *m, const char *key, const struct term *t)
{
    enc_key(m, key);
    struct enc_open o = {0};
    if (!t->given) {
        enc_nil(m->b);
        return;
    }
    o = enc_map_open(m->b);
    if (t->working)
        enc_kv_uint(&o, "working_days", t->days);
    else if (t->months)
        enc_kv_uint(&o, "months", t->months);
    else
        enc_kv_int(&o, "ms", t->ms);
    enc_close(&o);
}

static void put_team_pairs(struct enc_open *m, const struct work *w, const struct team *t)
{
    put_text(m, "team", t->id);
    put_text(m, "zh", t->zh);
    put_text(m, "en", t->en);
    put_text(m, "tier", t->tier < w->n_tiers ? w->tiers[t->tier].id : (struct slice){0});
    put_text(m, "department", t->department);
    put_text(m, "carrier", t->carrier);
}

void work_put_team(struct buf *b, const struct work *w, const struct team *t)
{
    struct enc_open m = enc_map_open(b);
    put_team_pairs(&m, w, t);
    enc_key(&m, "regions");
    enc_list(b, t->n_regions);
    for (uint32_t i = 0; i < t->n_regions; i++)
        put_region(b, t->regions[i]);
    put_texts(&m, "industries", t->industries, t->n_industries);
    enc_close(&m);
}

static void put_levels(struct enc_open *m, unsigned levels)
{
    struct enc_open list;
    enc_key(m, "levels");
    list = enc_list_open(m->b);
    for (unsigned level = LEVEL_GENERAL; level < LEVEL_COUNT; level++)
        if (levels >> level & 1) {
            enc_item(&list);
            enc_str(m->b, level_wire(level));
        }
    enc_close(&list);
}

static void put_outcomes(struct enc_open *m, unsigned outcomes)
{
    struct enc_open list;
    enc_key(m, "outcome");
    list = enc_list_open(m->b);
    for (unsigned i = 0; i < OUTCOMES; i++)
        if (outcomes >> i & 1) {
            enc_item(&list);
            enc_str(m->b, outcome_words[i]);
        }
    enc_close(&list);
}

static void put_wants(struct enc_open *m, unsigned wants)
{
    static const char *const words[] = {"ref", "due", "people", "amount", "note"}; /* bits of enum measure_want */
    struct enc_open list;
    enc_key(m, "wants");
    list = enc_list_open(m->b);
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (wants >> i & 1) {
            enc_item(&list);
            enc_str(m->b, words[i]);
        }
    enc_close(&list);
}

void work_put_measure(struct buf *b, const struct measure *x)
{
    struct enc_open m = enc_map_open(b);
    put_text(&m, "measure", x->id);
    put_text(&m, "zh", x->zh);
    put_text(&m, "en", x->en);
    put_levels(&m, x->levels);
    put_texts(&m, "roles", x->roles, x->n_roles);
    put_wants(&m, x->wants);
    put_outcomes(&m, x->outcomes);
    put_term(&m, "due", &x->due);
    put_term(&m, "due_most", &x->due_most);
    put_text(&m, "silence", x->silence);
    put_texts(&m, "answered_by", x->answered_by, x->n_answered_by);
    put_term(&m, "lasts", &x->lasts);
    put_term(&m, "may_end_after", &x->may_end_after);
    enc_kv_bool(&m, "recover", x->recover);
    enc_close(&m);
}

/* The lowest level at which a tier is in it from the start. */
static const char *told_from(const struct work *w, unsigned tier)
{
    for (unsigned level = LEVEL_GENERAL; level < LEVEL_COUNT; level++)
        if (w->joins[level] >= tier)
            return level_wire(level);
    return NULL;
}

static void put_tier(struct buf *b, const struct work *w, region_t place, struct slice industry, unsigned tier)
{
    const struct team *t = work_team(w, place, industry, tier);
    struct enc_open m = enc_map_open(b);
    put_text(&m, "tier", w->tiers[tier].id);
    put_text(&m, "tier_zh", w->tiers[tier].zh);
    put_text(&m, "tier_en", w->tiers[tier].en);
    enc_key(&m, "from_level");
    if (told_from(w, tier))
        enc_str(b, told_from(w, tier));
    else
        enc_nil(b);
    put_term(&m, "escalate_after", &w->tiers[tier].escalate_after);
    put_text(&m, "team", t ? t->id : (struct slice){0});
    put_text(&m, "zh", t ? t->zh : (struct slice){0});
    put_text(&m, "en", t ? t->en : (struct slice){0});
    put_text(&m, "department", t ? t->department : (struct slice){0});
    put_text(&m, "carrier", t ? t->carrier : (struct slice){0});
    enc_close(&m);
}

static void put_department(struct buf *b, const struct work *w, region_t place, struct slice department)
{
    const struct team *t = work_department(w, place, department);
    struct enc_open m = enc_map_open(b);
    put_text(&m, "department", department);
    put_text(&m, "team", t ? t->id : (struct slice){0});
    put_text(&m, "zh", t ? t->zh : (struct slice){0});
    put_text(&m, "en", t ? t->en : (struct slice){0});
    enc_close(&m);
}

void work_put_route(struct enc_open *m, const struct work *w, const struct regions *regions, region_t place, struct slice industry)
{
    const struct lead *lead = work_lead(w, industry);
    char room[ROOM];
    size_t n = regions ? regions_full_name(regions, place, room, sizeof room) : 0;
    enc_key(m, "region");
    put_region(m->b, place);
    put_text(m, "name", (struct slice){room, n});
    put_text(m, "industry", industry);
    enc_key(m, "tiers");
    enc_list(m->b, w->has_teams ? w->n_tiers : 0);
    for (unsigned tier = 0; w->has_teams && tier < w->n_tiers; tier++)
        put_tier(m->b, w, place, industry, tier);
    enc_key(m, "lead");
    if (lead)
        put_department(m->b, w, place, lead->department);
    else
        enc_nil(m->b);
    enc_key(m, "assist");
    enc_list(m->b, lead ? lead->n_assist : 0);
    for (uint32_t i = 0; lead && i < lead->n_assist; i++)
        put_department(m->b, w, place, lead->assist[i]);
    if (!w->has_teams)
        enc_kv_str(m, "advice", "no teams are configured; describe them in a file such as teams.yaml and name it in the configuration: "
                                "teams: teams.yaml");
}
