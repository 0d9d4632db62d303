/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the second account: which are allowed, and what they change. */
#include "tests/support/plain_life.h"

#include <stdio.h>
#include <string.h>

static const char *const level_names[] = {"general", "general", "major", "critical"};
static const char *const outcome_names[] = {"paid",        "unfounded", "false_claim", "mediated",
                                            "transferred", "listed",    "other"};

static void dispose(struct pl_alert *a, const struct plain_life *pl, const struct entry_action *x, int64_t at)
{
    struct pl_case *c = &a->now;
    char id[32];
    COPY(id, x->measure);
    const struct pw_measure *m = pw_measure(pl->work, id);
    struct pl_taken t = {.entry = pl->entry, .at = at, .due = pl_given(x->due), .state = PL_RUNS};
    if (t.due == PW_NEVER && m)
        t.due = pw_end(pl->work, m->due, at, false);
    t.goes_on = m && (m->lasts.given || (m->recover && x->amount != NO_INT && x->amount > 0));
    strcpy(t.measure, id);
    COPY(t.ref, x->ref);
    for (int i = 0; i < c->n_taken; i++)
        if ((c->taken[i].state == PL_RUNS || c->taken[i].goes_on) && !strcmp(c->taken[i].measure, t.measure) &&
            !strcmp(c->taken[i].ref, t.ref))
            c->taken[i].state = PL_ENDED;
    if (c->n_taken == PL_TAKEN)
        memmove(c->taken, c->taken + 1, --c->n_taken * sizeof t);
    c->taken[c->n_taken++] = t;
}

static const struct {
    const char *what, *states; /* open accepted verified disposed closed */
    bool undoable;
    int to, event;
} steps[] = {
    {"accept", "+----", true, PL_ACCEPTED, EVENT_ACCEPTED},
    {"verify", "-+++-", true, PL_VERIFIED, EVENT_VERIFIED},
    {"dispose", "--++-", true, PL_DISPOSED, EVENT_DISPOSED},
    {"close", "--++-", false, PL_CLOSED, EVENT_CLOSED},
    {"reopen", "----+", false, PL_ACCEPTED, EVENT_REOPENED},
    {"seen", "++++-", false, 0, EVENT_SEEN},
    {"assign", "++++-", true, 0, EVENT_ASSIGNED},
    {"join", "++++-", true, 0, EVENT_JOINED},
    {"escalate", "++++-", true, 0, EVENT_ESCALATED},
    {"extend", "-+++-", true, 0, EVENT_EXTENDED},
    {"hold", "++++-", true, 0, EVENT_HELD},
    {"snooze", "++++-", true, 0, EVENT_SNOOZED},
    {"correct", "++++-", false, 0, EVENT_CORRECTED},
    {"follow_up", "----+", false, 0, EVENT_FOLLOW_UP},
    {"comment", "+++++", false, 0, EVENT_COMMENTED},
};

static int step_of(const struct entry_action *x)
{
    for (int i = 0; i < (int)(sizeof steps / sizeof *steps); i++)
        if (pl_text_is(x->what, steps[i].what))
            return i;
    return -1;
}

static int outcome_of(const struct entry_action *x)
{
    for (int i = 0; i < 7; i++)
        if (pl_text_is(x->outcome, outcome_names[i]))
            return i;
    return -1;
}

static int finding_of(const struct entry_action *x)
{
    return pl_text_is(x->finding, "confirmed")     ? 1
           : pl_text_is(x->finding, "unfounded")   ? 2
           : pl_text_is(x->finding, "false_claim") ? 3
                                                   : 0;
}

static const char *refuses_measure(const struct plain_life *pl, const struct pl_alert *a,
                                   const struct entry_action *x, int64_t time)
{
    char id[40];
    COPY(id, x->measure);
    const struct pw_measure *m = pw_measure(pl->work, id);
    if (a->now.finding != 1)
        return "not confirmed";
    if (!m)
        return "no such measure";
    if (*m->levels && !pw_word(m->levels, level_names[a->level]))
        return "not at this level";
    char role[24];
    COPY(role, x->role);
    if (*m->roles && !pw_word(m->roles, role))
        return "not for this role";
    if ((pw_word(m->wants, "ref") && !x->ref.n) || (pw_word(m->wants, "people") && x->people == NO_INT) ||
        (pw_word(m->wants, "amount") && x->amount == NO_INT) ||
        (pw_word(m->wants, "due") && x->due == NO_INT && !m->due.given))
        return "a field is missing";
    if (x->due != NO_INT && (x->due <= time || x->due > pw_end(pl->work, m->due_most, time, false)))
        return "due is out of bounds";
    return NULL;
}

static int64_t extended_due(const struct plain_life *pl, const struct pl_alert *a)
{
    return pw_end(pl->work, pl->work->extend, a->now.due, true);
}

static const char *refuses_until(const struct plain_life *pl, const struct entry_action *x,
                                 struct pw_term most, int64_t used, int64_t time)
{
    return x->until == NO_INT || x->until <= time || x->until > pw_end(pl->work, most, time, false) - used
               ? "until is wrong"
               : NULL;
}

