/* SPDX-License-Identifier: Apache-2.0 */
/* What thresholds.csv and the rules say of each other, and of the regions that there are: asked when a configuration is
 * loaded, never of one that was accepted before. Pure. */
#include "engine/settings_tree.h"

#include "lib/mem.h"

#include <stdlib.h>

enum { LINES_MAX = 64 };

/* Lines that rules ask for, and the two of the law itself. */
struct lines {
    const char *names[LINES_MAX];
    size_t n;
};

static bool among(const struct lines *l, struct slice name)
{
    for (size_t i = 0; i < l->n; i++)
        if (slice_is(name, l->names[i]))
            return true;
    return false;
}

static void ask(struct lines *l, const struct tree *line, bool rows, struct mistakes *m)
{
    if (line->type != TREE_SCALAR)
        return;
    if (!rows)
        mistake_at(m, line, "a line without rows is never met", "threshold: the file of thresholds has no row of the line \"%.*s\"",
                   SLICE_ARG(line->text));
    if (l->n < LINES_MAX && !among(l, line->text))
        l->names[l->n++] = line->text.p;
}

/* Each `threshold: LINE` of a tree of rules. */
static void walk(struct lines *l, const struct tree *t, bool rows, struct mistakes *m)
{
    for (uint32_t i = 0; t && i < t->n; i++)
        if (t->type == TREE_MAP && slice_is(t->keys[i]->text, "threshold"))
            ask(l, t->items[i], rows, m);
        else
            walk(l, t->items[i], rows, m);
}

static bool is_zone(const struct tree *areas, struct slice code)
{
    const struct tree *zones = tree_get(areas, "zones");
    for (uint32_t i = 0; zones && zones->type == TREE_LIST && i < zones->n; i++) {
        const struct tree *zone = tree_get(zones->items[i], "code");
        if (zone && zone->type == TREE_SCALAR && slice_eq(zone->text, code))
            return true;
    }
    return false;
}

/* A region of the table, one below it, or the beginning of some. */
static bool some_region(const struct regions *regions, const region_t *all, size_t n, region_t prefix)
{
    bool found = regions_takes(regions, prefix);
    for (size_t i = 0; i < n && !found; i++)
        found = region_within(all[i], prefix);
    return found;
}

static void check_regions(const struct tree *t, const struct tree *rows, const struct regions *regions, struct mistakes *m)
{
    size_t n = regions_list(regions, NULL, 0);
    region_t *all = mem_alloc((n + 1) * sizeof *all);
    regions_list(regions, all, n);
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct tree *region = tree_get(rows->items[i], "region");
        if (region && region->text.n && !is_zone(tree_get(t, "areas"), region->text) &&
            !some_region(regions, all, n, region_of(region->text)))
            mistake_at(m, region, NULL, "no region's code begins with \"%.*s\"", SLICE_ARG(region->text));
    }
    free(all);
}

void settings_tree_check_lines(const struct tree *t, const struct regions *regions, struct mistakes *m)
{
    const struct tree *rows = tree_get(t, "thresholds");
    struct lines lines = {{"crime", "listing"}, 2};
    const char *part = m->part;
    if (!rows || rows->type != TREE_LIST)
        return;
    walk(&lines, tree_get(tree_get(t, "rules"), "rules"), rows->n, m);
    m->part = "shadow";
    walk(&lines, tree_get(tree_get(t, "shadow"), "rules"), rows->n, m);
    m->part = "thresholds";
    for (uint32_t i = 0; i < rows->n; i++) {
        const struct tree *line = tree_get(rows->items[i], "line");
        if (line && line->text.n && !among(&lines, line->text))
            mistake_at(m, line, nearest_word(line->text, lines.names, lines.n),
                       "no rule asks for a line of the law called \"%.*s\"", SLICE_ARG(line->text));
    }
    if (regions)
        check_regions(t, rows, regions, m);
    m->part = part;
}
