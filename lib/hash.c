/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and randomness. Owns the tables of CRC32C, filled before main(); everything else is libsodium's.
 * Any thread; no state after the start. */
#include "lib/hash.h"

#include "lib/mem.h"

#include <endian.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

#define CRC32C_POLY_REVERSED UINT32_C(0x82f63b78)

enum { CRC_TABLES = 8, PAIR_STACK = 512 };

_Static_assert(HASH_KEY_LEN == crypto_shorthash_siphashx24_KEYBYTES, "key length of siphashx24");
_Static_assert(crypto_shorthash_siphashx24_BYTES == 16, "hash_pair gives 16 bytes");

static uint32_t crc_table[CRC_TABLES][256];

/* Entry [0][b] is the remainder of byte b; [k][b] that of b followed by k zero bytes. */
static void fill_crc_tables(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t r = b;
        for (int bit = 0; bit < 8; bit++)
            r = (r >> 1) ^ (r & 1 ? CRC32C_POLY_REVERSED : 0);
        crc_table[0][b] = r;
    }
    for (int k = 1; k < CRC_TABLES; k++)
        for (uint32_t b = 0; b < 256; b++)
            crc_table[k][b] = (crc_table[k - 1][b] >> 8) ^ crc_table[0][crc_table[k - 1][b] & 0xff];
}

/* Before main(): no thread can see half a table, and libsodium has chosen its code for this processor. */
__attribute__((constructor)) static void start(void)
{
    fill_crc_tables();
    if (sodium_init() < 0) {
        fputs("<3>no randomness from the kernel; check /dev/urandom\n", stderr);
        abort();
    }
}

void hash_pair(uint8_t out[16], const uint8_t key[HASH_KEY_LEN], struct slice a, struct slice b)
{
    uint8_t stack[PAIR_STACK];
    size_t n = a.n + 1 + b.n;
    uint8_t *p = n <= sizeof stack ? stack : mem_alloc(n);
    if (a.n)
        memcpy(p, a.p, a.n);
    p[a.n] = 0;
    if (b.n)
        memcpy(p + a.n + 1, b.p, b.n);
    crypto_shorthash_siphashx24(out, p, n, key);
    if (p != stack)
        free(p);
}

void hash_blake2b(uint8_t out[CHAIN_LEN], const void *a, size_t na, const void *b, size_t nb, const void *c,
                  size_t nc)
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, CHAIN_LEN);
    if (na)
        crypto_generichash_blake2b_update(&state, a, na);
    if (nb)
        crypto_generichash_blake2b_update(&state, b, nb);
    if (nc)
        crypto_generichash_blake2b_update(&state, c, nc);
    crypto_generichash_blake2b_final(&state, out, CHAIN_LEN);
}

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint32_t r = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v = load64(p) ^ r;
        r = 0;
        for (int k = 0; k < 8; k++)
            r ^= crc_table[7 - k][(v >> (8 * k)) & 0xff];
    }
    while (n--)
        r = (r >> 8) ^ crc_table[0][(r ^ *p++) & 0xff];
    return ~r;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t r = (uint32_t)~crc;
    for (; n >= 8; n -= 8, p += 8)
        r = _mm_crc32_u64(r, load64(p));
    uint32_t r32 = (uint32_t)r;
    while (n--)
        r32 = _mm_crc32_u8(r32, *p++);
    return ~r32;
}
#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_sse42(crc, p, n);
#endif
    return crc32c_portable(crc, p, n);
}

uint64_t hash_fnv1a(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    while (n--)
        h = (h ^ *p++) * UINT64_C(0x100000001b3);
    return h;
}

void random_bytes(void *out, size_t n)
{
    randombytes_buf(out, n);
}
