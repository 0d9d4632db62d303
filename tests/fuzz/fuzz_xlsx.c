/* SPDX-License-Identifier: Apache-2.0 */
/* Exports as workbooks. The zip around the parts would keep a fuzzer busy with check sums, so the bytes are
 * the parts themselves: sheet, strings and styles, each behind a line "=== NAME", packed here. What is no
 * such text is taken as a whole zip file. */
#include "source_kit.h"

#include <zip.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define REL "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
static const struct {
    const char *name, *text;
} fixed[] = {
    {"_rels/.rels", "<R><Relationship Id='a' Type='" REL "/officeDocument' Target='xl/workbook.xml'/></R>"},
    {"xl/_rels/workbook.xml.rels", "<R><Relationship Id='s' Type='" REL "/worksheet' Target='sheet.xml'/>"
                                   "<Relationship Id='t' Type='" REL "/sharedStrings' Target='strings.xml'/>"
                                   "<Relationship Id='y' Type='" REL "/styles' Target='styles.xml'/></R>"},
    {"xl/workbook.xml", "<w xmlns:r='" REL "'><workbookPr date1904='1'/><sheet name='x' r:id='s'/></w>"},
};

static void add(zip_t *z, const char *name, const void *p, size_t n)
{
    zip_source_t *src = zip_source_buffer(z, p, n, 0);
    if (src && zip_file_add(z, name, src, ZIP_FL_OVERWRITE) < 0)
        zip_source_free(src);
}

static void pack(const char *path, const char *text, size_t n)
{
    int code;
    zip_t *z = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    const char *end = text + n;
    if (!z)
        abort();
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        add(z, fixed[i].name, fixed[i].text, strlen(fixed[i].text));
    while (text < end && (text = memmem(text, (size_t)(end - text), "=== ", 4))) {
        const char *name = text + 4, *nl = memchr(name, '\n', (size_t)(end - name));
        if (!nl)
            break;
        const char *next = memmem(nl, (size_t)(end - nl), "\n=== ", 5);
        char full[64];
        snprintf(full, sizeof full, "xl/%.*s.xml", (int)(nl - name > 32 ? 32 : nl - name), name);
        add(z, full, nl + 1, next == nl ? 0 : (size_t)((next ? next : end) - (nl + 1)));
        text = next ? next + 1 : end;
    }
    if (zip_close(z) != 0)
        zip_discard(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct source_form form = {.format = FORMAT_XLSX};
    kit_column(&form, "a", true);
    kit_column(&form, "b", true);
    kit_column(&form, "c", false);
    if (n >= 2 && p[0] == 'P' && p[1] == 'K') {
        kit_bytes(p, n, &form);
        return 0;
    }
    char path[64];
    snprintf(path, sizeof path, "/tmp/fuzz-xlsx-%d", (int)getpid());
    pack(path, (const char *)p, n);
    kit_run(path, &form);
    unlink(path);
    return 0;
}
