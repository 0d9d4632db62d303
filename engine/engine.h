/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's one door: apply(state, entry) -> state', alert events. Pure: no clock, no I/O, no randomness; the same
 * journal gives the same events, to the bit.
 *
 * Use: engine_create; then for each entry in the order of the journal engine_apply. Before new signals are appended,
 * engine_screen says which of them are duplicates. Between batches, engine_checkpoint hands what changed to whoever
 * keeps the view. All of it on one thread, the writer's; only dict_text may be called from others. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/dict.h"
#include "engine/entry.h"
#include "engine/event.h"
#include "engine/state.h"

/* Raised whenever the same journal may give other events or bytes than before; stored in the view. */
enum { FOLD_VERSION = 5 };

struct engine;

/* loader NULL: all in memory. Reads T_META, T_DICT, T_DUE from the loader. WW_EDAMAGED, WW_EIO. */
int engine_create(struct engine **, const struct state_loader *, size_t cache_bytes, struct err *) WW_CHECK;
void engine_destroy(struct engine *);

/* An engine that only answers (engine/whatif.h), over a store that another writes: reads settings, words and what was
 * reported when, never what is due or seen; must not be given an entry. Before each question engine_reader_renew takes it to
 * the moment that the loader shows now. Owned by the thread of the loader. WW_EDAMAGED, WW_EIO. */
int engine_create_reader(struct engine **, const struct state_loader *, struct err *) WW_CHECK;
int engine_reader_renew(struct engine *, struct err *) WW_CHECK;

uint64_t engine_number(const struct engine *); /* last entry applied, 0: none */
int64_t engine_time(const struct engine *);    /* its time */
uint64_t engine_events(const struct engine *); /* number of the last alert event, 0: none */
int64_t engine_next_due(const struct engine *); /* when the clock will change something; INT64_MAX: never */
const struct dict *engine_dict(const struct engine *);
/* Hash of the settings in force, {NULL,0} before the first config entry. */
struct slice engine_settings_hash(const struct engine *);

enum screened { SCREEN_NEW, SCREEN_DUPLICATE, SCREEN_UNKNOWN_CANCEL };

/* Before a signal is appended as entry `number`: is it new? A new one is remembered at once, so that the next of the
 * same batch is found too; after SCREEN_NEW the entry must be appended and applied, or the process must end. */
enum screened engine_screen(struct engine *, const struct entry_signal *, uint64_t number);

/* Touches ahead of time what screening (step 0) and folding (steps 1, 2, 3, with other work between) of a signal will
 * read, so that waits for memory overlap. Changes nothing; may be left out. */
void engine_warm(struct engine *, const struct entry_signal *, int step);

/* From now on events name the rules that hold but neither signals nor evidence, which cost more than all the rest where
 * an enterprise has many: for who counts alerts (backtest). Nothing else is different. */
void engine_brief(struct engine *);

/* What an entry brought about. `events` live in the arena given; `bytes` is event_put's. */
struct engine_out {
    struct arena *arena;
    struct engine_event {
        struct event ev;
        struct slice bytes;
    } *events;
    size_t n, cap;
    /* of an action: 0, or why it was refused, with a sentence in the arena */
    enum wire_error refused;
    const char *sentence;
};

/* Applies the entry numbered `number` (the last one plus 1) at journal time `time` (never below the last). What is due
 * up to `time` is worked off first, with its own times. Returns 0, or negative when the entry's bytes are damaged or
 * the loader failed: then nothing of this batch may be published and the caller must stop. */
int engine_apply(struct engine *, uint64_t number, int64_t time, struct slice entry, struct engine_out *,
                 struct err *) WW_CHECK;

/* New settings reach old records by sweeps: true from a config entry on until a sweep entry without keys, the mark of
 * the last one, was applied. A start with this true begins the sweep again. */
bool engine_sweep_pending(const struct engine *);

/* See engine/state.h. engine_checkpoint fills number and time, not chain. */
struct checkpoint *engine_checkpoint(struct engine *);
void engine_committed(struct engine *, struct checkpoint *);
size_t engine_dirty(const struct engine *);
void engine_trim(struct engine *); /* between batches: keeps memory within cache_bytes */
/* For an engine without a loader: what only a checkpoint would store (events, history) is let go. */
void engine_drop_cold(struct engine *);

/* What a source has sent, exercises and tests left out: the figures of `feeds` that outlive the process. */
struct source_stats {
    uint64_t accepted;
    int64_t last;              /* journal time of the last one; NO_INT: none */
    int64_t day;               /* civil day (00:00 in the settings' zone) that `today` counts */
    uint64_t today;
};
/* By DICT_SOURCE number; false: none. Writer thread, or before it runs. */
bool engine_source_stats(const struct engine *, uint32_t source, struct source_stats *);

/* Journal time of the last signal of a kind (DICT_KIND number), exercises and tests left out; NO_INT: none ever. */
int64_t engine_kind_last(const struct engine *, uint32_t kind);

/* Where an entry about this enterprise goes now: a name that belongs to one code is that code's enterprise. */
struct ekey engine_resolve(struct engine *, const struct ekey *);

#endif
