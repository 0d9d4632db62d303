/* SPDX-License-Identifier: Apache-2.0 */
/* The query `statistics`: what came of alerts, by the rule and by the agency that brought them up; and how duties stand. From the stored alerts
 * and their first events, so many a page; whoever asks adds the pages up. Exercises and tests are left out. Query
 * thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "engine/alert.h"

enum { EXAMINED_MAX = 5000, COUNTS_MAX = 1024 };

enum came_of { CAME_RAISED, CAME_CONFIRMED, CAME_UNFOUNDED, CAME_FALSE_CLAIM, CAME_OPEN, CAME_COUNT };

static const char *const came_words[CAME_COUNT] = {"raised", "confirmed", "unfounded", "false_claim", "open"};

struct count {
    struct slice word;       /* id of the rule, or the agency; in the query's arena */
    struct slice zh, en;     /* of a rule */
    uint64_t last;           /* alert counted last: one counts once */
    uint64_t n[CAME_COUNT];
};

struct counts {
    struct count *list;
    size_t n;
};

/* Money paid in advance (emergency fund). */
struct advanced {
    uint64_t measures, alerts;
    uint64_t amount, recovered; /* fen */
};

struct work_done {
    region_t region;
    int64_t from, to;        /* of raised_at: [from, to) */
    uint64_t examined, last, alerts;
    bool more;
    struct counts rules, agencies;
    uint64_t all[CAME_COUNT];     /* each case once: a parent and its members are one */
    uint64_t members[CAME_COUNT]; /* those that stand, or stood, under a parent */
    struct advanced advanced;
    int rc;
};

static struct count *find(struct answer *a, struct counts *c, struct slice word)
{
    for (size_t i = 0; i < c->n; i++)
        if (slice_eq(c->list[i].word, word))
            return &c->list[i];
    if (c->n == COUNTS_MAX || !word.n)
        return NULL;
    c->list[c->n] = (struct count){.word = arena_slice(&a->q->arena, word)};
    return &c->list[c->n++];
}

static void add(uint64_t n[CAME_COUNT], const struct alert *al)
{
    n[CAME_RAISED]++;
    n[CAME_CONFIRMED] += al->finding == FINDING_CONFIRMED;
    n[CAME_UNFOUNDED] += al->finding == FINDING_UNFOUNDED;
    n[CAME_FALSE_CLAIM] += al->finding == FINDING_FALSE_CLAIM;
    n[CAME_OPEN] += al->state != ALERT_STATE_CLOSED;
}

static void count_once(struct count *c, const struct alert *al)
{
    if (!c || c->last == al->number)
        return;
    c->last = al->number;
    add(c->n, al);
}

static void count_rule(struct answer *a, struct work_done *d, uint32_t rule, const struct alert *al)
{
    struct slice id, zh, en;
    if (rule == UINT32_MAX)
        return;
    rule_words(dict_text(a->dict, DICT_RULE, rule), &id, &zh, &en);
    struct count *c = find(a, &d->rules, id);
    if (c && !c->zh.n) {
        c->zh = zh;
        c->en = en;
    }
    count_once(c, al);
}

static void count_agency(struct answer *a, struct work_done *d, uint32_t kind, const struct alert *al)
{
    struct slice word = dict_text(a->dict, DICT_KIND, kind);
    const char *dot = word.n ? memchr(word.p, '.', word.n) : NULL;
    word.n = dot ? (size_t)(dot - word.p) : word.n;
    count_once(find(a, &d->agencies, word), al);
}

static void count_advanced(struct advanced *v, const struct alert *al)
{
    uint64_t before = v->measures;
    for (uint32_t i = 0; i < al->h.n_taken; i++) {
        const struct taken *t = &al->h.taken[i];
        if (!t->recover || t->amount == NO_INT)
            continue;
        v->measures++;
        v->amount += (uint64_t)t->amount;
        v->recovered += (uint64_t)t->recovered;
    }
    v->alerts += v->measures > before;
}

