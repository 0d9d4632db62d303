/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/feed_options.h"

#include "adapters/library.h"
#include "lib/mem.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { USAGE = 2, RETRY_MS = 60 * 1000, NAMES_MAX = 64 };

enum option_id {
    OPT_PROFILE = 256,
    OPT_ENDPOINT,
    OPT_FOLLOW,
    OPT_DRY,
    OPT_REJECTS,
    OPT_SPOOL,
    OPT_KINDS,
    OPT_RETRY,
    OPT_OUTPUT,
    OPT_HELP,
    OPT_VERSION
};

static const struct option_row {
    const char *name, *value, *help;
    int id;
} rows[] = {
    {"profile", "NAME|FILE", "how the export becomes signals", OPT_PROFILE},
    {"endpoint", "E", "the daemon: ipc://PATH or tcp://HOST:PORT (else WAGEWARN_ENDPOINT)", OPT_ENDPOINT},
    {"follow", NULL, "stay, and send what is added to the inputs", OPT_FOLLOW},
    {"dry-run", NULL, "print the signals as JSON lines; send nothing, remember nothing", OPT_DRY},
    {"rejects", "FILE", "rows that cannot be signals, with line and reason (CSV)", OPT_REJECTS},
    {"spool", "DIR", "what must not be forgotten (else STATE_DIRECTORY, or under ~/.local/state)", OPT_SPOOL},
    {"kinds", "FILE", "the table of kinds (else the daemon's)", OPT_KINDS},
    {"retry", "SECONDS", "give up so long after the last acknowledgement; 0: never (60; 0 with --follow)",
     OPT_RETRY},
    {"output", "text|json", "form of the summary (also -o)", OPT_OUTPUT},
    {"help", NULL, "this text", OPT_HELP},
    {"version", NULL, "the version", OPT_VERSION},
};

static void print_help(void)
{
    struct arena a = {0};
    const char *names[NAMES_MAX];
    size_t n = library_names(&a, names, NAMES_MAX);
    puts("Examples:\n"
         "  wagewarn-feed --profile tax tax_risk.csv\n"
         "  wagewarn-feed --profile court --rejects rejects.csv cases-2026-03.jsonl cases-2026-04.jsonl\n"
         "  wagewarn-feed --profile police --follow /var/spool/police/calls.csv\n"
         "  wagewarn-feed --profile market --dry-run list.xlsx | head\n"
         "  wagewarn-feed tap market list.xlsx        each row: as read, as mapped, or why refused; sends "
         "nothing\n"
         "\n"
         "Usage: wagewarn-feed --profile NAME|FILE [OPTION]... INPUT...\n"
         "       wagewarn-feed tap NAME|FILE INPUT...\n"
         "\n"
         "Reads agencies' exports (CSV, TSV, JSON lines, .xlsx), maps rows to signals as the profile says, "
         "and sends\n"
         "them until they are acknowledged. Stopped or killed, it goes on where it was. Rows that cannot be "
         "signals go\n"
         "to the rejects file and do not make it fail. INPUT - is standard input.\n");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].value ? " " : "",
                 rows[i].value ? rows[i].value : "");
        printf("  %-22s %s\n", left, rows[i].help);
    }
    fputs("\nProfiles:", stdout);
    for (size_t i = 0; i < n; i++)
        printf(" %s", names[i]);
    puts("\nExit status: 0 done, 1 an input makes no sense, 2 usage, 69 no daemon, 74 disk, 75 try again, 77 "
         "denied,\n"
         "78 a mistake in the profile. See wagewarn-feed(1), wagewarn-profile(5).");
    arena_finish(&a);
}

static bool slip(int *status, const char *what, const char *given, const char *near)
{
    if (near)
        fprintf(stderr, "wagewarn-feed: %s \"%s\"; did you mean \"%s\"?\n", what, given, near);
    else
        fprintf(stderr, "wagewarn-feed: %s \"%s\"; try --help\n", what, given);
    *status = USAGE;
    return false;
}

static bool unknown_option(const char *given, int *status)
{
    char names[ARRAY_LEN(rows)][32];
    const char *list[ARRAY_LEN(rows)];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(names[i], sizeof names[i], "--%s", rows[i].name);
        list[i] = names[i];
    }
    struct slice word = {given, strcspn(given, "=")};
    return slip(status, "no such option:", given, nearest_word(word, list, ARRAY_LEN(rows)));
}

