/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to the score: levels and hysteresis, what one agency may do alone, factors, shares at which others' signals
 * count. Pure. */
#include "engine/rules_load.h"

#include "lib/calendar.h"

#include <stdlib.h>

enum { FACTORS_MAX = 1000, ALONE_DEFAULT_PPM = 50000 };

static const char *const level_names[] = {NULL, "general", "major", "critical"};

/* A score in points as parts per million of certainty: 40 -> 400,000. UINT32_MAX: told. */
static uint32_t points(const struct tree *map, const char *what, const struct tree *where, struct mistakes *m)
{
    const struct tree *t = tree_get(map, what);
    int64_t v = 0;
    if (tree_ppm(t, &v) && v >= 0 && v < INT64_C(100) * PPM)
        return (uint32_t)(v / 100);
    mistake_at(m, t ? t : map ? map : where, NULL, "%s must be a number of points from 0 to below 100", what);
    return UINT32_MAX;
}

static bool is_map(const struct tree *t, const char *what, const char *form, struct mistakes *m)
{
    if (t && t->type != TREE_MAP)
        mistake_at(m, t, NULL, "%s: a map %s is needed", what, form);
    return t && t->type == TREE_MAP;
}

static void load_levels(struct loader *l, const struct tree *score)
{
    const struct tree *levels = tree_get(score, "levels");
    uint32_t reach[LEVEL_COUNT] = {0}, hysteresis = points(score, "hysteresis", score, l->m);
    if (levels && !is_map(levels, "levels", "{general: 40, major: 65, critical: 85}", l->m))
        return;
    load_known(l, levels, level_names + 1, LEVEL_COUNT - 1);
    for (int k = LEVEL_GENERAL; k < LEVEL_COUNT; k++) {
        reach[k] = points(levels, level_names[k], score, l->m);
        if (reach[k] == UINT32_MAX)
            reach[k] = reach[k - 1] + 1;
        else if (reach[k] <= reach[k - 1])
            mistake_at(l->m, tree_get(levels, level_names[k]), NULL,
                       "levels must rise: %s is not above what is below it", level_names[k]);
        l->s->reach[k] = fixed_hazard(reach[k] < PPM ? reach[k] : PPM - 1);
        l->s->hold[k] = reach[k] > hysteresis ? fixed_hazard(reach[k] - hysteresis) : 0;
    }
    if (hysteresis != UINT32_MAX && hysteresis >= reach[LEVEL_GENERAL])
        mistake_at(l->m, tree_get(score, "hysteresis"), NULL,
                   "hysteresis must be below general, else no alert by score ever ends");
}

static void load_alone(struct loader *l, const struct tree *score)
{
    const struct tree *most = tree_get(score, "one_agency_at_most");
    uint32_t others = tree_get(score, "others_at_least") ? points(score, "others_at_least", score, l->m)
                                                         : ALONE_DEFAULT_PPM;
    l->s->alone_at_most = LEVEL_MAJOR;
    if (most && slice_is(most->text, "none"))
        l->s->alone_at_most = LEVEL_NONE;
    else if (most)
        l->s->alone_at_most = load_level(l, most);
    l->s->others_at_least = fixed_hazard(others == UINT32_MAX ? ALONE_DEFAULT_PPM : others);
}

/* ---- factors ---- */

static uint32_t factor_ppm(const struct tree *t, const struct tree *where, struct mistakes *m)
{
    int64_t v = PPM;
    if (!tree_ppm(t, &v) || v <= 0 || v > 10 * PPM) {
        mistake_at(m, t ? t : where, NULL, "a factor must be a number above 0 and at most 10");
        v = PPM;
    }
    return (uint32_t)v;
}

static struct factor *load_factors(struct loader *l, const struct tree *map, const char *what, uint32_t *n)
{
    *n = is_map(map, what, "of factors", l->m) ? map->n : 0;
    if (*n > FACTORS_MAX) {
        mistake_at(l->m, map, NULL, "%s: at most %d factors", what, FACTORS_MAX);
        *n = 0;
    }
    struct factor *list = arena_zalloc(&l->s->arena, (*n + 1) * sizeof *list);
    for (uint32_t i = 0; i < *n; i++) {
        list[i].key = arena_slice(&l->s->arena, map->keys[i]->text);
        list[i].ppm = factor_ppm(map->items[i], map->keys[i], l->m);
        if (!list[i].key.n)
            mistake_at(l->m, map->keys[i], NULL, "%s: what the factor is for is missing", what);
    }
    return list;
}

static void load_credit(struct loader *l, const struct tree *map)
{
    struct settings *s = l->s;
    s->credit = load_factors(l, map, "credit", &s->n_credit);
    for (uint32_t i = 0; i < s->n_credit; i++)
        if (s->credit[i].key.n != 1 || !strchr("ABC", s->credit[i].key.p[0]))
            mistake_at(l->m, map->keys[i], NULL, "credit: the grades are A, B and C");
}

