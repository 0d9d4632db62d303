/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/event.h"

enum { EVENT_VERSION = 5, EVENT_RULES_CHANGED = 1 };

/* The plain fields, each once, for both directions. */
#define EVENT_UNSIGNED(ev)                                                                                   \
    {                                                                                                        \
        &(ev)->seq, &(ev)->alert, &(ev)->version, &(ev)->entry, &(ev)->merged_into, &(ev)->region            \
    }
#define EVENT_SIGNED(ev)                                                                                     \
    {                                                                                                        \
        &(ev)->at, &(ev)->due, &(ev)->people, &(ev)->amount, &(ev)->until                                                \
    }
#define EVENT_TEXTS(ev)                                                                                      \
    {                                                                                                        \
        &(ev)->uscc, &(ev)->name, &(ev)->industry, &(ev)->principal, &(ev)->actor, &(ev)->finding,           \
            &(ev)->outcome, &(ev)->measure, &(ev)->ref, &(ev)->team, &(ev)->rule, &(ev)->duty                             \
    }

static void put_lies(struct buf *b, const struct lies *l)
{
    buf_varint(b, l->n);
    for (uint32_t i = 0; i < l->n; i++)
        buf_varint(b, l->places[i]);
}

static void put_reasons(struct buf *b, const struct event *ev)
{
    buf_varint(b, ev->n_reasons);
    for (uint32_t i = 0; i < ev->n_reasons; i++) {
        const struct reason *r = &ev->reasons[i];
        buf_varint(b, r->rule);
        buf_u8(b, r->level);
        buf_varint(b, r->signals_total);
        buf_varint(b, r->n);
        for (uint32_t j = 0; j < r->n; j++)
            buf_varint(b, r->signals[j]);
        buf_slice(b, r->other);
        buf_u8(b, r->link);
        put_lies(b, &r->other_lies);
    }
}

static void put_evidence(struct buf *b, const struct event *ev)
{
    buf_varint(b, ev->evidence_total);
    buf_varint(b, ev->n_evidence);
    for (uint32_t i = 0; i < ev->n_evidence; i++) {
        const struct evidence *e = &ev->evidence[i];
        buf_varint(b, e->seq);
        buf_slice(b, e->id);
        buf_varint(b, e->source);
        buf_varint(b, e->kind);
        buf_varint(b, e->share_ppm);
        buf_zigzag(b, e->at);
        buf_when(b, e->amount);
        buf_when(b, e->people);
        buf_slice(b, e->from);
        buf_slice(b, e->project);
        buf_varint(b, e->counted_ppm);
        put_lies(b, &e->from_lies);
    }
}

static void put_lists(struct buf *b, const struct event *ev)
{
    buf_varint(b, ev->n_tags);
    for (uint32_t i = 0; i < ev->n_tags; i++)
        buf_slice(b, ev->tags[i]);
    buf_varint(b, ev->n_assessed);
    for (uint32_t i = 0; i < ev->n_assessed; i++) {
        const struct assessed *x = &ev->assessed[i];
        const int64_t when[] = {x->people, x->months, x->amount, x->short_people, x->short_months, x->short_amount};
        buf_slice(b, x->line);
        buf_u8(b, (uint8_t)(x->met | x->short_order << 1));
        for (size_t k = 0; k < ARRAY_LEN(when); k++)
            buf_when(b, when[k]);
        buf_varint(b, x->region);
        buf_slice(b, x->source);
    }
    buf_u8(b, ev->step);
    buf_u8(b, ev->tier);
    buf_varint(b, ev->n_teams);
    for (uint32_t i = 0; i < ev->n_teams; i++)
        buf_slice(b, ev->teams[i]);
    buf_varint(b, ev->members_total);
    buf_varint(b, ev->members_open);
    buf_varint(b, ev->n_members);
    for (uint32_t i = 0; i < ev->n_members; i++) {
        buf_slice(b, ev->members[i].uscc);
        buf_slice(b, ev->members[i].name);
        buf_u8(b, ev->members[i].level);
        buf_varint(b, ev->members[i].n_places);
        for (uint32_t k = 0; k < ev->members[i].n_places; k++)
            buf_varint(b, ev->members[i].places[k]);
    }
}

