/* SPDX-License-Identifier: Apache-2.0 */
/* One input, from its first row to its last: rows are read, mapped and gathered into a batch; a full batch
 * goes to the sink; what was refused goes to the rejects file; then the spool learns the position behind it.
 * In this order, so that a process killed anywhere does a batch again rather than never. One thread. */
#ifndef ADAPTERS_INPUT_H
#define ADAPTERS_INPUT_H

#include "adapters/rejects.h"
#include "adapters/sink.h"

struct input_context {
    const struct profile *profile;
    const struct kinds *kinds;
    struct sink *sink;
    struct spool *spool;     /* NULL: nothing is remembered */
    struct rejects *rejects; /* of all inputs; NULL: of each its own under rejects_dir */
    const char *rejects_dir; /* NULL: refused rows are told on standard error */
    bool follow;
    bool quiet; /* refused rows are shown elsewhere: not on standard error too */
};

struct input;

/* Opens it and goes on where it stopped: an input that was not read to its end, and, when following, any.
 * WW_EIO, WW_EINPUT, WW_ELOCKED, WW_EFULL. `path` must outlive it. */
int input_open(struct input **, const char *path, const struct input_context *, struct err *) WW_CHECK;
void input_close(struct input *); /* NULL is fine */

/* Reads and delivers one batch. 1: there may be more; 0: no more now (with `final`: it is at its end, and the
 * spool knows). */
int input_step(struct input *, bool final, struct err *) WW_CHECK;

/* Following: has the file been replaced, or cut shorter than what was read? */
bool input_replaced(const struct input *);
bool input_ended(const struct input *); /* a pipe, and its other end is closed */
int input_fd(const struct input *);     /* of a pipe, to wait for; -1: it is a file */

const struct tally *input_tally(const struct input *);
const char *input_path(const struct input *);
const char *input_rejects_path(const struct input *); /* NULL: none of its own */
bool input_resumed(const struct input *);

#endif
