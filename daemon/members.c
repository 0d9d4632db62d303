/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/members.h"

static bool seen(const struct member *m, const region_t *regions, size_t n_regions)
{
    for (uint32_t i = 0; i < m->n_places; i++)
        for (size_t k = 0; k < n_regions; k++)
            if (region_within(m->places[i], regions[k]))
                return true;
    return n_regions == 0;
}

uint32_t members_seen(const struct member *list, uint32_t n, const region_t *regions, size_t n_regions, struct member *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++)
        if (seen(&list[i], regions, n_regions))
            out[kept++] = list[i];
    return kept;
}
