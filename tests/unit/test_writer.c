/* SPDX-License-Identifier: Apache-2.0 */
/* The writer and view threads over a real journal and a real view, with an engine that only counts and a disk
 * that the test may hold, fill or break. No test waits for a time: each waits for the word that the writer
 * gives. */
#include "tests/unit/test.h"

#include <pthread.h>
#include <semaphore.h>

#include "daemon/writer.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/store_kit.h"

/* ---- a disk that can be held, filled, broken ---- */

static atomic_bool disk_broken, disk_full, disk_held;
static sem_t disk_reached, disk_go; /* a held sync posts the one and waits for the other */

static int fake_sync(int fd)
{
    (void)fd;
    if (atomic_load(&disk_held)) {
        sem_post(&disk_reached);
        sem_wait(&disk_go);
    }
    if (!atomic_load(&disk_broken))
        return 0;
    errno = EIO;
    return -1;
}

static int fake_fallocate(int fd, off_t from, off_t n)
{
    return atomic_load(&disk_full) ? ENOSPC : posix_fallocate(fd, from, n);
}

static const struct journal_io fake_io = {
    .fdatasync = fake_sync, .fsync = kit_no_sync, .fallocate = fake_fallocate};

/* ---- a clock that can be set ---- */

static _Atomic int64_t fake_wall;

static int64_t get_wall(void)
{
    return atomic_load(&fake_wall);
}

static int64_t get_boot(void)
{
    return 1000;
}

static bool get_synced(void)
{
    return true;
}

static const struct clock_source fake_clock = {get_wall, get_boot, get_synced};

/* ---- the daemon around it ---- */

struct stand {
    struct recovered r;
    struct state_loader loader;
    struct clock clock;
    struct writer_options o;
    struct writer *w;
    sem_t word;
    struct entry_signal *signals; /* of the requests gathered so far */
};

static void done(void *arg)
{
    struct stand *s = arg;
    sem_post(&s->word);
}

static int setup(void **state)
{
    static int turn;
    struct err err;
    struct stand *s = mem_zalloc(sizeof *s);
    char dir[32];
    snprintf(dir, sizeof dir, "journal%d", ++turn);
    atomic_store(&disk_broken, false);
    atomic_store(&disk_full, false);
    atomic_store(&disk_held, false);
    atomic_store(&fake_wall, INT64_C(1700000000000));
    sem_init(&disk_reached, 0, 0);
    sem_init(&disk_go, 0, 0);
    sem_init(&s->word, 0, 0);
    s->r.journal = kit_open(kit_path(dir), 0, &fake_io);
    snprintf(dir, sizeof dir, "view%d", turn);
    if (view_open(&s->r.view, kit_path(dir), 1 << 30, false, &err) ||
        view_reader_open(&s->r.reader, s->r.view, &err))
        fail_msg("%s", err.msg);
    s->loader = view_loader(s->r.reader);
    assert_int_equal(engine_create(&s->r.engine, &s->loader, 1 << 20, &err), 0);
    clock_init(&s->clock, 0, &fake_clock);
    s->o = (struct writer_options){
        .dir = kit_root, .clock = &s->clock, .debt_max = 1000000, .done = done, .arg = s};
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stand *s = *state;
    writer_stop(s->w);
    engine_destroy(s->r.engine);
    view_reader_close(s->r.reader);
    view_close(s->r.view);
    journal_close(s->r.journal);
    sem_destroy(&s->word);
    free(s);
    return 0;
}

static void start(struct stand *s)
{
    struct err err;
    if (writer_start(&s->w, &s->r, &s->o, &err))
        fail_msg("%s", err.msg);
}

/* One signal into the batch that gathers. */
static void add_signal(struct stand *s, const char *id)
{
    struct batch *b = writer_gathering(s->w);
    struct entry_signal *sig = arena_zalloc(&b->arena, sizeof *sig);
    sig->sig.id = arena_slice(&b->arena, slice_of(id));
    char *body = arena_zalloc(&b->arena, 40);
    body[0] = ENTRY_SIGNAL;
    memcpy(body + 1, id, strlen(id));
    struct slot *slot = batch_slot(b);
    slot->signal = sig;
    slot->index = b->requests[b->n_requests - 1].n - 1;
    slot->body = (struct slice){body, 40};
    b->bytes += 40;
}

static void add_entry(struct stand *s, enum request_type type, enum entry_type entry)
{
    struct batch *b = writer_gathering(s->w);
    batch_request(b, type, 1);
    char *body = arena_zalloc(&b->arena, 2);
    body[0] = (char)entry;
    batch_slot(b)->body = (struct slice){body, 2};
}

