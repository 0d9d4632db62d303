/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to signals: what is mended, what is refused and why, what identifies a row. */
#include "adapters/library.h"
#include "adapters/map.h"
#include "lib/calendar.h"

#include "files.h"

static const char text[] = "profile: t\n"
                           "kind: {column: kind, map: {欠税: tax.arrears, 失联: police.owner_missing}}\n"
                           "id: {column: no, hash: [enterprise, category, at]}\n"
                           "signal:\n"
                           "  uscc: code\n"
                           "  name: name\n"
                           "  at: day\n"
                           "  amount: {column: sum, unit: 万元}\n"
                           "  people: people\n"
                           "  region: {column: grid, digits: 9, value: \"330482\"}\n"
                           "  note: note\n"
                           "  role: role\n"
                           "  attrs: {office: office, heads: {column: heads, number: true}, pay: {column: pay, unit: 元},\n"
                           "          \"tag:t\": {column: until, form: auto}}\n";

#define CODE "91350100M000100Y43" /* the standard's own example */

static struct profile *profile;
static struct kinds *kinds;
static struct arena arena;
static int64_t now;

static int set_up(void **state)
{
    struct buf said = {0};
    struct err err = {0};
    (void)state;
    now = civil_to_ms(2026, 3, 20, OFFSET_CHINA_MS);
    if (profile_parse("t.yaml", slice_of(text), &profile, &said, &err) || library_kinds(NULL, &kinds, &err))
        fail_msg("%s %.*s", err.msg, (int)said.n, (const char *)said.p);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    profile_destroy(profile);
    kinds_destroy(kinds);
    arena_finish(&arena);
    return 0;
}

/* A row from "column", "text", ..., NULL over a good one. */
static struct mapped map(const char *const *pairs, uint8_t type)
{
    static struct cell cells[SOURCE_COLUMNS_MAX];
    struct row row = {.record = 1, .line = 1, .cells = cells};
    struct mapped m;
    const char *good[] = {"kind", "欠税",     "no",  "T1",         "code", CODE,
                          "name", "示例一号", "day", "2026-03-05", NULL};
    memset(cells, 0, sizeof cells);
    for (int pass = 0; pass < 2; pass++)
        for (const char *const *p = pass ? pairs : good; p && p[0]; p += 2)
            for (size_t i = 0; i < profile->form.n_columns; i++)
                if (slice_is(profile->form.columns[i].names[0], p[0]))
                    cells[i] = (struct cell){p[1][0] ? (pass ? type : CELL_TEXT) : CELL_NONE, slice_of(p[1])};
    map_row(profile, kinds, &row, now, &arena, &m);
    return m;
}
#define MAP(...) map((const char *const[]){__VA_ARGS__, NULL}, CELL_TEXT)

static void assert_text(struct slice got, const char *want)
{
    if (!slice_is(got, want))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(got), want);
}

static void good(void **state)
{
    struct mapped m = MAP("sum", "1.5", "people", "6人", "grid", "330482101003", "note", "第一行\n第二行",
                          "role", "sub", "office", "一所");
    (void)state;
    assert_int_equal(m.class, ROW_SIGNAL);
    assert_text(m.signal.id, "T1");
    assert_text(m.signal.kind, "tax.arrears");
    assert_text(m.signal.uscc, CODE);
    assert_text(m.signal.name, "示例一号");
    assert_true(m.signal.at == civil_to_ms(2026, 3, 5, OFFSET_CHINA_MS));
    assert_true(m.signal.amount == 1500000 && m.signal.people == 6);
    assert_text(m.signal.region, "330482101");
    assert_text(m.signal.note, "第一行\n第二行");
    assert_int_equal(m.signal.role, ROLE_SUB);
    assert_int_equal(m.signal.n_attrs, 1);
    assert_text(m.signal.attrs[0].text, "一所");
}

static void mended(void **state)
{
    (void)state;
    assert_text(MAP("code", "９１３５０１００ｍ０００１００Ｙ４３").signal.uscc, CODE);
    assert_text(MAP("code", "91350100m000100y43\t ").signal.uscc, CODE);
    assert_text(MAP("code", "'" CODE).signal.uscc, CODE);
    assert_text(MAP("kind", " 欠　税 ").signal.kind, "tax.arrears");
    assert_text(MAP("no", "（２０２６）ＷＧ－１").signal.id, "（2026）WG-1"); /* brackets stay */
    assert_text(MAP("grid", "３３０４８２００１").signal.region, "330482001");
    assert_text(MAP("grid", "").signal.region, "330482");
    assert_text(MAP("grid", "无").signal.region, "330482");
    assert_null(MAP("sum", "-").signal.note.p);
    assert_true(MAP("sum", "—").signal.amount == NO_INT);
    assert_text(MAP("code", "无").signal.name, "示例一号");
    assert_null(MAP("code", "无").signal.uscc.p);
}

static void damaged_names(void **state)
{
    (void)state;
    struct mapped m = MAP("name", "示例?号");
    assert_int_equal(m.class, ROW_SIGNAL); /* the code says who it is; the broken name stays behind */
    assert_null(m.signal.name.p);
    assert_string_equal(MAP("kind", "欠\xEF\xBF\xBD").code, "bad_field"); /* else it would be ignored */
    assert_string_equal(MAP("no", "T\xEF\xBF\xBD").code, "bad_field");
    assert_null(MAP("name", "示例\xEF\xBF\xBD号").signal.name.p);
    m = MAP("name", "示例?号", "code", "");
    assert_int_equal(m.class, ROW_REFUSED);
    assert_string_equal(m.code, "bad_field");
}

