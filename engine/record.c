/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/record.h"

enum { RECORD_VERSION = 2, BLOCK_VERSION = 1 };

/* Optional fields of a stored signal. */
enum {
    S_CANCELLED = SIG_CANCELLED, S_BY_NAME = SIG_BY_NAME, S_REGION = 4, S_INDUSTRY = 8, S_PROJECT = 16, S_AMOUNT = 32,
    S_PEOPLE = 64, S_SINCE = 128, S_OWNER = 256, S_NAME = 512, S_ROLE = 1024, S_CREDIT = 2048, S_RANK = 4096,
    S_TAGS = 8192, S_PROFILE = 16384
};

static void put_sig(struct buf *b, const struct sig *s, const struct sig *before, bool in_block)
{
    bool rank = in_block && s->rank;
    unsigned f = s->flags | (s->region ? S_REGION : 0) | (s->industry.n ? S_INDUSTRY : 0) |
                 (s->project.n ? S_PROJECT : 0) | (s->amount != NO_INT ? S_AMOUNT : 0) |
                 (s->people != NO_INT ? S_PEOPLE : 0) | (s->since != NO_INT ? S_SINCE : 0) |
                 (s->owner ? S_OWNER : 0) | (s->name ? S_NAME : 0) | (s->role ? S_ROLE : 0) |
                 (s->credit ? S_CREDIT : 0) | (rank ? S_RANK : 0) | (s->tags.n ? S_TAGS : 0) |
                 (s->profile.n ? S_PROFILE : 0);
    buf_varint(b, f);
    buf_zigzag(b, (int64_t)(s->seq - (before ? before->seq : 0)));
    buf_zigzag(b, (int64_t)((uint64_t)s->at - (uint64_t)(before ? before->at : 0)));
    buf_slice(b, s->id);
    if (s->region)
        buf_varint(b, s->region);
    if (s->industry.n)
        buf_slice(b, s->industry);
    if (s->project.n)
        buf_slice(b, s->project);
    if (s->amount != NO_INT)
        buf_zigzag(b, s->amount);
    if (s->people != NO_INT)
        buf_zigzag(b, s->people);
    if (s->since != NO_INT)
        buf_zigzag(b, s->since);
    if (s->owner)
        buf_put(b, s->owner, OWNER_LEN);
    if (s->name)
        buf_put(b, s->name, NAME_HASH_LEN);
    if (s->role)
        buf_u8(b, s->role);
    if (s->credit)
        buf_u8(b, (uint8_t)s->credit);
    if (rank)
        buf_u8(b, s->rank);
    if (s->tags.n)
        buf_slice(b, s->tags);
    if (s->profile.n)
        buf_slice(b, s->profile);
}

static void get_sig(struct rd *r, struct sig *s, const struct sig *before)
{
    *s = (struct sig){.amount = NO_INT, .people = NO_INT, .since = NO_INT};
    unsigned f = (unsigned)rd_varint(r);
    s->flags = f & (S_CANCELLED | S_BY_NAME);
    s->seq = (before ? before->seq : 0) + (uint64_t)rd_zigzag(r);
    s->at = (int64_t)((uint64_t)(before ? before->at : 0) + (uint64_t)rd_zigzag(r));
    s->id = rd_slice(r);
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

static void put_sigs(struct buf *b, const struct sig *sigs, size_t n, bool in_block)
{
    buf_varint(b, n);
    for (size_t i = 0; i < n; i++)
        put_sig(b, &sigs[i], i ? &sigs[i - 1] : NULL, in_block);
}

/* `more` elements are left free at the end for what the fold adds. */
static struct sig *get_sigs(struct rd *r, struct arena *a, uint32_t *n, uint32_t more)
{
    *n = (uint32_t)rd_count(r, 4);
    struct sig *sigs = arena_alloc(a, (*n + more) * sizeof *sigs);
    for (uint32_t i = 0; i < *n; i++)
        get_sig(r, &sigs[i], i ? &sigs[i - 1] : NULL);
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
    put_sigs(b, s->words, s->n_words, true);
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
    s->words = get_sigs(r, a, &s->n_words, 0);
    for (uint32_t i = 0; i < s->n_words; i++)
        s->words[i].active = true;
}

/* The plain fields of a record, each once, for both directions. */
#define RECORD_UNSIGNED(c)                                                                                   \
    {                                                                                                        \
        &(c)->settings, &(c)->alert, &(c)->last_seq, &(c)->name_seq, &(c)->industry_seq, &(c)->place,        \
            &(c)->place_seq, &(c)->finding_entry                                                             \
    }
#define RECORD_SIGNED(c)                                                                                     \
    {                                                                                                        \
        &(c)->name_at, &(c)->industry_at, &(c)->place_at, &(c)->due, &(c)->judged_at, &(c)->finding_at       \
    }

enum { R_ALERT_OPEN = 1, R_UNRESOLVED = 2, R_LINKED = 4, R_LEVELS = 8, R_SHADOW = 16 };

static void put_links(struct buf *b, const struct link *list, uint32_t n)
{
    buf_varint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        buf_put(b, list[i].hub, HUB_LEN);
        buf_u8(b, list[i].roles);
        buf_u8(b, list[i].by_others);
        buf_varint(b, list[i].slot);
    }
}

static struct link *get_links(struct rd *r, struct arena *a, uint32_t *n)
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
           (c->shadow_level || c->shadow_score_level ? R_SHADOW : 0);
}

