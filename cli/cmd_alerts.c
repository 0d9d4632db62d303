/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn alerts, alert show, and the actions of a team on an alert. */
#include "cli/assess_words.h"
#include "cli/handling_words.h"
#include "cli/output.h"
#include "cli/text.h"
#include "lib/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 500 };

static const struct column title = {.path = "title", .en_path = "title_en", .kind = COLUMN_TEXT};

/* ---- the list ---- */

static const struct column columns[] = {
    {"alert", NULL, "ALERT", "预警", COLUMN_NUMBER},
    {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},
    {"score", NULL, "SCORE", "评分", COLUMN_SCORE},
    {"state", NULL, "STATE", "状态", COLUMN_STATE},
    {"enterprise.name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
    {"enterprise.uscc", NULL, "CODE", "统一社会信用代码", COLUMN_TEXT},
    {"enterprise.region", NULL, "REGION", "区划", COLUMN_TEXT},
    {"title", "title_en", "TITLE", "标题", COLUMN_NAME},
    {"raised_at", NULL, "RAISED", "发出", COLUMN_TIME},
    {"due", NULL, "DUE", "期限", COLUMN_DUE},
    {"tier.zh", "tier.en", "TIER", "层级", COLUMN_TEXT},
    {"teams", NULL, "TEAMS", "承办", COLUMN_LIST},
    {"enterprises_total", NULL, "FIRMS", "企业数", COLUMN_NUMBER}, /* of parents and areas; with --rollup */
};

/* Gets page after page until the last one, or `most` items. The first page's other keys are kept in
 * *document. */
static int get_pages(struct cli *cli, struct ww_param *params, size_t n, int64_t most, struct items *items,
                     const struct ww_value **document)
{
    const struct ww_value *page;
    struct items first = {0};
    struct ww_param all[10];
    memcpy(all, params, sizeof *params * n);
    all[n] = (struct ww_param){.key = "limit"};
    size_t n_all = n + 1;
    for (;;) {
        int64_t left = most < 0 ? PAGE : most - (int64_t)items->n;
        all[n].number = left < PAGE ? left : PAGE;
        int rc = ww_query(cli->client, "alerts", all, n_all, &page);
        if (rc != 0)
            return cli_failed(cli, rc);
        if (!first.n) {
            items_add_copy(&cli->arena, &first, page);
            *document = first.list[0];
        }
        items_add_list(&cli->arena, items, ww_get(page, "alerts"));
        const struct ww_value *next = ww_get(page, "next");
        if (ww_type(next) == WW_NIL || ww_length(ww_get(page, "alerts")) == 0 ||
            (most >= 0 && (int64_t)items->n >= most))
            return 0;
        all[n + 1] = (struct ww_param){.key = "after", .number = (int64_t)ww_uint(next, 0)};
        if (ww_type(next) == WW_STR)
            all[n + 1].text = arena_slice(&cli->arena, slice_of(ww_str(next, ""))).p;
        n_all = n + 2;
    }
}

/* The highest level first, then the highest score, then the oldest. */
static int by_urgency(const void *a, const void *b)
{
    const struct ww_value *x = *(const struct ww_value *const *)a, *y = *(const struct ww_value *const *)b;
    int lx = level_of(slice_of(ww_str(ww_get(x, "level"), ""))),
        ly = level_of(slice_of(ww_str(ww_get(y, "level"), "")));
    int64_t sx = ww_int(ww_get(x, "score"), -1), sy = ww_int(ww_get(y, "score"), -1);
    uint64_t nx = ww_uint(ww_get(x, "alert"), 0), ny = ww_uint(ww_get(y, "alert"), 0);
    if (lx != ly)
        return lx < ly ? 1 : -1;
    if (sx != sy)
        return sx < sy ? 1 : -1;
    return nx < ny ? -1 : nx > ny;
}

static int parse_limit(struct cli *cli, int64_t *limit)
{
    *limit = -1;
    if (!cli->values[O_LIMIT] || (text_parse_int(cli->values[O_LIMIT], limit) && *limit > 0))
        return 0;
    cli_say(tr("--limit is a number of 1 or more", "--limit 为正整数"));
    return err_exit_status(WW_EUSAGE);
}

int cmd_alerts(struct cli *cli)
{
    static const enum option filters[] = {O_STATE, O_LEVEL, O_STATUS, O_TEAM, O_MEASURE};
    static const char *const keys[] = {"state", "level", "status", "team", "measure"};
    struct ww_param params[8];
    size_t n = 0;
    struct items items = {0};
    const struct ww_value *document = NULL;
    int64_t limit;
    int status = parse_limit(cli, &limit);
    if (status != 0)
        return status;
    if (cli->n_regions > 1) {
        cli_say(tr("alerts takes one --region; ask twice for two", "alerts 只接受一个 --region；请分别查询"));
        return err_exit_status(WW_EUSAGE);
    }
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        if (cli->values[filters[i]])
            params[n++] = (struct ww_param){.key = keys[i], .text = cli->values[filters[i]]};
    if (cli->n_regions)
        params[n++] = (struct ww_param){.key = "region", .text = cli->regions[0]};
    if (cli->values[O_OVERDUE])
        params[n++] = (struct ww_param){.key = "overdue", .number = 1, .boolean = 1};
    if (cli->values[O_ROLLUP])
        params[n++] = (struct ww_param){.key = "rollup", .number = 1, .boolean = 1};
    status = cli_connect(cli);
    if (status == 0)
        status = get_pages(cli, params, n, limit, &items, &document);
    if (status != 0)
        return status;
    if (items.n && cli->format == FORMAT_TABLE)
        qsort(items.list, items.n, sizeof *items.list, by_urgency);
    if (items.n == 0 && cli->format == FORMAT_TABLE)
        printf("%s\n", tr("no alerts", "没有预警"));
    else
        out_list(cli, document, "alerts", &items, columns, ARRAY_LEN(columns) - !cli->values[O_ROLLUP]);
    return 0;
}

/* ---- one ---- */

static const struct column evidence_columns[] = {
    {"share", NULL, "SHARE", "占比", COLUMN_SHARE},
    {"kind", NULL, "KIND", "种类", COLUMN_TEXT},
    {"source", NULL, "SOURCE", "来源", COLUMN_TEXT},
    {"at", NULL, "AT", "时间", COLUMN_TIME},
    {"amount", NULL, "YUAN", "金额(元)", COLUMN_MONEY},
    {"people", NULL, "PEOPLE", "人数", COLUMN_NUMBER},
    {"id", NULL, "ID", "编号", COLUMN_TEXT},
    {"seq", NULL, "SEQ", "序号", COLUMN_NUMBER},
};

/* Of others at a share. */
static const struct column shared_columns[] = {
    {"seq", NULL, "SEQ", "序号", COLUMN_NUMBER},
    {"kind", NULL, "KIND", "种类", COLUMN_TEXT},
    {"from", NULL, "FROM", "来自企业", COLUMN_TEXT},
    {"project", NULL, "PROJECT", "项目", COLUMN_TEXT},
    {"counted", NULL, "COUNTED", "计入比例", COLUMN_SHARE},
};

static const struct column member_columns[] = {
    {"level", NULL, "LEVEL", "等级", COLUMN_LEVEL},
    {"name", NULL, "ENTERPRISE", "企业", COLUMN_NAME},
    {"uscc", NULL, "CODE", "统一社会信用代码", COLUMN_TEXT},
};

static void print_section(struct cli *cli, const char *head, const struct ww_value *list,
                          const struct column *c, size_t n)
{
    struct items items = {0};
    items_add_list(&cli->arena, &items, list);
    if (!items.n)
        return;
    printf("\n%s%s%s\n", out_bold(cli), head, out_plain(cli));
    out_table(cli, &items, c, n, 2);
}

/* Evidence that is another enterprise's. */
static void print_shared(struct cli *cli, const struct ww_value *list)
{
    struct items items = {0};
    for (size_t i = 0; i < ww_length(list); i++)
        if (ww_type(ww_get(ww_at(list, i), "counted")) != WW_NIL)
            items_add(&cli->arena, &items, ww_at(list, i));
    if (!items.n)
        return;
    printf("\n%s%s%s\n", out_bold(cli), tr("Of related enterprises", "关联企业的信息"), out_plain(cli));
    out_table(cli, &items, shared_columns, ARRAY_LEN(shared_columns), 2);
}

static void print_members(struct cli *cli, const struct ww_value *v)
{
    const struct ww_value *list = ww_get(v, "enterprises");
    uint64_t total = ww_uint(ww_get(v, "enterprises_total"), 0);
    if (!ww_length(list))
        return;
    print_section(cli, arena_printf(&cli->arena, tr("Enterprises (%" PRIu64 ")", "企业（共 %" PRIu64 " 家）"), total), list,
                  member_columns, ARRAY_LEN(member_columns));
}

static void print_assessment(struct cli *cli, const struct ww_value *list)
{
    if (!ww_length(list))
        return;
    printf("\n%s%s%s\n", out_bold(cli), tr("Lines of the law", "法定标准"), out_plain(cli));
    assess_print(cli, list, "  ", false);
}

static void print_reasons(struct cli *cli, const struct ww_value *list)
{
    struct arena *a = &cli->arena;
    if (ww_length(list))
        printf("\n%s%s%s\n", out_bold(cli), tr("Why", "原因"), out_plain(cli));
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *r = ww_at(list, i), *signals = ww_get(r, "signals");
        const char *level = ww_str(ww_get(r, "level"), "");
        printf("  %s%s%s  %s  [%s]", out_level_color(cli, level), text_safe(a, text_level(level)),
               out_plain(cli), value_text(a, r, &title), text_safe(a, ww_str(ww_get(r, "rule"), "")));
        if (ww_length(signals))
            printf("  %s", tr("signals", "信号"));
        for (size_t s = 0; s < ww_length(signals) && s < 8; s++)
            printf(" %" PRIu64, ww_uint(ww_at(signals, s), 0));
        uint64_t total = ww_uint(ww_get(r, "signals_total"), ww_length(signals));
        if (total > 8)
            printf(tr(" ... (%" PRIu64 " in all)", " …（共 %" PRIu64 " 条）"), total);
        printf("\n");
    }
}

