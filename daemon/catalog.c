/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the loaded tables. Main thread loads; what is loaded never changes. */
#include "daemon/catalog.h"

#include "engine/settings.h"
#include "engine/settings_tree.h"
#include "lib/mem.h"
#include "lib/textfile.h"
#include "lib/yaml.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

const struct tree *catalog_read_yaml(const char *path, struct arena *a, struct slice *text,
                                     struct report *report)
{
    struct err err;
    struct tree *tree = NULL;
    if (textfile_read(path, a, text, &err)) {
        report_err(report, &err);
        return NULL;
    }
    struct mistakes m = {.arena = a, .file = path};
    if (yaml_parse(a, *text, &m, &tree)) {
        report_mistakes(report, &m, *text);
        return NULL;
    }
    return tree;
}

static void load_tables(struct catalog *c, const struct catalog_files *files, struct arena *a,
                        struct report *report)
{
    struct err err;
    struct slice text;
    if (textfile_read(files->kinds, a, &text, &err) || kinds_parse(&c->kinds, files->kinds, text, &err))
        report_err(report, &err);
    if (textfile_read(files->regions, a, &text, &err) ||
        regions_parse(&c->regions, files->regions, text, &err))
        report_err(report, &err);
}

/* An empty list where there is a mistake in it, so that the rules are checked all the same. */
static struct tree *load_festivals(const struct catalog_files *files, struct arena *a, struct report *report)
{
    struct err err;
    struct slice text;
    struct tree *list;
    if (textfile_read(files->festivals, a, &text, &err) == 0 &&
        settings_tree_festivals(a, files->festivals, text, &list, &err) == 0)
        return list;
    report_err(report, &err);
    return tree_new(a, TREE_LIST);
}

/* Lines of the law; NULL where there is a mistake in them. */
static struct tree *load_thresholds(const struct catalog_files *files, struct arena *a, struct slice *text,
                                    struct report *report)
{
    struct err err;
    struct mistakes m = {.arena = a, .file = files->thresholds};
    if (textfile_read(files->thresholds, a, text, &err)) {
        report_err(report, &err);
        return NULL;
    }
    struct tree *list = settings_tree_thresholds(a, files->thresholds, *text, &m);
    report_mistakes(report, &m, *text);
    return m.total ? NULL : list;
}

/* The years whose notice is there. */
static struct tree *load_workdays(const struct catalog_files *files, struct arena *a, struct report *report)
{
    enum { FIRST_YEAR = 2020, LAST_YEAR = 2045 };
    struct tree *list = tree_new(a, TREE_LIST);
    struct err err;
    for (int year = FIRST_YEAR; year <= LAST_YEAR; year++) {
        const char *path = arena_printf(a, "%s/%d.csv", files->calendar, year);
        struct slice text;
        if (access(path, F_OK) == 0 &&
            (textfile_read(path, a, &text, &err) || settings_tree_workdays(a, path, text, list, &err)))
            report_err(report, &err);
    }
    return list;
}

/* YAML files that are compiled together with the rules: their mistakes are told under their own names. */
struct part {
    const char *name, *file;
    const struct tree **to;
};

static void load_parts(const struct part *parts, size_t n, struct arena *a, struct mistakes *m, struct report *report)
{
    for (size_t i = 0; i < n; i++) {
        struct slice text;
        if (!parts[i].file)
            continue;
        *parts[i].to = catalog_read_yaml(parts[i].file, a, &text, report);
        m->parts[i] = (struct mistakes_part){parts[i].name, parts[i].file, text};
    }
}

struct told {
    struct report *report;
    const char *file;
};

static void tell_route(void *arg, const char *sentence)
{
    struct told *t = arg;
    struct err err;
    err_set(&err, WW_ECONFIG, "%s: %s", t->file, sentence);
    report_err(t->report, &err);
}

/* Every place that teams.yaml covers has exactly one answering team at each tier. */
static void check_routes(const struct catalog *c, const struct work *w, const char *file, struct report *report)
{
    enum { TOLD_MOST = 20 };
    struct told told = {report, file};
    if (!w || !w->has_teams || !c->regions)
        return;
    size_t n = regions_list(c->regions, NULL, 0);
    region_t *places = mem_alloc((n + 1) * sizeof *places);
    regions_list(c->regions, places, n);
    work_check_routes(w, places, n, TOLD_MOST, tell_route, &told);
    free(places);
}

/* Each window that looks back further than the journal is kept: a rule must not judge by what is no longer there to be
 * shown. What a team found is kept with the enterprise. */
