/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn-feed: an agency's export in, signals out. Owns the order of start and stop, the loop over inputs,
 * and the exit status. Rows that are refused do not make it fail: a nightly job goes on, and the summary
 * tells. One thread. */
#include "adapters/feed_options.h"
#include "adapters/follow.h"
#include "adapters/input.h"
#include "adapters/library.h"
#include "adapters/report.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct feed {
    struct feed_options opt;
    struct profile *profile;
    struct kinds *kinds;
    struct spool *spool;
    struct rejects *rejects;
    char *rejects_dir;
    struct sink *sink;
    struct input_context context;
    struct report report;
};

static volatile sig_atomic_t stop;

static void on_stop(int signal)
{
    (void)signal;
    stop = 1;
}

static void catch_signals(void)
{
    struct sigaction act = {.sa_handler = on_stop}; /* no SA_RESTART: a wait must end */
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGINT, &act, NULL);
}

static int complain(const struct report *r, const struct err *err)
{
    report_progress_end(r);
    fprintf(stderr, "wagewarn-feed: %s\n", err->msg);
    return err->code;
}

/* ---- one input after the other ---- */

static void summarise(struct feed *f, const struct input *in)
{
    const char *rejects = f->opt.rejects ? f->opt.rejects : input_rejects_path(in);
    report_summary(&f->report, input_path(in), input_tally(in), rejects, input_resumed(in));
}

static int read_to_end(struct feed *f, const char *path)
{
    struct input *in;
    struct err err = {0};
    int rc = input_open(&in, path, &f->context, &err);
    if (rc)
        return complain(&f->report, &err);
    while ((rc = input_step(in, true, &err)) == 1 && !stop)
        report_progress(&f->report, path, input_tally(in));
    if (rc == 1)
        rc = err_set(&err, WW_EAGAIN, "stopped while reading %s; start again to go on", path);
    if (rc < 0)
        complain(&f->report, &err);
    else
        summarise(f, in);
    input_close(in);
    return rc;
}

/* The first failure is the status, but one broken file does not keep the others back. */
static int read_all(struct feed *f)
{
    int first = 0;
    for (size_t i = 0; i < f->opt.n_inputs && !stop; i++) {
        int rc = read_to_end(f, f->opt.inputs[i]);
        first = first ? first : rc;
        if (rc == WW_EUNREACH || rc == WW_EDENIED || rc == WW_EFULL)
            break; /* the next would fare no better */
    }
    return first;
}

/* ---- following ---- */

struct followed {
    const char *path;
    struct input *in; /* NULL: not there now, or at its end */
    bool over;        /* a pipe that is closed */
};

static bool passes(int code)
{
    return (code == WW_EUNREACH || code == WW_EAGAIN) && !stop;
}

static int finish_followed(struct feed *f, struct followed *one, struct err *err)
{
    int rc = 1;
    while (rc == 1)
        rc = input_step(one->in, true, err);
    summarise(f, one->in);
    input_close(one->in);
    one->in = NULL;
    return rc;
}

/* 1: something was read; 0: nothing to do now; negative: a fault that waiting does not mend. */
static int step_followed(struct feed *f, struct followed *one, struct err *err)
{
    int rc;
    if (one->over)
        return 0;
    if (!one->in) { /* replaced, and the new file is perhaps not there yet */
        if (access(one->path, F_OK) != 0)
            return 0;
        if ((rc = input_open(&one->in, one->path, &f->context, err)))
            return rc;
    }
    rc = input_step(one->in, false, err);
    if (rc)
        return passes(rc) ? 0 : rc;
    if (!input_ended(one->in) && !input_replaced(one->in))
        return 0;
    one->over = input_ended(one->in);
    rc = finish_followed(f, one, err);
    return rc < 0 ? rc : 1;
}

static int open_followed(struct feed *f, struct followed *list, struct err *err)
{
    for (size_t i = 0; i < f->opt.n_inputs; i++) {
        list[i].path = f->opt.inputs[i];
        int rc = input_open(&list[i].in, list[i].path, &f->context, err);
        if (rc)
            return rc;
    }
    return 0;
}

static void close_followed(struct feed *f, struct followed *list)
{
    for (size_t i = 0; i < f->opt.n_inputs; i++) {
        if (list[i].in)
            summarise(f, list[i].in);
        input_close(list[i].in);
    }
}

static void wait_for_more(struct feed *f, struct followed *list, struct follow *follow)
{
    size_t n = f->opt.n_inputs;
    int *fds = mem_alloc(n * sizeof *fds);
    for (size_t i = 0; i < n; i++)
        fds[i] = list[i].in ? input_fd(list[i].in) : -1;
    follow_wait(follow, fds, n);
    free(fds);
}

static int catch_up(struct feed *f, struct err *err)
{
    int rc = f->sink->ops->catch_up ? f->sink->ops->catch_up(f->sink, err) : 0;
    return passes(rc) ? 0 : rc;
}

