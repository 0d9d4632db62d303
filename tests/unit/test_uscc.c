/* SPDX-License-Identifier: Apache-2.0 */
/* lib/uscc against tests/data/uscc_vectors.csv, and what adapters mend. */
#include "lib/csv.h"
#include "lib/uscc.h"

#include "files.h"

static void vectors(void **state)
{
    (void)state;
    struct arena a = {0};
    struct csv c;
    size_t rows = 0;
    csv_begin(&c, "uscc_vectors.csv", test_file(&a, "tests/data/uscc_vectors.csv"), &a);
    assert_int_equal(csv_next(&c, NULL), 1);
    while (csv_next(&c, NULL) == 1) {
        const char *fault = uscc_fault(c.cells[0]);
        assert_int_equal(c.n, 3);
        if (slice_is(c.cells[1], "1") != !fault)
            fail_msg("line %u: %.*s: %s", c.line, SLICE_ARG(c.cells[0]), fault ? fault : "taken");
        rows++;
    }
    assert_int_equal(rows, 21);
    arena_finish(&a);
}

/* A single wrong character never passes: 3 is prime to 31, and no weight is 0. */
static void any_one_character_wrong(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    char code[] = "91350100M000100Y43";
    for (size_t i = 0; i < USCC_LEN; i++) {
        char right = code[i];
        for (const char *p = alphabet; *p; p++) {
            code[i] = *p;
            assert_int_equal(uscc_fault(slice_of(code)) == NULL, *p == right);
        }
        code[i] = right;
    }
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(uscc_fault(SLICE("91350100M000100Y4Z")),
                        "the letters I, O, S, V and Z are not used in codes");
    assert_string_equal(uscc_fault(SLICE("91350100M000100Y4A")), "the check character is wrong: expected 3");
    assert_non_null(strstr(uscc_fault(SLICE("91350100m000100Y43")), "small letter"));
    assert_non_null(strstr(uscc_fault(SLICE("")), "shorter"));
    assert_non_null(strstr(uscc_fault(SLICE("91350100M000100Y433")), "longer"));
    assert_non_null(strstr(uscc_fault(SLICE("000000000000000000")), "all zeros"));
}

static void tidy(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *want;
    } t[] = {
        {"91350100M000100Y43", "91350100M000100Y43"},
        {" \t91350100m000100y43\t ", "91350100M000100Y43"},
        {"９１３５０１００Ｍ０００１００Ｙ４３", "91350100M000100Y43"},
        {"　９１３５０１００ｍ０００１００ｙ４３\xc2\xa0", "91350100M000100Y43"},
        {"91350100 M000100Y43", "91350100 M000100Y43"},
        {"无", "无"},
        {"", ""},
        {"   ", ""},
        {"\xef\xbc", "\xef\xbc"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        char out[64];
        size_t n = uscc_tidy(slice_of(t[i].raw), out, sizeof out);
        assert_string_equal(out, t[i].want);
        assert_int_equal(n, strlen(t[i].want));
    }
}

static void tidy_fits(void **state)
{
    (void)state;
    char out[4] = "###";
    assert_int_equal(uscc_tidy(SLICE("abcdef"), out, sizeof out), 3);
    assert_string_equal(out, "ABC");
    assert_int_equal(uscc_tidy(SLICE("abcdef"), out, 1), 0);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(any_one_character_wrong),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(tidy),
        cmocka_unit_test(tidy_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
