/* SPDX-License-Identifier: Apache-2.0 */
/* Queries about how alerts are worked: handling of one, teams, routes, measures, and what the journal's chain was at a
 * number. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "engine/alert.h"
#include "engine/work_pack.h"
#include "store/journal.h"

#include <inttypes.h>

/* ---- handling of an alert ---- */

static void put_int(struct enc_open *m, const char *key, int64_t v)
{
    enc_key(m, key);
    eventpack_int(m->b, v);
}

static int64_t ends(const struct work *w, const struct term *t, int64_t at)
{
    int64_t end = w && at != NO_INT ? term_end(w, t, at) : INT64_MAX;
    return end == INT64_MAX ? NO_INT : end;
}

/* 四个第一: when each was due, when it was done, and whether in time; nil: not yet known. */
static void put_first_steps(struct answer *a, struct enc_open *m, const struct alert *al)
{
    static const struct term none;
    static const char *const words[] = {"seen", "registered", "forwarded", "verified"};
    const struct work *w = a->q->catalog->work;
    const struct handling *h = &al->h;
    const int64_t done[] = {h->seen_at, h->accepted_at, h->forwarded_at, h->verified_at};
    enc_key(m, "first_steps");
    enc_list(m->b, ARRAY_LEN(words));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        int64_t due = ends(w, w ? &w->first_steps[i] : &none, h->opened_at);
        struct enc_open s = enc_map_open(m->b);
        enc_kv_str(&s, "step", words[i]);
        put_int(&s, "at", done[i]);
        put_int(&s, "due", due);
        enc_key(&s, "in_time");
        if (due == NO_INT || (done[i] == NO_INT && a->q->now <= due))
            enc_nil(m->b);
        else
            enc_bool(m->b, done[i] != NO_INT && done[i] <= due);
        enc_close(&s);
    }
}

static void put_taken(struct answer *a, struct buf *b, const struct taken *t)
{
    static const char *const states[] = {[TAKEN_OPEN] = "open", [TAKEN_ANSWERED] = "answered", [TAKEN_RAN_OUT] = "silent",
                                         [TAKEN_SILENT] = "silent", [TAKEN_ENDED] = "ended"};
    const struct work *w = a->q->catalog->work;
    const struct measure *x = w ? work_measure(w, t->measure) : NULL;
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "measure", t->measure);
    enc_kv_slice(&m, "zh", x ? x->zh : t->measure);
    enc_kv_slice(&m, "en", x ? x->en : t->measure);
    enc_key(&m, "ref");
    eventpack_text(b, t->ref);
    enc_kv_uint(&m, "entry", t->entry);
    enc_kv_int(&m, "at", t->at);
    put_int(&m, "due", t->due);
    put_int(&m, "people", t->people);
    put_int(&m, "amount", t->amount);
    enc_kv_str(&m, "state", taken_goes_on(t) ? "open" : t->state < ARRAY_LEN(states) ? states[t->state] : "open");
    put_int(&m, "lasts_until", t->ends);
    put_int(&m, "may_end_from", x && t->ends != NO_INT ? ends(w, &x->may_end_after, t->at) : NO_INT);
    enc_kv_bool(&m, "recover", t->recover);
    if (t->recover) {
        enc_kv_int(&m, "recovered", t->recovered);
        enc_kv_int(&m, "to_recover", taken_owed(t));
    }
    enc_close(&m);
}

void work_put_handling(struct answer *a, struct enc_open *m, const struct alert *al)
{
    const char *words[32];
    const struct handling *h = &al->h;
    enc_key(m, "handling");
    struct enc_open o = enc_map_open(m->b);
    put_int(&o, "opened_at", h->opened_at);
    put_int(&o, "seen_at", h->seen_at);
    put_int(&o, "accepted_at", h->accepted_at);
    put_int(&o, "forwarded_at", h->forwarded_at);
    put_int(&o, "verified_at", h->verified_at);
    put_first_steps(a, &o, al);
    eventpack_tier(&o, a->q->catalog->work, h->tier);
    put_int(&o, "due", al->due);
    enc_key(&o, "due_step");
    eventpack_text(m->b, slice_of(eventpack_step(h->step) ? eventpack_step(h->step) : ""));
    enc_kv_bool(&o, "overdue", h->overdue);
    enc_kv_bool(&o, "unattended", h->unattended);
    enc_kv_uint(&o, "extended", h->extended);
    put_int(&o, "held_until", h->held_until);
    put_int(&o, "snoozed_until", h->snoozed_until);
    put_int(&o, "follow_up_at", h->follow_up_at);
    enc_kv_uint(&o, "undo", h->undo_entry);
    enc_key(&o, "measures");
    enc_list(m->b, h->n_taken);
    for (uint32_t i = 0; i < h->n_taken; i++)
        put_taken(a, m->b, &h->taken[i]);
    enc_close(&o);
    size_t n = steps_possible(a->q->catalog->work, al, words, ARRAY_LEN(words));
    enc_key(m, "possible");
    enc_list(m->b, n);
    for (size_t i = 0; i < n; i++)
        enc_str(m->b, words[i]);
}

