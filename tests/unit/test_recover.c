/* SPDX-License-Identifier: Apache-2.0 */
/* store/recover: whatever was in the view when the process died, the state after the start is that of a fold
 * which was never disturbed, row by row; and a view that does not belong to the journal is refused. */
#include "store/recover.h"
#include "store/verify.h"

#include "test.h"

#include "lib/tree.h"
#include "tests/support/world.h"
#include "tests/unit/store_kit.h"

/* The undisturbed fold, in memory, and the journal that has the same entries. */
static struct world world;
static uint8_t chain[CHAIN_LEN];

static char state_dir[512];

static void fresh(void)
{
    snprintf(state_dir, sizeof state_dir, "%s/state", kit_root);
    kit_remove(state_dir);
    world_finish(&world);
    world_init(&world, NULL);
}

static struct recover_options options(size_t dirty_max)
{
    return (struct recover_options){
        .dirty_max = dirty_max, .segment_bytes = 64 << 10, .io = &kit_fast_io, .no_thread = true};
}

static struct recovered must_recover(const struct recover_options *o)
{
    struct recovered r;
    struct err err;
    if (recover(state_dir, o, &r, &err) != 0)
        fail_msg("%s", err.msg);
    return r;
}

static void refused(const struct recover_options *o, int code, const char *word)
{
    struct recovered r;
    struct err err;
    int rc = recover(state_dir, o, &r, &err);
    if (rc != code)
        fail_msg("%d: %s", rc, rc ? err.msg : "");
    assert_non_null(strstr(err.msg, word));
    assert_true(!r.journal && !r.view && !r.reader && !r.engine);
}

/* ---- a life ---- */

static const char *const kinds[] = {
    "tax.arrears",           "court.seizure",          "court.released",          "subdistrict.shutdown",
    "police.owner_missing",  "subdistrict.wage_delay", "market.chattel_mortgage", "utility.bill_overdue",
    "subdistrict.wages_paid"};
static const char *const codes[] = {CODE_A, CODE_B, CODE_C, NULL};
static const char *const names[] = {"甲公司", "乙公司", "丙公司"};

static struct say any_signal(char id[24], uint64_t number, int64_t now)
{
    snprintf(id, 24, "s%llu", (unsigned long long)number);
    struct say s = {.id = id,
                    .kind = kinds[kit_random(ARRAY_LEN(kinds))],
                    .at = now - kit_random(40) * DAY_MS,
                    .uscc = codes[kit_random(4)],
                    .amount = kit_random(1000000),
                    .people = kit_random(50)};
    if (!s.uscc || kit_random(3) == 0)
        s.name = names[kit_random(3)];
    return s;
}

/* Entry 1 is what world_init applied. */
static void put_config(struct buf *b)
{
    struct arena a = {0};
    struct buf bytes = {0};
    uint8_t hash[CHAIN_LEN];
    const struct tree *t = world_settings(&a, NULL);
    tree_encode(t, &bytes);
    hash_blake2b(hash, bytes.p, bytes.n, NULL, 0, NULL, 0);
    entry_put_config(b, (struct slice){(char *)hash, sizeof hash}, t);
    buf_finish(&bytes);
    arena_finish(&a);
}

/* As the writer does: append, fold, sync. */
static void store(struct recovered *r, int64_t time, const struct journal_entry *entries, size_t n)
{
    struct arena a = {0};
    struct err err;
    uint64_t first;
    assert_int_equal(journal_append(r->journal, time, entries, n, &first, &err), 0);
    assert_int_equal(view_reader_refresh(r->reader, &err), 0);
    for (size_t i = 0; i < n; i++) {
        struct engine_out out = {.arena = &a};
        assert_int_equal(engine_apply(r->engine, first + i, time, entries[i].body, &out, &err), 0);
    }
    assert_int_equal(journal_sync(r->journal, &err), 0);
    view_reader_rest(r->reader);
    arena_finish(&a);
}

static int64_t now_of(uint64_t batch)
{
    return DAY(0) + (int64_t)batch * 7 * 3600 * 1000;
}

