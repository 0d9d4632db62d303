/* SPDX-License-Identifier: Apache-2.0 */
/* A chained hash table of nodes, each one cache line; blobs hang off them. A node is dirty from its first put after a
 * checkpoint was taken until the checkpoint that holds it is committed; only clean nodes are dropped. */
#include "engine/state.h"

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
};
#undef NAME

struct node {
    struct node *next;
    struct blob *blob;   /* NULL: known not to be there */
    uint32_t hash;
    uint32_t gen;        /* checkpoint generation of its last put; 0: as loaded */
    uint8_t table, klen;
    bool used;           /* since the hand of the clock passed */
    uint8_t key[STATE_KEY_MAX];
};

enum { SLAB_NODES = 1024, TRIM_LEAST = 256, TRIM_EACH = 8 };

struct slab {
    struct slab *next;
    struct node nodes[SLAB_NODES];
};

struct state {
    const struct state_loader *loader;
    struct known *known;          /* NULL: the loader is always asked */
    size_t cache_bytes;
    struct node **buckets;
    size_t n_buckets, n_nodes, bytes, hand;
    size_t came;                  /* nodes added since the last trim */
    struct node *last;            /* found or made last: a get is most often followed by a put */
    struct slab *slabs;
    struct node *free;
    uint32_t gen, committed;      /* nodes with gen > committed are dirty */
    struct node **dirty;          /* put since the last checkpoint was taken */
    size_t n_dirty, cap_dirty;
    struct dirty *cold;
    size_t n_cold, cap_cold;
    struct arena cold_arena;      /* of their blobs */
    size_t in_flight;
    struct err failed;
};

struct state *state_create(const struct state_loader *loader, size_t cache_bytes)
{
    struct state *s = mem_zalloc(sizeof *s);
    s->loader = loader;
    s->cache_bytes = cache_bytes;
    s->n_buckets = 1024;
    s->buckets = mem_zalloc(s->n_buckets * sizeof(struct node *));
    s->gen = 1;
    return s;
}

static struct blob *blob_fill(struct blob *b, const void *p, size_t n)
{
    b->refs = 1;
    b->n = (uint32_t)n;
    if (n)
        memcpy(b->p, p, n);
    return b;
}

static struct blob *blob_make(const void *p, size_t n)
{
    return blob_fill(mem_alloc(sizeof(struct blob) + n), p, n);
}

static void blob_drop(struct blob *b)
{
    if (b && __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(b);
}

void state_destroy(struct state *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct node *n = s->buckets[i]; n; n = n->next)
            blob_drop(n->blob);
    arena_finish(&s->cold_arena);
    while (s->slabs) {
        struct slab *next = s->slabs->next;
        free(s->slabs);
        s->slabs = next;
    }
    free(s->buckets);
    free(s->dirty);
    free(s->cold);
    free(s);
}

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

static uint32_t short_hash(uint64_t h)
{
    return (uint32_t)(h ^ h >> 32);
}

static struct node *find(struct state *s, enum table t, const void *key, size_t n, uint32_t hash)
{
    struct node *e = s->last;
    if (e && e->hash == hash && e->table == t && e->klen == n && memcmp(e->key, key, n) == 0)
        return e;
    for (e = s->buckets[hash & (s->n_buckets - 1)]; e; e = e->next)
        if (e->hash == hash && e->table == t && e->klen == n && memcmp(e->key, key, n) == 0)
            return s->last = e;
    return NULL;
}

static void rehash(struct state *s)
{
    size_t n = s->n_buckets * 2;
    struct node **to = mem_zalloc(n * sizeof *to);
    for (size_t i = 0; i < s->n_buckets; i++)
        for (struct node *e = s->buckets[i], *next; e; e = next) {
            next = e->next;
            e->next = to[e->hash & (n - 1)];
            to[e->hash & (n - 1)] = e;
        }
    free(s->buckets);
    s->buckets = to;
    s->n_buckets = n;
}

static struct node *take_node(struct state *s)
{
    if (!s->free) {
        struct slab *slab = mem_alloc(sizeof *slab);
        slab->next = s->slabs;
        s->slabs = slab;
        for (int i = 0; i < SLAB_NODES; i++) {
            slab->nodes[i].next = s->free;
            s->free = &slab->nodes[i];
        }
    }
    struct node *e = s->free;
    s->free = e->next;
    return e;
}

static struct node *insert(struct state *s, enum table t, const void *key, size_t n, uint32_t hash)
{
    assert(n <= STATE_KEY_MAX);
    if (s->n_nodes >= s->n_buckets)
        rehash(s);
    struct node *e = take_node(s);
    *e = (struct node){.hash = hash, .table = (uint8_t)t, .klen = (uint8_t)n};
    memcpy(e->key, key, n);
    struct node **head = &s->buckets[hash & (s->n_buckets - 1)];
    e->next = *head;
    *head = e;
    s->n_nodes++;
    s->came++;
    s->bytes += sizeof *e;
    return e;
}

static struct node *load(struct state *s, enum table t, const void *key, size_t n, uint32_t hash)
{
    struct slice value;
    struct err err = {0};
    int found = s->loader->get(s->loader->ctx, t, key, n, &value, &err);
    if (found < 0 && !s->failed.code)
        s->failed = err;
    if (found <= 0)
        return NULL;
    struct node *e = insert(s, t, key, n, hash);
    e->blob = blob_make(value.p, value.n);
    s->bytes += value.n;
    return e;
}

