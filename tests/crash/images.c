/* SPDX-License-Identifier: Apache-2.0 */
/* What a power cut at each moment of a recording (oplog.h) may leave on the disk, image by image, each
 * opened, checked and gone on from (check.h).
 *
 *   images LOG WORK N SEED PART PARTS [ONLY]   N images, of which this process does each PARTS-th; ONLY: that
 * one images --check DIR ENTRY EVENT             one directory: what was acknowledged up to these is there
 *
 * The moments are those at which something on the disk changed. With images enough, at each moment all that
 * was written (each prefix of the recording) and nothing but what was synced are tried, and the rest is left
 * to chance; with fewer, all three are. An image is known by SEED and its number. */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "tests/crash/check.h"
#include "tests/crash/model.h"

struct recording {
    const uint8_t *p;
    size_t n;
    size_t *moments; /* offsets: up to there the disk had been changed so often */
    size_t n_moments, cap;
};

struct image {
    size_t moment;
    enum shown shown;
    uint64_t seed;
    size_t number;
};

static uint64_t chance(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *random >> 33;
}

static const struct op_head *head_at(const struct recording *r, size_t at)
{
    const struct op_head *h = (const void *)(r->p + at);
    if (r->n - at < sizeof *h || h->size < sizeof *h || h->size > r->n - at || h->size % OP_ALIGN != 0)
        errx(1, "the recording is broken at %zu", at);
    return h;
}

static bool changes(const struct op_head *h)
{
    return h->op >= OP_WRITE && h->op <= OP_SYNC_END ? true : h->op == OP_OPEN && h->at;
}

static void load(struct recording *r, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        err(1, "%s", path);
    r->n = (size_t)st.st_size;
    r->p = mmap(NULL, r->n, PROT_READ, MAP_PRIVATE, fd, 0);
    if (r->p == MAP_FAILED)
        err(1, "%s", path);
    close(fd);
    for (size_t at = 0; at < r->n; at += head_at(r, at)->size)
        if (changes(head_at(r, at))) {
            r->moments = mem_grow(r->moments, &r->cap, r->n_moments + 1, sizeof *r->moments);
            r->moments[r->n_moments++] = at + head_at(r, at)->size;
        }
}

/* ---- which images ---- */

static int by_moment(const void *a, const void *b)
{
    const struct image *x = a, *y = b;
    return x->moment != y->moment ? (x->moment > y->moment) - (x->moment < y->moment)
                                  : (x->number > y->number) - (x->number < y->number);
}

static struct image *plan(const struct recording *r, size_t n, uint64_t seed)
{
    struct image *all = mem_alloc(n * sizeof *all);
    uint64_t random = seed;
    bool each = n >= 2 * r->n_moments;
    for (size_t i = 0; i < n; i++) {
        size_t any = (size_t)(chance(&random) % r->n_moments);
        all[i] = (struct image){.moment = any, .shown = SHOW_SOME, .seed = chance(&random), .number = i};
        if (each && i < 2 * r->n_moments) {
            all[i].moment = i / 2;
            all[i].shown = i % 2 ? SHOW_SYNCED : SHOW_ALL;
        } else if (!each && i % 4 < 2) {
            all[i].shown = i % 4 ? SHOW_SYNCED : SHOW_ALL;
        }
    }
    qsort(all, n, sizeof *all, by_moment);
    return all;
}

/* ---- promises ---- */

static void promised(struct promise *p, const struct op_head *h)
{
    if (h->at == LETTER_ACK && h->ino > p->entry)
        p->entry = h->ino;
    if (h->at == LETTER_EVENT && h->ino > p->event)
        p->event = h->ino;
    if (h->at == LETTER_STORE) {
        p->store = true;
        memcpy(p->store_id, h + 1, STORE_ID_LEN);
    }
}

