/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as a map of msgpack, for the query and the command line alike. Keys are always there; what is not known
 * is nil. Pure. */
#include "engine/whatif.h"

#include "engine/fold.h"
#include "lib/codec.h"

static void put_int(struct enc_open *m, const char *key, int64_t v)
{
    enc_key(m, key);
    if (v == NO_INT)
        enc_nil(m->b);
    else
        enc_int(m->b, v);
}

static void put_text(struct enc_open *m, const char *key, struct slice s)
{
    enc_key(m, key);
    if (s.n)
        enc_slice(m->b, s);
    else
        enc_nil(m->b);
}

static void put_level(struct enc_open *m, const char *key, uint8_t level)
{
    enc_kv_str(m, key, level_wire(level));
}

static void put_texts(struct enc_open *m, const char *key, const struct slice *list, uint32_t n)
{
    enc_key(m, key);
    enc_list(m->b, n);
    for (uint32_t i = 0; i < n; i++)
        enc_slice(m->b, list[i]);
}

static struct slice agency_of(struct slice kind)
{
    const char *dot = kind.n ? memchr(kind.p, '.', kind.n) : NULL;
    return dot ? (struct slice){kind.p, (size_t)(dot - kind.p)} : kind;
}

static void put_signal(struct enc_open *m, const struct told_signal *s)
{
    uint64_t entry = s->seq & ((UINT64_C(1) << DERIVED_SHIFT) - 1);
    enc_kv_uint(m, "seq", entry);
    if (entry != s->seq)
        enc_kv_uint(m, "ordinal", s->seq >> DERIVED_SHIFT); /* the fold's own */
    put_text(m, "id", s->id);
    put_text(m, "source", s->source);
    put_text(m, "kind", s->kind);
    put_text(m, "title", s->zh.n ? s->zh : s->kind);
    put_text(m, "title_en", s->en.n ? s->en : s->kind);
    put_text(m, "agency", agency_of(s->kind));
    enc_kv_int(m, "at", s->at);
    put_int(m, "amount", s->amount);
    put_int(m, "people", s->people);
}

/* ---- rules ---- */

static void put_cond(struct buf *b, const struct told_cond *c)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_uint(&m, "depth", c->depth);
    enc_kv_str(&m, "op", c->op);
    enc_kv_bool(&m, "holds", c->holds);
    if (c->kinds_total == UINT32_MAX) {
        enc_kv_str(&m, "kinds", "any");
    } else if (c->kinds_total) {
        put_texts(&m, "kinds", c->kinds, c->n_kinds);
        put_texts(&m, "titles", c->kinds_zh, c->n_kinds);
        put_texts(&m, "titles_en", c->kinds_en, c->n_kinds);
        enc_kv_uint(&m, "kinds_total", c->kinds_total);
    }
    if (c->selector.n)
        enc_kv_slice(&m, "selector", c->selector);
    if (c->text && *c->text)
        enc_kv_str(&m, "text", c->text);
    if (c->within != NO_INT)
        enc_kv_int(&m, "within", c->within);
    if (c->at_least != NO_INT)
        enc_kv_int(&m, "at_least", c->at_least);
    if (c->found != NO_INT)
        enc_kv_int(&m, "found", c->found);
    put_int(&m, "until", c->until);
    enc_key(&m, "signals");
    enc_list(b, c->n_signals);
    for (uint32_t i = 0; i < c->n_signals; i++) {
        struct enc_open s = enc_map_open(b);
        put_signal(&s, &c->signals[i]);
        enc_close(&s);
    }
    enc_kv_uint(&m, "signals_total", c->signals_total);
    enc_kv_slice(&m, "other", c->other.n ? c->other : (struct slice){0});
    enc_kv_str(&m, "link", c->link);
    if (c->hidden)
        enc_kv_bool(&m, "hidden", true);
    enc_close(&m);
}

