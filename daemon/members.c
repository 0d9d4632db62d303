/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/members.h"

static bool any_within(const region_t *places, uint32_t n, const region_t *regions, size_t n_regions)
{
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < n_regions; k++)
            if (region_within(places[i], regions[k]))
                return true;
    return n_regions == 0;
}

uint32_t members_seen(const struct member *list, uint32_t n, const region_t *regions, size_t n_regions, struct member *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (any_within(list[i].places, list[i].n_places, regions, n_regions))
            out[kept++] = list[i];
    return kept;
}

static bool hidden(struct slice who, const struct lies *l, const region_t *regions, size_t n_regions)
{
    return who.n && !any_within(l->places, l->n, regions, n_regions);
}

static void *copy_of(struct arena *a, const void *list, size_t bytes)
{
    void *copy = arena_alloc(a, bytes + 1);
    if (bytes)
        memcpy(copy, list, bytes);
    return copy;
}

static bool cut_reasons(struct event *ev, const region_t *regions, size_t n_regions, struct arena *a)
{
    struct reason *list = copy_of(a, ev->reasons, ev->n_reasons * sizeof *list);
    bool cut = false;
    for (uint32_t i = 0; i < ev->n_reasons; i++) {
        struct reason *r = &list[i];
        if (!hidden(r->other, &r->other_lies, regions, n_regions))
            continue;
        r->other = (struct slice){0};
        r->hidden = cut = true;
    }
    ev->reasons = list;
    return cut;
}

static bool cut_evidence(struct event *ev, const region_t *regions, size_t n_regions, struct arena *a)
{
    struct evidence *list = copy_of(a, ev->evidence, ev->n_evidence * sizeof *list);
    bool cut = false;
    for (uint32_t i = 0; i < ev->n_evidence; i++) {
        struct evidence *x = &list[i];
        if (!hidden(x->from, &x->from_lies, regions, n_regions))
            continue;
        x->id = x->from = x->project = (struct slice){0};
        x->amount = x->people = NO_INT;
        x->hidden = cut = true;
    }
    ev->evidence = list;
    return cut;
}

bool members_cut_event(struct event *ev, const region_t *regions, size_t n_regions, struct arena *a)
{
    uint32_t members = ev->n_members;
    if (!n_regions)
        return false;
    struct member *list = arena_alloc(a, (members + 1) * sizeof *list);
    ev->n_members = members_seen(ev->members, members, regions, n_regions, list);
    ev->members = list;
    bool reasons = cut_reasons(ev, regions, n_regions, a);
    bool evidence = cut_evidence(ev, regions, n_regions, a);
    return reasons || evidence || ev->n_members < members;
}

static void cut_conditions(struct told_rule *rule, const region_t *regions, size_t n_regions, struct arena *a)
{
    struct told_cond *list = copy_of(a, rule->conds, rule->n_conds * sizeof *list);
    for (uint32_t i = 0; i < rule->n_conds; i++)
        if (hidden(list[i].other, &list[i].other_lies, regions, n_regions)) {
            list[i].other = (struct slice){0};
            list[i].hidden = true;
        }
    rule->conds = list;
}

static void cut_shares(struct explanation *x, const region_t *regions, size_t n_regions, struct arena *a)
{
    struct told_share *list = copy_of(a, x->shares, x->n_shares * sizeof *list);
    for (uint32_t i = 0; i < x->n_shares; i++) {
        struct told_share *s = &list[i];
        if (!hidden(s->from, &s->from_lies, regions, n_regions))
            continue;
        s->sig.id = s->from = s->project = (struct slice){0};
        s->sig.amount = s->sig.people = NO_INT;
        s->hidden = true;
    }
    x->shares = list;
}

void members_cut_explanation(struct explanation *x, const region_t *regions, size_t n_regions, struct arena *a)
{
    if (!n_regions)
        return;
    struct member *members = arena_alloc(a, (x->n_members + 1) * sizeof *members);
    x->n_members = members_seen(x->members, x->n_members, regions, n_regions, members);
    x->members = members;
    struct told_rule *rules = copy_of(a, x->rules, x->n_rules * sizeof *rules);
    for (uint32_t i = 0; i < x->n_rules; i++)
        cut_conditions(&rules[i], regions, n_regions, a);
    x->rules = rules;
    cut_shares(x, regions, n_regions, a);
}
