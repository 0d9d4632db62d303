/* SPDX-License-Identifier: Apache-2.0 */
/* Stored forms: each comes back as it was put; cut short or changed, none is believed and nothing is read beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "engine/duty.h"
#include "engine/alert.h"
#include "engine/entry.h"
#include "engine/record.h"

static const struct entry_signal full = {
    .sig = {.id = {"id-1", 4}, .kind = {"court.seizure", 13}, .at = 1773970000123, .uscc = {"91350100M000100Y43", 18},
            .name = {"示例", 6}, .region = {"330482001", 9}, .industry = {"C1810", 5}, .amount = 123456, .people = 12,
            .since = 1770000000000, .project = {"P-1", 3}, .role = ROLE_SUB, .owner = {"00112233445566778899aabbccddeeff", 32},
            .status = STATUS_EXERCISE, .ref = {"（2026）1号", 13}, .cancels = {"id-0", 4}, .n_attrs = 2,
            .attrs = {{{"a", 1}, {"b", 1}, NO_INT}, {{"n", 1}, {NULL, 0}, -7}}},
    .source = {"court", 5}, .id_hash = {1, 2, 3}, .cancels_hash = {4, 5}, .has_note = true, .note_hash = {6, 7},
    .binds_name = true};

static struct slice bytes_of(const struct buf *b)
{
    return (struct slice){(const char *)b->p, b->n};
}

static void a_signal_comes_back(void **unused)
{
    (void)unused;
    struct buf b = {0}, again = {0};
    struct arena a = {0};
    struct entry e;
    entry_put_signal(&b, &full);
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_int_equal(e.type, ENTRY_SIGNAL);
    assert_true(slice_eq(e.signal.sig.ref, full.sig.ref));
    assert_true(e.signal.sig.since == full.sig.since);
    assert_true(e.signal.sig.attrs[1].number == -7);
    assert_null(e.signal.sig.attrs[1].text.p);
    assert_memory_equal(e.signal.cancels_hash, full.cancels_hash, 16);
    entry_put_signal(&again, &e.signal);
    assert_int_equal(again.n, b.n);
    assert_memory_equal(again.p, b.p, b.n);
    buf_finish(&b);
    buf_finish(&again);
    arena_finish(&a);
}

/* Every prefix, and every byte changed: refused or read as something else, never beyond its end (the sanitizer looks). */
static void spoil(const struct buf *b, void (*read)(struct slice, struct arena *))
{
    struct arena a = {0};
    for (size_t n = 0; n <= b->n; n++) {
        char *copy = malloc(n + 1);
        memcpy(copy, b->p, n);
        char *exact = realloc(copy, n ? n : 1);
        read((struct slice){exact, n}, &a);
        free(exact);
        arena_reset(&a);
    }
    for (size_t i = 0; i < b->n; i++)
        for (unsigned x = 1; x < 256; x <<= 1) {
            char *copy = malloc(b->n);
            memcpy(copy, b->p, b->n);
            copy[i] = (char)(copy[i] ^ (char)x);
            read((struct slice){copy, b->n}, &a);
            free(copy);
            arena_reset(&a);
        }
    arena_finish(&a);
}

static void read_entry(struct slice s, struct arena *a)
{
    struct entry e;
    (void)!entry_get(s, a, &e, NULL);
}

static void read_event(struct slice s, struct arena *a)
{
    struct event e;
    (void)!event_get(s, a, &e, NULL);
}

static void read_duties(struct slice s, struct arena *a)
{
    struct duty_row x;
    (void)!duty_row_get(s, a, &x, NULL);
}

static void read_alert(struct slice s, struct arena *a)
{
    struct alert x;
    (void)!alert_get(s, a, &x, NULL);
}

static void read_record(struct slice s, struct arena *a)
{
    static const struct ekey key = {{1, '9'}};
    struct record r;
    (void)!record_get(s, &key, a, &r, NULL);
}

static void read_block(struct slice s, struct arena *a)
{
    struct sig *sigs;
    size_t n;
    (void)!block_get(s, a, &sigs, &n, NULL);
    (void)block_has(s, 7);
}

static void spoilt_entries_are_refused(void **unused)
{
    (void)unused;
    struct buf b = {0};
    entry_put_signal(&b, &full);
    spoil(&b, read_entry);
    buf_reset(&b);
    const struct ekey keys[2] = {{{1, 2}}, {{1, 3}}};
    entry_put_sweep(&b, keys, 2);
    spoil(&b, read_entry);
    buf_reset(&b);
    struct entry_action x = {.principal = SLICE("p"), .what = SLICE("close"), .alert = 7, .has_note = true,
                             .outcome = SLICE("paid"), .people = 3, .amount = NO_INT};
    entry_put_action(&b, &x);
    spoil(&b, read_entry);
    buf_finish(&b);
}

