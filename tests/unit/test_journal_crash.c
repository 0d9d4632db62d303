/* SPDX-License-Identifier: Apache-2.0 */
/* store/journal when the power fails or the disk does.
 *
 * Power: all that reaches the disk is recorded through the seam. At every moment of the recording the disk
 * may hold what was synced and any part, in sectors, of what was not. Each such image is opened: it must have
 * all that was acknowledged, at most the one batch in flight besides, every byte right, and go on from there.
 * Disk: each call in turn fails; what is told is told rightly, and the next start has all that was
 * acknowledged. */
#include "store/journal.h"

#include "test.h"

#include "store/segment.h"
#include "tests/unit/store_kit.h"

enum { SECTOR = 512, FILE_MOST = 32 << 10, EVENTS_MOST = 1000, FILES_MOST = 32, PIECES_MOST = 256 };

/* ---- recording ---- */

enum what { CREATED, WROTE, SYNCED, RENAMED, DIR_SYNCED };

static struct event {
    enum what what;
    ino_t file;
    uint64_t at;
    size_t n;
    uint8_t *data;
    uint64_t segment;        /* RENAMED: first number */
    uint64_t acked, written; /* last entry acknowledged, last entry appended, when it happened */
} events[EVENTS_MOST];
static size_t n_events;
static uint64_t acked, written;

static struct event *record(enum what what, int fd)
{
    struct stat st;
    assert_true(n_events < EVENTS_MOST);
    struct event *e = &events[n_events++];
    *e = (struct event){.what = what, .acked = acked, .written = written};
    if (fd >= 0 && fstat(fd, &st) == 0)
        e->file = st.st_ino;
    return e;
}

static ssize_t rec_pwrite(int fd, const void *p, size_t n, off_t at)
{
    struct event *e = record(WROTE, fd);
    e->at = (uint64_t)at;
    e->n = n;
    e->data = mem_alloc(n + 1);
    memcpy(e->data, p, n);
    return pwrite(fd, p, n, at);
}

static int rec_fdatasync(int fd)
{
    record(SYNCED, fd);
    return 0;
}

static int rec_fallocate(int fd, off_t from, off_t n)
{
    record(CREATED, fd);
    return posix_fallocate(fd, from, n);
}

static int rec_fsync(int fd)
{
    record(DIR_SYNCED, fd);
    return 0;
}

static int rec_rename(const char *from, const char *to)
{
    struct stat st;
    const char *name = strrchr(to, '/') + 1;
    if (strstr(name, ".seg") && stat(from, &st) == 0) {
        struct event *e = record(RENAMED, -1);
        e->file = st.st_ino;
        e->segment = strtoull(name, NULL, 10);
    }
    return rename(from, to);
}

static const struct journal_io recorder = {.pwrite = rec_pwrite,
                                           .fdatasync = rec_fdatasync,
                                           .fallocate = rec_fallocate,
                                           .fsync = rec_fsync,
                                           .rename = rec_rename};

static void forget_events(void)
{
    for (size_t i = 0; i < n_events; i++)
        free(events[i].data);
    n_events = 0;
}

/* ---- the disk as it may be found ---- */

struct piece {
    struct model *file;
    uint64_t at;
    size_t n;
    const uint8_t *data;
};

static struct model {
    ino_t ino;
    uint64_t segment, segment_unsynced; /* its name on the disk, and the one it is getting; 0: none */
    uint8_t durable[FILE_MOST], image[FILE_MOST];
    size_t size;
} models[FILES_MOST];
static size_t n_models;

static struct piece pieces[PIECES_MOST]; /* not synced */
static size_t n_pieces;

static struct model *model_of(ino_t ino)
{
    for (size_t i = n_models; i-- > 0;)
        if (models[i].ino == ino)
            return &models[i];
    return NULL;
}

/* Sectors of zeros into zeros change nothing and are left out. */
static void add_pieces(struct model *m, const struct event *e)
{
    for (uint64_t at = e->at, end = e->at + e->n, next; at < end; at = next) {
        next = (at / SECTOR + 1) * SECTOR < end ? (at / SECTOR + 1) * SECTOR : end;
        const uint8_t *data = e->data + (at - e->at);
        if (memcmp(m->durable + at, data, next - at) == 0)
            continue;
        assert_true(n_pieces < PIECES_MOST);
        pieces[n_pieces++] = (struct piece){m, at, next - at, data};
    }
}

static void settle(struct model *m)
{
    size_t kept = 0;
    for (size_t i = 0; i < n_pieces; i++)
        if (pieces[i].file == m)
            memcpy(m->durable + pieces[i].at, pieces[i].data, pieces[i].n);
        else
            pieces[kept++] = pieces[i];
    n_pieces = kept;
}

