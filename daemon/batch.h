/* SPDX-License-Identifier: Apache-2.0 */
/* A batch: what the server gathered while the last one was being committed, and what the writer answers. There are a
 * few, handed back and forth; while one side has a batch the other does not touch it. What its parts point to is in the
 * batch's arena, thrown away whole; the two lists keep their memory for the next use.
 *
 * Main thread fills: slots and requests. Writer thread fills: the fields marked (w). */
#ifndef DAEMON_BATCH_H
#define DAEMON_BATCH_H

#include "engine/engine.h"
#include "lib/arena.h"

enum { BATCH_ENTRIES_MAX = 65536, BATCH_BYTES_GATHERED_MAX = 8 << 20 };

/* One entry to be journalled. */
struct slot {
    const struct entry_signal *signal; /* NULL: not a signal, nothing to screen */
    struct slice body, erasable;       /* encoded by the server: engine/entry.h; salt and text of a note */
    uint32_t index;                    /* of the signal in the client's batch */
    uint8_t screened;                  /* (w) enum screened */
    uint64_t number;                   /* (w) journal number; 0: not journalled */
};

struct rejected {
    uint32_t index;
    struct slice id;
    enum reject_code code;
    const char *message;               /* NULL: reject_text(code) */
};

enum request_type { REQUEST_SIGNALS, REQUEST_ACTION, REQUEST_SETTINGS, REQUEST_PRESENCE };

/* One message that waits for the disk. Its slots are slots[first .. first + n). */
struct request {
    uint8_t type;                      /* enum request_type */
    bool has_rid;
    uint64_t client;                   /* the server's handle of the peer; may be gone by the time of the answer */
    uint64_t rid;
    uint32_t first, n;
    struct rejected *rejected;         /* found by the server, rising index; the writer's own are added (w) */
    uint32_t n_rejected, cap_rejected;
    uint64_t accepted, duplicates;     /* (w) */
    uint64_t seq;                      /* (w) last number accepted, 0: none */
    enum wire_error refused;           /* (w) of an action */
    const char *sentence;              /* (w) */
};

struct batch {
    struct arena arena;
    struct slot *slots;
    size_t n_slots, cap_slots, bytes;
    struct request *requests;
    size_t n_requests, cap_requests;
    struct engine_out out;             /* (w) alert events, in order; in the arena */
    uint64_t number;                   /* (w) last entry folded */
    int64_t time;                      /* (w) journal time of the batch */
    int64_t commit_us;                 /* (w) from taken to durable */
    bool busy;                         /* (w) nothing was stored: every request is answered `busy` */
    const char *busy_reason;           /* (w) */
};

void batch_init(struct batch *);
void batch_finish(struct batch *);
void batch_reset(struct batch *);
/* May n more slots of `bytes` together be gathered into it? If not: writer_submit, and answer `busy` if it is still so. */
bool batch_has_room(const struct batch *, size_t n, size_t bytes);
struct request *batch_request(struct batch *, enum request_type, uint64_t client); /* valid until the next call */
/* Zeroed; belongs to the last request; valid until the next call. The caller adds what it put in to batch->bytes. */
struct slot *batch_slot(struct batch *);
/* Either side while it has the batch; keeps the list in the rising order of index. id: in the arena, or copied by the
 * caller. */
void batch_reject(struct batch *, struct request *, uint32_t index, struct slice id, enum reject_code,
                  const char *message);

#endif
