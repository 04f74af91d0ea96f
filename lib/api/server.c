/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "lib/api/server.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/artifacts.h"
#include "lib/api/auth.h"
#include "lib/api/exchange.h"
#include "lib/api/internal.h"
#include "lib/api/multipart.h"
#include "lib/store/upload.h"
#include "lib/track/schema.h"
#include "lib/util/xalloc.h"

enum {
	BODY_MAX = 32 << 20,
	BODIES_MAX = 256 << 20,
	ANSWERS_MAX = 256 << 20,
	HEADER_MAX = 32 << 10,
	CONNECTIONS_MAX = 1000,
	ADDRESS_MAX = 250,
	IDLE_SECONDS = 75,
	HEADER_SECONDS = 20,
	THREADS_MAX = 8,
	WAITING_MAX = 256, /* requests that take long */
};

static void close_reader(void *db)
{
	db_close(db);
}

struct db *api_reader(struct api_server *server, struct mlp_error *err)
{
	struct db *db = pthread_getspecific(server->reader);

	if (db)
		return db;
	if (track_open(&db, server->repo, DB_READ, err))
		return NULL;
	pthread_setspecific(server->reader, db);
	return db;
}

static void answer_text(struct http_request *req, int status, const char *text)
{
	struct strbuf body = STRBUF_INIT;

	strbuf_addstr(&body, text);
	http_answer(req, status, "text/plain; charset=utf-8", &body);
}

/* For who follows the address that MLflow's client prints of a run. */
static void answer_page(struct http_request *req)
{
	static const char page[] =
		"<!doctype html>\n"
		"<html lang=\"en\">\n"
		"<meta charset=\"utf-8\">\n"
		"<title>mlp server</title>\n"
		"<h1>mlp server</h1>\n"
		"<p>This is the server of a project of mlp, for clients of MLflow.  It has no pages to"
		" look at runs.  In the folder of the project,</p>\n"
		"<pre>mlp log\nmlp show ID</pre>\n"
		"<p>list the runs and show one: ID is what stands behind <q>/runs/</q> in the address that"
		" MLflow prints.</p>\n"
		"<p><q>mlp help server</q> tells what this server answers.</p>\n"
		"</html>\n";
	struct strbuf body = STRBUF_INIT;

	strbuf_addstr(&body, page);
	http_answer_header(req, "Content-Security-Policy", "default-src 'none'");
	http_answer_header(req, "X-Content-Type-Options", "nosniff");
	http_answer(req, 200, "text/html; charset=utf-8", &body);
}

static bool is_page(struct http_request *req)
{
	const char *method = http_method(req);

	return !strcmp(http_path(req), "/") && (!strcmp(method, "GET") || !strcmp(method, "HEAD"));
}

/* The rest of path behind one of the mounts, or NULL. */
static const char *below_mount(const char *path)
{
	static const char *const mounts[] = { "/api/2.0/", "/ajax-api/2.0/", "/api/3.0/",
					      "/ajax-api/3.0/" };

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (!strncmp(path, mounts[i], strlen(mounts[i])))
			return path + strlen(mounts[i]);
	return NULL;
}

/* The path below the artifact proxy ("" for the proxy itself), or NULL. */
static const char *artifact_path(const char *path)
{
	static const char proxy[] = "mlflow-artifacts/artifacts";
	const char *rest = below_mount(path);

	if (!rest || strncmp(rest, proxy, strlen(proxy)))
		return NULL;
	rest += strlen(proxy);
	return *rest == '/' ? rest + 1 : *rest ? NULL : rest;
}

/* The name in "name:port" or "[address]:port". */
static size_t host_length(const char *host)
{
	return *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
}

static bool is_here(const char *host)
{
	static const char *const names[] = { "localhost", "[::1]" };
	size_t len = host_length(host);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (len == strlen(names[i]) && !strncasecmp(host, names[i], len))
			return true;
	return !strncmp(host, "127.", 4) && strspn(host, "0123456789.") == len;
}

/* A page of another site must not use a server that asks for no token: neither by a name
 * that it points here, nor from the page itself. */
static bool from_elsewhere(struct http_request *req)
{
	const char *host = http_header(req, "Host"), *origin = http_header(req, "Origin");

	if (host && !is_here(host))
		return true;
	if (!origin)
		return false;
	origin = strstr(origin, "://");
	return !origin || !is_here(origin + 3);
}

/* Asks for no token.  A part's address is a secret by itself. */
static bool is_open(const char *path)
{
	const char *rest, *verb = api_multipart_verb(below_mount(path), &rest);

	return !strcmp(path, "/health") || !strcmp(path, "/version") ||
	       (verb && !strcmp(verb, "part"));
}

