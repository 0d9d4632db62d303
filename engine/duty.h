/* SPDX-License-Identifier: Apache-2.0 */
/* Duties: visits and reviews of an enterprise that are expected by a date (config/duties.yaml). Their rows: T_DUTY holds
 * one of each enterprise that has any, by its key, all its duties in it; so a judgement reads one row more, and only
 * of an enterprise whose record says that there is one. The row says of the enterprise what whoever lists duties must
 * know. Pure; any thread. What the fold does with them is in duty.c, by engine/fold.h. */
#ifndef ENGINE_DUTY_H
#define ENGINE_DUTY_H

#include "engine/settings.h"
#include "lib/buf.h"

/* What an event of type `duty` tells; stored. */
enum duty_step { DUTY_STEP_NONE, DUTY_REMIND, DUTY_OVERDUE, DUTY_ESCALATED, DUTY_DONE, DUTY_STEP_COUNT };
const char *duty_step_wire(unsigned); /* "remind"; NULL: none */

/* One duty of one enterprise. Times in ms; NO_INT: never, or none. */
struct duty_state {
    struct slice duty;       /* its id */
    int64_t since;           /* from when it applies */
    int64_t done_at;         /* last done since then, by a signal or by hand */
    int64_t due;
    int64_t escalate_at;     /* overdue: the next tier has it then */
    bool reminded, overdue;  /* told, of this due */
    uint8_t climbed;         /* tiers that were called in, above the one whose duty it is */
    int64_t hand_at;         /* last reported done by hand: when, in which entry, by whom, with which document */
    uint64_t hand_entry;     /* 0: never */
    struct slice hand_who, hand_ref;
};

struct duty_row {
    int64_t next;            /* its item in T_DUE; NO_INT: none */
    struct slice name, industry;
    region_t region, place;  /* shown; where it is routed by */
    uint32_t n_places, n;
    const region_t *places;
    struct duty_state *list; /* in the order of the file */
};

void duty_row_put(struct buf *, const struct duty_row *);
/* Slices point into `bytes`, lists into the arena. WW_EDAMAGED. */
int duty_row_get(struct slice bytes, struct arena *, struct duty_row *, struct err *) WW_CHECK;

/* NULL: none is configured under that id. */
const struct duty *duty_named(const struct work *, struct slice id);
/* The tier that has it now. */
unsigned duty_tier(const struct work *, const struct duty *, const struct duty_state *);
/* Who has it: the team whose duty it is, then those called in above. At most TIERS_MAX; returns how many. */
uint32_t duty_teams(const struct work *, const struct duty_row *, const struct duty *, const struct duty_state *,
                    struct slice out[TIERS_MAX]);

#endif
