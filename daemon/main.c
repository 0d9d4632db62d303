/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarnd: the order of start and stop. Main thread: the loop, every socket, all replies; the journal and
 * the state are the writer thread's, LMDB writes the view thread's, long answers the query thread's. */
#include "daemon/auth.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/events.h"
#include "daemon/feeds.h"
#include "daemon/loop.h"
#include "daemon/query.h"
#include "daemon/sdnotify.h"
#include "daemon/server.h"
#include "daemon/socket.h"
#include "daemon/writer.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "store/disk.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    READERS_TICKS = 60, /* how often slots of dead readers of the view are looked for */
    EXTEND_MS = 30000,  /* asked for again and again while folding */
    MESSAGE_SLACK =
        4 /* a frame of so many max_bytes is read and answered; a larger one ends its connection */
};

struct daemon {
    struct options options;
    struct config *config;
    struct config *bound; /* whose endpoints are open */
    char *state_dir;      /* of the start: threads name it, a reload does not change it */
    struct auth_endpoint endpoints[LISTEN_MAX];
    struct loop *loop;
    struct watch *wake;
    struct recovered recovered;
    struct clock clock;
    struct writer *writer;
    struct query_thread *queries;
    struct events *events;
    struct sockets *sockets;
    struct auth *auth;
    struct server *server;
    bool ready, ended;
    uint64_t beats; /* of the writer at the last watchdog */
    unsigned ticks;
    char problem[256];
    struct err err;
    int code; /* of the end: 0, or WW_E... with its sentence in err */
};

/* ---- the end ---- */

static void end(struct daemon *d, int code)
{
    if (!d->ended)
        d->code = code;
    d->ended = true;
    loop_leave(d->loop);
}

/* The first failure of a thread ends the daemon: nothing more is said to anybody, senders send again. */
static bool failed(struct daemon *d)
{
    const struct err *err = d->writer ? writer_failed(d->writer) : NULL;
    if (!err)
        return false;
    if (!d->ended) {
        d->err = *err;
        end(d, err->code ? err->code : WW_EIO);
    }
    return true;
}

static void on_stop(void *arg)
{
    struct daemon *d = arg;
    if (d->ended)
        return;
    log_line(LOG_L_NOTICE, "stopping", NULL);
    sdnotify_stopping();
    sdnotify_extend(EXTEND_MS);
    end(d, 0);
}

/* Finishes the batch in hand, answers it, takes a last checkpoint. */
static void finish_work(struct daemon *d)
{
    if (d->sockets)
        sockets_pause(d->sockets);
    if (!d->writer || failed(d))
        return;
    writer_drain(d->writer);
    if (failed(d)) { /* it had not failed before: tell that, not a clean end */
        d->code = writer_failed(d->writer)->code;
        d->err = *writer_failed(d->writer);
    } else if (d->server)
        server_last_words(d->server);
}

static void close_all(struct daemon *d)
{
    query_stop(d->queries);
    server_destroy(d->server);
    events_close(d->events);
    auth_destroy(d->auth);
    sockets_destroy(d->sockets);
    writer_stop(d->writer);
    recover_close(&d->recovered);
    loop_destroy(d->loop);
    config_release(d->config);
    config_release(d->bound);
    free(d->state_dir);
}

/* ---- ready ---- */

static int bind_all(struct daemon *d)
{
    char addresses[512] = "";
    for (unsigned i = 0; i < d->bound->n_listen; i++) {
        const struct config_listen *l = &d->bound->listen[i];
        char domain[12], secret[KEY_TEXT_LEN + 1];
        if (l->curve) {
            int code = auth_read_secret(l->curve, secret, &d->err);
            if (code)
                return code;
        }
        auth_domain(i, domain);
        struct endpoint e = {l->address, domain, l->curve ? secret : NULL};
        int code = sockets_bind(d->sockets, &e, (size_t)d->config->limits.max_bytes * MESSAGE_SLACK, &d->err);
        if (code)
            return code;
        size_t n = strlen(addresses);
        snprintf(addresses + n, sizeof addresses - n, "%s%s", n ? "," : "", sockets_address(d->sockets, i));
    }
    log_line(LOG_L_NOTICE, "ready", "endpoint=%s journal=%" PRIu64 " version=%s", addresses,
             writer_number(d->writer), WW_VERSION);
    return 0;
}

/* The doors open once the journal has the settings in force, so that nothing is judged under none. */
static void open_doors(struct daemon *d)
{
    int code = bind_all(d);
    if (code) {
        end(d, code);
        return;
    }
    d->ready = true;
    sdnotify_ready();
    sdnotify_status("ready, journal at %" PRIu64, writer_number(d->writer));
}

/* ---- callbacks of the loop ---- */

static void on_wake(void *arg)
{
    struct daemon *d = arg;
    if (d->ended || failed(d))
        return;
    server_woken(d->server);
    if (!d->ready && server_settled(d->server))
        open_doors(d);
}

static void pass_word(void *arg)
{
    loop_wake(arg);
}

