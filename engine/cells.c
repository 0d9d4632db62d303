/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cells.h"

#include "lib/mem.h"

#include <stdlib.h>

enum { CHUNK = 1 << 20, RUN = 16 << 10, CHUNK_HEAD = 16 };

/* Under the address sanitizer each is an allocation of its own, so that what is used too late is found. */
#ifdef __SANITIZE_ADDRESS__
enum { EACH_ITS_OWN = true };
#else
enum { EACH_ITS_OWN = false };
#endif

static uint8_t *take_run(struct cells *c)
{
    if (c->left < RUN) {
        void **chunk = mem_alloc(CHUNK);
        *chunk = c->chunks;
        c->chunks = chunk;
        c->left = CHUNK - CHUNK_HEAD;
    }
    c->left -= RUN;
    return (uint8_t *)c->chunks + CHUNK_HEAD + c->left;
}

void *cell_take(struct cells *c, size_t n)
{
    size_t size = cell_size(n);
    if (EACH_ITS_OWN || size > CELL_MOST)
        return mem_alloc(n);
    struct cell_class *k = &c->classes[size / CELL_GRAIN];
    void *p = k->free;
    if (p) {
        memcpy(&k->free, p, sizeof k->free);
        return p;
    }
    if ((size_t)(k->run_end - k->run) < size) {
        k->run = take_run(c);
        k->run_end = k->run + RUN;
    }
    p = k->run;
    k->run += size;
    return p;
}

void cell_give(struct cells *c, void *p, size_t n)
{
    size_t size = cell_size(n);
    if (EACH_ITS_OWN || size > CELL_MOST) {
        free(p);
        return;
    }
    struct cell_class *k = &c->classes[size / CELL_GRAIN];
    memcpy(p, &k->free, sizeof k->free);
    k->free = p;
}

void cells_finish(struct cells *c)
{
    while (c->chunks) {
        void *next = *(void **)c->chunks;
        free(c->chunks);
        c->chunks = next;
    }
    *c = (struct cells){0};
}
