/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions: who wants which alert events, how far each has come, and how many more it will take. A
 * session walks the numbered events one by one; what it may not or does not want to see it passes over, what
 * matches costs one credit. Without credit it stands still: nothing is queued for anybody, so a slow reader
 * costs no memory.
 *
 * Main thread. Sending is the caller's, by a function, so that the walk can be tried without a socket. */
#ifndef DAEMON_SUBSCRIBER_H
#define DAEMON_SUBSCRIBER_H

#include "daemon/events.h"
#include "daemon/principal.h"
#include "lib/codec.h"

enum { SESSIONS_MAX = 4096, SESSIONS_A_PEER = 16, SUBSCRIBE_LIST_MAX = 256, CREDIT_MAX = 1 << 20 };

/* Which events: those of any of these places (n 0: anywhere) that ... */
struct filter {
    uint32_t n_regions;
    region_t *regions; /* prefixes: what was asked for, cut to what the principal may see */
    uint8_t min_level; /* ... have reached this level before or after */
    uint32_t n_industries;
    struct slice *industries; /* ... and whose industry begins so; n 0: any */
    bool duties;              /* events of duties too, which have no level */
};

bool filter_matches(const struct filter *, const struct event *);
/* The places that lie in one of `asked` and in one of `seen`, as prefixes, in the arena. An empty list means
 * everywhere. False: nothing is left. */
bool filter_cut(const region_t *asked, uint32_t n_asked, const region_t *seen, uint32_t n_seen,
                struct arena *, region_t **out, uint32_t *n_out);

/* What of the outside a session needs. */
struct subscriber_calls {
    /* 0; WW_EAGAIN: it takes nothing now; WW_EUNREACH: it has gone (and may be forgotten within the call) */
    int (*send)(void *arg, uint64_t peer, const char *verb, struct slice head, struct slice rest);
    int64_t (*now)(void *arg);               /* ms since the epoch, for heartbeats */
    void (*ended)(void *arg, uint64_t peer); /* one session of that peer is no more */
    void *arg;
};

struct subscriber;
struct subscribed {
    uint64_t session, from, head, oldest;
    const struct filter *filter;
};

struct subscriber *subscriber_create(struct events *, const struct subscriber_calls *);
void subscriber_destroy(struct subscriber *);

/* A body of `subscribe`. 0, *out filled, the session runs from the next pump on; else the wire error and its
 * sentence (in err). store: hex of this store's id. */
enum wire_error subscriber_open(struct subscriber *, uint64_t peer, const struct principal *,
                                const char *store, const struct ww_value *body, struct subscribed *out,
                                struct err *);
bool subscriber_credit(struct subscriber *, uint64_t peer, uint64_t session,
                       uint64_t n); /* false: no such session */
bool subscriber_close(struct subscriber *, uint64_t peer, uint64_t session);
void subscriber_forget(struct subscriber *, uint64_t peer); /* it has gone */
/* Rights have changed: each session's places are cut anew; who may no longer listen is told `denied` and
 * ended. */
void subscriber_rights(struct subscriber *, const struct principal *(*who)(void *arg, uint64_t peer),
                       void *arg);

enum pump { PUMP_DONE, PUMP_MORE, PUMP_LATER }; /* later: somebody's queue is full, try again in a moment */
/* Sends what there is to send, a bounded number. *want_view: somebody waits for events that the view does not
 * hold. */
enum pump subscriber_pump(struct subscriber *, bool *want_view);
void subscriber_retry(
    struct subscriber *); /* a moment after PUMP_LATER, then pump again: the full ones get another try */
void subscriber_tick(struct subscriber *); /* about once a second: heartbeats */
size_t subscriber_count(const struct subscriber *);

struct session_status {
    const char *principal;
    uint64_t session, sent, lag, peer;
    const struct filter *filter;
    int64_t starved_ms; /* for how long it has had no credit; 0: it has some */
};
void subscriber_each(const struct subscriber *, void (*call)(void *arg, const struct session_status *),
                     void *arg);

#endif
