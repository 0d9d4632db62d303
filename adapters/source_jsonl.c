/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: an object a line. Columns are paths into it ("party.name", "parties.0.name").
 *
 * Sums must stay exact and document numbers may have twenty digits, but jansson makes doubles and 64-bit
 * integers of them. So each number is put into quotation marks, behind a mark of its own, before jansson sees
 * the line. */
#include "adapters/lines.h"

#include "lib/mem.h"

#include <jansson.h>
#include <stdlib.h>

#define NUMBER_MARK "\\u0001"

enum { PATH_PART_MAX = 256 };

struct jsonl_source {
    struct source base;
    struct lines lines;
    uint64_t record;
    struct buf quoted;  /* the line with its numbers as texts */
    struct arena arena; /* of the row given */
};

/* ---- numbers ---- */

static size_t digits(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

/* Length of the number at p by JSON's grammar; 0 when it is none. */
static size_t number_length(const char *p, const char *end)
{
    const char *q = p + (*p == '-');
    size_t n = digits(q, end);
    if (n == 0 || (n > 1 && *q == '0'))
        return 0;
    q += n;
    if (q < end && *q == '.') {
        if ((n = digits(q + 1, end)) == 0)
            return 0;
        q += 1 + n;
    }
    if (q < end && (*q == 'e' || *q == 'E')) {
        const char *e = q + 1;
        e += e < end && (*e == '+' || *e == '-');
        if ((n = digits(e, end)) == 0)
            return 0;
        q = e + n;
    }
    return (size_t)(q - p);
}

static size_t string_length(const char *p, const char *end)
{
    const char *q = p + 1;
    while (q < end && *q != '"')
        q += *q == '\\' && q + 1 < end ? 2 : 1;
    return (size_t)(q < end ? q + 1 - p : end - p);
}

static void quote_numbers(struct buf *out, struct slice line)
{
    const char *p = line.p, *end = line.p + line.n;
    buf_reset(out);
    while (p < end) {
        size_t n = 1;
        bool number = false;
        if (*p == '"') {
            n = string_length(p, end);
        } else if (*p == '-' || (*p >= '0' && *p <= '9')) {
            n = number_length(p, end);
            number = n > 0;
            n = n ? n : 1;
        }
        if (number)
            buf_put(out, "\"" NUMBER_MARK, sizeof "\"" NUMBER_MARK - 1);
        buf_put(out, p, n);
        if (number)
            buf_put(out, "\"", 1);
        p += n;
    }
}

/* ---- cells ---- */

/* One step of a path: a key of a map, or a place in a list. */
static const json_t *step(const json_t *at, const char *part, size_t n)
{
    char key[PATH_PART_MAX];
    if (n >= sizeof key)
        return NULL;
    memcpy(key, part, n);
    key[n] = 0;
    if (json_is_object(at))
        return json_object_get(at, key);
    if (json_is_array(at) && n > 0 && digits(key, key + n) == n)
        return json_array_get(at, strtoul(key, NULL, 10));
    return NULL;
}

/* A key that has dots in it wins over a path. */
static const json_t *look_up(const json_t *root, struct slice path)
{
    const json_t *at = step(root, path.p, path.n);
    if (at)
        return at;
    at = root;
    while (at && path.n) {
        const char *dot = memchr(path.p, '.', path.n);
        size_t n = dot ? (size_t)(dot - path.p) : path.n;
        at = step(at, path.p, n);
        path.p += n + (dot != NULL);
        path.n -= n + (dot != NULL);
    }
    return at;
}

static struct cell cell_of(struct arena *arena, const json_t *v)
{
    if (!v || json_is_null(v))
        return (struct cell){CELL_NONE, {NULL, 0}};
    if (json_is_boolean(v))
        return (struct cell){CELL_TEXT, json_is_true(v) ? SLICE("true") : SLICE("false")};
    if (!json_is_string(v))
        return (struct cell){CELL_OTHER, {NULL, 0}};
    struct slice text = {json_string_value(v), json_string_length(v)};
    uint8_t type = CELL_TEXT;
    if (text.n && text.p[0] == '\1') {
        type = CELL_NUMBER;
        text.p++;
        text.n--;
    }
    text = slice_trim(text);
    if (!text.n)
        return (struct cell){CELL_NONE, {NULL, 0}};
    return (struct cell){type, arena_slice(arena, text)};
}

static void fill_cells(struct jsonl_source *s, const json_t *root, struct row *row)
{
    const struct source_form *form = s->base.form;
    for (size_t i = 0; i < form->n_columns; i++) {
        const json_t *v = NULL;
        for (size_t k = 0; k < form->columns[i].n_names && !v; k++)
            v = look_up(root, form->columns[i].names[k]);
        row->cells[i] = cell_of(&s->arena, v);
    }
}

/* ---- rows ---- */

static void read_object(struct jsonl_source *s, const struct line *line, struct row *row)
{
    json_error_t why;
    size_t n = s->base.form->n_columns;
    row->cells = arena_zalloc(&s->arena, (n + 1) * sizeof *row->cells);
    row->fault = ROW_BAD;
    if (line->too_long) {
        row->why = "its line is longer than 1 MiB";
        return;
    }
    quote_numbers(&s->quoted, line->text);
    json_t *root = json_loadb((const char *)s->quoted.p, s->quoted.n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(root)) {
        row->fault = ROW_WHOLE;
        fill_cells(s, root, row);
    } else if (!line->whole) { /* a whole object without a line end can have lost nothing */
        row->fault = ROW_TRUNCATED;
        row->why = "the file ends within it: no line end follows";
    } else {
        row->why = root ? "it is JSON, but no object" : "it is not JSON, or has a key twice";
    }
    json_decref(root);
}

static int next(struct source *base, bool final, struct row *row, struct err *err)
{
    struct jsonl_source *s = (struct jsonl_source *)base;
    struct line line;
    int rc;
    do {
        lines_mark(&s->lines);
        rc = lines_next(&s->lines, final, &line, err);
    } while (rc == 1 && slice_trim(line.text).n == 0);
    if (rc <= 0)
        return rc;
    arena_reset(&s->arena);
    *row = (struct row){.record = ++s->record, .line = line.number};
    row->raw = arena_slice(&s->arena, line.text);
    read_object(s, &line, row);
    return 1;
}

/* ---- the rest of a source ---- */

static void tell(const struct source *base, struct position *pos)
{
    const struct jsonl_source *s = (const struct jsonl_source *)base;
    struct lines at = s->lines; /* the row given is done with: tell of behind it without moving */
    if (!base->cut)
        lines_mark(&at);
    lines_tell(&at, pos);
    pos->record = s->record - base->cut;
}

static int seek(struct source *base, const struct position *pos, struct err *err)
{
    struct jsonl_source *s = (struct jsonl_source *)base;
    int rc = lines_seek(&s->lines, pos, err);
    if (rc == 1)
        s->record = pos->record;
    return rc;
}

static bool ended(const struct source *base)
{
    return lines_ended(&((const struct jsonl_source *)base)->lines);
}

static void close_source(struct source *base)
{
    struct jsonl_source *s = (struct jsonl_source *)base;
    lines_close(&s->lines);
    buf_finish(&s->quoted);
    arena_finish(&s->arena);
    free(s);
}

static struct source *open_source(const char *path, const struct source_form *form, struct err *err)
{
    struct jsonl_source *s = mem_zalloc(sizeof *s);
    s->base = (struct source){.path = path, .form = form, .fd = -1};
    if (lines_open(&s->lines, path, form->encoding, err)) {
        free(s);
        return NULL;
    }
    s->base.fd = s->lines.fd;
    return &s->base;
}

const struct source_ops source_jsonl = {
    .name = "jsonl",
    .format = FORMAT_JSONL,
    .open = open_source,
    .next = next,
    .tell = tell,
    .seek = seek,
    .ended = ended,
    .close = close_source,
};
