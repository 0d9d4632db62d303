/* SPDX-License-Identifier: Apache-2.0 */
/* What a team does to an alert: the table of steps, the verdict on each, and what it changes. A refused step changes
 * nothing and says what is possible. */
#include "engine/fold.h"

#define IN(state)  (1u << ALERT_STATE_##state)
#define NOT_CLOSED (IN(OPEN) | IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED))

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

static check_fn check_verify, check_dispose, check_close, check_team, check_snooze, check_correct, check_extend, check_hold,
    check_escalate;
static take_fn take_accept, take_verify, take_dispose, take_close, take_reopen, take_seen, take_assign, take_join,
    take_escalate, take_snooze, take_correct, take_extend, take_hold;

static const struct step {
    const char *what;
    unsigned from;           /* states in which it may be done */
    enum alert_state to;     /* ALERT_STATE_NONE: as it was */
    enum event_type event;
    bool undoable;           /* the last of these can be taken back by `correct` */
    check_fn *check;
    take_fn *take;
} steps[] = {
    {"accept", IN(OPEN), ALERT_STATE_ACCEPTED, EVENT_ACCEPTED, true, NULL, take_accept},
    {"verify", IN(ACCEPTED) | IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_VERIFIED, EVENT_VERIFIED, true, check_verify, take_verify},
    {"dispose", IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_DISPOSED, EVENT_DISPOSED, true, check_dispose, take_dispose},
    {"close", IN(VERIFIED) | IN(DISPOSED), ALERT_STATE_CLOSED, EVENT_CLOSED, false, check_close, take_close},
    {"reopen", IN(CLOSED), ALERT_STATE_ACCEPTED, EVENT_REOPENED, false, NULL, take_reopen},
    {"seen", NOT_CLOSED, ALERT_STATE_NONE, EVENT_SEEN, false, NULL, take_seen},
    {"assign", NOT_CLOSED, ALERT_STATE_NONE, EVENT_ASSIGNED, true, check_team, take_assign},
    {"join", NOT_CLOSED, ALERT_STATE_NONE, EVENT_JOINED, true, check_team, take_join},
    {"escalate", NOT_CLOSED, ALERT_STATE_NONE, EVENT_ESCALATED, true, check_escalate, take_escalate},
    {"extend", NOT_CLOSED, ALERT_STATE_NONE, EVENT_EXTENDED, true, check_extend, take_extend},
    {"hold", NOT_CLOSED, ALERT_STATE_NONE, EVENT_HELD, true, check_hold, take_hold},
    {"snooze", NOT_CLOSED, ALERT_STATE_NONE, EVENT_SNOOZED, true, check_snooze, take_snooze},
    {"correct", NOT_CLOSED, ALERT_STATE_NONE, EVENT_CORRECTED, false, check_correct, take_correct},
    {"comment", NOT_CLOSED | IN(CLOSED), ALERT_STATE_NONE, EVENT_COMMENTED, false, NULL, NULL},
};

static const char *const findings[] = {NULL, "confirmed", "unfounded", "false_claim"};
static const char *const outcomes[] = {"paid", "unfounded", "false_claim", "mediated", "transferred", "listed", "other"};
enum { OUTCOME_PAID = 0, OUTCOME_TRANSFERRED = 4 };

static int word_at(const char *const *words, size_t n, struct slice s)
{
    for (size_t i = 0; i < n; i++)
        if (words[i] && slice_is(s, words[i]))
            return (int)i;
    return -1;
}

static const struct work *work_of(const struct deed *d)
{
    return d->e->settings->work;
}

static const char *missing(struct deed *d, const char *sentence)
{
    d->code = WIRE_ERROR_MISSING_FIELD;
    return sentence;
}

static const char *conflict(struct deed *d, const char *sentence)
{
    d->code = WIRE_ERROR_WRONG_STATE;
    return sentence;
}

/* For sentences: the reply's arena. */
static struct arena *words_of(struct deed *d)
{
    return d->e->out ? d->e->out->arena : &d->e->scratch;
}

/* ---- what a step wants ---- */

