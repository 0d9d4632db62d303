/* SPDX-License-Identifier: Apache-2.0 */
/* libwagewarn: owns ww_push, from an array of signals to acknowledged batches. A few batches are on their way
 * at once; each is sent again until it is acknowledged, under the same rid, so the first answer counts
 * whenever it comes. Belongs to its client's thread. */
#include "lib/client.h"

#include "lib/mem.h"

#include <stdlib.h>

enum {
    IN_FLIGHT = 4,
    BUSY_LEAST_MS = 10,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 5000,
};

/* Signals [first, first + n) on their way, or waiting for `when` to be sent again. n 0: free. */
struct batch {
    size_t first, n;
    uint64_t rid;
    int64_t when; /* to be sent, or sent again when no answer came by then */
    unsigned attempts;
};

struct range {
    size_t first, n;
};

struct push {
    struct ww_client *c;
    const struct ww_signal *signals;
    size_t n, next;      /* next: the first that no batch ever held */
    struct range *again; /* cut off from batches that were too large */
    size_t n_again, cap_again;
    size_t fit; /* signals a batch, as found so far */
    struct batch flight[IN_FLIGHT];
    int64_t progress; /* when the last batch was acknowledged */
    bool busy;        /* the last that was heard */
    struct ww_pushed *out;
    struct ww_rejected *rejected;
    size_t cap_rejected;
};

static const char *kept(struct push *p, const char *s)
{
    return arena_slice(&p->c->reply, slice_of(s)).p;
}

static void reject(struct push *p, size_t index, const char *id, const char *code, const char *message)
{
    p->rejected = mem_grow(p->rejected, &p->cap_rejected, p->out->n_rejected + 1, sizeof *p->rejected);
    p->rejected[p->out->n_rejected++] =
        (struct ww_rejected){index, kept(p, id), kept(p, code), kept(p, message)};
}

/* ---- sending ---- */

static void later(struct push *p, size_t first, size_t n)
{
    p->again = mem_grow(p->again, &p->cap_again, p->n_again + 1, sizeof *p->again);
    p->again[p->n_again++] = (struct range){first, n};
}

/* Half of it stays, the other half becomes a batch of its own. */
static void halve(struct push *p, struct batch *b)
{
    size_t half = b->n / 2;
    later(p, b->first + half, b->n - half);
    b->n = half;
    if (p->fit > half)
        p->fit = half;
}

static bool take(struct push *p, struct batch *b)
{
    struct range r = {p->next, p->n - p->next};
    if (p->n_again > 0)
        r = p->again[--p->n_again];
    if (r.n == 0)
        return false;
    *b = (struct batch){
        .first = r.first, .n = r.n < p->fit ? r.n : p->fit, .rid = ++p->c->rid, .when = client_now()};
    if (r.first == p->next)
        p->next += b->n;
    else if (b->n < r.n)
        later(p, b->first + b->n, r.n - b->n);
    return true;
}

/* False: nothing of it can be sent. */
static bool encode(struct push *p, struct batch *b)
{
    struct buf *out = &p->c->out;
    for (;;) {
        buf_reset(out);
        codec_put_signals(out, b->rid, p->signals + b->first, b->n);
        if (out->n <= p->c->max_bytes)
            return true;
        if (b->n == 1)
            break;
        halve(p, b);
    }
    const char *id = p->signals[b->first].id;
    reject(p, b->first, id ? id : "", "too_large", "the signal alone is larger than a message may be");
    b->n = 0;
    return false;
}

static int64_t backoff(const struct batch *b, int64_t least)
{
    int64_t ms = least;
    for (unsigned i = 1; i < b->attempts && ms < BACKOFF_MOST_MS; i++)
        ms *= 2;
    return ms < BACKOFF_MOST_MS ? ms : BACKOFF_MOST_MS;
}

static void send_batch(struct push *p, struct batch *b)
{
    if (!encode(p, b))
        return;
    b->attempts++;
    bool gone = client_send(p->c, "signals", &p->c->out, client_now());
    b->when = gone ? client_deadline(p->c->timeout_ms) : client_now() + backoff(b, BACKOFF_FIRST_MS);
}

/* Sends what is due, and new batches as far as there is room. */
static void send_due(struct push *p)
{
    int64_t now = client_now();
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        struct batch *b = &p->flight[i];
        if (b->n == 0 && !take(p, b))
            continue;
        if (b->when > now)
            continue;
        send_batch(p, b);
    }
}

/* ---- answers ---- */

static void on_ack(struct push *p, struct batch *b, const struct ww_value *body)
{
    const struct ww_value *list = ww_get(body, "rejected");
    uint64_t seq = ww_uint(ww_get(body, "seq"), 0);
    p->out->accepted += ww_uint(ww_get(body, "accepted"), 0);
    p->out->duplicates += ww_uint(ww_get(body, "duplicates"), 0);
    if (seq > p->out->seq)
        p->out->seq = seq;
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *r = ww_at(list, i);
        uint64_t index = ww_uint(ww_get(r, "index"), UINT64_MAX);
        if (index < b->n)
            reject(p, b->first + index, ww_str(ww_get(r, "id"), ""), ww_str(ww_get(r, "code"), "bad_field"),
                   ww_str(ww_get(r, "message"), ""));
    }
    b->n = 0;
    p->progress = client_now();
    p->busy = false;
}

