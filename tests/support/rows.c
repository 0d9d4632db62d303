/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/rows.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>

static int cmp(uint8_t ta, const uint8_t *ka, size_t na, uint8_t tb, const uint8_t *kb, size_t nb)
{
    if (ta != tb)
        return ta < tb ? -1 : 1;
    int c = memcmp(ka, kb, na < nb ? na : nb);
    return c ? c : (na > nb) - (na < nb);
}

static int by_key(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return cmp(x->table, x->key, x->klen, y->table, y->key, y->klen);
}

/* First row not before the key. */
static size_t lower(const struct rows *r, enum table t, const void *key, size_t n)
{
    size_t lo = 0, hi = r->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        const struct row *x = &r->rows[mid];
        if (cmp(x->table, x->key, x->klen, (uint8_t)t, key, n) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int get(void *ctx, enum table t, const void *key, size_t n, struct slice *value, struct err *err)
{
    const struct rows *r = ctx;
    size_t i = lower(r, t, key, n);
    (void)err;
    if (i == r->n || cmp(r->rows[i].table, r->rows[i].key, r->rows[i].klen, (uint8_t)t, key, n) != 0)
        return 0;
    *value = r->rows[i].value;
    return 1;
}

static int scan(void *ctx, enum table t, struct slice from, bool (*each)(void *, struct slice, struct slice), void *arg,
                struct err *err)
{
    const struct rows *r = ctx;
    (void)err;
    for (size_t i = lower(r, t, from.p ? from.p : "", from.n); i < r->n && r->rows[i].table == t; i++)
        if (!each(arg, (struct slice){(const char *)r->rows[i].key, r->rows[i].klen}, r->rows[i].value))
            break;
    return 0;
}

void rows_init(struct rows *r)
{
    *r = (struct rows){0};
    r->loader = (struct state_loader){r, get, scan};
}

void rows_finish(struct rows *r)
{
    for (size_t i = 0; i < r->n; i++)
        free((char *)(uintptr_t)r->rows[i].value.p);
    free(r->rows);
    *r = (struct rows){0};
}

/* Merges: rows of the checkpoint replace, its deletions remove. */
void rows_take(struct rows *r, const struct checkpoint *cp)
{
    struct row *in = mem_alloc((cp->n + 1) * sizeof *in), *out = mem_alloc((r->n + cp->n + 1) * sizeof *out);
    size_t n = 0, i = 0;
    for (size_t k = 0; k < cp->n; k++) {
        const struct dirty *d = &cp->rows[k];
        in[k] = (struct row){.table = d->table, .klen = d->klen};
        memcpy(in[k].key, d->key, d->klen);
        if (d->p)
            in[k].value = (struct slice){mem_strndup((const char *)d->p, d->n), d->n};
    }
    qsort(in, cp->n, sizeof *in, by_key);
    for (size_t k = 0; k < cp->n; k++) {
        while (i < r->n && by_key(&r->rows[i], &in[k]) < 0)
            out[n++] = r->rows[i++];
        if (i < r->n && by_key(&r->rows[i], &in[k]) == 0)
            free((char *)(uintptr_t)r->rows[i++].value.p);
        assert(k == 0 || by_key(&in[k - 1], &in[k]) != 0); /* each key once a checkpoint */
        if (in[k].value.p)
            out[n++] = in[k];
    }
    while (i < r->n)
        out[n++] = r->rows[i++];
    free(in);
    free(r->rows);
    r->rows = out;
    r->n = n;
}

const char *rows_differ(const struct rows *a, const struct rows *b)
{
    static char text[200];
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const struct row *x = &a->rows[i], *y = &b->rows[i];
        int c = by_key(x, y);
        if (c == 0 && slice_eq(x->value, y->value))
            continue;
        snprintf(text, sizeof text, "row %zu: %s, %s: %s (%zu, %zu bytes)", i, table_names[x->table],
                 table_names[y->table], c ? "keys differ" : "values differ", x->value.n, y->value.n);
        return text;
    }
    if (a->n == b->n)
        return NULL;
    snprintf(text, sizeof text, "%zu rows and %zu", a->n, b->n);
    return text;
}
