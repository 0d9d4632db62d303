/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the configuration (RFC 4180) held in memory as UTF-8: one record at a time, with its line number.
 * Pure; a reader belongs to one thread. Big exports of agencies are not its business: adapters/source_csv is.
 *
 * Cost: cells point into the text; only a cell with a doubled quote is copied to the arena. */
#ifndef LIB_CSV_H
#define LIB_CSV_H

#include "lib/arena.h"
#include "lib/err.h"

enum { CSV_CELLS_MAX = 32 };

struct csv {
    const char *file; /* for sentences */
    struct slice rest;
    struct arena *arena;
    unsigned next_line;

    /* the record that csv_next has read */
    unsigned line; /* where it begins, from 1 */
    size_t n;
    struct slice cells[CSV_CELLS_MAX];
};

/* A byte order mark is passed over. (Not csv_init: the feeder links libcsv too.) */
void csv_begin(struct csv *, const char *file, struct slice text, struct arena *);

/* 1: a record was read (empty lines are passed over), of valid UTF-8; 0: the end; WW_ECONFIG: "file:line: sentence". */
int csv_next(struct csv *, struct err *) WW_CHECK;

/* Fills err with "file:line: sentence" for the record read last; returns WW_ECONFIG. */
int csv_fault(const struct csv *, struct err *, const char *fmt, ...) WW_PRINTF(3, 4);

#endif
