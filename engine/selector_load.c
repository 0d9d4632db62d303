/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to selectors: which kinds, and what else is asked of a signal. Also the words that they are made of (lists of
 * words, regions, quantities, levels), which conditions use as well. Pure. */
#include "engine/rules_load.h"

#include <stdlib.h>

static void add_all(struct kind_set *to, const struct kind_set *from)
{
    for (int i = 0; i < KIND_WORDS; i++)
        to->bits[i] |= from->bits[i];
}

static void add_kind(struct kind_set *to, uint32_t i)
{
    to->bits[i / 64] |= UINT64_C(1) << i % 64;
}

bool selector_empty(const struct selector *of)
{
    uint64_t any = 0;
    for (int i = 0; i < KIND_WORDS; i++)
        any |= of->kinds.bits[i];
    return !any;
}

/* ---- words ---- */

void load_known(struct loader *l, const struct tree *map, const char *const *words, size_t n)
{
    for (uint32_t i = 0; map && map->type == TREE_MAP && i < map->n; i++) {
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known |= slice_is(map->keys[i]->text, words[k]);
        if (!known)
            mistake_at(l->m, map->keys[i], nearest_word(map->keys[i]->text, words, n), "unknown key \"%.*s\"",
                       SLICE_ARG(map->keys[i]->text));
    }
}

struct slice *load_words(struct loader *l, const struct tree *t, uint32_t *n, const char *what)
{
    bool list = t->type == TREE_LIST;
    uint32_t count = list ? t->n : 1;
    *n = 0;
    if (t->type == TREE_MAP || !count || count > WORDS_MAX) {
        mistake_at(l->m, t, NULL, "%s: a word or a list of 1 to %d words is needed", what, WORDS_MAX);
        return NULL;
    }
    struct slice *words = arena_zalloc(&l->s->arena, count * sizeof *words);
    for (uint32_t i = 0; i < count; i++) {
        const struct tree *word = list ? t->items[i] : t;
        if (word->type != TREE_SCALAR || !word->text.n)
            mistake_at(l->m, word, NULL, "%s: a word or a list of words is needed", what);
        else
            words[(*n)++] = arena_slice(&l->s->arena, word->text);
    }
    return words;
}

/* The codes of GB/T 2260 begin with one of these. */
static bool is_province(struct slice code)
{
    static const char provinces[] =
        "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82";
    for (const char *p = provinces; *p; p += p[2] ? 3 : 2)
        if (code.n >= 2 && memcmp(p, code.p, 2) == 0)
            return true;
    return false;
}

/* NULL: it can be one. */
static const char *region_fault(struct slice code)
{
    bool whole = code.n == 2 || code.n == 4 || code.n == 6 || code.n == 9 || (code.n >= 12 && code.n <= 15);
    if (!region_of(code) || !whole)
        return "a region code has 2, 4, 6, 9 or 12 digits (up to 15 for a grid)";
    return is_province(code) ? NULL : "no province has the code that it begins with";
}

/* The code, and where it is a zone's the prefixes that make the zone. */
static void add_region(const struct settings *s, region_t r, region_t *list, uint32_t *n)
{
    list[(*n)++] = r;
    for (uint32_t i = 0; i < s->n_zones; i++)
        for (uint32_t k = 0; s->zones[i].code == r && k < s->zones[i].n; k++)
            list[(*n)++] = s->zones[i].prefixes[k];
}

static uint32_t prefixes_of_zones(const struct settings *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->n_zones; i++)
        n += s->zones[i].n;
    return n;
}

region_t *load_regions(struct loader *l, const struct tree *t, uint32_t *n, const char *what)
{
    uint32_t count;
    struct slice *words = load_words(l, t, &count, what);
    size_t most = (size_t)(count + 1) * (prefixes_of_zones(l->s) + 1);
    region_t *list = arena_zalloc(&l->s->arena, most * sizeof *list);
    *n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *fault = region_fault(words[i]);
        if (fault)
            mistake_at(l->m, t->type == TREE_LIST && count == t->n ? t->items[i] : t, NULL,
                       "%s: \"%.*s\" is no prefix of a region code: %s", what, SLICE_ARG(words[i]), fault);
        else
            add_region(l->s, region_of(words[i]), list, n);
    }
    return list;
}

int64_t load_within(struct loader *l, const struct tree *t, const struct tree *where)
{
    int64_t ms = 0;
    if (!tree_duration(t, &ms) || ms <= 0 || ms > WITHIN_MAX_DAYS * DAY_MS) {
        mistake_at(l->m, t ? t : where, NULL, "within: a duration like 30d is needed, at most %dd", WITHIN_MAX_DAYS);
        return DAY_MS;
    }
    return ms;
}

int64_t load_quantity(struct loader *l, const struct tree *t, enum sum_field field)
{
    struct slice text = t->type == TREE_SCALAR ? t->text : (struct slice){0};
    int64_t v = 0;
    bool yuan = text.n > 5 && memcmp(text.p + text.n - 5, " yuan", 5) == 0;
    if (yuan)
        text.n -= 5;
    struct tree number = {.type = TREE_SCALAR, .text = text};
    if (yuan != (field == SUM_AMOUNT) || !tree_int(&number, &v) || v < 0 || v > INT64_MAX / 100) {
        mistake_at(l->m, t, NULL,
                   field == SUM_AMOUNT ? "an amount like 500000 yuan is needed" : "a whole number of people is needed");
        return 1;
    }
    return field == SUM_AMOUNT ? v * 100 : v;
}

