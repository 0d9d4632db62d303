/* SPDX-License-Identifier: Apache-2.0 */
/* Queries about alerts: the list with its filters and pages, and one with reasons, evidence and history.
 * Query thread. */
#include "daemon/query_answer.h"

#include "daemon/eventpack.h"
#include "daemon/members.h"
#include "daemon/query_rollup.h"
#include "lib/mem.h"
#include "lib/uscc.h"

#include <inttypes.h>

enum { CHUNK = 256, HISTORY_MAX = 1000, RENEW_ROWS = 8192 };

/* ---- numbers of alerts or events, a chunk at a time ---- */

struct numbers {
    struct slice prefix; /* of the keys wanted; what follows is the number */
    uint64_t at[CHUNK];
    size_t n, most;
};

static bool add_number(void *arg, struct slice key, struct slice value)
{
    struct numbers *l = arg;
    (void)value;
    if (key.n != l->prefix.n + 8 || (l->prefix.n && memcmp(key.p, l->prefix.p, l->prefix.n) != 0))
        return false;
    l->at[l->n++] = key_get64(key.p + l->prefix.n);
    return l->n < l->most;
}

static int numbers_from(struct answer *a, enum table t, uint64_t from, struct numbers *l)
{
    uint8_t key[8];
    key_put64(key, from);
    *l = (struct numbers){.most = CHUNK};
    return view_scan(a->reader, t, (struct slice){(const char *)key, sizeof key}, VIEW_UP, add_number, l,
                     a->err);
}

/* ---- one alert ---- */

/* 1 found, 0 not there, negative failed. Lists are in the scratch arena. */
static int get_alert(struct answer *a, uint64_t number, struct alert *al)
{
    uint8_t key[8];
    struct slice value;
    key_put64(key, number);
    int rc = view_get(a->reader, T_ALERT, key, sizeof key, &value, a->err);
    if (rc <= 0)
        return rc;
    rc = alert_get(value, &a->scratch, al, a->err);
    return rc < 0 ? rc : 1;
}

int answer_alert_row(struct answer *a, uint64_t number, struct alert *al)
{
    return get_alert(a, number, al);
}

static bool sees_alert(const struct answer *a, const struct alert *al)
{
    return answer_sees(a, al->region, al->places, al->n_places);
}

/* Its day has passed, or it was told so; what is held or put off is not late for now. */
static bool overdue(const struct answer *a, const struct alert *al)
{
    bool resting = al->h.held_until != NO_INT || al->h.snoozed_until != NO_INT;
    return al->state != ALERT_STATE_CLOSED &&
           (al->h.overdue || (!resting && al->due != NO_INT && al->due < a->q->now));
}

bool answer_overdue(const struct answer *a, const struct alert *al)
{
    return overdue(a, al);
}

/* The pairs that an item of the list has. */
static int put_item(struct answer *a, struct enc_open *m, const struct alert *al)
{
    struct buf *b = &a->q->body;
    enc_kv_uint(m, "alert", al->number);
    enc_kv_uint(m, "version", al->version);
    enc_kv_str(m, "state", alert_state_wire(al->state));
    enc_kv_str(m, "level", level_wire(al->level));
    if (ekey_kind(&al->key) != EKEY_AREA) /* which has none */
        enc_kv_int(m, "score", al->score);
    enc_key(m, "enterprise");
    char room[PACK_NAME_MAX];
    eventpack_enterprise(b, al->uscc,
                         eventpack_name(a->q->catalog->regions, &al->key, al->name, al->places, al->n_places, al->industry, room),
                         al->region, al->industry);
    enc_kv_slice(m, "title", eventpack_title(al->rule, a->dict, true));
    enc_kv_slice(m, "title_en", eventpack_title(al->rule, a->dict, false));
    enc_kv_int(m, "raised_at", al->raised_at);
    enc_kv_int(m, "changed_at", al->changed_at);
    enc_key(m, "due");
    eventpack_int(b, al->due);
    enc_key(m, "teams");
    eventpack_teams(b, al->teams, al->n_teams, al->team, al->joined, al->n_joined);
    eventpack_tier(m, a->q->catalog->work, al->h.tier);
    enc_kv_bool(m, "overdue", overdue(a, al));
    if (ekey_status(&al->key) != STATUS_ACTUAL)
        enc_kv_str(m, "status", status_wire(ekey_status(&al->key)));
    return rollup_put(a, m, al);
}

