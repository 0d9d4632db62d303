/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/whatif.h"

#include "engine/whatif_bench.h"

enum { SCRATCH_MAX = 64 << 20 }; /* bytes that the looks ahead may take: rules that count thousands take much each */

/* ---- the bench ---- */

static int read_through(void *ctx, enum table t, const void *key, size_t n, struct slice *value, struct err *err)
{
    struct engine *of = ctx;
    *value = state_get(of->state, t, key, n);
    const struct err *failed = state_failed(of->state);
    if (failed && err)
        *err = *failed;
    return failed ? failed->code : value->p != NULL;
}

static void bench_init(struct bench *b, struct engine *of, const struct ekey *key, int64_t at, struct arena *out,
                       struct err *err)
{
    *b = (struct bench){.w = *of, .of = of, .through = {.ctx = of, .get = read_through}, .err = err, .out = out,
                        .key = *key, .at = at};
    b->w.state = state_create(&b->through, SIZE_MAX);
    b->w.scratch = (struct arena){0};
    b->w.buf = (struct buf){0};
    b->w.out = NULL;
    b->w.err = err;
    b->w.failed = false;
    b->w.again = NULL;
    b->w.n_again = b->w.cap_again = 0;
    b->w.time = at > of->time ? at : of->time;
}

static void bench_finish(struct bench *b)
{
    state_destroy(b->w.state);
    arena_finish(&b->w.scratch);
    buf_finish(&b->w.buf);
}

/* As life.c does it, but nothing comes of it. */
static void judge_copy(struct bench *b, struct record *r, int64_t at, struct judgement *j)
{
    if (ekey_kind(&r->key) == EKEY_AREA) {
        area_judge(&b->w, r, at, j);
    } else if (!r->unresolved) {
        judge(&b->w, r, at, j);
    } else {
        *j = (struct judgement){.at = at, .next = INT64_MAX};
        j->fired = arena_zalloc(&b->w.scratch, (b->w.settings->n_rules + 63) / 64 * sizeof *j->fired);
    }
    r->score_level = j->score_level;
    r->own_level = j->own_level;
    r->level = j->level;
}

static void prepare_copy(struct bench *b, struct record *r)
{
    series_prepare(&b->w, r);
    share_gather(&b->w, r);
}

static struct record *fresh_copy(struct bench *b)
{
    arena_reset(&b->w.scratch);
    return identity_record(&b->w, &b->key, (struct slice){0});
}

static int64_t next_look(const struct judgement *j, int64_t at)
{
    return j->next == INT64_MAX || j->next > at ? j->next : at + 1;
}

static bool may_look(const struct bench *b)
{
    return !engine_failed(&b->w) && b->w.scratch.total < SCRATCH_MAX;
}

/* The record as it stands at `at`: what was due before and has not been worked off yet is, on the copy. */
static void look(struct bench *b, struct tried *t)
{
    t->r = fresh_copy(b);
    prepare_copy(b, t->r);
    int64_t due = t->r->due == NO_INT ? INT64_MAX : t->r->due;
    for (int i = 0; due < b->at && i < WHATIF_LOOKS && may_look(b); i++) {
        judge_copy(b, t->r, due, &t->j);
        due = next_look(&t->j, due);
    }
    b->before = t->r->score_level;
    judge_copy(b, t->r, b->at, &t->j);
}

/* ---- what the score came to ---- */

static void tell_score(struct bench *b, const struct tried *t, struct explanation *x)
{
    const struct settings *s = b->w.settings;
    struct hazards h = t->j.hazards, free = h;
    free.others = UINT64_MAX;
    x->level = t->j.level;
    x->score_level = t->j.score_level;
    x->score = fixed_score(h.total);
    x->score_others = fixed_score(h.others);
    x->largest = tell_largest(b, t);
    x->fresh_level = score_level(s, h, LEVEL_NONE);
    uint8_t uncapped = score_level(s, free, b->before);
    x->capped_from = uncapped > x->score_level ? uncapped : LEVEL_NONE;
}

/* ---- by the clock alone ---- */

/* Rules that fired in one judgement and not in the other. */
static const struct slice *rules_between(struct bench *b, const struct judgement *has, const struct judgement *lacks,
                                         uint32_t *n)
{
    const struct settings *s = b->w.settings;
    struct slice *list = arena_alloc(b->out, (s->n_rules + 1) * sizeof *list);
    *n = 0;
    for (uint32_t i = 0; i < s->n_rules; i++)
        if (judged_fired(has, i) && !judged_fired(lacks, i))
            list[(*n)++] = tell_rule_id(b, i);
    return list;
}

