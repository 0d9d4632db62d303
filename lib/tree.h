/* SPDX-License-Identifier: Apache-2.0 */
/* A document with line numbers: what YAML text says, without libfyaml's types. Pure: lib/yaml makes one from text,
 * tree_encode/tree_decode carry it through a journal entry, so that the engine compiles rules without a parser.
 * Nodes live in the arena they were made in. Read-only once made; any thread. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

enum tree_type { TREE_SCALAR, TREE_LIST, TREE_MAP };
enum { TREE_DEPTH_MAX = 32 }; /* lists and maps within each other */

struct tree {
    uint8_t type;          /* enum tree_type */
    bool quoted;           /* a scalar in quotes: text whatever it looks like */
    uint32_t line, column; /* from 1; 0: made by a program */
    struct slice text;     /* scalar; NUL-terminated in the arena */
    uint32_t n;            /* items of a list, pairs of a map */
    struct tree **items;   /* list: items; map: values */
    struct tree **keys;    /* map: keys, scalars, with their own lines; no two alike */
};

/* Value of a key, NULL when absent (or map is NULL or no map). */
const struct tree *tree_get(const struct tree *map, const char *key);
/* Scalars by type; false when it is not one of that type. Integers: decimal, optional sign, '_' not allowed.
 * Decimals give parts per million (1.25 -> 1250000): no floating point. */
bool tree_int(const struct tree *, int64_t *);
bool tree_ppm(const struct tree *, int64_t *);
bool tree_bool(const struct tree *, bool *); /* true | false */
bool tree_duration(const struct tree *, int64_t *ms); /* "30d" "12h" "5m" "10s" "250ms"; a bare number is refused */
bool tree_size(const struct tree *, int64_t *bytes);  /* "64KiB" "1GiB" "512B" */

/* To make one by program, and to carry it. Encoding drops nothing: lines and columns too. */
struct tree *tree_new(struct arena *, enum tree_type);
struct tree *tree_text(struct arena *, struct slice);
void tree_append(struct arena *, struct tree *list, struct tree *item);
void tree_set(struct arena *, struct tree *map, struct slice key, struct tree *value);
/* As tree_set, with a key that has its own line, and without looking whether it is there already. */
void tree_pair(struct arena *, struct tree *map, struct tree *key, struct tree *value);
void tree_encode(const struct tree *, struct buf *);
/* WW_EINPUT; depth at most 32, nothing believed. */
int tree_decode(struct rd *, struct arena *, struct tree **out) WW_CHECK;

/* Keys that stand twice in a map: up to cap of them to out (the first, the repeated one); returns how many. */
struct tree_twin {
    const struct tree *first, *again;
};
size_t tree_twice(const struct tree *map, struct tree_twin *out, size_t cap);

enum { MISTAKES_KEPT = 200 };

/* Mistakes found in a document, all of them up to a bound, each with its place. The same said twice of one place counts once. */
struct mistakes {
    struct arena *arena;
    const char *file;
    struct mistake {
        uint32_t line, column;
        const char *sentence; /* "unknown operator \"al\"" */
        const char *hint;     /* "did you mean \"all\"?" or NULL */
        const char *part;     /* of which document, where several are checked as one; NULL: that of `file` */
    } list[MISTAKES_KEPT];
    size_t n, total; /* kept, found */
    /* Other documents that are checked together with the first, such as the areas beside the rules: whoever checks names
     * the one in hand in `part` (static text), whoever prints says which file that is. */
    const char *part;
    struct mistakes_part {
        const char *part, *file;
        struct slice source;
    } parts[8];
};

/* File of a mistake, and its text; the first document's where nothing else was said. */
const char *mistake_file(const struct mistakes *, const struct mistake *);

void mistake_at(struct mistakes *, const struct tree *where, const char *hint, const char *fmt, ...) WW_PRINTF(4, 5);
/* The same for a place without a node; sentence and hint are copied. */
void mistake_put(struct mistakes *, uint32_t line, uint32_t column, const char *hint, const char *fmt, ...)
    WW_PRINTF(5, 6);
/* file:line:col: error: sentence, the line, a caret, the hint; `source` is the file's text (may be {NULL,0}). */
void mistakes_print(const struct mistakes *, struct slice source, struct buf *out);
/* The nearest of n words within distance 2 (3 for long ones), for hints; NULL when none. */
const char *nearest_word(struct slice given, const char *const *words, size_t n);

#endif
