/* SPDX-License-Identifier: Apache-2.0 */
/* store/view: what is committed is read back, now and after opening again, in order both ways; a spoilt value
 * is found; a transaction that fails changes nothing; a random history of puts and deletes equals the same
 * history in memory. */
#include "engine/engine.h"
#include "store/view.h"

#include "test.h"

#include <sys/wait.h>

#include "tests/unit/store_kit.h"

static const uint8_t store_id[STORE_ID_LEN] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const char *fresh(void)
{
    static char dir[512];
    snprintf(dir, sizeof dir, "%s/v", kit_root);
    kit_remove(dir);
    return dir;
}

static struct view *must_open(const char *dir, bool read_only)
{
    struct view *v;
    struct err err;
    if (view_open(&v, dir, 0, read_only, &err) != 0)
        fail_msg("%s", err.msg);
    return v;
}

static struct view_reader *must_read(struct view *v)
{
    struct view_reader *r;
    struct err err;
    if (view_reader_open(&r, v, &err) != 0 || view_reader_refresh(r, &err) != 0)
        fail_msg("%s", err.msg);
    return r;
}

/* Commits what is dirty in s as entry `number`. */
static void commit(struct view *v, struct state *s, uint64_t number)
{
    struct err err;
    struct checkpoint *cp = state_checkpoint(s);
    assert_non_null(cp);
    cp->number = number;
    cp->time = (int64_t)number * 10;
    memset(cp->chain, (int)number, sizeof cp->chain);
    if (view_commit(v, cp, store_id, &err) != 0)
        fail_msg("%s", err.msg);
    state_committed(s, cp);
}

static void expect(struct view_reader *r, enum table t, const char *key, const char *want)
{
    struct slice value;
    struct err err;
    int rc = view_get(r, t, key, strlen(key), &value, &err);
    assert_int_equal(rc, want != NULL);
    if (want)
        assert_true(slice_is(value, want));
}

static void put(struct state *s, enum table t, const char *key, const char *value)
{
    state_put(s, t, key, strlen(key), value, strlen(value));
}

static void nothing_yet(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct view *v;
    struct view_meta m;
    struct err err;
    uint64_t n;
    assert_int_equal(view_open(&v, dir, 0, true, &err), WW_ENOTFOUND);
    assert_null(v);
    v = must_open(dir, false);
    struct view_reader *r = must_read(v);
    assert_int_equal(view_get_meta(r, &m, &err), 0);
    assert_int_equal(m.number, 0);
    for (int t = 0; t < T_COUNT; t++) {
        assert_int_equal(view_count(r, t, &n, &err), 0);
        assert_int_equal(n, 0);
    }
    expect(r, T_META, "engine", NULL);
    view_reader_close(r);
    view_close(v);
}

static void commit_and_open_again(void **state)
{
    (void)state;
    const char *dir = fresh();
    struct view_meta m;
    struct err err;
    uint64_t n;
    struct view *v = must_open(dir, false);
    struct state *s = state_create(NULL, 0);
    put(s, T_NAME, "b", "two");
    put(s, T_NAME, "a", "one");
    put(s, T_OPEN, "b", "");
    commit(v, s, 5);
    struct view_reader *r = must_read(v);
    expect(r, T_NAME, "a", "one");
    put(s, T_NAME, "a", "another one");
    state_del(s, T_NAME, "b", 1);
    state_del(s, T_NAME, "never there", 11);
    commit(v, s, 6);
    expect(r, T_NAME, "a", "one"); /* until it looks anew */
    expect(r, T_NAME, "b", "two");
    assert_int_equal(view_get_meta(r, &m, &err), 0);
    assert_int_equal(m.number, 5);
    for (int again = 0; again < 3; again++) {
        assert_int_equal(view_reader_refresh(r, &err), 0);
        expect(r, T_NAME, "a", "another one");
        expect(r, T_NAME, "b", NULL);
        expect(r, T_ALERT, "a", NULL);
        expect(r, T_OPEN, "b", "");
        assert_int_equal(view_count(r, T_NAME, &n, &err), 0);
        assert_int_equal(n, 1);
        assert_int_equal(view_get_meta(r, &m, &err), 0);
        assert_true(m.number == 6 && m.time == 60 && m.chain[7] == 6 && m.fold_version == FOLD_VERSION);
        assert_memory_equal(m.store_id, store_id, sizeof store_id);
        view_reader_close(r);
        view_close(v);
        v = must_open(dir, again == 1);
        r = must_read(v);
    }
    view_reader_close(r);
    view_close(v);
    assert_int_equal(view_remove(dir, &err), 0);
    assert_int_equal(view_remove(dir, &err), 0);
    v = must_open(dir, false);
    r = must_read(v);
    expect(r, T_NAME, "a", NULL);
    view_reader_close(r);
    view_close(v);
    state_destroy(s);
}

