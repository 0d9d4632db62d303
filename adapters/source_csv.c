/* SPDX-License-Identifier: Apache-2.0 */
/* CSV and TSV, as spreadsheets and agencies' systems write them; the only door to libcsv. The text is given
 * to the parser line by line, so that each row knows its line, its text and where it ends in the file.
 *
 * Title lines above the header are passed over: the header is the first row that has all the columns wanted.
 * A quotation mark that is never closed would swallow the rows after it, so a row that spans lines is
 * believed only if none of the lines after its first looks like a row itself; else its first line alone is
 * refused. */
#include "adapters/lines.h"

#include "lib/mem.h"

#include <csv.h>
#include <stdlib.h>

/* csv_parser.pstate between rows; libcsv has no other way to tell "within quotes" from "an empty line". */
enum { BETWEEN_ROWS = 0 };

struct csv_source {
    struct source base;
    struct lines lines;
    struct csv_parser parser;
    bool parser_made;
    struct header header;
    uint64_t record;
    struct arena arena;   /* of the row given */
    struct arena scratch; /* of the search for the header, of a line looked at alone */
    struct buf raw, text; /* the row as it was; its fields, one after the other */
    struct field {
        size_t at, n; /* in text */
    } * fields;
    size_t n_fields, cap_fields;
    bool row_done, too_many;
};

static void on_field(void *bytes, size_t n, void *arg)
{
    struct csv_source *s = arg;
    if (s->n_fields == SOURCE_FIELDS_MAX) {
        s->too_many = true;
        return;
    }
    s->fields = mem_grow(s->fields, &s->cap_fields, s->n_fields + 1, sizeof *s->fields);
    s->fields[s->n_fields++] = (struct field){s->text.n, n};
    buf_put(&s->text, bytes, n);
}

static void on_row(int end, void *arg)
{
    (void)end;
    ((struct csv_source *)arg)->row_done = true;
}

static void parser_reset(struct csv_source *s, char delimiter)
{
    if (s->parser_made)
        csv_free(&s->parser);
    s->parser_made = csv_init(&s->parser, 0) == 0;
    assert(s->parser_made);
    csv_set_delim(&s->parser, (unsigned char)delimiter);
    s->n_fields = 0;
    s->row_done = s->too_many = false;
    buf_reset(&s->text);
    buf_reserve(&s->text, 1); /* so that an empty field has a place */
}

static void parse(struct csv_source *s, struct slice text)
{
    size_t done = csv_parse(&s->parser, text.p, text.n, on_field, on_row, s);
    if (done != text.n) /* strict mode is off, so only memory can have failed */
        abort();
}

static char delimiter(const struct csv_source *s)
{
    return (char)csv_get_delim(&((struct csv_source *)(uintptr_t)s)->parser);
}

/* ---- one row as the file has it ---- */

enum shape {
    SHAPE_ROW,
    SHAPE_CUT,      /* the file ends within it */
    SHAPE_TOO_LONG, /* one line beyond all bounds */
    SHAPE_UNENDED,  /* the file ends within a quoted text, at a line end */
    SHAPE_OPEN,     /* a quoted text that is not closed within the bounds of a row */
};

