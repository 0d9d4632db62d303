/* SPDX-License-Identifier: Apache-2.0 */
/* A walk through the batches of a journal, segment after segment, that checks CRC, numbering and chain, and
 * that alone decides what is the journal's end and what is damage:
 *   - where a segment has zeros or bytes that are no batch, and nothing of the journal lies behind, there is
 * the end;
 *   - where the file ends inside a batch, it was cut short: segments are filled and synced ahead;
 *   - where a good batch or a segment lies behind, it is damage: batches were synced one by one, so none can
 * be missing. Under opening, the readers, forgetting and verify. One thread each. */
#ifndef STORE_WALK_H
#define STORE_WALK_H

#include "store/segment.h"

struct walk {
    char *dir;
    struct segment *seg;
    uint64_t at;   /* where the next batch begins */
    uint64_t last; /* number of the last entry passed */
    int64_t time;
    uint8_t chain[CHAIN_LEN]; /* after it */
    uint64_t batch_at;        /* where the last batch of this segment begins, 0: none */
    bool tail_bad;            /* at the end: bytes that are no batch lie there */
    bool searched;            /* zeros met in this segment once had nothing behind them */
};

/* At the beginning of the segment that holds entry `from`, or would. WW_ENOTFOUND: no journal in dir, or
 * entries from `from` on are gone. */
int walk_open(struct walk *, const char *dir, uint64_t from, struct err *) WW_CHECK;
void walk_close(struct walk *);
/* 1: a batch, valid until the next call; 0: the end, for now; negative: damaged or WW_EIO. */
int walk_next(struct walk *, struct segment_batch *, struct err *) WW_CHECK;

#endif
