/* SPDX-License-Identifier: Apache-2.0 */
/* The spool: progress and kept signals survive, by endpoint and profile; damaged and foreign bytes are not
 * believed. */
#include "adapters/keep.h"
#include "adapters/spool.h"

#include "test.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/ww-spool-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command);
}

static struct spool *open_it(const char *endpoint, const char *profile)
{
    struct spool *s;
    struct err err = {0};
    if (spool_open(&s, dir, endpoint, profile, &err))
        fail_msg("%s", err.msg);
    return s;
}

static struct ww_signal signal_of(const char *id)
{
    struct ww_signal s = WW_SIGNAL_INIT;
    s.id = id;
    s.kind = "tax.arrears";
    s.at = 1772640000000;
    s.name = "示例一号";
    s.amount = 5;
    return s;
}

static struct progress progress_of(uint64_t record)
{
    struct progress p = {
        .position = {.offset = 1ull << 40, .line = 12, .record = record, .check = 0xDEADBEEF},
        .tally = {.records = record, .sent = 3, .accepted = 2, .duplicates = 1, .ignored = 4},
        .rejects = 2,
        .done = true,
        .store = "store-1"};
    tally_reject(&p.tally, "bad_uscc", 2);
    return p;
}

static void progress(void **state)
{
    struct err err = {0};
    struct progress p = progress_of(9), q;
    struct spool *s = open_it("tcp://a", "tax");
    (void)state;
    assert_int_equal(spool_load(s, "in", &q, &err), 0);
    assert_int_equal(spool_commit(s, "in", &p, NULL, 0, 1, &err), 0);
    spool_close(s);
    s = open_it("tcp://a", "tax");
    assert_int_equal(spool_load(s, "in", &q, &err), 1);
    assert_memory_equal(&p, &q, sizeof p);
    assert_int_equal(spool_load(s, "other", &q, &err), 0);
    spool_close(s);
    s = open_it("tcp://b", "tax"); /* another daemon has none of it */
    assert_int_equal(spool_load(s, "in", &q, &err), 0);
    spool_close(s);
    s = open_it("tcp://a", "court");
    assert_int_equal(spool_load(s, "in", &q, &err), 0);
    spool_close(s);
}

/* Ids of what is kept, one after the other. */
static const char *kept(struct spool *s)
{
    static char out[1024];
    struct spool_cursor c = {.n = 0};
    struct arena a = {0};
    struct ww_signal *list;
    struct err err = {0};
    size_t n;
    int rc;
    out[0] = 0;
    while ((rc = spool_kept(s, &c, &a, &list, &n, &err)) == 1)
        for (size_t i = 0; i < n; i++)
            strcat(strcat(out, list[i].id), " ");
    assert_int_equal(rc, 0);
    arena_finish(&a);
    return out;
}

static void kept_signals(void **state)
{
    struct err err = {0};
    struct spool *s = open_it("e", "p"), *t;
    struct ww_signal one[] = {signal_of("a"), signal_of("b")}, two = signal_of("c"), three = signal_of("d");
    (void)state;
    assert_string_equal(kept(s), "");
    assert_int_equal(spool_commit(s, NULL, NULL, one, 2, 1000, &err), 0);
    assert_int_equal(spool_commit(s, NULL, NULL, &three, 1, 3000, &err), 0);
    assert_int_equal(spool_commit(s, NULL, NULL, &two, 1, 1000, &err), 0); /* the same moment */
    assert_string_equal(kept(s), "a b c d ");
    spool_close(s);
    t = open_it("e", "q");
    assert_string_equal(kept(t), "");
    assert_int_equal(spool_prune(t, 99999, &err), 0);
    spool_close(t);
    s = open_it("e", "p");
    assert_int_equal(spool_prune(s, 1000, &err), 0);
    assert_string_equal(kept(s), "a b c d ");
    assert_int_equal(spool_prune(s, 1001, &err), 0);
    assert_string_equal(kept(s), "d ");
    assert_int_equal(spool_prune(s, 99999, &err), 0);
    assert_string_equal(kept(s), "");
    spool_close(s);
}

static void many_pruned(void **state)
{
    struct err err = {0};
    struct spool *s = open_it("e", "p");
    (void)state;
    for (int64_t t = 0; t < 300; t++) {
        struct ww_signal one = signal_of("a");
        if (t == 299)
            one.id = "z";
        assert_int_equal(spool_commit(s, NULL, NULL, &one, 1, t, &err), 0);
    }
    assert_int_equal(spool_prune(s, 299, &err), 0);
    assert_string_equal(kept(s), "z ");
    spool_close(s);
}

