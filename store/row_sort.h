/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a checkpoint in the order in which a B-tree takes them best: by table, then by key. Pure; any thread. */
#ifndef STORE_ROW_SORT_H
#define STORE_ROW_SORT_H

#include "engine/state.h"

/* As LMDB compares keys: bytes, then length. */
int row_key_order(const uint8_t *a, size_t na, const uint8_t *b, size_t nb);

/* All rows of it, each once; the caller frees the list. */
const struct dirty **row_sort(const struct checkpoint *);

#endif
