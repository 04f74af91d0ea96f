/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MLflow's protocol for the command of mlp train: a client of it in the command joins the
 * run.  The socket listens from the start, which costs next to nothing; the server itself
 * is started by the first connection.  It answers those who know a secret that the command
 * has in its environment, the user's for another server or one made for it; it is written
 * nowhere.
 */
#ifndef LAUNCH_ENDPOINT_H
#define LAUNCH_ENDPOINT_H

#include "lib/core/event.h"
#include "lib/core/repo.h"
#include "lib/launch/job.h"

struct endpoint;

/* NULL when the command has no use for it: the setting train.mlflow says "never", or "auto"
 * and no client of MLflow is installed where the command would find it, or the user named
 * another server; and when there can be none, which is warned about.  The job and the uuid must live
 * as long. */
struct endpoint *endpoint_open(const struct repo *repo, const struct job *job, const char *uuid,
			       const struct mlp_events *events);
/* The variables by which clients find it, sorted, into an empty list; NULL adds none. */
void endpoint_environ(const struct endpoint *e, const struct job *job,
		      struct key_values *out);
/* Waits for a client, in a thread; after the command was started.  Where it cannot, which is
 * warned about, clients are refused. */
void endpoint_start(struct endpoint *e);
void endpoint_close(struct endpoint *e);

#endif