static void tell_step(struct bench *b, const struct judgement *was, const struct judgement *now, struct told_step *out)
{
    *out = (struct told_step){.at = now->at, .level = now->level, .score = fixed_score(now->hazards.total)};
    out->ends = rules_between(b, was, now, &out->n_ends);
    out->begins = rules_between(b, now, was, &out->n_begins);
}

/* Until nothing is left of the level: what rises after that needs news to open an alert again. */
static void tell_clock(struct bench *b, struct tried *t, struct explanation *x)
{
    struct told_step *list = arena_zalloc(b->out, WHATIF_STEPS * sizeof *list);
    struct judgement was = t->j, now = t->j;
    int64_t end = b->at + WHATIF_AHEAD_DAYS * DAY_MS, at = next_look(&now, b->at);
    int looks = 0;
    for (; looks < WHATIF_LOOKS && x->n_steps < WHATIF_STEPS && at <= end && may_look(b); looks++) {
        judge_copy(b, t->r, at, &now);
        if (now.level != was.level) {
            tell_step(b, &was, &now, &list[x->n_steps++]);
            was = now;
        }
        at = was.level == LEVEL_NONE && x->n_steps ? INT64_MAX : next_look(&now, at);
    }
    x->steps_cut = at != INT64_MAX;
    x->steps = list;
}

/* ---- if this came now ---- */

/* A source for a signal that did not come: one that has sent this kind here, else the agency's own. */
static uint32_t likely_source(struct bench *b, const struct record *r, uint32_t word)
{
    for (uint32_t i = 0; i < r->n_series; i++)
        if (r->series[i].kind == word)
            return r->series[i].source;
    int64_t own = dict_find(b->w.dict, DICT_SOURCE, tell_agency(&b->w, word));
    return own < 0 ? 0 : (uint32_t)own;
}

static struct told_if tell_if(struct bench *b, uint32_t position)
{
    const struct settings_kind *k = &b->w.settings->kinds[position];
    int64_t word = dict_find(b->w.dict, DICT_KIND, k->name);
    struct told_if out = {arena_slice(b->out, k->name), arena_slice(b->out, k->zh), arena_slice(b->out, k->en), 0, 0};
    struct sig sig = {.seq = b->of->number + 1, .at = b->at, .amount = NO_INT, .people = NO_INT, .since = NO_INT};
    struct record *r = fresh_copy(b);
    struct judgement j;
    if (word < 0)
        return out;
    uint32_t source = likely_source(b, r, (uint32_t)word);
    struct series *s = series_find(r, (uint32_t)word, source);
    series_insert(&b->w, r, s ? s : series_add(&b->w, r, (uint32_t)word, source), &sig);
    r->score_level = b->before;
    prepare_copy(b, r);
    judge_copy(b, r, b->at, &j);
    out.level = j.level;
    out.score = fixed_score(j.hazards.total);
    return out;
}

static bool counts_here(const struct series *s)
{
    bool any = s->spilled_active;
    for (uint32_t i = 0; i < s->n && !any; i++)
        any = s->sigs[i].active;
    return any;
}

/* Which kinds have an active signal here, and which agencies one of weight. */
static void find_active(struct bench *b, const struct record *r, struct kind_set *kinds, uint64_t *agencies)
{
    for (uint32_t i = 0; i < r->n_series; i++) {
        uint32_t k = settings_kind_at(b->w.settings, r->series[i].kind);
        if (k == UINT32_MAX || !counts_here(&r->series[i]))
            continue;
        kinds->bits[k / 64] |= UINT64_C(1) << k % 64;
        if (b->w.settings->kinds[k].hazard)
            *agencies |= UINT64_C(1) << b->w.settings->kinds[k].agency;
    }
}

static bool clears_some(const struct settings_kind *k, const struct kind_set *here)
{
    for (size_t i = 0; i < KIND_WORDS && k->clears_any; i++)
        if (k->clears.bits[i] & here->bits[i])
            return true;
    return false;
}

static void tell_clearings(struct bench *b, const struct kind_set *here, struct explanation *x)
{
    const struct settings *s = b->w.settings;
    struct told_if *list = arena_zalloc(b->out, WHATIF_CLEARINGS * sizeof *list);
    for (uint32_t i = 0; i < s->n_kinds && x->n_clearings < WHATIF_CLEARINGS && !engine_failed(&b->w); i++)
        if (clears_some(&s->kinds[i], here))
            list[x->n_clearings++] = tell_if(b, i);
    x->clearings = list;
}

