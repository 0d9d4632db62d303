/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what is taken, what is refused with its place, which of option, file, environment and
 * default wins. */
#include "test.h"

#include "daemon/config.h"

#include <stdlib.h>
#include <unistd.h>

struct setting {
    char dir[64];
    char file[96];
    struct report report;
};

static int set_up(void **state)
{
    static struct setting s;
    s = (struct setting){.dir = "/tmp/ww-config-XXXXXX"};
    assert_non_null(mkdtemp(s.dir));
    snprintf(s.file, sizeof s.file, "%s/wagewarn.yaml", s.dir);
    unsetenv("STATE_DIRECTORY");
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *s = *state;
    report_finish(&s->report);
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", s->dir);
    return system(command);
}

static void write_to(const struct setting *s, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct config *load(struct setting *s, const char *text)
{
    struct options o = {.config = s->file};
    report_finish(&s->report);
    write_to(s, "wagewarn.yaml", text);
    return config_load(&o, &s->report);
}

static void test_defaults(void **state)
{
    struct setting *s = *state;
    struct options o = {0};
    struct config *c = config_load(&o, &s->report);
    assert_non_null(c);
    assert_string_equal(c->state_dir, "./wagewarn-state");
    assert_int_equal(c->n_listen, 2);
    assert_string_equal(c->listen[0].address, "tcp://127.0.0.1:7410");
    assert_string_equal(c->listen[1].address, "ipc://./wagewarn-state/wagewarn.sock");
    assert_string_equal(c->listen[0].principal, "local");
    assert_int_equal(c->limits.max_batch, 1000);
    assert_int_equal(c->limits.max_bytes, 1 << 20);
    assert_non_null(kinds_find(c->catalog.kinds, SLICE("tax.arrears")));
    assert_true(regions_has(c->catalog.regions, region_of(SLICE("330482"))));
    config_release(c);
}

static void test_who_wins(void **state)
{
    struct setting *s = *state;
    setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1);
    struct config *c = load(s, "timezone: \"+08:00\"\n");
    assert_non_null(c);
    assert_string_equal(c->state_dir, "/var/lib/a");
    config_release(c);
    c = load(s, "state_dir: here\nlisten: [\"tcp://127.0.0.1:1\"]\n");
    assert_non_null(c);
    char here[96];
    snprintf(here, sizeof here, "%s/here", s->dir);
    assert_string_equal(c->state_dir, here); /* beside the file, over the environment */
    config_release(c);
    struct options o = {.config = s->file, .state_dir = "there", .listen = {"ipc:///tmp/x"}, .n_listen = 1};
    c = config_load(&o, &s->report);
    assert_non_null(c);
    assert_string_equal(c->state_dir, "there");
    assert_int_equal(c->n_listen, 1);
    assert_string_equal(c->listen[0].address, "ipc:///tmp/x");
    config_release(c);
    unsetenv("STATE_DIRECTORY");
}

/* A hole in the teams names the place. */
static void test_hole_in_teams(void **state)
{
    struct setting *s = *state;
    write_to(s, "teams.yaml", "version: 1\ncovers: [\"330482001\", \"330482101\"]\ntiers: [{id: town, zh: 镇, en: town}]\n"
                              "teams: [{id: a, name: {zh: 甲, en: a}, tier: town, regions: \"330482001\"}]\n");
    assert_null(load(s, "teams: teams.yaml\n"));
    assert_int_equal(s->report.errors, 1);
    buf_u8(&s->report.text, 0);
    assert_non_null(strstr((const char *)s->report.text.p, "teams.yaml: no team answers for 330482101 at the tier \"town\""));
}

