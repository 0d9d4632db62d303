/* SPDX-License-Identifier: Apache-2.0 */
/* Layout and reading of one journal file; see segment.h. */
#include "store/segment.h"

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

static const uint8_t magic[8] = {'w', 'w', 'j', 'r', 'n', 'l', 0x1a, '\n'};

enum { HEAD_CRC_AT = 96, CHAINED_AT = 12, HASH_AT = 40, WINDOW = 1 << 20 };

static void put_le(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_le(const uint8_t *p, int bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

/* ---- head ---- */

void segment_name(char out[SEGMENT_NAME_LEN], uint64_t first)
{
    snprintf(out, SEGMENT_NAME_LEN, "%020" PRIu64 ".seg", first);
}

void segment_head_put(uint8_t out[SEGMENT_HEAD], const struct segment_head *h)
{
    memset(out, 0, SEGMENT_HEAD);
    memcpy(out, magic, sizeof magic);
    put_le(out + 8, SEGMENT_VERSION, 4);
    put_le(out + 12, SEGMENT_HEAD, 4);
    memcpy(out + 16, h->key, SEGMENT_KEY_LEN);
    put_le(out + 32, h->mark, 8);
    put_le(out + 40, h->first, 8);
    put_le(out + 48, h->before, 8);
    put_le(out + 56, (uint64_t)h->time, 8);
    memcpy(out + 64, h->chain, CHAIN_LEN);
    put_le(out + HEAD_CRC_AT, crc32c(0, out, HEAD_CRC_AT), 4);
}

int segment_head_get(const uint8_t *p, size_t n, const char *file, struct segment_head *h, struct err *err)
{
    if (n < SEGMENT_HEAD || memcmp(p, magic, sizeof magic) != 0)
        return err_set(
            err, WW_EDAMAGED,
            "journal: %s does not begin as a segment does; 'wagewarn verify' tells more, 'wagewarn restore' "
            "mends",
            file);
    uint64_t version = get_le(p + 8, 4);
    if (version != SEGMENT_VERSION)
        return err_set(err, WW_EDAMAGED,
                       "journal: %s has format version %" PRIu64
                       ", this program reads %d; start the version of wagewarn "
                       "that wrote it",
                       file, version, SEGMENT_VERSION);
    if (get_le(p + 12, 4) != SEGMENT_HEAD || get_le(p + HEAD_CRC_AT, 4) != crc32c(0, p, HEAD_CRC_AT))
        return err_set(
            err, WW_EDAMAGED,
            "journal: the head of %s, offset 0, does not check; 'wagewarn verify' tells more, 'wagewarn "
            "restore' mends",
            file);
    memcpy(h->key, p + 16, SEGMENT_KEY_LEN);
    h->mark = get_le(p + 32, 8);
    h->first = get_le(p + 40, 8);
    h->before = get_le(p + 48, 8);
    h->time = (int64_t)get_le(p + 56, 8);
    memcpy(h->chain, p + 64, CHAIN_LEN);
    return 0;
}

/* ---- the folder ---- */

static bool parse_name(const char *name, uint64_t *first)
{
    char again[SEGMENT_NAME_LEN];
    if (strlen(name) != SEGMENT_NAME_LEN - 1)
        return false;
    *first = strtoull(name, NULL, 10);
    segment_name(again, *first);
    return *first > 0 && strcmp(again, name) == 0;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

int segment_list(const char *dir, uint64_t **firsts, size_t *n, struct err *err)
{
    size_t cap = 0;
    uint64_t first;
    *firsts = NULL;
    *n = 0;
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? 0 : disk_error(err, errno, "list", dir);
    for (struct dirent *e; (e = readdir(d));) {
        if (!parse_name(e->d_name, &first))
            continue;
        *firsts = mem_grow(*firsts, &cap, *n + 1, sizeof **firsts);
        (*firsts)[(*n)++] = first;
    }
    closedir(d);
    if (*n > 1)
        qsort(*firsts, *n, sizeof **firsts, by_number);
    return 0;
}

/* ---- writing a batch ---- */

static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

static uint64_t entry_tag(const struct journal_entry *e)
{
    return (uint64_t)e->body.n << 1 | (e->erasable.n > 0);
}

size_t segment_batch_size(const struct journal_entry *entries, size_t n)
{
    size_t size = BATCH_HEAD;
    for (size_t i = 0; i < n; i++) {
        size += varint_size(entry_tag(&entries[i])) + entries[i].body.n;
        if (entries[i].erasable.n > 0)
            size += varint_size(entries[i].erasable.n) + 4 + entries[i].erasable.n;
    }
    return size;
}

static void put_entries(struct buf *b, const struct journal_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_varint(b, entry_tag(&entries[i]));
        if (entries[i].erasable.n > 0)
            buf_varint(b, entries[i].erasable.n);
        buf_put(b, entries[i].body.p, entries[i].body.n);
    }
}

static void put_notes(struct buf *b, const struct journal_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct slice note = entries[i].erasable;
        if (note.n == 0)
            continue;
        buf_u32(b, crc32c(0, note.p, note.n));
        buf_put(b, note.p, note.n);
    }
}

static void chain_hash(uint8_t out[CHAIN_LEN], const uint8_t before[CHAIN_LEN], const uint8_t *raw,
                       size_t length)
{
    hash_blake2b(out, before, CHAIN_LEN, raw + CHAINED_AT, HASH_AT - CHAINED_AT, raw + BATCH_HEAD, length);
}

void segment_batch_put(struct buf *b, uint64_t mark, uint8_t chain[CHAIN_LEN], uint64_t first, int64_t time,
                       const struct journal_entry *entries, size_t n)
{
    size_t start = b->n;
    buf_reserve(b, BATCH_HEAD);
    b->n += BATCH_HEAD;
    put_entries(b, entries, n);
    size_t length = b->n - start - BATCH_HEAD;
    put_notes(b, entries, n);
    size_t notes = b->n - start - BATCH_HEAD - length;
    uint8_t *h = b->p + start;
    put_le(h, mark, 8);
    put_le(h + 12, length, 4);
    put_le(h + 16, notes, 4);
    put_le(h + 20, n, 4);
    put_le(h + 24, first, 8);
    put_le(h + 32, (uint64_t)time, 8);
    chain_hash(chain, chain, h, length);
    memcpy(h + HASH_AT, chain, CHAIN_LEN);
    put_le(h + 8, crc32c(0, h + CHAINED_AT, BATCH_HEAD - CHAINED_AT + length), 4);
}

/* ---- reading ---- */

int segment_open(struct segment **out, const char *dir, uint64_t first, struct err *err)
{
    char name[SEGMENT_NAME_LEN];
    uint8_t head[SEGMENT_HEAD];
    struct stat st;
    int rc;
    struct segment *s = mem_zalloc(sizeof *s);
    segment_name(name, first);
    s->path = disk_path(dir, name);
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) {
        rc = errno == ENOENT ? err_set(err, WW_ENOTFOUND, "journal: there is no %s", s->path)
                             : disk_error(err, errno, "open", s->path);
        goto fail;
    }
    ssize_t n = fstat(s->fd, &st) == 0 ? pread(s->fd, head, sizeof head, 0) : -1;
    if (n < 0) {
        rc = disk_error(err, errno, "read", s->path);
        goto fail;
    }
    s->size = (uint64_t)st.st_size;
    rc = segment_head_get(head, (size_t)n, s->path, &s->head, err);
    if (rc == 0 && s->head.first != first)
        rc = err_set(err, WW_EDAMAGED,
                     "journal: %s says that its first entry is %" PRIu64 "; give it its own name back, or "
                     "'wagewarn restore'",
                     s->path, s->head.first);
    if (rc != 0)
        goto fail;
    *out = s;
    return 0;
fail:
    segment_close(s);
    *out = NULL;
    return rc;
}

