/* SPDX-License-Identifier: Apache-2.0 */
/* Whole writes through the seam; see disk.h. */
#include "store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mem.h"

enum { ZERO_CHUNK = 1 << 20 };

static int real_fallocate(int fd, off_t from, off_t n)
{
    return posix_fallocate(fd, from, n);
}

struct journal_io disk_io(const struct journal_io *io)
{
    struct journal_io all = io ? *io : (struct journal_io){0};
    if (!all.pwrite)
        all.pwrite = pwrite;
    if (!all.fdatasync)
        all.fdatasync = fdatasync;
    if (!all.fallocate)
        all.fallocate = real_fallocate;
    if (!all.fsync)
        all.fsync = fsync;
    if (!all.rename)
        all.rename = rename;
    return all;
}

int disk_write(const struct journal_io *io, int fd, const void *p, size_t n, uint64_t at)
{
    const uint8_t *from = p;
    while (n > 0) {
        ssize_t w = io->pwrite(fd, from, n, (off_t)at);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return w < 0 ? errno : EIO;
        from += w;
        at += (uint64_t)w;
        n -= (size_t)w;
    }
    return 0;
}

int disk_zero(const struct journal_io *io, int fd, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[ZERO_CHUNK];
    int e = 0;
    while (from < to && e == 0) {
        size_t n = to - from < ZERO_CHUNK ? (size_t)(to - from) : ZERO_CHUNK;
        e = disk_write(io, fd, zeros, n, from);
        from += n;
    }
    return e;
}

/* Not repeated on EINTR or anything else: a failed sync may have dropped what it should have written. */
int disk_sync(const struct journal_io *io, int fd)
{
    return io->fdatasync(fd) == 0 ? 0 : errno;
}

int disk_sync_dir(const struct journal_io *io, const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int e = io->fsync(fd) == 0 ? 0 : errno;
    close(fd);
    return e;
}

static char *join(const char *a, const char *b, const char *c)
{
    size_t na = strlen(a), nb = strlen(b), nc = strlen(c);
    char *s = mem_alloc(na + nb + nc + 1);
    memcpy(s, a, na);
    memcpy(s + na, b, nb);
    memcpy(s + na + nb, c, nc + 1);
    return s;
}

static int write_new(const struct journal_io *io, const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int e = disk_write(io, fd, p, n, 0);
    if (e == 0)
        e = disk_sync(io, fd);
    close(fd);
    return e;
}

int disk_replace(const struct journal_io *io, const char *dir, const char *name, const void *p, size_t n)
{
    char *path = disk_path(dir, name), *temp = join(path, "", ".new");
    int e = write_new(io, temp, p, n);
    if (e == 0 && io->rename(temp, path) != 0)
        e = errno;
    if (e != 0)
        unlink(temp);
    else
        e = disk_sync_dir(io, dir);
    free(temp);
    free(path);
    return e;
}

int disk_error(struct err *err, int errnum, const char *what, const char *file)
{
    if (errnum == ENOSPC || errnum == EDQUOT)
        return err_set(err, WW_EFULL, "journal: cannot %s %s: no space left; free space or lower 'retention'",
                       what, file);
    const char *advice = errnum == EACCES || errnum == EPERM || errnum == EROFS
                             ? "give the daemon's user the right to write there"
                             : "check the disk and the kernel's log, then start again";
    return err_set(err, WW_EIO, "journal: cannot %s %s: %s; %s", what, file, strerror(errnum), advice);
}

char *disk_path(const char *dir, const char *name)
{
    return join(dir, "/", name);
}
