/* SPDX-License-Identifier: Apache-2.0 */
/* Why an enterprise stands where it stands, and what would change it. Worked out by the fold's own rooms on a copy: the
 * record is read through a state of its own that is thrown away, so that nothing of the engine changes, and every "if" is
 * a judgement of a changed copy, never a second reckoning. Bounded: kinds, agencies, steps of the clock.
 *
 * Of others (links, shares, areas) it takes what they are now: it does not foresee what they will become. Any thread that
 * owns the engine. */
#ifndef ENGINE_WHATIF_H
#define ENGINE_WHATIF_H

#include "engine/alert.h"
#include "engine/engine.h"
#include "lib/buf.h"

enum {
    WHATIF_STEPS = 5,         /* changes by the clock that are told */
    WHATIF_LOOKS = 400,       /* judgements made for them */
    WHATIF_AHEAD_DAYS = 730,  /* and how far ahead: two years, after which nothing counts for a line of the law either */
    WHATIF_CLEARINGS = 64,    /* kinds that clear something here */
    SILENCE_DAYS = 7,         /* an agency that exports once a week is late after it; the most patient profile shipped */
};

/* A signal that a condition or a share names. */
struct told_signal {
    uint64_t seq;
    int64_t at, amount, people; /* NO_INT: not given */
    struct slice id, source, kind;
    struct slice zh, en;        /* what the kind is called */
};

/* A condition of a rule; `depth` 0 is the whole, its parts follow it one deeper. */
struct told_cond {
    uint8_t depth;
    bool holds;
    const char *op;             /* as rules.yaml writes it */
    uint32_t n_kinds, kinds_total;
    const struct slice *kinds_zh, *kinds_en; /* what those are called */
    const struct slice *kinds;  /* that its selector takes, the first few; kinds_total UINT32_MAX: any */
    const char *text;           /* what else it asks; NULL: nothing */
    int64_t within, at_least;   /* ms, count; NO_INT: not asked */
    int64_t found;              /* how much there is of at_least; NO_INT: not counted */
    struct slice selector;      /* its name in rules.yaml; empty: none */
    int64_t until;              /* cannot change before, if nothing new comes; NO_INT: never by the clock */
    uint32_t n_signals, signals_total;
    const struct told_signal *signals; /* that satisfy it, newest first */
    struct slice other;         /* related: another enterprise for which it holds */
    const char *link;           /* what binds them; NULL */
    struct lies other_lies;     /* where it lies */
    bool hidden;                /* `other` was taken out, for one who may not see it */
};

/* A rule whose condition holds. */
struct told_rule {
    struct slice id, zh, en, tag;
    uint8_t level;              /* what it raises to; LEVEL_NONE: nothing */
    uint8_t at_most;            /* LEVEL_COUNT: no cap */
    bool by_score, escalate;
    bool binds;                 /* its at_most is what keeps the level down */
    struct slice suppressed_by; /* id of the rule that silences it; empty: it counts */
    uint32_t n_conds;
    const struct told_cond *conds;
};

/* One signal's part in the score. */
struct told_share {
    struct told_signal sig;
    uint32_t share_ppm, weight_ppm, half_life_days, decay_ppm, counted_ppm;
    uint8_t rank;               /* how many of its kind came shortly before: each halves it */
    int64_t age;                /* ms */
    struct slice from, project; /* another enterprise's, counted at counted_ppm */
    struct lies from_lies;      /* where that one lies */
    bool hidden;                /* from, project, id, amount, people were taken out */
};

struct told_factor {
    const char *what;           /* "industry", "credit", "season" */
    struct slice key;
    uint32_t ppm;
};

/* A change of level by the clock alone. */
struct told_step {
    int64_t at;
    uint8_t level;
    uint32_t score;
    uint32_t n_ends, n_begins;  /* ids of rules that no longer hold, that now do, since the step before */
    const struct slice *ends, *begins;
};

/* If a signal of this kind came now. */
struct told_if {
    struct slice kind, zh, en;
    uint8_t level;
    uint32_t score;
};

/* An agency that has no signal here that counts: the level if its lightest, its heaviest kind came now. */
struct told_agency {
    struct slice agency;
    struct told_if light, heavy;
};

struct told_silence {
    struct slice agency;
    int64_t since;              /* journal time of its last signal about anybody; NO_INT: never yet */
};

/* Everything of one agency taken out, judged from scratch. */
struct told_without {
    struct slice agency;        /* empty: not asked */
    uint32_t signals;           /* how many active ones that takes out */
    uint8_t level;
    uint32_t score;
    uint32_t n_lost, n_gained;  /* ids of rules */
    const struct slice *lost, *gained;
};

struct explanation {
    int64_t at;
    struct slice uscc, name, industry;
    region_t region;
    uint32_t n_places;
    const region_t *places;     /* of work: who may see it */
    uint64_t alert;             /* the open one; 0: none is open */
    bool unresolved;            /* a name that several codes bear: not judged */
    bool area;
    uint8_t level, score_level;
    uint32_t score;             /* hundredths */
    uint32_t score_others;      /* of all agencies but the largest */
    struct slice largest;       /* that agency */
    uint8_t capped_from;        /* level that the score would have without the cap on one agency; LEVEL_NONE: no cap binds */
    uint8_t fresh_level;        /* level by score without hysteresis; below score_level: hysteresis holds it */
    uint8_t uncapped_level;     /* before `at_most` of rules */
    uint32_t factor_ppm;
    uint32_t n_rules, n_shares, shares_total, n_factors, n_steps, n_clearings, n_agencies, n_silences, n_members,
        members_total;
    const struct told_rule *rules;
    const struct told_share *shares;
    const struct told_factor *factors;
    const struct told_step *steps;
    bool steps_cut;             /* more may follow: WHATIF_LOOKS or WHATIF_AHEAD_DAYS was reached */
    const struct told_if *clearings;
    const struct told_agency *agencies;
    uint8_t one_more_least, one_more_most; /* level that one more agency makes it at least (its lightest), at most */
    const struct told_silence *silences;
    const struct member *members; /* of an area */
    struct told_without without;
};

struct whatif_ask {
    int64_t at;                 /* not before the engine's time */
    struct slice without;       /* an agency; empty: none */
};

/* 1: there is such an enterprise; 0: there is none; negative: the state failed. All in the arena. */
int whatif(struct engine *, const struct ekey *, const struct whatif_ask *, struct arena *, struct explanation *,
           struct err *) WW_CHECK;
/* Is this an agency of the settings in force: what stands before the dot of a kind? */
bool whatif_agency(const struct engine *, struct slice);
/* An alert by its number; as whatif(). Texts in the arena. */
int whatif_alert(struct engine *, uint64_t number, struct arena *, struct alert *, struct err *) WW_CHECK;

/* The explanation as the value of `explanation` (docs/protocol.md): a map of msgpack. */
void whatif_pack(struct buf *, const struct explanation *);

#endif
