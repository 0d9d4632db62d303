/* SPDX-License-Identifier: Apache-2.0 */
/* lib/log: what a line looks like, read back through a pipe in the place of standard error. */
#include "lib/log.h"

#include "test.h"

#include <stdlib.h>
#include <unistd.h>

static int from_log, old_stderr;

static int setup(void **state)
{
    (void)state;
    int fds[2];
    unsetenv("JOURNAL_STREAM");
    old_stderr = dup(STDERR_FILENO);
    if (old_stderr < 0 || pipe(fds) || dup2(fds[1], STDERR_FILENO) < 0)
        return -1;
    close(fds[1]);
    from_log = fds[0];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dup2(old_stderr, STDERR_FILENO);
    close(old_stderr);
    close(from_log);
    return 0;
}

/* What was written since; the line of each test is shorter than a pipe, so one read has it whole. */
static const char *written(void)
{
    static char text[8192];
    static const char mark[] = "#";
    assert_int_equal(write(STDERR_FILENO, mark, 1), 1); /* there is always something to read */
    ssize_t n = read(from_log, text, sizeof text - 1);
    assert_true(n >= 1 && text[n - 1] == '#');
    text[n - 1] = 0;
    return text;
}

static void a_line(void **state)
{
    (void)state;
    log_open(LOG_L_INFO);
    log_line(LOG_L_INFO, "signals stored", "source=%s accepted=%d", "tax", 100);
    assert_string_equal(written(), "signals stored source=tax accepted=100\n");
    log_line(LOG_L_NOTICE, "ready", NULL);
    assert_string_equal(written(), "ready\n");
}

static void priorities(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "8:1", 1);
    log_open(LOG_L_NOTICE);
    log_line(LOG_L_ERROR, "disk failed", "errno=%d", 5);
    assert_string_equal(written(), "<3>disk failed errno=5\n");
    log_line(LOG_L_INFO, "chatter", NULL);
    assert_string_equal(written(), "");
    unsetenv("JOURNAL_STREAM");
    log_open(LOG_L_DEBUG);
    log_line(LOG_L_DEBUG, "detail", NULL);
    assert_string_equal(written(), "detail\n");
}

static void one_line_whatever_comes(void **state)
{
    (void)state;
    log_open(LOG_L_INFO);
    log_line(LOG_L_INFO, "refused", "reason=%s", "a\n<3>forged\x7f");
    assert_string_equal(written(), "refused reason=a <3>forged \n");
}

static void too_long_is_cut(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    log_open(LOG_L_INFO);
    log_line(LOG_L_INFO, "long", "text=%s", text);
    const char *line = written();
    size_t n = strlen(line);
    assert_int_equal(n, 2048);
    assert_string_equal(line + n - 5, "x...\n");
}

static void quote(void **state)
{
    (void)state;
    static const struct {
        const char *value, *want;
        size_t cap;
    } t[] = {
        {"plain", "plain", 64},
        {"", "\"\"", 64},
        {"two words", "\"two words\"", 64},
        {"a=b", "\"a=b\"", 64},
        {"say \"x\\y\"", "\"say \\\"x\\\\y\\\"\"", 64},
        {"a\nb\x01", "\"a\\nb\\x01\"", 64},
        {"plain", "plain", 6},
        {"plainer", "\"pla\"", 6},
        {"a b", "\"a\"", 4},
        {"a 平湖", "\"a 平\"", 9},
    };
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        char out[64];
        assert_string_equal(log_quote(out, t[i].cap, slice_of(t[i].value)), t[i].want);
    }
    char tiny[2] = "#";
    assert_string_equal(log_quote(tiny, sizeof tiny, SLICE("x")), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line),
        cmocka_unit_test(priorities),
        cmocka_unit_test(one_line_whatever_comes),
        cmocka_unit_test(too_long_is_cut),
        cmocka_unit_test(quote),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
