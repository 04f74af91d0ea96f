/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second thread of an attempt: takes metrics in, samples what the processes use,
 * keeps the heartbeat and the usage ledger, and captures the environment while the command
 * already runs.  The store's handle is its own from recorder_start() to
 * recorder_finish().
 */
#ifndef LAUNCH_RECORDER_H
#define LAUNCH_RECORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/db/db.h"
#include "lib/launch/inlet.h"
#include "lib/launch/job.h"
#include "lib/launch/meter.h"
#include "lib/launch/telemetry.h"

struct recorder_spec {
	const struct repo *repo;
	struct db *db;
	const struct job *job;
	const struct mlp_events *events;
	int64_t run, attempt; /* row ids */
	const char *uuid, *user, *cwd;
	int number;	     /* of the attempt */
	int64_t started_ms;
	struct inlet *inlet; /* borrowed */
	const char *metrics_path;
	struct telemetry *telemetry; /* borrowed */
	struct gpus *gpus;	     /* borrowed */
	bool capture;	     /* the environment too: the first attempt */
	int stop_fd;	     /* eventfd, written to when the budget is used up */
	int lock_fd;	     /* of the run, for live_touched() */
};

struct recorder;
int recorder_start(struct recorder **out, const struct recorder_spec *spec,
		   struct mlp_error *err);
/* Takes in what is left, ends the thread and frees it.  cpu_ms: of the whole tree. */
int recorder_finish(struct recorder *r, int64_t cpu_ms, struct mlp_error *err);

#endif
