/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/record.h"

enum { RECORD_VERSION = 5, BLOCK_VERSION = 2 };

/* Optional fields of a stored signal. */
enum {
    S_CANCELLED = SIG_CANCELLED, S_BY_NAME = SIG_BY_NAME, S_REGION = 4, S_INDUSTRY = 8, S_PROJECT = 16, S_AMOUNT = 32,
    S_PEOPLE = 64, S_SINCE = 128, S_OWNER = 256, S_NAME = 512, S_ROLE = 1024, S_CREDIT = 2048, S_RANK = 4096,
    S_TAGS = 8192, S_PROFILE = 16384,
    S_SAME_REGION = 32768, S_SAME_INDUSTRY = 65536 /* as the record says it itself */
};

/* Beside what a signal's fields are written: the one before it, and the record that it lies in (NULL: in a block). */
struct beside {
    uint64_t seq;
    int64_t at;
    const struct record *record;
};

static struct beside beside_record(const struct record *c)
{
    return (struct beside){c->last_seq, c->judged_at == NO_INT ? 0 : c->judged_at, c};
}

static bool same_slice(struct slice a, struct slice b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static unsigned sig_flags(const struct sig *s, const struct record *in)
{
    unsigned f = s->flags | (s->project.n ? S_PROJECT : 0) | (s->amount != NO_INT ? S_AMOUNT : 0) |
                 (s->people != NO_INT ? S_PEOPLE : 0) | (s->since != NO_INT ? S_SINCE : 0) |
                 (s->owner ? S_OWNER : 0) | (s->name ? S_NAME : 0) | (s->role ? S_ROLE : 0) |
                 (s->credit ? S_CREDIT : 0) | (!in && s->rank ? S_RANK : 0) | (s->tags.n ? S_TAGS : 0) |
                 (s->profile.n ? S_PROFILE : 0);
    if (s->region)
        f |= in && s->region == in->place ? S_SAME_REGION : S_REGION;
    if (s->industry.n)
        f |= in && same_slice(s->industry, in->industry) ? S_SAME_INDUSTRY : S_INDUSTRY;
    return f;
}

static void put_sig(struct buf *b, const struct sig *s, struct beside *x)
{
    unsigned f = sig_flags(s, x->record);
    uint8_t *p = buf_reserve(b, 4 * 10), *from = p;
    p = varint_put(p, f);
    p = varint_put(p, zigzag_of((int64_t)(x->seq - s->seq)));
    p = varint_put(p, zigzag_of((int64_t)((uint64_t)x->at - (uint64_t)s->at)));
    b->n += (size_t)(p - from);
    x->seq = s->seq;
    x->at = s->at;
    buf_slice(b, s->id);
    if (f & S_REGION)
        buf_varint(b, s->region);
    if (f & S_INDUSTRY)
        buf_slice(b, s->industry);
    if (f & S_PROJECT)
        buf_slice(b, s->project);
    if (f & S_AMOUNT)
        buf_zigzag(b, s->amount);
    if (f & S_PEOPLE)
        buf_zigzag(b, s->people);
    if (f & S_SINCE)
        buf_zigzag(b, s->since);
    if (f & S_OWNER)
        buf_put(b, s->owner, OWNER_LEN);
    if (f & S_NAME)
        buf_put(b, s->name, NAME_HASH_LEN);
    if (f & S_ROLE)
        buf_u8(b, s->role);
    if (f & S_CREDIT)
        buf_u8(b, (uint8_t)s->credit);
    if (f & S_RANK)
        buf_u8(b, s->rank);
    if (f & S_TAGS)
        buf_slice(b, s->tags);
    if (f & S_PROFILE)
        buf_slice(b, s->profile);
}

static void get_sig(struct rd *r, struct sig *s, struct beside *x)
{
    *s = (struct sig){.amount = NO_INT, .people = NO_INT, .since = NO_INT};
    unsigned f = (unsigned)rd_varint(r);
    s->flags = f & (S_CANCELLED | S_BY_NAME);
    s->seq = x->seq -= (uint64_t)rd_zigzag(r);
    s->at = x->at = (int64_t)((uint64_t)x->at - (uint64_t)rd_zigzag(r));
    s->id = rd_slice(r);
    if (f & (S_SAME_REGION | S_SAME_INDUSTRY)) {
        if (!x->record)
            r->bad = true;
        else if (f & S_SAME_REGION)
            s->region = x->record->place;
        if (x->record && f & S_SAME_INDUSTRY)
            s->industry = x->record->industry;
    }
    if (f & S_REGION)
        s->region = rd_varint(r);
    if (f & S_INDUSTRY)
        s->industry = rd_slice(r);
    if (f & S_PROJECT)
        s->project = rd_slice(r);
    if (f & S_AMOUNT)
        s->amount = rd_zigzag(r);
    if (f & S_PEOPLE)
        s->people = rd_zigzag(r);
    if (f & S_SINCE)
        s->since = rd_zigzag(r);
    if (f & S_OWNER)
        s->owner = rd_bytes(r, OWNER_LEN);
    if (f & S_NAME)
        s->name = rd_bytes(r, NAME_HASH_LEN);
    if (f & S_ROLE)
        s->role = rd_u8(r);
    if (f & S_CREDIT)
        s->credit = (char)rd_u8(r);
    if (f & S_RANK)
        s->rank = rd_u8(r);
    if (f & S_TAGS)
        s->tags = rd_slice(r);
    if (f & S_PROFILE)
        s->profile = rd_slice(r);
}

static void put_sigs(struct buf *b, const struct sig *sigs, size_t n, const struct record *in)
{
    struct beside x = in ? beside_record(in) : (struct beside){0};
    buf_varint(b, n);
    for (size_t i = 0; i < n; i++)
        put_sig(b, &sigs[i], &x);
}

/* `more` elements are left free at the end for what the fold adds. */
static struct sig *get_sigs(struct rd *r, struct arena *a, uint32_t *n, uint32_t more, const struct record *in)
{
    struct beside x = in ? beside_record(in) : (struct beside){0};
    *n = (uint32_t)rd_count(r, 4);
    struct sig *sigs = arena_alloc(a, (*n + more) * sizeof *sigs);
    for (uint32_t i = 0; i < *n; i++)
        get_sig(r, &sigs[i], &x);
    return sigs;
}

static void put_spilled(struct buf *b, const struct series *s)
{
    buf_varint(b, s->n_blocks);
    if (!s->n_blocks)
        return;
    buf_varint(b, s->next_block);
    for (uint32_t i = 0; i < s->n_blocks; i++) {
        const struct block_ref *k = &s->blocks[i];
        buf_varint(b, k->no);
        buf_varint(b, k->n);
        buf_varint(b, k->n_cancelled);
        buf_zigzag(b, k->first_at);
        buf_zigzag(b, k->last_at - k->first_at);
        buf_varint(b, k->last_seq);
        buf_varint(b, k->min_seq);
        buf_varint(b, k->max_seq - k->min_seq);
        buf_when(b, k->people);
        buf_when(b, k->amount);
        buf_when(b, k->since);
    }
    buf_varint(b, s->n_buckets);
    for (uint32_t i = 0; i < s->n_buckets; i++) {
        buf_zigzag(b, s->buckets[i].index);
        buf_varint(b, s->buckets[i].sum);
    }
    buf_zigzag(b, s->spilled_cleared);
    buf_varint(b, s->spilled_active);
    buf_zigzag(b, s->spilled_latest);
    buf_u8(b, s->spilled_rank);
    buf_u64(b, s->spilled_sum);
    put_sigs(b, s->words, s->n_words, NULL);
}

static void get_spilled(struct rd *r, struct arena *a, struct series *s)
{
    s->spilled_latest = s->spilled_cleared = NO_INT;
    s->n_blocks = (uint32_t)rd_count(r, 8);
    if (!s->n_blocks)
        return;
    s->next_block = (uint32_t)rd_varint(r);
    s->blocks = arena_alloc(a, s->n_blocks * sizeof *s->blocks);
    for (uint32_t i = 0; i < s->n_blocks; i++) {
        struct block_ref *k = &s->blocks[i];
        k->no = (uint32_t)rd_varint(r);
        k->n = (uint32_t)rd_varint(r);
        k->n_cancelled = (uint32_t)rd_varint(r);
        k->first_at = rd_zigzag(r);
        k->last_at = (int64_t)((uint64_t)k->first_at + (uint64_t)rd_zigzag(r));
        k->last_seq = rd_varint(r);
        k->min_seq = rd_varint(r);
        k->max_seq = k->min_seq + rd_varint(r);
        k->people = rd_when(r);
        k->amount = rd_when(r);
        k->since = rd_when(r);
    }
    s->n_buckets = (uint32_t)rd_count(r, 2);
    s->buckets = arena_alloc(a, s->n_buckets * sizeof *s->buckets);
    for (uint32_t i = 0; i < s->n_buckets; i++) {
        s->buckets[i].index = rd_zigzag(r);
        s->buckets[i].sum = rd_varint(r);
    }
    s->spilled_cleared = rd_zigzag(r);
    s->spilled_active = (uint32_t)rd_varint(r);
    s->spilled_latest = rd_zigzag(r);
    s->spilled_rank = rd_u8(r);
    s->spilled_sum = rd_u64(r);
    s->words = get_sigs(r, a, &s->n_words, 0, NULL);
    for (uint32_t i = 0; i < s->n_words; i++)
        s->words[i].active = true;
}

/* What a record has; most have few of these. */
enum {
    R_ALERT_OPEN = 1, R_UNRESOLVED = 2, R_PLACE = 4, R_INDUSTRY = 8, R_SAME_TIME = 16, R_DUE = 32,
    R_NAME = 64, R_LEVEL = 128, R_ALERT = 256, R_PLACES = 512, R_FINDING = 1024, R_LINKED = 2048, R_LEVELS = 4096,
    R_SHADOW = 8192,
    R_NEWS = 16384, /* the latest signal is not the latest news */
    R_DUTIES = 32768
};

static void put_words(struct buf *b, const uint32_t *words, uint32_t n)
{
    buf_varint(b, n);
    for (uint32_t i = 0; i < n; i++)
        buf_varint(b, words[i]);
}

static uint32_t *get_words(struct rd *r, struct arena *a, uint32_t *n)
{
    *n = (uint32_t)rd_count(r, 1);
    uint32_t *words = arena_alloc(a, (*n + 1) * sizeof *words);
    for (uint32_t i = 0; i < *n; i++)
        words[i] = (uint32_t)rd_varint(r);
    return words;
}

static void put_links(struct buf *b, const struct link *list, uint32_t n, bool dated)
{
    buf_varint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        buf_put(b, list[i].hub, HUB_LEN);
        buf_u8(b, list[i].roles);
        buf_u8(b, list[i].by_others);
        buf_varint(b, list[i].slot);
        if (dated)
            buf_when(b, list[i].at);
    }
}

