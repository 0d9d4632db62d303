/* SPDX-License-Identifier: Apache-2.0 */
/* Parents: the open alert of an area of which an alert's enterprise is a member, where that area is one project, owner or
 * zone (engine/rollup.h). Worked out from the view when it is asked for. Query thread only. */
#ifndef DAEMON_QUERY_ROLLUP_H
#define DAEMON_QUERY_ROLLUP_H

#include "daemon/query_answer.h"
#include "engine/alert.h"

/* The parent of an alert that is not closed: of several that the asker may see, the oldest. 1: *parent filled, its lists in
 * the scratch arena; 0: none; negative: the view failed. */
int rollup_parent(struct answer *, const struct alert *, struct alert *parent);

/* The pairs that an item has for it: `parent` of a member's alert; of a parent `rolls_up` (owner, project, zone); of any area
 * `enterprises_total`. 0 or negative. */
int rollup_put(struct answer *, struct enc_open *, const struct alert *);

#endif
