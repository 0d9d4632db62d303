/* SPDX-License-Identifier: Apache-2.0 */
/* Visits and reviews that are expected by a date. Owns T_DUTY and the due items of those that have duties. A duty begins
 * when the enterprise first fits, ends when it no longer does, and runs anew from each time it is done: by a signal of
 * one of its kinds, or as a person reports. Judged whenever the record is, and by its own clock. What signals say is
 * asked of the record each time and not kept, so that one that is withdrawn takes back what it had shown. */
#include "engine/duty.h"

#include "engine/fold.h"
#include "lib/calendar.h"

enum { DUTY_VERSION = 1, F_REMINDED = 1, F_OVERDUE = 2 };

const char *duty_step_wire(unsigned step)
{
    static const char *const words[DUTY_STEP_COUNT] = {NULL, "remind", "overdue", "escalated", "done"};
    return step < DUTY_STEP_COUNT ? words[step] : NULL;
}

/* ---- rows ---- */

static void put_state(struct buf *b, const struct duty_state *s)
{
    buf_slice(b, s->duty);
    buf_u8(b, (uint8_t)((s->reminded ? F_REMINDED : 0) | (s->overdue ? F_OVERDUE : 0)));
    buf_u8(b, s->climbed);
    const int64_t times[] = {s->since, s->done_at, s->due, s->escalate_at, s->hand_at};
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        buf_when(b, times[i]);
    buf_varint(b, s->hand_entry);
    buf_slice(b, s->hand_who);
    buf_slice(b, s->hand_ref);
}

static struct duty_state get_state(struct rd *r)
{
    struct duty_state s = {.duty = rd_slice(r)};
    uint8_t flags = rd_u8(r);
    s.reminded = flags & F_REMINDED;
    s.overdue = flags & F_OVERDUE;
    s.climbed = rd_u8(r);
    int64_t *const times[] = {&s.since, &s.done_at, &s.due, &s.escalate_at, &s.hand_at};
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        *times[i] = rd_when(r);
    s.hand_entry = rd_varint(r);
    s.hand_who = rd_slice(r);
    s.hand_ref = rd_slice(r);
    return s;
}

void duty_row_put(struct buf *b, const struct duty_row *row)
{
    buf_u8(b, DUTY_VERSION);
    buf_when(b, row->next);
    buf_slice(b, row->name);
    buf_slice(b, row->industry);
    buf_varint(b, row->region);
    buf_varint(b, row->place);
    buf_varint(b, row->n_places);
    for (uint32_t i = 0; i < row->n_places; i++)
        buf_varint(b, row->places[i]);
    buf_varint(b, row->n);
    for (uint32_t i = 0; i < row->n; i++)
        put_state(b, &row->list[i]);
}

int duty_row_get(struct slice bytes, struct arena *a, struct duty_row *row, struct err *err)
{
    enum { STATE_LEAST = 12 }; /* bytes */
    struct rd r = rd_of(bytes.p, bytes.n);
    bool known = rd_u8(&r) == DUTY_VERSION;
    *row = (struct duty_row){.next = rd_when(&r)};
    row->name = rd_slice(&r);
    row->industry = rd_slice(&r);
    row->region = rd_varint(&r);
    row->place = rd_varint(&r);
    row->n_places = (uint32_t)rd_count(&r, 1);
    region_t *places = arena_alloc(a, (row->n_places + 1) * sizeof *places);
    for (uint32_t i = 0; i < row->n_places; i++)
        places[i] = rd_varint(&r);
    row->places = places;
    row->n = (uint32_t)rd_count(&r, STATE_LEAST);
    row->list = arena_zalloc(a, (row->n + 1) * sizeof *row->list);
    for (uint32_t i = 0; i < row->n && !r.bad; i++)
        row->list[i] = get_state(&r);
    if (!known || r.bad || rd_left(&r))
        return err_set(err, WW_EDAMAGED, "view: the duties of an enterprise do not decode; run wagewarnd --rebuild");
    return 0;
}

/* ---- as configured ---- */

const struct duty *duty_named(const struct work *w, struct slice id)
{
    for (uint32_t i = 0; w && i < w->n_duties; i++)
        if (slice_eq(w->duties[i].id, id))
            return &w->duties[i];
    return NULL;
}

