/* SPDX-License-Identifier: Apache-2.0 */
/* A hub (T_LINK): those of one owner, project, parent, succession, or area; its members in pages, and how many of them
 * give what. Writer thread. */
#ifndef ENGINE_HUB_H
#define ENGINE_HUB_H

#include "engine/record.h"

struct engine;

enum {
    PAGE_MEMBERS = 64,   /* of one page; judged again in one step of a walk */
    WALK_MS = 5,         /* journal time between two steps */
    ROLE_PAGES = 4       /* pages in which those of a role are looked for */
};

/* How many members give one thing (struct radiation), and one of them (all zeros: not known). */
struct hub_count {
    uint32_t word, n;
    struct ekey by;
};

struct hub {
    uint32_t slots, members;
    uint32_t free;       /* first free slot + 1; the others are chained in their pages; 0: none */
    int64_t due;         /* next step of the walk; NO_INT: no walk */
    uint32_t page, left; /* of the walk: the next page, and how many are to come */
    uint64_t news;       /* entry that last made a count rise */
    uint32_t n_counts;
    struct hub_count *counts;
};

struct hub_member {
    struct ekey key;     /* byte 0 is 0: nobody */
    uint8_t roles;
};

/* False: nobody is a member (or it failed); *h is an empty one then. */
bool hub_load(struct engine *, const uint8_t id[HUB_LEN], struct hub *);
void hub_store(struct engine *, const uint8_t id[HUB_LEN], const struct hub *);
/* Members come, change their roles, go; the last one takes the rows along. */
uint32_t hub_join(struct engine *, const uint8_t id[HUB_LEN], struct hub *, const struct ekey *, uint8_t roles);
void hub_set_roles(struct engine *, const uint8_t id[HUB_LEN], uint32_t slot, uint8_t roles);
void hub_leave(struct engine *, const uint8_t id[HUB_LEN], struct hub *, uint32_t slot);
/* The members of a page, free slots too; how many. */
uint32_t hub_page(struct engine *, const uint8_t id[HUB_LEN], uint32_t page, struct hub_member out[PAGE_MEMBERS]);
/* How many give a word, and one of them. */
uint32_t hub_count_of(struct engine *, const uint8_t id[HUB_LEN], uint32_t word, struct hub_count *);
/* One member ceases to give `word`, or begins: is it a change that others may notice (0 and 1, 1 and 2)? */
bool hub_less(struct hub *, uint32_t word, const struct ekey *by);
bool hub_more(struct engine *, struct hub *, uint32_t word, const struct ekey *by);
/* All its members are to be judged again, a page at a time. */
void hub_wake(struct engine *, const uint8_t id[HUB_LEN], struct hub *);

/* How many members a row tells of; 0 for bytes that are none. Pure. */
uint32_t hub_members(struct slice row);

static inline uint32_t hub_pages(const struct hub *h)
{
    return (h->slots + PAGE_MEMBERS - 1) / PAGE_MEMBERS;
}

#endif
