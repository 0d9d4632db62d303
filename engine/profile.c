/* SPDX-License-Identifier: Apache-2.0 */
/* What an enterprise is, as its registry.* signals tell it: of each thing the latest word by (at, number). A series keeps
 * what its blocks' last words are (series.words), so that a profile told a thousand times is read from the record alone.
 * Of tags those told latest stay, at most TAGS_MAX. */
#include "engine/fold.h"

#include <stdlib.h>

#include "lib/uscc.h"

enum { STATUS_TEXT_MAX = 64, FORMER_NAME_MAX = 512 };

/* What a profile can say, each on its own. */
enum thing { T_PLACE, T_TRADE, T_GRADE, T_HEADS, T_WAGES, T_HEAD_FIRM, T_OLD_NAME, T_STANDING, THINGS };

static const uint8_t thing_of_key[] = {
    [PROFILE_HEADCOUNT] = T_HEADS,         [PROFILE_PAYROLL] = T_WAGES,     [PROFILE_PARENT] = T_HEAD_FIRM,
    [PROFILE_FORMER_NAME] = T_OLD_NAME,    [PROFILE_STATUS] = T_STANDING,   [PROFILE_SUCCESSOR] = THINGS,
};

struct words {
    unsigned said;           /* 1 << enum thing */
    int64_t number[THINGS];
    struct slice text[THINGS];
};

static void read_words(const struct sig *sig, struct words *w)
{
    struct rd r = rd_of(sig->profile.p, sig->profile.n);
    enum profile_key key;
    struct slice text;
    int64_t number;
    w->said = (sig->region ? 1U << T_PLACE : 0) | (sig->industry.n ? 1U << T_TRADE : 0) |
              (sig->credit ? 1U << T_GRADE : 0);
    while (profile_next(&r, &key, &text, &number)) {
        unsigned t = key < ARRAY_LEN(thing_of_key) && key ? thing_of_key[key] : THINGS;
        if (t == THINGS)
            continue;
        w->said |= 1U << t;
        w->text[t] = text;
        w->number[t] = number;
    }
}

/* ---- of each thing the latest word ---- */

/* What was told so far, from the newest signal backwards. */
struct told {
    unsigned said;           /* 1 << enum thing */
    uint32_t n_tags;
    struct tag tags[TAGS_MAX];
};

static bool has_tag(const struct told *t, struct slice name)
{
    for (uint32_t i = 0; i < t->n_tags; i++)
        if (slice_eq(t->tags[i].name, name))
            return true;
    return false;
}

/* An earlier signal than those before: does it tell something that none of them did? In *w only that is left. */
static bool tells_more(struct told *t, const struct sig *sig, struct words *w)
{
    struct rd r = rd_of(sig->tags.p, sig->tags.n);
    struct tag tag;
    uint32_t had = t->n_tags;
    read_words(sig, w);
    w->said &= ~t->said;
    t->said |= w->said;
    while (t->n_tags < TAGS_MAX && tag_next(&r, &tag)) {
        if (has_tag(t, tag.name))
            continue;
        tag.told = sig;
        t->tags[t->n_tags++] = tag;
    }
    return w->said || t->n_tags > had;
}

static void set_thing(struct record *c, unsigned t, const struct sig *sig, const struct words *w)
{
    switch (t) {
    case T_PLACE:
        c->registered = sig->region;
        break;
    case T_TRADE:
        c->registered_industry = sig->industry;
        break;
    case T_GRADE:
        c->credit = sig->credit;
        break;
    case T_HEADS:
        c->headcount = w->number[t];
        break;
    case T_WAGES:
        c->payroll = w->number[t];
        break;
    case T_HEAD_FIRM:
        c->parent = w->text[t];
        break;
    case T_OLD_NAME:
        c->former_name = w->text[t];
        break;
    default:
        c->status = w->text[t];
    }
}

static int newest_first(const void *a, const void *b)
{
    return sig_order(*(const struct sig *const *)b, *(const struct sig *const *)a);
}

static size_t list_active(const struct sig *sigs, uint32_t n, const struct sig **list, size_t at)
{
    for (uint32_t i = 0; i < n; i++)
        if (sigs[i].active)
            list[at++] = &sigs[i];
    return at;
}

/* Those that may have the last word of something, newest first. */
static const struct sig **those_who_tell(struct arena *a, const struct record *c, int64_t kind, size_t *n)
{
    size_t room = 0;
    for (uint32_t i = 0; i < c->n_series; i++)
        if ((int64_t)c->series[i].kind == kind)
            room += c->series[i].n_words + c->series[i].n;
    const struct sig **list = arena_alloc(a, room * sizeof *list);
    *n = 0;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct series *s = &c->series[i];
        if ((int64_t)s->kind != kind)
            continue;
        *n = list_active(s->words, s->n_words, list, *n);
        *n = list_active(s->sigs, s->n, list, *n);
    }
    if (*n > 1)
        qsort(list, *n, sizeof *list, newest_first);
    return list;
}

