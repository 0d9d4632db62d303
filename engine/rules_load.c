/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to rules: selectors, conditions, what a rule does. Each mistake is told with its place; a new operator is one
 * row of the table `ops` and its function. Pure. */
#include "engine/settings.h"

enum { DEPTH_MAX = 16, COND_PARTS_MAX = 64, WITHIN_MAX_DAYS = 3660 };

struct loader {
    struct settings *s;
    struct mistakes *m;
    uint32_t n_selectors;
    struct selector *selectors;
};

static void add_all(struct kind_set *to, const struct kind_set *from)
{
    for (int i = 0; i < KIND_WORDS; i++)
        to->bits[i] |= from->bits[i];
}

static void add_kind(struct kind_set *to, uint32_t i)
{
    to->bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* ---- selectors: a kind, a name, a list of them, or a map of kind, agency, clue ---- */

static bool by_kind(const struct settings *s, uint32_t i, struct slice word)
{
    return slice_eq(s->kinds[i].name, word);
}

static bool by_agency(const struct settings *s, uint32_t i, struct slice word)
{
    return slice_eq(s->agencies[s->kinds[i].agency], word);
}

static bool by_clue(const struct settings *s, uint32_t i, struct slice word)
{
    return slice_eq(s->kinds[i].clue, word);
}

static const struct select_key {
    const char *key;
    bool (*match)(const struct settings *, uint32_t kind, struct slice word);
} select_keys[] = {{"kind", by_kind}, {"agency", by_agency}, {"clue", by_clue}};

/* Words that could have been meant, for the hint. */
static const char *suggest(struct loader *l, const struct select_key *by, struct slice given)
{
    const char *words[KINDS_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < l->s->n_kinds && n < ARRAY_LEN(words); i++) {
        const struct settings_kind *k = &l->s->kinds[i];
        words[n++] = by->match == by_kind     ? k->name.p
                     : by->match == by_agency ? l->s->agencies[k->agency].p
                     : k->clue.n              ? k->clue.p
                                              : "";
    }
    return nearest_word(given, words, n);
}

static void select_word(struct loader *l, const struct select_key *by, const struct tree *word, struct kind_set *out)
{
    bool any = false;
    for (uint32_t i = 0; i < l->s->n_kinds; i++)
        if (by->match(l->s, i, word->text)) {
            add_kind(out, i);
            any = true;
        }
    if (!any)
        mistake_at(l->m, word, suggest(l, by, word->text), "unknown %s \"%.*s\"", by->key, SLICE_ARG(word->text));
}

static void select_words(struct loader *l, const struct select_key *by, const struct tree *t, struct kind_set *out)
{
    if (t->type == TREE_SCALAR)
        select_word(l, by, t, out);
    else if (t->type == TREE_LIST && t->n)
        for (uint32_t i = 0; i < t->n; i++)
            select_words(l, by, t->items[i], out);
    else
        mistake_at(l->m, t, NULL, "%s: a word or a list of words is needed", by->key);
}

/* A bare word: `any`, a selector by name, or a kind. */
static void select_name(struct loader *l, const struct tree *t, struct selector *out)
{
    if (slice_is(t->text, "any")) {
        for (uint32_t i = 0; i < l->s->n_kinds; i++)
            if (l->s->kinds[i].weight_ppm)
                add_kind(&out->kinds, i);
        return;
    }
    for (uint32_t i = 0; i < l->n_selectors; i++)
        if (slice_eq(l->selectors[i].name, t->text)) {
            add_all(&out->kinds, &l->selectors[i].kinds);
            out->cleared_too |= l->selectors[i].cleared_too;
            if (l->selectors[i].where.given)
                out->where = l->selectors[i].where;
            return;
        }
    select_word(l, &select_keys[0], t, &out->kinds);
}

static void unknown_keys(struct loader *, const struct tree *map, const char *const *words, size_t n);

/* Words of a scalar or a list of scalars, copied; mistakes told. */
static struct slice *load_words(struct loader *l, const struct tree *t, uint32_t *n, const char *what)
{
    bool list = t->type == TREE_LIST;
    uint32_t count = list ? t->n : 1;
    struct slice *words = arena_zalloc(&l->s->arena, (count + 1) * sizeof *words);
    *n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct tree *word = list ? t->items[i] : t;
        if (word->type != TREE_SCALAR || !word->text.n)
            mistake_at(l->m, word, NULL, "%s: a word or a list of words is needed", what);
        else
            words[(*n)++] = arena_slice(&l->s->arena, word->text);
    }
    return words;
}

