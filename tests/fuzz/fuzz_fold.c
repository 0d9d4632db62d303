/* SPDX-License-Identifier: Apache-2.0 */
/* The fold, held against the plain one of tests/support: bytes become a history of a few enterprises under
 * one of some rules files, on a coarse grid of time so that ends of windows meet signals. After each entry
 * the engine must have said what the plain fold says: events, levels, scores, reasons, shares. A second
 * engine, stopped and started again from checkpoints with a cache that holds next to nothing, must end with
 * the same rows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/fold.h"
#include "engine/settings_tree.h"
#include "lib/hash.h"
#include "lib/yaml.h"
#include "tests/fuzz/fold_rules.h"
#include "tests/support/plain.h"
#include "tests/support/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { ENTRIES_MAX = 90, SLACK = 30 * 60 * 1000 };
#define STEP INT64_C(21600000)

static const int64_t start =
    INT64_C(1768752000000); /* 2026-01-19 at 00:00 in Beijing: near Spring Festival */

/* One engine and what it stores. */
struct side {
    struct engine *engine;
    struct rows rows;
    struct arena arena;
    struct engine_out out;
    size_t cache;
};

struct run {
    const uint8_t *p;
    size_t n;
    struct side a, b;
    struct plain plain;
    struct arena arena;
    struct buf buf;
    uint64_t number;
    int64_t now;
    bool alone;      /* the plain fold does not know these rules: it keeps the signals only */
    size_t told[64]; /* events of each firm that were compared */
    unsigned ids;
};

static unsigned next(struct run *r)
{
    if (!r->n)
        return 0;
    r->n--;
    return *r->p++;
}

/* A word of a table; the byte 0 gives the first. */
#define PICK(r, table) (table)[next(r) % ARRAY_LEN(table)]

#define FAIL(...)                                                                                            \
    do {                                                                                                     \
        fprintf(stderr, __VA_ARGS__);                                                                        \
        fprintf(stderr, "\n");                                                                               \
        abort();                                                                                             \
    } while (0)

#define TRACE(...) (tracing ? (void)fprintf(stderr, __VA_ARGS__) : (void)0)
static bool tracing; /* WAGEWARN_TRACE: the history, in words */

/* ---- engines ---- */

static void side_open(struct side *s)
{
    struct err err = {0};
    if (engine_create(&s->engine, &s->rows.loader, s->cache, &err) < 0)
        FAIL("start: %s", err.msg);
}

static void side_checkpoint(struct side *s)
{
    struct checkpoint *cp = engine_checkpoint(s->engine);
    if (!cp)
        return;
    rows_take(&s->rows, cp);
    engine_committed(s->engine, cp);
    engine_trim(s->engine);
}

static void side_apply(struct side *s, uint64_t number, int64_t time, struct slice bytes)
{
    struct err err = {0};
    arena_reset(&s->arena);
    s->out = (struct engine_out){.arena = &s->arena};
    if (engine_apply(s->engine, number, time, bytes, &s->out, &err) < 0)
        FAIL("entry %llu: %s", (unsigned long long)number, err.msg);
}

static struct ekey key_of(const struct plain_firm *f)
{
    return f->by_name ? ekey_of_name((enum status)f->status, f->text)
                      : ekey_of_code((enum status)f->status, f->text);
}

/* False: there is none. */
static bool record_of(struct run *r, const struct ekey *k, struct record *out)
{
    struct slice bytes = state_get(r->a.engine->state, T_ENTERPRISE, k->b, EKEY_LEN);
    struct err err;
    return bytes.p && record_get(arena_slice(&r->arena, bytes), k, &r->arena, out, &err) == 0;
}

/* ---- comparing ---- */

static uint64_t fired_of(const struct run *r, const struct event *ev)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < ev->n_reasons; i++) {
        struct slice id, zh, en;
        rule_words(dict_text(engine_dict(r->a.engine), DICT_RULE, ev->reasons[i].rule), &id, &zh, &en);
        for (uint32_t k = 0; k < r->plain.settings->n_rules; k++)
            bits |= (uint64_t)slice_eq(r->plain.settings->rules[k].id, id) << k;
    }
    return bits;
}

