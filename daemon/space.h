/* SPDX-License-Identifier: Apache-2.0 */
/* Free space of the disk under the state directory, asked at most a few times a second. One thread. */
#ifndef DAEMON_SPACE_H
#define DAEMON_SPACE_H

#include "lib/base.h"

struct space {
    char *dir; /* owned: a reload frees the configuration that named it */
    int64_t asked_ms; /* boot clock of the last answer */
    uint64_t free_ppm;
};

void space_init(struct space *, const char *dir);
void space_finish(struct space *);
/* Parts per million that an unprivileged process may still use, the smaller of blocks and inodes. A disk that does not
 * answer counts as the last answer, at first as free: writing to it will tell. */
uint64_t space_free_ppm(struct space *);

#endif
