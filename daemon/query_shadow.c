/* SPDX-License-Identifier: Apache-2.0 */
/* The query `shadow`: where the shadow rules judge otherwise than the rules in force. First, by enterprise, those that the
 * shadow rules would warn of (gained, higher, lower), then, by alert, those that they would not (lost). A page may have
 * fewer items than asked for and still a `next`: a search stops after so many rows. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "engine/alert.h"
#include "engine/record.h"
#include "engine/shadow.h"

#include <inttypes.h>
#include <stdio.h>

enum { ROWS = 64, SEARCH_MOST = 20000, KEY_HEX = EKEY_LEN * 2 };

/* Where the list is: among the enterprises from `key` on, or among the alerts from `number` on. */
struct place {
    bool alerts;
    struct ekey key;
    bool passed;                /* `key` itself was shown */
    uint64_t number;
};

struct page {
    struct enc_open list;
    uint64_t n, limit;
    size_t searched;
};

/* One line of the list. */
struct line {
    const struct record *record;
    const struct shadow *shadow; /* NULL: none */
    const struct alert *alert;   /* the open one; NULL: none */
};

static const char *change_of(const struct line *l)
{
    if (!l->alert)
        return "gained";
    if (!l->shadow)
        return "lost";
    return l->shadow->level > l->alert->level ? "higher" : "lower";
}

static void put_rules(struct answer *a, const struct shadow *s)
{
    struct slice id, zh, en;
    enc_list(&a->q->body, s ? s->n_rules : 0);
    for (uint32_t i = 0; s && i < s->n_rules; i++) {
        rule_words(dict_text(a->dict, DICT_RULE, s->rules[i]), &id, &zh, &en);
        enc_slice(&a->q->body, id);
    }
}

static void put_line(struct answer *a, struct page *p, const struct line *l)
{
    struct buf *b = &a->q->body;
    const struct record *r = l->record;
    enc_item(&p->list);
    struct enc_open m = enc_map_open(b);
    enc_kv_str(&m, "change", change_of(l));
    enc_key(&m, "enterprise");
    eventpack_enterprise(b, record_uscc(r), r->name, record_region(r), record_industry(r));
    enc_kv_str(&m, "level", level_wire(l->alert ? l->alert->level : LEVEL_NONE));
    enc_kv_str(&m, "shadow_level", level_wire(l->shadow ? l->shadow->level : LEVEL_NONE));
    if (l->alert)
        enc_kv_uint(&m, "alert", l->alert->number);
    if (l->shadow) {
        enc_kv_uint(&m, "score", l->shadow->score);
        enc_kv_int(&m, "raised_at", l->shadow->raised_at);
        enc_kv_int(&m, "changed_at", l->shadow->changed_at);
    }
    enc_key(&m, "rules");
    put_rules(a, l->shadow);
    enc_close(&m);
    p->n++;
}

/* ---- reading ---- */

/* The number of registry.profile, where the enterprise has such signals. */
static int64_t kind_of_profile(const struct answer *a, const struct record *r)
{
    for (uint32_t i = 0; i < r->n_series; i++)
        if (slice_is(dict_text(a->dict, DICT_KIND, r->series[i].kind), "registry.profile"))
            return r->series[i].kind;
    return -1;
}

/* 1 found, 0 not there, negative failed; in the scratch arena. */
static int get_record(struct answer *a, const struct ekey *key, struct record *r)
{
    struct slice value;
    int rc = view_get(a->reader, T_ENTERPRISE, key->b, EKEY_LEN, &value, a->err);
    if (rc == 1)
        rc = record_get(value, key, &a->scratch, r, a->err);
    else
        return rc;
    if (rc == 0)
        profile_read(&a->scratch, r, kind_of_profile(a, r));
    return rc < 0 ? rc : 1;
}

static int get_alert(struct answer *a, uint64_t number, struct alert *al)
{
    uint8_t key[8];
    struct slice value;
    key_put64(key, number);
    int rc = view_get(a->reader, T_ALERT, key, sizeof key, &value, a->err);
    if (rc == 1)
        rc = alert_get(value, &a->scratch, al, a->err) < 0 ? -1 : 1;
    return rc;
}

static int get_shadow(struct answer *a, const struct ekey *key, struct shadow *s)
{
    struct slice value;
    int rc = view_get(a->reader, T_SHADOW, key->b, EKEY_LEN, &value, a->err);
    if (rc == 1)
        rc = shadow_get(value, &a->scratch, s, a->err) < 0 ? -1 : 1;
    return rc;
}

static bool sees(const struct answer *a, const struct record *r)
{
    return answer_sees(a, record_region(r), r->places, r->n_places);
}

/* ---- those that the shadow rules would warn of ---- */

static int look_at_shadow(struct answer *a, struct page *p, const struct ekey *key)
{
    struct record r;
    struct shadow s = {0};
    struct alert al = {0};
    int rc = get_record(a, key, &r);
    if (rc == 1 && sees(a, &r))
        rc = get_shadow(a, key, &s);
    else
        return rc < 0 ? rc : 0;
    int has_alert = rc == 1 && r.alert_open ? get_alert(a, r.alert, &al) : 0;
    if (rc < 0 || has_alert < 0)
        return -1;
    if (rc == 1 && (!has_alert || al.level != s.level))
        put_line(a, p, &(struct line){&r, &s, has_alert ? &al : NULL});
    return 0;
}

