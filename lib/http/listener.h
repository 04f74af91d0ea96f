/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket and the thread that accepts from it.  Accepting is not left to
 * libmicrohttpd: MHD_quiesce_daemon() and a thread of the daemon may both take the socket
 * out of its epoll set, and the second to do so ends the process.
 */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/http/http.h"

struct listener_user {
	/* Whether one more connection may come; while not, clients wait in the backlog. */
	bool (*room)(void *data);
	/* Takes the connection. */
	void (*take)(void *data, int fd, const struct sockaddr *address, socklen_t len);
	void *data;
};

struct listener;

/* Listens where o says (address and port, or its listen_fd, which it takes); MLP_EINVAL for
 * a bad address.  Nothing is accepted yet. */
int listener_open(struct listener **out, const struct http_options *o,
		  const struct listener_user *user, struct mlp_error *err);
uint16_t listener_port(const struct listener *l);
int listener_start(struct listener *l, struct mlp_error *err);
/* Accepts no more, closes the socket and frees; NULL is fine. */
void listener_stop(struct listener *l);

#endif
