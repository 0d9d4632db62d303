/* SPDX-License-Identifier: Apache-2.0 */
/* libwagewarn against a daemon that a story plays: splitting, busy, answers that are lost, connections that
 * break, numbers that skip. The story runs on a thread of its own and aborts the program when it hears
 * something else. */
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

enum { PATIENCE_MS = 20000 };

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

static void fake_open(struct fake *f)
{
    int zero = 0, patience = PATIENCE_MS;
    f->ctx = zmq_ctx_new();
    f->sock = zmq_socket(f->ctx, ZMQ_ROUTER);
    zmq_setsockopt(f->sock, ZMQ_LINGER, &patience, sizeof zero);
    zmq_setsockopt(f->sock, ZMQ_RCVTIMEO, &patience, sizeof patience);
    CHECK(zmq_bind(f->sock, endpoint) == 0);
}

static void fake_close(struct fake *f)
{
    zmq_close(f->sock);
    zmq_ctx_term(f->ctx);
}

static const struct ww_value *hear(struct fake *f, const char *verb)
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
static void tell(struct fake *f, const char *verb, ...)
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

static uint64_t rid(const struct fake *f)
{
    return ww_uint(ww_get(f->body, "rid"), 0);
}

static void greet_as(struct fake *f, const char *store, uint64_t max_batch, uint64_t max_bytes)
{
    hear(f, "hello");
    CHECK(ww_uint(ww_get(f->body, "protocol"), 0) == 1);
    tell(f, "welcome", "rid", 'u', rid(f), "protocol", 'u', UINT64_C(1), "store", 's', store, "principal",
         's', "local", "max_batch", 'u', max_batch, "max_bytes", 'u', max_bytes, NULL);
}

static void greet(struct fake *f)
{
    greet_as(f, "store-1", 1000, 1 << 20);
}

static size_t batch(const struct fake *f)
{
    return ww_length(ww_get(f->body, "batch"));
}

static const char *id_at(const struct fake *f, size_t i)
{
    return ww_str(ww_get(ww_at(ww_get(f->body, "batch"), i), "id"), "");
}

static void ack(struct fake *f, uint64_t accepted, uint64_t seq)
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

static void *run_story(void *arg)
{
    struct play *p = arg;
    fake_open(&p->fake);
    p->story(&p->fake);
    sem_wait(&p->over);
    fake_close(&p->fake);
    arena_finish(&p->fake.arena);
    return NULL;
}

static void begin(struct play *p, story *s)
{
    *p = (struct play){.story = s};
    sem_init(&p->over, 0, 0);
    CHECK(pthread_create(&p->thread, NULL, run_story, p) == 0);
}

static void end(struct play *p)
{
    sem_post(&p->over);
    pthread_join(p->thread, NULL);
    sem_destroy(&p->over);
}

static struct ww_client *join(int timeout_ms, int retry_ms)
{
    struct ww_client *c;
    struct ww_options o = {
        .endpoint = endpoint, .program = "test", .timeout_ms = timeout_ms, .retry_ms = retry_ms};
    int rc = ww_connect(&c, &o);
    if (rc != 0)
        fail_msg("ww_connect: %d %s", rc, ww_message(c));
    return c;
}

static char ids[3000][8];
static struct ww_signal signals[3000];

static void make_signals(void)
{
    for (size_t i = 0; i < 3000; i++) {
        snprintf(ids[i], sizeof ids[i], "s%zu", i);
        signals[i] = (struct ww_signal)WW_SIGNAL_INIT;
        signals[i].id = ids[i];
        signals[i].kind = "tax.arrears";
        signals[i].at = 1760000000000;
        signals[i].uscc = "91350100M000100Y43";
    }
}

/* ---- connecting ---- */

