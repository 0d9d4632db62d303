/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/backtest.h"

#include "cli/replay.h"
#include "cli/text.h"
#include "engine/settings_tree.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/textfile.h"

#include <stdlib.h>
#include <unistd.h>

enum { RELIEVE_EACH = 50000 };

/* ---- what is needed ---- */

static int say(struct backtest *b, int code, const struct err *err)
{
    cli_say("%s", text_safe(&b->cli->arena, err->msg));
    return err_exit_status(code);
}

static int load_rules(struct backtest *b, struct fold *f, const char *path)
{
    struct err err = {0};
    int code = rules_file_load(b->cli, path, &f->rules, &err);
    b->n_folds++;
    if (code != 0 && f->rules.m.total) {
        mistakes_tell(&f->rules.m, f->rules.text);
        return err_exit_status(code);
    }
    if (code != 0)
        return say(b, code, &err);
    tally_init(&f->tally, f->rules.settings);
    return 0;
}

static int load_regions(struct backtest *b, const char *rules)
{
    struct err err = {0};
    struct slice text;
    const char *path = textfile_shipped(&b->cli->arena, textfile_dir(&b->cli->arena, rules), "regions.csv");
    int code = textfile_read(path, &b->cli->arena, &text, &err);
    if (code == 0)
        code = regions_parse(&b->regions, path, text, &err);
    if (code == 0)
        settings_accept_regions(b->folds[0].rules.settings, b->regions);
    return code ? say(b, code, &err) : 0;
}

int backtest_asked(struct cli *cli)
{
    bool rules = cli->values[O_RULES], twice = cli->values[O_SIGNALS] && cli->values[O_STATE_DIR];
    if (!rules)
        cli_say(tr("which rules? --rules FILE", "请用 --rules 指定规则文件"));
    if (twice)
        cli_say(tr("--signals and --state-dir: one of the two", "--signals 与 --state-dir 只能用一个"));
    return !rules || twice ? err_exit_status(WW_EUSAGE) : 0;
}

int backtest_load(struct backtest *b, struct cli *cli, const char *rules, const char *other)
{
    *b = (struct backtest){.cli = cli};
    int status = load_rules(b, &b->folds[0], rules);
    if (status == 0 && other)
        status = load_rules(b, &b->folds[1], other);
    return status ? status : load_regions(b, rules);
}

void backtest_finish(struct backtest *b)
{
    for (size_t i = 0; i < b->n_folds; i++) {
        engine_destroy(b->folds[i].engine);
        if (b->folds[i].tally.settings)
            tally_finish(&b->folds[i].tally);
        rules_file_finish(&b->folds[i].rules);
    }
    regions_destroy(b->regions);
    arena_finish(&b->out);
    arena_finish(&b->line);
    buf_finish(&b->buf);
    free(b->findings);
}

/* ---- signals of a file ---- */

static void apply(struct backtest *b, struct fold *f, int64_t at, struct slice bytes)
{
    struct engine_out out = {.arena = &b->out};
    arena_reset(&b->out);
    b->failed = engine_apply(f->engine, ++f->number, at, bytes, &out, &b->err);
    for (size_t i = 0; b->failed == 0 && i < out.n; i++)
        tally_event(&f->tally, &out.events[i].ev, engine_dict(f->engine));
    if (f->number % RELIEVE_EACH == 0)
        engine_drop_cold(f->engine); /* events are rows that nobody reads again */
}

static void apply_rules(struct backtest *b, struct fold *f, int64_t at)
{
    uint8_t hash[CHAIN_LEN];
    settings_tree_hash(f->rules.tree, hash);
    buf_reset(&b->buf);
    entry_put_config(&b->buf, (struct slice){(char *)hash, sizeof hash}, f->rules.tree);
    apply(b, f, at, (struct slice){(char *)b->buf.p, b->buf.n});
}

