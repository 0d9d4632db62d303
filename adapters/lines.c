/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/lines.h"

#include "lib/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { READ_SIZE = 128 * 1024, SNIFF_SIZE = 256 * 1024 };

int lines_open(struct lines *l, const char *path, enum source_encoding encoding, struct err *err)
{
    *l = (struct lines){.path = path, .number = 1, .mark_number = 1};
    encoding_init(&l->encoding, encoding);
    l->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0)
        return err_set(err, WW_EIO, "%s: cannot open: %s", path, strerror(errno));
    l->seekable = lseek(l->fd, 0, SEEK_CUR) == 0;
    return 0;
}

void lines_close(struct lines *l)
{
    if (l->fd >= 0)
        close(l->fd);
    encoding_finish(&l->encoding);
    buf_finish(&l->win);
    l->fd = -1;
}

static void compact(struct lines *l)
{
    if (l->head <= READ_SIZE || l->head <= l->win.n / 2)
        return;
    memmove(l->win.p, l->win.p + l->head, l->win.n - l->head);
    l->win.n -= l->head;
    l->at -= l->head;
    l->head = 0;
}

/* Reads more into the window. 1: there is more; 0: nothing now. */
static int fill(struct lines *l, struct err *err)
{
    struct pollfd ready = {.fd = l->fd, .events = POLLIN};
    if (!l->seekable && !l->patient && poll(&ready, 1, 0) <= 0)
        return 0;
    compact(l);
    ssize_t got;
    do
        got = read(l->fd, buf_reserve(&l->win, READ_SIZE), READ_SIZE);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_set(err, WW_EIO, "%s: cannot read: %s", l->path, strerror(errno));
    l->win.n += (size_t)got;
    l->ended = got == 0;
    return got > 0;
}

static struct slice ahead(const struct lines *l)
{
    return (struct slice){l->win.p ? (const char *)l->win.p + l->at : "", l->win.n - l->at};
}

/* Looks at the beginning: a byte order mark, the encoding. A pipe is judged by what it gives first. */
static int begin(struct lines *l, struct err *err)
{
    int rc = 1;
    while (rc > 0 && ahead(l).n < (l->seekable ? SNIFF_SIZE : 3))
        if ((rc = fill(l, err)) < 0)
            return rc;
    struct slice s = ahead(l);
    if (s.n == 0)
        return 0;
    bool at_start = l->offset == 0 && l->at == l->head;
    if (at_start && s.n >= 2 && (memcmp(s.p, "\xFF\xFE", 2) == 0 || memcmp(s.p, "\xFE\xFF", 2) == 0))
        return err_set(err, WW_EINPUT, "%s: is UTF-16; save it as \"CSV UTF-8\"", l->path);
    if (at_start && s.n >= 3 && memcmp(s.p, "\xEF\xBB\xBF", 3) == 0) {
        l->at += 3;
        l->encoding.is = ENCODING_UTF8;
    }
    encoding_sniff(&l->encoding, ahead(l));
    l->begun = true;
    return 0;
}

/* Length of the line end at p[i]: 0: none there; -1: a CR at the end of what is known, which a LF may follow.
 */
static int line_end(const uint8_t *p, size_t i, size_t n)
{
    if (p[i] == '\n')
        return 1;
    if (p[i] != '\r')
        return 0;
    if (i + 1 == n)
        return -1;
    return p[i + 1] == '\n' ? 2 : 1;
}

/* Finds the end of the line at l->at, reading on as needed. *n: its length; returns the length of its line
 * end (0: the file ends first, or the line is longer than SOURCE_LINE_MAX), or a negative code. */
static int find_end(struct lines *l, size_t *n, struct err *err)
{
    for (*n = 0;;) {
        const uint8_t *p = l->win.p + l->at;
        size_t have = l->win.n - l->at;
        int len = 0;
        while (*n < have && (len = line_end(p, *n, have)) == 0)
            ++*n;
        if (len > 0)
            return len;
        if (*n > SOURCE_LINE_MAX)
            return 0;
        int rc = fill(l, err);
        if (rc < 0)
            return rc;
        if (rc == 0) /* a CR at the very end is a line end too */
            return len < 0 ? 1 : 0;
    }
}

