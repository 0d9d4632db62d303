/* SPDX-License-Identifier: Apache-2.0 */
/* The query thread over a view that a real fold made: what is answered, to whom, in which pages; what is
 * refused. */
#include "tests/unit/test.h"

#include <semaphore.h>

#include "daemon/query.h"
#include "tests/support/world.h"
#include "tests/unit/store_kit.h"

/* ---- the stand: a small world in a view, and a writer with nothing to do ---- */

struct stand {
    struct world world;
    struct view *view;
    struct recovered idle; /* of the writer */
    struct state_loader loader;
    struct clock clock;
    struct writer *writer;
    struct query_thread *queries;
    struct kinds *kinds;
    struct query_catalog catalog;
    sem_t word;
    /* of the question in hand */
    struct query *q;
    const struct ww_value *body;
};

static const uint8_t store_id[STORE_ID_LEN] = {0xab, 0xcd};

static void done(void *arg)
{
    struct stand *s = arg;
    sem_post(&s->word);
}

static void idle(void *arg)
{
    (void)arg;
}

#define SAY(w, ...) world_say((w), &(struct say){__VA_ARGS__})

/* Two alerts of 嘉兴 and 杭州, an exercise, one enterprise without an alert and with many signals, one by
 * name. */
static void tell(struct world *w)
{
    SAY(w, .kind = "registry.profile", .at = DAY(0), .uscc = CODE_A, .name = "甲建设有限公司",
        .region = "330482", .industry = "E47", .credit = "B");
    SAY(w, .id = "t1", .kind = "tax.arrears", .at = DAY(1), .uscc = CODE_A, .region = "330482001",
        .amount = 500);
    SAY(w, .kind = "market.chattel_mortgage", .at = DAY(2), .uscc = CODE_A, .region = "330482001");
    SAY(w, .kind = "utility.bill_overdue", .at = DAY(3), .uscc = CODE_A, .region = "330402");
    SAY(w, .kind = "police.owner_missing", .at = DAY(4), .uscc = CODE_B, .region = "330102");
    SAY(w, .kind = "police.owner_missing", .at = DAY(4), .uscc = CODE_B, .region = "330102",
        .status = STATUS_EXERCISE);
    for (int i = 0; i < 40; i++)
        SAY(w, .id = arena_printf(&w->arena, "o%d", i), .kind = "tax.filing_missed", .at = DAY(-300 + i),
            .uscc = CODE_C, .region = "330482");
    SAY(w, .kind = "tax.settled", .at = DAY(-270), .uscc = CODE_C, .region = "330482");
    SAY(w, .kind = "tax.filing_missed", .at = DAY(-260), .uscc = CODE_C, .cancels = "o39");
    SAY(w, .kind = "subdistrict.rent_overdue", .at = DAY(5), .name = "乙餐饮店", .region = "330482001");
}

static void fill_view(struct stand *s)
{
    struct err err = {0};
    world_init(&s->world, NULL);
    tell(&s->world);
    struct checkpoint *cp = engine_checkpoint(s->world.engine);
    assert_non_null(cp);
    if (view_open(&s->view, kit_path("view"), 1 << 30, false, &err) ||
        view_commit(s->view, cp, store_id, &err))
        fail_msg("%s", err.msg);
    engine_committed(s->world.engine, cp);
}

static void start_writer(struct stand *s)
{
    struct err err = {0};
    s->idle.journal = kit_open(kit_path("journal"), 0, NULL);
    if (view_open(&s->idle.view, kit_path("view-idle"), 1 << 30, false, &err) ||
        view_reader_open(&s->idle.reader, s->idle.view, &err))
        fail_msg("%s", err.msg);
    s->loader = view_loader(s->idle.reader);
    if (view_reader_refresh(s->idle.reader, &err) ||
        engine_create(&s->idle.engine, &s->loader, 1 << 20, &err))
        fail_msg("%s", err.msg);
    view_reader_rest(s->idle.reader);
    clock_init(&s->clock, 0, NULL);
    struct writer_options o = {.dir = kit_root, .clock = &s->clock, .debt_max = 1000, .done = idle};
    if (writer_start(&s->writer, &s->idle, &o, &err))
        fail_msg("%s", err.msg);
}

