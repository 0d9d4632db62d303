/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into the daemon, with --wrap=recover, for the tests of this folder: segments are so small that a
 * short run begins several, and their images cost little. All else is the daemon that is installed. */
#include "store/recover.h"

enum { SMALL = 32 << 10 };

int __real_recover(const char *state_dir, const struct recover_options *, struct recovered *out,
                   struct err *) WW_CHECK;
int __wrap_recover(const char *state_dir, const struct recover_options *, struct recovered *out,
                   struct err *) WW_CHECK;

int __wrap_recover(const char *state_dir, const struct recover_options *o, struct recovered *out,
                   struct err *err)
{
    struct recover_options small = *o;
    small.segment_bytes = SMALL;
    return __real_recover(state_dir, &small, out, err);
}