static region_t *load_regions(struct loader *l, const struct tree *t, uint32_t *n)
{
    uint32_t count;
    struct slice *words = load_words(l, t, &count, "region");
    region_t *list = arena_zalloc(&l->s->arena, (count + 1) * sizeof *list);
    *n = 0;
    for (uint32_t i = 0; i < count; i++) {
        list[*n] = region_of(words[i]);
        if (!list[*n])
            mistake_at(l->m, t, NULL, "region: \"%.*s\" is no prefix of a region code", SLICE_ARG(words[i]));
        else
            (*n)++;
    }
    return list;
}

/* 500000 yuan -> fen; people: a whole number. */
static int64_t load_quantity(struct loader *l, const struct tree *t, enum sum_field field)
{
    struct slice text = t->type == TREE_SCALAR ? t->text : (struct slice){0};
    int64_t v = 0;
    bool yuan = text.n > 5 && memcmp(text.p + text.n - 5, " yuan", 5) == 0;
    if (yuan)
        text.n -= 5;
    struct tree number = {.type = TREE_SCALAR, .text = text};
    if (yuan != (field == SUM_AMOUNT) || !tree_int(&number, &v) || v < 0 || v > INT64_MAX / 100)
        mistake_at(l->m, t, NULL,
                   field == SUM_AMOUNT ? "an amount like 500000 yuan is needed" : "a whole number of people is needed");
    return field == SUM_AMOUNT && v <= INT64_MAX / 100 ? v * 100 : v;
}

static void load_bounds(struct loader *l, const struct tree *t, enum sum_field field, int64_t *least, int64_t *most)
{
    static const char *const words[] = {"at_least", "at_most"};
    if (t->type != TREE_MAP || !t->n) {
        mistake_at(l->m, t, NULL, "a map {at_least: ..., at_most: ...} is needed");
        return;
    }
    unknown_keys(l, t, words, ARRAY_LEN(words));
    if (tree_get(t, "at_least"))
        *least = load_quantity(l, tree_get(t, "at_least"), field);
    if (tree_get(t, "at_most"))
        *most = load_quantity(l, tree_get(t, "at_most"), field);
    if (*least != NO_INT && *most != NO_INT && *least > *most)
        mistake_at(l->m, t, NULL, "at_least is above at_most: no signal can be so");
}

static void load_where(struct loader *l, const struct tree *t, struct where *w)
{
    static const char *const words[] = {"amount", "people", "region", "source"};
    if (t->type != TREE_MAP) {
        mistake_at(l->m, t, NULL, "where: a map of amount, people, region, source is needed");
        return;
    }
    unknown_keys(l, t, words, ARRAY_LEN(words));
    *w = (struct where){true, NO_INT, NO_INT, NO_INT, NO_INT, 0, 0, NULL, NULL};
    if (tree_get(t, "amount"))
        load_bounds(l, tree_get(t, "amount"), SUM_AMOUNT, &w->amount_least, &w->amount_most);
    if (tree_get(t, "people"))
        load_bounds(l, tree_get(t, "people"), SUM_PEOPLE, &w->people_least, &w->people_most);
    if (tree_get(t, "region"))
        w->regions = load_regions(l, tree_get(t, "region"), &w->n_regions);
    if (tree_get(t, "source"))
        w->sources = load_words(l, tree_get(t, "source"), &w->n_sources, "source");
}

static void select_map(struct loader *l, const struct tree *t, struct selector *out)
{
    static const char *const words[] = {"kind", "agency", "clue", "cleared", "where"};
    for (uint32_t i = 0; i < t->n; i++) {
        const struct select_key *by = NULL;
        for (size_t k = 0; k < ARRAY_LEN(select_keys); k++)
            if (slice_is(t->keys[i]->text, select_keys[k].key))
                by = &select_keys[k];
        if (by)
            select_words(l, by, t->items[i], &out->kinds);
        else if (slice_is(t->keys[i]->text, "where"))
            load_where(l, t->items[i], &out->where);
        else if (!slice_is(t->keys[i]->text, "cleared"))
            mistake_at(l->m, t->keys[i], nearest_word(t->keys[i]->text, words, ARRAY_LEN(words)),
                       "a selector has no \"%.*s\"", SLICE_ARG(t->keys[i]->text));
        else if (slice_is(t->items[i]->text, "too"))
            out->cleared_too = true;
        else
            mistake_at(l->m, t->items[i], NULL, "cleared: the only word is \"too\"");
    }
}

