/* SPDX-License-Identifier: Apache-2.0 */
/* Who is bound to whom: an enterprise's links, by owner, project, parent and succession, as its signals tell them. Each is
 * a membership of a hub (hub.c). What another's signal says (a parent, a successor) is done to that other enterprise in
 * link_settle, when no record is in hand any more. Beyond LINKS_MAX links of one enterprise, those that its latest signals
 * tell are kept, whatever came first. Writer thread. What passes along the links is radiate.c's and share.c's business. */
#include "engine/hub.h"

#include "engine/fold.h"
#include "lib/hash.h"

void link_hub(uint8_t out[HUB_LEN], const struct record *c, enum link_class class, struct slice what)
{
    uint8_t h[CHAIN_LEN];
    hash_blake2b(h, what.p, what.n, NULL, 0, NULL, 0);
    out[0] = (uint8_t)((unsigned)ekey_status(&c->key) << 4 | (unsigned)class);
    memcpy(out + 1, h, HUB_LEN - 1);
}

static enum link_class class_of(const uint8_t hub[HUB_LEN])
{
    return (enum link_class)(hub[0] & 15);
}

/* Where a hub is among the links, or would be. */
static uint32_t position(const struct record *c, const uint8_t hub[HUB_LEN])
{
    uint32_t lo = 0, hi = c->n_links;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (memcmp(c->links[mid].hub, hub, HUB_LEN) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct link *find(const struct record *c, const uint8_t hub[HUB_LEN])
{
    uint32_t at = position(c, hub);
    return at < c->n_links && memcmp(c->links[at].hub, hub, HUB_LEN) == 0 ? &c->links[at] : NULL;
}

/* ---- binding and unbinding ---- */

/* Who counts signals of a member: the general contractor, the successor; and the head, which may be alone now. */
static uint8_t heads(enum link_class class)
{
    static const uint8_t roles[LINK_CLASS_END] = {
        [LINK_PROJECT] = 1 << ROLE_GENERAL, [LINK_PARENT] = LINK_HEAD, [LINK_SUCCESSION] = LINK_AFTER};
    return roles[class];
}

void link_tell(struct engine *e, const uint8_t hub[HUB_LEN], uint8_t roles, const struct ekey *besides)
{
    struct hub_member members[PAGE_MEMBERS];
    struct hub h;
    bool room = true;
    if (!hub_load(e, hub, &h))
        return;
    for (uint32_t p = 0; p < hub_pages(&h) && p < ROLE_PAGES && room; p++) {
        uint32_t n = hub_page(e, hub, p, members);
        for (uint32_t i = 0; i < n && room; i++) {
            const struct hub_member *m = &members[i];
            if (m->key.b[0] && (!roles || m->roles & roles) && ekey_cmp(&m->key, besides) != 0)
                room = link_again(e, &(struct again){.key = m->key});
        }
    }
    if (!room)
        hub_wake(e, hub, &h);
}

static void tell_heads(struct engine *e, const struct record *c, const uint8_t hub[HUB_LEN])
{
    uint8_t roles = heads(class_of(hub));
    if (roles)
        link_tell(e, hub, roles, &c->key);
}

static void set_roles(struct engine *e, struct record *c, struct link *l, uint8_t roles)
{
    if (l->roles == roles)
        return;
    l->roles = roles;
    hub_set_roles(e, l->hub, l->slot, roles);
    tell_heads(e, c, l->hub);
}

static void unbind(struct engine *e, struct record *c, uint32_t at)
{
    struct link l = c->links[at];
    struct hub h;
    tell_heads(e, c, l.hub);
    radiate_end(e, c, &l);
    if (hub_load(e, l.hub, &h))
        hub_leave(e, l.hub, &h, l.slot);
    memmove(&c->links[at], &c->links[at + 1], (c->n_links - at - 1) * sizeof l);
    c->n_links--;
}

/* By which of two the later signal tells; of the same time, one of them always, whichever came first. */
static bool later(int64_t at, const uint8_t hub[HUB_LEN], int64_t than_at, const uint8_t than[HUB_LEN])
{
    return at != than_at ? at > than_at : memcmp(hub, than, HUB_LEN) > 0;
}

/* The link that a later one may take the place of, told by its own signals alone; LINKS_MAX: none. */
static uint32_t oldest(const struct record *c)
{
    uint32_t found = LINKS_MAX;
    for (uint32_t i = 0; i < c->n_links; i++) {
        const struct link *l = &c->links[i];
        if (!l->by_others && class_of(l->hub) != LINK_PARENT &&
            (found == LINKS_MAX || later(c->links[found].at, c->links[found].hub, l->at, l->hub)))
            found = i;
    }
    return found;
}

/* Who goes for lack of room was told by older signals than all who stay, and can only come back by a later one: so the
 * latest LINKS_MAX are kept in whatever order they come. */
static bool make_room(struct engine *e, struct record *c, const uint8_t hub[HUB_LEN], int64_t at)
{
    if (c->n_links < LINKS_MAX)
        return true;
    uint32_t old = oldest(c);
    if (old == LINKS_MAX || !later(at, hub, c->links[old].at, c->links[old].hub))
        return false;
    unbind(e, c, old);
    return true;
}

/* `told`: when its own signal says so; INT64_MAX: another's says it, or its profile, and room is made in any case. */
static void bind(struct engine *e, struct record *c, const uint8_t hub[HUB_LEN], uint8_t roles, bool by_others, int64_t told)
{
    struct link *l = find(c, hub);
    struct hub h;
    if (l) {
        set_roles(e, c, l, l->roles | roles);
        l->by_others |= by_others;
        l->at = told != INT64_MAX && told > l->at ? told : l->at;
        return;
    }
    if (!make_room(e, c, hub, told))
        return;
    uint32_t at = position(c, hub);
    struct link *list = arena_zalloc(&e->scratch, (c->n_links + 1) * sizeof *list);
    if (at)
        memcpy(list, c->links, at * sizeof *list);
    if (c->n_links > at)
        memcpy(list + at + 1, c->links + at, (c->n_links - at) * sizeof *list);
    memcpy(list[at].hub, hub, HUB_LEN);
    list[at].roles = roles;
    list[at].by_others = by_others;
    list[at].at = told == INT64_MAX ? NO_INT : told;
    hub_load(e, hub, &h);
    list[at].slot = hub_join(e, hub, &h, &c->key, roles);
    c->links = list;
    c->n_links++;
    radiate_begin(e, c, &list[at]);
}

/* ---- what signals say ---- */

struct want {
    uint8_t hub[HUB_LEN], roles;
    int64_t at;
};

/* What signals want, the latest LINKS_MAX. */
struct wants {
    uint32_t n, cap;
    struct want *list;
    bool crowded; /* more were wanted: roles that went with the others may be missing */
    bool settled; /* no more come: only the roles of these */
};

static uint32_t want_oldest(const struct wants *w)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < w->n; i++)
        if (later(w->list[found].at, w->list[found].hub, w->list[i].at, w->list[i].hub))
            found = i;
    return found;
}

