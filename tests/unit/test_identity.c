/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a signal is: former names, and what a person decides of a name. */
#include "tests/unit/test.h"

#include "engine/fold.h"
#include "lib/textfile.h"
#include "tests/support/world.h"

#include <stdio.h>
#include <stdlib.h>

#define SAY(w, ...) world_say((w), &(struct say){__VA_ARGS__})

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

/* How many signals lie with a code or a name; cancelled ones too. */
static unsigned count(struct world *w, const char *who)
{
    struct ekey k = strlen(who) == 18 ? ekey_of_code(STATUS_ACTUAL, slice_of(who))
                                      : ekey_of_name(STATUS_ACTUAL, slice_of(who));
    const struct record *c = world_record(w, &k);
    unsigned n = 0;
    for (uint32_t i = 0; c && i < c->n_series; i++)
        n += c->series[i].n;
    return n;
}

static bool waits(struct world *w, const char *name)
{
    struct ekey k = ekey_of_name(STATUS_ACTUAL, slice_of(name));
    return state_get(w->engine->state, T_UNRESOLVED, k.b, EKEY_LEN).p != NULL;
}

static enum wire_error act(struct world *w, const char *what, const char *name, const char *code, bool may)
{
    struct entry_action x = {.principal = SLICE("p"), .what = slice_of(what), .name = slice_of(name),
                             .uscc = slice_of(code), .may = may, .people = NO_INT, .amount = NO_INT, .due = NO_INT,
                             .until = NO_INT, .paid_people = NO_INT, .paid_amount = NO_INT};
    x.key = ekey_of_name(STATUS_ACTUAL, x.name);
    struct buf b = {0};
    entry_put_action(&b, &x);
    w->out.refused = WIRE_ERROR_NONE;
    world_apply(w, (struct slice){(char *)b.p, b.n}, engine_time(w->engine));
    buf_finish(&b);
    return w->out.refused;
}

/* ---- former names ---- */

static void a_former_name_leads_to_the_code(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .name = "old");
    assert_int_equal(count(w, "old"), 1);
    SAY(w, .kind = "registry.profile", .at = DAY(1), .uscc = CODE_A, .name = "new", .attrs = "former_name=ＯＬＤ");
    assert_int_equal(count(w, "old"), 0);
    assert_int_equal(count(w, CODE_A), 2);
    SAY(w, .kind = "tax.arrears", .at = DAY(2), .name = "old");
    assert_int_equal(count(w, CODE_A), 3);
    struct ekey k = ekey_of_code(STATUS_ACTUAL, SLICE(CODE_A));
    assert_true(slice_is(world_record(w, &k)->name, "new"));
}

static void cancelled_it_leads_there_no_more(void **state)
{
    struct world *w = *state;
    SAY(w, .id = "p", .kind = "registry.profile", .at = DAY(1), .uscc = CODE_A, .attrs = "former_name=old");
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .name = "old");
    assert_int_equal(count(w, CODE_A), 2);
    SAY(w, .kind = "registry.profile", .at = DAY(2), .uscc = CODE_A, .cancels = "p");
    assert_int_equal(count(w, "old"), 1);
    assert_int_equal(count(w, CODE_A), 1);
}

static void two_that_were_called_so_are_left_to_a_person(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "registry.profile", .at = DAY(1), .uscc = CODE_A, .attrs = "former_name=old");
    SAY(w, .kind = "tax.arrears", .at = DAY(1), .name = "old");
    SAY(w, .kind = "registry.profile", .at = DAY(1), .uscc = CODE_B, .name = "old");
    assert_int_equal(count(w, "old"), 1);
    assert_true(waits(w, "old"));
}

static void who_binds_no_names_binds_no_former_ones(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "registry.profile", .at = DAY(1), .uscc = CODE_A, .attrs = "former_name=old", .binds_nothing = true);
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .name = "old");
    assert_int_equal(count(w, "old"), 1);
}

