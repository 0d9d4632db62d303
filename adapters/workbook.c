/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/workbook.h"

#include "adapters/values.h"
#include "lib/calendar.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

static const char *attr(const char **attrs, const char *name)
{
    for (; attrs[0]; attrs += 2)
        if (strcmp(attrs[0], name) == 0)
            return attrs[1];
    return NULL;
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* A number from an attribute; false: none, or beyond `most`. */
static bool number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    if (!text || *text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == 0 && *out <= most;
}

static const char *keep(struct workbook *wb, const char *text)
{
    return text ? arena_slice(&wb->arena, slice_of(text)).p : NULL;
}

static void no_text(void *arg, const char *p, size_t n)
{
    (void)arg, (void)p, (void)n;
}

static void no_end(void *arg, const char *name)
{
    (void)arg, (void)name;
}

void workbook_finish(struct workbook *wb)
{
    arena_finish(&wb->arena);
    free(wb->sheets);
    free(wb->relations);
    free(wb->formats);
    free(wb->date_style);
    buf_finish(&wb->string_text);
    free(wb->string_ends);
    buf_finish(&wb->row_text);
    free(wb->cells);
    buf_finish(&wb->cell.text);
    *wb = (struct workbook){0};
}

/* ---- relations, sheets ---- */

static void relation_start(void *arg, const char *name, const char **attrs)
{
    struct workbook *wb = arg;
    if (!is(name, "Relationship"))
        return;
    if (wb->n_relations == WORKBOOK_SHEETS_MAX * 4) {
        wb->fault = "it has too many relations";
        return;
    }
    const char *id = attr(attrs, "Id"), *type = attr(attrs, "Type"), *target = attr(attrs, "Target");
    if (!id || !type || !target)
        return;
    wb->relations = mem_grow(wb->relations, &wb->cap_relations, wb->n_relations + 1, sizeof *wb->relations);
    wb->relations[wb->n_relations++] = (struct relation){keep(wb, id), keep(wb, type), keep(wb, target)};
}

const struct part_reader read_relations = {relation_start, no_end, no_text};

static bool type_ends(const char *type, const char *kind)
{
    const char *slash = strrchr(type, '/');
    return is(slash ? slash + 1 : type, kind);
}

char *workbook_target(struct workbook *wb, const char *base, const char *kind, const char *id)
{
    for (size_t i = 0; i < wb->n_relations; i++) {
        const struct relation *r = &wb->relations[i];
        if (kind ? !type_ends(r->type, kind) : !is(r->id, id))
            continue;
        if (r->target[0] == '/')
            return arena_printf(&wb->arena, "%s", r->target + 1);
        return arena_printf(&wb->arena, "%s%s", base, r->target);
    }
    return NULL;
}

static void workbook_start(void *arg, const char *name, const char **attrs)
{
    struct workbook *wb = arg;
    if (is(name, "workbookPr")) {
        const char *v = attr(attrs, "date1904");
        wb->date1904 = v && (is(v, "1") || is(v, "true"));
    }
    if (!is(name, "sheet"))
        return;
    const char *title = attr(attrs, "name"), *rel = attr(attrs, "id");
    if (!title || !rel)
        return;
    if (wb->n_sheets == WORKBOOK_SHEETS_MAX) {
        wb->fault = "it has more than 1,024 sheets";
        return;
    }
    wb->sheets = mem_grow(wb->sheets, &wb->cap_sheets, wb->n_sheets + 1, sizeof *wb->sheets);
    wb->sheets[wb->n_sheets++] = (struct sheet){keep(wb, title), keep(wb, rel), NULL};
}

const struct part_reader read_workbook = {workbook_start, no_end, no_text};

/* ---- styles: which numbers are dates ---- */

/* Length of what begins at p and prints as it stands, or is a colour or locale; 0: nothing such. *elapsed:
 * "[h]". */
static size_t literal(const char *p, bool *elapsed)
{
    const char *end;
    if (*p == '"' && (end = strchr(p + 1, '"')))
        return (size_t)(end - p) + 1;
    if ((*p == '\\' || *p == '_' || *p == '*') && p[1])
        return 2;
    if (*p == '[' && (end = strchr(p, ']'))) {
        *elapsed |= strspn(p + 1, "hmsHMS") == (size_t)(end - p) - 1 && end > p + 1;
        return (size_t)(end - p) + 1;
    }
    return 0;
}

/* A format shows a date if a letter of dates stands in it outside quotes and brackets. */
static bool is_date_format(const char *f)
{
    bool yes = false;
    if (strncmp(f, "General", 7) == 0)
        return false;
    while (*f && *f != ';' && !yes) {
        size_t n = literal(f, &yes);
        if (!n) {
            yes |= strchr("ymdhsYMDHS", *f) != NULL;
            n = 1;
        }
        f += n;
    }
    return yes;
}

/* Formats that need no code: 14-22 and 45-47 everywhere, 27-36 and 50-58 in Chinese, Japanese and Korean. */
static bool is_date_id(uint64_t id)
{
    return (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) ||
           (id >= 50 && id <= 58);
}

static bool is_date(const struct workbook *wb, uint64_t id)
{
    for (size_t i = 0; i < wb->n_formats; i++)
        if (wb->formats[i].id == id)
            return wb->formats[i].date;
    return is_date_id(id);
}

static void add_style(struct workbook *wb, const char **attrs)
{
    uint64_t id = 0;
    if (!number(attr(attrs, "numFmtId"), UINT32_MAX, &id))
        id = 0;
    if (wb->n_styles == WORKBOOK_STYLES_MAX) {
        wb->fault = "it has more than 65,536 styles";
        return;
    }
    wb->date_style = mem_grow(wb->date_style, &wb->cap_styles, wb->n_styles + 1, sizeof *wb->date_style);
    wb->date_style[wb->n_styles++] = is_date(wb, id);
}

static void styles_start(void *arg, const char *name, const char **attrs)
{
    struct workbook *wb = arg;
    uint64_t id;
    if (is(name, "cellXfs")) {
        wb->in_cell_styles = true;
    } else if (is(name, "xf") && wb->in_cell_styles) {
        add_style(wb, attrs);
    } else if (is(name, "numFmt") && number(attr(attrs, "numFmtId"), UINT32_MAX, &id) &&
               attr(attrs, "formatCode")) {
        if (wb->n_formats == WORKBOOK_STYLES_MAX) {
            wb->fault = "it has more than 65,536 number formats";
            return;
        }
        wb->formats = mem_grow(wb->formats, &wb->cap_formats, wb->n_formats + 1, sizeof *wb->formats);
        wb->formats[wb->n_formats++] =
            (struct number_format){(uint32_t)id, is_date_format(attr(attrs, "formatCode"))};
    }
}

static void styles_end(void *arg, const char *name)
{
    if (is(name, "cellXfs"))
        ((struct workbook *)arg)->in_cell_styles = false;
}

const struct part_reader read_styles = {styles_start, styles_end, no_text};

/* ---- texts ---- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* "_x000D_" stands for a character that XML cannot hold. Control characters come out as spaces; mends in
 * place. */
static size_t unescape(uint8_t *p, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        int a, b, c, d;
        const char *s = (const char *)p + i;
        if (n - i >= 7 && s[0] == '_' && s[1] == 'x' && s[6] == '_' && (a = hex(s[2])) >= 0 &&
            (b = hex(s[3])) >= 0 && (c = hex(s[4])) >= 0 && (d = hex(s[5])) >= 0 && a == 0 && b == 0) {
            int code = c * 16 + d;
            if (code < 0x80) {
                p[out++] = code == '\n' ? '\n' : code < ' ' ? ' ' : (uint8_t)code;
                i += 7;
                continue;
            }
        }
        p[out++] = p[i++];
    }
    return out;
}

