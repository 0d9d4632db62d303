/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds on msgpack bytes before anything is allocated for them: well-formed, one value, nothing after it, depth,
 * item counts and lengths that the bytes really hold. Allocates nothing. Pure; any thread. */
#ifndef LIB_SCAN_H
#define LIB_SCAN_H

#include "lib/base.h"

enum { SCAN_DEPTH_MAX = 8 };

/* 0: well-formed, one map with string keys, each string valid UTF-8 is NOT checked here. Else a static sentence. */
const char *scan_body(const void *p, size_t n);

#endif
