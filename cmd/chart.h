/* SPDX-License-Identifier: Apache-2.0 */
/* Series of numbers as text: a line of bars, and a chart of braille dots. */
#ifndef CMD_CHART_H
#define CMD_CHART_H

#include "cmd/print.h"
#include "lib/util/strbuf.h"

/* One character a cell, higher for greater: each cell is the mean of its share of the
 * values.  NaN leaves a gap.  At most n cells are used. */
void sparkline_add(struct strbuf *out, const double *v, size_t n, size_t cells, bool utf8);

struct chart_series {
	const char *label;
	const double *x, *y; /* y may hold NaN: a gap */
	size_t n;
};

struct chart {
	const struct printer *printer; /* colour and UTF-8 */
	const char *title;
	const char *x_name;
	int width, height; /* cells, axes included */
	bool log;	   /* of y; values not above 0 are gaps */
	bool x_is_time;	   /* x is milliseconds */
	const struct chart_series *series;
	size_t nseries;
};

/* Dots of 2 x 4 to a cell where the locale shows braille; a letter a series where it does
 * not, or where several series could not be told apart without colour. */
void chart_add(struct strbuf *out, const struct chart *chart);

#endif
