/* SPDX-License-Identifier: Apache-2.0 */
/* Every accepted (source, id), by its 128-bit hash. What was put since the last commit lies in two tables here (being
 * gathered, being committed); the rest in T_SEEN, by epochs of a million entries, each with a filter in memory, so that
 * the common case, a new id, touches no disk. A filter is stored when its epoch is full; the last one is made again at
 * start from the epoch's rows.
 *
 * Cost of a new id: one cache line a filter, one in the table. A filter of 16 bits an id and 5 bits set is wrong for
 * two in a thousand, which then cost a look into the store. */
#include "engine/fold.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <stdlib.h>

enum {
    EPOCH_SHIFT = 20,
    FILTER_LINES = 32768,                 /* of 64 bytes: 2 MiB for 2^20 ids */
    FILTER_BYTES = FILTER_LINES * 64,
    FILTER_PROBES = 5,
    PART_SHIFT = 18,                      /* rows lie by parts of an epoch: new ones share few pages */
    PARTS = 1 << (EPOCH_SHIFT - PART_SHIFT),
    HASH_STORED = 12,                     /* bytes: with 10^9 ids two meet with a chance of 10^-11 */
    SEEN_KEY_LEN = 4 + HASH_STORED,
    SEEN_VERSION = 1
};

struct entry_row {
    uint64_t number;
    uint8_t hash[16];
    uint32_t kind;
    struct ekey key;
};

/* Rows in the order in which they came, and an open table of where they are: half of a hash | row + 1; 0: free. So a new
 * id touches one line of the table, which is small, and the end of the rows. */
struct gathering {
    struct entry_row *rows;
    size_t n, cap;
    uint64_t *slots;
    size_t n_slots;                       /* a power of two, or 0 */
};

struct seen {
    struct engine *e;
    struct gathering now, going;          /* since the last checkpoint; in the one in flight */
    uint64_t **filters;                   /* by epoch; NULL: none of its ids was seen */
    size_t n_filters, cap_filters;
};

uint32_t seen_kind(struct slice kind)
{
    uint32_t h = (uint32_t)hash_fnv1a(kind.p, kind.n);
    return h == SEEN_CANCELS ? 1 : h;
}

struct seen *seen_create(struct engine *e)
{
    struct seen *s = mem_zalloc(sizeof *s);
    s->e = e;
    return s;
}

void seen_destroy(struct seen *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_filters; i++)
        free(s->filters[i]);
    free(s->filters);
    free(s->now.rows);
    free(s->now.slots);
    free(s->going.rows);
    free(s->going.slots);
    free(s);
}

/* ---- filters ---- */

/* Two numbers out of what is stored of a hash. */
static uint64_t hash_word(const uint8_t hash[16], int i)
{
    uint64_t w;
    memcpy(&w, hash + i * (HASH_STORED - 8), sizeof w);
    return w;
}

static uint64_t *filter_line(uint64_t *filter, const uint8_t hash[16])
{
    return filter + hash_word(hash, 0) % FILTER_LINES * 8;
}

static bool filter_may(const uint64_t *filter, const uint8_t hash[16])
{
    const uint64_t *line = filter_line((uint64_t *)(uintptr_t)filter, hash);
    uint64_t bits = hash_word(hash, 1);
    for (int i = 0; i < FILTER_PROBES; i++, bits >>= 9)
        if (!(line[bits >> 6 & 7] >> (bits & 63) & 1))
            return false;
    return true;
}

static void filter_add(uint64_t *filter, const uint8_t hash[16])
{
    uint64_t *line = filter_line(filter, hash), bits = hash_word(hash, 1);
    for (int i = 0; i < FILTER_PROBES; i++, bits >>= 9)
        line[bits >> 6 & 7] |= UINT64_C(1) << (bits & 63);
}

