/* SPDX-License-Identifier: Apache-2.0 */
/* What touches the disk on behalf of the journal, whole writes and the one seam that tests put in between.
 * Any thread. Leaves to others what is written and when. */
#ifndef STORE_DISK_H
#define STORE_DISK_H

#include "store/journal.h"

/* The members that io (may be NULL) lacks are the real calls. */
struct journal_io disk_io(const struct journal_io *io);

/* 0 or an errno. Short writes and EINTR are gone on with. */
int disk_write(const struct journal_io *, int fd, const void *p, size_t n, uint64_t at);
int disk_zero(const struct journal_io *, int fd, uint64_t from, uint64_t to);
int disk_sync(const struct journal_io *, int fd);
int disk_sync_dir(const struct journal_io *, const char *dir);

/* A small file, whole or not at all: a temporary beside it, synced, renamed, the directory synced. */
int disk_replace(const struct journal_io *, const char *dir, const char *name, const void *p, size_t n);

/* Fills err with "journal: WHAT FILE: reason; what to do" and returns WW_EFULL or WW_EIO. */
int disk_error(struct err *, int errnum, const char *what, const char *file);

/* "a/b" on the heap. */
char *disk_path(const char *dir, const char *name) WW_CHECK;

#endif
