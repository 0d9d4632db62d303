/* SPDX-License-Identifier: Apache-2.0 */
/* Writer thread: owns the journal and the state. One turn of its loop: take back what the view thread
 * committed, give it what is next, store one batch, do one piece of its own work (a tick, a sweep), wait.
 * Nothing is handed back before the sync that holds it; after a failed sync nothing is handed back at all.
 * Never touches a socket. */
#include "daemon/writer.h"

#include "daemon/checkpoint.h"
#include "daemon/handoff.h"
#include "daemon/space.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
    IDLE_MS = 1000,          /* longest wait: the watchdog, the clock and the disk are looked at as often */
    REFUSING_MS = 100,       /* the same while signals are refused */
    VIEW_AFTER_MS = 50,      /* the view follows so long after the last batch */
    VIEW_AT_LEAST_MS = 1000, /* and so long after its last checkpoint while batches keep coming */
    SLOW_MS = 200,           /* how long a batch waits for the view at the debt limit */
    STALL_MS = 1000,         /* its own work that found no room on the disk is tried again so much later */
    TICK_MS = 100            /* ticks are no closer than this: what is due keeps its own time */
};

/* Reaching old records with new settings. */
struct sweep {
    enum { SWEEP_NONE, SWEEP_WAITS, SWEEP_RUNS } step;
    uint64_t number; /* waits until the view holds it: then every older record is there to be found */
    bool begun;      /* `last` is set */
    struct ekey last;
    struct ekey keys[SWEEP_MAX];
    size_t n;
};

struct writer {
    struct writer_options o;
    struct recovered *recovered;
    struct journal *journal;
    struct engine *engine;
    struct checkpointer *view;
    pthread_t thread;
    bool joined; /* main thread */
    struct handoff h;

    /* writer thread */
    struct checkpoint *in_flight;
    int64_t batch_ms, checkpoint_ms, tick_ms; /* boot clock: last batch, last checkpoint given, last tick */
    struct space space;
    struct sweep sweep;
    struct buf own; /* entry of a tick or a sweep */
    struct journal_entry *entries;
    struct request **owners; /* of each entry; NULL: of its own making */
    const struct entry_signal **signals; /* of each entry; NULL: none */
    size_t n_entries, cap_entries, cap_owners, cap_signals;
    bool stalled;       /* its own work found no room */
    int64_t stalled_ms; /* and when */

    /* any thread */
    _Atomic uint64_t number, events, journal_bytes, free_ppm, beats;
    _Atomic(const char *) refuses;
    struct err err; /* written once, before `failed` */
    _Atomic(const struct err *) failed;
};

/* ---- small things ---- */

static int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t mono_ms(void)
{
    return mono_us() / 1000;
}

static void beat(struct writer *w)
{
    atomic_fetch_add_explicit(&w->beats, 1, memory_order_relaxed);
}

/* The end of the thread: what is in hand will be answered by nobody. */
static bool fail(struct writer *w, const struct err *err)
{
    w->err = *err;
    atomic_store(&w->failed, &w->err);
    return false;
}

static void sleep_ms(struct writer *w, int64_t ms)
{
    handoff_sleep(&w->h, ms);
    beat(w);
}

static uint64_t viewed(const struct writer *w)
{
    return atomic_load_explicit(&w->h.viewed, memory_order_acquire);
}

/* ---- the view ---- */

static bool take_back(struct writer *w)
{
    const struct err *failed = checkpoint_failed(w->view);
    if (failed)
        return fail(w, failed);
    struct checkpoint *cp = checkpoint_take(w->view);
    if (cp) {
        uint64_t number = cp->number;
        engine_committed(w->engine, cp);
        w->in_flight = NULL;
        handoff_set_viewed(&w->h, number);
    }
    return true;
}

