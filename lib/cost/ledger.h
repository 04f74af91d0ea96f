/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The usage ledger: who used which device for how long and for how many joules.  It is
 * the only source of cost.  A supervisor opens a ledger for its attempt, calls
 * ledger_tick() at 1 Hz (it writes at most every 10 s), and closes it; after a kill -9
 * at most 10 s are missing.
 *
 * Device energy is conserved: in one transaction a tick reads the device's counter, takes
 * the difference to the last reading by anybody, and shares it among the attempts whose
 * processes used the device since (by SM samples; by memory held where the driver has
 * none), the rest going to idle.  Integer millijoules, largest remainder: sum of
 * attempts + idle = sum of differences, exactly.  Time on a device is shared equally
 * among the attempts that hold it at the same moment.
 *
 * A run within a run is charged for itself: the outer one has what is left (nested.h).
 */
#ifndef COST_LEDGER_H
#define COST_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/db/db.h"
#include "lib/gpu/nvml.h"
#include "lib/util/vec.h"

struct ledger;

struct ledger_start {
	const char *run_uuid;
	int attempt;
	const char *experiment, *user;
	const char *tags_json;	    /* JSON object */
	const unsigned *gpus;	    /* indices the attempt holds */
	size_t ngpus;
	bool gpus_by_use;	    /* not told: every GPU its processes are seen on */
	int64_t started_ms;
};

/* What the process tree has used so far, from the supervisor's sampling. */
struct ledger_tree {
	int64_t now_ms;
	int64_t cpu_ms;	  /* user and system time of the tree, ended children and nested runs
			   * included */
	int64_t rss_bytes;
	const pid_t *pids; /* of the tree now, for GPU attribution */
	size_t npids;
};

/* nvml may be NULL: CPU only.  The ledger borrows db and nvml. */
int ledger_open(struct ledger **out, struct db *db, struct nvml *nvml,
		const struct ledger_start *start, struct mlp_error *err);
/* Cheap; writes when 10 s have passed since the last write, or force. */
int ledger_tick(struct ledger *ledger, const struct ledger_tree *tree, bool force,
		struct mlp_error *err);
/* Last tick, rows closed, memory freed (also on error). */
int ledger_close(struct ledger *ledger, const struct ledger_tree *tree, struct mlp_error *err);
/* Closes rows left open by a dead supervisor, as last written. */
int ledger_settle(struct db *db, const char *run_uuid, struct mlp_error *err);

#endif
