/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/lots.h"

#include "cli/text.h"
#include "lib/val.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- casting ---- */

static int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int by_lot(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;
    int order = memcmp(a->hash, b->hash, CHAIN_LEN);
    return order ? order : slice_cmp(a->key, b->key);
}

static int by_key(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;
    return slice_cmp(a->key, b->key);
}

static void cast(const struct lots *l, struct slice key, struct slice name, uint8_t out[CHAIN_LEN])
{
    struct buf b = {0};
    buf_put(&b, " ", 1);
    buf_put(&b, key.p, key.n);
    if (name.n) {
        buf_put(&b, " ", 1);
        buf_put(&b, name.p, name.n);
    }
    hash_blake2b(out, l->seed, SEED_LEN, b.p, b.n, NULL, 0);
    buf_finish(&b);
}

void lots_add_inspector(struct lots *l, struct slice name)
{
    for (size_t i = 0; i < l->n_inspectors; i++)
        if (slice_eq(l->inspectors[i], name))
            return;
    if (name.n && l->n_inspectors < INSPECTORS_MAX)
        l->inspectors[l->n_inspectors++] = name;
}

void lots_sort(struct lots *l)
{
    if (l->n_list)
        qsort(l->list, l->n_list, sizeof *l->list, by_key);
}

void lots_cast(struct lots *l)
{
    for (size_t i = 0; i < l->n_list; i++)
        cast(l, l->list[i].key, (struct slice){NULL, 0}, l->list[i].hash);
    if (l->n_list)
        qsort(l->list, l->n_list, sizeof *l->list, by_lot);
}

/* The two for a visit. */
static void visitors(const struct lots *l, struct arena *a, struct slice key, struct slice out[VISITORS])
{
    struct candidate *lots = arena_zalloc(a, (l->n_inspectors + 1) * sizeof *lots);
    for (size_t i = 0; i < l->n_inspectors; i++) {
        lots[i].key = l->inspectors[i];
        cast(l, key, lots[i].key, lots[i].hash);
    }
    if (l->n_inspectors)
        qsort(lots, l->n_inspectors, sizeof *lots, by_lot);
    for (size_t i = 0; i < VISITORS; i++)
        out[i] = lots[i < l->n_inspectors ? i : 0].key;
}

static size_t drawn(const struct lots *l)
{
    return !*l->seed ? 0 : (uint64_t)l->n < l->n_list ? (size_t)l->n : l->n_list;
}

/* ---- the document ---- */