static void load_kinds(struct stand *s)
{
    struct err err = {0};
    char path[512];
    size_t n;
    snprintf(path, sizeof path, "%s/config/kinds.csv",
             getenv("WAGEWARN_SOURCE") ? getenv("WAGEWARN_SOURCE") : ".");
    uint8_t *text = kit_file_read(path, &n);
    if (kinds_parse(&s->kinds, path, (struct slice){(char *)text, n}, &err))
        fail_msg("%s", err.msg);
    free(text);
    const struct tree *settings = world_settings(&s->world.arena, NULL);
    s->catalog = (struct query_catalog){s->kinds, tree_get(settings, "rules"), SLICE("\x01\xff"), false};
}

static int setup(void **state)
{
    struct stand *s = mem_zalloc(sizeof *s);
    struct err err = {0};
    if (kit_setup(state))
        return -1;
    sem_init(&s->word, 0, 0);
    fill_view(s);
    start_writer(s);
    load_kinds(s);
    struct query_options o = {
        .view = s->view, .writer = s->writer, .dict = engine_dict(s->world.engine), .done = done, .arg = s};
    if (query_start(&s->queries, &o, &err))
        fail_msg("%s", err.msg);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stand *s = *state;
    query_stop(s->queries);
    writer_stop(s->writer);
    engine_destroy(s->idle.engine);
    view_reader_close(s->idle.reader);
    view_close(s->idle.view);
    journal_close(s->idle.journal);
    world_finish(&s->world);
    view_close(s->view);
    kinds_destroy(s->kinds);
    sem_destroy(&s->word);
    free(s);
    return kit_teardown(state);
}

/* ---- asking ---- */

struct param {
    const char *key, *text;
    int64_t number;
    bool yes;
};

#define TEXT(k, v)                                                                                           \
    {                                                                                                        \
        .key = (k), .text = (v)                                                                              \
    }
#define NUMBER(k, v)                                                                                         \
    {                                                                                                        \
        .key = (k), .number = (v)                                                                            \
    }
#define YES(k)                                                                                               \
    {                                                                                                        \
        .key = (k), .yes = true                                                                              \
    }
#define ASK(s, what, ...)                                                                                    \
    ask((s), (what), (const char *)NULL, (const struct param[]){__VA_ARGS__, {.key = NULL}})

static const struct query_feed feeds[] = {{{"tax", 3}, 1000, 0, 7, 3, 1, 2}};
static const struct query_subscriber subscribers[] = {{{"team-a", 6}, 4, 10, 2}};
static const char *const problems[] = {"something is wrong"};
static const struct query_status status = {.ready = true,
                                           .uptime_ms = 12,
                                           .journal_last = 99,
                                           .journal_bytes = 1234,
                                           .free_ppm = 500000,
                                           .n_feeds = 1,
                                           .feeds = feeds,
                                           .n_subscribers = 1,
                                           .subscribers = subscribers,
                                           .n_problems = 1,
                                           .problems = problems};

static void give_back(struct stand *s)
{
    if (s->q)
        query_give_back(s->queries, s->q);
    s->q = NULL;
}

static const struct ww_value *decode(struct stand *s, const struct buf *b)
{
    struct err err;
    const struct ww_value *v = NULL;
    if (codec_body((struct slice){(const char *)b->p, b->n}, &s->q->arena, &v, &err))
        fail_msg("%s", err.msg);
    return v;
}

/* The body of the answer, valid until the next question; NULL: refused, see s->q. region NULL: sees
 * everything. */
static const struct ww_value *ask(struct stand *s, const char *what, const char *region,
                                  const struct param *params)
{
    struct buf b = {0};
    give_back(s);
    s->q = query_create(s->queries);
    struct enc_open m = enc_map_open(&b);
    for (; params && params->key; params++) {
        if (params->text)
            enc_kv_str(&m, params->key, params->text);
        else if (params->yes)
            enc_kv_bool(&m, params->key, true);
        else
            enc_kv_int(&m, params->key, params->number);
    }
    enc_close(&m);
    s->q->params = decode(s, &b);
    buf_finish(&b);
    s->q->what = slice_of(what);
    s->q->rid = 5;
    s->q->has_rid = true;
    s->q->now = DAY(10);
    s->q->status = &status;
    s->q->catalog = &s->catalog;
    if (region) {
        region_t *r = arena_alloc(&s->q->arena, sizeof *r);
        *r = region_of(slice_of(region));
        s->q->regions = r;
        s->q->n_regions = 1;
    }
    assert_true(query_submit(s->queries, s->q));
    sem_wait(&s->word);
    assert_ptr_equal(query_finished(s->queries), s->q);
    return s->q->error ? NULL : decode(s, &s->q->body);
}