static void events_and_alerts_come_back(void **unused)
{
    (void)unused;
    struct buf b = {0}, again = {0};
    struct arena a = {0};
    const uint64_t numbers[] = {9, 8};
    const struct reason reasons[] = {{3, LEVEL_MAJOR, 5, 2, numbers}};
    const struct evidence evidence[] = {{9, SLICE("x"), 1, 2, 1000, 600000, 5, NO_INT}};
    const region_t places[] = {region_of(SLICE("330482"))};
    struct event ev = {.seq = 4, .alert = 2, .at = 1000, .version = 3, .entry = 9, .type = EVENT_UPGRADED, .level = 2,
        .state = ALERT_STATE_OPEN, .score = 6655, .uscc = SLICE("c"), .name = SLICE("n"), .n_places = 1, .places = places,
        .n_reasons = 1, .reasons = reasons, .n_evidence = 1, .evidence_total = 40, .evidence = evidence, .due = NO_INT,
        .rules_changed = true, .team = SLICE("t"), .people = NO_INT, .amount = 7};
    struct event back;
    event_put(&b, &ev);
    assert_int_equal(event_get(bytes_of(&b), &a, &back, NULL), 0);
    event_put(&again, &back);
    assert_int_equal(again.n, b.n);
    assert_memory_equal(again.p, b.p, b.n);
    spoil(&b, read_event);
    struct slice joined[] = {SLICE("j")};
    struct alert x = {.number = 5, .state = ALERT_STATE_CLOSED, .level = 1, .due = NO_INT, .closed_at = 8, .team = SLICE("t"),
                      .n_joined = 1, .joined = joined, .n_places = 1, .places = places}, y;
    buf_reset(&b);
    buf_reset(&again);
    alert_put(&b, &x);
    assert_int_equal(alert_get(bytes_of(&b), &a, &y, NULL), 0);
    alert_put(&again, &y);
    assert_int_equal(again.n, b.n);
    assert_memory_equal(again.p, b.p, b.n);
    spoil(&b, read_alert);
    buf_finish(&b);
    buf_finish(&again);
    arena_finish(&a);
}

/* Layout 1 of an action had no name, uscc, role, own_team at its end; layout 2 neither signal nor as; layout
 * 3 no duty. */
static void older_actions_are_read(void **unused)
{
    (void)unused;
    enum { LATER = 4, SORTING = 2, LATEST = 1 };
    struct buf b = {0};
    struct arena a = {0};
    struct entry e;
    struct entry_action x = {.alert = 7, .what = SLICE("accept"), .principal = SLICE("p"), .people = 3, .amount = NO_INT,
                             .due = NO_INT, .until = NO_INT, .paid_people = NO_INT, .paid_amount = NO_INT};
    entry_put_action(&b, &x);
    b.p[1] = 3;
    b.n -= LATEST;
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_true(e.action.alert == 7 && !e.action.duty.n);
    b.p[1] = 2;
    b.n -= SORTING;
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_true(e.action.alert == 7 && !e.action.signal && !e.action.as.n);
    b.p[1] = 1;
    b.n -= LATER;
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_true(e.action.alert == 7 && slice_is(e.action.what, "accept") && e.action.people == 3 && !e.action.role.n);
    b.p[1] = 5;
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), WW_EDAMAGED);
    buf_finish(&b);
    arena_finish(&a);
}

static void who_listens_comes_back(void **unused)
{
    (void)unused;
    struct buf b = {0};
    struct arena a = {0};
    struct entry e;
    entry_put_presence(&b, &(struct entry_presence){SLICE("towns"), true});
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_true(e.type == ENTRY_PRESENCE && slice_is(e.presence.team, "towns") && e.presence.listening);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(entry_get((struct slice){(char *)b.p, n}, &a, &e, NULL), WW_EDAMAGED);
    b.p[1] = 1; /* layout 1 had no wishes */
    b.n--;
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_true(slice_is(e.presence.team, "towns") && e.presence.listening && !e.presence.n_wishes);
    const region_t places[] = {region_of(SLICE("3304")), region_of(SLICE("330501"))};
    const struct slice trades[] = {SLICE("E"), SLICE("C18")};
    const struct entry_wish wishes[] = {{.n_regions = 2, .regions = places, .min_level = LEVEL_MAJOR},
                                        {.n_industries = 2, .industries = trades}};
    buf_reset(&b);
    entry_put_presence(&b, &(struct entry_presence){SLICE("towns"), true, 2, wishes});
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_int_equal(e.presence.n_wishes, 2);
    assert_true(e.presence.wishes[0].min_level == LEVEL_MAJOR && e.presence.wishes[0].regions[1] == places[1]);
    assert_true(slice_is(e.presence.wishes[1].industries[1], "C18") && !e.presence.wishes[1].n_regions);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(entry_get((struct slice){(char *)b.p, n}, &a, &e, NULL), WW_EDAMAGED);
    struct entry_action x = {.what = SLICE("sort"), .signal = 9, .as = SLICE("relevant"), .people = NO_INT};
    buf_reset(&b);
    entry_put_action(&b, &x);
    assert_int_equal(entry_get(bytes_of(&b), &a, &e, NULL), 0);
    assert_true(e.action.signal == 9 && slice_is(e.action.as, "relevant"));
    buf_finish(&b);
    arena_finish(&a);
}

