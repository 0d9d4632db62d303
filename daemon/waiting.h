/* SPDX-License-Identifier: Apache-2.0 */
/* A signal that waits to be sorted, or was, as a view holds it, and where it belongs: for whom it is there. Any thread,
 * with a reader of its own. */
#ifndef DAEMON_WAITING_H
#define DAEMON_WAITING_H

#include "engine/triage.h"
#include "lib/region.h"
#include "store/view.h"

struct waiting {
    uint64_t number;              /* its journal number */
    struct triage_row row;
    const struct entry_signal *x; /* its texts are the view's pages */
    struct ekey key;              /* the enterprise, as the signal gave it */
    region_t region;              /* that it gave; 0: none */
    uint32_t n_places;            /* the same; of one that gave none, where its enterprise is known to be */
    const region_t *places;
};

/* Row of T_TRIAGE or T_SORTED; the lists are in the arena. 0, WW_EDAMAGED, WW_EIO. */
int waiting_read(struct view_reader *, uint64_t number, struct slice row, struct arena *, struct waiting *,
                 struct err *) WW_CHECK;
/* By number, whether it waits or was sorted. 1: there; 0: not; negative. */
int waiting_get(struct view_reader *, uint64_t number, struct arena *, struct waiting *, struct err *) WW_CHECK;

#endif
