/* SPDX-License-Identifier: Apache-2.0 */
/* struct signal: one reported event as PROTOCOL defines it, and the checks that every way in applies.
 * Pure; any thread. Slices belong to whoever decoded it. */
#ifndef LIB_SIGNAL_H
#define LIB_SIGNAL_H

#include "lib/base.h"
#include "lib/words.h"

enum { SIGNAL_ATTRS_MAX = 16 };

struct signal_attr {
    struct slice key;
    struct slice text; /* p NULL: the number counts */
    int64_t number;
};

struct signal {
    struct slice id;      /* unique within its source */
    struct slice kind;    /* "agency.what" */
    int64_t at;           /* ms; NO_INT: not given */
    struct slice uscc;    /* as given */
    struct slice name;    /* as given; the fold sees it normalised (lib/name) */
    struct slice region, industry;
    int64_t amount;       /* fen; NO_INT: not given */
    int64_t people;       /* NO_INT: not given */
    int64_t since;        /* ms; NO_INT: not given */
    struct slice project, owner, ref, note, cancels;
    uint8_t role;         /* enum role */
    uint8_t status;       /* enum status */
    uint8_t n_attrs;
    struct signal_attr attrs[SIGNAL_ATTRS_MAX];
};

/* Why a signal is not taken. `field` is a key of PROTOCOL or NULL; `what` a sentence or NULL (then reject_text). */
struct reject {
    enum reject_code code;
    const char *field;
    const char *what;
};

struct arena;   /* lib/arena.h */
struct kinds;   /* lib/kind.h */
struct regions; /* lib/region.h */

/* All checks that need no state, in the order of PROTOCOL: must-haves, lengths, kind, uscc, enterprise, region,
 * industry, time, the rest. `now` in ms. Returns 0 or the reject code, with *why filled. Wrong types are found
 * by the codec before; it uses the same codes. */
int signal_check(const struct signal *, const struct kinds *, const struct regions *, int64_t now,
                 struct reject *why);

/* Names among the attrs (`former_name` of registry.profile) normalised, as `name` is before it is journalled; one of
 * which nothing is left becomes empty. Texts go to the arena. */
void signal_normalise_attrs(struct signal *, struct arena *);

#endif
