/* SPDX-License-Identifier: Apache-2.0 */
/* store/verify: a whole store passes; each kind of damage is found, with its place, and hides no other. */
#include "store/verify.h"

#include "test.h"

#include "store/recover.h"
#include "store/segment.h"
#include "tests/unit/store_kit.h"

static char dir[512], found[4096];

static void on_problem(void *arg, const char *sentence)
{
    (void)arg;
    size_t n = strlen(found);
    snprintf(found + n, sizeof found - n, "%s\n", sentence);
}

static int check(struct verify_report *r, const char *fold_in)
{
    struct verify_options o = {.fold_in = fold_in, .problem = on_problem};
    struct err err = {0};
    found[0] = 0;
    int rc = verify(dir, &o, r, &err);
    assert_int_equal(rc != 0, err.code != 0);
    assert_int_equal(rc == WW_EDAMAGED, r->problems > 0);
    return rc;
}

/* Entries that no engine reads; a view whose one row and meta fit the journal's end. */
static void a_store(void)
{
    struct err err;
    struct view *v;
    snprintf(dir, sizeof dir, "%s/s", kit_root);
    kit_remove(dir);
    mkdir(dir, 0700);
    struct journal *j = kit_open(kit_path("s/journal"), KIT_SEGMENT, NULL);
    for (int i = 0; i < 16; i++)
        kit_write(j, 30);
    assert_int_equal(view_open(&v, kit_path("s/view"), 0, false, &err), 0);
    struct state *s = state_create(NULL, 0);
    state_put(s, T_NAME, "key", 3, "a value to find again", 21);
    struct checkpoint *cp = state_checkpoint(s);
    cp->number = journal_last(j);
    journal_chain(j, cp->chain);
    assert_int_equal(view_commit(v, cp, journal_store_id(j), &err), 0);
    state_committed(s, cp);
    state_destroy(s);
    view_close(v);
    journal_close(j);
}

static size_t problems(void)
{
    size_t n = 0;
    for (const char *p = found; (p = strchr(p, '\n')); p++)
        n++;
    return n;
}

static void whole(void **state)
{
    (void)state;
    struct verify_report r;
    a_store();
    assert_int_equal(check(&r, NULL), 0);
    assert_true(r.segments >= 4 && r.batches == 16 && r.entries == 480 && r.first == 1 && r.last == 480);
    assert_true(r.first_time == 10 && r.bytes == r.segments * KIT_SEGMENT);
    assert_true(r.has_view && r.view_number == 480 && r.view_rows == 1 && !r.folded);
    struct journal *j = kit_open(kit_path("s/journal"), KIT_SEGMENT, NULL); /* beside a daemon */
    assert_int_equal(check(&r, NULL), 0);
    journal_close(j);
    kit_remove(kit_path("s/view"));
    assert_int_equal(check(&r, NULL), 0);
    assert_false(r.has_view);
    kit_remove(kit_path("s/journal"));
    assert_int_equal(check(&r, NULL), WW_ENOTFOUND);
}

/* Changes one byte of a segment at an offset. */
static void spoil(uint64_t first, uint64_t at)
{
    char name[SEGMENT_NAME_LEN], path[600];
    size_t n;
    segment_name(name, first);
    snprintf(path, sizeof path, "%s/journal/%s", dir, name);
    uint8_t *p = kit_file_read(path, &n);
    p[at] ^= 1;
    kit_file_write(path, p, n);
    free(p);
}

static void each_damage_is_told(void **state)
{
    (void)state;
    struct verify_report r;
    struct err err;
    struct segment *s;
    struct segment_batch b;
    uint64_t *firsts, note;
    size_t n, len;
    a_store();
    assert_int_equal(segment_list(kit_path("s/journal"), &firsts, &n, &err), 0);
    assert_int_equal(segment_open(&s, kit_path("s/journal"), firsts[1], &err), 0);
    assert_int_equal(segment_batch(s, SEGMENT_HEAD, &b, &err), SEGMENT_GOOD);
    assert_true(segment_note(&b, 2, &note, &len));
    segment_close(s);
    spoil(firsts[0], SEGMENT_HEAD + 100); /* a batch */
    spoil(firsts[1], note + 4);           /* a note */
    spoil(firsts[2], 50);                 /* a head */
    assert_int_equal(check(&r, NULL), WW_EDAMAGED);
    assert_int_equal(r.problems, 3);
    assert_int_equal(problems(), 3);
    assert_non_null(strstr(found, "entries 1 to 30 cannot be read"));
    assert_non_null(strstr(found, "the note of entry"));
    assert_non_null(strstr(found, "the head of"));
    assert_int_equal(r.last, 480);
    spoil(firsts[0], SEGMENT_HEAD + 100);
    spoil(firsts[1], note + 4);
    spoil(firsts[2], 50);
    assert_int_equal(check(&r, NULL), 0);
    char name[SEGMENT_NAME_LEN], path[600];
    segment_name(name, firsts[1]);
    snprintf(path, sizeof path, "%s/journal/%s", dir, name);
    unlink(path);
    assert_int_equal(check(&r, NULL), WW_EDAMAGED);
    assert_int_equal(problems(), 1);
    assert_non_null(strstr(found, "are missing before it"));
    free(firsts);
}

