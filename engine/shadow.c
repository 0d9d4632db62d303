/* SPDX-License-Identifier: Apache-2.0 */
/* The shadow rules: a second rules file judged over the same prepared record, so that it can be watched for a while before
 * it is adopted. It raises no alert and tells nobody; what it would have raised stands in T_SHADOW. Of actual enterprises
 * only; areas and names that wait for a person have none. What the shadow rules give to links and areas is not worked
 * out: their `related` conditions go by what the rules in force give. Writer thread. */
#include "engine/shadow.h"

#include "engine/fold.h"

enum { SHADOW_VERSION = 1 };

void shadow_put(struct buf *b, const struct shadow *s)
{
    buf_u8(b, SHADOW_VERSION);
    buf_u8(b, s->level);
    buf_varint(b, s->score);
    buf_zigzag(b, s->raised_at);
    buf_zigzag(b, s->changed_at);
    buf_varint(b, s->n_rules);
    for (uint32_t i = 0; i < s->n_rules; i++)
        buf_varint(b, s->rules[i]);
}

int shadow_get(struct slice bytes, struct arena *a, struct shadow *s, struct err *err)
{
    struct rd r = rd_of(bytes.p, bytes.n);
    *s = (struct shadow){0};
    r.bad |= rd_u8(&r) != SHADOW_VERSION;
    s->level = rd_u8(&r);
    s->score = (uint32_t)rd_varint(&r);
    s->raised_at = rd_zigzag(&r);
    s->changed_at = rd_zigzag(&r);
    s->n_rules = (uint32_t)rd_count(&r, 1);
    s->rules = arena_alloc(a, (s->n_rules + 1) * sizeof *s->rules);
    for (uint32_t i = 0; i < s->n_rules; i++)
        s->rules[i] = (uint32_t)rd_varint(&r);
    if (r.bad || rd_left(&r) || s->level >= LEVEL_COUNT)
        return err_set(err, WW_EDAMAGED, "view: a stored shadow alert does not decode; run wagewarnd --rebuild");
    return 0;
}

static void forget(struct engine *e, struct record *r)
{
    if (r->shadow_level)
        state_del(e->state, T_SHADOW, r->key.b, EKEY_LEN);
    r->shadow_level = r->shadow_score_level = LEVEL_NONE;
}

/* The rules that hold, in the order of the file. */
static void list_rules(struct engine *e, const struct judgement *j, struct shadow *s)
{
    const struct settings *rules = e->settings;
    s->rules = arena_alloc(&e->scratch, EVENT_REASONS_MAX * sizeof *s->rules);
    for (uint32_t i = 0; (i = judged_next(rules, j, i)) != UINT32_MAX && s->n_rules < EVENT_REASONS_MAX; i++)
        s->rules[s->n_rules++] = rules->rules[i].word;
}

static bool same_rules(const struct shadow *a, const struct shadow *b)
{
    bool same = a->n_rules == b->n_rules;
    for (uint32_t i = 0; same && i < a->n_rules; i++)
        same = a->rules[i] == b->rules[i];
    return same;
}

/* The row that stands; a record without one starts at `at`. */
static struct shadow standing(struct engine *e, const struct record *r, int64_t at)
{
    struct shadow s = {.raised_at = at, .changed_at = at};
    struct slice bytes = {0};
    if (r->shadow_level)
        bytes = state_get(e->state, T_SHADOW, r->key.b, EKEY_LEN);
    if (bytes.p && shadow_get(arena_slice(&e->scratch, bytes), &e->scratch, &s, e->err) < 0)
        e->failed = true;
    return s;
}

static void keep(struct engine *e, struct record *r, const struct judgement *j)
{
    struct shadow was = standing(e, r, j->at), now = {.level = j->level, .score = fixed_score(j->hazards.total),
                                                      .raised_at = was.raised_at, .changed_at = was.changed_at};
    list_rules(e, j, &now);
    if (was.level != now.level)
        now.changed_at = j->at;
    if (was.level == now.level && was.score == now.score && same_rules(&was, &now))
        return;
    buf_reset(&e->buf);
    shadow_put(&e->buf, &now);
    state_put(e->state, T_SHADOW, r->key.b, EKEY_LEN, e->buf.p, e->buf.n);
}

int64_t shadow_judge(struct engine *e, struct record *r, int64_t at)
{
    struct settings *in_force = e->settings;
    struct judgement j;
    bool of_interest = ekey_kind(&r->key) != EKEY_AREA && ekey_status(&r->key) == STATUS_ACTUAL && !r->unresolved;
    if (!in_force->shadow || !of_interest) {
        forget(e, r);
        return INT64_MAX;
    }
    uint8_t score_level = r->score_level;
    r->score_level = r->shadow_score_level;
    e->settings = in_force->shadow;
    judge(e, r, at, &j);
    r->score_level = score_level;
    if (j.level > LEVEL_NONE)
        keep(e, r, &j);
    else
        forget(e, r);
    e->settings = in_force;
    r->shadow_score_level = j.score_level;
    r->shadow_level = j.level;
    return j.next;
}
