/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of a store; see backup.h. */
#include "store/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/mem.h"
#include "store/disk.h"
#include "store/recover.h"
#include "store/verify.h"
#include "store/walk.h"

#define COMPLETE "BACKUP"
#define REPLACED "replaced-"

enum { PIECE = 1 << 20 };

static int failed(struct err *err, int e, const char *what, const char *path)
{
    int code = e == ENOSPC || e == EDQUOT ? WW_EFULL : WW_EIO;
    return err_set(err, code, "backup: cannot %s %s: %s; %s", what, path, strerror(e),
                   code == WW_EFULL ? "free space there" : "check the disk and who may write there");
}

/* ---- files ---- */

static int copy_bytes(int from, int to, uint64_t n)
{
    uint8_t *piece = mem_alloc(PIECE);
    struct journal_io io = disk_io(NULL);
    int e = 0;
    for (uint64_t at = 0; at < n && e == 0;) {
        ssize_t r = pread(from, piece, n - at < PIECE ? (size_t)(n - at) : PIECE, (off_t)at);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0) {
            e = r < 0 ? errno : EIO;
            break;
        }
        e = disk_write(&io, to, piece, (size_t)r, at);
        at += (uint64_t)r;
    }
    free(piece);
    return e;
}

/* The first n bytes of a file into a new one, synced. */
static int copy_file(const char *from, const char *to, uint64_t n, struct err *err)
{
    int e = 0, in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
    if (in < 0)
        return failed(err, errno, "read", from);
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out >= 0)
        e = copy_bytes(in, out, n);
    if (out < 0 || (e == 0 && fsync(out) != 0))
        e = errno;
    close(in);
    if (out >= 0)
        close(out);
    return e == 0 ? 0 : failed(err, e, "write", to);
}

static int make_folder(const char *dir, struct err *err)
{
    return mkdir(dir, 0700) == 0 || errno == EEXIST ? 0 : failed(err, errno, "make the folder", dir);
}

static int sync_folder(const char *dir, struct err *err)
{
    struct journal_io io = disk_io(NULL);
    int e = disk_sync_dir(&io, dir);
    return e == 0 ? 0 : failed(err, e, "sync", dir);
}

static bool is_empty(const char *dir)
{
    DIR *d = opendir(dir);
    bool empty = true;
    if (!d)
        return errno == ENOENT;
    for (struct dirent *e; (e = readdir(d));)
        empty = empty && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0);
    closedir(d);
    return empty;
}

/* ---- segments ---- */

/* How much of the last segment is to be copied: through its last whole batch, what a daemon is writing left
 * out. */
static int used_of_last(const char *journal, uint64_t first, uint64_t *n, struct err *err)
{
    struct walk w;
    struct segment_batch b;
    int rc = walk_open(&w, journal, first, err);
    if (rc != 0)
        return rc;
    do {
        *n = w.seg->head.first == first ? w.at
                                        : w.seg->size; /* another one follows by now: this one is sealed */
        rc = w.seg->head.first == first ? walk_next(&w, &b, err) : 0;
    } while (rc > 0);
    walk_close(&w);
    return rc;
}

static int copy_segment(const char *from, const char *to, uint64_t first, bool is_last, uint64_t *bytes,
                        struct err *err)
{
    char name[SEGMENT_NAME_LEN];
    struct stat st;
    segment_name(name, first);
    char *in = disk_path(from, name), *out = disk_path(to, name);
    int rc = stat(in, &st) == 0 ? 0 : failed(err, errno, "read", in);
    uint64_t n = rc == 0 ? (uint64_t)st.st_size : 0;
    if (rc == 0 && is_last)
        rc = used_of_last(from, first, &n, err);
    if (rc == 0)
        rc = copy_file(in, out, n, err);
    *bytes += n;
    free(in);
    free(out);
    return rc;
}

static int copy_journal(const char *from, const char *to, struct err *err)
{
    uint64_t *firsts, bytes = 0;
    size_t n;
    int rc = segment_list(from, &firsts, &n, err);
    if (rc == 0 && n == 0)
        rc = err_set(err, WW_ENOTFOUND, "backup: there is no journal in %s; name the state directory", from);
    if (rc == 0)
        rc = make_folder(to, err);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = copy_segment(from, to, firsts[i], i + 1 == n, &bytes, err);
    if (rc == 0)
        rc = sync_folder(to, err);
    free(firsts);
    return rc;
}

/* ---- the view ---- */

/* None, or one that nothing was committed to, is no failure: all is in the journal. */
static int copy_view(const char *state_dir, const char *to, struct err *err)
{
    struct view *v = NULL;
    char *from_view = disk_path(state_dir, "view"), *to_view = disk_path(to, "view");
    int rc = view_remove(to_view, err); /* what an interrupted restore left */
    if (rc == 0)
        rc = view_open(&v, from_view, 0, true, err);
    if (rc == 0)
        rc = view_copy(v, to_view, err);
    else if (rc == WW_ENOTFOUND)
        rc = 0;
    view_close(v);
    free(from_view);
    free(to_view);
    return rc;
}

