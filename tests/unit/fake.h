/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon that a story plays, for the tests of libwagewarn. The story runs on a thread of its own, hears and
 * tells messages one by one, and aborts the program when it hears something else than it waits for. */
#ifndef TESTS_UNIT_FAKE_H
#define TESTS_UNIT_FAKE_H

#include "lib/buf.h"
#include "lib/codec.h"
#include "wagewarn.h"

#include "test.h"

#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum { PATIENCE_MS = 20000 }; /* only a broken client waits that long */

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static char directory[] = "/tmp/ww-client-XXXXXX";
static char endpoint[128], cursor_path[128];

/* ---- the daemon that a story plays ---- */

struct fake {
    void *ctx, *sock;
    uint8_t peer[32];
    int n_peer;
    struct arena arena;
    const struct ww_value *body; /* of what was heard last */
};

static inline void fake_open(struct fake *f)
{
    int zero = 0, patience = PATIENCE_MS;
    f->ctx = zmq_ctx_new();
    f->sock = zmq_socket(f->ctx, ZMQ_ROUTER);
    zmq_setsockopt(f->sock, ZMQ_LINGER, &patience, sizeof zero);
    zmq_setsockopt(f->sock, ZMQ_RCVTIMEO, &patience, sizeof patience);
    CHECK(zmq_bind(f->sock, endpoint) == 0);
}

static inline void fake_close(struct fake *f)
{
    zmq_close(f->sock);
    zmq_ctx_term(f->ctx);
}

static inline const struct ww_value *hear(struct fake *f, const char *verb)
{
    char said[32];
    uint8_t *bytes = malloc(1 << 20);
    struct err err;
    f->n_peer = zmq_recv(f->sock, f->peer, sizeof f->peer, 0);
    CHECK(f->n_peer > 0);
    int n = zmq_recv(f->sock, said, sizeof said - 1, 0);
    CHECK(n > 0);
    said[n] = 0;
    n = zmq_recv(f->sock, bytes, 1 << 20, 0);
    CHECK(n > 0);
    if (strcmp(said, verb) != 0) {
        fprintf(stderr, "wanted %s, heard %s\n", verb, said);
        abort();
    }
    CHECK(codec_body((struct slice){(char *)bytes, (size_t)n}, &f->arena, &f->body, &err) == 0);
    free(bytes);
    return f->body;
}

/* tell(f, "ack", "rid", 'u', rid, "seq", 'u', seq, NULL): u uint64_t, i int64_t, s text, b struct buf * as it
 * is */
static inline void tell(struct fake *f, const char *verb, ...)
{
    struct buf b = {0};
    struct enc_open map = enc_map_open(&b);
    va_list ap;
    const char *key;
    va_start(ap, verb);
    while ((key = va_arg(ap, const char *)) != NULL) {
        struct buf *raw;
        switch (va_arg(ap, int)) {
        case 'u':
            enc_kv_uint(&map, key, va_arg(ap, uint64_t));
            break;
        case 'i':
            enc_kv_int(&map, key, va_arg(ap, int64_t));
            break;
        case 's':
            enc_kv_str(&map, key, va_arg(ap, const char *));
            break;
        default:
            raw = va_arg(ap, struct buf *);
            enc_key(&map, key);
            buf_put(&b, raw->p, raw->n);
        }
    }
    va_end(ap);
    enc_close(&map);
    zmq_send(f->sock, f->peer, (size_t)f->n_peer, ZMQ_SNDMORE);
    zmq_send(f->sock, verb, strlen(verb), ZMQ_SNDMORE);
    zmq_send(f->sock, b.p, b.n, 0);
    buf_finish(&b);
}

static inline uint64_t rid(const struct fake *f)
{
    return ww_uint(ww_get(f->body, "rid"), 0);
}

static inline void greet_as(struct fake *f, const char *store, uint64_t max_batch, uint64_t max_bytes)
{
    hear(f, "hello");
    CHECK(ww_uint(ww_get(f->body, "protocol"), 0) == 1);
    tell(f, "welcome", "rid", 'u', rid(f), "protocol", 'u', UINT64_C(1), "store", 's', store, "principal",
         's', "local", "max_batch", 'u', max_batch, "max_bytes", 'u', max_bytes, NULL);
}

static inline void greet(struct fake *f)
{
    greet_as(f, "store-1", 1000, 1 << 20);
}

static inline size_t batch(const struct fake *f)
{
    return ww_length(ww_get(f->body, "batch"));
}

static inline const char *id_at(const struct fake *f, size_t i)
{
    return ww_str(ww_get(ww_at(ww_get(f->body, "batch"), i), "id"), "");
}

static inline void ack(struct fake *f, uint64_t accepted, uint64_t seq)
{
    tell(f, "ack", "rid", 'u', rid(f), "accepted", 'u', accepted, "duplicates", 'u', UINT64_C(0), "seq", 'u',
         seq, NULL);
}

/* ---- stories ---- */

typedef void story(struct fake *);

struct play {
    pthread_t thread;
    sem_t over; /* the client is done: the daemon may go */
    struct fake fake;
    story *story;
};

static inline void *run_story(void *arg)
{
    struct play *p = arg;
    fake_open(&p->fake);
    p->story(&p->fake);
    sem_wait(&p->over);
    fake_close(&p->fake);
    arena_finish(&p->fake.arena);
    return NULL;
}

static inline void begin(struct play *p, story *s)
{
    *p = (struct play){.story = s};
    sem_init(&p->over, 0, 0);
    CHECK(pthread_create(&p->thread, NULL, run_story, p) == 0);
}

static inline void end(struct play *p)
{
    sem_post(&p->over);
    pthread_join(p->thread, NULL);
    sem_destroy(&p->over);
}

static inline struct ww_client *join(int timeout_ms, int retry_ms)
{
    struct ww_client *c;
    struct ww_options o = {
        .endpoint = endpoint, .program = "test", .timeout_ms = timeout_ms, .retry_ms = retry_ms};
    int rc = ww_connect(&c, &o);
    if (rc != 0)
        fail_msg("ww_connect: %d %s", rc, ww_message(c));
    return c;
}

static inline int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(endpoint, sizeof endpoint, "ipc://%s/sock", directory);
    snprintf(cursor_path, sizeof cursor_path, "%s/cursor", directory);
    return 0;
}

static inline int remove_directory(void **state)
{
    (void)state;
    unlink(cursor_path);
    unlink(endpoint + strlen("ipc://"));
    return rmdir(directory);
}

#endif
