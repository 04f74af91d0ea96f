/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd/log_columns.h"

#include <math.h>
#include <string.h>

#include "cmd/run_text.h"
#include "lib/track/attempt.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"
#include "lib/util/hashmap.h"
#include "lib/util/text.h"

enum { METRICS_SHOWN = 5, PARAMS_SHOWN = 4 };

static const struct {
	const char *names[3];
	const char *title;
	bool right;
	int max; /* cells on a terminal */
} fixed[] = {
	[LOG_ID] = { { "id", "run_id" }, "RUN", false, 0 },
	[LOG_STARTED] = { { "started", "start_time", "created" }, "STARTED", false, 0 },
	[LOG_ENDED] = { { "ended", "end_time" }, "ENDED", false, 0 },
	[LOG_EXPERIMENT] = { { "experiment" }, "EXPERIMENT", false, 20 },
	[LOG_NAME] = { { "name", "run_name" }, "NAME", false, 24 },
	[LOG_STATUS] = { { "status" }, "STATUS", false, 0 },
	[LOG_DURATION] = { { "duration" }, "TIME", true, 0 },
	[LOG_USER] = { { "user", "user_id" }, "USER", false, 16 },
	[LOG_HOST] = { { "host" }, "HOST", false, 20 },
	[LOG_SOURCE] = { { "source" }, "SOURCE", false, 24 },
	[LOG_PARENT] = { { "parent" }, "PARENT", false, 0 },
	[LOG_EXIT] = { { "exit", "exit_code" }, "EXIT", true, 0 },
	[LOG_REASON] = { { "reason" }, "REASON", false, 20 },
	/* Their titles are their names. */
	[LOG_METRIC] = { { NULL }, NULL, true, 0 },
	[LOG_PARAM] = { { NULL }, NULL, false, 16 },
	[LOG_TAG] = { { NULL }, NULL, false, 24 },
};

void log_columns_release(struct log_columns *columns)
{
	for (size_t i = 0; i < columns->len; i++)
		free(columns->v[i].name);
	vec_free(columns);
}

void log_rows_release(struct log_rows *rows)
{
	for (size_t i = 0; i < rows->len; i++)
		run_row_release(&rows->v[i]);
	vec_free(rows);
}

static void add(struct log_columns *columns, enum log_column_kind kind, const char *name)
{
	struct log_column column = { kind, xstrdup(name), fixed[kind].right };

	vec_push(columns, column);
}

static const char *title_of(const struct log_column *column)
{
	return fixed[column->kind].title ? fixed[column->kind].title : column->name;
}

static bool parse_fixed(const char *name, struct log_columns *out)
{
	for (int k = LOG_ID; k <= LOG_REASON; k++)
		for (size_t i = 0; i < ARRAY_SIZE(fixed[k].names) && fixed[k].names[i]; i++)
			if (!strcmp(fixed[k].names[i], name)) {
				add(out, (enum log_column_kind)k, fixed[k].names[0]);
				return true;
			}
	return false;
}

static int parse_one(struct cmd_ctx *ctx, const char *name, struct log_columns *out)
{
	_release_(run_order_release) struct run_order order = { 0 };
	int r;

	if (parse_fixed(name, out))
		return 0;
	r = run_order_guess(&order, ctx->db, name, &ctx->err);
	if (r)
		return r;
	switch (order.field.kind) {
	case FIELD_METRIC:
		add(out, LOG_METRIC, order.field.key);
		return 0;
	case FIELD_PARAM:
		add(out, LOG_PARAM, order.field.key);
		return 0;
	case FIELD_TAG:
		add(out, LOG_TAG, order.field.key);
		return 0;
	default:
		return mlp_error_set(&ctx->err, MLP_EINVAL, "no column '%s'", name);
	}
}

int log_columns_parse(struct cmd_ctx *ctx, const char *list, struct log_columns *out)
{
	_release_(strvec_release) struct strvec names = STRVEC_INIT;
	int r = 0;

	strvec_split(&names, list + (*list == '+'), ',');
	for (size_t i = 0; i < names.len && !r; i++)
		r = parse_one(ctx, names.v[i], out);
	return r;
}

