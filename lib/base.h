/* SPDX-License-Identifier: Apache-2.0 */
/* The few words that every room uses: attributes, slices of bytes, sizes. No code of its own. */
#ifndef LIB_BASE_H
#define LIB_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WW_CHECK        __attribute__((warn_unused_result))
#define WW_NONNULL      __attribute__((returns_nonnull))
#define WW_PRINTF(f, a) __attribute__((format(printf, f, a)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))

#define DAY_MS INT64_C(86400000)
#define NO_INT INT64_MIN /* an integer field that was not given */

/* Bytes owned by somebody else. Not NUL-terminated. {NULL, 0} means: not given. */
struct slice {
    const char *p;
    size_t n;
};

#define SLICE(lit)      ((struct slice){(lit), sizeof(lit) - 1})
#define SLICE_ARG(s)    (int)(s).n, (s).p ? (s).p : "" /* for "%.*s" */

static inline struct slice slice_of(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    /* only {NULL, 0} has no bytes: NOLINTNEXTLINE(clang-analyzer-core.*) */
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool slice_is(struct slice a, const char *s)
{
    return slice_eq(a, slice_of(s));
}

#endif
