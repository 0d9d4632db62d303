/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to rules: what each is called, when it holds (cond_load.c), what it does then; and what rules say of each other.
 * Each mistake is told with its place. Pure. */
#include "engine/rules_load.h"

#include "engine/cond_check.h"

#include <stdlib.h>

enum { ID_MAX = 64, TAG_MAX = 64, TITLE_MAX = 200, SUPPRESS_MAX = 64 };

/* ---- what a rule does ---- */

static void load_raise(struct loader *l, const struct tree *t, struct rule *r)
{
    if (t->type == TREE_SCALAR && slice_is(t->text, "by_score"))
        r->by_score = true;
    else
        r->raise = load_level(l, t);
}

static void load_cap(struct loader *l, const struct tree *t, struct rule *r)
{
    uint8_t level = load_level(l, t);
    if (level)
        r->at_most = level;
    if (level == LEVEL_CRITICAL)
        mistake_at(l->m, t, NULL, "at_most: critical is the highest level: this limits nothing");
}

static void load_escalate(struct loader *l, const struct tree *t, struct rule *r)
{
    if (!tree_bool(t, &r->escalate))
        mistake_at(l->m, t, NULL, "escalate: true or false is needed");
}

static void load_tag(struct loader *l, const struct tree *t, struct rule *r)
{
    if (t->type != TREE_SCALAR || !t->text.n || t->text.n > TAG_MAX)
        mistake_at(l->m, t, NULL, "tag: a word of 1 to %d bytes is needed", TAG_MAX);
    else
        r->tag = arena_slice(&l->s->arena, t->text);
}

static const struct deed {
    const char *word;
    void (*load)(struct loader *, const struct tree *, struct rule *); /* NULL: load_suppress(), when all are known */
    bool across_may, area_may;
} deeds[] = {
    {"raise", load_raise, true, true},      {"at_most", load_cap, false, false}, {"suppress", NULL, false, false},
    {"escalate", load_escalate, true, false}, {"tag", load_tag, true, false},
};

/* What an `area` or a rule that asks of others must not do. */
static void check_may(struct loader *l, const struct deed *d, const struct tree *key, const struct rule *r)
{
    if (r->area && !d->area_may)
        mistake_at(l->m, key, NULL, "a rule for an area may only raise, not \"%s\"", d->word);
    else if (r->across && !d->across_may)
        mistake_at(l->m, key, NULL, "a rule that asks of other enterprises may not \"%s\": only its own signals quiet "
                   "an enterprise", d->word);
}

static void check_deeds(struct loader *l, const struct tree *t, const struct rule *r)
{
    const struct tree *suppress = tree_get(t, "suppress");
    if (!r->raise && !r->by_score && r->at_most == LEVEL_COUNT && !suppress && !r->escalate && !r->tag.n)
        mistake_at(l->m, t, NULL, "then: the rule does nothing");
    if (r->raise > r->at_most)
        mistake_at(l->m, tree_get(t, "raise"), NULL, "a rule cannot raise above what it allows itself with at_most");
    if (r->area && r->by_score)
        mistake_at(l->m, tree_get(t, "raise"), NULL, "an area has no score: raise general, major or critical");
}

