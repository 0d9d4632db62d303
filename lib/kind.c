/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds: rows as parsed, and a hash table over their names, since each signal asks for
 * its kind. */
#include "lib/kind.h"

#include "lib/csv.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/tree.h"

#include <stdlib.h>

enum { SLOTS = 4 * KINDS_MAX, NAME_MAX_BYTES = 64, DAYS_MAX = 36500, PPM = 1000000, PPM_DIGITS = 6 };

struct kinds {
    struct arena arena; /* all texts */
    size_t n;
    struct kind rows[KINDS_MAX];
    const char *names[KINDS_MAX];
    uint8_t name_lengths[KINDS_MAX];
    uint16_t slots[SLOTS]; /* a row's number plus one; 0: free */
};

/* ---- look-up ---- */

static size_t slot_of(const struct kinds *k, struct slice name)
{
    size_t i = hash_fnv1a(name.p, name.n) % SLOTS;
    for (; k->slots[i]; i = (i + 1) % SLOTS) {
        size_t row = k->slots[i] - 1u;
        if (k->name_lengths[row] == name.n && memcmp(k->names[row], name.p, name.n) == 0)
            break;
    }
    return i;
}

const struct kind *kinds_find(const struct kinds *k, struct slice name)
{
    if (!name.n || name.n > NAME_MAX_BYTES)
        return NULL;
    size_t i = slot_of(k, name);
    return k->slots[i] ? &k->rows[k->slots[i] - 1] : NULL;
}

size_t kinds_count(const struct kinds *k)
{
    return k->n;
}

const struct kind *kinds_at(const struct kinds *k, size_t i)
{
    assert(i < k->n);
    return &k->rows[i];
}

const char *kinds_suggest(const struct kinds *k, struct slice name)
{
    return nearest_word(name, k->names, k->n);
}

/* ---- columns: one row each ---- */

/* What a cell's text means, into the row. Returns NULL or what the text should have been. */
typedef const char *parse_fn(struct kinds *, struct slice cell, void *field);

static const char *parse_text(struct kinds *k, struct slice cell, void *field)
{
    *(const char **)field = arena_slice(&k->arena, cell).p;
    return NULL;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *parse_name(struct kinds *k, struct slice cell, void *field)
{
    static const char wanted[] = "agency.what: small letters, digits and _, at most 64 bytes";
    size_t dots = 0;
    for (size_t i = 0; i < cell.n; i++) {
        bool dot = cell.p[i] == '.';
        dots += dot;
        if ((!dot && !is_word_char(cell.p[i])) || (dot && (i == 0 || i + 1 == cell.n)))
            return wanted;
    }
    return dots == 1 && cell.n <= NAME_MAX_BYTES ? parse_text(k, cell, field) : wanted;
}

/* "0.10" to parts per million, digit by digit: no floating point comes near a weight. */
static const char *parse_weight(struct kinds *k, struct slice cell, void *field)
{
    static const char wanted[] = "a probability from 0 to below 1 with at most 6 decimals, such as 0.25";
    uint32_t ppm = 0;
    (void)k;
    if (!cell.n || cell.p[0] != '0' || (cell.n > 1 && (cell.p[1] != '.' || cell.n == 2)) ||
        cell.n > 2 + PPM_DIGITS)
        return wanted;
    for (size_t i = 2; i < 2 + PPM_DIGITS; i++) {
        char c = i < cell.n ? cell.p[i] : '0';
        if (c < '0' || c > '9')
            return wanted;
        ppm = ppm * 10 + (uint32_t)(c - '0');
    }
    *(uint32_t *)field = ppm;
    return NULL;
}

static const char *parse_days(struct kinds *k, struct slice cell, void *field)
{
    static const char wanted[] = "a whole number of days from 0 to 36500";
    uint32_t days = 0;
    (void)k;
    if (!cell.n || cell.n > 5)
        return wanted;
    for (size_t i = 0; i < cell.n; i++) {
        if (cell.p[i] < '0' || cell.p[i] > '9')
            return wanted;
        days = days * 10 + (uint32_t)(cell.p[i] - '0');
    }
    *(uint32_t *)field = days;
    return days <= DAYS_MAX ? NULL : wanted;
}

/* Names with one space between each; whether they are kinds is seen when all rows are read. */
static const char *parse_clears(struct kinds *k, struct slice cell, void *field)
{
    char *text = arena_alloc(&k->arena, cell.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < cell.n; i++)
        if (cell.p[i] != ' ' || (n && text[n - 1] != ' '))
            text[n++] = cell.p[i];
    if (n && text[n - 1] == ' ')
        n--;
    text[n] = 0;
    *(const char **)field = text;
    return NULL;
}

static const struct column {
    const char *name;
    bool must;
    size_t offset; /* in struct kind */
    parse_fn *parse;
} columns[] = {
    {"kind", true, offsetof(struct kind, name), parse_name},
    {"agency", false, offsetof(struct kind, agency), parse_text},
    {"zh", false, offsetof(struct kind, zh), parse_text},
    {"en", false, offsetof(struct kind, en), parse_text},
    {"weight", true, offsetof(struct kind, weight_ppm), parse_weight},
    {"half_life_days", true, offsetof(struct kind, half_life_days), parse_days},
    {"repeat_window_days", false, offsetof(struct kind, repeat_window_days), parse_days},
    {"clears", false, offsetof(struct kind, clears), parse_clears},
    {"clue_of", false, offsetof(struct kind, clue), parse_text},
};

/* Which column each cell of the file is. */
struct layout {
    size_t n;
    const struct column *of[CSV_CELLS_MAX];
};

static bool has_column(const struct layout *l, const struct column *c)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->of[i] == c)
            return true;
    return false;
}

