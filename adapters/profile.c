/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/profile.h"

#include "adapters/file.h"
#include "lib/calendar.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "lib/yaml.h"

#include <stdio.h>
#include <stdlib.h>

enum { SALT_MAX = 4096, SALT_LEAST = 16, RESEND_DAYS = 7, RESEND_DAYS_MAX = 366 };

struct word {
    const char *text;
    int value;
};

/* What kind of key may stand beside `column` and `value` in a field. */
enum extra { EXTRA_NONE, EXTRA_UNIT, EXTRA_FORM, EXTRA_DIGITS, EXTRA_SALT, EXTRA_ATTR };

static const struct field_word {
    const char *wire;
    enum extra extra;
} field_words[FIELD_COUNT] = {
    [FIELD_USCC] = {"uscc", EXTRA_NONE},       [FIELD_NAME] = {"name", EXTRA_NONE},
    [FIELD_AT] = {"at", EXTRA_FORM},           [FIELD_REGION] = {"region", EXTRA_DIGITS},
    [FIELD_AMOUNT] = {"amount", EXTRA_UNIT},   [FIELD_PEOPLE] = {"people", EXTRA_NONE},
    [FIELD_SINCE] = {"since", EXTRA_FORM},     [FIELD_INDUSTRY] = {"industry", EXTRA_NONE},
    [FIELD_PROJECT] = {"project", EXTRA_NONE}, [FIELD_ROLE] = {"role", EXTRA_NONE},
    [FIELD_OWNER] = {"owner", EXTRA_SALT},     [FIELD_STATUS] = {"status", EXTRA_NONE},
    [FIELD_REF] = {"ref", EXTRA_NONE},         [FIELD_NOTE] = {"note", EXTRA_NONE},
};

static const struct word extra_keys[] = {
    {"unit", EXTRA_UNIT}, {"form", EXTRA_FORM}, {"digits", EXTRA_DIGITS}, {"salt", EXTRA_SALT}};

static const struct word formats[] = {{"auto", FORMAT_AUTO},
                                      {"csv", FORMAT_CSV},
                                      {"tsv", FORMAT_TSV},
                                      {"jsonl", FORMAT_JSONL},
                                      {"xlsx", FORMAT_XLSX}};

static const struct word encodings[] = {
    {"auto", ENCODING_AUTO}, {"utf-8", ENCODING_UTF8}, {"gb18030", ENCODING_GB18030}, {"gbk", ENCODING_GBK}};

static const struct word units[] = {{"yuan", UNIT_YUAN}, {"元", UNIT_YUAN}, {"万元", UNIT_WAN},
                                    {"wan", UNIT_WAN},   {"亿元", UNIT_YI}, {"千元", UNIT_THOUSAND},
                                    {"fen", UNIT_FEN},   {"分", UNIT_FEN}};

static const struct word forms[] = {
    {"auto", TIME_AUTO}, {"epoch_s", TIME_EPOCH_S}, {"epoch_ms", TIME_EPOCH_MS}, {"serial", TIME_SERIAL}};

static const struct word identities[] = {{"enterprise", IDENTITY_ENTERPRISE},
                                         {"category", IDENTITY_CATEGORY},
                                         {"at", IDENTITY_AT},
                                         {"amount", IDENTITY_AMOUNT},
                                         {"people", IDENTITY_PEOPLE},
                                         {"region", IDENTITY_REGION},
                                         {"ref", IDENTITY_REF}};

static const struct word others[] = {{"ignore", 0}, {"reject", 1}};

static const char *const empty_words[] = {"-", "--", "—", "——", "/", "\\", "无", "null", "NULL", "N/A"};

const char *field_wire(enum field_key key)
{
    return field_words[key].wire;
}

/* ---- reading YAML strictly ---- */

struct reading {
    struct profile *p;
    struct mistakes *m;
};

static const char *hint(struct reading *r, struct slice given, const char *const *words, size_t n)
{
    const char *near = nearest_word(given, words, n);
    struct buf b = {0};
    if (near) {
        near = arena_printf(&r->p->arena, "did you mean \"%s\"?", near);
    } else {
        buf_put(&b, "one of:", 7);
        for (size_t i = 0; i < n; i++) {
            buf_put(&b, " ", 1);
            buf_put(&b, words[i], strlen(words[i]));
        }
        near = arena_slice(&r->p->arena, (struct slice){(const char *)b.p, b.n}).p;
    }
    buf_finish(&b);
    return near;
}

