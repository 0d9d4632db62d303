/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the scratch memory of decoding. Main thread. What it gathers lives in the batch's arena. */
#include "daemon/intake.h"

#include "lib/name.h"
#include "lib/uscc.h"

enum {
    ARENA_MAX = 96 << 20, /* of one batch: messages, decoded signals, entries */
    SALTED_MAX = NOTE_SALT_LEN + 4096
};

void intake_finish(struct intake *in)
{
    arena_finish(&in->scratch);
    buf_finish(&in->bytes);
    *in = (struct intake){0};
}

/* ---- notes ---- */

/* Salt and text go to the erasable part of the journal, a hash of both to the entry. */
static struct slice salt_note(struct arena *a, struct slice note, uint8_t hash[NOTE_HASH_LEN])
{
    uint8_t full[CHAIN_LEN];
    char *p = arena_alloc(a, NOTE_SALT_LEN + note.n);
    random_bytes(p, NOTE_SALT_LEN);
    if (note.p)
        memcpy(p + NOTE_SALT_LEN, note.p, note.n);
    hash_blake2b(full, p, NOTE_SALT_LEN, note.p, note.n, NULL, 0);
    memcpy(hash, full, NOTE_HASH_LEN);
    return (struct slice){p, NOTE_SALT_LEN + note.n};
}

/* ---- signals ---- */

struct gathering {
    struct intake *in;
    struct batch *b;
    const struct intake_from *from;
    struct slice name; /* of the principal, in the batch: a reload may come before the answer */
};

/* The agency of a kind: what stands before its dot. */
static struct slice agency_of(struct slice kind)
{
    const char *dot = memchr(kind.p, '.', kind.n);
    return (struct slice){kind.p, dot ? (size_t)(dot - kind.p) : kind.n};
}

static struct slice source_of(const struct gathering *g, struct slice kind)
{
    const struct principal *p = g->from->principal;
    return p->local && kinds_find(g->from->catalog->kinds, kind) ? agency_of(kind) : slice_of(p->name);
}

static void turn_down(struct gathering *g, uint32_t index, const struct signal *sig, const struct reject *why)
{
    struct batch *b = g->b;
    const char *what = why->what ? why->what : reject_text(why->code);
    if (why->field && strncmp(what, why->field, strlen(why->field)) != 0)
        what = arena_printf(&b->arena, "%s: %s", why->field, what);
    batch_reject(b, &b->requests[b->n_requests - 1], index, sig->id, why->code, what);
    if (sig->status == STATUS_ACTUAL) /* exercises and tests never touch statistics */
        feeds_reject(g->in->feeds, source_of(g, sig->kind));
}

/* Only as many attrs as there are: most signals have none, and the room for sixteen is most of the struct. */
static void copy_signal(struct signal *to, const struct signal *from)
{
    memcpy(to, from, offsetof(struct signal, attrs) + from->n_attrs * sizeof from->attrs[0]);
}

static bool check(struct gathering *g, const struct signal_in *s, struct slice *name, struct reject *why)
{
    *why = s->why;
    if (why->code ||
        signal_check(&s->sig, g->from->catalog->kinds, g->from->catalog->regions, g->from->now, why))
        return false;
    if (!principal_may_send(g->from->principal, s->sig.kind)) {
        *why = (struct reject){REJECT_KIND_NOT_ALLOWED, "kind", NULL};
        return false;
    }
    *name = (struct slice){NULL, 0};
    if (s->sig.name.p)
        *name = name_normalise(&g->b->arena, s->sig.name);
    if (s->sig.name.p && !name->n) {
        *why = (struct reject){REJECT_BAD_FIELD, "name", "nothing is left of it but white space"};
        return false;
    }
    return true;
}

