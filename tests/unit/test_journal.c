/* SPDX-License-Identifier: Apache-2.0 */
/* store/journal: append, sync, read back, the lock, segments following each other, damage told from a torn
 * end, notes forgotten. What crashes and failing disks do is in test_journal_crash. */
#include "store/journal.h"

#include "test.h"

#include <pthread.h>

#include "store/segment.h"
#include "tests/unit/store_kit.h"

static const char *fresh(void)
{
    static char dir[2][512];
    static unsigned turn;
    char *d = dir[turn++ % 2];
    snprintf(d, sizeof dir[0], "%s/j", kit_root);
    kit_remove(d);
    return d;
}

static int try_open(const char *dir, uint64_t checkpoint, struct err *err)
{
    struct journal *j;
    struct journal_options o = {
        .segment_bytes = KIT_SEGMENT, .io = &kit_fast_io, .no_thread = true, .checkpoint = checkpoint};
    int rc = journal_open(&j, dir, &o, err);
    journal_close(j);
    return rc;
}

static void new_store(void **state)
{
    (void)state;
    const char *dir = fresh();
    uint8_t id[STORE_ID_LEN], key[SEGMENT_KEY_LEN], chain[CHAIN_LEN], again[CHAIN_LEN];
    struct err err;
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    assert_int_equal(journal_last(j), 0);
    assert_int_equal(journal_sync(j, &err), 0); /* nothing in flight: nothing to do */
    memcpy(id, journal_store_id(j), sizeof id);
    memcpy(key, journal_key(j), sizeof key);
    assert_memory_not_equal(id, key, sizeof id);
    journal_chain(j, chain);
    journal_close(j);
    j = kit_open(dir, KIT_SEGMENT, NULL);
    assert_memory_equal(journal_store_id(j), id, sizeof id);
    assert_memory_equal(journal_key(j), key, sizeof key);
    journal_chain(j, again);
    assert_memory_equal(chain, again, sizeof chain);
    assert_int_equal(journal_chain_at(dir, 0, again, &err), 0);
    assert_memory_equal(chain, again, sizeof chain);
    assert_int_equal(journal_new_store_id(j, &err), 0);
    assert_memory_not_equal(journal_store_id(j), id, sizeof id);
    memcpy(id, journal_store_id(j), sizeof id);
    journal_close(j);
    j = kit_open(dir, KIT_SEGMENT, NULL);
    assert_memory_equal(journal_store_id(j), id, sizeof id);
    journal_close(j);
    unlink(kit_path("j/store")); /* as after a restore */
    j = kit_open(dir, KIT_SEGMENT, NULL);
    assert_memory_not_equal(journal_store_id(j), id, sizeof id);
    assert_memory_equal(journal_key(j), key, sizeof key);
    journal_close(j);
}

/* Through many segments, opened anew now and then; a batch larger than a segment has one of its own. */
static void round_trip(void **state)
{
    (void)state;
    const char *dir = fresh();
    uint8_t chain[CHAIN_LEN], at[CHAIN_LEN];
    struct err err;
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    for (int i = 0; i < 120; i++) {
        kit_write(j, i == 60 ? 400 : 1 + kit_random(40));
        if (i % 10 == 9) {
            uint64_t last = journal_last(j);
            int64_t time = journal_last_time(j);
            journal_chain(j, chain);
            journal_close(j);
            j = kit_open(dir, KIT_SEGMENT, NULL);
            assert_int_equal(journal_last(j), last);
            assert_int_equal(journal_last_time(j), time);
            journal_chain(j, at);
            assert_memory_equal(at, chain, sizeof chain);
            assert_int_equal(journal_chain_at(dir, last, at, &err), 0);
            assert_memory_equal(at, chain, sizeof chain);
        }
    }
    uint64_t last = journal_last(j), *firsts;
    size_t n;
    assert_int_equal(segment_list(dir, &firsts, &n, &err), 0);
    assert_true(n > 5);
    free(firsts);
    assert_true(journal_bytes(j) > n * SEGMENT_HEAD);
    assert_int_equal(kit_read(dir, 1, true), last);
    for (uint64_t from = 1; from <= last; from += 37)
        assert_int_equal(kit_read(dir, from, true), last);
    assert_int_equal(kit_read(dir, last + 1, true), 0); /* nothing yet */
    journal_close(j);
}

