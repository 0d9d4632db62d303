/* SPDX-License-Identifier: Apache-2.0 */
/* The settings in force: kinds, score, calendar and rules, compiled from the tree of one configuration entry:
 *   {timezone_ms, kinds: [{kind, zh, en, weight_ppm, half_life_days, repeat_window_days, clears, clue}, ...],
 *    festivals: [{festival, day: 2026-02-17}, ...], rules: <rules.yaml as parsed>,
 *    thresholds: [{region, line, people, months, amount, source, date}, ...], areas: <areas.yaml as parsed>,
 *    shadow: <a second rules file as parsed>, duties: <duties.yaml as parsed>}     the last four may be absent
 * Compiled whole or not at all; every mistake is told with its place. Immutable once compiled; any thread. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "engine/dict.h"
#include "engine/fixed.h"
#include "engine/work.h"
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
    COND_ALL, COND_ANY, COND_NOT, COND_SIGNAL, COND_COUNT, COND_AGENCIES, COND_REGIONS, COND_SUM, COND_SEQUENCE,
    COND_ABSENT, COND_ENTERPRISE, COND_SEASON, COND_FINDING, COND_SCORE, COND_RELATED, COND_THRESHOLD, COND_AREA
};

enum sum_field { SUM_AMOUNT, SUM_PEOPLE };

/* Attributes of an enterprise: each that is given must match; within one, any word does. */
struct attributes {
    uint32_t n_industries, n_regions, n_tags;
    struct slice *industries, *tags;
    region_t *regions;
    char credits[4];            /* "AC"; "": not asked */
};

/* What binds enterprises to each other. */
enum link_class { LINK_OWNER = 1, LINK_PROJECT, LINK_PARENT, LINK_SUCCESSION, LINK_CLASS_END };

/* What an enterprise gives to those linked with it, or to its area, while it holds: "was at `level` within", or "has a
 * signal of `of` within". Worked out per enterprise by its own signals and rules only, so that nothing goes in circles.
 * `word` tells the same one apart from others through changes of settings: a hash of what it says. */
struct radiation {
    uint32_t word;
    uint8_t level;              /* LEVEL_NONE: by signal */
    struct selector of;
    int64_t within;
    uint32_t classes;           /* 1 << enum link_class, of all conditions that ask for it; 0: an area's only */
};

/* Of an area condition: which digits of the region, which characters of the industry make one area; 0: not told apart.
 * Or what binds its enterprises: then its alert is the parent of theirs (engine/rollup.h). */
enum area_by { AREA_BY_PLACE, AREA_BY_OWNER = LINK_OWNER, AREA_BY_PROJECT = LINK_PROJECT, AREA_BY_ZONE = 15 };

struct area {
    uint8_t by;                 /* enum area_by */
    uint8_t region_digits, industry_length;
    uint32_t n_regions, n_industries; /* only these prefixes; 0: all */
    region_t *regions;
    struct slice *industries;
};

struct cond {
    enum cond_op op;
    struct selector of;         /* signal, count, agencies, regions, sum; absent: after what */
    int64_t within;             /* ms, closed at both ends; season: before the festival */
    int64_t at_least;           /* count, agencies, regions, sum; score: enum level */
    uint8_t digits;             /* regions: so many of a code tell two places apart */
    uint32_t n;                 /* all, any, not (1), sequence, absent (1) */
    struct cond *parts;         /* of sequence and absent only `of` counts: steps, what is expected */
    enum sum_field field;
    struct attributes *enterprise;
    struct slice festival;
    uint8_t finding;            /* enum finding */
    uint32_t radiation;         /* related, area: position in settings.radiations */
    uint32_t classes;           /* related: 1 << enum link_class, any of them */
    struct area *area;
    struct slice line;          /* threshold: the line's name in thresholds */
};

