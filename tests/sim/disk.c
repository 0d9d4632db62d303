/* SPDX-License-Identifier: Apache-2.0 */
/* The disk. The files are real, in a folder of memory; this room sees what the journal writes and syncs through the
 * seam of store/journal.h, and keeps what was there before each write that is not synced yet. A power cut takes back a
 * drawn part of those, sector by sector, and names not yet synced; of the view it may take the last commit, which LMDB
 * opened so may lose. Which entry is durable is read off the writes and syncs alone. */
#include "tests/sim/sim.h"

#include "lib/mem.h"
#include "store/disk.h"
#include "store/segment.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SECTOR = 512, METAS = 8192, MAP_BYTES = 64 << 20, NAMES = 16 };

/* What stood where an unsynced write went, or the batch that it holds. */
struct undo {
    ino_t file;
    uint64_t at;
    size_t n;
    uint8_t *old;
    uint64_t last, end; /* of a batch's beginning: its last number, and where the batch ends; else 0 */
};

struct disk_faults disk_faults = {.sync_least = 200, .sync_most = 2000};
size_t disk_segment_bytes = 128 << 10;
bool disk_ghost;

static char base[64], dir[96], old_dir[96];
static unsigned images;
static struct undo *undos;
static size_t n_undos, cap_undos;
static uint64_t durable;
static bool failed, was_full;
static uint8_t metas[METAS];
static bool have_metas;
static struct {
    char from[160], to[160];
} names[NAMES]; /* renames that no sync of the folder has covered */
static unsigned n_names;

/* ---- folders ---- */

void disk_open(const char *b)
{
    snprintf(base, sizeof base, "%s", b);
    snprintf(dir, sizeof dir, "%s/0", base);
}

const char *disk_dir(void)
{
    return dir;
}

void disk_remove(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char name[400];
    while (d && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (unlink(name) != 0)
            disk_remove(name);
    }
    if (d)
        closedir(d);
    rmdir(path);
}

static void forget_undos(void)
{
    for (size_t i = 0; i < n_undos; i++)
        free(undos[i].old);
    n_undos = n_names = 0;
}

void disk_finish(void)
{
    forget_undos();
    free(undos);
    disk_remove(base);
}

static ino_t inode(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        sim_fail("fstat: %s", strerror(errno));
    return st.st_ino;
}

uint64_t disk_durable(void)
{
    return durable;
}

bool disk_has_failed(void)
{
    return failed;
}

bool disk_was_full(void)
{
    return was_full;
}

static bool is_full(void)
{
    bool full = disk_faults.full && !disk_ghost;
    was_full = was_full || full;
    return full;
}

/* ---- the seam ---- */

/* A write that begins with a batch's head: which entry is its last. */
static void note_batch(struct undo *u, const uint8_t *p, size_t whole)
{
    uint64_t mark, first;
    uint32_t entries, notes, count;
    for (size_t i = 0; i < n_undos; i++)
        if (undos[i].file == u->file && undos[i].end && u->at > undos[i].at && u->at < undos[i].end)
            return; /* the rest of a short write */
    if (whole < BATCH_HEAD || u->at < SEGMENT_HEAD)
        return;
    memcpy(&mark, p, 8);
    memcpy(&entries, p + 12, 4);
    memcpy(&notes, p + 16, 4);
    memcpy(&count, p + 20, 4);
    memcpy(&first, p + 24, 8);
    if (!mark)
        return;
    u->last = le64toh(first) + le32toh(count) - 1;
    u->end = u->at + BATCH_HEAD + le32toh(entries) + le32toh(notes);
}

/* Of `whole` bytes from p on, n are written. */
static void keep_old(int fd, const void *p, size_t n, size_t whole, uint64_t at)
{
    undos = mem_grow(undos, &cap_undos, n_undos + 1, sizeof *undos);
    struct undo u = {.file = inode(fd), .at = at, .n = n, .old = mem_zalloc(n)};
    if (pread(fd, u.old, n, (off_t)at) < 0 && errno != EBADF) /* opened for writing alone: it was made just now */
        sim_fail("pread: %s", strerror(errno));
    note_batch(&u, p, whole);
    undos[n_undos++] = u;
}

static bool out_of_order(void)
{
    if (disk_ghost || !sim_in_thread() || !sim_chance(disk_faults.eio_in_1000))
        return false;
    sim_say("disk: EIO");
    failed = true;
    errno = EIO;
    return true;
}

static ssize_t on_write(int fd, const void *p, size_t n, off_t at)
{
    if (disk_ghost)
        return pwrite(fd, p, n, at);
    sim_pause((int64_t)sim_draw(60));
    if (out_of_order())
        return -1;
    if (sim_chance(300) && is_full()) {
        errno = ENOSPC;
        return -1;
    }
    size_t whole = n;
    if (n > 1 && sim_chance(disk_faults.short_in_1000))
        n = 1 + sim_draw(n - 1);
    if (!disk_ghost) /* it may have been killed meanwhile */
        keep_old(fd, p, n, whole, (uint64_t)at);
    return pwrite(fd, p, n, at);
}

