/* SPDX-License-Identifier: Apache-2.0 */
/* The fold: an entry's type picks its row in the table; the rooms of engine/fold.h do the rest. Also owns the engine's
 * beginning and end, what it stores of itself (T_META, T_DICT), and the working off of what is due. */
#include "engine/fold.h"

#include "engine/known.h"
#include "lib/calendar.h"
#include "lib/mem.h"

#include <stdlib.h>

enum { META_VERSION = 1, KIND_ROW = 'k' };

/* ---- records ---- */

void record_store(struct engine *e, const struct record *c)
{
    buf_reset(&e->buf);
    record_put(&e->buf, c);
    state_put(e->state, T_ENTERPRISE, c->key.b, EKEY_LEN, e->buf.p, e->buf.n);
}

void record_remove(struct engine *e, struct record *c)
{
    due_set(e->due, &c->key, c->due, NO_INT);
    c->due = NO_INT;
    duty_forget(e, c);
    link_remove(e, c);
    state_del(e->state, T_ENTERPRISE, c->key.b, EKEY_LEN);
    if (c->unresolved)
        state_del(e->state, T_UNRESOLVED, c->key.b, EKEY_LEN);
    if (c->shadow_level)
        state_del(e->state, T_SHADOW, c->key.b, EKEY_LEN);
}

/* ---- sources ---- */

static struct source_count *source_count(struct engine *e, uint32_t source)
{
    if (source >= e->n_sources) {
        e->sources = mem_grow(e->sources, &e->cap_sources, source + 1, sizeof *e->sources);
        while (e->n_sources <= source)
            e->sources[e->n_sources++] = (struct source_count){{0, NO_INT, NO_INT, 0}, false};
    }
    return &e->sources[source];
}

static void count_source(struct engine *e, uint32_t source)
{
    struct source_count *c = source_count(e, source);
    int64_t local = e->time + e->settings->timezone, day = local - ((local % DAY_MS) + DAY_MS) % DAY_MS;
    if (c->stats.day != day)
        c->stats.today = 0;
    c->stats.day = day;
    c->stats.today++;
    c->stats.accepted++;
    c->stats.last = e->time;
    c->changed = true;
}

/* Which agency spoke last when: `feeds` tells of senders, and one sender may speak for several. */
static struct kind_count *kind_count(struct engine *e, uint32_t kind)
{
    if (kind >= e->n_kinds) {
        e->kinds = mem_grow(e->kinds, &e->cap_kinds, kind + 1, sizeof *e->kinds);
        while (e->n_kinds <= kind)
            e->kinds[e->n_kinds++] = (struct kind_count){NO_INT, false};
    }
    return &e->kinds[kind];
}

static void count_kind(struct engine *e, uint32_t kind)
{
    *kind_count(e, kind) = (struct kind_count){e->time, true};
}

int64_t engine_kind_last(const struct engine *e, uint32_t kind)
{
    return kind < e->n_kinds ? e->kinds[kind].last : NO_INT;
}

bool engine_source_stats(const struct engine *e, uint32_t source, struct source_stats *out)
{
    if (source >= e->n_sources || e->sources[source].stats.last == NO_INT)
        return false;
    *out = e->sources[source].stats;
    return true;
}

/* ---- signals ---- */

static const uint8_t *parse_owner(struct engine *e, struct slice hex)
{
    if (hex.n != 2 * OWNER_LEN)
        return NULL;
    uint8_t *out = arena_zalloc(&e->scratch, OWNER_LEN);
    for (size_t i = 0; i < hex.n; i++) {
        char ch = hex.p[i];
        unsigned digit = ch <= '9' ? (unsigned)(ch - '0') : (unsigned)((ch | 32) - 'a' + 10);
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (digit & 15));
    }
    return out;
}

static char credit_of(const struct signal *s)
{
    if (!slice_is(s->kind, "registry.profile"))
        return 0;
    for (int i = 0; i < s->n_attrs; i++)
        if (slice_is(s->attrs[i].key, "credit") && s->attrs[i].text.n == 1 && strchr("ABC", s->attrs[i].text.p[0]))
            return s->attrs[i].text.p[0];
    return 0;
}

