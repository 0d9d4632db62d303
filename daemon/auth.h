/* SPDX-License-Identifier: Apache-2.0 */
/* Who a connection is: the ZAP handler (RFC 27), asked by libzmq at every handshake, on every endpoint. Its
 * answer, the User-Id, comes with each message; auth_who() says which principal bears it now, so that what a
 * reload takes away is gone for those connected too.
 *
 * On an endpoint with CURVE the client's public key decides; on any other the principal that the endpoint
 * names. Main thread. */
#ifndef DAEMON_AUTH_H
#define DAEMON_AUTH_H

#include "daemon/loop.h"
#include "daemon/principal.h"
#include "lib/err.h"

struct auth_endpoint {
    const char *principal; /* of who comes in without a key */
    bool curve;
};

struct auth;

/* Binds the handler; before any endpoint, since libzmq lets everybody in where none is bound. */
int auth_create(struct auth **, struct loop *, void *zmq_context, struct err *) WW_CHECK;
void auth_destroy(struct auth *);

/* The endpoints by number (their ZAP domain is that number) and who there is. Kept by reference until the
 * next call. */
void auth_set(struct auth *, const struct auth_endpoint *, unsigned n, const struct principals *);
void auth_domain(unsigned endpoint, char out[12]);

const struct principal *auth_who(const struct auth *, const char *user); /* NULL: nobody, refuse */

/* Reads a secret key: a file whose first line is its 40 characters (Z85). */
int auth_read_secret(const char *file, char out[KEY_TEXT_LEN + 1], struct err *) WW_CHECK;

#endif