static const char *check_verify(struct deed *d)
{
    if (!d->x->finding.n)
        return missing(d, "verify needs a finding: confirmed, unfounded or false_claim");
    return word_at(findings, ARRAY_LEN(findings), d->x->finding) > 0
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
            return missing(d, arena_printf(words_of(d), "the measure \"%.*s\" wants %s", SLICE_ARG(m->id), wants[i].word));
    int64_t most = term_end(work_of(d), &m->due_most, d->e->time);
    if (x->due != NO_INT && (x->due <= d->e->time || x->due > most))
        return arena_printf(words_of(d), "due of the measure \"%.*s\" must lie ahead%s", SLICE_ARG(m->id),
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

static const char *check_dispose(struct deed *d)
{
    const struct work *w = work_of(d);
    const struct measure *m = w ? work_measure(w, d->x->measure) : NULL;
    if (d->a->finding != FINDING_CONFIRMED)
        return conflict(d, "dispose follows a finding of confirmed; verify it so, or close it");
    if (!d->x->measure.n)
        return missing(d, "dispose needs a measure");
    if (!w || !w->has_measures)
        return NULL;
    if (!m)
        return arena_printf(words_of(d), "no measure is called \"%.*s\"; query {what: \"measures\"} lists them",
                            SLICE_ARG(d->x->measure));
    if (!(m->levels >> (d->a->level ? d->a->level : LEVEL_GENERAL) & 1))
        return conflict(d, arena_printf(words_of(d), "the measure \"%.*s\" may not be taken at the level %s", SLICE_ARG(m->id),
                                        level_wire(d->a->level)));
    if (!may_take(d, m)) {
        d->code = WIRE_ERROR_DENIED;
        return arena_printf(words_of(d), "the role %.*s may not take the measure \"%.*s\"", SLICE_ARG(d->x->role),
                            SLICE_ARG(m->id));
    }
    return check_wants(d, m);
}

static const char *check_close(struct deed *d)
{
    int outcome = word_at(outcomes, ARRAY_LEN(outcomes), d->x->outcome);
    if (d->x->outcome.n == 0)
        return d->a->finding == FINDING_CONFIRMED ? missing(d, "close needs an outcome once arrears are confirmed") : NULL;
    if (outcome < 0)
        return "outcome is one of paid, unfounded, false_claim, mediated, transferred, listed, other";
    if (outcome == OUTCOME_PAID && (d->x->paid_people == NO_INT || d->x->paid_amount == NO_INT))
        return missing(d, "the outcome paid wants paid_people and paid_amount: it is struck off when the money is there");
    return NULL;
}

static const char *check_team(struct deed *d)
{
    const struct work *w = work_of(d);
    if (!d->x->team.n)
        return missing(d, "a team is needed");
    if (w && w->has_teams && !work_team_named(w, d->x->team))
        return arena_printf(words_of(d), "no team is called \"%.*s\"; 'wagewarn routes list' names them", SLICE_ARG(d->x->team));
    return NULL;
}

static const char *check_escalate(struct deed *d)
{
    const struct work *w = work_of(d);
    if (w && w->has_teams && d->a->h.tier + 1u >= w->n_tiers)
        return conflict(d, "no tier lies above the one that has it");
    return NULL;
}

/* A moment ahead, and not beyond a configured length. */
static const char *check_until(struct deed *d, const struct term *most)
{
    const struct work *w = work_of(d);
    if (d->x->until == NO_INT)
        return missing(d, "until is missing: till when?");
    if (d->x->until <= d->e->time)
        return "until must lie ahead";
    if (w && d->x->until > term_end(w, most, d->e->time))
        return "until lies further ahead than is configured";
    return NULL;
}

static const char *check_snooze(struct deed *d)
{
    static const struct term none;
    return check_until(d, work_of(d) ? &work_of(d)->snooze_most : &none);
}

static const char *check_hold(struct deed *d)
{
    static const struct term none;
    if (!d->x->has_note)
        return missing(d, "hold needs a note: why do the deadlines stand still?");
    if (d->a->h.held_until != NO_INT)
        return conflict(d, "its deadlines stand still already");
    return check_until(d, work_of(d) ? &work_of(d)->hold_most : &none);
}

/* Once more, by so much, from the day on which it would have been due. */
static int64_t extended(const struct work *w, const struct alert *a)
{
    return term_end(w, &w->extend, w->extend.working ? a->due - 1 : a->due); /* 24:00 is the last moment of its day */
}

static const char *check_extend(struct deed *d)
{
    const struct work *w = work_of(d);
    if (!w || !w->extend.given || d->a->due == NO_INT)
        return conflict(d, "nothing is due that could be extended");
    if (d->a->h.extended)
        return conflict(d, "it was extended once, and may not be again");
    if (extended(w, d->a) + timers_rested(&d->a->h, d->e->time) <= d->e->time)
        return conflict(d, "it is overdue for longer than it could be extended");
    return NULL;
}

static const char *check_correct(struct deed *d)
{
    const struct handling *h = &d->a->h;
    if (!d->x->undo)
        return missing(d, "undo is missing: the seq that the mistaken step's done gave");
    if (d->x->undo == h->undo_entry)
        return NULL;
    return conflict(d, h->undo_entry ? arena_printf(words_of(d), "only the last step can be undone, which is %llu",
                                                    (unsigned long long)h->undo_entry)
                                     : "there is no step that could be undone");
}

/* ---- what a step changes ---- */

static void first_time(int64_t *when, int64_t now)
{
    if (*when == NO_INT)
        *when = now;
}

static void take_seen(struct deed *d)
{
    d->a->h.unattended = false;
    first_time(&d->a->h.seen_at, d->e->time);
}

static void take_accept(struct deed *d)
{
    d->a->h.accepted_at = d->e->time;
}

/* What a team found stands until evidence of a kind comes that did not count when it looked. */
static void note_finding(struct engine *e, struct record *c, uint8_t finding)
{
    c->finding = finding;
    c->finding_at = e->time;
    c->finding_entry = e->number;
    c->finding_kinds = arena_alloc(&e->scratch, (c->n_series + 1) * sizeof *c->finding_kinds);
    c->n_finding_kinds = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].latest != NO_INT)
            c->finding_kinds[c->n_finding_kinds++] = c->series[i].kind;
}

