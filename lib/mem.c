/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void *or_die(void *p, size_t n)
{
    if (!p) {
        fprintf(stderr, "<3>out of memory bytes=%zu; give the service more memory or lower 'limits'\n", n);
        abort();
    }
    return p;
}

void *mem_alloc(size_t n)
{
    return or_die(malloc(n ? n : 1), n);
}

void *mem_zalloc(size_t n)
{
    return or_die(calloc(1, n ? n : 1), n);
}

void *mem_realloc(void *p, size_t n)
{
    return or_die(realloc(p, n ? n : 1), n);
}

char *mem_strndup(const char *s, size_t n)
{
    char *p = mem_alloc(n + 1);
    if (n)
        memcpy(p, s, n);
    p[n] = 0;
    return p;
}

void *mem_grow(void *array, size_t *cap, size_t want, size_t size)
{
    if (want <= *cap)
        return array;
    size_t n = *cap ? *cap : 8;
    while (n < want)
        n *= 2;
    *cap = n;
    return mem_realloc(array, n * size);
}
