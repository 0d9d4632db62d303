/* SPDX-License-Identifier: Apache-2.0 */
/* Queries about one enterprise: what is known of it, and its signals in pages. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "engine/fixed.h"
#include "engine/record.h"
#include "lib/name.h"
#include "lib/uscc.h"

#include <stdlib.h>

/* A signal and the series that it is of. */
struct listed {
    const struct sig *sig;
    uint32_t series;
    hazard_t hazard; /* what it counts for now; 0: nothing */
};

struct enterprise {
    struct record record; /* its lists in the scratch arena, texts in the view */
    int64_t *cleared;     /* by series: all up to this time is cleared; NO_INT: nothing */
    struct listed *signals;
    size_t n, cap;
    bool shares;    /* worked out: */
    hazard_t total; /* of all of them */
};

/* ---- which one ---- */

static int no_such(struct answer *a)
{
    return answer_refuse(
        a, WIRE_ERROR_NO_SUCH_ENTERPRISE,
        "there is no such enterprise in your regions; ask by its code or its registered name");
}

int answer_resolve_name(struct answer *a, struct ekey *key)
{
    struct slice value, text;
    struct ekey *codes;
    size_t n;
    int rc = view_get(a->reader, T_NAME, key->b, EKEY_LEN, &value, a->err);
    if (rc <= 0)
        return rc;
    rc = name_get(value, &a->scratch, &text, &codes, &n, a->err);
    if (rc == 0 && n == 1)
        *key = codes[0];
    return rc;
}

bool param_enterprise(struct answer *a, struct ekey *key)
{
    struct slice uscc = {NULL, 0}, name = {NULL, 0};
    uint8_t status;
    if (!param_text(a, "uscc", &uscc) || !param_text(a, "name", &name) || !param_status(a, &status))
        return false;
    if (uscc.p) {
        const char *fault = uscc_fault(uscc);
        *key = fault ? (struct ekey){{0}} : ekey_of_code(status, uscc);
        return fault ? param_bad(a, "uscc", fault) : true;
    }
    if (!name.p) {
        answer_refuse(a, WIRE_ERROR_MISSING_FIELD,
                      "'uscc' or 'name' is missing: one of them says which enterprise");
        return false;
    }
    struct slice normal = name_normalise(&a->scratch, name);
    if (!normal.n)
        return param_bad(a, "name", "must be a name");
    *key = ekey_of_name(status, normal);
    return true;
}

/* 1 found and to be seen, 0 refused, negative failed. */
static int load(struct answer *a, struct record *r)
{
    struct ekey key = {{0}};
    struct slice value = {0};
    if (!param_enterprise(a, &key))
        return 0;
    int rc = ekey_is_code(&key) ? 0 : answer_resolve_name(a, &key);
    if (rc == 0)
        rc = view_get(a->reader, T_ENTERPRISE, key.b, EKEY_LEN, &value, a->err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return no_such(a);
    rc = record_get(value, &key, &a->scratch, r, a->err);
    if (rc < 0)
        return rc;
    profile_work(a, r);
    return answer_sees(a, record_region(r), r->places, r->n_places) ? 1 : no_such(a);
}

/* ---- its signals ---- */

static void list(struct answer *a, struct enterprise *e, uint32_t series, const struct sig *sigs, size_t n,
                 uint64_t after)
{
    for (size_t i = 0; i < n; i++) {
        if (sigs[i].seq <= after)
            continue;
        if (e->n == e->cap) {
            size_t cap = e->cap ? e->cap * 2 : 64;
            struct listed *more = arena_alloc(&a->scratch, cap * sizeof *more);
            if (e->n)
                memcpy(more, e->signals, e->n * sizeof *more);
            e->signals = more;
            e->cap = cap;
        }
        e->signals[e->n++] = (struct listed){.sig = &sigs[i], .series = series};
    }
}

static int list_block(struct answer *a, struct enterprise *e, uint32_t series, const struct block_ref *ref,
                      uint64_t after)
{
    uint8_t key[STATE_KEY_MAX];
    struct slice value;
    struct sig *sigs;
    size_t n;
    if (ref->max_seq <= after)
        return 0;
    size_t len = block_key(key, &e->record.key, &e->record.series[series], ref->no);
    int rc = view_get(a->reader, T_BLOCK, key, len, &value, a->err);
    if (rc == 0)
        rc = err_set(a->err, WW_EDAMAGED, "view: a block of signals is missing; start with --rebuild");
    if (rc > 0)
        rc = block_get(value, &a->scratch, &sigs, &n, a->err);
    if (rc < 0)
        return rc;
    list(a, e, series, sigs, n, after);
    return 0;
}

static int list_all(struct answer *a, struct enterprise *e, uint64_t after)
{
    for (uint32_t i = 0; i < e->record.n_series; i++) {
        const struct series *s = &e->record.series[i];
        for (uint32_t k = 0; k < s->n_blocks; k++) {
            int rc = list_block(a, e, i, &s->blocks[k], after);
            if (rc)
                return rc;
        }
        list(a, e, i, s->sigs, s->n, after);
    }
    return 0;
}

static bool names_kind(const char *names, struct slice kind)
{
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, " ");
        if (n == kind.n && memcmp(p, kind.p, n) == 0)
            return true;
        p += n;
        p += strspn(p, " ");
    }
    return false;
}

