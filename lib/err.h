/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a negative code for the caller, one sentence for people, made where the fault is known.
 * Pure; any thread; a struct err belongs to whoever declared it. */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include "lib/base.h"
#include "wagewarn.h" /* the codes: WW_EIO ... */

struct err {
    int code;
    char msg[512];
};

/* Fills err (may be NULL) and returns code, so that a failure is one line: return err_set(err, WW_EIO, ...). */
int err_set(struct err *err, int code, const char *fmt, ...) WW_PRINTF(3, 4);

/* The same, with the code in the open: so the optimiser and the analysers know at each call what is returned, and that
 * after `if (rc < 0) return rc;` everything is filled in. */
#define err_set(err, code, ...)                                                                              \
    __extension__({                                                                                          \
        int err_code_ = (code);                                                                              \
        (void)err_set(err, err_code_, __VA_ARGS__);                                                          \
        err_code_;                                                                                           \
    })

/* Puts "prefix: " before the sentence that is there. Returns err->code. */
int err_prefix(struct err *err, const char *fmt, ...) WW_PRINTF(2, 3);

/* Exit status of COMMANDS for a code: 0, 1, 2, 69, 74, 75, 77, 78. */
int err_exit_status(int code);

#endif
