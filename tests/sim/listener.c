/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners: each with its places, its level and its habits with credit; one goes on where it stopped, after whatever
 * break. Owns what each was told. Every event that reaches it must be the truth, one of its own, and the next; every
 * position that the daemon says it has examined must leave nothing out. */
#include "tests/sim/sim.h"

#include "lib/mem.h"
#include "lib/words.h"

#include <stdio.h>
#include <stdlib.h>

struct listener {
    const char *user, *region, *level; /* NULL: all */
    bool officer;                      /* what it hears is worked on */
    struct conn *conn;
    uint64_t session, last, cursor;    /* cursor: all up to here has been told */
    uint64_t heard;                    /* number of the last event told */
    uint64_t first, given;             /* credit: of a connection's beginning; not yet used */
    bool asked;
    unsigned breaks, told;
    char store[40];
};

static struct listener list[LISTENERS] = {
    {.user = "all", .officer = true},
    {.user = "all", .region = "330482001"},
    {.user = "town1", .officer = true},
    {.user = "town2"},
    {.user = "county", .level = "major", .officer = true},
    {.user = "county", .region = "3304821"},
};
static bool generous;

/* What the principal may see: config/principals.yaml says the same. */
static const char *sees(const char *user)
{
    return strcmp(user, "town1") == 0    ? "330482001"
           : strcmp(user, "town2") == 0  ? "330482002"
           : strcmp(user, "county") == 0 ? "330482"
                                         : NULL;
}

/* ---- what it should be told ---- */

