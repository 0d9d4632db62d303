/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn watch: alert events as they come, until Ctrl-C, --limit, or the reader of the output leaves. An
 * event counts as worked off once it is printed and flushed; only then does the cursor move. */
#include "cli/assess_words.h"
#include "cli/output.h"
#include "cli/text.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

enum { LOOK_MS = 1000 }; /* how often the reader of the output is looked after */

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

/* The first Ctrl-C ends the loop cleanly, a second one the program. */
static void catch_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

static void print_reasons(struct cli *cli, const struct ww_value *list)
{
    static const struct column title = {.path = "title", .en_path = "title_en", .kind = COLUMN_TEXT};
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *r = ww_at(list, i);
        uint64_t n = ww_uint(ww_get(r, "signals_total"), 0);
        printf("    %s", value_text(&cli->arena, r, &title));
        if (n)
            printf(tr(" (%" PRIu64 " signal%s)", "（%" PRIu64 " 条信号%s）"), n,
                   n == 1 || text_zh() ? "" : "s");
        printf("\n");
    }
}

/* Those of an area, as many as fit a few lines. */
static void print_members(struct cli *cli, const struct ww_value *e)
{
    enum { SHOWN = 8 };
    struct arena *a = &cli->arena;
    const struct ww_value *list = ww_get(e, "enterprises");
    uint64_t total = ww_uint(ww_get(e, "enterprises_total"), 0);
    for (size_t i = 0; i < ww_length(list) && i < SHOWN; i++) {
        const struct ww_value *x = ww_at(list, i);
        printf("    %s  %s %s\n", text_safe(a, text_level(ww_str(ww_get(x, "level"), "none"))),
               text_safe(a, ww_str(ww_get(x, "name"), "")), text_safe(a, ww_str(ww_get(x, "uscc"), "")));
    }
    if (total > SHOWN)
        printf(tr("    ... %" PRIu64 " in all\n", "    …共 %" PRIu64 " 家\n"), total);
}

/* 2026-11-24 10:20:31  例行任务  逾期  某公司 91330482...  330482001  C 级企业书面审查  至 2026-11-24  pinghu */
static void print_duty(struct cli *cli, const struct ww_value *e)
{
    static const struct column title = {.path = "title", .en_path = "title_en", .kind = COLUMN_TEXT};
    static const struct column due = {.path = "due", .kind = COLUMN_WHEN}, teams = {.path = "teams", .kind = COLUMN_LIST};
    static const struct {
        const char *step, *en, *zh;
    } words[] = {{"remind", "due soon", "即将到期"}, {"overdue", "overdue", "逾期"}, {"escalated", "escalated", "提级督办"},
                 {"done", "done", "已完成"}};
    struct arena *a = &cli->arena;
    const struct ww_value *who = ww_get(e, "enterprise");
    const char *step = ww_str(ww_get(e, "step"), "?"), *word = step;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(step, words[i].step) == 0)
            word = tr(words[i].en, words[i].zh);
    printf("%s  %s  %s  %s%s%s %s  %s  %s  %s %s  %s\n", text_clock(a, ww_int(ww_get(e, "at"), NO_INT)), text_safe(a, text_event("duty")),
           text_safe(a, word), out_bold(cli), text_safe(a, ww_str(ww_get(who, "name"), "")), out_plain(cli),
           text_safe(a, ww_str(ww_get(who, "uscc"), "")), text_safe(a, ww_str(ww_get(who, "region"), "")), value_text(a, e, &title),
           strcmp(step, "done") == 0 ? tr("next by", "下次") : tr("by", "至"), value_text(a, e, &due), value_text(a, e, &teams));
}

/* 2026-11-24 10:20:31  特大  发出预警  #4012  某公司 91330482...  330482001  87.21  综合风险 */
static void print_event(struct cli *cli, const struct ww_value *e)
{
    if (strcmp(ww_str(ww_get(e, "type"), ""), "duty") == 0) {
        print_duty(cli, e);
        return;
    }
    static const struct column title = {.path = "title", .en_path = "title_en", .kind = COLUMN_TEXT};
    static const struct column tags = {.path = "tags", .kind = COLUMN_LIST};
    struct arena *a = &cli->arena;
    const struct ww_value *who = ww_get(e, "enterprise");
    const char *level = ww_str(ww_get(e, "level"), "none"), *type = ww_str(ww_get(e, "type"), "?");
    const char *status = ww_str(ww_get(e, "status"), NULL), *region = ww_str(ww_get(who, "region"), "");
    printf("%s  %s%s%s  %s  #%" PRIu64 "  %s%s%s %s", text_clock(a, ww_int(ww_get(e, "at"), NO_INT)),
           out_level_color(cli, level), text_safe(a, text_level(level)), out_plain(cli),
           text_safe(a, text_event(type)), ww_uint(ww_get(e, "alert"), 0), out_bold(cli),
           text_safe(a, ww_str(ww_get(who, "name"), "")), out_plain(cli),
           text_safe(a, ww_str(ww_get(who, "uscc"), "")));
    if (*region)
        printf("  %s", text_safe(a, region));
    printf("  %s  %s", text_score(a, ww_int(ww_get(e, "score"), -1)), value_text(a, e, &title));
    if (status)
        printf("  [%s]", text_safe(a, status));
    if (ww_length(ww_get(e, "tags")))
        printf("  {%s}", value_text(a, e, &tags));
    printf("\n");
    if (strcmp(type, "raised") == 0 || strcmp(type, "upgraded") == 0) {
        print_reasons(cli, ww_get(e, "reasons"));
        print_members(cli, e);
        assess_print(cli, ww_get(e, "assessment"), "    ", true);
    }
}

