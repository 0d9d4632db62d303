/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a batch: who owns which slots, order of rejects, room, reuse. */
#include "tests/unit/test.h"

#include "daemon/batch.h"

static void slots_belong_to_the_last_request(void **state)
{
    (void)state;
    struct batch b;
    batch_init(&b);
    struct request *r = batch_request(&b, REQUEST_SIGNALS, 7);
    r->rid = 70;
    for (uint32_t i = 0; i < 100; i++)
        batch_slot(&b)->index = i;
    batch_request(&b, REQUEST_SIGNALS, 8); /* none of its signals was good */
    batch_request(&b, REQUEST_ACTION, 9);
    batch_slot(&b);

    assert_int_equal(b.n_requests, 3);
    assert_int_equal(b.n_slots, 101);
    assert_int_equal(b.requests[0].client, 7);
    assert_int_equal(b.requests[0].rid, 70);
    assert_int_equal(b.requests[0].first, 0);
    assert_int_equal(b.requests[0].n, 100);
    assert_int_equal(b.requests[1].n, 0);
    assert_int_equal(b.requests[2].first, 100);
    assert_int_equal(b.requests[2].n, 1);
    assert_int_equal(b.slots[99].index, 99);
    assert_null(b.slots[100].signal);
    batch_finish(&b);
}

static void rejects_rise_by_index(void **state)
{
    (void)state;
    struct batch b;
    batch_init(&b);
    struct request *r = batch_request(&b, REQUEST_SIGNALS, 1);
    for (uint32_t i = 0; i < 40; i += 2) /* what the server found */
        batch_reject(&b, r, i, SLICE("even"), REJECT_BAD_USCC, NULL);
    for (uint32_t i = 1; i < 40; i += 2) /* what the writer adds */
        batch_reject(&b, r, i, SLICE("odd"), REJECT_UNKNOWN_CANCEL, "why");
    assert_int_equal(r->n_rejected, 40);
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(r->rejected[i].index, i);
        assert_int_equal(r->rejected[i].code, i % 2 ? REJECT_UNKNOWN_CANCEL : REJECT_BAD_USCC);
        assert_true(slice_is(r->rejected[i].id, i % 2 ? "odd" : "even"));
    }
    batch_finish(&b);
}

static void room(void **state)
{
    (void)state;
    struct batch b;
    batch_init(&b);
    assert_true(batch_has_room(&b, 10, 16 << 20)); /* the first message always */
    batch_request(&b, REQUEST_SIGNALS, 1);
    batch_slot(&b);
    b.bytes = 100;
    assert_true(batch_has_room(&b, BATCH_ENTRIES_MAX - 1, BATCH_BYTES_GATHERED_MAX - 100));
    assert_false(batch_has_room(&b, BATCH_ENTRIES_MAX, 0));
    assert_false(batch_has_room(&b, 1, BATCH_BYTES_GATHERED_MAX - 99));
    batch_finish(&b);
}

static void used_again(void **state)
{
    (void)state;
    struct batch b;
    batch_init(&b);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(b.n_slots, 0);
        assert_int_equal(b.n_requests, 0);
        assert_int_equal(b.number, 0);
        assert_int_equal(b.bytes, 0);
        assert_false(b.busy);
        assert_null(b.out.events);
        assert_ptr_equal(b.out.arena, &b.arena);
        struct request *r = batch_request(&b, REQUEST_SIGNALS, 1);
        assert_int_equal(r->n_rejected, 0);
        assert_null(r->rejected);
        batch_reject(&b, r, 3, SLICE("x"), REJECT_BAD_FIELD, NULL);
        struct slot *s = batch_slot(&b);
        assert_int_equal(s->number, 0);
        s->number = 5;
        b.number = 5;
        b.bytes = 10;
        b.busy = true;
        b.out.events = arena_alloc(&b.arena, 64);
        b.out.n = b.out.cap = 1;
        batch_reset(&b);
    }
    batch_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_belong_to_the_last_request),
        cmocka_unit_test(rejects_rise_by_index),
        cmocka_unit_test(room),
        cmocka_unit_test(used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
