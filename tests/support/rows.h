/* SPDX-License-Identifier: Apache-2.0 */
/* A view in memory for tests of the fold: takes checkpoints, serves as loader, compares with another. */
#ifndef TESTS_ROWS_H
#define TESTS_ROWS_H

#include "engine/state.h"

struct row {
    uint8_t table, klen;
    uint8_t key[STATE_KEY_MAX];
    struct slice value; /* owned */
};

struct rows {
    struct row *rows;   /* sorted by (table, key) */
    size_t n, cap;
    struct state_loader loader;
};

void rows_init(struct rows *);
void rows_finish(struct rows *);
void rows_take(struct rows *, const struct checkpoint *);
/* NULL: the same rows; else a sentence about the first that differs (static buffer). */
const char *rows_differ(const struct rows *, const struct rows *);

#endif