static void nobody_is_there(void **state)
{
    (void)state;
    struct ww_client *c;
    struct ww_options o = {.endpoint = endpoint, .timeout_ms = 50};
    assert_int_equal(ww_connect(&c, &o), WW_EUNREACH);
    assert_non_null(strstr(ww_message(c), endpoint));
    ww_disconnect(c);
    o.endpoint = "nonsense";
    assert_int_equal(ww_connect(&c, &o), WW_EUSAGE);
    const struct ww_value *r;
    assert_int_equal(ww_query(c, "status", NULL, 0, &r), WW_EUNREACH);
    ww_disconnect(c);
    ww_disconnect(NULL);
}

static void story_denied(struct fake *f)
{
    hear(f, "hello");
    tell(f, "error", "rid", 'u', rid(f), "code", 's', "denied", "message", 's', "this key is not known",
         NULL);
    hear(f, "hello");
    tell(f, "welcome", "rid", 'u', rid(f), "store", 's', "has spaces", NULL);
}

static void not_allowed(void **state)
{
    (void)state;
    struct play p;
    struct ww_client *c;
    struct ww_options o = {.endpoint = endpoint};
    begin(&p, story_denied);
    assert_int_equal(ww_connect(&c, &o), WW_EDENIED);
    assert_string_equal(ww_message(c), "this key is not known (denied)");
    ww_disconnect(c);
    assert_int_equal(ww_connect(&c, &o), WW_EREFUSED);
    ww_disconnect(c);
    end(&p);
}

/* ---- pushing ---- */

/* 2,500 signals at 1,000 a batch; acks in another order; one rejected in the second batch. */
static void story_split(struct fake *f)
{
    uint64_t rids[3];
    size_t n[3];
    greet(f);
    for (int i = 0; i < 3; i++) {
        hear(f, "signals");
        rids[i] = rid(f);
        n[i] = batch(f);
        CHECK(n[i] == (i < 2 ? 1000 : 500));
        char want[8];
        snprintf(want, sizeof want, "s%d", i * 1000);
        CHECK(strcmp(id_at(f, 0), want) == 0);
    }
    struct buf list = {0};
    enc_list(&list, 2);
    for (uint64_t i = 7; i <= 1000007; i += 1000000) { /* the second index is not in the batch: passed over */
        enc_map(&list, 4);
        enc_str(&list, "index");
        enc_uint(&list, i);
        enc_str(&list, "id");
        enc_str(&list, "s1007");
        enc_str(&list, "code");
        enc_str(&list, "bad_uscc");
        enc_str(&list, "message");
        enc_str(&list, "the check character is wrong");
    }
    tell(f, "ack", "rid", 'u', rids[2], "accepted", 'u', (uint64_t)n[2], "seq", 'u', UINT64_C(900), NULL);
    tell(f, "ack", "rid", 'u', rids[1], "accepted", 'u', (uint64_t)n[1] - 2, "duplicates", 'u', UINT64_C(1),
         "seq", 'u', UINT64_C(800), "rejected", 'b', &list, NULL);
    tell(f, "ack", "rid", 'u', rids[1], "accepted", 'u', UINT64_C(1000),
         NULL); /* a second ack counts nothing */
    tell(f, "ack", "rid", 'u', rids[0], "accepted", 'u', (uint64_t)n[0], "seq", 'u', UINT64_C(700), NULL);
    buf_finish(&list);
}

static void a_push_is_split(void **state)
{
    (void)state;
    struct play p;
    struct ww_pushed out;
    begin(&p, story_split);
    struct ww_client *c = join(0, 0);
    assert_string_equal(ww_store(c), "store-1");
    assert_int_equal(ww_push(c, signals, 0, &out), 0);
    assert_int_equal(ww_push(c, signals, 2500, &out), 0);
    assert_int_equal(out.accepted, 2498);
    assert_int_equal(out.duplicates, 1);
    assert_int_equal(out.seq, 900);
    assert_int_equal(out.n_rejected, 1);
    assert_int_equal(out.rejected[0].index, 1007);
    assert_string_equal(out.rejected[0].id, "s1007");
    assert_string_equal(out.rejected[0].code, "bad_uscc");
    assert_string_equal(out.rejected[0].message, "the check character is wrong");
    ww_disconnect(c);
    end(&p);
}