static void the_same_name_twice_is_bound_once(void **state)
{
    struct world *w = *state;
    SAY(w, .id = "p", .kind = "registry.profile", .at = DAY(1), .uscc = CODE_A, .name = "n", .attrs = "former_name=n");
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .name = "n");
    SAY(w, .kind = "registry.profile", .at = DAY(2), .uscc = CODE_A, .cancels = "p");
    assert_int_equal(count(w, "n"), 1);
}

/* ---- a person decides ---- */

static void three_agencies(struct world *w, const char *name)
{
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .name = name);
    SAY(w, .kind = "market.chattel_mortgage", .at = DAY(1), .name = name);
    SAY(w, .kind = "utility.bill_overdue", .at = DAY(2), .name = name);
}

static void resolve_gives_what_waits_to_a_code(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "registry.profile", .at = DAY(0), .uscc = CODE_A, .name = "n");
    SAY(w, .kind = "registry.profile", .at = DAY(0), .uscc = CODE_B, .name = "n");
    three_agencies(w, "n");
    assert_true(waits(w, "n"));
    assert_int_equal(w->out.n, 0); /* never judged while nobody knows whose they are */
    assert_int_equal(act(w, "resolve", "n", CODE_B, true), WIRE_ERROR_NONE);
    assert_false(waits(w, "n"));
    assert_int_equal(count(w, CODE_B), 4);
    assert_int_equal(world_last(w)->type, EVENT_RAISED);
    assert_true(slice_is(world_last(w)->uscc, CODE_B));
    SAY(w, .kind = "registry.profile", .at = DAY(3), .uscc = CODE_C, .name = "n"); /* a third changes nothing */
    SAY(w, .kind = "tax.arrears", .at = DAY(3), .name = "n");
    assert_int_equal(count(w, CODE_B), 5);
}

static void resolve_before_any_code_binds(void **state)
{
    struct world *w = *state;
    three_agencies(w, "n");
    uint64_t alert = world_last(w)->alert;
    assert_int_equal(act(w, "resolve", "n", CODE_A, true), WIRE_ERROR_WRONG_STATE); /* nobody would hear of it */
    assert_int_equal(count(w, "n"), 3);
    SAY(w, .kind = "hotline.complaint", .at = DAY(2), .name = "n", .region = "330482001");
    assert_int_equal(act(w, "resolve", "n", CODE_A, true), WIRE_ERROR_NONE);
    assert_int_equal(count(w, CODE_A), 4);
    assert_int_equal(count(w, "n"), 0);
    SAY(w, .kind = "court.seizure", .at = DAY(3), .uscc = CODE_A);
    assert_int_equal(world_last(w)->alert, alert); /* it went along, */
    assert_int_equal(world_last(w)->region, region_of(SLICE("330482001"))); /* and its place */
    assert_true(slice_is(world_last(w)->uscc, CODE_A));
}

static void unmerge_takes_a_name_away_until_it_is_resolved(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "registry.profile", .at = DAY(0), .uscc = CODE_A, .name = "n");
    three_agencies(w, "n");
    assert_int_equal(world_last(w)->level, LEVEL_MAJOR);
    size_t before = w->out.n;
    assert_int_equal(act(w, "unmerge", "n", CODE_A, true), WIRE_ERROR_NONE);
    assert_int_equal(count(w, CODE_A), 1);
    assert_int_equal(count(w, "n"), 3);
    assert_string_equal(world_story(w, before), "withdrawn none 0.00|raised major 29.47 three-agencies");
    SAY(w, .kind = "registry.profile", .at = DAY(3), .uscc = CODE_A, .name = "n"); /* says it again: it stays */
    assert_int_equal(count(w, "n"), 3);
    SAY(w, .kind = "registry.profile", .at = DAY(3), .uscc = CODE_B, .name = "n"); /* the only one that is left */
    assert_int_equal(count(w, CODE_B), 4);
    assert_int_equal(act(w, "resolve", "n", CODE_A, true), WIRE_ERROR_NONE);
    assert_int_equal(count(w, CODE_A), 5);
}

