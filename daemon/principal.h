/* SPDX-License-Identifier: Apache-2.0 */
/* Principals: who a client is once its connection is known, and what it may. A table is made whole from
 * principals.yaml and never changes; a reload makes another. Pure; main thread makes it, any thread may read
 * it. */
#ifndef DAEMON_PRINCIPAL_H
#define DAEMON_PRINCIPAL_H

#include "lib/arena.h"
#include "lib/base.h"
#include "lib/region.h"
#include "lib/tree.h"

enum principal_may {
    MAY_SEND = 1,      /* signals */
    MAY_SUBSCRIBE = 2, /* alert events */
    MAY_ACT = 4,
    MAY_READ = 8, /* alerts and enterprises by query; kinds, rules and feeds may all */
};

enum { KEY_TEXT_LEN = 40 }; /* a CURVE key as Z85 */

struct principal {
    const char *name, *role; /* role: feeder, inspector, operator, auditor, local */
    uint8_t may;             /* enum principal_may */
    bool local;              /* its signals' source is the agency of the kind, not its name */
    bool may_name;           /* its signals bind names to codes */
    bool every_kind;
    uint32_t n_agencies, n_kinds, n_regions;
    const char *const *agencies, *const *kinds;
    const region_t *regions; /* prefixes it may see; none: all */
    const char *key;         /* "" : none, known by its endpoint only */
    const char *team;        /* "" : none */
};

struct principals {
    uint32_t n;
    struct principal *list;
    bool listed; /* there is a file: a name that is not in it is nobody */
};

extern const struct principal principal_local;

/* From the document of principals.yaml; mistakes get their places. Names and lists go to the arena. */
void principals_load(struct principals *, const struct tree *, struct arena *, struct mistakes *);
const struct principal *principals_named(const struct principals *, struct slice name); /* NULL: nobody */
const struct principal *principals_keyed(const struct principals *, struct slice key);
/* For an endpoint that names a principal while there is no file: everything `local` may, under its own name.
 */
void principals_add_trusted(struct principals *, struct slice name, struct arena *);

bool principal_may_send(const struct principal *, struct slice kind);
bool principal_sees(const struct principal *, region_t); /* region 0, not known: only who sees all */

#endif
