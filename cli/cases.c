/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the reading of a file of cases: each key is known, each value of its type, each mistake told with its
 * place. */
#include "cli/cases.h"

#include "cli/text.h"
#include "lib/calendar.h"
#include "lib/name.h"
#include "lib/textfile.h"
#include "lib/yaml.h"

#include <stdlib.h>

enum { LIST_MAX = 100000 };

struct reader {
    struct case_file *f;
    struct arena *arena;
    const struct tree *enterprise; /* of the file; NULL: none */
    bool broken;                   /* what the enterprise in hand is called is a mistake, told where it stands */
};

/* Where one key of a map goes; `to` is the struct's member. */
struct key {
    const char *word;
    void (*read)(struct reader *, const struct tree *, void *to);
    size_t offset;
};

static void refuse(struct reader *r, const struct tree *t, const char *what)
{
    mistake_at(&r->f->m, t, NULL, "%s", what);
}

/* Reads all pairs of a map whose keys are in the table. */
static void read_map(struct reader *r, const struct tree *t, const struct key *keys, size_t n, void *to,
                     const char *what)
{
    const char *words[32];
    if (!t || t->type != TREE_MAP) {
        mistake_at(&r->f->m, t, NULL, "%s must be a map", what);
        return;
    }
    for (size_t k = 0; k < n; k++)
        words[k] = keys[k].word;
    for (uint32_t i = 0; i < t->n; i++) {
        size_t k = 0;
        while (k < n && !slice_is(t->keys[i]->text, keys[k].word))
            k++;
        if (k == n)
            mistake_at(&r->f->m, t->keys[i], nearest_word(t->keys[i]->text, words, n), "%s has no \"%.*s\"",
                       what, SLICE_ARG(t->keys[i]->text));
        else if (keys[k].read)
            keys[k].read(r, t->items[i], (char *)to + keys[k].offset);
    }
}

/* ---- values ---- */

static void read_text(struct reader *r, const struct tree *t, void *to)
{
    if (t->type != TREE_SCALAR || !t->text.n)
        refuse(r, t, "a text is needed");
    else
        *(struct slice *)to = t->text;
}

static void read_name(struct reader *r, const struct tree *t, void *to)
{
    struct slice *name = to;
    read_text(r, t, name);
    if (!name->n)
        return;
    *name = name_normalise(r->arena, *name);
    if (!name->n)
        refuse(r, t, "name is nothing but spaces");
}

static bool parse_time(const struct tree *t, int64_t *ms, bool *day)
{
    if (t->type != TREE_SCALAR || !time_parse(t->text, OFFSET_CHINA_MS, ms))
        return false;
    *day = t->text.n == strlen("2026-03-05");
    return true;
}

static void read_time(struct reader *r, const struct tree *t, void *to)
{
    bool day;
    if (!parse_time(t, to, &day))
        refuse(r, t, "a day like 2026-03-05 or a time like 2026-03-05T10:20:30 is needed");
}

static void read_people(struct reader *r, const struct tree *t, void *to)
{
    if (!tree_int(t, to))
        refuse(r, t, "a whole number is needed");
}

/* A bare number counts fen, as on the wire. */
static void read_amount(struct reader *r, const struct tree *t, void *to)
{
    static const char unit[] = " yuan";
    struct slice s = t->type == TREE_SCALAR ? t->text : (struct slice){0};
    size_t n = sizeof unit - 1;
    if (s.n > n && memcmp(s.p + s.n - n, unit, n) == 0) {
        if (text_parse_money(arena_slice(r->arena, (struct slice){s.p, s.n - n}).p, to))
            return;
    } else if (tree_int(t, to)) {
        return;
    }
    refuse(r, t, "an amount is a number of fen, or like 1234.50 yuan");
}

static void read_role(struct reader *r, const struct tree *t, void *to)
{
    int role = t->type == TREE_SCALAR ? role_of(t->text) : -1;
    if (role < 0)
        refuse(r, t, "role: client, general, sub or labour is needed");
    else
        *(uint8_t *)to = (uint8_t)role;
}

static void read_status(struct reader *r, const struct tree *t, void *to)
{
    int status = t->type == TREE_SCALAR ? status_of(t->text) : -1;
    if (status < 0)
        refuse(r, t, "status: actual, exercise or test is needed");
    else
        *(uint8_t *)to = (uint8_t)status;
}

