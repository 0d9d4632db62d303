/* SPDX-License-Identifier: Apache-2.0 */
/* Officers: work the alerts that they hear of, well or badly, at once or late, two at a time at the same. Owns what each
 * has asked. A `done` must be a step that is durable and was taken; what a query shows must be the truth as of the entry
 * that it names, and of no earlier one than its asker was told. */
#include "tests/sim/sim.h"

#include "lib/mem.h"
#include "wagewarn.h"

#include <stdio.h>
#include <stdlib.h>

enum { OFFICERS = 4, KNOWN = 64, ASKED = 8 };

struct asked {
    uint64_t rid, alert, least; /* rid 0: none; least: entry that the answer must reflect */
    bool query;
};

struct officer {
    const char *user;
    struct conn *conn;
    uint64_t known[KNOWN]; /* events */
    size_t n_known;
    uint64_t rids, done;   /* done: entry of its last step */
    uint64_t told;         /* the same, in this connection */
    struct asked asked[ASKED];
};

static struct officer list[OFFICERS] = {{.user = "all"}, {.user = "town1"}, {.user = "county"}, {.user = "all"}};

/* ---- what they do ---- */

static void put_ref(struct enc_open *m)
{
    char ref[24];
    snprintf(ref, sizeof ref, "R-%u", (unsigned)sim_draw(1000));
    enc_kv_str(m, "ref", ref);
}

static void put_verify(struct enc_open *m, const struct officer *o)
{
    static const char *const findings[] = {"confirmed", "confirmed", "confirmed", "unfounded", "false_claim"};
    (void)o;
    enc_kv_str(m, "finding", findings[sim_draw(ARRAY_LEN(findings))]);
    enc_kv_int(m, "people", sim_between(1, 60));
    enc_kv_int(m, "amount", sim_between(1, 500000000));
}

static void put_dispose(struct enc_open *m, const struct officer *o)
{
    static const char *const measures[] = {"risk_notice", "talk", "order_to_correct", "payment_plan"};
    (void)o;
    enc_kv_str(m, "measure", measures[sim_draw(ARRAY_LEN(measures))]);
    put_ref(m);
    enc_kv_int(m, "due", sim_true_ms() + sim_between(1, 20) * DAY_MS);
    enc_kv_int(m, "people", sim_between(1, 60));
    enc_kv_int(m, "amount", sim_between(1, 500000000));
}

static void put_close(struct enc_open *m, const struct officer *o)
{
    static const char *const outcomes[] = {"paid", "paid", "unfounded", "false_claim", "mediated", "other"};
    (void)o;
    enc_kv_str(m, "outcome", outcomes[sim_draw(ARRAY_LEN(outcomes))]);
    enc_kv_int(m, "paid_people", sim_between(1, 60));
    enc_kv_int(m, "paid_amount", sim_between(1, 500000000));
}

static void put_until(struct enc_open *m, const struct officer *o)
{
    (void)o;
    enc_kv_int(m, "until", sim_true_ms() + sim_between(1, 30 * 24) * 3600000);
}

static void put_undo(struct enc_open *m, const struct officer *o)
{
    enc_kv_uint(m, "undo", o->done);
}

static void put_team(struct enc_open *m, const struct officer *o)
{
    (void)o;
    enc_kv_str(m, "team", sim_chance(500) ? "labour1" : "county-labour");
}

static const struct {
    const char *what;
    unsigned weight;
    void (*put)(struct enc_open *, const struct officer *);
} deeds[] = {
    {"accept", 30, NULL},       {"verify", 25, put_verify}, {"dispose", 15, put_dispose}, {"close", 14, put_close},
    {"seen", 8, NULL},          {"comment", 4, NULL},       {"snooze", 3, put_until},     {"escalate", 2, NULL},
    {"correct", 6, put_undo},   {"reopen", 3, NULL},        {"extend", 2, NULL},          {"hold", 2, put_until},
    {"assign", 2, put_team},    {"join", 2, put_team},
};

static size_t some_deed(void)
{
    unsigned sum = 0, i = 0;
    for (size_t k = 0; k < ARRAY_LEN(deeds); k++)
        sum += deeds[k].weight;
    for (unsigned at = (unsigned)sim_draw(sum); at >= deeds[i].weight; i++)
        at -= deeds[i].weight;
    return i;
}

static struct asked *ask(struct officer *o, uint64_t alert, bool query)
{
    struct asked *a = &o->asked[++o->rids % ASKED]; /* the oldest is given up */
    *a = (struct asked){o->rids, alert, o->told, query};
    return a;
}

static void act(struct officer *o, const struct truth_event *e)
{
    struct buf b = {0};
    struct enc_open m = enc_map_open(&b);
    size_t i = some_deed();
    enc_kv_uint(&m, "rid", ask(o, e->alert, false)->rid);
    enc_kv_uint(&m, "alert", e->alert);
    enc_kv_str(&m, "do", deeds[i].what);
    if (sim_chance(500))
        enc_kv_uint(&m, "version", e->version);
    if (sim_chance(400))
        enc_kv_str(&m, "note", "电话联系过");
    if (deeds[i].put)
        deeds[i].put(&m, o);
    enc_close(&m);
    net_send(o->conn, "action", &b);
    buf_finish(&b);
}

static void query(struct officer *o, const struct truth_event *e)
{
    struct buf b = {0};
    enc_map(&b, 3);
    enc_str(&b, "rid");
    enc_uint(&b, ask(o, e->alert, true)->rid);
    enc_str(&b, "what");
    enc_str(&b, "alert");
    enc_str(&b, "alert");
    enc_uint(&b, e->alert);
    net_send(o->conn, "query", &b);
    buf_finish(&b);
}

