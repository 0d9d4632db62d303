/* SPDX-License-Identifier: Apache-2.0 */
/* Alert events as PROTOCOL's maps: what subscribers are sent and what `query alert` shows say the same in the same
 * words. Pure; any thread (of the dictionary only dict_text is used). */
#ifndef DAEMON_EVENTPACK_H
#define DAEMON_EVENTPACK_H

#include "engine/alert.h"
#include "engine/event.h"
#include "engine/work.h"
#include "lib/codec.h"

/* What numbers and codes are called. */
struct pack_words {
    const struct dict *dict;
    const struct regions *regions; /* NULL: not known */
    const struct work *work;       /* NULL: none configured */
};

enum { PACK_NAME_MAX = 256 };

/* Appends the pairs of an event's body but session, seq and prev, and returns how many: the caller writes
 * enc_map(b, n + 3) and its own three, so that one packing serves every subscriber of the event. */
uint32_t eventpack_body(struct buf *, const struct event *, const struct pack_words *);

/* Parts of it, each one value. Keys are always there; what is not known is nil. */
void eventpack_enterprise(struct buf *, struct slice uscc, struct slice name, region_t, struct slice industry);
/* The name of an enterprise as it is; of an area the full name of its region, and its industry: in room. */
struct slice eventpack_name(const struct regions *, const struct ekey *, struct slice name, const region_t *places,
                            uint32_t n_places, struct slice industry, char room[PACK_NAME_MAX]);
/* The pair `seq` of a signal; one that the fold made itself is told by its entry and an `ordinal`. */
void eventpack_seq(struct enc_open *, uint64_t seq);
/* The pair `tier`: {number, id, zh, en} where tiers are configured. */
void eventpack_tier(struct enc_open *, const struct work *, unsigned tier);
/* `accept`, `verify`, `close`; NULL: none of these. */
const char *eventpack_step(unsigned due_step);
void eventpack_reasons(struct buf *, const struct event *, const struct dict *);
void eventpack_tags(struct buf *, const struct event *);
void eventpack_evidence(struct buf *, const struct event *, const struct dict *);
/* Pairs that are there only where there is something to say: `assessment`, `enterprises` of an area and how many. */
void eventpack_more(struct enc_open *, const struct event *);
/* Who it is for; a store of an earlier version knows only who was named by hand. */
void eventpack_teams(struct buf *, const struct slice *teams, size_t n, struct slice team, const struct slice *joined,
                     size_t n_joined);
/* The title of an alert: that of its weightiest rule. */
struct slice eventpack_title(uint32_t rule, const struct dict *, bool zh);

/* Values that may be missing: nil for an empty slice, for NO_INT, for region 0. */
void eventpack_text(struct buf *, struct slice);
void eventpack_int(struct buf *, int64_t);
void eventpack_region(struct buf *, region_t);

#endif
