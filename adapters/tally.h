/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the rows of an input. records = accepted + duplicates + ignored + all that were rejected.
 * Pure. */
#ifndef ADAPTERS_TALLY_H
#define ADAPTERS_TALLY_H

#include "lib/base.h"

enum { TALLY_CODES_MAX = 24, TALLY_CODE_LEN = 31 };

struct tally {
    uint64_t records, sent, accepted, duplicates, ignored;
    struct tally_code {
        char code[TALLY_CODE_LEN + 1];
        uint64_t n;
    } rejected[TALLY_CODES_MAX]; /* by code, in the order in which they came up */
    size_t n_rejected;
};

/* One more row of that code. A code too many counts as "other". */
void tally_reject(struct tally *, const char *code, uint64_t n);
uint64_t tally_rejects(const struct tally *); /* of all codes */

#endif
