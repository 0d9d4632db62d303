/* SPDX-License-Identifier: Apache-2.0 */
/* The record: all that correlation knows of one enterprise, in one blob (T_ENTERPRISE). Decoded into an arena, changed,
 * encoded again: a record has no pointers that outlive an entry.
 *
 * Signals are kept by series (one kind from one source), ordered by (at, number). The newest of a series are in the
 * record; when there are more than SERIES_INLINE, the oldest leave to blocks (T_BLOCK), and their active hazard stays
 * here as buckets, so that an enterprise with 100,000 signals is judged as exactly as one with three. */
#ifndef ENGINE_RECORD_H
#define ENGINE_RECORD_H

#include "engine/dict.h"
#include "engine/ekey.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/region.h"
#include "lib/words.h"

enum { SERIES_INLINE = 16, SERIES_SPILL = 8, BLOCK_SIGNALS = 256 };

enum sig_flag {
    SIG_CANCELLED = 1, /* withdrawn by its source: as if it had never come */
    SIG_BY_NAME = 2,   /* came with a name and no code; it follows the name */
    SIG_PROFILE = 4
};

/* A signal as a record keeps it. */
struct sig {
    uint64_t seq;            /* journal number */
    int64_t at;
    struct slice id;
    uint8_t flags, role;
    uint8_t rank;            /* how many active ones of the series came within the window before it, saturating */
    region_t region;         /* 0: not given */
    struct slice industry, project;
    int64_t amount, people, since; /* NO_INT */
    const uint8_t *owner;    /* 16 bytes or NULL */
    const uint8_t *name;     /* 19 bytes of the hash of the name it came with, or NULL */
};

struct bucket {
    int64_t index;           /* floor(at / half life) */
    uint64_t sum;            /* hazards scaled to the bucket's beginning, units of 2^-32 */
};

struct block_ref {
    uint32_t no;             /* T_BLOCK key */
    uint32_t n;
    int64_t first_at, last_at;
    uint64_t first_seq, last_seq;
};

struct series {
    uint32_t kind, source;   /* dict numbers */
    uint32_t n;              /* signals here, oldest first */
    struct sig *sigs;
    /* what left */
    uint32_t n_blocks, next_block;
    struct block_ref *blocks;     /* oldest first */
    uint32_t n_buckets;
    struct bucket *buckets;       /* active hazard of what left, by rising index */
    uint32_t spilled_active;
    int64_t spilled_latest;       /* at of the latest active one that left; NO_INT */
    uint64_t spilled_sum;         /* checksum of their numbers */
};

struct record {
    struct ekey key;
    uint64_t settings;       /* entry that brought the settings under which the figures here were made */
    struct slice uscc;       /* of the key, or empty */
    struct slice name;       /* shown: the latest (at, number) that came with the code */
    int64_t name_at;
    uint64_t name_seq;
    region_t registered;     /* by registry.profile */
    struct slice industry;   /* by registry.profile, else the latest signal's */
    char credit;             /* 'A' 'B' 'C' or 0 */
    uint64_t alert;          /* the open one, or the last one closed; 0: none ever */
    bool alert_open;
    uint8_t score_level;     /* level by score at the last judgement: hysteresis compares with it */
    bool unresolved;         /* a name that several codes bear: kept, never judged */
    int64_t due;             /* when it must be judged again; NO_INT */
    int64_t judged_at;
    uint32_t score;          /* hundredths, at the last judgement */
    uint32_t n_places;
    region_t *places;        /* places of work and the registered one, sorted */
    uint32_t n_series;
    struct series *series;   /* by (kind, source) */
};

void record_put(struct buf *, const struct record *);
int record_get(struct slice bytes, const struct ekey *, struct arena *, struct record *, struct err *) WW_CHECK;

#endif
