/* SPDX-License-Identifier: Apache-2.0 */
/* Owns nothing: makes tables of principals in the caller's arena. */
#include "daemon/principal.h"

const struct principal principal_local = {
    .name = "local",
    .role = "operator",
    .may = MAY_SEND | MAY_SUBSCRIBE | MAY_ACT | MAY_READ,
    .local = true,
    .may_name = true,
    .every_kind = true,
    .key = "",
    .team = "",
};

static const struct {
    const char *name;
    uint8_t may;
} roles[] = {
    {"feeder", MAY_SEND},
    {"inspector", MAY_SUBSCRIBE | MAY_ACT | MAY_READ},
    {"operator", MAY_SUBSCRIBE | MAY_ACT | MAY_READ},
    {"auditor", MAY_SUBSCRIBE | MAY_READ},
};

static const char *const principal_keys[] = {"name",  "key",     "role",     "agencies",
                                             "kinds", "regions", "may_name", "team"};

static void check_keys(const struct tree *t, struct mistakes *m)
{
    for (uint32_t i = 0; i < t->n; i++) {
        bool known = false;
        for (size_t k = 0; k < ARRAY_LEN(principal_keys); k++)
            known = known || slice_is(t->keys[i]->text, principal_keys[k]);
        if (known)
            continue;
        const char *near = nearest_word(t->keys[i]->text, principal_keys, ARRAY_LEN(principal_keys));
        mistake_at(m, t->keys[i], near ? arena_printf(m->arena, "did you mean \"%s\"?", near) : NULL,
                   "unknown key \"%.*s\" of a principal", SLICE_ARG(t->keys[i]->text));
    }
}

static const char *text_of(const struct tree *map, const char *key, struct mistakes *m)
{
    const struct tree *t = tree_get(map, key);
    if (!t)
        return "";
    if (t->type == TREE_SCALAR && t->text.n)
        return t->text.p;
    mistake_at(m, t, NULL, "\"%s\" must be a text", key);
    return "";
}

/* A list of texts, or one text alone. */
static const char *const *words_of(const struct tree *map, const char *key, struct arena *a,
                                   struct mistakes *m, uint32_t *n)
{
    const struct tree *t = tree_get(map, key);
    *n = 0;
    if (!t)
        return NULL;
    uint32_t count = t->type == TREE_LIST ? t->n : 1;
    const char **out = arena_alloc(a, (count + 1) * sizeof *out);
    for (uint32_t i = 0; i < count; i++) {
        const struct tree *item = t->type == TREE_LIST ? t->items[i] : t;
        if (item->type != TREE_SCALAR || !item->text.n)
            mistake_at(m, item, NULL, "\"%s\" must be a list of texts", key);
        else
            out[(*n)++] = item->text.p;
    }
    return out;
}

static void load_regions(struct principal *p, const struct tree *map, struct arena *a, struct mistakes *m)
{
    uint32_t n;
    const char *const *words = words_of(map, "regions", a, m, &n);
    region_t *regions = arena_alloc(a, (n + 1) * sizeof *regions);
    for (uint32_t i = 0; i < n; i++) {
        region_t r = region_of(slice_of(words[i]));
        if (r)
            regions[p->n_regions++] = r;
        else
            mistake_at(m, tree_get(map, "regions"), "prefixes of codes, in quotes: [\"3304\", \"330482001\"]",
                       "\"%s\" is no region code", words[i]);
    }
    p->regions = regions;
    if (tree_get(map, "regions") && !n)
        mistake_at(m, tree_get(map, "regions"), "leave the key out for all regions",
                   "an empty list of regions");
}

static void load_role(struct principal *p, const struct tree *map, struct mistakes *m)
{
    const struct tree *t = tree_get(map, "role");
    p->role = text_of(map, "role", m);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (strcmp(roles[i].name, p->role) == 0)
            p->may = roles[i].may;
    if (!p->may)
        mistake_at(m, t ? t : map, "roles: feeder inspector operator auditor",
                   "principal without a known role");
}

/* It stands in log lines and in stored events. */
static bool name_good(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == '"' || name[i] == 0x7f)
            return false;
    return n > 0 && n <= 64;
}

