/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/keep.h"

#include "lib/hash.h"

enum { SIGNAL_LEAST = 3, ATTRS_MAX = 16 };

/* Fields of a signal in the order of their bits; append only. */
#define AT(field) offsetof(struct ww_signal, field)
static const size_t texts[] = {AT(id),       AT(kind),    AT(uscc),   AT(name),  AT(region),
                               AT(industry), AT(project), AT(role),   AT(owner), AT(status),
                               AT(ref),      AT(note),    AT(cancels)};
static const size_t numbers[] = {AT(at), AT(amount), AT(people), AT(since)};
#undef AT

static void begin(struct buf *b)
{
    buf_reset(b);
    buf_u32(b, 0);
    buf_u8(b, KEEP_VERSION);
}

static void end(struct buf *b)
{
    uint32_t crc = crc32c(0, b->p + 4, b->n - 4);
    for (size_t i = 0; i < 4; i++)
        b->p[i] = (uint8_t)(crc >> (8 * i));
}

static bool check(struct slice s, struct rd *r)
{
    *r = rd_of(s.p, s.n);
    uint32_t crc = rd_u32(r);
    return s.n >= KEEP_HEAD && crc == crc32c(0, s.p + 4, s.n - 4) && rd_u8(r) == KEEP_VERSION;
}

/* ---- signals ---- */

static void put_signal(struct buf *b, const struct ww_signal *s)
{
    uint64_t there = 0;
    const char *p = (const char *)s, *text[ARRAY_LEN(texts)];
    int64_t number[ARRAY_LEN(numbers)];
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        memcpy(&text[i], p + texts[i], sizeof text[i]);
        there |= (uint64_t)(text[i] != NULL) << i;
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        memcpy(&number[i], p + numbers[i], sizeof number[i]);
        there |= (uint64_t)(number[i] != WW_ABSENT) << (ARRAY_LEN(texts) + i);
    }
    buf_varint(b, there);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (text[i])
            buf_slice(b, slice_of(text[i]));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (number[i] != WW_ABSENT)
            buf_zigzag(b, number[i]);
    buf_varint(b, s->n_attrs);
    for (size_t i = 0; i < s->n_attrs; i++) {
        buf_slice(b, slice_of(s->attrs[i].key));
        buf_u8(b, s->attrs[i].text != NULL);
        if (s->attrs[i].text)
            buf_slice(b, slice_of(s->attrs[i].text));
        else
            buf_zigzag(b, s->attrs[i].number);
    }
}

void keep_signals(struct buf *b, const struct ww_signal *s, size_t n)
{
    begin(b);
    buf_varint(b, n);
    for (size_t i = 0; i < n; i++)
        put_signal(b, &s[i]);
    end(b);
}

static const char *text_of(struct rd *r, struct arena *a)
{
    return arena_slice(a, rd_slice(r)).p;
}

static void read_attrs(struct rd *r, struct arena *a, struct ww_signal *s)
{
    size_t n = rd_count(r, 3);
    if (n > ATTRS_MAX || n == 0) {
        r->bad |= n > 0;
        return;
    }
    struct ww_attr *list = arena_zalloc(a, n * sizeof *list);
    for (size_t i = 0; i < n; i++) {
        list[i].key = text_of(r, a);
        if (rd_u8(r))
            list[i].text = text_of(r, a);
        else
            list[i].number = rd_zigzag(r);
    }
    s->attrs = list;
    s->n_attrs = n;
}

static void read_signal(struct rd *r, struct arena *a, struct ww_signal *s)
{
    char *p = (char *)s;
    uint64_t there = rd_varint(r);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = there >> i & 1 ? text_of(r, a) : NULL;
        memcpy(p + texts[i], &text, sizeof text);
    }
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        int64_t number = there >> (ARRAY_LEN(texts) + i) & 1 ? rd_zigzag(r) : WW_ABSENT;
        memcpy(p + numbers[i], &number, sizeof number);
    }
    read_attrs(r, a, s);
}

bool keep_read_signals(struct slice bytes, struct arena *a, struct ww_signal **out, size_t *n)
{
    struct rd r;
    if (!check(bytes, &r))
        return false;
    *n = rd_count(&r, SIGNAL_LEAST);
    *out = arena_zalloc(a, (*n + 1) * sizeof **out);
    for (size_t i = 0; i < *n && !r.bad; i++)
        read_signal(&r, a, &(*out)[i]);
    return !r.bad && rd_left(&r) == 0;
}

/* ---- progress ---- */

void keep_progress(struct buf *b, const struct progress *p)
{
    const struct tally *t = &p->tally;
    begin(b);
    buf_varint(b, p->position.offset);
    buf_varint(b, p->position.line);
    buf_varint(b, p->position.record);
    buf_u32(b, p->position.check);
    buf_varint(b, p->rejects);
    buf_u8(b, p->done);
    buf_slice(b, slice_of(p->store));
    buf_varint(b, t->records);
    buf_varint(b, t->sent);
    buf_varint(b, t->accepted);
    buf_varint(b, t->duplicates);
    buf_varint(b, t->ignored);
    buf_varint(b, t->n_rejected);
    for (size_t i = 0; i < t->n_rejected; i++) {
        buf_slice(b, slice_of(t->rejected[i].code));
        buf_varint(b, t->rejected[i].n);
    }
    end(b);
}

static void read_word(struct rd *r, char *out, size_t cap)
{
    struct slice s = rd_slice(r);
    if (s.n >= cap || (s.n && memchr(s.p, 0, s.n))) {
        r->bad = true;
        return;
    }
    memcpy(out, s.n ? s.p : "", s.n);
    out[s.n] = 0;
}

bool keep_read_progress(struct slice bytes, struct progress *p)
{
    struct rd r;
    struct tally *t = &p->tally;
    *p = (struct progress){0};
    if (!check(bytes, &r))
        return false;
    p->position.offset = rd_varint(&r);
    p->position.line = rd_varint(&r);
    p->position.record = rd_varint(&r);
    p->position.check = rd_u32(&r);
    p->rejects = rd_varint(&r);
    p->done = rd_u8(&r) != 0;
    read_word(&r, p->store, sizeof p->store);
    t->records = rd_varint(&r);
    t->sent = rd_varint(&r);
    t->accepted = rd_varint(&r);
    t->duplicates = rd_varint(&r);
    t->ignored = rd_varint(&r);
    t->n_rejected = rd_count(&r, 2);
    r.bad |= t->n_rejected > TALLY_CODES_MAX;
    for (size_t i = 0; i < t->n_rejected && !r.bad; i++) {
        read_word(&r, t->rejected[i].code, sizeof t->rejected[i].code);
        t->rejected[i].n = rd_varint(&r);
    }
    return !r.bad && rd_left(&r) == 0;
}
