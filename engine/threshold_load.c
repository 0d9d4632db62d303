/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to the lines of the law (settings.thresholds) and to what they are measured on (settings.assessment). Pure. */
#include "engine/rules_load.h"

static struct slice text_of(const struct tree *map, const char *key)
{
    const struct tree *t = tree_get(map, key);
    return t && t->type == TREE_SCALAR ? t->text : (struct slice){0};
}

/* An empty cell asks for nothing. Amounts are fen. */
static int64_t cell_number(const struct tree *row, const char *key, struct mistakes *m)
{
    const struct tree *t = tree_get(row, key);
    int64_t v = 0;
    if (!t || (t->type == TREE_SCALAR && !t->text.n))
        return 0;
    if (!tree_int(t, &v) || v < 0 || v > INT64_MAX / 100)
        mistake_at(m, t, NULL, "thresholds: %s must be a whole number, or empty", key);
    return v;
}

static bool cell_yes(const struct tree *row, const char *key, struct mistakes *m)
{
    struct slice text = text_of(row, key);
    bool yes = slice_is(text, "yes") || slice_is(text, "true") || slice_is(text, "1");
    if (!yes && text.n && !slice_is(text, "no") && !slice_is(text, "false") && !slice_is(text, "0"))
        mistake_at(m, tree_get(row, key), NULL, "thresholds: %s must be yes, no or empty", key);
    return yes;
}

static void load_row(struct settings *s, const struct tree *row, struct threshold *t, struct mistakes *m)
{
    struct slice region = text_of(row, "region"), line = text_of(row, "line");
    t->region = region.n ? region_of(region) : 0;
    if (region.n && !t->region)
        mistake_at(m, tree_get(row, "region"), NULL, "thresholds: \"%.*s\" is no prefix of a region code",
                   SLICE_ARG(region));
    if (!line.n || line.n > 64)
        mistake_at(m, row, NULL, "thresholds: a row needs the name of its line, of 1 to 64 bytes");
    t->line = arena_slice(&s->arena, line);
    t->source = arena_slice(&s->arena, text_of(row, "source"));
    t->date = arena_slice(&s->arena, text_of(row, "date"));
    t->people = cell_number(row, "people", m);
    t->months = cell_number(row, "months", m);
    t->amount = cell_number(row, "amount", m);
    t->order = cell_yes(row, "order", m);
    t->incident = cell_yes(row, "incident", m);
    if (!t->people && !t->months && !t->amount && !t->order && !t->incident)
        mistake_at(m, row, NULL, "thresholds: a row of line \"%.*s\" asks for nothing", SLICE_ARG(line));
}

void load_thresholds(struct settings *s, const struct tree *list, struct mistakes *m)
{
    enum { THRESHOLDS_MAX = 1000 };
    if (!list)
        return;
    if (list->type != TREE_LIST || list->n > THRESHOLDS_MAX) {
        mistake_at(m, list, NULL, "thresholds: a list of at most %d rows is needed", THRESHOLDS_MAX);
        return;
    }
    s->thresholds = arena_zalloc(&s->arena, (list->n + 1) * sizeof *s->thresholds);
    for (uint32_t i = 0; i < list->n; i++)
        load_row(s, list->items[i], &s->thresholds[s->n_thresholds++], m);
}

bool load_line_known(const struct settings *s, struct slice line)
{
    bool known = !s->n_thresholds && (slice_is(line, "crime") || slice_is(line, "listing"));
    for (uint32_t i = 0; i < s->n_thresholds && !known; i++)
        known = slice_eq(s->thresholds[i].line, line);
    return known;
}

/* ---- assessment ---- */

enum { DEFAULT_WITHIN_DAYS = 730, DEFAULT_INCIDENT_PEOPLE = 50 };

/* As far as the kinds exist. */
static void take_kinds(const struct settings *s, const char *kind, const char *clue, struct selector *out)
{
    for (uint32_t i = 0; i < s->n_kinds; i++)
        if ((kind && slice_is(s->kinds[i].name, kind)) || (clue && slice_is(s->kinds[i].clue, clue)))
            out->kinds.bits[i / 64] |= UINT64_C(1) << i % 64;
}

static void set_defaults(struct settings *s)
{
    struct assessment *a = &s->assessment;
    take_kinds(s, NULL, "arrears under way", &a->owed);
    take_kinds(s, "labour.order_disobeyed", NULL, &a->order);
    take_kinds(s, "subdistrict.gathering", NULL, &a->incident);
    a->incident.where = (struct where){true, NO_INT, NO_INT, DEFAULT_INCIDENT_PEOPLE, NO_INT, 0, 0, NULL, NULL};
    a->within = DEFAULT_WITHIN_DAYS * DAY_MS;
}

void load_assessment(struct loader *l, const struct tree *t)
{
    static const char *const words[] = {"owed", "order", "incident", "within"};
    struct assessment *a = &l->s->assessment;
    struct selector *const parts[] = {&a->owed, &a->order, &a->incident};
    set_defaults(l->s);
    if (!t)
        return;
    if (t->type != TREE_MAP || !t->n) {
        mistake_at(l->m, t, NULL, "assessment: a map of owed, order, incident, within is needed");
        return;
    }
    load_known(l, t, words, ARRAY_LEN(words));
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const struct tree *of = tree_get(t, words[i]);
        if (of) {
            *parts[i] = (struct selector){0};
            load_selector(l, of, parts[i]);
        }
    }
    if (tree_get(t, "within"))
        a->within = load_within(l, tree_get(t, "within"), t);
}
