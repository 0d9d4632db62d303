/* SPDX-License-Identifier: Apache-2.0 */
/* The query intake: signals that wait to be sorted before they count, the oldest first; or what became of those that
 * were. Query thread. */
#include "daemon/eventpack.h"
#include "daemon/query_answer.h"
#include "daemon/waiting.h"

enum { INTAKE_SEARCHED_MAX = 20000 }; /* rows looked at for one page: a reader of few places must not hold the thread */

struct intake_page {
    struct answer *a;
    struct enc_open list;
    uint64_t after, limit, n, searched, next; /* next: the last one looked at; 0: that was all */
    bool decided;
    int rc;
};

static void put_enterprise(struct answer *a, const struct waiting *w)
{
    struct enc_open m = enc_map_open(&a->q->body);
    if (w->x->sig.uscc.n)
        enc_kv_slice(&m, "uscc", w->x->sig.uscc);
    if (w->x->sig.name.n)
        enc_kv_slice(&m, "name", w->x->sig.name);
    enc_close(&m);
}

static void put_number(struct enc_open *m, const char *key, int64_t n)
{
    if (n != NO_INT)
        enc_kv_int(m, key, n);
}

static void put_text(struct enc_open *m, const char *key, struct slice text)
{
    if (text.n)
        enc_kv_slice(m, key, text);
}

static void put_decision(struct enc_open *m, const struct triage_row *row)
{
    enc_kv_str(m, "as", triage_word(row->as));
    enc_kv_int(m, "sorted_at", row->sorted_at);
    enc_kv_uint(m, "sorted_seq", row->sorted_entry);
    put_text(m, "by", row->who);
}

static void put_waiting(struct answer *a, const struct waiting *w)
{
    const struct signal *s = &w->x->sig;
    struct enc_open m = enc_map_open(&a->q->body);
    enc_kv_uint(&m, "number", w->number);
    enc_kv_slice(&m, "kind", s->kind);
    enc_kv_slice(&m, "source", w->x->source);
    enc_kv_slice(&m, "id", s->id);
    enc_kv_int(&m, "at", s->at);
    enc_kv_int(&m, "came_at", w->row.came_at);
    enc_kv_int(&m, "due", w->row.due);
    enc_key(&m, "enterprise");
    put_enterprise(a, w);
    put_text(&m, "region", s->region);
    put_number(&m, "people", s->people);
    put_number(&m, "amount", s->amount);
    put_text(&m, "ref", s->ref);
    if (s->status != STATUS_ACTUAL)
        enc_kv_str(&m, "status", status_wire((enum status)s->status));
    if (w->row.as != TRIAGE_WAITS)
        put_decision(&m, &w->row);
    enc_close(&m);
}

static bool each_row(void *arg, struct slice key, struct slice value)
{
    struct intake_page *p = arg;
    struct answer *a = p->a;
    struct waiting w;
    uint64_t number = key.n == TRIAGE_KEY_LEN ? key_get64(key.p) : 0;
    if (number <= p->after)
        return true;
    if (p->n == p->limit || p->searched == INTAKE_SEARCHED_MAX)
        return false; /* and `next` stays: there is more */
    p->rc = waiting_read(a->reader, number, value, &a->scratch, &w, a->err);
    if (p->rc == 0 && answer_sees(a, w.region, w.places, w.n_places)) {
        enc_item(&p->list);
        put_waiting(a, &w);
        p->n++;
    }
    p->searched++;
    p->next = number;
    arena_reset(&a->scratch);
    return p->rc == 0;
}

int answer_intake(struct answer *a)
{
    struct intake_page p = {.a = a};
    uint8_t from[TRIAGE_KEY_LEN];
    if (!param_limit(a, &p.limit) || !param_uint(a, "after", &p.after) || !param_bool(a, "sorted", &p.decided))
        return 0;
    triage_key(from, p.after);
    enc_key(&a->out, "intake");
    p.list = enc_list_open(&a->q->body);
    int rc = view_scan(a->reader, p.decided ? T_SORTED : T_TRIAGE, (struct slice){(const char *)from, sizeof from}, VIEW_UP,
                       each_row, &p, a->err);
    enc_close(&p.list);
    if (rc < 0 || p.rc < 0)
        return rc < 0 ? rc : p.rc;
    enc_key(&a->out, "next");
    if (p.n == p.limit || p.searched == INTAKE_SEARCHED_MAX)
        enc_uint(&a->q->body, p.next);
    else
        enc_nil(&a->q->body);
    return 0;
}
