/* SPDX-License-Identifier: Apache-2.0 */
/* The second account of alerts' lives that tests hold the engine against. It takes as given what the signals
 * bring (raised, upgraded, downgraded, evidence, withdrawn, reopened, a rule's escalation: their times and
 * levels), the signals and the actions; and says for itself which steps are allowed, what is due when, when
 * `overdue`, each `escalated`, `unattended`, the end of a rest, `follow_up` come, which measures run out, and
 * who hears of it. Slow and plain.
 *
 * Use: for each entry, tell it (plain_signal, plain_action), apply it to the engine, give it each event
 * (plain_event), then plain_done. The first difference is a sentence that names the alert; nothing is looked
 * at after that. */
#ifndef TESTS_PLAIN_LIFE_H
#define TESTS_PLAIN_LIFE_H

#include "engine/entry.h"
#include "engine/event.h"
#include "tests/support/plain_work.h"

enum {
    PL_TAKEN = 32,
    PL_KINDS = 48,
    PL_LIST = 12,
    PL_NONE = 0,
    PL_OPEN,
    PL_ACCEPTED,
    PL_VERIFIED,
    PL_DISPOSED,
    PL_CLOSED
};
enum { PL_RUNS, PL_ANSWERED, PL_SILENT, PL_ENDED };

struct pl_signal {
    char kind[40];
    int64_t at, heard; /* as it says; when it was journalled */
    uint64_t entry;
    bool fed; /* by the fold itself */
    bool cancelled;
};

struct pl_firm {
    char key[24]; /* code, and a letter for its status */
    char place[16], registered[16], industry[8];
    int64_t place_at;
    struct pl_signal *signals;
    int n_signals;
    int alert; /* the latest; -1: none */
};

struct pl_taken {
    char measure[32], ref[24];
    uint64_t entry;
    int64_t at, due; /* PW_NEVER: none */
    int64_t back;    /* brought back then by a correct; 0: never */
    bool goes_on;    /* also when the alert is closed: it has a term, or its money waits to be recovered */
    int state;
};

struct pl_case { /* what `correct` can take back */
    int state, finding, tier, extended;
    bool overdue;
    int64_t due, escalate_at, accepted_at, forwarded_at, verified_at, rest_since, rest_until;
    bool held; /* the rest is a hold, not a snooze */
    int64_t slept; /* in snoozes of this life that are over */
    int64_t found_people, found_amount;
    int snoozed_level, n_kinds;
    char kinds[PL_KINDS][40];
    struct pl_taken taken[PL_TAKEN];
    int n_taken;
    char team[24], joined[PL_LIST][24];
    int n_joined;
};

struct pl_alert {
    uint64_t number, version;
    int firm, level;
    int64_t raised_at, opened_at, seen_at, unattended_at, follow_up_at, closed_at;
    bool unattended; /* told, and nobody has looked */
    int64_t set_at;  /* last change: what lies before it by then comes a millisecond later */
    char routed[24];
    char told[400]; /* whom its last event was for */
    char climbed[PL_LIST][40]; /* rules that took it up a tier in this life; the last time: */
    int n_climbed;
    uint64_t climbed_entry;
    int64_t climbed_at;
    struct pl_case now, before; /* before: as it would be by now without the step that can be taken back */
    uint64_t undo; /* entry that can be taken back; 0: none */
    char outcome[16]; /* of its last close; "withdrawn" */
};

struct pl_figures {
    unsigned alerts, lives, closed[8], withdrawn, overdue[4], escalated, unattended, followed, silent;
    int64_t days; /* ms from rise to close, of those closed */
};

struct plain_life {
    const struct plain_work *work;
    struct pl_firm *firms;
    int n_firms, *slots;     /* firm + 1, by hash of its key */
    struct pl_alert *alerts; /* by rise */
    int n_alerts;
    struct pl_figures figures;         /* actual ones alone */
    const struct entry_action *action; /* in hand */
    uint64_t entry;
    int64_t time;
    bool acted;          /* its event came */
    const char *refused; /* why it should be; NULL: it should not */
    char fault[600];     /* empty: none yet */
};

void plain_life_init(struct plain_life *, const struct plain_work *);
void plain_life_finish(struct plain_life *);
void plain_signal(struct plain_life *, const struct signal *, uint64_t entry, int64_t time);
void plain_action(struct plain_life *, const struct entry_action *, uint64_t entry, int64_t time);
void plain_event(struct plain_life *, const struct event *);
void plain_done(struct plain_life *, uint64_t entry, int64_t time,
                enum wire_error refused); /* after an entry's events */
/* Other settings are in force; after the sweep: every open alert is with who answers for its place now. */
void plain_swept(struct plain_life *);
void plain_look(struct plain_life *); /* nothing is untold by now: looks at all; once a day will do */
/* NULL: an action would be taken now; else why not. */
const char *plain_refuses(const struct plain_life *, const struct pl_alert *, const struct entry_action *,
                          int64_t time);
struct pl_alert *plain_alert(struct plain_life *, uint64_t number);    /* NULL: none */
unsigned plain_fed(const struct plain_life *, const struct pl_firm *); /* silences fed back */

/* ---- between its two rooms, plain_life.c and plain_steps.c ---- */
enum { TOP_TIER = 2 };

#define COPY(to, s) snprintf(to, sizeof(to), "%.*s", (int)(s).n, (s).p ? (s).p : "")

void pl_fault(struct plain_life *, const struct pl_alert *, int64_t at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool pl_text_is(struct slice, const char *text);
int64_t pl_given(int64_t);                                                         /* NO_INT: PW_NEVER */
void pl_hear_all(struct pl_firm *, const char *kinds, int64_t at, uint64_t entry); /* fed by the fold */
bool pl_counts(const struct plain_life *, const struct pl_firm *,
               const struct pl_signal *); /* nothing later clears it */
void pl_unsay(const struct plain_life *, struct pl_firm *,
              const struct pl_taken *); /* its silence is taken back */
int pl_add_team(char list[PL_LIST][24], int n, const char *id);
int64_t pl_rested(const struct pl_case *, int64_t at);
void pl_wake(struct pl_case *, int64_t at);
struct pl_case *pl_undone(struct pl_alert *, int64_t at);
bool pl_climb(const struct plain_life *, struct pl_case *, int64_t at);
void pl_enter(const struct plain_life *, struct pl_alert *, int state, int64_t since);
void pl_begin(struct plain_life *, struct pl_alert *, int64_t at);
void pl_on_action(struct plain_life *, struct pl_alert *, const struct event *);

#endif
