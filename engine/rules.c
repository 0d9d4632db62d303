/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluates conditions over the signals of a record. A condition says whether it holds, and until when it surely keeps
 * saying so if nothing new comes; that is all the clock needs to know. Cost: the series of the record, and of a series
 * no more signals than the condition asks for. A new operator is one function and one row of `operators`. */
#include "engine/fold.h"

#include <stdlib.h>

enum { SEQUENCE_MAX = 64 }; /* steps, as cond_load.c takes them */

/* What a condition is evaluated in. */
struct scene {
    struct engine *e;
    const struct record *r;
    int64_t at;
    uint8_t score_level;
    struct kind_set present;   /* kinds of the record's series */
    uint32_t *kinds;           /* by series: position of its kind; UINT32_MAX: no longer configured */
    struct agencies {          /* of the selector asked for last: rules often ask for the same */
        bool known;
        struct kind_set of;
        uint32_t n;
        int64_t latest[AGENCIES_MAX]; /* of each agency, newest first */
    } agencies;
};

static struct verdict holds(struct scene *, const struct cond *);

static struct verdict never(void)
{
    return (struct verdict){false, INT64_MAX};
}

/* ---- which signals count ---- */

static int64_t beginning(const struct scene *s, const struct cond *c)
{
    return s->at - c->within;
}

/* First time at which a signal of `sig_at` no longer lies within. */
static int64_t leaves(const struct cond *c, int64_t sig_at)
{
    return sig_at + c->within + 1;
}

/* The same of the record's series number i. */
static bool takes(const struct scene *s, const struct selector *of, uint32_t i)
{
    return s->kinds[i] != UINT32_MAX && kind_in(&of->kinds, s->kinds[i]);
}

/* False: of no series at all, which most conditions are told by. */
static bool takes_any(const struct scene *s, const struct selector *of)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i <= s->e->settings->n_kinds / 64 && i < KIND_WORDS; i++)
        any |= s->present.bits[i] & of->kinds.bits[i];
    return any != 0;
}

bool selector_takes(const struct engine *e, const struct selector *of, const struct series *s)
{
    uint32_t kind = settings_kind_at(e->settings, s->kind);
    return kind != UINT32_MAX && kind_in(&of->kinds, kind);
}

static bool within_bounds(int64_t v, int64_t least, int64_t most)
{
    return (least == NO_INT && most == NO_INT) || (v != NO_INT && v >= least && (most == NO_INT || v <= most));
}

static bool meets(const struct engine *e, const struct where *w, const struct series *s, const struct sig *sig)
{
    bool place = w->n_regions == 0, source = w->n_sources == 0;
    for (uint32_t i = 0; i < w->n_regions && !place; i++)
        place = sig->region && region_within(sig->region, w->regions[i]);
    for (uint32_t i = 0; i < w->n_sources && !source; i++)
        source = slice_eq(w->sources[i], dict_text(e->dict, DICT_SOURCE, s->source));
    return place && source && within_bounds(sig->amount, w->amount_least, w->amount_most) &&
           within_bounds(sig->people, w->people_least, w->people_most);
}

bool selector_counts(const struct engine *e, const struct selector *of, const struct series *s, const struct sig *sig)
{
    bool stands = sig->active || (of->cleared_too && !(sig->flags & SIG_CANCELLED));
    return stands && (!of->where.given || meets(e, &of->where, s, sig));
}

/* The latest signal of a series that counts, not before `from`; NULL: none. */
static const struct sig *latest_in(const struct scene *s, const struct selector *of, const struct series *series,
                                   int64_t from)
{
    struct series_walk w;
    const struct sig *sig;
    series_walk_start(&w, series);
    while ((sig = series_walk_next(s->e, s->r, &w)) && sig->at >= from)
        if (selector_counts(s->e, of, series, sig))
            return sig;
    return NULL;
}

