/* SPDX-License-Identifier: Apache-2.0 */
/* A would-be alert of the shadow rules as it is stored in T_SHADOW under the enterprise's key. Pure; any thread. */
#ifndef ENGINE_SHADOW_H
#define ENGINE_SHADOW_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/words.h"

struct shadow {
    uint8_t level;              /* enum level; never none: such a row is removed */
    uint32_t score;             /* hundredths of a point, under the shadow rules, at the last change */
    int64_t raised_at;          /* since when it would stand */
    int64_t changed_at;         /* when its level last changed */
    uint32_t n_rules;           /* those that hold, in the order of the file */
    uint32_t *rules;            /* DICT_RULE */
};

void shadow_put(struct buf *, const struct shadow *);
/* Lists in the arena. WW_EDAMAGED. */
int shadow_get(struct slice bytes, struct arena *, struct shadow *, struct err *) WW_CHECK;

#endif
