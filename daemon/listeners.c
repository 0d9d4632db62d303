/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the list of teams that were ever heard of since the start. Main thread. */
#include "daemon/listeners.h"

#include "lib/mem.h"

#include <stdlib.h>

enum {
    WISHES_MOST = 32,         /* of a team, the widest first: more subscriptions than that ask for less than they could */
    ENTRY_MOST = 16 * 1024    /* bytes */
};

struct team {
    struct slice id;   /* owned */
    bool listens;      /* at the last look */
    const struct entry_presence *now; /* while looking: what there is to tell; NULL: it does not listen */
    struct buf told;   /* the entry that the journal has; n 0: it does not listen */
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
    for (size_t i = 0; i < l->n; i++) {
        free((char *)(uintptr_t)l->teams[i].id.p);
        buf_finish(&l->teams[i].told);
    }
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

/* ---- what a team's sessions ask for together ---- */

struct item {
    struct slice team, bytes; /* bytes: of the wish, so that equal ones are found, and in an order */
    const struct entry_wish *wish;
};

static int order(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int by = n ? memcmp(a.p, b.p, n) : 0;
    return by ? by : (a.n > b.n) - (a.n < b.n);
}

static int by_team(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int by = order(x->team, y->team);
    return by ? by : order(x->bytes, y->bytes);
}

static struct item *sorted(const struct listening *list, size_t n, struct arena *a)
{
    struct item *items = arena_alloc(a, (n + 1) * sizeof *items);
    struct buf b = {0};
    for (size_t i = 0; i < n; i++) {
        buf_reset(&b);
        entry_put_presence(&b, &(struct entry_presence){.listening = true, .n_wishes = 1, .wishes = &list[i].wish});
        items[i] = (struct item){list[i].team, {arena_copy(a, b.p, b.n), b.n}, &list[i].wish};
    }
    buf_finish(&b);
    qsort(items, n, sizeof *items, by_team);
    return items;
}

static bool asks_for_all(const struct entry_wish *w)
{
    return !w->n_regions && !w->n_industries && w->min_level <= LEVEL_GENERAL;
}

/* The entry that says what the items of one team ask for. */
static const struct entry_presence *together(struct slice team, const struct item *items, size_t n, struct arena *a)
{
    struct entry_presence *x = arena_zalloc(a, sizeof *x);
    struct entry_wish *wishes = arena_alloc(a, WISHES_MOST * sizeof *wishes);
    size_t bytes = 0;
    *x = (struct entry_presence){.team = team, .listening = true, .wishes = wishes};
    for (size_t i = 0; i < n; i++)
        if (asks_for_all(items[i].wish))
            return x;
    for (size_t i = 0; i < n && x->n_wishes < WISHES_MOST; i++) {
        bool again = i && slice_eq(items[i - 1].bytes, items[i].bytes);
        if (again || bytes + items[i].bytes.n > ENTRY_MOST)
            continue;
        bytes += items[i].bytes.n;
        wishes[x->n_wishes++] = *items[i].wish;
    }
    x->listening = x->n_wishes > 0; /* one that is too long alone is heard by nobody, and the next tier is told */
    return x;
}

/* ---- telling ---- */

static void tell(struct listeners *l, struct team *t, int64_t now_ms, int64_t least_ms)
{
    struct buf b = {0};
    if (t->now)
        entry_put_presence(&b, t->now);
    bool same = b.n == t->told.n && (b.n == 0 || memcmp(b.p, t->told.p, b.n) == 0);
    bool wait = t->ever && now_ms - t->told_ms < least_ms;
    const struct entry_presence ends = {.team = t->id};
    if (!same && !wait && l->calls.tell(l->calls.arg, t->now ? t->now : &ends)) {
        struct buf before = t->told;
        t->told = b;
        b = before;
        t->told_ms = now_ms;
        t->ever = true;
    }
    buf_finish(&b);
}

void listeners_look(struct listeners *l, const struct listening *list, size_t n, int64_t now_ms, int64_t least_ms)
{
    struct arena a = {0};
    struct item *items = sorted(list, n, &a);
    for (size_t i = 0; i < l->n; i++) {
        l->teams[i].listens = false;
        l->teams[i].now = NULL;
    }
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && slice_eq(items[to].team, items[from].team); to++)
            continue;
        struct team *t = find(l, items[from].team);
        t = t ? t : add(l, items[from].team);
        t->now = together(t->id, items + from, to - from, &a);
        t->listens = true;
    }
    if (!l->begun)
        l->begun = l->calls.tell(l->calls.arg, &(struct entry_presence){.listening = false});
    for (size_t i = 0; i < l->n && l->begun; i++)
        tell(l, &l->teams[i], now_ms, least_ms);
    arena_finish(&a);
}

void listeners_forget(struct listeners *l)
{
    l->begun = false;
    for (size_t i = 0; i < l->n; i++) {
        l->teams[i].ever = l->teams[i].listens = false;
        buf_reset(&l->teams[i].told);
    }
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
