/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of teams.yaml, measures.yaml and deadlines.yaml to struct work. Every mistake is told with its place; what a map
 * may hold is a table of keys. */
#include "engine/work.h"

#include "lib/calendar.h"
#include "lib/mem.h"

#include <stdlib.h>

struct loader {
    struct work *w;
    struct mistakes *m;
    const struct tree *at; /* the map in hand, for what is missing in it */
};

/* A key of a map: how its value is read, and where to. */
struct key {
    const char *word;
    bool must;
    void (*read)(struct loader *, const struct tree *, void *to);
    size_t to; /* offset in the thing that the map describes */
};

/* ---- maps by table ---- */

static void read_map(struct loader *l, const struct tree *t, const struct key *keys, size_t n, void *thing)
{
    const char *words[16];
    if (t->type != TREE_MAP) {
        mistake_at(l->m, t, NULL, "a map is needed here");
        return;
    }
    for (size_t k = 0; k < n; k++)
        words[k] = keys[k].word;
    for (uint32_t i = 0; i < t->n; i++) {
        size_t k = 0;
        while (k < n && !slice_is(t->keys[i]->text, keys[k].word))
            k++;
        if (k < n)
            keys[k].read(l, t->items[i], (char *)thing + keys[k].to);
        else
            mistake_at(l->m, t->keys[i], nearest_word(t->keys[i]->text, words, n), "unknown key \"%.*s\"",
                       SLICE_ARG(t->keys[i]->text));
    }
    for (size_t k = 0; k < n; k++)
        if (keys[k].must && !tree_get(t, keys[k].word))
            mistake_at(l->m, t, NULL, "the key \"%s\" is missing", keys[k].word);
}

#define READ_MAP(l, t, keys, thing) read_map(l, t, keys, ARRAY_LEN(keys), thing)

/* ---- values ---- */

static void read_text(struct loader *l, const struct tree *t, void *to)
{
    if (t->type != TREE_SCALAR || t->text.n == 0 || t->text.n > 200)
        mistake_at(l->m, t, NULL, "a text of 1 to 200 bytes is needed");
    else
        *(struct slice *)to = arena_slice(&l->w->arena, t->text);
}

static void read_id(struct loader *l, const struct tree *t, void *to)
{
    if (t->type != TREE_SCALAR || t->text.n == 0 || t->text.n > 64)
        mistake_at(l->m, t, NULL, "an id of 1 to 64 bytes is needed");
    else
        *(struct slice *)to = arena_slice(&l->w->arena, t->text);
}

struct name {
    struct slice zh, en;
};

static void read_name(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"zh", true, read_text, offsetof(struct name, zh)},
                                      {"en", true, read_text, offsetof(struct name, en)}};
    READ_MAP(l, t, keys, to);
}

static void read_term(struct loader *l, const struct tree *t, void *to)
{
    if (t->type != TREE_SCALAR || !term_parse(t->text, to))
        mistake_at(l->m, t, NULL, "a term is needed: 2h, 10d (days from the moment), 3wd (working days), 6mo or 3y (civil months, years)");
}

/* {general: 1wd, major: 4h, critical: 30m}: an array of terms by level. */
static void read_terms(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"general", false, read_term, LEVEL_GENERAL * sizeof(struct term)},
                                      {"major", false, read_term, LEVEL_MAJOR * sizeof(struct term)},
                                      {"critical", false, read_term, LEVEL_CRITICAL * sizeof(struct term)}};
    READ_MAP(l, t, keys, to);
}

static void read_ppm(struct loader *l, const struct tree *t, void *to)
{
    enum { PPM_ONE = 1000000 };
    int64_t v = 0;
    if (!tree_ppm(t, &v) || v < 0 || v > PPM_ONE)
        mistake_at(l->m, t, NULL, "a share from 0 to 1 is needed");
    *(uint32_t *)to = (uint32_t)v;
}

static void read_bool(struct loader *l, const struct tree *t, void *to)
{
    if (!tree_bool(t, to))
        mistake_at(l->m, t, NULL, "true or false is needed");
}

static void read_nothing(struct loader *l, const struct tree *t, void *to)
{
    (void)l;
    (void)t;
    (void)to;
}