static uint64_t num(const struct ww_value *map, const char *key)
{
    assert_non_null(ww_get(map, key));
    return ww_uint(ww_get(map, key), UINT64_MAX);
}

static const char *text(const struct ww_value *map, const char *key)
{
    return ww_str(ww_get(map, key), "");
}

static void refused(struct stand *s, const struct ww_value *answer, enum wire_error code)
{
    assert_null(answer);
    assert_int_equal(s->q->error, code);
    assert_non_null(s->q->sentence);
    assert_int_equal(s->q->body.n, 0);
}

/* ---- alerts ---- */

static void alerts_open_and_actual(void **state)
{
    struct stand *s = *state;
    const struct ww_value *a = ASK(s, "alerts", {.key = NULL}), *list = ww_get(a, "alerts"), *item;
    assert_int_equal(num(a, "rid"), 5);
    assert_string_equal(text(a, "what"), "alerts");
    assert_int_equal(num(a, "as_of"), s->world.number);
    assert_null(ww_get(a, "next"));
    assert_int_equal(ww_length(list), 2);
    item = ww_at(list, 0);
    assert_string_equal(text(item, "state"), "open");
    assert_string_equal(text(item, "level"), "major");
    assert_int_equal(num(item, "version"), 1);
    assert_int_equal(num(item, "raised_at"), DAY(3));
    assert_string_equal(text(item, "title"), "三个部门同时预警");
    assert_int_equal(ww_type(ww_get(item, "due")), WW_NIL);
    assert_int_equal(ww_type(ww_get(item, "teams")), WW_LIST);
    const struct ww_value *e = ww_get(item, "enterprise");
    assert_string_equal(text(e, "uscc"), CODE_A);
    assert_string_equal(text(e, "name"), "甲建设有限公司");
    assert_string_equal(text(e, "region"), "330482");
    assert_string_equal(text(e, "industry"), "E47");
    assert_string_equal(text(ww_get(ww_at(list, 1), "enterprise"), "uscc"), CODE_B);
}

static void alerts_filtered(void **state)
{
    struct stand *s = *state;
    assert_int_equal(ww_length(ww_get(ASK(s, "alerts", TEXT("level", "major")), "alerts")), 2);
    assert_int_equal(ww_length(ww_get(ASK(s, "alerts", TEXT("level", "critical")), "alerts")), 0);
    assert_int_equal(ww_length(ww_get(ASK(s, "alerts", TEXT("region", "3301")), "alerts")), 1);
    assert_int_equal(ww_length(ww_get(ASK(s, "alerts", TEXT("region", "330402")), "alerts")),
                     1); /* a place of work */
    assert_int_equal(ww_length(ww_get(ASK(s, "alerts", TEXT("state", "closed")), "alerts")), 0);
    assert_int_equal(ww_length(ww_get(ASK(s, "alerts", TEXT("state", "any")), "alerts")), 2);
    assert_int_equal(ww_length(ww_get(ASK(s, "alerts", YES("overdue")), "alerts")), 0);
    const struct ww_value *list = ww_get(ASK(s, "alerts", TEXT("status", "exercise")), "alerts");
    assert_int_equal(ww_length(list), 1);
    assert_string_equal(text(ww_at(list, 0), "status"), "exercise");
}

static void alerts_in_pages(void **state)
{
    struct stand *s = *state;
    const struct ww_value *a = ASK(s, "alerts", NUMBER("limit", 1));
    assert_int_equal(ww_length(ww_get(a, "alerts")), 1);
    uint64_t next = num(a, "next");
    assert_int_equal(next, num(ww_at(ww_get(a, "alerts"), 0), "alert"));
    a = ASK(s, "alerts", NUMBER("limit", 1), NUMBER("after", (int64_t)next));
    assert_int_equal(ww_length(ww_get(a, "alerts")), 1);
    assert_true(num(ww_at(ww_get(a, "alerts"), 0), "alert") > next);
    assert_null(ww_get(a, "next")); /* nothing follows that would pass */
}

static void alerts_of_others_are_not_there(void **state)
{
    struct stand *s = *state;
    const struct ww_value *list = ww_get(ask(s, "alerts", "3304", NULL), "alerts");
    assert_int_equal(ww_length(list), 1);
    assert_string_equal(text(ww_get(ww_at(list, 0), "enterprise"), "uscc"), CODE_A);
    assert_int_equal(ww_length(ww_get(ask(s, "alerts", "44", NULL), "alerts")), 0);
    const struct param any[] = {TEXT("state", "any"), TEXT("region", "3301"), {.key = NULL}};
    assert_int_equal(ww_length(ww_get(ask(s, "alerts", "3304", any), "alerts")), 0);
}

