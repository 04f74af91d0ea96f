/* SPDX-License-Identifier: Apache-2.0 */
/* mlp/...: what MLflow has no endpoints for. */
#include "config.h"

#include "lib/api/api.h"
#include "lib/api/common.h"
#include "lib/track/live.h"

static enum api_error move_run(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_active_run(call, &run);

	if (!r)
		r = api_active_experiment(call, &e);
	if (r)
		return r;
	return run_move(call->db, run.id, e.id, &err) ? api_fail_error(call, &err) : API_OK;
}

static enum api_error refuse_live(struct api_call *call, const char *uuid)
{
	if (!live_holder(call->repo, uuid))
		return API_OK;
	return api_fail(call, API_RESOURCE_CONFLICT, "The run %s is still running.", uuid);
}

/* What a supervisor left of it outside of the store is removed by "mlp train --reap". */
static enum api_error delete_run(struct api_call *call)
{
	_release_(run_release) struct run run = RUN_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_need_run(call, &run);

	if (!r)
		r = refuse_live(call, run.uuid);
	if (r)
		return r;
	return run_delete(call->db, run.id, &err) ? api_fail_error(call, &err) : API_OK;
}

/* Only those not over, and supervised, may be alive. */
static enum api_error refuse_live_runs(struct api_call *call, int64_t experiment)
{
	struct mlp_error err = MLP_ERROR_INIT;
	_cleanup_stmt_ struct db_stmt *st =
		db_query(call->db, &err,
			 "SELECT uuid FROM run WHERE +experiment_id = ?1 AND status < 3"
			 " AND heartbeat_ms IS NOT NULL",
			 "i", experiment);
	enum api_error r = API_OK;
	int more = st ? 1 : MLP_EFAIL;

	while (!r && more > 0 && (more = db_step(st, &err)) > 0)
		r = refuse_live(call, db_text(st, 0));
	return more < 0 ? api_fail_error(call, &err) : r;
}

static enum api_error delete_experiment(struct api_call *call)
{
	_release_(experiment_release) struct experiment e = EXPERIMENT_INIT;
	struct mlp_error err = MLP_ERROR_INIT;
	enum api_error r = api_need_experiment(call, &e);

	if (!r)
		r = refuse_live_runs(call, e.id);
	if (r)
		return r;
	return experiment_delete(call->db, e.id, &err) ? api_fail_error(call, &err) : API_OK;
}

const struct api_route api_beyond_routes[] = {
	{ "POST", "mlp/runs/move", API_WRITE, API_OF_RUN, move_run },
	{ "POST", "mlp/runs/delete-permanently", API_WRITE | API_ADMIN | API_LONG, API_OF_RUN,
	  delete_run },
	{ "POST", "mlp/experiments/delete-permanently", API_WRITE | API_ADMIN | API_LONG,
	  API_OF_EXPERIMENT, delete_experiment },
	{ .path = NULL },
};