static void gather_one(struct gathering *g, const struct signal_in *s, uint32_t index)
{
    struct reject why;
    struct slice name;
    if (!check(g, s, &name, &why)) {
        turn_down(g, index, &s->sig, &why);
        return;
    }
    struct batch *b = g->b;
    const struct principal *p = g->from->principal;
    struct entry_signal *e = arena_alloc(&b->arena, offsetof(struct entry_signal, sig.attrs) +
                                                        s->sig.n_attrs * sizeof s->sig.attrs[0]);
    copy_signal(&e->sig, &s->sig);
    e->sig.name = name;
    signal_normalise_attrs(&e->sig, &b->arena);
    e->sig.note = (struct slice){NULL, 0};
    e->source = p->local ? agency_of(s->sig.kind) : g->name;
    e->binds_name = p->may_name;
    e->has_note = s->sig.note.p != NULL;
    hash_pair(e->id_hash, g->in->key, e->source, e->sig.id);
    if (e->sig.cancels.n)
        hash_pair(e->cancels_hash, g->in->key, e->source, e->sig.cancels);
    struct slot *slot = batch_slot(b);
    slot->signal = e;
    slot->index = index;
    if (e->has_note)
        slot->erasable = salt_note(&b->arena, s->sig.note, e->note_hash);
    buf_reset(&g->in->bytes);
    entry_put_signal(&g->in->bytes, e);
    slot->body = (struct slice){arena_copy(&b->arena, g->in->bytes.p, g->in->bytes.n), g->in->bytes.n};
    b->bytes += slot->body.n + slot->erasable.n;
}

static bool has_room(const struct batch *b, size_t n, size_t bytes)
{
    return batch_has_room(b, n, bytes) && (!b->n_slots || b->arena.total + bytes < ARENA_MAX);
}

enum intake_end intake_signals(struct intake *in, struct batch *b, const struct intake_from *from,
                               struct slice body, bool *has_rid, uint64_t *rid, enum wire_error *error,
                               struct err *err)
{
    struct signals_body decoded = {0};
    if (!has_room(b, 1, body.n))
        return INTAKE_FULL;
    /* a copy that lives as long as the batch, so that what is decoded may point into it */
    struct slice own = {arena_copy(&b->arena, body.p, body.n), body.n};
    arena_reset(&in->scratch);
    int code = codec_signals(own, in->max_batch, &in->scratch, &decoded, err);
    *has_rid = decoded.has_rid;
    *rid = decoded.rid;
    if (code) {
        *error = (enum wire_error)code;
        return INTAKE_ERROR;
    }
    if (!has_room(b, decoded.n, body.n))
        return INTAKE_FULL;
    struct request *r = batch_request(b, REQUEST_SIGNALS, from->peer);
    r->has_rid = decoded.has_rid;
    r->rid = decoded.rid;
    struct gathering g = {in, b, from, arena_slice(&b->arena, slice_of(from->principal->name))};
    for (size_t i = 0; i < decoded.n; i++)
        gather_one(&g, &decoded.batch[i], (uint32_t)i);
    return b->requests[b->n_requests - 1].n ? INTAKE_WAITS : INTAKE_ANSWER;
}

void intake_rid(struct intake *in, struct slice body, bool *has_rid, uint64_t *rid)
{
    struct signals_body decoded = {0};
    struct err err;
    arena_reset(&in->scratch);
    if (codec_signals(body, 1, &in->scratch, &decoded, &err) && !decoded.has_rid)
        return;
    *has_rid = decoded.has_rid;
    *rid = decoded.rid;
}

/* ---- actions ---- */

static enum wire_error bad(struct err *err, const char *key, const char *want)
{
    err_set(err, WW_EINPUT, "%s: must be %s", key, want);
    return WIRE_ERROR_BAD_FIELD;
}

static const char *const things_to_do[] = {
    "seen",   "accept",  "verify",  "dispose", "close", "reopen",  "escalate", "assign", "join",
    "snooze", "correct", "comment", "extend",  "hold",  "follow_up", "resolve", "unmerge",  "forget", "confirm_clock", "end", "recovered",
};

