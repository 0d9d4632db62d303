/* SPDX-License-Identifier: Apache-2.0 */
/* The query thread: one query at a time, in the order they came. Owns its view reader and the queues; waits
 * for the checkpoint that a query must see; leaves what is said to the rows of the table (query_alerts,
 * query_enterprise, query_explain, query_plain). Never touches a socket. */
#include "daemon/query.h"

#include "daemon/query_answer.h"
#include "engine/engine.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
    struct query *first, **last;
    size_t n;
};

struct query_thread {
    struct query_options o;
    struct view_reader *reader;
    struct state_loader loader; /* over the reader */
    struct engine *explainer;
    char *journal_dir;
    struct arena scratch;
    pthread_t thread;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t wake;
    bool stopping;
    struct queue pending, finished;
};

enum { STUCK_PATIENCE_MS = 2000 }; /* from when the view could not be written: room may come back */

const char view_stuck[] = "the disk is full: the view cannot be written";

static const struct {
    const char *what;
    int (*answer)(struct answer *);
} answers[] = {
    {"status", answer_status},   {"feeds", answer_feeds}, {"alerts", answer_alerts},
    {"alert", answer_alert},     {"kinds", answer_kinds}, {"enterprise", answer_enterprise},
    {"signals", answer_signals}, {"rules", answer_rules}, {"explain", answer_explain},
    {"unresolved", answer_unresolved},
    {"shadow", answer_shadow},   {"intake", answer_intake},
    {"enterprises", answer_enterprises},
    {"measures", answer_measures}, {"teams", answer_teams},  {"routes", answer_routes},
    {"statistics", answer_statistics}, {"audit", answer_audit},
    {"campaigns", answer_campaigns}, {"campaign", answer_campaign},
    {"duties", answer_duties},
};

/* ---- what all answers share ---- */

int answer_refuse(struct answer *a, enum wire_error code, const char *sentence)
{
    a->q->error = code;
    a->q->sentence = sentence;
    return 0;
}

bool param_bad(struct answer *a, const char *key, const char *why)
{
    answer_refuse(a, WIRE_ERROR_BAD_FIELD, arena_printf(&a->q->arena, "'%s' %s", key, why));
    return false;
}

bool param_uint(struct answer *a, const char *key, uint64_t *out)
{
    return val_uint(a->q->params, key, out) >= 0 || param_bad(a, key, "must be an integer of 0 or more");
}

bool param_text(struct answer *a, const char *key, struct slice *out)
{
    return val_str(a->q->params, key, out) >= 0 || param_bad(a, key, "must be a text");
}

bool param_bool(struct answer *a, const char *key, bool *out)
{
    return val_bool(a->q->params, key, out) >= 0 || param_bad(a, key, "must be true or false");
}

bool param_limit(struct answer *a, uint64_t *out)
{
    *out = QUERY_LIMIT;
    if (!param_uint(a, "limit", out))
        return false;
    if (*out == 0)
        return param_bad(a, "limit", "must be at least 1");
    if (*out > QUERY_LIMIT_MAX)
        *out = QUERY_LIMIT_MAX;
    return true;
}

bool param_status(struct answer *a, uint8_t *out)
{
    struct slice word = {NULL, 0};
    *out = STATUS_ACTUAL;
    if (!param_text(a, "status", &word))
        return false;
    if (!word.p)
        return true;
    int status = status_of(word);
    if (status < 0)
        return param_bad(a, "status", "must be actual, exercise or test");
    *out = (uint8_t)status;
    return true;
}

static bool sees_place(const struct answer *a, region_t place)
{
    for (size_t i = 0; i < a->q->n_regions; i++)
        if (place && region_within(place, a->q->regions[i]))
            return true;
    return false;
}

bool answer_sees(const struct answer *a, region_t region, const region_t *places, size_t n)
{
    if (a->q->n_regions == 0 || sees_place(a, region))
        return true;
    for (size_t i = 0; i < n; i++)
        if (sees_place(a, places[i]))
            return true;
    return false;
}

/* ---- one query ---- */

static int (*find_answer(struct answer *a))(struct answer *)
{
    struct slice what = a->q->what;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        if (slice_is(what, answers[i].what))
            return answers[i].answer;
    if (what.p)
        answer_refuse(
            a, WIRE_ERROR_UNKNOWN_QUERY,
            "no such query; ask for status, feeds, alerts, alert, enterprise, signals, kinds, rules, explain, shadow, intake, "
            "measures, teams, routes, statistics or audit");
    else
        answer_refuse(a, WIRE_ERROR_MISSING_FIELD, "'what' is missing: it names the query");
    return NULL;
}

/* The head of every result, then what the query's own room says. */
static int write_body(struct answer *a, int (*answer)(struct answer *))
{
    struct query *q = a->q;
    struct view_meta meta;
    int rc = view_get_meta(a->reader, &meta, a->err);
    if (rc < 0)
        return rc;
    a->out = enc_map_open(&q->body);
    if (q->has_rid)
        enc_kv_uint(&a->out, "rid", q->rid);
    enc_kv_slice(&a->out, "what", q->what);
    enc_kv_uint(&a->out, "as_of", meta.number > a->holds ? meta.number : a->holds);
    rc = answer(a);
    enc_close(&a->out);
    return rc;
}

/* With a full disk there is no newer view: whoever was acknowledged nothing that it lacks is answered from
 * it, and so are `status`, which says what is wrong, and `feeds`. False: the query has its answer. */
