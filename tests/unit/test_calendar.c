/* SPDX-License-Identifier: Apache-2.0 */
/* lib/calendar: days there and back, times read and written. */
#include "lib/calendar.h"

#include "test.h"

static void known_days(void **state)
{
    (void)state;
    assert_true(civil_to_ms(1970, 1, 1, 0) == 0);
    assert_true(civil_to_ms(2000, 1, 1, 0) == INT64_C(946684800000));
    assert_true(civil_to_ms(2000, 3, 1, 0) == INT64_C(951868800000));
    assert_true(civil_to_ms(2026, 3, 5, OFFSET_CHINA_MS) == INT64_C(1772640000000));
    assert_true(civil_to_ms(1969, 12, 31, 0) == -DAY_MS);
    assert_true(civil_to_ms(1, 1, 1, 0) == INT64_C(-62135596800000));
    assert_true(civil_to_ms(9999, 12, 31, 0) == INT64_C(253402214400000));
}

/* Every day of ten thousand years follows the one before. */
static void each_day_follows(void **state)
{
    (void)state;
    int64_t ms = civil_to_ms(0, 1, 1, OFFSET_CHINA_MS);
    for (int year = 0; year <= 9999; year++)
        for (int month = 1; month <= 12; month++)
            for (int day = 1; civil_valid(year, month, day); day++, ms += DAY_MS) {
                int y, m, d;
                civil_from_ms(ms + DAY_MS - 1, OFFSET_CHINA_MS, &y, &m, &d);
                if (civil_to_ms(year, month, day, OFFSET_CHINA_MS) != ms || y != year || m != month ||
                    d != day)
                    fail_msg("%d-%d-%d became %d-%d-%d", year, month, day, y, m, d);
            }
    assert_true(ms == civil_to_ms(10000, 1, 1, OFFSET_CHINA_MS));
}

static void valid(void **state)
{
    (void)state;
    assert_true(civil_valid(2024, 2, 29));
    assert_true(civil_valid(2000, 2, 29));
    assert_false(civil_valid(2026, 2, 29));
    assert_false(civil_valid(1900, 2, 29));
    assert_false(civil_valid(2026, 4, 31));
    assert_false(civil_valid(2026, 0, 1));
    assert_false(civil_valid(2026, 13, 1));
    assert_false(civil_valid(2026, 1, 0));
    assert_false(civil_valid(-1, 1, 1));
    assert_false(civil_valid(10000, 1, 1));
}

static void parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } t[] = {
        {"2026-03-05", INT64_C(1772640000000)},
        {"2026-03-05T10:20:30+08:00", INT64_C(1772677230000)},
        {"2026-03-05T10:20:30", INT64_C(1772677230000)},
        {"2026-03-05T02:20:30Z", INT64_C(1772677230000)},
        {"2026-03-04T21:20:30-05:00", INT64_C(1772677230000)},
        {"2026-03-05T02:20:30.5Z", INT64_C(1772677230500)},
        {"2026-03-05T02:20:30.123999Z", INT64_C(1772677230123)},
        {"1970-01-01T00:00:00Z", 0},
        {"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
    };
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-3-5",
        "2026-03-05T",
        "2026-02-29",
        "2026-03-05T24:00:00",
        "2026-03-05T10:60:00",
        "2026-03-05T10:20:60",
        "2026-03-05T10:20",
        "2026-03-05T10:20:30+8:00",
        "2026-03-05T10:20:30+08:00 ",
        "2026-03-05 10:20:30",
        "2026-03-05T10:20:30.",
        "2026-03-05T10:20:30ZZ",
        "2026-03-05T10:20:30+24:00",
        "20260305",
        "2026-03-05x",
        " 2026-03-05",
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        int64_t ms = -1;
        assert_true(time_parse(slice_of(t[i].text), OFFSET_CHINA_MS, &ms));
        assert_true(ms == t[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        int64_t ms = 77;
        if (time_parse(slice_of(wrong[i]), OFFSET_CHINA_MS, &ms))
            fail_msg("\"%s\" was taken for a time", wrong[i]);
        assert_int_equal(ms, 77);
    }
}

static void format(void **state)
{
    (void)state;
    static const struct {
        int64_t ms, offset;
        const char *text;
    } t[] = {
        {INT64_C(1772677230999), OFFSET_CHINA_MS, "2026-03-05T10:20:30+08:00"},
        {0, 0, "1970-01-01T00:00:00+00:00"},
        {-1, 0, "1969-12-31T23:59:59+00:00"},
        {0, -INT64_C(12600000), "1969-12-31T20:30:00-03:30"},
        {INT64_MAX, OFFSET_CHINA_MS, "9999-12-31T23:59:59+08:00"},
        {INT64_MIN, OFFSET_CHINA_MS, "0000-01-01T00:00:00+08:00"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        char out[26];
        time_format(t[i].ms, t[i].offset, out);
        assert_string_equal(out, t[i].text);
    }
}

static void offsets(void **state)
{
    (void)state;
    int64_t ms = 5;
    assert_true(offset_parse(SLICE("+08:00"), &ms) && ms == OFFSET_CHINA_MS);
    assert_true(offset_parse(SLICE("-03:30"), &ms) && ms == -INT64_C(12600000));
    assert_true(offset_parse(SLICE("+00:00"), &ms) && ms == 0);
    static const char *const wrong[] = {"",       "08:00",  "+8:00",   "+08", "+0800",
                                        "+24:00", "+08:60", "+08:00x", "Z"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(offset_parse(slice_of(wrong[i]), &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days), cmocka_unit_test(each_day_follows), cmocka_unit_test(valid),
        cmocka_unit_test(parse),      cmocka_unit_test(format),           cmocka_unit_test(offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