/* ---- the list ---- */

struct filter {
    int state;       /* enum alert_state; 0: all but closed; -1: any */
    int level;       /* -1: any */
    region_t region; /* 0: any */
    bool overdue;
    bool rollup;     /* what a parent on the same list stands for is left out */
    struct slice team, measure; /* empty: any */
    uint8_t status;
    uint64_t after, limit;
    struct slice uscc; /* empty: of any enterprise */
};

static bool read_words(struct answer *a, struct filter *f)
{
    struct slice state = {NULL, 0}, level = {NULL, 0}, region = {NULL, 0};
    if (!param_text(a, "state", &state) || !param_text(a, "level", &level) ||
        !param_text(a, "region", &region) || !param_text(a, "uscc", &f->uscc) || !param_text(a, "team", &f->team) || !param_text(a, "measure", &f->measure))
        return false;
    const char *fault = f->uscc.p ? uscc_fault(f->uscc) : NULL;
    if (fault)
        return param_bad(a, "uscc", fault);
    if (state.p)
        f->state = slice_is(state, "any") ? -1 : alert_state_of(state);
    if (state.p && !slice_is(state, "any") && f->state <= 0)
        return param_bad(a, "state", "must be open, accepted, verified, disposed, closed or any");
    f->level = level.p ? level_of(level) : -1;
    if (level.p && f->level < 0)
        return param_bad(a, "level", "must be general, major, critical or none");
    f->region = region_of(region);
    if (region.p && !f->region)
        return param_bad(a, "region", "must be the first digits of a region code");
    return true;
}

static bool read_filter(struct answer *a, struct filter *f)
{
    *f = (struct filter){0};
    return read_words(a, f) && param_bool(a, "overdue", &f->overdue) && param_bool(a, "rollup", &f->rollup) && param_status(a, &f->status) &&
           param_uint(a, "after", &f->after) && param_limit(a, &f->limit);
}

static bool in_region(const struct alert *al, region_t prefix)
{
    if (!prefix || (al->region && region_within(al->region, prefix)))
        return true;
    for (uint32_t i = 0; i < al->n_places; i++)
        if (region_within(al->places[i], prefix))
            return true;
    return false;
}

static bool is_for(const struct alert *al, struct slice team)
{
    bool found = slice_eq(al->team, team);
    for (uint32_t i = 0; i < al->n_teams && !found; i++)
        found = slice_eq(al->teams[i], team);
    for (uint32_t i = 0; i < al->n_joined && !found; i++)
        found = slice_eq(al->joined[i], team);
    return found;
}

static bool was_taken(const struct alert *al, struct slice measure)
{
    for (uint32_t i = 0; i < al->h.n_taken; i++)
        if (slice_eq(al->h.taken[i].measure, measure))
            return true;
    return false;
}

/* A listing still runs, or money is still to be recovered, though the alert is closed. */
static bool goes_on(const struct alert *al, struct slice measure)
{
    for (uint32_t i = 0; i < al->h.n_taken; i++)
        if (slice_eq(al->h.taken[i].measure, measure) && taken_goes_on(&al->h.taken[i]))
            return true;
    return false;
}

static bool state_passes(const struct filter *f, const struct alert *al)
{
    if (f->state == 0)
        return al->state != ALERT_STATE_CLOSED || (f->measure.n && goes_on(al, f->measure));
    return f->state < 0 || al->state == f->state;
}

static bool passes(const struct answer *a, const struct filter *f, const struct alert *al)
{
    return state_passes(f, al) && (f->level < 0 || al->level == f->level) && ekey_status(&al->key) == f->status &&
           (!f->uscc.n || slice_eq(al->uscc, f->uscc)) && (!f->overdue || overdue(a, al)) &&
           (!f->team.n || is_for(al, f->team)) && (!f->measure.n || was_taken(al, f->measure)) && in_region(al, f->region) &&
           sees_alert(a, al);
}

/* Its parent stands on the same list in its place. 1, 0, negative: failed. */
static int rolled_up(struct answer *a, const struct filter *f, const struct alert *al)
{
    struct alert parent;
    int rc = f->rollup ? rollup_parent(a, al, &parent) : 0;
    return rc <= 0 ? rc : passes(a, f, &parent);
}

struct page {
    struct enc_open list;
    uint64_t n, last; /* items, number of the last one */
    bool more;
};

