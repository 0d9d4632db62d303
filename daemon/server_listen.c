/* SPDX-License-Identifier: Apache-2.0 */
/* Who listens goes to the journal where teams are configured. Owns nothing. Main thread. */
#include "daemon/server_parts.h"

#include "daemon/query.h"
#include "engine/settings.h"

#include <inttypes.h>

enum { NAMED_MOST = 10 }; /* teams without a listener that `status` names */

static const struct work *teams_of(const struct server *s)
{
    const struct settings *compiled = s->config->catalog.compiled;
    return compiled && compiled->work && compiled->work->has_teams ? compiled->work : NULL;
}

static bool tell(void *arg, const struct entry_presence *p)
{
    struct server *s = arg;
    return intake_presence(&s->intake, writer_gathering(s->o.writer), p) ||
           intake_presence(&s->intake, server_roomier(s), p);
}

struct listeners *listen_create(struct server *s)
{
    return listeners_create(&(struct listeners_calls){tell, s});
}

struct gathering {
    struct server *s;
    struct listening *list;
    size_t n;
};

/* One that grants no credit for long would be sent nothing: it does not listen. */
static void note_session(void *arg, const struct session_status *st)
{
    struct gathering *g = arg;
    const struct filter *f = st->filter;
    struct peer *p = peers_find(g->s->peers, st->peer);
    const struct principal *who = p ? server_who(g->s, p) : NULL;
    if (who && who->team && *who->team && st->starved_ms < g->s->config->limits.presence_ms)
        g->list[g->n++] = (struct listening){
            slice_of(who->team),
            {.n_regions = f->n_regions, .n_industries = f->n_industries, .regions = f->regions, .industries = f->industries,
             .min_level = f->min_level}};
}

void listen_look(struct server *s)
{
    struct arena arena = {0};
    struct gathering g = {s, NULL, 0};
    if (!teams_of(s)) {
        listeners_forget(s->listeners);
        return;
    }
    if (!server_settled(s))
        return; /* the configuration goes first; the next tick looks again */
    g.list = arena_alloc(&arena, (subscriber_count(s->subscriber) + 1) * sizeof *g.list);
    subscriber_each(s->subscriber, note_session, &g);
    listeners_look(s->listeners, g.list, g.n, loop_ms(), s->config->limits.presence_ms);
    arena_finish(&arena);
}

void listen_status(const struct server *s, struct query_status *st, struct arena *a)
{
    struct slice *list = arena_alloc(a, (listeners_count(s->listeners) + 1) * sizeof *list);
    const struct work *w = teams_of(s);
    size_t absent = 0;
    for (size_t n = listeners_count(s->listeners); st->n_listening < n; st->n_listening++)
        list[st->n_listening] = arena_slice(a, listeners_at(s->listeners, st->n_listening));
    st->listening = list;
    const char **problems = arena_alloc(a, (st->n_problems + NAMED_MOST + 1) * sizeof *problems);
    for (size_t i = 0; i < st->n_problems; i++)
        problems[i] = st->problems[i];
    st->problems = problems;
    for (uint32_t i = 0; w && i < w->n_teams; i++) {
        const struct team *t = &w->teams[i];
        if (t->tier || listeners_has(s->listeners, t->id) || absent++ >= NAMED_MOST)
            continue;
        problems[st->n_problems++] = arena_printf(a, "no team listens for %.*s (%.*s): its alerts go to the next tier at once",
                                                  SLICE_ARG(t->zh.n ? t->zh : t->id), SLICE_ARG(t->id));
    }
    if (absent > NAMED_MOST)
        problems[st->n_problems++] = arena_printf(a, "no team listens for %zu more", absent - NAMED_MOST);
}
