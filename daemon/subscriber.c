/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the sessions and their positions. Main thread. Leaves events to the events room, sockets to the
 * caller. */
#include "daemon/subscriber.h"

#include "daemon/loop.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    PUMP_SESSION = 64, /* events looked at for one session before the next one's turn */
    PUMP_TURN = 1024,  /* and for all in one turn of the loop */
    BEAT_MS = 1000
};

struct session {
    struct session *next;
    uint64_t number, peer;
    char *principal;
    struct arena arena; /* of what was asked */
    uint32_t n_asked;
    region_t *asked;
    struct filter filter;
    uint64_t position;   /* the next event to be examined */
    uint64_t last, sent; /* last number sent, how many were */
    uint64_t credit;
    int64_t starved_at;  /* since when it has none; 0: it has */
    uint64_t said_upto, said_head; /* of the last heartbeat */
    int64_t beat_at;               /* when it was sent; 0: never */
    bool full;                     /* its queue took nothing the last time */
    bool waits_view;               /* for events that the view does not hold yet */
    bool out_of_credit;            /* the event at `position` matches, and there is no credit for it */
    bool dead;
};

struct subscriber {
    struct events *events;
    struct subscriber_calls calls;
    struct session *sessions;
    size_t n;
    uint64_t made;
    struct buf head; /* of the message being sent */
    bool idle;       /* nobody has anything to send as long as head is the same */
    uint64_t idle_head;
    bool walking; /* the list is being walked: the dead stay on it until the end */
};

struct subscriber *subscriber_create(struct events *events, const struct subscriber_calls *calls)
{
    struct subscriber *s = mem_zalloc(sizeof *s);
    s->events = events;
    s->calls = *calls;
    /* numbers of an earlier process are in clients' hands: do not begin with the same ones */
    uint32_t begin;
    random_bytes(&begin, sizeof begin);
    s->made = (uint64_t)begin << 16;
    return s;
}

static void free_session(struct session *e)
{
    arena_finish(&e->arena);
    free(e->principal);
    free(e);
}

void subscriber_destroy(struct subscriber *s)
{
    if (!s)
        return;
    while (s->sessions) {
        struct session *e = s->sessions;
        s->sessions = e->next;
        free_session(e);
    }
    buf_finish(&s->head);
    free(s);
}

static void bury(struct subscriber *s)
{
    if (s->walking)
        return;
    for (struct session **at = &s->sessions; *at;) {
        struct session *e = *at;
        if (!e->dead) {
            at = &e->next;
            continue;
        }
        *at = e->next;
        free_session(e);
    }
}

static void end(struct subscriber *s, struct session *e)
{
    if (e->dead)
        return;
    e->dead = true;
    s->n--;
    s->calls.ended(s->calls.arg, e->peer);
}

static struct session *find(struct subscriber *s, uint64_t peer, uint64_t number)
{
    for (struct session *e = s->sessions; e; e = e->next)
        if (!e->dead && e->number == number && e->peer == peer)
            return e;
    return NULL;
}

/* ---- subscribe ---- */

static enum wire_error bad_field(struct err *err, const char *field, const char *want)
{
    err_set(err, WW_EINPUT, "%s: must be %s", field, want);
    return WIRE_ERROR_BAD_FIELD;
}

/* A list of texts; each goes to put(), which says whether it is one. */
static enum wire_error read_list(struct session *e, const struct ww_value *body, const char *key,
                                 const char *want, bool (*put)(struct session *, struct slice),
                                 struct err *err)
{
    const struct ww_value *list = NULL;
    int got = val_list(body, key, &list);
    if (got < 0)
        return bad_field(err, key, want);
    if (got == 0)
        return WIRE_ERROR_NONE;
    if (list->n > SUBSCRIBE_LIST_MAX) {
        err_set(err, WW_EINPUT, "%s: more than %d of them; ask for shorter prefixes", key,
                SUBSCRIBE_LIST_MAX);
        return WIRE_ERROR_TOO_LARGE;
    }
    for (uint32_t i = 0; i < list->n; i++) {
        const struct ww_value *v = &list->items[i];
        if (v->type != WW_STR || !put(e, (struct slice){v->s, v->n}))
            return bad_field(err, key, want);
    }
    return WIRE_ERROR_NONE;
}

