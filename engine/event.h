/* SPDX-License-Identifier: Apache-2.0 */
/* An alert event: one change to an alert, as it is stored (T_EVENT) and published. Pure; any thread. */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include "engine/dict.h"
#include "engine/ekey.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/region.h"
#include "lib/words.h"

enum { EVENT_SIGNALS_MAX = 32, /* evidence, and signals of one reason, that an event lists */
       EVENT_REASONS_MAX = 64, /* the weightiest of the rules that hold */
       EVENT_MEMBER_PLACES_MAX = 16, /* of a member of an area */
       EVENT_TAGS_MAX = 64 };  /* the first, in the order of the file */

/* Where another enterprise lies that something names: registered, then its places of work. What tells of it is for those
 * alone who may see one of them. */
struct lies {
    uint32_t n;
    const region_t *places;    /* at most EVENT_MEMBER_PLACES_MAX */
};

struct reason {
    uint32_t rule;             /* DICT_RULE */
    uint8_t level;             /* what this rule raises to */
    uint32_t signals_total;
    uint32_t n;                /* at most EVENT_SIGNALS_MAX, the newest, newest first */
    const uint64_t *signals;   /* journal numbers */
    struct slice other;        /* related: code or name of the other enterprise; empty: none */
    uint8_t link;              /* enum link_class that binds them; 0: none */
    struct lies other_lies;
    bool hidden;               /* not stored: `other` was taken out, for one who may not see it */
};

struct evidence {
    uint64_t seq;              /* journal number */
    struct slice id;
    uint32_t source, kind;     /* DICT_SOURCE, DICT_KIND; the agency is what stands before the kind's dot */
    int64_t at;
    uint32_t share_ppm;        /* of the hazard */
    int64_t amount, people;    /* NO_INT: not given */
    struct slice from, project; /* a signal of another enterprise (code or name) that counts at a share; empty: its own */
    uint32_t counted_ppm;      /* that share; PPM: its own */
    struct lies from_lies;
    bool hidden;               /* not stored: from, id, amount, people, project were taken out */
};

/* How far an enterprise is from a line of the law. What is short is 0 where it is met or not asked. */
struct assessed {
    struct slice line;         /* "crime", "listing" */
    bool met;
    int64_t people, months, amount;                /* as found; NO_INT: no signal tells */
    int64_t short_people, short_months, short_amount; /* of the nearest alternative */
    bool short_order;
    region_t region;           /* whose line it is */
    struct slice source;
};

/* A member of an area's alert. It is shown to those alone who may see one of its places. */
struct member {
    struct slice uscc, name;
    uint8_t level;
    uint32_t n_places;
    const region_t *places;    /* at most EVENT_MEMBER_PLACES_MAX */
};

struct event {
    uint64_t seq, alert;
    int64_t at;
    uint64_t version;          /* of the alert, this event counted */
    uint64_t entry;            /* journal number of the entry that caused it */
    uint8_t type;              /* enum event_type */
    uint8_t level_before, level;
    uint8_t state;             /* enum alert_state, after it */
    uint32_t score;            /* hundredths of a point */
    struct ekey key;           /* status is in it */
    struct slice uscc, name;   /* uscc empty: known by name only */
    region_t region;           /* registered place, else latest place of work; 0: none known */
    struct slice industry;
    uint32_t n_places;
    const region_t *places;    /* all of them: a subscriber of any gets it */
    uint32_t n_reasons;
    const struct reason *reasons;
    uint32_t n_evidence, evidence_total;
    const struct evidence *evidence; /* largest share first */
    int64_t due;               /* NO_INT: nothing is due */
    uint64_t merged_into;      /* withdrawn because two were one: the older alert; else 0 */
    bool rules_changed;        /* new settings, not new signals, changed it */
    uint32_t n_tags, n_assessed, n_members, members_total;
    const struct slice *tags;  /* of the rules that hold */
    const struct assessed *assessed;
    const struct member *members; /* of an area, at most EVENT_SIGNALS_MAX */
    struct slice rule;         /* escalated by a rule: its id */
    int64_t until;             /* snoozed, held: till when; NO_INT */
    uint8_t step;              /* overdue: enum due_step that ran out; 0: a measure's, or none */
    uint8_t tier;              /* that has the alert */
    uint32_t n_teams;          /* who it is for: who answers, who assists, whom the level or the tier calls */
    const struct slice *teams;
    struct slice principal, actor; /* of an action; empty otherwise */
    struct slice finding, outcome, measure, ref, team;
    int64_t people, amount;    /* as an action said; NO_INT */
    uint32_t members_open;     /* closed, of a parent: how many of its members' alerts are open and stay so */
    struct slice duty;         /* of EVENT_DUTY, which is no alert's: its id; `step` is enum duty_step then */
};

void event_put(struct buf *, const struct event *);
/* Lists in the arena, slices point into `bytes`. WW_EDAMAGED. */
int event_get(struct slice bytes, struct arena *, struct event *, struct err *) WW_CHECK;

/* The title of an event or alert in Chinese or English: that of its weightiest reason, else of its type. */
struct slice event_title(const struct event *, const struct dict *, bool zh);
/* Parts of a DICT_RULE word. */
void rule_words(struct slice word, struct slice *id, struct slice *zh, struct slice *en);

#endif
