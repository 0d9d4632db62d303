/* SPDX-License-Identifier: Apache-2.0 */
/* Small pieces of memory that come and go by the million: a list of free ones for each size, cut from large chunks, so that
 * one costs no header and taking or giving one is a few instructions. Chunks go back only with the whole. One thread. */
#ifndef ENGINE_CELLS_H
#define ENGINE_CELLS_H

#include "lib/base.h"

enum { CELL_GRAIN = 16, CELL_MOST = 1024 }; /* larger ones are the general allocator's */

struct cells {
    void *chunks;                                 /* linked, newest first */
    size_t left;                                  /* bytes of the newest one */
    struct cell_class {
        void *free;                               /* linked through their first bytes */
        uint8_t *run, *run_end;                   /* never used yet */
    } classes[CELL_MOST / CELL_GRAIN + 1];
};

static inline size_t cell_size(size_t n) /* what n bytes take */
{
    return (n + CELL_GRAIN - 1) / CELL_GRAIN * CELL_GRAIN;
}

void *cell_take(struct cells *, size_t n); /* aligned to 16, uninitialised */
void cell_give(struct cells *, void *, size_t n);
void cells_finish(struct cells *);         /* those above CELL_MOST must have been given back */

#endif