/* Words, one or a list: n at `to`, the array behind it. */
struct words {
    uint32_t n;
    struct slice *list;
};

static struct words words_of(struct loader *l, const struct tree *t)
{
    bool list = t->type == TREE_LIST;
    struct words w = {0, arena_zalloc(&l->w->arena, ((list ? t->n : 1) + 1) * sizeof *w.list)};
    for (uint32_t i = 0; i < (list ? t->n : 1); i++) {
        const struct tree *one = list ? t->items[i] : t;
        if (one->type != TREE_SCALAR || !one->text.n)
            mistake_at(l->m, one, NULL, "a word or a list of words is needed");
        else
            w.list[w.n++] = arena_slice(&l->w->arena, one->text);
    }
    return w;
}

static void put_regions(struct loader *l, const struct tree *t, uint32_t *n, region_t **list)
{
    struct words w = words_of(l, t);
    *list = arena_zalloc(&l->w->arena, (w.n + 1) * sizeof **list);
    for (uint32_t i = 0; i < w.n; i++) {
        (*list)[*n] = region_of(w.list[i]);
        if ((*list)[*n])
            (*n)++;
        else
            mistake_at(l->m, t->type == TREE_LIST ? t->items[i] : t, NULL, "\"%.*s\" is no region code or prefix of one",
                       SLICE_ARG(w.list[i]));
    }
}

/* ---- teams.yaml ---- */

static void read_covers(struct loader *l, const struct tree *t, void *to)
{
    struct work *w = to;
    put_regions(l, t, &w->n_covers, &w->covers);
}

static void read_tier(struct loader *l, const struct tree *t, struct tier *tier)
{
    static const struct key keys[] = {{"id", true, read_id, offsetof(struct tier, id)},
                                      {"zh", true, read_text, offsetof(struct tier, zh)},
                                      {"en", true, read_text, offsetof(struct tier, en)},
                                      {"escalate_after", false, read_term, offsetof(struct tier, escalate_after)}};
    READ_MAP(l, t, keys, tier);
}

static void read_tiers(struct loader *l, const struct tree *t, void *to)
{
    struct work *w = to;
    if (t->type != TREE_LIST || t->n == 0 || t->n > TIERS_MAX) {
        mistake_at(l->m, t, NULL, "tiers: a list of 1 to %d tiers, the lowest first, is needed", TIERS_MAX);
        return;
    }
    w->tiers = arena_zalloc(&w->arena, t->n * sizeof *w->tiers);
    for (uint32_t i = 0; i < t->n; i++)
        read_tier(l, t->items[i], &w->tiers[w->n_tiers++]);
}

static void read_departments(struct loader *l, const struct tree *t, void *to)
{
    struct work *w = to;
    if (t->type != TREE_MAP || !t->n) {
        mistake_at(l->m, t, NULL, "departments: a map of id: {zh, en} is needed");
        return;
    }
    w->departments = arena_zalloc(&w->arena, t->n * sizeof *w->departments);
    for (uint32_t i = 0; i < t->n; i++) {
        struct name name = {{0}, {0}};
        read_name(l, t->items[i], &name);
        w->departments[w->n_departments++] = arena_slice(&w->arena, t->keys[i]->text);
    }
}

static bool known(const struct slice *list, uint32_t n, struct slice word)
{
    for (uint32_t i = 0; i < n; i++)
        if (slice_eq(list[i], word))
            return true;
    return false;
}

static void check_department(struct loader *l, const struct tree *at, struct slice word)
{
    const char *words[64];
    size_t n = 0;
    for (uint32_t i = 0; i < l->w->n_departments && n < ARRAY_LEN(words); i++)
        words[n++] = l->w->departments[i].p;
    if (!known(l->w->departments, l->w->n_departments, word))
        mistake_at(l->m, at, nearest_word(word, words, n), "no department is called \"%.*s\"", SLICE_ARG(word));
}

