/* SPDX-License-Identifier: Apache-2.0 */
/* lib/csv: records, quotes, line numbers, mistakes. */
#include "lib/csv.h"

#include "test.h"

static struct arena arena;
static struct csv csv;

static void begin(const char *text)
{
    csv_begin(&csv, "t.csv", slice_of(text), &arena);
}

/* The next record as cells joined by '|'. */
static void expect(unsigned line, const char *cells)
{
    char joined[200] = "";
    assert_int_equal(csv_next(&csv, NULL), 1);
    for (size_t i = 0, n = 0; i < csv.n; i++)
        n += (size_t)snprintf(joined + n, sizeof joined - n, "%s%.*s", i ? "|" : "", SLICE_ARG(csv.cells[i]));
    assert_string_equal(joined, cells);
    assert_int_equal(csv.line, line);
}

static void plain(void **state)
{
    (void)state;
    begin("\xef\xbb\xbf"
          "a,b\r\n\n1,\n,\nx");
    expect(1, "a|b");
    expect(3, "1|");
    expect(4, "|");
    expect(5, "x");
    assert_int_equal(csv_next(&csv, NULL), 0);
    assert_int_equal(csv_next(&csv, NULL), 0);
}

static void quotes(void **state)
{
    (void)state;
    begin("\"a,b\",\"say \"\"yes\"\"\",\"\"\n\"two\nlines\",c\nd,e\"f\n");
    expect(1, "a,b|say \"yes\"|");
    expect(2, "two\nlines|c");
    expect(4, "d|e\"f");
    assert_int_equal(csv_next(&csv, NULL), 0);
}

static void mistakes(void **state)
{
    (void)state;
    struct err err;
    begin("a\n\"b\n\n");
    expect(1, "a");
    assert_int_equal(csv_next(&csv, &err), WW_ECONFIG);
    assert_string_equal(err.msg, "t.csv:2: a quote that is opened here is never closed");
    begin("kind,zh\na,\xb7\xa8\xd4\xba\n"); /* GBK */
    expect(1, "kind|zh");
    assert_int_equal(csv_next(&csv, &err), WW_ECONFIG);
    assert_string_equal(err.msg, "t.csv:2: column 2 is no UTF-8; save the file as UTF-8, not as GBK or GB18030");
    begin("\"a\"b\n");
    assert_int_equal(csv_next(&csv, &err), WW_ECONFIG);
    assert_string_equal(err.msg, "t.csv:1: text after the closing quote of column 1");
    begin(",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n");
    assert_int_equal(csv_next(&csv, &err), WW_ECONFIG);
    assert_string_equal(err.msg, "t.csv:1: more than 32 columns");
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
        cmocka_unit_test(plain),
        cmocka_unit_test(quotes),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