static int follow_all(struct feed *f)
{
    struct err err = {0};
    size_t n = f->opt.n_inputs, over = 0;
    struct followed *list = mem_zalloc(n * sizeof *list);
    struct follow *follow = follow_open(f->opt.inputs, n);
    int rc = open_followed(f, list, &err);
    while (!rc && !stop && over < n) {
        bool any = false;
        over = 0;
        for (size_t i = 0; i < n && rc >= 0; i++) {
            rc = step_followed(f, &list[i], &err);
            any |= rc == 1;
            over += list[i].over;
        }
        rc = rc < 0 ? rc : catch_up(f, &err);
        if (!rc && !any && over < n && !stop)
            wait_for_more(f, list, follow);
    }
    if (rc && !stop)
        complain(&f->report, &err);
    close_followed(f, list);
    follow_close(follow);
    free(list);
    return stop ? 0 : rc;
}

/* ---- start ---- */

static int load_profile(struct feed *f, struct err *err)
{
    struct buf said = {0};
    int rc = library_profile(f->opt.profile, &f->profile, &said, err);
    fwrite(said.n ? (const char *)said.p : "", 1, said.n, stderr);
    buf_finish(&said);
    return rc;
}

/* The daemon's own table where it can be had, else the shipped one. */
static int load_kinds(struct feed *f, struct err *err)
{
    struct buf said = {0};
    int rc = WW_EREFUSED;
    if (!f->opt.dry && !f->opt.kinds)
        rc = sink_daemon_kinds(f->sink, &f->kinds, err);
    if (rc == WW_EREFUSED || rc == WW_EDENIED)
        rc = library_kinds(f->opt.kinds, &f->kinds, err);
    if (!rc)
        rc = profile_check_kinds(f->profile, f->kinds, &said, err);
    fwrite(said.n ? (const char *)said.p : "", 1, said.n, stderr);
    buf_finish(&said);
    return rc;
}

static int open_spool(struct feed *f, struct err *err)
{
    struct timespec t;
    char *dir = feed_spool_dir(&f->opt, err);
    if (!dir)
        return err->code;
    int rc = spool_open(&f->spool, dir, f->opt.endpoint, f->profile->name, err);
    size_t n = strlen(dir) + sizeof "/rejects";
    f->rejects_dir = mem_alloc(n);
    snprintf(f->rejects_dir, n, "%s/rejects", dir);
    free(dir);
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t before = (int64_t)t.tv_sec * 1000 - (int64_t)f->profile->resend_days * DAY_MS;
    return rc ? rc : spool_prune(f->spool, before, err);
}

static int open_sink(struct feed *f, struct err *err)
{
    if (f->opt.dry) {
        f->sink = sink_print_open(f->opt.tap, &stop);
        return 0;
    }
    int rc = open_spool(f, err);
    if (rc)
        return rc;
    struct daemon_options options = {
        .endpoint = f->opt.endpoint,
        .retry_ms = f->opt.retry_ms,
        .patient = f->opt.follow,
        .program = "wagewarn-feed " WW_VERSION,
        .spool = f->spool,
    };
    return sink_daemon_open(&f->sink, &options, &stop, err);
}

static int start(struct feed *f, struct err *err)
{
    int rc;
    if ((rc = load_profile(f, err)) || (rc = open_sink(f, err)) || (rc = load_kinds(f, err)))
        return rc;
    if (f->opt.rejects && (rc = rejects_open(&f->rejects, f->opt.rejects, err)))
        return rc;
    f->context = (struct input_context){
        .profile = f->profile,
        .kinds = f->kinds,
        .sink = f->sink,
        .spool = f->spool,
        .rejects = f->rejects,
        .rejects_dir = f->rejects_dir,
        .follow = f->opt.follow,
        .quiet = f->opt.tap,
    };
    f->report = (struct report){
        .profile = f->profile->name,
        .json = f->opt.json,
        .dry = f->opt.dry,
        .progress = isatty(STDERR_FILENO) && !f->opt.dry,
    };
    return 0;
}

static void finish(struct feed *f)
{
    rejects_close(f->rejects);
    if (f->sink)
        f->sink->ops->close(f->sink);
    spool_close(f->spool);
    kinds_destroy(f->kinds);
    profile_destroy(f->profile);
    free(f->rejects_dir);
}

static int run(struct feed *f)
{
    struct err err = {0};
    int rc = start(f, &err);
    if (rc)
        return stop ? WW_EAGAIN : complain(&f->report, &err);
    rc = f->opt.follow ? follow_all(f) : read_all(f);
    if (!rc && !f->opt.follow && (rc = catch_up(f, &err)))
        complain(&f->report, &err);
    return rc;
}

int main(int argc, char **argv)
{
    struct feed f = {0};
    int status;
    if (!feed_options(&f.opt, argc, argv, &status))
        return status;
    log_open(LOG_L_NOTICE);
    catch_signals();
    int rc = run(&f);
    finish(&f);
    return err_exit_status(rc);
}
