/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions over a fold of a small world: who gets which events, in which order, for how much credit;
 * from memory and from the view; to readers that are slow, gone, or no longer allowed. */
#include "test.h"

#include "daemon/subscriber.h"
#include "tests/support/world.h"
#include "tests/unit/store_kit.h"

#define SAY(w, ...) world_say((w), &(struct say){__VA_ARGS__})

enum { SENT_MAX = 512, PEER = 7 };

struct sent {
    char verb[16];
    const struct ww_value *body;
};

struct stand {
    struct world world;
    struct view *view;
    struct events *events;
    struct subscriber *subscriber;
    size_t told; /* events of the world that the events room has */
    struct arena arena;
    struct sent sent[SENT_MAX];
    size_t n_sent;
    int answer; /* of the next sends */
    unsigned ended;
    struct err err;
};

static const char store[] = "abcd";

/* ---- the stand ---- */

static int take(void *arg, uint64_t peer, const char *verb, struct slice head, struct slice rest)
{
    struct stand *s = arg;
    assert_int_equal(peer, PEER);
    if (s->answer)
        return s->answer;
    char *p = arena_alloc(&s->arena, head.n + rest.n);
    memcpy(p, head.p, head.n);
    if (rest.n)
        memcpy(p + head.n, rest.p, rest.n);
    assert_true(s->n_sent < SENT_MAX);
    struct sent *m = &s->sent[s->n_sent++];
    snprintf(m->verb, sizeof m->verb, "%s", verb);
    assert_int_equal(codec_body((struct slice){p, head.n + rest.n}, &s->arena, &m->body, &s->err), 0);
    return 0;
}

static int64_t now(void *arg)
{
    (void)arg;
    return DAY(9);
}

static void ended(void *arg, uint64_t peer)
{
    struct stand *s = arg;
    assert_int_equal(peer, PEER);
    s->ended++;
}

static int begin(void **state)
{
    static struct stand s;
    if (kit_setup(state))
        return -1;
    s = (struct stand){0};
    world_init(&s.world, NULL);
    if (view_open(&s.view, kit_path("view"), 1 << 30, false, &s.err) ||
        events_open(&s.events, s.view, engine_dict(s.world.engine), 0, &s.err))
        fail_msg("%s", s.err.msg);
    struct subscriber_calls calls = {take, now, ended, &s};
    s.subscriber = subscriber_create(s.events, &calls);
    *state = &s;
    return 0;
}

static int finish(void **state)
{
    struct stand *s = *state;
    subscriber_destroy(s->subscriber);
    events_close(s->events);
    view_close(s->view);
    world_finish(&s->world);
    arena_finish(&s->arena);
    return kit_teardown(state);
}

/* What the world has brought about since the last time, as a finished batch. */
static void tell(struct stand *s, bool keep)
{
    struct batch b = {.number = s->world.number};
    b.out.events = s->world.out.events + s->told;
    b.out.n = s->world.out.n - s->told;
    s->told = s->world.out.n;
    events_add(s->events, &b, keep);
}

static void checkpoint(struct stand *s)
{
    static const uint8_t id[STORE_ID_LEN] = {1};
    struct checkpoint *cp = engine_checkpoint(s->world.engine);
    assert_non_null(cp);
    assert_int_equal(view_commit(s->view, cp, id, &s->err), 0);
    engine_committed(s->world.engine, cp);
}

/* One alert in Pinghu (raised, upgraded, more evidence), one in Hangzhou. */
static void story(struct stand *s)
{
    SAY(&s->world, .kind = "police.owner_missing", .at = DAY(1), .uscc = CODE_B, .region = "330102",
        .industry = "H62");
    SAY(&s->world, .kind = "tax.abnormal_household", .at = DAY(2), .uscc = CODE_A, .region = "330482001",
        .industry = "C18");
    SAY(&s->world, .kind = "court.seizure", .at = DAY(2), .uscc = CODE_A, .region = "330482001");
    SAY(&s->world, .kind = "market.address_lost", .at = DAY(3), .uscc = CODE_A, .region = "330402");
    assert_true(s->world.out.n >= 3);
}

static const struct principal inspector = {
    .name = "team", .role = "inspector", .may = MAY_SUBSCRIBE, .key = "", .team = ""};

/* A subscribe body in the making. */
struct wish {
    const char *regions[4], *industries[4], *min_level, *store;
    int64_t from, credit; /* from 0: not said */
};