static void compare_event(const struct run *r, const struct event *ev, const struct plain_event *want)
{
    int64_t off = ev->at - want->at;
    bool in_time = want->by_decay ? off > -SLACK && off < SLACK : off == 0;
    uint64_t fired = want->merged ? 0 : want->fired;
    if (ev->type == want->type && ev->level == want->level && ev->level_before == want->level_before &&
        in_time && ev->state == want->state && fabs(ev->score / 100.0 - want->score) < 0.02 &&
        fired_of(r, ev) == fired && (want->merged || ev->evidence_total == want->evidence))
        return;
    FAIL("entry %llu: engine: %s %s from %s, state %u, score %.2f, at %lld, rules %llx, %u signals;\n"
         "plain: %s %s from %s, state %u, score %.4f, at %lld, rules %llx, %u signals%s",
         (unsigned long long)r->number, event_wire(ev->type), level_wire(ev->level),
         level_wire(ev->level_before), ev->state, ev->score / 100.0, (long long)ev->at,
         (unsigned long long)fired_of(r, ev), ev->evidence_total, event_wire(want->type),
         level_wire(want->level), level_wire(want->level_before), want->state, want->score,
         (long long)want->at, (unsigned long long)fired, want->evidence, want->by_decay ? " (by decay)" : "");
}

/* Shares within one per cent. */
static void compare_shares(const struct run *r, const struct event *ev, const struct plain_firm *f,
                           double raw)
{
    for (uint32_t i = 0; i < ev->n_evidence && raw > 1e-4; i++) {
        const struct plain_item *x = NULL;
        for (size_t k = 0; k < f->n_items; k++)
            if (f->items[k]->seq == ev->evidence[i].seq)
                x = f->items[k];
        double share = x ? plain_hazard(&r->plain, x, ev->at) / raw : -1;
        if (fabs(share - ev->evidence[i].share_ppm / 1e6) > 0.01)
            FAIL("entry %llu: signal %llu has %.4f of the hazard, not %.4f", (unsigned long long)r->number,
                 (unsigned long long)ev->evidence[i].seq, ev->evidence[i].share_ppm / 1e6, share);
    }
}

static int firm_at(struct run *r, const struct ekey *key)
{
    for (size_t i = 0; i < r->plain.n_firms; i++) {
        struct ekey k = key_of(r->plain.firms[i]);
        if (ekey_cmp(&k, key) == 0)
            return (int)i;
    }
    FAIL("entry %llu: an event of an enterprise that nobody named", (unsigned long long)r->number);
}

static void compare_events(struct run *r)
{
    const struct event *last[64] = {0};
    for (size_t i = 0; i < r->a.out.n; i++) {
        const struct event *ev = &r->a.out.events[i].ev;
        int firm = firm_at(r, &ev->key);
        const struct plain_firm *f = r->plain.firms[firm];
        TRACE("    %s %s of %.*s%s\n", event_wire(ev->type), level_wire(ev->level), SLICE_ARG(f->text),
              ev->merged_into ? ", merged" : "");
        if (r->told[firm] == f->n_events)
            FAIL("entry %llu: engine: %s %s at %lld of %.*s; plain: nothing", (unsigned long long)r->number,
                 event_wire(ev->type), level_wire(ev->level), (long long)ev->at, SLICE_ARG(f->text));
        compare_event(r, ev, &f->events[r->told[firm]++]);
        if (ev->type == EVENT_RAISED) /* which of two alerts is the older one is in their numbers */
            r->plain.firms[firm]->alert.born = (int64_t)ev->alert;
        last[firm] = ev;
    }
    for (size_t i = 0; i < r->plain.n_firms; i++) {
        const struct plain_firm *f = r->plain.firms[i];
        struct plain_view v;
        if (r->told[i] < f->n_events) {
            const struct plain_event *ev = &f->events[r->told[i]];
            FAIL("entry %llu: plain: %s %s at %lld, score %.4f, of %.*s; engine: nothing",
                 (unsigned long long)r->number, event_wire(ev->type), level_wire(ev->level),
                 (long long)ev->at, ev->score, SLICE_ARG(f->text));
        }
        if (!last[i] || last[i]->at != r->now || !f->alert.open || last[i]->merged_into)
            continue;
        plain_look(&r->plain, (int)i, r->now, f->score_level, &v);
        compare_shares(r, last[i], f, v.raw);
    }
}

