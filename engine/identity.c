/* SPDX-License-Identifier: Apache-2.0 */
/* Which record a signal belongs to. A name belongs to the codes that signals bound to it; signals that gave the name
 * alone (SIG_BY_NAME) lie
 *   with no code bound: in a provisional record under the name;
 *   with one: in that code's record;
 *   with several: in the record under the name again, unresolved: kept, never judged, for a person to settle.
 * A person may settle it: a name resolved to a code belongs to it whatever signals bind; one unmerged from a code does
 * not belong to it, until it is resolved to it. They move whenever bindings or decisions change, so that order of
 * arrival does not matter. */
#include "engine/fold.h"

#include "lib/uscc.h"

enum { NAME_VERSION = 2 };

struct binding {
    struct ekey code;
    uint64_t count; /* signals that carried both */
};

struct name_row {
    struct slice text;
    size_t n;
    struct binding *codes; /* in the order of their first binding */
    bool settled;          /* a person resolved it: */
    struct ekey settled_to;
    size_t n_refused;
    struct ekey *refused;  /* codes that it does not belong to, as a person said */
};

/* False: the bytes do not decode. */
static bool read_row(struct slice bytes, struct arena *a, struct name_row *row)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    bool known = rd_u8(&r) == NAME_VERSION;
    row->text = rd_slice(&r);
    row->n = rd_count(&r, EKEY_LEN + 1);
    row->codes = arena_alloc(a, (row->n + 1) * sizeof *row->codes);
    for (size_t i = 0; i < row->n; i++) {
        const uint8_t *code = rd_bytes(&r, EKEY_LEN);
        if (code)
            memcpy(row->codes[i].code.b, code, EKEY_LEN);
        row->codes[i].count = rd_varint(&r);
    }
    row->settled = rd_u8(&r);
    const uint8_t *to = row->settled ? rd_bytes(&r, EKEY_LEN) : NULL;
    if (to)
        memcpy(row->settled_to.b, to, EKEY_LEN);
    row->n_refused = rd_count(&r, EKEY_LEN);
    row->refused = arena_alloc(a, (row->n_refused + 1) * sizeof *row->refused);
    for (size_t i = 0; i < row->n_refused; i++) {
        const uint8_t *code = rd_bytes(&r, EKEY_LEN);
        if (code)
            memcpy(row->refused[i].b, code, EKEY_LEN);
    }
    return known && !r.bad;
}

static struct name_row load_name(struct engine *e, const struct ekey *name)
{
    struct name_row row = {0};
    struct slice v = state_get(e->state, T_NAME, name->b, EKEY_LEN);
    if (v.p && !read_row(arena_slice(&e->scratch, v), &e->scratch, &row)) {
        err_set(e->err, WW_EDAMAGED, "view: the row of a name does not decode; run wagewarnd --rebuild");
        e->failed = true;
        row = (struct name_row){0};
    }
    return row;
}

static void store_name(struct engine *e, const struct ekey *name, const struct name_row *row)
{
    buf_reset(&e->buf);
    buf_u8(&e->buf, NAME_VERSION);
    buf_slice(&e->buf, row->text);
    buf_varint(&e->buf, row->n);
    for (size_t i = 0; i < row->n; i++) {
        buf_put(&e->buf, row->codes[i].code.b, EKEY_LEN);
        buf_varint(&e->buf, row->codes[i].count);
    }
    buf_u8(&e->buf, row->settled);
    if (row->settled)
        buf_put(&e->buf, row->settled_to.b, EKEY_LEN);
    buf_varint(&e->buf, row->n_refused);
    for (size_t i = 0; i < row->n_refused; i++)
        buf_put(&e->buf, row->refused[i].b, EKEY_LEN);
    state_put(e->state, T_NAME, name->b, EKEY_LEN, e->buf.p, e->buf.n);
}

static size_t find_refused(const struct name_row *row, const struct ekey *code)
{
    size_t i = 0;
    while (i < row->n_refused && ekey_cmp(&row->refused[i], code) != 0)
        i++;
    return i;
}

