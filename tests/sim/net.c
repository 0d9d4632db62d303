/* SPDX-License-Identifier: Apache-2.0 */
/* The network and the loop: stands in for daemon/loop, daemon/socket and daemon/auth by their headers. Owns connections
 * and what is on its way in them. Within one connection messages keep their order, as ZeroMQ's do; a break loses what is
 * on its way, both ways, and neither side is told at once. A peer that reads nothing fills its queue. */
#include "tests/sim/sim.h"

#include "daemon/auth.h"
#include "daemon/loop.h"
#include "daemon/socket.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONNS = 32768, QUEUE_MOST = 60, WATCHES = 16, SIGNALS = 32 };

struct conn {
    uint32_t number;      /* its routing id */
    struct link link;
    struct conn **holder; /* the client's pointer; NULL: it hung up */
    int64_t in_last, out_last; /* when the last message arrives */
    unsigned queue, most; /* to the client */
    bool broken, told;    /* told: the daemon has seen that it is gone */
    bool stalled;
    struct packet *held, **held_end; /* arrived, not read */
};

struct packet {
    struct packet *next;
    uint32_t conn;
    char verb[16];
    size_t n;
    uint8_t body[];
};

int64_t net_delay_most = 3000;
bool net_cut, net_ghost;

static struct conn *conns[CONNS];
static uint32_t made;

/* ---- the loop ---- */

struct watch {
    struct loop *loop;
    loop_call *call;
    void *arg;
    int64_t at, every;
    bool pending;
    int signo;
};

struct loop {
    struct watch list[WATCHES];
    unsigned n;
    bool leave;
};

static struct loop *loop_now;
static bool signals[SIGNALS];

int loop_create(struct loop **out, struct err *err)
{
    (void)err;
    *out = loop_now = mem_zalloc(sizeof **out);
    return 0;
}

void loop_destroy(struct loop *l)
{
    loop_now = NULL;
    free(l);
}

static struct watch *add(struct loop *l, int64_t every_ms, loop_call *call, void *arg)
{
    assert(l->n < WATCHES);
    struct watch *w = &l->list[l->n++];
    *w = (struct watch){.loop = l, .call = call, .arg = arg, .every = every_ms * 1000, .at = NEVER};
    if (every_ms)
        w->at = sim_now + w->every;
    return w;
}

struct watch *loop_readable(struct loop *l, int fd, loop_call *call, void *arg)
{
    (void)fd;
    return add(l, 0, call, arg);
}

struct watch *loop_signal(struct loop *l, int signo, loop_call *call, void *arg)
{
    struct watch *w = add(l, 0, call, arg);
    w->signo = signo;
    w->pending = signals[signo];
    signals[signo] = false;
    return w;
}

struct watch *loop_timer(struct loop *l, int64_t every_ms, loop_call *call, void *arg)
{
    return add(l, every_ms, call, arg);
}

struct watch *loop_waker(struct loop *l, loop_call *call, void *arg, struct err *err)
{
    (void)err;
    return add(l, 0, call, arg);
}

void loop_wake(struct watch *w)
{
    w->pending = true;
    sim_wake(w->loop, true);
}

void watch_again(struct watch *w)
{
    loop_wake(w);
}

void watch_after(struct watch *w, int64_t ms)
{
    w->at = sim_now + ms * 1000;
    sim_wake(w->loop, true);
}

void watch_stop(struct watch *w)
{
    w->at = NEVER;
    w->pending = false;
}

static unsigned due(struct loop *l, struct watch **out)
{
    unsigned n = 0;
    for (unsigned i = 0; i < l->n; i++)
        if (l->list[i].pending || l->list[i].at <= sim_now)
            out[n++] = &l->list[i];
    return n;
}

static int64_t next_timer(const struct loop *l)
{
    int64_t at = NEVER;
    for (unsigned i = 0; i < l->n; i++)
        at = l->list[i].at < at ? l->list[i].at : at;
    return at;
}

static void fire(struct watch *w)
{
    if (w->at <= sim_now)
        w->at = w->every ? sim_now + w->every : NEVER;
    w->pending = false;
    w->call(w->arg);
}

void loop_run(struct loop *l)
{
    struct watch *list[WATCHES];
    l->leave = false;
    while (!l->leave) {
        unsigned n = due(l, list);
        if (!n)
            sim_wait(l, next_timer(l));
        else
            fire(list[sim_draw(n)]);
        if (sim_chance(50))
            sim_pause((int64_t)sim_draw(400));
    }
}

void loop_leave(struct loop *l)
{
    l->leave = true;
}

int64_t loop_ms(void)
{
    return sim_now / 1000 + 1000000;
}

void net_forget_signals(void)
{
    memset(signals, 0, sizeof signals);
}

