/* SPDX-License-Identifier: Apache-2.0 */
/* store/segment: bytes of heads and batches, there and back, and every way in which they may not check. */
#include "store/segment.h"

#include "test.h"

#include "tests/unit/files.h"
#include "tests/unit/store_kit.h"

static const uint8_t nothing[CHAIN_LEN];

static struct segment_head a_head(uint64_t first)
{
    struct segment_head h = {.mark = 0x1122334455667789, .first = first, .before = first - 1, .time = -5};
    memset(h.key, 7, sizeof h.key);
    memset(h.chain, 9, sizeof h.chain);
    return h;
}

/* A file with a head and what is in `batches`, and a few zeros. */
static struct segment *a_segment(const char *dir, const struct segment_head *h, const struct buf *batches)
{
    struct buf b = {0};
    char name[SEGMENT_NAME_LEN], path[512];
    struct segment *s;
    struct err err = {0};
    buf_reserve(&b, SEGMENT_HEAD);
    segment_head_put(b.p, h);
    b.n = SEGMENT_HEAD;
    buf_put(&b, batches->p, batches->n);
    memset(buf_reserve(&b, 300), 0, 300);
    b.n += 300;
    segment_name(name, h->first);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    kit_file_write(path, b.p, b.n);
    buf_finish(&b);
    if (segment_open(&s, dir, h->first, &err) != 0)
        fail_msg("%s", err.msg);
    return s;
}

static void heads(void **state)
{
    (void)state;
    uint8_t bytes[SEGMENT_HEAD];
    struct segment_head h = a_head(42), back;
    struct err err;
    segment_head_put(bytes, &h);
    assert_int_equal(segment_head_get(bytes, sizeof bytes, "f", &back, &err), 0);
    assert_memory_equal(back.key, h.key, sizeof h.key);
    assert_memory_equal(back.chain, h.chain, sizeof h.chain);
    assert_true(back.mark == h.mark && back.first == 42 && back.before == 41 && back.time == -5);
    for (size_t i = 0; i < 100; i++) {
        bytes[i] ^= 0x10;
        assert_int_equal(segment_head_get(bytes, sizeof bytes, "f", &back, &err), WW_EDAMAGED);
        assert_non_null(strstr(err.msg, "f"));
        bytes[i] ^= 0x10;
    }
    assert_int_equal(segment_head_get(bytes, SEGMENT_HEAD - 1, "f", &back, &err), WW_EDAMAGED);
    bytes[8] = 2;
    assert_int_equal(segment_head_get(bytes, sizeof bytes, "f", &back, &err), WW_EDAMAGED);
    assert_non_null(strstr(err.msg, "version 2"));
}

static void round_trip(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    uint8_t chain[CHAIN_LEN] = {9}, at_start[CHAIN_LEN];
    struct segment_head h = a_head(1);
    struct segment_batch got;
    struct err err;
    memset(chain, 9, sizeof chain);
    memcpy(at_start, chain, sizeof chain);
    size_t counts[40];
    uint64_t next = 1;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        counts[i] = 1 + kit_random(50);
        struct journal_entry *e = kit_entries(&a, next, counts[i]);
        size_t before = b.n;
        segment_batch_put(&b, h.mark, chain, next, (int64_t)next * 10, e, counts[i]);
        assert_int_equal(b.n - before, segment_batch_size(e, counts[i]));
        next += counts[i];
    }
    struct segment *s = a_segment(kit_root, &h, &b);
    uint64_t at = SEGMENT_HEAD, number = 1;
    memcpy(chain, at_start, sizeof chain);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        assert_int_equal(segment_batch(s, at, &got, &err), SEGMENT_GOOD);
        assert_true(got.at == at && got.first == number && got.n == counts[i]);
        assert_true(segment_batch_chain(&got, chain));
        assert_false(segment_batch_chain(&got, nothing));
        for (size_t k = 0; k < got.n; k++)
            kit_same_entry(number + k, &got.entries[k], true);
        memcpy(chain, got.chain, sizeof chain);
        number += got.n;
        at += got.bytes;
    }
    assert_int_equal(segment_batch(s, at, &got, &err), SEGMENT_NONE);
    segment_close(s);
    buf_finish(&b);
    arena_finish(&a);
}

/* Two batches; the first is spoilt at each byte in turn: it never passes, unless a note alone was hit, and
 * the second is always found. */
static void every_byte(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    uint8_t chain[CHAIN_LEN] = {0};
    struct segment_head h = a_head(1);
    struct segment_batch got;
    struct err err;
    uint64_t at;
    segment_batch_put(&b, h.mark, chain, 1, 10, kit_entries(&a, 1, 7), 7);
    size_t first = b.n;
    segment_batch_put(&b, h.mark, chain, 8, 80, kit_entries(&a, 8, 2), 2);
    size_t length = b.p[12] | (size_t)b.p[13] << 8;
    assert_true(BATCH_HEAD + length < first);
    for (size_t i = 0; i < first; i++) {
        uint8_t bit = (uint8_t)(1 << kit_random(8));
        b.p[i] ^= bit;
        struct segment *s = a_segment(kit_root, &h, &b);
        int got_state = segment_batch(s, SEGMENT_HEAD, &got, &err);
        assert_int_equal(got_state, i < BATCH_HEAD + length ? SEGMENT_BAD : SEGMENT_NOTES);
        assert_int_equal(segment_search(s, SEGMENT_HEAD + 1, &at, &err), 1);
        assert_int_equal(at, SEGMENT_HEAD + first);
        segment_close(s);
        b.p[i] ^= bit;
    }
    buf_finish(&b);
    arena_finish(&a);
}

