/* SPDX-License-Identifier: Apache-2.0 */
/* Writer thread: owns the journal and the state. Takes a full batch, screens it, appends, folds while the disk works,
 * waits for the disk, hands replies and alert events back. Never touches a socket. Also journals what the clock makes
 * due (a tick when nothing else comes) and sweeps after a change of settings.
 *
 * Group commit without a timer: while a batch is being committed the main thread gathers the next one; a lone signal
 * pays one sync, a flood shares it. */
#ifndef DAEMON_WRITER_H
#define DAEMON_WRITER_H

#include "daemon/batch.h"
#include "daemon/clock.h"
#include "daemon/handoff.h"
#include "lib/err.h"
#include "store/recover.h"

struct writer;

struct writer_options {
    const char *dir;            /* state directory: free space of its disk */
    struct clock *clock;        /* the journal's time */
    size_t debt_max;            /* rows not yet in the view: from here on the writer slows down, at twice it is busy */
    uint64_t free_min_ppm;      /* of the disk: below it new signals get busy */
    /* Called on the writer thread after a batch (or a batch of its own making: ticks, sweeps) is durable or refused;
     * it must only pass a word to the main thread (eventfd). */
    void (*done)(void *arg);
    void *arg;
};

int writer_start(struct writer **, struct recovered *, const struct writer_options *, struct err *) WW_CHECK;
/* Finishes what was gathered, takes a last checkpoint, ends both threads. After it writer_finished() still gives the
 * last batches, so that they can be answered, and main looks at writer_failed() once more. Main thread. */
void writer_drain(struct writer *);
void writer_stop(struct writer *); /* drains if that was not done, frees; NULL is fine. `recovered` is the caller's again */

/* Main thread. The batch to gather into; NULL never. */
struct batch *writer_gathering(struct writer *);
/* Main thread: something was gathered. Hands it over if the writer is free or it is large enough to be worth a sync of
 * its own; else it stays the gathering one. Call it after each round of messages, and first thing after done(). */
void writer_submit(struct writer *);
/* Main thread, after done(): the next finished batch, oldest first, or NULL. It must be given back, and then is reset.
 * Batches of the writer's own making (ticks) come the same way with no requests. */
struct batch *writer_finished(struct writer *);
void writer_give_back(struct writer *, struct batch *);

/* Any thread. NULL: signals are taken. Else a reason for `busy` (static text): no space, too much not yet in the view,
 * the clock jumped. Ask before a client's signals are gathered; actions and queries go on. */
const char *writer_refuses(const struct writer *);
const uint8_t *writer_store_id(const struct writer *); /* STORE_ID_LEN bytes: journal_store_id */
uint64_t writer_free_ppm(const struct writer *);   /* of the disk, as of a moment ago */
uint64_t writer_journal_bytes(const struct writer *);
uint64_t writer_events(const struct writer *);     /* number of the last alert event durable */
uint64_t writer_number(const struct writer *);     /* last entry durable and folded */
uint64_t writer_viewed(const struct writer *);     /* last entry that the view holds */
/* Asks for a checkpoint that holds at least entry `number`; requests coalesce. done() is called when there is one. */
void writer_want_view(struct writer *, uint64_t number);
/* The same, and waits for it. AWAIT_ENDED: the writer ends or failed; AWAIT_STUCK: the disk is full, the view could not
 * be written for `patience_ms` (counted from when that began). Never on the main or writer thread. */
enum await writer_await_view(struct writer *, uint64_t number, int64_t patience_ms);
bool writer_view_stuck(struct writer *); /* the disk is full: the view cannot be written for now */
/* Ends those waits: before a thread that may be in one is joined. */
void writer_wake_waiters(struct writer *);
/* The first failure of the writer or view thread: main says it once and exits. NULL: all is well. */
const struct err *writer_failed(const struct writer *);
uint64_t writer_beats(const struct writer *);      /* grows while the thread lives: the watchdog's question */

#endif
