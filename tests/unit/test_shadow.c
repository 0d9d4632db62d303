/* SPDX-License-Identifier: Apache-2.0 */
/* Shadow rules: what they would raise stands in a table of its own, follows signals and the clock with a hysteresis of its
 * own, touches nothing of the rules in force, and goes when they are switched off. */
#include "tests/unit/test.h"

#include "engine/fold.h"
#include "engine/shadow.h"
#include "tests/support/world.h"

static const char shadow_rules[] =
    "version: 1\n"
    "score:\n"
    "  levels: {general: 20, major: 65, critical: 85}\n"
    "  hysteresis: 8\n"
    "  one_agency_at_most: major\n"
    "  others_at_least: 5\n"
    "rules:\n"
    "  - id: seized\n"
    "    title: {zh: 查封, en: Seized}\n"
    "    when: {signal: court.seizure, within: 30d}\n"
    "    then: {raise: critical}\n"
    "  - id: low-score\n"
    "    title: {zh: 低分, en: Low score}\n"
    "    when: {score: follow}\n"
    "    then: {raise: by_score}\n";

static const struct world_work with_shadow = {.shadow = shadow_rules}, without = {.shadow = NULL};

static struct ekey key_of(enum status status)
{
    return ekey_of_code(status, SLICE(CODE_A));
}

static void begin(struct world *w)
{
    world_init(w, NULL);
    world_config_work(w, NULL, &with_shadow, DAY(-399));
}

static bool row(struct world *w, enum status status, struct shadow *s)
{
    struct ekey key = key_of(status);
    struct slice bytes = state_get(w->engine->state, T_SHADOW, key.b, EKEY_LEN);
    struct err err;
    if (!bytes.p)
        return false;
    assert_int_equal(shadow_get(arena_slice(&w->arena, bytes), &w->arena, s, &err), 0);
    return true;
}

static void say(struct world *w, const char *kind, int64_t at)
{
    assert_int_equal(world_say(w, &(struct say){.kind = kind, .at = at, .uscc = CODE_A}), SCREEN_NEW);
}

static const char *rule_at(struct world *w, const struct shadow *s, uint32_t i)
{
    struct slice id, zh, en;
    rule_words(dict_text(engine_dict(w->engine), DICT_RULE, s->rules[i]), &id, &zh, &en);
    return arena_slice(&w->arena, id).p;
}

static void run_until(struct world *w, int64_t at)
{
    int64_t due;
    while ((due = engine_next_due(w->engine)) <= at)
        world_tick(w, due);
}

static void test_would_be_alert(void **state)
{
    (void)state;
    struct world w;
    struct shadow s;
    begin(&w);
    say(&w, "court.seizure", DAY(0));
    assert_null(world_last(&w)); /* the rules in force say nothing */
    assert_true(row(&w, STATUS_ACTUAL, &s));
    assert_int_equal(s.level, LEVEL_CRITICAL);
    assert_int_equal(s.raised_at, DAY(0));
    assert_int_equal(s.n_rules, 2);
    assert_string_equal(rule_at(&w, &s, 0), "seized");
    assert_string_equal(rule_at(&w, &s, 1), "low-score");
    world_finish(&w);
}

/* A month later the seizure no longer raises; the score still does, and at last nothing: all by the clock. */
static void test_follows_the_clock(void **state)
{
    (void)state;
    struct world w;
    struct shadow s;
    begin(&w);
    say(&w, "court.seizure", DAY(0));
    run_until(&w, DAY(31));
    assert_true(row(&w, STATUS_ACTUAL, &s));
    assert_int_equal(s.level, LEVEL_GENERAL);
    assert_int_equal(s.raised_at, DAY(0));
    assert_int_equal(s.changed_at, DAY(30) + 1);
    run_until(&w, DAY(3000));
    assert_false(row(&w, STATUS_ACTUAL, &s));
    struct ekey key = key_of(STATUS_ACTUAL);
    assert_int_equal(world_record(&w, &key)->shadow_level, LEVEL_NONE);
    assert_int_equal(w.out.n, 0);
    world_finish(&w);
}

