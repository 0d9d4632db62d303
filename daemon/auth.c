/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the ZAP socket. Main thread; libzmq's thread waits for its answers without blocking. */
#include "daemon/auth.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum {
    PARTS_MAX = 8, /* of a request: version, id, domain, address, identity, mechanism, credentials, and one
                      too many */
    PART_BYTES = 256,
    TURN_REQUESTS = 64,
    KEY_BYTES = 32,
    LOG_EVERY_MS = 1000 /* refusals: a flood of them must not fill the log */
};

struct auth {
    void *zmq;
    struct watch *watch;
    const struct auth_endpoint *endpoints;
    unsigned n;
    const struct principals *principals;
    int64_t logged_at;
    uint64_t unlogged;
};

struct part {
    size_t n;
    char p[PART_BYTES + 1]; /* NUL-terminated */
};

struct verdict {
    const char *status, *text; /* "200", "OK" */
    char user[80];
};

void auth_domain(unsigned endpoint, char out[12])
{
    snprintf(out, 12, "%u", endpoint);
}

void auth_set(struct auth *a, const struct auth_endpoint *endpoints, unsigned n, const struct principals *ps)
{
    a->endpoints = endpoints;
    a->n = n;
    a->principals = ps;
}

/* User-Id: "n:name" by endpoint, "k:key" by CURVE. */
const struct principal *auth_who(const struct auth *a, const char *user)
{
    if (!user || !a->principals)
        return NULL;
    struct slice rest = slice_of(user);
    if (rest.n < 2 || user[1] != ':')
        return NULL;
    rest = (struct slice){user + 2, rest.n - 2};
    if (user[0] == 'n')
        return principals_named(a->principals, rest);
    return user[0] == 'k' ? principals_keyed(a->principals, rest) : NULL;
}

static struct verdict refuse(const char *text)
{
    return (struct verdict){.status = "400", .text = text};
}

static struct verdict by_key(const struct auth *a, const struct part *key)
{
    char text[KEY_TEXT_LEN + 1];
    if (key->n != KEY_BYTES || !zmq_z85_encode(text, (const uint8_t *)key->p, KEY_BYTES))
        return refuse("no public key");
    if (!principals_keyed(a->principals, slice_of(text)))
        return refuse("no principal has this key");
    struct verdict v = {.status = "200", .text = "OK"};
    snprintf(v.user, sizeof v.user, "k:%s", text);
    return v;
}

static struct verdict decide(const struct auth *a, const struct part *parts, size_t n)
{
    enum { VERSION, REQUEST, DOMAIN, ADDRESS, IDENTITY, MECHANISM, CREDENTIALS };
    if (n < CREDENTIALS || strcmp(parts[VERSION].p, "1.0") != 0)
        return refuse("a request that is not ZAP 1.0");
    char *end;
    unsigned long e = strtoul(parts[DOMAIN].p, &end, 10);
    if (*end || end == parts[DOMAIN].p || e >= a->n || !a->principals)
        return refuse("no such endpoint");
    if (a->endpoints[e].curve)
        return n > CREDENTIALS && strcmp(parts[MECHANISM].p, "CURVE") == 0
                   ? by_key(a, &parts[CREDENTIALS])
                   : refuse("this endpoint wants CURVE");
    if (strcmp(parts[MECHANISM].p, "NULL") != 0)
        return refuse("this endpoint has no keys");
    if (!principals_named(a->principals, slice_of(a->endpoints[e].principal)))
        return refuse("the endpoint's principal is gone");
    struct verdict v = {.status = "200", .text = "OK"};
    snprintf(v.user, sizeof v.user, "n:%s", a->endpoints[e].principal);
    return v;
}

