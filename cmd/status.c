/* SPDX-License-Identifier: Apache-2.0 */
/* mlp status: what runs here now, the GPUs and what they cost, what is uncommitted. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/status/status.h"
#include "lib/track/live.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"

static double system_metric(struct cmd_ctx *ctx, int64_t run, const char *key)
{
	static const char sql[] = "SELECT m.value FROM metric m JOIN metric_key k ON k.id = m.key_id"
				  " WHERE m.run_id = ?1 AND k.name = ?2";
	_cleanup_stmt_ struct db_stmt *st = db_query(ctx->db, NULL, sql, "is", run, key);

	return st && db_step(st, NULL) > 0 ? db_double(st, 0) : (double)NAN;
}

/* The metric that the run itself logged last. */
static int last_metric(struct cmd_ctx *ctx, struct status_run *r)
{
	static const char sql[] =
		"SELECT k.name, m.value, m.step FROM metric m JOIN metric_key k ON k.id = m.key_id"
		" WHERE m.run_id = ?1 AND k.name NOT LIKE 'system/%'"
		" ORDER BY m.time_ms DESC, k.name LIMIT 1";
	_cleanup_stmt_ struct db_stmt *st = db_query(ctx->db, &ctx->err, sql, "i", r->run.id);
	int rc = st ? db_step(st, &ctx->err) : MLP_EFAIL;

	if (rc <= 0)
		return rc;
	r->metric = xstrdup(db_text(st, 0));
	r->value = db_double(st, 1);
	r->step = db_int(st, 2);
	return 0;
}

static int load_run(struct cmd_ctx *ctx, int64_t id, struct status *s)
{
	struct status_run r = { 0 };
	int rc = run_get(ctx->db, id, &r.run, &ctx->err);

	if (!rc) {
		r.status = live_status(&ctx->repo, &r.run);
		if (r.status == RUN_LOST)
			r.run.heartbeat_ms = live_last_seen(&ctx->repo, &r.run);
		r.supervisor = live_holder(&ctx->repo, r.run.uuid);
		r.cpu_percent = system_metric(ctx, id, "system/cpu_percent");
		r.rss_bytes = system_metric(ctx, id, "system/rss_bytes");
		run_short(r.run.uuid, r.id);
		rc = last_metric(ctx, &r);
	}
	vec_push(&s->runs, r);
	return rc;
}

static int load_runs(struct cmd_ctx *ctx, struct status *s)
{
	static const char sql[] = "SELECT id FROM run WHERE status < 3 AND deleted_ms IS NULL"
				  " ORDER BY started_ms DESC, id DESC LIMIT 1000";
	_cleanup_stmt_ struct db_stmt *st = db_query(ctx->db, &ctx->err, sql, "");
	int r = st ? 1 : MLP_EFAIL;

	while (r > 0 && (r = db_step(st, &ctx->err)) > 0) {
		int rc = load_run(ctx, db_int(st, 0), s);

		if (rc)
			return rc;
	}
	return r;
}

static void release(struct status *s)
{
	for (size_t i = 0; i < s->runs.len; i++) {
		run_release(&s->runs.v[i].run);
		free(s->runs.v[i].metric);
	}
	vec_free(&s->runs);
	for (size_t i = 0; i < s->gpus.len; i++)
		strvec_release(&s->gpus.v[i].holders);
	vec_free(&s->gpus);
	vcs_state_release(&s->code);
}

static int load_code(struct cmd_ctx *ctx, struct status *s)
{
	int r = vcs_state_read(".", &s->code, &ctx->err);

	s->has_code = r == 0;
	return r == MLP_ENOTFOUND || r == MLP_EUNSUPPORTED ? 0 : r;
}

static int run(struct cmd_ctx *ctx, const void *opts, int argc, char **argv)
{
	_release_(release) struct status s = { 0 };
	int r = load_runs(ctx, &s);

	(void)opts;
	(void)argc;
	(void)argv;
	if (!r)
		r = status_load_gpus(ctx, &s);
	if (!r)
		r = load_code(ctx, &s);
	if (r)
		return r;
	if (ctx->out.mode == PRINT_TEXT)
		status_text(ctx, &s);
	else
		status_records(ctx, &s);
	return 0;
}

const struct mlp_cmd cmd_status = {
	.name = "status",
	.group = "look",
	.summary = "show live runs, GPUs with their price, uncommitted work",
	.usage = "",
	.needs = NEED_DB_READ | HAS_OUTPUT | USES_PAGER,
	.run = run,
};
