/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules can concern a record, so that a thousand rules cost what ten do. Each rule is listed under what it cannot
 * hold without: the kinds of one part of its condition (the rarest part of an `all`, every part of an `any`), or a tag, a
 * finding, a link; with the window, the number asked for and the kinds that the other parts want, which are compared before
 * the condition is looked at. A rule that may hold without any of these is always a candidate. Whatever is left out is false until a signal comes: the
 * judgement is the same with and without the index. Pure. */
#include "engine/fold.h"

#include "lib/mem.h"

#include <stdlib.h>

enum { ATOMS_MAX = 256, ALSO_MAX = 4, FEW_KINDS = 4, SETS_MAX = 16, BROAD_SHARE = 4 }; /* a set of more than a quarter of all kinds is listed once, not by kind */

/* What a record may have beside signals. */
enum has { HAS_TAG, HAS_FINDING, HAS_LINK = HAS_FINDING + 4, HAS_COUNT = HAS_LINK + LINK_CLASS_END };

/* One thing without which a condition cannot hold. */
struct atom {
    const struct kind_set *kinds;   /* NULL: `has` */
    enum has has;
    bool cleared_too;
    uint32_t agencies, count;       /* at least so many; 0: not asked */
    int64_t sum;                    /* of people or amount, at least; 0: not asked */
    uint8_t field;                  /* enum sum_field */
    int64_t within;                 /* INT64_MAX: no window */
    uint32_t weight;                /* how common it is thought to be */
};

/* One of these kinds is there. */
struct wanted {
    struct kind_set kinds;
    bool cleared_too;
};

/* Any of the list is needed, and each of `also`. n = 0: nothing is needed. */
struct need {
    uint32_t n, n_also;
    bool always;
    struct wanted also[ALSO_MAX];
    struct atom list[ATOMS_MAX];
};

struct listed {
    int64_t within;
    int64_t sum;
    uint32_t rule, agencies, count;
    uint32_t also;                   /* its first one in the index's `also` */
    uint8_t n_also, field;
};

struct listing {
    uint32_t n, cap;
    struct listed *list;             /* longest window first */
};

/* Rules that ask for one of the same several kinds, a clue or an agency: listed once, not under each kind. */
struct set {
    struct wanted of;
    struct listing list;
};

struct rule_index {
    uint32_t n_always;
    uint32_t *always;
    struct listing has[HAS_COUNT];
    struct listing broad[2];        /* active ones; those that were cleared as well */
    struct listing *by_kind[2];     /* by position of kind */
    uint32_t n_sets, n_also;
    struct set sets[SETS_MAX];
    struct wanted *also;            /* of all rules, each's in one run */
    bool sums;                      /* some rule asks for a sum */
};

/* ---- what a condition needs ---- */

static uint32_t count_kinds(const struct kind_set *kinds)
{
    uint32_t n = 0;
    for (int i = 0; i < KIND_WORDS; i++)
        n += (uint32_t)__builtin_popcountll(kinds->bits[i]);
    return n;
}

static void need_one(struct need *need, struct atom one)
{
    if (need->n == ATOMS_MAX)
        need->always = true;
    else
        need->list[need->n++] = one;
}

static void need_signals(struct need *need, const struct cond *c, const struct selector *of)
{
    struct atom a = {.kinds = &of->kinds, .cleared_too = of->cleared_too, .within = c->within};
    a.weight = 2 * count_kinds(&of->kinds) + 1;
    if (c->op == COND_ABSENT)
        a.within = INT64_MAX;
    if (c->op == COND_AGENCIES)
        a.agencies = (uint32_t)c->at_least;
    if (c->op == COND_COUNT || c->op == COND_REGIONS) /* each place needs a signal of its own */
        a.count = (uint32_t)c->at_least;
    if (c->op == COND_SUM) {
        a.sum = c->at_least;
        a.field = (uint8_t)c->field;
    }
    need_one(need, a);
}

static void need_has(struct need *need, enum has has, uint32_t weight)
{
    need_one(need, (struct atom){.has = has, .within = INT64_MAX, .weight = weight});
}

