/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's time: the system's clock, but never backwards, and never more than a day ahead of what CLOCK_BOOTTIME
 * says has passed since the start. A clock that jumped further is held: time goes on as the boot clock measures it,
 * new signals get `busy`, and an operator must say that the clock is right. A gap at the start (the daemon was down)
 * is taken as it is.
 *
 * Threads: after clock_init any thread may ask; no lock. */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include "lib/base.h"

#include <stdatomic.h>

/* The seam for tests. */
struct clock_source {
    int64_t (*wall_ms)(void);   /* CLOCK_REALTIME */
    int64_t (*boot_ms)(void);   /* CLOCK_BOOTTIME */
    bool (*synchronised)(void); /* adjtimex */
};

struct clock {
    struct clock_source source;
    _Atomic int64_t floor;  /* the latest time ever given */
    _Atomic int64_t offset; /* journal time minus boot time when last believed */
};

/* What the start found. */
enum clock_start {
    CLOCK_SOUND,
    CLOCK_BEHIND,       /* the system's clock is before the journal's end: time stands still until it catches up */
    CLOCK_GAP_UNSYNCED  /* more than a day after the journal's end, and nothing vouches for the system's clock */
};

/* last: time of the journal's last batch (0: none). source NULL: the system's clocks. */
enum clock_start clock_init(struct clock *, int64_t last, const struct clock_source *source);
int64_t clock_now(struct clock *);       /* ms since the epoch; never less than before */
/* Is a jump ahead held? *ahead_ms, if not NULL: how far the system's clock is ahead of the journal's. */
bool clock_held(struct clock *, int64_t *ahead_ms);
void clock_confirm(struct clock *);      /* an operator says that the system's clock is right */

#endif
