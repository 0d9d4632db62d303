/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn draw (双随机): who is inspected, and by which two, by lot. The lot of a key is BLAKE2b-256 of the text
 * "SEED KEY", that of an inspector for a visit BLAKE2b-256 of "SEED KEY NAME", where SEED is in hex the hash of the
 * journal's chain at a number that was named beforehand; the lowest are drawn. Nobody can choose the seed, and anybody can
 * compute it again. */
#include "cli/output.h"
#include "cli/text.h"
#include "lib/codec.h"
#include "lib/hash.h"
#include "lib/textfile.h"
#include "store/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEED_LEN = 2 * CHAIN_LEN, PAGE = 500, INSPECTORS_MAX = 10000, VISITORS = 2, DRAWN_MAX = 100000 };

struct lot {
    uint8_t hash[CHAIN_LEN];
    struct slice key;           /* code, else name; number of an alert; or an inspector */
    const struct ww_value *who; /* NULL: an inspector */
};

struct draw {
    struct cli *cli;
    char seed[SEED_LEN + 1];
    uint64_t number;
    int64_t n;
    size_t n_lots, n_inspectors;
    struct lot *lots;
    struct slice *inspectors;
    bool alerts;
};

static int usage(const char *en, const char *zh)
{
    cli_say("%s", tr(en, zh));
    return err_exit_status(WW_EUSAGE);
}

/* ---- lots ---- */

static void cast(const struct draw *d, struct slice key, struct slice name, uint8_t out[CHAIN_LEN])
{
    struct arena a = {0};
    const char *text = name.n ? arena_printf(&a, " %.*s %.*s", SLICE_ARG(key), SLICE_ARG(name))
                              : arena_printf(&a, " %.*s", SLICE_ARG(key));
    hash_blake2b(out, d->seed, SEED_LEN, text, strlen(text), NULL, 0);
    arena_finish(&a);
}

