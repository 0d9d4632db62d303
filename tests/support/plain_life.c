/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plain_life.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 15 };

void pl_fault(struct plain_life *pl, const struct pl_alert *a, int64_t at, const char *fmt, ...)
{
    char what[400];
    va_list ap;
    if (pl->fault[0])
        return;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(pl->fault, sizeof pl->fault, "alert %llu of %s, day %lld of the year, +%lld ms: %s",
             a ? (unsigned long long)a->number : 0, a ? pl->firms[a->firm].key : "-", (long long)pw_day(at),
             (long long)(at - PW_NEW_YEAR - pw_day(at) * PW_DAY), what);
}

bool pl_text_is(struct slice s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

int64_t pl_given(int64_t v)
{
    return v == NO_INT ? PW_NEVER : v;
}

/* ---- firms ---- */

static int *slot_of(struct plain_life *pl, const char *key)
{
    unsigned h = 2166136261u;
    for (const char *p = key; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    while (pl->slots[h % SLOTS] && strcmp(pl->firms[pl->slots[h % SLOTS] - 1].key, key) != 0)
        h++;
    return &pl->slots[h % SLOTS];
}

static int firm_of(struct plain_life *pl, struct slice uscc, int status)
{
    char key[24];
    snprintf(key, sizeof key, "%.*s/%d", (int)uscc.n, uscc.p, status);
    int *slot = slot_of(pl, key);
    if (!*slot) {
        pl->firms = realloc(pl->firms, (size_t)(pl->n_firms + 1) * sizeof *pl->firms);
        pl->firms[pl->n_firms] = (struct pl_firm){.alert = -1, .place_at = INT64_MIN};
        strcpy(pl->firms[pl->n_firms].key, key);
        *slot = ++pl->n_firms;
    }
    return *slot - 1;
}

static void hear(struct pl_firm *f, const char *kind, int64_t at, int64_t heard, uint64_t entry, bool fed)
{
    f->signals = realloc(f->signals, (size_t)(f->n_signals + 1) * sizeof *f->signals);
    struct pl_signal *s = &f->signals[f->n_signals++];
    *s = (struct pl_signal){.at = at, .heard = heard, .entry = entry, .fed = fed};
    snprintf(s->kind, sizeof s->kind, "%s", kind);
}

void pl_hear_all(struct pl_firm *f, const char *kinds, int64_t at, uint64_t entry)
{
    char list[200], *save = NULL;
    snprintf(list, sizeof list, "%s", kinds);
    for (char *k = strtok_r(list, ", ", &save); k; k = strtok_r(NULL, ", ", &save))
        hear(f, k, at, at, entry, true);
}

/* The silence of a measure is taken back. */
void pl_unsay(const struct plain_life *pl, struct pl_firm *f, const struct pl_taken *t)
{
    const struct pw_measure *m = pw_measure(pl->work, t->measure);
    for (int k = 0; m && k < f->n_signals; k++) {
        struct pl_signal *s = &f->signals[k];
        if (s->fed && !s->cancelled && s->at == t->due && strcmp(s->kind, m->silence) == 0) {
            s->cancelled = true;
            return;
        }
    }
}

/* Dated after the measure, or on its day and reported after it. */
static bool follows(const struct pl_taken *t, int64_t at, uint64_t entry)
{
    return at >= t->at || (pw_day(at) == pw_day(t->at) && entry > t->entry);
}

/* What was answered in time, and is only reported now, was not silent: what was fed back is taken back. */
static void answered_late(struct plain_life *pl, struct pl_firm *f, const char *kind, int64_t at,
                          uint64_t entry, int64_t time)
{
    struct pl_case *c = &pl->alerts[f->alert].now;
    for (int i = 0; i < c->n_taken; i++) {
        struct pl_taken *t = &c->taken[i];
        const struct pw_measure *m = pw_measure(pl->work, t->measure);
        if (t->state != PL_SILENT || t->due > time || !follows(t, at, entry) || at > t->due || !m || !*m->silence ||
            !pw_word(m->answered_by, kind))
            continue;
        t->state = PL_ANSWERED;
        pl_unsay(pl, f, t);
    }
}

void plain_signal(struct plain_life *pl, const struct signal *s, uint64_t entry, int64_t time)
{
    int firm = firm_of(pl, s->uscc, s->status);
    struct pl_firm *f = &pl->firms[firm];
    char kind[40];
    COPY(kind, s->kind);
    hear(f, kind, s->at, time, entry, false);
    if (f->alert >= 0)
        answered_late(pl, f, kind, s->at, entry, time);
    if (s->region.n && s->at >= f->place_at && strcmp(kind, "registry.profile") != 0) {
        COPY(f->place, s->region);
        f->place_at = s->at;
    }
    if (strcmp(kind, "registry.profile") == 0)
        COPY(f->registered, s->region);
    if (s->industry.n)
        COPY(f->industry, s->industry);
}

/* Does a signal count: nothing later clears it. */
bool pl_counts(const struct plain_life *pl, const struct pl_firm *f, const struct pl_signal *s)
{
    const struct pw_kind *k = pw_kind(pl->work, s->kind);
    if (s->cancelled || !k || !k->counts)
        return false;
    for (int i = 0; i < f->n_signals; i++) {
        const struct pl_signal *by = &f->signals[i];
        const struct pw_kind *clears = pw_kind(pl->work, by->kind);
        if (!by->cancelled && by->at >= s->at && clears && pw_word(clears->clears, s->kind))
            return false;
    }
    return true;
}

unsigned plain_fed(const struct plain_life *pl, const struct pl_firm *f)
{
    unsigned n = 0;
    for (int i = 0; i < f->n_signals; i++) {
        const struct pw_kind *k = pw_kind(pl->work, f->signals[i].kind);
        n += f->signals[i].fed && !f->signals[i].cancelled && k && k->counts;
    }
    return n;
}

/* ---- who hears of it ---- */

static void lowest_team(const struct plain_life *pl, const char *place, const char *industry, char out[24])
{
    const struct pw_team *t = NULL;
    for (int tier = 0; tier <= TOP_TIER && !t && *place; tier++)
        t = pw_team(pl->work, place, industry, tier);
    strcpy(out, t ? t->id : "");
}

static void route(const struct plain_life *pl, const struct pl_alert *a, char out[24])
{
    const struct pl_firm *f = &pl->firms[a->firm];
    lowest_team(pl, f->place, f->industry, out);
}

int pl_add_team(char list[PL_LIST][24], int n, const char *id)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i], id) == 0)
            return n;
    if (!*id || n == PL_LIST)
        return n;
    strcpy(list[n], id);
    return n + 1;
}

