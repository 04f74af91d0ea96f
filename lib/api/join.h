/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How clients in the command of mlp train join its run: the first run without a parent that
 * they create is that one.  A script says by itself where it records, and in which experiment:
 * to name the run to it beforehand (MLFLOW_RUN_ID) would fail in every one that does.
 */
#ifndef API_JOIN_H
#define API_JOIN_H

#include "lib/api/api.h"
#include "lib/track/run.h"

struct api_join {
	const char *run; /* its id */
	const struct key_values *params; /* the user's */
	bool keep_experiment, keep_name; /* the user's, too */
	bool joined;
};

/* Has the run take the place of one that was to be made, with these tags; *id is 0 when none
 * is to be joined. */
enum api_error api_join_run(struct api_call *call, const struct run_new *n,
			    struct key_values *tags, int64_t *id);
/* Is its name the user's? */
bool api_join_keeps_name(const struct api_call *call, const char *uuid);
/* Is it the user's parameter in another spelling (1e-3, 0.001; true, True)? */
bool api_join_has_param(const struct api_call *call, const char *uuid, const char *key,
			const char *value);

#endif