static void add_request(struct stand *s, size_t n, const char *const ids[])
{
    batch_request(writer_gathering(s->w), REQUEST_SIGNALS, 1);
    for (size_t i = 0; i < n; i++)
        add_signal(s, ids[i]);
}

static struct batch *next_finished(struct stand *s)
{
    struct batch *b;
    while (!(b = writer_finished(s->w))) {
        if (writer_failed(s->w))
            fail_msg("%s", writer_failed(s->w)->msg);
        sem_wait(&s->word);
    }
    return b;
}

/* One request through and through; its batch, to be given back. */
static struct batch *through(struct stand *s, size_t n, const char *const ids[])
{
    add_request(s, n, ids);
    writer_submit(s->w);
    struct batch *b = next_finished(s);
    assert_int_equal(b->n_requests, 1);
    return b;
}

/* ---- what becomes of requests ---- */

static void signals_are_numbered_and_screened(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *ids[] = {"a", "b", "a", "x1", "c"};
    struct batch *b = through(s, 5, ids);
    struct request *r = &b->requests[0];
    assert_false(b->busy);
    assert_int_equal(r->accepted, 3);
    assert_int_equal(r->duplicates, 1);
    assert_int_equal(r->seq, 3);
    assert_int_equal(r->n_rejected, 1);
    assert_int_equal(r->rejected[0].index, 3);
    assert_int_equal(r->rejected[0].code, REJECT_UNKNOWN_CANCEL);
    const uint64_t numbers[] = {1, 2, 0, 0, 3};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(b->slots[i].number, numbers[i]);
    assert_int_equal(b->number, 3);
    assert_int_equal(writer_number(s->w), 3);
    assert_int_equal(journal_last(s->r.journal), 3);
    writer_give_back(s->w, b);
}

static void duplicates_alone_are_answered(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *ids[] = {"a", "b"};
    writer_give_back(s->w, through(s, 2, ids));
    struct batch *b = through(s, 2, ids);
    assert_int_equal(b->requests[0].duplicates, 2);
    assert_int_equal(b->requests[0].accepted, 0);
    assert_int_equal(b->requests[0].seq, 0);
    assert_int_equal(b->number, 2);
    writer_give_back(s->w, b);
}

static void nothing_to_store_is_answered(void **state)
{
    struct stand *s = *state;
    start(s);
    struct batch *b = through(s, 0, NULL);
    assert_int_equal(b->requests[0].accepted, 0);
    assert_int_equal(b->number, 0);
    writer_give_back(s->w, b);
}

static void events_come_with_their_batch(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *ids[] = {"e1", "b", "e2"};
    struct batch *b = through(s, 3, ids);
    assert_int_equal(b->out.n, 2);
    assert_int_equal(b->out.events[1].ev.seq, 2);
    assert_int_equal(writer_events(s->w), 2);
    writer_give_back(s->w, b);
}

static void the_fold_has_the_verdict_on_an_action(void **state)
{
    struct stand *s = *state;
    start(s);
    add_entry(s, REQUEST_ACTION, ENTRY_ACTION);
    const char *ids[] = {"a"};
    add_request(s, 1, ids);
    writer_submit(s->w);
    struct batch *b = next_finished(s);
    assert_int_equal(b->requests[0].refused, WIRE_ERROR_WRONG_STATE);
    assert_string_equal(b->requests[0].sentence, "refused as entry 1");
    assert_int_equal(b->requests[0].seq, 1);
    assert_int_equal(b->requests[1].refused, WIRE_ERROR_NONE);
    assert_int_equal(b->requests[1].seq, 2);
    writer_give_back(s->w, b);
}

/* ---- the disk ---- */

static void nothing_is_answered_before_the_sync(void **state)
{
    struct stand *s = *state;
    start(s);
    atomic_store(&disk_held, true);
    const char *a[] = {"e-a"}, *b[] = {"b"};
    add_request(s, 1, a);
    writer_submit(s->w);
    sem_wait(&disk_reached); /* appended and folded, not synced */
    assert_null(writer_finished(s->w));
    assert_int_equal(writer_number(s->w), 0);
    assert_int_equal(writer_events(s->w), 0);

    /* the next one gathers meanwhile, and is not handed over */
    struct batch *gathering = writer_gathering(s->w);
    add_request(s, 1, b);
    writer_submit(s->w);
    assert_ptr_equal(writer_gathering(s->w), gathering);
    add_request(s, 1, a); /* a duplicate of what is in hand */

    atomic_store(&disk_held, false);
    sem_post(&disk_go);
    struct batch *first = next_finished(s);
    assert_int_equal(first->requests[0].seq, 1);
    writer_submit(s->w);
    struct batch *second = next_finished(s);
    assert_ptr_equal(second, gathering);
    assert_int_equal(second->n_requests, 2);
    assert_int_equal(second->requests[0].seq, 2);
    assert_int_equal(second->requests[1].duplicates, 1);
    writer_give_back(s->w, first);
    writer_give_back(s->w, second);
}

