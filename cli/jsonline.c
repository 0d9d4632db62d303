/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/jsonline.h"

#include "lib/name.h"

enum { DEPTH_MAX = 64, UNKNOWN_MAX = 256 };

struct reader {
    const char *p, *end;
    struct arena *arena;
    struct signal_in *out;
    const char *sentence; /* the line is no JSON */
};

static bool broken(struct reader *r, const char *sentence)
{
    if (!r->sentence)
        r->sentence = sentence;
    return false;
}

static void fault(struct reader *r, enum reject_code code, const char *field, const char *what)
{
    if (r->out->why.code == REJECT_NONE)
        r->out->why = (struct reject){code, field, what};
}

/* ---- tokens ---- */

static char peek(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r' || *r->p == '\n'))
        r->p++;
    return r->p < r->end ? *r->p : 0;
}

static bool expect(struct reader *r, char c, const char *sentence)
{
    if (peek(r) != c || r->p == r->end)
        return broken(r, sentence);
    r->p++;
    return true;
}

static int hex4(const char *p, const char *end)
{
    int v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 63));
        to[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 63));
    to[2] = (char)(0x80 | (c >> 6 & 63));
    to[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* Behind "\u": one code point, of two halves where it is beyond the first plane. */
static bool read_unicode(struct reader *r, char *to, size_t *n)
{
    int c = hex4(r->p, r->end);
    uint32_t code = (uint32_t)c;
    if (c < 0 || (c >= 0xdc00 && c <= 0xdfff))
        return broken(r, "\\u is not followed by four hex digits of a character");
    r->p += 4;
    if (c >= 0xd800 && c <= 0xdbff) {
        int low = r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u' ? hex4(r->p + 2, r->end) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return broken(r, "half of a pair of \\u stands alone");
        r->p += 6;
        code = 0x10000 + (((uint32_t)c & 0x3ff) << 10) + ((uint32_t)low & 0x3ff);
    }
    *n += put_utf8(to + *n, code);
    return true;
}

static bool read_escape(struct reader *r, char *to, size_t *n)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *at = r->p < r->end && *r->p ? strchr(from, *r->p) : NULL;
    if (r->p < r->end && *r->p == 'u') {
        r->p++;
        return read_unicode(r, to, n);
    }
    if (!at)
        return broken(r, "unknown escape in a text");
    r->p++;
    to[(*n)++] = into[at - from];
    return true;
}

/* The rest of a text that has an escape in it: an escape is never shorter than what it stands for. */
static bool read_escaped(struct reader *r, const char *begin, struct slice *out)
{
    char *to = arena_alloc(r->arena, (size_t)(r->end - begin));
    size_t n = (size_t)(r->p - begin);
    memcpy(to, begin, n);
    while (r->p < r->end && *r->p != '"') {
        if ((unsigned char)*r->p < 0x20)
            return broken(r, "a control character in a text");
        if (*r->p != '\\')
            to[n++] = *r->p++;
        else if (r->p++, !read_escape(r, to, &n))
            return false;
    }
    if (r->p == r->end)
        return broken(r, "the line ends in a text");
    r->p++;
    *out = (struct slice){to, n};
    return true;
}

static bool read_text(struct reader *r, struct slice *out)
{
    if (!expect(r, '"', "a text in quotes is missing"))
        return false;
    const char *begin = r->p;
    while (r->p < r->end && *r->p != '"' && *r->p != '\\' && (unsigned char)*r->p >= 0x20)
        r->p++;
    if (r->p == r->end)
        return broken(r, "the line ends in a text");
    if (*r->p != '"')
        return read_escaped(r, begin, out);
    *out = (struct slice){begin, (size_t)(r->p - begin)};
    r->p++;
    return true;
}

static size_t digits(const struct reader *r)
{
    size_t n = 0;
    while (r->p + n < r->end && r->p[n] >= '0' && r->p[n] <= '9')
        n++;
    return n;
}

static bool skip_digits(struct reader *r)
{
    size_t n = digits(r);
    r->p += n;
    return n > 0 || broken(r, "a number without digits");
}

/* *whole: it is a whole number that int64 holds, in *out. The lowest stands for "not given": its neighbour then. */
static bool read_number(struct reader *r, bool *whole, int64_t *out)
{
    bool minus = *r->p == '-';
    uint64_t v = 0;
    r->p += minus;
    size_t n = digits(r);
    if (n == 0 || (n > 1 && *r->p == '0'))
        return broken(r, "a number that JSON does not know");
    *whole = n <= 19;
    for (; n; n--)
        v = v * 10 + (uint64_t)(*r->p++ - '0');
    *whole = *whole && v <= INT64_MAX;
    *out = minus ? -(int64_t)(v & INT64_MAX) : (int64_t)(v & INT64_MAX);
    if (r->p < r->end && *r->p == '.') {
        *whole = false;
        r->p++;
        if (!skip_digits(r))
            return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        *whole = false;
        r->p++;
        r->p += r->p < r->end && (*r->p == '+' || *r->p == '-');
        return skip_digits(r);
    }
    return true;
}

