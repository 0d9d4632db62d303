/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fold.h"

int64_t shadow_judge(struct engine *e, struct record *r, int64_t at)
{
    (void)e, (void)r, (void)at;
    return INT64_MAX;
}
