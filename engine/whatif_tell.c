/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an explanation that describe the copy in hand: rules with their conditions and signals, shares, factors.
 * Which signals satisfy a condition is reach.c's word, which share one has explain.c's. Owns nothing. */
#include "engine/whatif_bench.h"

enum { KINDS_TOLD = 8 };

/* ---- words ---- */

static const char *const ops[] = {
    [COND_ALL] = "all",           [COND_ANY] = "any",         [COND_NOT] = "not",
    [COND_SIGNAL] = "signal",     [COND_COUNT] = "count",     [COND_AGENCIES] = "agencies",
    [COND_REGIONS] = "regions",
    [COND_SUM] = "sum",           [COND_SEQUENCE] = "sequence", [COND_ABSENT] = "absent",
    [COND_ENTERPRISE] = "enterprise", [COND_SEASON] = "season", [COND_FINDING] = "finding",
    [COND_SCORE] = "score",       [COND_RELATED] = "related", [COND_THRESHOLD] = "threshold",
    [COND_AREA] = "area",
};
static const char *const links[] = {NULL, "owner", "project", "parent", "successor"};
static const char *const findings[] = {"", "confirmed", "unfounded", "false_claim"};

struct slice tell_agency(const struct engine *e, uint32_t kind_word)
{
    struct slice kind = dict_text(e->dict, DICT_KIND, kind_word);
    const char *dot = kind.n ? memchr(kind.p, '.', kind.n) : NULL;
    return dot ? (struct slice){kind.p, (size_t)(dot - kind.p)} : kind;
}

struct slice tell_rule_id(struct bench *b, uint32_t rule)
{
    return arena_slice(b->out, b->w.settings->rules[rule].id);
}

static char *region_words(struct arena *a, region_t r)
{
    char text[16];
    size_t n = region_text(r, text);
    return arena_printf(a, "%.*s", (int)n, text);
}

/* "industry E C18, credit C": what was asked, as rules.yaml has it. */
static const char *attribute_words(struct arena *a, const struct attributes *x)
{
    const char *all = "";
    for (uint32_t i = 0; i < x->n_industries; i++)
        all = arena_printf(a, "%s%s%.*s", all, i ? " " : "industry ", SLICE_ARG(x->industries[i]));
    if (x->credits[0])
        all = arena_printf(a, "%s%scredit %s", all, *all ? ", " : "", x->credits);
    for (uint32_t i = 0; i < x->n_regions; i++)
        all = arena_printf(a, "%s%s%s", all, i ? " " : *all ? ", region " : "region ", region_words(a, x->regions[i]));
    for (uint32_t i = 0; i < x->n_tags; i++)
        all = arena_printf(a, "%s%s%.*s", all, i ? " " : *all ? ", tag " : "tag ", SLICE_ARG(x->tags[i]));
    return all;
}

static const char *related_words(struct bench *b, const struct cond *c)
{
    struct arena *a = b->out;
    const struct radiation *r = &b->w.settings->radiations[c->radiation];
    const char *all = "";
    for (uint32_t i = LINK_OWNER; i < LINK_CLASS_END; i++)
        if (c->classes >> i & 1)
            all = arena_printf(a, "%s%s%s", all, *all ? " " : "by ", links[i]);
    return r->level ? arena_printf(a, "%s, level %s", all, level_wire(r->level)) : all;
}

static const char *area_words(struct bench *b, const struct cond *c)
{
    const struct radiation *r = &b->w.settings->radiations[c->radiation];
    if (c->area->by)
        return arena_printf(b->out, "level %s, one %s", level_wire(r->level),
                            c->area->by == AREA_BY_ZONE ? "zone" : links[c->area->by]);
    return arena_printf(b->out, "level %s%s%s", level_wire(r->level), c->area->region_digits ? ", one place" : "",
                        c->area->industry_length ? ", one industry" : "");
}

/* What a condition asks beside selector, time and number. */
static const char *cond_words(struct bench *b, const struct cond *c)
{
    switch (c->op) {
    case COND_SUM:
        return c->field == SUM_PEOPLE ? "people" : "amount";
    case COND_REGIONS:
        return arena_printf(b->out, "by %u digits", c->digits);
    case COND_ENTERPRISE:
        return attribute_words(b->out, c->enterprise);
    case COND_SEASON:
        return arena_slice(b->out, c->festival).p;
    case COND_FINDING:
        return c->finding < ARRAY_LEN(findings) ? findings[c->finding] : NULL;
    case COND_THRESHOLD:
        return arena_slice(b->out, c->line).p;
    case COND_RELATED:
        return related_words(b, c);
    case COND_AREA:
        return area_words(b, c);
    default:
        return NULL;
    }
}

