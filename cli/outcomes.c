/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/outcomes.h"

#include "cli/text.h"
#include "cli/trace.h"
#include "lib/csv.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "lib/uscc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ = 1 << 18, TOLD_MOST = 10 };

struct reading {
    struct cli *cli;
    const char *path;
    struct outcomes *to;
    struct csv csv;
    size_t enterprise, date; /* columns */
};

static void unreadable(struct reading *r, const char *sentence)
{
    if (r->to->unreadable++ < TOLD_MOST)
        cli_say("%s", text_safe(&r->cli->arena, sentence));
}

static void tell(struct reading *r, const char *what, struct slice cell)
{
    struct arena *a = &r->cli->arena;
    unreadable(r, arena_printf(a, "%s:%u: %s: \"%.*s\"", r->path, r->csv.line, what, SLICE_ARG(cell)));
}

/* ---- cells ---- */

static struct slice trimmed(struct slice s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct slice){s.p + 1, s.n - 1};
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static bool looks_like_code(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z')))
            return false;
    return n == USCC_LEN;
}

static bool read_enterprise(struct reading *r, struct slice cell, struct ekey *key)
{
    char tidy[64];
    size_t n = uscc_tidy(cell, tidy, sizeof tidy);
    if (looks_like_code(tidy, n)) {
        struct slice code = {tidy, n};
        const char *fault = uscc_fault(code);
        if (fault)
            tell(r, fault, cell);
        else
            *key = ekey_of_code(STATUS_ACTUAL, code);
        return !fault;
    }
    struct slice name = name_normalise(&r->cli->arena, cell);
    if (!name.n)
        tell(r, tr("no enterprise", "没有企业"), cell);
    else
        *key = ekey_of_name(STATUS_ACTUAL, name);
    return name.n > 0;
}

/* A day, a time, or ms since 1970: a number of eight digits is a day written together. */
static bool parse_date(struct arena *a, struct slice cell, int64_t *ms)
{
    const char *s = arena_slice(a, cell).p;
    int64_t n;
    if (text_parse_int(s, &n) && cell.n == 8)
        s = arena_printf(a, "%.4s-%.2s-%.2s", s, s + 4, s + 6);
    else if (text_parse_int(s, ms))
        return *ms >= INT64_C(946684800000);
    return text_parse_time(s, ms);
}

/* ---- rows ---- */

static bool is_one_of(struct slice cell, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_is(cell, words[i]))
            return true;
    return false;
}

/* The first record is a head when one of its cells is a word of it. */
static bool read_head(struct reading *r)
{
    static const char *const enterprise[] = {"enterprise", "企业", "统一社会信用代码"},
                             *const date[] = {"date", "日期", "欠薪日期"};
    bool head = false;
    for (size_t i = 0; i < r->csv.n; i++) {
        struct slice cell = trimmed(r->csv.cells[i]);
        if (is_one_of(cell, enterprise, ARRAY_LEN(enterprise))) {
            r->enterprise = i;
            head = true;
        } else if (is_one_of(cell, date, ARRAY_LEN(date))) {
            r->date = i;
            head = true;
        }
    }
    return head;
}

static void read_row(struct reading *r)
{
    struct outcomes *to = r->to;
    struct outcome_row row;
    size_t most = r->enterprise > r->date ? r->enterprise : r->date;
    if (r->csv.n <= most) {
        tell(r, tr("a row has an enterprise and a date", "每行须有企业和日期"), r->csv.cells[0]);
        return;
    }
    struct slice who = trimmed(r->csv.cells[r->enterprise]), when = trimmed(r->csv.cells[r->date]);
    if (!read_enterprise(r, who, &row.key))
        return;
    if (!parse_date(&r->cli->arena, when, &row.date)) {
        tell(r, tr("no date (2026-03-05, or ms since 1970)", "不是日期（2026-03-05 或毫秒数）"), when);
        return;
    }
    row.shown = arena_slice(&r->cli->arena, who).p;
    to->rows = mem_grow(to->rows, &to->cap, to->n + 1, sizeof *to->rows);
    to->rows[to->n++] = row;
}

/* Behind a record that was broken off, its line is left. */
static void next_line(struct csv *c, const char *begin)
{
    while (c->rest.n && c->rest.p > begin && c->rest.p[-1] != '\n') {
        c->next_line += *c->rest.p == '\n';
        c->rest.p++;
        c->rest.n--;
    }
}

static void read_rows(struct reading *r)
{
    const char *begin = r->csv.rest.p;
    struct err err;
    bool first = true;
    int rc;
    while ((rc = csv_next(&r->csv, &err)) != 0) {
        if (rc < 0) {
            unreadable(r, err.msg);
            next_line(&r->csv, begin);
        } else if (!first || !read_head(r)) {
            read_row(r);
        }
        first = false;
    }
    if (r->to->unreadable > TOLD_MOST)
        cli_say(tr("%llu rows more could not be read", "另有 %llu 行无法读取"),
                (unsigned long long)(r->to->unreadable - TOLD_MOST));
}

/* ---- the file ---- */

static int slurp(const char *path, char **bytes, size_t *n, struct err *err)
{
    size_t cap = 0;
    int fd, rc = trace_open(path, &fd, err);
    *bytes = NULL;
    *n = 0;
    while (rc == 0) {
        *bytes = mem_grow(*bytes, &cap, *n + READ, 1);
        ssize_t got = read(fd, *bytes + *n, READ);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = err_set(err, errno == EISDIR ? WW_EUSAGE : WW_EIO, tr("cannot read %s: %s", "无法读取 %s：%s"), path,
                         strerror(errno));
        if (got <= 0)
            break;
        *n += (size_t)got;
    }
    if (fd > STDIN_FILENO)
        close(fd);
    return rc;
}

int outcomes_read(struct cli *cli, const char *path, struct outcomes *to, struct err *err)
{
    struct reading r = {.cli = cli, .path = path, .to = to, .date = 1};
    char *bytes;
    size_t n;
    *to = (struct outcomes){0};
    int rc = slurp(path, &bytes, &n, err);
    if (rc == 0) {
        csv_begin(&r.csv, path, (struct slice){bytes, n}, &cli->arena);
        read_rows(&r);
    }
    free(bytes);
    return rc;
}

void outcomes_finish(struct outcomes *o)
{
    free(o->rows);
    *o = (struct outcomes){0};
}