static enum wire_error open_as(struct stand *s, const struct principal *p, struct wish w,
                               struct subscribed *out)
{
    struct buf b = {0};
    struct enc_open m = enc_map_open(&b);
    if (w.from)
        enc_kv_int(&m, "from", w.from);
    if (w.credit)
        enc_kv_int(&m, "credit", w.credit);
    if (w.min_level)
        enc_kv_str(&m, "min_level", w.min_level);
    if (w.store)
        enc_kv_str(&m, "store", w.store);
    const char *const *lists[] = {w.regions, w.industries};
    static const char *const names[] = {"regions", "industries"};
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        while (n < 4 && lists[i][n])
            n++;
        if (!n)
            continue;
        enc_key(&m, names[i]);
        enc_list(&b, n);
        for (size_t k = 0; k < n; k++)
            enc_str(&b, lists[i][k]);
    }
    enc_close(&m);
    const struct ww_value *body;
    assert_int_equal(codec_body((struct slice){(char *)b.p, b.n}, &s->arena, &body, &s->err), 0);
    buf_finish(&b);
    return subscriber_open(s->subscriber, PEER, p, store, body, out, &s->err);
}

static struct subscribed open_ok(struct stand *s, struct wish w)
{
    struct subscribed got;
    assert_int_equal(open_as(s, &inspector, w, &got), WIRE_ERROR_NONE);
    return got;
}

static enum pump pump_all(struct stand *s)
{
    bool want_view;
    enum pump p;
    while ((p = subscriber_pump(s->subscriber, &want_view)) == PUMP_MORE)
        continue;
    return p;
}

static uint64_t number(const struct ww_value *body, const char *key)
{
    uint64_t n = UINT64_MAX;
    assert_int_equal(val_uint(body, key, &n), 1);
    return n;
}

/* The events sent, as a string of their numbers ("1 3 "); each must say the one before it. */
static const char *numbers(struct stand *s, uint64_t session)
{
    char *text = arena_printf(&s->arena, "%s", "");
    uint64_t last = 0;
    for (size_t i = 0; i < s->n_sent; i++) {
        const struct sent *m = &s->sent[i];
        if (number(m->body, "session") != session)
            continue;
        if (strcmp(m->verb, "heartbeat") == 0) {
            assert_int_equal(number(m->body, "last"), last);
            assert_true(number(m->body, "upto") >= last);
        }
        if (strcmp(m->verb, "event") != 0)
            continue;
        assert_int_equal(number(m->body, "prev"), last);
        last = number(m->body, "seq");
        text = arena_printf(&s->arena, "%s%u ", text, (unsigned)last);
    }
    return text;
}

static const struct ww_value *last_beat(const struct stand *s)
{
    for (size_t i = s->n_sent; i > 0; i--)
        if (strcmp(s->sent[i - 1].verb, "heartbeat") == 0)
            return s->sent[i - 1].body;
    fail_msg("no heartbeat");
    return NULL;
}

/* Numbers of the world's events that a test picks, for comparison. */
static const char *expect(struct stand *s, bool (*want)(const struct event *))
{
    char *text = arena_printf(&s->arena, "%s", "");
    for (size_t i = 0; i < s->world.out.n; i++)
        if (want(&s->world.out.events[i].ev))
            text = arena_printf(&s->arena, "%s%u ", text, (unsigned)s->world.out.events[i].ev.seq);
    return text;
}

static bool any(const struct event *ev)
{
    (void)ev;
    return true;
}

static bool of_pinghu(const struct event *ev)
{
    return slice_is(ev->uscc, CODE_A);
}

static bool of_hangzhou(const struct event *ev)
{
    return !of_pinghu(ev);
}

static bool reaches_major(const struct event *ev)
{
    return ev->level >= LEVEL_MAJOR || ev->level_before >= LEVEL_MAJOR;
}

/* ---- from memory, from the view, from both ---- */

static void test_from_memory(void **state)
{
    struct stand *s = *state;
    struct subscribed got = open_ok(s, (struct wish){.credit = 100});
    assert_int_equal(got.from, 1);
    assert_int_equal(got.head, 0);
    pump_all(s);
    assert_int_equal(number(last_beat(s)->n ? last_beat(s) : NULL, "upto"), 0); /* the log ran out at once */
    story(s);
    tell(s, true);
    pump_all(s);
    assert_string_equal(numbers(s, got.session), expect(s, any));
    assert_int_equal(number(last_beat(s), "upto"), s->world.out.n);
    assert_int_equal(number(last_beat(s), "head"), s->world.out.n);
}