/* Signals by the fold itself that settle others, as configured: the money is there, or the claims were made up. */
static void settle(struct deed *d, const struct settles *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        timers_feed(d->e, d->c, s->kinds[i], d->e->time, NO_INT, NO_INT);
    if (s->n)
        series_prepare(d->e, d->c);
}

static void take_verify(struct deed *d)
{
    d->a->finding = (uint8_t)word_at(findings, ARRAY_LEN(findings), d->x->finding);
    note_finding(d->e, d->c, d->a->finding);
    first_time(&d->a->h.verified_at, d->e->time);
    if (d->a->finding == FINDING_FALSE_CLAIM && work_of(d))
        settle(d, &work_of(d)->settled_by_false_claim);
}

/* The same measure with the same document again ends the one before it. */
static void end_same(struct handling *h, const struct taken *now)
{
    for (uint32_t i = 0; i < h->n_taken; i++)
        if (h->taken[i].state == TAKEN_OPEN && slice_eq(h->taken[i].measure, now->measure) &&
            slice_eq(h->taken[i].ref, now->ref))
            h->taken[i].state = TAKEN_ENDED;
}

static void take_dispose(struct deed *d)
{
    struct handling *h = &d->a->h;
    const struct work *w = work_of(d);
    const struct measure *m = w ? work_measure(w, d->x->measure) : NULL;
    int64_t due = d->x->due != NO_INT || !m ? d->x->due : term_end(w, &m->due, d->e->time);
    struct taken now = {.measure = d->x->measure, .ref = d->x->ref, .entry = d->e->number, .at = d->e->time,
                        .due = due == INT64_MAX ? NO_INT : due, .people = d->x->people, .amount = d->x->amount};
    first_time(&h->forwarded_at, d->e->time);
    end_same(h, &now);
    uint32_t drop = h->n_taken == MEASURES_TAKEN_MAX; /* the journal has them all; the alert the newest */
    struct taken *list = arena_zalloc(&d->e->scratch, (h->n_taken + 1) * sizeof *list);
    for (uint32_t i = drop; i < h->n_taken; i++)
        list[i - drop] = h->taken[i];
    h->n_taken -= drop;
    list[h->n_taken++] = now;
    h->taken = list;
}

/* Called back later: what was paid always, of the rest a share, drawn by the alert's number so that anybody can check. */
static void set_follow_up(struct deed *d, bool paid)
{
    enum { PPM_ONE = 1000000 };
    const struct work *w = work_of(d);
    bool drawn = w && sig_mix(d->a->number) % PPM_ONE < w->follow_up_ppm;
    int64_t at = w && (paid || drawn) ? term_end(w, &w->follow_up, d->e->time) : INT64_MAX;
    d->a->h.follow_up_at = at == INT64_MAX ? NO_INT : at;
}