static int64_t latest_standing(const struct series *s)
{
    for (uint32_t i = s->n; i-- > 0;)
        if (!(s->sigs[i].flags & SIG_CANCELLED))
            return s->sigs[i].at;
    return s->n_blocks ? s->spilled_latest : NO_INT;
}

/* As the configuration in force says which kind clears which. */
static void work_out_cleared(struct answer *a, struct enterprise *e)
{
    const struct record *r = &e->record;
    e->cleared = arena_alloc(&a->scratch, (r->n_series + 1) * sizeof *e->cleared);
    for (uint32_t i = 0; i < r->n_series; i++)
        e->cleared[i] = NO_INT;
    for (uint32_t i = 0; i < r->n_series; i++) {
        const struct kind *k =
            kinds_find(a->q->catalog->kinds, dict_text(a->dict, DICT_KIND, r->series[i].kind));
        if (!k || !*k->clears)
            continue;
        int64_t at = latest_standing(&r->series[i]);
        for (uint32_t j = 0; j < r->n_series; j++)
            if (at > e->cleared[j] && names_kind(k->clears, dict_text(a->dict, DICT_KIND, r->series[j].kind)))
                e->cleared[j] = at;
    }
}

static bool is_active(const struct enterprise *e, const struct listed *l)
{
    return !(l->sig->flags & SIG_CANCELLED) && l->sig->at > e->cleared[l->series];
}

static int by_series(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;
    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->sig->at != b->sig->at)
        return a->sig->at < b->sig->at ? -1 : 1;
    return (a->sig->seq > b->sig->seq) - (a->sig->seq < b->sig->seq);
}

/* What each counts for at this moment: its weight, halved for each rank among repeats and by age. Factors are
 * left out: they are the same for all, and shares are asked for. All signals must be listed. */
static void work_out_shares(struct answer *a, struct enterprise *e)
{
    const struct kind *k = NULL;
    int64_t latest = NO_INT;
    unsigned rank = 0;
    e->shares = true;
    if (e->n)
        qsort(e->signals, e->n, sizeof *e->signals, by_series);
    for (size_t i = 0; i < e->n; i++) {
        struct listed *l = &e->signals[i];
        if (i == 0 || l->series != l[-1].series) {
            k = kinds_find(a->q->catalog->kinds,
                           dict_text(a->dict, DICT_KIND, e->record.series[l->series].kind));
            latest = NO_INT;
        }
        if (!k || !k->half_life_days || !is_active(e, l))
            continue;
        bool repeat = latest != NO_INT && k->repeat_window_days &&
                      l->sig->at - latest <= k->repeat_window_days * DAY_MS;
        rank = repeat ? rank + 1 : 0;
        latest = l->sig->at;
        int64_t age = a->q->now - l->sig->at;
        hazard_t h = rank < 64 ? fixed_hazard(k->weight_ppm) >> rank : 0;
        l->hazard = age > 0 ? fixed_decay(h, (uint64_t)age, (uint64_t)(k->half_life_days * DAY_MS)) : h;
        e->total += l->hazard;
    }
}

static void put_signal(struct answer *a, const struct enterprise *e, const struct listed *l)
{
    const struct series *s = &e->record.series[l->series];
    const struct sig *sig = l->sig;
    struct buf *b = &a->q->body;
    struct enc_open m = enc_map_open(b);
    eventpack_seq(&m, sig->seq);
    enc_kv_slice(&m, "id", sig->id);
    enc_kv_slice(&m, "source", dict_text(a->dict, DICT_SOURCE, s->source));
    enc_kv_slice(&m, "kind", dict_text(a->dict, DICT_KIND, s->kind));
    enc_kv_int(&m, "at", sig->at);
    enc_key(&m, "amount");
    eventpack_int(b, sig->amount);
    enc_key(&m, "people");
    eventpack_int(b, sig->people);
    enc_key(&m, "region");
    eventpack_region(b, sig->region);
    enc_kv_bool(&m, "cleared", sig->at <= e->cleared[l->series]);
    enc_kv_bool(&m, "cancelled", (sig->flags & SIG_CANCELLED) != 0);
    if (e->shares)
        enc_kv_uint(&m, "share",
                    e->total ? (uint64_t)((unsigned __int128)l->hazard * 1000000 / e->total) : 0);
    if (sig->since != NO_INT)
        enc_kv_int(&m, "since", sig->since);
    if (sig->project.n)
        enc_kv_slice(&m, "project", sig->project);
    if (sig->role != ROLE_NONE)
        enc_kv_str(&m, "role", role_wire(sig->role));
    profile_put_signal(a, &m, sig);
    enc_close(&m);
}