/* One chunk of candidates onto the page. False in *go_on: the page is full. */
static int page_chunk(struct answer *a, const struct filter *f, const struct numbers *l, struct page *p,
                      bool *go_on)
{
    for (size_t i = 0; i < l->n; i++) {
        struct alert al;
        arena_reset(&a->scratch);
        int rc = get_alert(a, l->at[i], &al);
        if (rc < 0)
            return rc;
        if (rc == 0 || !passes(a, f, &al))
            continue;
        rc = rolled_up(a, f, &al);
        if (rc < 0)
            return rc;
        if (rc > 0)
            continue;
        p->more = p->n == f->limit;
        if (p->more) {
            *go_on = false;
            return 0;
        }
        enc_item(&p->list);
        struct enc_open m = enc_map_open(&a->q->body);
        rc = put_item(a, &m, &al);
        enc_close(&m);
        if (rc < 0)
            return rc;
        p->n++;
        p->last = al.number;
    }
    *go_on = l->n == CHUNK;
    return 0;
}

static int fill_page(struct answer *a, const struct filter *f, struct page *p)
{
    /* What is not closed has a table of its own, so that the daily question does not read years. */
    enum table t = f->state < 0 || f->state == ALERT_STATE_CLOSED || f->measure.n ? T_ALERT : T_OPEN;
    uint64_t from = f->after + 1;
    bool go_on = from != 0;
    for (size_t seen = 0; go_on; seen += CHUNK) {
        struct numbers l;
        int rc = numbers_from(a, t, from, &l);
        if (rc == 0)
            rc = page_chunk(a, f, &l, p, &go_on);
        /* A long search lets the view reuse its pages now and then; numbers stay what they are. */
        if (rc == 0 && go_on && seen % RENEW_ROWS == RENEW_ROWS - CHUNK) {
            view_reader_rest(a->reader);
            rc = view_reader_refresh(a->reader, a->err);
        }
        if (rc)
            return rc;
        if (go_on)
            from = l.at[l.n - 1] + 1;
    }
    return 0;
}

int answer_alerts(struct answer *a)
{
    struct filter f;
    struct page p = {.n = 0};
    if (!read_filter(a, &f))
        return 0;
    enc_key(&a->out, "alerts");
    p.list = enc_list_open(&a->q->body);
    int rc = fill_page(a, &f, &p);
    enc_close(&p.list);
    if (rc == 0 && p.more)
        enc_kv_uint(&a->out, "next", p.last);
    return rc;
}

int answer_each_alert(struct answer *a, uint64_t from, bool (*each)(struct answer *, const struct alert *, void *), void *arg)
{
    struct numbers l = {.n = CHUNK};
    bool go_on = from != 0;
    for (size_t seen = 0; go_on; seen += CHUNK) {
        int rc = numbers_from(a, T_ALERT, from, &l);
        for (size_t i = 0; rc == 0 && go_on && i < l.n; i++) {
            struct alert al;
            arena_reset(&a->scratch);
            int got = get_alert(a, l.at[i], &al);
            rc = got < 0 ? got : 0;
            go_on = got <= 0 || each(a, &al, arg);
        }
        if (rc == 0 && go_on && seen % RENEW_ROWS == RENEW_ROWS - CHUNK) {
            view_reader_rest(a->reader);
            rc = view_reader_refresh(a->reader, a->err);
        }
        if (rc)
            return rc;
        go_on = go_on && l.n == CHUNK;
        from = l.n ? l.at[l.n - 1] + 1 : 0;
    }
    return 0;
}

/* ---- one with all that is known ---- */

struct history {
    uint64_t events[HISTORY_MAX]; /* newest first */
    size_t n;
};

static int read_history(struct answer *a, uint64_t alert, struct history *h)
{
    uint8_t key[16];
    uint64_t from = UINT64_MAX;
    struct numbers l;
    key_put64(key, alert);
    do {
        key_put64(key + 8, from);
        l = (struct numbers){.prefix = {(const char *)key, 8}};
        l.most = HISTORY_MAX - h->n < CHUNK ? HISTORY_MAX - h->n : CHUNK;
        int rc = view_scan(a->reader, T_HISTORY, (struct slice){(const char *)key, sizeof key}, VIEW_DOWN,
                           add_number, &l, a->err);
        if (rc)
            return rc;
        memcpy(h->events + h->n, l.at, l.n * sizeof *l.at);
        h->n += l.n;
        from = l.n ? l.at[l.n - 1] - 1 : 0;
    } while (l.n == CHUNK && h->n < HISTORY_MAX && from);
    return 0;
}

