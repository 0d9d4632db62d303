/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and words for people's eyes, in the language of LC_MESSAGES. Times are shown at +08:00. Text from
 * outside is made harmless for a terminal. What is returned lives in the arena given. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "lib/arena.h"
#include "wagewarn.h"

void text_open(void); /* reads the locale; before anything else */
bool text_zh(void);
const char *tr(const char *en, const char *zh) /* the one to show */
    __attribute__((format_arg(1), format_arg(2)));

const char *text_safe(struct arena *, const char *s); /* control characters out */
const char *text_time(struct arena *, int64_t ms);    /* "2026-03-05 10:20"; "-" when absent */
const char *text_clock(struct arena *, int64_t ms);   /* with seconds */
const char *text_span(struct arena *, int64_t ms);    /* "3d 4h" */
const char *text_ago(struct arena *, int64_t at);     /* "4s ago"; "-" when absent */
const char *text_when(struct arena *, int64_t at);    /* "tomorrow 24:00", "2026-12-01 10:20" */
const char *text_due(struct arena *, int64_t at);     /* the same, or "overdue 3h"; "-" when absent */
const char *text_count(struct arena *, uint64_t n);   /* "4,012,331" */
const char *text_money(struct arena *, int64_t fen);  /* "12,345.67" */
const char *text_score(struct arena *, int64_t hundredths);
const char *text_percent(struct arena *, int64_t ppm); /* "43.1 %" */
const char *text_level(const char *wire);              /* 特大 or critical */
const char *text_state(const char *wire);
const char *text_event(const char *wire);

/* "12345.67" yuan to fen; at most two decimals. */
bool text_parse_money(const char *s, int64_t *fen);
/* "2026-03-05" or with a time; +08:00 unless it says otherwise. */
bool text_parse_time(const char *s, int64_t *ms);
/* By when: a day is meant to its end, 24:00; "10d" "2h" "30m" count from now. */
bool text_parse_deadline(const char *s, int64_t *ms);
int64_t text_now(void);
bool text_parse_int(const char *s, int64_t *out);

#endif
