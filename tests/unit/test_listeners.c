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

/* "+a", with what it asks for where that is not everything: "+a[3304 2]": prefix, least level. */
static bool tell(void *arg, const struct entry_presence *p)
{
    struct told *t = arg;
    size_t n = strlen(t->text);
    if (t->full) {
        t->refused++;
        return false;
    }
    n += (size_t)snprintf(t->text + n, sizeof t->text - n, "%s%c%.*s", n ? " " : "", p->listening ? '+' : '-', SLICE_ARG(p->team));
    for (uint32_t i = 0; i < p->n_wishes; i++) {
        char code[16] = "";
        if (p->wishes[i].n_regions)
            region_text(p->wishes[i].regions[0], code);
        n += (size_t)snprintf(t->text + n, sizeof t->text - n, "[%s %u]", code, p->wishes[i].min_level);
    }
    return true;
}

static void look(struct listeners *l, const char *letters, int64_t now)
{
    struct listening list[8] = {{{0}, {0}}};
    size_t n = 0;
    for (; letters[n]; n++)
        list[n].team = (struct slice){letters + n, 1};
    listeners_look(l, list, n, now, MINUTE);
}

/* What sessions ask for goes to the journal: once each, in one order whatever theirs; all of it where one asks for all. */
static void what_they_ask_for(void **unused)
{
    (void)unused;
    struct told t = {.full = false};
    struct listeners *l = listeners_create(&(struct listeners_calls){tell, &t});
    const region_t city = region_of(SLICE("3304")), town = region_of(SLICE("330482001"));
    const struct listening a1 = {SLICE("a"), {.n_regions = 1, .regions = &city, .min_level = LEVEL_MAJOR}},
                           a2 = {SLICE("a"), {.n_regions = 1, .regions = &town}}, b = {SLICE("b"), {.min_level = LEVEL_GENERAL}};
    listeners_look(l, (struct listening[]){a1, b, a2, a1}, 4, 0, MINUTE);
    assert_string_equal(t.text, "- +a[330482001 0][3304 2] +b");
    t.text[0] = 0;
    listeners_look(l, (struct listening[]){a2, a1, b}, 3, MINUTE, MINUTE);
    assert_string_equal(t.text, ""); /* the same */
    listeners_look(l, (struct listening[]){a1, b}, 2, MINUTE, MINUTE);
    assert_string_equal(t.text, "+a[3304 2]"); /* less than before */
    listeners_look(l, (struct listening[]){a1, {SLICE("a"), {0}}, b}, 3, MINUTE + 1, MINUTE);
    assert_string_equal(t.text, "+a[3304 2]"); /* not within the minute */
    listeners_look(l, (struct listening[]){a1, {SLICE("a"), {0}}, b}, 3, 2 * MINUTE, MINUTE);
    assert_string_equal(t.text, "+a[3304 2] +a");
    listeners_destroy(l);
}

/* A team may ask in any number of sessions for any number of places: its entry stays small, and is never "all". */
static void asks_too_much(void **unused)
{
    (void)unused;
    enum { SESSIONS = 100, PLACES = 200 };
    struct told t = {.full = false};
    struct listeners *l = listeners_create(&(struct listeners_calls){tell, &t});
    static struct listening list[SESSIONS];
    static region_t places[SESSIONS][PLACES];
    for (int i = 0; i < SESSIONS; i++) {
        for (int k = 0; k < PLACES; k++) {
            char code[16];
            snprintf(code, sizeof code, "33%03d%04d", i, k);
            places[i][k] = region_of(slice_of(code));
        }
        list[i] = (struct listening){SLICE("a"), {.n_regions = PLACES, .regions = places[i]}};
    }
    listeners_look(l, list, SESSIONS, 0, MINUTE);
    size_t n = 0;
    for (const char *p = t.text; (p = strchr(p, '[')); p++)
        n++;
    assert_true(n > 1 && n < 33);
    listeners_destroy(l);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways), cmocka_unit_test(one_a_minute), cmocka_unit_test(no_room),
                                       cmocka_unit_test(what_they_ask_for), cmocka_unit_test(asks_too_much)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
