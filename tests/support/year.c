/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/year.h"

#include "tests/unit/test.h"

#include <stdlib.h>

enum { CHANGE_DAY = 181 };

#define HOUR   INT64_C(3600000)
#define MINUTE INT64_C(60000)

const char year_rules[] =
    "version: 1\n"
    "score:\n"
    "  levels: {general: 40, major: 65, critical: 85}\n"
    "  hysteresis: 8\n"
    "selectors:\n"
    "  many: {kind: [hotline.group_complaint, subdistrict.gathering], where: {people: {at_least: 50}}}\n"
    "rules:\n"
    "  - id: many\n"
    "    title: {zh: 人数众多, en: Many people}\n"
    "    when: {signal: many, within: 60d}\n"
    "    then: {raise: general, escalate: true}\n"
    "  - id: score\n"
    "    title: {zh: 综合风险评分, en: Score}\n"
    "    when: {score: follow}\n"
    "    then: {raise: by_score}\n";

/* ---- chance ---- */

uint64_t year_chance(uint64_t *s)
{
    uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int64_t between(uint64_t *s, int64_t lo, int64_t hi) /* hi too */
{
    return lo + (int64_t)(year_chance(s) % (uint64_t)(hi - lo + 1));
}

static bool one_in(uint64_t *s, unsigned n)
{
    return year_chance(s) % n == 0;
}

/* ---- files ---- */

static char *read_text(struct arena *a, const char *name)
{
    const char *root = getenv("WAGEWARN_SOURCE");
    FILE *f = fopen(arena_printf(a, "%s/%s", root ? root : ".", name), "rb");
    assert_non_null(f);
    char *text = arena_alloc(a, 2 << 20);
    text[fread(text, 1, (2 << 20) - 1, f)] = 0;
    fclose(f);
    return text;
}

/* The text with one part of it replaced. */
static char *with(struct arena *a, const char *text, const char *old, const char *new)
{
    const char *p = strstr(text, old);
    assert_non_null(p);
    return arena_printf(a, "%.*s%s%s", (int)(p - text), text, new, p + strlen(old));
}

/* ---- teams: 28 of towns, 7 of counties, 3 of county sites, 2 of the prefecture ---- */

static void read_towns(struct year *y)
{
    const char *text = read_text(&y->arena, "config/regions.csv");
    y->towns = arena_alloc(&y->arena, 200 * sizeof *y->towns);
    for (const char *p = strstr(text, "\n3304"); p && strncmp(p, "\n3304", 5) == 0; p = strchr(p + 1, '\n'))
        if (strcspn(p + 1, ",") == 9)
            snprintf(y->towns[y->n_towns++], 10, "%.9s", p + 1);
    assert_int_equal(y->n_towns, 72);
}

static struct pw_team *new_team(struct plain_work *w, int tier, bool sites, const char *id)
{
    struct pw_team *t = &w->teams[w->n_teams++];
    *t = (struct pw_team){.tier = tier, .sites = sites};
    snprintf(t->id, sizeof t->id, "%s", id);
    return t;
}

static void answers_for(struct pw_team *t, const char *prefix)
{
    assert_true(t->n_towns < PW_TOWNS);
    snprintf(t->towns[t->n_towns++], 10, "%s", prefix);
}

static void make_teams(struct year *y, struct plain_work *w)
{
    char id[24], county[7] = "";
    int part = 0, of_county = 0;
    struct pw_team *t = NULL;
    for (int i = 0; i < y->n_towns; i++) {
        if (strncmp(county, y->towns[i], 6) != 0) {
            snprintf(county, sizeof county, "%.6s", y->towns[i]);
            snprintf(id, sizeof id, "county-%s", county);
            answers_for(new_team(w, 1, false, id), county);
            if (of_county++ % 3 == 0) {
                snprintf(id, sizeof id, "sites-%s", county);
                answers_for(new_team(w, 1, true, id), county);
            }
            part = 0;
        }
        if (part < 4) {
            snprintf(id, sizeof id, "towns-%s-%d", county, part++);
            t = new_team(w, 0, false, id);
        }
        answers_for(t, y->towns[i]);
    }
    answers_for(new_team(w, 2, false, "prefecture"), "3304");
    answers_for(new_team(w, 2, true, "prefecture-sites"), "3304");
    assert_int_equal(w->n_teams, 40);
    w->climb[0] = (struct pw_term){true, true, 1};
    w->climb[1] = (struct pw_term){true, true, 2};
    w->joins[LEVEL_MAJOR] = 1;
    w->joins[LEVEL_CRITICAL] = 2;
}

static char *teams_yaml(struct arena *a, const struct plain_work *w)
{
    static const char *const tiers[] = {"town", "county", "prefecture"};
    char *text =
        arena_printf(a, "%s",
                     "version: 1\ncovers: [\"3304\"]\n"
                     "tiers:\n  - {id: town, zh: 镇, en: town, escalate_after: 1wd}\n"
                     "  - {id: county, zh: 县, en: county, escalate_after: 2wd}\n"
                     "  - {id: prefecture, zh: 市, en: prefecture}\n"
                     "departments:\n  labour: {zh: 人社, en: labour}\n  housing: {zh: 住建, en: housing}\n"
                     "leads:\n  - {lead: labour}\n  - {industry: E, lead: housing, assist: [labour]}\n"
                     "joins: {general: town, major: county, critical: prefecture}\nteams:\n");
    for (int i = 0; i < w->n_teams; i++) {
        const struct pw_team *t = &w->teams[i];
        text = arena_printf(
            a, "%s  - id: %s\n    name: {zh: %s, en: %s}\n    tier: %s\n    department: %s\n%s    regions: [",
            text, t->id, t->id, t->id, tiers[t->tier], t->sites ? "housing" : "labour",
            t->sites ? "    industries: [E]\n" : "");
        for (int k = 0; k < t->n_towns; k++)
            text = arena_printf(a, "%s%s\"%s\"", text, k ? ", " : "", t->towns[k]);
        text = arena_printf(a, "%s]\n", text);
    }
    return text;
}

/* In the middle of the year a team goes, its towns to the next one; the prefecture's has another name; verifying must be
 * quicker, and a measure is no more. */
static void make_change(struct year *y, const char *calendar, const char *kinds)
{
    struct plain_work *before = &y->work[0], *after = &y->work[1];
    y->deadlines[1] = with(&y->arena, y->deadlines[0], "verify: {general: 10d", "verify: {general: 8d");
    y->measures[1] = with(&y->arena, y->measures[0], "- id: payment_plan", "- id: promise");
    pw_read(after, y->deadlines[1], y->measures[1], calendar, kinds);
    memcpy(after->climb, before->climb, sizeof after->climb);
    memcpy(after->joins, before->joins, sizeof after->joins);
    struct pw_team *gone = NULL;
    for (int i = 0; i < before->n_teams; i++) {
        struct pw_team *t = &before->teams[i];
        if (!gone && t->tier == 0) {
            gone = t;
            continue;
        }
        after->teams[after->n_teams++] = *t;
        if (strcmp(t->id, "prefecture") == 0)
            strcpy(after->teams[after->n_teams - 1].id, "jiaxing");
        for (int k = 0; gone && t->tier == 0 && k < gone->n_towns && after->n_teams == 2 + (i > 2); k++)
            answers_for(&after->teams[after->n_teams - 1], gone->towns[k]);
    }
    y->teams[1] = teams_yaml(&y->arena, after);
}

static void set_up(struct year *y)
{
    *y = (struct year){0};
    const char *calendar = read_text(&y->arena, "config/calendar/2026.csv");
    const char *kinds = read_text(&y->arena, "config/kinds.csv");
    y->deadlines[0] = read_text(&y->arena, "config/deadlines.yaml");
    y->measures[0] = read_text(&y->arena, "config/measures.yaml");
    read_towns(y);
    pw_read(&y->work[0], y->deadlines[0], y->measures[0], calendar, kinds);
    make_teams(y, &y->work[0]);
    y->teams[0] = teams_yaml(&y->arena, &y->work[0]);
    make_change(y, calendar, kinds);
    plain_life_init(&y->life, &y->work[0]);
}

void year_finish(struct year *y)
{
    plain_life_finish(&y->life);
    free(y->recs);
    free(y->told);
    free(y->heap);
    free(y->actors);
    arena_finish(&y->arena);
}

void year_configure(struct year *y, struct world *w, int which, int64_t at)
{
    const struct world_work work = {
        .teams = y->teams[which], .measures = y->measures[which], .deadlines = y->deadlines[which]};
    world_config_work(w, year_rules, &work, at);
}

/* ---- what is planned, earliest first ---- */

#define GROW(list, n, cap)                                                                                   \
    do {                                                                                                     \
        if ((n) == (cap)) {                                                                                  \
            (cap) = (cap) ? (cap)*2 : 1024;                                                                  \
            (list) = realloc((list), (cap) * sizeof *(list));                                                \
            assert_non_null(list);                                                                           \
        }                                                                                                    \
    } while (0)

static bool sooner(const struct plan *a, const struct plan *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void plan(struct year *y, struct plan p)
{
    GROW(y->heap, y->n_heap, y->cap_heap);
    size_t i = y->n_heap++;
    p.order = y->order++;
    for (; i && sooner(&p, &y->heap[(i - 1) / 2]); i = (i - 1) / 2)
        y->heap[i] = y->heap[(i - 1) / 2];
    y->heap[i] = p;
}

static struct plan next_plan(struct year *y)
{
    struct plan top = y->heap[0], last = y->heap[--y->n_heap];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < y->n_heap; i = c) {
        if (c + 1 < y->n_heap && sooner(&y->heap[c + 1], &y->heap[c]))
            c++;
        if (!sooner(&y->heap[c], &last))
            break;
        y->heap[i] = y->heap[c];
    }
    y->heap[i] = last;
    return top;
}

/* Nobody does anything in the two long holidays; on other days off only some do. */
static int64_t at_work(const struct year *y, uint64_t *c, int64_t at)
{
    int64_t day = pw_day(at);
    bool some = one_in(c, 4);
    while (!pw_works(&y->work[0], day) && (!some || (day >= 45 && day <= 53) || (day >= 273 && day <= 279)))
        day++;
    return PW_NEW_YEAR + day * PW_DAY + 8 * HOUR + between(c, 0, 600) * MINUTE + between(c, 0, 59) * 1000;
}

/* ---- enterprises and their signals ---- */

static const char *code_of(struct year *y, int firm)
{
    return arena_printf(&y->arena, "91330400MA%08d", firm % FIRMS);
}

static const char *town_of(const struct year *y, int firm, uint64_t salt)
{
    uint64_t c = YEAR_SEED + (uint64_t)firm * 977 + salt;
    return y->towns[year_chance(&c) % (uint64_t)y->n_towns];
}

static bool has_seat_elsewhere(int firm)
{
    return firm % 5 == 0;
}

static const char *const troubles[] = {
    "tax.arrears",
    "tax.invoice_stopped",
    "court.enforcement",
    "court.seizure",
    "market.abnormal_list",
    "subdistrict.shutdown",
    "subdistrict.layoff",
    "subdistrict.rent_overdue",
    "subdistrict.wage_delay",
    "subdistrict.gathering",
    "hotline.complaint",
    "hotline.complaint",
    "hotline.group_complaint",
    "social.contribution_arrears",
    "utility.bill_overdue",
    "bank.loan_overdue",
    "police.wage_dispute_call",
    "labour.arbitration_filed",
};
static const char *const reliefs[] = {"hotline.resolved", "subdistrict.wages_paid", "tax.settled",
                                      "social.contribution_paid"};

static void plan_signal(struct year *y, uint64_t *c, int firm, const char *kind, int64_t at)
{
    int64_t heard = at_work(y, c, at + between(c, 0, 3) * PW_DAY);
    if (heard < at)
        heard = at;
    if (pw_day(heard) < PW_DAYS)
        plan(y, (struct plan){heard, 0, firm, 0, kind, at, (int)between(c, 3, 90)});
}

/* Most are heard of once or twice a year; some have one bad quarter. */
static void plan_firm(struct year *y, int firm)
{
    uint64_t c = YEAR_SEED * UINT64_C(31) + (uint64_t)firm;
    int bad = (int)between(&c, 0, 99), n = bad < 72   ? (int)between(&c, 0, 2)
                                           : bad < 90 ? (int)between(&c, 3, 5)
                                                      : (int)between(&c, 6, 14);
    int64_t begin = between(&c, 1, 330), span = bad < 72 ? 364 - begin : between(&c, 10, 90);
    for (int day = 0; has_seat_elsewhere(firm) && day < PW_DAYS; day += 120) { /* the register says it again and again */
        int64_t at = PW_NEW_YEAR + day * PW_DAY + 9 * HOUR;
        plan(y, (struct plan){at + firm * 100, 0, firm, 0, "registry.profile", at, 0});
    }
    for (int i = 0; i < n; i++) {
        int64_t at = PW_NEW_YEAR + (begin + between(&c, 0, span)) * PW_DAY + between(&c, 0, 23) * HOUR;
        const char *kind = one_in(&c, 9) ? reliefs[year_chance(&c) % ARRAY_LEN(reliefs)]
                                         : troubles[year_chance(&c) % ARRAY_LEN(troubles)];
        plan_signal(y, &c, firm, kind, at);
    }
}

/* ---- one entry ---- */

void year_count(struct world *w, struct pl_figures *f, const struct event *ev)
{
    static const char *const outcomes[] = {"paid",        "unfounded", "false_claim", "mediated",
                                           "transferred", "listed",    "other"};
    int o = 0;
    if (ekey_status(&ev->key) != STATUS_ACTUAL)
        return;
    f->alerts += ev->type == EVENT_RAISED;
    f->lives += ev->type == EVENT_RAISED || (ev->type == EVENT_REOPENED && !ev->principal.n);
    f->withdrawn += ev->type == EVENT_WITHDRAWN;
    f->overdue[ev->tier] += ev->type == EVENT_OVERDUE && !ev->measure.n;
    f->silent += ev->type == EVENT_OVERDUE && ev->measure.n;
    f->escalated += ev->type == EVENT_ESCALATED && !ev->rule.n && !ev->principal.n;
    f->unattended += ev->type == EVENT_UNATTENDED;
    f->followed += ev->type == EVENT_FOLLOW_UP && !ev->principal.n;
    if (ev->type != EVENT_CLOSED)
        return;
    while (o < 7 && !slice_is(ev->outcome, outcomes[o]))
        o++;
    f->closed[o]++;
    struct alert a;
    assert_true(alert_load(w->engine, ev->alert, &a));
    f->days += a.closed_at - a.raised_at;
}

static void keep(struct year *y, const struct event *ev)
{
    uint32_t teams = 2166136261u;
    for (uint32_t i = 0; i < ev->n_teams; i++)
        for (size_t k = 0; k <= ev->teams[i].n; k++)
            teams = (teams ^ (k < ev->teams[i].n ? (unsigned char)ev->teams[i].p[k] : '|')) * 16777619u;
    GROW(y->told, y->n_told, y->cap_told);
    y->told[y->n_told++] =
        (struct told){ev->seq, ev->alert, ev->at, ev->due, teams, ev->type, ev->level, ev->state, ev->tier};
}

static void turn_to(struct year *y, const struct event *ev, int64_t now);

/* What the world has told since: to the model, and to whoever acts on it. */
static void hear(struct year *y, uint64_t entry, int64_t at)
{
    struct world *w = &y->w;
    for (size_t i = 0; i < w->out.n; i++) {
        const struct event *ev = &w->out.events[i].ev;
        plain_event(&y->life, ev);
        year_count(w, &y->figures, ev);
        keep(y, ev);
        turn_to(y, ev, at);
    }
    plain_done(&y->life, entry, at, w->out.refused);
    if (y->life.fault[0])
        fail_msg("%s", y->life.fault);
}

void year_drop_events(struct world *w)
{
    arena_reset(&w->out_arena);
    w->out = (struct engine_out){.arena = &w->out_arena};
}

static struct rec *record(struct year *y, enum rec_type type, int64_t at, struct slice bytes)
{
    GROW(y->recs, y->n_recs, y->cap_recs);
    y->recs[y->n_recs] = (struct rec){.type = type, .at = at, .bytes = arena_slice(&y->arena, bytes)};
    return &y->recs[y->n_recs++];
}

static void apply(struct year *y, enum rec_type type, struct slice bytes, int64_t at)
{
    record(y, type, at, bytes);
    year_drop_events(&y->w);
    world_apply(&y->w, bytes, at);
    hear(y, y->w.number, at);
}

static void tick(struct year *y, int64_t at)
{
    buf_reset(&y->w.buf);
    entry_put_tick(&y->w.buf);
    apply(y, REC_TICK, (struct slice){(char *)y->w.buf.p, y->w.buf.n}, at);
}

/* So that what the clock does comes in an entry of its own, and the model need not tell them apart. */
static void tick_first(struct year *y, int64_t at)
{
    if (engine_next_due(y->w.engine) <= at)
        tick(y, at);
}

static void say(struct year *y, const struct plan *p)
{
    bool drill = p->firm >= FIRMS, profile = strcmp(p->kind, "registry.profile") == 0;
    struct say s = {.kind = p->kind,
                    .at = p->said,
                    .uscc = code_of(y, p->firm),
                    .people = p->people,
                    .region = town_of(y, p->firm, profile ? 7 : 0),
                    .industry = p->firm % 4 == 0 ? "E50" : "C18",
                    .status = drill ? STATUS_EXERCISE : STATUS_ACTUAL};
    struct entry_signal e;
    tick_first(y, p->at);
    struct slice bytes = world_entry(&y->w, &s, &e);
    plain_signal(&y->life, &e.sig, y->w.number + 1, p->at);
    apply(y, REC_SIGNAL, bytes, p->at);
    y->recs[y->n_recs - 1].drill = drill;
}

static enum wire_error act(struct year *y, const struct entry_action *x, int64_t at)
{
    tick_first(y, at);
    const struct pl_alert *a = plain_alert(&y->life, x->alert);
    bool drill = y->life.firms[a->firm].key[19] != '0' + STATUS_ACTUAL;
    struct rec *r = record(y, REC_ACTION, at, (struct slice){0});
    r->x = *x;
    r->drill = drill;
    plain_action(&y->life, x, y->w.number + 1, at);
    year_drop_events(&y->w);
    enum wire_error refused = world_act(&y->w, x, at);
    r->refused = refused != WIRE_ERROR_NONE;
    hear(y, y->w.number, at);
    return refused;
}

/* ---- teams ---- */

static struct actor *actor_of(struct year *y, const struct pl_alert *a)
{
    size_t i = (size_t)(a - y->life.alerts);
    while (y->n_actors <= i) {
        GROW(y->actors, y->n_actors, y->cap_actors);
        y->actors[y->n_actors] = (struct actor){.chance = YEAR_SEED * UINT64_C(77) + y->n_actors};
        y->n_actors++;
    }
    return &y->actors[i];
}

/* Half of the teams are prompt, most others late, some never answer. */
static int temper_of(struct slice team)
{
    unsigned h = 5381;
    for (size_t i = 0; i < team.n; i++)
        h = h * 33 + (unsigned char)team.p[i];
    return "0000011123"[h % 10] - '0';
}

static void next_turn(struct year *y, struct actor *who, uint64_t alert, int64_t now)
{
    static const int64_t least[] = {1, 10, 70, 0}, most[] = {50, 260, 900, 0}; /* hours */
    if (who->waits || who->temper == 3)
        return;
    int64_t at =
        at_work(y, &who->chance, now + between(&who->chance, least[who->temper], most[who->temper]) * HOUR);
    if (who->temper == 0 && one_in(&who->chance, 2))
        at = now + between(&who->chance, 3, 90) * MINUTE;
    if (at <= now)
        at = now + 20 * MINUTE;
    if (pw_day(at) >= PW_DAYS)
        return;
    who->waits = true;
    plan(y, (struct plan){at, 0, -1, alert, NULL, 0, 0});
}

/* A rise wakes the team that answers; an escalation the next one. */
static void turn_to(struct year *y, const struct event *ev, int64_t now)
{
    struct actor *who = actor_of(y, plain_alert(&y->life, ev->alert));
    bool rises = ev->type == EVENT_RAISED || ev->type == EVENT_REOPENED;
    if (rises && ev->n_teams)
        who->temper = temper_of(ev->teams[0]);
    if (ev->type == EVENT_ESCALATED && who->temper > 1 && one_in(&who->chance, 2))
        who->temper = 1;
    if (rises || ev->type == EVENT_ESCALATED)
        next_turn(y, who, ev->alert, now);
}

struct odds {
    const char *what;
    int in_100;
};

static const struct odds odds[][14] = {
    [PL_OPEN] = {{"accept", 72},
                 {"twice", 6},
                 {"seen", 4},
                 {"assign", 4},
                 {"join", 3},
                 {"escalate", 3},
                 {"hold", 2},
                 {"snooze", 2},
                 {"extend", 1},
                 {"correct", 1},
                 {"comment", 1},
                 {"dispose", 1}},
    [PL_ACCEPTED] = {{"verify", 72},
                     {"extend", 4},
                     {"hold", 5},
                     {"snooze", 3},
                     {"escalate", 3},
                     {"assign", 2},
                     {"join", 2},
                     {"correct", 5},
                     {"seen", 1},
                     {"comment", 1},
                     {"accept", 1},
                     {"dance", 1}},
    [PL_VERIFIED] = {{"dispose", 38},
                     {"close", 22},
                     {"verify", 6},
                     {"extend", 6},
                     {"hold", 6},
                     {"snooze", 5},
                     {"correct", 6},
                     {"escalate", 4},
                     {"assign", 2},
                     {"join", 2},
                     {"comment", 1},
                     {"reopen", 1},
                     {"twice", 1}},
    [PL_DISPOSED] = {{"dispose", 24},
                     {"close", 28},
                     {"verify", 6},
                     {"extend", 10},
                     {"hold", 8},
                     {"snooze", 6},
                     {"correct", 8},
                     {"escalate", 4},
                     {"assign", 2},
                     {"join", 2},
                     {"comment", 1},
                     {"seen", 1}},
    [PL_CLOSED] = {{"reopen", 40}, {"comment", 30}, {"follow_up", 20}, {"accept", 10}},
};

static const char *choose(uint64_t *c, int state)
{
    int left = (int)between(c, 0, 99);
    const struct odds *o = odds[state];
    while (left >= o->in_100 && o[1].what)
        left -= o++->in_100;
    return o->what;
}

/* The fields that a step wants; sometimes wrong ones. */
static void fill_dispose(struct year *y, uint64_t *c, struct entry_action *x, int64_t at)
{
    const struct pw_measure *m = &y->life.work->measures[year_chance(c) % (uint64_t)y->life.work->n_measures];
    if (one_in(c, 2)) /* what runs out is what is of interest */
        m = pw_measure(y->life.work, "order_to_correct");
    x->measure = slice_of(m->id);
    x->ref = slice_of(arena_printf(&y->arena, "no. %d", (int)between(c, 1, 3)));
    x->people = one_in(c, 30) ? NO_INT : between(c, 1, 80);
    x->amount = between(c, 10000, 90000000);
    if (pw_word(m->wants, "due") || one_in(c, 6))
        x->due = at + between(c, 0, 30) * PW_DAY + 5 * HOUR;
}

/* Most tell what they did; some what they did not. */
static const char *outcome_of(struct year *y, uint64_t *c, const struct pl_alert *a)
{
    static const char *const outcomes[] = {"paid",        "paid",   "paid",  "mediated",  "mediated", "paid",
                                           "transferred", "listed", "other", "unfounded", ""};
    if (a->now.finding != 1)
        return one_in(c, 3) ? "" : one_in(c, 12) ? "paid" : a->now.finding == 3 ? "false_claim" : "unfounded";
    for (int i = 0; i < a->now.n_taken && one_in(c, 2); i++) {
        const struct pw_measure *m = pw_measure(y->life.work, a->now.taken[i].measure);
        if (m && *m->outcome)
            return m->outcome;
    }
    return outcomes[year_chance(c) % ARRAY_LEN(outcomes)];
}

static void fill(struct year *y, uint64_t *c, const struct pl_alert *a, struct entry_action *x, int64_t at)
{
    int found = (int)between(c, 0, 9);
    x->finding = slice_of(found < 7 ? "confirmed" : found < 9 ? "unfounded" : "false_claim");
    x->outcome = slice_of(outcome_of(y, c, a));
    x->role = one_in(c, 4) ? SLICE("operator") : SLICE("inspector");
    x->people = one_in(c, 3) ? between(c, 1, 9) : NO_INT;
    x->paid_people = one_in(c, 20) ? NO_INT : between(c, one_in(c, 20) ? 0 : 1, 90);
    x->paid_amount = between(c, 10000, 90000000);
    x->team = slice_of(y->life.work->teams[year_chance(c) % (uint64_t)y->life.work->n_teams].id);
    if (one_in(c, 25))
        x->team = SLICE("nobody");
    x->until = at + between(c, one_in(c, 9) ? -1 : 1, one_in(c, 9) ? 120 : 29) * PW_DAY + 3 * HOUR;
    x->has_note = !one_in(c, 10);
    x->undo = one_in(c, 8) ? 1 : a->undo;
    x->version = one_in(c, 3) ? 0 : a->version;
    if (slice_is(x->what, "dispose"))
        fill_dispose(y, c, x, at);
}

/* After an order some obey, in time or not. */
static void perhaps_obey(struct year *y, uint64_t *c, int firm, int64_t at)
{
    if (one_in(c, 3) && firm < FIRMS)
        plan_signal(y, c, firm, one_in(c, 2) ? "labour.order_obeyed" : "subdistrict.wages_paid",
                    at + between(c, 1, 15) * PW_DAY);
}

static void take_turn(struct year *y, const struct plan *p)
{
    struct pl_alert *a = plain_alert(&y->life, p->alert);
    struct actor *who = actor_of(y, a);
    uint64_t *c = &who->chance;
    who->waits = false;
    tick_first(y, p->at);
    const char *what = choose(c, a->now.state);
    bool twice = strcmp(what, "twice") == 0;
    struct entry_action x =
        world_action(p->alert, twice ? a->now.state == PL_OPEN ? "accept" : "close" : what);
    fill(y, c, a, &x, p->at);
    x.actor = one_in(c, 2) ? SLICE("王") : SLICE("李");
    if (twice)
        x.version = a->version;
    int firm = a->firm;
    enum wire_error refused = act(y, &x, p->at);
    if (twice && !refused) { /* the other one pressed the button too: one `done`, one that hears of it */
        x.actor = SLICE("赵");
        assert_int_equal(act(y, &x, p->at), WIRE_ERROR_WRONG_STATE);
        assert_non_null(strstr(y->w.out.sentence, "last came"));
    }
    a = plain_alert(&y->life, p->alert);
    who = actor_of(y, a);
    if (!refused && strcmp(what, "dispose") == 0)
        perhaps_obey(y, &who->chance,
                     atoi(y->life.firms[firm].key + 10) + (y->life.firms[firm].key[19] == '0' ? 0 : FIRMS),
                     p->at);
    if (a->now.state != PL_CLOSED || one_in(&who->chance, 6))
        next_turn(y, who, p->alert, p->at);
}

/* ---- the year ---- */

static int by_key(const void *a, const void *b)
{
    return ekey_cmp(a, b);
}

/* Other settings, and every record judged under them. */
static void change_settings(struct year *y, int64_t at)
{
    size_t n = (size_t)y->life.n_firms;
    struct ekey *keys = arena_alloc(&y->arena, n * sizeof *keys);
    record(y, REC_CONFIG, at, (struct slice){0});
    year_drop_events(&y->w);
    year_configure(y, &y->w, 1, at);
    hear(y, y->w.number, at);
    y->life.work = &y->work[1];
    for (size_t i = 0; i < n; i++)
        keys[i] = ekey_of_code((enum status)(y->life.firms[i].key[19] - '0'),
                               (struct slice){y->life.firms[i].key, 18});
    qsort(keys, n, sizeof *keys, by_key);
    for (size_t i = 0; i <= n; i += SWEEP_MAX) {
        struct buf b = {0};
        entry_put_sweep(&b, keys + i, n - i < SWEEP_MAX ? n - i : SWEEP_MAX);
        apply(y, REC_SWEEP, (struct slice){(char *)b.p, b.n}, at);
        buf_finish(&b);
    }
    plain_swept(&y->life);
}

static void one_day(struct year *y, int64_t day)
{
    int64_t begin = PW_NEW_YEAR + day * PW_DAY;
    if (day == CHANGE_DAY) {
        tick(y, begin + HOUR);
        change_settings(y, begin + HOUR);
    }
    while (y->n_heap && y->heap[0].at < begin + PW_DAY) {
        struct plan p = next_plan(y);
        if (p.firm >= 0)
            say(y, &p);
        else
            take_turn(y, &p);
    }
    tick(y, begin + PW_DAY);
    plain_look(&y->life);
    if (y->life.fault[0])
        fail_msg("%s", y->life.fault);
    engine_drop_cold(y->w.engine);
    arena_reset(&y->w.arena);
}

void year_live(struct year *y)
{
    set_up(y);
    for (int firm = 0; firm < FIRMS + DRILLS; firm++)
        plan_firm(y, firm);
    world_init(&y->w, year_rules);
    engine_brief(y->w.engine);
    year_configure(y, &y->w, 0, PW_NEW_YEAR - PW_DAY);
    for (int64_t day = 0; day < PW_DAYS; day++)
        one_day(y, day);
}
