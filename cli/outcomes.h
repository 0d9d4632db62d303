/* SPDX-License-Identifier: Apache-2.0 */
/* What came of it: a CSV of `enterprise,date`, the enterprise by its code or name, the date on which arrears began (a day,
 * a time, or ms since 1970). A head is passed over, and says where the two columns are; further columns are ignored; of
 * an enterprise named twice the earliest date counts. A row that cannot be read is told with its line and counted. */
#ifndef CLI_OUTCOMES_H
#define CLI_OUTCOMES_H

#include "cli/cli.h"
#include "engine/ekey.h"

struct outcome_row {
    struct ekey key;      /* of its code, else of its normalised name */
    const char *shown;    /* as the file has it */
    int64_t date;         /* ms */
};

struct outcomes {
    struct outcome_row *rows; /* in the order of the file */
    size_t n, cap;
    uint64_t unreadable;
};

/* 0; WW_EUSAGE: no such file; WW_EIO. Texts live in the command's arena. */
int outcomes_read(struct cli *, const char *path, struct outcomes *, struct err *) WW_CHECK;
void outcomes_finish(struct outcomes *);

#endif
