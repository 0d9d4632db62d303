/* SPDX-License-Identifier: Apache-2.0 */
/* Stored bytes: a growing buffer to write them, a bounded reader that believes nothing.
 * Integers are little-endian or varints (7 bits a byte, low first); signed ones zigzag.
 * Pure; a buffer belongs to one thread at a time. */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include "lib/base.h"

struct buf {
    uint8_t *p; /* owned; buf_finish frees it */
    size_t n, cap;
};

void buf_finish(struct buf *);
void buf_reset(struct buf *); /* keeps the memory */
void buf_grow(struct buf *, size_t n); /* for buf_reserve */

/* What follows is short enough to be inlined: records are written and read at each signal. */

/* Room for n more bytes at the end; returns where they go. The caller adds to n what it wrote. */
static inline uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (b->cap - b->n < n)
        buf_grow(b, n);
    return b->p + b->n;
}

static inline void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n) {
        memcpy(buf_reserve(b, n), p, n);
        b->n += n;
    }
}

static inline void buf_u8(struct buf *b, uint8_t v)
{
    *buf_reserve(b, 1) = v;
    b->n++;
}

void buf_u16(struct buf *, uint16_t v);
void buf_u32(struct buf *, uint32_t v);
void buf_u64(struct buf *, uint64_t v);

/* Of bare bytes with room for 10 of them: where the next goes. */
static inline uint8_t *varint_put(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

static inline uint64_t zigzag_of(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline void buf_varint(struct buf *b, uint64_t v)
{
    uint8_t *p = buf_reserve(b, 10);
    b->n += (size_t)(varint_put(p, v) - p);
}

static inline void buf_zigzag(struct buf *b, int64_t v)
{
    buf_varint(b, zigzag_of(v));
}

/* zigzag, and one byte for NO_INT */
static inline void buf_when(struct buf *b, int64_t v)
{
    buf_varint(b, v == NO_INT ? 0 : zigzag_of(v) + 1);
}

/* varint length, bytes */
static inline void buf_slice(struct buf *b, struct slice s)
{
    buf_varint(b, s.n);
    buf_put(b, s.p, s.n);
}

/* Reader: after the first impossible read `bad` is set and every read gives 0 or an empty slice. */
struct rd {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct rd rd_of(const void *p, size_t n)
{
    return (struct rd){p, n ? (const uint8_t *)p + n : p, false};
}

static inline size_t rd_left(const struct rd *r)
{
    return (size_t)(r->end - r->p);
}

static inline uint8_t rd_u8(struct rd *r)
{
    if (r->p < r->end && !r->bad)
        return *r->p++; /* NOLINT(clang-analyzer-core.NullDereference): of nothing, p is not below end */
    r->bad = true;
    return 0;
}

uint16_t rd_u16(struct rd *);
uint32_t rd_u32(struct rd *);
uint64_t rd_u64(struct rd *);
uint64_t rd_varint_long(struct rd *);

/* Most are one byte: that way is short enough to be inlined. */
static inline uint64_t rd_varint(struct rd *r)
{
    /* of nothing, p is not below end: NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
    return r->p < r->end && *r->p < 0x80 && !r->bad ? *r->p++ : rd_varint_long(r);
}

static inline int64_t rd_zigzag(struct rd *r)
{
    uint64_t v = rd_varint(r);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static inline int64_t rd_when(struct rd *r)
{
    uint64_t v = rd_varint(r);
    return v == 0 ? NO_INT : (int64_t)((v - 1) >> 1) ^ -(int64_t)((v - 1) & 1);
}

/* NULL when there are fewer */
static inline const uint8_t *rd_bytes(struct rd *r, size_t n)
{
    const uint8_t *p = r->p;
    if (r->bad || rd_left(r) < n) {
        r->bad = true;
        return NULL;
    }
    r->p += n;
    return p;
}

/* Points into what is read. */
static inline struct slice rd_slice(struct rd *r)
{
    uint64_t n = rd_varint(r);
    const uint8_t *p = rd_bytes(r, (size_t)n);
    return (struct slice){(const char *)p, p ? (size_t)n : 0};
}

/* A count of things of at least `least` bytes each, refused when so many cannot follow. */
size_t rd_count(struct rd *, size_t least);

#endif
