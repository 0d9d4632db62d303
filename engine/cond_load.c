/* SPDX-License-Identifier: Apache-2.0 */
/* Tree to conditions. A new operator is one row of the table `ops` and its function. What can never hold is told here,
 * where its place is known. Pure. */
#include "engine/cond_check.h"
#include "engine/rules_load.h"

static void load_cond(struct loader *, const struct tree *, struct cond *, int depth);

/* The operators whose argument is a map of their own: {sum: {of: ...}}. */
static bool is_map(struct loader *l, const struct tree *t, const struct tree *arg, const char *form)
{
    if (t->n > 1)
        mistake_at(l->m, t->keys[t->items[0] == arg ? 1 : 0], NULL,
                   "one operator stands in a condition; write {all: [..., ...]} for several");
    else if (arg->type != TREE_MAP)
        mistake_at(l->m, arg, NULL, "a map %s is needed", form);
    return t->n == 1 && arg->type == TREE_MAP;
}

/* A selector that must be there. */
static void load_of(struct loader *l, const struct tree *arg, const char *key, struct selector *out)
{
    const struct tree *of = tree_get(arg, key);
    if (of)
        load_selector(l, of, out);
    else
        mistake_at(l->m, arg, NULL, "'%s' is missing: which signals", key);
}

static int64_t load_at_least(struct loader *l, const struct tree *t, const struct tree *where, int64_t most)
{
    int64_t n = 1;
    if (!tree_int(t, &n) || n < 1 || n > most) {
        mistake_at(l->m, t ? t : where, NULL, "at_least: a whole number from 1 to %lld is needed", (long long)most);
        return 1;
    }
    return n;
}

/* all: [...], any: [...] */
static void load_parts(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"all", "any"};
    load_known(l, t, words, ARRAY_LEN(words));
    if (t->n > 1 && tree_get(t, "all") && tree_get(t, "any"))
        mistake_at(l->m, t, NULL, "one operator stands in a condition; put one into the other");
    if (arg->type != TREE_LIST || arg->n == 0 || arg->n > COND_PARTS_MAX) {
        mistake_at(l->m, arg, NULL, "a list of 1 to %d conditions is needed", COND_PARTS_MAX);
        return;
    }
    size_t before = l->m->total;
    c->parts = arena_zalloc(&l->s->arena, arg->n * sizeof *c->parts);
    for (uint32_t i = 0; i < arg->n; i++)
        load_cond(l, arg->items[i], &c->parts[c->n++], depth + 1);
    if (l->m->total == before)
        cond_check_parts(l->m, arg, c);
}

/* {signal: SELECTOR, within: 30d} */
static void load_signal(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"signal", "within"};
    (void)depth;
    load_known(l, t, words, ARRAY_LEN(words));
    load_selector(l, arg, &c->of);
    c->within = load_within(l, tree_get(t, "within"), t);
}

