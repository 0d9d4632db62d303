/* SPDX-License-Identifier: Apache-2.0 */
/* lib/codec: bodies there and back; batches as good and as bad as clients make them. */
#include "lib/codec.h"

#include "test.h"

#include <stdlib.h>

static struct arena arena;
static struct buf buf;
static struct err err;

static struct slice bytes(void)
{
    return (struct slice){(const char *)buf.p, buf.n};
}

static void add(const char *raw, size_t n)
{
    buf_put(&buf, raw, n);
}

static int fresh(void **state)
{
    (void)state;
    buf_reset(&buf);
    arena_reset(&arena);
    err = (struct err){.msg = ""};
    return 0;
}

/* ---- any body ---- */

static const struct ww_value *body(void)
{
    const struct ww_value *v = NULL;
    int rc = codec_body(bytes(), &arena, &v, &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(rc, 0);
    return v;
}

static void a_body_of_everything(void **state)
{
    (void)state;
    enc_map(&buf, 9);
    enc_str(&buf, "nil");
    enc_nil(&buf);
    enc_str(&buf, "yes");
    enc_bool(&buf, true);
    enc_str(&buf, "no");
    enc_bool(&buf, false);
    enc_str(&buf, "low");
    enc_int(&buf, INT64_MIN);
    enc_str(&buf, "high");
    enc_int(&buf, INT64_MAX);
    enc_str(&buf, "huge");
    enc_uint(&buf, UINT64_MAX);
    enc_str(&buf, "text");
    enc_slice(&buf, (struct slice){"a\0平湖", 8});
    enc_str(&buf, "list");
    enc_list(&buf, 3);
    enc_int(&buf, 1);
    enc_list(&buf, 0);
    enc_map(&buf, 0);
    enc_str(&buf, "");
    enc_uint(&buf, 7);

    const struct ww_value *v = body();
    struct slice text;
    assert_int_equal(ww_length(v), 9);
    assert_int_equal(ww_type(ww_get(v, "nil")), WW_NIL);
    assert_true(ww_get(v, "yes")->b);
    assert_false(ww_get(v, "no")->b);
    assert_true(ww_int(ww_get(v, "low"), 0) == INT64_MIN);
    assert_true(ww_int(ww_get(v, "high"), 0) == INT64_MAX);
    assert_int_equal(ww_type(ww_get(v, "huge")), WW_UINT);
    assert_true(ww_uint(ww_get(v, "huge"), 0) == UINT64_MAX);
    assert_int_equal(val_str(v, "text", &text), 1);
    assert_true(slice_eq(text, (struct slice){"a\0平湖", 8}));
    assert_int_equal(ww_type(ww_at(ww_get(v, "list"), 2)), WW_MAP);
    assert_int_equal(ww_int(ww_get(v, ""), 0), 7);

    struct buf again = {0};
    enc_value(&again, v);
    assert_int_equal(again.n, buf.n);
    assert_memory_equal(again.p, buf.p, buf.n);
    buf_finish(&again);
}

static void no_word_for_it(void **state)
{
    (void)state;
    static const char raw[] = "\x83\xa1"
                              "f\xca\x3f\x80\x00\x00\xa1"
                              "b\xc4\x01x\xa1"
                              "m\x82\x01\x02\xa1k\x05";
    add(raw, sizeof raw - 1);
    const struct ww_value *v = body();
    int64_t i = 0;
    struct slice s;
    assert_int_equal(val_int(v, "f", &i), -1);
    assert_int_equal(val_str(v, "b", &s), -1);
    /* A key that is no text cannot be asked for. */
    assert_int_equal(ww_length(ww_get(v, "m")), 1);
    assert_int_equal(ww_int(ww_get(ww_get(v, "m"), "k"), 0), 5);
}

static void bad_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        size_t n;
        const char *sentence;
    } t[] = {
        {"", 0, "the body is no msgpack map"},
        {"\x90", 1, "the body is no msgpack map"},
        {"\x80\x80", 2, "bytes follow the body's map"},
        {"\x82\xa1k\x01\xa1k\x01", 7, "a key is twice in the body"},
        {"\x81\xa1k\xdd\xff\xff\xff\xff", 8, "the body is malformed msgpack or ends too soon"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        const struct ww_value *v;
        assert_int_equal(codec_body((struct slice){t[i].raw, t[i].n}, &arena, &v, &err), WW_EINPUT);
        assert_string_equal(err.msg, t[i].sentence);
    }
}

