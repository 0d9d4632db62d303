/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop of the main thread: descriptors, timers, signals, a word from another thread. The only door
 * to libevent. A watch belongs to its loop and lives as long; callbacks may do anything but destroy the loop.
 *
 * Main thread, except loop_wake(). */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include "lib/base.h"
#include "lib/err.h"

struct loop;
struct watch;

typedef void loop_call(void *arg);

int loop_create(struct loop **, struct err *) WW_CHECK;
void loop_destroy(struct loop *);

/* Calls back whenever fd is readable. The descriptor stays the caller's. */
struct watch *loop_readable(struct loop *, int fd, loop_call *, void *arg);
struct watch *loop_signal(struct loop *, int signo, loop_call *, void *arg);
/* Every so often; 0 ms: not until watch_again(). */
struct watch *loop_timer(struct loop *, int64_t every_ms, loop_call *, void *arg);
/* Called on the main thread some time after loop_wake(), however often that was said. */
struct watch *loop_waker(struct loop *, loop_call *, void *arg, struct err *);
void loop_wake(struct watch *); /* any thread, and signal-safe */

/* Once more, soon: in the next turn of the loop, after every other descriptor has been looked at.
 * (event_active() would run it again in the same turn, so that a busy socket would starve the rest.) */
void watch_again(struct watch *);
void watch_after(struct watch *, int64_t ms); /* once more, so much later */
void watch_stop(struct watch *);              /* no more calls until again/after */

void loop_run(struct loop *);   /* until loop_leave() */
void loop_leave(struct loop *); /* ends the innermost loop_run once the present callback returns */

int64_t loop_ms(void); /* a clock for intervals: never set, never backwards */

#endif
