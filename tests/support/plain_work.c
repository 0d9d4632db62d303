/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/plain_work.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words and terms out of a text ---- */

bool pw_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; n && (p = strstr(p, word)); p++) {
        bool begins = p == list || p[-1] == ' ' || p[-1] == ',', ends = !p[n] || p[n] == ' ' || p[n] == ',';
        if (begins && ends)
            return true;
    }
    return false;
}

static struct pw_term term(const char *p)
{
    char *end;
    struct pw_term t = {.given = true, .n = strtol(p, &end, 10)};
    assert(end != p);
    if (strncmp(end, "wd", 2) == 0)
        t.working = true;
    else
        t.n *= *end == 'd' ? PW_DAY : *end == 'h' ? 3600000 : *end == 'm' ? 60000 : 1000;
    return t;
}

/* What follows "\nkey:" at the beginning of a line, blanks skipped; NULL: no such line. */
static const char *line_of(const char *text, const char *key)
{
    char want[64];
    snprintf(want, sizeof want, "\n%s:", key);
    const char *p = strstr(text, want);
    return p ? p + strlen(want) + strspn(p + strlen(want), " ") : NULL;
}

static void by_level(struct pw_term out[PW_LEVELS], const char *text, const char *key)
{
    static const char *const levels[] = {"general: ", "general: ", "major: ", "critical: "};
    const char *line = line_of(text, key);
    assert(line);
    for (int i = 0; i < PW_LEVELS; i++)
        out[i] = term(strstr(line, levels[i]) + strlen(levels[i]));
}

/* "[a, b]" or "a" up to the end of the line. */
static void list_of(char *out, size_t cap, const char *p)
{
    size_t n = *p == '[' ? strcspn(++p, "]") : strcspn(p, "\n");
    assert(n < cap);
    memcpy(out, p, n);
    out[n] = 0;
}

static void read_deadlines(struct plain_work *w, const char *text)
{
    by_level(w->accept, text, "accept");
    by_level(w->verify, text, "verify");
    by_level(w->close, text, "close");
    by_level(w->unattended, text, "unattended");
    w->extend = term(line_of(text, "extend"));
    w->hold_most = term(line_of(text, "hold_most"));
    w->snooze_most = term(line_of(text, "snooze_most"));
    const char *follow = line_of(text, "follow_up");
    w->follow_up = term(strstr(follow, "after: ") + 7);
    w->follow_up_ppm = (unsigned)(atof(strstr(follow, "share: ") + 7) * 1000000 + 0.5);
    list_of(w->paid, sizeof w->paid, line_of(text, "  paid"));
    list_of(w->false_claim, sizeof w->false_claim, line_of(text, "  false_claim"));
}

static void read_measure(struct pw_measure *m, const char *p, size_t n)
{
    char *text = strndup(p, n);
    const char *line;
    snprintf(m->id, sizeof m->id, "%.*s", (int)strcspn(text, "\n"), text);
    if ((line = line_of(text, "    wants")))
        list_of(m->wants, sizeof m->wants, line);
    if ((line = line_of(text, "    levels")))
        list_of(m->levels, sizeof m->levels, line);
    if ((line = line_of(text, "    lasts")))
        m->lasts = term(line); /* its length is of no interest here */
    m->recover = line_of(text, "    recover") != NULL;
    if ((line = line_of(text, "    roles")))
        list_of(m->roles, sizeof m->roles, line);
    if ((line = line_of(text, "    outcome")))
        list_of(m->outcome, sizeof m->outcome, line);
    if ((line = line_of(text, "    silence")))
        list_of(m->silence, sizeof m->silence, line);
    if ((line = line_of(text, "    answered_by")))
        list_of(m->answered_by, sizeof m->answered_by, line);
    if ((line = line_of(text, "    due")))
        m->due = term(line);
    if ((line = line_of(text, "    due_most")))
        m->due_most = term(line);
    free(text);
}

static void read_measures(struct plain_work *w, const char *text)
{
    static const char mark[] = "\n  - id: ";
    const char *next, *p = strstr(text, mark);
    for (; p; p = next) {
        p += strlen(mark);
        next = strstr(p, mark);
        assert(w->n_measures < PW_MEASURES);
        read_measure(&w->measures[w->n_measures++], p, next ? (size_t)(next - p) : strlen(p));
    }
}

