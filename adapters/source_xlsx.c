/* SPDX-License-Identifier: Apache-2.0 */
/* Workbooks (.xlsx): opens the zip, gives each part to an incremental parser, and stops it at the end of each
 * row; the only door to libzip and expat. What the parts mean is workbook's business.
 *
 * A small file may unpack to anything: each part is read as a stream, its unpacked bytes are counted against
 * a limit, and a token of XML that does not end within a megabyte is refused. Document types (and with them
 * entities) too. */
#include "adapters/workbook.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zip.h>

enum { CHUNK = 64 * 1024, TOKEN_MAX = 1024 * 1024, ATTRS_MAX = 64, ENTRIES_MAX = 65536 };

static const uint64_t PART_MAX = UINT64_C(512) * 1024 * 1024;
uint64_t source_xlsx_sheet_max = UINT64_C(512) * 1024 * 1024;

struct part {
    zip_file_t *file;
    XML_Parser parser;
    const struct part_reader *reader;
    struct workbook *wb;
    uint64_t bytes, most; /* unpacked so far; at most */
    bool last;            /* the final bytes were given to the parser */
    bool paused;          /* the parser stopped at the end of a row */
    bool done;
};

struct xlsx_source {
    struct source base;
    zip_t *zip;
    struct workbook wb;
    struct part part;
    size_t sheet; /* the one being read */
    bool opened;  /* a sheet is open, perhaps before its header */
    struct header header;
    uint64_t record, line; /* of the row last given */
    struct position whole; /* size and check of the file */
    uint64_t skip;         /* rows up to this one were given before */
    struct arena arena, scratch;
};

/* ---- a part as a stream of elements ---- */

static const char *local(const char *name)
{
    const char *bar = strrchr(name, '|'); /* "namespace|name" */
    return bar ? bar + 1 : name;
}

static void halt(struct part *p)
{
    if (p->wb->fault)
        XML_StopParser(p->parser, XML_FALSE);
    else if (p->wb->row_done)
        XML_StopParser(p->parser, XML_TRUE);
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attrs)
{
    struct part *p = arg;
    const char *plain[ATTRS_MAX * 2 + 1];
    size_t n = 0;
    if (p->wb->fault)
        return;
    for (; attrs[n] && n < (size_t)ATTRS_MAX * 2; n += 2) {
        plain[n] = local(attrs[n]);
        plain[n + 1] = attrs[n + 1];
    }
    plain[n] = NULL;
    p->reader->start(p->wb, local(name), plain);
    halt(p);
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
    struct part *p = arg;
    if (p->wb->fault)
        return;
    p->reader->end(p->wb, local(name));
    halt(p);
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int n)
{
    struct part *p = arg;
    if (!p->wb->fault && n > 0)
        p->reader->text(p->wb, text, (size_t)n);
    halt(p);
}

static void XMLCALL on_doctype(void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid,
                               int has)
{
    struct part *p = arg;
    (void)name, (void)sysid, (void)pubid, (void)has;
    p->wb->fault = "it has a document type, which no spreadsheet program writes";
    halt(p);
}

static void part_close(struct part *p)
{
    if (p->parser)
        XML_ParserFree(p->parser);
    if (p->file)
        zip_fclose(p->file);
    *p = (struct part){0};
}

/* WW_ENOTFOUND without a sentence: there is no such part. */
static int part_open(struct xlsx_source *s, struct part *p, const char *name,
                     const struct part_reader *reader, uint64_t most, struct err *err)
{
    zip_int64_t at = zip_name_locate(s->zip, name, 0);
    if (at < 0)
        return WW_ENOTFOUND;
    *p = (struct part){.reader = reader, .wb = &s->wb, .most = most};
    p->file = zip_fopen_index(s->zip, (zip_uint64_t)at, 0);
    if (!p->file)
        return err_set(err, WW_EINPUT, "%s: cannot unpack %s: %s", s->base.path, name, zip_strerror(s->zip));
    p->parser = XML_ParserCreateNS(NULL, '|');
    if (!p->parser)
        abort();
    XML_SetUserData(p->parser, p);
    XML_SetElementHandler(p->parser, on_start, on_end);
    XML_SetCharacterDataHandler(p->parser, on_text);
    XML_SetStartDoctypeDeclHandler(p->parser, on_doctype);
    return 0;
}