/* Its time; the common case needs no walk. NO_INT: none. */
static int64_t latest_at(const struct scene *s, const struct selector *of, uint32_t i, int64_t from)
{
    const struct series *series = &s->r->series[i];
    if (!takes(s, of, i))
        return NO_INT;
    if (!of->cleared_too && !of->where.given)
        return series->latest != NO_INT && series->latest >= from ? series->latest : NO_INT;
    const struct sig *sig = latest_in(s, of, series, from);
    return sig ? sig->at : NO_INT;
}

/* ---- signal, count, agencies, regions, sum ---- */

static struct verdict holds_signal(struct scene *s, const struct cond *c)
{
    int64_t best = NO_INT;
    for (uint32_t i = 0; i < s->r->n_series && takes_any(s, &c->of); i++) {
        int64_t t = latest_at(s, &c->of, i, beginning(s, c));
        best = t > best ? t : best;
    }
    return best == NO_INT ? never() : (struct verdict){true, leaves(c, best)};
}

/* A time and how much it brings; of regions: where. */
struct share {
    int64_t at, much;
    region_t place;
};

struct shares {
    struct share *list;
    size_t n, cap;
};

static void add_share(const struct scene *s, struct shares *x, struct share one)
{
    if (x->n == x->cap) {
        struct share *more = arena_alloc(&s->e->scratch, (x->cap * 2 + 16) * sizeof *more);
        if (x->n)
            memcpy(more, x->list, x->n * sizeof *more);
        x->list = more;
        x->cap = x->cap * 2 + 16;
    }
    x->list[x->n++] = one;
}

static int newest_first(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    return (x->at < y->at) - (x->at > y->at);
}

/* Newest first until enough is there: it holds until the one that made it enough leaves. */
static struct verdict enough(const struct cond *c, struct shares *x)
{
    int64_t sum = 0, all = 0;
    for (size_t i = 0; i < x->n; i++)
        all += x->list[i].much;
    if (all < c->at_least)
        return never();
    if (x->n)
        qsort(x->list, x->n, sizeof *x->list, newest_first);
    for (size_t i = 0; i < x->n; i++) {
        sum += x->list[i].much;
        if (sum >= c->at_least)
            return (struct verdict){true, leaves(c, x->list[i].at)};
    }
    return never();
}

int64_t sig_measures(const struct sig *sig, enum sum_field field)
{
    enum { MOST = INT32_MAX }; /* of one signal, so that no sum overflows: yuan, people */
    int64_t v = field == SUM_PEOPLE ? sig->people : sig->amount;
    return v == NO_INT || v < 0 ? 0 : v > MOST * INT64_C(100) ? MOST * INT64_C(100) : v;
}

static int64_t how_much(const struct cond *c, const struct sig *sig)
{
    return c->op == COND_COUNT ? 1 : sig_measures(sig, c->field);
}

/* count, sum: of a series no more than would be enough alone. */
static struct verdict holds_amount(struct scene *s, const struct cond *c)
{
    struct shares x = {0};
    for (uint32_t i = 0; i < s->r->n_series; i++) {
        const struct series *series = &s->r->series[i];
        struct series_walk w;
        const struct sig *sig;
        int64_t here = 0, from = beginning(s, c);
        if (!takes(s, &c->of, i))
            continue;
        if (!c->of.cleared_too && series->cleared >= from)
            from = series->cleared + 1;
        series_walk_start(&w, series);
        w.only = c->op == COND_COUNT ? WALK_ALL : c->field == SUM_PEOPLE ? WALK_PEOPLE : WALK_AMOUNT;
        while (here < c->at_least && (sig = series_walk_next(s->e, s->r, &w)) && sig->at >= from) {
            int64_t much = selector_counts(s->e, &c->of, series, sig) ? how_much(c, sig) : 0;
            if (much)
                add_share(s, &x, (struct share){sig->at, much, 0});
            here += much;
        }
    }
    return enough(c, &x);
}

