/* SPDX-License-Identifier: Apache-2.0 */
/* What a register says of an enterprise, in answers: the profile, what one signal tells, and names that wait for a person
 * to say whose they are. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "engine/record.h"

/* ---- the profile ---- */

int64_t registry_kind(const struct answer *a, const struct record *r)
{
    for (uint32_t i = 0; i < r->n_series; i++)
        if (slice_is(dict_text(a->dict, DICT_KIND, r->series[i].kind), "registry.profile"))
            return r->series[i].kind;
    return -1;
}

void profile_work(struct answer *a, struct record *r)
{
    for (uint32_t i = 0; i < r->n_series; i++)
        for (uint32_t k = 0; k < r->series[i].n; k++)
            r->series[i].sigs[k].active = !(r->series[i].sigs[k].flags & SIG_CANCELLED);
    profile_read(&a->scratch, r, registry_kind(a, r));
}

static void put_tag(struct buf *b, const struct tag *t)
{
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "name", t->name);
    enc_key(&m, "until");
    eventpack_int(b, t->until == INT64_MAX ? NO_INT : t->until);
    enc_close(&m);
}

static bool sees_record(struct answer *a, struct record *r)
{
    profile_work(a, r);
    return answer_sees(a, record_region(r), r->places, r->n_places);
}

/* Another enterprise by its code, as its own register says, and by its name as far as the asker may see that one. */
static int put_other(struct answer *a, struct slice uscc, enum status status)
{
    struct buf *b = &a->q->body;
    struct record other = {0};
    struct slice value;
    bool seen = false;
    if (!uscc.n) {
        enc_nil(b);
        return 0;
    }
    struct ekey key = ekey_of_code(status, uscc);
    int rc = view_get(a->reader, T_ENTERPRISE, key.b, EKEY_LEN, &value, a->err);
    if (rc > 0)
        rc = record_get(value, &key, &a->scratch, &other, a->err);
    if (rc >= 0)
        seen = sees_record(a, &other);
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "uscc", uscc);
    enc_key(&m, "name");
    eventpack_text(b, seen ? other.name : (struct slice){NULL, 0});
    enc_close(&m);
    return rc < 0 ? rc : 0;
}

int profile_put_all(struct answer *a, struct enc_open *m, const struct record *r)
{
    struct buf *b = &a->q->body;
    enc_key(m, "profile");
    struct enc_open p = enc_map_open(b);
    enc_key(&p, "credit");
    eventpack_text(b, (struct slice){&r->credit, r->credit ? 1 : 0});
    enc_key(&p, "headcount");
    eventpack_int(b, r->headcount);
    enc_key(&p, "payroll");
    eventpack_int(b, r->payroll);
    enc_key(&p, "parent");
    int rc = put_other(a, r->parent, ekey_status(&r->key));
    enc_key(&p, "former_name");
    eventpack_text(b, r->former_name);
    enc_key(&p, "status");
    eventpack_text(b, r->status);
    enc_key(&p, "region");
    eventpack_region(b, r->registered);
    enc_key(&p, "industry");
    eventpack_text(b, r->registered_industry);
    enc_key(&p, "tags");
    enc_list(b, r->n_tags);
    for (uint32_t i = 0; i < r->n_tags; i++)
        put_tag(b, &r->tags[i]);
    enc_close(&p);
    return rc;
}

/* ---- what one signal tells ---- */

static void put_told(struct answer *a, const struct sig *sig)
{
    static const char *const keys[] = {
        [PROFILE_HEADCOUNT] = "headcount",     [PROFILE_PAYROLL] = "payroll", [PROFILE_PARENT] = "parent",
        [PROFILE_FORMER_NAME] = "former_name", [PROFILE_STATUS] = "status",   [PROFILE_SUCCESSOR] = "successor",
    };
    struct enc_open m = enc_map_open(&a->q->body);
    struct rd r = rd_of(sig->profile.p, sig->profile.n), tags = rd_of(sig->tags.p, sig->tags.n);
    enum profile_key key;
    struct slice text;
    struct tag tag;
    int64_t number;
    if (sig->credit)
        enc_kv_slice(&m, "credit", (struct slice){&sig->credit, 1});
    while (profile_next(&r, &key, &text, &number)) {
        if (key >= ARRAY_LEN(keys) || !keys[key])
            continue;
        if (text.n)
            enc_kv_slice(&m, keys[key], text);
        else
            enc_kv_int(&m, keys[key], number);
    }
    while (tag_next(&tags, &tag))
        enc_kv_int(&m, arena_printf(&a->scratch, "tag:%.*s", SLICE_ARG(tag.name)), tag.until == INT64_MAX ? 0 : tag.until);
    enc_close(&m);
}

void profile_put_signal(struct answer *a, struct enc_open *m, const struct sig *sig)
{
    static const char hex[] = "0123456789abcdef";
    char owner[2 * OWNER_LEN];
    if (sig->owner) {
        for (int i = 0; i < OWNER_LEN; i++) {
            owner[2 * i] = hex[sig->owner[i] >> 4];
            owner[2 * i + 1] = hex[sig->owner[i] & 15];
        }
        enc_kv_slice(m, "owner", (struct slice){owner, sizeof owner});
    }
    if (sig->industry.n)
        enc_kv_slice(m, "industry", sig->industry);
    if (sig->flags & SIG_BY_NAME)
        enc_kv_bool(m, "by_name", true);
    if (sig->profile.n || sig->tags.n || sig->credit) {
        enc_key(m, "attrs");
        put_told(a, sig);
    }
}

/* ---- names that wait ---- */

enum { CHUNK = 64, HEX_KEY = 2 * EKEY_LEN };

