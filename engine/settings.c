/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings.h"

#include "lib/calendar.h"
#include "lib/mem.h"

#include <stdlib.h>

static struct slice text_of(const struct tree *map, const char *key)
{
    const struct tree *t = tree_get(map, key);
    return t && t->type == TREE_SCALAR ? t->text : (struct slice){0};
}

static uint32_t number_of(const struct tree *map, const char *key, struct mistakes *m)
{
    int64_t v = 0;
    if (!tree_int(tree_get(map, key), &v) || v < 0 || v > UINT32_MAX)
        mistake_at(m, map, NULL, "kinds: %s must be a whole number", key);
    return (uint32_t)v;
}

static uint32_t agency_of(struct settings *s, struct slice kind, const struct tree *at, struct mistakes *m)
{
    const char *dot = memchr(kind.p, '.', kind.n);
    struct slice agency = {kind.p, dot ? (size_t)(dot - kind.p) : kind.n};
    for (uint32_t i = 0; i < s->n_agencies; i++)
        if (slice_eq(s->agencies[i], agency))
            return i;
    if (s->n_agencies == AGENCIES_MAX) {
        mistake_at(m, at, NULL, "kinds: more than %d agencies", AGENCIES_MAX);
        return 0;
    }
    s->agencies[s->n_agencies] = arena_slice(&s->arena, agency);
    return s->n_agencies++;
}

static void load_kind(struct settings *s, struct settings_kind *k, const struct tree *t, struct mistakes *m)
{
    k->name = arena_slice(&s->arena, text_of(t, "kind"));
    k->zh = arena_slice(&s->arena, text_of(t, "zh"));
    k->en = arena_slice(&s->arena, text_of(t, "en"));
    k->clue = arena_slice(&s->arena, text_of(t, "clue"));
    k->weight_ppm = number_of(t, "weight_ppm", m);
    k->half_life_days = number_of(t, "half_life_days", m);
    k->window_days = number_of(t, "repeat_window_days", m);
    if (k->weight_ppm >= PPM || (k->weight_ppm && !k->half_life_days))
        mistake_at(m, t, NULL, "kinds: %.*s needs a weight below 1 and a half-life", SLICE_ARG(k->name));
    else
        k->hazard = fixed_hazard(k->weight_ppm);
    k->half_life = (int64_t)k->half_life_days * DAY_MS;
    k->window = (int64_t)k->window_days * DAY_MS;
    k->agency = agency_of(s, k->name, t, m);
}

static void load_clears(struct settings *s, struct settings_kind *k, struct slice names)
{
    while (names.n) {
        const char *space = memchr(names.p, ' ', names.n);
        struct slice one = {names.p, space ? (size_t)(space - names.p) : names.n};
        for (uint32_t i = 0; i < s->n_kinds; i++)
            if (slice_eq(s->kinds[i].name, one)) {
                k->clears.bits[i / 64] |= UINT64_C(1) << i % 64;
                k->clears_any = true;
            }
        size_t skip = one.n + (space ? 1 : 0);
        names = (struct slice){names.p + skip, names.n - skip};
    }
}

static void load_kinds(struct settings *s, const struct tree *list, struct mistakes *m)
{
    if (!list || list->type != TREE_LIST || list->n == 0 || list->n > KINDS_MAX) {
        mistake_at(m, list, NULL, "kinds: between 1 and %d kinds are needed", KINDS_MAX);
        return;
    }
    s->kinds = arena_zalloc(&s->arena, list->n * sizeof *s->kinds);
    s->agencies = arena_alloc(&s->arena, AGENCIES_MAX * sizeof *s->agencies);
    for (uint32_t i = 0; i < list->n; i++)
        load_kind(s, &s->kinds[s->n_kinds++], list->items[i], m);
    for (uint32_t i = 0; i < list->n; i++)
        load_clears(s, &s->kinds[i], text_of(list->items[i], "clears"));
}

/* A score in points as parts per million of certainty: 40 -> 400,000. */
static uint32_t points(const struct tree *t, const char *what, struct mistakes *m)
{
    int64_t v = 0;
    if (!tree_ppm(t, &v) || v < 0 || v >= INT64_C(100) * PPM) {
        mistake_at(m, t, NULL, "%s must be a number of points from 0 to below 100", what);
        return 0;
    }
    return (uint32_t)(v / 100);
}

static const char *const level_names[] = {NULL, "general", "major", "critical"};

static void load_levels(struct settings *s, const struct tree *score, struct mistakes *m)
{
    const struct tree *levels = tree_get(score, "levels");
    uint32_t reach[LEVEL_COUNT] = {0}, hysteresis = points(tree_get(score, "hysteresis"), "hysteresis", m);
    for (int l = LEVEL_GENERAL; l < LEVEL_COUNT; l++) {
        reach[l] = points(tree_get(levels, level_names[l]), level_names[l], m);
        if (reach[l] <= reach[l - 1])
            mistake_at(m, levels, NULL, "levels must rise: %s is not above what is below it", level_names[l]);
        s->reach[l] = fixed_hazard(reach[l]);
        s->hold[l] = reach[l] > hysteresis ? fixed_hazard(reach[l] - hysteresis) : 0;
    }
}