/* More keys than are compared one by one. */
static void twice_among_many(void **state)
{
    (void)state;
    const struct ww_value *v;
    char key[16];
    enc_map(&buf, 1000);
    for (int i = 0; i < 999; i++) {
        snprintf(key, sizeof key, "key%d", i);
        enc_str(&buf, key);
        enc_int(&buf, i);
    }
    size_t before = buf.n;
    enc_str(&buf, "another");
    enc_int(&buf, 0);
    assert_string_equal(ww_key(body(), 999), "another"); /* the order stays */
    buf.n = before;
    enc_str(&buf, "key500");
    enc_int(&buf, 0);
    assert_int_equal(codec_body(bytes(), &arena, &v, &err), WW_EINPUT);
}

static void open_containers(void **state)
{
    (void)state;
    struct enc_open o = enc_map_open(&buf);
    enc_kv_int(&o, "i", -3);
    enc_kv_uint(&o, "u", UINT64_MAX);
    enc_kv_bool(&o, "b", true);
    enc_kv_str(&o, "s", "text");
    enc_kv_str(&o, "none", NULL);
    enc_kv_slice(&o, "empty", SLICE(""));
    enc_kv_slice(&o, "none", (struct slice){0});
    enc_key(&o, "list");
    struct enc_open list = enc_list_open(&buf);
    for (int i = 0; i < 300; i++) {
        enc_item(&list);
        enc_int(&buf, i);
    }
    enc_close(&list);
    enc_close(&o);
    const struct ww_value *v = body();
    assert_int_equal(ww_length(v), 6);
    assert_int_equal(ww_int(ww_get(v, "i"), 0), -3);
    assert_string_equal(ww_str(ww_get(v, "empty"), "x"), "");
    assert_int_equal(ww_length(ww_get(v, "list")), 300);
    assert_int_equal(ww_int(ww_at(ww_get(v, "list"), 299), 0), 299);
}

/* ---- signals ---- */

static struct signals_body got;
static char *message;

/* Decodes a copy that ends where the bytes end, so that the sanitizer sees a read beyond them. */
static int decode(size_t max_batch)
{
    free(message);
    message = malloc(buf.n ? buf.n : 1);
    assert_non_null(message);
    memcpy(message, buf.p, buf.n);
    err = (struct err){.msg = ""};
    return codec_signals((struct slice){message, buf.n}, max_batch, &arena, &got, &err);
}

/* {rid: 7, batch: [n signals, which the caller puts next]} */
static void begin_batch(size_t n)
{
    fresh(NULL);
    enc_map(&buf, 2);
    enc_str(&buf, "rid");
    enc_uint(&buf, 7);
    enc_str(&buf, "batch");
    enc_list(&buf, n);
}

static const struct signal_in *one(void)
{
    int rc = decode(10);
    assert_string_equal(err.msg, "");
    assert_int_equal(rc, 0);
    assert_true(got.has_rid && got.rid == 7);
    assert_int_equal(got.n, 1);
    return &got.batch[0];
}

static void expect_reject(enum reject_code code, const char *field)
{
    const struct signal_in *in = one();
    if (in->why.code != code ||
        (field ? !in->why.field || strcmp(in->why.field, field) != 0 : in->why.field != NULL))
        fail_msg("%s %s, not %s %s", in->why.code ? reject_wire(in->why.code) : "taken",
                 in->why.field ? in->why.field : "", reject_wire(code), field ? field : "");
    assert_non_null(in->why.what);
}

