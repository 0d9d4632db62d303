/* SPDX-License-Identifier: Apache-2.0 */
/* lib/val: the public accessors and the typed look-ups, over a value made by hand. */
#include "lib/val.h"

#include "test.h"

static struct ww_value items[] = {
    {.type = WW_INT, .i = -5},
    {.type = WW_INT, .i = 5},
    {.type = WW_UINT, .u = UINT64_MAX},
    {.type = WW_STR, .s = "text", .n = 4},
    {.type = WW_STR, .s = "\xff", .n = 1},
    {.type = WW_BOOL, .b = true},
    {.type = WW_NIL},
    {.type = WW_LIST, .n = 2, .items = items},
};
static struct slice keys[] = {
    {"minus", 5}, {"plus", 4}, {"huge", 4}, {"text", 4}, {"broken", 6}, {"flag", 4}, {"nil", 3}, {"list", 4},
};
static const struct ww_value map = {.type = WW_MAP, .n = ARRAY_LEN(items), .items = items, .keys = keys};

static void accessors(void **state)
{
    (void)state;
    assert_int_equal(ww_type(NULL), WW_NIL);
    assert_int_equal(ww_type(&map), WW_MAP);
    assert_int_equal(ww_length(&map), 8);
    assert_int_equal(ww_length(ww_get(&map, "list")), 2);
    assert_int_equal(ww_length(ww_get(&map, "text")), 0);
    assert_int_equal(ww_length(NULL), 0);
    assert_null(ww_get(&map, "tex"));
    assert_null(ww_get(NULL, "text"));
    assert_null(ww_get(&items[0], "text"));
    assert_string_equal(ww_key(&map, 3), "text");
    assert_null(ww_key(&map, 8));
    assert_null(ww_key(ww_get(&map, "list"), 0));
    assert_ptr_equal(ww_at(&map, 3), &items[3]);
    assert_null(ww_at(&map, 8));
    assert_null(ww_at(&items[0], 0));
    assert_int_equal(ww_int(ww_at(ww_get(&map, "list"), 0), 0), -5);
}

static void numbers_and_texts(void **state)
{
    (void)state;
    assert_int_equal(ww_int(ww_get(&map, "minus"), 9), -5);
    assert_int_equal(ww_int(ww_get(&map, "huge"), 9), 9);
    assert_int_equal(ww_int(ww_get(&map, "text"), 9), 9);
    assert_int_equal(ww_int(NULL, 9), 9);
    assert_true(ww_uint(ww_get(&map, "huge"), 9) == UINT64_MAX);
    assert_true(ww_uint(ww_get(&map, "plus"), 9) == 5);
    assert_true(ww_uint(ww_get(&map, "minus"), 9) == 9);
    assert_string_equal(ww_str(ww_get(&map, "text"), "x"), "text");
    assert_string_equal(ww_str(ww_get(&map, "plus"), "x"), "x");
    assert_string_equal(ww_str(NULL, "x"), "x");
}

static void look_ups(void **state)
{
    (void)state;
    struct slice s = {0};
    int64_t i = 1;
    uint64_t u = 1;
    bool b = false;
    const struct ww_value *list = NULL;
    assert_int_equal(val_str(&map, "text", &s), 1);
    assert_true(slice_is(s, "text"));
    assert_int_equal(val_str(&map, "broken", &s), -1);
    assert_int_equal(val_str(&map, "plus", &s), -1);
    assert_int_equal(val_str(&map, "nil", &s), -1);
    assert_int_equal(val_str(&map, "none", &s), 0);
    assert_true(slice_is(s, "text"));
    assert_int_equal(val_int(&map, "minus", &i), 1);
    assert_int_equal(i, -5);
    assert_int_equal(val_int(&map, "huge", &i), -1);
    assert_int_equal(val_int(&map, "none", &i), 0);
    assert_int_equal(i, -5);
    assert_int_equal(val_uint(&map, "huge", &u), 1);
    assert_true(u == UINT64_MAX);
    assert_int_equal(val_uint(&map, "plus", &u), 1);
    assert_true(u == 5);
    assert_int_equal(val_uint(&map, "minus", &u), -1);
    assert_int_equal(val_bool(&map, "flag", &b), 1);
    assert_true(b);
    assert_int_equal(val_bool(&map, "plus", &b), -1);
    assert_int_equal(val_list(&map, "list", &list), 1);
    assert_ptr_equal(list, &items[7]);
    assert_int_equal(val_list(&map, "text", &list), -1);
    assert_int_equal(val_list(NULL, "text", &list), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accessors),
        cmocka_unit_test(numbers_and_texts),
        cmocka_unit_test(look_ups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
