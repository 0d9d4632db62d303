/* SPDX-License-Identifier: Apache-2.0 */
/* A client's connection as the benchmarks have it: a DEALER, its replies, the clock. Whatever goes wrong ends the program
 * with a sentence. One thread a link. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H

#include "bench/wire.h"

#include <time.h>
#include <zmq.h>

struct link {
    void *context, *dealer;
    bool own;               /* the context is this link's alone */
    int fd;                 /* tells that something changed */
};

struct reply {
    char verb[16];
    zmq_msg_t body;         /* the taker closes it */
    const uint8_t *p;
    size_t n;
};

_Noreturn void die(const char *what, const char *more);
int64_t now_ns(clockid_t);

/* context NULL: one of its own. Connects at once. */
void link_open(struct link *, void *context, const char *endpoint);
void link_close(struct link *);
void link_send(struct link *, const char *verb, const void *body, size_t n);
bool link_take(struct link *, struct reply *); /* the next message if there is one */
/* Waits until something may be there or ns have passed. Call only after link_take returned false: the descriptor tells
 * of changes alone. */
void link_wait(struct link *, int64_t ns);

uint64_t reply_number(const struct reply *, const char *key, uint64_t otherwise);
_Noreturn void complain(const struct reply *); /* of an error, or of the first rejected signal */

/* subscribe from now on, and credit for n events to the session that a `subscribed` or an `event` names. */
void subscribe(struct link *);
void grant(struct link *, const struct reply *, uint64_t n);

/* Nanoseconds, gathered; print_samples sorts them and prints one member of a JSON object, in microseconds. */
struct samples {
    int64_t *ns;
    size_t n, cap;
};
void sample(struct samples *, int64_t ns);
void print_samples(const char *name, struct samples *);

#endif
