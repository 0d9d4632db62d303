/* SPDX-License-Identifier: Apache-2.0 */
/* A library to be preloaded into a program: writes down what it does to the files below one folder (oplog.h),
 * and makes one of those calls fail. It calls the kernel itself, so it stands in front of whatever else wraps
 * these calls.
 *
 *   WAGEWARN_SHIM_ROOT   the folder, absolute, without links
 *   WAGEWARN_SHIM_LOG    the recording, appended to; without it nothing is recorded
 *   WAGEWARN_SHIM_FAIL   the number, from 1, of the call that fails
 *   WAGEWARN_SHIM_FAULT  how: EIO, ENOSPC, EINTR; SHORT: a write takes half; FULL: no room for this call and
 * all later ones
 *
 * Any thread: one lock around each record, so that records of one process never mix. */
#undef _FILE_OFFSET_BITS /* it renames these functions, and here both names are made; an off_t has 64 bits   \
                            anyway */

#include "tests/crash/oplog.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))
/* The same function under the name that a program with 64-bit offsets calls. */
#define ALSO(name, other) extern __typeof__(name) other __attribute__((alias(#name), visibility("default")))

enum { FDS = 4096, PATHS = 600, MOST_PIECES = 64 };

/* How a call fails. */
enum fault { FAULT_NONE, FAULT_ERROR, FAULT_SHORT, FAULT_FULL };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int log_fd = -1;
static const char *root;
static size_t root_len;
static unsigned long fail_at, calls; /* with the lock */
static enum fault fault;
static int fault_errno;

static struct {
    uint64_t ino; /* 0: none of ours */
    char name[64];
} files[FDS];

/* ---- the kernel ---- */