static bool want(struct reading *r, const struct tree *t, enum tree_type type, const char *what)
{
    static const char *const names[] = {
        [TREE_SCALAR] = "a text", [TREE_LIST] = "a list", [TREE_MAP] = "a map of keys"};
    if (t->type == type && !(type == TREE_SCALAR && t->text.n == 0))
        return true;
    mistake_at(r->m, t, NULL, "\"%s\" must be %s", what, names[type]);
    return false;
}

/* Every key of the map must be one of those. False: it is no map. */
static bool want_keys(struct reading *r, const struct tree *t, const char *what, const char *const *keys,
                      size_t n)
{
    if (!want(r, t, TREE_MAP, what))
        return false;
    for (uint32_t i = 0; i < t->n; i++) {
        bool known = false;
        for (size_t k = 0; k < n; k++)
            known |= slice_is(t->keys[i]->text, keys[k]);
        if (!known)
            mistake_at(r->m, t->keys[i], hint(r, t->keys[i]->text, keys, n), "unknown key \"%.*s\" in \"%s\"",
                       SLICE_ARG(t->keys[i]->text), what);
    }
    return true;
}

static int word(struct reading *r, const struct tree *t, const char *what, const struct word *words, size_t n)
{
    const char *texts[16];
    if (!want(r, t, TREE_SCALAR, what))
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (slice_is(t->text, words[i].text))
            return words[i].value;
        texts[i] = words[i].text;
    }
    mistake_at(r->m, t, hint(r, t->text, texts, n), "\"%s\" cannot be \"%.*s\"", what, SLICE_ARG(t->text));
    return 0;
}
#define WORD(r, t, what, words) word(r, t, what, words, ARRAY_LEN(words))

/* ---- columns ---- */

static int add_column(struct reading *r, const struct tree *where, const struct source_column *c)
{
    struct source_form *f = &r->p->form;
    for (size_t i = 0; i < f->n_columns; i++)
        if (slice_eq(f->columns[i].names[0], c->names[0])) {
            f->columns[i].must |= c->must;
            return (int)i;
        }
    if (f->n_columns == SOURCE_COLUMNS_MAX) {
        mistake_at(r->m, where, NULL, "a profile may name at most %d columns", SOURCE_COLUMNS_MAX);
        return -1;
    }
    f->columns[f->n_columns] = *c;
    return (int)f->n_columns++;
}

/* A column by its name, or by several of which the first in the file counts. */
static int column(struct reading *r, const struct tree *t, bool must)
{
    struct source_column c = {.must = must};
    if (t->type == TREE_SCALAR) {
        if (!want(r, t, TREE_SCALAR, "column"))
            return -1;
        c.names[c.n_names++] = t->text;
        return add_column(r, t, &c);
    }
    if (t->type != TREE_LIST || t->n == 0 || t->n > SOURCE_NAMES_MAX) {
        mistake_at(r->m, t, NULL, "\"column\" must be a name, or a list of 1 to %d names", SOURCE_NAMES_MAX);
        return -1;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        if (!want(r, t->items[i], TREE_SCALAR, "column"))
            return -1;
        c.names[c.n_names++] = t->items[i]->text;
    }
    return add_column(r, t, &c);
}

static bool flag(struct reading *r, const struct tree *map, const char *key)
{
    const struct tree *t = tree_get(map, key);
    bool v = false;
    if (t && !tree_bool(t, &v))
        mistake_at(r->m, t, NULL, "\"%s\" must be true or false", key);
    return v;
}

/* ---- fields ---- */

/* The salt lies in a file, never in the profile; a name in it is relative to the profile's folder. */
static void read_salt(struct reading *r, const struct tree *t, struct field *f)
{
    struct err err;
    size_t n = 0;
    uint8_t hash[CHAIN_LEN];
    if (!want(r, t, TREE_SCALAR, "salt"))
        return;
    const char *slash = t->text.p[0] == '/' ? NULL : strrchr(r->p->file, '/');
    char *path = arena_printf(&r->p->arena, "%.*s%s", slash ? (int)(slash + 1 - r->p->file) : 0, r->p->file,
                              t->text.p);
    char *text = file_text(path, SALT_MAX, &n, &err);
    if (!text)
        mistake_at(r->m, t, NULL, "%s", err.msg);
    else if (n < SALT_LEAST)
        mistake_at(r->m, t, "make one with: head -c 32 /dev/urandom", "%s has fewer than %d bytes", path,
                   SALT_LEAST);
    hash_blake2b(hash, text ? text : "", n, NULL, 0, NULL, 0);
    memcpy(f->salt, hash, sizeof f->salt);
    free(text);
}

