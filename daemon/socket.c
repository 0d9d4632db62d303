/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the ZeroMQ context and the ROUTER sockets. Main thread; libzmq's own thread does the network. Leaves
 * what a message means to the server, and who a peer is to auth. */
#include "daemon/socket.h"

#include "lib/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

enum {
    ENDPOINTS_MAX = 32,
    TURN_MESSAGES = 64, /* taken from one socket in one turn */
    FRAMES_KEPT = 5,    /* id, delimiter, verb, body, one too many */
    HWM_IN = 64,        /* messages waiting, a peer: each may be max_bytes long */
    HWM_OUT = 16384,    /* replies waiting, a peer: a client may send that many before it reads */
    HANDSHAKE_MS = 3000,
    HEARTBEAT_MS = 10000,
    HEARTBEAT_TIMEOUT_MS = 30000,
    LINGER_MS = 1000,
    ZAP_ENFORCE_DOMAIN = 93 /* a draft name in zmq.h, but it works */
};

struct socket {
    struct sockets *all;
    void *zmq;
    struct watch *watch;
    unsigned number;
    char address[160];
};

struct sockets {
    void *context;
    struct loop *loop;
    struct socket_calls calls;
    struct socket *list[ENDPOINTS_MAX];
    unsigned n;
    bool paused;
};

int sockets_create(struct sockets **out, struct loop *loop, const struct socket_calls *calls, struct err *err)
{
    void *context = zmq_ctx_new();
    if (!context)
        return err_set(err, WW_EIO, "socket: no ZeroMQ context: %s", zmq_strerror(errno));
    struct sockets *ss = mem_zalloc(sizeof *ss);
    ss->context = context;
    ss->loop = loop;
    ss->calls = *calls;
    *out = ss;
    return 0;
}

void sockets_destroy(struct sockets *ss)
{
    if (!ss)
        return;
    for (unsigned i = 0; i < ss->n; i++) {
        watch_stop(ss->list[i]->watch);
        zmq_close(ss->list[i]->zmq);
        free(ss->list[i]);
    }
    while (zmq_ctx_term(ss->context) < 0 && errno == EINTR)
        continue;
    free(ss);
}

void *sockets_context(struct sockets *ss)
{
    return ss->context;
}

const char *sockets_address(const struct sockets *ss, unsigned endpoint)
{
    return endpoint < ss->n ? ss->list[endpoint]->address : NULL;
}

void sockets_pause(struct sockets *ss)
{
    ss->paused = true;
    for (unsigned i = 0; i < ss->n; i++)
        watch_stop(ss->list[i]->watch);
}

/* ---- opening ---- */

static bool set_options(void *zmq, const struct endpoint *e, size_t max_message)
{
    const struct {
        int option, value;
    } ints[] = {
        {ZMQ_ROUTER_MANDATORY, 1},
        {ZMQ_SNDHWM, HWM_OUT},
        {ZMQ_RCVHWM, HWM_IN},
        {ZMQ_LINGER, LINGER_MS},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_IPV6, strchr(e->address, '[') != NULL},
        {ZAP_ENFORCE_DOMAIN, 1},
        {ZMQ_CURVE_SERVER, e->curve_secret != NULL},
    };
    int64_t max = (int64_t)max_message;
    for (size_t i = 0; i < ARRAY_LEN(ints); i++) {
        if (ints[i].option == ZMQ_CURVE_SERVER && !ints[i].value)
            continue;
        if (zmq_setsockopt(zmq, ints[i].option, &ints[i].value, sizeof ints[i].value) < 0)
            return false;
    }
    return zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &max, sizeof max) == 0 &&
           zmq_setsockopt(zmq, ZMQ_ZAP_DOMAIN, e->domain, strlen(e->domain)) == 0 &&
           (!e->curve_secret || zmq_setsockopt(zmq, ZMQ_CURVE_SECRETKEY, e->curve_secret, 41) == 0);
}