static void strings_start(void *arg, const char *name, const char **attrs)
{
    struct workbook *wb = arg;
    (void)attrs;
    if (is(name, "rPh"))
        wb->in_phonetic = true;
    else if (is(name, "t"))
        wb->in_text = !wb->in_phonetic;
    else if (is(name, "si") && wb->n_strings == WORKBOOK_STRINGS_MAX)
        wb->fault = "it has more than 8,000,000 shared strings";
}

static void strings_end(void *arg, const char *name)
{
    struct workbook *wb = arg;
    if (is(name, "rPh"))
        wb->in_phonetic = false;
    else if (is(name, "t"))
        wb->in_text = false;
    if (!is(name, "si") || wb->fault)
        return;
    size_t from = wb->n_strings ? wb->string_ends[wb->n_strings - 1] : 0;
    if (wb->string_text.n > from)
        wb->string_text.n = from + unescape(wb->string_text.p + from, wb->string_text.n - from);
    wb->string_ends = mem_grow(wb->string_ends, &wb->cap_strings, wb->n_strings + 1, sizeof *wb->string_ends);
    wb->string_ends[wb->n_strings++] = wb->string_text.n;
}

static void strings_text(void *arg, const char *p, size_t n)
{
    struct workbook *wb = arg;
    if (!wb->in_text)
        return;
    if (wb->string_text.n + n > WORKBOOK_STRING_BYTES_MAX)
        wb->fault = "its shared strings are larger than 256 MiB";
    else
        buf_put(&wb->string_text, p, n);
}