/* The latest signal of each agency, not before `from`, newest first. */
static void find_agencies(const struct scene *s, const struct selector *of, int64_t from, struct agencies *x)
{
    int64_t by_agency[AGENCIES_MAX];
    uint64_t touched = 0;
    for (uint32_t i = 0; i < s->r->n_series; i++) {
        int64_t t = latest_at(s, of, i, from);
        if (t == NO_INT)
            continue;
        uint32_t agency = s->e->settings->kinds[s->kinds[i]].agency;
        if (!(touched >> agency & 1) || t > by_agency[agency])
            by_agency[agency] = t;
        touched |= UINT64_C(1) << agency;
    }
    for (x->n = 0; touched; touched &= touched - 1) {
        uint32_t k = x->n++;
        int64_t t = by_agency[__builtin_ctzll(touched)];
        for (; k > 0 && x->latest[k - 1] < t; k--)
            x->latest[k] = x->latest[k - 1];
        x->latest[k] = t;
    }
}

/* Where nothing but the kinds is asked, one list does for every window. */
static const struct agencies *agencies_of(struct scene *s, const struct cond *c)
{
    struct agencies *x = &s->agencies;
    bool plain = !c->of.where.given && !c->of.cleared_too;
    if (x->known && plain && memcmp(&x->of, &c->of.kinds, sizeof x->of) == 0)
        return x;
    find_agencies(s, &c->of, plain ? INT64_MIN : beginning(s, c), x);
    x->known = plain;
    x->of = c->of.kinds;
    return x;
}

static struct verdict holds_agencies(struct scene *s, const struct cond *c)
{
    const struct agencies *x = agencies_of(s, c);
    if (x->n < c->at_least || x->latest[c->at_least - 1] < beginning(s, c))
        return never();
    return (struct verdict){true, leaves(c, x->latest[c->at_least - 1])};
}

/* Each place that signals not before `from` name, with the latest of them. A code too short to tell it apart is none. */
static struct shares find_places(const struct scene *s, const struct cond *c)
{
    struct shares x = {0};
    for (uint32_t i = 0; i < s->r->n_series; i++) {
        const struct series *series = &s->r->series[i];
        struct series_walk w;
        const struct sig *sig;
        if (!takes(s, &c->of, i))
            continue;
        series_walk_start(&w, series);
        while ((sig = series_walk_next(s->e, s->r, &w)) && sig->at >= beginning(s, c)) {
            region_t place = sig->region ? settings_region(s->e->settings, sig->region) : 0;
            size_t k = 0;
            if ((place & 15) < c->digits || !selector_counts(s->e, &c->of, series, sig))
                continue;
            place = region_cut(place, c->digits);
            while (k < x.n && x.list[k].place != place)
                k++;
            if (k == x.n)
                add_share(s, &x, (struct share){sig->at, 1, place});
            else if (sig->at > x.list[k].at)
                x.list[k].at = sig->at;
        }
    }
    return x;
}

static struct verdict holds_regions(struct scene *s, const struct cond *c)
{
    struct shares x = find_places(s, c);
    return enough(c, &x);
}

/* ---- sequence, absent ---- */

/* The latest signal of a selector not after `until` and not before `from`. */
static const struct sig *latest_within(const struct scene *s, const struct selector *of, int64_t until, int64_t from)
{
    const struct sig *best = NULL;
    for (uint32_t i = 0; i < s->r->n_series && takes_any(s, of); i++) {
        const struct series *series = &s->r->series[i];
        struct series_walk w;
        const struct sig *sig;
        if (!takes(s, of, i))
            continue;
        series_walk_start(&w, series);
        while ((sig = series_walk_next(s->e, s->r, &w)) && sig->at >= from)
            if (sig->at <= until && selector_counts(s->e, of, series, sig)) {
                best = best && sig_order(best, sig) > 0 ? best : sig;
                break;
            }
    }
    return best;
}

