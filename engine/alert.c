/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/alert.h"

enum { ALERT_VERSION = 4 };

#define ALERT_UNSIGNED(a)                                                                                    \
    {                                                                                                        \
        &(a)->number, &(a)->version, &(a)->last_event, &(a)->closed_entry, &(a)->evidence_sum, &(a)->region, \
            &(a)->rules_sum, &(a)->climbed_entry, &(a)->parent                                               \
    }
#define ALERT_SIGNED(a)                                                                                      \
    {                                                                                                        \
        &(a)->raised_at, &(a)->changed_at, &(a)->closed_at, &(a)->due, &(a)->climbed_at \
    }
#define ALERT_TEXTS(a)                                                                                       \
    {                                                                                                        \
        &(a)->uscc, &(a)->name, &(a)->industry, &(a)->team                                                   \
    }

struct pace pace_none(void)
{
    return (struct pace){.due = NO_INT,        .escalate_at = NO_INT,   .held_since = NO_INT,
                         .held_until = NO_INT, .snoozed_since = NO_INT, .snoozed_until = NO_INT};
}

struct handling handling_none(void)
{
    return (struct handling){.opened_at = NO_INT,     .seen_at = NO_INT,       .accepted_at = NO_INT,
                             .forwarded_at = NO_INT,  .verified_at = NO_INT,   .escalate_at = NO_INT,
                             .unattended_at = NO_INT, .held_since = NO_INT,    .held_until = NO_INT,
                             .snoozed_since = NO_INT, .snoozed_until = NO_INT, .follow_up_at = NO_INT,
                             .undo_finding_at = NO_INT, .found_at = NO_INT,    .found_people = NO_INT,
                             .found_amount = NO_INT,  .without = pace_none()};
}

#define HANDLING_TIMES(h)                                                                                    \
    {                                                                                                        \
        &(h)->opened_at, &(h)->seen_at, &(h)->accepted_at, &(h)->forwarded_at, &(h)->verified_at,            \
            &(h)->escalate_at, &(h)->unattended_at, &(h)->held_since, &(h)->held_until, &(h)->snoozed_since, \
            &(h)->snoozed_until, &(h)->follow_up_at, &(h)->undo_finding_at, &(h)->snoozed_ms,                \
            &(h)->found_at, &(h)->found_people, &(h)->found_amount                                           \
    }

#define PACE_TIMES(p)                                                                                        \
    {                                                                                                        \
        &(p)->due, &(p)->escalate_at, &(p)->held_since, &(p)->held_until, &(p)->snoozed_since,               \
            &(p)->snoozed_until, &(p)->snoozed_ms                                                            \
    }

static void put_words(struct buf *b, const uint32_t *words, uint32_t n)
{
    buf_varint(b, n);
    for (uint32_t k = 0; k < n; k++)
        buf_varint(b, words[k]);
}

static void put_pace(struct buf *b, const struct pace *p)
{
    const int64_t *const times[] = PACE_TIMES(p);
    const uint8_t small[] = {p->step, p->tier, p->snoozed_level, p->overdue};
    for (size_t k = 0; k < ARRAY_LEN(times); k++)
        buf_when(b, *times[k]);
    buf_put(b, small, sizeof small);
    put_words(b, p->snoozed_kinds, p->n_snoozed_kinds);
}

static void put_handling(struct buf *b, const struct handling *h)
{
    const int64_t *const times[] = HANDLING_TIMES(h);
    const uint8_t told = (uint8_t)(h->overdue | h->unattended << 1);
    const uint8_t small[] = {h->step, h->tier, h->extended, h->snoozed_level, told, h->undo_finding, h->last_type};
    for (size_t k = 0; k < ARRAY_LEN(times); k++)
        buf_when(b, *times[k]);
    buf_put(b, small, sizeof small);
    put_words(b, h->snoozed_kinds, h->n_snoozed_kinds);
    buf_slice(b, h->routed);
    buf_varint(b, h->n_taken);
    for (uint32_t k = 0; k < h->n_taken; k++) {
        const struct taken *t = &h->taken[k];
        buf_slice(b, t->measure);
        buf_slice(b, t->ref);
        buf_varint(b, t->entry);
        buf_when(b, t->at);
        buf_when(b, t->due);
        buf_when(b, t->people);
        buf_when(b, t->amount);
        buf_when(b, t->ends);
        buf_varint(b, (uint64_t)t->recovered);
        buf_u8(b, (uint8_t)(t->state | t->recover << 7));
    }
    buf_varint(b, h->undo_entry);
    buf_varint(b, h->undo_finding_entry);
    buf_slice(b, h->undo);
    buf_slice(b, h->last_who);
    buf_slice(b, h->found_who);
    if (!h->undo_entry)
        return;
    put_words(b, h->undo_kinds, h->n_undo_kinds);
    put_pace(b, &h->without);
}