static void chain_at_batches_only(void **state)
{
    (void)state;
    const char *dir = fresh();
    uint8_t chain[CHAIN_LEN];
    struct err err;
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    kit_write(j, 3);
    kit_write(j, 2);
    journal_close(j);
    static const int want[] = {0, WW_ENOTFOUND, WW_ENOTFOUND, 0, WW_ENOTFOUND, 0, WW_ENOTFOUND};
    for (uint64_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(journal_chain_at(dir, i, chain, &err), want[i]);
}

static void one_at_a_time(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL), *ro;
    struct journal_options o = {.read_only = true};
    struct err err;
    kit_write(j, 5);
    assert_int_equal(try_open(dir, 0, &err), WW_ELOCKED);
    char pid[32];
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    assert_non_null(strstr(err.msg, pid));
    assert_int_equal(journal_open(&ro, dir, &o, &err), 0); /* reading needs no lock */
    assert_int_equal(journal_last(ro), 5);
    assert_memory_equal(journal_store_id(ro), journal_store_id(j), STORE_ID_LEN);
    journal_close(ro);
    journal_close(j);
    assert_int_equal(try_open(dir, 0, &err), 0);
}

static void nothing_there(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct journal *j;
    struct journal_reader *r;
    struct journal_options o = {.read_only = true};
    struct err err;
    assert_int_equal(journal_open(&j, dir, &o, &err), WW_ENOTFOUND);
    assert_null(j);
    assert_int_equal(access(dir, F_OK), -1);
    assert_int_equal(journal_reader_open(&r, dir, 1, &err), WW_ENOTFOUND);
    assert_null(r);
    assert_int_equal(try_open(dir, 7, &err), WW_EDAMAGED); /* the view remembers a journal that is gone */
    assert_int_equal(try_open("/nonexistent/journal", 0, &err), WW_EIO);
}

/* ---- damage ---- */

/* Three batches in one segment; `spoil` is done to byte i of the file; what must come of it is said by the
 * ranges. */
struct image {
    uint8_t *p;
    size_t n;
    char path[512];
    uint64_t at[4]; /* where the batches begin; where the last one ends */
    uint64_t notes_at[3];
};

static void an_image(struct image *im, const char *dir)
{
    struct segment *s;
    struct segment_batch b;
    struct err err;
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    kit_write(j, 3);
    kit_write(j, 4);
    kit_write(j, 2);
    journal_close(j);
    snprintf(im->path, sizeof im->path, "%s/00000000000000000001.seg", dir);
    im->p = kit_file_read(im->path, &im->n);
    assert_int_equal(segment_open(&s, dir, 1, &err), 0);
    im->at[0] = SEGMENT_HEAD;
    for (int i = 0; i < 3; i++) {
        size_t n;
        assert_int_equal(segment_batch(s, im->at[i], &b, &err), SEGMENT_GOOD);
        im->at[i + 1] = im->at[i] + b.bytes;
        im->notes_at[i] = im->at[i + 1];
        for (size_t k = b.n; k-- > 0;)
            (void)(segment_note(&b, k, &im->notes_at[i], &n) || 0);
    }
    segment_close(s);
}

static uint64_t last_of(const char *dir)
{
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    uint64_t last = journal_last(j);
    journal_close(j);
    return last;
}

static void damage_in_an_earlier_batch(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct image im;
    struct err err;
    char offset[32];
    an_image(&im, dir);
    for (uint64_t i = im.at[1]; i < im.at[2]; i++) {
        uint8_t bit = (uint8_t)(1 << kit_random(8));
        im.p[i] ^= bit;
        kit_file_write(im.path, im.p, im.n);
        if (i < im.notes_at[1]) {
            assert_int_equal(try_open(dir, 0, &err), WW_EDAMAGED);
            snprintf(offset, sizeof offset, "offset %d", (int)im.at[1]);
            assert_non_null(strstr(err.msg, offset));
            assert_non_null(strstr(err.msg, im.path));
            assert_non_null(strstr(err.msg, "wagewarn verify"));
        } else {
            assert_int_equal(try_open(dir, 9, &err), 0); /* a note is lost, no more */
        }
        im.p[i] ^= bit;
    }
    free(im.p);
}