static void load_alone(struct settings *s, const struct tree *score, struct mistakes *m)
{
    const struct tree *most = tree_get(score, "one_agency_at_most"), *others = tree_get(score, "others_at_least");
    int level = most ? level_of(most->text) : LEVEL_MAJOR;
    if (level < 0)
        mistake_at(m, most, nearest_word(most->text, level_names + 1, 3), "one_agency_at_most: \"%.*s\" is no level",
                   SLICE_ARG(most->text));
    s->alone_at_most = (uint8_t)(level < 0 ? LEVEL_CRITICAL : level);
    s->others_at_least = fixed_hazard(others ? points(others, "others_at_least", m) : 50000);
}

static uint32_t factor_ppm(const struct tree *t, struct mistakes *m)
{
    int64_t v = PPM;
    if (!tree_ppm(t, &v) || v <= 0 || v > 10 * PPM) {
        mistake_at(m, t, NULL, "a factor must be a number above 0 and at most 10");
        v = PPM;
    }
    return (uint32_t)v;
}

static struct factor *load_factors(struct settings *s, const struct tree *map, uint32_t *n, struct mistakes *m)
{
    *n = map && map->type == TREE_MAP ? map->n : 0;
    struct factor *list = arena_zalloc(&s->arena, (*n + 1) * sizeof *list);
    for (uint32_t i = 0; i < *n; i++) {
        list[i].key = arena_slice(&s->arena, map->keys[i]->text);
        list[i].ppm = factor_ppm(map->items[i], m);
    }
    return list;
}

static void load_credit(struct settings *s, const struct tree *map, struct mistakes *m)
{
    s->credit = load_factors(s, map, &s->n_credit, m);
    for (uint32_t i = 0; i < s->n_credit; i++)
        if (s->credit[i].key.n != 1 || !strchr("ABC", s->credit[i].key.p[0]))
            mistake_at(m, map->keys[i], NULL, "credit: the grades are A, B and C");
}

