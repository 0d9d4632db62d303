/* SPDX-License-Identifier: Apache-2.0 */
/* What people and spreadsheets write into cells, as numbers: sums, times, counts. Decimal arithmetic
 * throughout: no floating point, so that a fen is never lost. Pure; any thread. Full-width digits, letters
 * and signs are taken. */
#ifndef ADAPTERS_VALUES_H
#define ADAPTERS_VALUES_H

#include "lib/base.h"

enum { VALUE_MAX = 120 }; /* bytes of a text that can be a number or time */

/* Decimal places from a unit to fen. */
enum money_unit { UNIT_FEN = 0, UNIT_YUAN = 2, UNIT_THOUSAND = 5, UNIT_WAN = 6, UNIT_YI = 10 };

/* "12,345.67" "1.23万元" "12345.67元" "￥100" "1.5E4" -> fen; a unit in the text wins over `unit`; what is
 * finer than a fen is rounded half up. A negative sum is read as one. */
bool value_amount(struct slice, enum money_unit unit, int64_t *fen);

/* "6" "6人" "６名" "6.0" -> 6; only whole numbers. */
bool value_count(struct slice, int64_t *);

/* "2026/3/5" "2026-03-05" "20260305" "2026年3月5日", with or without a time of day ("10:20", "10:20:30.5",
 * "10时20分"), with or without a zone ("Z", "+08:00", "+0800"); without one it is local time at offset_ms. ->
 * ms since 1970, UTC. */
bool value_time(struct slice, int64_t offset_ms, int64_t *ms);

/* A spreadsheet's serial number of a day, with its fraction, as ms since 1970 of a clock without zone,
 * rounded to a second. 1900 system with its 29 February 1900 that never was, or 1904. */
bool value_serial(struct slice, bool date1904, int64_t *ms);

/* A whole number of seconds or milliseconds since 1970 (places 0 or 3 more to go to ms). */
bool value_epoch(struct slice, unsigned places, int64_t *ms);

/* Full-width ASCII and spaces made plain; other characters are left. Returns the length, or 0 when it does
 * not fit. */
size_t fold_width(struct slice, char *out, size_t cap);

#endif
