/* SPDX-License-Identifier: Apache-2.0 */
/* A file is what was synced of it, and a list of what was done to it since; likewise a folder. An image is
 * made by doing again what is chosen of the list. See model.h. */
#include "tests/crash/model.h"

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/mem.h"

enum { NAME = 64, NODES = 4096, ENTRIES = 64 };

/* One thing done since the last sync. Of a file: data, or a size. Of a folder: a name begins or ends. */
struct change {
    enum op op;
    uint64_t at;
    const uint8_t *data;
    size_t n;
    char name[NAME], to[NAME];
    unsigned node; /* made under `name` */
};

struct entry {
    char name[NAME];
    unsigned node;
};

struct names {
    struct entry list[ENTRIES];
    size_t n;
};

struct node {
    uint64_t ino;
    bool folder;
    struct buf synced;      /* of a file */
    struct names kept, now; /* of a folder: as synced, as programs see it */
    struct change *since;
    size_t n, cap, mark; /* mark: how many the sync in progress covers */
};

struct model {
    struct node *nodes[NODES]; /* 0: the folder itself */
    unsigned n;
};

struct choice {
    enum shown shown;
    uint64_t random;
    unsigned whole, none; /* of 100; the rest is torn */
};

/* ---- names ---- */

static unsigned *find(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->list[i].name, name) == 0)
            return &names->list[i].node;
    return NULL;
}

static void set(struct names *names, const char *name, unsigned node)
{
    unsigned *there = find(names, name);
    if (there) {
        *there = node;
        return;
    }
    if (names->n == ENTRIES)
        errx(1, "more than %d files in a folder", ENTRIES);
    struct entry *e = &names->list[names->n++];
    strcpy(e->name, name);
    e->node = node;
}

static void unset(struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->list[i].name, name) == 0) {
            names->list[i] = names->list[--names->n];
            return;
        }
}

static void change_names(struct names *names, const struct change *c)
{
    if (c->op == OP_RENAME) {
        unsigned *from = find(names, c->name);
        if (from && *from == c->node) /* else it was never there, and yet renamed: the new name alone */
            unset(names, c->name);
        set(names, c->to, c->node);
    } else if (c->op == OP_UNLINK) {
        unset(names, c->name);
    } else {
        set(names, c->name, c->node);
    }
}

/* ---- nodes ---- */

static unsigned add_node(struct model *m, uint64_t ino, bool folder)
{
    if (m->n == NODES)
        errx(1, "more than %d files in a recording", NODES);
    struct node *f = mem_zalloc(sizeof *f);
    f->ino = ino;
    f->folder = folder;
    m->nodes[m->n] = f;
    return m->n++;
}

/* The youngest file of that number: an inode's number is used again when its file is gone. */
static struct node *by_ino(const struct model *m, uint64_t ino)
{
    for (unsigned i = m->n; i > 0; i--)
        if (m->nodes[i - 1]->ino == ino)
            return m->nodes[i - 1];
    return NULL;
}

static struct change *add_change(struct node *f, enum op op)
{
    f->since = mem_grow(f->since, &f->cap, f->n + 1, sizeof *f->since);
    f->since[f->n] = (struct change){.op = op};
    return &f->since[f->n++];
}

/* The folder of a path and, in name, its last part. */
static struct node *folder_of(const struct model *m, const char *path, size_t n, char name[NAME])
{
    unsigned at = 0;
    const char *end = path + n;
    for (const char *slash; (slash = memchr(path, '/', (size_t)(end - path))); path = slash + 1) {
        snprintf(name, NAME, "%.*s", (int)(slash - path), path);
        unsigned *down = find(&m->nodes[at]->now, name);
        if (!down || !m->nodes[*down]->folder)
            errx(1, "the recording has no folder %s", name);
        at = *down;
    }
    if (end - path >= NAME)
        errx(1, "a name of %d bytes", (int)(end - path));
    snprintf(name, NAME, "%.*s", (int)(end - path), path);
    return m->nodes[at];
}

/* ---- following ---- */

static void resize(struct buf *b, uint64_t n)
{
    if (n > b->n)
        memset(buf_reserve(b, n - b->n), 0, n - b->n);
    b->n = n;
}

static void change_file(struct buf *b, const struct change *c)
{
    if (c->op == OP_SIZE) {
        resize(b, c->at);
        return;
    }
    if (c->at + c->n > b->n)
        resize(b, c->at + c->n);
    memcpy(b->p + c->at, c->data, c->n);
}

static void made(struct model *m, const struct op_head *h, const char *path, bool folder)
{
    char name[NAME];
    struct node *d = folder_of(m, path, h->npath, name);
    unsigned node = add_node(m, h->ino, folder);
    struct change *c = add_change(d, folder ? OP_MKDIR : OP_OPEN);
    strcpy(c->name, name);
    c->node = node;
    change_names(&d->now, c);
}

static void renamed(struct model *m, const struct op_head *h, const char *path)
{
    char name[NAME], to[NAME];
    size_t n = strnlen(path, h->npath);
    struct node *d = folder_of(m, path, n, name);
    if (n >= h->npath || folder_of(m, path + n + 1, h->npath - n - 1, to) != d)
        errx(1, "a rename from one folder to another");
    unsigned *node = find(&d->now, name);
    if (!node)
        errx(1, "%s was renamed but never made", name);
    struct change *c = add_change(d, OP_RENAME);
    strcpy(c->name, name);
    strcpy(c->to, to);
    c->node = *node;
    change_names(&d->now, c);
}

