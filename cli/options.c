/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the words of a command line: the option table, parsing, and what is said to a slip. */
#include "cli/options.h"

#include "cli/output.h"
#include "cli/text.h"
#include "lib/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GLOBAL = O(O_HELP) | O(O_VERSION) | O(O_ENDPOINT) | O(O_OUTPUT) | O(O_COLOR) | O(O_TIMEOUT) };

struct option_row {
    const char *name;
    char letter;       /* 0: none */
    const char *value; /* what follows; NULL: a flag */
    const char *en, *zh;
};

static const struct option_row rows[OPTION_COUNT] = {
    [O_HELP] = {"help", 'h', NULL, "this help", "显示帮助"},
    [O_VERSION] = {"version", 'V', NULL, "the version", "显示版本"},
    [O_ENDPOINT] = {"endpoint", 'e', "ENDPOINT",
                    "where the daemon listens (else WAGEWARN_ENDPOINT, tcp://127.0.0.1:7410)",
                    "守护进程地址（默认取 WAGEWARN_ENDPOINT，否则 tcp://127.0.0.1:7410）"},
    [O_OUTPUT] = {"output", 'o', "FORMAT", "table, json, jsonl, csv or keyvalue",
                  "输出格式：table、json、jsonl、csv、keyvalue"},
    [O_COLOR] = {"color", 0, "WHEN", "auto, always or never", "颜色：auto、always、never"},
    [O_TIMEOUT] = {"timeout", 0, "SECONDS", "wait so long for an answer (10)", "等待应答的秒数（10）"},
    [O_REGION] = {"region", 'r', "PREFIX", "places whose code begins so; may be repeated",
                  "行政区划代码前缀，可重复"},
    [O_MIN_LEVEL] = {"min-level", 'l', "LEVEL", "general, major or critical and above",
                     "最低等级：general、major、critical"},
    [O_FROM] = {"from", 0, "N", "first event wanted: a number, 0 the oldest kept, -1 from now on",
                "起始事件编号；0 为最早保留，-1 为从现在起"},
    [O_CURSOR] = {"cursor", 'c', "FILE", "go on where this file left off, and keep it up to date",
                  "断点文件：从上次处继续"},
    [O_STATE] = {"state", 's', "STATE", "open, accepted, verified, disposed, closed or any",
                 "状态：open、accepted、verified、disposed、closed、any"},
    [O_LEVEL] = {"level", 'l', "LEVEL", "general, major or critical", "等级：general、major、critical"},
    [O_OVERDUE] = {"overdue", 0, NULL, "only those past their deadline", "仅逾期的"},
    [O_STATUS] = {"status", 0, "STATUS", "actual, exercise or test", "actual 实际、exercise 演练、test 测试"},
    [O_LIMIT] = {"limit", 'n', "N", "at most so many", "最多条数"},
    [O_NOTE] = {"note", 0, "TEXT", "what is to be remembered", "备注"},
    [O_ACTOR] = {"actor", 0, "WHO", "the person who acts", "经办人"},
    [O_FINDING] = {"finding", 0, "FINDING", "confirmed, unfounded or false_claim",
                   "核实结果：confirmed 属实、unfounded 不属实、false_claim 虚假"},
    [O_PEOPLE] = {"people", 0, "N", "workers concerned", "涉及人数"},
    [O_AMOUNT] = {"amount", 0, "YUAN", "money concerned, in yuan", "涉及金额（元）"},
    [O_MEASURE] = {"measure", 0, "MEASURE", "one of the configured measures", "处置措施"},
    [O_DUE] = {"due", 0, "DATE", "by the end of that day, or within so long: 10d, 2h", "期限：某日 24:00，或一段时间：10d、2h"},
    [O_REF] = {"ref", 0, "NUMBER", "document or case number", "文号或案号"},
    [O_OUTCOME] = {"outcome", 0, "OUTCOME",
                   "paid, unfounded, false_claim, mediated, transferred, listed or other",
                   "结果：paid、unfounded、false_claim、mediated、transferred、listed、other"},
    [O_PAID_PEOPLE] = {"paid-people", 0, "N", "workers who were paid", "已清偿人数"},
    [O_PAID_AMOUNT] = {"paid-amount", 0, "YUAN", "wages that were paid, in yuan", "已清偿金额（元）"},
    [O_TEAM] = {"team", 0, "TEAM", "the team that takes it", "承办单位"},
    [O_UNTIL] = {"until", 0, "DATE", "until the end of that day, or for so long: 10d, 2h", "至某日 24:00，或一段时间：10d、2h"},
    [O_UNDO] = {"undo", 0, "SEQ", "the mistaken step: the number that it was answered with",
                "要更正的步骤编号"},
    [O_ALERT_VERSION] = {"if-version", 0, "N", "only if the alert is still at this version",
                         "仅当预警仍为该版本时"},
    [O_RETRY] = {"retry", 0, "SECONDS", "give up after so long without an acknowledgement (60; 0: never)",
                 "多久无确认即放弃（60 秒；0 为永不）"},
    [O_STATE_DIR] = {"state-dir", 0, "DIR", "the daemon's directory (else STATE_DIRECTORY, ./wagewarn-state)",
                     "守护进程的数据目录（默认取 STATE_DIRECTORY，否则 ./wagewarn-state）"},
    [O_FORCE] = {"force", 0, NULL, "what is there is moved aside, into replaced-N",
                 "原有内容移入 replaced-N"},
    [O_QUICK] = {"quick", 0, NULL, "without folding the journal again to compare it with the view",
                 "不重放日志与视图比对"},
    [O_KINDS] = {"kinds", 0, "FILE",
                 "the table of kinds (else kinds.csv beside the file, else the one shipped)",
                 "预警信息种类表（默认取同目录 kinds.csv，否则随程序提供的）"},
    [O_RULES] = {"rules", 0, "FILE", "the rules that are tried", "要试的规则文件"},
    [O_SIGNALS] = {"signals", 0, "FILE", "signals as JSON lines, as push takes them (-: standard input)",
                   "信号文件，每行一个 JSON（- 为标准输入）"},
    [O_OUTCOMES] = {"outcomes", 0, "FILE", "CSV of enterprise,date: who fell into arrears, and when",
                    "结果 CSV（enterprise,date）：哪家何时欠薪"},
    [O_COMPARE] = {"compare", 0, "FILE", "rules to compare with", "用来对比的规则文件"},
    [O_INDUSTRY] = {"industry", 0, "CODE", "industry code: a letter, or a letter and digits", "行业代码，如 E、C181"},
    [O_CONFIG] = {"config", 0, "FILE", "from this configuration, without a daemon", "按该配置文件（无需守护进程）"},
    [O_CREDIT] = {"credit", 0, "GRADE", "A, B or C", "信用等级：A、B、C"},
    [O_OF] = {"of", 0, "WHAT", "enterprises or alerts", "抽取对象：enterprises 企业、alerts 预警"},
    [O_N] = {"n", 0, "N", "how many are drawn", "抽取数量"},
    [O_INSPECTORS] = {"inspectors", 0, "FILE", "names of inspectors, one a line; two are drawn for each visit",
                      "检查人员名单，每行一名；每户抽两名"},
    [O_AT_NUMBER] = {"at-number", 0, "K", "the journal's number whose chain hash is the seed", "以该日志编号的链哈希为种子"},
    [O_SAVE] = {"save", 0, "FILE", "keep the candidates, and what is drawn, in this new file", "将候选名单与抽取结果存入新文件"},
    [O_CANDIDATES] = {"candidates", 0, "FILE", "draw from the candidates that --save kept", "从 --save 保存的候选名单中抽取"},
    [O_VERIFY] = {"verify", 0, "FILE", "compute such a file's draw again; exit 1 if it does not hold", "复核该文件的抽取结果；不符则退出码为 1"},
    [O_ROLLUP] = {"rollup", 0, NULL, "a parent in the place of the alerts that it stands for", "按上级预警归并显示"},
    [O_USCC] = {"uscc", 0, "CODE", "the enterprise, by its code", "企业的统一社会信用代码"},
    [O_NAME] = {"name", 0, "NAME", "the enterprise, by its registered name", "企业名称"},
    [O_DUTIES] = {"duties", 0, NULL, "what becomes of duties as well", "同时显示例行任务"},
    [O_READY] = {"ready", 0, NULL, "until it is ready, which is meant without it too",
                 "等待就绪（默认即如此）"},
    [O_WITHOUT] = {"without", 0, "AGENCY", "and what it would be without this agency's signals",
                   "并说明去掉该部门信息后的结果"},
    [O_AT] = {"at", 0, "TIME", "as it was known then, from the journal in --state-dir",
              "当时所知（由 --state-dir 的日志重放）"},
    [O_WITH_RULES] = {"with-rules", 0, "FILE", "under these rules, the journal in --state-dir folded again",
                      "换用该规则文件重放 --state-dir 的日志"},
    [O_SORTED] = {"sorted", 0, NULL, "those that wait no more, and what became of them", "已分拣的及其结果"},
};