static void compare_records(struct run *r)
{
    for (size_t i = 0; i < r->plain.n_firms; i++) {
        const struct plain_firm *f = r->plain.firms[i];
        struct plain_view v;
        struct record c;
        struct ekey k = key_of(f);
        bool there = record_of(r, &k, &c);
        if (!there && f->known) /* one without signals may be there: another named it as its successor */
            FAIL("entry %llu: %.*s has no record", (unsigned long long)r->number, SLICE_ARG(f->text));
        if (!f->known)
            continue;
        plain_look(&r->plain, (int)i, c.judged_at, f->score_level, &v);
        if (c.level != f->level || c.alert_open != f->alert.open ||
            fabs(c.score / 100.0 - plain_score(v.hazard)) > 0.02)
            FAIL("entry %llu: %.*s: engine: %s, %s, %.2f; plain: %s, %s, %.4f", (unsigned long long)r->number,
                 SLICE_ARG(f->text), level_wire(c.level), c.alert_open ? "open" : "closed", c.score / 100.0,
                 level_wire(f->level), f->alert.open ? "open" : "closed", plain_score(v.hazard));
    }
}

static void compare(struct run *r)
{
    if (r->plain.hair || r->alone)
        return;
    compare_events(r);
    compare_records(r);
    r->plain.hair = false; /* looking again decides nothing */
    arena_reset(&r->arena);
}

/* ---- entries ---- */

static struct slice bytes_of(const struct run *r)
{
    return (struct slice){(const char *)r->buf.p, r->buf.n};
}

static void both(struct run *r, struct slice bytes)
{
    r->number++;
    side_apply(&r->a, r->number, r->now, bytes);
    side_apply(&r->b, r->number, r->now, bytes);
}

enum { RULES_FILES = ARRAY_LEN(fold_rules) + ARRAY_LEN(fold_rules_across) };

static const char *rules_text(unsigned i)
{
    return i < ARRAY_LEN(fold_rules) ? fold_rules[i] : fold_rules_across[i - ARRAY_LEN(fold_rules)];
}

static const struct settings_source {
    const struct tree *tree;
    struct slice entry;
} * settings_at(unsigned i)
{
    static struct settings_source made[RULES_FILES];
    static struct arena a;
    struct mistakes m = {.arena = &a, .file = "rules"};
    struct err err = {0};
    struct kinds *kinds;
    struct tree *rules, *festivals;
    if (made[i].tree)
        return &made[i];
    if (yaml_parse(&a, slice_of(arena_printf(&a, "%s%s", fold_rules_head, rules_text(i))), &m, &rules) < 0 ||
        kinds_parse(&kinds, "kinds", slice_of(fold_kinds), &err) < 0 ||
        settings_tree_festivals(&a, "festivals",
                                slice_of("year,new_year_day\n2026,2026-02-17\n2027,2027-02-06\n"), &festivals,
                                &err) < 0)
        FAIL("rules %u: %s", i, err.msg[0] ? err.msg : m.list[0].sentence);
    const struct tree *t = settings_tree_make(
        &a, &(struct settings_parts){
                .kinds = kinds, .festivals = festivals, .rules = rules, .timezone_ms = 8 * 3600 * 1000});
    struct settings *s;
    if (settings_compile(t, &m, &s) < 0)
        FAIL("rules %u: %s", i, m.list[0].sentence);
    settings_destroy(s);
    kinds_destroy(kinds);
    uint8_t hash[CHAIN_LEN];
    struct buf b = {0};
    settings_tree_hash(t, hash);
    entry_put_config(&b, (struct slice){(char *)hash, sizeof hash}, t);
    made[i] = (struct settings_source){t, arena_slice(&a, (struct slice){(char *)b.p, b.n})};
    buf_finish(&b);
    return &made[i];
}

static int by_key(const void *a, const void *b)
{
    return ekey_cmp(a, b);
}

static void sweep(struct run *r)
{
    struct ekey keys[64];
    size_t n = 0;
    for (size_t i = 0; i < r->plain.n_firms; i++)
        keys[n++] = key_of(r->plain.firms[i]);
    qsort(keys, n, sizeof *keys, by_key);
    buf_reset(&r->buf);
    entry_put_sweep(&r->buf, keys, n);
    both(r, bytes_of(r));
    plain_sweep(&r->plain, r->number, r->now);
    compare(r);
}