static void damage_in_the_last_batch(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct image im;
    struct err err;
    an_image(&im, dir);
    for (uint64_t i = im.at[2]; i < im.at[3]; i++) {
        uint8_t bit = (uint8_t)(1 << kit_random(8));
        im.p[i] ^= bit;
        kit_file_write(im.path, im.p, im.n);
        assert_int_equal(try_open(dir, 8, &err), WW_EDAMAGED); /* the view has seen it: no torn end */
        assert_non_null(strstr(err.msg, "entry 8"));
        assert_int_equal(last_of(dir), 7);
        assert_int_equal(kit_read(dir, 1, true), 7);
        assert_int_equal(try_open(dir, 7, &err), 0);
        struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
        kit_write(j, 2);
        journal_close(j);
        assert_int_equal(kit_read(dir, 1, true), 9);
        im.p[i] ^= bit;
    }
    free(im.p);
}

/* Bytes behind the end, wherever, are dropped and the place is zero again. */
static void rubbish_behind_the_end(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct image im;
    an_image(&im, dir);
    for (uint64_t i = im.at[3]; i < im.n; i += 1 + kit_random(400)) {
        im.p[i] = 1;
        kit_file_write(im.path, im.p, im.n);
        im.p[i] = 0;
        assert_int_equal(last_of(dir), 9);
        size_t n;
        uint8_t *now = kit_file_read(im.path, &n);
        assert_int_equal(n, im.n);
        assert_memory_equal(now, im.p, n);
        free(now);
    }
    free(im.p);
}

static void cut_short(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct image im;
    struct err err;
    an_image(&im, dir);
    for (size_t n = 0; n < im.at[3] + 10; n += n < SEGMENT_HEAD - 8 ? 511 : 1) {
        uint64_t want = n >= im.at[3] ? 9 : n >= im.at[2] ? 7 : n >= im.at[1] ? 3 : 0;
        kit_file_write(im.path, im.p, n);
        if (n < SEGMENT_HEAD) {
            assert_int_equal(try_open(dir, 0, &err), WW_EDAMAGED);
            continue;
        }
        bool whole = n <= im.at[0] || n == im.at[1] || n == im.at[2] || n >= im.at[3]; /* a backup ends there */
        if (!whole) {
            assert_int_equal(try_open(dir, 0, &err), WW_EDAMAGED);
            assert_non_null(strstr(err.msg, "cut short"));
            continue;
        }
        if (want < 9)
            assert_int_equal(try_open(dir, want + 1, &err), WW_EDAMAGED);
        assert_int_equal(last_of(dir), want);
        size_t size;
        free(kit_file_read(im.path, &size));
        assert_int_equal(size, KIT_SEGMENT); /* whole again */
    }
    free(im.p);
}

/* ---- segments that do not belong together ---- */

/* Three segments at least; names in firsts. */
static size_t some_segments(const char *dir, uint64_t **firsts)
{
    size_t n;
    struct err err;
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    for (int i = 0; i < 16; i++)
        kit_write(j, 30);
    journal_close(j);
    assert_int_equal(segment_list(dir, firsts, &n, &err), 0);
    assert_true(n >= 4);
    return n;
}