/* attrs `tag:NAME`: an end (a date, or ms), or 0 for none. */
static struct slice tags_of(struct engine *e, const struct signal *s)
{
    struct buf b = {0};
    if (!slice_is(s->kind, "registry.profile"))
        return (struct slice){0};
    for (int i = 0; i < s->n_attrs; i++) {
        const struct signal_attr *a = &s->attrs[i];
        int64_t until = a->text.p ? 0 : a->number;
        if (a->key.n <= 4 || memcmp(a->key.p, "tag:", 4) != 0)
            continue;
        if (a->text.p && !slice_is(a->text, "0") && !time_parse(a->text, e->settings->timezone, &until))
            continue;
        tag_put(&b, (struct slice){a->key.p + 4, a->key.n - 4}, until ? until : INT64_MAX);
    }
    struct slice tags = {b.n ? arena_copy(&e->scratch, b.p, b.n) : NULL, b.n};
    buf_finish(&b);
    return tags;
}

static struct sig make_sig(struct engine *e, const struct signal *s, const struct ekey *name, bool binds, uint64_t seq)
{
    return (struct sig){
        .seq = seq,
        .at = s->at,
        .id = s->id,
        .flags = s->uscc.n ? 0 : SIG_BY_NAME,
        .role = s->role,
        .region = settings_region(e->settings, region_of(s->region)),
        .industry = s->industry,
        .project = s->project,
        .amount = s->amount,
        .people = s->people,
        .since = s->since,
        .owner = parse_owner(e, s->owner),
        .name = s->name.n ? name->b + 1 : NULL,
        .credit = credit_of(s),
        .tags = tags_of(e, s),
        .profile = profile_of_signal(e, s, binds),
    };
}

/* The signal that `x` withdraws, as if it had never come. */
static void withdraw(struct engine *e, const struct entry_signal *x, const struct ekey *given, uint32_t kind,
                     uint32_t source)
{
    struct seen_row target;
    if (!seen_find(e->seen, x->cancels_hash, &target))
        return;
    struct ekey key = identity_resolve(e, given);
    if (triage_withdraw(e, x, given, target.number))
        return;
    struct record *c = identity_record(e, &key, x->sig.name);
    struct series *s = series_find(c, kind, source);
    if (!s)
        return;
    struct sig sig; /* a copy: the judgement moves what is in the record */
    if (!series_get(e, c, s, target.number, &sig) || sig.flags & SIG_CANCELLED || !series_cancel(e, c, s, target.number))
        return;
    bool bound = sig.name && !(sig.flags & SIG_BY_NAME);
    struct ekey name = {{0}};
    if (bound) {
        name.b[0] = (uint8_t)((unsigned)ekey_status(&key) << 4 | EKEY_NAME);
        memcpy(name.b + 1, sig.name, NAME_HASH_LEN);
    }
    /* these two read a whole history: only where it said something that they keep */
    if (sig.region || sig.industry.n || sig.name)
        identity_recall(e, c);
    if (sig.owner || sig.project.n || sig.profile.n)
        link_recall(e, c);
    c->last_seq = e->number;
    news_withdrawn(e, c, kind, &sig);
    life_judge(e, c, e->time, CAUSE_SIGNALS);
    if (bound)
        identity_unbind(e, &name, &key);
    identity_former(e, &key, &sig, false);
}

/* Whom a signal names: both keys in the scratch arena; of what it does not give, zeros. */
struct named {
    struct ekey name, code;
    const struct ekey *given; /* the code where there is one */
};

static const struct named *named_by(struct engine *e, const struct signal *s)
{
    struct named *n = arena_zalloc(&e->scratch, sizeof *n);
    if (s->name.n)
        n->name = ekey_of_name((enum status)s->status, s->name);
    if (s->uscc.n)
        n->code = ekey_of_code((enum status)s->status, s->uscc);
    n->given = s->uscc.n ? &n->code : &n->name;
    return n;
}

