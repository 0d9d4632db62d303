/* SPDX-License-Identifier: Apache-2.0 */
/* What a team does to an alert: the table of steps, the verdict on each, and what it changes. A refused step changes
 * nothing and says what is possible. */
#include "engine/steps.h"

#define IN(state)  (1u << ALERT_STATE_##state)
#define BEGUN      (IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED))
#define NOT_CLOSED (IN(OPEN) | BEGUN)

static const struct step {
    const char *what;
    unsigned may;            /* enum acting_role: who; configuration may reserve it further (struct step_limit) */
    unsigned from;           /* states in which it may be done */
    enum alert_state to;     /* ALERT_STATE_NONE: as it was */
    enum event_type event;
    bool undoable;           /* the last of these can be taken back by `correct` */
    check_fn *check;
    take_fn *take;
} steps[] = {
    {"accept", ACTS_ANY, IN(OPEN), ALERT_STATE_ACCEPTED, EVENT_ACCEPTED, true, NULL, step_take_accept},
    {"verify", ACTS_ANY, IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_VERIFIED, EVENT_VERIFIED, true, step_check_verify,
     step_take_verify},
    {"dispose", ACTS_ANY, IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_DISPOSED, EVENT_DISPOSED, true, step_check_dispose,
     step_take_dispose},
    {"close", ACTS_ANY, IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_CLOSED, EVENT_CLOSED, false, step_check_close, step_take_close},
    {"reopen", ACTS_ANY, IN(CLOSED), ALERT_STATE_ACCEPTED, EVENT_REOPENED, false, NULL, step_take_reopen},
    {"seen", ACTS_ANY, NOT_CLOSED, ALERT_STATE_NONE, EVENT_SEEN, false, NULL, step_take_seen},
    {"assign", ACTS_ANY, NOT_CLOSED, ALERT_STATE_NONE, EVENT_ASSIGNED, true, step_check_team, step_take_assign},
    {"join", ACTS_ANY, NOT_CLOSED, ALERT_STATE_NONE, EVENT_JOINED, true, step_check_team, step_take_join},
    {"escalate", ACTS_ANY, NOT_CLOSED, ALERT_STATE_NONE, EVENT_ESCALATED, true, step_check_escalate, step_take_escalate},
    {"extend", ACTS_ANY, BEGUN, ALERT_STATE_NONE, EVENT_EXTENDED, true, step_check_extend, step_take_extend},
    {"hold", ACTS_ANY, NOT_CLOSED, ALERT_STATE_NONE, EVENT_HELD, true, step_check_hold, step_take_hold},
    {"snooze", ACTS_ANY, NOT_CLOSED, ALERT_STATE_NONE, EVENT_SNOOZED, true, step_check_snooze, step_take_snooze},
    {"correct", ACTS_ANY, NOT_CLOSED, ALERT_STATE_NONE, EVENT_CORRECTED, false, correct_check, correct_take},
    {"end", ACTS_ANY, NOT_CLOSED | IN(CLOSED), ALERT_STATE_NONE, EVENT_MEASURE_ENDED, true, terms_check_end, terms_take_end},
    {"recovered", ACTS_ANY, NOT_CLOSED | IN(CLOSED), ALERT_STATE_NONE, EVENT_RECOVERED, true, terms_check_recovered, terms_take_recovered},
    {"follow_up", ACTS_ANY, IN(CLOSED), ALERT_STATE_NONE, EVENT_FOLLOW_UP, false, step_check_follow_up, step_take_follow_up},
    {"comment", ACTS_ANY, NOT_CLOSED | IN(CLOSED), ALERT_STATE_NONE, EVENT_COMMENTED, false, NULL, NULL},
};

static const char *const findings[] = {[FINDING_CONFIRMED] = "confirmed", [FINDING_UNFOUNDED] = "unfounded",
                                       [FINDING_FALSE_CLAIM] = "false_claim"};

int step_finding(struct slice word)
{
    int finding = FINDING_FALSE_CLAIM;
    while (finding > FINDING_NONE && !slice_is(word, findings[finding]))
        finding--;
    return finding;
}

struct slice step_who(const struct deed *d)
{
    return d->x->actor.n ? d->x->actor : d->x->principal;
}

void step_say(struct deed *d, const char *sentence)
{
    if (d->e->out)
        d->e->out->sentence = sentence;
}

