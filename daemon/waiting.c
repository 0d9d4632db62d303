/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the rows of engine/triage. Owns nothing. */
#include "daemon/waiting.h"

#include "engine/record.h"

/* Where the enterprise is known to be. */
static int places_of_enterprise(struct view_reader *reader, struct arena *a, struct waiting *w, struct err *err)
{
    struct slice value;
    struct record r;
    int rc = view_get(reader, T_ENTERPRISE, w->key.b, EKEY_LEN, &value, err);
    if (rc <= 0)
        return rc;
    rc = record_get(value, &w->key, a, &r, err);
    if (rc)
        return rc;
    w->places = r.places;
    w->n_places = r.n_places;
    return 0;
}

int waiting_read(struct view_reader *reader, uint64_t number, struct slice row, struct arena *a, struct waiting *w,
                 struct err *err)
{
    *w = (struct waiting){.number = number};
    int rc = triage_row_get(row, &w->row, err);
    if (rc == 0)
        rc = triage_signal(&w->row, a, &w->x, err);
    if (rc)
        return rc;
    w->key = triage_ekey(w->x);
    w->region = region_of(w->x->sig.region);
    if (!w->region)
        return places_of_enterprise(reader, a, w, err);
    w->places = arena_copy(a, &w->region, sizeof w->region);
    w->n_places = 1;
    return 0;
}

int waiting_get(struct view_reader *reader, uint64_t number, struct arena *a, struct waiting *w, struct err *err)
{
    uint8_t key[TRIAGE_KEY_LEN];
    struct slice row;
    triage_key(key, number);
    int rc = view_get(reader, T_TRIAGE, key, sizeof key, &row, err);
    if (rc == 0)
        rc = view_get(reader, T_SORTED, key, sizeof key, &row, err);
    if (rc <= 0)
        return rc;
    rc = waiting_read(reader, number, row, a, w, err);
    return rc ? rc : 1;
}