static bool skip_word(struct reader *r)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(r->end - r->p) >= n && memcmp(r->p, words[i], n) == 0) {
            r->p += n;
            return true;
        }
    }
    return broken(r, "a value is missing");
}

static bool skip_value(struct reader *r, unsigned depth);

static bool skip_items(struct reader *r, char close, unsigned depth)
{
    struct slice key;
    r->p++;
    if (peek(r) == close) {
        r->p++;
        return true;
    }
    for (;;) {
        if (close == '}' && (!read_text(r, &key) || !expect(r, ':', "':' is missing")))
            return false;
        if (!skip_value(r, depth + 1))
            return false;
        if (peek(r) != ',')
            return expect(r, close, close == '}' ? "'}' is missing" : "']' is missing");
        r->p++;
    }
}

static bool skip_value(struct reader *r, unsigned depth)
{
    struct slice text;
    int64_t number;
    bool whole;
    char c = peek(r);
    if (depth > DEPTH_MAX)
        return broken(r, "too deep");
    if (c == '"')
        return read_text(r, &text);
    if (c == '{' || c == '[')
        return skip_items(r, c == '{' ? '}' : ']', depth);
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(r, &whole, &number);
    return skip_word(r);
}

/* ---- fields ---- */

struct field;
typedef bool take_fn(struct reader *, const struct field *);
static take_fn take_text, take_int, take_role, take_status, take_attrs;

/* clang-format off */
#define FIELD(key, what, take) {#key, sizeof #key - 1, offsetof(struct signal, key), take, #key " must be " what}
/* clang-format on */
static const struct field {
    const char *key;
    uint8_t length;
    uint16_t offset;
    take_fn *take;
    const char *wrong;
} fields[] = {
    FIELD(id, "a text", take_text),
    FIELD(kind, "a text", take_text),
    FIELD(at, "a whole number of milliseconds", take_int),
    FIELD(uscc, "a text", take_text),
    FIELD(name, "a text", take_text),
    FIELD(region, "a text of digits", take_text),
    FIELD(industry, "a text", take_text),
    FIELD(amount, "a whole number of fen", take_int),
    FIELD(people, "a whole number", take_int),
    FIELD(since, "a whole number of milliseconds", take_int),
    FIELD(project, "a text", take_text),
    FIELD(role, "one of client, general, sub, labour", take_role),
    FIELD(owner, "a text", take_text),
    FIELD(status, "one of actual, exercise, test", take_status),
    FIELD(ref, "a text", take_text),
    FIELD(note, "a text", take_text),
    FIELD(cancels, "a text", take_text),
    FIELD(attrs, "a map of texts to texts or whole numbers, each key once", take_attrs),
};
#undef FIELD

static const struct field *field_of(struct slice key)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (fields[i].length == key.n && fields[i].key[0] == key.p[0] && memcmp(fields[i].key, key.p, key.n) == 0)
            return &fields[i];
    return NULL;
}

static void *place(struct reader *r, const struct field *f)
{
    return (char *)&r->out->sig + f->offset;
}

/* A value of another type is read over. */
static bool wrong(struct reader *r, const struct field *f)
{
    fault(r, REJECT_BAD_FIELD, f->key, f->wrong);
    return skip_value(r, 1);
}

static bool take_text(struct reader *r, const struct field *f)
{
    struct slice *to = place(r, f);
    if (peek(r) != '"')
        return wrong(r, f);
    if (!read_text(r, to))
        return false;
    if (memchr(to->p, 0, to->n))
        fault(r, REJECT_BAD_FIELD, f->key, "the text holds a NUL character");
    return true;
}

static bool take_int(struct reader *r, const struct field *f)
{
    char c = peek(r);
    bool whole;
    int64_t number;
    if (c != '-' && (c < '0' || c > '9'))
        return wrong(r, f);
    if (!read_number(r, &whole, &number))
        return false;
    if (whole)
        memcpy(place(r, f), &number, sizeof number);
    else
        fault(r, REJECT_BAD_FIELD, f->key, f->wrong);
    return true;
}

