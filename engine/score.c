/* SPDX-License-Identifier: Apache-2.0 */
/* The score of DESIGN 6: hazards that decay, buckets that make their sum independent of the order of arrival, the cap on
 * one agency alone, hysteresis. A bucket is one half-life of time: signals of a series in it are scaled to its beginning
 * and added as integers; then the bucket decays as one. */
#include "engine/fold.h"

static hazard_t bucket_at(const struct settings_kind *k, int64_t index, uint64_t sum, int64_t at)
{
    int64_t age = at - index * k->half_life;
    return age <= 0 ? sum : fixed_decay(sum, (uint64_t)age, (uint64_t)k->half_life);
}

hazard_t sig_hazard(const struct settings_kind *k, const struct sig *sig, int64_t at)
{
    hazard_t h = k->hazard >> sig->rank;
    return sig->at >= at ? h : fixed_decay(h, (uint64_t)(at - sig->at), (uint64_t)k->half_life);
}

hazard_t shared_hazard(const struct settings_kind *k, const struct shared *s, int64_t at)
{
    return k ? fixed_scale(sig_hazard(k, &s->sig, at), s->share_ppm) : 0;
}

hazard_t series_hazard(const struct settings_kind *k, const struct series *s, int64_t at)
{
    hazard_t total = 0;
    int64_t index = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n_buckets; i++) {
        if (sum)
            total += bucket_at(k, index, sum, at);
        index = s->buckets[i].index;
        sum = s->buckets[i].sum;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        const struct sig *sig = &s->sigs[i];
        hazard_t h = sig->active ? k->hazard >> sig->rank : 0;
        if (!h)
            continue;
        if (sig->at > at) { /* dated ahead: of age 0 until then */
            total += h;
            continue;
        }
        int64_t here = bucket_of(k, sig->at);
        if (sum && here != index) {
            total += bucket_at(k, index, sum, at);
            sum = 0;
        }
        index = here;
        sum += fixed_grow(h, (uint64_t)(sig->at - here * k->half_life), (uint64_t)k->half_life);
    }
    return sum ? total + bucket_at(k, index, sum, at) : total;
}

/* Without factors: total, all but the largest agency, and the shortest half-life among what counts. */
struct raw {
    hazard_t total, others;
    int64_t half_life; /* INT64_MAX: nothing counts */
};

struct by_agency {
    hazard_t of[AGENCIES_MAX], largest;
    uint64_t touched;
};

static void add_hazard(struct raw *r, struct by_agency *x, const struct settings_kind *k, hazard_t h)
{
    if (!h)
        return;
    if (!(x->touched >> k->agency & 1))
        x->of[k->agency] = 0;
    x->touched |= UINT64_C(1) << k->agency;
    x->of[k->agency] += h;
    r->total += h;
    if (x->of[k->agency] > x->largest)
        x->largest = x->of[k->agency];
    if (k->half_life < r->half_life)
        r->half_life = k->half_life;
}

static struct raw raw_hazards(const struct engine *e, const struct record *c, int64_t at)
{
    struct by_agency x;
    struct raw r = {.half_life = INT64_MAX};
    x.touched = x.largest = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct series *s = &c->series[i];
        const struct settings_kind *k = settings_kind(e->settings, s->kind);
        add_hazard(&r, &x, k, k && k->hazard ? series_hazard(k, s, at) : 0);
    }
    for (uint32_t i = 0; i < c->n_shared; i++) {
        const struct settings_kind *k = settings_kind(e->settings, c->shared[i].kind);
        add_hazard(&r, &x, k, shared_hazard(k, &c->shared[i], at));
    }
    r.others = r.total - x.largest;
    return r;
}

static struct hazards scaled(struct raw r, uint64_t ppm)
{
    return (struct hazards){fixed_scale(r.total, (uint32_t)ppm), fixed_scale(r.others, (uint32_t)ppm), r.total, r.half_life};
}

struct hazards score_hazards(const struct engine *e, const struct record *c, int64_t at)
{
    return scaled(raw_hazards(e, c, at), settings_factor(e->settings, record_industry(c), c->credit, at));
}

/* Highest level reached, and highest level still held; the cap on one agency alone comes first. */
static void reach_and_hold(const struct settings *s, struct hazards h, uint8_t *up, uint8_t *hold)
{
    uint8_t cap = h.others < s->others_at_least ? s->alone_at_most : LEVEL_CRITICAL;
    *up = *hold = LEVEL_NONE;
    for (uint8_t l = LEVEL_GENERAL; l <= cap; l++) {
        if (h.total >= s->reach[l])
            *up = l;
        if (h.total > s->hold[l])
            *hold = l;
    }
}

