/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a state directory folded again in memory, up to a time or under other rules: what `explain --at`,
 * `explain --with-rules` and `backtest` stand on. Reads beside a daemon at work; locks and changes nothing. The fold is
 * the engine itself. One thread. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include "engine/engine.h"
#include "lib/tree.h"

struct replay_options {
    int64_t until;               /* ms: entries up to it, and what is due up to it; NO_INT: the whole journal */
    const struct tree *override; /* a map: each of its keys replaces that key of every configuration entry; NULL: none */
    const char *override_name;   /* its file, for sentences */
    /* Each alert event as it comes, valid until the call returns; NULL: none is wanted. */
    void (*event)(void *arg, const struct event *, const struct dict *);
    /* Each entry as it is read, before it is folded; NULL. */
    void (*entry)(void *arg, uint64_t number, int64_t time, const struct entry *);
    void *arg;
    bool brief;                  /* events without signals and evidence */
};

struct replay {
    struct engine *engine; /* as it stood then */
    uint64_t entries;      /* folded */
    int64_t time;          /* of the last one; NO_INT: none */
};

/* state_dir is the daemon's; its journal lies in it. Tells its progress on a terminal when it takes long.
 * WW_ENOTFOUND: no journal, or its first entries are gone. WW_EDAMAGED, WW_EIO. WW_ECONFIG: the override does not go with
 * the kinds that the journal had. On failure the engine is gone. */
int replay_journal(struct replay *, const char *state_dir, const struct replay_options *, struct err *) WW_CHECK;
void replay_finish(struct replay *);

#endif
