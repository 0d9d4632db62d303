/* SPDX-License-Identifier: Apache-2.0 */
/* Normalised names: what has no width out, NFKC, then case folding, then all white space out. Owns nothing.
 *
 * What enterprises are called is nearly always ideographs, ASCII and full-width ASCII, of which no two affect
 * each other: those are mapped byte by byte. The first character of any other sort hands the name to
 * utf8proc. */
#include "lib/name.h"

#include <utf8proc.h>

enum { ON_STACK = 512, FOLD_MAX = 16 };

/* ---- UTF-8 ---- */

/* A character beyond ASCII at p: its length, 0 when it is ill-formed. */
static size_t wide_length(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char first, last, low, high; /* lead bytes, bounds of the second byte */
        unsigned char length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    /* Ideographs are what most texts hold. */
    if (p[0] >= 0xe1 && p[0] <= 0xec)
        return left >= 3 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 ? 3 : 0;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        if (left < forms[i].length || p[1] < forms[i].low || p[1] > forms[i].high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return forms[i].length;
    }
    return 0;
}

bool utf8_valid(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;
    while (i < s.n) {
        uint64_t eight;
        if (s.n - i >= sizeof eight) {
            memcpy(&eight, p + i, sizeof eight);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += sizeof eight;
                continue;
            }
        }
        size_t n = p[i] < 0x80 ? 1 : wide_length(p + i, s.n - i);
        if (!n)
            return false;
        i += n;
    }
    return true;
}

/* ---- the quick way ---- */

static bool is_ascii_space(unsigned c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
}

static size_t put_ascii(char *out, unsigned c)
{
    if (is_ascii_space(c))
        return 0;
    *out = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    return 1;
}

/* Normalises into out (at least as long as raw); false at the first character that needs utf8proc. */
static bool quick(struct slice raw, char *out, size_t *len)
{
    const unsigned char *p = (const unsigned char *)raw.p, *end = p + raw.n;
    size_t n = 0;
    while (p < end) {
        if (*p < 0x80) {
            n += put_ascii(out + n, *p++);
            continue;
        }
        if (*p < 0xe3 || *p > 0xef || end - p < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
            return false;
        unsigned cp = (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
        if (cp >= 0x4e00 && cp <= 0x9fff) { /* ideographs stand for themselves */
            memcpy(out + n, p, 3);
            n += 3;
        } else if (cp >= 0xff01 && cp <= 0xff5e) {
            n += put_ascii(out + n, cp - 0xff01 + '!');
        } else if (cp != 0x3000) { /* the ideographic space goes */
            return false;
        }
        p += 3;
    }
    *len = n;
    return true;
}

/* ---- the whole way ---- */

static bool is_space(int32_t c)
{
    if (c < 0x80)
        return is_ascii_space((unsigned)c);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
           c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Of no width: joiners, marks of direction, soft hyphens, selectors of variants. Two names that differ in them alone look the
 * same. */
static bool is_unseen(int32_t c)
{
    static const struct {
        int32_t first, last;
    } ranges[] = {{0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},   {0x180b, 0x180e}, {0x200b, 0x200f},
                  {0x2060, 0x2064}, {0x206a, 0x206f}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xe0000, 0xe0fff}};
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

/* White space of the controls goes when a name is normalised; the others have no place in it. */
static bool is_forbidden(int32_t c)
{
    bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
    return (control && !is_space(c)) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool any_point(struct slice s, bool (*is)(int32_t))
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)s.p;
    for (size_t i = 0; i < s.n;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t n = utf8proc_iterate(p + i, (utf8proc_ssize_t)(s.n - i), &point);
        if (n <= 0)
            return false;
        if (is(point))
            return true;
        i += (size_t)n;
    }
    return false;
}

/* None of these characters begins with another byte: most names are told by their bytes alone. */
static bool may_have_marks(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if (c < 0x20 || c == 0x7f || c == 0xc2 || c == 0xcd || c == 0xd8 || c == 0xe1 || c == 0xe2 || c == 0xef || c == 0xf3)
            return true;
    }
    return false;
}

const char *name_fault(struct slice s)
{
    return may_have_marks(s) && any_point(s, is_forbidden)
               ? "has control characters or marks that turn the direction of reading"
               : NULL;
}

bool name_unseen(struct slice s)
{
    return may_have_marks(s) && any_point(s, is_unseen);
}

/* A copy without what has no width. */
static struct slice without_unseen(struct arena *a, struct slice raw)
{
    char *out = arena_alloc(a, raw.n + 1);
    size_t len = 0;
    for (size_t i = 0; i < raw.n;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)raw.p + i, (utf8proc_ssize_t)(raw.n - i), &point);
        if (n <= 0)
            break;
        if (!is_unseen(point)) {
            memcpy(out + len, raw.p + i, (size_t)n);
            len += (size_t)n;
        }
        i += (size_t)n;
    }
    return (struct slice){out, len};
}