static void removed(struct model *m, const struct op_head *h, const char *path)
{
    char name[NAME];
    struct node *d = folder_of(m, path, h->npath, name);
    struct change *c = add_change(d, OP_UNLINK);
    strcpy(c->name, name);
    change_names(&d->now, c);
}

static void synced(struct node *f)
{
    for (size_t i = 0; i < f->mark; i++) {
        if (f->folder)
            change_names(&f->kept, &f->since[i]);
        else
            change_file(&f->synced, &f->since[i]);
    }
    f->n -= f->mark;
    memmove(f->since, f->since + f->mark, f->n * sizeof *f->since);
    f->mark = 0;
}

static void written(struct node *f, const struct op_head *h, const char *path)
{
    struct change *c = add_change(f, h->op);
    c->at = h->at;
    c->data = (const uint8_t *)path + h->npath;
    c->n = h->ndata;
}

void model_follow(struct model *m, const struct op_head *h)
{
    const char *path = (const char *)(h + 1);
    struct node *f = by_ino(m, h->ino);
    switch ((enum op)h->op) {
    case OP_ROOT:
        if (m->n == 0)
            add_node(m, h->ino, true);
        break;
    case OP_OPEN:
        if (h->at)
            made(m, h, path, false);
        break;
    case OP_MKDIR:
        made(m, h, path, true);
        break;
    case OP_RENAME:
        renamed(m, h, path);
        break;
    case OP_UNLINK:
        removed(m, h, path);
        break;
    case OP_WRITE:
    case OP_SIZE:
        if (!f)
            errx(1, "a file was written that was never opened");
        written(f, h, path);
        break;
    case OP_SYNC_BEGIN:
        if (f)
            f->mark = f->n;
        break;
    case OP_SYNC_END:
        if (f)
            synced(f);
        break;
    default:
        break;
    }
}

struct model *model_create(void)
{
    return mem_zalloc(sizeof(struct model));
}

void model_destroy(struct model *m)
{
    for (unsigned i = 0; i < m->n; i++) {
        buf_finish(&m->nodes[i]->synced);
        free(m->nodes[i]->since);
        free(m->nodes[i]);
    }
    free(m);
}

/* ---- images ---- */

static uint32_t below(struct choice *c, uint32_t most)
{
    c->random = c->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((c->random >> 33) % most);
}

/* 2 whole, 1 torn, 0 not at all. */
static int choose(struct choice *c)
{
    if (c->shown != SHOW_SOME)
        return c->shown == SHOW_ALL ? 2 : 0;
    uint32_t r = below(c, 100);
    return r < c->whole ? 2 : r < c->whole + c->none ? 0 : 1;
}

/* Some sectors of a write: any of them, or all up to one. A write within one sector is whole or not there. */
static void tear(struct choice *choice, struct buf *b, const struct change *c)
{
    bool any = below(choice, 2) == 0;
    uint64_t first = c->at / SECTOR, end = (c->at + c->n + SECTOR - 1) / SECTOR;
    uint64_t stop = first + below(choice, (uint32_t)(end - first) + 1);
    for (uint64_t s = first; s < end; s++) {
        uint64_t from = s * SECTOR > c->at ? s * SECTOR : c->at, to = (s + 1) * SECTOR;
        to = to < c->at + c->n ? to : c->at + c->n;
        if (any ? below(choice, 2) == 0 : s >= stop)
            continue;
        struct change part = {.op = OP_WRITE, .at = from, .data = c->data + (from - c->at), .n = to - from};
        change_file(b, &part);
    }
    if (below(choice, 2) == 0 && b->n < c->at + c->n) /* the size may have come first */
        resize(b, c->at + c->n);
}

static void write_file(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t done = 0; fd >= 0 && done < n;) {
        ssize_t w = write(fd, (const char *)p + done, n - done);
        if (w <= 0)
            err(1, "write %s", path);
        done += (size_t)w;
    }
    if (fd < 0 || close(fd) != 0)
        err(1, "write %s", path);
}

static void image_file(const struct node *f, const char *path, struct choice *choice, struct buf *b)
{
    buf_reset(b);
    buf_put(b, f->synced.p, f->synced.n);
    for (size_t i = 0; i < f->n; i++) {
        const struct change *c = &f->since[i];
        int how = choose(choice);
        if (how == 1 && c->op == OP_WRITE)
            tear(choice, b, c);
        else if (how > 0)
            change_file(b, c);
    }
    write_file(path, b->p, b->n);
}

static void image_folder(const struct model *m, const struct node *f, const char *path, struct choice *choice,
                         struct buf *b)
{
    struct names names = f->kept;
    for (size_t i = 0; i < f->n; i++)
        if (choose(choice) > 0)
            change_names(&names, &f->since[i]);
    if (mkdir(path, 0700) != 0)
        err(1, "mkdir %s", path);
    for (size_t i = 0; i < names.n; i++) {
        char sub[512];
        const struct node *child = m->nodes[names.list[i].node];
        snprintf(sub, sizeof sub, "%s/%s", path, names.list[i].name);
        if (child->folder)
            image_folder(m, child, sub, choice, b);
        else
            image_file(child, sub, choice, b);
    }
}

void model_write(const struct model *m, const char *dir, enum shown shown, uint64_t seed)
{
    static const unsigned odds[][2] = {{40, 30}, {80, 10}, {10, 80}, {50, 50}};
    struct choice choice = {.shown = shown, .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    struct buf b = {0};
    unsigned kind = below(&choice, 4);
    choice.whole = odds[kind][0];
    choice.none = odds[kind][1];
    image_folder(m, m->nodes[0], dir, &choice, &b);
    buf_finish(&b);
}
