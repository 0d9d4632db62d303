/* SPDX-License-Identifier: Apache-2.0 */
/* Time and turns. Owns the seed, the clocks, and the daemon's threads, which run here as coroutines: the linker takes
 * their pthread calls to this room (-Wl,--wrap). One runs at a time and goes on until it waits; whose turn is next is
 * the earliest in simulated time, and how long anything takes is drawn, so that each seed is another interleaving. */
#include "tests/sim/sim.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <ucontext.h>

#ifdef __has_feature /* clang */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

enum { STACK_BYTES = 4 << 20, COROS = 16, LOCKS = 64 };

struct coro {
    ucontext_t context;
    void *stack, *fake; /* fake: the sanitizer's */
    void *(*run)(void *);
    void *arg;
    int64_t at;         /* when it goes on; NEVER: when it is woken */
    const void *waits;  /* for what */
    uint64_t order;
    bool used, ended;
    int error;          /* its errno */
};

struct call {
    int64_t at;
    uint64_t order, n;
    void (*call)(void *arg, uint64_t n);
    void *arg;
};

int64_t sim_now;
bool sim_verbose;

static uint64_t state, seed, print = UINT64_C(0xcbf29ce484222325);
static const int64_t began_ms = INT64_C(1772413200000); /* 2026-03-02, nine in the morning */
static int64_t wall_ms0;
static struct coro coros[COROS], *running;
static ucontext_t world;
static void *world_fake;
static const void *world_stack;
static size_t world_stack_bytes;
static struct call *heap;
static size_t n_heap, cap_heap;
static struct {
    const void *mutex;
    struct coro *owner;
} locks[LOCKS];
static unsigned n_locks;

/* ---- the seed ---- */

void sim_seed(uint64_t s)
{
    seed = s;
    state = s * UINT64_C(0x9e3779b97f4a7c15) + 1;
    wall_ms0 = began_ms;
}

uint64_t sim_draw(uint64_t below)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return below ? z % below : z;
}

bool sim_chance(unsigned in_1000)
{
    return in_1000 && sim_draw(1000) < in_1000;
}

int64_t sim_between(int64_t from, int64_t most)
{
    return from >= most ? from : from + (int64_t)sim_draw((uint64_t)(most - from + 1));
}

/* ---- what happened ---- */

void sim_digest(const void *p, size_t n)
{
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++)
        print = (print ^ b[i]) * UINT64_C(0x100000001b3);
}

uint64_t sim_fingerprint(void)
{
    return print;
}

