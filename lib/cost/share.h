/* SPDX-License-Identifier: Apache-2.0 */
/* Integers divided so that nothing is lost. */
#ifndef COST_SHARE_H
#define COST_SHARE_H

#include <stddef.h>
#include <stdint.h>

/* Splits total (>= 0) in proportion to the weights into out[0..n), by largest
 * remainder (the lower index first among equals): the sum of out is total.  When all
 * weights are 0, out is 0 and the whole total is returned as what is left; else 0. */
int64_t share_split(int64_t total, const uint64_t *weights, size_t n, int64_t *out);
/* How much of total has come about by the part done of whole (0 <= done <= whole),
 * rounded down; differences of it add up exactly.  All of it when whole is 0. */
int64_t share_until(int64_t total, int64_t done, int64_t whole);
/* a * b / c to the nearest, halves up; a, b >= 0, c > 0; INT64_MAX when it is more. */
int64_t share_scale(int64_t a, int64_t b, int64_t c);

#endif
