/* SPDX-License-Identifier: Apache-2.0 */
/* Settling the runs of this host whose supervisor died: what it could not do at the end. */
#ifndef LAUNCH_REAP_H
#define LAUNCH_REAP_H

#include "lib/core/repo.h"
#include "lib/db/db.h"
#include "lib/track/run.h"

struct reaped {
	const char *uuid, *name;
	int64_t ended_ms; /* the last time something is known of it */
	size_t killed;	  /* processes it had left */
};
typedef void reap_fn(void *data, const struct reaped *reaped);

/* Ends what lost runs left running (SIGTERM, SIGKILL after grace_ms), takes in the rest of
 * their metrics and logs, closes their usage, and marks them RUN_LOST; calls fn for each.
 * Then stores what of runs that ended could not be stored, and removes what supervisors and
 * writers killed at their very start left in .mlp. */
int reap_lost(const struct repo *repo, struct db *db, int64_t grace_ms,
	      reap_fn *fn, void *data, struct mlp_error *err);

#endif
