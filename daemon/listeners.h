/* SPDX-License-Identifier: Apache-2.0 */
/* Which teams listen, for what, and what of it the journal was told: an entry when a team's sessions ask for something
 * else together than before, and when its last one ends, but no more than one within `least_ms` for a team; what changes
 * sooner is told when that time is over, as it is then. Before the first of them, one that nobody listens, for sessions do not outlive the daemon. Main thread. */
#ifndef DAEMON_LISTENERS_H
#define DAEMON_LISTENERS_H

#include "engine/entry.h"

struct listeners;

/* A session of a team, and what it asks for. */
struct listening {
    struct slice team;
    struct entry_wish wish;
};

/* Gathers the entry; an empty team: nobody listens. False: no room now, it is tried again at the next look. */
struct listeners_calls {
    bool (*tell)(void *arg, const struct entry_presence *);
    void *arg;
};

struct listeners *listeners_create(const struct listeners_calls *);
void listeners_destroy(struct listeners *);
/* As it is now: all sessions of teams, in any order. now_ms: of a clock that never jumps. */
void listeners_look(struct listeners *, const struct listening *, size_t n, int64_t now_ms, int64_t least_ms);
void listeners_forget(struct listeners *); /* an entry was not written, or no teams are configured: tells all anew */
size_t listeners_count(const struct listeners *);            /* that listened at the last look */
struct slice listeners_at(const struct listeners *, size_t); /* in no order; valid until the next look */
bool listeners_has(const struct listeners *, struct slice team);

#endif
