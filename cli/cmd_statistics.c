/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn statistics: what came of alerts, by rule and by agency. The daemon counts a page of alerts at a time; the pages
 * are added up here. */
#include "cli/output.h"
#include "cli/text.h"
#include "lib/codec.h"

#include <stdio.h>

enum { ROWS_MAX = 2048, FIGURES = 5 };

static const char *const figures[FIGURES] = {"raised", "confirmed", "unfounded", "false_claim", "open"};

/* Money paid in advance. */
enum { ADVANCED = 4 };
static const char *const advanced_words[ADVANCED] = {"alerts", "measures", "amount", "recovered"};

/* Of duties, in pages of their own. */
enum { DUTY_FIGURES = 4 };
static const char *const duty_words[DUTY_FIGURES] = {"all", "reminded", "overdue", "escalated"};

struct totals {
    int64_t all[FIGURES], members[FIGURES], advanced[ADVANCED], duties[DUTY_FIGURES];
};

struct row {
    struct slice word, zh, en;
    int64_t n[FIGURES];
};

struct table {
    const char *key, *word;
    struct row *rows;
    size_t n;
};

static void add(int64_t to[FIGURES], const struct ww_value *v)
{
    for (size_t i = 0; i < FIGURES; i++)
        to[i] += ww_int(ww_get(v, figures[i]), 0);
}

static struct slice copy(struct arena *a, const struct ww_value *v, const char *key)
{
    return arena_slice(a, slice_of(ww_str(ww_get(v, key), "")));
}

static void add_list(struct arena *a, struct table *t, const struct ww_value *list)
{
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *v = ww_at(list, i);
        struct slice word = slice_of(ww_str(ww_get(v, t->word), ""));
        size_t k = 0;
        while (k < t->n && !slice_eq(t->rows[k].word, word))
            k++;
        if (k == ROWS_MAX)
            continue;
        if (k == t->n)
            t->rows[t->n++] = (struct row){.word = arena_slice(a, word), .zh = copy(a, v, "title"), .en = copy(a, v, "title_en")};
        add(t->rows[k].n, v);
    }
}

static void put_figures(struct enc_open *m, const int64_t n[FIGURES])
{
    for (size_t i = 0; i < FIGURES; i++)
        enc_kv_int(m, figures[i], n[i]);
}

static void put_table(struct enc_open *body, const struct table *t)
{
    enc_key(body, t->key);
    enc_list(body->b, t->n);
    for (size_t i = 0; i < t->n; i++) {
        struct enc_open m = enc_map_open(body->b);
        enc_kv_slice(&m, t->word, t->rows[i].word);
        if (t->rows[i].zh.n)
            enc_kv_slice(&m, "title", t->rows[i].zh);
        if (t->rows[i].en.n)
            enc_kv_slice(&m, "title_en", t->rows[i].en);
        put_figures(&m, t->rows[i].n);
        enc_close(&m);
    }
}

static void print_table(struct cli *cli, const char *head, const struct ww_value *list, const struct column *first,
                        size_t n_first)
{
    enum { FIRST_MOST = 2 };
    struct column columns[FIRST_MOST + FIGURES];
    static const struct column rest[FIGURES] = {
        {"raised", NULL, "RAISED", "发出", COLUMN_THOUSANDS},
        {"confirmed", NULL, "CONFIRMED", "属实", COLUMN_THOUSANDS},
        {"unfounded", NULL, "UNFOUNDED", "不属实", COLUMN_THOUSANDS},
        {"false_claim", NULL, "FALSE CLAIM", "虚假", COLUMN_THOUSANDS},
        {"open", NULL, "OPEN", "在办", COLUMN_THOUSANDS},
    };
    struct items items = {0};
    memcpy(columns, first, n_first * sizeof *first);
    memcpy(columns + n_first, rest, sizeof rest);
    for (size_t i = 0; i < ww_length(list); i++)
        items_add(&cli->arena, &items, ww_at(list, i));
    printf("\n%s%s%s\n", out_bold(cli), head, out_plain(cli));
    out_table(cli, &items, columns, n_first + FIGURES, 2);
}

static void add_advanced(int64_t to[ADVANCED], const struct ww_value *v)
{
    for (size_t i = 0; i < ADVANCED; i++)
        to[i] += ww_int(ww_get(v, advanced_words[i]), 0);
}

static void add_duties(int64_t to[DUTY_FIGURES], const struct ww_value *v)
{
    for (size_t i = 0; i < DUTY_FIGURES; i++)
        to[i] += ww_int(ww_get(v, duty_words[i]), 0);
}

