/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the counters of sources. Main thread. */
#include "daemon/feeds.h"

#include "lib/log.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdlib.h>

void feeds_finish(struct feeds *f)
{
    for (size_t i = 0; i < f->n; i++)
        free((char *)(uintptr_t)f->list[i].source.p);
    f->n = 0;
}

static int compare(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static struct query_feed *feed_of(struct feeds *f, struct slice source)
{
    if (f->last < f->n && slice_eq(f->list[f->last].source, source))
        return &f->list[f->last];
    size_t low = 0, high = f->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (compare(f->list[mid].source, source) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    f->last = low;
    if (low < f->n && slice_eq(f->list[low].source, source))
        return &f->list[low];
    if (f->n == FEEDS_MAX) {
        f->last = low < f->n ? low : low - 1;
        return &f->list[f->last];
    }
    memmove(&f->list[low + 1], &f->list[low], (f->n - low) * sizeof f->list[0]);
    f->n++;
    f->list[low] =
        (struct query_feed){.source = {mem_strndup(source.p, source.n), source.n}, .last_at = NO_INT};
    return &f->list[low];
}

void feeds_init(struct feeds *f, const struct engine *e)
{
    const struct dict *d = engine_dict(e);
    struct source_stats s;
    *f = (struct feeds){.day = INT64_MIN};
    for (uint32_t i = 0; i < dict_count(d, DICT_SOURCE); i++) {
        if (!engine_source_stats(e, i, &s))
            continue;
        struct query_feed *feed = feed_of(f, dict_text(d, DICT_SOURCE, i));
        feed->accepted = s.accepted;
        feed->last_at = s.last;
        feed->today = s.today;
        feed->day = s.day / DAY_MS;
    }
}

static void begin_day(struct feeds *f, int64_t now, int64_t timezone_ms)
{
    int64_t day = (now + timezone_ms) / DAY_MS;
    if (day == f->day)
        return;
    f->day = day;
    for (size_t i = 0; i < f->n; i++) {
        if (f->list[i].day != day)
            f->list[i].today = 0;
        f->list[i].day = day;
    }
}

void feeds_reject(struct feeds *f, struct slice source)
{
    feed_of(f, source)->rejected++;
    f->rejected++;
}

void feeds_count(struct feeds *f, const struct batch *b, const struct request *r, int64_t now,
                 int64_t timezone_ms)
{
    begin_day(f, now, timezone_ms);
    for (uint32_t i = r->first; i < r->first + r->n; i++) {
        const struct slot *s = &b->slots[i];
        if (s->signal->sig.status != STATUS_ACTUAL)
            continue; /* exercises and tests never touch statistics */
        struct query_feed *feed = feed_of(f, s->signal->source);
        if (s->number) {
            feed->accepted++;
            feed->today++;
            feed->day = f->day;
            feed->last_at = now;
        } else if (s->screened == SCREEN_DUPLICATE)
            feed->duplicates++;
        else
            feeds_reject(f, feed->source);
    }
    f->accepted += r->accepted;
    f->duplicates += r->duplicates;
    f->seq = r->seq ? r->seq : f->seq;
}

void feeds_say(struct feeds *f)
{
    if (f->accepted || f->duplicates || f->rejected)
        log_line(LOG_L_INFO, "signals stored",
                 "accepted=%" PRIu64 " duplicates=%" PRIu64 " rejected=%" PRIu64 " seq=%" PRIu64, f->accepted,
                 f->duplicates, f->rejected, f->seq);
    f->accepted = f->duplicates = f->rejected = 0;
}