static void ask_for_token(struct http_request *req, const struct mlp_error *err)
{
	http_answer_header(req, "WWW-Authenticate", "Basic realm=\"mlp\", charset=\"UTF-8\"");
	api_answer_error(req, API_UNAUTHENTICATED, err->text);
}

static int check_token(struct api_server *server, struct http_request *req,
		       struct mlp_error *err)
{
	const char *given = http_header(req, "Authorization"), *secret = server->options.secret;
	struct api_caller *caller = api_caller(req);
	struct db *db;
	int r;

	if (secret)
		return token_check_secret(secret, given, err);
	db = api_reader(server, err);
	r = db ? token_check(db, given, &caller->token, err) : MLP_EFAIL;
	caller->known = !r;
	return r;
}

/* False when the request was refused. */
static bool let_in(struct api_server *server, struct http_request *req)
{
	const struct api_server_options *o = &server->options;
	struct mlp_error err = MLP_ERROR_INIT;
	int r;

	if (!o->auth && from_elsewhere(req)) {
		api_answer_error(req, API_PERMISSION_DENIED,
				 "this server answers requests to its own address only");
		return false;
	}
	if ((!o->auth && !o->secret) || is_open(http_path(req)) || is_page(req))
		return true;
	r = check_token(server, req, &err);
	if (r == MLP_ENOTFOUND)
		ask_for_token(req, &err);
	else if (r)
		api_answer_error(req, API_INTERNAL_ERROR, err.text);
	return !r;
}

/* False when the caller was refused. */
static bool artifact_allowed(struct api_server *server, struct http_request *req,
			     const char *path)
{
	const char *method = http_method(req);
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
	const char *query = *path ? NULL : http_query(req, "path", 0);
	struct mlp_error err = MLP_ERROR_INIT;
	struct db *db;

	if (!api_caller(req)->known)
		return true;
	db = api_reader(server, &err);
	if (db && !api_permit_artifact(db, req, reads ? API_READ : API_WRITE, query ? query : path))
		return true;
	api_answer_error(req, API_PERMISSION_DENIED, "Permission denied.");
	return false;
}

static void head(void *data, struct http_request *req)
{
	const char *artifact = artifact_path(http_path(req)), *part;
	const char *verb = api_multipart_verb(below_mount(http_path(req)), &part);

	if (!let_in(data, req) || strcmp(http_method(req), "PUT") != 0)
		return;
	if (verb && !strcmp(verb, "part"))
		api_multipart_head(data, req, part);
	else if (artifact && artifact_allowed(data, req, artifact))
		api_artifact_head(data, req, artifact);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (int64_t)st.st_size;
}

