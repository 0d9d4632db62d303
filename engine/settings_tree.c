/* SPDX-License-Identifier: Apache-2.0 */
/* Tables to the settings tree; see settings_tree.h. */
#include "engine/settings_tree.h"

#include "lib/calendar.h"
#include "lib/csv.h"
#include "lib/workday.h"

#include <inttypes.h>

static void set_text(struct arena *a, struct tree *map, const char *key, struct slice value)
{
    tree_set(a, map, slice_of(key), tree_text(a, value));
}

static void set_int(struct arena *a, struct tree *map, const char *key, int64_t value)
{
    set_text(a, map, key, slice_of(arena_printf(a, "%" PRId64, value)));
}

static struct tree *kinds_tree(const struct kinds *kinds, struct arena *a)
{
    struct tree *list = tree_new(a, TREE_LIST);
    for (size_t i = 0; i < kinds_count(kinds); i++) {
        const struct kind *k = kinds_at(kinds, i);
        struct tree *map = tree_new(a, TREE_MAP);
        set_text(a, map, "kind", slice_of(k->name));
        set_text(a, map, "zh", slice_of(k->zh));
        set_text(a, map, "en", slice_of(k->en));
        set_int(a, map, "weight_ppm", k->weight_ppm);
        set_int(a, map, "half_life_days", k->half_life_days);
        set_int(a, map, "repeat_window_days", k->repeat_window_days);
        set_text(a, map, "clears", slice_of(k->clears));
        set_text(a, map, "clue", slice_of(k->clue));
        tree_append(a, list, map);
    }
    return list;
}

int settings_tree_festivals(struct arena *a, const char *file, struct slice text, struct tree **out,
                            struct err *err)
{
    struct csv csv;
    struct tree *list = tree_new(a, TREE_LIST);
    *out = NULL;
    csv_begin(&csv, file, text, a);
    int got = csv_next(&csv, err);
    if (got == 1 &&
        (csv.n != 2 || !slice_is(csv.cells[0], "year") || !slice_is(csv.cells[1], "new_year_day")))
        got = csv_fault(&csv, err, "the columns must be \"year,new_year_day\"");
    while (got == 1 && (got = csv_next(&csv, err)) == 1) {
        int64_t day;
        if (csv.n != 2 || csv.cells[1].n != 10 || !time_parse(csv.cells[1], 0, &day))
            return csv_fault(&csv, err, "not a year and a day such as \"2026,2026-02-17\"");
        struct tree *map = tree_new(a, TREE_MAP);
        set_text(a, map, "festival", SLICE("spring_festival"));
        set_text(a, map, "day", csv.cells[1]);
        tree_append(a, list, map);
    }
    if (got == 0)
        *out = list;
    return got;
}

int settings_tree_workdays(struct arena *a, const char *file, struct slice text, struct tree *list, struct err *err)
{
    struct workdays days = {0};
    int rc = workdays_read(&days, a, file, text, err);
    for (size_t i = 0; rc == 0 && i < days.n; i++) {
        struct tree *map = tree_new(a, TREE_MAP);
        char text_of_day[26];
        time_format(days.days[i].day * DAY_MS, 0, text_of_day);
        set_text(a, map, "day", arena_slice(a, (struct slice){text_of_day, 10}));
        set_text(a, map, "is", days.days[i].works ? SLICE("work") : SLICE("off"));
        tree_append(a, list, map);
    }
    return rc;
}

const struct tree *settings_tree_make(struct arena *a, const struct settings_parts *p)
{
    struct tree *t = tree_new(a, TREE_MAP);
    set_int(a, t, "timezone_ms", p->timezone_ms);
    tree_set(a, t, SLICE("kinds"), kinds_tree(p->kinds, a));
    tree_set(a, t, SLICE("festivals"), p->festivals);
    tree_set(a, t, SLICE("rules"), arena_copy(a, p->rules, sizeof *p->rules));
    const struct {
        const char *name;
        const struct tree *part;
    } parts[] = {{"thresholds", p->thresholds}, {"areas", p->areas},         {"shadow", p->shadow},    {"teams", p->teams},
                 {"measures", p->measures},     {"deadlines", p->deadlines}, {"workdays", p->workdays},
                 {"duties", p->duties}};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].part)
            tree_set(a, t, slice_of(parts[i].name), arena_copy(a, parts[i].part, sizeof *parts[i].part));
    return t;
}

void settings_tree_hash(const struct tree *t, uint8_t out[CHAIN_LEN])
{
    struct buf bytes = {0};
    tree_encode(t, &bytes);
    hash_blake2b(out, bytes.p, bytes.n, NULL, 0, NULL, 0);
    buf_finish(&bytes);
}
