/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: the append-only record of all that happened, in segment files (DESIGN 9). One batch is in flight at a
 * time; nothing in it may be acknowledged before journal_sync() returned 0. A narrow interface on purpose: append a
 * batch, read from a number; a replicated log could stand behind it.
 *
 * Thread: one writer. Readers are separate objects, any thread, and see only what was synced when they were opened or
 * refreshed. Cost: one pwrite and one fdatasync a batch, into space that was zeroed and synced ahead of need. */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "lib/base.h"
#include "lib/err.h"
#include "lib/hash.h"

enum { STORE_ID_LEN = 16, SEGMENT_BYTES = 64 << 20, BATCH_BYTES_MAX = 16 << 20 };

/* The seam for tests: what touches the disk. NULL members: the real ones. */
struct journal_io {
    ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t at);
    int (*fdatasync)(int fd);
    int (*fallocate)(int fd, off_t from, off_t n); /* like posix_fallocate */
};

struct journal_options {
    size_t segment_bytes;         /* 0: SEGMENT_BYTES */
    const struct journal_io *io;  /* NULL: the real calls */
    uint64_t checkpoint;          /* last entry that the view holds: a batch at or before it that does not check is
                                     damage, not a tail; 0: none */
    bool read_only;               /* verify, backtest: nothing is locked, zeroed or created */
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

const uint8_t *journal_store_id(const struct journal *);  /* 16 random bytes, made with the store */
uint64_t journal_last(const struct journal *);            /* last number synced; 0: empty */
int64_t journal_last_time(const struct journal *);
void journal_chain(const struct journal *, uint8_t out[CHAIN_LEN]); /* hash of the last batch synced */
uint64_t journal_bytes(const struct journal *);           /* of all segments, as far as they are used */

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

/* Overwrites salt and text of one entry's note in a sealed segment; the chain still checks. WW_ENOTFOUND. */
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