void event_put(struct buf *b, const struct event *ev)
{
    const uint64_t *const u[] = EVENT_UNSIGNED(ev);
    const int64_t *const i[] = EVENT_SIGNED(ev);
    const struct slice *const t[] = EVENT_TEXTS(ev);
    const uint8_t head[] = {EVENT_VERSION, ev->type, ev->level_before, ev->level, ev->state,
                            ev->rules_changed ? EVENT_RULES_CHANGED : 0};
    buf_put(b, head, sizeof head);
    buf_put(b, ev->key.b, EKEY_LEN);
    buf_varint(b, ev->score);
    for (size_t k = 0; k < ARRAY_LEN(u); k++)
        buf_varint(b, *u[k]);
    for (size_t k = 0; k < ARRAY_LEN(i); k++)
        buf_when(b, *i[k]);
    for (size_t k = 0; k < ARRAY_LEN(t); k++)
        buf_slice(b, *t[k]);
    buf_varint(b, ev->n_places);
    for (uint32_t k = 0; k < ev->n_places; k++)
        buf_varint(b, ev->places[k]);
    put_reasons(b, ev);
    put_evidence(b, ev);
    put_lists(b, ev);
}

static struct lies get_lies(struct rd *r, struct arena *a)
{
    uint32_t n = (uint32_t)rd_count(r, 1);
    region_t *places = arena_alloc(a, (n + 1) * sizeof *places);
    for (uint32_t i = 0; i < n; i++)
        places[i] = rd_varint(r);
    return (struct lies){n, places};
}

static void get_reasons(struct rd *r, struct arena *a, struct event *ev)
{
    ev->n_reasons = (uint32_t)rd_count(r, 4);
    struct reason *list = arena_alloc(a, ev->n_reasons * sizeof *list);
    for (uint32_t i = 0; i < ev->n_reasons && !r->bad; i++) {
        struct reason *x = &list[i];
        x->rule = (uint32_t)rd_varint(r);
        x->level = rd_u8(r);
        x->signals_total = (uint32_t)rd_varint(r);
        x->n = (uint32_t)rd_count(r, 1);
        uint64_t *signals = arena_alloc(a, x->n * sizeof *signals);
        for (uint32_t j = 0; j < x->n; j++)
            signals[j] = rd_varint(r);
        x->signals = signals;
        x->other = rd_slice(r);
        x->link = rd_u8(r);
        x->other_lies = get_lies(r, a);
        x->hidden = false;
    }
    ev->reasons = list;
}

static void get_evidence(struct rd *r, struct arena *a, struct event *ev)
{
    ev->evidence_total = (uint32_t)rd_varint(r);
    ev->n_evidence = (uint32_t)rd_count(r, 8);
    struct evidence *list = arena_alloc(a, ev->n_evidence * sizeof *list);
    for (uint32_t i = 0; i < ev->n_evidence && !r->bad; i++) {
        struct evidence *e = &list[i];
        e->seq = rd_varint(r);
        e->id = rd_slice(r);
        e->source = (uint32_t)rd_varint(r);
        e->kind = (uint32_t)rd_varint(r);
        e->share_ppm = (uint32_t)rd_varint(r);
        e->at = rd_zigzag(r);
        e->amount = rd_when(r);
        e->people = rd_when(r);
        e->from = rd_slice(r);
        e->project = rd_slice(r);
        e->counted_ppm = (uint32_t)rd_varint(r);
        e->from_lies = get_lies(r, a);
        e->hidden = false;
    }
    ev->evidence = list;
}

static void get_members(struct rd *r, struct arena *a, struct event *ev)
{
    ev->n_members = (uint32_t)rd_count(r, 4);
    struct member *members = arena_zalloc(a, (ev->n_members + 1) * sizeof *members);
    for (uint32_t i = 0; i < ev->n_members && !r->bad; i++) {
        struct member *m = &members[i];
        m->uscc = rd_slice(r);
        m->name = rd_slice(r);
        m->level = rd_u8(r);
        m->n_places = (uint32_t)rd_count(r, 1);
        region_t *places = arena_alloc(a, (m->n_places + 1) * sizeof *places);
        for (uint32_t k = 0; k < m->n_places; k++)
            places[k] = rd_varint(r);
        m->places = places;
    }
    ev->members = members;
}

