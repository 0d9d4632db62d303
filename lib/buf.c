/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/buf.h"

#include "lib/mem.h"

#include <endian.h>
#include <stdlib.h>

void buf_finish(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (b->cap - b->n < n)
        b->p = mem_grow(b->p, &b->cap, b->n + n, 1);
    return b->p + b->n;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n) {
        memcpy(buf_reserve(b, n), p, n);
        b->n += n;
    }
}

void buf_u8(struct buf *b, uint8_t v)
{
    *buf_reserve(b, 1) = v;
    b->n++;
}

void buf_u16(struct buf *b, uint16_t v)
{
    v = htole16(v);
    buf_put(b, &v, sizeof v);
}

void buf_u32(struct buf *b, uint32_t v)
{
    v = htole32(v);
    buf_put(b, &v, sizeof v);
}

void buf_u64(struct buf *b, uint64_t v)
{
    v = htole64(v);
    buf_put(b, &v, sizeof v);
}

void buf_varint(struct buf *b, uint64_t v)
{
    uint8_t *p = buf_reserve(b, 10);
    size_t n = 0;
    while (v >= 0x80) {
        p[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    b->n += n;
}

void buf_zigzag(struct buf *b, int64_t v)
{
    buf_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void buf_when(struct buf *b, int64_t v)
{
    buf_varint(b, v == NO_INT ? 0 : (((uint64_t)v << 1) ^ (uint64_t)(v >> 63)) + 1);
}

void buf_slice(struct buf *b, struct slice s)
{
    buf_varint(b, s.n);
    buf_put(b, s.p, s.n);
}

const uint8_t *rd_bytes(struct rd *r, size_t n)
{
    if (r->bad || rd_left(r) < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    return p;
}

uint16_t rd_u16(struct rd *r)
{
    uint16_t v = 0;
    const uint8_t *p = rd_bytes(r, sizeof v);
    if (p)
        memcpy(&v, p, sizeof v);
    return le16toh(v);
}

uint32_t rd_u32(struct rd *r)
{
    uint32_t v = 0;
    const uint8_t *p = rd_bytes(r, sizeof v);
    if (p)
        memcpy(&v, p, sizeof v);
    return le32toh(v);
}

uint64_t rd_u64(struct rd *r)
{
    uint64_t v = 0;
    const uint8_t *p = rd_bytes(r, sizeof v);
    if (p)
        memcpy(&v, p, sizeof v);
    return le64toh(v);
}

uint64_t rd_varint_long(struct rd *r)
{
    const uint8_t *p = r->p;
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64 && p < r->end && !r->bad; shift += 7) {
        uint8_t c = *p++;
        if (shift == 63 && c > 1)
            break;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            r->p = p;
            return v;
        }
    }
    r->bad = true;
    return 0;
}

int64_t rd_when(struct rd *r)
{
    uint64_t v = rd_varint(r);
    return v == 0 ? NO_INT : (int64_t)((v - 1) >> 1) ^ -(int64_t)((v - 1) & 1);
}

struct slice rd_slice(struct rd *r)
{
    uint64_t n = rd_varint(r);
    if (n > rd_left(r)) {
        r->bad = true;
        return (struct slice){0};
    }
    return (struct slice){(const char *)rd_bytes(r, (size_t)n), (size_t)n};
}

size_t rd_count(struct rd *r, size_t least)
{
    uint64_t n = rd_varint(r);
    if (n > rd_left(r) / (least ? least : 1)) {
        r->bad = true;
        return 0;
    }
    return (size_t)n;
}
