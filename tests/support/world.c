/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/world.h"

#include "engine/fold.h"
#include "engine/settings_tree.h"
#include "lib/hash.h"
#include "lib/kind.h"
#include "lib/yaml.h"

#include <stdio.h>
#include <stdlib.h>

const char *const plain_rules =
    "version: 1\n"
    "score:\n"
    "  levels: {general: 40, major: 65, critical: 85}\n"
    "  hysteresis: 8\n"
    "  one_agency_at_most: major\n"
    "  others_at_least: 5\n"
    "  factors:\n"
    "    industry: {E: 1.3, C18: 1.2}\n"
    "    credit: {A: 0.7, B: 1.0, C: 1.4}\n"
    "    season: {spring_festival: {before: 60d, factor: 1.25}}\n"
    "rules:\n"
    "  - id: three-agencies\n"
    "    title: {zh: 三个部门同时预警, en: Three agencies}\n"
    "    when: {agencies: {of: any, at_least: 3, within: 45d}}\n"
    "    then: {raise: major}\n"
    "  - id: score\n"
    "    title: {zh: 综合风险评分, en: Score}\n"
    "    when: {score: follow}\n"
    "    then: {raise: by_score}\n";

static struct slice read_file(struct arena *a, const char *name)
{
    const char *root = getenv("WAGEWARN_SOURCE");
    FILE *f = fopen(arena_printf(a, "%s/%s", root ? root : ".", name), "rb");
    if (!f) {
        fprintf(stderr, "cannot open %s; set WAGEWARN_SOURCE to the source tree\n", name);
        abort();
    }
    size_t cap = 1 << 20;
    char *p = arena_alloc(a, cap);
    size_t n = fread(p, 1, cap - 1, f);
    fclose(f);
    p[n] = 0;
    return (struct slice){p, n};
}

static void must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s\n", err->msg);
    abort();
}

struct tree *world_tree(struct arena *a, const char *yaml)
{
    struct mistakes m = {.arena = a, .file = "a file"};
    struct tree *t = NULL;
    struct slice text = slice_of(yaml ? yaml : "");
    if (yaml && yaml_parse(a, text, &m, &t) < 0) {
        struct buf b = {0};
        mistakes_print(&m, text, &b);
        fprintf(stderr, "%.*s", (int)b.n, (const char *)b.p);
        abort();
    }
    return t;
}

static struct tree *world_thresholds(struct arena *a, const char *csv)
{
    struct mistakes m = {.arena = a, .file = "thresholds.csv"};
    struct tree *list = settings_tree_thresholds(a, m.file, slice_of(csv), &m);
    for (size_t i = 0; i < m.n; i++)
        fprintf(stderr, "thresholds.csv:%u: %s\n", m.list[i].line, m.list[i].sentence);
    assert(!m.total);
    return list;
}

const struct tree *world_settings_work(struct arena *a, const char *yaml, const struct world_work *work)
{
    static const char festivals_csv[] = "year,new_year_day\n2025,2025-01-29\n2026,2026-02-17\n"
                                        "2027,2027-02-06\n2028,2028-01-26\n";
    struct err err;
    struct kinds *kinds;
    struct tree *festivals, *workdays = NULL;
    must(kinds_parse(&kinds, "kinds.csv", read_file(a, "config/kinds.csv"), &err), &err);
    must(settings_tree_festivals(a, "festivals", slice_of(festivals_csv), &festivals, &err), &err);
    if (work) {
        workdays = tree_new(a, TREE_LIST);
        must(settings_tree_workdays(a, "2026.csv", read_file(a, "config/calendar/2026.csv"), workdays, &err), &err);
    }
    struct settings_parts parts = {.kinds = kinds,
                                   .festivals = festivals,
                                   .rules = world_tree(a, yaml ? yaml : plain_rules),
                                   .timezone_ms = 8 * 3600 * 1000,
                                   .teams = world_tree(a, work ? work->teams : NULL),
                                   .measures = world_tree(a, work ? work->measures : NULL),
                                   .deadlines = world_tree(a, work ? work->deadlines : NULL),
                                   .duties = world_tree(a, work ? work->duties : NULL),
                                   .workdays = workdays,
                                   .shadow = world_tree(a, work ? work->shadow : NULL),
                                   .thresholds = work && work->thresholds ? world_thresholds(a, work->thresholds) : NULL};
    const struct tree *t = settings_tree_make(a, &parts);
    kinds_destroy(kinds);
    return t;
}

const struct tree *world_settings(struct arena *a, const char *yaml)
{
    return world_settings_work(a, yaml, NULL);
}

void world_config(struct world *w, const char *yaml, int64_t at)
{
    world_config_work(w, yaml, NULL, at);
}

void world_config_work(struct world *w, const char *yaml, const struct world_work *work, int64_t at)
{
    struct arena a = {0};
    uint8_t hash[CHAIN_LEN];
    const struct tree *t = world_settings_work(&a, yaml, work);
    struct buf b = {0};
    settings_tree_hash(t, hash);
    entry_put_config(&b, (struct slice){(char *)hash, sizeof hash}, t);
    world_apply(w, (struct slice){(char *)b.p, b.n}, at);
    buf_finish(&b);
    arena_finish(&a);
}