static int season_order(const void *a, const void *b)
{
    const struct season *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static void load_festivals(struct settings *s, const struct tree *days, struct mistakes *m)
{
    uint32_t n = days && days->type == TREE_LIST ? days->n : 0;
    s->festivals = arena_zalloc(&s->arena, (n + 1) * sizeof *s->festivals);
    for (uint32_t i = 0; i < n; i++) {
        struct festival *f = &s->festivals[s->n_festivals];
        if (time_parse(text_of(days->items[i], "day"), s->timezone, &f->day))
            s->n_festivals++;
        else
            mistake_at(m, days->items[i], NULL, "calendar: the day of a festival must be like 2026-02-17");
        f->name = arena_slice(&s->arena, text_of(days->items[i], "festival"));
    }
}

static void load_seasons(struct settings *s, const struct tree *map, struct mistakes *m)
{
    uint32_t n = map && map->type == TREE_MAP ? map->n : 0;
    s->seasons = arena_zalloc(&s->arena, ((size_t)n * s->n_festivals + 1) * sizeof *s->seasons);
    for (uint32_t i = 0; i < n; i++) {
        int64_t before = 0;
        uint32_t had = s->n_seasons, ppm = factor_ppm(tree_get(map->items[i], "factor"), m);
        if (!tree_duration(tree_get(map->items[i], "before"), &before) || before <= 0)
            mistake_at(m, map->items[i], NULL, "season: 'before' must be a duration like 60d");
        for (uint32_t d = 0; d < s->n_festivals; d++) {
            const struct festival *f = &s->festivals[d];
            if (slice_eq(f->name, map->keys[i]->text))
                s->seasons[s->n_seasons++] = (struct season){f->day - before, f->day, ppm, f->name};
        }
        if (s->n_seasons == had)
            mistake_at(m, map->keys[i], NULL, "season: the calendar knows no festival \"%.*s\"",
                       SLICE_ARG(map->keys[i]->text));
    }
    qsort(s->seasons, s->n_seasons, sizeof *s->seasons, season_order);
}

static void check_keys(const struct tree *map, const char *const *words, size_t n, const char *where, struct mistakes *m)
{
    for (uint32_t i = 0; map && map->type == TREE_MAP && i < map->n; i++) {
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known |= slice_is(map->keys[i]->text, words[k]);
        if (!known)
            mistake_at(m, map->keys[i], nearest_word(map->keys[i]->text, words, n), "%s: unknown key \"%.*s\"", where,
                       SLICE_ARG(map->keys[i]->text));
    }
}

static void load_score(struct settings *s, const struct tree *score, struct mistakes *m)
{
    static const char *const keys[] = {"levels", "hysteresis", "one_agency_at_most", "others_at_least", "factors"};
    static const char *const factors[] = {"industry", "credit", "season"};
    const struct tree *f = tree_get(score, "factors");
    if (!score) {
        mistake_at(m, NULL, NULL, "rules: the part 'score' is missing");
        return;
    }
    check_keys(score, keys, ARRAY_LEN(keys), "score", m);
    check_keys(f, factors, ARRAY_LEN(factors), "factors", m);
    load_levels(s, score, m);
    load_alone(s, score, m);
    s->industry = load_factors(s, tree_get(f, "industry"), &s->n_industry, m);
    load_credit(s, tree_get(f, "credit"), m);
    load_seasons(s, tree_get(f, "season"), m);
}

int settings_compile(const struct tree *t, struct mistakes *m, struct settings **out)
{
    static const char *const keys[] = {"version", "score", "selectors", "rules"};
    const struct tree *rules = tree_get(t, "rules");
    struct settings *s = mem_zalloc(sizeof *s);
    int64_t version = 0;
    size_t before = m->total;
    *out = NULL;
    if (!tree_int(tree_get(t, "timezone_ms"), &s->timezone))
        s->timezone = OFFSET_CHINA_MS;
    if (!tree_int(tree_get(rules, "version"), &version) || version != 1)
        mistake_at(m, tree_get(rules, "version"), NULL, "rules: 'version: 1' is needed");
    check_keys(rules, keys, ARRAY_LEN(keys), "rules", m);
    load_kinds(s, tree_get(t, "kinds"), m);
    load_festivals(s, tree_get(t, "festivals"), m);
    load_score(s, tree_get(rules, "score"), m);
    rules_load(s, rules, m);
    if (m->total > before) {
        settings_destroy(s);
        return WW_ECONFIG;
    }
    *out = s;
    return 0;
}

void settings_destroy(struct settings *s)
{
    if (!s)
        return;
    free(s->kind_of_word);
    arena_finish(&s->arena);
    free(s);
}

static uint32_t bind_rule(struct settings *s, struct dict *d, const struct rule *r)
{
    size_t n = r->id.n + r->zh.n + r->en.n + 2;
    char *word = arena_zalloc(&s->arena, n);
    memcpy(word, r->id.p, r->id.n);
    if (r->zh.n)
        memcpy(word + r->id.n + 1, r->zh.p, r->zh.n);
    if (r->en.n)
        memcpy(word + r->id.n + r->zh.n + 2, r->en.p, r->en.n);
    return dict_add(d, DICT_RULE, (struct slice){word, n});
}

void settings_bind(struct settings *s, struct dict *d)
{
    for (uint32_t i = 0; i < s->n_kinds; i++)
        dict_add(d, DICT_KIND, s->kinds[i].name);
    s->n_words = dict_count(d, DICT_KIND);
    s->kind_of_word = mem_realloc(s->kind_of_word, s->n_words * sizeof *s->kind_of_word);
    memset(s->kind_of_word, 0, s->n_words * sizeof *s->kind_of_word);
    for (uint32_t i = 0; i < s->n_kinds; i++)
        s->kind_of_word[dict_add(d, DICT_KIND, s->kinds[i].name)] = i + 1;
    for (uint32_t i = 0; i < s->n_rules; i++)
        s->rules[i].word = bind_rule(s, d, &s->rules[i]);
}

uint32_t settings_kind_at(const struct settings *s, uint32_t word)
{
    return word < s->n_words ? s->kind_of_word[word] - 1 : UINT32_MAX;
}

const struct settings_kind *settings_kind(const struct settings *s, uint32_t word)
{
    uint32_t at = settings_kind_at(s, word);
    return at == UINT32_MAX ? NULL : &s->kinds[at];
}

static uint32_t longest_prefix(const struct factor *list, uint32_t n, struct slice key)
{
    size_t best = 0;
    uint32_t ppm = PPM;
    for (uint32_t i = 0; i < n; i++)
        if (list[i].key.n >= best && list[i].key.n <= key.n && memcmp(list[i].key.p, key.p, list[i].key.n) == 0) {
            best = list[i].key.n;
            ppm = list[i].ppm;
        }
    return ppm;
}

static uint32_t season_ppm(const struct settings *s, int64_t at)
{
    for (uint32_t i = 0; i < s->n_seasons; i++)
        if (s->seasons[i].from <= at && at < s->seasons[i].to)
            return s->seasons[i].ppm;
    return PPM;
}

uint64_t settings_factor(const struct settings *s, struct slice industry, char credit, int64_t at)
{
    uint64_t ppm = longest_prefix(s->industry, s->n_industry, industry);
    ppm = ppm * longest_prefix(s->credit, s->n_credit, (struct slice){&credit, credit ? 1 : 0}) / PPM;
    return ppm * season_ppm(s, at) / PPM;
}

int64_t settings_next_season(const struct settings *s, int64_t at)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < s->n_seasons; i++) {
        if (s->seasons[i].from > at && s->seasons[i].from < next)
            next = s->seasons[i].from;
        if (s->seasons[i].to > at && s->seasons[i].to < next)
            next = s->seasons[i].to;
    }
    return next;
}
