/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in to be journalled: messages decoded, checked, and put into the batch that is being gathered. A
 * bad signal becomes a line of its request's rejected list, never more. Main thread; no socket, no reply. */
#ifndef DAEMON_INTAKE_H
#define DAEMON_INTAKE_H

#include "daemon/batch.h"
#include "daemon/catalog.h"
#include "daemon/feeds.h"
#include "daemon/principal.h"
#include "lib/codec.h"

struct intake {
    const uint8_t *key; /* of the store: signals are told apart by a hash under it */
    size_t max_batch;
    struct feeds *feeds;  /* what is turned down is counted there */
    struct arena scratch; /* one message */
    struct buf bytes;     /* one entry */
};

void intake_finish(struct intake *);

enum intake_end {
    INTAKE_WAITS,  /* its request is in the batch */
    INTAKE_ANSWER, /* nothing of it is to be journalled: the request (the batch's last) can be answered and
                      dropped */
    INTAKE_FULL,   /* the batch has no room for it; nothing of it is there */
    INTAKE_ERROR   /* the message as a whole is wrong: *error and the sentence in err */
};

struct intake_from {
    uint64_t peer;
    const struct principal *principal;
    const struct catalog *catalog;
    int64_t now;
};

/* A body of `signals`. rid is filled whenever it could be read. */
enum intake_end intake_signals(struct intake *, struct batch *, const struct intake_from *, struct slice body,
                               bool *has_rid, uint64_t *rid, enum wire_error *error, struct err *err);

/* The rid alone, as far as it can be read, for a message that is not taken: its reply names it. */
void intake_rid(struct intake *, struct slice body, bool *has_rid, uint64_t *rid);

/* Reads a body of `action` into *out, whose slices point into `body`. The alert's key and `may` are the
 * caller's. */
enum wire_error intake_read_action(const struct ww_value *body, const struct principal *,
                                   struct entry_action *out, struct slice *note, struct err *err);
bool intake_settles_name(const struct entry_action *); /* resolve, unmerge: of a name, not of an alert */
bool intake_sorts(const struct entry_action *);        /* sort: of a signal that waits */
bool intake_reports(const struct entry_action *);      /* duty_done: of a duty of an enterprise */
/* Gathers it; false: the batch has no room. */
bool intake_action(struct intake *, struct batch *, uint64_t peer, bool has_rid, uint64_t rid,
                   struct entry_action *, struct slice note);

/* Who listens, as an entry. False: the batch has no room. */
bool intake_presence(struct intake *, struct batch *, const struct entry_presence *);

/* The configuration as an entry; first in a batch it is in force for all that follows. */
void intake_settings(struct intake *, struct batch *, const struct catalog *);

#endif
