/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the configuration: kinds, regions, the calendar. Loaded whole or refused with a sentence. */
#include "lib/calendar.h"
#include "lib/kind.h"
#include "lib/region.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct slice text = {(const char *)p, n};
    struct err err = {0};
    struct kinds *kinds = NULL;
    struct regions *regions = NULL;
    int rc = kinds_parse(&kinds, "fuzz.csv", text, &err);
    if (rc == 0)
        for (size_t i = 0; i < kinds_count(kinds); i++)
            if (kinds_find(kinds, slice_of(kinds_at(kinds, i)->name)) != kinds_at(kinds, i))
                abort();
    if (rc != 0 && !err.msg[0])
        abort();
    kinds_destroy(kinds);
    if (regions_parse(&regions, "fuzz.csv", text, &err) != 0)
        regions = NULL;
    regions_destroy(regions);
    return 0;
}
