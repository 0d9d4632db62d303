/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/values.h"

#include "adapters/source.h"
#include "lib/calendar.h"

enum { DIGITS_MAX = 30, EXPONENT_MAX = 40, SECONDS_A_DAY = 86400 };

size_t fold_width(struct slice s, char *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; n++) {
        const unsigned char *p = (const unsigned char *)s.p + i;
        size_t left = s.n - i, used = 1;
        char c = (char)*p;
        if (left >= 3 && p[0] == 0xEF && ((p[1] == 0xBC && p[2] >= 0x81) || (p[1] == 0xBD && p[2] <= 0x9E))) {
            c = (char)(0x21 + (p[1] - 0xBC) * 64 + p[2] - 0x81); /* U+FF01..U+FF5E */
            used = 3;
        } else if (left >= 3 && memcmp(p, "\xE3\x80\x80", 3) == 0) {
            c = ' ';
            used = 3;
        }
        if (n + 1 >= cap)
            return 0;
        out[n] = c;
        i += used;
    }
    if (cap)
        out[n] = 0;
    return n;
}

/* Folds and trims into `room`; an empty slice when it does not fit. */
static struct slice plain(struct slice s, char room[VALUE_MAX])
{
    struct slice out = {room, fold_width(slice_trim(s), room, VALUE_MAX)};
    return slice_trim(out);
}

static bool starts(struct slice *s, const char *with)
{
    size_t n = strlen(with);
    if (s->n < n || memcmp(s->p, with, n) != 0)
        return false;
    s->p += n;
    s->n -= n;
    return true;
}