static uint32_t *get_words(struct rd *r, struct arena *arena, uint32_t *n)
{
    *n = (uint32_t)rd_count(r, 1);
    uint32_t *words = arena_alloc(arena, (*n + 1) * sizeof *words);
    for (uint32_t k = 0; k < *n; k++)
        words[k] = (uint32_t)rd_varint(r);
    return words;
}

static void get_pace(struct rd *r, struct arena *arena, struct pace *p)
{
    int64_t *const times[] = PACE_TIMES(p);
    uint8_t *const small[] = {&p->step, &p->tier, &p->snoozed_level};
    for (size_t k = 0; k < ARRAY_LEN(times); k++)
        *times[k] = rd_when(r);
    for (size_t k = 0; k < ARRAY_LEN(small); k++)
        *small[k] = rd_u8(r);
    p->overdue = rd_u8(r);
    p->snoozed_kinds = get_words(r, arena, &p->n_snoozed_kinds);
}

static void get_taken(struct rd *r, struct arena *arena, struct handling *h)
{
    h->n_taken = (uint32_t)rd_count(r, 10);
    h->taken = arena_zalloc(arena, (h->n_taken + 1) * sizeof *h->taken);
    for (uint32_t k = 0; k < h->n_taken && !r->bad; k++) {
        struct taken *t = &h->taken[k];
        t->measure = rd_slice(r);
        t->ref = rd_slice(r);
        t->entry = rd_varint(r);
        t->at = rd_when(r);
        t->due = rd_when(r);
        t->people = rd_when(r);
        t->amount = rd_when(r);
        t->ends = rd_when(r);
        t->recovered = (int64_t)rd_varint(r);
        t->state = rd_u8(r);
        t->recover = t->state >> 7;
        t->state &= 0x7f;
    }
}

static void get_handling(struct rd *r, struct arena *arena, struct handling *h)
{
    int64_t *const times[] = HANDLING_TIMES(h);
    uint8_t *const small[] = {&h->step, &h->tier, &h->extended, &h->snoozed_level};
    for (size_t k = 0; k < ARRAY_LEN(times); k++)
        *times[k] = rd_when(r);
    for (size_t k = 0; k < ARRAY_LEN(small); k++)
        *small[k] = rd_u8(r);
    uint8_t told = rd_u8(r);
    h->overdue = told & 1;
    h->unattended = told >> 1 & 1;
    h->undo_finding = rd_u8(r);
    h->last_type = rd_u8(r);
    h->snoozed_kinds = get_words(r, arena, &h->n_snoozed_kinds);
    h->routed = rd_slice(r);
    get_taken(r, arena, h);
    h->undo_entry = rd_varint(r);
    h->undo_finding_entry = rd_varint(r);
    h->undo = rd_slice(r);
    h->last_who = rd_slice(r);
    h->found_who = rd_slice(r);
    h->without = pace_none();
    if (!h->undo_entry)
        return;
    h->undo_kinds = get_words(r, arena, &h->n_undo_kinds);
    get_pace(r, arena, &h->without);
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
    buf_varint(b, a->n_escalated);
    for (uint32_t k = 0; k < a->n_escalated; k++)
        buf_varint(b, a->escalated[k]);
    buf_varint(b, a->n_teams);
    for (uint32_t k = 0; k < a->n_teams; k++)
        buf_slice(b, a->teams[k]);
    put_handling(b, &a->h);
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
    a->n_escalated = (uint32_t)rd_count(r, 1);
    uint32_t *escalated = arena_alloc(arena, a->n_escalated * sizeof *escalated);
    for (uint32_t k = 0; k < a->n_escalated; k++)
        escalated[k] = (uint32_t)rd_varint(r);
    a->escalated = escalated;
    a->n_teams = (uint32_t)rd_count(r, 1);
    struct slice *teams = arena_alloc(arena, (a->n_teams + 1) * sizeof *teams);
    for (uint32_t k = 0; k < a->n_teams; k++)
        teams[k] = rd_slice(r);
    a->teams = teams;
    get_handling(r, arena, &a->h);
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
