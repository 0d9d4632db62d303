/* SPDX-License-Identifier: Apache-2.0 */
/* Owns struct tree: making one, reading scalars by type, its bytes in a journal entry, and the list of
 * mistakes with places. Pure; any thread. Text comes in by lib/yaml, meaning is the business of whoever reads
 * the tree. */
#include "lib/tree.h"

#include "lib/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUOTED_BIT = 0x80, NODE_LEAST = 4 /* type, line, column, length or count */ };

/* ---- making ---- */

struct tree *tree_new(struct arena *arena, enum tree_type type)
{
    struct tree *t = arena_zalloc(arena, sizeof *t);
    t->type = (uint8_t)type;
    if (type == TREE_SCALAR)
        t->text = SLICE("");
    return t;
}

struct tree *tree_text(struct arena *arena, struct slice text)
{
    struct tree *t = tree_new(arena, TREE_SCALAR);
    t->text = arena_slice(arena, text);
    return t;
}

/* Room for one more pointer. Capacity is not stored: it is the power of two at or above n, at least 4, so
 * every array of a tree must have been grown here. */
static struct tree **grow(struct arena *arena, struct tree **old, uint32_t n)
{
    if (n != 0 && (n < 4 || (n & (n - 1)) != 0))
        return old;
    struct tree **p = arena_alloc(arena, sizeof(struct tree *) * (n ? (size_t)n * 2 : 4));
    if (n)
        memcpy(p, old, sizeof(struct tree *) * n);
    return p;
}

void tree_append(struct arena *arena, struct tree *list, struct tree *item)
{
    assert(list->type == TREE_LIST);
    list->items = grow(arena, list->items, list->n);
    list->items[list->n++] = item;
}

void tree_pair(struct arena *arena, struct tree *map, struct tree *key, struct tree *value)
{
    assert(map->type == TREE_MAP && key->type == TREE_SCALAR);
    map->keys = grow(arena, map->keys, map->n);
    map->items = grow(arena, map->items, map->n);
    map->keys[map->n] = key;
    map->items[map->n++] = value;
}

void tree_set(struct arena *arena, struct tree *map, struct slice key, struct tree *value)
{
    assert(map->type == TREE_MAP);
    for (uint32_t i = 0; i < map->n; i++) {
        if (slice_eq(map->keys[i]->text, key)) {
            map->items[i] = value;
            return;
        }
    }
    tree_pair(arena, map, tree_text(arena, key), value);
}

/* ---- reading ---- */

const struct tree *tree_get(const struct tree *map, const char *key)
{
    if (!map || map->type != TREE_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->n; i++)
        if (slice_is(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at *p as a number; moves *p behind them. False when there is none or it does not fit. */
static bool digits(const char **p, const char *end, uint64_t *out)
{
    const char *at = *p;
    uint64_t v = 0;
    for (; at < end && is_digit(*at); at++)
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*at - '0'), &v))
            return false;
    bool any = at > *p;
    *p = at;
    *out = v;
    return any;
}

