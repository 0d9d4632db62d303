/* SPDX-License-Identifier: Apache-2.0 */
/* Reading of decoded values: the public accessors of wagewarn.h, and the daemon's typed look-ups. */
#include "lib/val.h"

#include "lib/name.h"

static const struct ww_value *find(const struct ww_value *map, struct slice key)
{
    if (!map || map->type != WW_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (slice_eq(map->keys[i], key))
            return &map->items[i];
    return NULL;
}

enum ww_type ww_type(const struct ww_value *v)
{
    return v ? (enum ww_type)v->type : WW_NIL;
}

const struct ww_value *ww_get(const struct ww_value *map, const char *key)
{
    return find(map, slice_of(key));
}

size_t ww_length(const struct ww_value *v)
{
    return v && (v->type == WW_LIST || v->type == WW_MAP) ? v->n : 0;
}

const struct ww_value *ww_at(const struct ww_value *v, size_t i)
{
    return i < ww_length(v) ? &v->items[i] : NULL;
}

const char *ww_key(const struct ww_value *map, size_t i)
{
    return map && map->type == WW_MAP && i < map->n ? map->keys[i].p : NULL;
}

int64_t ww_int(const struct ww_value *v, int64_t otherwise)
{
    return v && v->type == WW_INT ? v->i : otherwise;
}

uint64_t ww_uint(const struct ww_value *v, uint64_t otherwise)
{
    if (v && v->type == WW_UINT)
        return v->u;
    return v && v->type == WW_INT && v->i >= 0 ? (uint64_t)v->i : otherwise;
}

const char *ww_str(const struct ww_value *v, const char *otherwise)
{
    return v && v->type == WW_STR ? v->s : otherwise;
}

int val_str(const struct ww_value *map, const char *key, struct slice *out)
{
    const struct ww_value *v = ww_get(map, key);
    if (!v)
        return 0;
    if (v->type != WW_STR || !utf8_valid((struct slice){v->s, v->n}))
        return -1;
    *out = (struct slice){v->s, v->n};
    return 1;
}

int val_int(const struct ww_value *map, const char *key, int64_t *out)
{
    const struct ww_value *v = ww_get(map, key);
    if (!v)
        return 0;
    if (v->type != WW_INT)
        return -1;
    *out = v->i;
    return 1;
}

int val_uint(const struct ww_value *map, const char *key, uint64_t *out)
{
    const struct ww_value *v = ww_get(map, key);
    if (!v)
        return 0;
    if (v->type != WW_UINT && (v->type != WW_INT || v->i < 0))
        return -1;
    *out = ww_uint(v, 0);
    return 1;
}

int val_bool(const struct ww_value *map, const char *key, bool *out)
{
    const struct ww_value *v = ww_get(map, key);
    if (!v)
        return 0;
    if (v->type != WW_BOOL)
        return -1;
    *out = v->b;
    return 1;
}

int val_list(const struct ww_value *map, const char *key, const struct ww_value **out)
{
    const struct ww_value *v = ww_get(map, key);
    if (!v)
        return 0;
    if (v->type != WW_LIST)
        return -1;
    *out = v;
    return 1;
}
