/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of wagewarn-feed: one table drives parsing and help. */
#ifndef ADAPTERS_FEED_OPTIONS_H
#define ADAPTERS_FEED_OPTIONS_H

#include "lib/base.h"
#include "lib/err.h"

struct feed_options {
    const char *profile, *endpoint, *rejects, *spool, *kinds;
    bool follow, dry, json, tap;
    int retry_ms; /* 0: never give up */
    const char *const *inputs;
    size_t n_inputs;
};

/* False: the program is to end with *status (help was asked for, or a slip was told). */
bool feed_options(struct feed_options *, int argc, char **argv, int *status);

/* The folder of the spool; free() it. NULL with err: WW_EUSAGE. */
char *feed_spool_dir(const struct feed_options *, struct err *);

#endif