static void read_digits(struct reading *r, const struct tree *t, struct field *f)
{
    int64_t v = 0;
    if (!tree_int(t, &v) || (v != 6 && v != 9 && v != 12))
        mistake_at(r->m, t, NULL, "\"digits\" must be 6, 9 or 12");
    f->digits = (uint8_t)v;
}

static void read_extra(struct reading *r, const struct tree *t, enum extra extra, struct field *f)
{
    switch (extra) {
    case EXTRA_UNIT:
        f->unit = (uint8_t)WORD(r, t, "unit", units);
        break;
    case EXTRA_FORM:
        f->form = (uint8_t)WORD(r, t, "form", forms);
        break;
    case EXTRA_DIGITS:
        read_digits(r, t, f);
        break;
    case EXTRA_SALT:
        read_salt(r, t, f);
        break;
    case EXTRA_NONE:
    case EXTRA_ATTR:
        break;
    }
}

static void no_salt(struct reading *r, const struct tree *t, const char *what)
{
    mistake_at(r->m, t, NULL, "\"%s\" needs \"salt\": persons go out as keyed hashes only", what);
}

static const char *const attr_keys[] = {"unit", "form", "number"};

/* An attr is a text, unless one of these says otherwise. */
static void read_attr(struct reading *r, const struct tree *t, struct field *f)
{
    const struct tree *unit = tree_get(t, "unit"), *form = tree_get(t, "form");
    bool number = flag(r, t, "number");
    if ((unit != NULL) + (form != NULL) + number > 1)
        mistake_at(r->m, t, NULL, "one of unit (money), form (time) and number says what the attr is");
    if (unit)
        read_extra(r, unit, EXTRA_UNIT, f);
    if (form)
        read_extra(r, form, EXTRA_FORM, f);
    f->as = unit ? ATTR_MONEY : form ? ATTR_TIME : number ? ATTR_NUMBER : ATTR_TEXT;
}

/* "name: 企业名称" or "name: {column: ..., value: ..., optional: true}". */
static struct field read_field(struct reading *r, const struct tree *t, const char *what, enum extra extra)
{
    const char *keys[6] = {"column", "value", "optional"};
    struct field f = {.column = -1, .unit = UNIT_YUAN};
    size_t n = 3;
    if (t->type == TREE_SCALAR && extra == EXTRA_SALT) {
        no_salt(r, t, what);
        return f;
    }
    if (t->type == TREE_SCALAR && want(r, t, TREE_SCALAR, what)) {
        f.column = column(r, t, true);
        return f;
    }
    for (size_t i = 0; i < ARRAY_LEN(extra_keys); i++)
        if (extra_keys[i].value == (int)extra)
            keys[n++] = extra_keys[i].text;
    for (size_t i = 0; extra == EXTRA_ATTR && i < ARRAY_LEN(attr_keys); i++)
        keys[n++] = attr_keys[i];
    if (t->type == TREE_SCALAR || !want_keys(r, t, what, keys, n))
        return f;
    const struct tree *c = tree_get(t, "column"), *v = tree_get(t, "value");
    if (c)
        f.column = column(r, c, !flag(r, t, "optional"));
    if (v && want(r, v, TREE_SCALAR, "value"))
        f.value = v->text;
    if (!c && !v)
        mistake_at(r->m, t, NULL, "\"%s\" needs \"column\" or \"value\"", what);
    if (extra == EXTRA_ATTR)
        read_attr(r, t, &f);
    else if (n > 3 && tree_get(t, keys[3]))
        read_extra(r, tree_get(t, keys[3]), extra, &f);
    else if (extra == EXTRA_SALT)
        no_salt(r, t, what);
    return f;
}

static void read_attrs(struct reading *r, const struct tree *t)
{
    struct profile *p = r->p;
    if (!want(r, t, TREE_MAP, "attrs"))
        return;
    if (t->n > SIGNAL_ATTRS_MAX) {
        mistake_at(r->m, t, NULL, "\"attrs\" may have at most %d keys", SIGNAL_ATTRS_MAX);
        return;
    }
    for (uint32_t i = 0; i < t->n; i++) {
        p->attr_keys[p->n_attrs] = t->keys[i]->text;
        p->attrs[p->n_attrs++] = read_field(r, t->items[i], t->keys[i]->text.p, EXTRA_ATTR);
    }
}

