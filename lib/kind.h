/* SPDX-License-Identifier: Apache-2.0 */
/* The table of signal kinds (config/kinds.csv). Immutable once loaded; any thread. Pure: takes text. */
#ifndef LIB_KIND_H
#define LIB_KIND_H

#include "lib/base.h"
#include "lib/err.h"

enum { KINDS_MAX = 1024 };

struct kind {
    const char *name;            /* "court.seizure" */
    const char *agency;          /* "court": what stands before the dot */
    const char *zh, *en;
    uint32_t weight_ppm;         /* probability that it alone leads to arrears, parts per million, < 1,000,000 */
    uint32_t half_life_days;     /* > 0 where weight is */
    uint32_t repeat_window_days; /* 0: each counts in full */
    const char *clears;          /* names of the kinds that it ends, separated by one space; "" for none */
    const char *clue;            /* clue_of: "cash shortage"; "" for none */
};

struct kinds;

/* Parses the CSV text (header line as in config/kinds.csv, RFC 4180 quoting). Mistakes: WW_ECONFIG with
 * "file:line: sentence": unknown column, kind twice, a weight outside 0..1 or with a clearing kind, a cleared kind that
 * is none. */
int kinds_parse(struct kinds **, const char *file, struct slice text, struct err *) WW_CHECK;
void kinds_destroy(struct kinds *);
size_t kinds_count(const struct kinds *);
const struct kind *kinds_at(const struct kinds *, size_t i);            /* in the order of the file */
const struct kind *kinds_find(const struct kinds *, struct slice name); /* NULL: no such kind */
/* The nearest name by edit distance, for "did you mean"; NULL when none is near. */
const char *kinds_suggest(const struct kinds *, struct slice name);

#endif
