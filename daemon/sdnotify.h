/* SPDX-License-Identifier: Apache-2.0 */
/* Words to the service manager: one datagram each to $NOTIFY_SOCKET, by hand. Without that variable every
 * call does nothing. Main thread. */
#ifndef DAEMON_SDNOTIFY_H
#define DAEMON_SDNOTIFY_H

#include "lib/base.h"

void sdnotify_open(void); /* reads the environment once */
void sdnotify_close(void);

void sdnotify_ready(void);
void sdnotify_status(const char *fmt, ...) WW_PRINTF(1, 2); /* one sentence */
void sdnotify_reloading(void);                              /* sdnotify_ready() ends it */
void sdnotify_stopping(void);
void sdnotify_extend(int64_t ms); /* start or stop takes this much longer from now on */
void sdnotify_watchdog(void);
/* How often the manager wants a sign of life; 0: it does not. Call at half of it. */
int64_t sdnotify_watchdog_ms(void);

#endif