static int teams_of(const struct plain_life *pl, const struct pl_alert *a, char list[PL_LIST][24])
{
    const struct pl_firm *f = &pl->firms[a->firm];
    int top = a->now.tier + a->unattended, n = pl_add_team(list, 0, *a->now.team ? a->now.team : a->routed);
    char other[24];
    if (pl->work->joins[a->level] > top)
        top = pl->work->joins[a->level];
    for (int i = 0; i < a->now.n_joined; i++)
        if (pw_team_named(pl->work, a->now.joined[i]))
            n = pl_add_team(list, n, a->now.joined[i]);
    for (int tier = 1; tier <= top && tier <= TOP_TIER; tier++) {
        const struct pw_team *t = pw_team(pl->work, f->place, f->industry, tier);
        n = pl_add_team(list, n, t ? t->id : "");
    }
    if (f->industry[0] == 'E') { /* housing leads, labour inspection assists */
        lowest_team(pl, f->place, "", other);
        n = pl_add_team(list, n, other);
    }
    if (f->registered[0] && strcmp(f->registered, f->place) != 0) {
        lowest_team(pl, f->registered, f->industry, other);
        n = pl_add_team(list, n, other);
    }
    return n;
}

static void team_words(const struct plain_life *pl, const struct pl_alert *a, char words[400])
{
    char list[PL_LIST][24];
    int n = teams_of(pl, a, list);
    words[0] = 0;
    for (int i = 0; i < n; i++)
        snprintf(words + strlen(words), 400 - strlen(words), "%s ", list[i]);
}

