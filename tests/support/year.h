/* SPDX-License-Identifier: Apache-2.0 */
/* A made-up year of 7,000 enterprises and 40 teams that answer late, sometimes never, with holidays on which
 * nobody works, on a simulated clock: folded by an engine, held against tests/support/plain_life event by
 * event, and kept as a journal that can be folded again. */
#ifndef TESTS_YEAR_H
#define TESTS_YEAR_H

#include "engine/fold.h"
#include "tests/support/plain_life.h"
#include "tests/support/world.h"

enum { FIRMS = 7000, DRILLS = 60, YEAR_SEED = 20260101 };

/* What is journalled, to be folded again. */
enum rec_type { REC_TICK, REC_SIGNAL, REC_ACTION, REC_CONFIG, REC_SWEEP };

struct rec {
    enum rec_type type;
    int64_t at;
    struct slice bytes; /* of all but configurations and actions */
    struct entry_action x;
    bool drill, refused;
};

/* What is compared of an event. */
struct told {
    uint64_t seq, alert;
    int64_t at, due;
    uint32_t teams; /* their names, hashed */
    uint8_t type, level, state, tier;
};

struct plan { /* what will happen: a signal is heard, or a team turns to an alert */
    int64_t at;
    uint32_t order;
    int firm; /* of a signal; else -1 */
    uint64_t alert;
    const char *kind;
    int64_t said;
    int people;
};

struct actor {
    uint64_t chance;
    int temper; /* 0 prompt, 1 late, 2 very late, 3 never */
    bool waits; /* its next turn is planned */
};

struct year {
    struct world w;
    struct arena arena;
    struct plain_work work[2]; /* before the change in the middle of the year, and after it */
    char *teams[2], *deadlines[2], *measures[2];
    struct plain_life life;
    struct rec *recs;
    size_t n_recs, cap_recs;
    struct told *told;
    size_t n_told, cap_told;
    struct plan *heap;
    size_t n_heap, cap_heap;
    uint32_t order;
    struct actor *actors; /* by position of the alert in `life` */
    size_t n_actors, cap_actors;
    char (*towns)[10];
    int n_towns;
    struct pl_figures figures; /* from the engine's events alone */
};

extern const char year_rules[];

uint64_t year_chance(uint64_t *state);
void year_live(struct year *); /* cmocka fails at the first difference */
void year_finish(struct year *);
/* The settings of the beginning (0), and those from the middle of the year on (1). */
void year_configure(struct year *, struct world *, int which, int64_t at);
void year_count(struct world *, struct pl_figures *, const struct event *);
void year_drop_events(struct world *);

#endif
