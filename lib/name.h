/* SPDX-License-Identifier: Apache-2.0 */
/* Names of enterprises, normalised before they are compared: NFKC (so full-width brackets become ASCII ones), all
 * white space and what has no width out, case folded. Only utf8proc here. Pure; any thread. */
#ifndef LIB_NAME_H
#define LIB_NAME_H

#include "lib/arena.h"
#include "lib/base.h"

/* Normalised copy in the arena. {NULL,0} when raw is not valid UTF-8 or nothing is left of it. Ideographs, ASCII
 * and full-width ASCII, alone or mixed, are mapped without a call to utf8proc. */
struct slice name_normalise(struct arena *, struct slice raw);

bool name_blank(struct slice raw); /* nothing but white space and what cannot be seen, or nothing at all */

/* Why nobody can be called so: control characters other than white space, or marks that turn the direction in which a line is
 * read. NULL: nothing of the kind. Valid UTF-8. */
const char *name_fault(struct slice);
bool name_unseen(struct slice); /* has characters of no width, which normalising leaves out */

bool utf8_valid(struct slice); /* RFC 3629: no surrogates, no overlong forms, at most U+10FFFF */

#endif