static void a_large_batch_waits_its_turn(void **state)
{
    struct stand *s = *state;
    start(s);
    atomic_store(&disk_held, true);
    const char *a[] = {"a"};
    add_request(s, 1, a);
    writer_submit(s->w);
    sem_wait(&disk_reached);

    struct batch *gathering = writer_gathering(s->w);
    add_request(s, 1, a);
    gathering->bytes = 2 << 20;
    writer_submit(s->w);
    assert_ptr_not_equal(writer_gathering(s->w), gathering);
    assert_null(writer_finished(s->w));

    atomic_store(&disk_held, false);
    sem_post(&disk_go);
    writer_give_back(s->w, next_finished(s));
    struct batch *b = next_finished(s); /* without another submit */
    assert_ptr_equal(b, gathering);
    writer_give_back(s->w, b);
}

static void a_failed_sync_is_answered_by_nobody(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *a[] = {"a"}, *b[] = {"e-b"};
    writer_give_back(s->w, through(s, 1, a));
    atomic_store(&disk_broken, true);
    add_request(s, 1, b);
    writer_submit(s->w);
    while (!writer_failed(s->w))
        sem_wait(&s->word);
    assert_int_equal(writer_failed(s->w)->code, WW_EIO);
    assert_null(writer_finished(s->w));
    assert_int_equal(writer_number(s->w), 1);
    assert_int_equal(writer_events(s->w), 0);
    (void)writer_await_view(s->w, 2, 0); /* comes back, though it will never be there */
    writer_drain(s->w);
    assert_null(writer_finished(s->w));
    assert_true(writer_viewed(s->w) <= 1); /* nor does the view learn of it */
}

static void a_failed_fold_is_answered_by_nobody(void **state)
{
    struct stand *s = *state;
    s->r.engine->fails_at = 2;
    start(s);
    const char *ids[] = {"a", "b", "c"};
    add_request(s, 3, ids);
    writer_submit(s->w);
    while (!writer_failed(s->w))
        sem_wait(&s->word);
    assert_int_equal(writer_failed(s->w)->code, WW_EDAMAGED);
    assert_null(writer_finished(s->w));
    assert_int_equal(writer_number(s->w), 0);
}

static void a_full_disk_is_busy_and_forgets_nothing(void **state)
{
    struct stand *s = *state;
    journal_close(s->r.journal);
    s->r.journal = kit_open(kit_path("journal-full"), 4096, &fake_io); /* the least there is */
    start(s);
    char id[24];
    struct batch *b = NULL;
    atomic_store(&disk_full, true);
    for (int i = 0; i < 1000 && !b; i++) { /* fills the segment */
        snprintf(id, sizeof id, "s%d", i);
        const char *ids[] = {id};
        struct batch *one = through(s, 1, ids);
        if (one->busy)
            b = one;
        else
            writer_give_back(s->w, one);
    }
    assert_non_null(b);
    assert_non_null(b->busy_reason);
    assert_int_equal(b->requests[0].accepted, 0);
    uint64_t before = writer_number(s->w);
    writer_give_back(s->w, b);

    atomic_store(&disk_full, false);
    const char *again[] = {id};
    b = through(s, 1, again);
    assert_false(b->busy);
    assert_int_equal(b->requests[0].accepted, 1); /* not taken for a duplicate of the refused one */
    assert_int_equal(b->requests[0].seq, before + 1);
    writer_give_back(s->w, b);
}

/* ---- refusing ---- */

static void below_the_free_limit_signals_are_refused(void **state)
{
    struct stand *s = *state;
    s->o.free_min_ppm = 2000000; /* more than there can be */
    start(s);
    const char *ids[] = {"a"};
    struct batch *b = through(s, 1, ids);
    assert_true(b->busy);
    assert_non_null(b->busy_reason);
    assert_non_null(writer_refuses(s->w));
    writer_give_back(s->w, b);

    add_entry(s, REQUEST_ACTION, ENTRY_ACTION); /* teams go on working */
    writer_submit(s->w);
    b = next_finished(s);
    assert_false(b->busy);
    assert_int_equal(b->requests[0].seq, 1);
    writer_give_back(s->w, b);
}

