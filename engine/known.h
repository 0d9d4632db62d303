/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys the store may hold, in memory: most enterprises of a flood are new, and a filter's "no" costs a line of
 * memory each where the store costs a walk from the root of a tree. A "yes" is wrong for one in a hundred; a "no" never is:
 * every row of a table that is asked for here was added when it was first put.
 *
 * Filters double in size, so that there are few of them; those bits that changed are stored with each checkpoint, in
 * pieces, as rows of T_META. Writer thread. */
#ifndef ENGINE_KNOWN_H
#define ENGINE_KNOWN_H

#include "engine/state.h"

struct known;

struct known *known_create(void);
void known_destroy(struct known *);
bool known_covers(enum table); /* rows of this table are kept account of */
bool known_may(const struct known *, uint64_t hash);
void known_add(struct known *, uint64_t hash);
void known_checkpoint(struct known *, struct state *); /* what changed goes to the next checkpoint */
/* From the rows of a store that holds something. WW_EDAMAGED: it has none. */
int known_load(struct known *, const struct state_loader *, struct err *) WW_CHECK;

#endif