/* Up to `upto`, or to the end of what was told before anything else changed. */
static size_t follow(const struct recording *r, size_t at, size_t upto, struct model *m, struct promise *p)
{
    while (at < r->n && (at < upto || !changes(head_at(r, at)))) {
        const struct op_head *h = head_at(r, at);
        if (h->op == OP_LETTER)
            promised(p, h);
        else
            model_follow(m, h);
        at += h->size;
    }
    return at;
}

/* ---- */

static struct reference *whole(const struct recording *r, const char *dir)
{
    struct promise p = {0};
    struct model *m = model_create();
    follow(r, 0, r->n, m, &p);
    model_write(m, dir, SHOW_ALL, 0);
    model_destroy(m);
    struct reference *ref = reference_load(dir);
    remove_tree(dir);
    if (p.entry == 0 || p.event == 0)
        errx(1, "the recording acknowledges no entry or publishes no event: it proves nothing");
    return ref;
}

/* So that whoever dies leaves a word about where. */
static void note(const char *work, unsigned part, const struct image *im)
{
    char path[512], text[128];
    snprintf(path, sizeof path, "%s/now-%u", work, part);
    int n = snprintf(text, sizeof text, "image %zu, moment %zu, shown %d\n", im->number, im->moment,
                     (int)im->shown);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, (size_t)n) != n)
        err(1, "%s", path);
    close(fd);
}

static void run(const struct recording *r, const struct image *all, size_t n, const char *work, unsigned part,
                unsigned parts, long only)
{
    char dir[512];
    size_t at = 0, done = 0, more = 0;
    struct promise p = {0};
    snprintf(dir, sizeof dir, "%s/image-%u", work, part);
    struct reference *ref = whole(r, dir);
    struct model *m = model_create();
    for (size_t i = 0; i < n; i++) {
        const struct image *im = &all[i];
        if (only >= 0 ? im->number != (size_t)only : i % parts != part)
            continue;
        at = follow(r, at, r->moments[im->moment], m, &p);
        note(work, part, im);
        model_write(m, dir, im->shown, im->seed);
        more += check_image(ref, dir, &p, im->seed) > p.entry;
        remove_tree(dir);
        done++;
    }
    printf("%zu images of %zu moments; %zu had more than was acknowledged\n", done, r->n_moments, more);
    reference_free(ref);
    model_destroy(m);
}

static void at_the_end(const struct recording *r, const char *work)
{
    char dir[512];
    struct promise p = {0};
    struct model *m = model_create();
    snprintf(dir, sizeof dir, "%s/end", work);
    follow(r, 0, r->n, m, &p);
    model_write(m, dir, SHOW_SYNCED, 0);
    model_destroy(m);
    check_alone(dir, &p);
    remove_tree(dir);
}

static uint64_t number(const char *s)
{
    char *end;
    uint64_t v = strtoull(s, &end, 10);
    if (!*s || *end)
        errx(2, "'%s' is no number", s);
    return v;
}

int main(int argc, char **argv)
{
    log_open(LOG_L_ERROR);
    if (argc == 5 && strcmp(argv[1], "--check") == 0) {
        check_alone(argv[2], &(struct promise){.entry = number(argv[3]), .event = number(argv[4])});
        return 0;
    }
    struct recording r = {0};
    if (argc == 4 && strcmp(argv[1], "--end") == 0) {
        load(&r, argv[2]);
        at_the_end(&r, argv[3]);
        free(r.moments);
        return 0;
    }
    if (argc != 7 && argc != 8)
        errx(2, "usage: images LOG WORK N SEED PART PARTS [ONLY], --check DIR ENTRY EVENT, --end LOG WORK");
    load(&r, argv[1]);
    if (r.n_moments == 0)
        errx(1, "%s: nothing was written", argv[1]);
    size_t n = (size_t)number(argv[3]);
    unsigned parts = (unsigned)number(argv[6]);
    if (n == 0 || parts == 0)
        errx(2, "no images");
    struct image *all = plan(&r, n, number(argv[4]));
    run(&r, all, n, argv[2], (unsigned)number(argv[5]), parts, argc == 8 ? (long)number(argv[7]) : -1);
    free(all);
    free(r.moments);
    return 0;
}