static void take_close(struct deed *d)
{
    bool paid = word_at(outcomes, ARRAY_LEN(outcomes), d->x->outcome) == OUTCOME_PAID;
    d->a->closed_entry = d->e->number;
    d->a->closed_at = d->e->time;
    if (paid && work_of(d))
        settle(d, &work_of(d)->settled_by_paid);
    for (uint32_t i = 0; i < d->a->h.n_taken; i++)
        if (d->a->h.taken[i].state == TAKEN_OPEN)
            d->a->h.taken[i].state = TAKEN_ENDED;
    set_follow_up(d, paid);
}

/* The same case goes on: who was called in still has it. */
static void take_reopen(struct deed *d)
{
    uint8_t tier = d->a->h.tier;
    timers_open(d->e, d->a, d->e->time);
    d->a->h.tier = tier;
    d->a->withdrawn = false;
    d->a->h.routed = route_team(d->e, d->c);
    d->a->h.seen_at = d->a->h.accepted_at = d->e->time;
}

static void take_assign(struct deed *d)
{
    d->a->team = d->x->team;
    first_time(&d->a->h.forwarded_at, d->e->time);
}

static void take_join(struct deed *d)
{
    struct alert *a = d->a;
    struct slice *joined = arena_alloc(&d->e->scratch, (a->n_joined + 1) * sizeof *joined);
    first_time(&a->h.forwarded_at, d->e->time);
    for (uint32_t i = 0; i < a->n_joined; i++) {
        joined[i] = a->joined[i];
        if (slice_eq(joined[i], d->x->team))
            return;
    }
    joined[a->n_joined++] = d->x->team;
    a->joined = joined;
}

static void take_escalate(struct deed *d)
{
    d->a->h.undo_climbed = timers_climb(d->e, d->a);
    first_time(&d->a->h.forwarded_at, d->e->time);
}

static void take_extend(struct deed *d)
{
    d->a->h.extended++;
    d->a->h.overdue = false;
    d->a->h.escalate_at = NO_INT;
    d->a->due = extended(work_of(d), d->a);
}

static void take_hold(struct deed *d)
{
    timers_wake(d->a, d->e->time);
    d->a->h.held_since = d->e->time;
    d->a->h.held_until = d->ev.until = d->x->until;
}

static void take_snooze(struct deed *d)
{
    struct handling *h = &d->a->h;
    timers_wake(d->a, d->e->time);
    h->snoozed_since = d->e->time;
    h->snoozed_until = d->ev.until = d->x->until;
    h->snoozed_level = d->a->level;
    h->snoozed_kinds = arena_alloc(&d->e->scratch, (d->c->n_series + 1) * sizeof *h->snoozed_kinds);
    h->n_snoozed_kinds = 0;
    for (uint32_t i = 0; i < d->c->n_series; i++)
        if (d->c->series[i].latest != NO_INT)
            h->snoozed_kinds[h->n_snoozed_kinds++] = d->c->series[i].kind;
}

/* ---- undoing ---- */

/* Measures as before the step, but what has come of them since: what was told is not told again. */
static void uncorrected_measures(const struct handling *now, struct handling *before)
{
    for (uint32_t i = 0; i < before->n_taken; i++)
        for (uint32_t k = 0; k < now->n_taken; k++)
            if (now->taken[k].entry == before->taken[i].entry && now->taken[k].state != TAKEN_ENDED)
                before->taken[i].state = now->taken[k].state;
}

/* What the clock, the rules and new settings did since the step, and that somebody has looked. */
static void keep_since(struct deed *d, const struct handling *now, uint8_t level_before)
{
    struct handling *h = &d->a->h;
    uint8_t tier = (uint8_t)(now->tier - now->undo_climbed);
    uncorrected_measures(now, h);
    h->seen_at = now->seen_at;
    h->unattended_at = now->unattended_at;
    h->unattended = now->unattended;
    h->routed = now->routed;
    if (tier != h->tier) {
        h->tier = tier;
        if (h->overdue)
            timers_turn(d->e, d->a);
    }
    timers_level(d->e, d->a, level_before, d->e->time);
}