/* Where one more has its place; LINKS_MAX: nowhere, all are later. */
static uint32_t want_slot(struct engine *e, struct wants *w, const uint8_t hub[HUB_LEN], int64_t at)
{
    if (w->n == LINKS_MAX) {
        uint32_t old = want_oldest(w);
        w->crowded = true;
        return later(at, hub, w->list[old].at, w->list[old].hub) ? old : LINKS_MAX;
    }
    if (w->n == w->cap) {
        struct want *more = arena_alloc(&e->scratch, (w->cap * 2 + 4) * sizeof *more);
        if (w->n)
            memcpy(more, w->list, w->n * sizeof *more);
        w->list = more;
        w->cap = w->cap * 2 + 4;
    }
    return w->n++;
}

static void want(struct engine *e, struct wants *w, const uint8_t hub[HUB_LEN], uint8_t roles, int64_t at)
{
    uint32_t i = 0;
    while (i < w->n && memcmp(w->list[i].hub, hub, HUB_LEN) != 0)
        i++;
    if (i < w->n) {
        w->list[i].roles |= roles;
        w->list[i].at = at > w->list[i].at ? at : w->list[i].at;
        return;
    }
    i = w->settled ? LINKS_MAX : want_slot(e, w, hub, at);
    if (i == LINKS_MAX)
        return;
    memcpy(w->list[i].hub, hub, HUB_LEN);
    w->list[i].roles = roles;
    w->list[i].at = at;
}

static void want_what(struct engine *e, struct wants *w, const struct record *c, enum link_class class, struct slice what,
                      uint8_t roles, int64_t at)
{
    uint8_t hub[HUB_LEN];
    link_hub(hub, c, class, what);
    want(e, w, hub, roles, at);
}

/* The one named by its code is bound as well, when no record is in hand. */
static void bind_other(struct engine *e, const struct record *c, enum link_class class, struct slice code, uint8_t roles)
{
    struct again a = {.key = ekey_of_code(ekey_status(&c->key), code), .roles = roles};
    link_hub(a.hub, c, class, code);
    if (ekey_cmp(&a.key, &c->key) != 0)
        link_again(e, &a);
}

