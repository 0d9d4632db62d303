/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine keeps of itself: its numbers and settings (T_META), words (T_DICT), counts by source and kind
 * (T_SOURCE); its checkpoints; how it begins and ends. */
#include "engine/fold.h"

#include "engine/known.h"
#include "lib/mem.h"

#include <stdlib.h>

enum { META_VERSION = 1, KIND_ROW = 'k' };

/* ---- sources ---- */

static struct source_count *source_count(struct engine *e, uint32_t source)
{
    if (source >= e->n_sources) {
        e->sources = mem_grow(e->sources, &e->cap_sources, source + 1, sizeof *e->sources);
        while (e->n_sources <= source)
            e->sources[e->n_sources++] = (struct source_count){{0, NO_INT, NO_INT, 0}, false};
    }
    return &e->sources[source];
}

static void count_source(struct engine *e, uint32_t source)
{
    struct source_count *c = source_count(e, source);
    int64_t local = e->time + e->settings->timezone, day = local - ((local % DAY_MS) + DAY_MS) % DAY_MS;
    if (c->stats.day != day)
        c->stats.today = 0;
    c->stats.day = day;
    c->stats.today++;
    c->stats.accepted++;
    c->stats.last = e->time;
    c->changed = true;
}

/* Which agency spoke last when: `feeds` tells of senders, and one sender may speak for several. */
static struct kind_count *kind_count(struct engine *e, uint32_t kind)
{
    if (kind >= e->n_kinds) {
        e->kinds = mem_grow(e->kinds, &e->cap_kinds, kind + 1, sizeof *e->kinds);
        while (e->n_kinds <= kind)
            e->kinds[e->n_kinds++] = (struct kind_count){NO_INT, false};
    }
    return &e->kinds[kind];
}

static void count_kind(struct engine *e, uint32_t kind)
{
    *kind_count(e, kind) = (struct kind_count){e->time, true};
}

void keep_count(struct engine *e, uint32_t source, uint32_t kind)
{
    count_source(e, source);
    count_kind(e, kind);
}

int64_t engine_kind_last(const struct engine *e, uint32_t kind)
{
    return kind < e->n_kinds ? e->kinds[kind].last : NO_INT;
}

bool engine_source_stats(const struct engine *e, uint32_t source, struct source_stats *out)
{
    if (source >= e->n_sources || e->sources[source].stats.last == NO_INT)
        return false;
    *out = e->sources[source].stats;
    return true;
}

/* ---- what the engine stores of itself ---- */

