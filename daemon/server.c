/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the peers, the subscriptions and what waits for a checkpoint. Main thread. */
#include "daemon/server_parts.h"

#include "engine/settings.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    FULL_QUEUE_MS = 50, /* when to try a subscriber again whose queue was full */
    SAY_FEEDS_TICKS = 10
};

struct batch *server_roomier(struct server *s)
{
    writer_submit(s->o.writer);
    return writer_gathering(s->o.writer);
}

/* ---- the verb table ---- */

static const struct verb {
    const char *name;
    void (*call)(struct ask *);
    uint8_t may; /* enum principal_may; 0: anybody who is somebody */
    bool raw;    /* decodes its own body, rid and all */
} verbs[] = {
    {"signals", on_signals, MAY_SEND, true},
    {"credit", on_credit, MAY_SUBSCRIBE, false},
    {"query", on_query, 0, false},
    {"action", on_action, MAY_ACT, false},
    {"subscribe", on_subscribe, MAY_SUBSCRIBE, false},
    {"unsubscribe", on_unsubscribe, MAY_SUBSCRIBE, false},
    {"hello", on_hello, 0, false},
};

static const struct verb *verb_of(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (slice_is(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

const struct principal *server_who(struct server *s, struct peer *p)
{
    if (p->generation != s->generation) {
        p->principal = auth_who(s->o.auth, p->user);
        p->generation = s->generation;
    }
    return p->principal;
}

/* Body and rid of a message; false: it was answered with an error. */
static bool read_body(struct ask *a)
{
    struct err err;
    arena_reset(&a->s->scratch);
    if (codec_body(a->raw, &a->s->scratch, &a->body, &err)) {
        reply_refuse(a, WIRE_ERROR_BAD_MESSAGE, err.msg);
        return false;
    }
    int got = val_uint(a->body, "rid", &a->rid);
    a->has_rid = got > 0;
    if (got < 0)
        reply_refuse(a, WIRE_ERROR_BAD_FIELD, "rid: must be an integer of 0 or more");
    return got >= 0;
}

void server_dispatch(struct ask *a, const struct wire_in *in)
{
    struct server *s = a->s;
    const struct verb *v = verb_of(in->verb);
    if (!a->principal || in->frames != 2 || in->body.n > (uint64_t)s->config->limits.max_bytes)
        intake_rid(&s->intake, in->body, &a->has_rid, &a->rid);
    if (!a->principal)
        reply_refuse(a, WIRE_ERROR_DENIED,
                     "nobody known by the configuration; ask the operator for a principal");
    else if (in->frames != 2)
        reply_refuse(a, WIRE_ERROR_BAD_MESSAGE, "a message is two frames: a verb and a msgpack map");
    else if (in->body.n > (uint64_t)s->config->limits.max_bytes)
        reply_refuse(a, WIRE_ERROR_TOO_LARGE,
                     "the message is longer than max_bytes of welcome; send less at a time");
    else if (v && v->raw && (a->principal->may & v->may))
        v->call(a); /* NOLINT(bugprone-branch-clone): before the body is read, which it does itself */
    else if (!read_body(a))
        return;
    else if (!v)
        reply_refuse(a, WIRE_ERROR_UNKNOWN_VERB,
                     "no such verb; there are hello, signals, subscribe, credit, unsubscribe, action, query");
    else if (v->may && !(a->principal->may & v->may))
        reply_refuse(a, WIRE_ERROR_DENIED, "this principal's role does not allow that");
    else
        v->call(a);
}

void server_message(struct server *s, const struct wire_in *in)
{
    bool own =
        in->id.n == ROUTING_ID_LEN && in->id.p[0] == 0 && (!in->user || strlen(in->user) < PEER_USER_MAX);
    struct peer *p = own ? peers_of(s->peers, in) : NULL;
    if (!own)
        reply_stranger(s, in, WIRE_ERROR_DENIED, "leave the routing id to the server: set no ZMQ_ROUTING_ID");
    else if (!p)
        reply_stranger(s, in, WIRE_ERROR_DENIED, "too many clients; try again later");
    if (!p)
        return;
    struct ask a = {.s = s, .peer = p, .principal = server_who(s, p), .raw = in->body};
    server_dispatch(&a, in);
}

/* ---- what has been finished ---- */

static void answer_request(struct server *s, struct batch *b, struct request *r)
{
    struct peer *p = peers_find(s->peers, r->client);
    if (p)
        p->waiting--;
    if (r->type == REQUEST_PRESENCE) {
        if (b->busy)
            listeners_forget(s->listeners); /* the tick tells all again */
        return;
    }
    if (r->type == REQUEST_SETTINGS) {
        s->settings_waiting--;
        if (b->busy)
            memset(s->settings_hash, 0, CHAIN_LEN); /* the tick sends them again */
        else
            listen_look(s); /* it waited for them */
        return;
    }
    if (b->busy) {
        reply_busy(s, r->client, r->has_rid, r->rid, b->busy_reason);
        return;
    }
    if (r->seq > s->acknowledged)
        s->acknowledged = r->seq;
    if (p && r->seq > p->acknowledged)
        p->acknowledged = r->seq;
    if (r->type == REQUEST_SIGNALS) {
        feeds_count(&s->feeds, b, r, b->time, s->config->timezone_ms);
        reply_ack(s, r);
    } else if (r->refused)
        reply_error(s, r->client, r->has_rid, r->rid, r->refused, r->sentence ? r->sentence : "refused");
    else {
        struct enc_open m = reply_open(s, r->has_rid, r->rid);
        enc_kv_uint(&m, "seq", r->seq);
        if (r->sentence)
            enc_kv_str(&m, "message", r->sentence);
        reply_close(s, &m, r->client, "done");
    }
}

static void take_batches(struct server *s)
{
    struct batch *b;
    while ((b = writer_finished(s->o.writer))) {
        events_add(s->o.events, b, subscriber_count(s->subscriber) > 0);
        if (b->out.n && b->out.events[b->out.n - 1].ev.entry > s->acknowledged)
            s->acknowledged = b->out.events[b->out.n - 1].ev.entry; /* who was told an event asks for more of it */
        for (size_t i = 0; i < b->n_requests; i++)
            answer_request(s, b, &b->requests[i]);
        writer_give_back(s->o.writer, b);
    }
}

static void send_settings(struct server *s)
{
    const struct catalog *c = &s->config->catalog;
    if (memcmp(s->settings_hash, c->hash, CHAIN_LEN) == 0)
        return;
    memcpy(s->settings_hash, c->hash, CHAIN_LEN);
    intake_settings(&s->intake, server_roomier(s), c);
    s->settings_waiting++;
    writer_submit(s->o.writer);
}

static void pump(void *arg)
{
    struct server *s = arg;
    bool want_view;
    enum pump more = subscriber_pump(s->subscriber, &want_view);
    if (want_view)
        writer_want_view(s->o.writer, writer_number(s->o.writer));
    if (more == PUMP_MORE)
        watch_again(s->pump);
    else if (more == PUMP_LATER)
        watch_after(s->full, FULL_QUEUE_MS);
    sockets_recheck(s->o.sockets);
}

static void try_full(void *arg)
{
    struct server *s = arg;
    subscriber_retry(s->subscriber);
    pump(s);
}

void server_turn(struct server *s)
{
    writer_submit(s->o.writer);
}

void server_woken(struct server *s)
{
    writer_submit(s->o.writer); /* first: the disk waits for nobody */
    take_batches(s);
    query_take_finished(s);
    action_take_parked(s);
    writer_submit(s->o.writer); /* the actions that were parked: no message may follow them */
    events_trim(s->o.events, writer_viewed(s->o.writer));
    pump(s); /* and after all that was sent, looks at the sockets again */
}

void server_tick(struct server *s)
{
    send_settings(s);
    subscriber_tick(s->subscriber);
    listen_look(s);
    action_take_parked(s);
    writer_submit(s->o.writer);
    pump(s);
    if (++s->ticks % SAY_FEEDS_TICKS == 0)
        feeds_say(&s->feeds);
}

void server_last_words(struct server *s)
{
    take_batches(s);
    query_take_finished(s);
    feeds_say(&s->feeds);
}

/* ---- life ---- */

static int send_event(void *arg, uint64_t peer, const char *verb, struct slice head, struct slice rest)
{
    return reply_send(arg, peer, verb, head, rest);
}

static int64_t now(void *arg)
{
    struct server *s = arg;
    return clock_now(s->o.clock);
}

static void session_ended(void *arg, uint64_t handle)
{
    struct server *s = arg;
    struct peer *p = peers_find(s->peers, handle);
    if (p)
        p->sessions--;
}

static const struct principal *who_is(void *arg, uint64_t handle)
{
    struct server *s = arg;
    struct peer *p = peers_find(s->peers, handle);
    return p ? server_who(s, p) : NULL;
}

struct server *server_create(const struct server_options *o, struct config *config)
{
    struct server *s = mem_zalloc(sizeof *s);
    s->o = *o;
    for (size_t i = 0; i < STORE_ID_LEN; i++)
        snprintf(s->store + 2 * i, 3, "%02x", o->store_id[i]);
    s->peers = peers_create();
    s->listeners = listen_create(s);
    struct subscriber_calls calls = {send_event, now, session_ended, s};
    s->subscriber = subscriber_create(o->events, &calls);
    s->pump = loop_timer(o->loop, 0, pump, s);
    s->full = loop_timer(o->loop, 0, try_full, s);
    s->feeds = *o->feeds;
    s->intake = (struct intake){.key = o->key, .feeds = &s->feeds};
    s->parked_end = &s->parked;
    s->started = loop_ms();
    s->acknowledged = writer_number(o->writer);
    if (o->settings_hash.n == CHAIN_LEN)
        memcpy(s->settings_hash, o->settings_hash.p, CHAIN_LEN);
    server_configure(s, config);
    return s;
}

void server_configure(struct server *s, struct config *config)
{
    struct config *old = s->config;
    config_hold(config);
    s->config = config;
    s->generation++;
    s->intake.max_batch = (size_t)config->limits.max_batch;
    subscriber_rights(s->subscriber, who_is, s);
    events_words(s->o.events, config->catalog.regions, config->catalog.compiled->work);
    config_release(old);
    send_settings(s);
    listen_look(s);
    watch_again(s->pump);
}

bool server_settled(const struct server *s)
{
    return !s->settings_waiting && memcmp(s->settings_hash, s->config->catalog.hash, CHAIN_LEN) == 0;
}

void server_problem(struct server *s, const char *sentence)
{
    s->problem = sentence;
}

void server_destroy(struct server *s)
{
    if (!s)
        return;
    watch_stop(s->pump);
    watch_stop(s->full);
    action_drop_parked(s);
    query_let_go_all(s);
    subscriber_destroy(s->subscriber);
    listeners_destroy(s->listeners);
    peers_destroy(s->peers);
    intake_finish(&s->intake);
    feeds_finish(&s->feeds);
    arena_finish(&s->scratch);
    buf_finish(&s->reply);
    config_release(s->config);
    free(s);
}