/* ---- the whole ---- */

static int check(const char *dir, struct backup_report *report, struct err *err)
{
    struct verify_report found;
    struct verify_options o = {0};
    int rc = verify(dir, &o, &found, err);
    *report = (struct backup_report){.first = found.first,
                                     .last = found.last,
                                     .view_number = found.view_number,
                                     .segments = found.segments,
                                     .bytes = found.bytes,
                                     .last_time = found.last_time};
    if (rc == WW_EDAMAGED)
        err_prefix(err, "backup: %s is not whole", dir);
    return rc;
}

static int say_complete(const char *dir, const struct backup_report *r, struct err *err)
{
    char text[256];
    struct journal_io io = disk_io(NULL);
    int n = snprintf(text, sizeof text,
                     "wagewarn backup 1\nfirst=%" PRIu64 "\nlast=%" PRIu64 "\nview=%" PRIu64 "\ntime=%" PRId64
                     "\n",
                     r->first, r->last, r->view_number, r->last_time);
    int e = disk_replace(&io, dir, COMPLETE, text, (size_t)n);
    return e == 0 ? 0 : failed(err, e, "write", dir);
}

int backup_make(const char *state_dir, const char *to, struct backup_report *report, struct err *err)
{
    char *journal = disk_path(state_dir, "journal"), *to_journal = disk_path(to, "journal");
    *report = (struct backup_report){0};
    int rc = is_empty(to)
                 ? make_folder(to, err)
                 : err_set(err, WW_EUSAGE, "backup: there is something in %s; name a new folder", to);
    if (rc == 0)
        rc = copy_view(state_dir, to, err);
    if (rc == 0)
        rc = copy_journal(journal, to_journal, err);
    if (rc == 0)
        rc = check(to, report, err);
    if (rc == 0)
        rc = say_complete(to, report, err);
    free(journal);
    free(to_journal);
    return rc;
}

/* ---- restoring ---- */

/* One restore in progress. */
struct restore {
    const char *from, *state_dir;
    bool replace;
    char *journal, *view, *restoring; /* in state_dir */
    int lock;
    unsigned replaced;
};

static bool has_segments(const struct restore *r)
{
    uint64_t *firsts = NULL;
    size_t n = 0;
    struct err none;
    bool any = segment_list(r->journal, &firsts, &n, &none) == 0 && n > 0;
    free(firsts);
    return any;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* What a stopped daemon or a restore before this one may have left, and what harms nobody. */
static bool may_stay(const struct restore *r, const char *name)
{
    struct stat st;
    char *path = disk_path(r->state_dir, name);
    bool is_socket = lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
    free(path);
    return is_socket || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "journal") == 0 ||
           strcmp(name, RESTORING) == 0 || strncmp(name, REPLACED, strlen(REPLACED)) == 0 ||
           (strcmp(name, "view") == 0 && is_there(r->restoring));
}

static int something_in_it(const struct restore *r, struct err *err)
{
    int rc = 0;
    DIR *d = opendir(r->state_dir);
    if (!d)
        return errno == ENOENT ? 0 : failed(err, errno, "read", r->state_dir);
    for (struct dirent *e; rc == 0 && (e = readdir(d));)
        if (!may_stay(r, e->d_name))
            rc = err_set(
                err, WW_EUSAGE,
                "backup: there is something in %s: %s; name an empty folder, or leave it there by --force",
                r->state_dir, e->d_name);
    closedir(d);
    return rc;
}

static int may_restore(const struct restore *r, struct err *err)
{
    struct stat a, b;
    char *complete = disk_path(r->from, COMPLETE);
    int rc = 0;
    if (!is_there(complete))
        rc = err_set(err, WW_ENOTFOUND, "backup: there is no complete one in %s: %s is missing; name another",
                     r->from, complete);
    else if (stat(r->from, &a) == 0 && stat(r->state_dir, &b) == 0 && a.st_dev == b.st_dev &&
             a.st_ino == b.st_ino)
        rc = err_set(err, WW_EUSAGE, "backup: %s cannot be restored into itself; name another --state-dir",
                     r->from);
    else if (!r->replace && has_segments(r) && !is_there(r->restoring))
        rc = err_set(err, WW_EUSAGE,
                     "backup: there is a journal in %s; stop the daemon, then --force moves it aside first",
                     r->journal);
    else if (!r->replace)
        rc = something_in_it(r, err);
    free(complete);
    return rc;
}

/* All files of a folder but the lock into another one. */
static int move_files(const char *from, const char *to, struct err *err)
{
    int rc = 0;
    DIR *d = opendir(from);
    if (!d)
        return errno == ENOENT ? 0 : failed(err, errno, "read", from);
    for (struct dirent *e; rc == 0 && (e = readdir(d));) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, JOURNAL_LOCK) == 0)
            continue;
        char *a = disk_path(from, e->d_name), *b = disk_path(to, e->d_name);
        if (rename(a, b) != 0)
            rc = failed(err, errno, "move", a);
        free(a);
        free(b);
    }
    closedir(d);
    return rc == 0 ? sync_folder(to, err) : rc;
}

