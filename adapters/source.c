/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/source.h"

#include "lib/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

static const struct source_ops *const sources[] = {&source_csv, &source_jsonl, &source_xlsx};

static const struct source_ops *by_format(enum source_format format)
{
    if (format == FORMAT_TSV)
        format = FORMAT_CSV;
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        if (sources[i]->format == format)
            return sources[i];
    return NULL;
}

static size_t skip_space(const uint8_t *p, size_t n, size_t i)
{
    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
        i++;
    return i;
}

/* Of the first character that says something, behind a byte order mark. */
static size_t first_place(const uint8_t *p, size_t n)
{
    return skip_space(p, n, n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
}

/* By the first bytes, since names of files say little; AUTO: they do not say it. */
static enum source_format by_content(const uint8_t *p, size_t n)
{
    if (n >= 4 && memcmp(p, "PK\3\4", 4) == 0)
        return FORMAT_XLSX;
    size_t i = first_place(p, n);
    return i < n && p[i] == '{' ? FORMAT_JSONL : FORMAT_AUTO;
}

/* "[{": all objects in one list, which is no JSON lines. */
static bool is_json_list(const uint8_t *p, size_t n)
{
    size_t i = first_place(p, n);
    if (i >= n || p[i] != '[')
        return false;
    i = skip_space(p, n, i + 1);
    return i < n && p[i] == '{';
}

static enum source_format by_name(const char *path)
{
    static const struct {
        const char *end;
        enum source_format format;
    } ends[] = {{".jsonl", FORMAT_JSONL}, {".ndjson", FORMAT_JSONL}, {".xlsx", FORMAT_XLSX}};
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        size_t n = strlen(path), e = strlen(ends[i].end);
        if (n >= e && strcasecmp(path + n - e, ends[i].end) == 0)
            return ends[i].format;
    }
    return FORMAT_CSV;
}

static bool is_old_workbook(const uint8_t *p, size_t n)
{
    return n >= 8 && memcmp(p, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8) == 0;
}

/* By what it holds, or, where that does not say it or cannot be looked at, by its name. */
static int find_format(const char *path, enum source_format *format, struct err *err)
{
    uint8_t first[512];
    ssize_t n = 0;
    int fd = strcmp(path, "-") == 0
                 ? -1
                 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold it up */
    if (fd >= 0) {
        n = lseek(fd, 0, SEEK_CUR) == 0 ? read(fd, first, sizeof first) : 0;
        close(fd);
    }
    if (n > 0 && is_old_workbook(first, (size_t)n))
        return err_set(err, WW_EINPUT,
                       "%s: is an old .xls workbook, or one with a password; save it as .xlsx", path);
    if (n > 0 && (*format == FORMAT_AUTO || *format == FORMAT_JSONL) && is_json_list(first, (size_t)n))
        return err_set(
            err, WW_EINPUT,
            "%s: is one JSON list; write each object on a line of its own, without the brackets and "
            "commas around it (jq -c '.[]' does)",
            path);
    if (*format == FORMAT_AUTO && n > 0)
        *format = by_content(first, (size_t)n);
    if (*format == FORMAT_AUTO)
        *format = by_name(path);
    return 0;
}

struct source *source_open(const char *path, const struct source_form *form, struct err *err)
{
    enum source_format format = form->format;
    if ((format == FORMAT_AUTO || format == FORMAT_JSONL) && find_format(path, &format, err))
        return NULL;
    struct source *s = by_format(format)->open(path, form, err);
    if (s) {
        s->ops = by_format(format);
        s->form = form;
        s->path = path;
    }
    return s;
}

int source_next(struct source *s, bool final, struct row *row, struct err *err)
{
    int rc = s->ops->next(s, final, row, err);
    s->cut = rc == 1 && row->fault == ROW_TRUNCATED;
    return rc;
}

void source_tell(const struct source *s, struct position *pos)
{
    s->ops->tell(s, pos);
}

int source_seek(struct source *s, const struct position *pos, struct err *err)
{
    return s->ops->seek(s, pos, err);
}

bool source_ended(const struct source *s)
{
    return s->ops->ended(s);
}

void source_close(struct source *s)
{
    if (s)
        s->ops->close(s);
}