static bool with_sign(bool minus, uint64_t v, int64_t *out)
{
    if (v > (uint64_t)INT64_MAX + minus)
        return false;
    *out = minus ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* Start and end of a plain scalar after its sign; false for anything else. */
static bool number_text(const struct tree *t, bool *minus, const char **p, const char **end)
{
    if (!t || t->type != TREE_SCALAR || t->quoted || t->text.n == 0)
        return false;
    *p = t->text.p;
    *end = *p + t->text.n;
    *minus = **p == '-';
    if (**p == '-' || **p == '+')
        ++*p;
    return true;
}

bool tree_int(const struct tree *t, int64_t *out)
{
    bool minus;
    const char *p, *end;
    uint64_t v;
    return number_text(t, &minus, &p, &end) && digits(&p, end, &v) && p == end && with_sign(minus, v, out);
}

bool tree_ppm(const struct tree *t, int64_t *out)
{
    bool minus;
    const char *p, *end;
    uint64_t whole, part = 0;
    if (!number_text(t, &minus, &p, &end) || !digits(&p, end, &whole))
        return false;
    if (p < end && *p == '.') {
        const char *from = ++p;
        if (!digits(&p, end, &part) || p - from > 6)
            return false;
        for (ptrdiff_t i = p - from; i < 6; i++)
            part *= 10;
    }
    return p == end && !__builtin_mul_overflow(whole, (uint64_t)1000000, &whole) &&
           !__builtin_add_overflow(whole, part, &whole) && with_sign(minus, whole, out);
}

bool tree_bool(const struct tree *t, bool *out)
{
    if (!t || t->type != TREE_SCALAR || t->quoted)
        return false;
    bool yes = slice_is(t->text, "true");
    if (!yes && !slice_is(t->text, "false"))
        return false;
    *out = yes;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

/* A whole number with its unit behind it. Quotes make no difference: no text of ours looks like that by
 * chance. */
static bool with_unit(const struct tree *t, const struct unit *units, size_t n, int64_t *out)
{
    uint64_t v;
    if (!t || t->type != TREE_SCALAR)
        return false;
    const char *p = t->text.p, *end = p + t->text.n;
    if (!digits(&p, end, &v) || v > INT64_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!slice_is((struct slice){p, (size_t)(end - p)}, units[i].name))
            continue;
        int64_t product;
        if (__builtin_mul_overflow((int64_t)v, units[i].factor, &product))
            return false;
        *out = product;
        return true;
    }
    return false;
}

bool tree_duration(const struct tree *t, int64_t *ms)
{
    static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", DAY_MS}};
    return with_unit(t, units, ARRAY_LEN(units), ms);
}

bool tree_size(const struct tree *t, int64_t *bytes)
{
    static const struct unit units[] = {
        {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", INT64_C(1) << 40}};
    return with_unit(t, units, ARRAY_LEN(units), bytes);
}

/* ---- keys twice ---- */

struct place {
    struct slice text;
    uint32_t i;
};

static int by_text(const void *va, const void *vb)
{
    const struct place *a = va, *b = vb;
    size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
    int c = n ? memcmp(a->text.p, b->text.p, n) : 0;
    if (c)
        return c;
    if (a->text.n != b->text.n)
        return a->text.n < b->text.n ? -1 : 1;
    return a->i < b->i ? -1 : a->i > b->i;
}

size_t tree_twice(const struct tree *map, struct tree_twin *out, size_t cap)
{
    size_t found = 0;
    if (map->type != TREE_MAP || map->n < 2)
        return 0;
    struct place *all = mem_alloc(sizeof *all * map->n);
    for (uint32_t i = 0; i < map->n; i++)
        all[i] = (struct place){map->keys[i]->text, i};
    qsort(all, map->n, sizeof *all, by_text);
    for (uint32_t i = 1; i < map->n; i++) {
        if (!slice_eq(all[i - 1].text, all[i].text))
            continue;
        if (found < cap)
            out[found] = (struct tree_twin){map->keys[all[i - 1].i], map->keys[all[i].i]};
        found++;
    }
    free(all);
    return found;
}

/* ---- bytes ---- */

void tree_encode(const struct tree *t, struct buf *b)
{
    buf_u8(b, (uint8_t)(t->type | (t->quoted ? QUOTED_BIT : 0)));
    buf_varint(b, t->line);
    buf_varint(b, t->column);
    if (t->type == TREE_SCALAR) {
        buf_slice(b, t->text);
        return;
    }
    buf_varint(b, t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->type == TREE_MAP)
            tree_encode(t->keys[i], b);
        tree_encode(t->items[i], b);
    }
}

static struct tree *decode(struct rd *r, struct arena *arena, int depth);

static bool decode_children(struct rd *r, struct arena *arena, int depth, struct tree *t)
{
    bool map = t->type == TREE_MAP;
    size_t n = rd_count(r, map ? 2 * NODE_LEAST : NODE_LEAST);
    for (size_t i = 0; i < n && !r->bad; i++) {
        struct tree *key = NULL;
        if (map && (!(key = decode(r, arena, TREE_DEPTH_MAX)) || key->type != TREE_SCALAR))
            return false;
        struct tree *value = decode(r, arena, depth + 1);
        if (!value)
            return false;
        if (map)
            tree_pair(arena, t, key, value);
        else
            tree_append(arena, t, value);
    }
    return !r->bad && tree_twice(t, NULL, 0) == 0;
}

/* A list or map at depth TREE_DEPTH_MAX is refused, a scalar there is not. */
static struct tree *decode(struct rd *r, struct arena *arena, int depth)
{
    uint8_t type = rd_u8(r);
    uint64_t line = rd_varint(r), column = rd_varint(r);
    bool quoted = type & QUOTED_BIT;
    type &= (uint8_t)~QUOTED_BIT;
    if (r->bad || type > TREE_MAP || line > UINT32_MAX || column > UINT32_MAX ||
        (quoted && type != TREE_SCALAR))
        return NULL;
    struct tree *t = tree_new(arena, type);
    t->quoted = quoted;
    t->line = (uint32_t)line;
    t->column = (uint32_t)column;
    if (type == TREE_SCALAR) {
        struct slice text = rd_slice(r);
        if (r->bad || (text.n && memchr(text.p, 0, text.n)))
            return NULL;
        t->text = arena_slice(arena, text);
        return t;
    }
    return depth < TREE_DEPTH_MAX && decode_children(r, arena, depth, t) ? t : NULL;
}

int tree_decode(struct rd *r, struct arena *arena, struct tree **out)
{
    *out = decode(r, arena, 0);
    if (*out)
        return 0;
    r->bad = true;
    return WW_EINPUT;
}
