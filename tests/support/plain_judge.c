/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement of the plain fold: which signals count, the score, every operator of the rules, and the
 * moments at which the clock alone may change any of it. */
#include "tests/support/plain.h"

#include "lib/mem.h"

#include <math.h>
#include <stdlib.h>

static const struct settings_kind *kind_at(const struct plain *p, uint32_t pos)
{
    return pos < p->settings->n_kinds ? &p->settings->kinds[pos] : NULL;
}

/* ---- which signals count ---- */

static int by_time(const void *a, const void *b)
{
    const struct plain_item *x = *(struct plain_item *const *)a, *y = *(struct plain_item *const *)b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static uint32_t position(const struct plain *p, struct slice kind)
{
    uint32_t i = 0;
    while (i < p->settings->n_kinds && !slice_eq(p->settings->kinds[i].name, kind))
        i++;
    return i;
}

bool plain_clears(const struct plain *p, const struct plain_item *x)
{
    const struct settings_kind *k = kind_at(p, position(p, x->kind));
    for (uint32_t i = 0; k && i < p->settings->n_kinds; i++)
        if (kind_in(&k->clears, i))
            return true;
    return false;
}

/* Neither good news nor the register's word. */
bool plain_evidence(const struct plain *p, const struct plain_item *x)
{
    const struct settings_kind *k = kind_at(p, position(p, x->kind));
    bool register_says = slice_is(x->kind, "registry.profile") || slice_is(x->kind, "registry.succession");
    return k && (k->weight_ppm || (!register_says && !plain_clears(p, x)));
}

/* The latest of the same kind and source that counts, before position i of the list. */
static const struct plain_item *before(struct plain_item **list, size_t i)
{
    for (size_t j = i; j-- > 0;)
        if (list[j]->active && list[j]->pos == list[i]->pos && slice_eq(list[j]->source, list[i]->source))
            return list[j];
    return NULL;
}

static void work_out(struct plain *p, struct plain_firm *f)
{
    uint32_t n = p->settings->n_kinds;
    int64_t *cleared = mem_alloc((n + 1) * sizeof *cleared);
    for (uint32_t k = 0; k <= n; k++)
        cleared[k] = INT64_MIN;
    for (size_t i = 0; i < f->n_items; i++) {
        const struct plain_item *x = f->items[i];
        for (uint32_t k = 0; !x->cancelled && x->pos < n && k < n; k++)
            if (kind_in(&p->settings->kinds[x->pos].clears, k) && x->at > cleared[k])
                cleared[k] = x->at;
    }
    for (size_t i = 0; i < f->n_items; i++) {
        struct plain_item *x = f->items[i];
        x->active = !x->cancelled && x->at > cleared[x->pos];
    }
    free(cleared);
    for (size_t i = 0; i < f->n_items; i++) {
        struct plain_item *x = f->items[i];
        const struct settings_kind *k = kind_at(p, x->pos);
        const struct plain_item *last = x->active && k && k->window_days ? before(f->items, i) : NULL;
        x->rank = last && x->at - last->at <= k->window_days * INT64_C(86400000) ? last->rank + 1 : 0;
    }
}

void plain_prepare(struct plain *p, struct plain_firm *f)
{
    if (f->sorted)
        return;
    for (size_t i = 0; i < f->n_items; i++)
        f->items[i]->pos = position(p, f->items[i]->kind);
    if (f->n_items)
        qsort(f->items, f->n_items, sizeof *f->items, by_time);
    work_out(p, f);
    f->sorted = true;
}

/* ---- score ---- */

double plain_score(double hazard)
{
    return -100 * expm1(-hazard);
}

double plain_hazard(const struct plain *p, const struct plain_item *x, int64_t at)
{
    const struct settings_kind *k = kind_at(p, x->pos);
    if (!k || !k->weight_ppm || !x->active)
        return 0;
    double age = at > x->at ? (double)(at - x->at) : 0;
    return -log1p(-(double)k->weight_ppm / 1e6) * exp2(-age / (k->half_life_days * 86400000.0) - x->rank);
}

/* The latest profile that says so. */
static char credit_of(const struct plain *p, const struct plain_firm *f)
{
    char credit = 0;
    (void)p;
    for (size_t i = 0; i < f->n_items; i++)
        if (f->items[i]->active && f->items[i]->credit)
            credit = f->items[i]->credit;
    return credit;
}

/* The registered one, else the latest that any signal gave. */
static struct slice industry_of(const struct plain_firm *f)
{
    struct slice any = {0}, registered = {0};
    for (size_t i = 0; i < f->n_items; i++) {
        const struct plain_item *x = f->items[i];
        if (!x->industry.n || x->cancelled)
            continue;
        any = x->industry;
        if (x->active && slice_is(x->kind, "registry.profile"))
            registered = x->industry;
    }
    return registered.n ? registered : any;
}

static bool starts_with(struct slice text, struct slice prefix)
{
    return prefix.n <= text.n && memcmp(prefix.p, text.p, prefix.n) == 0;
}

static double factor_at(const struct plain *p, const struct plain_firm *f, int64_t at)
{
    const struct settings *s = p->settings;
    struct slice industry = industry_of(f);
    char credit = credit_of(p, f);
    double factor = 1, by_industry = 1;
    size_t longest = 0;
    for (uint32_t i = 0; i < s->n_industry; i++)
        if (starts_with(industry, s->industry[i].key) && s->industry[i].key.n > longest) {
            longest = s->industry[i].key.n;
            by_industry = s->industry[i].ppm / 1e6;
        }
    for (uint32_t i = 0; i < s->n_credit; i++)
        if (credit && s->credit[i].key.p[0] == credit)
            factor = s->credit[i].ppm / 1e6;
    for (uint32_t i = 0; i < s->n_seasons; i++)
        if (s->seasons[i].from <= at && at < s->seasons[i].to)
            factor *= s->seasons[i].ppm / 1e6;
    return factor * by_industry;
}

static double units(hazard_t h)
{
    return (double)h / 4294967296.0;
}

/* Level by score, when the hazards are off by so much. */
static uint8_t level_by(const struct settings *s, const struct plain_view *v, double off, uint8_t before_)
{
    double slip = off * 4e-6, h = v->hazard * (1 + slip) + slip / 100,
           others = v->others * (1 + slip) + slip / 100;
    uint8_t most =
        s->others_at_least && others < units(s->others_at_least) ? s->alone_at_most : LEVEL_CRITICAL;
    uint8_t up = LEVEL_NONE, held = LEVEL_NONE;
    for (uint8_t l = LEVEL_GENERAL; l <= most; l++) {
        if (h >= units(s->reach[l]))
            up = l;
        if (h > units(s->hold[l]))
            held = l;
    }
    return up > before_ ? up : held < before_ ? held : before_;
}

static void look_at_score(struct plain *p, const struct plain_firm *f, int64_t at, uint8_t before_,
                          struct plain_view *v)
{
    double agencies[AGENCIES_MAX] = {0}, largest = 0, factor = factor_at(p, f, at);
    for (size_t i = 0; i < f->n_items; i++) {
        double h = plain_hazard(p, f->items[i], at);
        if (h <= 0)
            continue;
        v->raw += h;
        double *agency = &agencies[p->settings->kinds[f->items[i]->pos].agency];
        *agency += h;
    }
    for (int a = 0; a < AGENCIES_MAX; a++)
        largest = agencies[a] > largest ? agencies[a] : largest;
    for (int a = 0, skipped = 0; a < AGENCIES_MAX; a++) { /* added, not taken away: nothing is lost */
        if (agencies[a] >= largest && !skipped)
            skipped = 1;
        else
            v->others += agencies[a];
    }
    v->hazard = v->raw * factor;
    v->others *= factor;
    v->score_level = level_by(p->settings, v, 0, before_);
}

/* ---- rules ---- */

struct scene {
    struct plain *p;
    const struct plain_firm *f;
    int64_t at;
    uint8_t score_level;
};

static bool in_bounds(int64_t v, int64_t least, int64_t most)
{
    if (least == NO_INT && most == NO_INT)
        return true;
    return v != NO_INT && (least == NO_INT || v >= least) && (most == NO_INT || v <= most);
}

static bool where_fits(const struct where *w, const struct plain_item *x)
{
    bool region = !w->n_regions, source = !w->n_sources;
    char text[16];
    for (uint32_t i = 0; i < w->n_regions; i++) {
        size_t n = region_text(w->regions[i], text);
        region |= starts_with(x->region, (struct slice){text, n});
    }
    for (uint32_t i = 0; i < w->n_sources; i++)
        source |= slice_eq(w->sources[i], x->source);
    return region && source && in_bounds(x->amount, w->amount_least, w->amount_most) &&
           in_bounds(x->people, w->people_least, w->people_most);
}

static bool selected(const struct scene *s, const struct selector *of, const struct plain_item *x,
                     bool cleared_too)
{
    bool stands = x->active || (cleared_too && !x->cancelled);
    return stands && x->pos < s->p->settings->n_kinds && kind_in(&of->kinds, x->pos) &&
           (!of->where.given || where_fits(&of->where, x));
}

static bool counts(const struct scene *s, const struct cond *c, const struct selector *of,
                   const struct plain_item *x)
{
    return s->at - x->at <= c->within && selected(s, of, x, of->cleared_too);
}

/* count, sum, agencies, and one of them: at least one. */
static bool holds_amount(const struct scene *s, const struct cond *c)
{
    double sum = 0;
    uint64_t agencies = 0;
    for (size_t i = 0; i < s->f->n_items; i++) {
        const struct plain_item *x = s->f->items[i];
        if (!counts(s, c, &c->of, x))
            continue;
        int64_t much = c->op != COND_SUM ? 1 : c->field == SUM_PEOPLE ? x->people : x->amount;
        sum += much > 0 ? (double)much : 0;
        agencies |= UINT64_C(1) << s->p->settings->kinds[x->pos].agency;
    }
    if (c->op == COND_AGENCIES)
        return __builtin_popcountll(agencies) >= c->at_least;
    return sum >= (c->op == COND_SIGNAL ? 1 : (double)c->at_least);
}

/* Each item that counts and whose place no other one before it has is one place. */
static bool holds_regions(const struct scene *s, const struct cond *c)
{
    int64_t n = 0;
    for (size_t i = 0; i < s->f->n_items; i++) {
        const struct plain_item *x = s->f->items[i];
        bool again = false;
        if (!counts(s, c, &c->of, x) || x->region.n < c->digits)
            continue;
        for (size_t k = 0; k < i && !again; k++) {
            const struct plain_item *y = s->f->items[k];
            again = counts(s, c, &c->of, y) && y->region.n >= c->digits && memcmp(x->region.p, y->region.p, c->digits) == 0;
        }
        n += !again;
    }
    return n >= c->at_least;
}

/* Whether these items, each once, give steps `step` to `end`, in whatever order: all ways are tried. */
static bool gives_steps(const struct scene *s, const struct cond *c, uint32_t step, uint32_t end, size_t from, size_t to,
                        uint64_t *used)
{
    bool given = step == end;
    for (size_t i = from; i < to && !given; i++) {
        uint64_t bit = UINT64_C(1) << (i - from) % 64;
        if (used[(i - from) / 64] & bit || !counts(s, c, &c->parts[step].of, s->f->items[i]))
            continue;
        used[(i - from) / 64] |= bit;
        given = gives_steps(s, c, step + 1, end, from, to, used);
        used[(i - from) / 64] &= ~bit;
    }
    return given;
}

/* Instant by instant, at each as many steps as it can give: then none is wasted. */
static bool holds_sequence(const struct scene *s, const struct cond *c)
{
    size_t n = s->f->n_items;
    uint64_t *used = mem_zalloc((n / 64 + 1) * sizeof *used);
    uint32_t step = 0;
    for (size_t i = 0, end; i < n && step < c->n; i = end) {
        for (end = i; end < n && s->f->items[end]->at == s->f->items[i]->at; end++)
            continue;
        uint32_t more = step;
        while (more < c->n && gives_steps(s, c, step, more + 1, i, end, used))
            more++;
        step = more;
    }
    free(used);
    return step == c->n;
}

static bool holds_absent(const struct scene *s, const struct cond *c)
{
    for (size_t i = 0; i < s->f->n_items; i++) {
        const struct plain_item *x = s->f->items[i];
        bool came = false;
        if (!selected(s, &c->of, x, c->of.cleared_too) || s->at - x->at < c->within)
            continue;
        for (size_t j = 0; j < s->f->n_items && !came; j++)
            came = s->f->items[j]->at >= x->at && selected(s, &c->parts[0].of, s->f->items[j], true);
        if (!came)
            return true;
    }
    return false;
}

/* The latest word on each tag. */
static bool has_tag(const struct scene *s, struct slice name)
{
    int64_t until = INT64_MIN;
    for (size_t i = 0; i < s->f->n_items; i++)
        for (int t = 0; t < s->f->items[i]->n_tags; t++)
            if (s->f->items[i]->active && slice_eq(s->f->items[i]->tags[t].name, name))
                until = s->f->items[i]->tags[t].until;
    return s->at < until;
}

static bool in_region(const struct scene *s, region_t prefix)
{
    char text[16];
    struct slice want = {text, region_text(prefix, text)};
    for (size_t i = 0; i < s->f->n_items; i++)
        if (!s->f->items[i]->cancelled && s->f->items[i]->region.n &&
            starts_with(s->f->items[i]->region, want))
            return true;
    return false;
}

static bool holds_enterprise(const struct scene *s, const struct cond *c)
{
    const struct attributes *a = c->enterprise;
    bool industry = !a->n_industries, region = !a->n_regions, tag = !a->n_tags;
    char credit = credit_of(s->p, s->f);
    for (uint32_t i = 0; i < a->n_industries; i++)
        industry |= starts_with(industry_of(s->f), a->industries[i]);
    for (uint32_t i = 0; i < a->n_regions; i++)
        region |= in_region(s, a->regions[i]);
    for (uint32_t i = 0; i < a->n_tags; i++)
        tag |= has_tag(s, a->tags[i]);
    return industry && region && tag && (!a->credits[0] || (credit && strchr(a->credits, credit)));
}

static bool holds_season(const struct scene *s, const struct cond *c)
{
    bool now = false;
    for (uint32_t i = 0; i < s->p->settings->n_festivals; i++) {
        const struct festival *f = &s->p->settings->festivals[i];
        now |= slice_eq(f->name, c->festival) && f->day - c->within <= s->at && s->at < f->day;
    }
    return now;
}

static bool holds_finding(const struct scene *s, const struct cond *c)
{
    const struct plain_firm *f = s->f;
    if (f->finding != c->finding || s->at - f->finding_at > c->within)
        return false;
    for (size_t i = 0; i < f->n_items; i++) {
        const struct plain_item *x = f->items[i];
        bool known = !x->active || x->seq <= f->finding_entry || plain_hazard(s->p, x, x->at) <= 0;
        for (uint32_t k = 0; k < f->n_finding_kinds; k++)
            known |= slice_eq(f->finding_kinds[k], x->kind);
        if (!known)
            return false;
    }
    return true;
}

static bool holds(const struct scene *s, const struct cond *c)
{
    switch (c->op) {
    case COND_ALL:
    case COND_ANY:
        for (uint32_t i = 0; i < c->n; i++)
            if (holds(s, &c->parts[i]) != (c->op == COND_ALL))
                return c->op == COND_ANY;
        return c->op == COND_ALL;
    case COND_NOT:
        return !holds(s, &c->parts[0]);
    case COND_SIGNAL:
    case COND_COUNT:
    case COND_SUM:
    case COND_AGENCIES:
        return holds_amount(s, c);
    case COND_REGIONS:
        return holds_regions(s, c);
    case COND_SEQUENCE:
        return holds_sequence(s, c);
    case COND_ABSENT:
        return holds_absent(s, c);
    case COND_ENTERPRISE:
        return holds_enterprise(s, c);
    case COND_SEASON:
        return holds_season(s, c);
    case COND_FINDING:
        return holds_finding(s, c);
    case COND_SCORE:
        return s->score_level > LEVEL_NONE;
    default:
        abort(); /* not in the rules that these tests use */
    }
}

static void look_at_rules(struct plain *p, const struct plain_firm *f, int64_t at, struct plain_view *v)
{
    const struct settings *set = p->settings;
    const struct scene s = {p, f, at, v->score_level};
    uint64_t gone = 0;
    uint8_t cap = LEVEL_CRITICAL;
    assert(set->n_rules <= PLAIN_RULES_MAX);
    for (uint32_t i = 0; i < set->n_rules; i++) {
        if (!holds(&s, &set->rules[i].when))
            continue;
        v->fired |= UINT64_C(1) << i;
        for (uint32_t k = 0; k < set->rules[i].n_suppress; k++)
            gone |= UINT64_C(1) << set->rules[i].suppress[k];
    }
    v->fired &= ~gone;
    for (uint32_t i = 0; i < set->n_rules; i++) {
        if (!(v->fired >> i & 1))
            continue;
        uint8_t raise = set->rules[i].by_score ? v->score_level : set->rules[i].raise;
        v->level = raise > v->level ? raise : v->level;
        cap = set->rules[i].at_most < cap ? set->rules[i].at_most : cap;
    }
    v->level = v->level < cap ? v->level : cap;
}

void plain_look(struct plain *p, int firm, int64_t at, uint8_t before_, struct plain_view *v)
{
    struct plain_firm *f = p->firms[firm];
    *v = (struct plain_view){0};
    if (plain_unresolved(p, f))
        return;
    plain_prepare(p, f);
    look_at_score(p, f, at, before_, v);
    if (level_by(p->settings, v, 1, before_) != level_by(p->settings, v, -1, before_))
        p->hair = true;
    look_at_rules(p, f, at, v);
}

/* ---- when the clock may change something ---- */

struct moments {
    int64_t *list;
    size_t n, cap;
    int64_t from, until;
};

static void add(struct moments *m, int64_t at)
{
    if (at <= m->from || at > m->until)
        return;
    m->list = mem_grow(m->list, &m->cap, m->n + 1, sizeof *m->list);
    m->list[m->n++] = at;
}

static void add_cond(const struct plain *p, const struct plain_firm *f, const struct cond *c,
                     struct moments *m)
{
    for (uint32_t i = 0; i < c->n; i++)
        add_cond(p, f, &c->parts[i], m);
    for (uint32_t i = 0; c->op == COND_SEASON && i < p->settings->n_festivals; i++) {
        add(m, p->settings->festivals[i].day - c->within);
        add(m, p->settings->festivals[i].day);
    }
    if (c->op == COND_FINDING)
        add(m, f->finding_at + c->within + 1);
    for (size_t i = 0; c->within && i < f->n_items; i++) {
        add(m, f->items[i]->at + c->within);
        add(m, f->items[i]->at + c->within + 1);
    }
}

static int rising(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

size_t plain_moments(struct plain *p, struct plain_firm *f, int64_t from, int64_t until, int64_t **out)
{
    struct moments m = {.from = from, .until = until};
    for (uint32_t i = 0; i < p->settings->n_rules; i++)
        add_cond(p, f, &p->settings->rules[i].when, &m);
    for (uint32_t i = 0; i < p->settings->n_seasons; i++) {
        add(&m, p->settings->seasons[i].from);
        add(&m, p->settings->seasons[i].to);
    }
    for (size_t i = 0; i < f->n_items; i++) {
        add(&m, f->items[i]->at);
        for (int t = 0; t < f->items[i]->n_tags; t++)
            add(&m, f->items[i]->tags[t].until);
    }
    add(&m, until);
    if (m.n)
        qsort(m.list, m.n, sizeof *m.list, rising);
    *out = m.list;
    return m.n;
}