static void on_message(void *arg, const struct wire_in *in)
{
    struct daemon *d = arg;
    server_message(d->server, in);
}

static void on_turn(void *arg)
{
    struct daemon *d = arg;
    server_turn(d->server);
}

static void on_tick(void *arg)
{
    struct daemon *d = arg;
    struct err err;
    if (d->ended || failed(d))
        return;
    server_tick(d->server);
    if (++d->ticks % READERS_TICKS == 0 && view_check_readers(d->recovered.view, &err))
        log_line(LOG_L_WARNING, "view readers not checked", "reason=\"%s\"", err.msg);
    if (d->ready && d->ticks % READERS_TICKS == 0 && !*d->problem)
        sdnotify_status("ready, journal at %" PRIu64, writer_number(d->writer));
}

/* That this runs shows that the loop moves; the writer must have moved as well. */
static void on_watchdog(void *arg)
{
    struct daemon *d = arg;
    uint64_t beats = writer_beats(d->writer);
    if (beats != d->beats)
        sdnotify_watchdog();
    d->beats = beats;
}

/* ---- reload ---- */

static void set_auth(struct daemon *d)
{
    for (unsigned i = 0; i < d->bound->n_listen; i++)
        d->endpoints[i] =
            (struct auth_endpoint){d->bound->listen[i].principal, d->bound->listen[i].curve != NULL};
    auth_set(d->auth, d->endpoints, d->bound->n_listen, &d->config->principals);
}

static void refuse_reload(struct daemon *d, const struct report *report)
{
    report_log(report, "reload refused");
    snprintf(d->problem, sizeof d->problem, "the configuration has %zu mistake%s; the old one is in force",
             report->errors, report->errors == 1 ? "" : "s");
    sdnotify_status("%s", d->problem);
}

static void take_config(struct daemon *d, struct config *next)
{
    const char *restart = config_needs_restart(d->bound, next);
    if (restart)
        log_line(LOG_L_WARNING, "restart needed", "key=%s", restart);
    else {
        config_hold(next);
        config_release(d->bound);
        d->bound = next;
    }
    config_release(d->config);
    d->config = next;
    *d->problem = 0;
    if (restart)
        snprintf(d->problem, sizeof d->problem, "\"%s\" was changed: that takes effect at a restart",
                 restart);
    set_auth(d);
    server_configure(d->server, next);
    log_line(LOG_L_NOTICE, "reloaded", NULL);
    if (*d->problem)
        sdnotify_status("%s", d->problem);
    else
        sdnotify_status("ready, journal at %" PRIu64, writer_number(d->writer));
}

static void on_reload(void *arg)
{
    struct daemon *d = arg;
    if (d->ended || !d->ready)
        return;
    sdnotify_reloading();
    struct report report = {0};
    struct config *next = config_load(&d->options, &report);
    if (next)
        take_config(d, next);
    else
        refuse_reload(d, &report);
    server_problem(d->server, *d->problem ? d->problem : NULL);
    report_finish(&report);
    sdnotify_ready();
}

/* ---- start ---- */

static void on_fold(void *arg, uint64_t folded, uint64_t total)
{
    (void)arg;
    sdnotify_extend(EXTEND_MS);
    sdnotify_status("folding the journal, %" PRIu64 " of %" PRIu64 " entries", folded, total);
}

/* While the journal is folded nothing is gathered yet, and what was folded is safe at any moment. */
static void leave_at_once(int signo)
{
    (void)signo;
    _exit(0);
}

static int recover_state(struct daemon *d)
{
    struct recover_options o = {
        .rebuild = d->options.rebuild,
        .cache_bytes = (size_t)d->config->limits.cache,
        .dirty_max = (size_t)d->config->limits.debt,
        .progress = on_fold,
        .arg = d,
    };
    int64_t began = loop_ms();
    d->state_dir = mem_strndup(d->config->state_dir, strlen(d->config->state_dir));
    int code = recover(d->state_dir, &o, &d->recovered, &d->err);
    if (code)
        return code;
    log_line(LOG_L_NOTICE, "recovered", "journal=%" PRIu64 " folded=%" PRIu64 " rebuilt=%s ms=%" PRId64,
             journal_last(d->recovered.journal), d->recovered.folded, d->recovered.rebuilt ? "yes" : "no",
             loop_ms() - began);
    return 0;
}

static void start_clock(struct daemon *d)
{
    enum clock_start found = clock_init(&d->clock, journal_last_time(d->recovered.journal), NULL);
    if (found == CLOCK_BEHIND)
        log_line(LOG_L_WARNING, "clock is behind the journal",
                 "effect=\"its time stands still until the clock catches up\"");
    else if (found == CLOCK_GAP_UNSYNCED)
        log_line(LOG_L_WARNING, "clock is not synchronised",
                 "effect=\"more than a day since the journal's end, believed\"");
}

