/* SPDX-License-Identifier: Apache-2.0 */
/* How alerts are worked: tiers of government and their teams, who answers for which place and industry, measures,
 * deadlines, working days. All of it data, compiled from the parts of a configuration entry:
 *   teams:     config/teams.yaml     covers, tiers, departments, leads, joins, teams
 *   measures:  config/measures.yaml  measures
 *   deadlines: config/deadlines.yaml accept, verify, close, escalate_after, unattended, extend, hold, snooze, follow_up,
 *                                    settles, first_steps, triage, steps
 *   workdays:  [{day: 2026-02-14, is: work}, ...]
 * Any of them may be absent: no teams, any team's and any measure's name is taken as it is; no deadlines, nothing is due.
 * Compiled whole or not at all; immutable; any thread. No measure's and no team's name stands in C. */
#ifndef ENGINE_WORK_H
#define ENGINE_WORK_H

#include "lib/region.h"
#include "lib/tree.h"
#include "lib/words.h"
#include "lib/workday.h"

enum { TIERS_MAX = 8, TEAMS_MAX = 20000, MEASURES_MAX = 256 };

/* A length of time as law and custom give it: 2h, 10d (from the moment), 3wd (working days, to 24:00 of the last), 6mo, 3y
 * (civil months, to 24:00 of the day of the same number, or of the month's last). */
struct term {
    bool given, working;
    int64_t ms;              /* neither working nor months */
    unsigned days;           /* working */
    unsigned months;         /* 0: none */
};

struct tier {
    struct slice id, zh, en;
    struct term escalate_after; /* overdue for so long: the next tier has it */
};

struct team {
    struct slice id, zh, en, department, carrier; /* carrier: the named leader who carries it (领导包案) */
    uint8_t tier;            /* position in tiers, 0 the lowest */
    uint32_t n_regions, n_industries;
    region_t *regions;       /* prefixes that it answers for */
    struct slice *industries; /* prefixes; none: all that no other team of the place has */
};

/* Who leads and who assists in an industry (联合处置). */
struct lead {
    struct slice industry;   /* prefix; empty: all others */
    struct slice department;
    uint32_t n_assist;
    struct slice *assist;
};

enum measure_want { WANT_REF = 1, WANT_DUE = 2, WANT_PEOPLE = 4, WANT_AMOUNT = 8, WANT_NOTE = 16 };

/* What came of a case when it is closed. */
enum outcome { OUTCOME_PAID, OUTCOME_UNFOUNDED, OUTCOME_FALSE_CLAIM, OUTCOME_MEDIATED, OUTCOME_TRANSFERRED, OUTCOME_LISTED,
               OUTCOME_OTHER, OUTCOMES };
extern const char *const outcome_words[OUTCOMES];

/* Roles that act. `local` acts as operator. */
enum acting_role { ACTS_INSPECTOR = 1, ACTS_OPERATOR = 2, ACTS_ANY = 3 };

/* Steps that a place may reserve, or want a reason for. */
enum limited_step { LIMIT_EXTEND, LIMIT_HOLD, LIMIT_SNOOZE, LIMIT_ESCALATE, LIMIT_CORRECT, LIMITS };
extern const char *const limited_words[LIMITS];

struct step_limit {
    unsigned roles;          /* enum acting_role; 0: whoever may act */
    bool note;               /* wanted */
};

struct measure {
    struct slice id, zh, en;
    unsigned levels;         /* 1 << enum level at which it may be taken */
    uint32_t n_roles;
    struct slice *roles;     /* who may; none: whoever may act */
    unsigned wants;          /* enum measure_want */
    struct term due, due_most; /* filled in when none is said; the longest that may be said */
    struct slice silence;    /* kind that is fed back when it runs out unanswered; empty: only `overdue` is told */
    uint32_t n_answered_by;
    struct slice *answered_by; /* kinds whose signal, dated after it, answers it */
    unsigned outcomes;       /* 1 << enum outcome that closing may tell once it was taken */
    struct term lasts, may_end_after; /* a listing: three years, early end after six months */
    bool recover;            /* money paid in advance that waits to be recovered */
};

