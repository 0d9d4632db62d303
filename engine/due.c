/* SPDX-License-Identifier: Apache-2.0 */
/* What the clock will make due, in the order (time, enterprise): a binary heap whose nodes are found by enterprise, so
 * that a new time replaces the old one. Its rows in T_DUE serve only to fill it at start. */
#include "engine/fold.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <stdlib.h>

enum { DUE_KEY_LEN = 8 + EKEY_LEN + 1, DUE_JUDGE = 1 };

struct item {
    int64_t at;
    struct ekey key;
    uint32_t pos; /* in the heap */
};

struct due {
    struct engine *e;
    struct item *items;
    uint32_t n, *heap;          /* heap[pos]: item */
    size_t cap_items, cap_heap;
    uint32_t *slots, n_slots;   /* item + 1, by hash of the enterprise */
};

struct due *due_create(struct engine *e)
{
    struct due *d = mem_zalloc(sizeof *d);
    d->e = e;
    d->n_slots = 1024;
    d->slots = mem_zalloc(d->n_slots * sizeof *d->slots);
    return d;
}

void due_destroy(struct due *d)
{
    if (!d)
        return;
    free(d->items);
    free(d->heap);
    free(d->slots);
    free(d);
}

/* ---- by enterprise ---- */

static uint32_t home(const struct due *d, const struct ekey *k)
{
    return (uint32_t)hash_fnv1a(k->b, EKEY_LEN) & (d->n_slots - 1);
}

static uint32_t find_slot(const struct due *d, const struct ekey *k)
{
    uint32_t i = home(d, k);
    while (d->slots[i] && ekey_cmp(&d->items[d->slots[i] - 1].key, k) != 0)
        i = (i + 1) & (d->n_slots - 1);
    return i;
}

static void grow_slots(struct due *d)
{
    free(d->slots);
    d->n_slots *= 2;
    d->slots = mem_zalloc(d->n_slots * sizeof *d->slots);
    for (uint32_t i = 0; i < d->n; i++)
        d->slots[find_slot(d, &d->items[i].key)] = i + 1;
}

/* Closes the gap that a removed slot leaves in its run. */
static void free_slot(struct due *d, uint32_t gap)
{
    uint32_t mask = d->n_slots - 1;
    d->slots[gap] = 0;
    for (uint32_t i = (gap + 1) & mask; d->slots[i]; i = (i + 1) & mask) {
        uint32_t want = home(d, &d->items[d->slots[i] - 1].key);
        if (((i - want) & mask) < ((i - gap) & mask))
            continue;
        d->slots[gap] = d->slots[i];
        d->slots[i] = 0;
        gap = i;
    }
}

/* ---- by time ---- */

static bool before(const struct due *d, uint32_t a, uint32_t b)
{
    const struct item *x = &d->items[a], *y = &d->items[b];
    return x->at != y->at ? x->at < y->at : ekey_cmp(&x->key, &y->key) < 0;
}

static void place(struct due *d, uint32_t pos, uint32_t item)
{
    d->heap[pos] = item;
    d->items[item].pos = pos;
}

static void sift(struct due *d, uint32_t pos)
{
    uint32_t item = d->heap[pos];
    while (pos && before(d, item, d->heap[(pos - 1) / 2])) {
        place(d, pos, d->heap[(pos - 1) / 2]);
        pos = (pos - 1) / 2;
    }
    for (uint32_t child; (child = 2 * pos + 1) < d->n; pos = child) {
        if (child + 1 < d->n && before(d, d->heap[child + 1], d->heap[child]))
            child++;
        if (!before(d, d->heap[child], item))
            break;
        place(d, pos, d->heap[child]);
    }
    place(d, pos, item);
}

static void add(struct due *d, const struct ekey *k, int64_t at)
{
    if ((d->n + 1) * 2 > d->n_slots)
        grow_slots(d);
    d->items = mem_grow(d->items, &d->cap_items, d->n + 1, sizeof *d->items);
    d->heap = mem_grow(d->heap, &d->cap_heap, d->n + 1, sizeof *d->heap);
    uint32_t slot = find_slot(d, k);
    if (d->slots[slot]) {
        uint32_t item = d->slots[slot] - 1;
        d->items[item].at = at;
        sift(d, d->items[item].pos);
        return;
    }
    d->items[d->n] = (struct item){at, *k, d->n};
    d->heap[d->n] = d->n;
    d->slots[slot] = d->n + 1;
    d->n++;
    sift(d, d->n - 1);
}

static void drop(struct due *d, const struct ekey *k)
{
    uint32_t slot = find_slot(d, k);
    if (!d->slots[slot])
        return;
    uint32_t item = d->slots[slot] - 1, pos = d->items[item].pos, last = d->n - 1;
    free_slot(d, slot);
    uint32_t moved = d->heap[last];
    d->n--;
    if (pos != last) {
        place(d, pos, moved);
        sift(d, pos);
    }
    if (item != last) { /* items stay dense: the last one takes the free place */
        uint32_t at = find_slot(d, &d->items[last].key);
        d->items[item] = d->items[last];
        d->slots[at] = item + 1;
        d->heap[d->items[item].pos] = item;
    }
}

/* ---- stored ---- */

static void due_key(uint8_t out[DUE_KEY_LEN], int64_t at, const struct ekey *k)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)at >> (56 - 8 * i));
    memcpy(out + 8, k->b, EKEY_LEN);
    out[8 + EKEY_LEN] = DUE_JUDGE;
}

void due_set(struct due *d, const struct ekey *k, int64_t was, int64_t at)
{
    uint8_t key[DUE_KEY_LEN];
    if (was == at)
        return;
    if (was != NO_INT) {
        due_key(key, was, k);
        state_del(d->e->state, T_DUE, key, sizeof key);
    }
    if (at == NO_INT) {
        drop(d, k);
        return;
    }
    due_key(key, at, k);
    state_put(d->e->state, T_DUE, key, sizeof key, NULL, 0);
    add(d, k, at);
}

int64_t due_next(const struct due *d, struct ekey *k)
{
    if (!d->n)
        return INT64_MAX;
    *k = d->items[d->heap[0]].key;
    return d->items[d->heap[0]].at;
}

static bool add_row(void *arg, struct slice key, struct slice value)
{
    struct due *d = arg;
    struct ekey k;
    uint64_t at = 0;
    (void)value;
    if (key.n != DUE_KEY_LEN)
        return true;
    for (int i = 0; i < 8; i++)
        at = at << 8 | (uint8_t)key.p[i];
    memcpy(k.b, key.p + 8, EKEY_LEN);
    add(d, &k, (int64_t)at);
    return true;
}

int due_load(struct due *d, struct err *err)
{
    return state_scan(d->e->state, T_DUE, add_row, d, err);
}