/* ---- signals ---- */

/* Which series a signal of this record lies in: rule_signals says the signal alone. */
static const struct series *series_of(struct bench *b, const struct record *r, const struct sig *sig)
{
    for (uint32_t i = 0; i < r->n_series; i++)
        if (r->series[i].n && sig >= r->series[i].sigs && sig < r->series[i].sigs + r->series[i].n)
            return &r->series[i];
    for (uint32_t i = 0; i < r->n_series; i++)
        if (r->series[i].n_blocks && series_has(&b->w, r, &r->series[i], sig->seq))
            return &r->series[i];
    return NULL;
}

static struct told_signal tell_signal(struct bench *b, const struct sig *sig, uint32_t kind, uint32_t source)
{
    const struct settings_kind *k = settings_kind(b->w.settings, kind);
    const struct slice none = {NULL, 0};
    return (struct told_signal){sig->seq,
                                sig->at,
                                sig->amount,
                                sig->people,
                                arena_slice(b->out, sig->id),
                                arena_slice(b->out, dict_text(b->w.dict, DICT_SOURCE, source)),
                                arena_slice(b->out, dict_text(b->w.dict, DICT_KIND, kind)),
                                arena_slice(b->out, k ? k->zh : none),
                                arena_slice(b->out, k ? k->en : none)};
}

static struct lies keep_lies(struct bench *b, const struct lies *l)
{
    region_t *places = arena_alloc(b->out, (l->n + 1) * sizeof *places);
    if (l->n)
        memcpy(places, l->places, l->n * sizeof *places);
    return (struct lies){l->n, places};
}

/* ---- conditions ---- */

struct conds {
    struct told_cond *list;
    uint32_t n, cap;
};

static bool has_parts(const struct cond *c)
{
    return c->op == COND_ALL || c->op == COND_ANY || c->op == COND_NOT;
}

static bool has_selector(const struct cond *c)
{
    return c->op == COND_SIGNAL || c->op == COND_COUNT || c->op == COND_AGENCIES || c->op == COND_REGIONS ||
           c->op == COND_SUM || c->op == COND_ABSENT || c->op == COND_SEQUENCE;
}

static bool has_number(const struct cond *c)
{
    return c->op == COND_COUNT || c->op == COND_AGENCIES || c->op == COND_REGIONS || c->op == COND_SUM || c->op == COND_AREA;
}

static void add_kinds(struct kind_set *to, const struct kind_set *from)
{
    for (size_t i = 0; i < KIND_WORDS; i++)
        to->bits[i] |= from->bits[i];
}

static void tell_kinds(struct bench *b, const struct kind_set *set, struct told_cond *out)
{
    const struct settings *s = b->w.settings;
    struct slice *list = arena_zalloc(b->out, KINDS_TOLD * sizeof *list), *zh = arena_zalloc(b->out, KINDS_TOLD * sizeof *zh),
                 *en = arena_zalloc(b->out, KINDS_TOLD * sizeof *en);
    bool any = true; /* `any` is every kind of weight */
    for (uint32_t i = 0; i < s->n_kinds; i++) {
        const struct settings_kind *k = &s->kinds[i];
        any &= kind_in(set, i) == (k->hazard != 0);
        if (!kind_in(set, i) || out->kinds_total++ >= KINDS_TOLD)
            continue;
        zh[out->n_kinds] = arena_slice(b->out, k->zh.n ? k->zh : k->name);
        en[out->n_kinds] = arena_slice(b->out, k->en.n ? k->en : k->name);
        list[out->n_kinds++] = arena_slice(b->out, k->name);
    }
    if (any) {
        out->n_kinds = 0;
        out->kinds_total = UINT32_MAX;
    }
    out->kinds = list;
    out->kinds_zh = zh;
    out->kinds_en = en;
}

/* Of a sequence those of its steps, of what is absent that as well. */
static struct kind_set all_kinds(const struct cond *c)
{
    struct kind_set set = c->of.kinds;
    for (uint32_t i = 0; i < c->n; i++)
        add_kinds(&set, &c->parts[i].of.kinds);
    return set;
}

