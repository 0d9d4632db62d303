/* SPDX-License-Identifier: Apache-2.0 */
/* What thresholds.csv and the rules say of each other: asked when a configuration is
 * loaded, never of one that was accepted before. Pure. */
#include "engine/settings_tree.h"

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

void settings_tree_check_lines(const struct tree *t, struct mistakes *m)
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
    m->part = part;
}
