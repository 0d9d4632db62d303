/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/trace.h"

#include "cli/jsonline.h"
#include "cli/text.h"
#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READ = 1 << 18, LINE_MOST = 1 << 20, LOOK_EACH = 8192, PATIENCE_S = 1 };

struct reading {
    struct trace *t;
    int fd;
    char *bytes; /* [0, n): read and not yet taken */
    size_t n, cap;
    uint64_t line, done, size; /* of what comes next; bytes taken; of the file, 0: not known */
    bool skipping;             /* the rest of a line that is too long */
    struct arena arena;        /* of the line in hand */
    struct buf entry;
    int64_t latest_taken; /* `at` that is still believed: a day ahead of this machine's clock */
    time_t began;
    unsigned told;
    bool progress;
};

/* ---- what is told while it runs ---- */

static time_t seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void tell_progress(struct reading *r)
{
    if (r->line % LOOK_EACH || !isatty(STDERR_FILENO) || seconds() - r->began < PATIENCE_S)
        return;
    if (r->size)
        fprintf(stderr, tr("\rfolding: %" PRIu64 " lines, %d %%", "\r重放：%" PRIu64 " 行，%d %%"), r->line,
                (int)(r->done * 100 / r->size));
    else
        fprintf(stderr, tr("\rfolding: %" PRIu64 " lines", "\r重放：%" PRIu64 " 行"), r->line);
    r->progress = true;
}

/* The first few with their line; all are counted. */
static void tell_rejected(struct reading *r, const char *code, const char *sentence)
{
    if (r->told++ >= TRACE_TOLD)
        return;
    if (r->progress)
        fputs("\r\033[K", stderr);
    fprintf(stderr, tr("%s:%" PRIu64 ": %s: %s\n", "%s:%" PRIu64 "：%s：%s\n"),
            text_safe(&r->t->cli->arena, r->t->path), r->line, code, text_safe(&r->t->cli->arena, sentence));
    if (r->told == TRACE_TOLD)
        fputs(tr("further ones are only counted\n", "其余仅计数\n"), stderr);
}

static void refuse(struct reading *r, enum reject_code code, const char *what)
{
    r->t->rejected++;
    r->t->by_code[code]++;
    tell_rejected(r, reject_wire(code), what ? what : reject_text(code));
}

/* ---- a line ---- */

static void make_entry(struct reading *r, struct entry_signal *e)
{
    static const uint8_t key[HASH_KEY_LEN] = {0};
    const char *dot = memchr(e->sig.kind.p, '.', e->sig.kind.n);
    e->source = (struct slice){e->sig.kind.p, (size_t)(dot - e->sig.kind.p)};
    e->binds_name = true;
    hash_pair(e->id_hash, key, e->source, e->sig.id);
    if (e->sig.cancels.n)
        hash_pair(e->cancels_hash, key, e->source, e->sig.cancels);
    buf_reset(&r->entry);
    entry_put_signal(&r->entry, e);
}

static void hand_over(struct reading *r, struct entry_signal *e)
{
    struct trace *t = r->t;
    int64_t now = e->sig.at > t->now ? e->sig.at : t->now;
    make_entry(r, e);
    switch (t->signal(t->arg, e, (struct slice){(char *)r->entry.p, r->entry.n}, now)) {
    case SCREEN_DUPLICATE:
        t->duplicates++;
        break;
    case SCREEN_UNKNOWN_CANCEL:
        refuse(r, REJECT_UNKNOWN_CANCEL, NULL);
        break;
    case SCREEN_NEW:
        t->accepted++;
        t->now = now;
    }
}

static void take_signal(struct reading *r, struct signal_in *in)
{
    struct entry_signal e = {0};
    struct reject *why = &in->why;
    if (!why->code)
        signal_check(&in->sig, r->t->kinds, r->t->regions, r->latest_taken, why);
    if (!why->code && in->sig.name.p) {
        in->sig.name = name_normalise(&r->arena, in->sig.name);
        if (!in->sig.name.n)
            *why = (struct reject){REJECT_BAD_FIELD, "name", "nothing is left of it but white space"};
    }
    if (why->code) {
        refuse(r, why->code, why->what);
        return;
    }
    memcpy(&e.sig, &in->sig, offsetof(struct signal, attrs) + in->sig.n_attrs * sizeof in->sig.attrs[0]);
    e.sig.note = (struct slice){NULL, 0};
    signal_normalise_attrs(&e.sig, &r->arena);
    hand_over(r, &e);
}

