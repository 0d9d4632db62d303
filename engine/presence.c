/* SPDX-License-Identifier: Apache-2.0 */
/* Which teams listen, as the daemon told the journal; one row of T_META. Delivered is not seen, but what nobody listens
 * for is not even delivered. Before the first such entry nothing is known, and nothing is made of it: a journal without
 * them says nobody's absence. */
#include "engine/fold.h"

#include "lib/mem.h"

#include <stdlib.h>

enum { PRESENCE_VERSION = 1 };

static const char row_key[] = "listening";

struct presence {
    bool known;
    struct slice *teams; /* owned, each; sorted */
    size_t n, cap;
};

struct presence *presence_create(void)
{
    return mem_zalloc(sizeof(struct presence));
}

static void clear(struct presence *p)
{
    while (p->n)
        free((char *)(uintptr_t)p->teams[--p->n].p);
}

void presence_destroy(struct presence *p)
{
    if (!p)
        return;
    clear(p);
    free(p->teams);
    free(p);
}

static int compare(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Where it is, or would be. */
static size_t place(const struct presence *p, struct slice team)
{
    size_t i = 0;
    while (i < p->n && compare(p->teams[i], team) < 0)
        i++;
    return i;
}

static bool listens(const struct presence *p, struct slice team)
{
    size_t i = place(p, team);
    return i < p->n && slice_eq(p->teams[i], team);
}

static void set(struct presence *p, struct slice team, bool listening)
{
    size_t i = place(p, team);
    if (listens(p, team) == listening)
        return;
    if (!listening) {
        free((char *)(uintptr_t)p->teams[i].p);
        memmove(&p->teams[i], &p->teams[i + 1], (--p->n - i) * sizeof *p->teams);
        return;
    }
    p->teams = mem_grow(p->teams, &p->cap, p->n + 1, sizeof *p->teams);
    memmove(&p->teams[i + 1], &p->teams[i], (p->n++ - i) * sizeof *p->teams);
    p->teams[i] = (struct slice){mem_strndup(team.p, team.n), team.n};
}

static void store(struct engine *e)
{
    const struct presence *p = e->presence;
    buf_reset(&e->buf);
    buf_u8(&e->buf, PRESENCE_VERSION);
    buf_varint(&e->buf, p->n);
    for (size_t i = 0; i < p->n; i++)
        buf_slice(&e->buf, p->teams[i]);
    state_put(e->state, T_META, row_key, sizeof row_key - 1, e->buf.p, e->buf.n);
}

void presence_fold(struct engine *e, const struct entry_presence *x)
{
    e->presence->known = true;
    if (x->team.n)
        set(e->presence, x->team, x->listening);
    else
        clear(e->presence);
    store(e);
}

int presence_load(struct engine *e, struct err *err)
{
    struct presence *p = e->presence;
    struct slice v = state_get(e->state, T_META, row_key, sizeof row_key - 1);
    struct rd r = rd_of(v.p, v.n);
    if (!v.p)
        return 0;
    bool version = rd_u8(&r) == PRESENCE_VERSION;
    for (size_t n = rd_count(&r, 1); n && !r.bad; n--)
        set(p, rd_slice(&r), true);
    p->known = true;
    if (!version || r.bad || rd_left(&r))
        return err_set(err, WW_EDAMAGED, "view: the teams that listen do not decode; run wagewarnd --rebuild");
    return 0;
}

bool presence_none(const struct engine *e, const struct alert *a)
{
    const struct presence *p = e->presence;
    const struct work *w = e->settings->work;
    bool any = !p->known || !w || !w->has_teams;
    for (uint32_t i = 0; i < a->n_teams && !any; i++)
        any = listens(p, a->teams[i]);
    return !any;
}
