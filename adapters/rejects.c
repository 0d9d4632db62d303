/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/rejects.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER                                                                                               \
    "\xEF\xBB\xBF"                                                                                           \
    "file,line,code,reason,row\r\n"

struct rejects {
    int fd;
    char *path;
    const char *input;
    struct buf out; /* not yet written */
};

static int fail(struct rejects *r, const char *what, struct err *err)
{
    int why = errno;
    return err_set(err, why == ENOSPC || why == EDQUOT ? WW_EFULL : WW_EIO, "%s: cannot %s: %s", r->path,
                   what, strerror(why));
}

/* ---- the format ---- */

static void put_cell(struct buf *b, struct slice s)
{
    bool quote = s.n == 0;
    for (size_t i = 0; i < s.n && !quote; i++)
        quote = strchr(",\"\r\n ", s.p[i]) != NULL;
    if (!quote) {
        buf_put(b, s.p, s.n);
        return;
    }
    buf_put(b, "\"", 1);
    for (size_t i = 0; i < s.n; i++)
        buf_put(b, s.p[i] == '"' ? "\"\"" : &s.p[i], s.p[i] == '"' ? 2 : 1);
    buf_put(b, "\"", 1);
}

/* Length of the record at p with its line end; 0: it has none. */
static size_t record_length(const char *p, size_t n)
{
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        quoted ^= p[i] == '"';
        if (p[i] == '\n' && !quoted)
            return i + 1;
    }
    return 0;
}

/* Is its first cell that text? Compares as put_cell wrote it. */
static bool first_cell_is(const char *p, size_t n, const struct buf *cell)
{
    return n > cell->n && memcmp(p, cell->p, cell->n) == 0 && p[cell->n] == ',';
}

/* ---- the file ---- */

static int write_all(struct rejects *r, const void *bytes, size_t n, struct err *err)
{
    for (const char *p = bytes; n > 0;) {
        ssize_t done = write(r->fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(r, "write", err);
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static int flush(struct rejects *r, struct err *err)
{
    int rc = write_all(r, r->out.p, r->out.n, err);
    if (!rc)
        buf_reset(&r->out);
    return rc;
}

static int lock(struct rejects *r, struct err *err)
{
    if (flock(r->fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return err_set(err, WW_ELOCKED,
                       "%s: another wagewarn-feed writes to it; give each a rejects file of its own",
                       r->path);
    return errno == ENOLCK || errno == EOPNOTSUPP ? 0 : fail(r, "lock", err); /* some network disks cannot */
}

int rejects_open(struct rejects **out, const char *path, struct err *err)
{
    struct rejects *r = mem_zalloc(sizeof *r);
    r->path = mem_strndup(path, strlen(path));
    r->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    int rc = r->fd < 0 ? fail(r, "open", err) : lock(r, err);
    if (rc) {
        rejects_close(r);
        r = NULL;
    }
    *out = r;
    return rc;
}

void rejects_close(struct rejects *r)
{
    struct err err;
    if (!r)
        return;
    if (r->fd >= 0) {
        if (flush(r, &err))
            fprintf(stderr, "wagewarn-feed: %s\n", err.msg);
        close(r->fd);
    }
    buf_finish(&r->out);
    free(r->path);
    free(r);
}

/* All of the file; it was written by this program, but perhaps not to its end, or by someone else altogether.
 */
static int read_all(struct rejects *r, struct buf *b, struct err *err)
{
    ssize_t n;
    if (lseek(r->fd, 0, SEEK_SET) < 0) /* a pipe or terminal: nothing to keep */
        return 0;
    while ((n = read(r->fd, buf_reserve(b, 65536), 65536)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(r, "read", err);
        b->n += (size_t)n;
    }
    size_t head = b->n < sizeof HEADER - 1 ? b->n : sizeof HEADER - 1;
    if (head > 0 && memcmp(b->p, HEADER, head) != 0)
        return err_set(err, WW_EIO, "%s: is no rejects file, and is not overwritten; give another name",
                       r->path);
    return 0;
}

/* Copies the records that stay. */
static void filter(const struct buf *old, const struct buf *cell, uint64_t keep, struct buf *now)
{
    size_t at = sizeof HEADER - 1, n;
    buf_put(now, HEADER, sizeof HEADER - 1);
    while (at < old->n && (n = record_length((const char *)old->p + at, old->n - at)) > 0) {
        bool mine = first_cell_is((const char *)old->p + at, n, cell);
        if (!mine || keep > 0)
            buf_put(now, old->p + at, n);
        keep -= mine && keep > 0;
        at += n;
    }
}

/* The new contents go to a file beside it, which then takes its name; the lock moves along. */
static int replace(struct rejects *r, const struct buf *now, struct err *err)
{
    char *beside = mem_alloc(strlen(r->path) + 5);
    memcpy(beside, r->path, strlen(r->path));
    memcpy(beside + strlen(r->path), ".new", 5);
    int old = r->fd;
    r->fd = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0640);
    int rc = r->fd < 0 ? fail(r, "write beside", err) : lock(r, err);
    if (!rc)
        rc = write_all(r, now->p, now->n, err);
    if (!rc && (fdatasync(r->fd) != 0 || rename(beside, r->path) != 0))
        rc = fail(r, "replace", err);
    if (old >= 0)
        close(old);
    free(beside);
    return rc;
}

int rejects_begin(struct rejects *r, const char *input, uint64_t keep, struct err *err)
{
    struct buf old = {0}, now = {0}, cell = {0};
    int rc = flush(r, err);
    r->input = input;
    put_cell(&cell, slice_of(input));
    if (!rc)
        rc = read_all(r, &old, err);
    if (!rc) {
        filter(&old, &cell, keep, &now);
        if (old.n == 0)
            rc = write_all(r, now.p, now.n, err);
        else if (old.n != now.n)
            rc = replace(r, &now, err);
    }
    buf_finish(&old);
    buf_finish(&now);
    buf_finish(&cell);
    return rc;
}

void rejects_add(struct rejects *r, uint64_t line, const char *code, const char *reason, struct slice raw)
{
    char number[24];
    int n = snprintf(number, sizeof number, ",%" PRIu64 ",", line);
    put_cell(&r->out, slice_of(r->input));
    buf_put(&r->out, number, (size_t)n);
    put_cell(&r->out, slice_of(code));
    buf_put(&r->out, ",", 1);
    put_cell(&r->out, slice_of(reason));
    buf_put(&r->out, ",", 1);
    put_cell(&r->out, raw);
    buf_put(&r->out, "\r\n", 2);
}

int rejects_sync(struct rejects *r, struct err *err)
{
    bool any = r->out.n > 0;
    int rc = flush(r, err);
    if (!rc && any && fdatasync(r->fd) != 0 && errno != EINVAL &&
        errno != EROFS) /* EINVAL: a pipe or terminal */
        rc = fail(r, "sync", err);
    return rc;
}
