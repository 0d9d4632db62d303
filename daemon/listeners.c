/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the list of teams that were ever heard of since the start. Main thread. */
#include "daemon/listeners.h"

#include "lib/mem.h"

#include <stdlib.h>

struct team {
    struct slice id;   /* owned */
    bool listens;      /* at the last look */
    bool told;         /* as the journal has it */
    bool ever;         /* it was told of this team */
    int64_t told_ms;   /* when last */
};

struct listeners {
    struct listeners_calls calls;
    bool begun;        /* the journal knows that all begins anew */
    struct team *teams;
    size_t n, cap;
};

struct listeners *listeners_create(const struct listeners_calls *calls)
{
    struct listeners *l = mem_zalloc(sizeof *l);
    l->calls = *calls;
    return l;
}

void listeners_destroy(struct listeners *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++)
        free((char *)(uintptr_t)l->teams[i].id.p);
    free(l->teams);
    free(l);
}

static struct team *find(const struct listeners *l, struct slice id)
{
    for (size_t i = 0; i < l->n; i++)
        if (slice_eq(l->teams[i].id, id))
            return &l->teams[i];
    return NULL;
}

static struct team *add(struct listeners *l, struct slice id)
{
    l->teams = mem_grow(l->teams, &l->cap, l->n + 1, sizeof *l->teams);
    l->teams[l->n] = (struct team){.id = {mem_strndup(id.p, id.n), id.n}};
    return &l->teams[l->n++];
}

static void tell(struct listeners *l, struct team *t, int64_t now_ms, int64_t least_ms)
{
    if (t->listens == t->told || (t->ever && now_ms - t->told_ms < least_ms))
        return;
    if (!l->calls.tell(l->calls.arg, t->id, t->listens))
        return;
    t->told = t->listens;
    t->told_ms = now_ms;
    t->ever = true;
}

void listeners_look(struct listeners *l, const struct slice *teams, size_t n, int64_t now_ms, int64_t least_ms)
{
    for (size_t i = 0; i < l->n; i++)
        l->teams[i].listens = false;
    for (size_t i = 0; i < n; i++) {
        struct team *t = find(l, teams[i]);
        (t ? t : add(l, teams[i]))->listens = true;
    }
    if (!l->begun)
        l->begun = l->calls.tell(l->calls.arg, (struct slice){0}, false);
    for (size_t i = 0; i < l->n && l->begun; i++)
        tell(l, &l->teams[i], now_ms, least_ms);
}

void listeners_forget(struct listeners *l)
{
    l->begun = false;
    for (size_t i = 0; i < l->n; i++)
        l->teams[i].told = l->teams[i].ever = l->teams[i].listens = false;
}

size_t listeners_count(const struct listeners *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += l->teams[i].listens;
    return n;
}

struct slice listeners_at(const struct listeners *l, size_t at)
{
    size_t i = 0;
    while (!l->teams[i].listens || at--)
        i++;
    return l->teams[i].id;
}

bool listeners_has(const struct listeners *l, struct slice team)
{
    const struct team *t = find(l, team);
    return t && t->listens;
}
