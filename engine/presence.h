/* SPDX-License-Identifier: Apache-2.0 */
/* Which teams listen, and which alerts wait for somebody who looks. Shared by presence.c and waiting.c. Writer thread. */
#ifndef ENGINE_PRESENCE_H
#define ENGINE_PRESENCE_H

#include "engine/fold.h"

struct listener {
    struct arena arena;      /* of id and wishes */
    struct slice id;
    bool listening;
    int64_t changed_at;      /* of its last entry */
    uint32_t n_wishes;       /* 0: it hears all */
    const struct entry_wish *wishes;
};

struct presence {
    bool known;
    int64_t begun_at;        /* the daemon's last start: nobody listened */
    struct listener *teams;  /* that were told of since, sorted */
    size_t n, cap;
    /* of waiting.c */
    int64_t lost_at;         /* when a team last ceased to hear something; NO_INT: never */
    int64_t walk_at;         /* when those that wait are next looked at; NO_INT: nobody has gone */
    uint32_t walk_page;
};

void presence_store(struct engine *);
bool presence_known(const struct engine *); /* there are teams, and it was told who listens */

#endif
