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
/* Room for n more bytes at the end; returns where they go. The caller adds to n what it wrote. */
uint8_t *buf_reserve(struct buf *, size_t n);
void buf_put(struct buf *, const void *p, size_t n);
void buf_u8(struct buf *, uint8_t v);
void buf_u16(struct buf *, uint16_t v);
void buf_u32(struct buf *, uint32_t v);
void buf_u64(struct buf *, uint64_t v);
void buf_varint(struct buf *, uint64_t v);
void buf_zigzag(struct buf *, int64_t v);
void buf_when(struct buf *, int64_t v);       /* zigzag, and one byte for NO_INT */
void buf_slice(struct buf *, struct slice s); /* varint length, bytes */

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
        return *r->p++;
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
    return r->p < r->end && *r->p < 0x80 && !r->bad ? *r->p++ : rd_varint_long(r);
}

static inline int64_t rd_zigzag(struct rd *r)
{
    uint64_t v = rd_varint(r);
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

int64_t rd_when(struct rd *);
struct slice rd_slice(struct rd *);             /* points into what is read */
const uint8_t *rd_bytes(struct rd *, size_t n); /* NULL when there are fewer */
/* A count of things of at least `least` bytes each, refused when so many cannot follow. */
size_t rd_count(struct rd *, size_t least);

#endif
