/* SPDX-License-Identifier: Apache-2.0 */
/* What an enterprise is, as its registry.* signals tell it: of each thing the latest word. */
#include "engine/fold.h"

/* Of each tag the latest word. */
static void note_tags(struct engine *e, struct record *c, const struct sig *sig)
{
    struct rd r = rd_of(sig->tags.p, sig->tags.n);
    struct tag tag;
    while (tag_next(&r, &tag)) {
        uint32_t i = 0;
        while (i < c->n_tags && !slice_eq(c->tags[i].name, tag.name))
            i++;
        if (i < c->n_tags && sig_order(c->tags[i].told, sig) > 0)
            continue;
        if (i == c->n_tags) {
            struct tag *list = arena_alloc(&e->scratch, (c->n_tags + 1) * sizeof *list);
            if (c->n_tags)
                memcpy(list, c->tags, c->n_tags * sizeof *list);
            c->tags = list;
            c->n_tags++;
        }
        tag.told = sig;
        c->tags[i] = tag;
    }
}

/* What an enterprise is, told by its feeder: of each thing the latest word (PROTOCOL, registry.profile). */
void profile_work_out(struct engine *e, struct record *c)
{
    int64_t word = dict_find(e->dict, DICT_KIND, SLICE("registry.profile"));
    const struct sig *best[3] = {0}; /* by registered place, industry, credit */
    c->registered = 0;
    c->registered_industry = (struct slice){0};
    c->credit = 0;
    c->n_tags = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct series *s = &c->series[i];
        if ((int64_t)s->kind != word)
            continue;
        for (uint32_t j = 0; j < s->n; j++) {
            const struct sig *sig = &s->sigs[j];
            const bool has[3] = {sig->region != 0, sig->industry.n != 0, sig->credit != 0};
            for (int f = 0; f < 3; f++)
                if (sig->active && has[f] && (!best[f] || sig_order(best[f], sig) < 0))
                    best[f] = sig;
            if (sig->active && sig->tags.n)
                note_tags(e, c, sig);
        }
    }
    if (best[0])
        c->registered = best[0]->region;
    if (best[1])
        c->registered_industry = best[1]->industry;
    if (best[2])
        c->credit = best[2]->credit;
}

struct slice profile_of_signal(struct engine *e, const struct signal *s)
{
    (void)e;
    (void)s;
    return (struct slice){0};
}
