/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold after an accident; see check.h. One thread. */
#include "tests/crash/check.h"

#include <dirent.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/engine.h"
#include "lib/mem.h"
#include "store/recover.h"
#include "store/verify.h"

enum { SMALL = 32 << 10, NEXT_BATCHES = 2, ASKED_AGAIN = 6 };

struct batch {
    uint64_t first, events; /* events: number of the last one after this batch */
    int64_t time;
    size_t n;
    struct journal_entry *entries;
    uint8_t chain[CHAIN_LEN];
};

struct reference {
    struct arena arena;
    struct batch *batches;
    size_t n, cap;
    uint64_t *signals; /* numbers of the entries that are signals */
    size_t n_signals, cap_signals;
    struct slice *events; /* the row of each, by number */
};

static void must(int rc, const struct err *e, const char *what)
{
    if (rc != 0)
        errx(1, "%s: %s", what, e->msg);
}

void remove_tree(const char *path)
{
    DIR *d = opendir(path);
    if (!d) {
        unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char sub[512];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
        remove_tree(sub);
    }
    closedir(d);
    rmdir(path);
}

/* ---- the reference ---- */

static void keep_batch(struct reference *ref, const struct journal_batch *b)
{
    ref->batches = mem_grow(ref->batches, &ref->cap, ref->n + 1, sizeof *ref->batches);
    struct batch *to = &ref->batches[ref->n++];
    *to = (struct batch){.first = b->first, .time = b->time, .n = b->n};
    to->entries = arena_zalloc(&ref->arena, b->n * sizeof *to->entries);
    memcpy(to->chain, b->chain, CHAIN_LEN);
    for (size_t i = 0; i < b->n; i++) {
        to->entries[i].body = arena_slice(&ref->arena, b->entries[i].body);
        if (b->entries[i].erasable.n)
            to->entries[i].erasable = arena_slice(&ref->arena, b->entries[i].erasable);
        if (b->entries[i].body.n && b->entries[i].body.p[0] == ENTRY_SIGNAL) {
            ref->signals =
                mem_grow(ref->signals, &ref->cap_signals, ref->n_signals + 1, sizeof *ref->signals);
            ref->signals[ref->n_signals++] = b->first + i;
        }
    }
}

static const struct batch *batch_of(const struct reference *ref, uint64_t number)
{
    size_t low = 0, high = ref->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (ref->batches[mid].first + ref->batches[mid].n <= number)
            low = mid + 1;
        else
            high = mid;
    }
    return low < ref->n ? &ref->batches[low] : NULL;
}

static struct slice body_of(const struct reference *ref, uint64_t number)
{
    const struct batch *b = batch_of(ref, number);
    return b->entries[number - b->first].body;
}

