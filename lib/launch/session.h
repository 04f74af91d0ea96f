/* SPDX-License-Identifier: Apache-2.0 */
/* A job being run: what its attempts share, and its record in the store. */
#ifndef LAUNCH_SESSION_H
#define LAUNCH_SESSION_H

#include <signal.h>

#include "lib/launch/child.h"
#include "lib/launch/control.h"
#include "lib/launch/gpus.h"
#include "lib/launch/input.h"
#include "lib/launch/job.h"
#include "lib/launch/relay.h"
#include "lib/launch/rundir.h"

struct session {
	const struct repo *repo;
	struct db *db;
	const struct job *job;
	const struct mlp_events *events;
	struct job_hooks hooks;
	struct job_result *out;

	struct rundir dir;
	char *cwd;
	int live;      /* holds the run's lock */
	int signals;   /* signalfd */
	sigset_t mask; /* as it was, for the command */
	int stop;      /* eventfd: the recorder asks for the end (budget) */
	struct input input;
	struct relay relay; /* of the last attempt */
	struct gpus gpus;
	char *user;
	int64_t deadline_ms; /* of the monotonic clock; 0: none */
	bool keep_dir;	     /* something in it could not be stored */
};

/* Makes the run in the store: after it a dead supervisor leaves a run that is LOST. */
int session_begin(struct session *s, struct mlp_error *err);
/* Stores outputs and the end. */
int session_end(struct session *s, struct mlp_error *err);

/* Runs the command once and fills out's fields about its end. */
int supervise(struct session *s, struct mlp_error *err);

#endif
