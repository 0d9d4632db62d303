/* SPDX-License-Identifier: Apache-2.0 */
/* What happened folded again under rules that are being tried: signals of a file, or a state directory's journal, through
 * the daemon's own engine, in memory; and what came of it held against the outcomes. Shared by `backtest` and `fit`.
 * One thread. */
#ifndef CLI_BACKTEST_H
#define CLI_BACKTEST_H

#include "cli/document.h"
#include "cli/outcomes.h"
#include "cli/rules_file.h"
#include "cli/tally.h"
#include "cli/trace.h"

/* One set of rules and what it gave. */
struct fold {
    struct rules_file rules;
    struct tally tally;
    struct engine *engine;
    uint64_t number;
};

enum outcomes_from { OUTCOMES_NONE, OUTCOMES_FILE, OUTCOMES_ACTIONS };

struct backtest {
    struct cli *cli;
    size_t n_folds;
    struct fold folds[2];        /* the rules; those that they are compared with */
    struct trace trace;          /* of --signals */
    struct regions *regions;
    uint64_t entries, actions;   /* of a journal */
    uint64_t signals;            /* that were folded */
    enum outcomes_from from;
    uint64_t outcomes, unknown, repeated, unreadable; /* enterprises; of them, no signal named; rows beside them */
    /* Each signal folded, exercises and tests left out, in the order of the fold; NULL. */
    void (*signal)(void *arg, const struct ekey *, const struct signal *);
    void *arg;
    /* working */
    struct arena out, line;
    struct buf buf;
    struct err err;
    int failed;
    struct finding_at {
        uint64_t number;
        int64_t at;
        struct ekey key;
        uint8_t finding;         /* enum tally_finding; 0: taken back */
    } *findings;
    size_t n_findings, cap_findings;
};

/* Is what is folded told, and once? 0, else the exit status after saying what is missing. */
int backtest_asked(struct cli *);
/* Rules of each fold, tables, whatever is wrong with them said. 0, else the exit status to end with. `other`: NULL, or the
 * rules to compare with. */
int backtest_load(struct backtest *, struct cli *, const char *rules, const char *other);
/* Folds, then gives each enterprise its outcome. Exit status. */
int backtest_run(struct backtest *);
void backtest_finish(struct backtest *);

/* ---- figures ---- */

struct figures {
    uint64_t alerts, confirmed;  /* enterprises; with an outcome */
    uint64_t judged;             /* alerts of which it is known what came of them */
    uint64_t warned, late;       /* of those confirmed: before, and at or after */
    int64_t *leads;              /* ms, of those warned */
    size_t cap;
};

struct figures_all {
    struct figures level[LEVEL_COUNT];
    struct figures *rule;        /* by position */
    struct figures band[10];     /* by highest score */
    uint32_t n_rules;
};

void figures_make(struct figures_all *, const struct backtest *, struct fold *);
void figures_finish(struct figures_all *);
/* Quartile 1, 2 or 3 of the leads, in ms, between neighbours in proportion; NO_INT: there is none. */
int64_t figures_quartile(const struct figures *, int quartile);
/* Parts per million; NO_INT where there is nothing to be a part of. */
int64_t figures_precision(const struct figures *);
int64_t figures_recall(const struct figures *, const struct backtest *);

/* ---- one set against the other ---- */

enum change { CHANGE_LOST, CHANGE_GAINED, CHANGE_LATER, CHANGE_EARLIER, CHANGE_COUNT };

struct difference {
    const struct tally_row *row; /* of the new fold, else of the old */
    uint8_t level, change;
    int64_t old_at, new_at;      /* NO_INT: not warned */
};

struct comparison {
    uint64_t count[LEVEL_COUNT][CHANGE_COUNT], same[LEVEL_COUNT];
    struct difference *list;     /* by level from the highest, change, days from the most, key */
    size_t n, cap;
};

void comparison_make(struct comparison *, const struct backtest *);
void comparison_finish(struct comparison *);

/* ---- telling ---- */
void backtest_tell(struct backtest *);

#endif
