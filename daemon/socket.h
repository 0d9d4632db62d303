/* SPDX-License-Identifier: Apache-2.0 */
/* The ROUTER sockets, one an endpoint. The only door to libzmq besides auth (its ZAP handler).
 *
 * The edge-trigger rule: a ZeroMQ descriptor becomes readable once and stays silent until all has been read,
 * and any call on the socket may eat that edge. So after a turn, and after sending from elsewhere, ZMQ_EVENTS
 * is read again and the socket is put in the next turn of the loop where something is left. A turn takes a
 * bounded number of messages, so one flood does not starve timers and other endpoints; among the peers of one
 * endpoint libzmq takes turns.
 *
 * A send never waits: a peer that takes nothing more, or has gone, is an answer to the caller. Main thread.
 */
#ifndef DAEMON_SOCKET_H
#define DAEMON_SOCKET_H

#include "daemon/loop.h"
#include "lib/base.h"
#include "lib/err.h"

enum { ROUTING_ID_LEN = 5 }; /* of ids that libzmq makes; others begin sessions with nobody */

/* One message as it came, valid during the call. */
struct wire_in {
    unsigned endpoint;       /* number of the socket, from 0 */
    struct slice id;         /* routing id */
    const char *user;        /* User-Id that the ZAP handler gave, NULL: none */
    bool delimited;          /* an empty frame stood in front (REQ): it is given back */
    unsigned frames;         /* after id and delimiter; 2 is right */
    struct slice verb, body; /* the first two of them */
};

struct endpoint {
    const char *address;      /* "tcp://127.0.0.1:7410", "ipc:///run/..." */
    const char *domain;       /* what the ZAP handler knows it by */
    const char *curve_secret; /* 40 characters (Z85); NULL: no CURVE */
};

struct sockets;

struct socket_calls {
    void (*message)(void *arg, const struct wire_in *);
    void (*turn)(void *arg); /* after each turn in which messages came */
    void *arg;
};

int sockets_create(struct sockets **, struct loop *, const struct socket_calls *, struct err *) WW_CHECK;
void sockets_destroy(struct sockets *); /* waits a moment for what was sent to leave */
void *
sockets_context(struct sockets *); /* for the ZAP handler, which must be bound before the first endpoint */

/* Opens one more endpoint; its number is how many there were. max_message: a larger frame ends its
 * connection. WW_EAGAIN: the address is in use; WW_ECONFIG: there is no such address. */
int sockets_bind(struct sockets *, const struct endpoint *, size_t max_message, struct err *) WW_CHECK;
const char *sockets_address(const struct sockets *,
                            unsigned endpoint); /* as bound: a port that was 0 is known */
void sockets_pause(struct sockets *);           /* reads no more; sending goes on */

/* Frames: verb, then one body made of two pieces. 0; WW_EAGAIN: its queue is full; WW_EUNREACH: it has gone.
 */
int sockets_send(struct sockets *, unsigned endpoint, struct slice id, bool delimited, const char *verb,
                 struct slice head, struct slice rest) WW_CHECK;
/* After sends that were not answers within message(): what they may have hidden is looked for. */
void sockets_recheck(struct sockets *);

#endif