static void want_sig(struct engine *e, struct wants *w, const struct record *c, const struct sig *sig)
{
    if (sig->flags & SIG_CANCELLED)
        return;
    if (sig->owner)
        want_what(e, w, c, LINK_OWNER, (struct slice){(const char *)sig->owner, OWNER_LEN}, 0, sig->at);
    if (sig->project.n)
        want_what(e, w, c, LINK_PROJECT, sig->project, (uint8_t)(1U << sig->role), sig->at);
    struct slice next = sig->profile.n ? profile_text(sig, PROFILE_SUCCESSOR) : (struct slice){0};
    if (next.n && !slice_eq(next, record_uscc(c))) {
        want_what(e, w, c, LINK_SUCCESSION, next, LINK_BEFORE, sig->at);
        bind_other(e, c, LINK_SUCCESSION, next, LINK_AFTER);
    }
}

void link_note(struct engine *e, struct record *c, const struct sig *sig, uint32_t kind)
{
    struct wants w = {0};
    (void)kind;
    if (!sig->owner && !sig->project.n && !sig->profile.n)
        return;
    want_sig(e, &w, c, sig);
    for (uint32_t i = 0; i < w.n; i++)
        bind(e, c, w.list[i].hub, w.list[i].roles, false, w.list[i].at);
}

/* What no signal says any more goes; links that others gave, and the profile's (link_parent), stay. */
static void drop_unwanted(struct engine *e, struct record *c, const struct wants *w)
{
    for (uint32_t i = c->n_links; i-- > 0;) {
        struct link *l = &c->links[i];
        uint32_t k = 0;
        if (l->by_others || class_of(l->hub) == LINK_PARENT)
            continue;
        while (k < w->n && memcmp(w->list[k].hub, l->hub, HUB_LEN) != 0)
            k++;
        if (k == w->n)
            unbind(e, c, i);
        else
            set_roles(e, c, l, w->list[k].roles);
        if (k < w->n)
            l->at = w->list[k].at;
    }
}

static void want_all(struct engine *e, struct wants *w, const struct record *c)
{
    for (uint32_t i = 0; i < c->n_series; i++) {
        size_t n;
        const struct sig *all = series_all(e, c, &c->series[i], &n);
        for (size_t k = 0; k < n; k++)
            want_sig(e, w, c, &all[k]);
    }
}

void link_recall(struct engine *e, struct record *c)
{
    struct wants w = {0};
    want_all(e, &w, c);
    w.settled = true;
    if (w.crowded)
        want_all(e, &w, c);
    drop_unwanted(e, c, &w);
    for (uint32_t i = 0; i < w.n; i++)
        bind(e, c, w.list[i].hub, w.list[i].roles, false, w.list[i].at);
}

void link_remove(struct engine *e, struct record *c)
{
    while (c->n_links)
        unbind(e, c, c->n_links - 1);
    area_leave_all(e, c);
}

void link_parent(struct engine *e, struct record *c)
{
    uint8_t hub[HUB_LEN] = {0};
    if (!c->parent.n && !c->n_links)
        return;
    bool has = c->parent.n && !slice_eq(c->parent, record_uscc(c));
    if (has)
        link_hub(hub, c, LINK_PARENT, c->parent);
    for (uint32_t i = c->n_links; i-- > 0;) {
        const struct link *l = &c->links[i];
        if (class_of(l->hub) == LINK_PARENT && !l->by_others && memcmp(l->hub, hub, HUB_LEN) != 0)
            unbind(e, c, i);
    }
    if (!has || find(c, hub))
        return;
    bind(e, c, hub, LINK_CHILD, false, INT64_MAX);
    bind_other(e, c, LINK_PARENT, c->parent, LINK_HEAD);
}

/* ---- those whom others' signals bind ---- */

/* A head or successor to whom nobody is left. */
static void leave_lonely(struct engine *e, struct record *c)
{
    struct hub h;
    for (uint32_t i = c->n_links; i-- > 0;)
        if (c->links[i].by_others && hub_load(e, c->links[i].hub, &h) && h.members == 1)
            unbind(e, c, i);
}

static void settle_one(struct engine *e, const struct again *a, int64_t at)
{
    bool there = state_get(e->state, T_ENTERPRISE, a->key.b, EKEY_LEN).p != NULL;
    if (!there && !a->roles)
        return;
    struct record *c = identity_record(e, &a->key, (struct slice){0});
    enum cause cause = there && c->settings != e->settings_entry ? CAUSE_SETTINGS : CAUSE_SIGNALS;
    if (engine_failed(e))
        return;
    if (a->roles)
        bind(e, c, a->hub, a->roles, true, INT64_MAX);
    leave_lonely(e, c);
    if (!c->n_series && !c->n_links && !c->alert && ekey_is_code(&c->key))
        record_remove(e, c);
    else
        life_judge(e, c, at, cause);
}

