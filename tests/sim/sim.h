/* SPDX-License-Identifier: Apache-2.0 */
/* The whole daemon in a bottle: its own code, main() and all, on a simulated clock, network and disk, in one thread, from
 * one seed. The same seed gives the same run, to the byte; a failure is a seed.
 *
 * The rooms, one a file:
 *   sched    time, and the daemon's threads as coroutines: whose turn it is is drawn
 *   disk     what the journal writes and syncs; faults; what a power cut leaves
 *   net      stands in for daemon/socket, daemon/auth and daemon/loop
 *   feeder, officer, listener   the clients
 *   truth    the durable journal folded anew; each thing that the daemon says is held against it
 *   world    firms and signals that may happen; days, and what goes wrong in them
 * Everything is in one process that lives one seed long; state is static, in its room. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "engine/event.h"
#include "lib/buf.h"
#include "lib/codec.h"
#include "lib/val.h"
#include "store/recover.h"

#define MS INT64_C(1000) /* times are microseconds since the run began, if not said otherwise */
#define SECOND (1000 * MS)
#define NEVER INT64_MAX

/* ---- sched: the seed, time, coroutines ---- */
extern int64_t sim_now; /* goes on while the daemon is dead, too */
extern bool sim_verbose;

void sim_seed(uint64_t seed);
uint64_t sim_draw(uint64_t below);            /* 0 to below - 1 */
bool sim_chance(unsigned in_1000);
int64_t sim_between(int64_t least, int64_t most);

int64_t sim_wall_ms(void);                    /* what the system's clock says: may be set */
int64_t sim_true_ms(void);                    /* what it should say */
void sim_set_wall(int64_t by_ms);
void sim_skip(int64_t us);                    /* the whole machine sleeps; what was due comes late */

void sim_at(int64_t at, void (*call)(void *arg, uint64_t n), void *arg, uint64_t n);
void sim_run_until(int64_t at);               /* threads and calls, in order of time, ties drawn */

struct coro;
struct coro *sim_spawn(void *(*run)(void *), void *arg);
bool sim_ended(const struct coro *);
void sim_reap(struct coro *);
bool sim_in_thread(void);                     /* the code that asks is the daemon's */
void sim_pause(int64_t us);                   /* the thread that asks sleeps */
int64_t sim_wait(const void *what, int64_t until); /* ... until woken by sim_wake(what) or then; returns the time */
void sim_wake(const void *what, bool all);
void sim_finish_threads(struct coro *);       /* runs threads alone until that one has ended: the world stands still */

void sim_fail(const char *fmt, ...) WW_PRINTF(1, 2); /* an invariant is broken: says where and ends the process */
void sim_say(const char *fmt, ...) WW_PRINTF(1, 2);  /* when verbose: a line of the story */
void sim_digest(const void *p, size_t n);     /* what happened goes into the run's fingerprint */
uint64_t sim_fingerprint(void);

/* ---- disk ---- */
struct disk_faults {
    int64_t sync_least, sync_most;            /* how long a sync takes */
    bool full;                                /* no room */
    unsigned eio_in_1000;                     /* of syncs and writes of the journal */
    unsigned short_in_1000;                   /* of writes */
};
extern struct disk_faults disk_faults;
extern size_t disk_segment_bytes;

void disk_open(const char *base);             /* a folder for all images */
void disk_finish(void);
const char *disk_dir(void);                   /* state directory of the life now */
uint64_t disk_durable(void);                  /* last entry whose batch is synced, by what was written and synced alone */
bool disk_has_failed(void);                   /* an EIO was given since the last image: the daemon must end */
bool disk_was_full(void);                     /* no room was left at some time since the start */
enum disk_end { DISK_KILL, DISK_POWER };      /* kill: what was written stays; power: what was not synced may be gone */
void disk_image(enum disk_end);               /* the next life's directory, as the machine finds it */
void disk_bury(void);                         /* the one before it, once nobody has it open */
void disk_remove(const char *path);           /* and all that is in it */
extern bool disk_ghost;                       /* the process is dead already: what it still does goes nowhere, no faults */

