/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies to values and back, and the signals of a batch straight from their bytes. Owns no memory: what is
 * decoded lies in the caller's arena or in the message, what is encoded in the caller's buffer. */
#include "lib/codec.h"

#include "lib/scan.h"

#include <msgpack.h>
#include <stdlib.h>

/* ---- a key twice ---- */

static int compare_keys(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->n ? memcmp(x->p, y->p, x->n) : 0;
}

/* Sorts many, so that a body of a hundred thousand keys costs no more than its length deserves. */
static bool any_twice(struct slice *keys, size_t n)
{
    enum { FEW = 16 };
    if (n > FEW)
        qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 1; i < n; i++)
        for (size_t k = n > FEW ? i - 1 : 0; k < i; k++)
            if (slice_eq(keys[i], keys[k]))
                return true;
    return false;
}

/* ---- any body, by msgpack-c ---- */

static void copy_value(struct arena *, const msgpack_object *, struct ww_value *);

static struct slice copy_text(struct arena *a, const msgpack_object_str *s)
{
    return arena_slice(a, (struct slice){s->size ? s->ptr : "", s->size});
}

static void copy_list(struct arena *a, const msgpack_object_array *list, struct ww_value *out)
{
    out->type = WW_LIST;
    out->n = list->size;
    out->items = arena_alloc(a, list->size * sizeof *out->items);
    for (uint32_t i = 0; i < list->size; i++)
        copy_value(a, &list->ptr[i], &out->items[i]);
}

/* Pairs whose key is no text cannot be asked for: they are left out. */
static void copy_map(struct arena *a, const msgpack_object_map *map, struct ww_value *out)
{
    out->type = WW_MAP;
    out->n = 0;
    out->items = arena_alloc(a, map->size * sizeof *out->items);
    out->keys = arena_alloc(a, map->size * sizeof *out->keys);
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object_kv *kv = &map->ptr[i];
        if (kv->key.type != MSGPACK_OBJECT_STR)
            continue;
        out->keys[out->n] = copy_text(a, &kv->key.via.str);
        copy_value(a, &kv->val, &out->items[out->n++]);
    }
}

/* Depth is bounded by lib/scan. What the protocol has no word for, floats, bytes, extensions, reads as nil:
 * of a wrong type wherever something is expected. */
static void copy_value(struct arena *a, const msgpack_object *o, struct ww_value *out)
{
    *out = (struct ww_value){.type = WW_NIL};
    switch (o->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        out->type = WW_BOOL;
        out->b = o->via.boolean;
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        out->type = o->via.u64 <= INT64_MAX ? WW_INT : WW_UINT;
        out->u = o->via.u64;
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        out->type = WW_INT;
        out->i = o->via.i64;
        break;
    case MSGPACK_OBJECT_STR: {
        struct slice s = copy_text(a, &o->via.str);
        out->type = WW_STR;
        out->s = s.p;
        out->n = (uint32_t)s.n;
        break;
    }
    case MSGPACK_OBJECT_ARRAY:
        copy_list(a, &o->via.array, out);
        break;
    case MSGPACK_OBJECT_MAP:
        copy_map(a, &o->via.map, out);
        break;
    default:
        break;
    }
}

int codec_body(struct slice body, struct arena *a, const struct ww_value **out, struct err *err)
{
    const char *fault = scan_body(body.p, body.n);
    if (fault)
        return err_set(err, WW_EINPUT, "%s", fault);
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t at = 0;
    int rc = 0;
    if (msgpack_unpack_next(&unpacked, body.p, body.n, &at) == MSGPACK_UNPACK_SUCCESS) {
        struct ww_value *v = arena_alloc(a, sizeof *v);
        copy_value(a, &unpacked.data, v);
        *out = v;
        struct slice *keys = arena_copy(a, v->keys, v->n * sizeof *keys);
        if (any_twice(keys, v->n))
            rc = err_set(err, WW_EINPUT, "a key is twice in the body");
    } else {
        rc = err_set(err, WW_EINPUT, "the body is malformed msgpack");
    }
    msgpack_unpacked_destroy(&unpacked);
    return rc;
}

/* ---- signals, straight from the bytes ---- */

struct field;
typedef void take_fn(struct signal_in *, const struct field *, const struct scan_item *,
                     struct scan_cursor *);