static const char *refuses_finding(const struct pl_case *c, const struct entry_action *x)
{
    bool other = (x->people != NO_INT && x->people != c->found_people) ||
                 (x->amount != NO_INT && x->amount != c->found_amount);
    if (!finding_of(x))
        return "no finding";
    return c->state >= PL_VERIFIED && c->finding == finding_of(x) && !other ? "found already" : NULL;
}

/* How it ended must not contradict what was found and done. */
static const char *refuses_outcome(const struct plain_life *pl, const struct pl_case *c, const struct entry_action *x)
{
    int outcome = outcome_of(x);
    bool wanted = false;
    if (!x->outcome.n)
        return c->finding == 1 ? "no outcome" : NULL;
    if (outcome < 0)
        return "no such outcome";
    if (outcome == 0 && (x->paid_people == NO_INT || x->paid_amount == NO_INT || !x->paid_people || !x->paid_amount))
        return "nobody was paid";
    if ((c->finding == 1) == (outcome == 1 || outcome == 2) && outcome <= 2)
        return "otherwise than was found";
    for (int i = 0; i < pl->work->n_measures; i++) {
        const struct pw_measure *m = &pl->work->measures[i];
        if (strcmp(m->outcome, outcome_names[outcome]) != 0)
            continue;
        wanted = true;
        for (int k = 0; k < c->n_taken; k++)
            if (strcmp(c->taken[k].measure, m->id) == 0)
                return NULL;
    }
    return wanted ? "its measure was not taken" : NULL;
}

const char *plain_refuses(const struct plain_life *pl, const struct pl_alert *a, const struct entry_action *x,
                          int64_t time)
{
    int s = step_of(x);
    char team[24];
    COPY(team, x->team);
    if (s < 0)
        return "no such step";
    if (x->version && x->version != a->version)
        return "it has changed";
    if (steps[s].states[a->now.state - PL_OPEN] != '+')
        return "not in this state";
    switch (steps[s].event) {
    case EVENT_VERIFIED:
        return refuses_finding(&a->now, x);
    case EVENT_DISPOSED:
        return refuses_measure(pl, a, x, time);
    case EVENT_CLOSED:
        return refuses_outcome(pl, &a->now, x);
    case EVENT_FOLLOW_UP:
        return x->finding.n && finding_of(x) != 1 && finding_of(x) != 2 ? "neither so nor not so" : NULL;
    case EVENT_ASSIGNED:
    case EVENT_JOINED:
        return pw_team_named(pl->work, team) ? NULL : "no such team";
    case EVENT_ESCALATED:
        return a->now.tier == TOP_TIER ? "at the top" : NULL;
    case EVENT_EXTENDED:
        return a->now.due == PW_NEVER || a->now.extended || extended_due(pl, a) + pl_rested(&a->now, time) <= time
                   ? "no more time"
                   : NULL;
    case EVENT_HELD:
        if (!x->has_note || (a->now.rest_until != PW_NEVER && a->now.held))
            return "no reason, or held already";
        return refuses_until(pl, x, pl->work->hold_most, 0, time);
    case EVENT_SNOOZED:
        if (a->level == PW_LEVELS - 1 && !x->has_note)
            return "no reason";
        return refuses_until(pl, x, pl->work->snooze_most, a->now.slept + (a->now.held ? 0 : pl_rested(&a->now, time)),
                             time);
    case EVENT_CORRECTED:
        return !a->undo || x->undo != a->undo ? "not the last step" : NULL;
    default:
        return NULL;
    }
}

static void rest(struct plain_life *pl, struct pl_alert *a, const struct entry_action *x, int64_t at,
                 bool held)
{
    const struct pl_firm *f = &pl->firms[a->firm];
    struct pl_case *c = &a->now;
    pl_wake(c, at);
    c->rest_since = at;
    c->rest_until = x->until;
    c->held = held;
    c->snoozed_level = a->level;
    c->n_kinds = 0;
    for (int i = 0; i < f->n_signals && !held; i++)
        if (c->n_kinds < PL_KINDS && pl_counts(pl, f, &f->signals[i]))
            strcpy(c->kinds[c->n_kinds++], f->signals[i].kind);
}

static void first(int64_t *when, int64_t at)
{
    if (*when == PW_NEVER)
        *when = at;
}

static uint64_t draw(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % 1000000;
}

/* What goes on has no day any more by which somebody must answer. */
static void end_measures(struct pl_case *c)
{
    for (int i = 0; i < c->n_taken; i++)
        if (c->taken[i].goes_on && c->taken[i].state != PL_ENDED)
            c->taken[i].due = PW_NEVER;
        else if (c->taken[i].state == PL_RUNS)
            c->taken[i].state = PL_ENDED;
}