/* A folder state_dir/replaced-N that was not there. NULL: failed. */
static char *new_aside(struct restore *r, struct err *err)
{
    char name[32];
    for (unsigned i = 1;; i++) {
        snprintf(name, sizeof name, REPLACED "%u", i);
        char *path = disk_path(r->state_dir, name);
        if (mkdir(path, 0700) == 0) {
            r->replaced = i;
            return path;
        }
        int e = errno;
        if (e != EEXIST)
            failed(err, e, "make the folder", path);
        free(path);
        if (e != EEXIST)
            return NULL;
    }
}

/* The view first: as long as segments are there, another try moves what is left. */
static int set_aside(struct restore *r, struct err *err)
{
    char *aside = new_aside(r, err);
    if (!aside)
        return err->code;
    char *journal = disk_path(aside, "journal"), *view = disk_path(aside, "view");
    int rc = 0;
    if (rename(r->view, view) != 0 && errno != ENOENT)
        rc = failed(err, errno, "move", r->view);
    if (rc == 0)
        rc = make_folder(journal, err);
    if (rc == 0)
        rc = sync_folder(aside, err);
    if (rc == 0)
        rc = sync_folder(r->state_dir, err);
    if (rc == 0)
        rc = move_files(r->journal, journal, err);
    free(aside);
    free(journal);
    free(view);
    return rc;
}

static void remove_files(const char *dir, const char *but)
{
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        char *path = disk_path(dir, e->d_name);
        if (strcmp(e->d_name, but) != 0)
            unlink(path); /* fails for "." and "..", as it should */
        free(path);
    }
    closedir(d);
}

/* Locked from here to the end, and RESTORING is there: a daemon at work is noticed, one that starts is
 * refused. */
static int begin(struct restore *r, struct err *err)
{
    bool again = is_there(r->restoring);
    int rc = make_folder(r->state_dir, err);
    if (rc == 0)
        rc = make_folder(r->journal, err);
    if (rc == 0)
        rc = journal_lock(r->journal, &r->lock, err);
    if (rc == 0)
        rc = may_restore(r, err);
    if (rc == 0)
        rc = make_folder(r->restoring, err);
    if (rc == 0)
        rc = sync_folder(r->state_dir, err);
    if (rc == 0 && (has_segments(r) || (is_there(r->view) && !again)))
        rc = set_aside(r, err);
    return rc;
}

/* What is put into another's state directory belongs to who owns that, or his daemon could not open it. */
static int hand_over(const struct restore *r, const char *dir, struct err *err)
{
    struct stat st;
    int rc = 0;
    DIR *d = geteuid() == 0 && stat(r->state_dir, &st) == 0 && st.st_uid != 0 ? opendir(dir) : NULL;
    if (!d)
        return 0;
    for (struct dirent *e; rc == 0 && (e = readdir(d));)
        if (strcmp(e->d_name, "..") != 0 &&
            fchownat(dirfd(d), e->d_name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) != 0)
            rc = failed(err, errno, "give to the owner of the state directory", dir);
    closedir(d);
    return rc;
}

static int put_back(struct restore *r, struct err *err)
{
    char *from_journal = disk_path(r->from, "journal");
    remove_files(r->restoring, "");
    remove_files(r->journal, JOURNAL_LOCK); /* no segments: an old store's id */
    int rc = copy_view(r->from, r->state_dir, err);
    if (rc == 0)
        rc = copy_journal(from_journal, r->restoring, err);
    if (rc == 0)
        rc = move_files(r->restoring, r->journal, err);
    if (rc == 0)
        rc = hand_over(r, r->view, err);
    if (rc == 0)
        rc = hand_over(r, r->journal, err);
    if (rc == 0 && rmdir(r->restoring) != 0)
        rc = failed(err, errno, "remove", r->restoring);
    if (rc == 0)
        rc = sync_folder(r->state_dir, err);
    free(from_journal);
    return rc;
}

int backup_restore(const char *from, const char *state_dir, bool replace, struct backup_report *report,
                   struct err *err)
{
    struct restore r = {.from = from, .state_dir = state_dir, .replace = replace, .lock = -1};
    r.journal = disk_path(state_dir, "journal");
    r.view = disk_path(state_dir, "view");
    r.restoring = disk_path(state_dir, RESTORING);
    *report = (struct backup_report){0};
    int rc = may_restore(&r, err); /* before anything is made */
    if (rc == 0)
        rc = check(from, report, err);
    if (rc == 0)
        rc = begin(&r, err);
    if (rc == 0)
        rc = put_back(&r, err);
    report->replaced = r.replaced;
    if (r.lock >= 0)
        close(r.lock);
    free(r.journal);
    free(r.view);
    free(r.restoring);
    return rc;
}