uint8_t load_level(struct loader *l, const struct tree *t)
{
    static const char *const words[] = {"general", "major", "critical", "by_score"};
    int level = t->type == TREE_SCALAR ? level_of(t->text) : -1;
    if (level > LEVEL_NONE)
        return (uint8_t)level;
    mistake_at(l->m, t, nearest_word(t->text, words, ARRAY_LEN(words)),
               t->type == TREE_SCALAR ? "\"%.*s\" is no level; levels: general major critical"
                                      : "a level is needed%.*s: general, major or critical",
               SLICE_ARG(t->text));
    return LEVEL_NONE;
}

/* ---- which kinds ---- */

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

/* Words that could have been meant, for the hint: of a kind the names of selectors as well. */
static const char *suggest(struct loader *l, const struct select_key *by, struct slice given)
{
    const char *words[KINDS_MAX + SELECTORS_MAX + 1];
    size_t n = 0;
    for (uint32_t i = 0; i < l->s->n_kinds && n < KINDS_MAX; i++) {
        const struct settings_kind *k = &l->s->kinds[i];
        words[n++] = by->match == by_kind     ? k->name.p
                     : by->match == by_agency ? l->s->agencies[k->agency].p
                     : k->clue.n              ? k->clue.p
                                              : "";
    }
    for (uint32_t i = 0; by->match == by_kind && i < l->n_selectors && i < SELECTORS_MAX; i++)
        words[n++] = l->selectors[i].name.p;
    words[n++] = by->match == by_kind ? "any" : "";
    return nearest_word(given, words, n);
}

/* A selector that is itself not yet there: the one in hand, or one further down. */
static bool told_as_later(struct loader *l, const struct tree *t)
{
    const struct tree *map = l->selector_map;
    for (uint32_t i = l->n_selectors; map && i < map->n; i++)
        if (slice_eq(map->keys[i]->text, t->text)) {
            if (i == l->n_selectors)
                mistake_at(l->m, t, NULL, "selector \"%.*s\" refers to itself", SLICE_ARG(t->text));
            else
                mistake_at(l->m, t, "put it above", "selector \"%.*s\" stands further down, in line %u: a selector may "
                           "use only those above it", SLICE_ARG(t->text), map->keys[i]->line);
            return true;
        }
    return false;
}

static void select_word(struct loader *l, const struct select_key *by, const struct tree *word, struct kind_set *out)
{
    bool any = false;
    for (uint32_t i = 0; i < l->s->n_kinds; i++)
        if (word->text.n && by->match(l->s, i, word->text)) {
            add_kind(out, i);
            any = true;
        }
    if (!any && !(by->match == by_kind && told_as_later(l, word)))
        mistake_at(l->m, word, suggest(l, by, word->text), "unknown %s \"%.*s\"", by->key, SLICE_ARG(word->text));
}

static const struct selector *selector_named(const struct loader *l, struct slice name)
{
    for (uint32_t i = 0; i < l->n_selectors; i++)
        if (slice_eq(l->selectors[i].name, name))
            return &l->selectors[i];
    return NULL;
}

/* A bare word: `any`, a selector by name, or a kind. `alone`: it is all there is, so it may bring its own `where`. */
static void select_name(struct loader *l, const struct tree *t, struct selector *out, bool alone)
{
    const struct selector *named = selector_named(l, t->text);
    if (slice_is(t->text, "any")) {
        for (uint32_t i = 0; i < l->s->n_kinds; i++)
            if (l->s->kinds[i].weight_ppm)
                add_kind(&out->kinds, i);
        return;
    }
    if (!named) {
        select_word(l, &select_keys[0], t, &out->kinds);
        return;
    }
    if (!alone && (named->where.given || named->cleared_too))
        mistake_at(l->m, t, NULL, "selector \"%.*s\" has '%s' and stands alone, not among others", SLICE_ARG(t->text),
                   named->where.given ? "where" : "cleared");
    add_all(&out->kinds, &named->kinds);
    if (alone) {
        out->name = named->name;
        out->cleared_too = named->cleared_too;
        out->where = named->where;
    }
}

static void select_words(struct loader *l, const struct select_key *by, const struct tree *t, struct selector *out)
{
    bool list = t->type == TREE_LIST;
    if (t->type == TREE_MAP || (list && (!t->n || t->n > KINDS_MAX))) {
        mistake_at(l->m, t, NULL, "%s: a word or a list of words is needed", by->key);
        return;
    }
    for (uint32_t i = 0; i < (list ? t->n : 1); i++) {
        const struct tree *word = list ? t->items[i] : t;
        if (word->type != TREE_SCALAR)
            mistake_at(l->m, word, NULL, "%s: a word is needed, not a %s", by->key,
                       word->type == TREE_LIST ? "list" : "map");
        else if (by->match == by_kind)
            select_name(l, word, out, false);
        else
            select_word(l, by, word, &out->kinds);
    }
}

