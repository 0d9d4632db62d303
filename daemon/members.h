/* SPDX-License-Identifier: Apache-2.0 */
/* Of an event or an explanation what one may see who sees only some regions: an area is seen from each of its places, its
 * enterprises only from their own; that another enterprise is a reason is told, which one is not. Pure; any thread. */
#ifndef DAEMON_MEMBERS_H
#define DAEMON_MEMBERS_H

#include "engine/event.h"
#include "engine/whatif.h"

/* Into out, with room for n: those who lie in one of these regions (n_regions 0: everywhere). How many. A member whose
 * place is not known is seen only by who sees everything. */
uint32_t members_seen(const struct member *list, uint32_t n, const region_t *regions, size_t n_regions, struct member *out);

/* Takes out what may not be seen: members, and which other enterprises reasons and evidence are of. Lists that change are
 * made anew in the arena. False: nothing had to go. */
bool members_cut_event(struct event *, const region_t *regions, size_t n_regions, struct arena *);
void members_cut_explanation(struct explanation *, const region_t *regions, size_t n_regions, struct arena *);

#endif