/* What a step said, as key=value pairs behind it. */
static void print_said(struct cli *cli, const struct ww_value *step)
{
    static const struct column said[] = {
        {"finding", NULL, "finding", "核实", COLUMN_TEXT},
        {"outcome", NULL, "outcome", "结果", COLUMN_TEXT},
        {"measure", NULL, "measure", "措施", COLUMN_TEXT},
        {"ref", NULL, "ref", "文号", COLUMN_TEXT},
        {"team", NULL, "team", "承办", COLUMN_TEXT},
        {"people", NULL, "people", "人数", COLUMN_NUMBER},
        {"amount", NULL, "yuan", "金额(元)", COLUMN_MONEY},
        {"due", NULL, "due", "期限", COLUMN_TIME},
        {"until", NULL, "until", "至", COLUMN_TIME},
        {"paid_people", NULL, "paid people", "清偿人数", COLUMN_NUMBER},
        {"paid_amount", NULL, "paid yuan", "清偿(元)", COLUMN_MONEY},
        {"step", NULL, "step", "步骤", COLUMN_TEXT},
        {"merged_into", NULL, "merged into", "并入", COLUMN_NUMBER},
        {"note", NULL, "note", "备注", COLUMN_TEXT},
    };
    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        if (ww_type(ww_get(step, said[i].path)) != WW_NIL)
            printf("  %s=%s", tr(said[i].en, said[i].zh), value_text(&cli->arena, step, &said[i]));
}

