/* SPDX-License-Identifier: Apache-2.0 */
/* JSON out of the daemon's values, and signals out of JSON lines: the only door to jansson. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "lib/arena.h"
#include "wagewarn.h"

/* A value as JSON, on one line or indented; owned by the caller (free). Keys stay in their order. */
char *json_text(const struct ww_value *, bool indent);

/* A whole JSON object as json_text() writes one: texts, whole numbers, true and false, null, lists, maps; all of it copied
 * to the arena. NULL: it is none, and *sentence says why. */
const struct ww_value *json_document(struct arena *, struct slice text, const char **sentence);

/* One line of a file of signals. Texts are copied to the arena. True, or false with a reject code and a
 * sentence. */
bool json_signal(struct arena *, struct slice line, struct ww_signal *, const char **code,
                 const char **sentence);

#endif