static const char *seg(const char *dir, uint64_t first)
{
    static char path[2][512];
    static unsigned turn;
    char name[SEGMENT_NAME_LEN], *p = path[turn++ % 2];
    segment_name(name, first);
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static void a_segment_is_missing(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct err err;
    struct journal_reader *r;
    struct journal_batch b;
    uint64_t *firsts;
    int rc;
    size_t n = some_segments(dir, &firsts);
    rename(seg(dir, firsts[1]), kit_path("aside"));
    assert_int_equal(try_open(dir, 0, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, seg(dir, firsts[2])));
    assert_int_equal(journal_reader_open(&r, dir, 1, &err), 0);
    while ((rc = journal_reader_next(r, &b, &err)) > 0)
        ;
    assert_int_equal(rc, WW_EDAMAGED);
    journal_reader_close(r);
    rename(kit_path("aside"), seg(dir, firsts[1]));
    assert_int_equal(try_open(dir, 0, &err), 0);
    /* the oldest may go: that is retention */
    unlink(seg(dir, firsts[0]));
    assert_int_equal(try_open(dir, 0, &err), 0);
    assert_int_equal(journal_reader_open(&r, dir, 1, &err), WW_ENOTFOUND);
    assert_int_equal(kit_read(dir, firsts[1], true), 480);
    uint8_t chain[CHAIN_LEN];
    assert_int_equal(journal_chain_at(dir, firsts[1] - 1, chain, &err), 0);
    assert_int_equal(journal_chain_at(dir, firsts[1] - 2, chain, &err), WW_ENOTFOUND);
    /* the last one may not */
    unlink(seg(dir, firsts[n - 1]));
    assert_int_equal(try_open(dir, 480, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, "480"));
    free(firsts);
}

static void a_strange_segment(void **state)
{
    (void)state;
    const char *dir = fresh(), *other = kit_path("other");
    struct err err;
    uint64_t *firsts, *others;
    size_t n = some_segments(dir, &firsts), size;
    some_segments(other, &others);
    assert_int_equal(firsts[1], others[1]);
    uint8_t *theirs = kit_file_read(seg(other, others[1]), &size),
            *ours = kit_file_read(seg(dir, firsts[1]), &size);
    kit_file_write(seg(dir, firsts[1]), theirs, size);
    assert_int_equal(try_open(dir, 0, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, "another journal"));
    assert_non_null(strstr(err.msg, seg(dir, firsts[1])));
    kit_file_write(seg(dir, firsts[1]), ours, size);
    /* under a wrong name */
    rename(seg(dir, firsts[n - 1]), seg(dir, firsts[n - 1] + 1));
    assert_int_equal(try_open(dir, 0, &err), WW_EDAMAGED);
    rename(seg(dir, firsts[n - 1] + 1), seg(dir, firsts[n - 1]));
    /* of a format to come */
    ours[8] = 99;
    kit_file_write(seg(dir, firsts[1]), ours, size);
    assert_int_equal(try_open(dir, 0, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, "version 99"));
    free(ours);
    free(theirs);
    free(firsts);
    free(others);
}

/* A sealed segment that lost its last batch, or a batch within: the reader finds it, wherever it begins. */
static void damage_in_a_sealed_segment(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct err err;
    struct journal_reader *r;
    struct journal_batch b;
    uint64_t *firsts;
    size_t size;
    some_segments(dir, &firsts);
    uint8_t *p = kit_file_read(seg(dir, firsts[1]), &size);
    for (size_t from = SEGMENT_HEAD; from < size; from += 600) {
        uint8_t saved[600];
        size_t n = size - from < 600 ? size - from : 600;
        memcpy(saved, p + from, n);
        memset(p + from, 0, n);
        bool changed = memcmp(saved, p + from, n) != 0;
        kit_file_write(seg(dir, firsts[1]), p, size);
        int rc = journal_reader_open(&r, dir, 1, &err);
        while (rc >= 0 && (rc = journal_reader_next(r, &b, &err)) > 0)
            ;
        /* zeroed notes alone would pass; 600 bytes hold a head or an entry here or nothing at all */
        assert_int_equal(rc, changed ? WW_EDAMAGED : 0);
        if (changed)
            assert_non_null(strstr(err.msg, seg(dir, firsts[1])));
        journal_reader_close(r);
        memcpy(p + from, saved, n);
    }
    free(p);
    free(firsts);
}

/* ---- notes ---- */

static void forgetting(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct err err;
    struct journal_reader *r;
    struct journal_batch b;
    uint64_t *firsts, last;
    int rc;
    some_segments(dir, &firsts);
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    last = journal_last(j);
    assert_int_equal(journal_forget(j, 63, &err), 0);
    assert_int_equal(journal_forget(j, 63, &err), 0);
    assert_int_equal(journal_forget(j, 9, &err), 0);
    assert_int_equal(journal_forget(j, 4, &err), WW_ENOTFOUND); /* has no note */
    assert_int_equal(journal_forget(j, 0, &err), WW_ENOTFOUND);
    assert_int_equal(journal_forget(j, last + 1, &err), WW_ENOTFOUND);
    assert_int_equal(journal_forget(j, last, &err), WW_EAGAIN);
    journal_close(j);
    assert_int_equal(try_open(dir, last, &err), 0);
    assert_int_equal(journal_reader_open(&r, dir, 1, &err), 0);
    while ((rc = journal_reader_next(r, &b, &err)) > 0)
        for (size_t i = 0; i < b.n; i++)
            kit_same_entry(b.first + i, &b.entries[i], b.first + i != 63 && b.first + i != 9);
    assert_int_equal(rc, 0);
    journal_reader_close(r);
    size_t n;
    uint8_t *p = kit_file_read(seg(dir, 1), &n);
    assert_null(memmem(p, n, "salt-and-text-of-63", 19));
    assert_non_null(memmem(p, n, "salt-and-text-of-66", 19));
    free(p);
    free(firsts);
}

/* ---- a reader beside a writer ---- */

static void follow_by_turns(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct err err;
    struct journal_reader *r;
    struct journal_batch b;
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    assert_int_equal(journal_reader_open(&r, dir, 1, &err), 0);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(journal_reader_next(r, &b, &err), 0);
        kit_write(j, 1 + kit_random(30));
        assert_int_equal(journal_reader_next(r, &b, &err), 1);
        assert_int_equal(b.first + b.n - 1, journal_last(j));
    }
    journal_reader_close(r);
    journal_close(j);
}