/* The codes that signals under this name alone could belong to; *last is one of them. */
static size_t candidates(const struct name_row *row, struct ekey *last)
{
    size_t n = 0;
    if (row->settled) {
        *last = row->settled_to;
        return 1;
    }
    for (size_t i = 0; i < row->n; i++)
        if (find_refused(row, &row->codes[i].code) == row->n_refused) {
            *last = row->codes[i].code;
            n++;
        }
    return n;
}

/* Where they lie. */
static struct ekey place_of(const struct name_row *row, const struct ekey *name)
{
    struct ekey code;
    return candidates(row, &code) == 1 ? code : *name;
}

int name_get(struct slice bytes, struct arena *a, struct slice *text, struct ekey **codes, size_t *n, struct err *err)
{
    struct name_row row;
    *n = 0;
    if (!read_row(bytes, a, &row))
        return err_set(err, WW_EDAMAGED, "view: the row of a name does not decode; run wagewarnd --rebuild");
    *text = row.text;
    *codes = arena_alloc(a, (row.n + 1) * sizeof **codes);
    for (size_t i = 0; i < row.n && !row.settled; i++)
        if (find_refused(&row, &row.codes[i].code) == row.n_refused)
            (*codes)[(*n)++] = row.codes[i].code;
    if (row.settled)
        (*codes)[(*n)++] = row.settled_to;
    return 0;
}

struct ekey identity_resolve(struct engine *e, const struct ekey *k)
{
    if (ekey_is_code(k))
        return *k;
    struct name_row row = load_name(e, k);
    return place_of(&row, k);
}

bool identity_ambiguous(struct engine *e, const struct ekey *name)
{
    struct ekey code;
    struct name_row row = load_name(e, name);
    return candidates(&row, &code) > 1;
}

struct record *identity_record(struct engine *e, const struct ekey *k, struct slice text)
{
    struct record *c = arena_alloc(&e->scratch, sizeof *c);
    struct slice bytes = state_get(e->state, T_ENTERPRISE, k->b, EKEY_LEN);
    if (bytes.p) {
        if (record_get(arena_slice(&e->scratch, bytes), k, &e->scratch, c, e->err) == 0)
            return c;
        e->failed = true;
    }
    *c = (struct record){.key = *k, .settings = e->settings_entry, .due = NO_INT, .name_at = NO_INT,
                         .industry_at = NO_INT, .place_at = NO_INT, .judged_at = NO_INT};
    for (int l = 0; l < LEVEL_COUNT; l++)
        c->left_at[l] = NO_INT;
    if (!ekey_is_code(k))
        c->name = text;
    return c;
}

/* ---- what is shown of an enterprise ---- */

static bool newer(int64_t at, uint64_t seq, int64_t than_at, uint64_t than_seq)
{
    return than_at == NO_INT || at > than_at || (at == than_at && seq > than_seq);
}

static void add_place(struct engine *e, struct record *c, region_t place)
{
    uint32_t at = 0;
    while (at < c->n_places && c->places[at] < place)
        at++;
    if (at < c->n_places && c->places[at] == place)
        return;
    region_t *list = arena_alloc(&e->scratch, (c->n_places + 1) * sizeof *list);
    if (at)
        memcpy(list, c->places, at * sizeof *list);
    if (c->n_places > at)
        memcpy(list + at + 1, c->places + at, (c->n_places - at) * sizeof *list);
    list[at] = place;
    c->places = list;
    c->n_places++;
}

/* Where a signal says that work is done: under the code in force, and as part of a zone. */
static void note_place(struct engine *e, struct record *c, const struct sig *sig)
{
    region_t region = settings_region(e->settings, sig->region);
    uint32_t zone = settings_zone(e->settings, region);
    if (!region || sig->flags & SIG_CANCELLED)
        return;
    add_place(e, c, region);
    if (zone != UINT32_MAX)
        add_place(e, c, e->settings->zones[zone].code);
    if (newer(sig->at, sig->seq, c->place_at, c->place_seq)) {
        c->place = region;
        c->place_at = sig->at;
        c->place_seq = sig->seq;
    }
}

