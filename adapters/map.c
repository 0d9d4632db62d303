/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/map.h"

#include "lib/hash.h"
#include "lib/name.h"
#include "lib/uscc.h"

#include <inttypes.h>

enum { ID_MAX = 64, NOTE_MAX = 1024, CODE_MAX = 128, DIGITS_MAX = 32, SHOWN_MAX = 60 };

struct mapping {
    const struct profile *p;
    const struct row *row;
    struct arena *arena;
    struct signal *sig;
    struct mapped *out;
    struct slice category; /* as the row has it, normalised */
};

/* ---- refusing ---- */

/* Always false, so that a step can return it. */
static bool refuse(struct mapping *m, const char *code, const char *why)
{
    m->out->class = ROW_REFUSED;
    m->out->code = code;
    m->out->why = why;
    return false;
}

/* As much of a text as a sentence can hold. */
static struct slice shown(struct slice s)
{
    if (s.n > SHOWN_MAX) {
        s.n = SHOWN_MAX;
        while (s.n && ((unsigned char)s.p[s.n] & 0xC0) == 0x80)
            s.n--;
    }
    return s;
}

/* `what` is a field's name on the wire, `is` what its text is not. */
static bool refuse_text(struct mapping *m, enum reject_code code, const char *what, struct slice text,
                        const char *is)
{
    struct slice s = shown(text);
    return refuse(m, reject_wire(code), arena_printf(m->arena, "%s: \"%.*s\" is %s", what, SLICE_ARG(s), is));
}

/* ---- cells ---- */

static bool says_nothing(const struct profile *p, struct slice text)
{
    for (size_t i = 0; i < p->n_empty; i++)
        if (slice_eq(text, p->empty[i]))
            return true;
    return false;
}

/* The cell of a field: NULL when the row has nothing there. */
static const struct cell *cell(const struct mapping *m, int column)
{
    if (column < 0)
        return NULL;
    const struct cell *c = &m->row->cells[column];
    return c->type == CELL_NONE || says_nothing(m->p, c->text) ? NULL : c;
}

/* What the row says of a field, else what the profile says; {NULL, 0}: neither. False: it is no value. */
static bool field_text(struct mapping *m, const struct field *f, const char *what, struct slice *out)
{
    const struct cell *c = cell(m, f->column);
    *out = c ? c->text : f->value;
    if (c && c->type == CELL_OTHER)
        return refuse(m, reject_wire(REJECT_BAD_FIELD), arena_printf(m->arena, "%s: is a list or map", what));
    return true;
}

/* ---- the enterprise ---- */