/* Positions of the lightest and the heaviest kind of an agency that weigh; false: none does. */
static bool weighing_kinds(const struct settings *s, uint32_t agency, uint32_t *light, uint32_t *heavy)
{
    bool any = false;
    for (uint32_t i = 0; i < s->n_kinds; i++) {
        const struct settings_kind *k = &s->kinds[i];
        if (k->agency != agency || !k->hazard)
            continue;
        if (!any || k->weight_ppm < s->kinds[*light].weight_ppm)
            *light = i;
        if (!any || k->weight_ppm > s->kinds[*heavy].weight_ppm)
            *heavy = i;
        any = true;
    }
    return any;
}

static void tell_agencies(struct bench *b, uint64_t here, struct explanation *x)
{
    const struct settings *s = b->w.settings;
    struct told_agency *list = arena_zalloc(b->out, s->n_agencies * sizeof *list);
    x->one_more_least = x->one_more_most = x->level;
    for (uint32_t i = 0; i < s->n_agencies && !engine_failed(&b->w); i++) {
        uint32_t light = 0, heavy = 0;
        if (here >> i & 1 || !weighing_kinds(s, i, &light, &heavy))
            continue;
        struct told_agency *a = &list[x->n_agencies++];
        a->agency = arena_slice(b->out, s->agencies[i]);
        a->light = tell_if(b, light);
        a->heavy = light == heavy ? a->light : tell_if(b, heavy);
        if (x->n_agencies == 1 || a->light.level < x->one_more_least)
            x->one_more_least = a->light.level;
        if (a->heavy.level > x->one_more_most)
            x->one_more_most = a->heavy.level;
    }
    x->agencies = list;
}

/* ---- what silence hides ---- */

/* Agencies with kinds of weight that have not been heard of lately, about anybody. */
static void tell_silences(struct bench *b, struct explanation *x)
{
    const struct settings *s = b->w.settings;
    struct told_silence *list = arena_zalloc(b->out, s->n_agencies * sizeof *list);
    for (uint32_t a = 0; a < s->n_agencies; a++) {
        int64_t last = NO_INT;
        uint32_t light, heavy;
        if (!weighing_kinds(s, a, &light, &heavy))
            continue;
        for (uint32_t i = 0; i < s->n_kinds; i++) {
            int64_t word = s->kinds[i].agency == a ? dict_find(b->w.dict, DICT_KIND, s->kinds[i].name) : -1;
            int64_t told = word < 0 ? NO_INT : engine_kind_last(b->of, (uint32_t)word);
            last = told > last ? told : last;
        }
        if (last == NO_INT || b->at - last > SILENCE_DAYS * DAY_MS)
            list[x->n_silences++] = (struct told_silence){arena_slice(b->out, s->agencies[a]), last};
    }
    x->silences = list;
}

/* ---- without an agency ---- */

static bool is_of(struct bench *b, uint32_t kind_word, struct slice agency)
{
    return slice_eq(tell_agency(&b->w, kind_word), agency);
}

static uint32_t active_ones(const struct series *s)
{
    uint32_t n = s->spilled_active;
    for (uint32_t i = 0; i < s->n; i++)
        n += s->sigs[i].active;
    return n;
}

/* Out of the copy in hand; its own, and what counts of others. Returns how many active ones that are. */
static uint32_t take_out(struct bench *b, struct record *r, struct slice agency)
{
    uint32_t left = 0, n = 0, shared = 0;
    for (uint32_t i = 0; i < r->n_shared; i++)
        if (!is_of(b, r->shared[i].kind, agency))
            r->shared[shared++] = r->shared[i];
    n += r->n_shared - shared;
    r->n_shared = shared;
    for (uint32_t i = 0; i < r->n_series; i++) {
        if (!is_of(b, r->series[i].kind, agency)) {
            r->series[left++] = r->series[i];
            continue;
        }
        n += active_ones(&r->series[i]);
    }
    r->n_series = left;
    return n;
}

