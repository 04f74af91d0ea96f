/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/http/guard.h"
#include "lib/http/listener.h"
#include "lib/http/load.h"
#include "lib/http/uri.h"
#include "lib/util/clock.h"
#include "lib/util/text.h"
#include "lib/util/xalloc.h"

/* A body may take BODY_SECONDS and more at BODY_RATE bytes a second; once it is known that it
 * is not taken, BODY_SECONDS: clients read the answer only when they have sent all. */
enum { CLIENT_GONE = 499, UPLOAD_BLOCK = 32768, BODY_SECONDS = 60, BODY_RATE = 4096 };
enum { ANSWER_SMALL = 65536 };
static const int64_t DROP_MAX = (int64_t)1 << 30;

/* One certificate's daemon: connections that began with the one before are served on. */
struct generation {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	char *tls_cert, *tls_key;
	struct generation *older; /* no more than one, and that has none */
	/* The daemon may not be stopped while it has a suspended connection: once stopping is
	 * set no handler is called any more, and none is at work when these two are 0. */
	atomic_bool stopping;
	atomic_int handling; /* requests in the handler */
	atomic_int held;     /* requests that wait for an answer of ours */
};

struct http_server {
	const struct http_functions *mhd;
	pthread_mutex_t lock; /* of newest: while a connection is given to it, it is that */
	struct generation *newest;
	struct guard *guard;
	struct http_handlers handlers;
	struct http_options options; /* its texts are not ours */
	struct listener *listener;
	atomic_int active;     /* requests not done yet */
	atomic_size_t bodies;  /* bytes held of bodies and what was made of them */
	atomic_size_t answers; /* bytes held of answers that are not small */
};

struct http_request {
	struct http_server *server;
	struct generation *generation;
	struct MHD_Connection *connection;
	struct uri uri;
	const char *method;
	char peer[INET6_ADDRSTRLEN];
	struct strbuf body;
	size_t charged; /* made of the body */
	size_t answer_charged;
	struct guard_entry *guard;
	bool started, held;
	bool dropping; /* the rest of the body */
	bool over, crowded; /* body too large by itself, or with all others */
	int64_t received;
	int (*stream)(void *data, const void *piece, size_t len);
	void *stream_data;
	void *user, *context;
	int64_t begin_ns;

	struct MHD_Response *response;
	struct strvec headers; /* name, value, name, value, ... until the answer is made */
	int status;
	int64_t answer_bytes;
	bool queued;
	atomic_bool answered; /* all above is set, maybe by another thread */
};

const char *http_method(const struct http_request *req)
{
	return req->method;
}

const char *http_path(const struct http_request *req)
{
	return req->uri.path;
}

const char *http_raw_path(const struct http_request *req)
{
	return req->uri.raw_path;
}

const char *http_query(const struct http_request *req, const char *name, size_t index)
{
	return uri_query(&req->uri, name, index);
}

const char *http_query_name(const struct http_request *req, size_t index)
{
	return index < req->uri.query.len ? req->uri.query.v[index].name : NULL;
}

const char *http_header(const struct http_request *req, const char *name)
{
	return req->server->mhd->lookup_connection_value(req->connection, MHD_HEADER_KIND, name);
}

const char *http_peer(const struct http_request *req)
{
	return req->peer;
}

const struct strbuf *http_body(const struct http_request *req)
{
	return &req->body;
}

/* Adds to what all requests hold, if there is room. */
static bool charge(struct http_server *server, size_t bytes)
{
	if (atomic_fetch_add(&server->bodies, bytes) + bytes <= server->options.bodies_max)
		return true;
	atomic_fetch_sub(&server->bodies, bytes);
	return false;
}

bool http_charge(struct http_request *req, size_t bytes)
{
	if (!charge(req->server, bytes))
		return false;
	req->charged += bytes;
	return true;
}

void **http_user(struct http_request *req)
{
	return &req->user;
}

void **http_context(struct http_request *req)
{
	return &req->context;
}

void http_stream_body(struct http_request *req,
		      int (*fn)(void *data, const void *piece, size_t len), void *data)
{
	req->stream = fn;
	req->stream_data = data;
}