/* The events are those of a world without shadow rules, byte for byte. */
static void test_touches_nothing(void **state)
{
    (void)state;
    static const char *const kinds[] = {"tax.arrears", "court.seizure", "hotline.complaint", "court.wage_suit",
                                        "subdistrict.wage_delay", "police.wage_dispute_call"};
    struct world a, b;
    begin(&a);
    world_init(&b, NULL);
    world_config_work(&b, NULL, &without, DAY(-399));
    for (uint32_t i = 0; i < 40; i++) {
        say(&a, kinds[i * 7 % ARRAY_LEN(kinds)], DAY(i * 3));
        say(&b, kinds[i * 7 % ARRAY_LEN(kinds)], DAY(i * 3));
    }
    run_until(&a, DAY(400));
    run_until(&b, DAY(400));
    assert_true(a.out.n > 3);
    assert_string_equal(world_story(&a, 0), world_story(&b, 0));
    world_finish(&a);
    world_finish(&b);
}

static void test_own_hysteresis(void **state)
{
    (void)state;
    struct world w;
    struct shadow s;
    begin(&w);
    struct ekey key = key_of(STATUS_ACTUAL);
    say(&w, "hotline.complaint", DAY(0)); /* 30 points, half life 60 days: 20 after 31 days, 12 after 77 */
    run_until(&w, DAY(50));
    assert_true(row(&w, STATUS_ACTUAL, &s)); /* below 20, held above 12 */
    assert_int_equal(world_record(&w, &key)->score_level, LEVEL_NONE);
    assert_int_equal(world_record(&w, &key)->shadow_score_level, LEVEL_GENERAL);
    say(&w, "tax.filing_missed", DAY(72)); /* 19.5 */
    assert_true(row(&w, STATUS_ACTUAL, &s));
    assert_int_equal(s.level, LEVEL_GENERAL);
    assert_int_equal(world_record(&w, &key)->score_level, LEVEL_NONE);
    run_until(&w, DAY(200));
    assert_false(row(&w, STATUS_ACTUAL, &s));
    world_finish(&w);
}

static void test_actual_only(void **state)
{
    (void)state;
    struct world w;
    struct shadow s;
    begin(&w);
    world_say(&w, &(struct say){.kind = "court.seizure", .at = DAY(0), .uscc = CODE_A, .status = STATUS_EXERCISE});
    assert_false(row(&w, STATUS_EXERCISE, &s));
    world_finish(&w);
}

static void sweep(struct world *w, enum status status)
{
    struct ekey key = key_of(status);
    buf_reset(&w->buf);
    entry_put_sweep(&w->buf, &key, 1);
    world_apply(w, (struct slice){(char *)w->buf.p, w->buf.n}, DAY(2));
}

static void test_switched_off_and_on(void **state)
{
    (void)state;
    struct world w;
    struct shadow s;
    begin(&w);
    say(&w, "court.seizure", DAY(0));
    world_config_work(&w, NULL, &without, DAY(1));
    sweep(&w, STATUS_ACTUAL);
    assert_false(row(&w, STATUS_ACTUAL, &s));
    world_config_work(&w, NULL, &with_shadow, DAY(1));
    sweep(&w, STATUS_ACTUAL);
    assert_true(row(&w, STATUS_ACTUAL, &s));
    assert_int_equal(s.level, LEVEL_CRITICAL);
    world_finish(&w);
}

static void test_damaged_row_is_told(void **state)
{
    (void)state;
    struct arena a = {0};
    struct err err;
    struct shadow s = {.level = LEVEL_MAJOR, .score = 6512, .raised_at = DAY(1), .changed_at = DAY(2), .n_rules = 2,
                       .rules = (uint32_t[]){3, 900}},
                  got;
    struct buf b = {0};
    shadow_put(&b, &s);
    assert_int_equal(shadow_get((struct slice){(char *)b.p, b.n}, &a, &got, &err), 0);
    assert_int_equal(got.level, s.level);
    assert_int_equal(got.score, s.score);
    assert_int_equal(got.changed_at, s.changed_at);
    assert_int_equal(got.rules[1], 900);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(shadow_get((struct slice){(char *)b.p, n}, &a, &got, &err), WW_EDAMAGED);
    b.p[0]++;
    assert_int_equal(shadow_get((struct slice){(char *)b.p, b.n}, &a, &got, &err), WW_EDAMAGED);
    buf_finish(&b);
    arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_would_be_alert),      cmocka_unit_test(test_follows_the_clock),
        cmocka_unit_test(test_touches_nothing),     cmocka_unit_test(test_own_hysteresis),
        cmocka_unit_test(test_actual_only),         cmocka_unit_test(test_switched_off_and_on),
        cmocka_unit_test(test_damaged_row_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
