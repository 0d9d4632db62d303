/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn, the command line. Owns the table of commands, the connection and the end of the program. Words
 * and options are options' business, what is printed output's, each command its own room's. One thread. */
#include "cli/cli.h"

#include "cli/options.h"
#include "cli/output.h"
#include "cli/text.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define ALERT_OPTIONS (O(O_NOTE) | O(O_ACTOR) | O(O_ALERT_VERSION))

/* One row a command: this drives parsing, help and what is said to a slip. */
const struct command commands[] = {
    {"status", "", 0, 0, 0, "Health, counts, lag of each feed, deadlines, disk",
     "运行状况、计数、数据源、期限、磁盘", "wagewarn status", cmd_status},
    {"watch", "", 0, 0, O(O_REGION) | O(O_MIN_LEVEL) | O(O_FROM) | O(O_CURSOR) | O(O_LIMIT) | O(O_DUTIES),
     "Alert events as they come; with a cursor file, each exactly once", "实时预警事件；配合断点文件不重不漏",
     "wagewarn watch --region 3304 --min-level major", cmd_watch},
    {"alerts", "", 0, 0, O(O_STATE) | O(O_REGION) | O(O_LEVEL) | O(O_OVERDUE) | O(O_STATUS) | O(O_LIMIT) | O(O_TEAM) | O(O_MEASURE) |
         O(O_ROLLUP),
     "Open alerts, the highest first", "当前预警", "wagewarn alerts --level critical --region 330482",
     cmd_alerts},
    {"alert show", "ID", 1, 1, 0, "One alert: reasons, evidence, shares, history",
     "一条预警的原因、证据、占比与经过", "wagewarn alert show 4012", cmd_alert_show},
    {"push", "FILE|-", 1, 1, O(O_RETRY), "Send signals, one JSON object a line; exit 1 if any was rejected",
     "推送信号，每行一个 JSON；有被拒的则退出码为 1", "wagewarn push signals.jsonl", cmd_push},
    {"alert accept", "ID...", 1, -1, ALERT_OPTIONS, "Take an alert on", "受理",
     "wagewarn alert accept 4012 --actor 王", cmd_alert_act},
    {"alert verify", "ID", 1, 1, ALERT_OPTIONS | O(O_FINDING) | O(O_PEOPLE) | O(O_AMOUNT),
     "What was found on the spot", "核实",
     "wagewarn alert verify 4012 --finding confirmed --people 31 --amount 480000", cmd_alert_act},
    {"alert dispose", "ID", 1, 1,
     ALERT_OPTIONS | O(O_MEASURE) | O(O_DUE) | O(O_REF) | O(O_PEOPLE) | O(O_AMOUNT), "What is done about it",
     "处置", "wagewarn alert dispose 4012 --measure order_to_correct --due 2026-12-01", cmd_alert_act},
    {"alert close", "ID", 1, 1, ALERT_OPTIONS | O(O_OUTCOME) | O(O_PAID_PEOPLE) | O(O_PAID_AMOUNT) | O(O_REF),
     "How it ended", "销号", "wagewarn alert close 4012 --outcome paid --paid-people 31 --paid-amount 480000",
     cmd_alert_act},
    {"alert end", "ID", 1, 1, ALERT_OPTIONS | O(O_MEASURE) | O(O_REF), "A measure that has a term ends before its day", "提前终结措施",
     "wagewarn alert end 4012 --measure listing --ref \"list 2026-31\" --note \"paid, pledged\"", cmd_alert_act},
    {"alert recovered", "ID", 1, 1, ALERT_OPTIONS | O(O_MEASURE) | O(O_REF) | O(O_AMOUNT),
     "Money that was paid in advance has come back, some or all", "追回垫付款",
     "wagewarn alert recovered 4012 --measure emergency_fund --ref \"fund 7\" --amount 20000", cmd_alert_act},
    {"alert reopen", "ID...", 1, -1, ALERT_OPTIONS, "Not over after all", "重新打开",
     "wagewarn alert reopen 4012", cmd_alert_act},
    {"alert follow-up", "ID...", 1, -1, ALERT_OPTIONS | O(O_FINDING), "Called back: is it as it was closed?", "回访",
     "wagewarn alert follow-up 4012 --finding confirmed --note \"two workers asked\"", cmd_alert_act},
    {"alert escalate", "ID...", 1, -1, ALERT_OPTIONS, "Hand it to the level above", "提级督办",
     "wagewarn alert escalate 4012 --note \"second refusal\"", cmd_alert_act},
    {"alert assign", "ID...", 1, -1, ALERT_OPTIONS | O(O_TEAM), "Give it to a team", "指派",
     "wagewarn alert assign 4012 --team pinghu", cmd_alert_act},
    {"alert join", "ID...", 1, -1, ALERT_OPTIONS | O(O_TEAM), "Have another team help", "协办",
     "wagewarn alert join 4012 --team court", cmd_alert_act},
    {"alert snooze", "ID...", 1, -1, ALERT_OPTIONS | O(O_UNTIL), "Quiet until a day", "暂缓",
     "wagewarn alert snooze 4012 --until 2026-12-01", cmd_alert_act},
    {"alert extend", "ID...", 1, -1, ALERT_OPTIONS, "Once more time, as much as is configured", "延期",
     "wagewarn alert extend 4012 --note \"approved by the chief\"", cmd_alert_act},
    {"alert hold", "ID...", 1, -1, ALERT_OPTIONS | O(O_UNTIL), "Its deadlines stand still until a day, with a reason", "中止计时",
     "wagewarn alert hold 4012 --until 2026-12-31 --note \"in court\"", cmd_alert_act},
    {"alert correct", "ID", 1, 1, ALERT_OPTIONS | O(O_UNDO),
     "Take a mistaken step back; both stay in the journal", "更正",
     "wagewarn alert correct 4012 --undo 99812", cmd_alert_act},
    {"alert seen", "ID...", 1, -1, ALERT_OPTIONS, "Somebody has looked at it", "已查看",
     "wagewarn alert seen 4012", cmd_alert_act},
    {"alert comment", "ID...", 1, -1, ALERT_OPTIONS, "A remark", "备注",
     "wagewarn alert comment 4012 --note \"site empty\"", cmd_alert_act},
    {"enterprise show", "CODE|NAME", 1, 1, O(O_STATUS), "The file of one enterprise", "一企一档",
     "wagewarn enterprise show 91350100M000100Y43", cmd_enterprise_show},
    {"enterprise export", "CODE", 1, 1, O(O_STATUS), "All of it as one JSON document: profile, signals, alerts, events",
     "导出一企一档（JSON）", "wagewarn enterprise export 91350100M000100Y43", cmd_enterprise_export},
    {"enterprise unresolved", "", 0, 0, O(O_STATUS), "Names that several codes bear, and the signals that wait",
     "待核定的名称", "wagewarn enterprise unresolved", cmd_enterprise_unresolved},
    {"enterprise resolve", "NAME CODE", 2, 2, O(O_NOTE) | O(O_ACTOR) | O(O_STATUS),
     "This name belongs to that code", "核定名称归属", "wagewarn enterprise resolve 平湖某制衣厂 91350100M000100Y43",
     cmd_enterprise_settle},
    {"enterprise unmerge", "NAME CODE", 2, 2, O(O_NOTE) | O(O_ACTOR) | O(O_STATUS),
     "This name does not belong to that code, until it is resolved", "解除名称归属",
     "wagewarn enterprise unmerge 平湖某制衣厂 91350100M000100Y43", cmd_enterprise_settle},
    {"explain", "ID|CODE|NAME", 1, 1, O(O_WITHOUT) | O(O_AT) | O(O_WITH_RULES) | O(O_STATE_DIR) | O(O_STATUS),
     "Why this level, each signal's share, and what would change it", "等级的由来、各条信息的占比、何种变化会改变它",
     "wagewarn explain 4012 --without tax", cmd_explain},
    {"campaign", "[ID]", 0, 1, 0, "The campaigns, or how far one has come", "专项行动及其进展", "wagewarn campaign winter-2026",
     cmd_campaign},
    {"shadow diff", "", 0, 0, 0, "Where the shadow rules would warn otherwise than the rules in force",
     "试行规则与现行规则的差异", "wagewarn shadow diff", cmd_shadow_diff},
    {"intake", "", 0, 0, O(O_SORTED), "Signals that wait to be sorted before they count", "待分拣的信息", "wagewarn intake",
     cmd_intake},
    {"intake sort", "NUMBER AS", 2, 2, O(O_NOTE) | O(O_ACTOR), "Sort one: relevant, duplicate or not_ours",
     "分拣：relevant 相关、duplicate 重复、not_ours 非本部门", "wagewarn intake sort 99812 relevant", cmd_intake_sort},
    {"duties", "", 0, 0, O(O_TEAM) | O(O_REGION) | O(O_OVERDUE), "Visits and reviews that are expected of the teams, those due first",
     "例行走访、审查任务，按到期先后", "wagewarn duties --team pinghu --overdue", cmd_duties},
    {"duties done", "DUTY", 1, 1, O(O_USCC) | O(O_NAME) | O(O_REF) | O(O_NOTE) | O(O_ACTOR), "One of them was made",
     "登记任务完成", "wagewarn duties done review-c --uscc 91350100M000100Y43 --ref 2026-17", cmd_duties_done},
    {"routes test", "", 0, 0, O(O_REGION) | O(O_INDUSTRY) | O(O_CONFIG), "Who answers for a place and an industry",
     "某地某行业由谁负责", "wagewarn routes test --region 330482001 --industry E", cmd_routes_test},
    {"routes list", "", 0, 0, O(O_CONFIG), "All teams, and what each answers for", "全部承办单位及其包干范围", "wagewarn routes list",
     cmd_routes_list},
    {"measures", "", 0, 0, 0, "The measures that may be taken, and what each wants", "处置措施", "wagewarn measures", cmd_measures},
    {"statistics", "", 0, 0, O(O_REGION), "What came of alerts, by rule and by agency", "按规则、部门统计预警核实情况",
     "wagewarn statistics --region 3304", cmd_statistics},
    {"draw", "", 0, 0,
     O(O_OF) | O(O_REGION) | O(O_LEVEL) | O(O_CREDIT) | O(O_N) | O(O_INSPECTORS) | O(O_AT_NUMBER) | O(O_STATE_DIR) |
         O(O_SAVE) | O(O_CANDIDATES) | O(O_VERIFY),
     "Who is inspected and by which two, by lot that anybody can compute again", "双随机抽取检查对象与检查人员",
     "wagewarn draw --of enterprises --region 330482 --credit C --n 10 --inspectors names.txt --at-number 99812", cmd_draw},
    {"kinds", "", 0, 0, 0, "The kinds of signals in force", "预警信息种类", "wagewarn kinds", cmd_kinds},
    {"feeds", "", 0, 0, 0, "Each source: when it last sent, and how much", "各数据源", "wagewarn feeds",
     cmd_feeds},
    {"wait", "", 0, 0, O(O_READY), "Until the daemon is there and ready, at most --timeout seconds (30)",
     "等待守护进程就绪，最多 --timeout 秒（30）", "wagewarn wait --ready --timeout 30", cmd_wait},
    {"rules check", "FILE", 1, 1, O(O_KINDS), "Mistakes in a rules file, all at once, with their lines",
     "检查规则文件", "wagewarn rules check /etc/wagewarn/rules.yaml", cmd_rules_check},
    {"rules test", "FILE...", 1, -1, O(O_KINDS), "Rules tried on files of cases; exit 1 if any fails",
     "用例测试规则；有未通过的则退出码为 1", "wagewarn rules test /etc/wagewarn/rules.test.yaml",
     cmd_rules_test},
    {"backtest", "", 0, 0, O(O_RULES) | O(O_KINDS) | O(O_SIGNALS) | O(O_STATE_DIR) | O(O_OUTCOMES) | O(O_COMPARE),
     "What rules would have warned of, held against what came of it; needs no daemon",
     "按给定规则重放历史并与结果对照（无需守护进程）",
     "wagewarn backtest --rules rules.yaml --signals 2025.jsonl --outcomes arrears.csv", cmd_backtest},
    {"fit", "", 0, 0, O(O_RULES) | O(O_KINDS) | O(O_SIGNALS) | O(O_STATE_DIR) | O(O_OUTCOMES),
     "Weights and half-lives proposed from what came of signals, as a kinds.csv", "由历史结果拟合权重与半衰期，输出 kinds.csv",
     "wagewarn fit --signals 2025.jsonl --outcomes arrears.csv > proposed.csv", cmd_fit},
    {"check-config", "FILE", 1, 1, 0, "Mistakes in a configuration and all files that it names",
     "检查配置文件", "wagewarn check-config /etc/wagewarn/wagewarn.yaml", cmd_check_config},
    {"verify", "DIR", 1, 1, O(O_QUICK), "Is a state directory or a backup whole? exit 1 if not",
     "校验存储或备份是否完好；否则退出码为 1", "wagewarn verify /var/lib/wagewarn", cmd_verify},
    {"backup", "DIR", 1, 1, O(O_STATE_DIR),
     "A checked copy of the store into a new folder, beside the daemon at work", "在线备份到新目录并校验",
     "wagewarn backup /backup/monday --state-dir /var/lib/wagewarn", cmd_backup},
    {"restore", "DIR", 1, 1, O(O_STATE_DIR) | O(O_FORCE),
     "A backup back into a state directory; the daemon is stopped", "恢复备份（须先停止守护进程）",
     "wagewarn restore /backup/monday --state-dir /var/lib/wagewarn", cmd_restore},
};
const size_t n_commands = ARRAY_LEN(commands);

