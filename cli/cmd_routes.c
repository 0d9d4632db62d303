/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn routes test, routes list, measures: who answers for what, and what may be done. From the daemon, or, where a
 * configuration file is named, from that alone. */
#include "cli/output.h"
#include "cli/text.h"
#include "engine/work_pack.h"
#include "lib/calendar.h"
#include "lib/mem.h"
#include "lib/textfile.h"
#include "lib/yaml.h"

#include <stdio.h>

enum { PAGE = 500 };

static const struct column tier_columns[] = {
    {"tier_zh", "tier_en", "TIER", "层级", COLUMN_TEXT},
    {"team", NULL, "TEAM", "承办", COLUMN_TEXT},
    {"zh", "en", "NAME", "名称", COLUMN_NAME},
    {"department", NULL, "DEPARTMENT", "部门", COLUMN_TEXT},
    {"carrier", NULL, "CARRIER", "包案领导", COLUMN_TEXT},
    {"from_level", NULL, "FROM LEVEL", "起始等级", COLUMN_LEVEL},
};

static const struct column team_columns[] = {
    {"team", NULL, "TEAM", "承办", COLUMN_TEXT},
    {"zh", "en", "NAME", "名称", COLUMN_NAME},
    {"tier", NULL, "TIER", "层级", COLUMN_TEXT},
    {"department", NULL, "DEPARTMENT", "部门", COLUMN_TEXT},
    {"carrier", NULL, "CARRIER", "包案领导", COLUMN_TEXT},
    {"regions", NULL, "REGIONS", "区划", COLUMN_LIST},
    {"industries", NULL, "INDUSTRIES", "行业", COLUMN_LIST},
};

static const struct column measure_columns[] = {
    {"measure", NULL, "MEASURE", "措施", COLUMN_TEXT},
    {"zh", "en", "NAME", "名称", COLUMN_NAME},
    {"levels", NULL, "LEVELS", "等级", COLUMN_LIST},
    {"wants", NULL, "WANTS", "必填", COLUMN_LIST},
    {"roles", NULL, "ROLES", "角色", COLUMN_LIST},
    {"silence", NULL, "SILENCE MEANS", "逾期视为", COLUMN_TEXT},
};

/* ---- without a daemon ---- */

struct local {
    struct work *work;
    struct regions *regions;
    struct buf out;
};

static void local_finish(struct local *l)
{
    work_destroy(l->work);
    regions_destroy(l->regions);
    buf_finish(&l->out);
}

static const char *named(struct cli *cli, const struct tree *config, const char *dir, const char *key, const char *shipped)
{
    const struct tree *t = tree_get(config, key);
    if (!t || t->type != TREE_SCALAR)
        return textfile_shipped(&cli->arena, dir, shipped);
    return t->text.p[0] == '/' ? t->text.p : arena_printf(&cli->arena, "%s/%s", dir, t->text.p);
}

/* A document, its mistakes told; NULL: there were some. */
static struct tree *read_yaml(struct cli *cli, const char *path, struct mistakes *m, struct slice *text)
{
    struct err err;
    struct tree *t = NULL;
    m->file = path;
    if (textfile_read(path, &cli->arena, text, &err))
        cli_say("%s", text_safe(&cli->arena, err.msg));
    else if (yaml_parse(&cli->arena, *text, m, &t))
        cli_say("%s:%u: %s", path, m->list[0].line, text_safe(&cli->arena, m->list[0].sentence));
    return t;
}

