/* SPDX-License-Identifier: Apache-2.0 */
/* Region codes: GB/T 2260 and its extensions are prefix codes of 2, 4, 6, 9, 12 digits; grids may add more.
 * "Belongs to" is "has the prefix". Pure; any thread; the table is immutable once loaded. */
#ifndef LIB_REGION_H
#define LIB_REGION_H

#include "lib/base.h"
#include "lib/err.h"

/* A code in 8 bytes: value * 16 + number of digits (1..15); 0 is "none". Sorts by value first. */
typedef uint64_t region_t;

region_t region_of(struct slice digits);          /* 0: not 1..15 digits */
size_t region_text(region_t, char out[16]);       /* NUL-terminated; returns the length */
bool region_within(region_t, region_t prefix);    /* prefix 0 contains all */
region_t region_cut(region_t, unsigned digits);   /* its first digits; itself when it has no more */

struct regions;
/* Parses "code,name" lines (config/regions.csv). WW_ECONFIG with "file:line: sentence". */
int regions_parse(struct regions **, const char *file, struct slice text, struct err *) WW_CHECK;
void regions_destroy(struct regions *);
bool regions_has(const struct regions *, region_t);
/* All codes, in no order: up to cap of them to out; returns how many there are. */
size_t regions_list(const struct regions *, region_t *out, size_t cap);
/* A code that the table lacks but that is taken as well: a zone's, with its name, or one that was replaced (no name). */
void regions_accept(struct regions *, region_t, struct slice name);
bool regions_takes(const struct regions *, region_t); /* it, or a code above it, is in the table or accepted */
const char *regions_name(const struct regions *, region_t); /* NULL: not in the table */
/* "浙江省嘉兴市平湖市当湖街道" as far as the table knows it; returns the length, cut to fit. */
size_t regions_full_name(const struct regions *, region_t, char *out, size_t cap);

#endif
