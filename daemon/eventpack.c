/* SPDX-License-Identifier: Apache-2.0 */
/* Alert events to msgpack. Owns nothing; the words come from the dictionary, whose texts never move. */
#include "daemon/eventpack.h"

#include "engine/duty.h"
#include "engine/fold.h"

#include <stdio.h>

void eventpack_text(struct buf *b, struct slice s)
{
    if (s.n)
        enc_slice(b, s);
    else
        enc_nil(b);
}

void eventpack_int(struct buf *b, int64_t v)
{
    if (v == NO_INT)
        enc_nil(b);
    else
        enc_int(b, v);
}

void eventpack_region(struct buf *b, region_t r)
{
    char text[16];
    if (r)
        enc_slice(b, (struct slice){text, region_text(r, text)});
    else
        enc_nil(b);
}

void eventpack_enterprise(struct buf *b, struct slice uscc, struct slice name, region_t region,
                          struct slice industry)
{
    enc_map(b, 4);
    enc_str(b, "uscc");
    eventpack_text(b, uscc);
    enc_str(b, "name");
    eventpack_text(b, name);
    enc_str(b, "region");
    eventpack_region(b, region);
    enc_str(b, "industry");
    eventpack_text(b, industry);
}

/* Not by what else binds its enterprises: a project's number may begin with a region's code, but goes on. */
static bool named_by_place(struct slice name, region_t place)
{
    char text[16];
    size_t n = region_text(place, text);
    return name.n >= n && memcmp(name.p, text, n) == 0 && (name.n == n || name.p[n] == ' ');
}

struct slice eventpack_name(const struct regions *regions, const struct ekey *key, struct slice name, const region_t *places,
                            uint32_t n_places, struct slice industry, char room[PACK_NAME_MAX])
{
    size_t n = regions && n_places && ekey_kind(key) == EKEY_AREA && named_by_place(name, places[0])
                   ? regions_full_name(regions, places[0], room, PACK_NAME_MAX)
                   : 0;
    if (!n)
        return name;
    if (industry.n && n + 1 + industry.n < PACK_NAME_MAX)
        n += (size_t)snprintf(room + n, PACK_NAME_MAX - n, " %.*s", SLICE_ARG(industry));
    return (struct slice){room, n};
}

static uint64_t entry_of(uint64_t seq)
{
    return seq & ((UINT64_C(1) << DERIVED_SHIFT) - 1);
}

void eventpack_seq(struct enc_open *m, uint64_t seq)
{
    enc_kv_uint(m, "seq", entry_of(seq));
    if (seq != entry_of(seq))
        enc_kv_uint(m, "ordinal", seq >> DERIVED_SHIFT);
}

void eventpack_tier(struct enc_open *m, const struct work *w, unsigned tier)
{
    if (!w || tier >= w->n_tiers)
        return;
    enc_key(m, "tier");
    struct enc_open t = enc_map_open(m->b);
    enc_kv_uint(&t, "number", tier);
    enc_kv_slice(&t, "id", w->tiers[tier].id);
    enc_kv_slice(&t, "zh", w->tiers[tier].zh);
    enc_kv_slice(&t, "en", w->tiers[tier].en);
    enc_close(&t);
}

const char *eventpack_step(unsigned due_step)
{
    static const char *const words[] = {[DUE_ACCEPT] = "accept", [DUE_VERIFY] = "verify", [DUE_CLOSE] = "close"};
    return due_step < ARRAY_LEN(words) ? words[due_step] : NULL;
}

static void reason(struct buf *b, const struct reason *r, const struct dict *d)
{
    struct slice id, zh, en;
    rule_words(dict_text(d, DICT_RULE, r->rule), &id, &zh, &en);
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "rule", id);
    enc_kv_slice(&m, "title", zh.n ? zh : id);
    enc_kv_slice(&m, "title_en", en.n ? en : id);
    enc_kv_str(&m, "level", level_wire(r->level));
    enc_key(&m, "signals");
    enc_list(b, r->n);
    for (uint32_t i = 0; i < r->n; i++)
        enc_uint(b, entry_of(r->signals[i]));
    enc_kv_uint(&m, "signals_total", r->signals_total);
    static const char *const links[LINK_CLASS_END] = {"", "owner", "project", "parent", "successor"};
    if (r->other.n)
        enc_kv_slice(&m, "other", r->other);
    if (r->hidden)
        enc_kv_bool(&m, "hidden", true);
    if (r->other.n || r->hidden)
        enc_kv_str(&m, "link", r->link < LINK_CLASS_END ? links[r->link] : "");
    enc_close(&m);
}

void eventpack_reasons(struct buf *b, const struct event *ev, const struct dict *d)
{
    enc_list(b, ev->n_reasons);
    for (uint32_t i = 0; i < ev->n_reasons; i++)
        reason(b, &ev->reasons[i], d);
}