static void happen(const struct event *e)
{
    struct model *m = model_of(e->file);
    switch (e->what) {
    case CREATED:
        assert_true(n_models < FILES_MOST);
        m = &models[n_models++];
        *m = (struct model){.ino = e->file, .size = KIT_SEGMENT};
        break;
    case WROTE:
        if (m)
            add_pieces(m, e);
        break;
    case SYNCED:
        if (m)
            settle(m);
        break;
    case RENAMED:
        m->segment_unsynced = e->segment;
        break;
    case DIR_SYNCED:
        for (size_t i = 0; i < n_models; i++)
            if (models[i].segment_unsynced)
                models[i].segment = models[i].segment_unsynced;
        break;
    }
}

/* The image that has the pieces of the subset and, if `named`, the name that is not synced. */
static void make_image(const char *dir, const bool *subset, bool named)
{
    char name[SEGMENT_NAME_LEN], path[600];
    kit_remove(dir);
    mkdir(dir, 0700);
    for (size_t i = 0; i < n_models; i++)
        memcpy(models[i].image, models[i].durable, FILE_MOST);
    for (size_t i = 0; i < n_pieces; i++)
        if (subset[i])
            memcpy(pieces[i].file->image + pieces[i].at, pieces[i].data, pieces[i].n);
    for (size_t i = 0; i < n_models; i++) {
        uint64_t segment =
            named && models[i].segment_unsynced ? models[i].segment_unsynced : models[i].segment;
        if (segment == 0)
            continue;
        segment_name(name, segment);
        snprintf(path, sizeof path, "%s/%s", dir, name);
        kit_file_write(path, models[i].image, models[i].size);
    }
}

static size_t images;

static void check_image(const char *dir, const struct event *e)
{
    struct journal *j;
    struct err err;
    struct journal_options o = {
        .segment_bytes = KIT_SEGMENT, .io = &kit_fast_io, .no_thread = true, .checkpoint = e->acked};
    images++;
    if (journal_open(&j, dir, &o, &err) != 0)
        fail_msg("acked %d, written %d: %s", (int)e->acked, (int)e->written, err.msg);
    uint64_t last = journal_last(j);
    if (last != e->acked && last != e->written)
        fail_msg("acked %d, written %d, found %d", (int)e->acked, (int)e->written, (int)last);
    kit_write(j, 3);
    journal_close(j);
    assert_int_equal(kit_read(dir, 1, true), last + 3);
}

static void each_image(const char *dir, const struct event *e,
                       void (*check)(const char *, const struct event *))
{
    bool subset[PIECES_MOST];
    bool renaming = false;
    for (size_t i = 0; i < n_models; i++)
        renaming = renaming || (models[i].segment_unsynced && !models[i].segment);
    uint32_t n = n_pieces <= 5 ? 1u << n_pieces : 60;
    for (uint32_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n_pieces; i++)
            subset[i] = n_pieces <= 5 ? k >> i & 1
                        : k == 0      ? false
                        : k == 1      ? true
                        : k < 12      ? i < k * n_pieces / 12
                                      : kit_random(2);
        for (int named = 0; named <= renaming; named++) {
            make_image(dir, subset, named);
            check(dir, e);
        }
    }
}

/* Plays the recording and checks the disk as it may be after each event. */
static void play(const char *dir, void (*check)(const char *, const struct event *))
{
    for (size_t i = 0; i < n_events; i++) {
        happen(&events[i]);
        if (events[i].what != CREATED && events[i].what != DIR_SYNCED)
            each_image(dir, &events[i], check);
    }
}

static void append_recorded(struct journal *j, size_t n)
{
    struct err err;
    written = journal_last(j) + n; /* from the first byte of it on it may be found */
    assert_int_equal(kit_append(j, n, &err), 0);
    assert_int_equal(journal_sync(j, &err), 0);
    acked = written;
}

static void power_fails(void **state)
{
    (void)state;
    struct journal *j = kit_open(kit_path("recorded"), KIT_SEGMENT, &recorder);
    static const size_t batches[] = {1, 1, 7, 30, 1, 12, 40, 2, 60, 1, 25, 1, 3, 35, 1};
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        append_recorded(j, batches[i]);
    journal_close(j);
    n_models = n_pieces = images = 0;
    play(kit_path("image"), check_image);
    assert_true(images > 300);
    forget_events();
}

/* ---- the power fails again while the first failure is mended ---- */

