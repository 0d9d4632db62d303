/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: options of the command line over wagewarn.yaml over defaults; loaded whole or not at
 * all, by one checker for --check-config, start and reload. A loaded one never changes; it lives while
 * somebody holds it, since queries on their own thread name its tables. Main thread. */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include "daemon/catalog.h"
#include "daemon/principal.h"
#include "daemon/report.h"

enum { LISTEN_MAX = 32 };

struct options {
    const char *config;    /* NULL: no file */
    const char *state_dir; /* NULL: not given */
    const char *listen[LISTEN_MAX];
    unsigned n_listen;
    bool check_config, rebuild;
};

struct config_listen {
    const char *address, *principal;
    const char *curve; /* file of the secret key; NULL: no CURVE */
};

struct config_limits {
    int64_t max_batch, max_bytes; /* of one message of a client */
    int64_t cache;                /* bytes of records kept in memory */
    int64_t debt;                 /* rows not yet in the view at which signals wait */
    int64_t disk_free_ppm;        /* below it new signals get `busy` */
    int64_t presence_ms;          /* that a team listens, or not, is journalled no more often than this */
};

struct config {
    unsigned holders;
    struct arena arena;
    const char *file; /* NULL: none */
    const char *state_dir;
    struct config_listen listen[LISTEN_MAX];
    unsigned n_listen;
    int64_t timezone_ms, retention_audit_ms;
    struct config_limits limits;
    struct catalog catalog;
    struct principals principals;
};

/* 0; 1: --help or --version was answered; WW_EUSAGE: a sentence went to standard error. */
int options_parse(struct options *, int argc, char **argv) WW_CHECK;

/* NULL: the report says what is wrong. The caller holds the result. */
struct config *config_load(const struct options *, struct report *) WW_CHECK;
void config_hold(struct config *);
void config_release(struct config *); /* NULL is fine */

/* What of a new configuration takes effect at a restart only; NULL: nothing does. */
const char *config_needs_restart(const struct config *now, const struct config *next);

#endif
