/* SPDX-License-Identifier: Apache-2.0 */
#include "adapters/tally.h"

void tally_reject(struct tally *t, const char *code, uint64_t n)
{
    for (size_t i = 0; i < t->n_rejected; i++)
        if (strncmp(t->rejected[i].code, code, TALLY_CODE_LEN) == 0) {
            t->rejected[i].n += n;
            return;
        }
    if (t->n_rejected == TALLY_CODES_MAX - 1)
        code = "other"; /* the last place; codes are few, so only a daemon gone wrong gets here */
    if (t->n_rejected < TALLY_CODES_MAX)
        strncpy(t->rejected[t->n_rejected++].code, code, TALLY_CODE_LEN);
    t->rejected[t->n_rejected - 1].n += n;
}

uint64_t tally_rejects(const struct tally *t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t->n_rejected; i++)
        n += t->rejected[i].n;
    return n;
}
