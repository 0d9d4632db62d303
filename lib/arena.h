/* SPDX-License-Identifier: Apache-2.0 */
/* Memory by lifetime: what lives as long as a batch or a request is taken from here and thrown away whole.
 * Blocks double from 4 KiB to 1 MiB; arena_reset keeps the largest. One thread at a time. */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include "lib/base.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used, size; /* within head */
    size_t total;      /* bytes handed out since the last reset */
};

void *arena_alloc(struct arena *, size_t n) WW_NONNULL; /* aligned to 16, uninitialised, never NULL */
void *arena_zalloc(struct arena *, size_t n) WW_NONNULL;
void *arena_copy(struct arena *, const void *p, size_t n) WW_NONNULL;
struct slice arena_slice(struct arena *, struct slice s); /* a copy, NUL after it */
char *arena_printf(struct arena *, const char *fmt, ...) WW_PRINTF(2, 3) WW_NONNULL;
void arena_reset(struct arena *);
void arena_finish(struct arena *);

#endif
