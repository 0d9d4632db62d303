/* SPDX-License-Identifier: Apache-2.0 */
/* lib/yaml: what comes through as a tree, and each thing that is refused with its place. */
#include "lib/yaml.h"

#include "test.h"

static struct arena arena;

static struct tree *parse(const char *text, struct mistakes *m)
{
    struct tree *t;
    *m = (struct mistakes){.arena = &arena, .file = "f"};
    int rc = yaml_parse(&arena, slice_of(text), m, &t);
    assert_int_equal(rc, m->total ? WW_ECONFIG : 0);
    assert_int_equal(t == NULL, rc != 0);
    return t;
}

static void assert_place(const struct tree *t, unsigned line, unsigned column)
{
    assert_non_null(t);
    assert_int_equal(t->line, line);
    assert_int_equal(t->column, column);
}

static void scalars_stay_text(void **state)
{
    (void)state;
    struct mistakes m;
    const struct tree *t = parse("\xef\xbb\xbf"
                                 "amount: 500000 yuan\n"
                                 "within: 30d\n"
                                 "企业: [\"5\", 5, 'it''s']\n"
                                 "none:\n"
                                 "long: |\n"
                                 "  a\n"
                                 "  b\n"
                                 "yes: \"\\u4e2d\"\n",
                                 &m);
    assert_non_null(t);
    assert_string_equal(tree_get(t, "amount")->text.p, "500000 yuan");
    assert_place(tree_get(t, "amount"), 1, 9);
    assert_string_equal(tree_get(t, "within")->text.p, "30d");
    const struct tree *list = tree_get(t, "企业");
    assert_int_equal(list->n, 3);
    assert_true(list->items[0]->quoted);
    assert_place(list->items[0], 3, 6);
    assert_false(list->items[1]->quoted);
    assert_place(list->items[1], 3, 11);
    assert_string_equal(list->items[2]->text.p, "it's");
    assert_int_equal(tree_get(t, "none")->text.n, 0);
    assert_place(tree_get(t, "none"), 4, 1);
    assert_string_equal(tree_get(t, "long")->text.p, "a\nb\n");
    assert_string_equal(tree_get(t, "yes")->text.p, "中");
    assert_place(t->keys[2], 3, 1);
}

static void nothing_is_an_empty_map(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# only a remark\n", "---\n", "\n\n"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct mistakes m;
        const struct tree *t = parse(texts[i], &m);
        assert_int_equal(t->type, TREE_MAP);
        assert_int_equal(t->n, 0);
    }
}

static void what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line, column;
        const char *sentence; /* part of it; NULL: libfyaml's own words */
    } t[] = {
        {"a: 1\nb: &x 2\n", 2, 4, "anchors"},
        {"a: [&x [1]]\n", 1, 5, "anchors"},
        {"a: *x\n", 1, 4, "aliases"},
        {"a: !!str 5\n", 1, 4, "tags"},
        {"- !mine {}\n", 1, 3, "tags"},
        {"a: 1\nb: 2\na: 3\n", 3, 1, "key \"a\" stands here a second time; the first is in line 1"},
        {"a: 1\n---\nb: 2\n", 2, 1, "second document"},
        {"%YAML 1.2\n---\na: 1\n", 2, 1, "directives"},
        {"a: \xff\n", 1, 4, "not UTF-8"},
        {"# \xc3\xa9\xed\xa0\x80\n", 1, 4, "not UTF-8"},
        {"a: \xb9\xdc\n", 1, 4, "not UTF-8"},
        {"企: \x01\n", 1, 4, "control character"},
        {"a: \"x\\0y\"\n", 1, 4, "escape"},
        {"? [a]\n: b\n", 1, 3, "cannot be a key"},
        {"a: b: c\n", 1, 5, NULL},
        {"a:\n\t- b\n", 2, 1, "tab"},
        {"a: \"x\n", 1, 5, NULL},
        {"a: [1, 2\n", 0, 0, NULL},
        {"- a\nb: c\n", 2, 1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct mistakes m;
        assert_null(parse(t[i].text, &m));
        if (t[i].line) {
            assert_int_equal(m.list[0].line, t[i].line);
            assert_int_equal(m.list[0].column, t[i].column);
        }
        if (t[i].sentence && !strstr(m.list[0].sentence, t[i].sentence))
            fail_msg("%s: %s", t[i].text, m.list[0].sentence);
    }
}

static void several_mistakes_at_once(void **state)
{
    (void)state;
    struct mistakes m;
    assert_null(parse("a: &x 1\nb: *x\nc: !t 2\na: 2\nd: [\n", &m));
    assert_true(m.total >= 4);
    assert_int_equal(m.list[0].line, 1);
    assert_int_equal(m.list[1].line, 2);
    assert_int_equal(m.list[2].line, 3);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[200];
    struct mistakes m;
    for (int depth = TREE_DEPTH_MAX; depth <= TREE_DEPTH_MAX + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = 0;
        assert_int_equal(parse(text, &m) == NULL, depth > TREE_DEPTH_MAX);
    }
    assert_int_equal(m.list[0].column, TREE_DEPTH_MAX + 1);
}

static void large_files_take_linear_time(void **state)
{
    (void)state;
    /* 50,000 keys of one map, and one line of half a megabyte that is not UTF-8 at its end: either would run
     * for minutes were the look for twins or for the bad byte quadratic. */
    struct buf b = {0};
    char line[32];
    for (int i = 0; i < 50000; i++)
        buf_put(&b, line, (size_t)snprintf(line, sizeof line, "key%d: %d\n", i, i));
    buf_put(&b, "", 1);
    struct mistakes m;
    const struct tree *t = parse((char *)b.p, &m);
    assert_int_equal(t->n, 50000);
    buf_reset(&b);
    for (int i = 0; i < 500000; i++)
        buf_put(&b, "x", 1);
    buf_put(&b, "\xff\n", 3);
    assert_null(parse((char *)b.p, &m));
    assert_int_equal(m.list[0].column, 500001);
    buf_finish(&b);
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
        cmocka_unit_test(scalars_stay_text), cmocka_unit_test(nothing_is_an_empty_map),
        cmocka_unit_test(what_is_refused),   cmocka_unit_test(several_mistakes_at_once),
        cmocka_unit_test(depth_is_bounded),  cmocka_unit_test(large_files_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
