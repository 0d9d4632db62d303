/* SPDX-License-Identifier: Apache-2.0 */
/* What each step wants: its fields, and whether it makes sense now. Changes nothing. */
#include "engine/steps.h"

const char *step_check_verify(struct deed *d)
{
    if (!d->x->finding.n)
        return step_missing(d, "verify needs a finding: confirmed, unfounded or false_claim");
    return step_finding(d->x->finding) > 0
               ? NULL
               : "finding is one of confirmed, unfounded, false_claim";
}

/* The fields that a configured measure wants. */
static const char *check_wants(struct deed *d, const struct measure *m)
{
    const struct entry_action *x = d->x;
    const struct {
        unsigned want;
        bool there;
        const char *word;
    } wants[] = {{WANT_REF, x->ref.n > 0, "ref"},
                 {WANT_DUE, x->due != NO_INT || m->due.given, "due"},
                 {WANT_PEOPLE, x->people != NO_INT, "people"},
                 {WANT_AMOUNT, x->amount != NO_INT, "amount"},
                 {WANT_NOTE, x->has_note, "note"}};
    for (size_t i = 0; i < ARRAY_LEN(wants); i++)
        if (m->wants & wants[i].want && !wants[i].there)
            return step_missing(d, arena_printf(step_arena(d), "the measure \"%.*s\" wants %s", SLICE_ARG(m->id), wants[i].word));
    int64_t most = term_end(step_work(d), &m->due_most, d->e->time);
    if (x->due != NO_INT && (x->due <= d->e->time || x->due > most))
        return arena_printf(step_arena(d), "due of the measure \"%.*s\" must lie ahead%s", SLICE_ARG(m->id),
                            m->due_most.given ? ", and not beyond what is configured as its due_most" : "");
    return NULL;
}

static bool may_take(const struct deed *d, const struct measure *m)
{
    bool may = m->n_roles == 0 || d->x->role.n == 0;
    for (uint32_t i = 0; i < m->n_roles && !may; i++)
        may = slice_eq(m->roles[i], d->x->role);
    return may;
}

const char *step_check_dispose(struct deed *d)
{
    const struct work *w = step_work(d);
    const struct measure *m = w ? work_measure(w, d->x->measure) : NULL;
    if (d->a->finding != FINDING_CONFIRMED)
        return step_conflict(d, "dispose follows a finding of confirmed; verify it so, or close it");
    if (!d->x->measure.n)
        return step_missing(d, "dispose needs a measure");
    if (!w || !w->has_measures)
        return NULL;
    if (!m)
        return arena_printf(step_arena(d), "no measure is called \"%.*s\"; query {what: \"measures\"} lists them",
                            SLICE_ARG(d->x->measure));
    if (!(m->levels >> (d->a->level ? d->a->level : LEVEL_GENERAL) & 1))
        return step_conflict(d, arena_printf(step_arena(d), "the measure \"%.*s\" may not be taken at the level %s", SLICE_ARG(m->id),
                                        level_wire(d->a->level)));
    if (!may_take(d, m)) {
        d->code = WIRE_ERROR_DENIED;
        return arena_printf(step_arena(d), "the role %.*s may not take the measure \"%.*s\"", SLICE_ARG(d->x->role),
                            SLICE_ARG(m->id));
    }
    return check_wants(d, m);
}

const char *step_check_close(struct deed *d)
{
    int outcome = step_outcome(d->x->outcome);
    if (d->x->outcome.n == 0)
        return d->a->finding == FINDING_CONFIRMED ? step_missing(d, "close needs an outcome once arrears are confirmed") : NULL;
    if (outcome < 0)
        return "outcome is one of paid, unfounded, false_claim, mediated, transferred, listed, other";
    if (outcome == OUTCOME_PAID && (d->x->paid_people == NO_INT || d->x->paid_amount == NO_INT))
        return step_missing(d, "the outcome paid wants paid_people and paid_amount: it is struck off when the money is there");
    return NULL;
}

const char *step_check_team(struct deed *d)
{
    const struct work *w = step_work(d);
    if (!d->x->team.n)
        return step_missing(d, "a team is needed");
    if (w && w->has_teams && !work_team_named(w, d->x->team))
        return arena_printf(step_arena(d), "no team is called \"%.*s\"; 'wagewarn routes list' names them", SLICE_ARG(d->x->team));
    return NULL;
}

const char *step_check_escalate(struct deed *d)
{
    const struct work *w = step_work(d);
    if (w && w->has_teams && d->a->h.tier + 1u >= w->n_tiers)
        return step_conflict(d, "no tier lies above the one that has it");
    return NULL;
}

/* A moment ahead, and not beyond a configured length. */
static const char *check_until(struct deed *d, const struct term *most)
{
    const struct work *w = step_work(d);
    if (d->x->until == NO_INT)
        return step_missing(d, "until is missing: till when?");
    if (d->x->until <= d->e->time)
        return "until must lie ahead";
    if (w && d->x->until > term_end(w, most, d->e->time))
        return "until lies further ahead than is configured";
    return NULL;
}

const char *step_check_snooze(struct deed *d)
{
    static const struct term none;
    return check_until(d, step_work(d) ? &step_work(d)->snooze_most : &none);
}

const char *step_check_hold(struct deed *d)
{
    static const struct term none;
    if (!d->x->has_note)
        return step_missing(d, "hold needs a note: why do the deadlines stand still?");
    if (d->a->h.held_until != NO_INT)
        return step_conflict(d, "its deadlines stand still already");
    return check_until(d, step_work(d) ? &step_work(d)->hold_most : &none);
}

/* Once more, by so much, from the day on which it would have been due. */
int64_t step_extended(const struct work *w, const struct alert *a)
{
    return term_end(w, &w->extend, w->extend.working ? a->due - 1 : a->due); /* 24:00 is the last moment of its day */
}

const char *step_check_extend(struct deed *d)
{
    const struct work *w = step_work(d);
    if (!w || !w->extend.given || d->a->due == NO_INT)
        return step_conflict(d, "nothing is due that could be extended");
    if (d->a->h.extended)
        return step_conflict(d, "it was extended once, and may not be again");
    if (step_extended(w, d->a) + timers_rested(&d->a->h, d->e->time) <= d->e->time)
        return step_conflict(d, "it is overdue for longer than it could be extended");
    return NULL;
}
