/* SPDX-License-Identifier: Apache-2.0 */
/* libwagewarn: connecting, pushing, asking and acting. Splitting, busy, answers that are lost, connections
 * that break, bytes that make no sense. */
#include "fake.h"

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
    while (seen < 1500) { /* the first's answer may have died with the connection: then that batch comes again too */
        hear(f, "signals");
        seen += rid(f) >= second ? batch(f) : 0;
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

static int make_all(void **state)
{
    make_signals();
    return make_directory(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_there),         cmocka_unit_test(not_allowed),
        cmocka_unit_test(a_push_is_split),         cmocka_unit_test(a_push_fits_the_bytes),
        cmocka_unit_test(busy_is_tried_again),     cmocka_unit_test(a_lost_answer_is_asked_for_again),
        cmocka_unit_test(a_restart_loses_nothing), cmocka_unit_test(a_push_gives_up_in_time),
        cmocka_unit_test(a_push_is_denied),        cmocka_unit_test(asking_and_acting),
        cmocka_unit_test(garbage_is_passed_over),
    };
    return cmocka_run_group_tests(tests, make_all, remove_directory);
}
