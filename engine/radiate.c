/* SPDX-License-Identifier: Apache-2.0 */
/* What an enterprise gives to those bound to it (struct radiation): worked out by its own signals and its own level, told
 * to the counts of its hubs; and who must be judged again because of it. A few are judged within the entry; where they
 * would be many, the hub's members are walked by the clock, so that no entry waits for ten thousand. Writer thread. */
#include "engine/hub.h"

#include "engine/fold.h"

enum { AGAIN_MAX = PAGE_MEMBERS }; /* judged again within one entry */

/* ---- who is judged again ---- */

static bool listed(const struct engine *e, const struct again *a)
{
    /* an area that was judged already may have another member since */
    for (size_t i = ekey_kind(&a->key) == EKEY_AREA ? e->n_settled : 0; i < e->n_again; i++)
        if (ekey_cmp(&e->again[i].key, &a->key) == 0 && (!a->roles || memcmp(&e->again[i], a, sizeof *a) == 0))
            return true;
    return false;
}

static void put_again(struct engine *e, const struct again *a)
{
    if (listed(e, a))
        return;
    if (e->n_again == e->cap_again) {
        size_t cap = e->cap_again ? e->cap_again * 2 : 16;
        struct again *more = arena_alloc(&e->scratch, cap * sizeof *more);
        if (e->n_again)
            memcpy(more, e->again, e->n_again * sizeof *more);
        e->again = more;
        e->cap_again = cap;
    }
    e->again[e->n_again++] = *a;
}

bool link_again(struct engine *e, const struct again *a)
{
    if (!a->roles && (e->settling || (e->n_again >= AGAIN_MAX && !listed(e, a))))
        return false;
    put_again(e, a);
    return true;
}

void link_concerned(struct engine *e, const struct ekey *k)
{
    put_again(e, &(struct again){.key = *k});
}

/* ---- counts ---- */

static bool asked_for(const struct settings *s, uint32_t word, const uint8_t hub[HUB_LEN])
{
    for (uint32_t i = 0; i < s->n_radiations; i++)
        if (s->radiations[i].word == word)
            return s->radiations[i].classes >> (hub[0] & 15) & 1;
    return false;
}

static void wake(struct engine *e, const struct record *c, const uint8_t id[HUB_LEN], struct hub *h)
{
    uint32_t others = h->members - 1;
    hub_store(e, id, h);
    if (!others)
        return;
    if (h->slots <= PAGE_MEMBERS && !e->settling && e->n_again + others <= AGAIN_MAX)
        link_tell(e, id, 0, &c->key);
    else
        hub_wake(e, id, h);
}

/* Words that are in `a` and not in `b` (both sorted) are given no more, or from now on. */
static bool adjust(struct engine *e, const struct record *c, const uint8_t id[HUB_LEN], struct hub *h, bool more,
                   const uint32_t *a, uint32_t na, const uint32_t *b, uint32_t nb)
{
    bool noticed = false;
    for (uint32_t i = 0, k = 0; i < na; i++) {
        while (k < nb && b[k] < a[i])
            k++;
        if (k < nb && b[k] == a[i])
            continue;
        bool crossed = more ? hub_more(e, h, a[i], &c->key) : hub_less(h, a[i], &c->key);
        noticed |= crossed && asked_for(e->settings, a[i], id);
    }
    return noticed;
}

static void change(struct engine *e, const struct record *c, const uint8_t id[HUB_LEN], const uint32_t *was,
                   uint32_t n_was, const uint32_t *now, uint32_t n_now)
{
    struct hub h;
    if ((!n_was && !n_now) || !hub_load(e, id, &h))
        return;
    bool less = adjust(e, c, id, &h, false, was, n_was, now, n_now);
    bool more = adjust(e, c, id, &h, true, now, n_now, was, n_was);
    if (less || more)
        wake(e, c, id, &h);
    else
        hub_store(e, id, &h);
}

void radiate_begin(struct engine *e, const struct record *c, const struct link *l)
{
    change(e, c, l->hub, NULL, 0, c->radiated, c->n_radiated);
}

