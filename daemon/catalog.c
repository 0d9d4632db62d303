/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the loaded tables. Main thread loads; what is loaded never changes. */
#include "daemon/catalog.h"

#include "engine/settings.h"
#include "lib/calendar.h"
#include "lib/csv.h"
#include "lib/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20 };

/* ---- files ---- */

static int read_all(int fd, size_t size, struct arena *a, struct slice *out)
{
    char *p = arena_alloc(a, size + 1);
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, p + n, size - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    p[n] = 0;
    *out = (struct slice){p, n};
    return 0;
}

int catalog_read_file(const char *path, struct arena *a, struct slice *out, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, WW_ECONFIG, "%s: cannot be read: %s", path, strerror(errno));
    int code = 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        code = err_set(err, WW_ECONFIG, "%s: is no file", path);
    else if (st.st_size > FILE_MAX)
        code = err_set(err, WW_ECONFIG, "%s: is larger than 16 MiB", path);
    else if (read_all(fd, (size_t)st.st_size, a, out) < 0)
        code = err_set(err, WW_EIO, "%s: cannot be read: %s", path, strerror(errno));
    close(fd);
    return code;
}

const struct tree *catalog_read_yaml(const char *path, struct arena *a, struct slice *text,
                                     struct report *report)
{
    struct err err;
    struct tree *tree = NULL;
    if (catalog_read_file(path, a, text, &err)) {
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

/* ---- the settings tree ---- */

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

/* "year,new_year_day" lines to a list of {festival, day}. */
static struct tree *calendar_tree(const char *path, struct arena *a, struct report *report)
{
    struct err err;
    struct slice text;
    struct csv csv;
    struct tree *list = tree_new(a, TREE_LIST);
    int got = catalog_read_file(path, a, &text, &err);
    if (got == 0) {
        csv_begin(&csv, path, text, a);
        got = csv_next(&csv, &err);
        if (got == 1 &&
            (csv.n != 2 || !slice_is(csv.cells[0], "year") || !slice_is(csv.cells[1], "new_year_day")))
            got = csv_fault(&csv, &err, "the columns must be \"year,new_year_day\"");
        while (got == 1 && (got = csv_next(&csv, &err)) == 1) {
            int64_t day;
            if (csv.n != 2 || csv.cells[1].n != 10 || !time_parse(csv.cells[1], 0, &day)) {
                got = csv_fault(&csv, &err, "not a year and a day such as \"2026,2026-02-17\"");
                break;
            }
            struct tree *map = tree_new(a, TREE_MAP);
            set_text(a, map, "festival", SLICE("spring_festival"));
            set_text(a, map, "day", csv.cells[1]);
            tree_append(a, list, map);
        }
    }
    if (got < 0)
        report_err(report, &err);
    return list;
}

static void make_settings(struct catalog *c, const struct catalog_files *files, struct tree *festivals,
                          struct arena *a)
{
    struct tree *t = tree_new(a, TREE_MAP);
    struct tree *rules = tree_new(a, TREE_MAP);
    *rules = *c->rules;
    set_int(a, t, "timezone_ms", files->timezone_ms);
    tree_set(a, t, SLICE("kinds"), kinds_tree(c->kinds, a));
    tree_set(a, t, SLICE("festivals"), festivals);
    tree_set(a, t, SLICE("rules"), rules);
    c->settings = t;
    struct buf bytes = {0};
    tree_encode(t, &bytes);
    hash_blake2b(c->hash, bytes.p, bytes.n, NULL, 0, NULL, 0);
    buf_finish(&bytes);
}

/* ---- loading ---- */

static void load_tables(struct catalog *c, const struct catalog_files *files, struct arena *a,
                        struct report *report)
{
    struct err err;
    struct slice text;
    if (catalog_read_file(files->kinds, a, &text, &err) || kinds_parse(&c->kinds, files->kinds, text, &err))
        report_err(report, &err);
    if (catalog_read_file(files->regions, a, &text, &err) ||
        regions_parse(&c->regions, files->regions, text, &err))
        report_err(report, &err);
}

bool catalog_load(struct catalog *c, const struct catalog_files *files, struct arena *a,
                  struct report *report)
{
    *c = (struct catalog){0};
    size_t before = report->errors;
    load_tables(c, files, a, report);
    struct tree *festivals = calendar_tree(files->calendar, a, report);
    struct slice text;
    c->rules = catalog_read_yaml(files->rules, a, &text, report);
    if (c->rules && c->kinds) {
        make_settings(c, files, festivals, a);
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