void segment_close(struct segment *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    buf_finish(&s->window);
    free(s->entries);
    free(s->path);
    free(s);
}

void segment_refresh(struct segment *s)
{
    buf_reset(&s->window);
}

/* Bytes at..at+n of the file: 1, 0 when it is shorter, or WW_EIO. */
static int window(struct segment *s, uint64_t at, size_t n, const uint8_t **p, struct err *err)
{
    if (n > s->size || at > s->size - n)
        return 0;
    if (at < s->window_at || at + n > s->window_at + s->window.n) {
        size_t want = n > WINDOW ? n : WINDOW;
        if (want > s->size - at)
            want = (size_t)(s->size - at);
        buf_reset(&s->window);
        s->window_at = at;
        buf_reserve(&s->window, want);
        while (s->window.n < n) {
            size_t have = s->window.n;
            ssize_t r = pread(s->fd, s->window.p + have, want - have, (off_t)(at + have));
            if (r < 0 && errno == EINTR)
                continue;
            if (r < 0)
                return disk_error(err, errno, "read", s->path);
            if (r == 0)
                return 0; /* cut short since it was opened */
            s->window.n += (size_t)r;
        }
    }
    *p = s->window.p + (at - s->window_at);
    return 1;
}

static bool all_zero(const char *p, size_t n)
{
    return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Splits a batch whose CRC is good. */
static bool split(struct segment *s, struct segment_batch *b, size_t length, size_t notes)
{
    struct rd r = rd_of(b->raw + BATCH_HEAD, length), nr = rd_of(b->raw + BATCH_HEAD + length, notes);
    s->entries = mem_grow(s->entries, &s->entries_cap, b->n, sizeof *s->entries);
    for (size_t i = 0; i < b->n; i++) {
        struct journal_entry *e = &s->entries[i];
        uint64_t tag = rd_varint(&r);
        uint64_t note = tag & 1 ? rd_varint(&r) : 0;
        e->body.n = (size_t)(tag >> 1);
        e->body.p = (const char *)rd_bytes(&r, e->body.n);
        e->erasable = (struct slice){NULL, 0};
        if (!(tag & 1))
            continue;
        uint32_t crc = rd_u32(&nr);
        struct slice text = {(const char *)rd_bytes(&nr, note), note};
        if (note == 0 || nr.bad)
            return false;
        if (crc != crc32c(0, text.p, text.n))
            b->bad_note = b->bad_note ? b->bad_note : b->first + i;
        else if (!all_zero(text.p, text.n))
            e->erasable = text;
    }
    b->entries = s->entries;
    return !r.bad && rd_left(&r) == 0 && rd_left(&nr) == 0;
}

/* What does not fit the file any more: is it a batch that was cut off, or `otherwise`? A filled file ends in
 * zeros; a daemon that starts makes a shorter one (of a backup) as long as the others. */
static int cut_off(struct segment *s, uint64_t at, enum segment_state otherwise, struct err *err)
{
    enum { TELLING = 32 };
    struct stat st;
    const uint8_t *p;
    uint64_t left = s->size > at ? s->size - at : 0;
    size_t n = left < TELLING ? (size_t)left : TELLING;
    if (n == 0 || fstat(s->fd, &st) != 0 || (uint64_t)st.st_size > s->size)
        return (int)otherwise;
    int rc = window(s, s->size - n, n, &p, err);
    if (rc < 0)
        return rc;
    return rc == 0 || all_zero((const char *)p, n) ? (int)otherwise : SEGMENT_CUT;
}

int segment_batch(struct segment *s, uint64_t at, struct segment_batch *b, struct err *err)
{
    const uint8_t *p;
    int rc = window(s, at, BATCH_HEAD, &p, err);
    if (rc <= 0)
        return rc < 0 ? rc : cut_off(s, at, SEGMENT_NONE, err);
    if (get_le(p, 8) != s->head.mark)
        return all_zero((const char *)p, BATCH_HEAD) ? SEGMENT_NONE : SEGMENT_BAD;
    size_t length = (size_t)get_le(p + 12, 4), notes = (size_t)get_le(p + 16, 4),
           count = (size_t)get_le(p + 20, 4);
    if (count == 0 || count > length)
        return SEGMENT_BAD;
    rc = window(s, at, BATCH_HEAD + length + notes, &p, err);
    if (rc <= 0)
        return rc < 0 ? rc : cut_off(s, at, SEGMENT_BAD, err);
    if (get_le(p + 8, 4) != crc32c(0, p + CHAINED_AT, BATCH_HEAD - CHAINED_AT + length))
        return SEGMENT_BAD;
    *b = (struct segment_batch){.at = at,
                                .bytes = BATCH_HEAD + length + notes,
                                .n = count,
                                .raw = p,
                                .first = get_le(p + 24, 8),
                                .time = (int64_t)get_le(p + 32, 8),
                                .chain = p + HASH_AT};
    if (!split(s, b, length, notes))
        return SEGMENT_BAD;
    return b->bad_note ? SEGMENT_NOTES : SEGMENT_GOOD;
}

bool segment_batch_chain(const struct segment_batch *b, const uint8_t before[CHAIN_LEN])
{
    uint8_t hash[CHAIN_LEN];
    chain_hash(hash, before, b->raw, (size_t)get_le(b->raw + 12, 4));
    return memcmp(hash, b->chain, CHAIN_LEN) == 0;
}

int segment_search(struct segment *s, uint64_t from, uint64_t *at, struct err *err)
{
    uint8_t mark[8];
    struct segment_batch b;
    put_le(mark, s->head.mark, 8);
    while (from + BATCH_HEAD <= s->size) {
        const uint8_t *p;
        size_t n = s->size - from < WINDOW ? (size_t)(s->size - from) : WINDOW;
        int rc = window(s, from, n, &p, err);
        if (rc <= 0)
            return rc;
        const uint8_t *hit = memmem(p, n, mark, sizeof mark);
        if (!hit) {
            from += n - (sizeof mark - 1); /* the mark may lie across the windows' border */
            continue;
        }
        from += (uint64_t)(hit - p);
        rc = segment_batch(s, from, &b, err);
        if (rc < 0)
            return rc;
        if (rc >= SEGMENT_NOTES) {
            *at = from;
            return 1;
        }
        from++;
    }
    return 0;
}

int segment_used(struct segment *s, uint64_t from, uint64_t *end, struct err *err)
{
    *end = from;
    while (from < s->size) {
        const uint8_t *p = NULL;
        size_t n = s->size - from < WINDOW ? (size_t)(s->size - from) : WINDOW;
        int rc = window(s, from, n, &p, err);
        if (rc <= 0)
            return rc;
        assert(p);
        size_t last = all_zero((const char *)p, n) ? 0 : n;
        while (last > 0 && p[last - 1] == 0)
            last--;
        if (last > 0)
            *end = from + last;
        from += n;
    }
    return 0;
}

bool segment_note(const struct segment_batch *b, size_t i, uint64_t *at, size_t *n)
{
    size_t length = (size_t)get_le(b->raw + 12, 4);
    struct rd r = rd_of(b->raw + BATCH_HEAD, length);
    uint64_t where = b->at + BATCH_HEAD + length;
    for (size_t k = 0; k <= i; k++) {
        uint64_t tag = rd_varint(&r), note = tag & 1 ? rd_varint(&r) : 0;
        rd_bytes(&r, (size_t)(tag >> 1));
        if (k == i && note > 0) {
            *at = where;
            *n = (size_t)note;
            return true;
        }
        where += note > 0 ? 4 + note : 0;
    }
    return false;
}