static void tell_without(struct bench *b, struct slice agency, struct explanation *x)
{
    struct told_without *out = &x->without;
    struct judgement with, without;
    struct record *r = fresh_copy(b);
    prepare_copy(b, r);
    r->score_level = b->before;
    judge_copy(b, r, b->at, &with);
    out->agency = arena_slice(b->out, agency);
    out->signals = take_out(b, r, agency);
    series_prepare(&b->w, r); /* what it had cleared counts again */
    r->score_level = LEVEL_NONE;
    judge_copy(b, r, b->at, &without);
    out->level = without.level;
    out->score = fixed_score(without.hazards.total);
    out->lost = rules_between(b, &with, &without, &out->n_lost);
    out->gained = rules_between(b, &without, &with, &out->n_gained);
}

/* ---- all of it ---- */

static void tell_who(struct bench *b, const struct record *r, struct explanation *x)
{
    x->at = b->at;
    x->uscc = arena_slice(b->out, record_uscc(r));
    x->name = arena_slice(b->out, r->name);
    x->industry = arena_slice(b->out, record_industry(r));
    x->region = record_region(r);
    x->n_places = r->n_places;
    x->places = r->n_places ? arena_copy(b->out, r->places, r->n_places * sizeof *r->places) : NULL;
    x->alert = r->alert_open ? r->alert : 0;
    x->unresolved = r->unresolved;
    x->area = ekey_kind(&r->key) == EKEY_AREA;
}

static void tell_members(struct bench *b, const struct record *r, struct explanation *x)
{
    struct member *list = arena_zalloc(&b->w.scratch, EVENT_SIGNALS_MAX * sizeof *list);
    if (!x->area)
        return;
    x->n_members = area_members(&b->w, r, list, EVENT_SIGNALS_MAX, &x->members_total);
    for (uint32_t i = 0; i < x->n_members; i++) {
        list[i].uscc = arena_slice(b->out, list[i].uscc);
        list[i].name = arena_slice(b->out, list[i].name);
        if (list[i].n_places)
            list[i].places = arena_copy(b->out, list[i].places, list[i].n_places * sizeof *list[i].places);
    }
    x->members = x->n_members ? arena_copy(b->out, list, x->n_members * sizeof *list) : NULL;
}

static void tell_all(struct bench *b, const struct whatif_ask *ask, struct explanation *x)
{
    struct kind_set kinds = {{0}};
    uint64_t agencies = 0;
    struct tried t;
    look(b, &t);
    if (engine_failed(&b->w))
        return;
    tell_who(b, t.r, x);
    tell_score(b, &t, x);
    tell_rules(b, &t, x);
    tell_shares(b, &t, x);
    tell_factors(b, &t, x);
    tell_members(b, t.r, x);
    find_active(b, t.r, &kinds, &agencies);
    tell_clock(b, &t, x); /* changes the copy in hand */
    if (!x->area && !x->unresolved) {
        tell_clearings(b, &kinds, x);
        tell_agencies(b, agencies, x);
        if (ask->without.n)
            tell_without(b, ask->without, x);
    }
    tell_silences(b, x);
}

int whatif(struct engine *e, const struct ekey *key, const struct whatif_ask *ask, struct arena *out,
           struct explanation *x, struct err *err)
{
    struct bench b;
    *x = (struct explanation){0};
    if (!e->settings || !state_get(e->state, T_ENTERPRISE, key->b, EKEY_LEN).p)
        return state_failed(e->state) ? WW_EIO : 0;
    bench_init(&b, e, key, ask->at > e->time ? ask->at : e->time, out, err);
    tell_all(&b, ask, x);
    const struct err *failed = state_failed(b.w.state);
    int rc = failed ? failed->code : b.w.failed ? WW_EDAMAGED : 1;
    if (failed && err)
        *err = *failed;
    bench_finish(&b);
    return rc;
}

bool whatif_agency(const struct engine *e, struct slice word)
{
    for (uint32_t i = 0; e->settings && i < e->settings->n_agencies; i++)
        if (slice_eq(e->settings->agencies[i], word))
            return true;
    return false;
}

int whatif_alert(struct engine *e, uint64_t number, struct arena *out, struct alert *al, struct err *err)
{
    uint8_t key[8];
    for (int i = 0; i < 8; i++)
        key[i] = (uint8_t)(number >> (56 - 8 * i));
    struct slice value = number ? state_get(e->state, T_ALERT, key, sizeof key) : (struct slice){0};
    const struct err *failed = state_failed(e->state);
    if (failed && err)
        *err = *failed;
    if (!value.p)
        return failed ? failed->code : 0;
    int rc = alert_get(arena_slice(out, value), out, al, err);
    return rc < 0 ? rc : 1;
}
