/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns (专项行动): saved selections of alerts, from config/campaigns.yaml. The fold knows nothing of them: they are asked
 * about, and change nothing. Immutable once loaded, in the catalog's arena; any thread may read them. */
#ifndef DAEMON_CAMPAIGNS_H
#define DAEMON_CAMPAIGNS_H

#include "lib/kind.h"
#include "lib/region.h"
#include "lib/tree.h"

enum { CAMPAIGNS_MAX = 256, CAMPAIGN_LIST_MAX = 256 };

struct campaign {
    struct slice id, zh, en;
    int64_t from, to;          /* ms: alerts raised in [from, to) */
    uint32_t n_regions, n_industries, n_kinds; /* any of them; 0: all */
    region_t *regions;         /* prefixes */
    struct slice *industries;  /* prefixes */
    struct slice *kinds;       /* among the evidence of any of its events */
    unsigned levels;           /* 1 << enum level: the highest that it reached; 0: all */
};

struct campaigns {
    uint32_t n;
    struct campaign *list;
};

/* All mistakes are told; *out is as far as it could be read. t NULL: none. */
void campaigns_load(const struct tree *t, int64_t timezone_ms, const struct kinds *, struct arena *, struct mistakes *,
                    struct campaigns *out);
const struct campaign *campaign_named(const struct campaigns *, struct slice id); /* NULL: none */

#endif