unsigned duty_tier(const struct work *w, const struct duty *d, const struct duty_state *s)
{
    unsigned tier = (unsigned)d->tier + s->climbed;
    return tier < w->n_tiers ? tier : w->n_tiers - 1;
}

/* Where the tier has no team for the place, the next one that has. */
uint32_t duty_teams(const struct work *w, const struct duty_row *row, const struct duty *d, const struct duty_state *s,
                    struct slice out[TIERS_MAX])
{
    uint32_t n = 0;
    unsigned top = duty_tier(w, d, s);
    for (unsigned tier = d->tier; tier < w->n_tiers && (tier <= top || !n); tier++) {
        const struct team *t = work_team(w, row->place, row->industry, tier);
        if (t)
            out[n++] = t->id;
    }
    return n;
}

/* ---- in the state ---- */

/* What is looked at: one enterprise at one moment. */
struct look {
    struct engine *e;
    struct record *c;
    int64_t at;
    const struct entry_action *x; /* that reports one as done; NULL */
    struct duty_row row;          /* as it was, but for what it says of the enterprise */
    int64_t next;                 /* when to look again; INT64_MAX: never */
};

static struct ekey item_of(const struct ekey *enterprise)
{
    struct ekey k = *enterprise;
    k.b[0] = (uint8_t)((k.b[0] & 0xf0) | (ekey_is_code(enterprise) ? EKEY_DUTY_CODE : EKEY_DUTY_NAME));
    return k;
}

static struct ekey enterprise_of(const struct ekey *item)
{
    struct ekey k = *item;
    k.b[0] = (uint8_t)((k.b[0] & 0xf0) | (ekey_kind(item) == EKEY_DUTY_CODE ? EKEY_CODE : EKEY_NAME));
    return k;
}

/* False: there is none, or it failed; the row is empty then. */
static bool load(struct engine *e, const struct ekey *key, struct duty_row *row)
{
    struct slice v = state_get(e->state, T_DUTY, key->b, EKEY_LEN);
    *row = (struct duty_row){.next = NO_INT};
    if (!v.p)
        return false;
    if (duty_row_get(arena_slice(&e->scratch, v), &e->scratch, row, e->err) == 0)
        return true;
    e->failed = true;
    return false;
}

/* With its item, which lay at row->next; a row that says nothing new is left alone. */
static void store(struct engine *e, const struct ekey *key, struct duty_row *row, int64_t next)
{
    struct ekey item = item_of(key);
    struct slice had = state_get(e->state, T_DUTY, key->b, EKEY_LEN);
    due_set(e->due, &item, row->next, next);
    row->next = next;
    buf_reset(&e->buf);
    duty_row_put(&e->buf, row);
    if (!row->n && had.p)
        state_del(e->state, T_DUTY, key->b, EKEY_LEN);
    else if (row->n && (had.n != e->buf.n || memcmp(had.p, e->buf.p, had.n) != 0))
        state_put(e->state, T_DUTY, key->b, EKEY_LEN, e->buf.p, e->buf.n);
}

static struct duty_state *find(const struct duty_row *row, struct slice id)
{
    for (uint32_t i = 0; i < row->n; i++)
        if (slice_eq(row->list[i].duty, id))
            return &row->list[i];
    return NULL;
}

/* ---- events ---- */

static void tell(struct look *l, const struct duty *d, const struct duty_state *s, enum duty_step step)
{
    struct engine *e = l->e;
    struct slice teams[TIERS_MAX];
    struct event ev = alert_event(EVENT_DUTY, LEVEL_NONE);
    bool by_hand = step == DUTY_DONE && l->x && s->hand_entry == e->number;
    ev.seq = ++e->events;
    ev.entry = e->number;
    ev.at = l->at;
    ev.duty = d->id;
    ev.step = (uint8_t)step;
    ev.tier = (uint8_t)duty_tier(e->settings->work, d, s);
    ev.due = s->due;
    ev.n_teams = duty_teams(e->settings->work, &l->row, d, s, teams);
    ev.teams = teams;
    ev.key = l->c->key;
    ev.uscc = record_uscc(l->c);
    ev.name = l->row.name;
    ev.region = l->row.region;
    ev.industry = l->row.industry;
    ev.n_places = l->row.n_places;
    ev.places = l->row.places;
    if (by_hand) {
        ev.principal = l->x->principal;
        ev.actor = l->x->actor;
        ev.ref = l->x->ref;
    }
    event_publish(e, &ev);
}