static void print_history(struct cli *cli, const struct ww_value *list)
{
    struct arena *a = &cli->arena;
    if (ww_length(list))
        printf("\n%s%s%s\n", out_bold(cli), tr("History", "经过"), out_plain(cli));
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *step = ww_at(list, i);
        const char *level = ww_str(ww_get(step, "level"), "none");
        const char *by = ww_str(ww_get(step, "principal"), ""), *who = ww_str(ww_get(step, "actor"), "");
        printf("  %s  %s  %s%s%s  %s", text_time(a, ww_int(ww_get(step, "at"), NO_INT)),
               text_safe(a, text_event(ww_str(ww_get(step, "type"), "?"))), out_level_color(cli, level),
               text_safe(a, text_level(level)), out_plain(cli),
               text_score(a, ww_int(ww_get(step, "score"), -1)));
        if (*by || *who)
            printf("  %s%s%s", text_safe(a, by), *by && *who ? "/" : "", text_safe(a, who));
        print_said(cli, step);
        printf("\n");
    }
}

static void print_pair(struct cli *cli, const char *name, const char *value)
{
    if (*value && strcmp(value, "-") != 0)
        printf("  %s%s  %s\n", name, tr(":", "："), text_safe(&cli->arena, value));
}

static void print_head(struct cli *cli, const struct ww_value *v, uint64_t number)
{
    struct arena *a = &cli->arena;
    const struct ww_value *who = ww_get(v, "enterprise");
    const char *level = ww_str(ww_get(v, "level"), "none"), *status = ww_str(ww_get(v, "status"), "");
    printf("%s#%" PRIu64 "%s  %s%s%s  %s  %s  %s%s%s%s\n", out_bold(cli), number, out_plain(cli),
           out_level_color(cli, level), text_safe(a, text_level(level)), out_plain(cli),
           text_safe(a, text_state(ww_str(ww_get(v, "state"), "?"))),
           text_score(a, ww_int(ww_get(v, "score"), -1)), value_text(a, v, &title), *status ? " [" : "",
           text_safe(a, status), *status ? "]" : "");
    print_pair(cli, tr("enterprise", "企业"), ww_str(ww_get(who, "name"), ""));
    print_pair(cli, tr("code", "代码"), ww_str(ww_get(who, "uscc"), ""));
    print_pair(cli, tr("region", "区划"), ww_str(ww_get(who, "region"), ""));
    print_pair(cli, tr("industry", "行业"), ww_str(ww_get(who, "industry"), ""));
    print_pair(cli, tr("raised", "发出"), text_time(a, ww_int(ww_get(v, "raised_at"), NO_INT)));
    if (ww_uint(ww_get(v, "parent"), 0))
        print_pair(cli, tr("counted with", "归并于"), arena_printf(a, "#%" PRIu64, ww_uint(ww_get(v, "parent"), 0)));
    print_pair(cli, tr("teams", "承办"),
               value_text(a, v, &(struct column){.path = "teams", .kind = COLUMN_LIST}));
    print_pair(cli, tr("tags", "标记"),
               value_text(a, v, &(struct column){.path = "tags", .kind = COLUMN_LIST}));
}

