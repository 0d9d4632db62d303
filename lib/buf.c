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

void buf_grow(struct buf *b, size_t n)
{
    b->p = mem_grow(b->p, &b->cap, b->n + n, 1);
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

enum { VARINT_MOST = 10 };

uint64_t rd_varint_long(struct rd *r)
{
    const uint8_t *p = r->p;
    size_t left = rd_left(r), most = left < VARINT_MOST ? left : VARINT_MOST;
    uint64_t v = 0;
    for (size_t i = 0; i < most && !r->bad; i++) {
        uint64_t c = p[i];
        if (i == VARINT_MOST - 1 && c > 1)
            break;
        v |= (c & 0x7f) << (7 * i);
        if (c < 0x80) {
            r->p = p + i + 1;
            return v;
        }
    }
    r->bad = true;
    return 0;
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