struct slice state_get(struct state *s, enum table t, const void *key, size_t n)
{
    uint64_t full = hash_key(t, key, n);
    uint32_t hash = short_hash(full);
    struct node *e = find(s, t, key, n, hash);
    if (!e && s->loader && (!s->known || !known_covers(t) || known_may(s->known, full)))
        e = load(s, t, key, n, hash);
    if (!e || !e->blob)
        return (struct slice){0};
    e->used = true;
    return (struct slice){(const char *)e->blob->p, e->blob->n};
}

void state_warm(const struct state *s, enum table t, const void *key, size_t n, int step)
{
    uint32_t hash = short_hash(hash_key(t, key, n));
    struct node *const *head = &s->buckets[hash & (s->n_buckets - 1)];
    if (step == 0)
        __builtin_prefetch(head);
    else if (step == 1 && *head)
        __builtin_prefetch(*head);
    else if (step == 2 && *head && (*head)->blob) {
        const char *p = (const char *)(*head)->blob; /* a guess: the first of the chain is most often the one */
        for (int line = 0; line < 4; line++)
            __builtin_prefetch(p + line * 64);
    }
}

static void replace(struct state *s, enum table t, const void *key, size_t n, struct blob *blob)
{
    uint64_t full = hash_key(t, key, n);
    uint32_t hash = short_hash(full);
    struct node *e = find(s, t, key, n, hash);
    if (!e)
        e = insert(s, t, key, n, hash);
    if (s->known && blob && !e->blob && known_covers(t))
        known_add(s->known, full);
    if (e->blob)
        s->bytes -= e->blob->n;
    blob_drop(e->blob);
    e->blob = blob;
    e->used = true;
    if (blob)
        s->bytes += blob->n;
    if (e->gen != s->gen) {
        e->gen = s->gen;
        s->dirty = mem_grow(s->dirty, &s->cap_dirty, s->n_dirty + 1, sizeof *s->dirty);
        s->dirty[s->n_dirty++] = e;
    }
}

void state_put(struct state *s, enum table t, const void *key, size_t n, const void *value, size_t len)
{
    replace(s, t, key, n, blob_make(value, len));
}

void state_del(struct state *s, enum table t, const void *key, size_t n)
{
    replace(s, t, key, n, NULL);
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
    row->blob = blob_fill(arena_alloc(&s->cold_arena, sizeof(struct blob) + len), value, len);
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

static void drop(struct state *s, struct node **link)
{
    struct node *e = *link;
    *link = e->next;
    s->last = NULL;
    s->bytes -= sizeof *e + (e->blob ? e->blob->n : 0);
    blob_drop(e->blob);
    e->next = s->free;
    s->free = e;
    s->n_nodes--;
}

void state_trim(struct state *s)
{
    if (!s->loader)
        return;
    /* The hand moves on in proportion to what came: where all is dirty there is nothing to drop, and looking through
     * everything after each batch would cost more than the batch. */
    for (size_t steps = TRIM_LEAST + TRIM_EACH * s->came; s->bytes > s->cache_bytes && steps; steps--) {
        s->hand = (s->hand + 1) & (s->n_buckets - 1);
        for (struct node **link = &s->buckets[s->hand]; *link;) {
            struct node *e = *link;
            if (e->gen > s->committed || e->used) {
                e->used = false;
                link = &e->next;
            } else {
                drop(s, link);
            }
        }
    }
    s->came = 0;
}

size_t state_dirty(const struct state *s)
{
    return s->n_dirty + s->n_cold + s->in_flight;
}

struct checkpoint *state_checkpoint(struct state *s)
{
    size_t n = s->n_dirty + s->n_cold;
    assert(s->in_flight == 0);
    if (n == 0)
        return NULL;
    struct checkpoint *cp = mem_zalloc(sizeof *cp);
    cp->rows = mem_grow(s->cold, &s->cap_cold, n, sizeof *cp->rows); /* cold rows are rows already */
    cp->n = s->n_cold;
    for (size_t i = 0; i < s->n_dirty; i++) {
        struct node *e = s->dirty[i];
        struct dirty *row = &cp->rows[cp->n++];
        row->table = e->table;
        row->klen = e->klen;
        row->cold = false;
        memcpy(row->key, e->key, e->klen);
        row->blob = e->blob;
        if (e->blob)
            __atomic_add_fetch(&e->blob->refs, 1, __ATOMIC_RELAXED);
    }
    cp->arena = s->cold_arena;
    s->cold_arena = (struct arena){0};
    s->cold = NULL;
    s->n_cold = s->cap_cold = s->n_dirty = 0;
    s->in_flight = n;
    s->gen++;
    return cp;
}

void state_committed(struct state *s, struct checkpoint *cp)
{
    s->committed = s->gen - 1;
    s->in_flight = 0;
    for (size_t i = 0; i < cp->n; i++)
        if (!cp->rows[i].cold)
            blob_drop(cp->rows[i].blob);
    arena_finish(&cp->arena);
    free(cp->rows);
    free(cp);
}
