/* SPDX-License-Identifier: Apache-2.0 */
/* Civil days, seasons and festivals at a fixed offset from UTC. Pure; any thread. Proleptic Gregorian. */
#ifndef LIB_CALENDAR_H
#define LIB_CALENDAR_H

#include "lib/base.h"
#include "lib/err.h"

enum { OFFSET_CHINA_MS = 8 * 3600 * 1000 };

int64_t civil_to_ms(int year, int month, int day, int64_t offset_ms);               /* 00:00 of that day, as UTC ms */
void civil_from_ms(int64_t ms, int64_t offset_ms, int *year, int *month, int *day);
bool civil_valid(int year, int month, int day);
/* "2026-03-05" or RFC 3339 "2026-03-05T10:20:30+08:00" (zone optional: offset_ms then). */
bool time_parse(struct slice, int64_t offset_ms, int64_t *ms);
/* "2026-03-05T10:20:30+08:00"; out 26 bytes with the NUL. */
void time_format(int64_t ms, int64_t offset_ms, char out[26]);
/* "+08:00" -> ms; false if it is no offset within a day. */
bool offset_parse(struct slice, int64_t *offset_ms);

#endif
