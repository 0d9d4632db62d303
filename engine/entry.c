/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/entry.h"

/* Layout of each type; older ones are still read. */
static const uint8_t versions[ENTRY_TYPE_END] = {
    [ENTRY_SIGNAL] = 1, [ENTRY_CONFIG] = 1, [ENTRY_TICK] = 1, [ENTRY_SWEEP] = 1,
    [ENTRY_ACTION] = 4,   /* 2: name, uscc, role, own_team; 3: signal, as; 4: duty */
    [ENTRY_PRESENCE] = 2, /* 2: wishes */
};

/* A signal's optional fields, one bit each; the order of the bits is the order of the bytes. */
enum field {
    F_USCC = 1 << 0, F_NAME = 1 << 1, F_REGION = 1 << 2, F_INDUSTRY = 1 << 3, F_AMOUNT = 1 << 4,
    F_PEOPLE = 1 << 5, F_SINCE = 1 << 6, F_PROJECT = 1 << 7, F_ROLE = 1 << 8, F_OWNER = 1 << 9,
    F_STATUS = 1 << 10, F_REF = 1 << 11, F_NOTE = 1 << 12, F_CANCELS = 1 << 13, F_ATTRS = 1 << 14,
    F_BINDS_NAME = 1 << 15,
    F_ALL = (1 << 16) - 1,
};

static void put_head(struct buf *b, enum entry_type type)
{
    buf_u8(b, type);
    buf_u8(b, versions[type]);
}

static unsigned fields_of(const struct entry_signal *e)
{
    const struct signal *s = &e->sig;
    return (s->uscc.n ? F_USCC : 0) | (s->name.n ? F_NAME : 0) | (s->region.n ? F_REGION : 0) |
           (s->industry.n ? F_INDUSTRY : 0) | (s->amount != NO_INT ? F_AMOUNT : 0) |
           (s->people != NO_INT ? F_PEOPLE : 0) | (s->since != NO_INT ? F_SINCE : 0) |
           (s->project.n ? F_PROJECT : 0) | (s->role ? F_ROLE : 0) | (s->owner.n ? F_OWNER : 0) |
           (s->status ? F_STATUS : 0) | (s->ref.n ? F_REF : 0) | (e->has_note ? F_NOTE : 0) |
           (s->cancels.n ? F_CANCELS : 0) | (s->n_attrs ? F_ATTRS : 0) | (e->binds_name ? F_BINDS_NAME : 0);
}

static void put_attrs(struct buf *b, const struct signal *s)
{
    buf_u8(b, s->n_attrs);
    for (int i = 0; i < s->n_attrs; i++) {
        const struct signal_attr *a = &s->attrs[i];
        buf_slice(b, a->key);
        buf_u8(b, a->text.p != NULL);
        if (a->text.p)
            buf_slice(b, a->text);
        else
            buf_zigzag(b, a->number);
    }
}

void entry_put_signal(struct buf *b, const struct entry_signal *e)
{
    const struct signal *s = &e->sig;
    unsigned f = fields_of(e);
    put_head(b, ENTRY_SIGNAL);
    buf_u16(b, (uint16_t)f);
    buf_put(b, e->id_hash, sizeof e->id_hash);
    buf_slice(b, s->id);
    buf_slice(b, s->kind);
    buf_slice(b, e->source);
    buf_zigzag(b, s->at);
    const struct slice texts[] = {s->uscc, s->name, s->region, s->industry};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (f & F_USCC << i)
            buf_slice(b, texts[i]);
    const int64_t numbers[] = {s->amount, s->people, s->since};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (f & F_AMOUNT << i)
            buf_zigzag(b, numbers[i]);
    if (f & F_PROJECT)
        buf_slice(b, s->project);
    if (f & F_ROLE)
        buf_u8(b, s->role);
    if (f & F_OWNER)
        buf_slice(b, s->owner);
    if (f & F_STATUS)
        buf_u8(b, s->status);
    if (f & F_REF)
        buf_slice(b, s->ref);
    if (f & F_NOTE)
        buf_put(b, e->note_hash, NOTE_HASH_LEN);
    if (f & F_CANCELS) {
        buf_slice(b, s->cancels);
        buf_put(b, e->cancels_hash, sizeof e->cancels_hash);
    }
    if (f & F_ATTRS)
        put_attrs(b, s);
}

static void get_attrs(struct rd *r, struct signal *s)
{
    s->n_attrs = rd_u8(r);
    if (s->n_attrs > SIGNAL_ATTRS_MAX)
        r->bad = true;
    for (int i = 0; i < s->n_attrs && !r->bad; i++) {
        struct signal_attr *a = &s->attrs[i];
        *a = (struct signal_attr){.key = rd_slice(r), .number = NO_INT};
        if (rd_u8(r))
            a->text = rd_slice(r);
        else
            a->number = rd_zigzag(r);
    }
}

