/* SPDX-License-Identifier: Apache-2.0 */
/* libwagewarn: owns ww_subscribe, ww_next, ww_done: alert events by credit, each once to the caller, from a
 * durable cursor on. Belongs to its client's thread. The connection is client's business, the file cursor's.
 *
 * Three numbers say where the caller stands: `done`, up to which all is worked off (that is the cursor);
 * `handed`, the last event that ww_next gave out; `seen`, the last that came in this session, against which
 * `prev` is checked. A session that broke is begun again behind `handed`, so nothing is given out twice or
 * passed over. Events in flight, and so the memory for what is parked, are bounded by the credit. */
#include "lib/client.h"

#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    CREDIT = 256,
    CREDIT_MOST = 10000,
    SILENCE_MS = 15000,      /* heartbeats come each second: the session is gone */
    PATIENCE_LEAST_MS = 500, /* for the answer to subscribe */
    RETRY_FIRST_MS = 100,
    RETRY_MOST_MS = 5000,
    GAPS_MOST = 3, /* in a row without an event between */
};

struct follow {
    char **regions;
    size_t n_regions;
    char *min_level;
    bool duties;
    unsigned credit;
    struct cursor *cursor; /* NULL: position in memory only */

    char store[CURSOR_STORE_MAX + 1]; /* of the numbers below; "" before the first answer */
    bool placed;                      /* the numbers below mean something; else `from` does */
    int64_t from;
    uint64_t done, handed;

    bool open;           /* a session is there */
    uint64_t generation; /* of the connection it is on */
    struct arena session_arena;
    const struct ww_value *session;
    uint64_t seen;
    unsigned outstanding; /* credit granted and not used */
    int64_t heard;        /* when the session last said anything */
    unsigned gaps;
    int64_t retry_at; /* not before this; 0: at once */
    int64_t retry_ms;

    struct arena event; /* the one that was handed out */
};

static bool same(const struct ww_value *a, const struct ww_value *b)
{
    if (!a || !b || a->type != b->type)
        return false;
    switch (a->type) {
    case WW_INT:
    case WW_UINT:
        return a->u == b->u;
    case WW_STR:
        return strcmp(a->s, b->s) == 0;
    default:
        return false;
    }
}

/* ---- the position ---- */

static int save(struct ww_client *c, uint64_t seq)
{
    struct follow *f = c->follow;
    if (seq <= f->done && f->placed)
        return 0;
    if (f->cursor) {
        int rc = cursor_put(f->cursor, f->store, seq, &c->err);
        if (rc != 0)
            return rc;
    }
    f->done = seq;
    f->placed = true;
    return 0;
}

/* ---- the session ---- */

static void put_subscribe(struct ww_client *c)
{
    struct follow *f = c->follow;
    buf_reset(&c->out);
    struct enc_open map = enc_map_open(&c->out);
    enc_kv_uint(&map, "rid", ++c->rid);
    if (f->placed)
        enc_kv_str(&map, "store", f->store);
    if (f->placed)
        enc_kv_uint(&map, "from", f->handed + 1);
    else
        enc_kv_int(&map, "from", f->from);
    if (f->n_regions) {
        enc_key(&map, "regions");
        enc_list(&c->out, f->n_regions);
        for (size_t i = 0; i < f->n_regions; i++)
            enc_str(&c->out, f->regions[i]);
    }
    if (f->min_level)
        enc_kv_str(&map, "min_level", f->min_level);
    if (f->duties)
        enc_kv_bool(&map, "duties", true);
    enc_kv_uint(&map, "credit", f->credit);
    enc_close(&map);
}

static void send_session(struct ww_client *c, const char *verb, uint64_t credit)
{
    struct follow *f = c->follow;
    buf_reset(&c->out);
    struct enc_open map = enc_map_open(&c->out);
    enc_key(&map, "session");
    enc_value(&c->out, f->session);
    if (credit)
        enc_kv_uint(&map, "n", credit);
    enc_close(&map);
    client_send(c, verb, &c->out, client_now());
}