static void turn_to(void *officer, uint64_t seq)
{
    struct officer *o = officer;
    const struct truth_event *e = truth_event(seq);
    if (!o->conn || !e)
        return;
    if (sim_chance(250))
        query(o, e);
    else
        act(o, e);
}

void officers_heed(const char *user, uint64_t seq)
{
    for (int i = 0; i < OFFICERS; i++) {
        struct officer *o = &list[i];
        if (strcmp(o->user, user) != 0)
            continue;
        o->known[o->n_known++ % KNOWN] = seq;
        if (sim_chance(400))
            sim_at(sim_now + (int64_t)sim_draw(sim_chance(300) ? 20 * MS : 5 * SECOND), turn_to, o, seq);
    }
}

void officers_work(void)
{
    for (int i = 0; i < OFFICERS; i++) {
        struct officer *o = &list[i];
        size_t n = o->n_known < KNOWN ? o->n_known : KNOWN;
        if (n)
            sim_at(sim_now + (int64_t)sim_draw(2 * SECOND), turn_to, o, o->known[sim_draw(n)]);
    }
}

/* ---- answers ---- */

static struct asked *asked_of(struct officer *o, const struct ww_value *m)
{
    uint64_t rid = 0;
    val_uint(m, "rid", &rid);
    return rid && o->asked[rid % ASKED].rid == rid ? &o->asked[rid % ASKED] : NULL;
}

static void check_done(struct officer *o, const struct asked *a, const struct ww_value *m)
{
    uint64_t seq = 0;
    val_uint(m, "seq", &seq);
    if (seq > disk_durable())
        sim_fail("%s: done as entry %llu, but only %llu is durable", o->user, (unsigned long long)seq,
                 (unsigned long long)disk_durable());
    truth_catch_up();
    if (!truth_action(seq, slice_of(o->user), a->alert))
        sim_fail("%s: done as entry %llu, which is no such step, or was refused", o->user, (unsigned long long)seq);
}

/* The version of the alert that the result shows is that of its last event by then. */
static void check_result(struct officer *o, const struct asked *a, const struct ww_value *m)
{
    uint64_t as_of = 0, version = 0, want = 0;
    val_uint(m, "as_of", &as_of);
    const struct ww_value *shown = ww_get(m, "alert");
    if (shown)
        val_uint(shown, "version", &version);
    if (as_of > disk_durable())
        sim_fail("%s: a result is as of entry %llu, but only %llu is durable", o->user, (unsigned long long)as_of,
                 (unsigned long long)disk_durable());
    if (as_of < a->least)
        sim_fail("%s: a result is as of entry %llu; it had been told of %llu before it asked", o->user,
                 (unsigned long long)as_of, (unsigned long long)a->least);
    truth_catch_up();
    for (uint64_t seq = truth_events(); seq && !want; seq--)
        if (truth_event(seq)->alert == a->alert && truth_event(seq)->entry <= as_of)
            want = truth_event(seq)->version;
    if (version != want)
        sim_fail("%s: alert %llu is shown in version %llu, as of entry %llu it has %llu", o->user,
                 (unsigned long long)a->alert, (unsigned long long)version, (unsigned long long)as_of,
                 (unsigned long long)want);
}

/* Who sees every place is shown every alert that it heard of, if the view could follow. (Places of an alert may change
 * without an event, so that of the others one may lose sight.) */
static bool sure_to_see(const struct officer *o)
{
    return strcmp(o->user, "all") == 0 && !disk_was_full();
}

static void on_said(void *officer, const char *verb, struct slice body)
{
    struct officer *o = officer;
    struct arena arena = {0};
    const struct ww_value *m;
    struct err err;
    if (codec_body(body, &arena, &m, &err))
        sim_fail("%s was sent no map: %s", o->user, err.msg);
    struct asked *a = asked_of(o, m);
    if (a && !a->query && strcmp(verb, "done") == 0)
        check_done(o, a, m);
    if (a && a->query && strcmp(verb, "result") == 0)
        check_result(o, a, m);
    arena_finish(&arena);
}

static void on_heard(void *officer, const char *verb, struct slice body)
{
    struct officer *o = officer;
    struct arena arena = {0};
    const struct ww_value *m;
    struct err err;
    struct slice code = {NULL, 0}, why = {NULL, 0};
    if (codec_body(body, &arena, &m, &err))
        sim_fail("%s was sent no map: %s", o->user, err.msg);
    struct asked *a = asked_of(o, m);
    if (a && !a->query && strcmp(verb, "done") == 0)
        if (val_uint(m, "seq", &o->done) > 0)
            o->told = o->done;
    if (strcmp(verb, "error") == 0) {
        val_str(m, "code", &code);
        val_str(m, "message", &why);
        bool ending = why.n && strstr(why.p, "daemon is ending");
        if ((slice_is(code, "internal") && !ending) || slice_is(code, "bad_message") || (a && slice_is(code, "no_such_alert") && sure_to_see(o)))
            sim_fail("%s, of alert %llu: answered %.*s: %.*s", o->user, (unsigned long long)(a ? a->alert : 0),
                     SLICE_ARG(code), SLICE_ARG(why));
    }
    if (a)
        a->rid = 0;
    arena_finish(&arena);
}

static void dial(struct officer *);

static void on_up(void *officer)
{
    struct officer *o = officer;
    memset(o->asked, 0, sizeof o->asked);
    o->told = 0;
}

static void on_down(void *officer)
{
    dial(officer);
}

static void dial(struct officer *o)
{
    struct link link = {on_up, on_down, on_said, on_heard, o, o->user};
    net_dial(&link, &o->conn);
}

void officers_begin(void)
{
    for (int i = 0; i < OFFICERS; i++)
        dial(&list[i]);
}