/* Steps of a sequence that take signals of one instant, each another one: which arrived first does not matter. */
struct instant {
    const struct cond *c;
    int64_t at;
    const uint64_t *could[SEQUENCE_MAX]; /* of each step: numbers of the signals that it could take, as many as there are steps */
    uint32_t n_could[SEQUENCE_MAX];
    uint64_t takes[SEQUENCE_MAX];        /* 0: none */
};

static void find_could(const struct scene *s, uint32_t step, struct instant *x)
{
    const struct selector *of = &x->c->parts[step].of;
    uint64_t *list = arena_alloc(&s->e->scratch, x->c->n * sizeof *list);
    x->n_could[step] = 0;
    for (uint32_t i = 0; i < s->r->n_series; i++) {
        const struct series *series = &s->r->series[i];
        struct series_walk w;
        const struct sig *sig;
        if (!takes(s, of, i))
            continue;
        series_walk_start(&w, series);
        while (x->n_could[step] < x->c->n && (sig = series_walk_next(s->e, s->r, &w)) && sig->at >= x->at)
            if (sig->at == x->at && selector_counts(s->e, of, series, sig))
                list[x->n_could[step]++] = sig->seq;
    }
    x->could[step] = list;
}

static uint32_t taken_by(const struct instant *x, uint64_t seq)
{
    uint32_t step = 0;
    while (step < x->c->n && x->takes[step] != seq)
        step++;
    return step;
}

/* Gives a step a signal of the instant, if need be one that another step gives up for one more. `asked`: those that were
 * asked already. */
static bool find_one(struct instant *x, uint32_t step, uint64_t *asked)
{
    *asked |= UINT64_C(1) << step;
    for (uint32_t i = 0; i < x->n_could[step]; i++) {
        uint64_t seq = x->could[step][i];
        uint32_t other = taken_by(x, seq);
        if (other < x->c->n && (*asked >> other & 1 || !find_one(x, other, asked)))
            continue;
        x->takes[step] = seq;
        return true;
    }
    return false;
}

/* Another instant: what was taken before stays there. */
static bool begin_at(const struct scene *s, uint32_t step, int64_t until, struct instant *x)
{
    const struct sig *sig = latest_within(s, &x->c->parts[step].of, until, beginning(s, x->c));
    uint64_t asked = 0;
    if (!sig)
        return false;
    x->at = sig->at;
    memset(x->takes, 0, sizeof x->takes);
    find_could(s, step, x);
    return find_one(x, step, &asked);
}

static bool joins(const struct scene *s, uint32_t step, struct instant *x)
{
    uint64_t asked = 0;
    find_could(s, step, x);
    return find_one(x, step, &asked);
}

/* From the last step backwards, each as late as it can be: the first one then leaves last. */
static struct verdict holds_sequence(struct scene *s, const struct cond *c)
{
    struct instant x = {.c = c, .at = INT64_MAX};
    for (uint32_t i = c->n; i-- > 0;)
        if (x.at == INT64_MAX ? !begin_at(s, i, INT64_MAX, &x) : !joins(s, i, &x) && !begin_at(s, i, x.at - 1, &x))
            return never();
    return (struct verdict){true, leaves(c, x.at)};
}

/* at of the oldest signal that still waits for what should have followed it; NO_INT: none waits. */
static int64_t oldest_waiting(const struct scene *s, const struct cond *c)
{
    const struct selector came = {.kinds = c->parts[0].of.kinds, .cleared_too = true, .where = c->parts[0].of.where};
    const struct sig *last = latest_within(s, &came, INT64_MAX, INT64_MIN);
    int64_t from = last ? last->at + 1 : INT64_MIN, oldest = NO_INT;
    for (uint32_t i = 0; i < s->r->n_series; i++) {
        const struct series *series = &s->r->series[i];
        struct series_walk w;
        const struct sig *sig;
        if (!takes(s, &c->of, i))
            continue;
        series_walk_start(&w, series);
        while ((sig = series_walk_next(s->e, s->r, &w)) && sig->at >= from && (series->cleared == NO_INT || sig->at > series->cleared))
            if (selector_counts(s->e, &c->of, series, sig) && (oldest == NO_INT || sig->at < oldest))
                oldest = sig->at;
    }
    return oldest;
}

