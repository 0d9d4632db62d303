/* SPDX-License-Identifier: Apache-2.0 */
/* Key of an enterprise, 20 bytes that sort: byte 0 is status * 16 + how it is known, then the code, or 19 bytes of the
 * BLAKE2b hash of its normalised name. Exercise and test signals thus live in spaces of their own. Pure. */
#ifndef ENGINE_EKEY_H
#define ENGINE_EKEY_H

#include "lib/base.h"
#include "lib/words.h"

enum { EKEY_LEN = 20 };
/* EKEY_HUB: not an enterprise but a hub of links, in T_DUE only, while its members are being judged again.
 * EKEY_AREA: an area with an alert of its own: 11 bytes of its hub's hash, then zeros.
 * EKEY_TRIAGE: a signal that waits to be sorted, in T_DUE only: its number in 8 bytes, then zeros.
 * EKEY_DUTY_CODE, EKEY_DUTY_NAME: the duties of an enterprise, in T_DUE only: what follows is its key's.
 * EKEY_WAITING: alerts that nobody has looked at, in T_DUE only: zeros follow. */
enum ekey_by { EKEY_CODE = 1, EKEY_NAME = 2, EKEY_HUB = 3, EKEY_AREA = 4, EKEY_TRIAGE = 5, EKEY_DUTY_CODE = 6, EKEY_DUTY_NAME = 7,
               EKEY_WAITING = 8 };

struct ekey {
    uint8_t b[EKEY_LEN];
};

struct ekey ekey_of_code(enum status, struct slice uscc);        /* 18 characters */
struct ekey ekey_of_name(enum status, struct slice normalised);

static inline enum status ekey_status(const struct ekey *k)
{
    return (enum status)(k->b[0] >> 4);
}

static inline bool ekey_is_code(const struct ekey *k)
{
    return (k->b[0] & 15) == EKEY_CODE;
}

static inline enum ekey_by ekey_kind(const struct ekey *k)
{
    return (enum ekey_by)(k->b[0] & 15);
}

static inline int ekey_cmp(const struct ekey *a, const struct ekey *b)
{
    return memcmp(a->b, b->b, EKEY_LEN);
}

#endif