static void load_then(struct loader *l, const struct tree *t, const struct tree *where, struct rule *r)
{
    const char *words[ARRAY_LEN(deeds)];
    size_t before = l->m->total;
    r->at_most = LEVEL_COUNT;
    if (!t || t->type != TREE_MAP || t->n == 0) {
        mistake_at(l->m, t ? t : where, NULL,
                   "then: what the rule does is missing: raise, at_most, suppress, escalate or tag");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
        words[i] = deeds[i].word;
    load_known(l, t, words, ARRAY_LEN(words));
    for (uint32_t k = 0; k < t->n; k++)
        for (size_t i = 0; i < ARRAY_LEN(deeds); i++)
            if (slice_is(t->keys[k]->text, deeds[i].word)) {
                check_may(l, &deeds[i], t->keys[k], r);
                if (deeds[i].load)
                    deeds[i].load(l, t->items[k], r);
            }
    if (l->m->total == before)
        check_deeds(l, t, r);
}

/* ---- a rule ---- */

/* In {en: Sales, then rent} YAML sees a second key without a value: what stands behind a comma belongs to the text. */
static bool continues(const struct tree *title, uint32_t i)
{
    const struct tree *key = title->keys[i], *value = title->items[i];
    return i > 0 && !slice_is(key->text, "zh") && !slice_is(key->text, "en") && value->type == TREE_SCALAR &&
           !value->text.n && !value->quoted;
}

static struct slice load_text(struct loader *l, const struct tree *title, uint32_t i)
{
    struct arena *a = &l->s->arena;
    const struct tree *t = title->items[i];
    struct slice text = t->type == TREE_SCALAR ? arena_slice(a, t->text) : (struct slice){0};
    for (uint32_t k = i + 1; text.n && text.n <= TITLE_MAX && k < title->n && continues(title, k); k++)
        text = slice_of(arena_printf(a, "%.*s, %.*s", SLICE_ARG(text), SLICE_ARG(title->keys[k]->text)));
    if (!text.n || text.n > TITLE_MAX)
        mistake_at(l->m, t, NULL, "a title is a text of 1 to %d bytes", TITLE_MAX);
    return text;
}

static void load_title(struct loader *l, const struct tree *t, const struct tree *rule, struct rule *r)
{
    static const char *const words[] = {"zh", "en"};
    for (uint32_t i = 0; t && t->type == TREE_MAP && i < t->n; i++)
        if (slice_is(t->keys[i]->text, "zh"))
            r->zh = load_text(l, t, i);
        else if (slice_is(t->keys[i]->text, "en"))
            r->en = load_text(l, t, i);
        else if (!continues(t, i))
            mistake_at(l->m, t->keys[i], nearest_word(t->keys[i]->text, words, ARRAY_LEN(words)),
                       "unknown key \"%.*s\"", SLICE_ARG(t->keys[i]->text));
    if (!tree_get(t, "zh") || !tree_get(t, "en"))
        mistake_at(l->m, t ? t : rule, NULL, "rule \"%.*s\" needs a title {zh: ..., en: ...}", SLICE_ARG(r->id));
}

static void load_rule(struct loader *l, const struct tree *t, struct rule *r)
{
    static const char *const words[] = {"id", "title", "when", "then"};
    r->at_most = LEVEL_COUNT;
    if (t->type != TREE_MAP) {
        mistake_at(l->m, t, NULL, "a rule is a map of id, title, when, then");
        return;
    }
    const struct tree *id = tree_get(t, "id"), *when = tree_get(t, "when");
    load_known(l, t, words, ARRAY_LEN(words));
    if (!id || id->type != TREE_SCALAR || id->text.n == 0 || id->text.n > ID_MAX)
        mistake_at(l->m, id ? id : t, NULL, "a rule needs an id of 1 to %d bytes", ID_MAX);
    else
        r->id = arena_slice(&l->s->arena, id->text);
    load_title(l, tree_get(t, "title"), t, r);
    size_t before = l->m->total;
    if (when)
        load_when(l, when, &r->when);
    else
        mistake_at(l->m, t, NULL, "rule \"%.*s\" has no condition: when", SLICE_ARG(r->id));
    l->broken[r - l->s->rules] = l->m->total > before;
    r->across = when && l->across;
    r->area = when && l->area;
    load_then(l, tree_get(t, "then"), t, r);
}

/* ---- rules among each other ---- */

/* Rules by id, so that a name is found without walking thousands. */
struct by_id {
    struct slice id;
    uint32_t position;
};

static int id_order(const void *a, const void *b)
{
    const struct by_id *x = a, *y = b;
    size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
    int c = n ? memcmp(x->id.p, y->id.p, n) : 0;
    if (c || x->id.n != y->id.n)
        return c ? c : x->id.n < y->id.n ? -1 : 1;
    return (x->position > y->position) - (x->position < y->position);
}

static struct by_id *sort_ids(struct loader *l, const struct tree *rules)
{
    const struct settings *s = l->s;
    struct by_id *ids = arena_alloc(&l->s->arena, (s->n_rules + 1) * sizeof *ids);
    for (uint32_t i = 0; i < s->n_rules; i++)
        ids[i] = (struct by_id){s->rules[i].id, i};
    if (s->n_rules)
        qsort(ids, s->n_rules, sizeof *ids, id_order);
    for (uint32_t i = 1; i < s->n_rules; i++)
        if (ids[i].id.n && slice_eq(ids[i].id, ids[i - 1].id))
            mistake_at(l->m, tree_get(rules->items[ids[i].position], "id"), NULL,
                       "two rules are called \"%.*s\": the other one stands in line %u", SLICE_ARG(ids[i].id),
                       rules->items[ids[i - 1].position]->line);
    return ids;
}

/* UINT32_MAX: none. */
static uint32_t position_of(const struct by_id *ids, uint32_t n, struct slice id)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (id_order(&ids[middle], &(struct by_id){id, 0}) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && id.n && slice_eq(ids[low].id, id) ? ids[low].position : UINT32_MAX;
}

static const char *nearest_id(struct loader *l, struct slice given)
{
    const char **words = arena_alloc(&l->s->arena, (l->s->n_rules + 1) * sizeof *words);
    size_t n = 0;
    for (uint32_t i = 0; i < l->s->n_rules; i++)
        if (l->s->rules[i].id.n)
            words[n++] = l->s->rules[i].id.p;
    return nearest_word(given, words, n);
}

static void load_suppressed(struct loader *l, const struct tree *t, struct rule *r, const struct by_id *ids)
{
    uint32_t k = t->type == TREE_SCALAR ? position_of(ids, l->s->n_rules, t->text) : UINT32_MAX;
    const struct rule *other = k == UINT32_MAX ? NULL : &l->s->rules[k];
    bool twice = false;
    for (uint32_t i = 0; i < r->n_suppress; i++)
        twice |= r->suppress[i] == k;
    if (!other)
        mistake_at(l->m, t, nearest_id(l, t->text), "suppress: no other rule is called \"%.*s\"", SLICE_ARG(t->text));
    else if (other == r || twice)
        mistake_at(l->m, t, NULL, other == r ? "suppress: a rule cannot suppress itself" : "suppress: named twice");
    else if (other->area)
        mistake_at(l->m, t, NULL, "suppress: \"%.*s\" is for areas; no rule of an enterprise quiets an area",
                   SLICE_ARG(t->text));
    else if (!l->broken[k] && !l->broken[r - l->s->rules] && cond_implies(&other->when, &r->when))
        mistake_at(l->m, t, NULL, "rule \"%.*s\" could never act: this one holds whenever it does and suppresses it",
                   SLICE_ARG(t->text));
    else
        r->suppress[r->n_suppress++] = k;
}

static void load_suppress(struct loader *l, const struct tree *t, struct rule *r, const struct by_id *ids)
{
    const struct tree *list = tree_get(tree_get(t, "then"), "suppress");
    if (!list)
        return;
    if (list->type != TREE_LIST || !list->n || list->n > SUPPRESS_MAX) {
        mistake_at(l->m, list, NULL, "suppress: a list of 1 to %d rules is needed", SUPPRESS_MAX);
        return;
    }
    r->suppress = arena_alloc(&l->s->arena, list->n * sizeof *r->suppress);
    for (uint32_t i = 0; i < list->n; i++)
        load_suppressed(l, list->items[i], r, ids);
}

/* Rules that suppress each other, straight or in a round: takes away those that no one suppresses any more, until none
 * is left or only rounds are. */
static void check_rounds(struct loader *l, const struct tree *rules)
{
    const struct settings *s = l->s;
    uint32_t *by = arena_zalloc(&l->s->arena, (s->n_rules + 1) * sizeof *by), n = 0;
    uint32_t *free_ones = arena_alloc(&l->s->arena, (s->n_rules + 1) * sizeof *free_ones);
    for (uint32_t i = 0; i < s->n_rules; i++)
        for (uint32_t k = 0; k < s->rules[i].n_suppress; k++)
            by[s->rules[i].suppress[k]]++;
    for (uint32_t i = 0; i < s->n_rules; i++)
        if (!by[i])
            free_ones[n++] = i;
    for (uint32_t done = 0; done < n; done++) {
        const struct rule *r = &s->rules[free_ones[done]];
        for (uint32_t k = 0; k < r->n_suppress; k++)
            if (--by[r->suppress[k]] == 0)
                free_ones[n++] = r->suppress[k];
    }
    for (uint32_t i = 0; n < s->n_rules && i < s->n_rules; i++)
        for (uint32_t k = 0; by[i] && k < s->rules[i].n_suppress; k++)
            if (by[s->rules[i].suppress[k]]) {
                mistake_at(l->m, tree_get(tree_get(rules->items[i], "then"), "suppress"), NULL,
                           "rules suppress each other in a round: \"%.*s\" and \"%.*s\" are part of it",
                           SLICE_ARG(s->rules[i].id), SLICE_ARG(s->rules[s->rules[i].suppress[k]].id));
                return;
            }
}

static void list_areas(struct settings *s)
{
    s->area_rules = arena_alloc(&s->arena, (s->n_rules + 1) * sizeof *s->area_rules);
    for (uint32_t i = 0; i < s->n_rules; i++)
        if (s->rules[i].area)
            s->area_rules[s->n_area_rules++] = i;
}

void rules_load(struct settings *s, const struct tree *t, struct mistakes *m)
{
    struct loader l = {.s = s, .m = m};
    const struct tree *rules = tree_get(t, "rules");
    if (!s->kinds)
        return;
    load_selectors(&l, tree_get(t, "selectors"));
    load_assessment(&l, tree_get(t, "assessment"));
    if (!rules || rules->type != TREE_LIST || rules->n == 0 || rules->n > RULES_MAX) {
        mistake_at(m, rules, NULL, "rules: a list of rules is needed, 1 to %d of them", RULES_MAX);
        return;
    }
    s->rules = arena_zalloc(&s->arena, rules->n * sizeof *s->rules);
    l.broken = arena_zalloc(&s->arena, rules->n * sizeof *l.broken);
    for (uint32_t i = 0; i < rules->n; i++)
        load_rule(&l, rules->items[i], &s->rules[s->n_rules++]);
    const struct by_id *ids = sort_ids(&l, rules);
    size_t before = m->total;
    for (uint32_t i = 0; i < s->n_rules; i++)
        load_suppress(&l, rules->items[i], &s->rules[i], ids);
    if (m->total == before)
        check_rounds(&l, rules);
    list_areas(s);
}
