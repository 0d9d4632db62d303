/* SPDX-License-Identifier: Apache-2.0 */
/* The settings in force: kinds, score, calendar and rules, compiled from the tree of one configuration entry:
 *   {timezone_ms, kinds: [{kind, zh, en, weight_ppm, half_life_days, repeat_window_days, clears, clue}, ...],
 *    festivals: [{festival, day: 2026-02-17}, ...], rules: <rules.yaml as parsed>}
 * Compiled whole or not at all; every mistake is told with its place. Immutable once compiled; any thread. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "engine/dict.h"
#include "engine/fixed.h"
#include "lib/kind.h"
#include "lib/region.h"
#include "lib/tree.h"
#include "lib/words.h"

enum { AGENCIES_MAX = 64, KIND_WORDS = KINDS_MAX / 64, PPM = 1000000 };

/* A set of kinds, by their position in settings.kinds. */
struct kind_set {
    uint64_t bits[KIND_WORDS];
};

static inline bool kind_in(const struct kind_set *set, uint32_t kind)
{
    return set->bits[kind / 64] >> (kind % 64) & 1;
}

struct settings_kind {
    struct slice name, zh, en, clue;
    uint32_t weight_ppm, half_life_days, window_days;
    hazard_t hazard;            /* -ln(1 - weight) */
    int64_t half_life, window;  /* ms */
    uint32_t agency;            /* position in settings.agencies */
    bool clears_any;
    struct kind_set clears;
};

/* What a selector asks of a signal beside its kind. */
struct where {
    bool given;
    int64_t amount_least, amount_most;  /* fen; NO_INT: not asked */
    int64_t people_least, people_most;
    uint32_t n_regions, n_sources;      /* any of them; 0: not asked */
    region_t *regions;                  /* prefixes of the place of work */
    struct slice *sources;
};

struct selector {
    struct slice name;
    struct kind_set kinds;
    bool cleared_too;           /* what was cleared counts as well */
    struct where where;
};

/* The operators of a condition; the table in rules_load.c has a row for each. */
enum cond_op {
    COND_ALL, COND_ANY, COND_NOT, COND_SIGNAL, COND_COUNT, COND_AGENCIES, COND_SUM, COND_SEQUENCE, COND_ABSENT,
    COND_ENTERPRISE, COND_SEASON, COND_FINDING, COND_SCORE
};

enum sum_field { SUM_AMOUNT, SUM_PEOPLE };

/* Attributes of an enterprise: each that is given must match; within one, any word does. */
struct attributes {
    uint32_t n_industries, n_regions, n_tags;
    struct slice *industries, *tags;
    region_t *regions;
    char credits[4];            /* "AC"; "": not asked */
};

struct cond {
    enum cond_op op;
    struct selector of;         /* signal, count, agencies, sum; absent: after what */
    int64_t within;             /* ms, closed at both ends; season: before the festival */
    int64_t at_least;           /* count, agencies, sum */
    uint32_t n;                 /* all, any, not (1), sequence, absent (1) */
    struct cond *parts;         /* of sequence and absent only `of` counts: steps, what is expected */
    enum sum_field field;
    struct attributes *enterprise;
    struct slice festival;
    uint8_t finding;            /* enum finding */
};

struct rule {
    struct slice id, zh, en;
    uint32_t word;              /* DICT_RULE, once bound */
    struct cond when;
    uint8_t raise;              /* enum level; LEVEL_NONE: raises nothing */
    bool by_score;              /* raises to the level by score */
    uint8_t at_most;            /* LEVEL_COUNT: no cap */
    uint32_t n_suppress;
    uint32_t *suppress;         /* positions of rules */
};

struct factor {
    struct slice key;           /* industry prefix, credit grade, festival */
    uint32_t ppm;
    int64_t before;             /* season: ms ahead of the festival */
};

struct season {
    int64_t from, to;           /* ms: [from, to) */
    uint32_t ppm;
    struct slice festival;
};

struct festival {
    struct slice name;
    int64_t day;                /* ms: its 00:00 */
};

struct settings {
    struct arena arena;         /* holds all of it */
    int64_t timezone;           /* ms east of UTC */
    uint32_t n_kinds, n_agencies;
    struct settings_kind *kinds;
    struct slice *agencies;
    hazard_t reach[LEVEL_COUNT];  /* a level by score is reached at this hazard */
    hazard_t hold[LEVEL_COUNT];   /* and held above this one */
    uint8_t alone_at_most;
    hazard_t others_at_least;
    uint32_t n_industry, n_credit, n_seasons;
    struct factor *industry, *credit;
    struct season *seasons;     /* by rising from */
    uint32_t n_festivals;
    struct festival *festivals;
    uint32_t n_rules;
    struct rule *rules;
    /* once bound to a store's dictionary */
    uint32_t n_words;
    uint32_t *kind_of_word;     /* DICT_KIND number -> position + 1; 0: a kind no longer configured */
};

/* WW_ECONFIG when there was a mistake; *out is NULL then. */
int settings_compile(const struct tree *, struct mistakes *, struct settings **out) WW_CHECK;
void settings_destroy(struct settings *);

/* Gives kinds and rules their numbers in a store. Writer thread. */
void settings_bind(struct settings *, struct dict *);
/* NULL: no such kind in force. */
const struct settings_kind *settings_kind(const struct settings *, uint32_t word);
uint32_t settings_kind_at(const struct settings *, uint32_t word); /* position; UINT32_MAX: none */

/* Factor of industry, credit and season at a time, parts per million. */
uint64_t settings_factor(const struct settings *, struct slice industry, char credit, int64_t at);
/* The next time after `at` when a season begins or ends; INT64_MAX: none known. */
int64_t settings_next_season(const struct settings *, int64_t at);

/* rules_load.c: the part of settings_compile that reads `selectors` and `rules`. */
void rules_load(struct settings *, const struct tree *rules, struct mistakes *);

#endif