bool http_is_alone(const struct http_request *req)
{
	return atomic_load(&req->server->active) == 1;
}

void http_hold(struct http_request *req)
{
	req->held = true;
	atomic_fetch_add(&req->generation->held, 1);
	req->server->mhd->suspend_connection(req->connection);
}

void http_answer_header(struct http_request *req, const char *name, const char *value)
{
	strvec_push(&req->headers, name);
	strvec_push(&req->headers, value);
}

/* Hands the response over; a held request goes on in its own thread. */
static void give(struct http_request *req, int status, struct MHD_Response *response,
		 const char *content_type, int64_t bytes)
{
	const struct http_functions *mhd = req->server->mhd;

	if (content_type)
		mhd->add_response_header(response, "Content-Type", content_type);
	for (size_t i = 0; i + 1 < req->headers.len; i += 2)
		mhd->add_response_header(response, req->headers.v[i], req->headers.v[i + 1]);
	strvec_release(&req->headers);
	req->status = status;
	req->answer_bytes = bytes;
	req->response = response;
	atomic_store(&req->answered, true);
	if (req->held) {
		struct generation *generation = req->generation;

		mhd->resume_connection(req->connection);
		atomic_fetch_sub(&generation->held, 1);
	}
}

/* Clients may be slow to take their answers. */
static bool charge_answer(struct http_request *req, size_t bytes)
{
	struct http_server *server = req->server;
	size_t all;

	if (!server->options.answers_max || bytes <= ANSWER_SMALL)
		return true;
	all = atomic_fetch_add(&server->answers, bytes) + bytes;
	if (all > server->options.answers_max && all > bytes) {
		atomic_fetch_sub(&server->answers, bytes);
		return false;
	}
	req->answer_charged = bytes;
	return true;
}

static void answer(struct http_request *req, int status, const char *content_type,
		   struct strbuf *body)
{
	size_t len = body ? body->len : 0;
	char *text = body ? strbuf_detach(body) : NULL;
	struct MHD_Response *response = req->server->mhd->create_response_from_buffer(
		len, len ? text : NULL, len ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);

	if (!len)
		free(text);
	give(req, status, response, content_type, (int64_t)len);
}

/* One that may be sent again. */
static void answer_busy(struct http_request *req, const char *text)
{
	struct strbuf body = STRBUF_INIT;

	strvec_release(&req->headers);
	http_answer_header(req, "Retry-After", "1");
	strbuf_addstr(&body, text);
	answer(req, 503, "text/plain; charset=utf-8", &body);
}

void http_answer(struct http_request *req, int status, const char *content_type,
		 struct strbuf *body)
{
	if (!body || charge_answer(req, body->len)) {
		answer(req, status, content_type, body);
		return;
	}
	strbuf_release(body);
	answer_busy(req, "too many answers at one time\n");
}

void http_answer_fd(struct http_request *req, int status, const char *content_type, int fd,
		    int64_t offset, int64_t size)
{
	struct MHD_Response *response = req->server->mhd->create_response_from_fd_at_offset64(
		(uint64_t)size, fd, (uint64_t)offset);

	if (response) {
		give(req, status, response, content_type, size);
		return;
	}
	close(fd);
	strvec_release(&req->headers);
	http_answer(req, 500, "text/plain; charset=utf-8", NULL);
}

/* libmicrohttpd decodes nothing: uri.c does, and refuses encoded NULs. */
static size_t keep_escapes(void *data, struct MHD_Connection *connection, char *s)
{
	(void)data;
	(void)connection;
	return strlen(s);
}

static struct guard_entry *guard_of(const struct http_server *server,
				    struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = server->mhd->get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void watch_connection(void *data, struct MHD_Connection *connection, void **entry,
			     enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = ((struct generation *)data)->server;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		guard_remove(server->guard, *entry);
		*entry = NULL;
		return;
	}
	info = server->mhd->get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*entry = info ? guard_find(server->guard, info->connect_fd) : NULL;
}

