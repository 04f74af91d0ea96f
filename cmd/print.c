/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/print.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/util/clock.h"
#include "lib/util/text.h"

static bool want_color(const char *when, bool terminal)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
	const char *term = getenv("TERM");

	if (when && strcmp(when, "auto"))
		return !strcmp(when, "always");
	if (no && *no)
		return false;
	if (force && *force && strcmp(force, "0"))
		return true;
	return terminal && term && strcmp(term, "dumb");
}

static int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	int64_t n;

	if (columns && text_parse_int(columns, &n) && n >= 20 && n <= 10000)
		return (int)n;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col >= 20)
		return ws.ws_col;
	return 80;
}

void print_init(struct printer *p, enum print_mode mode, const char *color_when)
{
	*p = (struct printer){ .mode = mode, .f = stdout, .line = STRBUF_INIT };
	p->terminal = isatty(STDOUT_FILENO);
	p->color = mode == PRINT_TEXT && want_color(color_when, p->terminal);
	p->width = terminal_width();
	p->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void print_release(struct printer *p)
{
	for (size_t i = 0; i < p->cells.len; i++)
		free(p->cells.v[i].text);
	vec_free(&p->cells);
	strbuf_release(&p->line);
	free(p->cols);
	p->cols = NULL;
}

const char *print_escape(const struct printer *p, enum color color)
{
	static const char *const escapes[] = {
		[COLOR_NONE] = "\033[m",      [COLOR_DIM] = "\033[2m",
		[COLOR_BOLD] = "\033[1m",     [COLOR_RED] = "\033[31m",
		[COLOR_GREEN] = "\033[32m",   [COLOR_YELLOW] = "\033[33m",
		[COLOR_BLUE] = "\033[34m",    [COLOR_CYAN] = "\033[36m",
	};

	return p->color ? escapes[color] : "";
}

static void start_row(struct printer *p)
{
	p->col = 0;
	strbuf_clear(&p->line);
	p->json = (struct json_writer){ .out = &p->line };
	if (p->mode == PRINT_JSON)
		json_open(&p->json, '{');
}

void print_begin(struct printer *p, const struct column *cols, size_t ncols)
{
	free(p->cols);
	p->cols = xreallocarray(NULL, ncols, sizeof(*cols));
	memcpy(p->cols, cols, ncols * sizeof(*cols));
	p->ncols = ncols;
	start_row(p);
}

void print_color(struct printer *p, enum color color)
{
	p->next = color;
}

/* One cell of the table or one field of -z; JSON values are written by the callers. */
static void add_cell(struct printer *p, const char *shown, const char *value)
{
	if (p->mode == PRINT_TEXT) {
		struct strbuf sb = STRBUF_INIT;

		text_add_printable(&sb, shown, strlen(shown));
		vec_push(&p->cells, ((struct print_cell){ strbuf_detach(&sb), p->next }));
	} else if (p->mode == PRINT_NUL) {
		strbuf_addf(&p->line, "%s=%s", p->cols[p->col].key, value);
		strbuf_addch(&p->line, '\0');
	}
	p->next = COLOR_NONE;
	p->col++;
}

static void put_key(struct printer *p)
{
	if (p->mode == PRINT_JSON)
		json_key(&p->json, p->cols[p->col].key);
}

void print_null(struct printer *p)
{
	put_key(p);
	if (p->mode == PRINT_JSON)
		json_null(&p->json);
	add_cell(p, "-", "");
}

void print_shown(struct printer *p, const char *shown, const char *value)
{
	put_key(p);
	if (p->mode == PRINT_JSON)
		json_string(&p->json, value);
	add_cell(p, shown, value);
}

void print_string(struct printer *p, const char *s)
{
	if (s)
		print_shown(p, s, s);
	else
		print_null(p);
}

void print_int(struct printer *p, int64_t v)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, v);
	put_key(p);
	if (p->mode == PRINT_JSON)
		json_int(&p->json, v);
	add_cell(p, text, text);
}

void print_double(struct printer *p, double v)
{
	_release_(strbuf_release) struct strbuf shown = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf exact = STRBUF_INIT;

	put_key(p);
	if (p->mode == PRINT_JSON)
		json_double(&p->json, v);
	text_add_double_short(&shown, v);
	text_add_double(&exact, v);
	add_cell(p, shown.buf, exact.buf);
}

void print_bool(struct printer *p, bool v)
{
	put_key(p);
	if (p->mode == PRINT_JSON)
		json_bool(&p->json, v);
	add_cell(p, v ? "yes" : "no", v ? "true" : "false");
}

void print_time(struct printer *p, int64_t ms)
{
	_release_(strbuf_release) struct strbuf iso = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf relative = STRBUF_INIT;

	clock_add_iso8601(&iso, ms);
	if (p->terminal)
		clock_add_relative(&relative, ms, clock_ms());
	print_shown(p, p->terminal ? relative.buf : iso.buf, iso.buf);
}

