/* SPDX-License-Identifier: Apache-2.0 */
/* What is journalled, to and from bytes. An entry is: type u8, version u8, then the fields of its type. The journal
 * adds number and time. Names are normalised before they get here; a note is here as a salted hash only, its text
 * lies in the erasable part of the batch (store/segment). Pure; any thread.
 *
 * To change a layout: raise its version, keep reading the old one, add a file of the old version to tests/data. */
#ifndef ENGINE_ENTRY_H
#define ENGINE_ENTRY_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/region.h"
#include "lib/signal.h"
#include "lib/tree.h"
#include "engine/ekey.h"

enum entry_type {
    ENTRY_SIGNAL = 1,
    ENTRY_CONFIG = 2, /* kinds, rules, calendar, whole */
    ENTRY_TICK = 3,   /* nothing but its time: something was due */
    ENTRY_SWEEP = 4,  /* enterprises to be judged again under the settings in force */
    ENTRY_ACTION = 5,
    ENTRY_PRESENCE = 6, /* who listens, told by the daemon */
    ENTRY_TYPE_END
};

enum { NOTE_HASH_LEN = 16, NOTE_SALT_LEN = 16, SWEEP_MAX = 1000 };

struct entry_signal {
    struct slice source;     /* who sent it: scope of its id */
    uint8_t id_hash[16];     /* hash_pair(source, id) under the store's key: what `seen` is asked by */
    uint8_t cancels_hash[16]; /* likewise of (source, cancels), where it cancels */
    bool has_note;
    uint8_t note_hash[NOTE_HASH_LEN]; /* first bytes of BLAKE2b(salt, text) */
    bool binds_name;         /* false: this principal's names bind nothing (may_name: false) */
    struct signal sig;       /* `name` normalised; `note` empty. Last: one may have room for its own attrs only */
};

struct entry_config {
    struct slice hash;       /* BLAKE2b of the tree's bytes: the version of the rules */
    const struct tree *tree; /* see engine/settings.h */
};

struct entry_sweep {
    size_t n;
    const struct ekey *keys; /* sorted, at most SWEEP_MAX */
};

struct entry_action {
    struct slice principal, actor, what; /* what: "accept" ... */
    struct ekey key;         /* the enterprise, so that a fold under other rules can still place it */
    uint8_t may;             /* 1: the principal's regions cover the alert: checked when it came */
    uint64_t alert, version, undo;
    struct slice finding, outcome, measure, ref, team;
    struct slice name, uscc;  /* resolve, unmerge: a normalised name, and whose it is */
    struct slice role, own_team; /* of the principal, as configured when it came; empty: a layout-1 entry, or none */
    int64_t people, amount, due, until, paid_people, paid_amount; /* NO_INT: not given */
    uint64_t signal;         /* sort: which waiting signal */
    struct slice as;         /* sort: relevant, duplicate, not_ours */
    struct slice duty;       /* duty_done: which */
    bool has_note;
    uint8_t note_hash[NOTE_HASH_LEN];
};

/* What one subscription asks for: alerts that lie in one of these places (n 0: anywhere), are of one of these industries
 * (n 0: any), and have reached min_level. */
struct entry_wish {
    uint32_t n_regions, n_industries;
    const region_t *regions;         /* prefixes */
    const struct slice *industries;  /* prefixes */
    uint8_t min_level;
};

/* A team has begun or ceased to listen, or listens for something else than before. An empty team: nobody does, for the
 * daemon has just begun. */
struct entry_presence {
    struct slice team;
    bool listening;
    uint32_t n_wishes;               /* it hears what any of these asks for; 0: all */
    const struct entry_wish *wishes;
};

struct entry {
    uint8_t type;
    union {
        struct entry_signal signal;
        struct entry_config config;
        struct entry_sweep sweep;
        struct entry_action action;
        struct entry_presence presence;
    };
};

void entry_put_signal(struct buf *, const struct entry_signal *);
void entry_put_config(struct buf *, struct slice hash, const struct tree *);
void entry_put_tick(struct buf *);
void entry_put_sweep(struct buf *, const struct ekey *, size_t n);
void entry_put_action(struct buf *, const struct entry_action *);
void entry_put_presence(struct buf *, const struct entry_presence *);
/* One within other bytes; lists are in the arena. False: it is none. */
bool entry_read_presence(struct rd *, struct arena *, struct entry_presence *);

/* Slices point into `bytes`; lists are in the arena. WW_EDAMAGED when the bytes are no entry. */
int entry_get(struct slice bytes, struct arena *, struct entry *, struct err *) WW_CHECK;

#endif
