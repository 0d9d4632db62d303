/* SPDX-License-Identifier: Apache-2.0 */
/* What conditions ask of other enterprises (struct radiation), each thing once, with a word that stays the same through
 * changes of settings: made of what it says, by the names of kinds and not by their positions. Pure. */
#include "engine/rules_load.h"

#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <stdlib.h>

static int name_order(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = memcmp(x->p, y->p, n);
    return c ? c : (x->n > y->n) - (x->n < y->n);
}

static void say_kinds(struct buf *b, const struct settings *s, const struct kind_set *kinds)
{
    struct slice names[KINDS_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < s->n_kinds; i++)
        if (kind_in(kinds, i))
            names[n++] = s->kinds[i].name;
    if (n)
        qsort(names, n, sizeof *names, name_order);
    buf_varint(b, n);
    for (size_t i = 0; i < n; i++)
        buf_slice(b, names[i]);
}

static void say_where(struct buf *b, const struct where *w)
{
    buf_varint(b, w->given);
    if (!w->given)
        return;
    buf_when(b, w->amount_least);
    buf_when(b, w->amount_most);
    buf_when(b, w->people_least);
    buf_when(b, w->people_most);
    buf_varint(b, w->n_regions);
    for (uint32_t i = 0; i < w->n_regions; i++)
        buf_varint(b, w->regions[i]);
    buf_varint(b, w->n_sources);
    for (uint32_t i = 0; i < w->n_sources; i++)
        buf_slice(b, w->sources[i]);
}

static struct slice say(struct loader *l, const struct radiation *r)
{
    struct buf b = {0};
    buf_varint(&b, r->level);
    buf_varint(&b, (uint64_t)r->within);
    if (r->level == LEVEL_NONE) {
        say_kinds(&b, l->s, &r->of.kinds);
        buf_varint(&b, r->of.cleared_too);
        say_where(&b, &r->of.where);
    }
    struct slice said = arena_slice(&l->s->arena, (struct slice){(const char *)b.p, b.n});
    buf_finish(&b);
    return said;
}

/* Two that say different things never share a word; 0 is none. */
static uint32_t word_of(const struct loader *l, struct slice said)
{
    uint64_t hash = hash_fnv1a(said.p, said.n);
    uint32_t word = (uint32_t)(hash ^ hash >> 32), i = 0;
    while (word == 0 || i < l->s->n_radiations) {
        bool taken = word == 0 || l->s->radiations[i].word == word;
        word += taken;
        i = taken ? 0 : i + 1;
    }
    return word;
}

static void make_room(struct loader *l)
{
    struct settings *s = l->s;
    if (s->n_radiations < l->cap_radiations)
        return;
    uint32_t cap = l->cap_radiations ? l->cap_radiations * 2 : 16;
    struct radiation *list = arena_zalloc(&s->arena, cap * sizeof *list);
    struct slice *said = arena_zalloc(&s->arena, cap * sizeof *said);
    if (s->n_radiations) {
        memcpy(list, s->radiations, s->n_radiations * sizeof *list);
        memcpy(said, l->said, s->n_radiations * sizeof *said);
    }
    s->radiations = list;
    l->said = said;
    l->cap_radiations = cap;
}

uint32_t load_radiation(struct loader *l, const struct tree *where, const struct radiation *r)
{
    struct settings *s = l->s;
    struct slice said = say(l, r);
    for (uint32_t i = 0; i < s->n_radiations; i++)
        if (slice_eq(l->said[i], said)) {
            s->radiations[i].classes |= r->classes;
            return i;
        }
    if (s->n_radiations == RADIATIONS_MAX) {
        mistake_at(l->m, where, NULL, "more than %d different things are asked of other enterprises", RADIATIONS_MAX);
        return 0;
    }
    make_room(l);
    l->said[s->n_radiations] = said;
    s->radiations[s->n_radiations] = *r;
    s->radiations[s->n_radiations].word = word_of(l, said);
    return s->n_radiations++;
}
