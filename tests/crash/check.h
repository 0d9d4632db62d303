/* SPDX-License-Identifier: Apache-2.0 */
/* Is a state directory, as some accident left it, one from which the daemon goes on as if nothing had been?
 * Each check opens it as a start does; what is not as it must be ends the program with a sentence. */
#ifndef TESTS_CRASH_CHECK_H
#define TESTS_CRASH_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/journal.h"

/* What had been told to others before the accident. */
struct promise {
    uint64_t entry, event; /* the last ones, 0: none */
    bool store;            /* the store's id was */
    uint8_t store_id[STORE_ID_LEN];
};

/* How it went on undisturbed: the batches of a whole journal and, after each, the number of alert events. */
struct reference;

/* Of the state directory dir, which must be whole; no signal is in it twice. Writes into it as any start
 * does. */
struct reference *reference_load(const char *dir);
void reference_free(struct reference *);

/* Opens dir as a start does, which must work. All that was promised is there; the journal is a beginning of
 * the reference's, batch by batch, with as many alert events, byte for byte; each of its signals is known
 * when it comes again; the reference's next batches, appended as the writer does, give the same events again;
 * and in the end the view equals a fold of the journal. `seed` varies how it is opened. Returns the number of
 * the last entry found. */
uint64_t check_image(const struct reference *, const char *dir, const struct promise *, uint64_t seed);

/* The same of a directory whose journal is not known beforehand: nothing promised is missing, nothing is
 * there twice, the chain is right, the view equals a fold. */
void check_alone(const char *dir, const struct promise *);

void remove_tree(const char *path);

#endif
