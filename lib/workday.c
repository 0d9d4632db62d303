/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/workday.h"

#include "lib/calendar.h"
#include "lib/csv.h"

#include <stdlib.h>

int64_t civil_day(int64_t ms, int64_t offset_ms)
{
    int64_t local = ms + offset_ms;
    return local / DAY_MS - (local % DAY_MS < 0);
}

static int by_day(const void *a, const void *b)
{
    const struct special_day *x = a, *y = b;
    return (x->day > y->day) - (x->day < y->day);
}

static const struct special_day *find(const struct workdays *w, int64_t day)
{
    const struct special_day key = {.day = day};
    return w->n ? bsearch(&key, w->days, w->n, sizeof key, by_day) : NULL;
}

static void put(struct workdays *w, struct arena *a, struct special_day one)
{
    struct special_day *had = (struct special_day *)(uintptr_t)find(w, one.day);
    if (had) {
        *had = one;
        return;
    }
    struct special_day *more = arena_alloc(a, (w->n + 1) * sizeof *more);
    if (w->n)
        memcpy(more, w->days, w->n * sizeof *more);
    more[w->n++] = one;
    qsort(more, w->n, sizeof *more, by_day);
    w->days = more;
}

int workdays_read(struct workdays *w, struct arena *a, const char *file, struct slice text, struct err *err)
{
    struct csv csv;
    csv_begin(&csv, file, text, a);
    int got = csv_next(&csv, err);
    if (got == 1 && (csv.n != 3 || !slice_is(csv.cells[0], "day") || !slice_is(csv.cells[1], "is") ||
                     !slice_is(csv.cells[2], "name")))
        return csv_fault(&csv, err, "the columns must be \"day,is,name\"");
    while (got == 1 && (got = csv_next(&csv, err)) == 1) {
        int64_t ms;
        if (csv.n != 3 || csv.cells[0].n != 10 || !time_parse(csv.cells[0], 0, &ms))
            return csv_fault(&csv, err, "not a day such as \"2026-02-17\"");
        if (!slice_is(csv.cells[1], "off") && !slice_is(csv.cells[1], "work"))
            return csv_fault(&csv, err, "a day is \"off\" or \"work\"");
        put(w, a, (struct special_day){civil_day(ms, 0), slice_is(csv.cells[1], "work")});
    }
    return got;
}

bool workday_is(const struct workdays *w, int64_t day)
{
    const struct special_day *special = find(w, day);
    int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Monday */
    return special ? special->works : weekday < 5;
}

bool workdays_know(const struct workdays *w, int year)
{
    int64_t first = civil_day(civil_to_ms(year, 1, 1, 0), 0), next = civil_day(civil_to_ms(year + 1, 1, 1, 0), 0);
    for (size_t i = 0; i < w->n; i++)
        if (w->days[i].day >= first && w->days[i].day < next)
            return true;
    return false;
}

int64_t workdays_end(const struct workdays *w, int64_t at, unsigned n, int64_t offset_ms)
{
    int64_t day = civil_day(at, offset_ms);
    for (unsigned left = n; left > 0;)
        left -= workday_is(w, ++day);
    while (!workday_is(w, day))
        day++;
    return (day + 1) * DAY_MS - offset_ms;
}

unsigned workdays_between(const struct workdays *w, int64_t from, int64_t to, int64_t offset_ms)
{
    unsigned n = 0;
    int64_t last = civil_day(to, offset_ms);
    for (int64_t day = civil_day(from, offset_ms) + 1; day <= last; day++)
        n += workday_is(w, day);
    return n;
}
