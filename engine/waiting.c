/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that nobody has looked at, in a list of their own (a hub, whose members are numbers of alerts; T_OPEN has each
 * one's slot), so that those whose last listener goes away are found without looking through all that are open. They are
 * looked at when the term `absent` is over, a page at a time. Only where it is known who listens. */
#include "engine/hub.h"
#include "engine/presence.h"

enum { ALERT_KEY_LEN = 8, MARK = 0xff };

static const uint8_t hub_id[HUB_LEN] = {0x0f, 'w', 'a', 'i', 't', 'i', 'n', 'g'}; /* no link has this class */
static const struct ekey walk_key = {{EKEY_WAITING}};

/* ---- the list ---- */

static struct ekey member_of(uint64_t number)
{
    struct ekey k = {{MARK}};
    for (int i = 0; i < ALERT_KEY_LEN; i++)
        k.b[1 + i] = (uint8_t)(number >> (56 - 8 * i));
    return k;
}

static uint64_t number_of(const struct ekey *k)
{
    uint64_t n = 0;
    for (int i = 0; i < ALERT_KEY_LEN; i++)
        n = n << 8 | k->b[1 + i];
    return n;
}

static bool waits(const struct engine *e, const struct alert *a)
{
    return presence_known(e) && e->settings->work->absent.given && a->state != ALERT_STATE_CLOSED && a->h.seen_at == NO_INT &&
           !a->h.unattended;
}

/* Its slot + 1; 0: it is not on the list. */
static uint32_t slot_of(struct engine *e, const struct ekey *member)
{
    struct slice v = state_get(e->state, T_OPEN, member->b + 1, ALERT_KEY_LEN);
    struct rd r = rd_of(v.p, v.n);
    return v.n ? (uint32_t)rd_varint(&r) : 0;
}

static void set_slot(struct engine *e, const struct ekey *member, uint32_t slot)
{
    buf_reset(&e->buf);
    if (slot)
        buf_varint(&e->buf, slot);
    state_put(e->state, T_OPEN, member->b + 1, ALERT_KEY_LEN, e->buf.p, slot ? e->buf.n : 0);
}

void waiting_leave(struct engine *e, const struct alert *a)
{
    struct ekey member = member_of(a->number);
    struct hub h;
    uint32_t slot = e->presence->known && !waits(e, a) ? slot_of(e, &member) : 0;
    if (!slot || !hub_load(e, hub_id, &h))
        return;
    hub_leave(e, hub_id, &h, slot - 1);
    set_slot(e, &member, 0);
}

void waiting_join(struct engine *e, const struct alert *a)
{
    struct ekey member = member_of(a->number);
    struct hub h;
    if (!waits(e, a) || slot_of(e, &member))
        return;
    hub_load(e, hub_id, &h);
    if (!engine_failed(e))
        set_slot(e, &member, hub_join(e, hub_id, &h, &member, 0) + 1);
}

/* ---- the walk ---- */

static void set_walk(struct engine *e, int64_t at)
{
    due_set(e->due, &walk_key, e->presence->walk_at, at);
    e->presence->walk_at = at;
}

/* When what was lost last has been gone for long enough. */
static int64_t gone_at(const struct engine *e)
{
    const struct work *w = e->settings->work;
    int64_t at = presence_known(e) && e->presence->lost_at != NO_INT ? term_end(w, &w->absent, e->presence->lost_at) : INT64_MAX;
    return at == INT64_MAX ? NO_INT : at;
}

/* A walk that is planned or under way looks again when it is done, for its own turn comes too early for this one. */
void waiting_look(struct engine *e)
{
    e->presence->lost_at = e->time;
    if (e->presence->walk_at == NO_INT)
        set_walk(e, gone_at(e));
}

/* The enterprises of those of a page for whom nobody listens. */
static uint32_t gone_of(struct engine *e, uint32_t page, int64_t at, struct ekey keys[PAGE_MEMBERS])
{
    struct hub_member members[PAGE_MEMBERS];
    uint32_t n = hub_page(e, hub_id, page, members), found = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct alert a;
        if (members[i].key.b[0] == MARK && alert_load(e, number_of(&members[i].key), &a) && presence_gone(e, &a, at))
            keys[found++] = a.key;
    }
    return found;
}

void waiting_due(struct engine *e, const struct ekey *item, int64_t at)
{
    struct presence *p = e->presence;
    struct ekey keys[PAGE_MEMBERS];
    struct hub h;
    (void)item;
    bool any = hub_load(e, hub_id, &h);
    uint32_t n = any && p->walk_page < hub_pages(&h) ? gone_of(e, p->walk_page, at, keys) : 0;
    bool more = any && ++p->walk_page < hub_pages(&h);
    int64_t next = gone_at(e);
    if (!more)
        p->walk_page = 0;
    set_walk(e, more ? at + WALK_MS : next != NO_INT && next > at ? next : NO_INT);
    presence_store(e);
    for (uint32_t i = 0; i < n && !engine_failed(e); i++) {
        struct record *c = identity_record(e, &keys[i], (struct slice){0});
        if (!engine_failed(e) && c->alert_open)
            life_judge(e, c, at, CAUSE_CLOCK);
    }
}

bool waiting_alone(const struct engine *e, const struct alert *a, int64_t at)
{
    return waits(e, a) && presence_gone(e, a, at);
}
