/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the journal's time. Leaves to others what a held clock means for their work. */
#include "daemon/clock.h"

#include <sys/timex.h>
#include <time.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    int rc = clock_gettime(id, &t);
    assert(rc == 0);
    (void)rc;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_wall(void)
{
    return clock_ms(CLOCK_REALTIME);
}

static int64_t system_boot(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

static bool system_synchronised(void)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);
    return state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

enum clock_start clock_init(struct clock *c, int64_t last, const struct clock_source *source)
{
    static const struct clock_source system = {system_wall, system_boot, system_synchronised};
    c->source = source ? *source : system;
    int64_t wall = c->source.wall_ms();
    int64_t now = later(wall, last);
    atomic_init(&c->floor, now);
    atomic_init(&c->offset, now - c->source.boot_ms());
    if (wall < last)
        return CLOCK_BEHIND;
    /* Without a journal there is nothing to be ahead of. */
    if (last > 0 && wall - last > DAY_MS && !c->source.synchronised())
        return CLOCK_GAP_UNSYNCED;
    return CLOCK_SOUND;
}

/* How far the system's clock has run ahead of the boot clock since it was last believed. */
static int64_t ahead(struct clock *c, int64_t *measured)
{
    *measured = c->source.boot_ms() + atomic_load_explicit(&c->offset, memory_order_relaxed);
    return c->source.wall_ms() - *measured;
}

int64_t clock_now(struct clock *c)
{
    int64_t measured;
    int64_t by = ahead(c, &measured);
    int64_t now = by > DAY_MS ? measured : measured + by;
    int64_t floor = atomic_load_explicit(&c->floor, memory_order_relaxed);
    while (now > floor)
        if (atomic_compare_exchange_weak_explicit(&c->floor, &floor, now, memory_order_relaxed,
                                                  memory_order_relaxed))
            return now;
    return floor;
}

bool clock_held(struct clock *c, int64_t *ahead_ms)
{
    int64_t measured;
    int64_t by = ahead(c, &measured);
    if (ahead_ms)
        *ahead_ms = by;
    return by > DAY_MS;
}

void clock_confirm(struct clock *c)
{
    atomic_store_explicit(&c->offset, c->source.wall_ms() - c->source.boot_ms(), memory_order_relaxed);
}