/* What brought it up is what its first event says; where that is no longer kept, its weightiest rule of now. */
static int count_alert(struct answer *a, struct work_done *d, const struct alert *al)
{
    struct event ev;
    int rc = answer_event(a, al->number, &ev);
    if (rc < 0)
        return rc;
    add(al->parent ? d->members : d->all, al);
    count_advanced(&d->advanced, al);
    if (rc == 0)
        count_rule(a, d, al->rule, al);
    for (uint32_t i = 0; rc == 1 && i < ev.n_reasons; i++)
        count_rule(a, d, ev.reasons[i].rule, al);
    for (uint32_t i = 0; rc == 1 && i < ev.n_evidence; i++)
        count_agency(a, d, ev.evidence[i].kind, al);
    return 0;
}

static bool look(struct answer *a, const struct alert *al, void *arg)
{
    struct work_done *d = arg;
    if (d->examined == EXAMINED_MAX) {
        d->more = true;
        return false;
    }
    d->examined++;
    d->last = al->number;
    bool within = !d->region;
    for (uint32_t i = 0; i < al->n_places && !within; i++)
        within = region_within(al->places[i], d->region);
    within = within || (al->region && region_within(al->region, d->region));
    if (ekey_status(&al->key) == STATUS_ACTUAL && within && al->raised_at >= d->from && al->raised_at < d->to &&
        answer_sees(a, al->region, al->places, al->n_places))
        d->rc = count_alert(a, d, al);
    return d->rc >= 0;
}

static void put_advanced(struct enc_open *out, const struct advanced *v)
{
    enc_key(out, "advanced");
    struct enc_open m = enc_map_open(out->b);
    enc_kv_uint(&m, "alerts", v->alerts);
    enc_kv_uint(&m, "measures", v->measures);
    enc_kv_uint(&m, "amount", v->amount);
    enc_kv_uint(&m, "recovered", v->recovered);
    enc_close(&m);
}

static void put_counts(struct enc_open *m, const uint64_t n[CAME_COUNT])
{
    for (size_t i = 0; i < CAME_COUNT; i++)
        enc_kv_uint(m, came_words[i], n[i]);
}

static void put_list(struct answer *a, const char *key, const char *word, const struct counts *c)
{
    enc_key(&a->out, key);
    enc_list(&a->q->body, c->n);
    for (size_t i = 0; i < c->n; i++) {
        struct enc_open m = enc_map_open(&a->q->body);
        enc_kv_slice(&m, word, c->list[i].word);
        enc_kv_slice(&m, "title", c->list[i].zh);
        enc_kv_slice(&m, "title_en", c->list[i].en);
        put_counts(&m, c->list[i].n);
        enc_close(&m);
    }
}

static bool read_params(struct answer *a, struct work_done *d, uint64_t *after)
{
    struct slice region = {NULL, 0};
    uint64_t from = 0, to = INT64_MAX;
    if (!param_text(a, "region", &region) || !param_uint(a, "after", after) || !param_uint(a, "from", &from) ||
        !param_uint(a, "to", &to))
        return false;
    d->region = region_of(region);
    d->from = from > INT64_MAX ? INT64_MAX : (int64_t)from;
    d->to = to > INT64_MAX ? INT64_MAX : (int64_t)to;
    return !region.p || d->region || param_bad(a, "region", "must be the first digits of a region code");
}

int answer_statistics(struct answer *a)
{
    struct work_done d = {0};
    uint64_t after = 0;
    if (!read_params(a, &d, &after))
        return 0;
    d.rules.list = arena_zalloc(&a->q->arena, COUNTS_MAX * sizeof *d.rules.list);
    d.agencies.list = arena_zalloc(&a->q->arena, COUNTS_MAX * sizeof *d.agencies.list);
    int rc = answer_each_alert(a, after + 1, look, &d);
    if (rc < 0 || d.rc < 0)
        return rc < 0 ? rc : d.rc;
    enc_key(&a->out, "all");
    struct enc_open all = enc_map_open(&a->q->body);
    put_counts(&all, d.all);
    enc_close(&all);
    enc_key(&a->out, "members");
    struct enc_open members = enc_map_open(&a->q->body);
    put_counts(&members, d.members);
    enc_close(&members);
    put_advanced(&a->out, &d.advanced);
    put_list(a, "rules", "rule", &d.rules);
    put_list(a, "agencies", "agency", &d.agencies);
    if (d.more)
        enc_kv_uint(&a->out, "next", d.last);
    return answer_duty_counts(a, d.region, !after);
}
