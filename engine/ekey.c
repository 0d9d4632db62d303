/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ekey.h"

#include "lib/hash.h"
#include "lib/uscc.h"

static uint8_t head(enum status status, enum ekey_by by)
{
    return (uint8_t)((unsigned)status << 4 | (unsigned)by);
}

struct ekey ekey_of_code(enum status status, struct slice uscc)
{
    struct ekey k = {{head(status, EKEY_CODE)}};
    assert(uscc.n == USCC_LEN);
    memcpy(k.b + 1, uscc.p, USCC_LEN);
    return k;
}

struct ekey ekey_of_name(enum status status, struct slice normalised)
{
    struct ekey k = {{head(status, EKEY_NAME)}};
    uint8_t h[CHAIN_LEN];
    hash_blake2b(h, normalised.p, normalised.n, NULL, 0, NULL, 0);
    memcpy(k.b + 1, h, EKEY_LEN - 1);
    return k;
}
