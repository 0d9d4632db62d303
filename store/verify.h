/* SPDX-License-Identifier: Apache-2.0 */
/* Is a store whole? Every batch of every segment (CRC, numbers, times, chain, notes), every value of the view, and that
 * both belong together; on demand also that a fold of the whole journal gives the same view, byte for byte. Unlike a
 * start it does not end at the first thing it finds. Changes nothing, locks nothing, and may run beside the daemon.
 *
 * The view is read in child processes: LMDB answers a damaged file with SIGBUS. One thread, and no other in the process. */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "lib/base.h"
#include "lib/err.h"

struct verify_options {
    /* NULL: no fold. Else a folder that is not there yet, on a disk with room for a view; it is made and removed. With a
     * daemon at work the view may move on meanwhile: WW_EAGAIN. */
    const char *fold_in;
    /* Each thing found, a sentence with file and offset. May be NULL. */
    void (*problem)(void *arg, const char *sentence);
    /* Segments read so far; in the fold, entries. May be NULL. */
    void (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

struct verify_report {
    uint64_t segments, batches, entries; /* that check */
    uint64_t first, last;                /* numbers of the first and last entry */
    int64_t first_time, last_time;
    uint64_t bytes;                      /* of segment files */
    uint64_t unacknowledged;             /* bytes at the end that the next start drops: no damage */
    bool has_view, folded;
    uint64_t view_number, view_rows;
    uint64_t problems;
};

/* dir: a state directory or a backup of one. 0: whole; WW_EDAMAGED: err has the first problem; WW_ENOTFOUND: there is no
 * journal; WW_EIO. */
int verify(const char *dir, const struct verify_options *, struct verify_report *, struct err *) WW_CHECK;

#endif