static void select_tree(struct loader *l, const struct tree *t, struct selector *out)
{
    if (t->type == TREE_SCALAR)
        select_name(l, t, out);
    else if (t->type == TREE_MAP)
        select_map(l, t, out);
    else
        for (uint32_t i = 0; i < t->n; i++) {
            if (t->items[i]->type == TREE_SCALAR)
                select_name(l, t->items[i], out);
            else
                mistake_at(l->m, t->items[i], NULL, "a list of kinds or selectors holds words only");
            if (out->where.given)
                mistake_at(l->m, t->items[i], NULL, "a selector with 'where' stands alone, not in a list");
        }
}

static void load_selectors(struct loader *l, const struct tree *map)
{
    if (!map)
        return;
    if (map->type != TREE_MAP) {
        mistake_at(l->m, map, NULL, "selectors: a map of names is needed");
        return;
    }
    l->selectors = arena_zalloc(&l->s->arena, (map->n + 1) * sizeof *l->selectors);
    for (uint32_t i = 0; i < map->n; i++) {
        struct selector sel = {.name = arena_slice(&l->s->arena, map->keys[i]->text)};
        select_tree(l, map->items[i], &sel);
        l->selectors[l->n_selectors++] = sel;
    }
}

/* ---- conditions ---- */

static void load_within(struct loader *l, const struct tree *t, struct cond *c, const struct tree *where)
{
    if (!tree_duration(t, &c->within) || c->within <= 0 || c->within > WITHIN_MAX_DAYS * DAY_MS)
        mistake_at(l->m, t ? t : where, NULL, "within: a duration like 30d is needed, at most %dd", WITHIN_MAX_DAYS);
}

static void load_at_least(struct loader *l, const struct tree *t, struct cond *c, const struct tree *where)
{
    int64_t n = 0;
    if (!tree_int(t, &n) || n < 1 || n > 100000)
        mistake_at(l->m, t ? t : where, NULL, "at_least: a whole number from 1 to 100000 is needed");
    c->at_least = n;
}

static void unknown_keys(struct loader *l, const struct tree *map, const char *const *words, size_t n)
{
    for (uint32_t i = 0; i < map->n; i++) {
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known |= slice_is(map->keys[i]->text, words[k]);
        if (!known)
            mistake_at(l->m, map->keys[i], nearest_word(map->keys[i]->text, words, n), "unknown key \"%.*s\"",
                       SLICE_ARG(map->keys[i]->text));
    }
}

static void load_cond(struct loader *, const struct tree *, struct cond *, int depth);

/* all: [...], any: [...] */
static void load_parts(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"all", "any"};
    unknown_keys(l, t, words, ARRAY_LEN(words));
    if (arg->type != TREE_LIST || arg->n == 0 || arg->n > COND_PARTS_MAX) {
        mistake_at(l->m, arg, NULL, "a list of 1 to %d conditions is needed", COND_PARTS_MAX);
        return;
    }
    c->parts = arena_zalloc(&l->s->arena, arg->n * sizeof *c->parts);
    for (uint32_t i = 0; i < arg->n; i++)
        load_cond(l, arg->items[i], &c->parts[c->n++], depth + 1);
}

/* {signal: SELECTOR, within: 30d} */
static void load_signal(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"signal", "within"};
    (void)depth;
    unknown_keys(l, t, words, ARRAY_LEN(words));
    select_tree(l, arg, &c->of);
    load_within(l, tree_get(t, "within"), c, t);
}

/* {count: {of, at_least, within}}, {agencies: {of, at_least, within}} */
static void load_number(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"of", "at_least", "within"};
    (void)depth;
    if (t->n != 1 || arg->type != TREE_MAP) {
        mistake_at(l->m, t, NULL, "a map {of: ..., at_least: N, within: 30d} is needed");
        return;
    }
    unknown_keys(l, arg, words, ARRAY_LEN(words));
    if (tree_get(arg, "of"))
        select_tree(l, tree_get(arg, "of"), &c->of);
    else
        mistake_at(l->m, arg, NULL, "of: which signals are counted is missing");
    load_at_least(l, tree_get(arg, "at_least"), c, arg);
    load_within(l, tree_get(arg, "within"), c, arg);
}

