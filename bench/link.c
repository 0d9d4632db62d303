/* SPDX-License-Identifier: Apache-2.0 */
/* See link.h. */
#include "bench/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *what, const char *more)
{
    fprintf(stderr, "bench: %s %s\n", what, more ? more : "");
    exit(1);
}

int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- samples ---- */

void sample(struct samples *s, int64_t ns)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 4096;
        s->ns = realloc(s->ns, s->cap * sizeof *s->ns);
        if (!s->ns)
            die("no memory", NULL);
    }
    s->ns[s->n++] = ns;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double at_share(const struct samples *s, double share) /* microseconds; sorted */
{
    return s->n ? (double)s->ns[(size_t)(share * (double)(s->n - 1))] / 1e3 : 0;
}

void print_samples(const char *name, struct samples *s)
{
    qsort(s->ns, s->n, sizeof *s->ns, by_size);
    printf("\"%s\": {\"n\": %zu, \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f, \"max_us\": %.1f}",
           name, s->n, at_share(s, .5), at_share(s, .9), at_share(s, .99), at_share(s, .999), at_share(s, 1));
}

/* ---- one connection ---- */

void link_open(struct link *l, void *context, const char *endpoint)
{
    int hwm = 0, linger = 0;
    size_t size = sizeof l->fd;
    l->own = !context;
    l->context = context ? context : zmq_ctx_new();
    l->dealer = zmq_socket(l->context, ZMQ_DEALER);
    zmq_setsockopt(l->dealer, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(l->dealer, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(l->dealer, ZMQ_LINGER, &linger, sizeof linger);
    if (zmq_connect(l->dealer, endpoint) != 0)
        die(zmq_strerror(errno), endpoint);
    zmq_getsockopt(l->dealer, ZMQ_FD, &l->fd, &size);
}

void link_close(struct link *l)
{
    zmq_close(l->dealer);
    if (l->own)
        zmq_ctx_term(l->context);
}

void link_send(struct link *l, const char *verb, const void *body, size_t n)
{
    if (zmq_send(l->dealer, verb, strlen(verb), ZMQ_SNDMORE) < 0 || zmq_send(l->dealer, body, n, 0) < 0)
        die("send:", zmq_strerror(errno));
}

bool link_take(struct link *l, struct reply *r)
{
    zmq_msg_t verb;
    zmq_msg_init(&verb);
    if (zmq_msg_recv(&verb, l->dealer, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&verb);
        return false;
    }
    size_t n = zmq_msg_size(&verb) < sizeof r->verb ? zmq_msg_size(&verb) : sizeof r->verb - 1;
    memcpy(r->verb, zmq_msg_data(&verb), n);
    r->verb[n] = 0;
    zmq_msg_init(&r->body);
    if (!zmq_msg_more(&verb) || zmq_msg_recv(&r->body, l->dealer, 0) < 0)
        die("a reply of one frame:", r->verb);
    zmq_msg_close(&verb);
    r->p = zmq_msg_data(&r->body);
    r->n = zmq_msg_size(&r->body);
    return true;
}

void link_wait(struct link *l, int64_t ns)
{
    int events = 0;
    size_t size = sizeof events;
    zmq_getsockopt(l->dealer, ZMQ_EVENTS, &events, &size);
    if ((events & ZMQ_POLLIN) || ns <= 0)
        return;
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    ppoll(&p, 1, &t, NULL);
}

uint64_t reply_number(const struct reply *r, const char *key, uint64_t otherwise)
{
    size_t n = 0;
    const uint8_t *v = mp_find(r->p, r->n, key, &n);
    return mp_number(v, n, otherwise);
}

void complain(const struct reply *r)
{
    size_t n = 0;
    const char *text;
    const uint8_t *v = mp_find(r->p, r->n, "message", &n);
    if (!v && (v = mp_find(r->p, r->n, "rejected", &n)) != NULL)
        v = mp_find(v + 1, n - 1, "message", &n);
    n = mp_string(v, n, &text);
    fprintf(stderr, "bench: the server says %s: %.*s\n", r->verb, (int)n, text);
    exit(1);
}

/* ---- listening ---- */

void subscribe(struct link *l)
{
    uint8_t body[64], *p = body;
    mp_put_map(&p, 2);
    mp_put_str(&p, "rid"), mp_put_u64(&p, 1);
    mp_put_str(&p, "from"), *p++ = 0xff; /* -1: from now on */
    link_send(l, "subscribe", body, (size_t)(p - body));
}

void grant(struct link *l, const struct reply *r, uint64_t n)
{
    uint8_t body[256], *p = body;
    size_t len = 0;
    const uint8_t *session = mp_find(r->p, r->n, "session", &len);
    if (!session || len > 128)
        complain(r);
    mp_put_map(&p, 2);
    mp_put_str(&p, "session"), mp_put_raw(&p, session, len);
    mp_put_str(&p, "n"), mp_put_u64(&p, n);
    link_send(l, "credit", body, (size_t)(p - body));
}