struct rule {
    /* what every judgement asks of each rule that may hold: in one line of the cache */
    uint32_t word;              /* DICT_RULE, once bound */
    uint8_t raise;              /* enum level; LEVEL_NONE: raises nothing */
    uint8_t at_most;            /* LEVEL_COUNT: no cap */
    bool by_score;              /* raises to the level by score */
    bool escalate;              /* takes the alert up a tier, once each time it begins to hold */
    bool across;                /* asks of other enterprises (related, area): not part of the enterprise's own level */
    bool area;                  /* its condition is `area`: judged for areas, not for enterprises */
    uint32_t n_suppress;
    struct slice tag;           /* put on the alert while it holds; empty: none */
    struct cond when;
    uint32_t *suppress;         /* positions of rules */
    struct slice id, zh, en;
};

/* A line of the law for a region (config/thresholds.csv). Rows of one line are alternatives: any met is the line met. */
struct threshold {
    region_t region;            /* prefix; 0: everywhere; the longest prefix wins */
    struct slice line, source, date;
    int64_t people, months, amount; /* at least; 0: not asked; amount in fen */
    bool order;                 /* an order to pay must have run out */
    bool incident;              /* or, instead of people and amount, a mass incident */
};

/* What thresholds are measured on: rules.yaml `assessment`, else the defaults of settings.c. */
struct assessment {
    struct selector owed;       /* signals that say how many, how much, since when */
    struct selector order;      /* an order to pay ran out */
    struct selector incident;   /* a mass incident */
    int64_t within;             /* older ones do not count: 监察条例 art. 20, two years */
};

struct zone {                   /* areas.yaml: a named set of prefixes with a code of its own */
    region_t code;
    struct slice name;
    uint32_t n;
    region_t *prefixes;
};

struct replaced {               /* areas.yaml: a code that another has replaced */
    region_t old, now;
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

/* A visit or review of enterprises that is expected by a date (duties.yaml). */
struct duty {
    struct slice id, zh, en;
    struct attributes who;      /* which enterprises */
    struct term every;          /* after it was done last, or since it applies */
    int64_t remind;             /* ms before it is due; 0: nobody is reminded */
    struct term escalate_after; /* overdue for so long: the next tier has it */
    uint8_t tier;               /* whose it is: position in work.tiers */
    struct kind_set done_by;    /* a signal of any of these shows that it was done */
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
    uint64_t strongest_ppm;     /* no factor of all three together is greater */
    uint32_t n_festivals;
    struct festival *festivals;
    uint32_t n_rules;
    struct rule *rules;
    uint32_t n_radiations;
    struct radiation *radiations;
    uint32_t n_area_rules;
    uint32_t *area_rules;       /* positions of rules */
    uint32_t share_ppm[ROLE_COUNT];   /* score.shares: of a project's sub, labour ... counted for its general contractor */
    uint32_t succession_ppm;          /* of a predecessor, counted for its successor; 0: none */
    uint32_t n_thresholds;
    struct threshold *thresholds;
    struct assessment assessment;
    uint32_t n_zones, n_replaced;
    struct zone *zones;
    struct replaced *replaced;  /* sorted by old */
    int64_t longest_window;     /* ms, of all conditions: to be held against the retention */
    struct settings *shadow;    /* a second rules file over the same kinds, folded beside; NULL: none */
    struct work *work;          /* teams, measures, deadlines; NULL: none configured */
    struct rule_index *index;   /* rule_index.c: which rules a record's signals can concern */
    /* once bound to a store's dictionary */
    uint32_t n_words;
    uint32_t *kind_of_word;     /* DICT_KIND number -> position + 1; 0: a kind no longer configured */
};

/* WW_ECONFIG when there was a mistake; *out is NULL then. */
int settings_compile(const struct tree *, struct mistakes *, struct settings **out) WW_CHECK;
/* The mistakes of the parts that need neither rules nor kinds, where those are broken themselves. */
void settings_check_parts(const struct tree *, struct mistakes *);
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

/* areas_load.c. The code in force for one that was replaced; town and village digits under a replaced county are let go,
 * since the new county numbers its own. */
region_t settings_region(const struct settings *, region_t);
uint32_t settings_zone(const struct settings *, region_t); /* position of the zone that it lies in; UINT32_MAX: none */
void settings_accept_regions(const struct settings *, struct regions *); /* zones' and replaced codes are taken, too */

/* rules_load.c: the part of settings_compile that reads `selectors` and `rules`. */
void rules_load(struct settings *, const struct tree *rules, struct mistakes *);

#endif
