/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: the append-only record of all that happened, in segment files (DESIGN 9). One batch is in flight at a
 * time; nothing in it may be acknowledged before journal_sync() returned 0. A narrow interface on purpose: append a
 * batch, read from a number; a replicated log could stand behind it.
 *
 * Thread: one writer. Readers are separate objects of one thread each, in any process; they see a batch once it is
 * written, which may be a moment before it is synced: who must know compares with journal_last(). Cost: one pwrite and
 * one fdatasync a batch, into space that was zeroed and synced ahead of need. journal_append starts the disk's work and
 * comes back, so what is done between it and journal_sync costs no time (measured, batch of 20 kB and 100 us of work:
 * 183 us instead of 238). */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <sys/types.h>

#include "lib/base.h"
#include "lib/err.h"
#include "lib/hash.h"

enum { STORE_ID_LEN = 16, SEGMENT_BYTES = 64 << 20, BATCH_BYTES_MAX = 16 << 20 };

/* The seam for tests: what touches the disk. NULL members: the real ones. */
struct journal_io {
    ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t at);
    int (*fdatasync)(int fd);
    int (*fallocate)(int fd, off_t from, off_t n); /* like posix_fallocate: returns an errno */
    int (*fsync)(int fd);                          /* of directories */
    int (*rename)(const char *from, const char *to);
};

struct journal_options {
    size_t segment_bytes;         /* 0: SEGMENT_BYTES */
    const struct journal_io *io;  /* NULL: the real calls */
    uint64_t checkpoint;          /* last entry that the view holds: a batch at or before it that does not check is
                                     damage, not a tail; 0: none */
    bool read_only;               /* verify, backtest: nothing is locked, zeroed or created */
    bool no_thread;               /* tests: segments are prepared within journal_append, in a fixed order of calls */
};

struct journal_entry {
    struct slice body;     /* chained; engine/entry.h */
    struct slice erasable; /* salt and text of its note, outside the chain; {NULL,0}: none */
};

struct journal;

/* Creates `dir` with the first segment where there is none (fsync of files and directories before it returns). Takes
 * an exclusive lock on dir/lock. Finds the end: the first batch that does not check, with no good one after it in the
 * segment or later, was never acknowledged and is zeroed; otherwise WW_EDAMAGED, naming file and offset and saying that
 * 'wagewarn verify' tells more and 'wagewarn restore' mends. WW_ELOCKED: another daemon. WW_EIO, WW_EFULL. */
int journal_open(struct journal **, const char *dir, const struct journal_options *, struct err *) WW_CHECK;
void journal_close(struct journal *);

/* The lock that journal_open takes, for who changes the files of a journal from outside. dir must be there; closing *fd
 * lets it go. WW_ELOCKED, WW_EIO: *fd is -1. */
#define JOURNAL_LOCK "lock"
int journal_lock(const char *dir, int *fd, struct err *) WW_CHECK;

/* 16 random bytes that PROTOCOL's `store` tells everybody: made with the store, and anew when journal/store is not there,
 * as after a restore. Key no hash by it: that is what journal_key is for. */
const uint8_t *journal_store_id(const struct journal *);
/* 16 random bytes that stay the same for the life of the journal, through restores too, and are told to nobody: the key
 * of entry_signal.id_hash. */
const uint8_t *journal_key(const struct journal *);
/* Changes the store id, durably (restore; a tail folded by another fold version). */
int journal_new_store_id(struct journal *, struct err *) WW_CHECK;
uint64_t journal_last(const struct journal *);            /* last number synced; 0: empty */
int64_t journal_last_time(const struct journal *);
void journal_chain(const struct journal *, uint8_t out[CHAIN_LEN]); /* hash of the last batch synced */
uint64_t journal_bytes(const struct journal *);           /* of all segments, as far as they are used */
/* Bytes left in the segment being written: what fits needs no new one. A batch takes its bodies and notes, up to 14
 * bytes an entry and 72 more. */
uint64_t journal_room(const struct journal *);

/* Copies n entries to the tail as one batch of time `time` and numbers them from *first. Not durable before
 * journal_sync(). WW_EFULL: nothing was written, try again later. WW_EIO: stop. n * bytes over BATCH_BYTES_MAX or n 0
 * is a bug of the caller. */
int journal_append(struct journal *, int64_t time, const struct journal_entry *, size_t n, uint64_t *first,
                   struct err *) WW_CHECK;
/* Waits for the disk. Any failure is ambiguous: the caller says nothing to anybody and exits. */
int journal_sync(struct journal *, struct err *) WW_CHECK;

/* Makes room for the next segment ahead of need; call when idle or from another thread's hint. Not needed for
 * correctness: journal_append does it when it must. */
int journal_prepare(struct journal *, struct err *) WW_CHECK;

/* Overwrites salt and text of one entry's note in a sealed segment; the chain still checks. May be repeated.
 * WW_ENOTFOUND: no such entry, or it has no note. WW_EAGAIN: its segment is the one being written. */
int journal_forget(struct journal *, uint64_t number, struct err *) WW_CHECK;

/* ---- reading ---- */
struct journal_batch {
    uint64_t first;
    int64_t time;
    size_t n;
    const struct journal_entry *entries; /* valid until the next call */
    const uint8_t *chain;                /* CHAIN_LEN: hash of this batch over its predecessor's */
};

struct journal_reader;
/* From the batch that holds `from` (1: the beginning). WW_ENOTFOUND: those segments are gone. Checks CRC, numbering and
 * chain as it goes. */
int journal_reader_open(struct journal_reader **, const char *dir, uint64_t from, struct err *) WW_CHECK;
/* 1: a batch; 0: the end (call again later: it goes on where it stopped); negative: damaged. */
int journal_reader_next(struct journal_reader *, struct journal_batch *, struct err *) WW_CHECK;
void journal_reader_close(struct journal_reader *);
/* Chain hash after entry `number` (the end of its batch); WW_ENOTFOUND when no batch ends there. */
int journal_chain_at(const char *dir, uint64_t number, uint8_t out[CHAIN_LEN], struct err *) WW_CHECK;

#endif
