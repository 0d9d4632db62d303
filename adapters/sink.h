/* SPDX-License-Identifier: Apache-2.0 */
/* Where signals go: the daemon (sink_daemon), or standard output for --dry-run and tap (sink_print). One
 * thread. */
#ifndef ADAPTERS_SINK_H
#define ADAPTERS_SINK_H

#include "adapters/map.h"
#include "adapters/spool.h"
#include "lib/err.h"
#include "wagewarn.h"

#include <signal.h>

struct refusal {
    size_t index; /* in what was sent, rising */
    const char *code, *why;
};

struct outcome {
    uint64_t accepted, duplicates;
    const struct refusal *refused; /* owned by the sink until its next call */
    size_t n_refused;
};

struct sink {
    const struct sink_ops *ops;
    bool dry; /* nothing is sent, nothing is to be remembered */
    volatile sig_atomic_t *stop;
    const char *store; /* id of the store that acknowledges; "" when dry */
};

struct sink_ops {
    /* Each row as it is mapped; may be NULL. */
    void (*row)(struct sink *, const struct row *, const struct mapped *);
    /* Comes back when all are acknowledged or refused. WW_EUNREACH, WW_EAGAIN (also when told to stop),
     * WW_EDENIED. */
    int (*send)(struct sink *, const struct ww_signal *, size_t n, struct outcome *, struct err *);
    /* Sends again what is kept, if the store is another than it was. May be NULL. */
    int (*catch_up)(struct sink *, struct err *);
    void (*close)(struct sink *);
};

struct daemon_options {
    const char *endpoint;
    int retry_ms; /* without an acknowledgement for so long, give up; 0: never */
    bool patient; /* wait for a daemon that is not there yet, for as long */
    const char *program;
    struct spool *spool;
};

/* Connects. WW_EUNREACH, WW_EDENIED. */
int sink_daemon_open(struct sink **, const struct daemon_options *, volatile sig_atomic_t *stop,
                     struct err *) WW_CHECK;

/* The table of kinds that this daemon knows. WW_EREFUSED, WW_EDENIED: it does not say. */
int sink_daemon_kinds(struct sink *, struct kinds **, struct err *) WW_CHECK;

/* Prints each signal as a line of JSON; with `tap` each row, what became of it, and why. */
struct sink *sink_print_open(bool tap, volatile sig_atomic_t *stop);

#endif