static bool lies_in(region_t place, const char *prefix)
{
    char text[16] = "";
    text[region_text(place, text)] = 0;
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_for(const struct listener *l, const struct truth_event *e)
{
    const char *may = sees(l->user);
    bool place = !may && !l->region;
    for (uint32_t i = 0; i < e->n_places && !place; i++)
        place = (!may || lies_in(e->places[i], may)) && (!l->region || lies_in(e->places[i], l->region));
    if (e->type == EVENT_DUTY) /* only who asks for those is told */
        return false;
    return place && (!l->level || e->level >= LEVEL_MAJOR || e->level_before >= LEVEL_MAJOR);
}

/* Nothing between what it was told and `upto` was for it. */
static void check_examined(struct listener *l, uint64_t upto, uint64_t but)
{
    truth_catch_up();
    if (upto > truth_events())
        sim_fail("%s: examined up to event %llu, but only %llu are durable", l->user, (unsigned long long)upto,
                 (unsigned long long)truth_events());
    for (uint64_t seq = l->cursor + 1; seq <= upto; seq++)
        if (seq != but && is_for(l, truth_event(seq)))
            sim_fail("%s %s: event %llu was passed over", l->user, l->region ? l->region : "",
                     (unsigned long long)seq);
}

static void check_event(struct listener *l, const struct ww_value *m, uint64_t seq)
{
    uint64_t alert = 0, version = 0;
    int64_t at = 0, score = 0; /* one that several firms share has none */
    struct slice type = {NULL, 0}, level = {NULL, 0};
    const struct truth_event *e = truth_event(seq);
    if (!e)
        sim_fail("%s: event %llu is told, but not durable", l->user, (unsigned long long)seq);
    val_uint(m, "alert", &alert);
    val_uint(m, "version", &version);
    val_int(m, "at", &at);
    val_int(m, "score", &score);
    val_str(m, "type", &type);
    val_str(m, "level", &level);
    if (alert != e->alert || version != e->version || at != e->at || score != (int64_t)e->score ||
        !slice_is(type, event_wire(e->type)) || !slice_is(level, level_wire(e->level)))
        sim_fail("%s: event %llu is told as %.*s of alert %llu, version %llu, level %.*s, score %lld, at %lld; it is "
                 "%s of %llu, %llu, %s, %u, %lld",
                 l->user, (unsigned long long)seq, SLICE_ARG(type), (unsigned long long)alert,
                 (unsigned long long)version, SLICE_ARG(level), (long long)score, (long long)at, event_wire(e->type),
                 (unsigned long long)e->alert, (unsigned long long)e->version, level_wire(e->level), e->score,
                 (long long)e->at);
    if (!is_for(l, e))
        sim_fail("%s %s: event %llu is not for it", l->user, l->region ? l->region : "", (unsigned long long)seq);
}

/* ---- asking ---- */

static void send_subscribe(struct listener *l)
{
    struct buf b = {0};
    struct enc_open m = enc_map_open(&b);
    enc_kv_uint(&m, "rid", 1);
    if (*l->store)
        enc_kv_str(&m, "store", l->store);
    enc_kv_uint(&m, "from", l->cursor + 1);
    if (l->region) {
        enc_key(&m, "regions");
        enc_list(&b, 1);
        enc_str(&b, l->region);
    }
    enc_kv_str(&m, "min_level", l->level);
    l->given = l->first;
    enc_kv_uint(&m, "credit", l->given);
    enc_close(&m);
    net_send(l->conn, "subscribe", &b);
    buf_finish(&b);
    l->session = 0;
    l->asked = true;
}

static void give_credit(struct listener *l, uint64_t n)
{
    struct buf b = {0};
    if (!l->session || !n)
        return;
    enc_map(&b, 2);
    enc_str(&b, "session");
    enc_uint(&b, l->session);
    enc_str(&b, "n");
    enc_uint(&b, n);
    net_send(l->conn, "credit", &b);
    buf_finish(&b);
    l->given += n;
}

/* Now and then: more credit, a look elsewhere, a hang-up, the same asked again. */
static void dial(struct listener *);

static void moment(void *listener, uint64_t unused)
{
    struct listener *l = listener;
    (void)unused;
    sim_at(sim_now + (generous ? SECOND : SECOND / 2 + (int64_t)sim_draw(8 * SECOND)), moment, l, 0);
    if (!l->conn)
        return;
    if (generous) {
        net_stall(l->conn, false);
        if (l->given < 500)
            give_credit(l, 1000);
    } else {
        net_stall(l->conn, sim_chance(100));
        give_credit(l, sim_draw(l->given > 20 ? 1 : 12));
    }
    if (!l->session && sim_chance(300)) /* the answer may have been lost */
        send_subscribe(l);
    if (!generous && sim_chance(30)) {
        net_hang_up(&l->conn);
        dial(l);
    }
}

static void on_up(void *listener)
{
    send_subscribe(listener);
}

static void on_down(void *listener)
{
    struct listener *l = listener;
    l->breaks++;
    dial(l);
}

/* ---- hearing ---- */

static uint64_t number(const struct ww_value *m, const char *key)
{
    uint64_t n = 0;
    if (val_uint(m, key, &n) <= 0)
        sim_fail("a listener was told no %s", key);
    return n;
}

static void on_subscribed(struct listener *l, const struct ww_value *m)
{
    struct slice store = {NULL, 0};
    val_str(m, "store", &store);
    if (*l->store && !slice_is(store, l->store))
        sim_fail("%s: the store has another id", l->user);
    snprintf(l->store, sizeof l->store, "%.*s", SLICE_ARG(store));
    if (number(m, "from") != l->cursor + 1)
        return; /* an answer to what was asked before the last event came: asked again */
    l->session = number(m, "session");
    l->last = 0;
}

static void on_event(struct listener *l, const struct ww_value *m)
{
    uint64_t seq = number(m, "seq");
    if (number(m, "session") != l->session)
        return;
    if (seq <= l->cursor)
        sim_fail("%s: event %llu is told twice", l->user, (unsigned long long)seq);
    if (number(m, "prev") != l->last)
        sim_fail("%s: event %llu says that %llu came before it, not %llu", l->user, (unsigned long long)seq,
                 (unsigned long long)number(m, "prev"), (unsigned long long)l->last);
    if (!l->given)
        sim_fail("%s: event %llu comes without credit", l->user, (unsigned long long)seq);
    check_examined(l, seq, seq);
    check_event(l, m, seq);
    l->given--;
    l->last = l->cursor = seq;
    l->told++;
    if (l->officer)
        officers_heed(l->user, seq);
}

static void on_heartbeat(struct listener *l, const struct ww_value *m)
{
    uint64_t upto = number(m, "upto");
    if (number(m, "session") != l->session)
        return;
    if (number(m, "last") != l->last)
        sim_fail("%s: a heartbeat says that %llu was the last event, not %llu", l->user,
                 (unsigned long long)number(m, "last"), (unsigned long long)l->last);
    if (upto <= l->cursor)
        return;
    check_examined(l, upto, 0);
    l->cursor = upto;
}

static void on_heard(void *listener, const char *verb, struct slice body)
{
    struct listener *l = listener;
    struct arena a = {0};
    const struct ww_value *m;
    struct err err;
    if (codec_body(body, &a, &m, &err))
        sim_fail("a listener was sent no map: %s", err.msg);
    if (strcmp(verb, "event") == 0)
        on_event(l, m);
    else if (strcmp(verb, "heartbeat") == 0)
        on_heartbeat(l, m);
    else if (strcmp(verb, "subscribed") == 0)
        on_subscribed(l, m);
    else {
        struct slice why = {NULL, 0};
        val_str(m, "message", &why);
        sim_fail("%s: answered %s: %.*s", l->user, verb, SLICE_ARG(why));
    }
    arena_finish(&a);
}

/* By the time it is said it must be durable. */
static void on_said(void *listener, const char *verb, struct slice body)
{
    struct listener *l = listener;
    struct arena a = {0};
    const struct ww_value *m;
    struct err err;
    bool event = strcmp(verb, "event") == 0;
    if ((event || strcmp(verb, "heartbeat") == 0) && codec_body(body, &a, &m, &err) == 0) {
        uint64_t upto = number(m, event ? "seq" : "head");
        truth_catch_up();
        if (upto > truth_events())
            sim_fail("%s: %s %llu is said, but only %llu events are durable", l->user, verb, (unsigned long long)upto,
                     (unsigned long long)truth_events());
    }
    arena_finish(&a);
}

static void dial(struct listener *l)
{
    struct link link = {on_up, on_down, on_said, on_heard, l, l->user};
    l->session = 0;
    l->first = generous ? 1000 : sim_draw(20);
    net_dial(&link, &l->conn);
}

/* ---- life ---- */

void listeners_begin(void)
{
    for (int i = 0; i < LISTENERS; i++) {
        dial(&list[i]);
        moment(&list[i], 0);
    }
}

void listeners_generous(bool yes)
{
    generous = yes;
    for (int i = 0; yes && i < LISTENERS; i++)
        net_stall(list[i].conn, false);
}

bool listeners_done(void)
{
    truth_catch_up();
    for (int i = 0; i < LISTENERS; i++)
        if (list[i].cursor != truth_events())
            return false;
    return true;
}

void listeners_say(void)
{
    for (int i = 0; i < LISTENERS; i++)
        sim_say("%s %s: told %u events, examined up to %llu of %llu%s", list[i].user,
                list[i].region ? list[i].region : "", list[i].told, (unsigned long long)list[i].cursor,
                (unsigned long long)truth_events(), list[i].session ? "" : ", not connected");
}
