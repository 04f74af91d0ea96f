/* SPDX-License-Identifier: Apache-2.0 */
/* The tables in the text of a run: metrics, the machine's measures, files. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/chart.h"
#include "cmd/run_text.h"
#include "cmd/show/show.h"

enum {
	SPARK_CELLS = 24,
	SYSTEM_SHOWN = 8, /* so many measures are shown without --system */
	FILES_SHOWN = 20, /* of each kind */
	SHORT_HASH = 12,
};

void show_heading(struct printer *p, const char *title)
{
	fprintf(p->f, "\n%s%s%s\n", print_escape(p, COLOR_BOLD), title,
		print_escape(p, COLOR_NONE));
}

/* A table set in by two cells. */
struct table {
	struct printer printer;
	char *text;
	size_t len;
};

static void table_begin(struct table *t, const struct printer *p, const struct column *cols,
			size_t n)
{
	*t = (struct table){ .printer = { .mode = PRINT_TEXT, .color = p->color,
					  .terminal = p->terminal, .width = p->width,
					  .utf8 = p->utf8, .line = STRBUF_INIT } };
	t->printer.f = open_memstream(&t->text, &t->len);
	print_begin(&t->printer, cols, n);
}

static void table_end(struct table *t, FILE *f)
{
	print_end(&t->printer);
	fclose(t->printer.f);
	for (char *at = t->text; at && *at;) {
		size_t n = strcspn(at, "\n"), end = n;

		while (end && at[end - 1] == ' ')
			end--;
		fprintf(f, "  %.*s\n", (int)end, at);
		at += n + (at[n] != '\0');
	}
	free(t->text);
	print_release(&t->printer);
}

static size_t system_count(const struct show_data *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->metrics.len; i++)
		n += metric_is_system(d->metrics.v[i].key);
	return n;
}

static int metric_row(struct cmd_ctx *ctx, struct printer *p, int64_t run,
		      const struct metric_latest *m)
{
	_release_(show_series_release) struct show_series s = { 0 };
	_release_(strbuf_release) struct strbuf spark = STRBUF_INIT;
	int r = show_series_read(ctx, run, m->key, &s);

	if (r)
		return r;
	print_string(p, m->key);
	print_color(p, COLOR_BOLD);
	print_double(p, m->last.value);
	print_int(p, m->last.step);
	print_int(p, (int64_t)s.n);
	if (s.n && isfinite(s.min)) {
		print_double(p, s.min);
		print_double(p, s.max);
	} else {
		print_null(p);
		print_null(p);
	}
	/* A curve has more than one point. */
	if (s.n > 1 && isfinite(s.min))
		sparkline_add(&spark, s.value, s.n, SPARK_CELLS, p->utf8);
	print_color(p, COLOR_CYAN);
	print_string(p, spark.buf);
	print_end_row(p);
	return 0;
}

int show_metric_table(struct cmd_ctx *ctx, const struct show_data *d)
{
	static const struct column cols[] = {
		{ "key", "METRIC", .max = 32 },	    { "last", "LAST", .right = true },
		{ "step", "STEP", .right = true },  { "points", "POINTS", .right = true },
		{ "min", "MIN", .right = true },    { "max", "MAX", .right = true },
		{ "spark", "", .max = SPARK_CELLS },
	};
	struct table table;
	int r = 0;

	if (d->metrics.len == system_count(d))
		return 0;
	show_heading(&ctx->out, "metrics");
	table_begin(&table, &ctx->out, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; !r && i < d->metrics.len; i++)
		if (!metric_is_system(d->metrics.v[i].key))
			r = metric_row(ctx, &table.printer, d->run.id, &d->metrics.v[i]);
	table_end(&table, ctx->out.f);
	return r;
}

/* In the unit that the name ends in. */
static void print_measured(struct printer *p, const char *key, double v)
{
	size_t n = strlen(key);

	if (isfinite(v) && n > 6 && !strcmp(key + n - 6, "_bytes"))
		print_size(p, print_whole(v));
	else
		print_double(p, v);
}

/* Sums since the start, which have no mean worth the name; the greatest is the last. */
static bool is_counter(const char *key)
{
	static const char *const counters[] = { "system/read_bytes", "system/write_bytes",
						"system/net_received_bytes",
						"system/net_sent_bytes" };
	const char *gpu = strstr(key, "_energy_joules");

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		if (!strcmp(key, counters[i]))
			return true;
	return gpu && !strcmp(gpu, "_energy_joules");
}

static int system_row(struct cmd_ctx *ctx, struct printer *p, int64_t run, const char *key)
{
	_release_(show_series_release) struct show_series s = { 0 };
	_release_(strbuf_release) struct strbuf spark = STRBUF_INIT;
	double sum = 0;
	int r = show_series_read(ctx, run, key, &s);

	if (r)
		return r;
	for (size_t i = 0; i < s.n; i++)
		sum += s.value[i];
	sparkline_add(&spark, s.value, s.n, SPARK_CELLS, p->utf8);
	print_string(p, key + strlen(SYSTEM_PREFIX));
	if (is_counter(key))
		print_null(p);
	else
		print_measured(p, key, s.n ? sum / (double)s.n : (double)NAN);
	print_measured(p, key, s.max);
	print_color(p, COLOR_CYAN);
	print_string(p, spark.buf);
	print_end_row(p);
	return 0;
}

int show_system_table(struct cmd_ctx *ctx, const struct show_data *d, bool all)
{
	static const struct column cols[] = { { "key", "MEASURE", .max = 40 },
					      { "mean", "MEAN", .right = true },
					      { "max", "MAX", .right = true },
					      { "spark", "", .max = SPARK_CELLS } };
	struct table table;
	size_t n = system_count(d);
	int r = 0;

	if (!n)
		return 0;
	show_heading(&ctx->out, "machine");
	if (!all && n > SYSTEM_SHOWN) {
		fprintf(ctx->out.f, "  %zu measures, shown with --system\n", n);
		return 0;
	}
	table_begin(&table, &ctx->out, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; !r && i < d->metrics.len; i++)
		if (metric_is_system(d->metrics.v[i].key))
			r = system_row(ctx, &table.printer, d->run.id, d->metrics.v[i].key);
	table_end(&table, ctx->out.f);
	return r;
}

void show_file_table(struct printer *p, const struct show_data *d, enum file_role role,
		       const char *title)
{
	static const struct column cols[] = { { "path", "PATH" }, { "size", "SIZE", .right = true },
					      { "sha256", "SHA-256" }, { "stored", "" } };
	struct table table;
	size_t n = 0;

	for (size_t i = 0; i < d->files.len; i++)
		n += d->files.v[i].role == role;
	if (!n)
		return;
	show_heading(p, title);
	table_begin(&table, p, cols, ARRAY_SIZE(cols));
	for (size_t i = 0, shown = 0; i < d->files.len && shown < FILES_SHOWN; i++) {
		const struct run_file *f = &d->files.v[i];
		char hash[SHORT_HASH + 1] = "";

		if (f->role != role)
			continue;
		shown++;
		snprintf(hash, sizeof(hash), "%s", f->sha256 ? f->sha256 : "");
		print_string(&table.printer, f->path);
		print_size(&table.printer, f->size);
		print_string(&table.printer, *hash ? hash : NULL);
		print_string(&table.printer, f->stored || role == FILE_INPUT ? "" : "not stored");
		print_end_row(&table.printer);
	}
	table_end(&table, p->f);
	if (n > FILES_SHOWN)
		fprintf(p->f, "  and %zu more, see --json\n", n - FILES_SHOWN);
}
