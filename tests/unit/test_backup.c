/* SPDX-License-Identifier: Apache-2.0 */
/* store/backup: a copy made beside a writer at work comes back whole, under a new store id, and never over
 * anything. */
#include "store/backup.h"

#include "test.h"

#include "store/recover.h"
#include "store/view.h"
#include "tests/unit/store_kit.h"

static char from[512], to[512], back[512];

static void names(void)
{
    snprintf(from, sizeof from, "%s/from", kit_root);
    snprintf(to, sizeof to, "%s/to", kit_root);
    snprintf(back, sizeof back, "%s/back", kit_root);
    kit_remove(from);
    kit_remove(to);
    kit_remove(back);
}

static void commit(struct view *v, struct journal *j)
{
    struct err err;
    struct state *s = state_create(NULL, 0);
    state_put(s, T_NAME, "key", 3, "value", 5);
    struct checkpoint *cp = state_checkpoint(s);
    cp->number = journal_last(j);
    cp->time = journal_last_time(j);
    journal_chain(j, cp->chain);
    assert_int_equal(view_commit(v, cp, journal_store_id(j), &err), 0);
    state_committed(s, cp);
    state_destroy(s);
}

/* A store whose writer is at work: its journal stays open. The view lags behind. */
static struct journal *at_work(void)
{
    struct err err;
    struct view *v;
    names();
    mkdir(from, 0700);
    struct journal *j = kit_open(kit_path("from/journal"), KIT_SEGMENT, NULL);
    assert_int_equal(view_open(&v, kit_path("from/view"), 0, false, &err), 0);
    for (int i = 0; i < 16; i++) {
        kit_write(j, 30);
        if (i == 10)
            commit(v, j);
    }
    view_close(v);
    return j;
}

static void must(int rc, const struct err *err)
{
    if (rc != 0)
        fail_msg("%s", err->msg);
}

static void there_and_back(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    uint8_t id[STORE_ID_LEN], key[16];
    struct journal *j = at_work();
    must(backup_make(from, to, &r, &err), &err);
    assert_true(r.first == 1 && r.last == 480 && r.view_number == 330 && r.segments >= 4);
    kit_write(j, 5); /* after the backup */
    memcpy(id, journal_store_id(j), sizeof id);
    memcpy(key, journal_key(j), sizeof key);
    journal_close(j);
    must(backup_restore(to, back, false, &r, &err), &err);
    assert_int_equal(r.last, 480);
    struct journal_options o = {.checkpoint = 330, .io = &kit_fast_io, .segment_bytes = KIT_SEGMENT};
    must(journal_open(&j, kit_path("back/journal"), &o, &err), &err);
    assert_int_equal(journal_last(j), 480);
    assert_memory_not_equal(journal_store_id(j), id, sizeof id);
    assert_memory_equal(journal_key(j), key, sizeof key);
    kit_write(j, 40);
    journal_close(j);
    assert_int_equal(kit_read(kit_path("back/journal"), 1, true), 520);
    struct view *v;
    struct view_reader *reader;
    struct slice value;
    must(view_open(&v, kit_path("back/view"), 0, false, &err), &err);
    must(view_reader_open(&reader, v, &err), &err);
    must(view_reader_refresh(reader, &err), &err);
    assert_int_equal(view_get(reader, T_NAME, "key", 3, &value, &err), 1);
    assert_true(slice_is(value, "value"));
    view_reader_close(reader);
    view_close(v);
}

static void without_a_view(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    journal_close(at_work());
    kit_remove(kit_path("from/view"));
    must(backup_make(from, to, &r, &err), &err);
    assert_int_equal(r.view_number, 0);
    must(backup_restore(to, back, false, &r, &err), &err);
    assert_int_equal(kit_read(kit_path("back/journal"), 1, true), 480);
}

