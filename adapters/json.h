/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, written: a map or list as it goes, commas seen to. Pure; a writer belongs to one thread. */
#ifndef ADAPTERS_JSON_H
#define ADAPTERS_JSON_H

#include "adapters/map.h"
#include "lib/buf.h"

struct json {
    struct buf *out;
    bool first; /* nothing yet in the map or list that is open */
};

void json_open(struct json *, const char *key,
               char bracket); /* '{' or '['; key NULL within a list or at the top */
void json_close(struct json *, char bracket);
void json_text(struct json *, const char *key, struct slice);
void json_int(struct json *, const char *key, int64_t);
void json_uint(struct json *, const char *key, uint64_t);

/* A signal by the keys of PROTOCOL, what is not given left out. */
void json_signal(struct json *, const char *key, const struct signal *);

#endif