static struct link *get_links(struct rd *r, struct arena *a, uint32_t *n, bool dated)
{
    *n = (uint32_t)rd_count(r, HUB_LEN + 3);
    struct link *list = arena_zalloc(a, (*n + 1) * sizeof *list);
    for (uint32_t i = 0; i < *n && !r->bad; i++) {
        const uint8_t *hub = rd_bytes(r, HUB_LEN);
        if (hub)
            memcpy(list[i].hub, hub, HUB_LEN);
        list[i].roles = rd_u8(r);
        list[i].by_others = rd_u8(r);
        list[i].slot = (uint32_t)rd_varint(r);
        list[i].at = dated ? rd_when(r) : NO_INT;
    }
    return list;
}

/* What few records have, each behind a flag: levels reached, links and areas, the shadow rules' levels. */
static unsigned rare_flags(const struct record *c)
{
    bool left = false;
    for (int l = LEVEL_GENERAL; l < LEVEL_COUNT; l++)
        left |= c->left_at[l] != NO_INT;
    return (left || c->own_level ? R_LEVELS : 0) | (c->n_links || c->n_areas || c->n_radiated ? R_LINKED : 0) |
           (c->shadow_level || c->shadow_score_level ? R_SHADOW : 0) |
           (c->news != c->last_seq || c->unclearing ? R_NEWS : 0) | (c->duties ? R_DUTIES : 0);
}

