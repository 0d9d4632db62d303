/* SPDX-License-Identifier: Apache-2.0 */
/* State: all that the fold knows, as one map from (table, key) to a small immutable blob. What is not in memory comes
 * from a loader that the caller gives (the view's LMDB tables); what was changed since the last checkpoint is the dirty
 * list, which the checkpoint takes without copying a byte: what it holds is counted and not changed meanwhile.
 *
 * That one idea serves cache, checkpoint, recovery and the comparison of two folds: a view is right when its tables
 * hold the same (table, key, blob) as a fold of the journal from the beginning.
 *
 * Thread: the writer owns it. A struct checkpoint may be read by one other thread until it is given back.
 * Cost: a hit is one line of an open hash table and the lines of the row, which begin with its key; a put over a row that
 * no checkpoint holds and that fits its place is a copy. */
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/err.h"

/* The tables of the view. Numbers are stored in nothing; names are LMDB's. */
enum table {
    T_META,        /* "engine" -> numbers, clock, counts; "settings" -> the configuration in force (a tree) */
    T_DICT,        /* class u8, id be32 -> text: kinds, sources, rules (engine/dict.h) */
    T_ENTERPRISE,  /* ekey -> record (engine/record.h) */
    T_BLOCK,       /* ekey, kind be32, source be32, block be32 -> signals that left a record */
    T_NAME,        /* status u8, hash of a normalised name -> the codes that bear it (engine/identity.h) */
    T_ALERT,       /* alert be64 -> struct alert (engine/alert.h) */
    T_OPEN,        /* alert be64 -> empty: alerts that are not closed */
    T_EVENT,       /* event be64 -> struct event (engine/event.h) */
    T_HISTORY,     /* alert be64, event be64 -> empty */
    T_DUE,         /* ekey -> due time be64; as of the checkpoint (engine/due.c) */
    T_SEEN,        /* part be32, hash of (source, id) -> number, kind (engine/seen.c) */
    T_SOURCE,      /* dict number of a source be32 -> struct source_stats */
    T_LINK,        /* hub 12 bytes -> struct hub; hub, page be32 -> its members (engine/hub.c) */
    T_SHADOW,      /* ekey -> the would-be alert of the shadow rules (engine/shadow.c) */
    T_UNRESOLVED,  /* ekey of a name that several codes bear, with signals that wait -> empty */
    T_TRIAGE,      /* number of a signal be64 -> it waits to be sorted (engine/triage.h) */
    T_SORTED,      /* the same, once it was: what became of it */
    T_DUTY,        /* ekey -> the duties of an enterprise (engine/duty.h) */
    T_COUNT
};
extern const char *const table_names[T_COUNT];

enum { STATE_KEY_MAX = 32 };

/* Where a missing blob comes from. Called on the writer thread. */
struct state_loader {
    void *ctx;
    /* 1: found, *value valid until the next call; 0: not there; negative: the store failed or is damaged, err filled. */
    int (*get)(void *ctx, enum table, const void *key, size_t n, struct slice *value, struct err *);
    /* Calls each() for all keys of a table from `from` (may be {NULL,0}) upward, until it returns false. 0 or negative. */
    int (*scan)(void *ctx, enum table, struct slice from, bool (*each)(void *arg, struct slice key, struct slice value),
                void *arg, struct err *);
};

struct state;

/* loader NULL: everything is in memory (tests, rules test, backtest). cache_bytes bounds what is kept clean. */
struct state *state_create(const struct state_loader *, size_t cache_bytes);
void state_destroy(struct state *);
/* From now on what the store cannot hold is not looked for there (engine/known.h). Stays the caller's. */
struct known;
void state_set_known(struct state *, struct known *);

/* {NULL,0}: not there. Valid until the next put of the same key or state_trim(). A failing loader sets
 * state_failed() and reads as "not there"; the fold checks it before anything is published. */
struct slice state_get(struct state *, enum table, const void *key, size_t n);
/* Touches what a state_get of this key will need, so that waits for memory overlap: steps 0, 1, 2 in this order, with
 * other work between them. Changes nothing. */
void state_warm(const struct state *, enum table, const void *key, size_t n, int step);
void state_put(struct state *, enum table, const void *key, size_t n, const void *value, size_t len);
void state_del(struct state *, enum table, const void *key, size_t n);
/* A row that the fold never reads again (events, history): goes to the next checkpoint, is not kept in the cache. */
void state_put_cold(struct state *, enum table, const void *key, size_t n, const void *value, size_t len);
void state_drop_cold(struct state *); /* of a fold in memory, whose events nobody will store */
const struct state_loader *state_loader_of(const struct state *); /* NULL: none */
int state_scan(struct state *, enum table, bool (*each)(void *, struct slice, struct slice), void *arg, struct err *);
const struct err *state_failed(const struct state *); /* NULL: all is well */

/* Between entries only: drops clean blobs, least recently used first, until the cache is within its bound. */
void state_trim(struct state *);

struct dirty {
    uint8_t table, klen;
    bool cold;         /* lies in the checkpoint's arena */
    uint8_t key[STATE_KEY_MAX];
    uint32_t n;
    const uint8_t *p;  /* the value; NULL: the key is gone */
};

struct checkpoint {
    struct dirty *rows; /* in no order; each (table, key) once */
    size_t n;
    struct arena arena; /* of the cold rows' blobs */
    uint64_t number;    /* last entry folded; the caller fills it and what follows */
    int64_t time;
    uint8_t chain[32];
};

size_t state_dirty(const struct state *); /* rows that a checkpoint taken now would have, those in flight included */
struct checkpoint *state_checkpoint(struct state *); /* one in flight at a time; NULL when nothing is dirty */
void state_committed(struct state *, struct checkpoint *); /* it is durable in the loader's store; frees it */

#endif