const struct work *step_work(const struct deed *d)
{
    return d->e->settings->work;
}

const char *step_missing(struct deed *d, const char *sentence)
{
    d->code = WIRE_ERROR_MISSING_FIELD;
    return sentence;
}

const char *step_conflict(struct deed *d, const char *sentence)
{
    d->code = WIRE_ERROR_WRONG_STATE;
    return sentence;
}

struct arena *step_arena(struct deed *d)
{
    return d->e->out ? d->e->out->arena : &d->e->scratch;
}

/* ---- the verdict ---- */

static const struct step *find_step(struct slice what)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (slice_is(what, steps[i].what))
            return &steps[i];
    return NULL;
}

/* "accept, seen, assign". */
static const char *join(struct arena *arena, const char *const *words, size_t n)
{
    const char *all = "";
    for (size_t i = 0; i < n; i++)
        all = arena_printf(arena, "%s%s%s", all, *all ? ", " : "", words[i]);
    return all;
}

static const char *all_steps(struct deed *d)
{
    const char *words[ARRAY_LEN(steps)];
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        words[i] = steps[i].what;
    return join(step_arena(d), words, ARRAY_LEN(steps));
}

static const char *possible_steps(struct deed *d)
{
    const char *words[ARRAY_LEN(steps)];
    size_t n = steps_possible(step_work(d), d->a, words, ARRAY_LEN(words));
    return join(step_arena(d), words, n);
}

static void refuse(struct engine *e, enum wire_error code, const char *sentence)
{
    if (e->out) {
        e->out->refused = code;
        e->out->sentence = sentence;
    }
}

/* Somebody was quicker: what did they do? */
static const char *last_came(struct deed *d)
{
    const struct handling *h = &d->a->h;
    const char *what = event_wire(h->last_type);
    return arena_printf(step_arena(d), "last came \"%s\"%s%.*s", what ? what : "", h->last_who.n ? " by " : "",
                        SLICE_ARG(h->last_who));
}

static const char *changed_since(struct deed *d)
{
    return arena_printf(step_arena(d), "the alert has changed: it is at version %llu by now and %s; %s; look at it again",
                        (unsigned long long)d->a->version, alert_state_wire(d->a->state), last_came(d));
}

static const char *wrong_state(struct deed *d, const struct step *s)
{
    return arena_printf(step_arena(d), "an alert that is %s cannot be given %s; possible now: %s; %s",
                        alert_state_wire(d->a->state), s->what, possible_steps(d), last_came(d));
}

/* NULL: a place reserves nothing of it. */
static const struct step_limit *limit_of(const struct deed *d, const struct step *s)
{
    const struct work *w = step_work(d);
    for (size_t i = 0; w && i < LIMITS; i++)
        if (strcmp(limited_words[i], s->what) == 0)
            return &w->limits[i];
    return NULL;
}

/* Entries of old have no role: who might act then was asked when they came. NULL: this one may. */
static const char *role_refused(struct deed *d, const struct step *s)
{
    const struct step_limit *limit = limit_of(d, s);
    unsigned may = limit && limit->roles ? s->may & limit->roles : s->may;
    if (!d->x->role.n || (work_role(d->x->role) & may))
        return NULL;
    return arena_printf(step_arena(d), "the role %.*s may not %s an alert%s; that is for: %s", SLICE_ARG(d->x->role), s->what,
                        may == s->may ? "" : ", as this place has it (deadlines, steps)", work_roles(may));
}

/* What stands in the way of a step that its state allows. NULL: nothing. */
static const char *unfit(struct deed *d, const struct step *s)
{
    const struct step_limit *limit = limit_of(d, s);
    if (limit && limit->note && !d->x->has_note)
        return step_missing(d, arena_printf(step_arena(d), "%s needs a note here: why?", s->what));
    return s->check ? s->check(d) : NULL;
}

/* It is about the file of the case, so that it may be done also where a later alert stands in its place. */
static bool on_file(const struct step *s)
{
    return s->event == EVENT_COMMENTED || s->event == EVENT_FOLLOW_UP;
}

