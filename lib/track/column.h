/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A column of integers in few bits: the values, their differences, or the differences of
 * those, whichever is smallest, in blocks of 64 with a common width of their own; the few
 * that need more bits are written behind their block.
 */
#ifndef TRACK_COLUMN_H
#define TRACK_COLUMN_H

#include "lib/track/bytes.h"

enum { COLUMN_MAX = 1024 };

/* 1 <= n <= COLUMN_MAX. */
void column_encode(const uint64_t *v, size_t n, struct strbuf *out);
/* Sets in->bad for bytes that are no column of n integers. */
void column_decode(struct bytes *in, uint64_t *v, size_t n);

#endif
