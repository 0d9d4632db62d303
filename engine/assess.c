/* SPDX-License-Identifier: Apache-2.0 */
/* How far an enterprise is from a line of the law: people and sum are the largest that one standing signal tells (agencies
 * report the same arrears, so nothing is added up), months are civil ones since the earliest date that wages are owed.
 * Cost: the signals in the record, one or two blocks a series at the edges of the window; of a selector with `where`, no
 * more than the newest ASSESS_MOST signals of a series, so that no file of rules makes a judgement slow. */
#include "engine/fold.h"

#include "lib/calendar.h"

enum { ASSESS_MOST = 4096 };

/* The largest value told, and the latest time at which a signal tells it (of a block known as a whole: not later). */
struct best {
    int64_t value, at;      /* NO_INT: nothing */
};

struct found {
    struct best people, amount, owed_for; /* owed_for: -since, so that the earliest is the largest */
    struct best any;
};

static const struct found found_nothing = {{NO_INT, NO_INT}, {NO_INT, NO_INT}, {NO_INT, NO_INT}, {NO_INT, NO_INT}};

static void take(struct best *b, int64_t value, int64_t at)
{
    if (value == NO_INT || value < b->value || (value == b->value && at <= b->at))
        return;
    *b = (struct best){value, at};
}

static void take_all(struct found *f, int64_t people, int64_t amount, int64_t since, int64_t at)
{
    take(&f->people, people, at);
    take(&f->amount, amount, at);
    take(&f->owed_for, since == NO_INT ? NO_INT : -since, at);
    take(&f->any, 0, at);
}

/* ---- signals within the window ---- */

struct scan {
    struct engine *e;
    const struct record *r;
    const struct selector *of;
    const struct series *series;
    int64_t from;
    uint64_t left;          /* that may still be looked at */
};

static void look_at(struct scan *s, const struct sig *sig, struct found *f)
{
    if (sig->flags & SIG_CANCELLED)
        return;
    s->left--;
    if (selector_counts(s->e, s->of, s->series, sig))
        take_all(f, sig->people, sig->amount, sig->since, sig->at);
}

static void read_block(struct scan *s, uint32_t block, struct found *f)
{
    struct series_walk w = {.series = s->series, .block_left = block + 1};
    const struct sig *sig;
    for (uint32_t n = s->series->blocks[block].n; n-- && s->left && (sig = series_walk_next(s->e, s->r, &w));)
        if (sig->at >= s->from)
            look_at(s, sig, f);
}

/* Nothing in it can match. */
static bool below(const struct where *w, const struct block_ref *ref)
{
    return (w->people_least != NO_INT && ref->people < w->people_least) ||
           (w->amount_least != NO_INT && ref->amount < w->amount_least);
}

static void scan_block(struct scan *s, uint32_t block, struct found *f)
{
    const struct block_ref *ref = &s->series->blocks[block];
    uint64_t n = ref->n - ref->n_cancelled;
    if (!n)
        return;
    if (ref->first_at >= s->from && !s->of->where.given)
        take_all(f, ref->people, ref->amount, ref->since, ref->first_at);
    else if (!s->of->where.given || !below(&s->of->where, ref))
        read_block(s, block, f);
    else
        s->left -= n < s->left ? n : s->left;
}

/* `any_only`: whether there is one at all, so the newest is enough. */
static void scan_series(struct scan *s, bool any_only, struct found *f)
{
    const struct series *x = s->series;
    struct found here = found_nothing;
    s->left = s->of->where.given ? ASSESS_MOST : UINT64_MAX;
    for (uint32_t i = x->n; i-- > 0 && x->sigs[i].at >= s->from && s->left;)
        look_at(s, &x->sigs[i], &here);
    for (uint32_t i = x->n_blocks; i-- > 0 && x->blocks[i].last_at >= s->from && s->left;) {
        if (any_only && here.any.at != NO_INT)
            break;
        scan_block(s, i, &here);
    }
    take(&f->people, here.people.value, here.people.at);
    take(&f->amount, here.amount.value, here.amount.at);
    take(&f->owed_for, here.owed_for.value, here.owed_for.at);
    take(&f->any, here.any.value, here.any.at);
}