/* Kinds that the fold feeds itself when teams settled something, so that what it settles stops counting. */
struct settles {
    uint32_t n;
    struct slice *kinds;
};

struct work {
    struct arena arena;
    bool has_teams, has_measures, has_deadlines;
    uint32_t n_covers, n_tiers, n_departments, n_leads, n_teams, n_measures;
    region_t *covers;        /* where each place must have a team */
    struct tier *tiers;
    struct slice *departments;
    struct lead *leads;
    struct team *teams;
    struct measure *measures;
    uint8_t joins[LEVEL_COUNT]; /* the highest tier that is in it from the start at this level */
    struct term accept[LEVEL_COUNT], verify[LEVEL_COUNT], close[LEVEL_COUNT], unattended[LEVEL_COUNT];
    struct term absent;      /* nobody looked, and who listened for it has gone for so long */
    struct term extend;      /* once, by so much */
    struct term hold_most, snooze_most, follow_up;
    uint32_t follow_up_ppm;  /* share of the closed ones that are called back (回访), drawn by the alert's number */
    struct term first_steps[4]; /* seen, registered, forwarded, verified (四个第一) */
    struct settles settled_by_paid, settled_by_false_claim;
    struct step_limit limits[LIMITS];
    uint32_t n_triage;
    struct slice *triage;    /* kinds that wait in the intake list */
    struct term triage_term; /* after which they count by themselves */
    struct workdays days;
    int64_t timezone;        /* ms east of UTC */
    uint32_t n_duties;       /* duties.yaml, in the order of the file; in the settings' memory */
    const struct duty *duties;
};

/* parts: the whole configuration tree. *out NULL when it has none of the parts, or when there was a mistake (told). */
void work_load(const struct tree *parts, int64_t timezone, struct mistakes *, struct work **out);
void work_destroy(struct work *);

/* When a term that begins at `at` ends; INT64_MAX: not given. */
int64_t term_end(const struct work *, const struct term *, int64_t at);
/* "2h" "10d" "3wd" "6mo" "3y"; false: none of these. */
bool term_parse(struct slice, struct term *);

/* The team that answers at a tier for a place and an industry: the longest prefix of the place wins, then the longest of
 * the industry. NULL: none there. */
const struct team *work_team(const struct work *, region_t place, struct slice industry, unsigned tier);
const struct team *work_team_named(const struct work *, struct slice id);
const struct measure *work_measure(const struct work *, struct slice id);
unsigned work_role(struct slice word);  /* enum acting_role; 0: nobody acts as that */
const char *work_roles(unsigned roles); /* "operator", "inspector and operator" */
int work_outcome(struct slice word);    /* enum outcome; -1: none of them */
/* A team of a department for a place, of the lowest tier that has one. NULL: none. */
const struct team *work_department(const struct work *, region_t place, struct slice department);
const struct lead *work_lead(const struct work *, struct slice industry);

/* The best and another that answers as well (NULL: none). */
const struct team *work_best_two(const struct work *, region_t place, struct slice industry, unsigned tier,
                                 const struct team **equal);

/* ---- work_check.c: what compiles and cannot be meant. No part of compiling: a journal may hold settings of a time when it
 * was not told. ---- */

/* Measures that nobody can live up to, tiers without a team. parts: what work_load was given. */
void work_check(const struct work *, const struct tree *parts, struct mistakes *);
/* What is wrong with the routing over the regions that there are: places under `covers` (without that key: of any team)
 * without a team at a tier, and two teams that answer for the same. Calls told() with one sentence each, at most `most`; returns how many there are. */
size_t work_check_routes(const struct work *, const region_t *places, size_t n, size_t most,
                         void (*told)(void *, const char *sentence), void *arg);

#endif
