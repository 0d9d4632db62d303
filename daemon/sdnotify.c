/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the notify socket. Main thread. A datagram that cannot be sent is no fault of ours and is let go. */
#include "daemon/sdnotify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int fd = -1;
static struct sockaddr_un to;
static socklen_t to_len;

void sdnotify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    to.sun_family = AF_UNIX;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = 0; /* abstract: the name goes on to the end of the address */
    to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/'));
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void sdnotify_close(void)
{
    if (fd >= 0)
        close(fd);
    fd = -1;
}

static void say(const char *words)
{
    if (fd >= 0 && sendto(fd, words, strlen(words), MSG_NOSIGNAL, (const struct sockaddr *)&to, to_len) < 0)
        return;
}

void sdnotify_ready(void)
{
    say("READY=1");
}

void sdnotify_status(const char *fmt, ...)
{
    char words[512] = "STATUS=";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(words + 7, sizeof words - 7, fmt, ap);
    va_end(ap);
    say(words);
}

void sdnotify_reloading(void)
{
    struct timespec t;
    char words[80];
    clock_gettime(CLOCK_MONOTONIC, &t);
    snprintf(words, sizeof words, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
    say(words);
}

void sdnotify_stopping(void)
{
    say("STOPPING=1");
}

void sdnotify_extend(int64_t ms)
{
    char words[64];
    snprintf(words, sizeof words, "EXTEND_TIMEOUT_USEC=%" PRId64, ms * 1000);
    say(words);
}

void sdnotify_watchdog(void)
{
    say("WATCHDOG=1");
}

int64_t sdnotify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (fd < 0 || !usec || (pid && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    int64_t n = strtoll(usec, NULL, 10);
    return n > 0 ? n / 1000 : 0;
}