/* Reads lines until a row is whole. 1: there is one; 0: none now. `keep`: the mark stays where it is. */
static int read_row(struct csv_source *s, bool final, bool keep, enum shape *shape, uint64_t *number,
                    struct err *err)
{
    struct line line;
    unsigned lines = 0;
    int rc;
    if (!keep)
        lines_mark(&s->lines);
    parser_reset(s, delimiter(s));
    buf_reset(&s->raw);
    *shape = SHAPE_ROW;
    while ((rc = lines_next(&s->lines, final, &line, err)) == 1) {
        if (lines++ == 0)
            *number = line.number;
        else
            buf_put(&s->raw, "\n", 1);
        buf_put(&s->raw, line.text.p, line.text.n);
        if (line.too_long) {
            *shape = SHAPE_TOO_LONG;
            return 1;
        }
        parse(s, line.text);
        if (!line.whole) {
            *shape = SHAPE_CUT;
            csv_fini(&s->parser, on_field, on_row, s);
            return 1;
        }
        parse(s, SLICE("\n"));
        if (s->row_done)
            return 1;
        if (s->parser.pstate == BETWEEN_ROWS) { /* an empty line */
            lines = 0;
            buf_reset(&s->raw);
            if (!keep)
                lines_mark(&s->lines);
        } else if (lines >= SOURCE_ROW_LINES_MAX || s->raw.n > SOURCE_ROW_MAX) {
            *shape = SHAPE_OPEN;
            return 1;
        }
    }
    if (rc < 0 || s->raw.n == 0 || !final)
        return rc;
    *shape = SHAPE_UNENDED;
    return 1;
}

static struct slice field(const struct csv_source *s, size_t i)
{
    return (struct slice){(const char *)s->text.p + s->fields[i].at, s->fields[i].n};
}

static struct slice *all_fields(struct csv_source *s, struct arena *a)
{
    struct slice *list = arena_alloc(a, (s->n_fields + 1) * sizeof *list);
    for (size_t i = 0; i < s->n_fields; i++)
        list[i] = field(s, i);
    return list;
}

/* ---- the header ---- */

/* One try with one delimiter. 1: found, the mark is behind it; 0: not here (*more: the file may still grow).
 */
static int seek_header(struct csv_source *s, char with, bool final, bool *more, struct err *err)
{
    int rc = 0;
    *more = false;
    lines_rewind(&s->lines);
    csv_set_delim(&s->parser, (unsigned char)with);
    for (unsigned rows = 0; rows < SOURCE_TITLE_ROWS; rows++) {
        enum shape shape;
        uint64_t number = 0;
        rc = read_row(s, final, true, &shape, &number, err);
        *more = rc == 0;
        if (rc <= 0)
            return rc;
        arena_reset(&s->scratch);
        bool hit = shape == SHAPE_ROW &&
                   header_try(&s->header, s->base.form, all_fields(s, &s->scratch), s->n_fields, &s->scratch);
        if (hit) {
            rc = header_unclear(&s->header, s->base.path, err);
            s->header.found = rc == 0;
            if (rc)
                return rc;
            lines_mark(&s->lines);
            return 1;
        }
    }
    return 0;
}

/* With each delimiter it may have. 1: found; 0: the file is too short yet; WW_ENOTFOUND: there is none. */
static int seek_with_any(struct csv_source *s, bool final, struct err *err)
{
    static const char usual[] = {',', '\t', ';', '|'};
    const char *with = usual;
    size_t n = ARRAY_LEN(usual);
    char named = s->base.form->delimiter;
    if (!named && s->base.form->format == FORMAT_TSV)
        named = '\t';
    if (named) {
        with = &named;
        n = 1;
    }
    bool wait = false;
    for (size_t i = 0; i < n; i++) {
        bool more;
        int rc = seek_header(s, with[i], final, &more, err);
        if (rc)
            return rc;
        wait |= more;
    }
    lines_rewind(&s->lines);
    return wait && !final ? 0 : WW_ENOTFOUND;
}