/* {industry: E, lead: housing, assist: [labour]} */
static void read_lead(struct loader *l, const struct tree *t, struct lead *lead)
{
    static const char *const words[] = {"industry", "lead", "assist"};
    const struct tree *industry = tree_get(t, "industry"), *who = tree_get(t, "lead"), *assist = tree_get(t, "assist");
    for (uint32_t i = 0; t->type == TREE_MAP && i < t->n; i++)
        if (!slice_is(t->keys[i]->text, words[0]) && !slice_is(t->keys[i]->text, words[1]) &&
            !slice_is(t->keys[i]->text, words[2]))
            mistake_at(l->m, t->keys[i], nearest_word(t->keys[i]->text, words, ARRAY_LEN(words)), "unknown key \"%.*s\"",
                       SLICE_ARG(t->keys[i]->text));
    if (!who || who->type != TREE_SCALAR) {
        mistake_at(l->m, t, NULL, "who leads is missing: {industry: E, lead: housing, assist: [labour]}");
        return;
    }
    lead->industry = industry && industry->type == TREE_SCALAR ? arena_slice(&l->w->arena, industry->text) : (struct slice){0};
    lead->department = arena_slice(&l->w->arena, who->text);
    check_department(l, who, lead->department);
    struct words w = assist ? words_of(l, assist) : (struct words){0};
    for (uint32_t i = 0; i < w.n; i++)
        check_department(l, assist, w.list[i]);
    lead->assist = w.list;
    lead->n_assist = w.n;
}

static void read_leads(struct loader *l, const struct tree *t, void *to)
{
    struct work *w = to;
    if (t->type != TREE_LIST || !t->n) {
        mistake_at(l->m, t, NULL, "leads: a list of {industry, lead, assist} is needed");
        return;
    }
    w->leads = arena_zalloc(&w->arena, t->n * sizeof *w->leads);
    for (uint32_t i = 0; i < t->n; i++)
        read_lead(l, t->items[i], &w->leads[w->n_leads++]);
}

static void read_tier_name(struct loader *l, const struct tree *t, void *to)
{
    const char *words[TIERS_MAX];
    for (uint8_t i = 0; i < l->w->n_tiers; i++) {
        words[i] = l->w->tiers[i].id.p;
        if (t->type == TREE_SCALAR && slice_eq(l->w->tiers[i].id, t->text)) {
            *(uint8_t *)to = i;
            return;
        }
    }
    mistake_at(l->m, t, nearest_word(t->text, words, l->w->n_tiers), "no tier is called \"%.*s\"", SLICE_ARG(t->text));
}

static void read_joins(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"general", false, read_tier_name, LEVEL_GENERAL},
                                      {"major", false, read_tier_name, LEVEL_MAJOR},
                                      {"critical", false, read_tier_name, LEVEL_CRITICAL}};
    READ_MAP(l, t, keys, to);
}

static void read_team_regions(struct loader *l, const struct tree *t, void *to)
{
    struct team *team = to;
    put_regions(l, t, &team->n_regions, &team->regions);
}

static void read_team_industries(struct loader *l, const struct tree *t, void *to)
{
    struct team *team = to;
    struct words w = words_of(l, t);
    team->n_industries = w.n;
    team->industries = w.list;
}

static void read_department(struct loader *l, const struct tree *t, void *to)
{
    read_id(l, t, to);
    if (t->type == TREE_SCALAR)
        check_department(l, t, t->text);
}

static void read_team_name(struct loader *l, const struct tree *t, void *to)
{
    struct team *team = to;
    struct name name = {{0}, {0}};
    read_name(l, t, &name);
    team->zh = name.zh;
    team->en = name.en;
}

static void read_team(struct loader *l, const struct tree *t, struct team *team)
{
    static const struct key keys[] = {{"id", true, read_id, offsetof(struct team, id)},
                                      {"name", true, read_team_name, 0},
                                      {"tier", true, read_tier_name, offsetof(struct team, tier)},
                                      {"department", false, read_department, offsetof(struct team, department)},
                                      {"carrier", false, read_text, offsetof(struct team, carrier)},
                                      {"regions", true, read_team_regions, 0},
                                      {"industries", false, read_team_industries, 0}};
    READ_MAP(l, t, keys, team);
    for (const struct team *other = l->w->teams; other < team; other++)
        if (team->id.n && slice_eq(other->id, team->id))
            mistake_at(l->m, t, NULL, "two teams are called \"%.*s\"", SLICE_ARG(team->id));
}