/* "#4012" or "4012". */
static bool parse_id(struct cli *cli, const char *text, uint64_t *id)
{
    int64_t n;
    if (text_parse_int(text + (*text == '#'), &n) && n > 0) {
        *id = (uint64_t)n;
        return true;
    }
    cli_say(tr("\"%s\" is no number of an alert; 'wagewarn alerts' lists them",
               "“%s”不是预警编号；'wagewarn alerts' 列出全部"),
            text_safe(&cli->arena, text));
    return false;
}

int cmd_alert_show(struct cli *cli)
{
    const struct ww_value *result;
    uint64_t id;
    if (!parse_id(cli, cli->args[0], &id))
        return err_exit_status(WW_EUSAGE);
    int status = cli_connect(cli);
    if (status != 0)
        return status;
    struct ww_param param = {.key = "alert", .number = (int64_t)id};
    int rc = ww_query(cli->client, "alert", &param, 1, &result);
    if (rc != 0)
        return cli_failed(cli, rc);
    if (out_document(cli, result))
        return 0;
    const struct ww_value *v = ww_get(result, "alert");
    print_head(cli, v, id);
    print_reasons(cli, ww_get(v, "reasons"));
    print_section(cli, tr("Evidence", "证据"), ww_get(v, "evidence"), evidence_columns,
                  ARRAY_LEN(evidence_columns));
    print_shared(cli, ww_get(v, "evidence"));
    print_members(cli, v);
    print_assessment(cli, ww_get(v, "assessment"));
    handling_print(cli, v);
    print_history(cli, ww_get(v, "history"));
    return 0;
}

/* ---- actions ---- */

enum value_kind { V_TEXT, V_INT, V_MONEY, V_TIME };

/* Which option fills which member of struct ww_action. */
static const struct {
    enum option option;
    enum value_kind kind;
    size_t at;
} members[] = {
    {O_NOTE, V_TEXT, offsetof(struct ww_action, note)},
    {O_ACTOR, V_TEXT, offsetof(struct ww_action, actor)},
    {O_FINDING, V_TEXT, offsetof(struct ww_action, finding)},
    {O_OUTCOME, V_TEXT, offsetof(struct ww_action, outcome)},
    {O_MEASURE, V_TEXT, offsetof(struct ww_action, measure)},
    {O_REF, V_TEXT, offsetof(struct ww_action, ref)},
    {O_TEAM, V_TEXT, offsetof(struct ww_action, team)},
    {O_PEOPLE, V_INT, offsetof(struct ww_action, people)},
    {O_PAID_PEOPLE, V_INT, offsetof(struct ww_action, paid_people)},
    {O_UNDO, V_INT, offsetof(struct ww_action, undo)},
    {O_ALERT_VERSION, V_INT, offsetof(struct ww_action, version)},
    {O_AMOUNT, V_MONEY, offsetof(struct ww_action, amount)},
    {O_PAID_AMOUNT, V_MONEY, offsetof(struct ww_action, paid_amount)},
    {O_DUE, V_TIME, offsetof(struct ww_action, due)},
    {O_UNTIL, V_TIME, offsetof(struct ww_action, until)},
};

