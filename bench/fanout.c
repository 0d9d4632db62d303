/* SPDX-License-Identifier: Apache-2.0 */
/* How long until all of many subscribers have heard of an alert. Prints one JSON object.
 *
 *     fanout --endpoint E [--subscribers N] [--alerts N]      of a daemon
 *     fanout --bare [--subscribers N] [--alerts N] [--bytes N]  of a ROUTER in a thread that sends as many bytes to each
 *
 * One signal at a time, each of which raises an alert of its own; the next is sent when all have heard. `first` and `last`
 * are the times until the first and until the last subscriber has it. */
#include "bench/link.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { SUBSCRIBERS_MOST = 4000, CREDIT = 1 << 20, SILENCE_S = 60 };

struct options {
    const char *endpoint;
    unsigned subscribers, alerts;
    size_t bytes;
    bool bare;
};

struct crowd {
    void *context;
    struct link *links;
    zmq_pollitem_t *polls;
    unsigned n;
};

/* ---- the bare one ---- */

struct bare {
    void *router;
    const struct options *o;
};

/* A subscriber is whoever sent anything but a signal. Ends with the context. */
static void *bare_main(void *arg)
{
    struct bare *b = arg;
    zmq_msg_t *who = calloc(b->o->subscribers, sizeof *who), from, verb, body;
    uint8_t *bytes = calloc(1, b->o->bytes);
    unsigned n = 0;
    for (;;) {
        zmq_msg_init(&from), zmq_msg_init(&verb), zmq_msg_init(&body);
        if (zmq_msg_recv(&from, b->router, 0) < 0 || zmq_msg_recv(&verb, b->router, 0) < 0 || zmq_msg_recv(&body, b->router, 0) < 0)
            break;
        bool signal = zmq_msg_size(&verb) == 7 && memcmp(zmq_msg_data(&verb), "signals", 7) == 0;
        for (unsigned i = 0; signal && i < n; i++)
            if (zmq_send(b->router, zmq_msg_data(&who[i]), zmq_msg_size(&who[i]), ZMQ_SNDMORE) < 0 ||
                zmq_send(b->router, "event", 5, ZMQ_SNDMORE) < 0 || zmq_send(b->router, bytes, b->o->bytes, 0) < 0)
                die("bare: send:", zmq_strerror(zmq_errno()));
        if (!signal && n < b->o->subscribers) {
            zmq_msg_init(&who[n]);
            zmq_msg_copy(&who[n], &from);
            zmq_send(b->router, zmq_msg_data(&who[n]), zmq_msg_size(&who[n]), ZMQ_SNDMORE);
            zmq_send(b->router, "subscribed", 10, ZMQ_SNDMORE);
            zmq_send(b->router, "", 0, 0);
            n++;
        }
        zmq_msg_close(&from), zmq_msg_close(&verb), zmq_msg_close(&body);
    }
    zmq_close(b->router);
    free(who);
    free(bytes);
    return NULL;
}

