/* SPDX-License-Identifier: Apache-2.0 */
/* Region codes as numbers, and the table of their names: open addressing over the codes, names in a block. */
#include "lib/region.h"

#include "lib/csv.h"
#include "lib/mem.h"

#include <stdlib.h>

enum { DIGITS_MAX = 15, DIGIT_BITS = 4 };

static const uint64_t powers[DIGITS_MAX + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
};

static unsigned digits_of(region_t r)
{
    return r & DIGITS_MAX;
}

static uint64_t value_of(region_t r)
{
    return r >> DIGIT_BITS;
}

region_t region_of(struct slice s)
{
    uint64_t value = 0;
    if (s.n < 1 || s.n > DIGITS_MAX)
        return 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
        value = value * 10 + (uint64_t)(s.p[i] - '0');
    }
    return value << DIGIT_BITS | s.n;
}

size_t region_text(region_t r, char out[16])
{
    unsigned n = digits_of(r);
    uint64_t value = value_of(r);
    out[n] = 0;
    for (unsigned i = n; i--; value /= 10)
        out[i] = (char)('0' + value % 10);
    return n;
}

region_t region_cut(region_t r, unsigned digits)
{
    unsigned n = digits_of(r);
    if (digits >= n)
        return r;
    return digits ? (value_of(r) / powers[n - digits]) << DIGIT_BITS | digits : 0;
}

bool region_within(region_t r, region_t prefix)
{
    return region_cut(r, digits_of(prefix)) == prefix;
}

struct regions {
    size_t n, mask;   /* rows; slots - 1, a power of two above 4/3 of n */
    region_t *codes;  /* 0: free slot */
    uint32_t *places; /* of the name in `names` */
    char *names;      /* each with its NUL */
    struct accepted {
        region_t code;
        char *name;   /* NULL: none */
    } *accepted;
    size_t n_accepted, cap_accepted;
};

/* Multiplication spreads the digits to the upper bits, which choose the slot. */
static size_t slot_of(const struct regions *t, region_t r)
{
    size_t i = (size_t)((r * UINT64_C(0x9e3779b97f4a7c15)) >> 40) & t->mask;
    while (t->codes[i] && t->codes[i] != r)
        i = (i + 1) & t->mask;
    return i;
}

static void make_room(struct regions *t, size_t rows, size_t name_bytes)
{
    size_t slots = 16;
    while (slots * 3 / 4 < rows + 1)
        slots *= 2;
    t->mask = slots - 1;
    t->codes = mem_zalloc(slots * sizeof *t->codes);
    t->places = mem_alloc(slots * sizeof *t->places);
    t->names = mem_alloc(name_bytes);
}

/* One row of the file into the table; *at is where its name goes. */
static int add_row(struct regions *t, const struct csv *c, size_t *at, struct err *err)
{
    if (c->n != 2)
        return csv_fault(c, err, "%zu columns; a row is: code,name", c->n);
    region_t r = region_of(c->cells[0]);
    if (!r)
        return csv_fault(c, err, "\"%.*s\" is no region code (1 to 15 digits)", SLICE_ARG(c->cells[0]));
    if (!c->cells[1].n)
        return csv_fault(c, err, "region %.*s has no name", SLICE_ARG(c->cells[0]));
    size_t i = slot_of(t, r);
    if (t->codes[i])
        return csv_fault(c, err, "region %.*s is here twice", SLICE_ARG(c->cells[0]));
    t->codes[i] = r;
    t->places[i] = (uint32_t)*at;
    memcpy(t->names + *at, c->cells[1].p, c->cells[1].n);
    t->names[*at + c->cells[1].n] = 0;
    *at += c->cells[1].n + 1;
    t->n++;
    return 0;
}

static size_t count_lines(struct slice text)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n' || text.p[i] == '\r';
    return n;
}

