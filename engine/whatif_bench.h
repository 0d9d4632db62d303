/* SPDX-License-Identifier: Apache-2.0 */
/* What whatif.c and whatif_tell.c share, and nobody else: the bench on which copies are judged. */
#ifndef ENGINE_WHATIF_BENCH_H
#define ENGINE_WHATIF_BENCH_H

#include "engine/fold.h"
#include "engine/whatif.h"

/* An engine like the one asked, over a state that reads through to that one's and is thrown away. */
struct bench {
    struct engine w;             /* its scratch arena holds the copy in hand */
    struct engine *of;
    struct state_loader through;
    struct err *err;
    struct arena *out;           /* what is told goes here */
    struct ekey key;
    int64_t at;
    uint8_t before;              /* level by score that hysteresis compares with */
};

/* The copy in hand, judged: scratch of the bench. */
struct tried {
    struct record *r;
    struct judgement j;
};

/* whatif_tell.c: parts of the explanation, from the copy in hand. */
void tell_rules(struct bench *, const struct tried *, struct explanation *);
void tell_shares(struct bench *, const struct tried *, struct explanation *);
void tell_factors(struct bench *, const struct tried *, struct explanation *);
struct slice tell_largest(struct bench *, const struct tried *); /* agency with the largest hazard */
struct slice tell_rule_id(struct bench *, uint32_t rule);
struct slice tell_agency(const struct engine *, uint32_t kind_word); /* what stands before the kind's dot */

#endif
