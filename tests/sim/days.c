/* SPDX-License-Identifier: Apache-2.0 */
/* Days: when the daemon runs, what the agencies and officers do, and what goes wrong. Owns the daemon's life. A day is a
 * few busy stretches of seconds, between which the machine sleeps for hours, so that what is due comes late; at its end
 * all faults are lifted, and within a while everything must be told, seen and true. */
#include "tests/sim/sim.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALM_SECONDS = 120, STRETCHES = 8, PROBES = 60 };

static struct coro *life; /* NULL: it is not there */
static int life_code;
static bool asked_to_stop;
static char config[2][200];
static const char *config_now;
static char config_link[96];
static unsigned deaths, starts, reloads, stops, cuts;

/* ---- the daemon ---- */

static bool rebuild;

static void *live(void *unused)
{
    char name[] = "wagewarnd", c[] = "--config", s[] = "--state-dir", l[] = "--listen", r[] = "--rebuild";
    char where[96], address[] = "tcp://127.0.0.1:7410", file[128];
    snprintf(where, sizeof where, "%s", disk_dir());
    snprintf(file, sizeof file, "%s/wagewarn.yaml", config_link);
    char *argv[] = {name, c, file, s, where, l, address, rebuild ? r : NULL, NULL};
    (void)unused;
    optind = 0;
    life_code = daemon_main(rebuild ? 8 : 7, argv);
    return NULL;
}

static void start(void)
{
    rebuild = sim_chance(40);
    disk_segment_bytes = (size_t)sim_between(24, 200) << 10;
    asked_to_stop = false;
    net_forget_signals();
    starts++;
    sim_say("---- start%s", rebuild ? " --rebuild" : "");
    life = sim_spawn(live, NULL);
}

static void bury(void)
{
    sim_reap(life);
    life = NULL;
    disk_bury();
}

/* What the machine finds when the process is gone; what it still does after that goes nowhere. */
static void die(enum disk_end how)
{
    deaths++;
    cuts += how == DISK_POWER;
    sim_say("---- %s", how == DISK_POWER ? "power cut" : "kill -9");
    if (!life) {
        disk_image(how);
        disk_bury();
        return;
    }
    net_break_all();
    disk_image(how);
    disk_ghost = net_ghost = true;
    net_signal(SIGTERM);
    sim_finish_threads(life);
    disk_ghost = net_ghost = false;
    bury();
}

/* It has ended by itself: because it was told to, or because its disk failed. */
static void see_to_the_dead(void)
{
    if (!life || !sim_ended(life))
        return;
    net_break_all();
    sim_say("---- ended with %d", life_code);
    if (asked_to_stop && life_code == 0 && !disk_has_failed()) {
        truth_catch_up();
        if (!disk_was_full() && sim_chance(500))
            truth_compare_view();
    } else if (!disk_has_failed() && !disk_was_full())
        sim_fail("the daemon ended with %d, and nothing was wrong", life_code);
    if (disk_has_failed()) /* what was not synced may be gone */
        disk_image(sim_chance(500) ? DISK_POWER : DISK_KILL);
    bury();
}

static void stop(void)
{
    stops++;
    asked_to_stop = true;
    sim_say("---- stop");
    net_signal(SIGTERM);
}

static void reload(void)
{
    config_now = config_now == config[0] ? config[1] : config[0];
    unlink(config_link);
    if (symlink(config_now, config_link) != 0)
        sim_fail("symlink");
    reloads++;
    sim_say("---- reload");
    if (life && net_listens())
        net_signal(SIGHUP);
}

/* systemd. */
static void keep_alive(void *unused, uint64_t n)
{
    (void)unused, (void)n;
    see_to_the_dead();
    if (!life)
        start();
    sim_at(sim_now + 100 * MS + (int64_t)sim_draw(SECOND), keep_alive, NULL, 0);
}

/* ---- what goes wrong ---- */

static bool all_well; /* nothing goes wrong now */

static void go_wrong(void *unused, uint64_t what)
{
    (void)unused;
    if (all_well)
        return;
    switch (what) {
    case 0:
        die(DISK_KILL);
        break;
    case 1:
        die(DISK_POWER);
        break;
    case 2:
        stop();
        break;
    case 3:
        reload();
        break;
    case 4:
        sim_say("---- the network breaks");
        net_break_all();
        net_cut = sim_chance(500);
        break;
    case 5:
        sim_say("---- the disk is slow");
        disk_faults.sync_most = 3 * SECOND;
        break;
    case 6:
        sim_say("---- the disk is full");
        disk_faults.full = true;
        break;
    case 7:
        sim_say("---- the disk fails");
        disk_faults.eio_in_1000 = 30;
        break;
    case 8:
        disk_faults.short_in_1000 = 200;
        break;
    case 9: { /* to within ten hours of the truth */
        int64_t off = sim_wall_ms() - sim_true_ms(), to = sim_between(-10, 10) * 3600000 + sim_between(0, 9999);
        sim_say("---- the clock is set by %lld s", (long long)(to - off) / 1000);
        sim_set_wall(to - off);
        break;
    }
    case 10:
        net_delay_most = 500 * MS;
        break;
    default: /* and nothing */
        break;
    }
}

