/* SPDX-License-Identifier: Apache-2.0 */
/* mlp diff: in what runs differ, side by side. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cmd/diff_rows.h"
#include "lib/util/text.h"

enum { KEY_MAX = 40, VALUE_MIN = 10, DELTA_WIDTH = 20 };

struct diff_opts {
	bool all;
	bool code;
	bool exit_code;
};

static const struct opt opts_table[] = {
	OPT_FLAG('a', "all", struct diff_opts, all, "also what is the same"),
	OPT_FLAG(0, "code", struct diff_opts, code, "print the patches of uncommitted changes"),
	OPT_FLAG(0, "exit-code", struct diff_opts, exit_code, "exit with 1 when the runs differ"),
	OPT_END
};

/* Of two numbers, the second less the first; NaN where there is none. */
static double delta_of(const struct diff *diff, const struct diff_row *row)
{
	const struct diff_cell *a = &row->cells[0];

	if (diff->nruns != 2 || !a->is_number || !row->cells[1].is_number)
		return NAN;
	return row->cells[1].number - a->number;
}

static void add_delta(const struct diff *diff, const struct diff_row *row, struct strbuf *sb)
{
	double delta = delta_of(diff, row), from = row->cells[0].number;

	if (isnan(delta) || row->section != DIFF_METRICS)
		return;
	strbuf_addstr(sb, delta > 0 ? "+" : "");
	text_add_double_short(sb, delta);
	if (isfinite(delta) && isfinite(from) && fabs(from) > 0 && fabs(delta / from) < 100)
		strbuf_addf(sb, " (%+.1f%%)", delta / fabs(from) * 100);
}

/* Numbers that differ only in digits not shown are shown in full. */
static const char *text_of(const struct diff_row *row, size_t i)
{
	const struct diff_cell *cell = &row->cells[i], *first = &row->cells[!i];

	if (!cell->shown)
		return cell->value;
	if (cell->is_number && row->section != DIFF_RUN && first->shown &&
	    !strcmp(cell->shown, first->shown) && strcmp(cell->value, first->value))
		return cell->value;
	return cell->shown;
}

static void begin_table(struct printer *p, const struct diff *diff)
{
	_cleanup_free_ struct column *cols = xcalloc(diff->nruns + 2, sizeof(*cols));
	size_t key = 0;
	int n = (int)diff->nruns, room;

	for (size_t i = 0; i < diff->rows.len; i++)
		key = MAX(key, 2 + text_width(diff->rows.v[i]->key, strlen(diff->rows.v[i]->key)));
	key = MIN(key, (size_t)KEY_MAX);
	room = p->width - (int)key - 2 * n - (n == 2 ? DELTA_WIDTH : 0);
	cols[0] = (struct column){ .key = "key", .title = "", .max = p->terminal ? KEY_MAX : 0 };
	for (int i = 0; i < n; i++)
		cols[i + 1] = (struct column){
			.key = diff->runs[i].name,
			.title = diff->runs[i].name,
			.max = p->terminal ? MAX(room / n, VALUE_MIN) : 0,
		};
	cols[n + 1] = (struct column){ .key = "delta", .title = "" };
	print_begin(p, cols, diff->nruns + (n == 2 ? 2 : 1));
}

static void print_heading(struct printer *p, enum diff_section section, bool first)
{
	for (size_t i = 0; !first && i < p->ncols; i++)
		print_string(p, "");
	if (!first)
		print_end_row(p);
	print_color(p, COLOR_BOLD);
	print_string(p, diff_section_name(section));
	for (size_t i = 1; i < p->ncols; i++)
		print_string(p, "");
	print_end_row(p);
}

static void print_row(struct printer *p, const struct diff *diff, const struct diff_row *row)
{
	_cleanup_free_ char *key = xasprintf("  %s", row->key);
	_release_(strbuf_release) struct strbuf delta = STRBUF_INIT;

	print_string(p, key);
	for (size_t i = 0; i < diff->nruns; i++) {
		const char *text = text_of(row, i);

		if (!text)
			print_color(p, COLOR_DIM);
		else if (i && row->level == ENV_BREAKING)
			print_color(p, COLOR_RED);
		print_string(p, text);
	}
	if (diff->nruns == 2) {
		add_delta(diff, row, &delta);
		print_color(p, COLOR_DIM);
		print_string(p, delta.buf);
	}
	print_end_row(p);
}

static void put_value(struct json_writer *w, const struct diff_cell *cell)
{
	if (cell->value && cell->is_number)
		json_double(w, cell->number);
	else
		json_string(w, cell->value);
}

static void print_object(struct printer *p, const struct diff *diff, const struct diff_row *row)
{
	static const char *const levels[] = { "same", "tolerable", "breaking" };
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct json_writer w = { .out = &text };
	double delta = delta_of(diff, row);

	json_open(&w, '{');
	json_put_string(&w, "section", diff_section_name(row->section));
	json_put_string(&w, "key", row->key);
	json_key(&w, "values");
	json_open(&w, '[');
	for (size_t i = 0; i < diff->nruns; i++)
		put_value(&w, &row->cells[i]);
	json_close(&w, ']');
	json_key(&w, "delta");
	if (isnan(delta))
		json_null(&w);
	else
		json_double(&w, delta);
	json_put_bool(&w, "differs", diff_row_differs(diff, row));
	if (row->section == DIFF_ENVIRONMENT)
		json_put_string(&w, "level", levels[row->level]);
	json_close(&w, '}');
	print_json_line(p, &text);
}

