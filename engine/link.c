/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/fold.h"

void link_note(struct engine *e, struct record *c, const struct sig *sig, uint32_t kind)
{
    (void)e, (void)c, (void)sig, (void)kind;
}

void link_recall(struct engine *e, struct record *c)
{
    (void)e, (void)c;
}

void link_publish(struct engine *e, struct record *c, const struct judgement *j)
{
    (void)e, (void)c, (void)j;
}

void link_settle(struct engine *e, int64_t at)
{
    (void)e, (void)at;
}

void link_due(struct engine *e, const struct ekey *hub, int64_t at)
{
    (void)e, (void)hub, (void)at;
}

struct verdict link_holds(struct engine *e, const struct record *r, const struct cond *c, int64_t at)
{
    (void)e, (void)r, (void)c, (void)at;
    return (struct verdict){false, INT64_MAX};
}

struct slice link_other(struct engine *e, const struct record *r, const struct cond *c, int64_t at, uint8_t *link)
{
    (void)e, (void)r, (void)c, (void)at;
    *link = 0;
    return (struct slice){0};
}