enum { WRONGS = 13 };

static void mend(void)
{
    disk_faults = (struct disk_faults){.sync_least = 200, .sync_most = 2000};
    net_cut = false;
    net_delay_most = 3000;
}

/* ---- what goes right ---- */

static void busy(void *unused, uint64_t n)
{
    (void)unused;
    feeders_work((int)sim_draw(SOURCES), n);
    if (sim_chance(400))
        officers_work();
}

static void stretch(void)
{
    int64_t until = sim_now + sim_between(2, 10) * SECOND;
    for (int64_t at = sim_now; at < until; at += sim_between(1, 3 * SECOND))
        sim_at(at, busy, NULL, sim_chance(50) ? 1 + sim_draw(120) : 1 + sim_draw(6));
    if (sim_chance(500))
        sim_at(sim_now + (int64_t)sim_draw(10 * SECOND), go_wrong, NULL, sim_draw(WRONGS));
    if (sim_chance(200))
        sim_at(sim_now + (int64_t)sim_draw(10 * SECOND), go_wrong, NULL, sim_draw(WRONGS));
    sim_run_until(until);
    if (sim_chance(500))
        mend();
}

static bool settled(void)
{
    return life && net_listens() && feeders_done() && listeners_done() &&
           (truth_next_due() > sim_wall_ms() || sim_wall_ms() < sim_true_ms());
}

static void settle(void)
{
    int64_t until = sim_now + CALM_SECONDS * SECOND;
    while (!settled() && sim_now < until)
        sim_run_until(sim_now + SECOND);
    if (!settled()) {
        listeners_say();
        sim_fail("after %d s without faults: daemon %s, feeders %s, listeners %s, next due in %lld s", CALM_SECONDS,
                 net_listens() ? "listens" : "does not listen", feeders_done() ? "done" : "wait",
                 listeners_done() ? "done" : "wait", (long long)(truth_next_due() - sim_wall_ms()) / 1000);
    }
}

/* All is well again: soon everything must be done, and what is new must be answered at once. */
static void calm(void)
{
    mend();
    all_well = true;
    int64_t off = sim_wall_ms() - sim_true_ms();
    if (off < 0)
        sim_set_wall(-off);
    listeners_generous(true);
    settle();
    sim_run_until(sim_now + 2 * SECOND);
    feeders_hurry(true);
    for (int i = 0; i < PROBES; i++)
        sim_at(sim_now + (int64_t)sim_draw(SECOND), busy, NULL, 1 + sim_draw(4));
    sim_run_until(sim_now + 12 * SECOND);
    settle();
    feeders_hurry(false);
    truth_everything();
    listeners_generous(false);
    all_well = false;
}

static void a_day(void)
{
    int64_t midnight = (sim_now / (DAY_MS * MS) + 1) * (DAY_MS * MS);
    for (int i = 0; i < STRETCHES; i++) {
        stretch();
        sim_skip(sim_between(0, (midnight - sim_now) / (STRETCHES - i)));
    }
    calm();
    if (sim_chance(60)) {
        sim_say("---- days without power");
        die(DISK_POWER);
        midnight += sim_between(1, 6) * DAY_MS * MS;
    }
    if (midnight > sim_now)
        sim_skip(midnight - sim_now);
}

void days_run(unsigned days, const char *config_dir)
{
    snprintf(config[0], sizeof config[0], "%s/a", config_dir);
    snprintf(config[1], sizeof config[1], "%s/b", config_dir);
    snprintf(config_link, sizeof config_link, "%s-config", disk_dir());
    config_now = config[0];
    if (symlink(config_now, config_link) != 0)
        sim_fail("symlink");
    world_make_firms();
    truth_begin();
    feeders_begin();
    listeners_begin();
    officers_begin();
    keep_alive(NULL, 0);
    for (unsigned d = 0; d < days; d++)
        a_day();
    calm();
    die(DISK_KILL);
    sim_say("%zu signals, %llu entries, %llu events; %u starts, %u stops, %u deaths, %u power cuts, %u reloads", world_n,
            (unsigned long long)truth_number(), (unsigned long long)truth_events(), starts, stops, deaths, cuts, reloads);
    feeders_finish();
    truth_finish();
}