/* As it was before the step: what teams did, not what signals or the clock brought since. */
static void take_correct(struct deed *d)
{
    struct alert before, *a = d->a;
    struct handling *h = &a->h, now = a->h;
    if (alert_get(arena_slice(&d->e->scratch, h->undo), &d->e->scratch, &before, d->e->err) < 0) {
        d->e->failed = true;
        return;
    }
    if (d->c->finding_entry == h->undo_entry) {
        d->c->finding = h->undo_finding;
        d->c->finding_at = h->undo_finding_at;
        d->c->finding_entry = h->undo_finding_entry;
    }
    for (uint32_t i = 0; i < d->c->n_series; i++)
        for (uint32_t k = d->c->series[i].n; k-- > 0;)
            if (d->c->series[i].sigs[k].seq != h->undo_entry && sig_entry(&d->c->series[i].sigs[k]) == h->undo_entry)
                series_cancel(d->e, d->c, &d->c->series[i], d->c->series[i].sigs[k].seq);
    series_prepare(d->e, d->c);
    a->state = before.state;
    a->finding = before.finding;
    a->due = before.due;
    a->team = before.team;
    a->n_joined = before.n_joined;
    a->joined = before.joined;
    a->h = before.h;
    keep_since(d, &now, before.level);
    a->h.undo_entry = 0;
    a->h.undo = (struct slice){0};
}

/* Before a step that can be taken back: the alert as it is. */
static void remember(struct deed *d)
{
    struct handling *h = &d->a->h;
    struct buf b = {0};
    h->undo_entry = 0;
    h->undo = (struct slice){0};
    h->undo_climbed = false;
    alert_put(&b, d->a);
    h->undo = (struct slice){arena_copy(&d->e->scratch, b.p, b.n), b.n};
    buf_finish(&b);
    h->undo_entry = d->e->number;
    h->undo_finding = d->c->finding;
    h->undo_finding_at = d->c->finding_at;
    h->undo_finding_entry = d->c->finding_entry;
}

/* ---- the verdict ---- */

static const struct step *find_step(struct slice what)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (slice_is(what, steps[i].what))
            return &steps[i];
    return NULL;
}

/* "accept, seen, assign": of those that a state allows, or of all of them. */
static const char *step_words(struct arena *arena, unsigned states)
{
    const char *words = "";
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (steps[i].from & states)
            words = arena_printf(arena, "%s%s%s", words, *words ? ", " : "", steps[i].what);
    return words;
}

static void refuse(struct engine *e, enum wire_error code, const char *sentence)
{
    if (e->out) {
        e->out->refused = code;
        e->out->sentence = sentence;
    }
}

/* Somebody was quicker: what did they do? */
static const char *changed_since(struct deed *d)
{
    const struct handling *h = &d->a->h;
    const char *what = event_wire(h->last_type);
    return arena_printf(words_of(d), "the alert has changed: it is at version %llu by now and %s; last came \"%s\"%s%.*s; look "
                                     "at it again",
                        (unsigned long long)d->a->version, alert_state_wire(d->a->state), what ? what : "",
                        h->last_who.n ? " by " : "", SLICE_ARG(h->last_who));
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
        refuse(d->e, WIRE_ERROR_BAD_FIELD, arena_printf(words_of(d), "do: one of %s", step_words(words_of(d), ~0u)));
    else if (x->version && x->version != d->a->version)
        refuse(d->e, WIRE_ERROR_WRONG_STATE, changed_since(d));
    else if (!(s->from >> d->a->state & 1))
        refuse(d->e, WIRE_ERROR_WRONG_STATE,
               arena_printf(words_of(d), "an alert that is %s cannot be given %s; possible now: %s",
                            alert_state_wire(d->a->state), s->what, step_words(words_of(d), 1u << d->a->state)));
    else if (s->check && (wrong = s->check(d)))
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
        remember(d);
    if (s->take)
        s->take(d);
    if (s->event != EVENT_COMMENTED)
        take_seen(d); /* whoever acts has looked */
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
    if (d.c->alert != a.number && s->event != EVENT_COMMENTED) {
        refuse(e, WIRE_ERROR_WRONG_STATE, "a later alert of this enterprise stands in its place; work that one");
        return;
    }
    d.ev = alert_event(s->event, a.level);
    if (d.c->alert == a.number)
        take_step(&d, s);
    if (engine_failed(e))
        return;
    struct record judged = *d.c; /* shown with the reasons of now; the level changes by the judgement below */
    life_look(e, &judged, e->time, &j);
    explain(e, d.c, &j, &d.ev);
    copy_words(&d.ev, x);
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
        return !w || !w->has_teams || a->h.tier + 1u < w->n_tiers;
    case EVENT_CORRECTED:
        return a->h.undo_entry != 0;
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
