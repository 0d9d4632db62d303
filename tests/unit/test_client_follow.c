/* SPDX-License-Identifier: Apache-2.0 */
/* libwagewarn: following alert events. Credit, the cursor, connections that break, numbers that skip,
 * refusals. */
#include "fake.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(following_with_a_cursor),        cmocka_unit_test(from_now_on_is_durable),
        cmocka_unit_test(a_broken_connection_is_resumed), cmocka_unit_test(a_gap_is_noticed),
        cmocka_unit_test(another_store_is_said),          cmocka_unit_test(rights_that_end),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
