/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation in words and tables, for people. */
#ifndef CLI_EXPLAIN_WORDS_H
#define CLI_EXPLAIN_WORDS_H

#include "cli/cli.h"

/* The value of `explanation` (docs/protocol.md): reasons, shares, factors, what would change it, who is silent. */
void explain_words(struct cli *, const struct ww_value *explanation);

#endif
