/* SPDX-License-Identifier: Apache-2.0 */
/* lib/kind: the shipped table, weights digit by digit, each mistake with its line. */
#include "lib/kind.h"

#include "files.h"

#define HEADER "kind,agency,zh,en,weight,half_life_days,repeat_window_days,clears,clue_of\n"

static struct arena arena;

static struct kinds *parse(const char *text)
{
    struct kinds *k;
    struct err err = {.msg = ""};
    int rc = kinds_parse(&k, "k.csv", slice_of(text), &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(rc, 0);
    return k;
}

static void shipped_table(void **state)
{
    (void)state;
    struct kinds *k;
    struct err err = {.msg = ""};
    assert_int_equal(kinds_parse(&k, "kinds.csv", test_file(&arena, "config/kinds.csv"), &err), 0);
    assert_string_equal(err.msg, "");
    assert_int_equal(kinds_count(k), 81);
    for (size_t i = 0; i < kinds_count(k); i++)
        assert_ptr_equal(kinds_find(k, slice_of(kinds_at(k, i)->name)), kinds_at(k, i));

    const struct kind *row = kinds_find(k, SLICE("court.seizure"));
    assert_non_null(row);
    assert_string_equal(row->agency, "court");
    assert_string_equal(row->zh, "资产被查封冻结扣押");
    assert_string_equal(row->en, "assets seized or frozen");
    assert_int_equal(row->weight_ppm, 350000);
    assert_int_equal(row->half_life_days, 180);
    assert_int_equal(row->repeat_window_days, 7);
    assert_string_equal(row->clears, "");
    assert_string_equal(row->clue, "cannot pay");

    row = kinds_find(k, SLICE("court.released"));
    assert_string_equal(row->clears, "court.seizure court.enforcement court.auction");
    assert_int_equal(row->weight_ppm, 0);
    assert_null(kinds_find(k, SLICE("court.seizur")));
    assert_null(kinds_find(k, SLICE("")));
    assert_null(kinds_find(k, (struct slice){0}));
    assert_string_equal(kinds_suggest(k, SLICE("court.siezure")), "court.seizure");
    assert_null(kinds_suggest(k, SLICE("weather.rain")));
    kinds_destroy(k);
}

static void weights(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t ppm;
    } t[] = {{"0", 0}, {"0.1", 100000}, {"0.10", 100000}, {"0.000001", 1}, {"0.999999", 999999}, {"0.0", 0}};
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct kinds *k = parse(arena_printf(&arena, "kind,weight,half_life_days\na.b,%s,30\n", t[i].text));
        assert_int_equal(kinds_at(k, 0)->weight_ppm, t[i].ppm);
        kinds_destroy(k);
    }
}

static void optional_columns(void **state)
{
    (void)state;
    struct kinds *k =
        parse("half_life_days,kind,weight,clears\r\n90,a.one,0.5,\r\n0,a.two,0,\" a.one  a.three \"\r\n"
              "1,a.three,0.1,");
    const struct kind *two = kinds_find(k, SLICE("a.two"));
    assert_int_equal(kinds_count(k), 3);
    assert_string_equal(two->clears, "a.one a.three");
    assert_string_equal(two->agency, "a");
    assert_string_equal(two->zh, "a.two");
    assert_string_equal(two->en, "a.two");
    assert_string_equal(two->clue, "");
    kinds_destroy(k);
}

#define NOT_A_WEIGHT "a probability from 0 to below 1 with at most 6 decimals, such as 0.25"
#define NOT_A_NAME   "agency.what: small letters, digits and _, at most 64 bytes"

