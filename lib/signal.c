/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a signal that need no state: what each way in applies before anything is stored. */
#include "lib/signal.h"

#include "lib/kind.h"
#include "lib/name.h"
#include "lib/region.h"
#include "lib/uscc.h"

enum { OWNER_DIGITS = 32, ATTR_KEY_MAX = 64, ATTR_TEXT_MAX = 1024 };

static const int64_t YEAR_2000_MS = INT64_C(946684800000);

static int refuse(struct reject *why, enum reject_code code, const char *field, const char *what)
{
    *why = (struct reject){code, field, what};
    return (int)code;
}

/* ---- must-haves ---- */

static int check_musts(const struct signal *s, struct reject *why)
{
    if (!s->id.p)
        return refuse(why, REJECT_MISSING_FIELD, "id",
                      "id is missing: each signal has one, unique within its source");
    if (!s->kind.p)
        return refuse(why, REJECT_MISSING_FIELD, "kind", "kind is missing: it says what was noticed");
    if (s->at == NO_INT)
        return refuse(why, REJECT_MISSING_FIELD, "at", "at is missing: when it happened, in ms since 1970");
    return 0;
}

/* ---- texts with a length ---- */

#define TEXT(field, most)                                                                                    \
    {                                                                                                        \
        offsetof(struct signal, field), most, #field, #field " is longer than " #most " bytes",              \
            #field " is empty: leave it out instead", #field " is not valid UTF-8"                           \
    }
static const struct text {
    size_t offset, most;
    const char *field, *too_long, *empty, *ill_formed;
} texts[] = {
    TEXT(id, 64), TEXT(name, 200), TEXT(project, 64), TEXT(ref, 128), TEXT(note, 1024), TEXT(cancels, 64),
};
#undef TEXT

static int check_attr_lengths(const struct signal *s, struct reject *why)
{
    for (size_t i = 0; i < s->n_attrs; i++) {
        if (s->attrs[i].key.n > ATTR_KEY_MAX)
            return refuse(why, REJECT_TOO_LARGE, "attrs", "a key of attrs is longer than 64 bytes");
        if (s->attrs[i].text.n > ATTR_TEXT_MAX)
            return refuse(why, REJECT_TOO_LARGE, "attrs", "a text of attrs is longer than 1024 bytes");
    }
    return 0;
}

static int check_texts(const struct signal *sig, struct reject *why)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct text *t = &texts[i];
        const struct slice *s = (const struct slice *)((const char *)sig + t->offset);
        if (!s->p)
            continue;
        if (s->n > t->most)
            return refuse(why, REJECT_TOO_LARGE, t->field, t->too_long);
        if (!s->n)
            return refuse(why, REJECT_BAD_FIELD, t->field, t->empty);
        if (!utf8_valid(*s))
            return refuse(why, REJECT_BAD_FIELD, t->field, t->ill_formed);
    }
    if (sig->name.p && name_fault(sig->name))
        return refuse(why, REJECT_BAD_FIELD, "name",
                      "name has control characters or marks that turn the direction of reading");
    if (sig->name.p && name_blank(sig->name))
        return refuse(why, REJECT_BAD_FIELD, "name", "name is nothing but spaces");
    return check_attr_lengths(sig, why);
}

/* ---- the enterprise ---- */

static int check_enterprise(const struct signal *s, struct reject *why)
{
    const char *fault = s->uscc.p ? uscc_fault(s->uscc) : NULL;
    if (fault)
        return refuse(why, REJECT_BAD_USCC, "uscc", fault);
    if (!s->uscc.p && !s->name.p)
        return refuse(why, REJECT_NO_ENTERPRISE, "uscc", NULL);
    return 0;
}

/* ---- places and industries ---- */

static int check_region(struct slice s, const struct regions *regions, struct reject *why)
{
    region_t r = region_of(s);
    if (!r || (s.n != 6 && s.n != 9 && s.n != 12))
        return refuse(why, REJECT_BAD_REGION, "region", "region is not 6, 9 or 12 digits");
    if (!regions_takes(regions, r))
        return refuse(
            why, REJECT_BAD_REGION, "region",
            "no county has the first 6 digits of region; a replaced code must be sent as its new one");
    return 0;
}