static void scan(struct engine *e, const struct record *r, const struct selector *of, int64_t from, bool any_only,
                 struct found *f)
{
    *f = found_nothing;
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct series *x = &r->series[i];
        struct scan s = {.e = e, .r = r, .of = of, .series = x, .from = from};
        if (!selector_takes(e, of, x))
            continue;
        if (!of->cleared_too && x->cleared != NO_INT && x->cleared >= from)
            s.from = x->cleared + 1;
        scan_series(&s, any_only, f);
    }
}

/* ---- months ---- */

/* When `months` civil months since a day are full: the same day, or the last one of a shorter month. */
static int64_t months_full(int64_t since, int64_t months, int64_t offset)
{
    int year, month, day;
    civil_from_ms(since, offset, &year, &month, &day);
    int64_t all = (int64_t)year * 12 + month - 1 + months;
    year = (int)(all / 12);
    month = (int)(all % 12) + 1;
    while (!civil_valid(year, month, day) && day > 28)
        day--;
    return civil_to_ms(year, month, day, offset);
}

static int64_t months_since(int64_t since, int64_t at, int64_t offset)
{
    int y0, m0, d0, y1, m1, d1;
    if (since > at)
        return 0;
    civil_from_ms(since, offset, &y0, &m0, &d0);
    civil_from_ms(at, offset, &y1, &m1, &d1);
    int64_t months = (int64_t)(y1 - y0) * 12 + m1 - m0;
    return months && months_full(since, months, offset) > at ? months - 1 : months;
}

/* ---- what is found, against a row ---- */

struct measured {
    int64_t people, months, amount, since; /* NO_INT: no signal tells */
    bool order, incident;
    int64_t until;          /* none of people, amount, since, order, incident changes before by the clock alone */
};

static void until_leaves(struct measured *m, const struct best *b, int64_t within)
{
    if (b->at != NO_INT && b->at + within + 1 < m->until)
        m->until = b->at + within + 1;
}

static void measure(struct engine *e, const struct record *r, int64_t at, struct measured *m)
{
    const struct assessment *a = &e->settings->assessment;
    int64_t from = at - a->within;
    struct found owed, order, incident;
    scan(e, r, &a->owed, from, false, &owed);
    scan(e, r, &a->order, from, true, &order);
    scan(e, r, &a->incident, from, true, &incident);
    *m = (struct measured){.people = owed.people.value, .amount = owed.amount.value, .months = NO_INT, .since = NO_INT,
                           .order = order.any.at != NO_INT, .incident = incident.any.at != NO_INT,
                           .until = INT64_MAX};
    if (owed.owed_for.value != NO_INT) {
        m->since = -owed.owed_for.value;
        m->months = months_since(m->since, at, e->settings->timezone);
    }
    const struct best *const told[] = {&owed.people, &owed.amount, &owed.owed_for, &order.any, &incident.any};
    for (size_t i = 0; i < ARRAY_LEN(told); i++)
        until_leaves(m, told[i], a->within);
}

static int64_t lacking(int64_t asked, int64_t found)
{
    int64_t have = found == NO_INT ? 0 : found;
    return asked > have ? asked - have : 0;
}

/* How large a part of what is asked is short. */
static uint64_t part(int64_t lacks, int64_t asked)
{
    return asked > 0 ? (uint64_t)((unsigned __int128)lacks * PPM / (uint64_t)asked) : 0;
}

/* Of two rows that lack as many parts, the one is nearer that lacks the smaller share of them. */
static uint64_t distance(const struct threshold *t, const struct assessed *x)
{
    return part(x->short_people, t->people) + part(x->short_months, t->months) + part(x->short_amount, t->amount);
}