/* Lengths that promise more than the file has are not believed. */
static void lengths(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    uint8_t chain[CHAIN_LEN] = {0};
    struct segment_head h = a_head(1);
    struct segment_batch got;
    struct err err;
    segment_batch_put(&b, h.mark, chain, 1, 10, kit_entries(&a, 1, 3), 3);
    for (size_t field = 12; field < 24; field += 4) {
        uint8_t saved[4];
        memcpy(saved, b.p + field, 4);
        memset(b.p + field, 0xff, 4);
        struct segment *s = a_segment(kit_root, &h, &b);
        assert_int_equal(segment_batch(s, SEGMENT_HEAD, &got, &err), SEGMENT_BAD);
        segment_close(s);
        memcpy(b.p + field, saved, 4);
    }
    buf_finish(&b);
    arena_finish(&a);
}

/* A text that looks like a batch is none: it cannot know the mark. The same bytes with the mark would be
 * found. */
static void forged(void **state)
{
    (void)state;
    struct buf inner = {0}, outer = {0};
    uint8_t chain[CHAIN_LEN] = {0};
    struct segment_head h = a_head(1);
    struct err err;
    uint64_t at;
    struct journal_entry small = {.body = SLICE("x")};
    for (int known = 0; known < 2; known++) {
        buf_reset(&inner);
        buf_reset(&outer);
        segment_batch_put(&inner, known ? h.mark : h.mark + 2, chain, 5, 1, &small, 1);
        struct journal_entry e = {.body = {(const char *)inner.p, inner.n}};
        segment_batch_put(&outer, h.mark, chain, 1, 1, &e, 1);
        outer.p[13] ^= 1; /* torn */
        struct segment *s = a_segment(kit_root, &h, &outer);
        assert_int_equal(segment_search(s, SEGMENT_HEAD + 1, &at, &err), known);
        segment_close(s);
    }
    buf_finish(&inner);
    buf_finish(&outer);
}

static void where_notes_lie(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf b = {0};
    uint8_t chain[CHAIN_LEN] = {0};
    struct segment_head h = a_head(1);
    struct segment_batch got;
    struct err err;
    uint64_t at;
    size_t n;
    char note[64];
    segment_batch_put(&b, h.mark, chain, 1, 10, kit_entries(&a, 1, 20), 20);
    struct segment *s = a_segment(kit_root, &h, &b);
    assert_int_equal(segment_batch(s, SEGMENT_HEAD, &got, &err), SEGMENT_GOOD);
    for (uint64_t i = 0; i < 20; i++) {
        size_t len = kit_note(1 + i, note);
        assert_int_equal(segment_note(&got, i, &at, &n), len > 0);
        if (len > 0) {
            assert_int_equal(n, len);
            assert_memory_equal(b.p + at - SEGMENT_HEAD + 4, note, len);
        }
    }
    segment_close(s);
    buf_finish(&b);
    arena_finish(&a);
}

/* A segment that version 1 of the layout wrote, cut behind its last batch, is read for ever. */
static void version_1(void **state)
{
    (void)state;
    struct arena a = {0};
    const char *dir = kit_path("version 1");
    struct slice file = test_file(&a, "tests/data/store/segment-v1.seg");
    mkdir(dir, 0700);
    kit_file_write(kit_path("version 1/00000000000000000001.seg"), file.p, file.n);
    assert_int_equal(kit_read(dir, 1, true), 8);
    struct journal *j = kit_open(dir, KIT_SEGMENT, NULL);
    kit_write(j, 2);
    journal_close(j);
    assert_int_equal(kit_read(dir, 1, true), 10);
    arena_finish(&a);
}

static void listing(void **state)
{
    (void)state;
    static const char *const names[] = {"00000000000000000123.seg",
                                        "00000000000000000007.seg",
                                        "7.seg",
                                        "lock",
                                        "00000000000000000000.seg",
                                        "next.new",
                                        "0000000000000000x007.seg",
                                        "99999999999999999999.seg"};
    uint64_t *firsts;
    size_t n;
    struct err err;
    char path[600];
    const char *dir = kit_path("listing");
    assert_int_equal(segment_list(dir, &firsts, &n, &err), 0); /* no folder: no segments */
    assert_int_equal(n, 0);
    mkdir(dir, 0700);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        kit_file_write(path, "", 0);
    }
    assert_int_equal(segment_list(dir, &firsts, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_true(firsts[0] == 7 && firsts[1] == 123);
    free(firsts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads),     cmocka_unit_test(round_trip), cmocka_unit_test(every_byte),
        cmocka_unit_test(lengths),   cmocka_unit_test(forged),     cmocka_unit_test(where_notes_lie),
        cmocka_unit_test(version_1), cmocka_unit_test(listing),
    };
    return cmocka_run_group_tests_name("segment", tests, kit_setup, kit_teardown);
}
