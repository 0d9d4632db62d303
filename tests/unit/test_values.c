/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, counts and times as they stand in cells. */
#include "adapters/values.h"

#include "lib/calendar.h"

#include "test.h"

static void sums(void **state)
{
    static const struct {
        const char *text;
        enum money_unit unit;
        int64_t fen; /* -1: no sum */
    } rows[] = {
        {"12,345.67", UNIT_YUAN, 1234567},
        {"1.23万元", UNIT_YUAN, 1230000},
        {"12345.67元", UNIT_WAN, 1234567},
        {"１２，３４５．６７", UNIT_YUAN, 1234567},
        {"０．９１", UNIT_WAN, 910000},
        {"0.91000000000000003", UNIT_WAN, 910000}, /* as spreadsheets store 0.91 */
        {"2.1399999999999999", UNIT_WAN, 2140000},
        {"216945.67", UNIT_YUAN, 21694567},
        {"1.5E4", UNIT_YUAN, 1500000},
        {"1.5e-2", UNIT_YUAN, 2}, /* half up */
        {"0.004", UNIT_YUAN, 0},
        {"0.005", UNIT_YUAN, 1},
        {"￥100", UNIT_YUAN, 10000},
        {"¥ 1,000.5 元", UNIT_YUAN, 100050},
        {"人民币3亿元", UNIT_YUAN, 30000000000},
        {"100元整", UNIT_YUAN, 10000},
        {"7", UNIT_FEN, 7},
        {"92233720368547758.07", UNIT_YUAN, INT64_MAX},
        {"92233720368547758.08", UNIT_YUAN, -1},
        {"99999999999999999999999999999999", UNIT_YUAN, -1},
        {"1e41", UNIT_YUAN, -1},
        {"12,34", UNIT_YUAN, -1}, /* a comma is not a decimal point */
        {"1,2345", UNIT_YUAN, -1},
        {"1.2.3", UNIT_YUAN, -1},
        {"约10万", UNIT_YUAN, -1},
        {"万元", UNIT_YUAN, -1},
        {"", UNIT_YUAN, -1},
        {"0x10", UNIT_YUAN, -1},
    };
    int64_t fen;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool ok = value_amount(slice_of(rows[i].text), rows[i].unit, &fen);
        if (ok != (rows[i].fen >= 0) || (ok && fen != rows[i].fen))
            fail_msg("%s: %d %lld", rows[i].text, ok, (long long)fen);
    }
    assert_true(value_amount(slice_of("-3.8万元"), UNIT_YUAN, &fen) && fen == -3800000);
    assert_true(value_amount(slice_of("(1,234.00)"), UNIT_YUAN, &fen) && fen == -123400);
}

static void counts(void **state)
{
    int64_t n;
    (void)state;
    assert_true(value_count(slice_of("6人"), &n) && n == 6);
    assert_true(value_count(slice_of("６ 人"), &n) && n == 6);
    assert_true(value_count(slice_of("12.0"), &n) && n == 12);
    assert_true(value_count(slice_of("0.00"), &n) && n == 0);
    assert_true(value_count(slice_of("1,200名"), &n) && n == 1200);
    assert_false(value_count(slice_of("6.5"), &n));
    assert_false(value_count(slice_of("3-5人"), &n));
    assert_false(value_count(slice_of("若干"), &n));
}

