/* SPDX-License-Identifier: Apache-2.0 */
/* Where the shipped files lie: profiles by name, the table of kinds. Looks in $WAGEWARN_PROFILES (profiles
 * only), $WAGEWARN_DATA, the installed data folder, and the source tree that the program was built from. */
#ifndef ADAPTERS_LIBRARY_H
#define ADAPTERS_LIBRARY_H

#include "adapters/profile.h"

/* A profile by name, or a file when it has a '/' or ends in .yaml. Mistakes go to `said`. WW_ECONFIG, WW_EIO.
 */
int library_profile(const char *name_or_file, struct profile **out, struct buf *said, struct err *) WW_CHECK;

/* The table of kinds: that file, or the shipped one. */
int library_kinds(const char *file, struct kinds **out, struct err *) WW_CHECK;

/* Names of the profiles there are, in the arena; returns how many. */
size_t library_names(struct arena *, const char **names, size_t most);

#endif
