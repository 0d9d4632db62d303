/* SPDX-License-Identifier: Apache-2.0 */
/* State against a plain map: random puts, deletions, checkpoints, trims; and the dictionary and the due order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/fold.h"
#include "tests/support/rows.h"

enum { KEYS = 300 };

static uint64_t seed = 7;

static uint32_t below(uint32_t n)
{
    seed += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)((sig_mix(seed) >> 32) * n >> 32);
}

static void get_says_what_was_put(void **unused)
{
    (void)unused;
    struct rows rows;
    uint32_t want[KEYS] = {0}; /* 0: not there */
    rows_init(&rows);
    struct state *s = state_create(&rows.loader, 2000);
    struct checkpoint *flying = NULL;
    for (int i = 0; i < 60000; i++) {
        uint32_t k = below(KEYS), what = below(10);
        char key[16];
        int n = snprintf(key, sizeof key, "key%u", k);
        if (what < 5) {
            struct slice v = state_get(s, T_NAME, key, (size_t)n);
            assert_int_equal(v.p != NULL, want[k] != 0);
            if (v.p)
                assert_memory_equal(v.p, &want[k], sizeof want[k]);
        } else if (what < 8) {
            want[k] = below(1000000) + 1;
            state_put(s, T_NAME, key, (size_t)n, &want[k], sizeof want[k]);
        } else if (what == 8) {
            want[k] = 0;
            state_del(s, T_NAME, key, (size_t)n);
        } else if (flying) { /* committed later than taken, with changes between */
            rows_take(&rows, flying);
            state_committed(s, flying);
            flying = NULL;
            state_trim(s);
        } else if (below(3) == 0) {
            flying = state_checkpoint(s);
        }
    }
    if (flying) {
        rows_take(&rows, flying);
        state_committed(s, flying);
    }
    assert_null(state_failed(s));
    state_destroy(s);
    rows_finish(&rows);
}

static int failing_get(void *ctx, enum table t, const void *key, size_t n, struct slice *value, struct err *err)
{
    (void)ctx, (void)t, (void)key, (void)n, (void)value;
    return err_set(err, WW_EDAMAGED, "planted");
}

static void a_failing_store_is_told(void **unused)
{
    (void)unused;
    const struct state_loader loader = {NULL, failing_get, NULL};
    struct state *s = state_create(&loader, 1000);
    assert_null(state_get(s, T_NAME, "x", 1).p);
    assert_non_null(state_failed(s));
    assert_string_equal(state_failed(s)->msg, "planted");
    state_destroy(s);
}

static void words_keep_their_numbers(void **unused)
{
    (void)unused;
    struct dict *d = dict_create();
    for (uint32_t i = 0; i < 3000; i++) {
        char word[16];
        int n = snprintf(word, sizeof word, "w%u", i % 1500);
        assert_int_equal(dict_add(d, DICT_SOURCE, (struct slice){word, (size_t)n}), i % 1500);
    }
    assert_int_equal(dict_count(d, DICT_SOURCE), 1500);
    assert_int_equal(dict_find(d, DICT_SOURCE, SLICE("w7")), 7);
    assert_int_equal(dict_find(d, DICT_KIND, SLICE("w7")), -1);
    assert_true(slice_is(dict_text(d, DICT_SOURCE, 1499), "w1499"));
    assert_null(dict_text(d, DICT_SOURCE, 1500).p);
    dict_destroy(d);
}

/* A start fills the heap from the rows: they must be as the heap is. */
static void check_due_rows(struct engine *e, struct due *d, const int64_t *at)
{
    due_save(d);
    for (uint32_t k = 0; k < KEYS; k++) {
        struct ekey key = {{1, (uint8_t)(k >> 8), (uint8_t)k}};
        struct slice row = state_get(e->state, T_DUE, key.b, EKEY_LEN);
        int64_t stored = row.p ? 0 : NO_INT;
        for (size_t i = 0; i < row.n; i++)
            stored = (int64_t)((uint64_t)stored << 8 | (uint8_t)row.p[i]);
        assert_true(stored == at[k]);
    }
}

static void due_comes_in_order(void **unused)
{
    (void)unused;
    struct engine e = {.state = state_create(NULL, 0)};
    struct due *d = due_create(&e);
    int64_t at[KEYS];
    for (int i = 0; i < KEYS; i++)
        at[i] = NO_INT;
    for (int i = 0; i < 20000; i++) {
        uint32_t k = below(KEYS);
        int64_t next = below(4) ? (int64_t)below(500) : NO_INT;
        struct ekey key = {{1, (uint8_t)(k >> 8), (uint8_t)k}};
        due_set(d, &key, at[k], next);
        at[k] = next;
        if (below(50) == 0)
            check_due_rows(&e, d, at);
        int64_t first = INT64_MAX;
        uint32_t whose = 0;
        for (uint32_t j = 0; j < KEYS; j++)
            if (at[j] != NO_INT && at[j] < first) {
                first = at[j];
                whose = j;
            }
        struct ekey got;
        assert_true(due_next(d, &got) == first);
        if (first != INT64_MAX)
            assert_int_equal(got.b[1] << 8 | got.b[2], whose);
    }
    due_destroy(d);
    state_destroy(e.state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_says_what_was_put), cmocka_unit_test(a_failing_store_is_told),
        cmocka_unit_test(words_keep_their_numbers), cmocka_unit_test(due_comes_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
