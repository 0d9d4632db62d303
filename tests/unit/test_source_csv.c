/* SPDX-License-Identifier: Apache-2.0 */
/* CSV and TSV: titles, encodings, quotes, line ends, what is cut off, going on from a position. */
#include "source_kit.h"

static const char *const abc[] = {"a", "b", "?c"};

static struct source_form form;

static struct source *open_text(const char *text)
{
    form = kit_form(FORMAT_CSV, abc, 3);
    return kit_open(text, &form);
}

static void done(struct source *s)
{
    source_close(s);
    unlink(kit_path);
}

static void plain(void **state)
{
    struct source *s = open_text("title,,\r\nprinted on,2026/3/20,\r\nb,x,A\r\n1,2, 3 \r\n\r\n,,\r\n\"q "
                                 "\"\"q\"\"\",,\"two\r\nlines\"\r\n4,5,6\r\n");
    (void)state;
    KIT_NEXT(s, "4|3|1|");
    KIT_NEXT(s, "7|two\nlines|q \"q\"|");
    KIT_NEXT(s, "9|6|4|");
    KIT_NEXT(s, "-");
    done(s);
}

static void delimiters(void **state)
{
    (void)state;
    struct source *s = open_text("a\tb\tc\n1, x\t2\t\n");
    KIT_NEXT(s, "2|1, x|2|");
    done(s);
    s = open_text("a;b;c\n1;2;3\n");
    KIT_NEXT(s, "2|1|2|3");
    done(s);
}

static void excel(void **state)
{
    (void)state;
    struct source *s = open_text("a,b\n\"=\"\"0913\"\"\",91\t\n\xE3\x80\x80wide\xC2\xA0,=1+1\n");
    KIT_NEXT(s, "2|0913|91|");
    KIT_NEXT(s, "3|wide|=1+1|");
    done(s);
}

static void encodings(void **state)
{
    /* 平湖 in GBK; U+2CB4E (four bytes in GB18030); a byte that is nothing */
    static const char gbk[] = "a,b\n\xC6\xBD\xBA\xFE,\x99\x33\xA9\x32\n\xC6\xBD,\xFF\n";
    (void)state;
    struct source *s = open_text(gbk);
    KIT_NEXT(s, "2|平湖|𬭎|");
    KIT_NEXT(s, "3|平|\xEF\xBF\xBD|");
    done(s);
    s = open_text("\xEF\xBB\xBF"
                  "a,b\n平湖,\xBA\xFE\n");
    KIT_NEXT(s, "2|平湖|\xEF\xBF\xBD\xEF\xBF\xBD|");
    done(s);
    form = kit_form(FORMAT_CSV, abc, 3);
    struct err err = {0};
    struct row row;
    s = source_open(kit_file("\xFF\xFE"
                             "a\0,\0b\0\n\0",
                             10),
                    &form, &err);
    assert_non_null(s);
    assert_int_equal(source_next(s, true, &row, &err), WW_EINPUT);
    assert_non_null(strstr(err.msg, "UTF-16"));
    done(s);
    s = source_open(kit_file("a,b\n1\0,2\n", 9), &form, &err);
    KIT_NEXT(s, "2|1?|2|"); /* a zero byte must not end a text early */
    done(s);
}

/* A byte that is no character costs its row, and leaves the file in UTF-8. */
static void a_bad_byte_in_utf8(void **state)
{
    (void)state;
    struct source *s = open_text("a,b\n平湖市某公司,1\n\xFF某公司,2\n嘉兴,3\n");
    KIT_NEXT(s, "2|平湖市某公司|1|");
    KIT_NEXT(s, "3|\xEF\xBF\xBD某公司|2|");
    KIT_NEXT(s, "4|嘉兴|3|");
    done(s);
}

/* The same far behind the sample by which the encoding is found out. */
static void a_bad_byte_after_ascii(void **state)
{
    (void)state;
    size_t n = 300000;
    char *text = malloc(n + 100);
    assert_non_null(text);
    memcpy(text, "a,b\n", 4);
    for (size_t i = 4; i < n; i += 4)
        memcpy(text + i, "x,y\n", 4);
    strcpy(text + n, "\xB0,1\n平湖,2\n");
    struct source *s = open_text(text);
    for (size_t i = 4; i < n; i += 4)
        assert_non_null(strstr(kit_next(s, true), "|x|y|"));
    assert_non_null(strstr(kit_next(s, true), "|\xEF\xBF\xBD|1|"));
    assert_non_null(strstr(kit_next(s, true), "|平湖|2|"));
    done(s);
    free(text);
}

