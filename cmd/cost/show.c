/* SPDX-License-Identifier: Apache-2.0 */
/* mlp cost show: every device that each attempt of a run used, and the total. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cost/cells.h"
#include "cmd/cost/verbs.h"
#include "lib/track/run.h"

static const struct column cols[] = {
	{ .key = "total" },
	{ .key = "run" },
	{ .key = "attempt", .title = "ATTEMPT", .right = true },
	{ .key = "host" },
	{ .key = "device", .title = "DEVICE", .max = 16 },
	{ .key = "model", .title = "MODEL", .max = 28 },
	{ .key = "start" },
	{ .key = "end" },
	{ .key = "open" },
	{ .key = "gpu_ms", .title = "GPU TIME", .right = true },
	{ .key = "busy_ms" },
	{ .key = "idle_percent", .title = "IDLE %", .right = true },
	{ .key = "cpu_ms", .title = "CPU TIME", .right = true },
	{ .key = "energy_mj" },
	{ .key = "joules", .title = "JOULES", .right = true },
	{ .key = "kwh", .title = "KWH", .right = true },
	{ .key = "cost", .title = "COST", .right = true },
	{ .key = "currency" },
	{ .key = "price", .title = "PRICE PER HOUR", .right = true },
	{ .key = "energy_price" },
	{ .key = "as_of", .title = "AS OF" },
	{ .key = "stale" },
	{ .key = "source", .title = "SOURCE", .max = 40 },
};

static void print_times(struct printer *p, bool gpu, int64_t gpu_ms, int64_t busy_ms,
			int64_t measured_ms, int64_t cpu_ms)
{
	if (gpu)
		print_duration(p, gpu_ms);
	else
		print_null(p);
	if (gpu && busy_ms >= 0)
		print_duration(p, busy_ms);
	else
		print_null(p);
	print_idle(p, gpu ? busy_ms : -1, measured_ms);
	if (cpu_ms >= 0)
		print_duration(p, cpu_ms);
	else
		print_null(p);
}

static void print_price(struct printer *p, const struct price *price)
{
	_release_(strbuf_release) struct strbuf shown = STRBUF_INIT;
	_release_(strbuf_release) struct strbuf exact = STRBUF_INIT;
	struct money m = { price->known, price->nano_per_hour, "" };

	if (!price->known) {
		print_null(p);
		return;
	}
	memcpy(m.currency, price->currency, sizeof(m.currency));
	money_add_text(&shown, &m);
	money_add_exact(&exact, &m);
	print_shown(p, shown.buf, exact.buf);
}

static void print_known(struct printer *p, const char *s)
{
	print_string(p, *s ? s : NULL);
}

static void print_usage_row(struct printer *p, const struct usage_row *row)
{
	const struct price *price = row->price.known ? &row->price : &row->energy_price;

	print_bool(p, false);
	print_string(p, row->run_uuid);
	print_int(p, row->attempt);
	print_string(p, row->host);
	print_string(p, row->device);
	print_string(p, row->model);
	print_time(p, row->start_ms);
	print_time(p, row->end_ms);
	print_bool(p, !row->closed);
	print_times(p, row->is_gpu, row->device_ms, row->busy_ms, row->device_ms,
		    row->is_gpu ? -1 : row->device_ms);
	print_energy(p, row->energy_mj);
	print_cost(p, &row->money, row->included ? "included" :
				    row->mixed ? "two currencies" : "no price");
	print_price(p, &row->price);
	print_price(p, &row->energy_price);
	print_known(p, price->as_of);
	print_bool(p, row->price.stale || row->energy_price.stale);
	print_known(p, price->source);
	print_end_row(p);
}

static void print_nulls(struct printer *p, int n)
{
	while (n-- > 0)
		print_null(p);
}

/* The first total has all sums, one more for each further currency its money only. */
static void print_total(struct printer *p, const char *uuid, const struct cost_group *total,
			size_t i)
{
	print_bool(p, true);
	print_string(p, uuid);
	print_null(p);
	print_null(p);
	print_shown(p, "total", "");
	print_nulls(p, 3);
	print_null(p);
	if (i) {
		print_nulls(p, 7);
	} else {
		print_times(p, total->gpu_ms > 0, total->gpu_ms,
			    total->measured_ms > 0 ? total->busy_ms : -1, total->measured_ms,
			    total->cpu_ms);
		print_energy(p, total->energy_mj);
	}
	print_cost(p, group_money(total, i), group_without(total));
	print_nulls(p, 5);
	print_end_row(p);
}

/* The uuid of a run that may be gone but for the ledger. */
static int find_uuid(struct cmd_ctx *ctx, const char *ref, char uuid[257])
{
	_release_(run_release) struct run run = RUN_INIT;
	int64_t id;
	int r = run_resolve(ctx->db, ref, &id, &ctx->err);

	if (r == MLP_ENOTFOUND) {
		struct mlp_error missing = ctx->err;

		r = usage_find_run(ctx->db, ref, uuid, &ctx->err);
		if (r == MLP_ENOTFOUND)
			ctx->err = missing;
		return r;
	}
	if (!r)
		r = run_get(ctx->db, id, &run, &ctx->err);
	if (!r)
		snprintf(uuid, 257, "%s", run.uuid);
	return r;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_release_(usage_rows_release) struct usage_rows rows = { 0 };
	_release_(cost_group_release) struct cost_group total = { .energy_mj = -1 };
	_release_(cost_stale_release) struct strmap stale = STRMAP_INIT;
	struct printer *p = &ctx->out;
	char uuid[257];
	int r = find_uuid(ctx, argv[0], uuid);

	(void)opts;
	(void)argc;
	if (!r)
		r = usage_of_run(ctx->db, &ctx->repo.settings, uuid, &rows, &ctx->err);
	if (!r && !rows.len)
		r = mlp_error_set(&ctx->err, MLP_ENOTFOUND, "no usage is recorded of run '%s'", uuid);
	for (size_t i = 0; !r && i < rows.len; i++) {
		struct usage_part whole = usage_cut(&rows.v[i], INT64_MIN, INT64_MAX);

		r = cost_group_add(&total, &rows.v[i], &whole, &ctx->err);
		cost_note_stale(&stale, &rows.v[i]);
	}
	if (r)
		return r;
	print_begin(p, cols, ARRAY_SIZE(cols));
	for (size_t i = 0; i < rows.len; i++)
		print_usage_row(p, &rows.v[i]);
	for (size_t i = 0; !i || i < total.money.len; i++) {
		print_color(p, COLOR_BOLD);
		print_total(p, uuid, &total, i);
	}
	print_end(p);
	warn_stale(&stale);
	return 0;
}

const struct mlp_cmd cmd_cost_show = {
	.name = "show",
	.group = "cost",
	.summary = "what each attempt of a run used, and its cost",
	.usage = "RUN",
	.needs = NEED_DB_READ | HAS_OUTPUT,
	.min_args = 1,
	.max_args = 1,
	.complete = COMPLETE_RUN,
	.run = run,
};