static void store(void **state)
{
    struct err err = {0};
    char text[SPOOL_STORE_MAX];
    struct spool *s = open_it("e", "p");
    (void)state;
    assert_int_equal(spool_store(s, text, &err), 0);
    assert_string_equal(text, "");
    assert_int_equal(spool_set_store(s, "abc", &err), 0);
    assert_int_equal(spool_store(s, text, &err), 0);
    assert_string_equal(text, "abc");
    spool_close(s);
}

static void locks(void **state)
{
    struct err err = {0};
    int one, two;
    struct spool *s = open_it("e", "p"), *t;
    (void)state;
    assert_int_equal(spool_lock(s, "in", &one, &err), 0);
    assert_int_equal(spool_lock(s, "in", &two, &err), WW_ELOCKED);
    assert_int_equal(spool_lock(s, "other", &two, &err), 0);
    spool_unlock(two);
    spool_unlock(one);
    assert_int_equal(spool_lock(s, "in", &one, &err), 0);
    spool_close(s);
    t = open_it("e", "q"); /* another profile may read the same file */
    assert_int_equal(spool_lock(t, "in", &two, &err), 0);
    spool_unlock(one);
    spool_unlock(two);
    spool_close(t);
}

/* Every key of a signal, and bytes that were cut or changed. */
static void bytes(void **state)
{
    struct ww_attr attrs[] = {{"office", "一所", 0}, {"n", NULL, -7}};
    struct ww_signal s = {.id = "i",
                          .kind = "k",
                          .at = -1,
                          .uscc = "u",
                          .name = "n",
                          .region = "r",
                          .industry = "d",
                          .amount = 0,
                          .people = 2,
                          .since = 3,
                          .project = "p",
                          .role = "o",
                          .owner = "w",
                          .status = "s",
                          .ref = "f",
                          .note = "e",
                          .cancels = "c",
                          .attrs = attrs,
                          .n_attrs = 2};
    struct ww_signal *out, both[] = {s, signal_of("x")};
    struct arena a = {0};
    struct buf b = {0};
    size_t n;
    (void)state;
    keep_signals(&b, both, 2);
    assert_true(keep_read_signals((struct slice){(char *)b.p, b.n}, &a, &out, &n));
    assert_int_equal(n, 2);
    assert_string_equal(out[0].cancels, "c");
    assert_string_equal(out[0].owner, "w");
    assert_true(out[0].at == -1 && out[0].amount == 0 && out[0].since == 3);
    assert_int_equal(out[0].n_attrs, 2);
    assert_string_equal(out[0].attrs[0].text, "一所");
    assert_true(out[0].attrs[1].text == NULL && out[0].attrs[1].number == -7);
    assert_true(out[1].people == WW_ABSENT && out[1].uscc == NULL && out[1].n_attrs == 0);
    for (size_t i = 0; i < b.n; i++) {
        assert_false(keep_read_signals((struct slice){(char *)b.p, i}, &a, &out, &n));
        b.p[i] ^= 0x10;
        assert_false(keep_read_signals((struct slice){(char *)b.p, b.n}, &a, &out, &n));
        b.p[i] ^= 0x10;
    }
    struct progress p = progress_of(1), q;
    keep_progress(&b, &p);
    for (size_t i = 0; i < b.n; i++)
        assert_false(keep_read_progress((struct slice){(char *)b.p, i}, &q));
    assert_true(keep_read_progress((struct slice){(char *)b.p, b.n}, &q));
    arena_finish(&a);
    buf_finish(&b);
}

static void tallies(void **state)
{
    struct tally t = {0};
    char code[8];
    (void)state;
    for (int i = 0; i < 40; i++) {
        snprintf(code, sizeof code, "c%d", i);
        tally_reject(&t, code, 1);
    }
    tally_reject(&t, "c3", 2);
    assert_int_equal(tally_rejects(&t), 42);
    assert_int_equal(t.rejected[3].n, 3);
    assert_int_equal(t.n_rejected, TALLY_CODES_MAX);
    assert_string_equal(t.rejected[TALLY_CODES_MAX - 1].code, "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(progress, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kept_signals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_pruned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(locks, set_up, tear_down),
        cmocka_unit_test(bytes),
        cmocka_unit_test(tallies),
    };
    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