/* ---- measures, teams, routes ---- */

int answer_measures(struct answer *a)
{
    const struct work *w = a->q->catalog->work;
    enc_key(&a->out, "measures");
    enc_list(&a->q->body, w ? w->n_measures : 0);
    for (uint32_t i = 0; w && i < w->n_measures; i++)
        work_put_measure(&a->q->body, &w->measures[i]);
    return 0;
}

/* `after`: how many were shown. */
int answer_teams(struct answer *a)
{
    const struct work *w = a->q->catalog->work;
    uint64_t limit, after = 0, total = w ? w->n_teams : 0;
    if (!param_limit(a, &limit) || !param_uint(a, "after", &after))
        return 0;
    uint64_t from = after < total ? after : total, n = total - from < limit ? total - from : limit;
    enc_kv_uint(&a->out, "total", total);
    enc_key(&a->out, "teams");
    enc_list(&a->q->body, (size_t)n);
    for (uint64_t i = from; i < from + n; i++)
        work_put_team(&a->q->body, w, &w->teams[i]);
    if (from + n < total)
        enc_kv_uint(&a->out, "next", from + n);
    return 0;
}

static bool industry_good(struct slice s)
{
    enum { INDUSTRY_MAX = 5 };
    bool good = s.n >= 1 && s.n <= INDUSTRY_MAX && s.p[0] >= 'A' && s.p[0] <= 'T';
    for (size_t i = 1; i < s.n; i++)
        good = good && s.p[i] >= '0' && s.p[i] <= '9';
    return good;
}

int answer_routes(struct answer *a)
{
    static const struct work none;
    const struct work *w = a->q->catalog->work ? a->q->catalog->work : &none;
    struct slice region = {NULL, 0}, industry = {NULL, 0};
    if (!param_text(a, "region", &region) || !param_text(a, "industry", &industry))
        return 0;
    if (!region.p)
        return answer_refuse(a, WIRE_ERROR_MISSING_FIELD, "'region' is missing: the code of the place");
    if (!region_of(region)) {
        param_bad(a, "region", "must be a region code");
        return 0;
    }
    if (industry.n && !industry_good(industry)) {
        param_bad(a, "industry", "must be a letter, or a letter and up to 4 digits");
        return 0;
    }
    enc_key(&a->out, "route");
    struct enc_open m = enc_map_open(&a->q->body);
    work_put_route(&m, w, a->q->catalog->regions, region_of(region), industry);
    enc_close(&m);
    return 0;
}

/* ---- the chain ---- */

/* Of the batch that holds the entry: that hash was not known to anybody before the entry was written. */
static int put_chain(struct answer *a, uint64_t number)
{
    static const char hex[] = "0123456789abcdef";
    struct journal_reader *r;
    struct journal_batch b;
    char text[2 * CHAIN_LEN];
    int rc = journal_reader_open(&r, a->journal_dir, number, a->err);
    if (rc == WW_ENOTFOUND)
        return answer_refuse(a, WIRE_ERROR_TOO_OLD, "that number is no longer in the journal; name a later one");
    if (rc < 0)
        return rc;
    rc = journal_reader_next(r, &b, a->err);
    for (size_t i = 0; rc == 1 && i < CHAIN_LEN; i++) {
        text[2 * i] = hex[b.chain[i] >> 4];
        text[2 * i + 1] = hex[b.chain[i] & 15];
    }
    if (rc == 1) {
        enc_kv_uint(&a->out, "number", number);
        enc_kv_uint(&a->out, "batch_end", b.first + b.n - 1);
        enc_kv_int(&a->out, "at", b.time);
        enc_kv_slice(&a->out, "hash", (struct slice){text, sizeof text});
    } else if (rc == 0) {
        answer_refuse(a, WIRE_ERROR_INTERNAL, "that entry could not be read; 'wagewarn verify' tells more");
    }
    journal_reader_close(r);
    return rc < 0 ? rc : 0;
}

int answer_audit(struct answer *a)
{
    uint64_t number = 0;
    if (!param_uint(a, "number", &number))
        return 0;
    if (!number)
        return answer_refuse(a, WIRE_ERROR_MISSING_FIELD, "'number' is missing: an entry of the journal");
    if (number > a->holds)
        return answer_refuse(a, WIRE_ERROR_BAD_FIELD,
                             arena_printf(&a->q->arena, "'number' lies ahead: the journal is at %" PRIu64, a->holds));
    return put_chain(a, number);
}
