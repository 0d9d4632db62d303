/* SPDX-License-Identifier: Apache-2.0 */
/* A journal file as a failing disk may give it back. The first byte says how the rest is meant: bit 0, a
 * whole file with its head, else batches under a good head; bit 1, marks and CRCs are put right first, so
 * that what they guard is reached. Every byte of whatever is accepted is looked at. */
#include "store/segment.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { ROOM = 64 }; /* zeros behind the input */

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_right(uint8_t *p, size_t n, uint64_t mark)
{
    while (n >= BATCH_HEAD) {
        uint64_t length = le32(p + 12), all = BATCH_HEAD + length + le32(p + 16);
        if (all > n)
            return;
        for (int i = 0; i < 8; i++)
            p[i] = (uint8_t)(mark >> (8 * i));
        uint32_t crc = crc32c(0, p + 12, BATCH_HEAD - 12 + (size_t)length);
        for (int i = 0; i < 4; i++)
            p[8 + i] = (uint8_t)(crc >> (8 * i));
        p += all;
        n -= (size_t)all;
    }
}

static uint32_t look_at(const struct segment_batch *b)
{
    uint32_t sum = 0;
    uint64_t at;
    size_t n;
    for (size_t i = 0; i < b->n; i++) {
        sum = crc32c(sum, b->entries[i].body.p, b->entries[i].body.n);
        sum = crc32c(sum, b->entries[i].erasable.p, b->entries[i].erasable.n);
        if (i < 64 && segment_note(b, i, &at, &n) && (at < b->at || at + 4 + n > b->at + b->bytes))
            abort();
    }
    return sum;
}

static void read_all(struct segment *s)
{
    struct segment_batch b;
    struct err err;
    uint64_t at = SEGMENT_HEAD, found;
    volatile uint32_t sum = 0;
    int state;
    while ((state = segment_batch(s, at, &b, &err)) >= SEGMENT_NOTES) {
        sum += look_at(&b) + segment_batch_chain(&b, s->head.chain);
        at += b.bytes;
    }
    if (segment_search(s, SEGMENT_HEAD, &found, &err) > 0 &&
        segment_batch(s, found, &b, &err) < SEGMENT_NOTES)
        abort();
    if (segment_used(s, SEGMENT_HEAD, &found, &err) == 0 && (found < SEGMENT_HEAD || found > s->size))
        abort();
    (void)state;
    (void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    struct segment_head h = {.mark = 0x0102030405060709, .first = 1};
    struct segment s = {0};
    struct err err;
    if (n == 0)
        return 0;
    uint8_t how = in[0];
    size_t head = how & 1 ? 0 : SEGMENT_HEAD, size = head + n - 1 + ROOM;
    uint8_t *file = mem_zalloc(size);
    if (head)
        segment_head_put(file, &h);
    memcpy(file + head, in + 1, n - 1);
    if (segment_head_get(file, size, "input", &s.head, &err) == 0) {
        if ((how & 2) && size > SEGMENT_HEAD + ROOM)
            put_right(file + SEGMENT_HEAD, size - SEGMENT_HEAD - ROOM, s.head.mark);
        s.fd = memfd_create("segment", MFD_CLOEXEC);
        s.size = size;
        s.path = mem_strndup("input", 5);
        if (s.fd < 0 || write(s.fd, file, size) != (ssize_t)size)
            abort();
        read_all(&s);
        close(s.fd);
        buf_finish(&s.window);
        free(s.entries);
        free(s.path);
    }
    free(file);
    return 0;
}
