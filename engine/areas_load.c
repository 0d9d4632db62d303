/* SPDX-License-Identifier: Apache-2.0 */
/* Tree of areas.yaml to settings.zones and settings.replaced, and what they say of a region code. Pure; any thread. */
#include "engine/rules_load.h"

#include "lib/calendar.h"

#include <stdlib.h>

enum { ZONES_MAX = 1000, PREFIXES_MAX = 1000, REPLACED_MAX = 20000, NAME_MAX_BYTES = 128 };

static const char map_words[] = "areas";

static bool is_map(const struct tree *t, const char *what, struct mistakes *m)
{
    if (t && t->type == TREE_MAP)
        return true;
    mistake_at(m, t, NULL, "areas: %s is needed", what);
    return false;
}

static void check_words(const struct tree *map, const char *const *words, size_t n, struct mistakes *m)
{
    for (uint32_t i = 0; i < map->n; i++) {
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known |= slice_is(map->keys[i]->text, words[k]);
        if (!known)
            mistake_at(m, map->keys[i], nearest_word(map->keys[i]->text, words, n), "%s: unknown key \"%.*s\"", map_words,
                       SLICE_ARG(map->keys[i]->text));
    }
}

/* A code of 2, 4, 6, 9, 12 to 15 digits; 0 with a mistake otherwise. */
static region_t read_code(const struct tree *t, const struct tree *where, const char *what, struct mistakes *m)
{
    struct slice s = t && t->type == TREE_SCALAR ? t->text : (struct slice){0};
    bool whole = s.n == 2 || s.n == 4 || s.n == 6 || s.n == 9 || s.n >= 12;
    region_t r = whole ? region_of(s) : 0;
    if (!t)
        mistake_at(m, where, NULL, "areas: '%s' is missing", what);
    else if (!r)
        mistake_at(m, t, NULL, "areas: %s must be a region code of 2, 4, 6, 9 or 12 digits (up to 15 for a grid)", what);
    return r;
}

/* ---- zones ---- */

static void load_prefixes(struct settings *s, struct zone *z, const struct tree *list, const struct tree *where,
                          struct mistakes *m)
{
    if (!list || list->type != TREE_LIST || !list->n || list->n > PREFIXES_MAX) {
        mistake_at(m, list ? list : where, NULL, "areas: a zone needs 'prefixes', a list of 1 to %d codes", PREFIXES_MAX);
        return;
    }
    z->prefixes = arena_alloc(&s->arena, list->n * sizeof *z->prefixes);
    for (uint32_t i = 0; i < list->n; i++) {
        region_t r = read_code(list->items[i], list, "a prefix", m);
        for (uint32_t k = 0; r && k < z->n; k++)
            if (region_within(r, z->prefixes[k]) || region_within(z->prefixes[k], r)) {
                mistake_at(m, list->items[i], NULL, "areas: this prefix overlaps another of the same zone");
                r = 0;
            }
        if (r)
            z->prefixes[z->n++] = r;
    }
}

/* A place lies in one zone at most, so that one management committee answers for it. */
static void check_overlap(const struct settings *s, const struct zone *z, const struct tree *t, struct mistakes *m)
{
    for (uint32_t i = 0; i < s->n_zones; i++) {
        const struct zone *other = &s->zones[i];
        bool overlaps = false;
        if (z->code && other->code == z->code)
            mistake_at(m, tree_get(t, "code"), NULL, "areas: the code of zone \"%.*s\" is used twice",
                       SLICE_ARG(other->name));
        for (uint32_t a = 0; a < z->n; a++)
            for (uint32_t b = 0; b < other->n; b++)
                overlaps |= region_within(z->prefixes[a], other->prefixes[b]) ||
                            region_within(other->prefixes[b], z->prefixes[a]);
        if (overlaps)
            mistake_at(m, tree_get(t, "prefixes"), NULL, "areas: a prefix lies in zone \"%.*s\" as well",
                       SLICE_ARG(other->name));
    }
}

static void load_zone(struct settings *s, const struct tree *t, struct mistakes *m)
{
    static const char *const words[] = {"code", "name", "prefixes", "source"};
    struct zone z = {0};
    if (!is_map(t, "a zone {code, name, prefixes: [...]}", m))
        return;
    check_words(t, words, ARRAY_LEN(words), m);
    const struct tree *name = tree_get(t, "name");
    z.code = read_code(tree_get(t, "code"), t, "code", m);
    if (!name || name->type != TREE_SCALAR || !name->text.n || name->text.n > NAME_MAX_BYTES)
        mistake_at(m, name ? name : t, NULL, "areas: a zone needs a name of 1 to %d bytes", NAME_MAX_BYTES);
    else
        z.name = arena_slice(&s->arena, name->text);
    load_prefixes(s, &z, tree_get(t, "prefixes"), t, m);
    check_overlap(s, &z, t, m);
    s->zones[s->n_zones++] = z;
}

/* ---- replaced codes ---- */

static int by_old(const void *x, const void *y)
{
    const struct replaced *a = x, *b = y;
    return (a->old > b->old) - (a->old < b->old);
}