/* Skips to the end of a line that is too long, forgetting it as it goes. */
static int skip_rest(struct lines *l, bool *whole, struct err *err)
{
    for (*whole = false;;) {
        const uint8_t *p = l->win.p + l->at;
        const uint8_t *end = memchr(p, '\n', l->win.n - l->at);
        l->at = end ? (size_t)(end - l->win.p) + 1 : l->win.n;
        *whole = end != NULL;
        lines_mark(l);
        if (end)
            return 0;
        int rc = fill(l, err);
        if (rc <= 0)
            return rc;
    }
}

static int give_long(struct lines *l, struct line *out, struct err *err)
{
    memcpy(l->shown, l->win.p + l->at, sizeof l->shown); /* the window moves below */
    *out = (struct line){.number = l->number, .too_long = true};
    int rc = skip_rest(l, &out->whole, err);
    if (rc < 0)
        return rc;
    l->mark_number = ++l->number;
    rc = encoding_decode(&l->encoding, (struct slice){l->shown, sizeof l->shown}, &out->text, err);
    return rc ? rc : 1;
}

int lines_next(struct lines *l, bool final, struct line *out, struct err *err)
{
    size_t n = 0;
    int rc = 0;
    l->patient = final;
    if (!l->begun && (rc = begin(l, err)))
        return rc;
    int end = find_end(l, &n, err);
    if (end < 0)
        return end;
    if (end == 0 && n > SOURCE_LINE_MAX)
        return give_long(l, out, err);
    if (end == 0 && (n == 0 || !final))
        return 0;
    const uint8_t *p = l->win.p + l->at;
    if (!final && p[n] == '\r' && l->at + n + 1 == l->win.n)
        return 0; /* its LF may still come */
    *out = (struct line){.number = l->number, .whole = end > 0};
    rc = encoding_decode(&l->encoding, (struct slice){(const char *)p, n}, &out->text, err);
    if (rc)
        return rc;
    l->at += n + (size_t)end;
    l->number++;
    return 1;
}

void lines_mark(struct lines *l)
{
    size_t n = l->at - l->head;
    if (n)
        l->check = crc32c(l->check, l->win.p + l->head, n);
    l->offset += n;
    l->head = l->at;
    l->mark_number = l->number;
}

void lines_rewind(struct lines *l)
{
    l->at = l->head;
    l->number = l->mark_number;
    l->begun = l->offset > 0; /* else the byte order mark is in front again */
}

void lines_tell(const struct lines *l, struct position *pos)
{
    pos->offset = l->offset;
    pos->line = l->mark_number;
    pos->check = l->check;
}

static int to_start(struct lines *l, struct err *err)
{
    if (lseek(l->fd, 0, SEEK_SET) < 0)
        return err_set(err, WW_EIO, "%s: cannot go back to its beginning: %s", l->path, strerror(errno));
    l->win.n = l->head = l->at = 0;
    l->offset = 0;
    l->check = 0;
    l->number = l->mark_number = 1;
    l->begun = l->ended = false;
    return 0;
}

/* Moves the mark over the bytes before `offset`, as far as there are so many. */
static int pass(struct lines *l, uint64_t offset, struct err *err)
{
    while (l->offset < offset) {
        int rc = fill(l, err);
        if (rc <= 0)
            return rc;
        uint64_t left = offset - l->offset;
        l->at = l->win.n - l->head < left ? l->win.n : l->head + (size_t)left;
        lines_mark(l);
    }
    return 0;
}

int lines_seek(struct lines *l, const struct position *pos, struct err *err)
{
    int rc = 0;
    if (pos->offset == 0 || !l->seekable)
        return 0;
    if (!l->begun && (rc = begin(l, err))) /* the encoding is found out as it was then */
        return rc;
    if ((rc = to_start(l, err)) || (rc = pass(l, pos->offset, err)))
        return rc;
    if (l->offset != pos->offset || l->check != pos->check)
        return to_start(l, err);
    l->number = l->mark_number = pos->line;
    l->begun = true;
    return 1;
}

bool lines_ended(const struct lines *l)
{
    return !l->seekable && l->ended;
}