/* Keeps the session's id, which may be a number or a text. */
static int keep_session(struct ww_client *c, const struct ww_value *body)
{
    struct follow *f = c->follow;
    struct buf b = {0};
    const struct ww_value *copy = NULL;
    arena_reset(&f->session_arena);
    f->session = NULL;
    struct enc_open map = enc_map_open(&b);
    enc_key(&map, "session");
    enc_value(&b, ww_get(body, "session"));
    enc_close(&map);
    int rc = codec_body((struct slice){(const char *)b.p, b.n}, &f->session_arena, &copy, &c->err);
    buf_finish(&b);
    f->session = rc == 0 ? ww_get(copy, "session") : NULL;
    return rc;
}

static int other_store(struct ww_client *c)
{
    const struct follow *f = c->follow;
    return err_set(
        &c->err, WW_ESTORE,
        "wagewarnd has another journal (%s) than the one this position is of (%s), perhaps restored from a "
        "backup; read the alerts anew and start with a fresh cursor",
        c->store, f->store);
}

static int take_subscribed(struct ww_client *c, const struct ww_value *body)
{
    struct follow *f = c->follow;
    uint64_t from = ww_uint(ww_get(body, "from"), 0);
    const char *store = ww_str(ww_get(body, "store"), c->store);
    if (from == 0 || !cursor_store_ok(store) || keep_session(c, body) != 0 || !same(f->session, f->session))
        return err_set(&c->err, WW_EREFUSED, "wagewarnd answered subscribe with something else");
    if (f->placed && strcmp(store, f->store) != 0)
        return other_store(c);
    if (f->placed && from > f->handed + 1)
        return err_set(&c->err, WW_ETOOOLD,
                       "events %" PRIu64 " to %" PRIu64 " are no longer kept; begin with the alerts",
                       f->handed + 1, from - 1);
    memcpy(f->store, store, strlen(store) + 1);
    f->open = true;
    f->generation = c->generation;
    f->seen = 0;
    f->outstanding = f->credit;
    f->heard = client_now();
    if (f->placed)
        return 0;
    /* From here on a restart begins at the same place, whatever "now" will be then. */
    f->handed = from - 1;
    return save(c, from - 1);
}

/* Begins a session behind the last event handed out. Old events that are parked come again. */
static int subscribe(struct ww_client *c, int64_t deadline)
{
    struct follow *f = c->follow;
    const struct ww_value *body;
    f->open = false;
    client_unpark_all(c);
    int rc = client_greet(c, deadline);
    if (rc != 0)
        return rc;
    if (f->placed && strcmp(f->store, c->store) != 0)
        return other_store(c);
    put_subscribe(c);
    rc = client_request(c, "subscribe", "subscribed", true, deadline, &body);
    return rc == 0 ? take_subscribed(c, body) : rc;
}

static void break_off(struct ww_client *c)
{
    struct follow *f = c->follow;
    if (f->open && f->session)
        send_session(c, "unsubscribe", 0);
    f->open = false;
    client_unpark_all(c);
}

/* What ends when the daemon is there again, and what a person must settle. */
static bool will_pass(int rc)
{
    return rc == WW_EUNREACH || rc == WW_EAGAIN;
}

/* Makes sure of a session, as far as the time allows. 1: not now. */
static int ensure_session(struct ww_client *c, int64_t deadline)
{
    struct follow *f = c->follow;
    if (f->open && f->generation == c->generation)
        return 0;
    int64_t now = client_now();
    if (!client_is_up(c) || now < f->retry_at)
        return 1;
    /* A caller who only looks in (timeout 0) must get a session too, sooner or later. */
    int64_t patience = client_deadline(c->timeout_ms);
    if (patience > deadline)
        patience = deadline > now + PATIENCE_LEAST_MS ? deadline : now + PATIENCE_LEAST_MS;
    int rc = subscribe(c, patience);
    if (rc == 0) {
        f->retry_at = f->retry_ms = 0;
        c->err = (struct err){0};
        return 0;
    }
    if (!will_pass(rc))
        return rc;
    f->retry_ms = f->retry_ms ? f->retry_ms * 2 : RETRY_FIRST_MS;
    if (f->retry_ms > RETRY_MOST_MS)
        f->retry_ms = RETRY_MOST_MS;
    f->retry_at = client_now() + f->retry_ms;
    return 1;
}

