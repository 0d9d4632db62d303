/* SPDX-License-Identifier: Apache-2.0 */
/* The filter of what the store may hold: a "no" is never wrong, a "yes" seldom, before and after a restart. */
#include "engine/known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 300000, ROWS_MAX = 4096 };

static uint64_t hash_of(uint64_t i)
{
    i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
    return i ^ i >> 31;
}

/* A store of what checkpoints wrote. */
struct shop {
    struct dirty rows[ROWS_MAX];   /* p is owned */
    size_t n, gets;
};

static void keep(struct shop *s, const struct dirty *d)
{
    size_t i = 0;
    while (i < s->n && !(s->rows[i].klen == d->klen && memcmp(s->rows[i].key, d->key, d->klen) == 0))
        i++;
    assert_true(i < ROWS_MAX);
    if (i == s->n)
        s->n++;
    else
        free((uint8_t *)(uintptr_t)s->rows[i].p);
    s->rows[i] = *d;
    uint8_t *own = malloc(d->n);
    memcpy(own, d->p, d->n);
    s->rows[i].p = own;
}

static size_t commit(struct shop *s, struct known *k, struct state *state)
{
    known_checkpoint(k, state);
    struct checkpoint *cp = state_checkpoint(state);
    size_t n = cp ? cp->n : 0;
    for (size_t i = 0; i < n; i++)
        keep(s, &cp->rows[i]);
    if (cp)
        state_committed(state, cp);
    return n;
}

static int get(void *ctx, enum table t, const void *key, size_t n, struct slice *value, struct err *err)
{
    struct shop *s = ctx;
    (void)err;
    assert_int_equal(t, T_META);
    s->gets++;
    for (size_t i = 0; i < s->n; i++)
        if (s->rows[i].klen == n && memcmp(s->rows[i].key, key, n) == 0) {
            *value = (struct slice){(const char *)s->rows[i].p, s->rows[i].n};
            return 1;
        }
    return 0;
}

static void check(const struct known *k, uint64_t n)
{
    unsigned wrong = 0;
    for (uint64_t i = 0; i < n; i++)
        assert_true(known_may(k, hash_of(i)));
    for (uint64_t i = 1000000; i < 1010000; i++)
        wrong += known_may(k, hash_of(i));
    assert_true(wrong < 200); /* of 10,000; about 40 */
}

static void what_was_added_is_known_before_and_after_a_restart(void **unused)
{
    (void)unused;
    struct shop *shop = calloc(1, sizeof *shop);
    struct state_loader loader = {shop, get, NULL};
    struct state *state = state_create(NULL, 0);
    struct known *k = known_create(), *again = known_create();
    assert_int_equal(known_load(again, &loader, NULL), WW_EDAMAGED); /* a store that has none */
    assert_false(known_may(k, hash_of(1)));
    for (uint64_t i = 0; i < KEYS; i++) {
        known_add(k, hash_of(i));
        if (i == 10 || i == KEYS / 2)
            assert_true(commit(shop, k, state) > 1);
    }
    check(k, KEYS);
    assert_true(commit(shop, k, state) > 1);
    assert_int_equal(commit(shop, k, state), 0); /* nothing changed since */
    assert_int_equal(known_load(again, &loader, NULL), 0);
    check(again, KEYS);
    known_add(k, hash_of(KEYS)); /* both go on alike: the same pieces change */
    known_add(again, hash_of(KEYS));
    assert_int_equal(commit(shop, again, state), 2);
    assert_true(known_may(again, hash_of(KEYS)));
    for (size_t i = 0; i < shop->n; i++)
        free((uint8_t *)(uintptr_t)shop->rows[i].p);
    known_destroy(k);
    known_destroy(again);
    state_destroy(state);
    free(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_added_is_known_before_and_after_a_restart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