void world_init_loader(struct world *w, const char *yaml, const struct state_loader *loader, size_t cache)
{
    struct err err = {0};
    *w = (struct world){0};
    w->out.arena = &w->out_arena;
    if (engine_create(&w->engine, loader, cache, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        abort();
    }
    w->number = engine_number(w->engine);
    if (!w->number)
        world_config(w, yaml, DAY(-400));
}

void world_init(struct world *w, const char *yaml)
{
    world_init_loader(w, yaml, NULL, 0);
}

void world_finish(struct world *w)
{
    engine_destroy(w->engine);
    arena_finish(&w->arena);
    arena_finish(&w->out_arena);
    buf_finish(&w->buf);
}

void world_apply(struct world *w, struct slice entry, int64_t at)
{
    struct err err = {0};
    if (at < engine_time(w->engine))
        at = engine_time(w->engine);
    if (engine_apply(w->engine, ++w->number, at, entry, &w->out, &err) < 0) {
        fprintf(stderr, "apply: %s\n", err.msg);
        abort();
    }
}

struct entry_action world_action(uint64_t alert, const char *what)
{
    return (struct entry_action){.alert = alert,     .what = slice_of(what), .principal = SLICE("pinghu"), .role = SLICE("inspector"),
                                 .may = 1,           .people = NO_INT,       .amount = NO_INT,             .due = NO_INT,
                                 .until = NO_INT,    .paid_people = NO_INT,  .paid_amount = NO_INT};
}

enum wire_error world_act(struct world *w, const struct entry_action *x, int64_t at)
{
    w->out.refused = WIRE_ERROR_NONE;
    w->out.sentence = NULL;
    buf_reset(&w->buf);
    entry_put_action(&w->buf, x);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, at);
    return w->out.refused;
}

void world_tick(struct world *w, int64_t at)
{
    buf_reset(&w->buf);
    entry_put_tick(&w->buf);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, at);
}

static void put_attrs(struct world *w, struct signal *s, const char *attrs)
{
    while (attrs && *attrs) {
        size_t n = strcspn(attrs, ";"), key = strcspn(attrs, "="), digits = strspn(attrs + key + 1, "0123456789");
        struct signal_attr *a = &s->attrs[s->n_attrs++];
        *a = (struct signal_attr){{attrs, key}, {attrs + key + 1, n - key - 1}, NO_INT};
        if (digits == a->text.n && digits < 19)
            *a = (struct signal_attr){a->key, {NULL, 0}, strtoll(attrs + key + 1, NULL, 10)};
        attrs += n + (attrs[n] == ';');
    }
    signal_normalise_attrs(s, &w->arena);
}

struct slice world_entry(struct world *w, const struct say *s, struct entry_signal *e)
{
    static const uint8_t key[HASH_KEY_LEN] = {1, 2, 3};
    const char *dot = strchr(s->kind, '.');
    *e = (struct entry_signal){.binds_name = !s->binds_nothing};
    e->sig = (struct signal){
        .id = slice_of(s->id ? s->id : arena_printf(&w->arena, "t%u", ++w->ids)),
        .kind = slice_of(s->kind), .at = s->at, .uscc = slice_of(s->uscc), .name = slice_of(s->name),
        .region = slice_of(s->region), .industry = slice_of(s->industry), .cancels = slice_of(s->cancels),
        .owner = slice_of(s->owner), .project = slice_of(s->project), .role = (uint8_t)s->role,
        .amount = s->amount ? s->amount : NO_INT, .people = s->people ? s->people : NO_INT, .since = s->since ? s->since : NO_INT,
        .status = (uint8_t)s->status,
    };
    if (s->credit) {
        e->sig.n_attrs = 1;
        e->sig.attrs[0] = (struct signal_attr){SLICE("credit"), slice_of(s->credit), NO_INT};
    }
    put_attrs(w, &e->sig, s->attrs);
    e->source = s->source ? slice_of(s->source) : (struct slice){s->kind, (size_t)(dot - s->kind)};
    hash_pair(e->id_hash, key, e->source, e->sig.id);
    hash_pair(e->cancels_hash, key, e->source, e->sig.cancels);
    buf_reset(&w->buf);
    entry_put_signal(&w->buf, e);
    return (struct slice){(char *)w->buf.p, w->buf.n};
}

enum screened world_say(struct world *w, const struct say *s)
{
    struct entry_signal e;
    struct slice bytes = world_entry(w, s, &e);
    enum screened screened = engine_screen(w->engine, &e, w->number + 1);
    if (screened == SCREEN_NEW)
        world_apply(w, bytes, w->now ? w->now : s->at);
    return screened;
}

const struct event *world_last(const struct world *w)
{
    return w->out.n ? &w->out.events[w->out.n - 1].ev : NULL;
}

const char *world_story(struct world *w, size_t from)
{
    const struct dict *d = engine_dict(w->engine);
    char *story = arena_printf(&w->arena, "%s", "");
    for (size_t i = from; i < w->out.n; i++) {
        const struct event *ev = &w->out.events[i].ev;
        story = arena_printf(&w->arena, "%s%s%s %s %u.%02u", story, i > from ? "|" : "", event_wire(ev->type),
                             level_wire(ev->level), ev->score / 100, ev->score % 100);
        for (uint32_t r = 0; r < ev->n_reasons; r++) {
            struct slice id, zh, en;
            rule_words(dict_text(d, DICT_RULE, ev->reasons[r].rule), &id, &zh, &en);
            story = arena_printf(&w->arena, "%s%c%.*s", story, r ? ',' : ' ', SLICE_ARG(id));
        }
    }
    return story;
}

const struct record *world_record(struct world *w, const struct ekey *k)
{
    struct slice bytes = state_get(w->engine->state, T_ENTERPRISE, k->b, EKEY_LEN);
    struct record *c = arena_alloc(&w->arena, sizeof *c);
    struct err err;
    if (!bytes.p || record_get(arena_slice(&w->arena, bytes), k, &w->arena, c, &err) < 0)
        return NULL;
    return c;
}