/* Length of the space at p, 0 if it is none. */
static size_t space(const char *p, size_t n)
{
    static const char *const wide[] = {"\xC2\xA0", "\xE3\x80\x80", "\xEF\xBB\xBF", "\xE2\x80\x8B"};
    if (n && strchr(" \t\r\n\f\v", *p) && *p)
        return 1;
    for (size_t i = 0; i < ARRAY_LEN(wide); i++)
        if (n >= strlen(wide[i]) && memcmp(p, wide[i], strlen(wide[i])) == 0)
            return strlen(wide[i]);
    return 0;
}

struct slice slice_trim(struct slice s)
{
    for (size_t w; s.n && (w = space(s.p, s.n)); s.n -= w)
        s.p += w;
    for (bool again = s.n > 0; again;) {
        again = false;
        for (size_t w = 1; w <= 3 && w <= s.n && !again; w++)
            if (space(s.p + s.n - w, w) == w) {
                s.n -= w;
                again = true;
            }
    }
    return s;
}

static void note_twice(struct header *h, const struct slice *fields, const struct slice *names, size_t n,
                       const int *wanted, size_t n_wanted)
{
    h->twice[0] = h->twice[1] = 0;
    for (size_t i = 0; i < n_wanted && !h->twice[0]; i++)
        for (size_t k = wanted[i] < 0 ? n : (size_t)wanted[i] + 1; k < n && !h->twice[0]; k++)
            if (slice_eq(names[k], names[wanted[i]])) {
                h->twice[0] = (unsigned)wanted[i] + 1;
                h->twice[1] = (unsigned)k + 1;
                for (size_t t = 0; t < 2; t++) {
                    struct slice text = slice_trim(fields[h->twice[t] - 1]);
                    snprintf(h->twice_text[t], sizeof h->twice_text[t], "%.*s", SLICE_ARG(text));
                }
            }
}

static int find_field(const struct source_column *c, const struct slice *names, size_t n,
                      struct arena *scratch)
{
    for (size_t i = 0; i < c->n_names; i++) {
        struct slice want = name_normalise(scratch, c->names[i]);
        for (size_t k = 0; k < n; k++)
            if (want.n && slice_eq(want, names[k]))
                return (int)k;
    }
    return -1;
}

bool header_try(struct header *h, const struct source_form *form, const struct slice *fields, size_t n,
                struct arena *scratch)
{
    size_t hits = 0;
    int field[SOURCE_COLUMNS_MAX];
    const struct source_column *missing = NULL;
    struct slice *names = arena_zalloc(scratch, (n + 1) * sizeof *names);
    size_t used = 0;
    for (size_t k = 0; k < n; k++) {
        names[k] = name_normalise(scratch, slice_trim(fields[k]));
        used = names[k].n ? k + 1 : used;
    }
    for (size_t i = 0; i < form->n_columns; i++) {
        field[i] = find_field(&form->columns[i], names, n, scratch);
        hits += field[i] >= 0;
        if (field[i] < 0 && form->columns[i].must && !missing)
            missing = &form->columns[i];
    }
    if (missing && hits <= h->best && h->missing)
        return false;
    h->best = hits;
    h->missing = missing ? missing->names[0].p : NULL;
    h->missing_n = missing ? missing->names[0].n : 0;
    if (missing)
        return false;
    memcpy(h->field, field, form->n_columns * sizeof *field);
    note_twice(h, fields, names, n, field, form->n_columns);
    h->n_fields = used;
    h->found = true;
    return true;
}

int header_unclear(const struct header *h, const char *path, struct err *err)
{
    if (!h->twice[0])
        return 0;
    return err_set(err, WW_EINPUT,
                   "%s: two columns of its header have one name: \"%s\" (column %u) and \"%s\" (column %u); "
                   "rename the one that is not meant",
                   path, h->twice_text[0], h->twice[0], h->twice_text[1], h->twice[1]);
}

int header_missing(const struct header *h, const char *path, struct err *err)
{
    if (!h->missing)
        return err_set(err, WW_EINPUT, "%s: is empty: not even a header", path);
    return err_set(err, WW_EINPUT,
                   "%s: no header in its first %d rows: the row that comes nearest has no column \"%.*s\"; "
                   "is it this profile's file?",
                   path, SOURCE_TITLE_ROWS, (int)h->missing_n, h->missing);
}