/* A message may have 2,000 bytes; one signal alone is larger; the daemon finds a batch too large by itself,
 * too. */
static void story_bytes(struct fake *f)
{
    size_t seen = 0;
    bool refused = false;
    greet_as(f, "store-1", 1000, 2000);
    while (seen < 99) {
        hear(f, "signals");
        CHECK(batch(f) > 0 && batch(f) < 40);
        if (!refused && batch(f) > 1) {
            tell(f, "error", "rid", 'u', rid(f), "code", 's', "too_large", "message", 's',
                 "at most 5 a batch", NULL);
            refused = true;
            continue;
        }
        seen += batch(f);
        ack(f, batch(f), seen);
    }
}

static void a_push_fits_the_bytes(void **state)
{
    (void)state;
    struct play p;
    struct ww_pushed out;
    char note[3000];
    memset(note, 'x', sizeof note - 1);
    note[sizeof note - 1] = 0;
    signals[57].note = note;
    begin(&p, story_bytes);
    struct ww_client *c = join(0, 0);
    assert_int_equal(ww_push(c, signals, 100, &out), 0);
    assert_int_equal(out.accepted, 99);
    assert_int_equal(out.n_rejected, 1);
    assert_int_equal(out.rejected[0].index, 57);
    assert_string_equal(out.rejected[0].code, "too_large");
    signals[57].note = NULL;
    ww_disconnect(c);
    end(&p);
}

static void story_busy(struct fake *f)
{
    greet(f);
    hear(f, "signals");
    uint64_t first = rid(f);
    for (int i = 0; i < 2; i++) {
        tell(f, "busy", "rid", 'u', first, "retry_ms", 'u', UINT64_C(10), "reason", 's', "overload", NULL);
        hear(f, "signals");
        CHECK(rid(f) == first && batch(f) == 3);
    }
    ack(f, 3, 3);
}

static void busy_is_tried_again(void **state)
{
    (void)state;
    struct play p;
    struct ww_pushed out;
    begin(&p, story_busy);
    struct ww_client *c = join(0, 0);
    assert_int_equal(ww_push(c, signals, 3, &out), 0);
    assert_int_equal(out.accepted, 3);
    ww_disconnect(c);
    end(&p);
}

/* No answer in time: the same batch again under the same rid; then the late answer to the first one counts.
 */
static void story_silent(struct fake *f)
{
    greet(f);
    hear(f, "signals");
    uint64_t first = rid(f);
    hear(f, "signals");
    CHECK(rid(f) == first);
    ack(f, 2, 2);
}

static void a_lost_answer_is_asked_for_again(void **state)
{
    (void)state;
    struct play p;
    struct ww_pushed out;
    begin(&p, story_silent);
    struct ww_client *c = join(200, 0);
    assert_int_equal(ww_push(c, signals, 2, &out), 0);
    assert_int_equal(out.accepted, 2);
    ww_disconnect(c);
    end(&p);
}

/* The daemon dies with two batches unanswered and comes back with a new store: hello again, both again. */
static void story_restart(struct fake *f)
{
    greet(f);
    hear(f, "signals");
    ack(f, 1000, 1000);
    hear(f, "signals");
    uint64_t second = rid(f);
    hear(f, "signals");
    fake_close(f);
    fake_open(f);
    greet_as(f, "store-2", 1000, 1 << 20);
    uint64_t seen = 0;
    while (seen < 1500) {
        hear(f, "signals");
        CHECK(rid(f) >= second);
        seen += batch(f);
        ack(f, batch(f), 1000 + seen);
    }
}

static void a_restart_loses_nothing(void **state)
{
    (void)state;
    struct play p;
    struct ww_pushed out;
    begin(&p, story_restart);
    struct ww_client *c = join(0, 0);
    assert_int_equal(ww_push(c, signals, 2500, &out), 0);
    assert_int_equal(out.accepted, 2500);
    assert_string_equal(ww_store(c), "store-2");
    ww_disconnect(c);
    end(&p);
}