void signal_count(struct engine *e, const struct entry_signal *x, uint64_t seq)
{
    const struct signal *s = &x->sig;
    uint32_t kind = dict_add(e->dict, DICT_KIND, s->kind), source = dict_add(e->dict, DICT_SOURCE, x->source);
    const struct named *named = named_by(e, s);
    const struct ekey *name = &named->name, *code = &named->code;
    struct sig sig = make_sig(e, s, name, x->binds_name, seq);
    if (!x->binds_name && s->uscc.n)
        sig.name = NULL;
    if (s->uscc.n && s->name.n && x->binds_name)
        identity_bind(e, name, s->name, code);
    if (s->uscc.n && sig.profile.n)
        identity_former(e, code, &sig, true);
    struct ekey key = s->uscc.n ? *code : identity_resolve(e, name);
    struct record *c = identity_record(e, &key, s->name);
    c->unresolved = !ekey_is_code(&key) && identity_ambiguous(e, &key);
    struct series *series = series_find(c, kind, source);
    series_insert(e, c, series ? series : series_add(e, c, kind, source), &sig);
    identity_note(e, c, &sig, sig.name ? s->name : (struct slice){0});
    c->last_seq = e->number; /* though it may have waited */
    news_came(e, c, kind, e->number);
    link_note(e, c, &sig, kind);
    life_judge(e, c, e->time, CAUSE_SIGNALS);
}

static void fold_signal(struct engine *e, const struct entry *entry)
{
    const struct entry_signal *x = &entry->signal;
    const struct signal *s = &x->sig;
    uint32_t kind = dict_add(e->dict, DICT_KIND, s->kind), source = dict_add(e->dict, DICT_SOURCE, x->source);
    bool cancels = s->cancels.n > 0;
    const struct ekey *given = named_by(e, s)->given;
    if (e->number > e->screened) {
        struct seen_row row = {e->number, cancels ? SEEN_CANCELS : seen_kind(s->kind), *given, true};
        seen_put(e->seen, x->id_hash, &row);
    }
    if (s->status == STATUS_ACTUAL) {
        count_source(e, source);
        count_kind(e, kind);
    }
    if (cancels)
        withdraw(e, x, given, kind, source);
    else if (!triage_keeps(e, x))
        signal_count(e, x, e->number);
}

/* Is the signal that `x` cancels one of the enterprise that it names? A signal of this very batch is not in a record
 * yet; then the key that came with it tells. */
static bool same_enterprise(struct engine *e, const struct entry_signal *x, const struct ekey *given,
                            const struct seen_row *target)
{
    struct ekey key = identity_resolve(e, given);
    if (target->has_key) {
        struct ekey theirs = identity_resolve(e, &target->key);
        return ekey_cmp(&key, &theirs) == 0;
    }
    int64_t kind = dict_find(e->dict, DICT_KIND, x->sig.kind), source = dict_find(e->dict, DICT_SOURCE, x->source);
    const struct record *c = identity_record(e, &key, x->sig.name);
    const struct series *s = series_find(c, (uint32_t)kind, (uint32_t)source);
    return (s && series_has(e, c, s, target->number)) || triage_has(e, x, given, target->number);
}

enum screened engine_screen(struct engine *e, const struct entry_signal *x, uint64_t number)
{
    struct seen_row row;
    const struct signal *s = &x->sig;
    arena_reset(&e->scratch);
    if (seen_find(e->seen, x->id_hash, &row))
        return SCREEN_DUPLICATE;
    struct ekey key = s->uscc.n ? ekey_of_code((enum status)s->status, s->uscc)
                                : ekey_of_name((enum status)s->status, s->name);
    uint32_t kind = seen_kind(s->kind);
    if (s->cancels.n) {
        struct seen_row target;
        if (!seen_find(e->seen, x->cancels_hash, &target) || target.kind != kind)
            return SCREEN_UNKNOWN_CANCEL;
        if (!same_enterprise(e, x, &key, &target))
            return SCREEN_UNKNOWN_CANCEL;
        kind = SEEN_CANCELS;
    }
    row = (struct seen_row){number, kind, key, true};
    seen_put(e->seen, x->id_hash, &row);
    e->screened = number;
    return SCREEN_NEW;
}

