/* SPDX-License-Identifier: Apache-2.0 */
/* Working days: Monday to Friday, but for the days off and the made-up working days of the State Council's yearly
 * holiday notice (config/calendar/YEAR.csv: day,is,name; is = off or work). Immutable once made; any thread.
 *
 * How a term is counted (民法典 art. 201, 203): the day on which it begins is not counted, it ends at 24:00 of its last
 * day, and a last day that is no working day moves to the next one. */
#ifndef LIB_WORKDAY_H
#define LIB_WORKDAY_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/err.h"

struct special_day {
    int64_t day;               /* days since 1970-01-01, civil */
    bool works;
};

struct workdays {
    struct special_day *days;  /* by day */
    size_t n;
};

/* Adds the rows of one file; of a day told twice the file read last counts. WW_ECONFIG: "file:line:col: sentence". */
int workdays_read(struct workdays *, struct arena *, const char *file, struct slice text, struct err *) WW_CHECK;

int64_t civil_day(int64_t ms, int64_t offset_ms);           /* days since 1970-01-01 of the civil day it lies in */
bool workday_is(const struct workdays *, int64_t day);
bool workdays_know(const struct workdays *, int year);      /* has the notice of that year been read? */
/* 24:00 (as ms) of the n-th working day after the day of `at`; n 0: of that day itself, or of the next working one. */
int64_t workdays_end(const struct workdays *, int64_t at, unsigned n, int64_t offset_ms);
/* Working days after the day of `from` up to and with that of `to`; 0 where `to` is not later. */
unsigned workdays_between(const struct workdays *, int64_t from, int64_t to, int64_t offset_ms);

#endif
