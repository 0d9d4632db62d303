/* SPDX-License-Identifier: Apache-2.0 */
/* Owns how numbers, times and words look to people, and how they type them. What is printed where is the
 * business of output and of the commands. */
#include "cli/text.h"

#include "lib/calendar.h"
#include "lib/words.h"
#include "lib/workday.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool zh;

void text_open(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    /* The language is read from the environment itself: the words are ours, whether or not the system has
     * that locale. The width of characters is the system's: any UTF-8 locale knows it. */
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *v = getenv(names[i]);
        if (!v || !*v)
            continue;
        zh = strncmp(v, "zh", 2) == 0;
        return;
    }
}

bool text_zh(void)
{
    return zh;
}

const char *tr(const char *en, const char *chinese)
{
    return zh ? chinese : en;
}

const char *text_safe(struct arena *a, const char *s)
{
    char *out = arena_copy(a, s, strlen(s) + 1), *p = out;
    for (; *p; p++) {
        uint8_t c = (uint8_t)*p;
        if (c < 0x20 || c == 0x7f)
            *p = ' ';
        else if (c == 0xc2 && (uint8_t)p[1] >= 0x80 && (uint8_t)p[1] < 0xa0) /* U+0080..U+009F */
            p[0] = p[1] = ' ';
    }
    return out;
}

static const char *zoned(struct arena *a, int64_t ms, size_t n)
{
    char out[26];
    if (ms == NO_INT)
        return "-";
    time_format(ms, OFFSET_CHINA_MS, out);
    out[10] = ' '; /* the T */
    return arena_printf(a, "%.*s", (int)n, out);
}

const char *text_time(struct arena *a, int64_t ms)
{
    return zoned(a, ms, 16);
}

const char *text_clock(struct arena *a, int64_t ms)
{
    return zoned(a, ms, 19);
}

const char *text_span(struct arena *a, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *en, *zh;
    } units[] = {{DAY_MS, "d", "天"}, {3600000, "h", "小时"}, {60000, "m", "分"}, {1000, "s", "秒"}};
    if (ms < 0)
        ms = 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        int64_t n = ms / units[i].ms;
        if (n == 0 && i + 1 < ARRAY_LEN(units))
            continue;
        /* a second unit while the first is small enough for it to matter */
        int64_t rest = i + 1 < ARRAY_LEN(units) ? ms % units[i].ms / units[i + 1].ms : 0;
        if (rest == 0 || n >= 10)
            return arena_printf(a, "%" PRId64 "%s", n, tr(units[i].en, units[i].zh));
        return arena_printf(a, "%" PRId64 "%s %" PRId64 "%s", n, tr(units[i].en, units[i].zh), rest,
                            tr(units[i + 1].en, units[i + 1].zh));
    }
    return "";
}

const char *text_ago(struct arena *a, int64_t at)
{
    if (at == NO_INT)
        return "-";
    return arena_printf(a, tr("%s ago", "%s前"), text_span(a, text_now() - at));
}

int64_t text_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *text_when(struct arena *a, int64_t at)
{
    static const char *const en[] = {"yesterday", "today", "tomorrow"}, *const chinese[] = {"昨天", "今天", "明天"};
    if (at == NO_INT)
        return "-";
    char out[26];
    bool midnight = (at + OFFSET_CHINA_MS) % DAY_MS == 0; /* the end of a day, not the beginning of another */
    int64_t day = civil_day(at - midnight, OFFSET_CHINA_MS) - civil_day(text_now(), OFFSET_CHINA_MS);
    time_format(at - midnight, OFFSET_CHINA_MS, out);
    const char *clock = midnight ? "24:00" : arena_printf(a, "%.5s", out + 11);
    if (day >= -1 && day <= 1)
        return arena_printf(a, "%s %s", tr(en[day + 1], chinese[day + 1]), clock);
    return arena_printf(a, "%.10s %s", out, clock);
}