static void times(void **state)
{
    const int64_t day = civil_to_ms(2026, 3, 5, OFFSET_CHINA_MS);
    static const struct {
        const char *text;
        int64_t after; /* ms after that day's 00:00; -1: no time */
    } rows[] = {
        {"2026/3/5", 0},
        {"2026-03-05", 0},
        {"2026.3.5", 0},
        {"20260305", 0},
        {"2026年3月5日", 0},
        {"２０２６年３月５日", 0},
        {"２０２６／３／５", 0},
        {" 2026-03-05 10:20", 37200000},
        {"2026/3/5 9:05:06", 32706000},
        {"2026-03-05T10:20:30.25", 37230250},
        {"2026-03-05T10:20:30+08:00", 37230000},
        {"2026-03-05T02:20:30Z", 37230000},
        {"2026-03-04T21:20:30-0500", 37230000},
        {"20260305102030", 37230000},
        {"202603051020", 37200000},
        {"2026年3月5日10时20分30秒", 37230000},
        {"2026年3月5日 10时", 36000000},
        {"'2026-03-05", 0}, /* how spreadsheets mark a text */
        {"2026/3/5 下午 3:05", 54300000},
        {"2026/3/5 下午3:05:06", 54306000},
        {"2026/3/5 下午 12:05", 43500000},
        {"2026/3/5 上午 12:05", 300000},
        {"2026年3月5日上午10时20分", 37200000},
        {"2026/3/5 上午 15:05", -1},
        {"2026/3/5 下午", -1},
        {"2026-02-30", -1},
        {"2026-13-01", -1},
        {"26/3/5", -1},
        {"2026-03", -1},
        {"2026年3月", -1},
        {"2026-03/05", -1},
        {"2026-03-05 24:00:00", -1},
        {"2026-03-05 10", -1},
        {"2026-03-05x", -1},
        {"202603", -1},
        {"2026030510", -1},
        {"46086", -1}, /* a serial number only where the cell is a number */
        {"昨天", -1},
        {"", -1},
    };
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool ok = value_time(slice_of(rows[i].text), OFFSET_CHINA_MS, &ms);
        if (ok != (rows[i].after >= 0) || (ok && ms != day + rows[i].after))
            fail_msg("%s: %d %lld", rows[i].text, ok, (long long)(ms - day));
    }
}

static void serials(void **state)
{
    int64_t ms;
    (void)state;
    assert_true(value_serial(slice_of("46086"), false, &ms) && ms == civil_to_ms(2026, 3, 5, 0));
    assert_true(value_serial(slice_of("46086.5"), false, &ms) && ms == civil_to_ms(2026, 3, 5, 0) + 43200000);
    assert_true(value_serial(slice_of("46086.430902777778"), false, &ms) &&
                ms == civil_to_ms(2026, 3, 5, 0) + 37230000);
    assert_true(value_serial(slice_of("46086.99999999"), false, &ms) && ms == civil_to_ms(2026, 3, 6, 0));
    assert_true(value_serial(slice_of("44624"), true, &ms) && ms == civil_to_ms(2026, 3, 5, 0));
    assert_true(value_serial(slice_of("1"), false, &ms) && ms == civil_to_ms(1900, 1, 1, 0));
    assert_true(value_serial(slice_of("59"), false, &ms) && ms == civil_to_ms(1900, 2, 28, 0));
    assert_true(value_serial(slice_of("61"), false, &ms) && ms == civil_to_ms(1900, 3, 1, 0));
    assert_false(value_serial(slice_of("60"), false, &ms)); /* the day that never was */
    assert_false(value_serial(slice_of("0.5"), false, &ms));
    assert_false(value_serial(slice_of("-1"), false, &ms));
    assert_false(value_serial(slice_of("3000000"), false, &ms));
    assert_true(value_epoch(slice_of("1772640000"), 3, &ms) && ms == INT64_C(1772640000000));
    assert_true(value_epoch(slice_of("1772640000123"), 0, &ms) && ms == INT64_C(1772640000123));
}

static void width(void **state)
{
    char out[32];
    (void)state;
    assert_int_equal(fold_width(slice_of("（Ａ１　～）"), out, sizeof out), 6);
    assert_string_equal(out, "(A1 ~)");
    assert_int_equal(fold_width(slice_of("123456"), out, 6), 0); /* does not fit */
    assert_int_equal(fold_width(slice_of("12345"), out, 6), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums),    cmocka_unit_test(counts), cmocka_unit_test(times),
        cmocka_unit_test(serials), cmocka_unit_test(width),
    };
    return cmocka_run_group_tests_name("values", tests, NULL, NULL);
}
