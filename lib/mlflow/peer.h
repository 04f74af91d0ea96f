/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A live server that speaks MLflow's protocol, asked as its own client asks it.  The
 * environment names credentials and certificates as for that client: MLFLOW_TRACKING_TOKEN, or
 * MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; MLFLOW_TRACKING_SERVER_CERT_PATH;
 * MLFLOW_TRACKING_INSECURE_TLS; MLFLOW_HTTP_REQUEST_TIMEOUT, MLFLOW_HTTP_REQUEST_MAX_RETRIES.
 */
#ifndef MLFLOW_PEER_H
#define MLFLOW_PEER_H

#include "lib/core/event.h"
#include "lib/json/read.h"
#include "lib/json/write.h"

struct peer;

int peer_open(struct peer **out, const char *where, const struct mlp_events *events,
	      struct mlp_error *err);
void peer_close(struct peer *peer);
DEFINE_CLEANUP(struct peer *, peer_close);
const char *peer_name(const struct peer *peer); /* its address; borrowed */

/* Asks for target, "mlflow/runs/get?run_id=...", below "/api/2.0/".  *out is an object.
 * MLP_ENOTFOUND, MLP_EEXIST and MLP_EINVAL are what the server said. */
int peer_get(struct peer *peer, const char *target, struct json **out, struct mlp_error *err);
/* A search by POST: asked again when an answer gets lost. */
int peer_search(struct peer *peer, const char *target, const struct strbuf *body,
		struct json **out, struct mlp_error *err);

enum peer_method { PEER_POST, PEER_POST_ONCE, PEER_PATCH, PEER_DELETE };
/* Changes something.  PEER_POST_ONCE is not sent again when an answer gets lost.  out may
 * be NULL. */
int peer_change(struct peer *peer, enum peer_method method, const char *target,
		const struct strbuf *body, struct json **out, struct mlp_error *err);

/* Writes what is at target (from the server's root) to fd, an empty file. */
int peer_download(struct peer *peer, const char *target, int fd, struct mlp_error *err);
/* Puts size bytes of the file fd at path of the artifact proxy. */
int peer_upload(struct peer *peer, const char *path, int fd, int64_t size,
		struct mlp_error *err);

#endif