static int part_fault(struct xlsx_source *s, struct part *p, struct err *err)
{
    if (s->wb.fault)
        return err_set(err, WW_EINPUT, "%s: cannot be read as a workbook: %s", s->base.path, s->wb.fault);
    return err_set(err, WW_EINPUT, "%s: cannot be read as a workbook: %s at line %lu of its XML",
                   s->base.path, XML_ErrorString(XML_GetErrorCode(p->parser)),
                   (unsigned long)XML_GetCurrentLineNumber(p->parser));
}

/* What the parser said: 0 go on. */
static int take(struct xlsx_source *s, struct part *p, enum XML_Status status, struct err *err)
{
    if (status == XML_STATUS_ERROR || s->wb.fault)
        return part_fault(s, p, err);
    p->paused = status == XML_STATUS_SUSPENDED;
    XML_Index at = XML_GetCurrentByteIndex(p->parser);
    if (!p->paused && !p->last && at >= 0 && p->bytes - (uint64_t)at > TOKEN_MAX) {
        s->wb.fault = "a piece of its XML does not end within a megabyte";
        return part_fault(s, p, err);
    }
    p->done = p->last && !p->paused;
    return 0;
}

/* Runs the parser until it pauses or the part is done. */
static int part_run(struct xlsx_source *s, struct part *p, struct err *err)
{
    int rc = 0;
    if (p->paused)
        rc = take(s, p, XML_ResumeParser(p->parser), err);
    while (!rc && !p->paused && !p->done) {
        void *room = XML_GetBuffer(p->parser, CHUNK);
        zip_int64_t got = room ? zip_fread(p->file, room, CHUNK) : -1;
        if (got < 0)
            return err_set(err, WW_EINPUT, "%s: is damaged: %s", s->base.path, zip_file_strerror(p->file));
        p->bytes += (uint64_t)got;
        p->last = got == 0;
        if (p->bytes > p->most) {
            s->wb.fault = p->reader == &read_rows
                              ? "a sheet of it unpacks to more than 512 MiB; save that sheet as CSV"
                              : "a part of it unpacks to more than 512 MiB";
            return part_fault(s, p, err);
        }
        rc = take(s, p, XML_ParseBuffer(p->parser, (int)got, p->last), err);
    }
    return rc;
}

/* Reads a whole part. A missing one is WW_ENOTFOUND. */
static int read_part(struct xlsx_source *s, const char *name, const struct part_reader *reader,
                     struct err *err)
{
    struct part p = {0};
    int rc = part_open(s, &p, name, reader, PART_MAX, err);
    if (!rc)
        rc = part_run(s, &p, err);
    part_close(&p);
    return rc;
}

/* ---- the workbook ---- */

static int not_a_workbook(struct xlsx_source *s, const char *what, struct err *err)
{
    return err_set(err, WW_EINPUT, "%s: is no workbook: it has no %s", s->base.path, what);
}

/* "xl/workbook.xml" -> "xl/_rels/workbook.xml.rels", and *base "xl/" */
static const char *relations_of(struct xlsx_source *s, const char *part, const char **base)
{
    const char *slash = strrchr(part, '/');
    int n = slash ? (int)(slash + 1 - part) : 0;
    *base = arena_printf(&s->wb.arena, "%.*s", n, part);
    return arena_printf(&s->wb.arena, "%.*s_rels/%s.rels", n, part, part + n);
}

/* Reads a part that a workbook may do without. */
static int read_if_there(struct xlsx_source *s, const char *base, const char *kind,
                         const struct part_reader *reader, struct err *err)
{
    const char *part = workbook_target(&s->wb, base, kind, NULL);
    int rc = part ? read_part(s, part, reader, err) : 0;
    return rc == WW_ENOTFOUND ? 0 : rc;
}

static int read_workbook_parts(struct xlsx_source *s, struct err *err)
{
    const char *base;
    int rc = read_part(s, "_rels/.rels", &read_relations, err);
    if (rc)
        return rc == WW_ENOTFOUND ? not_a_workbook(s, "_rels/.rels", err) : rc;
    const char *book = workbook_target(&s->wb, "", "officeDocument", NULL);
    if (!book)
        return not_a_workbook(s, "main part", err);
    rc = read_part(s, book, &read_workbook, err);
    if (rc)
        return rc == WW_ENOTFOUND ? not_a_workbook(s, book, err) : rc;
    s->wb.n_relations = 0;
    rc = read_part(s, relations_of(s, book, &base), &read_relations, err);
    if (rc)
        return rc == WW_ENOTFOUND ? not_a_workbook(s, "relations of its main part", err) : rc;
    if ((rc = read_if_there(s, base, "styles", &read_styles, err)) ||
        (rc = read_if_there(s, base, "sharedStrings", &read_strings, err)))
        return rc;
    for (size_t i = 0; i < s->wb.n_sheets; i++)
        s->wb.sheets[i].part = workbook_target(&s->wb, base, NULL, s->wb.sheets[i].rel);
    return 0;
}

