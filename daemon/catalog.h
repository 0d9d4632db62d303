/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon believes in: kinds, regions, calendar, rules, loaded from files and made into the settings
 * tree that is journalled whole. Immutable once loaded; any thread may read it. Main thread loads. */
#ifndef DAEMON_CATALOG_H
#define DAEMON_CATALOG_H

#include "daemon/campaigns.h"
#include "daemon/report.h"
#include "lib/hash.h"
#include "lib/kind.h"
#include "lib/region.h"
#include "lib/tree.h"

struct settings;

struct catalog_files {
    const char *kinds, *regions, *rules;
    const char *festivals;  /* first days of lunar years */
    const char *calendar;   /* folder of YEAR.csv: days off and made-up working days */
    const char *thresholds; /* lines of the law */
    const char *areas, *shadow, *teams, *measures, *deadlines, *duties; /* YAML; NULL: none */
    const char *campaigns;  /* the same; no part of the settings */
    int64_t timezone_ms;
    int64_t retention_ms;   /* no window of a rule may be longer; 0: not asked */
};

struct catalog {
    struct kinds *kinds;
    struct regions *regions;
    const struct tree *rules;    /* the rules file as read */
    const struct tree *teams, *measures, *deadlines; /* as read; NULL: none */
    const struct tree *settings; /* engine/settings.h says what is in it; in the arena */
    struct settings *compiled;   /* of it: what queries and event texts ask of teams, measures and the calendar */
    struct campaigns campaigns;
    uint8_t hash[CHAIN_LEN];     /* BLAKE2b-256 of the encoded settings: their version */
};

/* Loads and checks everything, so that all mistakes of all files are told at once. False: the report says
 * what. */
bool catalog_load(struct catalog *, const struct catalog_files *, struct arena *, struct report *) WW_CHECK;
void catalog_finish(struct catalog *);

/* YAML of a file; mistakes go to the report. NULL: there were some. *text stays for later mistakes' lines. */
const struct tree *catalog_read_yaml(const char *path, struct arena *, struct slice *text, struct report *);

#endif