void net_signal(int signo)
{
    for (unsigned i = 0; loop_now && i < loop_now->n; i++)
        if (loop_now->list[i].signo == signo) {
            loop_wake(&loop_now->list[i]);
            return;
        }
    signals[signo] = true; /* it is told when it asks */
}

/* ---- who is who ---- */

struct auth {
    const struct principals *principals;
};

int auth_create(struct auth **out, struct loop *l, void *context, struct err *err)
{
    (void)l, (void)context, (void)err;
    *out = mem_zalloc(sizeof **out);
    return 0;
}

void auth_destroy(struct auth *a)
{
    free(a);
}

void auth_set(struct auth *a, const struct auth_endpoint *endpoints, unsigned n, const struct principals *p)
{
    (void)endpoints, (void)n;
    a->principals = p;
}

void auth_domain(unsigned endpoint, char out[12])
{
    snprintf(out, 12, "%u", endpoint);
}

const struct principal *auth_who(const struct auth *a, const char *user)
{
    return principals_named(a->principals, slice_of(user));
}

int auth_read_secret(const char *file, char out[KEY_TEXT_LEN + 1], struct err *err)
{
    (void)out;
    return err_set(err, WW_ECONFIG, "%s: nobody has a key here", file);
}

/* ---- the daemon's side ---- */

struct sockets {
    struct socket_calls calls;
    struct watch *watch;
    struct packet *inbox, **inbox_end;
    unsigned bound;
    bool paused;
};

static struct sockets *sockets_now;

static void readable(void *arg);

int sockets_create(struct sockets **out, struct loop *l, const struct socket_calls *calls, struct err *err)
{
    (void)err;
    struct sockets *s = mem_zalloc(sizeof *s);
    s->calls = *calls;
    s->inbox_end = &s->inbox;
    s->watch = loop_readable(l, 0, readable, s);
    *out = sockets_now = s;
    return 0;
}

void sockets_destroy(struct sockets *s)
{
    while (s && s->inbox) {
        struct packet *p = s->inbox;
        s->inbox = p->next;
        free(p);
    }
    sockets_now = NULL;
    free(s);
}

void *sockets_context(struct sockets *s)
{
    return s;
}

int sockets_bind(struct sockets *s, const struct endpoint *e, size_t max_message, struct err *err)
{
    (void)e, (void)max_message, (void)err;
    s->bound++;
    return 0;
}

const char *sockets_address(const struct sockets *s, unsigned endpoint)
{
    (void)s, (void)endpoint;
    return "sim";
}

void sockets_pause(struct sockets *s)
{
    s->paused = true;
}

void sockets_recheck(struct sockets *s)
{
    if (s->inbox && !s->paused)
        watch_again(s->watch);
}

bool net_listens(void)
{
    return sockets_now && sockets_now->bound && !sockets_now->paused && !net_ghost;
}

static void routing_id(uint32_t number, uint8_t id[ROUTING_ID_LEN])
{
    id[0] = 0;
    memcpy(id + 1, &number, 4);
}

static void readable(void *arg)
{
    struct sockets *s = arg;
    unsigned most = 1 + (unsigned)sim_draw(64), n = 0;
    for (; s->inbox && n < most && !s->paused && !net_ghost; n++) {
        struct packet *p = s->inbox;
        uint8_t id[ROUTING_ID_LEN];
        if (!(s->inbox = p->next))
            s->inbox_end = &s->inbox;
        routing_id(p->conn, id);
        struct wire_in in = {.id = {(const char *)id, sizeof id},
                             .user = conns[p->conn]->link.user,
                             .frames = 2,
                             .verb = slice_of(p->verb),
                             .body = {(const char *)p->body, p->n}};
        s->calls.message(s->calls.arg, &in);
        free(p);
    }
    if (n)
        s->calls.turn(s->calls.arg);
    sockets_recheck(s);
}

static void hand_to_client(void *packet, uint64_t unused);

static struct packet *pack(uint32_t conn, const char *verb, struct slice head, struct slice rest)
{
    struct packet *p = mem_alloc(sizeof *p + head.n + rest.n);
    *p = (struct packet){.conn = conn, .n = head.n + rest.n};
    snprintf(p->verb, sizeof p->verb, "%s", verb);
    if (head.n)
        memcpy(p->body, head.p, head.n);
    if (rest.n)
        memcpy(p->body + head.n, rest.p, rest.n);
    return p;
}

/* Messages of one connection arrive in their order. */
static int64_t arrival(int64_t *last)
{
    int64_t at = sim_now + 20 + (int64_t)sim_draw((uint64_t)net_delay_most);
    return *last = at > *last ? at : *last + 1;
}