static const struct column *column_named(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        if (slice_is(name, columns[i].name))
            return &columns[i];
    return NULL;
}

static int parse_header(struct csv *csv, struct layout *l, struct err *err)
{
    int rc = csv_next(csv, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < csv->n; i++) {
        const struct column *c = column_named(csv->cells[i]);
        if (!c)
            return csv_fault(csv, err, "unknown column \"%.*s\"", SLICE_ARG(csv->cells[i]));
        if (has_column(l, c))
            return csv_fault(csv, err, "column \"%s\" is here twice", c->name);
        l->of[l->n++] = c;
    }
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        if (columns[i].must && !has_column(l, &columns[i]))
            return csv_fault(csv, err, "there is no column \"%s\"", columns[i].name);
    return 0;
}

/* ---- rows ---- */

/* What the cells mean together. */
static int check_row(struct kinds *k, struct kind *row, const struct csv *csv, struct err *err)
{
    assert(row->name && row->agency);
    size_t agency = strcspn(row->name, ".");
    if (!*row->agency)
        row->agency = arena_printf(&k->arena, "%.*s", (int)agency, row->name);
    if (strlen(row->agency) != agency || memcmp(row->agency, row->name, agency) != 0)
        return csv_fault(csv, err, "agency of %s is \"%s\", but the kind's name begins with \"%.*s\"",
                         row->name, row->agency, (int)agency, row->name);
    if (row->weight_ppm && !row->half_life_days)
        return csv_fault(csv, err, "%s has a weight, so half_life_days must be above 0", row->name);
    if (row->weight_ppm && *row->clears)
        return csv_fault(csv, err, "%s clears other kinds, so its weight must be 0", row->name);
    if (!*row->zh)
        row->zh = row->name;
    if (!*row->en)
        row->en = row->name;
    return 0;
}

static int parse_row(struct kinds *k, const struct csv *csv, const struct layout *l, struct err *err)
{
    struct kind *row = &k->rows[k->n];
    if (csv->n != l->n)
        return csv_fault(csv, err, "%zu columns, but the first line has %zu", csv->n, l->n);
    if (k->n == KINDS_MAX)
        return csv_fault(csv, err, "more than %d kinds", KINDS_MAX);
    *row = (struct kind){.agency = "", .zh = "", .en = "", .clears = "", .clue = ""};
    for (size_t i = 0; i < l->n; i++) {
        const char *wanted = l->of[i]->parse(k, csv->cells[i], (char *)row + l->of[i]->offset);
        if (wanted)
            return csv_fault(csv, err, "%s \"%.*s\" is not %s", l->of[i]->name, SLICE_ARG(csv->cells[i]),
                             wanted);
    }
    int rc = check_row(k, row, csv, err);
    if (rc)
        return rc;
    size_t slot = slot_of(k, slice_of(row->name));
    if (k->slots[slot])
        return csv_fault(csv, err, "kind %s is here twice", row->name);
    k->names[k->n] = row->name;
    k->name_lengths[k->n] = (uint8_t)strlen(row->name);
    k->slots[slot] = (uint16_t)++k->n;
    return 0;
}

static int check_cleared(const struct kinds *k, const struct kind *row, const struct csv *csv,
                         struct err *err)
{
    for (const char *p = row->clears; *p; p += *p == ' ') {
        struct slice name = {p, strcspn(p, " ")};
        const struct kind *cleared = kinds_find(k, name);
        if (!cleared || cleared == row)
            return csv_fault(csv, err, "%s clears \"%.*s\", which is %s", row->name, SLICE_ARG(name),
                             cleared ? "itself" : "no kind of this table");
        p += name.n;
    }
    return 0;
}

static int parse_into(struct kinds *k, struct csv *csv, unsigned *lines, struct err *err)
{
    struct layout l = {0};
    int rc = parse_header(csv, &l, err);
    while (!rc && (rc = csv_next(csv, err)) > 0) {
        if (k->n < KINDS_MAX)
            lines[k->n] = csv->line;
        rc = parse_row(k, csv, &l, err);
    }
    for (size_t i = 0; !rc && i < k->n; i++) {
        csv->line = lines[i];
        rc = check_cleared(k, &k->rows[i], csv, err);
    }
    return rc;
}

int kinds_parse(struct kinds **out, const char *file, struct slice text, struct err *err)
{
    struct kinds *k = mem_zalloc(sizeof *k);
    unsigned lines[KINDS_MAX] = {0};
    struct csv csv;
    csv_begin(&csv, file, text, &k->arena);
    int rc = parse_into(k, &csv, lines, err);
    if (rc) {
        kinds_destroy(k);
        k = NULL;
    }
    *out = k;
    return rc;
}

void kinds_destroy(struct kinds *k)
{
    if (!k)
        return;
    arena_finish(&k->arena);
    free(k);
}
