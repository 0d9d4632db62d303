/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed for reading, in each format: lists by a table of columns, documents as they came. The only
 * door to libsmartcols and, with json, to jansson. All to stdout.
 *
 * JSON keeps the daemon's keys and raw units (ms, fen, hundredths); so do csv and keyvalue. Tables are for
 * people. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/cli.h"

enum column_kind {
    COLUMN_TEXT,
    COLUMN_NAME,      /* text that may be cut on a narrow terminal */
    COLUMN_THOUSANDS, /* a number with thousands separated */
    COLUMN_NUMBER,    /* a number as it is */
    COLUMN_LEVEL,
    COLUMN_STATE,
    COLUMN_EVENT,
    COLUMN_TIME,
    COLUMN_AGO,
    COLUMN_WHEN,  /* a day to come or gone by, 24:00 at its end */
    COLUMN_DUE,   /* a day to come, or how long it is past */
    COLUMN_MONEY,
    COLUMN_SCORE,
    COLUMN_SHARE,
    COLUMN_WEIGHT,
    COLUMN_DAYS,
    COLUMN_SPAN,      /* ms */
    COLUMN_FLAG, /* a word of ours when true */
    COLUMN_LIST, /* texts with spaces between */
};

struct column {
    const char *path;    /* "enterprise.name" */
    const char *en_path; /* another one when the language is not Chinese; NULL: the same */
    const char *en, *zh; /* head */
    enum column_kind kind;
};

/* The value at a path; NULL when any part is missing. */
const struct ww_value *value_at(const struct ww_value *, const char *path);
/* What a table shows of it. */
const char *value_text(struct arena *, const struct ww_value *item, const struct column *);

struct items {
    const struct ww_value **list; /* in the arena */
    size_t n, cap;
};
void items_add(struct arena *, struct items *, const struct ww_value *); /* not copied */
void items_add_copy(struct arena *, struct items *, const struct ww_value *);
void items_add_list(struct arena *, struct items *, const struct ww_value *); /* each of a list, copied */

/* A list in the chosen format; for json it is `key` of `document`, whose other keys come with it. */
void out_list(struct cli *, const struct ww_value *document, const char *key, const struct items *,
              const struct column *, size_t n);
/* Lines of csv or keyvalue for a stream; first: csv prints its head. */
void out_rows(struct cli *, const struct items *, const struct column *, size_t n, bool first);
/* Only the table, whatever the format; indent: spaces before each line. */
void out_table(struct cli *, const struct items *, const struct column *, size_t n, unsigned indent);
/* One document: json indented, jsonl on one line, keyvalue as path=value lines, csv as path,value lines.
 * False for a table: the command prints that itself. */
bool out_document(struct cli *, const struct ww_value *);
void out_line(const struct ww_value *); /* JSON on one line, for streams; flushed */

const char *out_level_color(const struct cli *, const char *wire); /* escape sequence, "" for none */
const char *out_plain(const struct cli *);                         /* ends it */
const char *out_bold(const struct cli *);

/* False once the reader of stdout went away or the disk is full; then nothing more should be printed. */
bool out_alive(void);
/* Writes out what is buffered, and remembers why not. False: not all of it is out. */
bool out_flush(void);
/* At the end of a command: what is buffered goes out. The exit status, given what it would have been. */
int out_finish(int status);

#endif
