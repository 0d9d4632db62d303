/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies from the wire: whatever the bytes, the scan and the codec say yes or no, and what is decoded once and encoded
 * again decodes to the same. */
#include "lib/codec.h"
#include "lib/scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void touch(struct slice s) /* reads all of it, so that the sanitizer sees where it points */
{
    volatile char sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum = (char)(sum + s.p[i]);
}

static void touch_signal(const struct signal *s)
{
    const struct slice all[] = {s->id, s->kind, s->uscc, s->name, s->region, s->industry, s->project, s->owner, s->ref,
                                s->note, s->cancels};
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        touch(all[i]);
    require(s->n_attrs <= SIGNAL_ATTRS_MAX);
    for (size_t i = 0; i < s->n_attrs; i++)
        touch(s->attrs[i].key), touch(s->attrs[i].text);
}

static void signals(struct slice body, struct arena *a)
{
    struct signals_body out = {0};
    struct err err = {0};
    if (codec_signals(body, 100, a, &out, &err) != 0)
        return;
    require(out.n <= 100);
    for (size_t i = 0; i < out.n; i++)
        if (out.batch[i].why.code == REJECT_NONE)
            touch_signal(&out.batch[i].sig);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a = {0};
    struct slice body = {(const char *)p, n};
    const struct ww_value *v = NULL, *again = NULL;
    struct err err = {0};
    bool decoded = codec_body(body, &a, &v, &err) == 0;
    require(!decoded || scan_body(p, n) == NULL);
    if (decoded) {
        struct buf once = {0}, twice = {0};
        enc_value(&once, v);
        require(codec_body((struct slice){(const char *)once.p, once.n}, &a, &again, &err) == 0);
        enc_value(&twice, again);
        require(once.n == twice.n && memcmp(once.p, twice.p, once.n) == 0);
        buf_finish(&once);
        buf_finish(&twice);
    }
    signals(body, &a);
    arena_finish(&a);
    return 0;
}