static const char *const format_names[FORMAT_COUNT] = {"table", "json", "jsonl", "csv", "keyvalue"};

/* ---- help ---- */

static void print_options(uint64_t which)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        char left[64], letter[8] = "    ";
        if (!(which & O(i)))
            continue;
        if (rows[i].letter)
            snprintf(letter, sizeof letter, "-%c, ", rows[i].letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, rows[i].name, rows[i].value ? " " : "",
                 rows[i].value ? rows[i].value : "");
        printf("  %-26s %s\n", left, tr(rows[i].en, rows[i].zh));
    }
}

static void print_command_help(const struct command *c)
{
    printf("%s\n\n%s\n  %s\n\n%s\n  wagewarn %s%s%s%s\n", tr(c->en, c->zh), tr("Example:", "示例："),
           c->example, tr("Usage:", "用法："), c->name, *c->args ? " " : "", c->args,
           c->options ? " [OPTION]..." : "");
    if (c->options) {
        printf("\n%s\n", tr("Options:", "选项："));
        print_options(c->options);
    }
    printf("\n%s\n", tr("Of every command:", "通用选项："));
    print_options(GLOBAL);
}

void help_print(const struct command *c)
{
    if (c) {
        print_command_help(c);
        return;
    }
    printf(
        "%s\n\n%s\n",
        tr("wagewarn: speaks to wagewarnd, the early warning of wage arrears.", "wagewarn：欠薪预警命令行"),
        tr("Examples:", "示例："));
    for (size_t i = 0; i < n_commands && i < 5; i++)
        printf("  %s\n", commands[i].example);
    printf("\n%s\n", tr("Commands:", "命令："));
    for (size_t i = 0; i < n_commands; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", commands[i].name, *commands[i].args ? " " : "",
                 commands[i].args);
        printf("  %-26s %s\n", left, tr(commands[i].en, commands[i].zh));
    }
    printf("\n%s\n", tr("Options:", "选项："));
    print_options(GLOBAL);
    printf(
        "\n%s\n",
        tr("Exit status: 0 done; 1 the answer is no; 2 usage; 69 daemon not reachable; 74 disk error; 75 try "
           "again later; 77 not allowed; 78 configuration.",
           "退出码：0 完成；1 结果为否；2 用法错误；69 无法连接；74 磁盘错误；75 稍后再试；77 无权限；78 "
           "配置错误。"));
}