/* {count: {of, at_least, within}} */
static void load_count(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"of", "at_least", "within"};
    (void)depth;
    if (!is_map(l, t, arg, "{of: ..., at_least: 5, within: 30d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    load_of(l, arg, "of", &c->of);
    c->at_least = load_at_least(l, tree_get(arg, "at_least"), arg, COUNT_MAX);
    c->within = load_within(l, tree_get(arg, "within"), arg);
}

static int agencies_of(const struct settings *s, const struct selector *of)
{
    uint64_t seen = 0;
    for (uint32_t i = 0; i < s->n_kinds; i++)
        if (kind_in(&of->kinds, i))
            seen |= UINT64_C(1) << s->kinds[i].agency;
    return __builtin_popcountll(seen);
}

/* {agencies: {of, at_least, within}} */
static void load_agencies(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    size_t before = l->m->total;
    load_count(l, t, arg, c, depth);
    int agencies = agencies_of(l->s, &c->of);
    if (before == l->m->total && c->at_least > agencies)
        mistake_at(l->m, tree_get(arg, "at_least"), NULL,
                   "this can never hold: the signals are those of %d agenc%s, and %lld are asked for", agencies,
                   agencies == 1 ? "y" : "ies", (long long)c->at_least);
}

/* {regions: {of, digits: 6, at_least, within}} */
static void load_places(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    enum { DIGITS = 6, PLACES_MAX = 100 };
    static const char *const words[] = {"of", "digits", "at_least", "within"};
    const struct tree *digits = tree_get(arg, "digits");
    int64_t n = DIGITS;
    (void)depth;
    if (!is_map(l, t, arg, "{of: ..., digits: 6, at_least: 2, within: 60d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    load_of(l, arg, "of", &c->of);
    c->at_least = load_at_least(l, tree_get(arg, "at_least"), arg, PLACES_MAX);
    c->within = load_within(l, tree_get(arg, "within"), arg);
    if (digits && (!tree_int(digits, &n) || (n != 2 && n != 4 && n != 6 && n != 9 && n != 12)))
        mistake_at(l->m, digits, NULL, "digits: 2 (provinces), 4, 6 (counties), 9 (towns) or 12 (villages) are needed");
    c->digits = (uint8_t)n;
}

/* {not: CONDITION} */
static void load_not(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"not"};
    load_known(l, t, words, ARRAY_LEN(words));
    c->parts = arena_zalloc(&l->s->arena, sizeof *c->parts);
    c->n = 1;
    load_cond(l, arg, c->parts, depth + 1);
}

/* {sum: {of, field: amount, at_least: 500000 yuan, within}} */
static void load_sum(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"of", "field", "at_least", "within"}, *const fields[] = {"amount", "people"};
    (void)depth;
    if (!is_map(l, t, arg, "{of: ..., field: amount, at_least: 500000 yuan, within: 90d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    const struct tree *field = tree_get(arg, "field"), *least = tree_get(arg, "at_least");
    bool known = field && (slice_is(field->text, "amount") || slice_is(field->text, "people"));
    load_of(l, arg, "of", &c->of);
    c->field = field && slice_is(field->text, "people") ? SUM_PEOPLE : SUM_AMOUNT;
    c->at_least = 1;
    if (!known)
        mistake_at(l->m, field ? field : arg, field ? nearest_word(field->text, fields, 2) : NULL,
                   "field: amount or people is needed");
    if (!least)
        mistake_at(l->m, arg, NULL, "at_least: how much is missing");
    else if (known)
        c->at_least = load_quantity(l, least, c->field);
    if (least && known && c->at_least == 0)
        mistake_at(l->m, least, NULL, "at_least: more than nothing is needed");
    c->within = load_within(l, tree_get(arg, "within"), arg);
}

/* {sequence: {steps: [SELECTOR, ...], within}} */
static void load_sequence(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"steps", "within"};
    (void)depth;
    if (!is_map(l, t, arg, "{steps: [..., ...], within: 120d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    const struct tree *steps = tree_get(arg, "steps");
    c->within = load_within(l, tree_get(arg, "within"), arg);
    if (!steps || steps->type != TREE_LIST || steps->n < 2 || steps->n > COND_PARTS_MAX) {
        mistake_at(l->m, steps ? steps : arg, NULL, "steps: a list of 2 to %d selectors is needed", COND_PARTS_MAX);
        return;
    }
    c->parts = arena_zalloc(&l->s->arena, steps->n * sizeof *c->parts);
    for (uint32_t i = 0; i < steps->n; i++)
        load_selector(l, steps->items[i], &c->parts[c->n++].of);
}

/* {absent: {expected: SELECTOR, after: SELECTOR, within}} */
static void load_absent(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"expected", "after", "within"};
    size_t before = l->m->total;
    (void)depth;
    if (!is_map(l, t, arg, "{expected: ..., after: ..., within: 10d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    c->parts = arena_zalloc(&l->s->arena, sizeof *c->parts);
    c->n = 1;
    load_of(l, arg, "expected", &c->parts->of);
    load_of(l, arg, "after", &c->of);
    c->within = load_within(l, tree_get(arg, "within"), arg);
    if (before == l->m->total && !c->parts->of.where.given && cond_kinds_within(&c->of.kinds, &c->parts->of.kinds))
        mistake_at(l->m, arg, NULL, "this can never hold: what comes after is itself what is expected");
}

/* {industry: [E], credit: [C], region: [...], tag: ...} */
struct attributes *load_attributes(struct loader *l, const struct tree *arg)
{
    static const char *const words[] = {"industry", "credit", "region", "tag"};
    uint32_t n = 0;
    struct attributes *a = arena_zalloc(&l->s->arena, sizeof *a);
    load_known(l, arg, words, ARRAY_LEN(words));
    if (!arg->n)
        mistake_at(l->m, arg, NULL, "enterprise: one of industry, credit, region, tag is needed");
    const struct tree *credit = tree_get(arg, "credit");
    if (tree_get(arg, "industry"))
        a->industries = load_words(l, tree_get(arg, "industry"), &a->n_industries, "industry");
    if (tree_get(arg, "tag"))
        a->tags = load_words(l, tree_get(arg, "tag"), &a->n_tags, "tag");
    if (tree_get(arg, "region"))
        a->regions = load_regions(l, tree_get(arg, "region"), &a->n_regions, "region");
    struct slice *grades = credit ? load_words(l, credit, &n, "credit") : NULL;
    for (uint32_t i = 0; i < n; i++)
        if (grades[i].n != 1 || !strchr("ABC", grades[i].p[0]))
            mistake_at(l->m, credit->type == TREE_LIST ? credit->items[i] : credit, NULL,
                       "credit: the grades are A, B and C");
        else if (!strchr(a->credits, grades[i].p[0]))
            a->credits[strlen(a->credits)] = grades[i].p[0];
    return a;
}

/* {enterprise: {industry: [E], ...}} */
static void load_enterprise(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    (void)depth;
    c->enterprise = is_map(l, t, arg, "{industry: [...], credit: [...], region: [...], tag: ...}")
                        ? load_attributes(l, arg)
                        : arena_zalloc(&l->s->arena, sizeof *c->enterprise);
}

/* {season: {festival: spring_festival, before: 60d}} */
static void load_season(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"festival", "before"};
    const struct tree *festival = tree_get(arg, "festival"), *before = tree_get(arg, "before");
    const char *names[2] = {"spring_festival", ""};
    bool known = false;
    (void)depth;
    if (!is_map(l, t, arg, "{festival: spring_festival, before: 60d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    for (uint32_t i = 0; festival && i < l->s->n_festivals; i++)
        known |= festival->type == TREE_SCALAR && slice_eq(l->s->festivals[i].name, festival->text);
    if (!known)
        mistake_at(l->m, festival ? festival : arg, festival ? nearest_word(festival->text, names, 1) : NULL,
                   "festival: the calendar knows none of that name");
    else
        c->festival = arena_slice(&l->s->arena, festival->text);
    if (!tree_duration(before, &c->within) || c->within <= 0)
        mistake_at(l->m, before ? before : arg, NULL, "before: a duration like 60d is needed");
    else if (c->within > SEASON_MAX_DAYS * DAY_MS)
        mistake_at(l->m, before, NULL, "before: a season is not longer than a year (%dd)", SEASON_MAX_DAYS);
}

/* {finding: {is: unfounded, within: 14d}} */
static void load_finding(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"is", "within"}, *const found[] = {"confirmed", "unfounded", "false_claim"};
    const struct tree *is = tree_get(arg, "is");
    (void)depth;
    if (!is_map(l, t, arg, "{is: unfounded, within: 14d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    for (uint8_t i = 0; is && is->type == TREE_SCALAR && i < ARRAY_LEN(found); i++)
        if (slice_is(is->text, found[i]))
            c->finding = i + 1; /* enum finding */
    if (!c->finding)
        mistake_at(l->m, is ? is : arg, is ? nearest_word(is->text, found, ARRAY_LEN(found)) : NULL,
                   "is: confirmed, unfounded or false_claim is needed");
    c->within = load_within(l, tree_get(arg, "within"), arg);
}

/* {score: follow}: any level; {score: critical}: at least this one */
static void load_score_cond(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"follow", "general", "major", "critical"};
    int level = arg->type != TREE_SCALAR ? -1 : slice_is(arg->text, "follow") ? LEVEL_GENERAL : level_of(arg->text);
    (void)depth;
    if (t->n != 1 || level <= LEVEL_NONE)
        mistake_at(l->m, arg, arg->type == TREE_SCALAR ? nearest_word(arg->text, words, ARRAY_LEN(words)) : NULL,
                   "score: \"follow\" or a level is needed; how many points it takes stands under 'score' above");
    c->at_least = level;
}

/* ---- beyond the enterprise's own signals ---- */

static uint32_t load_classes(struct loader *l, const struct tree *t, const struct tree *where)
{
    static const char *const words[LINK_CLASS_END] = {"", "owner", "project", "parent", "successor"};
    uint32_t n = 0, classes = 0;
    if (!t) {
        mistake_at(l->m, where, NULL, "by: what binds the enterprises is missing: owner, project, parent, successor");
        return 0;
    }
    struct slice *given = load_words(l, t, &n, "by");
    for (uint32_t i = 0; i < n; i++) {
        uint32_t class = LINK_OWNER;
        while (class < LINK_CLASS_END && !slice_is(given[i], words[class]))
            class++;
        if (class == LINK_CLASS_END)
            mistake_at(l->m, t->type == TREE_LIST && t->n == n ? t->items[i] : t,
                       nearest_word(given[i], words, ARRAY_LEN(words)),
                       "by: \"%.*s\" binds no enterprises; owner, project, parent, successor do", SLICE_ARG(given[i]));
        else
            classes |= 1U << class;
    }
    return classes;
}

/* {related: {by: [owner, project], level: critical, within: 60d}}, {related: {by: owner, signal: SELECTOR, within}} */
static void load_related(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"by", "level", "signal", "within"};
    (void)depth;
    l->across = true;
    if (!is_map(l, t, arg, "{by: [owner, project], level: critical, within: 60d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    const struct tree *level = tree_get(arg, "level"), *signal = tree_get(arg, "signal");
    struct radiation r = {.classes = load_classes(l, tree_get(arg, "by"), arg)};
    if (!level == !signal)
        mistake_at(l->m, level ? level : arg, NULL, "related: either 'level' or 'signal' is needed, what the other has");
    if (level)
        r.level = load_level(l, level);
    if (signal)
        load_selector(l, signal, &r.of);
    r.within = c->within = load_within(l, tree_get(arg, "within"), arg);
    c->classes = r.classes;
    c->radiation = load_radiation(l, arg, &r);
}

/* {threshold: crime} */
static void load_threshold(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"threshold"};
    const char *lines[8] = {"crime", "listing"};
    size_t n = l->s->n_thresholds ? 0 : 2;
    (void)depth;
    load_known(l, t, words, ARRAY_LEN(words));
    for (uint32_t i = 0; i < l->s->n_thresholds && n < ARRAY_LEN(lines); i++)
        lines[n++] = l->s->thresholds[i].line.p;
    if (arg->type != TREE_SCALAR || !load_line_known(l->s, arg->text))
        mistake_at(l->m, arg, nearest_word(arg->text, lines, n), "threshold: no line of the law is called \"%.*s\"",
                   SLICE_ARG(arg->text));
    c->line = arena_slice(&l->s->arena, arg->text);
}

static uint8_t load_length(struct loader *l, const struct tree *t, const char *key, const char *can, int64_t most)
{
    int64_t v = 0;
    if (!t)
        return 0;
    bool region = most > 5, ok = tree_int(t, &v) && v >= 1 && v <= most;
    if (!ok || (region && v != 2 && v != 4 && v != 6 && v != 9 && v != 12))
        mistake_at(l->m, t, NULL, "%s: how many %s make one area", key, can);
    return (uint8_t)v;
}

static uint8_t load_area_by(struct loader *l, const struct tree *t)
{
    static const struct {
        const char *word;
        enum area_by by;
    } rows[] = {{"owner", AREA_BY_OWNER}, {"project", AREA_BY_PROJECT}, {"zone", AREA_BY_ZONE}};
    static const char *const words[] = {"owner", "project", "zone"};
    for (size_t i = 0; t->type == TREE_SCALAR && i < ARRAY_LEN(rows); i++)
        if (slice_is(t->text, rows[i].word))
            return (uint8_t)rows[i].by;
    mistake_at(l->m, t, t->type == TREE_SCALAR ? nearest_word(t->text, words, ARRAY_LEN(words)) : NULL,
               "by: owner, project or zone makes one area");
    return AREA_BY_PLACE;
}

/* What makes one area: digits of the region and characters of the industry, or what binds. */
static void load_extent(struct loader *l, const struct tree *arg, struct area *a)
{
    const struct tree *by = tree_get(arg, "by"), *region = tree_get(arg, "region");
    const struct tree *industry = tree_get(arg, "industry");
    if (by && (region || industry))
        mistake_at(l->m, by, NULL, "area: either 'by', or region and industry; in_regions and in_industries limit both");
    else if (!by && !region && !industry)
        mistake_at(l->m, arg, NULL, "area: region or industry is needed, or 'by': what makes one area");
    if (by)
        a->by = load_area_by(l, by);
    a->region_digits = load_length(l, region, "region", "digits of the region (2, 4, 6, 9, 12)", 12);
    a->industry_length = load_length(l, industry, "industry", "characters of the industry (1 to 5)", 5);
}

/* {area: {region: 9, industry: 3, level: major, at_least: 3, within: 30d}}, {area: {by: project, level: ...}} */
static void load_area(struct loader *l, const struct tree *t, const struct tree *arg, struct cond *c, int depth)
{
    static const char *const words[] = {"by",       "region", "industry",   "level",
                                        "at_least", "within", "in_regions", "in_industries"};
    l->across = true;
    l->area = true;
    if (depth > 1) {
        mistake_at(l->m, t, NULL, "area: stands alone in a rule, not within all, any or not");
        return;
    }
    if (!is_map(l, t, arg, "{region: 9, level: major, at_least: 3, within: 30d}"))
        return;
    load_known(l, arg, words, ARRAY_LEN(words));
    const struct tree *level = tree_get(arg, "level"), *regions = tree_get(arg, "in_regions");
    const struct tree *industries = tree_get(arg, "in_industries");
    struct area *a = c->area = arena_zalloc(&l->s->arena, sizeof *a);
    load_extent(l, arg, a);
    if (regions)
        a->regions = load_regions(l, regions, &a->n_regions, "in_regions");
    if (industries)
        a->industries = load_words(l, industries, &a->n_industries, "in_industries");
    if (!level)
        mistake_at(l->m, arg, NULL, "level: at which its enterprises count is missing");
    struct radiation r = {.level = level ? load_level(l, level) : LEVEL_NONE};
    c->at_least = load_at_least(l, tree_get(arg, "at_least"), arg, COUNT_MAX);
    r.within = c->within = load_within(l, tree_get(arg, "within"), arg);
    if (r.level)
        c->radiation = load_radiation(l, arg, &r);
}

static const struct op {
    const char *word;
    enum cond_op op;
    void (*load)(struct loader *, const struct tree *, const struct tree *arg, struct cond *, int depth);
} ops[] = {
    {"all", COND_ALL, load_parts},
    {"any", COND_ANY, load_parts},
    {"not", COND_NOT, load_not},
    {"signal", COND_SIGNAL, load_signal},
    {"count", COND_COUNT, load_count},
    {"agencies", COND_AGENCIES, load_agencies},
    {"regions", COND_REGIONS, load_places},
    {"sum", COND_SUM, load_sum},
    {"sequence", COND_SEQUENCE, load_sequence},
    {"absent", COND_ABSENT, load_absent},
    {"enterprise", COND_ENTERPRISE, load_enterprise},
    {"season", COND_SEASON, load_season},
    {"finding", COND_FINDING, load_finding},
    {"score", COND_SCORE, load_score_cond},
    {"related", COND_RELATED, load_related},
    {"threshold", COND_THRESHOLD, load_threshold},
    {"area", COND_AREA, load_area},
};

static void unknown_operator(struct loader *l, const struct tree *key)
{
    const char *words[ARRAY_LEN(ops)];
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        words[i] = ops[i].word;
    mistake_at(l->m, key, nearest_word(key->text, words, ARRAY_LEN(words)),
               "unknown operator \"%.*s\"; operators: all any not signal count agencies sum sequence absent "
               "enterprise season finding score related threshold area", SLICE_ARG(key->text));
}

/* The longest window of signals that a condition looks back over. */
static void note_window(struct loader *l, const struct cond *c)
{
    bool signals = c->op != COND_SEASON && c->op != COND_FINDING;
    if (signals && c->within > l->s->longest_window)
        l->s->longest_window = c->within;
}

static void load_cond(struct loader *l, const struct tree *t, struct cond *c, int depth)
{
    if (t->type != TREE_MAP || t->n == 0 || depth > DEPTH_MAX) {
        mistake_at(l->m, t, NULL, "a condition is a map with one operator, at most %d deep", DEPTH_MAX);
        return;
    }
    if (++l->n_conds > CONDS_MAX) {
        if (l->n_conds == CONDS_MAX + 1)
            mistake_at(l->m, t, NULL, "more than %d conditions in one file", CONDS_MAX);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        const struct tree *arg = tree_get(t, ops[i].word);
        if (!arg)
            continue;
        c->op = ops[i].op;
        ops[i].load(l, t, arg, c, depth);
        note_window(l, c);
        return;
    }
    unknown_operator(l, t->keys[0]);
}

void load_when(struct loader *l, const struct tree *t, struct cond *c)
{
    l->across = l->area = false;
    load_cond(l, t, c, 1);
}
