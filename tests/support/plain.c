/* SPDX-License-Identifier: Apache-2.0 */
/* The plain fold: entries, whose a signal is, and an alert's life. The judgement is in plain_judge.c. */
#include "tests/support/plain.h"

#include "engine/alert.h"
#include "lib/mem.h"

#include <stdlib.h>

enum why { BY_SIGNALS, BY_CLOCK, BY_SETTINGS };

/* ---- beginning and end ---- */

void plain_init(struct plain *p)
{
    *p = (struct plain){.time = INT64_MIN};
}

void plain_finish(struct plain *p)
{
    for (size_t i = 0; i < p->n_items; i++)
        free(p->items[i]);
    for (size_t i = 0; i < p->n_firms; i++) {
        free(p->firms[i]->items);
        free(p->firms[i]->events);
        free(p->firms[i]->alert.evidence);
        free(p->firms[i]);
    }
    free(p->items);
    free(p->firms);
    free(p->names);
    settings_destroy(p->settings);
    arena_finish(&p->arena);
}

/* ---- whose a signal is ---- */

static struct plain_firm fresh(uint8_t status, bool by_name, struct slice text)
{
    return (struct plain_firm){.status = status,
                               .by_name = by_name,
                               .text = text,
                               .finding_at = NO_INT,
                               .alert = {.closed_at = NO_INT}};
}

static int firm_of(struct plain *p, uint8_t status, bool by_name, struct slice text)
{
    for (size_t i = 0; i < p->n_firms; i++)
        if (p->firms[i]->status == status && p->firms[i]->by_name == by_name &&
            slice_eq(p->firms[i]->text, text))
            return (int)i;
    struct plain_firm *f = mem_zalloc(sizeof *f);
    *f = fresh(status, by_name, arena_slice(&p->arena, text));
    p->firms = mem_grow(p->firms, &p->cap_firms, p->n_firms + 1, sizeof *p->firms);
    p->firms[p->n_firms] = f;
    return (int)p->n_firms++;
}

/* How many codes bear a name; *code is one of them. */
static size_t bearers(const struct plain *p, uint8_t status, struct slice name, struct slice *code)
{
    size_t n = 0;
    *code = (struct slice){0};
    for (size_t i = 0; i < p->n_items && n < 2; i++) {
        const struct plain_item *x = p->items[i];
        if (!x->binds || x->cancelled || x->status != status || !slice_eq(x->name, name) ||
            slice_eq(x->code, *code))
            continue;
        *code = x->code;
        n++;
    }
    return n;
}

bool plain_unresolved(struct plain *p, const struct plain_firm *f)
{
    struct slice code;
    return f->by_name && bearers(p, f->status, f->text, &code) > 1;
}

static struct plain_name *name_of(struct plain *p, uint8_t status, struct slice text)
{
    for (size_t i = 0; i < p->n_names; i++)
        if (p->names[i].status == status && slice_eq(p->names[i].text, text))
            return &p->names[i];
    p->names = mem_grow(p->names, &p->cap_names, p->n_names + 1, sizeof *p->names);
    p->names[p->n_names] =
        (struct plain_name){status, arena_slice(&p->arena, text), firm_of(p, status, true, text)};
    return &p->names[p->n_names++];
}

int plain_place(struct plain *p, uint8_t status, struct slice code, struct slice name)
{
    return code.n ? firm_of(p, status, false, code) : name_of(p, status, name)->place;
}

int plain_find(struct plain *p, uint8_t status, struct slice code, struct slice name)
{
    for (size_t i = 0; i < p->n_firms; i++)
        if (p->firms[i]->status == status && p->firms[i]->by_name == !code.n &&
            slice_eq(p->firms[i]->text, code.n ? code : name))
            return (int)i;
    return -1;
}

static void give(struct plain *p, struct plain_item *x, int firm)
{
    struct plain_firm *f = p->firms[firm];
    f->items = mem_grow(f->items, &f->cap_items, f->n_items + 1, sizeof(struct plain_item *));
    f->items[f->n_items++] = x;
    f->sorted = false;
    f->known = true;
    x->firm = firm;
}

/* ---- an alert's life ---- */

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The numbers of what counts; owned by the caller. */
static uint64_t *evidence_of(struct plain *p, const struct plain_firm *f, size_t *n)
{
    uint64_t *list = mem_alloc((f->n_items + 1) * sizeof *list);
    *n = 0;
    for (size_t i = 0; i < f->n_items && !plain_unresolved(p, f); i++)
        if (plain_hazard(p, f->items[i], f->items[i]->at) > 0)
            list[(*n)++] = f->items[i]->seq;
    if (*n)
        qsort(list, *n, sizeof *list, by_number);
    return list;
}

