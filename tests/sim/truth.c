/* SPDX-License-Identifier: Apache-2.0 */
/* What is so: the journal's durable part, read from its files and folded by an engine of our own that has it all in memory
 * and never stops. Owns that engine and what it brought about; what the daemon says is held against it. */
#include "tests/sim/sim.h"

#include "lib/mem.h"
#include "store/disk.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAP_BYTES = 64 << 20 };

struct done {
    uint64_t entry, alert;
    char principal[24];
    bool taken;
};

static struct engine *engine;
static struct journal_reader *reader;
static uint8_t chain[CHAIN_LEN];
static struct arena arena; /* of a batch */
static struct engine_out out;
static struct truth_event *events;
static size_t n_events, cap_events;
static struct done *actions;
static size_t n_actions, cap_actions;
static unsigned folds;

static char *journal_dir(void)
{
    return disk_path(disk_dir(), "journal");
}

void truth_begin(void)
{
    struct err err;
    if (engine_create(&engine, NULL, 0, &err))
        sim_fail("no engine: %s", err.msg);
    out.arena = &arena;
}

void truth_finish(void)
{
    journal_reader_close(reader);
    engine_destroy(engine);
    for (size_t i = 0; i < n_events; i++)
        free(events[i].places);
    free(events);
    free(actions);
    arena_finish(&arena);
}

uint64_t truth_number(void)
{
    return engine_number(engine);
}

uint64_t truth_events(void)
{
    return n_events;
}

int64_t truth_next_due(void)
{
    return engine_next_due(engine);
}

const struct truth_event *truth_event(uint64_t seq)
{
    return seq && seq <= n_events ? &events[seq - 1] : NULL;
}

bool truth_action(uint64_t entry, struct slice principal, uint64_t alert)
{
    for (size_t i = n_actions; i-- > 0 && actions[i].entry >= entry;)
        if (actions[i].entry == entry)
            return actions[i].taken && actions[i].alert == alert && slice_is(principal, actions[i].principal);
    return false;
}

/* ---- reading ---- */

static void take_signal(const struct entry_signal *x, uint64_t number)
{
    char id[24];
    snprintf(id, sizeof id, "%.*s", SLICE_ARG(x->sig.id));
    char *dash = strchr(id, '-');
    size_t at = dash ? strtoul(dash + 1, NULL, 10) : SIGNALS_MAX;
    if (at >= world_n || strcmp(world_signals[at].id, id) != 0)
        sim_fail("entry %llu: nobody ever sent %s", (unsigned long long)number, id);
    struct sim_signal *s = &world_signals[at];
    const char *code = s->by_name ? "" : world_firm(s->firm)->uscc;
    if (s->number)
        sim_fail("%s is in the journal twice, at %llu and %llu", id, (unsigned long long)s->number,
                 (unsigned long long)number);
    if (!slice_is(x->source, world_sources[s->source]) || !slice_is(x->sig.kind, s->kind) || x->sig.at != s->at ||
        !slice_is(x->sig.uscc, code) || x->sig.people != s->people || x->sig.amount != s->amount)
        sim_fail("entry %llu: %s is not as it was sent", (unsigned long long)number, id);
    s->number = number;
}

static void take_action(const struct entry_action *x, uint64_t number)
{
    actions = mem_grow(actions, &cap_actions, n_actions + 1, sizeof *actions);
    struct done *d = &actions[n_actions++];
    *d = (struct done){.entry = number, .alert = x->alert, .taken = out.refused == WIRE_ERROR_NONE};
    snprintf(d->principal, sizeof d->principal, "%.*s", SLICE_ARG(x->principal));
}

