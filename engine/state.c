/* SPDX-License-Identifier: Apache-2.0 */
/* An open hash table of pointers to rows, each one piece of memory: head, key, value. Some bits of the hash lie in the
 * pointer's unused top, so that a probe looks at no row but the right one. A row is dirty from its first put after a
 * checkpoint was taken until the checkpoint that holds it is committed; only clean rows are dropped. While a checkpoint
 * holds a row it is not changed: a put makes another. */
#include "engine/state.h"

#include "engine/cells.h"
#include "engine/known.h"
#include "lib/mem.h"

#include <stdlib.h>

#define NAME(t, text) [t] = text
const char *const table_names[T_COUNT] = {
    NAME(T_META, "meta"),     NAME(T_DICT, "dict"),       NAME(T_ENTERPRISE, "enterprises"), NAME(T_BLOCK, "signals"),
    NAME(T_NAME, "names"),    NAME(T_ALERT, "alerts"),    NAME(T_OPEN, "open"),              NAME(T_EVENT, "events"),
    NAME(T_HISTORY, "history"), NAME(T_DUE, "due"),       NAME(T_SEEN, "seen"),
    NAME(T_SOURCE, "sources"), NAME(T_LINK, "links"),   NAME(T_SHADOW, "shadow"),
    NAME(T_UNRESOLVED, "unresolved"), NAME(T_TRIAGE, "triage"), NAME(T_SORTED, "sorted"),
    NAME(T_DUTY, "duty"),
};
#undef NAME

struct row {
    uint32_t refs;       /* the table, and a checkpoint */
    uint32_t n;          /* bytes of the value */
    uint32_t gen;        /* checkpoint generation of its last put; 0: as loaded */
    uint32_t dirty;      /* where in the list of dirty ones, if gen is the present one */
    uint8_t table, klen;
    bool gone;           /* known not to be there */
    bool used;           /* since the hand of the clock passed */
    uint8_t p[];         /* key, value */
};

enum { TRIM_LEAST = 256, TRIM_EACH = 8, FIRST_SLOTS = 1024, LINE = 64, WARM_LINES = 12 };

/* A slot: 0: free; DEAD: one was here, look on; else a row, the tag above TAG_SHIFT. */
#define DEAD UINT64_C(1)
#define TAG_SHIFT 48
#define ROW_BITS ((UINT64_C(1) << TAG_SHIFT) - 1)

struct state {
    const struct state_loader *loader;
    struct known *known;          /* NULL: the loader is always asked */
    size_t cache_bytes;
    uint64_t *slots;
    size_t n_slots, n_rows, n_dead, bytes, hand;
    size_t came;                  /* rows added since the last trim */
    size_t last;                  /* slot found or filled last: a get is most often followed by a put */
    struct cells cells;
    uint32_t gen, committed;      /* rows with gen > committed are dirty */
    struct row **dirty;           /* put since the last checkpoint was taken */
    size_t n_dirty, cap_dirty;
    struct dirty *cold;
    size_t n_cold, cap_cold;
    struct arena cold_arena;      /* of their values */
    size_t in_flight;
    struct err failed;
};

struct state *state_create(const struct state_loader *loader, size_t cache_bytes)
{
    struct state *s = mem_zalloc(sizeof *s);
    s->loader = loader;
    s->cache_bytes = cache_bytes;
    s->n_slots = FIRST_SLOTS;
    s->slots = mem_zalloc(s->n_slots * sizeof *s->slots);
    s->gen = 1;
    return s;
}

/* ---- rows ---- */

static size_t row_bytes(const struct row *r)
{
    return sizeof *r + r->klen + r->n;
}

static struct slice row_value(const struct row *r)
{
    return (struct slice){(const char *)r->p + r->klen, r->n};
}

static struct row *row_make(struct state *s, enum table t, const void *key, size_t klen, const void *value, size_t n)
{
    struct row *r = cell_take(&s->cells, sizeof *r + klen + n);
    assert(klen <= STATE_KEY_MAX && n <= UINT32_MAX && (uintptr_t)r <= ROW_BITS);
    *r = (struct row){.refs = 1, .n = (uint32_t)n, .table = (uint8_t)t, .klen = (uint8_t)klen};
    memcpy(r->p, key, klen);
    if (n)
        memcpy(r->p + klen, value, n);
    s->bytes += cell_size(row_bytes(r));
    return r;
}

