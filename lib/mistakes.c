/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the list of mistakes found in a document (declared in lib/tree.h): keeps them, prints them with the
 * line and a caret, and finds the word that was meant. Pure; a list belongs to one thread at a time. */
#include "lib/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORD_MAX = 48, LONG_WORD = 8, LINE_SHOWN = 200 };

/* The areas are compiled with the rules and once more with the shadow rules. */
static bool said(const struct mistakes *m, uint32_t line, uint32_t column, struct slice sentence)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].line == line && m->list[i].column == column && m->list[i].part == m->part &&
            slice_is(sentence, m->list[i].sentence))
            return true;
    return false;
}

void mistake_put(struct mistakes *m, uint32_t line, uint32_t column, const char *hint, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        n = 0;
    struct slice s = {text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1};
    if (said(m, line, column, s))
        return;
    m->total++;
    if (m->n == ARRAY_LEN(m->list))
        return;
    m->list[m->n++] = (struct mistake){line, column, arena_slice(m->arena, s).p,
                                       hint ? arena_slice(m->arena, slice_of(hint)).p : NULL, m->part};
}

void mistake_at(struct mistakes *m, const struct tree *where, const char *hint, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    mistake_put(m, where ? where->line : 0, where ? where->column : 0, hint, "%s", text);
}

/* ---- printing ---- */

static void put(struct buf *b, const char *fmt, ...) WW_PRINTF(2, 3);

static void put(struct buf *b, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0)
        buf_put(b, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static struct slice line_of(struct slice source, uint32_t line)
{
    const char *p = source.p, *end = p + source.n;
    for (uint32_t i = 1; p && i < line; i++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (p)
            p++;
    }
    if (!p || p >= end)
        return (struct slice){0};
    const char *nl = memchr(p, '\n', (size_t)(end - p));
    size_t n = (size_t)((nl ? nl : end) - p);
    if (n && p[n - 1] == '\r')
        n--;
    return (struct slice){p, n};
}

/* Bytes of the character at p: its lead byte says how many, never more than there are. */
static size_t char_bytes(const char *p, const char *end)
{
    uint8_t c = (uint8_t)*p;
    size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return n < (size_t)(end - p) ? n : (size_t)(end - p);
}

/* Good enough for a caret: Hangul, kana, ideographs and full-width forms take two cells. */
static bool is_wide(const char *p, size_t n)
{
    if (n < 3)
        return false;
    uint32_t c =
        n == 3 ? ((uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (uint32_t)(p[2] & 0x3f))
               : 0x20000;
    return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff01 && c <= 0xff60) ||
           (c >= 0xffe0 && c <= 0xffe6) || c >= 0x20000;
}

static bool plain(struct slice line)
{
    for (size_t i = 0; i < line.n; i++)
        if ((uint8_t)line.p[i] < 0x20 && line.p[i] != '\t')
            return false;
    return true;
}

/* The line and a caret under the column (counted in characters). Long lines and control characters: not
 * shown. */
static void put_line(struct buf *out, struct slice line, uint32_t column)
{
    if (line.n == 0 || line.n > LINE_SHOWN || !plain(line))
        return;
    put(out, "    %.*s\n    ", SLICE_ARG(line));
    const char *p = line.p, *end = p + line.n;
    for (uint32_t i = 1; i < column && p < end; i++) {
        size_t n = char_bytes(p, end);
        put(out, "%s", *p == '\t' ? "\t" : is_wide(p, n) ? "  " : " ");
        p += n;
    }
    put(out, "^\n");
}

static int by_place(const void *va, const void *vb)
{
    const struct mistake *a = *(const struct mistake *const *)va, *b = *(const struct mistake *const *)vb;
    int part = strcmp(a->part ? a->part : "", b->part ? b->part : "");
    if (part)
        return part;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* NULL: the first document. */
static const struct mistakes_part *part_of(const struct mistakes *m, const char *part)
{
    for (size_t i = 0; part && i < ARRAY_LEN(m->parts); i++)
        if (m->parts[i].part && strcmp(m->parts[i].part, part) == 0)
            return &m->parts[i];
    return NULL;
}

const char *mistake_file(const struct mistakes *m, const struct mistake *at)
{
    const struct mistakes_part *part = part_of(m, at->part);
    const char *file = part ? part->file : at->part ? at->part : m->file;
    return file ? file : "-";
}

static struct slice text_of(const struct mistakes *m, const struct mistake *at, struct slice first)
{
    const struct mistakes_part *part = part_of(m, at->part);
    return part ? part->source : at->part ? (struct slice){0} : first;
}

void mistakes_print(const struct mistakes *m, struct slice source, struct buf *out)
{
    const struct mistake *order[ARRAY_LEN(m->list)];
    for (size_t i = 0; i < m->n; i++)
        order[i] = &m->list[i];
    qsort(order, m->n, sizeof *order, by_place);
    for (size_t i = 0; i < m->n; i++) {
        const struct mistake *at = order[i];
        if (at->line)
            put(out, "%s:%u:%u: error: %s\n", mistake_file(m, at), at->line, at->column, at->sentence);
        else
            put(out, "%s: error: %s\n", mistake_file(m, at), at->sentence);
        if (at->line && at->column)
            put_line(out, line_of(text_of(m, at, source), at->line), at->column);
        if (at->hint)
            put(out, "  hint: %s\n", at->hint);
    }
    if (m->total > m->n)
        put(out, "and %zu more\n", m->total - m->n);
}

/* ---- the word that was meant ---- */

/* Edits (insert, delete, replace, swap of neighbours) from a to b. */
static size_t distance(struct slice a, struct slice b)
{
    uint8_t d[WORD_MAX + 1][WORD_MAX + 1];
    for (size_t i = 0; i <= a.n; i++)
        d[i][0] = (uint8_t)i;
    for (size_t j = 0; j <= b.n; j++)
        d[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= a.n; i++) {
        for (size_t j = 1; j <= b.n; j++) {
            bool same = a.p[i - 1] == b.p[j - 1];
            size_t best = (size_t)d[i - 1][j - 1] + !same;
            if ((size_t)d[i - 1][j] + 1 < best)
                best = (size_t)d[i - 1][j] + 1;
            if ((size_t)d[i][j - 1] + 1 < best)
                best = (size_t)d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                (size_t)d[i - 2][j - 2] + 1 < best)
                best = (size_t)d[i - 2][j - 2] + 1;
            d[i][j] = (uint8_t)best;
        }
    }
    return d[a.n][b.n];
}

const char *nearest_word(struct slice given, const char *const *words, size_t n)
{
    const char *best = NULL;
    size_t least = given.n >= LONG_WORD ? 3 : 2;
    /* Two edits turn a word of three letters into almost any other: such a hint would only puzzle. */
    if (given.n < 4)
        least = 1;
    least++;
    if (given.n == 0 || given.n > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct slice w = slice_of(words[i]);
        if (w.n == 0 || w.n > WORD_MAX)
            continue;
        size_t d = distance(given, w);
        if (d < least && d < w.n) {
            least = d;
            best = words[i];
        }
    }
    return best;
}
