/* SPDX-License-Identifier: Apache-2.0 */
/* Queries whose answer is mostly what the main thread gave along: status, feeds, kinds, rules. Query thread.
 */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "lib/calendar.h"

#include <inttypes.h>

static void put_hex(struct enc_open *m, const char *key, struct slice bytes)
{
    static const char hex[] = "0123456789abcdef";
    char text[128];
    assert(bytes.n * 2 <= sizeof text);
    for (size_t i = 0; i < bytes.n; i++) {
        text[2 * i] = hex[(uint8_t)bytes.p[i] >> 4];
        text[2 * i + 1] = hex[(uint8_t)bytes.p[i] & 15];
    }
    enc_kv_slice(m, key, (struct slice){text, bytes.n * 2});
}

/* ---- status, feeds ---- */

static void put_feeds(struct answer *a, const struct query_status *s)
{
    enc_key(&a->out, "feeds");
    enc_list(&a->q->body, s->n_feeds);
    for (size_t i = 0; i < s->n_feeds; i++) {
        const struct query_feed *f = &s->feeds[i];
        struct enc_open m = enc_map_open(&a->q->body);
        enc_kv_slice(&m, "source", f->source);
        enc_key(&m, "last_at");
        eventpack_int(&a->q->body, f->last_at);
        enc_kv_uint(&m, "accepted", f->accepted);
        enc_kv_uint(&m, "duplicates", f->duplicates);
        enc_kv_uint(&m, "rejected", f->rejected);
        enc_kv_uint(&m, "today", f->today);
        enc_close(&m);
    }
}

static void put_subscribers(struct answer *a, const struct query_status *s)
{
    enc_key(&a->out, "subscribers");
    enc_list(&a->q->body, s->n_subscribers);
    for (size_t i = 0; i < s->n_subscribers; i++) {
        const struct query_subscriber *c = &s->subscribers[i];
        struct enc_open m = enc_map_open(&a->q->body);
        enc_kv_slice(&m, "principal", c->principal);
        enc_kv_uint(&m, "session", c->session);
        enc_kv_uint(&m, "sent", c->sent);
        enc_kv_uint(&m, "lag", c->lag);
        enc_close(&m);
    }
}

static void put_listening(struct answer *a, const struct query_status *s)
{
    enc_key(&a->out, "listening");
    enc_list(&a->q->body, s->n_listening);
    for (size_t i = 0; i < s->n_listening; i++)
        enc_slice(&a->q->body, s->listening[i]);
}

static int put_waiting(struct answer *a)
{
    uint64_t n;
    int rc = view_count(a->reader, T_TRIAGE, &n, a->err);
    if (rc == 0)
        enc_kv_uint(&a->out, "waiting", n);
    return rc;
}

static void put_server(struct answer *a, const struct query_status *s)
{
    struct buf *b = &a->q->body;
    enc_kv_str(&a->out, "version", WW_VERSION);
    enc_kv_bool(&a->out, "ready", s->ready);
    enc_kv_int(&a->out, "uptime_ms", s->uptime_ms);
    enc_key(&a->out, "journal");
    enc_map(b, 2);
    enc_str(b, "last");
    enc_uint(b, s->journal_last);
    enc_str(b, "bytes");
    enc_uint(b, s->journal_bytes);
    enc_key(&a->out, "disk");
    enc_map(b, 1);
    enc_str(b, "free_ppm");
    enc_uint(b, s->free_ppm);
}

/* The year whose holidays should be known by now and are not; 0: none. The State Council's notice of a year comes in
 * November of the year before. */
static int unknown_year(const struct answer *a)
{
    enum { NOTICE_MONTH = 11 };
    const struct work *w = a->q->catalog->work;
    int year, month, day;
    civil_from_ms(a->q->now, a->q->catalog->timezone, &year, &month, &day);
    if (!w || !w->has_deadlines)
        return 0;
    if (!workdays_know(&w->days, year))
        return year;
    return month >= NOTICE_MONTH && !workdays_know(&w->days, year + 1) ? year + 1 : 0;
}

static int put_problems(struct answer *a, const struct query_status *s)
{
    struct buf *b = &a->q->body;
    uint64_t names = 0;
    int rc = view_count(a->reader, T_UNRESOLVED, &names, a->err);
    if (rc < 0)
        return rc;
    enc_key(&a->out, "problems");
    enc_list(b, s->n_problems + a->stuck + (names > 0));
    if (a->stuck)
        enc_str(b, view_stuck);
    for (size_t i = 0; i < s->n_problems; i++)
        enc_str(b, s->problems[i]);
    if (names)
        enc_str(b, arena_printf(&a->scratch,
                                "%" PRIu64 " name(s) belong to several enterprises each: signals that give the name "
                                "alone wait and are not judged; have their feeders send the codes, or settle them with "
                                "'wagewarn enterprise resolve'",
                                names));
    return 0;
}

