/* SPDX-License-Identifier: Apache-2.0 */
/* The query `enterprises`: all that are known, in pages, for who draws some of them by lot. Actual ones only; areas are
 * none. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "engine/record.h"

enum { EXAMINED_MAX = 5000 };

struct listing {
    struct answer *a;
    region_t region;
    struct slice credit, level;
    uint64_t limit, n, examined;
    struct enc_open list;
    struct ekey last;
    bool more;
    int rc;
};

static bool passes(const struct listing *l, const struct record *r)
{
    bool within = !l->region || (record_region(r) && region_within(record_region(r), l->region));
    for (uint32_t i = 0; i < r->n_places && !within; i++)
        within = region_within(r->places[i], l->region);
    return within && (!l->credit.n || (r->credit && l->credit.n == 1 && l->credit.p[0] == r->credit)) &&
           (!l->level.n || slice_is(l->level, level_wire(r->level))) &&
           answer_sees(l->a, record_region(r), r->places, r->n_places);
}

static void put(struct listing *l, const struct record *r)
{
    struct buf *b = &l->a->q->body;
    enc_item(&l->list);
    struct enc_open m = enc_map_open(b);
    enc_key(&m, "uscc");
    eventpack_text(b, record_uscc(r));
    enc_key(&m, "name");
    eventpack_text(b, r->name);
    enc_key(&m, "region");
    eventpack_region(b, record_region(r));
    enc_key(&m, "industry");
    eventpack_text(b, record_industry(r));
    enc_key(&m, "credit");
    eventpack_text(b, (struct slice){&r->credit, r->credit ? 1 : 0});
    enc_kv_str(&m, "level", level_wire(r->level));
    enc_close(&m);
    l->n++;
}

static bool look(void *arg, struct slice key, struct slice value)
{
    struct listing *l = arg;
    struct ekey k;
    struct record r;
    if (key.n != EKEY_LEN || (uint8_t)key.p[0] >= (STATUS_ACTUAL << 4 | EKEY_HUB))
        return false;
    if (l->n == l->limit || l->examined == EXAMINED_MAX) {
        l->more = true;
        return false;
    }
    memcpy(k.b, key.p, EKEY_LEN);
    arena_reset(&l->a->scratch);
    l->rc = record_get(value, &k, &l->a->scratch, &r, l->a->err);
    if (l->rc < 0)
        return false;
    l->examined++;
    l->last = k;
    profile_work(l->a, &r);
    if (passes(l, &r))
        put(l, &r);
    return true;
}

static int hex_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A key as `next` said it, and a zero byte: what follows on it. False: it is none. */
bool param_key_after(struct slice text, uint8_t out[EKEY_LEN + 1])
{
    if (text.n != 2 * EKEY_LEN)
        return false;
    for (size_t i = 0; i < EKEY_LEN; i++) {
        int hi = hex_of(text.p[2 * i]), lo = hex_of(text.p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    out[EKEY_LEN] = 0;
    return true;
}

void answer_next_key(struct answer *a, const char *pair, const struct ekey *k)
{
    static const char hex[] = "0123456789abcdef";
    char text[2 * EKEY_LEN];
    for (size_t i = 0; i < EKEY_LEN; i++) {
        text[2 * i] = hex[k->b[i] >> 4];
        text[2 * i + 1] = hex[k->b[i] & 15];
    }
    enc_kv_slice(&a->out, pair, (struct slice){text, sizeof text});
}

int answer_enterprises(struct answer *a)
{
    struct listing l = {.a = a};
    struct slice region = {NULL, 0}, after = {NULL, 0};
    uint8_t from[EKEY_LEN + 1] = {STATUS_ACTUAL << 4 | EKEY_CODE};
    if (!param_text(a, "region", &region) || !param_text(a, "credit", &l.credit) || !param_text(a, "level", &l.level) ||
        !param_text(a, "after", &after) || !param_limit(a, &l.limit))
        return 0;
    l.region = region_of(region);
    if ((region.p && !l.region && !param_bad(a, "region", "must be the first digits of a region code")) ||
        (l.level.p && level_of(l.level) < 0 && !param_bad(a, "level", "must be general, major, critical or none")) ||
        (after.p && !param_key_after(after, from) && !param_bad(a, "after", "must be what the page before gave as next")))
        return 0;
    enc_key(&a->out, "enterprises");
    l.list = enc_list_open(&a->q->body);
    int rc = view_scan(a->reader, T_ENTERPRISE, (struct slice){(const char *)from, after.p ? EKEY_LEN + 1 : 1}, VIEW_UP, look, &l,
                       a->err);
    enc_close(&l.list);
    if (rc < 0 || l.rc < 0)
        return rc < 0 ? rc : l.rc;
    if (l.more)
        answer_next_key(a, "next", &l.last);
    return 0;
}