/* Parts of one request; 0: none is there. Longer ones are cut: none that we know is so long. */
static size_t receive(struct auth *a, struct part parts[PARTS_MAX])
{
    struct part spare;
    size_t n = 0;
    int more = 1;
    while (more) {
        struct part *p = n < PARTS_MAX ? &parts[n] : &spare;
        int got = zmq_recv(a->zmq, p->p, PART_BYTES, ZMQ_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return 0;
        p->n = (size_t)got < PART_BYTES ? (size_t)got : PART_BYTES;
        p->p[p->n] = 0;
        n++;
        size_t size = sizeof more;
        if (zmq_getsockopt(a->zmq, ZMQ_RCVMORE, &more, &size) < 0)
            return 0;
    }
    return n < PARTS_MAX ? n : PARTS_MAX;
}

static void answer(struct auth *a, const struct part *request, const struct verdict *v)
{
    const struct slice frames[] = {
        SLICE("1.0"),      {request->p, request->n}, slice_of(v->status),
        slice_of(v->text), slice_of(v->user),        {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(frames); i++)
        if (zmq_send(a->zmq, frames[i].p, frames[i].n,
                     (i + 1 < ARRAY_LEN(frames) ? ZMQ_SNDMORE : 0) | ZMQ_DONTWAIT) < 0)
            return;
}

static void say_refused(struct auth *a, const struct part *domain, const char *why)
{
    int64_t now = loop_ms();
    a->unlogged++;
    if (a->logged_at && now - a->logged_at < LOG_EVERY_MS)
        return;
    char quoted[128];
    log_line(LOG_L_WARNING, "client refused", "endpoint=%.8s count=%llu reason=%s", domain->p,
             (unsigned long long)a->unlogged, log_quote(quoted, sizeof quoted, slice_of(why)));
    a->logged_at = now;
    a->unlogged = 0;
}

static void readable(void *arg)
{
    struct auth *a = arg;
    struct part parts[PARTS_MAX] = {0};
    for (int i = 0; i < TURN_REQUESTS; i++) {
        size_t n = receive(a, parts);
        if (!n)
            break;
        struct verdict v = decide(a, parts, n);
        if (n < 3) {
            parts[1].n = 0;
            parts[2].p[0] = 0;
        }
        if (v.status[0] != '2')
            say_refused(a, &parts[2], v.text);
        answer(a, &parts[1], &v);
    }
    int events = 0;
    size_t size = sizeof events;
    if (zmq_getsockopt(a->zmq, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN))
        watch_again(a->watch);
}

int auth_create(struct auth **out, struct loop *loop, void *context, struct err *err)
{
    struct auth *a = mem_zalloc(sizeof *a);
    int fd, linger = 0;
    size_t size = sizeof fd;
    a->zmq = zmq_socket(context, ZMQ_REP);
    if (!a->zmq || zmq_setsockopt(a->zmq, ZMQ_LINGER, &linger, sizeof linger) < 0 ||
        zmq_bind(a->zmq, "inproc://zeromq.zap.01") < 0 || zmq_getsockopt(a->zmq, ZMQ_FD, &fd, &size) < 0) {
        int code = err_set(err, WW_EIO, "auth: no handler for handshakes: %s", zmq_strerror(errno));
        if (a->zmq)
            zmq_close(a->zmq);
        free(a);
        return code;
    }
    a->watch = loop_readable(loop, fd, readable, a);
    watch_again(a->watch);
    *out = a;
    return 0;
}

void auth_destroy(struct auth *a)
{
    if (!a)
        return;
    watch_stop(a->watch);
    zmq_close(a->zmq);
    free(a);
}

int auth_read_secret(const char *file, char out[KEY_TEXT_LEN + 1], struct err *err)
{
    char text[KEY_TEXT_LEN + 2] = "";
    uint8_t key[KEY_BYTES];
    struct stat st;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, WW_ECONFIG, "%s: cannot read the secret key: %s", file, strerror(errno));
    ssize_t n = read(fd, text, sizeof text - 1);
    if (fstat(fd, &st) == 0 && (st.st_mode & S_IRWXO)) {
        close(fd);
        return err_set(err, WW_ECONFIG, "%s: anybody may read this secret key; 'chmod o= %s'", file, file);
    }
    close(fd);
    bool ends =
        n == KEY_TEXT_LEN || (n > KEY_TEXT_LEN && (text[KEY_TEXT_LEN] == '\n' || text[KEY_TEXT_LEN] == '\r'));
    text[KEY_TEXT_LEN] = 0;
    if (!ends || !zmq_z85_decode(key, text))
        return err_set(err, WW_ECONFIG,
                       "%s: no secret key: its first line must be the 40 characters of one (Z85)", file);
    memcpy(out, text, KEY_TEXT_LEN + 1);
    return 0;
}
