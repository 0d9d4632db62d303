/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and structs: the only door to msgpack-c. Decoding runs lib/scan first, takes memory from the caller's
 * arena only, and never believes a length. Pure; an encoder belongs to one thread.
 *
 * Cost: codec_signals decodes straight from the bytes into struct signal without building a tree of values: 0.18 us a
 * signal of 8 keys in batches of 100, of which the scan takes 0.04; msgpack-c's unpacker alone takes 0.11 and leaves
 * a tree still to be walked. codec_body and the encoders are msgpack-c's. */
#ifndef LIB_CODEC_H
#define LIB_CODEC_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/signal.h"
#include "lib/val.h"

/* ---- decoding ---- */

/* Any body: a map. WW_EINPUT with a sentence (the wire answers bad_message), also for a key twice in it. */
int codec_body(struct slice body, struct arena *, const struct ww_value **out, struct err *) WW_CHECK;

/* One signal of a batch: fields decoded, or the reject that its types or keys earned. */
struct signal_in {
    struct signal sig;
    struct reject why;  /* code REJECT_NONE: types are right; signal_check() comes next */
};

struct signals_body {
    bool has_rid;
    uint64_t rid;
    size_t n;
    struct signal_in *batch; /* in the arena; slices point into the message, which must outlive them */
};

/* Body of the verb `signals`. Returns 0; or a wire error (enum wire_error) with its sentence in err, out->rid filled
 * as far as it could be read: BAD_MESSAGE malformed anywhere or a key twice in the body; MISSING_FIELD no batch;
 * BAD_FIELD rid or batch of a wrong type; TOO_LARGE more than max_batch signals. */
int codec_signals(struct slice body, size_t max_batch, struct arena *, struct signals_body *out, struct err *) WW_CHECK;

/* ---- encoding: writes msgpack to a struct buf; counts of maps and lists are given first ---- */
void enc_map(struct buf *, size_t pairs);
void enc_list(struct buf *, size_t items);
void enc_str(struct buf *, const char *);
void enc_slice(struct buf *, struct slice);
void enc_int(struct buf *, int64_t);
void enc_uint(struct buf *, uint64_t);
void enc_bool(struct buf *, bool);
void enc_nil(struct buf *);

/* A map whose number of pairs is known only at the end: room for a map32 header, counted as pairs are put. */
struct enc_open {
    struct buf *b;
    size_t at;    /* offset of the header */
    uint32_t n;
};
struct enc_open enc_map_open(struct buf *);
struct enc_open enc_list_open(struct buf *);
void enc_close(struct enc_open *);
/* Key and value into an open map; a text that is not given (NULL, {NULL, 0}) puts nothing. */
void enc_kv_str(struct enc_open *, const char *key, const char *value);
void enc_kv_slice(struct enc_open *, const char *key, struct slice value);
void enc_kv_int(struct enc_open *, const char *key, int64_t value);
void enc_kv_uint(struct enc_open *, const char *key, uint64_t value);
void enc_kv_bool(struct enc_open *, const char *key, bool value);
void enc_key(struct enc_open *, const char *key);  /* the value follows by another call */
void enc_item(struct enc_open *);                  /* one more item in an open list follows */

void enc_value(struct buf *, const struct ww_value *); /* a decoded value again */

/* Body of `signals` as a client sends it. */
void codec_put_signals(struct buf *, uint64_t rid, const struct ww_signal *, size_t n);

#endif