static void take_event(const struct event *ev)
{
    if (ev->seq != n_events + 1)
        sim_fail("event %llu follows %zu", (unsigned long long)ev->seq, n_events);
    if (n_events && ev->at < events[n_events - 1].at)
        sim_fail("event %llu of entry %llu is of an earlier time than the one before it",
                 (unsigned long long)ev->seq, (unsigned long long)ev->entry);
    events = mem_grow(events, &cap_events, n_events + 1, sizeof *events);
    struct truth_event *e = &events[n_events++];
    *e = (struct truth_event){.alert = ev->alert,
                              .entry = ev->entry,
                              .version = ev->version,
                              .at = ev->at,
                              .type = ev->type,
                              .level_before = ev->level_before,
                              .level = ev->level,
                              .score = ev->score,
                              .n_places = ev->n_places,
                              .places = mem_alloc((ev->n_places + 1) * sizeof *e->places)};
    snprintf(e->uscc, sizeof e->uscc, "%.*s", SLICE_ARG(ev->uscc));
    if (ev->n_places)
        memcpy(e->places, ev->places, ev->n_places * sizeof *e->places);
    sim_digest(&e->at, sizeof e->at);
}

static void take_entry(uint64_t number, int64_t time, struct slice body)
{
    struct entry x;
    struct err err;
    out.n = 0;
    out.refused = WIRE_ERROR_NONE;
    if (engine_apply(engine, number, time, body, &out, &err) || entry_get(body, &arena, &x, &err))
        sim_fail("entry %llu: %s", (unsigned long long)number, err.msg);
    if (x.type == ENTRY_SIGNAL)
        take_signal(&x.signal, number);
    if (x.type == ENTRY_ACTION)
        take_action(&x.action, number);
    for (size_t i = 0; i < out.n; i++)
        take_event(&out.events[i].ev);
}

void truth_catch_up(void)
{
    struct journal_batch b;
    struct err err = {0};
    char *dir = journal_dir();
    while (truth_number() < disk_durable()) {
        if (!reader && journal_reader_open(&reader, dir, truth_number() + 1, &err))
            sim_fail("the journal cannot be read: %s", err.msg);
        int got = journal_reader_next(reader, &b, &err);
        if (got <= 0)
            sim_fail("the journal cannot be read at entry %llu, which is durable: %s",
                     (unsigned long long)truth_number() + 1, got ? err.msg : "it ends there");
        for (size_t i = 0; i < b.n; i++)
            if (b.first + i > truth_number())
                take_entry(b.first + i, b.time, b.entries[i].body);
        memcpy(chain, b.chain, CHAIN_LEN);
        arena_reset(&arena);
        out.events = NULL;
        out.n = out.cap = 0;
        engine_drop_cold(engine);
    }
    free(dir);
}

void truth_restarted(void)
{
    uint8_t there[CHAIN_LEN];
    struct err err;
    char *dir = journal_dir();
    journal_reader_close(reader);
    reader = NULL;
    truth_catch_up();
    if (truth_number() && journal_chain_at(dir, truth_number(), there, &err))
        sim_fail("the journal does not hold what was durable: %s", err.msg);
    if (truth_number() && memcmp(there, chain, CHAIN_LEN))
        sim_fail("the journal was changed before entry %llu", (unsigned long long)truth_number());
    free(dir);
}

/* ---- at rest ---- */

void truth_everything(void)
{
    truth_catch_up();
    for (size_t i = 0; i < world_n; i++)
        if (world_signals[i].acked && !world_signals[i].number)
            sim_fail("%s was acknowledged and is not in the journal", world_signals[i].id);
}

static struct view *open_view(const char *dir)
{
    struct view *v;
    struct err err;
    if (view_open(&v, dir, MAP_BYTES, true, &err))
        sim_fail("%s", err.msg);
    return v;
}

void truth_compare_view(void)
{
    struct recover_options o = {.map_bytes = MAP_BYTES, .segment_bytes = disk_segment_bytes, .no_thread = true};
    struct err err;
    char again[160];
    snprintf(again, sizeof again, "%s-view%u", disk_dir(), ++folds);
    if (recover_fold(disk_dir(), again, truth_number(), &o, &err))
        sim_fail("the journal cannot be folded: %s", err.msg);
    char *dir = disk_path(disk_dir(), "view");
    struct view *a = open_view(dir), *b = open_view(again);
    if (view_compare(a, b, &err))
        sim_fail("the view is not what the journal gives: %s", err.msg);
    view_close(a);
    view_close(b);
    free(dir);
    disk_remove(again);
}