void identity_replace(struct engine *e, struct record *c)
{
    c->n_places = 0;
    c->place = 0;
    c->place_at = NO_INT;
    c->place_seq = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        size_t n;
        const struct sig *all = series_all(e, c, &c->series[i], &n);
        for (size_t j = 0; j < n; j++)
            note_place(e, c, &all[j]);
    }
}

void identity_note(struct engine *e, struct record *c, const struct sig *sig, struct slice name)
{
    if (sig->flags & SIG_CANCELLED)
        return;
    note_place(e, c, sig);
    if (sig->industry.n && newer(sig->at, sig->seq, c->industry_at, c->industry_seq)) {
        c->industry = sig->industry;
        c->industry_at = sig->at;
        c->industry_seq = sig->seq;
    }
    /* a name given without the code never renames a coded enterprise, but is better than none */
    bool weak = sig->flags & SIG_BY_NAME && ekey_is_code(&c->key);
    if (name.n && (weak ? c->name.n == 0 : newer(sig->at, sig->seq, c->name_at, c->name_seq))) {
        c->name = name;
        c->name_at = weak ? NO_INT : sig->at;
        c->name_seq = weak ? 0 : sig->seq;
    }
    if (sig_entry(sig) > c->last_seq)
        c->last_seq = sig_entry(sig);
}

static struct slice text_of(struct engine *e, const struct record *c, const struct sig *sig)
{
    struct ekey k = c->key;
    if (!sig->name)
        return (struct slice){0};
    k.b[0] = (uint8_t)((unsigned)ekey_status(&c->key) << 4 | EKEY_NAME);
    memcpy(k.b + 1, sig->name, NAME_HASH_LEN);
    return load_name(e, &k).text;
}

void identity_recall(struct engine *e, struct record *c)
{
    uint64_t last = c->last_seq;
    c->n_places = 0;
    c->place = 0;
    c->industry = (struct slice){0};
    c->place_at = c->industry_at = c->name_at = NO_INT;
    c->place_seq = c->industry_seq = c->name_seq = 0;
    if (ekey_is_code(&c->key))
        c->name = (struct slice){0};
    for (int weak = 0; weak < 2; weak++) /* names that came with the code first */
        for (uint32_t i = 0; i < c->n_series; i++) {
            size_t n;
            const struct sig *all = series_all(e, c, &c->series[i], &n);
            for (size_t j = 0; j < n; j++)
                if (!(all[j].flags & SIG_BY_NAME) == !weak)
                    identity_note(e, c, &all[j], text_of(e, c, &all[j]));
        }
    c->last_seq = last;
}

/* ---- moving ---- */

static bool moves(const struct sig *sig, const struct ekey *name)
{
    return sig->flags & SIG_BY_NAME && sig->name && memcmp(sig->name, name->b + 1, NAME_HASH_LEN) == 0;
}

/* Signals of one series that came by this name go to the same series of another record. */
static void move_series(struct engine *e, struct record *from, uint32_t at, struct record *into, const struct ekey *name)
{
    struct series *s = &from->series[at];
    size_t n, kept = 0;
    struct sig *all = series_all(e, from, s, &n);
    for (size_t i = 0; i < n; i++)
        if (!moves(&all[i], name))
            all[kept++] = all[i];
        else {
            struct series *to = series_find(into, s->kind, s->source);
            series_insert(e, into, to ? to : series_add(e, into, s->kind, s->source), &all[i]);
            if (sig_entry(&all[i]) > into->last_seq)
                into->last_seq = sig_entry(&all[i]);
            if (!(all[i].flags & SIG_CANCELLED))
                news_came(e, into, s->kind, sig_entry(&all[i]));
        }
    if (kept == n)
        return;
    series_drop_blocks(e, from, s);
    s->sigs = all;
    s->n = s->cap = (uint32_t)kept;
}

static void drop_empty_series(struct record *c)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].n || c->series[i].n_blocks)
            c->series[kept++] = c->series[i];
    c->n_series = kept;
}