static bool is_whole(size_t upto, const struct undo *u)
{
    uint64_t end = u->at;
    for (size_t i = 0; i < upto; i++)
        if (undos[i].file == u->file && undos[i].at <= end && undos[i].at + undos[i].n > end)
            end = undos[i].at + undos[i].n;
    return end >= u->end;
}

/* All that was written to the file before the sync began is safe. */
static void settle(ino_t file, size_t upto)
{
    size_t kept = 0;
    for (size_t i = 0; i < upto; i++)
        if (undos[i].file == file && undos[i].last > durable && is_whole(upto, &undos[i]))
            durable = undos[i].last;
    for (size_t i = 0; i < n_undos; i++) {
        if (i < upto && undos[i].file == file)
            free(undos[i].old);
        else
            undos[kept++] = undos[i];
    }
    n_undos = kept;
}

static int on_sync(int fd)
{
    if (disk_ghost)
        return 0;
    size_t upto = n_undos;
    ino_t file = inode(fd);
    int64_t took = sim_between(disk_faults.sync_least, disk_faults.sync_most);
    size_t seen = 0;
    for (size_t i = 0; i < upto; i++)
        seen += undos[i].file == file;
    sim_pause(took);
    if (out_of_order())
        return -1;
    if (disk_ghost)
        return 0;
    /* other files' syncs may have shortened the list meanwhile: the first `seen` of this one were there */
    for (upto = 0; upto < n_undos && seen; upto++)
        seen -= undos[upto].file == file;
    settle(file, upto);
    return 0;
}

static int on_fallocate(int fd, off_t from, off_t n)
{
    if (is_full())
        return ENOSPC;
    return posix_fallocate(fd, from, n);
}

static int on_sync_dir(int fd)
{
    (void)fd;
    sim_pause((int64_t)sim_draw(500));
    if (!disk_ghost)
        n_names = 0;
    return 0;
}

static int on_rename(const char *from, const char *to)
{
    if (!disk_ghost && n_names < NAMES && access(to, F_OK) != 0) {
        snprintf(names[n_names].from, sizeof names[0].from, "%s", from + strlen(dir));
        snprintf(names[n_names].to, sizeof names[0].to, "%s", to + strlen(dir));
        n_names++;
    }
    return rename(from, to);
}

static const struct journal_io io = {on_write, on_sync, on_fallocate, on_sync_dir, on_rename};

/* ---- what the daemon opens, and its view ---- */

/* After a start all that is read as good must be safe: it will be taken for acknowledged. */
static void all_is_safe(void)
{
    for (size_t i = 0; i < n_undos; i++)
        if (undos[i].last)
            sim_fail("entry %llu was recovered but never synced: a power cut now would take it back",
                     (unsigned long long)undos[i].last);
}

int __real_recover(const char *, const struct recover_options *, struct recovered *, struct err *);
int __wrap_recover(const char *state_dir, const struct recover_options *o, struct recovered *out, struct err *err);
int __wrap_recover(const char *state_dir, const struct recover_options *o, struct recovered *out, struct err *err)
{
    struct recover_options mine = *o;
    mine.segment_bytes = disk_segment_bytes;
    mine.map_bytes = MAP_BYTES;
    mine.io = &io;
    have_metas = was_full = false;
    int rc = __real_recover(state_dir, &mine, out, err);
    if (rc == 0 && !disk_ghost) {
        all_is_safe();
        uint64_t last = journal_last(out->journal);
        if (last < durable)
            sim_fail("the journal ends at %llu, but %llu was durable", (unsigned long long)last,
                     (unsigned long long)durable);
        durable = last;
        truth_restarted();
        sim_say("disk: recovered, journal at %llu, %llu folded", (unsigned long long)last,
                (unsigned long long)out->folded);
    }
    return rc;
}

static void keep_metas(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/view/data.mdb", dir);
    int fd = open(path, O_RDONLY);
    have_metas = fd >= 0 && read(fd, metas, METAS) == METAS;
    if (fd >= 0)
        close(fd);
}

int __real_view_commit(struct view *, struct checkpoint *, const uint8_t *, struct err *);
int __wrap_view_commit(struct view *v, struct checkpoint *cp, const uint8_t *id, struct err *err);
int __wrap_view_commit(struct view *v, struct checkpoint *cp, const uint8_t *id, struct err *err)
{
    if (!sim_in_thread() || disk_ghost)
        return __real_view_commit(v, cp, id, err);
    if (cp->number > durable)
        sim_fail("a checkpoint holds entry %llu, but only %llu is durable", (unsigned long long)cp->number,
                 (unsigned long long)durable);
    sim_pause(sim_between(disk_faults.sync_least, disk_faults.sync_most * 4));
    if (is_full())
        return err_set(err, WW_EFULL, "view: no space");
    if (!disk_ghost)
        keep_metas();
    int rc = __real_view_commit(v, cp, id, err);
    sim_pause((int64_t)sim_draw(300));
    return rc;
}

