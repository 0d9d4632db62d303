/* SPDX-License-Identifier: Apache-2.0 */
/* lib/signal: each limit of PROTOCOL from both sides, and which fault is told when there are several. */
#include "lib/kind.h"
#include "lib/region.h"
#include "lib/signal.h"

#include "files.h"

static struct arena arena;
static struct kinds *kinds;
static struct regions *regions;

#define NOW INT64_C(1790000000000)

static const struct signal good = {
    .id = {"tax-1", 5},
    .kind = {"tax.arrears", 11},
    .at = INT64_C(1764432000000),
    .uscc = {"91350100M000100Y43", 18},
    .amount = NO_INT,
    .people = NO_INT,
    .since = NO_INT,
};

static struct reject why;

static int check(const struct signal *s)
{
    why = (struct reject){.field = "untouched"};
    int rc = signal_check(s, kinds, regions, NOW, &why);
    assert_int_equal(rc, why.code);
    return rc;
}

static void expect(const struct signal *s, enum reject_code code, const char *field, const char *what)
{
    int rc = check(s);
    if (rc != (int)code)
        fail_msg("%s, not %s (%s)", rc ? reject_wire((unsigned)rc) : "taken", reject_wire(code),
                 why.what ? why.what : "");
    assert_string_equal(why.field, field);
    if (what)
        assert_string_equal(why.what, what);
}

/* A signal that is good but for one text. */
static struct signal with_text(size_t offset, struct slice text)
{
    struct signal s = good;
    *(struct slice *)((char *)&s + offset) = text;
    return s;
}

static struct slice filled(size_t n)
{
    return (struct slice){memset(arena_alloc(&arena, n + 1), 'x', n), n};
}

static void good_ones(void **state)
{
    (void)state;
    assert_int_equal(check(&good), 0);
    assert_null(why.field);
    struct signal full = good;
    full.name = SLICE("平湖市示例纺织有限公司");
    full.region = SLICE("330482001");
    full.industry = SLICE("C1711");
    full.amount = 0;
    full.people = INT64_MAX;
    full.since = 0;
    full.project = SLICE("p");
    full.role = ROLE_SUB;
    full.owner = SLICE("0123456789abcdefABCDEF0123456789");
    full.status = STATUS_EXERCISE;
    full.ref = SLICE("平税风〔2026〕00101号");
    full.note = SLICE("x");
    full.cancels = SLICE("tax-0");
    full.attrs[0] = (struct signal_attr){SLICE("credit"), SLICE("A"), NO_INT};
    full.attrs[1] = (struct signal_attr){SLICE("headcount"), {0}, -1};
    full.n_attrs = 2;
    assert_int_equal(check(&full), 0);
    struct signal name_only = good;
    name_only.uscc = (struct slice){0};
    name_only.name = SLICE("某公司");
    assert_int_equal(check(&name_only), 0);
}

static void must_haves(void **state)
{
    (void)state;
    struct signal s = {.at = NO_INT, .amount = NO_INT, .people = NO_INT, .since = NO_INT};
    expect(&s, REJECT_MISSING_FIELD, "id", NULL);
    s.id = good.id;
    expect(&s, REJECT_MISSING_FIELD, "kind", NULL);
    s.kind = SLICE("no.such");
    expect(&s, REJECT_MISSING_FIELD, "at", NULL);
    s.at = good.at;
    expect(&s, REJECT_UNKNOWN_KIND, "kind", NULL);
    s.kind = good.kind;
    expect(&s, REJECT_NO_ENTERPRISE, "uscc", NULL);
    s.uscc = good.uscc;
    assert_int_equal(check(&s), 0);
}

static void lengths_of_texts(void **state)
{
    (void)state;
    static const struct {
        size_t offset, most;
        const char *field, *sentence;
    } t[] = {
        {offsetof(struct signal, id), 64, "id", "id is longer than 64 bytes"},
        {offsetof(struct signal, name), 200, "name", "name is longer than 200 bytes"},
        {offsetof(struct signal, project), 64, "project", "project is longer than 64 bytes"},
        {offsetof(struct signal, ref), 128, "ref", "ref is longer than 128 bytes"},
        {offsetof(struct signal, note), 1024, "note", "note is longer than 1024 bytes"},
        {offsetof(struct signal, cancels), 64, "cancels", "cancels is longer than 64 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct signal s = with_text(t[i].offset, filled(t[i].most));
        assert_int_equal(check(&s), 0);
        s = with_text(t[i].offset, filled(t[i].most + 1));
        expect(&s, REJECT_TOO_LARGE, t[i].field, t[i].sentence);
        s = with_text(t[i].offset, SLICE(""));
        expect(&s, REJECT_BAD_FIELD, t[i].field, NULL);
        s = with_text(t[i].offset, SLICE("a\xff"));
        expect(&s, REJECT_BAD_FIELD, t[i].field, NULL);
    }
    struct signal blank = with_text(offsetof(struct signal, name), SLICE(" 　"));
    expect(&blank, REJECT_BAD_FIELD, "name", "name is nothing but spaces");
}

static void expect_text(size_t offset, const char *text, enum reject_code code, const char *field)
{
    struct signal s = with_text(offset, slice_of(text));
    if (code)
        expect(&s, code, field, NULL);
    else if (check(&s))
        fail_msg("%s \"%s\" was refused: %s", field, text, why.what);
}

static void kinds_and_codes(void **state)
{
    (void)state;
    static const char *const bad_kinds[] = {"", "tax", "tax.arrear", "TAX.ARREARS", "tax.arrears ", "\xff"};
    static const char *const bad_codes[] = {"",
                                            "9",
                                            "91350100M000100Y44",
                                            "91350100m000100y43",
                                            "000000000000000000",
                                            "\xff",
                                            "91350100M000100Y433"};
    for (size_t i = 0; i < ARRAY_LEN(bad_kinds); i++)
        expect_text(offsetof(struct signal, kind), bad_kinds[i], REJECT_UNKNOWN_KIND, "kind");
    struct signal s = with_text(offsetof(struct signal, kind), filled(100000));
    expect(&s, REJECT_UNKNOWN_KIND, "kind", NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad_codes); i++)
        expect_text(offsetof(struct signal, uscc), bad_codes[i], REJECT_BAD_USCC, "uscc");
    s = with_text(offsetof(struct signal, uscc), SLICE("91350100M000100Y44"));
    s.name = SLICE("a name does not mend a code");
    expect(&s, REJECT_BAD_USCC, "uscc", "the check character is wrong: expected 3");
}