static void read_attrs(struct reader *r, const struct tree *t, void *to)
{
    struct signal *s = to;
    if (t->type != TREE_MAP || t->n > (uint32_t)(SIGNAL_ATTRS_MAX - s->n_attrs)) {
        mistake_at(&r->f->m, t, NULL, "attrs: a map of at most %d pairs is needed", SIGNAL_ATTRS_MAX);
        return;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        struct signal_attr a = {.key = t->keys[i]->text, .number = NO_INT};
        if (t->items[i]->type != TREE_SCALAR)
            refuse(r, t->items[i], "attrs hold texts and whole numbers only");
        else if (!tree_int(t->items[i], &a.number))
            a.text = t->items[i]->text;
        s->attrs[s->n_attrs++] = a;
    }
}

static void read_credit(struct reader *r, const struct tree *t, void *to)
{
    struct signal *s = to;
    if (t->type != TREE_SCALAR || t->text.n != 1 || !strchr("ABC", t->text.p[0]))
        refuse(r, t, "credit: the grades are A, B and C");
    else if (s->n_attrs == SIGNAL_ATTRS_MAX)
        refuse(r, t, "credit is one of at most 16 attrs");
    else
        s->attrs[s->n_attrs++] = (struct signal_attr){SLICE("credit"), t->text, NO_INT};
}

/* One value as the daemon checks it, in a signal that is good otherwise: so it is told where it stands, whatever else is
 * wrong, and once, though many signals have it of their enterprise. */
static bool probe(struct reader *r, const struct tree *t, size_t field)
{
    const struct settings *s = r->f->rules.settings;
    struct signal sig = {.id = SLICE("probe"), .name = SLICE("甲"), .kind = s->n_kinds ? s->kinds[0].name : SLICE("a.b"),
                         .at = DAY_MS * 20000, .amount = NO_INT, .people = NO_INT, .since = NO_INT};
    struct reject why;
    *(struct slice *)((char *)&sig + field) = t->text;
    if (signal_check(&sig, r->f->rules.kinds, r->f->regions, sig.at, &why) == 0)
        return true;
    mistake_at(&r->f->m, t, why.code == REJECT_UNKNOWN_KIND ? kinds_suggest(r->f->rules.kinds, t->text) : NULL, "%s",
               why.what ? why.what : reject_text(why.code));
    return false;
}

static bool read_probed(struct reader *r, const struct tree *t, void *to, size_t field)
{
    struct slice *text = to;
    read_text(r, t, to);
    return text->n && probe(r, t, field);
}

static void read_kind(struct reader *r, const struct tree *t, void *to)
{
    read_probed(r, t, to, offsetof(struct signal, kind));
}

static void read_uscc(struct reader *r, const struct tree *t, void *to)
{
    if (!read_probed(r, t, to, offsetof(struct signal, uscc)))
        r->broken = true;
}

/* What is wrong does not stand for the signals that have it of their enterprise. */
static void read_region(struct reader *r, const struct tree *t, void *to)
{
    if (!read_probed(r, t, to, offsetof(struct signal, region)))
        *(struct slice *)to = (struct slice){0};
}

static void read_industry(struct reader *r, const struct tree *t, void *to)
{
    if (!read_probed(r, t, to, offsetof(struct signal, industry)))
        *(struct slice *)to = (struct slice){0};
}

/* ---- signals ---- */

#define SIGNAL(key, read, field)                                                                             \
    {                                                                                                        \
        key, read, offsetof(struct case_signal, field)                                                       \
    }
static const struct key signal_keys[] = {
    SIGNAL("at", read_time, sig.at),           SIGNAL("kind", read_kind, sig.kind),
    SIGNAL("id", read_text, sig.id),           SIGNAL("source", read_text, source),
    SIGNAL("uscc", read_uscc, sig.uscc),       SIGNAL("name", read_name, sig.name),
    SIGNAL("region", read_region, sig.region), SIGNAL("industry", read_industry, sig.industry),
    SIGNAL("amount", read_amount, sig.amount), SIGNAL("people", read_people, sig.people),
    SIGNAL("since", read_time, sig.since),     SIGNAL("project", read_text, sig.project),
    SIGNAL("role", read_role, sig.role),       SIGNAL("owner", read_text, sig.owner),
    SIGNAL("status", read_status, sig.status), SIGNAL("ref", read_text, sig.ref),
    SIGNAL("note", read_text, sig.note),       SIGNAL("cancels", read_text, sig.cancels),
    SIGNAL("attrs", read_attrs, sig),
};
/* What the enterprise is: defaults of its signals, and a profile before them. */
static const struct key enterprise_keys[] = {
    SIGNAL("uscc", read_uscc, sig.uscc),     SIGNAL("name", read_name, sig.name),
    SIGNAL("region", read_region, sig.region), SIGNAL("industry", read_industry, sig.industry),
    SIGNAL("credit", read_credit, sig),      SIGNAL("attrs", read_attrs, sig),
};
#undef SIGNAL

