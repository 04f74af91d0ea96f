/* SPDX-License-Identifier: Apache-2.0 */
/* The artifacts of a run or logged model on a live server: by its proxy, or, where they lie on
 * a disk of the server's, by the server itself. */
#ifndef MLFLOW_PLACE_H
#define MLFLOW_PLACE_H

#include "lib/mlflow/peer.h"
#include "lib/mlflow/source.h"

struct place;

/* NULL when the server does not give them. */
struct place *place_of_run(struct peer *peer, const struct mlflow_run *run);
struct place *place_of_model(struct peer *peer, const struct mlflow_model *model);
void place_free(struct place *place); /* NULL is fine */

/* 1 with a file, 0 at the end, or negative. */
int place_next(struct place *place, const struct mlp_events *events, struct mlflow_artifact *out,
	       struct mlp_error *err);
/* An open file with the bytes, the caller's; or negative. */
int place_open(struct place *place, const char *path, struct mlp_error *err);

/* The path behind "mlflow-artifacts:" when it is this peer's, else NULL; borrowed. */
const char *place_proxied(const struct peer *peer, const char *uri);

#endif
