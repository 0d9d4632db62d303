/* SPDX-License-Identifier: Apache-2.0 */
/* The little of msgpack that the benchmark needs, and the making of signals cheap enough that what is measured is the
 * server: every batch is one template in which id, code and time are overwritten in place. Pure; any thread.
 *
 * On purpose not lib/codec: the bare server and the load must cost the same whatever happens there. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The raw bytes of the value of `key` in the map at p (n bytes); NULL when it is not there or the bytes are no map. */
const uint8_t *mp_find(const uint8_t *p, size_t n, const char *key, size_t *len);
/* An unsigned number or the length of a list or map; `otherwise` for anything else. */
uint64_t mp_number(const uint8_t *value, size_t len, uint64_t otherwise);
size_t mp_string(const uint8_t *value, size_t len, const char **text);

/* Writers: append at *p and move it. */
void mp_put_map(uint8_t **p, unsigned pairs);
void mp_put_list(uint8_t **p, unsigned items);
void mp_put_str(uint8_t **p, const char *);
void mp_put_u64(uint8_t **p, uint64_t); /* always 9 bytes, so that it can be overwritten */
void mp_put_raw(uint8_t **p, const void *, size_t);

/* The unified social credit code of enterprise e (below 887,503,681), and back; back gives UINT32_MAX for any other. */
enum { CODE_LEN = 18 };
void code_make(uint32_t e, char out[CODE_LEN]);
uint32_t code_number(const char code[CODE_LEN]);

struct load_shape {
    unsigned batch;        /* signals a message */
    uint32_t enterprises;
    uint64_t signals;      /* in all; the last batch may be shorter */
    int64_t first_at, step_us; /* time of signal i: first_at ms + i * step_us / 1000 */
    unsigned client;       /* part of every id */
    uint32_t run;          /* part of every id, so that a second run is not all duplicates */
    const char *only_kind; /* NULL: a mix; else every signal is of it, and enterprise i is that of signal i */
};

struct load;
struct load *load_create(const struct load_shape *);
void load_destroy(struct load *);
uint64_t load_batches(const struct load *);
/* The body of batch `no`; the same number gives the same bytes. Valid until the next call. *signals: how many are in it. */
const uint8_t *load_body(struct load *, uint64_t no, size_t *len, unsigned *signals);

#endif