static int start_threads(struct daemon *d, struct feeds *feeds, uint8_t settings_hash[CHAIN_LEN], size_t *n_hash,
                         uint64_t *head)
{
    feeds_init(feeds, d->recovered.engine); /* while no other thread has the engine */
    struct slice hash = engine_settings_hash(d->recovered.engine);
    *n_hash = hash.n <= CHAIN_LEN ? hash.n : 0;
    if (*n_hash)
        memcpy(settings_hash, hash.p, *n_hash);
    *head = engine_events(d->recovered.engine);
    struct writer_options w = {
        .dir = d->state_dir,
        .clock = &d->clock,
        .debt_max = (size_t)d->config->limits.debt,
        .free_min_ppm = (uint64_t)d->config->limits.disk_free_ppm,
        .done = pass_word,
        .arg = d->wake,
    };
    int code = writer_start(&d->writer, &d->recovered, &w, &d->err);
    if (code)
        return code;
    char *journal_dir = disk_path(d->state_dir, "journal");
    struct query_options q = {
        .view = d->recovered.view,
        .writer = d->writer,
        .dict = engine_dict(d->recovered.engine),
        .journal_dir = journal_dir,
        .done = pass_word,
        .arg = d->wake,
    };
    code = query_start(&d->queries, &q, &d->err);
    free(journal_dir);
    return code;
}

static int start_server(struct daemon *d)
{
    uint8_t hash[CHAIN_LEN];
    size_t n_hash = 0;
    uint64_t head = 0;
    static struct feeds feeds;
    int code = start_threads(d, &feeds, hash, &n_hash, &head);
    if (!code)
        code = events_open(&d->events, d->recovered.view, engine_dict(d->recovered.engine), head, &d->err);
    struct socket_calls calls = {on_message, on_turn, d};
    if (!code)
        code = sockets_create(&d->sockets, d->loop, &calls, &d->err);
    if (!code)
        code = auth_create(&d->auth, d->loop, sockets_context(d->sockets), &d->err);
    if (code)
        return code;
    set_auth(d);
    struct server_options o = {
        .loop = d->loop,
        .sockets = d->sockets,
        .auth = d->auth,
        .writer = d->writer,
        .queries = d->queries,
        .events = d->events,
        .clock = &d->clock,
        .store_id = journal_store_id(d->recovered.journal),
        .key = journal_key(d->recovered.journal),
        .settings_hash = {(const char *)hash, n_hash},
        .feeds = &feeds,
    };
    d->server = server_create(&o, d->config);
    return 0;
}

static int make_loop(struct daemon *d)
{
    int code = loop_create(&d->loop, &d->err);
    if (code)
        return code;
    d->wake = loop_waker(d->loop, on_wake, d, &d->err);
    return d->wake ? 0 : d->err.code;
}

static void watch_signals(struct daemon *d)
{
    loop_signal(d->loop, SIGTERM, on_stop, d);
    loop_signal(d->loop, SIGINT, on_stop, d);
    loop_signal(d->loop, SIGHUP, on_reload, d);
}

static int run(struct daemon *d)
{
    int code = make_loop(d);
    if (!code)
        code = recover_state(d);
    if (code)
        return code;
    watch_signals(d);
    start_clock(d);
    code = start_server(d);
    if (code)
        return code;
    loop_timer(d->loop, TICK_MS, on_tick, d);
    if (sdnotify_watchdog_ms())
        loop_timer(d->loop, sdnotify_watchdog_ms() / 2, on_watchdog, d);
    writer_want_view(d->writer, writer_number(d->writer)); /* events of the tail become readable */
    loop_wake(d->wake);
    loop_run(d->loop);
    finish_work(d);
    return d->code;
}

static int serve(struct daemon *d)
{
    int code = run(d);
    if (code) {
        err_prefix(&d->err, "wagewarnd");
        log_line(LOG_L_ERROR, d->err.msg, NULL);
    }
    if (code && d->writer && !d->ended)
        finish_work(d);
    close_all(d);
    if (!code)
        log_line(LOG_L_NOTICE, "stopped", NULL);
    return err_exit_status(code);
}

static void prepare_process(void)
{
    struct rlimit files;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* until there is something to reload */
    signal(SIGTERM, leave_at_once);
    signal(SIGINT, leave_at_once);
    umask(umask(0) | 027);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max; /* a descriptor a client */
        if (setrlimit(RLIMIT_NOFILE, &files) < 0)
            log_line(LOG_L_WARNING, "few open files", "limit=%llu", (unsigned long long)files.rlim_cur);
    }
}

int main(int argc, char **argv)
{
    struct daemon d = {0};
    int code = options_parse(&d.options, argc, argv);
    if (code)
        return code > 0 ? 0 : err_exit_status(code);
    log_open(LOG_L_INFO);
    prepare_process();
    struct report report = {0};
    d.config = config_load(&d.options, &report);
    if (!d.config) {
        report_print(&report, "nothing started");
        code = err_exit_status(report.code);
        report_finish(&report);
        return code;
    }
    if (d.options.check_config) {
        printf("%s: good\n", d.options.config ? d.options.config : "built-in configuration");
        config_release(d.config);
        return 0;
    }
    d.bound = d.config;
    config_hold(d.bound);
    sdnotify_open();
    code = serve(&d);
    sdnotify_close();
    return code;
}