static void test_all_keys(void **state)
{
    struct setting *s = *state;
    write_to(s, "principals.yaml",
             "principals:\n  - {name: tax, role: feeder, agencies: [tax], may_name: false}\n"
             "  - {name: pinghu, role: inspector, regions: [\"330482\"]}\n");
    write_to(s, "teams.yaml", "version: 1\ncovers: [\"330482001\"]\ntiers: [{id: town, zh: 镇, en: town}]\n"
                              "teams: [{id: a, name: {zh: 甲, en: a}, tier: town, regions: \"330482\"}]\n");
    struct config *c =
        load(s, "listen:\n  - {endpoint: \"tcp://127.0.0.1:7411\", principal: tax}\n"
                "  - {endpoint: \"tcp://0.0.0.0:7412\", curve: server.key}\n"
                "timezone: \"+06:30\"\nprincipals: principals.yaml\nteams: teams.yaml\n"
                "retention: {audit: 500d}\n"
                "limits: {max_batch: 10, max_bytes: 128KiB, cache: 64MiB, debt: 20000, disk_free: 0.1}\n");
    assert_non_null(c);
    assert_string_equal(c->listen[0].principal, "tax");
    assert_null(c->listen[0].curve);
    char key[96];
    snprintf(key, sizeof key, "%s/server.key", s->dir);
    assert_string_equal(c->listen[1].curve, key);
    assert_int_equal(c->timezone_ms, (6 * 60 + 30) * 60000);
    assert_int_equal(c->retention_audit_ms, 500 * DAY_MS);
    assert_int_equal(c->limits.max_batch, 10);
    assert_int_equal(c->limits.max_bytes, 128 << 10);
    assert_int_equal(c->limits.cache, 64 << 20);
    assert_int_equal(c->limits.debt, 20000);
    assert_int_equal(c->limits.disk_free_ppm, 100000);
    const struct principal *tax = principals_named(&c->principals, SLICE("tax"));
    assert_non_null(tax);
    assert_int_equal(tax->may, MAY_SEND);
    assert_false(tax->may_name);
    assert_true(principal_may_send(tax, SLICE("tax.arrears")));
    assert_false(principal_may_send(tax, SLICE("taxi.arrears")));
    const struct principal *pinghu = principals_named(&c->principals, SLICE("pinghu"));
    assert_true(principal_sees(pinghu, region_of(SLICE("330482001"))));
    assert_false(principal_sees(pinghu, region_of(SLICE("3304"))));
    assert_false(principal_sees(pinghu, 0));
    assert_null(principals_named(&c->principals, SLICE("nobody")));
    config_release(c);
}

/* Text, line of the mistake, a part of its sentence. */
static const struct {
    const char *text;
    unsigned line;
    const char *part;
} mistakes[] = {
    {"listn: []\n", 1, "unknown key \"listn\""},
    {"timezone: \"+08:00\"\nlisten: []\n", 2, "must be a list"},
    {"listen: [tcp://0.0.0.0:7410]\n", 1, "no CURVE key"},
    {"listen: [\"tcp://*:7410\"]\n", 1, "no CURVE key"},
    {"listen: [\"tcp://127.0.0.1\"]\n", 1, "a port"},
    {"listen: [\"tcp://127.0.0.1:70000\"]\n", 1, "a port"},
    {"listen: [\"tcp://127.0.0.1:1x\"]\n", 1, "a port"},
    {"listen: [\"udp://127.0.0.1:7410\"]\n", 1, "an endpoint is"},
    {"listen: [\"ipc://@abstract\"]\n", 1, "must be a file"},
    {"listen: [{principal: tax}]\n", 1, "with one"},
    {"listen:\n  - {endpoint: \"tcp://127.0.0.1:1\",\n     curves: x}\n", 3, "unknown key \"curves\""},
    {"timezone: Asia/Shanghai\n", 1, "fixed offset"},
    {"retention: {audit: 30d}\n", 1, "six months"},
    {"retention: {audit: 400}\n", 1, "\"audit\" has no unit"},
    {"limits: {max_batch: 0}\n", 1, "from 1 to 10000"},
    {"limits: {max_bytes: 1048576}\n", 1, "must be a size"},
    {"limits: {disk_free: 5}\n", 1, "share of the disk"},
    {"limits:\n  max_batsh: 5\n", 2, "unknown key \"max_batsh\" of \"limits\""},
    {"rules: [a]\n", 1, "the name of a file"},
    {"- a\n", 1, "must be a map"},
};

