/* SPDX-License-Identifier: Apache-2.0 */
/* The rejects file: rows that cannot be signals, for the people who can mend them. CSV in UTF-8 with a byte
 * order mark, so that spreadsheets read it: file, line, code, reason, the row as it was.
 *
 * It holds the rows of each input's last run: opening it for an input drops the rows that an earlier run
 * left, or those behind the count that the interrupted run had recorded. One process at a time holds it. */
#ifndef ADAPTERS_REJECTS_H
#define ADAPTERS_REJECTS_H

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/err.h"

struct rejects;

/* WW_EIO, WW_ELOCKED. */
int rejects_open(struct rejects **, const char *path, struct err *) WW_CHECK;
void rejects_close(struct rejects *); /* NULL is fine; writes what is buffered */

/* Rows of `input` from now on. Of those in the file already the first `keep` stay. WW_EIO. */
int rejects_begin(struct rejects *, const char *input, uint64_t keep, struct err *) WW_CHECK;

/* Buffered until rejects_sync. */
void rejects_add(struct rejects *, uint64_t line, const char *code, const char *reason, struct slice raw);

/* All that was added is on stable storage. WW_EIO, WW_EFULL. */
int rejects_sync(struct rejects *, struct err *) WW_CHECK;

#endif