static void read_teams(struct loader *l, const struct tree *t, void *to)
{
    struct work *w = to;
    if (t->type != TREE_LIST || t->n == 0 || t->n > TEAMS_MAX) {
        mistake_at(l->m, t, NULL, "teams: a list of 1 to %d teams is needed", TEAMS_MAX);
        return;
    }
    w->teams = arena_zalloc(&w->arena, t->n * sizeof *w->teams);
    for (uint32_t i = 0; i < t->n; i++)
        read_team(l, t->items[i], &w->teams[w->n_teams++]);
}

static void read_version(struct loader *l, const struct tree *t, void *to)
{
    int64_t v;
    (void)to;
    if (!tree_int(t, &v) || v != 1)
        mistake_at(l->m, t, NULL, "version: only 1 is known");
}

static bool has_keys(struct loader *l, const struct tree *t, const char *what)
{
    if (t->type == TREE_MAP)
        return true;
    mistake_at(l->m, t, NULL, "%s: a map is needed", what);
    return false;
}

/* In this order, whatever the order of the file: later parts name things of earlier ones. */
static void load_teams(struct loader *l, const struct tree *t)
{
    static const struct key keys[] = {{"version", true, read_version, 0}, {"covers", false, read_covers, 0},
                                      {"tiers", true, read_tiers, 0},     {"departments", false, read_departments, 0},
                                      {"leads", false, read_leads, 0},    {"joins", false, read_joins, offsetof(struct work, joins)},
                                      {"teams", true, read_teams, 0}};
    if (!has_keys(l, t, "teams"))
        return;
    struct tree ordered = *t;
    ordered.n = 0;
    ordered.keys = arena_alloc(&l->w->arena, t->n * sizeof *ordered.keys);
    ordered.items = arena_alloc(&l->w->arena, t->n * sizeof *ordered.items);
    for (size_t k = 0; k <= ARRAY_LEN(keys); k++)
        for (uint32_t i = 0; i < t->n; i++) {
            size_t at = 0;
            while (at < ARRAY_LEN(keys) && !slice_is(t->keys[i]->text, keys[at].word))
                at++;
            if (at != k)
                continue;
            ordered.keys[ordered.n] = t->keys[i];
            ordered.items[ordered.n++] = t->items[i];
        }
    read_map(l, &ordered, keys, ARRAY_LEN(keys), l->w);
    l->w->has_teams = true;
}

/* ---- measures.yaml ---- */

static void read_measure_name(struct loader *l, const struct tree *t, void *to)
{
    struct measure *x = to;
    struct name name = {{0}, {0}};
    read_name(l, t, &name);
    x->zh = name.zh;
    x->en = name.en;
}

static void read_levels(struct loader *l, const struct tree *t, void *to)
{
    struct measure *x = to;
    struct words w = words_of(l, t);
    x->levels = 0;
    for (uint32_t i = 0; i < w.n; i++) {
        int level = level_of(w.list[i]);
        if (level <= LEVEL_NONE)
            mistake_at(l->m, t, NULL, "\"%.*s\" is no level", SLICE_ARG(w.list[i]));
        else
            x->levels |= 1u << level;
    }
    if (!x->levels)
        mistake_at(l->m, t, NULL, "levels: nobody could ever take this measure");
}

/* The roles that a list names; each must be one that somebody acts as. */
static unsigned roles_of(struct loader *l, const struct tree *t, const struct words *w)
{
    static const char *const roles[] = {"inspector", "operator"};
    unsigned all = 0;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct tree *at = t->type == TREE_LIST ? t->items[i] : t;
        unsigned role = work_role(w->list[i]);
        all |= role;
        if (slice_is(w->list[i], "local"))
            mistake_at(l->m, at, NULL, "nobody acts as \"local\": such a principal acts as operator; name that");
        else if (slice_is(w->list[i], "feeder") || slice_is(w->list[i], "auditor"))
            mistake_at(l->m, at, NULL, "nobody acts as \"%.*s\": inspectors and operators act", SLICE_ARG(w->list[i]));
        else if (!role)
            mistake_at(l->m, at, nearest_word(w->list[i], roles, ARRAY_LEN(roles)), "\"%.*s\" is no role that may act",
                       SLICE_ARG(w->list[i]));
    }
    return all;
}

