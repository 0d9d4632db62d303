/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms that make settings out of trees share, and nobody else: rules_load (rules), cond_load (conditions),
 * selector_load (selectors), threshold_load (lines of the law). One loader for one compilation; one thread.
 * Every mistake is told with its place, and loading goes on: whoever wrote the file hears all of them at once. */
#ifndef ENGINE_RULES_LOAD_H
#define ENGINE_RULES_LOAD_H

#include "engine/settings.h"

enum {
    RULES_MAX = 5000,       /* and what bounds the cost of one: */
    CONDS_MAX = 50000,      /* conditions in a file */
    DEPTH_MAX = 16,         /* conditions within each other */
    COND_PARTS_MAX = 64,    /* of all, any, a sequence's steps */
    COUNT_MAX = 10000,      /* at_least of a count: so many signals are walked at most */
    WORDS_MAX = 1000,       /* in one list: regions, sources, industries, tags */
    SELECTORS_MAX = 1000,
    RADIATIONS_MAX = 256,   /* distinct things asked of other enterprises: each is worked out for each enterprise */
    WITHIN_MAX_DAYS = 3660,
    SEASON_MAX_DAYS = 366
};

struct loader {
    struct settings *s;
    struct mistakes *m;
    const struct tree *selector_map;
    uint32_t n_selectors;           /* those above the one in hand */
    struct selector *selectors;
    uint32_t n_conds;
    bool across, area;              /* of the rule in hand */
    bool *broken;                   /* by position of rule: its condition has mistakes, so nothing follows from it */
    uint32_t cap_radiations;
    struct slice *said;             /* what each radiation says, to tell them apart */
};

/* Unknown keys of a map. */
void load_known(struct loader *, const struct tree *map, const char *const *words, size_t n);
/* A word or a list of words, copied; NULL and *n 0 where that is not so. */
struct slice *load_words(struct loader *, const struct tree *, uint32_t *n, const char *what);
region_t *load_regions(struct loader *, const struct tree *, uint32_t *n, const char *what);
/* "30d", above 0 and not longer than WITHIN_MAX_DAYS; `where` is told when t is NULL. */
int64_t load_within(struct loader *, const struct tree *, const struct tree *where);
/* 500000 yuan -> fen; people: a whole number. */
int64_t load_quantity(struct loader *, const struct tree *, enum sum_field);
/* general, major, critical; LEVEL_NONE: told. */
uint8_t load_level(struct loader *, const struct tree *);

/* selector_load.c */
void load_selectors(struct loader *, const struct tree *map);
void load_selector(struct loader *, const struct tree *, struct selector *out);
bool selector_empty(const struct selector *);

/* cond_load.c: what `enterprise` asks, of a map */
struct attributes *load_attributes(struct loader *, const struct tree *);
/* `when` of one rule; sets across and area */
void load_when(struct loader *, const struct tree *, struct cond *);

/* radiation_load.c: what is asked of other enterprises, each thing once; returns its position. */
uint32_t load_radiation(struct loader *, const struct tree *where, const struct radiation *);

/* score_load.c: levels, factors, shares */
void load_score(struct settings *, const struct tree *score, struct mistakes *);

/* threshold_load.c */
void load_thresholds(struct settings *, const struct tree *list, struct mistakes *);
void load_areas(struct settings *, const struct tree *, struct mistakes *); /* areas_load.c; before the rules */
void load_assessment(struct loader *, const struct tree *);
void load_duties(struct settings *, const struct tree *, struct mistakes *); /* duty_load.c; after the work */
bool load_line_known(const struct settings *, struct slice line);

#endif
