/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/chart.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/clock.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

enum { WIDTH_MIN = 24, HEIGHT_MIN = 6, CELLS_MAX = 1000, LEVELS = 8, TICK_ROWS = 4 };

static const enum color series_colors[] = { COLOR_CYAN, COLOR_YELLOW, COLOR_GREEN, COLOR_RED,
					    COLOR_BLUE };
static const char series_marks[] = "*+ox#@%";

/* The code point as UTF-8; all of ours take three bytes. */
static void add_symbol(struct strbuf *out, unsigned code)
{
	strbuf_addch(out, (char)(0xe0 | code >> 12));
	strbuf_addch(out, (char)(0x80 | (code >> 6 & 0x3f)));
	strbuf_addch(out, (char)(0x80 | (code & 0x3f)));
}

struct range {
	double min, max;
	bool any;
};

static void range_take(struct range *r, double v)
{
	if (!isfinite(v))
		return;
	r->min = r->any ? fmin(r->min, v) : v;
	r->max = r->any ? fmax(r->max, v) : v;
	r->any = true;
}

/* Of v in the range, on a scale of n dots.  Halves first: the span of two finite numbers
 * need not be finite. */
static int scale(double v, const struct range *r, int n)
{
	double span = r->max / 2 - r->min / 2;

	return span > 0 ? (int)lround((v / 2 - r->min / 2) / span * (n - 1)) : 0;
}

static double mean(const double *v, size_t n)
{
	double sum = 0;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(v[i]))
			continue;
		sum += v[i];
		used++;
	}
	return used ? sum / (double)used : (double)NAN;
}

void sparkline_add(struct strbuf *out, const double *v, size_t n, size_t cells, bool utf8)
{
	static const char ascii[LEVELS + 1] = ".:-=+*#@";
	_cleanup_free_ double *means = NULL;
	struct range r = { 0 };

	cells = MIN(MIN(cells, n), (size_t)CELLS_MAX);
	means = xcalloc(cells ? cells : 1, sizeof(*means));
	for (size_t i = 0; i < cells; i++) {
		size_t from = i * n / cells, to = (i + 1) * n / cells;

		means[i] = mean(v + from, to - from);
		range_take(&r, means[i]);
	}
	for (size_t i = 0; i < cells; i++) {
		int level;

		if (!isfinite(means[i])) {
			strbuf_addch(out, ' ');
			continue;
		}
		level = r.max > r.min ? scale(means[i], &r, LEVELS) : 3;
		if (utf8)
			add_symbol(out, 0x2581 + (unsigned)level);
		else
			strbuf_addch(out, ascii[level]);
	}
}

/* The drawing: dots, and for each cell the series that drew there last. */
struct canvas {
	const struct chart *chart;
	bool braille;
	int cols, rows;	  /* cells */
	int dot_w, dot_h; /* dots to a cell */
	struct range x, y;
	uint8_t *dots;
	uint8_t *owner; /* series + 1 */
};

static double transform(const struct chart *chart, double y)
{
	if (!chart->log)
		return y;
	return y > 0 ? log10(y) : (double)NAN;
}

static void find_ranges(struct canvas *c)
{
	for (size_t s = 0; s < c->chart->nseries; s++) {
		const struct chart_series *series = &c->chart->series[s];

		for (size_t i = 0; i < series->n; i++) {
			double y = transform(c->chart, series->y[i]);

			if (!isfinite(y))
				continue;
			range_take(&c->x, series->x[i]);
			range_take(&c->y, y);
		}
	}
	if (c->y.max <= c->y.min) {
		double room = c->y.min != 0 ? fabs(c->y.min) * 0.1 : 1;

		c->y.min = fmax(c->y.min - room, -DBL_MAX);
		c->y.max = fmin(c->y.max + room, DBL_MAX);
	}
}

static void set_dot(struct canvas *c, int x, int y, size_t series)
{
	/* Bits of a braille pattern, by column and row. */
	static const uint8_t bits[2][4] = { { 0x01, 0x02, 0x04, 0x40 }, { 0x08, 0x10, 0x20, 0x80 } };
	int cell = y / c->dot_h * c->cols + x / c->dot_w;

	c->dots[cell] |= c->braille ? bits[x % 2][y % 4] : 1;
	c->owner[cell] = (uint8_t)(series % 250 + 1);
}