/* The header says which encoding it is, whatever the rows look like. */
static void the_header_decides(void **state)
{
    static const char *const names[] = {"名", "b"};
    struct err err = {0};
    struct row row;
    (void)state;
    form = kit_form(FORMAT_CSV, names, 2);
    struct source *s = kit_open("名,b\n\xC6\xBD\xBA\xFE,1\n\xC6\xBD\xBA\xFE,2\n湖,3\n", &form);
    KIT_NEXT(s, "2|\xC6\xBD\xEF\xBF\xBD\xEF\xBF\xBD|1");
    kit_next(s, true);
    KIT_NEXT(s, "4|湖|3");
    done(s);
    form.encoding = ENCODING_GB18030;
    s = kit_open("名,b\n湖,1\n", &form);
    assert_int_equal(source_next(s, true, &row, &err), WW_EINPUT);
    assert_non_null(strstr(err.msg, "is in UTF-8, but the profile says GB18030"));
    done(s);
    form.encoding = ENCODING_AUTO;
    s = kit_open("氏,b\n湖,1\n", &form);
    assert_int_equal(source_next(s, true, &row, &err), WW_EINPUT);
    assert_non_null(strstr(err.msg, "(read as UTF-8)"));
    done(s);
}

/* Which of the two would be meant is not for us to guess; a column that nobody wants may stand often. */
static void a_column_twice(void **state)
{
    struct err err = {0};
    struct row row;
    (void)state;
    struct source *s = open_text("title\na,x,b,x, A\n1,2,3,4,5\n");
    for (int i = 0; i < 2; i++) { /* and it stays so */
        assert_int_equal(source_next(s, true, &row, &err), WW_EINPUT);
        assert_non_null(strstr(err.msg, "\"a\" (column 1) and \"A\" (column 5)"));
    }
    done(s);
    s = open_text("a,x,b,x\n1,2,3,4\n");
    KIT_NEXT(s, "2|1|3|");
    done(s);
}

static void line_ends(void **state)
{
    (void)state;
    struct source *s = open_text("a,b\r1,2\r3,4\r");
    KIT_NEXT(s, "2|1|2|");
    KIT_NEXT(s, "3|3|4|");
    KIT_NEXT(s, "-");
    done(s);
}

static void cut_off(void **state)
{
    (void)state;
    struct source *s = open_text("a,b\n1,2\n3,4");
    KIT_NEXT(s, "2|1|2|");
    KIT_NEXT(s, "cut 3");
    KIT_NEXT(s, "-");
    done(s);
    s = open_text("a,b\n1,2\n3,\"four\n");
    KIT_NEXT(s, "2|1|2|");
    KIT_NEXT(s, "cut 3");
    KIT_NEXT(s, "-");
    done(s);
}

static void stray_quotes(void **state)
{
    (void)state;
    /* rows that the quotation mark would swallow are rows all the same */
    struct source *s = open_text("a,b,c\n1,2,\"x\n3,4,5\n6,7,\"8\"\n9,10,11\n");
    KIT_NEXT(s, "bad 2");
    KIT_NEXT(s, "3|3|4|5");
    KIT_NEXT(s, "4|6|7|8");
    KIT_NEXT(s, "5|9|10|11");
    KIT_NEXT(s, "-");
    done(s);
    s = open_text("a,b,c\n1,2,\"x\n3,4,5\n");
    KIT_NEXT(s, "bad 2");
    KIT_NEXT(s, "3|3|4|5");
    KIT_NEXT(s, "-");
    done(s);
    s = open_text("a,b,c\n1,say \"hi\",3\n");
    KIT_NEXT(s, "2|1|say \"hi\"|3");
    done(s);
}

