/* SPDX-License-Identifier: Apache-2.0 */
/* The line that ends mlp train: state, duration, metrics, what it used and cost. */
#include "config.h"

#include <string.h>

#include "cmd/run_record.h"
#include "cmd/run_text.h"
#include "cmd/train.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

enum { METRICS_SHOWN = 4 };

static void add_state(struct strbuf *line, const struct job_result *result)
{
	char id[RUN_SHORT_LEN + 1];

	run_short(result->uuid, id);
	strbuf_addf(line, "run %s %s in ", id, run_status_name(result->status));
	clock_add_duration(line, result->ended_ms - result->started_ms);
	exit_add_sentence(line, result->exit_code, result->exit_signal, result->reason);
	if (result->attempts > 1)
		strbuf_addf(line, ", attempt %d", result->attempts);
}

/* The metrics logged last: at the end of a run those are its results. */
static void add_metrics(struct cmd_ctx *ctx, struct strbuf *line, int64_t run)
{
	_release_(metric_latests_release) struct metric_latests list = { 0 };
	const struct metric_latest *shown[METRICS_SHOWN];
	size_t n = 0;

	if (metric_latest(ctx->db, run, &list, NULL))
		return;
	for (size_t i = 0; i < list.len; i++) {
		const struct metric_latest *m = &list.v[i];
		size_t at = n;

		if (metric_is_system(m->key))
			continue;
		while (at && shown[at - 1]->last.time_ms < m->last.time_ms)
			at--;
		if (at == METRICS_SHOWN)
			continue;
		n = MIN(n + 1, (size_t)METRICS_SHOWN);
		memmove(shown + at + 1, shown + at, (n - 1 - at) * sizeof(*shown));
		shown[at] = m;
	}
	for (size_t i = 0; i < n; i++) {
		strbuf_addstr(line, "  ");
		text_add_printable(line, shown[i]->key, strlen(shown[i]->key));
		strbuf_addch(line, ' ');
		text_add_double_short(line, shown[i]->last.value);
	}
}

static void add_joules(struct strbuf *line, int64_t mj)
{
	if (mj < 10000000)
		strbuf_addf(line, "  %.1f J", (double)mj / 1000);
	else
		strbuf_addf(line, "  %.1f kJ", (double)mj / 1000000);
}

/* "no price" is said where a GPU was used; CPU time costs only whom it was given a price. */
static void add_usage(struct cmd_ctx *ctx, struct strbuf *line, const struct job_result *result)
{
	struct cost_summary cost = { 0 };
	bool known = !cost_of_run(ctx->db, &ctx->repo.settings, result->uuid, &cost, NULL);

	strbuf_addstr(line, "  cpu ");
	clock_add_duration(line, result->cpu_ms);
	if (!known)
		return;
	if (cost.gpu_ms) {
		strbuf_addstr(line, "  gpu ");
		clock_add_duration(line, cost.gpu_ms);
	}
	if (cost.energy_known)
		add_joules(line, cost.energy_mj);
	if (cost.money.known) {
		strbuf_addstr(line, "  cost ");
		money_add_text(line, &cost.money);
	} else if (cost.gpu_ms) {
		strbuf_addstr(line, "  no price");
	}
}

int train_record(struct cmd_ctx *ctx, const struct job_result *result)
{
	_release_(run_row_release) struct run_row row = RUN_ROW_INIT;
	int r = run_get(ctx->db, result->run, &row.run, &ctx->err);

	if (!r)
		r = params_get(ctx->db, result->run, &row.params, &ctx->err);
	if (!r)
		r = tags_get(ctx->db, result->run, &row.tags, &ctx->err);
	if (!r)
		r = metric_latest(ctx->db, result->run, &row.metrics, &ctx->err);
	return r ? r : run_record_print_row(ctx, &row);
}

void train_summary(struct cmd_ctx *ctx, const struct job_result *result)
{
	_release_(strbuf_release) struct strbuf line = STRBUF_INIT;

	add_state(&line, result);
	add_metrics(ctx, &line, result->run);
	add_usage(ctx, &line, result);
	if (result->bad_lines)
		strbuf_addf(&line, "  %lld bad metric line%s", (long long)result->bad_lines,
			    result->bad_lines == 1 ? "" : "s");
	if (result->ignored_values)
		strbuf_addf(&line, "  %lld ignored metric value%s",
			    (long long)result->ignored_values,
			    result->ignored_values == 1 ? "" : "s");
	fprintf(stderr, "%s\n", line.buf);
}