/* ---- one duty ---- */

/* The latest that it was done since it applies; NO_INT: never. */
static int64_t last_done(const struct look *l, const struct duty *d, const struct duty_state *s)
{
    int64_t done = s->hand_at;
    for (uint32_t i = 0; i < l->c->n_series; i++) {
        const struct series *x = &l->c->series[i];
        uint32_t kind = settings_kind_at(l->e->settings, x->kind);
        bool counts = kind != UINT32_MAX && kind_in(&d->done_by, kind) && x->latest != NO_INT && x->latest >= s->since;
        if (counts && (done == NO_INT || x->latest > done))
            done = x->latest;
    }
    return done;
}

/* From when it was done last, or since it applies; another due is told of anew. */
static void renew(struct look *l, const struct duty *d, struct duty_state *s)
{
    int64_t done = last_done(l, d, s);
    int64_t due = term_end(l->e->settings->work, &d->every, done != NO_INT ? done : s->since);
    bool news = done != NO_INT && (s->done_at == NO_INT || done > s->done_at);
    s->done_at = done;
    if (due != s->due) {
        s->due = due;
        s->reminded = s->overdue = false;
        s->climbed = 0;
        s->escalate_at = NO_INT;
    }
    if (news)
        tell(l, d, s, DUTY_DONE);
}

static int64_t remind_at(const struct duty *d, const struct duty_state *s)
{
    int64_t from = s->done_at != NO_INT ? s->done_at : s->since;
    int64_t at = s->due - d->remind;
    return !d->remind ? INT64_MAX : at > from ? at : from;
}

static void set_escalation(struct look *l, const struct duty *d, struct duty_state *s)
{
    const struct work *w = l->e->settings->work;
    bool above = duty_tier(w, d, s) + 1 < w->n_tiers;
    s->escalate_at = above && d->escalate_after.given ? term_end(w, &d->escalate_after, l->at) : NO_INT;
}

/* What has become due by now, each told once; and when it goes on. */
static void work_off(struct look *l, const struct duty *d, struct duty_state *s)
{
    if (!s->reminded && l->at < s->due && l->at >= remind_at(d, s)) {
        s->reminded = true;
        tell(l, d, s, DUTY_REMIND);
    }
    if (!s->overdue && l->at >= s->due) {
        s->reminded = s->overdue = true; /* to remind of it is too late */
        set_escalation(l, d, s);
        tell(l, d, s, DUTY_OVERDUE);
    }
    while (s->overdue && s->escalate_at != NO_INT && l->at >= s->escalate_at) {
        s->climbed++;
        set_escalation(l, d, s);
        tell(l, d, s, DUTY_ESCALATED);
    }
}

static void look_again(struct look *l, int64_t at)
{
    l->next = at < l->next ? at : l->next;
}

/* True: it applies, and *s is what has become of it. */
static bool judge_one(struct look *l, const struct duty *d, struct duty_state *s)
{
    struct verdict fits = attributes_hold(l->c, &d->who, l->at);
    const struct duty_state *had = find(&l->row, d->id);
    if (!fits.holds || l->c->unresolved)
        return false;
    *s = had ? *had
             : (struct duty_state){.duty = d->id, .since = l->at, .done_at = NO_INT, .due = NO_INT, .escalate_at = NO_INT,
                                   .hand_at = NO_INT};
    renew(l, d, s);
    work_off(l, d, s);
    look_again(l, fits.until);
    if (!s->reminded)
        look_again(l, remind_at(d, s));
    if (!s->overdue)
        look_again(l, s->due);
    else if (s->escalate_at != NO_INT)
        look_again(l, s->escalate_at);
    return true;
}

/* ---- one enterprise ---- */

static void describe(struct look *l)
{
    l->row.name = l->c->name;
    l->row.industry = record_industry(l->c);
    l->row.region = record_region(l->c);
    l->row.place = route_place(l->e, l->c);
    l->row.n_places = l->c->n_places;
    l->row.places = l->c->places;
}

