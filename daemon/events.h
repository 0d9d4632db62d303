/* SPDX-License-Identifier: Apache-2.0 */
/* Alert events by number, for whoever is sent them: the newest from memory, as the finished batches brought
 * them, the older ones from the view. In memory is at least what the view does not hold yet, while somebody
 * listens; each is packed for the wire once, whoever is sent it.
 *
 * Just after a start, and for a first listener in a flood, there may be a stretch that is neither in memory
 * nor in the view yet; it becomes readable with the next checkpoint. Main thread. */
#ifndef DAEMON_EVENTS_H
#define DAEMON_EVENTS_H

#include "daemon/batch.h"
#include "daemon/waiting.h"
#include "daemon/eventpack.h"
#include "engine/event.h"
#include "store/view.h"

struct events;

/* One event, ready to be filtered and sent; valid until the next events_get() or events_rest(). */
struct shown_event {
    const struct event *ev;
    struct slice pairs; /* daemon/eventpack: all of its map but session, seq and prev */
    uint32_t n_pairs;
};

/* head: number of the last event of the journal. */
int events_open(struct events **, struct view *, const struct dict *, uint64_t head, struct err *) WW_CHECK;
void events_close(struct events *);
/* What regions, tiers are called from now on; both must stay until the next call. NULL: not known. */
void events_words(struct events *, const struct regions *, const struct work *);

/* A batch is durable: takes over what it brought. keep: somebody listens. viewed: the last entry that the
 * view holds; what is not newer may leave memory. */
void events_add(struct events *, const struct batch *, bool keep);
void events_trim(struct events *, uint64_t viewed);

uint64_t events_head(const struct events *);
uint64_t events_oldest(struct events *); /* the first that is kept; head + 1 at most */

/* 1: there; 0: not readable yet, ask after the next checkpoint; WW_ETOOOLD: no longer kept; WW_EDAMAGED,
 * WW_EIO. */
int events_get(struct events *, uint64_t seq, struct shown_event *, struct err *) WW_CHECK;
/* The same event for one who sees only these regions (daemon/members). Valid until the next call of this. */
void events_cut(struct events *, const region_t *regions, size_t n_regions, struct shown_event *);
/* The enterprise of an alert and its places, as of its latest event. The same returns; 0 also when there is
 * none. */
int events_alert(struct events *, uint64_t alert, struct ekey *, const region_t **places, uint32_t *n_places,
                 struct err *) WW_CHECK;
/* Where an enterprise is known to be; of a name that one code bears, that code's. Valid until events_rest(). 1; 0: the view
 * knows none; negative. */
int events_enterprise(struct events *, const struct ekey *, const region_t **places, uint32_t *n_places, struct err *) WW_CHECK;
/* A signal that waits to be sorted, or was; valid until events_rest(). 1; 0: the view has none; negative. */
int events_waiting(struct events *, uint64_t number, struct waiting *, struct err *) WW_CHECK;
void events_rest(struct events *); /* at the end of a turn: lets go of the view's pages */

#endif