int64_t print_whole(double v)
{
	/* 2^63 itself is the first that is too large. */
	if (v >= 0x1p63)
		return INT64_MAX;
	return v >= -0x1p63 ? (int64_t)v : isnan(v) ? 0 : INT64_MIN;
}

/* A whole number: exact for programs, as its unit is read for people. */
static void print_measure(struct printer *p, int64_t v, void (*add)(struct strbuf *, int64_t))
{
	_release_(strbuf_release) struct strbuf shown = STRBUF_INIT;
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, v);
	put_key(p);
	if (p->mode == PRINT_JSON)
		json_int(&p->json, v);
	add(&shown, v);
	add_cell(p, shown.buf, text);
}

void print_duration(struct printer *p, int64_t ms)
{
	print_measure(p, ms, clock_add_duration);
}

void print_size(struct printer *p, int64_t bytes)
{
	print_measure(p, bytes, text_add_size);
}

void print_end_row(struct printer *p)
{
	if (p->mode == PRINT_JSON) {
		json_close(&p->json, '}');
		strbuf_addch(&p->line, '\n');
	} else if (p->mode == PRINT_NUL) {
		strbuf_addch(&p->line, '\0');
	}
	fwrite(p->line.buf, 1, p->line.len, p->f);
	start_row(p);
}

/* Cuts text to max cells, the last one an ellipsis. */
static void elide(struct printer *p, char **text, int max)
{
	size_t len = strlen(*text), n = 0, cells = 0;
	const char *mark = p->utf8 ? "\xe2\x80\xa6" : "~";
	char *cut;

	if (!max || text_width(*text, len) <= (size_t)max)
		return;
	while (n < len) {
		size_t seq = text_utf8_sequence(*text + n, len - n);
		size_t w = text_width(*text + n, seq ? seq : 1);

		if (cells + w > (size_t)max - 1)
			break;
		cells += w;
		n += seq ? seq : 1;
	}
	cut = xasprintf("%.*s%s", (int)n, *text, mark);
	free(*text);
	*text = cut;
}

static void print_cell(struct printer *p, const struct column *c, const char *text,
		       enum color color, size_t width, bool last)
{
	size_t w = text_width(text, strlen(text));
	int pad = width > w ? (int)(width - w) : 0;

	if (c->right)
		fprintf(p->f, "%*s", pad, "");
	if (color)
		fputs(print_escape(p, color), p->f);
	fputs(text, p->f);
	if (color)
		fputs(print_escape(p, COLOR_NONE), p->f);
	if (!last)
		fprintf(p->f, "%*s", c->right ? 2 : pad + 2, "");
}

/* A row, without blanks at its end. */
static void print_line(struct printer *p, const struct print_cell *cells, const size_t *widths)
{
	size_t end = 0;

	for (size_t c = 0; c < p->ncols; c++)
		if (p->cols[c].title && *cells[c].text)
			end = c + 1;
	for (size_t c = 0; c < end; c++)
		if (p->cols[c].title)
			print_cell(p, &p->cols[c], cells[c].text, cells[c].color, widths[c],
				   c + 1 == end);
	fputc('\n', p->f);
}

static void print_table(struct printer *p)
{
	_cleanup_free_ size_t *widths = xcalloc(p->ncols, sizeof(*widths));
	size_t last = 0;

	if (!p->ncols)
		return;
	for (size_t c = 0; c < p->ncols; c++) {
		if (!p->cols[c].title)
			continue;
		if (*p->cols[c].title)
			last = c;
		widths[c] = text_width(p->cols[c].title, strlen(p->cols[c].title));
	}
	for (size_t i = 0; i < p->cells.len; i++) {
		char **text = &p->cells.v[i].text;
		size_t c = i % p->ncols;

		elide(p, text, p->cols[c].max);
		widths[c] = MAX(widths[c], text_width(*text, strlen(*text)));
	}
	for (size_t c = 0; c <= last; c++)
		if (p->cols[c].title)
			print_cell(p, &p->cols[c], p->cols[c].title, COLOR_BOLD, widths[c], c == last);
	fputc('\n', p->f);
	for (size_t i = 0; i < p->cells.len; i += p->ncols)
		print_line(p, &p->cells.v[i], widths);
}

void print_end(struct printer *p)
{
	if (p->mode == PRINT_TEXT && p->cells.len)
		print_table(p);
	for (size_t i = 0; i < p->cells.len; i++)
		free(p->cells.v[i].text);
	p->cells.len = 0;
}

void print_json_line(struct printer *p, const struct strbuf *object)
{
	fwrite(object->buf, 1, object->len, p->f);
	fputc('\n', p->f);
}

void print_printable(struct printer *p, const char *s)
{
	_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

	text_add_printable(&sb, s, strlen(s));
	fputs(sb.buf, p->f);
}
