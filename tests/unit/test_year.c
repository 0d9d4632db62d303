/* SPDX-License-Identifier: Apache-2.0 */
/* The year of tests/support/year: every event of the engine is held against the plain model; then the same
 * journal is folded again with stops, with a clock that stands still for days, and without the exercises. */
#include "tests/support/rows.h"
#include "tests/support/year.h"
#include "test.h"

enum { STOPS = 10 };

/* ---- checks ---- */

static const char *figures_text(struct arena *a, const struct pl_figures *f, bool with_drawn)
{
    unsigned closed = 0;
    for (int i = 0; i < 8; i++)
        closed += f->closed[i];
    const char *text = arena_printf(
        a,
        "%u alerts, %u lives, %u withdrawn, overdue %u %u %u, escalated %u, unattended %u, silent %u, "
        "called back %u, mean %lld s; closed",
        f->alerts, f->lives, f->withdrawn, f->overdue[0], f->overdue[1], f->overdue[2], f->escalated,
        f->unattended, f->silent, with_drawn ? f->followed : 0,
        (long long)(f->days / 1000 / (closed ? closed : 1)));
    for (int i = 0; i < 8; i++)
        text = arena_printf(a, "%s %u", text, f->closed[i]);
    return text;
}

static int64_t plain_time(int64_t v)
{
    return v == NO_INT ? PW_NEVER : v;
}

/* What is stored of an alert says the same as the model: the four first steps, and what came of the measures.
 */
static void check_stored(struct year *y, const struct pl_alert *m)
{
    static const int states[] = {[TAKEN_OPEN] = PL_RUNS,
                                 [TAKEN_ANSWERED] = PL_ANSWERED,
                                 [TAKEN_SILENT] = PL_SILENT,
                                 [TAKEN_ENDED] = PL_ENDED};
    struct alert a;
    assert_true(alert_load(y->w.engine, m->number, &a));
    if (plain_time(a.h.seen_at) != m->seen_at || plain_time(a.h.accepted_at) != m->now.accepted_at ||
        plain_time(a.h.forwarded_at) != m->now.forwarded_at ||
        plain_time(a.h.verified_at) != m->now.verified_at)
        fail_msg("alert %llu: its first steps are clocked otherwise", (unsigned long long)m->number);
    assert_int_equal(a.h.n_taken, m->now.n_taken);
    for (uint32_t i = 0; i < a.h.n_taken; i++)
        if (a.h.taken[i].state == TAKEN_RAN_OUT || states[a.h.taken[i].state] != m->now.taken[i].state)
            fail_msg("alert %llu: measure %u is %u", (unsigned long long)m->number, i, a.h.taken[i].state);
}

/* Each silence was fed back, once, dated when it ran out; and nothing else that counts. */
static void check_fed(struct year *y, const struct pl_firm *f)
{
    struct ekey key = ekey_of_code((enum status)(f->key[19] - '0'), (struct slice){f->key, 18});
    struct slice bytes = state_get(y->w.engine->state, T_ENTERPRISE, key.b, EKEY_LEN);
    struct record c;
    struct arena a = {0};
    struct err err;
    unsigned fed = 0, dated = 0;
    assert_int_equal(record_get(bytes, &key, &a, &c, &err), 0);
    for (uint32_t i = 0; i < c.n_series; i++) {
        struct slice source = dict_text(y->w.engine->dict, DICT_SOURCE, c.series[i].source);
        struct slice kind = dict_text(y->w.engine->dict, DICT_KIND, c.series[i].kind);
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)kind.n, kind.p);
        for (uint32_t k = 0;
             slice_is(source, "wagewarn") && pw_kind(y->life.work, name)->counts && k < c.series[i].n; k++) {
            if (c.series[i].sigs[k].flags & SIG_CANCELLED)
                continue;
            fed++;
            for (int s = 0; s < f->n_signals; s++)
                if (f->signals[s].fed && f->signals[s].at == c.series[i].sigs[k].at &&
                    strcmp(f->signals[s].kind, name) == 0) {
                    dated++;
                    break;
                }
        }
    }
    if (fed != plain_fed(&y->life, f) || dated != fed)
        fail_msg("%s: %u silences were fed back, %u of them at their time; expected %u", f->key, fed, dated,
                 plain_fed(&y->life, f));
    arena_finish(&a);
}

static struct year year; /* lived through once */

static void every_deadline(void **unused)
{
    (void)unused;
    struct year *y = &year;
    struct arena a = {0};
    year_live(y);
    for (int i = 0; i < y->life.n_alerts; i++)
        check_stored(y, &y->life.alerts[i]);
    for (int i = 0; i < y->life.n_firms; i++)
        if (y->life.firms[i].alert >= 0)
            check_fed(y, &y->life.firms[i]);
    const char *told = figures_text(&a, &y->figures, true);
    print_message("%zu entries, %zu events: %s\n", y->n_recs, y->n_told, told);
    assert_string_equal(told, figures_text(&a, &y->life.figures, true));
    const struct pl_figures *f = &y->figures;
    assert_true(f->alerts > 800 && f->overdue[0] > 300 && f->overdue[1] && f->overdue[2] &&
                f->escalated > 100);
    assert_true(f->unattended > 100 && f->silent > 50 && f->followed > 20 && f->withdrawn);
    for (int i = 0; i < 7; i++)
        assert_true(f->closed[i]);
    arena_finish(&a);
}

