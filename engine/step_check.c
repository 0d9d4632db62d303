/* SPDX-License-Identifier: Apache-2.0 */
/* What each step wants: its fields, and whether it makes sense now. Changes nothing. */
#include "engine/steps.h"

#include "lib/calendar.h"

/* What was found already is not found again by the next one; other figures are news. */
static const char *check_found(struct deed *d)
{
    const struct handling *h = &d->a->h;
    char when[26];
    bool again = d->a->state != ALERT_STATE_ACCEPTED && d->a->finding == step_finding(d->x->finding);
    if (!again || (d->x->people != NO_INT && d->x->people != h->found_people) ||
        (d->x->amount != NO_INT && d->x->amount != h->found_amount) || h->found_at == NO_INT)
        return NULL;
    time_format(h->found_at, d->e->settings->timezone, when);
    return step_conflict(d, arena_printf(step_arena(d), "%.*s found it %.*s at %s already; say what is found otherwise, or go on",
                                         SLICE_ARG(h->found_who), SLICE_ARG(d->x->finding), when));
}

const char *step_check_verify(struct deed *d)
{
    if (!d->x->finding.n)
        return step_missing(d, "verify needs a finding: confirmed, unfounded or false_claim");
    return step_finding(d->x->finding) ? check_found(d) : "finding is one of confirmed, unfounded, false_claim";
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

const char *step_check_role(struct deed *d, const struct measure *m)
{
    bool may = m->n_roles == 0 || d->x->role.n == 0;
    for (uint32_t i = 0; i < m->n_roles && !may; i++)
        may = slice_eq(m->roles[i], d->x->role);
    if (may)
        return NULL;
    d->code = WIRE_ERROR_DENIED;
    return arena_printf(step_arena(d), "the role %.*s may not take the measure \"%.*s\"", SLICE_ARG(d->x->role), SLICE_ARG(m->id));
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
    const char *wrong = step_check_role(d, m);
    if (!wrong)
        wrong = terms_check_room(d);
    return wrong ? wrong : check_wants(d, m);
}

/* Measures of which one must have been taken before such an outcome may be told; empty: there are none. */
static const char *wanted_measures(struct deed *d, int outcome, bool *taken)
{
    const struct work *w = step_work(d);
    const char *words = "";
    *taken = false;
    for (uint32_t i = 0; w && i < w->n_measures; i++) {
        const struct measure *m = &w->measures[i];
        if (!(m->outcomes >> outcome & 1))
            continue;
        words = arena_printf(step_arena(d), "%s%s%.*s", words, *words ? ", " : "", SLICE_ARG(m->id));
        for (uint32_t k = 0; k < d->a->h.n_taken; k++)
            *taken |= slice_eq(d->a->h.taken[k].measure, m->id);
    }
    return words;
}

/* An outcome that contradicts what was found or done. */
static const char *check_outcome(struct deed *d, int outcome)
{
    bool confirmed = d->a->finding == FINDING_CONFIRMED, taken;
    const char *measures = wanted_measures(d, outcome, &taken);
    if (confirmed && (outcome == OUTCOME_UNFOUNDED || outcome == OUTCOME_FALSE_CLAIM))
        return step_conflict(d, "arrears are confirmed, so it cannot end as unfounded or as a false claim; verify it so first");
    if (!confirmed && outcome == OUTCOME_PAID)
        return step_conflict(d, "no arrears are confirmed that could be paid; verify them first, or close it as what was found");
    if (*measures && !taken)
        return step_conflict(d, arena_printf(step_arena(d), "the outcome %.*s wants the measure to have been taken: %s; dispose so "
                                                            "first", SLICE_ARG(d->x->outcome), measures));
    return NULL;
}

const char *step_check_close(struct deed *d)
{
    int outcome = work_outcome(d->x->outcome);
    if (d->x->outcome.n == 0)
        return d->a->finding == FINDING_CONFIRMED ? step_missing(d, "close needs an outcome once arrears are confirmed") : NULL;
    if (outcome < 0)
        return "outcome is one of paid, unfounded, false_claim, mediated, transferred, listed, other";
    if (outcome == OUTCOME_PAID && (d->x->paid_people == NO_INT || d->x->paid_amount == NO_INT))
        return step_missing(d, "the outcome paid wants paid_people and paid_amount: it is struck off when the money is there");
    if (outcome == OUTCOME_PAID && (d->x->paid_people == 0 || d->x->paid_amount == 0))
        return "nobody was paid: with the outcome paid, paid_people and paid_amount are more than 0";
    return check_outcome(d, outcome);
}

const char *step_check_follow_up(struct deed *d)
{
    int finding = step_finding(d->x->finding);
    return !d->x->finding.n || finding == FINDING_CONFIRMED || finding == FINDING_UNFOUNDED
               ? NULL
               : "finding of a follow_up is confirmed (what was closed is so) or unfounded (it is not)";
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
    if ((!w || !w->has_teams) && d->a->h.tier)
        return step_conflict(d, "it was escalated already, and nobody is known to whom it could go next; name tiers and teams in a "
                                "teams.yaml, and that under 'teams' in the configuration");
    if (w && w->has_teams && d->a->h.tier + 1u >= w->n_tiers)
        return step_conflict(d, "no tier lies above the one that has it");
    return NULL;
}

/* A moment ahead, and not beyond a configured length, of which so much is used up. */
static const char *check_until(struct deed *d, const struct term *most, int64_t used)
{
    const struct work *w = step_work(d);
    if (d->x->until == NO_INT)
        return step_missing(d, "until is missing: till when?");
    if (d->x->until <= d->e->time)
        return "until must lie ahead";
    int64_t latest = w ? term_end(w, most, d->e->time) : INT64_MAX;
    if (latest == INT64_MAX || d->x->until <= latest - used)
        return NULL;
    if (d->x->until <= latest || latest - used <= d->e->time)
        return arena_printf(step_arena(d), "it was put off for %lld hours already; all snoozes of one life together are at most "
                                           "what is configured as snooze_most",
                            (long long)(used / 3600000));
    return "until lies further ahead than is configured";
}

const char *step_check_snooze(struct deed *d)
{
    static const struct term none;
    const struct handling *h = &d->a->h;
    int64_t running = h->snoozed_until != NO_INT ? d->e->time - h->snoozed_since : 0;
    if (d->a->level == LEVEL_CRITICAL && !d->x->has_note)
        return step_missing(d, "a critical alert is put off with a note: why?");
    return check_until(d, step_work(d) ? &step_work(d)->snooze_most : &none, h->snoozed_ms + running);
}

const char *step_check_hold(struct deed *d)
{
    static const struct term none;
    if (!d->x->has_note)
        return step_missing(d, "hold needs a note: why do the deadlines stand still?");
    if (d->a->h.held_until != NO_INT)
        return step_conflict(d, "its deadlines stand still already");
    return check_until(d, step_work(d) ? &step_work(d)->hold_most : &none, 0);
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
