/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's time under clocks that jump, stand and go back. */
#include "tests/unit/test.h"

#include "daemon/clock.h"

static int64_t wall, boot;
static bool synced;

static int64_t fake_wall(void)
{
    return wall;
}

static int64_t fake_boot(void)
{
    return boot;
}

static bool fake_synced(void)
{
    return synced;
}

static const struct clock_source fake = {fake_wall, fake_boot, fake_synced};

enum { HOUR = 3600 * 1000, T0 = 1000000000 }; /* T0: any time, in ms */

static void pass(int64_t ms)
{
    wall += ms;
    boot += ms;
}

static enum clock_start begin(struct clock *c, int64_t last)
{
    wall = T0;
    boot = 5000;
    synced = true;
    return clock_init(c, last, &fake);
}

static void follows_the_system(void **state)
{
    (void)state;
    struct clock c;
    assert_int_equal(begin(&c, 0), CLOCK_SOUND);
    assert_int_equal(clock_now(&c), T0);
    pass(1500);
    assert_int_equal(clock_now(&c), T0 + 1500);
    pass(40 * DAY_MS); /* nobody asked for a long time: no jump */
    assert_false(clock_held(&c, NULL));
    assert_int_equal(clock_now(&c), T0 + 1500 + 40 * DAY_MS);
}

static void never_backwards(void **state)
{
    (void)state;
    struct clock c;
    begin(&c, 0);
    pass(1000);
    assert_int_equal(clock_now(&c), T0 + 1000);
    wall -= 10 * DAY_MS;
    pass(500);
    assert_int_equal(clock_now(&c), T0 + 1000);
    assert_false(clock_held(&c, NULL));
    wall += 10 * DAY_MS; /* mended: not taken for a jump ahead */
    assert_int_equal(clock_now(&c), T0 + 1500);
    assert_false(clock_held(&c, NULL));
}

static void journal_ahead_of_the_system(void **state)
{
    (void)state;
    struct clock c;
    assert_int_equal(begin(&c, T0 + 60000), CLOCK_BEHIND);
    assert_int_equal(clock_now(&c), T0 + 60000);
    pass(59999);
    assert_int_equal(clock_now(&c), T0 + 60000);
    pass(2);
    assert_int_equal(clock_now(&c), T0 + 60001);
}

static void small_jump_is_taken(void **state)
{
    (void)state;
    struct clock c;
    begin(&c, 0);
    wall += DAY_MS; /* a day exactly is not more than a day */
    assert_false(clock_held(&c, NULL));
    assert_int_equal(clock_now(&c), T0 + DAY_MS);
}

static void large_jump_is_held(void **state)
{
    (void)state;
    struct clock c;
    int64_t ahead;
    begin(&c, 0);
    wall += DAY_MS + 1;
    assert_true(clock_held(&c, &ahead));
    assert_int_equal(ahead, DAY_MS + 1);
    assert_int_equal(clock_now(&c), T0); /* time goes on by the boot clock */
    pass(7000);
    assert_int_equal(clock_now(&c), T0 + 7000);
    assert_true(clock_held(&c, NULL));

    clock_confirm(&c);
    assert_false(clock_held(&c, NULL));
    assert_int_equal(clock_now(&c), T0 + DAY_MS + 1 + 7000);
}

static void large_jump_taken_back(void **state)
{
    (void)state;
    struct clock c;
    begin(&c, 0);
    wall += 400 * DAY_MS;
    pass(HOUR);
    assert_int_equal(clock_now(&c), T0 + HOUR);
    wall -= 400 * DAY_MS;
    assert_false(clock_held(&c, NULL));
    assert_int_equal(clock_now(&c), T0 + HOUR);
}

static void small_jumps_add_up(void **state)
{
    (void)state;
    struct clock c;
    begin(&c, 0);
    wall += 20 * HOUR;
    assert_int_equal(clock_now(&c), T0 + 20 * HOUR);
    wall += 20 * HOUR; /* 40 h that the boot clock has not seen */
    assert_true(clock_held(&c, NULL));
    assert_int_equal(clock_now(&c), T0 + 20 * HOUR);
}

static void gap_at_start(void **state)
{
    (void)state;
    struct clock c;
    assert_int_equal(begin(&c, T0 - 3 * DAY_MS), CLOCK_SOUND);
    assert_int_equal(clock_now(&c), T0);
    assert_false(clock_held(&c, NULL));

    synced = false;
    assert_int_equal(clock_init(&c, T0 - 3 * DAY_MS, &fake), CLOCK_GAP_UNSYNCED);
    assert_int_equal(clock_now(&c), T0); /* taken, with a warning */
    assert_false(clock_held(&c, NULL));
    assert_int_equal(clock_init(&c, T0 - HOUR, &fake), CLOCK_SOUND);
    assert_int_equal(clock_init(&c, 0, &fake), CLOCK_SOUND);
}

static void the_system_has_clocks(void **state)
{
    (void)state;
    struct clock c;
    clock_init(&c, 0, NULL);
    int64_t a = clock_now(&c), b = clock_now(&c);
    assert_true(a > INT64_C(1500000000000));
    assert_true(b >= a);
    assert_false(clock_held(&c, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_system),          cmocka_unit_test(never_backwards),
        cmocka_unit_test(journal_ahead_of_the_system), cmocka_unit_test(small_jump_is_taken),
        cmocka_unit_test(large_jump_is_held),          cmocka_unit_test(large_jump_taken_back),
        cmocka_unit_test(small_jumps_add_up),          cmocka_unit_test(gap_at_start),
        cmocka_unit_test(the_system_has_clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
