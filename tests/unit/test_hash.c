/* SPDX-License-Identifier: Apache-2.0 */
/* lib/hash against published vectors and against a second way of computing the same. */
#include "lib/hash.h"

#include "test.h"

#include <sodium.h>

static void crc32c_vectors(void **state)
{
    (void)state;
    uint8_t block[32];
    assert_int_equal(crc32c(0, "", 0), 0);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    /* RFC 3720, B.4 */
    memset(block, 0, sizeof block);
    assert_int_equal(crc32c(0, block, sizeof block), 0x8a9136aa);
    memset(block, 0xff, sizeof block);
    assert_int_equal(crc32c(0, block, sizeof block), 0x62a8ab43);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, block, sizeof block), 0x46dd794e);
}

static void crc32c_both_ways(void **state)
{
    (void)state;
    uint8_t bytes[300];
    uint32_t r = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((r = r * 1664525 + 1013904223) >> 24);
    for (size_t from = 0; from < 9; from++)
        for (size_t n = 0; from + n <= sizeof bytes; n++)
            assert_int_equal(crc32c(7, bytes + from, n), crc32c_portable(7, bytes + from, n));
}

static void crc32c_in_pieces(void **state)
{
    (void)state;
    static const char text[] = "a journal's batch, checked in two pieces";
    uint32_t whole = crc32c(0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++)
        assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, sizeof text - cut), whole);
}

static void fnv1a_vectors(void **state)
{
    (void)state;
    assert_true(hash_fnv1a("", 0) == UINT64_C(0xcbf29ce484222325));
    assert_true(hash_fnv1a("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(hash_fnv1a("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

static void pair_is_siphash_of_both(void **state)
{
    (void)state;
    uint8_t key[HASH_KEY_LEN], out[16], want[16], other[16];
    for (int i = 0; i < HASH_KEY_LEN; i++)
        key[i] = (uint8_t)i;
    hash_pair(out, key, SLICE("tax"), SLICE("2026-1"));
    crypto_shorthash_siphashx24(want, (const uint8_t *)"tax\0002026-1", 10, key);
    assert_memory_equal(out, want, 16);
    /* The zero byte keeps the two apart. */
    hash_pair(other, key, SLICE("tax2"), SLICE("026-1"));
    assert_memory_not_equal(out, other, 16);
    key[0] ^= 1;
    hash_pair(other, key, SLICE("tax"), SLICE("2026-1"));
    assert_memory_not_equal(out, other, 16);
}

static void pair_of_any_length(void **state)
{
    (void)state;
    static const uint8_t key[HASH_KEY_LEN] = {9};
    uint8_t out[16], want[16];
    static uint8_t text[2001];
    memset(text, 'x', sizeof text);
    text[1000] = 0;
    hash_pair(out, key, (struct slice){(const char *)text, 1000},
              (struct slice){(const char *)text + 1001, 1000});
    crypto_shorthash_siphashx24(want, text, sizeof text, key);
    assert_memory_equal(out, want, 16);
    hash_pair(out, key, (struct slice){0}, (struct slice){0});
    crypto_shorthash_siphashx24(want, (const uint8_t *)"", 1, key);
    assert_memory_equal(out, want, 16);
}

static void blake2b_of_pieces(void **state)
{
    (void)state;
    uint8_t whole[CHAIN_LEN], pieces[CHAIN_LEN];
    /* BLAKE2b-256 of "abc" */
    static const uint8_t abc[CHAIN_LEN] = {0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72, 0x31, 0x71, 0xef,
                                           0x3f, 0xee, 0x98, 0x57, 0x9b, 0x94, 0x96, 0x4e, 0x3b, 0xb1, 0xcb,
                                           0x3e, 0x42, 0x72, 0x62, 0xc8, 0xc0, 0x68, 0xd5, 0x23, 0x19};
    hash_blake2b(whole, "abc", 3, NULL, 0, NULL, 0);
    assert_memory_equal(whole, abc, CHAIN_LEN);
    hash_blake2b(pieces, "a", 1, "b", 1, "c", 1);
    assert_memory_equal(whole, pieces, CHAIN_LEN);
}

static void random_differs(void **state)
{
    (void)state;
    uint8_t a[16] = {0}, b[16] = {0};
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_vectors),          cmocka_unit_test(crc32c_both_ways),
        cmocka_unit_test(crc32c_in_pieces),        cmocka_unit_test(fnv1a_vectors),
        cmocka_unit_test(pair_is_siphash_of_both), cmocka_unit_test(pair_of_any_length),
        cmocka_unit_test(blake2b_of_pieces),       cmocka_unit_test(random_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
