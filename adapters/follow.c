/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/follow.h"

#include "lib/mem.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { WAIT_MS = 1000 };

struct follow {
    int fd; /* of inotify; -1: there is none, the clock alone wakes us */
};

static void watch_folder(int fd, const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 1;
    if (n >= sizeof dir)
        return;
    memcpy(dir, slash ? path : ".", n);
    dir[n] = 0;
    /* The folder, not the file: a file that is replaced is seen too. */
    inotify_add_watch(fd, n ? dir : "/", IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
}

struct follow *follow_open(const char *const *paths, size_t n)
{
    struct follow *f = mem_zalloc(sizeof *f);
    f->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    for (size_t i = 0; i < n && f->fd >= 0; i++)
        watch_folder(f->fd, paths[i]);
    return f;
}

void follow_close(struct follow *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    free(f);
}

void follow_wait(struct follow *f, const int *fds, size_t n)
{
    char events[4096];
    struct pollfd *list = mem_zalloc((n + 1) * sizeof *list);
    list[0] = (struct pollfd){.fd = f->fd, .events = POLLIN};
    for (size_t i = 0; i < n; i++)
        list[i + 1] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    if (poll(list, n + 1, WAIT_MS) > 0 && list[0].revents & POLLIN)
        while (read(f->fd, events, sizeof events) > 0)
            ;
    free(list);
}
