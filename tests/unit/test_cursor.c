/* SPDX-License-Identifier: Apache-2.0 */
/* lib/cursor: a position is durable, survives a crash in any byte of a write, and damage is said, never
 * passed over. */
#include "lib/cursor.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_SIZE = 1024 };

static char directory[] = "/tmp/ww-cursor-XXXXXX";
static char path[64];

static void put(const char *store, uint64_t seq)
{
    struct cursor *c;
    struct err err;
    assert_int_equal(cursor_open(&c, path, &err), 0);
    assert_int_equal(cursor_put(c, store, seq, &err), 0);
    cursor_close(c);
}

static void read_file(char out[FILE_SIZE])
{
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, out, FILE_SIZE), FILE_SIZE);
    close(fd);
}

static void write_file(const char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, p, n), n);
    close(fd);
}

static int fresh(void **state)
{
    (void)state;
    unlink(path);
    cursor_io = (struct cursor_io){pwrite, fdatasync};
    return 0;
}

static void a_new_cursor_has_no_position(void **state)
{
    (void)state;
    struct cursor *c;
    struct err err;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cursor_open(&c, path, &err), 0);
        assert_false(cursor_has(c));
        assert_string_equal(cursor_store(c), "");
        cursor_close(c);
    }
}

static void the_last_position_is_kept(void **state)
{
    (void)state;
    struct cursor *c;
    struct err err;
    for (uint64_t i = 0; i < 5; i++) {
        put(i < 3 ? "store-a" : "store-b", i * 1000);
        assert_int_equal(cursor_open(&c, path, &err), 0);
        assert_true(cursor_has(c));
        assert_string_equal(cursor_store(c), i < 3 ? "store-a" : "store-b");
        assert_int_equal(cursor_seq(c), i * 1000);
        cursor_close(c);
    }
    assert_int_equal(cursor_open(&c, path, &err), 0);
    assert_int_equal(cursor_put(c, "s", UINT64_MAX, &err), 0);
    cursor_close(c);
    assert_int_equal(cursor_open(&c, path, &err), 0);
    assert_true(cursor_seq(c) == UINT64_MAX);
    cursor_close(c);
}

/* However much of a write reached the disk, the file holds the old position or the new one. */
static void a_torn_write_keeps_the_old_position(void **state)
{
    (void)state;
    char before[FILE_SIZE], after[FILE_SIZE], torn[FILE_SIZE];
    struct cursor *c;
    struct err err;
    for (int round = 0; round < 2; round++) { /* each slot once */
        put("0123456789abcdef", 41 + (uint64_t)round);
        read_file(before);
        put("0123456789abcdef", 42 + (uint64_t)round);
        read_file(after);
        size_t at = memcmp(before, after, FILE_SIZE / 2) ? 0 : FILE_SIZE / 2;
        for (size_t n = 0; n <= FILE_SIZE / 2; n++) {
            memcpy(torn, before, FILE_SIZE);
            memcpy(torn + at, after + at, n);
            write_file(torn, FILE_SIZE);
            assert_int_equal(cursor_open(&c, path, &err), 0);
            bool whole = memcmp(torn, after, FILE_SIZE) == 0;
            assert_int_equal(cursor_seq(c), 41 + round + whole);
            cursor_close(c);
        }
        write_file(after, FILE_SIZE);
    }
}

/* A crash while the slot is written leaves the other one, and the next write goes to the spoiled slot again.
 */
