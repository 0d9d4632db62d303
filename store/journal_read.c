/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the journal, for anybody, beside a writer or without one; see journal.h. All checking is walk's. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "store/walk.h"

struct journal_reader {
    struct walk walk;
    uint64_t from;
};

int journal_reader_open(struct journal_reader **out, const char *dir, uint64_t from, struct err *err)
{
    struct journal_reader *r = mem_zalloc(sizeof *r);
    r->from = from;
    int rc = walk_open(&r->walk, dir, from, err);
    if (rc != 0) {
        free(r);
        r = NULL;
    }
    *out = r;
    return rc;
}

int journal_reader_next(struct journal_reader *r, struct journal_batch *out, struct err *err)
{
    struct segment_batch b;
    int rc;
    do
        rc = walk_next(&r->walk, &b, err);
    while (rc > 0 && r->walk.last < r->from);
    if (rc > 0)
        *out = (struct journal_batch){b.first, b.time, b.n, b.entries, b.chain};
    return rc;
}

void journal_reader_close(struct journal_reader *r)
{
    if (!r)
        return;
    walk_close(&r->walk);
    free(r);
}

int journal_chain_at(const char *dir, uint64_t number, uint8_t out[CHAIN_LEN], struct err *err)
{
    struct walk w;
    struct segment_batch b;
    /* Where a segment begins with the next number its head has the hash, also when the one before it is gone.
     */
    int rc = walk_open(&w, dir, number + 1, err);
    while (rc == 0 && w.last < number) {
        rc = walk_next(&w, &b, err);
        if (rc == 0)
            rc = err_set(err, WW_ENOTFOUND, "journal: ends with entry %" PRIu64 ", before entry %" PRIu64,
                         w.last, number);
        else if (rc > 0)
            rc = 0;
    }
    if (rc == 0 && w.last != number)
        rc = err_set(err, WW_ENOTFOUND, "journal: no batch ends with entry %" PRIu64, number);
    if (rc == 0)
        memcpy(out, w.chain, CHAIN_LEN);
    walk_close(&w);
    return rc;
}
