/* SPDX-License-Identifier: Apache-2.0 */
/* Hearsay waits to be sorted before it counts: as relevant, as a duplicate of what is known, or as not ours. Owns T_TRIAGE
 * and T_SORTED and the due items of those that wait. A signal that waits is seen, and counted to its source; no record
 * and no name knows of it. Once let in it counts as if it had come at its own number, and is news of the entry in hand.
 * What waits keeps the date that it was given: new settings change nothing for it. */
#include "engine/triage.h"

#include "engine/fold.h"

enum { TRIAGE_VERSION = 1 };

/* ---- rows ---- */

static const char *const words[TRIAGE_AS_COUNT] = {"waits", "relevant", "duplicate", "not_ours", "time_up", "cancelled"};

const char *triage_word(uint8_t as)
{
    return as < TRIAGE_AS_COUNT ? words[as] : "";
}

void triage_key(uint8_t out[TRIAGE_KEY_LEN], uint64_t number)
{
    for (int i = 0; i < TRIAGE_KEY_LEN; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

void triage_row_put(struct buf *b, const struct triage_row *row)
{
    buf_u8(b, TRIAGE_VERSION);
    buf_u8(b, row->as);
    buf_zigzag(b, row->came_at);
    buf_zigzag(b, row->due);
    buf_when(b, row->sorted_at);
    buf_varint(b, row->sorted_entry);
    buf_slice(b, row->who);
    buf_slice(b, row->bytes);
}

int triage_row_get(struct slice bytes, struct triage_row *row, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    bool known = rd_u8(&r) == TRIAGE_VERSION;
    *row = (struct triage_row){.as = rd_u8(&r)};
    row->came_at = rd_zigzag(&r);
    row->due = rd_zigzag(&r);
    row->sorted_at = rd_when(&r);
    row->sorted_entry = rd_varint(&r);
    row->who = rd_slice(&r);
    row->bytes = rd_slice(&r);
    if (!known || r.bad || rd_left(&r) || row->as >= TRIAGE_AS_COUNT)
        return err_set(err, WW_EDAMAGED, "view: a signal that waits to be sorted does not decode; run wagewarnd --rebuild");
    return 0;
}

int triage_signal(const struct triage_row *row, struct arena *arena, const struct entry_signal **out, struct err *err)
{
    struct entry *entry = arena_alloc(arena, sizeof *entry);
    int rc = entry_get(row->bytes, arena, entry, err);
    if (rc == 0 && entry->type != ENTRY_SIGNAL)
        rc = err_set(err, WW_EDAMAGED, "view: what waits to be sorted is no signal; run wagewarnd --rebuild");
    *out = &entry->signal;
    return rc;
}

struct ekey triage_ekey(const struct entry_signal *x)
{
    const struct signal *s = &x->sig;
    return s->uscc.n ? ekey_of_code((enum status)s->status, s->uscc) : ekey_of_name((enum status)s->status, s->name);
}

/* ---- in the state ---- */

/* One that waits (or waited: T_SORTED), out of the state's memory. False: none, or it failed. */
static bool load(struct engine *e, enum table table, uint64_t number, struct triage_row *row, const struct entry_signal **x)
{
    uint8_t key[TRIAGE_KEY_LEN];
    triage_key(key, number);
    struct slice v = state_get(e->state, table, key, sizeof key);
    if (!v.p)
        return false;
    if (triage_row_get(arena_slice(&e->scratch, v), row, e->err) == 0 && triage_signal(row, &e->scratch, x, e->err) == 0)
        return true;
    e->failed = true;
    return false;
}

static void store(struct engine *e, enum table table, uint64_t number, const struct triage_row *row)
{
    uint8_t key[TRIAGE_KEY_LEN];
    triage_key(key, number);
    buf_reset(&e->buf);
    triage_row_put(&e->buf, row);
    state_put(e->state, table, key, sizeof key, e->buf.p, e->buf.n);
}

static struct ekey due_key(uint64_t number, const struct entry_signal *x)
{
    struct ekey k = {{(uint8_t)(x->sig.status << 4 | EKEY_TRIAGE)}};
    triage_key(k.b + 1, number);
    return k;
}

static uint64_t number_of(const struct ekey *k)
{
    uint64_t n = 0;
    for (int i = 0; i < TRIAGE_KEY_LEN; i++)
        n = n << 8 | k->b[1 + i];
    return n;
}

/* ---- coming ---- */

static bool marked(const struct work *w, struct slice kind)
{
    for (uint32_t i = 0; w && i < w->n_triage; i++)
        if (slice_eq(w->triage[i], kind))
            return true;
    return false;
}

bool triage_keeps(struct engine *e, const struct entry_signal *x)
{
    const struct work *w = e->settings->work;
    if (!marked(w, x->sig.kind))
        return false;
    struct buf bytes = {0};
    struct triage_row row = {.came_at = e->time, .due = term_end(w, &w->triage_term, e->time), .sorted_at = NO_INT};
    struct ekey item = due_key(e->number, x);
    entry_put_signal(&bytes, x);
    row.bytes = (struct slice){(const char *)bytes.p, bytes.n};
    store(e, T_TRIAGE, e->number, &row);
    buf_finish(&bytes);
    due_set(e->due, &item, NO_INT, row.due);
    return true;
}

/* ---- going ---- */

static void decide(struct engine *e, uint64_t number, const struct entry_signal *x, struct triage_row *row, enum triage_as as,
                   struct slice who)
{
    uint8_t key[TRIAGE_KEY_LEN];
    struct ekey item = due_key(number, x);
    triage_key(key, number);
    state_del(e->state, T_TRIAGE, key, sizeof key);
    due_set(e->due, &item, row->due, NO_INT);
    row->as = (uint8_t)as;
    row->sorted_at = e->time;
    row->sorted_entry = e->number;
    row->who = who;
    store(e, T_SORTED, number, row);
    if (as == TRIAGE_RELEVANT || as == TRIAGE_TIME_UP)
        signal_count(e, x, number);
}

void triage_due(struct engine *e, const struct ekey *item, int64_t at)
{
    struct triage_row row;
    const struct entry_signal *x;
    uint64_t number = number_of(item);
    if (load(e, T_TRIAGE, number, &row, &x))
        decide(e, number, x, &row, TRIAGE_TIME_UP, (struct slice){0});
    else
        due_set(e->due, item, at, NO_INT);
}

/* Is it a signal of this kind, source and enterprise? */
static bool alike(struct engine *e, const struct entry_signal *x, const struct ekey *given, const struct entry_signal *y)
{
    struct ekey theirs = triage_ekey(y), key = identity_resolve(e, given);
    theirs = identity_resolve(e, &theirs);
    return slice_eq(x->sig.kind, y->sig.kind) && slice_eq(x->source, y->source) && ekey_cmp(&key, &theirs) == 0;
}

bool triage_has(struct engine *e, const struct entry_signal *x, const struct ekey *given, uint64_t number)
{
    struct triage_row row;
    const struct entry_signal *y;
    if (!load(e, T_TRIAGE, number, &row, &y) && !load(e, T_SORTED, number, &row, &y))
        return false;
    return alike(e, x, given, y);
}

bool triage_withdraw(struct engine *e, const struct entry_signal *x, const struct ekey *given, uint64_t number)
{
    struct triage_row row;
    const struct entry_signal *y;
    if (!load(e, T_TRIAGE, number, &row, &y) || !alike(e, x, given, y))
        return false;
    decide(e, number, y, &row, TRIAGE_CANCELLED, (struct slice){0});
    return true;
}

/* ---- what a person decides ---- */

static void refuse(struct engine *e, enum wire_error code, const char *sentence)
{
    if (e->out) {
        e->out->refused = code;
        e->out->sentence = sentence;
    }
}

/* What became of one that waits no more. */
static const char *sorted_before(struct engine *e, uint64_t number, const struct triage_row *row)
{
    struct arena *arena = e->out ? e->out->arena : &e->scratch;
    if (row->as == TRIAGE_TIME_UP)
        return arena_printf(arena, "signal %llu counts already: its time was up before anybody sorted it",
                            (unsigned long long)number);
    if (row->as == TRIAGE_CANCELLED)
        return arena_printf(arena, "signal %llu was taken back by its sender", (unsigned long long)number);
    return arena_printf(arena, "signal %llu was sorted as %s already, by %.*s", (unsigned long long)number,
                        triage_word(row->as), SLICE_ARG(row->who));
}

static int as_of(struct slice word)
{
    for (int as = TRIAGE_RELEVANT; as <= TRIAGE_NOT_OURS; as++)
        if (slice_is(word, words[as]))
            return as;
    return -1;
}

bool triage_act(struct engine *e, const struct entry_action *a)
{
    struct triage_row row;
    const struct entry_signal *x;
    int as = as_of(a->as);
    if (!slice_is(a->what, "sort"))
        return false;
    if (!a->may)
        refuse(e, WIRE_ERROR_DENIED, "this principal may not sort signals of that place");
    else if (as < 0)
        refuse(e, WIRE_ERROR_BAD_FIELD, "as: one of relevant, duplicate, not_ours");
    else if (load(e, T_TRIAGE, a->signal, &row, &x))
        decide(e, a->signal, x, &row, (enum triage_as)as, a->actor.n ? a->actor : a->principal);
    else if (load(e, T_SORTED, a->signal, &row, &x))
        refuse(e, WIRE_ERROR_WRONG_STATE, sorted_before(e, a->signal, &row));
    else
        refuse(e, WIRE_ERROR_NO_SUCH_SIGNAL, "no signal of that number waits to be sorted; 'wagewarn intake' lists them");
    return true;
}