static void put_rule(struct buf *b, const struct told_rule *r)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "rule", r->id);
    enc_kv_slice(&m, "title", r->zh.n ? r->zh : r->id);
    enc_kv_slice(&m, "title_en", r->en.n ? r->en : r->id);
    put_level(&m, "level", r->level);
    enc_kv_bool(&m, "by_score", r->by_score);
    if (r->at_most < LEVEL_COUNT) {
        put_level(&m, "at_most", r->at_most);
        enc_kv_bool(&m, "binds", r->binds);
    }
    if (r->escalate)
        enc_kv_bool(&m, "escalate", true);
    if (r->tag.n)
        enc_kv_slice(&m, "tag", r->tag);
    put_text(&m, "suppressed_by", r->suppressed_by);
    enc_key(&m, "conditions");
    enc_list(b, r->n_conds);
    for (uint32_t i = 0; i < r->n_conds; i++)
        put_cond(b, &r->conds[i]);
    enc_close(&m);
}

/* ---- the score ---- */

static void put_share(struct buf *b, const struct told_share *s)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_uint(&m, "share", s->share_ppm);
    put_signal(&m, &s->sig);
    enc_kv_uint(&m, "weight", s->weight_ppm);
    enc_kv_int(&m, "age", s->age);
    enc_kv_uint(&m, "half_life_days", s->half_life_days);
    enc_kv_uint(&m, "decay", s->decay_ppm);
    enc_kv_uint(&m, "rank", s->rank);
    enc_kv_uint(&m, "counted", s->counted_ppm);
    put_text(&m, "from", s->from);
    put_text(&m, "project", s->project);
    if (s->hidden)
        enc_kv_bool(&m, "hidden", true);
    enc_close(&m);
}

static void put_score(struct enc_open *m, const struct explanation *x)
{
    enc_key(m, "score_parts");
    struct enc_open p = enc_map_open(m->b);
    put_level(&p, "level", x->score_level);
    put_level(&p, "fresh_level", x->fresh_level);
    enc_kv_bool(&p, "held_by_hysteresis", x->fresh_level < x->score_level);
    enc_kv_uint(&p, "others", x->score_others);
    put_text(&p, "largest_agency", x->largest);
    enc_kv_bool(&p, "one_agency_cap_binds", x->capped_from != LEVEL_NONE);
    enc_key(&p, "level_without_cap");
    if (x->capped_from)
        enc_str(m->b, level_wire(x->capped_from));
    else
        enc_nil(m->b);
    enc_kv_uint(&p, "factor", x->factor_ppm);
    enc_key(&p, "factors");
    enc_list(m->b, x->n_factors);
    for (uint32_t i = 0; i < x->n_factors; i++) {
        struct enc_open f = enc_map_open(m->b);
        enc_kv_str(&f, "what", x->factors[i].what);
        enc_kv_slice(&f, "key", x->factors[i].key);
        enc_kv_uint(&f, "factor", x->factors[i].ppm);
        enc_close(&f);
    }
    enc_close(&p);
}

/* ---- what would change it ---- */

static void put_step(struct buf *b, const struct told_step *s)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_int(&m, "at", s->at);
    put_level(&m, "level", s->level);
    enc_kv_uint(&m, "score", s->score);
    put_texts(&m, "ends", s->ends, s->n_ends);
    put_texts(&m, "begins", s->begins, s->n_begins);
    enc_close(&m);
}

static void put_if(struct buf *b, const struct told_if *t)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "kind", t->kind);
    enc_kv_slice(&m, "title", t->zh.n ? t->zh : t->kind);
    enc_kv_slice(&m, "title_en", t->en.n ? t->en : t->kind);
    put_level(&m, "level", t->level);
    enc_kv_uint(&m, "score", t->score);
    enc_close(&m);
}

static void put_agency(struct buf *b, const struct told_agency *a)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "agency", a->agency);
    enc_key(&m, "lightest");
    put_if(b, &a->light);
    enc_key(&m, "heaviest");
    put_if(b, &a->heavy);
    enc_close(&m);
}