static uint64_t weight_of(const struct need *need)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < need->n; i++)
        sum += need->list[i].weight;
    return need->always ? UINT64_MAX : sum;
}

static void find_need(const struct settings *, const struct cond *, struct need *);

/* A part that wants signals and nothing else: one of all the kinds that it names. */
static void want_also(struct need *need, const struct need *part)
{
    struct wanted x = {.cleared_too = false};
    if (part->always || !part->n || need->n_also == ALSO_MAX)
        return;
    for (uint32_t i = 0; i < part->n; i++) {
        if (!part->list[i].kinds)
            return;
        x.cleared_too |= part->list[i].cleared_too;
        for (int k = 0; k < KIND_WORDS; k++)
            x.kinds.bits[k] |= part->list[i].kinds->bits[k];
    }
    need->also[need->n_also++] = x;
}

/* What one of the parts of an `all`, an `any` or a sequence needs. */
static void need_part(const struct settings *s, const struct cond *c, uint32_t i, struct need *part)
{
    part->n = part->n_also = 0;
    part->always = false;
    if (c->op == COND_SEQUENCE)
        need_signals(part, c, &c->parts[i].of);
    else
        find_need(s, &c->parts[i], part);
}

/* Of an `any` all parts. */
static void need_any(const struct settings *s, const struct cond *c, struct need *need)
{
    struct need *part = mem_alloc(sizeof *part);
    for (uint32_t i = 0; i < c->n; i++) {
        need_part(s, c, i, part);
        need->always |= part->always;
        for (uint32_t k = 0; k < part->n; k++)
            need_one(need, part->list[k]);
    }
    free(part);
}

/* Of an `all` or a sequence the part that is rarest, and the kinds of the others as well. */
static void need_all(const struct settings *s, const struct cond *c, struct need *need)
{
    struct need *part = mem_alloc(sizeof *part);
    uint32_t rarest = 0;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < c->n; i++) {
        need_part(s, c, i, part);
        rarest = weight_of(part) < least ? i : rarest;
        least = weight_of(part) < least ? weight_of(part) : least;
    }
    need->always = least == UINT64_MAX;
    if (!need->always)
        need_part(s, c, rarest, need);
    for (uint32_t i = 0; i < c->n && !need->always; i++)
        if (i != rarest) {
            need_part(s, c, i, part);
            want_also(need, part);
        }
    free(part);
}

static void need_threshold(const struct settings *s, struct need *need)
{
    const struct selector *const parts[] = {&s->assessment.owed, &s->assessment.order, &s->assessment.incident};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        need_one(need, (struct atom){.kinds = &parts[i]->kinds, .cleared_too = parts[i]->cleared_too,
                                     .within = INT64_MAX, .weight = 2 * count_kinds(&parts[i]->kinds) + 1});
}

static void find_need(const struct settings *s, const struct cond *c, struct need *need)
{
    switch (c->op) {
    case COND_ALL:
    case COND_SEQUENCE:
        need_all(s, c, need);
        break;
    case COND_ANY:
        need_any(s, c, need);
        break;
    case COND_SIGNAL:
    case COND_COUNT:
    case COND_AGENCIES:
    case COND_REGIONS:
    case COND_SUM:
    case COND_ABSENT:
        need_signals(need, c, &c->of);
        break;
    case COND_ENTERPRISE:
        if (c->enterprise->n_tags)
            need_has(need, HAS_TAG, 8);
        else
            need->always = true;
        break;
    case COND_FINDING:
        need_has(need, HAS_FINDING + c->finding, 2);
        break;
    case COND_RELATED:
        for (uint32_t class = 1; class < LINK_CLASS_END; class++)
            if (c->classes >> class & 1)
                need_has(need, HAS_LINK + class, 32);
        break;
    case COND_THRESHOLD:
        need_threshold(s, need);
        break;
    default: /* not, season, score: by time or by anything */
        need->always = true;
    }
}

/* ---- making it ---- */

