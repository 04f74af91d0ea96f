/* SPDX-License-Identifier: Apache-2.0 */
/* A run as one JSON object, and as fields for -z; shapes in mlp-json(7). */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/run_record.h"
#include "cmd/show/show.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

static void put_time(struct json_writer *w, const char *key, int64_t ms)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	clock_add_iso8601(&text, ms);
	json_put_string(w, key, ms ? text.buf : NULL);
}

/* Values below least are not known. */
static void put_known(struct json_writer *w, const char *key, int64_t v, int64_t least)
{
	json_key(w, key);
	if (v < least)
		json_null(w);
	else
		json_int(w, v);
}

static void put_strings(struct json_writer *w, const char *key, const struct strvec *v)
{
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < v->len; i++)
		json_string(w, v->v[i]);
	json_close(w, ']');
}

static void put_raw(struct json_writer *w, const char *key, const char *json)
{
	json_key(w, key);
	json_raw(w, json, strlen(json));
}

/* NaN: no point of the series is finite. */
static void put_extreme(struct json_writer *w, const char *key, double v)
{
	json_key(w, key);
	if (isnan(v))
		json_null(w);
	else
		json_double(w, v);
}

static int put_series(struct cmd_ctx *ctx, struct json_writer *w, const struct show_data *d)
{
	json_key(w, "series");
	json_open(w, '[');
	for (size_t i = 0; i < d->metrics.len; i++) {
		_release_(show_series_release) struct show_series s = { 0 };
		const struct metric_latest *m = &d->metrics.v[i];
		int r = show_series_read(ctx, d->run.id, m->key, &s);

		if (r)
			return r;
		json_open(w, '{');
		json_put_string(w, "key", m->key);
		json_put_double(w, "value", m->last.value);
		json_put_int(w, "step", m->last.step);
		put_time(w, "time", m->last.time_ms);
		json_put_int(w, "points", (int64_t)s.n);
		put_extreme(w, "min", s.min);
		put_extreme(w, "max", s.max);
		json_close(w, '}');
	}
	json_close(w, ']');
	return 0;
}

static void put_command(struct json_writer *w, const struct show_data *d)
{
	const struct run_command *c = &d->command;

	json_key(w, "command");
	if (!d->has_command) {
		json_null(w);
		return;
	}
	json_open(w, '{');
	put_strings(w, "argv", &c->argv);
	put_strings(w, "template", &c->argv_template);
	json_put_string(w, "cwd", c->cwd);
	json_put_string(w, "project_dir", c->project_dir);
	put_raw(w, "options", c->options);
	json_key(w, "seed");
	if (c->has_seed)
		json_int(w, c->seed);
	else
		json_null(w);
	json_put_string(w, "stdin", c->stdin_kind);
	json_put_string(w, "stdin_sha256", c->stdin_sha256);
	put_known(w, "stdin_bytes", c->stdin_bytes, 0);
	json_close(w, '}');
}

static void put_attempt(struct json_writer *w, const struct attempt *a)
{
	json_open(w, '{');
	json_put_int(w, "number", a->number);
	json_put_string(w, "host", a->host);
	json_put_int(w, "supervisor", a->supervisor_pid);
	put_known(w, "child", a->child_pid, 1);
	put_time(w, "started", a->started_ms);
	put_time(w, "ended", a->ended_ms);
	put_known(w, "exit_code", a->exit_code, 0);
	put_known(w, "exit_signal", a->exit_signal, 1);
	json_put_string(w, "reason", a->reason);
	put_known(w, "user_ms", a->user_ms, 0);
	put_known(w, "system_ms", a->system_ms, 0);
	put_known(w, "max_rss_bytes", a->max_rss_kib < 0 ? -1 : a->max_rss_kib * 1024, 0);
	put_known(w, "read_bytes", a->read_bytes, 0);
	put_known(w, "write_bytes", a->write_bytes, 0);
	json_put_string(w, "log", a->log);
	json_put_int(w, "log_bytes", a->log_bytes);
	json_put_int(w, "bad_lines", a->bad_lines);
	json_put_int(w, "ignored_values", a->ignored_values);
	json_close(w, '}');
}

