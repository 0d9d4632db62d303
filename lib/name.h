/* SPDX-License-Identifier: Apache-2.0 */
/* Names of enterprises, normalised before they are compared: NFKC (so full-width brackets become ASCII ones), all
 * white space out, case folded. Only utf8proc here. Pure; any thread. */
#ifndef LIB_NAME_H
#define LIB_NAME_H

#include "lib/arena.h"
#include "lib/base.h"

/* Normalised copy in the arena. {NULL,0} when raw is not valid UTF-8 or nothing is left of it. Ideographs, ASCII
 * and full-width ASCII, alone or mixed, are mapped without a call to utf8proc. */
struct slice name_normalise(struct arena *, struct slice raw);

bool name_blank(struct slice raw); /* nothing but white space, or nothing at all */

bool utf8_valid(struct slice); /* RFC 3629: no surrogates, no overlong forms, at most U+10FFFF */

#endif
