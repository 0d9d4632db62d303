/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as an export: read to its end, then again from a position told on the way. Both must give the same
 * rows, and no row may reach beyond what a source promises. */
#ifndef TESTS_FUZZ_SOURCE_KIT_H
#define TESTS_FUZZ_SOURCE_KIT_H

#include "adapters/source.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { KIT_ROWS_MAX = 2000 };

struct kit_row {
    uint64_t record, line;
    uint64_t hash; /* of fault, raw text and cells */
};

#define KIT_MUST(x)                                                                                          \
    do {                                                                                                     \
        if (!(x))                                                                                            \
            abort();                                                                                         \
    } while (0)

static inline struct kit_row kit_look(const struct row *row, const struct source_form *form)
{
    uint64_t h = hash_fnv1a(row->raw.p ? row->raw.p : "", row->raw.n) ^ row->fault;
    KIT_MUST(utf8_valid(row->raw));
    KIT_MUST(row->fault == ROW_WHOLE || row->why);
    for (size_t i = 0; row->fault == ROW_WHOLE && i < form->n_columns; i++) {
        const struct cell *c = &row->cells[i];
        KIT_MUST((c->type == CELL_NONE || c->type == CELL_OTHER) == (c->text.n == 0));
        KIT_MUST(utf8_valid(c->text) && (!c->text.n || c->text.p[c->text.n] == 0));
        KIT_MUST(!c->text.n || !memchr(c->text.p, 0, c->text.n));
        h = h * 31 + c->type + hash_fnv1a(c->text.p ? c->text.p : "", c->text.n);
    }
    return (struct kit_row){row->record, row->line, h};
}

/* Reads all rows; *half: the position behind the middle one of `known` (when that is not NULL: nothing is
 * told). */
static inline size_t kit_read(struct source *s, struct kit_row *rows, struct position *tell, size_t tell_at)
{
    struct row row;
    struct err err = {0};
    size_t n = 0;
    int rc;
    while (n < KIT_ROWS_MAX && (rc = source_next(s, true, &row, &err)) == 1) {
        rows[n++] = kit_look(&row, s->form);
        if (tell && n == tell_at)
            source_tell(s, tell);
    }
    return n;
}

static inline void kit_run(const char *path, const struct source_form *form)
{
    static struct kit_row first[KIT_ROWS_MAX], second[KIT_ROWS_MAX];
    struct err err = {0};
    struct position at = {0};
    struct source *s = source_open(path, form, &err);
    if (!s) {
        KIT_MUST(err.code && err.msg[0]);
        return;
    }
    size_t n = kit_read(s, first, NULL, 0);
    source_close(s);
    for (size_t i = 0; i < n; i++)
        KIT_MUST(first[i].record == i + 1 && (i == 0 || first[i].line > first[i - 1].line));
    if (n < 2 || !(s = source_open(path, form, &err)))
        return;
    KIT_MUST(kit_read(s, second, &at, n / 2) == n && memcmp(first, second, n * sizeof *first) == 0);
    source_close(s);
    s = source_open(path, form, &err);
    KIT_MUST(s && source_seek(s, &at, &err) == 1);
    KIT_MUST(kit_read(s, second, NULL, 0) == n - n / 2);
    KIT_MUST(memcmp(first + n / 2, second, (n - n / 2) * sizeof *first) == 0);
    source_close(s);
}

/* Runs on the bytes as a file. */
static inline void kit_bytes(const uint8_t *p, size_t n, const struct source_form *form)
{
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    KIT_MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    kit_run(path, form);
    close(fd);
}

static inline void kit_column(struct source_form *f, const char *name, bool must)
{
    f->columns[f->n_columns++] =
        (struct source_column){.names = {slice_of(name)}, .n_names = 1, .must = must};
}

#endif