static void answer_metrics(struct api_server *server, struct http_request *req)
{
	_cleanup_free_ char *wal = xasprintf("%s-wal", server->repo->db_path);
	struct strbuf body = STRBUF_INIT;
	struct writer_stats writes;

	if (api_caller(req)->known && api_caller(req)->token.experiment >= 0) {
		api_answer_error(req, API_PERMISSION_DENIED, "Permission denied.");
		return;
	}
	writer_stats(server->writer, &writes);
	observe_print(server->observe, &body);
	observe_print_value(&body, "mlp_http_connections", "gauge", "Connections open.",
			    http_server_connections(server->http));
	observe_print_value(&body, "mlp_write_batches_total", "counter", "Transactions committed.",
			    writes.batches);
	observe_print_value(&body, "mlp_write_requests_total", "counter", "Writes in them.",
			    writes.jobs);
	observe_print_value(&body, "mlp_write_batch_largest", "gauge",
			    "Most writes in one transaction.", writes.largest);
	observe_print_value(&body, "mlp_store_bytes", "gauge", "Size of the database.",
			    size_of(server->repo->db_path) + size_of(wal));
	http_answer(req, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}

static void answer_artifact(struct api_server *server, struct http_request *req, const char *path)
{
	if (artifact_allowed(server, req, path))
		api_artifact_request(server, req, path);
}

static void answer_multipart(struct api_server *server, struct http_request *req,
			     const char *verb, const char *rest)
{
	/* Parts are answered by what takes them. */
	if (!strcmp(verb, "part"))
		http_answer(req, 405, "text/plain; charset=utf-8", NULL);
	else if (artifact_allowed(server, req, rest))
		api_multipart_request(server, req, verb, rest);
}

static void answer_get_artifact(struct api_server *server, struct http_request *req)
{
	const char *run = http_query(req, "run_id", 0);
	_cleanup_free_ char *path = NULL;

	if (!run)
		run = http_query(req, "run_uuid", 0);
	path = xasprintf("0/%s/artifacts", run ? run : "");
	if (artifact_allowed(server, req, path))
		api_artifact_download(server, req);
}

static void handle(void *data, struct http_request *req)
{
	struct api_server *server = data;
	struct api_caller *caller = api_caller(req);
	const char *path = http_path(req), *endpoint = below_mount(path);
	const char *artifact = artifact_path(path), *rest;
	const char *verb = api_multipart_verb(endpoint, &rest);
	struct api_intake *intake = *http_user(req);

	caller->route = artifact ? "mlflow-artifacts/artifacts" : verb ? "mlflow-artifacts/mpu" : NULL;
	if (intake) {
		intake->whole(server, req);
	} else if (is_page(req)) {
		caller->route = "page";
		answer_page(req);
	} else if (!strcmp(path, "/health")) {
		caller->route = "health";
		answer_text(req, 200, "OK");
	} else if (!strcmp(path, "/version")) {
		caller->route = "version";
		answer_text(req, 200, MLFLOW_VERSION);
	} else if (!strcmp(path, "/metrics")) {
		caller->route = "metrics";
		answer_metrics(server, req);
	} else if (!strcmp(path, "/get-artifact")) {
		caller->route = "get-artifact";
		answer_get_artifact(server, req);
	} else if (artifact) {
		answer_artifact(server, req, artifact);
	} else if (verb) {
		answer_multipart(server, req, verb, rest);
	} else {
		api_exchange(server, req, endpoint ? endpoint : "");
	}
}

static void finished(void *data, struct http_request *req, int status, int64_t bytes,
		     int64_t duration_us)
{
	struct api_server *server = data;
	struct api_intake *intake = *http_user(req);
	const struct api_caller *caller = api_caller(req);
	struct observed what = { .method = http_method(req), .path = http_raw_path(req),
				 .peer = http_peer(req), .route = caller->route,
				 .user = caller->known ? caller->token.name : NULL,
				 .status = status, .bytes = bytes, .duration_us = duration_us };

	if (intake)
		intake->release(intake);
	observe_request(server->observe, &what);
}

static unsigned threads_of(const struct api_server_options *o)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return o->threads ? o->threads : (unsigned)MAX(MIN(processors, (long)THREADS_MAX), 2L);
}

static int start_http(struct api_server *server, struct mlp_error *err)
{
	const struct api_server_options *o = &server->options;
	struct http_handlers handlers = { .head = head, .request = handle, .done = finished,
					  .data = server };
	struct http_options http = {
		.address = o->address ? o->address : "127.0.0.1",
		.port = o->port,
		.listen_fd = o->listen_fd,
		.threads = threads_of(o),
		.body_max = BODY_MAX,
		.bodies_max = BODIES_MAX,
		.answers_max = ANSWERS_MAX,
		.header_max = HEADER_MAX,
		.connection_max = CONNECTIONS_MAX,
		/* All of this machine's clients have one address. */
		.address_max = o->remote ? ADDRESS_MAX : 0,
		.idle_seconds = IDLE_SECONDS,
		.header_seconds = HEADER_SECONDS,
		.tls_cert = o->tls_cert,
		.tls_key = o->tls_key,
	};

	return http_server_start(&server->http, &http, &handlers, err);
}

int api_server_start(struct api_server **out, const struct repo *repo,
		     const struct api_server_options *o, struct mlp_error *err)
{
	struct api_server *server = xcalloc(1, sizeof(*server));
	int r;

	server->repo = repo;
	server->options = *o;
	pthread_key_create(&server->reader, close_reader);
	server->uploads = uploads_new(repo);
	r = observe_new(&server->observe, o->access_log, err);
	if (!r)
		r = writer_start(&server->writer, repo, err);
	if (!r)
		r = workers_start(&server->workers, threads_of(o), WAITING_MAX, err);
	if (!r)
		r = start_http(server, err);
	else if (o->listen_fd >= 0)
		close(o->listen_fd);
	if (r) {
		api_server_stop(server, 0);
		return r;
	}
	*out = server;
	return 0;
}

uint16_t api_server_port(const struct api_server *server)
{
	return http_server_port(server->http);
}

int api_server_reload(struct api_server *server, const char *cert, const char *key,
		      struct mlp_error *err)
{
	int r = observe_reopen(server->observe, err);

	return r || !cert ? r : http_server_set_tls(server->http, cert, key, err);
}

void api_server_stop(struct api_server *server, int64_t grace_ms)
{
	if (!server)
		return;
	http_server_stop(server->http, grace_ms);
	workers_stop(server->workers);
	writer_stop(server->writer);
	uploads_free(server->uploads);
	observe_free(server->observe);
	pthread_key_delete(server->reader);
	free(server);
}
