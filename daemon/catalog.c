/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the loaded tables. Main thread loads; what is loaded never changes. */
#include "daemon/catalog.h"

#include "engine/settings.h"
#include "engine/settings_tree.h"
#include "lib/yaml.h"

#include <errno.h>
#include <fcntl.h>
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

/* An empty list where there is a mistake in it, so that the rules are checked all the same. */
static struct tree *load_festivals(const struct catalog_files *files, struct arena *a, struct report *report)
{
    struct err err;
    struct slice text;
    struct tree *list;
    if (catalog_read_file(files->calendar, a, &text, &err) == 0 &&
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
        c->settings = settings_tree_make(a, c->kinds, festivals, c->rules, files->timezone_ms);
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
