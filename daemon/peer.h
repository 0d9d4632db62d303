/* SPDX-License-Identifier: Apache-2.0 */
/* Peers: who has written to us, and how to answer them. A peer is (endpoint, routing id, user); a routing id
 * alone is not an identity. Its handle is never used again, so an answer for one that has gone goes nowhere.
 * libzmq does not say when a client leaves: one that cannot be reached is forgotten at once, the rest when
 * the table is full, the longest silent first. Main thread. */
#ifndef DAEMON_PEER_H
#define DAEMON_PEER_H

#include "daemon/principal.h"
#include "daemon/socket.h"

enum { PEERS_MAX = 16384, PEER_USER_MAX = 80 };

struct peer {
    uint64_t handle;
    unsigned endpoint;
    uint8_t id[ROUTING_ID_LEN];
    char user[PEER_USER_MAX];
    bool delimited;
    const struct principal *principal; /* NULL: nobody any more */
    unsigned generation;               /* of the principals it was looked up in */
    uint32_t waiting, sessions;        /* requests not yet answered; subscriptions */
    uint64_t acknowledged;             /* the last journal number that it was told of */
    struct peer *chain, *newer, *older;
};

struct peers;

struct peers *peers_create(void);
void peers_destroy(struct peers *);
/* The peer that sent this, made when it is new; the most recent now. NULL: the table is full of busy ones. */
struct peer *peers_of(struct peers *, const struct wire_in *);
struct peer *peers_find(struct peers *, uint64_t handle); /* NULL: it has gone */
void peers_forget(struct peers *, struct peer *);
void peers_each(struct peers *, void (*call)(void *arg, struct peer *), void *arg);
size_t peers_count(const struct peers *);

#endif
