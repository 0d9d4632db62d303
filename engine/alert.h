/* SPDX-License-Identifier: Apache-2.0 */
/* An alert: an enterprise's open warning, one at a time, and the table of steps of its life.
 * Stored in T_ALERT whole, so that a list of alerts needs no other table. Pure. */
#ifndef ENGINE_ALERT_H
#define ENGINE_ALERT_H

#include "engine/event.h"

enum { MEASURES_TAKEN_MAX = 32, REOPEN_DAYS = 90 }; /* PROTOCOL: new signals within it reopen a closed alert */

/* A measure that was taken. */
enum taken_state { TAKEN_OPEN, TAKEN_ANSWERED, TAKEN_RAN_OUT /* to be told */, TAKEN_SILENT, TAKEN_ENDED };

struct taken {
    struct slice measure, ref; /* its id as configured when it was taken */
    uint64_t entry;            /* that took it */
    int64_t at, due;           /* due: NO_INT: none */
    int64_t people, amount;    /* NO_INT: not given */
    int64_t ends;              /* its term is over then; NO_INT: it has none */
    int64_t recovered;         /* of `amount`, where that was paid in advance (fen) */
    bool recover;              /* it was */
    uint8_t state;
};

/* Of what was paid in advance, what has not come back yet (fen). */
static inline int64_t taken_owed(const struct taken *t)
{
    return t->recover && t->amount != NO_INT && t->amount > t->recovered ? t->amount - t->recovered : 0;
}

/* It goes on when its alert is closed: a term runs, or money waits to be recovered. */
static inline bool taken_goes_on(const struct taken *t)
{
    return t->state != TAKEN_ENDED && (t->ends != NO_INT || taken_owed(t) > 0);
}

/* Which deadline an alert's `due` is. */
enum due_step { DUE_NONE, DUE_ACCEPT, DUE_VERIFY, DUE_CLOSE };

/* By when the step that is waited for must be done, and what lets that move (engine/pace.c). An alert's own lies in `due` and
 * in struct handling. */
struct pace {
    int64_t due, escalate_at;
    int64_t held_since, held_until, snoozed_since, snoozed_until;
    int64_t snoozed_ms;
    uint8_t step, tier, snoozed_level;
    bool overdue;
    uint32_t n_snoozed_kinds;
    uint32_t *snoozed_kinds;
};

/* How an alert is being worked (engine/steps.c, engine/timers.c). Times: NO_INT: not yet, or none. */
struct handling {
    int64_t opened_at;                  /* it rose, or came back: deadlines count from here */
    int64_t seen_at, accepted_at, forwarded_at, verified_at; /* the four first steps, since then */
    int64_t escalate_at;                /* overdue: the next tier has it then */
    int64_t unattended_at;              /* nobody looked: told then */
    int64_t held_since, held_until;     /* deadlines stand still */
    int64_t snoozed_since, snoozed_until;
    int64_t snoozed_ms;                 /* put off for so long in this life, by snoozes that are over */
    int64_t follow_up_at;               /* closed: to be called back then */
    uint8_t step;                       /* enum due_step of `due` */
    uint8_t tier;                       /* who has it: 0 the lowest */
    uint8_t extended;                   /* how often */
    uint8_t snoozed_level;
    bool overdue;                       /* told */
    bool unattended;                    /* told, and nobody has looked since: the next tier is in it */
    uint32_t n_snoozed_kinds;
    uint32_t *snoozed_kinds;            /* dict numbers of the kinds that counted when it was put off */
    struct slice routed;                /* team by place and industry when it rose, or since teams changed */
    uint32_t n_taken;
    struct taken *taken;
    /* the last step, to be undone by `correct`: its entry (0: none) and the alert's bytes before it */
    uint64_t undo_entry;
    struct slice undo;
    uint8_t undo_finding;               /* and what the record held as found */
    int64_t undo_finding_at;
    uint64_t undo_finding_entry;
    uint32_t n_undo_kinds;
    uint32_t *undo_kinds;               /* those that it knew of then */
    struct pace without;                /* as it would be without that step; none: there is no such step */
    struct slice found_who;             /* who said the finding that stands, when, and with what figures; NO_INT: none given */
    int64_t found_at, found_people, found_amount;
    uint8_t last_type;                  /* enum event_type of its last event, and who did it; empty: the daemon */
    struct slice last_who;
};

struct alert {
    uint64_t number;          /* that of its `raised` event */
    uint64_t version;         /* number of its events */
    uint64_t last_event;
    uint64_t parent;          /* alert of a project, owner or zone under which it stood first while open; 0: none */
    uint64_t closed_entry;    /* entry that closed it; only a later signal reopens */
    struct ekey key;
    uint8_t state, level;
    uint8_t finding;          /* 0 none, else enum finding */
    bool withdrawn;           /* closed by itself */
    uint32_t score;           /* at its last event, hundredths */
    int64_t raised_at, changed_at;
    int64_t closed_at;        /* NO_INT: never yet */
    int64_t due;              /* NO_INT */
    uint64_t evidence_sum;    /* of what counted at its last event: order-free checksum of numbers */
    uint64_t rules_sum;       /* of the rules that held then: order-free checksum of words */
    struct slice uscc, name, industry;
    region_t region;
    uint32_t n_places;
    const region_t *places;
    uint32_t rule;            /* DICT_RULE of its weightiest reason, UINT32_MAX: none (title) */
    struct slice team;        /* assigned; empty: by place */
    uint32_t n_joined;
    const struct slice *joined;
    uint32_t n_escalated;
    const uint32_t *escalated; /* DICT_RULE of the rules that have had their turn to take it up a tier, in this life */
    uint64_t climbed_entry;    /* the last time that one did: in which entry, and at which time; 0: none did */
    int64_t climbed_at;
    uint32_t n_teams;         /* who it is for (engine/route.c), who answers first */
    const struct slice *teams;
    struct handling h;
};

/* Nothing done yet: all times NO_INT. */
struct handling handling_none(void);
struct pace pace_none(void);

/* engine/steps.c: the words of what may be done to it now, as its state has it; who may and what each wants is told by the
 * refusal. At most cap of them; returns how many. w: NULL: none configured. */
struct work;
size_t steps_possible(const struct work *w, const struct alert *, const char **words, size_t cap);

enum finding { FINDING_NONE, FINDING_CONFIRMED, FINDING_UNFOUNDED, FINDING_FALSE_CLAIM };

void alert_put(struct buf *, const struct alert *);
int alert_get(struct slice bytes, struct arena *, struct alert *, struct err *) WW_CHECK;

#endif
