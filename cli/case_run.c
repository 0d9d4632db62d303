/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the folding of a case (declared in cli/cases.h): an engine in memory, the rules as its first entry,
 * each signal as an entry, a tick; then what came is compared with what was expected. The engine is the
 * daemon's own. */
#include "cli/cases.h"

#include "cli/text.h"
#include "engine/engine.h"
#include "engine/settings_tree.h"
#include "lib/calendar.h"

#include <inttypes.h>

enum { SCORE_NEAR = 50 }; /* hundredths of a point */

struct run {
    struct cli *cli;
    struct case_file *f;
    const struct test_case *c;
    struct engine *engine;
    struct engine_out out;
    const struct case_signal **of_number; /* journal number -> signal; NULL: another entry */
    uint64_t number;
    struct buf buf;
    struct err *err;
};

/* ---- folding ---- */

/* The entry is in run->buf. The journal's time never goes back. */
static int apply(struct run *run, int64_t at)
{
    int64_t now = engine_number(run->engine) ? engine_time(run->engine) : at;
    struct slice bytes = {(char *)run->buf.p, run->buf.n};
    return engine_apply(run->engine, ++run->number, at > now ? at : now, bytes, &run->out, run->err);
}

static int fold_rules(struct run *run, int64_t at)
{
    uint8_t hash[CHAIN_LEN];
    settings_tree_hash(run->f->rules.tree, hash);
    buf_reset(&run->buf);
    entry_put_config(&run->buf, (struct slice){(char *)hash, sizeof hash}, run->f->rules.tree);
    return apply(run, at);
}

/* A duplicate is left out, as the daemon does. */
static int fold_signal(struct run *run, const struct case_signal *x)
{
    static const uint8_t key[HASH_KEY_LEN] = {0};
    struct entry_signal e = {.sig = x->sig, .source = x->source, .binds_name = true};
    hash_pair(e.id_hash, key, e.source, e.sig.id);
    hash_pair(e.cancels_hash, key, e.source, e.sig.cancels);
    buf_reset(&run->buf);
    entry_put_signal(&run->buf, &e);
    enum screened screened = engine_screen(run->engine, &e, run->number + 1);
    if (screened == SCREEN_UNKNOWN_CANCEL) {
        mistake_at(&run->f->m, x->where, NULL, "%s", reject_text(REJECT_UNKNOWN_CANCEL));
        return WW_ECONFIG;
    }
    if (screened != SCREEN_NEW)
        return 0;
    run->of_number[run->number + 1] = x;
    return apply(run, x->sig.at);
}

static int fold_case(struct run *run)
{
    const struct test_case *c = run->c;
    int64_t first = c->has_profile ? c->profile.sig.at : c->n_signals ? c->signals[0].sig.at : c->until;
    int64_t last = c->until;
    int code = fold_rules(run, first == NO_INT ? 0 : first);
    if (code == 0 && c->has_profile)
        code = fold_signal(run, &c->profile);
    for (size_t i = 0; code == 0 && i < c->n_signals; i++)
        code = fold_signal(run, &c->signals[i]);
    if (code != 0)
        return code;
    buf_reset(&run->buf);
    entry_put_tick(&run->buf);
    return apply(run, last);
}

/* ---- what happened, out of the engine ---- */

static const char *signal_words(struct run *run, uint64_t number)
{
    struct arena *a = &run->cli->arena;
    const struct case_signal *x = number <= run->number ? run->of_number[number] : NULL;
    if (!x)
        return arena_printf(a, "entry %" PRIu64, number);
    return arena_printf(a, "%.*s %s", SLICE_ARG(x->sig.kind), cases_time(a, x->sig.at));
}

static struct happened_reason reason_of(struct run *run, const struct reason *reason)
{
    struct arena *a = &run->cli->arena;
    struct slice id, zh, en;
    rule_words(dict_text(engine_dict(run->engine), DICT_RULE, reason->rule), &id, &zh, &en);
    struct happened_reason r = {.rule = arena_slice(a, id).p,
                                .title = arena_slice(a, text_zh() ? zh : en).p,
                                .level = reason->level,
                                .n = reason->n,
                                .signals = arena_alloc(a, (reason->n + 1) * sizeof *r.signals)};
    for (uint32_t i = 0; i < reason->n; i++) /* oldest first, for reading */
        r.signals[i] = signal_words(run, reason->signals[reason->n - 1 - i]);
    return r;
}

