/* SPDX-License-Identifier: Apache-2.0 */
/* One record a thing, told apart by "kind"; shapes in mlp-json(7). */
#include "config.h"

#include <math.h>
#include <string.h>

#include "cmd/status/status.h"
#include "lib/util/clock.h"

static void number(struct printer *p, double v)
{
	if (isnan(v))
		print_null(p);
	else
		print_double(p, v);
}

/* Negative: not known. */
static void known(struct printer *p, int64_t v)
{
	if (v < 0)
		print_null(p);
	else
		print_int(p, v);
}

static void time_or_null(struct printer *p, int64_t ms)
{
	_release_(strbuf_release) struct strbuf text = STRBUF_INIT;

	clock_add_iso8601(&text, ms);
	print_string(p, ms ? text.buf : NULL);
}

static void run_record(struct printer *p, const struct status_run *r)
{
	print_string(p, "run");
	print_string(p, r->run.uuid);
	print_string(p, r->id);
	print_string(p, r->run.name);
	print_string(p, run_status_name(r->status));
	print_string(p, r->run.experiment);
	print_string(p, r->run.host);
	time_or_null(p, r->run.started_ms);
	time_or_null(p, r->run.heartbeat_ms);
	known(p, r->supervisor > 0 ? r->supervisor : -1);
	number(p, r->cpu_percent);
	known(p, isnan(r->rss_bytes) ? -1 : print_whole(r->rss_bytes));
	print_string(p, r->metric);
	number(p, r->metric ? r->value : (double)NAN);
	known(p, r->metric ? r->step : -1);
	print_end_row(p);
}

static void gpu_record(struct printer *p, const struct status_gpu *g)
{
	_release_(strbuf_release) struct strbuf price = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf holders = STRBUF_INIT;
	struct money money = { g->price.known, g->price.nano_per_hour, "" };

	for (size_t i = 0; i < g->holders.len; i++)
		strbuf_addf(&holders, "%s%s", i ? " " : "", g->holders.v[i]);
	if (g->price.known)
		money_add_exact(&price, &money);
	print_string(p, "gpu");
	print_int(p, g->info.index);
	print_string(p, g->info.uuid);
	print_string(p, g->info.model);
	known(p, g->sample.utilization);
	known(p, g->sample.memory_used);
	known(p, g->info.memory_total);
	known(p, g->sample.power_mw);
	known(p, g->sample.temperature);
	print_string(p, holders.buf);
	print_string(p, g->price.known ? price.buf : NULL);
	print_string(p, g->price.known ? g->price.currency : NULL);
	print_string(p, g->price.known ? g->price.as_of : NULL);
	print_end_row(p);
}

static void code_record(struct printer *p, const struct vcs_state *c)
{
	print_string(p, "code");
	print_string(p, c->root);
	print_string(p, c->commit);
	print_string(p, c->branch);
	print_string(p, c->remote);
	print_bool(p, c->dirty);
	print_int(p, c->changed_bytes);
	print_int(p, (int64_t)c->untracked.len);
	print_string(p, c->problem);
	print_end_row(p);
}

void status_records(struct cmd_ctx *ctx, const struct status *s)
{
	static const struct column runs[] = {
		{ "kind" }, { "id" }, { "short" }, { "name" }, { "status" }, { "experiment" },
		{ "host" }, { "started" }, { "heartbeat" }, { "supervisor" }, { "cpu_percent" },
		{ "rss_bytes" }, { "metric" }, { "value" }, { "step" },
	};
	static const struct column gpus[] = {
		{ "kind" }, { "index" }, { "uuid" }, { "model" }, { "utilization" },
		{ "memory_used" }, { "memory_total" }, { "power_mw" }, { "temperature" },
		{ "runs" }, { "price_per_hour" }, { "currency" }, { "price_as_of" },
	};
	static const struct column code[] = {
		{ "kind" }, { "root" }, { "commit" }, { "branch" }, { "remote" }, { "dirty" },
		{ "changed_bytes" }, { "untracked" }, { "problem" },
	};
	struct printer *p = &ctx->out;

	print_begin(p, runs, ARRAY_SIZE(runs));
	for (size_t i = 0; i < s->runs.len; i++)
		run_record(p, &s->runs.v[i]);
	print_begin(p, gpus, ARRAY_SIZE(gpus));
	for (size_t i = 0; i < s->gpus.len; i++)
		gpu_record(p, &s->gpus.v[i]);
	print_begin(p, code, ARRAY_SIZE(code));
	if (s->has_code)
		code_record(p, &s->code);
}
