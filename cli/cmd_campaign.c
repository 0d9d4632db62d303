/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn campaign: the campaigns that are configured, or how far one has come. The daemon counts a page of alerts at a
 * time; the pages are added up here. */
#include "cli/output.h"
#include "cli/text.h"
#include "lib/codec.h"

#include <stdio.h>

enum { FIGURES = 14, TEAMS = 2048 };

static const char *const figures[FIGURES] = {"alerts",      "open",    "accepted", "verified", "disposed",    "closed", "confirmed", "unfounded",
                                             "false_claim", "overdue", "people",   "amount",   "paid_people", "paid_amount"};

struct row {
    struct slice team;
    int64_t n[FIGURES];
};

struct sums {
    struct row all, *teams;
    size_t n;
    const struct ww_value *campaign;
};

static void add(int64_t to[FIGURES], const struct ww_value *v)
{
    for (size_t i = 0; i < FIGURES; i++)
        to[i] += ww_int(ww_get(v, figures[i]), 0);
}

static void add_teams(struct arena *a, struct sums *s, const struct ww_value *list)
{
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *v = ww_at(list, i);
        struct slice team = slice_of(ww_str(ww_get(v, "team"), ""));
        size_t k = 0;
        while (k < s->n && !slice_eq(s->teams[k].team, team))
            k++;
        if (k == TEAMS)
            continue;
        if (k == s->n)
            s->teams[s->n++] = (struct row){.team = arena_slice(a, team)};
        add(s->teams[k].n, v);
    }
}