/* ---- what else is asked ---- */

static void load_bounds(struct loader *l, const struct tree *t, enum sum_field field, int64_t *least, int64_t *most)
{
    static const char *const words[] = {"at_least", "at_most"};
    const struct tree *low = tree_get(t, "at_least"), *high = tree_get(t, "at_most");
    size_t before = l->m->total;
    if (t->type != TREE_MAP || !t->n) {
        mistake_at(l->m, t, NULL, "a map {at_least: ..., at_most: ...} is needed");
        return;
    }
    load_known(l, t, words, ARRAY_LEN(words));
    if (low)
        *least = load_quantity(l, low, field);
    if (high)
        *most = load_quantity(l, high, field);
    if (low && high && *least > *most && before == l->m->total)
        mistake_at(l->m, low, NULL, "at_least is above at_most: no signal can be so");
}

static void load_where(struct loader *l, const struct tree *t, struct where *w)
{
    static const char *const words[] = {"amount", "people", "region", "source"};
    if (t->type != TREE_MAP || !t->n) {
        mistake_at(l->m, t, NULL, "where: a map of amount, people, region, source is needed");
        return;
    }
    load_known(l, t, words, ARRAY_LEN(words));
    *w = (struct where){true, NO_INT, NO_INT, NO_INT, NO_INT, 0, 0, NULL, NULL};
    if (tree_get(t, "amount"))
        load_bounds(l, tree_get(t, "amount"), SUM_AMOUNT, &w->amount_least, &w->amount_most);
    if (tree_get(t, "people"))
        load_bounds(l, tree_get(t, "people"), SUM_PEOPLE, &w->people_least, &w->people_most);
    if (tree_get(t, "region"))
        w->regions = load_regions(l, tree_get(t, "region"), &w->n_regions, "region");
    if (tree_get(t, "source"))
        w->sources = load_words(l, tree_get(t, "source"), &w->n_sources, "source");
}

static void select_map(struct loader *l, const struct tree *t, struct selector *out)
{
    static const char *const words[] = {"kind", "agency", "clue", "cleared", "where"};
    const struct tree *cleared = tree_get(t, "cleared"), *where = tree_get(t, "where");
    bool named = false;
    load_known(l, t, words, ARRAY_LEN(words));
    for (size_t k = 0; k < ARRAY_LEN(select_keys); k++) {
        const struct tree *list = tree_get(t, select_keys[k].key);
        named |= list != NULL;
        if (list)
            select_words(l, &select_keys[k], list, out);
    }
    if (!named)
        mistake_at(l->m, t, NULL, "a selector names its signals: kind, agency or clue is missing");
    if (where)
        load_where(l, where, &out->where);
    if (cleared && !slice_is(cleared->text, "too"))
        mistake_at(l->m, cleared, NULL, "cleared: the only word is \"too\"");
    out->cleared_too = cleared != NULL;
}

void load_selector(struct loader *l, const struct tree *t, struct selector *out)
{
    if (t->type == TREE_SCALAR)
        select_name(l, t, out, true);
    else if (t->type == TREE_MAP)
        select_map(l, t, out);
    else if (!t->n || t->n > KINDS_MAX)
        mistake_at(l->m, t, NULL, "a selector names at least one kind of signal");
    else
        for (uint32_t i = 0; i < t->n; i++) {
            if (t->items[i]->type == TREE_SCALAR)
                select_name(l, t->items[i], out, t->n == 1);
            else
                mistake_at(l->m, t->items[i], NULL, "a list of kinds or selectors holds words only");
        }
}

static void check_name(struct loader *l, const struct tree *name)
{
    bool kind = false;
    for (uint32_t i = 0; i < l->s->n_kinds; i++)
        kind |= slice_eq(l->s->kinds[i].name, name->text);
    if (!name->text.n || name->text.n > 64)
        mistake_at(l->m, name, NULL, "the name of a selector has 1 to 64 bytes");
    else if (kind || slice_is(name->text, "any"))
        mistake_at(l->m, name, NULL, "a selector cannot be called \"%.*s\": %s", SLICE_ARG(name->text),
                   kind ? "a kind of signal is" : "it means all kinds");
}

void load_selectors(struct loader *l, const struct tree *map)
{
    if (!map)
        return;
    if (map->type != TREE_MAP || map->n > SELECTORS_MAX) {
        mistake_at(l->m, map, NULL, "selectors: a map of at most %d names is needed", SELECTORS_MAX);
        return;
    }
    l->selector_map = map;
    l->selectors = arena_zalloc(&l->s->arena, (map->n + 1) * sizeof *l->selectors);
    for (uint32_t i = 0; i < map->n; i++) {
        struct selector sel = {.name = arena_slice(&l->s->arena, map->keys[i]->text)};
        check_name(l, map->keys[i]);
        load_selector(l, map->items[i], &sel);
        l->selectors[l->n_selectors++] = sel;
    }
    l->selector_map = NULL;
}