static void a_jump_of_the_clock_is_busy(void **state)
{
    struct stand *s = *state;
    start(s);
    assert_null(writer_refuses(s->w));
    atomic_fetch_add(&fake_wall, 3 * DAY_MS);
    assert_non_null(writer_refuses(s->w));
    const char *ids[] = {"a"};
    struct batch *b = through(s, 1, ids);
    assert_true(b->busy);
    writer_give_back(s->w, b);

    clock_confirm(&s->clock);
    b = through(s, 1, ids);
    assert_false(b->busy);
    assert_int_equal(b->time, atomic_load(&fake_wall));
    writer_give_back(s->w, b);
}

static void time_does_not_go_back(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *a[] = {"a"}, *b[] = {"b"};
    struct batch *first = through(s, 1, a);
    int64_t time = first->time;
    writer_give_back(s->w, first);
    atomic_fetch_sub(&fake_wall, DAY_MS);
    struct batch *second = through(s, 1, b);
    assert_int_equal(second->time, time);
    writer_give_back(s->w, second);
}

/* ---- the view ---- */

static uint64_t rows_in_view(struct stand *s)
{
    struct view_reader *r;
    struct view_meta meta;
    struct err err;
    uint64_t n;
    assert_int_equal(view_reader_open(&r, s->r.view, &err), 0);
    assert_int_equal(view_reader_refresh(r, &err), 0);
    assert_int_equal(view_get_meta(r, &meta, &err), 0);
    assert_int_equal(view_count(r, T_ENTERPRISE, &n, &err), 0);
    assert_true(meta.number >= n);
    view_reader_close(r);
    return n;
}

static void the_view_is_there_when_awaited(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *ids[] = {"a", "b", "c"};
    writer_give_back(s->w, through(s, 3, ids));
    assert_int_equal(writer_await_view(s->w, 3, 0), AWAIT_THERE);
    assert_true(writer_viewed(s->w) >= 3);
    assert_int_equal(rows_in_view(s), 3);
    assert_int_equal(writer_await_view(s->w, 99, 0), AWAIT_THERE); /* more than there is: all there is */
}

static void main_is_told_of_a_wanted_view(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *ids[] = {"a"};
    writer_give_back(s->w, through(s, 1, ids));
    writer_want_view(s->w, 1);
    while (writer_viewed(s->w) < 1)
        sem_wait(&s->word);
    assert_int_equal(rows_in_view(s), 1);
}

static void the_end_leaves_nothing_behind(void **state)
{
    struct stand *s = *state;
    start(s);
    const char *ids[] = {"a", "b"};
    add_request(s, 2, ids); /* gathered, never submitted */
    writer_drain(s->w);
    struct batch *b = writer_finished(s->w);
    assert_non_null(b);
    assert_int_equal(b->requests[0].seq, 2);
    writer_give_back(s->w, b);
    assert_null(writer_finished(s->w));
    assert_null(writer_failed(s->w));
    assert_int_equal(rows_in_view(s), 2);
    assert_int_equal(writer_viewed(s->w), 2);
}

/* ---- work of its own ---- */

static void a_tick_when_something_is_due(void **state)
{
    struct stand *s = *state;
    atomic_store(&s->r.engine->due, atomic_load(&fake_wall) - 1);
    start(s);
    struct batch *b = next_finished(s);
    assert_int_equal(b->n_requests, 0);
    assert_int_equal(b->out.n, 1);
    assert_int_equal(b->number, 1);
    assert_int_equal(atomic_load(&s->r.engine->ticks), 1);
    writer_give_back(s->w, b);
}

static void add_many(struct stand *s, size_t n)
{
    batch_request(writer_gathering(s->w), REQUEST_SIGNALS, 1);
    for (size_t i = 0; i < n; i++) {
        char id[24];
        snprintf(id, sizeof id, "m%zu", i);
        add_signal(s, id);
    }
    writer_submit(s->w);
    writer_give_back(s->w, next_finished(s));
}

static void settings_sweep_all_that_is_there(void **state)
{
    struct stand *s = *state;
    start(s);
    add_many(s, 2500);
    add_entry(s, REQUEST_SETTINGS, ENTRY_CONFIG);
    writer_submit(s->w);
    writer_give_back(s->w, next_finished(s));
    struct batch *b = next_finished(s); /* the mark of the end */
    assert_int_equal(b->n_requests, 0);
    assert_int_equal(atomic_load(&s->r.engine->swept), 2500);
    assert_int_equal(atomic_load(&s->r.engine->sweeps), 4); /* 1000, 1000, 500, the mark */
    assert_int_equal(b->number, 2500 + 1 + 4);
    writer_give_back(s->w, b);
}

