/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to the target that is a live server.  Such a server gives its own ids, so ours go
 * along as tags, by which they are found again: nothing is added twice.
 */
#ifndef MLFLOW_LIVE_H
#define MLFLOW_LIVE_H

#include "lib/mlflow/peer.h"
#include "lib/mlflow/target.h"
#include "lib/util/hashmap.h"

#define LIVE_RUN_TAG "mlp.run_id"
#define LIVE_MODEL_TAG "mlp.model_id"
#define LIVE_PARENT_TAG "mlflow.parentRunId"
#define LIVE_VERSION_TAG "mlp.version"

/* A run or logged model of ours as the server has it. */
struct live_twin {
	char *id;
	char *artifacts; /* its URI */
};

/* What can be said only when another thing is known by its id there. */
struct live_pending {
	enum { PENDING_PARENT, PENDING_INPUT, PENDING_OUTPUT } kind;
	char *run;   /* there */
	char *waits; /* for this id of ours */
	int64_t step;
};

struct live_target {
	struct mlflow_target base;
	struct peer *peer;
	bool dry;
	char *experiment;    /* the id there; NULL: it would be made (dry) */
	bool experiment_new; /* nothing needs to be looked for in it */
	struct strmap runs, models; /* our ids -> struct live_twin */
	VEC(struct live_pending) pending;
	struct strmap uses; /* "run/model" by their ids there: links it has */

	/* The run or model that is open. */
	const struct mlflow_run *run;
	const struct mlflow_model *model;
	struct live_twin *twin; /* NULL: there is none yet (dry) */
	struct json *there;	/* as it was when opened, or NULL */
	bool grown;
	struct strmap files; /* path -> size + 1 */
	bool files_listed, files_refused;

	/* One log-batch being put together. */
	struct strbuf metrics;
	struct json_writer writer;
	size_t waiting;
};

/* Sends an object of one list: {"run_id": run, name: [...]}.  list is the inside of the
 * brackets. */
int live_send_list(struct live_target *t, const char *target, const char *run, const char *name,
		   const struct strbuf *list, struct mlp_error *err);
struct live_twin *live_twin_add(struct strmap *map, const char *ours, const char *id,
				const char *artifacts);
/* What waited for ours is said now. */
int live_settle(struct live_target *t, const char *ours, const char *theirs,
		struct mlp_error *err);
void live_wait(struct live_target *t, int kind, const char *waits, int64_t step);
/* Ends the description of an open run or model. */
void live_close(struct live_target *t);

int live_model_begin(struct mlflow_target *base, const struct mlflow_model *m,
		     struct mlp_error *err);
int live_model_end(struct mlflow_target *base, struct mlp_error *err);
int live_artifact_wanted(struct mlflow_target *base, const struct mlflow_artifact *a,
			 struct mlp_error *err);
int live_artifact(struct mlflow_target *base, const struct mlflow_artifact *a, int fd,
		   struct mlp_error *err);
int live_registered(struct mlflow_target *base, const struct mlflow_registered *m,
		    struct mlp_error *err);

#endif