static void check_teams(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    char told[400] = "", want[400];
    team_words(pl, a, want);
    for (uint32_t i = 0; i < ev->n_teams; i++)
        snprintf(told + strlen(told), sizeof told - strlen(told), "%.*s ", (int)ev->teams[i].n,
                 ev->teams[i].p);
    if (strcmp(told, want) != 0)
        pl_fault(pl, a, ev->at, "%s is for %snot for %s", event_wire(ev->type), told, want);
    strcpy(a->told, want);
}

/* ---- deadlines ---- */

static struct pw_term term_of(const struct plain_life *pl, int state, int level)
{
    const struct plain_work *w = pl->work;
    return state == PL_OPEN       ? w->accept[level]
           : state == PL_ACCEPTED ? w->verify[level]
           : state != PL_CLOSED   ? w->close[level]
                                  : (struct pw_term){0};
}

int64_t pl_rested(const struct pl_case *c, int64_t at)
{
    return c->rest_until == PW_NEVER ? 0 : at - c->rest_since;
}

void pl_wake(struct pl_case *c, int64_t at)
{
    int64_t by = pl_rested(c, at);
    if (c->rest_until != PW_NEVER && !c->held)
        c->slept += by;
    if (c->due != PW_NEVER && !c->overdue)
        c->due += by;
    if (c->escalate_at != PW_NEVER)
        c->escalate_at += by;
    c->rest_since = c->rest_until = PW_NEVER;
}

/* The case as it would be had the last step not been done; NULL: there is none that could be undone. What comes by
 * itself comes to it too. */
struct pl_case *pl_undone(struct pl_alert *a, int64_t at)
{
    if (!a->undo)
        return NULL;
    if (a->before.rest_until <= at)
        pl_wake(&a->before, a->before.rest_until);
    return &a->before;
}

static void climb_later(const struct plain_life *pl, struct pl_case *c, int64_t at)
{
    c->escalate_at = c->tier < TOP_TIER ? pw_end(pl->work, pl->work->climb[c->tier], at, true) : PW_NEVER;
    if (c->escalate_at != PW_NEVER)
        c->escalate_at -= pl_rested(c, at);
}

bool pl_climb(const struct plain_life *pl, struct pl_case *c, int64_t at)
{
    if (c->tier == TOP_TIER)
        return false;
    c->tier++;
    if (c->overdue)
        climb_later(pl, c, at);
    return true;
}

/* The clock or a rule calls a tier in. */
static bool climb_both(const struct plain_life *pl, struct pl_alert *a, int64_t at)
{
    struct pl_case *other = pl_undone(a, at);
    if (!pl_climb(pl, &a->now, at))
        return false;
    if (other)
        pl_climb(pl, other, at);
    return true;
}

/* It is late for a step. It is so too where the step that may be undone did not change what is waited for. */
static void late(const struct plain_life *pl, struct pl_alert *a, int64_t at)
{
    struct pl_case *other = pl_undone(a, at);
    bool closing = a->now.state >= PL_VERIFIED;
    a->now.overdue = true;
    climb_later(pl, &a->now, at);
    if (!other || other->overdue || (other->state != a->now.state && !(closing && other->state >= PL_VERIFIED)))
        return;
    other->overdue = true;
    climb_later(pl, other, at);
}

static void hasten(const struct plain_life *pl, struct pl_case *c, int level, int64_t at)
{
    int64_t due = pw_end(pl->work, term_of(pl, c->state, level), at, false) - pl_rested(c, at);
    if (c->due != PW_NEVER && !c->overdue && due < c->due)
        c->due = due;
}

/* A higher level leaves less time from now on. */
static void hasten_both(const struct plain_life *pl, struct pl_alert *a, int64_t at)
{
    int64_t look = pw_end(pl->work, pl->work->unattended[a->level], at, false);
    struct pl_case *other = pl_undone(a, at);
    if (a->unattended_at != PW_NEVER && look < a->unattended_at)
        a->unattended_at = look;
    hasten(pl, &a->now, a->level, at);
    if (other)
        hasten(pl, other, a->level, at);
}

void pl_enter(const struct plain_life *pl, struct pl_alert *a, int state, int64_t since)
{
    bool same = a->now.state >= PL_VERIFIED && a->now.state <= PL_DISPOSED && state >= PL_VERIFIED &&
                state <= PL_DISPOSED;
    a->now.state = state;
    if (same)
        return;
    a->now.overdue = false;
    a->now.escalate_at = PW_NEVER;
    a->now.due = pw_end(pl->work, term_of(pl, state, a->level), since, false);
}