static void wrong_words_are_named(void **state)
{
    struct stand *s = *state;
    const struct param wrong[] = {TEXT("state", "asleep"), TEXT("level", "red"), TEXT("region", "x"),
                                  TEXT("region", ""),      NUMBER("level", 1),   TEXT("limit", "10"),
                                  NUMBER("limit", 0),      NUMBER("limit", -1),  TEXT("after", "1"),
                                  TEXT("status", "real"),  NUMBER("overdue", 1)};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        refused(s, ASK(s, "alerts", wrong[i]), WIRE_ERROR_BAD_FIELD);
        assert_non_null(strstr(s->q->sentence, wrong[i].key));
    }
}

/* ---- one alert ---- */

static void an_alert_with_its_grounds(void **state)
{
    struct stand *s = *state;
    const struct ww_value *list = ww_get(ASK(s, "alerts", {.key = NULL}), "alerts");
    int64_t number = (int64_t)num(ww_at(list, 0), "alert");
    const struct ww_value *a = ww_get(ASK(s, "alert", NUMBER("alert", number)), "alert");
    assert_int_equal(num(a, "alert"), number);
    assert_int_equal(ww_length(ww_get(a, "reasons")), 1);
    const struct ww_value *reason = ww_at(ww_get(a, "reasons"), 0);
    assert_string_equal(text(reason, "rule"), "three-agencies");
    assert_string_equal(text(reason, "title"), "三个部门同时预警");
    assert_string_equal(text(reason, "level"), "major");
    assert_int_equal(num(reason, "signals_total"), 3);
    assert_int_equal(ww_length(ww_get(reason, "signals")), 3);
    const struct ww_value *evidence = ww_get(a, "evidence");
    assert_int_equal(ww_length(evidence), 3);
    uint64_t shares = 0;
    for (size_t i = 0; i < 3; i++)
        shares += num(ww_at(evidence, i), "share");
    assert_in_range(shares, 999990, 1000001);
    assert_string_equal(text(ww_at(evidence, 0), "agency"), text(ww_at(evidence, 0), "source"));
    assert_int_equal(ww_length(ww_get(a, "history")), 1);
    assert_string_equal(text(ww_at(ww_get(a, "history"), 0), "type"), "raised");
    assert_int_equal(num(ww_at(ww_get(a, "history"), 0), "seq"), (uint64_t)number);
}

static void an_alert_that_may_not_be_seen_is_none(void **state)
{
    struct stand *s = *state;
    refused(s, ASK(s, "alert", {.key = NULL}), WIRE_ERROR_MISSING_FIELD);
    refused(s, ASK(s, "alert", TEXT("alert", "1")), WIRE_ERROR_BAD_FIELD);
    refused(s, ASK(s, "alert", NUMBER("alert", 4711)), WIRE_ERROR_NO_SUCH_ALERT);
    const struct param first[] = {NUMBER("alert", 1), {.key = NULL}};
    assert_non_null(ask(s, "alert", "330402", first));
    refused(s, ask(s, "alert", "3301", first), WIRE_ERROR_NO_SUCH_ALERT);
}

/* ---- enterprises ---- */

static void an_enterprise_by_code_and_by_name(void **state)
{
    struct stand *s = *state;
    const struct param how[] = {TEXT("uscc", CODE_A), TEXT("name", "甲建设有限公司"),
                                TEXT("name", " 甲建设有限公司 ")};
    for (size_t i = 0; i < ARRAY_LEN(how); i++) {
        const struct ww_value *e = ww_get(ASK(s, "enterprise", how[i]), "enterprise");
        assert_string_equal(text(e, "uscc"), CODE_A);
        assert_string_equal(text(e, "region"), "330482");
        assert_string_equal(text(e, "credit"), "B");
        assert_string_equal(text(e, "level"), "major");
        assert_int_equal(num(e, "alert"), 1);
        assert_int_equal(ww_length(ww_get(e, "places")), 3);
        assert_int_equal(ww_length(ww_get(e, "signals")), 4);
        const struct ww_value *oldest =
            ww_at(ww_get(e, "signals"), 2); /* newest first; the profile is the last */
        assert_string_equal(text(oldest, "id"), "t1");
        assert_string_equal(text(oldest, "kind"), "tax.arrears");
        assert_string_equal(text(oldest, "region"), "330482001");
        assert_int_equal(num(oldest, "amount"), 500);
        assert_int_equal(ww_type(ww_get(oldest, "people")), WW_NIL);
        uint64_t shares = 0;
        for (size_t k = 0; k < 4; k++)
            shares += num(ww_at(ww_get(e, "signals"), k), "share");
        assert_in_range(shares, 999990, 1000000);
        assert_int_equal(num(ww_at(ww_get(e, "signals"), 3), "share"), 0); /* a profile weighs nothing */
    }
}

