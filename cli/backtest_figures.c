/* SPDX-License-Identifier: Apache-2.0 */
/* What the figures of a backtest are made of (declared in cli/backtest.h): counts and leads by level, by rule and by
 * score, and what another set of rules would have changed. */
#include "cli/backtest.h"

#include "lib/mem.h"

#include <stdlib.h>

enum { BAND = 1000, BANDS = 10 }; /* hundredths of a point */

/* ---- one figure ---- */

/* An enterprise that was warned of at a time. */
static void note(struct figures *f, const struct backtest *b, const struct tally_row *row, int64_t at)
{
    f->alerts++;
    f->judged += b->from == OUTCOMES_FILE || row->finding;
    if (row->outcome == NO_INT)
        return;
    f->confirmed++;
    if (at >= row->outcome) {
        f->late++;
        return;
    }
    f->leads = mem_grow(f->leads, &f->cap, f->warned + 1, sizeof *f->leads);
    f->leads[f->warned++] = row->outcome - at;
}

static int by_length(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void finish_leads(struct figures *f)
{
    if (f->warned)
        qsort(f->leads, f->warned, sizeof *f->leads, by_length);
}

int64_t figures_quartile(const struct figures *f, int quartile)
{
    if (!f->warned)
        return NO_INT;
    uint64_t place = (f->warned - 1) * (uint64_t)quartile, whole = place / 4, part = place % 4;
    int64_t low = f->leads[whole], high = part ? f->leads[whole + 1] : low;
    return low + (high - low) * (int64_t)part / 4;
}

static int64_t part_of(uint64_t part, uint64_t whole)
{
    return whole ? (int64_t)((unsigned __int128)part * PPM / whole) : NO_INT;
}

int64_t figures_precision(const struct figures *f)
{
    return part_of(f->confirmed, f->judged);
}

int64_t figures_recall(const struct figures *f, const struct backtest *b)
{
    return part_of(f->warned, b->outcomes);
}

/* ---- all of a fold ---- */

static void note_row(struct figures_all *all, const struct backtest *b, const struct tally *t,
                     const struct tally_row *row)
{
    int32_t band = row->score < 0 ? 0 : row->score / BAND;
    for (int level = LEVEL_GENERAL; level < LEVEL_COUNT; level++)
        if (row->warned[level] != NO_INT)
            note(&all->level[level], b, row, row->warned[level]);
    if (row->warned[LEVEL_GENERAL] != NO_INT)
        note(&all->band[band < BANDS ? band : BANDS - 1], b, row, row->warned[LEVEL_GENERAL]);
    for (uint32_t i = row->rules; i; i = t->hits[i - 1].next)
        note(&all->rule[t->hits[i - 1].rule], b, row, t->hits[i - 1].at);
}

void figures_make(struct figures_all *all, const struct backtest *b, struct fold *f)
{
    const struct tally *t = &f->tally;
    *all = (struct figures_all){.n_rules = t->settings->n_rules};
    all->rule = mem_zalloc((all->n_rules + 1) * sizeof *all->rule);
    for (size_t i = 0; i < t->n; i++)
        if (!t->rows[i].merged)
            note_row(all, b, t, &t->rows[i]);
    for (int i = 0; i < LEVEL_COUNT; i++)
        finish_leads(&all->level[i]);
    for (uint32_t i = 0; i < all->n_rules; i++)
        finish_leads(&all->rule[i]);
}

void figures_finish(struct figures_all *all)
{
    for (int i = 0; i < LEVEL_COUNT; i++)
        free(all->level[i].leads);
    for (int i = 0; i < BANDS; i++)
        free(all->band[i].leads);
    for (uint32_t i = 0; i < all->n_rules; i++)
        free(all->rule[i].leads);
    free(all->rule);
}

/* ---- one set against the other ---- */

static void differ(struct comparison *c, uint8_t level, const struct tally_row *row, int64_t old_at, int64_t new_at)
{
    if (old_at == new_at) {
        c->same[level] += new_at != NO_INT;
        return;
    }
    enum change change = old_at == NO_INT   ? CHANGE_GAINED
                         : new_at == NO_INT ? CHANGE_LOST
                         : new_at < old_at  ? CHANGE_EARLIER
                                            : CHANGE_LATER;
    c->count[level][change]++;
    c->list = mem_grow(c->list, &c->cap, c->n + 1, sizeof *c->list);
    c->list[c->n++] = (struct difference){row, level, (uint8_t)change, old_at, new_at};
}

/* Days it came earlier or later; of one gained or lost, none. */
static int64_t length_of(const struct difference *d)
{
    if (d->old_at == NO_INT || d->new_at == NO_INT)
        return 0;
    return d->new_at < d->old_at ? d->old_at - d->new_at : d->new_at - d->old_at;
}

static int by_weight(const void *a, const void *b)
{
    const struct difference *x = a, *y = b;
    int64_t lx = length_of(x), ly = length_of(y);
    bool ox = x->row->outcome != NO_INT, oy = y->row->outcome != NO_INT;
    if (x->level != y->level)
        return x->level > y->level ? -1 : 1;
    if (x->change != y->change)
        return x->change < y->change ? -1 : 1;
    if (ox != oy)
        return ox ? -1 : 1;
    if (lx != ly)
        return lx > ly ? -1 : 1;
    return ekey_cmp(&x->row->key, &y->row->key);
}

static void compare_level(struct comparison *c, const struct tally *now, const struct tally *old, uint8_t level)
{
    for (size_t i = 0; i < now->n; i++) {
        const struct tally_row *row = &now->rows[i], *was = tally_find(old, &row->key);
        if (!row->merged)
            differ(c, level, row, was ? was->warned[level] : NO_INT, row->warned[level]);
    }
    for (size_t i = 0; i < old->n; i++)
        if (!old->rows[i].merged && !tally_find(now, &old->rows[i].key))
            differ(c, level, &old->rows[i], old->rows[i].warned[level], NO_INT);
}

void comparison_make(struct comparison *c, const struct backtest *b)
{
    *c = (struct comparison){0};
    for (uint8_t level = LEVEL_GENERAL; level < LEVEL_COUNT; level++)
        compare_level(c, &b->folds[0].tally, &b->folds[1].tally, level);
    if (c->n)
        qsort(c->list, c->n, sizeof *c->list, by_weight);
}

void comparison_finish(struct comparison *c)
{
    free(c->list);
    *c = (struct comparison){0};
}
