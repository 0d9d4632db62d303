/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms of steps share: engine/steps.c has the table and the verdict, engine/step_check.c what each step wants,
 * engine/step_take.c what it changes, engine/correct.c how it is undone. Writer thread. */
#ifndef ENGINE_STEPS_H
#define ENGINE_STEPS_H

#include "engine/fold.h"

/* A step in hand. */
struct deed {
    struct engine *e;
    struct record *c;
    struct alert *a;
    const struct entry_action *x;
    struct event ev;         /* what it will say */
    enum wire_error code;    /* of a refusal */
};

/* NULL: all is there; else what is missing or wrong, with `code` set. */
typedef const char *check_fn(struct deed *);
typedef void take_fn(struct deed *);

int step_finding(struct slice word); /* enum finding; 0: none of them */

/* For checks and takes. */
struct slice step_who(const struct deed *);   /* the person, else the principal */
void step_say(struct deed *, const char *);   /* a sentence that goes with the answer to a step that is done */
const struct work *step_work(const struct deed *);
struct arena *step_arena(struct deed *);                        /* for sentences: the reply's arena */
const char *step_missing(struct deed *, const char *sentence);  /* sets the code, gives the sentence back */
const char *step_conflict(struct deed *, const char *sentence); /* likewise wrong_state */
int64_t step_extended(const struct work *, const struct alert *); /* where `extend` would put its deadline */

/* ---- step_check.c ---- */
check_fn step_check_verify, step_check_dispose, step_check_close, step_check_team, step_check_snooze, step_check_extend,
    step_check_hold, step_check_escalate, step_check_follow_up;

/* May this role take such a measure, or end one? */
const char *step_check_role(struct deed *, const struct measure *);

/* ---- step_take.c ---- */
take_fn step_take_accept, step_take_verify, step_take_dispose, step_take_close, step_take_reopen, step_take_seen,
    step_take_assign, step_take_join, step_take_escalate, step_take_snooze, step_take_extend, step_take_hold, step_take_follow_up;

/* ---- terms.c: measures that outlive their alert ---- */
check_fn terms_check_room, terms_check_end, terms_check_recovered;
take_fn terms_take_end, terms_take_recovered;
void terms_close_parent(struct deed *); /* a parent's alert is closed: what of its members */
void terms_since(struct handling *before, int64_t now); /* a step is undone: what is over by now stays so */

/* ---- correct.c: undoing the last step ---- */
void correct_remember(struct deed *); /* before a step that can be taken back */
check_fn correct_check;
take_fn correct_take;

#endif
