/* SPDX-License-Identifier: Apache-2.0 */
/* A run as text for people: head, what it was given, what came out, what it cost. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/show/show.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

enum {
	LABEL = 12,	   /* cells of a label and the gap behind it */
	STDERR_LINES = 10,
	SHORT_HASH = 12,
};

static void label(struct printer *p, const char *name)
{
	fprintf(p->f, "  %s%s%s%*s", print_escape(p, COLOR_DIM), name, print_escape(p, COLOR_NONE),
		MAX(1, LABEL - (int)strlen(name)), "");
}

/* Later lines of the text stand below the first. */
static void line(struct printer *p, const char *name, const char *text)
{
	label(p, name);
	for (;;) {
		size_t n = strcspn(text, "\n");
		_cleanup_free_ char *part = xmemdupz(text, n);

		print_printable(p, part);
		fputc('\n', p->f);
		if (!text[n] || !text[n + 1])
			return;
		text += n + 1;
		fprintf(p->f, "  %*s", LABEL, "");
	}
}

static void linef(struct printer *p, const char *name, const char *fmt, ...) PRINTF(3, 4);
static void linef(struct printer *p, const char *name, const char *fmt, ...)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	line(p, name, text.buf);
}

static enum color status_color(enum run_status status)
{
	switch (status) {
	case RUN_FINISHED:
		return COLOR_GREEN;
	case RUN_FAILED:
	case RUN_LOST:
		return COLOR_RED;
	case RUN_KILLED:
		return COLOR_YELLOW;
	default:
		return COLOR_CYAN;
	}
}

static void show_title(struct printer *p, const struct show_data *d)
{
	fprintf(p->f, "%srun %s%s ", print_escape(p, COLOR_YELLOW), d->id,
		print_escape(p, COLOR_NONE));
	fputs(print_escape(p, COLOR_BOLD), p->f);
	print_printable(p, d->run.name);
	fprintf(p->f, "%s  %s%s%s", print_escape(p, COLOR_NONE),
		print_escape(p, status_color(d->status)), run_status_name(d->status),
		print_escape(p, COLOR_NONE));
	fputs("  in ", p->f);
	print_printable(p, d->run.experiment);
	fputs(d->run.deleted_ms ? "  (in the trash)\n" : "\n", p->f);
}

static void show_times(struct printer *p, const struct show_data *d)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct run *run = &d->run;
	int64_t now = clock_ms(), end = run->ended_ms;

	clock_add_iso8601(&text, run->started_ms);
	strbuf_addstr(&text, " (");
	clock_add_relative(&text, run->started_ms, now);
	strbuf_addstr(&text, ")");
	line(p, "started", text.buf);
	/* Of a lost run the last second known. */
	if (!end)
		end = d->status == RUN_LOST && run->heartbeat_ms ? run->heartbeat_ms : now;
	strbuf_clear(&text);
	/* The clock may have been set back meanwhile. */
	clock_add_duration(&text, MAX(clock_between(run->started_ms, end), 0));
	if (d->status == RUN_LOST)
		strbuf_addstr(&text, ", then nothing was heard of it");
	else if (!run->ended_ms)
		strbuf_addstr(&text, " so far");
	line(p, "duration", text.buf);
}

static void show_end(struct printer *p, const struct show_data *d)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct run *run = &d->run;

	if (run->exit_signal)
		strbuf_addf(&text, "killed by signal %d (%s)", run->exit_signal,
			    strsignal(run->exit_signal));
	else if (run->exit_code >= 0)
		strbuf_addf(&text, "code %d", run->exit_code);
	if (run->reason)
		strbuf_addf(&text, "%s%s", text.len ? ": " : "", run->reason);
	if (text.len && (run->exit_signal || run->exit_code || run->reason))
		line(p, "exit", text.buf);
}

static void show_tags(struct printer *p, const struct show_data *d)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const char *note = key_values_get(&d->tags, "mlflow.note.content");

	for (size_t i = 0; i < d->tags.len; i++)
		if (strncmp(d->tags.v[i].key, "mlflow.", 7))
			strbuf_addf(&text, "%s%s=%s", text.len ? ", " : "", d->tags.v[i].key,
				    d->tags.v[i].value);
	if (text.len)
		line(p, "tags", text.buf);
	if (note)
		line(p, "note", note);
}

