/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of the command line share: the words of a command line once parsed, and the rows that
 * describe commands and options. The program is one thread, one connection, one command. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "lib/arena.h"
#include "lib/err.h"
#include "wagewarn.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV, FORMAT_KEYVALUE, FORMAT_COUNT };

/* Every option of every command; its row is in options.c. */
enum option {
    /* of the program */
    O_HELP,
    O_VERSION,
    O_ENDPOINT,
    O_OUTPUT,
    O_COLOR,
    O_TIMEOUT,
    /* of commands */
    O_REGION,
    O_MIN_LEVEL,
    O_FROM,
    O_CURSOR,
    O_STATE,
    O_LEVEL,
    O_OVERDUE,
    O_STATUS,
    O_LIMIT,
    O_NOTE,
    O_ACTOR,
    O_FINDING,
    O_PEOPLE,
    O_AMOUNT,
    O_MEASURE,
    O_DUE,
    O_REF,
    O_OUTCOME,
    O_PAID_PEOPLE,
    O_PAID_AMOUNT,
    O_TEAM,
    O_UNTIL,
    O_UNDO,
    O_ALERT_VERSION,
    O_RETRY,
    O_STATE_DIR,
    O_FORCE,
    O_QUICK,
    O_KINDS,
    O_READY,
    O_RULES,
    O_SIGNALS,
    O_OUTCOMES,
    O_COMPARE,
    O_WITHOUT,
    O_AT,
    O_WITH_RULES,
    O_SORTED,
    O_INDUSTRY,
    O_CONFIG,
    O_CREDIT,
    O_OF,
    O_N,
    O_INSPECTORS,
    O_AT_NUMBER,
    O_SAVE,
    O_CANDIDATES,
    O_VERIFY,
    O_ROLLUP,
    O_USCC,
    O_NAME,
    O_DUTIES,
    OPTION_COUNT
};

#define O(x) (UINT64_C(1) << (x))

enum { REGIONS_MAX = 64 };

struct cli {
    const struct command *command;
    const char *group;   /* "enterprise" alone, with --help: what its commands begin with; NULL */
    const char *values[OPTION_COUNT]; /* NULL: not given; a flag's is "" */
    const char *regions[REGIONS_MAX]; /* --region may be repeated */
    size_t n_regions;
    char **args; /* what is neither command nor option */
    int n_args;
    enum format format;
    bool color;
    struct ww_client *client; /* NULL until cli_connect */
    struct arena arena;       /* lives as long as the command */
};

struct command {
    const char *name;         /* "alert show" */
    const char *args;         /* "ID": as the synopsis has it */
    int least, most;          /* how many; most -1: any number */
    uint64_t options;         /* O(O_REGION) | ... */
    const char *en, *zh;      /* what it does, in a line */
    const char *example;      /* "wagewarn alert show 4012" */
    int (*run)(struct cli *); /* exit status */
};

extern const struct command commands[];
extern const size_t n_commands;

/* Connects, or prints why not. 0, else the exit status to end with. */
int cli_connect(struct cli *);
/* The same, trying again until --retry has passed: for what is pushed by itself and must not be lost. */
int cli_connect_patiently(struct cli *);
/* The state directory that --state-dir, the environment or the default names. */
const char *cli_state_dir(struct cli *);
/* Prints the client's last sentence; returns the exit status of its code. */
int cli_failed(struct cli *, int code);
/* "wagewarn: what went wrong, and what to do" on stderr. */
void cli_say(const char *fmt, ...) WW_PRINTF(1, 2);

int cmd_status(struct cli *);
int cmd_watch(struct cli *);
int cmd_alerts(struct cli *);
int cmd_alert_show(struct cli *);
int cmd_alert_act(struct cli *);
int cmd_enterprise_show(struct cli *);
int cmd_enterprise_settle(struct cli *);
int cmd_enterprise_unresolved(struct cli *);
int cmd_enterprise_export(struct cli *);
int cmd_push(struct cli *);
int cmd_kinds(struct cli *);
int cmd_feeds(struct cli *);
int cmd_rules_check(struct cli *);
int cmd_rules_test(struct cli *);
int cmd_check_config(struct cli *);
int cmd_verify(struct cli *);
int cmd_backup(struct cli *);
int cmd_restore(struct cli *);
int cmd_wait(struct cli *);
int cmd_explain(struct cli *);
int cmd_backtest(struct cli *);
int cmd_fit(struct cli *);
int cmd_shadow_diff(struct cli *);
int cmd_campaign(struct cli *);
int cmd_routes_test(struct cli *);
int cmd_routes_list(struct cli *);
int cmd_measures(struct cli *);
int cmd_statistics(struct cli *);
int cmd_draw(struct cli *);
int cmd_duties(struct cli *);
int cmd_duties_done(struct cli *);
int cmd_intake(struct cli *);
int cmd_intake_sort(struct cli *);

#endif
