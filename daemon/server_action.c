/* SPDX-License-Identifier: Apache-2.0 */
/* The verb action. Owns the actions that wait until the view knows their alert. Main thread. */
#include "daemon/server_parts.h"

#include "lib/mem.h"
#include "lib/name.h"

#include <stdlib.h>

enum { PARKED_MAX = 1000 };

/* An action whose alert the view does not hold yet. */
struct parked {
    struct parked *next;
    uint64_t peer, until; /* until: the journal number that the view must hold */
    struct slice body;    /* owned, behind the struct */
};

static bool covers(const struct principal *p, const region_t *places, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (principal_sees(p, places[i]))
            return true;
    return p->n_regions == 0;
}

static void gather_action(struct ask *a, struct entry_action *act, struct slice note)
{
    struct server *s = a->s;
    uint64_t peer = a->peer->handle;
    if (intake_action(&s->intake, writer_gathering(s->o.writer), peer, a->has_rid, a->rid, act, note) ||
        intake_action(&s->intake, server_roomier(s), peer, a->has_rid, a->rid, act, note))
        a->peer->waiting++;
    else
        reply_busy(s, peer, a->has_rid, a->rid, "more is waiting for the disk than fits in memory");
}

/* The alert, or the signal, may be newer than the view: then the action waits for a checkpoint. */
static bool park(struct ask *a)
{
    struct server *s = a->s;
    uint64_t last = writer_number(s->o.writer);
    if (a->again || writer_viewed(s->o.writer) >= last)
        return false;
    bool stuck = writer_view_stuck(s->o.writer);
    if (stuck || s->n_parked == PARKED_MAX) {
        reply_busy(s, a->peer->handle, a->has_rid, a->rid,
                   stuck ? "the disk is full: the view cannot be written" : "too many actions wait for the view");
        return true;
    }
    struct parked *p = mem_alloc(sizeof *p + a->raw.n);
    *p = (struct parked){.peer = a->peer->handle, .until = last, .body = {(const char *)(p + 1), a->raw.n}};
    memcpy(p + 1, a->raw.p, a->raw.n);
    *s->parked_end = p;
    s->parked_end = &p->next;
    s->n_parked++;
    a->peer->waiting++;
    writer_want_view(s->o.writer, last);
    return true;
}

/* What a person decides of a name concerns no alert: the name and its status say where it goes. */
static void on_name_action(struct ask *a, struct entry_action *act, struct slice note)
{
    struct arena arena = {0};
    struct slice word = {NULL, 0};
    int status = val_str(a->body, "status", &word) < 0 ? -1 : word.p ? status_of(word) : STATUS_ACTUAL;
    act->name = name_normalise(&arena, act->name);
    act->alert = 0;
    act->may = strcmp(a->principal->role, "operator") == 0;
    if (status < 0) {
        reply_refuse(a, WIRE_ERROR_BAD_FIELD, "status: must be actual, exercise or test");
    } else if (!act->name.n) {
        reply_refuse(a, WIRE_ERROR_BAD_FIELD, "name: nothing is left of it but white space");
    } else if (!act->may) {
        reply_refuse(a, WIRE_ERROR_DENIED, "only an operator settles which enterprise a name belongs to");
    } else {
        act->key = ekey_of_name((enum status)status, act->name);
        gather_action(a, act, note);
    }
    arena_finish(&arena);
}

/* A signal that waits to be sorted: whoever sees its place may. */
static void on_sort(struct ask *a, struct entry_action *act, struct slice note)
{
    struct server *s = a->s;
    struct waiting w;
    struct err err;
    bool there = act->signal <= writer_number(s->o.writer);
    int got = there ? events_waiting(s->o.events, act->signal, &w, &err) : 0;
    act->alert = 0;
    act->may = got == 1 && covers(a->principal, w.places, w.n_places);
    if (act->may)
        act->key = w.key;
    if (act->may)
        gather_action(a, act, note);
    else if (got < 0)
        reply_refuse(a, WIRE_ERROR_INTERNAL, err.msg);
    else if (got == 1 || !there || !park(a))
        reply_refuse(a, WIRE_ERROR_NO_SUCH_SIGNAL, "no signal of that number waits to be sorted; 'wagewarn intake' lists them");
    events_rest(s->o.events);
}

