/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/known.h"

#include "lib/buf.h"
#include "lib/mem.h"

#include <stdlib.h>

enum {
    FIRST_SHIFT = 16,        /* keys that the first filter takes; each next one takes twice as many */
    FILTERS_MAX = 24,
    LINE = 64,               /* bytes, all that a key touches of a filter */
    KEY_BYTES = 2,           /* 16 bits a key, of which 5 are set: wrong for two in a thousand */
    PROBES = 5,
    PIECE = 1024,            /* bytes, stored together */
    KNOWN_VERSION = 1
};

struct filter {
    uint64_t *bits;
    uint8_t *changed;        /* by piece, since the last checkpoint; NULL: none */
};

struct known {
    struct filter filters[FILTERS_MAX];
    uint32_t n;              /* filters; the last one takes what is new */
    uint64_t in_last;        /* keys in it */
    bool changed;
};

static const char row_name[] = "known";

static size_t keys_of(uint32_t filter)
{
    return (size_t)1 << (FIRST_SHIFT + filter);
}

static size_t bytes_of(uint32_t filter)
{
    return keys_of(filter) * KEY_BYTES;
}

struct known *known_create(void)
{
    struct known *k = mem_zalloc(sizeof *k);
    k->changed = true; /* the first checkpoint says that there is one */
    return k;
}

void known_destroy(struct known *k)
{
    for (uint32_t i = 0; k && i < k->n; i++) {
        free(k->filters[i].bits);
        free(k->filters[i].changed);
    }
    free(k);
}

bool known_covers(enum table t)
{
    return t == T_ENTERPRISE || t == T_NAME || t == T_LINK;
}

/* ---- bits ---- */

static size_t line_of(uint32_t filter, uint64_t hash)
{
    return (size_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (bytes_of(filter) / LINE - 1);
}

static uint64_t bits_of(uint64_t hash)
{
    return ((hash ^ hash >> 29) * UINT64_C(0xbf58476d1ce4e5b9)) >> 16;
}

static bool may(const struct known *k, uint32_t filter, uint64_t hash)
{
    const uint64_t *line = k->filters[filter].bits + line_of(filter, hash) * (LINE / 8);
    uint64_t bits = bits_of(hash);
    for (int i = 0; i < PROBES; i++, bits >>= 9)
        if (!(line[bits >> 6 & 7] >> (bits & 63) & 1))
            return false;
    return true;
}

bool known_may(const struct known *k, uint64_t hash)
{
    for (uint32_t i = k->n; i-- > 0;)
        if (may(k, i, hash))
            return true;
    return false;
}

static void add_filter(struct known *k)
{
    assert(k->n < FILTERS_MAX);
    k->filters[k->n] = (struct filter){mem_zalloc(bytes_of(k->n)), mem_zalloc(bytes_of(k->n) / PIECE)};
    k->n++;
    k->in_last = 0;
}

void known_add(struct known *k, uint64_t hash)
{
    if (known_may(k, hash))
        return;
    if (k->n == 0 || k->in_last == keys_of(k->n - 1))
        add_filter(k);
    struct filter *f = &k->filters[k->n - 1];
    size_t at = line_of(k->n - 1, hash);
    uint64_t *line = f->bits + at * (LINE / 8), bits = bits_of(hash);
    for (int i = 0; i < PROBES; i++, bits >>= 9)
        line[bits >> 6 & 7] |= UINT64_C(1) << (bits & 63);
    f->changed[at / (PIECE / LINE)] = 1;
    k->in_last++;
    k->changed = true;
}

/* ---- rows of T_META: one of all, and one a piece ---- */

static size_t piece_key(uint8_t out[STATE_KEY_MAX], uint32_t filter, size_t piece)
{
    size_t n = sizeof row_name - 1;
    memcpy(out, row_name, n);
    out[n++] = (uint8_t)filter;
    for (int shift = 24; shift >= 0; shift -= 8)
        out[n++] = (uint8_t)(piece >> shift);
    return n;
}

void known_checkpoint(struct known *k, struct state *state)
{
    uint8_t key[STATE_KEY_MAX];
    uint8_t row[1 + 10 + 10] = {KNOWN_VERSION}, *end = varint_put(varint_put(row + 1, k->n), k->in_last);
    if (!k->changed)
        return;
    k->changed = false;
    for (uint32_t i = 0; i < k->n; i++) {
        struct filter *f = &k->filters[i];
        for (size_t piece = 0; piece < bytes_of(i) / PIECE; piece++)
            if (f->changed[piece]) {
                f->changed[piece] = 0;
                state_put_cold(state, T_META, key, piece_key(key, i, piece), (uint8_t *)f->bits + piece * PIECE, PIECE);
            }
    }
    state_put_cold(state, T_META, row_name, sizeof row_name - 1, row, (size_t)(end - row));
}

static int load_filter(struct known *k, uint32_t filter, const struct state_loader *l, struct err *err)
{
    uint8_t key[STATE_KEY_MAX];
    for (size_t piece = 0; piece < bytes_of(filter) / PIECE; piece++) {
        struct slice v;
        int found = l->get(l->ctx, T_META, key, piece_key(key, filter, piece), &v, err);
        if (found < 0)
            return found;
        if (found && v.n == PIECE)
            memcpy((uint8_t *)k->filters[filter].bits + piece * PIECE, v.p, PIECE);
    }
    return 0;
}

int known_load(struct known *k, const struct state_loader *l, struct err *err)
{
    struct slice v = {0};
    int found = l->get(l->ctx, T_META, row_name, sizeof row_name - 1, &v, err);
    if (found < 0)
        return found;
    struct rd r = rd_of(v.p, v.n);
    bool good = found && rd_u8(&r) == KNOWN_VERSION;
    uint64_t n = rd_varint(&r), in_last = rd_varint(&r);
    if (!good || r.bad || n > FILTERS_MAX)
        return err_set(err, WW_EDAMAGED, "view: the filter of what it holds is missing; run wagewarnd --rebuild");
    while (k->n < n) {
        add_filter(k);
        int rc = load_filter(k, k->n - 1, l, err);
        if (rc < 0)
            return rc;
    }
    k->in_last = in_last;
    k->changed = false;
    return 0;
}
