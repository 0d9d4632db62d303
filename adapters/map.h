/* SPDX-License-Identifier: Apache-2.0 */
/* A row becomes a signal, is ignored (a category that is no concern of ours), or is refused with a code and a
 * sentence. What is untidy is mended: full width, spaces, small letters, units. What is wrong is not guessed
 * at: a code that does not check is never replaced by the name beside it. Pure; any thread. */
#ifndef ADAPTERS_MAP_H
#define ADAPTERS_MAP_H

#include "adapters/profile.h"

enum row_class { ROW_SIGNAL, ROW_IGNORED, ROW_REFUSED };

struct mapped {
    enum row_class class;
    struct signal signal; /* every text has a NUL after it */
    const char *code;     /* refused: a reject code of PROTOCOL, or "truncated", "bad_row" */
    const char *why;      /* a sentence */
};

/* `now`: ms, for what lies in the future. Texts are in the arena, or in the profile. */
void map_row(const struct profile *, const struct kinds *, const struct row *, int64_t now, struct arena *,
             struct mapped *out);

#endif
