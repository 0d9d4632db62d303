/* SPDX-License-Identifier: Apache-2.0 */
/* Sorting a checkpoint's rows: a million at a time, so not by comparing. Keys of one table mostly begin alike and then
 * differ in a few bits of each byte (codes are digits and letters): those bits of the first eight bytes that differ at all,
 * put together, are a number of some thirty bits that three passes of a radix sort put in order. Rows whose numbers are the
 * same are compared. */
#include "store/row_sort.h"

#include <stdlib.h>

#include "lib/mem.h"

enum { DIGIT = 11, DIGITS = 1 << DIGIT, FEW = 64 };

struct item {
    uint64_t number; /* grows with the key, as far as it goes */
    const struct dirty *row;
};

/* Which bits of keys decide: eight bytes from `at` on, of each byte so many low bits. */
struct plan {
    size_t at;
    unsigned width[8], bits;
};

int row_key_order(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
    int d = memcmp(a, b, na < nb ? na : nb);
    return d != 0 ? d : (na > nb) - (na < nb);
}

static int by_key(const void *a, const void *b)
{
    const struct dirty *x = ((const struct item *)a)->row, *y = ((const struct item *)b)->row;
    return row_key_order(x->key, x->klen, y->key, y->klen);
}

/* A key that ends counts as zeros: whatever is behind is told by comparing. */
static unsigned byte_at(const struct dirty *row, size_t at)
{
    return at < row->klen ? row->key[at] : 0;
}

/* How many bytes all keys begin with. */
static size_t common_start(const struct item *list, size_t n)
{
    const struct dirty *first = list[0].row;
    size_t common = first->klen;
    for (size_t i = 1; i < n; i++) {
        size_t k = 0;
        while (k < common && k < list[i].row->klen && list[i].row->key[k] == first->key[k])
            k++;
        common = k;
    }
    return common;
}

static struct plan make_plan(const struct item *list, size_t n)
{
    struct plan p = {.at = common_start(list, n)};
    unsigned differ[8] = {0};
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < 8; k++)
            differ[k] |= byte_at(list[i].row, p.at + k) ^ byte_at(list[0].row, p.at + k);
    for (size_t k = 0; k < 8; k++) {
        while (differ[k] >> p.width[k])
            p.width[k]++;
        p.bits += p.width[k];
    }
    return p;
}

static uint64_t number_of(const struct plan *p, const struct dirty *row)
{
    uint64_t v = 0;
    for (size_t k = 0; k < 8; k++)
        v = v << p->width[k] | (byte_at(row, p->at + k) & ((1u << p->width[k]) - 1));
    return v;
}

/* One stable pass by the digit at `shift`, from one list into the other. */
static void pass(const struct item *from, struct item *to, size_t n, unsigned shift)
{
    size_t start[DIGITS + 1] = {0};
    for (size_t i = 0; i < n; i++)
        start[(from[i].number >> shift & (DIGITS - 1)) + 1]++;
    for (size_t d = 0; d < DIGITS; d++)
        start[d + 1] += start[d];
    for (size_t i = 0; i < n; i++)
        to[start[from[i].number >> shift & (DIGITS - 1)]++] = from[i];
}

static void sort_alike(struct item *list, size_t n)
{
    for (size_t i = 0, same; i < n; i += same) {
        for (same = 1; i + same < n && list[i + same].number == list[i].number; same++)
            ;
        if (same > 1)
            qsort(list + i, same, sizeof *list, by_key);
    }
}

/* The rows of one table. `spare` has as much room. */
static void sort_table(struct item *list, size_t n, struct item *spare)
{
    if (n < FEW) {
        if (n > 1)
            qsort(list, n, sizeof *list, by_key);
        return;
    }
    struct plan p = make_plan(list, n);
    struct item *from = list, *to = spare;
    for (size_t i = 0; i < n; i++)
        list[i].number = number_of(&p, list[i].row);
    for (unsigned shift = 0; shift < p.bits; shift += DIGIT) {
        pass(from, to, n, shift);
        struct item *was = from;
        from = to;
        to = was;
    }
    if (from != list)
        memcpy(list, from, n * sizeof *list);
    sort_alike(list, n);
}

const struct dirty **row_sort(const struct checkpoint *cp)
{
    size_t start[T_COUNT + 1] = {0}, at[T_COUNT];
    struct item *list = mem_alloc((2 * cp->n + 1) * sizeof *list);
    for (size_t i = 0; i < cp->n; i++)
        start[cp->rows[i].table + 1]++;
    for (size_t t = 0; t < T_COUNT; t++) {
        start[t + 1] += start[t];
        at[t] = start[t];
    }
    for (size_t i = 0; i < cp->n; i++)
        list[at[cp->rows[i].table]++].row = &cp->rows[i];
    for (size_t t = 0; t < T_COUNT; t++)
        sort_table(list + start[t], start[t + 1] - start[t], list + cp->n);
    const struct dirty **rows = mem_alloc((cp->n + 1) * sizeof *rows);
    for (size_t i = 0; i < cp->n; i++)
        rows[i] = list[i].row;
    free(list);
    return rows;
}