/* The teams alone: a configuration is checked as a whole by 'wagewarn check-config'. */
static bool load_teams(struct cli *cli, struct local *l, const struct tree *config, const char *dir)
{
    struct arena *a = &cli->arena;
    struct mistakes m = {.arena = a};
    struct slice text;
    const struct tree *key = tree_get(config, "teams");
    if (!key) {
        l->work = mem_zalloc(sizeof *l->work); /* nobody answers for anything: that is an answer */
        return true;
    }
    struct tree *teams = read_yaml(cli, named(cli, config, dir, "teams", "teams.yaml"), &m, &text), *parts = tree_new(a, TREE_MAP);
    if (!teams)
        return false;
    tree_set(a, parts, SLICE("teams"), teams);
    work_load(parts, OFFSET_CHINA_MS, &m, &l->work);
    if (!l->work)
        cli_say("%s:%u: %s", m.file, m.list[0].line, text_safe(a, m.list[0].sentence));
    return l->work != NULL;
}

static bool load_local(struct cli *cli, struct local *l)
{
    struct arena *a = &cli->arena;
    struct mistakes m = {.arena = a};
    struct slice text;
    struct err err;
    const char *file = cli->values[O_CONFIG], *dir = textfile_dir(a, file);
    const struct tree *config = read_yaml(cli, file, &m, &text);
    if (!config)
        return false;
    const char *regions = named(cli, config, dir, "regions", "regions.csv");
    if (textfile_read(regions, a, &text, &err) || regions_parse(&l->regions, regions, text, &err)) {
        cli_say("%s", text_safe(a, err.msg));
        return false;
    }
    return load_teams(cli, l, config, dir);
}

/* What was packed, as a daemon's answer comes. */
static const struct ww_value *unpack(struct cli *cli, const struct buf *b)
{
    struct err err;
    const struct ww_value *v = NULL;
    if (codec_body((struct slice){(const char *)b->p, b->n}, &cli->arena, &v, &err))
        cli_say("%s", err.msg);
    return v;
}

/* ---- routes test ---- */

static void say_none(void)
{
    printf("  %s\n", tr("no teams are configured, so nobody answers for any place; describe them in a file such as teams.yaml and name it\n"
                       "  in the configuration: teams: teams.yaml",
                       "未配置承办单位，任何地方均无人负责；请参照 teams.yaml 编写文件，并在配置中写明 teams: teams.yaml"));
}

static void print_department(struct cli *cli, const char *head, const struct ww_value *d)
{
    struct arena *a = &cli->arena;
    static const struct column name = {"zh", "en", NULL, NULL, COLUMN_TEXT};
    if (ww_type(d) != WW_MAP)
        return;
    const char *team = ww_str(ww_get(d, "team"), "");
    printf("  %s%s  %s", head, tr(":", "："), text_safe(a, ww_str(ww_get(d, "department"), "")));
    if (*team)
        printf("  %s  %s", text_safe(a, team), value_text(a, d, &name));
    printf("\n");
}

static void print_route(struct cli *cli, const struct ww_value *r)
{
    struct arena *a = &cli->arena;
    const struct ww_value *assist = ww_get(r, "assist");
    struct items items = {0};
    printf("%s%s%s  %s  %s\n", out_bold(cli), text_safe(a, ww_str(ww_get(r, "region"), "")), out_plain(cli),
           text_safe(a, ww_str(ww_get(r, "name"), "")), text_safe(a, ww_str(ww_get(r, "industry"), "")));
    for (size_t i = 0; i < ww_length(ww_get(r, "tiers")); i++)
        items_add(a, &items, ww_at(ww_get(r, "tiers"), i));
    if (items.n)
        out_table(cli, &items, tier_columns, ARRAY_LEN(tier_columns), 2);
    else
        say_none();
    print_department(cli, tr("leads", "牵头"), ww_get(r, "lead"));
    for (size_t i = 0; i < ww_length(assist); i++)
        print_department(cli, tr("assists", "协办"), ww_at(assist, i));
}

/* 1 where no team answers at the lowest tier. */
static int tell_route(struct cli *cli, const struct ww_value *answer)
{
    const struct ww_value *r = ww_get(answer, "route"), *tiers = ww_get(r, "tiers");
    if (!out_document(cli, answer))
        print_route(cli, r);
    for (size_t i = 0; i < ww_length(tiers); i++)
        if (ww_type(ww_get(ww_at(tiers, i), "team")) == WW_STR)
            return 0;
    return 1;
}

