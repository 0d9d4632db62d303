/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/input.h"

#include "adapters/file.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { BATCH_SIGNALS = 1000, BATCH_ROWS = 4000, BATCH_BYTES = 8 * 1024 * 1024, TOLD_MAX = 20 };

/* A row that awaits the batch's delivery, in the order of the file. Rows that are ignored are only counted.
 */
struct pending {
    uint64_t line;
    struct slice raw;
    const char *code, *why; /* NULL: it is the next signal */
};

struct input {
    const struct input_context *ctx;
    const char *path;
    char *identity; /* what the spool knows it by; NULL: it cannot be resumed */
    int lock;
    struct source *source;
    struct rejects *own_rejects;
    char *rejects_path;
    struct progress progress;
    bool resumed;
    unsigned told; /* refused rows told on standard error */

    struct arena arena; /* of the batch */
    struct pending *pending;
    size_t n_pending, cap_pending;
    struct ww_signal *signals;
    size_t n_signals, cap_signals;
    uint64_t rows, ignored;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- gathering ---- */

static const char *text_or_null(struct slice s)
{
    return s.p; /* every text of a mapped signal has a NUL after it */
}

static const struct ww_attr *to_attrs(struct arena *a, const struct signal *s)
{
    struct ww_attr *list = arena_zalloc(a, (s->n_attrs + 1u) * sizeof *list);
    for (size_t i = 0; i < s->n_attrs; i++)
        list[i] = (struct ww_attr){s->attrs[i].key.p, text_or_null(s->attrs[i].text), s->attrs[i].number};
    return list;
}

static struct ww_signal to_wire(struct arena *a, const struct signal *s)
{
    struct ww_signal w = WW_SIGNAL_INIT;
    /* two names of one number: NOLINTNEXTLINE(misc-redundant-expression) */
    _Static_assert(WW_ABSENT == NO_INT, "the same mark for what is not given");
    w.id = text_or_null(s->id);
    w.kind = text_or_null(s->kind);
    w.at = s->at;
    w.uscc = text_or_null(s->uscc);
    w.name = text_or_null(s->name);
    w.region = text_or_null(s->region);
    w.industry = text_or_null(s->industry);
    w.amount = s->amount;
    w.people = s->people;
    w.since = s->since;
    w.project = text_or_null(s->project);
    w.role = s->role ? role_wire(s->role) : NULL;
    w.owner = text_or_null(s->owner);
    w.status = s->status ? status_wire(s->status) : NULL;
    w.ref = text_or_null(s->ref);
    w.note = text_or_null(s->note);
    w.cancels = text_or_null(s->cancels);
    w.attrs = s->n_attrs ? to_attrs(a, s) : NULL;
    w.n_attrs = s->n_attrs;
    return w;
}

static void gather(struct input *in, const struct row *row, const struct mapped *m)
{
    in->rows++;
    if (m->class == ROW_IGNORED) {
        in->ignored++;
        return;
    }
    in->pending = mem_grow(in->pending, &in->cap_pending, in->n_pending + 1, sizeof *in->pending);
    in->pending[in->n_pending++] =
        (struct pending){row->line, arena_slice(&in->arena, row->raw), m->code, m->why};
    if (m->class == ROW_REFUSED)
        return;
    in->signals = mem_grow(in->signals, &in->cap_signals, in->n_signals + 1, sizeof *in->signals);
    in->signals[in->n_signals++] = to_wire(&in->arena, &m->signal);
}

static bool is_full(const struct input *in)
{
    return in->n_signals == BATCH_SIGNALS || in->rows == BATCH_ROWS || in->arena.total > BATCH_BYTES;
}

/* 1: a batch to deliver, more may come; 0: no more rows now. */
static int read_batch(struct input *in, bool final, struct err *err)
{
    struct row row;
    struct mapped m;
    int rc;
    int64_t now = now_ms();
    while (!is_full(in)) {
        if ((rc = source_next(in->source, final, &row, err)) <= 0)
            return rc;
        map_row(in->ctx->profile, in->ctx->kinds, &row, now, &in->arena, &m);
        if (in->ctx->sink->ops->row)
            in->ctx->sink->ops->row(in->ctx->sink, &row, &m);
        gather(in, &row, &m);
    }
    return 1;
}

/* ---- delivering ---- */

static void tell(struct input *in, uint64_t line, const char *code, const char *why)
{
    if (in->told < TOLD_MAX)
        fprintf(stderr, "%s:%" PRIu64 ": %s: %s\n", in->path, line, code, why);
    else if (in->told == TOLD_MAX)
        fprintf(stderr, "%s: and more; --rejects FILE keeps them all\n", in->path);
    in->told++;
}

static void refuse(struct input *in, const struct pending *p, const char *code, const char *why)
{
    struct rejects *file = in->ctx->rejects ? in->ctx->rejects : in->own_rejects;
    tally_reject(&in->progress.tally, code, 1);
    in->progress.rejects++;
    if (file)
        rejects_add(file, p->line, code, why, p->raw);
    else if (!in->ctx->quiet)
        tell(in, p->line, code, why);
}

/* Refused rows, ours and the daemon's, in the order of the file. What the daemon refused is not kept:
 * in->signals is left with those that it acknowledged. */
static void settle(struct input *in, const struct outcome *out)
{
    size_t signal = 0, refusal = 0, kept = 0;
    for (size_t i = 0; i < in->n_pending; i++) {
        const struct pending *p = &in->pending[i];
        if (p->code) {
            refuse(in, p, p->code, p->why);
        } else if (refusal < out->n_refused && out->refused[refusal].index == signal) {
            refuse(in, p, out->refused[refusal].code, out->refused[refusal].why);
            refusal++;
            signal++;
        } else {
            in->signals[kept++] = in->signals[signal++];
        }
    }
    in->progress.tally.sent += in->n_signals;
    in->n_signals = kept;
    in->progress.tally.records += in->rows;
    in->progress.tally.ignored += in->ignored;
    in->progress.tally.accepted += out->accepted;
    in->progress.tally.duplicates += out->duplicates;
}

static int remember(struct input *in, struct err *err)
{
    const struct input_context *ctx = in->ctx;
    struct rejects *file = ctx->rejects ? ctx->rejects : in->own_rejects;
    int rc = file ? rejects_sync(file, err) : 0;
    if (rc || !ctx->spool)
        return rc;
    source_tell(in->source, &in->progress.position);
    snprintf(in->progress.store, sizeof in->progress.store, "%s", ctx->sink->store);
    return spool_commit(ctx->spool, in->identity, &in->progress, in->signals,
                        ctx->profile->resend_days ? in->n_signals : 0, now_ms(), err);
}

static void forget_batch(struct input *in)
{
    in->n_pending = in->n_signals = 0;
    in->rows = in->ignored = 0;
    arena_reset(&in->arena);
}

static int deliver(struct input *in, struct err *err)
{
    struct outcome out = {0};
    int rc = 0;
    if (in->n_signals)
        rc = in->ctx->sink->ops->send(in->ctx->sink, in->signals, in->n_signals, &out, err);
    if (rc)
        return rc;
    settle(in, &out);
    rc = remember(in, err);
    forget_batch(in);
    return rc;
}

int input_step(struct input *in, bool final, struct err *err)
{
    int more = read_batch(in, final, err);
    if (more < 0) { /* what was read before the fault still counts */
        struct err second;
        int rc = in->rows ? deliver(in, &second) : 0;
        if (rc)
            *err = second;
        return rc ? rc : more;
    }
    in->progress.done = more == 0 && final;
    if (in->rows == 0 && !in->progress.done)
        return more;
    int rc = deliver(in, err);
    return rc ? rc : more;
}

/* ---- open, close ---- */

static int open_own_rejects(struct input *in, struct err *err)
{
    uint8_t hash[CHAIN_LEN];
    const char *slash = strrchr(in->path, '/');
    const char *base = slash ? slash + 1 : in->path;
    int rc = file_make_dirs(in->ctx->rejects_dir, err);
    if (rc)
        return rc;
    hash_blake2b(hash, in->path, strlen(in->path), NULL, 0, NULL, 0);
    size_t n = strlen(in->ctx->rejects_dir) + strlen(in->ctx->profile->name) + strlen(base) + 32;
    in->rejects_path = mem_alloc(n);
    snprintf(in->rejects_path, n, "%s/%s-%.80s-%02x%02x%02x%02x.csv", in->ctx->rejects_dir,
             in->ctx->profile->name, strcmp(base, "-") == 0 ? "stdin" : base, hash[0], hash[1], hash[2],
             hash[3]);
    return rejects_open(&in->own_rejects, in->rejects_path, err);
}

/* Where it stopped, if that still holds: the same store, the same bytes before that position. */
static int resume(struct input *in, struct err *err)
{
    struct progress p;
    int rc = in->identity ? spool_load(in->ctx->spool, in->identity, &p, err) : 0;
    if (rc <= 0 || strcmp(p.store, in->ctx->sink->store) != 0 || (p.done && !in->ctx->follow))
        return rc < 0 ? rc : 0;
    rc = source_seek(in->source, &p.position, err);
    if (rc <= 0)
        return rc;
    in->progress = p;
    if (p.done) /* its rows were told of at its end */
        in->progress.tally = (struct tally){0};
    in->progress.done = false;
    in->resumed = true;
    return 0;
}

static int begin(struct input *in, struct err *err)
{
    const struct input_context *ctx = in->ctx;
    char *real = ctx->spool && strcmp(in->path, "-") != 0 ? realpath(in->path, NULL) : NULL;
    in->identity = real;
    int rc = real ? spool_lock(ctx->spool, real, &in->lock, err) : 0;
    if (rc)
        return rc;
    in->source = source_open(in->path, &ctx->profile->form, err);
    if (!in->source)
        return err->code;
    if (ctx->follow && in->source->fd < 0)
        return err_set(err, WW_EUSAGE, "%s: a workbook cannot be followed; leave --follow out", in->path);
    if ((rc = resume(in, err)))
        return rc;
    if (!ctx->rejects && ctx->rejects_dir && (rc = open_own_rejects(in, err)))
        return rc;
    struct rejects *file = ctx->rejects ? ctx->rejects : in->own_rejects;
    return file ? rejects_begin(file, in->path, in->progress.rejects, err) : 0;
}

int input_open(struct input **out, const char *path, const struct input_context *ctx, struct err *err)
{
    struct input *in = mem_zalloc(sizeof *in);
    in->ctx = ctx;
    in->path = path;
    in->lock = -1;
    int rc = begin(in, err);
    if (rc) {
        input_close(in);
        in = NULL;
    }
    *out = in;
    return rc;
}

void input_close(struct input *in)
{
    if (!in)
        return;
    source_close(in->source);
    rejects_close(in->own_rejects);
    spool_unlock(in->lock);
    arena_finish(&in->arena);
    free(in->pending);
    free(in->signals);
    free(in->rejects_path);
    free(in->identity);
    free(in);
}

/* ---- following ---- */

bool input_replaced(const struct input *in)
{
    struct stat open, named;
    struct position pos;
    if (in->source->fd < 0 || fstat(in->source->fd, &open) != 0 || !S_ISREG(open.st_mode))
        return false;
    source_tell(in->source, &pos);
    if ((uint64_t)open.st_size < pos.offset)
        return true;
    return stat(in->path, &named) == 0 && (named.st_dev != open.st_dev || named.st_ino != open.st_ino);
}

bool input_ended(const struct input *in)
{
    return source_ended(in->source);
}

int input_fd(const struct input *in)
{
    struct stat st;
    bool pipe = in->source->fd >= 0 && fstat(in->source->fd, &st) == 0 && !S_ISREG(st.st_mode);
    return pipe ? in->source->fd : -1;
}

const struct tally *input_tally(const struct input *in)
{
    return &in->progress.tally;
}

const char *input_path(const struct input *in)
{
    return in->path;
}

const char *input_rejects_path(const struct input *in)
{
    return in->rejects_path;
}

bool input_resumed(const struct input *in)
{
    return in->resumed;
}
