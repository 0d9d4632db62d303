/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the way between JSON and the library's structs; the only jansson.h of the command line. Pure but for
 * memory. */
#include "cli/json.h"

#include "cli/document.h"
#include "lib/val.h"

#include <jansson.h>

/* ---- out ---- */

static json_t *text_of(const char *s, size_t n)
{
    json_t *j = json_stringn(s, n);
    return j ? j : json_string("?"); /* the daemon sends valid UTF-8; if ever it did not */
}

static json_t *number_of(const struct ww_value *v)
{
    if (v->type == WW_INT)
        return json_integer(v->i);
    return v->u <= INT64_MAX ? json_integer((json_int_t)v->u) : json_real((double)v->u);
}

static json_t *json_of(const struct ww_value *v)
{
    json_t *j;
    if (v->type == DOCUMENT_DECIMAL)
        return json_real((double)v->i / 1e6);
    switch (ww_type(v)) {
    case WW_BOOL:
        return json_boolean(v->b);
    case WW_INT:
    case WW_UINT:
        return number_of(v);
    case WW_STR:
        return text_of(v->s, v->n);
    case WW_LIST:
        j = json_array();
        for (size_t i = 0; i < v->n; i++)
            json_array_append_new(j, json_of(&v->items[i]));
        return j;
    case WW_MAP:
        j = json_object();
        for (size_t i = 0; i < v->n; i++)
            json_object_set_new(j, v->keys[i].p, json_of(&v->items[i]));
        return j;
    default:
        return json_null();
    }
}

char *json_text(const struct ww_value *v, bool indent)
{
    json_t *j = json_of(v);
    char *s = json_dumps(j, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15) | (indent ? JSON_INDENT(2) : JSON_COMPACT));
    json_decref(j);
    return s;
}

/* ---- a document, in ---- */

enum { DOCUMENT_DEPTH = 8 };

/* False: deeper than documents are, or a text with a NUL in it. */
static bool value_of(struct arena *a, const json_t *j, unsigned depth, struct ww_value *v);

static bool map_of(struct arena *a, const json_t *j, unsigned depth, struct ww_value *v)
{
    const char *key;
    json_t *value;
    size_t n = json_object_size(j);
    v->type = WW_MAP;
    v->keys = arena_alloc(a, (n + 1) * sizeof *v->keys);
    v->items = arena_zalloc(a, (n + 1) * sizeof *v->items);
    json_object_foreach((json_t *)(uintptr_t)j, key, value)
    {
        v->keys[v->n] = arena_slice(a, slice_of(key));
        if (!value_of(a, value, depth + 1, &v->items[v->n++]))
            return false;
    }
    return true;
}

static bool list_of(struct arena *a, const json_t *j, unsigned depth, struct ww_value *v)
{
    size_t n = json_array_size(j);
    v->type = WW_LIST;
    v->items = arena_zalloc(a, (n + 1) * sizeof *v->items);
    for (size_t i = 0; i < n; i++)
        if (!value_of(a, json_array_get(j, i), depth + 1, &v->items[v->n++]))
            return false;
    return true;
}

static bool value_of(struct arena *a, const json_t *j, unsigned depth, struct ww_value *v)
{
    *v = (struct ww_value){.type = WW_NIL};
    if (depth > DOCUMENT_DEPTH)
        return false;
    if (json_is_object(j))
        return map_of(a, j, depth, v);
    if (json_is_array(j))
        return list_of(a, j, depth, v);
    if (json_is_string(j)) {
        struct slice s = arena_slice(a, (struct slice){json_string_value(j), json_string_length(j)});
        *v = (struct ww_value){.type = WW_STR, .n = (uint32_t)s.n, .s = s.p};
        return strlen(s.p) == s.n;
    }
    if (json_is_integer(j))
        *v = (struct ww_value){.type = WW_INT, .i = json_integer_value(j)};
    else if (json_is_boolean(j))
        *v = (struct ww_value){.type = WW_BOOL, .b = json_is_true(j)};
    return true;
}

const struct ww_value *json_document(struct arena *a, struct slice text, const char **sentence)
{
    json_error_t error;
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    struct ww_value *v = arena_alloc(a, sizeof *v);
    *sentence = NULL;
    if (!j)
        *sentence = arena_printf(a, "line %d: %s", error.line, error.text);
    else if (!json_is_object(j) || !value_of(a, j, 0, v))
        *sentence = "it is no JSON object, or deeper than a document is";
    json_decref(j);
    return *sentence ? NULL : v;
}

