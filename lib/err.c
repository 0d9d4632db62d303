/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/err.h"

#include <stdarg.h>
#include <stdio.h>

int(err_set)(struct err *err, int code, const char *fmt, ...) /* the function, not the macro of its name */
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->msg, sizeof err->msg, fmt, ap);
        va_end(ap);
        err->code = code;
    }
    return code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
    char old[sizeof err->msg];
    va_list ap;
    memcpy(old, err->msg, sizeof old);
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->msg)
        snprintf(err->msg + n, sizeof err->msg - (size_t)n, ": %s", old);
    return err->code;
}

int err_exit_status(int code)
{
    static const struct {
        int code, status;
    } table[] = {
        {WW_OK, 0},       {WW_ENO, 1},      {WW_EINPUT, 1},    {WW_EDAMAGED, 1}, {WW_EUSAGE, 2},  {WW_EUNREACH, 69},
        {WW_EIO, 74},     {WW_EFULL, 74},   {WW_EAGAIN, 75},   {WW_ELOCKED, 75}, {WW_EDENIED, 77}, {WW_ECONFIG, 78},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (table[i].code == code)
            return table[i].status;
    return 1;
}
