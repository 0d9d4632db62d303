/* SPDX-License-Identifier: Apache-2.0 */
/* A second fold, slow and plain, that the tests hold the engine against. It keeps every signal in one list and works out
 * all of an enterprise from scratch each time, in floating point; it finds what the clock does by trying every moment at
 * which anything may change. It shares the compiled settings and the entries as data with the engine, and no code.
 *
 * Left out: what other enterprises do to one (related, areas, shares), teams and deadlines. */
#ifndef TESTS_PLAIN_H
#define TESTS_PLAIN_H

#include "engine/entry.h"
#include "engine/settings.h"
#include "lib/arena.h"

enum { PLAIN_RULES_MAX = 64, PLAIN_FINDING_KINDS = 64 };

/* A signal. */
struct plain_item {
    uint64_t seq;
    int64_t at;
    struct slice kind, source, id, code, name, region, industry;
    int64_t amount, people;
    uint8_t status;
    bool binds;              /* code and name belong together, it says */
    bool cancelled;
    int firm;                /* whose it is; negative: nobody's yet */
    char credit;
    int n_tags;
    struct plain_tag {
        struct slice name;
        int64_t until;
    } tags[4];
    /* worked out */
    uint32_t pos;            /* of its kind in the settings */
    bool active;
    int rank;
};

/* What an alert event of the engine must say. */
struct plain_event {
    int64_t at;
    uint8_t type, level_before, level, state;
    double score;
    uint64_t fired;          /* bits by position of rule */
    uint32_t evidence;       /* how many signals count */
    bool by_decay;           /* its time is that of a crossing: within a moment of the engine's */
    bool merged;
};

struct plain_alert {
    bool had, open;
    bool tells;              /* the next judgement by a signal is an event, whatever it says */
    uint8_t state, level, finding;
    double score;
    uint64_t closed_entry;
    int64_t closed_at, born; /* order of the alerts */
    uint64_t *evidence;      /* numbers, rising; owned */
    size_t n_evidence;
    uint64_t rules;          /* of what the rules that held are called, at its last event */
};

struct plain_firm {
    uint8_t status;
    bool by_name;
    bool known;              /* it has, or had, signals */
    struct slice text;       /* its code or its name */
    struct plain_alert alert;
    uint8_t level, score_level;
    uint64_t uncleared;      /* entry that last withdrew something that clears */
    uint8_t finding;
    int64_t finding_at;
    uint64_t finding_entry;
    uint32_t n_finding_kinds;
    struct slice finding_kinds[PLAIN_FINDING_KINDS];
    struct plain_event *events; /* owned */
    size_t n_events, cap_events;
    /* worked out */
    struct plain_item **items;  /* by (at, number); owned */
    size_t n_items, cap_items;
    bool sorted;
};

struct plain {
    struct arena arena;
    struct settings *settings;
    struct plain_item **items;  /* in the order of arrival; owned */
    size_t n_items, cap_items;
    struct plain_firm **firms;
    size_t n_firms, cap_firms;
    struct plain_name {
        uint8_t status;
        struct slice text;
        int place;              /* the firm where signals of the name alone lie */
    } *names;
    size_t n_names, cap_names;
    uint64_t number;
    int64_t time, births;
    bool hair;                  /* so near to a threshold that floating point cannot tell: nothing more is certain */
    bool quiet;                 /* nothing is judged: only what plain_look works out counts */
};

/* What is so of an enterprise at a time. */
struct plain_view {
    double hazard, raw, others;
    uint8_t score_level, level;
    uint64_t fired;
};

void plain_init(struct plain *);
void plain_finish(struct plain *);
/* Takes an entry as the engine does: signals, configurations, ticks. Actions and sweeps: the two below. */
void plain_apply(struct plain *, uint64_t number, int64_t time, const struct entry *);
void plain_sweep(struct plain *, uint64_t number, int64_t time); /* of all there are */
/* False: refused. */
bool plain_act(struct plain *, uint64_t number, int64_t time, int firm, const char *what, uint8_t finding, bool outcome);
int plain_find(struct plain *, uint8_t status, struct slice code, struct slice name); /* negative: unknown */
/* Where a signal that names an enterprise so belongs now. */
int plain_place(struct plain *, uint8_t status, struct slice code, struct slice name);
const struct plain_item *plain_by_id(const struct plain *, struct slice source, struct slice id);
void plain_look(struct plain *, int firm, int64_t at, uint8_t before, struct plain_view *);
double plain_score(double hazard);                                   /* 0 to 100 */
bool plain_clears(const struct plain *, const struct plain_item *);
bool plain_evidence(const struct plain *, const struct plain_item *); /* it may open again what was closed */
double plain_hazard(const struct plain *, const struct plain_item *, int64_t at); /* of one, no factors */
bool plain_unresolved(struct plain *, const struct plain_firm *);

/* plain_judge.c, for plain.c only */
void plain_prepare(struct plain *, struct plain_firm *);
size_t plain_moments(struct plain *, struct plain_firm *, int64_t from, int64_t until, int64_t **out);

#endif