void radiate_end(struct engine *e, const struct record *c, const struct link *l)
{
    change(e, c, l->hub, c->radiated, c->n_radiated, NULL, 0);
}

/* ---- what it gives ---- */

struct verdict radiation_holds(struct engine *e, const struct record *c, const struct radiation *r, int64_t at)
{
    if (!r->level) {
        const struct cond cond = {.op = COND_SIGNAL, .of = r->of, .within = r->within};
        return cond_holds(e, c, &cond, at, LEVEL_NONE);
    }
    int64_t left = c->left_at[r->level];
    if (left == INT64_MAX)
        return (struct verdict){true, INT64_MAX};
    if (left == NO_INT || at - left > r->within)
        return (struct verdict){false, INT64_MAX};
    return (struct verdict){true, left + r->within + 1};
}

/* When the own level was last at each level or above. */
static void note_level(struct record *c, const struct judgement *j)
{
    for (uint8_t l = LEVEL_GENERAL; l < LEVEL_COUNT; l++)
        if (j->own_level >= l)
            c->left_at[l] = INT64_MAX;
        else if (c->left_at[l] == INT64_MAX)
            c->left_at[l] = j->at;
    c->own_level = j->own_level;
}

static void insert_word(uint32_t *words, uint32_t *n, uint32_t word)
{
    uint32_t i = (*n)++;
    for (; i && words[i - 1] > word; i--)
        words[i] = words[i - 1];
    words[i] = word;
}

static int64_t radiate(struct engine *e, struct record *c, int64_t at)
{
    const struct settings *s = e->settings;
    uint32_t *now = arena_alloc(&e->scratch, (s->n_radiations + 1) * sizeof *now), n = 0, classes = 0;
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < c->n_links && !c->unresolved; i++)
        classes |= 1U << (c->links[i].hub[0] & 15);
    for (uint32_t i = 0; i < s->n_radiations; i++) {
        const struct radiation *r = &s->radiations[i];
        if (!(r->classes & classes))
            continue;
        struct verdict v = radiation_holds(e, c, r, at);
        if (v.holds)
            insert_word(now, &n, r->word);
        next = v.until < next ? v.until : next;
    }
    bool same = n == c->n_radiated && (!n || memcmp(now, c->radiated, n * sizeof *now) == 0);
    for (uint32_t i = 0; i < c->n_links && !same; i++)
        change(e, c, c->links[i].hub, c->radiated, c->n_radiated, now, n);
    c->radiated = now;
    c->n_radiated = n;
    return next;
}

/* Whoever counts signals of this one at a share is judged again. */
static void tell_sharers(struct engine *e, const struct record *c)
{
    const struct settings *s = e->settings;
    uint8_t counted = 0;
    for (unsigned role = 0; role < ROLE_COUNT; role++)
        counted |= s->share_ppm[role] ? (uint8_t)(1U << role) : 0;
    for (uint32_t i = 0; i < c->n_links; i++) {
        const struct link *l = &c->links[i];
        unsigned class = l->hub[0] & 15;
        if (class == LINK_PROJECT && l->roles & counted)
            link_tell(e, l->hub, 1 << ROLE_GENERAL, &c->key);
        else if (class == LINK_SUCCESSION && l->roles & LINK_BEFORE && s->succession_ppm)
            link_tell(e, l->hub, LINK_AFTER, &c->key);
    }
}

int64_t link_publish(struct engine *e, struct record *c, const struct judgement *j)
{
    int64_t next = INT64_MAX;
    if (ekey_kind(&c->key) == EKEY_AREA)
        return next;
    if (j->own_level != c->own_level)
        note_level(c, j);
    if (c->n_links || c->n_radiated) {
        next = radiate(e, c, j->at);
        if (!e->settling)
            tell_sharers(e, c);
    }
    if (!c->n_areas && !e->settings->n_area_rules)
        return next;
    int64_t area = area_publish(e, c, j);
    return area < next ? area : next;
}
