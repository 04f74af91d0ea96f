/* SPDX-License-Identifier: Apache-2.0 */
/* What an attempt uses and costs while it runs: the usage ledger and the budget. */
#ifndef LAUNCH_METER_H
#define LAUNCH_METER_H

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/cost/ledger.h"
#include "lib/launch/gpus.h"
#include "lib/launch/job.h"
#include "lib/launch/telemetry.h"

struct meter_spec {
	const struct repo *repo;
	const struct job *job;
	const struct mlp_events *events;
	const char *uuid, *user;
	int number; /* of the attempt */
	int64_t started_ms;
	struct gpus *gpus;
	struct telemetry *telemetry;
};

struct meter {
	struct meter_spec spec;
	struct ledger *ledger;
	int64_t checked_ms; /* the budget */
	bool unpriced;	    /* was said */
};

/* There are prices, in the budget's currency, for what the job would use. */
int meter_check_prices(struct db *db, const struct repo *repo, const struct job *job,
		       struct gpus *gpus, struct mlp_error *err);

void meter_init(struct meter *meter, const struct meter_spec *spec);
/* GPUs that were asked for are held, and paid for, from the start; other runs are entered
 * with the first tick or at the end. */
int meter_start(struct meter *meter, struct db *db, struct mlp_error *err);
/* At 1 Hz; 1 when the budget is used up. */
int meter_tick(struct meter *meter, struct db *db, int64_t now_ms, struct mlp_error *err);
/* The last entry; cpu_ms of the whole tree as the kernel counted it. */
int meter_close(struct meter *meter, struct db *db, int64_t now_ms, int64_t cpu_ms,
		struct mlp_error *err);

#endif