static bool ends(struct slice *s, const char *with)
{
    size_t n = strlen(with);
    if (s->n < n || memcmp(s->p + s->n - n, with, n) != 0)
        return false;
    s->n -= n;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- decimals ---- */

struct decimal {
    bool negative;
    unsigned __int128 mantissa; /* at most DIGITS_MAX digits */
    int exponent;               /* of ten */
};

/* Digits, with commas between groups of three. */
static bool whole_part(struct slice *s, struct decimal *d, unsigned *digits)
{
    unsigned group = 0, groups = 0;
    while (s->n && (is_digit(s->p[0]) || (s->p[0] == ',' && *digits > 0))) {
        if (s->p[0] == ',') {
            if (groups > 0 ? group != 3 : group > 3)
                return false;
            groups++;
            group = 0;
        } else {
            d->mantissa = d->mantissa * 10 + (unsigned)(s->p[0] - '0');
            group++;
            *digits += d->mantissa > 0 || *digits == 0;
            if (*digits > DIGITS_MAX)
                return false;
        }
        s->p++;
        s->n--;
    }
    return *digits > 0 && (groups == 0 || group == 3);
}

static void fraction_part(struct slice *s, struct decimal *d, unsigned *digits)
{
    while (s->n && is_digit(s->p[0])) {
        if (*digits < DIGITS_MAX) { /* what lies beyond thirty digits is noise */
            d->mantissa = d->mantissa * 10 + (unsigned)(s->p[0] - '0');
            d->exponent--;
            ++*digits;
        }
        s->p++;
        s->n--;
    }
}

static bool exponent_part(struct slice *s, struct decimal *d)
{
    int e = 0;
    bool minus = starts(s, "-");
    if (!minus)
        starts(s, "+");
    if (!s->n || !is_digit(s->p[0]))
        return false;
    while (s->n && is_digit(s->p[0])) {
        e = e * 10 + (s->p[0] - '0');
        if (e > EXPONENT_MAX)
            return false;
        s->p++;
        s->n--;
    }
    d->exponent += minus ? -e : e;
    return true;
}

/* All of s, or false. */
static bool decimal_parse(struct slice s, struct decimal *d)
{
    unsigned digits = 0;
    *d = (struct decimal){.negative = starts(&s, "-") || starts(&s, "\xE2\x88\x92")}; /* U+2212 */
    if (!d->negative)
        starts(&s, "+");
    if (!whole_part(&s, d, &digits))
        return false;
    if (starts(&s, "."))
        fraction_part(&s, d, &digits);
    if ((starts(&s, "E") || starts(&s, "e")) && !exponent_part(&s, d))
        return false;
    return s.n == 0;
}

/* d times ten to the power of `places`, to the nearest whole number (halves away from zero). */
static bool decimal_scale(const struct decimal *d, int places, int64_t *out)
{
    unsigned __int128 v = d->mantissa;
    int e = d->exponent + places;
    for (; e > 0 && v; e--) {
        if (v > (unsigned __int128)INT64_MAX)
            return false;
        v *= 10;
    }
    for (; e < -1 && v; e++)
        v /= 10;
    if (e == -1 && v)
        v = (v + 5) / 10; /* the digits cut off before can not lift it over a half */
    if (v > (unsigned __int128)INT64_MAX)
        return false;
    *out = d->negative ? -(int64_t)v : (int64_t)v;
    return true;
}

/* ---- sums and counts ---- */

static const struct unit {
    const char *text;
    enum money_unit unit;
} units[] = {
    {"亿元", UNIT_YI},       {"亿", UNIT_YI},     {"万元", UNIT_WAN}, {"万", UNIT_WAN},
    {"千元", UNIT_THOUSAND}, {"元整", UNIT_YUAN}, {"元", UNIT_YUAN},  {"圆", UNIT_YUAN},
};

bool value_amount(struct slice s, enum money_unit unit, int64_t *fen)
{
    static const char *const before[] = {"人民币", "RMB", "CNY", "¥", "￥"};
    char room[VALUE_MAX];
    struct decimal d;
    s = plain(s, room);
    for (size_t i = 0; i < ARRAY_LEN(before); i++)
        if (starts(&s, before[i]))
            s = slice_trim(s);
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (ends(&s, units[i].text)) {
            unit = units[i].unit;
            s = slice_trim(s);
            break;
        }
    bool brackets = s.n > 2 && s.p[0] == '(' && s.p[s.n - 1] == ')'; /* how accountants write a minus */
    if (brackets)
        s = (struct slice){s.p + 1, s.n - 2};
    if (!decimal_parse(s, &d))
        return false;
    d.negative |= brackets;
    return decimal_scale(&d, (int)unit, fen);
}

bool value_count(struct slice s, int64_t *out)
{
    static const char *const after[] = {"人次", "人", "名", "位"};
    char room[VALUE_MAX];
    struct decimal d;
    s = plain(s, room);
    for (size_t i = 0; i < ARRAY_LEN(after); i++)
        if (ends(&s, after[i])) {
            s = slice_trim(s);
            break;
        }
    if (!decimal_parse(s, &d))
        return false;
    while (d.exponent < 0 && d.mantissa % 10 == 0) {
        d.mantissa /= 10;
        d.exponent++;
        if (!d.mantissa)
            d.exponent = 0;
    }
    return d.exponent >= 0 && decimal_scale(&d, 0, out);
}

/* ---- times ---- */

static bool integer(struct slice *s, size_t least, size_t most, int *out)
{
    size_t n = 0;
    int v = 0;
    while (n < s->n && n < most && is_digit(s->p[n]))
        v = v * 10 + (s->p[n++] - '0');
    if (n < least)
        return false;
    s->p += n;
    s->n -= n;
    *out = v;
    return true;
}

static size_t leading_digits(struct slice s)
{
    size_t n = 0;
    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n;
}

struct moment {
    int year, month, day, hour, minute, second, milli;
};

static void fraction_of_second(struct slice *s, struct moment *m)
{
    int scale = 100;
    for (; s->n && is_digit(s->p[0]); scale /= 10) {
        m->milli += (s->p[0] - '0') * scale;
        s->p++;
        s->n--;
    }
}

/* "20260305", "202603051020", "20260305102030" */
static bool compact_form(struct slice *s, size_t digits, struct moment *m)
{
    if (digits != 8 && digits != 12 && digits != 14)
        return false;
    return integer(s, 4, 4, &m->year) && integer(s, 2, 2, &m->month) && integer(s, 2, 2, &m->day) &&
           (digits < 12 || (integer(s, 2, 2, &m->hour) && integer(s, 2, 2, &m->minute))) &&
           (digits < 14 || integer(s, 2, 2, &m->second));
}

static bool written_form(struct slice *s, struct moment *m)
{
    static const struct {
        const char *year, *month, *day, *day_too;
    } seps[] = {{"-", "-", "", ""}, {"/", "/", "", ""}, {".", ".", "", ""}, {"年", "月", "日", "号"}};
    if (!integer(s, 4, 4, &m->year))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(seps); i++)
        if (starts(s, seps[i].year))
            return integer(s, 1, 2, &m->month) && starts(s, seps[i].month) && integer(s, 1, 2, &m->day) &&
                   (starts(s, seps[i].day) || starts(s, seps[i].day_too));
    return false;
}