static int test_local(struct cli *cli, struct slice industry)
{
    struct local l = {0};
    int status = err_exit_status(WW_ECONFIG);
    if (load_local(cli, &l)) {
        struct enc_open body = enc_map_open(&l.out);
        enc_key(&body, "route");
        struct enc_open m = enc_map_open(&l.out);
        work_put_route(&m, l.work, l.regions, region_of(slice_of(cli->regions[0])), industry);
        enc_close(&m);
        enc_close(&body);
        status = tell_route(cli, unpack(cli, &l.out));
    }
    local_finish(&l);
    return status;
}

int cmd_routes_test(struct cli *cli)
{
    const char *industry = cli->values[O_INDUSTRY];
    const struct ww_value *answer;
    if (cli->n_regions != 1) {
        cli_say(tr("routes test takes one --region, for example 330482001", "routes test 需要一个 --region，例如 330482001"));
        return err_exit_status(WW_EUSAGE);
    }
    if (cli->values[O_CONFIG])
        return test_local(cli, slice_of(industry ? industry : ""));
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    struct ww_param params[] = {{.key = "region", .text = cli->regions[0]}, {.key = "industry", .text = industry}};
    int rc = ww_query(cli->client, "routes", params, industry ? 2 : 1, &answer);
    return rc == 0 ? tell_route(cli, answer) : cli_failed(cli, rc);
}

/* ---- routes list ---- */

static int list_local(struct cli *cli, struct items *items)
{
    struct local l = {0};
    int status = err_exit_status(WW_ECONFIG);
    if (load_local(cli, &l)) {
        struct enc_open body = enc_map_open(&l.out);
        enc_key(&body, "teams");
        enc_list(&l.out, l.work->n_teams);
        for (uint32_t i = 0; i < l.work->n_teams; i++)
            work_put_team(&l.out, l.work, &l.work->teams[i]);
        enc_close(&body);
        items_add_list(&cli->arena, items, ww_get(unpack(cli, &l.out), "teams"));
        status = 0;
    }
    local_finish(&l);
    return status;
}

static int list_asked(struct cli *cli, struct items *items)
{
    struct ww_param params[] = {{.key = "limit", .number = PAGE}, {.key = "after", .number = 0}};
    int status = cli_connect(cli);
    while (status == 0) {
        const struct ww_value *page;
        int rc = ww_query(cli->client, "teams", params, ARRAY_LEN(params), &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        items_add_list(&cli->arena, items, ww_get(page, "teams"));
        if (ww_type(ww_get(page, "next")) == WW_NIL)
            return 0;
        params[1].number = ww_int(ww_get(page, "next"), 0);
    }
    return status;
}

int cmd_routes_list(struct cli *cli)
{
    struct items items = {0};
    int status = cli->values[O_CONFIG] ? list_local(cli, &items) : list_asked(cli, &items);
    if (status != 0)
        return status;
    if (!items.n && cli->format == FORMAT_TABLE)
        say_none();
    else
        out_list(cli, NULL, "teams", &items, team_columns, ARRAY_LEN(team_columns));
    return 0;
}

/* ---- measures ---- */

int cmd_measures(struct cli *cli)
{
    const struct ww_value *answer;
    struct items items = {0};
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    int rc = ww_query(cli->client, "measures", NULL, 0, &answer);
    if (rc != 0)
        return cli_failed(cli, rc);
    items_add_list(&cli->arena, &items, ww_get(answer, "measures"));
    if (!items.n && cli->format == FORMAT_TABLE)
        printf("%s\n", tr("no measures are configured: any name is taken", "未配置处置措施：任何名称均可"));
    else
        out_list(cli, answer, "measures", &items, measure_columns, ARRAY_LEN(measure_columns));
    return 0;
}
