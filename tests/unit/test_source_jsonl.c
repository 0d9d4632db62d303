/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: paths, numbers digit by digit, what is broken or cut off. */
#include "source_kit.h"

static const char *const columns[] = {"no", "party.name", "list.1.x", "sum"};

static struct source_form form;

static struct source *open_text(const char *text)
{
    form = kit_form(FORMAT_AUTO, columns, 4);
    return kit_open(text, &form);
}

static void done(struct source *s)
{
    source_close(s);
    unlink(kit_path);
}

static void rows(void **state)
{
    struct source *s = open_text(
        "{\"no\":\"A\",\"party\":{\"name\":\" 平湖 \"},\"list\":[0,{\"x\":true}],\"sum\":216945.67}\n"
        "\n"
        "{\"no\":12345678901234567890123,\"party\":null,\"list\":[],\"sum\":-1.50E+3}\n"
        "{\"party.name\":\"with a dot\",\"sum\":{}}\n");
    (void)state;
    KIT_NEXT(s, "1|A|平湖|true|216945.67");
    KIT_NEXT(s, "3|12345678901234567890123|||-1.50E+3");
    KIT_NEXT(s, "4||with a dot||");
    KIT_NEXT(s, "-");
    done(s);
}

static void types(void **state)
{
    struct err err = {0};
    struct row row;
    struct source *s =
        open_text("{\"no\":1,\"party\":{\"name\":\"1\"},\"list\":[0,{\"x\":\"\"}],\"sum\":[2]}\n");
    (void)state;
    assert_int_equal(source_next(s, true, &row, &err), 1);
    assert_int_equal(row.cells[0].type, CELL_NUMBER);
    assert_int_equal(row.cells[1].type, CELL_TEXT);
    assert_int_equal(row.cells[2].type, CELL_NONE);
    assert_int_equal(row.cells[3].type, CELL_OTHER);
    done(s);
}

static void broken(void **state)
{
    struct source *s = open_text(
        "{\"no\":1,\"no\":2}\n{]\n[1]\n{\"no\":01}\n{\"no\":\"1 \\\" 2\"}\n{\"no\":\"x\\u0000\"}\n");
    (void)state;
    KIT_NEXT(s, "bad 1");
    KIT_NEXT(s, "bad 2");
    KIT_NEXT(s, "bad 3");
    KIT_NEXT(s, "bad 4");
    KIT_NEXT(s, "5|1 \" 2|||");
    KIT_NEXT(s, "bad 6");
    KIT_NEXT(s, "-");
    done(s);
}

/* A first line that is no JSON costs itself alone: the name says what the file is. */
static void a_first_line_that_is_none(void **state)
{
    char path[64];
    struct err err = {0};
    (void)state;
    form = kit_form(FORMAT_AUTO, columns, 4);
    kit_file("exported 2026\n{\"no\":\"1\"}\n", 25);
    snprintf(path, sizeof path, "%s.jsonl", kit_path);
    assert_int_equal(rename(kit_path, path), 0);
    struct source *s = source_open(path, &form, &err);
    assert_non_null(s);
    KIT_NEXT(s, "bad 1");
    KIT_NEXT(s, "2|1|||");
    source_close(s);
    unlink(path);
}

static void one_list(void **state)
{
    struct err err = {0};
    const enum source_format formats[] = {FORMAT_AUTO, FORMAT_JSONL};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        form = kit_form(formats[i], columns, 4);
        assert_null(source_open(kit_file("[\n {\"no\":\"1\"}]\n", 15), &form, &err));
        assert_int_equal(err.code, WW_EINPUT);
        assert_non_null(strstr(err.msg, "is one JSON list; write each object on a line"));
        unlink(kit_path);
    }
}

static void cut_off(void **state)
{
    struct position at;
    struct err err = {0};
    (void)state;
    struct source *s = open_text("{\"no\":\"1\"}\n{\"no\":\"平");
    KIT_NEXT(s, "1|1|||");
    source_tell(s, &at);
    KIT_NEXT(s, "cut 2");
    source_close(s);
    kit_append("湖\"}");
    s = source_open(kit_path, &form, &err);
    assert_int_equal(source_seek(s, &at, &err), 1);
    assert_string_equal(kit_next(s, false), "-");
    KIT_NEXT(s, "2|平湖|||"); /* a whole object has lost nothing */
    KIT_NEXT(s, "-");
    done(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),     cmocka_unit_test(types),
        cmocka_unit_test(broken),   cmocka_unit_test(a_first_line_that_is_none),
        cmocka_unit_test(one_list), cmocka_unit_test(cut_off)};
    return cmocka_run_group_tests_name("source_jsonl", tests, NULL, NULL);
}
