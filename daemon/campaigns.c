/* SPDX-License-Identifier: Apache-2.0 */
/* campaigns.yaml to campaigns: a key of a campaign is one row of the table. Pure; main thread. */
#include "daemon/campaigns.h"

#include "lib/calendar.h"
#include "lib/words.h"

struct loader {
    struct mistakes *m;
    struct arena *arena;
    int64_t timezone;
    const struct kinds *kinds;
};

static bool is_text(const struct tree *t)
{
    return t && t->type == TREE_SCALAR && t->text.n > 0;
}

/* One text, or a list of texts. */
static struct slice *read_texts(struct loader *l, const struct tree *t, uint32_t *n)
{
    bool list = t->type == TREE_LIST;
    uint32_t count = list ? t->n : 1;
    struct slice *out = arena_zalloc(l->arena, (count + 1) * sizeof *out);
    *n = 0;
    if (count > CAMPAIGN_LIST_MAX || !count) {
        mistake_at(l->m, t, NULL, "a list of 1 to %d is needed", CAMPAIGN_LIST_MAX);
        return out;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct tree *item = list ? t->items[i] : t;
        if (is_text(item))
            out[(*n)++] = arena_slice(l->arena, item->text);
        else
            mistake_at(l->m, item, NULL, "a text is needed");
    }
    return out;
}

static const struct tree *item_of(const struct tree *t, uint32_t i)
{
    return t->type == TREE_LIST ? t->items[i] : t;
}

static void read_title(struct loader *l, const struct tree *t, struct campaign *c)
{
    const struct tree *zh = tree_get(t, "zh"), *en = tree_get(t, "en");
    if (!is_text(zh) || !is_text(en))
        mistake_at(l->m, t, NULL, "title: {zh: ..., en: ...} is needed");
    c->zh = is_text(zh) ? arena_slice(l->arena, zh->text) : c->id;
    c->en = is_text(en) ? arena_slice(l->arena, en->text) : c->id;
}

static int64_t read_day(struct loader *l, const struct tree *t)
{
    int64_t ms = 0;
    if (t->type != TREE_SCALAR || !time_parse(t->text, l->timezone, &ms))
        mistake_at(l->m, t, NULL, "a day such as 2026-11-01 is needed");
    return ms;
}

static void read_from(struct loader *l, const struct tree *t, struct campaign *c)
{
    c->from = read_day(l, t);
}

static void read_to(struct loader *l, const struct tree *t, struct campaign *c)
{
    c->to = read_day(l, t) + DAY_MS; /* that day counts */
}

static void read_regions(struct loader *l, const struct tree *t, struct campaign *c)
{
    uint32_t n;
    struct slice *texts = read_texts(l, t, &n);
    c->regions = arena_zalloc(l->arena, (n + 1) * sizeof *c->regions);
    for (uint32_t i = 0; i < n; i++) {
        c->regions[c->n_regions] = region_of(texts[i]);
        if (c->regions[c->n_regions])
            c->n_regions++;
        else
            mistake_at(l->m, item_of(t, i), NULL, "regions: the first digits of a region code are needed");
    }
}

static void read_industries(struct loader *l, const struct tree *t, struct campaign *c)
{
    c->industries = read_texts(l, t, &c->n_industries);
}

static void read_levels(struct loader *l, const struct tree *t, struct campaign *c)
{
    static const char *const words[] = {"general", "major", "critical"};
    uint32_t n;
    struct slice *texts = read_texts(l, t, &n);
    for (uint32_t i = 0; i < n; i++) {
        int level = level_of(texts[i]);
        if (level > LEVEL_NONE)
            c->levels |= 1U << level;
        else
            mistake_at(l->m, item_of(t, i), nearest_word(texts[i], words, ARRAY_LEN(words)),
                       "levels: general, major or critical");
    }
}

static void read_kinds(struct loader *l, const struct tree *t, struct campaign *c)
{
    c->kinds = read_texts(l, t, &c->n_kinds);
    for (uint32_t i = 0; l->kinds && i < c->n_kinds; i++)
        if (!kinds_find(l->kinds, c->kinds[i]))
            mistake_at(l->m, item_of(t, i), kinds_suggest(l->kinds, c->kinds[i]), "unknown kind \"%.*s\"",
                       SLICE_ARG(c->kinds[i]));
}

static const struct {
    const char *word;
    bool must;
    void (*read)(struct loader *, const struct tree *, struct campaign *);
} keys[] = {
    {"id", true, NULL},        {"title", true, read_title},           {"from", true, read_from},
    {"to", true, read_to},     {"regions", false, read_regions},      {"industries", false, read_industries},
    {"levels", false, read_levels}, {"kinds", false, read_kinds},
};

static void check_keys(struct loader *l, const struct tree *t)
{
    const char *words[ARRAY_LEN(keys)];
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        words[i] = keys[i].word;
        if (keys[i].must && !tree_get(t, words[i]))
            mistake_at(l->m, t, NULL, "'%s' is missing", words[i]);
    }
    for (uint32_t i = 0; i < t->n; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(keys) && !slice_is(t->keys[i]->text, words[k]))
            k++;
        if (k == ARRAY_LEN(keys))
            mistake_at(l->m, t->keys[i], nearest_word(t->keys[i]->text, words, ARRAY_LEN(words)),
                       "unknown key \"%.*s\" of a campaign", SLICE_ARG(t->keys[i]->text));
    }
}

static void load_one(struct loader *l, const struct tree *t, struct campaigns *out)
{
    struct campaign c = {.from = 0, .to = 0};
    size_t before = l->m->total;
    if (t->type != TREE_MAP) {
        mistake_at(l->m, t, NULL, "a campaign is a map: id, title, from, to and what it selects");
        return;
    }
    check_keys(l, t);
    const struct tree *id = tree_get(t, "id");
    if (is_text(id))
        c.id = arena_slice(l->arena, id->text);
    else if (id)
        mistake_at(l->m, id, NULL, "id: a text is needed");
    if (c.id.n && campaign_named(out, c.id))
        mistake_at(l->m, id, NULL, "there is another campaign \"%.*s\"", SLICE_ARG(c.id));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].read && tree_get(t, keys[i].word))
            keys[i].read(l, tree_get(t, keys[i].word), &c);
    if (l->m->total == before && c.to <= c.from)
        mistake_at(l->m, tree_get(t, "to"), NULL, "it ends before it begins");
    out->list[out->n++] = c;
}

void campaigns_load(const struct tree *t, int64_t timezone_ms, const struct kinds *kinds, struct arena *a,
                    struct mistakes *m, struct campaigns *out)
{
    struct loader l = {m, a, timezone_ms, kinds};
    const struct tree *list = tree_get(t, "campaigns");
    *out = (struct campaigns){0};
    if (!t)
        return;
    if (!list || list->type != TREE_LIST || list->n > CAMPAIGNS_MAX) {
        mistake_at(m, list ? list : t, NULL, "campaigns: a list of at most %d is needed", CAMPAIGNS_MAX);
        return;
    }
    out->list = arena_zalloc(a, (list->n + 1) * sizeof *out->list);
    for (uint32_t i = 0; i < list->n; i++)
        load_one(&l, list->items[i], out);
}

const struct campaign *campaign_named(const struct campaigns *all, struct slice id)
{
    for (uint32_t i = 0; i < all->n; i++)
        if (slice_eq(all->list[i].id, id))
            return &all->list[i];
    return NULL;
}