static struct case_signal blank_signal(const struct tree *where)
{
    return (struct case_signal){.sig = {.at = NO_INT, .amount = NO_INT, .people = NO_INT, .since = NO_INT},
                                .where = where};
}

static const char *hint_of(const struct case_file *f, const struct signal *s, const struct reject *why)
{
    return why->code == REJECT_UNKNOWN_KIND ? kinds_suggest(f->rules.kinds, s->kind) : NULL;
}

/* As the daemon checks what comes in, but that the clock is the signal's own. */
static void check_signal(struct reader *r, struct case_signal *x)
{
    struct reject why;
    struct slice kind = x->sig.kind;
    if (signal_check(&x->sig, r->f->rules.kinds, r->f->regions, x->sig.at, &why) != 0)
        mistake_at(&r->f->m, x->where, hint_of(r->f, &x->sig, &why), "%s",
                   why.what ? why.what : reject_text(why.code));
    const char *dot = kind.n ? memchr(kind.p, '.', kind.n) : NULL;
    if (!x->source.n && dot)
        x->source = (struct slice){kind.p, (size_t)(dot - kind.p)};
    x->sig.note = (struct slice){0}; /* the fold reads none */
    signal_normalise_attrs(&x->sig, r->arena);
}

static void read_signal(struct reader *r, const struct tree *t, const struct signal *enterprise,
                        struct case_signal *x)
{
    size_t before = r->f->m.total;
    *x = blank_signal(t);
    read_map(r, t, signal_keys, ARRAY_LEN(signal_keys), x, "a signal");
    struct signal *s = &x->sig;
    if (t->type == TREE_MAP && !tree_get(t, "at"))
        refuse(r, t, "at is missing: when it happened, like 2026-03-05");
    if (!s->id.n)
        s->id = slice_of(arena_printf(r->arena, "line %u column %u", t->line, t->column));
    if (!s->uscc.n && !s->name.n) { /* one that says who it is about means another enterprise */
        s->uscc = enterprise->uscc;
        s->name = enterprise->name;
    }
    if (!s->region.n)
        s->region = enterprise->region;
    if (!s->industry.n)
        s->industry = enterprise->industry;
    if (r->f->m.total == before && !r->broken)
        check_signal(r, x);
}

/* ---- what is expected ---- */

static void read_when(struct reader *r, const struct tree *t, void *to)
{
    struct expected *x = to;
    if (!parse_time(t, &x->at, &x->day))
        refuse(r, t, "at: a day like 2026-03-05 or a time like 2026-03-05T10:20:30 is needed");
}

static void read_type(struct reader *r, const struct tree *t, void *to)
{
    const char *words[EVENT_TYPE_END];
    size_t n = 0;
    for (unsigned i = 0; i < EVENT_TYPE_END; i++) {
        const char *word = event_wire(i);
        if (word && t->type == TREE_SCALAR && slice_is(t->text, word))
            *(uint8_t *)to = (uint8_t)i;
        if (word)
            words[n++] = word;
    }
    if (!*(uint8_t *)to)
        mistake_at(&r->f->m, t, nearest_word(t->text, words, n), "no event is called \"%.*s\"",
                   SLICE_ARG(t->text));
}

static void read_level(struct reader *r, const struct tree *t, void *to)
{
    *(int *)to = t->type == TREE_SCALAR ? level_of(t->text) : -1;
    if (*(int *)to < 0)
        refuse(r, t, "level: none, general, major or critical is needed");
}

static void read_marked(struct reader *r, const struct tree *t, void *to)
{
    *(int *)to = t->type == TREE_SCALAR ? status_of(t->text) : -1;
    if (*(int *)to < 0)
        refuse(r, t, "status: actual, exercise or test is needed");
}

static void read_score(struct reader *r, const struct tree *t, void *to)
{
    int64_t ppm;
    if (!tree_ppm(t, &ppm) || ppm < 0 || ppm > INT64_C(100000000))
        refuse(r, t, "score: points from 0 to 100 are needed");
    else
        *(int64_t *)to = ppm / 10000;
}