/* {not: CONDITION} */
static void load_not(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"not"};
    unknown_keys(l, t, words, ARRAY_LEN(words));
    c->parts = arena_zalloc(&l->s->arena, sizeof *c->parts);
    c->n = 1;
    load_cond(l, arg, c->parts, depth + 1);
}

static bool is_map(struct loader *l, const struct tree *t, const struct tree *arg, const char *form)
{
    if (t->n == 1 && arg->type == TREE_MAP)
        return true;
    mistake_at(l->m, t, NULL, "a map %s is needed", form);
    return false;
}

/* {sum: {of, field: amount, at_least: 500000 yuan, within}} */
static void load_sum(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"of", "field", "at_least", "within"}, *const fields[] = {"amount", "people"};
    (void)depth;
    if (!is_map(l, t, arg, "{of: ..., field: amount, at_least: 500000 yuan, within: 90d}"))
        return;
    unknown_keys(l, arg, words, ARRAY_LEN(words));
    const struct tree *of = tree_get(arg, "of"), *field = tree_get(arg, "field"), *least = tree_get(arg, "at_least");
    if (of)
        select_tree(l, of, &c->of);
    else
        mistake_at(l->m, arg, NULL, "of: which signals are added up is missing");
    if (field && slice_is(field->text, "people"))
        c->field = SUM_PEOPLE;
    else if (!field || !slice_is(field->text, "amount"))
        mistake_at(l->m, field ? field : arg, field ? nearest_word(field->text, fields, 2) : NULL,
                   "field: amount or people is needed");
    if (least)
        c->at_least = load_quantity(l, least, c->field);
    else
        mistake_at(l->m, arg, NULL, "at_least: how much is missing");
    load_within(l, tree_get(arg, "within"), c, arg);
}

/* {sequence: {steps: [SELECTOR, ...], within}} */
static void load_sequence(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"steps", "within"};
    (void)depth;
    if (!is_map(l, t, arg, "{steps: [..., ...], within: 120d}"))
        return;
    unknown_keys(l, arg, words, ARRAY_LEN(words));
    const struct tree *steps = tree_get(arg, "steps");
    if (!steps || steps->type != TREE_LIST || steps->n < 2 || steps->n > COND_PARTS_MAX)
        mistake_at(l->m, steps ? steps : arg, NULL, "steps: a list of 2 to %d selectors is needed", COND_PARTS_MAX);
    c->parts = arena_zalloc(&l->s->arena, COND_PARTS_MAX * sizeof *c->parts);
    for (uint32_t i = 0; steps && steps->type == TREE_LIST && i < steps->n && i < COND_PARTS_MAX; i++)
        select_tree(l, steps->items[i], &c->parts[c->n++].of);
    load_within(l, tree_get(arg, "within"), c, arg);
}

/* {absent: {expected: SELECTOR, after: SELECTOR, within}} */
static void load_absent(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"expected", "after", "within"};
    (void)depth;
    if (!is_map(l, t, arg, "{expected: ..., after: ..., within: 10d}"))
        return;
    unknown_keys(l, arg, words, ARRAY_LEN(words));
    const struct tree *expected = tree_get(arg, "expected"), *after = tree_get(arg, "after");
    if (!expected || !after) {
        mistake_at(l->m, arg, NULL, "both 'expected' and 'after' are needed");
        return;
    }
    c->parts = arena_zalloc(&l->s->arena, sizeof *c->parts);
    c->n = 1;
    select_tree(l, expected, &c->parts->of);
    select_tree(l, after, &c->of);
    load_within(l, tree_get(arg, "within"), c, arg);
}

/* {enterprise: {industry: [E], credit: [C], region: [...], tag: ...}} */
static void load_enterprise(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"industry", "credit", "region", "tag"};
    uint32_t n = 0;
    (void)depth;
    if (!is_map(l, t, arg, "{industry: [...], credit: [...], region: [...], tag: ...}"))
        return;
    unknown_keys(l, arg, words, ARRAY_LEN(words));
    struct attributes *a = c->enterprise = arena_zalloc(&l->s->arena, sizeof *a);
    if (tree_get(arg, "industry"))
        a->industries = load_words(l, tree_get(arg, "industry"), &a->n_industries, "industry");
    if (tree_get(arg, "tag"))
        a->tags = load_words(l, tree_get(arg, "tag"), &a->n_tags, "tag");
    if (tree_get(arg, "region"))
        a->regions = load_regions(l, tree_get(arg, "region"), &a->n_regions);
    struct slice *grades = tree_get(arg, "credit") ? load_words(l, tree_get(arg, "credit"), &n, "credit") : NULL;
    for (uint32_t i = 0; i < n; i++)
        if (grades[i].n == 1 && strchr("ABC", grades[i].p[0]) && strlen(a->credits) < 3)
            a->credits[strlen(a->credits)] = grades[i].p[0];
        else
            mistake_at(l->m, arg, NULL, "credit: the grades are A, B and C");
}

