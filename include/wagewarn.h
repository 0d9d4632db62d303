/* SPDX-License-Identifier: Apache-2.0 */
/* libwagewarn: speak to wagewarnd. Push signals, follow alerts, act on them, ask.
 *
 * A client is one connection and belongs to one thread at a time. Every function returns WW_OK (0) or a
 * negative code; ww_message() then has one sentence that says what to do. Times are milliseconds since the
 * Unix epoch, UTC; money is in fen; text is UTF-8. The protocol itself: docs/protocol.md. */
#ifndef WAGEWARN_H
#define WAGEWARN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WW_API __attribute__((visibility("default")))

enum ww_code {
    WW_OK = 0,
    WW_ENO = -1,       /* the answer is no: something was rejected, damaged, failed */
    WW_EUSAGE = -2,    /* the call makes no sense */
    WW_EUNREACH = -3,  /* the daemon cannot be reached */
    WW_EIO = -4,       /* a file or disk failed */
    WW_EFULL = -5,     /* no space left */
    WW_EAGAIN = -6,    /* busy: try again later */
    WW_EDENIED = -7,   /* not allowed */
    WW_ECONFIG = -8,   /* a mistake in a configuration file */
    WW_EDAMAGED = -9,  /* stored bytes do not check */
    WW_EINPUT = -10,   /* bytes from outside make no sense */
    WW_ELOCKED = -11,  /* another process holds it */
    WW_ENOTFOUND = -12,
    WW_ESTORE = -13,   /* another store than the cursor's: start again (PROTOCOL: store_changed) */
    WW_ETOOOLD = -14,  /* the events asked for are no longer kept */
    WW_EREFUSED = -15  /* the daemon answered with another error; the sentence has it */
};

struct ww_client;

/* What a map, list or text in a reply is. Owned by the reply it came in. Unknown keys are there too. */
struct ww_value;
enum ww_type { WW_NIL, WW_BOOL, WW_INT, WW_UINT, WW_STR, WW_LIST, WW_MAP };

WW_API enum ww_type ww_type(const struct ww_value *);                     /* NULL is WW_NIL */
WW_API const struct ww_value *ww_get(const struct ww_value *map, const char *key); /* NULL: not there */
WW_API size_t ww_length(const struct ww_value *);                         /* of a list or map, else 0 */
WW_API const struct ww_value *ww_at(const struct ww_value *, size_t i);   /* item of a list, value of a map */
WW_API const char *ww_key(const struct ww_value *map, size_t i);
WW_API int64_t ww_int(const struct ww_value *, int64_t otherwise);
WW_API uint64_t ww_uint(const struct ww_value *, uint64_t otherwise);
WW_API const char *ww_str(const struct ww_value *, const char *otherwise);

struct ww_options {
    const char *endpoint;    /* NULL: $WAGEWARN_ENDPOINT, else tcp://127.0.0.1:7410 */
    const char *program;     /* said in hello, for the daemon's log; may be NULL */
    int timeout_ms;          /* for one answer; 0: 10,000; -1: for ever. A push waits and retries beyond it
                                until `retry_ms` is over */
    int retry_ms;            /* ww_push: give up after this long without an ack; 0: never give up */
};

/* Connects and says hello. WW_EUNREACH (known after 3 s where nobody listens), WW_EDENIED. Whatever it returns, there is
 * a client then, to be asked for its message and to be disconnected; the next call on one that could not be reached
 * tries again. */
WW_API int ww_connect(struct ww_client **, const struct ww_options *);
WW_API void ww_disconnect(struct ww_client *);                         /* NULL is fine */
WW_API const char *ww_message(const struct ww_client *);               /* the last failure, "" if none; see ww_act() */
/* Id of the daemon's store, as of the last hello; "" before one. Hello is said again after each broken connection: a
 * feeder that finds another id than before sends again what it had acknowledged since its last backup. */
WW_API const char *ww_store(const struct ww_client *);
WW_API const struct ww_value *ww_welcome(const struct ww_client *);    /* all that hello was answered with */

#define WW_ABSENT INT64_MIN /* a number that is not given */

