/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the cursor file; its idea is in cursor.h. Any thread, one at a time. What a position means is
 * client_follow's business. */
#include "lib/cursor.h"

#include "lib/hash.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOT = 512, SLOTS = 2 };

/* "wagewarn-cursor 1", generation, store ("-": none yet), number, CRC32C of all before it */
#define LINE_FORMAT "wagewarn-cursor 1 generation=%" PRIu64 " store=%s seq=%" PRIu64 " crc="

struct cursor {
    int fd;
    char *path;
    uint64_t generation; /* of the newest good slot */
    unsigned slot;       /* where that is */
    char store[CURSOR_STORE_MAX + 1];
    uint64_t seq;
};

struct cursor_io cursor_io = {pwrite, fdatasync};

static int io_fault(struct err *err, const char *what, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? WW_EFULL : WW_EIO;
    return err_set(err, code, "cursor: cannot %s %s: %s", what, path, strerror(errno));
}

/* ---- one slot ---- */

static void write_slot(char out[SLOT], uint64_t generation, const char *store, uint64_t seq)
{
    memset(out, ' ', SLOT);
    int n = snprintf(out, SLOT, LINE_FORMAT, generation, *store ? store : "-", seq);
    uint32_t crc = crc32c(0, out, (size_t)n);
    n += snprintf(out + n, (size_t)(SLOT - n), "%08" PRIx32, crc);
    out[n] = ' ';
    out[SLOT - 1] = '\n';
}

/* The slot is written again from what was read and compared: no second parser of the same text. */
static bool read_slot(const char in[SLOT], struct cursor *out)
{
    char text[SLOT + 1], store[CURSOR_STORE_MAX + 1], again[SLOT];
    uint64_t generation, seq;
    memcpy(text, in, SLOT);
    text[SLOT] = 0;
    /* what does not fit is not written the same again: NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(text, "wagewarn-cursor 1 generation=%20" SCNu64 " store=%64s seq=%20" SCNu64 " ", &generation,
               store, &seq) != 3)
        return false;
    if (strcmp(store, "-") == 0)
        store[0] = 0;
    write_slot(again, generation, store, seq);
    if (memcmp(again, in, SLOT) != 0)
        return false;
    out->generation = generation;
    out->seq = seq;
    memcpy(out->store, store, sizeof store);
    return true;
}

static int write_whole(int fd, const char *p, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t did = cursor_io.pwrite(fd, p, n, at);
        if (did < 0 && errno == EINTR)
            continue;
        if (did <= 0) {
            errno = did == 0 ? EIO : errno;
            return -1;
        }
        p += did;
        n -= (size_t)did;
        at += did;
    }
    return 0;
}

/* ---- the file ---- */

static int sync_directory(const char *path)
{
    char *copy = mem_strndup(path, strlen(path));
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0)
        return -1;
    int rc = fsync(fd);
    close(fd);
    return rc;
}

/* A whole file appears under its name or none does; one that another process made meanwhile is as good. */
static int make_file(const char *path, struct err *err)
{
    char slots[SLOT * SLOTS];
    write_slot(slots, 1, "", 0);
    write_slot(slots + SLOT, 0, "", 0);
    size_t n = strlen(path);
    char *temp = mem_alloc(n + 8);
    memcpy(temp, path, n);
    memcpy(temp + n, ".XXXXXX", 8);
    int rc = 0, fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0) {
        rc = io_fault(err, "create", path);
        goto no_file;
    }
    if (write_whole(fd, slots, sizeof slots, 0) != 0 || cursor_io.fdatasync(fd) != 0 ||
        (link(temp, path) != 0 && errno != EEXIST) || sync_directory(path) != 0)
        rc = io_fault(err, "create", path);
    close(fd);
    unlink(temp);
no_file:
    free(temp);
    return rc;
}

static int damaged(struct err *err, const char *path, const char *how)
{
    return err_set(err, WW_EDAMAGED,
                   "cursor: %s %s; put back a copy of it, or delete it and choose where to start again", path,
                   how);
}

static int load(struct cursor *c, struct err *err)
{
    char slots[SLOT * SLOTS + 1];
    ssize_t n = pread(c->fd, slots, sizeof slots, 0);
    if (n < 0)
        return io_fault(err, "read", c->path);
    if (n != SLOT * SLOTS)
        return damaged(err, c->path, n == 0 ? "is empty" : "has the wrong length");
    struct cursor best = {0}, one = {0};
    bool any = false;
    for (unsigned i = 0; i < SLOTS; i++) {
        if (!read_slot(slots + (size_t)i * SLOT, &one) || (any && one.generation < best.generation))
            continue;
        best = one;
        best.slot = i;
        any = true;
    }
    if (!any)
        return damaged(err, c->path, "does not check");
    c->generation = best.generation;
    c->slot = best.slot;
    c->seq = best.seq;
    memcpy(c->store, best.store, sizeof best.store);
    return 0;
}

static int open_and_lock(struct cursor *c, struct err *err)
{
    c->fd = open(c->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (c->fd < 0 && errno == ENOENT) {
        if (make_file(c->path, err) != 0)
            return err ? err->code : WW_EIO;
        c->fd = open(c->path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    }
    if (c->fd < 0)
        return io_fault(err, "open", c->path);
    struct stat st;
    if (fstat(c->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return err_set(err, WW_EIO, "cursor: %s is not a regular file", c->path);
    if (flock(c->fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, WW_ELOCKED,
                       "cursor: %s is in use by another process; give each reader its own file", c->path);
    return 0;
}

int cursor_open(struct cursor **out, const char *path, struct err *err)
{
    struct cursor *c = mem_zalloc(sizeof *c);
    c->fd = -1;
    c->path = mem_strndup(path, strlen(path));
    *out = NULL;
    int rc = open_and_lock(c, err);
    if (rc == 0)
        rc = load(c, err);
    if (rc == 0)
        *out = c;
    else
        cursor_close(c);
    return rc;
}

void cursor_close(struct cursor *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    free(c->path);
    free(c);
}

bool cursor_has(const struct cursor *c)
{
    return c->store[0] != 0;
}

const char *cursor_store(const struct cursor *c)
{
    return c->store;
}

uint64_t cursor_seq(const struct cursor *c)
{
    return c->seq;
}

bool cursor_store_ok(const char *s)
{
    size_t n = 0;
    for (; s[n]; n++)
        if (s[n] <= ' ' || s[n] > '~')
            return false;
    return n >= 1 && n <= CURSOR_STORE_MAX && strcmp(s, "-") != 0;
}

int cursor_put(struct cursor *c, const char *store, uint64_t seq, struct err *err)
{
    char slot[SLOT];
    unsigned other = (c->slot + 1) % SLOTS;
    if (!cursor_store_ok(store))
        return err_set(err, WW_EUSAGE, "cursor: \"%.64s\" is no id of a store", store);
    write_slot(slot, c->generation + 1, store, seq);
    if (write_whole(c->fd, slot, SLOT, (off_t)other * SLOT) != 0)
        return io_fault(err, "write", c->path);
    if (cursor_io.fdatasync(c->fd) != 0)
        return io_fault(err, "sync", c->path);
    c->slot = other;
    c->generation++;
    c->seq = seq;
    memcpy(c->store, store, strlen(store) + 1);
    return 0;
}