static void read_roles(struct loader *l, const struct tree *t, void *to)
{
    struct measure *x = to;
    struct words w = words_of(l, t);
    x->roles = w.list;
    x->n_roles = w.n;
    (void)roles_of(l, t, &w);
    if (!w.n)
        mistake_at(l->m, t, NULL, "roles: nobody could ever take this measure");
}

static void read_outcome(struct loader *l, const struct tree *t, void *to)
{
    struct measure *x = to;
    struct words w = words_of(l, t);
    for (uint32_t i = 0; i < w.n; i++) {
        int outcome = work_outcome(w.list[i]);
        if (outcome < 0)
            mistake_at(l->m, t, nearest_word(w.list[i], outcome_words, OUTCOMES), "\"%.*s\" is no outcome of a close",
                       SLICE_ARG(w.list[i]));
        else
            x->outcomes |= 1u << outcome;
    }
}

static void read_wants(struct loader *l, const struct tree *t, void *to)
{
    static const char *const words[] = {"ref", "due", "people", "amount", "note"}; /* in the order of enum measure_want */
    struct measure *x = to;
    struct words w = words_of(l, t);
    for (uint32_t i = 0; i < w.n; i++) {
        size_t k = 0;
        while (k < ARRAY_LEN(words) && !slice_is(w.list[i], words[k]))
            k++;
        if (k == ARRAY_LEN(words))
            mistake_at(l->m, t, nearest_word(w.list[i], words, ARRAY_LEN(words)), "a measure cannot want \"%.*s\"",
                       SLICE_ARG(w.list[i]));
        else
            x->wants |= 1u << k;
    }
}

static void read_answered_by(struct loader *l, const struct tree *t, void *to)
{
    struct measure *x = to;
    struct words w = words_of(l, t);
    x->answered_by = w.list;
    x->n_answered_by = w.n;
}

static void read_measure(struct loader *l, const struct tree *t, struct measure *x)
{
    static const struct key keys[] = {{"id", true, read_id, offsetof(struct measure, id)},
                                      {"name", true, read_measure_name, 0},
                                      {"levels", false, read_levels, 0},
                                      {"roles", false, read_roles, 0},
                                      {"wants", false, read_wants, 0},
                                      {"outcome", false, read_outcome, 0},
                                      {"due", false, read_term, offsetof(struct measure, due)},
                                      {"due_most", false, read_term, offsetof(struct measure, due_most)},
                                      {"silence", false, read_id, offsetof(struct measure, silence)},
                                      {"answered_by", false, read_answered_by, 0},
                                      {"lasts", false, read_term, offsetof(struct measure, lasts)},
                                      {"may_end_after", false, read_term, offsetof(struct measure, may_end_after)},
                                      {"recover", false, read_bool, offsetof(struct measure, recover)},
                                      {"ends", false, read_nothing, 0}}; /* of older files; work_check tells it */
    x->levels = 1u << LEVEL_GENERAL | 1u << LEVEL_MAJOR | 1u << LEVEL_CRITICAL;
    READ_MAP(l, t, keys, x);
    for (const struct measure *other = l->w->measures; other < x; other++)
        if (x->id.n && slice_eq(other->id, x->id))
            mistake_at(l->m, t, NULL, "two measures are called \"%.*s\"", SLICE_ARG(x->id));
    if (x->silence.n && !x->due.given && !(x->wants & WANT_DUE))
        mistake_at(l->m, t, NULL, "silence: the measure has no due date that could run out; give it a due, or want one");
}

static void read_measures(struct loader *l, const struct tree *t, void *to)
{
    struct work *w = to;
    if (t->type != TREE_LIST || t->n == 0 || t->n > MEASURES_MAX) {
        mistake_at(l->m, t, NULL, "measures: a list of 1 to %d measures is needed", MEASURES_MAX);
        return;
    }
    w->measures = arena_zalloc(&w->arena, t->n * sizeof *w->measures);
    for (uint32_t i = 0; i < t->n; i++)
        read_measure(l, t->items[i], &w->measures[w->n_measures++]);
}