static void a_signal_of_everything(void **state)
{
    (void)state;
    const struct ww_attr attrs[] = {{"credit", "A", 0}, {"headcount", NULL, 85}, {"payroll", NULL, -1}};
    const struct ww_signal s = {
        .id = "tax-1",
        .kind = "tax.arrears",
        .at = 1764432000000,
        .uscc = "91350100M000100Y43",
        .name = "平湖市示例纺织有限公司",
        .region = "330482001",
        .industry = "C1711",
        .amount = 0,
        .people = 85,
        .since = 1764000000000,
        .project = "p-9",
        .role = "general",
        .owner = "0123456789abcdef0123456789abcdef",
        .status = "exercise",
        .ref = "平税风〔2026〕00101号",
        .note = "note",
        .cancels = "tax-0",
        .attrs = attrs,
        .n_attrs = 3,
    };
    codec_put_signals(&buf, 7, &s, 1);
    const struct signal *d = &one()->sig;
    assert_int_equal(got.batch[0].why.code, REJECT_NONE);
    assert_true(slice_is(d->id, s.id) && slice_is(d->kind, s.kind) && slice_is(d->uscc, s.uscc));
    assert_true(slice_is(d->name, s.name) && slice_is(d->region, s.region) &&
                slice_is(d->industry, s.industry));
    assert_true(slice_is(d->project, s.project) && slice_is(d->owner, s.owner) && slice_is(d->ref, s.ref));
    assert_true(slice_is(d->note, s.note) && slice_is(d->cancels, s.cancels));
    assert_true(d->at == s.at && d->amount == 0 && d->people == 85 && d->since == s.since);
    assert_int_equal(d->role, ROLE_GENERAL);
    assert_int_equal(d->status, STATUS_EXERCISE);
    assert_int_equal(d->n_attrs, 3);
    assert_true(slice_is(d->attrs[0].key, "credit") && slice_is(d->attrs[0].text, "A"));
    assert_true(slice_is(d->attrs[1].key, "headcount") && !d->attrs[1].text.p && d->attrs[1].number == 85);
    assert_true(d->attrs[2].number == -1);
}

static void absent_is_absent(void **state)
{
    (void)state;
    const struct ww_signal s[2] = {WW_SIGNAL_INIT, {.id = "", .at = 5, .amount = WW_ABSENT, .people = 0}};
    codec_put_signals(&buf, 7, s, 2);
    assert_int_equal(decode(2), 0);
    const struct signal *none = &got.batch[0].sig, *some = &got.batch[1].sig;
    assert_null(none->id.p);
    assert_null(none->kind.p);
    assert_null(none->cancels.p);
    assert_true(none->at == NO_INT && none->amount == NO_INT && none->people == NO_INT &&
                none->since == NO_INT);
    assert_int_equal(none->role, ROLE_NONE);
    assert_int_equal(none->status, STATUS_ACTUAL);
    assert_int_equal(none->n_attrs, 0);
    assert_true(some->id.p && some->id.n == 0); /* given, and empty */
    assert_true(some->at == 5 && some->amount == NO_INT && some->people == 0 && some->since == 0);
}

