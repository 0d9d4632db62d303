/* SPDX-License-Identifier: Apache-2.0 */
/* The queries `campaigns` and `campaign`: what a campaign selects, and how far it has come. From the stored alerts and their
 * events, so many a page; whoever asks adds the pages up. Alerts of enterprises only: areas, exercises and tests never
 * count. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/campaigns.h"
#include "daemon/eventpack.h"
#include "engine/alert.h"

#include <inttypes.h>

enum { EXAMINED_MAX = 2000, EVENTS_MAX = 256, COUNTED_TEAMS_MAX = 1024 };

enum figure {
    F_ALERTS, F_OPEN, F_ACCEPTED, F_VERIFIED, F_DISPOSED, F_CLOSED, F_CONFIRMED, F_UNFOUNDED, F_FALSE_CLAIM, F_OVERDUE,
    F_PEOPLE, F_AMOUNT, F_PAID_PEOPLE, F_PAID_AMOUNT, F_COUNT
};

static const char *const figure_words[F_COUNT] = {
    "alerts", "open", "accepted", "verified", "disposed", "closed", "confirmed", "unfounded", "false_claim", "overdue",
    "people", "amount", "paid_people", "paid_amount"};

struct team_count {
    struct slice team;
    uint64_t n[F_COUNT];
};

struct progress {
    const struct campaign *c;
    uint64_t examined, last;
    bool more;
    uint64_t all[F_COUNT];
    struct team_count *teams;
    size_t n_teams;
    int rc;
};

/* ---- does it select an alert ---- */

static bool within(const struct alert *al, region_t prefix)
{
    if (al->region && region_within(al->region, prefix))
        return true;
    for (uint32_t i = 0; i < al->n_places; i++)
        if (region_within(al->places[i], prefix))
            return true;
    return false;
}

static bool place_selected(const struct campaign *c, const struct alert *al)
{
    for (uint32_t i = 0; i < c->n_regions; i++)
        if (within(al, c->regions[i]))
            return true;
    return c->n_regions == 0;
}

static bool industry_selected(const struct campaign *c, const struct alert *al)
{
    for (uint32_t i = 0; i < c->n_industries; i++) {
        struct slice want = c->industries[i];
        if (al->industry.n >= want.n && memcmp(al->industry.p, want.p, want.n) == 0)
            return true;
    }
    return c->n_industries == 0;
}

static bool kind_selected(const struct answer *a, const struct campaign *c, const struct event *ev)
{
    for (uint32_t i = 0; i < ev->n_evidence; i++)
        for (uint32_t k = 0; k < c->n_kinds; k++)
            if (slice_eq(dict_text(a->dict, DICT_KIND, ev->evidence[i].kind), c->kinds[k]))
                return true;
    return c->n_kinds == 0;
}

/* ---- what its events say ---- */

struct told {
    uint8_t highest;           /* level */
    bool kind;                 /* one of the campaign's was among the evidence */
    int64_t people, amount, paid_people, paid_amount; /* NO_INT: not told */
};

struct numbers {
    uint8_t key[16];
    uint64_t at[EVENTS_MAX];   /* newest first */
    size_t n;
};

static bool add_number(void *arg, struct slice key, struct slice value)
{
    struct numbers *l = arg;
    (void)value;
    if (key.n != sizeof l->key || memcmp(key.p, l->key, 8) != 0)
        return false;
    l->at[l->n++] = key_get64(key.p + 8);
    return l->n < EVENTS_MAX;
}

/* Steps that `correct` may undo, the last of them. */
static bool is_step(const struct event *ev)
{
    static const uint8_t others[] = {EVENT_CORRECTED, EVENT_SEEN, EVENT_COMMENTED};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (ev->type == others[i])
            return false;
    return ev->principal.n > 0;
}

/* Newest first: the last finding and the last close that were not taken back count. */
static void hear(struct told *t, const struct event *ev, unsigned *undone)
{
    t->highest = ev->level > t->highest ? ev->level : t->highest;
    *undone += ev->type == EVENT_CORRECTED;
    if (!is_step(ev))
        return;
    if (*undone) {
        --*undone;
        return;
    }
    if (ev->type == EVENT_VERIFIED && t->people == NO_INT && t->amount == NO_INT) {
        t->people = ev->people;
        t->amount = ev->amount;
    }
    if (ev->type == EVENT_CLOSED && t->paid_people == NO_INT && slice_is(ev->outcome, "paid")) {
        t->paid_people = ev->people;
        t->paid_amount = ev->amount;
    }
}

