/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal is told of who listens: once each way, no more often than allowed, and nothing is lost for that. */
#include "daemon/listeners.h"
#include "test.h"

#include <stdio.h>

enum { MINUTE = 60000 };

struct told {
    char text[256]; /* "- +a -a": all ended, a began, a ended */
    bool full;      /* nothing can be told */
    unsigned refused;
};

static bool tell(void *arg, struct slice team, bool listening)
{
    struct told *t = arg;
    size_t n = strlen(t->text);
    if (t->full) {
        t->refused++;
        return false;
    }
    snprintf(t->text + n, sizeof t->text - n, "%s%c%.*s", n ? " " : "", listening ? '+' : '-', SLICE_ARG(team));
    return true;
}

static void look(struct listeners *l, const char *letters, int64_t now)
{
    struct slice teams[8];
    size_t n = 0;
    for (; letters[n]; n++)
        teams[n] = (struct slice){letters + n, 1};
    listeners_look(l, teams, n, now, MINUTE);
}

static void both_ways(void **unused)
{
    (void)unused;
    struct told t = {.full = false};
    struct listeners *l = listeners_create(&(struct listeners_calls){tell, &t});
    look(l, "", 0);
    assert_string_equal(t.text, "-"); /* nobody does, for it has just begun */
    look(l, "aab", 1);
    look(l, "ba", 2);
    assert_string_equal(t.text, "- +a +b");
    assert_int_equal(listeners_count(l), 2);
    assert_true(listeners_has(l, SLICE("a")));
    look(l, "a", 3 * MINUTE);
    assert_string_equal(t.text, "- +a +b -b");
    assert_true(slice_is(listeners_at(l, 0), "a"));
    assert_false(listeners_has(l, SLICE("b")));
    listeners_destroy(l);
}

static void one_a_minute(void **unused)
{
    (void)unused;
    struct told t = {.full = false};
    struct listeners *l = listeners_create(&(struct listeners_calls){tell, &t});
    for (int64_t now = 0; now < MINUTE; now += 1000)
        look(l, now % 2000 ? "" : "a", now);
    assert_string_equal(t.text, "- +a"); /* it ended as not listening */
    look(l, "", MINUTE - 1);
    assert_string_equal(t.text, "- +a");
    look(l, "", MINUTE);
    assert_string_equal(t.text, "- +a -a"); /* late, not lost */
    look(l, "a", MINUTE + 1);
    look(l, "", MINUTE + 2);
    look(l, "", 3 * MINUTE);
    assert_string_equal(t.text, "- +a -a"); /* it came and went within the minute */
    listeners_destroy(l);
}

static void no_room(void **unused)
{
    (void)unused;
    struct told t = {.full = true};
    struct listeners *l = listeners_create(&(struct listeners_calls){tell, &t});
    look(l, "a", 0);
    assert_int_equal(t.refused, 1); /* the first one goes first */
    t.full = false;
    look(l, "a", 1);
    assert_string_equal(t.text, "- +a");
    t.full = true;
    look(l, "", 2 * MINUTE);
    t.full = false;
    look(l, "", 2 * MINUTE + 1);
    assert_string_equal(t.text, "- +a -a");
    listeners_forget(l);
    look(l, "a", 2 * MINUTE + 2); /* all anew, without waiting */
    assert_string_equal(t.text, "- +a -a - +a");
    listeners_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways), cmocka_unit_test(one_a_minute), cmocka_unit_test(no_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