void eventpack_tags(struct buf *b, const struct event *ev)
{
    enc_list(b, ev->n_tags);
    for (uint32_t i = 0; i < ev->n_tags; i++)
        enc_slice(b, ev->tags[i]);
}

static struct slice agency_of(struct slice kind)
{
    const char *dot = kind.n ? memchr(kind.p, '.', kind.n) : NULL;
    return dot ? (struct slice){kind.p, (size_t)(dot - kind.p)} : kind;
}

/* How much, how many; and of whom, where it is another's. */
static void figures(struct enc_open *m, const struct evidence *e)
{
    if (e->hidden) {
        enc_kv_bool(m, "hidden", true);
        enc_kv_uint(m, "counted", e->counted_ppm);
        return;
    }
    enc_key(m, "amount");
    eventpack_int(m->b, e->amount);
    enc_key(m, "people");
    eventpack_int(m->b, e->people);
    if (!e->from.n)
        return;
    enc_kv_slice(m, "from", e->from);
    if (e->project.n)
        enc_kv_slice(m, "project", e->project);
    enc_kv_uint(m, "counted", e->counted_ppm);
}

void eventpack_evidence(struct buf *b, const struct event *ev, const struct dict *d)
{
    enc_list(b, ev->n_evidence);
    for (uint32_t i = 0; i < ev->n_evidence; i++) {
        const struct evidence *e = &ev->evidence[i];
        struct slice kind = dict_text(d, DICT_KIND, e->kind);
        struct enc_open m = enc_map_open(b);
        eventpack_seq(&m, e->seq);
        if (!e->hidden)
            enc_kv_slice(&m, "id", e->id);
        enc_kv_slice(&m, "source", dict_text(d, DICT_SOURCE, e->source));
        enc_kv_slice(&m, "kind", kind);
        enc_kv_slice(&m, "agency", agency_of(kind));
        enc_kv_int(&m, "at", e->at);
        enc_kv_uint(&m, "share", e->share_ppm);
        figures(&m, e);
        enc_close(&m);
    }
}

static void assessed(struct buf *b, const struct assessed *x)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "line", x->line);
    enc_kv_bool(&m, "met", x->met);
    enc_key(&m, "people");
    eventpack_int(b, x->people);
    enc_key(&m, "months");
    eventpack_int(b, x->months);
    enc_key(&m, "amount");
    eventpack_int(b, x->amount);
    enc_key(&m, "short");
    struct enc_open lacks = enc_map_open(b);
    enc_kv_int(&lacks, "people", x->short_people);
    enc_kv_int(&lacks, "months", x->short_months);
    enc_kv_int(&lacks, "amount", x->short_amount);
    enc_kv_bool(&lacks, "order", x->short_order);
    enc_close(&lacks);
    enc_key(&m, "region");
    eventpack_region(b, x->region);
    enc_kv_slice(&m, "source", x->source);
    enc_close(&m);
}

static void member(struct buf *b, const struct member *x)
{
    enc_map(b, 3);
    enc_str(b, "uscc");
    eventpack_text(b, x->uscc);
    enc_str(b, "name");
    eventpack_text(b, x->name);
    enc_str(b, "level");
    enc_str(b, level_wire(x->level));
}

void eventpack_more(struct enc_open *m, const struct event *ev)
{
    if (ev->n_assessed) {
        enc_key(m, "assessment");
        enc_list(m->b, ev->n_assessed);
        for (uint32_t i = 0; i < ev->n_assessed; i++)
            assessed(m->b, &ev->assessed[i]);
    }
    if (ev->members_total) {
        enc_key(m, "enterprises");
        enc_list(m->b, ev->n_members);
        for (uint32_t i = 0; i < ev->n_members; i++)
            member(m->b, &ev->members[i]);
        enc_kv_uint(m, "enterprises_total", ev->members_total);
    }
    if (ev->members_open)
        enc_kv_uint(m, "enterprises_open", ev->members_open);
}

void eventpack_teams(struct buf *b, const struct slice *teams, size_t n, struct slice team, const struct slice *joined,
                     size_t n_joined)
{
    if (n) {
        enc_list(b, n);
        for (size_t i = 0; i < n; i++)
            enc_slice(b, teams[i]);
        return;
    }
    enc_list(b, n_joined + (team.n ? 1 : 0));
    if (team.n)
        enc_slice(b, team);
    for (size_t i = 0; i < n_joined; i++)
        enc_slice(b, joined[i]);
}

struct slice eventpack_title(uint32_t rule, const struct dict *d, bool zh)
{
    struct slice word = rule == UINT32_MAX ? (struct slice){NULL, 0} : dict_text(d, DICT_RULE, rule);
    if (!word.n)
        return zh ? SLICE("预警") : SLICE("Alert");
    struct slice id, title_zh, title_en;
    rule_words(word, &id, &title_zh, &title_en);
    struct slice title = zh ? title_zh : title_en;
    return title.n ? title : id;
}