static void story_always_busy(struct fake *f)
{
    greet(f);
    hear(f, "signals");
    tell(f, "busy", "rid", 'u', rid(f), "retry_ms", 'u', UINT64_C(100000), NULL);
    /* and then nobody */
}

static void a_push_gives_up_in_time(void **state)
{
    (void)state;
    struct play p;
    struct ww_pushed out;
    begin(&p, story_always_busy);
    struct ww_client *c = join(100, 300);
    int rc = ww_push(c, signals, 1, &out);
    assert_true(rc == WW_EAGAIN || rc == WW_EUNREACH);
    assert_int_equal(out.accepted, 0);
    ww_disconnect(c);
    end(&p);
}

static void story_push_denied(struct fake *f)
{
    greet(f);
    hear(f, "signals");
    tell(f, "error", "rid", 'u', rid(f), "code", 's', "denied", "message", 's',
         "an inspector sends no signals", NULL);
}

static void a_push_is_denied(void **state)
{
    (void)state;
    struct play p;
    struct ww_pushed out;
    begin(&p, story_push_denied);
    struct ww_client *c = join(0, 0);
    assert_int_equal(ww_push(c, signals, 1, &out), WW_EDENIED);
    assert_string_equal(ww_message(c), "an inspector sends no signals (denied)");
    ww_disconnect(c);
    end(&p);
}

/* ---- asking and acting ---- */

static void story_ask(struct fake *f)
{
    greet(f);
    hear(f, "query");
    CHECK(strcmp(ww_str(ww_get(f->body, "what"), ""), "alerts") == 0);
    CHECK(strcmp(ww_str(ww_get(f->body, "region"), ""), "3304") == 0);
    CHECK(ww_int(ww_get(f->body, "limit"), 0) == 5);
    tell(f, "busy", "rid", 'u', rid(f), "retry_ms", 'u', UINT64_C(10), NULL);
    hear(f, "query");
    uint64_t asked = rid(f);
    fake_close(f); /* a query may be asked again */
    fake_open(f);
    greet(f);
    hear(f, "query");
    CHECK(rid(f) == asked);
    tell(f, "result", "rid", 'u', UINT64_C(99999), "what", 's', "not mine", NULL);
    tell(f, "result", "rid", 'u', asked, "what", 's', "alerts", "as_of", 'u', UINT64_C(12), NULL);
    hear(f, "action");
    CHECK(ww_uint(ww_get(f->body, "alert"), 0) == 42);
    CHECK(strcmp(ww_str(ww_get(f->body, "do"), ""), "verify") == 0);
    CHECK(strcmp(ww_str(ww_get(f->body, "finding"), ""), "confirmed") == 0);
    CHECK(ww_int(ww_get(f->body, "people"), 0) == 31);
    CHECK(!ww_get(f->body, "amount") && !ww_get(f->body, "undo") && !ww_get(f->body, "note"));
    tell(f, "done", "rid", 'u', rid(f), "seq", 'u', UINT64_C(77), NULL);
    hear(f, "action");
    tell(f, "error", "rid", 'u', rid(f), "code", 's', "wrong_state", "message", 's', "accept it first", NULL);
    hear(f, "action");
    fake_close(f); /* an action may not be sent twice */
    fake_open(f);
}

static void asking_and_acting(void **state)
{
    (void)state;
    struct play p;
    const struct ww_value *r;
    uint64_t seq = 0;
    begin(&p, story_ask);
    struct ww_client *c = join(0, 0);
    struct ww_param params[] = {{"region", "3304", 0}, {"limit", NULL, 5}};
    assert_int_equal(ww_query(c, "alerts", params, 2, &r), 0);
    assert_int_equal(ww_uint(ww_get(r, "as_of"), 0), 12);
    struct ww_action a = WW_ACTION_INIT;
    a.alert = 42;
    a.what = "verify";
    a.finding = "confirmed";
    a.people = 31;
    assert_int_equal(ww_act(c, &a, &seq), 0);
    assert_int_equal(seq, 77);
    assert_int_equal(ww_act(c, &a, NULL), WW_EREFUSED);
    assert_string_equal(ww_message(c), "accept it first (wrong_state)");
    assert_int_equal(ww_act(c, &a, NULL), WW_EUNREACH);
    ww_disconnect(c);
    end(&p);
}

