/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query_rollup.h"

#include "engine/rollup.h"

/* 1, 0 not there, negative failed. Lists in the scratch arena. */
static int get_record(struct answer *a, const struct ekey *key, struct record *c)
{
    struct slice value;
    int rc = view_get(a->reader, T_ENTERPRISE, key->b, EKEY_LEN, &value, a->err);
    if (rc <= 0)
        return rc;
    rc = record_get(value, key, &a->scratch, c, a->err);
    return rc < 0 ? rc : 1;
}

/* The open alert of one area, if that is a parent's and the asker may see it. */
static int parent_of_area(struct answer *a, const uint8_t hub[HUB_LEN], struct alert *parent)
{
    struct ekey key = rollup_area(hub);
    struct record area;
    int rc = get_record(a, &key, &area);
    if (rc <= 0 || !rollup_is_parent(&area) || !area.alert_open)
        return rc < 0 ? rc : 0;
    rc = answer_alert_row(a, area.alert, parent);
    return rc <= 0 ? rc : answer_sees(a, parent->region, parent->places, parent->n_places);
}

int rollup_parent(struct answer *a, const struct alert *al, struct alert *parent)
{
    struct record c;
    struct alert other;
    int found = 0;
    if (al->state == ALERT_STATE_CLOSED || ekey_kind(&al->key) == EKEY_AREA)
        return 0;
    int rc = get_record(a, &al->key, &c);
    for (uint32_t i = 0; rc > 0 && i < c.n_areas; i++) {
        int got = parent_of_area(a, c.areas[i].hub, &other);
        if (got < 0)
            return got;
        if (got && (!found || other.number < parent->number))
            *parent = other;
        found |= got;
    }
    return rc < 0 ? rc : found;
}

static int put_area(struct answer *a, struct enc_open *m, const struct ekey *key)
{
    uint8_t hub[HUB_LEN];
    struct record area;
    struct slice row;
    int rc = get_record(a, key, &area);
    if (rc > 0 && rollup_is_parent(&area)) {
        enum area_by by = rollup_by(&area);
        enc_kv_str(m, "rolls_up", by == AREA_BY_OWNER ? "owner" : by == AREA_BY_PROJECT ? "project" : "zone");
    }
    rollup_hub(hub, key);
    rc = rc < 0 ? rc : view_get(a->reader, T_LINK, hub, HUB_LEN, &row, a->err);
    if (rc >= 0)
        enc_kv_uint(m, "enterprises_total", rc ? hub_members(row) : 0);
    return rc < 0 ? rc : 0;
}

int rollup_put(struct answer *a, struct enc_open *m, const struct alert *al)
{
    struct alert parent;
    if (ekey_kind(&al->key) == EKEY_AREA)
        return put_area(a, m, &al->key);
    int rc = rollup_parent(a, al, &parent);
    if (rc > 0)
        enc_kv_uint(m, "parent", parent.number);
    return rc < 0 ? rc : 0;
}