static void tell(struct plain_firm *f, struct plain_event ev)
{
    f->events = mem_grow(f->events, &f->cap_events, f->n_events + 1, sizeof *f->events);
    f->events[f->n_events++] = ev;
}

static void keep_evidence(struct plain_alert *a, uint64_t *list, size_t n)
{
    free(a->evidence);
    a->evidence = list;
    a->n_evidence = n;
}

static struct plain_event event_of(const struct plain_alert *a, enum event_type type, uint8_t before,
                                   int64_t at, const struct plain_view *v)
{
    return (struct plain_event){.at = at,
                                .type = (uint8_t)type,
                                .level_before = before,
                                .level = a->level,
                                .state = a->state,
                                .score = a->score,
                                .fired = v->fired,
                                .evidence = (uint32_t)a->n_evidence};
}

static void close_alert(struct plain_alert *a, uint64_t entry, int64_t at)
{
    a->state = ALERT_STATE_CLOSED;
    a->open = false;
    a->closed_entry = entry;
    a->closed_at = at;
}

/* Which rules hold, by what they are called. */
static uint64_t rules_called(const struct plain *p, uint64_t fired)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < p->settings->n_rules && i < 64; i++) {
        const struct rule *r = &p->settings->rules[i];
        const struct slice parts[] = {r->id, r->zh, r->en};
        uint64_t one = 1469598103934665603u;
        for (size_t k = 0; k < ARRAY_LEN(parts); k++)
            for (size_t c = 0; c <= parts[k].n; c++)
                one = (one ^ (c < parts[k].n ? (uint8_t)parts[k].p[c] : 0)) * 1099511628211u;
        all += fired >> i & 1 ? one : 0;
    }
    return all;
}

/* True: it is another event. Takes the evidence over. */
static bool change(struct plain *p, struct plain_firm *f, const struct plain_view *v, int64_t at,
                   enum why why, uint64_t *list, size_t n)
{
    struct plain_alert *a = &f->alert;
    bool same = !a->tells && n == a->n_evidence && (!n || memcmp(list, a->evidence, n * sizeof *list) == 0);
    uint64_t rules = rules_called(p, v->fired);
    if (v->level == a->level && (same || why == BY_CLOCK) && (rules == a->rules || why != BY_SETTINGS)) {
        free(list);
        return false;
    }
    uint8_t before = a->level;
    a->tells = false;
    enum event_type type = EVENT_EVIDENCE;
    if (v->level > before)
        type = EVENT_UPGRADED;
    else if (v->level < before)
        type = v->level == LEVEL_NONE && a->state == ALERT_STATE_OPEN ? EVENT_WITHDRAWN : EVENT_DOWNGRADED;
    a->level = v->level;
    a->score = plain_score(v->hazard);
    a->rules = rules;
    keep_evidence(a, list, n);
    if (type == EVENT_WITHDRAWN) /* the clock's doing comes before the entry in hand */
        close_alert(a, why == BY_CLOCK ? p->number - 1 : p->number, at);
    tell(f, event_of(a, type, before, at, v));
    return true;
}

/* Evidence, or the end of what cleared some, was journalled after the close. */
static bool news(const struct plain *p, const struct plain_firm *f)
{
    bool any = f->uncleared > f->alert.closed_entry;
    for (size_t i = 0; i < f->n_items && !any; i++) {
        const struct plain_item *x = f->items[i];
        any = !x->cancelled && x->seq > f->alert.closed_entry && plain_evidence(p, x);
    }
    return any;
}

static bool rise(struct plain *p, struct plain_firm *f, const struct plain_view *v, int64_t at,
                 uint64_t *list, size_t n)
{
    struct plain_alert *a = &f->alert;
    if (v->level == LEVEL_NONE || (a->had && !news(p, f))) {
        free(list);
        return false;
    }
    bool again = a->had && at - a->closed_at <= REOPEN_DAYS * INT64_C(86400000);
    a->born = again ? a->born
                    : INT64_MAX - 1000000 + ++p->births; /* younger than all that the caller has numbered */
    a->had = a->open = true;
    a->state = ALERT_STATE_OPEN;
    a->finding = FINDING_NONE;
    a->level = v->level;
    a->score = plain_score(v->hazard);
    a->rules = rules_called(p, v->fired);
    keep_evidence(a, list, n);
    tell(f, event_of(a, again ? EVENT_REOPENED : EVENT_RAISED, LEVEL_NONE, at, v));
    return true;
}

