/* SPDX-License-Identifier: Apache-2.0 */
/* Replies: msgpack out of the server's one buffer. Owns nothing. Main thread. Text is valid UTF-8 always:
 * what a client sent is not repeated to it unless it is. */
#include "daemon/server_parts.h"

#include "lib/log.h"
#include "lib/name.h"

enum { BUSY_MS = 200 }; /* when to try again: a commit or two */

int reply_send(struct server *s, uint64_t handle, const char *verb, struct slice head, struct slice rest)
{
    struct peer *p = peers_find(s->peers, handle);
    if (!p)
        return WW_EUNREACH;
    struct slice id = {(const char *)p->id, ROUTING_ID_LEN};
    int code = sockets_send(s->o.sockets, p->endpoint, id, p->delimited, verb, head, rest);
    if (code == WW_EUNREACH) {
        peers_forget(s->peers, p);
        subscriber_forget(s->subscriber, handle);
    }
    return code;
}

struct enc_open reply_open(struct server *s, bool has_rid, uint64_t rid)
{
    buf_reset(&s->reply);
    struct enc_open m = enc_map_open(&s->reply);
    if (has_rid)
        enc_kv_uint(&m, "rid", rid);
    return m;
}

void reply_close(struct server *s, struct enc_open *m, uint64_t handle, const char *verb)
{
    enc_close(m);
    struct slice body = {(const char *)s->reply.p, s->reply.n}, none = {NULL, 0};
    if (reply_send(s, handle, verb, body, none) == WW_EAGAIN)
        log_line(LOG_L_DEBUG, "reply dropped", "verb=%s reason=\"the client reads nothing\"", verb);
}

void reply_error(struct server *s, uint64_t handle, bool has_rid, uint64_t rid, enum wire_error code,
                 const char *sentence)
{
    struct enc_open m = reply_open(s, has_rid, rid);
    enc_kv_str(&m, "code", wire_error_wire(code));
    enc_kv_str(&m, "message",
               utf8_valid(slice_of(sentence)) ? sentence : "the message has text that is no UTF-8");
    reply_close(s, &m, handle, "error");
}

void reply_refuse(const struct ask *a, enum wire_error code, const char *sentence)
{
    reply_error(a->s, a->peer->handle, a->has_rid, a->rid, code, sentence);
}

void reply_busy(struct server *s, uint64_t handle, bool has_rid, uint64_t rid, const char *reason)
{
    struct enc_open m = reply_open(s, has_rid, rid);
    enc_kv_uint(&m, "retry_ms", BUSY_MS);
    enc_kv_str(&m, "reason", reason);
    reply_close(s, &m, handle, "busy");
}

void reply_regions(struct enc_open *m, const region_t *regions, uint32_t n)
{
    char text[16];
    enc_key(m, "regions");
    enc_list(m->b, n);
    for (uint32_t i = 0; i < n; i++)
        enc_slice(m->b, (struct slice){text, region_text(regions[i], text)});
}

static void put_rejected(struct enc_open *m, const struct request *r)
{
    enc_key(m, "rejected");
    enc_list(m->b, r->n_rejected);
    for (uint32_t i = 0; i < r->n_rejected; i++) {
        const struct rejected *j = &r->rejected[i];
        enc_map(m->b, 4);
        enc_str(m->b, "index");
        enc_uint(m->b, j->index);
        enc_str(m->b, "id");
        if (j->id.p && utf8_valid(j->id))
            enc_slice(m->b, j->id);
        else
            enc_nil(m->b);
        enc_str(m->b, "code");
        enc_str(m->b, reject_wire(j->code));
        enc_str(m->b, "message");
        enc_str(m->b, j->message && utf8_valid(slice_of(j->message)) ? j->message : reject_text(j->code));
    }
}

void reply_ack(struct server *s, const struct request *r)
{
    struct enc_open m = reply_open(s, r->has_rid, r->rid);
    enc_kv_uint(&m, "accepted", r->accepted);
    enc_kv_uint(&m, "duplicates", r->duplicates);
    if (r->seq)
        enc_kv_uint(&m, "seq", r->seq);
    put_rejected(&m, r);
    reply_close(s, &m, r->client, "ack");
}

void reply_stranger(struct server *s, const struct wire_in *in, enum wire_error code, const char *sentence)
{
    struct enc_open m = reply_open(s, false, 0);
    enc_kv_str(&m, "code", wire_error_wire(code));
    enc_kv_str(&m, "message", sentence);
    enc_close(&m);
    struct slice body = {(const char *)s->reply.p, s->reply.n}, none = {NULL, 0};
    if (sockets_send(s->o.sockets, in->endpoint, in->id, in->delimited, "error", body, none))
        log_line(LOG_L_DEBUG, "reply dropped", "verb=error");
}
