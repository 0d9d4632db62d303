/* SPDX-License-Identifier: Apache-2.0 */
/* Start: the last checkpoint of the view and the journal's tail make the state. Also the proof of it: a fold of the whole
 * journal into a view of its own, compared with the one that is there, byte for byte.
 *
 * A checkpoint is believed only if the journal has its number and the same chain hash there. The store's id may differ
 * (after a restore the journal has a new one): the chain, which begins with the journal's key, says whose view it is. A
 * view folded by another FOLD_VERSION is thrown away and folded anew, with a line in the log; since events may then differ
 * from those published, the store takes a new id and subscribers begin again. So it does where `rebuild` accepts that
 * entries are lost which the view had seen; a `rebuild` from a whole journal gives the same events and changes no id.
 * Memory stays within cache_bytes and dirty_max rows, however long the tail is. One thread. */
#ifndef STORE_RECOVER_H
#define STORE_RECOVER_H

#include "engine/engine.h"
#include "store/journal.h"
#include "store/view.h"

/* In a state directory as long as a restore into it is not done; recover refuses. */
#define RESTORING "journal.restoring"

struct recover_options {
    bool rebuild;                  /* throw the view away first */
    size_t cache_bytes;            /* engine_create's; 0: 256 MiB */
    size_t dirty_max;              /* rows folded between two commits of the view; 0: 200,000 */
    size_t map_bytes;              /* view_open's */
    size_t segment_bytes;          /* journal_open's */
    const struct journal_io *io;   /* journal_open's, for tests */
    bool no_thread;                /* journal_open's, for tests */
    /* Called now and then while the tail is folded: for EXTEND_TIMEOUT_USEC and a terminal. May be NULL. */
    void (*progress)(void *arg, uint64_t folded, uint64_t total);
    void *arg;
};

struct recovered {
    struct journal *journal;
    struct view *view;
    struct view_reader *reader;    /* what the engine loads from: refresh it before a batch, rest it after */
    struct engine *engine;
    struct state_loader *loader;
    uint64_t folded;               /* entries of the tail */
    bool rebuilt;                  /* from the first entry kept, not from a checkpoint */
};

/* Opens or creates state_dir, state_dir/journal and state_dir/view. All that was folded beyond dirty_max is in the view;
 * the rest is dirty in the engine. The reader rests. From here on a view whose file is cut short ends the process with a
 * sentence (view_catch_damage). On failure *out is all NULL: WW_EDAMAGED (names file and offset, or says --rebuild),
 * WW_ELOCKED, WW_EIO, WW_EFULL. */
int recover(const char *state_dir, const struct recover_options *, struct recovered *out, struct err *) WW_CHECK;
/* Closes all four in the right order. What is dirty is left to the next start. NULLs are fine. */
void recover_close(struct recovered *);

/* Folds the journal in state_dir from its first entry through `upto`, where a batch must end, into a new view in dir
 * (created; must hold no view). Nothing in state_dir is locked or changed. */
int recover_fold(const char *state_dir, const char *dir, uint64_t upto, const struct recover_options *,
                 struct err *) WW_CHECK;

/* Reads what the view in state_dir says of itself; a state_dir without one gives number 0. */
int recover_meta(const char *state_dir, struct view_meta *, struct err *) WW_CHECK;

#endif