static void places(void **state)
{
    (void)state;
    static const char *const fine[] = {"330482",    "330482001", "330482999", "330482001999", "441900",
                                       "441900003", "620201",    "460400",    "429004001",    "659001"};
    static const char *const bad[] = {"",         "33",         "3304",          "33048",        "3304820",
                                      "33048200", "3304820011", "3304820019999", "330499",       "330499001",
                                      "990000",   "33048a",     "330482 ",       "３３０４８２", "\xff"};
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        expect_text(offsetof(struct signal, region), fine[i], REJECT_NONE, "region");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        expect_text(offsetof(struct signal, region), bad[i], REJECT_BAD_REGION, "region");
}

static void forms(void **state)
{
    (void)state;
    static const char *const industries[] = {"E", "C17", "C171", "C1711"};
    static const char *const no_industries[] = {"", "C1", "C17111", "17", "CC7", "e47", "C1x", "门"};
    static const char *const no_owners[] = {"", "0123456789abcdef0123456789abcde",
                                            "0123456789abcdef0123456789abcdef0",
                                            "0123456789abcdef0123456789abcdeg"};
    for (size_t i = 0; i < ARRAY_LEN(industries); i++)
        expect_text(offsetof(struct signal, industry), industries[i], REJECT_NONE, "industry");
    for (size_t i = 0; i < ARRAY_LEN(no_industries); i++)
        expect_text(offsetof(struct signal, industry), no_industries[i], REJECT_BAD_FIELD, "industry");
    for (size_t i = 0; i < ARRAY_LEN(no_owners); i++)
        expect_text(offsetof(struct signal, owner), no_owners[i], REJECT_BAD_FIELD, "owner");
}

static void times(void **state)
{
    (void)state;
    static const struct {
        int64_t at;
        bool fine;
    } t[] = {
        {NOW, true},         {NOW + DAY_MS, true},          {NOW + DAY_MS + 1, false},
        {INT64_MAX, false},  {INT64_C(946684800000), true}, {INT64_C(946684799999), false},
        {1764432000, false}, /* seconds */
        {-1, false},         {NO_INT + 1, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct signal s = good;
        s.at = t[i].at;
        if (t[i].fine)
            assert_int_equal(check(&s), 0);
        else
            expect(&s, REJECT_BAD_TIME, "at", NULL);
    }
}

static void numbers(void **state)
{
    (void)state;
    struct signal s = good;
    s.since = -1;
    expect(&s, REJECT_BAD_FIELD, "since", NULL);
    s.people = -1;
    expect(&s, REJECT_BAD_FIELD, "people", "people is below 0");
    s.amount = NO_INT + 1;
    expect(&s, REJECT_BAD_FIELD, "amount", "amount is below 0");
}

static void attrs(void **state)
{
    (void)state;
    static const struct signal_attr bad[] = {
        {{"", 0}, {"A", 1}, NO_INT},
        {{"\xff", 1}, {"A", 1}, NO_INT},
        {{"k", 1}, {"", 0}, NO_INT},
        {{"k", 1}, {"\xc0\x80", 2}, NO_INT},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct signal s = good;
        s.attrs[0] = (struct signal_attr){SLICE("fine"), SLICE("x"), NO_INT};
        s.attrs[1] = bad[i];
        s.n_attrs = 2;
        expect(&s, REJECT_BAD_FIELD, "attrs", NULL);
    }
}

static void attrs_have_a_length(void **state)
{
    static char filler[1025];
    struct signal s = good;
    (void)state;
    memset(filler, 'x', sizeof filler);
    s.n_attrs = 1;
    s.attrs[0] = (struct signal_attr){{filler, 64}, {filler, 1024}, NO_INT};
    assert_int_equal(check(&s), 0);
    s.attrs[0].key.n = 65;
    expect(&s, REJECT_TOO_LARGE, "attrs", "a key of attrs is longer than 64 bytes");
    s.attrs[0] = (struct signal_attr){{filler, 1}, {filler, 1025}, NO_INT};
    expect(&s, REJECT_TOO_LARGE, "attrs", "a text of attrs is longer than 1024 bytes");
}

static int setup(void **state)
{
    (void)state;
    if (kinds_parse(&kinds, "kinds.csv", test_file(&arena, "config/kinds.csv"), NULL))
        return -1;
    return regions_parse(&regions, "regions.csv", test_file(&arena, "config/regions.csv"), NULL);
}

static int teardown(void **state)
{
    (void)state;
    kinds_destroy(kinds);
    regions_destroy(regions);
    arena_finish(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),       cmocka_unit_test(must_haves), cmocka_unit_test(lengths_of_texts),
        cmocka_unit_test(kinds_and_codes), cmocka_unit_test(places),     cmocka_unit_test(forms),
        cmocka_unit_test(times),           cmocka_unit_test(numbers),    cmocka_unit_test(attrs),
        cmocka_unit_test(attrs_have_a_length),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
