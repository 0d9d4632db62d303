/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/scan.h"

/* clang-format off */
#define BAD        {.bad = true}
#define F(t, w)    {.type = SCAN_##t, .width = (w)}
#define FIXEXT(n)  {.type = SCAN_EXT, .fixed = (n)}
const struct scan_format scan_formats[32] = {
    /* c0 */ F(NIL, 0),  BAD,          F(BOOL, 0),  F(BOOL, 0),
    /* c4 */ F(BIN, 1),  F(BIN, 2),    F(BIN, 4),   F(EXT, 1),
    /* c8 */ F(EXT, 2),  F(EXT, 4),    F(FLOAT, 4), F(FLOAT, 8),
    /* cc */ F(UINT, 1), F(UINT, 2),   F(UINT, 4),  F(UINT, 8),
    /* d0 */ F(NEGATIVE, 1), F(NEGATIVE, 2), F(NEGATIVE, 4), F(NEGATIVE, 8),
    /* d4 */ FIXEXT(1),  FIXEXT(2),    FIXEXT(4),   FIXEXT(8),
    /* d8 */ FIXEXT(16), F(STR, 1),    F(STR, 2),   F(STR, 4),
    /* dc */ F(LIST, 2), F(LIST, 4),   F(MAP, 2),   F(MAP, 4),
};
#undef BAD
#undef F
#undef FIXEXT
/* clang-format on */

/* A signed number of 1, 2, 4 or 8 bytes: negative, or as good as an unsigned one. */
static void take_signed(struct scan_item *it, uint64_t v, unsigned width)
{
    assert(width > 0 && width <= 8);
    unsigned unused = 64 - 8 * width;
    int64_t number = (int64_t)(v << unused) >> unused;
    it->type = number < 0 ? SCAN_NEGATIVE : SCAN_UINT;
    it->number = (uint64_t)number;
}

bool scan_long_form(struct scan_cursor *c, uint8_t first, struct scan_item *it)
{
    const struct scan_format *f = &scan_formats[first - 0xc0];
    if (f->bad || c->end - c->p < f->width)
        return false;
    uint64_t v = scan_number(c->p, f->width);
    c->p += f->width;
    it->type = (enum scan_type)f->type;
    switch (it->type) {
    case SCAN_BOOL:
        v = first & 1;
        /* fall through */
    case SCAN_NIL:
    case SCAN_FLOAT:
    case SCAN_UINT:
        it->number = v;
        return true;
    case SCAN_NEGATIVE:
        take_signed(it, v, f->width);
        return true;
    case SCAN_STR:
    case SCAN_BIN:
        return scan_payload(c, (size_t)v, it);
    case SCAN_EXT:
        return scan_payload(c, (size_t)(f->width ? v : f->fixed) + 1, it);
    case SCAN_LIST:
    case SCAN_MAP:
        return scan_container(c, v, it);
    }
    return false;
}

bool scan_skip_items(struct scan_cursor *c, const struct scan_item *it)
{
    struct scan_item next;
    for (uint64_t wanted = scan_children(it); wanted; wanted += scan_children(&next) - 1)
        if (!scan_next(c, &next))
            return false;
    return true;
}

const char *scan_body(const void *p, size_t n)
{
    struct scan_cursor c = {p, (const uint8_t *)p + n};
    uint64_t wanted[SCAN_DEPTH_MAX]; /* values still to come at each depth */
    unsigned depth = 1;
    struct scan_item it;
    if (!scan_next(&c, &it) || it.type != SCAN_MAP)
        return "the body is no msgpack map";
    wanted[0] = scan_children(&it);
    while (depth) {
        if (!wanted[depth - 1]) {
            depth--;
            continue;
        }
        bool is_key = depth == 1 && wanted[0] % 2 == 0;
        wanted[depth - 1]--;
        if (!scan_next(&c, &it))
            return "the body is malformed msgpack or ends too soon";
        if (is_key && it.type != SCAN_STR)
            return "a key of the body is no text";
        if (it.type < SCAN_LIST)
            continue;
        if (depth == SCAN_DEPTH_MAX)
            return "the body is nested deeper than 8 levels";
        wanted[depth++] = scan_children(&it);
    }
    return c.p == c.end ? NULL : "bytes follow the body's map";
}