/* True: an event came of it. */
static bool judge(struct plain *p, int firm, int64_t at, enum why why)
{
    struct plain_firm *f = p->firms[firm];
    struct plain_view v;
    size_t n;
    if (p->quiet)
        return false;
    plain_look(p, firm, at, f->score_level, &v);
    f->score_level = v.score_level;
    f->level = v.level;
    uint64_t *list = evidence_of(p, f, &n);
    return f->alert.open ? change(p, f, &v, at, why, list, n) : rise(p, f, &v, at, list, n);
}

/* ---- what the clock does ---- */

/* First moment in (lo, hi] at which decay alone makes the level by score another; it does so by hi. */
static int64_t crossing(struct plain *p, int firm, int64_t lo, int64_t hi)
{
    struct plain_view v;
    bool hair = p->hair;
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        plain_look(p, firm, mid, p->firms[firm]->score_level, &v);
        *(v.score_level != p->firms[firm]->score_level ? &hi : &lo) = mid;
    }
    p->hair = hair; /* near to the crossing all is near it */
    return hi;
}

/* From `from` to just before `until` nothing but decay happens. */
static void decay(struct plain *p, int firm, int64_t from, int64_t until)
{
    struct plain_firm *f = p->firms[firm];
    struct plain_view v;
    while (until - 1 > from && !p->hair) {
        plain_look(p, firm, until - 1, f->score_level, &v);
        if (p->hair || v.score_level == f->score_level)
            return;
        bool hair = p->hair;
        from = crossing(p, firm, from, until - 1);
        if (judge(p, firm, from, BY_CLOCK))
            f->events[f->n_events - 1].by_decay = true;
        p->hair = hair;
    }
}

static void advance(struct plain *p, int firm, int64_t until)
{
    struct plain_firm *f = p->firms[firm];
    int64_t *moments, from = p->time;
    if (!f->known)
        return;
    size_t n = plain_moments(p, f, from, until, &moments);
    for (size_t i = 0; i < n && !p->hair; i++) {
        if (moments[i] == from)
            continue;
        decay(p, firm, from, moments[i]);
        judge(p, firm, moments[i], BY_CLOCK);
        from = moments[i];
    }
    free(moments);
}

static void clock_to(struct plain *p, uint64_t number, int64_t time)
{
    p->number = number;
    for (size_t i = 0; i < p->n_firms && p->settings && !p->quiet; i++)
        advance(p, (int)i, time);
    p->time = time > p->time ? time : p->time;
}

/* ---- names as they come and go ---- */

/* What was found of the one holds for the other from now on. */
static void found_too(const struct plain_firm *from, struct plain_firm *into)
{
    if (!from->finding_entry)
        return;
    into->finding = from->finding;
    into->finding_at = from->finding_at;
    into->finding_entry = from->finding_entry;
    into->n_finding_kinds = from->n_finding_kinds;
    memcpy(into->finding_kinds, from->finding_kinds, sizeof into->finding_kinds);
}

/* Has x's alert come further than y's? */
static bool further(const struct plain_firm *x, const struct plain_firm *y)
{
    if (x->alert.state != y->alert.state)
        return x->alert.state > y->alert.state;
    return x->alert.finding && x->finding_entry > y->finding_entry;
}

static void withdraw_merged(struct plain *p, struct plain_firm *loser)
{
    struct plain_alert *a = &loser->alert;
    uint8_t before = a->level;
    a->level = LEVEL_NONE;
    close_alert(a, p->number, p->time);
    struct plain_event ev = event_of(a, EVENT_WITHDRAWN, before, p->time, &(struct plain_view){0});
    ev.merged = true;
    tell(loser, ev);
}

/* Both are open: the older stays, as far as the two have come, and tells how it stands. */
static bool unite(struct plain *p, struct plain_firm *from, struct plain_firm *into)
{
    bool they_stay = from->alert.born < into->alert.born, theirs = further(from, into);
    const struct plain_alert *best = theirs ? &from->alert : &into->alert;
    uint8_t state = best->state, finding = best->finding;
    withdraw_merged(p, they_stay ? into : from);
    struct plain_alert *stays = they_stay ? &from->alert : &into->alert;
    stays->state = state;
    stays->finding = finding;
    stays->tells = true;
    if (theirs || !into->finding_entry)
        found_too(from, into);
    return they_stay;
}