static enum wire_error read_texts(const struct ww_value *body, struct entry_action *a, struct slice *note,
                                  struct err *err)
{
    const struct {
        const char *key;
        struct slice *to;
        size_t most;
    } texts[] = {
        {"do", &a->what, 32},         {"actor", &a->actor, 64},     {"finding", &a->finding, 32},
        {"outcome", &a->outcome, 32}, {"measure", &a->measure, 64}, {"ref", &a->ref, 128},
        {"team", &a->team, 64},       {"note", note, 1024},         {"name", &a->name, 200},
        {"uscc", &a->uscc, 64},       {"as", &a->as, 16},         {"duty", &a->duty, 64},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int got = val_str(body, texts[i].key, texts[i].to);
        if (got < 0 || (got && (!texts[i].to->n || !utf8_valid(*texts[i].to))))
            return bad(err, texts[i].key, "a text");
        if (texts[i].to->n > texts[i].most) {
            err_set(err, WW_EINPUT, "%s: longer than %zu bytes", texts[i].key, texts[i].most);
            return WIRE_ERROR_TOO_LARGE;
        }
    }
    return WIRE_ERROR_NONE;
}

static enum wire_error read_numbers(const struct ww_value *body, struct entry_action *a, struct err *err)
{
    const struct {
        const char *key;
        int64_t *to;
    } ints[] = {
        {"people", &a->people}, {"amount", &a->amount},           {"due", &a->due},
        {"until", &a->until},   {"paid_people", &a->paid_people}, {"paid_amount", &a->paid_amount},
    };
    for (size_t i = 0; i < ARRAY_LEN(ints); i++) {
        *ints[i].to = NO_INT;
        int got = val_int(body, ints[i].key, ints[i].to);
        if (got < 0 || (got && *ints[i].to < 0))
            return bad(err, ints[i].key, "an integer of 0 or more");
    }
    if (val_uint(body, "version", &a->version) < 0)
        return bad(err, "version", "an integer of 0 or more");
    if (val_uint(body, "signal", &a->signal) < 0)
        return bad(err, "signal", "the number that 'intake' gives");
    if (val_uint(body, "undo", &a->undo) < 0)
        return bad(err, "undo", "the number that an action's answer gave");
    return WIRE_ERROR_NONE;
}

bool intake_settles_name(const struct entry_action *a)
{
    return slice_is(a->what, "resolve") || slice_is(a->what, "unmerge");
}

bool intake_sorts(const struct entry_action *a)
{
    return slice_is(a->what, "sort");
}

bool intake_reports(const struct entry_action *a)
{
    return slice_is(a->what, "duty_done");
}

static enum wire_error check_report(const struct entry_action *a, struct err *err)
{
    const char *fault = a->uscc.p ? uscc_fault(a->uscc) : NULL;
    if (!a->duty.p || (!a->uscc.p && !a->name.p)) {
        err_set(err, WW_EINPUT, "%s is missing: duty_done says which duty, and of which enterprise (uscc or name)",
                a->duty.p ? "uscc" : "duty");
        return WIRE_ERROR_MISSING_FIELD;
    }
    if (fault)
        err_set(err, WW_EINPUT, "uscc: %s", fault);
    return fault ? WIRE_ERROR_BAD_FIELD : WIRE_ERROR_NONE;
}

static enum wire_error check_sort(const struct entry_action *a, struct err *err)
{
    if (a->signal && a->as.p)
        return WIRE_ERROR_NONE;
    err_set(err, WW_EINPUT, "%s is missing: sort says which signal, and as what it counts", a->signal ? "as" : "signal");
    return WIRE_ERROR_MISSING_FIELD;
}

