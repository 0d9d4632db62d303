/* SPDX-License-Identifier: Apache-2.0 */
/* lib/workday: weekends, days off, made-up days, and terms counted over them; with the calendars that are shipped. */
#include "lib/workday.h"

#include "lib/calendar.h"
#include "lib/textfile.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct workdays days;

static int load(void **state)
{
    static const char *const years[] = {"2024", "2025", "2026"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(years); i++) {
        char path[4096];
        struct slice text;
        struct err err;
        snprintf(path, sizeof path, "%s/config/calendar/%s.csv", getenv("WAGEWARN_SOURCE"), years[i]);
        assert_int_equal(textfile_read(path, &arena, &text, &err), 0);
        assert_int_equal(workdays_read(&days, &arena, path, text, &err), 0);
    }
    return 0;
}

static int unload(void **state)
{
    (void)state;
    arena_finish(&arena);
    return 0;
}

static int64_t on(int year, int month, int day)
{
    return civil_to_ms(year, month, day, OFFSET_CHINA_MS);
}

static bool works(int year, int month, int day)
{
    return workday_is(&days, civil_day(on(year, month, day), OFFSET_CHINA_MS));
}

static void single_days(void **state)
{
    (void)state;
    assert_true(works(2026, 11, 25));   /* a Wednesday */
    assert_false(works(2026, 11, 28));  /* a Saturday */
    assert_false(works(2026, 2, 16));   /* a Monday of Spring Festival */
    assert_true(works(2026, 2, 14));    /* a Saturday, made up */
    assert_true(works(2026, 2, 24));    /* the first day after */
    assert_true(works(2027, 2, 8));     /* no notice read: a plain Monday */
    assert_true(workdays_know(&days, 2026));
    assert_false(workdays_know(&days, 2027));
}

/* The year's number of working days, as anyone can count: 2026 has 248 by the notice. */
static void whole_year(void **state)
{
    (void)state;
    unsigned n = workdays_between(&days, on(2025, 12, 31), on(2026, 12, 31), OFFSET_CHINA_MS), plain = 0;
    for (int64_t d = civil_day(on(2026, 1, 1), OFFSET_CHINA_MS); d <= civil_day(on(2026, 12, 31), OFFSET_CHINA_MS); d++)
        plain += workday_is(&days, d);
    assert_int_equal(n, plain);
    assert_int_equal(n, 248);
}

static void terms(void **state)
{
    (void)state;
    const int64_t hour = 3600 * 1000;
    static const struct {
        int m, d;
        unsigned n;
        int end_m, end_d; /* 24:00 of it */
    } cases[] = {
        {11, 25, 0, 11, 25},  /* the same day */
        {11, 28, 0, 11, 30},  /* begun on a Saturday: Monday */
        {11, 25, 1, 11, 26},
        {11, 27, 1, 11, 30},  /* Friday: over the weekend */
        {2, 13, 1, 2, 14},    /* the made-up Saturday counts */
        {2, 14, 1, 2, 24},    /* nine days off */
        {9, 30, 1, 10, 8},
        {4, 30, 7, 5, 13},    /* with 9 May made up */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t want = on(2026, cases[i].end_m, cases[i].end_d) + DAY_MS;
        int64_t begin = on(2026, cases[i].m, cases[i].d);
        assert_true(workdays_end(&days, begin, cases[i].n, OFFSET_CHINA_MS) == want);
        assert_true(workdays_end(&days, begin + 23 * hour, cases[i].n, OFFSET_CHINA_MS) == want);
    }
}

static void bad_files(void **state)
{
    (void)state;
    static const char *const bad[] = {"date,is\n", "day,is,name\n2026-13-01,off,x\n", "day,is,name\n2026-01-01,holiday,x\n",
                                      "day,is,name\n2026-01-01,off\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct workdays none = {0};
        struct err err = {0};
        assert_int_equal(workdays_read(&none, &arena, "c.csv", slice_of(bad[i]), &err), WW_ECONFIG);
        assert_non_null(strstr(err.msg, i ? "c.csv:2" : "c.csv:1"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(single_days), cmocka_unit_test(whole_year), cmocka_unit_test(terms),
                                       cmocka_unit_test(bad_files)};
    return cmocka_run_group_tests(tests, load, unload);
}
