/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's batches in order, each checked; see walk.h. A writer may be at work meanwhile. It writes
 * batches in order, so what looks damaged is looked at once more after something behind it was seen: if it is
 * good by then, all is well. */
#include "store/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/mem.h"

static int damaged(const struct walk *w, struct err *err, const char *what)
{
    return err_set(err, WW_EDAMAGED,
                   "journal: %s is damaged at offset %" PRIu64 ", after entry %" PRIu64
                   ": %s; 'wagewarn verify' tells more, 'wagewarn restore' mends",
                   w->seg->path, w->at, w->last, what);
}

static void enter(struct walk *w, struct segment *seg)
{
    segment_close(w->seg);
    w->seg = seg;
    w->at = SEGMENT_HEAD;
    w->last = seg->head.first - 1;
    w->time = seg->head.time;
    memcpy(w->chain, seg->head.chain, CHAIN_LEN);
    w->batch_at = 0;
    w->tail_bad = w->searched = false;
}

int walk_open(struct walk *w, const char *dir, uint64_t from, struct err *err)
{
    uint64_t *firsts;
    size_t n, i = 0;
    *w = (struct walk){0};
    int rc = segment_list(dir, &firsts, &n, err);
    if (rc != 0)
        return rc;
    while (i < n && firsts[i] <= from)
        i++;
    if (n == 0) {
        rc = err_set(err, WW_ENOTFOUND,
                     "journal: there is none in %s; name the folder that holds the .seg files", dir);
    } else if (i == 0) {
        rc = err_set(err, WW_ENOTFOUND,
                     "journal: entry %" PRIu64 " is no longer kept; the oldest is %" PRIu64, from, firsts[0]);
    } else {
        struct segment *seg;
        rc = segment_open(&seg, dir, firsts[i - 1], err);
        if (rc == 0) {
            enter(w, seg);
            w->dir = mem_strndup(dir, strlen(dir));
        }
    }
    free(firsts);
    return rc;
}

void walk_close(struct walk *w)
{
    segment_close(w->seg);
    free(w->dir);
    *w = (struct walk){0};
}

/* The segment that begins with the next number: 1 entered, 0 there is none, negative. */
static int enter_next(struct walk *w, struct err *err)
{
    struct segment *next;
    struct err none;
    if (w->last + 1 == w->seg->head.first)
        return 0; /* nothing in this one yet: that number is its own */
    int rc = segment_open(&next, w->dir, w->last + 1, &none);
    if (rc == WW_ENOTFOUND)
        return 0;
    if (rc != 0)
        return err_set(err, rc, "%s", none.msg);
    const struct segment_head *h = &next->head;
    const char *what = memcmp(h->key, w->seg->head.key, SEGMENT_KEY_LEN) != 0 ? "belongs to another journal"
                       : h->before != w->seg->head.first || memcmp(h->chain, w->chain, CHAIN_LEN) != 0
                           ? "does not follow on the segment before it"
                           : NULL;
    if (what) {
        rc = err_set(err, WW_EDAMAGED,
                     "journal: %s, offset 0, %s; put the right file back, or 'wagewarn restore' a backup",
                     next->path, what);
        segment_close(next);
        return rc;
    }
    enter(w, next);
    return 1;
}

/* Number of the first segment behind this one: 1, 0 or negative. */
static int later_segment(const struct walk *w, uint64_t *first, struct err *err)
{
    uint64_t *firsts;
    size_t n, i = 0;
    int rc = segment_list(w->dir, &firsts, &n, err);
    if (rc != 0)
        return rc;
    while (i < n && firsts[i] <= w->seg->head.first)
        i++;
    bool found = i < n;
    if (found)
        *first = firsts[i];
    free(firsts);
    return found;
}

/* Is there more of the journal behind w->at, where no good batch is? 1 with *what, 0, negative. */
static int more_behind(struct walk *w, int state, char what[128], struct err *err)
{
    uint64_t where = 0;
    int rc = later_segment(w, &where, err);
    if (rc > 0)
        snprintf(what, 128,
                 "no batch that checks is there, but a segment that begins with entry %" PRIu64 " is", where);
    if (rc != 0)
        return rc;
    if (state == SEGMENT_NONE && w->searched)
        return 0;
    rc = segment_search(w->seg, w->at + 1, &where, err);
    if (rc > 0)
        snprintf(what, 128, "the batch there does not check, but one at offset %" PRIu64 " does", where);
    w->searched = rc == 0;
    return rc;
}

/* Where no wholly good batch is: 1 go on (in the next segment, or look here again), 0 the end, negative
 * damage. */
static int look_behind(struct walk *w, struct err *err)
{
    char what[128];
    struct segment_batch b;
    segment_refresh(w->seg);
    int now = segment_batch(w->seg, w->at, &b, err);
    if (now < 0 || now == SEGMENT_GOOD)
        return now < 0 ? now : 1;
    int rc = now == SEGMENT_NOTES ? 0 : enter_next(w, err);
    if (rc != 0)
        return rc;
    rc = more_behind(w, now, what, err);
    if (rc == 0 && now == SEGMENT_CUT)
        return damaged(w, err, "the file ends inside the batch there, so it was cut short");
    if (rc <= 0) {
        w->tail_bad = now != SEGMENT_NONE;
        segment_refresh(w->seg);
        return rc;
    }
    segment_refresh(w->seg);
    now = segment_batch(w->seg, w->at, &b, err);
    if (now < 0 || now == SEGMENT_GOOD)
        return now < 0 ? now : 1;
    rc = now != SEGMENT_NOTES ? enter_next(w, err) : 0;
    return rc != 0 ? rc : damaged(w, err, what);
}

static int accept(struct walk *w, const struct segment_batch *b, struct err *err)
{
    if (b->first != w->last + 1)
        return damaged(w, err, "the batch there has another number than the next");
    if (!segment_batch_chain(b, w->chain))
        return damaged(w, err, "the batch there breaks the hash chain");
    if (b->time < w->time)
        return damaged(w, err, "the batch there is older than the one before it");
    w->last += b->n;
    w->time = b->time;
    memcpy(w->chain, b->chain, CHAIN_LEN);
    w->batch_at = b->at;
    w->at += b->bytes;
    return 1;
}

/* A batch whose notes do not all check: if nothing was ever written behind it, it was the one in flight and
 * is torn; else a note is damaged or was being forgotten, which leaves the batch good. */
static int followed(struct walk *w, const struct segment_batch *b, struct err *err)
{
    struct segment_batch next;
    struct segment *seg;
    struct err none;
    int rc = segment_open(&seg, w->dir, b->first + b->n, &none);
    if (rc == 0)
        segment_close(seg);
    if (rc != WW_ENOTFOUND)
        return 1;
    rc = segment_batch(w->seg, b->at + b->bytes, &next, err);
    return rc < 0 ? rc : rc != SEGMENT_NONE;
}

int walk_next(struct walk *w, struct segment_batch *b, struct err *err)
{
    for (;;) {
        int state = segment_batch(w->seg, w->at, b, err);
        if (state < 0)
            return state;
        if (state == SEGMENT_GOOD)
            return accept(w, b, err);
        if (state == SEGMENT_NOTES) {
            int rc = followed(w, b, err);
            if (rc < 0)
                return rc;
            if (rc > 0) {
                state = segment_batch(w->seg, w->at, b, err); /* what followed took its place in the window */
                return state < 0 ? state : accept(w, b, err);
            }
        }
        int rc = look_behind(w, err);
        if (rc <= 0)
            return rc;
    }
}