static void do_tick(struct run *r)
{
    struct entry e = {.type = ENTRY_TICK};
    TRACE("%llu tick (now %.2f d)\n", (unsigned long long)r->number + 1,
          (double)(r->now - start) / 86400000.0);
    buf_reset(&r->buf);
    entry_put_tick(&r->buf);
    both(r, bytes_of(r));
    plain_apply(&r->plain, r->number, r->now, &e);
    compare(r);
}

/* New settings reach all at once here: what was due is told before, the sweep is the next entry. */
static void configure(struct run *r)
{
    unsigned byte = next(r), which = byte % ARRAY_LEN(fold_rules);
    if (!r->number)
        r->alone = r->plain.quiet = byte >= 192;
    if (r->alone && byte % 4)
        which = (unsigned)ARRAY_LEN(fold_rules) + byte % (unsigned)ARRAY_LEN(fold_rules_across);
    const struct settings_source *s = settings_at(which);
    struct entry e = {.type = ENTRY_CONFIG, .config = {.tree = s->tree}};
    if (r->number)
        do_tick(r);
    if (r->plain.hair)
        return;
    TRACE("%llu configure %u\n", (unsigned long long)r->number + 1, which);
    both(r, s->entry);
    plain_apply(&r->plain, r->number, r->now, &e);
    sweep(r);
}

static const char *const codes[] = {"91350100M000100Y43", "91330100799655058B", "9144030071526726XG"};
static const char *const names[] = {"alpha", "beta"};
static const char *const sources[] = {NULL, NULL, NULL, "other"};
static const char *const regions[] = {NULL, "330482001", "330483", "3304"};
static const char *const industries[] = {NULL, "E4710", "C1810", "H62"};
static const int64_t ages[] = {0,         0,         0,          STEP,      4 * STEP,   8 * STEP,
                               20 * STEP, 40 * STEP, 120 * STEP, -2 * STEP, -12 * STEP, 1};
static const int64_t waits[] = {0,         0,         STEP,      STEP,       2 * STEP, 4 * STEP,
                                12 * STEP, 28 * STEP, 40 * STEP, 120 * STEP, 1,        370 * STEP};
static const char *const words[] = {"accept", "verify", "close", "reopen", "verify"};
static const uint8_t key16[HASH_KEY_LEN] = {1, 2, 3};

static void finish_signal(struct entry_signal *e)
{
    hash_pair(e->id_hash, key16, e->source, e->sig.id);
    hash_pair(e->cancels_hash, key16, e->source, e->sig.cancels);
}

static void apply_signal(struct run *r, struct entry_signal *e)
{
    struct entry entry = {.type = ENTRY_SIGNAL, .signal = *e};
    buf_reset(&r->buf);
    entry_put_signal(&r->buf, e);
    both(r, bytes_of(r));
    plain_apply(&r->plain, r->number, r->now, &entry);
    compare(r);
}

static void say(struct run *r, struct entry_signal *e)
{
    enum screened screened = engine_screen(r->a.engine, e, r->number + 1);
    if (screened != SCREEN_NEW || engine_screen(r->b.engine, e, r->number + 1) != SCREEN_NEW)
        FAIL("entry %llu: a new signal was screened out (%d)", (unsigned long long)r->number + 1,
             (int)screened);
    apply_signal(r, e);
}

/* Who: mostly a code, sometimes with a name, sometimes a name alone. */
static void name_it(struct run *r, struct signal *s, struct entry_signal *e)
{
    unsigned how = next(r);
    if (how % 8 < 6)
        s->uscc = slice_of(codes[how / 8 % ARRAY_LEN(codes)]);
    if (how % 8 > 4)
        s->name = slice_of(names[how / 32 % ARRAY_LEN(names)]);
    e->binds_name = how % 64 != 37;
}

static void put_profile(struct run *r, struct signal *s)
{
    static const struct slice grades[] = {SLICE("A"), SLICE("B"), SLICE("C")};
    unsigned what = next(r);
    if (what & 1)
        s->attrs[s->n_attrs++] = (struct signal_attr){SLICE("credit"), PICK(r, grades), NO_INT};
    if (what & 2)
        s->attrs[s->n_attrs++] = (struct signal_attr){
            SLICE("tag:guarded"), {0}, what & 4 ? r->now + (int64_t)(next(r) % 64) * STEP : 0};
}

