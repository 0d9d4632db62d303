/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes and randomness: the only door to libsodium besides CURVE keys in daemon/auth. Any thread. */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include "lib/base.h"

enum { HASH_KEY_LEN = 16, CHAIN_LEN = 32 };

/* 128-bit SipHash-2-4 (siphashx24) of two byte strings one after the other, a zero byte between. */
void hash_pair(uint8_t out[16], const uint8_t key[HASH_KEY_LEN], struct slice a, struct slice b);

/* BLAKE2b-256 over up to three pieces one after the other (NULL, 0 for none). */
void hash_blake2b(uint8_t out[CHAIN_LEN], const void *a, size_t na, const void *b, size_t nb, const void *c, size_t nc);

/* CRC32C (Castagnoli), hardware where there is; start with 0. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n); /* the same by tables, where there is none */

/* FNV-1a, 64 bit: for hash tables over trusted or bounded keys. */
uint64_t hash_fnv1a(const void *p, size_t n);

void random_bytes(void *out, size_t n); /* from the kernel; not for the engine */

#endif