/* ---- in ---- */

struct reader {
    struct arena *arena;
    struct ww_signal *out;
    const char *code, *sentence;
};

static bool refuse(struct reader *r, const char *code, const char *sentence)
{
    r->code = code;
    r->sentence = sentence;
    return false;
}

/* Where a key goes. Exactly one of the two offsets counts. */
static const struct field {
    const char *key;
    bool number;
    size_t at;
} fields[] = {
    {"id", false, offsetof(struct ww_signal, id)},
    {"kind", false, offsetof(struct ww_signal, kind)},
    {"at", true, offsetof(struct ww_signal, at)},
    {"uscc", false, offsetof(struct ww_signal, uscc)},
    {"name", false, offsetof(struct ww_signal, name)},
    {"region", false, offsetof(struct ww_signal, region)},
    {"industry", false, offsetof(struct ww_signal, industry)},
    {"amount", true, offsetof(struct ww_signal, amount)},
    {"people", true, offsetof(struct ww_signal, people)},
    {"since", true, offsetof(struct ww_signal, since)},
    {"project", false, offsetof(struct ww_signal, project)},
    {"role", false, offsetof(struct ww_signal, role)},
    {"owner", false, offsetof(struct ww_signal, owner)},
    {"status", false, offsetof(struct ww_signal, status)},
    {"ref", false, offsetof(struct ww_signal, ref)},
    {"note", false, offsetof(struct ww_signal, note)},
    {"cancels", false, offsetof(struct ww_signal, cancels)},
};

static const char *copied(struct reader *r, const json_t *j)
{
    return arena_slice(r->arena, (struct slice){json_string_value(j), json_string_length(j)}).p;
}

static bool read_field(struct reader *r, const struct field *f, const json_t *j)
{
    char *at = (char *)r->out + f->at;
    if (f->number ? !json_is_integer(j) : !json_is_string(j))
        return refuse(r, "bad_field",
                      arena_printf(r->arena, "%s must be %s", f->key, f->number ? "a whole number" : "text"));
    if (f->number) {
        int64_t v = json_integer_value(j);
        memcpy(at, &v, sizeof v);
        return true;
    }
    const char *s = copied(r, j);
    if (strlen(s) != json_string_length(j))
        return refuse(r, "bad_field", arena_printf(r->arena, "%s holds a NUL character", f->key));
    memcpy(at, &s, sizeof s);
    return true;
}

static bool read_attrs(struct reader *r, json_t *j)
{
    const char *key;
    json_t *value;
    if (!json_is_object(j))
        return refuse(r, "bad_field", "attrs must be an object");
    struct ww_attr *attrs = arena_zalloc(r->arena, sizeof *attrs * (json_object_size(j) + 1));
    size_t n = 0;
    json_object_foreach(j, key, value)
    {
        if (!json_is_string(value) && !json_is_integer(value))
            return refuse(r, "bad_field",
                          arena_printf(r->arena, "attrs.%s must be text or a whole number", key));
        attrs[n].key = arena_slice(r->arena, slice_of(key)).p;
        if (json_is_string(value))
            attrs[n].text = copied(r, value);
        else
            attrs[n].number = json_integer_value(value);
        n++;
    }
    r->out->attrs = attrs;
    r->out->n_attrs = n;
    return true;
}

static bool read_signal(struct reader *r, json_t *doc)
{
    const char *key;
    json_t *value;
    if (!json_is_object(doc))
        return refuse(r, "bad_message", "a line holds one JSON object");
    json_object_foreach(doc, key, value)
    {
        if (strcmp(key, "attrs") == 0 && !read_attrs(r, value))
            return false;
        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
            if (strcmp(fields[i].key, key) == 0 && !read_field(r, &fields[i], value))
                return false;
    }
    return true;
}

bool json_signal(struct arena *arena, struct slice line, struct ww_signal *out, const char **code,
                 const char **sentence)
{
    struct reader r = {.arena = arena, .out = out};
    json_error_t error;
    *out = (struct ww_signal)WW_SIGNAL_INIT;
    json_t *doc = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &error);
    bool good =
        doc ? read_signal(&r, doc)
            : refuse(&r, json_error_code(&error) == json_error_duplicate_key ? "bad_field" : "bad_message",
                     arena_printf(arena, "column %d: %s", error.column, error.text));
    json_decref(doc);
    *code = r.code;
    *sentence = r.sentence;
    return good;
}