static bool take_word(struct reader *r, const struct field *f, int (*of)(struct slice))
{
    struct slice word;
    if (peek(r) != '"')
        return wrong(r, f);
    if (!read_text(r, &word))
        return false;
    int number = of(word);
    if (number < 0)
        fault(r, REJECT_BAD_FIELD, f->key, f->wrong);
    else
        *(uint8_t *)place(r, f) = (uint8_t)number;
    return true;
}

static bool take_role(struct reader *r, const struct field *f)
{
    return take_word(r, f, role_of);
}

static bool take_status(struct reader *r, const struct field *f)
{
    return take_word(r, f, status_of);
}

static bool has_attr(const struct signal *s, struct slice key)
{
    for (size_t i = 0; i < s->n_attrs; i++)
        if (slice_eq(s->attrs[i].key, key))
            return true;
    return false;
}

static bool take_attr(struct reader *r, const struct field *f)
{
    struct signal *s = &r->out->sig;
    struct signal_attr a = {.number = NO_INT};
    bool good = true;
    if (!read_text(r, &a.key) || !expect(r, ':', "':' is missing"))
        return false;
    char c = peek(r);
    bool read = c == '"'                           ? read_text(r, &a.text)
                : c == '-' || (c >= '0' && c <= '9') ? read_number(r, &good, &a.number)
                                                     : wrong(r, f);
    if (!read)
        return false;
    if (!good || has_attr(s, a.key))
        fault(r, REJECT_BAD_FIELD, f->key, f->wrong);
    else if (s->n_attrs == SIGNAL_ATTRS_MAX)
        fault(r, REJECT_TOO_LARGE, f->key, "attrs has more than 16 pairs");
    else
        s->attrs[s->n_attrs++] = a;
    return true;
}

static bool take_attrs(struct reader *r, const struct field *f)
{
    if (peek(r) != '{')
        return wrong(r, f);
    r->p++;
    if (peek(r) == '}') {
        r->p++;
        return true;
    }
    while (take_attr(r, f)) {
        if (peek(r) != ',')
            return expect(r, '}', "'}' is missing");
        r->p++;
    }
    return false;
}

/* ---- the object ---- */

/* Keys that the protocol does not know are passed over, but may not be there twice either. */
struct unknown {
    size_t n;
    struct slice keys[UNKNOWN_MAX];
};

static void note_unknown(struct reader *r, struct unknown **u, struct slice key)
{
    if (!*u) {
        *u = arena_alloc(r->arena, sizeof **u);
        (*u)->n = 0;
    }
    for (size_t i = 0; i < (*u)->n; i++)
        if (slice_eq((*u)->keys[i], key))
            fault(r, REJECT_BAD_FIELD, NULL, "a key is twice in the signal");
    if ((*u)->n == UNKNOWN_MAX)
        fault(r, REJECT_TOO_LARGE, NULL, "more than 256 keys that no signal has");
    else
        (*u)->keys[(*u)->n++] = key;
}

static bool read_pair(struct reader *r, uint32_t *seen, struct unknown **unknown)
{
    struct slice key = {NULL, 0};
    if (!read_text(r, &key) || !expect(r, ':', "':' is missing"))
        return false;
    const struct field *f = key.n ? field_of(key) : NULL;
    uint32_t bit = f ? UINT32_C(1) << (f - fields) : 0;
    if (!f)
        note_unknown(r, unknown, key);
    else if (*seen & bit)
        fault(r, REJECT_BAD_FIELD, f->key, "the key is twice in the signal");
    bool take = f && !(*seen & bit);
    *seen |= bit;
    return take ? f->take(r, f) : skip_value(r, 1);
}

static bool read_object(struct reader *r)
{
    struct unknown *unknown = NULL;
    uint32_t seen = 0;
    if (!expect(r, '{', "the line is no JSON object"))
        return false;
    if (peek(r) == '}') {
        r->p++;
    } else {
        do {
            if (!read_pair(r, &seen, &unknown))
                return false;
        } while (peek(r) == ',' && r->p++);
        if (!expect(r, '}', "'}' is missing"))
            return false;
    }
    peek(r);
    return r->p == r->end || broken(r, "something follows the object");
}

bool jsonline_signal(struct arena *a, struct slice line, struct signal_in *out, const char **sentence)
{
    struct reader r = {line.p, line.p + line.n, a, out, NULL};
    /* the places of attrs count as far as n_attrs says */
    memset(&out->sig, 0, offsetof(struct signal, attrs));
    out->sig.at = out->sig.amount = out->sig.people = out->sig.since = NO_INT;
    out->why = (struct reject){REJECT_NONE, NULL, NULL};
    bool good = utf8_valid(line) ? read_object(&r) : broken(&r, "the line is not valid UTF-8");
    *sentence = r.sentence;
    return good;
}