static void move(struct engine *e, const struct ekey *from_key, const struct ekey *into_key, const struct ekey *name,
                 struct slice text, bool unresolved)
{
    struct record *from = identity_record(e, from_key, text), *into = identity_record(e, into_key, text);
    uint64_t had = from->n_series;
    for (uint32_t i = 0; i < from->n_series && !engine_failed(e); i++)
        move_series(e, from, i, into, name);
    drop_empty_series(from);
    if (!had || engine_failed(e))
        return;
    into->unresolved = unresolved;
    identity_recall(e, into);
    identity_recall(e, from);
    link_recall(e, into);
    link_recall(e, from);
    if (from->n_series == 0 && !ekey_is_code(from_key)) {
        life_merge(e, from, into, e->time);
        duty_merge(e, from, into);
        record_remove(e, from);
    } else {
        news_left(e, from);
        life_judge(e, from, e->time, CAUSE_SIGNALS);
    }
    if (into->n_series)
        life_judge(e, into, e->time, CAUSE_SIGNALS);
}

/* Stores the row, and moves what came by the name to where it belongs now. */
static void settle(struct engine *e, const struct ekey *name, const struct name_row *row, const struct ekey *before)
{
    struct ekey code, now = place_of(row, name);
    store_name(e, name, row);
    if (ekey_cmp(before, &now) != 0)
        move(e, before, &now, name, row->text, !ekey_is_code(&now) && candidates(row, &code) > 1);
}

void identity_bind(struct engine *e, const struct ekey *name, struct slice text, const struct ekey *code)
{
    struct name_row row = load_name(e, name);
    struct ekey before = place_of(&row, name);
    size_t i = 0;
    while (i < row.n && ekey_cmp(&row.codes[i].code, code) != 0)
        i++;
    if (i == row.n) {
        if (!row.codes)
            row.codes = arena_alloc(&e->scratch, sizeof *row.codes);
        row.codes[row.n++] = (struct binding){*code, 0};
    }
    row.text = text;
    row.codes[i].count++;
    settle(e, name, &row, &before);
}

void identity_unbind(struct engine *e, const struct ekey *name, const struct ekey *code)
{
    struct name_row row = load_name(e, name);
    struct ekey before = place_of(&row, name);
    size_t i = 0;
    while (i < row.n && ekey_cmp(&row.codes[i].code, code) != 0)
        i++;
    if (i == row.n)
        return;
    if (--row.codes[i].count == 0) {
        memmove(&row.codes[i], &row.codes[i + 1], (row.n - i - 1) * sizeof *row.codes);
        row.n--;
    }
    settle(e, name, &row, &before);
}

/* ---- a former name: it binds as the name does ---- */

static bool former_of(const struct record *c, const struct sig *sig, struct slice *text, struct ekey *name)
{
    *text = profile_text(sig, PROFILE_FORMER_NAME);
    if (!text->n || !ekey_is_code(&c->key) || sig->flags & SIG_BY_NAME)
        return false;
    *name = ekey_of_name(ekey_status(&c->key), *text);
    return !sig->name || memcmp(sig->name, name->b + 1, NAME_HASH_LEN) != 0;
}

void identity_former(struct engine *e, const struct ekey *code, const struct sig *sig, bool binds)
{
    struct slice text;
    struct ekey name;
    if (!former_of(&(struct record){.key = *code}, sig, &text, &name))
        return;
    if (binds)
        identity_bind(e, &name, text, code);
    else
        identity_unbind(e, &name, code);
}

/* ---- what a person decides ---- */

static void refuse(struct engine *e, enum wire_error code, const char *sentence)
{
    if (e->out) {
        e->out->refused = code;
        e->out->sentence = sentence;
    }
}

static bool binds(const struct name_row *row, const struct ekey *code)
{
    for (size_t i = 0; i < row->n; i++)
        if (ekey_cmp(&row->codes[i].code, code) == 0)
            return true;
    return false;
}

