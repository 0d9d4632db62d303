/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal and the view hold, read back: the first byte says which, the rest is the blob. Damaged bytes are
 * refused; what is accepted encodes to something that decodes and encodes to itself. */
#include "engine/alert.h"
#include "engine/entry.h"
#include "engine/event.h"
#include "engine/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct slice bytes_of(const struct buf *b)
{
    return (struct slice){(const char *)b->p, b->n};
}

/* Reads `in`; true and the encoding of what was read in *out, or false. */
typedef bool again(struct slice in, struct arena *, struct buf *out);

static bool again_entry(struct slice in, struct arena *a, struct buf *out)
{
    struct entry e;
    struct err err;
    (void)out;
    return entry_get(in, a, &e, &err) == 0;
}

static bool again_record(struct slice in, struct arena *a, struct buf *out)
{
    struct record r;
    struct ekey key = {0};
    struct err err;
    if (record_get(in, &key, a, &r, &err) != 0)
        return false;
    record_put(out, &r);
    return true;
}

static bool again_event(struct slice in, struct arena *a, struct buf *out)
{
    struct event e;
    struct err err;
    if (event_get(in, a, &e, &err) != 0)
        return false;
    event_put(out, &e);
    return true;
}

static bool again_alert(struct slice in, struct arena *a, struct buf *out)
{
    struct alert l;
    struct err err;
    if (alert_get(in, a, &l, &err) != 0)
        return false;
    alert_put(out, &l);
    return true;
}

static again *const kinds[] = {again_entry, again_record, again_event, again_alert};

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0)
        return 0;
    struct arena a = {0};
    struct buf once = {0}, twice = {0};
    again *run = kinds[p[0] % ARRAY_LEN(kinds)];
    if (run((struct slice){(const char *)p + 1, n - 1}, &a, &once) && once.n) {
        if (!run(bytes_of(&once), &a, &twice) || !slice_eq(bytes_of(&once), bytes_of(&twice)))
            abort();
    }
    buf_finish(&once);
    buf_finish(&twice);
    arena_finish(&a);
    return 0;
}