int answer_event(struct answer *a, uint64_t seq, struct event *ev)
{
    uint8_t key[8];
    struct slice value;
    key_put64(key, seq);
    int rc = view_get(a->reader, T_EVENT, key, sizeof key, &value, a->err);
    if (rc <= 0)
        return rc; /* 0: older than what is kept */
    rc = event_get(value, &a->scratch, ev, a->err);
    return rc < 0 ? rc : 1;
}

static void put_step(struct enc_open *m, const struct event *ev)
{
    const struct {
        const char *key;
        struct slice text;
    } texts[] = {
        {"finding", ev->finding}, {"outcome", ev->outcome}, {"measure", ev->measure},
        {"ref", ev->ref},         {"team", ev->team},       {"rule", ev->rule},
    };
    enc_kv_uint(m, "seq", ev->seq);
    enc_kv_uint(m, "entry", ev->entry);
    enc_kv_int(m, "at", ev->at);
    enc_kv_str(m, "type", event_wire(ev->type));
    enc_kv_str(m, "level", level_wire(ev->level));
    if (ekey_kind(&ev->key) != EKEY_AREA)
        enc_kv_int(m, "score", ev->score);
    enc_key(m, "principal");
    eventpack_text(m->b, ev->principal);
    enc_key(m, "actor");
    eventpack_text(m->b, ev->actor);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i].text.n)
            enc_kv_slice(m, texts[i].key, texts[i].text);
    if (ev->people != NO_INT)
        enc_kv_int(m, "people", ev->people);
    if (ev->amount != NO_INT)
        enc_kv_int(m, "amount", ev->amount);
    if (ev->type == EVENT_OVERDUE)
        enc_kv_str(m, "step", eventpack_step(ev->step));
    if (ev->until != NO_INT)
        enc_kv_int(m, "until", ev->until);
    if (ev->merged_into)
        enc_kv_uint(m, "merged_into", ev->merged_into);
    if (ev->rules_changed)
        enc_kv_bool(m, "rules_changed", true);
}

static int put_history(struct answer *a, struct enc_open *m, const struct history *h)
{
    int rc = 0;
    enc_key(m, "history");
    struct enc_open list = enc_list_open(&a->q->body);
    for (size_t i = h->n; rc >= 0 && i-- > 0;) {
        struct event ev;
        arena_reset(&a->scratch);
        rc = answer_event(a, h->events[i], &ev);
        if (rc <= 0)
            continue;
        enc_item(&list);
        struct enc_open step = enc_map_open(&a->q->body);
        put_step(&step, &ev);
        enc_close(&step);
    }
    enc_close(&list);
    return rc < 0 ? rc : 0;
}

/* Why it stands: as the last event says that says anything about it (steps of a team do not). */
static int put_grounds(struct answer *a, struct enc_open *m, const struct history *h)
{
    struct event ev = {.n_reasons = 0};
    int rc = 0;
    for (size_t i = 0; i < h->n; i++) {
        arena_reset(&a->scratch);
        rc = answer_event(a, h->events[i], &ev);
        if (rc < 0)
            return rc;
        if (rc == 1 && (ev.n_reasons || ev.n_evidence))
            break;
        ev = (struct event){.n_reasons = 0};
    }
    members_cut_event(&ev, a->q->regions, a->q->n_regions, &a->scratch);
    enc_key(m, "reasons");
    eventpack_reasons(&a->q->body, &ev, a->dict);
    enc_key(m, "tags");
    eventpack_tags(&a->q->body, &ev);
    enc_key(m, "evidence");
    eventpack_evidence(&a->q->body, &ev, a->dict);
    enc_kv_uint(m, "evidence_total", ev.evidence_total);
    eventpack_more(m, &ev);
    return 0;
}

static int put_whole(struct answer *a, const struct alert *al)
{
    struct history *h = arena_zalloc(&a->q->arena, sizeof *h);
    enc_key(&a->out, "alert");
    struct enc_open m = enc_map_open(&a->q->body);
    int rc = put_item(a, &m, al);
    work_put_handling(a, &m, al);
    const struct ekey key = al->key;
    bool open = al->state != ALERT_STATE_CLOSED;
    if (rc == 0)
        rc = read_history(a, al->number, h);
    if (rc == 0)
        rc = put_grounds(a, &m, h);
    if (rc == 0)
        rc = put_history(a, &m, h);
    enc_close(&m);
    if (rc == 0 && open)
        rc = answer_explanation(a, &a->out, &key);
    return rc < 0 ? rc : 0;
}