/* Values that do not come from a row are judged here, so that a slip in a profile does not refuse every row.
 */
static void check_values(struct reading *r, const struct tree *map)
{
    const struct field *region = &r->p->fields[FIELD_REGION];
    const struct field *role = &r->p->fields[FIELD_ROLE], *status = &r->p->fields[FIELD_STATUS];
    size_t n = region->value.n;
    if (n && ((n != 6 && n != 9 && n != 12) || strspn(region->value.p, "0123456789") != n))
        mistake_at(r->m, tree_get(map, "region"), NULL, "the region must have 6, 9 or 12 digits");
    if (role->value.n && role_of(role->value) <= 0)
        mistake_at(r->m, tree_get(map, "role"), NULL, "the role must be client, general, sub or labour");
    if (status->value.n && status_of(status->value) < 0)
        mistake_at(r->m, tree_get(map, "status"), NULL, "the status must be actual, exercise or test");
}

static void read_signal(struct reading *r, const struct tree *t)
{
    const char *keys[FIELD_COUNT + 1];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        keys[i] = field_words[i].wire;
    keys[FIELD_COUNT] = "attrs";
    if (!want_keys(r, t, "signal", keys, ARRAY_LEN(keys)))
        return;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct tree *f = tree_get(t, field_words[i].wire);
        if (f)
            r->p->fields[i] = read_field(r, f, field_words[i].wire, field_words[i].extra);
    }
    if (tree_get(t, "attrs"))
        read_attrs(r, tree_get(t, "attrs"));
    if (!tree_get(t, "at"))
        mistake_at(r->m, t, NULL, "\"signal\" needs \"at\": when it happened");
    if (!tree_get(t, "uscc") && !tree_get(t, "name"))
        mistake_at(r->m, t, NULL, "\"signal\" needs \"uscc\" or \"name\": which enterprise is meant");
    check_values(r, t);
}

/* ---- kinds ---- */

static int by_text(const void *a, const void *b)
{
    const struct slice x = ((const struct category *)a)->text, y = ((const struct category *)b)->text;
    int d = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return d ? d : (x.n > y.n) - (x.n < y.n);
}

static void read_categories(struct reading *r, const struct tree *t)
{
    struct profile *p = r->p;
    if (!want(r, t, TREE_MAP, "map"))
        return;
    p->categories = arena_zalloc(&p->arena, (t->n + 1) * sizeof *p->categories);
    for (uint32_t i = 0; i < t->n; i++) {
        if (!want(r, t->items[i], TREE_SCALAR, t->keys[i]->text.p))
            continue;
        struct slice text = name_normalise(&p->arena, t->keys[i]->text);
        if (!text.n)
            mistake_at(r->m, t->keys[i], NULL, "a category is empty");
        else
            p->categories[p->n_categories++] = (struct category){text, t->items[i]->text, t->items[i]};
    }
    qsort(p->categories, p->n_categories, sizeof *p->categories, by_text);
    for (size_t i = 1; i < p->n_categories; i++)
        if (by_text(&p->categories[i - 1], &p->categories[i]) == 0)
            mistake_at(r->m, p->categories[i].where, NULL,
                       "this category is there twice, but for width and spaces");
}

static void read_kind(struct reading *r, const struct tree *t)
{
    static const char *const keys[] = {"column", "map", "otherwise", "value"};
    struct profile *p = r->p;
    if (!want_keys(r, t, "kind", keys, ARRAY_LEN(keys)))
        return;
    const struct tree *v = tree_get(t, "value"), *c = tree_get(t, "column"), *m = tree_get(t, "map");
    if (v && want(r, v, TREE_SCALAR, "value")) {
        p->kind = v->text;
        p->kind_where = v;
        if (c || m)
            mistake_at(r->m, t, NULL, "\"kind\" has either \"value\", or \"column\" and \"map\"");
        return;
    }
    if (!c || !m) {
        mistake_at(r->m, t, NULL, "\"kind\" needs \"column\" and \"map\", or \"value\"");
        return;
    }
    p->category = column(r, c, true);
    read_categories(r, m);
    if (tree_get(t, "otherwise"))
        p->reject_others = WORD(r, tree_get(t, "otherwise"), "otherwise", others) == 1;
}

