/* SPDX-License-Identifier: Apache-2.0 */
/* libwagewarn: owns the connection (the only zmq.h outside the daemon), hello, one request and its answer.
 * Belongs to its client's thread. Pushing many signals is client_push's business, following events
 * client_follow's.
 *
 * ZMQ_IMMEDIATE keeps messages out of a connection that is not there, and a monitor tells when one breaks:
 * what was unanswered by then is sent again by whoever waits, not by ZeroMQ. Two kinds of events only are
 * monitored: retries would fill its queue, and block ZeroMQ's own thread, while the program looks elsewhere.
 */
#include "lib/client.h"

#include "lib/endpoint.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

enum {
    TIMEOUT_MS = 10000,      /* for an answer, unless the options say otherwise */
    CONNECT_MS = 3000,       /* for the first connection: nobody there is known sooner than no answer */
    CONNECT_LOCAL_MS = 1000, /* the same on this machine */
    HEARTBEAT_IVL_MS = 5000, /* ZeroMQ's own, for peers that vanish without a word */
    HEARTBEAT_TIMEOUT_MS = 15000,
    RECONNECT_MS = 50,
    RECONNECT_MAX_MS = 2000,
    FAREWELL_MS = 100,
    BUSY_LEAST_MS = 10,
    BUSY_MOST_MS = 5000,
    MESSAGE_MAX = 64 << 20,
    DEFAULT_MAX_BATCH = 1000,
    DEFAULT_MAX_BYTES = 1 << 20,
};

struct connection {
    void *ctx, *sock, *monitor;
    bool up;
    bool lost, came; /* reported by the next client_receive */
    char endpoint[256];
};

int64_t client_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t client_deadline(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : client_now() + timeout_ms;
}

void client_begin(struct ww_client *c)
{
    arena_reset(&c->reply);
    c->err = (struct err){0};
}

/* ---- the socket ---- */

static void set(void *sock, int option, int value)
{
    int rc = zmq_setsockopt(sock, option, &value, sizeof value);
    assert(rc == 0);
    (void)rc;
}

static int open_monitor(struct connection *conn)
{
    static const char address[] = "inproc://monitor"; /* one client a context */
    if (zmq_socket_monitor(conn->sock, address, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) != 0)
        return -1;
    conn->monitor = zmq_socket(conn->ctx, ZMQ_PAIR);
    if (!conn->monitor)
        return -1;
    set(conn->monitor, ZMQ_LINGER, 0);
    set(conn->monitor, ZMQ_RCVHWM, 0);
    return zmq_connect(conn->monitor, address);
}

