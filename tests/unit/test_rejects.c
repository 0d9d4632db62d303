/* SPDX-License-Identifier: Apache-2.0 */
/* The rejects file: its form, what stays and what goes when an input is read again, one writer at a time. */
#include "adapters/rejects.h"

#include "test.h"

#include <stdlib.h>
#include <unistd.h>

#define HEAD                                                                                                 \
    "\xEF\xBB\xBF"                                                                                           \
    "file,line,code,reason,row\r\n"

static char path[64];
static char contents[4096];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/ww-rejects-%d.csv", (int)getpid());
    unlink(path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static const char *read_back(void)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    contents[fread(contents, 1, sizeof contents - 1, f)] = 0;
    fclose(f);
    return contents;
}

static void put(const char *bytes)
{
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    fputs(bytes, f);
    fclose(f);
}

static struct rejects *open_it(void)
{
    struct rejects *r;
    struct err err = {0};
    if (rejects_open(&r, path, &err))
        fail_msg("%s", err.msg);
    return r;
}

static void begin(struct rejects *r, const char *input, uint64_t keep)
{
    struct err err = {0};
    if (rejects_begin(r, input, keep, &err))
        fail_msg("%s", err.msg);
}

static void form(void **state)
{
    struct err err;
    struct rejects *r = open_it();
    (void)state;
    begin(r, "in,put.csv", 0);
    rejects_add(r, 7, "bad_uscc", "uscc: \"x\" is wrong", slice_of("1,\"two\nlines\",3"));
    assert_int_equal(rejects_sync(r, &err), 0);
    assert_string_equal(
        read_back(),
        HEAD "\"in,put.csv\",7,bad_uscc,\"uscc: \"\"x\"\" is wrong\",\"1,\"\"two\nlines\"\",3\"\r\n");
    rejects_close(r);
}

static void keeps(void **state)
{
    struct err err;
    (void)state;
    struct rejects *r = open_it();
    begin(r, "a", 0);
    for (uint64_t i = 1; i <= 3; i++)
        rejects_add(r, i, "c", "r", slice_of("a\nrow"));
    begin(r, "b", 0);
    rejects_add(r, 1, "c", "r", slice_of("x"));
    assert_int_equal(rejects_sync(r, &err), 0);
    rejects_close(r);
    put("a,9,torn,\"wri");

    r = open_it(); /* the first two of a stay: the run that was killed had recorded them */
    begin(r, "a", 2);
    rejects_add(r, 5, "c", "r", slice_of("y"));
    rejects_close(r);
    assert_string_equal(read_back(),
                        HEAD "a,1,c,r,\"a\nrow\"\r\na,2,c,r,\"a\nrow\"\r\nb,1,c,r,x\r\na,5,c,r,y\r\n");

    r = open_it(); /* read anew: none of a stays */
    begin(r, "a", 0);
    rejects_close(r);
    assert_string_equal(read_back(), HEAD "b,1,c,r,x\r\n");
}

static void not_ours(void **state)
{
    struct err err = {0};
    (void)state;
    put("dear diary\n");
    struct rejects *r = open_it();
    assert_int_equal(rejects_begin(r, "a", 0, &err), WW_EIO);
    assert_non_null(strstr(err.msg, "no rejects file"));
    rejects_close(r);
    assert_string_equal(read_back(), "dear diary\n");
}

static void locked(void **state)
{
    struct err err = {0};
    struct rejects *two;
    struct rejects *r = open_it();
    (void)state;
    begin(r, "a", 0);
    assert_int_equal(rejects_open(&two, path, &err), WW_ELOCKED);
    rejects_close(r);
    assert_int_equal(rejects_open(&two, path, &err), 0);
    rejects_close(two);
    assert_int_equal(rejects_open(&two, "/nowhere/at/all", &err), WW_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(locked, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("rejects", tests, NULL, NULL);
}