static void give_checkpoint(struct writer *w)
{
    struct checkpoint *cp = engine_checkpoint(w->engine);
    w->checkpoint_ms = mono_ms();
    if (!cp) { /* nothing changed: the view holds all that there is */
        handoff_set_viewed(&w->h, engine_number(w->engine));
        return;
    }
    assert(cp->number == journal_last(w->journal));
    journal_chain(w->journal, cp->chain);
    w->in_flight = cp;
    checkpoint_give(w->view, cp);
}

static bool behind(const struct writer *w)
{
    return viewed(w) < engine_number(w->engine);
}

/* Forced by who must see it; soon after the last batch; under load when much or old. */
static bool checkpoint_is_due(struct writer *w)
{
    if (w->in_flight || !behind(w))
        return false;
    int64_t now = mono_ms();
    return handoff_view_wanted(&w->h) || now - w->batch_ms >= VIEW_AFTER_MS ||
           now - w->checkpoint_ms >= VIEW_AT_LEAST_MS || engine_dirty(w->engine) >= w->o.debt_max / 2;
}

static bool turn_view(struct writer *w)
{
    if (!take_back(w))
        return false;
    if (checkpoint_is_due(w))
        give_checkpoint(w);
    return true;
}

/* At the debt limit a batch waits a while, so that a flood comes no faster than the view takes it. */
static bool slow_down(struct writer *w)
{
    int64_t until = mono_ms() + SLOW_MS, left;
    while (w->in_flight && engine_dirty(w->engine) >= w->o.debt_max && (left = until - mono_ms()) > 0) {
        sleep_ms(w, left);
        if (!turn_view(w))
            return false;
    }
    return true;
}

/* ---- refusing ---- */

static const char no_space[] = "too little disk space is free; free some or lower 'retention'";
static const char in_debt[] = "the view is behind; send again a little later";
static const char clock_jumped[] = "the clock jumped ahead by more than a day; an operator must confirm it";

static void look_around(struct writer *w)
{
    uint64_t ppm = space_free_ppm(&w->space);
    atomic_store_explicit(&w->free_ppm, ppm, memory_order_relaxed);
    const char *now = NULL;
    bool stuck = checkpoint_full(w->view);
    handoff_set_stuck(&w->h, stuck);
    if (ppm < w->o.free_min_ppm || stuck)
        now = no_space;
    else if (engine_dirty(w->engine) / 2 >= w->o.debt_max)
        now = in_debt;
    const char *before = atomic_exchange_explicit(&w->refuses, now, memory_order_relaxed);
    if (now && now != before)
        log_line(LOG_L_WARNING, "new signals refused", "reason=\"%s\" free_ppm=%" PRIu64 " debt=%zu", now,
                 ppm, engine_dirty(w->engine));
    else if (before && !now)
        log_line(LOG_L_NOTICE, "new signals taken again", NULL);
}

const char *writer_refuses(const struct writer *w)
{
    if (clock_held(w->o.clock, NULL))
        return clock_jumped;
    return atomic_load_explicit(&w->refuses, memory_order_relaxed);
}

/* The journal must have room before the first signal is screened: what was screened as new is remembered. It
 * is asked for more only when these bytes might not fit the segment being written. */
static bool has_room(struct writer *w, struct batch *b, size_t bytes, size_t n)
{
    enum { A_BATCH = 4096, AN_ENTRY = 32 }; /* what the journal adds, generously */
    if (bytes + n * AN_ENTRY + A_BATCH <= journal_room(w->journal))
        return true;
    struct err err;
    int rc = journal_prepare(w->journal, &err);
    if (rc == WW_OK)
        return true;
    if (rc != WW_EFULL)
        return fail(w, &err);
    b->busy = true;
    b->busy_reason = no_space;
    return false;
}

/* ---- storing a batch ---- */