static int sys_open(int dir, const char *path, int flags, unsigned mode)
{
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

/* ---- records ---- */

static void put(enum op op, uint64_t ino, uint64_t at, const char *path, size_t npath, const struct iovec *v,
                int nv, size_t ndata)
{
    static const char zeros[OP_ALIGN];
    size_t bytes = sizeof(struct op_head) + npath + ndata, pad = -bytes % OP_ALIGN;
    struct op_head h = {.size = (uint32_t)(bytes + pad),
                        .op = (uint8_t)op,
                        .npath = (uint16_t)npath,
                        .ndata = (uint32_t)ndata,
                        .process = (uint32_t)getpid(),
                        .ino = ino,
                        .at = at};
    struct iovec all[MOST_PIECES + 3] = {{&h, sizeof h}, {(char *)(uintptr_t)path, npath}};
    int n = 2;
    for (size_t left = ndata; left > 0 && nv > 0; v++, nv--, n++) {
        all[n] = *v;
        if (all[n].iov_len > left)
            all[n].iov_len = left;
        left -= all[n].iov_len;
    }
    all[n++] = (struct iovec){(char *)(uintptr_t)zeros, pad};
    if (log_fd >= 0 && syscall(SYS_writev, log_fd, all, n) != (long)h.size)
        abort(); /* a recording with a hole proves nothing */
}

static void record(enum op op, uint64_t ino, uint64_t at, const char *path, size_t npath)
{
    int before = errno;
    pthread_mutex_lock(&lock);
    put(op, ino, at, path, npath, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    errno = before;
}

static void record_data(enum op op, uint64_t ino, uint64_t at, const struct iovec *v, int nv, size_t n)
{
    int before = errno;
    pthread_mutex_lock(&lock);
    put(op, ino, at, NULL, 0, v, nv, n);
    pthread_mutex_unlock(&lock);
    errno = before;
}

static uint64_t ino_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void begin(void)
{
    static const struct {
        const char *name;
        enum fault fault;
        int error;
    } faults[] = {{"EIO", FAULT_ERROR, EIO},
                  {"ENOSPC", FAULT_ERROR, ENOSPC},
                  {"EINTR", FAULT_ERROR, EINTR},
                  {"SHORT", FAULT_SHORT, 0},
                  {"FULL", FAULT_FULL, ENOSPC}};
    const char *path = getenv("WAGEWARN_SHIM_LOG"), *at = getenv("WAGEWARN_SHIM_FAIL"),
               *how = getenv("WAGEWARN_SHIM_FAULT");
    struct stat st;
    root = getenv("WAGEWARN_SHIM_ROOT");
    root_len = root ? strlen(root) : 0;
    if (path)
        log_fd = sys_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    fail_at = at ? strtoul(at, NULL, 10) : 0;
    for (size_t i = 0; how && i < sizeof faults / sizeof *faults; i++)
        if (strcmp(how, faults[i].name) == 0) {
            fault = faults[i].fault;
            fault_errno = faults[i].error;
        }
    if (root && log_fd >= 0 && stat(root, &st) == 0)
        put(OP_ROOT, st.st_ino, 0, NULL, 0, NULL, 0, 0);
}

static bool ours(int fd)
{
    return fd >= 0 && fd < FDS && files[fd].ino != 0;
}

/* The path below the folder, or NULL when it lies elsewhere. */
static const char *below(const char *path)
{
    pthread_once(&once, begin);
    if (!root || strncmp(path, root, root_len) != 0 || (path[root_len] != '/' && path[root_len] != 0))
        return NULL;
    return path[root_len] == '/' ? path + root_len + 1 : path + root_len;
}

/* ---- faults ---- */

/* Of the call about to be made: FAULT_NONE, or how it fails, with errno set. Writes make room, so they alone
 * can be short and, with what makes files, are what fails on a full disk. */
static enum fault strike(const char *call, const char *file, bool writes)
{
    char text[PATHS];
    size_t n = (size_t)snprintf(text, sizeof text, "%s%c%s", call, 0, file);
    pthread_mutex_lock(&lock);
    calls++;
    enum fault now =
        fail_at && (calls == fail_at || (fault == FAULT_FULL && calls > fail_at)) ? fault : FAULT_NONE;
    if ((now == FAULT_SHORT || now == FAULT_FULL) && !writes)
        now = FAULT_NONE;
    put(now ? OP_FAULT : OP_CALL, 0, calls, text, n < sizeof text ? n : sizeof text - 1, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    if (now == FAULT_ERROR || now == FAULT_FULL)
        errno = fault_errno;
    return now;
}

static bool fails(const char *call, const char *file, bool writes)
{
    enum fault f = strike(call, file, writes);
    return f == FAULT_ERROR || f == FAULT_FULL;
}

/* ---- opening ---- */

static void note_open(int fd, const char *path, const char *name, int flags, bool there)
{
    if (fd >= FDS)
        abort();
    files[fd].ino = ino_of(fd);
    snprintf(files[fd].name, sizeof files[fd].name, "%s", name);
    record(OP_OPEN, files[fd].ino, (flags & O_CREAT) && !there, path, strlen(path));
    if ((flags & O_TRUNC) && there)
        record(OP_SIZE, files[fd].ino, 0, NULL, 0);
}

static int do_open(int dir, const char *path, int flags, unsigned mode)
{
    const char *name = below(path);
    if (!name)
        return sys_open(dir, path, flags, mode);
    bool there = access(path, F_OK) == 0;
    if (fails("open", name, (flags & O_CREAT) && !there))
        return -1;
    int fd = sys_open(dir, path, flags, mode);
    if (fd >= 0)
        note_open(fd, name, name, flags, there);
    return fd;
}

static unsigned mode_of(int flags, va_list ap)
{
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, unsigned) : 0;
}

SHOWN int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    unsigned mode = mode_of(flags, ap);
    va_end(ap);
    return do_open(AT_FDCWD, path, flags, mode);
}
ALSO(open, open64);

SHOWN int openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    unsigned mode = mode_of(flags, ap);
    va_end(ap);
    return do_open(dir, path, flags, mode);
}
ALSO(openat, openat64);

SHOWN int close(int fd)
{
    if (ours(fd))
        files[fd].ino = 0;
    return (int)syscall(SYS_close, fd);
}

/* ---- writing ---- */

/* Half of it, where the call is to be short: the first piece, or half of the only one. */
static void shorten(struct iovec *v, int *n)
{
    *n = 1;
    if (v->iov_len > 1)
        v->iov_len /= 2;
}

static ssize_t write_at(const char *call, int fd, const struct iovec *from, int n, off_t at)
{
    struct iovec v[MOST_PIECES];
    if (n > MOST_PIECES)
        abort();
    memcpy(v, from, (size_t)n * sizeof *v);
    enum fault f = strike(call, files[fd].name, true);
    if (f == FAULT_ERROR || f == FAULT_FULL)
        return -1;
    if (f == FAULT_SHORT)
        shorten(v, &n);
    bool moves = at < 0;
    if (moves)
        at = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t w = syscall(SYS_pwritev, fd, v, n, (long)at, 0L);
    if (w > 0) {
        record_data(OP_WRITE, files[fd].ino, (uint64_t)at, v, n, (size_t)w);
        if (moves)
            syscall(SYS_lseek, fd, at + w, SEEK_SET);
    }
    return w;
}

static struct iovec piece(const void *p, size_t n)
{
    return (struct iovec){(void *)(uintptr_t)p, n};
}

SHOWN ssize_t write(int fd, const void *p, size_t n)
{
    struct iovec v = piece(p, n);
    return ours(fd) ? write_at("write", fd, &v, 1, -1) : syscall(SYS_write, fd, p, n);
}

