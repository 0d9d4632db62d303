/* SPDX-License-Identifier: Apache-2.0 */
/* What a feeder must not forget: how far each input was read and acknowledged, what became of its rows, and
 * the signals that were acknowledged lately, to be sent again should the daemon's store be restored from an
 * older backup. The only door to LMDB here. One spool folder serves many feeders at once; all in it is by
 * (endpoint, profile).
 *
 * One transaction holds a batch's signals and the position behind it, and is on stable storage when
 * spool_commit returns. Killed before it, the feeder sends the batch again, which the daemon counts once. */
#ifndef ADAPTERS_SPOOL_H
#define ADAPTERS_SPOOL_H

#include "adapters/source.h"
#include "adapters/tally.h"
#include "wagewarn.h"

enum { SPOOL_STORE_MAX = 64 };

struct spool;

struct progress {
    struct position position; /* behind the last row that is done with */
    struct tally tally;
    uint64_t rejects;            /* rows of this input in the rejects file */
    bool done;                   /* read to its end; the next run begins anew */
    char store[SPOOL_STORE_MAX]; /* the daemon's store that acknowledged it */
};

/* Makes the folder if need be. WW_EIO, WW_EFULL, WW_EDAMAGED. */
int spool_open(struct spool **, const char *dir, const char *endpoint, const char *profile,
               struct err *) WW_CHECK;
void spool_close(struct spool *); /* NULL is fine */

/* The input is this process's alone until spool_unlock (or the process ends). WW_ELOCKED. *lock >= 0. */
int spool_lock(struct spool *, const char *input, int *lock, struct err *) WW_CHECK;
void spool_unlock(int lock); /* -1 is fine */

/* 1: known; 0: never seen. */
int spool_load(struct spool *, const char *input, struct progress *, struct err *) WW_CHECK;

/* Durable when it returns. input NULL: nothing but the signals, kept as of `now` (ms). */
int spool_commit(struct spool *, const char *input, const struct progress *, const struct ww_signal *,
                 size_t n, int64_t now, struct err *) WW_CHECK;

/* The store that all kept signals are known to be in; "" when nothing was ever sent. */
int spool_store(struct spool *, char out[SPOOL_STORE_MAX], struct err *) WW_CHECK;
int spool_set_store(struct spool *, const char *store, struct err *) WW_CHECK;

/* Kept signals, oldest first, a batch at a time; begin with a zeroed cursor. 1: a batch, in the arena; 0: no
 * more. */
struct spool_cursor {
    uint8_t key[40];
    size_t n;
};
int spool_kept(struct spool *, struct spool_cursor *, struct arena *, struct ww_signal **, size_t *n,
               struct err *) WW_CHECK;

/* Forgets what was kept before that time. */
int spool_prune(struct spool *, int64_t before, struct err *) WW_CHECK;

#endif