static void put_be32(uint8_t *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static size_t filter_key(uint8_t out[STATE_KEY_MAX], uint32_t epoch)
{
    memcpy(out, "seen-filter", 11);
    put_be32(out + 11, epoch);
    return 15;
}

static void have_filters(struct seen *s, size_t n)
{
    s->filters = mem_grow(s->filters, &s->cap_filters, n, sizeof *s->filters);
    while (s->n_filters < n)
        s->filters[s->n_filters++] = NULL;
}

/* The filter of an epoch; when it is the first id of that epoch, the ones before are full and are stored. */
static uint64_t *filter_of(struct seen *s, uint32_t epoch)
{
    if (epoch >= s->n_filters || !s->filters[epoch]) {
        size_t had = s->n_filters;
        have_filters(s, epoch + 1);
        s->filters[epoch] = mem_zalloc(FILTER_BYTES);
        if (had && had <= epoch && s->filters[had - 1]) {
            uint8_t key[STATE_KEY_MAX];
            size_t n = filter_key(key, (uint32_t)had - 1);
            state_put_cold(s->e->state, T_META, key, n, s->filters[had - 1], FILTER_BYTES);
        }
    }
    return s->filters[epoch];
}

/* ---- what is not yet in the store ---- */

static size_t home_of(const struct gathering *g, const uint8_t hash[16])
{
    return hash_word(hash, 1) & (g->n_slots - 1);
}

/* Where it is, or the free place where it would be; there is one. */
static uint64_t *slot(const struct gathering *g, const uint8_t hash[16])
{
    uint64_t half = hash_word(hash, 0) >> 32;
    for (size_t i = home_of(g, hash);; i = (i + 1) & (g->n_slots - 1)) {
        uint64_t s = g->slots[i];
        if (!s || (s >> 32 == half && memcmp(g->rows[(uint32_t)s - 1].hash, hash, 16) == 0))
            return &g->slots[i];
    }
}

static void point_at(const struct gathering *g, uint64_t *to, size_t row)
{
    *to = (hash_word(g->rows[row].hash, 0) >> 32) << 32 | (uint32_t)(row + 1);
}

static void grow(struct gathering *g)
{
    free(g->slots);
    g->n_slots = g->n_slots ? g->n_slots * 2 : 1024;
    g->slots = mem_zalloc(g->n_slots * sizeof *g->slots);
    for (size_t i = 0; i < g->n; i++)
        point_at(g, slot(g, g->rows[i].hash), i);
}

static bool find_gathered(const struct gathering *g, const uint8_t hash[16], struct seen_row *out)
{
    const uint64_t *at = g->n ? slot(g, hash) : NULL;
    if (!at || !*at)
        return false;
    const struct entry_row *r = &g->rows[(uint32_t)*at - 1];
    *out = (struct seen_row){r->number, r->kind, r->key, true};
    return true;
}

/* ---- the store ---- */

static void row_key(uint8_t key[SEEN_KEY_LEN], uint32_t part, const uint8_t hash[16])
{
    put_be32(key, part);
    memcpy(key + 4, hash, HASH_STORED);
}

static bool find_stored(struct seen *s, uint32_t part, const uint8_t hash[16], struct seen_row *out)
{
    uint8_t key[SEEN_KEY_LEN];
    row_key(key, part, hash);
    struct slice v = state_get(s->e->state, T_SEEN, key, sizeof key);
    if (!v.p)
        return false;
    struct rd r = rd_of(v.p, v.n);
    bool known = rd_u8(&r) == SEEN_VERSION;
    out->number = ((uint64_t)part << PART_SHIFT) + rd_varint(&r);
    out->kind = rd_u32(&r);
    out->has_key = false;
    if (!known || r.bad) {
        err_set(s->e->err, WW_EDAMAGED, "view: a row of seen ids does not decode; run wagewarnd --rebuild");
        s->e->failed = true;
        return false;
    }
    return true;
}

void seen_warm(const struct seen *s, const uint8_t hash[16])
{
    if (s->now.n)
        __builtin_prefetch(&s->now.slots[home_of(&s->now, hash)], 1);
    if (s->going.n)
        __builtin_prefetch(&s->going.slots[home_of(&s->going, hash)]);
    for (size_t i = 0; i < s->n_filters && s->e->has_loader; i++)
        if (s->filters[i])
            __builtin_prefetch(filter_line(s->filters[i], hash));
}

bool seen_find(struct seen *s, const uint8_t hash[16], struct seen_row *out)
{
    if (find_gathered(&s->now, hash, out) || find_gathered(&s->going, hash, out))
        return true;
    if (!s->e->has_loader)
        return false;
    for (size_t i = s->n_filters; i-- > 0;)
        if (s->filters[i] && filter_may(s->filters[i], hash))
            for (uint32_t part = PARTS; part-- > 0;)
                if (find_stored(s, (uint32_t)i * PARTS + part, hash, out))
                    return true;
    return false;
}

void seen_put(struct seen *s, const uint8_t hash[16], const struct seen_row *row)
{
    struct gathering *g = &s->now;
    if ((g->n + 1) * 2 > g->n_slots)
        grow(g);
    uint64_t *at = slot(g, hash);
    if (*at)
        return;
    g->rows = mem_grow(g->rows, &g->cap, g->n + 1, sizeof *g->rows);
    struct entry_row *r = &g->rows[g->n];
    *r = (struct entry_row){.number = row->number, .kind = row->kind, .key = row->key};
    memcpy(r->hash, hash, 16);
    point_at(g, at, g->n++);
    filter_add(filter_of(s, (uint32_t)(row->number >> EPOCH_SHIFT)), hash);
}

size_t seen_waiting(const struct seen *s)
{
    return s->now.n;
}

void seen_checkpoint(struct seen *s)
{
    struct buf b = {0};
    uint8_t key[SEEN_KEY_LEN];
    assert(s->going.n == 0);
    for (size_t i = 0; i < s->now.n; i++) {
        const struct entry_row *r = &s->now.rows[i];
        buf_reset(&b);
        buf_u8(&b, SEEN_VERSION);
        buf_varint(&b, r->number & ((1 << PART_SHIFT) - 1));
        buf_u32(&b, r->kind);
        row_key(key, (uint32_t)(r->number >> PART_SHIFT), r->hash);
        state_put_cold(s->e->state, T_SEEN, key, sizeof key, b.p, b.n);
    }
    buf_finish(&b);
    struct gathering empty = s->going;
    s->going = s->now;
    s->now = empty;
}

void seen_committed(struct seen *s)
{
    if (s->going.n)
        memset(s->going.slots, 0, s->going.n_slots * sizeof *s->going.slots);
    s->going.n = 0;
}

/* ---- at start ---- */

struct loading {
    struct seen *s;
    uint32_t epoch;
};

static bool add_row(void *arg, struct slice key, struct slice value)
{
    struct loading *l = arg;
    uint32_t part = 0;
    (void)value;
    for (int i = 0; i < 4 && key.n == SEEN_KEY_LEN; i++)
        part = part << 8 | (uint8_t)key.p[i];
    if (key.n != SEEN_KEY_LEN || part / PARTS != l->epoch)
        return false;
    if (!l->s->filters[l->epoch])
        l->s->filters[l->epoch] = mem_zalloc(FILTER_BYTES);
    filter_add(l->s->filters[l->epoch], (const uint8_t *)key.p + 4);
    return true;
}

int seen_load(struct seen *s, struct err *err)
{
    const struct state_loader *l = state_loader_of(s->e->state);
    uint32_t last = (uint32_t)(s->e->number >> EPOCH_SHIFT);
    if (!s->e->number)
        return 0;
    have_filters(s, last + 1);
    for (uint32_t i = 0; i <= last; i++) {
        uint8_t key[STATE_KEY_MAX];
        struct slice bits;
        int found = l->get(l->ctx, T_META, key, filter_key(key, i), &bits, err);
        if (found < 0)
            return found;
        if (found && bits.n == FILTER_BYTES) {
            s->filters[i] = mem_alloc(FILTER_BYTES);
            memcpy(s->filters[i], bits.p, FILTER_BYTES);
            continue;
        }
        struct loading arg = {s, i};
        put_be32(key, i * PARTS);
        int rc = l->scan(l->ctx, T_SEEN, (struct slice){(char *)key, 4}, add_row, &arg, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
