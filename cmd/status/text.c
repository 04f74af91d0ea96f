/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cmd/status/status.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

static void title(struct printer *p, const char *text)
{
	fprintf(p->f, "%s%s%s\n", print_escape(p, COLOR_BOLD), text, print_escape(p, COLOR_NONE));
}

static bool is_live(const struct status_run *r)
{
	return r->status != RUN_LOST;
}

static void print_percent(struct printer *p, double v)
{
	char text[32];

	snprintf(text, sizeof(text), "%.0f%%", v);
	print_string(p, isnan(v) || v < 0 ? NULL : text);
}

static void print_bytes(struct printer *p, double v)
{
	if (isnan(v) || v < 0)
		print_null(p);
	else
		print_size(p, print_whole(v));
}

static void run_row(struct printer *p, const struct status_run *r, int64_t now)
{
	_release_(strbuf_release) struct strbuf last = STRBUF_INIT;

	if (r->metric) {
		strbuf_addf(&last, "%s ", r->metric);
		text_add_double_short(&last, r->value);
		if (r->step)
			strbuf_addf(&last, " at %" PRId64, r->step);
	}
	print_color(p, COLOR_YELLOW);
	print_string(p, r->id);
	print_string(p, r->run.name);
	print_duration(p, clock_between(r->run.started_ms, now));
	if (r->supervisor > 0)
		print_int(p, r->supervisor);
	else
		print_null(p);
	print_percent(p, r->cpu_percent);
	print_bytes(p, r->rss_bytes);
	print_string(p, last.len ? last.buf : NULL);
	print_end_row(p);
}

static void show_live(struct printer *p, const struct status *s)
{
	static const struct column cols[] = {
		{ "id", "RUN" },
		{ "name", "NAME", .max = 24 },
		{ "elapsed", "FOR", .right = true },
		{ "supervisor", "PID", .right = true },
		{ "cpu", "CPU", .right = true },
		{ "memory", "MEMORY", .right = true },
		{ "last", "LAST METRIC", .max = 32 },
	};
	int64_t now = clock_ms();
	size_t n = 0;

	for (size_t i = 0; i < s->runs.len; i++)
		n += is_live(&s->runs.v[i]);
	if (!n) {
		title(p, "nothing is running");
		return;
	}
	title(p, "running");
	print_begin(p, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < s->runs.len; i++)
		if (is_live(&s->runs.v[i]))
			run_row(p, &s->runs.v[i], now);
	print_end(p);
}

static void show_lost(struct printer *p, const struct status *s)
{
	static const struct column cols[] = { { "id", "RUN" }, { "name", "NAME", .max = 24 },
					      { "heard", "LAST HEARD OF" },
					      { "host", "HOST" } };
	size_t n = 0;

	for (size_t i = 0; i < s->runs.len; i++)
		n += !is_live(&s->runs.v[i]);
	if (!n)
		return;
	fputc('\n', p->f);
	title(p, "lost: the supervisor died");
	print_begin(p, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < s->runs.len; i++) {
		const struct status_run *r = &s->runs.v[i];

		if (is_live(r))
			continue;
		print_color(p, COLOR_RED);
		print_string(p, r->id);
		print_string(p, r->run.name);
		print_time(p, r->run.heartbeat_ms);
		print_string(p, r->run.host);
		print_end_row(p);
	}
	print_end(p);
	fputs("'mlp train --reap' settles them and ends what they left running\n", p->f);
}

static void add_price(struct strbuf *out, const struct price *price)
{
	struct money m = { price->known, price->nano_per_hour, "" };

	if (!price->known) {
		strbuf_addstr(out, "no price");
		return;
	}
	memcpy(m.currency, price->currency, sizeof(m.currency));
	money_add_text(out, &m);
	strbuf_addstr(out, price->stale ? "/h (old)" : "/h");
}

static void gpu_row(struct printer *p, const struct status_gpu *g)
{
	_release_(strbuf_release) struct strbuf price = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf memory = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf holders = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf power = STRBUF_INIT;

	for (size_t i = 0; i < g->holders.len; i++)
		strbuf_addf(&holders, "%s%s", i ? " " : "", g->holders.v[i]);
	if (g->sample.memory_used >= 0) {
		text_add_size(&memory, g->sample.memory_used);
		strbuf_addstr(&memory, " of ");
		text_add_size(&memory, g->info.memory_total);
	}
	if (g->sample.power_mw >= 0)
		strbuf_addf(&power, "%" PRId64 " W", (g->sample.power_mw + 500) / 1000);
	add_price(&price, &g->price);
	print_int(p, g->info.index);
	print_string(p, g->info.model);
	print_percent(p, g->sample.utilization);
	print_string(p, memory.len ? memory.buf : NULL);
	print_string(p, power.len ? power.buf : NULL);
	print_string(p, holders.len ? holders.buf : "idle");
	print_color(p, g->price.known ? COLOR_NONE : COLOR_DIM);
	print_string(p, price.buf);
	print_end_row(p);
}

static void show_gpus(struct printer *p, const struct status *s)
{
	static const struct column cols[] = {
		{ "index", "GPU", .right = true }, { "model", "MODEL", .max = 24 },
		{ "use", "USE", .right = true },   { "memory", "MEMORY", .right = true },
		{ "power", "POWER", .right = true }, { "run", "RUN" }, { "price", "COST" },
	};

	fputc('\n', p->f);
	if (!s->gpus.len) {
		title(p, "no GPU seen");
		fputs("'mlp doctor' says why\n", p->f);
		return;
	}
	title(p, "GPUs");
	print_begin(p, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < s->gpus.len; i++)
		gpu_row(p, &s->gpus.v[i]);
	print_end(p);
}

static void show_code(struct printer *p, const struct status *s)
{
	const struct vcs_state *c = &s->code;
	const char *sep = ": ";

	if (!s->has_code)
		return;
	fprintf(p->f, "\n%scode%s ", print_escape(p, COLOR_BOLD), print_escape(p, COLOR_NONE));
	print_printable(p, c->branch ? c->branch : "detached");
	if (c->commit)
		fprintf(p->f, " at %.12s", c->commit);
	else
		fputs(", no commit yet", p->f);
	if (!c->dirty && !c->problem) {
		fputs(": all is committed\n", p->f);
		return;
	}
	if (c->changed_bytes || !c->untracked.len) {
		fprintf(p->f, "%suncommitted changes", sep);
		sep = ", ";
	}
	if (c->untracked.len)
		fprintf(p->f, "%s%zu untracked file%s", sep, c->untracked.len,
			c->untracked.len == 1 ? "" : "s");
	if (c->problem)
		fprintf(p->f, " (%s)", c->problem);
	fputc('\n', p->f);
}

void status_text(struct cmd_ctx *ctx, const struct status *s)
{
	show_live(&ctx->out, s);
	show_lost(&ctx->out, s);
	show_gpus(&ctx->out, s);
	show_code(&ctx->out, s);
}