static enum wire_error check_name(const struct entry_action *a, struct err *err)
{
    const char *fault = a->uscc.p ? uscc_fault(a->uscc) : NULL;
    if (!a->name.p || !a->uscc.p) {
        err_set(err, WW_EINPUT, "%s is missing: %.*s says which name, and which code it belongs to",
                a->name.p ? "uscc" : "name", SLICE_ARG(a->what));
        return WIRE_ERROR_MISSING_FIELD;
    }
    if (fault) {
        err_set(err, WW_EINPUT, "uscc: %s", fault);
        return WIRE_ERROR_BAD_FIELD;
    }
    return WIRE_ERROR_NONE;
}

enum wire_error intake_read_action(const struct ww_value *body, const struct principal *p,
                                   struct entry_action *a, struct slice *note, struct err *err)
{
    *a = (struct entry_action){
        .principal = slice_of(p->name), .role = slice_of(p->role), .own_team = slice_of(p->team ? p->team : "")};
    *note = (struct slice){NULL, 0};
    int got = val_uint(body, "alert", &a->alert);
    if (got < 0)
        return bad(err, "alert", "an alert's number");
    enum wire_error w = read_texts(body, a, note, err);
    if (!w)
        w = read_numbers(body, a, err);
    if (w)
        return w;
    if (intake_settles_name(a))
        return check_name(a, err);
    if (intake_reports(a))
        return check_report(a, err);
    a->duty = (struct slice){NULL, 0};
    a->name = a->uscc = (struct slice){NULL, 0};
    if (intake_sorts(a))
        return check_sort(a, err);
    a->as = (struct slice){NULL, 0};
    a->signal = 0;
    if (!got || !a->what.p) {
        err_set(err, WW_EINPUT, "%s is missing: an action says which alert and what to do",
                got ? "do" : "alert");
        return WIRE_ERROR_MISSING_FIELD;
    }
    for (size_t i = 0; i < ARRAY_LEN(things_to_do); i++)
        if (slice_is(a->what, things_to_do[i]))
            return WIRE_ERROR_NONE;
    err_set(err, WW_EINPUT, "do: \"%.*s\" is nothing that can be done with an alert", SLICE_ARG(a->what));
    return WIRE_ERROR_BAD_FIELD;
}

bool intake_action(struct intake *in, struct batch *b, uint64_t peer, bool has_rid, uint64_t rid,
                   struct entry_action *a, struct slice note)
{
    if (!has_room(b, 1, SALTED_MAX))
        return false;
    struct request *r = batch_request(b, REQUEST_ACTION, peer);
    r->has_rid = has_rid;
    r->rid = rid;
    struct slot *slot = batch_slot(b);
    a->has_note = note.p != NULL;
    if (a->has_note)
        slot->erasable = salt_note(&b->arena, note, a->note_hash);
    buf_reset(&in->bytes);
    entry_put_action(&in->bytes, a);
    slot->body = (struct slice){arena_copy(&b->arena, in->bytes.p, in->bytes.n), in->bytes.n};
    b->bytes += slot->body.n + slot->erasable.n;
    return true;
}

/* ---- who listens ---- */

bool intake_presence(struct intake *in, struct batch *b, const struct entry_presence *p)
{
    buf_reset(&in->bytes);
    entry_put_presence(&in->bytes, p);
    if (!has_room(b, 1, in->bytes.n))
        return false;
    batch_request(b, REQUEST_PRESENCE, 0);
    struct slot *slot = batch_slot(b);
    slot->body = (struct slice){arena_copy(&b->arena, in->bytes.p, in->bytes.n), in->bytes.n};
    b->bytes += slot->body.n;
    return true;
}

/* ---- settings ---- */

void intake_settings(struct intake *in, struct batch *b, const struct catalog *c)
{
    batch_request(b, REQUEST_SETTINGS, 0);
    struct slot *slot = batch_slot(b);
    buf_reset(&in->bytes);
    entry_put_config(&in->bytes, (struct slice){(const char *)c->hash, sizeof c->hash}, c->settings);
    slot->body = (struct slice){arena_copy(&b->arena, in->bytes.p, in->bytes.n), in->bytes.n};
    b->bytes += slot->body.n;
}
