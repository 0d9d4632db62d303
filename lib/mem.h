/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation that does not return NULL: out of memory is the end of a program whose journal makes a
 * restart safe. Any thread. */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include "lib/base.h"

void *mem_alloc(size_t n) WW_CHECK WW_NONNULL;  /* uninitialised */
void *mem_zalloc(size_t n) WW_CHECK WW_NONNULL; /* zeroed */
void *mem_realloc(void *p, size_t n) WW_CHECK WW_NONNULL;
char *mem_strndup(const char *s, size_t n) WW_CHECK WW_NONNULL;

/* Makes room for `want` elements of `size` in a growing array; *cap is in elements. Returns the array. */
void *mem_grow(void *array, size_t *cap, size_t want, size_t size) WW_CHECK;

#endif
