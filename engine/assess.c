/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fold.h"

struct verdict assess_holds(struct engine *e, const struct record *r, const struct cond *c, int64_t at)
{
    (void)e, (void)r, (void)c, (void)at;
    return (struct verdict){false, INT64_MAX};
}

void assess(struct engine *e, const struct record *r, int64_t at, struct event *ev)
{
    (void)e, (void)r, (void)at, (void)ev;
}