static void plan(struct writer *w, struct request *r, const struct entry_signal *signal, struct journal_entry e)
{
    size_t want = w->n_entries + 1;
    w->entries = mem_grow(w->entries, &w->cap_entries, want, sizeof *w->entries);
    w->owners = mem_grow(w->owners, &w->cap_owners, want, sizeof *w->owners);
    w->signals = mem_grow(w->signals, &w->cap_signals, want, sizeof *w->signals);
    w->signals[w->n_entries] = signal;
    w->entries[w->n_entries] = e;
    w->owners[w->n_entries] = r;
    w->n_entries = want;
}

static void screen_slot(struct writer *w, struct batch *b, struct request *r, struct slot *s)
{
    uint64_t number = engine_number(w->engine) + 1 + w->n_entries;
    s->screened = SCREEN_NEW;
    if (s->signal)
        s->screened = (uint8_t)engine_screen(w->engine, s->signal, number);
    switch ((enum screened)s->screened) {
    case SCREEN_DUPLICATE:
        r->duplicates++;
        return;
    case SCREEN_UNKNOWN_CANCEL:
        batch_reject(b, r, s->index, s->signal->sig.id, REJECT_UNKNOWN_CANCEL, NULL);
        return;
    case SCREEN_NEW:
        break;
    }
    s->number = r->seq = number;
    r->accepted++;
    plan(w, r, s->signal, (struct journal_entry){.body = s->body, .erasable = s->erasable});
}

/* How many signals ahead memory is touched (engine_warm). */
enum { WARM_SCREEN = 8, WARM_FOLD = 4 };

static void screen(struct writer *w, struct batch *b)
{
    w->n_entries = 0;
    for (size_t i = 0; i < b->n_requests; i++) {
        struct request *r = &b->requests[i];
        for (uint32_t k = 0; k < r->n; k++) {
            if (k + WARM_SCREEN < r->n && b->slots[r->first + k + WARM_SCREEN].signal)
                engine_warm(w->engine, b->slots[r->first + k + WARM_SCREEN].signal, 0);
            screen_slot(w, b, r, &b->slots[r->first + k]);
        }
    }
}

static void sweep_begin(struct writer *w)
{
    w->sweep.step = SWEEP_WAITS;
    w->sweep.number = engine_number(w->engine);
    w->sweep.begun = false;
}

static bool fold_entry(struct writer *w, struct batch *b, size_t i, uint64_t number, struct err *err)
{
    b->out.refused = WIRE_ERROR_NONE;
    b->out.sentence = NULL;
    if (engine_apply(w->engine, number, b->time, w->entries[i].body, &b->out, err)) {
        err_prefix(err, "fold of entry %" PRIu64, number);
        return false;
    }
    struct request *r = w->owners[i];
    if (r && r->type == REQUEST_ACTION) {
        r->refused = b->out.refused;
        r->sentence = b->out.sentence;
    } else if (r && r->type == REQUEST_SETTINGS && engine_sweep_pending(w->engine)) {
        sweep_begin(w);
    }
    return true;
}

static void warm(struct writer *w, size_t i)
{
    for (int step = 1; step <= 3; step++) {
        size_t ahead = i + (size_t)(4 - step) * WARM_FOLD;
        if (ahead < w->n_entries && w->signals[ahead])
            engine_warm(w->engine, w->signals[ahead], step);
    }
}

/* Appends what is planned, folds while the disk works, waits for the disk. */
static bool store(struct writer *w, struct batch *b)
{
    struct err err;
    uint64_t first;
    if (journal_append(w->journal, b->time, w->entries, w->n_entries, &first, &err)) {
        err_prefix(&err,
                   "entries that were screened already could not be appended, so the daemon must start anew");
        return fail(w, &err);
    }
    assert(first == engine_number(w->engine) + 1);
    for (size_t i = 0; i < w->n_entries; i++) {
        warm(w, i);
        if (!fold_entry(w, b, i, first + i, &err))
            return fail(w, &err);
    }
    if (journal_sync(w->journal, &err))
        return fail(w, &err);
    return true;
}