static void put_code(struct json_writer *w, const struct show_data *d)
{
	json_key(w, "code");
	if (!d->has_code) {
		json_null(w);
		return;
	}
	json_open(w, '{');
	json_put_string(w, "root", d->code.root);
	json_put_string(w, "commit", d->code.commit);
	json_put_string(w, "branch", d->code.branch);
	json_put_string(w, "remote", d->code.remote);
	json_put_bool(w, "dirty", d->code.dirty);
	json_put_string(w, "diff", d->code.diff);
	put_raw(w, "detail", d->code.detail);
	json_close(w, '}');
}

static void put_files(struct json_writer *w, const struct show_data *d, enum file_role role,
		      const char *key)
{
	json_key(w, key);
	json_open(w, '[');
	for (size_t i = 0; i < d->files.len; i++) {
		const struct run_file *f = &d->files.v[i];

		if (f->role != role)
			continue;
		json_open(w, '{');
		json_put_string(w, "path", f->path);
		json_put_int(w, "size", f->size);
		json_put_int(w, "mode", f->mode);
		json_put_string(w, "sha256", f->sha256);
		json_put_bool(w, "stored", f->stored);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static void put_usage(struct json_writer *w, const struct show_data *d)
{
	_release_(strbuf_release) struct strbuf amount = STRBUF_INIT;
	const struct cost_summary *c = &d->cost;

	json_key(w, "usage");
	if (!d->has_cost) {
		json_null(w);
		return;
	}
	if (c->money.known)
		money_add_exact(&amount, &c->money);
	json_open(w, '{');
	json_put_int(w, "wall_ms", c->wall_ms);
	json_put_int(w, "gpu_ms", c->gpu_ms);
	json_put_int(w, "gpu_busy_ms", c->gpu_busy_ms);
	json_put_int(w, "cpu_ms", c->cpu_ms);
	put_known(w, "energy_mj", c->energy_known ? c->energy_mj : -1, 0);
	json_put_string(w, "cost", c->money.known ? amount.buf : NULL);
	json_put_string(w, "currency", c->money.known ? c->money.currency : NULL);
	json_put_bool(w, "stale_price", c->stale);
	json_put_string(w, "unpriced", *c->unpriced ? c->unpriced : NULL);
	json_close(w, '}');
}

static struct run_record record_of(const struct show_data *d)
{
	return (struct run_record){ &d->run, d->status, d->parent.uuid, &d->metrics, &d->params,
				    &d->tags };
}

int show_json(struct cmd_ctx *ctx, const struct show_data *d)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	struct json_writer w = { .out = &text };
	struct run_record record = record_of(d);
	int r;

	json_open(&w, '{');
	run_record_json(&record, &w);
	put_known(&w, "supervisor", d->supervisor, 1);
	r = put_series(ctx, &w, d);
	if (r)
		return r;
	put_command(&w, d);
	json_key(&w, "attempts");
	json_open(&w, '[');
	for (size_t i = 0; i < d->attempts.len; i++)
		put_attempt(&w, &d->attempts.v[i]);
	json_close(&w, ']');
	put_code(&w, d);
	put_files(&w, d, FILE_INPUT, "inputs");
	put_files(&w, d, FILE_OUTPUT, "outputs");
	put_files(&w, d, FILE_ARTIFACT, "artifacts");
	put_files(&w, d, FILE_UNTRACKED, "untracked");
	json_put_string(&w, "environment", d->environment.object);
	put_usage(&w, d);
	json_close(&w, '}');
	print_json_line(&ctx->out, &text);
	return 0;
}

void show_fields(struct cmd_ctx *ctx, const struct show_data *d)
{
	struct run_record record = record_of(d);

	run_record_print(&ctx->out, &record);
}
