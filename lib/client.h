/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of libwagewarn: what its rooms client (connection, requests), client_push and client_follow share.
 * Not installed; programs use include/wagewarn.h. A client belongs to one thread at a time.
 *
 * The connection comes and goes behind the caller's back: `generation` grows each time it is lost, and a room
 * that waits for answers sends again what it sent in an older one. A request keeps its rid when it is sent
 * again, so that a late first answer counts. */
#ifndef LIB_CLIENT_H
#define LIB_CLIENT_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/codec.h"
#include "lib/cursor.h"
#include "lib/err.h"
#include "lib/val.h"
#include "wagewarn.h"

enum { VERB_MAX = 15 };

/* One message off the wire; all of it in the arena that client_receive was given. */
struct incoming {
    char verb[VERB_MAX + 1];
    struct slice raw;
    const struct ww_value *body; /* a map */
};

enum got {
    GOT_MESSAGE,
    GOT_TIMEOUT,
    GOT_LOST,   /* the connection broke: answers to what was sent will not come */
    GOT_UP,     /* there is one again */
    GOT_SIGNAL, /* the process got a signal */
};

/* An event or heartbeat that came while an answer was awaited. */
struct parked {
    struct parked *next;
    char verb[VERB_MAX + 1];
    size_t n;
    char raw[];
};

struct follow; /* client_follow */

struct ww_client {
    struct connection *conn; /* client.c: ZeroMQ's side */
    char *program;
    int timeout_ms, retry_ms;
    uint64_t rid;        /* of the last request */
    uint64_t generation; /* of the connection */
    bool greeted;        /* hello was answered in this generation */
    struct err err;      /* the last failure */

    struct arena welcome_arena;
    const struct ww_value *welcome;
    char store[CURSOR_STORE_MAX + 1];
    uint64_t max_batch, max_bytes;

    struct arena reply;   /* what the last call returned */
    struct arena scratch; /* one incoming message */
    struct buf out;       /* one outgoing body */

    struct parked *parked, **parked_end; /* oldest first; at most the credit granted */
    struct follow *follow;               /* NULL: not subscribed */
};

int64_t client_now(void);                /* monotonic ms */
int64_t client_deadline(int timeout_ms); /* INT64_MAX for -1 */
void client_begin(struct ww_client *);   /* a public call starts: forget the last one's answer */

bool client_is_up(const struct ww_client *);
/* Sends one message. False: no connection until the deadline. */
bool client_send(struct ww_client *, const char *verb, const struct buf *body, int64_t deadline);
/* The next well-formed message, or why there is none. What is malformed is passed over. */
enum got client_receive(struct ww_client *, int64_t deadline, struct arena *, struct incoming *);
/* Says hello when the connection is new. 0 or a code with its sentence. */
int client_greet(struct ww_client *, int64_t deadline);
/* Sends c->out under c->rid and waits for an answer, which is in c->reply. again: it may be sent twice. */
int client_request(struct ww_client *, const char *verb, const char *answer, bool again, int64_t deadline,
                   const struct ww_value **body);
/* The code and sentence of an `error` body. */
int client_refused(struct ww_client *, const struct ww_value *body);
/* A message that belongs to the subscription: kept for ww_next. */
void client_park(struct ww_client *, const struct incoming *);
void client_unpark_all(struct ww_client *);

void follow_end(struct ww_client *); /* unsubscribes; closes the cursor */

#endif
