/* SPDX-License-Identifier: Apache-2.0 */
/* Segment files ahead of need: one file of zeros, written and synced, waits under the name PREPARED for its
 * turn. A thread of its own makes it (64 MiB: about 50 ms on an SSD, far more on a slow disk), so that the
 * writer does not wait; without the thread, or where it failed, prepare_take does the work.
 *
 * Zeros are really written: into fallocated space alone each fdatasync has to commit file-system metadata
 * (measured, 20 kB: 166 to 205 us against 117 to 122; DESIGN 2 has 200 bytes).
 *
 * Threads: the writer calls; nobody else. */
#ifndef STORE_PREPARE_H
#define STORE_PREPARE_H

#include "store/journal.h"

#define PREPARED "next.new" /* removed at start; a segment only once it is renamed */

struct prepare;

/* Removes what an earlier process left. dir must outlive it. */
int prepare_create(struct prepare **, const char *dir, const struct journal_io *, bool no_thread,
                   struct err *) WW_CHECK;
void prepare_destroy(struct prepare *);

/* A hint: a file of `bytes` will be needed. Returns at once; does nothing without the thread. */
void prepare_want(struct prepare *, size_t bytes);

/* A file of at least `bytes`, all zeros, synced, under the name PREPARED: its descriptor is the caller's.
 * Where none is ready, waits for the thread, then tries itself. WW_EFULL, WW_EIO: nothing is left behind. */
int prepare_take(struct prepare *, size_t bytes, int *fd, uint64_t *size, struct err *) WW_CHECK;

/* Makes one ready, as prepare_take does, and keeps it. */
int prepare_ready(struct prepare *, size_t bytes, struct err *) WW_CHECK;

#endif