/* One entry of the journal again. */
static void fold_again(struct year *y, struct world *w, const struct rec *r, int64_t at)
{
    year_drop_events(w);
    if (r->type == REC_CONFIG)
        year_configure(y, w, 1, at);
    else if (r->type == REC_ACTION)
        world_act(w, &r->x, at);
    else
        world_apply(w, r->bytes, at);
    arena_reset(&w->arena);
}

static void begin_again(struct year *y, struct world *w, const struct state_loader *loader)
{
    world_init_loader(w, year_rules, loader, 0);
    year_configure(y, w, 0, PW_NEW_YEAR - PW_DAY);
    engine_brief(w->engine);
}

static void same_events(const struct year *y, const struct world *w, size_t *n)
{
    for (size_t i = 0; i < w->out.n; i++, (*n)++) {
        const struct event *ev = &w->out.events[i].ev;
        const struct told *t = &y->told[*n];
        if (*n >= y->n_told || ev->seq != t->seq || ev->alert != t->alert || ev->at != t->at ||
            ev->due != t->due || ev->type != t->type || ev->level != t->level || ev->state != t->state ||
            ev->tier != t->tier)
            fail_msg("event %zu: %s of alert %llu, %lld ms off", *n, event_wire(ev->type),
                     (unsigned long long)ev->alert, (long long)(*n < y->n_told ? ev->at - t->at : 0));
    }
}

static void store(struct world *w, struct rows *rows)
{
    struct checkpoint *cp = engine_checkpoint(w->engine);
    if (!cp)
        return;
    rows_take(rows, cp);
    engine_committed(w->engine, cp);
}

/* Stopped at random and started from the checkpoint, with nothing kept in memory. */
static void with_stops(void **unused)
{
    (void)unused;
    struct year *y = &year;
    struct world w;
    struct rows rows;
    uint64_t c = YEAR_SEED;
    size_t n = 0;
    rows_init(&rows);
    begin_again(y, &w, &rows.loader);
    for (size_t i = 0; i < y->n_recs; i++) {
        fold_again(y, &w, &y->recs[i], y->recs[i].at);
        same_events(y, &w, &n);
        if (year_chance(&c) % (y->n_recs / STOPS))
            continue;
        store(&w, &rows);
        world_finish(&w);
        world_init_loader(&w, year_rules, &rows.loader, 0);
        engine_brief(w.engine);
    }
    assert_int_equal(n, y->n_told);
    world_finish(&w);
    rows_finish(&rows);
}

/* The clock's own entries bring no time but every third day: what became due meanwhile comes late, and in its
 * order. */
static void with_a_clock_that_stops(void **unused)
{
    (void)unused;
    struct year *y = &year;
    struct world w;
    size_t n = 0;
    begin_again(y, &w, NULL);
    for (size_t i = 0; i < y->n_recs; i++) {
        const struct rec *r = &y->recs[i];
        bool stands = r->type == REC_TICK && pw_day(r->at) % 3 != 0 && i + 1 < y->n_recs;
        fold_again(y, &w, r, stands ? engine_time(w.engine) : r->at);
        same_events(y, &w, &n);
        engine_drop_cold(w.engine);
    }
    assert_int_equal(n, y->n_told);
    world_finish(&w);
}

/* Numbers are others without the exercises: an action goes to the alert that rose in the same place, and
 * undoes the entry that stands where the other stood. Who is drawn for a call goes by numbers, and is left
 * out. */
static void without_exercises(void **unused)
{
    (void)unused;
    struct year *y = &year;
    struct world w;
    struct arena a = {0};
    struct pl_figures figures = {0};
    uint64_t *entries = arena_zalloc(&a, (y->n_recs + 3) * sizeof *entries),
             *alerts = arena_zalloc(&a, (y->n_told + 1) * sizeof *alerts);
    size_t left_out = 0, next = 0;
    begin_again(y, &w, NULL);
    uint64_t first_entry = w.number;
    for (size_t i = 0; i < y->n_recs; i++) {
        struct rec r = y->recs[i];
        if (r.drill) {
            left_out++;
            continue;
        }
        if (r.type == REC_ACTION) {
            r.x.undo = r.x.undo > first_entry ? entries[r.x.undo - first_entry] : r.x.undo;
            r.x.alert = alerts[r.x.alert];
            r.x.version = r.x.version && r.refused ? UINT32_MAX : 0; /* calls make versions */
        }
        fold_again(y, &w, &r, r.at);
        entries[i + 1] = w.number;
        for (size_t k = 0; k < w.out.n; k++) {
            const struct event *ev = &w.out.events[k].ev;
            year_count(&w, &figures, ev);
            if (ev->type != EVENT_RAISED)
                continue;
            while (next < y->n_told &&
                   (y->told[next].type != EVENT_RAISED ||
                    y->life.firms[plain_alert(&y->life, y->told[next].alert)->firm].key[19] !=
                        '0' + STATUS_ACTUAL))
                next++;
            assert_true(next < y->n_told);
            alerts[y->told[next++].alert] = ev->alert;
        }
        engine_drop_cold(w.engine);
    }
    assert_true(left_out > 100);
    assert_string_equal(figures_text(&a, &figures, false), figures_text(&a, &y->figures, false));
    world_finish(&w);
    arena_finish(&a);
}

static int finish(void **unused)
{
    (void)unused;
    world_finish(&year.w);
    year_finish(&year);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_deadline),
        cmocka_unit_test(with_stops),
        cmocka_unit_test(with_a_clock_that_stops),
        cmocka_unit_test(without_exercises),
    };
    return cmocka_run_group_tests(tests, NULL, finish);
}