const struct category *profile_category(const struct profile *p, struct slice normalised)
{
    struct category key = {.text = normalised};
    if (!p->n_categories)
        return NULL;
    return bsearch(&key, p->categories, p->n_categories, sizeof key, by_text);
}

static void check_kind(struct mistakes *m, const struct tree *where, struct slice kind,
                       const struct kinds *kinds)
{
    if (kinds_find(kinds, kind))
        return;
    const char *near = kinds_suggest(kinds, kind);
    mistake_at(m, where, near ? arena_printf(m->arena, "did you mean \"%s\"?", near) : NULL,
               "no such kind of signal: \"%.*s\"", SLICE_ARG(kind));
}

static int tell_mistakes(const struct profile *p, const struct mistakes *m, struct buf *said, struct err *err)
{
    if (!m->total)
        return 0;
    mistakes_print(m, p->text, said);
    return err_set(err, WW_ECONFIG, "%zu mistake%s in the profile %s; nothing was read", m->total,
                   m->total == 1 ? "" : "s", p->file);
}

int profile_check_kinds(const struct profile *p, const struct kinds *kinds, struct buf *said, struct err *err)
{
    struct arena arena = {0};
    struct mistakes m = {.arena = &arena, .file = p->file};
    if (p->kind.n)
        check_kind(&m, p->kind_where, p->kind, kinds);
    for (size_t i = 0; i < p->n_categories; i++)
        check_kind(&m, p->categories[i].where, p->categories[i].kind, kinds);
    int rc = tell_mistakes(p, &m, said, err);
    arena_finish(&arena);
    return rc;
}

/* ---- the rest of a profile ---- */

static void read_id(struct reading *r, const struct tree *t)
{
    static const char *const keys[] = {"column", "hash"};
    struct profile *p = r->p;
    if (t->type == TREE_SCALAR && want(r, t, TREE_SCALAR, "id")) {
        p->id = column(r, t, true);
        return;
    }
    if (t->type == TREE_SCALAR || !want_keys(r, t, "id", keys, ARRAY_LEN(keys)))
        return;
    const struct tree *c = tree_get(t, "column"), *h = tree_get(t, "hash");
    if (c)
        p->id = column(r, c, true);
    if (!c && !h)
        mistake_at(r->m, t, NULL,
                   "\"id\" needs \"column\" (a document number), \"hash\" (what identifies a row), or both");
    if (!h || !want(r, h, TREE_LIST, "hash"))
        return;
    if (h->n == 0 || h->n > PROFILE_IDENTITY_MAX)
        mistake_at(r->m, h, NULL, "\"hash\" must list 1 to %d parts", PROFILE_IDENTITY_MAX);
    for (uint32_t i = 0; i < h->n && i < PROFILE_IDENTITY_MAX; i++)
        p->identity[p->n_identity++] = (uint8_t)WORD(r, h->items[i], "hash", identities);
}

static void read_delimiter(struct reading *r, const struct tree *t)
{
    if (!want(r, t, TREE_SCALAR, "delimiter") || slice_is(t->text, "auto"))
        return;
    if (slice_is(t->text, "tab") || slice_is(t->text, "\\t"))
        r->p->form.delimiter = '\t';
    else if (t->text.n == 1 && !strchr("\"\r\n", t->text.p[0]) && (unsigned char)t->text.p[0] < 0x80)
        r->p->form.delimiter = t->text.p[0];
    else
        mistake_at(r->m, t, NULL, "\"delimiter\" must be one ASCII character, tab, or auto");
}

static void read_input(struct reading *r, const struct tree *t)
{
    static const char *const keys[] = {"format", "encoding", "delimiter", "sheet", "short_rows"};
    struct source_form *f = &r->p->form;
    if (!want_keys(r, t, "input", keys, ARRAY_LEN(keys)))
        return;
    if (tree_get(t, "format"))
        f->format = (enum source_format)WORD(r, tree_get(t, "format"), "format", formats);
    if (tree_get(t, "encoding"))
        f->encoding = (enum source_encoding)WORD(r, tree_get(t, "encoding"), "encoding", encodings);
    if (tree_get(t, "delimiter"))
        read_delimiter(r, tree_get(t, "delimiter"));
    if (tree_get(t, "sheet") && want(r, tree_get(t, "sheet"), TREE_SCALAR, "sheet"))
        f->sheet = tree_get(t, "sheet")->text;
    f->short_rows = flag(r, t, "short_rows");
}