/* None in the encoding that the bytes look like: perhaps in the other, of which the header then is proof. */
static int seek_in_other(struct csv_source *s, bool final, struct err *err)
{
    struct encoding *e = &s->lines.encoding;
    struct header before = s->header;
    enum source_encoding is = e->is, other = encoding_other(e);
    if (other == ENCODING_AUTO)
        return header_missing(&s->header, s->base.path, err);
    encoding_set(e, other);
    s->header = (struct header){0};
    int rc = seek_with_any(s, final, err);
    if (rc == 1 && s->base.form->encoding == ENCODING_AUTO)
        return 1;
    encoding_set(e, is);
    if (rc == 1)
        return err_set(err, WW_EINPUT,
                       "%s: is in %s, but the profile says %s: change input.encoding, or leave it out",
                       s->base.path, encoding_name(other), encoding_name(is));
    bool first = s->header.best <= before.best;
    if (first)
        s->header = before;
    if (rc != WW_ENOTFOUND)
        return rc;
    struct err plain;
    rc = header_missing(&s->header, s->base.path, &plain);
    return err_set(err, rc, "%s (read as %s)", plain.msg, encoding_name(first ? is : other));
}

/* 1: found; 0: the file is too short yet; negative: there is none. */
static int find_header(struct csv_source *s, bool final, struct err *err)
{
    int rc = seek_with_any(s, final, err);
    return rc == WW_ENOTFOUND ? seek_in_other(s, final, err) : rc;
}

/* ---- rows ---- */

/* Excel's way to keep a code from becoming a number: ="91330482..." */
static struct slice tidy(struct slice s)
{
    s = slice_trim(s);
    if (s.n >= 3 && s.p[0] == '=' && s.p[1] == '"' && s.p[s.n - 1] == '"')
        s = slice_trim((struct slice){s.p + 2, s.n - 3});
    return s;
}

static bool all_empty(const struct csv_source *s)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (slice_trim(field(s, i)).n)
            return false;
    return true;
}

static void fill_cells(struct csv_source *s, struct row *row)
{
    size_t n = s->base.form->n_columns;
    row->cells = arena_zalloc(&s->arena, (n + 1) * sizeof *row->cells);
    for (size_t i = 0; i < n; i++) {
        int k = s->header.field[i];
        if (k < 0 || (size_t)k >= s->n_fields)
            continue;
        struct slice text = tidy(field(s, (size_t)k));
        if (text.n)
            row->cells[i] = (struct cell){CELL_TEXT, arena_slice(&s->arena, text)};
    }
}

static const char *form_fault(const struct csv_source *s)
{
    if (s->too_many)
        return "it has more than 2,048 cells";
    for (size_t i = s->header.n_fields; i < s->n_fields; i++)
        if (slice_trim(field(s, i)).n)
            return "it has more cells than the header: perhaps a text with a comma is not quoted";
    if (s->n_fields < s->header.n_fields && !s->base.form->short_rows)
        return "it has fewer cells than the header";
    return NULL;
}

/* A line after the first that has as many cells as the header is a row that a stray quotation mark swallowed.
 */
static bool swallows(struct csv_source *s)
{
    struct slice rest = {(const char *)s->raw.p, s->raw.n};
    const char *end = memchr(rest.p, '\n', rest.n);
    bool yes = false;
    if (!end || s->header.n_fields < 2)
        return false;
    arena_reset(&s->scratch);
    rest.n -= (size_t)(end + 1 - rest.p);
    rest.p = arena_copy(&s->scratch, end + 1, rest.n);
    while (!yes && rest.n) {
        end = memchr(rest.p, '\n', rest.n);
        struct slice line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};
        parser_reset(s, delimiter(s));
        parse(s, line);
        parse(s, SLICE("\n"));
        yes = s->row_done && s->n_fields >= s->header.n_fields;
        rest.p += line.n + (end != NULL);
        rest.n -= line.n + (end != NULL);
    }
    return yes;
}

/* Gives a row up: its first line alone is refused, and the next row begins on the line after it. */
static int refuse_first_line(struct csv_source *s, struct row *row, struct err *err)
{
    struct line line;
    lines_rewind(&s->lines);
    int rc = lines_next(&s->lines, true, &line, err);
    if (rc <= 0)
        return rc;
    row->raw = arena_slice(&s->arena, line.text);
    row->fault = ROW_BAD;
    row->why = "a quotation mark opens a text that is not closed";
    return 1;
}

