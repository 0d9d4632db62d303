/* SPDX-License-Identifier: Apache-2.0 */
/* lib/scan: what is taken, what is refused and how, format by format. */
#include "lib/scan.h"

#include "test.h"

#include <stdlib.h>

/* A copy that ends where the bytes end, so that the sanitizer sees a read beyond them. */
static const char *scan(const char *bytes, size_t n)
{
    char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    const char *fault = scan_body(copy, n);
    free(copy);
    return fault;
}

#define B(lit) lit, sizeof(lit) - 1

/* One value of each format under the key "k". */
static const struct {
    const char *bytes;
    size_t n;
} formats[] = {
    {B("\x00")},
    {B("\x7f")},
    {B("\xe0")},
    {B("\xff")},
    {B("\xc0")},
    {B("\xc2")},
    {B("\xc3")},
    {B("\xc4\x02"
       "ab")},
    {B("\xc5\x00\x01"
       "a")},
    {B("\xc6\x00\x00\x00\x01"
       "a")},
    {B("\xc7\x01\x05"
       "a")},
    {B("\xc8\x00\x01\x05"
       "a")},
    {B("\xc9\x00\x00\x00\x01\x05"
       "a")},
    {B("\xca\x00\x00\x00\x00")},
    {B("\xcb\x00\x00\x00\x00\x00\x00\x00\x00")},
    {B("\xcc\xff")},
    {B("\xcd\xff\xff")},
    {B("\xce\xff\xff\xff\xff")},
    {B("\xcf\xff\xff\xff\xff\xff\xff\xff\xff")},
    {B("\xd0\xff")},
    {B("\xd1\xff\xff")},
    {B("\xd2\xff\xff\xff\xff")},
    {B("\xd3\xff\xff\xff\xff\xff\xff\xff\xff")},
    {B("\xd4\x05"
       "a")},
    {B("\xd5\x05"
       "ab")},
    {B("\xd6\x05"
       "abcd")},
    {B("\xd7\x05"
       "abcdefgh")},
    {B("\xd8\x05"
       "abcdefghijklmnop")},
    {B("\xa2"
       "ab")},
    {B("\xd9\x02"
       "ab")},
    {B("\xda\x00\x02"
       "ab")},
    {B("\xdb\x00\x00\x00\x02"
       "ab")},
    {B("\x92\x01\x02")},
    {B("\xdc\x00\x02\x01\x02")},
    {B("\xdd\x00\x00\x00\x02\x01\x02")},
    {B("\x81\xa1x\x01")},
    {B("\xde\x00\x01\xa1x\x01")},
    {B("\xdf\x00\x00\x00\x01\xa1x\x01")},
    {B("\x81\x01\x02")}, /* within, a key may be anything */
};

static void every_format_and_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        char body[64] = "\x81\xa1k";
        size_t n = 3 + formats[i].n;
        memcpy(body + 3, formats[i].bytes, formats[i].n);
        if (scan(body, n))
            fail_msg("format %zu: %s", i, scan(body, n));
        for (size_t cut = 0; cut < n; cut++)
            assert_non_null(scan(body, cut));
        body[n] = 0;
        assert_string_equal(scan(body, n + 1), "bytes follow the body's map");
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *sentence;
    } t[] = {
        {B(""), "the body is no msgpack map"},
        {B("\x90"), "the body is no msgpack map"},
        {B("\xa1x"), "the body is no msgpack map"},
        {B("\xc1"), "the body is no msgpack map"},
        {B("\x80\x80"), "bytes follow the body's map"},
        {B("\x81\x01\x02"), "a key of the body is no text"},
        {B("\x82\xa1k\x01\xc4\x01k\x02"), "a key of the body is no text"},
        {B("\x81\xa1k\xc1"), "the body is malformed msgpack or ends too soon"},
        /* five bytes that ask for four thousand million values */
        {B("\xdf\xff\xff\xff\xff"), "the body is no msgpack map"},
        {B("\x81\xa1k\xdd\xff\xff\xff\xff\x01"), "the body is malformed msgpack or ends too soon"},
        {B("\x81\xa1k\xdf\xff\xff\xff\xff\x01"), "the body is malformed msgpack or ends too soon"},
        {B("\x81\xa1k\xdb\xff\xff\xff\xff\x01"), "the body is malformed msgpack or ends too soon"},
        {B("\x81\xa1k\xc9\xff\xff\xff\xff\x01\x01"), "the body is malformed msgpack or ends too soon"},
        /* a map of two pairs in three bytes */
        {B("\x81\xa1k\x82\x01\x01\x01"), "the body is malformed msgpack or ends too soon"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        const char *fault = scan(t[i].bytes, t[i].n);
        if (!fault || strcmp(fault, t[i].sentence) != 0)
            fail_msg("case %zu: %s", i, fault ? fault : "taken");
    }
    assert_null(scan(B("\x80")));
}

static void depth(void **state)
{
    (void)state;
    char body[64] = "\x81\xa1k";
    for (size_t lists = 1; lists < 40; lists++) {
        memset(body + 3, '\x91', lists);
        body[3 + lists] = 1;
        const char *fault = scan(body, 4 + lists);
        if (lists + 1 <= SCAN_DEPTH_MAX)
            assert_null(fault);
        else
            assert_string_equal(fault, "the body is nested deeper than 8 levels");
    }
}

static void items(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        enum scan_type type;
        int64_t number;
    } t[] = {
        {B("\x05"), SCAN_UINT, 5},
        {B("\xcc\xff"), SCAN_UINT, 255},
        {B("\xcd\x01\x02"), SCAN_UINT, 258},
        {B("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), SCAN_UINT, INT64_MAX},
        {B("\xff"), SCAN_NEGATIVE, -1},
        {B("\xe0"), SCAN_NEGATIVE, -32},
        {B("\xd0\x80"), SCAN_NEGATIVE, -128},
        {B("\xd0\x7f"), SCAN_UINT, 127}, /* a signed format of a number that is not negative */
        {B("\xd1\x80\x00"), SCAN_NEGATIVE, -32768},
        {B("\xd2\x80\x00\x00\x00"), SCAN_NEGATIVE, INT32_MIN},
        {B("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), SCAN_NEGATIVE, INT64_MIN},
        {B("\xd3\x00\x00\x00\x00\x00\x00\x00\x01"), SCAN_UINT, 1},
        {B("\xc2"), SCAN_BOOL, 0},
        {B("\xc3"), SCAN_BOOL, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct scan_cursor c = {(const uint8_t *)t[i].bytes, (const uint8_t *)t[i].bytes + t[i].n};
        struct scan_item it;
        assert_true(scan_next(&c, &it));
        assert_int_equal(it.type, t[i].type);
        assert_true((int64_t)it.number == t[i].number);
        assert_ptr_equal(c.p, c.end);
        assert_false(scan_next(&c, &it));
    }
}

/* The count is refused with the header, before anyone makes room for it. */
static void counts_that_cannot_be(void **state)
{
    (void)state;
    static const char map[] = "\x82\x01\x01\x01", list[] = "\x94\x01\x01\x01";
    struct scan_item it;
    struct scan_cursor c = {(const uint8_t *)map, (const uint8_t *)map + 4};
    assert_false(scan_next(&c, &it));
    c = (struct scan_cursor){(const uint8_t *)list, (const uint8_t *)list + 4};
    assert_false(scan_next(&c, &it));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_and_every_cut),
        cmocka_unit_test(refused),
        cmocka_unit_test(depth),
        cmocka_unit_test(items),
        cmocka_unit_test(counts_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