static void nothing_is_overwritten(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    journal_close(at_work());
    mkdir(to, 0700);
    kit_file_write(kit_path("to/something"), "x", 1);
    assert_int_equal(backup_make(from, to, &r, &err), WW_EUSAGE);
    unlink(kit_path("to/something"));
    must(backup_make(from, to, &r, &err), &err);
    assert_int_equal(backup_make(from, to, &r, &err), WW_EUSAGE);
    assert_int_equal(backup_restore(to, from, false, &r, &err), WW_EUSAGE);
    assert_non_null(strstr(err.msg, "moves it aside"));
    assert_int_equal(kit_read(kit_path("from/journal"), 1, true), 480);
    assert_int_equal(backup_make(kit_path("nowhere"), kit_path("elsewhere"), &r, &err), WW_ENOTFOUND);
}

/* Only a backup that is complete and whole is put back. */
static void half_or_damaged(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    size_t n;
    journal_close(at_work());
    must(backup_make(from, to, &r, &err), &err);
    rename(kit_path("to/BACKUP"), kit_path("aside"));
    assert_int_equal(backup_restore(to, back, false, &r, &err), WW_ENOTFOUND);
    rename(kit_path("aside"), kit_path("to/BACKUP"));
    const char *file = kit_path("to/journal/00000000000000000001.seg");
    uint8_t *p = kit_file_read(file, &n);
    p[5000] ^= 1;
    kit_file_write(file, p, n);
    assert_int_equal(backup_restore(to, back, false, &r, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, file));
    assert_int_equal(access(back, F_OK), -1);
    p[5000] ^= 1;
    kit_file_write(file, p, n);
    free(p);
    must(backup_restore(to, back, false, &r, &err), &err);
    /* a damaged store gives no backup that calls itself complete */
    kit_remove(to);
    file = kit_path("from/journal/00000000000000000001.seg");
    p = kit_file_read(file, &n);
    p[5000] ^= 1;
    kit_file_write(file, p, n);
    free(p);
    assert_int_equal(backup_make(from, to, &r, &err), WW_EDAMAGED);
    assert_int_equal(access(kit_path("to/BACKUP"), F_OK), -1);
}

/* Interrupted before the journal got its name: not a store yet; a second try goes through. */
static void an_interrupted_restore(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    journal_close(at_work());
    must(backup_make(from, to, &r, &err), &err);
    must(backup_restore(to, back, false, &r, &err), &err);
    assert_int_equal(rename(kit_path("back/journal"), kit_path("back/journal.restoring")), 0);
    must(backup_restore(to, back, false, &r, &err), &err);
    assert_int_equal(kit_read(kit_path("back/journal"), 1, true), 480);
    assert_int_equal(access(kit_path("back/journal.restoring"), F_OK), -1);
}

/* What was there is moved, not lost; a second time beside the first. */
static void replaced(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    uint8_t id[STORE_ID_LEN];
    struct journal *j = at_work();
    must(backup_make(from, to, &r, &err), &err);
    kit_write(j, 7); /* acknowledged after the backup */
    memcpy(id, journal_store_id(j), sizeof id);
    journal_close(j);
    must(backup_restore(to, from, true, &r, &err), &err);
    assert_int_equal(r.replaced, 1);
    assert_int_equal(kit_read(kit_path("from/journal"), 1, true), 480);
    assert_int_equal(kit_read(kit_path("from/replaced-1/journal"), 1, true), 487);
    assert_int_equal(access(kit_path("from/replaced-1/view/data.mdb"), F_OK), 0);
    struct journal_options o = {.io = &kit_fast_io, .segment_bytes = KIT_SEGMENT};
    must(journal_open(&j, kit_path("from/journal"), &o, &err), &err);
    assert_memory_not_equal(journal_store_id(j), id, sizeof id);
    journal_close(j);
    must(backup_restore(to, from, true, &r, &err), &err);
    assert_int_equal(r.replaced, 2);
    assert_int_equal(kit_read(kit_path("from/replaced-1/journal"), 1, true), 487);
    assert_int_equal(kit_read(kit_path("from/journal"), 1, true), 480);
}