struct waiting {
    struct ekey keys[CHUNK];
    size_t n;
    struct ekey after;
    bool has_after;
};

static bool add_key(void *arg, struct slice key, struct slice value)
{
    struct waiting *w = arg;
    (void)value;
    if (key.n == EKEY_LEN && !(w->has_after && memcmp(key.p, w->after.b, EKEY_LEN) <= 0))
        memcpy(w->keys[w->n++].b, key.p, EKEY_LEN);
    return w->n < CHUNK;
}

static void hex_of_key(const struct ekey *k, char out[HEX_KEY])
{
    static const char hex[] = "0123456789abcdef";
    for (int i = 0; i < EKEY_LEN; i++) {
        out[2 * i] = hex[k->b[i] >> 4];
        out[2 * i + 1] = hex[k->b[i] & 15];
    }
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_after(struct answer *a, struct waiting *w)
{
    struct slice after = {NULL, 0};
    if (!param_text(a, "after", &after))
        return false;
    for (size_t i = 0; after.n == HEX_KEY && i < HEX_KEY; i++)
        if (digit_of(after.p[i]) < 0)
            after.n = 1;
    if (after.p && after.n != HEX_KEY)
        return param_bad(a, "after", "must be what 'next' of the page before it said");
    for (size_t i = 0; after.p && i < EKEY_LEN; i++)
        w->after.b[i] = (uint8_t)(digit_of(after.p[2 * i]) << 4 | digit_of(after.p[2 * i + 1]));
    w->has_after = after.p != NULL;
    return true;
}

/* The codes that bear a name, those that the asker may see; how many there are is told to all. */
static int put_codes(struct answer *a, struct enc_open *m, const struct ekey *codes, size_t n)
{
    enc_key(m, "codes");
    struct enc_open list = enc_list_open(&a->q->body);
    for (size_t i = 0; i < n; i++) {
        struct record r;
        struct slice value;
        int rc = view_get(a->reader, T_ENTERPRISE, codes[i].b, EKEY_LEN, &value, a->err);
        if (rc > 0)
            rc = record_get(value, &codes[i], &a->scratch, &r, a->err) < 0 ? -1 : sees_record(a, &r);
        else if (rc == 0)
            rc = a->q->n_regions == 0;
        if (rc > 0) {
            enc_item(&list);
            rc = put_other(a, (struct slice){(const char *)codes[i].b + 1, 18}, ekey_status(&codes[i]));
        }
        if (rc < 0)
            return rc;
    }
    enc_close(&list);
    enc_kv_uint(m, "codes_total", n);
    return 0;
}

static uint64_t count_signals(const struct record *r)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < r->n_series; i++) {
        n += r->series[i].n;
        for (uint32_t k = 0; k < r->series[i].n_blocks; k++)
            n += r->series[i].blocks[k].n;
    }
    return n;
}

/* 1 put, 0 not to be seen, negative failed. */
static int put_waiting(struct answer *a, struct enc_open *list, const struct ekey *key)
{
    struct record r;
    struct slice value, text;
    struct ekey *codes;
    size_t n;
    int rc = view_get(a->reader, T_ENTERPRISE, key->b, EKEY_LEN, &value, a->err);
    if (rc <= 0 || (rc = record_get(value, key, &a->scratch, &r, a->err)) < 0)
        return rc;
    rc = view_get(a->reader, T_NAME, key->b, EKEY_LEN, &value, a->err);
    if (rc <= 0 || (rc = name_get(value, &a->scratch, &text, &codes, &n, a->err)) < 0)
        return rc;
    if (!answer_sees(a, record_region(&r), r.places, r.n_places))
        return 0;
    enc_item(list);
    struct enc_open m = enc_map_open(&a->q->body);
    enc_kv_slice(&m, "name", text);
    enc_kv_uint(&m, "signals", count_signals(&r));
    enc_key(&m, "region");
    eventpack_region(&a->q->body, record_region(&r));
    rc = put_codes(a, &m, codes, n);
    if (rc < 0)
        return rc;
    if (ekey_status(key) != STATUS_ACTUAL)
        enc_kv_str(&m, "status", status_wire(ekey_status(key)));
    enc_close(&m);
    return rc < 0 ? rc : 1;
}

int answer_unresolved(struct answer *a)
{
    struct waiting w = {.n = 0};
    uint64_t limit, put = 0;
    uint8_t status;
    if (!param_limit(a, &limit) || !param_status(a, &status) || !read_after(a, &w))
        return 0;
    if (!w.has_after) { /* keys begin with the status */
        w.after = (struct ekey){{(uint8_t)(status << 4)}};
        w.has_after = true;
    }
    enc_key(&a->out, "unresolved");
    struct enc_open list = enc_list_open(&a->q->body);
    bool more = true, full = false;
    while (more && !full) {
        w.n = 0;
        int rc = view_scan(a->reader, T_UNRESOLVED, (struct slice){(const char *)w.after.b, EKEY_LEN}, VIEW_UP, add_key, &w,
                           a->err);
        more = w.n == CHUNK;
        for (size_t i = 0; rc >= 0 && i < w.n && !full; i++) {
            if (ekey_status(&w.keys[i]) != status) {
                more = false;
                break;
            }
            full = put == limit;
            rc = full ? 0 : put_waiting(a, &list, &w.keys[i]);
            put += rc > 0;
            w.after = full ? w.after : w.keys[i];
        }
        if (rc < 0)
            return rc;
    }
    enc_close(&list);
    char next[HEX_KEY];
    hex_of_key(&w.after, next);
    if (full)
        enc_kv_slice(&a->out, "next", (struct slice){next, HEX_KEY});
    return 0;
}
