/* SPDX-License-Identifier: Apache-2.0 */
/* lib/region: codes as numbers, prefixes, and the shipped table. */
#include "lib/region.h"

#include "files.h"

static region_t of(const char *s)
{
    return region_of(slice_of(s));
}

static void there_and_back(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "0", "33", "3304", "330482", "330482001", "330482001999", "000000000000001", "999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        char out[16];
        assert_int_equal(region_text(of(codes[i]), out), strlen(codes[i]));
        assert_string_equal(out, codes[i]);
    }
    static const char *const wrong[] = {"", "1234567890123456", "33a", " 33", "-1", "３３"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_true(of(wrong[i]) == 0);
}

static void prefixes(void **state)
{
    (void)state;
    assert_true(region_within(of("330482001"), of("3304")));
    assert_true(region_within(of("330482001"), of("33")));
    assert_true(region_within(of("330482001"), of("330482001")));
    assert_true(region_within(of("330482001"), 0));
    assert_true(region_within(0, 0));
    assert_false(region_within(0, of("33")));
    assert_false(region_within(of("33"), of("3304")));
    assert_false(region_within(of("330582001"), of("3304")));
    assert_false(region_within(of("133048"), of("33")));
    assert_true(region_cut(of("330482001"), 6) == of("330482"));
    assert_true(region_cut(of("010203"), 2) == of("01"));
    assert_true(region_cut(of("33"), 6) == of("33"));
    assert_true(region_cut(of("33"), 0) == 0);
}

static struct regions *load(struct arena *a)
{
    struct regions *t;
    struct err err = {.msg = ""};
    int rc = regions_parse(&t, "regions.csv", test_file(a, "config/regions.csv"), &err);
    assert_string_equal(err.msg, "");
    assert_int_equal(rc, 0);
    return t;
}

static void shipped_table(void **state)
{
    (void)state;
    static const struct {
        const char *code, *full;
    } t[] = {
        {"33", "浙江省"},
        {"330482", "浙江省嘉兴市平湖市"},
        {"330482001", "浙江省嘉兴市平湖市当湖街道"},
        {"330482001999", "浙江省嘉兴市平湖市当湖街道"}, /* a village that the table lacks */
        {"110101001", "北京市东城区东华门街道"},
        {"441900003", "广东省东莞市东城街道"}, /* a prefecture without counties */
        {"442000", "广东省中山市"},
        {"620201", "甘肃省嘉峪关市"},
        {"460400", "海南省儋州市"},
        {"429004001", "湖北省仙桃市沙嘴街道"},
        {"99", ""},
    };
    struct arena a = {0};
    struct regions *r = load(&a);
    char out[200];
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        assert_int_equal(regions_full_name(r, of(t[i].code), out, sizeof out), strlen(t[i].full));
        assert_string_equal(out, t[i].full);
    }
    assert_true(regions_has(r, of("659001")));
    assert_false(regions_has(r, of("330499")));
    assert_false(regions_has(r, 0));
    assert_string_equal(regions_name(r, of("3304")), "嘉兴市");
    regions_destroy(r);
    arena_finish(&a);
}

static void full_name_is_cut_between_characters(void **state)
{
    (void)state;
    struct arena a = {0};
    struct regions *r = load(&a);
    for (size_t cap = 1; cap < 30; cap++) {
        char out[30];
        size_t n = regions_full_name(r, of("330482"), out, cap);
        assert_true(n < cap && n % 3 == 0 && (cap > 27 || n + 3 >= cap));
        assert_int_equal(strlen(out), n);
        assert_memory_equal(out, "浙江省嘉兴市平湖市", n);
    }
    regions_destroy(r);
    arena_finish(&a);
}

static void mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } t[] = {
        {"", "r.csv:1: the first line must be: code,name"},
        {"code\n", "r.csv:1: the first line must be: code,name"},
        {"code,name\n33\n", "r.csv:2: 1 columns; a row is: code,name"},
        {"code,name\n33,浙江省\n3x,y\n", "r.csv:3: \"3x\" is no region code (1 to 15 digits)"},
        {"code,name\n33,浙江省\n33,浙江省\n", "r.csv:3: region 33 is here twice"},
        {"code,name\n33,\n", "r.csv:2: region 33 has no name"},
        {"code,name\n33,\"浙江\n", "r.csv:2: a quote that is opened here is never closed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct regions *r;
        struct err err;
        assert_int_equal(regions_parse(&r, "r.csv", slice_of(t[i].text), &err), WW_ECONFIG);
        assert_string_equal(err.msg, t[i].sentence);
        assert_null(r);
    }
    regions_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back), cmocka_unit_test(prefixes),
        cmocka_unit_test(shipped_table),  cmocka_unit_test(full_name_is_cut_between_characters),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