static void bare_start(struct bare *b, const struct options *o, void *context, char endpoint[64])
{
    int hwm = 0;
    size_t size = 64;
    pthread_t thread;
    *b = (struct bare){zmq_socket(context, ZMQ_ROUTER), o};
    zmq_setsockopt(b->router, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(b->router, ZMQ_RCVHWM, &hwm, sizeof hwm);
    if (zmq_bind(b->router, "tcp://127.0.0.1:*") != 0)
        die("bare: bind:", zmq_strerror(zmq_errno()));
    zmq_getsockopt(b->router, ZMQ_LAST_ENDPOINT, endpoint, &size);
    pthread_create(&thread, NULL, bare_main, b);
    pthread_detach(thread);
}

/* ---- the crowd ---- */

static void wait_any(struct crowd *c)
{
    if (zmq_poll(c->polls, (int)c->n, SILENCE_S * 1000L) <= 0)
        die("nothing heard for a minute", "");
}

/* Heartbeats come between. */
static bool is(const struct reply *r, const char *verb)
{
    if (strcmp(r->verb, "error") == 0)
        complain(r);
    return strcmp(r->verb, verb) == 0;
}

static void gather(struct crowd *c, const struct options *o, const char *endpoint)
{
    unsigned in = 0;
    c->n = o->subscribers;
    c->links = calloc(c->n, sizeof *c->links);
    c->polls = calloc(c->n, sizeof *c->polls);
    for (unsigned i = 0; i < c->n; i++) {
        link_open(&c->links[i], c->context, endpoint);
        c->polls[i] = (zmq_pollitem_t){.socket = c->links[i].dealer, .events = ZMQ_POLLIN};
        subscribe(&c->links[i]);
    }
    for (struct reply r; in < c->n;) {
        wait_any(c);
        for (unsigned i = 0; i < c->n; i++)
            while (link_take(&c->links[i], &r)) {
                bool is_in = is(&r, "subscribed");
                if (is_in && !o->bare)
                    grant(&c->links[i], &r, CREDIT);
                in += is_in;
                zmq_msg_close(&r.body);
            }
    }
}

/* Until each has the next event: when the first and the last had it, and how long it is. */
static size_t hear(struct crowd *c, int64_t *first, int64_t *last)
{
    size_t bytes = 0;
    unsigned heard = 0;
    for (struct reply r; heard < c->n;) {
        wait_any(c);
        for (unsigned i = 0; i < c->n; i++)
            while ((c->polls[i].revents & ZMQ_POLLIN) && link_take(&c->links[i], &r)) {
                if (is(&r, "event")) {
                    *last = now_ns(CLOCK_MONOTONIC);
                    if (!heard++)
                        *first = *last;
                    bytes = r.n;
                }
                zmq_msg_close(&r.body);
            }
    }
    return bytes;
}

static int run(const struct options *o)
{
    struct crowd c = {.context = zmq_ctx_new()};
    struct bare bare;
    char endpoint[64];
    void *server = zmq_ctx_new();
    zmq_ctx_set(c.context, ZMQ_MAX_SOCKETS, SUBSCRIBERS_MOST + 16);
    if (o->bare)
        bare_start(&bare, o, server, endpoint);
    gather(&c, o, o->bare ? endpoint : o->endpoint);
    struct load_shape shape = {.batch = 1, .enterprises = o->alerts, .signals = o->alerts, .run = (uint32_t)time(NULL),
                               .first_at = (now_ns(CLOCK_REALTIME) / 1000000) - 86400000, .step_us = 1000, .only_kind = "police.owner_missing"};
    struct load *load = load_create(&shape);
    struct samples firsts = {0}, lasts = {0};
    struct link feeder;
    size_t bytes = 0;
    link_open(&feeder, NULL, o->bare ? endpoint : o->endpoint);
    for (unsigned i = 0; i < o->alerts; i++) {
        size_t n;
        unsigned one;
        const uint8_t *body = load_body(load, i, &n, &one);
        int64_t first = 0, last = 0, sent = now_ns(CLOCK_MONOTONIC);
        link_send(&feeder, "signals", body, n);
        bytes = hear(&c, &first, &last);
        sample(&firsts, first - sent);
        sample(&lasts, last - sent);
        for (struct reply r; link_take(&feeder, &r); zmq_msg_close(&r.body))
            if (strcmp(r.verb, "ack") != 0)
                complain(&r);
    }
    printf("{\"subscribers\": %u, \"alerts\": %u, \"bytes\": %zu, ", o->subscribers, o->alerts, bytes);
    print_samples("first", &firsts);
    printf(", ");
    print_samples("last", &lasts);
    printf("}\n");
    fflush(stdout);
    _Exit(0); /* thousands of sockets close with the process */
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"endpoint", 1, 0, 'e'}, {"subscribers", 1, 0, 'n'}, {"alerts", 1, 0, 'a'},
                                            {"bytes", 1, 0, 's'},    {"bare", 0, 0, 'b'},        {0, 0, 0, 0}};
    struct options o = {.endpoint = "tcp://127.0.0.1:7410", .subscribers = 100, .alerts = 200, .bytes = 700};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'e': o.endpoint = optarg; break;
        case 'n': o.subscribers = (unsigned)atoi(optarg); break;
        case 'a': o.alerts = (unsigned)atoi(optarg); break;
        case 's': o.bytes = (size_t)atol(optarg); break;
        case 'b': o.bare = true; break;
        default: return 2;
        }
    if (optind != argc || o.subscribers < 1 || o.subscribers > SUBSCRIBERS_MOST || o.alerts < 1 || o.bytes < 1)
        die("usage: fanout --endpoint E | --bare; more in", "bench/README.md");
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    return run(&o);
}
