/* SPDX-License-Identifier: Apache-2.0 */
/* Feeders: one an agency. Each sends its signals in batches until they are acknowledged: again after a break or `busy`,
 * in other batches than before, at times some twice. Owns what is on its way. */
#include "tests/sim/sim.h"

#include "lib/mem.h"
#include "wagewarn.h"

#include <stdio.h>
#include <stdlib.h>

enum { FLIGHTS = 4, BATCH_MOST = 40, AT_ONCE = 500000 /* us */ };

struct flight {
    uint64_t rid; /* 0: none */
    int64_t sent;
    bool said; /* the answer, at least */
    size_t n, signals[BATCH_MOST];
};

struct feeder {
    int source;
    struct conn *conn;
    bool wants; /* a connection */
    size_t *todo, n_todo, cap_todo;
    struct flight flights[FLIGHTS];
    uint64_t rids;
    int64_t not_before;
};

static struct feeder feeders[SOURCES];
static int64_t hurry = NEVER; /* from then on an answer must come at once */

static void pump(struct feeder *);
static void late(void *feeder, uint64_t rid);

static void todo(struct feeder *f, size_t signal)
{
    f->todo = mem_grow(f->todo, &f->cap_todo, f->n_todo + 1, sizeof *f->todo);
    f->todo[f->n_todo++] = signal;
}

/* What is not acknowledged is to be sent again. */
static void land(struct feeder *f, struct flight *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (!world_signals[b->signals[i]].acked)
            todo(f, b->signals[i]);
    b->rid = 0;
}

static void put_signal(struct ww_signal *to, const struct sim_signal *s)
{
    const struct sim_firm *firm = world_firm(s->firm);
    *to = (struct ww_signal)WW_SIGNAL_INIT;
    to->id = s->id;
    to->kind = s->kind;
    to->at = s->at;
    to->uscc = s->by_name ? NULL : firm->uscc;
    to->name = firm->name;
    to->region = firm->region;
    to->industry = firm->industry;
    if (s->people != NO_INT)
        to->people = s->people;
    if (s->amount != NO_INT)
        to->amount = s->amount;
    if (s->exercise)
        to->status = "exercise";
    if (s->cancels)
        to->cancels = world_signals[s->cancels - 1].id;
}

static void fill(struct feeder *f, struct flight *b)
{
    size_t most = 1 + sim_draw(sim_chance(300) ? BATCH_MOST : 5);
    b->rid = ++f->rids;
    b->n = 0;
    while (b->n < most && f->n_todo) {
        size_t at = sim_chance(900) ? 0 : sim_draw(f->n_todo);
        b->signals[b->n++] = f->todo[at];
        memmove(f->todo + at, f->todo + at + 1, (--f->n_todo - at) * sizeof *f->todo);
    }
    while (b->n < BATCH_MOST && sim_chance(80)) { /* something from before, or from this very batch */
        size_t again = b->signals[sim_draw(b->n)];
        b->signals[b->n++] = again;
    }
    for (int i = 0; i < 3 && b->n < BATCH_MOST && sim_chance(80); i++) {
        size_t other = sim_draw(world_n);
        if (world_signals[other].source == f->source && !world_signals[other].cancels)
            b->signals[b->n++] = other;
    }
}

static void send_batch(struct feeder *f, struct flight *b)
{
    struct ww_signal list[BATCH_MOST];
    struct buf body = {0};
    for (size_t i = 0; i < b->n; i++) {
        put_signal(&list[i], &world_signals[b->signals[i]]);
        world_signals[b->signals[i]].sent = true;
    }
    codec_put_signals(&body, b->rid, list, b->n);
    net_send(f->conn, "signals", &body);
    buf_finish(&body);
    b->sent = sim_now;
    b->said = false;
    sim_at(sim_now + 5 * SECOND + (int64_t)sim_draw(5 * SECOND), late, f, b->rid);
}

static void pump_later(void *feeder, uint64_t unused)
{
    (void)unused;
    pump(feeder);
}

static void pump(struct feeder *f)
{
    if (!f->conn || sim_now < f->not_before)
        return;
    for (int i = 0; i < FLIGHTS && f->n_todo; i++)
        if (!f->flights[i].rid) {
            fill(f, &f->flights[i]);
            send_batch(f, &f->flights[i]);
        }
}

static void dial(struct feeder *);

/* No answer: the connection is given up, and all begins anew. */
static void late(void *feeder, uint64_t rid)
{
    struct feeder *f = feeder;
    for (int i = 0; i < FLIGHTS; i++)
        if (f->flights[i].rid == rid && f->conn) {
            if (f->flights[i].sent >= hurry && !f->flights[i].said)
                sim_fail("%s: nothing is wrong, and no answer comes", world_sources[f->source]);
            net_hang_up(&f->conn);
            for (int k = 0; k < FLIGHTS; k++)
                if (f->flights[k].rid)
                    land(f, &f->flights[k]);
            dial(f);
            return;
        }
}

