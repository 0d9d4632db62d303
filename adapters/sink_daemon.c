/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to the daemon, by libwagewarn, until they are acknowledged. Notices when the daemon's store is
 * another than the one that acknowledged what the spool keeps (it was restored from a backup) and sends that
 * again; sending twice counts once. */
#include "adapters/sink.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUND_MS = 1000 /* how long a push may go on before the stop flag is looked at */ };

struct daemon_sink {
    struct sink base;
    struct daemon_options options;
    struct ww_client *client;
    char store[SPOOL_STORE_MAX]; /* of the daemon, as last seen */
    struct refusal *refused;
    size_t cap_refused;
    struct arena arena; /* of the refusals */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool may_wait(int code)
{
    return code == WW_EUNREACH || code == WW_EAGAIN;
}

static int fail(const struct daemon_sink *s, int rc, struct err *err)
{
    const char *why = ww_message(s->client);
    return err_set(err, rc, "%s", *why ? why : "the daemon did not take the signals");
}

static void note_store(struct daemon_sink *s)
{
    const char *store = ww_store(s->client);
    if (store && *store)
        snprintf(s->store, sizeof s->store, "%s", store);
}

/* ---- sending ---- */

static void refuse(struct daemon_sink *s, const struct ww_pushed *pushed, struct outcome *out)
{
    arena_reset(&s->arena);
    s->refused = mem_grow(s->refused, &s->cap_refused, pushed->n_rejected + 1, sizeof *s->refused);
    for (size_t i = 0; i < pushed->n_rejected; i++) {
        const struct ww_rejected *r = &pushed->rejected[i];
        s->refused[i] = (struct refusal){r->index, arena_slice(&s->arena, slice_of(r->code)).p,
                                         arena_slice(&s->arena, slice_of(r->message ? r->message : "")).p};
    }
    out->refused = s->refused;
    out->n_refused = pushed->n_rejected;
}

/* A push that gave up may have been acknowledged in part; those then come back as duplicates of themselves,
 * so what counts as one is found by subtraction. */
static int send(struct sink *base, const struct ww_signal *signals, size_t n, struct outcome *out,
                struct err *err)
{
    struct daemon_sink *s = (struct daemon_sink *)base;
    int64_t give_up = now_ms() + s->options.retry_ms;
    *out = (struct outcome){0};
    for (;;) {
        struct ww_pushed pushed;
        int rc = ww_push(s->client, signals, n, &pushed);
        out->accepted += pushed.accepted;
        if (rc == 0) {
            refuse(s, &pushed, out);
            uint64_t taken = n - pushed.n_rejected;
            out->duplicates = taken > out->accepted ? taken - out->accepted : 0;
            note_store(s);
            return 0;
        }
        bool late = s->options.retry_ms > 0 && now_ms() >= give_up;
        if (!may_wait(rc) || late)
            return fail(s, rc, err);
        if (*s->base.stop)
            return err_set(err, WW_EAGAIN, "stopped before the daemon acknowledged; start again to go on");
    }
}

/* ---- sending again ---- */

static int send_kept(struct daemon_sink *s, uint64_t *sent, struct err *err)
{
    struct spool_cursor cursor = {.n = 0};
    struct arena arena = {0};
    struct ww_signal *signals;
    size_t n;
    int rc;
    while ((rc = spool_kept(s->options.spool, &cursor, &arena, &signals, &n, err)) == 1) {
        struct outcome out;
        rc = send(&s->base, signals, n, &out, err);
        if (rc)
            break;
        *sent += n;
        arena_reset(&arena);
    }
    arena_finish(&arena);
    return rc;
}

static int catch_up(struct sink *base, struct err *err)
{
    struct daemon_sink *s = (struct daemon_sink *)base;
    char known[SPOOL_STORE_MAX], store[SPOOL_STORE_MAX];
    uint64_t sent = 0;
    if (!s->options.spool)
        return 0;
    for (;;) { /* it may be restored once more meanwhile */
        int rc = spool_store(s->options.spool, known, err);
        if (rc || strcmp(known, s->store) == 0)
            return rc;
        memcpy(store, s->store, sizeof store);
        if (*known && (rc = send_kept(s, &sent, err)))
            return rc;
        if (*known)
            log_line(LOG_L_NOTICE, "store changed, sent again what was kept", "signals=%" PRIu64 " store=%s",
                     sent, store);
        if ((rc = spool_set_store(s->options.spool, store, err)))
            return rc;
    }
}

/* ---- the daemon's kinds ---- */

static void put_text(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

static bool is_kind(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(name);
}

/* One page of kinds as lines of the table; returns the last name, for the next page. */
static void put_kinds(struct buf *b, const struct ww_value *list)
{
    for (size_t i = 0; i < ww_length(list); i++) {
        const struct ww_value *item = ww_at(list, i);
        const char *name = ww_str(ww_get(item, "kind"), "");
        if (!is_kind(name) || !strchr(name, '.'))
            continue;
        struct slice agency = {name, strcspn(name, ".")};
        put_text(b, name);
        put_text(b, ",");
        buf_put(b, agency.p, agency.n);
        put_text(b, ",-,-,0,0,0,,\n");
    }
}

int sink_daemon_kinds(struct sink *base, struct kinds **out, struct err *err)
{
    struct daemon_sink *s = (struct daemon_sink *)base;
    const struct ww_value *result;
    struct buf b = {0};
    *out = NULL;
    int rc = ww_query(s->client, "kinds", NULL, 0, &result);
    if (rc)
        return fail(s, rc, err);
    put_text(&b, "kind,agency,zh,en,weight,half_life_days,repeat_window_days,clears,clue_of\n");
    put_kinds(&b, ww_get(result, "kinds"));
    rc = kinds_parse(out, "the daemon's kinds", (struct slice){(const char *)b.p, b.n}, err);
    buf_finish(&b);
    return rc;
}

/* ---- open, close ---- */

static void close_sink(struct sink *base)
{
    struct daemon_sink *s = (struct daemon_sink *)base;
    ww_disconnect(s->client);
    arena_finish(&s->arena);
    free(s->refused);
    free(s);
}

static int connect_once(struct daemon_sink *s, struct err *err)
{
    struct ww_options options = {
        .endpoint = s->options.endpoint, .program = s->options.program, .retry_ms = ROUND_MS};
    int rc = ww_connect(&s->client, &options);
    if (rc) {
        fail(s, rc, err);
        ww_disconnect(s->client);
        s->client = NULL;
    }
    return rc;
}

static const struct sink_ops daemon_ops = {.send = send, .catch_up = catch_up, .close = close_sink};

int sink_daemon_open(struct sink **out, const struct daemon_options *options, volatile sig_atomic_t *stop,
                     struct err *err)
{
    struct daemon_sink *s = mem_zalloc(sizeof *s);
    s->base = (struct sink){.ops = &daemon_ops, .stop = stop, .store = s->store};
    s->options = *options;
    int64_t give_up = now_ms() + options->retry_ms;
    int rc = connect_once(s, err);
    while (may_wait(rc) && options->patient && !*stop && (options->retry_ms == 0 || now_ms() < give_up))
        rc = connect_once(s, err);
    if (rc) {
        close_sink(&s->base);
        s = NULL;
    } else {
        note_store(s);
    }
    *out = s ? &s->base : NULL;
    return rc;
}