static int listen(struct answer *a, const struct campaign *c, const struct alert *al, struct told *t)
{
    struct numbers *l = arena_zalloc(&a->scratch, sizeof *l);
    unsigned undone = 0;
    *t = (struct told){.highest = al->level, .kind = c->n_kinds == 0, .people = NO_INT, .amount = NO_INT,
                       .paid_people = NO_INT, .paid_amount = NO_INT};
    key_put64(l->key, al->number);
    key_put64(l->key + 8, UINT64_MAX);
    int rc = view_scan(a->reader, T_HISTORY, (struct slice){(const char *)l->key, sizeof l->key}, VIEW_DOWN, add_number, l,
                       a->err);
    for (size_t i = 0; rc >= 0 && i < l->n; i++) {
        struct event ev;
        rc = answer_event(a, l->at[i], &ev);
        if (rc <= 0)
            continue;
        hear(t, &ev, &undone);
        t->kind = t->kind || kind_selected(a, c, &ev);
    }
    return rc < 0 ? rc : 0;
}

/* ---- counting ---- */

static uint64_t amount_of(int64_t v)
{
    return v == NO_INT || v < 0 ? 0 : (uint64_t)v;
}

static void count(uint64_t n[F_COUNT], const struct answer *a, const struct alert *al, const struct told *t)
{
    bool closed = al->state == ALERT_STATE_CLOSED, confirmed = al->finding == FINDING_CONFIRMED;
    n[F_ALERTS]++;
    n[F_OPEN] += al->state == ALERT_STATE_OPEN;
    n[F_ACCEPTED] += al->state == ALERT_STATE_ACCEPTED;
    n[F_VERIFIED] += al->state == ALERT_STATE_VERIFIED;
    n[F_DISPOSED] += al->state == ALERT_STATE_DISPOSED;
    n[F_CLOSED] += closed;
    n[F_CONFIRMED] += confirmed;
    n[F_UNFOUNDED] += al->finding == FINDING_UNFOUNDED;
    n[F_FALSE_CLAIM] += al->finding == FINDING_FALSE_CLAIM;
    n[F_OVERDUE] += answer_overdue(a, al);
    n[F_PEOPLE] += confirmed ? amount_of(t->people) : 0;
    n[F_AMOUNT] += confirmed ? amount_of(t->amount) : 0;
    n[F_PAID_PEOPLE] += closed ? amount_of(t->paid_people) : 0;
    n[F_PAID_AMOUNT] += closed ? amount_of(t->paid_amount) : 0;
}

/* Who answers for it; NULL: nobody is named, or they are too many. */
static uint64_t *team_of(struct answer *a, struct progress *p, const struct alert *al)
{
    struct slice team = al->n_teams ? al->teams[0] : al->team;
    size_t i = 0;
    while (i < p->n_teams && !slice_eq(p->teams[i].team, team))
        i++;
    if (!team.n || i == COUNTED_TEAMS_MAX)
        return NULL;
    if (i == p->n_teams)
        p->teams[p->n_teams++] = (struct team_count){.team = arena_slice(&a->q->arena, team)};
    return p->teams[i].n;
}

static int count_alert(struct answer *a, struct progress *p, const struct alert *al)
{
    struct told t;
    int rc = listen(a, p->c, al, &t);
    if (rc < 0 || !t.kind || (p->c->levels && !(p->c->levels >> t.highest & 1)))
        return rc;
    uint64_t *team = team_of(a, p, al);
    count(p->all, a, al, &t);
    if (team)
        count(team, a, al, &t);
    return 0;
}