static void row_drop(struct state *s, struct row *r)
{
    if (--r->refs)
        return;
    s->bytes -= cell_size(row_bytes(r));
    cell_give(&s->cells, r, row_bytes(r));
}

static bool is_row(uint64_t slot)
{
    return slot > DEAD;
}

static struct row *row_in(uint64_t slot)
{
    return (struct row *)(uintptr_t)(slot & ROW_BITS);
}

void state_destroy(struct state *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_slots; i++)
        if (is_row(s->slots[i]))
            row_drop(s, row_in(s->slots[i]));
    cells_finish(&s->cells);
    arena_finish(&s->cold_arena);
    free(s->slots);
    free(s->dirty);
    free(s->cold);
    free(s);
}

/* ---- the table ---- */

static uint64_t hash_key(enum table t, const void *key, size_t n)
{
    uint64_t h = (uint64_t)t + n * UINT64_C(0x9e3779b97f4a7c15);
    const uint8_t *p = key;
    for (; n; n -= n < 8 ? n : 8, p += 8) {
        uint64_t word = 0;
        memcpy(&word, p, n < 8 ? n : 8);
        /* high and low half of the product: a key's last byte, which lies on top, reaches all bits */
        unsigned __int128 product = (unsigned __int128)(h ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
        h = (uint64_t)(product >> 64) ^ (uint64_t)product;
    }
    return h;
}

static uint64_t tag_of(uint64_t hash)
{
    return hash >> TAG_SHIFT << TAG_SHIFT;
}

static bool is_at(const struct state *s, size_t i, uint64_t hash, enum table t, const void *key, size_t n)
{
    uint64_t slot = s->slots[i];
    if (!is_row(slot) || tag_of(slot) != tag_of(hash))
        return false;
    const struct row *r = row_in(slot);
    return r->table == t && r->klen == n && memcmp(r->p, key, n) == 0;
}

/* NULL: not in memory. */
static struct row *find(struct state *s, enum table t, const void *key, size_t n, uint64_t hash)
{
    const size_t mask = s->n_slots - 1;
    if (is_at(s, s->last, hash, t, key, n))
        return row_in(s->slots[s->last]);
    for (size_t i = hash & mask; s->slots[i]; i = (i + 1) & mask)
        if (is_at(s, i, hash, t, key, n)) {
            s->last = i;
            return row_in(s->slots[i]);
        }
    return NULL;
}

static void fill_slot(struct state *s, size_t i, uint64_t hash, struct row *r)
{
    s->slots[i] = tag_of(hash) | (uint64_t)(uintptr_t)r;
}

/* Twice as large, or as large without the dead. What lies ahead is touched before its turn. */
static void rehash(struct state *s)
{
    enum { AHEAD = 16 };
    size_t had = s->n_slots, mask;
    uint64_t *from = s->slots;
    if (s->n_rows * 2 >= had)
        s->n_slots *= 2;
    mask = s->n_slots - 1;
    s->slots = mem_zalloc(s->n_slots * sizeof *s->slots);
    s->n_dead = s->last = s->hand = 0;
    for (size_t k = 0; k < had; k++) {
        if (k + AHEAD < had)
            __builtin_prefetch(row_in(from[k + AHEAD]));
        if (!is_row(from[k]))
            continue;
        const struct row *r = row_in(from[k]);
        size_t i = hash_key((enum table)r->table, r->p, r->klen) & mask;
        while (s->slots[i])
            i = (i + 1) & mask;
        s->slots[i] = from[k];
    }
    free(from);
}

static void insert(struct state *s, uint64_t hash, struct row *r)
{
    if ((s->n_rows + s->n_dead + 1) * 4 > s->n_slots * 3)
        rehash(s);
    size_t i = hash & (s->n_slots - 1);
    while (is_row(s->slots[i]))
        i = (i + 1) & (s->n_slots - 1);
    s->n_dead -= s->slots[i] == DEAD;
    fill_slot(s, i, hash, r);
    s->last = i;
    s->n_rows++;
    s->came++;
}

static struct row *load(struct state *s, enum table t, const void *key, size_t n, uint64_t hash)
{
    struct slice value;
    struct err err = {0};
    int found = s->loader->get(s->loader->ctx, t, key, n, &value, &err);
    if (found < 0 && !s->failed.code)
        s->failed = err;
    if (found <= 0)
        return NULL;
    struct row *r = row_make(s, t, key, n, value.p, value.n);
    insert(s, hash, r);
    return r;
}

struct slice state_get(struct state *s, enum table t, const void *key, size_t n)
{
    uint64_t hash = hash_key(t, key, n);
    struct row *r = find(s, t, key, n, hash);
    if (!r && s->loader && (!s->known || !known_covers(t) || known_may(s->known, hash)))
        r = load(s, t, key, n, hash);
    if (!r || r->gone)
        return (struct slice){0};
    r->used = true;
    return row_value(r);
}

void state_warm(const struct state *s, enum table t, const void *key, size_t n, int step)
{
    uint64_t hash = hash_key(t, key, n);
    size_t mask = s->n_slots - 1, i = hash & mask;
    if (step == 0) {
        __builtin_prefetch(&s->slots[i]);
        return;
    }
    while (s->slots[i] && !(is_row(s->slots[i]) && tag_of(s->slots[i]) == tag_of(hash)))
        i = (i + 1) & mask;
    const struct row *r = row_in(s->slots[i]);
    if (!s->slots[i])
        return;
    const char *p = (const char *)r;
    size_t lines = 2; /* of one whose length is not known yet */
    if (step == 2)
        lines = row_bytes(r) / LINE + 1 < WARM_LINES ? row_bytes(r) / LINE + 1 : WARM_LINES;
    for (size_t line = step == 2 ? 2 : 0; line < lines; line++)
        __builtin_prefetch(p + line * LINE);
}

/* ---- changes ---- */

/* Under the address sanitizer never: who still looks at the old value is to be found. */
static bool fits(const struct row *r, size_t n)
{
#ifdef __SANITIZE_ADDRESS__
    (void)r, (void)n;
    return false;
#else
    return r->refs == 1 && cell_size(row_bytes(r)) == cell_size(sizeof *r + r->klen + n);
#endif
}

/* The row that `r`, in the slot found last, becomes with this value. */
static struct row *revalue(struct state *s, uint64_t hash, struct row *r, const void *value, size_t n)
{
    if (fits(r, n) && cell_size(sizeof *r + r->klen + n) <= CELL_MOST) {
        if (n)
            memmove(r->p + r->klen, value, n);
        r->n = (uint32_t)n;
        return r;
    }
    struct row *made = row_make(s, (enum table)r->table, r->p, r->klen, value, n);
    made->gen = r->gen;
    made->dirty = r->dirty;
    if (r->gen == s->gen)
        s->dirty[r->dirty] = made;
    fill_slot(s, s->last, hash, made);
    row_drop(s, r);
    return made;
}

static void replace(struct state *s, enum table t, const void *key, size_t n, const void *value, size_t len, bool gone)
{
    uint64_t hash = hash_key(t, key, n);
    struct row *r = find(s, t, key, n, hash);
    if (s->known && !gone && (!r || r->gone) && known_covers(t))
        known_add(s->known, hash);
    if (r)
        r = revalue(s, hash, r, value, len);
    else
        insert(s, hash, r = row_make(s, t, key, n, value, len));
    r->gone = gone;
    r->used = true;
    if (r->gen != s->gen) {
        r->gen = s->gen;
        r->dirty = (uint32_t)s->n_dirty;
        s->dirty = mem_grow(s->dirty, &s->cap_dirty, s->n_dirty + 1, sizeof *s->dirty);
        s->dirty[s->n_dirty++] = r;
    }
}

void state_put(struct state *s, enum table t, const void *key, size_t n, const void *value, size_t len)
{
    replace(s, t, key, n, value, len, false);
}

void state_del(struct state *s, enum table t, const void *key, size_t n)
{
    replace(s, t, key, n, NULL, 0, true);
}

void state_put_cold(struct state *s, enum table t, const void *key, size_t n, const void *value, size_t len)
{
    assert(n <= STATE_KEY_MAX);
    s->cold = mem_grow(s->cold, &s->cap_cold, s->n_cold + 1, sizeof *s->cold);
    struct dirty *row = &s->cold[s->n_cold++];
    row->table = (uint8_t)t;
    row->klen = (uint8_t)n;
    memcpy(row->key, key, n);
    row->cold = true;
    row->n = (uint32_t)len;
    row->p = arena_copy(&s->cold_arena, value, len);
}

void state_drop_cold(struct state *s)
{
    arena_reset(&s->cold_arena);
    s->n_cold = 0;
}

void state_set_known(struct state *s, struct known *known)
{
    s->known = known;
}

const struct state_loader *state_loader_of(const struct state *s)
{
    return s->loader;
}

int state_scan(struct state *s, enum table t, bool (*each)(void *, struct slice, struct slice), void *arg,
               struct err *err)
{
    return s->loader ? s->loader->scan(s->loader->ctx, t, (struct slice){0}, each, arg, err) : 0;
}

const struct err *state_failed(const struct state *s)
{
    return s->failed.code ? &s->failed : NULL;
}

/* ---- letting go ---- */

static void drop(struct state *s, size_t i)
{
    row_drop(s, row_in(s->slots[i]));
    bool end = !s->slots[(i + 1) & (s->n_slots - 1)]; /* nobody looks on from here */
    s->slots[i] = end ? 0 : DEAD;
    s->n_dead += !end;
    s->n_rows--;
}

void state_trim(struct state *s)
{
    if (!s->loader)
        return;
    /* The hand moves on in proportion to what came: where all is dirty there is nothing to drop, and looking through
     * everything after each batch would cost more than the batch. */
    for (size_t steps = TRIM_LEAST + TRIM_EACH * s->came; s->bytes > s->cache_bytes && steps; steps--) {
        s->hand = (s->hand + 1) & (s->n_slots - 1);
        if (!is_row(s->slots[s->hand]))
            continue;
        struct row *r = row_in(s->slots[s->hand]);
        if (r->gen > s->committed || r->used)
            r->used = false;
        else
            drop(s, s->hand);
    }
    s->came = 0;
}

/* ---- checkpoints ---- */

size_t state_dirty(const struct state *s)
{
    return s->n_dirty + s->n_cold + s->in_flight;
}

struct checkpoint *state_checkpoint(struct state *s)
{
    enum { AHEAD = 12 };
    size_t n = s->n_dirty + s->n_cold;
    assert(s->in_flight == 0);
    if (n == 0)
        return NULL;
    struct checkpoint *cp = mem_zalloc(sizeof *cp);
    cp->rows = mem_grow(s->cold, &s->cap_cold, n, sizeof *cp->rows); /* cold rows are rows already */
    cp->n = s->n_cold;
    for (size_t i = 0; i < s->n_dirty; i++) {
        struct row *r = s->dirty[i];
        struct dirty *d = &cp->rows[cp->n++];
        if (i + AHEAD < s->n_dirty)
            __builtin_prefetch(s->dirty[i + AHEAD], 1);
        d->table = r->table;
        d->klen = r->klen;
        d->cold = false;
        memcpy(d->key, r->p, r->klen);
        d->n = r->n;
        d->p = r->gone ? NULL : r->p + r->klen;
        if (!r->gone)
            r->refs++;
    }
    cp->arena = s->cold_arena;
    s->cold_arena = (struct arena){0};
    s->cold = NULL;
    s->n_cold = s->cap_cold = s->n_dirty = 0;
    s->in_flight = n;
    s->gen++;
    return cp;
}

/* The row whose value a checkpoint shows. */
static struct row *row_of(const struct dirty *d)
{
    return (struct row *)(uintptr_t)(d->p - d->klen - offsetof(struct row, p));
}

void state_committed(struct state *s, struct checkpoint *cp)
{
    enum { AHEAD = 12 };
    s->committed = s->gen - 1;
    s->in_flight = 0;
    for (size_t i = 0; i < cp->n; i++) {
        if (i + AHEAD < cp->n && !cp->rows[i + AHEAD].cold)
            __builtin_prefetch(cp->rows[i + AHEAD].p, 1);
        if (!cp->rows[i].cold && cp->rows[i].p)
            row_drop(s, row_of(&cp->rows[i]));
    }
    arena_finish(&cp->arena);
    free(cp->rows);
    free(cp);
}