/* ---- rows ---- */

/* 1: s->wb holds the next row of the sheet that is open; 0: the sheet is done. */
static int sheet_row(struct xlsx_source *s, struct err *err)
{
    workbook_begin_row(&s->wb);
    int rc = part_run(s, &s->part, err);
    if (rc)
        return rc;
    return s->wb.row_done;
}

static struct slice text_of(const struct xlsx_source *s, const struct sheet_cell *c)
{
    return (struct slice){(const char *)s->wb.row_text.p + c->at, c->n};
}

/* The header: does this row have all the columns wanted? */
static bool try_row(struct xlsx_source *s)
{
    size_t n = s->wb.n_cells ? s->wb.cells[s->wb.n_cells - 1].column + 1 : 0;
    arena_reset(&s->scratch);
    struct slice *fields = arena_zalloc(&s->scratch, (n + 1) * sizeof *fields);
    for (size_t i = 0; i < s->wb.n_cells; i++)
        fields[s->wb.cells[i].column] = text_of(s, &s->wb.cells[i]);
    return header_try(&s->header, s->base.form, fields, n, &s->scratch);
}

/* Looks for the header in one sheet. 1: found, the next row is the first of the data. */
static int try_sheet(struct xlsx_source *s, const struct sheet *sheet, struct err *err)
{
    if (!sheet->part)
        return 0;
    workbook_begin_sheet(&s->wb);
    int rc = part_open(s, &s->part, sheet->part, &read_rows, source_xlsx_sheet_max, err);
    if (rc)
        return rc == WW_ENOTFOUND ? 0 : rc;
    for (unsigned rows = 0; rows < SOURCE_TITLE_ROWS; rows++) {
        rc = sheet_row(s, err);
        if (rc <= 0 || try_row(s))
            break;
    }
    if (rc >= 0 && s->header.found) {
        rc = header_unclear(&s->header, s->base.path, err);
        s->header.found = rc == 0;
    }
    if (!s->header.found)
        part_close(&s->part);
    return rc < 0 ? rc : s->header.found;
}

static int find_header(struct xlsx_source *s, struct err *err)
{
    struct slice wanted = s->base.form->sheet;
    bool any = false;
    for (size_t i = 0; i < s->wb.n_sheets; i++) {
        if (wanted.n && !slice_is(wanted, s->wb.sheets[i].name))
            continue;
        any = true;
        int rc = try_sheet(s, &s->wb.sheets[i], err);
        if (rc)
            return rc;
    }
    if (!any && wanted.n)
        return err_set(err, WW_EINPUT, "%s: has no sheet \"%.*s\"", s->base.path, SLICE_ARG(wanted));
    return header_missing(&s->header, s->base.path, err);
}

static void fill_cells(struct xlsx_source *s, struct row *row)
{
    size_t n = s->base.form->n_columns;
    row->cells = arena_zalloc(&s->arena, (n + 1) * sizeof *row->cells);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < s->wb.n_cells; k++)
            if ((int)s->wb.cells[k].column == s->header.field[i])
                row->cells[i] =
                    (struct cell){s->wb.cells[k].type, arena_slice(&s->arena, text_of(s, &s->wb.cells[k]))};
}

/* The row as a line of CSV, for the rejects file. */
static struct slice raw_row(struct xlsx_source *s)
{
    struct buf b = {0};
    uint32_t column = 0;
    for (size_t i = 0; i < s->wb.n_cells; i++) {
        struct slice text = text_of(s, &s->wb.cells[i]);
        for (; column < s->wb.cells[i].column; column++)
            buf_put(&b, ",", 1);
        bool quote =
            memchr(text.p, ',', text.n) || memchr(text.p, '"', text.n) || memchr(text.p, '\n', text.n);
        buf_put(&b, "\"", quote);
        for (size_t k = 0; k < text.n; k++) {
            buf_put(&b, "\"", text.p[k] == '"');
            buf_put(&b, text.p + k, 1);
        }
        buf_put(&b, "\"", quote);
    }
    struct slice out = arena_slice(&s->arena, (struct slice){b.n ? (const char *)b.p : "", b.n});
    buf_finish(&b);
    return out;
}

