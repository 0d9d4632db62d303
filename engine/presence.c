/* SPDX-License-Identifier: Apache-2.0 */
/* Which teams listen, and for what, as the daemon told the journal; one row of T_META. Delivered is not seen, but what
 * nobody listens for is not even delivered. Before the first such entry nothing is known, and nothing is made of it: a
 * journal without them says nobody's absence. */
#include "engine/presence.h"

#include "lib/mem.h"

#include <stdlib.h>

enum { PRESENCE_VERSION = 2 };

static const char row_key[] = "listening";

struct presence *presence_create(void)
{
    struct presence *p = mem_zalloc(sizeof *p);
    p->walk_at = p->lost_at = NO_INT;
    return p;
}

static void clear(struct presence *p)
{
    while (p->n)
        arena_finish(&p->teams[--p->n].arena);
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
    while (i < p->n && compare(p->teams[i].id, team) < 0)
        i++;
    return i;
}

static const struct listener *find(const struct presence *p, struct slice team)
{
    size_t i = place(p, team);
    return i < p->n && slice_eq(p->teams[i].id, team) ? &p->teams[i] : NULL;
}

static struct entry_wish *copy_wishes(struct arena *a, const struct entry_wish *from, uint32_t n)
{
    struct entry_wish *list = arena_zalloc(a, (n + 1) * sizeof *list);
    for (uint32_t i = 0; i < n; i++) {
        struct slice *industries = arena_zalloc(a, (from[i].n_industries + 1) * sizeof *industries);
        for (uint32_t k = 0; k < from[i].n_industries; k++)
            industries[k] = arena_slice(a, from[i].industries[k]);
        list[i] = from[i];
        list[i].industries = industries;
        list[i].regions = from[i].n_regions ? arena_copy(a, from[i].regions, from[i].n_regions * sizeof *from[i].regions) : NULL;
    }
    return list;
}

/* True: it hears no longer what it heard before, or not all of it. */
static bool set(struct presence *p, const struct entry_presence *x, int64_t at)
{
    size_t i = place(p, x->team);
    bool there = i < p->n && slice_eq(p->teams[i].id, x->team);
    bool lost = there && p->teams[i].listening;
    if (!there) {
        p->teams = mem_grow(p->teams, &p->cap, p->n + 1, sizeof *p->teams);
        memmove(&p->teams[i + 1], &p->teams[i], (p->n++ - i) * sizeof *p->teams);
    } else {
        arena_finish(&p->teams[i].arena);
    }
    struct listener *l = &p->teams[i];
    *l = (struct listener){.listening = x->listening, .changed_at = at, .n_wishes = x->n_wishes};
    l->id = arena_slice(&l->arena, x->team);
    l->wishes = copy_wishes(&l->arena, x->wishes, x->n_wishes);
    return lost;
}

void presence_store(struct engine *e)
{
    const struct presence *p = e->presence;
    buf_reset(&e->buf);
    buf_u8(&e->buf, PRESENCE_VERSION);
    buf_when(&e->buf, p->begun_at);
    buf_when(&e->buf, p->lost_at);
    buf_when(&e->buf, p->walk_at);
    buf_varint(&e->buf, p->walk_page);
    buf_varint(&e->buf, p->n);
    for (size_t i = 0; i < p->n; i++) {
        const struct listener *l = &p->teams[i];
        buf_when(&e->buf, l->changed_at);
        entry_put_presence(&e->buf, &(struct entry_presence){l->id, l->listening, l->n_wishes, l->wishes});
    }
    state_put(e->state, T_META, row_key, sizeof row_key - 1, e->buf.p, e->buf.n);
}

void presence_fold(struct engine *e, const struct entry_presence *x)
{
    struct presence *p = e->presence;
    bool lost = true;
    p->known = true;
    if (x->team.n) {
        lost = set(p, x, e->time);
    } else {
        clear(p);
        p->begun_at = e->time;
    }
    if (lost)
        waiting_look(e);
    presence_store(e);
}

int presence_load(struct engine *e, struct err *err)
{
    struct presence *p = e->presence;
    struct slice v = state_get(e->state, T_META, row_key, sizeof row_key - 1);
    struct rd r = rd_of(v.p, v.n);
    struct arena a = {0};
    if (!v.p)
        return 0;
    bool good = rd_u8(&r) == PRESENCE_VERSION;
    p->begun_at = rd_when(&r);
    p->lost_at = rd_when(&r);
    p->walk_at = rd_when(&r);
    p->walk_page = (uint32_t)rd_varint(&r);
    for (size_t n = rd_count(&r, 4); n && good && !r.bad; n--) {
        int64_t at = rd_when(&r);
        struct entry_presence x;
        good = entry_read_presence(&r, &a, &x);
        if (good)
            set(p, &x, at);
    }
    arena_finish(&a);
    p->known = true;
    if (!good || r.bad || rd_left(&r))
        return err_set(err, WW_EDAMAGED, "view: the teams that listen do not decode; run wagewarnd --rebuild");
    return 0;
}

/* ---- who hears of an alert ---- */

static bool lies_in(const struct entry_wish *w, const struct alert *a)
{
    for (uint32_t i = 0; i < w->n_regions; i++) {
        if (a->region && region_within(a->region, w->regions[i]))
            return true;
        for (uint32_t k = 0; k < a->n_places; k++)
            if (a->places[k] && region_within(a->places[k], w->regions[i]))
                return true;
    }
    return w->n_regions == 0;
}

static bool is_of(const struct entry_wish *w, struct slice industry)
{
    for (uint32_t i = 0; i < w->n_industries; i++) {
        struct slice want = w->industries[i];
        if (want.n <= industry.n && memcmp(want.p, industry.p, want.n) == 0)
            return true;
    }
    return w->n_industries == 0;
}

/* Would one of its subscriptions be sent it? */
static bool hears(const struct listener *l, const struct alert *a)
{
    for (uint32_t i = 0; i < l->n_wishes; i++)
        if (a->level >= l->wishes[i].min_level && lies_in(&l->wishes[i], a) && is_of(&l->wishes[i], a->industry))
            return l->listening;
    return l->listening && l->n_wishes == 0;
}

static bool heard(const struct engine *e, const struct alert *a)
{
    for (uint32_t i = 0; i < a->n_teams; i++) {
        const struct listener *l = find(e->presence, a->teams[i]);
        if (l && hears(l, a))
            return true;
    }
    return false;
}

bool presence_known(const struct engine *e)
{
    const struct work *w = e->settings->work;
    return e->presence->known && w && w->has_teams;
}

bool presence_none(const struct engine *e, const struct alert *a)
{
    return presence_known(e) && !heard(e, a);
}

bool presence_gone(const struct engine *e, const struct alert *a, int64_t at)
{
    const struct work *w = e->settings->work;
    if (!presence_none(e, a) || !w->absent.given)
        return false;
    for (uint32_t i = 0; i < a->n_teams; i++) {
        const struct listener *l = find(e->presence, a->teams[i]);
        if (term_end(w, &w->absent, l ? l->changed_at : e->presence->begun_at) > at)
            return false;
    }
    return true;
}