static void add_entry(struct arena *a, struct listing *to, const struct atom *atom, struct listed entry)
{
    if (to->n == to->cap) {
        uint32_t cap = to->cap ? to->cap * 2 : 4;
        struct listed *more = arena_alloc(a, cap * sizeof *more);
        if (to->n)
            memcpy(more, to->list, to->n * sizeof *more);
        to->list = more;
        to->cap = cap;
    }
    entry.within = atom->within;
    entry.agencies = atom->agencies;
    entry.count = atom->count;
    entry.sum = atom->sum;
    entry.field = atom->field;
    to->list[to->n++] = entry;
}

static int longest_first(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    if (x->within != y->within)
        return x->within < y->within ? 1 : -1;
    return (x->rule > y->rule) - (x->rule < y->rule);
}

static void sort_entries(struct listing *x)
{
    if (x->n)
        qsort(x->list, x->n, sizeof *x->list, longest_first);
}

/* NULL: there are too many already. */
static struct set *set_of(struct rule_index *x, const struct atom *atom)
{
    uint32_t i = 0;
    while (i < x->n_sets && (x->sets[i].of.cleared_too != atom->cleared_too ||
                             memcmp(&x->sets[i].of.kinds, atom->kinds, sizeof *atom->kinds) != 0))
        i++;
    if (i == SETS_MAX)
        return NULL;
    if (i == x->n_sets)
        x->sets[x->n_sets++].of = (struct wanted){*atom->kinds, atom->cleared_too};
    return &x->sets[i];
}

static void add_atom(struct rule_index *x, const struct settings *s, struct arena *a, const struct atom *atom,
                     struct listed entry)
{
    x->sums |= atom->sum > 0;
    if (!atom->kinds) {
        add_entry(a, &x->has[atom->has], atom, entry);
        return;
    }
    if (count_kinds(atom->kinds) * BROAD_SHARE > s->n_kinds) {
        add_entry(a, &x->broad[atom->cleared_too], atom, entry);
        return;
    }
    struct set *set = count_kinds(atom->kinds) > FEW_KINDS ? set_of(x, atom) : NULL;
    if (set) {
        add_entry(a, &set->list, atom, entry);
        return;
    }
    for (uint32_t i = 0; i < s->n_kinds; i++)
        if (kind_in(atom->kinds, i))
            add_entry(a, &x->by_kind[atom->cleared_too][i], atom, entry);
}

static struct listed entry_of(struct rule_index *x, const struct need *need, uint32_t rule)
{
    struct listed entry = {.rule = rule, .also = x->n_also, .n_also = (uint8_t)need->n_also};
    for (uint32_t i = 0; i < need->n_also; i++)
        x->also[x->n_also++] = need->also[i];
    return entry;
}

struct rule_index *rule_index_make(const struct settings *s, struct arena *a)
{
    struct rule_index *x = arena_zalloc(a, sizeof *x);
    struct need *need = arena_alloc(a, sizeof *need);
    x->always = arena_alloc(a, (s->n_rules + 1) * sizeof *x->always);
    x->also = arena_alloc(a, (s->n_rules * ALSO_MAX + 1) * sizeof *x->also);
    for (int c = 0; c < 2; c++)
        x->by_kind[c] = arena_zalloc(a, (s->n_kinds + 1) * sizeof *x->by_kind[c]);
    for (uint32_t i = 0; i < s->n_rules; i++) {
        need->n = need->n_also = 0;
        need->always = false;
        if (s->rules[i].area)
            continue; /* judged for areas */
        find_need(s, &s->rules[i].when, need);
        if (need->always) {
            x->always[x->n_always++] = i;
            continue;
        }
        struct listed entry = entry_of(x, need, i);
        for (uint32_t k = 0; k < need->n; k++)
            add_atom(x, s, a, &need->list[k], entry);
    }
    for (uint32_t i = 0; i < x->n_sets; i++)
        sort_entries(&x->sets[i].list);
    for (int c = 0; c < 2; c++) {
        sort_entries(&x->broad[c]);
        for (uint32_t i = 0; i < s->n_kinds; i++)
            sort_entries(&x->by_kind[c][i]);
    }
    return x;
}

