/* SPDX-License-Identifier: Apache-2.0 */
/* The server: a message's frames, to a row of the verb table, to a reply. What must be durable waits in the
 * writer's batch and is answered when that is finished; nothing is acknowledged or published before. Main
 * thread; owns no socket, no thread and no state of an enterprise. */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "daemon/auth.h"
#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/events.h"
#include "daemon/query.h"
#include "daemon/socket.h"
#include "daemon/writer.h"

struct server;

struct server_options {
    struct loop *loop;
    struct sockets *sockets;
    struct auth *auth;
    struct writer *writer;
    struct query_thread *queries;
    struct events *events;
    struct clock *clock;
    const uint8_t *store_id, *key; /* of the journal */
    struct slice settings_hash;    /* of the settings in force there; n 0: none yet */
    const struct feeds *feeds;     /* what each source had sent before; taken over */
};

struct server *server_create(const struct server_options *, struct config *); /* holds the configuration */
void server_destroy(struct server *);

void server_message(struct server *, const struct wire_in *);
void server_turn(struct server *);  /* after messages: hands the batch over, sends what became possible */
void server_woken(struct server *); /* a batch, a checkpoint or a query has been finished */
void server_tick(struct server *);  /* once a second */

/* Another configuration is in force from the next message on. Its settings go into the journal if they are
 * others than those in force there. */
void server_configure(struct server *, struct config *);
bool server_settled(const struct server *); /* the journal has the settings of the configuration */
void server_problem(struct server *, const char *sentence); /* shown in `status`; NULL: it is over */

/* At the end, after writer_drain(): answers what was finished. */
void server_last_words(struct server *);

#endif