static void say(const char *fmt, va_list ap)
{
    int64_t ms = sim_now / 1000;
    fprintf(stderr, "%5lld %02d:%02d:%02d.%03d  ", (long long)(ms / DAY_MS), (int)(ms / 3600000 % 24),
            (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

void sim_say(const char *fmt, ...)
{
    va_list ap;
    if (!sim_verbose)
        return;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

void sim_fail(const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "seed %llu: ", (unsigned long long)seed);
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    fflush(stderr);
    disk_finish();
    _Exit(1);
}

/* ---- turns ---- */

static void leave_note(void **fake, const void *stack, size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(fake, stack, bytes);
#else
    (void)fake, (void)stack, (void)bytes;
#endif
}

static void arrive_note(void *fake, const void **stack, size_t *bytes)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(fake, stack, bytes);
#else
    (void)fake, (void)stack, (void)bytes;
#endif
}

static void to_world(struct coro *c)
{
    c->error = errno;
    running = NULL;
    leave_note(c->ended ? NULL : &c->fake, world_stack, world_stack_bytes);
    swapcontext(&c->context, &world);
    arrive_note(c->fake, NULL, NULL);
    errno = c->error;
}

static void resume(struct coro *c)
{
    c->at = NEVER;
    running = c;
    sim_now += (int64_t)sim_draw(20); /* work takes time */
    leave_note(&world_fake, c->stack, STACK_BYTES);
    swapcontext(&world, &c->context);
    arrive_note(world_fake, NULL, NULL);
}

static void begin(void)
{
    struct coro *c = running;
    arrive_note(NULL, &world_stack, &world_stack_bytes);
    c->run(c->arg);
    c->ended = true;
    sim_wake(c, true);
    to_world(c);
}

static struct coro *unused_coro(void)
{
    struct coro *c = coros;
    while (c < coros + COROS && c->used)
        c++;
    assert(c < coros + COROS);
    return c;
}

static void make_context(struct coro *c)
{
    getcontext(&c->context);
    c->context.uc_stack.ss_sp = c->stack;
    c->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&c->context, begin, 0);
}

struct coro *sim_spawn(void *(*run)(void *), void *arg)
{
    struct coro *c = unused_coro();
    *c = (struct coro){.used = true, .run = run, .arg = arg, .at = sim_now + (int64_t)sim_draw(300),
                       .order = sim_draw(0)};
    c->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(c->stack != MAP_FAILED);
    make_context(c);
    return c;
}

bool sim_ended(const struct coro *c)
{
    return c->ended;
}

void sim_reap(struct coro *c)
{
    assert(c->ended);
    munmap(c->stack, STACK_BYTES);
    c->used = false;
}

bool sim_in_thread(void)
{
    return running != NULL;
}

int64_t sim_wait(const void *what, int64_t until)
{
    struct coro *c = running;
    assert(c);
    c->waits = what;
    c->at = until;
    c->order = sim_draw(0);
    to_world(c);
    c->waits = NULL;
    return sim_now;
}

void sim_pause(int64_t us)
{
    if (running)
        sim_wait(NULL, sim_now + us);
}

void sim_wake(const void *what, bool all)
{
    for (struct coro *c = coros; c < coros + COROS; c++) {
        if (!c->used || c->ended || c->waits != what || c == running)
            continue;
        c->waits = NULL;
        c->at = sim_now + (sim_chance(20) ? (int64_t)sim_draw(5000) : (int64_t)sim_draw(80));
        if (!all)
            return;
    }
}

static bool before(int64_t at, uint64_t order, const struct call *b)
{
    return at < b->at || (at == b->at && order < b->order);
}

void sim_at(int64_t at, void (*call)(void *, uint64_t), void *arg, uint64_t n)
{
    struct call c = {at > sim_now ? at : sim_now, sim_draw(0), n, call, arg};
    heap = mem_grow(heap, &cap_heap, n_heap + 1, sizeof *heap);
    size_t i = n_heap++;
    for (; i && before(c.at, c.order, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = c;
}

static struct call pop(void)
{
    struct call first = heap[0], last = heap[--n_heap];
    size_t i = 0, k;
    while ((k = 2 * i + 1) < n_heap) {
        if (k + 1 < n_heap && before(heap[k + 1].at, heap[k + 1].order, &heap[k]))
            k++;
        if (before(last.at, last.order, &heap[k]))
            break;
        heap[i] = heap[k];
        i = k;
    }
    heap[i] = last;
    return first;
}

static struct coro *next_coro(void)
{
    struct coro *best = NULL;
    for (struct coro *c = coros; c < coros + COROS; c++)
        if (c->used && !c->ended && c->at != NEVER &&
            (!best || c->at < best->at || (c->at == best->at && c->order < best->order)))
            best = c;
    return best;
}

void sim_run_until(int64_t at)
{
    for (;;) {
        struct coro *c = next_coro();
        bool call = n_heap && (!c || heap[0].at <= c->at);
        int64_t then = call ? heap[0].at : c ? c->at : NEVER;
        if (then > at)
            break;
        if (then > sim_now)
            sim_now = then;
        if (call) {
            struct call k = pop();
            k.call(k.arg, k.n);
        } else
            resume(c);
    }
    if (sim_now < at)
        sim_now = at;
}

void sim_finish_threads(struct coro *last)
{
    int64_t now = sim_now, offset = wall_ms0, patience = sim_now + 600 * SECOND;
    while (!last->ended) {
        struct coro *c = next_coro();
        if (!c || c->at > patience)
            sim_fail("a dying daemon does not end: its threads wait for each other");
        if (c->at > sim_now)
            sim_now = c->at;
        resume(c);
    }
    sim_now = now;
    wall_ms0 = offset;
}

/* ---- clocks ---- */

int64_t sim_wall_ms(void)
{
    return wall_ms0 + sim_now / 1000;
}

int64_t sim_true_ms(void)
{
    return began_ms + sim_now / 1000;
}

void sim_set_wall(int64_t by_ms)
{
    wall_ms0 += by_ms;
}

void sim_skip(int64_t us)
{
    sim_now += us;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    int64_t us = id == CLOCK_REALTIME ? wall_ms0 * 1000 + sim_now : sim_now + 1000 * SECOND;
    t->tv_sec = us / 1000000;
    t->tv_nsec = us % 1000000 * 1000;
    return 0;
}

int __wrap_adjtimex(struct timex *t);
int __wrap_adjtimex(struct timex *t)
{
    t->status = 0;
    return TIME_OK;
}

void __wrap_random_bytes(void *out, size_t n);
void __wrap_random_bytes(void *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = (uint8_t)sim_draw(256);
}

/* ---- the daemon's log ---- */

void __wrap_log_line(enum log_level level, const char *sentence, const char *pairs, ...);
void __wrap_log_line(enum log_level level, const char *sentence, const char *pairs, ...)
{
    char text[1024] = "";
    va_list ap;
    if (!sim_verbose)
        return;
    va_start(ap, pairs);
    if (pairs)
        vsnprintf(text, sizeof text, pairs, ap);
    va_end(ap);
    sim_say("wagewarnd<%d> %s %s", (int)level, sentence, text);
}

/* ---- threads ---- */

int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    (void)attr;
    if (!running) /* outside of the daemon nobody needs a thread, and every room can do without */
        return EAGAIN;
    *t = (pthread_t)sim_spawn(run, arg);
    return 0;
}

int __wrap_pthread_join(pthread_t, void **);
int __wrap_pthread_join(pthread_t t, void **value)
{
    struct coro *c = (struct coro *)t;
    (void)value;
    while (!c->ended)
        sim_wait(c, NEVER);
    sim_reap(c);
    return 0;
}

int __wrap_pthread_setname_np(pthread_t, const char *);
int __wrap_pthread_setname_np(pthread_t t, const char *name)
{
    (void)t, (void)name;
    return 0;
}

static unsigned held(const void *m)
{
    unsigned i = 0;
    while (i < n_locks && locks[i].mutex != m)
        i++;
    return i;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
    if (!running)
        return 0;
    if (sim_chance(30))
        sim_pause((int64_t)sim_draw(300));
    while (held(m) < n_locks) {
        assert(locks[held(m)].owner != running);
        sim_wait(m, NEVER);
    }
    assert(n_locks < LOCKS);
    locks[n_locks].mutex = m;
    locks[n_locks++].owner = running;
    if (sim_chance(10))
        sim_pause((int64_t)sim_draw(300));
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
    if (!running)
        return 0;
    unsigned i = held(m);
    assert(i < n_locks && locks[i].owner == running);
    locks[i] = locks[--n_locks];
    sim_wake(m, true);
    if (sim_chance(20))
        sim_pause((int64_t)sim_draw(200));
    return 0;
}

/* Woken for nothing now and then, as it may be. */
static int64_t spurious(int64_t until)
{
    int64_t soon = sim_now + (int64_t)sim_draw(100000);
    return sim_chance(10) && soon < until ? soon : until;
}

static bool wait_on(pthread_cond_t *cond, pthread_mutex_t *m, int64_t until)
{
    unsigned i = held(m);
    assert(i < n_locks && locks[i].owner == running);
    locks[i] = locks[--n_locks];
    sim_wake(m, true);
    int64_t woken = sim_wait(cond, spurious(until));
    while (held(m) < n_locks)
        sim_wait(m, NEVER);
    locks[n_locks].mutex = m;
    locks[n_locks++].owner = running;
    return woken < until;
}

int __wrap_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *m)
{
    wait_on(cond, m, NEVER);
    return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *m, const struct timespec *t)
{
    int64_t until = (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000 - 1000 * SECOND;
    return wait_on(cond, m, until > sim_now ? until : sim_now) ? 0 : ETIMEDOUT;
}

int __wrap_pthread_cond_signal(pthread_cond_t *);
int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
    sim_wake(cond, false);
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
    sim_wake(cond, true);
    return 0;
}