/* One batch of n signals into the journal, the engine and the undisturbed world. */
static void live(struct recovered *r, uint64_t batch, size_t n)
{
    struct arena a = {0};
    struct journal_entry *entries = arena_zalloc(&a, n * sizeof *entries);
    char id[24];
    if (journal_last(r->journal) == 0) {
        struct buf b = {0};
        put_config(&b);
        store(r, DAY(-400), &(struct journal_entry){.body = {(char *)b.p, b.n}}, 1);
        buf_finish(&b);
    }
    world.now = now_of(batch);
    for (size_t i = 0; i < n; i++) {
        struct entry_signal sig;
        struct say s = any_signal(id, world.number + 1, world.now);
        entries[i].body = arena_slice(&a, world_entry(&world, &s, &sig));
        assert_int_equal(world_say(&world, &s), SCREEN_NEW);
    }
    store(r, world.now, entries, n);
    journal_chain(r->journal, chain);
    arena_finish(&a);
}

static void checkpoint(struct recovered *r)
{
    struct err err;
    struct checkpoint *cp = engine_checkpoint(r->engine);
    if (!cp)
        return;
    journal_chain(r->journal, cp->chain);
    assert_int_equal(view_commit(r->view, cp, journal_store_id(r->journal), &err), 0);
    engine_committed(r->engine, cp);
}

/* What the undisturbed world holds, as a view of its own in dir. */
static struct view *world_view(const char *dir)
{
    static const uint8_t no_id[STORE_ID_LEN];
    struct view *v;
    struct err err;
    kit_remove(dir);
    assert_int_equal(view_open(&v, dir, 0, false, &err), 0);
    struct checkpoint *cp = engine_checkpoint(world.engine);
    memcpy(cp->chain, chain, CHAIN_LEN);
    assert_int_equal(view_commit(v, cp, no_id, &err), 0);
    engine_committed(world.engine, cp);
    return v;
}

static void same_as_world(struct recovered *r)
{
    struct err err;
    struct view *v = world_view(kit_path("undisturbed"));
    checkpoint(r);
    if (view_compare(r->view, v, &err) != 0)
        fail_msg("%s", err.msg);
    view_close(v);
}

/* ---- tests ---- */

static void an_empty_store(void **state)
{
    (void)state;
    fresh();
    struct recover_options o = options(0);
    for (int i = 0; i < 2; i++) {
        struct recovered r = must_recover(&o);
        assert_int_equal(journal_last(r.journal), 0);
        assert_int_equal(engine_number(r.engine), 0);
        assert_int_equal(r.folded, 0);
        assert_true(r.rebuilt);
        refused(&o, WW_ELOCKED, "another process");
        recover_close(&r);
    }
    struct view_meta m;
    struct err err;
    assert_int_equal(recover_meta(state_dir, &m, &err), 0);
    assert_int_equal(m.number, 0);
    assert_int_equal(recover_meta(kit_path("nowhere"), &m, &err), 0);
    assert_int_equal(m.number, 0);
}

/* Dies and starts again and again, with checkpoints now and then: in the end nothing tells. */
static void killed_again_and_again(void **state)
{
    (void)state;
    fresh();
    uint64_t batch = 0, with_tail = 0;
    for (int start = 0; start < 40; start++) {
        struct recover_options o = options(start % 3 ? 60 : 0);
        o.cache_bytes = 1; /* all that is clean is dropped and loaded anew */
        struct recovered r = must_recover(&o);
        with_tail += r.folded > 0;
        if (start > 0) {
            assert_int_equal(engine_number(r.engine), world.number);
            assert_int_equal(engine_events(r.engine), engine_events(world.engine));
        }
        for (uint32_t i = kit_random(6); i > 0; i--) {
            live(&r, batch++, 1 + kit_random(20));
            if (kit_random(4) == 0)
                checkpoint(&r);
        }
        recover_close(&r);
    }
    assert_true(with_tail > 5 && engine_events(world.engine) > 20);
    struct recover_options o = options(0);
    struct recovered r = must_recover(&o);
    same_as_world(&r);
    recover_close(&r);
}

static void on_progress(void *arg, uint64_t folded, uint64_t total)
{
    uint64_t *seen = arg;
    assert_true(folded <= total && folded >= seen[0]);
    seen[0] = folded;
    seen[1] = total;
}

static void a_store(size_t batches)
{
    struct recover_options o = options(0);
    fresh();
    struct recovered r = must_recover(&o);
    for (size_t i = 0; i < batches; i++)
        live(&r, i, 20);
    checkpoint(&r);
    recover_close(&r);
}

