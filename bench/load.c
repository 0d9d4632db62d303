/* SPDX-License-Identifier: Apache-2.0 */
/* The load: speaks PROTOCOL's framing to wagewarnd or to the bare server, and prints one JSON object.
 *
 *     load ingest  --endpoint E [--signals N --enterprises N --clients N --batch N --window N --pid P]
 *     load latency --endpoint E [--rate R --seconds S --alerts --pid P]
 *
 * ingest: each client is a thread with a ZeroMQ context and a socket of its own and keeps `window` batches in flight.
 * latency: an open loop; signal i is due at i / rate, and its latency counts from then, not from when it could be sent,
 * so that a stall is charged to all that waited behind it. With --alerts each signal raises an alert of its own and a
 * subscriber takes the time until it hears of it. */
#include "bench/link.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CLIENTS_MOST = 64, SILENCE_S = 60 };

struct options {
    const char *endpoint;
    uint64_t signals;
    uint32_t enterprises;
    unsigned clients, batch, window, rate, seconds;
    bool alerts;
    long pid;
};

/* CPU seconds of a process so far, and its resident kilobytes; 0 when there is none. */
static double process_cpu(long pid)
{
    char path[64], text[1024];
    unsigned long user = 0, sys = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = pid ? fopen(path, "r") : NULL;
    if (!f)
        return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    char *after = strrchr(text, ')');
    if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        return 0;
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static long process_rss_kib(long pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", pid);
    FILE *f = pid ? fopen(path, "r") : NULL;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

static double own_cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- ingest ---- */

struct client {
    pthread_t thread;
    const struct options *o;
    struct load *load;
    uint64_t accepted, busy, bytes;
    struct samples latency;
    int64_t ended;
};

static pthread_barrier_t start_line;

static void send_batch(struct client *c, struct link *l, uint64_t no, int64_t *sent)
{
    size_t n;
    unsigned signals;
    const uint8_t *body = load_body(c->load, no, &n, &signals);
    c->bytes += n;
    sent[no] = now_ns(CLOCK_MONOTONIC);
    link_send(l, "signals", body, n);
}

/* One reply to a batch: true when it is done with. */
static bool on_reply(struct client *c, struct link *l, const struct reply *r, int64_t *sent)
{
    uint64_t no = reply_number(r, "rid", UINT64_MAX);
    if (no >= load_batches(c->load))
        complain(r);
    if (strcmp(r->verb, "busy") == 0) {
        c->busy++;
        struct timespec t = {.tv_nsec = 1000000 * (long)(reply_number(r, "retry_ms", 10) % 1000)};
        nanosleep(&t, NULL);
        send_batch(c, l, no, sent);
        return false;
    }
    if (strcmp(r->verb, "ack") != 0 || reply_number(r, "rejected", 0) != 0)
        complain(r);
    c->accepted += reply_number(r, "accepted", 0);
    sample(&c->latency, now_ns(CLOCK_MONOTONIC) - sent[no]);
    return true;
}

static void *client_main(void *arg)
{
    struct client *c = arg;
    struct link l;
    uint64_t batches = load_batches(c->load), next = 0, done = 0;
    int64_t *sent = calloc(batches, sizeof *sent), heard = now_ns(CLOCK_MONOTONIC);
    link_open(&l, NULL, c->o->endpoint);
    pthread_barrier_wait(&start_line);
    while (done < batches) {
        while (next < batches && next - done < c->o->window)
            send_batch(c, &l, next++, sent);
        struct reply r;
        bool any = false;
        while (link_take(&l, &r)) {
            done += on_reply(c, &l, &r, sent);
            zmq_msg_close(&r.body);
            any = true;
            if (next < batches && next - done < c->o->window)
                send_batch(c, &l, next++, sent);
        }
        if (any)
            heard = now_ns(CLOCK_MONOTONIC);
        else if (now_ns(CLOCK_MONOTONIC) - heard > SILENCE_S * INT64_C(1000000000))
            die("no answer for a minute from", c->o->endpoint);
        else
            link_wait(&l, 200000000);
    }
    c->ended = now_ns(CLOCK_MONOTONIC);
    link_close(&l);
    free(sent);
    return NULL;
}

static int64_t days_ago_ms(int days)
{
    return now_ns(CLOCK_REALTIME) / 1000000 - (int64_t)days * 86400000;
}

static int ingest(const struct options *o)
{
    struct client *clients = calloc(o->clients, sizeof *clients);
    pthread_barrier_init(&start_line, NULL, o->clients + 1);
    for (unsigned i = 0; i < o->clients; i++) {
        struct load_shape shape = {.batch = o->batch, .enterprises = o->enterprises, .signals = o->signals / o->clients,
                                   .first_at = days_ago_ms(365), .client = i, .run = (uint32_t)time(NULL)};
        shape.step_us = 364 * INT64_C(86400000000) / (int64_t)(shape.signals + 1);
        clients[i] = (struct client){.o = o, .load = load_create(&shape)};
        if (!clients[i].load)
            die("no memory", NULL);
        pthread_create(&clients[i].thread, NULL, client_main, &clients[i]);
    }
    pthread_barrier_wait(&start_line);
    int64_t began = now_ns(CLOCK_MONOTONIC), ended = began;
    double server = process_cpu(o->pid), own = own_cpu();
    struct samples all = {0};
    uint64_t accepted = 0, busy = 0, bytes = 0;
    for (unsigned i = 0; i < o->clients; i++) {
        struct client *c = &clients[i];
        pthread_join(c->thread, NULL);
        ended = c->ended > ended ? c->ended : ended;
        accepted += c->accepted, busy += c->busy, bytes += c->bytes;
        for (size_t k = 0; k < c->latency.n; k++)
            sample(&all, c->latency.ns[k]);
        free(c->latency.ns);
        load_destroy(c->load);
    }
    server = process_cpu(o->pid) - server, own = own_cpu() - own;
    double s = (double)(ended - began) / 1e9, millions = (double)accepted / 1e6;
    printf("{\"accepted\": %llu, \"seconds\": %.3f, \"signals_per_s\": %.0f, \"busy\": %llu, \"bytes_per_signal\": %.1f, "
           "\"server_cpu_s\": %.2f, \"server_cpu_s_per_million\": %.3f, \"client_cpu_s_per_million\": %.3f, "
           "\"server_rss_mib\": %.1f, ",
           (unsigned long long)accepted, s, (double)accepted / s, (unsigned long long)busy,
           (double)bytes / (double)accepted, server, server / millions, own / millions,
           (double)process_rss_kib(o->pid) / 1024);
    print_samples("batch_ack", &all);
    printf("}\n");
    free(all.ns);
    free(clients);
    return 0;
}

/* ---- latency ---- */

struct listener {
    pthread_t thread;
    const struct options *o;
    const int64_t *due;      /* when signal i was due to be sent */
    uint64_t n, heard;
    struct samples latency;
    pthread_barrier_t *ready;
    volatile bool over;
};

static void on_event(struct listener *s, const struct reply *r)
{
    size_t n = 0;
    const char *code;
    const uint8_t *v = mp_find(r->p, r->n, "enterprise", &n);
    v = v ? mp_find(v, n, "uscc", &n) : NULL;
    if (mp_string(v, n, &code) != CODE_LEN)
        return;
    uint32_t e = code_number(code);
    if (e < s->n && s->due[e]) {
        sample(&s->latency, now_ns(CLOCK_MONOTONIC) - s->due[e]);
        s->heard++;
    }
}

enum { CREDIT = 1000 };

static void *listen_main(void *arg)
{
    struct listener *s = arg;
    struct link l;
    uint64_t left = 0;
    link_open(&l, NULL, s->o->endpoint);
    subscribe(&l);
    while (!s->over) {
        struct reply r;
        while (link_take(&l, &r)) {
            if (strcmp(r.verb, "error") == 0)
                complain(&r);
            if (strcmp(r.verb, "event") == 0)
                on_event(s, &r), left--;
            if (strcmp(r.verb, "subscribed") == 0)
                grant(&l, &r, CREDIT), left = CREDIT, pthread_barrier_wait(s->ready);
            else if (left < CREDIT / 2)
                grant(&l, &r, CREDIT), left += CREDIT;
            zmq_msg_close(&r.body);
        }
        link_wait(&l, 100000000);
    }
    link_close(&l);
    return NULL;
}

static int latency(const struct options *o)
{
    uint64_t n = (uint64_t)o->rate * o->seconds, next = 0, done = 0, busy = 0;
    int64_t *due = calloc(n, sizeof *due);
    struct load_shape shape = {.batch = 1, .enterprises = (uint32_t)n, .signals = n, .first_at = days_ago_ms(1),
                               .step_us = 1000, .run = (uint32_t)time(NULL), .only_kind = "police.owner_missing"};
    struct load *load = load_create(&shape);
    struct samples acks = {0};
    struct listener s = {.o = o, .due = due, .n = n};
    pthread_barrier_t ready;
    pthread_barrier_init(&ready, NULL, 2);
    s.ready = &ready;
    if (o->alerts) {
        pthread_create(&s.thread, NULL, listen_main, &s);
        pthread_barrier_wait(&ready);
    }
    struct link l;
    link_open(&l, NULL, o->endpoint);
    double server = process_cpu(o->pid);
    int64_t began = now_ns(CLOCK_MONOTONIC) + 200000000, step = 1000000000 / o->rate, heard = began;
    for (uint64_t i = 0; i < n; i++)
        due[i] = began + (int64_t)i * step;
    while (done < n) {
        int64_t now = now_ns(CLOCK_MONOTONIC);
        for (; next < n && due[next] <= now; next++) {
            size_t len;
            unsigned one;
            const uint8_t *body = load_body(load, next, &len, &one);
            link_send(&l, "signals", body, len);
        }
        struct reply r;
        while (link_take(&l, &r)) {
            uint64_t no = reply_number(&r, "rid", UINT64_MAX);
            if (strcmp(r.verb, "ack") != 0 || no >= n || reply_number(&r, "rejected", 0) != 0)
                complain(&r);
            heard = now_ns(CLOCK_MONOTONIC);
            sample(&acks, heard - due[no]);
            zmq_msg_close(&r.body);
            done++;
        }
        if (now - heard > SILENCE_S * INT64_C(1000000000))
            die("no answer for a minute from", o->endpoint);
        link_wait(&l, next < n ? due[next] - now_ns(CLOCK_MONOTONIC) : 100000000);
    }
    server = process_cpu(o->pid) - server;
    if (o->alerts) {
        for (int i = 0; i < 50 && s.heard < n; i++)
            usleep(100000);
        s.over = true;
        pthread_join(s.thread, NULL);
    }
    printf("{\"rate\": %u, \"seconds\": %u, \"busy\": %llu, \"server_cpu_share\": %.4f, ", o->rate, o->seconds,
           (unsigned long long)busy, server / o->seconds);
    print_samples("ack", &acks);
    if (o->alerts)
        printf(", \"alerts_heard\": %llu, ", (unsigned long long)s.heard), print_samples("alert", &s.latency);
    printf("}\n");
    link_close(&l);
    load_destroy(load);
    free(acks.ns);
    free(s.latency.ns);
    free(due);
    return 0;
}

/* ---- options ---- */

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"endpoint", 1, 0, 'e'}, {"signals", 1, 0, 'n'}, {"enterprises", 1, 0, 'E'}, {"clients", 1, 0, 'c'},
        {"batch", 1, 0, 'b'},    {"window", 1, 0, 'w'},  {"rate", 1, 0, 'r'},        {"seconds", 1, 0, 's'},
        {"alerts", 0, 0, 'a'},   {"pid", 1, 0, 'p'},     {0, 0, 0, 0}};
    struct options o = {.endpoint = "tcp://127.0.0.1:7410", .signals = 4000000, .enterprises = 1000000, .clients = 2,
                        .batch = 100, .window = 32, .rate = 500, .seconds = 20};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'e': o.endpoint = optarg; break;
        case 'n': o.signals = strtoull(optarg, NULL, 10); break;
        case 'E': o.enterprises = (uint32_t)strtoul(optarg, NULL, 10); break;
        case 'c': o.clients = (unsigned)atoi(optarg); break;
        case 'b': o.batch = (unsigned)atoi(optarg); break;
        case 'w': o.window = (unsigned)atoi(optarg); break;
        case 'r': o.rate = (unsigned)atoi(optarg); break;
        case 's': o.seconds = (unsigned)atoi(optarg); break;
        case 'a': o.alerts = true; break;
        case 'p': o.pid = atol(optarg); break;
        default: return 2;
        }
    if (optind + 1 != argc || o.batch < 1 || o.batch > 65535 || o.clients < 1 || o.clients > CLIENTS_MOST ||
        o.signals < o.clients || o.enterprises < 1 || o.rate < 1 || o.window < 1)
        die("usage: load ingest|latency --endpoint E; more in", "bench/README.md");
    if (strcmp(argv[optind], "ingest") == 0)
        return ingest(&o);
    if (strcmp(argv[optind], "latency") == 0)
        return latency(&o);
    die("no such benchmark:", argv[optind]);
    return 2;
}
