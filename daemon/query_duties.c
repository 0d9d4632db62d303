/* SPDX-License-Identifier: Apache-2.0 */
/* The query `duties`: visits and reviews that are expected of the teams, each with its enterprise, in pages by enterprise;
 * and how many there are, for `statistics`. From the rows of engine/duty.h alone. Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "engine/duty.h"
#include "lib/uscc.h"

enum { EXAMINED_MAX = 5000 };

/* What is walked: rows of those that the asker may see, in the region asked for. */
struct walk {
    struct answer *a;
    const struct work *work;  /* NULL: none configured */
    region_t region;          /* 0: everywhere */
    uint64_t examined;
    struct ekey last;
    bool more;
    bool (*each)(struct walk *, const struct ekey *, const struct duty_row *); /* false: enough, this one was not taken */
    int rc;
};

static bool lies_within(const struct duty_row *row, region_t region)
{
    bool within = !region || (row->region && region_within(row->region, region));
    for (uint32_t i = 0; i < row->n_places && !within; i++)
        within = region_within(row->places[i], region);
    return within;
}

static bool look(void *arg, struct slice key, struct slice value)
{
    struct walk *w = arg;
    struct duty_row row;
    struct ekey k;
    if (key.n != EKEY_LEN)
        return true;
    memcpy(k.b, key.p, EKEY_LEN);
    arena_reset(&w->a->scratch);
    w->rc = duty_row_get(value, &w->a->scratch, &row, w->a->err);
    if (w->rc < 0)
        return false;
    bool seen = lies_within(&row, w->region) && answer_sees(w->a, row.region, row.places, row.n_places);
    if (w->examined == EXAMINED_MAX || (seen && !w->each(w, &k, &row))) {
        w->more = true;
        return false;
    }
    w->examined++;
    w->last = k;
    return true;
}

/* From behind the enterprise that `after` names; empty: from the first. */
static int walk(struct walk *w, const uint8_t after[EKEY_LEN + 1], bool given)
{
    struct slice from = {(const char *)after, given ? EKEY_LEN + 1 : 0};
    int rc = view_scan(w->a->reader, T_DUTY, from, VIEW_UP, look, w, w->a->err);
    return rc < 0 ? rc : w->rc;
}

static int walk_one(struct walk *w, const struct ekey *k)
{
    struct slice value, key = {(const char *)k->b, EKEY_LEN};
    int rc = view_get(w->a->reader, T_DUTY, k->b, EKEY_LEN, &value, w->a->err);
    if (rc == 1)
        look(w, key, value);
    return rc < 0 ? rc : w->rc;
}

/* ---- the list ---- */

struct listing {
    struct walk w;
    struct slice team, duty;
    struct ekey key;
    bool overdue, one;        /* one: of this enterprise alone */
    uint64_t limit, n;
    struct enc_open list;
};

static bool is_for(struct slice team, const struct slice *teams, uint32_t n)
{
    bool found = !team.n;
    for (uint32_t i = 0; i < n && !found; i++)
        found = slice_eq(team, teams[i]);
    return found;
}

static const char *state_of(const struct duty_state *s)
{
    return s->climbed ? "escalated" : s->overdue ? "overdue" : s->reminded ? "reminded" : "waits";
}

static void put_hand(struct enc_open *m, const struct duty_state *s)
{
    enc_key(m, "done_by");
    eventpack_text(m->b, s->hand_entry && s->hand_at == s->done_at ? s->hand_who : (struct slice){NULL, 0});
    enc_key(m, "ref");
    eventpack_text(m->b, s->hand_entry && s->hand_at == s->done_at ? s->hand_ref : (struct slice){NULL, 0});
}

static void put(struct listing *l, const struct ekey *k, const struct duty_row *row, const struct duty *d,
                const struct duty_state *s, const struct slice *teams, uint32_t n)
{
    struct buf *b = &l->w.a->q->body;
    struct slice uscc = ekey_is_code(k) ? (struct slice){(const char *)k->b + 1, USCC_LEN} : (struct slice){NULL, 0};
    enc_item(&l->list);
    struct enc_open m = enc_map_open(b);
    enc_kv_slice(&m, "duty", s->duty);
    enc_kv_slice(&m, "title", d->zh);
    enc_kv_slice(&m, "title_en", d->en);
    enc_key(&m, "enterprise");
    eventpack_enterprise(b, uscc, row->name, row->region, row->industry);
    enc_kv_int(&m, "since", s->since);
    enc_key(&m, "done_at");
    eventpack_int(b, s->done_at);
    put_hand(&m, s);
    enc_kv_int(&m, "due", s->due);
    enc_kv_str(&m, "state", state_of(s));
    enc_kv_bool(&m, "overdue", s->overdue || s->due <= l->w.a->q->now);
    eventpack_tier(&m, l->w.work, duty_tier(l->w.work, d, s));
    enc_key(&m, "teams");
    eventpack_teams(b, teams, n, (struct slice){NULL, 0}, NULL, 0);
    enc_close(&m);
    l->n++;
}

