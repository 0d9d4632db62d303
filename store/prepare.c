/* SPDX-License-Identifier: Apache-2.0 */
/* The next segment's file, made by a thread of its own; see prepare.h. The lock guards all of struct prepare;
 * the thread gives it up while it works on the disk. */
#include "store/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/mem.h"
#include "store/disk.h"

/* Synced piece by piece, so that the writer's own syncs never queue behind 64 MiB. */
enum { PIECE = 2 << 20 };

struct prepare {
    char *path;
    struct journal_io io;
    pthread_mutex_t lock;
    pthread_cond_t change;
    pthread_t thread;
    bool threaded, stop;
    bool working;  /* the thread is making a file of `want` bytes */
    uint64_t want; /* 0: nothing is asked for */
    int fd;        /* ready, -1: none */
    uint64_t size;
};

static int make(struct prepare *pr, uint64_t bytes, int *out)
{
    int fd = open(pr->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int e = pr->io.fallocate(fd, 0, (off_t)bytes);
    for (uint64_t at = 0; e == 0 && at < bytes; at += PIECE) {
        e = disk_zero(&pr->io, fd, at, at + PIECE < bytes ? at + PIECE : bytes);
        if (e == 0)
            e = disk_sync(&pr->io, fd);
    }
    if (e != 0) {
        close(fd);
        unlink(pr->path);
        return e;
    }
    *out = fd;
    return 0;
}

static void *run(void *arg)
{
    struct prepare *pr = arg;
    pthread_mutex_lock(&pr->lock);
    while (!pr->stop) {
        if (pr->want == 0 || pr->fd >= 0) {
            pthread_cond_wait(&pr->change, &pr->lock);
            continue;
        }
        uint64_t bytes = pr->want;
        int fd = -1;
        pr->working = true;
        pthread_mutex_unlock(&pr->lock);
        int e = make(pr, bytes, &fd); /* a failure shows again when the writer tries, with its sentence */
        pthread_mutex_lock(&pr->lock);
        pr->working = false;
        pr->want = 0;
        if (e == 0) {
            pr->fd = fd;
            pr->size = bytes;
        }
        pthread_cond_broadcast(&pr->change);
    }
    pthread_mutex_unlock(&pr->lock);
    return NULL;
}

int prepare_create(struct prepare **out, const char *dir, const struct journal_io *io, bool no_thread,
                   struct err *err)
{
    struct prepare *pr = mem_zalloc(sizeof *pr);
    pr->path = disk_path(dir, PREPARED);
    pr->io = *io;
    pr->fd = -1;
    pthread_mutex_init(&pr->lock, NULL);
    pthread_cond_init(&pr->change, NULL);
    *out = pr;
    if (unlink(pr->path) != 0 && errno != ENOENT) {
        int rc = disk_error(err, errno, "remove", pr->path);
        prepare_destroy(pr);
        *out = NULL;
        return rc;
    }
    /* No thread is no failure: the writer prepares for itself then. */
    pr->threaded = !no_thread && pthread_create(&pr->thread, NULL, run, pr) == 0;
    return 0;
}

static void discard(struct prepare *pr)
{
    if (pr->fd < 0)
        return;
    close(pr->fd);
    unlink(pr->path);
    pr->fd = -1;
}

void prepare_destroy(struct prepare *pr)
{
    if (!pr)
        return;
    if (pr->threaded) {
        pthread_mutex_lock(&pr->lock);
        pr->stop = true;
        pthread_cond_broadcast(&pr->change);
        pthread_mutex_unlock(&pr->lock);
        pthread_join(pr->thread, NULL);
    }
    discard(pr);
    pthread_cond_destroy(&pr->change);
    pthread_mutex_destroy(&pr->lock);
    free(pr->path);
    free(pr);
}

void prepare_want(struct prepare *pr, size_t bytes)
{
    if (!pr->threaded)
        return;
    pthread_mutex_lock(&pr->lock);
    if (pr->fd < 0 && pr->want == 0) {
        pr->want = bytes;
        pthread_cond_broadcast(&pr->change);
    }
    pthread_mutex_unlock(&pr->lock);
}

/* With the lock: afterwards the thread is idle and pr->fd is ready, or the failure is told. */
static int ensure(struct prepare *pr, size_t bytes, struct err *err)
{
    while (pr->threaded && (pr->working || pr->want != 0))
        pthread_cond_wait(&pr->change, &pr->lock);
    if (pr->fd >= 0 && pr->size < bytes)
        discard(pr);
    if (pr->fd >= 0)
        return 0;
    int e = make(pr, bytes, &pr->fd);
    if (e != 0)
        return disk_error(err, e, "make room for the next segment in", pr->path);
    pr->size = bytes;
    return 0;
}

int prepare_take(struct prepare *pr, size_t bytes, int *fd, uint64_t *size, struct err *err)
{
    pthread_mutex_lock(&pr->lock);
    int rc = ensure(pr, bytes, err);
    if (rc == 0) {
        *fd = pr->fd;
        *size = pr->size;
        pr->fd = -1;
    }
    pthread_mutex_unlock(&pr->lock);
    return rc;
}

int prepare_ready(struct prepare *pr, size_t bytes, struct err *err)
{
    pthread_mutex_lock(&pr->lock);
    int rc = ensure(pr, bytes, err);
    pthread_mutex_unlock(&pr->lock);
    return rc;
}