static void a_spoiled_slot_is_written_over(void **state)
{
    (void)state;
    char slots[FILE_SIZE];
    struct cursor *c;
    struct err err;
    put("s", 7);
    read_file(slots);
    for (size_t at = 0; at < FILE_SIZE; at += FILE_SIZE / 2) {
        char bad[FILE_SIZE];
        memcpy(bad, slots, FILE_SIZE);
        memset(bad + at, 0, FILE_SIZE / 2);
        write_file(bad, FILE_SIZE);
        if (cursor_open(&c, path, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(cursor_put(c, "s", 8, &err), 0);
        cursor_close(c);
        assert_int_equal(cursor_open(&c, path, &err), 0);
        assert_int_equal(cursor_seq(c), 8);
        cursor_close(c);
    }
}

static void damage_is_said(void **state)
{
    (void)state;
    char slots[FILE_SIZE];
    struct cursor *c;
    struct err err;
    put("s", 7);
    read_file(slots);
    static const size_t lengths[] = {0, 1, FILE_SIZE / 2, FILE_SIZE - 1};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        write_file(slots, lengths[i]);
        assert_int_equal(cursor_open(&c, path, &err), WW_EDAMAGED);
        assert_null(c);
        assert_non_null(strstr(err.msg, path));
        assert_non_null(strstr(err.msg, "delete it"));
    }
    /* any one byte wrong in both slots */
    for (size_t i = 0; i < FILE_SIZE / 2; i++) {
        char bad[FILE_SIZE];
        memcpy(bad, slots, FILE_SIZE);
        bad[i] ^= 1;
        bad[FILE_SIZE / 2 + i] ^= 1;
        write_file(bad, FILE_SIZE);
        assert_int_equal(cursor_open(&c, path, &err), WW_EDAMAGED);
    }
    static const char text[] = "0123456789";
    write_file(text, sizeof text);
    assert_int_equal(cursor_open(&c, path, &err), WW_EDAMAGED);
}

static void only_one_reader(void **state)
{
    (void)state;
    struct cursor *c, *other;
    struct err err;
    assert_int_equal(cursor_open(&c, path, &err), 0);
    assert_int_equal(cursor_open(&other, path, &err), WW_ELOCKED);
    cursor_close(c);
    assert_int_equal(cursor_open(&other, path, &err), 0);
    cursor_close(other);
}

static void ids_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "-",
                                      "a b",
                                      "a\n",
                                      "\xe4\xb8\xad",
                                      "12345678901234567890123456789012345678901234567890123456789012345"};
    struct cursor *c;
    struct err err;
    assert_int_equal(cursor_open(&c, path, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(cursor_put(c, bad[i], 1, &err), WW_EUSAGE);
    assert_int_equal(cursor_put(c, bad[5] + 1, 1, &err), 0);
    cursor_close(c);
}

/* ---- a disk that fails ---- */

static ssize_t full_disk(int fd, const void *p, size_t n, off_t at)
{
    (void)fd, (void)p, (void)n, (void)at;
    errno = ENOSPC;
    return -1;
}

static ssize_t one_byte(int fd, const void *p, size_t n, off_t at)
{
    return pwrite(fd, p, n ? 1 : 0, at);
}

static int no_sync(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

static void a_failing_disk(void **state)
{
    (void)state;
    struct cursor *c;
    struct err err;
    cursor_io = (struct cursor_io){full_disk, fdatasync};
    assert_int_equal(cursor_open(&c, path, &err), WW_EFULL);
    assert_int_equal(access(path, F_OK), -1);
    cursor_io = (struct cursor_io){one_byte, fdatasync};
    put("s", 1);
    assert_int_equal(cursor_open(&c, path, &err), 0);
    cursor_io = (struct cursor_io){pwrite, no_sync};
    assert_int_equal(cursor_put(c, "s", 2, &err), WW_EIO);
    assert_int_equal(cursor_seq(c), 1);
    cursor_io = (struct cursor_io){full_disk, fdatasync};
    assert_int_equal(cursor_put(c, "s", 2, &err), WW_EFULL);
    cursor_io = (struct cursor_io){pwrite, fdatasync};
    assert_int_equal(cursor_put(c, "s", 3, &err), 0);
    cursor_close(c);
    assert_int_equal(cursor_open(&c, path, &err), 0);
    assert_int_equal(cursor_seq(c), 3);
    cursor_close(c);
}

static void paths_that_cannot_be(void **state)
{
    (void)state;
    struct cursor *c;
    struct err err;
    assert_int_equal(cursor_open(&c, "/nonexistent/x/cursor", &err), WW_EIO);
    assert_int_equal(cursor_open(&c, directory, &err), WW_EIO);
    assert_int_equal(cursor_open(&c, "/dev/null", &err), WW_EIO);
}

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof path, "%s/cursor", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory); /* fails when a temporary file was left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_new_cursor_has_no_position, fresh),
        cmocka_unit_test_setup(the_last_position_is_kept, fresh),
        cmocka_unit_test_setup(a_torn_write_keeps_the_old_position, fresh),
        cmocka_unit_test_setup(a_spoiled_slot_is_written_over, fresh),
        cmocka_unit_test_setup(damage_is_said, fresh),
        cmocka_unit_test_setup(only_one_reader, fresh),
        cmocka_unit_test_setup(ids_that_are_none, fresh),
        cmocka_unit_test_setup(a_failing_disk, fresh),
        cmocka_unit_test_setup(paths_that_cannot_be, fresh),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
