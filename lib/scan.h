/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on msgpack bytes before anything is allocated for them: well-formed, one value, nothing after it,
 * depth, item counts and lengths that the bytes really hold. Allocates nothing. Pure; any thread. */
#ifndef LIB_SCAN_H
#define LIB_SCAN_H

#include "lib/base.h"

enum { SCAN_DEPTH_MAX = 8 };

/* 0: well-formed, one map with string keys, each string valid UTF-8 is NOT checked here. Else a static
 * sentence. */
const char *scan_body(const void *p, size_t n);

/* ---- one value at a time, for who reads the bytes without a tree ---- */

enum scan_type {
    SCAN_NIL,
    SCAN_BOOL,     /* number: 0 or 1 */
    SCAN_UINT,     /* number */
    SCAN_NEGATIVE, /* number, as two's complement */
    SCAN_FLOAT,
    SCAN_STR, /* text */
    SCAN_BIN,
    SCAN_EXT,
    SCAN_LIST, /* n items follow */
    SCAN_MAP   /* n keys and n values follow */
};

struct scan_item {
    enum scan_type type;
    uint32_t n;
    uint64_t number;
    struct slice text; /* payload of STR, BIN, EXT, in the bytes read */
};

struct scan_cursor {
    const uint8_t *p, *end;
};

/* What follows the first byte of the formats 0xc0 to 0xdf: a big-endian number of `width` bytes, which is the
 * value itself, a length, or a count; fixext has its length in `fixed`. An ext has a byte more, its type. */
struct scan_format {
    uint8_t type, width, fixed;
    bool bad;
};
extern const struct scan_format scan_formats[32];

static inline uint64_t scan_number(const uint8_t *p, unsigned width)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < width; i++)
        v = v << 8 | p[i];
    return v;
}

static inline bool scan_payload(struct scan_cursor *c, size_t n, struct scan_item *it)
{
    if ((size_t)(c->end - c->p) < n)
        return false;
    it->n = (uint32_t)n;
    it->text = (struct slice){(const char *)c->p, n};
    c->p += n;
    return true;
}

/* Each item of a container takes a byte at least: a count that the bytes cannot hold is refused at once. */
static inline bool scan_container(const struct scan_cursor *c, uint64_t n, struct scan_item *it)
{
    it->n = (uint32_t)n;
    return n <= (size_t)(c->end - c->p) / (it->type == SCAN_MAP ? 2 : 1);
}

bool scan_long_form(struct scan_cursor *, uint8_t first, struct scan_item *);

/* The value at the cursor: a container's header only. False: malformed, or the bytes end in it. */
static inline bool scan_next(struct scan_cursor *c, struct scan_item *it)
{
    if (c->p == c->end)
        return false;
    uint8_t first = *c->p++;
    if (first >= 0xa0 && first < 0xc0) {
        it->type = SCAN_STR;
        return scan_payload(c, first & 0x1f, it);
    }
    if (first < 0x80) {
        it->type = SCAN_UINT;
        it->number = first;
        return true;
    }
    if (first >= 0xe0) {
        it->type = SCAN_NEGATIVE;
        it->number = (uint64_t)(int64_t)(int8_t)first;
        return true;
    }
    if (first < 0xa0) {
        it->type = first < 0x90 ? SCAN_MAP : SCAN_LIST;
        return scan_container(c, first & 0x0f, it);
    }
    return scan_long_form(c, first, it);
}

/* How many values follow the one read before it is complete. */
static inline uint64_t scan_children(const struct scan_item *it)
{
    return it->type == SCAN_MAP ? (uint64_t)it->n * 2 : it->type == SCAN_LIST ? it->n : 0;
}

bool scan_skip_items(struct scan_cursor *, const struct scan_item *container);

/* Passes over the rest of a value whose first item was read. False: malformed. */
static inline bool scan_skip(struct scan_cursor *c, const struct scan_item *it)
{
    return it->type < SCAN_LIST || scan_skip_items(c, it);
}

#endif