/* ---- asking it ---- */

/* What a record has, worked out once a judgement. [0]: active signals only; [1]: those that were cleared as well. */
struct summary {
    int64_t at;
    int64_t latest[2];                    /* NO_INT: none */
    uint64_t signals[2];                  /* no fewer than there are */
    int64_t sums[2];                      /* of people, of amounts, cleared or not: no less than there is */
    struct kind_set present[2];
    int64_t agencies[2][AGENCIES_MAX];    /* the latest of each agency, newest first */
    uint32_t n_agencies[2];
};

static int64_t newest_at(const struct series *s)
{
    int64_t inline_at = s->n ? s->sigs[s->n - 1].at : NO_INT;
    int64_t block_at = s->n_blocks ? s->blocks[s->n_blocks - 1].last_at : NO_INT;
    return inline_at > block_at ? inline_at : block_at;
}

static uint64_t all_signals(const struct series *s)
{
    uint64_t n = s->n;
    for (uint32_t i = 0; i < s->n_blocks; i++)
        n += s->blocks[i].n;
    return n;
}

static void note_agency(struct summary *x, int c, int64_t *by_agency, uint64_t *touched, uint32_t agency, int64_t at)
{
    if (!(*touched >> agency & 1) || at > by_agency[agency])
        by_agency[agency] = at;
    *touched |= UINT64_C(1) << agency;
    if (at > x->latest[c])
        x->latest[c] = at;
}

/* Up to what a rule could find, whatever it asks of each signal. What left a record is not looked for: there may be more
 * than anybody asks for. */
static void note_sums(struct summary *x, const struct series *s)
{
    bool unknown = s->n_blocks > 0;
    for (uint32_t i = 0; i < s->n && !unknown; i++)
        for (int f = 0; f < 2; f++)
            if (x->sums[f] < INT64_MAX)
                x->sums[f] += sig_measures(&s->sigs[i], f == 0 ? SUM_PEOPLE : SUM_AMOUNT);
    if (unknown)
        x->sums[0] = x->sums[1] = INT64_MAX;
}

/* Few agencies: put each in its place. */
static void order_agencies(struct summary *x, int c, const int64_t *by_agency, uint64_t touched)
{
    int64_t *list = x->agencies[c];
    for (; touched; touched &= touched - 1) {
        int64_t at = by_agency[__builtin_ctzll(touched)];
        uint32_t k = x->n_agencies[c]++;
        for (; k > 0 && list[k - 1] < at; k--)
            list[k] = list[k - 1];
        list[k] = at;
    }
}

static void note_series(const struct settings *s, const struct series *series, struct summary *x,
                        int64_t by_agency[2][AGENCIES_MAX], uint64_t touched[2])
{
    uint32_t kind = settings_kind_at(s, series->kind);
    int64_t when[2] = {series->latest, newest_at(series)};
    for (int c = 0; kind != UINT32_MAX && c < 2; c++)
        if (when[c] != NO_INT) {
            note_agency(x, c, by_agency[c], &touched[c], s->kinds[kind].agency, when[c]);
            x->signals[c] += c ? all_signals(series) : series->n + (uint64_t)series->spilled_active;
            x->present[c].bits[kind / 64] |= UINT64_C(1) << kind % 64;
        }
    if (s->index->sums && kind != UINT32_MAX)
        note_sums(x, series);
}

static void summarise(const struct settings *s, const struct record *r, int64_t at, struct summary *x)
{
    int64_t by_agency[2][AGENCIES_MAX];
    uint64_t touched[2] = {0, 0};
    x->at = at;
    x->sums[0] = x->sums[1] = 0;
    for (int c = 0; c < 2; c++) {
        x->latest[c] = NO_INT;
        x->signals[c] = x->n_agencies[c] = 0;
        x->present[c] = (struct kind_set){{0}};
    }
    for (uint32_t i = 0; i < r->n_series; i++)
        note_series(s, &r->series[i], x, by_agency, touched);
    for (int c = 0; c < 2; c++)
        order_agencies(x, c, by_agency[c], touched[c]);
}