static int slice_cmp(struct slice a, struct slice b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_lot(const void *x, const void *y)
{
    const struct lot *a = x, *b = y;
    int order = memcmp(a->hash, b->hash, CHAIN_LEN);
    return order ? order : slice_cmp(a->key, b->key);
}

static int by_key(const void *x, const void *y)
{
    const struct lot *a = x, *b = y;
    return slice_cmp(a->key, b->key);
}

static const char *hex(struct arena *a, const uint8_t hash[CHAIN_LEN])
{
    static const char digits[] = "0123456789abcdef";
    char text[SEED_LEN];
    for (size_t i = 0; i < CHAIN_LEN; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    return arena_slice(a, (struct slice){text, sizeof text}).p;
}

/* ---- what is read ---- */

static bool listed(const struct draw *d, struct slice name)
{
    for (size_t i = 0; i < d->n_inspectors; i++)
        if (slice_eq(d->inspectors[i], name))
            return true;
    return false;
}

/* One name a line; what begins with # is none. */
static int read_inspectors(struct draw *d)
{
    struct cli *cli = d->cli;
    struct err err;
    struct slice text;
    int rc = textfile_read(cli->values[O_INSPECTORS], &cli->arena, &text, &err);
    if (rc != 0) {
        cli_say("%s", text_safe(&cli->arena, err.msg));
        return err_exit_status(rc);
    }
    d->inspectors = arena_alloc(&cli->arena, INSPECTORS_MAX * sizeof *d->inspectors);
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
        while (p < stop && (*p == ' ' || *p == '\t'))
            p++;
        struct slice name = {p, (size_t)(stop - p)};
        while (name.n && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\r' || name.p[name.n - 1] == '\t'))
            name.n--;
        if (name.n && *name.p != '#' && !listed(d, name) && d->n_inspectors < INSPECTORS_MAX)
            d->inspectors[d->n_inspectors++] = name;
        p = nl ? nl + 1 : end;
    }
    return d->n_inspectors >= VISITORS
               ? 0
               : usage("an inspection takes two at least: --inspectors names a file with one name a line",
                       "检查至少两人：--inspectors 文件每行一名");
}

static int read_seed_from(struct draw *d)
{
    struct arena *a = &d->cli->arena;
    struct err err;
    struct journal_reader *r;
    struct journal_batch b;
    const char *dir = arena_printf(a, "%s/journal", cli_state_dir(d->cli));
    int rc = journal_reader_open(&r, dir, d->number, &err);
    if (rc != 0) {
        cli_say("%s", text_safe(a, err.msg));
        return err_exit_status(rc);
    }
    rc = journal_reader_next(r, &b, &err);
    if (rc == 1)
        memcpy(d->seed, hex(a, b.chain), SEED_LEN);
    journal_reader_close(r);
    if (rc < 0)
        cli_say("%s", text_safe(a, err.msg));
    else if (rc == 0)
        cli_say(tr("the journal has not come to %" PRIu64 " yet", "日志尚未到编号 %" PRIu64), d->number);
    return rc == 1 ? 0 : err_exit_status(rc < 0 ? rc : WW_EAGAIN);
}

static int read_seed(struct draw *d)
{
    const struct ww_value *answer;
    if (d->cli->values[O_STATE_DIR])
        return read_seed_from(d);
    struct ww_param p = {.key = "number", .number = (int64_t)d->number};
    int rc = ww_query(d->cli->client, "audit", &p, 1, &answer);
    if (rc != 0)
        return cli_failed(d->cli, rc);
    const char *hash = ww_str(ww_get(answer, "hash"), "");
    if (strlen(hash) != SEED_LEN)
        return usage("the daemon gave no hash; is it older than this program?", "守护进程未给出哈希");
    memcpy(d->seed, hash, SEED_LEN);
    return 0;
}

static struct slice key_of(struct draw *d, const struct ww_value *v)
{
    if (d->alerts)
        return slice_of(arena_printf(&d->cli->arena, "%" PRIu64, ww_uint(ww_get(v, "alert"), 0)));
    const char *code = ww_str(ww_get(v, "uscc"), "");
    return slice_of(*code ? code : ww_str(ww_get(v, "name"), ""));
}

static int read_candidates(struct draw *d, struct items *items)
{
    struct cli *cli = d->cli;
    const char *what = d->alerts ? "alerts" : "enterprises";
    struct ww_param params[5] = {{.key = "limit", .number = PAGE}};
    size_t n = 1;
    if (cli->n_regions)
        params[n++] = (struct ww_param){.key = "region", .text = cli->regions[0]};
    if (cli->values[O_LEVEL])
        params[n++] = (struct ww_param){.key = "level", .text = cli->values[O_LEVEL]};
    if (cli->values[O_CREDIT])
        params[n++] = (struct ww_param){.key = "credit", .text = cli->values[O_CREDIT]};
    size_t with_after = n + 1;
    for (;;) {
        const struct ww_value *page;
        int rc = ww_query(cli->client, what, params, n, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        items_add_list(&cli->arena, items, ww_get(page, what));
        const struct ww_value *next = ww_get(page, "next");
        if (ww_type(next) == WW_NIL)
            return 0;
        n = with_after;
        params[n - 1] = (struct ww_param){.key = "after", .number = (int64_t)ww_uint(next, 0)};
        if (ww_type(next) == WW_STR)
            params[n - 1].text = arena_slice(&cli->arena, slice_of(ww_str(next, ""))).p;
    }
}

/* ---- telling ---- */

static void put_visitors(struct draw *d, struct enc_open *m, struct slice key)
{
    struct lot *lots = arena_alloc(&d->cli->arena, d->n_inspectors * sizeof *lots);
    for (size_t i = 0; i < d->n_inspectors; i++) {
        lots[i] = (struct lot){.key = d->inspectors[i]};
        cast(d, key, lots[i].key, lots[i].hash);
    }
    qsort(lots, d->n_inspectors, sizeof *lots, by_lot);
    enc_key(m, "inspectors");
    enc_list(m->b, VISITORS);
    for (size_t i = 0; i < VISITORS; i++)
        enc_slice(m->b, lots[i].key);
}

static void put_drawn(struct draw *d, struct buf *b, const struct lot *l)
{
    static const char *const keys[] = {"uscc", "name", "region"};
    const struct ww_value *who = d->alerts ? ww_get(l->who, "enterprise") : l->who;
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "key", l->key);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (ww_type(ww_get(who, keys[i])) == WW_STR)
            enc_kv_str(&m, keys[i], ww_str(ww_get(who, keys[i]), ""));
    enc_kv_str(&m, "level", ww_str(ww_get(l->who, "level"), "none"));
    enc_kv_str(&m, "hash", hex(&d->cli->arena, l->hash));
    put_visitors(d, &m, l->key);
    enc_close(&m);
}

static void put_all(struct draw *d, struct buf *b, const char *list_hash)
{
    struct enc_open m = enc_map_open(b);
    size_t n = (size_t)d->n < d->n_lots ? (size_t)d->n : d->n_lots;
    enc_kv_uint(&m, "number", d->number);
    enc_kv_str(&m, "seed", d->seed);
    enc_kv_str(&m, "method", "lowest of BLAKE2b-256(\"SEED KEY\"); of inspectors, of BLAKE2b-256(\"SEED KEY NAME\")");
    enc_kv_str(&m, "of", d->alerts ? "alerts" : "enterprises");
    enc_kv_uint(&m, "candidates", d->n_lots);
    enc_kv_str(&m, "candidates_hash", list_hash);
    enc_kv_uint(&m, "inspectors_total", d->n_inspectors);
    enc_key(&m, "drawn");
    enc_list(b, n);
    for (size_t i = 0; i < n; i++)
        put_drawn(d, b, &d->lots[i]);
    enc_close(&m);
}

static void print(struct draw *d, const struct ww_value *v)
{
    static const struct column columns[] = {
        {"key", NULL, "KEY", "编号", COLUMN_TEXT},         {"name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
        {"region", NULL, "REGION", "区划", COLUMN_TEXT},   {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},
        {"inspectors", NULL, "INSPECTORS", "检查人员", COLUMN_LIST},
    };
    struct cli *cli = d->cli;
    const struct ww_value *list = ww_get(v, "drawn");
    struct items items = {0};
    if (out_document(cli, v))
        return;
    for (size_t i = 0; i < ww_length(list); i++)
        items_add(&cli->arena, &items, ww_at(list, i));
    out_table(cli, &items, columns, ARRAY_LEN(columns), 0);
    printf(tr("\n%zu of %zu, two inspectors of %zu each\n", "\n从 %2$zu 户中抽取 %1$zu 户，每户从 %3$zu 名人员中抽两名\n"), items.n, d->n_lots,
           d->n_inspectors);
    printf(tr("seed: the hash of the journal's chain at number %" PRIu64 "\n  %s\n",
              "种子：日志编号 %" PRIu64 " 处的链哈希\n  %s\n"),
           d->number, d->seed);
    printf(tr("candidates, sorted, one a line, hashed: %s\n", "候选名单排序后逐行哈希：%s\n"), ww_str(ww_get(v, "candidates_hash"), ""));
    printf("%s\n  printf '%%s %%s' SEED KEY | b2sum -l 256\n  printf '%%s %%s %%s' SEED KEY NAME | b2sum -l 256\n",
           tr("to compute it again: of all keys those with the lowest hash, of all names the two lowest",
              "复核方法：各编号取哈希最小者，各姓名取哈希最小的两名"));
}

/* Proves which list was drawn from. */
static const char *hash_list(struct draw *d)
{
    struct buf b = {0};
    uint8_t out[CHAIN_LEN];
    qsort(d->lots, d->n_lots, sizeof *d->lots, by_key);
    for (size_t i = 0; i < d->n_lots; i++) {
        buf_put(&b, d->lots[i].key.p, d->lots[i].key.n);
        buf_put(&b, "\n", 1);
    }
    hash_blake2b(out, b.p, b.n, NULL, 0, NULL, 0);
    buf_finish(&b);
    return hex(&d->cli->arena, out);
}

static int tell(struct draw *d)
{
    struct buf b = {0};
    struct err err;
    const struct ww_value *v;
    const char *list_hash = hash_list(d);
    qsort(d->lots, d->n_lots, sizeof *d->lots, by_lot);
    put_all(d, &b, list_hash);
    int rc = codec_body((struct slice){(const char *)b.p, b.n}, &d->cli->arena, &v, &err);
    if (rc == 0)
        print(d, v);
    buf_finish(&b);
    return err_exit_status(rc);
}

static int read_options(struct draw *d)
{
    struct cli *cli = d->cli;
    const char *of = cli->values[O_OF], *n = cli->values[O_N], *k = cli->values[O_AT_NUMBER];
    int64_t number;
    d->alerts = of && strcmp(of, "alerts") == 0;
    if (!of || (!d->alerts && strcmp(of, "enterprises") != 0))
        return usage("--of says what is drawn: enterprises or alerts", "--of 指明抽取对象：enterprises 或 alerts");
    if (d->alerts && cli->values[O_CREDIT])
        return usage("--credit is of enterprises", "--credit 仅用于 enterprises");
    if (!n || !text_parse_int(n, &d->n) || d->n < 1 || d->n > DRAWN_MAX)
        return usage("--n says how many are drawn: a number of 1 or more", "--n 为抽取数量（正整数）");
    if (!k || !text_parse_int(k, &number) || number < 1)
        return usage("--at-number names the journal's number whose hash is the seed; announce it before it is reached",
                     "--at-number 指明以哪个日志编号的哈希为种子；应在到达之前公布");
    if (!cli->values[O_INSPECTORS])
        return usage("--inspectors names a file with one name a line", "--inspectors 指明人员名单文件，每行一名");
    if (cli->n_regions > 1)
        return usage("draw takes one --region", "draw 只接受一个 --region");
    d->number = (uint64_t)number;
    return read_inspectors(d);
}

int cmd_draw(struct cli *cli)
{
    struct draw d = {.cli = cli};
    struct items items = {0};
    int status = read_options(&d);
    if (status == 0)
        status = cli_connect(cli);
    if (status == 0)
        status = read_seed(&d);
    if (status == 0)
        status = read_candidates(&d, &items);
    if (status != 0)
        return status;
    d.lots = arena_alloc(&cli->arena, (items.n + 1) * sizeof *d.lots);
    for (size_t i = 0; i < items.n; i++) {
        struct lot l = {.key = key_of(&d, items.list[i]), .who = items.list[i]};
        cast(&d, l.key, (struct slice){NULL, 0}, l.hash);
        if (l.key.n)
            d.lots[d.n_lots++] = l;
    }
    return tell(&d);
}