static void show_head(struct printer *p, const struct show_data *d)
{
	const struct run *run = &d->run;

	show_title(p, d);
	line(p, "id", run->uuid);
	if (d->parent.uuid)
		linef(p, "parent", "%s (%s)", d->parent.name, d->parent.uuid);
	show_times(p, d);
	linef(p, "by", "%s%s%s", run->user, run->host ? " on " : "", run->host ? run->host : "");
	if (d->attempts.len > 1)
		linef(p, "attempts", "%zu", d->attempts.len);
	if (d->supervisor > 0)
		linef(p, "supervisor", "process %d", (int)d->supervisor);
	show_end(p, d);
	show_tags(p, d);
}

static void show_command(struct printer *p, const struct show_data *d)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct run_command *c = &d->command;

	if (!d->has_command) {
		if (d->run.source)
			line(p, "source", d->run.source);
		return;
	}
	argv_add_quoted(&text, &c->argv);
	line(p, "command", text.buf);
	if (strcmp(c->project_dir, "."))
		line(p, "in", c->project_dir);
	if (c->has_seed)
		linef(p, "seed", "%" PRId64, c->seed);
	if (c->stdin_sha256 && c->stdin_bytes > 0)
		linef(p, "stdin", "%" PRId64 " bytes, %.*s", c->stdin_bytes, SHORT_HASH,
		      c->stdin_sha256);
}

static void show_params(struct printer *p, const struct show_data *d)
{
	size_t width = 0;

	if (!d->params.len)
		return;
	show_heading(p, "parameters");
	for (size_t i = 0; i < d->params.len; i++)
		width = MAX(width, MIN(text_width(d->params.v[i].key, strlen(d->params.v[i].key)),
				       (size_t)40));
	for (size_t i = 0; i < d->params.len; i++) {
		const char *key = d->params.v[i].key;
		size_t w = text_width(key, strlen(key));

		fputs("  ", p->f);
		print_printable(p, key);
		fprintf(p->f, "%*s", (int)(width > w ? width - w : 0) + 2, "");
		print_printable(p, d->params.v[i].value);
		fputc('\n', p->f);
	}
}

static void show_code(struct printer *p, const struct show_data *d)
{
	const struct run_code *c = &d->code;
	size_t untracked = 0, left = 0;

	if (!d->has_code)
		return;
	for (size_t i = 0; i < d->files.len; i++) {
		untracked += d->files.v[i].role == FILE_UNTRACKED;
		left += d->files.v[i].role == FILE_UNTRACKED && !d->files.v[i].stored;
	}
	show_heading(p, "code");
	linef(p, "commit", "%s%s%s", c->commit ? c->commit : "none yet", c->branch ? " on " : ", detached",
	      c->branch ? c->branch : "");
	if (c->remote)
		line(p, "remote", c->remote);
	if (!c->dirty)
		line(p, "changes", "none");
	else if (untracked)
		linef(p, "changes", "%s%zu untracked file%s", c->diff ? "a stored patch, " : "",
		      untracked, untracked == 1 ? "" : "s");
	else
		line(p, "changes", c->diff ? "a stored patch" : "yes, not stored");
	if (left)
		linef(p, "not stored", "the contents of %zu untracked file%s", left,
		      left == 1 ? "" : "s");
}

static void show_environment(struct printer *p, const struct show_environment *e)
{
	if (!e->object)
		return;
	show_heading(p, "environment");
	if (e->python && e->packages >= 0)
		linef(p, "python", "%s, %" PRId64 " packages%s%s", e->python, e->packages,
		      e->guessed_by ? ", perhaps: found by " : "",
		      e->guessed_by ? e->guessed_by : "");
	else if (e->python)
		line(p, "python", e->python);
	if (e->gpu)
		linef(p, "gpu", "%" PRId64 " x %s%s%s%s%s", e->gpus, e->gpu,
		      e->driver ? ", driver " : "", e->driver ? e->driver : "",
		      e->cuda ? ", CUDA " : "", e->cuda ? e->cuda : "");
	if (e->cpu && e->cores > 0)
		linef(p, "cpu", "%s, %" PRId64 " cores", e->cpu, e->cores);
	else if (e->cpu)
		line(p, "cpu", e->cpu);
	if (e->kernel)
		linef(p, "system", "%s%sLinux %s", e->os ? e->os : "", e->os ? ", " : "", e->kernel);
	if (e->container)
		line(p, "container", e->container);
}