/* The name of a rule, once. */
static void read_rule(struct reader *r, const struct tree *t, struct expected *x)
{
    const struct settings *s = r->f->rules.settings;
    const char **words = arena_alloc(r->arena, s->n_rules * sizeof *words);
    bool known = false, twice = false;
    for (uint32_t i = 0; i < s->n_rules; i++) {
        words[i] = s->rules[i].id.p;
        known |= slice_eq(s->rules[i].id, t->text);
    }
    for (uint32_t i = 0; i < x->n_rules; i++)
        twice |= slice_eq(x->rules[i], t->text);
    if (t->type != TREE_SCALAR || !known)
        mistake_at(&r->f->m, t, nearest_word(t->text, words, s->n_rules), "no rule is called \"%.*s\"",
                   SLICE_ARG(t->text));
    else if (!twice)
        x->rules[x->n_rules++] = t->text;
}

static void read_rules(struct reader *r, const struct tree *t, void *to)
{
    struct expected *x = to;
    if (t->type != TREE_LIST) {
        refuse(r, t, "rules: a list of names of rules is needed");
        return;
    }
    x->has_rules = true;
    x->rules = arena_zalloc(r->arena, (t->n + 1) * sizeof *x->rules);
    for (uint32_t i = 0; i < t->n; i++)
        read_rule(r, t->items[i], x);
}

static void read_expected(struct reader *r, const struct tree *t, struct expected *x)
{
    static const struct key keys[] = {
        {"at", read_when, 0},
        {"type", read_type, offsetof(struct expected, type)},
        {"level", read_level, offsetof(struct expected, level)},
        {"score", read_score, offsetof(struct expected, score)},
        {"rules", read_rules, 0},
        {"status", read_marked, offsetof(struct expected, status)},
        {"uscc", read_text, offsetof(struct expected, uscc)},
        {"name", read_name, offsetof(struct expected, name)},
    };
    *x = (struct expected){.at = NO_INT, .level = -1, .status = -1, .score = NO_INT};
    read_map(r, t, keys, ARRAY_LEN(keys), x, "an expected event");
    if (t->type == TREE_MAP && !tree_get(t, "type"))
        refuse(r, t, "type: what happens to the alert is missing (raised, upgraded, downgraded, withdrawn)");
}

/* ---- cases ---- */

static bool is_list(struct reader *r, const struct tree *t, const struct tree *where, const char *what)
{
    if (t && t->type == TREE_LIST && t->n <= LIST_MAX)
        return true;
    mistake_at(&r->f->m, t ? t : where, NULL, "%s: a list is needed", what);
    return false;
}

static void read_signals(struct reader *r, const struct tree *list, const struct signal *enterprise,
                         struct test_case *c)
{
    c->signals = arena_zalloc(r->arena, (list->n + 1) * sizeof *c->signals);
    for (; c->n_signals < list->n; c->n_signals++)
        read_signal(r, list->items[c->n_signals], enterprise, &c->signals[c->n_signals]);
}

static void read_expect(struct reader *r, const struct tree *list, struct test_case *c)
{
    c->expected = arena_zalloc(r->arena, (list->n + 1) * sizeof *c->expected);
    for (; c->n_expected < list->n; c->n_expected++)
        read_expected(r, list->items[c->n_expected], &c->expected[c->n_expected]);
}

/* A profile of grade and attrs, if there are any, before all that is told. */
static void make_profile(struct reader *r, const struct case_signal *enterprise, struct test_case *c)
{
    int64_t first = c->until;
    for (size_t i = 0; i < c->n_signals; i++)
        first = first == NO_INT || c->signals[i].sig.at < first ? c->signals[i].sig.at : first;
    c->has_profile = enterprise->sig.n_attrs > 0 && first != NO_INT;
    if (!c->has_profile)
        return;
    c->profile = *enterprise;
    c->profile.sig.region = c->profile.sig.industry = (struct slice){0}; /* what its signals say counts */
    c->profile.sig.kind = SLICE("registry.profile");
    c->profile.sig.id = SLICE("enterprise");
    c->profile.sig.at = first;
    if (r->f->m.total == 0)
        check_signal(r, &c->profile);
}

