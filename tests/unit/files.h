/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the project for unit tests: found by WAGEWARN_SOURCE, whatever the working directory. */
#ifndef TESTS_UNIT_FILES_H
#define TESTS_UNIT_FILES_H

#include "lib/arena.h"

#include "test.h"

#include <stdlib.h>

/* The whole of a file, in the arena. */
static inline struct slice test_file(struct arena *a, const char *path)
{
    const char *root = getenv("WAGEWARN_SOURCE");
    FILE *f = fopen(arena_printf(a, "%s/%s", root ? root : ".", path), "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    long n = ftell(f);
    assert_true(n >= 0);
    rewind(f);
    char *p = arena_alloc(a, (size_t)n + 1);
    assert_int_equal(fread(p, 1, (size_t)n, f), n);
    fclose(f);
    return (struct slice){p, (size_t)n};
}

#endif