const char *lots_hex(struct arena *a, const uint8_t hash[CHAIN_LEN])
{
    static const char digits[] = "0123456789abcdef";
    char text[SEED_LEN];
    for (size_t i = 0; i < CHAIN_LEN; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    return arena_slice(a, (struct slice){text, sizeof text}).p;
}

/* Proves which list was drawn from: sorted by key, one a line. */
static const char *hash_list(const struct lots *l, struct arena *a)
{
    struct buf b = {0};
    uint8_t out[CHAIN_LEN];
    for (size_t i = 0; i < l->n_list; i++) {
        buf_put(&b, l->list[i].key.p, l->list[i].key.n);
        buf_put(&b, "\n", 1);
    }
    hash_blake2b(out, b.p, b.n, NULL, 0, NULL, 0);
    buf_finish(&b);
    return lots_hex(a, out);
}

static void put_given(struct enc_open *m, const char *key, struct slice text)
{
    if (text.n)
        enc_kv_slice(m, key, text);
}

static void put_who(struct enc_open *m, const struct lots *l, const struct candidate *c)
{
    enc_kv_slice(m, "key", c->key);
    if (!l->alerts && c->key.n == 18)
        enc_kv_slice(m, "uscc", c->key);
    put_given(m, "name", c->name);
    put_given(m, "region", c->region);
    put_given(m, "level", c->level);
}

static void put_drawn(struct enc_open *body, const struct lots *l, struct arena *a)
{
    size_t n = drawn(l);
    enc_key(body, "drawn");
    enc_list(body->b, n);
    for (size_t i = 0; i < n; i++) {
        struct enc_open m = enc_map_open(body->b);
        struct slice two[VISITORS];
        put_who(&m, l, &l->list[i]);
        enc_kv_str(&m, "hash", lots_hex(a, l->list[i].hash));
        visitors(l, a, l->list[i].key, two);
        enc_key(&m, "inspectors");
        enc_list(m.b, VISITORS);
        for (size_t k = 0; k < VISITORS; k++)
            enc_slice(m.b, two[k]);
        enc_close(&m);
    }
}

/* All that it was drawn from. */
static void put_lists(struct enc_open *body, const struct lots *l)
{
    enc_key(body, "list");
    enc_list(body->b, l->n_list);
    for (size_t i = 0; i < l->n_list; i++) {
        struct enc_open m = enc_map_open(body->b);
        put_who(&m, l, &l->list[i]);
        enc_close(&m);
    }
    enc_key(body, "names");
    enc_list(body->b, l->n_inspectors);
    for (size_t i = 0; i < l->n_inspectors; i++)
        enc_slice(body->b, l->inspectors[i]);
}

const struct ww_value *lots_document(struct lots *l, struct arena *a)
{
    struct buf b = {0};
    struct err err;
    const struct ww_value *v = NULL;
    struct enc_open body = enc_map_open(&b);
    lots_sort(l);
    enc_kv_uint(&body, "number", l->number);
    enc_kv_uint(&body, "as_of", l->as_of);
    enc_kv_str(&body, "seed", l->seed);
    enc_kv_str(&body, "method",
               "lowest of BLAKE2b-256(\"SEED KEY\"); of inspectors, of BLAKE2b-256(\"SEED KEY NAME\")");
    enc_kv_str(&body, "of", l->alerts ? "alerts" : "enterprises");
    put_given(&body, "region", l->region);
    put_given(&body, "level", l->level);
    put_given(&body, "credit", l->credit);
    enc_kv_int(&body, "n", l->n);
    enc_kv_uint(&body, "candidates", l->n_list);
    enc_kv_str(&body, "candidates_hash", hash_list(l, a));
    enc_kv_uint(&body, "inspectors_total", l->n_inspectors);
    put_lists(&body, l);
    if (*l->seed)
        lots_cast(l);
    put_drawn(&body, l, a);
    enc_close(&body);
    if (codec_body((struct slice){(const char *)b.p, b.n}, a, &v, &err) != 0)
        v = NULL;
    buf_finish(&b);
    return v;
}

/* ---- and back ---- */

static struct slice text_at(const struct ww_value *map, const char *key)
{
    return slice_of(ww_str(ww_get(map, key), ""));
}

static bool read_seed(const struct ww_value *v, struct lots *l)
{
    struct slice seed = text_at(v, "seed");
    if (seed.n && (seed.n != SEED_LEN || strspn(seed.p, "0123456789abcdef") != SEED_LEN))
        return false;
    memcpy(l->seed, seed.p, seed.n + 1);
    return true;
}

static bool read_lists(const struct ww_value *v, struct arena *a, struct lots *l)
{
    const struct ww_value *list = ww_get(v, "list"), *names = ww_get(v, "names");
    size_t n = ww_length(list), n_names = ww_length(names);
    if (ww_type(list) != WW_LIST || ww_type(names) != WW_LIST || n > CANDIDATES_MAX ||
        n_names > INSPECTORS_MAX)
        return false;
    l->list = arena_zalloc(a, (n + 1) * sizeof *l->list);
    l->inspectors = arena_alloc(a, (n_names + 1) * sizeof *l->inspectors);
    for (size_t i = 0; i < n; i++) {
        const struct ww_value *c = ww_at(list, i);
        l->list[i] = (struct candidate){.key = text_at(c, "key"),
                                        .name = text_at(c, "name"),
                                        .region = text_at(c, "region"),
                                        .level = text_at(c, "level")};
        if (!l->list[i].key.n ||
            memchr(l->list[i].key.p, '\n', l->list[i].key.n)) /* one a line is what is hashed */
            return false;
    }
    l->n_list = n;
    for (size_t i = 0; i < n_names; i++)
        lots_add_inspector(l, slice_of(ww_str(ww_at(names, i), "")));
    return l->n_inspectors >= VISITORS;
}

bool lots_read(const struct ww_value *v, struct arena *a, struct lots *l, const char **wrong)
{
    *l = (struct lots){.number = ww_uint(ww_get(v, "number"), 0),
                       .as_of = ww_uint(ww_get(v, "as_of"), 0),
                       .n = ww_int(ww_get(v, "n"), 0),
                       .alerts = slice_is(text_at(v, "of"), "alerts"),
                       .region = text_at(v, "region"),
                       .level = text_at(v, "level"),
                       .credit = text_at(v, "credit")};
    *wrong = !l->number || l->n < 1 ? tr("it names no number and no n", "缺少 number 或 n")
             : !read_seed(v, l)     ? tr("its seed is no hash", "seed 不是哈希")
             : !read_lists(v, a, l)
                 ? tr("it lacks the list of candidates, or the names", "缺少候选名单或人员名单")
                 : NULL;
    lots_sort(l);
    for (size_t i = 1; !*wrong && i < l->n_list; i++)
        if (slice_eq(l->list[i - 1].key, l->list[i].key))
            *wrong = tr("a candidate stands there twice", "候选名单有重复");
    return !*wrong;
}

static bool same_visit(const struct lots *l, struct arena *a, const struct ww_value *said,
                       const struct candidate *c)
{
    struct slice two[VISITORS];
    const struct ww_value *names = ww_get(said, "inspectors");
    bool same = slice_eq(text_at(said, "key"), c->key) &&
                slice_is(text_at(said, "hash"), lots_hex(a, c->hash)) && ww_length(names) == VISITORS;
    visitors(l, a, c->key, two);
    for (size_t i = 0; same && i < VISITORS; i++)
        same = slice_is(two[i], ww_str(ww_at(names, i), ""));
    return same;
}

bool lots_hold(const struct ww_value *v, struct lots *l, struct arena *a, const char **wrong)
{
    const struct ww_value *said = ww_get(v, "drawn");
    *wrong = NULL;
    lots_sort(l);
    if (!slice_is(text_at(v, "candidates_hash"), hash_list(l, a)))
        *wrong = tr("the list of candidates is another than the one whose hash was told",
                    "候选名单与所公布的哈希不符");
    else if (!*l->seed)
        *wrong = tr("nothing has been drawn yet", "尚未抽取");
    else if (l->as_of > l->number)
        *wrong = tr("the candidates were listed after the number was reached, when the lot was known already",
                    "候选名单形成于该编号之后，当时结果已可知");
    if (*wrong)
        return false;
    lots_cast(l);
    if (ww_length(said) != drawn(l))
        *wrong = arena_printf(a, tr("%zu were to be drawn, and %zu are there", "应抽 %zu，实有 %zu"),
                              drawn(l), ww_length(said));
    for (size_t i = 0; !*wrong && i < drawn(l); i++)
        if (!same_visit(l, a, ww_at(said, i), &l->list[i]))
            *wrong = arena_printf(a,
                                  tr("number %zu should be %.*s, with other lots or inspectors than it says",
                                     "第 %zu 项应为 %.*s，或哈希、人员不符"),
                                  i + 1, SLICE_ARG(l->list[i].key));
    return !*wrong;
}