/* 1 with a value, 0 without, negative on error. */
static int add_metric(struct cmd_ctx *ctx, int64_t run, const char *key, struct strbuf *sb)
{
	_cleanup_stmt_ struct db_stmt *st =
		db_query(ctx->db, &ctx->err,
			 "SELECT value FROM metric WHERE run_id = ?1"
			 " AND key_id = (SELECT id FROM metric_key WHERE name = ?2)",
			 "is", run, key);
	int r = st ? db_step(st, &ctx->err) : MLP_EFAIL;

	if (r > 0)
		text_add_double_short(sb, db_double(st, 0));
	return r;
}

static int add_text(struct cmd_ctx *ctx, const char *sql, int64_t run, const char *key,
		    struct strbuf *sb)
{
	_cleanup_stmt_ struct db_stmt *st = db_query(ctx->db, &ctx->err, sql, "is", run, key);
	int r = st ? db_step(st, &ctx->err) : MLP_EFAIL;

	if (r > 0)
		strbuf_addstr(sb, db_text(st, 0));
	return r;
}

static int add_parent(struct cmd_ctx *ctx, const struct run *run, struct strbuf *sb)
{
	_release_(run_release) struct run parent = RUN_INIT;
	char name[RUN_SHORT_LEN + 1];
	int r = run->parent_id ? run_get(ctx->db, run->parent_id, &parent, &ctx->err) : 0;

	if (r || !parent.uuid)
		return r;
	run_short(parent.uuid, name);
	strbuf_addstr(sb, name);
	return 1;
}

static void add_time(const struct printer *p, int64_t ms, struct strbuf *sb)
{
	if (p->terminal)
		clock_add_relative(sb, ms, clock_ms());
	else
		clock_add_iso8601(sb, ms);
}

static void add_status(enum run_status status, struct strbuf *sb, enum color *color)
{
	static const enum color colors[] = {
		[RUN_RUNNING] = COLOR_CYAN,   [RUN_SCHEDULED] = COLOR_CYAN,
		[RUN_FINISHED] = COLOR_GREEN, [RUN_FAILED] = COLOR_RED,
		[RUN_KILLED] = COLOR_YELLOW,  [RUN_LOST] = COLOR_YELLOW,
	};

	strbuf_addstr(sb, run_status_name(status));
	*color = colors[status];
}

/* Of a lost run until it was last heard of, of a live one until now. */
static void add_duration(struct cmd_ctx *ctx, const struct run *run, struct strbuf *sb)
{
	int64_t end = run->ended_ms;

	if (!end && live_status(&ctx->repo, run) == RUN_LOST)
		end = live_last_seen(&ctx->repo, run);
	clock_add_duration(sb, MAX(clock_between(run->started_ms, end ? end : clock_ms()), 0));
}

static void add_known(struct strbuf *sb, const char *s)
{
	strbuf_addstr(sb, s ? s : "");
}

/* The text of a cell, "" for no value. */
static int add_cell(struct cmd_ctx *ctx, const struct log_column *column, const struct run *run,
		    struct strbuf *sb, enum color *color)
{
	char name[RUN_SHORT_LEN + 1];

	*color = COLOR_NONE;
	switch (column->kind) {
	case LOG_ID:
		run_short(run->uuid, name);
		strbuf_addstr(sb, name);
		*color = run->deleted_ms ? COLOR_DIM : COLOR_YELLOW;
		break;
	case LOG_STARTED:
		add_time(&ctx->out, run->started_ms, sb);
		break;
	case LOG_ENDED:
		if (run->ended_ms)
			add_time(&ctx->out, run->ended_ms, sb);
		break;
	case LOG_EXPERIMENT:
		strbuf_addstr(sb, run->experiment);
		break;
	case LOG_NAME:
		strbuf_addstr(sb, run->name);
		break;
	case LOG_STATUS:
		add_status(live_status(&ctx->repo, run), sb, color);
		break;
	case LOG_DURATION:
		add_duration(ctx, run, sb);
		break;
	case LOG_USER:
		strbuf_addstr(sb, run->user);
		break;
	case LOG_HOST:
		add_known(sb, run->host);
		break;
	case LOG_SOURCE:
		add_known(sb, run->source);
		break;
	case LOG_PARENT:
		return add_parent(ctx, run, sb);
	case LOG_EXIT:
		exit_add(sb, run->exit_code, run->exit_signal);
		break;
	case LOG_REASON:
		add_known(sb, run->reason);
		break;
	case LOG_METRIC:
		return add_metric(ctx, run->id, column->name, sb);
	case LOG_PARAM:
		return add_text(ctx, "SELECT value FROM param WHERE run_id = ?1 AND key = ?2",
				run->id, column->name, sb);
	case LOG_TAG:
		return add_text(ctx, "SELECT value FROM tag WHERE run_id = ?1 AND key = ?2",
				run->id, column->name, sb);
	}
	return 0;
}

