/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a batch. Owns their memory; whose turn it is with a batch is the writer room's business. */
#include "daemon/batch.h"

#include "lib/mem.h"

#include <stdlib.h>

void batch_init(struct batch *b)
{
    *b = (struct batch){0};
    b->out.arena = &b->arena;
}

void batch_finish(struct batch *b)
{
    free(b->slots);
    free(b->requests);
    arena_finish(&b->arena);
    *b = (struct batch){0};
}

void batch_reset(struct batch *b)
{
    struct batch kept = {
        .arena = b->arena,
        .slots = b->slots,
        .cap_slots = b->cap_slots,
        .requests = b->requests,
        .cap_requests = b->cap_requests,
    };
    *b = kept;
    arena_reset(&b->arena);
    b->out.arena = &b->arena;
}

bool batch_has_room(const struct batch *b, size_t n, size_t bytes)
{
    if (b->n_slots == 0) /* one message is within a batch by its own bounds */
        return true;
    return b->n_slots + n <= BATCH_ENTRIES_MAX && b->bytes + bytes <= BATCH_BYTES_GATHERED_MAX;
}

struct request *batch_request(struct batch *b, enum request_type type, uint64_t client)
{
    b->requests = mem_grow(b->requests, &b->cap_requests, b->n_requests + 1, sizeof *b->requests);
    struct request *r = &b->requests[b->n_requests++];
    *r = (struct request){.type = (uint8_t)type, .client = client, .first = (uint32_t)b->n_slots};
    return r;
}

struct slot *batch_slot(struct batch *b)
{
    assert(b->n_requests);
    struct request *r = &b->requests[b->n_requests - 1];
    assert(r->first + r->n == b->n_slots);
    b->slots = mem_grow(b->slots, &b->cap_slots, b->n_slots + 1, sizeof *b->slots);
    struct slot *s = &b->slots[b->n_slots++];
    *s = (struct slot){0};
    r->n++;
    return s;
}

static void grow_rejected(struct batch *b, struct request *r)
{
    uint32_t cap = r->cap_rejected ? r->cap_rejected * 2 : 8;
    struct rejected *list = arena_alloc(&b->arena, cap * sizeof *list);
    if (r->n_rejected)
        memcpy(list, r->rejected, r->n_rejected * sizeof *list);
    r->rejected = list;
    r->cap_rejected = cap;
}

void batch_reject(struct batch *b, struct request *r, uint32_t index, struct slice id, enum reject_code code,
                  const char *message)
{
    if (r->n_rejected == r->cap_rejected)
        grow_rejected(b, r);
    uint32_t at = r->n_rejected++;
    for (; at > 0 && r->rejected[at - 1].index > index; at--)
        r->rejected[at] = r->rejected[at - 1];
    r->rejected[at] = (struct rejected){.index = index, .id = id, .code = code, .message = message};
}
