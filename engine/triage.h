/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of kinds that wait to be sorted before they count: their rows. T_TRIAGE holds those that wait, T_SORTED those
 * that were decided, both by the journal number of the signal. Pure; any thread. */
#ifndef ENGINE_TRIAGE_H
#define ENGINE_TRIAGE_H

#include "engine/entry.h"

enum triage_as { TRIAGE_WAITS, TRIAGE_RELEVANT, TRIAGE_DUPLICATE, TRIAGE_NOT_OURS, TRIAGE_TIME_UP, TRIAGE_CANCELLED, TRIAGE_AS_COUNT };

enum { TRIAGE_KEY_LEN = 8 };

struct triage_row {
    int64_t came_at, due;  /* journal time: it came; it counts by itself */
    uint8_t as;            /* enum triage_as */
    int64_t sorted_at;     /* NO_INT: it waits */
    uint64_t sorted_entry; /* 0: it waits; that decided, or that was in hand when its time was up */
    struct slice who;      /* principal and actor; empty: the clock, or its sender */
    struct slice bytes;    /* the signal's entry */
};

void triage_key(uint8_t out[TRIAGE_KEY_LEN], uint64_t number);
void triage_row_put(struct buf *, const struct triage_row *);
/* Slices point into `bytes`. WW_EDAMAGED. */
int triage_row_get(struct slice bytes, struct triage_row *, struct err *) WW_CHECK;
/* Row and the signal in it; the entry is in the arena. */
int triage_signal(const struct triage_row *, struct arena *, const struct entry_signal **, struct err *) WW_CHECK;
/* The enterprise as the signal gave it. */
struct ekey triage_ekey(const struct entry_signal *);
const char *triage_word(uint8_t as); /* "relevant" */

#endif
