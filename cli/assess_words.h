/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the law, in words: how far an alert is from each. */
#ifndef CLI_ASSESS_WORDS_H
#define CLI_ASSESS_WORDS_H

#include "cli/cli.h"

/* "meets the line for transfer to the police", or what is short of it. In the arena. */
const char *assess_words(struct arena *, const struct ww_value *assessed);
/* One line each, `indent` before it; `met_only`: those that are met. */
void assess_print(struct cli *, const struct ww_value *assessment, const char *indent, bool met_only);

#endif