/* A row for each enterprise that a signal named, so that it is known which outcomes could have been seen. */
static void note_signal(struct backtest *b, const struct signal *sig)
{
    if (sig->status != STATUS_ACTUAL)
        return;
    struct ekey key =
        sig->uscc.n ? ekey_of_code(STATUS_ACTUAL, sig->uscc) : ekey_of_name(STATUS_ACTUAL, sig->name);
    tally_row(&b->folds[0].tally, &key);
    if (b->signal)
        b->signal(b->arg, &key, sig);
}

static enum screened fold_signal(void *arg, const struct entry_signal *e, struct slice entry, int64_t now)
{
    struct backtest *b = arg;
    enum screened screened = SCREEN_NEW;
    for (size_t i = 0; i < b->n_folds && b->failed == 0 && screened == SCREEN_NEW; i++) {
        struct fold *f = &b->folds[i];
        if (f->number == 0)
            apply_rules(b, f, now);
        if (b->failed == 0)
            screened = engine_screen(f->engine, e, f->number + 1);
        if (b->failed == 0 && screened == SCREEN_NEW)
            apply(b, f, now, entry);
    }
    if (screened == SCREEN_NEW) {
        b->signals++;
        note_signal(b, &e->sig);
    }
    return screened;
}

static int has_failed(void *arg)
{
    return ((struct backtest *)arg)->failed;
}

static int fold_file(struct backtest *b, const char *path)
{
    for (size_t i = 0; i < b->n_folds; i++) {
        int rc = engine_create(&b->folds[i].engine, NULL, 0, &b->err);
        if (rc != 0)
            return rc;
        engine_brief(b->folds[i].engine);
    }
    b->trace = (struct trace){.cli = b->cli,
                              .path = path,
                              .kinds = b->folds[0].rules.kinds,
                              .regions = b->regions,
                              .signal = fold_signal,
                              .failed = has_failed,
                              .arg = b};
    return trace_read(&b->trace, &b->err);
}

/* ---- a journal ---- */

struct journal_fold {
    struct backtest *b;
    struct fold *f;
};

static void note_event(void *arg, const struct event *ev, const struct dict *dict)
{
    struct journal_fold *j = arg;
    tally_event(&j->f->tally, ev, dict);
}

static void take_back(struct backtest *b, uint64_t number)
{
    for (size_t i = b->n_findings; i-- > 0;)
        if (b->findings[i].number == number)
            b->findings[i].finding = TALLY_NOT_FOUND;
}

static void note_action(struct backtest *b, uint64_t number, int64_t time, const struct entry_action *a)
{
    b->actions++;
    if (!a->may || ekey_status(&a->key) != STATUS_ACTUAL)
        return;
    if (slice_is(a->what, "correct"))
        take_back(b, a->undo);
    if (!slice_is(a->what, "verify") || !a->finding.n)
        return;
    b->findings = mem_grow(b->findings, &b->cap_findings, b->n_findings + 1, sizeof *b->findings);
    b->findings[b->n_findings++] = (struct finding_at){
        number, time, a->key, slice_is(a->finding, "confirmed") ? TALLY_CONFIRMED : TALLY_UNFOUNDED};
}

static void note_entry(void *arg, uint64_t number, int64_t time, const struct entry *entry)
{
    struct journal_fold *j = arg;
    if (j->f != &j->b->folds[0])
        return;
    if (entry->type == ENTRY_SIGNAL) {
        j->b->signals++;
        note_signal(j->b, &entry->signal.sig);
    } else if (entry->type == ENTRY_ACTION) {
        note_action(j->b, number, time, &entry->action);
    }
}

/* The rules in place of those that the journal had; its own kinds and calendar, unless kinds were named. */
static struct tree *override_of(struct backtest *b, const struct fold *f)
{
    static const char *const keys[] = {"rules", "kinds"};
    struct tree *o = tree_new(&b->cli->arena, TREE_MAP);
    for (size_t i = 0; i < (b->cli->values[O_KINDS] ? 2 : 1); i++)
        tree_set(&b->cli->arena, o, slice_of(keys[i]), (struct tree *)(uintptr_t)tree_get(f->rules.tree, keys[i]));
    return o;
}