static void rebuilt_equals(void **state)
{
    (void)state;
    struct err err;
    uint64_t seen[2] = {0};
    a_store(30);
    struct recover_options o = options(100);
    struct recovered r = must_recover(&o);
    assert_int_equal(r.folded, 0);
    assert_false(r.rebuilt);
    same_as_world(&r);
    /* beside it, all over again */
    const char *dir = kit_path("folded");
    uint64_t last = journal_last(r.journal);
    uint8_t id[STORE_ID_LEN];
    memcpy(id, journal_store_id(r.journal), sizeof id);
    if (recover_fold(state_dir, dir, last, &o, &err) != 0)
        fail_msg("%s", err.msg);
    struct view *v;
    assert_int_equal(view_open(&v, dir, 0, true, &err), 0);
    assert_int_equal(view_compare(r.view, v, &err), 0);
    view_close(v);
    assert_int_equal(recover_fold(state_dir, dir, last, &o, &err), WW_EUSAGE);
    assert_int_equal(recover_fold(state_dir, kit_path("part"), 5, &o, &err), WW_ENOTFOUND);
    recover_close(&r);
    /* in its place */
    o.rebuild = true;
    o.progress = on_progress;
    o.arg = seen;
    r = must_recover(&o);
    assert_true(r.rebuilt);
    assert_int_equal(r.folded, last);
    assert_memory_equal(journal_store_id(r.journal), id, sizeof id);
    assert_true(seen[0] == last && seen[1] == last);
    checkpoint(&r);
    assert_int_equal(view_open(&v, dir, 0, true, &err), 0);
    assert_int_equal(view_compare(r.view, v, &err), 0);
    view_close(v);
    recover_close(&r);
}

static void verify_folds_too(void **state)
{
    (void)state;
    struct verify_report report;
    struct err err;
    a_store(6);
    const char *scratch = kit_path("scratch");
    struct verify_options o = {.fold_in = scratch};
    if (verify(state_dir, &o, &report, &err) != 0)
        fail_msg("%s", err.msg);
    assert_true(report.folded && report.view_number == world.number && report.last == world.number);
    assert_int_equal(access(scratch, F_OK), -1);
}

static void a_difference_is_found(void **state)
{
    (void)state;
    static const uint8_t no_id[STORE_ID_LEN];
    struct err err;
    struct view *v;
    struct view_meta m;
    struct view_reader *reader;
    a_store(5);
    struct recover_options o = options(0);
    for (int how = 0; how < 3; how++) {
        struct recovered r = must_recover(&o);
        const char *dir = kit_path("folded");
        kit_remove(dir);
        assert_int_equal(recover_fold(state_dir, dir, journal_last(r.journal), &o, &err), 0);
        assert_int_equal(view_open(&v, dir, 0, false, &err), 0);
        assert_int_equal(view_reader_open(&reader, v, &err), 0);
        assert_int_equal(view_reader_refresh(reader, &err), 0);
        assert_int_equal(view_get_meta(reader, &m, &err), 0);
        view_reader_close(reader);
        struct state *s = state_create(NULL, 0);
        if (how == 0)
            state_put(s, T_EVENT, "\0\0\0\0\0\0\0\1", 8, "x", 1);
        else if (how == 1)
            state_put(s, T_OPEN, "zzz", 3, "", 0);
        else
            state_del(s, T_EVENT, "\0\0\0\0\0\0\0\1", 8);
        struct checkpoint *cp = state_checkpoint(s);
        cp->number = m.number;
        cp->time = m.time;
        memcpy(cp->chain, m.chain, CHAIN_LEN);
        assert_int_equal(view_commit(v, cp, no_id, &err), 0);
        state_committed(s, cp);
        state_destroy(s);
        assert_int_equal(view_compare(r.view, v, &err), WW_EDAMAGED);
        assert_non_null(strstr(err.msg, how == 1 ? "'open'" : "'events'"));
        assert_non_null(strstr(err.msg, how == 0   ? "other values"
                                        : how == 1 ? "only in the second"
                                                   : "only in the first"));
        view_close(v);
        recover_close(&r);
    }
}

static void move(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        fail_msg("cannot rename %s", from);
}

static void a_view_of_another_journal(void **state)
{
    (void)state;
    a_store(6);
    move(kit_path("state/view"), kit_path("view of one"));
    a_store(6);
    move(kit_path("state/view"), kit_path("view of two"));
    move(kit_path("view of one"), kit_path("state/view"));
    struct recover_options o = options(0);
    refused(&o, WW_EDAMAGED, "another journal");
    kit_remove(kit_path("state/view"));
    move(kit_path("view of two"), kit_path("state/view"));
    struct recovered r = must_recover(&o);
    same_as_world(&r);
    recover_close(&r);
}

