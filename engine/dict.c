/* SPDX-License-Identifier: Apache-2.0 */
/* Texts are kept in pages that never move; a count published with release order makes them safe to read from any
 * thread. The writer finds a word by a hash of its own. */
#include "engine/dict.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <stdlib.h>

enum { PAGE = 256, PAGES = 4096 };

struct words {
    struct slice *pages[PAGES];
    uint32_t count;                /* __atomic; words below it are complete */
    uint32_t *slots, n_slots;      /* number + 1; writer only */
};

struct dict {
    struct words classes[DICT_CLASS_COUNT];
};

struct dict *dict_create(void)
{
    return mem_zalloc(sizeof(struct dict));
}

void dict_destroy(struct dict *d)
{
    if (!d)
        return;
    for (int c = 0; c < DICT_CLASS_COUNT; c++) {
        struct words *w = &d->classes[c];
        for (uint32_t i = 0; i < w->count; i++)
            free((char *)(uintptr_t)w->pages[i / PAGE][i % PAGE].p);
        for (uint32_t i = 0; i < PAGES; i++)
            free(w->pages[i]);
        free(w->slots);
    }
    free(d);
}

static uint32_t *find_slot(struct words *w, struct slice text)
{
    uint32_t mask = w->n_slots - 1;
    uint32_t i = (uint32_t)hash_fnv1a(text.p, text.n) & mask;
    for (;; i = (i + 1) & mask) {
        uint32_t id = w->slots[i];
        if (id == 0 || slice_eq(w->pages[(id - 1) / PAGE][(id - 1) % PAGE], text))
            return &w->slots[i];
    }
}

static void grow(struct words *w)
{
    free(w->slots);
    w->n_slots = w->n_slots ? w->n_slots * 2 : 512;
    w->slots = mem_zalloc(w->n_slots * sizeof *w->slots);
    for (uint32_t i = 0; i < w->count; i++)
        *find_slot(w, w->pages[i / PAGE][i % PAGE]) = i + 1;
}

uint32_t dict_add(struct dict *d, enum dict_class c, struct slice text)
{
    struct words *w = &d->classes[c];
    if ((w->count + 1) * 2 > w->n_slots)
        grow(w);
    uint32_t *slot = find_slot(w, text);
    if (*slot)
        return *slot - 1;
    uint32_t id = w->count;
    assert(id < PAGE * PAGES);
    if (!w->pages[id / PAGE])
        w->pages[id / PAGE] = mem_alloc(PAGE * sizeof(struct slice));
    w->pages[id / PAGE][id % PAGE] = (struct slice){mem_strndup(text.p, text.n), text.n};
    *slot = id + 1;
    __atomic_store_n(&w->count, id + 1, __ATOMIC_RELEASE);
    return id;
}

int64_t dict_find(const struct dict *d, enum dict_class c, struct slice text)
{
    struct words *w = (struct words *)(uintptr_t)&d->classes[c];
    if (!w->n_slots)
        return -1;
    return (int64_t)*find_slot(w, text) - 1;
}

struct slice dict_text(const struct dict *d, enum dict_class c, uint32_t id)
{
    const struct words *w = &d->classes[c];
    if (id >= __atomic_load_n(&w->count, __ATOMIC_ACQUIRE))
        return (struct slice){0};
    return w->pages[id / PAGE][id % PAGE];
}

uint32_t dict_count(const struct dict *d, enum dict_class c)
{
    return __atomic_load_n(&d->classes[c].count, __ATOMIC_ACQUIRE);
}
