/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a hub, and counts of what they give. Any change touches the hub's row and one page, however many members
 * there are: free slots are chained through their pages. Writer thread. Whom a change concerns is link.c's business. */
#include "engine/hub.h"

#include "engine/fold.h"

enum { HUB_VERSION = 1, ENTRY_LEN = EKEY_LEN + 1, PAGE_KEY_LEN = HUB_LEN + 4 };

/* ---- the row ---- */

static struct hub empty_hub(void)
{
    return (struct hub){.due = NO_INT};
}

static void damaged(struct engine *e)
{
    if (!engine_failed(e))
        err_set(e->err, WW_EDAMAGED, "view: the members of a link do not decode; run wagewarnd --rebuild");
    e->failed = true;
}

static void get_head(struct rd *r, struct hub *h)
{
    if (rd_u8(r) != HUB_VERSION)
        r->bad = true;
    h->slots = (uint32_t)rd_varint(r);
    h->members = (uint32_t)rd_varint(r);
    h->free = (uint32_t)rd_varint(r);
    h->due = rd_when(r);
    h->page = (uint32_t)rd_varint(r);
    h->left = (uint32_t)rd_varint(r);
    h->news = rd_varint(r);
    h->n_counts = (uint32_t)rd_count(r, EKEY_LEN + 2);
}

uint32_t hub_members(struct slice row)
{
    struct rd r = rd_of(row.p, row.n);
    struct hub h = empty_hub();
    get_head(&r, &h);
    return r.bad ? 0 : h.members;
}

static void get_count(struct rd *r, struct hub_count *c)
{
    c->word = (uint32_t)rd_varint(r);
    c->n = (uint32_t)rd_varint(r);
    const uint8_t *by = rd_bytes(r, EKEY_LEN);
    if (by)
        memcpy(c->by.b, by, EKEY_LEN);
}

bool hub_load(struct engine *e, const uint8_t id[HUB_LEN], struct hub *h)
{
    struct slice v = state_get(e->state, T_LINK, id, HUB_LEN);
    *h = empty_hub();
    if (!v.p)
        return false;
    struct rd r = rd_of(v.p, v.n);
    get_head(&r, h);
    h->counts = arena_zalloc(&e->scratch, (h->n_counts + 1) * sizeof *h->counts);
    for (uint32_t i = 0; i < h->n_counts; i++)
        get_count(&r, &h->counts[i]);
    if (!r.bad && !rd_left(&r))
        return true;
    damaged(e);
    *h = empty_hub();
    return false;
}

void hub_store(struct engine *e, const uint8_t id[HUB_LEN], const struct hub *h)
{
    buf_reset(&e->buf);
    buf_u8(&e->buf, HUB_VERSION);
    buf_varint(&e->buf, h->slots);
    buf_varint(&e->buf, h->members);
    buf_varint(&e->buf, h->free);
    buf_when(&e->buf, h->due);
    buf_varint(&e->buf, h->page);
    buf_varint(&e->buf, h->left);
    buf_varint(&e->buf, h->news);
    buf_varint(&e->buf, h->n_counts);
    for (uint32_t i = 0; i < h->n_counts; i++) {
        buf_varint(&e->buf, h->counts[i].word);
        buf_varint(&e->buf, h->counts[i].n);
        buf_put(&e->buf, h->counts[i].by.b, EKEY_LEN);
    }
    state_put(e->state, T_LINK, id, HUB_LEN, e->buf.p, e->buf.n);
}

/* ---- pages: ENTRY_LEN bytes a slot; of a free one byte 0 is 0 and the next four say which is free after it ---- */

static void page_key(uint8_t out[PAGE_KEY_LEN], const uint8_t id[HUB_LEN], uint32_t page)
{
    memcpy(out, id, HUB_LEN);
    for (int i = 0; i < 4; i++)
        out[HUB_LEN + i] = (uint8_t)(page >> (24 - 8 * i));
}

