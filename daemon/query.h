/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: answered on a thread of their own from read transactions of the view, so that a long list costs the writer
 * nothing. A query that must see its own client's writes waits for a checkpoint that holds them; each result says
 * `as_of`. Nothing outside the asker's regions is shown, and what may not be seen is not there.
 *
 * Use, all on the main thread: query_create, fill it, query_submit; after done(), query_finished until NULL, send
 * `result` with its body or `error`, query_give_back. Requests are answered in the order they came. */
#ifndef DAEMON_QUERY_H
#define DAEMON_QUERY_H

#include "daemon/writer.h"
#include "lib/codec.h"
#include "engine/work.h"
#include "lib/kind.h"
#include "lib/region.h"
#include "lib/tree.h"
#include "store/view.h"

enum { QUERY_PENDING_MAX = 1000, QUERY_LIMIT = 100, QUERY_LIMIT_MAX = 1000 };

/* What only the main thread knows, copied into the query's arena with each `status` and `feeds`. */
struct query_feed {
    struct slice source;
    int64_t last_at;   /* ms; of the last accepted signal; NO_INT: none yet */
    int64_t day;       /* that `today` counts, days since the epoch in local time */
    uint64_t accepted, today;      /* today: accepted on that civil day */
    uint64_t duplicates, rejected; /* since the start */
};

struct query_subscriber {
    struct slice principal;
    uint64_t session, sent, lag; /* lag: events between its cursor and the head */
};

struct query_status {
    bool ready;
    int64_t uptime_ms;
    uint64_t journal_last, journal_bytes;
    uint64_t free_ppm; /* of the disk */
    size_t n_feeds;
    const struct query_feed *feeds; /* sorted by source */
    size_t n_subscribers;
    const struct query_subscriber *subscribers;
    size_t n_listening;
    const struct slice *listening; /* teams */
    size_t n_problems;
    const char *const *problems; /* sentences */
};

/* The configuration in force. Must stay as it is until the queries that name it are given back. */
struct query_catalog {
    const struct kinds *kinds;
    const struct tree *rules; /* of the rules file: a map with `rules` */
    struct slice hash;        /* bytes; shown in hex */
    const struct regions *regions;
    const struct work *work;   /* NULL: neither teams, nor measures, nor deadlines */
    int64_t timezone;          /* ms east of UTC */
    const struct campaigns *campaigns;
    bool shadow;              /* shadow rules are configured */
};

struct query {
    /* main thread */
    struct arena arena;        /* for all that the query names; thrown away by give_back */
    uint64_t client;           /* the server's handle of the peer; may be gone by the time of the answer */
    bool has_rid;
    uint64_t rid;
    struct slice what;
    const struct ww_value *params; /* the whole body, a map, in the arena */
    size_t n_regions;
    const region_t *regions;   /* what the principal may see; n_regions 0: everything */
    bool feeds_only;           /* the asker may not read: no alerts are counted for it */
    uint64_t must_see;         /* journal number that the answer shall reflect: last acknowledged to anyone */
    uint64_t must_own;         /* and must, though the view cannot be written: last acknowledged to this client */
    int64_t now;               /* journal time */
    const struct query_status *status;   /* for `status` and `feeds`, else NULL */
    const struct query_catalog *catalog;
    /* query thread */
    enum wire_error error;     /* WIRE_ERROR_NONE: body is the whole body of `result` */
    const char *sentence;      /* of an error; in the arena or static */
    const char *busy;          /* not NULL: the reason of a `busy`, static */
    struct buf body;

    struct query *next;        /* the queue's */
};

struct query_thread;

struct query_options {
    struct view *view;
    struct writer *writer;     /* asked for checkpoints */
    const struct dict *dict;
    const char *journal_dir;   /* where its segments are; copied */
    void (*done)(void *arg);   /* on the query thread: only passes a word on */
    void *arg;
};

int query_start(struct query_thread **, const struct query_options *, struct err *) WW_CHECK;
void query_stop(struct query_thread *); /* before writer_stop; frees what was not given back */

struct query *query_create(struct query_thread *);            /* empty, to be submitted or given back */
bool query_submit(struct query_thread *, struct query *);     /* false: too many wait; give it back and answer `busy` */
struct query *query_finished(struct query_thread *);          /* oldest first; NULL: none */
void query_give_back(struct query_thread *, struct query *);

#endif
