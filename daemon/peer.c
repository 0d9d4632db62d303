/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the table of peers: by address for what comes in, by handle for what goes out, by silence for who must
 * go. */
#include "daemon/peer.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { SLOT_BITS = 14, SLOTS = 1 << SLOT_BITS, LOOK_BACK = 64 };
_Static_assert((int)SLOTS >= (int)PEERS_MAX, "a slot for every peer");

struct peers {
    struct peer *chains[SLOTS]; /* by address */
    struct peer *slots[SLOTS];  /* by the low bits of the handle */
    struct peer *newest, *oldest;
    uint64_t made; /* how many there ever were: the high bits of a handle */
    unsigned next_slot;
    size_t n;
};

struct peers *peers_create(void)
{
    return mem_zalloc(sizeof(struct peers));
}

void peers_destroy(struct peers *ps)
{
    if (!ps)
        return;
    while (ps->newest)
        peers_forget(ps, ps->newest);
    free(ps);
}

static size_t bucket(unsigned endpoint, const char *id, const char *user)
{
    uint64_t h = hash_fnv1a(id, ROUTING_ID_LEN) * 31 + hash_fnv1a(user, strlen(user)) + endpoint;
    return (size_t)(h ^ h >> 29) & (SLOTS - 1);
}

static void link_newest(struct peers *ps, struct peer *p)
{
    p->newer = NULL;
    p->older = ps->newest;
    if (ps->newest)
        ps->newest->newer = p;
    else
        ps->oldest = p;
    ps->newest = p;
}

static void unlink_age(struct peers *ps, struct peer *p)
{
    *(p->newer ? &p->newer->older : &ps->newest) = p->older;
    *(p->older ? &p->older->newer : &ps->oldest) = p->newer;
}

void peers_forget(struct peers *ps, struct peer *p)
{
    struct peer **at = &ps->chains[bucket(p->endpoint, (const char *)p->id, p->user)];
    while (*at != p)
        at = &(*at)->chain;
    *at = p->chain;
    unlink_age(ps, p);
    ps->slots[p->handle & (SLOTS - 1)] = NULL;
    ps->n--;
    free(p);
}

/* Makes room by forgetting one that has been silent longest and waits for nothing. */
static bool make_room(struct peers *ps)
{
    struct peer *p = ps->oldest;
    for (int i = 0; p && i < LOOK_BACK; i++, p = p->newer)
        if (!p->waiting && !p->sessions) {
            peers_forget(ps, p);
            return true;
        }
    return false;
}

static struct peer *make(struct peers *ps, const struct wire_in *in, const char *user)
{
    if (ps->n >= PEERS_MAX && !make_room(ps))
        return NULL;
    while (ps->slots[ps->next_slot])
        ps->next_slot = (ps->next_slot + 1) & (SLOTS - 1);
    struct peer *p = mem_zalloc(sizeof *p);
    p->handle = ++ps->made << SLOT_BITS | ps->next_slot;
    p->endpoint = in->endpoint;
    memcpy(p->id, in->id.p, ROUTING_ID_LEN);
    snprintf(p->user, sizeof p->user, "%s", user);
    struct peer **chain = &ps->chains[bucket(in->endpoint, in->id.p, p->user)];
    p->chain = *chain;
    *chain = p;
    ps->slots[ps->next_slot] = p;
    link_newest(ps, p);
    ps->n++;
    return p;
}

struct peer *peers_of(struct peers *ps, const struct wire_in *in)
{
    const char *user = in->user ? in->user : "";
    assert(in->id.n == ROUTING_ID_LEN && strlen(user) < PEER_USER_MAX);
    struct peer *p = ps->chains[bucket(in->endpoint, in->id.p, user)];
    while (p &&
           (p->endpoint != in->endpoint || memcmp(p->id, in->id.p, ROUTING_ID_LEN) || strcmp(p->user, user)))
        p = p->chain;
    if (!p)
        p = make(ps, in, user);
    else if (p != ps->newest) {
        unlink_age(ps, p);
        link_newest(ps, p);
    }
    if (p)
        p->delimited = in->delimited;
    return p;
}

struct peer *peers_find(struct peers *ps, uint64_t handle)
{
    struct peer *p = ps->slots[handle & (SLOTS - 1)];
    return p && p->handle == handle ? p : NULL;
}

void peers_each(struct peers *ps, void (*call)(void *arg, struct peer *), void *arg)
{
    for (struct peer *p = ps->newest, *older; p; p = older) {
        older = p->older;
        call(arg, p);
    }
}

size_t peers_count(const struct peers *ps)
{
    return ps->n;
}
