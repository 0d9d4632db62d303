/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in cells, and what the spool keeps: numbers and times by adapters/values, bytes by
 * adapters/keep. The first byte chooses. */
#include "adapters/keep.h"
#include "adapters/values.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void kept(struct slice s)
{
    struct arena a = {0};
    struct ww_signal *signals;
    struct progress progress;
    struct buf again = {0};
    size_t n;
    if (keep_read_signals(s, &a, &signals, &n)) {
        keep_signals(&again, signals, n); /* not always the same bytes, but the same signals */
        if (!keep_read_signals((struct slice){(const char *)again.p, again.n}, &a, &signals, &n))
            abort();
    }
    if (keep_read_progress(s, &progress)) {
        keep_progress(&again, &progress);
        if (!keep_read_progress((struct slice){(const char *)again.p, again.n}, &progress))
            abort();
    }
    arena_finish(&a);
    buf_finish(&again);
}

static void values(struct slice s)
{
    int64_t v;
    char plain[64];
    if (fold_width(s, plain, sizeof plain) >= sizeof plain)
        abort();
    value_amount(s, UNIT_WAN, &v);
    value_count(s, &v);
    value_epoch(s, 3, &v);
    if (value_time(s, 8 * 3600000, &v) && (v < INT64_C(-62200000000000) || v > INT64_C(253500000000000)))
        abort(); /* the years 0 to 9999 */
    if (value_serial(s, false, &v) && (v < INT64_C(-2300000000000) || v > INT64_C(253402300800000)))
        abort(); /* 1900 to 9999 */
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct slice s = {(const char *)p + 1, n - 1};
    if (p[0] & 1)
        kept(s);
    else
        values(s);
    return 0;
}