static void unequal_rows(void **state)
{
    (void)state;
    struct source *s = open_text("a,b,c\n1,2\n1,2,3,4\n1,2,3,,\n");
    KIT_NEXT(s, "bad 2");
    KIT_NEXT(s, "bad 3");
    KIT_NEXT(s, "4|1|2|3");
    done(s);
    form = kit_form(FORMAT_CSV, abc, 3);
    form.short_rows = true;
    s = kit_open("a,b,c\n1,2\n", &form);
    KIT_NEXT(s, "2|1|2|");
    done(s);
}

static void no_header(void **state)
{
    struct err err = {0};
    struct row row;
    (void)state;
    struct source *s = open_text("a,x\n1,2\n");
    assert_int_equal(source_next(s, false, &row, &err), 0); /* may still come */
    assert_int_equal(source_next(s, true, &row, &err), WW_EINPUT);
    assert_non_null(strstr(err.msg, "no column \"b\""));
    done(s);
    s = open_text("");
    assert_int_equal(source_next(s, true, &row, &err), WW_EINPUT);
    assert_non_null(strstr(err.msg, "empty"));
    done(s);
}

static void grows(void **state)
{
    (void)state;
    struct source *s = open_text("a,b");
    assert_string_equal(kit_next(s, false), "-");
    kit_append("\n1,\"2");
    assert_string_equal(kit_next(s, false), "-");
    kit_append("\n3\"\n4,");
    assert_string_equal(kit_next(s, false), "2|1|2\n3|");
    assert_string_equal(kit_next(s, false), "-");
    kit_append("5\r");
    assert_string_equal(kit_next(s, false), "-"); /* its LF may still come */
    kit_append("\n");
    assert_string_equal(kit_next(s, false), "4|4|5|");
    done(s);
}

static void long_lines(void **state)
{
    size_t n = 3 * 1024 * 1024;
    char *text = malloc(n + 64);
    (void)state;
    memcpy(text, "a,b\n1,", 6);
    memset(text + 6, 'x', n);
    strcpy(text + 6 + n, "\n3,4\n");
    struct source *s = open_text(text);
    KIT_NEXT(s, "bad 2");
    KIT_NEXT(s, "3|3|4|");
    KIT_NEXT(s, "-");
    done(s);
    free(text);
}

static void positions(void **state)
{
    struct position at, first;
    struct err err = {0};
    const char *text = "t\na,b\n1,2\n\n3,\"4\n5\"\n6,7\n8";
    (void)state;
    struct source *s = open_text(text);
    KIT_NEXT(s, "3|1|2|");
    source_tell(s, &first);
    KIT_NEXT(s, "5|3|4\n5|");
    KIT_NEXT(s, "7|6|7|");
    source_tell(s, &at);
    assert_int_equal(at.record, 3);
    KIT_NEXT(s, "cut 8");
    struct position cut;
    source_tell(s, &cut);
    assert_int_equal(cut.offset, at.offset); /* what was cut off is not behind us */
    assert_int_equal(cut.record, 3);
    source_close(s);
    s = source_open(kit_path, &form, &err);
    assert_int_equal(source_seek(s, &first, &err), 1);
    KIT_NEXT(s, "5|3|4\n5|");
    source_close(s);
    kit_append(",9\n");
    s = source_open(kit_path, &form, &err);
    assert_int_equal(source_seek(s, &at, &err), 1);
    KIT_NEXT(s, "8|8|9|");
    done(s);
    s = open_text("t\na,b\n1,2\n\n3,\"4\n9\"\n6,7\n8"); /* other bytes before it */
    assert_int_equal(source_seek(s, &at, &err), 0);
    KIT_NEXT(s, "3|1|2|");
    done(s);
    s = open_text("a,b\n");
    assert_int_equal(source_seek(s, &at, &err), 0);
    KIT_NEXT(s, "-");
    done(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(delimiters),
        cmocka_unit_test(excel),
        cmocka_unit_test(a_column_twice),
        cmocka_unit_test(encodings),
        cmocka_unit_test(a_bad_byte_in_utf8),
        cmocka_unit_test(a_bad_byte_after_ascii),
        cmocka_unit_test(the_header_decides),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(stray_quotes),
        cmocka_unit_test(no_header),
        cmocka_unit_test(unequal_rows),
        cmocka_unit_test(grows),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(positions),
    };
    return cmocka_run_group_tests_name("source_csv", tests, NULL, NULL);
}