int answer_alert(struct answer *a)
{
    uint64_t number = 0;
    if (!param_uint(a, "alert", &number))
        return 0;
    if (!ww_get(a->q->params, "alert"))
        return answer_refuse(a, WIRE_ERROR_MISSING_FIELD, "'alert' is missing: the number of the alert");
    struct alert al;
    int rc = get_alert(a, number, &al);
    if (rc < 0)
        return rc;
    if (rc == 0 || !sees_alert(a, &al))
        return answer_refuse(
            a, WIRE_ERROR_NO_SUCH_ALERT,
            arena_printf(&a->q->arena, "there is no alert %" PRIu64 " in your regions", number));
    return put_whole(a, &al);
}

/* ---- counts for `status` ---- */

struct level_count {
    uint64_t open, overdue;
    int64_t oldest;
};

/* How many open alerts have an open parent. */
static int count_children(struct answer *a, uint64_t *children)
{
    struct numbers l;
    uint64_t from = 0;
    do {
        int rc = numbers_from(a, T_OPEN, from, &l);
        for (size_t i = 0; rc >= 0 && i < l.n; i++) {
            struct alert al, parent;
            arena_reset(&a->scratch);
            rc = get_alert(a, l.at[i], &al);
            if (rc > 0 && ekey_status(&al.key) == STATUS_ACTUAL && sees_alert(a, &al))
                *children += (rc = rollup_parent(a, &al, &parent)) > 0;
        }
        if (rc < 0)
            return rc;
        from = l.n ? l.at[l.n - 1] + 1 : 0;
    } while (l.n == CHUNK);
    return 0;
}

static int count_open(struct answer *a, struct level_count counts[LEVEL_COUNT], uint64_t *areas)
{
    struct numbers l;
    uint64_t from = 0;
    do {
        int rc = numbers_from(a, T_OPEN, from, &l);
        if (rc)
            return rc;
        for (size_t i = 0; i < l.n; i++) {
            struct alert al;
            arena_reset(&a->scratch);
            rc = get_alert(a, l.at[i], &al);
            if (rc < 0)
                return rc;
            if (rc == 0 || ekey_status(&al.key) != STATUS_ACTUAL || !sees_alert(a, &al))
                continue;
            struct level_count *c = &counts[al.level < LEVEL_COUNT ? al.level : 0];
            c->oldest = c->open == 0 || al.raised_at < c->oldest ? al.raised_at : c->oldest;
            c->open++;
            *areas += ekey_kind(&al.key) == EKEY_AREA;
            c->overdue += overdue(a, &al);
        }
        from = l.n ? l.at[l.n - 1] + 1 : 0;
    } while (l.n == CHUNK);
    return 0;
}

int answer_open_counts(struct answer *a)
{
    struct level_count counts[LEVEL_COUNT] = {{0, 0, 0}};
    uint64_t areas = 0, children = 0, open = 0;
    int rc = a->q->feeds_only ? 0 : count_open(a, counts, &areas);
    if (rc == 0 && areas) /* else nobody has a parent */
        rc = count_children(a, &children);
    if (rc)
        return rc;
    enc_key(&a->out, "alerts");
    if (a->q->feeds_only) {
        enc_list(&a->q->body, 0);
        return 0;
    }
    struct enc_open list = enc_list_open(&a->q->body);
    for (int level = LEVEL_COUNT - 1; level >= 0; level--) {
        const struct level_count *c = &counts[level];
        open += c->open;
        if (level == LEVEL_NONE && c->open == 0) /* the risk is over and a team has still to say so */
            continue;
        enc_item(&list);
        struct enc_open m = enc_map_open(&a->q->body);
        enc_kv_str(&m, "level", level_wire((unsigned)level));
        enc_kv_uint(&m, "open", c->open);
        enc_kv_uint(&m, "overdue", c->overdue);
        enc_key(&m, "oldest_at");
        eventpack_int(&a->q->body, c->open ? c->oldest : NO_INT);
        enc_close(&m);
    }
    enc_close(&list);
    enc_kv_uint(&a->out, "open_alerts_rolled_up", open - children);
    return 0;
}