static bool put_region(struct session *e, struct slice text)
{
    region_t r = region_of(text);
    if (!r)
        return false;
    if (!e->asked)
        e->asked = arena_alloc(&e->arena, SUBSCRIBE_LIST_MAX * sizeof *e->asked);
    e->asked[e->n_asked++] = r;
    return true;
}

static bool put_industry(struct session *e, struct slice text)
{
    if (!text.n || text.n > 8)
        return false;
    if (!e->filter.industries)
        e->filter.industries = arena_alloc(&e->arena, SUBSCRIBE_LIST_MAX * sizeof *e->filter.industries);
    e->filter.industries[e->filter.n_industries++] = arena_slice(&e->arena, text);
    return true;
}

static enum wire_error read_wishes(struct session *e, const struct ww_value *body, struct err *err)
{
    enum wire_error w =
        read_list(e, body, "regions", "a list of region codes of 1 to 15 digits", put_region, err);
    if (!w)
        w = read_list(e, body, "industries", "a list of industry codes such as \"C18\"", put_industry, err);
    if (w)
        return w;
    struct slice level = {NULL, 0};
    if (val_str(body, "min_level", &level) < 0 || (level.p && level_of(level) <= LEVEL_NONE))
        return bad_field(err, "min_level", "general, major or critical");
    e->filter.min_level = level.p ? (uint8_t)level_of(level) : LEVEL_NONE;
    if (val_bool(body, "duties", &e->filter.duties) < 0)
        return bad_field(err, "duties", "true or false");
    if (val_uint(body, "credit", &e->credit) < 0)
        return bad_field(err, "credit", "a number of events, not negative");
    if (e->credit > CREDIT_MAX)
        e->credit = CREDIT_MAX;
    e->starved_at = e->credit ? 0 : loop_ms();
    return WIRE_ERROR_NONE;
}

static enum wire_error another_store(struct err *err)
{
    err_set(err, WW_ESTORE, "this position is of another store; begin anew without store and from");
    return WIRE_ERROR_STORE_CHANGED;
}

/* Where to begin: `store` and `from`. */
static enum wire_error read_position(struct subscriber *s, struct session *e, const char *store,
                                     const struct ww_value *body, struct err *err)
{
    struct slice asked = {NULL, 0};
    int64_t from = 0;
    uint64_t head = events_head(s->events), oldest = events_oldest(s->events);
    int given = val_str(body, "store", &asked);
    if (given < 0)
        return bad_field(err, "store", "the text that hello's answer gave");
    if (val_int(body, "from", &from) < 0 || from < -1)
        return bad_field(err, "from", "an event's number, 0 or -1");
    if (given && !slice_is(asked, store))
        return another_store(err);
    if (from == -1)
        e->position = head + 1;
    else if (from == 0)
        e->position = oldest;
    else if ((uint64_t)from > head + 1)
        return another_store(err);
    else if ((uint64_t)from < oldest) {
        err_set(err, WW_ETOOOLD,
                "events before %" PRIu64 " are no longer kept; start with query {what: \"alerts\"}", oldest);
        return WIRE_ERROR_TOO_OLD;
    } else
        e->position = (uint64_t)from;
    return WIRE_ERROR_NONE;
}

static size_t sessions_of(const struct subscriber *s, uint64_t peer)
{
    size_t n = 0;
    for (const struct session *e = s->sessions; e; e = e->next)
        n += !e->dead && e->peer == peer;
    return n;
}

static bool cut(struct session *e, const struct principal *p)
{
    return filter_cut(e->asked, e->n_asked, p->regions, p->n_regions, &e->arena, &e->filter.regions,
                      &e->filter.n_regions);
}

enum wire_error subscriber_open(struct subscriber *s, uint64_t peer, const struct principal *p,
                                const char *store, const struct ww_value *body, struct subscribed *out,
                                struct err *err)
{
    if (s->n >= SESSIONS_MAX || sessions_of(s, peer) >= SESSIONS_A_PEER) {
        err_set(err, WW_EAGAIN, "too many subscriptions; end one, or take more regions in one");
        return WIRE_ERROR_TOO_LARGE;
    }
    struct session *e = mem_zalloc(sizeof *e);
    enum wire_error w = read_wishes(e, body, err);
    if (!w)
        w = read_position(s, e, store, body, err);
    events_rest(s->events);
    if (!w && !cut(e, p)) {
        err_set(err, WW_EDENIED, "principal %s may see none of these regions", p->name);
        w = WIRE_ERROR_DENIED;
    }
    if (w) {
        free_session(e);
        return w;
    }
    e->number = ++s->made;
    e->peer = peer;
    e->principal = mem_strndup(p->name, strlen(p->name));
    e->next = s->sessions;
    s->sessions = e;
    s->n++;
    s->idle = false;
    *out = (struct subscribed){e->number, e->position, events_head(s->events), events_oldest(s->events),
                               &e->filter};
    events_rest(s->events);
    return WIRE_ERROR_NONE;
}

