/* SPDX-License-Identifier: Apache-2.0 */
/* The view thread. Owns LMDB's writes; the rows it is given stay the writer's, who frees them. One checkpoint
 * in hand at a time: `given` (waiting or being committed), then `done` (to be taken back). Never touches
 * journal or state. */
#include "daemon/checkpoint.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { TRY_AGAIN_MS = 250 };

struct checkpointer {
    struct view *view;
    uint8_t store_id[STORE_ID_LEN];
    void (*call_done)(void *arg);
    void *arg;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t wake; /* of the view thread */
    struct checkpoint *given, *done;
    bool stopping;

    _Atomic uint64_t viewed;
    atomic_bool full;
    struct err err; /* written once, before `failed` */
    _Atomic(const struct err *) failed;
};

/* Room on the disk may come back: the journal holds all of it meanwhile. False: stop. */
static bool wait_for_space(struct checkpointer *c, const struct err *err)
{
    if (!atomic_exchange(&c->full, true)) {
        char quoted[sizeof err->msg * 2];
        log_line(LOG_L_ERROR, "view held up by a full disk", "reason=%s",
                 log_quote(quoted, sizeof quoted, slice_of(err->msg)));
        c->call_done(c->arg);
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TRY_AGAIN_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&c->lock);
    while (!c->stopping && pthread_cond_timedwait(&c->wake, &c->lock, &until) != ETIMEDOUT) {
    }
    bool go_on = !c->stopping;
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

static bool commit(struct checkpointer *c, struct checkpoint *cp)
{
    struct err err;
    int rc;
    while ((rc = view_commit(c->view, cp, c->store_id, &err)) == WW_EFULL)
        if (!wait_for_space(c, &err))
            return false;
    if (rc) {
        c->err = err;
        atomic_store(&c->failed, &c->err);
        return false;
    }
    if (atomic_exchange(&c->full, false))
        log_line(LOG_L_NOTICE, "view goes on", "entry=%llu", (unsigned long long)cp->number);
    atomic_store_explicit(&c->viewed, cp->number, memory_order_release);
    return true;
}

static struct checkpoint *next_given(struct checkpointer *c)
{
    pthread_mutex_lock(&c->lock);
    while (!c->given && !c->stopping)
        pthread_cond_wait(&c->wake, &c->lock);
    struct checkpoint *cp = c->given;
    pthread_mutex_unlock(&c->lock);
    return cp;
}

static void *run(void *arg)
{
    struct checkpointer *c = arg;
    struct checkpoint *cp;
    while ((cp = next_given(c))) {
        bool good = commit(c, cp);
        if (good) {
            pthread_mutex_lock(&c->lock);
            c->given = NULL;
            c->done = cp;
            pthread_mutex_unlock(&c->lock);
        }
        c->call_done(c->arg);
        if (!good)
            break;
    }
    return NULL;
}

static void wake_by_monotonic_time(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

int checkpoint_start(struct checkpointer **out, struct view *view, const uint8_t store_id[STORE_ID_LEN],
                     uint64_t viewed, void (*done)(void *arg), void *arg, struct err *err)
{
    struct checkpointer *c = mem_zalloc(sizeof *c);
    c->view = view;
    memcpy(c->store_id, store_id, STORE_ID_LEN);
    c->call_done = done;
    c->arg = arg;
    atomic_init(&c->viewed, viewed);
    pthread_mutex_init(&c->lock, NULL);
    wake_by_monotonic_time(&c->wake);
    int rc = pthread_create(&c->thread, NULL, run, c);
    if (rc) {
        pthread_cond_destroy(&c->wake);
        pthread_mutex_destroy(&c->lock);
        free(c);
        return err_set(err, WW_EIO, "cannot start the view thread: %s; raise the limit on tasks",
                       strerror(rc));
    }
    pthread_setname_np(c->thread, "view");
    *out = c;
    return WW_OK;
}

void checkpoint_stop(struct checkpointer *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void checkpoint_give(struct checkpointer *c, struct checkpoint *cp)
{
    pthread_mutex_lock(&c->lock);
    assert(!c->given && !c->done);
    c->given = cp;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

struct checkpoint *checkpoint_take(struct checkpointer *c)
{
    pthread_mutex_lock(&c->lock);
    struct checkpoint *cp = c->done;
    c->done = NULL;
    pthread_mutex_unlock(&c->lock);
    return cp;
}

uint64_t checkpoint_viewed(const struct checkpointer *c)
{
    return atomic_load_explicit(&c->viewed, memory_order_acquire);
}

bool checkpoint_full(const struct checkpointer *c)
{
    return atomic_load(&c->full);
}

const struct err *checkpoint_failed(const struct checkpointer *c)
{
    return atomic_load(&c->failed);
}
