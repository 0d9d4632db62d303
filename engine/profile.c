/* SPDX-License-Identifier: Apache-2.0 */
/* What an enterprise is, as its registry.* signals tell it: of each thing the latest word by (at, number). A series keeps
 * what its blocks' last words are (series.words), so that a profile told a thousand times is read from the record alone. */
#include "engine/fold.h"

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

/* Of each tag the latest word. */
static void note_tags(struct arena *a, struct record *c, const struct sig *sig)
{
    struct rd r = rd_of(sig->tags.p, sig->tags.n);
    struct tag tag;
    while (tag_next(&r, &tag)) {
        uint32_t i = 0;
        while (i < c->n_tags && !slice_eq(c->tags[i].name, tag.name))
            i++;
        if (i < c->n_tags && sig_order(c->tags[i].told, sig) > 0)
            continue;
        if (i == c->n_tags) {
            struct tag *list = arena_alloc(a, (c->n_tags + 1) * sizeof *list);
            if (c->n_tags)
                memcpy(list, c->tags, c->n_tags * sizeof *list);
            c->tags = list;
            c->n_tags++;
        }
        tag.told = sig;
        c->tags[i] = tag;
    }
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

static void note_all(struct arena *a, struct record *c, const struct sig *best[THINGS], const struct sig *sigs,
                     uint32_t n)
{
    struct words w;
    for (uint32_t j = 0; j < n; j++) {
        const struct sig *sig = &sigs[j];
        if (!sig->active)
            continue;
        read_words(sig, &w);
        for (unsigned t = 0; t < THINGS; t++) {
            if (!(w.said >> t & 1) || (best[t] && sig_order(best[t], sig) > 0))
                continue;
            best[t] = sig;
            set_thing(c, t, sig, &w);
        }
        if (sig->tags.n)
            note_tags(a, c, sig);
    }
}

void profile_read(struct arena *a, struct record *c, int64_t kind)
{
    const struct sig *best[THINGS] = {0};
    c->registered = 0;
    c->registered_industry = c->parent = c->former_name = c->status = (struct slice){0};
    c->credit = 0;
    c->n_tags = 0;
    c->headcount = c->payroll = NO_INT;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct series *s = &c->series[i];
        if ((int64_t)s->kind != kind)
            continue;
        note_all(a, c, best, s->words, s->n_words);
        note_all(a, c, best, s->sigs, s->n);
    }
}

void profile_work_out(struct engine *e, struct record *c)
{
    profile_read(&e->scratch, c, dict_find(e->dict, DICT_KIND, SLICE("registry.profile")));
    c->registered = settings_region(e->settings, c->registered);
}

/* ---- what left for blocks ---- */

static bool says_tag(const struct sig *sig, struct slice name)
{
    struct rd r = rd_of(sig->tags.p, sig->tags.n);
    struct tag tag;
    while (tag_next(&r, &tag))
        if (slice_eq(tag.name, name))
            return true;
    return false;
}

/* Does a later one among these say all that sig says? */
static bool outdated(const struct series *s, const struct sig *sig)
{
    struct words mine, theirs;
    read_words(sig, &mine);
    for (uint32_t i = 0; i < s->n_words && mine.said; i++)
        if (sig_order(&s->words[i], sig) > 0) {
            read_words(&s->words[i], &theirs);
            mine.said &= ~theirs.said;
        }
    bool all = mine.said == 0;
    struct rd r = rd_of(sig->tags.p, sig->tags.n);
    struct tag tag;
    while (all && tag_next(&r, &tag)) {
        all = false;
        for (uint32_t i = 0; i < s->n_words && !all; i++)
            all = sig_order(&s->words[i], sig) > 0 && says_tag(&s->words[i], tag.name);
    }
    return all;
}

void profile_keep(struct engine *e, struct series *s, const struct sig *sig)
{
    if ((int64_t)s->kind != dict_find(e->dict, DICT_KIND, SLICE("registry.profile")))
        return;
    struct sig *list = arena_alloc(&e->scratch, (s->n_words + 1) * sizeof *list);
    uint32_t at = 0, kept = 0;
    while (at < s->n_words && sig_order(&s->words[at], sig) < 0)
        at++;
    if (at)
        memcpy(list, s->words, at * sizeof *list);
    if (s->n_words > at)
        memcpy(list + at + 1, s->words + at, (s->n_words - at) * sizeof *list);
    list[at] = *sig;
    list[at].active = true;
    s->words = list;
    s->n_words++;
    /* all are told from later ones only, so one that goes takes nothing away that another was measured by */
    bool *old = arena_alloc(&e->scratch, s->n_words * sizeof *old);
    for (uint32_t i = 0; i < s->n_words; i++)
        old[i] = outdated(s, &list[i]);
    for (uint32_t i = 0; i < s->n_words; i++)
        if (!old[i])
            list[kept++] = list[i];
    s->n_words = kept;
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