static void add_time(struct strbuf *out, const char *before, int64_t ms)
{
	strbuf_addstr(out, before);
	clock_add_duration(out, ms);
}

static void show_money(struct printer *p, const struct cost_summary *c)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	if (c->money.known)
		money_add_text(&text, &c->money);
	else if (*c->unpriced)
		strbuf_addf(&text, "no price for %s", c->unpriced);
	else
		strbuf_addstr(&text, "no price");
	if (c->stale)
		strbuf_addstr(&text, " (by a price over 180 days old)");
	line(p, "cost", text.buf);
}

static void show_usage(struct printer *p, const struct show_data *d)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;
	const struct attempt *a = d->attempts.len ? &d->attempts.v[d->attempts.len - 1] : NULL;
	const struct cost_summary *c = &d->cost;

	if (!a && !(d->has_cost && c->wall_ms))
		return;
	show_heading(p, "usage");
	if (d->has_cost && c->gpu_ms) {
		add_time(&text, "", c->gpu_ms);
		add_time(&text, ", busy ", c->gpu_busy_ms);
		line(p, "gpu time", text.buf);
		strbuf_clear(&text);
	}
	if (a && a->user_ms >= 0) {
		add_time(&text, "", a->user_ms + a->system_ms);
		add_time(&text, " (user ", a->user_ms);
		add_time(&text, ", system ", a->system_ms);
		strbuf_addstr(&text, d->attempts.len > 1 ? ") in the last attempt" : ")");
		line(p, "cpu time", text.buf);
		strbuf_clear(&text);
	} else if (d->has_cost && c->cpu_ms) {
		add_time(&text, "", c->cpu_ms);
		line(p, "cpu time", text.buf);
		strbuf_clear(&text);
	}
	if (a && a->max_rss_kib > 0) {
		text_add_size(&text, a->max_rss_kib * 1024);
		line(p, "memory", text.buf);
	}
	if (d->has_cost && c->energy_known)
		linef(p, "energy", "%.6g kJ (%.4g kWh)", (double)c->energy_mj / 1e6,
		      (double)c->energy_mj / 3.6e9);
	if (d->has_cost && c->wall_ms)
		show_money(p, c);
}

static int show_failure(struct cmd_ctx *ctx, const struct show_data *d)
{
	_release_(strvec_release) struct strvec lines = STRVEC_INIT;
	struct printer *p = &ctx->out;
	int r;

	if (d->status != RUN_FAILED && d->status != RUN_LOST)
		return 0;
	r = show_last_stderr(ctx, d->run.id, STDERR_LINES, &lines);
	if (r || !lines.len)
		return r;
	show_heading(p, "last lines of stderr");
	for (size_t i = 0; i < lines.len; i++) {
		fputs("  ", p->f);
		print_printable(p, lines.v[i]);
		fputc('\n', p->f);
	}
	return 0;
}

int show_text(struct cmd_ctx *ctx, const struct show_data *d, const struct show_opts *o)
{
	struct printer *p = &ctx->out;
	int r;

	show_head(p, d);
	show_command(p, d);
	show_params(p, d);
	r = show_metric_table(ctx, d);
	if (r)
		return r;
	show_code(p, d);
	show_file_table(p, d, FILE_INPUT, "inputs");
	show_file_table(p, d, FILE_OUTPUT, "outputs");
	show_file_table(p, d, FILE_ARTIFACT, "artifacts");
	show_environment(p, &d->environment);
	show_usage(p, d);
	r = show_system_table(ctx, d, o->system);
	return r ? r : show_failure(ctx, d);
}
