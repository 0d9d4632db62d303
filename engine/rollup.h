/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-up: an area whose enterprises are bound by one project or owner, or lie in one zone, has an alert that is the parent
 * of theirs. What binds stands in the area's record as its one `areas` entry, so that a reader of the view finds the
 * parent of an alert: its enterprise's areas -> the area's record -> its alert. Writer thread, but for the pure ones. */
#ifndef ENGINE_ROLLUP_H
#define ENGINE_ROLLUP_H

#include "engine/hub.h"
#include "engine/settings.h"

enum { ROLLUP_PLACES_MAX = 64 }; /* of a parent: those of its members, in full while there is room, then their counties */

/* Of a kind of binding, those that an enterprise has: bytes as of a hub of links; of a zone, its code. Room for
 * n_links + n_places. */
uint32_t rollup_bonds(const struct engine *, const struct record *, enum area_by, uint8_t (*out)[HUB_LEN]);

/* The area's record as its members have become enough: name, place, industry, places. `last` is the member in hand, whose
 * record is not stored yet. */
void rollup_describe(struct engine *, struct record *area, const uint8_t bond[HUB_LEN], const uint8_t hub[HUB_LEN],
                     const struct record *last);
/* One more member: its places become the area's. False: nothing is new. */
bool rollup_widen(struct engine *, struct record *area, const struct record *member);
/* Tells one set of places from another. */
uint64_t rollup_sum(const struct record *area);

/* The parent's alert was raised or came back: its members' open alerts stand under it from now on, as far as some pages of
 * them go. Then one that joined, and a member whose alert opens later. */
void rollup_adopt_all(struct engine *, const struct record *area);
void rollup_adopt(struct engine *, const struct record *area, const struct record *member);
uint64_t rollup_parent_of(struct engine *, const struct record *member); /* the open alert of one of its areas; 0: none */
/* How many members of that area have an open alert, as far as those pages go. */
uint32_t rollup_open(struct engine *, const struct record *area);

/* Pure: is this the record of a parent; by what; which key has the area that a record's `areas` names, and which hub has
 * the members of an area. */
static inline bool rollup_is_parent(const struct record *area)
{
    return ekey_kind(&area->key) == EKEY_AREA && area->n_areas == 1;
}

static inline enum area_by rollup_by(const struct record *area)
{
    return (enum area_by)(area->areas[0].hub[0] & 15);
}

static inline struct ekey rollup_area(const uint8_t hub[HUB_LEN])
{
    struct ekey k = {{(uint8_t)((hub[0] & 0xf0) | EKEY_AREA)}};
    memcpy(k.b + 1, hub + 1, HUB_LEN - 1);
    return k;
}

static inline void rollup_hub(uint8_t out[HUB_LEN], const struct ekey *area)
{
    memcpy(out, area->b, HUB_LEN);
    out[0] &= 0xf0;
}

#endif