static void note_progress(struct writer *w)
{
    atomic_store_explicit(&w->events, engine_events(w->engine), memory_order_relaxed);
    atomic_store_explicit(&w->journal_bytes, journal_bytes(w->journal), memory_order_relaxed);
    atomic_store_explicit(&w->number, engine_number(w->engine), memory_order_release);
    w->batch_ms = mono_ms();
}

/* Journal time: the clock's, and never below the state's, whatever the clock says. */
static int64_t batch_time(struct writer *w)
{
    int64_t now = clock_now(w->o.clock), least = engine_time(w->engine);
    return now > least ? now : least;
}

static bool refused(struct writer *w, struct batch *b)
{
    bool signals = false;
    for (size_t i = 0; i < b->n_slots && !signals; i++)
        signals = b->slots[i].signal != NULL;
    b->busy_reason = signals ? writer_refuses(w) : NULL;
    b->busy = b->busy_reason != NULL;
    return b->busy;
}

static size_t bytes_of(const struct batch *b)
{
    size_t bytes = 0;
    for (size_t i = 0; i < b->n_slots; i++)
        bytes += b->slots[i].body.n + b->slots[i].erasable.n;
    return bytes;
}

/* True: answered, one way or the other. False: the thread must end. */
static bool store_requests(struct writer *w, struct batch *b)
{
    if (b->n_slots == 0 || refused(w, b))
        return true;
    if (!has_room(w, b, bytes_of(b), b->n_slots))
        return b->busy;
    screen(w, b);
    if (w->n_entries && !store(w, b))
        return false;
    note_progress(w);
    return true;
}

/* With the latest commit in sight of the state's loader, and only so long. */
static bool with_reader(struct writer *w, struct batch *b, bool (*work)(struct writer *, struct batch *))
{
    struct err err;
    if (view_reader_refresh(w->recovered->reader, &err))
        return fail(w, &err);
    int64_t from = mono_us();
    b->time = batch_time(w);
    bool good = work(w, b);
    b->number = engine_number(w->engine);
    b->commit_us = mono_us() - from;
    view_reader_rest(w->recovered->reader);
    return good;
}

static bool finish(struct writer *w, struct batch *b, bool (*work)(struct writer *, struct batch *))
{
    if (!with_reader(w, b, work))
        return false;
    handoff_publish(&w->h, b);
    engine_trim(w->engine);
    beat(w);
    return true;
}

/* ---- work of its own ---- */

static bool store_own(struct writer *w, struct batch *b)
{
    w->stalled = !has_room(w, b, w->own.n, 1);
    w->stalled_ms = mono_ms();
    if (w->stalled)
        return b->busy; /* later */
    w->n_entries = 0;
    plan(w, NULL, NULL, (struct journal_entry){.body = {(const char *)w->own.p, w->own.n}});
    if (!store(w, b))
        return false;
    note_progress(w);
    return true;
}

static bool tick(struct writer *w, struct batch *b)
{
    buf_reset(&w->own);
    entry_put_tick(&w->own);
    w->tick_ms = mono_ms();
    return store_own(w, b);
}

static bool tick_is_due(const struct writer *w)
{
    return engine_next_due(w->engine) <= clock_now(w->o.clock) && mono_ms() - w->tick_ms >= TICK_MS;
}

static bool sweep_key(void *arg, struct slice key, struct slice value)
{
    struct sweep *s = arg;
    (void)value;
    if (key.n != EKEY_LEN || (s->begun && memcmp(key.p, s->last.b, EKEY_LEN) == 0))
        return true;
    memcpy(s->keys[s->n++].b, key.p, EKEY_LEN);
    return s->n < SWEEP_MAX;
}