void profile_read(struct arena *a, struct record *c, int64_t kind)
{
    size_t n;
    struct words w;
    const struct sig **list = those_who_tell(a, c, kind, &n);
    c->registered = 0;
    c->registered_industry = c->parent = c->former_name = c->status = (struct slice){0};
    c->credit = 0;
    c->n_tags = 0;
    c->headcount = c->payroll = NO_INT;
    if (!n)
        return;
    struct told *told = arena_alloc(a, sizeof *told);
    told->said = told->n_tags = 0;
    for (size_t i = 0; i < n; i++) {
        tells_more(told, list[i], &w);
        for (unsigned t = 0; t < THINGS; t++)
            if (w.said >> t & 1)
                set_thing(c, t, list[i], &w);
    }
    c->tags = told->tags;
    c->n_tags = told->n_tags;
    for (uint32_t i = 0; i < told->n_tags / 2; i++) { /* shown oldest first */
        struct tag tag = told->tags[i];
        told->tags[i] = told->tags[told->n_tags - 1 - i];
        told->tags[told->n_tags - 1 - i] = tag;
    }
}

void profile_work_out(struct engine *e, struct record *c)
{
    profile_read(&e->scratch, c, dict_find(e->dict, DICT_KIND, SLICE("registry.profile")));
    c->registered = settings_region(e->settings, c->registered);
}

/* ---- what left for blocks ---- */

/* Of those before, what a later one tells as well is dropped: no more stay than there are things and tags. */
void profile_keep(struct engine *e, struct series *s, const struct sig *sig)
{
    if ((int64_t)s->kind != dict_find(e->dict, DICT_KIND, SLICE("registry.profile")))
        return;
    struct told told = {.said = 0, .n_tags = 0};
    struct words w;
    struct sig *list = arena_alloc(&e->scratch, (s->n_words + 1) * sizeof *list);
    uint32_t at = 0, from = s->n_words + 1;
    while (at < s->n_words && sig_order(&s->words[at], sig) < 0)
        at++;
    for (uint32_t i = s->n_words + 1; i-- > 0;) {
        const struct sig *one = i == at ? sig : &s->words[i - (i > at)];
        if (tells_more(&told, one, &w))
            list[--from] = *one;
    }
    s->words = list + from;
    s->n_words = s->n_words + 1 - from;
    for (uint32_t i = 0; i < s->n_words; i++) {
        s->words[i].active = true;
        s->words[i].rank = 0;
    }
}

/* ---- a signal's attrs ---- */

/* A number as an integer or its digits; NO_INT: neither. */
static int64_t number_of(const struct signal_attr *a)
{
    int64_t n = 0;
    if (!a->text.p)
        return a->number >= 0 ? a->number : NO_INT;
    for (size_t i = 0; i < a->text.n; i++) {
        if (a->text.p[i] < '0' || a->text.p[i] > '9' || n > (INT64_MAX - 9) / 10)
            return NO_INT;
        n = n * 10 + (a->text.p[i] - '0');
    }
    return a->text.n ? n : NO_INT;
}

static bool code_of_another(struct slice text, const struct signal *s)
{
    return text.n == USCC_LEN && !uscc_fault(text) && !slice_eq(text, s->uscc);
}

static void put_attr(struct buf *b, const struct signal *s, enum profile_key key, const struct signal_attr *a)
{
    int64_t number = NO_INT;
    struct slice text = a->text;
    switch (key) {
    case PROFILE_HEADCOUNT:
    case PROFILE_PAYROLL:
        number = number_of(a);
        text = (struct slice){0};
        if (number == NO_INT)
            return;
        break;
    case PROFILE_PARENT:
    case PROFILE_SUCCESSOR:
        if (!code_of_another(text, s))
            return;
        break;
    default:
        if (!text.n || text.n > (key == PROFILE_STATUS ? STATUS_TEXT_MAX : FORMER_NAME_MAX))
            return;
    }
    profile_put(b, key, text, number);
}

struct slice profile_of_signal(struct engine *e, const struct signal *s, bool binds_name)
{
    static const struct {
        const char *kind, *attr;
        enum profile_key key;
    } known[] = {
        {"registry.profile", "headcount", PROFILE_HEADCOUNT}, {"registry.profile", "payroll", PROFILE_PAYROLL},
        {"registry.profile", "parent", PROFILE_PARENT},       {"registry.profile", "former_name", PROFILE_FORMER_NAME},
        {"registry.profile", "status", PROFILE_STATUS},       {"registry.succession", "successor", PROFILE_SUCCESSOR},
    };
    struct buf b = {0};
    for (size_t k = 0; k < ARRAY_LEN(known); k++) {
        if (!slice_is(s->kind, known[k].kind) || (known[k].key == PROFILE_FORMER_NAME && !binds_name))
            continue;
        for (int i = 0; i < s->n_attrs; i++)
            if (slice_is(s->attrs[i].key, known[k].attr))
                put_attr(&b, s, known[k].key, &s->attrs[i]);
    }
    struct slice out = {b.n ? arena_copy(&e->scratch, b.p, b.n) : NULL, b.n};
    buf_finish(&b);
    return out;
}

struct slice profile_text(const struct sig *sig, enum profile_key wanted)
{
    struct rd r = rd_of(sig->profile.p, sig->profile.n);
    enum profile_key key;
    struct slice text;
    int64_t number;
    while (profile_next(&r, &key, &text, &number))
        if (key == wanted)
            return text;
    return (struct slice){0};
}
