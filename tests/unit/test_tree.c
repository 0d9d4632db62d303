/* SPDX-License-Identifier: Apache-2.0 */
/* lib/tree and its mistakes: scalars by type, the way through a journal entry, what is printed, the word
 * meant. */
#include "lib/tree.h"

#include "test.h"

static struct arena arena;

static struct tree *text(const char *s)
{
    return tree_text(&arena, slice_of(s));
}

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } t[] = {
        {"0", true, 0},
        {"-7", true, -7},
        {"+7", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"1_000", false, 0},
        {"0x10", false, 0},
        {"1.0", false, 0},
        {" 1", false, 0},
        {"500000 yuan", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        int64_t v = 0;
        assert_int_equal(tree_int(text(t[i].text), &v), t[i].ok);
        assert_int_equal(v, t[i].v);
    }
    struct tree *quoted = text("5");
    int64_t v;
    quoted->quoted = true;
    assert_false(tree_int(quoted, &v));
    assert_false(tree_int(NULL, &v));
    assert_false(tree_int(tree_new(&arena, TREE_LIST), &v));
}

static void parts_per_million(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } t[] = {
        {"1.25", true, 1250000}, {"0.000001", true, 1},   {"5", true, 5000000},
        {"-0.5", true, -500000}, {"0.0000001", false, 0}, {".5", false, 0},
        {"1.", false, 0},        {"1e3", false, 0},       {"9999999999999999", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        int64_t v = 0;
        assert_int_equal(tree_ppm(text(t[i].text), &v), t[i].ok);
        assert_int_equal(v, t[i].v);
    }
}

static void units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool (*read)(const struct tree *, int64_t *);
        bool ok;
        int64_t v;
    } t[] = {
        {"30d", tree_duration, true, 30 * DAY_MS},
        {"12h", tree_duration, true, 12 * 3600 * 1000},
        {"5m", tree_duration, true, 300000},
        {"10s", tree_duration, true, 10000},
        {"250ms", tree_duration, true, 250},
        {"0d", tree_duration, true, 0},
        {"30", tree_duration, false, 0},
        {"d", tree_duration, false, 0},
        {"-1d", tree_duration, false, 0},
        {"30 d", tree_duration, false, 0},
        {"1d2h", tree_duration, false, 0},
        {"106751991168d", tree_duration, false, 0},
        {"64KiB", tree_size, true, 65536},
        {"1GiB", tree_size, true, INT64_C(1) << 30},
        {"512B", tree_size, true, 512},
        {"512", tree_size, false, 0},
        {"1KB", tree_size, false, 0},
        {"8388608TiB", tree_size, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        int64_t v = 0;
        assert_int_equal(t[i].read(text(t[i].text), &v), t[i].ok);
        assert_int_equal(v, t[i].v);
    }
    bool b = false;
    assert_true(tree_bool(text("true"), &b) && b);
    assert_true(tree_bool(text("false"), &b) && !b);
    assert_false(tree_bool(text("yes"), &b));
}

static void lists_grow_and_maps_replace(void **state)
{
    (void)state;
    struct tree *list = tree_new(&arena, TREE_LIST), *map = tree_new(&arena, TREE_MAP);
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "k%d", i);
        tree_append(&arena, list, text(name));
        tree_set(&arena, map, slice_of(name), list->items[i]);
    }
    tree_set(&arena, map, SLICE("k7"), text("new"));
    assert_int_equal(map->n, 1000);
    assert_string_equal(tree_get(map, "k7")->text.p, "new");
    assert_string_equal(tree_get(map, "k999")->text.p, "k999");
    assert_string_equal(list->items[512]->text.p, "k512");
    assert_null(tree_get(map, "k1000"));
    assert_null(tree_get(list, "k1"));
    assert_null(tree_get(NULL, "k1"));
}

static struct tree *sample(void)
{
    struct tree *map = tree_new(&arena, TREE_MAP), *list = tree_new(&arena, TREE_LIST);
    map->line = 3;
    map->column = 300;
    tree_set(&arena, map, SLICE("企业"), list);
    tree_append(&arena, list, text("30d"));
    list->items[0]->quoted = true;
    list->items[0]->line = 70000;
    tree_append(&arena, list, tree_new(&arena, TREE_MAP));
    tree_set(&arena, map, SLICE(""), text(""));
    return map;
}

static bool same(const struct tree *a, const struct tree *b)
{
    if (a->type != b->type || a->quoted != b->quoted || a->line != b->line || a->column != b->column ||
        a->n != b->n || !slice_eq(a->text, b->text))
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (!same(a->items[i], b->items[i]) || (a->type == TREE_MAP && !same(a->keys[i], b->keys[i])))
            return false;
    return true;
}

static void bytes_and_back(void **state)
{
    (void)state;
    struct tree *t = sample(), *back;
    struct buf b = {0};
    tree_encode(t, &b);
    struct rd r = rd_of(b.p, b.n);
    assert_int_equal(tree_decode(&r, &arena, &back), 0);
    assert_int_equal(rd_left(&r), 0);
    assert_true(same(t, back));
    /* what was decoded can be worked on */
    tree_append(&arena, back->items[0], text("more"));
    assert_int_equal(back->items[0]->n, 3);
    buf_finish(&b);
}