static void read_empty(struct reading *r, const struct tree *t)
{
    struct profile *p = r->p;
    p->n_empty = 0;
    if (!want(r, t, TREE_LIST, "empty"))
        return;
    if (t->n > PROFILE_EMPTY_MAX)
        mistake_at(r->m, t, NULL, "\"empty\" may list at most %d words", PROFILE_EMPTY_MAX);
    for (uint32_t i = 0; i < t->n && i < PROFILE_EMPTY_MAX; i++)
        if (want(r, t->items[i], TREE_SCALAR, "empty"))
            p->empty[p->n_empty++] = t->items[i]->text;
}

static void read_name(struct reading *r, const struct tree *t)
{
    if (!want(r, t, TREE_SCALAR, "profile"))
        return;
    if (strspn(t->text.p, "abcdefghijklmnopqrstuvwxyz0123456789_-") != t->text.n || t->text.n > 64)
        mistake_at(r->m, t, NULL, "a profile's name is of a-z, 0-9, _ and -, at most 64 of them");
    r->p->name = t->text.p;
}

static void read_timezone(struct reading *r, const struct tree *t)
{
    if (want(r, t, TREE_SCALAR, "timezone") && !offset_parse(t->text, &r->p->offset_ms))
        mistake_at(r->m, t, NULL, "\"timezone\" must be an offset such as \"+08:00\"");
}

static void read_resend(struct reading *r, const struct tree *t)
{
    int64_t days = 0;
    if (!tree_int(t, &days) || days < 0 || days > RESEND_DAYS_MAX)
        mistake_at(r->m, t, NULL, "\"resend_days\" must be 0 to %d", RESEND_DAYS_MAX);
    r->p->resend_days = (unsigned)days;
}

static const struct section {
    const char *key;
    void (*read)(struct reading *, const struct tree *);
    const char *missing; /* the sentence when it must be there */
} sections[] = {
    {"profile", read_name, "\"profile\" is missing: the profile's name"},
    {"input", read_input, NULL},
    {"timezone", read_timezone, NULL},
    {"kind", read_kind, "\"kind\" is missing: which category is which kind of signal"},
    {"id", read_id, "\"id\" is missing: what identifies a row, so that it counts once"},
    {"signal", read_signal, "\"signal\" is missing: which column is what"},
    {"empty", read_empty, NULL},
    {"resend_days", read_resend, NULL},
};

static void read_profile(struct reading *r, const struct tree *root)
{
    const char *keys[ARRAY_LEN(sections)];
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        keys[i] = sections[i].key;
    if (!want_keys(r, root, "the profile", keys, ARRAY_LEN(keys)))
        return;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const struct tree *t = tree_get(root, sections[i].key);
        if (t)
            sections[i].read(r, t);
        else if (sections[i].missing)
            mistake_at(r->m, root, NULL, "%s", sections[i].missing);
    }
}

static struct profile *create(const char *file, struct slice text)
{
    struct profile *p = mem_zalloc(sizeof *p);
    p->file = arena_slice(&p->arena, slice_of(file)).p;
    p->text = arena_slice(&p->arena, text);
    p->offset_ms = OFFSET_CHINA_MS;
    p->resend_days = RESEND_DAYS;
    p->category = p->id = -1;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        p->fields[i].column = -1;
    for (size_t i = 0; i < ARRAY_LEN(empty_words); i++)
        p->empty[p->n_empty++] = slice_of(empty_words[i]);
    return p;
}

void profile_destroy(struct profile *p)
{
    if (!p)
        return;
    arena_finish(&p->arena);
    free(p);
}

int profile_parse(const char *file, struct slice text, struct profile **out, struct buf *said,
                  struct err *err)
{
    struct profile *p = create(file, text);
    struct mistakes m = {.arena = &p->arena, .file = p->file};
    struct reading r = {p, &m};
    struct tree *root = NULL;
    *out = NULL;
    if (yaml_parse(&p->arena, p->text, &m, &root) == 0)
        read_profile(&r, root);
    int rc = tell_mistakes(p, &m, said, err);
    if (rc)
        profile_destroy(p);
    else
        *out = p;
    return rc;
}