/* ---- finding the command ---- */

static const struct command *command_named(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* "enterprise" of "enterprise show": how many commands begin so. */
static size_t count_group(const char *word)
{
    size_t n = strlen(word), found = 0;
    for (size_t i = 0; i < n_commands; i++)
        found += strncmp(commands[i].name, word, n) == 0 && commands[i].name[n] == ' ';
    return found;
}

static void print_group_help(const char *word)
{
    size_t n = strlen(word);
    const char *example = NULL;
    printf("%s\n", tr("Commands:", "命令："));
    for (size_t i = 0; i < n_commands; i++) {
        char left[64];
        if (strncmp(commands[i].name, word, n) != 0 || commands[i].name[n] != ' ')
            continue;
        example = example ? example : commands[i].example;
        snprintf(left, sizeof left, "%s%s%s", commands[i].name, *commands[i].args ? " " : "", commands[i].args);
        printf("  %-26s %s\n", left, tr(commands[i].en, commands[i].zh));
    }
    printf("\n%s\n  %s\n", tr("Example:", "示例："), example ? example : "");
}

static int no_command(struct cli *cli, char **words, int n)
{
    const char *names[64];
    size_t n_names = 0;
    for (size_t i = 0; i < n_commands && n_names < ARRAY_LEN(names); i++)
        names[n_names++] = commands[i].name;
    const char *two = n > 1 ? arena_printf(&cli->arena, "%s %s", words[0], words[1]) : words[0];
    const char *near = nearest_word(slice_of(two), names, n_names);
    if (!near)
        near = nearest_word(slice_of(words[0]), names, n_names);
    /* "alert" alone, "alert foo": all that begins so */
    struct slice first = slice_of(words[0]);
    for (size_t i = 0; !near && i < n_names; i++)
        if (strncmp(names[i], words[0], first.n) == 0 && names[i][first.n] == ' ')
            near = names[i];
    if (near)
        cli_say(tr("no command \"%s\"; did you mean \"%s\"? 'wagewarn --help' lists them",
                   "没有命令“%s”；是否为“%s”？'wagewarn --help' 列出全部"),
                text_safe(&cli->arena, two), near);
    else
        cli_say(
            tr("no command \"%s\"; 'wagewarn --help' lists them", "没有命令“%s”；'wagewarn --help' 列出全部"),
            text_safe(&cli->arena, words[0]));
    return 2;
}

/* The command is the first one or two words that are no options. */
static int find_command(struct cli *cli)
{
    if (cli->n_args == 0)
        return 0;
    if (cli->n_args > 1) {
        cli->command = command_named(arena_printf(&cli->arena, "%s %s", cli->args[0], cli->args[1]));
        if (cli->command) {
            cli->args += 2;
            cli->n_args -= 2;
            return 0;
        }
    }
    cli->command = command_named(cli->args[0]);
    if (!cli->command && cli->n_args == 1 && cli->values[O_HELP] && count_group(cli->args[0])) {
        cli->group = cli->args[0];
        return 0;
    }
    if (!cli->command)
        return no_command(cli, cli->args, cli->n_args);
    cli->args++;
    cli->n_args--;
    return 0;
}

/* ---- options ---- */

static int no_option(struct cli *cli, const char *given)
{
    const char *names[OPTION_COUNT];
    for (int i = 0; i < OPTION_COUNT; i++)
        names[i] = rows[i].name;
    size_t n = strcspn(given, "=");
    const char *near = nearest_word((struct slice){given, n}, names, OPTION_COUNT);
    if (near)
        cli_say(tr("no option --%.*s; did you mean --%s?", "没有选项 --%.*s；是否为 --%s？"), (int)n,
                text_safe(&cli->arena, given), near);
    else
        cli_say(tr("no option --%.*s; see --help", "没有选项 --%.*s；见 --help"), (int)n,
                text_safe(&cli->arena, given));
    return 2;
}

static int option_by_name(const char *name, size_t n)
{
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0)
            return i;
    return -1;
}

