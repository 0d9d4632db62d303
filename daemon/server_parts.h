/* SPDX-License-Identifier: Apache-2.0 */
/* What the server's own files share: server.c (frames, verb table, what is finished), server_reply.c,
 * server_verbs.c, server_action.c, server_query.c. Nobody else includes it. Main thread. */
#ifndef DAEMON_SERVER_PARTS_H
#define DAEMON_SERVER_PARTS_H

#include "daemon/feeds.h"
#include "daemon/intake.h"
#include "daemon/listeners.h"
#include "daemon/peer.h"
#include "daemon/server.h"
#include "daemon/subscriber.h"

struct parked;
struct held;

struct server {
    struct server_options o;
    struct config *config;
    char store[2 * STORE_ID_LEN + 1];
    struct peers *peers;
    unsigned generation; /* of the principals */
    struct subscriber *subscriber;
    struct watch *pump, *full; /* more to send; queues that were full */
    struct intake intake;
    struct feeds feeds;
    struct listeners *listeners;
    struct arena scratch; /* one message's body */
    struct buf reply;
    uint64_t acknowledged;               /* the last journal number that any client was told */
    struct parked *parked, **parked_end; /* actions that wait for the view */
    size_t n_parked;
    struct held *held;                /* configurations that queries on their way name */
    uint8_t settings_hash[CHAIN_LEN]; /* of the settings sent last to the journal, or found there */
    unsigned settings_waiting;        /* sent, not yet durable */
    int64_t started;
    const char *problem;
    unsigned ticks;
};

/* A message being answered. */
struct ask {
    struct server *s;
    struct peer *peer;
    const struct principal *principal;
    struct slice raw;            /* the body's bytes */
    const struct ww_value *body; /* decoded; NULL for a verb that does so itself */
    bool has_rid;
    uint64_t rid;
    bool again; /* it was parked before: not once more */
};

/* ---- server_reply.c. An answer that cannot be delivered is let go: the client asks or sends again. ---- */
int reply_send(struct server *, uint64_t peer, const char *verb, struct slice head, struct slice rest);
struct enc_open reply_open(struct server *, bool has_rid, uint64_t rid); /* one at a time */
void reply_close(struct server *, struct enc_open *, uint64_t peer, const char *verb);
void reply_error(struct server *, uint64_t peer, bool has_rid, uint64_t rid, enum wire_error,
                 const char *sentence);
void reply_refuse(const struct ask *, enum wire_error, const char *sentence);
void reply_busy(struct server *, uint64_t peer, bool has_rid, uint64_t rid, const char *reason);
void reply_ack(struct server *, const struct request *);
void reply_regions(struct enc_open *, const region_t *, uint32_t n);
/* To one that is no peer. */
void reply_stranger(struct server *, const struct wire_in *, enum wire_error, const char *sentence);

/* ---- server.c ---- */
struct batch *
server_roomier(struct server *); /* hands the gathering batch over if that can be; the one to gather into */
void server_dispatch(struct ask *, const struct wire_in *);
const struct principal *server_who(struct server *, struct peer *);

/* ---- the verbs ---- */
void on_hello(struct ask *);
void on_signals(struct ask *);
void on_subscribe(struct ask *);
void on_credit(struct ask *);
void on_unsubscribe(struct ask *);
void on_action(struct ask *);
void on_query(struct ask *);

/* ---- server_listen.c ---- */
struct query_status;
struct listeners *listen_create(struct server *);
void listen_look(struct server *); /* which teams listen now; the journal hears of it */
void listen_status(const struct server *, struct query_status *, struct arena *); /* teams, and problems to those there are */

void action_take_parked(struct server *); /* those whose alert the view may hold by now */
void action_drop_parked(struct server *);
void query_take_finished(struct server *);
void query_let_go_all(struct server *); /* after query_stop: of those that were not answered */

#endif