/* ---- what comes ---- */

/* An event or heartbeat of ours was taken off the queue: give back credit in large pieces. */
static void use_credit(struct ww_client *c)
{
    struct follow *f = c->follow;
    if (f->outstanding > 0)
        f->outstanding--;
    if (f->outstanding > f->credit / 2)
        return;
    send_session(c, "credit", f->credit - f->outstanding);
    f->outstanding = f->credit;
}

static int gap(struct ww_client *c, uint64_t prev)
{
    struct follow *f = c->follow;
    uint64_t seen = f->seen;
    break_off(c);
    if (++f->gaps < GAPS_MOST)
        return 0;
    return err_set(&c->err, WW_EREFUSED,
                   "wagewarnd skips events: after %" PRIu64 " it sent one that follows %" PRIu64, seen, prev);
}

static int on_event(struct ww_client *c, const struct ww_value *body, const struct ww_value **out)
{
    struct follow *f = c->follow;
    uint64_t seq = ww_uint(ww_get(body, "seq"), 0), prev = ww_uint(ww_get(body, "prev"), UINT64_MAX);
    if (seq == 0 || prev != f->seen || seq <= f->seen)
        return gap(c, prev);
    f->seen = seq;
    f->gaps = 0;
    use_credit(c);
    if (seq > f->handed) {
        f->handed = seq;
        *out = body;
    }
    return 0;
}

/* Everything up to `upto` was looked at for us; it may pass as worked off when nothing is in the caller's
 * hand. */
static int on_heartbeat(struct ww_client *c, const struct ww_value *body)
{
    struct follow *f = c->follow;
    uint64_t upto = ww_uint(ww_get(body, "upto"), 0), last = ww_uint(ww_get(body, "last"), f->seen);
    if (last > f->seen)
        return gap(c, last);
    if (f->done < f->handed || upto <= f->handed)
        return 0;
    f->handed = upto;
    return save(c, upto);
}

static int on_message(struct ww_client *c, const char *verb, const struct ww_value *body,
                      const struct ww_value **out)
{
    struct follow *f = c->follow;
    if (!f->open || !same(ww_get(body, "session"), f->session))
        return 0;
    f->heard = client_now();
    if (strcmp(verb, "event") == 0)
        return on_event(c, body, out);
    if (strcmp(verb, "heartbeat") == 0)
        return on_heartbeat(c, body);
    if (strcmp(verb, "error") != 0)
        return 0;
    f->open = false;
    return client_refused(c, body);
}

/* Works through what came while another answer was awaited. */
static int next_parked(struct ww_client *c, const struct ww_value **out)
{
    int rc = 0;
    while (c->parked && !*out && rc == 0) {
        struct parked *p = c->parked;
        const struct ww_value *body;
        c->parked = p->next;
        if (!c->parked)
            c->parked_end = &c->parked;
        arena_reset(&c->follow->event);
        if (codec_body((struct slice){p->raw, p->n}, &c->follow->event, &body, NULL) == 0)
            rc = on_message(c, p->verb, body, out);
        free(p);
    }
    return rc;
}

static int64_t wake_at(const struct ww_client *c, int64_t deadline)
{
    const struct follow *f = c->follow;
    if (!client_is_up(c))
        return deadline;
    int64_t at = f->open ? f->heard + SILENCE_MS : f->retry_at;
    return at < deadline ? at : deadline;
}

