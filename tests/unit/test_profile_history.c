/* SPDX-License-Identifier: Apache-2.0 */
/* What a register tells of an enterprise: of each thing the latest word, whatever order it came in and however often. */
#include "tests/unit/test.h"

#include "engine/fold.h"
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>

#define SAY(w, ...) world_say((w), &(struct say){__VA_ARGS__})
#define PROFILE(w, ...) world_say((w), &(struct say){.kind = "registry.profile", .uscc = CODE_A, __VA_ARGS__})

static int begin(void **state)
{
    *state = calloc(1, sizeof(struct world));
    world_init(*state, NULL);
    return 0;
}

static int end(void **state)
{
    world_finish(*state);
    free(*state);
    return 0;
}

static const struct record *profile(struct world *w, const char *code)
{
    struct ekey k = ekey_of_code(STATUS_ACTUAL, slice_of(code));
    struct record *c = (struct record *)(uintptr_t)world_record(w, &k);
    assert_non_null(c);
    for (uint32_t i = 0; i < c->n_series; i++)
        for (uint32_t j = 0; j < c->series[i].n; j++)
            c->series[i].sigs[j].active = !(c->series[i].sigs[j].flags & SIG_CANCELLED);
    profile_read(&w->arena, c, dict_find(engine_dict(w->engine), DICT_KIND, SLICE("registry.profile")));
    return c;
}

static void all_that_a_profile_tells(void **state)
{
    struct world *w = *state;
    PROFILE(w, .at = DAY(0), .region = "330482", .industry = "C18", .credit = "B",
            .attrs = "headcount=40;payroll=36000000;parent=" CODE_B ";former_name=Ａ　B;status=在营;tag:trial=0");
    const struct record *c = profile(w, CODE_A);
    assert_int_equal(c->headcount, 40);
    assert_int_equal(c->payroll, 36000000);
    assert_true(slice_is(c->parent, CODE_B));
    assert_true(slice_is(c->former_name, "ab"));
    assert_true(slice_is(c->status, "在营"));
    assert_int_equal(c->credit, 'B');
    assert_int_equal(c->n_tags, 1);
    assert_true(slice_is(c->tags[0].name, "trial"));
}

static void numbers_may_be_text_and_nonsense_is_left_out(void **state)
{
    struct world *w = *state;
    PROFILE(w, .at = DAY(0), .attrs = "headcount=12 ;payroll=99");
    PROFILE(w, .at = DAY(1), .attrs = "headcount=many;payroll=99999999999999999999999;parent=" CODE_A);
    PROFILE(w, .at = DAY(2), .attrs = "parent=91350100M000100Y44;status=");
    const struct record *c = profile(w, CODE_A);
    assert_int_equal(c->headcount, NO_INT);
    assert_int_equal(c->payroll, 99);
    assert_int_equal(c->parent.n, 0);
    assert_int_equal(c->status.n, 0);
}

static void the_latest_counts_in_whatever_order_they_come(void **state)
{
    struct world *w = *state;
    w->now = DAY(30);
    PROFILE(w, .at = DAY(9), .credit = "C", .attrs = "status=b");
    PROFILE(w, .at = DAY(3), .credit = "A", .attrs = "headcount=7;status=a");
    const struct record *c = profile(w, CODE_A);
    assert_int_equal(c->credit, 'C');
    assert_int_equal(c->headcount, 7); /* the later one does not tell */
    assert_true(slice_is(c->status, "b"));
}

static void cancelled_ones_are_as_if_they_never_came(void **state)
{
    struct world *w = *state;
    PROFILE(w, .at = DAY(0), .attrs = "headcount=7");
    PROFILE(w, .id = "x", .at = DAY(1), .attrs = "headcount=9");
    PROFILE(w, .at = DAY(2), .cancels = "x");
    assert_int_equal(profile(w, CODE_A)->headcount, 7);
}

/* The oldest leave the record, but the last word on each thing is still theirs. */
static void a_hundred_profiles_forget_nothing(void **state)
{
    struct world *w = *state;
    PROFILE(w, .id = "first", .at = DAY(0), .region = "330482", .industry = "C18", .credit = "B",
            .attrs = "headcount=40;status=a;tag:one=0");
    PROFILE(w, .id = "second", .at = DAY(1), .attrs = "headcount=41;tag:two=0");
    for (int i = 2; i < 100; i++)
        PROFILE(w, .at = DAY(i), .attrs = arena_printf(&w->arena, "payroll=%d", i));
    const struct record *c = profile(w, CODE_A);
    assert_true(c->series[0].n_blocks > 0);
    assert_int_equal(c->headcount, 41);
    assert_int_equal(c->payroll, 99);
    assert_int_equal(c->credit, 'B');
    assert_int_equal(c->registered, region_of(SLICE("330482")));
    assert_true(slice_is(c->registered_industry, "C18"));
    assert_int_equal(c->n_tags, 2);
    assert_true(c->series[0].n_words <= 4); /* not all of what left is kept */

    PROFILE(w, .at = DAY(100), .cancels = "second");
    c = profile(w, CODE_A);
    assert_int_equal(c->headcount, 40);
    assert_int_equal(c->n_tags, 1);

    w->now = DAY(101);
    PROFILE(w, .at = DAY(5), .credit = "C", .attrs = "headcount=44;status=b"); /* late, among those that left */
    c = profile(w, CODE_A);
    assert_int_equal(c->headcount, 44);
    assert_int_equal(c->credit, 'C');
    assert_true(slice_is(c->status, "b"));
    assert_true(slice_is(c->registered_industry, "C18"));
}