static void put_changes(struct enc_open *m, const struct explanation *x)
{
    enc_key(m, "clock");
    enc_list(m->b, x->n_steps);
    for (uint32_t i = 0; i < x->n_steps; i++)
        put_step(m->b, &x->steps[i]);
    enc_kv_bool(m, "clock_cut", x->steps_cut);
    enc_key(m, "clearings");
    enc_list(m->b, x->n_clearings);
    for (uint32_t i = 0; i < x->n_clearings; i++)
        put_if(m->b, &x->clearings[i]);
    enc_key(m, "one_more_agency");
    struct enc_open o = enc_map_open(m->b);
    put_level(&o, "at_least", x->one_more_least);
    put_level(&o, "at_most", x->one_more_most);
    enc_key(&o, "agencies");
    enc_list(m->b, x->n_agencies);
    for (uint32_t i = 0; i < x->n_agencies; i++)
        put_agency(m->b, &x->agencies[i]);
    enc_close(&o);
}

static void put_without(struct enc_open *m, const struct told_without *w)
{
    enc_key(m, "without");
    struct enc_open o = enc_map_open(m->b);
    enc_kv_slice(&o, "agency", w->agency);
    enc_kv_uint(&o, "signals", w->signals);
    put_level(&o, "level", w->level);
    enc_kv_uint(&o, "score", w->score);
    put_texts(&o, "lost", w->lost, w->n_lost);
    put_texts(&o, "gained", w->gained, w->n_gained);
    enc_close(&o);
}

/* ---- all ---- */

static void put_who(struct enc_open *m, const struct explanation *x)
{
    char text[16];
    enc_kv_int(m, "at", x->at);
    enc_key(m, "alert");
    if (x->alert)
        enc_uint(m->b, x->alert);
    else
        enc_nil(m->b);
    enc_key(m, "enterprise");
    struct enc_open who = enc_map_open(m->b);
    put_text(&who, "uscc", x->uscc);
    put_text(&who, "name", x->name);
    put_text(&who, "region", x->region ? (struct slice){text, region_text(x->region, text)} : (struct slice){0});
    put_text(&who, "industry", x->industry);
    enc_close(&who);
    if (x->unresolved)
        enc_kv_bool(m, "unresolved", true);
    put_level(m, "level", x->level);
    put_level(m, "level_uncapped", x->uncapped_level);
    if (x->area) {
        enc_key(m, "score");
        enc_nil(m->b);
    } else {
        enc_kv_uint(m, "score", x->score);
    }
}

static void put_members(struct enc_open *m, const struct explanation *x)
{
    enc_key(m, "members");
    enc_list(m->b, x->n_members);
    for (uint32_t i = 0; i < x->n_members; i++) {
        struct enc_open o = enc_map_open(m->b);
        put_text(&o, "uscc", x->members[i].uscc);
        put_text(&o, "name", x->members[i].name);
        put_level(&o, "level", x->members[i].level);
        enc_close(&o);
    }
    enc_kv_uint(m, "members_total", x->members_total);
}

void whatif_pack(struct buf *b, const struct explanation *x)
{
    struct enc_open m = enc_map_open(b);
    put_who(&m, x);
    enc_key(&m, "rules");
    enc_list(b, x->n_rules);
    for (uint32_t i = 0; i < x->n_rules; i++)
        put_rule(b, &x->rules[i]);
    put_score(&m, x);
    enc_key(&m, "shares");
    enc_list(b, x->n_shares);
    for (uint32_t i = 0; i < x->n_shares; i++)
        put_share(b, &x->shares[i]);
    enc_kv_uint(&m, "shares_total", x->shares_total);
    if (x->area)
        put_members(&m, x);
    put_changes(&m, x);
    if (x->without.agency.n)
        put_without(&m, &x->without);
    enc_key(&m, "silent");
    enc_list(b, x->n_silences);
    for (uint32_t i = 0; i < x->n_silences; i++) {
        struct enc_open s = enc_map_open(b);
        enc_kv_slice(&s, "agency", x->silences[i].agency);
        put_int(&s, "since", x->silences[i].since);
        enc_close(&s);
    }
    enc_close(&m);
}
