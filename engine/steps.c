/* SPDX-License-Identifier: Apache-2.0 */
/* What a team does to an alert: the table of steps, the verdict on each, and what it changes. A refused step changes
 * nothing and says what is possible. */
#include "engine/fold.h"

#define IN(state)  (1u << ALERT_STATE_##state)
#define NOT_CLOSED (IN(OPEN) | IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED))

static const char *check_verify(const struct entry_action *, const struct alert *);
static const char *check_dispose(const struct entry_action *, const struct alert *);
static const char *check_close(const struct entry_action *, const struct alert *);
static const char *check_team(const struct entry_action *, const struct alert *);

static const struct step {
    const char *what;
    unsigned from;                       /* states in which it may be done */
    enum alert_state to;                 /* ALERT_STATE_NONE: as it was */
    enum event_type event;
    /* NULL: all is there; else what is missing or wrong */
    const char *(*check)(const struct entry_action *, const struct alert *);
} steps[] = {
    {"accept", IN(OPEN), ALERT_STATE_ACCEPTED, EVENT_ACCEPTED, NULL},
    {"verify", IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_VERIFIED, EVENT_VERIFIED, check_verify},
    {"dispose", IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_DISPOSED, EVENT_DISPOSED, check_dispose},
    {"close", IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_CLOSED, EVENT_CLOSED, check_close},
    {"reopen", IN(CLOSED), ALERT_STATE_ACCEPTED, EVENT_REOPENED, NULL},
    {"seen", NOT_CLOSED, ALERT_STATE_NONE, EVENT_SEEN, NULL},
    {"assign", NOT_CLOSED, ALERT_STATE_NONE, EVENT_ASSIGNED, check_team},
    {"join", NOT_CLOSED, ALERT_STATE_NONE, EVENT_JOINED, check_team},
    {"escalate", NOT_CLOSED, ALERT_STATE_NONE, EVENT_ESCALATED, NULL},
    {"comment", NOT_CLOSED | IN(CLOSED), ALERT_STATE_NONE, EVENT_COMMENTED, NULL},
};

static const char *const findings[] = {NULL, "confirmed", "unfounded", "false_claim"};
static const char *const outcomes[] = {"paid", "unfounded", "false_claim", "mediated", "transferred", "listed", "other"};

static int word_at(const char *const *words, size_t n, struct slice s)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] && slice_is(s, words[i]))
            return (int)i;
    return -1;
}

static const char *check_verify(const struct entry_action *x, const struct alert *a)
{
    (void)a;
    return word_at(findings, ARRAY_LEN(findings), x->finding) > 0
               ? NULL
               : "verify needs a finding: confirmed, unfounded or false_claim";
}

static const char *check_dispose(const struct entry_action *x, const struct alert *a)
{
    if (a->finding != FINDING_CONFIRMED)
        return "dispose follows a finding of confirmed; verify it so, or close it";
    return x->measure.n ? NULL : "dispose needs a measure";
}

static const char *check_close(const struct entry_action *x, const struct alert *a)
{
    if (x->outcome.n == 0)
        return a->finding == FINDING_CONFIRMED ? "close needs an outcome once arrears are confirmed" : NULL;
    return word_at(outcomes, ARRAY_LEN(outcomes), x->outcome) >= 0
               ? NULL
               : "outcome is one of paid, unfounded, false_claim, mediated, transferred, listed, other";
}

static const char *check_team(const struct entry_action *x, const struct alert *a)
{
    (void)a;
    return x->team.n ? NULL : "a team is needed";
}

const char *alert_possible(enum alert_state state)
{
    static const char *const possible[] = {
        [ALERT_STATE_OPEN] = "accept, seen, assign, join, escalate, comment",
        [ALERT_STATE_ACCEPTED] = "verify, seen, assign, join, escalate, comment",
        [ALERT_STATE_VERIFIED] = "verify, dispose, close, seen, assign, join, escalate, comment",
        [ALERT_STATE_DISPOSED] = "verify, dispose, close, seen, assign, join, escalate, comment",
        [ALERT_STATE_CLOSED] = "reopen, comment",
    };
    return state < ARRAY_LEN(possible) ? possible[state] : "";
}

static void refuse(struct engine *e, enum wire_error code, const char *sentence)
{
    if (e->out) {
        e->out->refused = code;
        e->out->sentence = sentence;
    }
}

static const struct step *find_step(struct slice what)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (slice_is(what, steps[i].what))
            return &steps[i];
    return NULL;
}