static void get_lists(struct rd *r, struct arena *a, struct event *ev)
{
    ev->n_tags = (uint32_t)rd_count(r, 1);
    struct slice *tags = arena_alloc(a, (ev->n_tags + 1) * sizeof *tags);
    for (uint32_t i = 0; i < ev->n_tags; i++)
        tags[i] = rd_slice(r);
    ev->tags = tags;
    ev->n_assessed = (uint32_t)rd_count(r, 10);
    struct assessed *lines = arena_zalloc(a, (ev->n_assessed + 1) * sizeof *lines);
    for (uint32_t i = 0; i < ev->n_assessed && !r->bad; i++) {
        struct assessed *x = &lines[i];
        int64_t *const when[] = {&x->people,       &x->months,       &x->amount,
                                 &x->short_people, &x->short_months, &x->short_amount};
        x->line = rd_slice(r);
        uint8_t flags = rd_u8(r);
        x->met = flags & 1;
        x->short_order = flags & 2;
        for (size_t k = 0; k < ARRAY_LEN(when); k++)
            *when[k] = rd_when(r);
        x->region = rd_varint(r);
        x->source = rd_slice(r);
    }
    ev->assessed = lines;
    ev->step = rd_u8(r);
    ev->tier = rd_u8(r);
    ev->n_teams = (uint32_t)rd_count(r, 1);
    struct slice *teams = arena_alloc(a, (ev->n_teams + 1) * sizeof *teams);
    for (uint32_t i = 0; i < ev->n_teams; i++)
        teams[i] = rd_slice(r);
    ev->teams = teams;
    ev->members_total = (uint32_t)rd_varint(r);
    ev->members_open = (uint32_t)rd_varint(r);
    get_members(r, a, ev);
}

static void get_plain(struct rd *r, struct event *ev)
{
    uint64_t *const u[] = EVENT_UNSIGNED(ev);
    int64_t *const i[] = EVENT_SIGNED(ev);
    struct slice *const t[] = EVENT_TEXTS(ev);
    const uint8_t *head = rd_bytes(r, 5 + EKEY_LEN);
    if (!head)
        return;
    ev->type = head[0];
    ev->level_before = head[1];
    ev->level = head[2];
    ev->state = head[3];
    ev->rules_changed = head[4] & EVENT_RULES_CHANGED;
    memcpy(ev->key.b, head + 5, EKEY_LEN);
    ev->score = (uint32_t)rd_varint(r);
    for (size_t k = 0; k < ARRAY_LEN(u); k++)
        *u[k] = rd_varint(r);
    for (size_t k = 0; k < ARRAY_LEN(i); k++)
        *i[k] = rd_when(r);
    for (size_t k = 0; k < ARRAY_LEN(t); k++)
        *t[k] = rd_slice(r);
    if (!event_wire(ev->type) || ev->level >= LEVEL_COUNT || ev->level_before >= LEVEL_COUNT ||
        (!alert_state_wire(ev->state) && ev->type != EVENT_DUTY) || !status_wire(ekey_status(&ev->key)))
        r->bad = true;
}

int event_get(struct slice bytes, struct arena *a, struct event *ev, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    *ev = (struct event){0};
    if (rd_u8(&r) != EVENT_VERSION)
        r.bad = true;
    get_plain(&r, ev);
    ev->n_places = (uint32_t)rd_count(&r, 1);
    region_t *places = arena_alloc(a, ev->n_places * sizeof *places);
    for (uint32_t k = 0; k < ev->n_places; k++)
        places[k] = rd_varint(&r);
    ev->places = places;
    get_reasons(&r, a, ev);
    get_evidence(&r, a, ev);
    get_lists(&r, a, ev);
    if (r.bad || rd_left(&r))
        return err_set(err, WW_EDAMAGED, "view: a stored alert event does not decode; run wagewarnd --rebuild");
    return 0;
}

void rule_words(struct slice word, struct slice *id, struct slice *zh, struct slice *en)
{
    struct slice *const parts[] = {id, zh, en};
    const char *p = word.p, *end = word.p + word.n;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        const char *stop = p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;
        if (!stop)
            stop = end;
        *parts[i] = (struct slice){p, (size_t)(stop - p)};
        p = stop < end ? stop + 1 : end;
    }
}

struct slice event_title(const struct event *ev, const struct dict *dict, bool zh)
{
    if (ev->n_reasons == 0)
        return slice_of(zh ? event_zh(ev->type) : event_wire(ev->type));
    struct slice id, title_zh, title_en;
    rule_words(dict_text(dict, DICT_RULE, ev->reasons[0].rule), &id, &title_zh, &title_en);
    struct slice title = zh ? title_zh : title_en;
    return title.n ? title : id;
}
