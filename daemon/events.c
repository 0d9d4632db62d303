/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the recent events in memory and the main thread's reader of the view. */
#include "daemon/events.h"

#include "daemon/members.h"
#include "engine/alert.h"
#include "engine/record.h"
#include "lib/mem.h"

#include <stdlib.h>

enum { RECENT_KEPT = 256 }; /* in memory though the view holds them: for the slightly late */

/* One event in memory: its stored bytes, and once somebody wanted it, decoded and packed. */
struct recent {
    uint64_t entry;
    struct slice bytes; /* owned */
    bool ready;
    struct arena arena;
    struct event ev;
    struct buf pairs;
    uint32_t n_pairs;
};

struct events {
    struct pack_words words;
    struct view_reader *reader;
    bool fresh;             /* the reader sees a commit; rest is due */
    uint64_t head, first;   /* recent[] holds first .. head */
    struct recent **recent; /* a ring: number modulo cap */
    size_t cap;
    struct buf cut;     /* of the event cut last for one who may not see all of it */
    struct arena cut_arena;
    struct arena arena; /* of the event read last from the view */
    struct event ev;
    struct buf pairs;
};

static void key_of(uint64_t number, uint8_t out[8])
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

static uint64_t number_of(struct slice key)
{
    uint64_t v = 0;
    for (size_t i = 0; i < 8 && i < key.n; i++)
        v = v << 8 | (uint8_t)key.p[i];
    return v;
}

int events_open(struct events **out, struct view *view, const struct dict *dict, uint64_t head,
                struct err *err)
{
    struct events *e = mem_zalloc(sizeof *e);
    int code = view_reader_open(&e->reader, view, err);
    if (code) {
        free(e);
        return code;
    }
    view_reader_rest(e->reader);
    e->words.dict = dict;
    e->head = head;
    e->first = head + 1;
    *out = e;
    return 0;
}

static void free_recent(struct recent *r)
{
    arena_finish(&r->arena);
    buf_finish(&r->pairs);
    free(r);
}

static struct recent **slot(const struct events *e, uint64_t seq)
{
    return &e->recent[seq & (e->cap - 1)];
}

static void drop_first(struct events *e)
{
    free_recent(*slot(e, e->first));
    e->first++;
}

void events_close(struct events *e)
{
    if (!e)
        return;
    while (e->first <= e->head)
        drop_first(e);
    free(e->recent);
    events_rest(e);
    view_reader_close(e->reader);
    arena_finish(&e->arena);
    buf_finish(&e->pairs);
    buf_finish(&e->cut);
    arena_finish(&e->cut_arena);
    free(e);
}

void events_words(struct events *e, const struct regions *regions, const struct work *work)
{
    e->words.regions = regions;
    e->words.work = work;
}

/* ---- memory ---- */

static void grow(struct events *e)
{
    size_t cap = e->cap ? e->cap * 2 : RECENT_KEPT;
    struct recent **ring = mem_zalloc(cap * sizeof(struct recent *));
    for (uint64_t i = e->first; i <= e->head; i++)
        ring[i & (cap - 1)] = *slot(e, i);
    free(e->recent);
    e->recent = ring;
    e->cap = cap;
}

static void add_one(struct events *e, const struct engine_event *ee)
{
    if (e->head + 1 - e->first >= e->cap)
        grow(e);
    struct recent *r = mem_alloc(sizeof *r + ee->bytes.n);
    *r = (struct recent){.entry = ee->ev.entry};
    memcpy(r + 1, ee->bytes.p, ee->bytes.n);
    r->bytes = (struct slice){(const char *)(r + 1), ee->bytes.n};
    *slot(e, ++e->head) = r;
}

void events_add(struct events *e, const struct batch *b, bool keep)
{
    for (size_t i = 0; i < b->out.n; i++) {
        const struct engine_event *ee = &b->out.events[i];
        assert(ee->ev.seq == e->head + 1);
        if (keep) {
            add_one(e, ee);
            continue;
        }
        while (e->first <= e->head)
            drop_first(e);
        e->head++;
        e->first = e->head + 1;
    }
}

void events_trim(struct events *e, uint64_t viewed)
{
    while (e->first + RECENT_KEPT <= e->head && (*slot(e, e->first))->entry <= viewed)
        drop_first(e);
}

static int make_ready(struct events *e, struct recent *r, struct err *err)
{
    if (r->ready)
        return 0;
    int code = event_get(r->bytes, &r->arena, &r->ev, err);
    if (code)
        return code;
    r->n_pairs = eventpack_body(&r->pairs, &r->ev, &e->words);
    r->ready = true;
    return 0;
}

/* ---- the view ---- */

static int look(struct events *e, struct err *err)
{
    if (e->fresh)
        return 0;
    int code = view_reader_refresh(e->reader, err);
    e->fresh = code == 0;
    return code;
}

