/* SPDX-License-Identifier: Apache-2.0 */
/* The verb query: what the main thread adds to a question, and the answers on their way back. Owns what holds
 * a configuration while a question names it. Main thread. */
#include "daemon/server_parts.h"

#include "engine/settings.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <stdlib.h>

/* A question on its way holds the configuration whose tables it names. */
struct held {
    struct query_catalog catalog; /* first: the query points to it */
    struct config *config;
    struct held *next, **at; /* of the server's list: `at` is what points here */
};

static const struct query_catalog *hold(struct server *s)
{
    const struct catalog *c = &s->config->catalog;
    struct held *h = mem_alloc(sizeof *h);
    h->catalog = (struct query_catalog){.kinds = c->kinds,
                                        .rules = c->rules,
                                        .hash = {(const char *)c->hash, CHAIN_LEN},
                                        .regions = c->regions,
                                        .work = c->compiled->work,
                                        .campaigns = &c->campaigns,
                                        .timezone = s->config->timezone_ms,
                                        .shadow = tree_get(c->settings, "shadow") != NULL};
    h->config = s->config;
    config_hold(s->config);
    h->next = s->held;
    h->at = &s->held;
    if (h->next)
        h->next->at = &h->next;
    s->held = h;
    return &h->catalog;
}

static void let_go(struct held *h)
{
    *h->at = h->next;
    if (h->next)
        h->next->at = h->at;
    config_release(h->config);
    free(h);
}

void query_let_go_all(struct server *s)
{
    for (struct held *h = s->held, *next; h; h = next) {
        next = h->next;
        let_go(h);
    }
}

static void give_back(struct server *s, struct query *q)
{
    struct held *h = s->held;
    while (h && &h->catalog != q->catalog)
        h = h->next;
    query_give_back(s->o.queries, q);
    if (h)
        let_go(h);
}

struct listing {
    struct query_subscriber *list;
    size_t n;
    struct arena *arena;
};

static void list_session(void *arg, const struct session_status *st)
{
    struct listing *l = arg;
    struct slice name = arena_slice(l->arena, slice_of(st->principal));
    l->list[l->n++] = (struct query_subscriber){name, st->session, st->sent, st->lag};
}

/* Who may not read is shown its own feeds. */
static bool shows_feed(const struct principal *p, struct slice source)
{
    if ((p->may & MAY_READ) || slice_is(source, p->name))
        return true;
    for (uint32_t i = 0; p->local && i < p->n_agencies; i++)
        if (slice_is(source, p->agencies[i]))
            return true;
    return false;
}

static const struct query_status *make_status(struct server *s, const struct principal *p, struct arena *a)
{
    struct query_status *st = arena_zalloc(a, sizeof *st);
    struct listing l = {.arena = a};
    struct query_feed *feeds = arena_alloc(a, (s->feeds.n + 1) * sizeof *feeds);
    l.list = arena_alloc(a, (subscriber_count(s->subscriber) + 1) * sizeof *l.list);
    if (p->may & MAY_READ)
        subscriber_each(s->subscriber, list_session, &l);
    for (size_t i = 0; i < s->feeds.n; i++) {
        if (!shows_feed(p, s->feeds.list[i].source))
            continue;
        feeds[st->n_feeds] = s->feeds.list[i];
        feeds[st->n_feeds++].source = arena_slice(a, s->feeds.list[i].source);
    }
    const char **problems = arena_alloc(a, 2 * sizeof *problems);
    const char *refuses = writer_refuses(s->o.writer);
    if (s->problem)
        problems[st->n_problems++] = arena_slice(a, slice_of(s->problem)).p;
    if (refuses)
        problems[st->n_problems++] = refuses;
    st->ready = server_settled(s);
    st->uptime_ms = loop_ms() - s->started;
    st->journal_last = writer_number(s->o.writer);
    st->journal_bytes = writer_journal_bytes(s->o.writer);
    st->free_ppm = writer_free_ppm(s->o.writer);
    st->feeds = feeds;
    st->n_subscribers = l.n;
    st->subscribers = l.list;
    st->problems = problems;
    listen_status(s, st, a);
    return st;
}

static bool anyone_may_ask(struct slice what)
{
    static const char *const open[] = {"status", "feeds", "kinds", "rules"};
    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (slice_is(what, open[i]))
            return true;
    return false;
}

void on_query(struct ask *a)
{
    struct server *s = a->s;
    const struct principal *p = a->principal;
    struct slice what = {NULL, 0};
    if (val_str(a->body, "what", &what) < 0) {
        reply_refuse(a, WIRE_ERROR_BAD_FIELD, "what: must be a text, the name of a query");
        return;
    }
    if (what.n && !(p->may & MAY_READ) && !anyone_may_ask(what)) {
        reply_refuse(a, WIRE_ERROR_DENIED, "this principal may ask for status, feeds, kinds and rules only");
        return;
    }
    struct query *q = query_create(s->o.queries);
    struct err err;
    int code = codec_body(a->raw, &q->arena, &q->params, &err);
    assert(code == 0); /* it was decoded a moment ago */
    (void)code;
    q->client = a->peer->handle;
    q->has_rid = a->has_rid;
    q->rid = a->rid;
    q->what = what.p ? arena_slice(&q->arena, what) : what;
    q->n_regions = p->n_regions;
    q->regions = arena_copy(&q->arena, p->regions, p->n_regions * sizeof *p->regions);
    q->must_see = s->acknowledged;
    q->must_own = a->peer->acknowledged;
    q->now = clock_now(s->o.clock);
    q->catalog = hold(s);
    if (slice_is(what, "status") || slice_is(what, "feeds"))
        q->status = make_status(s, p, &q->arena);
    q->feeds_only = !(p->may & MAY_READ);
    if (query_submit(s->o.queries, q)) {
        a->peer->waiting++;
        return;
    }
    reply_busy(s, a->peer->handle, a->has_rid, a->rid, "too many queries wait");
    give_back(s, q);
}

void query_take_finished(struct server *s)
{
    struct query *q;
    struct slice none = {NULL, 0};
    while ((q = query_finished(s->o.queries))) {
        struct peer *p = peers_find(s->peers, q->client);
        if (p)
            p->waiting--;
        if (q->busy)
            reply_busy(s, q->client, q->has_rid, q->rid, q->busy);
        else if (q->error)
            reply_error(s, q->client, q->has_rid, q->rid, q->error, q->sentence ? q->sentence : "it failed");
        else if (reply_send(s, q->client, "result", (struct slice){(const char *)q->body.p, q->body.n},
                            none) == WW_EAGAIN)
            log_line(LOG_L_DEBUG, "reply dropped", "verb=result reason=\"the client reads nothing\"");
        give_back(s, q);
    }
}