static void an_unfinished_sweep_begins_again(void **state)
{
    struct stand *s = *state;
    start(s);
    add_many(s, 10);
    writer_stop(s->w);
    s->r.engine->sweep_pending = true; /* as the state says after a restart */
    start(s);
    struct batch *b = next_finished(s);
    assert_int_equal(atomic_load(&s->r.engine->swept), 10);
    assert_int_equal(b->number, 12);
    writer_give_back(s->w, b);
}

/* ---- many at once ---- */

enum { MANY = 4000 };

struct asker {
    struct stand *s;
    atomic_bool stop;
};

static void *ask(void *arg)
{
    struct asker *a = arg;
    uint64_t last = 0;
    while (!atomic_load(&a->stop)) {
        uint64_t number = writer_number(a->s->w);
        if (writer_await_view(a->s->w, number, 0) != AWAIT_THERE)
            break;
        uint64_t viewed = writer_viewed(a->s->w);
        assert(viewed >= number && viewed >= last);
        last = viewed;
        (void)writer_beats(a->s->w);
        (void)writer_refuses(a->s->w);
        (void)writer_failed(a->s->w);
    }
    return NULL;
}

/* What is still to be sent: a refused one comes back to the end. */
struct flood {
    size_t todo[MANY];
    size_t head, n, answered;
    uint64_t next; /* journal number */
};

static void gather_some(struct stand *s, struct flood *f)
{
    batch_request(writer_gathering(s->w), REQUEST_SIGNALS, 1);
    for (uint32_t n = kit_random(100) + 1; n > 0 && f->n > 0; n--, f->n--) {
        char id[24];
        snprintf(id, sizeof id, "f%zu", f->todo[f->head]);
        add_signal(s, id);
        f->head = (f->head + 1) % MANY;
    }
}

static void answer_finished(struct stand *s, struct flood *f)
{
    struct batch *b;
    while ((b = writer_finished(s->w))) {
        for (size_t i = 0; i < b->n_slots; i++) {
            if (b->busy) /* the debt had doubled */
                f->todo[(f->head + f->n++) % MANY] = strtoul(b->slots[i].signal->sig.id.p + 1, NULL, 10);
            else
                assert_int_equal(b->slots[i].number, f->next++);
        }
        f->answered += b->busy ? 0 : b->n_slots;
        writer_give_back(s->w, b);
    }
}

static void a_flood_is_answered_once_and_in_order(void **state)
{
    struct stand *s = *state;
    s->o.debt_max = 500; /* so that it slows down and refuses now and then */
    start(s);
    struct asker a = {.s = s};
    pthread_t thread;
    pthread_create(&thread, NULL, ask, &a);
    struct flood f = {.n = MANY, .next = 1};
    for (size_t i = 0; i < MANY; i++)
        f.todo[i] = i;
    while (f.answered < MANY) {
        if (f.n && batch_has_room(writer_gathering(s->w), 100, 0))
            gather_some(s, &f);
        else
            sem_wait(&s->word);
        writer_submit(s->w);
        answer_finished(s, &f);
        assert_null(writer_failed(s->w));
    }
    atomic_store(&a.stop, true);
    writer_wake_waiters(s->w);
    pthread_join(thread, NULL);
    writer_drain(s->w);
    assert_int_equal(journal_last(s->r.journal), MANY);
    assert_int_equal(rows_in_view(s), MANY);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(signals_are_numbered_and_screened),
        STORY(duplicates_alone_are_answered),
        STORY(nothing_to_store_is_answered),
        STORY(events_come_with_their_batch),
        STORY(the_fold_has_the_verdict_on_an_action),
        STORY(nothing_is_answered_before_the_sync),
        STORY(a_large_batch_waits_its_turn),
        STORY(a_failed_sync_is_answered_by_nobody),
        STORY(a_failed_fold_is_answered_by_nobody),
        STORY(a_full_disk_is_busy_and_forgets_nothing),
        STORY(below_the_free_limit_signals_are_refused),
        STORY(a_jump_of_the_clock_is_busy),
        STORY(time_does_not_go_back),
        STORY(the_view_is_there_when_awaited),
        STORY(main_is_told_of_a_wanted_view),
        STORY(the_end_leaves_nothing_behind),
        STORY(a_tick_when_something_is_due),
        STORY(settings_sweep_all_that_is_there),
        STORY(an_unfinished_sweep_begins_again),
        STORY(a_flood_is_answered_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
