/* SPDX-License-Identifier: Apache-2.0 */
/* Batches between two threads. Owns their memory and whose turn it is; leaves to the writer what is done with
 * them. */
#include "daemon/handoff.h"

#include <errno.h>
#include <time.h>

static void push(struct fifo *f, struct batch *b)
{
    assert(f->n < POOL);
    f->at[(f->head + f->n++) % POOL] = b;
}

static struct batch *pop(struct fifo *f)
{
    if (!f->n)
        return NULL;
    struct batch *b = f->at[f->head];
    f->head = (f->head + 1) % POOL;
    f->n--;
    return b;
}

static int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wake_locked(struct handoff *h)
{
    h->word = true;
    pthread_cond_signal(&h->wake);
}

void handoff_init(struct handoff *h, uint64_t viewed, void (*done)(void *arg), void *arg)
{
    *h = (struct handoff){.done = done, .arg = arg};
    atomic_init(&h->viewed, viewed);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->wake, &attr);
    pthread_cond_init(&h->progress, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&h->lock, NULL);
    for (size_t i = 0; i < POOL; i++) {
        batch_init(&h->pool[i]);
        push(&h->idle, &h->pool[i]);
    }
    h->gathering = pop(&h->idle);
}

void handoff_finish(struct handoff *h)
{
    for (size_t i = 0; i < POOL; i++)
        batch_finish(&h->pool[i]);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->progress);
    pthread_cond_destroy(&h->wake);
}

/* ---- main thread ---- */

static bool worth_a_sync(const struct batch *b)
{
    return b->n_slots >= WORTH_A_SYNC || b->bytes >= WORTH_A_SYNC_BYTES;
}

static void submit_locked(struct handoff *h)
{
    push(&h->submitted, h->gathering);
    h->gathering = pop(&h->idle);
    wake_locked(h);
}

void handoff_submit(struct handoff *h)
{
    if (!h->gathering->n_requests)
        return;
    pthread_mutex_lock(&h->lock);
    bool now = h->idle.n && !h->submitted.n && (!h->in_hand || worth_a_sync(h->gathering));
    if (now)
        submit_locked(h);
    h->turned_away = !now;
    pthread_mutex_unlock(&h->lock);
}

struct batch *handoff_finished(struct handoff *h)
{
    pthread_mutex_lock(&h->lock);
    struct batch *b = pop(&h->finished);
    pthread_mutex_unlock(&h->lock);
    return b;
}

void handoff_give_back(struct handoff *h, struct batch *b)
{
    batch_reset(b);
    pthread_mutex_lock(&h->lock);
    push(&h->idle, b);
    bool submit = h->turned_away;
    pthread_mutex_unlock(&h->lock);
    if (submit)
        handoff_submit(h);
}

void handoff_stop(struct handoff *h)
{
    pthread_mutex_lock(&h->lock);
    if (h->gathering->n_requests && h->idle.n)
        submit_locked(h);
    h->stopping = true;
    wake_locked(h);
    pthread_mutex_unlock(&h->lock);
}

/* ---- writer thread ---- */

struct batch *handoff_take(struct handoff *h, bool *stopping)
{
    pthread_mutex_lock(&h->lock);
    struct batch *b = h->in_hand = pop(&h->submitted);
    *stopping = h->stopping;
    pthread_mutex_unlock(&h->lock);
    return b;
}

struct batch *handoff_take_idle(struct handoff *h)
{
    pthread_mutex_lock(&h->lock);
    /* The last one is for the main thread to gather into. */
    struct batch *b = h->in_hand = h->idle.n > 1 ? pop(&h->idle) : NULL;
    pthread_mutex_unlock(&h->lock);
    return b;
}

void handoff_publish(struct handoff *h, struct batch *b)
{
    bool result = b->n_requests || b->out.n;
    if (!result)
        batch_reset(b);
    pthread_mutex_lock(&h->lock);
    push(result ? &h->finished : &h->idle, b);
    h->in_hand = NULL;
    bool tell = result || h->turned_away;
    pthread_mutex_unlock(&h->lock);
    if (tell)
        h->done(h->arg);
}

void handoff_sleep(struct handoff *h, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&h->lock);
    while (!h->word && pthread_cond_timedwait(&h->wake, &h->lock, &until) != ETIMEDOUT) {
    }
    h->word = false;
    pthread_mutex_unlock(&h->lock);
}

void handoff_set_viewed(struct handoff *h, uint64_t number)
{
    pthread_mutex_lock(&h->lock);
    atomic_store_explicit(&h->viewed, number, memory_order_release);
    bool tell = h->main_wants && h->main_wants <= number;
    if (tell)
        h->main_wants = 0;
    pthread_cond_broadcast(&h->progress);
    pthread_mutex_unlock(&h->lock);
    if (tell)
        h->done(h->arg);
}

void handoff_set_stuck(struct handoff *h, bool stuck)
{
    pthread_mutex_lock(&h->lock);
    if (stuck != (h->stuck_ms != 0)) {
        h->stuck_ms = stuck ? mono_ms() : 0;
        pthread_cond_broadcast(&h->progress);
    }
    pthread_mutex_unlock(&h->lock);
}

bool handoff_view_wanted(struct handoff *h)
{
    pthread_mutex_lock(&h->lock);
    bool yes = h->wanted > atomic_load_explicit(&h->viewed, memory_order_relaxed);
    pthread_mutex_unlock(&h->lock);
    return yes;
}

/* ---- any thread ---- */

void handoff_wake(void *handoff)
{
    struct handoff *h = handoff;
    pthread_mutex_lock(&h->lock);
    wake_locked(h);
    pthread_mutex_unlock(&h->lock);
}

static void want_locked(struct handoff *h, uint64_t number)
{
    if (number > h->wanted) {
        h->wanted = number;
        wake_locked(h);
    }
}

void handoff_want(struct handoff *h, uint64_t number)
{
    pthread_mutex_lock(&h->lock);
    if (number > h->main_wants)
        h->main_wants = number;
    want_locked(h, number);
    pthread_mutex_unlock(&h->lock);
}

static void wait_until(struct handoff *h, int64_t ms)
{
    struct timespec until = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    pthread_cond_timedwait(&h->progress, &h->lock, &until);
}

enum await handoff_await(struct handoff *h, uint64_t number, int64_t patience_ms)
{
    enum await end = AWAIT_THERE;
    pthread_mutex_lock(&h->lock);
    want_locked(h, number);
    while (atomic_load_explicit(&h->viewed, memory_order_relaxed) < number) {
        if (h->ended) {
            end = AWAIT_ENDED;
            break;
        }
        if (!h->stuck_ms) {
            pthread_cond_wait(&h->progress, &h->lock);
        } else if (mono_ms() < h->stuck_ms + patience_ms) {
            wait_until(h, h->stuck_ms + patience_ms);
        } else {
            end = AWAIT_STUCK;
            break;
        }
    }
    pthread_mutex_unlock(&h->lock);
    return end;
}

bool handoff_stuck(struct handoff *h)
{
    pthread_mutex_lock(&h->lock);
    bool stuck = h->stuck_ms != 0;
    pthread_mutex_unlock(&h->lock);
    return stuck;
}

void handoff_end(struct handoff *h)
{
    pthread_mutex_lock(&h->lock);
    h->ended = true;
    pthread_cond_broadcast(&h->progress);
    pthread_mutex_unlock(&h->lock);
}