/* A signal's number, as seen from the last one: most often it is that one. */
static void put_seq(struct buf *b, const struct record *c, uint64_t seq)
{
    buf_zigzag(b, (int64_t)(c->last_seq - seq));
}

static uint64_t get_seq(struct rd *r, const struct record *c)
{
    return c->last_seq - (uint64_t)rd_zigzag(r);
}

static void put_rare(struct buf *b, const struct record *c, unsigned f)
{
    if (f & R_LEVELS) {
        buf_u8(b, c->own_level);
        for (int l = LEVEL_GENERAL; l < LEVEL_COUNT; l++)
            buf_when(b, c->left_at[l]);
    }
    if (f & R_LINKED) {
        put_links(b, c->links, c->n_links, true);
        put_links(b, c->areas, c->n_areas, false);
        put_words(b, c->radiated, c->n_radiated);
    }
    if (f & R_SHADOW) {
        buf_u8(b, c->shadow_score_level);
        buf_u8(b, c->shadow_level);
    }
    if (f & R_NEWS) {
        put_seq(b, c, c->news);
        buf_varint(b, c->unclearing);
    }
}

static void get_rare(struct rd *r, struct arena *a, struct record *c, unsigned f)
{
    for (int l = 0; l < LEVEL_COUNT; l++)
        c->left_at[l] = NO_INT;
    if (f & R_LEVELS) {
        c->own_level = rd_u8(r);
        for (int l = LEVEL_GENERAL; l < LEVEL_COUNT; l++)
            c->left_at[l] = rd_when(r);
    }
    if (f & R_LINKED) {
        c->links = get_links(r, a, &c->n_links, true);
        c->areas = get_links(r, a, &c->n_areas, false);
        c->radiated = get_words(r, a, &c->n_radiated);
    }
    if (f & R_SHADOW) {
        c->shadow_score_level = rd_u8(r);
        c->shadow_level = rd_u8(r);
    }
    c->news = f & R_NEWS ? get_seq(r, c) : c->last_seq;
    c->unclearing = f & R_NEWS ? rd_varint(r) : 0;
    if (c->own_level >= LEVEL_COUNT || c->shadow_level >= LEVEL_COUNT || c->shadow_score_level >= LEVEL_COUNT)
        r->bad = true;
}