static bool any_fits(const struct work *w, const struct record *c, int64_t at)
{
    for (uint32_t i = 0; w && i < w->n_duties; i++)
        if (attributes_hold(c, &w->duties[i].who, at).holds)
            return true;
    return false;
}

/* The record is prepared. Its flag is set; whoever judges it stores it. */
static void judge_all(struct engine *e, struct record *c, int64_t at, const struct entry_action *x)
{
    const struct work *w = e->settings->work;
    struct look l = {.e = e, .c = c, .at = at, .x = x, .row = {.next = NO_INT}, .next = INT64_MAX};
    uint32_t n = 0, configured = w ? w->n_duties : 0;
    if (ekey_status(&c->key) != STATUS_ACTUAL || ekey_kind(&c->key) == EKEY_AREA)
        return;
    if (c->duties)
        load(e, &c->key, &l.row);
    else if (!any_fits(w, c, at))
        return;
    if (engine_failed(e))
        return;
    describe(&l);
    struct duty_state *list = arena_zalloc(&e->scratch, (configured + 1) * sizeof *list);
    for (uint32_t i = 0; i < configured; i++)
        n += judge_one(&l, &w->duties[i], &list[n]);
    l.row.list = list;
    l.row.n = n;
    c->duties = n > 0;
    store(e, &c->key, &l.row, l.next == INT64_MAX ? NO_INT : l.next);
}

void duty_judge(struct engine *e, struct record *c, int64_t at)
{
    if (c->duties || (e->settings->work && e->settings->work->n_duties))
        judge_all(e, c, at, NULL);
}

void duty_due(struct engine *e, const struct ekey *item, int64_t at)
{
    struct ekey key = enterprise_of(item);
    if (!state_get(e->state, T_DUTY, key.b, EKEY_LEN).p) {
        due_set(e->due, item, at, NO_INT);
        return;
    }
    struct record *c = identity_record(e, &key, (struct slice){0});
    series_prepare(e, c);
    c->duties = true; /* where the record's flag is not cleared here, its next judgement finds no row */
    judge_all(e, c, at, NULL);
}

void duty_forget(struct engine *e, const struct record *c)
{
    struct duty_row row;
    if (!c->duties || !load(e, &c->key, &row))
        return;
    row.n = 0;
    store(e, &c->key, &row, NO_INT);
}

/* Two enterprises turned out to be one: what was done for either was done for it. */
static void merge_state(struct duty_state *into, const struct duty_state *from)
{
    into->since = from->since < into->since ? from->since : into->since;
    if (from->done_at != NO_INT && (into->done_at == NO_INT || from->done_at > into->done_at))
        into->done_at = from->done_at; /* its signals go along: no news */
    if (from->hand_at == NO_INT || (into->hand_at != NO_INT && into->hand_at >= from->hand_at))
        return;
    into->hand_at = from->hand_at;
    into->hand_entry = from->hand_entry;
    into->hand_who = from->hand_who;
    into->hand_ref = from->hand_ref;
}

void duty_merge(struct engine *e, const struct record *from, struct record *into)
{
    struct duty_row theirs, ours;
    if (!from->duties || !load(e, &from->key, &theirs))
        return;
    load(e, &into->key, &ours);
    struct duty_state *list = arena_zalloc(&e->scratch, (ours.n + theirs.n + 1) * sizeof *list);
    for (uint32_t i = 0; i < ours.n; i++)
        list[i] = ours.list[i];
    ours.list = list;
    for (uint32_t i = 0; i < theirs.n; i++) {
        struct duty_state *same = find(&ours, theirs.list[i].duty);
        if (same)
            merge_state(same, &theirs.list[i]);
        else
            list[ours.n++] = theirs.list[i];
    }
    into->duties = true;
    store(e, &into->key, &ours, ours.next);
}

/* ---- what a person reports ---- */

static bool refuse(struct engine *e, enum wire_error code, const char *sentence)
{
    if (e->out) {
        e->out->refused = code;
        e->out->sentence = sentence;
    }
    return false;
}

static struct arena *words_of(struct engine *e)
{
    return e->out ? e->out->arena : &e->scratch;
}

