/* SPDX-License-Identifier: Apache-2.0 */
/* The public header alone: it needs nothing before it and draws no warning, pedantic ones included. */
#pragma GCC diagnostic error "-Wpedantic"
#pragma GCC diagnostic error "-Wall"
#pragma GCC diagnostic error "-Wextra"
#include "wagewarn.h"

int main(void)
{
    const struct ww_signal s = WW_SIGNAL_INIT;
    const struct ww_action a = WW_ACTION_INIT;
    return s.at == WW_ABSENT && s.amount == WW_ABSENT && s.people == WW_ABSENT && s.since == WW_ABSENT &&
                   !s.id && a.people == WW_ABSENT && a.due == WW_ABSENT && !a.alert
               ? 0
               : 1;
}
