/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fold.h"
#include "engine/rules_load.h"

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

/* The second rules file over the same kinds. Its mistakes are told under its own name. */
static void compile_shadow(struct settings *s, const struct tree *t, struct mistakes *m)
{
    const struct tree *shadow = tree_get(t, "shadow");
    struct arena a = {0};
    if (!shadow)
        return;
    struct tree *other = tree_new(&a, TREE_MAP);
    for (uint32_t i = 0; i < t->n; i++)
        if (!slice_is(t->keys[i]->text, "shadow") && !slice_is(t->keys[i]->text, "rules") &&
            !slice_is(t->keys[i]->text, "duties"))
            tree_pair(&a, other, t->keys[i], t->items[i]);
    tree_set(&a, other, SLICE("rules"), arena_copy(&a, shadow, sizeof *shadow));
    const char *part = m->part;
    m->part = "shadow";
    int rc = settings_compile(other, m, &s->shadow);
    assert((rc == 0) == (s->shadow != NULL)); /* what is wrong counts among the mistakes */
    m->part = part;
    arena_finish(&a);
}

int settings_compile(const struct tree *t, struct mistakes *m, struct settings **out)
{
    static const char *const keys[] = {"version", "score", "selectors", "assessment", "rules"};
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
    load_thresholds(s, tree_get(t, "thresholds"), m);
    load_areas(s, tree_get(t, "areas"), m);
    load_score(s, tree_get(rules, "score"), m);
    rules_load(s, rules, m);
    work_load(t, s->timezone, m, &s->work);
    load_duties(s, tree_get(t, "duties"), m);
    compile_shadow(s, t, m);
    if (m->total > before) {
        settings_destroy(s);
        return WW_ECONFIG;
    }
    s->index = rule_index_make(s, &s->arena);
    *out = s;
    return 0;
}

void settings_check_parts(const struct tree *t, struct mistakes *m)
{
    struct settings *s = mem_zalloc(sizeof *s);
    s->timezone = OFFSET_CHINA_MS;
    load_areas(s, tree_get(t, "areas"), m);
    work_load(t, s->timezone, m, &s->work);
    work_check(s->work, t, m);
    settings_destroy(s);
}

void settings_destroy(struct settings *s)
{
    if (!s)
        return;
    settings_destroy(s->shadow);
    work_destroy(s->work);
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
    if (s->shadow)
        settings_bind(s->shadow, d);
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
        if (list[i].key.n >= best && list[i].key.n <= key.n && (!list[i].key.n || list[i].key.p[0] == key.p[0]) &&
            memcmp(list[i].key.p, key.p, list[i].key.n) == 0) {
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