static take_fn take_text, take_int, take_role, take_status, take_attrs;

/* Sorted by length: fields_of() finds those of one length. */
/* clang-format off */
#define FIELD(key, what, take) \
    {#key, sizeof #key - 1, offsetof(struct signal, key), take, #key " must be " what}
/* clang-format on */
static const struct field {
    const char *key;
    uint8_t length;
    uint16_t offset;
    take_fn *take;
    const char *wrong;
} fields[] = {
    FIELD(id, "a text", take_text),
    FIELD(at, "a whole number of milliseconds", take_int),
    FIELD(ref, "a text", take_text),
    FIELD(kind, "a text", take_text),
    FIELD(uscc, "a text", take_text),
    FIELD(name, "a text", take_text),
    FIELD(role, "one of client, general, sub, labour", take_role),
    FIELD(note, "a text", take_text),
    FIELD(since, "a whole number of milliseconds", take_int),
    FIELD(owner, "a text", take_text),
    FIELD(attrs, "a map of texts to texts or whole numbers, each key once", take_attrs),
    FIELD(region, "a text of digits", take_text),
    FIELD(amount, "a whole number of fen", take_int),
    FIELD(people, "a whole number", take_int),
    FIELD(status, "one of actual, exercise, test", take_status),
    FIELD(project, "a text", take_text),
    FIELD(cancels, "a text", take_text),
    FIELD(industry, "a text", take_text),
};
#undef FIELD

enum { KEY_MAX = 8 };
static const uint8_t first_of_length[KEY_MAX + 2] = {0, 0, 0, 2, 3, 8, 11, 15, 17, 18};
_Static_assert(ARRAY_LEN(fields) == 18, "first_of_length ends with the number of fields");

static bool same_key(const char *a, const char *b, size_t n)
{
    while (n && a[n - 1] == b[n - 1]) /* keys of one length differ at their ends, and memcmp is a call */
        n--;
    return !n;
}

static const struct field *field_of(struct slice key)
{
    if (key.n > KEY_MAX)
        return NULL;
    for (size_t i = first_of_length[key.n]; i < first_of_length[key.n + 1]; i++)
        if (same_key(fields[i].key, key.p, key.n))
            return &fields[i];
    return NULL;
}

/* The first fault of a signal is the one that is told. */
static void fault(struct signal_in *in, enum reject_code code, const char *field, const char *what)
{
    if (in->why.code == REJECT_NONE)
        in->why = (struct reject){code, field, what};
}

static void wrong(struct signal_in *in, const struct field *f)
{
    fault(in, REJECT_BAD_FIELD, f->key, f->wrong);
}

static void *place(struct signal_in *in, const struct field *f)
{
    return (char *)&in->sig + f->offset;
}

/* A whole number that int64 holds. The lowest stands for "not given", so it becomes its neighbour,
 * as impossible. */
static bool int_of(const struct scan_item *it, int64_t *out)
{
    int64_t v = (int64_t)it->number;
    if (it->type != SCAN_NEGATIVE && (it->type != SCAN_UINT || v < 0))
        return false;
    *out = v == NO_INT ? NO_INT + 1 : v;
    return true;
}

static void take_text(struct signal_in *in, const struct field *f, const struct scan_item *it,
                      struct scan_cursor *c)
{
    (void)c;
    if (it->type == SCAN_STR)
        *(struct slice *)place(in, f) = it->text;
    else
        wrong(in, f);
}

static void take_int(struct signal_in *in, const struct field *f, const struct scan_item *it,
                     struct scan_cursor *c)
{
    (void)c;
    if (!int_of(it, place(in, f)))
        wrong(in, f);
}

static void take_word(struct signal_in *in, const struct field *f, const struct scan_item *it,
                      int (*of)(struct slice))
{
    int number = it->type == SCAN_STR ? of(it->text) : -1;
    if (number >= 0)
        *(uint8_t *)place(in, f) = (uint8_t)number;
    else
        wrong(in, f);
}

static void take_role(struct signal_in *in, const struct field *f, const struct scan_item *it,
                      struct scan_cursor *c)
{
    (void)c;
    take_word(in, f, it, role_of);
}

static void take_status(struct signal_in *in, const struct field *f, const struct scan_item *it,
                        struct scan_cursor *c)
{
    (void)c;
    take_word(in, f, it, status_of);
}

/* One pair of attrs, whose key was read; false when it is none. The cursor is then behind its value
 * in any case. */
static bool take_attr(struct signal *s, const struct scan_item *key, struct scan_cursor *c)
{
    struct scan_item value;
    struct signal_attr a = {.key = key->text, .number = NO_INT};
    if (!scan_next(c, &value) || !scan_skip(c, &value) || key->type != SCAN_STR)
        return false;
    if (value.type == SCAN_STR)
        a.text = value.text;
    else if (!int_of(&value, &a.number))
        return false;
    for (size_t i = 0; i < s->n_attrs; i++)
        if (slice_eq(s->attrs[i].key, a.key))
            return false;
    s->attrs[s->n_attrs++] = a;
    return true;
}

static void take_attrs(struct signal_in *in, const struct field *f, const struct scan_item *it,
                       struct scan_cursor *c)
{
    struct scan_item key;
    if (it->type != SCAN_MAP) {
        wrong(in, f);
        return;
    }
    if (it->n > SIGNAL_ATTRS_MAX) {
        fault(in, REJECT_TOO_LARGE, f->key, "attrs has more than 16 pairs");
        return;
    }
    struct scan_cursor own = *c;
    for (uint32_t i = 0; i < it->n; i++)
        if (!scan_next(&own, &key) || !scan_skip(&own, &key) || !take_attr(&in->sig, &key, &own))
            wrong(in, f);
}

/* Keys that the protocol does not know are ignored, but may not be there twice either. */
struct unknown {
    struct slice *keys;
    size_t n;
};

static void note_unknown(struct unknown *u, struct slice key, uint32_t pairs, struct arena *a)
{
    if (!u->keys)
        u->keys = arena_alloc(a, pairs * sizeof *u->keys);
    u->keys[u->n++] = key;
}

/* `pairs` keys and values at the cursor, which scan_body has found well-formed. */
static void take_signal(struct scan_cursor *c, uint32_t pairs, struct arena *a, struct signal_in *in)
{
    struct unknown unknown = {0};
    uint32_t seen = 0;
    struct scan_item key, value;
    for (uint32_t i = 0; i < pairs; i++) {
        if (!scan_next(c, &key) || !scan_skip(c, &key) || !scan_next(c, &value))
            return;
        const struct field *f = key.type == SCAN_STR ? field_of(key.text) : NULL;
        uint32_t bit = f ? UINT32_C(1) << (f - fields) : 0;
        if (key.type != SCAN_STR)
            fault(in, REJECT_BAD_FIELD, NULL, "a key of the signal is no text");
        else if (!f)
            note_unknown(&unknown, key.text, pairs, a);
        else if (seen & bit)
            fault(in, REJECT_BAD_FIELD, f->key, "the key is twice in the signal");
        else
            f->take(in, f, &value, c);
        seen |= bit;
        if (!scan_skip(c, &value))
            return;
    }
    if (any_twice(unknown.keys, unknown.n))
        fault(in, REJECT_BAD_FIELD, NULL, "a key is twice in the signal");
}

/* Only the head of the signal: the places of attrs count as far as n_attrs says. */
static void clear_signal(struct signal_in *in)
{
    memset(&in->sig, 0, offsetof(struct signal, attrs));
    in->sig.at = in->sig.amount = in->sig.people = in->sig.since = NO_INT;
    in->why = (struct reject){REJECT_NONE, NULL, NULL};
}

static void take_batch(struct scan_cursor c, struct arena *a, struct signals_body *out)
{
    struct scan_item it;
    out->batch = arena_alloc(a, out->n * sizeof *out->batch);
    for (size_t i = 0; i < out->n; i++) {
        struct signal_in *in = &out->batch[i];
        clear_signal(in);
        if (!scan_next(&c, &it))
            return;
        if (it.type == SCAN_MAP) {
            take_signal(&c, it.n, a, in);
        } else {
            fault(in, REJECT_BAD_FIELD, NULL, "an item of the batch is no map");
            if (!scan_skip(&c, &it))
                return;
        }
    }
}

/* Where the values that matter are in a body. */
struct outline {
    bool has_rid, has_batch;
    struct scan_item rid, batch;
    struct scan_cursor items; /* the batch's first */
};

/* Returns false when a key is twice in the body. */
static bool outline_body(struct slice body, struct arena *a, struct outline *o)
{
    struct scan_cursor c = {(const uint8_t *)body.p, (const uint8_t *)body.p + body.n};
    struct scan_item map, key, value;
    if (!scan_next(&c, &map))
        return false;
    assert(map.type == SCAN_MAP);
    struct slice *keys = arena_alloc(a, map.n * sizeof *keys);
    for (uint32_t i = 0; i < map.n; i++) {
        if (!scan_next(&c, &key) || !scan_next(&c, &value))
            return false;
        keys[i] = key.text;
        if (slice_is(key.text, "rid")) {
            o->has_rid = true;
            o->rid = value;
        } else if (slice_is(key.text, "batch")) {
            o->has_batch = true;
            o->batch = value;
            o->items = c;
        }
        if (!scan_skip(&c, &value))
            return false;
    }
    return !any_twice(keys, map.n);
}

int codec_signals(struct slice body, size_t max_batch, struct arena *a, struct signals_body *out,
                  struct err *err)
{
    struct outline o = {0};
    const char *malformed = scan_body(body.p, body.n);
    *out = (struct signals_body){0};
    if (malformed)
        return err_set(err, WIRE_ERROR_BAD_MESSAGE, "%s", malformed);
    bool once = outline_body(body, a, &o);
    if (o.has_rid && o.rid.type == SCAN_UINT) {
        out->has_rid = true;
        out->rid = o.rid.number;
    }
    if (!once)
        return err_set(err, WIRE_ERROR_BAD_MESSAGE, "a key is twice in the body");
    if (o.has_rid && !out->has_rid)
        return err_set(err, WIRE_ERROR_BAD_FIELD, "rid must be an unsigned number");
    if (!o.has_batch)
        return err_set(err, WIRE_ERROR_MISSING_FIELD, "batch is missing: a list of signals");
    if (o.batch.type != SCAN_LIST)
        return err_set(err, WIRE_ERROR_BAD_FIELD, "batch must be a list of signals");
    if (o.batch.n > max_batch)
        return err_set(err, WIRE_ERROR_TOO_LARGE, "batch has %u signals; send at most %zu at a time",
                       o.batch.n, max_batch);
    out->n = o.batch.n;
    take_batch(o.items, a, out);
    return 0;
}

/* ---- encoding ---- */

static int put_bytes(void *buf, const char *p, size_t n)
{
    buf_put(buf, p, n);
    return 0;
}

static msgpack_packer packer(struct buf *b)
{
    msgpack_packer pk;
    msgpack_packer_init(&pk, b, put_bytes);
    return pk;
}

void enc_map(struct buf *b, size_t pairs)
{
    msgpack_packer pk = packer(b);
    msgpack_pack_map(&pk, pairs);
}

void enc_list(struct buf *b, size_t items)
{
    msgpack_packer pk = packer(b);
    msgpack_pack_array(&pk, items);
}

void enc_slice(struct buf *b, struct slice s)
{
    msgpack_packer pk = packer(b);
    msgpack_pack_str(&pk, s.n);
    buf_put(b, s.p, s.n);
}

void enc_str(struct buf *b, const char *s)
{
    enc_slice(b, slice_of(s));
}

void enc_int(struct buf *b, int64_t v)
{
    msgpack_packer pk = packer(b);
    msgpack_pack_int64(&pk, v);
}

void enc_uint(struct buf *b, uint64_t v)
{
    msgpack_packer pk = packer(b);
    msgpack_pack_uint64(&pk, v);
}

void enc_bool(struct buf *b, bool v)
{
    msgpack_packer pk = packer(b);
    if (v)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
}

void enc_nil(struct buf *b)
{
    msgpack_packer pk = packer(b);
    msgpack_pack_nil(&pk);
}

/* A header of the widest form, whose count enc_close() fills in. */
enum { LIST32 = 0xdd, MAP32 = 0xdf };

static struct enc_open open_with(struct buf *b, uint8_t header)
{
    struct enc_open o = {.b = b, .at = b->n};
    static const uint8_t count[4] = {0};
    buf_u8(b, header);
    buf_put(b, count, sizeof count);
    return o;
}

struct enc_open enc_map_open(struct buf *b)
{
    return open_with(b, MAP32);
}

struct enc_open enc_list_open(struct buf *b)
{
    return open_with(b, LIST32);
}

void enc_close(struct enc_open *o)
{
    uint8_t *p = o->b->p + o->at + 1;
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(o->n >> (24 - 8 * i));
}

void enc_key(struct enc_open *o, const char *key)
{
    o->n++;
    enc_str(o->b, key);
}

void enc_item(struct enc_open *o)
{
    o->n++;
}

void enc_kv_slice(struct enc_open *o, const char *key, struct slice value)
{
    if (!value.p)
        return;
    enc_key(o, key);
    enc_slice(o->b, value);
}

void enc_kv_str(struct enc_open *o, const char *key, const char *value)
{
    enc_kv_slice(o, key, slice_of(value));
}

void enc_kv_int(struct enc_open *o, const char *key, int64_t value)
{
    enc_key(o, key);
    enc_int(o->b, value);
}

void enc_kv_uint(struct enc_open *o, const char *key, uint64_t value)
{
    enc_key(o, key);
    enc_uint(o->b, value);
}

void enc_kv_bool(struct enc_open *o, const char *key, bool value)
{
    enc_key(o, key);
    enc_bool(o->b, value);
}

static void enc_items(struct buf *b, const struct ww_value *v)
{
    for (uint32_t i = 0; i < v->n; i++) {
        if (v->type == WW_MAP)
            enc_slice(b, v->keys[i]);
        enc_value(b, &v->items[i]);
    }
}

void enc_value(struct buf *b, const struct ww_value *v)
{
    switch (ww_type(v)) {
    case WW_NIL:
        enc_nil(b);
        break;
    case WW_BOOL:
        enc_bool(b, v->b);
        break;
    case WW_INT:
        enc_int(b, v->i);
        break;
    case WW_UINT:
        enc_uint(b, v->u);
        break;
    case WW_STR:
        enc_slice(b, (struct slice){v->s, v->n});
        break;
    case WW_LIST:
        enc_list(b, v->n);
        enc_items(b, v);
        break;
    case WW_MAP:
        enc_map(b, v->n);
        enc_items(b, v);
        break;
    }
}

/* ---- signals, as a client sends them ---- */

/* clang-format off */
#define TEXT(key)   {#key, offsetof(struct ww_signal, key), false}
#define NUMBER(key) {#key, offsetof(struct ww_signal, key), true}
/* clang-format on */
static const struct client_field {
    const char *key;
    size_t offset;
    bool is_number;
} client_fields[] = {
    TEXT(id),       TEXT(kind),     NUMBER(at),     TEXT(uscc),    TEXT(name),    TEXT(region),
    TEXT(industry), NUMBER(amount), NUMBER(people), NUMBER(since), TEXT(project), TEXT(role),
    TEXT(owner),    TEXT(status),   TEXT(ref),      TEXT(note),    TEXT(cancels),
};
#undef TEXT
#undef NUMBER

static void put_attrs(struct enc_open *o, const struct ww_signal *s)
{
    if (!s->n_attrs)
        return;
    enc_key(o, "attrs");
    enc_map(o->b, s->n_attrs);
    for (size_t i = 0; i < s->n_attrs; i++) {
        enc_str(o->b, s->attrs[i].key);
        if (s->attrs[i].text)
            enc_str(o->b, s->attrs[i].text);
        else
            enc_int(o->b, s->attrs[i].number);
    }
}

static void put_signal(struct buf *b, const struct ww_signal *s)
{
    struct enc_open o = enc_map_open(b);
    for (size_t i = 0; i < ARRAY_LEN(client_fields); i++) {
        const struct client_field *f = &client_fields[i];
        const char *p = (const char *)s + f->offset;
        if (!f->is_number)
            enc_kv_str(&o, f->key, *(const char *const *)p);
        else if (*(const int64_t *)p != WW_ABSENT)
            enc_kv_int(&o, f->key, *(const int64_t *)p);
    }
    put_attrs(&o, s);
    enc_close(&o);
}

void codec_put_signals(struct buf *b, uint64_t rid, const struct ww_signal *signals, size_t n)
{
    enc_map(b, 2);
    enc_str(b, "rid");
    enc_uint(b, rid);
    enc_str(b, "batch");
    enc_list(b, n);
    for (size_t i = 0; i < n; i++)
        put_signal(b, &signals[i]);
}