static bool any_there(const struct summary *x, const struct wanted *w)
{
    uint64_t there = 0;
    for (int i = 0; i < KIND_WORDS; i++)
        there |= w->kinds.bits[i] & x->present[w->cleared_too].bits[i];
    return there;
}

/* Are there signals of so many agencies in the window, so many signals at all, so large a sum, and what else it wants? */
static bool may_be(const struct rule_index *index, const struct summary *x, int c, const struct listed *e)
{
    if (e->count > x->signals[c] || e->agencies > x->n_agencies[c] || e->sum > x->sums[e->field == SUM_AMOUNT])
        return false;
    if (e->agencies && x->agencies[c][e->agencies - 1] < x->at - e->within)
        return false;
    for (uint32_t i = 0; i < e->n_also; i++)
        if (!any_there(x, &index->also[e->also + i]))
            return false;
    return true;
}

static void mark(const struct rule_index *index, const struct summary *x, int c, const struct listing *list, int64_t newest,
                 uint64_t *bits)
{
    for (uint32_t i = 0; i < list->n; i++) {
        const struct listed *e = &list->list[i];
        if (e->within != INT64_MAX && newest < x->at - e->within)
            return; /* shorter windows follow */
        if (may_be(index, x, c, e))
            bits[e->rule / 64] |= UINT64_C(1) << e->rule % 64;
    }
}

static void mark_has(const struct rule_index *x, const struct summary *sum, const struct record *r, uint64_t *bits)
{
    uint32_t classes = 0;
    if (r->n_tags)
        mark(x, sum, 0, &x->has[HAS_TAG], 0, bits);
    if (r->finding)
        mark(x, sum, 0, &x->has[HAS_FINDING + r->finding], 0, bits);
    for (uint32_t i = 0; i < r->n_links; i++)
        classes |= 1U << (r->links[i].hub[0] & 15);
    for (uint32_t class = 1; class < LINK_CLASS_END; class++)
        if (classes >> class & 1)
            mark(x, sum, 0, &x->has[HAS_LINK + class], 0, bits);
}

/* The newest of a set of kinds; NO_INT: none. */
static int64_t newest_of(const struct settings *s, const struct record *r, const struct wanted *w)
{
    int64_t newest = NO_INT;
    for (uint32_t i = 0; i < r->n_series; i++) {
        uint32_t kind = settings_kind_at(s, r->series[i].kind);
        int64_t at = w->cleared_too ? newest_at(&r->series[i]) : r->series[i].latest;
        if (kind != UINT32_MAX && kind_in(&w->kinds, kind) && at > newest)
            newest = at;
    }
    return newest;
}

static void mark_sets(const struct settings *s, const struct record *r, const struct summary *sum, uint64_t *bits)
{
    const struct rule_index *x = s->index;
    for (uint32_t i = 0; i < x->n_sets; i++)
        if (any_there(sum, &x->sets[i].of))
            mark(x, sum, x->sets[i].of.cleared_too, &x->sets[i].list, newest_of(s, r, &x->sets[i].of), bits);
}

void rule_index_candidates(const struct settings *s, const struct record *r, int64_t at, uint64_t *bits)
{
    const struct rule_index *x = s->index;
    struct summary sum;
    summarise(s, r, at, &sum);
    for (uint32_t i = 0; i < x->n_always; i++)
        bits[x->always[i] / 64] |= UINT64_C(1) << x->always[i] % 64;
    mark_has(x, &sum, r, bits);
    mark_sets(s, r, &sum, bits);
    for (int c = 0; c < 2; c++)
        if (sum.latest[c] != NO_INT)
            mark(x, &sum, c, &x->broad[c], sum.latest[c], bits);
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct series *series = &r->series[i];
        uint32_t kind = settings_kind_at(s, series->kind);
        int64_t when[2] = {series->latest, newest_at(series)};
        for (int c = 0; kind != UINT32_MAX && c < 2; c++)
            if (when[c] != NO_INT)
                mark(x, &sum, c, &x->by_kind[c][kind], when[c], bits);
    }
}