static void an_enterprise_known_by_name_only(void **state)
{
    struct stand *s = *state;
    const struct ww_value *e = ww_get(ASK(s, "enterprise", TEXT("name", "乙餐饮店")), "enterprise");
    assert_string_equal(text(e, "name"), "乙餐饮店");
    assert_int_equal(ww_type(ww_get(e, "uscc")), WW_NIL);
    assert_int_equal(ww_type(ww_get(e, "alert")), WW_NIL);
}

static void enterprises_refused(void **state)
{
    struct stand *s = *state;
    refused(s, ASK(s, "enterprise", {.key = NULL}), WIRE_ERROR_MISSING_FIELD);
    refused(s, ASK(s, "enterprise", TEXT("uscc", "91350100M000100Y44")), WIRE_ERROR_BAD_FIELD);
    refused(s, ASK(s, "enterprise", TEXT("name", "没有这一家")), WIRE_ERROR_NO_SUCH_ENTERPRISE);
    refused(s, ASK(s, "enterprise", TEXT("name", "  ")), WIRE_ERROR_BAD_FIELD);
    const struct param b[] = {TEXT("uscc", CODE_B), {.key = NULL}};
    refused(s, ask(s, "enterprise", "3304", b), WIRE_ERROR_NO_SUCH_ENTERPRISE);
    assert_non_null(ask(s, "enterprise", "33010", b));
    const struct param exercise[] = {TEXT("uscc", CODE_A), TEXT("status", "exercise"), {.key = NULL}};
    refused(s, ask(s, "enterprise", NULL, exercise), WIRE_ERROR_NO_SUCH_ENTERPRISE);
}

static void signals_in_pages_blocks_and_all(void **state)
{
    struct stand *s = *state;
    uint64_t after = 0, total = 0, cleared = 0, cancelled = 0, pages = 0;
    for (bool more = true; more; pages++) {
        const struct ww_value *a =
            ASK(s, "signals", TEXT("uscc", CODE_C), NUMBER("limit", 15), NUMBER("after", (int64_t)after));
        const struct ww_value *list = ww_get(a, "signals");
        for (size_t i = 0; i < ww_length(list); i++) {
            const struct ww_value *sig = ww_at(list, i);
            assert_true(num(sig, "seq") > after);
            after = num(sig, "seq");
            bool is_cleared;
            assert_int_equal(val_bool(sig, "cleared", &is_cleared), 1);
            cleared += is_cleared;
            assert_int_equal(val_bool(sig, "cancelled", &is_cleared), 1);
            cancelled += is_cleared;
            total++;
        }
        more = ww_get(a, "next") != NULL;
        assert_true(!more || num(a, "next") == after);
    }
    assert_int_equal(pages, 3);
    assert_int_equal(total, 41);   /* what cancels is no signal of its own */
    assert_int_equal(cleared, 31); /* at day -300 to -270 */
    assert_int_equal(cancelled, 1);
}

/* ---- the plain ones ---- */

