/* SPDX-License-Identifier: Apache-2.0 */
/* The second reading of how alerts are worked, for tests to hold the engine against: deadlines.yaml,
 * measures.yaml, the calendar and kinds.csv read by plain search in their text, working days counted one by
 * one. Slow, and on purpose shares no code with engine/ or lib/. The files must be laid out as the shipped
 * ones are. */
#ifndef TESTS_PLAIN_WORK_H
#define TESTS_PLAIN_WORK_H

#include <stdbool.h>
#include <stdint.h>

enum { PW_LEVELS = 4, PW_MEASURES = 32, PW_TEAMS = 64, PW_TOWNS = 24, PW_KINDS = 128, PW_DAYS = 365 };

#define PW_NEVER    INT64_MAX
#define PW_DAY      INT64_C(86400000)
#define PW_NEW_YEAR INT64_C(1767196800000) /* 2026-01-01 00:00 at +08:00, a Thursday */

struct pw_term {
    bool given, working;
    int64_t n; /* ms; working days */
};

struct pw_measure {
    char id[32], silence[40], answered_by[160], wants[64], levels[40], roles[40], outcome[24];
    struct pw_term due, due_most, lasts;
    bool recover;
};

struct pw_team {
    char id[24], name[24];
    int tier;
    bool sites;               /* answers for building (E) alone */
    char towns[PW_TOWNS][10]; /* prefixes */
    int n_towns;
};

struct pw_kind {
    char name[40], clears[160];
    bool counts; /* it has a weight */
};

struct plain_work {
    struct pw_term accept[PW_LEVELS], verify[PW_LEVELS], close[PW_LEVELS], unattended[PW_LEVELS];
    struct pw_term extend, hold_most, snooze_most, follow_up,
        climb[3]; /* climb: overdue for so long, by tier */
    unsigned follow_up_ppm;
    char paid[200], false_claim[200];
    struct pw_measure measures[PW_MEASURES];
    int n_measures;
    struct pw_team teams[PW_TEAMS];
    int n_teams;
    int joins[PW_LEVELS];
    struct pw_kind kinds[PW_KINDS];
    int n_kinds;
    char special[PW_DAYS]; /* of 2026: 'w' works, 'o' off, 0 as its weekday says */
};

/* Everything but the teams, `climb` and `joins`, which whoever made them up sets. */
void pw_read(struct plain_work *, const char *deadlines, const char *measures, const char *calendar,
             const char *kinds);
bool pw_works(const struct plain_work *, int64_t day); /* day: since the new year of 2026 */
int64_t pw_day(int64_t ms);
/* When a term ends that began at `at`. `after_day`: `at` is the 24:00 that ended a day, which is not counted
 * twice. */
int64_t pw_end(const struct plain_work *, struct pw_term, int64_t at, bool after_day);
const struct pw_measure *pw_measure(const struct plain_work *, const char *id); /* NULL: none */
const struct pw_kind *pw_kind(const struct plain_work *, const char *name);
const struct pw_team *pw_team(const struct plain_work *, const char *place, const char *industry, int tier);
const struct pw_team *pw_team_named(const struct plain_work *, const char *id);
bool pw_word(const char *list, const char *word); /* is it one of "a, b c"? */

#endif
