/* SPDX-License-Identifier: Apache-2.0 */
/* Cases for rules: given these signals at these times, expect exactly these alert events. The file, read
 * strictly into structs, and one case folded. Everything lives in the arena of the command. */
#ifndef CLI_CASES_H
#define CLI_CASES_H

#include "cli/rules_file.h"
#include "lib/region.h"
#include "lib/signal.h"

struct case_signal {
    struct signal sig;
    struct slice source; /* the agency of the kind, if the case says nothing else */
    const struct tree *where;
};

struct expected {
    int64_t at;        /* NO_INT: any time */
    bool day;          /* any time of that day */
    uint8_t type;      /* enum event_type */
    int level, status; /* -1: any */
    int64_t score;     /* hundredths; NO_INT: any */
    bool has_rules;
    uint32_t n_rules;
    struct slice *rules; /* each once */
    struct slice uscc, name;
};

struct test_case {
    const char *name;
    uint32_t line;
    int64_t until; /* NO_INT: the last signal's time */
    size_t n_signals, n_expected;
    struct case_signal *signals; /* in the order of their arrival */
    struct expected *expected;   /* in the order in which they must come */
    bool has_profile;
    struct case_signal profile; /* before the first signal */
};

struct case_file {
    const char *path;
    struct slice text;
    struct mistakes m;
    struct rules_file rules;
    struct regions *regions;
    size_t n_cases;
    struct test_case *cases;
};

/* The file, its rules and their tables. WW_ECONFIG with mistakes in m or in rules.m, or else with a sentence
 * in err. Finish it in any case. */
int cases_load(struct cli *, const char *path, struct case_file *, struct err *) WW_CHECK;
void cases_finish(struct case_file *);

struct happened_reason {
    const char *rule, *title;
    uint8_t level;
    uint32_t n;           /* signals */
    const char **signals; /* "tax.arrears 2026-03-01" */
};

/* An alert event that came. */
struct happened {
    int64_t at;
    uint8_t type, level, status;
    uint32_t score; /* hundredths */
    struct slice uscc, name;
    uint32_t n_reasons;
    struct happened_reason *reasons;
};

struct case_outcome {
    size_t n;
    struct happened *events; /* those that are compared */
    const char *difference;  /* NULL: all as expected; else what differs first */
};

/* Folds a case in an engine of its own. A signal that the daemon would refuse is a mistake in f->m, with
 * WW_ECONFIG. */
int cases_run(struct cli *, struct case_file *, const struct test_case *, struct case_outcome *,
              struct err *) WW_CHECK;

/* "2026-03-01" where it is the beginning of a day, else with its time. */
const char *cases_time(struct arena *, int64_t ms);

#endif