void engine_warm(struct engine *e, const struct entry_signal *x, int step)
{
    const struct signal *s = &x->sig;
    if (step == 0) {
        seen_warm(e->seen, x->id_hash);
    } else if (s->uscc.n) {
        struct ekey key = ekey_of_code((enum status)s->status, s->uscc);
        state_warm(e->state, T_ENTERPRISE, key.b, EKEY_LEN, step - 1);
    }
}

void engine_brief(struct engine *e)
{
    e->brief = true;
}

struct ekey engine_resolve(struct engine *e, const struct ekey *k)
{
    arena_reset(&e->scratch);
    return identity_resolve(e, k);
}

/* ---- settings ---- */

static int take_settings(struct engine *e, const struct tree *tree, struct slice hash, uint64_t entry, struct err *err)
{
    struct mistakes m = {.arena = &e->scratch, .file = "configuration entry"};
    struct settings *s;
    if (settings_compile(tree, &m, &s) < 0)
        return err_set(err, WW_EDAMAGED,
                       "journal: the configuration of entry %llu does not compile with this program (%s); "
                       "use the version that wrote it",
                       (unsigned long long)entry, m.n ? m.list[0].sentence : "no reason given");
    settings_bind(s, e->dict);
    settings_destroy(e->settings);
    e->settings = s;
    free((char *)(uintptr_t)e->settings_hash.p);
    e->settings_hash = (struct slice){mem_strndup(hash.p, hash.n), hash.n};
    e->settings_entry = entry;
    return 0;
}

static void fold_config(struct engine *e, const struct entry *entry)
{
    bool first = e->settings == NULL;
    if (take_settings(e, entry->config.tree, entry->config.hash, e->number, e->err) < 0) {
        e->failed = true;
        return;
    }
    e->sweep_pending = !first;
    buf_reset(&e->buf);
    buf_slice(&e->buf, entry->config.hash);
    tree_encode(entry->config.tree, &e->buf);
    state_put(e->state, T_META, "settings", 8, e->buf.p, e->buf.n);
}

static void fold_tick(struct engine *e, const struct entry *entry)
{
    (void)e;
    (void)entry;
}

/* Under settings that are new to it. */
static void sweep(struct engine *e, const struct ekey *key)
{
    struct record *c = identity_record(e, key, (struct slice){0});
    if (ekey_kind(key) == EKEY_CODE || ekey_kind(key) == EKEY_NAME)
        identity_replace(e, c);
    life_judge(e, c, e->time, CAUSE_SETTINGS);
}

static void fold_sweep(struct engine *e, const struct entry *entry)
{
    const struct entry_sweep *x = &entry->sweep;
    if (x->n == 0)
        e->sweep_pending = false;
    e->sweeping = true;
    for (size_t i = 0; i < x->n && !engine_failed(e); i++)
        if (state_get(e->state, T_ENTERPRISE, x->keys[i].b, EKEY_LEN).p)
            sweep(e, &x->keys[i]);
    e->sweeping = false;
}

static void fold_action(struct engine *e, const struct entry *entry)
{
    if (!identity_act(e, &entry->action) && !triage_act(e, &entry->action) && !duty_act(e, &entry->action))
        life_act(e, &entry->action);
}

static void fold_presence(struct engine *e, const struct entry *entry)
{
    presence_fold(e, &entry->presence);
}

/* ---- apply ---- */

static void (*const folds[ENTRY_TYPE_END])(struct engine *, const struct entry *) = {
    [ENTRY_SIGNAL] = fold_signal, [ENTRY_CONFIG] = fold_config, [ENTRY_TICK] = fold_tick,
    [ENTRY_SWEEP] = fold_sweep,   [ENTRY_ACTION] = fold_action, [ENTRY_PRESENCE] = fold_presence,
};

/* Items of T_DUE that are no record's. */
static void (*const due_items[])(struct engine *, const struct ekey *, int64_t at) = {
    [EKEY_HUB] = link_due,
    [EKEY_TRIAGE] = triage_due,
    [EKEY_DUTY_CODE] = duty_due,
    [EKEY_DUTY_NAME] = duty_due,
};

