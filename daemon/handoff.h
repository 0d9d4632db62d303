/* SPDX-License-Identifier: Apache-2.0 */
/* What main and writer thread share: the batches on their way between them, the word that wakes the writer, and who
 * waits for the view. One mutex, held for a few instructions; the batch itself needs none, since it is always with one
 * side only. */
#ifndef DAEMON_HANDOFF_H
#define DAEMON_HANDOFF_H

#include "daemon/batch.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    POOL = 6,            /* one gathers, one waits, one is in hand, the rest are being answered */
    WORTH_A_SYNC = 4096, /* entries, or bytes, that go to a busy writer instead of waiting for more */
    WORTH_A_SYNC_BYTES = 1 << 20
};

struct fifo {
    struct batch *at[POOL];
    unsigned head, n;
};

struct handoff {
    void (*done)(void *arg); /* a word to the main thread */
    void *arg;
    struct batch pool[POOL];
    struct batch *gathering; /* main thread */

    pthread_mutex_t lock;    /* of all that follows */
    pthread_cond_t wake;     /* of the writer thread: `word` */
    pthread_cond_t progress; /* of those who wait for the view: `viewed`, `ended`, `stuck_ms` */
    bool word, stopping, ended;
    int64_t stuck_ms;        /* monotonic: since when the view cannot be written; 0: it can */
    bool turned_away;        /* main wanted to submit and could not: it is told when it can */
    struct batch *in_hand;
    struct fifo idle, submitted, finished;
    uint64_t wanted, main_wants; /* entries that the view shall hold; main_wants: told by done(); 0: none */
    _Atomic uint64_t viewed;     /* written under the lock, read anywhere */
};

void handoff_init(struct handoff *, uint64_t viewed, void (*done)(void *arg), void *arg);
void handoff_finish(struct handoff *);

/* Main thread. */
void handoff_submit(struct handoff *);
struct batch *handoff_finished(struct handoff *);
void handoff_give_back(struct handoff *, struct batch *);
void handoff_stop(struct handoff *); /* submits what was gathered, and tells the writer to end */

/* Writer thread. */
struct batch *handoff_take(struct handoff *, bool *stopping); /* the next submitted one; NULL: none */
struct batch *handoff_take_idle(struct handoff *);            /* for work of its own; NULL: later */
/* Hands it to the main thread; one of the writer's own making that brought nothing about is free again. */
void handoff_publish(struct handoff *, struct batch *);
void handoff_sleep(struct handoff *, int64_t ms);             /* until there is a word or ms are over */
void handoff_set_viewed(struct handoff *, uint64_t number);
bool handoff_view_wanted(struct handoff *);
void handoff_set_stuck(struct handoff *, bool stuck); /* the view cannot be written for now */

/* Any thread. */
void handoff_wake(void *handoff);
void handoff_want(struct handoff *, uint64_t number);  /* main is told */
/* AWAIT_STUCK: the view cannot be written for longer than `patience_ms`, and does not hold it. */
enum await { AWAIT_THERE, AWAIT_STUCK, AWAIT_ENDED };
enum await handoff_await(struct handoff *, uint64_t number, int64_t patience_ms);
bool handoff_stuck(struct handoff *);
void handoff_end(struct handoff *);                    /* ends all waiting, now and later */

#endif
