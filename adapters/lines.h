/* SPDX-License-Identifier: Apache-2.0 */
/* The physical lines of a file as UTF-8, with their places in it. Line ends: LF, CRLF, CR. A byte order mark
 * is skipped. One thread. Memory: what lies between the mark and the line last given, so that a caller who
 * gives a row up can go back to its beginning. */
#ifndef ADAPTERS_LINES_H
#define ADAPTERS_LINES_H

#include "adapters/encoding.h"

struct lines {
    int fd;
    const char *path;
    bool seekable;
    struct encoding encoding;
    struct buf win;               /* bytes of the file; win.p[head] is at the mark */
    size_t head, at;              /* at: the next line begins there */
    uint64_t offset;              /* in the file, of the mark */
    uint64_t number, mark_number; /* of the line at `at`, at the mark */
    uint32_t check;               /* crc32c of the bytes before the mark */
    bool ended;                   /* the last read gave nothing */
    bool begun;                   /* the byte order mark was looked for */
    bool patient;                 /* the call at work may wait for a pipe */
    char shown[1024];             /* the beginning of a line that is too long */
};

struct line {
    struct slice text; /* valid until the next call */
    uint64_t number;
    bool whole;    /* it has a line end */
    bool too_long; /* text is its beginning; the rest was skipped and the mark is behind it */
};

int lines_open(struct lines *, const char *path, enum source_encoding, struct err *) WW_CHECK;
void lines_close(struct lines *);

/* 1: a line; 0: no more whole line now, or (final) none at all; negative: WW_EIO, WW_EINPUT. Without `final`
 * it never waits for a pipe. */
int lines_next(struct lines *, bool final, struct line *, struct err *) WW_CHECK;

/* What was read up to here is done with: the mark moves behind the line last given. */
void lines_mark(struct lines *);
void lines_rewind(struct lines *);                        /* back to the mark */
void lines_tell(const struct lines *, struct position *); /* of the mark; `record` is the caller's */

/* Moves the mark to a position told before. 1, or 0: the bytes before it are not those of then (or it is a
 * pipe) and the mark is at the beginning; negative: WW_EIO. */
int lines_seek(struct lines *, const struct position *, struct err *) WW_CHECK;

bool lines_ended(const struct lines *); /* a pipe, and its other end is closed */

#endif