static bool one_place(const struct record *c)
{
    return c->place ? c->n_places == 1 && c->places[0] == c->place : c->n_places == 0;
}

static unsigned record_flags(const struct record *c)
{
    bool place = c->place || c->place_at != NO_INT || c->place_seq;
    bool industry = c->industry.n || c->industry_at != NO_INT || c->industry_seq;
    bool same_time = industry && c->industry_at == c->place_at && c->industry_seq == c->place_seq;
    return (c->alert_open ? R_ALERT_OPEN : 0) | (c->unresolved ? R_UNRESOLVED : 0) | (place ? R_PLACE : 0) |
           (industry ? R_INDUSTRY : 0) | (same_time ? R_SAME_TIME : 0) | (c->due != NO_INT ? R_DUE : 0) |
           (c->name.n || c->name_at != NO_INT || c->name_seq ? R_NAME : 0) |
           (c->level || c->score_level ? R_LEVEL : 0) | (c->alert ? R_ALERT : 0) | (one_place(c) ? 0 : R_PLACES) |
           (c->finding || c->finding_at || c->finding_entry || c->n_finding_kinds ? R_FINDING : 0) | rare_flags(c);
}

static void put_seldom(struct buf *b, const struct record *c, unsigned f)
{
    if (f & R_NAME) {
        buf_slice(b, c->name);
        buf_when(b, c->name_at);
        put_seq(b, c, c->name_seq);
    }
    if (f & R_LEVEL) {
        buf_u8(b, c->score_level);
        buf_u8(b, c->level);
    }
    if (f & R_ALERT)
        buf_varint(b, c->alert);
    if (f & R_PLACES) {
        buf_varint(b, c->n_places);
        for (uint32_t k = 0; k < c->n_places; k++)
            buf_varint(b, c->places[k]);
    }
    if (f & R_FINDING) {
        buf_u8(b, c->finding);
        buf_when(b, c->finding_at);
        buf_varint(b, c->finding_entry);
        put_words(b, c->finding_kinds, c->n_finding_kinds);
    }
    put_rare(b, c, f);
}

