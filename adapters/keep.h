/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as the spool keeps them, and an input's progress: to bytes and back. Bytes carry a version and a
 * check; to change a layout, raise KEEP_VERSION: what an older program left is then read anew, which costs
 * duplicates, no loss. Pure; any thread. */
#ifndef ADAPTERS_KEEP_H
#define ADAPTERS_KEEP_H

#include "adapters/spool.h"
#include "lib/buf.h"

enum { KEEP_VERSION = 1, KEEP_HEAD = 5 /* CRC32C of all after it, version */ };

void keep_signals(struct buf *, const struct ww_signal *, size_t n);
/* False: the bytes are of another version or damaged. Texts are copied to the arena. */
bool keep_read_signals(struct slice, struct arena *, struct ww_signal **, size_t *n);

void keep_progress(struct buf *, const struct progress *);
bool keep_read_progress(struct slice, struct progress *);

#endif
