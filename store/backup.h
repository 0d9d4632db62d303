/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of a store, made beside the daemon at work, and back. A backup is a folder with journal/ and view/ as a state
 * directory has them, and a file BACKUP, written last, that says what is in it: without it the backup is not complete.
 *
 * The view is copied first, then the segments, so the journal is never behind the view; what came meanwhile is in the
 * segments and is folded at the first start. The store's id is not copied: a restored store takes a new one when it is
 * first opened, so that subscribers begin anew and feeders send again what the backup lacks. Where notes were forgotten
 * after a backup was made, the daemon forgets them again after the restore. One thread; verify forks. */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "lib/base.h"
#include "lib/err.h"

struct backup_report {
    uint64_t first, last;   /* entries */
    uint64_t view_number;   /* last entry that the view holds */
    uint64_t segments, bytes;
    int64_t last_time;
    unsigned replaced;      /* restore: N of state_dir/replaced-N; 0: nothing was in the way */
};

/* Makes the folder `to`, which must not be there or be empty, and checks what was written before it calls it complete.
 * WW_EUSAGE: there is something in it; WW_ENOTFOUND: no journal in state_dir; WW_EDAMAGED; WW_EFULL, WW_EIO. */
int backup_make(const char *state_dir, const char *to, struct backup_report *, struct err *) WW_CHECK;

/* Checks the backup, then puts it into state_dir, which must hold nothing but what an empty store leaves; with `replace`
 * what is in its way is moved into a new folder state_dir/replaced-N first, and nothing is ever deleted. Holds the
 * journal's lock meanwhile. Run by root, what it makes belongs to the owner of state_dir. Interrupted, it is simply called again; no daemon starts on half of it. WW_ELOCKED: a daemon
 * is at work there; WW_EUSAGE: there is something in it; WW_ENOTFOUND: no complete backup; WW_EDAMAGED; WW_EFULL, WW_EIO. */
int backup_restore(const char *from, const char *state_dir, bool replace, struct backup_report *,
                   struct err *) WW_CHECK;

#endif