int sockets_send(struct sockets *s, unsigned endpoint, struct slice id, bool delimited, const char *verb,
                 struct slice head, struct slice rest)
{
    uint32_t number;
    (void)s, (void)endpoint, (void)delimited;
    memcpy(&number, id.p + 1, 4);
    struct conn *c = conns[number];
    if (net_ghost || (c->broken && !c->told))
        return 0; /* into the void, like so much */
    if (c->broken)
        return WW_EUNREACH;
    struct packet *p = pack(number, verb, head, rest);
    sim_digest(p->body, p->n);
    c->link.said(c->link.arg, verb, (struct slice){(const char *)p->body, p->n});
    if (c->queue >= c->most) {
        free(p);
        return WW_EAGAIN;
    }
    c->queue++;
    sim_at(arrival(&c->out_last), hand_to_client, p, 0);
    return 0;
}

/* ---- the clients' side ---- */

static void deliver(struct conn *c, struct packet *p)
{
    c->queue--;
    if (c->holder && !c->broken)
        c->link.heard(c->link.arg, p->verb, (struct slice){(const char *)p->body, p->n});
    free(p);
}

static void hand_to_client(void *packet, uint64_t unused)
{
    struct packet *p = packet;
    struct conn *c = conns[p->conn];
    (void)unused;
    p->next = NULL;
    if (c->broken || !c->stalled) {
        deliver(c, p);
        return;
    }
    *c->held_end = p;
    c->held_end = &p->next;
}

void net_stall(struct conn *c, bool stalled)
{
    if (!c)
        return;
    c->stalled = stalled;
    while (!c->stalled && c->held) {
        struct packet *p = c->held;
        if (!(c->held = p->next))
            c->held_end = &c->held;
        deliver(c, p);
    }
}

static void hand_to_daemon(void *packet, uint64_t unused)
{
    struct packet *p = packet;
    struct sockets *s = sockets_now;
    (void)unused;
    if (conns[p->conn]->broken || !s || !s->bound || net_ghost) {
        free(p);
        return;
    }
    p->next = NULL;
    *s->inbox_end = p;
    s->inbox_end = &p->next;
    if (!s->paused)
        watch_again(s->watch);
}

void net_send(struct conn *c, const char *verb, const struct buf *body)
{
    struct slice head = {(const char *)body->p, body->n}, none = {NULL, 0};
    if (!c || c->broken)
        return;
    struct packet *p = pack(c->number, verb, head, none);
    sim_digest(p->body, p->n);
    sim_at(arrival(&c->in_last), hand_to_daemon, p, 0);
}

static void notice(void *conn, uint64_t unused)
{
    struct conn *c = conn;
    (void)unused;
    c->told = true;
}

static void down(void *conn, uint64_t unused)
{
    struct conn *c = conn, **holder = c->holder;
    (void)unused;
    if (!holder)
        return;
    c->holder = NULL;
    *holder = NULL;
    c->link.down(c->link.arg);
}

static void break_conn(struct conn *c, bool tell)
{
    if (c->broken)
        return;
    c->broken = true;
    c->stalled = false;
    sim_at(sim_now + (int64_t)sim_draw(3 * SECOND), notice, c, 0);
    if (tell)
        sim_at(sim_now + (int64_t)sim_draw(SECOND), down, c, 0);
    while (c->held) {
        struct packet *p = c->held;
        c->held = p->next;
        free(p);
    }
    c->held_end = &c->held;
}

void net_hang_up(struct conn **c)
{
    if (!*c)
        return;
    (*c)->holder = NULL;
    break_conn(*c, false);
    *c = NULL;
}

void net_break_all(void)
{
    for (uint32_t i = 1; i <= made; i++)
        break_conn(conns[i], true);
}

/* ---- dialling ---- */

struct dial {
    struct link link;
    struct conn **holder;
};

static void try_dial(void *arg, uint64_t unused)
{
    struct dial *d = arg;
    (void)unused;
    if (!net_listens() || net_cut) {
        sim_at(sim_now + 50 * MS + (int64_t)sim_draw(400 * MS), try_dial, d, 0);
        return;
    }
    assert(made + 1 < CONNS);
    struct conn *c = mem_zalloc(sizeof *c);
    c->number = ++made;
    c->link = d->link;
    c->holder = d->holder;
    c->held_end = &c->held;
    c->most = sim_chance(300) ? 1 + (unsigned)sim_draw(4) : 8 + (unsigned)sim_draw(QUEUE_MOST);
    conns[made] = c;
    *d->holder = c;
    free(d);
    c->link.up(c->link.arg);
}

void net_dial(const struct link *link, struct conn **holder)
{
    struct dial *d = mem_alloc(sizeof *d);
    *d = (struct dial){*link, holder};
    sim_at(sim_now + (int64_t)sim_draw(50 * MS), try_dial, d, 0);
}