static const char *ipc_path(const char *address)
{
    return strncmp(address, "ipc://", 6) == 0 ? address + 6 : NULL;
}

/* libzmq removes whatever stands in its way: only a socket may. */
static bool in_the_way(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode);
}

/* The file of a dead daemon may go; that of a living one answers. */
static bool ipc_in_use(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(path);
    if (n >= sizeof to.sun_path)
        return false;
    memcpy(to.sun_path, path, n + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool used = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 || errno == EAGAIN;
    close(fd);
    return used;
}

static int bind_fault(const char *address, int fault, struct err *err)
{
    if (fault == EADDRINUSE)
        return err_set(err, WW_EAGAIN,
                       "%s: the address is in use; stop what listens there, or listen elsewhere", address);
    return err_set(err, WW_ECONFIG, "%s: cannot listen there: %s", address, zmq_strerror(fault));
}

static int bind_to(struct socket *s, const struct endpoint *e, struct err *err)
{
    const char *path = ipc_path(e->address);
    if (path && strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return err_set(err, WW_ECONFIG,
                       "%s: the path is longer than the %zu bytes a socket's may have; choose a shorter one",
                       e->address, sizeof((struct sockaddr_un *)0)->sun_path - 1);
    if (path && in_the_way(path))
        return err_set(err, WW_ECONFIG,
                       "%s: something that is no socket stands there; move it away, or listen elsewhere",
                       e->address);
    if (path && ipc_in_use(path))
        return bind_fault(e->address, EADDRINUSE, err);
    if (zmq_bind(s->zmq, e->address) < 0)
        return bind_fault(e->address, errno, err);
    if (path && chmod(path, 0660) < 0)
        return err_set(err, WW_EIO, "%s: cannot set its mode to 0660: %s", path, strerror(errno));
    size_t n = sizeof s->address;
    if (zmq_getsockopt(s->zmq, ZMQ_LAST_ENDPOINT, s->address, &n) < 0)
        snprintf(s->address, sizeof s->address, "%s", e->address);
    return 0;
}

static void readable(void *arg);

int sockets_bind(struct sockets *ss, const struct endpoint *e, size_t max_message, struct err *err)
{
    if (ss->n == ENDPOINTS_MAX)
        return err_set(err, WW_ECONFIG, "%s: more than %d endpoints; listen at fewer", e->address,
                       ENDPOINTS_MAX);
    struct socket *s = mem_zalloc(sizeof *s);
    s->all = ss;
    s->number = ss->n;
    s->zmq = zmq_socket(ss->context, ZMQ_ROUTER);
    int code = 0;
    if (!s->zmq || !set_options(s->zmq, e, max_message)) {
        code = err_set(err, WW_EIO, "%s: no socket: %s", e->address, zmq_strerror(errno));
        goto free_s;
    }
    code = bind_to(s, e, err);
    if (code)
        goto close_zmq;
    int fd;
    size_t n = sizeof fd;
    if (zmq_getsockopt(s->zmq, ZMQ_FD, &fd, &n) < 0) {
        code = err_set(err, WW_EIO, "%s: no descriptor: %s", e->address, zmq_strerror(errno));
        goto close_zmq;
    }
    s->watch = loop_readable(ss->loop, fd, readable, s);
    ss->list[ss->n++] = s;
    watch_again(s->watch); /* the first edge may be gone already */
    return 0;

close_zmq:
    zmq_close(s->zmq);
free_s:
    free(s);
    return code;
}

/* ---- receiving ---- */

static struct slice frame(zmq_msg_t *m)
{
    return (struct slice){zmq_msg_data(m), zmq_msg_size(m)};
}

/* The frames of one message, of which the first FRAMES_KEPT stay; the rest is read and let go. 0: none is
 * there. */
static unsigned receive(struct socket *s, zmq_msg_t kept[FRAMES_KEPT])
{
    unsigned n = 0;
    int more = 1;
    while (more) {
        zmq_msg_t rest;
        zmq_msg_t *m = n < FRAMES_KEPT ? &kept[n] : &rest;
        zmq_msg_init(m);
        if (zmq_msg_recv(m, s->zmq, ZMQ_DONTWAIT) < 0) {
            int fault = errno;
            zmq_msg_close(m);
            if (fault == EINTR && n == 0)
                continue;
            return n;
        }
        more = zmq_msg_more(m);
        if (m == &rest)
            zmq_msg_close(m);
        n++;
    }
    return n;
}

static void hand_over(struct socket *s, zmq_msg_t *kept, unsigned n)
{
    unsigned first = 1;
    struct wire_in in = {.endpoint = s->number, .id = frame(&kept[0])};
    if (n > 1 && zmq_msg_size(&kept[1]) == 0) {
        in.delimited = true;
        first = 2;
    }
    in.frames = n - first;
    if (in.frames >= 1)
        in.verb = frame(&kept[first]);
    if (in.frames >= 2)
        in.body = frame(&kept[first + 1]);
    /* the frame of the routing id loses its properties after a poll: ask the last that was kept */
    if (n > 1)
        in.user = zmq_msg_gets(&kept[(n < FRAMES_KEPT ? n : FRAMES_KEPT) - 1], "User-Id");
    s->all->calls.message(s->all->calls.arg, &in);
}

static bool has_input(struct socket *s)
{
    int events = 0;
    size_t n = sizeof events;
    return zmq_getsockopt(s->zmq, ZMQ_EVENTS, &events, &n) == 0 && (events & ZMQ_POLLIN);
}

static void readable(void *arg)
{
    struct socket *s = arg;
    struct sockets *ss = s->all;
    unsigned taken = 0;
    while (taken < TURN_MESSAGES && !ss->paused) {
        zmq_msg_t kept[FRAMES_KEPT];
        unsigned n = receive(s, kept);
        if (!n)
            break;
        hand_over(s, kept, n);
        for (unsigned i = 0; i < n && i < FRAMES_KEPT; i++)
            zmq_msg_close(&kept[i]);
        taken++;
    }
    if (taken)
        ss->calls.turn(ss->calls.arg);
    if (!ss->paused && has_input(s))
        watch_again(s->watch);
}

void sockets_recheck(struct sockets *ss)
{
    for (unsigned i = 0; i < ss->n && !ss->paused; i++)
        if (has_input(ss->list[i]))
            watch_again(ss->list[i]->watch);
}

/* ---- sending ---- */

static int send_frame(struct socket *s, struct slice a, struct slice b, int flags)
{
    zmq_msg_t m;
    if (zmq_msg_init_size(&m, a.n + b.n) < 0)
        return ENOMEM;
    if (a.n)
        memcpy(zmq_msg_data(&m), a.p, a.n);
    if (b.n)
        memcpy((char *)zmq_msg_data(&m) + a.n, b.p, b.n);
    while (zmq_msg_send(&m, s->zmq, flags | ZMQ_DONTWAIT) < 0) {
        int fault = errno;
        if (fault == EINTR)
            continue;
        zmq_msg_close(&m);
        return fault;
    }
    return 0;
}

int sockets_send(struct sockets *ss, unsigned endpoint, struct slice id, bool delimited, const char *verb,
                 struct slice head, struct slice rest)
{
    const struct slice none = {NULL, 0};
    if (endpoint >= ss->n)
        return WW_EUNREACH;
    struct socket *s = ss->list[endpoint];
    int fault = send_frame(s, id, none, ZMQ_SNDMORE);
    if (fault == EAGAIN)
        return WW_EAGAIN;
    if (fault)
        return WW_EUNREACH;
    /* the first frame chose the peer: if it goes now, libzmq drops the rest by itself */
    if (delimited)
        fault = send_frame(s, none, none, ZMQ_SNDMORE);
    if (!fault)
        fault = send_frame(s, slice_of(verb), none, ZMQ_SNDMORE);
    if (!fault)
        fault = send_frame(s, head, rest, 0);
    return fault ? WW_EUNREACH : 0;
}