static int gather(struct cli *cli, struct sums *s)
{
    struct ww_param params[2] = {{.key = "campaign", .text = cli->args[0]}, {.key = "after"}};
    struct items first = {0};
    for (;;) {
        const struct ww_value *page;
        int rc = ww_query(cli->client, "campaign", params, ARRAY_LEN(params), &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        if (!first.n)
            items_add_copy(&cli->arena, &first, page);
        add(s->all.n, ww_get(page, "progress"));
        add_teams(&cli->arena, s, ww_get(page, "teams"));
        if (ww_type(ww_get(page, "next")) == WW_NIL)
            break;
        params[1].number = ww_int(ww_get(page, "next"), 0);
    }
    s->campaign = ww_get(first.list[0], "campaign");
    return 0;
}

static void put_figures(struct enc_open *m, const int64_t n[FIGURES])
{
    for (size_t i = 0; i < FIGURES; i++)
        enc_kv_int(m, figures[i], n[i]);
}

static void put_words(struct enc_open *m, const char *key, const struct ww_value *list)
{
    enc_key(m, key);
    enc_list(m->b, ww_length(list));
    for (size_t i = 0; i < ww_length(list); i++)
        enc_str(m->b, ww_str(ww_at(list, i), ""));
}

static void put_campaign(struct enc_open *body, const struct ww_value *c)
{
    static const char *const texts[] = {"id", "title", "title_en", "when"}, *const days[] = {"from", "to"};
    static const char *const lists[] = {"regions", "industries", "kinds", "levels"};
    enc_key(body, "campaign");
    struct enc_open m = enc_map_open(body->b);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        enc_kv_str(&m, texts[i], ww_str(ww_get(c, texts[i]), ""));
    for (size_t i = 0; i < ARRAY_LEN(days); i++)
        enc_kv_int(&m, days[i], ww_int(ww_get(c, days[i]), 0));
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        put_words(&m, lists[i], ww_get(c, lists[i]));
    enc_close(&m);
}

/* The same document as the daemon's, with the sums of all pages. */
static void put_sums(struct buf *b, const struct sums *s)
{
    struct enc_open body = enc_map_open(b);
    put_campaign(&body, s->campaign);
    enc_key(&body, "progress");
    struct enc_open m = enc_map_open(b);
    put_figures(&m, s->all.n);
    enc_close(&m);
    enc_key(&body, "teams");
    enc_list(b, s->n);
    for (size_t i = 0; i < s->n; i++) {
        struct enc_open t = enc_map_open(b);
        enc_kv_slice(&t, "team", s->teams[i].team);
        put_figures(&t, s->teams[i].n);
        enc_close(&t);
    }
    enc_close(&body);
}

static void tell(struct cli *cli, const struct ww_value *v)
{
    static const struct column columns[] = {
        {"team", NULL, "TEAM", "承办", COLUMN_TEXT},
        {"alerts", NULL, "ALERTS", "预警", COLUMN_THOUSANDS},
        {"open", NULL, "OPEN", "待受理", COLUMN_THOUSANDS},
        {"closed", NULL, "CLOSED", "销号", COLUMN_THOUSANDS},
        {"overdue", NULL, "OVERDUE", "逾期", COLUMN_THOUSANDS},
        {"confirmed", NULL, "CONFIRMED", "属实", COLUMN_THOUSANDS},
        {"unfounded", NULL, "UNFOUNDED", "不属实", COLUMN_THOUSANDS},
        {"people", NULL, "PEOPLE", "涉及人数", COLUMN_THOUSANDS},
        {"amount", NULL, "YUAN", "金额(元)", COLUMN_MONEY},
        {"paid_people", NULL, "PAID PEOPLE", "清偿人数", COLUMN_THOUSANDS},
        {"paid_amount", NULL, "PAID YUAN", "清偿(元)", COLUMN_MONEY},
    };
    static const struct column title = {.path = "campaign.title", .en_path = "campaign.title_en", .kind = COLUMN_TEXT};
    struct items all = {0}, teams = {0};
    if (out_document(cli, v))
        return;
    printf("%s%s%s\n", out_bold(cli), value_text(&cli->arena, v, &title), out_plain(cli));
    items_add(&cli->arena, &all, ww_get(v, "progress"));
    out_table(cli, &all, columns + 1, ARRAY_LEN(columns) - 1, 2);
    items_add_list(&cli->arena, &teams, ww_get(v, "teams"));
    if (!teams.n)
        return;
    printf("\n%s%s%s\n", out_bold(cli), tr("By team", "按承办单位"), out_plain(cli));
    out_table(cli, &teams, columns, ARRAY_LEN(columns), 2);
}

static int list_all(struct cli *cli)
{
    static const struct column columns[] = {
        {"id", NULL, "CAMPAIGN", "专项行动", COLUMN_TEXT},
        {"when", NULL, "WHEN", "阶段", COLUMN_TEXT},
        {"from", NULL, "FROM", "起", COLUMN_TIME},
        {"to", NULL, "UNTIL", "止", COLUMN_TIME},
        {"title", "title_en", "TITLE", "名称", COLUMN_NAME},
    };
    const struct ww_value *result;
    struct items items = {0};
    int rc = ww_query(cli->client, "campaigns", NULL, 0, &result);
    if (rc != 0)
        return cli_failed(cli, rc);
    items_add_list(&cli->arena, &items, ww_get(result, "campaigns"));
    if (!items.n && cli->format == FORMAT_TABLE)
        printf("%s\n", tr("no campaigns are configured", "没有配置专项行动"));
    else
        out_list(cli, result, "campaigns", &items, columns, ARRAY_LEN(columns));
    return 0;
}

int cmd_campaign(struct cli *cli)
{
    struct sums s = {.teams = arena_zalloc(&cli->arena, TEAMS * sizeof *s.teams)};
    struct buf b = {0};
    struct err err;
    const struct ww_value *v;
    int status = cli_connect(cli);
    if (status != 0 || !cli->n_args)
        return status != 0 ? status : list_all(cli);
    status = gather(cli, &s);
    if (status != 0)
        return status;
    put_sums(&b, &s);
    if (codec_body((struct slice){(const char *)b.p, b.n}, &cli->arena, &v, &err) == 0)
        tell(cli, v);
    buf_finish(&b);
    return 0;
}