static void damaged_bytes_are_refused(void **state)
{
    (void)state;
    struct buf b = {0};
    tree_encode(sample(), &b);
    for (size_t n = 0; n < b.n; n++) {
        struct tree *back;
        struct rd r = rd_of(b.p, n);
        assert_int_equal(tree_decode(&r, &arena, &back), WW_EINPUT);
        assert_null(back);
    }
    /* a count that no bytes stand behind */
    static const uint8_t greedy[] = {TREE_LIST, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f};
    struct tree *back;
    struct rd r = rd_of(greedy, sizeof greedy);
    assert_int_equal(tree_decode(&r, &arena, &back), WW_EINPUT);
    buf_finish(&b);
}

static void a_key_twice_is_refused(void **state)
{
    (void)state;
    struct tree *map = tree_new(&arena, TREE_MAP), *back;
    tree_pair(&arena, map, text("b"), text("1"));
    tree_pair(&arena, map, text("a"), text("2"));
    tree_pair(&arena, map, text("b"), text("3"));
    struct tree_twin twin;
    assert_int_equal(tree_twice(map, &twin, 1), 1);
    assert_ptr_equal(twin.first, map->keys[0]);
    assert_ptr_equal(twin.again, map->keys[2]);
    struct buf b = {0};
    tree_encode(map, &b);
    struct rd r = rd_of(b.p, b.n);
    assert_int_equal(tree_decode(&r, &arena, &back), WW_EINPUT);
    buf_finish(&b);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (int depth = TREE_DEPTH_MAX; depth <= TREE_DEPTH_MAX + 1; depth++) {
        struct tree *t = tree_new(&arena, TREE_LIST), *back;
        for (int i = 1; i < depth; i++) {
            struct tree *outer = tree_new(&arena, TREE_LIST);
            tree_append(&arena, outer, t);
            t = outer;
        }
        struct buf b = {0};
        tree_encode(t, &b);
        struct rd r = rd_of(b.p, b.n);
        assert_int_equal(tree_decode(&r, &arena, &back), depth > TREE_DEPTH_MAX ? WW_EINPUT : 0);
        buf_finish(&b);
    }
}

static void mistakes_are_shown_in_order(void **state)
{
    (void)state;
    static const char source[] = "rules:\n  - 企业: al\n";
    struct mistakes m = {.arena = &arena, .file = "rules.yaml"};
    struct tree where = {.line = 2, .column = 9};
    struct buf out = {0};
    mistake_at(&m, &where, "did you mean \"all\"?", "unknown operator \"%s\"", "al");
    mistake_put(&m, 1, 1, NULL, "unknown key");
    mistake_at(&m, NULL, NULL, "no rules at all");
    mistakes_print(&m, SLICE(source), &out);
    buf_put(&out, "", 1);
    assert_string_equal((char *)out.p, "rules.yaml: error: no rules at all\n"
                                       "rules.yaml:1:1: error: unknown key\n"
                                       "    rules:\n"
                                       "    ^\n"
                                       "rules.yaml:2:9: error: unknown operator \"al\"\n"
                                       "      - 企业: al\n"
                                       "              ^\n"
                                       "  hint: did you mean \"all\"?\n");
    buf_finish(&out);
}

static void mistakes_are_counted_beyond_the_bound(void **state)
{
    (void)state;
    struct mistakes m = {.arena = &arena, .file = "f"};
    struct buf out = {0};
    for (uint32_t i = 1; i <= MISTAKES_KEPT + 5; i++)
        mistake_put(&m, i, 1, NULL, "wrong");
    assert_int_equal(m.n, MISTAKES_KEPT);
    assert_int_equal(m.total, MISTAKES_KEPT + 5);
    mistakes_print(&m, (struct slice){NULL, 0}, &out);
    buf_put(&out, "", 1);
    assert_non_null(strstr((char *)out.p, "f:200:1: error: wrong\nand 5 more\n"));
    buf_finish(&out);
}

static void the_same_twice_counts_once(void **state)
{
    (void)state;
    struct mistakes m = {.arena = &arena, .file = "f"};
    mistake_put(&m, 1, 2, NULL, "wrong");
    mistake_put(&m, 1, 2, NULL, "wrong");
    mistake_put(&m, 1, 3, NULL, "wrong");
    m.part = "areas";
    mistake_put(&m, 1, 2, NULL, "wrong");
    assert_int_equal(m.total, 3);
}

static void the_nearest_word(void **state)
{
    (void)state;
    static const char *const words[] = {"all", "any", "not", "count", "agencies", "status", "enterprise"};
    static const struct {
        const char *given, *want;
    } t[] = {
        {"al", "all"},
        {"cuont", "count"},
        {"statsu", "status"},
        {"agenceis", "agencies"},
        {"entreprize", "enterprise"},
        {"xyz", NULL},
        {"", NULL},
        {"no", "not"},
        {"watch", NULL},
        {"counterfeit", NULL},
        {"all", "all"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        const char *got = nearest_word(slice_of(t[i].given), words, ARRAY_LEN(words));
        if (t[i].want)
            assert_string_equal(got, t[i].want);
        else
            assert_null(got);
    }
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
        cmocka_unit_test(integers),
        cmocka_unit_test(parts_per_million),
        cmocka_unit_test(units),
        cmocka_unit_test(lists_grow_and_maps_replace),
        cmocka_unit_test(bytes_and_back),
        cmocka_unit_test(damaged_bytes_are_refused),
        cmocka_unit_test(a_key_twice_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(mistakes_are_shown_in_order),
        cmocka_unit_test(mistakes_are_counted_beyond_the_bound),
        cmocka_unit_test(the_same_twice_counts_once),
        cmocka_unit_test(the_nearest_word),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
