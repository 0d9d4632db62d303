/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the loaded tables. Main thread loads; what is loaded never changes. */
#include "daemon/catalog.h"

#include "engine/settings.h"
#include "engine/settings_tree.h"
#include "lib/textfile.h"
#include "lib/yaml.h"

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
    if (textfile_read(files->calendar, a, &text, &err) == 0 &&
        settings_tree_festivals(a, files->calendar, text, &list, &err) == 0)
        return list;
    report_err(report, &err);
    return tree_new(a, TREE_LIST);
}

bool catalog_load(struct catalog *c, const struct catalog_files *files, struct arena *a,
                  struct report *report)
{
    *c = (struct catalog){0};
    size_t before = report->errors;
    load_tables(c, files, a, report);
    struct tree *festivals = load_festivals(files, a, report);
    struct slice text;
    c->rules = catalog_read_yaml(files->rules, a, &text, report);
    if (c->rules && c->kinds) {
        c->settings = settings_tree_make(a, &(struct settings_parts){.kinds = c->kinds,
                                                                    .festivals = festivals,
                                                                    .rules = c->rules,
                                                                    .timezone_ms = files->timezone_ms});
        settings_tree_hash(c->settings, c->hash);
        struct mistakes m = {.arena = a, .file = files->rules};
        struct settings *compiled = NULL;
        if (settings_compile(c->settings, &m, &compiled))
            report_mistakes(report, &m, text);
        settings_destroy(compiled);
    }
    if (report->errors == before)
        return true;
    catalog_finish(c);
    return false;
}

void catalog_finish(struct catalog *c)
{
    kinds_destroy(c->kinds);
    regions_destroy(c->regions);
    *c = (struct catalog){0};
}
