/* SPDX-License-Identifier: Apache-2.0 */
/* Members of an area's alert, as far as one may see them: an area is seen from each of its places, its enterprises only from
 * their own. Pure; any thread. */
#ifndef DAEMON_MEMBERS_H
#define DAEMON_MEMBERS_H

#include "engine/event.h"

/* Into out, with room for n: those who lie in one of these regions (n_regions 0: everywhere). How many. A member whose
 * place is not known is seen only by who sees everything. */
uint32_t members_seen(const struct member *list, uint32_t n, const region_t *regions, size_t n_regions, struct member *out);

#endif