/* ---- net ---- */
struct conn;
struct link {                                 /* what a client does when ... */
    void (*up)(void *arg);                    /* its connection is open */
    void (*down)(void *arg);                  /* it is gone */
    void (*said)(void *arg, const char *verb, struct slice body); /* ... the daemon sends it something */
    void (*heard)(void *arg, const char *verb, struct slice body); /* ... that arrives */
    void *arg;
    const char *user;                         /* its principal */
};
extern int64_t net_delay_most;
extern bool net_cut;                          /* nobody gets through */
void net_dial(const struct link *, struct conn **); /* later up(), as soon as the daemon listens; *conn NULL until then */
void net_send(struct conn *, const char *verb, const struct buf *body);
void net_hang_up(struct conn **);             /* by the client; down() is not called */
void net_stall(struct conn *, bool);          /* it reads nothing */
void net_break_all(void);                     /* every connection, messages on their way with them */
void net_signal(int signo);                   /* to the daemon */
void net_forget_signals(void);                /* those were for another process */
bool net_listens(void);
extern bool net_ghost;

/* ---- world ---- */
enum { FIRMS = 40, SOURCES = 4, SIGNALS_MAX = 50000 };
struct sim_signal {
    int source, firm;
    char id[24], kind[40];
    int64_t at;
    int64_t people, amount;                   /* NO_INT */
    uint64_t cancels;                         /* index + 1 of another; 0: none */
    bool exercise, by_name, sent, acked, rejected;
    uint64_t number;                          /* in the journal, as truth found it; 0: not yet */
};
struct sim_firm {
    char uscc[19], name[40], region[13], industry[8];
};
extern struct sim_signal *world_signals;
extern size_t world_n;
extern const struct sim_firm *world_firm(int);
extern const char *const world_sources[SOURCES];
void world_make_firms(void);
size_t world_happen(int source);              /* something new; its index */

/* ---- clients ---- */
void feeders_begin(void);
void feeders_work(int source, size_t n);      /* so many new signals */
void feeders_hurry(bool);                     /* what is sent from now on must be answered at once */
bool feeders_done(void);                      /* all are acknowledged */
void feeders_finish(void);

enum { LISTENERS = 6 };
void listeners_begin(void);
void listeners_generous(bool);                /* credit at once, no stalls */
bool listeners_done(void);                    /* each has been told of everything there is */
void listeners_say(void);

void officers_begin(void);
void officers_heed(const char *user, uint64_t seq); /* an event that one of its listeners was told */
void officers_work(void);                     /* each turns to an alert that it knows */

/* ---- truth ---- */
struct truth_event {
    uint64_t alert, entry, version;
    int64_t at;
    uint8_t type, level_before, level;
    uint32_t score;
    char uscc[19];
    uint32_t n_places;
    region_t *places;
};
void truth_begin(void);
void truth_catch_up(void);                    /* folds what is durable by now */
uint64_t truth_events(void);
uint64_t truth_number(void);
int64_t truth_next_due(void);                 /* ms since the epoch */
const struct truth_event *truth_event(uint64_t seq); /* NULL: there is none, durably */
bool truth_action(uint64_t entry, struct slice principal, uint64_t alert); /* it is there, and was taken */
uint64_t truth_number_of(int source, const char *id); /* 0: not in the journal */
void truth_restarted(void);                   /* another directory, the same journal */
void truth_compare_view(void);                /* of a daemon that has stopped */
void truth_everything(void);                  /* at rest: each acknowledged signal once, in order */
void truth_finish(void);

/* ---- days ---- */
int daemon_main(int argc, char **argv);       /* daemon/main.c */
void days_run(unsigned days, const char *config_dir);

#endif