/* What a row still lacks, and how many of its parts that are. */
static uint32_t compare(const struct threshold *t, const struct measured *m, struct assessed *x)
{
    bool figures = t->people || t->months || t->amount;
    bool incident = t->incident && m->incident, without = t->incident && !m->incident && !figures;
    x->short_people = incident ? 0 : lacking(t->people, m->people);
    x->short_months = incident ? 0 : lacking(t->months, m->months);
    x->short_amount = incident ? 0 : lacking(t->amount, m->amount);
    x->short_order = t->order && !m->order;
    return (x->short_people > 0) + (x->short_months > 0) + (x->short_amount > 0) + x->short_order + without;
}

/* Is this row one of `line` where the enterprise is, and none nearer to it? `*best` is the longest prefix so far. */
static bool applies(const struct threshold *t, struct slice line, region_t region)
{
    return slice_eq(t->line, line) && (!t->region || (region && region_within(region, t->region)));
}

static bool line_region(const struct settings *s, struct slice line, region_t region, region_t *best)
{
    bool found = false;
    for (uint32_t i = 0; i < s->n_thresholds; i++) {
        const struct threshold *t = &s->thresholds[i];
        if (applies(t, line, region) && (!found || !*best || (t->region && region_within(t->region, *best)))) {
            *best = t->region;
            found = true;
        }
    }
    return found;
}

/* The nearest of a line's alternatives: the one that lacks fewest parts, of equals the one that lacks the smallest share of
 * what it asks, of equals again the first. False: no such line here. */
static bool assess_line(const struct settings *s, struct slice line, region_t region, const struct measured *m,
                        struct assessed *out)
{
    region_t where = 0;
    uint32_t least = UINT32_MAX;
    uint64_t nearest = UINT64_MAX;
    if (!line_region(s, line, region, &where))
        return false;
    for (uint32_t i = 0; i < s->n_thresholds; i++) {
        const struct threshold *t = &s->thresholds[i];
        struct assessed x = {.line = t->line, .people = m->people, .months = m->months, .amount = m->amount,
                             .region = t->region, .source = t->source};
        if (!slice_eq(t->line, line) || t->region != where)
            continue;
        uint32_t lacks = compare(t, m, &x);
        x.met = !lacks;
        uint64_t far = distance(t, &x);
        if (lacks < least || (lacks == least && far < nearest)) {
            least = lacks;
            nearest = far;
            *out = x;
        }
    }
    return true;
}

/* When the next row of a line has its months full. */
static int64_t next_months(const struct settings *s, struct slice line, const struct measured *m, int64_t at)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; m->since != NO_INT && i < s->n_thresholds; i++) {
        const struct threshold *t = &s->thresholds[i];
        if (!slice_eq(t->line, line) || t->months <= m->months)
            continue;
        int64_t full = months_full(m->since, t->months, s->timezone);
        if (full > at && full < next)
            next = full;
    }
    return next;
}

struct verdict assess_holds(struct engine *e, const struct record *r, const struct cond *c, int64_t at)
{
    struct measured m;
    struct assessed x = {.met = false};
    measure(e, r, at, &m);
    assess_line(e->settings, c->line, record_region(r), &m, &x);
    int64_t months = next_months(e->settings, c->line, &m, at);
    return (struct verdict){x.met, months < m.until ? months : m.until};
}

static bool seen_line(const struct settings *s, uint32_t before, struct slice line)
{
    for (uint32_t i = 0; i < before; i++)
        if (slice_eq(s->thresholds[i].line, line))
            return true;
    return false;
}

void assess(struct engine *e, const struct record *r, int64_t at, struct event *ev)
{
    const struct settings *s = e->settings;
    struct measured m;
    if (!s->n_thresholds)
        return;
    measure(e, r, at, &m);
    struct assessed *list = arena_zalloc(&e->scratch, s->n_thresholds * sizeof *list);
    ev->n_assessed = 0;
    for (uint32_t i = 0; i < s->n_thresholds; i++)
        if (!seen_line(s, i, s->thresholds[i].line) &&
            assess_line(s, s->thresholds[i].line, record_region(r), &m, &list[ev->n_assessed]))
            ev->n_assessed++;
    ev->assessed = list;
}