static void print_fields(struct printer *p, const struct diff *diff, const struct diff_row *row)
{
	fprintf(p->f, "section=%s%ckey=%s%c", diff_section_name(row->section), 0, row->key, 0);
	for (size_t i = 0; i < diff->nruns; i++)
		fprintf(p->f, "value.%zu=%s%c", i + 1,
			row->cells[i].value ? row->cells[i].value : "", 0);
	fputc('\0', p->f);
}

/* Who is compared: needed by programs, and the head of the table for people. */
static void print_ids(struct printer *p, struct diff *diff)
{
	struct diff_cell *cells = xcalloc(diff->nruns, sizeof(*cells));
	char key[] = "id";
	struct diff_row row = { .section = DIFF_RUN, .key = key, .cells = cells };

	for (size_t i = 0; i < diff->nruns; i++)
		cells[i].value = diff->runs[i].run.uuid;
	if (p->mode == PRINT_JSON)
		print_object(p, diff, &row);
	else
		print_fields(p, diff, &row);
	free(cells);
}

static bool print_rows(struct printer *p, struct diff *diff, bool all)
{
	const struct diff_row *last = NULL;
	bool differs = false;

	if (p->mode == PRINT_TEXT)
		begin_table(p, diff);
	else
		print_ids(p, diff);
	for (size_t i = 0; i < diff->rows.len; i++) {
		const struct diff_row *row = diff->rows.v[i];
		bool this_differs = diff_row_differs(diff, row);

		differs |= this_differs;
		if (!this_differs && !all)
			continue;
		if (p->mode == PRINT_JSON) {
			print_object(p, diff, row);
		} else if (p->mode == PRINT_NUL) {
			print_fields(p, diff, row);
		} else {
			if (!last || last->section != row->section)
				print_heading(p, row->section, !last);
			print_row(p, diff, row);
		}
		last = row;
	}
	if (p->mode == PRINT_TEXT)
		print_end(p);
	return differs;
}

/* A patch line by line, fit for the terminal when it goes there. */
static void print_patch(struct printer *p, const struct diff_run *run)
{
	const char *s = run->patch.buf, *end = s + run->patch.len;

	fprintf(p->f, "\n%suncommitted changes of %s%s\n", print_escape(p, COLOR_BOLD), run->name,
		print_escape(p, COLOR_NONE));
	while (s < end) {
		const char *newline = memchr(s, '\n', (size_t)(end - s));
		size_t len = newline ? (size_t)(newline - s) : (size_t)(end - s);
		_release_(strbuf_release) struct strbuf line = STRBUF_INIT;
		enum color color = *s == '+' ? COLOR_GREEN :
				   *s == '-' ? COLOR_RED :
				   *s == '@' ? COLOR_CYAN :
					       COLOR_NONE;

		text_add_printable(&line, s, len);
		fprintf(p->f, "%s%s%s\n", color ? print_escape(p, color) : "", line.buf,
			color ? print_escape(p, COLOR_NONE) : "");
		s += len + 1;
	}
}

static int resolve(struct cmd_ctx *ctx, int argc, char **argv, int64_t *ids)
{
	for (int i = 0; i < argc; i++) {
		int r = run_resolve(ctx->db, argv[i], &ids[i], &ctx->err);

		if (r)
			return r;
	}
	return 0;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	const struct diff_opts *o = opts;
	_cleanup_free_ int64_t *ids = xcalloc((size_t)argc, sizeof(*ids));
	_release_(diff_release) struct diff diff = { 0 };
	bool differs;
	int r;

	if (o->code && ctx->out.mode != PRINT_TEXT)
		return cmd_usage(ctx, "--code is for people; 'mlp show RUN:diff' prints a patch");
	r = resolve(ctx, argc, argv, ids);
	if (!r)
		r = diff_collect(ctx, ids, (size_t)argc, &diff);
	if (r)
		return r;
	differs = print_rows(&ctx->out, &diff, o->all);
	for (size_t i = 0; o->code && i < diff.nruns; i++)
		if (diff.runs[i].patch.len)
			print_patch(&ctx->out, &diff.runs[i]);
	if (!differs && !o->all && ctx->out.mode == PRINT_TEXT)
		mlp_note(&ctx->events, "the runs do not differ");
	return o->exit_code && differs ? EXIT_NO : 0;
}

const struct mlp_cmd cmd_diff = {
	.name = "diff",
	.group = "look",
	.summary = "show in what runs differ",
	.usage = "[-a] [--code] [--exit-code] RUN RUN...",
	.opts = opts_table,
	.opts_size = sizeof(struct diff_opts),
	.needs = NEED_DB_READ | HAS_OUTPUT | USES_PAGER,
	.min_args = 2,
	.max_args = -1,
	.complete = COMPLETE_RUN,
	.run = run,
};