const struct part_reader read_strings = {strings_start, strings_end, strings_text};

/* ---- rows ---- */

void workbook_begin_row(struct workbook *wb)
{
    wb->row_done = false;
    wb->row_fault = NULL;
    wb->n_cells = 0;
    buf_reset(&wb->row_text);
    buf_reserve(&wb->row_text, 1); /* so that an empty text has a place */
    wb->cell.last = 0;
    wb->cell.open = wb->cell.in_value = false;
}

void workbook_begin_sheet(struct workbook *wb)
{
    wb->row = 0;
    wb->in_phonetic = false;
    workbook_begin_row(wb);
}

static void start_row(struct workbook *wb, const char **attrs)
{
    uint64_t r = wb->row + 1;
    if (attr(attrs, "r") && !number(attr(attrs, "r"), WORKBOOK_ROW_MAX, &r))
        wb->fault = "a row has an impossible number";
    else if (r <= wb->row || r > WORKBOOK_ROW_MAX)
        wb->fault = "its rows are not in order";
    workbook_begin_row(wb);
    wb->row = r;
}

/* "AB12" -> 27 */
static bool column_of(const char *ref, uint32_t *out)
{
    uint32_t c = 0;
    while (*ref >= 'A' && *ref <= 'Z' && c <= WORKBOOK_COLUMN_MAX)
        c = c * 26 + (uint32_t)(*ref++ - 'A') + 1;
    *out = c - 1;
    return c >= 1 && c <= WORKBOOK_COLUMN_MAX;
}

static void start_cell(struct workbook *wb, const char **attrs)
{
    const char *ref = attr(attrs, "r"), *type = attr(attrs, "t");
    uint64_t style = 0;
    wb->cell.column = wb->cell.last;
    if (ref && !column_of(ref, &wb->cell.column))
        wb->fault = "a cell has an impossible place";
    else if (wb->cell.column < wb->cell.last || wb->cell.column >= WORKBOOK_COLUMN_MAX)
        wb->fault = "the cells of a row are not in order";
    wb->cell.last = wb->cell.column + 1;
    wb->cell.style = number(attr(attrs, "s"), WORKBOOK_STYLES_MAX, &style) ? (uint32_t)style : 0;
    wb->cell.type = !type || is(type, "n") ? 'n'
                    : is(type, "s")        ? 's'
                    : is(type, "d")        ? 'd'
                    : is(type, "b")        ? 'b'
                                           : 't';
    wb->cell.open = true;
    buf_reset(&wb->cell.text);
    buf_reserve(&wb->cell.text, 1);
}

