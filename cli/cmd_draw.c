/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn draw (双随机): who is inspected, and by which two, by lot (cli/lots.h). A draw has two acts. First
 * a number of the journal that lies ahead is announced, and the candidates are kept: nobody knows the lot.
 * When the journal has come to it, the lot is drawn from what was kept. Candidates that are listed later are
 * of no use, since who lists them knows the lot; so that is refused. */
#include "cli/json.h"
#include "cli/lots.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/textfile.h"
#include "store/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 500, DRAWN_MAX = CANDIDATES_MAX };

static int usage(const char *en, const char *zh)
{
    cli_say("%s", tr(en, zh));
    return err_exit_status(WW_EUSAGE);
}

/* ---- files ---- */

static int read_file(struct cli *cli, const char *path, struct slice *text)
{
    struct err err;
    int rc = textfile_read(path, &cli->arena, text, &err);
    if (rc != 0)
        cli_say("%s", text_safe(&cli->arena, err.msg));
    return rc == 0 ? 0 : err_exit_status(rc);
}

/* One name a line; what begins with # is none. */
static int read_inspectors(struct cli *cli, struct lots *l)
{
    struct slice text;
    int status = read_file(cli, cli->values[O_INSPECTORS], &text);
    if (status != 0)
        return status;
    l->inspectors = arena_alloc(&cli->arena, INSPECTORS_MAX * sizeof *l->inspectors);
    for (const char *p = text.p, *end = text.p + text.n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
        while (p < stop && (*p == ' ' || *p == '\t'))
            p++;
        struct slice name = {p, (size_t)(stop - p)};
        while (name.n &&
               (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\r' || name.p[name.n - 1] == '\t'))
            name.n--;
        if (name.n && *name.p != '#')
            lots_add_inspector(l, name);
        p = nl ? nl + 1 : end;
    }
    return l->n_inspectors >= VISITORS
               ? 0
               : usage("an inspection takes two at least: --inspectors names a file with one name a line",
                       "检查至少两人：--inspectors 文件每行一名");
}

static int read_draw(struct cli *cli, const char *path, struct lots *l, const struct ww_value **document)
{
    struct slice text;
    const char *wrong;
    int status = read_file(cli, path, &text);
    if (status != 0)
        return status;
    *document = json_document(&cli->arena, text, &wrong);
    if (*document && lots_read(*document, &cli->arena, l, &wrong))
        return 0;
    cli_say(tr("%s is no file that draw --save has written: %s", "%s 不是 draw --save 保存的文件：%s"), path,
            text_safe(&cli->arena, wrong));
    return err_exit_status(WW_EUSAGE);
}

/* Nothing that was kept is ever written over: it is what the draw is proved by. */
static int save(struct cli *cli, const struct ww_value *document)
{
    const char *path = cli->values[O_SAVE];
    char *text = path ? json_text(document, true) : NULL;
    FILE *f = text ? fopen(path, "wx") : NULL;
    bool good = f && fprintf(f, "%s\n", text) > 0;
    int why = errno;
    good = (f && fclose(f) == 0) && good;
    free(text);
    if (!path || good)
        return 0;
    cli_say(tr("%s could not be written: %s; name a new file", "无法写入 %s：%s；请指定新文件"), path,
            strerror(why));
    return err_exit_status(WW_EIO);
}

/* ---- the seed ---- */

/* Both leave the seed empty where the journal has not come to the number. */
static int seed_from_dir(struct cli *cli, const char *state_dir, struct lots *l)
{
    struct arena *a = &cli->arena;
    struct err err;
    struct journal_reader *r;
    struct journal_batch b;
    int rc = journal_reader_open(&r, arena_printf(a, "%s/journal", state_dir), l->number, &err);
    if (rc == 0) {
        rc = journal_reader_next(r, &b, &err);
        if (rc == 1)
            memcpy(l->seed, lots_hex(a, b.chain), SEED_LEN + 1);
        journal_reader_close(r);
    }
    if (rc >= 0)
        return 0;
    cli_say("%s", text_safe(a, err.msg));
    return err_exit_status(rc);
}

static int seed_from_daemon(struct cli *cli, struct lots *l)
{
    const struct ww_value *answer;
    struct ww_param p = {.key = "number", .number = (int64_t)l->number};
    int rc = ww_query(cli->client, "status", NULL, 0, &answer);
    if (rc == 0 && ww_uint(ww_get(answer, "as_of"), 0) < l->number)
        return 0;
    if (rc == 0)
        rc = ww_query(cli->client, "audit", &p, 1, &answer);
    if (rc != 0)
        return cli_failed(cli, rc);
    const char *hash = ww_str(ww_get(answer, "hash"), "");
    if (strlen(hash) != SEED_LEN)
        return usage("the daemon gave no hash; is it older than this program?", "守护进程未给出哈希");
    memcpy(l->seed, hash, SEED_LEN + 1);
    return 0;
}

static int read_seed(struct cli *cli, struct lots *l)
{
    int status = 0;
    *l->seed = '\0';
    if (cli->values[O_STATE_DIR])
        return seed_from_dir(cli, cli_state_dir(cli), l);
    if (!cli->client)
        status = cli_connect(cli);
    return status ? status : seed_from_daemon(cli, l);
}

/* ---- the candidates ---- */

static struct slice text_at(struct cli *cli, const struct ww_value *v, const char *key)
{
    return arena_slice(&cli->arena, slice_of(ww_str(ww_get(v, key), "")));
}

static void add_page(struct cli *cli, struct lots *l, const struct ww_value *list)
{
    struct candidate *more = arena_alloc(&cli->arena, (l->n_list + ww_length(list) + 1) * sizeof *more);
    if (l->n_list)
        memcpy(more, l->list, l->n_list * sizeof *more);
    l->list = more;
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *v = ww_at(list, i), *who = l->alerts ? ww_get(v, "enterprise") : v;
        struct slice code = text_at(cli, who, "uscc"), name = text_at(cli, who, "name");
        struct candidate c = {.key = code.n ? code : name,
                              .name = name,
                              .region = text_at(cli, who, "region"),
                              .level = text_at(cli, v, "level")};
        if (l->alerts)
            c.key = slice_of(arena_printf(&cli->arena, "%" PRIu64, ww_uint(ww_get(v, "alert"), 0)));
        if (c.key.n)
            l->list[l->n_list++] = c;
    }
}

static int read_candidates(struct cli *cli, struct lots *l)
{
    const char *what = l->alerts ? "alerts" : "enterprises";
    struct ww_param params[5] = {{.key = "limit", .number = PAGE}};
    const struct slice cuts[] = {l->region, l->level, l->credit};
    static const char *const keys[] = {"region", "level", "credit"};
    size_t n = 1;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (cuts[i].n)
            params[n++] = (struct ww_param){.key = keys[i], .text = cuts[i].p};
    for (size_t with_after = n + 1;;) {
        const struct ww_value *page;
        int rc = ww_query(cli->client, what, params, n, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        add_page(cli, l, ww_get(page, what));
        l->as_of = ww_uint(ww_get(page, "as_of"), 0);
        const struct ww_value *next = ww_get(page, "next");
        if (l->n_list > CANDIDATES_MAX)
            return usage("more than 100000 candidates; cut them down with --region, --level or --credit",
                         "候选超过 100000；请用 --region、--level 或 --credit 缩小范围");
        if (ww_type(next) == WW_NIL)
            return 0;
        n = with_after;
        params[n - 1] = (struct ww_param){.key = "after", .number = (int64_t)ww_uint(next, 0)};
        if (ww_type(next) == WW_STR)
            params[n - 1].text = arena_slice(&cli->arena, slice_of(ww_str(next, ""))).p;
    }
}

/* ---- telling ---- */

static void print_drawn(struct cli *cli, const struct lots *l, const struct ww_value *v)
{
    static const struct column columns[] = {
        {"key", NULL, "KEY", "编号", COLUMN_TEXT},
        {"name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
        {"region", NULL, "REGION", "区划", COLUMN_TEXT},
        {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},
        {"inspectors", NULL, "INSPECTORS", "检查人员", COLUMN_LIST},
    };
    const struct ww_value *list = ww_get(v, "drawn");
    struct items items = {0};
    for (size_t i = 0; i < ww_length(list); i++)
        items_add(&cli->arena, &items, ww_at(list, i));
    out_table(cli, &items, columns, ARRAY_LEN(columns), 0);
    printf(tr("\n%zu of %zu, two inspectors of %zu each\n",
              "\n从 %2$zu 户中抽取 %1$zu 户，每户从 %3$zu 名人员中抽两名\n"),
           items.n, l->n_list, l->n_inspectors);
    printf(tr("seed: the hash of the journal's chain at number %" PRIu64 "\n  %s\n",
              "种子：日志编号 %" PRIu64 " 处的链哈希\n  %s\n"),
           l->number, l->seed);
    printf(tr("candidates, sorted, one a line, hashed: %s\n", "候选名单排序后逐行哈希：%s\n"),
           ww_str(ww_get(v, "candidates_hash"), ""));
    printf("%s\n  wagewarn draw --verify FILE\n  printf '%%s %%s' SEED KEY | b2sum -l 256\n  printf '%%s %%s "
           "%%s' SEED KEY NAME | b2sum -l 256\n",
           tr("to compute it again, by what --save or -o json kept: of all keys those with the lowest hash, "
              "of all names the two lowest",
              "复核方法（依 --save 或 -o json 所存）：各编号取哈希最小者，各姓名取哈希最小的两名"));
}

static void print_kept(const struct lots *l, const char *file, const struct ww_value *v)
{
    printf(tr("kept: %zu candidates and %zu inspectors, as of number %" PRIu64 "\n",
              "已保存：候选 %zu 户、检查人员 %zu 名，截至编号 %" PRIu64 "\n"),
           l->n_list, l->n_inspectors, l->as_of);
    printf(tr("announce: the seed will be the hash at number %" PRIu64
              "; candidates, sorted, one a line, hashed: %s\n",
              "请公布：以编号 %" PRIu64 " 处的链哈希为种子；候选名单排序后逐行哈希：%s\n"),
           l->number, ww_str(ww_get(v, "candidates_hash"), ""));
    printf(tr("when the journal has come to it: wagewarn draw --candidates %s\n",
              "日志到达该编号后：wagewarn draw --candidates %s\n"),
           file);
}

static int tell(struct cli *cli, struct lots *l)
{
    const struct ww_value *v = lots_document(l, &cli->arena);
    if (!v)
        return usage("the draw is too large to be told", "抽取结果过大");
    int status = save(cli, v);
    if (status != 0 || out_document(cli, v))
        return status;
    if (*l->seed)
        print_drawn(cli, l, v);
    else
        print_kept(l, cli->values[O_SAVE], v);
    return 0;
}

/* ---- the two acts, and proof ---- */

static int read_options(struct cli *cli, struct lots *l)
{
    const char *of = cli->values[O_OF], *n = cli->values[O_N], *k = cli->values[O_AT_NUMBER];
    int64_t number;
    l->alerts = of && strcmp(of, "alerts") == 0;
    if (!of || (!l->alerts && strcmp(of, "enterprises") != 0))
        return usage("--of says what is drawn: enterprises or alerts",
                     "--of 指明抽取对象：enterprises 或 alerts");
    if (l->alerts && cli->values[O_CREDIT])
        return usage("--credit is of enterprises", "--credit 仅用于 enterprises");
    if (!n || !text_parse_int(n, &l->n) || l->n < 1 || l->n > DRAWN_MAX)
        return usage("--n says how many are drawn: a number of 1 or more", "--n 为抽取数量（正整数）");
    if (!k || !text_parse_int(k, &number) || number < 1)
        return usage(
            "--at-number names the journal's number whose hash is the seed; announce it before it is reached",
            "--at-number 指明以哪个日志编号的哈希为种子；应在到达之前公布");
    if (!cli->values[O_INSPECTORS])
        return usage("--inspectors names a file with one name a line",
                     "--inspectors 指明人员名单文件，每行一名");
    if (cli->n_regions > 1)
        return usage("draw takes one --region", "draw 只接受一个 --region");
    l->number = (uint64_t)number;
    l->region = slice_of(cli->n_regions ? cli->regions[0] : "");
    l->level = slice_of(cli->values[O_LEVEL] ? cli->values[O_LEVEL] : "");
    l->credit = slice_of(cli->values[O_CREDIT] ? cli->values[O_CREDIT] : "");
    return read_inspectors(cli, l);
}

/* Who is there now is of use for a number that lies ahead, or is reached this very moment. */
static int from_daemon(struct cli *cli)
{
    struct lots l = {.seed = ""};
    int status = read_options(cli, &l);
    if (status == 0)
        status = cli_connect(cli);
    if (status == 0)
        status = read_candidates(cli, &l);
    if (status == 0)
        status =
            read_seed(cli, &l); /* after them: had it been known before, they might have been chosen by it */
    if (status != 0)
        return status;
    if (l.as_of > l.number) {
        cli_say(tr("the journal has passed %" PRIu64
                   ": who was there then is not known any more, only who is at %" PRIu64
                   "; announce a number ahead with --save FILE, and draw with --candidates FILE once it is "
                   "reached",
                   "日志已过编号 %" PRIu64 "，当时的候选已不可知，只知编号 %" PRIu64
                   " 时的候选；请以 --save 文件公布将来的编号，到达后用 --candidates 抽取"),
                l.number, l.as_of);
        return err_exit_status(WW_EUSAGE);
    }
    if (!*l.seed && !cli->values[O_SAVE])
        return usage("the journal has not come to that number: keep the candidates with --save FILE, and "
                     "draw with --candidates FILE "
                     "once it is reached",
                     "日志尚未到该编号：请用 --save 保存候选名单，到达后用 --candidates 抽取");
    return tell(cli, &l);
}

static int from_file(struct cli *cli)
{
    struct lots l = {0};
    const struct ww_value *document;
    int status = read_draw(cli, cli->values[O_CANDIDATES], &l, &document);
    if (status == 0 && l.as_of > l.number)
        status = usage("those candidates were listed when the lot was known already: announce another number",
                       "该候选名单形成时结果已可知：请另行公布编号");
    if (status == 0)
        status = read_seed(cli, &l);
    if (status != 0)
        return status;
    if (!*l.seed) {
        cli_say(tr("the journal has not come to %" PRIu64 " yet", "日志尚未到编号 %" PRIu64), l.number);
        return err_exit_status(WW_EAGAIN);
    }
    return tell(cli, &l);
}

/* The seed is held against the journal where one is named; the rest needs nothing but the file. */
static int verify(struct cli *cli)
{
    struct lots l;
    const struct ww_value *document;
    const char *wrong = NULL;
    bool journal = cli->values[O_STATE_DIR] || cli->values[O_ENDPOINT];
    int status = read_draw(cli, cli->values[O_VERIFY], &l, &document);
    if (status != 0)
        return status;
    struct lots named = l;
    if (journal)
        status = read_seed(cli, &named);
    if (status != 0)
        return status;
    if (strcmp(l.seed, named.seed) != 0)
        wrong = tr("the seed is not the hash of the journal's chain at that number",
                   "种子不是日志该编号处的链哈希");
    if (wrong || !lots_hold(document, &l, &cli->arena, &wrong)) {
        cli_say(tr("%s does not hold: %s", "%s 复核不符：%s"), cli->values[O_VERIFY],
                text_safe(&cli->arena, wrong));
        return 1;
    }
    printf(tr("it holds: %zu of %zu candidates, drawn by the hash at number %" PRIu64 "%s\n",
              "复核相符：从 %2$zu 户中抽取 %1$zu 户，种子为编号 %3$" PRIu64 " 处的链哈希%4$s\n"),
           ww_length(ww_get(document, "drawn")), l.n_list, l.number,
           journal ? tr(", which the journal has there", "（已与日志核对）")
                   : tr("; whether the journal has that hash there, --state-dir or --endpoint tells",
                        "（未与日志核对：用 --state-dir 或 --endpoint）"));
    return 0;
}

int cmd_draw(struct cli *cli)
{
    return cli->values[O_VERIFY]       ? verify(cli)
           : cli->values[O_CANDIDATES] ? from_file(cli)
                                       : from_daemon(cli);
}