static struct verdict holds_absent(struct scene *s, const struct cond *c)
{
    int64_t since = oldest_waiting(s, c);
    if (since == NO_INT)
        return never();
    return s->at - since >= c->within ? (struct verdict){true, INT64_MAX} : (struct verdict){false, since + c->within};
}

/* ---- who and when ---- */

static bool any_prefix(const struct slice *list, uint32_t n, struct slice text)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i].n <= text.n && memcmp(list[i].p, text.p, list[i].n) == 0)
            return true;
    return n == 0;
}

static bool any_place(const struct attributes *a, const struct record *r)
{
    for (uint32_t i = 0; i < a->n_regions; i++)
        for (uint32_t k = 0; k < r->n_places; k++)
            if (region_within(r->places[k], a->regions[i]))
                return true;
    return a->n_regions == 0;
}

static struct verdict tagged(const struct record *r, const struct attributes *a, int64_t at)
{
    for (uint32_t i = 0; i < a->n_tags; i++)
        for (uint32_t k = 0; k < r->n_tags; k++) {
            const struct tag *tag = &r->tags[k];
            if (slice_eq(tag->name, a->tags[i]) && at < tag->until)
                return (struct verdict){true, tag->until};
        }
    return (struct verdict){a->n_tags == 0, INT64_MAX};
}

struct verdict attributes_hold(const struct record *r, const struct attributes *a, int64_t at)
{
    bool credit = !a->credits[0] || (r->credit && strchr(a->credits, r->credit));
    if (!credit || !any_prefix(a->industries, a->n_industries, record_industry(r)) || !any_place(a, r))
        return never();
    return tagged(r, a, at);
}

static struct verdict holds_enterprise(struct scene *s, const struct cond *c)
{
    return attributes_hold(s->r, c->enterprise, s->at);
}

static struct verdict holds_season(struct scene *s, const struct cond *c)
{
    const struct settings *set = s->e->settings;
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < set->n_festivals; i++) {
        const struct festival *f = &set->festivals[i];
        int64_t from = f->day - c->within;
        if (!slice_eq(f->name, c->festival))
            continue;
        if (from <= s->at && s->at < f->day)
            return (struct verdict){true, f->day};
        if (from > s->at && from < next)
            next = from;
    }
    return (struct verdict){false, next};
}

/* Evidence of a kind that did not count when the team looked ends what it found. */
static bool news_since(const struct scene *s)
{
    for (uint32_t i = 0; i < s->r->n_series; i++) {
        const struct series *series = &s->r->series[i];
        const struct settings_kind *k = settings_kind(s->e->settings, series->kind);
        bool known = !k || !k->hazard;
        for (uint32_t j = 0; j < s->r->n_finding_kinds && !known; j++)
            known = s->r->finding_kinds[j] == series->kind;
        for (uint32_t j = 0; j < series->n && !known; j++)
            if (series->sigs[j].active && sig_entry(&series->sigs[j]) > s->r->finding_entry)
                return true;
    }
    return false;
}

static struct verdict holds_finding(struct scene *s, const struct cond *c)
{
    if (s->r->finding != c->finding || s->at - s->r->finding_at > c->within || news_since(s))
        return never();
    return (struct verdict){true, leaves(c, s->r->finding_at)};
}

static struct verdict holds_score(struct scene *s, const struct cond *c)
{
    /* when the score changes is score_next's business */
    return (struct verdict){s->score_level >= c->at_least, INT64_MAX};
}

/* ---- beyond the enterprise's own signals ---- */

static struct verdict holds_related(struct scene *s, const struct cond *c)
{
    return link_holds(s->e, s->r, c, s->at);
}

static struct verdict holds_threshold(struct scene *s, const struct cond *c)
{
    return assess_holds(s->e, s->r, c, s->at);
}

