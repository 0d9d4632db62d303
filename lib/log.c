/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: formatted on the caller's stack, written whole by one write(2), so that lines of several threads
 * do not mix. Owns what log_open() said; that is set before other threads start. */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static enum log_level most_written = LOG_L_INFO;
static bool journald_reads;

void log_open(enum log_level most)
{
    most_written = most;
    journald_reads = getenv("JOURNAL_STREAM") != NULL;
}

struct line {
    char text[LINE_MAX_BYTES];
    size_t n;
};

static void addv(struct line *l, const char *fmt, va_list ap)
{
    size_t room = sizeof l->text - l->n;
    int n = vsnprintf(l->text + l->n, room, fmt, ap);
    if (n > 0)
        l->n += (size_t)n < room ? (size_t)n : room - 1;
}

static void add(struct line *, const char *fmt, ...) WW_PRINTF(2, 3);
static void add(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    addv(l, fmt, ap);
    va_end(ap);
}

/* One line whatever a value holds: a line break inside it would forge a second one. */
static void flatten(struct line *l)
{
    for (size_t i = 0; i < l->n; i++)
        if ((unsigned char)l->text[i] < ' ' || l->text[i] == 0x7f)
            l->text[i] = ' ';
}

static void write_line(const struct line *l)
{
    ssize_t n;
    do
        n = write(STDERR_FILENO, l->text, l->n);
    while (n < 0 && errno == EINTR);
}

void log_line(enum log_level level, const char *sentence, const char *pairs, ...)
{
    struct line l = {.n = 0};
    if (level > most_written)
        return;
    if (journald_reads)
        add(&l, "<%d>", (int)level);
    add(&l, "%s", sentence);
    if (pairs && *pairs) {
        va_list ap;
        add(&l, " ");
        va_start(ap, pairs);
        addv(&l, pairs, ap);
        va_end(ap);
    }
    flatten(&l);
    if (l.n == sizeof l.text - 1) /* a full line may be a cut one */
        memcpy(l.text + l.n - 3, "...", 3);
    l.text[l.n++] = '\n'; /* in the place of the NUL */
    write_line(&l);
}

static bool is_plain(unsigned char c)
{
    return c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f;
}

/* The escaped form of one byte; returns its length. */
static size_t escape(unsigned char c, char out[5])
{
    if (c == '"' || c == '\\')
        return (size_t)sprintf(out, "\\%c", c);
    if (c == '\n')
        return (size_t)sprintf(out, "\\n");
    if (c < ' ' || c == 0x7f)
        return (size_t)sprintf(out, "\\x%02x", c);
    out[0] = (char)c;
    return 1;
}

/* Bytes at the end of n that belong to a character whose rest did not fit. */
static size_t cut_character(struct slice s, size_t n)
{
    while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return n;
}

const char *log_quote(char *out, size_t cap, struct slice value)
{
    size_t plain = 0;
    if (cap < 3)
        return "";
    while (plain < value.n && is_plain((unsigned char)value.p[plain]))
        plain++;
    if (value.n && plain == value.n && value.n < cap) {
        memcpy(out, value.p, value.n);
        out[value.n] = 0;
        return out;
    }
    size_t n = 1, i = 0;
    char one[5];
    for (out[0] = '"'; i < value.n; i++) {
        size_t len = escape((unsigned char)value.p[i], one);
        if (n + len + 2 > cap)
            break;
        memcpy(out + n, one, len);
        n += len;
    }
    n -= i - cut_character(value, i); /* those bytes were copied one to one */
    out[n] = '"';
    out[n + 1] = 0;
    return out;
}