/* What a peer sends is not believed: frames too many, no map, a length without bytes; then the answer. */
static void story_garbage(struct fake *f)
{
    static const char greedy[] = "\xdd\xff\xff\xff\xff", list[] = "\x91\x01";
    greet(f);
    hear(f, "query");
    const struct {
        const char *p;
        size_t n;
    } bodies[] = {{greedy, 5}, {list, 2}, {"", 0}, {"\xc1", 1}};
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        zmq_send(f->sock, f->peer, (size_t)f->n_peer, ZMQ_SNDMORE);
        zmq_send(f->sock, "result", 6, ZMQ_SNDMORE);
        zmq_send(f->sock, bodies[i].p, bodies[i].n, 0);
    }
    zmq_send(f->sock, f->peer, (size_t)f->n_peer, ZMQ_SNDMORE);
    zmq_send(f->sock, "result", 6, 0);
    zmq_send(f->sock, f->peer, (size_t)f->n_peer, ZMQ_SNDMORE);
    for (int i = 0; i < 5; i++)
        zmq_send(f->sock, "a frame longer than any verb may be", 35, i < 4 ? ZMQ_SNDMORE : 0);
    tell(f, "result", "rid", 'u', rid(f), "what", 's', "status", NULL);
}

static void garbage_is_passed_over(void **state)
{
    (void)state;
    struct play p;
    const struct ww_value *r;
    begin(&p, story_garbage);
    struct ww_client *c = join(0, 0);
    assert_int_equal(ww_query(c, "status", NULL, 0, &r), 0);
    assert_string_equal(ww_str(ww_get(r, "what"), ""), "status");
    ww_disconnect(c);
    end(&p);
}

/* ---- following ---- */

static uint64_t session = 100;

static void subscribed(struct fake *f, int64_t want_from, uint64_t from)
{
    hear(f, "subscribe");
    CHECK(ww_int(ww_get(f->body, "from"), -2) == want_from);
    CHECK(ww_uint(ww_get(f->body, "credit"), 0) == 4);
    tell(f, "subscribed", "rid", 'u', rid(f), "session", 'u', ++session, "store", 's', "store-1", "from", 'u',
         from, "head", 'u', UINT64_C(50), "oldest", 'u', UINT64_C(1), NULL);
}

static void event(struct fake *f, uint64_t seq, uint64_t prev)
{
    tell(f, "event", "session", 'u', session, "seq", 'u', seq, "prev", 'u', prev, "type", 's', "raised",
         NULL);
}

static void heartbeat(struct fake *f, uint64_t last, uint64_t upto)
{
    tell(f, "heartbeat", "session", 'u', session, "last", 'u', last, "upto", 'u', upto, "head", 'u', upto,
         NULL);
}

static struct ww_client *follow(const char *cursor, int64_t from, int want)
{
    static const char *const regions[] = {"3304"};
    struct ww_client *c = join(0, 0);
    struct ww_subscription s = {.regions = regions,
                                .n_regions = 1,
                                .min_level = "major",
                                .from = from,
                                .cursor = cursor,
                                .credit = 4};
    int rc = ww_subscribe(c, &s);
    if (rc != want)
        fail_msg("ww_subscribe: %d %s", rc, ww_message(c));
    return c;
}

static uint64_t next(struct ww_client *c)
{
    const struct ww_value *e;
    int rc = ww_next(c, PATIENCE_MS, &e);
    if (rc != 0)
        fail_msg("ww_next: %d %s", rc, ww_message(c));
    assert_non_null(e);
    assert_string_equal(ww_str(ww_get(e, "type"), ""), "raised");
    assert_int_equal(ww_done(c, e), 0);
    return ww_uint(ww_get(e, "seq"), 0);
}