static int by_seq(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;
    return (a->sig->seq > b->sig->seq) - (a->sig->seq < b->sig->seq);
}

static int newest_first(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;
    int order = (a->sig->at < b->sig->at) - (a->sig->at > b->sig->at);
    return order ? order : by_seq(y, x);
}

static void put_signals(struct answer *a, const struct enterprise *e, size_t n)
{
    enc_list(&a->q->body, n);
    for (size_t i = 0; i < n; i++)
        put_signal(a, e, &e->signals[i]);
}

int answer_signals(struct answer *a)
{
    struct enterprise e = {.n = 0};
    uint64_t after = 0, limit;
    if (!param_uint(a, "after", &after) || !param_limit(a, &limit))
        return 0;
    int rc = load(a, &e.record);
    if (rc <= 0)
        return rc;
    work_out_cleared(a, &e);
    rc = list_all(a, &e, after);
    if (rc)
        return rc;
    if (e.n)
        qsort(e.signals, e.n, sizeof *e.signals, by_seq);
    size_t n = e.n < limit ? e.n : (size_t)limit;
    enc_key(&a->out, "signals");
    put_signals(a, &e, n);
    if (n < e.n)
        enc_kv_uint(&a->out, "next", e.signals[n - 1].sig->seq);
    return 0;
}

/* ---- all about it ---- */

static void put_places(struct buf *b, const struct record *r)
{
    bool registered = r->registered != 0;
    for (uint32_t i = 0; i < r->n_places; i++)
        registered = registered && r->places[i] != r->registered;
    enc_list(b, r->n_places + (registered ? 1 : 0));
    if (registered)
        eventpack_region(b, r->registered);
    for (uint32_t i = 0; i < r->n_places; i++)
        eventpack_region(b, r->places[i]);
}

/* All that registers ever said of it, newest first. */
static void put_profile_history(struct answer *a, const struct enterprise *e)
{
    int64_t kind = registry_kind(a, &e->record);
    struct enc_open list = enc_list_open(&a->q->body);
    size_t n = 0;
    for (size_t i = 0; i < e->n && n < QUERY_LIMIT_MAX; i++)
        if ((int64_t)e->record.series[e->signals[i].series].kind == kind) {
            enc_item(&list);
            put_signal(a, e, &e->signals[i]);
            n++;
        }
    enc_close(&list);
}

static int put_enterprise(struct answer *a, const struct enterprise *e)
{
    const struct record *r = &e->record;
    struct buf *b = &a->q->body;
    struct enc_open m = enc_map_open(b);
    size_t n = e->n < QUERY_LIMIT_MAX ? e->n : QUERY_LIMIT_MAX;
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
    enc_key(&m, "places");
    put_places(b, r);
    enc_kv_uint(&m, "score", r->score);
    enc_kv_int(&m, "judged_at", r->judged_at);
    enc_kv_str(&m, "level", level_wire(r->level));
    enc_key(&m, "alert");
    r->alert_open ? enc_uint(b, r->alert) : enc_nil(b);
    if (r->unresolved)
        enc_kv_bool(&m, "unresolved", true);
    if (ekey_status(&r->key) != STATUS_ACTUAL)
        enc_kv_str(&m, "status", status_wire(ekey_status(&r->key)));
    int rc = profile_put_all(a, &m, r);
    enc_key(&m, "profile_history");
    put_profile_history(a, e);
    enc_kv_uint(&m, "signals_total", e->n);
    enc_key(&m, "signals");
    put_signals(a, e, n);
    enc_close(&m);
    return rc;
}

int answer_enterprise(struct answer *a)
{
    struct enterprise e = {.n = 0};
    int rc = load(a, &e.record);
    if (rc <= 0)
        return rc;
    work_out_cleared(a, &e);
    rc = list_all(a, &e, 0);
    if (rc)
        return rc;
    work_out_shares(a, &e);
    if (e.n)
        qsort(e.signals, e.n, sizeof *e.signals, newest_first);
    enc_key(&a->out, "enterprise");
    return put_enterprise(a, &e);
}
