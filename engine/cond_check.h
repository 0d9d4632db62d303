/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions say of each other: one implies another, two exclude each other. Never claims what is not so; does not
 * see all that is. Pure. */
#ifndef ENGINE_COND_CHECK_H
#define ENGINE_COND_CHECK_H

#include "engine/settings.h"

/* All kinds of the one are in the other. */
bool cond_kinds_within(const struct kind_set *, const struct kind_set *all);
/* Whenever the one holds, the other does. */
bool cond_implies(const struct cond *, const struct cond *);
/* Tells where the parts of an `all` exclude each other, or an `any` always holds. `list` is the tree of c->parts. */
void cond_check_parts(struct mistakes *, const struct tree *list, const struct cond *c);

#endif