static bool is_industry(struct slice s)
{
    if (s.n < 1 || s.n > 5 || s.n == 2 || s.p[0] < 'A' || s.p[0] > 'Z')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

/* ---- the rest ---- */

static int check_time(int64_t at, int64_t now, struct reject *why)
{
    if (at < YEAR_2000_MS)
        return refuse(why, REJECT_BAD_TIME, "at",
                      "at is before the year 2000: it counts milliseconds, not seconds");
    if (at - DAY_MS > now)
        return refuse(why, REJECT_BAD_TIME, "at", "at is more than 24 h ahead");
    return 0;
}

static int check_numbers(const struct signal *s, struct reject *why)
{
    if (s->amount != NO_INT && s->amount < 0)
        return refuse(why, REJECT_BAD_FIELD, "amount", "amount is below 0");
    if (s->people != NO_INT && s->people < 0)
        return refuse(why, REJECT_BAD_FIELD, "people", "people is below 0");
    if (s->since != NO_INT && s->since < 0)
        return refuse(why, REJECT_BAD_FIELD, "since", "since is below 0");
    return 0;
}

static bool is_owner(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return s.n == OWNER_DIGITS;
}

static int check_attrs(const struct signal *s, struct reject *why)
{
    for (size_t i = 0; i < s->n_attrs; i++) {
        const struct signal_attr *a = &s->attrs[i];
        if (!a->key.n || !utf8_valid(a->key))
            return refuse(why, REJECT_BAD_FIELD, "attrs", "a key of attrs is empty or not valid UTF-8");
        if (name_fault(a->key) || name_unseen(a->key) || (a->text.p && name_fault(a->text)))
            return refuse(why, REJECT_BAD_FIELD, "attrs",
                          "attrs have control characters, characters of no width in a key, or marks that turn the direction of "
                          "reading");
        if (a->text.p && (!a->text.n || !utf8_valid(a->text)))
            return refuse(why, REJECT_BAD_FIELD, "attrs", "a text of attrs is empty or not valid UTF-8");
    }
    return 0;
}

static int check_rest(const struct signal *s, struct reject *why)
{
    int rc = check_numbers(s, why);
    if (!rc && s->owner.p && !is_owner(s->owner))
        rc = refuse(why, REJECT_BAD_FIELD, "owner", "owner is not 32 hex digits");
    return rc ? rc : check_attrs(s, why);
}

int signal_check(const struct signal *s, const struct kinds *kinds, const struct regions *regions,
                 int64_t now, struct reject *why)
{
    int rc;
    *why = (struct reject){REJECT_NONE, NULL, NULL};
    if ((rc = check_musts(s, why)) || (rc = check_texts(s, why)))
        return rc;
    if (!kinds_find(kinds, s->kind))
        return refuse(why, REJECT_UNKNOWN_KIND, "kind", NULL);
    if ((rc = check_enterprise(s, why)))
        return rc;
    if (s->region.p && (rc = check_region(s->region, regions, why)))
        return rc;
    if (s->industry.p && !is_industry(s->industry))
        return refuse(why, REJECT_BAD_FIELD, "industry",
                      "industry is not a capital letter, alone or with 2 to 4 digits");
    if ((rc = check_time(s->at, now, why)))
        return rc;
    return check_rest(s, why);
}

void signal_normalise_attrs(struct signal *s, struct arena *a)
{
    if (!slice_is(s->kind, "registry.profile"))
        return;
    for (int i = 0; i < s->n_attrs; i++) {
        struct signal_attr *attr = &s->attrs[i];
        if (!attr->text.p || !slice_is(attr->key, "former_name"))
            continue;
        struct slice name = name_normalise(a, attr->text);
        attr->text = (struct slice){name.p ? name.p : "", name.n};
    }
}
