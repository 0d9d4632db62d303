/* SPDX-License-Identifier: Apache-2.0 */
/* An engine for the tests of the writer: the calls of engine/engine.h, a fold that only counts, over the real
 * state, so that checkpoints are real too. What it does is steered by the ids of signals: "x..." cancels
 * something unknown;  "e..." brings an event about;  any id twice is a duplicate. An entry starts with its
 * type, like a real one. Of the writer thread, but for what is atomic. */
#ifndef TESTS_FAKE_ENGINE_H
#define TESTS_FAKE_ENGINE_H

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "lib/mem.h"

struct engine {
    struct state *state;
    struct dict *dict;
    uint64_t number, events;
    int64_t time;
    bool sweep_pending;
    char (*seen)[24];
    size_t n_seen, cap_seen;
    uint64_t fails_at;   /* this entry's bytes are "damaged" */
    _Atomic int64_t due; /* the next tick clears it */
    atomic_size_t ticks, sweeps, swept, folded;
};

int engine_create(struct engine **out, const struct state_loader *loader, size_t cache_bytes, struct err *err)
{
    (void)err;
    struct engine *e = mem_zalloc(sizeof *e);
    e->state = state_create(loader, cache_bytes);
    e->dict = dict_create();
    atomic_init(&e->due, INT64_MAX);
    *out = e;
    return 0;
}

void engine_destroy(struct engine *e)
{
    state_destroy(e->state);
    dict_destroy(e->dict);
    free(e->seen);
    free(e);
}

uint64_t engine_number(const struct engine *e)
{
    return e->number;
}

int64_t engine_time(const struct engine *e)
{
    return e->time;
}

uint64_t engine_events(const struct engine *e)
{
    return e->events;
}

int64_t engine_next_due(const struct engine *e)
{
    return atomic_load(&e->due);
}

bool engine_sweep_pending(const struct engine *e)
{
    return e->sweep_pending;
}

void engine_warm(struct engine *e, const struct entry_signal *x, int step)
{
    (void)e;
    (void)x;
    (void)step;
}

enum screened engine_screen(struct engine *e, const struct entry_signal *s, uint64_t number)
{
    char id[24] = "";
    assert(s->sig.id.n < sizeof id);
    memcpy(id, s->sig.id.p, s->sig.id.n);
    if (id[0] == 'x')
        return SCREEN_UNKNOWN_CANCEL;
    for (size_t i = 0; i < e->n_seen; i++)
        if (strcmp(e->seen[i], id) == 0)
            return SCREEN_DUPLICATE;
    assert(number > e->number);
    e->seen = mem_grow(e->seen, &e->cap_seen, e->n_seen + 1, sizeof *e->seen);
    memcpy(e->seen[e->n_seen++], id, sizeof id);
    return SCREEN_NEW;
}

static void fake_event(struct engine *e, struct engine_out *out)
{
    struct engine_event *more = arena_zalloc(out->arena, (out->n + 1) * sizeof *more);
    if (out->n)
        memcpy(more, out->events, out->n * sizeof *more);
    out->events = more;
    out->events[out->n++].ev.seq = ++e->events;
}

static void fake_sweep(struct engine *e, struct slice entry, struct engine_out *out)
{
    struct arena a = {0};
    struct entry decoded;
    struct err err;
    int rc = entry_get(entry, &a, &decoded, &err);
    assert(rc == 0);
    (void)rc;
    atomic_fetch_add(&e->sweeps, 1);
    atomic_fetch_add(&e->swept, decoded.sweep.n);
    if (decoded.sweep.n == 0) {
        e->sweep_pending = false;
        fake_event(e, out); /* so that the test is told */
    }
    arena_finish(&a);
}

int engine_apply(struct engine *e, uint64_t number, int64_t time, struct slice entry, struct engine_out *out,
                 struct err *err)
{
    assert(number == e->number + 1 && time >= e->time);
    if (number == e->fails_at)
        return err_set(err, WW_EDAMAGED, "the entry is damaged");
    e->number = number;
    e->time = time;
    atomic_fetch_add(&e->folded, 1);
    struct ekey key = {{EKEY_CODE}};
    memcpy(key.b + 1, &number, sizeof number);
    switch (entry.p[0]) {
    case ENTRY_SIGNAL:
        state_put(e->state, T_ENTERPRISE, key.b, EKEY_LEN, "record", 6);
        if (entry.p[1] == 'e')
            fake_event(e, out);
        break;
    case ENTRY_CONFIG:
        e->sweep_pending = true;
        break;
    case ENTRY_TICK:
        atomic_fetch_add(&e->ticks, 1);
        atomic_store(&e->due, INT64_MAX);
        fake_event(e, out);
        break;
    case ENTRY_SWEEP:
        fake_sweep(e, entry, out);
        break;
    case ENTRY_ACTION:
        out->refused = WIRE_ERROR_WRONG_STATE;
        out->sentence = arena_printf(out->arena, "refused as entry %llu", (unsigned long long)number);
        break;
    default:
        return err_set(err, WW_EDAMAGED, "no such type of entry");
    }
    state_put(e->state, T_META, "engine", 6, &number, sizeof number);
    return 0;
}

struct checkpoint *engine_checkpoint(struct engine *e)
{
    struct checkpoint *c = state_checkpoint(e->state);
    if (c) {
        c->number = e->number;
        c->time = e->time;
    }
    return c;
}

void engine_committed(struct engine *e, struct checkpoint *c)
{
    state_committed(e->state, c);
}

size_t engine_dirty(const struct engine *e)
{
    return state_dirty(e->state);
}

void engine_trim(struct engine *e)
{
    state_trim(e->state);
}

const struct dict *engine_dict(const struct engine *e)
{
    return e->dict;
}

#endif
