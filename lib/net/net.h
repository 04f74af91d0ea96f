/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP client by libcurl, which is loaded on first use.  A struct net talks to one server
 * over connections that stay open; it belongs to one thread.
 *
 *	net_open(&net, &(struct net_options){ .base = "http://127.0.0.1:5000" }, &err);
 *	r = net_send(net, &(struct net_request){ .method = "GET", .path = "/health" }, &answer, &err);
 *
 * Only http and https are spoken, certificates are checked, and a redirection is never
 * followed, so that credentials go to the server named and to no other.  They are in no
 * message.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/error.h"
#include "lib/util/strbuf.h"

struct net_options {
	const char *base;	 /* "https://host[:port][/prefix]", without credentials */
	const char *token;	 /* sent as Bearer, or NULL */
	const char *user, *password; /* basic; only without a token; or NULL */
	const char *ca_file;	 /* PEM; NULL: the system's */
	bool insecure;		 /* certificates are not checked */
	int64_t stall_seconds;	 /* below 1 kB/s for so long is a failure; 0: 120 */
	int tries;		 /* of a request that may be sent twice; 0: 5 */
};

struct net;
int net_open(struct net **out, const struct net_options *options, struct mlp_error *err);
void net_close(struct net *net);
DEFINE_CLEANUP(struct net *, net_close);
/* The server as given, without a slash at its end; borrowed. */
const char *net_base(const struct net *net);

/* Takes the body of an answer of status 200 to 299. */
struct net_sink {
	/* Before the first piece, and again when a broken transfer starts over. */
	int (*begin)(void *data, struct mlp_error *err);
	int (*piece)(void *data, const void *piece, size_t len, struct mlp_error *err);
	void *data;
};

struct net_request {
	const char *method; /* "GET" */
	const char *path;   /* behind the base, escaped, with its query */
	const char *type;   /* of the body, or NULL: none */
	const void *body;
	size_t len;
	int fd; /* with file: the body is file_size bytes of it from its start */
	bool file;
	int64_t file_size;
	bool repeatable;      /* may be sent again when it is not known what became of it */
	size_t answer_max;    /* bytes; more is an error; 0: 64 MiB */
	const struct net_sink *sink; /* NULL: the body goes to the answer */
};

struct net_answer {
	int status;
	struct strbuf body; /* with a sink only that of an error */
};
#define NET_ANSWER_INIT { .body = STRBUF_INIT }
void net_answer_release(struct net_answer *answer);

/* 0 whatever the status; negative when there is no whole answer.  Waits and tries again after
 * what may pass (429, 5xx, a connection that breaks), a refused connection in any case. */
int net_send(struct net *net, const struct net_request *request, struct net_answer *answer,
	     struct mlp_error *err);

/* Appends text as part of a path or query: all but letters, digits and "-._~" becomes %XX.
 * net_add_path() keeps slashes. */
void net_add_escaped(struct strbuf *sb, const char *text);
void net_add_path(struct strbuf *sb, const char *path);

#endif