/* A character that a conversion lost: to U+FFFD, '?', or a blank box. */
static bool is_damaged(struct slice name)
{
    static const char *const marks[] = {"?", "\xEF\xBF\xBD", "\xE2\x96\xA1", "\xE3\x80\x93"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (memmem(name.p, name.n, marks[i], strlen(marks[i])))
            return true;
    return false;
}

/* Bytes that were no character of the file's encoding. */
static bool has_lost_bytes(struct slice s)
{
    return memmem(s.p, s.n, "\xEF\xBF\xBD", 3) != NULL;
}

static bool set_uscc(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text;
    if (!field_text(m, f, what, &text))
        return false;
    while (text.n && (text.p[0] == '\'' || text.p[0] == '`')) { /* how spreadsheets mark a text */
        text.p++;
        text.n--;
    }
    char *code = arena_alloc(m->arena, CODE_MAX);
    size_t n = text.n ? uscc_tidy(text, code, CODE_MAX) : 0;
    if (n == 0)
        return true;
    m->sig->uscc = (struct slice){code, n};
    const char *fault = uscc_fault(m->sig->uscc);
    if (fault)
        return refuse(m, reject_wire(REJECT_BAD_USCC),
                      arena_printf(m->arena, "%s: \"%.*s\": %s", what, SLICE_ARG(shown(text)), fault));
    return true;
}

/* A damaged name beside a good code stays behind: it must not overwrite the name that is known. */
static bool set_name(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text;
    if (!field_text(m, f, what, &text))
        return false;
    text = slice_trim(text);
    if (text.n && is_damaged(text)) {
        if (m->sig->uscc.p)
            return true;
        return refuse_text(m, REJECT_BAD_FIELD, what, text,
                           "a name that has lost a character, and there is no code");
    }
    if (text.n)
        m->sig->name = arena_slice(m->arena, text);
    if (!m->sig->uscc.p && !m->sig->name.p)
        return refuse(m, reject_wire(REJECT_NO_ENTERPRISE), reject_text(REJECT_NO_ENTERPRISE));
    return true;
}

/* ---- times, numbers, places ---- */

static bool read_time(const struct mapping *m, const struct field *f, const struct cell *c, struct slice text,
                      int64_t *ms)
{
    bool number = c && c->type == CELL_NUMBER;
    bool serial = f->form == TIME_SERIAL;
    if (f->form == TIME_EPOCH_S || f->form == TIME_EPOCH_MS)
        return value_epoch(text, f->form == TIME_EPOCH_S ? 3 : 0, ms);
    if (!serial && value_time(text, m->p->offset_ms, ms))
        return true;
    if ((!serial && !number) || !value_serial(text, m->row->date1904, ms))
        return false;
    *ms -= m->p->offset_ms;
    return true;
}

static bool set_time(struct mapping *m, const struct field *f, const char *what, int64_t *out)
{
    struct slice text;
    if (!field_text(m, f, what, &text))
        return false;
    if (text.n && !read_time(m, f, cell(m, f->column), text, out))
        return refuse_text(m, REJECT_BAD_TIME, what, text, "no date or time");
    return true;
}

static bool set_at(struct mapping *m, const struct field *f, const char *what)
{
    if (!set_time(m, f, what, &m->sig->at))
        return false;
    if (m->sig->at == NO_INT)
        return refuse(m, reject_wire(REJECT_MISSING_FIELD), "at: the row does not say when it happened");
    return true;
}

static bool set_since(struct mapping *m, const struct field *f, const char *what)
{
    return set_time(m, f, what, &m->sig->since);
}

static bool set_amount(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text;
    if (!field_text(m, f, what, &text))
        return false;
    if (text.n && !value_amount(text, (enum money_unit)f->unit, &m->sig->amount))
        return refuse_text(m, REJECT_BAD_FIELD, what, text, "no sum of money");
    if (text.n && m->sig->amount < 0)
        return refuse_text(m, REJECT_BAD_FIELD, what, text, "a sum below zero");
    return true;
}

static bool set_people(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text;
    if (!field_text(m, f, what, &text))
        return false;
    if (text.n && (!value_count(text, &m->sig->people) || m->sig->people < 0))
        return refuse_text(m, REJECT_BAD_FIELD, what, text, "no number of people");
    return true;
}

/* The county table is the daemon's; here only the form is judged. */
static bool set_region(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text;
    char plain[DIGITS_MAX];
    if (!field_text(m, f, what, &text))
        return false;
    if (!text.n)
        return true;
    size_t n = fold_width(text, plain, sizeof plain);
    bool digits = n > 0;
    for (size_t i = 0; i < n; i++)
        digits &= plain[i] >= '0' && plain[i] <= '9';
    if (f->digits && n > f->digits)
        n = f->digits;
    if (!digits || (n != 6 && n != 9 && n != 12))
        return refuse_text(m, REJECT_BAD_REGION, what, text, "no region code of 6, 9 or 12 digits");
    m->sig->region = arena_slice(m->arena, (struct slice){plain, n});
    return true;
}

/* ---- plain texts ---- */

static bool set_text(struct mapping *m, const struct field *f, const char *what, struct slice *out)
{
    struct slice text;
    if (!field_text(m, f, what, &text))
        return false;
    text = slice_trim(text);
    if (text.n)
        *out = arena_slice(m->arena, text);
    return true;
}

static bool set_industry(struct mapping *m, const struct field *f, const char *what)
{
    return set_text(m, f, what, &m->sig->industry);
}

static bool set_project(struct mapping *m, const struct field *f, const char *what)
{
    return set_text(m, f, what, &m->sig->project);
}

static bool set_ref(struct mapping *m, const struct field *f, const char *what)
{
    return set_text(m, f, what, &m->sig->ref);
}

/* A note that is too long loses its end rather than the event. */
static bool set_note(struct mapping *m, const struct field *f, const char *what)
{
    if (!set_text(m, f, what, &m->sig->note))
        return false;
    struct slice *note = &m->sig->note;
    if (note->n > NOTE_MAX) {
        note->n = NOTE_MAX;
        while (((unsigned char)note->p[note->n] & 0xC0) == 0x80)
            note->n--;
        *note = arena_slice(m->arena, *note);
    }
    return true;
}

static bool set_role(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text = {NULL, 0};
    if (!set_text(m, f, what, &text))
        return false;
    int role = text.n ? role_of(text) : ROLE_NONE;
    if (role < 0)
        return refuse_text(m, REJECT_BAD_FIELD, what, text, "none of client, general, sub, labour");
    m->sig->role = (uint8_t)role;
    return true;
}

static bool set_status(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text = {NULL, 0};
    if (!set_text(m, f, what, &text))
        return false;
    int status = text.n ? status_of(text) : STATUS_ACTUAL;
    if (status < 0)
        return refuse_text(m, REJECT_BAD_FIELD, what, text, "none of actual, exercise, test");
    m->sig->status = (uint8_t)status;
    return true;
}

static struct slice hex(struct arena *a, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc(a, n * 2 + 1);
    for (size_t i = 0; i < n; i++) {
        out[i * 2] = digits[bytes[i] >> 4];
        out[i * 2 + 1] = digits[bytes[i] & 15];
    }
    out[n * 2] = 0;
    return (struct slice){out, n * 2};
}

/* A person goes out as a keyed hash of the normalised text, never as the text. */
static bool set_owner(struct mapping *m, const struct field *f, const char *what)
{
    struct slice text;
    uint8_t hash[16];
    if (!field_text(m, f, what, &text))
        return false;
    text = name_normalise(m->arena, text);
    if (!text.n)
        return true;
    hash_pair(hash, f->salt, text, (struct slice){NULL, 0});
    m->sig->owner = hex(m->arena, hash, sizeof hash);
    return true;
}

static bool set_attr(struct mapping *m, const struct field *f, struct slice key)
{
    struct signal_attr a = {key, {NULL, 0}, NO_INT};
    struct slice text = {NULL, 0};
    if (!set_text(m, f, key.p, &text))
        return false;
    if (!text.n)
        return true;
    if (f->as == ATTR_TEXT)
        a.text = text;
    else if (f->as == ATTR_MONEY && !value_amount(text, (enum money_unit)f->unit, &a.number))
        return refuse_text(m, REJECT_BAD_FIELD, key.p, text, "no sum of money");
    else if (f->as == ATTR_TIME && !read_time(m, f, cell(m, f->column), text, &a.number))
        return refuse_text(m, REJECT_BAD_FIELD, key.p, text, "no date or time");
    else if (f->as == ATTR_NUMBER && !value_count(text, &a.number))
        return refuse_text(m, REJECT_BAD_FIELD, key.p, text, "no whole number");
    m->sig->attrs[m->sig->n_attrs++] = a;
    return true;
}

static bool set_attrs(struct mapping *m)
{
    for (size_t i = 0; i < m->p->n_attrs; i++)
        if (!set_attr(m, &m->p->attrs[i], m->p->attr_keys[i]))
            return false;
    return true;
}

static bool (*const setters[FIELD_COUNT])(struct mapping *, const struct field *, const char *) = {
    [FIELD_USCC] = set_uscc,     [FIELD_NAME] = set_name,         [FIELD_AT] = set_at,
    [FIELD_REGION] = set_region, [FIELD_AMOUNT] = set_amount,     [FIELD_PEOPLE] = set_people,
    [FIELD_SINCE] = set_since,   [FIELD_INDUSTRY] = set_industry, [FIELD_PROJECT] = set_project,
    [FIELD_ROLE] = set_role,     [FIELD_OWNER] = set_owner,       [FIELD_STATUS] = set_status,
    [FIELD_REF] = set_ref,       [FIELD_NOTE] = set_note,
};

/* ---- kind and identity ---- */

/* False: not for us, or refused. */
static bool set_kind(struct mapping *m)
{
    const struct profile *p = m->p;
    if (p->category < 0) {
        m->sig->kind = p->kind;
        return true;
    }
    const struct cell *c = &m->row->cells[p->category];
    m->category = c->type == CELL_NONE || c->type == CELL_OTHER ? (struct slice){NULL, 0}
                                                                : name_normalise(m->arena, c->text);
    if (!m->category.n)
        return refuse(m, reject_wire(REJECT_MISSING_FIELD), "kind: the row has no category");
    const struct category *known = profile_category(p, m->category);
    if (known) {
        m->sig->kind = known->kind;
        return true;
    }
    if (has_lost_bytes(c->text)) /* it may have been any of them */
        return refuse_text(m, REJECT_BAD_FIELD, "kind", c->text,
                           "a category with bytes that are no character");
    if (p->reject_others)
        return refuse_text(m, REJECT_UNKNOWN_KIND, "kind", c->text, "no category of the profile");
    m->out->class = ROW_IGNORED;
    return false;
}

static void hash_part(const struct mapping *m, enum identity_part part, struct buf *b)
{
    const struct signal *s = m->sig;
    struct slice who = s->uscc.p ? s->uscc : name_normalise(m->arena, s->name);
    const struct slice texts[IDENTITY_COUNT] = {
        [IDENTITY_ENTERPRISE] = who,
        [IDENTITY_CATEGORY] = m->category.n ? m->category : s->kind,
        [IDENTITY_REGION] = s->region,
        [IDENTITY_REF] = s->ref,
    };
    const int64_t numbers[IDENTITY_COUNT] = {
        [IDENTITY_AT] = s->at, [IDENTITY_AMOUNT] = s->amount, [IDENTITY_PEOPLE] = s->people};
    buf_u8(b, (uint8_t)part);
    buf_slice(b, texts[part]);
    buf_zigzag(b, numbers[part]);
}

/* The first 16 bytes of a hash: enough that two rows of one source never meet by chance. */
static struct slice short_hash(struct arena *a, const void *p, size_t n)
{
    uint8_t hash[CHAIN_LEN];
    hash_blake2b(hash, p, n, NULL, 0, NULL, 0);
    return hex(a, hash, 16);
}

/* Letters, digits and hyphens in plain width; brackets and the like stay as the agency writes them. */
static struct slice plain_number(struct arena *a, struct slice s)
{
    char *out = arena_alloc(a, s.n + 1), c[2];
    size_t n = 0;
    for (size_t i = 0; i < s.n;) {
        struct slice one = {s.p + i, s.n - i >= 3 && (unsigned char)s.p[i] == 0xEF ? 3 : 1};
        bool wide = one.n == 3 && fold_width(one, c, sizeof c) == 1;
        if (wide &&
            (c[0] == '-' || (c[0] >= '0' && c[0] <= '9') || ((c[0] | 32) >= 'a' && (c[0] | 32) <= 'z'))) {
            out[n++] = c[0];
        } else {
            memcpy(out + n, one.p, one.n);
            n += one.n;
        }
        i += one.n;
    }
    out[n] = 0;
    return (struct slice){out, n};
}

/* A document number is the id itself; one that is too long is hashed. */
static bool set_id(struct mapping *m)
{
    const struct profile *p = m->p;
    const struct cell *c = cell(m, p->id);
    if (c && c->type != CELL_OTHER) {
        if (has_lost_bytes(c->text)) /* two rows must not meet in one id */
            return refuse_text(m, REJECT_BAD_FIELD, "id", c->text,
                               "a number with bytes that are no character");
        struct slice id = plain_number(m->arena, c->text);
        m->sig->id = id.n <= ID_MAX ? id : short_hash(m->arena, id.p, id.n);
        return true;
    }
    if (!p->n_identity)
        return refuse(m, reject_wire(REJECT_MISSING_FIELD), "id: the row has no document number");
    struct buf b = {0};
    for (size_t i = 0; i < p->n_identity; i++)
        hash_part(m, (enum identity_part)p->identity[i], &b);
    m->sig->id = short_hash(m->arena, b.p, b.n);
    buf_finish(&b);
    return true;
}

/* ---- a row ---- */

/* The checks that every way in applies, but for the table of regions, which is the daemon's. */
static bool check(struct mapping *m, const struct kinds *kinds, int64_t now)
{
    struct signal s = *m->sig;
    struct reject why;
    s.region = (struct slice){NULL, 0};
    if (signal_check(&s, kinds, NULL, now, &why) == 0)
        return true;
    const char *text = why.what ? why.what : reject_text(why.code);
    return refuse(m, reject_wire(why.code),
                  why.field ? arena_printf(m->arena, "%s: %s", why.field, text) : text);
}

static bool fill(struct mapping *m)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (!setters[i](m, &m->p->fields[i], field_wire((enum field_key)i)))
            return false;
    return set_attrs(m) && set_id(m);
}

void map_row(const struct profile *p, const struct kinds *kinds, const struct row *row, int64_t now,
             struct arena *arena, struct mapped *out)
{
    struct mapping m = {.p = p, .row = row, .arena = arena, .sig = &out->signal, .out = out};
    *out = (struct mapped){.class = ROW_SIGNAL};
    out->signal = (struct signal){.at = NO_INT, .amount = NO_INT, .people = NO_INT, .since = NO_INT};
    if (row->fault) {
        refuse(&m, row->fault == ROW_TRUNCATED ? "truncated" : "bad_row", row->why);
        return;
    }
    if (set_kind(&m) && fill(&m))
        check(&m, kinds, now);
}