/* ---- tags without end ---- */

static void say_tags(struct world *w, int first, int n, int step)
{
    w->now = DAY(400);
    for (int i = 0; i < n; i++, first += step)
        PROFILE(w, .id = arena_printf(&w->arena, "p%d", first), .at = DAY(first),
                .attrs = arena_printf(&w->arena, "tag:t%d=0;tag:always=0;headcount=%d", first, first));
}

static void expect_tags(const struct record *c, int newest)
{
    assert_int_equal(c->n_tags, TAGS_MAX);
    assert_int_equal(c->headcount, newest);
    for (int i = 0; i < TAGS_MAX - 1; i++) {
        char name[12];
        bool found = false;
        snprintf(name, sizeof name, "t%d", newest - i);
        for (uint32_t k = 0; k < c->n_tags; k++)
            found |= slice_is(c->tags[k].name, name);
        assert_true(found);
    }
}

/* Of two hundred the newest stay, in whatever order they came; one that is withdrawn makes room for an older one. */
static void tags_have_a_number(void **state)
{
    struct world *w = *state;
    say_tags(w, 0, 200, 1);
    const struct record *c = profile(w, CODE_A);
    expect_tags(c, 199);
    assert_true(c->series[0].n_words <= TAGS_MAX + 8);
    PROFILE(w, .at = DAY(400), .cancels = "p199");
    expect_tags(profile(w, CODE_A), 198);
}

static void tags_told_backwards(void **state)
{
    struct world *w = *state;
    say_tags(w, 199, 200, -1);
    const struct record *c = profile(w, CODE_A);
    expect_tags(c, 199);
    assert_true(c->series[0].n_words <= TAGS_MAX + 8);
    PROFILE(w, .at = DAY(400), .cancels = "p150"); /* one that left the record */
    assert_int_equal(profile(w, CODE_A)->n_tags, TAGS_MAX);
}

/* ---- a register ---- */

static const char *code_of(struct world *w, unsigned n)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    char *code = arena_printf(&w->arena, "91330482MA2%05uX0", n % 100000);
    unsigned sum = 0, weight = 1;
    for (int i = 0; i < 17; i++, weight = weight * 3 % 31)
        sum += (unsigned)(strchr(alphabet, code[i]) - alphabet) * weight;
    code[17] = alphabet[(31 - sum % 31) % 31];
    return code;
}

/* Three thousand employers by the same wire; one's grade changes later, and scores follow it from then on. */
static void a_register_is_loaded_like_anything_else(void **state)
{
    enum { EMPLOYERS = 3000 };
    static const char *const grades[] = {"A", "B", "C"};
    struct world *w = *state;
    for (unsigned i = 0; i < EMPLOYERS; i++)
        SAY(w, .kind = "registry.profile", .at = DAY(0), .uscc = code_of(w, i),
            .name = arena_printf(&w->arena, "employer %u", i), .region = "330482001", .industry = "C18",
            .credit = grades[i % 3], .attrs = arena_printf(&w->arena, "headcount=%u", i));
    assert_int_equal(w->out.n, 0); /* a profile weighs nothing */
    const struct record *c = profile(w, code_of(w, 2999));
    assert_int_equal(c->headcount, 2999);
    assert_int_equal(c->credit, 'C');
    assert_true(slice_is(c->name, "employer2999") || slice_is(c->name, "employer 2999"));

    const char *code = code_of(w, 7); /* B, until */
    SAY(w, .kind = "registry.profile", .at = DAY(30), .uscc = code, .credit = "C");
    c = profile(w, code);
    assert_int_equal(c->credit, 'C');
    assert_int_equal(c->headcount, 7);
    assert_int_equal(c->series[0].n, 2);
    assert_int_equal(c->series[0].sigs[0].credit, 'B'); /* and it was B before */
}

/* What the grade does to a score, told before or after the signal: the same. */
static void the_grade_goes_by_time_not_by_arrival(void **unused)
{
    (void)unused;
    uint32_t scores[2];
    for (int late = 0; late < 2; late++) {
        struct world w;
        world_init(&w, NULL);
        w.now = DAY(9);
        if (!late)
            PROFILE(&w, .at = DAY(3), .credit = "C");
        SAY(&w, .kind = "court.seizure", .at = DAY(8), .uscc = CODE_A);
        PROFILE(&w, .at = DAY(1), .credit = "A");
        if (late)
            PROFILE(&w, .at = DAY(3), .credit = "C");
        struct ekey k = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
        scores[late] = world_record(&w, &k)->score;
        world_finish(&w);
    }
    assert_true(scores[0] > 0);
    assert_int_equal(scores[0], scores[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(all_that_a_profile_tells),
        TEST(numbers_may_be_text_and_nonsense_is_left_out),
        TEST(the_latest_counts_in_whatever_order_they_come),
        TEST(cancelled_ones_are_as_if_they_never_came),
        TEST(a_hundred_profiles_forget_nothing),
        TEST(tags_have_a_number),
        TEST(tags_told_backwards),
        TEST(a_register_is_loaded_like_anything_else),
        cmocka_unit_test(the_grade_goes_by_time_not_by_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
