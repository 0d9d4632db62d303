/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of store/ share: a folder of their own, a repeatable source of chance, batches made from it,
 * and a disk that syncs nothing (so that thousands of openings take no time). Include after test.h. */
#ifndef TESTS_STORE_KIT_H
#define TESTS_STORE_KIT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "store/journal.h"

#define KIT __attribute__((unused)) static

enum { KIT_SEGMENT = 16 << 10 };

KIT uint64_t kit_seed = 1;

KIT uint32_t kit_random(uint32_t below)
{
    kit_seed = kit_seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((kit_seed >> 33) % below);
}

KIT void kit_remove(const char *path)
{
    DIR *d = opendir(path);
    if (!d) {
        unlink(path);
        return;
    }
    for (struct dirent *e; (e = readdir(d));) {
        char sub[1024];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
        kit_remove(sub);
    }
    closedir(d);
    rmdir(path);
}

KIT char kit_root[64];

KIT int kit_setup(void **state)
{
    struct statvfs st;
    bool memory = statvfs("/dev/shm", &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize > (48 << 20);
    (void)state;
    log_open(LOG_L_ERROR);
    snprintf(kit_root, sizeof kit_root, "%s/wagewarn-test-XXXXXX", memory ? "/dev/shm" : "/tmp");
    return mkdtemp(kit_root) ? 0 : -1;
}

KIT int kit_teardown(void **state)
{
    (void)state;
    kit_remove(kit_root);
    return 0;
}

KIT const char *kit_path(const char *name)
{
    static char path[4][512];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "%s/%s", kit_root, name);
    return p;
}

KIT int kit_no_sync(int fd)
{
    (void)fd;
    return 0;
}

KIT const struct journal_io kit_fast_io = {.fdatasync = kit_no_sync, .fsync = kit_no_sync};

KIT struct journal *kit_open(const char *dir, size_t segment_bytes, const struct journal_io *io)
{
    struct journal *j;
    struct err err = {0};
    struct journal_options o = {
        .segment_bytes = segment_bytes, .io = io ? io : &kit_fast_io, .no_thread = true};
    if (journal_open(&j, dir, &o, &err) != 0)
        fail_msg("%s", err.msg);
    return j;
}

/* Entry `number` always has the same bytes, so that what is read back needs no memory of what was written. */
KIT size_t kit_body(uint64_t number, char *out, size_t cap)
{
    uint64_t x = number * UINT64_C(0x9e3779b97f4a7c15);
    size_t n = (size_t)(x >> 40) % cap;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(x >> (8 * (i % 8)) ^ i);
    return n;
}

KIT size_t kit_note(uint64_t number, char out[64])
{
    if (number % 3 != 0)
        return 0;
    return (size_t)snprintf(out, 64, "salt-and-text-of-%llu", (unsigned long long)number);
}

enum { KIT_BODY = 200 };

KIT struct journal_entry *kit_entries(struct arena *a, uint64_t first, size_t n)
{
    struct journal_entry *e = arena_zalloc(a, n * sizeof *e);
    for (size_t i = 0; i < n; i++) {
        char *body = arena_alloc(a, KIT_BODY), *note = arena_alloc(a, 64);
        e[i].body = (struct slice){body, kit_body(first + i, body, KIT_BODY)};
        size_t len = kit_note(first + i, note);
        if (len > 0)
            e[i].erasable = (struct slice){note, len};
    }
    return e;
}

/* Appends entries last+1 .. last+n without a sync. */
KIT int kit_append(struct journal *j, size_t n, struct err *err)
{
    struct arena a = {0};
    uint64_t first, want = journal_last(j) + 1;
    int rc = journal_append(j, (int64_t)want * 10, kit_entries(&a, want, n), n, &first, err);
    if (rc == 0)
        assert_int_equal(first, want);
    arena_finish(&a);
    return rc;
}

KIT void kit_write(struct journal *j, size_t n)
{
    struct err err = {0};
    if (kit_append(j, n, &err) != 0 || journal_sync(j, &err) != 0)
        fail_msg("%s", err.msg);
}

KIT void kit_same_entry(uint64_t number, const struct journal_entry *e, bool with_note)
{
    char body[KIT_BODY], note[64];
    size_t n = kit_body(number, body, sizeof body), len = with_note ? kit_note(number, note) : 0;
    assert_int_equal(e->body.n, n);
    assert_memory_equal(e->body.p, body, n);
    assert_int_equal(e->erasable.n, len);
    if (len > 0)
        assert_memory_equal(e->erasable.p, note, len);
}

/* Reads all from `from` and checks each byte; returns the last number. */
KIT uint64_t kit_read(const char *dir, uint64_t from, bool with_notes)
{
    struct journal_reader *r;
    struct journal_batch b;
    struct err err = {0};
    uint64_t last = 0;
    int rc = journal_reader_open(&r, dir, from, &err);
    while (rc >= 0 && (rc = journal_reader_next(r, &b, &err)) > 0) {
        if (last != 0)
            assert_int_equal(b.first, last + 1);
        assert_int_equal(b.time, b.first * 10);
        for (size_t i = 0; i < b.n; i++)
            kit_same_entry(b.first + i, &b.entries[i], with_notes);
        last = b.first + b.n - 1;
    }
    if (rc < 0)
        fail_msg("%s", err.msg);
    journal_reader_close(r);
    return last;
}

KIT uint8_t *kit_file_read(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    uint8_t *p = mem_alloc((size_t)st.st_size + 1);
    *n = (size_t)st.st_size;
    assert_int_equal(read(fd, p, *n), (ssize_t)*n);
    close(fd);
    return p;
}

KIT void kit_file_write(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
}

#endif
