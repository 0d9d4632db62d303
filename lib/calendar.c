/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/calendar.h"

enum { DAYS_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* from 1 March of the year 0 */ };

static const int64_t SECOND_MS = 1000, MINUTE_MS = 60 * 1000, HOUR_MS = 3600 * 1000;

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool civil_valid(int year, int month, int day)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    return day <= lengths[month - 1] + (month == 2 && is_leap(year));
}

/* Years are counted from March, so that the leap day is a year's last: then month m (March is 0) begins
 * (153 m + 2) / 5 days into its year. */
int64_t civil_to_ms(int year, int month, int day, int64_t offset_ms)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t of_era = y - era * 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + day_of_year;
    return (era * DAYS_400_YEARS + day_of_era - DAYS_TO_1970) * DAY_MS - offset_ms;
}

void civil_from_ms(int64_t ms, int64_t offset_ms, int *year, int *month, int *day)
{
    /* Whole days first: ms + offset could overflow at the ends of int64. */
    int64_t days = floor_div(ms, DAY_MS) + floor_div(ms - floor_div(ms, DAY_MS) * DAY_MS + offset_ms, DAY_MS);
    days += DAYS_TO_1970;
    int64_t era = floor_div(days, DAYS_400_YEARS);
    int64_t day_of_era = days - era * DAYS_400_YEARS;
    int64_t of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(of_era + era * 400 + (*month <= 2));
}

/* Reads exactly `digits` digits; false leaves the cursor anywhere. */
static bool number(struct slice *s, size_t digits, int *out)
{
    int v = 0;
    if (s->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    s->p += digits;
    s->n -= digits;
    *out = v;
    return true;
}

static bool expect(struct slice *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

/* ".123" and finer: what is below a millisecond is dropped. */
static bool fraction(struct slice *s, int *ms)
{
    int scale = 100, digit;
    *ms = 0;
    if (!number(s, 1, &digit))
        return false;
    do {
        *ms += digit * scale;
        scale /= 10;
    } while (number(s, 1, &digit));
    return true;
}

bool offset_parse(struct slice s, int64_t *offset_ms)
{
    int hours, minutes;
    bool west = s.n && s.p[0] == '-';
    if (!expect(&s, '+') && !expect(&s, '-'))
        return false;
    if (!number(&s, 2, &hours) || !expect(&s, ':') || !number(&s, 2, &minutes) || s.n)
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *offset_ms = (hours * HOUR_MS + minutes * MINUTE_MS) * (west ? -1 : 1);
    return true;
}

static bool clock_time(struct slice *s, int64_t *ms)
{
    int hour, minute, second, thousandths = 0;
    if (!number(s, 2, &hour) || !expect(s, ':') || !number(s, 2, &minute) || !expect(s, ':') ||
        !number(s, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (expect(s, '.') && !fraction(s, &thousandths))
        return false;
    *ms = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + thousandths;
    return true;
}

bool time_parse(struct slice s, int64_t offset_ms, int64_t *ms)
{
    int year, month, day;
    int64_t in_day = 0;
    if (!number(&s, 4, &year) || !expect(&s, '-') || !number(&s, 2, &month) || !expect(&s, '-') ||
        !number(&s, 2, &day) || !civil_valid(year, month, day))
        return false;
    if (s.n) {
        if (!expect(&s, 'T') || !clock_time(&s, &in_day))
            return false;
        if (expect(&s, 'Z'))
            offset_ms = 0;
        else if (s.n && offset_parse(s, &offset_ms))
            s.n = 0;
        if (s.n)
            return false;
    }
    *ms = civil_to_ms(year, month, day, offset_ms) + in_day;
    return true;
}

static char *put(char *p, int64_t v, int digits)
{
    for (int i = digits; i--; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + digits;
}

void time_format(int64_t ms, int64_t offset_ms, char out[26])
{
    int64_t first = civil_to_ms(0, 1, 1, 0), last = civil_to_ms(9999, 12, 31, 0) + DAY_MS - 1;
    int year, month, day;
    char *p = out;
    /* Four digits of a year is all that fits: what lies outside is shown as the nearest that does. */
    if (ms < first - offset_ms)
        ms = first - offset_ms;
    if (ms > last - offset_ms)
        ms = last - offset_ms;
    civil_from_ms(ms, offset_ms, &year, &month, &day);
    int64_t second = (ms - civil_to_ms(year, month, day, offset_ms)) / SECOND_MS;
    int64_t zone = (offset_ms < 0 ? -offset_ms : offset_ms) / MINUTE_MS;
    p = put(p, year, 4);
    *p++ = '-';
    p = put(p, month, 2);
    *p++ = '-';
    p = put(p, day, 2);
    *p++ = 'T';
    p = put(p, second / 3600, 2);
    *p++ = ':';
    p = put(p, second / 60 % 60, 2);
    *p++ = ':';
    p = put(p, second % 60, 2);
    *p++ = offset_ms < 0 ? '-' : '+';
    p = put(p, zone / 60, 2);
    *p++ = ':';
    p = put(p, zone % 60, 2);
    *p = 0;
}
