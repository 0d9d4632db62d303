/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the file system; leaves to the writer what too little space means. */
#include "daemon/space.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

enum { ASK_AGAIN_MS = 100, WHOLE_PPM = 1000000 };

static int64_t boot_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void space_init(struct space *s, const char *dir)
{
    *s = (struct space){.dir = mem_strndup(dir, strlen(dir)), .asked_ms = -ASK_AGAIN_MS, .free_ppm = WHOLE_PPM};
}

void space_finish(struct space *s)
{
    free(s->dir);
}

static uint64_t ppm(uint64_t part, uint64_t whole)
{
    return whole ? (uint64_t)((unsigned __int128)part * WHOLE_PPM / whole) : WHOLE_PPM;
}

uint64_t space_free_ppm(struct space *s)
{
    int64_t now = boot_ms();
    if (now - s->asked_ms < ASK_AGAIN_MS)
        return s->free_ppm;
    s->asked_ms = now;
    struct statvfs v;
    if (statvfs(s->dir, &v) == 0) {
        uint64_t blocks = ppm(v.f_bavail, v.f_blocks);
        uint64_t inodes = ppm(v.f_favail, v.f_files); /* some file systems count none: whole */
        s->free_ppm = blocks < inodes ? blocks : inodes;
    }
    return s->free_ppm;
}