/* How often a key occurs among the rows. */
struct tally {
	const char *key, *first;
	size_t count;
	bool differs, numeric;
};
struct tallies {
	struct strmap index;
	VEC(struct tally *) list;
};

static void tallies_release(struct tallies *t)
{
	for (size_t i = 0; i < t->index.len; i++)
		free(t->index.entries[i].value);
	strmap_release(&t->index);
	vec_free(&t->list);
}

static void count(struct tallies *t, const char *key, const char *value)
{
	struct strmap_entry *e = strmap_put(&t->index, key, strlen(key));
	struct tally *tally = e->value;
	double number;

	if (!tally) {
		e->value = tally = xcalloc(1, sizeof(*tally));
		*tally = (struct tally){ .key = key, .first = value, .numeric = true };
		vec_push(&t->list, tally);
	}
	tally->count++;
	tally->differs |= value && strcmp(value, tally->first);
	tally->numeric &= value && text_parse_double(value, &number);
}

static int compare_tallies(const void *a, const void *b)
{
	const struct tally *x = *(struct tally *const *)a, *y = *(struct tally *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->key, y->key);
}

static void sort_tallies(struct tallies *t)
{
	if (t->list.len)
		qsort(t->list.v, t->list.len, sizeof(*t->list.v), compare_tallies);
}

static void count_all(const struct log_rows *rows, struct tallies *metrics, struct tallies *params)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->len; i++) {
		const struct run_row *row = &rows->v[i];

		for (size_t j = 0; j < row->metrics.len; j++)
			if (!metric_is_system(row->metrics.v[j].key))
				count(metrics, row->metrics.v[j].key, NULL);
		for (size_t j = 0; j < row->params.len; j++)
			count(params, row->params.v[j].key, row->params.v[j].value);
	}
	/* One run differs from nothing: all of its parameters may show. */
	for (size_t i = 0; i < params->list.len; i++) {
		struct tally *t = params->list.v[i];

		if (rows->len == 1 || t->differs)
			params->list.v[n++] = t;
	}
	params->list.len = n;
	sort_tallies(metrics);
	sort_tallies(params);
}

/* Cells a column takes, the gap before it included. */
static int width_of(struct cmd_ctx *ctx, const struct log_column *column,
		    const struct log_rows *rows)
{
	const char *title = title_of(column);
	size_t width = text_width(title, strlen(title));

	for (size_t i = 0; i < rows->len; i++) {
		_release_(strbuf_release) struct strbuf sb = STRBUF_INIT, shown = STRBUF_INIT;
		enum color color;

		add_cell(ctx, column, &rows->v[i].run, &sb, &color);
		text_add_printable(&shown, sb.buf, sb.len);
		width = MAX(width, text_width(shown.buf, shown.len));
	}
	if (fixed[column->kind].max)
		width = MIN(width, (size_t)fixed[column->kind].max);
	return (int)width + 2;
}

struct chooser {
	struct cmd_ctx *ctx;
	const struct log_rows *rows;
	int room; /* cells left */
	struct log_columns found;
};

/* Adds the i-th of a tally if it fits. */
static void offer(struct chooser *c, const struct tallies *t, size_t i, enum log_column_kind kind)
{
	struct log_column column = { .kind = kind };
	int width;

	if (i >= t->list.len)
		return;
	column.name = xstrdup(t->list.v[i]->key);
	column.right = kind == LOG_METRIC || t->list.v[i]->numeric;
	width = width_of(c->ctx, &column, c->rows);
	if (c->ctx->out.terminal && width > c->room) {
		free(column.name);
		return;
	}
	c->room -= width;
	vec_push(&c->found, column);
}

static void choose_values(struct cmd_ctx *ctx, const struct log_rows *rows, size_t lines,
			  struct log_columns *out)
{
	_release_(tallies_release) struct tallies metrics = { 0 }, params = { 0 };
	struct chooser c = { ctx, rows, ctx->out.width + 2 - (int)lines, { 0 } };

