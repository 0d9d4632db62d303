/* SPDX-License-Identifier: Apache-2.0 */
/* lib/name against tests/data/name_vectors.csv (made by another implementation: NFKC, casefold, white space
 * out), and its quick way against its whole way. */
#include "lib/csv.h"
#include "lib/name.h"

#include "files.h"

static struct arena arena;

static void expect(const char *where, struct slice raw, struct slice want)
{
    struct slice got = name_normalise(&arena, raw);
    if (!slice_eq(got, want))
        fail_msg("%s: \"%.*s\" became \"%.*s\", not \"%.*s\"", where, SLICE_ARG(raw), SLICE_ARG(got),
                 SLICE_ARG(want));
}

static void vectors(void **state)
{
    (void)state;
    struct csv c;
    size_t rows = 0;
    csv_begin(&c, "name_vectors.csv", test_file(&arena, "tests/data/name_vectors.csv"), &arena);
    assert_int_equal(csv_next(&c, NULL), 1);
    for (; csv_next(&c, NULL) == 1; rows++)
        expect("vector", c.cells[0], c.cells[1]);
    assert_true(rows > 100);
}

/* A Greek letter at the end sends the same name the long way: nothing else may differ. */
static void quick_is_whole(void **state)
{
    (void)state;
    struct csv c;
    csv_begin(&c, "name_vectors.csv", test_file(&arena, "tests/data/name_vectors.csv"), &arena);
    while (csv_next(&c, NULL) == 1) {
        struct slice alone = name_normalise(&arena, c.cells[0]);
        const char *longer = arena_printf(&arena, "%.*sλ", SLICE_ARG(c.cells[0]));
        const char *want = arena_printf(&arena, "%.*sλ", SLICE_ARG(alone));
        expect("long way", slice_of(longer), slice_of(want));
    }
}

static void nothing_left(void **state)
{
    (void)state;
    static const char *const raws[] = {"", " ", "\t\n", "　", "\xc2\xa0 \xe2\x80\x83"};
    for (size_t i = 0; i < ARRAY_LEN(raws); i++) {
        assert_null(name_normalise(&arena, slice_of(raws[i])).p);
        assert_true(name_blank(slice_of(raws[i])));
    }
    assert_false(name_blank(SLICE("　a")));
    assert_false(name_blank(SLICE("甲")));
    assert_false(name_blank(SLICE("\xff")));
    assert_true(name_blank((struct slice){0}));
}

static void what_cannot_be_seen(void **state)
{
    (void)state;
    static const char *const unseen[] = {"\u200b", "\u200d", "\u2060", "\ufeff", "\xc2\xad", "\ufe0f", "\U000e0100"};
    for (size_t i = 0; i < ARRAY_LEN(unseen); i++) {
        expect("unseen", slice_of(arena_printf(&arena, "平湖%s制衣厂", unseen[i])), SLICE("平湖制衣厂"));
        expect("unseen", slice_of(arena_printf(&arena, "e%s\u0301", unseen[i])), SLICE("\u00e9"));
        assert_true(name_unseen(slice_of(unseen[i])));
        assert_null(name_fault(slice_of(unseen[i])));
        assert_true(name_blank(slice_of(unseen[i])));
    }
    assert_false(name_unseen(SLICE("平湖（制衣）厂")));
}

static void what_no_name_has(void **state)
{
    (void)state;
    static const char *const bad[] = {"甲\x01", "\x1b[31m甲", "甲\x7f", "甲\xc2\x80", "甲\u202e乙", "\u202a", "\u2066甲", "\u2069"};
    static const char *const good[] = {"", "甲 乙", "甲\t乙", "（有限）公司", "Ünal\u2028", "甲\u200b"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(name_fault(slice_of(bad[i])));
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_null(name_fault(slice_of(good[i])));
    assert_non_null(name_fault((struct slice){"a\0b", 3}));
}

static void long_names(void **state)
{
    (void)state;
    char *raw = arena_alloc(&arena, 6000), *want = arena_alloc(&arena, 6000);
    for (size_t i = 0; i < 2000; i++) {
        memcpy(raw + 3 * i, "ﬃ", 3); /* a ligature of three letters */
        memcpy(want + 3 * i, "ffi", 3);
    }
    expect("long", (struct slice){raw, 6000}, (struct slice){want, 6000});
}

static void ill_formed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",             /* a tail without a head */
        "\xc0\x80",         /* overlong */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* surrogate */
        "\xf4\x90\x80\x80", /* above U+10FFFF */
        "\xf5\x80\x80\x80",
        "\xe4\xb8",
        "\xe4",
        "\xe4\xb8\x41",
        "\xf0\x9f\x98",
        "abcdefgh\xff",
        "abcdefg\xe4\xb8",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(utf8_valid(slice_of(bad[i])));
        assert_null(name_normalise(&arena, slice_of(bad[i])).p);
    }
    static const char *const good[] = {
        "",
        "a",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "abcdefghijklmnop",
        "abcdefgh甲",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(utf8_valid(slice_of(good[i])));
    assert_true(utf8_valid((struct slice){"a\0b", 3}));
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
        cmocka_unit_test(vectors),    cmocka_unit_test(quick_is_whole), cmocka_unit_test(nothing_left),
        cmocka_unit_test(what_cannot_be_seen), cmocka_unit_test(what_no_name_has),
        cmocka_unit_test(long_names), cmocka_unit_test(ill_formed),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
