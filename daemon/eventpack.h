/* SPDX-License-Identifier: Apache-2.0 */
/* Alert events as PROTOCOL's maps: what subscribers are sent and what `query alert` shows say the same in the same
 * words. Pure; any thread (of the dictionary only dict_text is used). */
#ifndef DAEMON_EVENTPACK_H
#define DAEMON_EVENTPACK_H

#include "engine/alert.h"
#include "engine/event.h"
#include "lib/codec.h"

/* Appends the pairs of an event's body but session, seq and prev, and returns how many: the caller writes
 * enc_map(b, n + 3) and its own three, so that one packing serves every subscriber of the event. */
uint32_t eventpack_body(struct buf *, const struct event *, const struct dict *);

/* Parts of it, each one value. Keys are always there; what is not known is nil. */
void eventpack_enterprise(struct buf *, struct slice uscc, struct slice name, region_t, struct slice industry);
void eventpack_reasons(struct buf *, const struct event *, const struct dict *);
void eventpack_tags(struct buf *, const struct event *);
void eventpack_evidence(struct buf *, const struct event *, const struct dict *);
/* Pairs that are there only where there is something to say: `assessment`, `enterprises` of an area and how many. */
void eventpack_more(struct enc_open *, const struct event *);
void eventpack_teams(struct buf *, struct slice team, const struct slice *joined, size_t n_joined);
/* The title of an alert: that of its weightiest rule. */
struct slice eventpack_title(uint32_t rule, const struct dict *, bool zh);

/* Values that may be missing: nil for an empty slice, for NO_INT, for region 0. */
void eventpack_text(struct buf *, struct slice);
void eventpack_int(struct buf *, int64_t);
void eventpack_region(struct buf *, region_t);

#endif