static void test_from_view(void **state)
{
    struct stand *s = *state;
    story(s);
    tell(s, false); /* nobody listens: nothing is kept */
    struct subscribed got = open_ok(s, (struct wish){.credit = 100});
    bool want_view;
    assert_int_equal(subscriber_pump(s->subscriber, &want_view), PUMP_DONE);
    assert_true(want_view); /* not in the view yet */
    assert_int_equal(s->n_sent, 0);
    checkpoint(s);
    pump_all(s);
    assert_string_equal(numbers(s, got.session), expect(s, any));
}

static void test_from_both(void **state)
{
    struct stand *s = *state;
    story(s);
    checkpoint(s);
    tell(s, false);
    struct subscribed got = open_ok(s, (struct wish){.credit = 100});
    SAY(&s->world, .kind = "court.enforcement", .at = DAY(4), .uscc = CODE_A, .region = "330482001");
    tell(s, true);
    pump_all(s);
    assert_string_equal(numbers(s, got.session), expect(s, any));
    events_trim(s->events, s->world.number); /* what memory lets go is still there */
    got = open_ok(s, (struct wish){.credit = 100});
    pump_all(s);
    assert_string_equal(numbers(s, got.session), expect(s, any));
}

static void test_long_story(void **state)
{
    struct stand *s = *state;
    struct subscribed early = open_ok(s, (struct wish){.credit = 1});
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 3; k++)
            SAY(&s->world,
                .kind = k == 0   ? "tax.arrears"
                        : k == 1 ? "court.seizure"
                                 : "police.owner_missing",
                .at = DAY(i * 0.01), .name = arena_printf(&s->arena, "示例%d", i), .region = "330482");
        tell(s, true);
        if (i % 50 == 7)
            checkpoint(s);
        events_trim(s->events, i > 100 ? s->world.number / 2 : 0);
    }
    checkpoint(s);
    events_trim(s->events, s->world.number);
    pump_all(s);
    assert_int_equal(s->n_sent, 2); /* one event, one heartbeat: there is no credit for more */
    assert_int_equal(number(last_beat(s), "upto"), 1);
    for (uint64_t seen = 1; seen < s->world.out.n; seen += 100) {
        assert_true(subscriber_credit(s->subscriber, PEER, early.session, 100));
        pump_all(s);
    }
    assert_int_equal(number(last_beat(s), "last"), s->world.out.n);
}

/* ---- who gets what ---- */

static void test_filters(void **state)
{
    struct stand *s = *state;
    story(s);
    checkpoint(s);
    tell(s, false);
    const struct {
        struct wish wish;
        bool (*want)(const struct event *);
    } cases[] = {
        {{.regions = {"3304"}}, of_pinghu},           {{.regions = {"330482001"}}, of_pinghu},
        {{.regions = {"3301"}}, of_hangzhou},         {{.regions = {"33"}}, any},
        {{.regions = {"11", "330102"}}, of_hangzhou}, {{.min_level = "major"}, reaches_major},
        {{.industries = {"C18"}}, of_pinghu},         {{.industries = {"C", "H"}}, any},
        {{.industries = {"H"}}, of_hangzhou},         {{.min_level = "general"}, any},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct wish w = cases[i].wish;
        w.credit = 100;
        struct subscribed got = open_ok(s, w);
        s->n_sent = 0;
        pump_all(s);
        assert_string_equal(numbers(s, got.session), expect(s, cases[i].want));
        assert_int_equal(number(last_beat(s), "upto"), s->world.out.n); /* all examined, whatever was sent */
        assert_true(subscriber_close(s->subscriber, PEER, got.session));
    }
}

static void test_rights_cut_wishes(void **state)
{
    struct stand *s = *state;
    const region_t pinghu[] = {region_of(SLICE("330482"))};
    struct principal p = inspector;
    struct subscribed got;
    p.regions = pinghu;
    p.n_regions = 1;
    story(s);
    checkpoint(s);
    tell(s, false);
    assert_int_equal(open_as(s, &p, (struct wish){.credit = 100}, &got), 0);
    assert_int_equal(got.filter->n_regions, 1);
    pump_all(s);
    assert_string_equal(numbers(s, got.session), expect(s, of_pinghu));
    assert_int_equal(open_as(s, &p, (struct wish){.regions = {"3301", "33"}, .credit = 100}, &got), 0);
    pump_all(s);
    assert_string_equal(numbers(s, got.session), expect(s, of_pinghu));
    assert_int_equal(open_as(s, &p, (struct wish){.regions = {"3301"}}, &got), WIRE_ERROR_DENIED);
    assert_int_equal(open_as(s, &p, (struct wish){.regions = {"330482001"}, .credit = 1}, &got), 0);
    assert_true(got.filter->regions[0] == region_of(SLICE("330482001")));
}

