/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of wagewarnd. Owns nothing. Main thread. */
#include "daemon/config.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: wagewarnd [--config FILE] [--state-dir DIR] [--listen ENDPOINT]... [--check-config] [--rebuild]\n"
    "\n"
    "Early warning of wage arrears: takes signals of agencies, puts them together per enterprise, warns.\n"
    "\n"
    "examples:\n"
    "  wagewarnd                                     built-in defaults, state in ./wagewarn-state\n"
    "  wagewarnd --config /etc/wagewarn/wagewarn.yaml\n"
    "  wagewarnd --config /etc/wagewarn/wagewarn.yaml --check-config\n"
    "\n"
    "options (they win over the file):\n"
    "  --config FILE       configuration, wagewarn.yaml(5); reloaded at SIGHUP\n"
    "  --state-dir DIR     journal and view; default $STATE_DIRECTORY, else ./wagewarn-state\n"
    "  --listen ENDPOINT   where to listen, instead of what the file says; may be given several times\n"
    "  --check-config      check the configuration and all files it names, and exit\n"
    "  --rebuild           throw the view away and fold it again from the journal\n"
    "  --help, --version\n"
    "\n"
    "exit status: 0 done; 2 usage; 74 a disk error; 75 try again later; 77 not allowed; 78 a mistake in the\n"
    "configuration\n";

enum { OPT_CONFIG = 1, OPT_STATE_DIR, OPT_LISTEN, OPT_CHECK, OPT_REBUILD, OPT_HELP, OPT_VERSION };

static const struct option longs[] = {
    {"config", required_argument, NULL, OPT_CONFIG}, {"state-dir", required_argument, NULL, OPT_STATE_DIR},
    {"listen", required_argument, NULL, OPT_LISTEN}, {"check-config", no_argument, NULL, OPT_CHECK},
    {"rebuild", no_argument, NULL, OPT_REBUILD},     {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},     {NULL, 0, NULL, 0},
};

static int usage(const char *what)
{
    fprintf(stderr, "wagewarnd: %s; 'wagewarnd --help' shows the options\n", what);
    return WW_EUSAGE;
}

/* What getopt stopped at, in our own words. */
static int wrong_option(int got, char **argv)
{
    char what[160];
    const char *arg = argv[optind - 1];
    if (got == ':')
        snprintf(what, sizeof what, "%.60s wants a value behind it", arg);
    else if (optopt >= OPT_CONFIG && optopt <= OPT_VERSION)
        snprintf(what, sizeof what, "%.60s takes no value; leave it out", arg);
    else if (optopt)
        snprintf(what, sizeof what, "there is no option -%c", optopt);
    else
        snprintf(what, sizeof what, "%.60s is no option, or might be several", arg);
    return usage(what);
}

int options_parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){0};
    int got;
    while ((got = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        switch (got) {
        case OPT_CONFIG:
            o->config = optarg;
            break;
        case OPT_STATE_DIR:
            o->state_dir = optarg;
            break;
        case OPT_LISTEN:
            if (o->n_listen == LISTEN_MAX)
                return usage("too many --listen");
            o->listen[o->n_listen++] = optarg;
            break;
        case OPT_CHECK:
            o->check_config = true;
            break;
        case OPT_REBUILD:
            o->rebuild = true;
            break;
        case OPT_HELP:
            fputs(help, stdout);
            return 1;
        case OPT_VERSION:
            puts("wagewarnd " WW_VERSION);
            return 1;
        default:
            return wrong_option(got, argv);
        }
    }
    return optind < argc ? usage("arguments without an option are not understood") : 0;
}