/* {season: {festival: spring_festival, before: 60d}} */
static void load_season(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"festival", "before"};
    const struct tree *festival = tree_get(arg, "festival");
    bool known = false;
    (void)depth;
    if (!is_map(l, t, arg, "{festival: spring_festival, before: 60d}"))
        return;
    unknown_keys(l, arg, words, ARRAY_LEN(words));
    for (uint32_t i = 0; festival && i < l->s->n_festivals; i++)
        known |= slice_eq(l->s->festivals[i].name, festival->text);
    if (!known)
        mistake_at(l->m, festival ? festival : arg, NULL, "festival: the calendar knows none of that name");
    else
        c->festival = arena_slice(&l->s->arena, festival->text);
    if (!tree_duration(tree_get(arg, "before"), &c->within) || c->within <= 0)
        mistake_at(l->m, arg, NULL, "before: a duration like 60d is needed");
}

/* {finding: {is: unfounded, within: 14d}} */
static void load_finding(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"is", "within"}, *const found[] = {"confirmed", "unfounded", "false_claim"};
    const struct tree *is = tree_get(arg, "is");
    (void)depth;
    if (!is_map(l, t, arg, "{is: unfounded, within: 14d}"))
        return;
    unknown_keys(l, arg, words, ARRAY_LEN(words));
    for (uint8_t i = 0; is && i < ARRAY_LEN(found); i++)
        if (slice_is(is->text, found[i]))
            c->finding = i + 1; /* enum finding */
    if (!c->finding)
        mistake_at(l->m, is ? is : arg, is ? nearest_word(is->text, found, ARRAY_LEN(found)) : NULL,
                   "is: confirmed, unfounded or false_claim is needed");
    load_within(l, tree_get(arg, "within"), c, arg);
}

static void load_score_cond(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    (void)depth;
    (void)c;
    if (t->n != 1 || !slice_is(arg->text, "follow"))
        mistake_at(l->m, t, NULL, "score: the only word is \"follow\"; the levels stand under 'score' above");
}

static const struct op {
    const char *word;
    enum cond_op op;
    void (*load)(struct loader *, const struct tree *, const struct tree *arg, struct cond *, int depth);
} ops[] = {
    {"all", COND_ALL, load_parts},
    {"any", COND_ANY, load_parts},
    {"not", COND_NOT, load_not},
    {"signal", COND_SIGNAL, load_signal},
    {"count", COND_COUNT, load_number},
    {"agencies", COND_AGENCIES, load_number},
    {"sum", COND_SUM, load_sum},
    {"sequence", COND_SEQUENCE, load_sequence},
    {"absent", COND_ABSENT, load_absent},
    {"enterprise", COND_ENTERPRISE, load_enterprise},
    {"season", COND_SEASON, load_season},
    {"finding", COND_FINDING, load_finding},
    {"score", COND_SCORE, load_score_cond},
};

static void load_cond(struct loader *l, const struct tree *t, struct cond *c, int depth)
{
    const char *words[ARRAY_LEN(ops)];
    if (t->type != TREE_MAP || t->n == 0 || depth > DEPTH_MAX) {
        mistake_at(l->m, t, NULL, "a condition is a map with one operator, at most %d deep", DEPTH_MAX);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        const struct tree *arg = tree_get(t, ops[i].word);
        words[i] = ops[i].word;
        if (arg) {
            c->op = ops[i].op;
            ops[i].load(l, t, arg, c, depth);
            return;
        }
    }
    mistake_at(l->m, t->keys[0], nearest_word(t->keys[0]->text, words, ARRAY_LEN(words)),
               "unknown operator \"%.*s\"; operators: all any not signal count agencies sum sequence absent "
               "enterprise season finding score", SLICE_ARG(t->keys[0]->text));
}

/* ---- rules ---- */

static const char *const level_words[] = {"general", "major", "critical", "by_score"};

