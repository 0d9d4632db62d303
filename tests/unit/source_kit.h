/* SPDX-License-Identifier: Apache-2.0 */
/* Exports for unit tests of the sources: bytes as a file, columns wanted, rows read. */
#ifndef TESTS_UNIT_SOURCE_KIT_H
#define TESTS_UNIT_SOURCE_KIT_H

#include "adapters/source.h"

#include "test.h"

#include <stdlib.h>
#include <unistd.h>

static char kit_path[] = "/tmp/ww-source-XXXXXX";

static inline const char *kit_file(const void *p, size_t n)
{
    memcpy(kit_path + sizeof kit_path - 7, "XXXXXX", 6);
    int fd = mkstemp(kit_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), n);
    close(fd);
    return kit_path;
}

static inline void kit_append(const char *text)
{
    FILE *f = fopen(kit_path, "ab");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
}

static inline struct source_form kit_form(enum source_format format, const char *const *columns, size_t n)
{
    struct source_form f = {.format = format};
    for (size_t i = 0; i < n; i++)
        f.columns[f.n_columns++] = (struct source_column){
            .names = {slice_of(columns[i])}, .n_names = 1, .must = columns[i][0] != '?'};
    for (size_t i = 0; i < n; i++)
        if (!f.columns[i].must)
            f.columns[i].names[0] = slice_of(columns[i] + 1); /* "?name": optional */
    return f;
}

static inline struct source *kit_open(const char *text, const struct source_form *form)
{
    struct err err = {0};
    struct source *s = source_open(kit_file(text, strlen(text)), form, &err);
    if (!s)
        fail_msg("%s", err.msg);
    return s;
}

/* The next row as "line|cell|cell"; "-" for no row; its fault in front if it has one. */
static inline const char *kit_next(struct source *s, bool final)
{
    static char out[4096];
    struct err err = {0};
    struct row row;
    int rc = source_next(s, final, &row, &err);
    if (rc < 0)
        fail_msg("%s", err.msg);
    if (rc == 0)
        return "-";
    int n = snprintf(out, sizeof out, "%s%d",
                     row.fault == ROW_BAD ? "bad "
                     : row.fault          ? "cut "
                                          : "",
                     (int)row.line);
    for (size_t i = 0; row.fault == ROW_WHOLE && i < s->form->n_columns; i++)
        n += snprintf(out + n, sizeof out - (size_t)n, "|%.*s", SLICE_ARG(row.cells[i].text));
    return out;
}

#define KIT_NEXT(s, want) assert_string_equal(kit_next(s, true), want)

#endif
