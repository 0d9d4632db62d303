/* SPDX-License-Identifier: Apache-2.0 */
/* What is news, so that it may open again what was closed: evidence that came, a clearing that was withdrawn, what others
 * bring to one that is bound to them. Neither what the register says nor good news is. Each counts under the entry that
 * brought it, so that a close goes by the journal and not by dates. */
#include "engine/fold.h"

#include "engine/triage.h"

static const struct settings_kind *kind_of(const struct engine *e, uint32_t word)
{
    uint32_t kind = settings_kind_at(e->settings, word);
    return kind == UINT32_MAX ? NULL : &e->settings->kinds[kind];
}

/* It weighs, or some rule may ask for it: all but good news and the register. */
static bool is_evidence(const struct engine *e, uint32_t kind)
{
    static const char registry[] = "registry.";
    const struct settings_kind *k = kind_of(e, kind);
    bool told = k && k->name.n >= sizeof registry - 1 && memcmp(k->name.p, registry, sizeof registry - 1) == 0;
    return k && (k->weight_ppm || (!k->clears_any && !told));
}

void news_came(const struct engine *e, struct record *c, uint32_t kind, uint64_t entry)
{
    if (is_evidence(e, kind) && entry > c->news)
        c->news = entry;
}

/* The entry under which a signal counts: its own, or that by which it was let in. */
static uint64_t counted_by(struct engine *e, const struct sig *sig)
{
    uint8_t key[TRIAGE_KEY_LEN];
    struct triage_row row;
    triage_key(key, sig->seq);
    struct slice v = state_get(e->state, T_SORTED, key, sizeof key);
    if (!v.p || triage_row_get(v, &row, e->err) < 0)
        return sig_entry(sig);
    return row.sorted_entry;
}

/* Anew, from what is left. Reads a whole history: only where the latest news of a closed alert goes. */
static void find_latest(struct engine *e, struct record *c)
{
    c->news = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        struct series_walk w;
        const struct sig *sig;
        series_walk_start(&w, &c->series[i]);
        while (is_evidence(e, c->series[i].kind) && (sig = series_walk_next(e, c, &w)))
            if (!(sig->flags & SIG_CANCELLED))
                news_came(e, c, c->series[i].kind, counted_by(e, sig));
    }
}

void news_withdrawn(struct engine *e, struct record *c, uint32_t kind, const struct sig *sig)
{
    const struct settings_kind *k = kind_of(e, kind);
    if (k && k->clears_any)
        c->unclearing = e->number;
    if (c->alert && !c->alert_open && is_evidence(e, kind) && counted_by(e, sig) == c->news)
        find_latest(e, c);
}

void news_left(struct engine *e, struct record *c)
{
    if (c->alert && !c->alert_open)
        find_latest(e, c);
}

void news_merged(const struct record *from, struct record *into)
{
    if (from->news > into->news)
        into->news = from->news;
    if (from->unclearing > into->unclearing)
        into->unclearing = from->unclearing;
}

uint64_t news_latest(struct engine *e, const struct record *c)
{
    uint64_t own = c->news > c->unclearing ? c->news : c->unclearing, others = link_news(e, c);
    return own > others ? own : others;
}