uint8_t score_level(const struct settings *s, struct hazards h, uint8_t before)
{
    uint8_t up, hold;
    reach_and_hold(s, h, &up, &hold);
    return before < up ? up : before > hold ? hold : before;
}

/* ---- when the level by score may next change ---- */

/* A time that lies not after the one at which `now` has decayed to `limit`, when nothing decays faster than half_life:
 * log2(1 + f) >= f * (1 + 0.27 * (1 - f)) for f in 0..1. */
static int64_t not_before(hazard_t now, hazard_t limit, int64_t half_life)
{
    if (now <= limit)
        return 0;
    if (limit == 0)
        limit = 1;
    unsigned __int128 ratio = ((unsigned __int128)now << 32) / limit;
    uint64_t whole = 0;
    while (ratio >= (unsigned __int128)2 << 32) {
        ratio >>= 1;
        whole++;
    }
    uint64_t f = (uint64_t)ratio - (UINT64_C(1) << 32);
    uint64_t bent = f + (((((UINT64_C(1) << 32) - f) * 27 / 100) * (unsigned __int128)f) >> 32);
    unsigned __int128 steps = ((unsigned __int128)whole << 32) + bent;
    unsigned __int128 ms = steps * (uint64_t)half_life >> 32;
    return ms > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)ms;
}

enum { EXACT_WITHIN_MS = 6 * 3600 * 1000 };

static uint8_t level_at(const struct engine *e, const struct record *c, int64_t at, uint8_t level)
{
    return score_level(e->settings, score_hazards(e, c, at), level);
}

/* First time in (lo, hi] at which the level is not `level`, where it falls only once; hi if it falls at hi at the latest. */
static int64_t first_fall(const struct engine *e, const struct record *c, int64_t lo, int64_t hi, uint8_t level)
{
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        if (level_at(e, c, mid, level) != level)
            hi = mid;
        else
            lo = mid;
    }
    return hi;
}

/* Fall by decay from `at`, before `end`: exact when near, else a time before it to look again. */
static int64_t next_fall(const struct engine *e, const struct record *c, int64_t at, int64_t end, struct hazards h,
                         int64_t half_life, uint8_t level)
{
    const struct settings *s = e->settings;
    int64_t wait = not_before(h.total, s->hold[level], half_life);
    if (level > s->alone_at_most) {
        int64_t others = not_before(h.others, s->others_at_least, half_life);
        wait = others < wait ? others : wait;
    }
    if (wait > end - at)
        return INT64_MAX;
    if (wait > EXACT_WITHIN_MS)
        return at + wait;
    int64_t hi = end - at > EXACT_WITHIN_MS ? at + EXACT_WITHIN_MS : end - 1;
    if (hi <= at)
        return INT64_MAX;
    return level_at(e, c, hi, level) != level ? first_fall(e, c, at, hi, level)
           : hi == end - 1                    ? INT64_MAX
                                              : hi;
}

/* No season takes it to a level; for most without asking which factors are theirs. */
static bool never_reached(const struct engine *e, const struct record *c, hazard_t raw)
{
    const struct settings *s = e->settings;
    uint64_t own, season = PPM;
    if (fixed_scale(raw, (uint32_t)s->strongest_ppm) < s->reach[LEVEL_GENERAL])
        return true;
    own = settings_factor(s, record_industry(c), c->credit, INT64_MIN);
    for (uint32_t i = 0; i < s->n_seasons; i++)
        if (s->seasons[i].ppm > season)
            season = s->seasons[i].ppm;
    return fixed_scale(fixed_scale(raw, (uint32_t)own), (uint32_t)season) < s->reach[LEVEL_GENERAL];
}

int64_t score_next(const struct engine *e, const struct record *c, int64_t at, struct hazards h, uint8_t level)
{
    enum { SEASONS_AHEAD = 4 };
    const int64_t half_life = h.half_life;
    if (half_life == INT64_MAX)
        return INT64_MAX;
    if (level == LEVEL_NONE && never_reached(e, c, h.raw))
        return INT64_MAX;
    for (int i = 0; i < SEASONS_AHEAD; i++) {
        int64_t end = settings_next_season(e->settings, at);
        int64_t fall = level ? next_fall(e, c, at, end, h, half_life, level) : INT64_MAX;
        if (fall != INT64_MAX || end == INT64_MAX)
            return fall;
        h = score_hazards(e, c, end);
        if (score_level(e->settings, h, level) != level)
            return end;
        at = end;
    }
    return at;
}
