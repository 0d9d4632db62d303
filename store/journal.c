/* SPDX-License-Identifier: Apache-2.0 */
/* The writing side of the journal: lock, opening and mending the end, append, sync, the next segment,
 * forgetting. Writer thread. Leaves layout to segment, checks to walk, the making of the next file to
 * prepare.
 *
 * What makes a crash harmless, in the order of its happening:
 *   - a segment's file is whole, zero and synced before it gets its name, and the folder is synced before its
 * first batch;
 *   - one batch is in flight, into zeros; whatever part of it a crash leaves, nothing lies behind it;
 *   - after an append that failed, the place is zeroed again before anything else is written there;
 *   - at start the last batch is written once more and synced before anybody may believe it: a process that
 * was killed, or whose sync failed, may have left it in the page cache alone. */
#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "store/disk.h"
#include "store/prepare.h"
#include "store/walk.h"

#define ID_NAME "store"

struct journal {
    char *dir;
    struct journal_io io;
    size_t segment_bytes;
    bool read_only, broken; /* broken: the disk's state is not known; only a new start finds out */
    int lock_fd, fd;        /* fd: the segment being written */
    char *path;
    uint64_t size, end; /* of that segment: of its file, of its last batch */
    uint64_t
        dirty_to; /* an append failed: what lies from end to here is not known to be zero; 0: all is well */
    uint64_t sealed_bytes;
    struct segment_head head;
    uint8_t id[STORE_ID_LEN];
    uint64_t last;
    int64_t time;
    uint8_t chain[CHAIN_LEN];
    struct {
        bool written;
        uint64_t end, last;
        int64_t time;
        uint8_t chain[CHAIN_LEN];
    } flight;
    struct prepare *prepare;
    struct buf buf;
};

/* ---- lock and store id ---- */

int journal_lock(const char *dir, int *fd, struct err *err)
{
    char pid[24] = "";
    char *path = disk_path(dir, JOURNAL_LOCK);
    int rc = 0;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) {
        rc = disk_error(err, errno, "open", path);
    } else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(*fd, pid, sizeof pid - 1, 0);
        pid[n > 0 ? strspn(pid, "0123456789") : 0] = 0;
        rc = err_set(err, WW_ELOCKED,
                     "journal: %s is in use by another process%s%s; stop it first, or give another "
                     "--state-dir",
                     dir, *pid ? ", " : "", pid);
        close(*fd);
        *fd = -1;
    } else if (ftruncate(*fd, 0) == 0) {
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        if (pwrite(*fd, pid, (size_t)n, 0) < 0)
            pid[0] = 0; /* it only names the process in another's message */
    }
    free(path);
    return rc;
}

static int write_id(struct journal *j, struct err *err)
{
    char text[2 * STORE_ID_LEN + 2];
    for (size_t i = 0; i < STORE_ID_LEN; i++)
        sprintf(text + 2 * i, "%02x", j->id[i]);
    text[2 * STORE_ID_LEN] = '\n';
    int e = disk_replace(&j->io, j->dir, ID_NAME, text, sizeof text - 1);
    return e == 0 ? 0 : disk_error(err, e, "write the store's id into", j->dir);
}

int journal_new_store_id(struct journal *j, struct err *err)
{
    uint8_t old[STORE_ID_LEN];
    memcpy(old, j->id, sizeof old);
    random_bytes(j->id, sizeof j->id);
    int rc = write_id(j, err);
    if (rc != 0)
        memcpy(j->id, old, sizeof old);
    return rc;
}

static bool parse_id(const char *text, size_t n, uint8_t id[STORE_ID_LEN])
{
    if (n != 2 * STORE_ID_LEN + 1 || text[n - 1] != '\n')
        return false;
    for (size_t i = 0; i < STORE_ID_LEN; i++) {
        char hex[3] = {text[2 * i], text[2 * i + 1], 0};
        if (strspn(hex, "0123456789abcdef") != 2)
            return false;
        id[i] = (uint8_t)strtoul(hex, NULL, 16);
    }
    return true;
}

