/* SPDX-License-Identifier: Apache-2.0 */
/* Workbooks: strings, dates, empty rows, several sheets, what is damaged or too large. */
#include "lib/buf.h"

#include "source_kit.h"

#include <zip.h>

#define OFFICE "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

static const char *const columns[] = {"a", "b", "?c"};
static struct source_form form;

struct part {
    const char *name, *text;
};

static const struct part skeleton[] = {
    {"_rels/.rels", "<Relationships><Relationship Id='r' Type='" OFFICE
                    "/officeDocument' Target='/xl/book.xml'/></Relationships>"},
    {"xl/_rels/book.xml.rels",
     "<Relationships><Relationship Id='s1' Type='" OFFICE
     "/worksheet' Target='one.xml'/><Relationship Id='s2' Type='" OFFICE
     "/worksheet' Target='two.xml'/><Relationship Id='t' Type='" OFFICE
     "/sharedStrings' Target='strings.xml'/>"
     "<Relationship Id='y' Type='" OFFICE "/styles' Target='styles.xml'/></Relationships>"},
    {"xl/book.xml", "<x:workbook xmlns:x='m' xmlns:r='" OFFICE "'><x:workbookPr date1904='0'/><x:sheets>"
                    "<x:sheet name='一' r:id='s1'/><x:sheet name='二' r:id='s2'/></x:sheets></x:workbook>"},
    {"xl/styles.xml",
     "<styleSheet><numFmts><numFmt numFmtId='170' formatCode='[$-804]yyyy\"年\"m\"月\"d\"日\"'/>"
     "<numFmt numFmtId='171' formatCode='0.00\"days\"'/></numFmts><cellStyleXfs><xf "
     "numFmtId='14'/></cellStyleXfs>"
     "<cellXfs><xf/><xf numFmtId='14'/><xf numFmtId='170'/><xf numFmtId='171'/><xf "
     "numFmtId='31'/></cellXfs></styleSheet>"},
    {"xl/strings.xml", "<sst><si><t>a</t></si><si><r><t>b</t></r><r><t/></r><rPh><t>注音</t></rPh></si>"
                       "<si><t xml:space='preserve'> 平湖_x000D_\n市 &amp; </t></si></sst>"},
    {"xl/one.xml", "<worksheet><sheetData><row r='1'><c t='inlineStr'><is><t>nothing "
                   "here</t></is></c></row></sheetData></worksheet>"},
};

#define HEAD                                                                                                 \
    "<worksheet><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>title</t></is></c></row>"               \
    "<row r='2'><c r='A2' t='s'><v>0</v></c><c r='C2' t='s'><v>1</v></c></row>"

