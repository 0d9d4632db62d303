/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint's rows come in the order that comparing gives, whatever their keys are like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "store/row_sort.h"

static uint64_t seed = 20260301;

static uint32_t below(uint32_t n)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(((z ^ z >> 31) >> 32) * n >> 32);
}

enum shape { NUMBERS, CODES, HASHES, ENDS, LATE, ONE_BIT, SHAPES };

static void fill_from(uint8_t *to, size_t n, uint32_t most)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)below(most);
}

/* Keys as tables have them: numbers, codes of digits after a common start, hashes; and some that are hard: keys that end
 * where others go on, with zeros; that differ only behind the eight bytes that are looked at; in a single bit. */
static void invent_key(struct dirty *row, enum shape shape, size_t i, size_t n)
{
    memset(row->key, 7, sizeof row->key);
    row->klen = 26;
    switch (shape) {
    case NUMBERS:
        row->klen = 8;
        for (int k = 0; k < 8; k++)
            row->key[k] = (uint8_t)((uint64_t)(n - i) * 977 >> (56 - 8 * k));
        break;
    case CODES:
        snprintf((char *)row->key + 10, 17, "%08zu%08u", (i * 7919) % 100000000, below(1000));
        break;
    case HASHES: fill_from(row->key, 26, 256); break;
    case ENDS:
        row->klen = (uint8_t)(2 + below(12));
        fill_from(row->key, row->klen, 2);
        break;
    case LATE:
        row->key[2] = (uint8_t)below(2);
        fill_from(row->key + 14, 12, 256);
        break;
    default:
        row->key[5] = (uint8_t)(below(2) << 3);
    }
}

static int by_comparing(const void *a, const void *b)
{
    const struct dirty *x = *(const struct dirty *const *)a, *y = *(const struct dirty *const *)b;
    return x->table != y->table ? x->table - y->table : row_key_order(x->key, x->klen, y->key, y->klen);
}

static void sorts_as_comparing_does(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, 2, 63, 64, 65, 3000, 40000};
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
        for (int mixed = 0; mixed <= SHAPES; mixed++) {
            struct checkpoint cp = {.n = sizes[s], .rows = calloc(sizes[s] + 1, sizeof *cp.rows)};
            for (size_t i = 0; i < cp.n; i++) {
                enum shape shape = mixed == SHAPES ? (enum shape)below(SHAPES) : (enum shape)mixed;
                cp.rows[i].table = mixed == SHAPES ? (uint8_t)shape : (uint8_t)(T_COUNT - 1);
                invent_key(&cp.rows[i], shape, i, cp.n);
            }
            const struct dirty **rows = row_sort(&cp);
            uint8_t *seen = calloc(cp.n + 1, 1);
            for (size_t i = 0; i < cp.n; i++) {
                assert_false(seen[rows[i] - cp.rows]++); /* each once */
                if (i && by_comparing(&rows[i - 1], &rows[i]) > 0)
                    fail_msg("shape %d, %zu rows: row %zu is before a smaller one", mixed, cp.n, i - 1);
            }
            free(seen);
            free(rows);
            free(cp.rows);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sorts_as_comparing_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
