/* SPDX-License-Identifier: Apache-2.0 */
/* The baseline: the least that any server of durable, acknowledged messages must do. One thread receives what is there,
 * appends each message's bytes to a file that was filled with zeros beforehand, one fdatasync for all of them, then the
 * acks. It decodes nothing but the request's number and the length of its list, and knows no signal.
 *
 *     bare --listen ENDPOINT --file PATH [--mib 1024]
 *
 * Prints "ready" on standard error; ends on SIGTERM. */
#include "bench/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

enum { BATCH_MOST = 4096, BUFFER = 8 << 20 };

static volatile sig_atomic_t over;

static void on_term(int sig)
{
    (void)sig;
    over = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "bare: %s: %s\n", what, zmq_strerror(errno));
    exit(74);
}

struct bare {
    void *router;
    int fd;
    off_t at, end;          /* next byte to write; end of the zeros */
    uint8_t *buffer;        /* what one sync covers */
    size_t used;
    size_t n;
    zmq_msg_t who[BATCH_MOST];
    uint64_t rid[BATCH_MOST];
    uint64_t count[BATCH_MOST];
    uint64_t seq;
};

static void fill_zeros(struct bare *b, off_t bytes)
{
    memset(b->buffer, 0, BUFFER);
    for (off_t at = 0; at < bytes; at += BUFFER)
        if (pwrite(b->fd, b->buffer, BUFFER, at) != BUFFER)
            die("cannot fill the file with zeros");
    if (fsync(b->fd) != 0)
        die("fsync");
    b->end = bytes;
}

/* Takes one message if there is one: routing id, verb, body. False: none there. */
static bool take(struct bare *b)
{
    zmq_msg_t *who = &b->who[b->n], verb, body;
    zmq_msg_init(who);
    if (zmq_msg_recv(who, b->router, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(who);
        return false;
    }
    zmq_msg_init(&verb);
    zmq_msg_init(&body);
    if (!zmq_msg_more(who) || zmq_msg_recv(&verb, b->router, 0) < 0 || !zmq_msg_more(&verb) ||
        zmq_msg_recv(&body, b->router, 0) < 0 || zmq_msg_more(&body))
        die("a message that is not of two frames");
    const uint8_t *p = zmq_msg_data(&body);
    size_t n = zmq_msg_size(&body), len = 0;
    const uint8_t *v = mp_find(p, n, "rid", &len);
    b->rid[b->n] = mp_number(v, len, 0);
    /* load_body puts the list at byte 20: its head is enough, its signals are not read */
    b->count[b->n] = n > 23 && memcmp(p + 15, "batch", 5) == 0 ? mp_number(p + 20, 3, 1) : 1;
    memcpy(b->buffer + b->used, p, n);
    b->used += n;
    b->n++;
    zmq_msg_close(&verb);
    zmq_msg_close(&body);
    return true;
}

static void commit(struct bare *b)
{
    if (b->at + (off_t)b->used > b->end)
        b->at = 0; /* round again: what is measured is the writing, not the keeping */
    if (pwrite(b->fd, b->buffer, b->used, b->at) != (ssize_t)b->used || fdatasync(b->fd) != 0)
        die("write");
    b->at += (off_t)b->used;
}

static void acknowledge(struct bare *b)
{
    uint8_t body[128];
    for (size_t i = 0; i < b->n; i++) {
        uint8_t *p = body;
        b->seq += b->count[i];
        mp_put_map(&p, 5);
        mp_put_str(&p, "rid"), mp_put_u64(&p, b->rid[i]);
        mp_put_str(&p, "accepted"), mp_put_u64(&p, b->count[i]);
        mp_put_str(&p, "duplicates"), mp_put_u64(&p, 0);
        mp_put_str(&p, "seq"), mp_put_u64(&p, b->seq);
        mp_put_str(&p, "rejected"), mp_put_list(&p, 0);
        if (zmq_msg_send(&b->who[i], b->router, ZMQ_SNDMORE) < 0 || zmq_send(b->router, "ack", 3, ZMQ_SNDMORE) < 0 ||
            zmq_send(b->router, body, (size_t)(p - body), 0) < 0)
            die("send");
    }
    b->n = b->used = 0;
}

static void serve(struct bare *b)
{
    while (!over) {
        zmq_pollitem_t item = {.socket = b->router, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, 200) <= 0)
            continue;
        while (b->n < BATCH_MOST && b->used < BUFFER / 2 && take(b))
            ;
        if (b->n) {
            commit(b);
            acknowledge(b);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", 1, 0, 'l'}, {"file", 1, 0, 'f'}, {"mib", 1, 0, 'm'}, {0, 0, 0, 0}};
    const char *endpoint = NULL, *file = NULL;
    long mib = 1024;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (o) {
        case 'l': endpoint = optarg; break;
        case 'f': file = optarg; break;
        case 'm': mib = atol(optarg); break;
        default: return 2;
        }
    if (!endpoint || !file || mib < 1 || optind != argc) {
        fprintf(stderr, "usage: bare --listen ENDPOINT --file PATH [--mib MIB]\n");
        return 2;
    }
    struct bare *b = calloc(1, sizeof *b);
    if (!b || !(b->buffer = malloc(BUFFER)))
        return 75;
    b->fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (b->fd < 0)
        die(file);
    fill_zeros(b, (off_t)mib << 20);
    struct sigaction sa = {.sa_handler = on_term};
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    void *context = zmq_ctx_new();
    b->router = zmq_socket(context, ZMQ_ROUTER);
    int hwm = 100000, linger = 0;
    zmq_setsockopt(b->router, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(b->router, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(b->router, ZMQ_LINGER, &linger, sizeof linger);
    if (zmq_bind(b->router, endpoint) != 0)
        die(endpoint);
    fprintf(stderr, "ready\n");
    serve(b);
    zmq_close(b->router);
    zmq_ctx_term(context);
    close(b->fd);
    free(b->buffer);
    free(b);
    return 0;
}