/* Each known key with a value of a type that it cannot be. */
static void wrong_types(void **state)
{
    (void)state;
    static const char *const texts[] = {"id",   "kind",  "uscc",   "name", "region", "industry", "project",
                                        "role", "owner", "status", "ref",  "note",   "cancels"};
    static const char *const numbers[] = {"at", "amount", "people", "since"};
    static const struct {
        const char *raw;
        size_t n;
    } no_texts[] = {{"\x01", 1},      {"\xc0", 1},          {"\xc4\x01x", 3},
                    {"\x91\xa1x", 3}, {"\x81\xa1k\x01", 4}, {"\xc3", 1}},
      no_numbers[] = {{"\xa1"
                       "5",
                       2},
                      {"\xc0", 1},
                      {"\xca\x3f\x80\x00\x00", 5},
                      {"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 9},
                      {"\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 9},
                      {"\x90", 1},
                      {"\xc3", 1},
                      {"\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x00", 10}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t k = 0; k < ARRAY_LEN(no_texts); k++) {
            begin_batch(1);
            enc_map(&buf, 1);
            enc_str(&buf, texts[i]);
            add(no_texts[k].raw, no_texts[k].n);
            expect_reject(REJECT_BAD_FIELD, texts[i]);
        }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        for (size_t k = 0; k < ARRAY_LEN(no_numbers); k++) {
            begin_batch(1);
            enc_map(&buf, 1);
            enc_str(&buf, numbers[i]);
            add(no_numbers[k].raw, no_numbers[k].n);
            expect_reject(REJECT_BAD_FIELD, numbers[i]);
        }
}

static void every_form_of_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        size_t n;
        int64_t want;
    } t[] = {
        {"\x05", 1, 5},
        {"\xcc\x05", 2, 5},
        {"\xcd\x00\x05", 3, 5},
        {"\xce\x00\x00\x00\x05", 5, 5},
        {"\xcf\x00\x00\x00\x00\x00\x00\x00\x05", 9, 5},
        {"\xd0\x05", 2, 5},
        {"\xd1\x00\x05", 3, 5},
        {"\xd2\x00\x00\x00\x05", 5, 5},
        {"\xd3\x00\x00\x00\x00\x00\x00\x00\x05", 9, 5},
        {"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, INT64_MAX},
        {"\xff", 1, -1},
        {"\xd1\xff\x38", 3, -200},
        /* the lowest of all means "not given" inside: it stays a number, as impossible as before */
        {"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9, INT64_MIN + 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        begin_batch(1);
        enc_map(&buf, 1);
        enc_str(&buf, "amount");
        add(t[i].raw, t[i].n);
        assert_true(one()->sig.amount == t[i].want);
        assert_int_equal(got.batch[0].why.code, REJECT_NONE);
    }
}

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *key, *word;
        int role, status; /* role -1: refused */
    } t[] = {
        {"role", "client", ROLE_CLIENT, 0},
        {"role", "labour", ROLE_LABOUR, 0},
        {"status", "actual", 0, STATUS_ACTUAL},
        {"status", "test", 0, STATUS_TEST},
        {"role", "boss", -1, 0},
        {"role", "", -1, 0},
        {"status", "Test", -1, 0},
        {"status", "", -1, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        begin_batch(1);
        enc_map(&buf, 1);
        enc_str(&buf, t[i].key);
        enc_str(&buf, t[i].word);
        if (t[i].role < 0) {
            expect_reject(REJECT_BAD_FIELD, t[i].key);
            continue;
        }
        assert_int_equal(one()->sig.role, t[i].role);
        assert_int_equal(got.batch[0].sig.status, t[i].status);
        assert_int_equal(got.batch[0].why.code, REJECT_NONE);
    }
}

static void keys_twice(void **state)
{
    (void)state;
    begin_batch(1);
    enc_map(&buf, 3);
    for (int i = 0; i < 2; i++) {
        enc_str(&buf, "ref");
        enc_str(&buf, "x");
    }
    enc_str(&buf, "id"); /* behind the fault: the client is told which signal it was */
    enc_str(&buf, "mine");
    expect_reject(REJECT_BAD_FIELD, "ref");
    assert_true(slice_is(got.batch[0].sig.id, "mine"));

    begin_batch(1);
    enc_map(&buf, 3);
    enc_str(&buf, "future");
    enc_list(&buf, 1);
    enc_map(&buf, 0);
    enc_str(&buf, "id");
    enc_str(&buf, "mine");
    enc_str(&buf, "future");
    enc_nil(&buf);
    expect_reject(REJECT_BAD_FIELD, NULL);

    begin_batch(1);
    enc_map(&buf, 1);
    enc_int(&buf, 5);
    enc_int(&buf, 6);
    expect_reject(REJECT_BAD_FIELD, NULL);
}

static void unknown_keys_are_ignored(void **state)
{
    (void)state;
    static const char *const keys[] = {"",      "i",          "ID",   "idx",
                                       "names", "industries", "uscd", "a longer key than any"};
    begin_batch(1);
    enc_map(&buf, ARRAY_LEN(keys) + 1);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        enc_str(&buf, keys[i]);
        add("\x82\x01\x91\xa1x\xc4\x01y\xca\x00\x00\x00\x00", 13);
    }
    enc_str(&buf, "id");
    enc_str(&buf, "mine");
    assert_true(slice_is(one()->sig.id, "mine"));
    assert_int_equal(got.batch[0].why.code, REJECT_NONE);
}