/* The verdict on an action: the step, or NULL with the refusal told. */
static const struct step *allowed(struct engine *e, const struct entry_action *x, const struct alert *a)
{
    const struct step *s = find_step(x->what);
    struct arena *arena = e->out ? e->out->arena : &e->scratch;
    const char *wrong;
    if (!x->may)
        refuse(e, WIRE_ERROR_DENIED, "this principal may not act on alerts of that place");
    else if (!s)
        refuse(e, WIRE_ERROR_BAD_FIELD,
               "do: one of accept, verify, dispose, close, reopen, seen, assign, join, escalate, comment");
    else if (x->version && x->version != a->version)
        refuse(e, WIRE_ERROR_WRONG_STATE,
               arena_printf(arena, "the alert has changed: it is at version %llu by now and %s; look at it again",
                            (unsigned long long)a->version, alert_state_wire(a->state)));
    else if (!(s->from >> a->state & 1))
        refuse(e, WIRE_ERROR_WRONG_STATE,
               arena_printf(arena, "an alert that is %s cannot be given %s; possible now: %s",
                            alert_state_wire(a->state), s->what, alert_possible(a->state)));
    else if (s->check && (wrong = s->check(x, a)))
        refuse(e, WIRE_ERROR_BAD_FIELD, wrong);
    else
        return s;
    return NULL;
}

/* What a team found stands until evidence of a kind comes that did not count when it looked. */
static void note_finding(struct engine *e, struct record *c, uint8_t finding)
{
    c->finding = finding;
    c->finding_at = e->time;
    c->finding_entry = e->number;
    c->finding_kinds = arena_alloc(&e->scratch, c->n_series * sizeof *c->finding_kinds);
    c->n_finding_kinds = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].latest != NO_INT)
            c->finding_kinds[c->n_finding_kinds++] = c->series[i].kind;
}

static void take_step(struct engine *e, struct record *c, struct alert *a, const struct step *s,
                      const struct entry_action *x)
{
    if (s->event == EVENT_VERIFIED) {
        a->finding = (uint8_t)word_at(findings, ARRAY_LEN(findings), x->finding);
        note_finding(e, c, a->finding);
    }
    if (s->event == EVENT_ASSIGNED)
        a->team = x->team;
    if (s->event == EVENT_JOINED) {
        struct slice *joined = arena_alloc(&e->scratch, (a->n_joined + 1) * sizeof *joined);
        for (uint32_t i = 0; i < a->n_joined; i++)
            joined[i] = a->joined[i];
        joined[a->n_joined++] = x->team;
        a->joined = joined;
    }
    if (s->to == ALERT_STATE_CLOSED) {
        a->closed_entry = e->number;
        a->closed_at = e->time;
    }
    if (s->to != ALERT_STATE_NONE)
        a->state = (uint8_t)s->to;
    c->alert_open = a->state != ALERT_STATE_CLOSED;
}

void life_act(struct engine *e, const struct entry_action *x)
{
    struct alert a;
    if (!alert_load(e, x->alert, &a)) {
        refuse(e, WIRE_ERROR_NO_SUCH_ALERT, "no alert has that number; 'wagewarn alerts' lists them");
        return;
    }
    const struct step *s = allowed(e, x, &a);
    if (!s)
        return;
    struct record *c = identity_record(e, &a.key, a.name);
    if (s->event == EVENT_REOPENED && c->alert != a.number) {
        refuse(e, WIRE_ERROR_WRONG_STATE, "a later alert of this enterprise stands in its place; work that one");
        return;
    }
    struct event ev = alert_event(s->event, a.level);
    struct judgement j;
    series_prepare(e, c);
    share_gather(e, c);
    if (c->alert == a.number)
        take_step(e, c, &a, s, x);
    struct record judged = *c; /* shown with the reasons of now; the level changes by judgement only */
    life_look(e, &judged, e->time, &j);
    explain(e, c, &j, &ev);
    ev.principal = x->principal;
    ev.actor = x->actor;
    ev.finding = x->finding;
    ev.outcome = x->outcome;
    ev.measure = x->measure;
    ev.ref = x->ref;
    ev.team = x->team;
    ev.people = x->paid_people != NO_INT ? x->paid_people : x->people;
    ev.amount = x->paid_amount != NO_INT ? x->paid_amount : x->amount;
    alert_emit(e, c, &a, e->time, &ev);
    record_store(e, c);
}
