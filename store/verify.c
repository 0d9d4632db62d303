/* SPDX-License-Identifier: Apache-2.0 */
/* Walks all that is stored and says all that is wrong; see verify.h. Segments are looked at one by one, so
 * that damage in one hides nothing in the next. */
#include "store/verify.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mem.h"
#include "store/disk.h"
#include "store/recover.h"
#include "store/segment.h"

struct verifier {
    const char *dir;
    const struct verify_options *o;
    struct verify_report *report;
    struct err first;
    struct view_meta meta;
    bool meta_found; /* the journal has what the view says that it saw last */
    bool known;      /* what follows is that of the segment before */
    uint8_t key[SEGMENT_KEY_LEN], chain[CHAIN_LEN];
    uint64_t last, total;
    int64_t time;
};

static void problem(struct verifier *v, int code, const char *fmt, ...) WW_PRINTF(3, 4);

static void problem(struct verifier *v, int code, const char *fmt, ...)
{
    char sentence[sizeof v->first.msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    va_end(ap);
    if (v->report->problems++ == 0)
        err_set(&v->first, code, "%s", sentence);
    if (v->o->problem)
        v->o->problem(v->o->arg, sentence);
}

/* ---- the journal ---- */

static void check_head(struct verifier *v, const struct segment *s)
{
    const struct segment_head *h = &s->head;
    if (!v->known)
        return;
    if (memcmp(h->key, v->key, SEGMENT_KEY_LEN) != 0)
        problem(v, WW_EDAMAGED,
                "journal: %s, offset 0: it belongs to another journal than the segment before it", s->path);
    else if (h->first > v->last + 1)
        problem(v, WW_EDAMAGED,
                "journal: %s, offset 0: entries %" PRIu64 " to %" PRIu64 " are missing before it", s->path,
                v->last + 1, h->first - 1);
    else if (h->first < v->last + 1)
        problem(v, WW_EDAMAGED,
                "journal: %s, offset 0: it begins with entry %" PRIu64 ", which the segment before it has",
                s->path, h->first);
    else if (memcmp(h->chain, v->chain, CHAIN_LEN) != 0)
        problem(v, WW_EDAMAGED, "journal: %s, offset 0: the hash chain is broken before it", s->path);
}

static void note_batch(struct verifier *v, const struct segment_batch *b)
{
    struct verify_report *r = v->report;
    if (r->entries == 0) {
        r->first = b->first;
        r->first_time = b->time;
    }
    r->batches++;
    r->entries += b->n;
    r->last = v->last = b->first + b->n - 1;
    r->last_time = v->time = b->time;
    memcpy(v->chain, b->chain, CHAIN_LEN);
    if (v->report->has_view && v->last == v->meta.number)
        v->meta_found = memcmp(v->chain, v->meta.chain, CHAIN_LEN) == 0;
}

/* A batch that checks by itself: does it follow on the one before? `gap`: what was before it cannot be read.
 */
static void check_batch(struct verifier *v, const struct segment *s, const struct segment_batch *b, bool gap)
{
    const char *what = !gap && b->first != v->last + 1             ? "has another number than the next"
                       : !gap && !segment_batch_chain(b, v->chain) ? "breaks the hash chain"
                       : b->time < v->time                         ? "is older than the one before it"
                                                                   : NULL;
    if (what)
        problem(v, WW_EDAMAGED,
                "journal: %s, offset %" PRIu64 ": the batch of entries %" PRIu64 " to %" PRIu64 " %s",
                s->path, b->at, b->first, b->first + b->n - 1, what);
    if (b->bad_note)
        problem(v, WW_EDAMAGED,
                "journal: %s, offset %" PRIu64 ": the note of entry %" PRIu64
                " does not check; it is damaged, or its "
                "forgetting was interrupted: forget it again",
                s->path, b->at, b->bad_note);
    note_batch(v, b);
}

/* Nothing good is at `at`. Goes on behind the damage: 1 with *at there, 0 at the end of the segment, or
 * WW_EIO. */
static int behind_damage(struct verifier *v, struct segment *s, uint64_t *at, bool is_last, struct err *err)
{
    struct segment_batch b;
    uint64_t next, used;
    int rc = segment_search(s, *at + 1, &next, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        int state = segment_batch(s, *at, &b, err);
        rc = state < 0 ? state : segment_used(s, *at, &used, err);
        if (rc == 0 && state == SEGMENT_CUT)
            problem(v, WW_EDAMAGED,
                    "journal: %s, offset %" PRIu64 ": the file ends inside the batch after entry %" PRIu64
                    ", so it was cut short; 'wagewarn restore' a backup that has the rest",
                    s->path, *at, v->last);
        else if (rc == 0 && used > *at && is_last)
            v->report->unacknowledged = used - *at;
        else if (rc == 0 && used > *at)
            problem(v, WW_EDAMAGED,
                    "journal: %s, offset %" PRIu64 ": after entry %" PRIu64
                    " there are bytes that are no batch",
                    s->path, *at, v->last);
        return rc;
    }
    rc = segment_batch(s, next, &b, err);
    if (rc < 0)
        return rc;
    problem(v, WW_EDAMAGED,
            "journal: %s, offset %" PRIu64 ": entries %" PRIu64 " to %" PRIu64 " cannot be read; 'wagewarn "
            "restore' a backup that has them",
            s->path, *at, v->last + 1, b.first - 1);
    *at = next;
    return 1;
}

static bool torn(struct segment *s, const struct segment_batch *b, bool is_last)
{
    struct segment_batch next;
    struct err none;
    uint64_t at = b->at;
    return is_last && segment_batch(s, at + b->bytes, &next, &none) == SEGMENT_NONE &&
           segment_batch(s, at, &next, &none) == SEGMENT_NOTES;
}

static int check_batches(struct verifier *v, struct segment *s, bool is_last, struct err *err)
{
    struct segment_batch b;
    uint64_t at = SEGMENT_HEAD;
    bool gap = false;
    for (;;) {
        int rc = segment_batch(s, at, &b, err);
        if (rc < 0)
            return rc;
        if (rc == SEGMENT_NOTES && torn(s, &b, is_last)) {
            v->report->unacknowledged = b.bytes;
            return 0;
        }
        if (rc == SEGMENT_NOTES)
            rc = segment_batch(s, at, &b, err); /* looking behind it moved the window */
        if (rc >= SEGMENT_NOTES) {
            check_batch(v, s, &b, gap);
            gap = false;
            at += b.bytes;
            continue;
        }
        rc = behind_damage(v, s, &at, is_last, err);
        if (rc <= 0)
            return rc;
        gap = true;
    }
}

static int check_segment(struct verifier *v, const char *journal, uint64_t first, bool is_last,
                         struct err *err)
{
    struct segment *s;
    struct err why;
    int rc = segment_open(&s, journal, first, &why);
    if (rc == WW_EDAMAGED) {
        problem(v, rc, "%s", why.msg);
        v->known = false;
        return 0;
    }
    if (rc != 0)
        return err_set(err, rc, "%s", why.msg);
    check_head(v, s);
    if (!v->known)
        v->time = s->head.time;
    v->known = true;
    v->last = s->head.first - 1;
    memcpy(v->key, s->head.key, SEGMENT_KEY_LEN);
    memcpy(v->chain, s->head.chain, CHAIN_LEN);
    if (v->report->has_view && v->last == v->meta.number) /* the segment before it may be gone */
        v->meta_found = memcmp(v->chain, v->meta.chain, CHAIN_LEN) == 0;
    rc = check_batches(v, s, is_last, err);
    v->report->segments++;
    v->report->bytes += s->size;
    if (v->o->progress)
        v->o->progress(v->o->arg, v->report->segments, v->total);
    segment_close(s);
    return rc;
}

static int check_journal(struct verifier *v, struct err *err)
{
    uint64_t *firsts;
    size_t n;
    char *journal = disk_path(v->dir, "journal");
    int rc = segment_list(journal, &firsts, &n, err);
    if (rc == 0 && n == 0)
        rc = err_set(err, WW_ENOTFOUND,
                     "journal: there is none in %s; name a state directory or a backup of one", v->dir);
    v->total = n;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = check_segment(v, journal, firsts[i], i + 1 == n, err);
    free(firsts);
    free(journal);
    return rc;
}

/* ---- the view, in a child ---- */

struct from_child {
    int code;
    struct view_meta meta;
    uint64_t rows;
    bool has_view;
    char sentence[512];
};

struct counting {
    uint64_t rows;
};

static bool count_row(void *arg, struct slice key, struct slice value)
{
    struct counting *c = arg;
    (void)key;
    (void)value;
    c->rows++;
    return true;
}

static int read_rows(struct view *view, struct from_child *out, struct err *err)
{
    struct view_reader *r;
    struct counting c = {0};
    int rc = view_reader_open(&r, view, err);
    if (rc == 0)
        rc = view_reader_refresh(r, err);
    if (rc == 0)
        rc = view_get_meta(r, &out->meta, err);
    for (unsigned t = 0; t < T_COUNT && rc == 0; t++)
        rc = view_scan(r, (enum table)t, (struct slice){0}, VIEW_UP, count_row, &c, err);
    out->rows = c.rows;
    view_reader_close(r);
    return rc;
}

static int child_reads(const struct verifier *v, struct from_child *out, struct err *err)
{
    struct view *view = NULL;
    char *dir = disk_path(v->dir, "view");
    int rc = view_open(&view, dir, 0, true, err);
    out->has_view = rc != WW_ENOTFOUND;
    rc = rc == 0 ? read_rows(view, out, err) : rc == WW_ENOTFOUND ? 0 : rc;
    view_close(view);
    free(dir);
    return rc;
}

static int child_folds(const struct verifier *v, struct from_child *out, struct err *err)
{
    struct view *a = NULL, *b = NULL;
    struct err none;
    struct recover_options o = {.progress = v->o->progress, .arg = v->o->arg};
    char *dir = disk_path(v->dir, "view");
    int rc = recover_fold(v->dir, v->o->fold_in, v->meta.number, &o, err);
    if (rc == 0)
        rc = view_open(&a, dir, 0, true, err);
    if (rc == 0)
        rc = view_open(&b, v->o->fold_in, 0, true, err);
    if (rc == 0)
        rc = view_compare(a, b, err);
    if (rc == WW_EDAMAGED && read_rows(a, out, &none) == 0 && out->meta.number != v->meta.number)
        rc = err_set(err, WW_EAGAIN,
                     "view: %s moved on while it was folded; stop the daemon, or verify a backup", dir);
    view_close(a);
    view_close(b);
    free(dir);
    return rc;
}

static void run_child(const struct verifier *v, int to,
                      int (*work)(const struct verifier *, struct from_child *, struct err *))
{
    struct from_child out = {0};
    struct err err = {0};
    signal(SIGBUS, SIG_DFL); /* whoever catches it elsewhere must not go on here */
    signal(SIGSEGV, SIG_DFL);
    out.code = work(v, &out, &err);
    memcpy(out.sentence, err.msg, sizeof out.sentence);
    ssize_t n = write(to, &out, sizeof out);
    _exit(n == (ssize_t)sizeof out ? 0 : 1);
}

/* Runs `work` where a SIGBUS harms nobody. */
static int in_child(const struct verifier *v,
                    int (*work)(const struct verifier *, struct from_child *, struct err *),
                    struct from_child *out, struct err *err)
{
    int to[2], status;
    if (pipe(to) != 0)
        return err_set(err, WW_EIO, "cannot make a pipe; close some programs and try again");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(to[0]);
        run_child(v, to[1], work);
    }
    close(to[1]);
    ssize_t n = child < 0 ? -1 : read(to[0], out, sizeof *out);
    close(to[0]);
    if (child < 0)
        return err_set(err, WW_EIO, "cannot start a process; close some programs and try again");
    waitpid(child, &status, 0);
    if (n == (ssize_t)sizeof *out)
        return out->code < 0 ? err_set(err, out->code, "%s", out->sentence) : 0;
    return err_set(err, WW_EDAMAGED,
                   "view: reading %s/view ended with signal %d: its file is damaged or cut short; it can be "
                   "thrown away: start with --rebuild",
                   v->dir, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static int check_view(struct verifier *v, struct err *err)
{
    struct from_child out = {0};
    int rc = in_child(v, child_reads, &out, err);
    if (rc == WW_EDAMAGED) {
        problem(v, rc, "%s", err->msg);
        return 0;
    }
    v->meta = out.meta;
    v->report->has_view = out.has_view && out.meta.number > 0;
    v->report->view_number = out.meta.number;
    v->report->view_rows = out.rows;
    return rc;
}

static int check_fold(struct verifier *v, struct err *err)
{
    struct from_child out = {0};
    struct err none;
    int rc = in_child(v, child_folds, &out, err);
    if (view_remove(v->o->fold_in, &none) == 0)
        rmdir(v->o->fold_in);
    v->report->folded = rc == 0;
    if (rc != WW_EDAMAGED)
        return rc;
    problem(v, rc, "%s", err->msg);
    return 0;
}

int verify(const char *dir, const struct verify_options *o, struct verify_report *report, struct err *err)
{
    struct verifier v = {.dir = dir, .o = o, .report = report};
    *report = (struct verify_report){0};
    int rc = check_view(&v, err); /* first: the journal is never behind it */
    if (rc == 0)
        rc = check_journal(&v, err);
    if (rc == 0 && report->has_view && !v.meta_found)
        problem(&v, WW_EDAMAGED,
                "view: it says that it saw entry %" PRIu64
                " of a journal that is not this one, or is cut short "
                "there; put the right one back, or start with --rebuild",
                report->view_number);
    if (rc == 0 && o->fold_in && report->has_view && report->problems == 0)
        rc = check_fold(&v, err);
    if (rc == 0 && report->problems > 0)
        rc = err_set(err, WW_EDAMAGED, "%s", v.first.msg);
    return rc;
}