static void on_up(void *feeder)
{
    pump(feeder);
}

static void on_down(void *feeder)
{
    struct feeder *f = feeder;
    for (int i = 0; i < FLIGHTS; i++)
        if (f->flights[i].rid)
            land(f, &f->flights[i]);
    dial(f);
}

/* ---- answers ---- */

static struct flight *flight_of(struct feeder *f, struct slice body, struct arena *a, const struct ww_value **out)
{
    struct err err;
    uint64_t rid = 0;
    if (codec_body(body, a, out, &err))
        sim_fail("a feeder was sent no map: %s", err.msg);
    val_uint(*out, "rid", &rid);
    for (int i = 0; i < FLIGHTS; i++)
        if (rid && f->flights[i].rid == rid)
            return &f->flights[i];
    return NULL;
}

/* The daemon says it now: by now it must be on the disk. */
static void on_said(void *feeder, const char *verb, struct slice body)
{
    struct feeder *f = feeder;
    struct arena a = {0};
    const struct ww_value *m;
    struct flight *b = strcmp(verb, "ack") == 0 ? flight_of(f, body, &a, &m) : NULL;
    uint64_t seq = 0;
    if (b && b->sent >= hurry && sim_now - b->sent > AT_ONCE)
        sim_fail("%s: nothing is wrong, and an answer took %lld ms", world_sources[f->source],
                 (long long)(sim_now - b->sent) / 1000);
    if (b) {
        b->said = true;
        val_uint(m, "seq", &seq);
        if (seq > disk_durable())
            sim_fail("%s: acknowledged through entry %llu, but only %llu is durable", world_sources[f->source],
                     (unsigned long long)seq, (unsigned long long)disk_durable());
        truth_catch_up();
        for (size_t i = 0; i < b->n; i++)
            if (!world_signals[b->signals[i]].number)
                sim_fail("%s: %s is acknowledged, but not durable", world_sources[f->source],
                         world_signals[b->signals[i]].id);
    }
    arena_finish(&a);
}

static void on_ack(struct feeder *f, struct flight *b, const struct ww_value *m)
{
    uint64_t accepted = 0, duplicates = 0;
    const struct ww_value *rejected = NULL;
    val_uint(m, "accepted", &accepted);
    val_uint(m, "duplicates", &duplicates);
    val_list(m, "rejected", &rejected);
    if (rejected && rejected->n) {
        uint64_t at = 0;
        struct slice why = {NULL, 0};
        val_uint(&rejected->items[0], "index", &at);
        val_str(&rejected->items[0], "message", &why);
        sim_fail("%s: signal %s is good, but was rejected: %.*s", world_sources[f->source],
                 at < b->n ? world_signals[b->signals[at]].id : "?", SLICE_ARG(why));
    }
    if (accepted + duplicates != b->n)
        sim_fail("%s: of %zu signals %llu were accepted and %llu duplicates", world_sources[f->source], b->n,
                 (unsigned long long)accepted, (unsigned long long)duplicates);
    for (size_t i = 0; i < b->n; i++)
        world_signals[b->signals[i]].acked = true;
    b->rid = 0;
}

static void on_heard(void *feeder, const char *verb, struct slice body)
{
    struct feeder *f = feeder;
    struct arena a = {0};
    const struct ww_value *m;
    struct flight *b = flight_of(f, body, &a, &m);
    if (b && strcmp(verb, "ack") == 0)
        on_ack(f, b, m);
    else if (b && strcmp(verb, "busy") == 0) {
        int64_t retry = 0;
        val_int(m, "retry_ms", &retry);
        land(f, b);
        f->not_before = sim_now + retry * MS;
        sim_at(f->not_before, pump_later, f, 0);
    } else if (b) {
        struct slice why = {NULL, 0};
        val_str(m, "message", &why);
        sim_fail("%s: answered %s: %.*s", world_sources[f->source], verb, SLICE_ARG(why));
    }
    arena_finish(&a);
    pump(f);
}

static void dial(struct feeder *f)
{
    struct link link = {on_up, on_down, on_said, on_heard, f, world_sources[f->source]};
    net_dial(&link, &f->conn);
}

/* ---- life ---- */

void feeders_begin(void)
{
    for (int i = 0; i < SOURCES; i++) {
        feeders[i].source = i;
        dial(&feeders[i]);
    }
}

void feeders_work(int source, size_t n)
{
    struct feeder *f = &feeders[source];
    while (n--)
        todo(f, world_happen(source));
    pump(f);
}

void feeders_hurry(bool yes)
{
    hurry = yes ? sim_now : NEVER;
}

bool feeders_done(void)
{
    for (int i = 0; i < SOURCES; i++) {
        if (feeders[i].n_todo)
            return false;
        for (int k = 0; k < FLIGHTS; k++)
            if (feeders[i].flights[k].rid)
                return false;
    }
    return true;
}

void feeders_finish(void)
{
    for (int i = 0; i < SOURCES; i++)
        free(feeders[i].todo);
}
