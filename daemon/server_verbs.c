/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs hello, signals, subscribe, credit, unsubscribe. Owns nothing. Main thread. */
#include "daemon/server_parts.h"

#include "lib/log.h"

enum { PROTOCOL_VERSION = 1 };

/* ---- hello ---- */

static void put_words(struct enc_open *m, const char *key, const char *const *words, uint32_t n)
{
    enc_key(m, key);
    enc_list(m->b, n);
    for (uint32_t i = 0; i < n; i++)
        enc_str(m->b, words[i]);
}

/* Who may send every kind is told the agencies that there are. */
static void put_agencies(struct enc_open *m, const struct ask *a)
{
    const struct kinds *kinds = a->s->config->catalog.kinds;
    const char *names[64];
    uint32_t n = 0;
    if (!a->principal->every_kind) {
        put_words(m, "agencies", a->principal->agencies, a->principal->n_agencies);
        return;
    }
    for (size_t i = 0; i < kinds_count(kinds); i++) {
        const char *agency = kinds_at(kinds, i)->agency;
        uint32_t k = 0;
        while (k < n && strcmp(names[k], agency) != 0)
            k++;
        if (k == n && n < ARRAY_LEN(names))
            names[n++] = agency;
    }
    put_words(m, "agencies", names, n);
}

void on_hello(struct ask *a)
{
    int64_t protocol = PROTOCOL_VERSION;
    struct slice client = {NULL, 0};
    if (val_int(a->body, "protocol", &protocol) < 0 || val_str(a->body, "client", &client) < 0) {
        reply_refuse(a, WIRE_ERROR_BAD_FIELD, "protocol must be an integer and client a text");
        return;
    }
    if (protocol != PROTOCOL_VERSION) {
        reply_refuse(a, WIRE_ERROR_BAD_FIELD,
                     "protocol: this server speaks version 1; say hello {protocol: 1}");
        return;
    }
    const struct principal *p = a->principal;
    struct enc_open m = reply_open(a->s, a->has_rid, a->rid);
    enc_kv_str(&m, "server", "wagewarnd/" WW_VERSION);
    enc_kv_uint(&m, "protocol", PROTOCOL_VERSION);
    enc_kv_str(&m, "store", a->s->store);
    enc_kv_str(&m, "principal", p->name);
    enc_kv_str(&m, "role", p->role);
    put_agencies(&m, a);
    put_words(&m, "kinds", p->kinds, p->n_kinds);
    reply_regions(&m, p->regions, p->n_regions);
    enc_kv_uint(&m, "max_batch", (uint64_t)a->s->config->limits.max_batch);
    enc_kv_uint(&m, "max_bytes", (uint64_t)a->s->config->limits.max_bytes);
    reply_close(a->s, &m, a->peer->handle, "welcome");
    char quoted[160];
    client.n = client.n < 64 ? client.n : 64;
    log_line(LOG_L_DEBUG, "client came", "principal=%s client=%s", p->name,
             log_quote(quoted, sizeof quoted, client));
}

/* ---- signals ---- */

void on_signals(struct ask *a)
{
    struct server *s = a->s;
    const char *refuses = writer_refuses(s->o.writer);
    if (refuses) {
        intake_rid(&s->intake, a->raw, &a->has_rid, &a->rid);
        reply_busy(s, a->peer->handle, a->has_rid, a->rid, refuses);
        return;
    }
    struct intake_from from = {a->peer->handle, a->principal, &s->config->catalog, clock_now(s->o.clock)};
    enum wire_error code = WIRE_ERROR_INTERNAL;
    struct err err;
    struct batch *b = writer_gathering(s->o.writer);
    enum intake_end end = intake_signals(&s->intake, b, &from, a->raw, &a->has_rid, &a->rid, &code, &err);
    if (end == INTAKE_FULL) {
        b = server_roomier(s);
        end = intake_signals(&s->intake, b, &from, a->raw, &a->has_rid, &a->rid, &code, &err);
    }
    if (end == INTAKE_WAITS) {
        a->peer->waiting++;
        return;
    }
    if (end == INTAKE_ANSWER) {
        reply_ack(s, &b->requests[b->n_requests - 1]);
        b->n_requests--;
    } else if (end == INTAKE_ERROR)
        reply_refuse(a, code, err.msg);
    else {
        intake_rid(&s->intake, a->raw, &a->has_rid, &a->rid);
        reply_busy(s, a->peer->handle, a->has_rid, a->rid,
                   "more is waiting for the disk than fits in memory");
    }
    if (!b->n_requests)
        batch_reset(b); /* what the message left in the arena */
}

/* ---- subscriptions ---- */

void on_subscribe(struct ask *a)
{
    struct server *s = a->s;
    struct subscribed got;
    struct err err;
    enum wire_error w =
        subscriber_open(s->subscriber, a->peer->handle, a->principal, s->store, a->body, &got, &err);
    if (w) {
        reply_refuse(a, w, err.msg);
        return;
    }
    a->peer->sessions++;
    listen_look(s);
    struct enc_open m = reply_open(s, a->has_rid, a->rid);
    enc_kv_uint(&m, "session", got.session);
    enc_kv_str(&m, "store", s->store);
    enc_kv_uint(&m, "from", got.from);
    enc_kv_uint(&m, "head", got.head);
    enc_kv_uint(&m, "oldest", got.oldest);
    reply_regions(&m, got.filter->regions, got.filter->n_regions);
    reply_close(s, &m, a->peer->handle, "subscribed");
    watch_again(s->pump);
}

static bool read_session(struct ask *a, uint64_t *session, const char *also, uint64_t *n)
{
    int got = val_uint(a->body, "session", session), got_n = also ? val_uint(a->body, also, n) : 1;
    if (got > 0 && got_n > 0)
        return true;
    bool wrong = got < 0 || got_n < 0;
    reply_refuse(a, wrong ? WIRE_ERROR_BAD_FIELD : WIRE_ERROR_MISSING_FIELD,
                 also ? "session and n must be numbers, not negative"
                      : "session must be the number that subscribed gave");
    return false;
}

void on_credit(struct ask *a)
{
    uint64_t session = 0, n = 0;
    if (!read_session(a, &session, "n", &n))
        return;
    if (subscriber_credit(a->s->subscriber, a->peer->handle, session, n))
        watch_again(a->s->pump);
    else
        reply_refuse(a, WIRE_ERROR_BAD_FIELD, "session: there is no such subscription; subscribe again");
}

void on_unsubscribe(struct ask *a)
{
    uint64_t session = 0;
    if (!read_session(a, &session, NULL, NULL))
        return;
    if (!subscriber_close(a->s->subscriber, a->peer->handle, session)) {
        reply_refuse(a, WIRE_ERROR_BAD_FIELD,
                     "session: there is no such subscription; it may have ended already");
        return;
    }
    listen_look(a->s);
    struct enc_open m = reply_open(a->s, a->has_rid, a->rid);
    reply_close(a->s, &m, a->peer->handle, "done");
}