static void test_mistakes(void **state)
{
    struct setting *s = *state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        assert_null(load(s, mistakes[i].text));
        assert_int_equal(s->report.code, WW_ECONFIG);
        assert_int_equal(s->report.lines[0].line, mistakes[i].line);
        assert_non_null(strstr(s->report.lines[0].sentence, mistakes[i].part));
    }
}

static void test_listen(void **state)
{
    struct setting *s = *state;
    struct config *c = load(s, "listen: [\"tcp://localhost:1\", \"tcp://[::1]:1\", \"tcp://127.8.0.1:1\", "
                               "\"tcp://127.0.0.1:0\", \"tcp://127.0.0.1:0\"]\n");
    assert_non_null(c);
    assert_string_equal(c->listen[0].address, "tcp://127.0.0.1:1"); /* libzmq binds to no name */
    assert_string_equal(c->listen[1].address, "tcp://[::1]:1");
    config_release(c);
    assert_null(load(s, "listen:\n  - tcp://127.0.0.1:1\n  - tcp://localhost:1\n  - ipc:///tmp/a\n  - ipc:///tmp/a\n"));
    assert_int_equal(s->report.errors, 2);
    assert_string_equal(s->report.lines[0].sentence, "\"tcp://127.0.0.1:1\" stands here twice");
    assert_int_equal(s->report.lines[1].line, 5);
    report_finish(&s->report);
    assert_null(load(s, "listen: [\"tcp://127.example.org:1\"]\n"));
    report_finish(&s->report);
}

static void test_all_missing_files_at_once(void **state)
{
    struct setting *s = *state;
    assert_null(load(s, "areas: no-a.yaml\nteams: no-t.yaml\nmeasures: no-m.yaml\n"));
    assert_int_equal(s->report.errors, 3);
    report_finish(&s->report);
}

static void test_hint(void **state)
{
    struct setting *s = *state;
    assert_null(load(s, "lisen: []\nstate-dir: x\n"));
    buf_u8(&s->report.text, 0);
    assert_int_equal(s->report.errors, 2); /* all at once */
    assert_non_null(strstr((char *)s->report.text.p, "did you mean \"listen\"?"));
    assert_non_null(strstr((char *)s->report.text.p, "did you mean \"state_dir\"?"));
}

static void test_mistakes_of_other_files(void **state)
{
    struct setting *s = *state;
    write_to(s, "rules.yaml", "version: 1\nrules:\n  - {id: a, when: {al: []}, then: {raise: general}}\n");
    write_to(s, "bad.csv", "kind,agency\n");
    assert_null(load(s, "rules: rules.yaml\n"));
    const struct report_line *l = &s->report.lines[s->report.n - 1];
    assert_int_equal(l->line, 3);
    assert_non_null(strstr(l->file, "rules.yaml"));
    assert_null(load(s, "kinds: bad.csv\n"));
    assert_non_null(strstr(s->report.lines[0].sentence, "bad.csv:1"));
    assert_null(load(s, "regions: none.csv\n"));
    assert_non_null(strstr(s->report.lines[0].sentence, "none.csv"));
}

