/* SPDX-License-Identifier: Apache-2.0 */
/* A file of signals as JSON lines (what `wagewarn push` takes), read as the daemon's intake would: each line checked, each
 * good one made an entry with the agency of its kind as source; what is not taken is counted by its code. The time of the
 * journal that it would have made is the greatest `at` so far. One thread. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "cli/cli.h"
#include "engine/engine.h"
#include "lib/kind.h"
#include "lib/region.h"

enum { TRACE_CODES = 32, TRACE_TOLD = 5 };

struct trace {
    /* before trace_read */
    struct cli *cli;
    const char *path; /* "-": standard input */
    const struct kinds *kinds;
    const struct regions *regions;
    /* Each good signal, at the journal's time; valid until it returns. `entry` is its bytes. */
    enum screened (*signal)(void *arg, const struct entry_signal *, struct slice entry, int64_t now);
    int (*failed)(void *arg); /* after each signal: not 0 ends the reading with that code */
    void *arg;
    /* after it */
    uint64_t lines, accepted, duplicates, rejected, not_json;
    uint64_t by_code[TRACE_CODES]; /* enum reject_code */
    int64_t now;                   /* the greatest `at`; NO_INT: there was no signal */
};

/* 0, WW_EUSAGE or WW_EIO with a sentence in err, or what `failed` gave. */
int trace_read(struct trace *, struct err *) WW_CHECK;

/* Can it be opened? So that a slip is told before anything else is done. */
int trace_open(const char *path, int *fd, struct err *) WW_CHECK;

#endif