/* An enterprise is shown whole: a page may hold a few more than asked for. */
static bool list_row(struct walk *w, const struct ekey *k, const struct duty_row *row)
{
    struct listing *l = (struct listing *)(void *)w; /* its first member */
    struct slice teams[TIERS_MAX];
    if (l->n >= l->limit)
        return false;
    for (uint32_t i = 0; i < row->n; i++) {
        const struct duty_state *s = &row->list[i];
        const struct duty *d = duty_named(w->work, s->duty); /* NULL: no longer; it ends with the sweep */
        uint32_t n = d ? duty_teams(w->work, row, d, s, teams) : 0;
        bool late = s->overdue || s->due <= w->a->q->now;
        if (d && (late || !l->overdue) && (!l->duty.n || slice_eq(l->duty, s->duty)) && is_for(l->team, teams, n))
            put(l, k, row, d, s, teams, n);
    }
    return true;
}

static bool read_region(struct answer *a, region_t *out)
{
    struct slice region = {NULL, 0};
    if (!param_text(a, "region", &region))
        return false;
    *out = region_of(region);
    return !region.p || *out || param_bad(a, "region", "must be the first digits of a region code");
}

static bool read_after(struct answer *a, const char *key, uint8_t from[EKEY_LEN + 1], bool *given)
{
    struct slice after = {NULL, 0};
    if (!param_text(a, key, &after))
        return false;
    *given = after.p != NULL;
    return !after.p || param_key_after(after, from) || param_bad(a, key, "must be what the page before gave as next");
}

static bool read_enterprise(struct answer *a, struct listing *l)
{
    struct slice uscc = {NULL, 0}, name = {NULL, 0};
    if (!param_text(a, "uscc", &uscc) || !param_text(a, "name", &name))
        return false;
    l->one = uscc.p || name.p;
    return !l->one || (param_enterprise(a, &l->key) && (ekey_is_code(&l->key) || answer_resolve_name(a, &l->key) >= 0));
}

int answer_duties(struct answer *a)
{
    struct listing l = {.w = {.a = a, .work = a->q->catalog->work, .each = list_row}};
    uint8_t from[EKEY_LEN + 1] = {0};
    bool given = false;
    if (!read_region(a, &l.w.region) || !param_text(a, "team", &l.team) || !param_text(a, "duty", &l.duty) ||
        !param_bool(a, "overdue", &l.overdue) || !param_limit(a, &l.limit) || !read_after(a, "after", from, &given) ||
        !read_enterprise(a, &l))
        return 0;
    enc_key(&a->out, "duties");
    l.list = enc_list_open(&a->q->body);
    int rc = l.one ? walk_one(&l.w, &l.key) : walk(&l.w, from, given);
    enc_close(&l.list);
    if (rc < 0)
        return rc;
    if (l.w.more)
        answer_next_key(a, "next", &l.w.last);
    return 0;
}

/* ---- how many ---- */

struct tally {
    struct walk w;
    uint64_t all, reminded, overdue, escalated;
};

static bool count_row(struct walk *w, const struct ekey *k, const struct duty_row *row)
{
    struct tally *t = (struct tally *)(void *)w; /* its first member */
    (void)k;
    for (uint32_t i = 0; i < row->n; i++) {
        const struct duty_state *s = &row->list[i];
        if (!duty_named(w->work, s->duty))
            continue;
        t->all++;
        t->reminded += s->reminded && !s->overdue;
        t->overdue += s->overdue;
        t->escalated += s->climbed > 0;
    }
    return true;
}

int answer_duty_counts(struct answer *a, region_t region, bool first)
{
    struct tally t = {.w = {.a = a, .work = a->q->catalog->work, .region = region, .each = count_row}};
    uint8_t from[EKEY_LEN + 1] = {0};
    bool given = false;
    if (!read_after(a, "duties_after", from, &given))
        return 0;
    int rc = first || given ? walk(&t.w, from, given) : 0;
    if (rc < 0)
        return rc;
    enc_key(&a->out, "duties");
    struct enc_open m = enc_map_open(&a->q->body);
    enc_kv_uint(&m, "all", t.all);
    enc_kv_uint(&m, "reminded", t.reminded);
    enc_kv_uint(&m, "overdue", t.overdue);
    enc_kv_uint(&m, "escalated", t.escalated);
    enc_close(&m);
    if (t.w.more)
        answer_next_key(a, "duties_next", &t.w.last);
    return 0;
}