static void tell_cond_signals(struct bench *b, const struct tried *t, const struct cond *c, struct told_cond *out)
{
    const struct rule alone = {.when = *c};
    size_t n;
    uint64_t total;
    struct scene *scene = scene_of(&b->w, t->r, t->j.at, t->j.score_level);
    const struct sig **sigs = rule_signals(&b->w, t->r, &alone, t->j.at, scene, &n, &total);
    struct told_signal *list = arena_alloc(b->out, (n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        const struct series *s = series_of(b, t->r, sigs[i]);
        if (s)
            list[out->n_signals++] = tell_signal(b, sigs[i], s->kind, s->source);
    }
    out->signals = list;
    out->signals_total = (uint32_t)total;
}

static uint32_t count_conds(const struct cond *c)
{
    uint32_t n = 1;
    for (uint32_t i = 0; has_parts(c) && i < c->n; i++)
        n += count_conds(&c->parts[i]);
    return n + (c->op == COND_SEQUENCE ? c->n : 0);
}

/* A step of a sequence: what there is of it within the time, whether or not the order fits. */
static void tell_step(struct bench *b, const struct tried *t, const struct cond *c, uint32_t step, uint8_t depth,
                      struct conds *to)
{
    struct told_cond *out = &to->list[to->n++];
    const struct cond alone = {.op = COND_SIGNAL, .of = c->parts[step].of, .within = c->within};
    *out = (struct told_cond){.depth = depth, .op = "step", .within = NO_INT, .at_least = NO_INT, .until = NO_INT,
                              .found = NO_INT, .selector = arena_slice(b->out, alone.of.name)};
    out->holds = cond_holds(&b->w, t->r, &alone, t->j.at, t->j.score_level).holds;
    tell_kinds(b, &alone.of.kinds, out);
    if (out->holds)
        tell_cond_signals(b, t, &alone, out);
}

static void tell_cond(struct bench *b, const struct tried *t, const struct cond *c, uint8_t depth, struct conds *to)
{
    struct told_cond *out = &to->list[to->n++];
    struct verdict v = ekey_kind(&t->r->key) == EKEY_AREA ? (struct verdict){true, INT64_MAX}
                                                          : cond_holds(&b->w, t->r, c, t->j.at, t->j.score_level);
    *out = (struct told_cond){.depth = depth,
                              .holds = v.holds,
                              .op = ops[c->op],
                              .text = cond_words(b, c),
                              .within = c->within ? c->within : NO_INT,
                              .at_least = has_number(c) ? c->at_least : NO_INT,
                              .until = v.until == INT64_MAX ? NO_INT : v.until,
                              .found = NO_INT,
                              .selector = arena_slice(b->out, c->of.name)};
    const struct kind_set kinds = all_kinds(c);
    if (has_selector(c))
        tell_kinds(b, &kinds, out);
    if (has_number(c) && c->op != COND_AREA)
        out->found = cond_found(&b->w, t->r, c, t->j.at);
    if (has_selector(c) && v.holds)
        tell_cond_signals(b, t, c, out);
    if (c->op == COND_RELATED && v.holds) {
        uint8_t link = 0;
        struct lies lies;
        out->other = arena_slice(b->out, link_other(&b->w, t->r, c, t->j.at, &link, &lies));
        out->other_lies = keep_lies(b, &lies);
        out->link = link < ARRAY_LEN(links) ? links[link] : NULL;
    }
    for (uint32_t i = 0; has_parts(c) && i < c->n; i++)
        tell_cond(b, t, &c->parts[i], depth + 1, to);
    for (uint32_t i = 0; c->op == COND_SEQUENCE && i < c->n; i++)
        tell_step(b, t, c, i, depth + 1, to);
}

/* ---- rules ---- */

/* The first rule that holds and silences this one; UINT32_MAX: none. */
static uint32_t silenced_by(const struct settings *s, const bool *holds, uint32_t rule)
{
    for (uint32_t i = 0; i < s->n_rules; i++)
        for (uint32_t k = 0; holds[i] && k < s->rules[i].n_suppress; k++)
            if (s->rules[i].suppress[k] == rule)
                return i;
    return UINT32_MAX;
}

static void tell_rule(struct bench *b, const struct tried *t, uint32_t rule, uint32_t silencer, struct told_rule *out)
{
    const struct rule *x = &b->w.settings->rules[rule];
    uint32_t n = count_conds(&x->when);
    struct conds conds = {arena_zalloc(b->out, n * sizeof *conds.list), 0, n};
    *out = (struct told_rule){.id = arena_slice(b->out, x->id),
                              .zh = arena_slice(b->out, x->zh),
                              .en = arena_slice(b->out, x->en),
                              .tag = arena_slice(b->out, x->tag),
                              .level = x->by_score ? t->j.score_level : x->raise,
                              .at_most = x->at_most,
                              .by_score = x->by_score,
                              .escalate = x->escalate};
    if (silencer != UINT32_MAX)
        out->suppressed_by = tell_rule_id(b, silencer);
    tell_cond(b, t, &x->when, 0, &conds);
    out->conds = conds.list;
    out->n_conds = conds.n;
}

/* Which rules hold, silenced or not. An area's are its own room's to say. */
static bool *which_hold(struct bench *b, const struct tried *t)
{
    const struct settings *s = b->w.settings;
    bool *holds = arena_zalloc(&b->w.scratch, s->n_rules + 1);
    bool plain = ekey_kind(&t->r->key) != EKEY_AREA && !t->r->unresolved;
    for (uint32_t i = 0; i < s->n_rules; i++)
        holds[i] = judged_fired(&t->j, i) || (plain && !s->rules[i].area &&
                    cond_holds(&b->w, t->r, &s->rules[i].when, t->j.at, t->j.score_level).holds);
    return holds;
}

/* The level before caps of rules, and which of those bind. */
static void tell_caps(struct explanation *x, struct told_rule *list)
{
    uint8_t cap = LEVEL_CRITICAL;
    for (uint32_t i = 0; i < x->n_rules; i++) {
        if (list[i].suppressed_by.n)
            continue;
        x->uncapped_level = list[i].level > x->uncapped_level ? list[i].level : x->uncapped_level;
        cap = list[i].at_most < cap ? list[i].at_most : cap;
    }
    for (uint32_t i = 0; i < x->n_rules; i++)
        list[i].binds = !list[i].suppressed_by.n && list[i].at_most == cap && cap < x->uncapped_level;
}

/* Those that count, the weightiest first; then those that are silenced. */
void tell_rules(struct bench *b, const struct tried *t, struct explanation *x)
{
    const struct settings *s = b->w.settings;
    bool *holds = which_hold(b, t);
    struct told_rule *list = arena_zalloc(b->out, (s->n_rules + 1) * sizeof *list);
    for (int level = LEVEL_CRITICAL; level >= LEVEL_NONE; level--)
        for (uint32_t i = 0; i < s->n_rules; i++)
            if (judged_fired(&t->j, i) && (s->rules[i].by_score ? t->j.score_level : s->rules[i].raise) == level)
                tell_rule(b, t, i, UINT32_MAX, &list[x->n_rules++]);
    for (uint32_t i = 0; i < s->n_rules; i++) {
        uint32_t silencer = holds[i] && !judged_fired(&t->j, i) ? silenced_by(s, holds, i) : UINT32_MAX;
        if (silencer != UINT32_MAX)
            tell_rule(b, t, i, silencer, &list[x->n_rules++]);
    }
    tell_caps(x, list);
    x->rules = list;
}

/* ---- shares ---- */

static const struct shared *shared_of(const struct record *r, const struct evidence *ev)
{
    for (uint32_t i = 0; i < r->n_shared && ev->from.n; i++)
        if (r->shared[i].sig.seq == ev->seq && r->shared[i].kind == ev->kind)
            return &r->shared[i];
    return NULL;
}

static const struct sig *own_sig(struct bench *b, const struct record *r, const struct evidence *ev)
{
    const struct series *s = series_find(r, ev->kind, ev->source);
    struct series_walk w;
    const struct sig *sig = NULL;
    if (!s)
        return NULL;
    series_walk_start(&w, s);
    while ((sig = series_walk_next(&b->w, r, &w)) && sig->seq != ev->seq)
        ;
    return sig;
}

static void tell_share(struct bench *b, const struct record *r, const struct evidence *ev, struct told_share *out)
{
    const struct settings_kind *k = settings_kind(b->w.settings, ev->kind);
    const struct shared *shared = shared_of(r, ev);
    const struct sig *sig = shared ? &shared->sig : own_sig(b, r, ev);
    int64_t age = b->at > ev->at ? b->at - ev->at : 0;
    const struct sig told = {.seq = ev->seq, .at = ev->at, .amount = ev->amount, .people = ev->people, .id = ev->id};
    out->sig = tell_signal(b, &told, ev->kind, ev->source);
    out->share_ppm = ev->share_ppm;
    out->counted_ppm = ev->counted_ppm;
    out->from = arena_slice(b->out, ev->from);
    out->project = arena_slice(b->out, ev->project);
    out->from_lies = keep_lies(b, &ev->from_lies);
    out->rank = sig ? sig->rank : 0;
    out->age = age;
    if (!k)
        return;
    out->weight_ppm = k->weight_ppm;
    out->half_life_days = k->half_life_days;
    out->decay_ppm = (uint32_t)(fixed_decay((hazard_t)PPM << 20, (uint64_t)age, (uint64_t)k->half_life) >> 20);
}

void tell_shares(struct bench *b, const struct tried *t, struct explanation *x)
{
    struct event ev = {0};
    if (x->area)
        return;
    explain(&b->w, t->r, &t->j, &ev);
    struct told_share *list = arena_zalloc(b->out, (ev.n_evidence + 1) * sizeof *list);
    for (; x->n_shares < ev.n_evidence; x->n_shares++)
        tell_share(b, t->r, &ev.evidence[x->n_shares], &list[x->n_shares]);
    x->shares = list;
    x->shares_total = ev.evidence_total;
}

/* For its name only: how much the others come to is the score's own figure. */
struct slice tell_largest(struct bench *b, const struct tried *t)
{
    hazard_t by_agency[AGENCIES_MAX] = {0};
    const struct settings *s = b->w.settings;
    uint32_t largest = 0;
    for (uint32_t i = 0; i < t->r->n_series; i++) {
        const struct settings_kind *k = settings_kind(s, t->r->series[i].kind);
        if (k && k->hazard)
            by_agency[k->agency] += series_hazard(k, &t->r->series[i], t->j.at);
    }
    for (uint32_t i = 0; i < t->r->n_shared; i++) {
        const struct settings_kind *k = settings_kind(s, t->r->shared[i].kind);
        if (k && k->hazard)
            by_agency[k->agency] += fixed_scale(sig_hazard(k, &t->r->shared[i].sig, t->j.at), t->r->shared[i].share_ppm);
    }
    for (uint32_t a = 1; a < s->n_agencies; a++)
        largest = by_agency[a] > by_agency[largest] ? a : largest;
    return s->n_agencies && by_agency[largest] ? arena_slice(b->out, s->agencies[largest]) : (struct slice){0};
}

/* ---- factors ---- */

static const struct factor *longest(const struct factor *list, uint32_t n, struct slice text)
{
    const struct factor *best = NULL;
    for (uint32_t i = 0; i < n; i++)
        if (list[i].key.n <= text.n && text.n && memcmp(list[i].key.p, text.p, list[i].key.n) == 0 &&
            (!best || list[i].key.n > best->key.n))
            best = &list[i];
    return best;
}

static void add_factor(struct bench *b, struct explanation *x, struct told_factor *list, const char *what,
                       struct slice key, uint32_t ppm)
{
    if (ppm != PPM)
        list[x->n_factors++] = (struct told_factor){what, arena_slice(b->out, key), ppm};
}

/* Those in force that are not 1, each named; their product is the settings' own figure. */
void tell_factors(struct bench *b, const struct tried *t, struct explanation *x)
{
    const struct settings *s = b->w.settings;
    struct slice industry = record_industry(t->r), credit = {&t->r->credit, t->r->credit ? 1 : 0};
    struct told_factor *list = arena_alloc(b->out, (s->n_seasons + 2) * sizeof *list);
    const struct factor *f = longest(s->industry, s->n_industry, industry);
    if (f)
        add_factor(b, x, list, "industry", f->key, f->ppm);
    f = longest(s->credit, s->n_credit, credit);
    if (f)
        add_factor(b, x, list, "credit", f->key, f->ppm);
    for (uint32_t i = 0; i < s->n_seasons; i++)
        if (s->seasons[i].from <= b->at && b->at < s->seasons[i].to)
            add_factor(b, x, list, "season", s->seasons[i].festival, s->seasons[i].ppm);
    x->factors = list;
    x->factor_ppm = (uint32_t)settings_factor(s, industry, t->r->credit, b->at);
}