/* The verdict on an action: the step, or NULL with the refusal told. */
static const struct step *allowed(struct deed *d)
{
    const struct entry_action *x = d->x;
    const struct step *s = find_step(x->what);
    const char *wrong;
    d->code = WIRE_ERROR_BAD_FIELD;
    if (!x->may)
        refuse(d->e, WIRE_ERROR_DENIED, "this principal may not act on alerts of that place");
    else if (!s)
        refuse(d->e, WIRE_ERROR_BAD_FIELD, arena_printf(step_arena(d), "do: one of %s", all_steps(d)));
    else if ((wrong = role_refused(d, s)))
        refuse(d->e, WIRE_ERROR_DENIED, wrong);
    else if (x->version && x->version != d->a->version)
        refuse(d->e, WIRE_ERROR_WRONG_STATE, changed_since(d));
    else if (!(s->from >> d->a->state & 1))
        refuse(d->e, WIRE_ERROR_WRONG_STATE, wrong_state(d, s));
    else if (d->c->alert != d->a->number && !on_file(s))
        refuse(d->e, WIRE_ERROR_WRONG_STATE, "a later alert of this enterprise stands in its place; work that one");
    else if ((wrong = unfit(d, s)))
        refuse(d->e, d->code, wrong);
    else
        return s;
    return NULL;
}

/* What the action said, for whoever reads the event. */
static void copy_words(struct event *ev, const struct entry_action *x)
{
    ev->principal = x->principal;
    ev->actor = x->actor;
    ev->finding = x->finding;
    ev->outcome = x->outcome;
    ev->measure = x->measure;
    ev->ref = x->ref;
    ev->team = x->team;
    ev->people = x->paid_people != NO_INT ? x->paid_people : x->people;
    ev->amount = x->paid_amount != NO_INT ? x->paid_amount : x->amount;
}

static void take_step(struct deed *d, const struct step *s)
{
    struct alert *a = d->a;
    if (s->undoable)
        correct_remember(d);
    if (s->take)
        s->take(d);
    step_take_seen(d); /* whoever acts has looked */
    if (s->to == ALERT_STATE_NONE)
        return;
    a->state = (uint8_t)s->to;
    d->c->alert_open = a->state != ALERT_STATE_CLOSED;
    timers_wake(a, d->e->time);
    timers_set(d->e, a);
}

void life_act(struct engine *e, const struct entry_action *x)
{
    struct alert a;
    struct judgement j;
    if (!alert_load(e, x->alert, &a)) {
        refuse(e, WIRE_ERROR_NO_SUCH_ALERT, "no alert has that number; 'wagewarn alerts' lists them");
        return;
    }
    struct deed d = {.e = e, .c = identity_record(e, &a.key, a.name), .a = &a, .x = x};
    series_prepare(e, d.c);
    share_gather(e, d.c);
    const struct step *s = allowed(&d);
    if (!s)
        return;
    d.ev = alert_event(s->event, a.level);
    copy_words(&d.ev, x);
    take_step(&d, s);
    if (engine_failed(e))
        return;
    struct record judged = *d.c; /* shown with the reasons of now; the level changes by the judgement below */
    life_look(e, &judged, e->time, &j);
    explain(e, d.c, &j, &d.ev);
    alert_emit(e, d.c, &a, e->time, &d.ev);
    life_judge(e, d.c, e->time, CAUSE_SIGNALS); /* a finding, or what was settled, may change it; and when to look again */
}

/* ---- what is possible ---- */

static bool could(const struct work *w, const struct alert *a, enum event_type event)
{
    switch (event) {
    case EVENT_DISPOSED:
        return a->finding == FINDING_CONFIRMED;
    case EVENT_EXTENDED:
        return w && w->extend.given && a->due != NO_INT && !a->h.extended;
    case EVENT_HELD:
        return a->h.held_until == NO_INT;
    case EVENT_ESCALATED:
        return w && w->has_teams ? a->h.tier + 1u < w->n_tiers : a->h.tier == 0;
    case EVENT_CORRECTED:
        return a->h.undo_entry != 0;
    case EVENT_MEASURE_ENDED:
        return terms_next(a) != INT64_MAX;
    case EVENT_RECOVERED:
        return terms_owed(a);
    default:
        return true;
    }
}

size_t steps_possible(const struct work *w, const struct alert *a, const char **words, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(steps) && n < cap; i++)
        if ((steps[i].from >> a->state & 1) && could(w, a, steps[i].event))
            words[n++] = steps[i].what;
    return n;
}