static void check_windows(const struct tree *t, int64_t retention, struct mistakes *m)
{
    int64_t within;
    for (uint32_t i = 0; i < t->n; i++) {
        bool map = t->type == TREE_MAP;
        if (map && slice_is(t->keys[i]->text, "within") && tree_duration(t->items[i], &within) && within > retention)
            mistake_at(m, t->items[i], "raise 'retention: {audit: ...}', or shorten it",
                       "this window is longer than the journal is kept: %" PRId64 " days", retention / DAY_MS);
        else if (t->items[i]->type != TREE_SCALAR && !(map && slice_is(t->keys[i]->text, "finding")))
            check_windows(t->items[i], retention, m);
    }
}

static void compile(struct catalog *c, const struct catalog_files *files, struct mistakes *m, struct slice text,
                    struct report *report)
{
    struct settings *compiled = NULL;
    const struct tree *rules = tree_get(c->rules, "rules");
    int rc = settings_compile(c->settings, m, &compiled);
    settings_tree_check_lines(c->settings, m);
    if (rc == 0)
        work_check(compiled->work, c->settings, m);
    if (files->retention_ms && rules) /* whatever else is wrong */
        check_windows(rules, files->retention_ms, m);
    if (rc || m->total) {
        report_mistakes(report, m, text);
    } else {
        check_routes(c, compiled->work, files->teams, report);
        if (c->regions)
            settings_accept_regions(compiled, c->regions);
        c->compiled = compiled;
        return;
    }
    settings_destroy(compiled);
}

/* Without rules, or without kinds: what can be checked all the same. */
static void check_parts(const struct catalog *c, const struct settings_parts *p, struct arena *a, struct mistakes *m,
                        struct report *report)
{
    const struct {
        const char *name;
        const struct tree *part;
    } parts[] = {{"areas", p->areas}, {"teams", c->teams}, {"measures", c->measures}, {"deadlines", c->deadlines}};
    struct tree *t = tree_new(a, TREE_MAP);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].part)
            tree_set(a, t, slice_of(parts[i].name), arena_copy(a, parts[i].part, sizeof *parts[i].part));
    settings_check_parts(t, m);
    report_mistakes(report, m, (struct slice){NULL, 0});
}

static void load_campaigns(struct catalog *c, const struct catalog_files *files, struct arena *a, struct report *report)
{
    struct slice text;
    struct mistakes m = {.arena = a, .file = files->campaigns};
    if (!files->campaigns)
        return;
    campaigns_load(catalog_read_yaml(files->campaigns, a, &text, report), files->timezone_ms, c->kinds, a, &m,
                   &c->campaigns);
    report_mistakes(report, &m, text);
}

bool catalog_load(struct catalog *c, const struct catalog_files *files, struct arena *a,
                  struct report *report)
{
    *c = (struct catalog){0};
    size_t before = report->errors;
    struct settings_parts p = {.timezone_ms = files->timezone_ms};
    struct mistakes m = {.arena = a, .file = files->rules};
    struct slice text, lines = {NULL, 0};
    const struct part parts[] = {{"areas", files->areas, &p.areas},
                                 {"shadow", files->shadow, &p.shadow},
                                 {"teams", files->teams, &c->teams},
                                 {"measures", files->measures, &c->measures},
                                 {"deadlines", files->deadlines, &c->deadlines},
                                 {"duties", files->duties, &p.duties}};
    load_tables(c, files, a, report);
    load_campaigns(c, files, a, report);
    p.festivals = load_festivals(files, a, report);
    p.workdays = load_workdays(files, a, report);
    p.thresholds = load_thresholds(files, a, &lines, report);
    m.parts[ARRAY_LEN(m.parts) - 1] = (struct mistakes_part){"thresholds", files->thresholds, lines};
    c->rules = catalog_read_yaml(files->rules, a, &text, report);
    load_parts(parts, ARRAY_LEN(parts), a, &m, report);
    if (c->rules && c->kinds) {
        p.kinds = c->kinds;
        p.rules = c->rules;
        p.teams = c->teams;
        p.measures = c->measures;
        p.deadlines = c->deadlines;
        c->settings = settings_tree_make(a, &p);
        settings_tree_hash(c->settings, c->hash);
        compile(c, files, &m, text, report);
    } else {
        check_parts(c, &p, a, &m, report);
    }
    if (report->errors == before)
        return true;
    catalog_finish(c);
    return false;
}

void catalog_finish(struct catalog *c)
{
    settings_destroy(c->compiled);
    kinds_destroy(c->kinds);
    regions_destroy(c->regions);
    *c = (struct catalog){0};
}
