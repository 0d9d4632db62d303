/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/csv.h"

#include "lib/name.h"

#include <stdarg.h>
#include <stdio.h>

void csv_begin(struct csv *c, const char *file, struct slice text, struct arena *arena)
{
    if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
        text = (struct slice){text.p + 3, text.n - 3};
    *c = (struct csv){.file = file, .rest = text, .arena = arena, .next_line = 1};
}

int csv_fault(const struct csv *c, struct err *err, const char *fmt, ...)
{
    char sentence[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    return err_set(err, WW_ECONFIG, "%s:%u: %s", c->file, c->line, sentence);
}

static bool at(const struct csv *c, char ch)
{
    return c->rest.n && c->rest.p[0] == ch;
}

static void advance(struct csv *c, size_t n)
{
    c->rest.p += n;
    c->rest.n -= n;
}

/* "\n", "\r\n" or a lone "\r"; false when the rest begins otherwise. */
static bool line_end(struct csv *c)
{
    if (!at(c, '\n') && !at(c, '\r'))
        return false;
    advance(c, at(c, '\r') && c->rest.n > 1 && c->rest.p[1] == '\n' ? 2 : 1);
    c->next_line++;
    return true;
}

static bool ends_cell(char ch)
{
    return ch == ',' || ch == '\n' || ch == '\r';
}

static struct slice unquoted(struct csv *c)
{
    struct slice cell = {c->rest.p, 0};
    while (cell.n < c->rest.n && !ends_cell(c->rest.p[cell.n]))
        cell.n++;
    advance(c, cell.n);
    return cell;
}

/* A copy with each doubled quote made one. */
static struct slice undouble(struct arena *a, struct slice raw)
{
    char *copy = arena_alloc(a, raw.n);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        copy[n++] = raw.p[i];
        if (raw.p[i] == '"')
            i++;
    }
    return (struct slice){copy, n};
}

/* The opening quote is next. False: it never closes. */
static bool quoted(struct csv *c, struct slice *cell)
{
    bool doubled = false;
    advance(c, 1);
    *cell = (struct slice){c->rest.p, 0};
    while (cell->n < c->rest.n) {
        char ch = c->rest.p[cell->n];
        if (ch == '"' && cell->n + 1 < c->rest.n && c->rest.p[cell->n + 1] == '"') {
            doubled = true;
            cell->n += 2;
            continue;
        }
        if (ch == '"') {
            advance(c, cell->n + 1);
            if (doubled)
                *cell = undouble(c->arena, *cell);
            return true;
        }
        c->next_line += ch == '\n';
        cell->n++;
    }
    return false;
}

static int next_record(struct csv *c, struct err *err)
{
    while (line_end(c))
        ;
    c->line = c->next_line;
    c->n = 0;
    if (!c->rest.n)
        return 0;
    for (;;) {
        struct slice cell;
        if (c->n == CSV_CELLS_MAX)
            return csv_fault(c, err, "more than %d columns", CSV_CELLS_MAX);
        if (!at(c, '"'))
            cell = unquoted(c);
        else if (!quoted(c, &cell))
            return csv_fault(c, err, "a quote that is opened here is never closed");
        c->cells[c->n++] = cell;
        if (!c->rest.n || line_end(c))
            return 1;
        if (!at(c, ','))
            return csv_fault(c, err, "text after the closing quote of column %zu", c->n);
        advance(c, 1);
    }
}

int csv_next(struct csv *c, struct err *err)
{
    int rc = next_record(c, err);
    for (size_t i = 0; rc > 0 && i < c->n; i++)
        if (!utf8_valid(c->cells[i]))
            return csv_fault(c, err, "column %zu is no UTF-8; save the file as UTF-8, not as GBK or GB18030",
                             i + 1);
    return rc;
}