/* The name that <sys/statvfs.h> gives to statvfs where files may be large. */
int __wrap_statvfs64(const char *path, struct statvfs *v);
int __wrap_statvfs64(const char *path, struct statvfs *v)
{
    (void)path;
    bool full = is_full();
    *v = (struct statvfs){.f_frsize = 4096, .f_blocks = 1 << 20, .f_files = 1 << 20, .f_favail = 1 << 19};
    v->f_bavail = full ? 10 : 1 << 19;
    return 0;
}

/* ---- images ---- */

static void copy_file(const char *from, const char *to)
{
    static uint8_t piece[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ssize_t n;
    if (in < 0 || out < 0)
        sim_fail("cannot copy %s: %s", from, strerror(errno));
    while ((n = read(in, piece, sizeof piece)) > 0)
        if (write(out, piece, (size_t)n) != n)
            sim_fail("cannot write %s: %s", to, strerror(errno));
    struct stat a, b;
    if (fstat(in, &a) != 0 || fstat(out, &b) != 0)
        sim_fail("fstat: %s", strerror(errno));
    for (size_t i = 0; i < n_undos; i++)
        if (undos[i].file == a.st_ino)
            undos[i].file = b.st_ino; /* inodes of one file system: no copy has one that is in use */
    close(in);
    close(out);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void copy_tree(const char *from, const char *to)
{
    struct dirent **list;
    int n = scandir(from, &list, NULL, by_name);
    mkdir(to, 0700);
    for (int i = 0; i < n; i++) {
        char a[400], b[400];
        struct stat st;
        const char *name = list[i]->d_name;
        snprintf(a, sizeof a, "%s/%s", from, name);
        snprintf(b, sizeof b, "%s/%s", to, name);
        if (strcmp(name, ".") && strcmp(name, "..") && strcmp(name, "lock.mdb") && stat(a, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                copy_tree(a, b);
            else
                copy_file(a, b);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

/* Of each sector one of its states since the last sync is left. */
static void take_back_file(int fd, ino_t file)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return;
    unsigned keep = (unsigned[]){0, 1000, 500, 900}[sim_draw(4)];
    bool *stays = mem_zalloc((size_t)st.st_size / SECTOR + 2);
    for (size_t i = n_undos; i-- > 0;) {
        const struct undo *u = &undos[i];
        for (size_t from = 0, n; u->file == file && from < u->n; from += n) {
            uint64_t at = u->at + from, sector = at / SECTOR;
            n = SECTOR - at % SECTOR < u->n - from ? SECTOR - at % SECTOR : u->n - from;
            if (at + n > (uint64_t)st.st_size || stays[sector])
                continue;
            stays[sector] = sim_chance(keep);
            if (!stays[sector] && pwrite(fd, u->old + from, n, (off_t)at) < 0)
                sim_fail("pwrite: %s", strerror(errno));
        }
    }
    free(stays);
}

static void take_back(const char *to)
{
    char path[400], other[400];
    struct dirent **list;
    snprintf(path, sizeof path, "%s/journal", to);
    int n = scandir(path, &list, NULL, by_name);
    for (int i = 0; i < n; i++) {
        snprintf(other, sizeof other, "%s/%s", path, list[i]->d_name);
        int fd = list[i]->d_name[0] == '.' ? -1 : open(other, O_RDWR);
        if (fd >= 0) {
            take_back_file(fd, inode(fd));
            close(fd);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    while (n_names-- > 0) {
        snprintf(path, sizeof path, "%s%s", to, names[n_names].from);
        snprintf(other, sizeof other, "%s%s", to, names[n_names].to);
        if (sim_chance(500) && access(path, F_OK) != 0)
            (void)!rename(other, path);
    }
    snprintf(path, sizeof path, "%s/view/data.mdb", to);
    int fd = have_metas && sim_chance(500) ? open(path, O_WRONLY) : -1;
    if (fd >= 0) {
        sim_say("disk: the view loses its last commit");
        if (pwrite(fd, metas, METAS, 0) != METAS)
            sim_fail("pwrite: %s", strerror(errno));
        close(fd);
    }
    forget_undos();
}

void disk_image(enum disk_end end)
{
    char to[96];
    snprintf(to, sizeof to, "%s/%u", base, ++images);
    copy_tree(dir, to);
    if (end == DISK_POWER)
        take_back(to);
    n_names = end == DISK_POWER ? 0 : n_names;
    failed = false;
    snprintf(old_dir, sizeof old_dir, "%s", dir);
    snprintf(dir, sizeof dir, "%s", to);
}

void disk_bury(void)
{
    if (*old_dir)
        disk_remove(old_dir);
    *old_dir = 0;
}
