/* SPDX-License-Identifier: Apache-2.0 */
/* A source is an agency's export, read row by row: CSV or TSV (source_csv), JSON lines (source_jsonl), a
 * workbook (source_xlsx). It knows columns and places, nothing of signals. One thread; a source belongs to
 * one caller.
 *
 * Every source gives each row its line in the file (or row in the sheet), its text as it was, and one cell
 * for each column that the caller asked for. Memory is bounded by one row, whatever the file says. */
#ifndef ADAPTERS_SOURCE_H
#define ADAPTERS_SOURCE_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/err.h"

enum {
    SOURCE_COLUMNS_MAX = 64,       /* that a caller may ask for */
    SOURCE_NAMES_MAX = 8,          /* that one column may have */
    SOURCE_FIELDS_MAX = 2048,      /* that a row may have */
    SOURCE_TITLE_ROWS = 100,       /* above the header, at most */
    SOURCE_LINE_MAX = 1024 * 1024, /* bytes of one line */
    SOURCE_ROW_MAX = 1024 * 1024,  /* bytes of one row that spans lines */
    SOURCE_ROW_LINES_MAX = 500,
};

enum source_format { FORMAT_AUTO, FORMAT_CSV, FORMAT_TSV, FORMAT_JSONL, FORMAT_XLSX };
enum source_encoding { ENCODING_AUTO, ENCODING_UTF8, ENCODING_GB18030, ENCODING_GBK };

/* What is wanted of a file. The names may be given in several spellings; the first that the file has counts.
 * In JSON lines a name is a path: "party.name", "parties.0.name". */
struct source_column {
    struct slice names[SOURCE_NAMES_MAX];
    size_t n_names;
    bool must; /* without it a row is no header of ours */
};

struct source_form {
    enum source_format format;
    enum source_encoding encoding;
    char delimiter;     /* 0: found out */
    bool short_rows;    /* a row may lack cells at its end */
    struct slice sheet; /* name of the sheet; empty: the first that has the header */
    struct source_column columns[SOURCE_COLUMNS_MAX];
    size_t n_columns;
};

enum cell_type {
    CELL_NONE, /* not there, null, or nothing but spaces */
    CELL_TEXT,
    CELL_NUMBER, /* a number of JSON or of a sheet: its digits as they stood */
    CELL_TIME,   /* a cell with a date format: "2026-03-05" or "2026-03-05T10:20:30" */
    CELL_OTHER,  /* a list or map where a value should be */
};

struct cell {
    uint8_t type;
    struct slice text; /* UTF-8, without spaces at both ends */
};

enum row_fault {
    ROW_WHOLE,
    ROW_TRUNCATED, /* the file ends within it */
    ROW_BAD,       /* its form is broken; `why` says how */
};

struct row {
    uint64_t record;    /* from 1, after the header */
    uint64_t line;      /* where it begins, from 1; row of the sheet */
    struct cell *cells; /* form.n_columns of them */
    struct slice raw;   /* as it was, in UTF-8, without the line end */
    uint8_t fault;      /* enum row_fault; the cells are believed only if 0 */
    const char *why;    /* static, NULL if whole */
    bool date1904;      /* numbers that are dates count from 1904 */
};

/* Behind the last row given that was not cut off. `check` is over all that comes before it (a workbook: over
 * the whole file). */
struct position {
    uint64_t offset, line, record;
    uint32_t check;
};

struct source {
    const struct source_ops *ops;
    const struct source_form *form;
    const char *path; /* as the caller gave it; "-" is standard input */
    int fd;           /* -1 where a source does not read one */
    bool cut;         /* the row last given was ROW_TRUNCATED: the position stays before it */
};

struct source_ops {
    const char *name;
    enum source_format format;
    struct source *(*open)(const char *path, const struct source_form *, struct err *);
    int (*next)(struct source *, bool final, struct row *, struct err *);
    void (*tell)(const struct source *, struct position *);
    int (*seek)(struct source *, const struct position *, struct err *);
    bool (*ended)(const struct source *);
    void (*close)(struct source *);
};

extern const struct source_ops source_csv, source_jsonl, source_xlsx;
extern uint64_t source_xlsx_sheet_max; /* bytes that a sheet may unpack to; tests lower it */

/* Opens by the form, or by what the first bytes look like. NULL with err: WW_EIO, WW_EINPUT. `path` and form
 * must outlive it. */
struct source *source_open(const char *path, const struct source_form *, struct err *) WW_CHECK;

/* 1: *row is valid until the next call; 0: no whole row now (with final: the end); negative: WW_EIO,
 * WW_EINPUT (no header in it, no workbook). With `final` a last line without line end comes out too, as
 * ROW_TRUNCATED. */
int source_next(struct source *, bool final, struct row *, struct err *) WW_CHECK;

void source_tell(const struct source *, struct position *);

/* Before the first source_next: go on behind that position. 1: done; 0: what stands before it is not what was
 * read then, so the source is at its beginning; negative: WW_EIO. */
int source_seek(struct source *, const struct position *, struct err *) WW_CHECK;

bool source_ended(const struct source *); /* a pipe, and its other end is closed */
void source_close(struct source *);       /* NULL is fine */

/* ---- for the sources themselves ---- */

/* Which field of a table's rows is which wanted column. */
struct header {
    bool found;
    size_t n_fields;               /* of the header row, without empty ones at its end */
    int field[SOURCE_COLUMNS_MAX]; /* of each wanted column; -1: the file has none */
    size_t best;                   /* wanted columns in the row that came nearest, for the sentence */
    const char *missing;           /* a must column that it lacked; owned by the form */
    size_t missing_n;
    unsigned twice[2]; /* a wanted column that stands twice: the places, from 1; 0: none does */
    char twice_text[2][96];
};

/* Is this row the header? Names compare without case, width and spaces. Fills h either way. */
bool header_try(struct header *h, const struct source_form *, const struct slice *fields, size_t n,
                struct arena *scratch);
/* WW_EINPUT, with both places, when a wanted column stands in the header twice. */
int header_unclear(const struct header *, const char *path, struct err *) WW_CHECK;
int header_missing(const struct header *, const char *path, struct err *); /* the sentence; WW_EINPUT */

struct slice
    slice_trim(struct slice); /* spaces, tabs, line ends, full-width and no-break spaces off both ends */

#endif