static void load_measures(struct loader *l, const struct tree *t)
{
    static const struct key keys[] = {{"version", true, read_version, 0}, {"measures", true, read_measures, 0}};
    if (!has_keys(l, t, "measures"))
        return;
    READ_MAP(l, t, keys, l->w);
    l->w->has_measures = true;
}

/* Kinds that are named must be there. */
static void check_kind(struct loader *l, const struct tree *kinds, const struct tree *at, struct slice word)
{
    bool found = word.n == 0;
    for (uint32_t j = 0; j < kinds->n && !found; j++) {
        const struct tree *name = tree_get(kinds->items[j], "kind");
        found = name && slice_eq(name->text, word);
    }
    if (!found)
        mistake_at(l->m, at, NULL, "unknown kind \"%.*s\"", SLICE_ARG(word));
}

/* Under the name of the file that each stands in. */
static void check_kinds(struct loader *l, const struct tree *parts)
{
    const struct tree *kinds = tree_get(parts, "kinds"), *measures = tree_get(tree_get(parts, "measures"), "measures");
    const char *part = l->m->part;
    l->m->part = "measures";
    for (uint32_t i = 0; kinds && i < l->w->n_measures; i++) {
        const struct measure *x = &l->w->measures[i];
        const struct tree *answered = tree_get(measures->items[i], "answered_by");
        check_kind(l, kinds, tree_get(measures->items[i], "silence"), x->silence);
        for (uint32_t k = 0; k < x->n_answered_by; k++)
            check_kind(l, kinds, answered->type == TREE_LIST && answered->n == x->n_answered_by ? answered->items[k] : answered,
                       x->answered_by[k]);
    }
    l->m->part = "deadlines";
    for (uint32_t i = 0; kinds && i < l->w->n_triage; i++)
        check_kind(l, kinds, tree_get(tree_get(parts, "deadlines"), "triage"), l->w->triage[i]);
    l->m->part = part;
}

/* ---- deadlines.yaml ---- */

static void read_triage_kinds(struct loader *l, const struct tree *t, void *to)
{
    struct work *w = to;
    struct words x = words_of(l, t);
    w->triage = x.list;
    w->n_triage = x.n;
}

static void read_triage(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"kinds", true, read_triage_kinds, 0},
                                      {"within", true, read_term, offsetof(struct work, triage_term)}};
    READ_MAP(l, t, keys, to);
}

static void read_settles_kinds(struct loader *l, const struct tree *t, void *to)
{
    struct words x = words_of(l, t);
    *(struct settles *)to = (struct settles){x.n, x.list};
}

static void read_settles(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"paid", false, read_settles_kinds, offsetof(struct work, settled_by_paid)},
                                      {"false_claim", false, read_settles_kinds, offsetof(struct work, settled_by_false_claim)}};
    READ_MAP(l, t, keys, to);
}

static void read_first_steps(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"seen", false, read_term, 0},
                                      {"registered", false, read_term, sizeof(struct term)},
                                      {"forwarded", false, read_term, 2 * sizeof(struct term)},
                                      {"verified", false, read_term, 3 * sizeof(struct term)}};
    READ_MAP(l, t, keys, to);
}

static void read_follow_up(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"after", true, read_term, offsetof(struct work, follow_up)},
                                      {"share", true, read_ppm, offsetof(struct work, follow_up_ppm)}};
    READ_MAP(l, t, keys, to);
}

static void read_step_roles(struct loader *l, const struct tree *t, void *to)
{
    struct step_limit *limit = to;
    struct words w = words_of(l, t);
    limit->roles = roles_of(l, t, &w);
    if (!w.n)
        mistake_at(l->m, t, NULL, "roles: nobody could ever take this step");
}