static bool parse_member(enum value_kind kind, const char *text, int64_t *n)
{
    switch (kind) {
    case V_INT:
        return text_parse_int(text, n) && *n >= 0;
    case V_MONEY:
        return text_parse_money(text, n);
    default:
        return text_parse_deadline(text, n);
    }
}

static int fill_action(struct cli *cli, struct ww_action *a)
{
    static const char *const en[] = {"", "a number", "an amount in yuan such as 480000.50",
                                     "a day such as 2026-12-01, or a term such as 10d or 2h"};
    static const char *const zh[] = {"", "数字", "以元计的金额，如 480000.50", "日期（如 2026-12-01）或期限（如 10d、2h）"};
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *text = cli->values[members[i].option];
        char *at = (char *)a + members[i].at;
        int64_t n;
        if (!text)
            continue;
        if (members[i].kind == V_TEXT) {
            memcpy(at, &text, sizeof text);
        } else if (parse_member(members[i].kind, text, &n)) {
            memcpy(at, &n, sizeof n);
        } else {
            cli_say(tr("\"%s\" is not %s", "“%s”不是%s"), text_safe(&cli->arena, text),
                    tr(en[members[i].kind], zh[members[i].kind]));
            return err_exit_status(WW_EUSAGE);
        }
    }
    return 0;
}

/* With what the daemon has to say about it. */
/* What the command does, as the protocol says it: `alert follow-up` is follow_up. */
static const char *deed(struct cli *cli)
{
    char *what = arena_printf(&cli->arena, "%s", cli->command->name + strlen("alert "));
    for (char *p = what; *p; p++)
        *p = *p == '-' ? '_' : *p;
    return what;
}

static void print_done(struct cli *cli, uint64_t id, uint64_t seq)
{
    const char *what = deed(cli), *says = ww_message(cli->client);
    switch (cli->format) {
    case FORMAT_TABLE:
        printf(tr("#%" PRIu64 " %s done (seq %" PRIu64 ")\n", "#%" PRIu64 " %s 已记录（编号 %" PRIu64 "）\n"),
               id, what, seq);
        if (*says)
            printf("  %s\n", text_safe(&cli->arena, says));
        break;
    case FORMAT_CSV:
        printf("%" PRIu64 ",%s,%" PRIu64 "\r\n", id, what, seq);
        break;
    case FORMAT_KEYVALUE:
        printf("alert=%" PRIu64 "\ndo=%s\nseq=%" PRIu64 "\n", id, what, seq);
        break;
    default:
        printf("{\"alert\":%" PRIu64 ",\"do\":\"%s\",\"seq\":%" PRIu64 "}\n", id, what, seq);
    }
}

/* The command's second word is the action. Several alerts: all are tried; the first failure is the exit
 * status. */
int cmd_alert_act(struct cli *cli)
{
    struct ww_action a = WW_ACTION_INIT;
    int first = 0, status = fill_action(cli, &a);
    if (status != 0)
        return status;
    for (int i = 0; i < cli->n_args; i++)
        if (!parse_id(cli, cli->args[i], &a.alert))
            return err_exit_status(WW_EUSAGE);
    status = cli_connect(cli);
    if (status != 0)
        return status;
    a.what = deed(cli);
    for (int i = 0; i < cli->n_args; i++) {
        uint64_t seq = 0;
        parse_id(cli, cli->args[i], &a.alert);
        int rc = ww_act(cli->client, &a, &seq);
        if (rc == 0) {
            print_done(cli, a.alert, seq);
            continue;
        }
        cli_say("#%" PRIu64 ": %s", a.alert, text_safe(&cli->arena, ww_message(cli->client)));
        if (!first)
            first = err_exit_status(rc);
    }
    return first;
}
