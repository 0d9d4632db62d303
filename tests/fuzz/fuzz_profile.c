/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: loaded whole, or refused with a sentence and a place. */
#include "adapters/profile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct profile *profile = NULL;
    struct buf said = {0};
    struct err err = {0};
    int rc = profile_parse("fuzz.yaml", (struct slice){(const char *)p, n}, &profile, &said, &err);
    if ((rc == 0) != (profile != NULL) || (rc && (!said.n || !err.msg[0])))
        abort();
    if (profile &&
        (profile->form.n_columns > SOURCE_COLUMNS_MAX || (!profile->kind.n && profile->category < 0)))
        abort();
    profile_destroy(profile);
    buf_finish(&said);
    return 0;
}