void link_settle(struct engine *e, int64_t at)
{
    e->n_woken = 0;
    if (!e->n_again)
        return;
    e->settling = true;
    for (size_t i = 0; i < e->n_again && !engine_failed(e); i++) {
        struct again a = e->again[i]; /* the list may grow, and move */
        e->n_settled = i + 1;
        settle_one(e, &a, at);
    }
    e->settling = false;
    e->again = NULL;
    e->n_again = e->cap_again = e->n_settled = 0;
}

/* ---- what conditions ask ---- */

static bool gives(const struct record *c, uint32_t word)
{
    for (uint32_t i = 0; i < c->n_radiated; i++)
        if (c->radiated[i] == word)
            return true;
    return false;
}

/* Does another one than itself give it along this link? */
static bool given_along(struct engine *e, const struct record *c, const struct link *l, const struct cond *cond,
                        struct hub_count *count)
{
    uint32_t word = e->settings->radiations[cond->radiation].word;
    return cond->classes >> class_of(l->hub) & 1 && hub_count_of(e, l->hub, word, count) > gives(c, word);
}

struct verdict link_holds(struct engine *e, const struct record *c, const struct cond *cond, int64_t at)
{
    struct hub_count count;
    (void)at;
    for (uint32_t i = 0; i < c->n_links && !c->unresolved; i++)
        if (given_along(e, c, &c->links[i], cond, &count))
            return (struct verdict){true, INT64_MAX};
    return (struct verdict){false, INT64_MAX};
}

struct lies link_lies(struct engine *e, const struct record *c)
{
    region_t *places = arena_alloc(&e->scratch, EVENT_MEMBER_PLACES_MAX * sizeof *places);
    uint32_t n = 0;
    if (record_region(c))
        places[n++] = record_region(c);
    for (uint32_t i = 0; i < c->n_places && n < EVENT_MEMBER_PLACES_MAX; i++)
        if (c->places[i] != places[0])
            places[n++] = c->places[i];
    return (struct lies){n, places};
}

static struct slice shown(struct engine *e, const struct ekey *k, struct lies *lies)
{
    struct record *r = identity_record(e, k, (struct slice){0});
    if (!engine_failed(e)) {
        series_prepare(e, r); /* a register tells where it lies */
        *lies = link_lies(e, r);
    }
    if (ekey_is_code(k))
        return arena_slice(&e->scratch, (struct slice){(const char *)k->b + 1, 18});
    return r->name;
}

/* One member of a hub that gives a word: the one that the hub remembers, else who is found among the first. */
static bool find_giver(struct engine *e, const struct record *c, const uint8_t hub[HUB_LEN],
                       const struct hub_count *count, struct ekey *out)
{
    struct hub_member members[PAGE_MEMBERS];
    *out = count->by;
    if (count->by.b[0] && ekey_cmp(&count->by, &c->key) != 0)
        return true;
    uint32_t n = hub_page(e, hub, 0, members);
    for (uint32_t i = 0; i < n; i++) {
        if (!members[i].key.b[0] || ekey_cmp(&members[i].key, &c->key) == 0)
            continue;
        *out = members[i].key;
        if (gives(identity_record(e, out, (struct slice){0}), count->word))
            return true;
    }
    return false;
}

struct slice link_other(struct engine *e, const struct record *c, const struct cond *cond, int64_t at, uint8_t *link,
                        struct lies *lies)
{
    struct hub_count count;
    struct ekey giver;
    (void)at;
    *link = 0;
    *lies = (struct lies){0};
    for (uint32_t i = 0; i < c->n_links; i++) {
        const struct link *l = &c->links[i];
        if (!given_along(e, c, l, cond, &count))
            continue;
        *link = (uint8_t)class_of(l->hub);
        if (find_giver(e, c, l->hub, &count, &giver))
            return shown(e, &giver, lies);
    }
    return (struct slice){0};
}

uint64_t link_news(struct engine *e, const struct record *c)
{
    uint64_t news = 0;
    struct hub h;
    for (uint32_t i = 0; i < c->n_shared; i++)
        news = c->shared[i].sig.seq > news ? c->shared[i].sig.seq : news;
    for (uint32_t i = 0; i < c->n_links; i++)
        if (hub_load(e, c->links[i].hub, &h) && h.news > news)
            news = h.news;
    return news;
}