static void duties_come_back(void **unused)
{
    (void)unused;
    const region_t places[] = {3, 77};
    struct duty_state list[] = {{SLICE("site"), 5, 70, 100, NO_INT, true, false, 0, 70, 9, SLICE("王"), SLICE("R-1")},
                                {SLICE("review"), -5, NO_INT, 90, 120, true, true, 2, NO_INT, 0, {NULL, 0}, {NULL, 0}}};
    struct duty_row in = {100, SLICE("甲"), SLICE("E47"), 77, 3, 2, 2, places, list}, out;
    struct buf b = {0}, again = {0};
    struct arena a = {0};
    duty_row_put(&b, &in);
    assert_int_equal(duty_row_get(bytes_of(&b), &a, &out, NULL), 0);
    assert_true(out.next == 100 && out.n == 2 && out.list[1].climbed == 2 && out.list[1].overdue && !out.list[0].overdue);
    assert_true(out.list[0].hand_entry == 9 && slice_is(out.list[0].hand_ref, "R-1") && out.places[1] == 77);
    duty_row_put(&again, &out);
    assert_true(slice_eq(bytes_of(&again), bytes_of(&b)));
    spoil(&b, read_duties);
    buf_finish(&again);
    buf_finish(&b);
    arena_finish(&a);
}

static void records_come_back(void **unused)
{
    (void)unused;
    struct buf b = {0}, again = {0};
    struct arena a = {0};
    const uint8_t owner[OWNER_LEN] = {1}, name[NAME_HASH_LEN] = {2};
    struct sig sigs[2] = {{.seq = 5, .at = -3, .id = SLICE("a"), .amount = NO_INT, .people = 4, .since = NO_INT, .owner = owner,
                           .rank = 2},
                          {.seq = 3, .at = 70, .id = SLICE("b"), .flags = SIG_CANCELLED | SIG_BY_NAME, .amount = 1,
                           .people = NO_INT, .since = 2, .name = name, .region = 77, .credit = 'C'}};
    struct block_ref ref = {0, 2, 1, -9, -5, 2, 1, 2};
    struct bucket bucket = {-1, 99};
    struct series series = {.kind = 3, .source = 1, .n = 2, .sigs = sigs, .n_blocks = 1, .next_block = 1, .blocks = &ref,
                            .n_buckets = 1, .buckets = &bucket, .spilled_cleared = NO_INT, .spilled_latest = -5};
    region_t places[] = {77};
    struct record r = {.key = {{1, '9'}}, .name = SLICE("n"), .alert = 3, .alert_open = true, .due = NO_INT, .n_places = 1,
                       .places = places, .n_series = 1, .series = &series}, back;
    record_put(&b, &r);
    assert_int_equal(record_get(bytes_of(&b), &r.key, &a, &back, NULL), 0);
    assert_int_equal(back.series[0].blocks[0].max_seq, 2);
    assert_int_equal(back.series[0].sigs[0].rank, 0); /* worked out, not stored */
    record_put(&again, &back);
    assert_int_equal(again.n, b.n);
    assert_memory_equal(again.p, b.p, b.n);
    spoil(&b, read_record);
    buf_reset(&b);
    block_put(&b, sigs, 2);
    struct sig *got;
    size_t n;
    assert_int_equal(block_get(bytes_of(&b), &a, &got, &n, NULL), 0);
    for (size_t i = 0; i < n; i++)
        assert_true(block_has(bytes_of(&b), got[i].seq));
    assert_false(block_has(bytes_of(&b), UINT64_MAX));
    assert_int_equal(n, 2);
    assert_int_equal(got[0].rank, 2); /* in a block it is */
    spoil(&b, read_block);
    buf_finish(&b);
    buf_finish(&again);
    arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_comes_back), cmocka_unit_test(spoilt_entries_are_refused),
        cmocka_unit_test(events_and_alerts_come_back), cmocka_unit_test(older_actions_are_read), cmocka_unit_test(who_listens_comes_back), cmocka_unit_test(records_come_back), cmocka_unit_test(duties_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