static void test_cut(void **state)
{
    struct stand *s = *state;
    const region_t wide[] = {region_of(SLICE("33")), region_of(SLICE("11"))};
    const region_t narrow[] = {region_of(SLICE("330482")), region_of(SLICE("330402")),
                               region_of(SLICE("44"))};
    region_t *out;
    uint32_t n;
    assert_true(filter_cut(wide, 2, narrow, 3, &s->arena, &out, &n));
    assert_int_equal(n, 2);
    assert_true(filter_cut(narrow, 3, wide, 2, &s->arena, &out, &n));
    assert_int_equal(n, 2);
    assert_true(filter_cut(NULL, 0, narrow, 3, &s->arena, &out, &n));
    assert_int_equal(n, 3);
    assert_true(filter_cut(narrow, 3, NULL, 0, &s->arena, &out, &n));
    assert_int_equal(n, 3);
    assert_true(filter_cut(NULL, 0, NULL, 0, &s->arena, &out, &n));
    assert_int_equal(n, 0);
    assert_false(filter_cut(wide + 1, 1, narrow, 3, &s->arena, &out, &n));
    const struct event nowhere = {.level = LEVEL_GENERAL}; /* a place not known: only who sees everything */
    struct filter f = {0};
    assert_true(filter_matches(&f, &nowhere));
    f.n_regions = 1;
    f.regions = out;
    out[0] = wide[0];
    assert_false(filter_matches(&f, &nowhere));
}

static const struct principal *nobody(void *arg, uint64_t peer)
{
    (void)arg;
    (void)peer;
    return NULL;
}

static const struct principal *hangzhou_now(void *arg, uint64_t peer)
{
    static struct principal p;
    static const region_t regions[] = {UINT64_C(330102) * 16 + 6};
    (void)arg;
    (void)peer;
    p = inspector;
    p.regions = regions;
    p.n_regions = 1;
    return &p;
}

static void test_rights_change(void **state)
{
    struct stand *s = *state;
    struct subscribed got = open_ok(s, (struct wish){.credit = 100});
    subscriber_rights(s->subscriber, hangzhou_now, NULL);
    story(s);
    tell(s, true);
    pump_all(s);
    assert_string_equal(numbers(s, got.session), expect(s, of_hangzhou));
    subscriber_rights(s->subscriber, nobody, NULL);
    assert_int_equal(s->ended, 1);
    assert_string_equal(s->sent[s->n_sent - 1].verb, "error");
    assert_int_equal(subscriber_count(s->subscriber), 0);
}

/* ---- positions ---- */

static void test_positions(void **state)
{
    struct stand *s = *state;
    story(s);
    checkpoint(s);
    tell(s, false);
    int64_t head = (int64_t)s->world.out.n;
    struct subscribed got;
    assert_int_equal(open_ok(s, (struct wish){.from = -1}).from, head + 1);
    assert_int_equal(open_ok(s, (struct wish){.from = head + 1}).from, head + 1);
    assert_int_equal(open_ok(s, (struct wish){.from = 2}).from, 2);
    assert_int_equal(open_ok(s, (struct wish){.from = 2, .store = store}).from, 2);
    assert_int_equal(open_as(s, &inspector, (struct wish){.from = head + 2}, &got), WIRE_ERROR_STORE_CHANGED);
    assert_int_equal(open_as(s, &inspector, (struct wish){.store = "other"}, &got), WIRE_ERROR_STORE_CHANGED);
    assert_int_equal(open_as(s, &inspector, (struct wish){.store = ""}, &got), WIRE_ERROR_STORE_CHANGED);
    assert_int_equal(open_as(s, &inspector, (struct wish){.from = -2}, &got), WIRE_ERROR_BAD_FIELD);
    assert_int_equal(open_as(s, &inspector, (struct wish){.credit = -1}, &got), WIRE_ERROR_BAD_FIELD);
    assert_int_equal(open_as(s, &inspector, (struct wish){.min_level = "purple"}, &got),
                     WIRE_ERROR_BAD_FIELD);
    assert_int_equal(open_as(s, &inspector, (struct wish){.regions = {"33x"}}, &got), WIRE_ERROR_BAD_FIELD);
    assert_int_equal(open_as(s, &inspector, (struct wish){.industries = {""}}, &got), WIRE_ERROR_BAD_FIELD);
}

