/* SPDX-License-Identifier: Apache-2.0 */
/* The level of an enterprise at a moment: the highest that an unsuppressed rule raises, limited by the lowest at_most;
 * and the next moment at which it may differ. */
#include "engine/fold.h"

/* Order-free, so that the same signals give the same sum however they came. */
static uint64_t evidence_sum(const struct engine *e, const struct record *r)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct series *s = &r->series[i];
        const struct settings_kind *k = settings_kind(e->settings, s->kind);
        if (!k || !k->hazard)
            continue;
        sum += s->spilled_sum;
        for (uint32_t j = 0; j < s->n; j++)
            if (s->sigs[j].active)
                sum += sig_mix(s->sigs[j].seq);
    }
    for (uint32_t i = 0; i < r->n_shared; i++)
        sum += sig_mix(r->shared[i].sig.seq);
    return sum;
}

static void set_bit(uint64_t *bits, uint32_t i)
{
    bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* The next bit that is set, from `i` on; UINT32_MAX: none. */
static uint32_t next_bit(const uint64_t *bits, uint32_t n, uint32_t i)
{
    for (uint32_t word = i / 64; i < n; word++, i = word * 64) {
        uint64_t left = bits[word] >> i % 64;
        if (left)
            return i + (uint32_t)__builtin_ctzll(left);
    }
    return UINT32_MAX;
}

/* Those that may hold; without an index, all. */
static uint64_t *candidates(struct engine *e, const struct record *r, int64_t at)
{
    const struct settings *s = e->settings;
    size_t words = (s->n_rules + 63) / 64;
    uint64_t *bits = arena_zalloc(&e->scratch, words * sizeof *bits);
    if (s->index)
        rule_index_candidates(s, r, at, bits);
    else
        for (uint32_t i = 0; i < s->n_rules; i++)
            set_bit(bits, i);
    return bits;
}

/* What was found of a rule. */
struct looked {
    uint32_t rule;
    struct verdict v;
};

static struct looked *hold_rules(struct engine *e, const struct record *r, struct judgement *j, size_t *n)
{
    const struct settings *s = e->settings;
    const uint64_t *may = candidates(e, r, j->at);
    struct scene *scene = scene_of(e, r, j->at, j->score_level);
    size_t room = 0;
    for (uint32_t i = 0; i < (s->n_rules + 63) / 64; i++)
        room += (size_t)__builtin_popcountll(may[i]);
    struct looked *list = arena_alloc(&e->scratch, room * sizeof *list);
    *n = 0;
    for (uint32_t i = 0; (i = next_bit(may, s->n_rules, i)) != UINT32_MAX; i++) {
        struct verdict v = scene_holds(scene, &s->rules[i].when);
        if (v.holds)
            set_bit(j->fired, i);
        list[(*n)++] = (struct looked){i, v};
    }
    return list;
}

uint32_t judged_next(const struct settings *s, const struct judgement *j, uint32_t from)
{
    return next_bit(j->fired, s->n_rules, from);
}

static void drop_suppressed(struct engine *e, struct judgement *j)
{
    const struct settings *s = e->settings;
    size_t words = (s->n_rules + 63) / 64;
    uint64_t *gone = arena_zalloc(&e->scratch, words * sizeof *gone);
    for (uint32_t i = 0; (i = judged_next(s, j, i)) != UINT32_MAX; i++)
        for (uint32_t k = 0; k < s->rules[i].n_suppress; k++)
            set_bit(gone, s->rules[i].suppress[k]);
    for (size_t i = 0; i < words; i++)
        j->fired[i] &= ~gone[i];
}

static uint8_t raises(const struct judgement *j, const struct rule *rule)
{
    return rule->by_score ? j->score_level : rule->raise;
}

/* The highest that the rules raise to, before caps, and the lowest cap: of all, and of those that ask only of the
 * enterprise itself. */
struct raised {
    uint8_t top, cap, own, own_cap;
};

static struct raised find_raised(const struct settings *s, const struct judgement *j)
{
    struct raised x = {LEVEL_NONE, LEVEL_CRITICAL, LEVEL_NONE, LEVEL_CRITICAL};
    for (uint32_t i = 0; (i = judged_next(s, j, i)) != UINT32_MAX; i++) {
        const struct rule *rule = &s->rules[i];
        uint8_t level = raises(j, rule);
        x.top = level > x.top ? level : x.top;
        x.cap = rule->at_most < x.cap ? rule->at_most : x.cap;
        if (rule->across)
            continue;
        x.own = level > x.own ? level : x.own;
        x.own_cap = rule->at_most < x.own_cap ? rule->at_most : x.own_cap;
    }
    return x;
}

/* It does nothing but raise to a level of its own: its coming and going shows only where the level does. */
static bool only_raises(const struct rule *r)
{
    return !r->by_score && !r->n_suppress && !r->escalate && r->at_most == LEVEL_COUNT;
}

static void widen(int64_t *last, int64_t to)
{
    *last = to > *last ? to : *last;
}

/* When the rules must be looked at again. While one rule that raises to the level of now holds, the end of another
 * changes nothing; nor does one that comes and raises no higher. So a thousand rules do not make a thousand looks. */
static int64_t next_look(const struct settings *s, const struct judgement *j, uint8_t top, uint8_t own,
                         const struct looked *list, size_t n)
{
    int64_t next = INT64_MAX, top_ends = INT64_MIN, own_ends = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        const struct rule *r = &s->rules[list[i].rule];
        int64_t until = list[i].v.until;
        bool matters = !only_raises(r) || (!list[i].v.holds && r->raise > own);
        if (matters && until < next)
            next = until;
        if (!judged_fired(j, list[i].rule))
            continue;
        if (raises(j, r) == top)
            widen(&top_ends, until);
        if (raises(j, r) == own && !r->across)
            widen(&own_ends, until);
    }
    if (top != LEVEL_NONE && top_ends < next)
        next = top_ends;
    return own != LEVEL_NONE && own_ends < next ? own_ends : next;
}

void judge(struct engine *e, const struct record *r, int64_t at, struct judgement *j)
{
    const struct settings *s = e->settings;
    *j = (struct judgement){.at = at, .next = INT64_MAX};
    j->fired = arena_zalloc(&e->scratch, (s->n_rules + 63) / 64 * sizeof *j->fired);
    j->hazards = score_hazards(e, r, at);
    j->score_level = score_level(s, j->hazards, r->score_level);
    size_t n;
    const struct looked *looked = hold_rules(e, r, j, &n);
    struct raised raised = {0};
    if (judged_next(s, j, 0) != UINT32_MAX) {
        drop_suppressed(e, j);
        raised = find_raised(s, j);
        j->level = raised.top < raised.cap ? raised.top : raised.cap;
        j->own_level = raised.own < raised.own_cap ? raised.own : raised.own_cap;
    }
    if (r->alert || j->level)
        j->evidence_sum = evidence_sum(e, r);
    int64_t score = score_next(e, r, at, j->hazards, j->score_level);
    j->next = next_look(s, j, raised.top, raised.own, looked, n);
    j->next = score < j->next ? score : j->next;
}