static void read_journal(struct reference *ref, const char *dir)
{
    char path[512];
    struct journal_reader *r;
    struct journal_batch b;
    struct err e;
    int rc;
    snprintf(path, sizeof path, "%s/journal", dir);
    must(journal_reader_open(&r, path, 1, &e), &e, "the whole journal");
    while ((rc = journal_reader_next(r, &b, &e)) > 0)
        keep_batch(ref, &b);
    must(rc, &e, "the whole journal");
    journal_reader_close(r);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* No id of a source is there twice. */
static void each_once(struct reference *ref)
{
    uint8_t(*ids)[16] = mem_alloc(ref->n_signals * 16 + 1);
    struct arena a = {0};
    for (size_t i = 0; i < ref->n_signals; i++) {
        struct entry entry;
        struct err e;
        must(entry_get(body_of(ref, ref->signals[i]), &a, &entry, &e), &e, "an entry");
        memcpy(ids[i], entry.signal.id_hash, 16);
        arena_reset(&a);
    }
    qsort(ids, ref->n_signals, 16, by_bytes);
    for (size_t i = 1; i < ref->n_signals; i++)
        if (memcmp(ids[i - 1], ids[i], 16) == 0)
            errx(1, "a signal is in the journal twice");
    free(ids);
    arena_finish(&a);
}

/* A fold in memory, undisturbed. */
static void fold_all(struct reference *ref)
{
    struct engine *engine;
    struct err e;
    must(engine_create(&engine, NULL, 0, &e), &e, "an engine");
    ref->events = mem_zalloc(sizeof *ref->events);
    for (size_t i = 0; i < ref->n; i++) {
        struct batch *b = &ref->batches[i];
        for (size_t k = 0; k < b->n; k++) {
            struct engine_out out = {.arena = &ref->arena};
            must(engine_apply(engine, b->first + k, b->time, b->entries[k].body, &out, &e), &e,
                 "the whole fold");
            b->events = engine_events(engine);
            ref->events = mem_realloc(ref->events, (b->events + 1) * sizeof *ref->events);
            for (size_t v = 0; v < out.n; v++)
                ref->events[b->events - out.n + 1 + v] = out.events[v].bytes;
        }
    }
    engine_destroy(engine);
}

struct reference *reference_load(const char *dir)
{
    struct reference *ref = mem_zalloc(sizeof *ref);
    struct recovered r;
    struct recover_options o = {.segment_bytes = SMALL, .no_thread = true};
    struct err e;
    must(recover(dir, &o, &r, &e), &e, "start");
    recover_close(&r);
    read_journal(ref, dir);
    each_once(ref);
    fold_all(ref);
    return ref;
}

void reference_free(struct reference *ref)
{
    arena_finish(&ref->arena);
    free(ref->batches);
    free(ref->signals);
    free(ref->events);
    free(ref);
}

/* ---- an image ---- */

static void promises_kept(const struct recovered *r, const struct promise *p)
{
    uint64_t last = journal_last(r->journal), events = engine_events(r->engine);
    if (last < p->entry)
        errx(1, "entry %" PRIu64 " was acknowledged, and the journal ends with %" PRIu64, p->entry, last);
    if (events < p->event)
        errx(1, "alert event %" PRIu64 " was published, and there are only %" PRIu64, p->event, events);
    if (p->store && memcmp(p->store_id, journal_store_id(r->journal), STORE_ID_LEN) != 0)
        errx(1, "the store's id was told, and now it is another");
}

static void same_beginning(const struct reference *ref, const struct recovered *r)
{
    uint8_t chain[CHAIN_LEN];
    uint64_t last = journal_last(r->journal), events = engine_events(r->engine);
    if (engine_number(r->engine) != last)
        errx(1, "the journal ends with %" PRIu64 ", the state with %" PRIu64, last, engine_number(r->engine));
    if (last == 0)
        return;
    const struct batch *b = batch_of(ref, last);
    if (!b || b->first + b->n - 1 != last)
        errx(1, "the journal ends with %" PRIu64 ", where no batch did", last);
    journal_chain(r->journal, chain);
    if (memcmp(chain, b->chain, CHAIN_LEN) != 0)
        errx(1, "the journal's chain at %" PRIu64 " is another than it was", last);
    if (events != b->events)
        errx(1, "after %" PRIu64 " there were %" PRIu64 " alert events, and now %" PRIu64, last, b->events,
             events);
}

static enum screened screen(const struct reference *ref, struct engine *engine, uint64_t number, uint64_t as)
{
    struct arena a = {0};
    struct entry entry;
    struct err e;
    must(entry_get(body_of(ref, number), &a, &entry, &e), &e, "an entry");
    enum screened s = engine_screen(engine, &entry.signal, as);
    arena_finish(&a);
    return s;
}

/* Signals of the beginning, chosen by the seed, and the last one: sent again they count no second time. */
static void known_again(const struct reference *ref, const struct recovered *r, uint64_t seed)
{
    uint64_t last = journal_last(r->journal);
    size_t n = 0;
    while (n < ref->n_signals && ref->signals[n] <= last)
        n++;
    for (size_t i = 0; i < ASKED_AGAIN && n > 0; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t number = ref->signals[i == 0 ? n - 1 : (seed >> 33) % n];
        if (screen(ref, r->engine, number, last + 1) != SCREEN_DUPLICATE)
            errx(1, "entry %" PRIu64 " is there, and its signal would count again", number);
    }
}

static void store_batch(const struct reference *ref, const struct recovered *r, const struct batch *b)
{
    struct arena a = {0};
    struct err e;
    uint64_t first;
    for (size_t i = 0; i < b->n; i++)
        if (b->entries[i].body.p[0] == ENTRY_SIGNAL &&
            screen(ref, r->engine, b->first + i, b->first + i) != SCREEN_NEW)
            errx(1, "entry %" PRIu64 " is not there, and its signal would not count", b->first + i);
    must(journal_append(r->journal, b->time, b->entries, b->n, &first, &e), &e, "going on");
    if (first != b->first)
        errx(1, "the next entry has number %" PRIu64, first);
    for (size_t i = 0; i < b->n; i++) {
        struct engine_out out = {.arena = &a};
        must(engine_apply(r->engine, first + i, b->time, b->entries[i].body, &out, &e), &e, "going on");
    }
    must(journal_sync(r->journal, &e), &e, "going on");
    arena_finish(&a);
}

static void go_on(const struct reference *ref, const struct recovered *r)
{
    for (size_t i = 0; i < NEXT_BATCHES; i++) {
        const struct batch *b = batch_of(ref, journal_last(r->journal) + 1);
        if (!b)
            return;
        store_batch(ref, r, b);
        if (engine_events(r->engine) != b->events)
            errx(1, "gone on to %" PRIu64 ", and the alert events are others", journal_last(r->journal));
    }
}

static void commit(const struct recovered *r)
{
    struct err e;
    struct checkpoint *cp = engine_checkpoint(r->engine);
    if (!cp)
        return;
    journal_chain(r->journal, cp->chain);
    must(view_commit(r->view, cp, journal_store_id(r->journal), &e), &e, "a checkpoint");
    engine_committed(r->engine, cp);
    must(view_reader_refresh(r->reader, &e), &e, "a checkpoint");
}

static void same_events(const struct reference *ref, const struct recovered *r)
{
    uint64_t events = engine_events(r->engine);
    for (uint64_t seq = 1; seq <= events; seq++) {
        uint8_t key[8];
        struct slice row;
        struct err e;
        for (int i = 0; i < 8; i++)
            key[i] = (uint8_t)(seq >> (56 - 8 * i));
        int rc = view_get(r->reader, T_EVENT, key, sizeof key, &row, &e);
        must(rc < 0 ? rc : 0, &e, "an alert event");
        if (rc == 0 || row.n != ref->events[seq].n || memcmp(row.p, ref->events[seq].p, row.n) != 0)
            errx(1, "alert event %" PRIu64 " is %s", seq, rc ? "another than it was" : "not there");
    }
}

/* A fold of the journal from its first entry into a view of its own is the view. */
static void same_fold(const char *dir, const struct recovered *r)
{
    char path[512];
    struct view *v;
    struct err e;
    struct recover_options o = {.segment_bytes = SMALL, .no_thread = true};
    snprintf(path, sizeof path, "%s.fold", dir);
    must(recover_fold(dir, path, journal_last(r->journal), &o, &e), &e, "a fold of the journal");
    must(view_open(&v, path, 0, true, &e), &e, "a fold of the journal");
    must(view_compare(r->view, v, &e), &e, "the view and a fold of the journal");
    view_close(v);
    remove_tree(path);
}

uint64_t check_image(const struct reference *ref, const char *dir, const struct promise *p, uint64_t seed)
{
    struct recovered r;
    struct recover_options o = {.segment_bytes = SMALL, .no_thread = true, .dirty_max = seed % 3 ? 0 : 20};
    struct err e;
    must(recover(dir, &o, &r, &e), &e, "start");
    uint64_t last = journal_last(r.journal);
    promises_kept(&r, p);
    same_beginning(ref, &r);
    must(view_reader_refresh(r.reader, &e), &e, "start");
    known_again(ref, &r, seed);
    go_on(ref, &r);
    commit(&r);
    same_events(ref, &r);
    same_fold(dir, &r);
    view_reader_rest(r.reader);
    recover_close(&r);
    return last;
}

void check_alone(const char *dir, const struct promise *p)
{
    char path[512];
    struct verify_report report;
    struct recovered r;
    struct recover_options o = {.segment_bytes = SMALL, .no_thread = true};
    struct err e;
    struct reference *ref = reference_load(dir);
    must(recover(dir, &o, &r, &e), &e, "start");
    promises_kept(&r, p);
    same_beginning(ref, &r);
    must(view_reader_refresh(r.reader, &e), &e, "start");
    known_again(ref, &r, 1);
    commit(&r);
    same_events(ref, &r);
    view_reader_rest(r.reader);
    recover_close(&r);
    snprintf(path, sizeof path, "%s.fold", dir);
    must(verify(dir, &(struct verify_options){.fold_in = path}, &report, &e), &e, "verify");
    reference_free(ref);
}