/* The next keys of the view; none are left: the entry without keys that marks the end. */
static bool sweep_on(struct writer *w, struct batch *b)
{
    struct sweep *s = &w->sweep;
    struct slice from = {s->begun ? (const char *)s->last.b : NULL, s->begun ? EKEY_LEN : 0};
    struct err err;
    s->n = 0;
    if (view_scan(w->recovered->reader, T_ENTERPRISE, from, VIEW_UP, sweep_key, s, &err))
        return fail(w, &err);
    buf_reset(&w->own);
    entry_put_sweep(&w->own, s->keys, s->n);
    if (!store_own(w, b))
        return false;
    if (w->stalled)
        return true;
    if (s->n == 0) {
        s->step = SWEEP_NONE;
        log_line(LOG_L_NOTICE, "settings in force everywhere", "entry=%" PRIu64, engine_number(w->engine));
    } else {
        s->last = s->keys[s->n - 1];
        s->begun = true;
    }
    return true;
}

static bool sweep_is_due(struct writer *w)
{
    struct sweep *s = &w->sweep;
    if (s->step == SWEEP_WAITS) {
        if (viewed(w) >= s->number)
            s->step = SWEEP_RUNS;
        else
            handoff_want(&w->h, s->number);
    }
    return s->step == SWEEP_RUNS && engine_dirty(w->engine) < w->o.debt_max;
}

/* 1 something was done, 0 nothing, -1 failed. */
static int own_work(struct writer *w)
{
    if (w->stalled && mono_ms() - w->stalled_ms < STALL_MS)
        return 0;
    bool (*work)(struct writer *, struct batch *) = tick_is_due(w) ? tick : sweep_is_due(w) ? sweep_on : NULL;
    struct batch *b = work ? handoff_take_idle(&w->h) : NULL;
    if (!b)
        return 0;
    if (!finish(w, b, work))
        return -1;
    return w->stalled ? 0 : 1;
}

/* ---- the thread ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t how_long(struct writer *w)
{
    /* What refuses is looked at again soon: no signal comes through to wake the thread. */
    bool refuses = atomic_load_explicit(&w->refuses, memory_order_relaxed) != NULL;
    int64_t ms = refuses ? REFUSING_MS : IDLE_MS, due = engine_next_due(w->engine);
    if (!w->in_flight && behind(w))
        ms = least(ms, VIEW_AFTER_MS);
    if (due != INT64_MAX) {
        int64_t left = due - clock_now(w->o.clock);
        ms = least(ms, left > TICK_MS ? left : TICK_MS);
    }
    return ms;
}

static bool turn(struct writer *w, bool *stopping)
{
    beat(w);
    look_around(w);
    if (!turn_view(w) || !slow_down(w))
        return false;
    struct batch *b = handoff_take(&w->h, stopping);
    if (b && !finish(w, b, store_requests))
        return false;
    int own = *stopping ? 0 : own_work(w);
    if (own < 0)
        return false;
    if (!b && !own && !*stopping)
        sleep_ms(w, how_long(w));
    *stopping = *stopping && !b;
    return true;
}

/* The last checkpoint; a full disk is not waited for. */
static void catch_up(struct writer *w)
{
    while (take_back(w) && !checkpoint_full(w->view) && (w->in_flight || behind(w))) {
        if (w->in_flight)
            sleep_ms(w, IDLE_MS);
        else
            give_checkpoint(w);
    }
}

static void *run(void *arg)
{
    struct writer *w = arg;
    bool stopping = false, good = true;
    while (good && !stopping)
        good = turn(w, &stopping);
    if (good)
        catch_up(w);
    handoff_end(&w->h);
    w->o.done(w->o.arg);
    return NULL;
}

/* ---- start and stop ---- */

static void destroy(struct writer *w)
{
    handoff_finish(&w->h);
    buf_finish(&w->own);
    space_finish(&w->space);
    free(w->entries);
    free(w->owners);
    free(w->signals);
    free(w);
}

static struct writer *create(struct recovered *r, const struct writer_options *o, uint64_t in_view)
{
    struct writer *w = mem_zalloc(sizeof *w);
    w->o = *o;
    w->recovered = r;
    w->journal = r->journal;
    w->engine = r->engine;
    handoff_init(&w->h, in_view, o->done, o->arg);
    space_init(&w->space, o->dir);
    w->tick_ms = w->checkpoint_ms = mono_ms() - VIEW_AT_LEAST_MS;
    note_progress(w);
    atomic_init(&w->free_ppm, space_free_ppm(&w->space));
    if (engine_sweep_pending(w->engine))
        sweep_begin(w);
    return w;
}