static void what_cannot_be_decided_is_refused(void **state)
{
    struct world *w = *state;
    SAY(w, .kind = "tax.arrears", .at = DAY(0), .uscc = CODE_A, .name = "n");
    assert_int_equal(act(w, "resolve", "n", CODE_A, false), WIRE_ERROR_DENIED);
    assert_int_equal(act(w, "resolve", "nobody", CODE_A, true), WIRE_ERROR_NO_SUCH_ENTERPRISE);
    assert_int_equal(act(w, "unmerge", "n", CODE_B, true), WIRE_ERROR_WRONG_STATE);
    assert_int_equal(act(w, "unmerge", "n", CODE_A, true), WIRE_ERROR_NONE);
    assert_int_equal(act(w, "unmerge", "n", CODE_A, true), WIRE_ERROR_WRONG_STATE);
    assert_int_equal(act(w, "resolve", "n", CODE_A, true), WIRE_ERROR_NONE);
    assert_int_equal(act(w, "resolve", "n", CODE_A, true), WIRE_ERROR_WRONG_STATE);
    assert_int_equal(act(w, "resolve", "n", CODE_B, true), WIRE_ERROR_WRONG_STATE); /* a code that nobody ever sent */
    assert_non_null(strstr(w->out.sentence, "registry.profile"));
    SAY(w, .kind = "registry.profile", .at = DAY(0), .uscc = CODE_B);
    assert_int_equal(act(w, "resolve", "n", CODE_B, true), WIRE_ERROR_NONE);
}

/* Signals and a decision, in every order, leave the same signals with the same codes. */
static void order_does_not_matter(void **state)
{
    (void)state;
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 0, 1, 2}, {0, 3, 2, 1}, {0, 2, 3, 1}, {2, 0, 3, 1}, {1, 0, 3, 2}};
    for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
        struct world w;
        world_init(&w, NULL);
        w.now = DAY(9);
        SAY(&w, .kind = "utility.bill_overdue", .at = DAY(5), .name = "n", .region = "330482");
        for (int i = 0; i < 4; i++)
            switch (orders[o][i]) {
            case 0:
                SAY(&w, .kind = "tax.arrears", .at = DAY(0), .name = "n");
                break;
            case 1:
                SAY(&w, .kind = "registry.profile", .at = DAY(1), .uscc = CODE_A, .attrs = "former_name=n");
                break;
            case 2:
                SAY(&w, .kind = "registry.profile", .at = DAY(1), .uscc = CODE_B, .name = "n");
                break;
            default:
                assert_int_equal(act(&w, "resolve", "n", CODE_B, true), WIRE_ERROR_NONE);
            }
        assert_int_equal(count(&w, CODE_A), 1);
        assert_int_equal(count(&w, CODE_B), 3);
        assert_int_equal(count(&w, "n"), 0);
        world_finish(&w);
    }
}

static void an_action_of_the_first_layout_is_read(void **unused)
{
    (void)unused;
    struct arena a = {0};
    struct slice bytes;
    struct entry e;
    struct err err;
    const char *root = getenv("WAGEWARN_SOURCE");
    const char *path = arena_printf(&a, "%s/tests/data/entries/action-1.bin", root ? root : ".");
    assert_int_equal(textfile_read(path, &a, &bytes, &err), 0);
    assert_int_equal(entry_get(bytes, &a, &e, &err), 0);
    assert_true(slice_is(e.action.what, "dispose"));
    assert_true(slice_is(e.action.measure, "order_to_correct"));
    assert_int_equal(e.action.amount, 1234500);
    assert_int_equal(e.action.name.n, 0);
    arena_finish(&a);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_former_name_leads_to_the_code),
        TEST(cancelled_it_leads_there_no_more),
        TEST(two_that_were_called_so_are_left_to_a_person),
        TEST(who_binds_no_names_binds_no_former_ones),
        TEST(the_same_name_twice_is_bound_once),
        TEST(resolve_gives_what_waits_to_a_code),
        TEST(resolve_before_any_code_binds),
        TEST(unmerge_takes_a_name_away_until_it_is_resolved),
        TEST(what_cannot_be_decided_is_refused),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(an_action_of_the_first_layout_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