static void rows_start(void *arg, const char *name, const char **attrs)
{
    struct workbook *wb = arg;
    if (is(name, "row"))
        start_row(wb, attrs);
    else if (is(name, "c"))
        start_cell(wb, attrs);
    else if (is(name, "rPh"))
        wb->in_phonetic = true;
    else if (wb->cell.open && (is(name, "v") || is(name, "t")))
        wb->cell.in_value = !wb->in_phonetic;
}

static void rows_text(void *arg, const char *p, size_t n)
{
    struct workbook *wb = arg;
    if (!wb->cell.open || !wb->cell.in_value)
        return;
    if (wb->cell.text.n + n > WORKBOOK_CELL_MAX || wb->row_text.n > SOURCE_ROW_MAX)
        wb->fault = "a row is larger than 1 MiB";
    else
        buf_put(&wb->cell.text, p, n);
}

static struct slice shared(struct workbook *wb, struct slice index)
{
    char text[24];
    uint64_t i;
    if (index.n >= sizeof text)
        index.n = 0;
    memcpy(text, index.n ? index.p : "", index.n);
    text[index.n] = 0;
    if (!number(text, WORKBOOK_STRINGS_MAX, &i) || i >= wb->n_strings) {
        *(wb->n_strings ? &wb->row_fault : &wb->fault) = "a cell names a shared string that there is not";
        return (struct slice){"", 0};
    }
    buf_reserve(&wb->string_text, 1);
    size_t from = i ? wb->string_ends[i - 1] : 0;
    return (struct slice){(const char *)wb->string_text.p + from, wb->string_ends[i] - from};
}

/* A serial number under a date format, as text; false: it is no day. */
static bool date_text(const struct workbook *wb, struct slice serial, char out[32], struct slice *text)
{
    int64_t ms;
    int year, month, day;
    if (!value_serial(serial, wb->date1904, &ms))
        return false;
    civil_from_ms(ms, 0, &year, &month, &day);
    int n = snprintf(out, 32, "%04d-%02d-%02d", year, month, day);
    int second = (int)((ms % DAY_MS + DAY_MS) % DAY_MS / 1000);
    if (second)
        n += snprintf(out + n, 32 - (size_t)n, "T%02d:%02d:%02d", second / 3600, second / 60 % 60,
                      second % 60);
    *text = (struct slice){out, (size_t)n};
    return true;
}

static void end_cell(struct workbook *wb)
{
    char date[32];
    struct slice text = slice_trim((struct slice){(const char *)wb->cell.text.p, wb->cell.text.n});
    uint8_t type = CELL_TEXT;
    wb->cell.open = false;
    if (!text.n)
        return;
    switch (wb->cell.type) {
    case 's':
        text = slice_trim(shared(wb, text));
        break;
    case 'n':
        type = CELL_NUMBER;
        if (wb->cell.style < wb->n_styles && wb->date_style[wb->cell.style] &&
            date_text(wb, text, date, &text))
            type = CELL_TIME;
        break;
    case 'd':
        type = CELL_TIME;
        break;
    case 'b':
        text = text.p[0] == '1' ? SLICE("true") : SLICE("false");
        break;
    default:
        text.n = unescape(wb->cell.text.p, wb->cell.text.n);
        text = slice_trim((struct slice){(const char *)wb->cell.text.p, text.n});
    }
    if (!text.n || wb->fault)
        return;
    wb->cells = mem_grow(wb->cells, &wb->cap_cells, wb->n_cells + 1, sizeof *wb->cells);
    wb->cells[wb->n_cells++] = (struct sheet_cell){wb->cell.column, type, wb->row_text.n, text.n};
    buf_put(&wb->row_text, text.p, text.n);
}

static void rows_end(void *arg, const char *name)
{
    struct workbook *wb = arg;
    if (is(name, "v") || is(name, "t"))
        wb->cell.in_value = false;
    else if (is(name, "rPh"))
        wb->in_phonetic = false;
    else if (is(name, "c") && wb->cell.open)
        end_cell(wb);
    else if (is(name, "row"))
        wb->row_done = true;
}

const struct part_reader read_rows = {rows_start, rows_end, rows_text};
