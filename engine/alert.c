/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/alert.h"

enum { ALERT_VERSION = 1 };

#define ALERT_UNSIGNED(a)                                                                                    \
    {                                                                                                        \
        &(a)->number, &(a)->version, &(a)->last_event, &(a)->closed_entry, &(a)->evidence_sum, &(a)->region  \
    }
#define ALERT_SIGNED(a)                                                                                      \
    {                                                                                                        \
        &(a)->raised_at, &(a)->changed_at, &(a)->closed_at, &(a)->due                                                         \
    }
#define ALERT_TEXTS(a)                                                                                       \
    {                                                                                                        \
        &(a)->uscc, &(a)->name, &(a)->industry, &(a)->team                                                   \
    }

void alert_put(struct buf *b, const struct alert *a)
{
    const uint64_t *const u[] = ALERT_UNSIGNED(a);
    const int64_t *const i[] = ALERT_SIGNED(a);
    const struct slice *const t[] = ALERT_TEXTS(a);
    const uint8_t head[] = {ALERT_VERSION, a->state, a->level, a->finding, a->withdrawn};
    buf_put(b, head, sizeof head);
    buf_put(b, a->key.b, EKEY_LEN);
    buf_varint(b, a->score);
    buf_varint(b, a->rule);
    for (size_t k = 0; k < ARRAY_LEN(u); k++)
        buf_varint(b, *u[k]);
    for (size_t k = 0; k < ARRAY_LEN(i); k++)
        buf_when(b, *i[k]);
    for (size_t k = 0; k < ARRAY_LEN(t); k++)
        buf_slice(b, *t[k]);
    buf_varint(b, a->n_places);
    for (uint32_t k = 0; k < a->n_places; k++)
        buf_varint(b, a->places[k]);
    buf_varint(b, a->n_joined);
    for (uint32_t k = 0; k < a->n_joined; k++)
        buf_slice(b, a->joined[k]);
}

static void get_lists(struct rd *r, struct arena *arena, struct alert *a)
{
    a->n_places = (uint32_t)rd_count(r, 1);
    region_t *places = arena_alloc(arena, a->n_places * sizeof *places);
    for (uint32_t k = 0; k < a->n_places; k++)
        places[k] = rd_varint(r);
    a->places = places;
    a->n_joined = (uint32_t)rd_count(r, 1);
    struct slice *joined = arena_alloc(arena, a->n_joined * sizeof *joined);
    for (uint32_t k = 0; k < a->n_joined; k++)
        joined[k] = rd_slice(r);
    a->joined = joined;
}

int alert_get(struct slice bytes, struct arena *arena, struct alert *a, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    *a = (struct alert){0};
    uint64_t *const u[] = ALERT_UNSIGNED(a);
    int64_t *const i[] = ALERT_SIGNED(a);
    struct slice *const t[] = ALERT_TEXTS(a);
    const uint8_t *head = rd_bytes(&r, 5 + EKEY_LEN);
    if (head && head[0] == ALERT_VERSION) {
        a->state = head[1];
        a->level = head[2];
        a->finding = head[3];
        a->withdrawn = head[4];
        memcpy(a->key.b, head + 5, EKEY_LEN);
    } else {
        r.bad = true;
    }
    a->score = (uint32_t)rd_varint(&r);
    a->rule = (uint32_t)rd_varint(&r);
    for (size_t k = 0; k < ARRAY_LEN(u); k++)
        *u[k] = rd_varint(&r);
    for (size_t k = 0; k < ARRAY_LEN(i); k++)
        *i[k] = rd_when(&r);
    for (size_t k = 0; k < ARRAY_LEN(t); k++)
        *t[k] = rd_slice(&r);
    get_lists(&r, arena, a);
    if (r.bad || rd_left(&r) || !alert_state_wire(a->state) || a->level >= LEVEL_COUNT)
        return err_set(err, WW_EDAMAGED, "view: a stored alert does not decode; run wagewarnd --rebuild");
    return 0;
}