/* A page's bytes, copied to `out`; how many. */
static size_t read_page(struct engine *e, const uint8_t id[HUB_LEN], uint32_t page,
                        uint8_t out[PAGE_MEMBERS * ENTRY_LEN])
{
    uint8_t key[PAGE_KEY_LEN];
    page_key(key, id, page);
    struct slice v = state_get(e->state, T_LINK, key, sizeof key);
    if (v.n > PAGE_MEMBERS * ENTRY_LEN || v.n % ENTRY_LEN) {
        damaged(e);
        return 0;
    }
    if (v.n)
        memcpy(out, v.p, v.n);
    return v.n;
}

/* Writes one slot; gives what stood there in `was`. */
static void write_slot(struct engine *e, const uint8_t id[HUB_LEN], uint32_t slot, const uint8_t now[ENTRY_LEN],
                       uint8_t was[ENTRY_LEN])
{
    uint8_t key[PAGE_KEY_LEN], bytes[PAGE_MEMBERS * ENTRY_LEN];
    size_t n = read_page(e, id, slot / PAGE_MEMBERS, bytes), at = slot % PAGE_MEMBERS * (size_t)ENTRY_LEN;
    memset(was, 0, ENTRY_LEN);
    if (at > n) {
        damaged(e);
        return;
    }
    if (at < n)
        memcpy(was, bytes + at, ENTRY_LEN);
    else
        n += ENTRY_LEN;
    memcpy(bytes + at, now, ENTRY_LEN);
    page_key(key, id, slot / PAGE_MEMBERS);
    state_put(e->state, T_LINK, key, sizeof key, bytes, n);
}

uint32_t hub_page(struct engine *e, const uint8_t id[HUB_LEN], uint32_t page, struct hub_member out[PAGE_MEMBERS])
{
    uint8_t bytes[PAGE_MEMBERS * ENTRY_LEN];
    uint32_t n = (uint32_t)(read_page(e, id, page, bytes) / ENTRY_LEN);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(out[i].key.b, bytes + (size_t)i * ENTRY_LEN, EKEY_LEN);
        out[i].roles = bytes[(size_t)i * ENTRY_LEN + EKEY_LEN];
    }
    return n;
}

/* ---- coming and going ---- */

uint32_t hub_join(struct engine *e, const uint8_t id[HUB_LEN], struct hub *h, const struct ekey *key, uint8_t roles)
{
    uint8_t now[ENTRY_LEN], was[ENTRY_LEN];
    uint32_t slot = h->free ? h->free - 1 : h->slots++;
    bool reused = h->free != 0;
    memcpy(now, key->b, EKEY_LEN);
    now[EKEY_LEN] = roles;
    write_slot(e, id, slot, now, was);
    if (reused)
        h->free = (uint32_t)was[1] << 24 | (uint32_t)was[2] << 16 | (uint32_t)was[3] << 8 | was[4];
    h->members++;
    hub_store(e, id, h);
    return slot;
}

void hub_set_roles(struct engine *e, const uint8_t id[HUB_LEN], uint32_t slot, uint8_t roles)
{
    struct hub_member page[PAGE_MEMBERS];
    uint8_t now[ENTRY_LEN], was[ENTRY_LEN];
    if (slot % PAGE_MEMBERS >= hub_page(e, id, slot / PAGE_MEMBERS, page)) {
        damaged(e);
        return;
    }
    memcpy(now, page[slot % PAGE_MEMBERS].key.b, EKEY_LEN);
    now[EKEY_LEN] = roles;
    write_slot(e, id, slot, now, was);
}

static struct ekey hub_key(const uint8_t id[HUB_LEN])
{
    struct ekey k = {{(uint8_t)((id[0] & 0xf0) | EKEY_HUB)}};
    memcpy(k.b + 1, id, HUB_LEN);
    return k;
}

static void set_due(struct engine *e, const uint8_t id[HUB_LEN], struct hub *h, int64_t at)
{
    struct ekey k = hub_key(id);
    due_set(e->due, &k, h->due, at);
    h->due = at;
}