static int number_in_view(struct recovered *r, uint64_t *number, struct err *err)
{
    struct view_meta meta;
    int rc = view_reader_refresh(r->reader, err);
    if (rc)
        return rc;
    rc = view_get_meta(r->reader, &meta, err);
    *number = rc ? 0 : meta.number;
    view_reader_rest(r->reader);
    return rc;
}

int writer_start(struct writer **out, struct recovered *r, const struct writer_options *o, struct err *err)
{
    uint64_t in_view;
    int rc = number_in_view(r, &in_view, err);
    if (rc)
        return rc;
    struct writer *w = create(r, o, in_view);
    rc = checkpoint_start(&w->view, r->view, journal_store_id(r->journal), in_view, handoff_wake, &w->h, err);
    if (rc)
        goto out_writer;
    int no = pthread_create(&w->thread, NULL, run, w);
    if (no) {
        rc = err_set(err, WW_EIO, "cannot start the writer thread: %s; raise the limit on tasks",
                     strerror(no));
        goto out_view;
    }
    pthread_setname_np(w->thread, "writer");
    *out = w;
    return WW_OK;
out_view:
    checkpoint_stop(w->view);
out_writer:
    destroy(w);
    return rc;
}

void writer_drain(struct writer *w)
{
    if (w->joined)
        return;
    handoff_stop(&w->h);
    pthread_join(w->thread, NULL);
    checkpoint_stop(w->view);
    if (w->in_flight) /* could not be written: its memory goes, and the journal has what it held */
        engine_committed(w->engine, w->in_flight);
    w->joined = true;
}

void writer_stop(struct writer *w)
{
    if (!w)
        return;
    writer_drain(w);
    destroy(w);
}

/* ---- main thread ---- */

struct batch *writer_gathering(struct writer *w)
{
    return w->h.gathering;
}

void writer_submit(struct writer *w)
{
    handoff_submit(&w->h);
}

struct batch *writer_finished(struct writer *w)
{
    return handoff_finished(&w->h);
}

void writer_give_back(struct writer *w, struct batch *b)
{
    handoff_give_back(&w->h, b);
}

/* ---- any thread ---- */

void writer_want_view(struct writer *w, uint64_t number)
{
    handoff_want(&w->h, number);
}

enum await writer_await_view(struct writer *w, uint64_t number, int64_t patience_ms)
{
    uint64_t there_is = writer_number(w); /* nobody was told of more */
    return handoff_await(&w->h, number < there_is ? number : there_is, patience_ms);
}

bool writer_view_stuck(struct writer *w)
{
    return handoff_stuck(&w->h);
}

void writer_wake_waiters(struct writer *w)
{
    handoff_end(&w->h);
}

uint64_t writer_number(const struct writer *w)
{
    return atomic_load_explicit(&w->number, memory_order_acquire);
}

uint64_t writer_viewed(const struct writer *w)
{
    return viewed(w);
}

uint64_t writer_events(const struct writer *w)
{
    return atomic_load_explicit(&w->events, memory_order_relaxed);
}

uint64_t writer_journal_bytes(const struct writer *w)
{
    return atomic_load_explicit(&w->journal_bytes, memory_order_relaxed);
}

const uint8_t *writer_store_id(const struct writer *w)
{
    return journal_store_id(w->journal);
}

uint64_t writer_free_ppm(const struct writer *w)
{
    return atomic_load_explicit(&w->free_ppm, memory_order_relaxed);
}

uint64_t writer_beats(const struct writer *w)
{
    return atomic_load_explicit(&w->beats, memory_order_relaxed);
}

const struct err *writer_failed(const struct writer *w)
{
    return atomic_load(&w->failed);
}