/* An id that is lost or spoiled is made anew: subscribers then begin again, which is always right. */
static int read_id(struct journal *j, struct err *err)
{
    char text[2 * STORE_ID_LEN + 2];
    char *path = disk_path(j->dir, ID_NAME);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
    int rc = 0;
    if (fd < 0 && errno != ENOENT)
        rc = disk_error(err, errno, "open", path);
    else if ((n < 0 || !parse_id(text, (size_t)n, j->id)) && !j->read_only)
        rc = journal_new_store_id(j, err);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

/* ---- segments ---- */

/* What a failed write, rename or sync of a file that is not part of the journal yet leaves behind: nothing.
 */
static int give_up(struct journal *j, int fd, int errnum, struct err *err)
{
    char *path = disk_path(j->dir, PREPARED);
    int rc = disk_error(err, errnum, "make the next segment from", path);
    close(fd);
    unlink(path);
    free(path);
    return rc;
}

/* Gives a prepared file its head and name; from then on it is the one being written. */
static int begin_segment(struct journal *j, size_t bytes, struct segment_head *h, struct err *err)
{
    uint8_t head[SEGMENT_HEAD];
    char name[SEGMENT_NAME_LEN];
    uint64_t size;
    int fd, rc = prepare_take(j->prepare, bytes, &fd, &size, err);
    if (rc != 0)
        return rc;
    random_bytes(&h->mark, sizeof h->mark);
    h->mark |= 1; /* never zero: zeros are no batch */
    segment_head_put(head, h);
    int e = disk_write(&j->io, fd, head, sizeof head, 0);
    if (e == 0)
        e = disk_sync(&j->io, fd);
    if (e != 0)
        return give_up(j, fd, e, err);
    segment_name(name, h->first);
    char *from = disk_path(j->dir, PREPARED), *path = disk_path(j->dir, name);
    e = j->io.rename(from, path) == 0 ? 0 : errno;
    free(from);
    if (e != 0) {
        free(path);
        return give_up(j, fd, e, err);
    }
    if (j->fd >= 0) {
        j->sealed_bytes += j->end;
        close(j->fd);
    }
    free(j->path);
    j->path = path;
    j->fd = fd;
    j->head = *h;
    j->size = size;
    j->end = SEGMENT_HEAD;
    e = disk_sync_dir(&j->io, j->dir);
    if (e == 0)
        return 0;
    disk_error(err, e, "sync", j->dir);
    return err->code = WW_EIO; /* full or not: whether the name is on the disk is not known */
}

static int first_segment(struct journal *j, struct err *err)
{
    struct segment_head h = {.first = 1};
    random_bytes(h.key, sizeof h.key);
    hash_blake2b(h.chain, h.key, sizeof h.key, NULL, 0, NULL, 0);
    memcpy(j->chain, h.chain, CHAIN_LEN);
    return begin_segment(j, j->segment_bytes, &h, err);
}

static int next_segment(struct journal *j, size_t batch, struct err *err)
{
    struct segment_head h = {.first = j->last + 1, .before = j->head.first, .time = j->time};
    size_t bytes = batch + SEGMENT_HEAD > j->segment_bytes ? batch + SEGMENT_HEAD : j->segment_bytes;
    memcpy(h.key, j->head.key, sizeof h.key);
    memcpy(h.chain, j->chain, CHAIN_LEN);
    return begin_segment(j, bytes, &h, err);
}

/* ---- opening ---- */

/* Heads of all segments: one key, and each names the one before it. */
static int check_heads(struct journal *j, const uint64_t *firsts, size_t n, struct err *err)
{
    struct segment_head before;
    for (size_t i = 0; i < n; i++) {
        struct segment *s;
        int rc = segment_open(&s, j->dir, firsts[i], err);
        if (rc != 0)
            return rc;
        struct segment_head h = s->head;
        if (i > 0 && memcmp(h.key, before.key, sizeof h.key) != 0)
            rc = err_set(err, WW_EDAMAGED,
                         "journal: %s, offset 0, belongs to another journal than the segment before it; "
                         "put the right file back, or 'wagewarn restore' a backup",
                         s->path);
        else if (i > 0 && h.before != before.first)
            rc = err_set(err, WW_EDAMAGED,
                         "journal: the segment that begins with entry %" PRIu64 " is missing before %s; "
                         "put it back, or 'wagewarn restore' a backup",
                         h.before, s->path);
        if (i + 1 < n)
            j->sealed_bytes += s->size;
        segment_close(s);
        if (rc != 0)
            return rc;
        before = h;
    }
    return 0;
}

/* Makes the disk hold what the page cache shows, and zeros behind it, before any of it is believed. */
static int mend_end(struct journal *j, const struct walk *w, struct err *err)
{
    uint64_t used;
    struct segment_batch b;
    struct segment *s = w->seg;
    int e = 0, rc = segment_used(s, j->end, &used, err);
    if (rc != 0)
        return rc;
    if (used > j->end)
        log_line(LOG_L_NOTICE, "journal: a batch that was never acknowledged is dropped",
                 "after=%" PRIu64 " bytes=%" PRIu64, j->last, used - j->end);
    if (w->batch_at != 0) {
        rc = segment_batch(s, w->batch_at, &b, err);
        if (rc < 0)
            return rc;
        e = disk_write(&j->io, j->fd, b.raw, (size_t)b.bytes, b.at);
    }
    if (e == 0)
        e = disk_zero(&j->io, j->fd, j->end, used);
    if (e == 0 && s->size < j->segment_bytes) {
        e = disk_zero(&j->io, j->fd, s->size, j->segment_bytes);
        j->size = j->segment_bytes;
    }
    if (e == 0)
        e = disk_sync(&j->io, j->fd);
    if (e == 0)
        e = disk_sync_dir(&j->io, j->dir);
    return e == 0 ? 0 : disk_error(err, e, "mend the end of", j->path);
}

static int check_checkpoint(const struct walk *w, uint64_t checkpoint, struct err *err)
{
    if (w->last >= checkpoint)
        return 0;
    if (w->tail_bad)
        return err_set(err, WW_EDAMAGED,
                       "journal: %s is damaged at offset %" PRIu64 ", after entry %" PRIu64
                       ", but the view has seen entry %" PRIu64
                       "; 'wagewarn verify' tells more, 'wagewarn restore' mends",
                       w->seg->path, w->at, w->last, checkpoint);
    return err_set(err, WW_EDAMAGED,
                   "journal: %s ends at offset %" PRIu64 " with entry %" PRIu64
                   ", but the view has seen entry %" PRIu64
                   "; put the missing segments back or 'wagewarn restore' a backup; if the rest is truly "
                   "lost, --rebuild",
                   w->seg->path, w->at, w->last, checkpoint);
}

static int find_end(struct journal *j, uint64_t from, const struct journal_options *o, struct err *err)
{
    struct walk w;
    struct segment_batch b;
    int rc = walk_open(&w, j->dir, from, err);
    if (rc != 0)
        return rc;
    while ((rc = walk_next(&w, &b, err)) > 0)
        ;
    if (rc == 0)
        rc = check_checkpoint(&w, o->checkpoint, err);
    if (rc != 0)
        goto out;
    j->head = w.seg->head;
    j->size = w.seg->size;
    j->end = w.at;
    j->last = w.last;
    j->time = w.time;
    memcpy(j->chain, w.chain, CHAIN_LEN);
    j->path = mem_strndup(w.seg->path, strlen(w.seg->path));
    if (j->read_only)
        goto out;
    j->fd = open(j->path, O_RDWR | O_CLOEXEC);
    rc = j->fd < 0 ? disk_error(err, errno, "open", j->path) : mend_end(j, &w, err);
out:
    walk_close(&w);
    return rc;
}

static int open_segments(struct journal *j, const struct journal_options *o, struct err *err)
{
    uint64_t *firsts;
    size_t n;
    int rc = segment_list(j->dir, &firsts, &n, err);
    if (rc != 0)
        return rc;
    if (n > 0) {
        rc = check_heads(j, firsts, n, err);
        if (rc == 0)
            rc = find_end(j, firsts[n - 1], o, err);
    } else if (o->checkpoint > 0) {
        rc = err_set(err, WW_EDAMAGED,
                     "journal: there is none in %s, but the view has seen entry %" PRIu64 "; put the .seg "
                     "files back or 'wagewarn restore' a backup; if they are truly lost, --rebuild",
                     j->dir, o->checkpoint);
    } else if (j->read_only) {
        rc = err_set(err, WW_ENOTFOUND, "journal: there is none in %s; name the state directory of a daemon",
                     j->dir);
    } else {
        rc = first_segment(j, err);
    }
    free(firsts);
    return rc;
}

static int make_dir(struct journal *j, struct err *err)
{
    if (mkdir(j->dir, 0700) != 0)
        return errno == EEXIST ? 0 : disk_error(err, errno, "make the folder", j->dir);
    char *parent = disk_path(j->dir, "..");
    int e = disk_sync_dir(&j->io, parent);
    free(parent);
    return e == 0 ? 0 : disk_error(err, e, "sync the folder of", j->dir);
}

int journal_open(struct journal **out, const char *dir, const struct journal_options *o, struct err *err)
{
    static const struct journal_options defaults;
    struct err mine;
    if (!err)
        err = &mine;
    o = o ? o : &defaults;
    struct journal *j = mem_zalloc(sizeof *j);
    j->dir = mem_strndup(dir, strlen(dir));
    j->io = disk_io(o->io);
    j->segment_bytes = o->segment_bytes ? o->segment_bytes : SEGMENT_BYTES;
    j->read_only = o->read_only;
    j->lock_fd = j->fd = -1;
    int rc = 0;
    if (!j->read_only) {
        rc = make_dir(j, err);
        if (rc == 0)
            rc = journal_lock(j->dir, &j->lock_fd, err);
        if (rc == 0)
            rc = prepare_create(&j->prepare, j->dir, &j->io, o->no_thread, err);
    }
    if (rc == 0)
        rc = open_segments(j, o, err);
    if (rc == 0)
        rc = read_id(j, err);
    if (rc != 0) {
        journal_close(j);
        j = NULL;
    }
    *out = j;
    return rc;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    prepare_destroy(j->prepare);
    if (j->fd >= 0)
        close(j->fd);
    if (j->lock_fd >= 0)
        close(j->lock_fd);
    buf_finish(&j->buf);
    free(j->path);
    free(j->dir);
    free(j);
}

/* ---- what is known ---- */

const uint8_t *journal_store_id(const struct journal *j)
{
    return j->id;
}

const uint8_t *journal_key(const struct journal *j)
{
    return j->head.key;
}

uint64_t journal_last(const struct journal *j)
{
    return j->last;
}

int64_t journal_last_time(const struct journal *j)
{
    return j->time;
}

void journal_chain(const struct journal *j, uint8_t out[CHAIN_LEN])
{
    memcpy(out, j->chain, CHAIN_LEN);
}

uint64_t journal_bytes(const struct journal *j)
{
    return j->sealed_bytes + j->end;
}

uint64_t journal_room(const struct journal *j)
{
    return j->size - j->end;
}

/* ---- appending ---- */

static int broken(const struct journal *j, struct err *err)
{
    return err_set(err, WW_EIO,
                   "journal: an earlier write to %s failed; check the disk and start the daemon again",
                   j->path);
}

/* Zeros again where an append failed. */
static int clear_failed(struct journal *j, struct err *err)
{
    int e = disk_zero(&j->io, j->fd, j->end, j->dirty_to);
    if (e != 0)
        return disk_error(err, e, "write to", j->path);
    j->dirty_to = 0;
    return 0;
}

static int write_batch(struct journal *j, struct err *err)
{
    int e = disk_write(&j->io, j->fd, j->buf.p, j->buf.n, j->end);
    if (e != 0) {
        j->dirty_to = j->end + j->buf.n;
        return disk_error(err, e, "append to", j->path);
    }
    /* The disk begins now, the caller folds meanwhile; a failure shows in journal_sync. */
    (void)sync_file_range(j->fd, (off_t)j->end, (off_t)j->buf.n, SYNC_FILE_RANGE_WRITE);
    return 0;
}

/* The batch after the last one, in this segment or the next, as far as the page cache. */
static int place_batch(struct journal *j, int64_t time, const struct journal_entry *entries, size_t n,
                       struct err *err)
{
    size_t bytes = segment_batch_size(entries, n);
    assert(bytes <= 2 * (size_t)BATCH_BYTES_MAX);
    int rc = j->dirty_to ? clear_failed(j, err) : 0;
    if (rc == 0 && bytes > j->size - j->end)
        rc = next_segment(j, bytes, err);
    if (rc != 0)
        return rc;
    memcpy(j->flight.chain, j->chain, CHAIN_LEN);
    buf_reset(&j->buf);
    segment_batch_put(&j->buf, j->head.mark, j->flight.chain, j->last + 1, time, entries, n);
    assert(j->buf.n == bytes);
    return write_batch(j, err);
}

int journal_append(struct journal *j, int64_t time, const struct journal_entry *entries, size_t n,
                   uint64_t *first, struct err *err)
{
    struct err mine;
    err = err ? err : &mine;
    assert(!j->read_only && n > 0);
    if (j->broken)
        return broken(j, err);
    assert(!j->flight.written && time >= j->time);
    int rc = place_batch(j, time, entries, n, err);
    if (rc != 0) {
        j->broken = rc != WW_EFULL;
        return rc;
    }
    j->flight.written = true;
    j->flight.end = j->end + j->buf.n;
    j->flight.last = j->last + n;
    j->flight.time = time;
    *first = j->last + 1;
    /* Half a segment before its end: the rest takes longer to fill than the next takes to make. */
    if (j->flight.end > j->size / 2)
        prepare_want(j->prepare, j->segment_bytes);
    return 0;
}

int journal_sync(struct journal *j, struct err *err)
{
    if (j->broken)
        return broken(j, err);
    if (!j->flight.written)
        return 0;
    int e = disk_sync(&j->io, j->fd);
    if (e != 0) {
        j->broken = true;
        return err_set(err, WW_EIO, "journal: cannot sync %s: %s; check the disk and start the daemon again",
                       j->path, strerror(e));
    }
    j->end = j->flight.end;
    j->last = j->flight.last;
    j->time = j->flight.time;
    memcpy(j->chain, j->flight.chain, CHAIN_LEN);
    j->flight.written = false;
    return 0;
}

int journal_prepare(struct journal *j, struct err *err)
{
    assert(!j->read_only);
    return prepare_ready(j->prepare, j->segment_bytes, err);
}

/* ---- forgetting ---- */

static int overwrite_note(struct journal *j, const struct segment *s, const struct segment_batch *b,
                          uint64_t number, struct err *err)
{
    uint64_t at;
    size_t n;
    if (!segment_note(b, (size_t)(number - b->first), &at, &n))
        return err_set(err, WW_ENOTFOUND, "journal: entry %" PRIu64 " has no note", number);
    uint8_t *zeros = mem_zalloc(4 + n);
    uint32_t crc = crc32c(0, zeros + 4, n);
    for (int i = 0; i < 4; i++)
        zeros[i] = (uint8_t)(crc >> (8 * i));
    int fd = open(s->path, O_WRONLY | O_CLOEXEC);
    int e = fd < 0 ? errno : disk_write(&j->io, fd, zeros, 4 + n, at);
    if (e == 0)
        e = disk_sync(&j->io, fd);
    if (fd >= 0)
        close(fd);
    free(zeros);
    return e == 0 ? 0 : disk_error(err, e, "forget a note in", s->path);
}

int journal_forget(struct journal *j, uint64_t number, struct err *err)
{
    struct err mine;
    struct walk w;
    struct segment_batch b;
    err = err ? err : &mine;
    assert(!j->read_only);
    if (number == 0 || number > j->last)
        return err_set(err, WW_ENOTFOUND, "journal: there is no entry %" PRIu64, number);
    if (number >= j->head.first)
        return err_set(err, WW_EAGAIN,
                       "journal: entry %" PRIu64 " lies in the segment being written; its note is forgotten "
                       "when that is full",
                       number);
    int rc = walk_open(&w, j->dir, number, err);
    if (rc != 0)
        return rc;
    do
        rc = walk_next(&w, &b, err);
    while (rc > 0 && w.last < number);
    if (rc > 0)
        rc = overwrite_note(j, w.seg, &b, number, err);
    else if (rc == 0)
        rc = err_set(err, WW_ENOTFOUND, "journal: there is no entry %" PRIu64, number);
    walk_close(&w);
    return rc;
}
