/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads metrics as JSON lines: one object a line, each number in it a point named by
 * its key, keys of nested objects joined with '/'.  "step" (an integer) and "time" (seconds
 * since 1970, or milliseconds when above 1e11) of the outermost object belong to the
 * whole line, wherever they stand in it.  NaN, Infinity and -Infinity are numbers, bare (as
 * Python and printf() write them) or quoted.  Other values are counted and left out.  A
 * line that is not such an object gives no point at all, and reading goes on after it.
 */
#ifndef JSON_LINES_H
#define JSON_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/util/cleanup.h"

enum {
	LINES_MAX = 1 << 20, /* bytes; a longer line is skipped to its end and counted bad */
	LINES_DEPTH_MAX = 32,
};

struct lines_place {
	bool has_step, has_time;
	int64_t step;
	int64_t time_ms;
};

/* key is not NUL terminated and may hold any byte; both are valid during the call only.
 * False for a point that cannot be taken because of its key. */
typedef bool lines_fn(void *data, const char *key, size_t len, double value,
		      const struct lines_place *place);

struct lines_stats {
	int64_t lines;	   /* read well */
	int64_t points;	   /* taken */
	int64_t bad_lines;
	int64_t ignored;   /* strings, arrays, true, false, null, and unusable step or time */
	int64_t bad_keys;  /* points whose key cannot name a metric */
	char first_bad[121]; /* the start of the first bad line */
};

/* A line that is no such object, or holds other values than numbers or a key that cannot be,
 * without its end; of one that is too long only the start. */
typedef void lines_odd_fn(void *data, const char *line, size_t len);

struct lines;
struct lines *lines_new(lines_fn *fn, void *data);
void lines_free(struct lines *lines);
DEFINE_CLEANUP(struct lines *, lines_free);
/* Called from now on for what should not get lost although it is no point. */
void lines_tell_odd(struct lines *lines, lines_odd_fn *fn, void *data);
/* Takes the next bytes, cut anywhere; memory stays below a few times LINES_MAX. */
void lines_data(struct lines *lines, const char *data, size_t len);
/* Reads a last line that has no line end. */
void lines_end(struct lines *lines);
/* Borrowed; the figures go on counting. */
struct lines_stats *lines_stats(struct lines *lines);

#endif