/* ---- tables ---- */

static int day_of_year(const char *date)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int month = atoi(date + 5), day = atoi(date + 8) - 1;
    for (int m = 1; m < month; m++)
        day += length[m - 1];
    return day;
}

static void read_calendar(struct plain_work *w, const char *text)
{
    for (const char *p = strchr(text, '\n'); p && p[1]; p = strchr(p + 1, '\n'))
        if (strncmp(p + 1, "2026-", 5) == 0)
            w->special[day_of_year(p + 1)] = p[12];
}

static void read_kinds(struct plain_work *w, const char *text)
{
    for (const char *p = strchr(text, '\n'); p && p[1]; p = strchr(p, '\n')) {
        struct pw_kind *k = &w->kinds[w->n_kinds++];
        assert(w->n_kinds < PW_KINDS);
        for (int column = 0; column < 8; column++) {
            size_t n = strcspn(++p, ",\n");
            if (column == 0)
                snprintf(k->name, sizeof k->name, "%.*s", (int)n, p);
            if (column == 4)
                k->counts = atof(p) > 0;
            if (column == 7)
                snprintf(k->clears, sizeof k->clears, "%.*s", (int)n, p);
            p += n;
        }
    }
}

void pw_read(struct plain_work *w, const char *deadlines, const char *measures, const char *calendar,
             const char *kinds)
{
    *w = (struct plain_work){0};
    read_deadlines(w, deadlines);
    read_measures(w, measures);
    read_calendar(w, calendar);
    read_kinds(w, kinds);
}

/* ---- days ---- */

int64_t pw_day(int64_t ms)
{
    int64_t since = ms - PW_NEW_YEAR, day = since / PW_DAY;
    return since % PW_DAY < 0 ? day - 1 : day;
}

bool pw_works(const struct plain_work *w, int64_t day)
{
    if (day >= 0 && day < PW_DAYS && w->special[day])
        return w->special[day] == 'w';
    return ((day + 3) % 7 + 7) % 7 < 5;
}

int64_t pw_end(const struct plain_work *w, struct pw_term t, int64_t at, bool after_day)
{
    if (!t.given)
        return PW_NEVER;
    if (!t.working)
        return at + t.n;
    int64_t day = pw_day(at);
    if (after_day && at == PW_NEW_YEAR + day * PW_DAY)
        day--;
    for (int64_t counted = 0; counted < t.n;)
        counted += pw_works(w, ++day);
    while (!pw_works(w, day))
        day++;
    return PW_NEW_YEAR + (day + 1) * PW_DAY;
}

/* ---- by name ---- */

const struct pw_measure *pw_measure(const struct plain_work *w, const char *id)
{
    for (int i = 0; i < w->n_measures; i++)
        if (strcmp(w->measures[i].id, id) == 0)
            return &w->measures[i];
    return NULL;
}

const struct pw_kind *pw_kind(const struct plain_work *w, const char *name)
{
    for (int i = 0; i < w->n_kinds; i++)
        if (strcmp(w->kinds[i].name, name) == 0)
            return &w->kinds[i];
    return NULL;
}

const struct pw_team *pw_team_named(const struct plain_work *w, const char *id)
{
    for (int i = 0; i < w->n_teams; i++)
        if (strcmp(w->teams[i].id, id) == 0)
            return &w->teams[i];
    return NULL;
}

/* The one for building sites before the one for everything; no two of a kind have the same place. */
const struct pw_team *pw_team(const struct plain_work *w, const char *place, const char *industry, int tier)
{
    const struct pw_team *best = NULL;
    for (int i = 0; i < w->n_teams; i++) {
        const struct pw_team *t = &w->teams[i];
        for (int k = 0; k < t->n_towns && t->tier == tier; k++)
            if (strncmp(place, t->towns[k], strlen(t->towns[k])) == 0 &&
                (t->sites ? industry[0] == 'E' : !best))
                best = t;
    }
    return best;
}
