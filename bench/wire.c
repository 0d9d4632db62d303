/* SPDX-License-Identifier: Apache-2.0 */
/* See wire.h. */
#include "bench/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static uint64_t big(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

struct head { /* what the first bytes of a value say */
    size_t bytes;    /* of the head itself */
    size_t text;     /* bytes of payload that follow */
    uint64_t items;  /* values that follow */
};

/* Bytes of head and payload by first byte, c0..df: how many bytes of length, or of payload where there is none. */
static const struct { uint8_t len, fixed, kind; } WIDE[] = { /* kind: 0 scalar, 1 bytes, 2 list, 3 map, 4 ext */
    {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {1, 0, 1}, {2, 0, 1}, {4, 0, 1}, {1, 1, 4}, {2, 1, 4}, {4, 1, 4},
    {0, 4, 0}, {0, 8, 0}, {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0}, {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},
    {0, 2, 0}, {0, 3, 0}, {0, 5, 0}, {0, 9, 0}, {0, 17, 0}, {1, 0, 1}, {2, 0, 1}, {4, 0, 1}, {2, 0, 2}, {4, 0, 2},
    {2, 0, 3}, {4, 0, 3}};

static bool head_get(const uint8_t *p, size_t n, struct head *h)
{
    if (n == 0)
        return false;
    uint8_t b = p[0];
    *h = (struct head){.bytes = 1};
    if (b < 0x80 || b >= 0xe0)
        return true;
    if (b < 0x90)
        h->items = 2 * (b & 15u);
    else if (b < 0xa0)
        h->items = b & 15u;
    else if (b < 0xc0)
        h->text = b & 31u;
    else {
        size_t len = WIDE[b - 0xc0].len;
        if (n < 1 + len)
            return false;
        uint64_t v = big(p + 1, len);
        h->bytes += len;
        h->text = WIDE[b - 0xc0].fixed + (WIDE[b - 0xc0].kind == 1 || WIDE[b - 0xc0].kind == 4 ? v : 0);
        h->items = WIDE[b - 0xc0].kind == 2 ? v : WIDE[b - 0xc0].kind == 3 ? 2 * v : 0;
    }
    return h->text <= n - h->bytes;
}

/* Bytes of one value with all that it holds; 0 when it does not end within n. */
static size_t value_len(const uint8_t *p, size_t n)
{
    size_t at = 0;
    for (uint64_t left = 1; left; left--) {
        struct head h;
        if (!head_get(p + at, n - at, &h))
            return 0;
        at += h.bytes + h.text;
        left += h.items;
    }
    return at;
}

const uint8_t *mp_find(const uint8_t *p, size_t n, const char *key, size_t *len)
{
    struct head h;
    if (!head_get(p, n, &h) || !((p[0] & 0xf0) == 0x80 || p[0] == 0xde || p[0] == 0xdf))
        return NULL;
    size_t at = h.bytes, want = strlen(key);
    for (uint64_t i = 0; i < h.items / 2; i++) {
        const char *text;
        size_t k = value_len(p + at, n - at);
        if (k == 0)
            return NULL;
        bool here = mp_string(p + at, k, &text) == want && memcmp(text, key, want) == 0;
        at += k;
        size_t v = value_len(p + at, n - at);
        if (v == 0)
            return NULL;
        if (here) {
            *len = v;
            return p + at;
        }
        at += v;
    }
    return NULL;
}

uint64_t mp_number(const uint8_t *value, size_t len, uint64_t otherwise)
{
    struct head h;
    if (!value || !head_get(value, len, &h))
        return otherwise;
    uint8_t b = value[0];
    if (b < 0x80)
        return b;
    if (b >= 0xcc && b <= 0xcf)
        return big(value + 1, (size_t)1 << (b - 0xcc));
    if (h.items)
        return (b & 0xf0) == 0x80 || b >= 0xde ? h.items / 2 : h.items;
    return (b & 0xe0) == 0x80 || (b >= 0xdc && b <= 0xdf) ? 0 : otherwise;
}

size_t mp_string(const uint8_t *value, size_t len, const char **text)
{
    struct head h;
    *text = "";
    if (!value || !head_get(value, len, &h) || !((value[0] & 0xe0) == 0xa0 || (value[0] >= 0xd9 && value[0] <= 0xdb)))
        return 0;
    *text = (const char *)value + h.bytes;
    return h.text;
}

/* ---- writing ---- */

void mp_put_raw(uint8_t **p, const void *bytes, size_t n)
{
    memcpy(*p, bytes, n);
    *p += n;
}

static void put_sized(uint8_t **p, uint8_t mark, uint64_t v, size_t n)
{
    *(*p)++ = mark;
    for (size_t i = n; i-- > 0;)
        *(*p)++ = (uint8_t)(v >> 8 * i);
}

void mp_put_map(uint8_t **p, unsigned pairs)
{
    *(*p)++ = (uint8_t)(0x80 | pairs);
}

void mp_put_list(uint8_t **p, unsigned items)
{
    put_sized(p, 0xdc, items, 2);
}

void mp_put_str(uint8_t **p, const char *s)
{
    size_t n = strlen(s);
    if (n < 32)
        *(*p)++ = (uint8_t)(0xa0 | n);
    else
        put_sized(p, 0xd9, n, 1);
    mp_put_raw(p, s, n);
}

void mp_put_u64(uint8_t **p, uint64_t v)
{
    put_sized(p, 0xcf, v, 8);
}

/* ---- codes: GB 32100, with XY at the head of the organisation code, so that they are nobody's ---- */

static const char ALPHABET[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static int org_value(char c)
{
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

void code_make(uint32_t e, char out[CODE_LEN])
{
    static const int weight[8] = {3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    memcpy(out, "91330482XY", 10);
    for (int i = 15; i > 9; i--, e /= 31)
        out[i] = ALPHABET[e % 31];
    for (int i = 0; i < 8; i++)
        sum += weight[i] * org_value(out[8 + i]);
    int c = 11 - sum % 11;
    out[16] = c == 10 ? 'X' : c == 11 ? '0' : (char)('0' + c);
    int w = 1;
    sum = 0;
    for (int i = 0; i < 17; i++, w = w * 3 % 31)
        sum += (int)(strchr(ALPHABET, out[i]) - ALPHABET) * w;
    out[17] = ALPHABET[(31 - sum % 31) % 31];
}

uint32_t code_number(const char code[CODE_LEN])
{
    uint32_t e = 0;
    char again[CODE_LEN];
    for (int i = 10; i < 16; i++) {
        const char *at = code[i] ? strchr(ALPHABET, code[i]) : NULL;
        if (!at)
            return UINT32_MAX;
        e = e * 31 + (uint32_t)(at - ALPHABET);
    }
    code_make(e, again);
    return memcmp(code, again, CODE_LEN) == 0 ? e : UINT32_MAX;
}

/* ---- batches ---- */

/* Background kinds, about as often as in bench/gen.c; a batch goes through them from its number on. */
static const char *const MIX[] = {
    "hotline.complaint", "tax.filing_missed", "tax.arrears", "utility.bill_overdue", "social.contribution_arrears",
    "tax.sales_plunge", "hotline.complaint", "court.enforcement", "utility.power_plunge", "market.abnormal_list",
    "market.legal_rep_changed", "tax.filing_missed", "market.chattel_mortgage", "tax.settled", "hotline.resolved",
    "social.headcount_plunge", "tax.arrears", "subdistrict.rent_overdue", "utility.bill_paid", "bank.loan_overdue"};
enum { N_MIX = sizeof MIX / sizeof *MIX };
static const char *const TOWN[] = {"330482001", "330482002", "330482003", "330482101", "330482102"};
static const char *const TRADE[] = {"C1810", "E4710", "H6210", "F5212", "C3857"};

struct slot { /* where in the template a signal's own bytes lie */
    size_t id, at, uscc;
};

struct load {
    struct load_shape shape;
    char *codes;          /* enterprises * CODE_LEN */
    uint8_t *body;
    size_t len, rid;
    struct slot *slot;
    size_t *end;          /* end of signal i: a short last batch is cut there */
    size_t list;          /* the list's head */
};

enum { SIGNAL_MOST = 320, ID_LEN = 22 };

static void template_signal(struct load *l, uint8_t **p, unsigned i)
{
    static const char blank[64] = "0000000000000000000000000000000000000000000000000000000000000";
    char id[ID_LEN + 1], code[CODE_LEN + 1];
    memcpy(id, blank, ID_LEN), id[ID_LEN] = 0;
    memcpy(code, blank, CODE_LEN), code[CODE_LEN] = 0;
    mp_put_map(p, 9);
    mp_put_str(p, "id"), mp_put_str(p, id), l->slot[i].id = (size_t)(*p - l->body) - ID_LEN;
    mp_put_str(p, "kind"), mp_put_str(p, l->shape.only_kind ? l->shape.only_kind : MIX[i % N_MIX]);
    mp_put_str(p, "at"), mp_put_u64(p, 0), l->slot[i].at = (size_t)(*p - l->body) - 8;
    mp_put_str(p, "uscc"), mp_put_str(p, code), l->slot[i].uscc = (size_t)(*p - l->body) - CODE_LEN;
    mp_put_str(p, "region"), mp_put_str(p, TOWN[i % 5]);
    mp_put_str(p, "industry"), mp_put_str(p, TRADE[i % 5]);
    mp_put_str(p, "amount"), mp_put_u64(p, 1234500 + i);
    mp_put_str(p, "people"), *(*p)++ = (uint8_t)(1 + i % 100);
    mp_put_str(p, "ref"), mp_put_str(p, "tax\xe3\x80\x94" "2026\xe3\x80\x95" "04711\xe5\x8f\xb7");
    l->end[i] = (size_t)(*p - l->body);
}

struct load *load_create(const struct load_shape *shape)
{
    struct load *l = calloc(1, sizeof *l);
    size_t n = shape->batch;
    if (!l)
        return NULL;
    l->shape = *shape;
    l->codes = malloc((size_t)shape->enterprises * CODE_LEN);
    l->body = malloc(64 + n * SIGNAL_MOST);
    l->slot = calloc(n, sizeof *l->slot);
    l->end = calloc(n, sizeof *l->end);
    if (!l->codes || !l->body || !l->slot || !l->end) {
        load_destroy(l);
        return NULL;
    }
    for (uint32_t e = 0; e < shape->enterprises; e++)
        code_make(e, l->codes + (size_t)e * CODE_LEN);
    uint8_t *p = l->body;
    mp_put_map(&p, 2);
    mp_put_str(&p, "rid"), mp_put_u64(&p, 0), l->rid = (size_t)(p - l->body) - 8;
    mp_put_str(&p, "batch");
    l->list = (size_t)(p - l->body);
    mp_put_list(&p, (unsigned)n);
    for (unsigned i = 0; i < n; i++)
        template_signal(l, &p, i);
    l->len = (size_t)(p - l->body);
    return l;
}

void load_destroy(struct load *l)
{
    if (!l)
        return;
    free(l->end);
    free(l->slot);
    free(l->body);
    free(l->codes);
    free(l);
}

uint64_t load_batches(const struct load *l)
{
    return (l->shape.signals + l->shape.batch - 1) / l->shape.batch;
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void put_big(uint8_t *p, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        p[i] = (uint8_t)v;
}

static void put_hex(uint8_t *p, uint64_t v, int digits)
{
    for (int i = digits - 1; i >= 0; i--, v >>= 4)
        p[i] = (uint8_t)"0123456789abcdef"[v & 15];
}

const uint8_t *load_body(struct load *l, uint64_t no, size_t *len, unsigned *signals)
{
    const struct load_shape *s = &l->shape;
    uint64_t first = no * s->batch;
    unsigned n = s->signals - first < s->batch ? (unsigned)(s->signals - first) : s->batch;
    put_big(l->body + l->rid, no);
    uint8_t *list = l->body + l->list;
    mp_put_list(&list, n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t serial = first + i;
        uint8_t *id = l->body + l->slot[i].id;
        put_hex(id, s->run, 8);
        put_hex(id + 8, s->client, 2);
        put_hex(id + 10, serial, ID_LEN - 10);
        put_big(l->body + l->slot[i].at, (uint64_t)(s->first_at + (int64_t)(serial * (uint64_t)s->step_us / 1000)));
        uint64_t e = s->only_kind ? serial : mix((serial + 1) * 0x9e3779b97f4a7c15u + s->client);
        memcpy(l->body + l->slot[i].uscc, l->codes + e % s->enterprises * CODE_LEN, CODE_LEN);
    }
    *len = l->end[n - 1];
    *signals = n;
    return l->body;
}