void pl_begin(struct plain_life *pl, struct pl_alert *a, int64_t at)
{
    struct pl_case *c = &a->now;
    c->tier = c->extended = 0;
    c->accepted_at = c->forwarded_at = c->verified_at = c->rest_since = c->rest_until = PW_NEVER;
    c->state = PL_NONE;
    a->seen_at = PW_NEVER;
    a->opened_at = at;
    a->unattended = false;
    a->undo = 0;
    c->slept = 0;
    a->unattended_at = pw_end(pl->work, pl->work->unattended[a->level], at, false);
    pl_enter(pl, a, PL_OPEN, at);
    route(pl, a, a->routed);
}

/* ---- measures ---- */

static bool answered(const struct plain_life *pl, const struct pl_alert *a, const struct pl_taken *t)
{
    const struct pl_firm *f = &pl->firms[a->firm];
    const struct pw_measure *m = pw_measure(pl->work, t->measure);
    for (int i = 0; m && i < f->n_signals; i++) {
        const struct pl_signal *s = &f->signals[i];
        if (!s->cancelled && follows(t, s->at, s->entry) && (s->heard < t->due || s->heard <= t->back) &&
            pw_word(m->answered_by, s->kind))
            return true;
    }
    return false;
}

/* A measure's `overdue`: one that ran out now, unanswered; what it means is said. */
static void measure_runs_out(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    for (int i = 0; i < a->now.n_taken; i++) {
        struct pl_taken *t = &a->now.taken[i];
        const struct pw_measure *m = pw_measure(pl->work, t->measure);
        if (t->state != PL_RUNS || t->due > ev->at || !pl_text_is(ev->measure, t->measure) ||
            !pl_text_is(ev->ref, t->ref) || answered(pl, a, t))
            continue;
        t->state = PL_SILENT;
        if (m && *m->silence)
            hear(&pl->firms[a->firm], m->silence, t->due, ev->at, ev->entry, true);
        return;
    }
    pl_fault(pl, a, ev->at, "the measure %.*s did not run out now", (int)ev->measure.n, ev->measure.p);
}

/* Those whose day has passed and that were answered. */
static void settle_answered(const struct plain_life *pl, struct pl_alert *a, int64_t now)
{
    for (int i = 0; i < a->now.n_taken; i++)
        if (a->now.taken[i].state == PL_RUNS && a->now.taken[i].due <= now &&
            answered(pl, a, &a->now.taken[i]))
            a->now.taken[i].state = PL_ANSWERED;
}

/* ---- the clock ---- */

enum { T_REST, T_DUE, T_CLIMB, T_UNATTENDED, T_FOLLOW, T_MEASURE, T_COUNT };
static const char *const timer_names[] = {"the end of the rest", "overdue",   "escalated",
                                          "unattended",          "follow_up", "a measure's overdue"};

/* When each should come. */
static void timers_of(const struct plain_life *pl, const struct pl_alert *a, int64_t at[T_COUNT])
{
    const struct pl_case *c = &a->now;
    bool open = c->state != PL_CLOSED, runs = open && c->rest_until == PW_NEVER;
    at[T_REST] = open ? c->rest_until : PW_NEVER;
    at[T_DUE] = runs && !c->overdue ? c->due : PW_NEVER;
    at[T_CLIMB] = runs && c->overdue ? c->escalate_at : PW_NEVER;
    at[T_UNATTENDED] = runs && a->seen_at == PW_NEVER ? a->unattended_at : PW_NEVER;
    at[T_FOLLOW] = a->follow_up_at; /* also where it was opened again meanwhile */
    at[T_MEASURE] = PW_NEVER;
    for (int i = 0; i < c->n_taken; i++)
        if (c->taken[i].state == PL_RUNS && c->taken[i].due < at[T_MEASURE] && !answered(pl, a, &c->taken[i]))
            at[T_MEASURE] = c->taken[i].due;
}

