/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of a journal file, to and from bytes, and reading one. Knows one segment; how segments follow each
 * other is walk's, writing is journal's. A struct segment belongs to one thread.
 *
 * All integers are little-endian.
 *   head, SEGMENT_HEAD bytes, the rest of them zero:
 *     0 magic[8]   8 format version u32   12 SEGMENT_HEAD u32   16 key[16]   32 mark u64   40 first number
 * u64 48 first number of the segment before, 0: none u64   56 time so far i64   64 chain hash so far[32]   96
 * CRC32C u32 batches, one after the other, each BATCH_HEAD bytes and two parts: 0 mark u64   8 CRC32C u32 of
 * all from 12 to the end of the entries   12 bytes of entries u32 16 bytes of notes u32   20 count u32   24
 * first number u64   32 time i64   40 chain hash[32] 72 entries: each varint (length << 1 | has a note),
 * varint length of the note if it has one, body notes: of each entry that has one CRC32C u32, bytes; all
 * bytes zero: forgotten zeros to the end of the file. The chain hash of a batch is BLAKE2b-256 over that of
 * the batch before, its own bytes 12..40, and its entries; of the first one the hash before is that of the
 * key. Notes lie outside CRC and chain, each with a CRC of its own, so that forgetting one touches nothing
 * else and, torn by a crash, is simply done again.
 *
 * The mark is random, one a segment, and told to nobody, so that no text that a client sends can look like a
 * batch when the end of the journal is searched after a crash.
 *
 * To change the layout: raise SEGMENT_VERSION, keep reading the old one, add a file of the old version to
 * tests/data. */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "lib/buf.h"
#include "store/journal.h"

enum {
    SEGMENT_VERSION = 1,
    SEGMENT_HEAD = 4096,
    SEGMENT_KEY_LEN = 16,
    BATCH_HEAD = 72,
    SEGMENT_NAME_LEN = 25
};

struct segment_head {
    uint8_t key[SEGMENT_KEY_LEN]; /* the same in all segments of a journal */
    uint64_t mark;
    uint64_t first, before;
    int64_t time;
    uint8_t chain[CHAIN_LEN];
};

void segment_name(char out[SEGMENT_NAME_LEN], uint64_t first);
void segment_head_put(uint8_t out[SEGMENT_HEAD], const struct segment_head *);
/* WW_EDAMAGED; `file` is for the sentence. */
int segment_head_get(const uint8_t *p, size_t n, const char *file, struct segment_head *,
                     struct err *) WW_CHECK;

/* First numbers of the segments in dir, rising. The array is the caller's to free. WW_EIO. */
int segment_list(const char *dir, uint64_t **firsts, size_t *n, struct err *) WW_CHECK;

/* Bytes that a batch of these entries takes. */
size_t segment_batch_size(const struct journal_entry *, size_t n);
/* Appends the batch to buf; chain is the hash so far and becomes this batch's. */
void segment_batch_put(struct buf *, uint64_t mark, uint8_t chain[CHAIN_LEN], uint64_t first, int64_t time,
                       const struct journal_entry *, size_t n);

struct segment_batch {
    uint64_t at, bytes; /* where it lies in the file */
    uint64_t first;
    int64_t time;
    size_t n;
    const struct journal_entry
        *entries;         /* erasable {NULL,0}: none, forgotten, or (SEGMENT_NOTES) it does not check */
    const uint8_t *raw;   /* its bytes */
    const uint8_t *chain; /* its hash as it says, see segment_batch_chain */
    uint64_t bad_note;             /* SEGMENT_NOTES: number of the first entry whose note does not check */
};

enum segment_state {
    SEGMENT_NONE,  /* zeros, or the end of the file */
    SEGMENT_BAD,   /* bytes that are no batch */
    SEGMENT_CUT,   /* the file ends inside a batch: no crash does that, a segment is filled before its first one */
    SEGMENT_NOTES, /* a batch; some notes do not check */
    SEGMENT_GOOD
};

struct segment {
    int fd;
    char *path;
    uint64_t size; /* of the file */
    struct segment_head head;
    struct buf window; /* bytes of the file from window_at on */
    uint64_t window_at;
    struct journal_entry *entries;
    size_t entries_cap;
};

/* WW_ENOTFOUND: no such file. WW_EDAMAGED, WW_EIO. */
int segment_open(struct segment **, const char *dir, uint64_t first, struct err *) WW_CHECK;
void segment_close(struct segment *);

/* An enum segment_state, or WW_EIO. *batch is filled for NOTES and GOOD and valid until the next call. */
int segment_batch(struct segment *, uint64_t at, struct segment_batch *, struct err *) WW_CHECK;
/* Forgets what was read ahead, which a writer may have changed since. */
void segment_refresh(struct segment *);
/* Is the batch's hash the one that follows from `before`? */
bool segment_batch_chain(const struct segment_batch *, const uint8_t before[CHAIN_LEN]);
/* First offset >= from where a whole batch lies: 1, 0, or WW_EIO. */
int segment_search(struct segment *, uint64_t from, uint64_t *at, struct err *) WW_CHECK;
/* End of the last byte that is not zero, at least `from`. */
int segment_used(struct segment *, uint64_t from, uint64_t *end, struct err *) WW_CHECK;
/* Where the note of entry i lies in the file: its CRC and n bytes after it. False: it has none. */
bool segment_note(const struct segment_batch *, size_t i, uint64_t *at, size_t *n);

#endif