static void work_off_due(struct engine *e, int64_t time)
{
    struct ekey key;
    int64_t at;
    while ((at = due_next(e->due, &key)) <= time && !engine_failed(e)) {
        arena_reset(&e->scratch);
        if (at > e->time)
            e->time = at;
        enum ekey_by by = ekey_kind(&key);
        if (by < ARRAY_LEN(due_items) && due_items[by]) {
            due_items[by](e, &key, at);
            link_settle(e, at);
            continue;
        }
        struct record *c = identity_record(e, &key, (struct slice){0});
        assert(engine_failed(e) || c->due == at);
        if (!engine_failed(e))
            life_judge(e, c, at, CAUSE_CLOCK);
        link_settle(e, at);
    }
}

static int apply(struct engine *e, int64_t time, struct slice bytes)
{
    struct entry entry;
    e->working_off = true;
    if (e->settings)
        work_off_due(e, time);
    e->working_off = false;
    arena_reset(&e->scratch);
    if (time > e->time)
        e->time = time;
    int rc = entry_get(bytes, &e->scratch, &entry, e->err);
    if (rc < 0)
        return rc;
    if (!e->settings && entry.type != ENTRY_CONFIG)
        return err_set(e->err, WW_EDAMAGED, "journal: it does not begin with a configuration; run 'wagewarn verify'");
    folds[entry.type](e, &entry);
    link_settle(e, e->time);
    return 0;
}

int engine_apply(struct engine *e, uint64_t number, int64_t time, struct slice bytes, struct engine_out *out,
                 struct err *err)
{
    struct err mine = {0};
    assert(number == e->number + 1);
    e->number = number;
    e->derived = 0;
    e->out = out;
    e->err = err ? err : &mine;
    e->err->code = 0;
    int rc = apply(e, time, bytes);
    e->out = NULL;
    const struct err *failed = state_failed(e->state);
    if (failed && err)
        *err = *failed;
    e->err = NULL;
    return rc < 0 ? rc : failed ? failed->code : e->failed ? WW_EDAMAGED : 0;
}

/* ---- what the engine stores of itself ---- */