static void the_view_and_its_journal(void **state)
{
    (void)state;
    struct verify_report r;
    size_t n;
    a_store();
    char *file = mem_strndup(kit_path("s/view/data.mdb"), 511);
    uint8_t *p = kit_file_read(file, &n), *at = memmem(p, n, "a value to find again", 21);
    assert_non_null(at);
    *at ^= 1;
    kit_file_write(file, p, n);
    assert_int_equal(check(&r, NULL), WW_EDAMAGED);
    assert_non_null(strstr(found, "'names'"));
    assert_int_equal(r.last, 480); /* the journal was read all the same */
    *at ^= 1;
    kit_file_write(file, p, 2 * 4096);
    assert_int_equal(check(&r, NULL), WW_EDAMAGED);
    assert_non_null(strstr(found, "--rebuild"));
    kit_file_write(file, p, n);
    assert_int_equal(check(&r, NULL), 0);
    free(p);
    free(file);
    /* of another journal with the same numbers */
    rename(kit_path("s/view"), kit_path("view aside"));
    a_store();
    kit_remove(kit_path("s/view"));
    rename(kit_path("view aside"), kit_path("s/view"));
    assert_int_equal(check(&r, NULL), WW_EDAMAGED);
    assert_int_equal(problems(), 1);
    assert_non_null(strstr(found, "not this one"));
}

/* What a kill leaves at the end is no damage. */
static void a_torn_end(void **state)
{
    (void)state;
    struct verify_report r;
    a_store();
    kit_remove(kit_path("s/view"));
    uint64_t *firsts;
    size_t n;
    struct err err;
    assert_int_equal(segment_list(kit_path("s/journal"), &firsts, &n, &err), 0);
    spoil(firsts[n - 1], KIT_SEGMENT - 1);
    assert_int_equal(check(&r, NULL), 0);
    assert_true(r.unacknowledged > 0);
    assert_int_equal(r.last, 480);
    free(firsts);
}

/* Segments are filled with zeros before their first batch: one that ends inside a batch was cut. */
static void a_segment_cut_short(void **state)
{
    (void)state;
    struct verify_report r;
    char name[SEGMENT_NAME_LEN], path[600];
    struct err err;
    uint64_t *firsts;
    size_t n, size;
    a_store();
    kit_remove(kit_path("s/view"));
    assert_int_equal(segment_list(kit_path("s/journal"), &firsts, &n, &err), 0);
    segment_name(name, firsts[n - 1]);
    snprintf(path, sizeof path, "%s/journal/%s", dir, name);
    uint8_t *p = kit_file_read(path, &size);
    kit_file_write(path, p, SEGMENT_HEAD + 500);
    assert_int_equal(check(&r, NULL), WW_EDAMAGED);
    assert_int_equal(problems(), 1);
    assert_non_null(strstr(found, "cut short"));
    kit_file_write(path, p, SEGMENT_HEAD + 20);
    assert_int_equal(check(&r, NULL), WW_EDAMAGED);
    kit_file_write(path, p, SEGMENT_HEAD); /* none was begun: nothing is missing that can be known */
    assert_int_equal(check(&r, NULL), 0);
    free(p);
    free(firsts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(each_damage_is_told),
        cmocka_unit_test(the_view_and_its_journal),
        cmocka_unit_test(a_torn_end),
        cmocka_unit_test(a_segment_cut_short),
    };
    return cmocka_run_group_tests_name("verify", tests, kit_setup, kit_teardown);
}