static void invent(struct run *r, struct entry_signal *e)
{
    struct signal *s = &e->sig;
    *s = (struct signal){.people = NO_INT, .amount = NO_INT, .since = NO_INT};
    s->kind = slice_of(PICK(r, fold_kind_names));
    name_it(r, s, e);
    s->at = r->now - PICK(r, ages);
    unsigned more = next(r);
    s->region = slice_of(regions[more % 4]);
    s->industry = slice_of(more & 16 ? industries[more / 4 % 4] : NULL);
    if (more & 32)
        s->people = next(r) % 40;
    if (more & 64)
        s->amount = (int64_t)next(r) * 500000;
    if (more & 128) {
        s->owner = SLICE("00112233445566778899aabbccddeeff");
        s->project = SLICE("P1");
        s->role = (uint8_t)(next(r) % ROLE_COUNT);
    }
    s->status = next(r) % 16 == 15 ? STATUS_EXERCISE : STATUS_ACTUAL;
    if (slice_is(s->kind, "registry.profile"))
        put_profile(r, s);
    if (slice_is(s->kind, "registry.succession"))
        s->attrs[s->n_attrs++] = (struct signal_attr){SLICE("successor"), slice_of(PICK(r, codes)), NO_INT};
    const char *source = sources[more / 8 % 4];
    e->source =
        source ? slice_of(source) : (struct slice){s->kind.p, (size_t)(strchr(s->kind.p, '.') - s->kind.p)};
    s->id = slice_of(arena_printf(&r->plain.arena, "s%u", ++r->ids));
    finish_signal(e);
}

static void trace_signal(const struct run *r, const char *what, const struct entry_signal *e)
{
    const struct signal *s = &e->sig;
    TRACE("%llu %s %.*s of %.*s %.*s at %+.2f d (now %.2f d) %s from %.*s%s\n",
          (unsigned long long)r->number + 1, what, SLICE_ARG(s->kind), SLICE_ARG(s->uscc), SLICE_ARG(s->name),
          (double)(s->at - start) / 86400000.0, (double)(r->now - start) / 86400000.0, status_wire(s->status),
          SLICE_ARG(e->source), e->binds_name ? "" : ", names bind nothing");
}

static void do_signal(struct run *r)
{
    struct entry_signal e = {0};
    invent(r, &e);
    trace_signal(r, "signal", &e);
    say(r, &e);
}

/* Takes back one of what came, perhaps naming another enterprise. */
static void do_cancel(struct run *r)
{
    if (!r->plain.n_items)
        return;
    const struct plain_item *x = r->plain.items[next(r) % r->plain.n_items];
    struct entry_signal e = {.source = x->source, .binds_name = true};
    e.sig = (struct signal){.kind = x->kind,
                            .at = x->at,
                            .uscc = x->code,
                            .name = x->name,
                            .status = x->status,
                            .people = NO_INT,
                            .amount = NO_INT,
                            .since = NO_INT,
                            .cancels = x->id};
    unsigned how = next(r);
    if (how % 8 == 7)
        e.sig.uscc = slice_of(codes[how / 8 % ARRAY_LEN(codes)]);
    e.sig.id = slice_of(arena_printf(&r->plain.arena, "c%u", ++r->ids));
    finish_signal(&e);
    trace_signal(r, "cancel", &e);
    bool theirs = plain_place(&r->plain, x->status, e.sig.uscc, e.sig.name) == x->firm;
    if (theirs) {
        say(r, &e);
        return;
    }
    if (engine_screen(r->a.engine, &e, r->number + 1) != SCREEN_UNKNOWN_CANCEL ||
        engine_screen(r->b.engine, &e, r->number + 1) != SCREEN_UNKNOWN_CANCEL)
        FAIL("entry %llu: a cancel of another's signal was taken", (unsigned long long)r->number + 1);
}