void events_rest(struct events *e)
{
    if (e->fresh)
        view_reader_rest(e->reader);
    e->fresh = false;
}

static bool take_first(void *arg, struct slice key, struct slice value)
{
    (void)value;
    *(uint64_t *)arg = number_of(key);
    return false;
}

uint64_t events_oldest(struct events *e)
{
    struct err err;
    uint64_t oldest = 1; /* nothing in the view: nothing was ever dropped */
    if (look(e, &err) == 0 &&
        view_scan(e->reader, T_EVENT, (struct slice){NULL, 0}, VIEW_UP, take_first, &oldest, &err) < 0)
        return 1; /* the reader that meets the damage says so */
    return oldest;
}

static int read_view(struct events *e, uint64_t seq, struct shown_event *out, struct err *err)
{
    uint8_t key[8];
    struct slice value = {NULL, 0};
    key_of(seq, key);
    int got = look(e, err);
    if (got == 0)
        got = view_get(e->reader, T_EVENT, key, sizeof key, &value, err);
    if (got == 0)
        return seq < events_oldest(e)
                   ? err_set(err, WW_ETOOOLD, "event %llu is no longer kept", (unsigned long long)seq)
                   : 0;
    if (got < 0)
        return got;
    arena_reset(&e->arena);
    buf_reset(&e->pairs);
    got = event_get(value, &e->arena, &e->ev, err);
    if (got)
        return got;
    out->n_pairs = eventpack_body(&e->pairs, &e->ev, &e->words);
    out->pairs = (struct slice){(const char *)e->pairs.p, e->pairs.n};
    out->ev = &e->ev;
    return 1;
}

int events_get(struct events *e, uint64_t seq, struct shown_event *out, struct err *err)
{
    assert(seq && seq <= e->head);
    if (seq < e->first)
        return read_view(e, seq, out, err);
    struct recent *r = *slot(e, seq);
    int code = make_ready(e, r, err);
    if (code)
        return code;
    *out = (struct shown_event){&r->ev, {(const char *)r->pairs.p, r->pairs.n}, r->n_pairs};
    return 1;
}

void events_cut(struct events *e, const region_t *regions, size_t n_regions, struct shown_event *shown)
{
    struct event ev = *shown->ev;
    arena_reset(&e->cut_arena);
    if (!members_cut_event(&ev, regions, n_regions, &e->cut_arena))
        return;
    buf_reset(&e->cut);
    shown->n_pairs = eventpack_body(&e->cut, &ev, &e->words);
    shown->pairs = (struct slice){(const char *)e->cut.p, e->cut.n};
}

int events_alert(struct events *e, uint64_t number, struct ekey *key, const region_t **places,
                 uint32_t *n_places, struct err *err)
{
    for (uint64_t seq = e->head; seq >= e->first; seq--) {
        struct recent *r = *slot(e, seq);
        int code = make_ready(e, r, err);
        if (code)
            return code;
        if (r->ev.alert != number)
            continue;
        *key = r->ev.key;
        *places = r->ev.places;
        *n_places = r->ev.n_places;
        return 1;
    }
    uint8_t k[8];
    struct slice value = {NULL, 0};
    struct alert alert;
    key_of(number, k);
    int got = look(e, err);
    if (got == 0)
        got = view_get(e->reader, T_ALERT, k, sizeof k, &value, err);
    if (got <= 0)
        return got;
    arena_reset(&e->arena);
    got = alert_get(value, &e->arena, &alert, err);
    if (got)
        return got;
    *key = alert.key;
    *places = alert.places;
    *n_places = alert.n_places;
    return 1;
}

int events_enterprise(struct events *e, const struct ekey *given, const region_t **places, uint32_t *n_places, struct err *err)
{
    struct ekey key = *given, *codes;
    struct slice value = {NULL, 0}, text;
    struct record r;
    size_t n = 0;
    int got = look(e, err);
    arena_reset(&e->arena);
    if (got == 0 && !ekey_is_code(&key))
        got = view_get(e->reader, T_NAME, key.b, EKEY_LEN, &value, err);
    if (got == 1)
        got = name_get(value, &e->arena, &text, &codes, &n, err);
    if (got == 0 && n == 1)
        key = codes[0];
    if (got == 0)
        got = view_get(e->reader, T_ENTERPRISE, key.b, EKEY_LEN, &value, err);
    if (got <= 0)
        return got;
    got = record_get(value, &key, &e->arena, &r, err);
    *places = r.places;
    *n_places = r.n_places;
    return got ? got : 1;
}

int events_waiting(struct events *e, uint64_t number, struct waiting *w, struct err *err)
{
    int got = look(e, err);
    arena_reset(&e->arena);
    return got ? got : waiting_get(e->reader, number, &e->arena, w, err);
}

uint64_t events_head(const struct events *e)
{
    return e->head;
}