static void mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } t[] = {
        {"", "k.csv:1: there is no column \"kind\""},
        {"kind,weight\n", "k.csv:1: there is no column \"half_life_days\""},
        {"kind,wieght,half_life_days\n", "k.csv:1: unknown column \"wieght\""},
        {"kind,kind\n", "k.csv:1: column \"kind\" is here twice"},
        {HEADER "a.b,a\n", "k.csv:2: 2 columns, but the first line has 9"},
        {HEADER "a.b,a,,,0.1,1,0,,\n\na.b,a,,,0.1,1,0,,\n", "k.csv:4: kind a.b is here twice"},
        {HEADER "ab,a,,,0.1,1,0,,\n", "k.csv:2: kind \"ab\" is not " NOT_A_NAME},
        {HEADER "a.,a,,,0.1,1,0,,\n", "k.csv:2: kind \"a.\" is not " NOT_A_NAME},
        {HEADER "a.b.c,a,,,0.1,1,0,,\n", "k.csv:2: kind \"a.b.c\" is not " NOT_A_NAME},
        {HEADER "A.b,A,,,0.1,1,0,,\n", "k.csv:2: kind \"A.b\" is not " NOT_A_NAME},
        {HEADER "a.b,b,,,0.1,1,0,,\n",
         "k.csv:2: agency of a.b is \"b\", but the kind's name begins with \"a\""},
        {HEADER "a.b,a,,,1,1,0,,\n", "k.csv:2: weight \"1\" is not " NOT_A_WEIGHT},
        {HEADER "a.b,a,,,-0.1,1,0,,\n", "k.csv:2: weight \"-0.1\" is not " NOT_A_WEIGHT},
        {HEADER "a.b,a,,,0.,1,0,,\n", "k.csv:2: weight \"0.\" is not " NOT_A_WEIGHT},
        {HEADER "a.b,a,,,.5,1,0,,\n", "k.csv:2: weight \".5\" is not " NOT_A_WEIGHT},
        {HEADER "a.b,a,,,0.1234567,1,0,,\n", "k.csv:2: weight \"0.1234567\" is not " NOT_A_WEIGHT},
        {HEADER "a.b,a,,,,1,0,,\n", "k.csv:2: weight \"\" is not " NOT_A_WEIGHT},
        {HEADER "a.b,a,,,0.1,0,0,,\n", "k.csv:2: a.b has a weight, so half_life_days must be above 0"},
        {HEADER "a.b,a,,,0.1,36501,0,,\n",
         "k.csv:2: half_life_days \"36501\" is not a whole number of days from 0 to 36500"},
        {HEADER "a.b,a,,,0.1,1,1.5,,\n",
         "k.csv:2: repeat_window_days \"1.5\" is not a whole number of days from 0 to 36500"},
        {HEADER "a.b,a,,,0,0,0,,\na.c,a,,,0,0,0,a.b a.x,\n",
         "k.csv:3: a.c clears \"a.x\", which is no kind of this table"},
        {HEADER "a.b,a,,,0,0,0,a.b,\n", "k.csv:2: a.b clears \"a.b\", which is itself"},
        {HEADER "a.b,a,,,0.5,1,0,a.c,\n", "k.csv:2: a.b clears other kinds, so its weight must be 0"},
        {HEADER "\"a.b,a\n", "k.csv:2: a quote that is opened here is never closed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct kinds *k;
        struct err err = {.msg = ""};
        assert_int_equal(kinds_parse(&k, "k.csv", slice_of(t[i].text), &err), WW_ECONFIG);
        assert_string_equal(err.msg, t[i].sentence);
        assert_null(k);
    }
    kinds_destroy(NULL);
}

/* Returns the text of n kinds. */
static struct slice many(size_t n)
{
    char *text = arena_alloc(&arena, 40 + n * 24), *p = text + sprintf(text, "kind,weight,half_life_days\n");
    for (size_t i = 0; i < n; i++)
        p += sprintf(p, "a.k%zu,0.1,1\n", i);
    return (struct slice){text, (size_t)(p - text)};
}

static void bound(void **state)
{
    (void)state;
    struct kinds *k;
    struct err err;
    assert_int_equal(kinds_parse(&k, "k.csv", many(KINDS_MAX), NULL), 0);
    for (size_t i = 0; i < KINDS_MAX; i++)
        assert_ptr_equal(kinds_find(k, slice_of(kinds_at(k, i)->name)), kinds_at(k, i));
    assert_null(kinds_find(k, SLICE("a.k1024")));
    kinds_destroy(k);
    assert_int_equal(kinds_parse(&k, "k.csv", many(KINDS_MAX + 1), &err), WW_ECONFIG);
    assert_string_equal(err.msg, "k.csv:1026: more than 1024 kinds");
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_table), cmocka_unit_test(weights), cmocka_unit_test(optional_columns),
        cmocka_unit_test(mistakes),      cmocka_unit_test(bound),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
