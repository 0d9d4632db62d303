/* SPDX-License-Identifier: Apache-2.0 */
/* Lots (双随机): who is inspected, and by which two. The lot of a key is BLAKE2b-256 of the text "SEED KEY",
 * that of an inspector for a visit BLAKE2b-256 of "SEED KEY NAME", where SEED is in hex the hash of the
 * journal's chain at a number that was named beforehand; the lowest are drawn. A draw is a document that
 * holds all that it was drawn from, so that anybody can compute it again. Pure but for memory. */
#ifndef CLI_LOTS_H
#define CLI_LOTS_H

#include "lib/arena.h"
#include "lib/codec.h"
#include "lib/hash.h"

enum { SEED_LEN = 2 * CHAIN_LEN, CANDIDATES_MAX = 100000, INSPECTORS_MAX = 10000, VISITORS = 2 };

struct candidate {
    uint8_t hash[CHAIN_LEN];          /* its lot */
    struct slice key;                 /* code, else name; number of an alert */
    struct slice name, region, level; /* for people; empty: not known */
};

struct lots {
    char seed[SEED_LEN + 1]; /* "": the journal has not come to the number yet, and nothing is drawn */
    uint64_t number;         /* whose hash is the seed */
    uint64_t as_of;          /* what the list of candidates reflects */
    int64_t n;               /* how many are drawn */
    bool alerts;             /* of alerts, not of enterprises */
    struct slice region, level, credit; /* whom the list was cut down to; empty: not */
    size_t n_list, n_inspectors;
    struct candidate *list; /* by key until lots_cast(), then by lot */
    struct slice *inspectors;
};

void lots_add_inspector(struct lots *, struct slice name); /* once each; not copied */
void lots_sort(struct lots *);                             /* by key */
void lots_cast(struct lots *);                             /* the seed is known: by lot */
/* The document of a draw, as -o json prints it and --save keeps it; in the arena. NULL: out of bounds. */
const struct ww_value *lots_document(struct lots *, struct arena *);
/* Out of such a document, by key, the seed as it says. False: *wrong says what is missing. Texts stay where
 * they are. */
bool lots_read(const struct ww_value *document, struct arena *, struct lots *, const char **wrong);
/* Does what a document says was drawn follow from its list, names and seed? False: *wrong says what does not.
 */
bool lots_hold(const struct ww_value *document, struct lots *, struct arena *, const char **wrong);
const char *lots_hex(struct arena *, const uint8_t hash[CHAIN_LEN]);

#endif