/* Credit comes back as events are taken; a heartbeat moves the cursor past what does not concern us. */
static void story_follow(struct fake *f)
{
    greet(f);
    subscribed(f, 0, 1);
    CHECK(strcmp(ww_str(ww_at(ww_get(f->body, "regions"), 0), ""), "3304") == 0);
    CHECK(strcmp(ww_str(ww_get(f->body, "min_level"), ""), "major") == 0);
    CHECK(!ww_get(f->body, "store"));
    event(f, 3, 0);
    event(f, 4, 3);
    hear(f, "credit");
    CHECK(ww_uint(ww_get(f->body, "session"), 0) == session && ww_uint(ww_get(f->body, "n"), 0) == 2);
    heartbeat(f, 4, 20);
    event(f, 21, 4);
    hear(f, "unsubscribe");
    CHECK(ww_uint(ww_get(f->body, "session"), 0) == session);
    /* another process with the same cursor */
    greet(f);
    subscribed(f, 22, 22);
    CHECK(strcmp(ww_str(ww_get(f->body, "store"), ""), "store-1") == 0);
    heartbeat(f, 0, 40);
    event(f, 41, 0);
    hear(f, "unsubscribe");
    greet(f);
    subscribed(f, 41, 41); /* 41 was handed out and never done */
    event(f, 41, 0);
    hear(f, "unsubscribe");
}

static void following_with_a_cursor(void **state)
{
    (void)state;
    struct play p;
    const struct ww_value *e;
    unlink(cursor_path);
    begin(&p, story_follow);
    struct ww_client *c = follow(cursor_path, 0, 0);
    assert_int_equal(next(c), 3);
    assert_int_equal(next(c), 4);
    assert_int_equal(next(c), 21);
    ww_disconnect(c);
    c = follow(cursor_path, 0, 0);
    assert_int_equal(ww_next(c, PATIENCE_MS, &e), 0);
    assert_int_equal(ww_uint(ww_get(e, "seq"), 0), 41);
    ww_disconnect(c);
    c = follow(cursor_path, 0, 0);
    assert_int_equal(next(c), 41);
    ww_disconnect(c);
    end(&p);
}

/* "From now on" is kept in the cursor at once: a restart before the first event loses none. */
static void story_now(struct fake *f)
{
    greet(f);
    subscribed(f, -1, 51);
    hear(f, "unsubscribe");
    greet(f);
    subscribed(f, 51, 51);
    hear(f, "unsubscribe");
}

static void from_now_on_is_durable(void **state)
{
    (void)state;
    struct play p;
    unlink(cursor_path);
    begin(&p, story_now);
    ww_disconnect(follow(cursor_path, -1, 0));
    ww_disconnect(follow(cursor_path, -1, 0));
    end(&p);
}

/* The connection breaks with one event in hand and one on the way: resumed behind the one in hand; what comes
 * twice all the same is shown once. */
static void story_broken(struct fake *f)
{
    greet(f);
    subscribed(f, 0, 1);
    event(f, 5, 0);
    hear(f, "query");
    event(f, 6, 5);
    tell(f, "result", "rid", 'u', rid(f), "what", 's', "status", NULL);
    hear(f, "credit");
    fake_close(f);
    fake_open(f);
    greet(f);
    subscribed(f, 7, 7);
    event(f, 6, 0); /* not asked for */
    event(f, 8, 6);
    hear(f, "credit");
    hear(f, "unsubscribe");
}

static void a_broken_connection_is_resumed(void **state)
{
    (void)state;
    struct play p;
    const struct ww_value *r;
    begin(&p, story_broken);
    struct ww_client *c = follow(NULL, 0, 0);
    assert_int_equal(next(c), 5);
    assert_int_equal(ww_query(c, "status", NULL, 0, &r), 0); /* 6 comes meanwhile, and waits */
    assert_int_equal(next(c), 6);
    assert_int_equal(next(c), 8);
    ww_disconnect(c);
    end(&p);
}

