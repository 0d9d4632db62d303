/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a workbook (OOXML, .xlsx) say: sheets, styles, shared strings, rows. Knows no zip and no
 * parser: source_xlsx feeds it the elements of each part. Nothing in a workbook is believed: every index,
 * count and length is checked, and memory is bounded by the limits below. One thread. */
#ifndef ADAPTERS_WORKBOOK_H
#define ADAPTERS_WORKBOOK_H

#include "adapters/source.h"
#include "lib/buf.h"

enum {
    WORKBOOK_SHEETS_MAX = 1024,
    WORKBOOK_STYLES_MAX = 65536,
    WORKBOOK_STRINGS_MAX = 8 * 1000 * 1000,
    WORKBOOK_STRING_BYTES_MAX = 256 * 1024 * 1024,
    WORKBOOK_ROW_MAX = 1048576, /* rows of a sheet, by the format's own limit */
    WORKBOOK_COLUMN_MAX = 16384,
    WORKBOOK_CELL_MAX = 256 * 1024, /* bytes of one cell; the format's limit is 32,767 characters */
};

/* How the elements of a part are taken. Names are without namespace. `attrs`: name, value, ..., NULL. */
struct part_reader {
    void (*start)(void *arg, const char *name, const char **attrs);
    void (*end)(void *arg, const char *name);
    void (*text)(void *arg, const char *p, size_t n);
};

struct sheet {
    const char *name, *rel; /* rel: id of the relation that names its part */
    char *part;             /* "xl/worksheets/sheet1.xml"; NULL: none found */
};

struct workbook {
    struct arena arena;
    const char *fault; /* static; once set, the part at hand is given up */

    bool date1904;
    struct sheet *sheets;
    size_t n_sheets, cap_sheets;

    struct relation {
        const char *id, *type, *target;
    } * relations; /* of the part read last */
    size_t n_relations, cap_relations;

    struct number_format {
        uint32_t id;
        bool date;
    } * formats; /* of the workbook's own */
    size_t n_formats, cap_formats;
    bool *date_style; /* by style of a cell */
    size_t n_styles, cap_styles;
    bool in_cell_styles;

    struct buf string_text; /* shared strings, one after the other */
    size_t *string_ends;
    size_t n_strings, cap_strings;
    bool in_text, in_phonetic;

    /* the row at hand */
    uint64_t row; /* its number, from 1 */
    bool row_done;
    const char *row_fault; /* static: what costs this row alone; NULL: it is whole */
    struct buf row_text;
    struct sheet_cell {
        uint32_t column; /* from 0, rising */
        uint8_t type;    /* enum cell_type */
        size_t at, n;    /* in row_text */
    } * cells;
    size_t n_cells, cap_cells;
    struct {
        bool open, in_value;
        char type; /* 's'hared, 'n'umber, 't'ext, 'b'ool, 'd'ate */
        uint32_t column, style;
        uint32_t last; /* column of the cell before, plus one */
        struct buf text;
    } cell;
};

extern const struct part_reader read_relations, read_workbook, read_styles, read_strings, read_rows;

void workbook_finish(struct workbook *);
void workbook_begin_sheet(struct workbook *);
void workbook_begin_row(struct workbook *); /* the row that was done is dropped */

/* The target of the relation of that kind (what its type ends with) or id, as the name of a part; NULL: none.
 * `base`: the folder that relative targets start from, "xl/" or "". */
char *workbook_target(struct workbook *, const char *base, const char *kind, const char *id);

#endif