static bool wait_for_view(struct query_thread *t, struct answer *a)
{
    struct query *q = a->q;
    bool at_once = q->status != NULL;
    enum await end = writer_await_view(t->o.writer, q->must_see, at_once ? 0 : STUCK_PATIENCE_MS);
    a->holds = end == AWAIT_THERE ? q->must_see : writer_viewed(t->o.writer);
    a->stuck = writer_view_stuck(t->o.writer);
    if (end == AWAIT_ENDED)
        answer_refuse(a, WIRE_ERROR_INTERNAL, "the daemon is ending; ask again when it is back");
    else if (end == AWAIT_STUCK && !at_once && a->holds < q->must_own)
        q->busy = view_stuck;
    return !q->error && !q->busy;
}

static int run_query(struct query_thread *t, struct query *q, struct err *err)
{
    struct answer a = {
        .q = q,
        .reader = t->reader,
        .dict = t->o.dict,
        .explainer = &t->explainer,
        .loader = &t->loader,
        .store_id = writer_store_id(t->o.writer),
        .journal_dir = t->journal_dir,
        .scratch = t->scratch,
        .err = err,
    };
    int (*answer)(struct answer *) = find_answer(&a);
    if (!answer)
        return 0;
    if (!wait_for_view(t, &a))
        return 0;
    int rc = view_reader_refresh(t->reader, err);
    if (rc == 0)
        rc = write_body(&a, answer);
    view_reader_rest(t->reader);
    arena_reset(&a.scratch);
    t->scratch = a.scratch;
    return rc;
}

static void work_off(struct query_thread *t, struct query *q)
{
    struct err err;
    if (run_query(t, q, &err)) {
        char quoted[sizeof err.msg * 2];
        log_line(LOG_L_ERROR, "query failed", "reason=%s",
                 log_quote(quoted, sizeof quoted, slice_of(err.msg)));
        q->error = WIRE_ERROR_INTERNAL;
        q->sentence = "the view could not be read; the daemon's log says why";
    }
    if (q->error)
        buf_reset(&q->body);
}

/* ---- queues and thread ---- */

static void put(struct queue *list, struct query *q)
{
    q->next = NULL;
    if (!list->first)
        list->last = &list->first;
    *list->last = q;
    list->last = &q->next;
    list->n++;
}

static struct query *get(struct queue *list)
{
    struct query *q = list->first;
    if (q) {
        list->first = q->next;
        list->n--;
    }
    return q;
}

static struct query *next_pending(struct query_thread *t)
{
    pthread_mutex_lock(&t->lock);
    while (!t->pending.first && !t->stopping)
        pthread_cond_wait(&t->wake, &t->lock);
    struct query *q = t->stopping ? NULL : get(&t->pending);
    pthread_mutex_unlock(&t->lock);
    return q;
}

static void *run(void *arg)
{
    struct query_thread *t = arg;
    struct query *q;
    while ((q = next_pending(t))) {
        work_off(t, q);
        pthread_mutex_lock(&t->lock);
        put(&t->finished, q);
        pthread_mutex_unlock(&t->lock);
        t->o.done(t->o.arg);
    }
    return NULL;
}

int query_start(struct query_thread **out, const struct query_options *o, struct err *err)
{
    struct query_thread *t = mem_zalloc(sizeof *t);
    t->o = *o;
    t->journal_dir = o->journal_dir ? mem_strndup(o->journal_dir, strlen(o->journal_dir)) : NULL;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    int rc = view_reader_open(&t->reader, o->view, err);
    if (rc)
        goto out_free;
    t->loader = view_loader(t->reader);
    int no = pthread_create(&t->thread, NULL, run, t);
    if (no) {
        rc =
            err_set(err, WW_EIO, "cannot start the query thread: %s; raise the limit on tasks", strerror(no));
        goto out_reader;
    }
    pthread_setname_np(t->thread, "query");
    *out = t;
    return WW_OK;
out_reader:
    view_reader_close(t->reader);
out_free:
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t->journal_dir);
    free(t);
    return rc;
}

void query_stop(struct query_thread *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    writer_wake_waiters(t->o.writer);
    pthread_join(t->thread, NULL);
    struct query *q;
    while ((q = get(&t->pending)) || (q = get(&t->finished)))
        query_give_back(t, q);
    engine_destroy(t->explainer);
    view_reader_close(t->reader);
    arena_finish(&t->scratch);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t->journal_dir);
    free(t);
}

/* ---- main thread ---- */

struct query *query_create(struct query_thread *t)
{
    (void)t;
    return mem_zalloc(sizeof(struct query));
}

bool query_submit(struct query_thread *t, struct query *q)
{
    pthread_mutex_lock(&t->lock);
    bool room = t->pending.n < QUERY_PENDING_MAX;
    if (room) {
        put(&t->pending, q);
        pthread_cond_signal(&t->wake);
    }
    pthread_mutex_unlock(&t->lock);
    return room;
}

struct query *query_finished(struct query_thread *t)
{
    pthread_mutex_lock(&t->lock);
    struct query *q = get(&t->finished);
    pthread_mutex_unlock(&t->lock);
    return q;
}

void query_give_back(struct query_thread *t, struct query *q)
{
    (void)t;
    arena_finish(&q->arena);
    buf_finish(&q->body);
    free(q);
}
