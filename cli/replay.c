/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/replay.h"

#include "cli/cli.h"
#include "cli/text.h"
#include "engine/settings.h"
#include "engine/settings_tree.h"
#include "lib/hash.h"
#include "store/disk.h"
#include "store/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RELIEVE_EACH = 50000, LOOK_EACH = 4096, PATIENCE_S = 1 };

struct folding {
    struct replay *to;
    const struct replay_options *o;
    struct arena entry_arena, out_arena;
    struct buf buf;
    struct err *err;
    time_t began;
    bool told;
};

/* ---- while it runs ---- */

static time_t seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void tell_progress(struct folding *f)
{
    if (f->to->entries % LOOK_EACH || !isatty(STDERR_FILENO) || seconds() - f->began < PATIENCE_S)
        return;
    fprintf(stderr, tr("\rfolding the journal: %" PRIu64 " entries", "\r重放日志：%" PRIu64 " 条"), f->to->entries);
    f->told = true;
}

/* ---- entries ---- */

/* A configuration entry with other rules in it; its bytes lie in f->buf then. */
static int replace_config(struct folding *f, const struct entry *entry, struct slice *bytes)
{
    struct arena *a = &f->entry_arena;
    const struct tree *was = entry->config.tree, *by = f->o->override;
    struct tree *now = tree_new(a, TREE_MAP);
    struct mistakes m = {.arena = a, .file = f->o->override_name};
    struct settings *s;
    uint8_t hash[CHAIN_LEN];
    for (uint32_t i = 0; i < was->n; i++)
        if (!tree_get(by, was->keys[i]->text.p))
            tree_pair(a, now, was->keys[i], was->items[i]);
    for (uint32_t i = 0; i < by->n; i++)
        tree_pair(a, now, by->keys[i], by->items[i]);
    int rc = settings_compile(now, &m, &s);
    settings_destroy(s);
    if (rc < 0)
        return err_set(f->err, WW_ECONFIG, "%s:%u: %s; the kinds are those that the journal had then", f->o->override_name,
                       m.n ? m.list[0].line : 0, m.n ? m.list[0].sentence : "does not compile");
    settings_tree_hash(now, hash);
    buf_reset(&f->buf);
    entry_put_config(&f->buf, (struct slice){(char *)hash, sizeof hash}, now);
    *bytes = (struct slice){(char *)f->buf.p, f->buf.n};
    return 0;
}

static int prepare(struct folding *f, uint64_t number, int64_t time, struct slice *bytes)
{
    struct entry entry;
    bool config = bytes->n && (uint8_t)bytes->p[0] == ENTRY_CONFIG && f->o->override;
    if (!config && !f->o->entry)
        return 0;
    int rc = entry_get(*bytes, &f->entry_arena, &entry, f->err);
    if (rc == 0 && f->o->entry)
        f->o->entry(f->o->arg, number, time, &entry);
    return rc == 0 && config ? replace_config(f, &entry, bytes) : rc;
}

static int fold(struct folding *f, uint64_t number, int64_t time, struct slice bytes)
{
    struct engine *e = f->to->engine;
    struct engine_out out = {.arena = &f->out_arena};
    arena_reset(&f->entry_arena);
    arena_reset(&f->out_arena);
    int rc = prepare(f, number, time, &bytes);
    if (rc == 0)
        rc = engine_apply(e, number, time, bytes, &out, f->err);
    for (size_t i = 0; rc == 0 && f->o->event && i < out.n; i++)
        f->o->event(f->o->arg, &out.events[i].ev, engine_dict(e));
    return rc;
}

static int fold_batch(struct folding *f, const struct journal_batch *b)
{
    int rc = 0;
    if (b->first != f->to->entries + 1)
        return err_set(f->err, WW_ENOTFOUND,
                       "journal: begins with entry %" PRIu64 ", what came before is gone; a fold needs all of it", b->first);
    for (size_t i = 0; rc == 0 && i < b->n; i++) {
        rc = fold(f, b->first + i, b->time, b->entries[i].body);
        f->to->entries++;
        f->to->time = b->time;
        tell_progress(f);
        if (rc == 0 && f->to->entries % RELIEVE_EACH == 0)
            engine_drop_cold(f->to->engine);
    }
    return rc;
}

/* What became due since the last entry: the daemon's clock would have written a tick for it. */
static int fold_due(struct folding *f)
{
    struct engine *e = f->to->engine;
    if (f->o->until == NO_INT || engine_next_due(e) > f->o->until)
        return 0;
    buf_reset(&f->buf);
    entry_put_tick(&f->buf);
    return fold(f, engine_number(e) + 1, f->o->until, (struct slice){(char *)f->buf.p, f->buf.n});
}

int replay_journal(struct replay *r, const char *state_dir, const struct replay_options *o, struct err *err)
{
    struct folding f = {.to = r, .o = o, .err = err, .began = seconds()};
    struct journal_reader *reader = NULL;
    struct journal_batch b;
    char *dir = disk_path(state_dir, "journal");
    *r = (struct replay){.time = NO_INT};
    int rc = journal_reader_open(&reader, dir, 1, err);
    if (rc == 0)
        rc = engine_create(&r->engine, NULL, 0, err);
    if (rc == 0 && o->brief)
        engine_brief(r->engine);
    while (rc == 0) {
        int more = journal_reader_next(reader, &b, err);
        if (more <= 0 || (o->until != NO_INT && b.time > o->until)) {
            rc = more < 0 ? more : 0;
            break;
        }
        rc = fold_batch(&f, &b);
    }
    if (rc == 0 && r->entries)
        rc = fold_due(&f);
    if (f.told)
        fputs("\r\033[K", stderr);
    if (rc != 0)
        replay_finish(r);
    journal_reader_close(reader);
    arena_finish(&f.entry_arena);
    arena_finish(&f.out_arena);
    buf_finish(&f.buf);
    free(dir);
    return rc;
}

void replay_finish(struct replay *r)
{
    engine_destroy(r->engine);
    *r = (struct replay){.time = NO_INT};
}