/* The image in dir, as files of a disk on which all is synced. */
static void model_image(const char *dir)
{
    uint64_t *firsts;
    size_t n, size;
    struct err err;
    struct stat st;
    char path[600], name[SEGMENT_NAME_LEN];
    assert_int_equal(segment_list(dir, &firsts, &n, &err), 0);
    n_pieces = 0;
    for (n_models = 0; n_models < n; n_models++) {
        struct model *m = &models[n_models];
        segment_name(name, firsts[n_models]);
        snprintf(path, sizeof path, "%s/%s", dir, name);
        uint8_t *p = kit_file_read(path, &size);
        assert_int_equal(stat(path, &st), 0);
        *m = (struct model){.ino = st.st_ino, .segment = firsts[n_models], .size = size};
        memcpy(m->durable, p, size);
        free(p);
    }
    free(firsts);
}

/* Opens the image and goes on, all of it recorded. */
static void record_mending(const char *dir, uint64_t first_acked, uint64_t first_written)
{
    n_events = 0;
    acked = first_acked;
    written = first_written;
    struct journal *j = kit_open(dir, KIT_SEGMENT, &recorder);
    acked = journal_last(j);
    assert_true(acked == first_acked || acked == first_written);
    append_recorded(j, 2);
    append_recorded(j, 50);
    journal_close(j);
}

/* One in eleven images is mended under a recorder of its own, and that recording played. */
static void mend_image(const char *dir, const struct event *e)
{
    static struct event outer_events[EVENTS_MOST];
    static struct model outer_models[FILES_MOST];
    static struct piece outer_pieces[PIECES_MOST];
    static int turn;
    size_t n[3] = {n_events, n_models, n_pieces};
    if (turn++ % 11 != 0)
        return;
    memcpy(outer_events, events, sizeof events);
    memcpy(outer_models, models, sizeof models);
    memcpy(outer_pieces, pieces, sizeof pieces);
    struct event now = *e;
    model_image(dir);
    record_mending(dir, now.acked, now.written);
    play(kit_path("again"), check_image);
    forget_events();
    memcpy(events, outer_events, sizeof events);
    memcpy(models, outer_models, sizeof models);
    memcpy(pieces, outer_pieces, sizeof pieces);
    n_events = n[0];
    n_models = n[1];
    n_pieces = n[2];
}

static void power_fails_twice(void **state)
{
    (void)state;
    acked = written = 0;
    struct journal *j = kit_open(kit_path("recorded twice"), KIT_SEGMENT, &recorder);
    static const size_t batches[] = {5, 40, 1, 60};
    for (size_t i = 0; i < ARRAY_LEN(batches); i++)
        append_recorded(j, batches[i]);
    journal_close(j);
    n_models = n_pieces = images = 0;
    play(kit_path("image"), mend_image);
    assert_true(images > 100);
    forget_events();
}

/* A process that was killed leaves its last batch in the page cache, perhaps nowhere else: before the next one believes
 * it, it is written once more and synced. */
static void written_again_at_start(void **state)
{
    (void)state;
    const char *dir = kit_path("again at start");
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    kit_write(j, 5);
    uint64_t at = KIT_SEGMENT - journal_room(j);
    kit_write(j, 4);
    uint64_t end = KIT_SEGMENT - journal_room(j);
    journal_close(j);
    n_events = 0;
    j = kit_open(dir, KIT_SEGMENT, &recorder);
    journal_close(j);
    assert_true(n_events >= 2);
    assert_true(events[0].what == WROTE && events[0].at == at && events[0].n == end - at);
    assert_true(events[1].what == SYNCED && events[1].file == events[0].file);
    forget_events();
}

/* ---- the disk fails ---- */

static struct {
    uint64_t calls, at; /* the call that fails */
    int error;          /* 0: it writes half and says so */
    bool for_good;      /* all that follow fail too */
} fault;

static bool failing(void)
{
    fault.calls++;
    return fault.calls == fault.at || (fault.for_good && fault.calls > fault.at);
}

static ssize_t bad_pwrite(int fd, const void *p, size_t n, off_t at)
{
    if (!failing())
        return pwrite(fd, p, n, at);
    if (pwrite(fd, p, (n + 1) / 2, at) < 0)
        return -1;
    if (fault.error == 0)
        return (ssize_t)(n + 1) / 2;
    errno = fault.error; /* and half of it is there nevertheless */
    return -1;
}

static int bad_sync(int fd)
{
    (void)fd;
    if (fault.error == 0 || !failing())
        return 0;
    errno = fault.error;
    return -1;
}

static int bad_fallocate(int fd, off_t from, off_t n)
{
    return fault.error == 0 || !failing() ? posix_fallocate(fd, from, n) : fault.error;
}

static int bad_rename(const char *from, const char *to)
{
    if (fault.error == 0 || !failing())
        return rename(from, to);
    errno = fault.error;
    return -1;
}

static const struct journal_io bad_disk = {.pwrite = bad_pwrite,
                                           .fdatasync = bad_sync,
                                           .fallocate = bad_fallocate,
                                           .fsync = bad_sync,
                                           .rename = bad_rename};