static void get_signal(struct rd *r, struct entry_signal *e)
{
    struct signal *s = &e->sig;
    memset(s, 0, offsetof(struct signal, attrs));
    unsigned f = rd_u16(r);
    const uint8_t *hash = rd_bytes(r, sizeof e->id_hash);
    if (hash)
        memcpy(e->id_hash, hash, sizeof e->id_hash);
    s->id = rd_slice(r);
    s->kind = rd_slice(r);
    e->source = rd_slice(r);
    s->at = rd_zigzag(r);
    struct slice *const texts[] = {&s->uscc, &s->name, &s->region, &s->industry};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (f & F_USCC << i)
            *texts[i] = rd_slice(r);
    int64_t *const numbers[] = {&s->amount, &s->people, &s->since};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        *numbers[i] = f & F_AMOUNT << i ? rd_zigzag(r) : NO_INT;
    if (f & F_PROJECT)
        s->project = rd_slice(r);
    s->role = f & F_ROLE ? rd_u8(r) : 0;
    if (f & F_OWNER)
        s->owner = rd_slice(r);
    s->status = f & F_STATUS ? rd_u8(r) : 0;
    if (f & F_REF)
        s->ref = rd_slice(r);
    e->has_note = f & F_NOTE;
    const uint8_t *note = e->has_note ? rd_bytes(r, NOTE_HASH_LEN) : NULL;
    if (note)
        memcpy(e->note_hash, note, NOTE_HASH_LEN);
    if (f & F_CANCELS) {
        s->cancels = rd_slice(r);
        const uint8_t *cancels = rd_bytes(r, sizeof e->cancels_hash);
        if (cancels)
            memcpy(e->cancels_hash, cancels, sizeof e->cancels_hash);
    }
    if (f & F_ATTRS)
        get_attrs(r, s);
    e->binds_name = f & F_BINDS_NAME;
    if (s->role >= ROLE_COUNT || s->status >= STATUS_COUNT || (s->uscc.n && s->uscc.n != 18) ||
        (!s->uscc.n && !s->name.n) || (s->owner.n && s->owner.n != 32))
        r->bad = true;
}

void entry_put_config(struct buf *b, struct slice hash, const struct tree *tree)
{
    put_head(b, ENTRY_CONFIG);
    buf_slice(b, hash);
    tree_encode(tree, b);
}

void entry_put_tick(struct buf *b)
{
    put_head(b, ENTRY_TICK);
}

void entry_put_sweep(struct buf *b, const struct ekey *keys, size_t n)
{
    put_head(b, ENTRY_SWEEP);
    buf_varint(b, n);
    for (size_t i = 0; i < n; i++)
        buf_put(b, keys[i].b, EKEY_LEN);
}

static void get_sweep(struct rd *r, struct entry_sweep *e)
{
    e->n = rd_count(r, EKEY_LEN);
    e->keys = (const struct ekey *)(const void *)rd_bytes(r, e->n * EKEY_LEN);
    if (e->n > SWEEP_MAX)
        r->bad = true;
}

void entry_put_action(struct buf *b, const struct entry_action *a)
{
    put_head(b, ENTRY_ACTION);
    buf_put(b, a->key.b, EKEY_LEN);
    buf_u8(b, a->may);
    buf_u8(b, a->has_note);
    if (a->has_note)
        buf_put(b, a->note_hash, NOTE_HASH_LEN);
    const uint64_t unsigneds[] = {a->alert, a->version, a->undo};
    for (size_t i = 0; i < ARRAY_LEN(unsigneds); i++)
        buf_varint(b, unsigneds[i]);
    const struct slice texts[] = {a->principal, a->actor,   a->what, a->finding,
                                  a->outcome,   a->measure, a->ref,  a->team};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        buf_slice(b, texts[i]);
    const int64_t numbers[] = {a->people, a->amount, a->due, a->until, a->paid_people, a->paid_amount};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        buf_zigzag(b, numbers[i]);
    const struct slice later[] = {a->name, a->uscc, a->role, a->own_team};
    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        buf_slice(b, later[i]);
    buf_varint(b, a->signal);
    buf_slice(b, a->as);
    buf_slice(b, a->duty);
}

