/* SPDX-License-Identifier: Apache-2.0 */
/* Unified social credit code, GB 32100-2015: 18 characters of 0-9A-HJ-NPQRTUWXY, the last a check character
 * over weights 3^(i-1) mod 31. Pure; any thread. */
#ifndef LIB_USCC_H
#define LIB_USCC_H

#include "lib/base.h"

enum { USCC_LEN = 18 };

/* NULL when the code is right, else a sentence fragment that says what is wrong with it
 * ("the check character is wrong: expected 3"). Static storage. Also refused: all zeros (no such registering body).
 * Lower case and full width are refused here; uscc_tidy mends them. */
const char *uscc_fault(struct slice code);

/* For adapters: NFKC width folding of ASCII, upper case, spaces and tabs off both ends. Returns the length written
 * to out (at most cap - 1, NUL-terminated); what it cannot mend it copies. */
size_t uscc_tidy(struct slice raw, char *out, size_t cap);

#endif