static void do_again(struct run *r)
{
    if (!r->plain.n_items)
        return;
    const struct plain_item *x = r->plain.items[next(r) % r->plain.n_items];
    struct entry_signal e = {.source = x->source};
    e.sig = (struct signal){.id = x->id, .kind = x->kind, .at = r->now, .uscc = slice_of(PICK(r, codes))};
    finish_signal(&e);
    if (engine_screen(r->a.engine, &e, r->number + 1) != SCREEN_DUPLICATE ||
        engine_screen(r->b.engine, &e, r->number + 1) != SCREEN_DUPLICATE)
        FAIL("entry %llu: %.*s came twice", (unsigned long long)r->number + 1, SLICE_ARG(x->id));
}

static void do_act(struct run *r)
{
    static const char *const findings[] = {NULL, "confirmed", "unfounded", "false_claim"};
    do_tick(r); /* what the clock raises must be there before it can be worked */
    if (!r->plain.n_firms || r->plain.hair)
        return;
    int firm = (int)(next(r) % r->plain.n_firms);
    const char *what = PICK(r, words);
    uint8_t finding = (uint8_t)(1 + next(r) % 3);
    bool outcome = next(r) & 1;
    struct ekey k = key_of(r->plain.firms[firm]);
    struct record c = {0};
    record_of(r, &k, &c);
    struct entry_action x = {.principal = SLICE("p"),
                             .what = slice_of(what),
                             .key = k,
                             .may = 1,
                             .alert = c.alert,
                             .people = NO_INT,
                             .amount = NO_INT,
                             .due = NO_INT,
                             .until = NO_INT,
                             .paid_people = NO_INT,
                             .paid_amount = NO_INT};
    if (!strcmp(what, "verify"))
        x.finding = slice_of(findings[finding]);
    if (outcome)
        x.outcome = SLICE("other");
    TRACE("%llu %s %.*s (now %.2f d)\n", (unsigned long long)r->number + 1, what,
          SLICE_ARG(r->plain.firms[firm]->text), (double)(r->now - start) / 86400000.0);
    buf_reset(&r->buf);
    entry_put_action(&r->buf, &x);
    both(r, bytes_of(r));
    bool done = plain_act(&r->plain, r->number, r->now, firm, what, finding, outcome);
    if (!r->plain.hair && !r->alone && done == (r->a.out.refused != 0))
        FAIL("entry %llu: %s was %s", (unsigned long long)r->number, what, done ? "refused" : "taken");
    compare(r);
}

static void do_checkpoint(struct run *r)
{
    side_checkpoint(&r->b);
}

static void do_restart(struct run *r)
{
    TRACE("a stop and a start\n");
    side_checkpoint(&r->b);
    engine_destroy(r->b.engine);
    side_open(&r->b);
}

static void (*const doings[])(struct run *) = {
    do_signal, do_signal,     do_signal,  do_signal, do_signal, do_signal, do_signal,
    do_signal, do_signal,     do_signal,  do_cancel, do_again,  do_tick,   do_act,
    do_act,    do_checkpoint, do_restart, configure, do_signal, do_cancel,
};

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct run r = {.p = p, .n = n, .now = start, .a = {.cache = SIZE_MAX}};
    tracing = getenv("WAGEWARN_TRACE") != NULL;
    plain_init(&r.plain);
    rows_init(&r.a.rows);
    rows_init(&r.b.rows);
    side_open(&r.a);
    side_open(&r.b);
    configure(&r);
    for (int i = 0; i < ENTRIES_MAX && r.n && !r.plain.hair; i++) {
        r.now += PICK(&r, waits);
        PICK(&r, doings)(&r);
    }
    side_checkpoint(&r.a);
    side_checkpoint(&r.b);
    const char *differ = rows_differ(&r.a.rows, &r.b.rows);
    if (differ)
        FAIL("stopped and started: %s", differ);
    TRACE("%llu entries, %llu events%s\n", (unsigned long long)r.number,
          (unsigned long long)engine_events(r.a.engine),
          r.plain.hair ? ", then too near to a threshold" : "");
    engine_destroy(r.a.engine);
    engine_destroy(r.b.engine);
    rows_finish(&r.a.rows);
    rows_finish(&r.b.rows);
    arena_finish(&r.a.arena);
    arena_finish(&r.b.arena);
    arena_finish(&r.arena);
    buf_finish(&r.buf);
    plain_finish(&r.plain);
    return 0;
}
