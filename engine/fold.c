/* SPDX-License-Identifier: Apache-2.0 */
/* The fold: an entry's type picks its row in the table; the rooms of engine/fold.h do the rest. Also owns the working off
 * of what is due. What the engine keeps of itself is keep.c's. */
#include "engine/fold.h"

#include "lib/calendar.h"
#include "lib/mem.h"

#include <stdlib.h>

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
        keep_count(e, source, kind);
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

int settings_take(struct engine *e, const struct tree *tree, struct slice hash, uint64_t entry, struct err *err)
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
    if (settings_take(e, entry->config.tree, entry->config.hash, e->number, e->err) < 0) {
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
    [EKEY_WAITING] = waiting_due,
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

/* ---- asking ---- */

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