/* {extend: {roles: [operator], note: true}}: to whom a place reserves a step, and whether it wants a reason. */
static void read_steps(struct loader *l, const struct tree *t, void *to)
{
    static const struct key keys[] = {{"roles", false, read_step_roles, 0},
                                      {"note", false, read_bool, offsetof(struct step_limit, note)}};
    struct work *w = to;
    if (t->type != TREE_MAP)
        mistake_at(l->m, t, NULL, "steps: a map is needed: {extend: {roles: [operator], note: true}}");
    for (uint32_t i = 0; t->type == TREE_MAP && i < t->n; i++) {
        size_t k = 0;
        while (k < LIMITS && !slice_is(t->keys[i]->text, limited_words[k]))
            k++;
        if (k < LIMITS)
            READ_MAP(l, t->items[i], keys, &w->limits[k]);
        else
            mistake_at(l->m, t->keys[i], nearest_word(t->keys[i]->text, limited_words, LIMITS),
                       "the step \"%.*s\" cannot be reserved; extend, hold, snooze, escalate and correct can",
                       SLICE_ARG(t->keys[i]->text));
    }
}

static void load_deadlines(struct loader *l, const struct tree *t)
{
    static const struct key keys[] = {{"version", true, read_version, 0},
                                      {"accept", true, read_terms, offsetof(struct work, accept)},
                                      {"verify", true, read_terms, offsetof(struct work, verify)},
                                      {"close", false, read_terms, offsetof(struct work, close)},
                                      {"unattended", false, read_terms, offsetof(struct work, unattended)},
                                      {"absent", false, read_term, offsetof(struct work, absent)},
                                      {"extend", false, read_term, offsetof(struct work, extend)},
                                      {"hold_most", false, read_term, offsetof(struct work, hold_most)},
                                      {"snooze_most", false, read_term, offsetof(struct work, snooze_most)},
                                      {"follow_up", false, read_follow_up, 0},
                                      {"first_steps", false, read_first_steps, offsetof(struct work, first_steps)},
                                      {"settles", false, read_settles, 0},
                                      {"triage", false, read_triage, 0},
                                      {"steps", false, read_steps, 0}};
    if (!has_keys(l, t, "deadlines"))
        return;
    READ_MAP(l, t, keys, l->w);
    l->w->has_deadlines = true;
}

/* ---- working days: a list made by a program ---- */

static void load_workdays(struct loader *l, const struct tree *t)
{
    struct workdays *w = &l->w->days;
    w->days = arena_zalloc(&l->w->arena, (t->n + 1) * sizeof *w->days);
    for (uint32_t i = 0; t->type == TREE_LIST && i < t->n; i++) {
        const struct tree *day = tree_get(t->items[i], "day"), *is = tree_get(t->items[i], "is");
        int64_t ms;
        if (!day || !is || !time_parse(day->text, 0, &ms)) {
            mistake_at(l->m, t->items[i], NULL, "workdays: a day and what it is are needed");
            continue;
        }
        w->days[w->n++] = (struct special_day){civil_day(ms, 0), slice_is(is->text, "work")};
        if (w->n > 1 && w->days[w->n - 2].day >= w->days[w->n - 1].day)
            mistake_at(l->m, t->items[i], NULL, "workdays: the days must rise");
    }
}

void work_load(const struct tree *parts, int64_t timezone, struct mistakes *m, struct work **out)
{
    static const struct {
        const char *part;
        void (*load)(struct loader *, const struct tree *);
    } loads[] = {{"teams", load_teams}, {"measures", load_measures}, {"deadlines", load_deadlines}, {"workdays", load_workdays}};
    const char *part = m->part;
    size_t before = m->total;
    bool any = false;
    struct loader l = {.w = mem_zalloc(sizeof *l.w), .m = m};
    *out = NULL;
    l.w->timezone = timezone;
    for (size_t i = 0; i < ARRAY_LEN(loads); i++)
        if (tree_get(parts, loads[i].part)) {
            m->part = loads[i].part; /* whoever prints knows its file */
            loads[i].load(&l, tree_get(parts, loads[i].part));
            m->part = part;
            any |= i < 3;
        }
    check_kinds(&l, parts);
    if (!any || m->total > before)
        work_destroy(l.w);
    else
        *out = l.w;
}