static void test_principals(void **state)
{
    struct setting *s = *state;
    static const char *const bad[] = {
        "principals: [{name: a}]",
        "principals: [{role: feeder, agencies: [tax]}]",
        "principals: [{name: a, role: king}]",
        "principals: [{name: a, role: feeder}]",
        "principals: [{name: a, role: auditor}, {name: a, role: auditor}]",
        "principals: [{name: a, role: auditor, key: short}]",
        "principals: [{name: a, role: auditor, regions: [x]}]",
        "principals: [{name: a, role: auditor, regions: []}]",
        "principals: [{name: a, role: auditor, may_name: maybe}]",
        "principals: 5",
        "principal: []",
        "principals: [{name: a, role: auditor, colour: red}]",
        "principals: [{name: \"a b\", role: auditor}]",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        write_to(s, "principals.yaml", bad[i]);
        assert_null(load(s, "principals: principals.yaml\n"));
        assert_int_equal(s->report.lines[0].line, 1);
    }
    write_to(s, "principals.yaml", "principals: [{name: a, role: auditor}]");
    assert_null(
        load(s, "principals: principals.yaml\nlisten: [{endpoint: \"tcp://127.0.0.1:1\", principal: b}]\n"));
    assert_non_null(strstr(s->report.lines[0].sentence, "no principal \"b\""));
    /* without a file a name is trusted as `local` is, and is its own source */
    struct config *c = load(s, "listen: [{endpoint: \"tcp://127.0.0.1:1\", principal: b}]\n");
    assert_non_null(c);
    const struct principal *b = principals_named(&c->principals, SLICE("b"));
    assert_non_null(b);
    assert_true(principal_may_send(b, SLICE("court.seizure")));
    assert_false(b->local);
    config_release(c);
}

static void test_version_of_settings(void **state)
{
    struct setting *s = *state;
    uint8_t first[CHAIN_LEN];
    struct config *c = load(s, "");
    assert_non_null(c);
    memcpy(first, c->catalog.hash, sizeof first);
    config_release(c);
    c = load(s, "limits: {max_batch: 5}\n"); /* nothing of the fold's */
    assert_memory_equal(first, c->catalog.hash, sizeof first);
    config_release(c);
    c = load(s, "timezone: \"+07:00\"\n");
    assert_memory_not_equal(first, c->catalog.hash, sizeof first);
    config_release(c);
}

static void test_restart(void **state)
{
    struct setting *s = *state;
    struct config *a = load(s, "listen: [\"tcp://127.0.0.1:1\"]\n");
    struct config *b = load(s, "listen: [\"tcp://127.0.0.1:1\"]\nlimits: {max_batch: 5}\n");
    struct config *c = load(s, "listen: [\"tcp://127.0.0.1:2\"]\n");
    struct config *d = load(s, "listen: [\"tcp://127.0.0.1:1\"]\nstate_dir: x\n");
    assert_null(config_needs_restart(a, b));
    assert_string_equal(config_needs_restart(a, c), "listen");
    assert_string_equal(config_needs_restart(a, d), "state_dir");
    config_release(a);
    config_release(b);
    config_release(c);
    config_release(d);
}

static int options_of(struct options *o, const char *a, const char *b, const char *c)
{
    char *argv[] = {(char *)(uintptr_t) "wagewarnd", (char *)(uintptr_t)a, (char *)(uintptr_t)b,
                    (char *)(uintptr_t)c, NULL};
    int argc = 1;
    while (argc < 4 && argv[argc])
        argc++;
    extern int optind;
    optind = 0;
    return options_parse(o, argc, argv);
}

static void test_options(void **state)
{
    (void)state;
    struct options o;
    assert_int_equal(options_of(&o, "--state-dir=/x", "--listen=ipc:///a", "--listen=ipc:///b"), 0);
    assert_string_equal(o.state_dir, "/x");
    assert_int_equal(o.n_listen, 2);
    assert_int_equal(options_of(&o, "--config", "f", "--check-config"), 0);
    assert_string_equal(o.config, "f");
    assert_true(o.check_config);
    assert_int_equal(options_of(&o, "--no-such", NULL, NULL), WW_EUSAGE);
    assert_int_equal(options_of(&o, "word", NULL, NULL), WW_EUSAGE);
    assert_int_equal(options_of(&o, "--config", NULL, NULL), WW_EUSAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hole_in_teams, set_up, tear_down), cmocka_unit_test_setup_teardown(test_all_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_listen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_missing_files_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes_of_other_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_principals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_version_of_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