static void refused(void **state)
{
    static const struct {
        const char *column, *text, *code;
    } rows[] = {
        {"code", "91350100M000100Y44", "bad_uscc"}, /* and never taken by its name */
        {"code", "91350100M", "bad_uscc"},
        {"day", "2099-12-31", "bad_time"},
        {"day", "1999-12-31", "bad_time"},
        {"day", "soon", "bad_time"},
        {"day", "", "missing_field"},
        {"kind", "", "missing_field"},
        {"sum", "-1", "bad_field"},
        {"sum", "much", "bad_field"},
        {"people", "-2", "bad_field"},
        {"people", "2.5", "bad_field"},
        {"grid", "3304821", "bad_region"},
        {"grid", "somewhere", "bad_region"},
        {"role", "boss", "bad_field"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mapped m = MAP(rows[i].column, rows[i].text);
        if (m.class != ROW_REFUSED || strcmp(m.code, rows[i].code) != 0 || !m.why[0])
            fail_msg("%s %s: %d %s", rows[i].column, rows[i].text, m.class,
                     m.class == ROW_REFUSED ? m.code : "");
    }
    struct mapped m = MAP("code", "", "name", "");
    assert_string_equal(m.code, "no_enterprise");
    m = map((const char *const[]){"sum", "x", NULL}, CELL_OTHER);
    assert_string_equal(m.code, "bad_field");
    char name[256];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_string_equal(MAP("name", name).code, "too_large");
}

static void ignored(void **state)
{
    (void)state;
    assert_int_equal(MAP("kind", "信用变更", "code", "wrong", "day", "").class, ROW_IGNORED);
}

static void long_texts(void **state)
{
    char many[4000];
    (void)state;
    for (size_t i = 0; i + 3 < sizeof many; i += 3)
        memcpy(many + i, "\xE5\xB9\xB3", 4);
    struct mapped m = MAP("note", many, "no", many);
    assert_int_equal(m.class, ROW_SIGNAL);
    assert_int_equal(m.signal.note.n, 1023); /* whole characters */
    assert_int_equal(m.signal.id.n, 32);
    assert_true(slice_eq(m.signal.id, MAP("no", many).signal.id));
}

/* A row without a number is known by who, what and when, in whatever form they are written. */
static void identity(void **state)
{
    (void)state;
    struct slice id = MAP("no", "").signal.id;
    assert_int_equal(id.n, 32);
    assert_true(slice_eq(
        id,
        MAP("no", "无", "day", "2026年3月5日", "code", "91350100m000100y43 ", "name", "other").signal.id));
    assert_false(slice_eq(id, MAP("no", "", "day", "2026-03-06").signal.id));
    assert_false(slice_eq(id, MAP("no", "", "kind", "失联").signal.id));
    struct slice named = MAP("no", "", "code", "", "name", "示例（一）号").signal.id;
    assert_false(slice_eq(id, named));
    assert_true(slice_eq(named, MAP("no", "", "code", "", "name", " 示例(一)号").signal.id));
    assert_text(id, "f7ed96e83a9162385c3aae300daec99a"); /* for ever: else rows that were sent count again */
}

/* A register's attrs: numbers, money and days become what the daemon reads, or the row is refused. */
static void attrs(void **state)
{
    struct mapped m = MAP("office", "x", "heads", "1,200", "pay", "7200000.50", "until", "2026/12/31");
    static const int64_t want[] = {NO_INT, 1200, 720000050, 0};
    (void)state;
    assert_int_equal(m.signal.n_attrs, 4);
    assert_text(m.signal.attrs[0].text, "x");
    for (int i = 1; i < 3; i++)
        assert_true(m.signal.attrs[i].number == want[i] && !m.signal.attrs[i].text.p);
    assert_text(m.signal.attrs[3].key, "tag:t");
    assert_true(m.signal.attrs[3].number == civil_to_ms(2026, 12, 31, OFFSET_CHINA_MS));
    assert_int_equal(MAP("heads", "").signal.n_attrs, 0);
    assert_string_equal(MAP("heads", "many").code, "bad_field");
    assert_string_equal(MAP("pay", "much").code, "bad_field");
    assert_string_equal(MAP("until", "soon").code, "bad_field");
}

static void numbers_as_dates(void **state)
{
    struct mapped m = map((const char *const[]){"day", "46086", NULL}, CELL_NUMBER);
    (void)state;
    assert_true(m.signal.at == civil_to_ms(2026, 3, 5, OFFSET_CHINA_MS));
    m = map((const char *const[]){"day", "20260305", NULL}, CELL_NUMBER);
    assert_true(m.signal.at == civil_to_ms(2026, 3, 5, OFFSET_CHINA_MS));
    assert_string_equal(MAP("day", "46086").code, "bad_time"); /* a text is no serial number */
}

static void faults(void **state)
{
    struct row row = {.record = 1, .line = 1, .fault = ROW_TRUNCATED, .why = "cut"};
    struct mapped m;
    (void)state;
    map_row(profile, kinds, &row, now, &arena, &m);
    assert_string_equal(m.code, "truncated");
    row.fault = ROW_BAD;
    map_row(profile, kinds, &row, now, &arena, &m);
    assert_string_equal(m.code, "bad_row");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),     cmocka_unit_test(mended),  cmocka_unit_test(damaged_names),
        cmocka_unit_test(refused),  cmocka_unit_test(ignored), cmocka_unit_test(long_texts),
        cmocka_unit_test(identity), cmocka_unit_test(faults),  cmocka_unit_test(numbers_as_dates),
        cmocka_unit_test(attrs),
    };
    return cmocka_run_group_tests_name("map", tests, set_up, tear_down);
}
