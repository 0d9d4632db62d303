/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoint and tail to state; see recover.h. The order: what the view says of itself (read-only, it may be
 * another process's), the journal and its lock, the view in earnest, the engine over a reader of it, the
 * tail. */
#include "store/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "store/disk.h"
#include "store/walk.h"

enum { CACHE_BYTES = 256 << 20, DIRTY_MAX = 200000, PROGRESS_EVERY = 10000 };

/* One fold in progress: from where to where, into what. */
struct fold {
    const struct recover_options *o;
    struct recovered *to;
    struct walk walk;
    struct arena arena;
    uint64_t start, end, told;
    uint8_t store_id[STORE_ID_LEN];
};

/* ---- what the view says ---- */

static int read_meta(struct view *v, struct view_meta *m, struct err *err)
{
    struct view_reader *r;
    int rc = view_reader_open(&r, v, err);
    if (rc == 0)
        rc = view_reader_refresh(r, err);
    if (rc == 0)
        rc = view_get_meta(r, m, err);
    if (r)
        view_reader_close(r);
    return rc;
}

int recover_meta(const char *state_dir, struct view_meta *m, struct err *err)
{
    struct view *v = NULL;
    char *dir = disk_path(state_dir, "view");
    *m = (struct view_meta){.fold_version = FOLD_VERSION};
    int rc = view_open(&v, dir, 0, true, err);
    if (rc == 0)
        rc = read_meta(v, m, err);
    else if (rc == WW_ENOTFOUND)
        rc = 0;
    view_close(v);
    free(dir);
    return rc;
}

/* ---- folding ---- */

static int apply_batch(struct fold *f, const struct segment_batch *b, struct err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        struct engine_out out = {.arena = &f->arena};
        int rc = engine_apply(f->to->engine, b->first + i, b->time, b->entries[i].body, &out, err);
        if (rc < 0) {
            err_prefix(err, "entry %" PRIu64 " of %s, offset %" PRIu64, b->first + i, f->walk.seg->path,
                       b->at);
            return rc;
        }
    }
    arena_reset(&f->arena);
    return 0;
}

static int commit(struct fold *f, struct err *err)
{
    struct checkpoint *cp = engine_checkpoint(f->to->engine);
    if (!cp)
        return 0;
    memcpy(cp->chain, f->walk.chain, CHAIN_LEN);
    int rc = view_commit(f->to->view, cp, f->store_id, err);
    engine_committed(f->to->engine, cp);
    if (rc == 0)
        rc = view_reader_refresh(f->to->reader, err);
    if (rc == 0)
        engine_trim(f->to->engine);
    return rc;
}

static void tell(struct fold *f, bool at_end)
{
    uint64_t done = f->walk.last - f->start;
    if (!f->o->progress || (!at_end && done - f->told < PROGRESS_EVERY))
        return;
    f->told = done;
    f->o->progress(f->o->arg, done, f->end - f->start);
}

static int fold_tail(struct fold *f, struct err *err)
{
    struct segment_batch b;
    size_t dirty_max = f->o->dirty_max ? f->o->dirty_max : DIRTY_MAX;
    int rc = 0;
    while (rc == 0 && f->walk.last < f->end) {
        rc = walk_next(&f->walk, &b, err);
        if (rc == 0)
            return err_set(err, WW_EDAMAGED,
                           "journal: ends with entry %" PRIu64 ", before entry %" PRIu64
                           " that was just there; start again",
                           f->walk.last, f->end);
        if (rc > 0)
            rc = apply_batch(f, &b, err);
        if (rc == 0 && engine_dirty(f->to->engine) >= dirty_max)
            rc = commit(f, err);
        if (rc == 0)
            tell(f, f->walk.last >= f->end);
    }
    if (rc == 0 && f->walk.last != f->end)
        rc = err_set(err, WW_ENOTFOUND, "journal: no batch ends with entry %" PRIu64, f->end);
    f->to->folded = f->walk.last - f->start;
    return rc;
}