static void close_case(struct plain_life *pl, struct pl_alert *a, const struct entry_action *x, int64_t at)
{
    int outcome = outcome_of(x);
    a->closed_at = at;
    snprintf(a->outcome, sizeof a->outcome, "%s", outcome < 0 ? "none" : outcome_names[outcome]);
    end_measures(&a->now);
    if (outcome == 0)
        pl_hear_all(&pl->firms[a->firm], pl->work->paid, at, pl->entry);
    if (outcome == 0 || draw(a->number) < pl->work->follow_up_ppm)
        a->follow_up_at = pw_end(pl->work, pl->work->follow_up, at, false);
    if (pl->firms[a->firm].key[19] == '0') {
        pl->figures.closed[outcome < 0 ? 7 : outcome]++;
        pl->figures.days += at - a->raised_at;
    }
}

/* Back to before the step; what the clock and the signals did since stays. */
static void correct(struct plain_life *pl, struct pl_alert *a, int64_t at)
{
    struct pl_firm *f = &pl->firms[a->firm];
    struct pl_case since = a->now;
    a->now = *pl_undone(a, at);
    for (int i = 0; i < a->now.n_taken; i++)
        for (int k = 0; k < since.n_taken; k++)
            if (since.taken[k].entry == a->now.taken[i].entry && since.taken[k].state != PL_ENDED)
                a->now.taken[i].state = since.taken[k].state;
            else if (since.taken[k].entry == a->now.taken[i].entry && a->now.taken[i].state == PL_RUNS)
                a->now.taken[i].back = at;
    for (int k = 0; k < since.n_taken; k++) { /* one that was never taken was not silent */
        bool stays = false;
        for (int i = 0; i < a->now.n_taken; i++)
            stays |= a->now.taken[i].entry == since.taken[k].entry;
        if (!stays && since.taken[k].state == PL_SILENT)
            pl_unsay(pl, f, &since.taken[k]);
    }
    for (int i = 0; i < f->n_signals; i++)
        if (f->signals[i].fed && f->signals[i].entry == a->undo)
            f->signals[i].cancelled = true;
    a->undo = 0;
}

static void take(struct plain_life *pl, struct pl_alert *a, int event, int64_t at)
{
    const struct entry_action *x = pl->action;
    struct pl_case *c = &a->now;
    char team[24];
    COPY(team, x->team);
    switch (event) {
    case EVENT_ACCEPTED:
        c->accepted_at = at;
        break;
    case EVENT_VERIFIED:
        c->finding = finding_of(x);
        c->found_people = x->people;
        c->found_amount = x->amount;
        first(&c->verified_at, at);
        if (c->finding != 1)
            end_measures(c); /* nothing is owed */
        if (c->finding == 3)
            pl_hear_all(&pl->firms[a->firm], pl->work->false_claim, at, pl->entry);
        break;
    case EVENT_DISPOSED:
        first(&c->forwarded_at, at);
        dispose(a, pl, x, at);
        break;
    case EVENT_CLOSED:
        close_case(pl, a, x, at);
        break;
    case EVENT_REOPENED: {
        int tier = c->tier;
        pl_begin(pl, a, at);
        a->follow_up_at = PW_NEVER; /* of a close that was none */
        c->tier = tier;
        c->accepted_at = at;
        break;
    }
    case EVENT_ASSIGNED:
        first(&c->forwarded_at, at);
        strcpy(c->team, team);
        break;
    case EVENT_JOINED:
        first(&c->forwarded_at, at);
        c->n_joined = pl_add_team(c->joined, c->n_joined, team);
        break;
    case EVENT_ESCALATED:
        first(&c->forwarded_at, at);
        pl_climb(pl, c, at);
        break;
    case EVENT_EXTENDED:
        c->due = extended_due(pl, a);
        c->extended = 1;
        c->overdue = false;
        c->escalate_at = PW_NEVER;
        break;
    case EVENT_HELD:
    case EVENT_SNOOZED:
        rest(pl, a, x, at, event == EVENT_HELD);
        break;
    case EVENT_CORRECTED:
        correct(pl, a, at);
        break;
    case EVENT_FOLLOW_UP:
        a->follow_up_at = PW_NEVER;
        break;
    default:
        break;
    }
}

void pl_on_action(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    int s = pl->action ? step_of(pl->action) : -1;
    if (s < 0 || pl->acted || pl->action->alert != a->number || steps[s].event != (int)ev->type) {
        pl_fault(pl, a, ev->at, "%s of %.*s, who did nothing of it", event_wire(ev->type),
                 (int)ev->principal.n, ev->principal.p);
        return;
    }
    pl->acted = true;
    if (steps[s].undoable) {
        a->before = a->now;
        a->undo = pl->entry;
    }
    take(pl, a, steps[s].event, ev->at);
    first(&a->seen_at, ev->at);
    a->unattended = false;
    if (!steps[s].to)
        return;
    pl_wake(&a->now, ev->at);
    pl_enter(pl, a, steps[s].to, a->now.state == PL_ACCEPTED ? a->now.verified_at : ev->at);
}

void plain_action(struct plain_life *pl, const struct entry_action *x, uint64_t entry, int64_t time)
{
    const struct pl_alert *a = plain_alert(pl, x->alert);
    pl->action = x;
    pl->entry = entry;
    pl->time = time;
    pl->acted = false;
    pl->refused = a ? plain_refuses(pl, a, x, time) : "no such alert";
}
