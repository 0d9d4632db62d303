/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/json.h"

#include <inttypes.h>
#include <stdio.h>

static void put(struct json *j, const char *s)
{
    buf_put(j->out, s, strlen(s));
}

static void quote(struct json *j, struct slice s)
{
    put(j, "\"");
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        char escape[8];
        if (c == '"' || c == '\\') {
            snprintf(escape, sizeof escape, "\\%c", c);
            put(j, escape);
        } else if (c == '\n') {
            put(j, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            snprintf(escape, sizeof escape, "\\u%04x", c);
            put(j, escape);
        } else {
            buf_put(j->out, &s.p[i], 1);
        }
    }
    put(j, "\"");
}

static void key_of(struct json *j, const char *key)
{
    if (!j->first)
        put(j, ",");
    j->first = false;
    if (key) {
        quote(j, slice_of(key));
        put(j, ":");
    }
}

void json_open(struct json *j, const char *key, char bracket)
{
    key_of(j, key);
    buf_put(j->out, &bracket, 1);
    j->first = true;
}

void json_close(struct json *j, char bracket)
{
    buf_put(j->out, &bracket, 1);
    j->first = false;
}

void json_text(struct json *j, const char *key, struct slice s)
{
    key_of(j, key);
    quote(j, s);
}

void json_int(struct json *j, const char *key, int64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, v);
    key_of(j, key);
    put(j, text);
}

void json_uint(struct json *j, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, v);
    key_of(j, key);
    put(j, text);
}

static void text_if(struct json *j, const char *key, struct slice s)
{
    if (s.p)
        json_text(j, key, s);
}

static void int_if(struct json *j, const char *key, int64_t v)
{
    if (v != NO_INT)
        json_int(j, key, v);
}

void json_signal(struct json *j, const char *key, const struct signal *s)
{
    json_open(j, key, '{');
    text_if(j, "id", s->id);
    text_if(j, "kind", s->kind);
    int_if(j, "at", s->at);
    text_if(j, "uscc", s->uscc);
    text_if(j, "name", s->name);
    text_if(j, "region", s->region);
    text_if(j, "industry", s->industry);
    int_if(j, "amount", s->amount);
    int_if(j, "people", s->people);
    int_if(j, "since", s->since);
    text_if(j, "project", s->project);
    if (s->role)
        json_text(j, "role", slice_of(role_wire(s->role)));
    text_if(j, "owner", s->owner);
    if (s->status)
        json_text(j, "status", slice_of(status_wire(s->status)));
    text_if(j, "ref", s->ref);
    text_if(j, "note", s->note);
    text_if(j, "cancels", s->cancels);
    if (s->n_attrs) {
        json_open(j, "attrs", '{');
        for (size_t i = 0; i < s->n_attrs; i++)
            if (s->attrs[i].text.p)
                json_text(j, s->attrs[i].key.p, s->attrs[i].text);
            else
                json_int(j, s->attrs[i].key.p, s->attrs[i].number);
        json_close(j, '}');
    }
    json_close(j, '}');
}