/* The earliest a request is heard of. */
static void *begin_request(void *data, const char *target, struct MHD_Connection *connection)
{
	struct generation *generation = data;
	struct http_server *server = generation->server;
	struct http_request *req = xcalloc(1, sizeof(*req));
	char *query;

	req->server = server;
	req->generation = generation;
	req->connection = connection;
	req->begin_ns = clock_mono_ns();
	req->guard = guard_of(server, connection);
	strbuf_init(&req->body);
	uri_parse(&req->uri, target);
	/* The library would take the query apart as well, and a connection's memory may not do
	 * for that: then there is no answer at all. */
	query = strchr(target, '?');
	if (query)
		query[1] = '\0';
	atomic_fetch_add(&server->active, 1);
	return req;
}

static void end_request(void *data, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode how)
{
	struct http_server *server = ((struct generation *)data)->server;
	struct http_request *req = *state;
	bool sent = req && atomic_load(&req->answered) && req->queued &&
		    how == MHD_REQUEST_TERMINATED_COMPLETED_OK;

	(void)connection;
	if (!req)
		return;
	/* The next request of this connection may be long in coming. */
	guard_allow(req->guard, server->options.idle_seconds + server->options.header_seconds);
	if (server->handlers.done && req->started)
		server->handlers.done(server->handlers.data, req, sent ? req->status : CLIENT_GONE,
				      sent ? req->answer_bytes : 0,
				      (clock_mono_ns() - req->begin_ns) / 1000);
	if (req->response && !req->queued)
		server->mhd->destroy_response(req->response);
	atomic_fetch_sub(&server->bodies, req->body.len + req->charged);
	atomic_fetch_sub(&server->answers, req->answer_charged);
	uri_release(&req->uri);
	strbuf_release(&req->body);
	strvec_release(&req->headers);
	free(req->context);
	free(req);
	*state = NULL;
	atomic_fetch_sub(&server->active, 1);
}

static enum MHD_Result queue(struct http_request *req)
{
	enum MHD_Result r;

	/* A daemon that is being stopped takes no response, says nothing, and asks again. */
	if (req->queued)
		return MHD_YES;
	r = req->server->mhd->queue_response(req->connection, (unsigned)req->status, req->response);
	req->server->mhd->destroy_response(req->response);
	req->queued = true;
	return r;
}

static void refuse(struct http_request *req, int status, const char *text)
{
	struct strbuf body = STRBUF_INIT;

	strbuf_addstr(&body, text);
	http_answer(req, status, "text/plain; charset=utf-8", &body);
}