/* A visit or review was made: of an enterprise that the principal may see. */
static void on_report(struct ask *a, struct entry_action *act, struct slice note)
{
    struct server *s = a->s;
    struct arena arena = {0};
    struct err err;
    const region_t *places = NULL;
    uint32_t n_places = 0;
    act->name = act->uscc.p ? (struct slice){NULL, 0} : name_normalise(&arena, act->name);
    act->alert = 0;
    act->key = act->uscc.p ? ekey_of_code(STATUS_ACTUAL, act->uscc) : ekey_of_name(STATUS_ACTUAL, act->name);
    int got = events_enterprise(s->o.events, &act->key, &places, &n_places, &err);
    act->may = got == 1 && covers(a->principal, places, n_places);
    if (act->may)
        gather_action(a, act, note);
    else if (got < 0)
        reply_refuse(a, WIRE_ERROR_INTERNAL, err.msg);
    else if (got == 1 || !park(a)) /* what may not be seen is not there */
        reply_refuse(a, WIRE_ERROR_NO_SUCH_ENTERPRISE, "there is no such enterprise in your regions; 'wagewarn duties' lists those "
                                                       "that have duties");
    events_rest(s->o.events);
    arena_finish(&arena);
}

void on_action(struct ask *a)
{
    struct server *s = a->s;
    struct entry_action act;
    struct slice note;
    struct err err;
    enum wire_error w = intake_read_action(a->body, a->principal, &act, &note, &err);
    if (w) {
        reply_refuse(a, w, err.msg);
        return;
    }
    if (intake_settles_name(&act)) {
        on_name_action(a, &act, note);
        return;
    }
    if (intake_sorts(&act)) {
        on_sort(a, &act, note);
        return;
    }
    if (intake_reports(&act)) {
        on_report(a, &act, note);
        return;
    }
    const region_t *places;
    uint32_t n_places;
    int got = act.alert <= events_head(s->o.events) && act.alert
                  ? events_alert(s->o.events, act.alert, &act.key, &places, &n_places, &err)
                  : 0;
    act.may = got == 1 && covers(a->principal, places, n_places);
    if (act.may)
        gather_action(a, &act, note);
    else if (got < 0)
        reply_refuse(a, WIRE_ERROR_INTERNAL, err.msg);
    /* what may not be seen is not there */
    else if (got == 1 || !act.alert || act.alert > events_head(s->o.events) || !park(a))
        reply_refuse(a, WIRE_ERROR_NO_SUCH_ALERT,
                     "no alert has this number; query {what: \"alerts\"} lists them");
    events_rest(s->o.events);
}

/* Actions whose alert the view may hold by now, or which a full disk keeps from it: as if they came again. */
void action_take_parked(struct server *s)
{
    uint64_t viewed = writer_viewed(s->o.writer);
    while (s->parked && (s->parked->until <= viewed || writer_view_stuck(s->o.writer))) {
        struct parked *k = s->parked;
        s->parked = k->next;
        if (!s->parked)
            s->parked_end = &s->parked;
        s->n_parked--;
        struct peer *p = peers_find(s->peers, k->peer);
        if (p) {
            p->waiting--;
            struct ask a = {.s = s, .peer = p, .principal = server_who(s, p), .raw = k->body, .again = k->until <= viewed};
            struct wire_in in = {.frames = 2, .verb = SLICE("action"), .body = k->body};
            server_dispatch(&a, &in);
        }
        free(k);
    }
}

void action_drop_parked(struct server *s)
{
    while (s->parked) {
        struct parked *k = s->parked;
        s->parked = k->next;
        free(k);
    }
}
