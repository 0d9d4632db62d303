/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an input: the summary line, or its JSON; progress on a terminal. One thread. */
#ifndef ADAPTERS_REPORT_H
#define ADAPTERS_REPORT_H

#include "adapters/tally.h"

struct report {
    const char *profile;
    bool json;
    bool dry;      /* nothing was sent: the summary says what would be, on standard error unless it is JSON */
    bool progress; /* on standard error, which is a terminal */
};

/* rejects: the file that has the refused rows; NULL: none. */
void report_summary(const struct report *, const char *input, const struct tally *, const char *rejects,
                    bool resumed);

void report_progress(const struct report *, const char *input, const struct tally *);
void report_progress_end(const struct report *);

bool report_in_chinese(void); /* by LC_ALL, LC_MESSAGES, LANG */

#endif
