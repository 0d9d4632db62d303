/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of the score against floating point. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/fixed.h"

static const double unit = 4294967296.0;

static void hazard_is_minus_log(void **state)
{
    (void)state;
    for (uint32_t ppm = 0; ppm < 1000000; ppm += 997) {
        double want = -log1p(-(double)ppm / 1e6);
        assert_true(fabs((double)fixed_hazard(ppm) / unit - want) < 1e-9 * (1 + want));
    }
    assert_int_equal(fixed_hazard(0), 0);
    assert_true(fixed_hazard(999999) / unit > 13.8);
}

static void decay_is_a_power_of_two(void **state)
{
    (void)state;
    const uint64_t day = 86400000, half[] = {1, 30 * day, 45 * day, 365 * day, 36500 * day};
    for (size_t k = 0; k < ARRAY_LEN(half); k++)
        for (int i = 0; i < 400; i++) {
            uint64_t age = half[k] / 97 * (uint64_t)i;
            double want = exp2(-(double)age / (double)half[k]);
            assert_true(fabs((double)fixed_decay(UINT64_C(1) << 36, age, half[k]) / 68719476736.0 - want) < 2e-6);
        }
    assert_int_equal(fixed_decay(12345, 0, day), 12345);
    assert_int_equal(fixed_decay(UINT64_MAX, 64 * day, day), 0);
    assert_int_equal(fixed_decay(1 << 20, 3 * day, day), 1 << 17);
}

static void growth_undoes_decay(void **state)
{
    (void)state;
    const uint64_t half = 60 * UINT64_C(86400000);
    for (uint64_t offset = 0; offset < half; offset += half / 331) {
        hazard_t h = UINT64_C(3) << 31, back = fixed_decay(fixed_grow(h, offset, half), offset, half);
        assert_true(llabs((long long)(back - h)) < (long long)(h / 400000));
    }
}

static void score_is_within_a_hundredth(void **state)
{
    (void)state;
    for (double h = 0; h < 12; h += 0.0137) {
        double want = 10000 * (1 - exp(-h));
        assert_true(fabs(fixed_score((hazard_t)(h * unit)) - want) <= 1.0);
    }
    assert_int_equal(fixed_score(0), 0);
    assert_int_equal(fixed_score(UINT64_MAX >> 4), 10000);
    /* a weight alone gives its own points */
    for (uint32_t ppm = 10000; ppm < 1000000; ppm += 10000)
        assert_int_equal(fixed_score(fixed_hazard(ppm)), ppm / 100);
}

static void scaling_rounds_down(void **state)
{
    (void)state;
    assert_int_equal(fixed_scale(1000000, 1250000), 1250000);
    assert_int_equal(fixed_scale(3, 500000), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hazard_is_minus_log), cmocka_unit_test(decay_is_a_power_of_two),
        cmocka_unit_test(growth_undoes_decay), cmocka_unit_test(score_is_within_a_hundredth),
        cmocka_unit_test(scaling_rounds_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
