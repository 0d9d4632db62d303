/* SPDX-License-Identifier: Apache-2.0 */
/* What an endpoint's text says. Pure. */
#ifndef LIB_ENDPOINT_H
#define LIB_ENDPOINT_H

#include "lib/base.h"

/* Is it on this machine: ipc, tcp to 127.0.0.0/8, ::1 or localhost? Names are not looked up. */
bool endpoint_is_local(const char *endpoint);

#endif