static bool look(struct answer *a, const struct alert *al, void *arg)
{
    struct progress *p = arg;
    const struct campaign *c = p->c;
    if (p->examined == EXAMINED_MAX) {
        p->more = true;
        return false;
    }
    p->examined++;
    p->last = al->number;
    if (ekey_status(&al->key) == STATUS_ACTUAL && ekey_kind(&al->key) != EKEY_AREA && al->raised_at >= c->from &&
        al->raised_at < c->to && place_selected(c, al) && industry_selected(c, al) &&
        answer_sees(a, al->region, al->places, al->n_places))
        p->rc = count_alert(a, p, al);
    return p->rc >= 0;
}

/* ---- the answers ---- */

static void put_words(struct enc_open *m, const char *key, const struct slice *list, uint32_t n)
{
    enc_key(m, key);
    enc_list(m->b, n);
    for (uint32_t i = 0; i < n; i++)
        enc_slice(m->b, list[i]);
}

static const char *when(const struct answer *a, const struct campaign *c)
{
    return a->q->now < c->from ? "planned" : a->q->now < c->to ? "running" : "ended";
}

static void put_campaign(struct answer *a, const struct campaign *c)
{
    struct buf *b = &a->q->body;
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "id", c->id);
    enc_kv_slice(&m, "title", c->zh);
    enc_kv_slice(&m, "title_en", c->en);
    enc_kv_int(&m, "from", c->from);
    enc_kv_int(&m, "to", c->to);
    enc_kv_str(&m, "when", when(a, c));
    enc_key(&m, "regions");
    enc_list(b, c->n_regions);
    for (uint32_t i = 0; i < c->n_regions; i++)
        eventpack_region(b, c->regions[i]);
    put_words(&m, "industries", c->industries, c->n_industries);
    put_words(&m, "kinds", c->kinds, c->n_kinds);
    enc_key(&m, "levels");
    struct enc_open levels = enc_list_open(b);
    for (unsigned l = LEVEL_GENERAL; l < LEVEL_COUNT; l++)
        if (c->levels >> l & 1) {
            enc_item(&levels);
            enc_str(b, level_wire(l));
        }
    enc_close(&levels);
    enc_close(&m);
}

int answer_campaigns(struct answer *a)
{
    const struct campaigns *all = a->q->catalog->campaigns;
    enc_key(&a->out, "campaigns");
    enc_list(&a->q->body, all->n);
    for (uint32_t i = 0; i < all->n; i++)
        put_campaign(a, &all->list[i]);
    return 0;
}

static void put_figures(struct enc_open *m, const uint64_t n[F_COUNT])
{
    for (size_t i = 0; i < F_COUNT; i++)
        enc_kv_uint(m, figure_words[i], n[i]);
}

static void put_progress(struct answer *a, const struct progress *p)
{
    struct buf *b = &a->q->body;
    enc_key(&a->out, "campaign");
    put_campaign(a, p->c);
    enc_key(&a->out, "progress");
    struct enc_open m = enc_map_open(b);
    put_figures(&m, p->all);
    enc_close(&m);
    enc_key(&a->out, "teams");
    enc_list(b, p->n_teams);
    for (size_t i = 0; i < p->n_teams; i++) {
        struct enc_open t = enc_map_open(b);
        enc_kv_slice(&t, "team", p->teams[i].team);
        put_figures(&t, p->teams[i].n);
        enc_close(&t);
    }
    if (p->more)
        enc_kv_uint(&a->out, "next", p->last);
}

int answer_campaign(struct answer *a)
{
    struct progress p = {.c = NULL};
    struct slice id = {NULL, 0};
    uint64_t after = 0;
    if (!param_text(a, "campaign", &id) || !param_uint(a, "after", &after))
        return 0;
    if (!id.p)
        return answer_refuse(a, WIRE_ERROR_MISSING_FIELD, "'campaign' is missing: the id of one; ask for campaigns");
    p.c = campaign_named(a->q->catalog->campaigns, id);
    if (!p.c) {
        param_bad(a, "campaign", "is none of campaigns.yaml; ask for campaigns");
        return 0;
    }
    p.teams = arena_zalloc(&a->q->arena, COUNTED_TEAMS_MAX * sizeof *p.teams);
    int rc = answer_each_alert(a, after + 1, look, &p);
    if (rc < 0 || p.rc < 0)
        return rc < 0 ? rc : p.rc;
    put_progress(a, &p);
    return 0;
}
