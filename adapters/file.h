/* SPDX-License-Identifier: Apache-2.0 */
/* Small files as a whole: profiles, tables, salts. Any thread. */
#ifndef ADAPTERS_FILE_H
#define ADAPTERS_FILE_H

#include "lib/base.h"
#include "lib/err.h"

/* All of a file, a NUL after it; free() it. NULL with err: WW_ENOTFOUND, WW_EIO (also when it is larger than
 * `most`). */
char *file_text(const char *path, size_t most, size_t *n, struct err *) WW_CHECK;

/* Makes a folder and those above it, mode 0700. */
int file_make_dirs(const char *path, struct err *) WW_CHECK;

#endif
