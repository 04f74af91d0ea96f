/* SPDX-License-Identifier: Apache-2.0 */
/* Time: clocks, and times and durations as people write and read them. */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/util/strbuf.h"

/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_ms(void);
/* Nanoseconds of a clock that never goes back. */
int64_t clock_mono_ns(void);
/* The same in milliseconds. */
int64_t clock_mono_ms(void);

/* Milliseconds from one time to another, the most there are where they are more: a client
 * may have recorded any time. */
int64_t clock_between(int64_t from, int64_t to);

/* "2026-11-22T14:48:28.123Z" */
void clock_add_iso8601(struct strbuf *sb, int64_t ms);
/* "3 minutes ago", "in 2 days"; now is clock_ms(). */
void clock_add_relative(struct strbuf *sb, int64_t ms, int64_t now);
/* "412ms", "4.2s", "3m07s", "2h05m", "3d04h". */
void clock_add_duration(struct strbuf *sb, int64_t ms);

/* Reads "90", "90s", "1.5h", "250ms", "1d12h" into milliseconds >= 0; a bare
 * number is in seconds.  False when it is none of these. */
bool clock_parse_duration(const char *s, int64_t *ms);
/* Reads "2026-11-22", "2026-11-22T10:30[:00[.5]][Z|+01:00]" (local time without a
 * zone), "now", or a duration ago as "3d" or "3d ago", into ms since 1970. */
bool clock_parse_time(const char *s, int64_t now, int64_t *ms);

#endif