/* What is no trouble yet and will be. */
static void put_advice(struct answer *a)
{
    int year = unknown_year(a);
    enc_key(&a->out, "advice");
    enc_list(&a->q->body, year > 0);
    if (year)
        enc_str(&a->q->body, arena_printf(&a->scratch,
                                "the holidays of %d are not known: deadlines in working days count Monday to Friday; put the "
                                "State Council's notice into calendar/%d.csv and reload",
                                year, year));
}

static bool one_more(void *arg, struct slice key, struct slice value)
{
    (void)key;
    (void)value;
    ++*(uint64_t *)arg;
    return true;
}

/* Areas, exercises and tests sort behind what is actual, and are few. */
static int put_enterprises(struct answer *a)
{
    const uint8_t first_other = STATUS_ACTUAL << 4 | EKEY_AREA;
    uint64_t all, others = 0;
    int rc = view_count(a->reader, T_ENTERPRISE, &all, a->err);
    if (rc == 0)
        rc = view_scan(a->reader, T_ENTERPRISE, (struct slice){(const char *)&first_other, 1}, VIEW_UP,
                       one_more, &others, a->err);
    if (rc == 0)
        enc_kv_uint(&a->out, "enterprises", all - others);
    return rc;
}

int answer_status(struct answer *a)
{
    const struct query_status *s = a->q->status;
    assert(s);
    put_server(a, s);
    put_hex(&a->out, "store", (struct slice){(const char *)a->store_id, STORE_ID_LEN});
    int rc = put_problems(a, s);
    put_advice(a);
    if (rc == 0)
        rc = put_enterprises(a);
    if (rc == 0)
        rc = answer_open_counts(a);
    if (rc == 0)
        rc = put_waiting(a);
    put_feeds(a, s);
    put_subscribers(a, s);
    put_listening(a, s);
    return rc;
}

int answer_feeds(struct answer *a)
{
    assert(a->q->status);
    put_feeds(a, a->q->status);
    return 0;
}

/* ---- kinds ---- */

static void put_clears(struct buf *b, const char *names)
{
    size_t n = 0;
    for (const char *p = names; *p; n++)
        p += strcspn(p, " "), p += strspn(p, " ");
    enc_list(b, n);
    for (const char *p = names; *p;) {
        size_t len = strcspn(p, " ");
        enc_slice(b, (struct slice){p, len});
        p += len;
        p += strspn(p, " ");
    }
}

static void put_kind(struct answer *a, const struct kind *k)
{
    struct enc_open m = enc_map_open(&a->q->body);
    enc_kv_str(&m, "kind", k->name);
    enc_kv_str(&m, "agency", k->agency);
    enc_kv_str(&m, "zh", k->zh);
    enc_kv_str(&m, "en", k->en);
    enc_kv_uint(&m, "weight", k->weight_ppm);
    enc_kv_uint(&m, "half_life_days", k->half_life_days);
    enc_kv_uint(&m, "repeat_window_days", k->repeat_window_days);
    enc_key(&m, "clears");
    put_clears(&a->q->body, k->clears);
    enc_kv_str(&m, "clue", k->clue);
    enc_close(&m);
}

int answer_kinds(struct answer *a)
{
    const struct kinds *kinds = a->q->catalog->kinds;
    enc_key(&a->out, "kinds");
    enc_list(&a->q->body, kinds_count(kinds));
    for (size_t i = 0; i < kinds_count(kinds); i++)
        put_kind(a, kinds_at(kinds, i));
    return 0;
}

/* ---- rules ---- */

static void put_tree(struct buf *b, const struct tree *t)
{
    int64_t i;
    bool yes;
    if (!t) {
        enc_nil(b);
    } else if (t->type == TREE_MAP) {
        enc_map(b, t->n);
        for (uint32_t k = 0; k < t->n; k++) {
            enc_slice(b, t->keys[k]->text);
            put_tree(b, t->items[k]);
        }
    } else if (t->type == TREE_LIST) {
        enc_list(b, t->n);
        for (uint32_t k = 0; k < t->n; k++)
            put_tree(b, t->items[k]);
    } else if (tree_int(t, &i)) {
        enc_int(b, i);
    } else if (tree_bool(t, &yes)) {
        enc_bool(b, yes);
    } else {
        enc_slice(b, t->text);
    }
}

int answer_rules(struct answer *a)
{
    const struct query_catalog *c = a->q->catalog;
    const struct tree *rules = tree_get(c->rules, "rules");
    put_hex(&a->out, "hash", c->hash);
    enc_key(&a->out, "rules");
    if (rules && rules->type == TREE_LIST)
        put_tree(&a->q->body, rules);
    else
        enc_list(&a->q->body, 0);
    return 0;
}
