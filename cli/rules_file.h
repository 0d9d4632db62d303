/* SPDX-License-Identifier: Apache-2.0 */
/* A rules file together with the tables beside which it means something: the kinds and the calendar beside
 * it, else those shipped. Read and compiled as the daemon does it at a start. */
#ifndef CLI_RULES_FILE_H
#define CLI_RULES_FILE_H

#include "cli/cli.h"
#include "cli/document.h"
#include "engine/settings.h"

struct rules_file {
    const char *path;
    struct slice text;
    struct mistakes m;
    struct kinds *kinds;
    const struct tree *tree;   /* what a configuration entry carries */
    struct settings *settings; /* NULL: there are mistakes */
};

/* Mistakes go to m, with WW_ECONFIG; what is no mistake in the rules goes to err. Finish it in any case. */
int rules_file_load(struct cli *, const char *path, struct rules_file *, struct err *) WW_CHECK;
void rules_file_finish(struct rules_file *);

/* Mistakes of any document: on stderr with their lines, and how many; or as items of a list, in the arena. */
void mistakes_tell(const struct mistakes *, struct slice text);
struct document_list mistakes_list(struct arena *, const struct mistakes *);

#endif