static void on_busy(struct push *p, struct batch *b, const struct ww_value *body)
{
    int64_t ms = ww_int(ww_get(body, "retry_ms"), BACKOFF_FIRST_MS);
    b->when = client_now() + backoff(b, ms < BUSY_LEAST_MS ? BUSY_LEAST_MS : ms);
    p->busy = true;
}

static int on_error(struct push *p, struct batch *b, const struct ww_value *body)
{
    const char *id = p->signals[b->first].id;
    if (strcmp(ww_str(ww_get(body, "code"), ""), "too_large") != 0)
        return client_refused(p->c, body);
    if (b->n == 1) {
        reject(p, b->first, id ? id : "", "too_large", ww_str(ww_get(body, "message"), ""));
        b->n = 0;
        return 0;
    }
    halve(p, b);
    b->rid = ++p->c->rid; /* another batch than the one that was refused */
    b->when = client_now();
    return 0;
}

static int on_message(struct push *p, const struct incoming *in)
{
    uint64_t rid = ww_uint(ww_get(in->body, "rid"), 0);
    bool error = strcmp(in->verb, "error") == 0;
    if (!rid && ww_get(in->body, "session")) {
        if (p->c->follow)
            client_park(p->c, in);
        return 0;
    }
    if (!rid && error)
        return client_refused(p->c, in->body);
    for (size_t i = 0; rid && i < IN_FLIGHT; i++) {
        struct batch *b = &p->flight[i];
        if (b->n == 0 || b->rid != rid)
            continue;
        if (strcmp(in->verb, "ack") == 0)
            on_ack(p, b, in->body);
        else if (strcmp(in->verb, "busy") == 0)
            on_busy(p, b, in->body);
        else if (error)
            return on_error(p, b, in->body);
    }
    return 0;
}

/* The connection broke: all that was on its way is sent again, at once. */
static void on_lost(struct push *p)
{
    for (size_t i = 0; i < IN_FLIGHT; i++)
        p->flight[i].when = 0;
}

/* ---- the whole ---- */

static bool unfinished(const struct push *p)
{
    for (size_t i = 0; i < IN_FLIGHT; i++)
        if (p->flight[i].n)
            return true;
    return p->n_again > 0 || p->next < p->n;
}

static int64_t give_up_at(const struct push *p)
{
    return p->c->retry_ms > 0 ? p->progress + p->c->retry_ms : INT64_MAX;
}

static int64_t wake_at(const struct push *p)
{
    int64_t at = give_up_at(p);
    for (size_t i = 0; i < IN_FLIGHT; i++)
        if (p->flight[i].n && p->flight[i].when < at)
            at = p->flight[i].when;
    return at;
}

static int gave_up(struct push *p)
{
    if (p->busy)
        return err_set(&p->c->err, WW_EAGAIN, "wagewarnd stayed busy for %d ms; push again later",
                       p->c->retry_ms);
    return err_set(&p->c->err, WW_EUNREACH,
                   "no acknowledgement for %d ms; push again later what is not yet acknowledged",
                   p->c->retry_ms);
}

/* Greets when the connection is new, for as long as the push may still wait. */
static int greet(struct push *p)
{
    int64_t patience = client_deadline(p->c->timeout_ms), end = give_up_at(p);
    int rc = client_greet(p->c, patience < end ? patience : end);
    if (rc == WW_EUNREACH)
        return client_now() < end ? 1 : gave_up(p);
    if (rc == 0 && p->fit > p->c->max_batch)
        p->fit = p->c->max_batch;
    return rc;
}

static int run(struct push *p)
{
    struct incoming in;
    while (unfinished(p)) {
        int rc = greet(p);
        if (rc < 0)
            return rc;
        if (rc > 0)
            continue;
        send_due(p);
        arena_reset(&p->c->scratch);
        enum got got = client_receive(p->c, wake_at(p), &p->c->scratch, &in);
        rc = got == GOT_MESSAGE ? on_message(p, &in) : 0;
        if (rc != 0)
            return rc;
        if (got == GOT_LOST)
            on_lost(p);
        if (got != GOT_MESSAGE && client_now() >= give_up_at(p))
            return gave_up(p);
    }
    return 0;
}

static int by_index(const void *a, const void *b)
{
    size_t x = ((const struct ww_rejected *)a)->index, y = ((const struct ww_rejected *)b)->index;
    return x < y ? -1 : x > y;
}

int ww_push(struct ww_client *c, const struct ww_signal *signals, size_t n, struct ww_pushed *out)
{
    struct push p = {
        .c = c, .signals = signals, .n = n, .fit = SIZE_MAX, .out = out, .progress = client_now()};
    client_begin(c);
    *out = (struct ww_pushed){0};
    int rc = run(&p);
    if (p.rejected) {
        qsort(p.rejected, out->n_rejected, sizeof *p.rejected, by_index);
        out->rejected = arena_copy(&c->reply, p.rejected, sizeof *p.rejected * out->n_rejected);
    }
    free(p.rejected);
    free(p.again);
    if (rc == 0)
        c->err = (struct err){0};
    return rc;
}