static int season_order(const void *a, const void *b)
{
    const struct season *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static void load_season(struct loader *l, const struct tree *name, const struct tree *t)
{
    static const char *const keys[] = {"before", "factor"};
    struct settings *s = l->s;
    int64_t before = 0;
    uint32_t had = s->n_seasons;
    if (!is_map(t, "season", "{before: 60d, factor: 1.25}", l->m)) {
        return;
    }
    load_known(l, t, keys, ARRAY_LEN(keys));
    uint32_t ppm = factor_ppm(tree_get(t, "factor"), t, l->m);
    if (!tree_duration(tree_get(t, "before"), &before) || before <= 0 || before > SEASON_MAX_DAYS * DAY_MS)
        mistake_at(l->m, tree_get(t, "before") ? tree_get(t, "before") : t, NULL,
                   "season: 'before' must be a duration like 60d, at most %dd", SEASON_MAX_DAYS);
    for (uint32_t d = 0; d < s->n_festivals; d++)
        if (slice_eq(s->festivals[d].name, name->text))
            s->seasons[s->n_seasons++] = (struct season){s->festivals[d].day - before, s->festivals[d].day, ppm,
                                                         s->festivals[d].name};
    if (s->n_seasons == had)
        mistake_at(l->m, name, NULL, "season: the calendar knows no festival \"%.*s\"", SLICE_ARG(name->text));
}

static void load_seasons(struct loader *l, const struct tree *map)
{
    struct settings *s = l->s;
    uint32_t n = is_map(map, "season", "{spring_festival: {before: 60d, factor: 1.25}}", l->m) ? map->n : 0;
    if (n > FACTORS_MAX) {
        mistake_at(l->m, map, NULL, "season: at most %d of them", FACTORS_MAX);
        n = 0;
    }
    s->seasons = arena_zalloc(&s->arena, (s->n_festivals + 1) * sizeof *s->seasons);
    for (uint32_t i = 0; i < n; i++) /* no two are alike, so each festival has one at most */
        load_season(l, map->keys[i], map->items[i]);
    qsort(s->seasons, s->n_seasons, sizeof *s->seasons, season_order);
}

/* ---- shares ---- */

/* {sub: 0.3, labour: 0.3, client: 0.1, predecessor: 1.0} */
static void load_shares(struct loader *l, const struct tree *map)
{
    static const char *const keys[] = {"sub", "labour", "client", "predecessor"};
    if (!is_map(map, "shares", "{sub: 0.3, labour: 0.3, predecessor: 1.0}", l->m))
        return;
    load_known(l, map, keys, ARRAY_LEN(keys));
    for (uint32_t i = 0; i < map->n; i++) {
        int64_t v = 0;
        int role = role_of(map->keys[i]->text);
        if (!tree_ppm(map->items[i], &v) || v < 0 || v > PPM)
            mistake_at(l->m, map->items[i], NULL, "a share must be a number from 0 to 1");
        else if (slice_is(map->keys[i]->text, "predecessor"))
            l->s->succession_ppm = (uint32_t)v;
        else if (role > ROLE_NONE && role != ROLE_GENERAL)
            l->s->share_ppm[role] = (uint32_t)v;
    }
}

static uint64_t greatest(const struct factor *list, uint32_t n)
{
    uint64_t ppm = PPM;
    for (uint32_t i = 0; i < n; i++)
        ppm = list[i].ppm > ppm ? list[i].ppm : ppm;
    return ppm;
}

static void find_strongest(struct settings *s)
{
    uint64_t season = PPM;
    for (uint32_t i = 0; i < s->n_seasons; i++)
        season = s->seasons[i].ppm > season ? s->seasons[i].ppm : season;
    s->strongest_ppm = greatest(s->industry, s->n_industry) * greatest(s->credit, s->n_credit) / PPM * season / PPM + 1;
}

void load_score(struct settings *s, const struct tree *score, struct mistakes *m)
{
    static const char *const keys[] = {"levels", "hysteresis", "one_agency_at_most", "others_at_least", "factors", "shares"};
    static const char *const factors[] = {"industry", "credit", "season"};
    struct loader l = {.s = s, .m = m};
    const struct tree *f = tree_get(score, "factors");
    if (!score || score->type != TREE_MAP) {
        mistake_at(m, score, NULL, "rules: the part 'score' is missing, or no map");
        return;
    }
    load_known(&l, score, keys, ARRAY_LEN(keys));
    load_levels(&l, score);
    load_alone(&l, score);
    if (is_map(f, "factors", "of industry, credit, season", m))
        load_known(&l, f, factors, ARRAY_LEN(factors));
    s->industry = load_factors(&l, tree_get(f, "industry"), "industry", &s->n_industry);
    load_credit(&l, tree_get(f, "credit"));
    load_seasons(&l, tree_get(f, "season"));
    load_shares(&l, tree_get(score, "shares"));
    find_strongest(s);
}
