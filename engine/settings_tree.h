/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the tree that one configuration entry carries and settings_compile reads, out of the tables that it
 * is made of: kinds, festivals, rules. Pure: takes what was read, not files. Everything lives in the arena
 * given. Any thread. */
#ifndef ENGINE_SETTINGS_TREE_H
#define ENGINE_SETTINGS_TREE_H

#include "lib/hash.h"
#include "lib/kind.h"
#include "lib/region.h"
#include "lib/tree.h"

/* "year,new_year_day" lines to a list of {festival, day}. WW_ECONFIG: "file:line: sentence", *out is NULL. */
int settings_tree_festivals(struct arena *, const char *file, struct slice text, struct tree **out,
                            struct err *) WW_CHECK;

/* "day,is,name" lines of one year to a list of {day, is}, added to it. WW_ECONFIG. */
int settings_tree_workdays(struct arena *, const char *file, struct slice text, struct tree *list, struct err *) WW_CHECK;

/* threshold_csv.c: lines of the law to a list of {region, line, people, months, amount, order, incident, source, date}. What
 * is wrong goes to the mistakes, all of it. */
struct tree *settings_tree_thresholds(struct arena *, const char *file, struct slice text, struct mistakes *);
/* threshold_check.c: of a settings tree with `thresholds`: rules that ask for a line of which the file has no row, rows of a
 * line that nobody asks for. */
void settings_tree_check_lines(const struct tree *settings, struct mistakes *);

/* The whole; files as parsed are shared, not copied. */
struct settings_parts {
    const struct kinds *kinds;
    struct tree *festivals;
    const struct tree *rules;
    int64_t timezone_ms;
    struct tree *thresholds;    /* NULL: none */
    const struct tree *areas;   /* NULL: none */
    const struct tree *shadow;  /* NULL: none */
    const struct tree *teams, *measures, *deadlines; /* engine/work.h; NULL: none */
    struct tree *workdays;      /* settings_tree_workdays; NULL: weekends only */
    const struct tree *duties;  /* NULL: none */
};
const struct tree *settings_tree_make(struct arena *, const struct settings_parts *);

/* BLAKE2b-256 of the encoded tree: the version of these settings. */
void settings_tree_hash(const struct tree *, uint8_t out[CHAIN_LEN]);

#endif