static uint8_t load_level(struct loader *l, const struct tree *t)
{
    int level = t->type == TREE_SCALAR ? level_of(t->text) : -1;
    if (level <= LEVEL_NONE) {
        mistake_at(l->m, t, nearest_word(t->text, level_words, ARRAY_LEN(level_words)), "\"%.*s\" is no level",
                   SLICE_ARG(t->text));
        return LEVEL_GENERAL;
    }
    return (uint8_t)level;
}

static void load_then(struct loader *l, const struct tree *t, struct rule *r)
{
    static const char *const words[] = {"raise", "at_most", "suppress"};
    const struct tree *raise = tree_get(t, "raise"), *at_most = tree_get(t, "at_most");
    r->at_most = LEVEL_COUNT;
    if (!t || t->type != TREE_MAP || t->n == 0) {
        mistake_at(l->m, t, NULL, "then: what the rule does is missing: raise, at_most or suppress");
        return;
    }
    unknown_keys(l, t, words, ARRAY_LEN(words));
    if (raise && slice_is(raise->text, "by_score"))
        r->by_score = true;
    else if (raise)
        r->raise = load_level(l, raise);
    if (at_most)
        r->at_most = load_level(l, at_most);
}

static void load_suppress(struct loader *l, const struct tree *t, struct rule *r)
{
    const struct tree *list = tree_get(tree_get(t, "then"), "suppress");
    if (!list)
        return;
    if (list->type != TREE_LIST) {
        mistake_at(l->m, list, NULL, "suppress: a list of rules is needed");
        return;
    }
    r->suppress = arena_alloc(&l->s->arena, list->n * sizeof *r->suppress);
    for (uint32_t i = 0; i < list->n; i++) {
        uint32_t k = 0;
        while (k < l->s->n_rules && !slice_eq(l->s->rules[k].id, list->items[i]->text))
            k++;
        if (k == l->s->n_rules || &l->s->rules[k] == r)
            mistake_at(l->m, list->items[i], NULL, "suppress: no other rule is called \"%.*s\"",
                       SLICE_ARG(list->items[i]->text));
        else
            r->suppress[r->n_suppress++] = k;
    }
}

static void load_rule(struct loader *l, const struct tree *t, struct rule *r)
{
    static const char *const words[] = {"id", "title", "when", "then"};
    const struct tree *id = tree_get(t, "id"), *title = tree_get(t, "title"), *when = tree_get(t, "when");
    if (t->type != TREE_MAP) {
        mistake_at(l->m, t, NULL, "a rule is a map of id, title, when, then");
        return;
    }
    unknown_keys(l, t, words, ARRAY_LEN(words));
    if (!id || id->type != TREE_SCALAR || id->text.n == 0 || id->text.n > 64)
        mistake_at(l->m, t, NULL, "a rule needs an id of 1 to 64 bytes");
    else
        r->id = arena_slice(&l->s->arena, id->text);
    for (struct rule *other = l->s->rules; other < r; other++)
        if (r->id.n && slice_eq(other->id, r->id))
            mistake_at(l->m, id, NULL, "two rules are called \"%.*s\"", SLICE_ARG(r->id));
    const struct tree *zh = tree_get(title, "zh"), *en = tree_get(title, "en");
    if (!zh || !en)
        mistake_at(l->m, t, NULL, "rule \"%.*s\" needs a title {zh: ..., en: ...}", SLICE_ARG(r->id));
    r->zh = arena_slice(&l->s->arena, zh ? zh->text : r->id);
    r->en = arena_slice(&l->s->arena, en ? en->text : r->id);
    if (when)
        load_cond(l, when, &r->when, 1);
    else
        mistake_at(l->m, t, NULL, "rule \"%.*s\" has no condition: when", SLICE_ARG(r->id));
    load_then(l, tree_get(t, "then"), r);
}

void rules_load(struct settings *s, const struct tree *t, struct mistakes *m)
{
    struct loader l = {.s = s, .m = m};
    const struct tree *rules = tree_get(t, "rules");
    if (!s->kinds)
        return;
    load_selectors(&l, tree_get(t, "selectors"));
    if (!rules || rules->type != TREE_LIST || rules->n == 0) {
        mistake_at(m, rules, NULL, "rules: a list of rules is needed");
        return;
    }
    s->rules = arena_zalloc(&s->arena, rules->n * sizeof *s->rules);
    for (uint32_t i = 0; i < rules->n; i++)
        load_rule(&l, rules->items[i], &s->rules[s->n_rules++]);
    for (uint32_t i = 0; i < s->n_rules; i++)
        load_suppress(&l, rules->items[i], &s->rules[i]);
}