/* A workbook with that second sheet, and a part changed. */
static void pack(const char *sheet, struct part changed)
{
    int code;
    kit_file("", 0);
    zip_t *z = zip_open(kit_path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(z);
    for (size_t i = 0; i < ARRAY_LEN(skeleton); i++) {
        bool other = changed.name && strcmp(changed.name, skeleton[i].name) == 0;
        const char *text = other ? changed.text : skeleton[i].text;
        if (text)
            assert_true(zip_file_add(z, skeleton[i].name, zip_source_buffer(z, text, strlen(text), 0), 0) >=
                        0);
    }
    assert_true(zip_file_add(z, "xl/two.xml", zip_source_buffer(z, sheet, strlen(sheet), 0), 0) >= 0);
    assert_int_equal(zip_close(z), 0);
}

static struct source *open_book(const char *sheet)
{
    struct err err = {0};
    form = kit_form(FORMAT_AUTO, columns, 3);
    pack(sheet, (struct part){0});
    struct source *s = source_open(kit_path, &form, &err);
    if (!s)
        fail_msg("%s", err.msg);
    return s;
}

static void done(struct source *s)
{
    source_close(s);
    unlink(kit_path);
}

static void rows(void **state)
{
    struct source *s = open_book(
        HEAD "<row r='3'><c r='A3' t='s'><v>2</v></c><c r='C3'><v>0.91000000000000003</v></c></row>"
             "<row r='4'/><row r='6'><c r='C6' t='str'><f>A1</f><v>x</v></c></row>"
             "<row><c t='b'><v>1</v></c><c/><c t='e'><v>#N/A</v></c></row></sheetData></worksheet>");
    (void)state;
    KIT_NEXT(s, "3|平湖 \n市 &|0.91000000000000003|");
    KIT_NEXT(s, "6||x|");
    KIT_NEXT(s, "7|true|#N/A|");
    KIT_NEXT(s, "-");
    KIT_NEXT(s, "-");
    done(s);
}

static void dates(void **state)
{
    struct source *s = open_book(
        HEAD "<row r='3'><c r='A3' s='1'><v>46086</v></c><c r='C3' s='2'><v>46086.430902777778</v></c></row>"
             "<row r='4'><c r='A4' s='3'><v>46086</v></c><c r='C4' s='4'><v>46086</v></c></row>"
             "<row r='5'><c r='A5' s='0'><v>46086</v></c><c r='C5' t='d'><v>2026-03-05T00:00:00</v></c></row>"
             "<row r='6'><c r='A6' s='1'><v>60</v></c><c r='C6' s='99'><v>46086</v></c></row>"
             "</sheetData></worksheet>");
    (void)state;
    KIT_NEXT(s, "3|2026-03-05|2026-03-05T10:20:30|");
    KIT_NEXT(s, "4|46086|2026-03-05|");
    KIT_NEXT(s, "5|46086|2026-03-05T00:00:00|");
    KIT_NEXT(s, "6|60|46086|");
    done(s);
}

static void raw_rows(void **state)
{
    struct err err = {0};
    struct row row;
    struct source *s = open_book(
        HEAD "<row r='3'><c r='B3' t='inlineStr'><is><t>x \"y\", z</t></is></c><c r='D3'><v>7</v></c></row>"
             "</sheetData></worksheet>");
    (void)state;
    assert_int_equal(source_next(s, true, &row, &err), 1);
    assert_string_equal(row.raw.p, ",\"x \"\"y\"\", z\",,7");
    done(s);
}

static void positions(void **state)
{
    struct err err = {0};
    struct position at;
    const char *sheet = HEAD
        "<row r='3'><c><v>1</v></c></row><row r='5'><c><v>2</v></c></row><row r='9'><c><v>3</v></c></row>"
        "</sheetData></worksheet>";
    struct source *s = open_book(sheet);
    (void)state;
    KIT_NEXT(s, "3|1||");
    KIT_NEXT(s, "5|2||");
    source_tell(s, &at);
    source_close(s);
    s = source_open(kit_path, &form, &err);
    assert_int_equal(source_seek(s, &at, &err), 1);
    KIT_NEXT(s, "9|3||");
    done(s);
    s = open_book(HEAD "<row r='3'><c><v>1</v></c></row></sheetData></worksheet>");
    assert_int_equal(source_seek(s, &at, &err), 0);
    KIT_NEXT(s, "3|1||");
    done(s);
}

/* Reads to the end; the sentence of its fault. */
static const char *fault(const char *sheet, struct part changed, struct err *err)
{
    struct row row;
    int rc = 1;
    form = kit_form(FORMAT_AUTO, columns, 3);
    pack(sheet, changed);
    struct source *s = source_open(kit_path, &form, err);
    while (s && rc == 1)
        rc = source_next(s, true, &row, err);
    source_close(s);
    unlink(kit_path);
    assert_true(!s || rc == WW_EINPUT);
    return err->msg;
}

static void damaged(void **state)
{
    struct err err = {0};
    const char *fine = HEAD "</sheetData></worksheet>";
    static const struct {
        const char *sheet, *says;
    } sheets[] = {
        {"<worksheet><sheetData><row r='2'/><row r='2'/></sheetData></worksheet>", "not in order"},
        {"<worksheet><sheetData><row r='1'><c r='B1'/><c r='A1'/></row></sheetData></worksheet>",
         "not in order"},
        {"<worksheet><sheetData><row r='9999999'/></sheetData></worksheet>", "impossible number"},
        {"<worksheet><sheetData><row><c r='AAAAAA1'/></row></sheetData></worksheet>", "impossible place"},
        {"<!DOCTYPE x [<!ENTITY y 'z'>]><worksheet/>", "document type"},
        {"<worksheet><sheetData><row>", "at line 1"},
        {"<worksheet/>", "no column"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sheets); i++)
        if (!strstr(fault(sheets[i].sheet, (struct part){0}, &err), sheets[i].says))
            fail_msg("%s: %s", sheets[i].sheet, err.msg);
    assert_non_null(strstr(fault(fine, (struct part){"_rels/.rels", NULL}, &err), "no workbook"));
    assert_non_null(strstr(fault(fine, (struct part){"xl/book.xml", NULL}, &err), "no workbook"));
    assert_non_null(strstr(fault(fine, (struct part){"xl/strings.xml", NULL}, &err), "shared string"));
}

/* A cell that names a shared string that there is not costs its row. */
static void a_missing_string(void **state)
{
    (void)state;
    struct source *s = open_book(HEAD "<row r='3'><c t='s'><v>99</v></c><c r='C3'><v>1</v></c></row>"
                                      "<row r='4'><c t='s'><v>-1</v></c></row>"
                                      "<row r='5'><c t='s'><v>2</v></c></row></sheetData></worksheet>");
    KIT_NEXT(s, "bad 3");
    KIT_NEXT(s, "bad 4");
    KIT_NEXT(s, "5|平湖 \n市 &||");
    KIT_NEXT(s, "-");
    done(s);
}

/* Space between two rows, as much as one likes. */
static void a_sheet_of_space(void **state)
{
    struct err err = {0};
    uint64_t most = source_xlsx_sheet_max;
    size_t n = 3 * 1024 * 1024;
    char *sheet = malloc(n + 1);
    (void)state;
    assert_non_null(sheet);
    memset(sheet, ' ', n);
    sheet[n] = 0;
    memcpy(sheet, HEAD, strlen(HEAD));
    memcpy(sheet + n - 24, "</sheetData></worksheet>", 24);
    source_xlsx_sheet_max = 1024 * 1024;
    const char *said = fault(sheet, (struct part){0}, &err);
    source_xlsx_sheet_max = most;
    free(sheet);
    assert_non_null(strstr(said, "a sheet of it unpacks to more than 512 MiB; save that sheet as CSV"));
    assert_true(most == UINT64_C(512) * 1024 * 1024);
}

/* Small files that unpack to much: a text without end, a name without end. */
static void bombs(void **state)
{
    struct err err = {0};
    struct buf b = {0};
    size_t big = 40 * 1024 * 1024;
    (void)state;
    const char *head = "<worksheet><sheetData><row><c t='inlineStr'><is><t>";
    buf_put(&b, head, strlen(head));
    memset(buf_reserve(&b, big), 'x', big);
    b.n += big;
    buf_u8(&b, 0);
    assert_non_null(strstr(fault((const char *)b.p, (struct part){0}, &err), "larger than 1 MiB"));
    memcpy(b.p, "<worksheet>", 11);
    memset(b.p + 11, 'x', strlen(head) - 11);
    b.p[11] = '<';
    assert_non_null(strstr(fault((const char *)b.p, (struct part){0}, &err), "within a megabyte"));
    buf_finish(&b);
}

static void named_sheet(void **state)
{
    struct err err = {0};
    struct row row;
    struct source *s = open_book(HEAD "<row><c><v>1</v></c></row></sheetData></worksheet>");
    (void)state;
    form.sheet = slice_of("二");
    KIT_NEXT(s, "3|1||");
    source_close(s);
    form.sheet = slice_of("三");
    s = source_open(kit_path, &form, &err);
    assert_int_equal(source_next(s, true, &row, &err), WW_EINPUT);
    assert_non_null(strstr(err.msg, "no sheet \"三\""));
    done(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(dates),
        cmocka_unit_test(raw_rows),
        cmocka_unit_test(positions),
        cmocka_unit_test(damaged),
        cmocka_unit_test(bombs),
        cmocka_unit_test(a_missing_string),
        cmocka_unit_test(a_sheet_of_space),
        cmocka_unit_test(named_sheet),
    };
    return cmocka_run_group_tests_name("source_xlsx", tests, NULL, NULL);
}