static void draw_line(struct canvas *c, const int from[2], const int to[2], size_t series)
{
	int dx = abs(to[0] - from[0]), dy = -abs(to[1] - from[1]);
	int sx = from[0] < to[0] ? 1 : -1, sy = from[1] < to[1] ? 1 : -1;
	int x = from[0], y = from[1], error = dx + dy;

	for (;;) {
		int e2 = 2 * error;

		set_dot(c, x, y, series);
		if (x == to[0] && y == to[1])
			return;
		if (e2 >= dy) {
			error += dy;
			x += sx;
		}
		if (e2 <= dx) {
			error += dx;
			y += sy;
		}
	}
}

static void draw_series(struct canvas *c, size_t s)
{
	const struct chart_series *series = &c->chart->series[s];
	int last[2] = { 0, 0 };
	bool joined = false;

	for (size_t i = 0; i < series->n; i++) {
		double v = transform(c->chart, series->y[i]);
		int at[2];

		if (!isfinite(v)) {
			joined = false;
			continue;
		}
		at[0] = scale(series->x[i], &c->x, c->cols * c->dot_w);
		at[1] = c->rows * c->dot_h - 1 - scale(v, &c->y, c->rows * c->dot_h);
		draw_line(c, joined ? last : at, at, s);
		memcpy(last, at, sizeof(last));
		joined = true;
	}
}

/* Enough digits to tell the ticks of the axis apart. */
static void add_tick(struct strbuf *out, const struct chart *chart, const struct range *r, double v)
{
	double most = fmax(fabs(r->min), fabs(r->max)), span = r->max - r->min;
	int digits = 4;

	if (chart->log) {
		strbuf_addf(out, "%.3g", pow(10, v));
		return;
	}
	if (span > 0 && isfinite(span) && most / span > 10)
		digits = MIN(4 + (int)log10(most / span), 12);
	/* A zero that rounding missed. */
	if (fabs(v) < span * 1e-9)
		v = 0;
	strbuf_addf(out, "%.*g", digits, v);
}

static double row_value(const struct canvas *c, int row)
{
	double part = c->rows > 1 ? (double)row / (c->rows - 1) : 0;

	return c->y.max * (1 - part) + c->y.min * part;
}

static bool has_tick(const struct canvas *c, int row)
{
	return row == c->rows - 1 || (row % TICK_ROWS == 0 && row + 2 < c->rows);
}

static size_t tick_width(const struct canvas *c)
{
	size_t width = 0;

	for (int row = 0; row < c->rows; row++) {
		_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

		if (has_tick(c, row))
			add_tick(&text, c->chart, &c->y, row_value(c, row));
		width = MAX(width, text.len);
	}
	return width;
}

static void add_color(struct strbuf *out, const struct canvas *c, int owner)
{
	size_t n = ARRAY_SIZE(series_colors);

	strbuf_addstr(out, print_escape(c->chart->printer,
					owner ? series_colors[(size_t)(owner - 1) % n] : COLOR_NONE));
}

static void add_row(struct strbuf *out, const struct canvas *c, int row, size_t width)
{
	_release_(strbuf_release) struct strbuf tick = STRBUF_INIT;
	const uint8_t *dots = c->dots + row * c->cols, *owner = c->owner + row * c->cols;
	int color = 0, end = c->cols;

	if (has_tick(c, row))
		add_tick(&tick, c->chart, &c->y, row_value(c, row));
	strbuf_addf(out, "%*s ", (int)width, tick.buf);
	if (c->chart->printer->utf8)
		add_symbol(out, tick.len ? 0x2524 : 0x2502);
	else
		strbuf_addch(out, tick.len ? '+' : '|');
	while (end && !dots[end - 1])
		end--;
	for (int i = 0; i < end; i++) {
		if (dots[i] && owner[i] != color) {
			color = owner[i];
			add_color(out, c, color);
		}
		if (!dots[i])
			strbuf_addch(out, ' ');
		else if (c->braille)
			add_symbol(out, 0x2800 + dots[i]);
		else
			strbuf_addch(out, series_marks[(size_t)(owner[i] - 1) %
						       (sizeof(series_marks) - 1)]);
	}
	if (color)
		add_color(out, c, 0);
	strbuf_addch(out, '\n');
}

