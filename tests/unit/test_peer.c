/* SPDX-License-Identifier: Apache-2.0 */
/* The table of peers: who is the same, who is forgotten when it is full, that a handle is never used again.
 */
#include "test.h"

#include "daemon/peer.h"

#include <stdlib.h>

static struct wire_in from(unsigned endpoint, uint32_t id, const char *user)
{
    static char bytes[ROUTING_ID_LEN];
    bytes[0] = 0;
    memcpy(bytes + 1, &id, 4);
    return (struct wire_in){.endpoint = endpoint, .id = {bytes, sizeof bytes}, .user = user};
}

static struct peer *of(struct peers *ps, unsigned endpoint, uint32_t id, const char *user)
{
    struct wire_in in = from(endpoint, id, user);
    return peers_of(ps, &in);
}

static void test_who_is_the_same(void **state)
{
    (void)state;
    struct peers *ps = peers_create();
    struct peer *a = of(ps, 0, 1, "n:tax");
    assert_ptr_equal(of(ps, 0, 1, "n:tax"), a);
    assert_ptr_not_equal(of(ps, 1, 1, "n:tax"), a);
    assert_ptr_not_equal(of(ps, 0, 2, "n:tax"), a);
    assert_ptr_not_equal(of(ps, 0, 1, "n:court"), a); /* a routing id is not an identity */
    assert_ptr_not_equal(of(ps, 0, 1, NULL), a);
    assert_int_equal(peers_count(ps), 5);
    assert_ptr_equal(peers_find(ps, a->handle), a);
    peers_destroy(ps);
}

static void test_handles_are_not_used_again(void **state)
{
    (void)state;
    struct peers *ps = peers_create();
    struct peer *a = of(ps, 0, 1, "x");
    uint64_t old = a->handle;
    peers_forget(ps, a);
    assert_null(peers_find(ps, old));
    assert_true(of(ps, 0, 1, "x")->handle != old);
    assert_null(peers_find(ps, old));
    assert_null(peers_find(ps, 0));
    peers_destroy(ps);
}

static void test_full(void **state)
{
    (void)state;
    struct peers *ps = peers_create();
    uint64_t first = of(ps, 0, 0, "x")->handle, second = of(ps, 0, 1, "x")->handle,
             third = of(ps, 0, 2, "x")->handle;
    peers_find(ps, first)->waiting = 1;
    for (uint32_t i = 3; i < PEERS_MAX; i++)
        assert_non_null(of(ps, 0, i, "x"));
    assert_int_equal(of(ps, 0, 1, "x")->handle, second); /* heard of again */
    assert_non_null(of(ps, 0, PEERS_MAX, "x"));
    assert_int_equal(peers_count(ps), PEERS_MAX);
    assert_non_null(peers_find(ps, first)); /* waits for an answer */
    assert_non_null(peers_find(ps, second));
    assert_null(peers_find(ps, third)); /* the longest silent */
    peers_destroy(ps);
}

static void count_one(void *arg, struct peer *p)
{
    p->sessions = 1;
    ++*(unsigned *)arg;
}

static void test_full_of_listeners(void **state)
{
    (void)state;
    struct peers *ps = peers_create();
    unsigned n = 0;
    for (uint32_t i = 0; i < PEERS_MAX; i++)
        assert_non_null(of(ps, 0, i, "x"));
    peers_each(ps, count_one, &n);
    assert_int_equal(n, PEERS_MAX);
    assert_null(of(ps, 0, PEERS_MAX, "x")); /* nobody is put out who listens */
    assert_non_null(of(ps, 0, 5, "x"));
    peers_destroy(ps);
}

static void test_random(void **state)
{
    (void)state;
    struct peers *ps = peers_create();
    uint64_t handles[64] = {0};
    srand(7);
    for (int i = 0; i < 20000; i++) {
        uint32_t id = (uint32_t)(rand() % 64);
        struct peer *p = handles[id] ? peers_find(ps, handles[id]) : NULL;
        if (p && rand() % 3 == 0) {
            peers_forget(ps, p);
            handles[id] = 0;
            continue;
        }
        struct peer *q = of(ps, id % 3, id, id % 2 ? "a" : "b");
        assert_true(!handles[id] || q->handle == handles[id]);
        handles[id] = q->handle;
    }
    peers_destroy(ps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_the_same),
        cmocka_unit_test(test_handles_are_not_used_again),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_full_of_listeners),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