static void untold(struct plain_life *pl, const struct pl_alert *a, int64_t before)
{
    int64_t at[T_COUNT];
    timers_of(pl, a, at);
    for (int i = 0; i < T_COUNT; i++)
        if (at[i] < before && a->set_at + 1 < before)
            pl_fault(pl, a, at[i], "%s was never told", timer_names[i]);
}

static void on_clock(struct plain_life *pl, struct pl_alert *a, const struct event *ev, int timer)
{
    struct pl_figures *f = &pl->figures;
    bool actual = ekey_status(&ev->key) == STATUS_ACTUAL;
    int64_t at[T_COUNT];
    timers_of(pl, a, at);
    if (at[timer] != ev->at &&
        (at[timer] > a->set_at ||
         (ev->at != a->set_at + 1 && ev->at != a->set_at))) /* past already when it was set, perhaps with another */
        pl_fault(pl, a, ev->at, "%s comes %lld ms off its time", timer_names[timer],
                 (long long)(ev->at - at[timer]));
    switch (timer) {
    case T_REST:
        pl_wake(&a->now, ev->at);
        break;
    case T_DUE:
        late(pl, a, ev->at);
        f->overdue[a->now.tier] += actual;
        break;
    case T_CLIMB:
        climb_both(pl, a, ev->at);
        f->escalated += actual;
        break;
    case T_UNATTENDED:
        a->unattended_at = PW_NEVER;
        a->unattended = true;
        f->unattended += actual;
        break;
    case T_FOLLOW:
        a->follow_up_at = PW_NEVER;
        f->followed += actual;
        break;
    default:
        measure_runs_out(pl, a, ev);
        f->silent += actual;
    }
}

static bool knew(const struct pl_case *c, const char *kind)
{
    bool known = false;
    for (int k = 0; k < c->n_kinds && !known; k++)
        known = strcmp(c->kinds[k], kind) == 0;
    return known;
}

/* A measure runs out now: its silence counts before it is told. */
static bool new_silence(const struct plain_life *pl, const struct pl_alert *a, const struct pl_case *c, int64_t at)
{
    for (int i = 0; i < a->now.n_taken; i++) {
        const struct pl_taken *t = &a->now.taken[i];
        const struct pw_measure *m = pw_measure(pl->work, t->measure);
        if (t->state == PL_RUNS && t->due <= at && m && *m->silence && !answered(pl, a, t) && !knew(c, m->silence))
            return true;
    }
    return false;
}

/* News of another kind, or of a higher level, ends a snooze. */
static void disturb(struct plain_life *pl, const struct pl_alert *a, struct pl_case *c, int64_t at)
{
    const struct pl_firm *f = &pl->firms[a->firm];
    bool broken = a->level > c->snoozed_level;
    if (c->rest_until == PW_NEVER || c->held)
        return;
    for (int i = 0; i < f->n_signals && !broken; i++)
        broken = pl_counts(pl, f, &f->signals[i]) && !knew(c, f->signals[i].kind);
    if (broken || new_silence(pl, a, c, at))
        pl_wake(c, at);
}

/* ---- events ---- */