/* What an action said, where it said it. */
static void action_pairs(struct enc_open *m, const struct event *ev)
{
    const struct {
        const char *key;
        struct slice text;
    } texts[] = {
        {"principal", ev->principal}, {"actor", ev->actor},     {"finding", ev->finding},
        {"outcome", ev->outcome},     {"measure", ev->measure}, {"ref", ev->ref},
        {"team", ev->team},           {"rule", ev->rule},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].text.n)
            enc_kv_slice(m, texts[i].key, texts[i].text);
    if (ev->people != NO_INT)
        enc_kv_int(m, "people", ev->people);
    if (ev->amount != NO_INT)
        enc_kv_int(m, "amount", ev->amount);
    if (ev->type == EVENT_OVERDUE)
        enc_kv_str(m, "step", eventpack_step(ev->step));
    if (ev->until != NO_INT)
        enc_kv_int(m, "until", ev->until);
}

/* Of no alert: no reasons and no evidence, but a duty. */
static uint32_t duty_body(struct buf *b, const struct event *ev, const struct pack_words *words)
{
    const struct duty *d = duty_named(words->work, ev->duty);
    struct enc_open m = {.b = b};
    enc_kv_int(&m, "at", ev->at);
    enc_kv_str(&m, "type", event_wire(ev->type));
    enc_kv_uint(&m, "alert", 0);
    enc_kv_str(&m, "level", level_wire(LEVEL_NONE));
    enc_kv_slice(&m, "duty", ev->duty);
    enc_kv_slice(&m, "title", d ? d->zh : ev->duty);
    enc_kv_slice(&m, "title_en", d ? d->en : ev->duty);
    enc_kv_str(&m, "step", duty_step_wire(ev->step));
    enc_key(&m, "enterprise");
    eventpack_enterprise(b, ev->uscc, ev->name, ev->region, ev->industry);
    enc_key(&m, "teams");
    eventpack_teams(b, ev->teams, ev->n_teams, (struct slice){NULL, 0}, NULL, 0);
    eventpack_tier(&m, words->work, ev->tier);
    enc_key(&m, "due");
    eventpack_int(b, ev->due);
    action_pairs(&m, ev);
    return m.n;
}

uint32_t eventpack_body(struct buf *b, const struct event *ev, const struct pack_words *words)
{
    if (ev->type == EVENT_DUTY)
        return duty_body(b, ev, words);
    const struct dict *d = words->dict;
    char room[PACK_NAME_MAX];
    struct slice name = eventpack_name(words->regions, &ev->key, ev->name, ev->places, ev->n_places, ev->industry, room);
    struct enc_open m = {.b = b}; /* never closed: the header is the caller's */
    enc_kv_int(&m, "at", ev->at);
    enc_kv_str(&m, "type", event_wire(ev->type));
    enc_kv_uint(&m, "alert", ev->alert);
    enc_kv_uint(&m, "version", ev->version);
    enc_kv_str(&m, "state", alert_state_wire(ev->state));
    enc_kv_str(&m, "level", level_wire(ev->level));
    enc_kv_str(&m, "level_before", level_wire(ev->level_before));
    if (ekey_kind(&ev->key) != EKEY_AREA) /* which has none */
        enc_kv_int(&m, "score", ev->score);
    enc_key(&m, "enterprise");
    eventpack_enterprise(b, ev->uscc, name, ev->region, ev->industry);
    enc_kv_slice(&m, "title", event_title(ev, d, true));
    enc_kv_slice(&m, "title_en", event_title(ev, d, false));
    enc_key(&m, "reasons");
    eventpack_reasons(b, ev, d);
    enc_key(&m, "tags");
    eventpack_tags(b, ev);
    enc_key(&m, "evidence");
    eventpack_evidence(b, ev, d);
    enc_kv_uint(&m, "evidence_total", ev->evidence_total);
    eventpack_more(&m, ev);
    enc_key(&m, "teams");
    eventpack_teams(b, ev->teams, ev->n_teams, ev->team, NULL, 0);
    eventpack_tier(&m, words->work, ev->tier);
    enc_key(&m, "due");
    eventpack_int(b, ev->due);
    if (ekey_status(&ev->key) != STATUS_ACTUAL)
        enc_kv_str(&m, "status", status_wire(ekey_status(&ev->key)));
    if (ev->merged_into)
        enc_kv_uint(&m, "merged_into", ev->merged_into);
    if (ev->rules_changed)
        enc_kv_bool(&m, "rules_changed", true);
    action_pairs(&m, ev);
    return m.n;
}