/* A letter may stand for two options of different commands: the command's own wins, so letters wait for it.
 */
static int option_by_letter(const struct command *c, char letter)
{
    uint64_t mine = GLOBAL | (c ? c->options : 0);
    for (int i = 0; i < OPTION_COUNT; i++)
        if (rows[i].letter == letter && (mine & O(i)))
            return i;
    return -1;
}

static int take(struct cli *cli, int option, const char *value)
{
    cli->values[option] = value ? value : "";
    if (option != O_REGION)
        return 0;
    if (cli->n_regions == REGIONS_MAX) {
        cli_say(tr("more than %d regions", "区划超过 %d 个"), REGIONS_MAX);
        return 2;
    }
    cli->regions[cli->n_regions++] = value;
    return 0;
}

/* One option at argv[*i]; moves *i over its value. */
static int take_at(struct cli *cli, const struct command *c, int argc, char **argv, int *i)
{
    const char *word = argv[*i], *value = NULL;
    bool is_long = word[1] == '-';
    int option = is_long ? option_by_name(word + 2, strcspn(word + 2, "=")) : option_by_letter(c, word[1]);
    if (option < 0 && is_long)
        return no_option(cli, word + 2);
    if (option < 0) {
        cli_say(tr("no option -%c; see --help", "没有选项 -%c；见 --help"), word[1] > ' ' ? word[1] : '?');
        return 2;
    }
    if (is_long && strchr(word, '='))
        value = strchr(word, '=') + 1;
    else if (!is_long && word[2])
        value = word + 2;
    if (!rows[option].value) {
        if (!value)
            return take(cli, option, NULL);
        cli_say(tr("--%s takes no value", "--%s 不带值"), rows[option].name);
        return 2;
    }
    if (!value && *i + 1 < argc)
        value = argv[++*i];
    if (value)
        return take(cli, option, value);
    cli_say(tr("--%s wants a value: %s", "--%s 需要一个值：%s"), rows[option].name, rows[option].value);
    return 2;
}

