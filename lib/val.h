/* SPDX-License-Identifier: Apache-2.0 */
/* A decoded msgpack value (the public struct ww_value): what a body says, in an arena. Strings are copied and
 * NUL-terminated there. Read-only once made; any thread. Depth, counts and lengths were bounded by lib/scan. */
#ifndef LIB_VAL_H
#define LIB_VAL_H

#include "lib/arena.h"
#include "lib/base.h"
#include "wagewarn.h"

struct ww_value {
    uint8_t type;  /* enum ww_type */
    uint32_t n;    /* length of a text; items of a list; pairs of a map */
    union {
        bool b;
        int64_t i;                 /* WW_INT: negative or fits int64 */
        uint64_t u;                /* WW_UINT: above INT64_MAX */
        const char *s;
        struct ww_value *items;    /* list: n items; map: n values */
    };
    struct slice *keys;            /* map: n keys */
};

/* Typed look-ups in a map. *out is untouched when the key is not there. Return: 1 there, 0 not there,
 * -1 there with the wrong type or out of range (then the caller answers bad_field with that key). */
/* A text that is not valid UTF-8 is of the wrong type too. */
int val_str(const struct ww_value *map, const char *key, struct slice *out);
int val_int(const struct ww_value *map, const char *key, int64_t *out);
int val_uint(const struct ww_value *map, const char *key, uint64_t *out);
int val_bool(const struct ww_value *map, const char *key, bool *out);
int val_list(const struct ww_value *map, const char *key, const struct ww_value **out);

#endif
