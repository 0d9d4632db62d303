/* SPDX-License-Identifier: Apache-2.0 */
/* Words that stored bytes name by number: kinds, sources, rules. A number once given keeps its meaning for the life of
 * the store, whatever the configuration says later. Only the writer adds; any thread may read at any time: texts never
 * move or vanish. */
#ifndef ENGINE_DICT_H
#define ENGINE_DICT_H

#include "lib/base.h"

enum dict_class {
    DICT_KIND,   /* "court.seizure" */
    DICT_SOURCE, /* a principal's name */
    DICT_RULE,   /* "id\0zh\0en": a rule whose title changes is a new word */
    DICT_CLASS_COUNT
};

struct dict;

struct dict *dict_create(void);
void dict_destroy(struct dict *);
uint32_t dict_add(struct dict *, enum dict_class, struct slice); /* its number; a new one when unknown. Writer only */
int64_t dict_find(const struct dict *, enum dict_class, struct slice); /* -1: unknown. Writer only */
struct slice dict_text(const struct dict *, enum dict_class, uint32_t id); /* {NULL,0}: no such number. Any thread */
uint32_t dict_count(const struct dict *, enum dict_class); /* any thread */

#endif