/* "下午 3": the hour of a half of the day, as a day's hour. */
static bool hour_of_half(struct slice *s, struct moment *m)
{
    bool morning = starts(s, "上午"), afternoon = !morning && starts(s, "下午");
    *s = slice_trim(*s);
    if (!integer(s, 1, 2, &m->hour) || (morning && m->hour > 12))
        return false;
    if (morning && m->hour == 12)
        m->hour = 0;
    if (afternoon && m->hour < 12)
        m->hour += 12;
    return true;
}

static bool time_of_day(struct slice *s, struct moment *m)
{
    if (!hour_of_half(s, m))
        return false;
    if (starts(s, "时") || starts(s, "点")) {
        if (integer(s, 1, 2, &m->minute) && !starts(s, "分"))
            return false;
        return !integer(s, 1, 2, &m->second) || starts(s, "秒");
    }
    if (!starts(s, ":") || !integer(s, 2, 2, &m->minute))
        return false;
    if (!starts(s, ":"))
        return true;
    if (!integer(s, 2, 2, &m->second))
        return false;
    if (starts(s, "."))
        fraction_of_second(s, m);
    return true;
}

static bool zone(struct slice *s, int64_t *offset_ms)
{
    int hours = 0, minutes = 0;
    if (starts(s, "Z") || starts(s, "z")) {
        *offset_ms = 0;
        return true;
    }
    bool west = starts(s, "-");
    if (!west && !starts(s, "+"))
        return false;
    if (!integer(s, 2, 2, &hours))
        return false;
    starts(s, ":");
    if (s->n && !integer(s, 2, 2, &minutes))
        return false;
    *offset_ms = ((int64_t)hours * 60 + minutes) * 60000 * (west ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

bool value_time(struct slice s, int64_t offset_ms, int64_t *ms)
{
    char room[VALUE_MAX];
    struct moment m = {0};
    s = plain(s, room);
    while (starts(&s, "'") || starts(&s, "`")) { /* how spreadsheets mark a text */
    }
    s = slice_trim(s);
    size_t digits = leading_digits(s);
    if (!(digits >= 8 ? compact_form(&s, digits, &m) : written_form(&s, &m)))
        return false;
    if (!starts(&s, "T"))
        s = slice_trim(s);
    if (s.n && digits <= 8 && !time_of_day(&s, &m))
        return false;
    s = slice_trim(s);
    if (s.n && !zone(&s, &offset_ms))
        return false;
    if (s.n || !civil_valid(m.year, m.month, m.day) || m.hour > 23 || m.minute > 59 || m.second > 59)
        return false;
    *ms = civil_to_ms(m.year, m.month, m.day, offset_ms) +
          (((int64_t)m.hour * 60 + m.minute) * 60 + m.second) * 1000 + m.milli;
    return true;
}

bool value_serial(struct slice s, bool date1904, int64_t *ms)
{
    struct decimal d;
    int64_t days, seconds;
    if (!decimal_parse(s, &d) || d.negative || !decimal_scale(&d, 0, &days) || days > 3000000)
        return false;
    d.mantissa *= SECONDS_A_DAY;
    if (!decimal_scale(&d, 0, &seconds))
        return false;
    days = seconds / SECONDS_A_DAY;
    if (days > 2958465 ||
        (!date1904 && (days == 60 || days == 0))) /* 31 December 9999; the day that never was */
        return false;
    int64_t base = date1904    ? civil_to_ms(1904, 1, 1, 0)
                   : days > 60 ? civil_to_ms(1899, 12, 30, 0)
                               : civil_to_ms(1899, 12, 31, 0);
    *ms = base + seconds * 1000;
    return true;
}

bool value_epoch(struct slice s, unsigned places, int64_t *ms)
{
    char room[VALUE_MAX];
    struct decimal d;
    return decimal_parse(plain(s, room), &d) && decimal_scale(&d, (int)places, ms);
}