static struct happened happened_of(struct run *run, const struct event *ev)
{
    struct arena *a = &run->cli->arena;
    struct happened h = {.at = ev->at,
                         .type = ev->type,
                         .level = ev->level,
                         .score = ev->score,
                         .status = (uint8_t)ekey_status(&ev->key),
                         .uscc = arena_slice(a, ev->uscc),
                         .name = arena_slice(a, ev->name)};
    h.reasons = arena_zalloc(a, (ev->n_reasons + 1) * sizeof *h.reasons);
    for (; h.n_reasons < ev->n_reasons; h.n_reasons++)
        h.reasons[h.n_reasons] = reason_of(run, &ev->reasons[h.n_reasons]);
    return h;
}

/* The four that change what a team must do; another only in a case that names it. */
static bool is_compared(const struct test_case *c, uint8_t type)
{
    bool named =
        type == EVENT_RAISED || type == EVENT_UPGRADED || type == EVENT_DOWNGRADED || type == EVENT_WITHDRAWN;
    for (size_t i = 0; i < c->n_expected && !named; i++)
        named = c->expected[i].type == type;
    return named;
}

static void gather(struct run *run, struct case_outcome *o)
{
    o->events = arena_zalloc(&run->cli->arena, (run->out.n + 1) * sizeof *o->events);
    for (size_t i = 0; i < run->out.n; i++)
        if (is_compared(run->c, run->out.events[i].ev.type))
            o->events[o->n++] = happened_of(run, &run->out.events[i].ev);
}

/* ---- comparing ---- */

static bool same_rules(const struct expected *x, const struct happened *h)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < h->n_reasons; i++)
        for (uint32_t k = 0; k < x->n_rules; k++)
            found += slice_is(x->rules[k], h->reasons[i].rule);
    return found == x->n_rules && found == h->n_reasons;
}

static bool same_time(const struct expected *x, int64_t at)
{
    return x->at == NO_INT || (x->day ? at >= x->at && at - x->at < DAY_MS : at == x->at);
}

static bool near(int64_t expected, uint32_t score)
{
    int64_t off = expected - (int64_t)score;
    return expected == NO_INT || (off <= SCORE_NEAR && off >= -SCORE_NEAR);
}

/* The first thing in which an event is not as expected; NULL: none. */
static const char *differs(const struct expected *x, const struct happened *h)
{
    if (h->type != x->type)
        return tr("another event", "事件类型不同");
    if (!same_time(x, h->at))
        return tr("another time", "时间不同");
    if (x->level >= 0 && h->level != x->level)
        return tr("another level", "等级不同");
    if (x->has_rules && !same_rules(x, h))
        return tr("other rules", "规则不同");
    if (!near(x->score, h->score))
        return tr("another score", "评分不同");
    if (x->status >= 0 && h->status != x->status)
        return tr("another status", "状态标记不同");
    if ((x->uscc.n && !slice_eq(x->uscc, h->uscc)) || (x->name.n && !slice_eq(x->name, h->name)))
        return tr("another enterprise", "企业不同");
    return NULL;
}

static void compare(struct run *run, struct case_outcome *o)
{
    const struct test_case *c = run->c;
    struct arena *a = &run->cli->arena;
    size_t n = c->n_expected < o->n ? c->n_expected : o->n;
    for (size_t i = 0; i < n && !o->difference; i++) {
        const char *what = differs(&c->expected[i], &o->events[i]);
        if (what)
            o->difference = arena_printf(a, tr("event %zu: %s", "第 %zu 个事件：%s"), i + 1, what);
    }
    if (!o->difference && c->n_expected > o->n)
        o->difference = arena_printf(a, tr("event %zu did not come", "第 %zu 个事件没有发生"), n + 1);
    if (!o->difference && c->n_expected < o->n)
        o->difference = arena_printf(a, tr("event %zu was not expected", "第 %zu 个事件不在预期之中"), n + 1);
}

int cases_run(struct cli *cli, struct case_file *f, const struct test_case *c, struct case_outcome *o,
              struct err *err)
{
    struct run run = {.cli = cli, .f = f, .c = c, .out = {.arena = &cli->arena}, .err = err};
    *o = (struct case_outcome){0};
    run.of_number = arena_zalloc(&cli->arena, (c->n_signals + 4) * sizeof *run.of_number);
    int code = engine_create(&run.engine, NULL, 0, err);
    if (code == 0)
        code = fold_case(&run);
    if (code == 0) {
        gather(&run, o);
        compare(&run, o);
    }
    engine_destroy(run.engine);
    buf_finish(&run.buf);
    return code;
}
