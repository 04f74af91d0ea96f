/* SPDX-License-Identifier: Apache-2.0 */
/* The server of MLflow's protocol over one project's store. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/event.h"
#include "lib/core/repo.h"

/* The release of MLflow whose client is tested against; /version says it. */
#define MLFLOW_VERSION "3.17.2"

struct api_server;

struct api_server_options {
	const char *address; /* NULL: 127.0.0.1 */
	uint16_t port;	     /* 0: any */
	int listen_fd;	     /* -1: none given; else the server's from now on */
	bool remote;	     /* others than this machine's clients reach it */
	unsigned threads;    /* 0: by the processors */
	bool auth;	     /* every request needs a token */
	const char *secret;  /* borrowed; every request needs this one instead; NULL: none */
	struct api_join *join; /* borrowed: its clients join a run; NULL: none */
	const char *tls_cert, *tls_key; /* PEM text; NULL: plain */
	const char *access_log; /* a file, "-" for standard output; NULL: none */
};

int api_server_start(struct api_server **out, const struct repo *repo,
		     const struct api_server_options *options, struct mlp_error *err);
uint16_t api_server_port(const struct api_server *server);
/* Opens the access log anew; takes another certificate unless cert is NULL. */
int api_server_reload(struct api_server *server, const char *cert, const char *key,
		      struct mlp_error *err);
/* Takes no more requests and answers those under way; a client that has not sent all of
 * its request is waited for grace_ms. */
void api_server_stop(struct api_server *server, int64_t grace_ms);

#endif