static int open_connection(struct connection *conn)
{
    conn->ctx = zmq_ctx_new();
    conn->sock = conn->ctx ? zmq_socket(conn->ctx, ZMQ_DEALER) : NULL;
    if (!conn->sock)
        return -1;
    set(conn->sock, ZMQ_LINGER, 0);
    set(conn->sock, ZMQ_IPV6, strchr(conn->endpoint, '[') != NULL);
    set(conn->sock, ZMQ_IMMEDIATE, 1);
    set(conn->sock, ZMQ_RCVHWM, 0); /* bounded by the credit and the requests of this program */
    set(conn->sock, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    set(conn->sock, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS);
    set(conn->sock, ZMQ_HEARTBEAT_IVL, HEARTBEAT_IVL_MS);
    set(conn->sock, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS);
    int64_t most = MESSAGE_MAX;
    if (zmq_setsockopt(conn->sock, ZMQ_MAXMSGSIZE, &most, sizeof most) != 0 || open_monitor(conn) != 0)
        return -1;
    return zmq_connect(conn->sock, conn->endpoint);
}

static void close_connection(struct connection *conn, bool farewell)
{
    if (conn->sock) {
        if (farewell && conn->up)
            set(conn->sock, ZMQ_LINGER, FAREWELL_MS);
        zmq_socket_monitor(conn->sock, NULL, 0);
        zmq_close(conn->sock);
    }
    if (conn->monitor)
        zmq_close(conn->monitor);
    if (conn->ctx)
        while (zmq_ctx_term(conn->ctx) != 0 && errno == EINTR) {
        }
}

/* An event's first frame: number (16 bits), value (32 bits); the second is the address. */
static void read_monitor(struct connection *conn)
{
    uint8_t frame[16];
    char address[256];
    while (zmq_recv(conn->monitor, frame, sizeof frame, ZMQ_DONTWAIT) >= 2) {
        uint16_t event;
        memcpy(&event, frame, sizeof event);
        zmq_recv(conn->monitor, address, sizeof address, ZMQ_DONTWAIT);
        conn->up = conn->came = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        if (conn->up)
            continue;
        conn->lost = true;
    }
}

/* Waits for the monitor and, when `events` is not 0, for the socket. 0, or an errno. */
static int wait_for(struct ww_client *c, short events, int64_t deadline)
{
    zmq_pollitem_t items[2] = {{c->conn->monitor, 0, ZMQ_POLLIN, 0}, {c->conn->sock, 0, events, 0}};
    int64_t left = deadline == INT64_MAX ? -1 : deadline - client_now();
    if (deadline != INT64_MAX && left < 0)
        left = 0;
    if (zmq_poll(items, 2, (long)left) < 0)
        return errno;
    read_monitor(c->conn);
    return 0;
}

bool client_is_up(const struct ww_client *c)
{
    return c->conn->up;
}

bool client_send(struct ww_client *c, const char *verb, const struct buf *body, int64_t deadline)
{
    struct connection *conn = c->conn;
    if (!conn->sock)
        return false;
    while (zmq_send(conn->sock, verb, strlen(verb), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        if (client_now() >= deadline)
            return false;
        wait_for(c, ZMQ_POLLOUT, deadline);
    }
    /* ZeroMQ has taken the message as a whole: the second part goes with the first, or both are lost with the
     * connection, which client_receive then tells. */
    zmq_send(conn->sock, body->p, body->n, ZMQ_DONTWAIT);
    return true;
}

/* Reads one message, all its frames; false when it is not (verb, body). */
static bool read_frames(struct connection *conn, struct arena *arena, struct incoming *in)
{
    bool more = true, good = true;
    int n = 0;
    while (more) {
        zmq_msg_t msg;
        zmq_msg_init(&msg);
        if (zmq_msg_recv(&msg, conn->sock, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&msg);
            return false;
        }
        struct slice s = {zmq_msg_data(&msg), zmq_msg_size(&msg)};
        if (n == 0 && s.n > 0 && s.n <= VERB_MAX && !memchr(s.p, 0, s.n))
            memcpy(in->verb, s.p, s.n), in->verb[s.n] = 0;
        else if (n == 1)
            in->raw = arena_slice(arena, s);
        else
            good = false;
        more = zmq_msg_more(&msg);
        zmq_msg_close(&msg);
        n++;
    }
    return good && n == 2;
}

enum got client_receive(struct ww_client *c, int64_t deadline, struct arena *arena, struct incoming *in)
{
    struct connection *conn = c->conn;
    if (!conn->sock)
        return GOT_TIMEOUT;
    for (;;) {
        /* Messages first: what came before the break is an answer still. */
        int events = 0;
        size_t n = sizeof events;
        zmq_getsockopt(conn->sock, ZMQ_EVENTS, &events, &n);
        if (events & ZMQ_POLLIN) {
            if (read_frames(conn, arena, in) && codec_body(in->raw, arena, &in->body, NULL) == 0)
                return GOT_MESSAGE;
            continue;
        }
        read_monitor(conn);
        if (conn->lost) {
            conn->lost = false;
            c->generation++;
            c->greeted = false;
            return GOT_LOST;
        }
        if (conn->came) {
            conn->came = false;
            return GOT_UP;
        }
        if (client_now() >= deadline)
            return GOT_TIMEOUT;
        if (wait_for(c, ZMQ_POLLIN, deadline) == EINTR)
            return GOT_SIGNAL;
    }
}

/* ---- what belongs to the subscription ---- */

void client_park(struct ww_client *c, const struct incoming *in)
{
    struct parked *p = mem_alloc(sizeof *p + in->raw.n);
    p->next = NULL;
    memcpy(p->verb, in->verb, sizeof p->verb);
    p->n = in->raw.n;
    if (p->n)
        memcpy(p->raw, in->raw.p, p->n);
    *c->parked_end = p;
    c->parked_end = &p->next;
}

void client_unpark_all(struct ww_client *c)
{
    while (c->parked) {
        struct parked *next = c->parked->next;
        free(c->parked);
        c->parked = next;
    }
    c->parked_end = &c->parked;
}

/* ---- hello ---- */

int client_refused(struct ww_client *c, const struct ww_value *body)
{
    static const struct {
        const char *wire;
        int code;
    } codes[] = {
        {"denied", WW_EDENIED},
        {"too_old", WW_ETOOOLD},
        {"store_changed", WW_ESTORE},
        {"no_such_alert", WW_ENOTFOUND},
        {"no_such_enterprise", WW_ENOTFOUND},
        {"no_such_signal", WW_ENOTFOUND},
    };
    const char *code = ww_str(ww_get(body, "code"), "internal");
    const char *message = ww_str(ww_get(body, "message"), "");
    int rc = WW_EREFUSED;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strcmp(codes[i].wire, code) == 0)
            rc = codes[i].code;
    if (!*message)
        return err_set(&c->err, rc, "%s", code);
    return err_set(&c->err, rc, "%s (%s)", message, code);
}

static int unreachable(struct ww_client *c)
{
    return err_set(&c->err, WW_EUNREACH,
                   "no answer from wagewarnd at %s; is it running, and is this its endpoint?",
                   c->conn->endpoint);
}

static uint64_t limit_of(const struct ww_value *welcome, const char *key, uint64_t otherwise)
{
    uint64_t v = ww_uint(ww_get(welcome, key), otherwise);
    return v ? v : otherwise;
}

static int take_welcome(struct ww_client *c, const struct ww_value *body)
{
    const char *store = ww_str(ww_get(body, "store"), "");
    if (!cursor_store_ok(store))
        return err_set(&c->err, WW_EREFUSED, "%s answered hello without a store id; is it wagewarnd?",
                       c->conn->endpoint);
    memcpy(c->store, store, strlen(store) + 1);
    c->welcome = body;
    c->max_batch = limit_of(body, "max_batch", DEFAULT_MAX_BATCH);
    c->max_bytes = limit_of(body, "max_bytes", DEFAULT_MAX_BYTES);
    c->greeted = true;
    return 0;
}

/* Waits for the answer to hello. 0, a code, or 1: the connection broke meanwhile. */
static int await_welcome(struct ww_client *c, uint64_t rid, int64_t deadline)
{
    struct incoming in;
    for (;;) {
        arena_reset(&c->scratch);
        enum got got = client_receive(c, deadline, &c->scratch, &in);
        if (got == GOT_TIMEOUT)
            return unreachable(c);
        if (got == GOT_LOST)
            return 1;
        if (got != GOT_MESSAGE || ww_uint(ww_get(in.body, "rid"), 0) != rid)
            continue;
        if (strcmp(in.verb, "welcome") != 0)
            return client_refused(c, in.body);
        const struct ww_value *body = NULL;
        arena_reset(&c->welcome_arena);
        c->welcome = NULL;
        if (codec_body(in.raw, &c->welcome_arena, &body, &c->err) != 0)
            return c->err.code;
        return take_welcome(c, body);
    }
}

/* Waits until there is a connection. Breaks before it are over: nothing was sent on them that still counts.
 */
static bool await_connection(struct ww_client *c, int64_t deadline)
{
    struct connection *conn = c->conn;
    if (!conn->sock)
        return false;
    read_monitor(conn);
    while (!conn->up && client_now() < deadline)
        wait_for(c, 0, deadline);
    conn->lost = conn->came = false;
    return conn->up;
}

int client_greet(struct ww_client *c, int64_t deadline)
{
    struct buf hello = {0};
    int rc = 0;
    while (!c->greeted && rc >= 0) {
        uint64_t rid = ++c->rid;
        buf_reset(&hello);
        struct enc_open map = enc_map_open(&hello);
        enc_kv_uint(&map, "rid", rid);
        enc_kv_str(&map, "client", c->program);
        enc_kv_uint(&map, "protocol", 1);
        enc_close(&map);
        bool sent = await_connection(c, deadline) && client_send(c, "hello", &hello, deadline);
        rc = sent ? await_welcome(c, rid, deadline) : unreachable(c);
    }
    buf_finish(&hello);
    return c->greeted ? 0 : rc;
}

/* ---- one request ---- */

/* Belongs to a subscription, not to a request. */
static bool is_stream(const struct incoming *in)
{
    return ww_get(in->body, "session") && !ww_get(in->body, "rid");
}

/* The daemon could not even read which request it refuses; there is one only that waits. */
static bool is_nameless_error(const struct incoming *in)
{
    return strcmp(in->verb, "error") == 0 && !ww_get(in->body, "rid") && !ww_get(in->body, "session");
}

enum answer { ANSWER, ANSWER_BUSY, ANSWER_LOST, ANSWER_NONE };

static enum answer await_answer(struct ww_client *c, uint64_t rid, int64_t deadline, struct incoming *in)
{
    for (;;) {
        arena_reset(&c->reply);
        enum got got = client_receive(c, deadline, &c->reply, in);
        if (got == GOT_TIMEOUT)
            return ANSWER_NONE;
        if (got == GOT_LOST)
            return ANSWER_LOST;
        if (got != GOT_MESSAGE)
            continue;
        if (ww_uint(ww_get(in->body, "rid"), 0) == rid)
            return strcmp(in->verb, "busy") == 0 ? ANSWER_BUSY : ANSWER;
        if (is_nameless_error(in))
            return ANSWER;
        if (c->follow && is_stream(in))
            client_park(c, in);
    }
}

/* Waits as the daemon asked; what comes meanwhile for the subscription is kept. */
static void wait_busy(struct ww_client *c, const struct ww_value *body, int64_t deadline)
{
    int64_t ms = ww_int(ww_get(body, "retry_ms"), 0);
    ms = ms < BUSY_LEAST_MS ? BUSY_LEAST_MS : ms > BUSY_MOST_MS ? BUSY_MOST_MS : ms;
    int64_t until = client_now() + ms;
    struct incoming in;
    while (client_now() < until && until < deadline) {
        arena_reset(&c->scratch);
        if (client_receive(c, until, &c->scratch, &in) == GOT_MESSAGE && c->follow && is_stream(&in))
            client_park(c, &in);
    }
}

int client_request(struct ww_client *c, const char *verb, const char *answer, bool again, int64_t deadline,
                   const struct ww_value **body)
{
    uint64_t rid = c->rid;
    struct incoming in;
    for (;;) {
        int rc = client_greet(c, deadline);
        if (rc != 0)
            return rc;
        if (!client_send(c, verb, &c->out, deadline))
            return unreachable(c);
        enum answer got = await_answer(c, rid, deadline, &in);
        if (got == ANSWER_NONE)
            return unreachable(c);
        if (got == ANSWER_LOST && !again)
            return err_set(&c->err, WW_EUNREACH,
                           "the connection broke before the answer; look whether it was done");
        if (got == ANSWER_BUSY) {
            wait_busy(c, in.body, deadline);
            if (client_now() >= deadline)
                return err_set(&c->err, WW_EAGAIN, "wagewarnd is busy (%s); try again later",
                               ww_str(ww_get(in.body, "reason"), "overload"));
        }
        if (got == ANSWER && strcmp(in.verb, answer) == 0) {
            *body = in.body;
            return 0;
        }
        if (got == ANSWER)
            return client_refused(c, in.body);
    }
}

/* ---- the public door ---- */

static const char *endpoint_of(const struct ww_options *o)
{
    if (o && o->endpoint)
        return o->endpoint;
    const char *env = getenv("WAGEWARN_ENDPOINT");
    return env && *env ? env : "tcp://127.0.0.1:7410";
}

static int connect_ms(const char *endpoint)
{
    return endpoint_is_local(endpoint) ? CONNECT_LOCAL_MS : CONNECT_MS;
}

int ww_connect(struct ww_client **out, const struct ww_options *options)
{
    struct ww_client *c = mem_zalloc(sizeof *c);
    const char *endpoint = endpoint_of(options),
               *program = options && options->program ? options->program : "libwagewarn";
    c->conn = mem_zalloc(sizeof *c->conn);
    c->program = mem_strndup(program, strlen(program));
    c->timeout_ms = options && options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    c->retry_ms = options ? options->retry_ms : 0;
    c->parked_end = &c->parked;
    *out = c;
    if (strlen(endpoint) >= sizeof c->conn->endpoint)
        return err_set(&c->err, WW_EUSAGE, "the endpoint is longer than %zu bytes",
                       sizeof c->conn->endpoint - 1);
    memcpy(c->conn->endpoint, endpoint, strlen(endpoint) + 1);
    if (open_connection(c->conn) != 0) {
        int code = errno == EMFILE || errno == ENFILE ? WW_EIO : WW_EUSAGE;
        err_set(&c->err, code, "cannot connect to %s: %s; an endpoint is ipc://PATH or tcp://HOST:PORT",
                endpoint, zmq_strerror(errno));
        close_connection(c->conn, false);
        *c->conn = (struct connection){0};
        memcpy(c->conn->endpoint, endpoint, strlen(endpoint) + 1);
        return code;
    }
    int64_t deadline = client_deadline(c->timeout_ms), first = client_deadline(connect_ms(endpoint));
    first = c->timeout_ms < 0 || first > deadline ? deadline : first;
    while (!c->conn->up && client_now() < first)
        wait_for(c, 0, first);
    return c->conn->up ? client_greet(c, deadline) : unreachable(c);
}

void ww_disconnect(struct ww_client *c)
{
    if (!c)
        return;
    bool farewell = c->follow != NULL;
    follow_end(c);
    close_connection(c->conn, farewell);
    client_unpark_all(c);
    arena_finish(&c->welcome_arena);
    arena_finish(&c->reply);
    arena_finish(&c->scratch);
    buf_finish(&c->out);
    free(c->conn);
    free(c->program);
    free(c);
}

const char *ww_message(const struct ww_client *c)
{
    return c ? c->err.msg : "";
}

const char *ww_store(const struct ww_client *c)
{
    return c->store;
}

const struct ww_value *ww_welcome(const struct ww_client *c)
{
    return c->welcome;
}

int ww_query(struct ww_client *c, const char *what, const struct ww_param *params, size_t n,
             const struct ww_value **result)
{
    *result = NULL;
    client_begin(c);
    if (!what)
        return err_set(&c->err, WW_EUSAGE, "a query says what it asks for");
    buf_reset(&c->out);
    struct enc_open map = enc_map_open(&c->out);
    enc_kv_uint(&map, "rid", ++c->rid);
    enc_kv_str(&map, "what", what);
    for (size_t i = 0; i < n; i++) {
        if (params[i].text)
            enc_kv_str(&map, params[i].key, params[i].text);
        else if (params[i].boolean)
            enc_kv_bool(&map, params[i].key, params[i].number != 0);
        else
            enc_kv_int(&map, params[i].key, params[i].number);
    }
    enc_close(&map);
    return client_request(c, "query", "result", true, client_deadline(c->timeout_ms), result);
}

static void put_action(struct enc_open *map, const struct ww_action *a)
{
    const struct {
        const char *key, *text;
    } texts[] = {
        {"do", a->what},         {"note", a->note},       {"actor", a->actor}, {"finding", a->finding},
        {"outcome", a->outcome}, {"measure", a->measure}, {"ref", a->ref},     {"team", a->team},
        {"name", a->name},       {"uscc", a->uscc},       {"status", a->status},
        {"as", a->as},           {"duty", a->duty},
    };
    const struct {
        const char *key;
        int64_t number;
    } numbers[] = {
        {"people", a->people},
        {"amount", a->amount},
        {"due", a->due},
        {"until", a->until},
        {"paid_people", a->paid_people},
        {"paid_amount", a->paid_amount},
        {"undo", a->undo ? (int64_t)a->undo : WW_ABSENT},
        {"version", a->version ? (int64_t)a->version : WW_ABSENT},
        {"signal", a->signal ? (int64_t)a->signal : WW_ABSENT},
    };
    if (a->alert)
        enc_kv_uint(map, "alert", a->alert);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].text)
            enc_kv_str(map, texts[i].key, texts[i].text);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i].number != WW_ABSENT)
            enc_kv_int(map, numbers[i].key, numbers[i].number);
}

int ww_act(struct ww_client *c, const struct ww_action *action, uint64_t *seq)
{
    const struct ww_value *body = NULL;
    client_begin(c);
    if (!action->what)
        return err_set(&c->err, WW_EUSAGE, "an action says what it does");
    buf_reset(&c->out);
    struct enc_open map = enc_map_open(&c->out);
    enc_kv_uint(&map, "rid", ++c->rid);
    put_action(&map, action);
    enc_close(&map);
    /* Not sent twice: a second `dispose` would be a second measure. */
    int rc = client_request(c, "action", "done", false, client_deadline(c->timeout_ms), &body);
    if (rc == 0 && seq)
        *seq = ww_uint(ww_get(body, "seq"), 0);
    if (rc == 0)
        snprintf(c->err.msg, sizeof c->err.msg, "%s", ww_str(ww_get(body, "message"), ""));
    return rc;
}