static bool take_output(struct feed_options *o, const char *v, int *status)
{
    o->json = strcmp(v, "json") == 0 || strcmp(v, "jsonl") == 0;
    if (o->json || strcmp(v, "text") == 0 || strcmp(v, "table") == 0)
        return true;
    return slip(status, "--output is text or json, not", v, NULL);
}

static bool take_retry(struct feed_options *o, const char *v, int *status)
{
    char *end;
    unsigned long s = strtoul(v, &end, 10);
    if (*v < '0' || *v > '9' || *end || s > 86400 * 7)
        return slip(status, "--retry wants a number of seconds, not", v, NULL);
    o->retry_ms = (int)(s * 1000);
    return true;
}

/* False: the program ends. */
static bool take(struct feed_options *o, int id, const char *v, int *status)
{
    *status = 0;
    switch (id) {
    case OPT_PROFILE:
        o->profile = v;
        return true;
    case OPT_ENDPOINT:
        o->endpoint = v;
        return true;
    case OPT_FOLLOW:
        o->follow = true;
        return true;
    case OPT_DRY:
        o->dry = true;
        return true;
    case OPT_REJECTS:
        o->rejects = strcmp(v, "-") == 0 ? "/dev/stdout" : v;
        return true;
    case OPT_SPOOL:
        o->spool = v;
        return true;
    case OPT_KINDS:
        o->kinds = v;
        return true;
    case OPT_RETRY:
        return take_retry(o, v, status);
    case OPT_OUTPUT:
    case 'o':
        return take_output(o, v, status);
    case OPT_HELP:
    case 'h':
        print_help();
        return false;
    default:
        puts("wagewarn-feed " WW_VERSION);
        return false;
    }
}

static bool parse(struct feed_options *o, int argc, char **argv, int *status)
{
    struct option longs[ARRAY_LEN(rows) + 1] = {{0}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        longs[i] =
            (struct option){rows[i].name, rows[i].value ? required_argument : no_argument, NULL, rows[i].id};
    opterr = 0;
    for (;;) {
        int at = optind;
        int id = getopt_long(argc, argv, ":o:h", longs, NULL);
        if (id == -1)
            return true;
        if (id == ':')
            return slip(status, "a value is missing after", argv[at], NULL);
        if (id == '?')
            return unknown_option(argv[at], status);
        if (!take(o, id, optarg, status))
            return false;
    }
}

static bool complete(struct feed_options *o, int *status)
{
    const char *missing = !o->profile ? "--profile" : o->n_inputs == 0 ? "INPUT" : NULL;
    if (missing)
        return slip(status, "this is missing:", missing, NULL);
    if (o->follow && o->dry)
        return slip(status, "this cannot go with --dry-run:", "--follow", NULL);
    const char *env = getenv("WAGEWARN_ENDPOINT");
    if (!o->endpoint)
        o->endpoint = env && *env ? env : "tcp://127.0.0.1:7410";
    return true;
}

bool feed_options(struct feed_options *o, int argc, char **argv, int *status)
{
    *o = (struct feed_options){.retry_ms = -1};
    *status = 0;
    if (!parse(o, argc, argv, status))
        return false;
    if (optind < argc && strcmp(argv[optind], "tap") == 0 && !o->profile) {
        o->tap = o->dry = true;
        optind++;
        o->profile = optind < argc ? argv[optind++] : NULL;
    }
    o->inputs = (const char *const *)argv + optind;
    o->n_inputs = (size_t)(argc - optind);
    if (!complete(o, status))
        return false;
    if (o->retry_ms < 0)
        o->retry_ms = o->follow ? 0 : RETRY_MS;
    return true;
}

static char *joined(const char *dir, size_t n, const char *rest)
{
    char *out = mem_alloc(n + strlen(rest) + 1);
    memcpy(out, dir, n);
    memcpy(out + n, rest, strlen(rest) + 1);
    return out;
}

char *feed_spool_dir(const struct feed_options *o, struct err *err)
{
    const char *state = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (o->spool)
        return joined(o->spool, strlen(o->spool), "");
    if (state && *state)
        return joined(state, strcspn(state, ":"), "");
    if (xdg && *xdg)
        return joined(xdg, strlen(xdg), "/wagewarn-feed");
    if (home && *home)
        return joined(home, strlen(home), "/.local/state/wagewarn-feed");
    err_set(err, WW_EUSAGE, "no place for the spool: name a folder with --spool");
    return NULL;
}
