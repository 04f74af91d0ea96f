/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one printer of listings: a table for people, one JSON object a line with
 * --json, "key=value" fields ended by NUL with -z (a record ends with one more
 * NUL).  Shapes are documented in mlp-json(7); fields are only ever added.
 *
 *	static const struct column cols[] = { { "id", "RUN" }, { "loss", "LOSS", .right = true } };
 *	print_begin(p, cols, 2);
 *	print_string(p, id); print_double(p, loss); print_end_row(p);   (once per row)
 *	print_end(p);
 */
#ifndef CMD_PRINT_H
#define CMD_PRINT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/json/write.h"
#include "lib/util/vec.h"

/* The end of "run" or "runs", by their number. */
#define PLURAL(n) ((n) == 1 ? "" : "s")

enum print_mode { PRINT_TEXT, PRINT_JSON, PRINT_NUL };

enum color {
	COLOR_NONE,
	COLOR_DIM,
	COLOR_BOLD,
	COLOR_RED,
	COLOR_GREEN,
	COLOR_YELLOW,
	COLOR_BLUE,
	COLOR_CYAN,
};

struct column {
	const char *key;   /* in --json and -z */
	const char *title; /* heading in the table; NULL: not shown there */
	bool right;
	int max; /* cells; longer text is cut with an ellipsis; 0: no limit */
};

struct print_cell {
	char *text;
	enum color color;
};

struct printer {
	enum print_mode mode;
	FILE *f;
	bool color;    /* escape sequences allowed */
	bool terminal; /* stdout is one: relative times, a pager */
	int width;     /* columns of the terminal, 80 elsewhere */
	bool utf8;     /* the locale can show more than ASCII */

	struct column *cols; /* a copy */
	size_t ncols;
	size_t col; /* next column of the current row */
	enum color next;
	VEC(struct print_cell) cells; /* text mode: all rows, ncols each */
	struct strbuf line;	      /* JSON and NUL: the current row */
	struct json_writer json;
};

void print_init(struct printer *p, enum print_mode mode, const char *color_when);
void print_release(struct printer *p);

void print_begin(struct printer *p, const struct column *cols, size_t ncols);
void print_string(struct printer *p, const char *s); /* NULL: no value */
void print_int(struct printer *p, int64_t v);
void print_double(struct printer *p, double v); /* table: 4 digits; else exact */
void print_bool(struct printer *p, bool v);
void print_null(struct printer *p);
void print_time(struct printer *p, int64_t ms);	    /* ISO 8601; relative on a terminal */
void print_duration(struct printer *p, int64_t ms); /* JSON: milliseconds */
void print_size(struct printer *p, int64_t bytes);
/* v as a whole number, the most there is where it is more; 0 for NaN. */
int64_t print_whole(double v);
/* A value whose text for people differs from the one for programs. */
void print_shown(struct printer *p, const char *shown, const char *value);
/* The colour of the next cell in the table. */
void print_color(struct printer *p, enum color color);
void print_end_row(struct printer *p);
void print_end(struct printer *p);

/* For commands that lay out text of their own: the escape that starts a colour,
 * or "" where colour is off; COLOR_NONE ends it. */
const char *print_escape(const struct printer *p, enum color color);
/* One JSON object of the caller's making, with a line end. */
void print_json_line(struct printer *p, const struct strbuf *object);
/* s fit for the terminal (text_add_printable) on p->f. */
void print_printable(struct printer *p, const char *s);

/* Sends stdout through $MLP_PAGER, core.pager, $PAGER or less, when it is a
 * terminal and the pager is not turned off.  pager_finish() waits for it. */
void pager_start(const char *configured);
void pager_finish(void);

#endif
