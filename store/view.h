/* SPDX-License-Identifier: Apache-2.0 */
/* The view: what is derived from the journal, in LMDB, one database a table (engine/state.h). The only door to lmdb.h
 * besides the feeder's spool. Values are stored as CRC32C u32 (of table, key, and what follows), format version u8, bytes;
 * a value that does not check is WW_EDAMAGED, "the view can be thrown away: wagewarnd --rebuild". The meta lies in a
 * database of its own, so that the tables hold nothing but what the fold put there.
 *
 * Opened MDB_NOMETASYNC | MDB_NOTLS: a crash may lose the last commit, never integrity; the journal has what it lost.
 * Threads: one committer (the view thread); any number of readers, each a struct view_reader of one thread. */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "engine/state.h"
#include "lib/base.h"
#include "lib/err.h"
#include "lib/hash.h"
#include "store/journal.h"

struct view;
struct view_reader;

struct view_meta {
    uint64_t number;                /* last entry folded; 0: an empty view */
    int64_t time;
    uint8_t chain[CHAIN_LEN];       /* of the batch that ends with it */
    uint8_t store_id[STORE_ID_LEN];
    uint32_t fold_version;
};

/* dir is created. map_bytes 0: 1 TiB of address space, or as much as there is. read_only: for verify and the like.
 * A process opens a dir once at a time (LMDB's rule). */
int view_open(struct view **, const char *dir, size_t map_bytes, bool read_only, struct err *) WW_CHECK;
void view_close(struct view *);
/* Removes the files of a view in dir (for --rebuild). */
int view_remove(const char *dir, struct err *) WW_CHECK;

int view_reader_open(struct view_reader **, struct view *, struct err *) WW_CHECK;
void view_reader_close(struct view_reader *);
/* Sees the latest commit from here on; slices got before are no longer valid. Between refresh and rest no page that it
 * may read is reused, so rest soon. */
int view_reader_refresh(struct view_reader *, struct err *) WW_CHECK;
void view_reader_rest(struct view_reader *);

int view_get_meta(struct view_reader *, struct view_meta *, struct err *) WW_CHECK;
/* 1 found, 0 not there, negative failed; *value valid until refresh or rest. */
int view_get(struct view_reader *, enum table, const void *key, size_t n, struct slice *value, struct err *) WW_CHECK;
/* From the first key >= from (or > from, or with `down` from the last key <= from downward), until each() is false. */
enum view_order { VIEW_UP, VIEW_DOWN };
int view_scan(struct view_reader *, enum table, struct slice from, enum view_order,
              bool (*each)(void *arg, struct slice key, struct slice value), void *arg, struct err *) WW_CHECK;
int view_count(struct view_reader *, enum table, uint64_t *out, struct err *) WW_CHECK;

/* A state_loader over a reader (refresh is the caller's, once a batch). */
struct state_loader view_loader(struct view_reader *);

/* One transaction: sorts the rows by (table, key), writes them and the meta. Returns when LMDB has committed. WW_EFULL,
 * WW_EIO: nothing was changed. View thread. */
int view_commit(struct view *, struct checkpoint *, const uint8_t store_id[STORE_ID_LEN], struct err *) WW_CHECK;

/* Do both views hold the same rows, byte for byte, and the same meta but for the store's id? 0, or WW_EDAMAGED with a
 * sentence that names the first table and key in which they differ. */
int view_compare(struct view *a, struct view *b, struct err *) WW_CHECK;

int view_check_readers(struct view *, struct err *) WW_CHECK; /* drops slots of dead processes */
int view_copy(struct view *, const char *dir, struct err *) WW_CHECK; /* compacted copy, for backup; dir is created */

/* LMDB reads its file through memory, so a file cut short kills the process by SIGBUS. From here on it then says so, and
 * what to do, on standard error and exits with status 1. For programs to call once, before view_open. */
void view_catch_damage(const char *dir);

#endif
