/* SPDX-License-Identifier: Apache-2.0 */
/* How an alert is being worked, in words: deadlines, the four first steps, measures, and what may be done now. */
#ifndef CLI_HANDLING_WORDS_H
#define CLI_HANDLING_WORDS_H

#include "cli/cli.h"

/* alert: as the query `alert` answers it. */
void handling_print(struct cli *, const struct ww_value *alert);

#endif