void cli_say(const char *fmt, ...)
{
    va_list ap;
    fflush(stdout); /* in the order in which things happened */
    flockfile(stderr);
    fputs("wagewarn: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    funlockfile(stderr);
}

/* As the daemon finds it. */
const char *cli_state_dir(struct cli *cli)
{
    const char *env = getenv("STATE_DIRECTORY");
    if (cli->values[O_STATE_DIR])
        return cli->values[O_STATE_DIR];
    if (env && *env)
        return arena_slice(&cli->arena, (struct slice){env, strcspn(env, ":")}).p;
    return "./wagewarn-state";
}

int cli_failed(struct cli *cli, int code)
{
    cli_say("%s", text_safe(&cli->arena, ww_message(cli->client)));
    return err_exit_status(code);
}

/* Seconds of an option in ms; 0 when it is not given. False after saying what is wrong. */
static bool seconds_of(struct cli *cli, enum option option, int *ms)
{
    int64_t s;
    *ms = 0;
    if (!cli->values[option])
        return true;
    if (!text_parse_int(cli->values[option], &s) || s < 0 || s > INT32_MAX / 1000) {
        cli_say(tr("\"%s\" is no number of seconds", "“%s”不是秒数"),
                text_safe(&cli->arena, cli->values[option]));
        return false;
    }
    *ms = (int)s * 1000;
    return true;
}

static bool connection_options(struct cli *cli, struct ww_options *o)
{
    int retry;
    *o = (struct ww_options){
        .endpoint = cli->values[O_ENDPOINT], .program = "wagewarn " WW_VERSION, .retry_ms = 60000};
    if (!seconds_of(cli, O_TIMEOUT, &o->timeout_ms) || !seconds_of(cli, O_RETRY, &retry))
        return false;
    if (cli->values[O_RETRY])
        o->retry_ms = retry;
    return true;
}

int cli_connect(struct cli *cli)
{
    struct ww_options o;
    if (!connection_options(cli, &o))
        return err_exit_status(WW_EUSAGE);
    int rc = ww_connect(&cli->client, &o);
    return rc == 0 ? 0 : cli_failed(cli, rc);
}

static int64_t monotonic_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

/* Each try takes the second or so that a connection is given. */
int cli_connect_patiently(struct cli *cli)
{
    struct ww_options o;
    bool told = !isatty(STDERR_FILENO);
    if (!connection_options(cli, &o))
        return err_exit_status(WW_EUSAGE);
    int64_t end = monotonic_s() + o.retry_ms / 1000;
    int rc = ww_connect(&cli->client, &o);
    while (rc == WW_EUNREACH && (o.retry_ms == 0 || monotonic_s() < end)) {
        if (!told && o.retry_ms)
            cli_say(tr("%s; trying for %d s more", "%s；再尝试 %d 秒"),
                    text_safe(&cli->arena, ww_message(cli->client)), (int)(end - monotonic_s()));
        else if (!told)
            cli_say(tr("%s; trying until it is there", "%s；一直尝试"),
                    text_safe(&cli->arena, ww_message(cli->client)));
        told = true;
        ww_disconnect(cli->client);
        rc = ww_connect(&cli->client, &o);
    }
    return rc == 0 ? 0 : cli_failed(cli, rc);
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves is noticed by the write */
    text_open();
    int status = options_parse(&cli, argc, argv);
    if (status == 0 && cli.command)
        status = cli.command->run(&cli);
    ww_disconnect(cli.client);
    status = out_finish(status);
    arena_finish(&cli.arena);
    return status;
}
