/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/encoding.h"

#include "lib/name.h"

#include <errno.h>
#include <iconv.h>

void encoding_init(struct encoding *e, enum source_encoding is)
{
    *e = (struct encoding){.is = is};
}

void encoding_finish(struct encoding *e)
{
    if (e->converter)
        iconv_close((iconv_t)e->converter);
    buf_finish(&e->text);
    e->converter = NULL;
}

static bool has_high(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

/* Length of the character at p by UTF-8's rules; 0: it is none. */
static size_t character(const char *p, size_t n)
{
    size_t len = (unsigned char)*p < 0x80   ? 1
                 : (unsigned char)*p < 0xE0 ? 2
                 : (unsigned char)*p < 0xF0 ? 3
                                            : 4;
    return len <= n && utf8_valid((struct slice){p, len}) ? len : 0;
}

/* What speaks for UTF-8 and what against it. Characters of two bytes count on neither side: pairs of GBK look
 * like them by chance, which hardly ever happens with three bytes. */
struct evidence {
    size_t wide, broken;
};

static struct evidence weigh(struct slice s)
{
    struct evidence e = {0};
    while (s.n > 0) {
        size_t len = character(s.p, s.n);
        e.wide += len >= 3;
        e.broken += len == 0;
        s.p += len ? len : 1;
        s.n -= len ? len : 1;
    }
    return e;
}

/* A few broken bytes in a text of UTF-8 leave it what it is. */
void encoding_sniff(struct encoding *e, struct slice sample)
{
    if (e->is != ENCODING_AUTO || !has_high(sample))
        return;
    const char *end = memrchr(sample.p, '\n', sample.n);
    if (end)
        sample.n = (size_t)(end - sample.p);
    else /* perhaps cut within a character */
        for (size_t back = 0; back < 3 && sample.n > 1 && (unsigned char)sample.p[sample.n - 1] >= 0x80;
             back++)
            sample.n--;
    struct evidence found = weigh(sample);
    e->is = found.broken == 0 || found.wide > found.broken ? ENCODING_UTF8 : ENCODING_GB18030;
}

/* What a line is that has the first bytes above 127, long after the sample. One line is too little to settle
 * it for the whole file, unless it leaves no doubt. */
static enum source_encoding judge_line(struct encoding *e, struct slice line)
{
    struct evidence found = weigh(line);
    if (found.broken == 0 && found.wide > 0)
        e->is = ENCODING_UTF8;
    return found.broken == 0 || found.wide > found.broken ? ENCODING_UTF8 : ENCODING_GB18030;
}

enum source_encoding encoding_other(const struct encoding *e)
{
    return e->is == ENCODING_AUTO ? ENCODING_AUTO : e->is == ENCODING_UTF8 ? ENCODING_GB18030 : ENCODING_UTF8;
}

void encoding_set(struct encoding *e, enum source_encoding is)
{
    encoding_finish(e);
    encoding_init(e, is);
}

const char *encoding_name(enum source_encoding is)
{
    return is == ENCODING_UTF8 ? "UTF-8" : is == ENCODING_AUTO ? "ASCII" : "GB18030";
}

static int open_converter(struct encoding *e, struct err *err)
{
    iconv_t cd = iconv_open("UTF-8", "GB18030"); /* which contains GBK */
    if (cd == (iconv_t)-1)
        return err_set(err, WW_EIO,
                       "this system cannot convert from GB18030; install the C library's gconv modules");
    e->converter = (void *)cd; /* encoding_finish closes it */
    return 0;
}

static int convert(struct encoding *e, struct slice s, struct err *err)
{
    if (!e->converter) {
        int rc = open_converter(e, err);
        if (rc)
            return rc;
    }
    iconv_t cd = (iconv_t)e->converter;
    char *in = (char *)(uintptr_t)s.p; /* iconv's prototype lacks the const */
    size_t n = s.n;
    iconv(cd, NULL, NULL, NULL, NULL);
    while (n > 0) {
        char *out = (char *)buf_reserve(&e->text, n * 2 + 8);
        size_t room = n * 2 + 8, before = room;
        size_t rc = iconv(cd, &in, &n, &out, &room);
        int why = errno;
        e->text.n += before - room;
        if (rc != (size_t)-1 || why == E2BIG)
            continue;
        size_t skip = why == EINVAL ? n : 1; /* EINVAL: the bytes end within a character */
        buf_put(&e->text, "\xEF\xBF\xBD", 3);
        in += skip;
        n -= skip;
    }
    return 0;
}

/* UTF-8 with its ill-formed bytes replaced. (The C library's converter lets through what lies beyond
 * U+10FFFF.) */
static void mend_utf8(struct encoding *e, struct slice s)
{
    while (s.n > 0) {
        size_t len = character(s.p, s.n);
        buf_put(&e->text, len ? s.p : "\xEF\xBF\xBD", len ? len : 3);
        s.p += len ? len : 1;
        s.n -= len ? len : 1;
    }
}

static void mend_zeros(struct encoding *e, struct slice *out)
{
    if (out->p != (const char *)e->text.p) {
        buf_put(&e->text, out->p, out->n);
        out->p = (const char *)e->text.p;
    }
    for (size_t i = 0; i < e->text.n; i++)
        if (e->text.p[i] == 0)
            e->text.p[i] = '?';
}

int encoding_decode(struct encoding *e, struct slice bytes, struct slice *out, struct err *err)
{
    bool high = has_high(bytes);
    enum source_encoding is = high && e->is == ENCODING_AUTO ? judge_line(e, bytes) : e->is;
    buf_reset(&e->text);
    if (!high || (is == ENCODING_UTF8 && utf8_valid(bytes))) {
        *out = bytes;
    } else {
        int rc = 0;
        if (is == ENCODING_UTF8)
            mend_utf8(e, bytes);
        else
            rc = convert(e, bytes, err);
        if (rc)
            return rc;
        *out = (struct slice){(const char *)e->text.p, e->text.n};
    }
    if (out->n && memchr(out->p, 0, out->n))
        mend_zeros(e, out);
    return 0;
}
