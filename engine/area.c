/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fold.h"

void area_judge(struct engine *e, struct record *area, int64_t at, struct judgement *j)
{
    (void)e, (void)area, (void)at, (void)j;
}

uint32_t area_members(struct engine *e, const struct record *area, struct member *list, uint32_t room, uint32_t *total)
{
    (void)e, (void)area, (void)list, (void)room;
    *total = 0;
    return 0;
}