static const struct replaced *find_replaced(const struct settings *s, region_t old)
{
    struct replaced key = {.old = old};
    return s->n_replaced ? bsearch(&key, s->replaced, s->n_replaced, sizeof key, by_old) : NULL;
}

static void load_replaced(struct settings *s, const struct tree *t, struct mistakes *m)
{
    static const char *const words[] = {"old", "new", "since", "source"};
    int64_t day;
    if (!is_map(t, "a replaced code {old, new, since, source}", m))
        return;
    check_words(t, words, ARRAY_LEN(words), m);
    struct replaced r = {read_code(tree_get(t, "old"), t, "old", m), read_code(tree_get(t, "new"), t, "new", m)};
    const struct tree *since = tree_get(t, "since");
    if (since && (since->type != TREE_SCALAR || !time_parse(since->text, 0, &day)))
        mistake_at(m, since, NULL, "areas: since must be a day like 2021-04-09");
    if (!r.old || !r.now)
        return;
    for (uint32_t i = 0; i < s->n_replaced; i++)
        if (s->replaced[i].old == r.old) {
            mistake_at(m, tree_get(t, "old"), NULL, "areas: this code is replaced twice");
            return;
        }
    if (region_within(r.now, r.old))
        mistake_at(m, tree_get(t, "new"), NULL, "areas: the new code lies under the old one, which is replaced");
    else
        s->replaced[s->n_replaced++] = r;
}

/* What replaced it may have been replaced since: each row is made to lead to the end. */
static void follow(struct settings *s, const struct tree *list, struct mistakes *m)
{
    struct replaced *rows = s->replaced;
    if (!rows)
        return;
    qsort(rows, s->n_replaced, sizeof *s->replaced, by_old);
    region_t *ends = arena_alloc(&s->arena, (s->n_replaced + 1) * sizeof *ends);
    for (uint32_t i = 0; i < s->n_replaced; i++) {
        const struct replaced *next = &rows[i];
        uint32_t steps = 0;
        while (next && steps++ <= s->n_replaced) {
            ends[i] = next->now;
            next = find_replaced(s, next->now);
        }
        char text[16];
        region_text(rows[i].old, text);
        if (next) {
            mistake_at(m, list, NULL, "areas: code %s is replaced in a circle", text);
            return;
        }
    }
    for (uint32_t i = 0; i < s->n_replaced; i++)
        rows[i].now = ends[i];
}

/* ---- the whole ---- */

void load_areas(struct settings *s, const struct tree *t, struct mistakes *m)
{
    static const char *const words[] = {"version", "zones", "replaced"};
    const char *part = m->part;
    if (!t)
        return;
    m->part = "areas";
    const struct tree *zones = tree_get(t, "zones"), *replaced = tree_get(t, "replaced");
    bool map = is_map(t, "a map of zones and replaced", m);
    if (map)
        check_words(t, words, ARRAY_LEN(words), m);
    if (zones && (zones->type != TREE_LIST || zones->n > ZONES_MAX))
        mistake_at(m, zones, NULL, "areas: zones must be a list of at most %d", ZONES_MAX);
    else if (zones)
        s->zones = arena_zalloc(&s->arena, (zones->n + 1) * sizeof *s->zones);
    for (uint32_t i = 0; zones && s->zones && i < zones->n; i++)
        load_zone(s, zones->items[i], m);
    if (replaced && (replaced->type != TREE_LIST || replaced->n > REPLACED_MAX))
        mistake_at(m, replaced, NULL, "areas: replaced must be a list of at most %d", REPLACED_MAX);
    else if (replaced)
        s->replaced = arena_zalloc(&s->arena, (replaced->n + 1) * sizeof *s->replaced);
    for (uint32_t i = 0; replaced && s->replaced && i < replaced->n; i++)
        load_replaced(s, replaced->items[i], m);
    if (s->n_replaced)
        follow(s, replaced, m);
    m->part = part;
}

/* ---- what they say ---- */

region_t settings_region(const struct settings *s, region_t r)
{
    static const unsigned lengths[] = {14, 13, 12, 9, 6, 4, 2};
    const unsigned digits = r & 15;
    const struct replaced *found = s->n_replaced ? find_replaced(s, r) : NULL;
    for (size_t i = 0; s->n_replaced && !found && i < ARRAY_LEN(lengths); i++)
        if (lengths[i] < digits)
            found = find_replaced(s, region_cut(r, lengths[i]));
    return found ? found->now : r;
}

uint32_t settings_zone(const struct settings *s, region_t r)
{
    for (uint32_t i = 0; r && i < s->n_zones; i++)
        for (uint32_t k = 0; k < s->zones[i].n; k++)
            if (region_within(r, s->zones[i].prefixes[k]))
                return i;
    return UINT32_MAX;
}

void settings_accept_regions(const struct settings *s, struct regions *table)
{
    for (uint32_t i = 0; i < s->n_zones; i++)
        regions_accept(table, s->zones[i].code, s->zones[i].name);
    for (uint32_t i = 0; i < s->n_replaced; i++)
        regions_accept(table, s->replaced[i].old, (struct slice){0});
}
