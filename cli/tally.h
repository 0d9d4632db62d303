/* SPDX-License-Identifier: Apache-2.0 */
/* What a fold gave, by enterprise: when it was first warned of at each level and by each rule, and the highest score that
 * an alert of it reached. One row an enterprise that a signal named or an alert is about; exercises, tests and areas have
 * none. Pure.
 *
 * Cost: a probe a signal, a short walk over the rules of an enterprise an event. */
#ifndef CLI_TALLY_H
#define CLI_TALLY_H

#include "engine/engine.h"
#include "engine/settings.h"

enum { SCORE_NONE = -1 };

struct tally_rule {
    uint32_t rule;        /* position among the settings' rules */
    uint32_t next;        /* position in hits + 1; 0: the last */
    int64_t at;           /* when it first was a reason of an alert */
};

struct tally_row {
    struct ekey key;
    const char *uscc, *name;     /* of its latest event; NULL: none */
    int64_t warned[LEVEL_COUNT]; /* first event that raised it to the level or above; NO_INT: none */
    int32_t score;               /* hundredths, the highest of its alert events; SCORE_NONE */
    uint32_t rules;              /* position in hits + 1 */
    bool merged;                 /* what was known by name only is in the row of its code */
    /* what a team found last; 0: nothing */
    uint8_t finding;             /* enum tally_finding */
    int64_t outcome;             /* when arrears began; NO_INT: not told of. Filled by who reads outcomes */
};

enum tally_finding { TALLY_NOT_FOUND, TALLY_CONFIRMED, TALLY_UNFOUNDED };

struct tally {
    const struct settings *settings;
    struct tally_row *rows;
    size_t n, cap;
    uint32_t *slots;             /* position + 1 */
    size_t n_slots;
    struct tally_rule *hits;
    size_t n_hits, cap_hits;
    uint32_t *rule_of_word;      /* DICT_RULE number -> position + 1; UINT32_MAX: none of these rules; 0: not looked up */
    size_t n_words;
    bool *fired;                 /* by rule: a reason of some event, an area's too */
    uint64_t events, areas;      /* alert events; of them, alerts of areas raised */
    uint64_t *rule_areas;        /* by rule: alerts of areas that it raised */
    struct arena arena;          /* codes and names */
};

void tally_init(struct tally *, const struct settings *);
void tally_finish(struct tally *);

/* The row of a key, made where there is none. Valid until the next one is made. */
struct tally_row *tally_row(struct tally *, const struct ekey *);
struct tally_row *tally_find(const struct tally *, const struct ekey *); /* NULL: none */
void tally_event(struct tally *, const struct event *, const struct dict *);
/* At the end: what is known under a name that turned out to be one code's goes to the code's row. */
void tally_merge(struct tally *, struct engine *);
/* When a rule first was a reason for this enterprise; NO_INT: never. */
int64_t tally_rule_at(const struct tally *, const struct tally_row *, uint32_t rule);

#endif
