/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the libevent base and every event of it. Main thread. */
#include "daemon/loop.h"

#include "lib/mem.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct watch {
    struct watch *next;
    struct loop *loop;
    struct event *fd, *timer; /* either may be NULL; `timer` also serves watch_again() */
    int wake;                 /* eventfd of a waker, else -1 */
    int64_t every;            /* of a periodic timer, else 0 */
    loop_call *call;
    void *arg;
};

struct loop {
    struct event_base *base;
    struct watch *watches;
};

int loop_create(struct loop **out, struct err *err)
{
    struct loop *l = mem_zalloc(sizeof *l);
    l->base = event_base_new();
    if (!l->base) {
        free(l);
        return err_set(err, WW_EIO, "loop: no event base; raise the limit of open files");
    }
    *out = l;
    return 0;
}

void loop_destroy(struct loop *l)
{
    if (!l)
        return;
    while (l->watches) {
        struct watch *w = l->watches;
        l->watches = w->next;
        if (w->fd)
            event_free(w->fd);
        if (w->timer)
            event_free(w->timer);
        if (w->wake >= 0)
            close(w->wake);
        free(w);
    }
    event_base_free(l->base);
    free(l);
}

static void fire(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct watch *w = arg;
    if (w->wake >= 0) {
        uint64_t n;
        if (read(w->wake, &n, sizeof n) < 0 && errno != EAGAIN)
            return;
    }
    if (w->every && (what & EV_TIMEOUT))
        watch_after(w, w->every);
    w->call(w->arg);
}

static struct watch *add(struct loop *l, loop_call *call, void *arg)
{
    struct watch *w = mem_zalloc(sizeof *w);
    w->next = l->watches;
    l->watches = w;
    w->loop = l;
    w->wake = -1;
    w->call = call;
    w->arg = arg;
    w->timer = evtimer_new(l->base, fire, w);
    assert(w->timer);
    return w;
}

struct watch *loop_readable(struct loop *l, int fd, loop_call *call, void *arg)
{
    struct watch *w = add(l, call, arg);
    w->fd = event_new(l->base, fd, EV_READ | EV_PERSIST, fire, w);
    assert(w->fd);
    event_add(w->fd, NULL);
    return w;
}

struct watch *loop_signal(struct loop *l, int signo, loop_call *call, void *arg)
{
    struct watch *w = add(l, call, arg);
    w->fd = evsignal_new(l->base, signo, fire, w);
    assert(w->fd);
    event_add(w->fd, NULL);
    return w;
}

struct watch *loop_timer(struct loop *l, int64_t every_ms, loop_call *call, void *arg)
{
    struct watch *w = add(l, call, arg);
    w->every = every_ms;
    if (every_ms)
        watch_after(w, every_ms);
    return w;
}

struct watch *loop_waker(struct loop *l, loop_call *call, void *arg, struct err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
        err_set(err, WW_EIO, "loop: no eventfd: %s; raise the limit of open files", strerror(errno));
        return NULL;
    }
    struct watch *w = loop_readable(l, fd, call, arg);
    w->wake = fd;
    return w;
}

void loop_wake(struct watch *w)
{
    uint64_t one = 1;
    /* EAGAIN: the counter is full, so a wake is pending anyway */
    if (write(w->wake, &one, sizeof one) < 0)
        return;
}

void watch_again(struct watch *w)
{
    watch_after(w, 0);
}

void watch_after(struct watch *w, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(w->timer, &tv);
}

void watch_stop(struct watch *w)
{
    evtimer_del(w->timer);
    if (w->fd)
        event_del(w->fd);
}

void loop_run(struct loop *l)
{
    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_leave(struct loop *l)
{
    event_base_loopbreak(l->base);
}

int64_t loop_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