bool subscriber_credit(struct subscriber *s, uint64_t peer, uint64_t session, uint64_t n)
{
    struct session *e = find(s, peer, session);
    if (!e)
        return false;
    e->credit = n > CREDIT_MAX - e->credit ? CREDIT_MAX : e->credit + n;
    e->out_of_credit = false;
    if (e->credit)
        e->starved_at = 0;
    s->idle = false;
    return true;
}

bool subscriber_close(struct subscriber *s, uint64_t peer, uint64_t session)
{
    struct session *e = find(s, peer, session);
    if (!e)
        return false;
    end(s, e);
    bury(s);
    return true;
}

void subscriber_forget(struct subscriber *s, uint64_t peer)
{
    for (struct session *e = s->sessions; e; e = e->next)
        if (e->peer == peer)
            end(s, e);
    bury(s);
}

/* ---- sending ---- */

/* Takes note of what a send came to; false: the session stops for now. */
static bool went(struct subscriber *s, struct session *e, int code)
{
    if (code == 0)
        return true;
    if (code == WW_EAGAIN)
        e->full = true;
    else
        end(s, e);
    return false;
}

static bool send_event(struct subscriber *s, struct session *e, const struct shown_event *shown)
{
    buf_reset(&s->head);
    enc_map(&s->head, shown->n_pairs + 3);
    enc_str(&s->head, "session");
    enc_uint(&s->head, e->number);
    enc_str(&s->head, "seq");
    enc_uint(&s->head, shown->ev->seq);
    enc_str(&s->head, "prev");
    enc_uint(&s->head, e->last);
    struct slice head = {(const char *)s->head.p, s->head.n};
    if (!went(s, e, s->calls.send(s->calls.arg, e->peer, "event", head, shown->pairs)))
        return false;
    e->last = shown->ev->seq;
    if (--e->credit == 0)
        e->starved_at = loop_ms();
    e->sent++;
    return true;
}

static void send_beat(struct subscriber *s, struct session *e)
{
    uint64_t head = events_head(s->events);
    buf_reset(&s->head);
    enc_map(&s->head, 5);
    enc_str(&s->head, "session");
    enc_uint(&s->head, e->number);
    enc_str(&s->head, "last");
    enc_uint(&s->head, e->last);
    enc_str(&s->head, "upto");
    enc_uint(&s->head, e->position - 1);
    enc_str(&s->head, "head");
    enc_uint(&s->head, head);
    enc_str(&s->head, "at");
    enc_int(&s->head, s->calls.now(s->calls.arg));
    struct slice body = {(const char *)s->head.p, s->head.n}, none = {NULL, 0};
    if (!went(s, e, s->calls.send(s->calls.arg, e->peer, "heartbeat", body, none)))
        return;
    e->said_upto = e->position - 1;
    e->said_head = head;
    e->beat_at = loop_ms();
}

static void end_with_error(struct subscriber *s, struct session *e, enum wire_error code,
                           const char *sentence)
{
    buf_reset(&s->head);
    enc_map(&s->head, 3);
    enc_str(&s->head, "session");
    enc_uint(&s->head, e->number);
    enc_str(&s->head, "code");
    enc_str(&s->head, wire_error_wire(code));
    enc_str(&s->head, "message");
    enc_str(&s->head, sentence);
    struct slice body = {(const char *)s->head.p, s->head.n}, none = {NULL, 0};
    s->calls.send(s->calls.arg, e->peer, "error", body, none); /* told or not, it is over */
    end(s, e);
}

/* ---- the walk ---- */

enum step { STEP_ON, STEP_STANDS, STEP_STOPS }; /* stands: credit or log ran out; stops: for another reason */

