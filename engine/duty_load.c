/* SPDX-License-Identifier: Apache-2.0 */
/* Tree of duties.yaml to duties: a key of a duty is one row of the table. Which enterprises is asked in the words of
 * rules.yaml's `enterprise`. Every mistake is told with its place. */
#include "engine/rules_load.h"

enum { DUTIES_MAX = 64 };

static bool is_text(const struct tree *t)
{
    return t && t->type == TREE_SCALAR && t->text.n > 0;
}

static void read_name(struct loader *l, const struct tree *t, struct duty *d)
{
    static const char *const words[] = {"zh", "en"};
    const struct tree *zh = tree_get(t, "zh"), *en = tree_get(t, "en");
    load_known(l, t, words, ARRAY_LEN(words));
    if (!is_text(zh) || !is_text(en))
        mistake_at(l->m, t, NULL, "name: {zh: ..., en: ...} is needed");
    d->zh = is_text(zh) ? arena_slice(&l->s->arena, zh->text) : d->id;
    d->en = is_text(en) ? arena_slice(&l->s->arena, en->text) : d->id;
}

static void read_for(struct loader *l, const struct tree *t, struct duty *d)
{
    if (t->type == TREE_MAP)
        d->who = *load_attributes(l, t);
    else
        mistake_at(l->m, t, NULL, "for: a map {industry: [...], credit: [...], region: [...], tag: ...} is needed");
}

static void read_every(struct loader *l, const struct tree *t, struct duty *d)
{
    bool good = t->type == TREE_SCALAR && term_parse(t->text, &d->every);
    if (!good || (d->every.working ? d->every.days == 0 : (!d->every.ms && !d->every.months)))
        mistake_at(l->m, t, NULL, "every: how long from one to the next: 183d, or 20wd (working days)");
}

static void read_remind(struct loader *l, const struct tree *t, struct duty *d)
{
    if (!tree_duration(t, &d->remind) || d->remind <= 0)
        mistake_at(l->m, t, NULL, "remind: how long before it is due: 10d (working days are not counted backwards)");
}

static void read_escalate(struct loader *l, const struct tree *t, struct duty *d)
{
    if (t->type != TREE_SCALAR || !term_parse(t->text, &d->escalate_after))
        mistake_at(l->m, t, NULL, "escalate_after: overdue for how long until the next tier has it too: 5wd, 10d");
}

static void read_tier(struct loader *l, const struct tree *t, struct duty *d)
{
    const struct work *w = l->s->work;
    const char *words[TIERS_MAX];
    for (uint8_t i = 0; i < w->n_tiers; i++) {
        words[i] = w->tiers[i].id.p;
        if (t->type == TREE_SCALAR && slice_eq(w->tiers[i].id, t->text)) {
            d->tier = i;
            return;
        }
    }
    mistake_at(l->m, t, nearest_word(t->text, words, w->n_tiers), "no tier of the teams is called \"%.*s\"", SLICE_ARG(t->text));
}

static void add_kind(struct loader *l, const struct tree *t, struct slice word, struct duty *d)
{
    const char *words[KINDS_MAX];
    uint32_t i = 0;
    for (; i < l->s->n_kinds && !slice_eq(l->s->kinds[i].name, word); i++)
        words[i] = l->s->kinds[i].name.p;
    if (i < l->s->n_kinds)
        d->done_by.bits[i / 64] |= UINT64_C(1) << i % 64;
    else
        mistake_at(l->m, t, nearest_word(word, words, i), "unknown kind \"%.*s\"", SLICE_ARG(word));
}

static void read_done_by(struct loader *l, const struct tree *t, struct duty *d)
{
    uint32_t n;
    struct slice *words = load_words(l, t, &n, "done_by");
    for (uint32_t i = 0; i < n; i++)
        add_kind(l, t->type == TREE_LIST && t->n == n ? t->items[i] : t, words[i], d);
}

static const struct {
    const char *word;
    bool must;
    void (*read)(struct loader *, const struct tree *, struct duty *);
} keys[] = {
    {"id", true, NULL},         {"name", true, read_name},      {"for", true, read_for},
    {"every", true, read_every}, {"tier", true, read_tier},      {"done_by", false, read_done_by},
    {"remind", false, read_remind}, {"escalate_after", false, read_escalate},
};

static void check_keys(struct loader *l, const struct tree *t)
{
    const char *words[ARRAY_LEN(keys)];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        words[i] = keys[i].word;
        if (keys[i].must && !tree_get(t, words[i]))
            mistake_at(l->m, t, NULL, "the key \"%s\" is missing", words[i]);
    }
    load_known(l, t, words, ARRAY_LEN(words));
}

/* What is each for itself right, and not together. */
static void check_whole(struct loader *l, const struct tree *t, const struct duty *d)
{
    if (d->remind && !d->every.working && d->remind >= d->every.ms)
        mistake_at(l->m, tree_get(t, "remind"), NULL, "remind: it is due again before anybody could be reminded; make it shorter than every");
    if (d->escalate_after.given && d->tier + 1u >= l->s->work->n_tiers)
        mistake_at(l->m, tree_get(t, "escalate_after"), NULL, "escalate_after: no tier is above this one");
}

static void load_one(struct loader *l, const struct tree *t, struct duty *d, uint32_t n_before)
{
    const struct tree *id = tree_get(t, "id");
    size_t before = l->m->total;
    if (t->type != TREE_MAP) {
        mistake_at(l->m, t, NULL, "a duty is a map: id, name, for, every, tier");
        return;
    }
    check_keys(l, t);
    if (is_text(id) && id->text.n <= 64)
        d->id = arena_slice(&l->s->arena, id->text);
    else if (id)
        mistake_at(l->m, id, NULL, "an id of 1 to 64 bytes is needed");
    for (const struct duty *other = d - n_before; other < d; other++)
        if (d->id.n && slice_eq(other->id, d->id))
            mistake_at(l->m, id, NULL, "two duties are called \"%.*s\"", SLICE_ARG(d->id));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].read && tree_get(t, keys[i].word))
            keys[i].read(l, tree_get(t, keys[i].word), d);
    if (l->m->total == before)
        check_whole(l, t, d);
}

static void load_list(struct loader *l, const struct tree *t)
{
    static const char *const words[] = {"version", "duties"};
    const struct tree *list = tree_get(t, "duties"), *version = tree_get(t, "version");
    struct work *w = l->s->work;
    int64_t v = 0;
    if (!tree_int(version, &v) || v != 1)
        mistake_at(l->m, version ? version : t, NULL, "'version: 1' is needed");
    if (t->type == TREE_MAP)
        load_known(l, t, words, ARRAY_LEN(words));
    if (!list || list->type != TREE_LIST || list->n > DUTIES_MAX) {
        mistake_at(l->m, list ? list : t, NULL, "duties: a list of at most %d duties is needed", DUTIES_MAX);
        return;
    }
    struct duty *duties = arena_zalloc(&l->s->arena, (list->n + 1) * sizeof *duties);
    for (uint32_t i = 0; i < list->n; i++)
        load_one(l, list->items[i], &duties[i], i);
    w->duties = duties;
    w->n_duties = list->n;
}

void load_duties(struct settings *s, const struct tree *t, struct mistakes *m)
{
    struct loader l = {.s = s, .m = m};
    const char *part = m->part;
    bool broken = !s->work && m->total; /* by mistakes in the teams, which are told */
    m->part = "duties";
    if (t && s->work && s->work->has_teams)
        load_list(&l, t);
    else if (t && !broken)
        mistake_at(m, t, "teams: teams.yaml", "duties are the teams' of a tier: configure 'teams' too");
    m->part = part;
}
