/* SPDX-License-Identifier: Apache-2.0 */
/* Teams, routes and measures as maps of msgpack, for the query and the command line alike. Keys are always there; what is
 * not known is nil. Pure; any thread. */
#ifndef ENGINE_WORK_PACK_H
#define ENGINE_WORK_PACK_H

#include "engine/work.h"
#include "lib/codec.h"

/* {team, zh, en, tier, department, carrier, regions, industries} */
void work_put_team(struct buf *, const struct work *, const struct team *);
/* {measure, zh, en, levels, roles, wants, due, due_most, silence, answered_by, lasts, may_end_after, recover} */
void work_put_measure(struct buf *, const struct measure *);
/* The pairs of a route: region, name, industry, tiers (each with the team that answers there, and from which level on it is
 * told from the start), lead and assist. regions may be NULL: the region has no name. */
void work_put_route(struct enc_open *, const struct work *, const struct regions *, region_t, struct slice industry);

#endif