static void add_x_text(struct strbuf *out, const struct chart *chart, double v)
{
	if (chart->x_is_time)
		clock_add_duration(out, print_whole(v));
	else
		strbuf_addf(out, "%.10g", v);
}

static void add_x_axis(struct strbuf *out, const struct canvas *c, size_t width)
{
	_release_(strbuf_release) struct strbuf left = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf right = STRBUF_INIT;
	const char *name = c->chart->x_name;
	size_t used, room = (size_t)c->cols;

	strbuf_addchars(out, ' ', width + 1);
	if (c->chart->printer->utf8)
		add_symbol(out, 0x2514);
	else
		strbuf_addch(out, '+');
	for (int i = 0; i < c->cols; i++) {
		if (c->chart->printer->utf8)
			add_symbol(out, 0x2500);
		else
			strbuf_addch(out, '-');
	}
	add_x_text(&left, c->chart, c->x.min);
	if (c->x.max > c->x.min)
		add_x_text(&right, c->chart, c->x.max);
	strbuf_addch(out, '\n');
	strbuf_addchars(out, ' ', width + 2);
	strbuf_addstr(out, left.buf);
	used = left.len + strlen(name) + right.len;
	if (used + 2 <= room) {
		size_t gap = (room - strlen(name)) / 2;

		gap = gap > left.len ? gap - left.len : 1;
		strbuf_addchars(out, ' ', gap);
		strbuf_addstr(out, name);
		strbuf_addchars(out, ' ', room > used + gap ? room - used - gap : 1);
		strbuf_addstr(out, right.buf);
	}
	strbuf_addch(out, '\n');
}

/* The title, and for several series what is what. */
static void add_heading(struct strbuf *out, const struct canvas *c)
{
	const struct chart *chart = c->chart;

	strbuf_addstr(out, print_escape(chart->printer, COLOR_BOLD));
	text_add_printable(out, chart->title, strlen(chart->title));
	strbuf_addstr(out, print_escape(chart->printer, COLOR_NONE));
	strbuf_addstr(out, chart->log ? " (log)" : "");
	for (size_t s = 0; s < chart->nseries && chart->nseries > 1; s++) {
		const char *label = chart->series[s].label;

		strbuf_addstr(out, "  ");
		add_color(out, c, (int)s + 1);
		if (c->braille)
			add_symbol(out, 0x2501);
		else
			strbuf_addch(out, series_marks[s % (sizeof(series_marks) - 1)]);
		strbuf_addch(out, ' ');
		text_add_printable(out, label, strlen(label));
		add_color(out, c, 0);
	}
	strbuf_addch(out, '\n');
}

void chart_add(struct strbuf *out, const struct chart *chart)
{
	struct canvas c = { .chart = chart };
	size_t width;

	c.braille = chart->printer->utf8 && (chart->nseries == 1 || chart->printer->color);
	c.dot_w = c.braille ? 2 : 1;
	c.dot_h = c.braille ? 4 : 1;
	c.rows = MIN(MAX(chart->height, HEIGHT_MIN), CELLS_MAX) - 3;
	find_ranges(&c);
	add_heading(out, &c);
	if (!c.y.any) {
		strbuf_addstr(out, "no value that can be drawn\n");
		return;
	}
	width = tick_width(&c);
	c.cols = MIN(MAX(chart->width, WIDTH_MIN), CELLS_MAX) - (int)width - 2;
	c.cols = MAX(c.cols, 8);
	c.dots = xcalloc((size_t)(c.cols * c.rows), 1);
	c.owner = xcalloc((size_t)(c.cols * c.rows), 1);
	for (size_t s = 0; s < chart->nseries; s++)
		draw_series(&c, s);
	for (int row = 0; row < c.rows; row++)
		add_row(out, &c, row, width);
	add_x_axis(out, &c, width);
	free(c.dots);
	free(c.owner);
}