static void find_peer(struct http_request *req)
{
	const union MHD_ConnectionInfo *info = req->server->mhd->get_connection_info(
		req->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (info && info->client_addr->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr,
			  req->peer, sizeof(req->peer));
	else if (info && info->client_addr->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
			  &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr,
			  req->peer, sizeof(req->peer));
}

/* The request line included. */
static size_t head_size(const struct http_request *req)
{
	const union MHD_ConnectionInfo *info = req->server->mhd->get_connection_info(
		req->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

	return info ? info->header_size : 0;
}

/* Of the body, as the headers tell; INT64_MAX when they do not. */
static int64_t body_length(const struct http_request *req)
{
	const char *length = http_header(req, "Content-Length");
	int64_t n;

	if (http_header(req, "Transfer-Encoding"))
		return INT64_MAX;
	return length && text_parse_int(length, &n) ? n : 0;
}

static void start_request(struct http_request *req, const char *method)
{
	int64_t length;

	req->started = true;
	req->method = method;
	guard_allow(req->guard, BODY_SECONDS);
	find_peer(req);
	if (!req->uri.path)
		refuse(req, 400, "bad request path\n");
	else if (req->uri.cut)
		refuse(req, 414, "too many query arguments\n");
	else if (head_size(req) > req->server->options.header_max)
		refuse(req, 431, "request headers too large\n");
	if (req->response)
		return;
	if (req->server->handlers.head)
		req->server->handlers.head(req->server->handlers.data, req);
	length = body_length(req);
	if (!req->response && !req->stream && length < INT64_MAX &&
	    length > (int64_t)req->server->options.body_max)
		refuse(req, 413, "request body too large\n");
}

/* A client that sends its body whatever comes must be let send it: to one that is answered
 * and cut off meanwhile the network seems broken, with TLS always, and it tries again. */
static bool sends_anyway(const struct http_request *req)
{
	return body_length(req) && !http_header(req, "Expect");
}

static void take_body(struct http_request *req, const char *piece, size_t len)
{
	struct http_server *server = req->server;

	req->received += (int64_t)len;
	if (req->dropping)
		return;
	guard_allow(req->guard, MAX(BODY_SECONDS + req->received / BODY_RATE -
					    (clock_mono_ns() - req->begin_ns) / 1000000000,
				    (int64_t)0));
	if (req->stream) {
		req->dropping = req->stream(req->stream_data, piece, len) < 0;
	} else if (req->body.len + len > server->options.body_max) {
		req->over = req->dropping = true;
	} else if (!charge(server, len)) {
		req->crowded = req->dropping = true;
	} else {
		strbuf_add(&req->body, piece, len);
	}
	if (req->dropping)
		guard_allow(req->guard, BODY_SECONDS);
}

static void handle(struct http_request *req)
{
	struct http_server *server = req->server;
	struct generation *generation = req->generation;

	atomic_fetch_add(&generation->handling, 1);
	if (req->over)
		refuse(req, 413, "request body too large\n");
	else if (req->crowded)
		answer_busy(req, "too many requests at one time\n");
	else if (atomic_load(&generation->stopping))
		refuse(req, 503, "the server is ending\n");
	else
		server->handlers.request(server->handlers.data, req);
	atomic_fetch_sub(&generation->handling, 1);
}

static enum MHD_Result serve(void *data, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *piece,
			     size_t *len, void **state)
{
	struct http_request *req = *state;

	(void)data;
	(void)connection;
	(void)url;
	(void)version;
	if (!req->started) {
		start_request(req, method);
		if (req->response && !sends_anyway(req))
			return queue(req);
		req->dropping = req->response;
		return MHD_YES;
	}
	if (*len) {
		take_body(req, piece, *len);
		*len = 0;
		return req->response && req->received > DROP_MAX ? MHD_NO : MHD_YES;
	}
	if (!req->held && !req->response) {
		guard_allow(req->guard, -1);
		handle(req);
		/* From here on it is another thread's, and comes back once it is answered. */
		if (req->held)
			return MHD_YES;
	}
	return atomic_load(&req->answered) ? queue(req) : MHD_YES;
}

/* has_room() and take_connection() keep the limits: a thread of the daemon that meets one of
 * its own waits for a lock it holds (libmicrohttpd 0.9.75).  Its limit is for all threads, each
 * of which gets its part. */
static struct MHD_Daemon *start_daemon(struct generation *g)
{
	const struct http_server *s = g->server;
	const struct http_options *o = &s->options;
	unsigned threads = o->threads ? o->threads : 2;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_USE_TURBO |
			 (g->tls_cert ? MHD_USE_TLS : 0);
	/* Holds headers and the piece of body being read. */
	size_t memory = o->header_max + UPLOAD_BLOCK;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, g->tls_cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, g->tls_key },
		{ MHD_OPTION_END, 0, NULL },
	};

	return s->mhd->start_daemon(
		flags, 0, NULL, NULL, serve, g, MHD_OPTION_THREAD_POOL_SIZE, threads,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_CONNECTION_LIMIT,
		(o->connection_max + 1) * threads, MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds,
		MHD_OPTION_URI_LOG_CALLBACK, begin_request, g, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escapes, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, end_request, g, MHD_OPTION_NOTIFY_CONNECTION,
		watch_connection, g, MHD_OPTION_ARRAY, g->tls_cert ? tls : &tls[2], MHD_OPTION_END);
}

static void generation_free(struct generation *g)
{
	if (!g)
		return;
	free(g->tls_cert);
	free(g->tls_key);
	free(g);
}