static enum step step(struct subscriber *s, struct session *e)
{
    if (e->position > events_head(s->events) || (e->out_of_credit && !e->credit))
        return STEP_STANDS;
    struct shown_event shown;
    struct err err;
    int got = events_get(s->events, e->position, &shown, &err);
    if (got == 0) {
        e->waits_view = true;
        return STEP_STOPS;
    }
    if (got < 0) {
        end_with_error(s, e, got == WW_ETOOOLD ? WIRE_ERROR_TOO_OLD : WIRE_ERROR_INTERNAL, err.msg);
        return STEP_STOPS;
    }
    if (filter_matches(&e->filter, shown.ev)) {
        e->out_of_credit = !e->credit;
        if (!e->credit)
            return STEP_STANDS;
        events_cut(s->events, e->filter.regions, e->filter.n_regions, &shown);
        if (!send_event(s, e, &shown))
            return STEP_STOPS;
    }
    e->position++;
    return STEP_ON;
}

/* Returns how many were looked at; fewer than `most`: the session has nothing more to do now. */
static unsigned walk(struct subscriber *s, struct session *e, unsigned most)
{
    e->waits_view = false;
    for (unsigned n = 0; n < most; n++) {
        enum step took = step(s, e);
        if (took == STEP_ON)
            continue;
        bool news = !e->beat_at || e->said_upto != e->position - 1;
        if (took == STEP_STANDS && news)
            send_beat(s, e);
        return n;
    }
    return most;
}

/* The list from `first` on goes to its front, so that those who had no turn are next. */
static void rotate(struct subscriber *s, struct session *first)
{
    struct session *last = first;
    if (!first || first == s->sessions)
        return;
    while (last->next)
        last = last->next;
    last->next = s->sessions;
    for (last = s->sessions; last->next != first; last = last->next)
        continue;
    last->next = NULL;
    s->sessions = first;
}

enum pump subscriber_pump(struct subscriber *s, bool *want_view)
{
    unsigned left = PUMP_TURN;
    bool more = false, later = false;
    struct session *e = s->sessions;
    *want_view = false;
    if (s->idle && s->idle_head == events_head(s->events))
        return PUMP_DONE;
    s->idle_head = events_head(s->events);
    s->walking = true;
    for (; e && left; e = e->next) {
        if (e->dead || e->full) {
            later = later || e->full;
            continue;
        }
        unsigned most = left < PUMP_SESSION ? left : PUMP_SESSION;
        unsigned took = walk(s, e, most);
        more = more || (took == most && !e->dead);
        later = later || (e->full && !e->dead);
        *want_view = *want_view || (e->waits_view && !e->dead);
        left -= took;
    }
    s->walking = false;
    rotate(s, e);
    bury(s);
    events_rest(s->events);
    s->idle = !more && left && !later && !*want_view;
    return more || !left ? PUMP_MORE : later ? PUMP_LATER : PUMP_DONE;
}

void subscriber_retry(struct subscriber *s)
{
    for (struct session *e = s->sessions; e; e = e->next)
        e->full = false;
    s->idle = false;
}

void subscriber_tick(struct subscriber *s)
{
    int64_t now = loop_ms();
    s->walking = true;
    for (struct session *e = s->sessions; e; e = e->next)
        if (!e->dead && !e->full && now - e->beat_at >= BEAT_MS - BEAT_MS / 10)
            send_beat(s, e);
    s->walking = false;
    bury(s);
}

/* ---- rights, status ---- */

void subscriber_rights(struct subscriber *s, const struct principal *(*who)(void *arg, uint64_t peer),
                       void *arg)
{
    s->idle = false;
    s->walking = true;
    for (struct session *e = s->sessions; e; e = e->next) {
        if (e->dead)
            continue;
        const struct principal *p = who(arg, e->peer);
        e->out_of_credit = false;
        if (!p || !(p->may & MAY_SUBSCRIBE) || !cut(e, p))
            end_with_error(s, e, WIRE_ERROR_DENIED,
                           "the configuration no longer lets this principal listen here");
    }
    s->walking = false;
    bury(s);
}

size_t subscriber_count(const struct subscriber *s)
{
    return s->n;
}

void subscriber_each(const struct subscriber *s, void (*call)(void *, const struct session_status *),
                     void *arg)
{
    uint64_t head = events_head(s->events);
    for (const struct session *e = s->sessions; e; e = e->next) {
        struct session_status st = {e->principal, e->number, e->sent, head + 1 - e->position, e->peer, &e->filter,
                                    e->starved_at ? loop_ms() - e->starved_at : 0};
        if (!e->dead)
            call(arg, &st);
    }
}