/* Does the option at argv[i] take the next word? Needed to find the command before its letters mean anything.
 */
static bool eats_next(const char *word)
{
    bool is_long = word[1] == '-';
    if (is_long) {
        int option = option_by_name(word + 2, strlen(word + 2));
        return option >= 0 && rows[option].value;
    }
    if (word[2])
        return false;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (rows[i].letter == word[1])
            return rows[i].value != NULL;
    return false;
}

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != 0;
}

static int take_apart(struct cli *cli, int argc, char **argv)
{
    bool only_args = false;
    cli->args = arena_zalloc(&cli->arena, sizeof *cli->args * (size_t)(argc + 1));
    for (int i = 1; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0)
            only_args = true;
        else if (only_args || !is_option(argv[i]))
            cli->args[cli->n_args++] = argv[i];
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            cli->values[O_HELP] = "";
        else if (eats_next(argv[i]))
            i++;
    }
    int rc = find_command(cli);
    for (int i = 1; i < argc && rc == 0; i++) {
        if (strcmp(argv[i], "--") == 0)
            break;
        if (is_option(argv[i]))
            rc = take_at(cli, cli->command, argc, argv, &i);
    }
    return rc;
}

/* ---- what the options mean ---- */

static int choose_format(struct cli *cli)
{
    const char *given = cli->values[O_OUTPUT];
    for (int i = 0; given && i < FORMAT_COUNT; i++) {
        if (strcmp(given, format_names[i]) == 0) {
            cli->format = (enum format)i;
            return 0;
        }
    }
    if (!given)
        return 0;
    const char *near = nearest_word(slice_of(given), format_names, FORMAT_COUNT);
    cli_say(tr("no format \"%s\"; %s%s%sthere are table, json, jsonl, csv, keyvalue",
               "没有格式“%s”；%s%s%s可用 table、json、jsonl、csv、keyvalue"),
            text_safe(&cli->arena, given), near ? tr("did you mean ", "是否为 ") : "", near ? near : "",
            near ? tr("? ", "？") : "");
    return 2;
}

