/* SPDX-License-Identifier: Apache-2.0 */
/* A durable position in a store's alert events, in a small file that a person can read.
 *
 * The file is two slots of 512 bytes, one line of text each: generation, store, number, CRC32C. A position is
 * written to the older slot and synced, so a crash in the middle of it spoils that slot alone and the
 * position before it stands; the whole file is never absent, and one write costs one pwrite and one fdatasync
 * (a temporary file with a rename costs three syncs). A file without one good slot is damage, never a fresh
 * start. To change the format: a new word in front of each slot, and a reader for both.
 *
 * One process at a time (flock). One thread at a time. */
#ifndef LIB_CURSOR_H
#define LIB_CURSOR_H

#include "lib/base.h"
#include "lib/err.h"

#include <sys/types.h>

enum { CURSOR_STORE_MAX = 64 };

struct cursor;

/* Opens the file, or makes one without a position. WW_EDAMAGED, WW_ELOCKED (another process follows with it),
 * WW_EIO, WW_EFULL. */
int cursor_open(struct cursor **, const char *path, struct err *) WW_CHECK;
void cursor_close(struct cursor *);

bool cursor_has(const struct cursor *);          /* a position was ever put */
const char *cursor_store(const struct cursor *); /* "" without one */
uint64_t cursor_seq(const struct cursor *);      /* everything up to it was worked off */

/* An id of a store: 1..64 visible ASCII characters. */
bool cursor_store_ok(const char *);

/* Durable when it returns 0. WW_EUSAGE: no id of a store; WW_EIO, WW_EFULL: the old position stands. */
int cursor_put(struct cursor *, const char *store, uint64_t seq, struct err *) WW_CHECK;

/* The seam for tests: what touches the disk. */
struct cursor_io {
    ssize_t (*pwrite)(int fd, const void *p, size_t n, off_t at);
    int (*fdatasync)(int fd);
};
extern struct cursor_io cursor_io;

#endif
