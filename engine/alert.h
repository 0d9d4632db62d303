/* SPDX-License-Identifier: Apache-2.0 */
/* An alert: an enterprise's open warning, one at a time, and the table of steps of its life.
 * Stored in T_ALERT whole, so that a list of alerts needs no other table. Pure. */
#ifndef ENGINE_ALERT_H
#define ENGINE_ALERT_H

#include "engine/event.h"

enum { REOPEN_DAYS = 90 }; /* PROTOCOL: new signals within it reopen a closed alert */

struct alert {
    uint64_t number;          /* that of its `raised` event */
    uint64_t version;         /* number of its events */
    uint64_t last_event;
    uint64_t closed_entry;    /* entry that closed it; only a later signal reopens */
    struct ekey key;
    uint8_t state, level;
    uint8_t finding;          /* 0 none, else enum finding */
    bool withdrawn;           /* closed by itself */
    uint32_t score;           /* at its last event, hundredths */
    int64_t raised_at, changed_at;
    int64_t closed_at;        /* NO_INT: never yet */
    int64_t due;              /* NO_INT */
    uint64_t evidence_sum;    /* of what counted at its last event: order-free checksum of numbers */
    struct slice uscc, name, industry;
    region_t region;
    uint32_t n_places;
    const region_t *places;
    uint32_t rule;            /* DICT_RULE of its weightiest reason, UINT32_MAX: none (title) */
    struct slice team;        /* assigned; empty: by place */
    uint32_t n_joined;
    const struct slice *joined;
};

enum finding { FINDING_NONE, FINDING_CONFIRMED, FINDING_UNFOUNDED, FINDING_FALSE_CLAIM };

void alert_put(struct buf *, const struct alert *);
int alert_get(struct slice bytes, struct arena *, struct alert *, struct err *) WW_CHECK;

/* What may be done in a state, as words for a refusal: "accept, seen, assign". Static storage. */
const char *alert_possible(enum alert_state);

#endif
