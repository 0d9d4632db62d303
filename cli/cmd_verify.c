/* SPDX-License-Identifier: Apache-2.0 */
/* wagewarn verify: is a store whole? Prints what store/verify finds; needs no daemon and may run beside one.
 * The fold that the view is compared with goes to a folder of its own in $TMPDIR or /var/tmp. */
#include "cli/document.h"
#include "cli/output.h"
#include "cli/text.h"
#include "store/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct checking {
    struct cli *cli;
    struct document_list problems;
    char *scratch; /* folder for the fold; NULL: none */
    bool progress;
    pid_t parent;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* ---- while it runs ---- */

static void tell_problem(void *arg, const char *sentence)
{
    struct checking *c = arg;
    struct arena *a = &c->cli->arena;
    document_list_add(&c->problems, document_of_text(arena_printf(a, "%s", sentence)));
    if (c->progress)
        fputs("\r\033[K", stderr);
    cli_say("%s", text_safe(a, sentence));
}

/* In this process, and in the child that folds: Ctrl-C reaches both, and leaves nothing behind. */
static void tell_progress(void *arg, uint64_t done, uint64_t total)
{
    struct checking *c = arg;
    if (interrupted && getpid() != c->parent)
        _exit(1);
    if (interrupted) {
        if (c->scratch)
            rmdir(c->scratch);
        _exit(128 + SIGINT);
    }
    if (c->progress && total)
        fprintf(stderr, tr("\rchecking %3d %%", "\r检查 %3d %%"), (int)(done * 100 / total));
}

/* ---- what came of it ---- */

static void tell_document(struct checking *c, const struct verify_report *r)
{
    struct document d = {0}, view = {0};
    document_text(&d, "dir", c->cli->args[0]);
    document_bool(&d, "whole", r->problems == 0);
    document_int(&d, "first", (int64_t)r->first);
    document_int(&d, "last", (int64_t)r->last);
    document_int(&d, "first_at", r->first_time);
    document_int(&d, "last_at", r->last_time);
    document_int(&d, "segments", (int64_t)r->segments);
    document_int(&d, "batches", (int64_t)r->batches);
    document_int(&d, "entries", (int64_t)r->entries);
    document_int(&d, "bytes", (int64_t)r->bytes);
    document_int(&d, "unacknowledged_bytes", (int64_t)r->unacknowledged);
    if (r->has_view) {
        document_int(&view, "last", (int64_t)r->view_number);
        document_int(&view, "rows", (int64_t)r->view_rows);
        document_bool(&view, "compared", r->folded);
        document_map(&d, "view", &view);
    }
    document_int(&d, "problems_total", (int64_t)r->problems);
    document_list(&d, "problems", &c->problems);
    struct ww_value v = document_value(&d);
    out_document(c->cli, &v);
}

static void tell_words(struct checking *c, const struct verify_report *r)
{
    struct arena *a = &c->cli->arena;
    printf(tr("journal: entries %s to %s, %s to %s; segments: %s, bytes: %s\n",
              "日志：第 %s 至 %s 条，%s 至 %s；分段 %s 个，共 %s 字节\n"),
           text_count(a, r->first), text_count(a, r->last), text_time(a, r->first_time),
           text_time(a, r->last_time), text_count(a, r->segments), text_count(a, r->bytes));
    if (r->unacknowledged)
        printf(tr("  %s bytes at its end were never acknowledged; the next start drops them\n",
                  "  末尾 %s 字节从未确认，下次启动时丢弃\n"),
               text_count(a, r->unacknowledged));
    if (!r->has_view)
        printf("%s\n",
               tr("view: none; the next start folds it from the journal", "视图：无；下次启动时由日志重建"));
    else
        printf(tr("view: %s rows, as of entry %s%s\n", "视图：%s 行，截至第 %s 条%s\n"),
               text_count(a, r->view_rows), text_count(a, r->view_number),
               r->folded ? tr("; the journal gives the same", "；与日志一致") : "");
}

static int tell(struct checking *c, const struct verify_report *r, int code, const struct err *err)
{
    if (c->progress)
        fputs("\r\033[K", stderr);
    if (code != 0 && code != WW_EDAMAGED && code != WW_EAGAIN) {
        cli_say("%s", text_safe(&c->cli->arena, err->msg));
        return err_exit_status(code);
    }
    if (c->cli->format != FORMAT_TABLE)
        tell_document(c, r);
    else
        tell_words(c, r);
    if (code == WW_EAGAIN)
        cli_say("%s", text_safe(&c->cli->arena, err->msg));
    else if (c->cli->format == FORMAT_TABLE && code == 0)
        printf("%s\n", tr("whole", "完好"));
    else if (code != 0)
        cli_say(tr("%" PRIu64 " found: not whole", "发现 %" PRIu64 " 处：不完好"), r->problems);
    return err_exit_status(code);
}

static char *make_scratch(struct cli *cli)
{
    const char *tmp = getenv("TMPDIR");
    char *path = arena_printf(&cli->arena, "%s/wagewarn-verify-XXXXXX", tmp && *tmp ? tmp : "/var/tmp");
    if (mkdtemp(path))
        return path;
    cli_say(tr("cannot make a folder in %s: %s; name another in TMPDIR, or check without the fold: --quick",
               "无法在 %s 建立目录：%s；用 TMPDIR 另指一处，或用 --quick 不重放"),
            text_safe(&cli->arena, tmp && *tmp ? tmp : "/var/tmp"), strerror(errno));
    return NULL;
}

int cmd_verify(struct cli *cli)
{
    struct checking c = {.cli = cli, .progress = isatty(STDERR_FILENO), .parent = getpid()};
    struct verify_options o = {.problem = tell_problem, .progress = tell_progress, .arg = &c};
    struct verify_report report;
    struct err err = {0};
    if (!cli->values[O_QUICK]) {
        c.scratch = make_scratch(cli);
        if (!c.scratch)
            return err_exit_status(WW_EIO);
        o.fold_in = arena_printf(&cli->arena, "%s/view", c.scratch);
    }
    signal(SIGINT, on_interrupt);
    int code = verify(cli->args[0], &o, &report, &err);
    if (c.scratch)
        rmdir(c.scratch);
    int status = interrupted ? 128 + SIGINT : tell(&c, &report, code, &err);
    document_list_finish(&c.problems);
    return status;
}