/* The fields of one line for csv and keyvalue. */
static const struct column columns[] = {
    {"seq", NULL, "SEQ", "编号", COLUMN_NUMBER},
    {"at", NULL, "AT", "时间", COLUMN_TIME},
    {"type", NULL, "EVENT", "事件", COLUMN_EVENT},
    {"alert", NULL, "ALERT", "预警", COLUMN_NUMBER},
    {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},
    {"score", NULL, "SCORE", "评分", COLUMN_SCORE},
    {"enterprise.uscc", NULL, "CODE", "代码", COLUMN_TEXT},
    {"enterprise.name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
    {"enterprise.region", NULL, "REGION", "区划", COLUMN_TEXT},
    {"title", "title_en", "TITLE", "标题", COLUMN_NAME},
    {"status", NULL, "STATUS", "性质", COLUMN_TEXT},
};

static void print_one(struct cli *cli, const struct ww_value *e, bool first)
{
    struct items items = {0};
    if (cli->format == FORMAT_TABLE) {
        print_event(cli, e);
    } else if (cli->format == FORMAT_JSON || cli->format == FORMAT_JSONL) {
        out_line(e);
    } else {
        items_add(&cli->arena, &items, e);
        out_rows(cli, &items, columns, ARRAY_LEN(columns), first);
    }
}

static int subscribe(struct cli *cli, int64_t from)
{
    struct ww_subscription s = {.regions = cli->regions,
                                .n_regions = cli->n_regions,
                                .min_level = cli->values[O_MIN_LEVEL],
                                .from = from,
                                .cursor = cli->values[O_CURSOR],
                                .duties = cli->values[O_DUTIES] != NULL};
    int rc = ww_subscribe(cli->client, &s);
    return rc == 0 ? 0 : cli_failed(cli, rc);
}

/* Tells, once each way, that the daemon went and came. */
static void tell_connection(struct cli *cli, bool *away)
{
    bool now = *ww_message(cli->client) != 0;
    if (now && !*away)
        cli_say("%s", text_safe(&cli->arena, ww_message(cli->client)));
    if (!now && *away)
        cli_say(tr("connected again", "已重新连接"));
    *away = now;
}

static int follow(struct cli *cli, int64_t limit)
{
    const struct ww_value *e;
    bool away = false;
    for (int64_t n = 0; !stop && (limit < 0 || n < limit) && out_alive();) {
        int rc = ww_next(cli->client, LOOK_MS, &e);
        if (rc != 0)
            return cli_failed(cli, rc);
        tell_connection(cli, &away);
        if (!e)
            continue;
        print_one(cli, e, n++ == 0);
        if (!out_flush()) /* nobody saw it: the cursor stays before it */
            break;
        rc = ww_done(cli->client, e);
        if (rc != 0)
            return cli_failed(cli, rc);
        arena_reset(&cli->arena);
    }
    return 0;
}

/* An option that is a number of at least `least`; unchanged when it is not given. */
static bool number(const struct cli *cli, enum option option, int64_t least, int64_t *out)
{
    return !cli->values[option] || (text_parse_int(cli->values[option], out) && *out >= least);
}

int cmd_watch(struct cli *cli)
{
    int64_t limit = -1, from = cli->values[O_CURSOR] ? 0 : -1;
    if (!number(cli, O_LIMIT, 1, &limit) || !number(cli, O_FROM, -1, &from)) {
        cli_say(tr("--limit is a number of 1 or more; --from that of an event, 0 or -1",
                   "--limit 为正整数；--from 为事件编号、0 或 -1"));
        return err_exit_status(WW_EUSAGE);
    }
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    catch_signals();
    status = subscribe(cli, from);
    return status ? status : follow(cli, limit);
}