static void status_says_how_it_stands(void **state)
{
    struct stand *s = *state;
    const struct ww_value *a = ASK(s, "status", {.key = NULL});
    assert_string_equal(text(a, "version"), WW_VERSION);
    assert_int_equal(strlen(text(a, "store")), 2 * STORE_ID_LEN);
    char first[3];
    snprintf(first, sizeof first, "%02x", writer_store_id(s->writer)[0]);
    assert_memory_equal(text(a, "store"), first, 2);
    assert_int_equal(num(ww_get(a, "journal"), "last"), 99);
    assert_int_equal(num(ww_get(a, "disk"), "free_ppm"), 500000);
    assert_int_equal(num(a, "enterprises"), 4); /* the exercise is none */
    const struct ww_value *levels = ww_get(a, "alerts");
    assert_int_equal(ww_length(levels), 3);
    assert_string_equal(text(ww_at(levels, 0), "level"), "critical");
    assert_int_equal(num(ww_at(levels, 0), "open"), 0);
    assert_int_equal(ww_type(ww_get(ww_at(levels, 0), "oldest_at")), WW_NIL);
    assert_int_equal(num(ww_at(levels, 1), "open"), 2);
    assert_int_equal(num(ww_at(levels, 1), "oldest_at"), DAY(3));
    assert_string_equal(text(ww_at(ww_get(a, "feeds"), 0), "source"), "tax");
    assert_int_equal(num(ww_at(ww_get(a, "feeds"), 0), "today"), 3);
    assert_int_equal(num(ww_at(ww_get(a, "subscribers"), 0), "lag"), 2);
    assert_string_equal(ww_str(ww_at(ww_get(a, "problems"), 0), ""), "something is wrong");
    /* counts are of what the asker may see */
    a = ask(s, "status", "3301", NULL);
    assert_int_equal(num(ww_at(ww_get(a, "alerts"), 1), "open"), 1);
    assert_int_equal(ww_length(ww_get(ASK(s, "feeds", {.key = NULL}), "feeds")), 1);
}

static void kinds_and_rules(void **state)
{
    struct stand *s = *state;
    const struct ww_value *list = ww_get(ASK(s, "kinds", {.key = NULL}), "kinds");
    assert_int_equal(ww_length(list), kinds_count(s->kinds));
    const struct ww_value *settled = ww_at(list, 6);
    assert_string_equal(text(settled, "kind"), "tax.settled");
    assert_int_equal(ww_length(ww_get(settled, "clears")), 2);
    assert_int_equal(num(ww_at(list, 0), "weight"), 100000);
    const struct ww_value *rules = ASK(s, "rules", {.key = NULL});
    assert_string_equal(text(rules, "hash"), "01ff");
    const struct ww_value *rule = ww_at(ww_get(rules, "rules"), 0);
    assert_string_equal(text(rule, "id"), "three-agencies");
    assert_string_equal(text(ww_get(rule, "title"), "en"), "Three agencies");
    assert_int_equal(num(ww_get(ww_get(rule, "when"), "agencies"), "at_least"), 3);
    assert_string_equal(text(ww_get(rule, "then"), "raise"), "major");
}

static void what_is_asked_for(void **state)
{
    struct stand *s = *state;
    refused(s, ASK(s, "weather", {.key = NULL}), WIRE_ERROR_UNKNOWN_QUERY);
    refused(s, ASK(s, "", {.key = NULL}), WIRE_ERROR_UNKNOWN_QUERY);
    refused(s, ask(s, NULL, NULL, NULL), WIRE_ERROR_MISSING_FIELD);
}

/* ---- the queue ---- */

static void in_their_order_and_not_too_many(void **state)
{
    struct stand *s = *state;
    size_t taken = 0, answered = 0;
    bool full = false;
    for (uint64_t i = 0; i < 10 * QUERY_PENDING_MAX && !full; i++) {
        struct query *q = query_create(s->queries);
        q->what = SLICE("weather");
        q->rid = i;
        full = !query_submit(s->queries, q);
        if (full)
            query_give_back(s->queries, q);
        taken += !full;
    }
    while (answered < taken) {
        struct query *q = query_finished(s->queries);
        if (!q) {
            sem_wait(&s->word);
            continue;
        }
        assert_int_equal(q->rid, answered++);
        query_give_back(s->queries, q);
    }
    while (sem_trywait(&s->word) == 0) {
    }
    /* some that nobody takes: query_stop frees them */
    for (int i = 0; i < 10; i++) {
        struct query *q = query_create(s->queries);
        q->what = SLICE("weather");
        assert_true(query_submit(s->queries, q));
    }
}

static int forget(void **state)
{
    give_back(*state);
    return 0;
}

#define STORY(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(alerts_open_and_actual),
        STORY(alerts_filtered),
        STORY(alerts_in_pages),
        STORY(alerts_of_others_are_not_there),
        STORY(wrong_words_are_named),
        STORY(an_alert_with_its_grounds),
        STORY(an_alert_that_may_not_be_seen_is_none),
        STORY(an_enterprise_by_code_and_by_name),
        STORY(an_enterprise_known_by_name_only),
        STORY(enterprises_refused),
        STORY(signals_in_pages_blocks_and_all),
        STORY(status_says_how_it_stands),
        STORY(kinds_and_rules),
        STORY(what_is_asked_for),
        STORY(in_their_order_and_not_too_many),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
