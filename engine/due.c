/* SPDX-License-Identifier: Apache-2.0 */
/* What the clock will make due, in the order (time, enterprise): a binary heap whose nodes are found by enterprise, so
 * that a new time replaces the old one. Its rows in T_DUE serve only to fill it at start, so they are written when a
 * checkpoint is taken: most signals move their enterprise's time, and only the last one of these matters. */
#include "engine/fold.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <stdlib.h>

enum { DUE_LEN = 8, MOVED_SLACK = 1024 };

struct item {
    int64_t at;
    struct ekey key;
    uint32_t pos; /* in the heap */
    bool moved;   /* since its row was written; in the list of those */
    bool stored;  /* has a row */
};

struct due {
    struct engine *e;
    struct item *items;
    uint32_t n, *heap;          /* heap[pos]: item */
    size_t cap_items, cap_heap;
    uint32_t *slots, n_slots;   /* item + 1, by hash of the enterprise */
    struct ekey *moved;         /* whose rows are to be written; some may be gone by then, or stand here twice */
    size_t n_moved, cap_moved;
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
    free(d->moved);
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

/* Puts it in, or moves it; returns it. */
static struct item *add(struct due *d, const struct ekey *k, int64_t at)
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
        return &d->items[item];
    }
    uint32_t item = d->n++;
    d->items[item] = (struct item){.at = at, .key = *k, .pos = item};
    d->heap[item] = item;
    d->slots[slot] = item + 1;
    sift(d, item);
    return &d->items[item];
}

static void drop(struct due *d, const struct ekey *k)
{
    uint32_t slot = find_slot(d, k);
    if (!d->slots[slot])
        return;
    uint32_t item = d->slots[slot] - 1, pos = d->items[item].pos, last = d->n - 1;
    if (d->items[item].stored)
        state_del(d->e->state, T_DUE, k->b, EKEY_LEN);
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

void due_save(struct due *d)
{
    for (size_t i = 0; i < d->n_moved; i++) {
        uint32_t slot = d->slots[find_slot(d, &d->moved[i])];
        struct item *x = slot ? &d->items[slot - 1] : NULL;
        uint8_t at[DUE_LEN];
        if (!x || !x->moved)
            continue;
        for (int k = 0; k < DUE_LEN; k++)
            at[k] = (uint8_t)((uint64_t)x->at >> (56 - 8 * k));
        state_put(d->e->state, T_DUE, x->key.b, EKEY_LEN, at, sizeof at);
        x->moved = false;
        x->stored = true;
    }
    d->n_moved = 0;
}

size_t due_unsaved(const struct due *d)
{
    return d->n_moved;
}

void due_set(struct due *d, const struct ekey *k, int64_t was, int64_t at)
{
    if (was == at)
        return;
    if (at == NO_INT) {
        drop(d, k);
        return;
    }
    struct item *x = add(d, k, at);
    if (x->moved)
        return;
    x->moved = true;
    if (d->n_moved > 2 * (size_t)d->n + MOVED_SLACK)
        due_save(d); /* nobody takes checkpoints, and many came and went */
    d->moved = mem_grow(d->moved, &d->cap_moved, d->n_moved + 1, sizeof *d->moved);
    d->moved[d->n_moved++] = *k;
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
    if (key.n != EKEY_LEN || value.n != DUE_LEN)
        return true;
    for (int i = 0; i < DUE_LEN; i++)
        at = at << 8 | (uint8_t)value.p[i];
    memcpy(k.b, key.p, EKEY_LEN);
    add(d, &k, (int64_t)at)->stored = true;
    return true;
}

int due_load(struct due *d, struct err *err)
{
    return state_scan(d->e->state, T_DUE, add_row, d, err);
}