/* ---- scans ---- */

struct seen {
    char keys[64];
    size_t most;
};

static bool note_key(void *arg, struct slice key, struct slice value)
{
    struct seen *seen = arg;
    assert_true(slice_eq(key, value)); /* that is how they were put */
    strncat(seen->keys, key.p, key.n);
    return strlen(seen->keys) < seen->most;
}

static void scan_orders(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        enum view_order order;
        size_t most;
        const char *want;
    } t[] = {
        {"", VIEW_UP, 9, "bdfh"},    {"", VIEW_DOWN, 9, "hfdb"}, {"d", VIEW_UP, 9, "dfh"},
        {"d", VIEW_DOWN, 9, "db"},   {"e", VIEW_UP, 9, "fh"},    {"e", VIEW_DOWN, 9, "db"},
        {"a", VIEW_UP, 9, "bdfh"},   {"a", VIEW_DOWN, 9, ""},    {"z", VIEW_UP, 9, ""},
        {"z", VIEW_DOWN, 9, "hfdb"}, {"da", VIEW_UP, 9, "fh"},   {"da", VIEW_DOWN, 9, "db"},
        {"", VIEW_UP, 2, "bd"},      {"h", VIEW_DOWN, 1, "h"},   {"h", VIEW_UP, 9, "h"},
    };
    struct err err;
    struct view *v = must_open(fresh(), false);
    struct state *s = state_create(NULL, 0);
    put(s, T_DUE, "d", "d");
    put(s, T_DUE, "h", "h");
    commit(v, s, 1);
    put(s, T_DUE, "b", "b");
    put(s, T_DUE, "f", "f");
    put(s, T_SEEN, "c", "c");
    commit(v, s, 2);
    struct view_reader *r = must_read(v);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct seen seen = {.most = t[i].most};
        assert_int_equal(view_scan(r, T_DUE, slice_of(t[i].from), t[i].order, note_key, &seen, &err), 0);
        assert_string_equal(seen.keys, t[i].want);
    }
    struct state_loader l = view_loader(r);
    struct seen seen = {.most = 9};
    struct slice value;
    assert_int_equal(l.scan(l.ctx, T_DUE, slice_of("c"), note_key, &seen, &err), 0);
    assert_string_equal(seen.keys, "dfh");
    assert_int_equal(l.get(l.ctx, T_DUE, "f", 1, &value, &err), 1);
    assert_int_equal(l.get(l.ctx, T_DUE, "g", 1, &value, &err), 0);
    view_reader_close(r);
    view_close(v);
    state_destroy(s);
}

/* ---- against memory ---- */

enum { KEYS = 400, VALUE_MOST = 20000 };

static void key_of(uint32_t k, uint8_t out[8])
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)k * UINT64_C(0x9e3779b97f4a7c15) >> (56 - 8 * i));
}