/* Passes what the checkpoint covers; the chain there must be the checkpoint's. */
static int pass_checkpoint(struct fold *f, const char *journal_dir, const struct view_meta *m,
                           struct err *err)
{
    struct segment_batch b;
    int rc = walk_open(&f->walk, journal_dir, m->number + 1, err);
    if (rc == WW_ENOTFOUND)
        return err_set(err, WW_EDAMAGED,
                       "journal: the entries after %" PRIu64
                       ", the last one in the view, are no longer in %s; "
                       "'wagewarn restore' a backup",
                       m->number, journal_dir);
    while (rc == 0 && f->walk.last < m->number) {
        rc = walk_next(&f->walk, &b, err);
        if (rc == 0)
            return err_set(err, WW_EDAMAGED,
                           "journal: ends with entry %" PRIu64 ", but the view has seen entry %" PRIu64
                           "; put the missing segments back, or start with --rebuild",
                           f->walk.last, m->number);
        rc = rc > 0 ? 0 : rc;
    }
    if (rc == 0 && m->number > 0 &&
        (f->walk.last != m->number || memcmp(f->walk.chain, m->chain, CHAIN_LEN) != 0))
        rc = err_set(err, WW_EDAMAGED,
                     "view: it was folded from another journal than %s (their chains differ at entry %" PRIu64
                     "); put the right one back, or start with --rebuild",
                     journal_dir, m->number);
    return rc;
}

/* An engine over a reader of the view. It must stand where the view says. */
static int start_engine(struct recovered *to, const struct recover_options *o, uint64_t number,
                        struct err *err)
{
    int rc = view_reader_open(&to->reader, to->view, err);
    if (rc == 0)
        rc = view_reader_refresh(to->reader, err);
    if (rc != 0)
        return rc;
    to->loader = mem_alloc(sizeof *to->loader);
    *to->loader = view_loader(to->reader);
    rc = engine_create(&to->engine, to->loader, o->cache_bytes ? o->cache_bytes : CACHE_BYTES, err);
    if (rc == 0 && engine_number(to->engine) != number)
        rc = err_set(err, WW_EDAMAGED,
                     "view: it says entry %" PRIu64 " in one place and %" PRIu64
                     " in another; it can be thrown away: start with --rebuild",
                     number, engine_number(to->engine));
    return rc;
}

static int fold_into(struct recovered *to, const char *journal_dir, const struct view_meta *m, struct fold *f,
                     struct err *err)
{
    f->to = to;
    f->start = m->number;
    int rc = pass_checkpoint(f, journal_dir, m, err);
    if (rc == 0)
        rc = start_engine(to, f->o, m->number, err);
    if (rc == 0)
        rc = fold_tail(f, err);
    return rc;
}

static void fold_finish(struct fold *f)
{
    walk_close(&f->walk);
    arena_finish(&f->arena);
}

/* ---- starting ---- */

static int refuse_half(const char *state_dir, struct err *err)
{
    char *path = disk_path(state_dir, RESTORING);
    bool half = access(path, F_OK) == 0;
    free(path);
    return half ? err_set(err, WW_EDAMAGED,
                          "journal: a restore into %s was interrupted; 'wagewarn restore' the backup again",
                          state_dir)
                : 0;
}

static int make_state_dir(const char *dir, struct err *err)
{
    struct journal_io io = disk_io(NULL);
    struct stat st;
    if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
        if (errno != ENOENT && errno != ENOTDIR)
            return disk_error(err, errno, "make the state directory", dir);
        return err_set(err, WW_EIO,
                       "the state directory %s cannot be made: there is no directory above it; make that first, "
                       "or give another --state-dir",
                       dir);
    }
    if (stat(dir, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, WW_EIO, "%s is no directory; move it away, or give another --state-dir", dir);
    char *parent = disk_path(dir, "..");
    int e = disk_sync_dir(&io, parent);
    free(parent);
    return e == 0 ? 0 : disk_error(err, e, "sync the folder of", dir);
}

/* What a view that is to be thrown away says, read in a child, since its file may be cut short. Number 0:
 * nothing. */
static void meta_apart(const char *state_dir, struct view_meta *m)
{
    int to[2];
    struct view_meta said = {0};
    if (pipe2(to, O_CLOEXEC) != 0)
        return;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGBUS, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        _exit(recover_meta(state_dir, &said, NULL) == 0 && write(to[1], &said, sizeof said) > 0 ? 0 : 1);
    }
    close(to[1]);
    if (child > 0) {
        if (read(to[0], &said, sizeof said) == (ssize_t)sizeof said)
            *m = said;
        waitpid(child, NULL, 0);
    }
    close(to[0]);
}

