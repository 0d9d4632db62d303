/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the compiled rules of work: terms, teams, measures, who answers for a place. */
#include "engine/work.h"

#include "lib/calendar.h"
#include "lib/mem.h"

#include <stdlib.h>

/* ---- terms ---- */

/* A whole number from low to high before a unit of so many letters. */
static bool number_before(struct slice text, const char *unit, int64_t low, int64_t high, unsigned *out)
{
    size_t n = strlen(unit);
    int64_t v;
    if (text.n <= n || memcmp(text.p + text.n - n, unit, n) != 0)
        return false;
    struct tree number = {.type = TREE_SCALAR, .text = {text.p, text.n - n}};
    if (!tree_int(&number, &v) || v < low || v > high)
        return false;
    *out = (unsigned)v;
    return true;
}

bool term_parse(struct slice text, struct term *t)
{
    enum { WORKING_MOST = 1000, YEARS_MOST = 10, YEAR_MONTHS = 12 };
    *t = (struct term){0};
    if (number_before(text, "wd", 0, WORKING_MOST, &t->days)) {
        t->given = t->working = true;
        return true;
    }
    if (number_before(text, "mo", 1, YEARS_MOST * YEAR_MONTHS, &t->months))
        return t->given = true;
    if (number_before(text, "y", 1, YEARS_MOST, &t->months)) {
        t->months *= YEAR_MONTHS;
        return t->given = true;
    }
    struct tree duration = {.type = TREE_SCALAR, .text = text};
    t->given = tree_duration(&duration, &t->ms) && t->ms >= 0 && t->ms <= 3660 * DAY_MS;
    return t->given;
}

/* The day of the same number so many months later, or the last of a shorter month; the term ends with it (民法典
 * art. 202, 203). */
static int64_t months_end(int64_t at, unsigned months, int64_t zone)
{
    int year, month, day;
    civil_from_ms(at, zone, &year, &month, &day);
    month += (int)months - 1;
    year += month / 12;
    month = month % 12 + 1;
    while (!civil_valid(year, month, day))
        day--;
    return civil_to_ms(year, month, day, zone) + DAY_MS;
}

int64_t term_end(const struct work *w, const struct term *t, int64_t at)
{
    if (!t->given)
        return INT64_MAX;
    if (t->months)
        return months_end(at, t->months, w->timezone);
    return t->working ? workdays_end(&w->days, at, t->days, w->timezone) : at + t->ms;
}

/* ---- by name ---- */

const struct team *work_team_named(const struct work *w, struct slice id)
{
    for (uint32_t i = 0; i < w->n_teams; i++)
        if (slice_eq(w->teams[i].id, id))
            return &w->teams[i];
    return NULL;
}

const struct measure *work_measure(const struct work *w, struct slice id)
{
    for (uint32_t i = 0; i < w->n_measures; i++)
        if (slice_eq(w->measures[i].id, id))
            return &w->measures[i];
    return NULL;
}

const char *const outcome_words[OUTCOMES] = {"paid", "unfounded", "false_claim", "mediated", "transferred", "listed", "other"};
const char *const limited_words[LIMITS] = {"extend", "hold", "snooze", "escalate", "correct"};

int work_outcome(struct slice word)
{
    int i = OUTCOMES - 1;
    while (i >= 0 && !slice_is(word, outcome_words[i]))
        i--;
    return i;
}

unsigned work_role(struct slice word)
{
    return slice_is(word, "inspector") ? ACTS_INSPECTOR : slice_is(word, "operator") ? ACTS_OPERATOR : 0;
}

const char *work_roles(unsigned roles)
{
    return roles == ACTS_INSPECTOR ? "inspector" : roles == ACTS_OPERATOR ? "operator" : "inspector and operator";
}

static bool is_prefix(struct slice prefix, struct slice text)
{
    return prefix.n <= text.n && (prefix.n == 0 || memcmp(prefix.p, text.p, prefix.n) == 0);
}

const struct lead *work_lead(const struct work *w, struct slice industry)
{
    const struct lead *best = NULL;
    for (uint32_t i = 0; i < w->n_leads; i++)
        if (is_prefix(w->leads[i].industry, industry) && (!best || w->leads[i].industry.n > best->industry.n))
            best = &w->leads[i];
    return best;
}

/* ---- routing ---- */

/* How well a team answers: digits of its longest prefix that holds the place, then characters of the industry's; 0: not
 * at all. A team without industries answers for all of them, and yields to one that names this industry. */
static unsigned fit(const struct team *t, region_t place, struct slice industry)
{
    unsigned digits = 0, letters = 0;
    for (uint32_t i = 0; i < t->n_regions; i++)
        if (place && region_within(place, t->regions[i]) && (t->regions[i] & 15) > digits)
            digits = (unsigned)(t->regions[i] & 15);
    for (uint32_t i = 0; i < t->n_industries; i++)
        if (is_prefix(t->industries[i], industry) && t->industries[i].n > letters)
            letters = (unsigned)t->industries[i].n;
    return digits && (letters || !t->n_industries) ? digits * 16 + letters : 0;
}

const struct team *work_best_two(const struct work *w, region_t place, struct slice industry, unsigned tier,
                                    const struct team **equal)
{
    const struct team *best = NULL;
    unsigned most = 0;
    *equal = NULL;
    for (uint32_t i = 0; i < w->n_teams; i++) {
        const struct team *t = &w->teams[i];
        unsigned how = t->tier == tier ? fit(t, place, industry) : 0;
        if (how > most) {
            most = how;
            best = t;
            *equal = NULL;
        } else if (how && how == most && !*equal) {
            *equal = t;
        }
    }
    return best;
}

const struct team *work_team(const struct work *w, region_t place, struct slice industry, unsigned tier)
{
    const struct team *equal;
    return work_best_two(w, place, industry, tier, &equal);
}

const struct team *work_department(const struct work *w, region_t place, struct slice department)
{
    const struct team *best = NULL;
    unsigned most = 0;
    for (uint32_t i = 0; i < w->n_teams; i++) {
        const struct team *t = &w->teams[i];
        unsigned digits = 0;
        for (uint32_t k = 0; k < t->n_regions && slice_eq(t->department, department); k++)
            if (place && region_within(place, t->regions[k]) && (t->regions[k] & 15) > digits)
                digits = (unsigned)(t->regions[k] & 15);
        if (digits && (!best || t->tier < best->tier || (t->tier == best->tier && digits > most))) {
            best = t;
            most = digits;
        }
    }
    return best;
}

void work_destroy(struct work *w)
{
    if (!w)
        return;
    arena_finish(&w->arena);
    free(w);
}