struct ww_attr {
    const char *key;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

/* One reported event; see PROTOCOL, "signals". NULL or WW_ABSENT: not given. Begin with WW_SIGNAL_INIT. */
struct ww_signal {
    const char *id, *kind;
    int64_t at;
    const char *uscc, *name, *region, *industry;
    int64_t amount, people, since;
    const char *project, *role, *owner, *status, *ref, *note, *cancels;
    const struct ww_attr *attrs;
    size_t n_attrs;
};
#define WW_SIGNAL_INIT                                                                                       \
    {                                                                                                        \
        .at = WW_ABSENT, .amount = WW_ABSENT, .people = WW_ABSENT, .since = WW_ABSENT                        \
    }

struct ww_rejected {
    size_t index;        /* in the batch that was pushed */
    const char *id, *code, *message;
};

struct ww_pushed {
    uint64_t accepted, duplicates;
    uint64_t seq;        /* journal number of the last one accepted, 0 if none was */
    const struct ww_rejected *rejected; /* owned by the client until its next call */
    size_t n_rejected;
};

/* Sends n signals (split into batches the daemon takes) and comes back when all are acknowledged, that is on
 * stable storage, or rejected. Reconnects and sends again on a lost connection or `busy`: sending twice counts
 * once. WW_EUNREACH after retry_ms: what is not yet acknowledged may be pushed again. */
WW_API int ww_push(struct ww_client *, const struct ww_signal *, size_t n, struct ww_pushed *);

struct ww_subscription {
    const char *const *regions;    /* prefixes; n 0: all that may be seen */
    size_t n_regions;
    const char *min_level;         /* NULL: general */
    int64_t from;                  /* first event wanted; 0: the oldest kept; -1: from now on.
                                      Ignored when the cursor file has a position */
    const char *cursor;            /* file that keeps the position; NULL: none */
    unsigned credit;               /* events in flight; 0: 256 */
    int duties;                    /* not 0: events of duties too (type `duty`, alert 0) */
};

/* One subscription a client. WW_ESTORE: the cursor is of another store; WW_ETOOOLD: begin with ww_query. */
WW_API int ww_subscribe(struct ww_client *, const struct ww_subscription *);

/* Waits up to timeout_ms (-1: for ever) for the next event; *event is NULL when none came, which a signal to the process
 * may bring about early. It is valid until the next call of ww_next. Reconnects by itself and resumes behind the last
 * event that it gave out, so a process sees each once; while the daemon is away ww_message() says so. After a restart
 * of the process it goes on behind the last event that was marked done. */
WW_API int ww_next(struct ww_client *, int timeout_ms, const struct ww_value **event);

/* The event was worked off: its number goes to the cursor file, durably. Call it after your own effect, so that a
 * crash between the two shows the event again rather than never. */
WW_API int ww_done(struct ww_client *, const struct ww_value *event);

struct ww_action {
    uint64_t alert;
    const char *what;              /* "accept", "verify", ... */
    const char *note, *actor;
    const char *finding, *outcome, *measure, *ref, *team;
    int64_t people, amount, due, until, paid_people, paid_amount;
    uint64_t undo, version;        /* 0: not given */
    const char *name, *uscc, *status; /* resolve, unmerge: no alert, but a name and the code it belongs to */
    uint64_t signal;                  /* sort: no alert, but the number of a signal that waits, */
    const char *as;                   /* and as what it counts */
    const char *duty;                 /* duty_done: no alert, but a duty of the enterprise that uscc or name says */
};
#define WW_ACTION_INIT                                                                                       \
    {                                                                                                        \
        .people = WW_ABSENT, .amount = WW_ABSENT, .due = WW_ABSENT, .until = WW_ABSENT,                      \
        .paid_people = WW_ABSENT, .paid_amount = WW_ABSENT                                                   \
    }

/* *seq (may be NULL): the journal number. ww_message() then has what the daemon says about the step, "" for most.
 * WW_EREFUSED, WW_EDENIED, WW_ENOTFOUND. */
WW_API int ww_act(struct ww_client *, const struct ww_action *, uint64_t *seq);

struct ww_param {
    const char *key;
    const char *text;              /* NULL: the number counts */
    int64_t number;
    int boolean;                   /* not 0: the number is meant as true or false */
};

/* One query; *result is valid until the next call. Paging is the caller's: `next` in the result, `after` asked. */
WW_API int ww_query(struct ww_client *, const char *what, const struct ww_param *, size_t n,
                    const struct ww_value **result);

#ifdef __cplusplus
}
#endif

#endif