/* What a row of that shape is: whole, cut off, or not a row at all. */
static int judge(struct csv_source *s, enum shape shape, struct row *row, struct err *err)
{
    row->raw = arena_slice(&s->arena, (struct slice){(const char *)s->raw.p, s->raw.n});
    bool stray = shape == SHAPE_OPEN;
    if (shape != SHAPE_TOO_LONG && !stray && memchr(row->raw.p, '\n', row->raw.n))
        stray = swallows(s);
    if (stray)
        return refuse_first_line(s, row, err);
    if (shape == SHAPE_TOO_LONG) {
        row->fault = ROW_BAD;
        row->why = "its line is longer than 1 MiB";
    } else if (shape != SHAPE_ROW) {
        row->fault = ROW_TRUNCATED;
        row->why = "the file ends within it: no line end follows";
    }
    return 1;
}

static int next(struct source *base, bool final, struct row *row, struct err *err)
{
    struct csv_source *s = (struct csv_source *)base;
    if (!s->header.found) {
        int rc = find_header(s, final, err);
        if (rc <= 0)
            return rc;
    }
    for (;;) {
        enum shape shape;
        uint64_t number = 0;
        int rc = read_row(s, final, false, &shape, &number, err);
        if (rc <= 0) {
            if (rc == 0)
                lines_rewind(&s->lines);
            return rc;
        }
        if (shape == SHAPE_ROW && all_empty(s))
            continue;
        arena_reset(&s->arena);
        *row = (struct row){.record = ++s->record, .line = number};
        if (shape == SHAPE_ROW && !(row->why = form_fault(s)))
            fill_cells(s, row);
        row->fault = row->why ? ROW_BAD : ROW_WHOLE;
        return judge(s, shape, row, err);
    }
}

/* ---- the rest of a source ---- */

static void tell(const struct source *base, struct position *pos)
{
    const struct csv_source *s = (const struct csv_source *)base;
    struct lines at = s->lines; /* the row given is done with: tell of behind it without moving */
    if (!base->cut)
        lines_mark(&at);
    lines_tell(&at, pos);
    pos->record = s->record - base->cut;
}

/* The header is read first, as it was then: it stands before the position, so nothing is waited for. */
static int seek(struct source *base, const struct position *pos, struct err *err)
{
    struct csv_source *s = (struct csv_source *)base;
    if (!s->lines.seekable)
        return 0;
    int rc = find_header(s, true, err);
    if (rc < 0)
        return rc == WW_EINPUT ? 0 : rc;
    rc = lines_seek(&s->lines, pos, err);
    if (rc < 0)
        return rc;
    if (rc == 1)
        s->record = pos->record;
    else
        s->header = (struct header){0};
    return rc;
}

static bool ended(const struct source *base)
{
    return lines_ended(&((const struct csv_source *)base)->lines);
}

static void close_source(struct source *base)
{
    struct csv_source *s = (struct csv_source *)base;
    if (s->parser_made)
        csv_free(&s->parser);
    lines_close(&s->lines);
    arena_finish(&s->arena);
    arena_finish(&s->scratch);
    buf_finish(&s->raw);
    buf_finish(&s->text);
    free(s->fields);
    free(s);
}

static struct source *open_source(const char *path, const struct source_form *form, struct err *err)
{
    struct csv_source *s = mem_zalloc(sizeof *s);
    s->base = (struct source){.path = path, .form = form, .fd = -1};
    if (lines_open(&s->lines, path, form->encoding, err)) {
        free(s);
        return NULL;
    }
    s->base.fd = s->lines.fd;
    parser_reset(s, form->delimiter ? form->delimiter : ',');
    return &s->base;
}

const struct source_ops source_csv = {
    .name = "csv",
    .format = FORMAT_CSV,
    .open = open_source,
    .next = next,
    .tell = tell,
    .seek = seek,
    .ended = ended,
    .close = close_source,
};
