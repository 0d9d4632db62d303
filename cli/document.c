/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/document.h"

#include "lib/mem.h"

#include <stdlib.h>

static void put(struct document *d, const char *key, struct ww_value value)
{
    assert(d->n < DOCUMENT_KEYS);
    d->keys[d->n] = slice_of(key);
    d->values[d->n++] = value;
}

struct ww_value document_of_text(const char *s)
{
    return (struct ww_value){.type = WW_STR, .s = s, .n = (uint32_t)strlen(s)};
}

void document_text(struct document *d, const char *key, const char *text)
{
    if (text)
        put(d, key, document_of_text(text));
}

void document_int(struct document *d, const char *key, int64_t i)
{
    put(d, key, (struct ww_value){.type = WW_INT, .i = i});
}

struct ww_value document_of_decimal(int64_t millionths)
{
    if (millionths == NO_INT)
        return (struct ww_value){.type = WW_NIL};
    return (struct ww_value){.type = DOCUMENT_DECIMAL, .i = millionths};
}

void document_decimal(struct document *d, const char *key, int64_t millionths)
{
    put(d, key, document_of_decimal(millionths));
}

void document_bool(struct document *d, const char *key, bool b)
{
    put(d, key, (struct ww_value){.type = WW_BOOL, .b = b});
}

void document_list(struct document *d, const char *key, const struct document_list *list)
{
    put(d, key, (struct ww_value){.type = WW_LIST, .n = (uint32_t)list->n, .items = list->items});
}

struct ww_value document_value(const struct document *d)
{
    /* what prints a value only reads it */
    return (struct ww_value){.type = WW_MAP,
                             .n = d->n,
                             .items = (struct ww_value *)(uintptr_t)d->values,
                             .keys = (struct slice *)(uintptr_t)d->keys};
}

void document_map(struct document *d, const char *key, const struct document *inner)
{
    put(d, key, document_value(inner));
}

void document_list_add(struct document_list *list, struct ww_value value)
{
    list->items = mem_grow(list->items, &list->cap, list->n + 1, sizeof *list->items);
    list->items[list->n++] = value;
}

void document_list_finish(struct document_list *list)
{
    free(list->items);
    *list = (struct document_list){0};
}
