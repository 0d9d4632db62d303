/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rules_file.h"

#include "cli/text.h"
#include "engine/settings_tree.h"
#include "lib/calendar.h"
#include "lib/textfile.h"
#include "lib/yaml.h"

#include <stdio.h>

/* WW_ECONFIG, WW_EIO. */
static int read_tables(struct cli *cli, struct rules_file *f, struct tree **festivals, struct err *err)
{
    struct arena *a = &cli->arena;
    const char *dir = textfile_dir(a, f->path), *kinds_file = cli->values[O_KINDS];
    const char *calendar = textfile_shipped(a, dir, "spring_festival.csv");
    struct slice text;
    if (!kinds_file)
        kinds_file = textfile_shipped(a, dir, "kinds.csv");
    int code = textfile_read(kinds_file, a, &text, err);
    if (code == 0)
        code = kinds_parse(&f->kinds, kinds_file, text, err);
    if (code == 0)
        code = textfile_read(calendar, a, &text, err);
    if (code == 0)
        code = settings_tree_festivals(a, calendar, text, festivals, err);
    return code;
}

/* The lines of the law beside the rules, or those shipped; their mistakes are told under their own name. */
static int read_thresholds(struct cli *cli, struct rules_file *f, struct tree **out, struct err *err)
{
    struct arena *a = &cli->arena;
    const char *file = textfile_shipped(a, textfile_dir(a, f->path), "thresholds.csv");
    struct slice text;
    int code = textfile_read(file, a, &text, err);
    if (code != 0)
        return code;
    f->m.parts[ARRAY_LEN(f->m.parts) - 1] = (struct mistakes_part){"thresholds", file, text};
    f->m.part = "thresholds";
    *out = settings_tree_thresholds(a, file, text, &f->m);
    f->m.part = NULL;
    return 0;
}

/* Zones and replaced codes likewise. */
static int read_areas(struct cli *cli, struct rules_file *f, struct tree **out, struct err *err)
{
    struct arena *a = &cli->arena;
    const char *file = textfile_shipped(a, textfile_dir(a, f->path), "areas.yaml");
    struct slice text;
    int code = textfile_read(file, a, &text, err);
    if (code != 0)
        return code;
    f->m.parts[ARRAY_LEN(f->m.parts) - 2] = (struct mistakes_part){"areas", file, text};
    f->m.part = "areas";
    code = yaml_parse(a, text, &f->m, out);
    f->m.part = NULL;
    return code;
}

int rules_file_load(struct cli *cli, const char *path, struct rules_file *f, struct err *err)
{
    struct arena *a = &cli->arena;
    struct tree *festivals, *rules, *thresholds, *areas;
    *f = (struct rules_file){.path = path, .m = {.arena = a, .file = path}};
    int code = read_tables(cli, f, &festivals, err);
    if (code == 0)
        code = textfile_read(path, a, &f->text, err);
    if (code == 0)
        code = yaml_parse(a, f->text, &f->m, &rules);
    if (code == 0)
        code = read_thresholds(cli, f, &thresholds, err);
    if (code == 0)
        code = read_areas(cli, f, &areas, err);
    if (code != 0)
        return code;
    f->tree = settings_tree_make(a, &(struct settings_parts){.kinds = f->kinds,
                                                           .festivals = festivals,
                                                           .rules = rules,
                                                           .areas = areas,
                                                           .thresholds = f->m.total ? NULL : thresholds,
                                                           .timezone_ms = OFFSET_CHINA_MS});
    code = settings_compile(f->tree, &f->m, &f->settings);
    settings_tree_check_lines(f->tree, &f->m);
    if (code == 0 && f->m.total) {
        settings_destroy(f->settings);
        f->settings = NULL;
        code = WW_ECONFIG;
    }
    return code;
}

void rules_file_finish(struct rules_file *f)
{
    settings_destroy(f->settings);
    kinds_destroy(f->kinds);
    *f = (struct rules_file){0};
}

void mistakes_tell(const struct mistakes *m, struct slice text)
{
    struct buf said = {0};
    mistakes_print(m, text, &said);
    fflush(stdout); /* in the order in which things happened */
    fwrite(said.p, 1, said.n, stderr);
    buf_finish(&said);
    fprintf(stderr, tr("%zu error%s\n", "%zu 处错误%.0s\n"), m->total, m->total == 1 ? "" : "s");
}

struct document_list mistakes_list(struct arena *a, const struct mistakes *m)
{
    struct document_list list = {.items = arena_zalloc(a, (m->n + 1) * sizeof *list.items)};
    for (size_t i = 0; i < m->n; i++) {
        struct document *d = arena_zalloc(a, sizeof *d);
        document_int(d, "line", m->list[i].line);
        document_int(d, "column", m->list[i].column);
        document_text(d, "message", m->list[i].sentence);
        document_text(d, "hint", m->list[i].hint);
        list.items[list.n++] = document_value(d);
    }
    return list;
}
