/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: the shipped ones, and each mistake with its place. */
#include "adapters/library.h"

#include "files.h"

static void shipped(void **state)
{
    static const char *const names[] = {"tax", "court", "police", "market", "subdistrict"};
    struct buf said = {0};
    struct err err = {0};
    struct kinds *kinds;
    (void)state;
    assert_int_equal(library_kinds(NULL, &kinds, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct profile *p;
        if (library_profile(names[i], &p, &said, &err) || profile_check_kinds(p, kinds, &said, &err))
            fail_msg("%s: %s %.*s", names[i], err.msg, (int)said.n, (const char *)said.p);
        assert_string_equal(p->name, names[i]);
        profile_destroy(p);
    }
    kinds_destroy(kinds);
    buf_finish(&said);
}

#define GOOD_KIND "kind: {column: k, map: {欠税: tax.arrears}}\n"
#define GOOD_REST "id: {column: no}\nsignal: {at: day, uscc: code}\n"
#define GOOD      "profile: x\n" GOOD_KIND GOOD_REST

static void mistakes(void **state)
{
    static const struct {
        const char *text, *says; /* NULL: no mistake */
    } rows[] = {
        {GOOD, NULL},
        {GOOD "timezone: \"-05:30\"\nresend_days: 0\nempty: [无]\ninput: {format: xlsx, sheet: 一, "
              "delimiter: tab}\n",
         NULL},
        {"", "f.yaml: error: \"profile\" is missing"},
        {"profile: x\n" GOOD_REST, "\"kind\" is missing"},
        {GOOD "sginal: {}\n", "f.yaml:5:1: error: unknown key \"sginal\""},
        {GOOD "sginal: {}\n", "did you mean \"signal\"?"},
        {GOOD "timezone: Shanghai\n", "f.yaml:5:11: error: \"timezone\" must be an offset"},
        {GOOD "input: {encoding: utf8}\n", "\"encoding\" cannot be \"utf8\""},
        {GOOD "input: {encoding: utf8}\n", "did you mean \"utf-8\"?"},
        {GOOD "input: {short_rows: yes}\n", "must be true or false"},
        {GOOD "resend_days: 400\n", "must be 0 to 366"},
        {"profile: X y\n" GOOD_KIND GOOD_REST, "f.yaml:1:10: error: a profile's name"},
        {"profile: x\nkind: {column: k}\n" GOOD_REST, "\"kind\" needs \"column\" and \"map\""},
        {"profile: x\nkind: {value: a.b, column: k}\n" GOOD_REST, "either \"value\""},
        {"profile: x\nkind: {column: k, map: {欠税: a.b, 欠 税: c.d}}\n" GOOD_REST, "there twice"},
        {"profile: x\n" GOOD_KIND "id: {}\nsignal: {at: day, uscc: code}\n", "\"id\" needs"},
        {"profile: x\n" GOOD_KIND "id: {hash: [enterprise, date]}\nsignal: {at: day, uscc: code}\n",
         "\"hash\" cannot be \"date\""},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {uscc: code}\n", "needs \"at\""},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day}\n", "needs \"uscc\" or \"name\""},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day, uscc: c, amount: {column: m, unit: yen}}\n",
         "\"unit\" cannot be \"yen\""},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day, uscc: c, people: {column: m, unit: yuan}}\n",
         "unknown key \"unit\" in \"people\""},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day, uscc: c, region: {value: \"3304\"}}\n",
         "6, 9 or 12 digits"},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day, uscc: c, region: {column: r, digits: 8}}\n",
         "\"digits\" must be 6, 9 or 12"},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day, uscc: c, owner: 法人}\n", "needs \"salt\""},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day, uscc: c, owner: {column: 法人}}\n",
         "needs \"salt\""},
        {"profile: x\n" GOOD_KIND
         "id: no\nsignal: {at: day, uscc: c, owner: {column: 法人, salt: nowhere}}\n",
         "nowhere: cannot read"},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: day, uscc: c, role: {value: boss}}\n",
         "the role must be"},
        {"profile: x\n" GOOD_KIND "id: no\nsignal: {at: [day], uscc: c}\n", "must be a map"},
        {"profile: [x\n", "f.yaml:"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct profile *p;
        struct buf said = {0};
        struct err err = {0};
        int rc = profile_parse("f.yaml", slice_of(rows[i].text), &p, &said, &err);
        buf_u8(&said, 0);
        bool ok =
            rows[i].says ? rc == WW_ECONFIG && !p && strstr((const char *)said.p, rows[i].says) : rc == 0;
        if (!ok)
            fail_msg("%s\n-> %d %s", rows[i].text, rc, (const char *)said.p);
        profile_destroy(p);
        buf_finish(&said);
    }
}

static void kinds_are_checked(void **state)
{
    struct profile *p;
    struct buf said = {0};
    struct err err = {0};
    struct kinds *kinds;
    (void)state;
    assert_int_equal(library_kinds(NULL, &kinds, &err), 0);
    assert_int_equal(
        profile_parse("f.yaml",
                      SLICE("profile: x\nkind:\n  column: k\n  map:\n    欠税: tax.arears\n" GOOD_REST), &p,
                      &said, &err),
        0);
    assert_int_equal(profile_check_kinds(p, kinds, &said, &err), WW_ECONFIG);
    buf_u8(&said, 0);
    assert_non_null(
        strstr((const char *)said.p, "f.yaml:5:9: error: no such kind of signal: \"tax.arears\""));
    assert_non_null(strstr((const char *)said.p, "did you mean \"tax.arrears\"?"));
    profile_destroy(p);
    kinds_destroy(kinds);
    buf_finish(&said);
}

static void names(void **state)
{
    struct profile *p;
    struct buf said = {0};
    struct err err = {0};
    (void)state;
    assert_int_equal(library_profile("txa", &p, &said, &err), WW_ECONFIG);
    assert_non_null(strstr(err.msg, "did you mean \"tax\""));
    assert_int_equal(library_profile("something-else", &p, &said, &err), WW_ECONFIG);
    assert_non_null(strstr(err.msg, "market"));
    assert_int_equal(library_profile("./not-there.yaml", &p, &said, &err), WW_ECONFIG);
    assert_non_null(strstr(err.msg, "not-there.yaml"));
    buf_finish(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(kinds_are_checked),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