/* A number is skipped: the session is given up and begun again behind the last good one. */
static void story_gap(struct fake *f)
{
    greet(f);
    subscribed(f, 0, 1);
    event(f, 5, 0);
    event(f, 9, 7);
    hear(f, "unsubscribe");
    subscribed(f, 6, 6);
    event(f, 7, 0);
    event(f, 9, 7);
    hear(f, "credit");
    for (uint64_t i = 0; i < 3; i++) {
        heartbeat(f, 10 + i, 12);
        hear(f, "unsubscribe");
        if (i < 2)
            subscribed(f, 10, 10);
    }
}

static void a_gap_is_noticed(void **state)
{
    (void)state;
    struct play p;
    const struct ww_value *e;
    begin(&p, story_gap);
    struct ww_client *c = follow(NULL, 0, 0);
    assert_int_equal(next(c), 5);
    assert_int_equal(next(c), 7);
    assert_int_equal(next(c), 9);
    assert_int_equal(ww_next(c, PATIENCE_MS, &e), WW_EREFUSED);
    ww_disconnect(c);
    end(&p);
}

static void story_refusals(struct fake *f)
{
    greet(f);
    subscribed(f, 0, 1);
    event(f, 5, 0);
    hear(f, "unsubscribe");
    greet(f);
    hear(f, "subscribe");
    tell(f, "error", "rid", 'u', rid(f), "code", 's', "too_old", "message", 's', "begin with the alerts",
         NULL);
    greet_as(f, "store-2", 1000, 1 << 20);
}

static void another_store_is_said(void **state)
{
    (void)state;
    struct play p;
    unlink(cursor_path);
    begin(&p, story_refusals);
    struct ww_client *c = follow(cursor_path, 0, 0);
    const struct ww_value *e;
    assert_int_equal(ww_done(c, NULL), WW_EUSAGE);
    assert_int_equal(next(c), 5);
    ww_disconnect(c);
    c = follow(cursor_path, 0, WW_ETOOOLD);
    assert_string_equal(ww_message(c), "begin with the alerts (too_old)");
    assert_int_equal(ww_next(c, 0, &e), WW_EUSAGE);
    ww_disconnect(c);
    c = follow(cursor_path, 0, WW_ESTORE);
    assert_non_null(strstr(ww_message(c), "store-2"));
    ww_disconnect(c);
    end(&p);
}

static void story_revoked(struct fake *f)
{
    greet(f);
    subscribed(f, 0, 1);
    tell(f, "error", "session", 'u', session, "code", 's', "denied", "message", 's', "revoked", NULL);
}

static void rights_that_end(void **state)
{
    (void)state;
    struct play p;
    const struct ww_value *e;
    begin(&p, story_revoked);
    struct ww_client *c = follow(NULL, 0, 0);
    assert_int_equal(ww_next(c, PATIENCE_MS, &e), WW_EDENIED);
    ww_disconnect(c);
    end(&p);
}

/* ---- */

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(endpoint, sizeof endpoint, "ipc://%s/sock", directory);
    snprintf(cursor_path, sizeof cursor_path, "%s/cursor", directory);
    make_signals();
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(cursor_path);
    unlink(endpoint + strlen("ipc://"));
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_there),         cmocka_unit_test(not_allowed),
        cmocka_unit_test(a_push_is_split),         cmocka_unit_test(a_push_fits_the_bytes),
        cmocka_unit_test(busy_is_tried_again),     cmocka_unit_test(a_lost_answer_is_asked_for_again),
        cmocka_unit_test(a_restart_loses_nothing), cmocka_unit_test(a_push_gives_up_in_time),
        cmocka_unit_test(a_push_is_denied),        cmocka_unit_test(asking_and_acting),
        cmocka_unit_test(garbage_is_passed_over),  cmocka_unit_test(following_with_a_cursor),
        cmocka_unit_test(from_now_on_is_durable),  cmocka_unit_test(a_broken_connection_is_resumed),
        cmocka_unit_test(a_gap_is_noticed),        cmocka_unit_test(another_store_is_said),
        cmocka_unit_test(rights_that_end),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