static int next(struct source *base, bool final, struct row *row, struct err *err)
{
    struct xlsx_source *s = (struct xlsx_source *)base;
    (void) final;
    if (!s->header.found) {
        int rc = find_header(s, err);
        if (rc <= 0)
            return rc;
    }
    for (;;) {
        int rc = sheet_row(s, err);
        if (rc <= 0)
            return rc;
        if ((s->wb.n_cells == 0 && !s->wb.row_fault) || s->wb.row <= s->skip)
            continue;
        arena_reset(&s->arena);
        s->line = s->wb.row;
        *row = (struct row){.record = ++s->record, .line = s->wb.row, .date1904 = s->wb.date1904};
        row->raw = raw_row(s);
        row->why = s->wb.row_fault;
        row->fault = row->why ? ROW_BAD : ROW_WHOLE;
        fill_cells(s, row);
        return 1;
    }
}

/* ---- the rest of a source ---- */

static void tell(const struct source *base, struct position *pos)
{
    const struct xlsx_source *s = (const struct xlsx_source *)base;
    *pos = s->whole;
    pos->line = s->line;
    pos->record = s->record;
}

static int seek(struct source *base, const struct position *pos, struct err *err)
{
    struct xlsx_source *s = (struct xlsx_source *)base;
    (void)err;
    if (pos->offset != s->whole.offset || pos->check != s->whole.check)
        return 0;
    s->skip = s->line = pos->line;
    s->record = pos->record;
    return 1;
}

static bool ended(const struct source *base)
{
    (void)base;
    return false;
}

static void close_source(struct source *base)
{
    struct xlsx_source *s = (struct xlsx_source *)base;
    part_close(&s->part);
    if (s->zip)
        zip_discard(s->zip);
    workbook_finish(&s->wb);
    arena_finish(&s->arena);
    arena_finish(&s->scratch);
    free(s);
}

/* Size and check of the file: a workbook is the same only as a whole. */
static int measure(struct xlsx_source *s, struct err *err)
{
    uint8_t *chunk = mem_alloc(CHUNK);
    ssize_t n = -1;
    int fd = open(s->base.path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, chunk, CHUNK)) > 0) {
        s->whole.check = crc32c(s->whole.check, chunk, (size_t)n);
        s->whole.offset += (uint64_t)n;
    }
    int why = errno;
    if (fd >= 0)
        close(fd);
    free(chunk);
    return n < 0 ? err_set(err, WW_EIO, "%s: cannot read: %s", s->base.path, strerror(why)) : 0;
}

static int open_zip(struct xlsx_source *s, struct err *err)
{
    int code = 0;
    zip_error_t why;
    s->zip = zip_open(s->base.path, ZIP_RDONLY, &code);
    if (s->zip && zip_get_num_entries(s->zip, 0) <= ENTRIES_MAX)
        return 0;
    if (s->zip)
        return err_set(err, WW_EINPUT, "%s: has more parts than any workbook", s->base.path);
    zip_error_init_with_code(&why, code);
    err_set(err, WW_EINPUT, "%s: is no .xlsx file: %s", s->base.path, zip_error_strerror(&why));
    zip_error_fini(&why);
    return WW_EINPUT;
}

static struct source *open_source(const char *path, const struct source_form *form, struct err *err)
{
    if (strcmp(path, "-") == 0) {
        err_set(err, WW_EUSAGE, "a workbook cannot come from standard input; give its file's name");
        return NULL;
    }
    struct xlsx_source *s = mem_zalloc(sizeof *s);
    s->base = (struct source){.path = path, .form = form, .fd = -1};
    if (measure(s, err) || open_zip(s, err) || read_workbook_parts(s, err)) {
        close_source(&s->base);
        return NULL;
    }
    return &s->base;
}

const struct source_ops source_xlsx = {
    .name = "xlsx",
    .format = FORMAT_XLSX,
    .open = open_source,
    .next = next,
    .tell = tell,
    .seek = seek,
    .ended = ended,
    .close = close_source,
};