SHOWN ssize_t writev(int fd, const struct iovec *v, int n)
{
    return ours(fd) ? write_at("writev", fd, v, n, -1) : syscall(SYS_writev, fd, v, n);
}

SHOWN ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    struct iovec v = piece(p, n);
    return ours(fd) ? write_at("pwrite", fd, &v, 1, at) : syscall(SYS_pwrite64, fd, p, n, at);
}
ALSO(pwrite, pwrite64);

SHOWN ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    return ours(fd) ? write_at("pwritev", fd, v, n, at) : syscall(SYS_pwritev, fd, v, n, (long)at, 0L);
}
ALSO(pwritev, pwritev64);

SHOWN int ftruncate(int fd, off_t size)
{
    if (ours(fd) && fails("ftruncate", files[fd].name, true))
        return -1;
    int rc = (int)syscall(SYS_ftruncate, fd, size);
    if (rc == 0 && ours(fd))
        record(OP_SIZE, files[fd].ino, (uint64_t)size, NULL, 0);
    return rc;
}
ALSO(ftruncate, ftruncate64);

/* Returns an errno, as the function that it stands for. */
SHOWN int posix_fallocate(int fd, off_t from, off_t n)
{
    struct stat st;
    if (ours(fd) && fails("fallocate", files[fd].name, true))
        return errno;
    if (syscall(SYS_fallocate, fd, 0, from, n) != 0)
        return errno;
    if (ours(fd) && fstat(fd, &st) == 0)
        record(OP_SIZE, files[fd].ino, (uint64_t)st.st_size, NULL, 0);
    return 0;
}
ALSO(posix_fallocate, posix_fallocate64);

/* ---- syncing ---- */

static int sync_with(const char *call, int fd, long number)
{
    if (!ours(fd))
        return (int)syscall(number, fd);
    if (fails(call, files[fd].name, false))
        return -1;
    record(OP_SYNC_BEGIN, files[fd].ino, 0, NULL, 0);
    int rc = (int)syscall(number, fd);
    if (rc == 0)
        record(OP_SYNC_END, files[fd].ino, 0, NULL, 0);
    return rc;
}

SHOWN int fsync(int fd)
{
    return sync_with("fsync", fd, SYS_fsync);
}

SHOWN int fdatasync(int fd)
{
    return sync_with("fdatasync", fd, SYS_fdatasync);
}

/* It promises nothing about a crash, so that is what is recorded of it. */
SHOWN int sync_file_range(int fd, off_t from, off_t n, unsigned flags)
{
    if (ours(fd) && fails("sync_file_range", files[fd].name, false))
        return -1;
    return (int)syscall(SYS_sync_file_range, fd, from, n, flags);
}
ALSO(sync_file_range, sync_file_range64);

SHOWN void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t from)
{
    if (ours(fd) && fails("mmap", files[fd].name, false))
        return MAP_FAILED;
    long p = syscall(SYS_mmap, at, n, prot, flags, fd, from);
    return (void *)p;
}
ALSO(mmap, mmap64);

/* ---- names ---- */

SHOWN int rename(const char *from, const char *to)
{
    char both[PATHS];
    const char *a = below(from), *b = below(to);
    if (!a || !b)
        return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (fails("rename", b, false))
        return -1;
    int rc = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    int n = snprintf(both, sizeof both, "%s%c%s", a, 0, b);
    if (rc == 0)
        record(OP_RENAME, 0, 0, both, (size_t)n);
    return rc;
}

SHOWN int unlink(const char *path)
{
    const char *name = below(path);
    int rc = name && access(path, F_OK) == 0 && fails("unlink", name, false)
                 ? -1
                 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (rc == 0 && name)
        record(OP_UNLINK, 0, 0, name, strlen(name));
    return rc;
}

SHOWN int mkdir(const char *path, mode_t mode)
{
    struct stat st;
    const char *name = below(path);
    if (name && access(path, F_OK) != 0 && fails("mkdir", name, true))
        return -1;
    int rc = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (rc == 0 && name && stat(path, &st) == 0)
        record(OP_MKDIR, st.st_ino, 0, name, strlen(name));
    return rc;
}

/* ---- telling others ---- */

SHOWN ssize_t send(int fd, const void *p, size_t n, int flags)
{
    pthread_once(&once, begin);
    struct iovec v = piece(p, n);
    if (log_fd >= 0)
        record_data(OP_SEND, (uint64_t)fd, 0, &v, 1, n);
    ssize_t w = syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
    if (log_fd >= 0 && (w < 0 || (size_t)w < n))
        record(OP_UNSENT, (uint64_t)fd, n - (w > 0 ? (size_t)w : 0), NULL, 0);
    return w;
}
