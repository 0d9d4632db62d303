/* SPDX-License-Identifier: Apache-2.0 */
/* The signals of a record: in order, which of them count, how often repeated, and the blocks that the oldest leave to.
 * What is known of blocks without reading them (struct series, spilled_*) is worked out again under other settings only.
 * A late signal, one cancelled, another clearing time change it by the difference, and a block is read only where
 * something in it changes: a rank counts to RANK_MAX and no further, so that one signal moves few others. */
#include "engine/fold.h"

enum { RANK_MAX = 63 };

int sig_order(const struct sig *a, const struct sig *b)
{
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

/* ---- finding and adding ---- */

struct series *series_find(const struct record *c, uint32_t kind, uint32_t source)
{
    for (uint32_t i = 0; i < c->n_series; i++)
        if (c->series[i].kind == kind && c->series[i].source == source)
            return &c->series[i];
    return NULL;
}

struct series *series_add(struct engine *e, struct record *c, uint32_t kind, uint32_t source)
{
    struct series *list = arena_alloc(&e->scratch, (c->n_series + 2) * sizeof *list);
    uint32_t at = 0;
    while (at < c->n_series &&
           (c->series[at].kind < kind || (c->series[at].kind == kind && c->series[at].source < source)))
        at++;
    if (at)
        memcpy(list, c->series, at * sizeof *list);
    if (c->n_series > at)
        memcpy(list + at + 1, c->series + at, (c->n_series - at) * sizeof *list);
    list[at] = (struct series){.kind = kind, .source = source, .spilled_latest = NO_INT, .spilled_cleared = NO_INT,
                               .cleared = NO_INT, .latest = NO_INT};
    c->series = list;
    c->n_series++;
    return &list[at];
}

static void insert_sorted(struct engine *e, struct series *s, const struct sig *sig)
{
    if (s->n == s->cap) {
        struct sig *more = arena_alloc(&e->scratch, (s->n * 2 + 2) * sizeof *more);
        if (s->n)
            memcpy(more, s->sigs, s->n * sizeof *more);
        s->sigs = more;
        s->cap = s->n * 2 + 2;
    }
    uint32_t at = s->n;
    while (at && sig_order(&s->sigs[at - 1], sig) > 0)
        at--;
    memmove(&s->sigs[at + 1], &s->sigs[at], (s->n - at) * sizeof *s->sigs);
    s->sigs[at] = *sig;
    s->n++;
}

/* ---- blocks ---- */

static struct sig *load_block(struct engine *e, const struct record *c, const struct series *s,
                              const struct block_ref *ref, size_t *n)
{
    uint8_t key[STATE_KEY_MAX];
    size_t klen = block_key(key, &c->key, s, ref->no);
    struct slice bytes = state_get(e->state, T_BLOCK, key, klen);
    struct sig *sigs = NULL;
    *n = 0;
    if (!bytes.p || block_get(arena_slice(&e->scratch, bytes), &e->scratch, &sigs, n, e->err) < 0 || *n != ref->n) {
        if (!engine_failed(e))
            err_set(e->err, WW_EDAMAGED, "view: a block of signals is missing; run wagewarnd --rebuild");
        e->failed = true;
        *n = 0;
    }
    return sigs;
}

/* What the assessment asks of a block, known without reading it. */
static void sum_up(struct block_ref *ref, const struct sig *sig)
{
    if (sig->people > ref->people)
        ref->people = sig->people;
    if (sig->amount > ref->amount)
        ref->amount = sig->amount;
    if (sig->since != NO_INT && (ref->since == NO_INT || sig->since < ref->since))
        ref->since = sig->since;
}

static void store_block(struct engine *e, const struct record *c, const struct series *s, struct block_ref *ref,
                        const struct sig *sigs, size_t n)
{
    uint8_t key[STATE_KEY_MAX];
    size_t klen = block_key(key, &c->key, s, ref->no);
    buf_reset(&e->buf);
    block_put(&e->buf, sigs, n);
    state_put(e->state, T_BLOCK, key, klen, e->buf.p, e->buf.n);
    *ref = (struct block_ref){.no = ref->no, .n = (uint32_t)n, .first_at = sigs[0].at, .last_at = sigs[n - 1].at,
                              .last_seq = sigs[n - 1].seq, .min_seq = sigs[0].seq, .max_seq = sigs[0].seq,
                              .people = NO_INT, .amount = NO_INT, .since = NO_INT};
    for (size_t i = 0; i < n; i++) {
        ref->n_cancelled += (sigs[i].flags & SIG_CANCELLED) != 0;
        if (sigs[i].seq < ref->min_seq)
            ref->min_seq = sigs[i].seq;
        if (sigs[i].seq > ref->max_seq)
            ref->max_seq = sigs[i].seq;
        if (!(sigs[i].flags & SIG_CANCELLED))
            sum_up(ref, &sigs[i]);
    }
}

/* Room for one more reference at position `at`. */
static struct block_ref *add_ref(struct engine *e, struct series *s, uint32_t at)
{
    struct block_ref *list = arena_alloc(&e->scratch, (s->n_blocks + 1) * sizeof *list);
    assert(s->blocks || s->n_blocks == 0);
    assert(at <= s->n_blocks);
    if (at && s->blocks)
        memcpy(list, s->blocks, at * sizeof *list);
    if (s->blocks && s->n_blocks > at)
        memcpy(list + at + 1, s->blocks + at, (s->n_blocks - at) * sizeof *list);
    list[at] = (struct block_ref){.no = s->next_block++};
    s->blocks = list;
    s->n_blocks++;
    return &list[at];
}

void series_drop_blocks(struct engine *e, const struct record *c, struct series *s)
{
    uint8_t key[STATE_KEY_MAX];
    for (uint32_t i = 0; i < s->n_blocks; i++)
        state_del(e->state, T_BLOCK, key, block_key(key, &c->key, s, s->blocks[i].no));
    s->n_blocks = s->n_buckets = s->spilled_active = s->n_words = 0;
    s->spilled_sum = 0;
    s->spilled_latest = s->spilled_cleared = NO_INT;
}

/* ---- what is known of blocks ---- */

static bool stands(const struct sig *sig, int64_t cleared)
{
    return !(sig->flags & SIG_CANCELLED) && (cleared == NO_INT || sig->at > cleared);
}

static bool is_active(const struct series *s, const struct sig *sig)
{
    return stands(sig, s->cleared);
}

/* The bucket of that index, made where there is none. */
static uint32_t bucket_at(struct engine *e, struct series *s, int64_t index)
{
    uint32_t i = s->n_buckets;
    while (i && s->buckets[i - 1].index > index)
        i--;
    if (i && s->buckets[i - 1].index == index)
        return i - 1;
    struct bucket *list = arena_alloc(&e->scratch, (s->n_buckets + 1) * sizeof *list);
    if (i)
        memcpy(list, s->buckets, i * sizeof *list);
    if (s->n_buckets > i)
        memcpy(list + i + 1, s->buckets + i, (s->n_buckets - i) * sizeof *list);
    list[i] = (struct bucket){index, 0};
    s->buckets = list;
    s->n_buckets++;
    return i;
}

/* Integers: what was added once can be taken away again, to the bit. */
static void change_bucket(struct engine *e, struct series *s, const struct settings_kind *k, const struct sig *sig,
                          bool less)
{
    hazard_t h = k ? k->hazard >> sig->rank : 0;
    if (!h)
        return;
    int64_t index = bucket_of(k, sig->at);
    h = fixed_grow(h, (uint64_t)(sig->at - index * k->half_life), (uint64_t)k->half_life);
    uint32_t i = bucket_at(e, s, index);
    s->buckets[i].sum += less ? -h : h;
    if (s->buckets[i].sum)
        return;
    s->n_buckets--;
    memmove(&s->buckets[i], &s->buckets[i + 1], (s->n_buckets - i) * sizeof *s->buckets);
}

/* An active signal lies in a block from now on; its rank is known. */
static void count_spilled(struct engine *e, struct series *s, const struct settings_kind *k, const struct sig *sig)
{
    s->spilled_active++;
    s->spilled_sum += sig_mix(sig->seq);
    change_bucket(e, s, k, sig, false);
    profile_keep(e, s, sig);
}

static void uncount_spilled(struct engine *e, struct series *s, const struct settings_kind *k, const struct sig *sig)
{
    s->spilled_active--;
    s->spilled_sum -= sig_mix(sig->seq);
    change_bucket(e, s, k, sig, true);
    for (uint32_t i = 0; i < s->n_words; i++)
        s->words_lost |= s->words[i].seq == sig->seq;
}

/* The latest active signal so far: what the rank of the next one follows from. */
struct chain {
    int64_t latest; /* NO_INT: none */
    uint8_t rank;
};

static uint8_t rank_after(const struct settings_kind *k, struct chain c, const struct sig *sig)
{
    bool repeat = k && k->window && c.latest != NO_INT && sig->at - c.latest <= k->window;
    return !repeat ? 0 : c.rank < RANK_MAX ? c.rank + 1 : RANK_MAX;
}

static void end_chain(struct series *s, struct chain c)
{
    s->spilled_latest = c.latest;
    s->spilled_rank = c.rank;
}

static void forget_spilled(struct series *s)
{
    s->n_buckets = s->spilled_active = s->n_words = 0;
    s->words_lost = false;
    s->spilled_sum = 0;
    s->spilled_latest = NO_INT;
    s->spilled_rank = 0;
    s->spilled_cleared = s->cleared;
}

/* The first block that reaches beyond that time. */
static uint32_t first_beyond(const struct series *s, int64_t at)
{
    uint32_t lo = 0, hi = at == NO_INT ? 0 : s->n_blocks;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (s->blocks[mid].last_at <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* All anew: of what is cleared no block is read. */
static void read_blocks(struct engine *e, const struct record *c, struct series *s, const struct settings_kind *k)
{
    struct chain last = {NO_INT, 0};
    forget_spilled(s);
    for (uint32_t i = first_beyond(s, s->cleared); i < s->n_blocks; i++) {
        size_t n;
        bool changed = false;
        struct sig *sigs = load_block(e, c, s, &s->blocks[i], &n);
        for (size_t j = 0; j < n; j++) {
            if (!is_active(s, &sigs[j]))
                continue;
            uint8_t rank = rank_after(k, last, &sigs[j]);
            changed |= sigs[j].rank != rank;
            sigs[j].rank = rank;
            last = (struct chain){sigs[j].at, rank};
            count_spilled(e, s, k, &sigs[j]);
        }
        if (changed)
            store_block(e, c, s, &s->blocks[i], sigs, n);
    }
    end_chain(s, last);
}

/* ---- a place in the blocks, to change what follows it ---- */

struct place {
    uint32_t block;
    struct sig *sigs;
    size_t n, at;
    bool changed; /* what is in hand differs from what is stored */
};

static void come_to(struct engine *e, const struct record *c, const struct series *s, struct place *p)
{
    p->sigs = load_block(e, c, s, &s->blocks[p->block], &p->n);
    p->at = 0;
    p->changed = false;
}

/* Stores what changed; a block that overflows becomes two. */
static void leave(struct engine *e, const struct record *c, struct series *s, struct place *p)
{
    if (!p->changed)
        return;
    size_t n = p->n;
    if (n > BLOCK_SIGNALS * 2) {
        n /= 2;
        add_ref(e, s, p->block + 1);
        store_block(e, c, s, &s->blocks[p->block + 1], p->sigs + n, p->n - n);
    }
    store_block(e, c, s, &s->blocks[p->block], p->sigs, n);
    p->block += n < p->n;
    p->changed = false;
}

/* The signal here, in the next block where this one is at its end; NULL: there is none. */
static struct sig *here(struct engine *e, const struct record *c, struct series *s, struct place *p)
{
    while (p->at == p->n) {
        leave(e, c, s, p);
        if (++p->block >= s->n_blocks || engine_failed(e))
            return NULL;
        come_to(e, c, s, p);
    }
    return &p->sigs[p->at];
}

/* The latest that stands before a place. */
static struct chain chain_before(struct engine *e, const struct record *c, const struct series *s, const struct place *p,
                                 int64_t cleared)
{
    const struct sig *sigs = p->sigs;
    size_t n = p->at;
    for (uint32_t i = p->block;;) {
        while (n-- > 0)
            if (stands(&sigs[n], cleared))
                return (struct chain){sigs[n].at, sigs[n].rank};
        do
            if (i-- == 0 || (cleared != NO_INT && s->blocks[i].last_at <= cleared))
                return (struct chain){NO_INT, 0};
        while (s->blocks[i].n_cancelled == s->blocks[i].n);
        sigs = load_block(e, c, s, &s->blocks[i], &n);
        if (engine_failed(e))
            return (struct chain){NO_INT, 0};
    }
}

/* From a place on: what was cleared up to `was` now is up to `now`, and ranks follow from the chain. Ends where a rank
 * comes out as it was, since all that follow do so too. Leaves the place. */
static void follow(struct engine *e, const struct record *c, struct series *s, const struct settings_kind *k,
                   struct place *p, struct chain last, int64_t was, int64_t now)
{
    struct sig *sig;
    for (; (sig = here(e, c, s, p)); p->at++) {
        bool before = stands(sig, was), after = stands(sig, now);
        uint8_t rank = after ? rank_after(k, last, sig) : 0;
        if (before && after && rank == sig->rank) {
            leave(e, c, s, p);
            return;
        }
        if (before && after)
            change_bucket(e, s, k, sig, true);
        else if (before)
            uncount_spilled(e, s, k, sig);
        if (!after)
            continue;
        p->changed |= sig->rank != rank;
        sig->rank = rank;
        last = (struct chain){sig->at, rank};
        if (before)
            change_bucket(e, s, k, sig, false);
        else
            count_spilled(e, s, k, sig);
    }
    end_chain(s, last);
}

/* What is cleared reaches to another time: only what lies between is read, or what is left when that is less. */
static void move_cleared(struct engine *e, const struct record *c, struct series *s, const struct settings_kind *k)
{
    int64_t was = s->spilled_cleared, now = s->cleared;
    uint32_t from = first_beyond(s, was), to = first_beyond(s, now);
    if (to > from && s->n_blocks - to <= to - from) {
        read_blocks(e, c, s, k);
        return;
    }
    struct place p = {.block = from < to ? from : to};
    if (p.block < s->n_blocks) {
        come_to(e, c, s, &p);
        follow(e, c, s, k, &p, (struct chain){NO_INT, 0}, was, now);
    }
    s->spilled_cleared = now;
}

/* One that had the last word of something went: who has it now? */
static void read_words(struct engine *e, const struct record *c, struct series *s)
{
    s->n_words = 0;
    s->words_lost = false;
    for (uint32_t i = first_beyond(s, s->cleared); i < s->n_blocks; i++) {
        size_t n;
        const struct sig *sigs = load_block(e, c, s, &s->blocks[i], &n);
        for (size_t j = 0; j < n; j++)
            if (is_active(s, &sigs[j]))
                profile_keep(e, s, &sigs[j]);
    }
}

static void refresh_spilled(struct engine *e, const struct record *c, struct series *s, const struct settings_kind *k)
{
    if (!s->n_blocks)
        forget_spilled(s);
    else if (s->stale || c->settings != e->settings_entry)
        read_blocks(e, c, s, k);
    else if (s->spilled_cleared != s->cleared)
        move_cleared(e, c, s, k);
    if (s->words_lost)
        read_words(e, c, s);
    s->stale = false;
}

/* ---- arriving and leaving ---- */

/* Is what is known of the blocks so under these settings, so that the difference can be told? Of a record just read
 * it is so for what was cleared then; series_prepare sees whether it still is. */
static bool is_known(const struct engine *e, const struct record *c, const struct series *s)
{
    return !s->stale && c->settings == e->settings_entry;
}

/* A signal at this place came or went: those after it. Where each counts in full, no other one's rank can change. */
static void tell_later(struct engine *e, const struct record *c, struct series *s, const struct settings_kind *k,
                       struct place *p, const struct sig *sig, struct chain last)
{
    bool alone = (!k || !k->window) && s->spilled_latest != NO_INT && sig->at < s->spilled_latest;
    if (alone)
        leave(e, c, s, p);
    else
        follow(e, c, s, k, p, last, s->spilled_cleared, s->spilled_cleared);
}

/* The block that a late signal belongs to. */
static uint32_t block_for(const struct series *s, const struct sig *sig)
{
    uint32_t lo = 0, hi = s->n_blocks - 1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (sig_order(&(struct sig){.at = s->blocks[mid].last_at, .seq = s->blocks[mid].last_seq}, sig) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A late signal goes among those that left. */
static void insert_in_block(struct engine *e, struct record *c, struct series *s, const struct sig *sig)
{
    const struct settings_kind *k = settings_kind(e->settings, s->kind);
    struct place p = {.block = block_for(s, sig)};
    come_to(e, c, s, &p);
    if (engine_failed(e))
        return;
    for (p.at = p.n; p.at && sig_order(&p.sigs[p.at - 1], sig) > 0; p.at--)
        p.sigs[p.at] = p.sigs[p.at - 1];
    struct sig *mine = &p.sigs[p.at];
    *mine = *sig;
    mine->rank = 0;
    p.n++;
    p.changed = true;
    s->stale = !is_known(e, c, s);
    if (s->stale || !stands(mine, s->spilled_cleared)) {
        leave(e, c, s, &p);
        return;
    }
    struct chain last = {NO_INT, 0};
    if (k && k->window)
        last = chain_before(e, c, s, &p, s->spilled_cleared);
    mine->rank = rank_after(k, last, mine);
    count_spilled(e, s, k, mine);
    p.at++;
    tell_later(e, c, s, k, &p, mine, (struct chain){mine->at, mine->rank});
}

static bool before_spilled(const struct series *s, const struct sig *sig)
{
    if (!s->n_blocks)
        return false;
    const struct block_ref *last = &s->blocks[s->n_blocks - 1];
    return sig_order(sig, &(struct sig){.at = last->last_at, .seq = last->last_seq}) < 0;
}

void series_insert(struct engine *e, struct record *c, struct series *s, const struct sig *sig)
{
    if (before_spilled(s, sig))
        insert_in_block(e, c, s, sig);
    else
        insert_sorted(e, s, sig);
}

/* May a block hold that number? Bytes are looked through, nothing is taken in. */
static bool may_hold(struct engine *e, const struct record *c, const struct series *s, const struct block_ref *ref,
                     uint64_t seq)
{
    uint8_t key[STATE_KEY_MAX];
    if (seq < ref->min_seq || seq > ref->max_seq)
        return false;
    struct slice bytes = state_get(e->state, T_BLOCK, key, block_key(key, &c->key, s, ref->no));
    return !bytes.p || block_has(bytes, seq);
}

/* The block that holds a number: its position, its signals, and where among them. */
static struct sig *find_in_blocks(struct engine *e, const struct record *c, const struct series *s, uint64_t seq,
                                  uint32_t *block, struct sig **sigs, size_t *n)
{
    for (*block = 0; *block < s->n_blocks; ++*block) {
        const struct block_ref *ref = &s->blocks[*block];
        if (!may_hold(e, c, s, ref, seq))
            continue;
        *sigs = load_block(e, c, s, ref, n);
        for (size_t j = 0; j < *n; j++)
            if ((*sigs)[j].seq == seq)
                return &(*sigs)[j];
    }
    return NULL;
}

static struct sig *find_inline(const struct series *s, uint64_t seq)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->sigs[i].seq == seq)
            return &s->sigs[i];
    return NULL;
}

bool series_has(struct engine *e, const struct record *c, const struct series *s, uint64_t seq)
{
    uint32_t block;
    struct sig *sigs;
    size_t n;
    return find_inline(s, seq) || find_in_blocks(e, c, s, seq, &block, &sigs, &n);
}

bool series_get(struct engine *e, const struct record *c, const struct series *s, uint64_t seq, struct sig *out)
{
    uint32_t block;
    struct sig *sigs;
    size_t n;
    const struct sig *sig = find_inline(s, seq);
    if (!sig)
        sig = find_in_blocks(e, c, s, seq, &block, &sigs, &n);
    if (sig)
        *out = *sig;
    return sig != NULL;
}

/* It lies at this place of a block. */
static void cancel_in_block(struct engine *e, struct record *c, struct series *s, struct place *p)
{
    const struct settings_kind *k = settings_kind(e->settings, s->kind);
    struct sig *sig = &p->sigs[p->at];
    bool counted = is_known(e, c, s) && stands(sig, s->spilled_cleared);
    s->stale = !is_known(e, c, s);
    sig->flags |= SIG_CANCELLED;
    p->changed = true;
    if (!counted) {
        leave(e, c, s, p);
        return;
    }
    uncount_spilled(e, s, k, sig);
    struct chain last = {NO_INT, 0};
    if ((k && k->window) || sig->at >= s->spilled_latest)
        last = chain_before(e, c, s, p, s->spilled_cleared);
    p->at++;
    tell_later(e, c, s, k, p, sig, last);
}

bool series_cancel(struct engine *e, struct record *c, struct series *s, uint64_t seq)
{
    struct place p = {0};
    struct sig *sig = find_inline(s, seq);
    if (sig) {
        sig->flags |= SIG_CANCELLED;
        return true;
    }
    sig = find_in_blocks(e, c, s, seq, &p.block, &p.sigs, &p.n);
    if (!sig)
        return false;
    p.at = (size_t)(sig - p.sigs);
    cancel_in_block(e, c, s, &p);
    return true;
}

/* ---- what counts ---- */

/* The latest signal of a clearing kind; nothing clears those. */
static int64_t latest_standing(struct engine *e, const struct record *c, const struct series *s)
{
    struct series_walk w;
    const struct sig *sig;
    series_walk_start(&w, s);
    while ((sig = series_walk_next(e, c, &w)))
        if (!(sig->flags & SIG_CANCELLED))
            return sig->at;
    return NO_INT;
}

static void work_out_cleared(struct engine *e, struct record *c)
{
    for (uint32_t i = 0; i < c->n_series; i++)
        c->series[i].cleared = NO_INT;
    for (uint32_t i = 0; i < c->n_series; i++) {
        const struct settings_kind *k = settings_kind(e->settings, c->series[i].kind);
        if (!k || !k->clears_any)
            continue;
        int64_t at = latest_standing(e, c, &c->series[i]);
        for (uint32_t j = 0; at != NO_INT && j < c->n_series; j++) {
            uint32_t kind = settings_kind_at(e->settings, c->series[j].kind);
            if (kind != UINT32_MAX && kind_in(&k->clears, kind) && (c->series[j].cleared < at))
                c->series[j].cleared = at;
        }
    }
}

static void work_out_ranks(struct series *s, const struct settings_kind *k)
{
    struct chain last = {s->spilled_latest, s->spilled_rank};
    for (uint32_t i = 0; i < s->n; i++) {
        struct sig *sig = &s->sigs[i];
        sig->active = is_active(s, sig);
        if (!sig->active)
            continue;
        sig->rank = rank_after(k, last, sig);
        last = (struct chain){sig->at, sig->rank};
    }
    s->latest = last.latest;
}

void series_prepare(struct engine *e, struct record *c)
{
    work_out_cleared(e, c);
    for (uint32_t i = 0; i < c->n_series; i++) {
        struct series *s = &c->series[i];
        const struct settings_kind *k = settings_kind(e->settings, s->kind);
        refresh_spilled(e, c, s, k);
        work_out_ranks(s, k);
    }
    c->settings = e->settings_entry;
    profile_work_out(e, c);
}

static void spill(struct engine *e, struct record *c, struct series *s, uint32_t n)
{
    const struct settings_kind *k = settings_kind(e->settings, s->kind);
    size_t had = 0;
    struct block_ref *ref = s->n_blocks ? &s->blocks[s->n_blocks - 1] : NULL;
    struct sig *sigs = NULL;
    if (ref && ref->n + n <= BLOCK_SIGNALS)
        sigs = load_block(e, c, s, ref, &had);
    else
        ref = add_ref(e, s, s->n_blocks);
    if (engine_failed(e))
        return;
    struct sig *all = arena_alloc(&e->scratch, (had + n) * sizeof *all);
    if (had)
        memcpy(all, sigs, had * sizeof *all);
    memcpy(all + had, s->sigs, n * sizeof *all);
    store_block(e, c, s, ref, all, had + n);
    for (uint32_t i = 0; i < n; i++)
        if (s->sigs[i].active) {
            count_spilled(e, s, k, &s->sigs[i]);
            end_chain(s, (struct chain){s->sigs[i].at, s->sigs[i].rank});
        }
    s->spilled_cleared = s->cleared;
    memmove(s->sigs, s->sigs + n, (s->n - n) * sizeof *s->sigs);
    s->n -= n;
}

void series_spill(struct engine *e, struct record *c)
{
    for (uint32_t i = 0; i < c->n_series; i++) {
        struct series *s = &c->series[i];
        /* what lies ahead of the clock counts by its age, which a bucket cannot say: it stays */
        while (s->n > SERIES_INLINE && s->sigs[SERIES_SPILL - 1].at <= e->time && !engine_failed(e))
            spill(e, c, s, SERIES_SPILL);
    }
}

/* ---- walking ---- */

void series_walk_start(struct series_walk *w, const struct series *s)
{
    *w = (struct series_walk){.series = s, .inline_left = s->n, .block_left = s->n_blocks};
}

static bool passes(const struct series_walk *w, const struct block_ref *ref)
{
    return (w->only == WALK_AMOUNT && ref->amount <= 0) || (w->only == WALK_PEOPLE && ref->people <= 0);
}

const struct sig *series_walk_next(struct engine *e, const struct record *c, struct series_walk *w)
{
    const struct series *s = w->series;
    if (w->inline_left)
        return &s->sigs[--w->inline_left];
    while (!w->in_block) {
        if (!w->block_left || engine_failed(e))
            return NULL;
        const struct block_ref *ref = &s->blocks[--w->block_left];
        if (!passes(w, ref))
            w->block = load_block(e, c, s, ref, &w->in_block);
    }
    struct sig *sig = &w->block[--w->in_block];
    sig->active = is_active(s, sig);
    return sig;
}

uint64_t series_count(struct engine *e, const struct record *c, const struct series *s, int64_t from, bool cleared_too)
{
    uint64_t count = 0;
    if (!cleared_too && s->cleared != NO_INT && s->cleared >= from)
        from = s->cleared + 1;
    for (uint32_t i = s->n; i-- > 0 && s->sigs[i].at >= from;)
        count += !(s->sigs[i].flags & SIG_CANCELLED);
    for (uint32_t i = s->n_blocks; i-- > 0 && s->blocks[i].last_at >= from;) {
        const struct block_ref *ref = &s->blocks[i];
        if (ref->first_at >= from) {
            count += ref->n - ref->n_cancelled;
            continue;
        }
        size_t n;
        const struct sig *sigs = load_block(e, c, s, ref, &n);
        for (size_t j = n; j-- > 0 && sigs[j].at >= from;)
            count += !(sigs[j].flags & SIG_CANCELLED);
    }
    return count;
}

struct sig *series_all(struct engine *e, const struct record *c, const struct series *s, size_t *n)
{
    struct series_walk w;
    const struct sig *sig;
    size_t total = s->n, at;
    for (uint32_t i = 0; i < s->n_blocks; i++)
        total += s->blocks[i].n;
    struct sig *all = arena_alloc(&e->scratch, (total + 1) * sizeof *all);
    at = total;
    series_walk_start(&w, s);
    while (at && (sig = series_walk_next(e, c, &w)))
        all[--at] = *sig;
    *n = total - at;
    return all + at;
}