void record_put(struct buf *b, const struct record *c)
{
    unsigned f = record_flags(c);
    buf_u8(b, RECORD_VERSION);
    buf_varint(b, f);
    buf_varint(b, c->settings);
    buf_varint(b, c->score);
    buf_varint(b, c->last_seq);
    buf_when(b, c->judged_at);
    if (f & R_PLACE) {
        buf_varint(b, c->place);
        buf_when(b, c->place_at);
        put_seq(b, c, c->place_seq);
    }
    if (f & R_INDUSTRY) {
        buf_slice(b, c->industry);
        if (!(f & R_SAME_TIME)) {
            buf_when(b, c->industry_at);
            put_seq(b, c, c->industry_seq);
        }
    }
    if (f & R_DUE)
        buf_when(b, c->due);
    put_seldom(b, c, f);
    buf_varint(b, c->n_series);
    for (uint32_t k = 0; k < c->n_series; k++) {
        const struct series *s = &c->series[k];
        buf_varint(b, s->kind);
        buf_varint(b, s->source);
        put_sigs(b, s->sigs, s->n, c);
        put_spilled(b, s);
    }
}

static void get_series(struct rd *r, struct arena *a, struct record *c)
{
    c->n_series = (uint32_t)rd_count(r, 4);
    c->series = arena_alloc(a, (c->n_series + 1) * sizeof *c->series);
    for (uint32_t k = 0; k < c->n_series && !r->bad; k++) {
        struct series *s = &c->series[k];
        *s = (struct series){0};
        s->kind = (uint32_t)rd_varint(r);
        s->source = (uint32_t)rd_varint(r);
        s->sigs = get_sigs(r, a, &s->n, 1, c);
        s->cap = s->n + 1;
        get_spilled(r, a, s);
    }
}

/* The list has room for one more. */
static void get_places(struct rd *r, struct arena *a, struct record *c, bool listed)
{
    c->n_places = listed ? (uint32_t)rd_count(r, 1) : c->place != 0;
    c->places = arena_alloc(a, (c->n_places + 1) * sizeof *c->places);
    for (uint32_t k = 0; k < c->n_places; k++)
        c->places[k] = listed ? rd_varint(r) : c->place;
}

static void get_seldom(struct rd *r, struct arena *a, struct record *c, unsigned f)
{
    if (f & R_NAME) {
        c->name = rd_slice(r);
        c->name_at = rd_when(r);
        c->name_seq = get_seq(r, c);
    }
    if (f & R_LEVEL) {
        c->score_level = rd_u8(r);
        c->level = rd_u8(r);
    }
    if (f & R_ALERT)
        c->alert = rd_varint(r);
    get_places(r, a, c, f & R_PLACES);
    if (f & R_FINDING) {
        c->finding = rd_u8(r);
        c->finding_at = rd_when(r);
        c->finding_entry = rd_varint(r);
        c->finding_kinds = get_words(r, a, &c->n_finding_kinds);
    }
    get_rare(r, a, c, f);
}