struct keys {
    struct ekey at[ROWS];
    size_t n;
};

static bool add_key(void *arg, struct slice key, struct slice value)
{
    struct keys *l = arg;
    (void)value;
    if (key.n == EKEY_LEN)
        memcpy(l->at[l->n++].b, key.p, EKEY_LEN);
    return l->n < ROWS;
}

static bool full(struct page *p)
{
    return p->n == p->limit || p->searched >= SEARCH_MOST;
}

static int list_shadows(struct answer *a, struct page *p, struct place *at)
{
    struct keys l;
    do {
        l.n = 0;
        int rc = view_scan(a->reader, T_SHADOW, (struct slice){(const char *)at->key.b, EKEY_LEN}, VIEW_UP, add_key, &l,
                           a->err);
        for (size_t i = 0; rc == 0 && i < l.n && !full(p); i++) {
            if (at->passed && memcmp(&l.at[i], &at->key, sizeof at->key) == 0)
                continue;
            arena_reset(&a->scratch);
            rc = look_at_shadow(a, p, &l.at[i]);
            at->key = l.at[i];
            at->passed = true;
            p->searched++;
        }
        if (rc < 0)
            return rc;
    } while (l.n == ROWS && !full(p));
    at->alerts = !full(p);
    return 0;
}

/* ---- those that they would not warn of ---- */

struct numbers {
    uint64_t at[ROWS];
    size_t n;
};

static bool add_number(void *arg, struct slice key, struct slice value)
{
    struct numbers *l = arg;
    (void)value;
    if (key.n == 8)
        l->at[l->n++] = key_get64(key.p);
    return l->n < ROWS;
}

static int look_at_alert(struct answer *a, struct page *p, uint64_t number)
{
    struct alert al;
    struct record r;
    int rc = get_alert(a, number, &al);
    if (rc == 1 && ekey_status(&al.key) == STATUS_ACTUAL && ekey_kind(&al.key) != EKEY_AREA && al.level > LEVEL_NONE)
        rc = get_record(a, &al.key, &r);
    else
        return rc < 0 ? rc : 0;
    if (rc == 1 && !r.unresolved && !r.shadow_level && sees(a, &r))
        put_line(a, p, &(struct line){&r, NULL, &al});
    return rc < 0 ? rc : 0;
}

static int list_alerts(struct answer *a, struct page *p, struct place *at, bool *more)
{
    struct numbers l;
    do {
        uint8_t key[8];
        l.n = 0;
        key_put64(key, at->number + 1);
        int rc = view_scan(a->reader, T_OPEN, (struct slice){(const char *)key, sizeof key}, VIEW_UP, add_number, &l,
                           a->err);
        for (size_t i = 0; rc == 0 && i < l.n && !full(p); i++) {
            arena_reset(&a->scratch);
            rc = look_at_alert(a, p, l.at[i]);
            at->number = l.at[i];
            p->searched++;
        }
        if (rc < 0)
            return rc;
    } while (l.n == ROWS && !full(p));
    *more = full(p);
    return 0;
}

/* ---- pages ---- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "e" and a key in hex, or "a" and a number. */
static bool read_place(struct answer *a, struct place *at)
{
    struct slice after = {NULL, 0};
    *at = (struct place){0};
    if (!param_text(a, "after", &after))
        return false;
    bool good = !after.p || (after.n == 1 + KEY_HEX && after.p[0] == 'e') || (after.n == 17 && after.p[0] == 'a');
    for (size_t i = 1; good && after.p && i < after.n; i++) {
        int digit = hex_digit(after.p[i]);
        good = digit >= 0;
        if (after.p[0] == 'a')
            at->number = at->number << 4 | (uint64_t)(digit & 15);
        else
            at->key.b[(i - 1) / 2] |= (uint8_t)((digit & 15) << ((i & 1) ? 4 : 0));
    }
    at->alerts = after.p && after.n && after.p[0] == 'a';
    at->passed = after.p && after.n && after.p[0] == 'e';
    return good || param_bad(a, "after", "must be the 'next' of the page before");
}

static void put_next(struct answer *a, const struct place *at)
{
    char text[1 + KEY_HEX + 1];
    if (at->alerts) {
        snprintf(text, sizeof text, "a%016" PRIx64, at->number);
    } else {
        text[0] = 'e';
        for (size_t i = 0; i < EKEY_LEN; i++)
            snprintf(text + 1 + 2 * i, 3, "%02x", at->key.b[i]);
    }
    enc_kv_str(&a->out, "next", text);
}

int answer_shadow(struct answer *a)
{
    struct place at;
    struct page p = {.n = 0};
    bool more = false;
    int rc = 0;
    if (!read_place(a, &at) || !param_limit(a, &p.limit))
        return 0;
    enc_kv_bool(&a->out, "on", a->q->catalog->shadow);
    enc_key(&a->out, "differences");
    p.list = enc_list_open(&a->q->body);
    if (a->q->catalog->shadow && !at.alerts)
        rc = list_shadows(a, &p, &at);
    more = rc == 0 && !at.alerts && full(&p);
    if (a->q->catalog->shadow && rc == 0 && at.alerts)
        rc = list_alerts(a, &p, &at, &more);
    enc_close(&p.list);
    if (rc == 0 && more)
        put_next(a, &at);
    return rc;
}