static bool resolve(struct engine *e, struct name_row *row, const struct ekey *code)
{
    size_t i = find_refused(row, code);
    if (row->settled && ekey_cmp(&row->settled_to, code) == 0) {
        refuse(e, WIRE_ERROR_WRONG_STATE,
               "this name is settled on that code already; unmerge takes it away, resolve with another code moves it");
        return false;
    }
    if (i < row->n_refused)
        memmove(&row->refused[i], &row->refused[i + 1], (--row->n_refused - i) * sizeof *row->refused);
    row->settled = true;
    row->settled_to = *code;
    return true;
}

static bool unmerge(struct engine *e, struct name_row *row, const struct ekey *code)
{
    bool here = row->settled && ekey_cmp(&row->settled_to, code) == 0;
    if (find_refused(row, code) < row->n_refused || (!here && !binds(row, code))) {
        refuse(e, WIRE_ERROR_WRONG_STATE,
               "this name does not belong to that code; 'wagewarn enterprise show NAME' says where its signals are");
        return false;
    }
    struct ekey *list = arena_alloc(&e->scratch, (row->n_refused + 1) * sizeof *list);
    if (row->n_refused)
        memcpy(list, row->refused, row->n_refused * sizeof *list);
    list[row->n_refused++] = *code;
    row->refused = list;
    row->settled = row->settled && !here;
    return true;
}

/* Known by signals that gave it, or by a decision. */
static bool known_name(struct engine *e, const struct ekey *name, const struct name_row *row)
{
    return row->text.n || state_get(e->state, T_ENTERPRISE, name->b, EKEY_LEN).p;
}

/* Some signal gave this code. */
static bool known_code(struct engine *e, const struct ekey *code)
{
    return state_get(e->state, T_ENTERPRISE, code->b, EKEY_LEN).p && identity_record(e, code, (struct slice){0})->n_series;
}

/* Does one of the signals under this name, which lie there, say where? */
static bool lies_somewhere(struct engine *e, const struct ekey *name, const struct ekey *there)
{
    const struct record *c = identity_record(e, there, (struct slice){0});
    for (uint32_t i = 0; i < c->n_series; i++) {
        size_t n;
        const struct sig *all = series_all(e, c, &c->series[i], &n);
        for (size_t k = 0; k < n; k++)
            if (moves(&all[k], name) && all[k].region && !(all[k].flags & SIG_CANCELLED))
                return true;
    }
    return false;
}

bool identity_act(struct engine *e, const struct entry_action *x)
{
    static const struct {
        const char *what;
        bool (*decide)(struct engine *, struct name_row *, const struct ekey *code);
        bool places; /* the signals must have a place where they go */
    } decisions[] = {{"resolve", resolve, true}, {"unmerge", unmerge, false}};
    size_t d = 0;
    while (d < ARRAY_LEN(decisions) && !slice_is(x->what, decisions[d].what))
        d++;
    if (d == ARRAY_LEN(decisions))
        return false;
    if (!x->may) {
        refuse(e, WIRE_ERROR_DENIED, "only an operator settles which enterprise a name belongs to");
        return true;
    }
    if (!x->name.n || x->uscc.n != USCC_LEN) {
        refuse(e, WIRE_ERROR_MISSING_FIELD, "'name' and 'uscc' are needed: which name, and which code");
        return true;
    }
    struct ekey name = ekey_of_name(ekey_status(&x->key), x->name);
    struct ekey code = ekey_of_code(ekey_status(&x->key), x->uscc);
    struct name_row row = load_name(e, &name);
    struct ekey before = place_of(&row, &name);
    if (!known_name(e, &name, &row)) {
        refuse(e, WIRE_ERROR_NO_SUCH_ENTERPRISE,
               "no signal ever gave this name; 'wagewarn enterprise unresolved' lists those that wait");
        return true;
    }
    if (decisions[d].places && !known_code(e, &code) && !lies_somewhere(e, &name, &before)) {
        refuse(e, WIRE_ERROR_WRONG_STATE, "no signal or profile of that code is known, and none under this name says where it "
                                          "lies: nobody would hear of an alert; push its registry.profile first");
        return true;
    }
    row.text = x->name;
    if (decisions[d].decide(e, &row, &code))
        settle(e, &name, &row, &before);
    return true;
}