/* What of the view can be used. A damaged one only --rebuild does away with: it may be a sign of a failing
 * disk. */
static int judge_view(const char *state_dir, const struct recover_options *o, struct view_meta *m,
                      struct err *err)
{
    *m = (struct view_meta){.fold_version = FOLD_VERSION};
    if (!o->rebuild)
        return recover_meta(state_dir, m, err);
    meta_apart(state_dir, m);
    return 0;
}

/* May events differ from those that were published? Then the store takes a new id. */
static bool events_may_differ(const struct journal *j, const struct view_meta *m)
{
    uint64_t last = journal_last(j);
    if (m->number > last) /* --rebuild alone comes this far */
        log_line(LOG_L_WARNING,
                 "acknowledged entries are lost: the journal ends before what the view has seen",
                 "from=%" PRIu64 " to=%" PRIu64, last + 1, m->number);
    else if (m->number > 0 && m->fold_version != FOLD_VERSION)
        log_line(LOG_L_NOTICE, "the view was folded by another version and is folded anew",
                 "entry=%" PRIu64 " version=%u now=%d", m->number, m->fold_version, FOLD_VERSION);
    else
        return false;
    return true;
}

static int open_view(const char *dir, const struct recover_options *o, struct view_meta *m,
                     struct recovered *out, struct err *err)
{
    bool differ = events_may_differ(out->journal, m);
    /* The new id first: after a crash in between it is only changed once more. */
    int rc = differ ? journal_new_store_id(out->journal, err) : 0;
    if (rc == 0 && (differ || o->rebuild))
        rc = view_remove(dir, err);
    if (rc == 0)
        rc = view_open(&out->view, dir, o->map_bytes, false, err);
    if (rc == 0)
        rc = read_meta(out->view, m, err); /* again: now nobody else writes */
    out->rebuilt = m->number == 0;
    return rc;
}

int recover(const char *state_dir, const struct recover_options *o, struct recovered *out, struct err *err)
{
    struct view_meta m;
    struct fold f = {.o = o};
    char *journal_dir = disk_path(state_dir, "journal"), *view_dir = disk_path(state_dir, "view");
    *out = (struct recovered){0};
    view_catch_damage(view_dir);
    int rc = make_state_dir(state_dir, err);
    if (rc == 0)
        rc = refuse_half(state_dir, err);
    if (rc == 0)
        rc = judge_view(state_dir, o, &m, err);
    if (rc == 0) {
        struct journal_options jo = {.segment_bytes = o->segment_bytes,
                                     .io = o->io,
                                     .checkpoint = o->rebuild ? 0 : m.number,
                                     .no_thread = o->no_thread};
        rc = journal_open(&out->journal, journal_dir, &jo, err);
    }
    if (rc == 0)
        rc = open_view(view_dir, o, &m, out, err);
    if (rc == 0) {
        f.end = journal_last(out->journal);
        memcpy(f.store_id, journal_store_id(out->journal), STORE_ID_LEN);
        rc = fold_into(out, journal_dir, &m, &f, err);
    }
    if (rc == 0)
        view_reader_rest(out->reader);
    else
        recover_close(out);
    fold_finish(&f);
    free(journal_dir);
    free(view_dir);
    return rc;
}

void recover_close(struct recovered *r)
{
    engine_destroy(r->engine);
    free(r->loader);
    view_reader_close(r->reader);
    view_close(r->view);
    journal_close(r->journal);
    *r = (struct recovered){0};
}

int recover_fold(const char *state_dir, const char *dir, uint64_t upto, const struct recover_options *o,
                 struct err *err)
{
    struct recovered to = {0};
    struct view_meta m;
    struct fold f = {.o = o, .end = upto};
    char *journal_dir = disk_path(state_dir, "journal");
    int rc = view_open(&to.view, dir, o->map_bytes, false, err);
    if (rc == 0)
        rc = read_meta(to.view, &m, err);
    if (rc == 0 && m.number != 0)
        rc = err_set(err, WW_EUSAGE, "view: %s holds one already; name an empty folder", dir);
    if (rc == 0)
        rc = fold_into(&to, journal_dir, &m, &f, err);
    if (rc == 0)
        rc = commit(&f, err);
    recover_close(&to);
    fold_finish(&f);
    free(journal_dir);
    return rc;
}