static void put_attrs(size_t n)
{
    char key[32];
    begin_batch(1);
    enc_map(&buf, 2);
    enc_str(&buf, "attrs");
    enc_map(&buf, n);
    for (size_t i = 0; i < n; i++) {
        snprintf(key, sizeof key, "a%zu", i);
        enc_str(&buf, key);
        enc_int(&buf, (int64_t)i);
    }
    enc_str(&buf, "id");
    enc_str(&buf, "mine");
}

static void attrs(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        size_t n;
    } bad[] = {
        {"\x90", 1},                          /* no map */
        {"\x81\x01\x02", 3},                  /* a key that is no text */
        {"\x81\xa1k\xc0", 4},                 /* neither text nor number */
        {"\x81\xa1k\xca\x00\x00\x00\x00", 8}, /* a float */
        {"\x81\xa1k\x91\x81\x01\x02", 7},     /* a list, and what is in it */
        {"\x82\xa1k\x01\xa1k\x02", 7},        /* a key twice */
        {"\x81\xa1k\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 12},
    };
    put_attrs(SIGNAL_ATTRS_MAX);
    assert_int_equal(one()->sig.n_attrs, SIGNAL_ATTRS_MAX);
    assert_int_equal(got.batch[0].sig.attrs[15].number, 15);
    assert_int_equal(got.batch[0].why.code, REJECT_NONE);
    put_attrs(SIGNAL_ATTRS_MAX + 1);
    expect_reject(REJECT_TOO_LARGE, "attrs");
    assert_true(slice_is(got.batch[0].sig.id, "mine"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        begin_batch(1);
        enc_map(&buf, 2);
        enc_str(&buf, "attrs");
        add(bad[i].raw, bad[i].n);
        enc_str(&buf, "id");
        enc_str(&buf, "mine");
        expect_reject(REJECT_BAD_FIELD, "attrs");
        assert_true(slice_is(got.batch[0].sig.id, "mine"));
    }
}

static void one_bad_signal_spoils_no_other(void **state)
{
    (void)state;
    begin_batch(4);
    enc_map(&buf, 1);
    enc_str(&buf, "id");
    enc_str(&buf, "first");
    enc_str(&buf, "no map");
    enc_list(&buf, 1);
    enc_map(&buf, 0);
    enc_map(&buf, 1);
    enc_str(&buf, "id");
    enc_str(&buf, "last");
    assert_int_equal(decode(4), 0);
    assert_true(slice_is(got.batch[0].sig.id, "first") && got.batch[0].why.code == REJECT_NONE);
    assert_int_equal(got.batch[1].why.code, REJECT_BAD_FIELD);
    assert_int_equal(got.batch[2].why.code, REJECT_BAD_FIELD);
    assert_true(slice_is(got.batch[3].sig.id, "last") && got.batch[3].why.code == REJECT_NONE);
}

static void errors_of_the_body(void **state)
{
    (void)state;
#define RID "\xa3rid"
#define BATCH                                                                                                \
    "\xa5"                                                                                                   \
    "batch"
#define RAW(lit) lit, sizeof(lit) - 1
    static const struct {
        const char *raw;
        size_t n;
        enum wire_error code;
        bool has_rid;
    } t[] = {
        {RAW("\x90"), WIRE_ERROR_BAD_MESSAGE, false},
        {RAW("\x82" RID "\x07" BATCH "\x91\x81\xa2id"), WIRE_ERROR_BAD_MESSAGE, false},
        {RAW("\x82" RID "\x07" BATCH "\x91\x81\xa2id\xc1"), WIRE_ERROR_BAD_MESSAGE, false},
        {RAW("\x82" RID "\x07" BATCH "\x90\x01"), WIRE_ERROR_BAD_MESSAGE, false},
        {RAW("\x83" RID "\x07" BATCH "\x90" BATCH "\x90"), WIRE_ERROR_BAD_MESSAGE, true},
        {RAW("\x84" RID "\x07" BATCH "\x90\xa1x\x01\xa1x\x01"), WIRE_ERROR_BAD_MESSAGE, true},
        {RAW("\x82" RID "\xff" BATCH "\x90"), WIRE_ERROR_BAD_FIELD, false},
        {RAW("\x82" RID "\xa1"
             "7" BATCH "\x90"),
         WIRE_ERROR_BAD_FIELD, false},
        {RAW("\x81" RID "\x07"), WIRE_ERROR_MISSING_FIELD, true},
        {RAW("\x80"), WIRE_ERROR_MISSING_FIELD, false},
        {RAW("\x82" RID "\x07" BATCH "\x80"), WIRE_ERROR_BAD_FIELD, true},
        {RAW("\x82" RID "\x07" BATCH "\xc0"), WIRE_ERROR_BAD_FIELD, true},
        {RAW("\x82" RID "\x07" BATCH "\x93\x80\x80\x80"), WIRE_ERROR_TOO_LARGE, true},
        {RAW("\x82" BATCH "\x93\x80\x80\x80" RID "\x07"), WIRE_ERROR_TOO_LARGE, true},
        {RAW("\x82" RID "\x07" BATCH "\x92\x80\x80"), WIRE_ERROR_NONE, true},
        {RAW("\x81" BATCH "\x90"), WIRE_ERROR_NONE, false},
        {RAW("\x82" BATCH "\x90"
             "\xa6"
             "future\x81\x01\x02"),
         WIRE_ERROR_NONE, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        fresh(NULL);
        add(t[i].raw, t[i].n);
        int rc = decode(2);
        if (rc != (int)t[i].code || got.has_rid != t[i].has_rid)
            fail_msg("case %zu: code %d, rid %d: %s", i, rc, got.has_rid, err.msg);
        assert_int_equal(rc != 0, err.msg[0] != 0);
        assert_true(!got.has_rid || got.rid == 7);
    }
}

/* A batch cut anywhere is malformed as a whole, and nothing is read beyond the cut. */
static void every_cut(void **state)
{
    (void)state;
    const struct ww_attr attr = {"k", "text", 0};
    const struct ww_signal s = {.id = "a",
                                .kind = "tax.arrears",
                                .at = 1764432000000,
                                .name = "平湖",
                                .people = 5,
                                .attrs = &attr,
                                .n_attrs = 1};
    codec_put_signals(&buf, 7, &s, 1);
    for (size_t whole = buf.n; buf.n; buf.n--)
        assert_int_equal(decode(2), buf.n == whole ? 0 : WIRE_ERROR_BAD_MESSAGE);
}

static void many_signals(void **state)
{
    (void)state;
    enum { N = 1000 };
    static struct ww_signal s[N];
    for (size_t i = 0; i < N; i++) {
        s[i] = (struct ww_signal)WW_SIGNAL_INIT;
        s[i].id = arena_printf(&arena, "id-%zu", i);
        s[i].at = (int64_t)i;
    }
    codec_put_signals(&buf, UINT64_MAX, s, N);
    assert_int_equal(decode(N), 0);
    assert_true(got.rid == UINT64_MAX);
    assert_int_equal(got.n, N);
    for (size_t i = 0; i < N; i++) {
        assert_true(slice_is(got.batch[i].sig.id, s[i].id));
        assert_int_equal(got.batch[i].sig.at, i);
    }
    assert_int_equal(decode(N - 1), WIRE_ERROR_TOO_LARGE);
    assert_string_equal(err.msg, "batch has 1000 signals; send at most 999 at a time");
}

static int finish(void **state)
{
    (void)state;
    free(message);
    buf_finish(&buf);
    arena_finish(&arena);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_body_of_everything),
        TEST(no_word_for_it),
        TEST(bad_bodies),
        TEST(twice_among_many),
        TEST(open_containers),
        TEST(a_signal_of_everything),
        TEST(absent_is_absent),
        TEST(wrong_types),
        TEST(every_form_of_a_number),
        TEST(words),
        TEST(keys_twice),
        TEST(unknown_keys_are_ignored),
        TEST(attrs),
        TEST(one_bad_signal_spoils_no_other),
        TEST(errors_of_the_body),
        TEST(every_cut),
        TEST(many_signals),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
