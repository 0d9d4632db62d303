/* SPDX-License-Identifier: Apache-2.0 */
/* Shows on standard output what would be sent. Knows duplicates by the ids of this run alone. */
#include "adapters/json.h"
#include "adapters/sink.h"
#include "lib/hash.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct print_sink {
    struct sink base;
    bool tap;
    struct buf line;
    struct seen {
        uint64_t a, b; /* of agency and id; 0, 0: free */
    } * seen;          /* open addressing, never more than half full */
    size_t n_seen, cap_seen;
};

static const char *const classes[] = {
    [ROW_SIGNAL] = "signal", [ROW_IGNORED] = "ignored", [ROW_REFUSED] = "rejected"};

static void row(struct sink *base, const struct row *r, const struct mapped *m)
{
    struct print_sink *s = (struct print_sink *)base;
    struct json j = {.out = &s->line, .first = true};
    buf_reset(&s->line);
    if (s->tap) {
        json_open(&j, NULL, '{');
        json_uint(&j, "record", r->record);
        json_uint(&j, "line", r->line);
        json_text(&j, "class", slice_of(classes[m->class]));
        if (m->class == ROW_REFUSED) {
            json_text(&j, "code", slice_of(m->code));
            json_text(&j, "reason", slice_of(m->why));
        }
        if (m->class == ROW_SIGNAL)
            json_signal(&j, "signal", &m->signal);
        json_text(&j, "row", r->raw);
        json_close(&j, '}');
    } else if (m->class == ROW_SIGNAL) {
        json_signal(&j, NULL, &m->signal);
    } else {
        return;
    }
    buf_put(&s->line, "\n", 1);
    fwrite(s->line.p, 1, s->line.n, stdout);
}

static struct seen key_of(const struct ww_signal *s)
{
    uint8_t hash[16];
    static const uint8_t no_key[HASH_KEY_LEN];
    size_t agency = strcspn(s->kind, "."); /* what `local` has for a source */
    struct seen key;
    hash_pair(hash, no_key, (struct slice){s->kind, agency}, slice_of(s->id));
    memcpy(&key, hash, sizeof key);
    key.b |= 1;
    return key;
}

static bool insert(struct seen *table, size_t cap, struct seen key)
{
    size_t i = key.a & (cap - 1);
    for (; table[i].b; i = (i + 1) & (cap - 1))
        if (table[i].a == key.a && table[i].b == key.b)
            return false;
    table[i] = key;
    return true;
}

static bool is_new(struct print_sink *s, const struct ww_signal *signal)
{
    if (s->n_seen * 2 >= s->cap_seen) {
        size_t cap = s->cap_seen ? s->cap_seen * 2 : 1024;
        struct seen *table = mem_zalloc(cap * sizeof *table);
        for (size_t i = 0; i < s->cap_seen; i++)
            if (s->seen[i].b)
                insert(table, cap, s->seen[i]);
        free(s->seen);
        s->seen = table;
        s->cap_seen = cap;
    }
    bool new = insert(s->seen, s->cap_seen, key_of(signal));
    s->n_seen += new;
    return new;
}

static int send(struct sink *base, const struct ww_signal *signals, size_t n, struct outcome *out,
                struct err *err)
{
    struct print_sink *s = (struct print_sink *)base;
    *out = (struct outcome){0};
    for (size_t i = 0; i < n; i++) {
        bool new = is_new(s, &signals[i]);
        out->accepted += new;
        out->duplicates += !new;
    }
    if (fflush(stdout) != 0)
        return err_set(err, WW_EIO, "cannot write to standard output");
    return 0;
}

static void close_sink(struct sink *base)
{
    struct print_sink *s = (struct print_sink *)base;
    buf_finish(&s->line);
    free(s->seen);
    free(s);
}

static const struct sink_ops print_ops = {.row = row, .send = send, .close = close_sink};

struct sink *sink_print_open(bool tap, volatile sig_atomic_t *stop)
{
    struct print_sink *s = mem_zalloc(sizeof *s);
    s->base = (struct sink){.ops = &print_ops, .dry = true, .stop = stop, .store = ""};
    s->tap = tap;
    return &s->base;
}
