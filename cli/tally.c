/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tally.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <stdlib.h>

void tally_init(struct tally *t, const struct settings *s)
{
    *t = (struct tally){.settings = s, .n_slots = 1024};
    t->slots = mem_zalloc(t->n_slots * sizeof *t->slots);
    t->fired = mem_zalloc((s->n_rules + 1) * sizeof *t->fired);
    t->rule_areas = mem_zalloc((s->n_rules + 1) * sizeof *t->rule_areas);
}

void tally_finish(struct tally *t)
{
    free(t->rows);
    free(t->slots);
    free(t->hits);
    free(t->rule_of_word);
    free(t->fired);
    free(t->rule_areas);
    arena_finish(&t->arena);
    *t = (struct tally){0};
}

/* ---- rows ---- */

static size_t slot_of(const struct tally *t, const struct ekey *key)
{
    size_t i = hash_fnv1a(key->b, EKEY_LEN) & (t->n_slots - 1);
    while (t->slots[i] && ekey_cmp(&t->rows[t->slots[i] - 1].key, key) != 0)
        i = (i + 1) & (t->n_slots - 1);
    return i;
}

static void widen(struct tally *t)
{
    free(t->slots);
    t->n_slots *= 2;
    t->slots = mem_zalloc(t->n_slots * sizeof *t->slots);
    for (size_t i = 0; i < t->n; i++)
        t->slots[slot_of(t, &t->rows[i].key)] = (uint32_t)i + 1;
}

struct tally_row *tally_find(const struct tally *t, const struct ekey *key)
{
    uint32_t at = t->slots[slot_of(t, key)];
    return at ? &t->rows[at - 1] : NULL;
}

struct tally_row *tally_row(struct tally *t, const struct ekey *key)
{
    size_t slot = slot_of(t, key);
    if (t->slots[slot])
        return &t->rows[t->slots[slot] - 1];
    if (t->n * 2 >= t->n_slots) {
        widen(t);
        slot = slot_of(t, key);
    }
    t->rows = mem_grow(t->rows, &t->cap, t->n + 1, sizeof *t->rows);
    struct tally_row *row = &t->rows[t->n++];
    *row = (struct tally_row){.key = *key, .score = SCORE_NONE, .outcome = NO_INT};
    for (int i = 0; i < LEVEL_COUNT; i++)
        row->warned[i] = NO_INT;
    t->slots[slot] = (uint32_t)t->n;
    return row;
}

/* ---- rules ---- */

static uint32_t position_of(const struct settings *s, struct slice id)
{
    for (uint32_t i = 0; i < s->n_rules; i++)
        if (slice_eq(s->rules[i].id, id))
            return i + 1;
    return UINT32_MAX;
}

/* Each word is looked up once. */
static uint32_t rule_of(struct tally *t, uint32_t word, const struct dict *dict)
{
    struct slice id, zh, en;
    size_t n = t->n_words;
    if (word >= n) {
        t->rule_of_word = mem_grow(t->rule_of_word, &t->n_words, (size_t)word + 1, sizeof *t->rule_of_word);
        memset(t->rule_of_word + n, 0, (t->n_words - n) * sizeof *t->rule_of_word);
    }
    if (!t->rule_of_word[word]) {
        rule_words(dict_text(dict, DICT_RULE, word), &id, &zh, &en);
        t->rule_of_word[word] = position_of(t->settings, id);
    }
    return t->rule_of_word[word] == UINT32_MAX ? UINT32_MAX : t->rule_of_word[word] - 1;
}

static struct tally_rule *hit_of(const struct tally *t, const struct tally_row *row, uint32_t rule)
{
    for (uint32_t i = row->rules; i; i = t->hits[i - 1].next)
        if (t->hits[i - 1].rule == rule)
            return &t->hits[i - 1];
    return NULL;
}