/* NFKC of raw as code points, in the caller's stack or the arena; *n of them. NULL: utf8proc would not. */
static int32_t *compose(struct arena *a, struct slice raw, int32_t *stack, size_t *n)
{
    const utf8proc_option_t nfkc = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)raw.p;
    int32_t *points = stack;
    utf8proc_ssize_t got = utf8proc_decompose(p, (utf8proc_ssize_t)raw.n, points, ON_STACK, nfkc);
    if (got > ON_STACK) {
        points = arena_alloc(a, (size_t)got * sizeof *points);
        got = utf8proc_decompose(p, (utf8proc_ssize_t)raw.n, points, got, nfkc);
    }
    if (got >= 0)
        got = utf8proc_normalize_utf32(points, got, nfkc);
    *n = got >= 0 ? (size_t)got : 0;
    return got >= 0 ? points : NULL;
}

/* Case folding alone: nothing is composed or taken apart a second time. */
static size_t fold(int32_t point, char out[FOLD_MAX * 4])
{
    int32_t folded[FOLD_MAX];
    int boundary = UTF8PROC_BOUNDCLASS_START;
    size_t len = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(point, folded, FOLD_MAX, UTF8PROC_CASEFOLD, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && i < FOLD_MAX; i++)
        if (!is_space(folded[i]))
            len += (size_t)utf8proc_encode_char(folded[i], (utf8proc_uint8_t *)out + len);
    return len;
}

static struct slice thorough(struct arena *a, struct slice raw)
{
    int32_t stack[ON_STACK];
    size_t n, len = 0;
    bool valid = utf8_valid(raw);
    if (valid && name_unseen(raw))
        raw = without_unseen(a, raw);
    int32_t *points = valid ? compose(a, raw, stack, &n) : NULL;
    if (!points)
        return (struct slice){0};
    /* Folding gives at most three characters for one. */
    char *out = arena_alloc(a, n * 3 * 4 + FOLD_MAX * 4);
    for (size_t i = 0; i < n; i++)
        len += fold(points[i], out + len);
    return (struct slice){len ? out : NULL, len};
}

struct slice name_normalise(struct arena *a, struct slice raw)
{
    size_t len;
    if (!raw.n)
        return (struct slice){0};
    char *out = arena_alloc(a, raw.n);
    if (quick(raw, out, &len))
        return (struct slice){len ? out : NULL, len};
    return thorough(a, raw);
}

/* Compatibility forms that begin with a space keep what stands on it, so nothing else becomes blank. */
bool name_blank(struct slice raw)
{
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)raw.p;
    for (size_t i = 0; i < raw.n;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t n = utf8proc_iterate(p + i, (utf8proc_ssize_t)(raw.n - i), &point);
        if (n <= 0 || !(is_space(point) || is_unseen(point)))
            return false;
        i += (size_t)n;
    }
    return true;
}