static void store_words(struct engine *e)
{
    for (int c = 0; c < DICT_CLASS_COUNT; c++)
        for (uint32_t n = dict_count(e->dict, (enum dict_class)c); e->words_stored[c] < n; e->words_stored[c]++) {
            uint32_t id = e->words_stored[c];
            const uint8_t key[5] = {(uint8_t)c, (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
            struct slice text = dict_text(e->dict, (enum dict_class)c, id);
            state_put_cold(e->state, T_DICT, key, sizeof key, text.p, text.n);
        }
}

static void store_sources(struct engine *e)
{
    for (uint32_t i = 0; i < e->n_sources; i++) {
        struct source_count *c = &e->sources[i];
        const uint8_t key[4] = {(uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        if (!c->changed)
            continue;
        c->changed = false;
        buf_reset(&e->buf);
        buf_u8(&e->buf, META_VERSION);
        buf_varint(&e->buf, c->stats.accepted);
        buf_when(&e->buf, c->stats.last);
        buf_when(&e->buf, c->stats.day);
        buf_varint(&e->buf, c->stats.today);
        state_put_cold(e->state, T_SOURCE, key, sizeof key, e->buf.p, e->buf.n);
    }
}

/* In T_SOURCE as well, under keys that are no source's. */
static void store_kinds(struct engine *e)
{
    for (uint32_t i = 0; i < e->n_kinds; i++) {
        const uint8_t key[5] = {KIND_ROW, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        if (!e->kinds[i].changed)
            continue;
        e->kinds[i].changed = false;
        buf_reset(&e->buf);
        buf_u8(&e->buf, META_VERSION);
        buf_when(&e->buf, e->kinds[i].last);
        state_put_cold(e->state, T_SOURCE, key, sizeof key, e->buf.p, e->buf.n);
    }
}

static void store_meta(struct engine *e)
{
    buf_reset(&e->buf);
    buf_u8(&e->buf, META_VERSION);
    buf_varint(&e->buf, FOLD_VERSION);
    buf_varint(&e->buf, e->number);
    buf_varint(&e->buf, e->events);
    buf_varint(&e->buf, e->settings_entry);
    buf_zigzag(&e->buf, e->time);
    buf_u8(&e->buf, e->sweep_pending);
    state_put(e->state, T_META, "engine", 6, e->buf.p, e->buf.n);
}

struct checkpoint *engine_checkpoint(struct engine *e)
{
    if (engine_dirty(e) == 0)
        return NULL;
    seen_checkpoint(e->seen);
    due_save(e->due);
    store_words(e);
    store_sources(e);
    store_kinds(e);
    store_meta(e);
    if (e->known)
        known_checkpoint(e->known, e->state);
    e->number_stored = e->number;
    struct checkpoint *cp = state_checkpoint(e->state);
    cp->number = e->number;
    cp->time = e->time;
    return cp;
}

void engine_committed(struct engine *e, struct checkpoint *cp)
{
    state_committed(e->state, cp);
    seen_committed(e->seen);
}

size_t engine_dirty(const struct engine *e)
{
    return state_dirty(e->state) + seen_waiting(e->seen) + due_unsaved(e->due) + (e->number > e->number_stored);
}

void engine_trim(struct engine *e)
{
    arena_reset(&e->scratch);
    state_trim(e->state);
}

void engine_drop_cold(struct engine *e)
{
    assert(!e->has_loader);
    state_drop_cold(e->state);
}

/* ---- beginning and end ---- */

static bool add_word(void *arg, struct slice key, struct slice value)
{
    struct engine *e = arg;
    if (key.n == 5 && (uint8_t)key.p[0] < DICT_CLASS_COUNT) {
        dict_add(e->dict, (enum dict_class)key.p[0], value);
        e->words_stored[(uint8_t)key.p[0]]++;
    }
    return true;
}

static void add_kind_row(struct engine *e, struct slice key, struct slice value)
{
    const uint8_t *k = (const uint8_t *)key.p;
    struct rd r = rd_of(value.p, value.n);
    uint32_t id = (uint32_t)k[1] << 24 | (uint32_t)k[2] << 16 | (uint32_t)k[3] << 8 | k[4];
    if (rd_u8(&r) == META_VERSION && id < dict_count(e->dict, DICT_KIND))
        kind_count(e, id)->last = rd_when(&r);
}

static bool add_source(void *arg, struct slice key, struct slice value)
{
    struct engine *e = arg;
    if (key.n == 5 && key.p[0] == KIND_ROW)
        add_kind_row(e, key, value);
    const uint8_t *k = (const uint8_t *)key.p;
    struct rd r = rd_of(value.p, value.n);
    if (key.n != 4 || rd_u8(&r) != META_VERSION)
        return true;
    uint32_t id = (uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 | (uint32_t)k[2] << 8 | k[3];
    if (id >= dict_count(e->dict, DICT_SOURCE))
        return true;
    struct source_stats *s = &source_count(e, id)->stats;
    s->accepted = rd_varint(&r);
    s->last = rd_when(&r);
    s->day = rd_when(&r);
    s->today = rd_varint(&r);
    return true;
}

static int load_meta(struct engine *e, struct err *err)
{
    struct slice v = state_get(e->state, T_META, "engine", 6);
    if (!v.p)
        return 0;
    struct rd r = rd_of(v.p, v.n);
    uint8_t version = rd_u8(&r);
    uint64_t fold = rd_varint(&r);
    e->number = rd_varint(&r);
    e->events = rd_varint(&r);
    e->settings_entry = rd_varint(&r);
    e->time = rd_zigzag(&r);
    e->sweep_pending = rd_u8(&r);
    if (version != META_VERSION || fold != FOLD_VERSION || r.bad)
        return err_set(err, WW_EDAMAGED, "view: made by another version of the fold; run wagewarnd --rebuild");
    return 0;
}

static int load_settings(struct engine *e, struct err *err)
{
    struct slice v = state_get(e->state, T_META, "settings", 8);
    struct tree *tree;
    if (!v.p)
        return 0;
    struct rd r = rd_of(v.p, v.n);
    struct slice hash = rd_slice(&r);
    if (tree_decode(&r, &e->scratch, &tree) < 0)
        return err_set(err, WW_EDAMAGED, "view: the stored configuration does not decode; run wagewarnd --rebuild");
    return take_settings(e, tree, hash, e->settings_entry, err);
}

static int load(struct engine *e, struct err *err)
{
    int rc = load_meta(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_DICT, add_word, e, err);
    if (rc == 0)
        rc = load_settings(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_SOURCE, add_source, e, err);
    e->number_stored = e->number;
    if (rc == 0)
        rc = due_load(e->due, err);
    if (rc == 0)
        rc = seen_load(e->seen, err);
    if (rc == 0)
        rc = presence_load(e, err);
    if (rc == 0 && e->number)
        rc = known_load(e->known, state_loader_of(e->state), err);
    state_set_known(e->state, e->known); /* not before: it says no to what it does not know */
    const struct err *failed = state_failed(e->state);
    if (rc == 0 && failed) {
        if (err)
            *err = *failed;
        rc = failed->code;
    }
    return rc;
}

/* Settings are compiled again only when they are others. */
static int renew_settings(struct engine *e, struct err *err)
{
    struct slice v = state_get(e->state, T_META, "settings", 8);
    struct rd r = rd_of(v.p, v.n);
    struct slice hash = v.p ? rd_slice(&r) : (struct slice){0};
    return e->settings && slice_eq(hash, e->settings_hash) ? 0 : load_settings(e, err);
}

int engine_reader_renew(struct engine *e, struct err *err)
{
    const struct state_loader *loader = state_loader_of(e->state);
    state_destroy(e->state);
    e->state = state_create(loader, SIZE_MAX);
    arena_reset(&e->scratch);
    e->failed = false;
    int rc = load_meta(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_DICT, add_word, e, err);
    if (rc == 0)
        rc = renew_settings(e, err);
    if (rc == 0)
        rc = state_scan(e->state, T_SOURCE, add_source, e, err);
    const struct err *failed = state_failed(e->state);
    if (rc == 0 && failed && err)
        *err = *failed;
    return rc == 0 && failed ? failed->code : rc;
}

static struct engine *make(const struct state_loader *loader, size_t cache_bytes)
{
    struct engine *e = mem_zalloc(sizeof *e);
    e->state = state_create(loader, cache_bytes);
    e->has_loader = loader != NULL;
    e->dict = dict_create();
    e->due = due_create(e);
    e->seen = seen_create(e);
    e->presence = presence_create();
    return e;
}

int engine_create_reader(struct engine **out, const struct state_loader *loader, struct err *err)
{
    struct engine *e = make(loader, SIZE_MAX);
    int rc = engine_reader_renew(e, err);
    if (rc < 0) {
        engine_destroy(e);
        e = NULL;
    }
    *out = e;
    return rc;
}

int engine_create(struct engine **out, const struct state_loader *loader, size_t cache_bytes, struct err *err)
{
    struct engine *e = make(loader, cache_bytes);
    e->known = known_create();
    if (!loader)
        state_set_known(e->state, e->known);
    int rc = loader ? load(e, err) : 0;
    if (rc < 0) {
        engine_destroy(e);
        e = NULL;
    }
    *out = e;
    return rc;
}

void engine_destroy(struct engine *e)
{
    if (!e)
        return;
    seen_destroy(e->seen);
    presence_destroy(e->presence);
    due_destroy(e->due);
    settings_destroy(e->settings);
    dict_destroy(e->dict);
    state_destroy(e->state);
    known_destroy(e->known);
    arena_finish(&e->scratch);
    buf_finish(&e->buf);
    free((char *)(uintptr_t)e->settings_hash.p);
    free(e->sources);
    free(e->kinds);
    free(e);
}

uint64_t engine_number(const struct engine *e)
{
    return e->number;
}

int64_t engine_time(const struct engine *e)
{
    return e->time;
}

uint64_t engine_events(const struct engine *e)
{
    return e->events;
}

int64_t engine_next_due(const struct engine *e)
{
    struct ekey key;
    return due_next(e->due, &key);
}

const struct dict *engine_dict(const struct engine *e)
{
    return e->dict;
}

struct slice engine_settings_hash(const struct engine *e)
{
    return e->settings_hash;
}

bool engine_sweep_pending(const struct engine *e)
{
    return e->sweep_pending;
}
