/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 server by libmicrohttpd, which is loaded on first use.  Requests arrive
 * on the threads of a small pool.  A handler answers at once or keeps the request
 * (http_hold) and answers later from any thread.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/error.h"
#include "lib/util/strbuf.h"

struct http_server;
struct http_request;

struct http_handlers {
	/* Headers are here, the body is not.  May answer already (refusing), or call
	 * http_stream_body() to take the body piece by piece.  May be NULL. */
	void (*head)(void *data, struct http_request *req);
	/* The whole request is here: answer it or hold it. */
	void (*request)(void *data, struct http_request *req);
	/* Answered and sent, or the peer went away (status 499): for the access log and to free
	 * http_user().  May be NULL. */
	void (*done)(void *data, struct http_request *req, int status, int64_t bytes_sent,
		     int64_t duration_us);
	void *data;
};

struct http_options {
	const char *address; /* "127.0.0.1", "::1", "0.0.0.0", ... */
	uint16_t port;	     /* 0: any free one, see http_server_port() */
	int listen_fd;	     /* >= 0: a listening socket of the caller's instead (systemd) */
	unsigned threads;    /* 0: 2 */
	size_t body_max;     /* bytes of a body that is not streamed; more is 413 */
	size_t bodies_max;   /* bytes of all such bodies at one time; more is 503 */
	size_t answers_max;  /* bytes of all answers not sent yet but small ones; more is 503,
			      * unless it is one alone; 0: no limit */
	size_t header_max;   /* bytes of all headers; more is 431 */
	unsigned connection_max;
	unsigned address_max;	/* connections from one address; 0: no limit */
	unsigned idle_seconds;	/* a connection without progress is closed */
	unsigned header_seconds; /* from a connection's first byte to the end of its headers */
	const char *tls_cert, *tls_key; /* PEM text; NULL: plain */
};

int http_server_start(struct http_server **out, const struct http_options *options,
		      const struct http_handlers *handlers, struct mlp_error *err);
/* Stops taking connections; then waits until the requests under way are answered, at
 * most grace_ms; frees the server. */
void http_server_stop(struct http_server *server, int64_t grace_ms);
uint16_t http_server_port(const struct http_server *server);
/* Connections open now. */
int64_t http_server_connections(const struct http_server *server);
/* New connections get this certificate, unless it is the one they get already.  Those open
 * keep theirs; those of the certificate before that are closed.  For one thread at a time. */
int http_server_set_tls(struct http_server *server, const char *cert, const char *key,
			struct mlp_error *err);

/* All borrowed, valid until the request is done. */
const char *http_method(const struct http_request *req); /* "GET" */
const char *http_path(const struct http_request *req);	 /* percent-decoded, no query */
const char *http_raw_path(const struct http_request *req); /* as sent, no query */
/* The index-th (from 0) query argument of that name, decoded; NULL without one. */
const char *http_query(const struct http_request *req, const char *name, size_t index);
/* The name of the index-th argument in the order sent, repeated ones included; NULL at the end. */
const char *http_query_name(const struct http_request *req, size_t index);
const char *http_header(const struct http_request *req, const char *name);
const char *http_peer(const struct http_request *req); /* "127.0.0.1" */
const struct strbuf *http_body(const struct http_request *req);
/* Counts memory that the handler makes of the body as bodies are counted, until the request is
 * done.  False: that would be too much at one time. */
bool http_charge(struct http_request *req, size_t bytes);
void **http_user(struct http_request *req); /* a pointer for the handlers' own use */
/* One more, which is freed with the request. */
void **http_context(struct http_request *req);

/* From head(): the body goes to fn piece by piece, on the server's thread; a
 * negative return stops reading, and request() is still called. */
void http_stream_body(struct http_request *req,
		      int (*fn)(void *data, const void *piece, size_t len), void *data);

/* No other request is under way. */
bool http_is_alone(const struct http_request *req);

/* From request(): the answer will come later, by exactly one http_answer*() from any
 * thread. */
void http_hold(struct http_request *req);
/* Adds a header to the answer; before http_answer*(). */
void http_answer_header(struct http_request *req, const char *name, const char *value);
/* Answers; takes the body's memory (body may be NULL: empty). */
void http_answer(struct http_request *req, int status, const char *content_type,
		 struct strbuf *body);
/* Answers with size bytes of fd from offset; takes fd. */
void http_answer_fd(struct http_request *req, int status, const char *content_type, int fd,
		    int64_t offset, int64_t size);

#endif