static int choose_color(struct cli *cli)
{
    const char *when = cli->values[O_COLOR] ? cli->values[O_COLOR] : "auto";
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (strcmp(when, "always") == 0)
        cli->color = true;
    else if (strcmp(when, "auto") == 0)
        cli->color = isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
    else if (strcmp(when, "never") != 0) {
        cli_say(tr("--color is auto, always or never", "--color 取 auto、always 或 never"));
        return 2;
    }
    return 0;
}

static int check_level(struct cli *cli, enum option option)
{
    static const char *const levels[] = {"general", "major", "critical"};
    const char *given = cli->values[option];
    for (size_t i = 0; given && i < ARRAY_LEN(levels); i++)
        if (strcmp(given, levels[i]) == 0)
            return 0;
    if (!given)
        return 0;
    const char *near = nearest_word(slice_of(given), levels, ARRAY_LEN(levels));
    cli_say(tr("no level \"%s\"; %s%s%sthere are general, major, critical",
               "没有等级“%s”；%s%s%s可用 general、major、critical"),
            text_safe(&cli->arena, given), near ? tr("did you mean ", "是否为 ") : "", near ? near : "",
            near ? tr("? ", "？") : "");
    return 2;
}

static int check_regions(struct cli *cli)
{
    enum { REGION_DIGITS = 12 };
    for (size_t i = 0; i < cli->n_regions; i++) {
        size_t n = strlen(cli->regions[i]);
        if (n > 0 && n <= REGION_DIGITS && strspn(cli->regions[i], "0123456789") == n)
            continue;
        cli_say(
            tr("no region \"%s\"; --region takes the first digits of a place's code, as in 3304 or 330482",
               "“%s”不是行政区划；--region 取区划代码的前几位，如 3304、330482"),
            text_safe(&cli->arena, cli->regions[i]));
        return 2;
    }
    return 0;
}

static int check_values(struct cli *cli)
{
    int rc = check_level(cli, O_LEVEL);
    rc = rc ? rc : check_level(cli, O_MIN_LEVEL);
    return rc ? rc : check_regions(cli);
}

static int check_command(struct cli *cli)
{
    const struct command *c = cli->command;
    for (int i = 0; i < OPTION_COUNT; i++) {
        if (cli->values[i] && !((GLOBAL | c->options) & O(i))) {
            cli_say(tr("'%s' has no option --%s; see 'wagewarn %s --help'",
                       "'%s' 没有选项 --%s；见 'wagewarn %s --help'"),
                    c->name, rows[i].name, c->name);
            return 2;
        }
    }
    if (cli->n_args >= c->least && (c->most < 0 || cli->n_args <= c->most))
        return 0;
    cli_say(tr("usage: wagewarn %s%s%s; for example: %s", "用法：wagewarn %s%s%s；例如：%s"), c->name,
            *c->args ? " " : "", c->args, c->example);
    return 2;
}

int options_parse(struct cli *cli, int argc, char **argv)
{
    int rc = take_apart(cli, argc, argv);
    if (rc != 0)
        return rc;
    if (cli->values[O_VERSION]) {
        printf("wagewarn %s\n", WW_VERSION);
        cli->command = NULL;
        return 0;
    }
    if (cli->values[O_HELP]) {
        if (cli->group)
            print_group_help(cli->group);
        else
            help_print(cli->command);
        cli->command = NULL;
        return 0;
    }
    if (!cli->command) {
        cli_say(tr("what shall it do? 'wagewarn status' is a beginning, 'wagewarn --help' lists all",
                   "要做什么？可从 'wagewarn status' 开始，'wagewarn --help' 列出全部"));
        return 2;
    }
    rc = check_command(cli);
    if (rc == 0)
        rc = check_values(cli);
    if (rc == 0)
        rc = choose_format(cli);
    return rc ? rc : choose_color(cli);
}