static void note_rule(struct tally *t, struct tally_row *row, uint32_t rule, int64_t at)
{
    struct tally_rule *hit = hit_of(t, row, rule);
    if (hit) {
        hit->at = at < hit->at ? at : hit->at;
        return;
    }
    t->hits = mem_grow(t->hits, &t->cap_hits, t->n_hits + 1, sizeof *t->hits);
    t->hits[t->n_hits++] = (struct tally_rule){rule, row->rules, at};
    row->rules = (uint32_t)t->n_hits;
}

int64_t tally_rule_at(const struct tally *t, const struct tally_row *row, uint32_t rule)
{
    const struct tally_rule *hit = hit_of(t, row, rule);
    return hit ? hit->at : NO_INT;
}

/* ---- events ---- */

static void earlier(int64_t *at, int64_t than)
{
    if (than != NO_INT && (*at == NO_INT || than < *at))
        *at = than;
}

static bool raises(uint8_t type)
{
    return type == EVENT_RAISED || type == EVENT_UPGRADED || type == EVENT_REOPENED;
}

static const char *kept(struct arena *a, const char *was, struct slice now)
{
    if (!now.n || (was && slice_is(now, was)))
        return was;
    return arena_slice(a, now).p;
}

/* A withdrawal's reasons are those that are left, not those that warned. */
static void note_event(struct tally *t, struct tally_row *row, const struct event *ev, const struct dict *dict)
{
    row->uscc = kept(&t->arena, row->uscc, ev->uscc);
    row->name = kept(&t->arena, row->name, ev->name);
    row->score = (int32_t)ev->score > row->score ? (int32_t)ev->score : row->score;
    for (uint8_t level = LEVEL_GENERAL; raises(ev->type) && level <= ev->level; level++)
        earlier(&row->warned[level], ev->at);
    for (uint32_t i = 0; i < ev->n_reasons; i++) {
        uint32_t rule = rule_of(t, ev->reasons[i].rule, dict);
        if (rule != UINT32_MAX)
            note_rule(t, row, rule, ev->at);
    }
}

void tally_event(struct tally *t, const struct event *ev, const struct dict *dict)
{
    enum ekey_by by = ekey_kind(&ev->key);
    if (ekey_status(&ev->key) != STATUS_ACTUAL)
        return;
    bool area = by == EKEY_AREA && ev->type == EVENT_RAISED;
    t->events++;
    for (uint32_t i = 0; i < ev->n_reasons; i++) {
        uint32_t rule = rule_of(t, ev->reasons[i].rule, dict);
        if (rule == UINT32_MAX)
            continue;
        t->fired[rule] = true;
        t->rule_areas[rule] += area;
    }
    t->areas += area;
    if (by == EKEY_CODE || by == EKEY_NAME)
        note_event(t, tally_row(t, &ev->key), ev, dict);
}

/* ---- names that turned out to be codes ---- */

static void merge(struct tally *t, size_t from, const struct ekey *to)
{
    struct tally_row *b = tally_row(t, to), *a = &t->rows[from]; /* in this order: making one may move all */
    for (int i = 0; i < LEVEL_COUNT; i++)
        earlier(&b->warned[i], a->warned[i]);
    b->score = a->score > b->score ? a->score : b->score;
    b->uscc = b->uscc ? b->uscc : a->uscc;
    b->name = b->name ? b->name : a->name;
    if (a->finding && !b->finding)
        b->finding = a->finding;
    for (uint32_t i = a->rules; i; i = t->hits[i - 1].next)
        note_rule(t, b, t->hits[i - 1].rule, t->hits[i - 1].at);
    a->merged = true;
}

void tally_merge(struct tally *t, struct engine *e)
{
    size_t n = t->n;
    for (size_t i = 0; i < n; i++) {
        struct ekey to = t->rows[i].key;
        if (!ekey_is_code(&to))
            to = engine_resolve(e, &to);
        if (ekey_cmp(&to, &t->rows[i].key) != 0)
            merge(t, i, &to);
    }
}