static bool is_blank(struct slice line)
{
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r')
            return false;
    return true;
}

static void take_line(struct reading *r, struct slice line)
{
    struct signal_in in;
    const char *sentence;
    if (++r->line == 1 && line.n >= 3 && memcmp(line.p, "\xef\xbb\xbf", 3) == 0)
        line = (struct slice){line.p + 3, line.n - 3};
    if (is_blank(line))
        return;
    r->t->lines++;
    arena_reset(&r->arena);
    if (jsonline_signal(&r->arena, line, &in, &sentence)) {
        take_signal(r, &in);
    } else {
        r->t->not_json++;
        tell_rejected(r, "not_json", sentence);
    }
    tell_progress(r);
}

/* ---- the file ---- */

static void skip_line(struct reading *r)
{
    if (!r->skipping) {
        r->line++;
        r->t->lines++;
        refuse(r, REJECT_TOO_LARGE, "the line is longer than 1 MiB");
    }
    r->skipping = true;
    r->n = 0;
}

/* Takes all whole lines of what was read; at the end of the file the last one too. */
static int take_lines(struct reading *r, bool end)
{
    size_t at = 0;
    int rc = 0;
    while (rc == 0 && at < r->n) {
        char *nl = memchr(r->bytes + at, '\n', r->n - at);
        if (!nl && !end)
            break;
        size_t n = nl ? (size_t)(nl - (r->bytes + at)) : r->n - at;
        if (r->skipping)
            r->skipping = false;
        else
            take_line(r, (struct slice){r->bytes + at, n});
        rc = r->t->failed(r->t->arg);
        at += n + (nl != NULL);
    }
    r->done += at;
    memmove(r->bytes, r->bytes + at, r->n - at);
    r->n -= at;
    if (r->skipping || r->n > LINE_MOST)
        skip_line(r);
    return rc;
}

/* A wrong name is a slip of the command line; what the disk or the system refuses is not. */
static int code_of_file(int why)
{
    static const int slips[] = {ENOENT, ENOTDIR, EISDIR, EACCES, ELOOP, ENAMETOOLONG};
    for (size_t i = 0; i < ARRAY_LEN(slips); i++)
        if (slips[i] == why)
            return WW_EUSAGE;
    return WW_EIO;
}

int trace_open(const char *path, int *fd, struct err *err)
{
    *fd = STDIN_FILENO;
    if (strcmp(path, "-") == 0)
        return 0;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0)
        return 0;
    int why = errno;
    return err_set(err, code_of_file(why), tr("cannot open %s: %s", "无法打开 %s：%s"), path, strerror(why));
}

static int read_all(struct reading *r, struct err *err)
{
    for (;;) {
        r->bytes = mem_grow(r->bytes, &r->cap, r->n + READ, 1);
        ssize_t n = read(r->fd, r->bytes + r->n, READ);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int why = errno;
            return err_set(err, code_of_file(why), tr("cannot read %s: %s", "无法读取 %s：%s"), r->t->path,
                           strerror(why));
        }
        r->n += (size_t)n;
        int rc = take_lines(r, n == 0);
        if (rc != 0 || n == 0)
            return rc;
    }
}

int trace_read(struct trace *t, struct err *err)
{
    struct reading r = {.t = t, .latest_taken = (int64_t)time(NULL) * 1000, .began = seconds()};
    struct stat st;
    t->now = NO_INT;
    int rc = trace_open(t->path, &r.fd, err);
    if (rc != 0)
        return rc;
    if (fstat(r.fd, &st) == 0 && S_ISREG(st.st_mode))
        r.size = (uint64_t)st.st_size;
    rc = read_all(&r, err);
    if (r.progress)
        fputs("\r\033[K", stderr);
    if (r.fd != STDIN_FILENO)
        close(r.fd);
    free(r.bytes);
    buf_finish(&r.entry);
    arena_finish(&r.arena);
    return rc;
}