static void right_code(int rc, const struct err *err)
{
    assert_int_equal(err->code, rc);
    assert_true(rc == WW_EIO || (rc == WW_EFULL && fault.error == ENOSPC));
    assert_true(strlen(err->msg) > 40);
}

/* Appends as the writer thread does: a full disk is tried again, all else ends it. */
static void work(struct journal *j)
{
    static const size_t batches[] = {3, 40, 1, 60, 2, 50, 1};
    struct err err;
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(batches) && rc == 0; i++) {
        written = acked + batches[i];
        for (int tries = 0; tries < 3; tries++) {
            rc = kit_append(j, tries ? 1 : batches[i], &err); /* another batch than the one that failed */
            if (rc == 0 && tries > 0)
                written = acked + 1;
            if (rc != 0)
                right_code(rc, &err);
            if (rc != WW_EFULL)
                break;
        }
        if (rc == 0 && (rc = journal_sync(j, &err)) == 0)
            acked = written;
        else if (rc != 0 && rc != WW_EFULL)
            assert_int_equal(rc, WW_EIO);
    }
    if (rc == WW_EIO) { /* it stays refused */
        assert_int_equal(kit_append(j, 1, &err), WW_EIO);
        assert_int_equal(journal_sync(j, &err), WW_EIO);
    } else if (acked > 60) {
        rc = journal_forget(j, 3, &err);
        assert_true(rc == 0 || rc == WW_EIO || rc == WW_EFULL || rc == WW_EAGAIN);
    }
}

/* False: the fault did not come, all calls are through. */
static bool one_fault(const char *dir, uint64_t at, int error, bool for_good)
{
    struct journal *j;
    struct err err;
    struct journal_options o = {.segment_bytes = KIT_SEGMENT, .io = &bad_disk, .no_thread = true};
    kit_remove(dir);
    acked = written = 0;
    fault.calls = 0;
    fault.at = at;
    fault.error = error;
    fault.for_good = for_good;
    int rc = journal_open(&j, dir, &o, &err);
    if (rc == 0)
        work(j);
    else
        right_code(rc, &err);
    journal_close(j);
    j = kit_open(dir, KIT_SEGMENT, NULL);
    uint64_t last = journal_last(j);
    if (last != acked && last != written)
        fail_msg("call %d, error %d: acked %d, written %d, found %d", (int)at, error, (int)acked,
                 (int)written, (int)last);
    kit_write(j, 2);
    journal_close(j);
    struct journal_reader *r;
    struct journal_batch b;
    rc = journal_reader_open(&r, dir, 1, &err);
    while (rc >= 0 && (rc = journal_reader_next(r, &b, &err)) > 0)
        for (size_t i = 0; i < b.n; i++)
            kit_same_entry(b.first + i, &b.entries[i], b.entries[i].erasable.n > 0 || b.first + i != 3);
    assert_int_equal(rc, 0);
    journal_reader_close(r);
    return fault.calls >= at;
}

static void disk_fails(void **state)
{
    (void)state;
    static const struct {
        int error;
        bool for_good;
    } t[] = {{EIO, false}, {EIO, true}, {ENOSPC, false}, {ENOSPC, true}, {0, false}};
    const char *dir = kit_path("bad");
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        uint64_t at = 1;
        while (one_fault(dir, at, t[i].error, t[i].for_good))
            at++;
        assert_true(at > 10);
        if (!t[i].for_good)
            assert_true(acked >= 157 - 60); /* without a fault all of it goes through */
    }
}

/* No space for the next segment: nothing is lost, and all goes on when there is some. */
static void disk_full_for_a_while(void **state)
{
    (void)state;
    const char *dir = kit_path("full");
    struct err err;
    fault.at = fault.calls = 0;
    fault.for_good = false;
    struct journal *j = kit_open(dir, KIT_SEGMENT, &bad_disk);
    while (journal_room(j) > 4000)
        kit_write(j, 10);
    uint64_t before = journal_last(j);
    fault.error = ENOSPC;
    fault.calls = 1;
    fault.for_good = true; /* call 0 was long ago: from now on all fail */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(kit_append(j, 60, &err), WW_EFULL);
        assert_non_null(strstr(err.msg, "retention"));
        assert_int_equal(journal_prepare(j, &err), WW_EFULL);
    }
    fault.for_good = false;
    kit_write(j, 60);
    assert_int_equal(journal_last(j), before + 60);
    journal_close(j);
    assert_int_equal(kit_read(dir, 1, true), before + 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_fails),
        cmocka_unit_test(power_fails_twice),
        cmocka_unit_test(written_again_at_start),
        cmocka_unit_test(disk_fails),
        cmocka_unit_test(disk_full_for_a_while),
    };
    return cmocka_run_group_tests_name("journal_crash", tests, kit_setup, kit_teardown);
}
