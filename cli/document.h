/* SPDX-License-Identifier: Apache-2.0 */
/* A document made by a command itself, for out_document: keys and values in the order in which they are put.
 * Texts and keys are not copied. */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include "lib/arena.h"
#include "lib/val.h"

/* DOCUMENT_DECIMAL: a type of value beside enum ww_type, in millionths in `i`; only what prints knows it. */
enum { DOCUMENT_KEYS = 24, DOCUMENT_DECIMAL = 100 };

struct document {
    struct slice keys[DOCUMENT_KEYS];
    struct ww_value values[DOCUMENT_KEYS];
    uint32_t n;
};

/* A list of texts or documents that grows. */
struct document_list {
    struct ww_value *items;
    size_t n, cap;
};

void document_text(struct document *, const char *key, const char *text); /* NULL: the key is left out */
void document_int(struct document *, const char *key, int64_t);
/* A number with decimals, given in millionths; NO_INT: null. */
void document_decimal(struct document *, const char *key, int64_t millionths);
void document_bool(struct document *, const char *key, bool);
void document_list(struct document *, const char *key, const struct document_list *);
void document_map(struct document *, const char *key,
                  const struct document *inner); /* must outlive the outer */
struct ww_value document_value(const struct document *);

void document_list_add(struct document_list *, struct ww_value);
struct ww_value document_of_text(const char *);
struct ww_value document_of_decimal(int64_t millionths);
void document_list_finish(struct document_list *);

#endif
