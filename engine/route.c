/* SPDX-License-Identifier: Apache-2.0 */
/* Who an alert is for: the team that answers for the place of work and the industry, the tiers that its level or its delay
 * has called in, the departments that assist, and the team of the registered place where that is another. */
#include "engine/fold.h"

enum { ALERT_TEAMS_MAX = 32 };

/* The latest place that others than the register tell; 0: none does lately. */
static region_t place_of_work(struct engine *e, const struct record *c)
{
    int64_t profile = dict_find(e->dict, DICT_KIND, SLICE("registry.profile"));
    const struct sig *best = NULL;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct series *s = &c->series[i];
        for (uint32_t k = s->kind == profile ? 0 : s->n; k-- > 0;)
            if (s->sigs[k].region && !(s->sigs[k].flags & SIG_CANCELLED)) {
                best = !best || sig_order(&s->sigs[k], best) > 0 ? &s->sigs[k] : best;
                break;
            }
    }
    return best ? settings_region(e->settings, best->region) : 0;
}

/* Jurisdiction is where people work (劳动保障监察条例 art. 13); the registered place hears of it too. The register's word,
 * said again each month, moves nobody. */
region_t route_place(struct engine *e, const struct record *c)
{
    region_t place = c->place == c->registered && c->n_places > 1 ? place_of_work(e, c) : c->place;
    return place ? place : c->registered;
}

static const struct team *lowest(const struct work *w, region_t place, struct slice industry)
{
    const struct team *t = NULL;
    for (unsigned tier = 0; tier < w->n_tiers && !t; tier++)
        t = work_team(w, place, industry, tier);
    return t;
}

struct slice route_team(struct engine *e, const struct record *c)
{
    const struct work *w = e->settings->work;
    const struct team *t = w && w->has_teams ? lowest(w, route_place(e, c), record_industry(c)) : NULL;
    return t ? t->id : (struct slice){0};
}

struct list {
    struct slice *ids;
    uint32_t n;
};

static void add(struct list *l, struct slice id)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (slice_eq(l->ids[i], id))
            return;
    if (id.n && l->n < ALERT_TEAMS_MAX)
        l->ids[l->n++] = id;
}

static void add_team(struct list *l, const struct team *t)
{
    if (t)
        add(l, t->id);
}

static void add_assisting(struct list *l, const struct work *w, region_t place, struct slice industry)
{
    const struct lead *lead = work_lead(w, industry);
    for (uint32_t i = 0; lead && i < lead->n_assist; i++)
        add_team(l, work_department(w, place, lead->assist[i]));
}

void route_alert(struct engine *e, const struct record *c, struct alert *a)
{
    const struct work *w = e->settings->work;
    struct slice industry = record_industry(c);
    region_t place = route_place(e, c);
    if (!a->h.routed.n)
        a->h.routed = route_team(e, c); /* where it is was not known when it rose */
    if (w && w->n_tiers && a->h.tier >= w->n_tiers)
        a->h.tier = (uint8_t)(w->n_tiers - 1); /* a tier that is no more is had by the highest that is */
    struct list l = {arena_zalloc(&e->scratch, ALERT_TEAMS_MAX * sizeof *l.ids), 0};
    add(&l, a->team.n ? a->team : a->h.routed);
    for (uint32_t i = 0; i < a->n_joined; i++)
        if (!w || !w->has_teams || work_team_named(w, a->joined[i])) /* one that is no more hears nothing */
            add(&l, a->joined[i]);
    if (w && w->has_teams) {
        unsigned tier_now = a->h.tier + (unsigned)a->h.unattended;
        unsigned top = w->joins[a->level] > tier_now ? w->joins[a->level] : tier_now;
        for (unsigned tier = 1; tier <= top && tier < w->n_tiers; tier++)
            add_team(&l, work_team(w, place, industry, tier));
        add_assisting(&l, w, place, industry);
        if (c->registered && c->registered != place)
            add_team(&l, lowest(w, c->registered, industry));
    }
    a->teams = l.ids;
    a->n_teams = l.n;
}

struct slice route_joined(struct engine *e, const struct record *c, const struct alert *a)
{
    struct alert now = *a;
    route_alert(e, c, &now);
    for (uint32_t i = 0; i < now.n_teams; i++) {
        bool before = false;
        for (uint32_t k = 0; k < a->n_teams && !before; k++)
            before = slice_eq(now.teams[i], a->teams[k]);
        if (!before)
            return now.teams[i];
    }
    return (struct slice){0};
}

static bool same_list(const struct alert *a, const struct alert *b)
{
    uint32_t i = 0;
    while (i < a->n_teams && i < b->n_teams && slice_eq(a->teams[i], b->teams[i]))
        i++;
    return i == a->n_teams && i == b->n_teams;
}

/* Nobody's turn comes above the highest tier; one that was put on top has its turn, counted from now. */
static void settle_turn(struct engine *e, struct alert *a)
{
    const struct work *w = e->settings->work;
    if (!w || a->h.tier + 1u >= w->n_tiers)
        a->h.escalate_at = NO_INT;
    else if (a->h.overdue && a->h.escalate_at == NO_INT)
        timers_turn(e, a);
}

bool route_again(struct engine *e, const struct record *c, struct alert *a)
{
    const struct work *w = e->settings->work;
    struct alert now = *a;
    if (now.team.n && w && w->has_teams && !work_team_named(w, now.team))
        now.team = (struct slice){0}; /* given by name to one that is no more; else it stays there */
    now.h.routed = route_team(e, c);
    route_alert(e, c, &now);
    bool moved = !same_list(&now, a) || now.h.tier != a->h.tier || !slice_eq(now.team, a->team) ||
                 (!now.team.n && !slice_eq(now.h.routed, a->h.routed));
    settle_turn(e, &now);
    a->team = now.team;
    a->h = now.h;
    return moved;
}