static void get_action(struct rd *r, struct entry_action *a, uint8_t version)
{
    const uint8_t *key = rd_bytes(r, EKEY_LEN);
    if (key)
        memcpy(a->key.b, key, EKEY_LEN);
    a->may = rd_u8(r);
    a->has_note = rd_u8(r);
    const uint8_t *note = a->has_note ? rd_bytes(r, NOTE_HASH_LEN) : NULL;
    if (note)
        memcpy(a->note_hash, note, NOTE_HASH_LEN);
    uint64_t *const unsigneds[] = {&a->alert, &a->version, &a->undo};
    for (size_t i = 0; i < ARRAY_LEN(unsigneds); i++)
        *unsigneds[i] = rd_varint(r);
    struct slice *const texts[] = {&a->principal, &a->actor,   &a->what, &a->finding,
                                   &a->outcome,   &a->measure, &a->ref,  &a->team};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = rd_slice(r);
    int64_t *const numbers[] = {&a->people, &a->amount, &a->due, &a->until, &a->paid_people, &a->paid_amount};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        *numbers[i] = rd_zigzag(r);
    struct slice *const later[] = {&a->name, &a->uscc, &a->role, &a->own_team};
    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        *later[i] = version >= 2 ? rd_slice(r) : (struct slice){0};
    a->signal = version >= 3 ? rd_varint(r) : 0;
    a->as = version >= 3 ? rd_slice(r) : (struct slice){0};
    a->duty = version >= 4 ? rd_slice(r) : (struct slice){0};
}

void entry_put_presence(struct buf *b, const struct entry_presence *p)
{
    put_head(b, ENTRY_PRESENCE);
    buf_slice(b, p->team);
    buf_u8(b, p->listening);
    buf_varint(b, p->n_wishes);
    for (uint32_t i = 0; i < p->n_wishes; i++) {
        const struct entry_wish *w = &p->wishes[i];
        buf_u8(b, w->min_level);
        buf_varint(b, w->n_regions);
        for (uint32_t k = 0; k < w->n_regions; k++)
            buf_varint(b, w->regions[k]);
        buf_varint(b, w->n_industries);
        for (uint32_t k = 0; k < w->n_industries; k++)
            buf_slice(b, w->industries[k]);
    }
}

static void get_wish(struct rd *r, struct arena *arena, struct entry_wish *w)
{
    w->min_level = rd_u8(r);
    w->n_regions = (uint32_t)rd_count(r, 1);
    region_t *regions = arena_alloc(arena, (w->n_regions + 1) * sizeof *regions);
    for (uint32_t k = 0; k < w->n_regions; k++)
        regions[k] = rd_varint(r);
    w->regions = regions;
    w->n_industries = (uint32_t)rd_count(r, 1);
    struct slice *industries = arena_alloc(arena, (w->n_industries + 1) * sizeof *industries);
    for (uint32_t k = 0; k < w->n_industries; k++)
        industries[k] = rd_slice(r);
    w->industries = industries;
    if (w->min_level >= LEVEL_COUNT)
        r->bad = true;
}

static void get_presence(struct rd *r, struct arena *arena, struct entry_presence *p, uint8_t version)
{
    p->team = rd_slice(r);
    p->listening = rd_u8(r);
    p->n_wishes = version >= 2 ? (uint32_t)rd_count(r, 3) : 0;
    struct entry_wish *wishes = arena_zalloc(arena, (p->n_wishes + 1) * sizeof *wishes);
    for (uint32_t i = 0; i < p->n_wishes && !r->bad; i++)
        get_wish(r, arena, &wishes[i]);
    p->wishes = wishes;
}

bool entry_read_presence(struct rd *r, struct arena *arena, struct entry_presence *p)
{
    uint8_t type = rd_u8(r), version = rd_u8(r);
    if (type != ENTRY_PRESENCE || version == 0 || version > versions[ENTRY_PRESENCE])
        r->bad = true;
    else
        get_presence(r, arena, p, version);
    return !r->bad;
}

static int get_config(struct rd *r, struct arena *arena, struct entry_config *c, struct err *err)
{
    struct tree *tree;
    c->hash = rd_slice(r);
    if (tree_decode(r, arena, &tree) < 0)
        return err_set(err, WW_EDAMAGED, "journal: a configuration entry does not decode; run 'wagewarn verify'");
    c->tree = tree;
    return 0;
}

int entry_get(struct slice bytes, struct arena *arena, struct entry *e, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    e->type = rd_u8(&r);
    uint8_t version = rd_u8(&r);
    if (e->type < ENTRY_TYPE_END && (version == 0 || version > versions[e->type]))
        return err_set(err, WW_EDAMAGED, "journal: an entry of a version that this program does not know; upgrade it");
    switch (e->type) {
    case ENTRY_SIGNAL:
        get_signal(&r, &e->signal);
        break;
    case ENTRY_CONFIG:
        if (get_config(&r, arena, &e->config, err) < 0)
            return WW_EDAMAGED;
        break;
    case ENTRY_TICK:
        break;
    case ENTRY_SWEEP:
        get_sweep(&r, &e->sweep);
        break;
    case ENTRY_ACTION:
        get_action(&r, &e->action, version);
        break;
    case ENTRY_PRESENCE:
        get_presence(&r, arena, &e->presence, version);
        break;
    default:
        r.bad = true;
    }
    if (r.bad || rd_left(&r))
        return err_set(err, WW_EDAMAGED, "journal: the bytes of an entry make no sense; run 'wagewarn verify'");
    return 0;
}