static void test_too_many(void **state)
{
    struct stand *s = *state;
    struct subscribed got;
    for (int i = 0; i < SESSIONS_A_PEER; i++)
        open_ok(s, (struct wish){0});
    assert_int_equal(open_as(s, &inspector, (struct wish){0}, &got), WIRE_ERROR_TOO_LARGE);
    subscriber_forget(s->subscriber, PEER);
    assert_int_equal(s->ended, SESSIONS_A_PEER);
    open_ok(s, (struct wish){0});
}

/* ---- slow and gone ---- */

static void test_full_queue(void **state)
{
    struct stand *s = *state;
    struct subscribed got = open_ok(s, (struct wish){.credit = 100});
    story(s);
    tell(s, true);
    s->answer = WW_EAGAIN;
    assert_int_equal(pump_all(s), PUMP_LATER);
    subscriber_tick(s->subscriber);
    assert_int_equal(s->n_sent, 0);
    s->answer = 0;
    subscriber_retry(s->subscriber);
    assert_int_equal(pump_all(s), PUMP_DONE);
    assert_string_equal(numbers(s, got.session), expect(s, any)); /* nothing lost, nothing twice */
}

static void test_gone(void **state)
{
    struct stand *s = *state;
    struct subscribed got = open_ok(s, (struct wish){.credit = 100});
    story(s);
    tell(s, true);
    s->answer = WW_EUNREACH;
    pump_all(s);
    assert_int_equal(s->ended, 1);
    assert_false(subscriber_credit(s->subscriber, PEER, got.session, 1));
    assert_false(subscriber_close(s->subscriber, PEER, got.session));
}

static void test_another_peers_session(void **state)
{
    struct stand *s = *state;
    struct subscribed got = open_ok(s, (struct wish){0});
    assert_false(subscriber_credit(s->subscriber, PEER + 1, got.session, 1));
    assert_false(subscriber_close(s->subscriber, PEER + 1, got.session));
    assert_true(subscriber_credit(s->subscriber, PEER, got.session, UINT64_MAX)); /* bounded, no overflow */
    assert_true(subscriber_credit(s->subscriber, PEER, got.session, UINT64_MAX));
    assert_true(subscriber_close(s->subscriber, PEER, got.session));
    assert_false(subscriber_close(s->subscriber, PEER, got.session));
}

static void test_alert_of(void **state)
{
    struct stand *s = *state;
    struct ekey key, want = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_B));
    const region_t *places;
    uint32_t n;
    open_ok(s, (struct wish){0});
    story(s);
    tell(s, true);
    assert_int_equal(events_alert(s->events, 1, &key, &places, &n, &s->err), 1); /* from memory */
    assert_int_equal(ekey_cmp(&key, &want), 0);
    assert_true(n == 1 && places[0] == region_of(SLICE("330102")));
    assert_int_equal(events_alert(s->events, 99, &key, &places, &n, &s->err), 0);
    tell(s, false);
    checkpoint(s);
    struct events *later; /* as after a restart */
    assert_int_equal(events_open(&later, s->view, engine_dict(s->world.engine), s->world.out.n, &s->err), 0);
    assert_int_equal(events_alert(later, 1, &key, &places, &n, &s->err), 1); /* from the view */
    assert_int_equal(ekey_cmp(&key, &want), 0);
    assert_true(n == 1 && places[0] == region_of(SLICE("330102")));
    events_close(later);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_from_memory, begin, finish),
        cmocka_unit_test_setup_teardown(test_from_view, begin, finish),
        cmocka_unit_test_setup_teardown(test_from_both, begin, finish),
        cmocka_unit_test_setup_teardown(test_long_story, begin, finish),
        cmocka_unit_test_setup_teardown(test_filters, begin, finish),
        cmocka_unit_test_setup_teardown(test_rights_cut_wishes, begin, finish),
        cmocka_unit_test_setup_teardown(test_cut, begin, finish),
        cmocka_unit_test_setup_teardown(test_rights_change, begin, finish),
        cmocka_unit_test_setup_teardown(test_positions, begin, finish),
        cmocka_unit_test_setup_teardown(test_too_many, begin, finish),
        cmocka_unit_test_setup_teardown(test_full_queue, begin, finish),
        cmocka_unit_test_setup_teardown(test_gone, begin, finish),
        cmocka_unit_test_setup_teardown(test_another_peers_session, begin, finish),
        cmocka_unit_test_setup_teardown(test_alert_of, begin, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