static void read_case(struct reader *r, const struct tree *t, struct test_case *c)
{
    static const struct key keys[] = {{"name", NULL, 0},
                                      {"enterprise", NULL, 0},
                                      {"until", NULL, 0},
                                      {"signals", NULL, 0},
                                      {"expect", NULL, 0}};
    const struct tree *name = tree_get(t, "name"), *until = tree_get(t, "until"),
                      *own = tree_get(t, "enterprise");
    struct case_signal enterprise = blank_signal(own ? own : r->enterprise);
    *c = (struct test_case){.name = "", .line = t->line, .until = NO_INT};
    read_map(r, t, keys, ARRAY_LEN(keys), c, "a case");
    if (t->type != TREE_MAP)
        return;
    if (!name || name->type != TREE_SCALAR || !name->text.n)
        refuse(r, name ? name : t, "a case needs a name: what it shows");
    else
        c->name = name->text.p;
    r->broken = false;
    if (own || r->enterprise)
        read_map(r, own ? own : r->enterprise, enterprise_keys, ARRAY_LEN(enterprise_keys), &enterprise,
                 "enterprise");
    if (until)
        read_time(r, until, &c->until);
    if (is_list(r, tree_get(t, "signals"), t, "signals"))
        read_signals(r, tree_get(t, "signals"), &enterprise.sig, c);
    if (is_list(r, tree_get(t, "expect"), t, "expect"))
        read_expect(r, tree_get(t, "expect"), c);
    for (size_t i = 0; until && i < c->n_signals; i++)
        if (c->until != NO_INT && c->signals[i].sig.at > c->until)
            refuse(r, c->signals[i].where, "this signal comes after 'until'");
    make_profile(r, &enterprise, c);
}

static void read_cases(struct reader *r, const struct tree *doc)
{
    const struct tree *list = tree_get(doc, "cases");
    if (!is_list(r, list, doc, "cases"))
        return;
    r->f->cases = arena_zalloc(r->arena, (list->n + 1) * sizeof *r->f->cases);
    for (; r->f->n_cases < list->n; r->f->n_cases++)
        read_case(r, list->items[r->f->n_cases], &r->f->cases[r->f->n_cases]);
}

/* ---- the file ---- */

static int load_rules(struct cli *cli, struct case_file *f, const struct tree *doc, struct err *err)
{
    struct arena *a = &cli->arena;
    const struct tree *rules = tree_get(doc, "rules");
    struct slice text;
    if (!rules || rules->type != TREE_SCALAR || !rules->text.n) {
        mistake_at(&f->m, rules ? rules : doc, NULL, "rules: the file of rules that is tried is missing");
        return WW_ECONFIG;
    }
    const char *dir = textfile_dir(a, f->path), *path = rules->text.p;
    if (*path != '/')
        path = strcmp(dir, ".") == 0 ? path : arena_printf(a, "%s/%s", dir, path);
    int code = rules_file_load(cli, path, &f->rules, err);
    const char *regions = textfile_shipped(a, textfile_dir(a, path), "regions.csv");
    if (code == 0)
        code = textfile_read(regions, a, &text, err);
    if (code == 0)
        code = regions_parse(&f->regions, regions, text, err);
    if (code == 0)
        settings_accept_regions(f->rules.settings, f->regions);
    return code;
}

int cases_load(struct cli *cli, const char *path, struct case_file *f, struct err *err)
{
    static const struct key keys[] = {{"rules", NULL, 0}, {"enterprise", NULL, 0}, {"cases", NULL, 0}};
    struct tree *doc;
    *f = (struct case_file){.path = path, .m = {.arena = &cli->arena, .file = path}};
    int code = textfile_read(path, &cli->arena, &f->text, err);
    if (code == 0)
        code = yaml_parse(&cli->arena, f->text, &f->m, &doc);
    if (code != 0)
        return code;
    struct reader r = {f, &cli->arena, tree_get(doc, "enterprise"), false};
    read_map(&r, doc, keys, ARRAY_LEN(keys), f, "a file of cases");
    code = load_rules(cli, f, doc, err);
    if (code != 0)
        return code;
    read_cases(&r, doc);
    return f->m.total ? WW_ECONFIG : 0;
}

void cases_finish(struct case_file *f)
{
    rules_file_finish(&f->rules);
    regions_destroy(f->regions);
    f->regions = NULL;
}

const char *cases_time(struct arena *a, int64_t ms)
{
    char text[26];
    time_format(ms, OFFSET_CHINA_MS, text);
    bool midnight = (ms + OFFSET_CHINA_MS) % DAY_MS == 0;
    return arena_printf(a, "%.*s", midnight ? 10 : 19, text);
}
