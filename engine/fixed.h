/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-point arithmetic of the score (DESIGN 6): hazards in units of 2^-32, decay and score by tables of literals and
 * integer operations only, so that the same journal gives the same bits on every machine. Within 0.01 points of
 * 100 * (1 - exp(-sum -ln(1-w) * 2^(-age/h))): the interpolation of 2^x is off by at most 1e-6 of the value
 * (tests/unit/test_fixed.c measures it). Pure. */
#ifndef ENGINE_FIXED_H
#define ENGINE_FIXED_H

#include "lib/base.h"

typedef uint64_t hazard_t; /* units of 2^-32 */

uint64_t fixed_pow2(uint32_t frac);                      /* 2^(frac / 2^32) in units of 2^-32: in [2^32, 2^33) */
hazard_t fixed_hazard(uint32_t ppm);                     /* -ln(1 - ppm/10^6); ppm < 1,000,000 */
hazard_t fixed_decay(hazard_t, uint64_t age, uint64_t half_life); /* h * 2^(-age/half_life); half_life > 0 */
hazard_t fixed_grow(hazard_t, uint64_t offset, uint64_t half_life); /* h * 2^(offset/half_life), offset < half_life */
uint32_t fixed_score(hazard_t);                          /* hundredths of a point, rounded */
hazard_t fixed_scale(hazard_t, uint32_t ppm);            /* by a factor in parts per million */

#endif