	count_all(rows, &metrics, &params);
	for (size_t i = 0; i < out->len; i++)
		c.room -= width_of(ctx, &out->v[i], rows);
	for (size_t i = 0; i < METRICS_SHOWN; i++) {
		offer(&c, &metrics, i, LOG_METRIC);
		if (i < PARAMS_SHOWN)
			offer(&c, &params, i, LOG_PARAM);
	}
	for (int kind = LOG_METRIC; kind <= LOG_PARAM; kind++)
		for (size_t i = 0; i < c.found.len; i++)
			if ((int)c.found.v[i].kind == kind)
				vec_push(out, c.found.v[i]);
	vec_free(&c.found);
}

static bool one_experiment(const struct log_rows *rows)
{
	for (size_t i = 1; i < rows->len; i++)
		if (rows->v[i].run.experiment_id != rows->v[0].run.experiment_id)
			return false;
	return true;
}

void log_columns_choose(struct cmd_ctx *ctx, const struct log_rows *rows, size_t lines,
			struct log_columns *out)
{
	static const enum log_column_kind first[] = { LOG_ID, LOG_STARTED, LOG_EXPERIMENT,
						      LOG_NAME, LOG_STATUS, LOG_DURATION };
	struct log_columns added = *out;

	*out = (struct log_columns){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(first); i++)
		if (first[i] != LOG_EXPERIMENT || !one_experiment(rows))
			add(out, first[i], fixed[first[i]].names[0]);
	/* Room for what was asked for is taken first. */
	for (size_t i = 0; i < added.len; i++)
		vec_push(out, added.v[i]);
	vec_free(&added);
	choose_values(ctx, rows, lines, out);
}

void log_columns_begin(struct printer *p, const struct log_columns *columns)
{
	_cleanup_free_ struct column *cols = xcalloc(columns->len, sizeof(*cols));

	for (size_t i = 0; i < columns->len; i++)
		cols[i] = (struct column){
			.key = columns->v[i].name,
			.title = title_of(&columns->v[i]),
			.right = columns->v[i].right,
			.max = p->terminal ? fixed[columns->v[i].kind].max : 0,
		};
	print_begin(p, cols, columns->len);
}

int log_columns_print(struct cmd_ctx *ctx, const struct log_columns *columns,
		      const struct run *run, const char *lines)
{
	struct printer *p = &ctx->out;

	for (size_t i = 0; i < columns->len; i++) {
		_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;
		enum color color;
		int r;

		if (columns->v[i].kind == LOG_ID)
			strbuf_addstr(&sb, lines);
		r = add_cell(ctx, &columns->v[i], run, &sb, &color);
		if (r < 0)
			return r;
		print_color(p, sb.len ? color : COLOR_DIM);
		print_string(p, sb.len ? sb.buf : NULL);
	}
	print_end_row(p);
	return 0;
}

static void add_attempt_cell(const struct printer *p, enum log_column_kind kind,
			     const struct attempt *a, struct strbuf *sb)
{
	int64_t end = a->ended_ms ? a->ended_ms : clock_ms();

	if (kind == LOG_ID)
		strbuf_addf(sb, "attempt %d", a->number);
	else if (kind == LOG_STARTED)
		add_time(p, a->started_ms, sb);
	else if (kind == LOG_DURATION)
		clock_add_duration(sb, MAX(clock_between(a->started_ms, end), 0));
	else if (kind == LOG_STATUS) {
		strbuf_addstr(sb, a->exit_signal || a->exit_code < 0 ? "" : "exit ");
		exit_add(sb, a->exit_code, a->exit_signal);
	}
	else if (kind == LOG_HOST)
		add_known(sb, a->host);
	else if (kind == LOG_REASON)
		add_known(sb, a->reason);
}

void log_columns_print_attempt(struct printer *p, const struct log_columns *columns,
			       const struct attempt *attempt, const char *lines)
{
	for (size_t i = 0; i < columns->len; i++) {
		_release_(strbuf_release) struct strbuf sb = STRBUF_INIT;

		if (columns->v[i].kind == LOG_ID)
			strbuf_addstr(&sb, lines);
		add_attempt_cell(p, columns->v[i].kind, attempt, &sb);
		print_color(p, COLOR_DIM);
		print_string(p, sb.buf);
	}
	print_end_row(p);
}