/* One at most is open: that one is kept, else the one that was closed later. */
static bool keep_one(struct plain_firm *from, struct plain_firm *into)
{
    const struct plain_alert *theirs = &from->alert, *ours = &into->alert;
    bool they_stay = theirs->open || (!ours->open && (!ours->had || theirs->closed_entry > ours->closed_entry));
    bool later = from->finding_entry > into->finding_entry;
    if ((they_stay ? theirs : ours)->finding ? they_stay : later)
        found_too(from, into);
    return they_stay;
}

/* Two enterprises turn out to be one. */
static void merge(struct plain *p, struct plain_firm *from, struct plain_firm *into)
{
    into->uncleared = from->uncleared > into->uncleared ? from->uncleared : into->uncleared;
    if (!from->alert.had)
        return;
    bool they_stay = from->alert.open && into->alert.open ? unite(p, from, into) : keep_one(from, into);
    if (!they_stay)
        return;
    free(into->alert.evidence);
    into->alert = from->alert;
    from->alert.evidence = NULL;
}

static size_t move_items(struct plain *p, int from, int into, struct slice name)
{
    struct plain_firm *f = p->firms[from];
    size_t kept = 0;
    for (size_t i = 0; i < f->n_items; i++)
        if (!f->items[i]->code.n && slice_eq(f->items[i]->name, name))
            give(p, f->items[i], into);
        else
            f->items[kept++] = f->items[i];
    f->n_items = kept;
    f->sorted = false;
    return kept;
}

static void resettle(struct plain *p, uint8_t status, struct slice text)
{
    struct plain_name *name = name_of(p, status, text);
    struct slice code;
    int from = name->place;
    name->place = bearers(p, status, text, &code) == 1 ? firm_of(p, status, false, code)
                                                       : firm_of(p, status, true, text);
    int into = name->place;
    struct plain_firm *f = p->firms[from];
    if (into == from || !f->n_items)
        return;
    if (!move_items(p, from, into, text) && f->by_name) {
        merge(p, f, p->firms[into]);
        struct plain_event *events = f->events;
        size_t n = f->n_events, cap = f->cap_events;
        free(f->alert.evidence);
        free(f->items);
        *f = fresh(f->status, true, f->text);
        f->events = events;
        f->n_events = n;
        f->cap_events = cap;
    } else {
        judge(p, from, p->time, BY_SIGNALS);
    }
    if (p->firms[into]->n_items)
        judge(p, into, p->time, BY_SIGNALS);
}

/* ---- entries ---- */

const struct plain_item *plain_by_id(const struct plain *p, struct slice source, struct slice id)
{
    for (size_t i = 0; i < p->n_items; i++)
        if (slice_eq(p->items[i]->source, source) && slice_eq(p->items[i]->id, id))
            return p->items[i];
    return NULL;
}

static void cancel(struct plain *p, const struct entry_signal *e)
{
    struct plain_item *x = (struct plain_item *)(uintptr_t)plain_by_id(p, e->source, e->sig.cancels);
    if (!x || x->cancelled)
        return;
    x->cancelled = true;
    p->firms[x->firm]->sorted = false;
    if (plain_clears(p, x))
        p->firms[x->firm]->uncleared = p->number;
    /* its name's bindings follow after: what it said is judged first */
    bool binds = x->binds;
    judge(p, x->firm, p->time, BY_SIGNALS);
    if (binds)
        resettle(p, x->status, x->name);
}

static void read_profile(struct plain *p, const struct signal *s, struct plain_item *x)
{
    for (int i = 0; i < s->n_attrs && slice_is(s->kind, "registry.profile"); i++) {
        const struct signal_attr *a = &s->attrs[i];
        if (slice_is(a->key, "credit"))
            x->credit = a->text.p[0];
        else if (a->key.n > 4 && memcmp(a->key.p, "tag:", 4) == 0)
            x->tags[x->n_tags++] =
                (struct plain_tag){arena_slice(&p->arena, (struct slice){a->key.p + 4, a->key.n - 4}),
                                   a->number ? a->number : INT64_MAX};
    }
}

static void add(struct plain *p, const struct entry_signal *e)
{
    const struct signal *s = &e->sig;
    struct plain_item *x = mem_zalloc(sizeof *x);
    *x = (struct plain_item){.seq = p->number,
                             .at = s->at,
                             .amount = s->amount,
                             .people = s->people,
                             .status = s->status,
                             .firm = -1,
                             .binds = e->binds_name && s->uscc.n && s->name.n};
    x->kind = arena_slice(&p->arena, s->kind);
    x->source = arena_slice(&p->arena, e->source);
    x->id = arena_slice(&p->arena, s->id);
    x->code = arena_slice(&p->arena, s->uscc);
    x->name = arena_slice(&p->arena, s->name);
    x->region = arena_slice(&p->arena, s->region);
    x->industry = arena_slice(&p->arena, s->industry);
    read_profile(p, s, x);
    p->items = mem_grow(p->items, &p->cap_items, p->n_items + 1, sizeof *p->items);
    p->items[p->n_items++] = x;
    if (x->binds)
        resettle(p, x->status, x->name);
    give(p, x, plain_place(p, x->status, x->code, x->name));
    judge(p, x->firm, p->time, BY_SIGNALS);
}