static void a_view_ahead_of_the_journal(void **state)
{
    (void)state;
    a_store(6);
    char journal[512];
    snprintf(journal, sizeof journal, "%s/state/journal/00000000000000000001.seg", kit_root);
    size_t n;
    uint8_t *p = kit_file_read(journal, &n);
    size_t end = n;
    while (end > 0 && p[end - 1] == 0)
        end--;
    p[end - 1] ^= 1; /* in the last batch */
    kit_file_write(journal, p, n);
    struct recover_options o = options(0);
    refused(&o, WW_EDAMAGED, journal);
    move(kit_path("state/journal"), kit_path("aside"));
    refused(&o, WW_EDAMAGED, "there is none");
    kit_remove(kit_path("state/journal"));
    move(kit_path("aside"), kit_path("state/journal"));
    /* the operator accepts the loss: subscribers, whose cursors may lie behind the end, must begin again */
    uint8_t *id = kit_file_read(kit_path("state/journal/store"), &n);
    o.rebuild = true;
    struct recovered r = must_recover(&o);
    assert_int_equal(journal_last(r.journal), world.number - 20);
    uint8_t *now = kit_file_read(kit_path("state/journal/store"), &n);
    assert_memory_not_equal(now, id, n);
    free(now);
    free(id);
    recover_close(&r);
    free(p);
}

static void a_damaged_view(void **state)
{
    (void)state;
    char rubbish[8192];
    memset(rubbish, 'x', sizeof rubbish);
    a_store(6);
    kit_file_write(kit_path("state/view/data.mdb"), rubbish, sizeof rubbish);
    struct recover_options o = options(0);
    refused(&o, WW_EDAMAGED, "--rebuild");
    kit_file_write(kit_path("state/view/data.mdb"), rubbish, 0);
    refused(&o, WW_EDAMAGED, "--rebuild");
    o.rebuild = true;
    struct recovered r = must_recover(&o);
    same_as_world(&r);
    recover_close(&r);
}

/* As after a restore: the journal has a new id, the view the old one, and all is well. */
static void a_new_store_id(void **state)
{
    (void)state;
    a_store(6);
    unlink(kit_path("state/journal/store"));
    struct recover_options o = options(0);
    struct recovered r = must_recover(&o);
    assert_int_equal(r.folded, 0);
    same_as_world(&r);
    recover_close(&r);
}

/* Says in the view's file that another version folded it. */
static void other_fold_version(const uint8_t store_id[STORE_ID_LEN])
{
    static const char key[] = "checkpoint";
    const char *file = kit_path("state/view/data.mdb");
    size_t n;
    uint8_t table = T_COUNT, *p = kit_file_read(file, &n), *at = p;
    while ((at = memmem(at, (size_t)(p + n - at), store_id, STORE_ID_LEN))) {
        uint8_t *version = at + STORE_ID_LEN, *value = at - CHAIN_LEN - 16 - 5;
        version[0]++;
        uint32_t crc =
            crc32c(crc32c(crc32c(0, &table, 1), key, sizeof key - 1), value + 4, (size_t)(version - value));
        for (int i = 0; i < 4; i++)
            value[i] = (uint8_t)(crc >> (8 * i));
        at = version;
    }
    kit_file_write(file, p, n);
    free(p);
}

static void folded_by_another_version(void **state)
{
    (void)state;
    uint8_t id[STORE_ID_LEN];
    struct view_meta m;
    struct err err;
    a_store(6);
    struct recover_options o = options(0);
    struct recovered r = must_recover(&o);
    memcpy(id, journal_store_id(r.journal), sizeof id);
    recover_close(&r);
    other_fold_version(id);
    assert_int_equal(recover_meta(state_dir, &m, &err), 0);
    assert_int_equal(m.fold_version, FOLD_VERSION + 1);
    r = must_recover(&o);
    assert_true(r.rebuilt);
    assert_int_equal(r.folded, world.number);
    assert_memory_not_equal(journal_store_id(r.journal), id, sizeof id); /* other events, perhaps */
    same_as_world(&r);
    recover_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_store),
        cmocka_unit_test(killed_again_and_again),
        cmocka_unit_test(rebuilt_equals),
        cmocka_unit_test(verify_folds_too),
        cmocka_unit_test(a_difference_is_found),
        cmocka_unit_test(a_view_of_another_journal),
        cmocka_unit_test(a_view_ahead_of_the_journal),
        cmocka_unit_test(a_damaged_view),
        cmocka_unit_test(a_new_store_id),
        cmocka_unit_test(folded_by_another_version),
    };
    world_init(&world, NULL);
    int failures = cmocka_run_group_tests_name("recover", tests, kit_setup, kit_teardown);
    world_finish(&world);
    return failures;
}
