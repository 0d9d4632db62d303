/* SPDX-License-Identifier: Apache-2.0 */
/* What each source has sent, for `status` and `feeds`: accepted ones as the journal has them, the rest since the start. A bounded number of sources; those
 * beyond it are counted together. Main thread. */
#ifndef DAEMON_FEEDS_H
#define DAEMON_FEEDS_H

#include "daemon/query.h"

enum { FEEDS_MAX = 1024 };

struct feeds {
    struct query_feed list[FEEDS_MAX];       /* sorted by source */
    size_t n, last;                          /* last: found the last time, most likely the next too */
    int64_t day;                             /* of `today`, days since the epoch in local time */
    uint64_t accepted, duplicates, rejected; /* since feeds_said() */
    uint64_t seq;
};

/* What the fold knows of each source. Before the writer runs. */
void feeds_init(struct feeds *, const struct engine *);
void feeds_finish(struct feeds *);
void feeds_reject(struct feeds *, struct slice source); /* one was turned down at the door */
/* A request has been answered: each slot counts for its signal's source. */
void feeds_count(struct feeds *, const struct batch *, const struct request *, int64_t now,
                 int64_t timezone_ms);
/* A log line of what came since the last, if anything did. */
void feeds_say(struct feeds *);

#endif
