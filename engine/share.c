/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of others that count at a share: of a project's subcontractors for its general contractor, who must pay first
 * (Decree 724, art. 30), as far as they name this project; of a predecessor for its successor. Gathered at each judgement
 * from the members' records, with the rank that they have there; what is cleared or withdrawn there does not count here.
 * Only an enterprise's own signals pass, one step far. Bounded: MEMBERS_MAX members of a hub, those with a role among its
 * first ROLE_PAGES pages, and ALL_MEMBERS_MAX altogether; the newest SIGNALS_MAX of a series. Writer thread. */
#include "engine/hub.h"

#include "engine/fold.h"

#include <stdlib.h>

enum { MEMBERS_MAX = 64, ALL_MEMBERS_MAX = 256, SIGNALS_MAX = 64, LOOKED_AT_MAX = 256, SHARED_MAX = 4096 };

struct gathering {
    struct engine *e;
    struct record *c;           /* for whom */
    const struct link *link;    /* along which */
    uint8_t roles;              /* whose signals count; 0: of any role */
    struct lies lies;           /* where the member in hand lies */
    uint32_t members, cap;      /* records read so far; room in c->shared */
    struct slice project;       /* as one of them wrote it; empty: none yet */
};

static void add(struct gathering *g, const struct shared *s)
{
    struct record *c = g->c;
    if (c->n_shared == SHARED_MAX)
        return;
    if (c->n_shared == g->cap) {
        uint32_t cap = g->cap ? g->cap * 2 : 16;
        struct shared *more = arena_alloc(&g->e->scratch, cap * sizeof *more);
        if (c->n_shared)
            memcpy(more, c->shared, c->n_shared * sizeof *more);
        c->shared = more;
        g->cap = cap;
    }
    c->shared[c->n_shared++] = *s;
}

static bool names_project(struct gathering *g, const struct sig *sig)
{
    uint8_t hub[HUB_LEN];
    if (!sig->project.n)
        return false;
    if (g->project.n)
        return slice_eq(sig->project, g->project);
    link_hub(hub, g->c, LINK_PROJECT, sig->project);
    if (memcmp(hub, g->link->hub, HUB_LEN) != 0)
        return false;
    g->project = sig->project;
    return true;
}

/* The share at which a signal of another counts; 0: it does not. */
static uint32_t share_of(struct gathering *g, const struct sig *sig)
{
    const struct settings *s = g->e->settings;
    if (!g->roles)
        return s->succession_ppm;
    return g->roles >> sig->role & 1 && names_project(g, sig) ? s->share_ppm[sig->role] : 0;
}

static void gather_series(struct gathering *g, const struct record *m, const struct series *s)
{
    struct series_walk w;
    const struct sig *sig;
    uint32_t taken = 0, looked = 0;
    series_walk_start(&w, s);
    while (taken < SIGNALS_MAX && looked++ < LOOKED_AT_MAX && (sig = series_walk_next(g->e, m, &w)) &&
           (s->cleared == NO_INT || sig->at > s->cleared)) {
        uint32_t share = sig->active ? share_of(g, sig) : 0;
        if (!share)
            continue;
        add(g, &(struct shared){*sig, s->kind, s->source, share, m->key, record_uscc(m), m->name, sig->project, g->lies});
        taken++;
    }
}

static void gather_member(struct gathering *g, const struct ekey *k)
{
    struct engine *e = g->e;
    struct record *m = identity_record(e, k, (struct slice){0});
    g->members++;
    if (m->unresolved || engine_failed(e))
        return;
    series_prepare(e, m);
    g->lies = link_lies(e, m);
    for (uint32_t i = 0; i < m->n_series; i++) {
        const struct settings_kind *kind = settings_kind(e->settings, m->series[i].kind);
        if (kind && kind->hazard)
            gather_series(g, m, &m->series[i]);
    }
}

static void gather_hub(struct gathering *g, uint8_t wanted)
{
    struct hub_member members[PAGE_MEMBERS];
    struct hub h;
    uint32_t here = 0;
    if (!hub_load(g->e, g->link->hub, &h))
        return;
    g->project = (struct slice){0};
    for (uint32_t p = 0; p < hub_pages(&h) && p < ROLE_PAGES; p++) {
        uint32_t n = hub_page(g->e, g->link->hub, p, members);
        for (uint32_t i = 0; i < n && here < MEMBERS_MAX && g->members < ALL_MEMBERS_MAX; i++) {
            const struct hub_member *m = &members[i];
            if (!m->key.b[0] || !(m->roles & wanted) || ekey_cmp(&m->key, &g->c->key) == 0)
                continue;
            gather_member(g, &m->key);
            here++;
        }
    }
}

static int by_number(const void *a, const void *b)
{
    const struct shared *x = a, *y = b;
    if (x->sig.seq != y->sig.seq)
        return x->sig.seq < y->sig.seq ? -1 : 1;
    return (x->share_ppm < y->share_ppm) - (x->share_ppm > y->share_ppm);
}

/* A signal counts once, at the largest of its shares. */
static void each_once(struct record *c)
{
    uint32_t kept = 0;
    if (c->n_shared)
        qsort(c->shared, c->n_shared, sizeof *c->shared, by_number);
    for (uint32_t i = 0; i < c->n_shared; i++)
        if (!kept || c->shared[kept - 1].sig.seq != c->shared[i].sig.seq)
            c->shared[kept++] = c->shared[i];
    c->n_shared = kept;
}

void share_gather(struct engine *e, struct record *c)
{
    const struct settings *s = e->settings;
    struct gathering g = {.e = e, .c = c};
    c->n_shared = 0;
    if (!c->n_links || c->unresolved)
        return;
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        g.roles |= s->share_ppm[role] ? (uint8_t)(1U << role) : 0;
    const uint8_t counted = g.roles;
    for (uint32_t i = 0; i < c->n_links && !engine_failed(e); i++) {
        const struct link *l = g.link = &c->links[i];
        unsigned class = l->hub[0] & 15;
        g.roles = class == LINK_PROJECT ? counted : 0;
        if (class == LINK_PROJECT && counted && l->roles & 1 << ROLE_GENERAL)
            gather_hub(&g, counted);
        else if (class == LINK_SUCCESSION && s->succession_ppm && l->roles & LINK_AFTER)
            gather_hub(&g, LINK_BEFORE);
    }
    each_once(c);
}