static int parse_into(struct regions *t, struct csv *c, struct slice text, struct err *err)
{
    size_t name_at = 0;
    int rc = csv_next(c, err);
    if (rc < 0)
        return rc;
    if (rc == 0 || c->n != 2 || !slice_is(c->cells[0], "code") || !slice_is(c->cells[1], "name"))
        return csv_fault(c, err, "the first line must be: code,name");
    if (text.n > UINT32_MAX)
        return csv_fault(c, err, "the table is larger than 4 GiB");
    /* A row has at least one byte, a comma, between its code and its name, so the text bounds the names. */
    make_room(t, count_lines(text), text.n + 1);
    while ((rc = csv_next(c, err)) > 0) {
        rc = add_row(t, c, &name_at, err);
        if (rc)
            return rc;
    }
    return rc;
}

int regions_parse(struct regions **out, const char *file, struct slice text, struct err *err)
{
    struct regions *t = mem_zalloc(sizeof *t);
    struct arena arena = {0};
    struct csv c;
    csv_begin(&c, file, text, &arena);
    int rc = parse_into(t, &c, text, err);
    arena_finish(&arena);
    if (rc) {
        regions_destroy(t);
        t = NULL;
    }
    *out = t;
    return rc;
}

void regions_destroy(struct regions *t)
{
    if (!t)
        return;
    free(t->codes);
    free(t->places);
    free(t->names);
    for (size_t i = 0; i < t->n_accepted; i++)
        free(t->accepted[i].name);
    free(t->accepted);
    free(t);
}

bool regions_has(const struct regions *t, region_t r)
{
    return regions_name(t, r) != NULL;
}

const char *regions_name(const struct regions *t, region_t r)
{
    size_t i = slot_of(t, r);
    if (!r)
        return NULL;
    for (size_t k = 0; !t->codes[i] && k < t->n_accepted; k++)
        if (t->accepted[k].code == r)
            return t->accepted[k].name;
    return t->codes[i] ? t->names + t->places[i] : NULL;
}

void regions_accept(struct regions *t, region_t r, struct slice name)
{
    t->accepted = mem_grow(t->accepted, &t->cap_accepted, t->n_accepted + 1, sizeof *t->accepted);
    t->accepted[t->n_accepted++] = (struct accepted){r, name.n ? mem_strndup(name.p, name.n) : NULL};
}

bool regions_takes(const struct regions *t, region_t r)
{
    bool taken = regions_has(t, region_cut(r, 6));
    for (size_t i = 0; !taken && i < t->n_accepted; i++)
        taken = region_within(r, t->accepted[i].code);
    return taken;
}

/* Rows that only group others under a province: nobody writes them in an address. */
static bool is_grouping(const char *name)
{
    static const char *const groupings[] = {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"};
    for (size_t i = 0; i < ARRAY_LEN(groupings); i++)
        if (strcmp(name, groupings[i]) == 0)
            return true;
    return false;
}

/* Appends s at *n, cut between characters so that it fits with a NUL. */
static void append(char *out, size_t cap, size_t *n, const char *s)
{
    size_t len = strlen(s), room = cap - 1 - *n;
    if (len > room) {
        len = room;
        while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(out + *n, s, len);
    *n += len;
}

size_t regions_full_name(const struct regions *t, region_t r, char *out, size_t cap)
{
    static const unsigned steps[] = {2, 4, 6, 9, 12};
    const char *before = "";
    size_t n = 0;
    if (!cap)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(steps) && steps[i] <= digits_of(r); i++) {
        const char *name = regions_name(t, region_cut(r, steps[i]));
        /* A prefecture without counties is its own county: 东莞市 is said once. */
        if (!name || strcmp(name, before) == 0 || is_grouping(name))
            continue;
        append(out, cap, &n, name);
        before = name;
    }
    out[n] = 0;
    return n;
}

size_t regions_list(const struct regions *r, region_t *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i <= r->mask; i++)
        if (r->codes[i]) {
            if (n < cap)
                out[n] = r->codes[i];
            n++;
        }
    return n;
}