static struct verdict holds_area(struct scene *s, const struct cond *c)
{
    (void)s; /* judged for areas, by area.c */
    (void)c;
    return never();
}

/* ---- all, any, not ---- */

/* all: true as long as each part is; false at least until the last of those that fail may change. any: the mirror. */
static struct verdict holds_parts(struct scene *s, const struct cond *c)
{
    bool all = c->op == COND_ALL;
    struct verdict v = {all, all ? INT64_MAX : 0};
    int64_t strongest = 0, weakest = INT64_MAX;
    for (uint32_t i = 0; i < c->n; i++) {
        struct verdict p = holds(s, &c->parts[i]);
        if (p.holds != all) { /* this part decides */
            v.holds = !all;
            strongest = p.until > strongest ? p.until : strongest;
            if (strongest == INT64_MAX)
                break; /* whatever the others say */
        }
        weakest = p.until < weakest ? p.until : weakest;
    }
    v.until = v.holds == all ? weakest : strongest;
    return v;
}

static struct verdict holds_not(struct scene *s, const struct cond *c)
{
    struct verdict v = holds(s, &c->parts[0]);
    v.holds = !v.holds;
    return v;
}

static struct verdict (*const operators[])(struct scene *, const struct cond *) = {
    [COND_ALL] = holds_parts,           [COND_ANY] = holds_parts,       [COND_NOT] = holds_not,
    [COND_SIGNAL] = holds_signal,       [COND_COUNT] = holds_amount,    [COND_AGENCIES] = holds_agencies,
    [COND_REGIONS] = holds_regions,
    [COND_SUM] = holds_amount,          [COND_SEQUENCE] = holds_sequence, [COND_ABSENT] = holds_absent,
    [COND_ENTERPRISE] = holds_enterprise, [COND_SEASON] = holds_season, [COND_FINDING] = holds_finding,
    [COND_SCORE] = holds_score,         [COND_RELATED] = holds_related, [COND_THRESHOLD] = holds_threshold,
    [COND_AREA] = holds_area,
};

static struct verdict holds(struct scene *s, const struct cond *c)
{
    return operators[c->op](s, c);
}

struct scene *scene_of(struct engine *e, const struct record *r, int64_t at, uint8_t score_level)
{
    struct scene *s = arena_zalloc(&e->scratch, sizeof *s);
    *s = (struct scene){.e = e, .r = r, .at = at, .score_level = score_level};
    s->kinds = arena_alloc(&e->scratch, r->n_series * sizeof *s->kinds);
    for (uint32_t i = 0; i < r->n_series; i++) {
        uint32_t k = s->kinds[i] = settings_kind_at(e->settings, r->series[i].kind);
        if (k != UINT32_MAX)
            s->present.bits[k / 64] |= UINT64_C(1) << k % 64;
    }
    return s;
}

struct verdict scene_holds(struct scene *s, const struct cond *c)
{
    return holds(s, c);
}

struct verdict cond_holds(struct engine *e, const struct record *r, const struct cond *c, int64_t at, uint8_t score_level)
{
    return holds(scene_of(e, r, at, score_level), c);
}

int64_t cond_found(struct engine *e, const struct record *r, const struct cond *c, int64_t at)
{
    struct scene *s = scene_of(e, r, at, LEVEL_NONE);
    int64_t found = 0;
    if (c->op == COND_AGENCIES) {
        const struct agencies *x = agencies_of(s, c);
        while (found < x->n && x->latest[found] >= beginning(s, c))
            found++;
        return found;
    }
    if (c->op == COND_REGIONS)
        return (int64_t)find_places(s, c).n;
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct series *series = &r->series[i];
        struct series_walk w;
        const struct sig *sig;
        if (!takes(s, &c->of, i))
            continue;
        series_walk_start(&w, series);
        while ((sig = series_walk_next(e, r, &w)) && sig->at >= beginning(s, c))
            found += selector_counts(e, &c->of, series, sig) ? how_much(c, sig) : 0;
    }
    return found;
}