static void put_rare(struct buf *b, const struct record *c)
{
    unsigned f = rare_flags(c);
    if (f & R_LEVELS) {
        buf_u8(b, c->own_level);
        for (int l = LEVEL_GENERAL; l < LEVEL_COUNT; l++)
            buf_when(b, c->left_at[l]);
    }
    if (f & R_LINKED) {
        put_links(b, c->links, c->n_links);
        put_links(b, c->areas, c->n_areas);
        buf_varint(b, c->n_radiated);
        for (uint32_t i = 0; i < c->n_radiated; i++)
            buf_varint(b, c->radiated[i]);
    }
    if (f & R_SHADOW) {
        buf_u8(b, c->shadow_score_level);
        buf_u8(b, c->shadow_level);
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
        c->links = get_links(r, a, &c->n_links);
        c->areas = get_links(r, a, &c->n_areas);
        c->n_radiated = (uint32_t)rd_count(r, 1);
        c->radiated = arena_alloc(a, (c->n_radiated + 1) * sizeof *c->radiated);
        for (uint32_t i = 0; i < c->n_radiated; i++)
            c->radiated[i] = (uint32_t)rd_varint(r);
    }
    if (f & R_SHADOW) {
        c->shadow_score_level = rd_u8(r);
        c->shadow_level = rd_u8(r);
    }
    if (c->own_level >= LEVEL_COUNT || c->shadow_level >= LEVEL_COUNT || c->shadow_score_level >= LEVEL_COUNT)
        r->bad = true;
}

void record_put(struct buf *b, const struct record *c)
{
    const uint64_t *const u[] = RECORD_UNSIGNED(c);
    const int64_t *const i[] = RECORD_SIGNED(c);
    const uint8_t head[] = {RECORD_VERSION,
                            (uint8_t)((c->alert_open ? R_ALERT_OPEN : 0) | (c->unresolved ? R_UNRESOLVED : 0) |
                                      rare_flags(c)),
                            c->score_level, c->level};
    buf_put(b, head, sizeof head);
    buf_varint(b, c->score);
    for (size_t k = 0; k < ARRAY_LEN(u); k++)
        buf_varint(b, *u[k]);
    for (size_t k = 0; k < ARRAY_LEN(i); k++)
        buf_when(b, *i[k]);
    buf_slice(b, c->name);
    buf_slice(b, c->industry);
    buf_u8(b, c->finding);
    buf_varint(b, c->n_finding_kinds);
    for (uint32_t k = 0; k < c->n_finding_kinds; k++)
        buf_varint(b, c->finding_kinds[k]);
    buf_varint(b, c->n_places);
    for (uint32_t k = 0; k < c->n_places; k++)
        buf_varint(b, c->places[k]);
    put_rare(b, c);
    buf_varint(b, c->n_series);
    for (uint32_t k = 0; k < c->n_series; k++) {
        const struct series *s = &c->series[k];
        buf_varint(b, s->kind);
        buf_varint(b, s->source);
        put_sigs(b, s->sigs, s->n, false);
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
        s->sigs = get_sigs(r, a, &s->n, 1);
        s->cap = s->n + 1;
        get_spilled(r, a, s);
    }
}

int record_get(struct slice bytes, const struct ekey *key, struct arena *a, struct record *c, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    *c = (struct record){.key = *key};
    uint64_t *const u[] = RECORD_UNSIGNED(c);
    int64_t *const i[] = RECORD_SIGNED(c);
    if (rd_u8(&r) != RECORD_VERSION)
        r.bad = true;
    uint8_t flags = rd_u8(&r);
    c->alert_open = flags & R_ALERT_OPEN;
    c->unresolved = flags & R_UNRESOLVED;
    c->score_level = rd_u8(&r);
    c->level = rd_u8(&r);
    c->score = (uint32_t)rd_varint(&r);
    for (size_t k = 0; k < ARRAY_LEN(u); k++)
        *u[k] = rd_varint(&r);
    for (size_t k = 0; k < ARRAY_LEN(i); k++)
        *i[k] = rd_when(&r);
    c->name = rd_slice(&r);
    c->industry = rd_slice(&r);
    c->finding = rd_u8(&r);
    c->n_finding_kinds = (uint32_t)rd_count(&r, 1);
    c->finding_kinds = arena_alloc(a, c->n_finding_kinds * sizeof *c->finding_kinds);
    for (uint32_t k = 0; k < c->n_finding_kinds; k++)
        c->finding_kinds[k] = (uint32_t)rd_varint(&r);
    c->n_places = (uint32_t)rd_count(&r, 1);
    c->places = arena_alloc(a, (c->n_places + 1) * sizeof *c->places);
    for (uint32_t k = 0; k < c->n_places; k++)
        c->places[k] = rd_varint(&r);
    get_rare(&r, a, c, flags);
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
    put_sigs(b, sigs, n, true);
}

int block_get(struct slice bytes, struct arena *a, struct sig **sigs, size_t *n, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    uint32_t count = 0;
    if (rd_u8(&r) != BLOCK_VERSION)
        r.bad = true;
    *sigs = get_sigs(&r, a, &count, SERIES_SPILL);
    *n = count;
    if (r.bad || rd_left(&r))
        return err_set(err, WW_EDAMAGED, "view: a block of signals does not decode; run wagewarnd --rebuild");
    return 0;
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