static void take_settings(struct plain *p, const struct tree *tree)
{
    struct mistakes m = {.arena = &p->arena, .file = "configuration"};
    settings_destroy(p->settings);
    int rc = settings_compile(tree, &m, &p->settings);
    assert(rc == 0);
    for (size_t i = 0; i < p->n_firms; i++)
        p->firms[i]->sorted = false;
}

void plain_apply(struct plain *p, uint64_t number, int64_t time, const struct entry *e)
{
    clock_to(p, number, time);
    if (e->type == ENTRY_CONFIG)
        take_settings(p, e->config.tree);
    else if (e->type == ENTRY_SIGNAL && e->signal.sig.cancels.n)
        cancel(p, &e->signal);
    else if (e->type == ENTRY_SIGNAL)
        add(p, &e->signal);
}

void plain_sweep(struct plain *p, uint64_t number, int64_t time)
{
    clock_to(p, number, time);
    for (size_t i = 0; i < p->n_firms; i++)
        if (p->firms[i]->known)
            judge(p, (int)i, time, BY_SETTINGS);
}

/* What a team found stands until evidence comes of a kind that did not count when it looked. */
static void note_finding(struct plain *p, struct plain_firm *f, uint8_t finding)
{
    plain_prepare(p, f);
    f->finding = f->alert.finding = finding;
    f->finding_at = p->time;
    f->finding_entry = p->number;
    f->n_finding_kinds = 0;
    for (size_t i = 0; i < f->n_items; i++) {
        bool known = !f->items[i]->active;
        for (uint32_t k = 0; k < f->n_finding_kinds; k++)
            known |= slice_eq(f->finding_kinds[k], f->items[i]->kind);
        if (!known && f->n_finding_kinds < PLAIN_FINDING_KINDS)
            f->finding_kinds[f->n_finding_kinds++] = f->items[i]->kind;
    }
}

static const struct step {
    const char *what;
    unsigned from; /* bits by state */
    uint8_t to;
    enum event_type event;
} steps[] = {
    {"accept", 1 << ALERT_STATE_OPEN, ALERT_STATE_ACCEPTED, EVENT_ACCEPTED},
    {"verify", 1 << ALERT_STATE_ACCEPTED | 1 << ALERT_STATE_VERIFIED, ALERT_STATE_VERIFIED, EVENT_VERIFIED},
    {"close", 1 << ALERT_STATE_VERIFIED, ALERT_STATE_CLOSED, EVENT_CLOSED},
    {"reopen", 1 << ALERT_STATE_CLOSED, ALERT_STATE_ACCEPTED, EVENT_REOPENED},
};

bool plain_act(struct plain *p, uint64_t number, int64_t time, int firm, const char *what, uint8_t finding,
               bool outcome)
{
    const struct step *s = steps;
    struct plain_view v;
    clock_to(p, number, time);
    if (firm < 0 || !p->firms[firm]->alert.had)
        return false;
    struct plain_firm *f = p->firms[firm];
    struct plain_alert *a = &f->alert;
    while (strcmp(s->what, what) != 0)
        s++;
    if (!(s->from >> a->state & 1))
        return false;
    if (s->event == EVENT_CLOSED && a->finding == FINDING_CONFIRMED && !outcome)
        return false;
    bool said = a->state == ALERT_STATE_VERIFIED || a->state == ALERT_STATE_DISPOSED;
    if (s->event == EVENT_VERIFIED && said && a->finding == finding)
        return false; /* the same again is no step */
    if (s->event == EVENT_VERIFIED)
        note_finding(p, f, finding);
    a->state = s->to;
    if (s->event == EVENT_CLOSED)
        close_alert(a, number, time);
    a->open = a->state != ALERT_STATE_CLOSED;
    plain_look(p, firm, time, f->score_level, &v);
    struct plain_event ev = event_of(a, s->event, a->level, time, &v);
    size_t n;
    free(evidence_of(p, f, &n));
    ev.evidence = (uint32_t)n;
    tell(f, ev);
    judge(p, firm, time, BY_SIGNALS); /* a finding may change what holds */
    return true;
}