static void store_words(struct engine *e)
{
    for (int c = 0; c < DICT_CLASS_COUNT; c++)
        for (uint32_t n = dict_count(e->dict, (enum dict_class)c); e->words_stored[c] < n; e->words_stored[c]++) {
            uint32_t id = e->words_stored[c];
            const uint8_t key[5] = {(uint8_t)c, (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
            struct slice text = dict_text(e->dict, (enum dict_class)c, id);
            state_put_cold(e->state, T_DICT, key, sizeof key, text.p, text.n);
        }
}

static void store_sources(struct engine *e)
{
    for (uint32_t i = 0; i < e->n_sources; i++) {
        struct source_count *c = &e->sources[i];
        const uint8_t key[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        if (!c->changed)
            continue;
        c->changed = false;
        buf_reset(&e->buf);
        buf_u8(&e->buf, META_VERSION);
        buf_varint(&e->buf, c->stats.accepted);
        buf_when(&e->buf, c->stats.last);
        buf_when(&e->buf, c->stats.day);
        buf_varint(&e->buf, c->stats.today);
        state_put_cold(e->state, T_SOURCE, key, sizeof key, e->buf.p, e->buf.n);
    }
}

/* In T_SOURCE as well, under keys that are no source's. */
static void store_kinds(struct engine *e)
{
    for (uint32_t i = 0; i < e->n_kinds; i++) {
        const uint8_t key[5] = {KIND_ROW, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        if (!e->kinds[i].changed)
            continue;
        e->kinds[i].changed = false;
        buf_reset(&e->buf);
        buf_u8(&e->buf, META_VERSION);
        buf_when(&e->buf, e->kinds[i].last);
        state_put_cold(e->state, T_SOURCE, key, sizeof key, e->buf.p, e->buf.n);
    }
}

static void store_meta(struct engine *e)
{
    buf_reset(&e->buf);
    buf_u8(&e->buf, META_VERSION);
    buf_varint(&e->buf, FOLD_VERSION);
    buf_varint(&e->buf, e->number);
    buf_varint(&e->buf, e->events);
    buf_varint(&e->buf, e->settings_entry);
    buf_zigzag(&e->buf, e->time);
    buf_u8(&e->buf, e->sweep_pending);
    state_put(e->state, T_META, "engine", 6, e->buf.p, e->buf.n);
}

struct checkpoint *engine_checkpoint(struct engine *e)
{
    if (engine_dirty(e) == 0)
        return NULL;
    seen_checkpoint(e->seen);
    due_save(e->due);
    store_words(e);
    store_sources(e);
    store_kinds(e);
    store_meta(e);
    if (e->known)
        known_checkpoint(e->known, e->state);
    e->number_stored = e->number;
    struct checkpoint *cp = state_checkpoint(e->state);
    cp->number = e->number;
    cp->time = e->time;
    return cp;
}

void engine_committed(struct engine *e, struct checkpoint *cp)
{
    state_committed(e->state, cp);
    seen_committed(e->seen);
}

size_t engine_dirty(const struct engine *e)
{
    return state_dirty(e->state) + seen_waiting(e->seen) + due_unsaved(e->due) + (e->number > e->number_stored);
}

void engine_trim(struct engine *e)
{
    arena_reset(&e->scratch);
    state_trim(e->state);
}

void engine_drop_cold(struct engine *e)
{
    assert(!e->has_loader);
    state_drop_cold(e->state);
}

/* ---- beginning and end ---- */

static bool add_word(void *arg, struct slice key, struct slice value)
{
    struct engine *e = arg;
    if (key.n == 5 && (uint8_t)key.p[0] < DICT_CLASS_COUNT) {
        dict_add(e->dict, (enum dict_class)key.p[0], value);
        e->words_stored[(uint8_t)key.p[0]]++;
    }
    return true;
}

static void add_kind_row(struct engine *e, struct slice key, struct slice value)
{
    const uint8_t *k = (const uint8_t *)key.p;
    struct rd r = rd_of(value.p, value.n);
    uint32_t id = (uint32_t)k[1] << 24 | (uint32_t)k[2] << 16 | (uint32_t)k[3] << 8 | k[4];
    if (rd_u8(&r) == META_VERSION && id < dict_count(e->dict, DICT_KIND))
        kind_count(e, id)->last = rd_when(&r);
}

static bool add_source(void *arg, struct slice key, struct slice value)
{
    struct engine *e = arg;
    if (key.n == 5 && key.p[0] == KIND_ROW)
        add_kind_row(e, key, value);
    const uint8_t *k = (const uint8_t *)key.p;
    struct rd r = rd_of(value.p, value.n);
    if (key.n != 4 || rd_u8(&r) != META_VERSION)
        return true;
    uint32_t id = (uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 | (uint32_t)k[2] << 8 | k[3];
    if (id >= dict_count(e->dict, DICT_SOURCE))
        return true;
    struct source_stats *s = &source_count(e, id)->stats;
    s->accepted = rd_varint(&r);
    s->last = rd_when(&r);
    s->day = rd_when(&r);
    s->today = rd_varint(&r);
    return true;
}

static int load_meta(struct engine *e, struct err *err)
{
    struct slice v = state_get(e->state, T_META, "engine", 6);
    if (!v.p)
        return 0;
    struct rd r = rd_of(v.p, v.n);
    uint8_t version = rd_u8(&r);
    uint64_t fold = rd_varint(&r);
    e->number = rd_varint(&r);
    e->events = rd_varint(&r);
    e->settings_entry = rd_varint(&r);
    e->time = rd_zigzag(&r);
    e->sweep_pending = rd_u8(&r);
    if (version != META_VERSION || fold != FOLD_VERSION || r.bad)
        return err_set(err, WW_EDAMAGED, "view: made by another version of the fold; run wagewarnd --rebuild");
    return 0;
}

static int load_settings(struct engine *e, struct err *err)
{
    struct slice v = state_get(e->state, T_META, "settings", 8);
    struct tree *tree;
    if (!v.p)
        return 0;
    struct rd r = rd_of(v.p, v.n);
    struct slice hash = rd_slice(&r);
    if (tree_decode(&r, &e->scratch, &tree) < 0)
        return err_set(err, WW_EDAMAGED, "view: the stored configuration does not decode; run wagewarnd --rebuild");
    return settings_take(e, tree, hash, e->settings_entry, err);
}

static int load(struct engine *e, struct err *err)
{
    int rc = load_meta(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_DICT, add_word, e, err);
    if (rc == 0)
        rc = load_settings(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_SOURCE, add_source, e, err);
    e->number_stored = e->number;
    if (rc == 0)
        rc = due_load(e->due, err);
    if (rc == 0)
        rc = seen_load(e->seen, err);
    if (rc == 0)
        rc = presence_load(e, err);
    if (rc == 0 && e->number)
        rc = known_load(e->known, state_loader_of(e->state), err);
    state_set_known(e->state, e->known); /* not before: it says no to what it does not know */
    const struct err *failed = state_failed(e->state);
    if (rc == 0 && failed) {
        if (err)
            *err = *failed;
        rc = failed->code;
    }
    return rc;
}

/* Settings are compiled again only when they are others. */
static int renew_settings(struct engine *e, struct err *err)
{
    struct slice v = state_get(e->state, T_META, "settings", 8);
    struct rd r = rd_of(v.p, v.n);
    struct slice hash = v.p ? rd_slice(&r) : (struct slice){0};
    return e->settings && slice_eq(hash, e->settings_hash) ? 0 : load_settings(e, err);
}

int engine_reader_renew(struct engine *e, struct err *err)
{
    const struct state_loader *loader = state_loader_of(e->state);
    state_destroy(e->state);
    e->state = state_create(loader, SIZE_MAX);
    arena_reset(&e->scratch);
    e->failed = false;
    int rc = load_meta(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_DICT, add_word, e, err);
    if (rc == 0)
        rc = renew_settings(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_SOURCE, add_source, e, err);
    const struct err *failed = state_failed(e->state);
    if (rc == 0 && failed && err)
        *err = *failed;
    return rc == 0 && failed ? failed->code : rc;
}

static struct engine *make(const struct state_loader *loader, size_t cache_bytes)
{
    struct engine *e = mem_zalloc(sizeof *e);
    e->state = state_create(loader, cache_bytes);
    e->has_loader = loader != NULL;
    e->dict = dict_create();
    e->due = due_create(e);
    e->seen = seen_create(e);
    e->presence = presence_create();
    return e;
}

int engine_create_reader(struct engine **out, const struct state_loader *loader, struct err *err)
{
    struct engine *e = make(loader, SIZE_MAX);
    int rc = engine_reader_renew(e, err);
    if (rc < 0) {
        engine_destroy(e);
        e = NULL;
    }
    *out = e;
    return rc;
}

int engine_create(struct engine **out, const struct state_loader *loader, size_t cache_bytes, struct err *err)
{
    struct engine *e = make(loader, cache_bytes);
    e->known = known_create();
    if (!loader)
        state_set_known(e->state, e->known);
    int rc = loader ? load(e, err) : 0;
    if (rc < 0) {
        engine_destroy(e);
        e = NULL;
    }
    *out = e;
    return rc;
}

void engine_destroy(struct engine *e)
{
    if (!e)
        return;
    seen_destroy(e->seen);
    presence_destroy(e->presence);
    due_destroy(e->due);
    settings_destroy(e->settings);
    dict_destroy(e->dict);
    state_destroy(e->state);
    known_destroy(e->known);
    arena_finish(&e->scratch);
    buf_finish(&e->buf);
    free((char *)(uintptr_t)e->settings_hash.p);
    free(e->sources);
    free(e->kinds);
    free(e);
}