static void refused(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    struct journal *j = at_work();
    must(backup_make(from, to, &r, &err), &err);
    /* a writer at work, whatever is said */
    assert_int_equal(backup_restore(to, from, true, &r, &err), WW_ELOCKED);
    assert_int_equal(r.replaced, 0);
    assert_int_equal(access(kit_path("from/" RESTORING), F_OK), -1);
    kit_write(j, 1);
    journal_close(j);
    assert_int_equal(kit_read(kit_path("from/journal"), 1, true), 481);
    /* into itself */
    assert_int_equal(backup_restore(to, to, true, &r, &err), WW_EUSAGE);
    /* among other things; they stay where they are when they are said to */
    mkdir(back, 0700);
    kit_file_write(kit_path("back/letter"), "x", 1);
    assert_int_equal(backup_restore(to, back, false, &r, &err), WW_EUSAGE);
    assert_non_null(strstr(err.msg, "letter"));
    assert_int_equal(access(kit_path("back/journal"), F_OK), -1);
    must(backup_restore(to, back, true, &r, &err), &err);
    assert_int_equal(r.replaced, 0);
    assert_int_equal(access(kit_path("back/letter"), F_OK), 0);
    assert_int_equal(kit_read(kit_path("back/journal"), 1, true), 480);
}

static void owned_by(const char *name, uid_t uid)
{
    struct stat st;
    assert_int_equal(stat(kit_path(name), &st), 0);
    assert_int_equal(st.st_uid, uid);
}

/* Restored by root for a daemon that is not root. */
static void handed_over(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    if (geteuid() != 0)
        skip();
    journal_close(at_work());
    must(backup_make(from, to, &r, &err), &err);
    mkdir(back, 0700);
    assert_int_equal(chown(back, 12345, 12345), 0);
    must(backup_restore(to, back, false, &r, &err), &err);
    static const char *const made[] = {"back/journal", "back/journal/lock", "back/view", "back/view/data.mdb",
                                       "back/journal/00000000000000000001.seg"};
    for (size_t i = 0; i < ARRAY_LEN(made); i++)
        owned_by(made[i], 12345);
    owned_by("to/view/data.mdb", 0);
}

/* A damaged backup moves nothing aside. */
static void damaged_replaces_nothing(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    size_t n;
    journal_close(at_work());
    must(backup_make(from, to, &r, &err), &err);
    const char *file = kit_path("to/journal/00000000000000000001.seg");
    uint8_t *p = kit_file_read(file, &n);
    p[5000] ^= 1;
    kit_file_write(file, p, n);
    free(p);
    assert_int_equal(backup_restore(to, from, true, &r, &err), WW_EDAMAGED);
    assert_int_equal(access(kit_path("from/replaced-1"), F_OK), -1);
    assert_int_equal(kit_read(kit_path("from/journal"), 1, true), 480);
}

/* Interrupted while the segments got their place: nobody starts on half of it, and a second try needs no
 * force. */
static void interrupted_among_segments(void **state)
{
    (void)state;
    struct backup_report r;
    struct err err;
    struct recover_options o = {.segment_bytes = KIT_SEGMENT, .io = &kit_fast_io, .no_thread = true};
    struct recovered started;
    journal_close(at_work());
    must(backup_make(from, to, &r, &err), &err);
    must(backup_restore(to, back, false, &r, &err), &err);
    mkdir(kit_path("back/" RESTORING), 0700);
    const char *name = "00000000000000000001.seg";
    char a[600], b[600];
    snprintf(a, sizeof a, "%s/journal/%s", back, name);
    snprintf(b, sizeof b, "%s/" RESTORING "/%s", back, name);
    assert_int_equal(rename(a, b), 0);
    assert_int_equal(recover(back, &o, &started, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, "wagewarn restore"));
    must(backup_restore(to, back, false, &r, &err), &err);
    assert_int_equal(kit_read(kit_path("back/journal"), 1, true), 480);
    assert_int_equal(access(kit_path("back/" RESTORING), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(without_a_view),
        cmocka_unit_test(nothing_is_overwritten),
        cmocka_unit_test(half_or_damaged),
        cmocka_unit_test(an_interrupted_restore),
        cmocka_unit_test(replaced),
        cmocka_unit_test(refused),
        cmocka_unit_test(handed_over),
        cmocka_unit_test(damaged_replaces_nothing),
        cmocka_unit_test(interrupted_among_segments),
    };
    return cmocka_run_group_tests_name("backup", tests, kit_setup, kit_teardown);
}
