/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the law (config/thresholds.csv) to a list of the settings tree: region, line, people, months, amount in fen,
 * order, incident, source, date. All mistakes are told, each with its line. Pure. */
#include "engine/settings_tree.h"

#include "lib/calendar.h"
#include "lib/csv.h"
#include "lib/region.h"

#include <inttypes.h>

enum { ROWS_MAX = 1000, COLUMN_BYTES_MAX = 512 };

enum column { REGION, LINE, PEOPLE, MONTHS, YUAN, ORDER, INCIDENT, SOURCE, DATE, COLUMNS };

static const char header[] = "region,line,people,months,amount_yuan,order,incident,source,date";

struct reading {
    struct csv csv;
    struct arena *arena;
    struct mistakes *m;
    struct tree *list;
    struct slice text;
};

/* Where a cell stands in its line, counted in characters. */
static uint32_t column_of(const struct reading *r, enum column c)
{
    const char *p = r->csv.cells[c].p, *from = r->text.p;
    uint32_t n = 1;
    if (!p || p < from || p > from + r->text.n)
        return 1; /* a copy, of a cell with doubled quotes */
    for (const char *q = p; q > from && q[-1] != '\n'; q--)
        n += ((uint8_t)q[-1] & 0xc0) != 0x80;
    return n;
}

static void wrong(struct reading *r, const char *hint, const char *sentence)
{
    mistake_put(r->m, r->csv.line, 1, hint, "%s", sentence);
}

static void wrong_cell(struct reading *r, enum column c, const char *hint, const char *sentence)
{
    mistake_put(r->m, r->csv.line, column_of(r, c), hint, "%s", sentence);
}

/* Digits of a whole number below a billion; empty: 0. False: something else. */
static bool number(struct slice cell, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] < '0' || cell.p[i] > '9' || i == 9)
            return false;
        *out = *out * 10 + (cell.p[i] - '0');
    }
    return true;
}

static void set_text(struct reading *r, struct tree *row, enum column c, const char *key, struct slice text)
{
    struct tree *cell = tree_text(r->arena, text);
    cell->line = r->csv.line;
    cell->column = column_of(r, c);
    tree_set(r->arena, row, slice_of(key), cell);
}

static void read_number(struct reading *r, struct tree *row, enum column c, const char *key, int64_t times)
{
    int64_t v;
    if (!number(r->csv.cells[c], &v))
        mistake_put(r->m, r->csv.line, column_of(r, c), NULL, "%s must be a whole number of at most nine digits, or empty",
                    c == YUAN ? "amount_yuan" : key);
    else if (v)
        set_text(r, row, c, key, slice_of(arena_printf(r->arena, "%" PRId64, v * times)));
}

static void read_flag(struct reading *r, struct tree *row, enum column c, const char *key)
{
    struct slice cell = r->csv.cells[c];
    if (slice_is(cell, "yes"))
        set_text(r, row, c, key, cell);
    else if (cell.n && !slice_is(cell, "no"))
        mistake_put(r->m, r->csv.line, column_of(r, c), NULL, "%s must be yes, no or empty", key);
}

static void read_row(struct reading *r)
{
    const struct slice *cell = r->csv.cells;
    struct tree *row = tree_new(r->arena, TREE_MAP);
    int64_t day;
    row->line = r->csv.line;
    row->column = 1;
    if (cell[REGION].n && !slice_is(cell[REGION], "*")) {
        if (!region_of(cell[REGION]))
            wrong_cell(r, REGION, "* stands for everywhere", "region must be the first digits of a region code, or *");
        set_text(r, row, REGION, "region", cell[REGION]);
    }
    if (!cell[LINE].n || cell[LINE].n > 64)
        wrong_cell(r, LINE, NULL, "line must name the line of the law, in 1 to 64 bytes");
    if (cell[SOURCE].n > COLUMN_BYTES_MAX)
        wrong_cell(r, SOURCE, NULL, "source must have 512 bytes at most");
    if (cell[DATE].n && (cell[DATE].n != 10 || !time_parse(cell[DATE], 0, &day)))
        wrong_cell(r, DATE, NULL, "date must be a day such as 2013-01-23, or empty");
    set_text(r, row, LINE, "line", cell[LINE]);
    read_number(r, row, PEOPLE, "people", 1);
    read_number(r, row, MONTHS, "months", 1);
    read_number(r, row, YUAN, "amount", 100);
    read_flag(r, row, ORDER, "order");
    read_flag(r, row, INCIDENT, "incident");
    set_text(r, row, SOURCE, "source", cell[SOURCE]);
    set_text(r, row, DATE, "date", cell[DATE]);
    if (!tree_get(row, "people") && !tree_get(row, "months") && !tree_get(row, "amount") && !tree_get(row, "order") &&
        !tree_get(row, "incident"))
        wrong(r, NULL, "the row asks for nothing: give people, months, amount_yuan, order or incident");
    tree_append(r->arena, r->list, row);
}

static bool is_header(const struct csv *csv)
{
    struct slice rest = slice_of(header);
    for (size_t i = 0; i < csv->n; i++) {
        const char *comma = memchr(rest.p, ',', rest.n);
        size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
        if (!slice_eq(csv->cells[i], (struct slice){rest.p, n}))
            return false;
        rest = comma ? (struct slice){comma + 1, rest.n - n - 1} : (struct slice){rest.p + n, 0};
    }
    return csv->n == COLUMNS;
}

/* "file:line: sentence" of the reader of tables, as a mistake. */
static void broken(struct reading *r, const struct err *err)
{
    const char *sentence = strstr(err->msg, ": ");
    wrong(r, NULL, sentence ? sentence + 2 : err->msg);
}

struct tree *settings_tree_thresholds(struct arena *a, const char *file, struct slice text, struct mistakes *m)
{
    struct reading r = {.arena = a, .m = m, .list = tree_new(a, TREE_LIST), .text = text};
    struct err err = {0};
    int got;
    csv_begin(&r.csv, file, text, a);
    got = csv_next(&r.csv, &err);
    if (got == 1 && !is_header(&r.csv)) {
        mistake_put(m, r.csv.line, 1, NULL, "the columns must be \"%s\"", header);
        return r.list;
    }
    while (got == 1 && (got = csv_next(&r.csv, &err)) == 1) {
        if (r.csv.n != COLUMNS)
            mistake_put(m, r.csv.line, 1, NULL, "%zu columns where %d are needed", r.csv.n, COLUMNS);
        else if (r.list->n == ROWS_MAX)
            got = csv_fault(&r.csv, &err, "more than %d rows", ROWS_MAX);
        else
            read_row(&r);
        if (got < 0)
            break;
    }
    if (got < 0)
        broken(&r, &err);
    return r.list;
}