/* Ends its connections; those with a request in the handler or held, once that is answered. */
static void generation_stop(struct generation *g)
{
	if (!g)
		return;
	atomic_store(&g->stopping, true);
	while (atomic_load(&g->handling) || atomic_load(&g->held))
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	g->server->mhd->stop_daemon(g->daemon);
	generation_free(g);
}

/* From now on connections go to a new daemon, and the one before the last ends: each has
 * threads and may have as many connections as one. */
static int add_generation(struct http_server *s, const char *cert, const char *key,
			  struct mlp_error *err)
{
	struct generation *g = xcalloc(1, sizeof(*g)), *oldest = NULL;

	g->server = s;
	g->tls_cert = cert ? xstrdup(cert) : NULL;
	g->tls_key = key ? xstrdup(key) : NULL;
	g->daemon = start_daemon(g);
	if (!g->daemon) {
		generation_free(g);
		return mlp_error_set(err, MLP_EFAIL, "cannot serve on port %u%s", listener_port(s->listener),
				     cert ? ": is the certificate right?" : "");
	}
	pthread_mutex_lock(&s->lock);
	g->older = s->newest;
	if (g->older)
		oldest = steal_ptr(&g->older->older);
	s->newest = g;
	pthread_mutex_unlock(&s->lock);
	generation_stop(oldest);
	return 0;
}

static bool has_room(void *data)
{
	const struct http_server *s = data;

	return guard_count(s->guard) < s->options.connection_max;
}

static void take_connection(void *data, int fd, const struct sockaddr *address, socklen_t len)
{
	struct http_server *s = data;
	unsigned most = s->options.address_max;
	bool taken;

	if (most && guard_count_of(s->guard, address) >= most) {
		close(fd);
		return;
	}
	guard_add(s->guard, fd, address, s->options.header_seconds);
	pthread_mutex_lock(&s->lock);
	taken = s->mhd->add_connection(s->newest->daemon, fd, address, len) == MHD_YES;
	pthread_mutex_unlock(&s->lock);
	/* Then the socket is closed, and only this thread gets new ones. */
	if (!taken)
		guard_remove(s->guard, guard_find(s->guard, fd));
}

int http_server_set_tls(struct http_server *s, const char *cert, const char *key,
			struct mlp_error *err)
{
	const struct generation *now = s->newest;

	if (now->tls_cert && !strcmp(now->tls_cert, cert) && !strcmp(now->tls_key, key))
		return 0;
	return add_generation(s, cert, key, err);
}

static int server_start(struct http_server *s, struct mlp_error *err)
{
	const struct http_options *o = &s->options;
	struct listener_user user = { has_room, take_connection, s };
	int r;

	s->mhd = http_load(err);
	if (!s->mhd) {
		if (o->listen_fd >= 0)
			close(o->listen_fd);
		return MLP_EUNSUPPORTED;
	}
	r = listener_open(&s->listener, o, &user, err);
	if (r)
		return r;
	r = guard_start(&s->guard, err);
	if (!r)
		r = add_generation(s, o->tls_cert, o->tls_key, err);
	return r ? r : listener_start(s->listener, err);
}

int http_server_start(struct http_server **out, const struct http_options *o,
		      const struct http_handlers *handlers, struct mlp_error *err)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	int r;

	s->handlers = *handlers;
	s->options = *o;
	pthread_mutex_init(&s->lock, NULL);
	/* Handlers may look for it before this function is back. */
	*out = s;
	r = server_start(s, err);
	if (r) {
		*out = NULL;
		http_server_stop(s, 0);
	}
	return r;
}

uint16_t http_server_port(const struct http_server *server)
{
	return listener_port(server->listener);
}

int64_t http_server_connections(const struct http_server *server)
{
	return guard_count(server->guard);
}

void http_server_stop(struct http_server *s, int64_t grace_ms)
{
	int64_t end = clock_mono_ns() + grace_ms * 1000000;

	if (!s)
		return;
	listener_stop(s->listener);
	while (atomic_load(&s->active) && clock_mono_ns() < end)
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	if (s->newest)
		generation_stop(steal_ptr(&s->newest->older));
	generation_stop(s->newest);
	guard_stop(s->guard);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
