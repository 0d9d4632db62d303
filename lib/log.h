/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines on standard error: "<n>" priority where journald reads it (JOURNAL_STREAM is set), then a fixed English
 * sentence and key=value pairs. Never an enterprise's name, a person, a key. Any thread; one write a line. */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/base.h"

enum log_level { LOG_L_ERROR = 3, LOG_L_WARNING = 4, LOG_L_NOTICE = 5, LOG_L_INFO = 6, LOG_L_DEBUG = 7 };

void log_open(enum log_level most); /* what is above is not written */
/* log_line(LOG_L_NOTICE, "ready", "version=%s journal=%" PRIu64, v, n); pairs may be NULL */
void log_line(enum log_level, const char *sentence, const char *pairs, ...) WW_PRINTF(3, 4);
/* A value with spaces or quotes, for use as key=%s: quoted and escaped into out; returns out. */
const char *log_quote(char *out, size_t cap, struct slice value);

#endif