/* Alerts and duties have pages of their own, asked for side by side; who has no more is asked for what lies behind all. */
static int gather(struct cli *cli, struct table *rules, struct table *agencies, struct totals *t)
{
    struct ww_param params[3] = {{.key = "after", .number = 0}};
    size_t n = 1;
    if (cli->n_regions)
        params[n++] = (struct ww_param){.key = "region", .text = cli->regions[0]};
    for (size_t n_all = n;;) {
        const struct ww_value *page;
        int rc = ww_query(cli->client, "statistics", params, n_all, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        add_duties(t->duties, ww_get(page, "duties"));
        add(t->all, ww_get(page, "all"));
        add(t->members, ww_get(page, "members"));
        add_advanced(t->advanced, ww_get(page, "advanced"));
        add_list(&cli->arena, rules, ww_get(page, "rules"));
        add_list(&cli->arena, agencies, ww_get(page, "agencies"));
        const char *duties = ww_str(ww_get(page, "duties_next"), NULL);
        bool more = ww_type(ww_get(page, "next")) != WW_NIL;
        if (!more && !duties)
            return 0;
        params[0].number = more ? ww_int(ww_get(page, "next"), 0) : INT64_MAX;
        n_all = n;
        if (duties)
            params[n_all++] = (struct ww_param){.key = "duties_after", .text = arena_slice(&cli->arena, slice_of(duties)).p};
    }
}

/* What the first line does not say. */
static void print_more(struct cli *cli, const struct ww_value *v)
{
    const struct ww_value *members = ww_get(v, "members"), *advanced = ww_get(v, "advanced");
    int64_t paid = ww_int(ww_get(advanced, "amount"), 0), back = ww_int(ww_get(advanced, "recovered"), 0);
    if (ww_int(ww_get(members, "raised"), 0))
        printf(tr("  and under a parent, counted once with it: %lld raised, %lld open\n", "  另有并入上级预警、不单独计数的：发出 %lld，在办 %lld\n"),
               (long long)ww_int(ww_get(members, "raised"), 0), (long long)ww_int(ww_get(members, "open"), 0));
    if (ww_int(ww_get(advanced, "measures"), 0))
        printf(tr("paid in advance: %s yuan in %lld cases, %s recovered\n", "垫付：%1$s 元，涉及 %2$lld 件，已追回 %3$s 元\n"),
               text_money(&cli->arena, paid), (long long)ww_int(ww_get(advanced, "alerts"), 0), text_money(&cli->arena, back));
    const struct ww_value *duties = ww_get(v, "duties");
    if (ww_int(ww_get(duties, "all"), 0))
        printf(tr("duties: %lld, of these %lld due soon, %lld overdue, %lld escalated\n",
                  "例行任务：%lld 项，其中即将到期 %lld，逾期 %lld，已提级 %lld\n"),
               (long long)ww_int(ww_get(duties, duty_words[0]), 0), (long long)ww_int(ww_get(duties, duty_words[1]), 0),
               (long long)ww_int(ww_get(duties, duty_words[2]), 0), (long long)ww_int(ww_get(duties, duty_words[3]), 0));
}

static void tell(struct cli *cli, const struct ww_value *v)
{
    static const struct column rule[] = {{"rule", NULL, "RULE", "规则", COLUMN_TEXT},
                                         {"title", "title_en", "TITLE", "标题", COLUMN_NAME}};
    static const struct column agency[] = {{"agency", NULL, "AGENCY", "部门", COLUMN_TEXT}};
    const struct ww_value *all = ww_get(v, "all");
    if (out_document(cli, v))
        return;
    printf(tr("alerts: %lld raised, %lld confirmed, %lld unfounded, %lld made up, %lld open\n",
              "预警：发出 %lld，属实 %lld，不属实 %lld，虚假 %lld，在办 %lld\n"),
           (long long)ww_int(ww_get(all, figures[0]), 0), (long long)ww_int(ww_get(all, figures[1]), 0),
           (long long)ww_int(ww_get(all, figures[2]), 0), (long long)ww_int(ww_get(all, figures[3]), 0),
           (long long)ww_int(ww_get(all, figures[4]), 0));
    print_more(cli, v);
    print_table(cli, tr("By rule", "按规则"), ww_get(v, "rules"), rule, ARRAY_LEN(rule));
    print_table(cli, tr("By agency", "按部门"), ww_get(v, "agencies"), agency, ARRAY_LEN(agency));
}

int cmd_statistics(struct cli *cli)
{
    struct table rules = {.key = "rules", .word = "rule"}, agencies = {.key = "agencies", .word = "agency"};
    struct totals totals = {.all = {0}};
    struct buf b = {0};
    struct err err;
    const struct ww_value *v;
    int status = cli_connect(cli);
    rules.rows = arena_zalloc(&cli->arena, ROWS_MAX * sizeof *rules.rows);
    agencies.rows = arena_zalloc(&cli->arena, ROWS_MAX * sizeof *agencies.rows);
    if (status == 0)
        status = gather(cli, &rules, &agencies, &totals);
    if (status != 0)
        return status;
    struct enc_open body = enc_map_open(&b);
    enc_key(&body, "all");
    struct enc_open m = enc_map_open(&b);
    put_figures(&m, totals.all);
    enc_close(&m);
    enc_key(&body, "members");
    m = enc_map_open(&b);
    put_figures(&m, totals.members);
    enc_close(&m);
    enc_key(&body, "advanced");
    m = enc_map_open(&b);
    for (size_t i = 0; i < ADVANCED; i++)
        enc_kv_int(&m, advanced_words[i], totals.advanced[i]);
    enc_close(&m);
    enc_key(&body, "duties");
    m = enc_map_open(&b);
    for (size_t i = 0; i < DUTY_FIGURES; i++)
        enc_kv_int(&m, duty_words[i], totals.duties[i]);
    enc_close(&m);
    put_table(&body, &rules);
    put_table(&body, &agencies);
    enc_close(&body);
    if (codec_body((struct slice){(const char *)b.p, b.n}, &cli->arena, &v, &err) == 0)
        tell(cli, v);
    buf_finish(&b);
    return 0;
}