static const char *list_words(struct arena *a, const struct slice *words, uint32_t n)
{
    const char *text = "";
    for (uint32_t i = 0; i < n; i++)
        text = arena_printf(a, "%s%s%.*s", text, i ? ", " : "", SLICE_ARG(words[i]));
    return text;
}

static const char *duty_words(struct arena *a, const struct duty_row *row)
{
    struct slice *ids = arena_alloc(a, (row->n + 1) * sizeof *ids);
    for (uint32_t i = 0; i < row->n; i++)
        ids[i] = row->list[i].duty;
    return list_words(a, ids, row->n);
}

/* Those that have it, and operators. */
static bool may(struct engine *e, const struct entry_action *x, const struct duty_row *row, const struct duty *d,
                const struct duty_state *s)
{
    struct slice teams[TIERS_MAX];
    uint32_t n = duty_teams(e->settings->work, row, d, s, teams);
    bool its = slice_is(x->role, "operator");
    for (uint32_t i = 0; i < n && !its; i++)
        its = x->own_team.n && slice_eq(x->own_team, teams[i]);
    return its || refuse(e, WIRE_ERROR_DENIED,
                         arena_printf(words_of(e), "this duty is reported done by %s or an operator; this principal is of %s%.*s",
                                      n ? list_words(words_of(e), teams, n) : "nobody", x->own_team.n ? "team " : "no team",
                                      SLICE_ARG(x->own_team)));
}

static const char *day_words(struct engine *e, int64_t at)
{
    char text[26];
    time_format(at, e->settings->timezone, text);
    return arena_printf(words_of(e), "%.10s", text);
}

/* Said twice, by one who got no answer or by two at once, is done once. */
static bool is_news(struct engine *e, const struct entry_action *x, const struct duty_state *s)
{
    int64_t zone = e->settings->timezone;
    struct arena *a = words_of(e);
    struct slice who = s->hand_entry && s->hand_at == s->done_at ? s->hand_who : (struct slice){0};
    if (s->hand_entry && x->ref.n && slice_eq(s->hand_ref, x->ref))
        return refuse(e, WIRE_ERROR_WRONG_STATE,
                      arena_printf(a, "%.*s has reported it done with ref %.*s already, on %s", SLICE_ARG(s->hand_who),
                                   SLICE_ARG(x->ref), day_words(e, s->hand_at)));
    if (s->done_at != NO_INT && civil_day(s->done_at, zone) >= civil_day(e->time, zone))
        return refuse(e, WIRE_ERROR_WRONG_STATE,
                      arena_printf(a, "it was done already, on %s%s%.*s; the next is due by %s", day_words(e, s->done_at),
                                   who.n ? ", by " : "", SLICE_ARG(who), day_words(e, s->due)));
    return true;
}

bool duty_act(struct engine *e, const struct entry_action *x)
{
    struct duty_row row;
    if (!slice_is(x->what, "duty_done"))
        return false;
    if (!x->may) {
        refuse(e, WIRE_ERROR_DENIED, "this principal may not act in that place");
        return true;
    }
    struct ekey key = identity_resolve(e, &x->key);
    load(e, &key, &row);
    struct duty_state *s = find(&row, x->duty);
    const struct duty *d = duty_named(e->settings->work, x->duty);
    if (!s || !d) {
        refuse(e, WIRE_ERROR_BAD_FIELD,
               row.n ? arena_printf(words_of(e), "duty: \"%.*s\" does not apply to this enterprise; these do: %s",
                                    SLICE_ARG(x->duty), duty_words(words_of(e), &row))
                     : "duty: none applies to this enterprise; 'wagewarn duties' lists those that do, and to whom");
        return true;
    }
    if (!may(e, x, &row, d, s) || !is_news(e, x, s))
        return true;
    s->hand_at = e->time;
    s->hand_entry = e->number;
    s->hand_who = x->actor.n ? x->actor : x->principal;
    s->hand_ref = x->ref;
    store(e, &key, &row, row.next);
    struct record *c = identity_record(e, &key, (struct slice){0});
    series_prepare(e, c);
    c->duties = true;
    judge_all(e, c, e->time, x);
    return true;
}