/* One step of waiting. 1: a signal, or the time is over. */
static int wait_next(struct ww_client *c, int64_t deadline, const struct ww_value **out)
{
    struct follow *f = c->follow;
    struct incoming in;
    arena_reset(&f->event);
    switch (client_receive(c, wake_at(c, deadline), &f->event, &in)) {
    case GOT_MESSAGE:
        return on_message(c, in.verb, in.body, out);
    case GOT_SIGNAL:
        return 1;
    case GOT_UP:
        return 0;
    case GOT_LOST:
        f->open = false;
        err_set(&c->err, WW_EUNREACH, "the connection to wagewarnd broke; trying again");
        return 0;
    case GOT_TIMEOUT:
        break;
    }
    if (f->open && client_now() >= f->heard + SILENCE_MS)
        break_off(c);
    return client_now() >= deadline;
}

/* ---- the public door ---- */

int ww_next(struct ww_client *c, int timeout_ms, const struct ww_value **event)
{
    *event = NULL;
    arena_reset(&c->reply);
    if (!c->follow)
        return err_set(&c->err, WW_EUSAGE, "ww_next comes after ww_subscribe");
    int64_t deadline = client_deadline(timeout_ms);
    for (;;) {
        int rc = ensure_session(c, deadline);
        if (rc == 0)
            rc = next_parked(c, event);
        if (rc < 0 || *event)
            return rc;
        rc = wait_next(c, deadline, event);
        if (rc < 0 || *event)
            return rc;
        if (rc > 0)
            return 0;
    }
}

int ww_done(struct ww_client *c, const struct ww_value *event)
{
    if (!c->follow)
        return err_set(&c->err, WW_EUSAGE, "ww_done comes after ww_subscribe");
    uint64_t seq = ww_uint(ww_get(event, "seq"), 0);
    if (seq == 0 || seq > c->follow->handed)
        return err_set(&c->err, WW_EUSAGE, "ww_done wants an event that ww_next gave");
    return save(c, seq);
}

static char *copy(const char *s)
{
    return s ? mem_strndup(s, strlen(s)) : NULL;
}

static int open_cursor(struct ww_client *c, const char *path)
{
    struct follow *f = c->follow;
    int rc = cursor_open(&f->cursor, path, &c->err);
    if (rc != 0 || !cursor_has(f->cursor))
        return rc;
    memcpy(f->store, cursor_store(f->cursor), sizeof f->store);
    f->placed = true;
    f->done = f->handed = cursor_seq(f->cursor);
    return 0;
}

int ww_subscribe(struct ww_client *c, const struct ww_subscription *s)
{
    client_begin(c);
    if (c->follow)
        return err_set(&c->err, WW_EUSAGE, "one subscription a client; open another client for another");
    struct follow *f = c->follow = mem_zalloc(sizeof *f);
    f->regions = mem_zalloc(sizeof *f->regions * (s->n_regions + 1));
    for (; f->n_regions < s->n_regions; f->n_regions++)
        f->regions[f->n_regions] = copy(s->regions[f->n_regions]);
    f->min_level = copy(s->min_level);
    f->duties = s->duties != 0;
    f->from = s->from;
    f->credit = s->credit == 0 ? CREDIT : s->credit < CREDIT_MOST ? s->credit : CREDIT_MOST;
    int rc = s->cursor ? open_cursor(c, s->cursor) : 0;
    if (rc == 0)
        rc = subscribe(c, client_deadline(c->timeout_ms));
    if (rc != 0)
        follow_end(c);
    return rc;
}

void follow_end(struct ww_client *c)
{
    struct follow *f = c->follow;
    if (!f)
        return;
    break_off(c);
    for (size_t i = 0; i < f->n_regions; i++)
        free(f->regions[i]);
    free(f->regions);
    free(f->min_level);
    cursor_close(f->cursor);
    arena_finish(&f->session_arena);
    arena_finish(&f->event);
    free(f);
    c->follow = NULL;
}