enum { FOLLOWED = 6000 };

static void *write_many(void *arg)
{
    struct journal *j = arg;
    while (journal_last(j) < FOLLOWED)
        kit_write(j, 1 + journal_last(j) % 7);
    return NULL;
}

static void follow_a_thread(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct err err;
    struct journal_reader *r;
    struct journal_batch b;
    pthread_t writer;
    uint64_t last = 0;
    struct journal *j;
    struct journal_options o = {.segment_bytes = KIT_SEGMENT, .io = &kit_fast_io};
    assert_int_equal(journal_open(&j, dir, &o, &err), 0);
    assert_int_equal(journal_reader_open(&r, dir, 1, &err), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_many, j), 0);
    while (last < FOLLOWED) {
        int rc = journal_reader_next(r, &b, &err);
        if (rc < 0)
            fail_msg("%s", err.msg);
        if (rc == 0)
            continue;
        assert_int_equal(b.first, last + 1);
        for (size_t i = 0; i < b.n; i++)
            kit_same_entry(b.first + i, &b.entries[i], true);
        last += b.n;
    }
    pthread_join(writer, NULL);
    journal_reader_close(r);
    journal_close(j);
}

/* The real disk, the real size, the thread that prepares. */
static void real_segments(void **state)
{
    (void)state;
    char root[] = "/tmp/wagewarn-test-XXXXXX", dir[64], next[96], first[96];
    struct err err;
    struct journal *j;
    struct stat st;
    assert_non_null(mkdtemp(root));
    snprintf(dir, sizeof dir, "%s/j", root);
    snprintf(next, sizeof next, "%s/next.new", dir);
    snprintf(first, sizeof first, "%s/00000000000000000001.seg", dir);
    assert_int_equal(journal_open(&j, dir, NULL, &err), 0);
    kit_write(j, 10);
    assert_int_equal(journal_prepare(j, &err), 0);
    assert_int_equal(stat(next, &st), 0);
    assert_int_equal(st.st_size, SEGMENT_BYTES);
    assert_true(st.st_blocks * 512 >= SEGMENT_BYTES);
    journal_close(j);
    assert_int_equal(stat(next, &st), -1);
    assert_int_equal(stat(first, &st), 0);
    assert_int_equal(st.st_size, SEGMENT_BYTES);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(journal_open(&j, dir, NULL, &err), 0);
    assert_int_equal(journal_last(j), 10);
    journal_close(j);
    kit_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_store),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(chain_at_batches_only),
        cmocka_unit_test(one_at_a_time),
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(damage_in_an_earlier_batch),
        cmocka_unit_test(damage_in_the_last_batch),
        cmocka_unit_test(rubbish_behind_the_end),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(a_segment_is_missing),
        cmocka_unit_test(a_strange_segment),
        cmocka_unit_test(damage_in_a_sealed_segment),
        cmocka_unit_test(forgetting),
        cmocka_unit_test(follow_by_turns),
        cmocka_unit_test(follow_a_thread),
        cmocka_unit_test(real_segments),
    };
    return cmocka_run_group_tests_name("journal", tests, kit_setup, kit_teardown);
}
