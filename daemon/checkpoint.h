/* SPDX-License-Identifier: Apache-2.0 */
/* The view thread: writes one checkpoint at a time into LMDB. It gets a struct checkpoint from the writer thread only
 * after the sync that covers its last entry, reads it, and gives it back to the writer thread to be freed there. */
#ifndef DAEMON_CHECKPOINT_H
#define DAEMON_CHECKPOINT_H

#include "lib/err.h"
#include "store/view.h"

struct checkpointer;

/* done() is called on the view thread when a checkpoint is committed, when one failed, and when a full disk began or
 * ended to hold one up; it must only pass a word on. */
int checkpoint_start(struct checkpointer **, struct view *, const uint8_t store_id[STORE_ID_LEN], uint64_t viewed,
                     void (*done)(void *arg), void *arg, struct err *) WW_CHECK;
/* Waits for the commit in hand (a full disk is not waited for: the journal has it all), joins. What was given and not
 * taken back stays with the caller. */
void checkpoint_stop(struct checkpointer *);

/* Writer thread. give: none may be in hand. take: the committed one, NULL when there is none. */
void checkpoint_give(struct checkpointer *, struct checkpoint *);
struct checkpoint *checkpoint_take(struct checkpointer *);

/* Any thread. */
uint64_t checkpoint_viewed(const struct checkpointer *); /* last entry that the view holds */
bool checkpoint_full(const struct checkpointer *);       /* the disk has no room for the one in hand; it tries again */
const struct err *checkpoint_failed(const struct checkpointer *); /* NULL: all is well */

#endif