static void load_one(struct principals *ps, const struct tree *map, struct arena *a, struct mistakes *m)
{
    if (map->type != TREE_MAP) {
        mistake_at(m, map, "- {name: tax, role: feeder, agencies: [tax]}", "a principal must be a map");
        return;
    }
    check_keys(map, m);
    struct principal p = {.may_name = true};
    p.name = text_of(map, "name", m);
    p.key = text_of(map, "key", m);
    p.team = text_of(map, "team", m);
    load_role(&p, map, m);
    p.agencies = words_of(map, "agencies", a, m, &p.n_agencies);
    p.kinds = words_of(map, "kinds", a, m, &p.n_kinds);
    load_regions(&p, map, a, m);
    const struct tree *may_name = tree_get(map, "may_name");
    if (may_name && !tree_bool(may_name, &p.may_name))
        mistake_at(m, may_name, NULL, "\"may_name\" must be true or false");
    p.local = strcmp(p.name, principal_local.name) == 0;
    if (!name_good(p.name))
        mistake_at(m, map, NULL, "a principal needs a name of at most 64 bytes, without spaces and quotes");
    else if (principals_named(ps, slice_of(p.name)))
        mistake_at(m, tree_get(map, "name"), NULL, "principal \"%s\" stands here twice", p.name);
    if (*p.key && strlen(p.key) != KEY_TEXT_LEN)
        mistake_at(m, tree_get(map, "key"), NULL, "a public key has 40 characters (Z85)");
    else if (*p.key && principals_keyed(ps, slice_of(p.key)))
        mistake_at(m, tree_get(map, "key"), NULL, "two principals with one key");
    if (p.may == MAY_SEND && !p.n_agencies && !p.n_kinds)
        mistake_at(m, map, "agencies: [tax], or kinds: [tax.arrears]", "a feeder that may send nothing");
    ps->list[ps->n++] = p;
}

void principals_load(struct principals *ps, const struct tree *t, struct arena *a, struct mistakes *m)
{
    const struct tree *list = t->type == TREE_MAP ? tree_get(t, "principals") : t;
    *ps = (struct principals){.listed = true};
    for (uint32_t i = 0; t->type == TREE_MAP && i < t->n; i++)
        if (!slice_is(t->keys[i]->text, "principals"))
            mistake_at(m, t->keys[i], "principals: [{name: ..., role: ...}]", "unknown key \"%.*s\"",
                       SLICE_ARG(t->keys[i]->text));
    if (!list)
        return;
    if (list->type != TREE_LIST) {
        mistake_at(m, list, NULL, "\"principals\" must be a list");
        return;
    }
    ps->list = arena_alloc(a, (list->n + 1) * sizeof *ps->list);
    for (uint32_t i = 0; i < list->n; i++)
        load_one(ps, list->items[i], a, m);
}

void principals_add_trusted(struct principals *ps, struct slice name, struct arena *a)
{
    struct principal *list = arena_alloc(a, (ps->n + 1) * sizeof *list);
    if (ps->n)
        memcpy(list, ps->list, ps->n * sizeof *list);
    list[ps->n] = principal_local;
    list[ps->n].name = arena_slice(a, name).p;
    list[ps->n].local = false;
    ps->list = list;
    ps->n++;
}

const struct principal *principals_named(const struct principals *ps, struct slice name)
{
    for (uint32_t i = 0; i < ps->n; i++)
        if (slice_is(name, ps->list[i].name))
            return &ps->list[i];
    if (slice_is(name, principal_local.name))
        return &principal_local;
    return NULL;
}

const struct principal *principals_keyed(const struct principals *ps, struct slice key)
{
    for (uint32_t i = 0; i < ps->n; i++)
        if (key.n && slice_is(key, ps->list[i].key))
            return &ps->list[i];
    return NULL;
}

static bool among(const char *const *words, uint32_t n, struct slice word)
{
    for (uint32_t i = 0; i < n; i++)
        if (slice_is(word, words[i]))
            return true;
    return false;
}

bool principal_may_send(const struct principal *p, struct slice kind)
{
    if (p->every_kind)
        return true;
    const char *dot = kind.n ? memchr(kind.p, '.', kind.n) : NULL;
    struct slice agency = {kind.p, dot ? (size_t)(dot - kind.p) : kind.n};
    return among(p->agencies, p->n_agencies, agency) || among(p->kinds, p->n_kinds, kind);
}

bool principal_sees(const struct principal *p, region_t r)
{
    for (uint32_t i = 0; i < p->n_regions; i++)
        if (r && region_within(r, p->regions[i]))
            return true;
    return p->n_regions == 0;
}