struct pl_alert *plain_alert(struct plain_life *pl, uint64_t number)
{
    int lo = 0, hi = pl->n_alerts;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (pl->alerts[mid].number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < pl->n_alerts && pl->alerts[lo].number == number ? &pl->alerts[lo] : NULL;
}

static struct pl_alert *rise(struct plain_life *pl, const struct event *ev)
{
    int firm = firm_of(pl, ev->uscc, ekey_status(&ev->key));
    if (pl->n_alerts % 256 == 0)
        pl->alerts = realloc(pl->alerts, (size_t)(pl->n_alerts + 256) * sizeof *pl->alerts);
    struct pl_alert *a = &pl->alerts[pl->n_alerts];
    memset(a, 0, sizeof *a);
    a->number = ev->seq;
    a->firm = firm;
    a->raised_at = ev->at;
    a->closed_at = a->follow_up_at = PW_NEVER;
    if (pl->firms[firm].alert >= 0) /* what goes on goes along */
        for (int i = 0; i < pl->alerts[pl->firms[firm].alert].now.n_taken; i++) {
            struct pl_taken *t = &pl->alerts[pl->firms[firm].alert].now.taken[i];
            if (!t->goes_on || t->state == PL_ENDED)
                continue;
            a->now.taken[a->now.n_taken++] = *t;
            t->state = PL_ENDED;
        }
    pl->firms[firm].alert = pl->n_alerts++;
    return a;
}

static void on_level(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    int before = a->level;
    a->level = ev->level;
    disturb(pl, a, &a->now, ev->at);
    if (pl_undone(a, ev->at))
        disturb(pl, a, &a->before, ev->at);
    if (a->level > before)
        hasten_both(pl, a, ev->at);
}

static void on_withdrawn(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    if (a->now.state != PL_OPEN)
        pl_fault(pl, a, ev->at, "withdrawn though somebody works it");
    a->level = 0;
    a->closed_at = ev->at;
    a->now.rest_since = a->now.rest_until = PW_NEVER;
    pl_enter(pl, a, PL_CLOSED, PW_NEVER);
    strcpy(a->outcome, "withdrawn");
    pl->figures.withdrawn += ekey_status(&ev->key) == STATUS_ACTUAL;
}

/* Moved with its place, because whom it had been given to is no more, or since others hear of it now. */
static void on_moved(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    char want[400], before[24];
    bool gone = *a->now.team && !pw_team_named(pl->work, a->now.team);
    if (gone)
        a->now.team[0] = 0;
    strcpy(before, a->routed);
    route(pl, a, a->routed);
    team_words(pl, a, want);
    if (strcmp(want, a->told) == 0 && a->set_at != ev->at && !gone && (*a->now.team || strcmp(before, a->routed) == 0))
        pl_fault(pl, a, ev->at, "moved though it stays with %s", want);
    if (!pl_text_is(ev->team, *a->now.team ? a->now.team : a->routed))
        pl_fault(pl, a, ev->at, "moved to %.*s; it belongs to %s", (int)ev->team.n, ev->team.p, a->routed);
}

/* A rule takes it up a tier: each once in a life, one in an entry, and only where there is a tier above. */
static void on_rule(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    for (int i = 0; i < a->n_climbed; i++)
        if (pl_text_is(ev->rule, a->climbed[i]))
            pl_fault(pl, a, ev->at, "the rule %s took it up a second time", a->climbed[i]);
    if (a->n_climbed && a->climbed_entry == ev->entry && a->climbed_at == ev->at)
        pl_fault(pl, a, ev->at, "two rules took it up at once");
    if (!climb_both(pl, a, ev->at))
        pl_fault(pl, a, ev->at, "a rule took it up where no tier is above");
    if (a->n_climbed < PL_LIST)
        COPY(a->climbed[a->n_climbed++], ev->rule);
    a->climbed_entry = ev->entry;
    a->climbed_at = ev->at;
}

/* Where else it lies became known: the first team that had not heard of it is named. */
static void on_joined(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    char want[400], team[40];
    team_words(pl, a, want);
    COPY(team, ev->team);
    if (!*team || pw_word(a->told, team) || !pw_word(want, team))
        pl_fault(pl, a, ev->at, "%s joined; it was for %sand is for %s", team, a->told, want);
}

static void on_event(struct plain_life *pl, struct pl_alert *a, const struct event *ev)
{
    switch (ev->type) {
    case EVENT_RAISED:
    case EVENT_REOPENED:
        if (ev->type == EVENT_REOPENED && a->now.state != PL_CLOSED)
            pl_fault(pl, a, ev->at, "reopened though it was not closed");
        a->level = ev->level;
        a->now.finding = 0;
        pl_begin(pl, a, ev->at);
        a->n_climbed = 0;
        pl->figures.alerts += ev->type == EVENT_RAISED && ekey_status(&ev->key) == STATUS_ACTUAL;
        pl->figures.lives += ekey_status(&ev->key) == STATUS_ACTUAL;
        break;
    case EVENT_UPGRADED:
    case EVENT_DOWNGRADED:
    case EVENT_EVIDENCE:
        on_level(pl, a, ev);
        break;
    case EVENT_WITHDRAWN:
        on_withdrawn(pl, a, ev);
        break;
    case EVENT_ESCALATED:
        if (ev->rule.n)
            on_rule(pl, a, ev);
        else
            on_clock(pl, a, ev, T_CLIMB);
        break;
    case EVENT_ASSIGNED:
        on_moved(pl, a, ev);
        break;
    case EVENT_JOINED:
        on_joined(pl, a, ev);
        break;
    case EVENT_OVERDUE:
        on_clock(pl, a, ev, ev->measure.n ? T_MEASURE : T_DUE);
        break;
    case EVENT_SNOOZED:
        on_clock(pl, a, ev, T_REST);
        break;
    case EVENT_UNATTENDED:
        on_clock(pl, a, ev, T_UNATTENDED);
        break;
    case EVENT_FOLLOW_UP:
        on_clock(pl, a, ev, T_FOLLOW);
        break;
    default:
        pl_fault(pl, a, ev->at, "%s by nobody", event_wire(ev->type));
    }
}

void plain_event(struct plain_life *pl, const struct event *ev)
{
    struct pl_alert *a = ev->type == EVENT_RAISED ? rise(pl, ev) : plain_alert(pl, ev->alert);
    if (!a) {
        pl_fault(pl, NULL, ev->at, "%s of alert %llu, which never rose", event_wire(ev->type),
                 (unsigned long long)ev->alert);
        return;
    }
    if (ev->type != EVENT_RAISED) {
        settle_answered(pl, a, ev->at);
        untold(pl, a, ev->at);
    }
    if (ev->principal.n)
        pl_on_action(pl, a, ev);
    else
        on_event(pl, a, ev);
    a->version++;
    a->set_at = ev->at;
    if (pl_given(ev->due) != a->now.due)
        pl_fault(pl, a, ev->at, "%s: due is %lld ms off", event_wire(ev->type),
                 (long long)(pl_given(ev->due) - a->now.due));
    if (ev->tier != a->now.tier || ev->level != a->level || ev->state != a->now.state ||
        ev->version != a->version)
        pl_fault(pl, a, ev->at, "%s: tier %d level %d state %d version %llu, expected %d %d %d %llu",
                 event_wire(ev->type), ev->tier, ev->level, ev->state, (unsigned long long)ev->version,
                 a->now.tier, a->level, a->now.state, (unsigned long long)a->version);
    check_teams(pl, a, ev);
}

void plain_done(struct plain_life *pl, uint64_t entry, int64_t time, enum wire_error refused)
{
    const struct pl_alert *a = pl->action ? plain_alert(pl, pl->action->alert) : NULL;
    (void)entry;
    if (pl->action && (pl->acted == (pl->refused != NULL) || pl->acted == (refused != WIRE_ERROR_NONE)))
        pl_fault(pl, a, time, "%.*s %s; expected: %s", (int)pl->action->what.n, pl->action->what.p,
                 pl->acted ? "was allowed" : "was refused", pl->refused ? pl->refused : "allowed");
    pl->action = NULL;
    if (time > pl->time)
        pl->time = time;
}

void plain_look(struct plain_life *pl)
{
    for (int i = 0; i < pl->n_alerts; i++) {
        settle_answered(pl, &pl->alerts[i], pl->time);
        untold(pl, &pl->alerts[i], pl->time + 1);
    }
}

void plain_swept(struct plain_life *pl)
{
    for (int i = 0; i < pl->n_alerts; i++) {
        struct pl_alert *a = &pl->alerts[i];
        char now[24], want[400];
        route(pl, a, now);
        if (a->now.state == PL_CLOSED)
            continue;
        if (*a->now.team ? !pw_team_named(pl->work, a->now.team) : strcmp(now, a->routed) != 0)
            pl_fault(pl, a, pl->time, "it belongs to %s by now and was not moved", now);
        strcpy(a->routed, now);
        team_words(pl, a, want);
        if (strcmp(want, a->told) != 0)
            pl_fault(pl, a, pl->time, "it is for %sby now; %swas told", want, a->told);
    }
}

void plain_life_init(struct plain_life *pl, const struct plain_work *w)
{
    *pl = (struct plain_life){.work = w};
    pl->slots = calloc(SLOTS, sizeof *pl->slots);
}

void plain_life_finish(struct plain_life *pl)
{
    for (int i = 0; i < pl->n_firms; i++)
        free(pl->firms[i].signals);
    free(pl->firms);
    free(pl->alerts);
    free(pl->slots);
}