static void random_history(void **state)
{
    (void)state;
    const char *dir = fresh();
    static uint32_t model[T_COUNT][KEYS]; /* length + 1 of a value of bytes `length % 251`; 0: not there */
    static char value[VALUE_MOST];
    uint8_t key[8];
    struct err err;
    struct slice got;
    struct view *v = must_open(dir, false);
    struct state *s = state_create(NULL, 0);
    for (uint64_t round = 1; round <= 40; round++) {
        for (uint32_t i = 0; i < 150; i++) {
            enum table t = kit_random(T_COUNT);
            uint32_t k = kit_random(KEYS), len = kit_random(kit_random(10) ? 100 : VALUE_MOST);
            bool del = kit_random(4) == 0;
            key_of(k, key);
            memset(value, (int)(len % 251), len);
            if (del)
                state_del(s, t, key, sizeof key);
            else
                state_put(s, t, key, sizeof key, value, len);
            model[t][k] = del ? 0 : len + 1;
        }
        commit(v, s, round);
        if (round % 10 == 0) {
            view_close(v);
            v = must_open(dir, false);
        }
        struct view_reader *r = must_read(v);
        for (enum table t = 0; t < T_COUNT; t++)
            for (uint32_t k = 0; k < KEYS; k++) {
                key_of(k, key);
                assert_int_equal(view_get(r, t, key, sizeof key, &got, &err), model[t][k] != 0);
                if (model[t][k] == 0)
                    continue;
                assert_int_equal(got.n, model[t][k] - 1);
                memset(value, (int)(got.n % 251), got.n);
                assert_memory_equal(got.p, value, got.n);
            }
        view_reader_close(r);
    }
    view_close(v);
    state_destroy(s);
}

/* ---- damage and limits ---- */

static bool count_rows(void *arg, struct slice key, struct slice value)
{
    (void)key;
    (void)value;
    ++*(int *)arg;
    return true;
}

/* Each byte of one stored value is changed in the file: never is another value given. */
static void spoilt_value(void **state)
{
    (void)state;
    static const char text[] = "a value that can be found in the file again";
    const char *dir = fresh();
    struct err err;
    struct slice got;
    size_t n;
    int rows;
    struct view *v = must_open(dir, false);
    struct state *s = state_create(NULL, 0);
    put(s, T_NAME, "key", text);
    put(s, T_NAME, "other", "fine");
    commit(v, s, 1);
    view_close(v);
    char *file = mem_strndup(kit_path("v/data.mdb"), 511);
    uint8_t *p = kit_file_read(file, &n);
    uint8_t *at = memmem(p, n, text, sizeof text - 1);
    assert_non_null(at);
    for (uint8_t *b = at - 5; b < at + sizeof text - 1; b++) {
        *b ^= 0x20;
        kit_file_write(file, p, n);
        v = must_open(dir, true);
        struct view_reader *r = must_read(v);
        assert_int_equal(view_get(r, T_NAME, "key", 3, &got, &err), WW_EDAMAGED);
        assert_non_null(strstr(err.msg, "--rebuild"));
        assert_null(strstr(err.msg, "6b6579")); /* the key */
        assert_int_equal(view_scan(r, T_NAME, (struct slice){0}, VIEW_UP, count_rows, &rows, &err),
                         WW_EDAMAGED);
        expect(r, T_NAME, "other", "fine");
        view_reader_close(r);
        view_close(v);
        *b ^= 0x20;
    }
    free(p);
    free(file);
    state_destroy(s);
}

static void not_a_view(void **state)
{
    (void)state;
    const char *dir = fresh();
    char rubbish[8192];
    struct view *v;
    struct err err;
    memset(rubbish, 'x', sizeof rubbish);
    mkdir(dir, 0700);
    kit_file_write(kit_path("v/data.mdb"), rubbish, sizeof rubbish);
    assert_int_equal(view_open(&v, dir, 0, false, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, "--rebuild"));
    assert_int_equal(view_open(&v, "/nonexistent/view", 0, false, &err), WW_EIO);
}

