/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the configuration: reading one whole, and finding those that are shipped with the programs. Any
 * thread. */
#ifndef LIB_TEXTFILE_H
#define LIB_TEXTFILE_H

#include "lib/arena.h"
#include "lib/err.h"

/* A whole text file of at most 16 MiB into the arena, a NUL after it. WW_ECONFIG: it is not there, no file,
 * too large; WW_EIO. */
int textfile_read(const char *path, struct arena *, struct slice *out, struct err *) WW_CHECK;

/* Where a file that nobody named lies: beside the file that would name it (dir, may be NULL), else the one
 * shipped: $WAGEWARN_DATA, where it was installed, the source tree. Where it is nowhere, the place where it
 * should have been installed: reading it tells. */
const char *textfile_shipped(struct arena *, const char *dir, const char *name);

/* The folder of a file: "a" of "a/b", "/" of "/b", "." of "b". */
const char *textfile_dir(struct arena *, const char *path);

#endif