const char *text_due(struct arena *a, int64_t at)
{
    if (at == NO_INT)
        return "-";
    int64_t late = text_now() - at;
    return late > 0 ? arena_printf(a, tr("overdue %s", "逾期 %s"), text_span(a, late)) : text_when(a, at);
}

const char *text_count(struct arena *a, uint64_t n)
{
    char digits[24], out[32];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
    return arena_copy(a, out, at + 1);
}

const char *text_money(struct arena *a, int64_t fen)
{
    if (fen == NO_INT)
        return "-";
    uint64_t u = fen < 0 ? 0 - (uint64_t)fen : (uint64_t)fen;
    return arena_printf(a, "%s%s.%02u", fen < 0 ? "-" : "", text_count(a, u / 100), (unsigned)(u % 100));
}

const char *text_score(struct arena *a, int64_t hundredths)
{
    if (hundredths < 0)
        return "-";
    return arena_printf(a, "%" PRId64 ".%02d", hundredths / 100, (int)(hundredths % 100));
}

const char *text_percent(struct arena *a, int64_t ppm)
{
    if (ppm < 0)
        return "-";
    int64_t tenths = (ppm + 500) / 1000;
    return arena_printf(a, "%" PRId64 ".%d %%", tenths / 10, (int)(tenths % 10));
}

const char *text_level(const char *wire)
{
    int level = level_of(slice_of(wire));
    return level < 0 || !zh ? wire : level_zh((unsigned)level);
}

const char *text_state(const char *wire)
{
    int state = alert_state_of(slice_of(wire));
    return state < 0 || !zh ? wire : alert_state_zh((unsigned)state);
}

const char *text_event(const char *wire)
{
    for (unsigned i = 1; zh && i < EVENT_TYPE_END; i++)
        if (event_wire(i) && strcmp(event_wire(i), wire) == 0)
            return event_zh(i);
    return wire;
}

/* ---- what people type ---- */

bool text_parse_int(const char *s, int64_t *out)
{
    char *end;
    bool minus = *s == '-';
    if (s[minus] < '0' || s[minus] > '9' || strlen(s) > 18)
        return false;
    *out = strtoll(s, &end, 10);
    return *end == 0;
}

bool text_parse_money(const char *s, int64_t *fen)
{
    char whole[20];
    const char *dot = strchr(s, '.');
    size_t n = dot ? (size_t)(dot - s) : strlen(s);
    int64_t yuan;
    if (n >= sizeof whole - 3 || *s == '-')
        return false;
    memcpy(whole, s, n);
    whole[n] = 0;
    if (!text_parse_int(whole, &yuan) || yuan > INT64_MAX / 100 - 1)
        return false;
    int64_t cents = 0, scale = 10;
    for (const char *p = dot ? dot + 1 : ""; *p; p++, scale /= 10) {
        if (*p < '0' || *p > '9' || scale == 0)
            return false;
        cents += (*p - '0') * scale;
    }
    *fen = yuan * 100 + cents;
    return !dot || dot[1] != 0;
}

bool text_parse_deadline(const char *s, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'d', DAY_MS}, {'h', 3600000}, {'m', 60000}};
    enum { MOST = 10000 };
    size_t n = strlen(s);
    int64_t count;
    for (size_t i = 0; i < ARRAY_LEN(units) && n > 1; i++) {
        char number[8];
        if (s[n - 1] != units[i].unit || n - 1 >= sizeof number)
            continue;
        memcpy(number, s, n - 1);
        number[n - 1] = 0;
        if (!text_parse_int(number, &count) || count <= 0 || count > MOST)
            return false;
        *ms = text_now() + count * units[i].ms;
        return true;
    }
    if (!text_parse_time(s, ms))
        return false;
    if (!strchr(s, 'T'))
        *ms += DAY_MS;
    return true;
}

bool text_parse_time(const char *s, int64_t *ms)
{
    return time_parse(slice_of(s), OFFSET_CHINA_MS, ms);
}