static void read_all(const char *dir)
{
    struct view *v;
    struct view_reader *r;
    struct slice got;
    struct err err;
    view_catch_damage(dir);
    int rc = view_open(&v, dir, 0, true, &err);
    if (rc == 0)
        rc = view_reader_open(&r, v, &err);
    if (rc == 0)
        rc = view_reader_refresh(r, &err);
    for (int i = 0; i < 100 && rc >= 0; i++)
        rc = view_get(r, T_BLOCK, &i, sizeof i, &got, &err);
    if (rc < 0)
        dprintf(STDERR_FILENO, "%s\n", err.msg);
    _exit(rc == WW_EDAMAGED ? 1 : 99);
}

/* A file cut short: the process says what is wrong and ends, in a child of ours. */
static void cut_short(void **state)
{
    (void)state;
    const char *dir = fresh();
    char said[600] = "";
    int to[2], status;
    struct view *v = must_open(dir, false);
    struct state *s = state_create(NULL, 0);
    for (int i = 0; i < 100; i++)
        state_put(s, T_BLOCK, &i, sizeof i, said, sizeof said);
    commit(v, s, 1);
    view_close(v);
    state_destroy(s);
    assert_int_equal(truncate(kit_path("v/data.mdb"), 3 * 4096), 0);
    assert_int_equal(pipe(to), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(to[1], STDERR_FILENO);
        read_all(dir);
    }
    close(to[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(read(to[0], said, sizeof said - 1) >= 0);
    close(to[0]);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 1 || !strstr(said, "--rebuild"))
        fail_msg("status %d: %s", WEXITSTATUS(status), said);
}

/* The map is full: the transaction is as if it had never been, and a smaller one still goes in. */
static void full(void **state)
{
    (void)state;
    static char value[1 << 20];
    struct view *v;
    struct view_meta m;
    struct err err;
    uint64_t n;
    assert_int_equal(view_open(&v, fresh(), 1 << 20, false, &err), 0);
    struct state *s = state_create(NULL, 0);
    put(s, T_NAME, "a", "one");
    commit(v, s, 1);
    put(s, T_NAME, "b", "two");
    state_put(s, T_BLOCK, "k", 1, value, sizeof value);
    struct checkpoint *cp = state_checkpoint(s);
    cp->number = 2;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(view_commit(v, cp, store_id, &err), WW_EFULL);
        struct view_reader *r = must_read(v);
        expect(r, T_NAME, "a", "one");
        expect(r, T_NAME, "b", NULL);
        assert_int_equal(view_get_meta(r, &m, &err), 0);
        assert_int_equal(m.number, 1);
        assert_int_equal(view_count(r, T_BLOCK, &n, &err), 0);
        assert_int_equal(n, 0);
        view_reader_close(r);
    }
    state_committed(s, cp);
    put(s, T_NAME, "b", "two");
    commit(v, s, 3);
    struct view_reader *r = must_read(v);
    expect(r, T_NAME, "b", "two");
    view_reader_close(r);
    view_close(v);
    state_destroy(s);
}

static void copy(void **state)
{
    (void)state;
    struct err err;
    struct view_meta m;
    char to[512];
    snprintf(to, sizeof to, "%s/copy", kit_root);
    struct view *v = must_open(fresh(), false);
    struct state *s = state_create(NULL, 0);
    put(s, T_NAME, "a", "one");
    commit(v, s, 7);
    assert_int_equal(view_copy(v, to, &err), 0);
    put(s, T_NAME, "a", "two");
    commit(v, s, 8);
    view_close(v);
    v = must_open(to, true);
    struct view_reader *r = must_read(v);
    expect(r, T_NAME, "a", "one");
    assert_int_equal(view_get_meta(r, &m, &err), 0);
    assert_int_equal(m.number, 7);
    assert_int_equal(view_check_readers(v, &err), 0);
    view_reader_close(r);
    view_close(v);
    state_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_yet),  cmocka_unit_test(commit_and_open_again),
        cmocka_unit_test(scan_orders),  cmocka_unit_test(random_history),
        cmocka_unit_test(spoilt_value), cmocka_unit_test(not_a_view),
        cmocka_unit_test(cut_short),    cmocka_unit_test(full),
        cmocka_unit_test(copy),
    };
    return cmocka_run_group_tests_name("view", tests, kit_setup, kit_teardown);
}
