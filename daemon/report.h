/* SPDX-License-Identifier: Apache-2.0 */
/* What a load of the configuration found wrong, over all its files: for people as text, for the log as one
 * line each. Main thread. */
#ifndef DAEMON_REPORT_H
#define DAEMON_REPORT_H

#include "lib/err.h"
#include "lib/tree.h"

enum { REPORT_LINES = 20 };

struct report {
    struct buf text; /* file:line:col: error: ..., with the line itself and a hint */
    size_t errors;
    struct report_line {
        char file[160];
        uint32_t line, column;
        char sentence[512];
    } lines[REPORT_LINES];
    size_t n; /* of lines */
    int code; /* WW_ECONFIG, or what a file's reading gave */
};

void report_finish(struct report *);
/* A whole list of mistakes; `source`: text of the file, for showing the line. */
void report_mistakes(struct report *, const struct mistakes *, struct slice source);
/* One sentence that names its own place ("file:line: ..."), or has none. */
void report_err(struct report *, const struct err *);
void report_print(const struct report *, const char *last); /* to standard error; "2 errors; <last>" */
void report_log(const struct report *,
                const char *sentence); /* log lines: sentence file= line= column= reason= */

#endif