static void get_head(struct rd *r, struct record *c, unsigned f)
{
    c->alert_open = f & R_ALERT_OPEN;
    c->unresolved = f & R_UNRESOLVED;
    c->duties = f & R_DUTIES;
    c->settings = rd_varint(r);
    c->score = (uint32_t)rd_varint(r);
    c->last_seq = rd_varint(r);
    c->judged_at = rd_when(r);
    if (f & R_PLACE) {
        c->place = rd_varint(r);
        c->place_at = rd_when(r);
        c->place_seq = get_seq(r, c);
    }
    if (f & R_INDUSTRY) {
        c->industry = rd_slice(r);
        c->industry_at = f & R_SAME_TIME ? c->place_at : rd_when(r);
        c->industry_seq = f & R_SAME_TIME ? c->place_seq : get_seq(r, c);
    }
    if (f & R_DUE)
        c->due = rd_when(r);
}

int record_get(struct slice bytes, const struct ekey *key, struct arena *a, struct record *c, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    *c = (struct record){.key = *key, .name_at = NO_INT, .industry_at = NO_INT, .place_at = NO_INT, .due = NO_INT};
    if (rd_u8(&r) != RECORD_VERSION)
        r.bad = true;
    unsigned f = (unsigned)rd_varint(&r);
    get_head(&r, c, f);
    get_seldom(&r, a, c, f);
    get_series(&r, a, c);
    if (r.bad || rd_left(&r) || c->score_level >= LEVEL_COUNT || c->level >= LEVEL_COUNT)
        return err_set(err, WW_EDAMAGED, "view: the record of an enterprise does not decode; run wagewarnd --rebuild");
    return 0;
}

void tag_put(struct buf *b, struct slice name, int64_t until)
{
    buf_slice(b, name);
    buf_zigzag(b, until);
}

bool tag_next(struct rd *r, struct tag *t)
{
    if (r->bad || !rd_left(r))
        return false;
    *t = (struct tag){.name = rd_slice(r)};
    t->until = rd_zigzag(r);
    return !r->bad;
}

void profile_put(struct buf *b, enum profile_key key, struct slice text, int64_t number)
{
    buf_u8(b, (uint8_t)key);
    buf_slice(b, text);
    buf_zigzag(b, number);
}

bool profile_next(struct rd *r, enum profile_key *key, struct slice *text, int64_t *number)
{
    if (r->bad || !rd_left(r))
        return false;
    *key = (enum profile_key)rd_u8(r);
    *text = rd_slice(r);
    *number = rd_zigzag(r);
    return !r->bad;
}

struct slice record_uscc(const struct record *c)
{
    return ekey_is_code(&c->key) ? (struct slice){(const char *)c->key.b + 1, 18} : (struct slice){0};
}

region_t record_region(const struct record *c)
{
    return c->registered ? c->registered : c->place;
}

struct slice record_industry(const struct record *c)
{
    return c->registered_industry.n ? c->registered_industry : c->industry;
}

void block_put(struct buf *b, const struct sig *sigs, size_t n)
{
    buf_u8(b, BLOCK_VERSION);
    put_sigs(b, sigs, n, NULL);
}

int block_get(struct slice bytes, struct arena *a, struct sig **sigs, size_t *n, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    uint32_t count = 0;
    if (rd_u8(&r) != BLOCK_VERSION)
        r.bad = true;
    *sigs = get_sigs(&r, a, &count, SERIES_SPILL, NULL);
    *n = count;
    if (r.bad || rd_left(&r))
        return err_set(err, WW_EDAMAGED, "view: a block of signals does not decode; run wagewarnd --rebuild");
    return 0;
}

bool block_has(struct slice bytes, uint64_t seq)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    struct beside x = {0};
    struct sig sig;
    if (rd_u8(&r) != BLOCK_VERSION)
        return true;
    for (size_t n = rd_count(&r, 4); n > 0; n--) {
        get_sig(&r, &sig, &x);
        if (r.bad || sig.seq == seq)
            return true;
    }
    return r.bad;
}

size_t block_key(uint8_t out[STATE_KEY_MAX], const struct ekey *key, const struct series *s, uint32_t no)
{
    const uint32_t words[] = {s->kind, s->source, no};
    memcpy(out, key->b, EKEY_LEN);
    size_t n = EKEY_LEN;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        for (int shift = 24; shift >= 0; shift -= 8)
            out[n++] = (uint8_t)(words[i] >> shift);
    return n;
}