static void drop_hub(struct engine *e, const uint8_t id[HUB_LEN], struct hub *h)
{
    uint8_t key[PAGE_KEY_LEN];
    for (uint32_t i = 0; i < hub_pages(h); i++) {
        page_key(key, id, i);
        state_del(e->state, T_LINK, key, sizeof key);
    }
    set_due(e, id, h, NO_INT);
    state_del(e->state, T_LINK, id, HUB_LEN);
    *h = empty_hub();
}

void hub_leave(struct engine *e, const uint8_t id[HUB_LEN], struct hub *h, uint32_t slot)
{
    uint8_t was[ENTRY_LEN], now[ENTRY_LEN] = {0, (uint8_t)(h->free >> 24), (uint8_t)(h->free >> 16),
                                              (uint8_t)(h->free >> 8), (uint8_t)h->free};
    if (!h->members || slot >= h->slots) {
        damaged(e);
        return;
    }
    if (--h->members == 0) {
        drop_hub(e, id, h);
        return;
    }
    write_slot(e, id, slot, now, was);
    h->free = slot + 1;
    hub_store(e, id, h);
}

/* ---- what its members give ---- */

uint32_t hub_count_of(struct engine *e, const uint8_t id[HUB_LEN], uint32_t word, struct hub_count *out)
{
    struct slice v = state_get(e->state, T_LINK, id, HUB_LEN);
    struct rd r = rd_of(v.p, v.n);
    struct hub h = empty_hub();
    *out = (struct hub_count){0};
    if (!v.p)
        return 0;
    get_head(&r, &h);
    for (uint32_t i = 0; i < h.n_counts && !r.bad; i++) {
        get_count(&r, out);
        if (out->word == word)
            return out->n;
    }
    return 0;
}

bool hub_less(struct hub *h, uint32_t word, const struct ekey *by)
{
    for (uint32_t i = 0; i < h->n_counts; i++) {
        struct hub_count *c = &h->counts[i];
        if (c->word != word)
            continue;
        if (ekey_cmp(&c->by, by) == 0)
            c->by = (struct ekey){{0}};
        bool noticed = c->n <= 2;
        if (--c->n == 0)
            *c = h->counts[--h->n_counts];
        return noticed;
    }
    return false;
}

bool hub_more(struct engine *e, struct hub *h, uint32_t word, const struct ekey *by)
{
    uint32_t i = 0;
    while (i < h->n_counts && h->counts[i].word != word)
        i++;
    if (i == h->n_counts) {
        struct hub_count *list = arena_alloc(&e->scratch, (h->n_counts + 1) * sizeof *list);
        if (i)
            memcpy(list, h->counts, i * sizeof *list);
        h->counts = list;
        h->counts[h->n_counts++] = (struct hub_count){.word = word};
    }
    h->counts[i].n++;
    h->counts[i].by = *by;
    if (!e->working_off)
        h->news = e->number;
    return h->counts[i].n <= 2;
}

/* ---- the walk ---- */

/* Hubs that one entry wakes begin one after the other. A change while a walk is under way makes it go around once more from where it is, so that members at the end are not
 * kept waiting for ever by changes that never cease. */
void hub_wake(struct engine *e, const uint8_t id[HUB_LEN], struct hub *h)
{
    h->left = hub_pages(h);
    if (h->due == NO_INT)
        set_due(e, id, h, e->time + WALK_MS * (int64_t)++e->n_woken);
    hub_store(e, id, h);
}

void link_due(struct engine *e, const struct ekey *key, int64_t at)
{
    const uint8_t *id = key->b + 1;
    struct hub_member members[PAGE_MEMBERS];
    struct hub h;
    if (!hub_load(e, id, &h)) {
        due_set(e->due, key, at, NO_INT);
        return;
    }
    if (h.page >= hub_pages(&h))
        h.page = 0;
    uint32_t n = hub_page(e, id, h.page, members);
    for (uint32_t i = 0; i < n; i++)
        if (members[i].key.b[0])
            link_concerned(e, &members[i].key);
    h.page++;
    h.left = h.left ? h.left - 1 : 0;
    set_due(e, id, &h, h.left ? at + WALK_MS : NO_INT);
    if (!h.left)
        h.page = 0;
    hub_store(e, id, &h);
}
