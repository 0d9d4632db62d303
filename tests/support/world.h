/* SPDX-License-Identifier: Apache-2.0 */
/* A small world for tests of the fold: an engine with the shipped kinds and some rules, signals in one line each, and
 * the alert events that came of them. */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include "engine/engine.h"

struct world {
    struct engine *engine;
    struct arena arena, out_arena;
    struct engine_out out;     /* events since the world began */
    struct buf buf;
    uint64_t number;
    int64_t now;
    unsigned ids;
};

/* What a signal says; what is left NULL or 0 is left out. */
struct say {
    const char *id;            /* NULL: a new one */
    const char *source;        /* NULL: the agency of the kind */
    const char *kind;
    int64_t at;                /* ms */
    const char *uscc, *name, *region, *industry, *cancels, *credit;
    const char *attrs;         /* "headcount=40;former_name=x": digits alone are a number */
    bool binds_nothing;        /* its sender's names bind nothing */
    int64_t amount, people;    /* 0: not given */
    int64_t since;             /* ms; 0: not given */
    enum status status;
    const char *owner, *project; /* owner: 32 hexadecimal digits */
    enum role role;
};

#define CODE_A "91350100M000100Y43"
#define CODE_B "91330100799655058B"
#define CODE_C "9144030071526726XG"

/* DAY(3): noon, UTC+8, three days after 2026-03-01 (after Spring Festival). */
#define DAY(n) (INT64_C(1772337600000) + (int64_t)((n) * 86400000.0))

extern const char *const plain_rules; /* levels 40 65 85, hysteresis 8, three agencies in 45 days, score */

void world_init(struct world *, const char *rules_yaml); /* NULL: plain_rules; first entry: the configuration */
void world_init_loader(struct world *, const char *rules_yaml, const struct state_loader *, size_t cache);
void world_finish(struct world *);
void world_config(struct world *, const char *rules_yaml, int64_t at); /* another configuration from here on */
/* Screens and applies; the journal's time is `now` if set, else at. Returns what the screening said. */
enum screened world_say(struct world *, const struct say *);
void world_tick(struct world *, int64_t at);
struct slice world_entry(struct world *, const struct say *, struct entry_signal *); /* only the bytes */
void world_apply(struct world *, struct slice entry, int64_t at);
const struct event *world_last(const struct world *);   /* the last event, NULL: none */
/* "raised major 66.02 three-agencies,score|upgraded ..." of events from `from` on, in the world's arena. */
const char *world_story(struct world *, size_t from);
/* Decoded record of an enterprise; NULL: none. */
struct record;
const struct record *world_record(struct world *, const struct ekey *);

/* How alerts are worked: texts of the YAML files; NULL: without. The shipped calendar's days off go with them. */
struct world_work {
    const char *teams, *measures, *deadlines, *duties;
    const char *shadow;        /* a second rules file */
    const char *thresholds;    /* text of a table: lines of the law */
};
void world_config_work(struct world *, const char *rules_yaml, const struct world_work *, int64_t at);
/* An action by a principal of a role; what is left out of the rest is NO_INT or empty (world_action). Returns 0, or why
 * it was refused; w->out.sentence says it in words. */
struct entry_action world_action(uint64_t alert, const char *what);
enum wire_error world_act(struct world *, const struct entry_action *, int64_t at);

const struct tree *world_settings(struct arena *, const char *rules_yaml); /* the tree of a configuration entry */
const struct tree *world_settings_work(struct arena *, const char *rules_yaml, const struct world_work *);
struct tree *world_tree(struct arena *, const char *yaml); /* must be right; NULL: NULL */

#endif