static int fold_journal(struct backtest *b, const char *dir)
{
    if (access(arena_printf(&b->cli->arena, "%s/journal", dir), F_OK) != 0)
        return err_set(&b->err, WW_EUSAGE, tr("no journal in %s; name a state directory, or a file with --signals",
                                             "%s 中没有日志；请指定数据目录，或用 --signals 指定文件"), dir);
    for (size_t i = 0; i < b->n_folds; i++) {
        struct fold *f = &b->folds[i];
        struct journal_fold j = {b, f};
        struct replay r;
        struct replay_options o = {.until = NO_INT,
                                   .override = override_of(b, f),
                                   .override_name = f->rules.path,
                                   .event = note_event,
                                   .entry = note_entry,
                                   .arg = &j,
                                   .brief = true};
        int rc = replay_journal(&r, dir, &o, &b->err);
        if (rc != 0)
            return rc;
        f->engine = r.engine;
        f->number = b->entries = r.entries;
    }
    return 0;
}

/* ---- outcomes ---- */

static void give_outcome(struct backtest *b, const struct outcome_row *o)
{
    struct ekey key = o->key;
    for (size_t i = 0; i < b->n_folds; i++) {
        struct fold *f = &b->folds[i];
        if (!ekey_is_code(&key) && f->engine)
            key = engine_resolve(f->engine, &o->key);
        bool known = tally_find(&f->tally, &key);
        struct tally_row *row = tally_row(&f->tally, &key);
        bool again = row->outcome != NO_INT;
        if (i == 0) {
            b->outcomes += !again;
            b->unknown += !known;
            b->repeated += again;
        }
        row->uscc = row->uscc || !ekey_is_code(&key) ? row->uscc : o->shown;
        row->name = row->name || ekey_is_code(&key) ? row->name : o->shown;
        row->outcome = !again || o->date < row->outcome ? o->date : row->outcome;
    }
}

static int read_outcomes(struct backtest *b, struct outcomes *o)
{
    int rc = outcomes_read(b->cli, b->cli->values[O_OUTCOMES], o, &b->err);
    b->unreadable = o->unreadable;
    b->from = OUTCOMES_FILE;
    return rc;
}

/* What was found last counts. The time of the visit stands for the date of arrears, which no action tells. */
static void give_findings(struct backtest *b)
{
    for (size_t i = 0; i < b->n_findings; i++)
        for (size_t k = 0; k < b->n_folds && b->findings[i].finding; k++) {
            struct finding_at *x = &b->findings[i];
            struct ekey key = ekey_is_code(&x->key) ? x->key : engine_resolve(b->folds[k].engine, &x->key);
            struct tally_row *row = tally_row(&b->folds[k].tally, &key);
            row->finding = x->finding;
            row->outcome = x->finding == TALLY_CONFIRMED ? x->at : NO_INT;
            b->from = OUTCOMES_ACTIONS;
        }
    const struct tally *t = &b->folds[0].tally;
    for (size_t i = 0; b->from == OUTCOMES_ACTIONS && i < t->n; i++)
        b->outcomes += !t->rows[i].merged && t->rows[i].outcome != NO_INT;
}

static void settle(struct backtest *b, const struct outcomes *o)
{
    for (size_t i = 0; i < b->n_folds; i++)
        if (b->folds[i].engine)
            tally_merge(&b->folds[i].tally, b->folds[i].engine);
    for (size_t i = 0; i < o->n; i++)
        give_outcome(b, &o->rows[i]);
    if (b->from == OUTCOMES_NONE)
        give_findings(b);
}

int backtest_run(struct backtest *b)
{
    struct outcomes o = {0};
    const char *signals = b->cli->values[O_SIGNALS];
    int rc = 0;
    if (b->cli->values[O_OUTCOMES])
        rc = read_outcomes(b, &o);
    if (rc == 0)
        rc = signals ? fold_file(b, signals) : fold_journal(b, cli_state_dir(b->cli));
    if (rc == 0)
        settle(b, &o);
    outcomes_finish(&o);
    return rc ? say(b, rc, &b->err) : 0;
}
