/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for inputs to grow: a change in their folders, data in a pipe, or a moment gone by (network disks
 * tell of nothing). One thread. */
#ifndef ADAPTERS_FOLLOW_H
#define ADAPTERS_FOLLOW_H

#include "lib/base.h"

struct follow;

struct follow *follow_open(const char *const *paths, size_t n);
void follow_close(struct follow *); /* NULL is fine */

/* Comes back at the first of these, or at a signal. fds: pipes to wait for too; -1 is passed over. */
void follow_wait(struct follow *, const int *fds, size_t n);

#endif
